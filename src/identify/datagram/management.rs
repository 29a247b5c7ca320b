//! SNMP, IPMI, RADIUS, RPC, the SQL Server browser, XDMCP, Kerberos.

use std::fmt::Write as _;

use super::{Identity, text};
use crate::identify::octets::{between, double, find, octet, slice, word};

/// 1.3.6.1.2.1.1.1.0, as BER has it.
const SYS_DESCR: &[u8] = &[0x06, 0x08, 0x2b, 0x06, 0x01, 0x02, 0x01, 0x01, 0x01, 0x00];

/// The system's description; of version 3, the engine's id (RFC 3411 section 5).
pub(super) fn snmp(octets: &[u8]) -> Option<Identity> {
    let (_, message, _) = element(octets)?;
    let (_, version, rest) = element(message)?;
    match version {
        [3] => {
            let (_, _, rest) = element(rest)?; // header
            let (_, parameters, _) = element(rest)?;
            let (_, parameters, _) = element(parameters)?;
            let (_, id, _) = element(parameters)?;
            let digits = id.iter().take(32).fold(String::new(), |mut digits, octet| {
                let _ = write!(digits, "{octet:02x}");
                digits
            });
            let mut detail = format!("SNMPv3, engine {digits}");
            if let Some(maker) = double(id, 0) {
                let _ = write!(detail, ", enterprise {}", maker & 0x7fff_ffff);
            }
            Some(Identity::detail(detail))
        }
        [version] => {
            let name = if *version == 0 { "SNMPv1" } else { "SNMPv2c" };
            let at = find(rest, SYS_DESCR).and_then(|at| rest.get(at + SYS_DESCR.len()..));
            let described = at.and_then(element).filter(|(tag, ..)| *tag == 0x04);
            let description = described.and_then(|(_, value, _)| text(value));
            let is_told = description.map_or_else(|| name.to_owned(), |text| format!("{name}: {text}"));
            Some(Identity::detail(is_told))
        }
        _ => None,
    }
}

/// Whether it is a response (RFC 1157 section 4.1.3) in a version that knows no more than the community, which ours
/// is the customary one.
pub(super) fn took_community(octets: &[u8]) -> bool {
    let pdu = || {
        let (_, message, _) = element(octets)?;
        let (_, version, rest) = element(message)?;
        let (_, _, rest) = element(rest)?;
        Some((octet(version, 0)? <= 1, octet(rest, 0)? == 0xa2))
    };
    pdu() == Some((true, true))
}

/// Whether a console may come without proving itself, or without a name and a password (IPMI 2.0 section 22.13).
pub(super) fn takes_anybody(octets: &[u8]) -> bool {
    let [told, kinds, status] = [20, 22, 23].map(|at| octet(octets, at));
    let is_told = octet(octets, 3).is_some_and(|class| class & 0x1f == 7) && told == Some(0);
    is_told && (kinds.is_some_and(|kinds| kinds & 1 != 0) || status.is_some_and(|status| status & 1 != 0))
}

/// Tag, content and what follows of an element (ITU-T X.690 section 8.1), as far as it was kept.
fn element(octets: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, first) = (octet(octets, 0)?, octet(octets, 1)?);
    let more = if first < 0x80 { 0 } else { usize::from(first & 0x7f) };
    if more > 4 {
        return None;
    }
    let length = match more {
        0 => usize::from(first),
        _ => slice(octets, 2, more)?.iter().fold(0, |length, octet| length << 8 | usize::from(*octet)),
    };
    let content = octets.get(2 + more..)?;
    let (content, rest) = content.split_at(length.min(content.len()));
    Some((tag, content, rest))
}

/// What a console may prove itself with (IPMI 2.0 section 22.13); of a pong, whether IPMI is there.
pub(super) fn ipmi(octets: &[u8]) -> Option<Identity> {
    if octet(octets, 3)? & 0x1f == 6 {
        let is_ipmi = octet(octets, 20)? & 0x80 != 0;
        return Some(Identity::detail(if is_ipmi { "ASF, with IPMI" } else { "ASF, without IPMI" }));
    }
    if octet(octets, 20)? != 0 {
        return Some(Identity::detail("IPMI, refuses to tell"));
    }
    let (kinds, status, extended) = (octet(octets, 22)?, octet(octets, 23)?, octet(octets, 24)?);
    let version = if kinds & 0x80 != 0 && extended & 2 != 0 { "2.0" } else { "1.5" };
    let names = [(0x01, "none"), (0x02, "MD2"), (0x04, "MD5"), (0x10, "password"), (0x20, "OEM")];
    let offered: Vec<&str> =
        names.into_iter().filter(|(bit, _)| kinds & bit != 0).map(|(_, name)| name).collect();
    let mut detail = format!("authentication: {}", offered.join(", "));
    if status & 1 != 0 {
        detail.push_str("; anonymous login");
    }
    if status & 2 != 0 {
        detail.push_str("; users without a name");
    }
    let product = Some("IPMI".to_owned());
    Some(Identity { product, version: Some(version.to_owned()), detail: None }.and(Some(detail)))
}

/// How it decided (RFC 2865 section 4).
pub(super) fn radius(octets: &[u8]) -> Option<Identity> {
    let code = octet(octets, 0)?;
    let decision = match code {
        2 => "accepted",
        3 => "rejected",
        5 => "accounting confirmed",
        11 => "challenged",
        _ => return None,
    };
    Some(Identity::detail(decision))
}

/// How a call went (RFC 5531 section 9).
pub(super) fn rpc(octets: &[u8]) -> Option<Identity> {
    if double(octets, 4)? != 1 {
        return None;
    }
    if double(octets, 8)? == 1 {
        return Some(Identity::detail("call denied"));
    }
    let at = 20_usize.checked_add(usize::try_from(double(octets, 16)?).ok()?.next_multiple_of(4).min(400))?;
    Some(Identity::detail(match double(octets, at)? {
        0 => "program is there".to_owned(),
        1 => "program is not there".to_owned(),
        2 => format!("versions {} to {}", double(octets, at + 4)?, double(octets, at + 8)?),
        3 => "no such procedure".to_owned(),
        _ => "call not understood".to_owned(),
    }))
}

/// The first instance (MC-SQLR section 2.2.5).
pub(super) fn sql_browser(octets: &[u8]) -> Option<Identity> {
    let octets = octets.strip_prefix(&[5])?;
    let said = |key: &str| text(between(octets, key, ";")?);
    let server = said("ServerName;");
    let instance = said("InstanceName;");
    let detail = [server, instance].into_iter().flatten().collect::<Vec<_>>().join("\\");
    let product = Some("Microsoft SQL Server".to_owned());
    Some(Identity { product, version: said("Version;"), detail: None }.and(Some(detail)))
}

/// Host and status (XDMCP 1.1 section 4).
pub(super) fn xdmcp(octets: &[u8]) -> Option<Identity> {
    let opcode = word(octets, 2)?;
    let mut at = 6;
    let mut next = || {
        let length = usize::from(word(octets, at)?);
        let value = slice(octets, at + 2, length)?;
        at += 2 + length;
        Some(value)
    };
    if opcode == 5 {
        next()?; // authentication
    }
    let (host, status) = (text(next()?).unwrap_or_default(), next().and_then(text).unwrap_or_default());
    let is_willing = if opcode == 5 { "willing" } else { "unwilling" };
    Some(Identity::detail(format!("{is_willing}, host {host}, {status}")))
}

/// The realm, and the error (RFC 4120 section 5.9.1).
pub(super) fn kerberos(octets: &[u8]) -> Option<Identity> {
    let (_, sequence, _) = element(octets)?;
    let (_, mut fields, _) = element(sequence)?;
    let (mut code, mut realm) = (None, None);
    while let Some((tag, value, rest)) = element(fields) {
        let inner = element(value).map(|(_, value, _)| value);
        match tag {
            0xa6 => code = inner.and_then(|value| value.last().copied()),
            0xa9 => realm = inner.and_then(text),
            _ => {}
        }
        fields = rest;
    }
    Some(Identity::detail(format!("realm {}, error {}", realm?, code?)))
}
