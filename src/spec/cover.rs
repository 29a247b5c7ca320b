//! What a list of scope entries covers, found in one search a host: fleets and scopes may both be
//! long. Only says yes or no; permits come from [`crate::model::Scope`] alone.

use std::{cmp::Reverse, collections::HashSet};

use crate::model::{AddressRange, Family, NamePattern, ScopeEntry};

/// An index of scope entries.
pub(super) struct Cover<'e> {
    /// Sorted, disjoint.
    ranges: Vec<AddressRange>,
    exact: HashSet<&'e str>,
    below: HashSet<&'e str>,
}

impl<'e> Cover<'e> {
    pub(super) fn of(entries: &'e [ScopeEntry]) -> Self {
        let mut cover = Self { ranges: Vec::new(), exact: HashSet::new(), below: HashSet::new() };
        for entry in entries {
            match entry {
                ScopeEntry::Block(block) => cover.ranges.push(AddressRange::of(*block)),
                ScopeEntry::Name(NamePattern::Exact(name)) => _ = cover.exact.insert(name),
                ScopeEntry::Name(NamePattern::Below(apex)) => _ = cover.below.insert(apex),
            }
        }
        // Blocks nest or are apart: of those that begin alike the widest comes first, and what begins
        // inside the one before lies inside it.
        cover.ranges.sort_unstable_by_key(|range| (range.family(), range.first(), Reverse(range.last())));
        cover.ranges.dedup_by(|next, kept| kept.contains(next.first()));
        cover
    }

    /// Whether a name (lower case, no final dot) is written out, or lies below a wildcard.
    pub(super) fn name(&self, name: &str) -> bool {
        let parents = name.match_indices('.').filter(|(i, _)| *i > 0);
        self.exact.contains(name)
            || parents.filter_map(|(i, _)| name.get(i + 1..)).any(|parent| self.below.contains(parent))
    }

    /// Whether one entry covers every address of a range.
    pub(super) fn whole(&self, range: AddressRange) -> bool {
        self.from(range)
            .next()
            .is_some_and(|known| known.contains(range.first()) && known.contains(range.last()))
    }

    /// How many addresses of a range are covered.
    pub(super) fn count(&self, range: AddressRange) -> u128 {
        self.from(range).filter_map(|known| known.intersection(range)).map(AddressRange::count).sum()
    }

    /// The ranges that may touch another one, ascending.
    fn from(&self, range: AddressRange) -> impl Iterator<Item = AddressRange> {
        let key = |range: AddressRange| -> (Family, std::net::IpAddr) { (range.family(), range.first()) };
        let next = self.ranges.partition_point(|known| key(*known) <= key(range));
        let known = self.ranges.iter().copied().skip(next.saturating_sub(1));
        let end = (range.family(), range.last());
        known
            .skip_while(move |known| known.intersection(range).is_none() && key(*known) <= key(range))
            .take_while(move |known| key(*known) <= end)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::spec::host::scope_entry;

    fn blocks() -> impl Strategy<Value = Vec<ScopeEntry>> {
        prop::collection::vec((any::<u8>(), 24u8..=32), 0..8).prop_map(|blocks| {
            let block = |(host, prefix): (u8, u8)| {
                let net = ipnet::Ipv4Net::new([10, 0, 0, host].into(), prefix).unwrap().trunc();
                ScopeEntry::Block(net.into())
            };
            blocks.into_iter().map(block).collect()
        })
    }

    proptest! {
        #[test]
        fn an_index_says_what_looking_at_each_address_says(entries in blocks(), host: u8, prefix in 24u8..=32) {
            let cover = Cover::of(&entries);
            let range = AddressRange::of(ipnet::IpNet::from(ipnet::Ipv4Net::new([10, 0, 0, host].into(), prefix).unwrap().trunc()));
            let inside = |address| entries.iter().any(|entry| matches!(entry, ScopeEntry::Block(block) if block.contains(&address)));
            let count = range.iter().filter(|address| inside(*address)).count() as u128;
            prop_assert_eq!(cover.count(range), count);
            prop_assert!(!cover.whole(range) || count == range.count());
        }
    }

    #[test]
    fn names_and_wildcards() {
        let entries: Vec<ScopeEntry> =
            ["www.example.com", "*.example.org"].iter().map(|text| scope_entry(text).unwrap()).collect();
        let cover = Cover::of(&entries);
        for (name, covered) in [
            ("www.example.com", true),
            ("a.b.example.org", true),
            ("example.org", false),
            ("xexample.org", false),
            ("a.www.example.com", false),
        ] {
            assert_eq!(cover.name(name), covered, "{name}");
            let pattern =
                |entry: &ScopeEntry| matches!(entry, ScopeEntry::Name(pattern) if pattern.matches(name));
            assert_eq!(entries.iter().any(pattern), covered, "{name}");
        }
    }
}
