//! IPv4 (RFC 791) and IPv6 (RFC 8200) headers, with what may stand between them and the transport.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{checksum::Sum, double, put, word};

/// Octets of an IPv4 header without options.
pub const IPV4_LENGTH: usize = 20;
/// Octets of an IPv6 header without extensions.
pub const IPV6_LENGTH: usize = 40;
/// "Don't fragment": a SYN never needs to be, and Linux sets it for TCP.
const DONT_FRAGMENT: u16 = 0x4000;
const OFFSET: u16 = 0x1fff;
/// More extension headers than any sane packet has.
const MOST_EXTENSIONS: usize = 16;

/// A packet of either family, as far as anybody here cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Who sent it.
    pub source: IpAddr,
    /// To whom.
    pub destination: IpAddr,
    /// Time to live, or hop limit.
    pub ttl: u8,
    /// What the payload is, extension headers behind us.
    pub protocol: u8,
    /// The transport's octets: no more than the header says, and no more than there are.
    pub payload: &'a [u8],
}

/// A header of IPv4 without options.
pub fn ipv4(
    source: Ipv4Addr,
    destination: Ipv4Addr,
    protocol: u8,
    ttl: u8,
    payload: u16,
) -> [u8; IPV4_LENGTH] {
    let mut header = [0; IPV4_LENGTH];
    let total = payload.saturating_add(20).to_be_bytes();
    let parts: [(usize, &[u8]); 6] = [
        (0, &[0x45]),
        (2, &total),
        // An identification of zero is right for what can't be fragmented (RFC 6864 section 4.1).
        (6, &DONT_FRAGMENT.to_be_bytes()),
        (8, &[ttl, protocol]),
        (12, &source.octets()),
        (16, &destination.octets()),
    ];
    for (at, octets) in parts {
        let _ = put(&mut header, at, octets);
    }
    let checksum = Sum::default().octets(&header).checksum();
    let _ = put(&mut header, 10, &checksum.to_be_bytes());
    header
}

/// A header of IPv6 without extensions.
pub fn ipv6(
    source: Ipv6Addr,
    destination: Ipv6Addr,
    protocol: u8,
    hop_limit: u8,
    payload: u16,
) -> [u8; IPV6_LENGTH] {
    let mut header = [0; IPV6_LENGTH];
    let parts: [(usize, &[u8]); 5] = [
        (0, &[0x60]),
        (4, &payload.to_be_bytes()),
        (6, &[protocol, hop_limit]),
        (8, &source.octets()),
        (24, &destination.octets()),
    ];
    for (at, octets) in parts {
        let _ = put(&mut header, at, octets);
    }
    header
}

/// Reads a packet of either family. `None`: it is none, or a later fragment, which has no transport
/// header.
pub fn parse(octets: &[u8]) -> Option<Packet<'_>> {
    read(octets, true)
}

/// Reads the packet that an ICMP error quotes: cut off somewhere, and its lengths not to be trusted,
/// since routers on the way have written to it.
pub fn quoted(octets: &[u8]) -> Option<Packet<'_>> {
    read(octets, false)
}

fn read(octets: &[u8], bounded: bool) -> Option<Packet<'_>> {
    match octets.first()? >> 4 {
        4 => read_ipv4(octets, bounded),
        6 => read_ipv6(octets, bounded),
        _ => None,
    }
}

fn read_ipv4(octets: &[u8], bounded: bool) -> Option<Packet<'_>> {
    let header = usize::from(octets.first()? & 15) * 4;
    let total = usize::from(word(octets, 2)?);
    if header < IPV4_LENGTH || (bounded && total < header) || word(octets, 6)? & OFFSET != 0 {
        return None;
    }
    let end = if bounded { total.min(octets.len()) } else { octets.len() };
    Some(Packet {
        source: Ipv4Addr::from_bits(double(octets, 12)?).into(),
        destination: Ipv4Addr::from_bits(double(octets, 16)?).into(),
        ttl: *octets.get(8)?,
        protocol: *octets.get(9)?,
        payload: octets.get(header..end)?,
    })
}

fn read_ipv6(octets: &[u8], bounded: bool) -> Option<Packet<'_>> {
    let address = |at: usize| octets.get(at..)?.first_chunk::<16>().map(|ip| IpAddr::from(*ip));
    let (source, destination) = (address(8)?, address(24)?);
    let length = usize::from(word(octets, 4)?);
    let end = if bounded { (IPV6_LENGTH + length).min(octets.len()) } else { octets.len() };
    let mut payload = octets.get(IPV6_LENGTH..end)?;
    let mut protocol = *octets.get(6)?;
    for _ in 0..MOST_EXTENSIONS {
        let size = match protocol {
            // Hop-by-hop, routing and destination options (RFC 8200 section 4).
            0 | 43 | 60 => (usize::from(*payload.get(1)?) + 1) * 8,
            44 if word(payload, 2)? & !7 == 0 => 8,
            44 => return None,
            // Authentication (RFC 4302 section 2.2).
            51 => (usize::from(*payload.get(1)?) + 2) * 4,
            _ => return Some(Packet { source, destination, ttl: *octets.get(7)?, protocol, payload }),
        };
        protocol = *payload.first()?;
        payload = payload.get(size..)?;
    }
    None
}
