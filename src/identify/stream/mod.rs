//! What a TCP service says: the greetings of those that speak first, and the answers to the questions in
//! [`table`]. Total: whatever the octets, no panic and no more than a few words.

mod greeting;
mod http;
mod table;

pub use greeting::greeting;
pub use http::wants_tls;
pub use table::QUESTIONS;

use super::{Identity, text};

/// What somebody on an open port showed themselves to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The protocol, by its name in `profiles/ports/services.yaml`, whether inside TLS or not: `http`, `imap`.
    pub service: &'static str,
    /// The program behind it, as it says itself.
    pub identity: Option<Identity>,
    /// Its own first words, cleaned and bounded, where they are words.
    pub banner: Option<String>,
    /// What it shows of who may use it.
    pub guard: Guard,
}

/// What a service shows of who may use it, and who may listen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Guard {
    /// Nothing.
    #[default]
    Untold,
    /// It answers strangers what only users should be told. What shows it, as a clause: `answers PING`.
    Open(&'static str),
    /// Without TLS around it, what is said here can be read on the way, and nothing better is offered. Why,
    /// as a clause: `offers no STARTTLS`.
    Cleartext(&'static str),
    /// It offers STARTTLS.
    Upgradable,
    /// Whoever spoke with it did not ask.
    Unasked,
}

/// What octets are to a reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Not of its protocol.
    Foreign,
    /// They may become something of its protocol: more are needed.
    Unfinished,
    /// They are.
    Shown(Shown),
    /// They are, and the same connection can be asked more.
    Ask(Shown, Follow),
}

/// Another question on the same connection.
#[derive(Clone, Copy, Debug)]
pub struct Follow {
    /// What to say.
    pub say: &'static [u8],
    /// What is known already, and everything that came back since, become what is known then.
    pub read: fn(&Shown, &[u8]) -> Reading,
}

impl PartialEq for Follow {
    fn eq(&self, other: &Self) -> bool {
        self.say == other.say
    }
}

impl Eq for Follow {}

/// What makes a service speak that waits to be spoken to. Nothing that changes anything on the other side,
/// and never a login.
#[derive(Clone, Copy, Debug)]
pub struct Question {
    /// Whose protocol it is, by its name in `profiles/ports/services.yaml`, without TLS.
    pub service: &'static str,
    /// Ports on which it is asked first.
    pub ports: &'static [u16],
    /// What is sent to whom.
    pub say: fn(&Whom<'_>) -> Vec<u8>,
    /// Reads what comes back. Strict: octets of any other protocol are foreign to it.
    pub read: fn(&[u8]) -> Reading,
    /// Where it is written down, and why it does no harm where that is not plain.
    pub source: &'static str,
}

/// Who is spoken to.
#[derive(Clone, Copy, Debug)]
pub struct Whom<'a> {
    /// The name, or the address, as a client would write it: `www.example.com`, `[2001:db8::1]`.
    pub host: &'a str,
    /// The port.
    pub port: u16,
}

/// Octets that answer a question in as few as these say nothing to anybody who did not ask it.
const TERSE: usize = 4;

/// What octets are to whichever reader knows them. Services often say who they are when they complain of a
/// question that was not theirs.
pub fn any(octets: &[u8]) -> Reading {
    if is_tls(octets) {
        return Reading::Foreign;
    }
    let readers = QUESTIONS.iter().filter(|_| octets.len() > TERSE).map(|question| question.read);
    let mut reading = Reading::Foreign;
    for read in [greeting as fn(&[u8]) -> Reading].into_iter().chain(readers) {
        match read(octets) {
            Reading::Foreign => {}
            Reading::Unfinished => reading = Reading::Unfinished,
            known => return known,
        }
    }
    if octets.len() > TERSE { reading } else { Reading::Unfinished }
}

/// What to make of octets when nothing more comes: shown or foreign.
pub fn finish(octets: &[u8]) -> Reading {
    let is_text = text(octets).is_some() && octets.iter().all(|octet| matches!(octet, 9..=13 | 0x20..));
    let ends = ENDS.iter().filter(|end| end.is_empty() || is_text);
    let known = ends.map(|end| any(&[octets, *end].concat())).chain([http::cut(octets), table::cut(octets)]);
    let mut known = known.filter_map(|reading| match reading {
        Reading::Shown(shown) | Reading::Ask(shown, _) => Some(shown),
        Reading::Foreign | Reading::Unfinished => None,
    });
    known.next().map_or(Reading::Foreign, Reading::Shown)
}

/// The first line with words on it, of somebody whom nobody knows; `None`: these are no words.
pub fn words(octets: &[u8]) -> Option<String> {
    let line =
        octets.split(|octet| matches!(octet, b'\r' | b'\n')).find_map(|line| Some((line, text(line)?)));
    let (octets, line) = line?;
    let odd = octets.iter().take(super::LONGEST).filter(|octet| !matches!(octet, 9 | 0x20..=0x7e | 0xa0..));
    (odd.count() == 0).then_some(line)
}

/// What may be missing behind a text that was cut: nothing, the end of its line, the last of several lines
/// (RFC 5321 section 4.2.1), the verdict of `ManageSieve` (RFC 5804 section 1.7).
const ENDS: &[&[u8]] = &[b"", b"\r\n", b"\r\n220 \r\n", b"\r\nOK\r\n"];

/// A TLS record, of a handshake or an alert (RFC 8446 section 5.1): somebody else reads these.
fn is_tls(octets: &[u8]) -> bool {
    matches!(octets, [0x15 | 0x16, 3, ..])
}

/// Why there is nothing to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Less {
    /// Octets of somebody else.
    Foreign,
    /// Too few octets.
    Unfinished,
}

impl From<Shown> for Reading {
    fn from(shown: Shown) -> Self {
        Self::Shown(shown)
    }
}

/// A reader's verdict.
fn told<T: Into<Reading>>(read: Result<T, Less>) -> Reading {
    match read {
        Ok(told) => told.into(),
        Err(Less::Foreign) => Reading::Foreign,
        Err(Less::Unfinished) => Reading::Unfinished,
    }
}

/// What has to come yet if it is not there.
fn need<T>(part: Option<T>) -> Result<T, Less> {
    part.ok_or(Less::Unfinished)
}

/// What cannot be otherwise in octets of this protocol.
fn only(so: bool) -> Result<(), Less> {
    if so { Ok(()) } else { Err(Less::Foreign) }
}

/// These octets at this place: others are foreign, and none are not there yet.
fn is(octets: &[u8], at: usize, what: &[u8]) -> Result<(), Less> {
    let there = octets.get(at..).unwrap_or_default();
    let there = there.get(..what.len()).unwrap_or(there);
    only(what.starts_with(there))?;
    need((there.len() == what.len()).then_some(()))
}

/// What follows such a beginning.
fn after<'a>(octets: &'a [u8], begin: &[u8]) -> Result<&'a [u8], Less> {
    is(octets, 0, begin)?;
    need(octets.get(begin.len()..))
}

/// The first line without its end, and what follows it. Lines of these protocols are short, and words.
fn line(octets: &[u8]) -> Result<(&[u8], &[u8]), Less> {
    let end = octets.iter().take(LINE).position(|octet| *octet == b'\n');
    let line = octets.get(..end.unwrap_or(octets.len())).unwrap_or_default();
    only(line.len() < LINE && line.iter().all(|octet| matches!(octet, 9 | 13 | 0x1b | 0x20..)))?;
    let rest = octets.get(need(end)? + 1..).unwrap_or_default();
    Ok((line.strip_suffix(b"\r").unwrap_or(line), rest))
}

/// Octets of a line, at most.
const LINE: usize = 2048;

/// A program whose name the protocol tells, of this version.
fn product(name: &str, version: Option<String>) -> Identity {
    Identity { product: Some(name.to_owned()), version, detail: None }
}

impl Shown {
    /// Nothing but the protocol.
    pub(super) fn service(service: &'static str) -> Self {
        Self { service, identity: None, banner: None, guard: Guard::Untold }
    }

    /// By this program.
    fn by(self, identity: Identity) -> Self {
        Self { identity: identity.something(), ..self }
    }

    /// With a detail of it.
    fn detail(self, detail: Option<String>) -> Self {
        let identity = self.identity.clone().unwrap_or_default().and(detail);
        self.by(identity)
    }

    /// In these words.
    fn saying(self, line: &[u8]) -> Self {
        Self { banner: text(line), ..self }
    }

    /// With this guard.
    fn guarded(self, guard: Guard) -> Self {
        Self { guard, ..self }
    }
}

#[cfg(test)]
mod tests;
