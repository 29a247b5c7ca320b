//! Cameras, calls and the way around routers: RTSP, SIP, STUN. Asks what they can; rings nobody.

use super::web::plain;
use crate::identify::{
    datagram,
    octets::{find, octet, slice, word},
    stream::{LINE, Less, Question, Shown, after, is, line, need, only, told},
};

pub(super) const RTSP: Question = Question {
    service: "rtsp",
    ports: &[554, 8554],
    say: |_| b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: portproof\r\n\r\n".to_vec(),
    read: |octets| told(headed("rtsp", b"RTSP/", octets)),
    source: "RFC 2326 section 10.1",
};

pub(super) const SIP: Question = Question {
    service: "sip",
    ports: &[5060, 5061],
    say: |whom| {
        let host = plain(whom);
        format!(
            "OPTIONS sip:{host} SIP/2.0\r\nVia: SIP/2.0/TCP portproof.invalid;branch=z9hG4bKportproof\r\n\
             From: <sip:portproof@portproof.invalid>;tag=portproof\r\nTo: <sip:{host}>\r\n\
             Call-ID: portproof@portproof.invalid\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 0\r\nContent-Length: 0\r\n\r\n"
        )
        .into_bytes()
    },
    read: |octets| told(headed("sip", b"SIP/2.0 ", octets)),
    source: "RFC 3261 section 11.1; it is not passed on",
};

/// A status line and headers.
fn headed(service: &'static str, begin: &[u8], octets: &[u8]) -> Result<Shown, Less> {
    after(octets, begin)?;
    let (said, _) = line(octets)?;
    let looked = octets.get(..4 * LINE).unwrap_or(octets);
    let has_end = find(looked, b"\r\n\r\n").or_else(|| find(looked, b"\n\n")).is_some();
    need((has_end || octets.len() > looked.len()).then_some(()))?;
    let shown = Shown::service(service).saying(said);
    Ok(datagram("sip", looked).map_or_else(|| shown.clone(), |identity| shown.clone().by(identity)))
}

/// A binding, without any attribute.
pub(super) const STUN: Question = Question {
    service: "stun",
    ports: &[3478, 3479, 5349],
    say: |_| b"\0\x01\0\0\x21\x12\xa4\x42portproof123".to_vec(),
    read: |octets| told(stun(octets)),
    source: "RFC 8489 sections 5 and 6.2.2",
};

/// A success or an error, with our id.
fn stun(octets: &[u8]) -> Result<Shown, Less> {
    is(octets, 0, &[1])?;
    only(matches!(need(octet(octets, 1))?, 1 | 0x11))?;
    is(octets, 4, b"\x21\x12\xa4\x42portproof123")?;
    let length = need(word(octets, 2))?;
    only(length <= 2048 && length.is_multiple_of(4))?;
    let message = need(slice(octets, 0, usize::from(length) + 20))?;
    let shown = Shown::service("stun");
    Ok(datagram("stun", message).map_or_else(|| shown.clone(), |identity| shown.clone().by(identity)))
}
