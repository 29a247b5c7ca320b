//! UDP headers (RFC 768).

use super::{checksum::Sum, put, word};
use std::net::IpAddr;

/// The protocol's number.
pub const PROTOCOL: u8 = 17;
/// Octets of a header.
pub const LENGTH: usize = 8;

/// A datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagram<'a> {
    /// From this port.
    pub source: u16,
    /// To this one.
    pub destination: u16,
    /// What it carries: no more than its header says, and no more than there is.
    pub payload: &'a [u8],
}

/// Reads a datagram. The checksum is not judged: with offload a genuine one may still be unfilled.
pub fn parse(octets: &[u8]) -> Option<Datagram<'_>> {
    let (source, destination, length) = (word(octets, 0)?, word(octets, 2)?, usize::from(word(octets, 4)?));
    let payload = octets.get(LENGTH..length.min(octets.len()))?;
    Some(Datagram { source, destination, payload })
}

/// The checksum of a datagram with its pseudo header (RFC 768, RFC 8200 section 8.1); never zero, which
/// would mean that there is none.
pub fn checksum(source: (IpAddr, u16), destination: (IpAddr, u16), payload: &[u8]) -> u16 {
    let length = u16::try_from(payload.len() + LENGTH).unwrap_or(u16::MAX);
    let sum = Sum::default()
        .pseudo_header(source.0, destination.0, PROTOCOL, length)
        .word(source.1)
        .word(destination.1)
        .word(length)
        .octets(payload)
        .checksum();
    if sum == 0 { u16::MAX } else { sum }
}

/// A header for a payload.
pub fn header(source: (IpAddr, u16), destination: (IpAddr, u16), payload: &[u8]) -> [u8; LENGTH] {
    let mut header = [0; LENGTH];
    let length = u16::try_from(payload.len() + LENGTH).unwrap_or(u16::MAX);
    let words = [source.1, destination.1, length, checksum(source, destination, payload)];
    for (word, at) in words.into_iter().zip((0..).step_by(2)) {
        let _ = put(&mut header, at, &word.to_be_bytes());
    }
    header
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_reads_back(from: u16, to: u16, payload: Vec<u8>) {
            let (here, there): (IpAddr, IpAddr) = ([192, 0, 2, 1].into(), [192, 0, 2, 2].into());
            let mut octets = header((here, from), (there, to), &payload).to_vec();
            octets.extend(&payload);
            prop_assert_eq!(parse(&octets), Some(Datagram { source: from, destination: to, payload: &payload }));
            let length = u16::try_from(octets.len()).unwrap();
            let sum = Sum::default().pseudo_header(here, there, PROTOCOL, length).octets(&octets);
            prop_assert!([0, u16::MAX].contains(&sum.checksum()));
        }

        #[test]
        fn any_octets_are_read_or_refused(octets: Vec<u8>) {
            if let Some(datagram) = parse(&octets) {
                prop_assert!(datagram.payload.len() + LENGTH <= octets.len());
            }
        }
    }
}
