//! Sets of ports, with `nth` and `rank` so that a scan can number its endpoints.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// A set of ports 1-65535 as sorted, disjoint, non-adjacent ranges. Port 0 can't be in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct PortSet {
    ranges: Vec<Range>,
}

/// An inclusive range and how many ports lie before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Range {
    first: u16,
    last: u16,
    before: u32,
}

/// What is wrong with a port expression.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[allow(missing_docs)] // the message says it
pub enum PortSetError {
    #[error("port 0 can't be reached over a network; ports are 1-65535")]
    Zero,
    #[error("`{0}` is not a port: ports are 1-65535")]
    NotAPort(String),
    #[error("range {0}-{1} runs backwards; write {1}-{0}")]
    Backwards(u16, u16),
    #[error("an empty port list; write `none` for no port")]
    Empty,
}

impl PortSet {
    /// The empty set.
    pub const NONE: Self = Self { ranges: Vec::new() };

    /// 1-65535.
    pub fn all() -> Self {
        Self::from_ranges([(1, u16::MAX)])
    }

    /// One port; the empty set for port 0.
    pub fn single(port: u16) -> Self {
        Self::from_ranges([(port, port)])
    }

    /// The union of inclusive ranges, in any order; port 0 is left out.
    pub fn from_ranges(ranges: impl IntoIterator<Item = (u16, u16)>) -> Self {
        let mut sorted: Vec<(u16, u16)> = ranges
            .into_iter()
            .map(|(first, last)| (first.max(1), last))
            .filter(|(first, last)| first <= last)
            .collect();
        sorted.sort_unstable();
        let mut merged: Vec<(u16, u16)> = Vec::with_capacity(sorted.len());
        for (first, last) in sorted {
            match merged.last_mut() {
                Some(top) if u32::from(first) <= u32::from(top.1) + 1 => top.1 = top.1.max(last),
                _ => merged.push((first, last)),
            }
        }
        let mut before = 0;
        let ranges = merged
            .into_iter()
            .map(|(first, last)| {
                let range = Range { first, last, before };
                before += range.len();
                range
            })
            .collect();
        Self { ranges }
    }

    /// Reads `80,443`, `8000-8010`, `-1024`, `60000-`, `-` (all), `all` and `none`. Sets with a name
    /// (`common`, service names) belong to `spec`, which knows the profiles.
    pub fn parse(text: &str) -> Result<Self, PortSetError> {
        match text.trim() {
            "all" | "-" => return Ok(Self::all()),
            "none" => return Ok(Self::NONE),
            _ => {}
        }
        let ranges: Vec<(u16, u16)> =
            text.split(',').map(|item| range(item.trim())).collect::<Result<_, _>>()?;
        Ok(Self::from_ranges(ranges))
    }

    /// How many ports: 0-65535.
    pub fn len(&self) -> u32 {
        self.ranges.last().map_or(0, |range| range.before + range.len())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Whether this port is in the set.
    pub fn contains(&self, port: u16) -> bool {
        self.rank(port).is_some()
    }

    /// The `n`th port from 0, ascending.
    pub fn nth(&self, n: u32) -> Option<u16> {
        let i = self.ranges.partition_point(|range| range.before <= n).checked_sub(1)?;
        let range = self.ranges.get(i)?;
        let offset = n - range.before;
        (offset < range.len()).then(|| range.first + u16::try_from(offset).unwrap_or(u16::MAX))
    }

    /// The place of a port, the inverse of [`Self::nth`].
    pub fn rank(&self, port: u16) -> Option<u32> {
        let i = self.ranges.partition_point(|range| range.first <= port).checked_sub(1)?;
        let range = self.ranges.get(i)?;
        (port <= range.last).then(|| range.before + u32::from(port - range.first))
    }

    /// Every port, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u16> + '_ {
        self.ranges.iter().flat_map(|range| range.first..=range.last)
    }

    /// The inclusive ranges, ascending.
    pub fn ranges(&self) -> impl Iterator<Item = (u16, u16)> + '_ {
        self.ranges.iter().map(|range| (range.first, range.last))
    }

    /// Ports in either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self::from_ranges(self.ranges().chain(other.ranges()))
    }

    /// Ports in this and not in the other.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        let mut left = Vec::new();
        let mut cuts = other.ranges.as_slice();
        for (first, last) in self.ranges() {
            let mut from = u32::from(first);
            // What ends before this range can't touch a later one either.
            while let [cut, rest @ ..] = cuts
                && cut.last < first
            {
                cuts = rest;
            }
            for cut in cuts.iter().take_while(|cut| cut.first <= last) {
                if u32::from(cut.first) > from {
                    left.push((from, u32::from(cut.first) - 1));
                }
                from = from.max(u32::from(cut.last) + 1);
            }
            if from <= u32::from(last) {
                left.push((from, u32::from(last)));
            }
        }
        let narrow = |port: u32| u16::try_from(port).unwrap_or(u16::MAX);
        Self::from_ranges(left.into_iter().map(|(first, last)| (narrow(first), narrow(last))))
    }

    /// Ports in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.difference(&self.difference(other))
    }
}

impl Range {
    fn len(self) -> u32 {
        u32::from(self.last) - u32::from(self.first) + 1
    }
}

/// One item of a port expression.
fn range(item: &str) -> Result<(u16, u16), PortSetError> {
    match item.split_once('-') {
        None => port(item).map(|port| (port, port)),
        Some(("", "")) => Ok((1, u16::MAX)),
        Some((first, last)) => {
            let first = if first.is_empty() { 1 } else { port(first.trim())? };
            let last = if last.is_empty() { u16::MAX } else { port(last.trim())? };
            if first > last { Err(PortSetError::Backwards(first, last)) } else { Ok((first, last)) }
        }
    }
}

fn port(text: &str) -> Result<u16, PortSetError> {
    if text.is_empty() {
        return Err(PortSetError::Empty);
    }
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    match text.parse::<u16>() {
        Ok(0) => Err(PortSetError::Zero),
        Ok(port) if digits => Ok(port),
        _ => Err(PortSetError::NotAPort(text.to_owned())),
    }
}

impl fmt::Display for PortSet {
    /// `80,443,8000-8010`, or `none`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("none");
        }
        for (i, (first, last)) in self.ranges().enumerate() {
            if i > 0 {
                f.write_str(",")?;
            }
            if first == last { write!(f, "{first}")? } else { write!(f, "{first}-{last}")? }
        }
        Ok(())
    }
}

impl FromIterator<u16> for PortSet {
    fn from_iter<I: IntoIterator<Item = u16>>(ports: I) -> Self {
        Self::from_ranges(ports.into_iter().map(|port| (port, port)))
    }
}

impl Serialize for PortSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PortSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ports() -> impl Strategy<Value = PortSet> {
        prop::collection::vec((any::<u16>(), 0u16..300), 0..12).prop_map(|ranges| {
            PortSet::from_ranges(ranges.into_iter().map(|(first, len)| (first, first.saturating_add(len))))
        })
    }

    proptest! {
        #[test]
        fn nth_and_rank_are_inverse(set in ports()) {
            for (i, port) in set.iter().enumerate() {
                let i = u32::try_from(i).unwrap();
                prop_assert_eq!(set.nth(i), Some(port));
                prop_assert_eq!(set.rank(port), Some(i));
            }
            prop_assert_eq!(set.nth(set.len()), None);
            prop_assert_eq!(set.iter().count(), set.len() as usize);
        }

        #[test]
        fn set_algebra_agrees_with_membership(a in ports(), b in ports(), port in 1u16..) {
            prop_assert_eq!(a.union(&b).contains(port), a.contains(port) || b.contains(port));
            prop_assert_eq!(a.difference(&b).contains(port), a.contains(port) && !b.contains(port));
            prop_assert_eq!(a.intersection(&b).contains(port), a.contains(port) && b.contains(port));
        }

        #[test]
        fn what_is_written_reads_back(set in ports()) {
            prop_assert_eq!(PortSet::parse(&set.to_string()).unwrap(), set);
        }
    }

    #[test]
    fn expressions() {
        assert_eq!(PortSet::parse("443, 80,81").unwrap().to_string(), "80-81,443");
        assert_eq!(PortSet::parse("all").unwrap().len(), 65_535);
        assert_eq!(PortSet::parse("-").unwrap(), PortSet::all());
        assert_eq!(PortSet::parse("-3,65534-").unwrap().to_string(), "1-3,65534-65535");
        assert_eq!(PortSet::parse("none").unwrap(), PortSet::NONE);
        assert_eq!(PortSet::parse("0"), Err(PortSetError::Zero));
        assert_eq!(PortSet::parse("0-10"), Err(PortSetError::Zero));
        assert_eq!(PortSet::parse("9-3"), Err(PortSetError::Backwards(9, 3)));
        assert_eq!(PortSet::parse("80,,81"), Err(PortSetError::Empty));
        for bad in ["65536", "+80", "http", "8 0", "-1-2", "١"] {
            assert!(matches!(PortSet::parse(bad), Err(PortSetError::NotAPort(_))), "{bad}");
        }
    }
}
