//! The raw mouth: an endpoint to a SYN, an answer to evidence. Keeps nothing per endpoint: what an
//! answer must prove, it carries in its numbers.
//!
//! The attempt is in the source port. The sequence number is eight bits of time, in units of 67 ms, and
//! 24 bits of a keyed hash over address, ports and that time; every answer has to bring it back.

mod template;

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use siphasher::sip::SipHasher13;

pub use self::template::{Link, ROOM, Template};
pub use super::PortBlock;
use crate::{
    model::{Endpoint, Evidence, Moment, Protocol, Unreachable},
    wire::{icmp, ip, tcp, tcp::Segment},
};

/// How SYNs are numbered and answers known.
#[derive(Clone, Debug)]
pub struct Syn {
    hasher: SipHasher13,
    ports: PortBlock,
}

/// What a packet is to us.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Heard {
    /// The answer to a probe of ours.
    Reply(Reply),
    /// It looks like one, and does not bring back what we sent: counted, never believed.
    Stray,
    /// Nothing to do with us.
    Foreign,
}

/// The answer to a probe of ours.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reply {
    /// Who was asked.
    pub endpoint: Endpoint,
    /// Which attempt it answers.
    pub attempt: u8,
    /// The sequence number of that attempt.
    pub sequence: u32,
    /// Where the answer went: us.
    pub source: SocketAddr,
    /// With which time to live it arrived.
    pub ttl: u8,
    /// What it says.
    pub evidence: Evidence,
}

/// Nanoseconds to units of time, as a shift: 2^26 ns are 67 ms.
const UNIT: u32 = 26;
/// Ages beyond this many units (ten seconds) are no answers: nobody waits that long.
const OLDEST: u64 = 149;

/// At most this is the chance that a packet that answers nothing of ours is believed, where its
/// numbers are random: 24 bits must match, for one of two acknowledgement numbers, at one of 150 of the
/// 256 ages.
pub const FALSE_ACCEPT: f64 = 2.0 / (1u64 << 24) as f64 * (OLDEST + 1) as f64 / 256.0;

impl Syn {
    /// With a key that nobody else knows.
    pub fn new(key: [u8; 16], ports: PortBlock) -> Self {
        Self { hasher: SipHasher13::new_with_key(&key), ports }
    }

    /// The ports that answers come to.
    pub fn ports(&self) -> PortBlock {
        self.ports
    }

    /// The port that an attempt leaves from; `None`: the block has no port for it.
    pub fn source_port(&self, attempt: u8) -> Option<u16> {
        self.ports.port(attempt)
    }

    /// The sequence number of an attempt that leaves now.
    #[inline]
    pub fn sequence(&self, now: Moment, endpoint: Endpoint, attempt: u8) -> u32 {
        self.number(endpoint, attempt, now.nanos() >> UNIT)
    }

    /// Understands a packet, from its network header on.
    pub fn understand(&self, now: Moment, packet: &[u8]) -> Heard {
        let Some(packet) = ip::parse(packet) else { return Heard::Foreign };
        let heard = match packet.protocol {
            tcp::PROTOCOL => self.segment(now, &packet),
            icmp::ICMPV4 | icmp::ICMPV6 => self.error(now, &packet),
            _ => None,
        };
        heard.unwrap_or(Heard::Foreign)
    }

    fn segment(&self, now: Moment, packet: &ip::Packet<'_>) -> Option<Heard> {
        let segment = Segment::parse(packet.payload)?;
        let attempt = self.ports.attempt(segment.destination)?;
        let endpoint = Endpoint { address: packet.source, protocol: Protocol::Tcp, port: segment.source };
        let acknowledged = segment.acknowledgement.wrapping_sub(1);
        let (sequence, evidence) = if segment.has(Segment::RST) && !segment.has(Segment::SYN) {
            // Some stacks acknowledge the SYN with its own number, as if it took no room (zmap accepts it
            // as well).
            let accepts = |sequence| self.is_ours(now, endpoint, attempt, sequence);
            let sequence =
                [acknowledged, segment.acknowledgement].into_iter().find(|&number| accepts(number));
            (sequence, Evidence::Reset)
        } else if segment.has(Segment::SYN | Segment::ACK)
            && segment.flags & (Segment::RST | Segment::FIN) == 0
        {
            let sequence = Some(acknowledged).filter(|&number| self.is_ours(now, endpoint, attempt, number));
            (sequence, Evidence::SynAck { window: segment.window, options: segment.options })
        } else {
            (None, Evidence::Silence)
        };
        let source = SocketAddr::new(packet.destination, segment.destination);
        let reply =
            |sequence| Heard::Reply(Reply { endpoint, attempt, sequence, source, ttl: packet.ttl, evidence });
        Some(sequence.map_or(Heard::Stray, reply))
    }

    fn error(&self, now: Moment, packet: &ip::Packet<'_>) -> Option<Heard> {
        let error = icmp::parse(packet.protocol, packet.payload)
            .filter(|error| error.destination.is_ipv4() == packet.source.is_ipv4())?;
        let (source, port) = error.ports;
        let attempt = self.ports.attempt(source).filter(|_| error.protocol == tcp::PROTOCOL)?;
        let what = if packet.protocol == icmp::ICMPV4 {
            Unreachable::from_icmp4(error.kind, error.code)?
        } else {
            Unreachable::from_icmp6(error.kind, error.code)?
        };
        let endpoint = Endpoint { address: error.destination, protocol: Protocol::Tcp, port };
        if !self.is_ours(now, endpoint, attempt, error.sequence) {
            return Some(Heard::Stray);
        }
        Some(Heard::Reply(Reply {
            endpoint,
            attempt,
            sequence: error.sequence,
            source: SocketAddr::new(packet.destination, source),
            ttl: packet.ttl,
            evidence: Evidence::Unreachable { what, sender: Some(packet.source) },
        }))
    }

    fn is_ours(&self, now: Moment, endpoint: Endpoint, attempt: u8, sequence: u32) -> bool {
        let age = age(now, sequence);
        let sent = (now.nanos() >> UNIT).checked_sub(age).filter(|_| age <= OLDEST);
        sent.is_some_and(|unit| self.number(endpoint, attempt, unit) == sequence)
    }

    #[inline]
    fn number(&self, endpoint: Endpoint, attempt: u8, unit: u64) -> u32 {
        // The whole unit, though only eight bits of it travel: what comes a round of them later is no answer.
        let rest = u128::from(unit) << 24 | u128::from(endpoint.port) << 8 | u128::from(attempt);
        let hash = match endpoint.address {
            IpAddr::V4(ip) => self.hasher.hash(&(u128::from(ip.to_bits()) << 96 | rest).to_be_bytes()),
            IpAddr::V6(ip) => {
                let mut octets = [0; 32];
                let (address, tail) = octets.split_at_mut(16);
                address.copy_from_slice(&ip.octets());
                tail.copy_from_slice(&rest.to_be_bytes());
                self.hasher.hash(&octets)
            }
        };
        u32::from(octet(unit)) << 24 | u32::try_from(hash >> 40).unwrap_or(0)
    }
}

impl Reply {
    /// When the attempt left, as far as its number tells: within 67 ms.
    pub fn sent_at(&self, now: Moment) -> Moment {
        let unit = (now.nanos() >> UNIT).saturating_sub(age(now, self.sequence));
        (Moment::from_nanos(unit << UNIT) + Duration::from_nanos(1 << (UNIT - 1))).min(now)
    }
}

fn octet(units: u64) -> u8 {
    u8::try_from(units & 0xff).unwrap_or(0)
}

fn time(sequence: u32) -> u8 {
    octet(u64::from(sequence >> 24))
}

/// How many units ago a sequence number was made.
fn age(now: Moment, sequence: u32) -> u64 {
    octet(now.nanos() >> UNIT).wrapping_sub(time(sequence)).into()
}
