//! Routers, chats, caches and small servers of old that speak first. Answers none of them.

use crate::identify::{
    octets::{between, double, find, slice, word},
    stream::{Guard, LINE, Less, Shown, is, line, need, only, product},
    text,
};

/// OPEN, or the notification of who is no neighbour of ours (RFC 4271 sections 4.1, 4.2 and 4.5).
pub(super) fn bgp(octets: &[u8]) -> Result<Shown, Less> {
    is(octets, 0, &[0xff; 16])?;
    let length = need(word(octets, 16))?;
    only((19..=4096).contains(&length))?;
    let message = need(slice(octets, 18, usize::from(length) - 18))?;
    let shown = Shown::service("bgp");
    match message {
        [1, version, ..] => {
            let (number, id) = (need(word(message, 2))?, need(double(message, 6))?);
            let id = std::net::Ipv4Addr::from(id);
            Ok(shown.detail(Some(format!("BGP version {version}, AS {number}, identifier {id}"))))
        }
        [3, code, sub, ..] => Ok(shown.detail(Some(format!("notification {code}, {sub}")))),
        _ => Err(Less::Foreign),
    }
}

/// Notices before anybody has a name: `:server NOTICE * :*** Looking up your hostname` (RFC 2812 section
/// 3.3.2), or an error that ends it all (section 3.7.4).
pub(super) fn irc(octets: &[u8]) -> Result<Shown, Less> {
    only(octets.first().is_none_or(|first| b":NE".contains(first)))?;
    let (said, _) = line(octets)?;
    let (server, command) = match said.strip_prefix(b":") {
        Some(rest) => {
            let at = rest.iter().position(|octet| *octet == b' ').ok_or(Less::Foreign)?;
            (rest.get(..at).and_then(text), rest.get(at + 1..).unwrap_or_default())
        }
        None => (None, said),
    };
    let notices =
        [&b"NOTICE * :"[..], b"NOTICE AUTH :", b"NOTICE Auth :", b"ERROR :Closing Link", b"020 * :"];
    only(notices.iter().any(|notice| command.starts_with(notice)))?;
    Ok(Shown::service("irc").saying(said).detail(server))
}

/// Status and length in thirteen octets, a challenge or a banner behind them (Varnish, varnish-cli(7)).
pub(super) fn varnish(octets: &[u8]) -> Result<Shown, Less> {
    let status = octets.get(..3).unwrap_or(octets);
    only([b"107", b"200"].iter().any(|known| known.starts_with(status)))?;
    is(octets, 3, b" ")?;
    let head = octets.get(4..12).or_else(|| octets.get(4..)).unwrap_or_default();
    only(head.iter().all(|octet| octet.is_ascii_digit() || *octet == b' '))?;
    is(octets, 12, b"\n")?;
    let length: usize = text(head).and_then(|length| length.parse().ok()).ok_or(Less::Foreign)?;
    only(length <= LINE)?;
    let body = need(slice(octets, 13, length))?;
    let shown = Shown::service("varnish-admin");
    if status == b"107" {
        only(find(body, b"Authentication required").is_some())?;
        return Ok(shown.by(product("Varnish", None)));
    }
    only(find(body, b"Varnish").is_some())?;
    let version = between(body, "varnish-", " ").and_then(text);
    Ok(shown.by(product("Varnish", version)).guarded(Guard::Open("asks for no secret")))
}

const DAYS: &[&[u8]] = &[b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"];

/// A date and nothing else, as inetd writes it: `Sat Nov 28 01:29:50 2026` (RFC 867 leaves the form open).
pub(super) fn daytime(octets: &[u8]) -> Result<Shown, Less> {
    let day = octets.get(..3).unwrap_or(octets);
    only(DAYS.iter().any(|known| known.starts_with(day)))?;
    let (said, rest) = line(octets)?;
    let shape = |octet: &u8| match octet {
        b'0'..=b'9' => b'0',
        b'a'..=b'z' => b'a',
        b'A'..=b'Z' => b'A',
        other => *other,
    };
    let shape: Vec<u8> = said.iter().map(shape).collect();
    let shapes = [&b"Aaa Aaa 00 00:00:00 0000"[..], b"Aaa Aaa  0 00:00:00 0000"];
    only(rest.is_empty() && shapes.contains(&&shape[..]))?;
    Ok(Shown::service("daytime").saying(said))
}

/// Characters that can be printed, each followed by the next (RFC 864).
pub(super) fn chargen(octets: &[u8]) -> Result<Shown, Less> {
    let row = octets.get(..32).unwrap_or(octets);
    let follows = |pair: &[u8]| matches!(pair, [a, b] if (*a < 0x7e && *b == a + 1) || (*a >= 0x7e && matches!(b, 0x20 | 0x21)));
    only(row.iter().all(|octet| (0x20..0x7f).contains(octet)) && row.windows(2).all(follows))?;
    need((row.len() == 32).then(|| Shown::service("chargen")))
}
