//! Neighbour discovery for IPv6 over Ethernet (RFC 4861 sections 4.3, 4.4; RFC 2464).

use std::net::Ipv6Addr;

use super::{
    checksum::Sum,
    ethernet::{self, Mac},
    ip, put,
};

const ICMPV6: u8 = 58;
const SOLICITATION: u8 = 135;
const ADVERTISEMENT: u8 = 136;
/// Nobody beyond the link can have sent what still has this hop limit.
const HOP_LIMIT: u8 = 255;
/// Type, code, checksum, flags, target, and one option with an Ethernet address.
const LENGTH: usize = 32;
const TARGET_ADDRESS: u8 = 2;

/// A frame that asks who has an address, to its solicited-node group (RFC 4291 section 2.7.1).
pub fn solicitation(
    mac: Mac,
    source: Ipv6Addr,
    target: Ipv6Addr,
) -> [u8; ethernet::LENGTH + ip::IPV6_LENGTH + LENGTH] {
    let [.., a, b, c] = target.octets();
    let group = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00 | u16::from(a), u16::from_be_bytes([b, c]));
    let mut message = [0; LENGTH];
    let parts: [(usize, &[u8]); 4] = [(0, &[SOLICITATION]), (8, &target.octets()), (24, &[1, 1]), (26, &mac)];
    for (at, octets) in parts {
        let _ = put(&mut message, at, octets);
    }
    let length = u16::try_from(LENGTH).unwrap_or(0);
    let sum = Sum::default().pseudo_header(source.into(), group.into(), ICMPV6, length).octets(&message);
    let _ = put(&mut message, 2, &sum.checksum().to_be_bytes());
    let mut frame = [0; ethernet::LENGTH + ip::IPV6_LENGTH + LENGTH];
    // Multicast of IPv6 over Ethernet: 33:33 and the last four octets of the group (RFC 2464 section 7).
    let everybody = [0x33, 0x33, 0xff, a, b, c];
    let parts: [(usize, &[u8]); 3] = [
        (0, &ethernet::header(everybody, mac, ethernet::IPV6)),
        (14, &ip::ipv6(source, group, ICMPV6, HOP_LIMIT, length)),
        (54, &message),
    ];
    for (at, octets) in parts {
        let _ = put(&mut frame, at, octets);
    }
    frame
}

/// Who says to have which address. `packet` begins with the IPv6 header.
pub fn advertised(packet: &[u8]) -> Option<(Ipv6Addr, Mac)> {
    let header = ip::parse(packet)?;
    let message = header.payload;
    if header.protocol != ICMPV6 || header.ttl != HOP_LIMIT || message.get(..2)? != [ADVERTISEMENT, 0] {
        return None;
    }
    let target: [u8; 16] = *message.get(8..)?.first_chunk()?;
    if target.starts_with(&[0xff]) {
        return None;
    }
    let mut options = message.get(24..)?;
    // A length of zero would never end; such a message is to be discarded (section 4.6).
    while let [kind, 1..=255, ..] = *options {
        let size = usize::from(*options.get(1)?) * 8;
        if kind == TARGET_ADDRESS {
            let mac: Mac = *options.get(2..size)?.first_chunk()?;
            return (mac[0] & 1 == 0).then_some((target.into(), mac));
        }
        options = options.get(size..)?;
    }
    None
}
