//! Runs of addresses of one family, with the arithmetic that planning needs.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use super::Family;

/// An inclusive run of addresses of one family; never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AddressRange {
    family: Family,
    first: u128,
    last: u128,
}

impl AddressRange {
    /// One address.
    pub fn single(address: IpAddr) -> Self {
        let (family, bits) = to_bits(address);
        Self { family, first: bits, last: bits }
    }

    /// Every address of a block, network and broadcast addresses included: what a block routes may
    /// answer on any of them.
    pub fn of(block: IpNet) -> Self {
        let (family, first) = to_bits(block.network());
        let (_, last) = to_bits(block.broadcast());
        Self { family, first, last }
    }

    /// The family of its addresses.
    pub fn family(self) -> Family {
        self.family
    }

    /// The first address.
    pub fn first(self) -> IpAddr {
        from_bits(self.family, self.first)
    }

    /// The last address.
    pub fn last(self) -> IpAddr {
        from_bits(self.family, self.last)
    }

    /// How many addresses, saturating (an IPv6 /0 holds one more than fits).
    pub fn count(self) -> u128 {
        (self.last - self.first).saturating_add(1)
    }

    /// The `n`th address from 0.
    pub fn nth(self, n: u128) -> Option<IpAddr> {
        (n <= self.last - self.first).then(|| from_bits(self.family, self.first + n))
    }

    /// The place of an address, the inverse of [`Self::nth`].
    pub fn rank(self, address: IpAddr) -> Option<u128> {
        let (family, bits) = to_bits(address);
        (family == self.family && (self.first..=self.last).contains(&bits)).then(|| bits - self.first)
    }

    /// Whether an address lies in it.
    pub fn contains(self, address: IpAddr) -> bool {
        self.rank(address).is_some()
    }

    /// The addresses in both.
    #[must_use]
    pub fn intersection(self, other: Self) -> Option<Self> {
        let (first, last) = (self.first.max(other.first), self.last.min(other.last));
        (self.family == other.family && first <= last).then_some(Self { first, last, ..self })
    }

    /// What is left on either side when `other` is taken out.
    pub fn difference(self, other: Self) -> impl Iterator<Item = Self> {
        let cut = self.intersection(other);
        let whole = cut.is_none().then_some(self);
        let below = cut.filter(|cut| cut.first > self.first).map(|cut| Self { last: cut.first - 1, ..self });
        let above = cut.filter(|cut| cut.last < self.last).map(|cut| Self { first: cut.last + 1, ..self });
        [whole, below, above].into_iter().flatten()
    }

    /// Splits off the first `n` addresses; `None` when nothing would be left of either part.
    pub fn split_at(self, n: u128) -> Option<(Self, Self)> {
        if n == 0 || n > self.last - self.first {
            return None;
        }
        let cut = self.first + n;
        Some((Self { last: cut - 1, ..self }, Self { first: cut, ..self }))
    }

    /// Every address, ascending.
    pub fn iter(self) -> impl Iterator<Item = IpAddr> {
        (self.first..=self.last).map(move |bits| from_bits(self.family, bits))
    }
}

fn to_bits(address: IpAddr) -> (Family, u128) {
    match address {
        IpAddr::V4(v4) => (Family::Ipv4, u128::from(u32::from(v4))),
        IpAddr::V6(v6) => (Family::Ipv6, u128::from(v6)),
    }
}

fn from_bits(family: Family, bits: u128) -> IpAddr {
    match family {
        Family::Ipv4 => Ipv4Addr::from(u32::try_from(bits).unwrap_or(u32::MAX)).into(),
        Family::Ipv6 => Ipv6Addr::from(bits).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(block: &str) -> AddressRange {
        AddressRange::of(block.parse().unwrap())
    }

    #[test]
    fn nth_and_rank_are_inverse() {
        let block = range("203.0.113.32/27");
        assert_eq!(block.count(), 32);
        for (i, address) in block.iter().enumerate() {
            assert_eq!(block.nth(i as u128), Some(address));
            assert_eq!(block.rank(address), Some(i as u128));
        }
        assert_eq!(block.nth(32), None);
        assert_eq!(block.rank("2001:db8::1".parse().unwrap()), None);
    }

    #[test]
    fn a_hole_leaves_both_sides() {
        let parts: Vec<_> = range("10.0.0.0/30").difference(range("10.0.0.1/32")).collect();
        assert_eq!(parts, [range("10.0.0.0/32"), range("10.0.0.2/31")]);
        assert_eq!(range("10.0.0.0/30").difference(range("10.0.0.0/24")).count(), 0);
        assert_eq!(range("10.0.0.0/30").difference(range("::/0")).count(), 1);
    }

    #[test]
    fn the_whole_of_ipv6_does_not_overflow() {
        let all = range("::/0");
        assert_eq!(all.count(), u128::MAX);
        assert!(all.contains("ffff::1".parse().unwrap()));
        assert!(all.split_at(5).is_some());
    }
}
