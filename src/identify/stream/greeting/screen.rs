//! Screens and terminals: VNC, Citrix, Telnet. Reads which locks are on the door and tries none.

use crate::identify::{
    octets::{between, double, find, octet, slice},
    stream::{Follow, Guard, LINE, Less, Reading, Shown, after, need, only, product},
    text,
};

/// `RFB 003.008` (RFC 6143 section 7.1.1).
pub(super) fn vnc(octets: &[u8]) -> Result<Reading, Less> {
    let rest = after(octets, b"RFB ")?;
    let version = rest.get(..8).unwrap_or(rest);
    let fits = |(at, octet): (usize, &u8)| match at {
        3 => *octet == b'.',
        7 => *octet == b'\n',
        _ => octet.is_ascii_digit(),
    };
    only(version.iter().enumerate().all(fits))?;
    let version = need(slice(rest, 0, 7))?;
    need(rest.get(7))?;
    let shown = Shown::service("vnc").saying(slice(octets, 0, 11).unwrap_or_default());
    let shown = shown.detail(text(version).map(|version| format!("RFB {version}")));
    let shown = match version {
        // Numbers that no standard gave out.
        b"003.889" => shown.by(product("Apple Remote Desktop", None)),
        b"004.000" | b"004.001" | b"005.000" => shown.by(product("RealVNC", None)),
        _ => shown,
    };
    // The answer is their version, or the highest that is written down.
    Ok(match version {
        b"003.003" => Reading::Ask(shown, Follow { say: b"RFB 003.003\n", read: decided }),
        b"003.007" => Reading::Ask(shown, Follow { say: b"RFB 003.007\n", read: types }),
        _ => Reading::Ask(shown, Follow { say: b"RFB 003.008\n", read: types }),
    })
}

/// How many security types there are, and which (RFC 6143 section 7.1.2).
fn types(shown: &Shown, octets: &[u8]) -> Reading {
    let Some(count) = octet(octets, 0) else { return Reading::Unfinished };
    if count == 0 {
        return reason(shown, octets.get(1..).unwrap_or_default());
    }
    let Some(types) = slice(octets, 1, count.into()) else { return Reading::Unfinished };
    secured(shown, types)
}

/// Version 3.3: the server decides by itself (RFC 6143 appendix A).
fn decided(shown: &Shown, octets: &[u8]) -> Reading {
    match double(octets, 0) {
        None => Reading::Unfinished,
        Some(0) => reason(shown, octets.get(4..).unwrap_or_default()),
        Some(kind) => match u8::try_from(kind) {
            Ok(kind) => secured(shown, &[kind]),
            Err(_) => Reading::Shown(shown.clone()),
        },
    }
}

/// Why it refuses: a length and words.
fn reason(shown: &Shown, octets: &[u8]) -> Reading {
    let Some(length) = double(octets, 0) else { return Reading::Unfinished };
    let length = usize::try_from(length).unwrap_or(LINE).min(LINE);
    match slice(octets, 4, length) {
        Some(words) => Reading::Shown(shown.clone().detail(text(words))),
        None => Reading::Unfinished,
    }
}

fn secured(shown: &Shown, types: &[u8]) -> Reading {
    let guard = if types.contains(&1) {
        Guard::Open("asks for no password")
    } else if types.iter().all(|kind| matches!(kind, 2 | 16)) {
        Guard::Cleartext("offers no encryption")
    } else {
        Guard::Untold
    };
    let names: Vec<String> = types.iter().take(16).map(|kind| security(*kind)).collect();
    let version = shown.identity.clone().and_then(|identity| identity.detail).unwrap_or_default();
    let detail = format!("{version}; {}", names.join(", "));
    Reading::Shown(shown.clone().detail(Some(detail)).guarded(guard))
}

/// IANA, Remote Framebuffer Security Types.
fn security(kind: u8) -> String {
    let name = match kind {
        1 => "no authentication",
        2 => "VNC password",
        5 | 6 | 13 | 129 | 130 | 133 => "RSA-AES",
        16 => "Tight",
        17 => "Ultra",
        18 => "TLS",
        19 => "VeNCrypt",
        20 => "SASL",
        22 => "xvp",
        30..=36 => "Apple",
        113 => "MS-Logon",
        _ => return format!("type {kind}"),
    };
    name.to_owned()
}

/// Citrix ICA says its name again and again: `\x7f\x7fICA\0` (Citrix, ICA protocol: TCP framing hello).
pub(super) fn ica(octets: &[u8]) -> Result<Shown, Less> {
    after(octets, b"\x7f\x7fICA\0")?;
    Ok(Shown::service("citrix-ica"))
}

/// Negotiation (RFC 854 section "command structure"): WILL, WON'T, DO, DON'T, SB.
const NEGOTIATES: std::ops::RangeInclusive<u8> = 0xfa..=0xfe;
const IAC: u8 = 0xff;

/// Prompts of terminals, at the very end.
const PROMPTS: &[&str] = &["login:", "username:", "user name:", "password:", "login name:"];
/// What only terminals say.
const TERMINALS: &[&str] = &["user access verification", "hello, this is frrouting", "hello, this is quagga"];

/// Octets of negotiation, or a prompt.
pub(super) fn telnet(octets: &[u8]) -> Result<Shown, Less> {
    only(octets.len() < 4 * LINE)?;
    let mut words = Vec::new();
    let (mut at, mut negotiates) = (0, false);
    while let Some(next) = octet(octets, at) {
        if next != IAC {
            only(matches!(next, 0 | 7..=13 | 0x1b | 0x20..))?;
            words.push(next);
            at += 1;
            continue;
        }
        // An option that is cut off is one nevertheless.
        let Some(command) = octet(octets, at + 1) else { break };
        only(NEGOTIATES.contains(&command))?;
        negotiates |= octets.len() > at + 2;
        at += 3;
        if command == 0xfa {
            at = find(octets.get(at..).unwrap_or_default(), &[IAC, 0xf0])
                .map_or(octets.len(), |end| at + end + 2);
        }
    }
    let said = String::from_utf8_lossy(&words).to_lowercase();
    let said = said.trim();
    let prompts = PROMPTS.iter().any(|prompt| said.ends_with(prompt));
    let terminal = TERMINALS.iter().any(|words| said.contains(words));
    need((negotiates || prompts || terminal).then_some(()))?;
    let shown = Shown::service("telnet").guarded(Guard::Cleartext("Telnet is never encrypted"));
    let first = words.split(|octet| *octet == b'\n').find(|line| text(line).is_some()).unwrap_or_default();
    let shown = shown.saying(first);
    Ok(match between(first, "Hello, this is ", ")").and_then(text) {
        Some(name) => {
            let (name, version) = name.split_once(" (version ").unwrap_or((&name, ""));
            shown.by(product(name, Some(version.to_owned())))
        }
        None => shown,
    })
}
