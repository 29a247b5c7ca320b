//! Floor 1: octets to values and back. Total: any input parses or is refused, none panics; what is
//! written reads back as it was. Knows nothing of why a packet is sent.

pub mod arp;
pub mod checksum;
pub mod ethernet;
pub mod icmp;
pub mod ip;
pub mod nd;
pub mod tcp;
pub mod udp;

/// Two octets in network order, if they are there.
pub(crate) fn word(octets: &[u8], at: usize) -> Option<u16> {
    let pair = octets.get(at..)?.first_chunk::<2>()?;
    Some(u16::from_be_bytes(*pair))
}

/// Four octets in network order, if they are there.
pub(crate) fn double(octets: &[u8], at: usize) -> Option<u32> {
    let four = octets.get(at..)?.first_chunk::<4>()?;
    Some(u32::from_be_bytes(*four))
}

/// Writes octets at a place. Returns nothing where they do not fit.
pub(crate) fn put(octets: &mut [u8], at: usize, what: &[u8]) -> Option<()> {
    octets.get_mut(at..)?.get_mut(..what.len())?.copy_from_slice(what);
    Some(())
}
