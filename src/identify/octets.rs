//! Octets as fields and texts. Total: what is not there is `None`.

use std::fmt::Write as _;

use super::text;

/// One octet.
pub(super) fn octet(octets: &[u8], at: usize) -> Option<u8> {
    octets.get(at).copied()
}

/// Two octets, the high one first.
pub(super) fn word(octets: &[u8], at: usize) -> Option<u16> {
    let (high, low) = (octet(octets, at)?, octet(octets, at.checked_add(1)?)?);
    Some(u16::from_be_bytes([high, low]))
}

/// Four octets, the highest first.
pub(super) fn double(octets: &[u8], at: usize) -> Option<u32> {
    Some(u32::from(word(octets, at)?) << 16 | u32::from(word(octets, at.checked_add(2)?)?))
}

/// So many octets from there on.
pub(super) fn slice(octets: &[u8], at: usize, length: usize) -> Option<&[u8]> {
    octets.get(at..)?.get(..length)
}

/// Octets up to a zero, or to the end.
pub(super) fn until_zero(octets: &[u8]) -> &[u8] {
    octets.split(|octet| *octet == 0).next().unwrap_or_default()
}

/// The text between two others.
pub(super) fn between<'a>(octets: &'a [u8], before: &str, after: &str) -> Option<&'a [u8]> {
    let at = find(octets, before.as_bytes())?;
    let rest = octets.get(at + before.len()..)?;
    rest.get(..find(rest, after.as_bytes())?)
}

/// Where these octets begin.
pub(super) fn find(octets: &[u8], what: &[u8]) -> Option<usize> {
    octets.windows(what.len().max(1)).position(|window| window == what)
}

/// Two octets, the low one first.
pub(super) fn little_word(octets: &[u8], at: usize) -> Option<u16> {
    word(octets, at).map(u16::swap_bytes)
}

/// Four octets, the lowest first.
pub(super) fn little_double(octets: &[u8], at: usize) -> Option<u32> {
    double(octets, at).map(u32::swap_bytes)
}

/// What a key of a JSON text holds, at its first place: a text without its quotes, or a number or word as it
/// is. Not for anything but names and versions: knows nothing of depth.
pub(super) fn json(octets: &[u8], key: &str) -> Option<String> {
    let key = format!("\"{key}\"");
    let mut rest = octets;
    loop {
        rest = rest.get(find(rest, key.as_bytes())? + key.len()..)?.trim_ascii_start();
        // The same word may be a value somewhere.
        if let Some(value) = rest.strip_prefix(b":") {
            let value = value.trim_ascii_start();
            return match value.strip_prefix(b"\"") {
                Some(value) => text(value.split(|octet| *octet == b'"').next()?),
                None => text(value.split(|octet| b",}] \r\n\t[{".contains(octet)).next()?),
            };
        }
    }
}

/// Octets that are shown of a reply that nobody understands.
const SHOWN: usize = 32;

/// The first of them in hexadecimal digits, for replies that nobody understands.
pub fn hexadecimal(octets: &[u8]) -> String {
    let shown = octets.iter().take(SHOWN).fold(String::from("octets "), |mut text, octet| {
        let _ = write!(text, "{octet:02x}");
        text
    });
    if octets.len() > SHOWN { format!("{shown}…") } else { shown }
}
