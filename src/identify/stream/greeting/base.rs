//! Databases, repositories and brokers that speak first. Reads their hello and logs in to none.

use crate::identify::{
    Identity,
    octets::{double, find, json, little_double, little_word, octet, slice, until_zero, word},
    stream::{Guard, LINE, Less, Shown, after, is, need, only, product},
    text,
};

/// `CLIENT_SSL` among the capabilities.
const SSL: u16 = 0x0800;

/// The packet of a handshake, or of an error in place of it (`MySQL` source documentation, `HandshakeV10` and
/// `ERR_Packet`).
pub(super) fn mysql(octets: &[u8]) -> Result<Shown, Less> {
    let length = need(little_double(octets, 0))?;
    // The highest octet is the sequence number, zero.
    only((8..=1024).contains(&length))?;
    let kind = need(octet(octets, 4))?;
    only(matches!(kind, 10 | 0xff))?;
    let length = usize::try_from(length).map_err(|_| Less::Foreign)?;
    if kind == 0xff {
        let packet = need(slice(octets, 4, length))?;
        return turned_away(packet).ok_or(Less::Foreign);
    }
    // Foreign octets show themselves before all are there.
    let begun = octets.get(5..).unwrap_or_default();
    only(until_zero(begun).len() < 100 && until_zero(begun).iter().all(u8::is_ascii_graphic))?;
    let packet = need(slice(octets, 4, length))?;
    greeted(packet).ok_or(Less::Foreign)
}

fn greeted(packet: &[u8]) -> Option<Shown> {
    let version = until_zero(packet.get(1..)?);
    // Thread, eight octets of salt, a zero, then capabilities.
    let at = 1 + version.len() + 1 + 4 + 8 + 1;
    let capabilities = little_word(packet, at)?;
    let version = text(version)?;
    let guard = if capabilities & SSL == 0 { Guard::Cleartext("offers no TLS") } else { Guard::Upgradable };
    Some(Shown::service("mysql").by(server(&version)).guarded(guard))
}

/// `5.5.5-10.11.6-MariaDB-0+deb12u1`: the first number is for old replicas.
fn server(version: &str) -> Identity {
    let name = if version.contains("MariaDB") { "MariaDB" } else { "MySQL" };
    let number = version.strip_prefix("5.5.5-").filter(|_| name == "MariaDB").unwrap_or(version);
    let (number, rest) = number.split_once('-').unwrap_or((number, ""));
    let rest = rest.strip_prefix("MariaDB").unwrap_or(rest).trim_start_matches('-');
    let detail = Some(rest.to_owned()).filter(|rest| !rest.is_empty());
    product(name, Some(number.to_owned())).and(detail)
}

/// Error number and words: `Host '192.0.2.1' is not allowed to connect`.
fn turned_away(packet: &[u8]) -> Option<Shown> {
    let number = little_word(packet, 1).filter(|number| (1000..=4000).contains(number))?;
    let words = packet.get(3..)?;
    // A state comes before the words once both sides know of it.
    let words = if words.starts_with(b"#") { words.get(6..)? } else { words };
    let said = text(words).filter(|_| words.iter().all(|octet| (0x20..0x7f).contains(octet)))?;
    let name = if said.contains("MariaDB") { "MariaDB" } else { "MySQL" };
    let shown = Shown::service("mysql").saying(words);
    Some(shown.by(product(name, None)).detail(Some(format!("error {number}: {said}"))))
}

/// A notice, which says that the server is there (`MySQL` X Protocol, Mysqlx.Notice: type 11, frame type 5).
pub(super) fn mysqlx(octets: &[u8]) -> Result<Shown, Less> {
    is(octets, 0, &[5, 0, 0, 0, 11, 8, 5])?;
    need(slice(octets, 0, 9))?;
    Ok(Shown::service("mysqlx").by(product("MySQL", None)))
}

/// `INFO` and a JSON (NATS client protocol, INFO).
pub(super) fn nats(octets: &[u8]) -> Result<Shown, Less> {
    let rest = after(octets, b"INFO ")?;
    after(rest, b"{")?;
    // It carries lists of servers and can be long.
    let end = need(find(rest, b"\n"))?;
    let info = rest.get(..end).unwrap_or_default();
    only(find(info, b"\"server_id\"").is_some())?;
    let is_true = |key: &str| json(info, key).as_deref() == Some("true");
    let (secret, tls) = (is_true("auth_required"), is_true("tls_required") || is_true("tls_available"));
    let guard = match (secret || is_true("tls_verify"), tls) {
        (false, _) => Guard::Open("asks for no credentials"),
        (true, true) => Guard::Upgradable,
        (true, false) => Guard::Cleartext("offers no TLS"),
    };
    let needs = is_true("tls_required").then(|| "requires TLS".to_owned());
    Ok(Shown::service("nats").by(product("NATS", json(info, "version")).and(needs)).guarded(guard))
}

/// A list in parentheses: versions, mechanisms, capabilities (Subversion, `ra_svn` protocol section 2).
pub(super) fn svn(octets: &[u8]) -> Result<Shown, Less> {
    after(octets, b"( success ( ")?;
    let mut depth = 0_usize;
    for octet in octets.iter().take(LINE) {
        match octet {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            _ => only((0x20..0x7f).contains(octet) || *octet == b'\n')?,
        }
        if depth == 0 {
            return Ok(Shown::service("svn").saying(octets));
        }
    }
    Err(if octets.len() < LINE { Less::Unfinished } else { Less::Foreign })
}

/// `WireFormatInfo` (Apache `ActiveMQ`, `OpenWire` version 2 specification): length, type 1, the magic, a
/// version.
pub(super) fn openwire(octets: &[u8]) -> Result<Shown, Less> {
    is(octets, 0, &[0, 0])?;
    is(octets, 4, b"\x01ActiveMQ\0\0\0")?;
    let version = need(octet(octets, 16))?;
    let length = usize::try_from(need(double(octets, 0))?).map_err(|_| Less::Foreign)?;
    let properties = octets.get(..length.min(LINE)).unwrap_or(octets);
    // A map's key, then a string's type and its length.
    let value = |key: &[u8]| {
        let rest = properties.get(find(properties, key)? + key.len()..)?;
        text(slice(rest, 3, word(rest, 1)?.into())?).filter(|_| octet(rest, 0) == Some(9))
    };
    let detail = Some(format!("OpenWire {version}"));
    let name = value(b"ProviderName").unwrap_or_else(|| "ActiveMQ".to_owned());
    Ok(Shown::service("activemq").by(product(&name, value(b"ProviderVersion")).and(detail)))
}
