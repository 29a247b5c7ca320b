//! The UDP mouth: an endpoint to datagrams, an answer to evidence. Keeps nothing per endpoint: the cookie is
//! a keyed hash of who is asked and how often, and rides in whatever field the protocol echoes.
//!
//! Only a reply shows that a port is open, only the target's own ICMP port unreachable that it is closed.
//! An attempt is one datagram of each payload of the port: versions of a protocol that do not understand
//! each other have one each.

pub mod frame;
pub mod payload;
pub mod table;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
};

use siphasher::sip::SipHasher13;

use self::{
    payload::{COOKIE, Payload},
    table::{GENERIC, MUTE, TABLE},
};
use super::PortBlock;
use crate::{
    model::{Endpoint, Evidence, PortSet, Protocol, Unreachable},
    wire::{icmp, ip, udp},
};

/// Which payloads go to which port.
#[derive(Clone, Debug)]
pub struct Payloads {
    by_port: BTreeMap<u16, Vec<&'static Payload>>,
    /// Ports whose answers may come from another one.
    wandering: Vec<(u16, &'static Payload)>,
}

/// How datagrams are made and answers known.
#[derive(Clone, Debug)]
pub struct Udp {
    hasher: SipHasher13,
    payloads: Payloads,
}

/// What somebody said to us.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    /// Who was asked.
    pub endpoint: Endpoint,
    /// Which attempt it answers.
    pub attempt: u8,
    /// Where the answer went: us.
    pub source: SocketAddr,
    /// With which time to live it arrived.
    pub ttl: u8,
    /// What it says.
    pub evidence: Evidence,
    /// The reply's first octets; none of an ICMP error.
    pub octets: Vec<u8>,
}

/// What a packet is to us.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// The answer to a datagram of ours.
    Said(Box<Said>),
    /// It looks like one, and does not bring back what we sent: counted, never believed.
    Stray,
    /// Nothing to do with us.
    Foreign,
}

/// Octets of a reply that are kept.
pub const KEPT: usize = 512;
/// Octets of a quoted payload that are as good as its checksum.
const QUOTED: usize = 12;

impl Payloads {
    /// The table, and payloads of services that somebody says are on other ports.
    pub fn new<'a>(declared: impl IntoIterator<Item = (u16, &'a str)>) -> Self {
        let mut by_port: BTreeMap<u16, Vec<&'static Payload>> = BTreeMap::new();
        for payload in all() {
            for port in payload.ports {
                by_port.entry(*port).or_default().push(payload);
            }
        }
        for (port, service) in declared {
            let known = by_port.entry(port).or_default();
            if known.iter().any(|payload| payload.service == service) {
                continue;
            }
            known.extend(all().filter(|payload| payload.service == service));
        }
        by_port.retain(|_, payloads| !payloads.is_empty());
        let wandering = by_port
            .iter()
            .flat_map(|(port, payloads)| payloads.iter().map(|payload| (*port, *payload)))
            .filter(|(_, payload)| payload.reply.any_port)
            .collect();
        Self { by_port, wandering }
    }

    /// What goes to a port, in the order in which it is sent.
    pub fn of(&self, port: u16) -> &[&'static Payload] {
        self.by_port.get(&port).map_or(&[&GENERIC], Vec::as_slice)
    }

    /// Whether what a port answers may come from another one.
    pub fn wanders(&self, port: u16) -> bool {
        self.wandering.iter().any(|(of, _)| *of == port)
    }

    /// Ports that have a payload of their own.
    pub fn ports(&self) -> PortSet {
        PortSet::from_ranges(self.by_port.keys().map(|port| (*port, *port)))
    }

    /// Datagrams of an attempt, for the ports that get more than one.
    pub fn weights(&self) -> BTreeMap<u16, u8> {
        let weights = self.by_port.iter().map(|(port, payloads)| (*port, payloads.len()));
        weights
            .filter(|(_, count)| *count > 1)
            .map(|(port, count)| (port, u8::try_from(count).unwrap_or(u8::MAX)))
            .collect()
    }
}

/// Whether a service answers strangers, so that asking it can show that it is there.
pub fn is_answered_by(service: &str) -> bool {
    all().any(|payload| payload.service == service)
}

/// Why a service never answers a stranger, where that is known.
pub fn why_mute(service: &str) -> Option<&'static str> {
    MUTE.iter().find(|mute| mute.service == service).map(|mute| mute.why)
}

/// Whether a port has a payload that what usually is there answers.
pub fn has_payload(port: u16) -> bool {
    all().any(|payload| payload.ports.contains(&port))
}

/// The service that answers the payload of a number; `None`: no service is known by it.
pub fn service(payload: u16) -> Option<&'static str> {
    all().nth(payload.into()).map(|payload| payload.service)
}

/// Tells tables apart: the number of a payload means something in one of them only.
pub fn digest() -> u64 {
    use std::hash::{Hash as _, Hasher as _};
    let mut hasher = SipHasher13::new();
    all().for_each(|payload| (payload.service, payload.octets).hash(&mut hasher));
    hasher.finish()
}

/// The place of a payload in the table.
fn number(payload: &'static Payload) -> u16 {
    let at = all().position(|other| std::ptr::eq(other, payload));
    at.and_then(|at| u16::try_from(at).ok()).unwrap_or(u16::MAX)
}

fn all() -> impl Iterator<Item = &'static Payload> {
    TABLE.iter().copied().flatten()
}

impl Udp {
    /// With a key that nobody else knows.
    pub fn new(key: [u8; 16], payloads: Payloads) -> Self {
        Self { hasher: SipHasher13::new_with_key(&key), payloads }
    }

    /// Which payloads go to which port.
    pub fn payloads(&self) -> &Payloads {
        &self.payloads
    }

    /// Writes the `nth` datagram of an attempt; `None`: it has no more.
    pub fn write(&self, endpoint: Endpoint, attempt: u8, nth: usize, to: &mut Vec<u8>) -> Option<()> {
        let payload = self.payloads.of(endpoint.port).get(nth)?;
        payload.write(self.cookie(endpoint, attempt, nth), to);
        Some(())
    }

    /// A number by which the driver may remember when an attempt left.
    pub fn number(&self, endpoint: Endpoint, attempt: u8) -> u32 {
        let [.., a, b, c, d] = self.cookie(endpoint, attempt, usize::MAX);
        u32::from_be_bytes([a, b, c, d])
    }

    /// The number of the payload whose answer to an attempt these octets are; `None`: they are none. `from`:
    /// the port that they came from.
    pub fn judge(&self, endpoint: Endpoint, attempt: u8, from: u16, octets: &[u8]) -> Option<u16> {
        let answered = |(nth, payload): &(usize, &&'static Payload)| {
            (from == endpoint.port || payload.reply.any_port)
                && payload.accepts(self.cookie(endpoint, attempt, *nth), octets)
        };
        let mut payloads = self.payloads.of(endpoint.port).iter().enumerate();
        payloads.find(answered).map(|(_, payload)| number(payload))
    }

    /// Understands a packet, from its network header on. The attempt is in the port that it comes to.
    pub fn understand(&self, ports: PortBlock, packet: &[u8]) -> Heard {
        let Some(packet) = ip::parse(packet) else { return Heard::Foreign };
        let heard = match packet.protocol {
            udp::PROTOCOL => self.datagram(ports, &packet),
            icmp::ICMPV4 | icmp::ICMPV6 => self.error(ports, &packet),
            _ => None,
        };
        heard.unwrap_or(Heard::Foreign)
    }

    fn datagram(&self, ports: PortBlock, packet: &ip::Packet<'_>) -> Option<Heard> {
        let datagram = udp::parse(packet.payload)?;
        let attempt = ports.attempt(datagram.destination)?;
        if self.is_question(ports, packet.destination, &datagram) {
            return None;
        }
        let at = |port| Endpoint { address: packet.source, protocol: Protocol::Udp, port };
        let answered = |endpoint: Endpoint| {
            let payload = self.judge(endpoint, attempt, datagram.source, datagram.payload)?;
            Some((endpoint, payload))
        };
        // Where nothing is known of a port, anything answers: what another port has sent from there goes
        // first, unless it brings back what was sent to this one.
        let direct = Some(at(datagram.source)).filter(|at| at.port != 0);
        let is_known = |at: &Endpoint| {
            let echo = self.cookie(*at, attempt, 0);
            self.payloads.by_port.contains_key(&at.port) || datagram.payload.get(..2) == echo.get(..2)
        };
        let wandered = || self.payloads.wandering.iter().find_map(|(port, _)| answered(at(*port)));
        let found = match direct {
            Some(direct) if is_known(&direct) => answered(direct).or_else(wandered),
            direct => wandered().or_else(|| answered(direct?)),
        };
        let Some((endpoint, payload)) = found else { return Some(Heard::Stray) };
        Some(Heard::Said(Box::new(Said {
            endpoint,
            attempt,
            source: SocketAddr::new(packet.destination, datagram.destination),
            ttl: packet.ttl,
            evidence: Evidence::Reply { payload },
            octets: datagram.payload.get(..KEPT).unwrap_or(datagram.payload).to_vec(),
        })))
    }

    /// Whether it is a question of our own, from one of our ports to another of them: on this very machine
    /// what leaves also arrives.
    fn is_question(&self, ports: PortBlock, asked: IpAddr, datagram: &udp::Datagram<'_>) -> bool {
        let Some(attempt) = ports.attempt(datagram.source) else { return false };
        let endpoint = Endpoint { address: asked, protocol: Protocol::Udp, port: datagram.destination };
        let mut octets = Vec::new();
        (0..self.payloads.of(endpoint.port).len()).any(|nth| {
            octets.clear();
            let _ = self.write(endpoint, attempt, nth, &mut octets);
            octets == datagram.payload
        })
    }

    fn error(&self, ports: PortBlock, packet: &ip::Packet<'_>) -> Option<Heard> {
        let error = icmp::parse(packet.protocol, packet.payload)
            .filter(|error| error.destination.is_ipv4() == packet.source.is_ipv4())?;
        let (source, port) = error.ports;
        let attempt = ports.attempt(source).filter(|_| error.protocol == udp::PROTOCOL)?;
        let what = if packet.protocol == icmp::ICMPV4 {
            Unreachable::from_icmp4(error.kind, error.code)?
        } else {
            Unreachable::from_icmp6(error.kind, error.code)?
        };
        let endpoint = Endpoint { address: error.destination, protocol: Protocol::Udp, port };
        if !self.is_ours(endpoint, attempt, &error) {
            return Some(Heard::Stray);
        }
        Some(Heard::Said(Box::new(Said {
            endpoint,
            attempt,
            source: SocketAddr::new(packet.destination, source),
            ttl: packet.ttl,
            evidence: evidence(endpoint.address, what, Some(packet.source)),
            octets: Vec::new(),
        })))
    }

    /// Whether an error quotes a datagram that we sent: the standards guarantee its header alone, whose
    /// checksum is over our cookie as well. An address translator on the way may leave another checksum
    /// there; then as much of the payload as is quoted speaks.
    fn is_ours(&self, endpoint: Endpoint, attempt: u8, error: &icmp::Error<'_>) -> bool {
        let [high, low, ..] = error.sequence.to_be_bytes();
        let length = usize::from(u16::from_be_bytes([high, low]));
        let checksum = u16::try_from(error.sequence & 0xffff).unwrap_or(0);
        let mut octets = Vec::new();
        (0..self.payloads.of(endpoint.port).len()).any(|nth| {
            octets.clear();
            let _ = self.write(endpoint, attempt, nth, &mut octets);
            if length != octets.len() + udp::LENGTH {
                return false;
            }
            let (from, to) = ((error.source, error.ports.0), (endpoint.address, endpoint.port));
            let quoted = error.rest.len().min(octets.len());
            (udp::checksum(from, to, &octets) == checksum)
                || (quoted >= QUOTED.min(octets.len()) && octets.get(..quoted) == error.rest.get(..quoted))
        })
    }

    fn cookie(&self, endpoint: Endpoint, attempt: u8, nth: usize) -> [u8; COOKIE] {
        let nth = u8::try_from(nth).unwrap_or(u8::MAX);
        let [high, low] = endpoint.port.to_be_bytes();
        let mut octets = [0; 21];
        let (address, rest) = octets.split_at_mut(16);
        let ip = match endpoint.address {
            IpAddr::V4(ip) => ip.to_ipv6_mapped(),
            IpAddr::V6(ip) => ip,
        };
        address.copy_from_slice(&ip.octets());
        rest.copy_from_slice(&[high, low, attempt, nth, 17]);
        self.hasher.hash(&octets).to_be_bytes()
    }
}

/// What an ICMP error about a datagram is evidence of. Only the target itself knows that nothing listens; a
/// port unreachable of anybody else is a firewall's rejection.
pub fn evidence(target: IpAddr, what: Unreachable, sender: Option<IpAddr>) -> Evidence {
    match what {
        Unreachable::Port if sender == Some(target) => Evidence::NoListener,
        _ => Evidence::Unreachable { what, sender },
    }
}
