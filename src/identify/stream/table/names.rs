//! Names, and the way to others: DNS, Erlang's port mapper, ident, SOCKS. Has nobody ask further.

use crate::identify::{
    datagram,
    octets::{find, octet, slice, word},
    stream::{Guard, Less, Question, Reading, Shown, after, is, line, need, only, told},
    text,
};

/// `version.bind TXT CH`: about the server itself.
pub(super) const DOMAIN: Question = Question {
    service: "domain",
    ports: &[53, 853],
    say: |_| b"\0\x1epp\x01\0\0\x01\0\0\0\0\0\0\x07version\x04bind\0\0\x10\0\x03".to_vec(),
    read: |octets| told(domain(octets)),
    source: "RFC 1035 section 4.2.2, RFC 4892 section 2",
};

/// A response with our id, behind its length.
fn domain(octets: &[u8]) -> Result<Shown, Less> {
    is(octets, 2, b"pp")?;
    let length = need(word(octets, 0))?;
    only((12..=4096).contains(&length))?;
    only(need(octet(octets, 4))? & 0xf8 == 0x80)?;
    let message = need(slice(octets, 2, length.into()))?;
    let shown = Shown::service("domain");
    Ok(datagram("domain", message).map_or_else(|| shown.clone(), |identity| shown.clone().by(identity)))
}

/// No authentication is all that is offered, and no connection is asked for.
pub(super) const SOCKS: Question = Question {
    service: "socks",
    ports: &[1080, 9050],
    say: |_| vec![5, 1, 0],
    read: |octets| told(socks(octets)),
    source: "RFC 1928 section 3",
};

/// The method that it chose, and nothing behind it.
fn socks(octets: &[u8]) -> Result<Shown, Less> {
    is(octets, 0, &[5])?;
    only(octets.len() <= 2)?;
    let shown = Shown::service("socks");
    match need(octet(octets, 1))? {
        0 => Ok(shown.guarded(Guard::Open("asks for no credentials"))),
        0xff => Ok(shown.detail(Some("wants credentials".to_owned()))),
        _ => Err(Less::Foreign),
    }
}

pub(super) const EPMD: Question = Question {
    service: "epmd",
    ports: &[4369],
    say: |_| vec![0, 1, b'n'],
    read: |octets| told(epmd(octets)),
    source: "Erlang distribution protocol, EPMD: NAMES_REQ",
};

/// Its own port, and lines: `name rabbit at port 25672`.
fn epmd(octets: &[u8]) -> Result<Shown, Less> {
    is(octets, 0, &[0, 0])?;
    only(need(word(octets, 2))? > 0)?;
    let names = after(octets.get(4..).unwrap_or_default(), b"name ")?;
    let (said, _) = line(names)?;
    let end = find(said, b" at port ").ok_or(Less::Foreign)?;
    let first = said.get(..end).and_then(text).map(|name| format!("node {name}"));
    Ok(Shown::service("epmd").detail(first))
}

/// Its own port and no line at all: it has no nodes.
pub(super) fn no_nodes(octets: &[u8]) -> Reading {
    if octets == [0, 0, 0x11, 0x11] {
        let shown = Shown::service("epmd").detail(Some("no nodes".to_owned()));
        return shown.into();
    }
    Reading::Foreign
}

/// A pair of ports that no connection has.
pub(super) const IDENT: Question = Question {
    service: "ident",
    ports: &[113],
    say: |_| b"0,0\r\n".to_vec(),
    read: |octets| told(ident(octets)),
    source: "RFC 1413 section 4",
};

/// `0 , 0 : ERROR : INVALID-PORT`, with blanks or without (RFC 1413 section 6).
fn ident(octets: &[u8]) -> Result<Shown, Less> {
    is(octets, 0, b"0")?;
    only(octets.iter().take(4).all(|octet| b"0 ,:".contains(octet)))?;
    let (said, _) = line(octets)?;
    let said: Vec<u8> = said.iter().copied().filter(|octet| *octet != b' ').collect();
    only(said.starts_with(b"0,0:ERROR:") || said.starts_with(b"0,0:USERID:"))?;
    Ok(Shown::service("ident"))
}
