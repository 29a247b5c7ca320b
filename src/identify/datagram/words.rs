//! Protocols in words: SIP, SSDP, memcached, TFTP and others.

use super::{Identity, text};
use crate::identify::octets::{between, double, find, octet, slice, until_zero, word};

/// Names of headers that say who answers, the best first.
const SERVER: &[&str] = &["server", "user-agent", "x-plex-product", "name"];

/// `Server` or `User-Agent` (RFC 3261 sections 20.35 and 20.41, `UPnP` Device Architecture section 1.3.3); without
/// one, the first line.
pub(super) fn headers(octets: &[u8]) -> Option<Identity> {
    let line = |line: &[u8]| text(line);
    let mut lines = octets.split(|octet| *octet == b'\n');
    let status = line(lines.next()?)?;
    let headers: Vec<(String, String)> = lines
        .take(64)
        .take_while(|line| line.len() > 1)
        .filter_map(|header| {
            let at = header.iter().position(|octet| *octet == b':')?;
            let (name, value) = header.split_at(at);
            Some((text(name)?.to_ascii_lowercase(), line(value.get(1..)?)?))
        })
        .collect();
    let said = SERVER.iter().find_map(|wanted| headers.iter().find(|(name, _)| name == wanted));
    let Some((_, server)) = said else { return Some(Identity::detail(status)) };
    // `Linux/3.4 UPnP/1.1 MiniUPnPd/1.9`: the system and the protocol come first.
    match server.split_once("UPnP/").and_then(|(_, rest)| rest.split_once(' ')) {
        Some((_, product)) => Some(Identity::named(product.trim()).and(Some(server.clone()))),
        None => Some(Identity::named(server).and(Some(status))),
    }
}

/// `VERSION 1.5.6` behind the frame.
pub(super) fn memcached(octets: &[u8]) -> Option<Identity> {
    let said = octets.get(8..)?;
    let version = said.strip_prefix(b"VERSION ").and_then(text);
    let Some(version) = version else { return Some(Identity::detail(text(said)?)) };
    Some(Identity { product: Some("memcached".to_owned()), version: Some(version), detail: None })
}

/// Code and text of an error (RFC 1350 section 5).
pub(super) fn tftp(octets: &[u8]) -> Option<Identity> {
    match word(octets, 0)? {
        3 => Some(Identity::detail("gives out a file that cannot be there")),
        5 => {
            let said = text(until_zero(octets.get(4..)?)).unwrap_or_default();
            Some(Identity::detail(format!("error {}: {said}", word(octets, 2)?)))
        }
        _ => None,
    }
}

/// Level and host: `DB2RETADDR`, `SQL11055`, two names.
pub(super) fn db2(octets: &[u8]) -> Option<Identity> {
    let mut parts = octets.strip_prefix(b"DB2RETADDR\0")?.split(|octet| *octet == 0);
    let level = parts.next().and_then(text);
    let host = parts.find_map(text);
    Some(Identity { product: Some("Db2".to_owned()), version: level, detail: None }.and(host))
}

/// The version in the XML.
pub(super) fn jenkins(octets: &[u8]) -> Option<Identity> {
    find(octets, b"<hudson>")?;
    let version = between(octets, "<version>", "</version>").and_then(text);
    Some(Identity { product: Some("Jenkins".to_owned()), version, detail: None })
}

/// Model and firmware in the JSON.
pub(super) fn dahua(octets: &[u8]) -> Option<Identity> {
    find(octets, b"DeviceType")?;
    let value = |key: &str| {
        let rest = between(octets, &format!("\"{key}\""), ",")?;
        text(rest.split(|octet| *octet == b'"').nth(1)?)
    };
    Some(Identity { product: value("DeviceType"), version: value("Version"), detail: value("Vendor") })
}

/// The response code (RFC 7252 section 3).
pub(super) fn coap(octets: &[u8]) -> Option<Identity> {
    let code = octet(octets, 1)?;
    Some(Identity::detail(format!("answers {}.{:02}", code >> 5, code & 0x1f)))
}

/// The text of an Rx version packet, behind its header.
pub(super) fn afs(octets: &[u8]) -> Option<Identity> {
    double(octets, 24)?;
    Some(Identity::named(&text(until_zero(slice(octets, 28, octets.len().checked_sub(28)?)?))?))
}
