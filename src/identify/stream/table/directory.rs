//! Directories and presence: LDAP and XMPP. Asks what strangers are told, and binds to nothing.

use super::web::plain;
use crate::identify::{
    Identity,
    octets::{between, find, octet, slice},
    stream::{Guard, LINE, Less, Question, Reading, Shown, Whom, after, is, need, only, told},
    text,
};

pub(super) const LDAP: Question = Question {
    service: "ldap",
    ports: &[389, 636, 3268, 3269],
    say: |_| search(),
    read: |octets| told(ldap(octets)),
    source: "RFC 4511 section 4.5.1, RFC 4512 section 5.1: the root DSE, which needs no bind",
};

/// What is asked of the root.
const ATTRIBUTES: &[&str] = &["supportedLDAPVersion", "vendorName", "vendorVersion", "supportedExtension"];
/// `StartTLS` (RFC 4511 section 4.14.1).
const START_TLS: &[u8] = b"1.3.6.1.4.1.1466.20037";

/// A tag, a length and a value in BER; none is longer than 127 octets here.
fn ber(tag: u8, value: &[u8]) -> Vec<u8> {
    let length = u8::try_from(value.len()).unwrap_or(0x7f);
    [&[tag][..], if length < 128 { &[] } else { &[0x81] }, &[length], value].concat()
}

fn search() -> Vec<u8> {
    let attributes: Vec<u8> = ATTRIBUTES.iter().flat_map(|name| ber(4, name.as_bytes())).collect();
    // The root, base object, aliases never followed, no limits, values too, whatever has a class.
    let scope = [4, 0, 10, 1, 0, 10, 1, 0, 2, 1, 0, 2, 1, 0, 1, 1, 0];
    let filter = ber(0x87, b"objectClass");
    let request = ber(0x63, &[&scope[..], &filter, &ber(0x30, &attributes)].concat());
    ber(0x30, &[&[2, 1, 1][..], &request].concat())
}

/// The entry and the verdict; or the verdict alone (RFC 4511 sections 4.1.9 and 4.5.2).
fn ldap(octets: &[u8]) -> Result<Shown, Less> {
    let mut rest = octets;
    let mut entry: &[u8] = &[];
    // References and controls are few at the root.
    for _ in 0..8 {
        is(rest, 0, &[0x30])?;
        let (at, length) = need(length(rest, 1))?;
        only((5..=65_536).contains(&length))?;
        is(rest, at, &[2, 1])?;
        let (id, tag) = (need(octet(rest, at + 2))?, need(octet(rest, at + 3))?);
        only(matches!((id, tag), (1, 0x64 | 0x65 | 0x73) | (0, 0x78)))?;
        let message = need(slice(rest, at, length))?;
        match tag {
            0x64 => entry = message,
            0x65 | 0x78 => return Ok(rooted(entry, message)),
            _ => {}
        }
        rest = rest.get(at + length..).unwrap_or_default();
    }
    Err(Less::Foreign)
}

/// Where the contents begin, and how long they are (X.690 section 8.1.3).
fn length(octets: &[u8], at: usize) -> Option<(usize, usize)> {
    let first = octet(octets, at)?;
    let count = match first {
        0..=0x7f => return Some((at + 1, first.into())),
        0x81..=0x84 => usize::from(first & 0x7f),
        // None that LDAP has.
        _ => return Some((at + 1, 0)),
    };
    let value = slice(octets, at + 1, count)?;
    let length = value.iter().fold(0_usize, |length, octet| length << 8 | usize::from(*octet));
    Some((at + 1 + count, length))
}

fn rooted(entry: &[u8], verdict: &[u8]) -> Shown {
    let shown = Shown::service("ldap");
    let guard = if find(entry, START_TLS).is_some() {
        Guard::Upgradable
    } else if find(entry, b"supportedExtension").is_some() {
        Guard::Cleartext("offers no StartTLS")
    } else {
        Guard::Untold
    };
    // Name, a set, and the first value in it.
    let value = |name: &str| {
        let at = find(entry, name.as_bytes())? + name.len();
        let (set, _) = length(entry, at + 1).filter(|_| octet(entry, at) == Some(0x31))?;
        let (begin, size) = length(entry, set + 1).filter(|_| octet(entry, set) == Some(4))?;
        text(slice(entry, begin, size)?)
    };
    let (name, version) = (value("vendorName"), value("vendorVersion"));
    let code = find(verdict, &[10, 1]).and_then(|at| octet(verdict, at + 2)).filter(|code| *code != 0);
    let identity = Identity { product: name, version, detail: code.map(|code| format!("result {code}")) };
    shown.by(identity).guarded(guard)
}

pub(super) const XMPP_CLIENT: Question = Question {
    service: "xmpp-client",
    ports: &[5222, 5223],
    say: |whom| stream(whom, "jabber:client"),
    read: |octets| told(xmpp(octets)),
    source: "RFC 6120 section 4.2",
};

pub(super) const XMPP_SERVER: Question = Question {
    service: "xmpp-server",
    ports: &[5269],
    say: |whom| stream(whom, "jabber:server"),
    read: |octets| told(xmpp(octets)),
    source: "RFC 6120 section 4.2",
};

fn stream(whom: &Whom<'_>, names: &str) -> Vec<u8> {
    let host = plain(whom);
    format!(
        "<?xml version='1.0'?><stream:stream to='{host}' xmlns='{names}' \
         xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"
    )
    .into_bytes()
}

/// A stream with its features, or with an error (RFC 6120 sections 4.3.2, 4.9 and 5.3.1).
fn xmpp(octets: &[u8]) -> Result<Shown, Less> {
    let shown = opened(octets)?;
    let ends = [&b"</stream:features>"[..], b"<stream:features/>", b"</stream:error>", b"</stream:stream>"];
    need(ends.iter().any(|end| find(octets, end).is_some()).then_some(()))?;
    Ok(shown)
}

fn opened(octets: &[u8]) -> Result<Shown, Less> {
    let begins = [&b"<?xml "[..], b"<stream:stream"].map(|begin| after(octets, begin).err());
    if !begins.contains(&None) {
        let short = begins.contains(&Some(Less::Unfinished));
        return Err(if short { Less::Unfinished } else { Less::Foreign });
    }
    let octets = octets.get(..4 * LINE).unwrap_or(octets);
    let Some(at) = find(octets, b"<stream:stream") else {
        // Behind the declaration of other XML comes somebody else's tag.
        let tag = octets.iter().skip(1).position(|octet| *octet == b'<').and_then(|at| octets.get(at + 1..));
        only(tag.is_none_or(|tag| b"<stream:stream".starts_with(tag)) && octets.len() < LINE)?;
        return Err(Less::Unfinished);
    };
    let tag = octets.get(at..).unwrap_or_default();
    let tag = tag.get(..need(find(tag, b">"))?).unwrap_or_default();
    only(find(tag, b"http://etherx.jabber.org/streams").is_some())?;
    let is_server = find(tag, b"jabber:server").is_some();
    let guard = if find(octets, b"<starttls").is_some() {
        Guard::Upgradable
    } else if find(octets, b"<stream:features").is_some() {
        Guard::Cleartext("offers no STARTTLS")
    } else {
        Guard::Untold
    };
    let shown = Shown::service(if is_server { "xmpp-server" } else { "xmpp-client" }).guarded(guard);
    let error = between(octets, "<stream:error>", "/>").and_then(|error| {
        let name = error.strip_prefix(b"<")?;
        text(name.split(u8::is_ascii_whitespace).next()?)
    });
    Ok(shown.detail(error.map(|error| format!("error {error}"))))
}

/// A stream that begins and tells no features.
pub(super) fn no_features(octets: &[u8]) -> Reading {
    match opened(octets) {
        Ok(shown) => Reading::Shown(shown),
        Err(_) => Reading::Foreign,
    }
}
