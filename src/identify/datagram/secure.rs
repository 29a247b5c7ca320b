//! IKE, OpenVPN, QUIC, DTLS, STUN: versions and kinds. Opens nothing that is encrypted.

use std::fmt::Write as _;

use super::{Identity, text};
use crate::identify::octets::{double, octet, slice, word};

/// Version, exchange and vendor ids (RFC 7296 section 3.1, RFC 2408 section 3.1).
pub(super) fn ike(octets: &[u8]) -> Option<Identity> {
    let version = octet(octets, 17)?;
    let (vendor_id, notify) = if version >> 4 == 1 { (13, 11) } else { (43, 41) };
    let (mut next, mut at, mut vendors, mut refused) = (octet(octets, 16)?, 28_usize, 0, None);
    for _ in 0..64 {
        let Some(length) = word(octets, at.saturating_add(2)).filter(|length| *length >= 4) else { break };
        if next == vendor_id {
            vendors += 1;
        }
        if next == notify {
            refused = word(octets, at + if version >> 4 == 1 { 10 } else { 6 });
        }
        next = octet(octets, at)?;
        at += usize::from(length);
    }
    let mut detail = format!("{vendors} vendor ids");
    if let Some(kind) = refused {
        let _ = write!(detail, ", notification {kind}");
    }
    let version = Some(format!("{}.{}", version >> 4, version & 0xf));
    Some(Identity { product: Some("IKE".to_owned()), version, detail: None }.and(Some(detail)))
}

/// The same behind four zeros (RFC 3948 section 2.2).
pub(super) fn marked_ike(octets: &[u8]) -> Option<Identity> {
    ike(octets.get(4..)?)
}

/// Kind of packet (draft-openvpn-wire-protocol).
pub(super) fn openvpn(octets: &[u8]) -> Option<Identity> {
    (octet(octets, 0)? >> 3 == 8).then(|| Identity::detail("takes a handshake of anybody, without tls-auth"))
}

/// Versions that a negotiation offers (RFC 8999 section 6).
pub(super) fn quic(octets: &[u8]) -> Option<Identity> {
    if double(octets, 1)? != 0 {
        return None;
    }
    let ours = usize::from(octet(octets, 5)?);
    let theirs = usize::from(octet(octets, 6 + ours)?);
    let list = octets.get(7 + ours + theirs..)?;
    let versions =
        (0..8).map_while(|i| double(list, i * 4)).filter(|version| version & 0x0f0f_0f0f != 0x0a0a_0a0a);
    let names: Vec<String> = versions
        .map(|version| match version {
            1 => "1".to_owned(),
            0x6b33_43cf => "2".to_owned(),
            0xff00_0000..=0xff00_00ff => format!("draft {}", version & 0xff),
            other => text(&other.to_be_bytes())
                .filter(|name| name.chars().all(|c| c.is_ascii_alphanumeric()) && name.len() == 4)
                .unwrap_or_else(|| format!("{other:#010x}")),
        })
        .collect();
    Some(Identity::detail(format!("QUIC versions {}", names.join(", ")))).filter(|_| !names.is_empty())
}

/// What came, and in which version (RFC 6347 section 4.2.1).
pub(super) fn dtls(octets: &[u8]) -> Option<Identity> {
    let name = |version: u16| match version {
        0xfeff => "DTLS 1.0",
        0xfefd => "DTLS 1.2",
        0xfefc => "DTLS 1.3",
        _ => "DTLS",
    };
    let record = word(octets, 1)?;
    Some(Identity::detail(match (octet(octets, 0)?, octet(octets, 13)?) {
        (22, 2) => format!("{}, begins a handshake at once", name(word(octets, 25)?)),
        (22, 3) => format!("{}, verifies addresses first", name(record)),
        (21, _) => format!("{}, alert {}", name(record), octet(octets, 14)?),
        _ => return None,
    }))
}

/// SOFTWARE (RFC 8489 section 14.14).
pub(super) fn stun(octets: &[u8]) -> Option<Identity> {
    let kind = word(octets, 0)?;
    let mut at = 20;
    for _ in 0..32 {
        let Some(length) = word(octets, at + 2) else { break };
        if word(octets, at) == Some(0x8022) {
            return Some(Identity::named(&text(slice(octets, at + 4, length.into())?)?));
        }
        at += 4 + usize::from(length).next_multiple_of(4);
    }
    Some(Identity::detail(if kind == 0x0101 { "binding answered" } else { "binding refused" }))
}
