//! The frame of a datagram: whatever the link wants in front, a network header, a UDP header, the payload.

use std::net::IpAddr;

use crate::{
    model::Endpoint,
    wire::{ip, udp},
};

/// As Linux, and so most of the internet, begins.
const TTL: u8 = 64;

/// Writes a frame with this header of the link. `None` where the families differ, which nobody sends, or the
/// payload is too long.
pub fn write(
    link: &[u8],
    source: (IpAddr, u16),
    to: Endpoint,
    payload: &[u8],
    frame: &mut Vec<u8>,
) -> Option<()> {
    let length = u16::try_from(payload.len() + udp::LENGTH).ok()?;
    frame.clear();
    frame.extend_from_slice(link);
    match (source.0, to.address) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            frame.extend_from_slice(&ip::ipv4(from, to, udp::PROTOCOL, TTL, length));
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            frame.extend_from_slice(&ip::ipv6(from, to, udp::PROTOCOL, TTL, length));
        }
        _ => return None,
    }
    frame.extend_from_slice(&udp::header(source, (to.address, to.port), payload));
    frame.extend_from_slice(payload);
    Some(())
}
