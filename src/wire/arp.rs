//! ARP for IPv4 over Ethernet (RFC 826).

use std::net::Ipv4Addr;

use super::{
    double,
    ethernet::{self, Mac},
    put, word,
};

const LENGTH: usize = 28;
/// Ethernet, IPv4, and their lengths.
const KIND: [u8; 6] = [0, 1, 8, 0, 6, 4];

/// A frame that asks everybody on the link who has an address.
pub fn request(mac: Mac, source: Ipv4Addr, target: Ipv4Addr) -> [u8; ethernet::LENGTH + LENGTH] {
    let mut frame = [0; ethernet::LENGTH + LENGTH];
    let parts: [(usize, &[u8]); 6] = [
        (0, &ethernet::header(ethernet::BROADCAST, mac, ethernet::ARP)),
        (14, &KIND),
        (20, &[0, 1]),
        (22, &mac),
        (28, &source.octets()),
        (38, &target.octets()),
    ];
    for (at, octets) in parts {
        let _ = put(&mut frame, at, octets);
    }
    frame
}

/// Who says to have which address: the sender of a reply. `packet` begins behind the Ethernet header.
pub fn announced(packet: &[u8]) -> Option<(Ipv4Addr, Mac)> {
    let is_reply = packet.starts_with(&KIND) && word(packet, 6)? == 2;
    let mac: Mac = *packet.get(8..)?.first_chunk()?;
    let address = Ipv4Addr::from_bits(double(packet, 14)?);
    (is_reply && packet.len() >= LENGTH && mac != [0; 6] && mac[0] & 1 == 0).then_some((address, mac))
}
