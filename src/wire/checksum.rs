//! The internet checksum (RFC 1071), as a sum that can be kept half done and finished later.

use std::net::IpAddr;

/// A sum of 16-bit words that has not been folded yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum(u64);

impl Sum {
    /// Adds octets, which begin at an even place; an odd one at the end counts as if a zero followed.
    #[must_use]
    pub fn octets(mut self, octets: &[u8]) -> Self {
        let mut pairs = octets.chunks_exact(2);
        for pair in &mut pairs {
            if let [high, low] = pair {
                self.0 += u64::from(u16::from_be_bytes([*high, *low]));
            }
        }
        if let [last] = pairs.remainder() {
            self.0 += u64::from(*last) << 8;
        }
        self
    }

    /// Adds one word.
    #[must_use]
    pub fn word(self, word: u16) -> Self {
        Self(self.0 + u64::from(word))
    }

    /// Adds two words.
    #[must_use]
    #[inline]
    pub fn double(self, double: u32) -> Self {
        Self(self.0 + u64::from(double >> 16) + u64::from(double & 0xffff))
    }

    /// Adds an address.
    #[must_use]
    #[inline]
    pub fn address(self, address: IpAddr) -> Self {
        match address {
            IpAddr::V4(ip) => self.double(ip.to_bits()),
            IpAddr::V6(ip) => ip.segments().iter().fold(self, |sum, word| sum.word(*word)),
        }
    }

    /// Adds the pseudo header of both families (RFC 9293 section 3.1, RFC 8200 section 8.1).
    #[must_use]
    pub fn pseudo_header(self, source: IpAddr, destination: IpAddr, protocol: u8, length: u16) -> Self {
        self.address(source).address(destination).word(protocol.into()).word(length)
    }

    /// The checksum: the complement of the folded sum.
    #[inline]
    pub fn checksum(self) -> u16 {
        let mut sum = self.0;
        while sum > 0xffff {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        !u16::try_from(sum).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_example_of_rfc_1071() {
        assert_eq!(
            Sum::default().octets(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]).checksum(),
            !0xddf2
        );
    }

    proptest! {
        #[test]
        fn octets_with_their_checksum_sum_to_nothing(mut octets: Vec<u8>) {
            octets.resize(octets.len().next_multiple_of(2), 0);
            let checksum = Sum::default().octets(&octets).checksum();
            prop_assert_eq!(Sum::default().octets(&octets).word(checksum).checksum(), 0);
        }
    }
}
