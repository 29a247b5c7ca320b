//! Mailboxes, news and mail filters: POP3, IMAP, NNTP, `ManageSieve`. Asks what they can, and names no user.

use super::mail;
use crate::identify::{
    Identity,
    octets::find,
    stream::{Follow, Guard, Less, Reading, Shown, after, line, only, product},
    text,
};

/// `+OK` and words (RFC 1939 section 4).
pub(super) fn pop3(octets: &[u8]) -> Result<Reading, Less> {
    after(octets, b"+OK")?;
    let (said, _) = line(octets)?;
    only(said.get(3).is_none_or(|octet| *octet == b' '))?;
    let words = said.get(3..).unwrap_or_default();
    let shown = Shown::service("pop3").by(program(words)).saying(said);
    Ok(Reading::Ask(shown, Follow { say: b"CAPA\r\n", read: capa }))
}

/// The list ends with a dot of its own (RFC 2449 section 5); `STLS` is in it (RFC 2595 section 4).
fn capa(shown: &Shown, octets: &[u8]) -> Reading {
    let refused = octets.starts_with(b"-ERR") && octets.contains(&b'\n');
    if !refused && find(octets, b"\n.\r\n").or_else(|| find(octets, b"\n.\n")).is_none() {
        return Reading::Unfinished;
    }
    if refused {
        return Reading::Shown(shown.clone());
    }
    let guard = offered(octets, b"\nSTLS", Guard::Cleartext("offers no STLS"));
    Reading::Shown(shown.clone().guarded(guard))
}

/// `* OK`, `* PREAUTH` or `* BYE` (RFC 9051 section 7.1).
pub(super) fn imap(octets: &[u8]) -> Result<Reading, Less> {
    let begins = [&b"* OK"[..], b"* PREAUTH", b"* BYE"];
    let reading = |begin: &[u8]| after(octets, begin).map(<[u8]>::len);
    let known: Vec<_> = begins.iter().map(|begin| reading(begin)).collect();
    if known.iter().all(Result::is_err) {
        return Err(if known.contains(&Err(Less::Unfinished)) { Less::Unfinished } else { Less::Foreign });
    }
    let (said, _) = line(octets)?;
    let words = said.splitn(3, |octet| *octet == b' ').nth(2).unwrap_or_default();
    let shown = Shown::service("imap").by(program(words)).saying(said);
    if said.starts_with(b"* PREAUTH") {
        return Ok(shown.guarded(Guard::Open("the session begins authenticated")).into());
    }
    if said.starts_with(b"* BYE") {
        return Ok(shown.into());
    }
    let upper = said.to_ascii_uppercase();
    if find(&upper, b"[CAPABILITY ").is_some() {
        return Ok(shown.guarded(offered(&upper, b"STARTTLS", NO_STARTTLS)).into());
    }
    Ok(Reading::Ask(shown, Follow { say: b"a CAPABILITY\r\n", read: capability }))
}

const NO_STARTTLS: Guard = Guard::Cleartext("offers no STARTTLS");

/// The tagged line is the last (RFC 9051 section 6.1.1).
fn capability(shown: &Shown, octets: &[u8]) -> Reading {
    let mut lines = octets.split_inclusive(|octet| *octet == b'\n');
    if !lines.any(|line| line.starts_with(b"a ") && line.ends_with(b"\n")) {
        return Reading::Unfinished;
    }
    let upper = octets.to_ascii_uppercase();
    if find(&upper, b"* CAPABILITY").is_none() {
        return Reading::Shown(shown.clone());
    }
    Reading::Shown(shown.clone().guarded(offered(&upper, b"STARTTLS", NO_STARTTLS)))
}

/// 200 or 201, and words that say news (RFC 3977 section 5.1): the number alone is everybody's.
pub(super) fn nntp(octets: &[u8]) -> Result<Reading, Less> {
    let code = octets.get(..3).unwrap_or(octets);
    only([b"200", b"201"].iter().any(|known| known.starts_with(code)))?;
    let (said, _) = line(octets)?;
    let upper = said.to_ascii_uppercase();
    only(said.get(3) == Some(&b' '))?;
    let words = [&b"NNTP"[..], b"INTERNETNEWS", b"NEWS", b"POSTING"];
    only(words.iter().any(|word| find(&upper, word).is_some()))?;
    let shown = Shown::service("nntp").by(program(said)).saying(said);
    Ok(Reading::Ask(shown, Follow { say: b"CAPABILITIES\r\n", read: news }))
}

/// 101 and a list (RFC 3977 section 5.2, RFC 4642 section 2).
fn news(shown: &Shown, octets: &[u8]) -> Reading {
    if !octets.starts_with(b"101") {
        return match mail::lines(octets) {
            Err(Less::Unfinished) => Reading::Unfinished,
            _ => Reading::Shown(shown.clone()),
        };
    }
    if find(octets, b"\n.\r\n").or_else(|| find(octets, b"\n.\n")).is_none() {
        return Reading::Unfinished;
    }
    let upper = octets.to_ascii_uppercase();
    Reading::Shown(shown.clone().guarded(offered(&upper, b"\nSTARTTLS", NO_STARTTLS)))
}

/// Capabilities in quotes, one a line, and a verdict (RFC 5804 section 1.7).
pub(super) fn sieve(octets: &[u8]) -> Result<Shown, Less> {
    after(octets, b"\"")?;
    let mut rest = octets;
    loop {
        let (said, behind) = line(rest)?;
        if [&b"OK"[..], b"NO", b"BYE"].iter().any(|verdict| said.starts_with(verdict)) {
            break;
        }
        only(said.starts_with(b"\""))?;
        rest = behind;
    }
    let upper = octets.to_ascii_uppercase();
    only(find(&upper, b"\"SIEVE\"").is_some())?;
    let quoted = find(&upper, b"\"IMPLEMENTATION\"").and_then(|at| octets.get(at + 16..));
    let name = quoted.and_then(|rest| rest.split(|octet| *octet == b'"').nth(1)).and_then(text);
    let shown = Shown::service("sieve").by(Identity::named(&name.unwrap_or_default()));
    Ok(shown.guarded(offered(&upper, b"\"STARTTLS\"", NO_STARTTLS)))
}

fn offered(octets: &[u8], what: &[u8], otherwise: Guard) -> Guard {
    if find(octets, what).is_some() { Guard::Upgradable } else { otherwise }
}

/// Programs that say their name in their greeting.
const PROGRAMS: &[&str] = &[
    "Dovecot",
    "Cyrus IMAP",
    "Cyrus POP3",
    "Courier-IMAP",
    "Microsoft Exchange",
    "Zimbra",
    "hMailServer",
    "MailEnable",
    "MDaemon",
    "Kerio Connect",
    "InterNetNews",
    "Leafnode",
];

fn program(words: &[u8]) -> Identity {
    let words = text(words).unwrap_or_default();
    let known = PROGRAMS.iter().find_map(|name| Some((*name, words.find(name)?)));
    let Some((name, at)) = known else { return Identity::default() };
    let next = words.get(at + name.len()..).unwrap_or_default().trim_start_matches([' ', 'v', '/']);
    let version = next.split([' ', ',', ')']).next().unwrap_or_default();
    let is_version = version.starts_with(|c: char| c.is_ascii_digit()) && version.contains('.');
    product(name, is_version.then(|| version.to_owned()))
}
