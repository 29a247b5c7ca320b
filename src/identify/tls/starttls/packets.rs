//! Services that speak in packets or in XML: directories, databases, remote desktops, chats.

use super::{Next, foreign, refused, without};
use crate::identify::tls::octets::Reader;

#[derive(Clone, Debug)]
pub(super) struct Packets {
    dialect: Dialect,
    said: u8,
    /// Whom a stream is for.
    pub(super) name: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    /// RFC 4511 section 4.14.
    Ldap,
    /// `PostgreSQL` documentation, "Message Flow", SSL session encryption.
    Postgres,
    /// `MySQL` documentation, "Connection Phase", protocol version 10.
    Mysql,
    /// RFC 6120 section 5.4: clients or servers.
    Xmpp(&'static str),
    /// [MS-RDPBCGR] sections 2.2.1.1 and 2.2.1.2.
    Desktop,
}

/// `ExtendedRequest` number 1 for 1.3.6.1.4.1.1466.20037.
const LDAP_START_TLS: &[u8] = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";
/// `SSLRequest`: its length, and the number that stands for it.
const POSTGRES_SSL: &[u8] = &[0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];
/// `X.224` connection request with what it may be secured by: TLS, with or without a login before the session.
/// TLS comes first in all three of them; asking for the first alone would be refused where the login is
/// required.
const DESKTOP_TLS: &[u8] = &[3, 0, 0, 19, 14, 0xe0, 0, 0, 0, 0, 0, 1, 0, 8, 0, 0x0b, 0, 0, 0];
/// `SSLRequest`: long passwords, protocol 4.1, TLS, secure connections, plugins; packets of 16 MiB, utf8mb4.
const MYSQL_SSL: [u8; 13] = [32, 0, 0, 1, 0x01, 0x8a, 0x08, 0, 0, 0, 0, 1, 45];
const MYSQL_HAS_SSL: u16 = 0x0800;

impl Packets {
    pub(super) fn of(service: &str) -> Option<Self> {
        let dialect = match service {
            "ldap" => Dialect::Ldap,
            "postgresql" | "postgresql-alt" => Dialect::Postgres,
            "mysql" => Dialect::Mysql,
            "xmpp-client" => Dialect::Xmpp("jabber:client"),
            "xmpp-server" => Dialect::Xmpp("jabber:server"),
            "ms-wbt-server" => Dialect::Desktop,
            _ => return None,
        };
        Some(Self { dialect, said: 0, name: "portproof.invalid".to_owned() })
    }

    pub(super) fn next(&mut self, heard: &[u8]) -> Next {
        match (self.dialect, self.said) {
            (Dialect::Ldap, 0) => self.say(LDAP_START_TLS.to_vec()),
            (Dialect::Ldap, _) => ldap(heard),
            (Dialect::Postgres, 0) => self.say(POSTGRES_SSL.to_vec()),
            (Dialect::Postgres, _) => postgres(heard),
            (Dialect::Mysql, 0) => self.mysql(heard),
            // It does not answer, but waits for TLS.
            (Dialect::Mysql, _) => Next::Ready,
            (Dialect::Xmpp(namespace), 0) => {
                let name = &self.name;
                let begin = format!(
                    "<?xml version='1.0'?><stream:stream xmlns='{namespace}' \
                     xmlns:stream='http://etherx.jabber.org/streams' to='{name}' version='1.0'>"
                );
                self.say(begin.into_bytes())
            }
            (Dialect::Xmpp(_), 1) => self.features(heard),
            (Dialect::Xmpp(_), _) => proceed(heard),
            (Dialect::Desktop, 0) => self.say(DESKTOP_TLS.to_vec()),
            (Dialect::Desktop, _) => desktop(heard),
        }
    }

    fn say(&mut self, words: Vec<u8>) -> Next {
        self.said += 1;
        Next::Say(words)
    }

    fn mysql(&mut self, heard: &[u8]) -> Next {
        let Some(length) = heard.first_chunk::<3>() else { return Next::More };
        let length = length.iter().rev().fold(0, |length, octet| length << 8 | usize::from(*octet));
        if length > 4096 {
            return foreign(heard);
        }
        let Some(packet) = heard.get(4..).and_then(|rest| rest.get(..length)) else { return Next::More };
        match packet.split_first() {
            // An error: a number, and since 4.1 a state behind a mark, before the words.
            Some((0xff, error)) => refused(error.get(2..).unwrap_or_default()),
            Some((10, rest)) => {
                // The version up to a zero, then thread, salt and a filler.
                let zero = rest.iter().position(|octet| *octet == 0);
                let flags = zero.and_then(|zero| rest.get(zero + 1 + 4 + 8 + 1..)?.first_chunk::<2>());
                match flags.map(|flags| u16::from_le_bytes(*flags) & MYSQL_HAS_SSL) {
                    None => foreign(packet),
                    Some(0) => without(),
                    Some(_) => self.say(MYSQL_SSL.into_iter().chain([0; 23]).collect()),
                }
            }
            _ => foreign(packet),
        }
    }

    fn features(&mut self, heard: &[u8]) -> Next {
        if heard.first().is_some_and(|octet| *octet != b'<' && !octet.is_ascii_whitespace()) {
            return foreign(heard);
        }
        if has(heard, b"<stream:error") || has(heard, b"</stream:stream>") {
            return refused(heard);
        }
        if has(heard, b"urn:ietf:params:xml:ns:xmpp-tls") {
            let is_whole = has(heard, b"</stream:features>");
            let ask = b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
            return if is_whole { self.say(ask.to_vec()) } else { Next::More };
        }
        if has(heard, b"</stream:features>") || has(heard, b"<stream:features/>") {
            without()
        } else {
            Next::More
        }
    }
}

/// RFC 6120 sections 5.4.2.2 and 5.4.2.3.
fn proceed(heard: &[u8]) -> Next {
    if has(heard, b"<proceed") {
        return if heard.contains(&b'>') { Next::Ready } else { Next::More };
    }
    let is_no = has(heard, b"<failure") || has(heard, b"<stream:error") || has(heard, b"</stream:stream>");
    if is_no { refused(heard) } else { Next::More }
}

/// `ExtendedResponse`: the first thing in it is the result, and 0 is success.
fn ldap(heard: &[u8]) -> Next {
    if heard.first().is_some_and(|tag| *tag != 0x30) {
        return foreign(heard);
    }
    let mut at = Reader(heard);
    let Some(mut message) = element(&mut at, 0x30).map(Reader) else {
        return if heard.len() > 4096 { foreign(heard) } else { Next::More };
    };
    let result = element(&mut message, 0x02)
        .and_then(|_| element(&mut message, 0x78))
        .and_then(|response| element(&mut Reader(response), 0x0a)?.first().copied());
    match result {
        Some(0) => Next::Ready,
        Some(result) => Next::Refused(format!("refuses with LDAP result {result}")),
        None => foreign(heard),
    }
}

/// One element with this tag; lengths of up to four octets, as Active Directory writes them (X.690 section
/// 8.1.3).
fn element<'a>(at: &mut Reader<'a>, tag: usize) -> Option<&'a [u8]> {
    if at.number(1)? != tag {
        return None;
    }
    match at.number(1)? {
        length @ 0..=0x7f => at.take(length),
        long @ 0x81..=0x84 => at.list(long - 0x80),
        _ => None,
    }
}

fn postgres(heard: &[u8]) -> Next {
    match heard.first() {
        None => Next::More,
        Some(b'S') => Next::Ready,
        Some(b'N') => without(),
        Some(b'E') => refused(heard.get(5..).unwrap_or_default()),
        Some(_) => foreign(heard),
    }
}

fn desktop(heard: &[u8]) -> Next {
    if heard.first().is_some_and(|version| *version != 3) {
        return foreign(heard);
    }
    let mut at = Reader(heard);
    let Some(length) = at.take(2).and_then(|_| at.number(2)) else { return Next::More };
    if !(11..=512).contains(&length) {
        return foreign(heard);
    }
    let Some(packet) = heard.get(..length) else { return Next::More };
    if packet.get(5) != Some(&0xd0) {
        return foreign(packet);
    }
    let kind = packet.get(11).copied();
    let chosen =
        packet.get(15..19).and_then(<[u8]>::first_chunk::<4>).map(|chosen| u32::from_le_bytes(*chosen));
    match (kind, chosen) {
        (Some(2), Some(1 | 2 | 8)) => Next::Ready,
        (Some(3), Some(code)) => Next::Refused(format!("refuses TLS with RDP failure {code}")),
        // Nothing was chosen: it knows only the security of old.
        _ => without(),
    }
}

fn has(heard: &[u8], what: &[u8]) -> bool {
    heard.windows(what.len().max(1)).any(|window| window == what)
}
