//! Ethernet II (IEEE 802.3 section 3).

/// An Ethernet address.
pub type Mac = [u8; 6];

/// Octets of a header.
pub const LENGTH: usize = 14;
/// Type of IPv4.
pub const IPV4: u16 = 0x0800;
/// Type of ARP.
pub const ARP: u16 = 0x0806;
/// Type of IPv6.
pub const IPV6: u16 = 0x86dd;
/// To all on the link.
pub const BROADCAST: Mac = [0xff; 6];

/// The header of a frame.
pub fn header(destination: Mac, source: Mac, kind: u16) -> [u8; LENGTH] {
    let [d0, d1, d2, d3, d4, d5] = destination;
    let [s0, s1, s2, s3, s4, s5] = source;
    let [high, low] = kind.to_be_bytes();
    [d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5, high, low]
}
