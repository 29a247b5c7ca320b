//! UDP as no honest far side speaks it: genuine answers to what we ask, and genuine ICMP errors about it, of
//! which something was changed, cut off or put between; or any octets. Any bytes are one packet of it; the
//! fuzzer, the corpus and the simulated storey share this file. The laws hold regardless.

#[path = "../../src/probe/udp/tests/replies.rs"]
mod replies;

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::LazyLock,
};

use portproof::{
    identify,
    model::{Endpoint, Evidence, Protocol},
    probe::{
        PortBlock,
        udp::{
            Heard, KEPT, Payloads, Said, Udp, frame,
            payload::{Echo, Form, Payload},
            table::{GENERIC, TABLE},
        },
    },
    wire::{icmp, ip, udp},
};

/// Us and them, and somebody on the way.
const US: [IpAddr; 2] =
    [IpAddr::V4(Ipv4Addr::new(198, 51, 100, 4)), IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 9, 0, 0, 0, 0, 4))];
const THEM: [IpAddr; 2] =
    [IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1))];
const ROUTER: [IpAddr; 2] =
    [IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9)), IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0xf, 0, 0, 0, 0, 9))];
/// The ports that we ask from.
const OURS: PortBlock = PortBlock { first: 61_184, count: 64 };
/// A port without a payload of its own.
const PLAIN_PORT: u16 = 40_000;
/// ICMP errors of each family: the port's, a firewall's, and the weather's.
const ERRORS: [[(u8, u8); 5]; 2] =
    [[(3, 3), (3, 13), (3, 1), (11, 0), (3, 4)], [(1, 4), (1, 1), (1, 3), (3, 0), (4, 1)]];
/// Services of which nothing is asked, and whose replies are read all the same.
const UNASKED: [&str; 3] = ["llmnr", "radius-acct", "no-such-service"];

/// What came of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Came {
    /// Believed to be the answer to something that we sent.
    Said,
    /// It looks like one, and is not believed.
    Stray,
    /// Nothing to do with us.
    Foreign,
}

/// The mouth that all of this is said to.
pub fn mouth() -> Udp {
    Udp::new([7; 16], Payloads::new([]))
}

/// Feeds one packet as the bytes say. A first line that begins with `#` says why it is worth keeping.
pub fn run(bytes: &[u8]) -> Came {
    static MOUTH: LazyLock<Udp> = LazyLock::new(mouth);
    static ASKED: LazyLock<Vec<Asked>> = LazyLock::new(|| all(&MOUTH).collect());
    let end = bytes.iter().position(|octet| *octet == b'\n').filter(|_| bytes.first() == Some(&b'#'));
    let bytes = end.and_then(|end| bytes.get(end + 1..)).unwrap_or(bytes);
    let mouth = &*MOUTH;
    let mut rest = bytes.iter().copied();
    let mut next = || rest.next().unwrap_or(0);
    let how = next();
    let family = usize::from(how & 1);
    if how & 2 != 0 {
        let octets: Vec<u8> = rest.collect();
        identified(&octets);
        return heard(mouth, &octets);
    }
    let mut asked = ASKED[usize::from(next()) % ASKED.len()];
    asked.endpoint.address = THEM[family];
    asked.attempt = next() % OURS.count as u8;
    let (kind, put_between, cut) = (next(), next(), usize::from(u16::from_be_bytes([next(), next()])));
    let changes: Vec<(usize, u8)> =
        (0..next() % 16).map(|_| (usize::from(u16::from_be_bytes([next(), next()])), next())).collect();
    let mut octets = if how & 4 == 0 {
        let from = if kind & 1 == 0 { asked.endpoint.port } else { 50_000 };
        let mut reply = asked.answer(mouth, <[u8]>::to_vec);
        reply.extend(rest);
        asked.reply(from, &reply, put_between & 15)
    } else {
        let sender = if kind & 0x80 == 0 { THEM[family] } else { ROUTER[family] };
        let error = ERRORS[family][usize::from(kind & 0x7f) % 5];
        asked.complaint(mouth, sender, error, (put_between & 15, put_between >> 4))
    };
    if cut > 0 {
        octets.truncate(cut);
    }
    for (at, change) in changes {
        if let Some(octet) = octets.get_mut(at) {
            *octet ^= change;
        }
    }
    heard(mouth, &octets)
}

/// A datagram of ours: a payload at one of its ports.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    pub payload: &'static Payload,
    /// A genuine reply, with the cookie that the table is written with.
    sample: &'static [u8],
    pub endpoint: Endpoint,
    pub attempt: u8,
    nth: usize,
}

/// Every payload at each of its ports, and the one of ports that have none.
pub fn all(mouth: &Udp) -> impl Iterator<Item = Asked> {
    let mut samples = replies::REPLIES.to_vec();
    let payloads = TABLE.iter().copied().flatten().flat_map(move |payload| {
        let at = samples.iter().position(|(service, _)| *service == payload.service);
        let (_, sample) = samples.remove(at.expect("each payload has a sample"));
        payload.ports.iter().map(move |port| (payload, sample, *port))
    });
    let plain = (&GENERIC, &b"any octets at all"[..], PLAIN_PORT);
    payloads.chain([plain]).map(|(payload, sample, port)| {
        let is_it = |other: &&'static Payload| std::ptr::eq(*other, payload);
        let nth = mouth.payloads().of(port).iter().position(is_it).unwrap_or(0);
        let endpoint = Endpoint { address: THEM[0], protocol: Protocol::Udp, port };
        Asked { payload, sample, endpoint, attempt: 1, nth }
    })
}

impl Asked {
    /// The same by family and attempt.
    pub fn by(self, family: usize, attempt: u8) -> Self {
        let endpoint = Endpoint { address: THEM[family], ..self.endpoint };
        Self { endpoint, attempt, ..self }
    }

    fn written(&self, mouth: &Udp) -> Vec<u8> {
        let mut octets = Vec::new();
        mouth.write(self.endpoint, self.attempt, self.nth, &mut octets).expect("it is one of the port's");
        octets
    }

    /// The field of the datagram that comes back, as it is in the table and as it is sent.
    fn field(&self, mouth: &Udp) -> Option<(&'static [u8], Vec<u8>)> {
        let place = self.payload.cookie.first().filter(|_| self.payload.cookie_bits() > 0)?;
        let length = match place.form {
            Form::Octets(count) => count,
            Form::Hex(count) => 2 * count,
        };
        let here = place.at..place.at + length;
        Some((&self.payload.octets[here.clone()], self.written(mouth)[here].to_vec()))
    }

    /// A genuine reply, with what is made of the field that comes back.
    pub fn answer(&self, mouth: &Udp, made: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
        let mut octets = self.sample.to_vec();
        let Some((old, new)) = self.field(mouth) else { return octets };
        let new = made(&new);
        if let Echo::At(at) = self.payload.reply.echo {
            octets[at..at + old.len()].copy_from_slice(&new);
            return octets;
        }
        let mut at = 0;
        while at + old.len() <= octets.len() {
            if octets[at..at + old.len()] == *old {
                octets[at..at + old.len()].copy_from_slice(&new);
                at += old.len();
            } else {
                at += 1;
            }
        }
        octets
    }

    /// Whether octets hold the field that comes back where it belongs.
    fn is_echoed(&self, mouth: &Udp, octets: &[u8]) -> bool {
        let Some((_, sent)) = self.field(mouth) else { return true };
        match self.payload.reply.echo {
            Echo::At(at) => {
                octets.get(at..at + sent.len()).is_some_and(|field| field.eq_ignore_ascii_case(&sent))
            }
            _ => octets.windows(sent.len()).any(|field| field.eq_ignore_ascii_case(&sent)),
        }
    }

    /// The packet of a reply.
    pub fn reply(&self, from: u16, octets: &[u8], put_between: u8) -> Vec<u8> {
        let family = usize::from(self.endpoint.address.is_ipv6());
        let to = (US[family], OURS.port(self.attempt).expect("one of ours"));
        let mut datagram = udp::header((self.endpoint.address, from), to, octets).to_vec();
        datagram.extend_from_slice(octets);
        packet(self.endpoint.address, to.0, udp::PROTOCOL, &datagram, put_between)
    }

    /// The packet of an ICMP error that quotes all of the datagram. Headers may be put between in it, and in
    /// what it quotes.
    pub fn complaint(
        &self,
        mouth: &Udp,
        sender: IpAddr,
        (kind, code): (u8, u8),
        (outside, inside): (u8, u8),
    ) -> Vec<u8> {
        let us = US[usize::from(sender.is_ipv6())];
        let source = (us, OURS.port(self.attempt).expect("one of ours"));
        let mut sent = Vec::new();
        frame::write(&[], source, self.endpoint, &self.written(mouth), &mut sent).expect("of one family");
        let header = if sender.is_ipv4() { ip::IPV4_LENGTH } else { ip::IPV6_LENGTH };
        let quoted = packet(us, self.endpoint.address, udp::PROTOCOL, &sent[header..], inside);
        let protocol = if sender.is_ipv4() { icmp::ICMPV4 } else { icmp::ICMPV6 };
        packet(sender, us, protocol, &[&[kind, code, 0, 0, 0, 0, 0, 0], &quoted[..]].concat(), outside)
    }
}

/// A packet with so many options in its header, or extension headers behind it.
fn packet(from: IpAddr, to: IpAddr, protocol: u8, payload: &[u8], put_between: u8) -> Vec<u8> {
    let count = usize::from(put_between);
    match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            let options = vec![1; 4 * count.min(10)]; // no operation (RFC 791 section 3.1)
            let length = (options.len() + payload.len()) as u16;
            let mut header = ip::ipv4(from, to, protocol, 60, length);
            header[0] += count.min(10) as u8;
            [&header[..], &options, payload].concat()
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            let mut behind = Vec::new();
            for left in (0..count).rev() {
                let next = if left == 0 { protocol } else { 60 };
                behind.extend([next, 0, 1, 4, 0, 0, 0, 0]); // padding (RFC 8200 section 4.2)
            }
            let first = if count == 0 { protocol } else { 60 };
            let length = (behind.len() + payload.len()) as u16;
            [&ip::ipv6(from, to, first, 60, length)[..], &behind, payload].concat()
        }
        _ => unreachable!("one family"),
    }
}

/// Hears a packet, and holds what is believed to the laws.
pub fn heard(mouth: &Udp, octets: &[u8]) -> Came {
    let said = match mouth.understand(OURS, octets) {
        Heard::Said(said) => said,
        Heard::Stray => return Came::Stray,
        Heard::Foreign => return Came::Foreign,
    };
    let packet = ip::parse(octets).expect("what is believed is a packet");
    assert_eq!(said.endpoint.protocol, Protocol::Udp);
    assert_eq!((said.source.ip(), Some(said.source.port())), (packet.destination, OURS.port(said.attempt)));
    match said.evidence {
        Evidence::Reply { payload } => is_answer(mouth, &said, payload, &packet),
        Evidence::NoListener => {
            assert_eq!(packet.source, said.endpoint.address, "only the target knows");
            is_complaint(mouth, &said, &packet);
        }
        Evidence::Unreachable { sender, .. } => {
            assert_eq!(sender, Some(packet.source));
            is_complaint(mouth, &said, &packet);
        }
        ref other => panic!("no packet says {other:?}"),
    }
    Came::Said
}

/// A reply brings back what was sent to that endpoint by that attempt.
fn is_answer(mouth: &Udp, said: &Said, number: u16, packet: &ip::Packet<'_>) {
    let datagram = udp::parse(packet.payload).expect("a datagram");
    assert_eq!(said.endpoint.address, packet.source);
    assert_eq!(said.octets, datagram.payload[..datagram.payload.len().min(KEPT)]);
    let found = TABLE.iter().copied().flatten().nth(number.into());
    let nth = match found {
        Some(payload) => {
            let is_it = |other: &&'static Payload| std::ptr::eq(*other, payload);
            mouth.payloads().of(said.endpoint.port).iter().position(is_it).expect("asked there")
        }
        None => 0,
    };
    let payload = found.unwrap_or(&GENERIC);
    assert!(datagram.source == said.endpoint.port || payload.reply.any_port, "{said:?}");
    let asked = Asked { payload, sample: &[], endpoint: said.endpoint, attempt: said.attempt, nth };
    assert!(asked.is_echoed(mouth, datagram.payload), "believed without our cookie: {said:?}");
    identified(datagram.payload);
}

/// An ICMP error quotes a datagram that we sent.
fn is_complaint(mouth: &Udp, said: &Said, packet: &ip::Packet<'_>) {
    let error = icmp::parse(packet.protocol, packet.payload).expect("an error");
    assert_eq!((error.destination, error.ports.1), (said.endpoint.address, said.endpoint.port));
    assert!(said.octets.is_empty());
    let to = (said.endpoint.address, said.endpoint.port);
    let is_sent = (0..mouth.payloads().of(said.endpoint.port).len()).any(|nth| {
        let mut octets = Vec::new();
        mouth.write(said.endpoint, said.attempt, nth, &mut octets).expect("one of the port's");
        let header = udp::header((error.source, error.ports.0), to, &octets);
        let [.., l0, l1, s0, s1] = header;
        let quoted = error.sequence.to_be_bytes();
        let rest = &error.rest[..error.rest.len().min(octets.len())];
        quoted[..2] == [l0, l1]
            && (quoted[2..] == [s0, s1] || (rest.len() >= octets.len().min(12) && octets.starts_with(rest)))
    });
    assert!(is_sent, "believed without our datagram: {said:?}");
}

/// Whatever a reply says is read, for every service, to a few clean words.
pub fn identified(octets: &[u8]) {
    let services = TABLE.iter().copied().flatten().map(|payload| payload.service);
    for service in services.chain(UNASKED) {
        let Some(identity) = identify::datagram(service, octets) else { continue };
        let words = [identity.product, identity.version, identity.detail];
        assert!(words.iter().any(Option::is_some), "{service}: says nothing");
        for word in words.into_iter().flatten() {
            assert!(!word.is_empty() && word.chars().count() <= identify::LONGEST, "{service}: {word}");
            assert!(!word.contains(char::is_control), "{service}: {word:?}");
        }
    }
}
