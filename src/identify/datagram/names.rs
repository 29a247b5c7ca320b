//! DNS, `NetBIOS` names and NTP. Follows no compression pointer further than over it.

use super::{Identity, text};
use crate::identify::octets::{octet, slice, word};

/// TXT, a class apart (RFC 1035 section 3.2.2).
const TXT: u16 = 16;

/// The first text of an answer; without one, how the question went (RFC 1035 section 4.1.1).
pub(super) fn dns(octets: &[u8]) -> Option<Identity> {
    let (flags, questions, answers) = (word(octets, 2)?, word(octets, 4)?, word(octets, 6)?);
    let code = match flags & 0xf {
        0 => "no error",
        1 => "format error",
        2 => "server failure",
        3 => "no such name",
        4 => "not implemented",
        5 => "refused",
        _ => "another error",
    };
    let mut at = 12;
    for _ in 0..questions.min(4) {
        at = after_name(octets, at)? + 4;
    }
    for _ in 0..answers.min(16) {
        let Some(header) = after_name(octets, at) else { break };
        let (Some(kind), Some(length)) = (word(octets, header), word(octets, header + 8)) else { break };
        if kind == TXT {
            let count = octet(octets, header + 10)?;
            return Some(Identity::named(&text(slice(octets, header + 11, count.into())?)?));
        }
        at = header + 10 + usize::from(length);
    }
    let recursion = if flags & 0x80 == 0 { "no recursion" } else { "recursion offered" };
    Some(Identity::detail(format!("{code}, {recursion}")))
}

/// Where a name ends (RFC 1035 section 4.1.4).
fn after_name(octets: &[u8], mut at: usize) -> Option<usize> {
    for _ in 0..128 {
        match octet(octets, at)? {
            0 => return Some(at + 1),
            length if length >= 0xc0 => return Some(at + 2),
            length => at += 1 + usize::from(length),
        }
    }
    None
}

/// Names of a node status (RFC 1002 section 4.2.18): the machine's, and its group's.
pub(super) fn netbios(octets: &[u8]) -> Option<Identity> {
    let at = after_name(octets, 12)? + 10;
    let count = usize::from(octet(octets, at)?);
    let entries = || (0..count).map_while(|i| slice(octets, at + 1 + i * 18, 18));
    let named = |is_group: bool| {
        let fits = |entry: &&[u8]| {
            octet(entry, 15) == Some(0) && (octet(entry, 16).unwrap_or(0) & 0x80 != 0) == is_group
        };
        entries().find(fits).and_then(|entry| text(entry.get(..15)?))
    };
    let words = [("name", named(false)), ("group", named(true))];
    let said: Vec<String> =
        words.into_iter().filter_map(|(what, name)| Some(format!("{what} {}", name?))).collect();
    Some(Identity::detail(said.join(", "))).filter(|_| !said.is_empty())
}

/// Version and stratum (RFC 5905 section 7.3), or the variables of a control message (RFC 9327).
pub(super) fn ntp(octets: &[u8]) -> Option<Identity> {
    let first = octet(octets, 0)?;
    if first & 0x07 == 6 {
        let count = usize::from(word(octets, 10)?);
        let data = octets.get(12..)?;
        let data = String::from_utf8_lossy(data.get(..count).unwrap_or(data));
        let value = |name: &str| {
            let mut pairs = data.split(['"', '\n']).peekable();
            while let Some(part) = pairs.next() {
                if part.trim_start_matches([',', ' ', '\r']).trim_end() == format!("{name}=") {
                    return pairs.peek().and_then(|value| text(value.as_bytes()));
                }
            }
            None
        };
        let (version, system) = (value("version"), value("system"));
        return Some(version.map(|text| Identity::named(&text)).unwrap_or_default().and(system));
    }
    let (stratum, id) = (octet(octets, 1)?, slice(octets, 12, 4)?);
    let reference = match stratum {
        0 | 1 => text(id).unwrap_or_default(),
        _ => id.iter().map(u8::to_string).collect::<Vec<_>>().join("."),
    };
    let version = first >> 3 & 0x07;
    Some(Identity::detail(format!("NTP version {version}, stratum {stratum}, reference {reference}")))
}
