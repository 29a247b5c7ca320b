//! SSH: the identification line, and the algorithms behind it. Agrees on no key and names no user.

use crate::identify::{
    Identity,
    octets::{double, find, slice},
    stream::{Follow, Less, Reading, Shown, after, is, line, need, only},
    text,
};

/// Octets of a packet before keys are agreed on, at most (RFC 4253 section 6.1).
const PACKET: u32 = 35_000;

/// `SSH-2.0-software comments`; lines of other text may come before it (RFC 4253 section 4.2).
pub(super) fn ssh(octets: &[u8]) -> Result<Reading, Less> {
    let mut rest = octets;
    for _ in 0..20 {
        let (said, behind) = match after(rest, b"SSH-") {
            Ok(_) => line(rest)?,
            Err(Less::Unfinished) => return Err(Less::Unfinished),
            Err(Less::Foreign) => {
                // Other text comes before only if the line itself follows in what is there.
                only(find(rest, b"\nSSH-").is_some())?;
                rest = line(rest)?.1;
                continue;
            }
        };
        return identified(said, behind);
    }
    Err(Less::Foreign)
}

fn identified(said: &[u8], behind: &[u8]) -> Result<Reading, Less> {
    let mut parts = said.splitn(3, |octet| *octet == b'-').skip(1);
    let (version, software) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    only(version.iter().all(|octet| octet.is_ascii_digit() || *octet == b'.'))?;
    let identity = Identity::named(&text(software).unwrap_or_default());
    let shown = Shown::service("ssh").saying(said).by(identity);
    let shown = match version {
        b"2.0" => shown,
        b"1.99" => shown.detail(Some("speaks SSH-1 as well".to_owned())),
        _ if version.starts_with(b"1.") => {
            return Ok(Reading::Shown(shown.detail(Some("speaks SSH-1 only".to_owned()))));
        }
        _ => shown.detail(Some(format!("SSH {}", text(version).unwrap_or_default()))),
    };
    if behind.is_empty() {
        return Ok(Reading::Ask(shown, Follow { say: b"SSH-2.0-portproof\r\n", read: offered }));
    }
    Ok(offered(&shown, behind))
}

/// `SSH_MSG_KEXINIT` (RFC 4253 section 7.1).
fn offered(shown: &Shown, octets: &[u8]) -> Reading {
    match algorithms(octets) {
        Ok(detail) => {
            let before = shown.identity.clone().and_then(|identity| identity.detail);
            let all = before.into_iter().chain([detail]).collect::<Vec<_>>().join("; ");
            Reading::Shown(shown.clone().detail(Some(all)))
        }
        Err(Less::Unfinished) => Reading::Unfinished,
        // It said who it is, whatever came after.
        Err(Less::Foreign) => Reading::Shown(shown.clone()),
    }
}

fn algorithms(octets: &[u8]) -> Result<String, Less> {
    let length = need(double(octets, 0))?;
    only((2..=PACKET).contains(&length))?;
    is(octets, 5, &[20])?;
    let length = usize::try_from(length).map_err(|_| Less::Foreign)?;
    let payload = need(slice(octets, 4, length))?;
    let foreign = Less::Foreign;
    let (keys_at, exchange) = list(payload, 18).ok_or(foreign)?;
    let (_, keys) = list(payload, keys_at).ok_or(foreign)?;
    Ok(format!("host keys {keys}; key exchange {exchange}"))
}

/// A name-list, and where the next begins (RFC 4251 section 5).
fn list(octets: &[u8], at: usize) -> Option<(usize, String)> {
    let length = usize::try_from(double(octets, at)?).ok()?;
    let names = text(slice(octets, at + 4, length)?).unwrap_or_default();
    let names: Vec<&str> = names.split(',').filter(|name| !is_marker(name)).collect();
    Some((at + 4 + length, names.join(", ")))
}

/// What is in the list to signal something else (RFC 8308 section 2.1, `OpenSSH`'s strict key exchange).
fn is_marker(name: &str) -> bool {
    name.starts_with("ext-info-") || name.starts_with("kex-strict-")
}
