//! What a server answers to a hello: records, the messages in them, and what it chose (RFC 5246 sections 6.2
//! and 7.4, RFC 8446 section 4.1.3). Total over any octets, and reads no further than it has to.

use super::{
    Alert, Version,
    octets::Reader,
    suites::{self, Exchange},
};
use crate::identify::text;

/// Octets of messages that are read; a chain of certificates is a few thousand.
const MOST: usize = 128 << 10;
/// A record with whatever old versions may add to it (RFC 5246 section 6.2.3).
const LONGEST_RECORD: usize = (1 << 14) + 2048;
/// Certificates of a chain that are kept.
const MOST_CERTIFICATES: usize = 16;
/// The random octets of a hello that asks for another one (RFC 8446 section 4.1.3).
const RETRY: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2,
    0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The beginning of an answer: more is to come.
    Unfinished,
    /// Not TLS, or SSL 2.0.
    Foreign,
    /// No.
    Refused(Alert),
    /// Yes.
    Chosen(Box<Chosen>),
}

/// What a server chose.
#[allow(clippy::struct_excessive_bools)] // facts that stand each for itself, no states
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// The version.
    pub version: Version,
    /// The cipher suite.
    pub suite: u16,
    /// The chain as it was sent, the server's own first. In TLS 1.3 it is encrypted: none.
    pub certificates: Vec<Vec<u8>>,
    /// The protocol above.
    pub alpn: Option<String>,
    /// The compression; 0 is none.
    pub compression: u8,
    /// What the key is agreed on over, where it is said.
    pub exchanged: Option<Exchanged>,
    /// Whether renegotiation is bound to the connection (RFC 5746). Always so in TLS 1.3.
    pub secure_renegotiation: bool,
    /// Whether keys are bound to the handshake (RFC 7627). Always so in TLS 1.3.
    pub extended_master_secret: bool,
    /// It wants another hello first, with another group: it chose all the same.
    pub retry: bool,
    /// It marks that it would have spoken at least this version if asked (RFC 8446 section 4.1.3).
    pub knows: Option<Version>,
    /// Whether the answer was read to its end, so that what isn't here was not sent.
    pub complete: bool,
}

/// What a fresh key is agreed on over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exchanged {
    /// A group by its number.
    Group(u16),
    /// A curve that the server made up, or a prime in explicit form.
    Explicit,
    /// A prime field of the server's own.
    Dh {
        /// Bits of its prime.
        bits: u16,
    },
    /// A short RSA key (export suites).
    Rsa {
        /// Bits of its modulus.
        bits: u16,
    },
}

/// What the octets since our hello say. More of them may follow.
pub fn answer(octets: &[u8]) -> Answer {
    read(octets, false)
}

/// The same once no more will follow: a warning without anything behind it is then a refusal as well, and a
/// choice without a chain is a choice.
pub fn last_answer(octets: &[u8]) -> Answer {
    read(octets, true)
}

fn read(octets: &[u8], is_over: bool) -> Answer {
    let mut records = Reader(octets);
    let mut flight = Flight::default();
    let mut warning = None;
    while !records.is_empty() {
        if !may_be_record(records.0) {
            return flight.foreign();
        }
        let Some((kind, content)) = record(&mut records) else { break };
        match kind {
            21 => {
                let Some(alert) = alert(content) else { return flight.foreign() };
                if alert.is_final() {
                    return Answer::Refused(alert);
                }
                warning = warning.or(Some(alert));
            }
            22 => match flight.take(content) {
                Some(true) => return flight.chosen(true),
                Some(false) => {}
                None => return flight.foreign(),
            },
            // Whatever is encrypted is not for us.
            _ => return flight.foreign(),
        }
    }
    match (is_over, flight.chosen.is_some(), warning) {
        (true, true, _) => flight.chosen(false),
        (true, false, Some(alert)) => Answer::Refused(alert),
        _ => Answer::Unfinished,
    }
}

/// Whether these octets, as far as they go, begin a record of a version that we know.
fn may_be_record(octets: &[u8]) -> bool {
    let at = |at: usize| octets.get(at).copied();
    let length = at(3).zip(at(4)).map(|(high, low)| usize::from(high) << 8 | usize::from(low));
    at(0).is_none_or(|kind| (20..=23).contains(&kind))
        && at(1).is_none_or(|major| major == 3)
        && at(2).is_none_or(|minor| minor <= 4)
        && length.is_none_or(|length| length <= LONGEST_RECORD)
}

fn record<'a>(records: &mut Reader<'a>) -> Option<(u8, &'a [u8])> {
    let mut at = *records;
    let [kind, _, _] = *at.take(3)?.first_chunk::<3>()?;
    let content = at.list(2)?;
    *records = at;
    Some((kind, content))
}

fn alert(content: &[u8]) -> Option<Alert> {
    let [level, description] = *content.first_chunk()?;
    matches!(level, 1 | 2).then_some(Alert { level, description })
}

/// The messages so far.
#[derive(Default)]
struct Flight {
    octets: Vec<u8>,
    read: usize,
    chosen: Option<Box<Chosen>>,
}

impl Flight {
    /// What to say if something comes that does not belong: what was chosen before stands.
    fn foreign(self) -> Answer {
        self.chosen(false)
    }

    fn chosen(self, complete: bool) -> Answer {
        match self.chosen {
            Some(chosen) => Answer::Chosen(Box::new(Chosen { complete, ..*chosen })),
            None => Answer::Foreign,
        }
    }

    /// One more piece. `Some(true)`: there is all that we want; `None`: this is no answer to a hello.
    fn take(&mut self, content: &[u8]) -> Option<bool> {
        if self.octets.len().saturating_add(content.len()) > MOST {
            return None;
        }
        self.octets.extend_from_slice(content);
        loop {
            let mut rest = Reader(self.octets.get(self.read..)?);
            let Some(kind) = rest.number(1) else { return Some(false) };
            // Whatever begins otherwise is not worth to be waited for.
            if self.chosen.is_none() && kind != 2 && kind != 0 {
                return None;
            }
            let Some(length) = rest.number(3) else { return Some(false) };
            if length > MOST {
                return None;
            }
            let Some(message) = rest.take(length) else { return Some(false) };
            self.read = self.octets.len() - rest.0.len();
            if understand(&mut self.chosen, kind, message)? {
                return Some(true);
            }
        }
    }
}

/// Takes in one message. `Some(true)`: it was the last one; `None`: it is broken.
fn understand(chosen: &mut Option<Box<Chosen>>, kind: usize, message: &[u8]) -> Option<bool> {
    match (kind, chosen.as_deref_mut()) {
        (2, None) => {
            let hello = server_hello(message)?;
            let is_all = hello.version == Version::Tls13;
            *chosen = Some(Box::new(hello));
            Some(is_all)
        }
        (2, Some(_)) => None,
        (11, Some(chosen)) => {
            chosen.certificates = certificates(message)?;
            Some(false)
        }
        (12, Some(chosen)) => {
            chosen.exchanged = key_exchange(chosen.suite, message);
            Some(false)
        }
        (14, Some(_)) => Some(true),
        _ => Some(false),
    }
}

fn server_hello(message: &[u8]) -> Option<Chosen> {
    let mut at = Reader(message);
    let legacy = at.word()?;
    let random: [u8; 32] = *at.take(32)?.first_chunk()?;
    at.list(1).filter(|session| session.len() <= 32)?;
    let suite = at.word()?;
    let compression = *at.take(1)?.first()?;
    let mut extensions = Reader(if at.is_empty() { &[] } else { at.list(2)? });
    let mut chosen = Chosen {
        version: Version::from_wire(legacy)?,
        suite,
        certificates: Vec::new(),
        alpn: None,
        compression,
        exchanged: None,
        secure_renegotiation: false,
        extended_master_secret: false,
        retry: random == RETRY,
        knows: knows(&random),
        complete: false,
    };
    while !extensions.is_empty() {
        let kind = extensions.word()?;
        let mut content = Reader(extensions.list(2)?);
        match kind {
            16 => chosen.alpn = content.list(2).and_then(|list| Reader(list).list(1)).and_then(text),
            23 => chosen.extended_master_secret = true,
            // The real version; the other one is what boxes in between expect.
            43 => chosen.version = Version::from_wire(content.word()?)?,
            51 => chosen.exchanged = content.word().map(Exchanged::Group),
            0xff01 => chosen.secure_renegotiation = true,
            _ => {}
        }
    }
    if chosen.version == Version::Tls13 {
        (chosen.secure_renegotiation, chosen.extended_master_secret) = (true, true);
        chosen.knows = None;
    } else {
        chosen.retry = false;
    }
    Some(chosen)
}

/// Servers of newer versions mark the hellos in which they stoop to an older one.
fn knows(random: &[u8; 32]) -> Option<Version> {
    match random.last_chunk::<8>()? {
        b"DOWNGRD\x01" => Some(Version::Tls13),
        b"DOWNGRD\x00" => Some(Version::Tls12),
        _ => None,
    }
}

/// RFC 5246 section 7.4.2.
fn certificates(message: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut list = Reader(Reader(message).list(3)?);
    let mut all = Vec::new();
    while !list.is_empty() && all.len() < MOST_CERTIFICATES {
        all.push(list.list(3)?.to_vec());
    }
    Some(all)
}

/// RFC 5246 section 7.4.3, RFC 8422 section 5.4, RFC 2246 section 7.4.3.
fn key_exchange(suite: u16, message: &[u8]) -> Option<Exchanged> {
    let mut at = Reader(message);
    match suites::suite(suite)?.exchange {
        Exchange::Ecdhe => match at.number(1)? {
            3 => at.word().map(Exchanged::Group),
            1 | 2 => Some(Exchanged::Explicit),
            _ => None,
        },
        Exchange::Dhe => Some(Exchanged::Dh { bits: bits(at.list(2)?) }),
        Exchange::RsaExport => Some(Exchanged::Rsa { bits: bits(at.list(2)?) }),
        _ => None,
    }
}

/// Of a number that may have zeros before it.
pub(super) fn bits(number: &[u8]) -> u16 {
    let zeros = number.iter().take_while(|octet| **octet == 0).count();
    let Some(first) = number.get(zeros) else { return 0 };
    let bits = (number.len() - zeros) * 8 - first.leading_zeros() as usize;
    u16::try_from(bits).unwrap_or(u16::MAX)
}
