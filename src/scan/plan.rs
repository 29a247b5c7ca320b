//! What a scan covers, as rectangles of addresses and ports. Made of permits, so nothing outside the
//! authorized scope can get into it.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use siphasher::sip::SipHasher13;

use super::{
    controls::Spare,
    shard::{Shard, Slice},
};
use crate::model::{AddressRange, Endpoint, Permit, PortSet, Protocol};

/// The endpoints of a scan. Those that the manifest names are asked first, then those over UDP of which it
/// is known how to ask.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// By segment: named, preferred, and the rest.
    segments: [Vec<Block>; 3],
    /// UDP ports that are asked before others.
    preferred: PortSet,
    /// Endpoints that other shards ask.
    elsewhere: u64,
    /// Where controls may be asked.
    spare: Vec<Spare>,
}

/// A run of addresses times a set of ports, or what of it is in a shard.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) range: AddressRange,
    pub(super) protocol: Protocol,
    pub(super) ports: Arc<PortSet>,
    /// Probes a second to one of its addresses.
    pub(super) rate: Option<u64>,
    slice: Slice,
}

impl Plan {
    /// Adds the addresses of a permit. `named` and `rest` are disjoint ports; what the permit does not
    /// allow is left out. Addresses and protocols must not be added twice. `rate` bounds the probes a
    /// second to one address.
    pub fn add(
        &mut self,
        permit: &Permit,
        protocol: Protocol,
        named: PortSet,
        rest: PortSet,
        rate: Option<u64>,
    ) {
        let (named, rest) = permit.allow(named, rest);
        let range = permit.range();
        let (_, sweeps) = permit.allow(PortSet::NONE, PortSet::single(1));
        if protocol == Protocol::Tcp && !sweeps.is_empty() {
            self.spare.extend(Spare::beside(range, &named, &rest));
        }
        let preferred =
            if protocol == Protocol::Udp { rest.intersection(&self.preferred) } else { PortSet::NONE };
        let rest = rest.difference(&preferred);
        for (ports, blocks) in [named, preferred, rest].into_iter().zip(&mut self.segments) {
            if !ports.is_empty() {
                blocks.push(Block { range, protocol, ports: Arc::new(ports), rate, slice: Slice::WHOLE });
            }
        }
    }

    /// Has these UDP ports asked before others, of what is added from now on: a host may say only so often
    /// what is closed.
    pub fn prefer(&mut self, ports: PortSet) {
        self.preferred = ports;
    }

    /// One part of the plan, complete as it is now. Endpoints are numbered through each segment as they
    /// were added.
    #[must_use]
    pub fn part(self, shard: Shard) -> Self {
        let (whole, before) = (self.planned(), self.elsewhere);
        let cut = |mut blocks: Vec<Block>| {
            let mut begins = 0u64;
            for block in &mut blocks {
                block.slice = Slice::of(shard, begins);
                begins = begins.saturating_add(block.whole());
            }
            blocks.retain(|block| block.size() > 0);
            blocks
        };
        let mut part = Self { segments: self.segments.map(cut), elsewhere: 0, ..self };
        part.elsewhere = before.saturating_add(whole.saturating_sub(part.planned()));
        part
    }

    /// How many endpoints are in other parts, saturating.
    pub fn elsewhere(&self) -> u64 {
        self.elsewhere
    }

    /// Tells plans apart: by their endpoints and the order of these, not by rates.
    pub fn digest(&self) -> u64 {
        use std::hash::{Hash as _, Hasher as _};
        let mut hasher = SipHasher13::new();
        for (segment, blocks) in self.segments.iter().enumerate() {
            for Block { range, protocol, ports, slice, .. } in blocks {
                let ports: Vec<(u16, u16)> = ports.ranges().collect();
                (segment, range, protocol, ports, slice).hash(&mut hasher);
            }
        }
        hasher.finish()
    }

    /// Every range of addresses, some perhaps more than once.
    pub fn ranges(&self) -> Vec<AddressRange> {
        let mut ranges: Vec<AddressRange> = self.segments.iter().flatten().map(|block| block.range).collect();
        ranges.sort_unstable();
        ranges.dedup();
        ranges
    }

    /// Whether any endpoint is of a protocol.
    pub fn has(&self, protocol: Protocol) -> bool {
        self.segments.iter().flatten().any(|block| block.protocol == protocol)
    }

    /// Every port that is asked over a protocol, of whatever address.
    pub fn ports(&self, protocol: Protocol) -> PortSet {
        let blocks = self.segments.iter().flatten().filter(|block| block.protocol == protocol);
        PortSet::from_ranges(blocks.flat_map(|block| block.ports.ranges()))
    }

    /// How many endpoints, saturating.
    pub fn planned(&self) -> u64 {
        self.segments.iter().flatten().fold(0u64, |sum, block| sum.saturating_add(block.size()))
    }

    /// Packets that asking everything once takes, saturating, where some UDP ports get several datagrams each.
    /// Of a shard, at most.
    pub fn packets(&self, datagrams: &BTreeMap<u16, u8>) -> u64 {
        let sum = |sum: u64, block: &Block| sum.saturating_add(block.packets(datagrams));
        self.segments.iter().flatten().fold(0, sum)
    }

    /// Where controls may be asked.
    pub(super) fn take_spare(&mut self) -> Vec<Spare> {
        std::mem::take(&mut self.spare)
    }

    /// The pieces in the order of their turn, each small enough to keep a ledger of: named endpoints
    /// first. Cut one at a time, since a large plan has more pieces than memory.
    pub(super) fn pieces(self, budget: Budget) -> Pieces {
        Pieces { segments: self.segments.map(VecDeque::from), budget }
    }
}

/// What of a plan has not been handed out yet.
#[derive(Debug)]
pub(super) struct Pieces {
    segments: [VecDeque<Block>; 3],
    budget: Budget,
}

impl Pieces {
    pub(super) fn is_empty(&self) -> bool {
        self.segments.iter().all(VecDeque::is_empty)
    }

    /// Hands out nothing more.
    pub(super) fn clear(&mut self) {
        self.segments.iter_mut().for_each(VecDeque::clear);
    }
}

impl Iterator for Pieces {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        let (segment, blocks) =
            self.segments.iter_mut().enumerate().find(|(_, blocks)| !blocks.is_empty())?;
        let blocks = cut(blocks, self.budget);
        (!blocks.is_empty()).then_some(Piece { blocks, named: segment == 0 })
    }
}

/// What one window may hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    pub(super) endpoints: u64,
    pub(super) addresses: u64,
}

/// A part of the plan that is walked as a whole.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) blocks: Vec<Block>,
    pub(super) named: bool,
}

impl Block {
    /// Its endpoints.
    pub(super) fn size(&self) -> u64 {
        self.slice.count(self.whole())
    }

    fn packets(&self, datagrams: &BTreeMap<u16, u8>) -> u64 {
        if self.protocol != Protocol::Udp {
            return self.size();
        }
        let here = datagrams.iter().filter(|(port, _)| self.ports.contains(**port));
        let (mut more, mut most) = (0u64, 1u64);
        for count in here.map(|(_, count)| u64::from(*count).max(1)) {
            (more, most) = (more + count - 1, most.max(count));
        }
        let whole = self.whole().saturating_add(self.addresses().saturating_mul(more));
        whole.min(self.size().saturating_mul(most))
    }

    /// The endpoints of it and of other shards.
    fn whole(&self) -> u64 {
        self.addresses().saturating_mul(u64::from(self.ports.len()))
    }

    pub(super) fn addresses(&self) -> u64 {
        u64::try_from(self.range.count()).unwrap_or(u64::MAX)
    }

    /// How many endpoints each of its addresses has, in order.
    pub(super) fn rows(&self) -> impl Iterator<Item = u32> + '_ {
        let ports = u64::from(self.ports.len());
        let below = move |row: u64| self.slice.count(row.saturating_mul(ports));
        (0..self.addresses()).map(move |row| u32::try_from(below(row + 1) - below(row)).unwrap_or(u32::MAX))
    }

    /// The `n`th endpoint: addresses in order, the ports of one address beside each other.
    #[inline]
    pub(super) fn nth(&self, n: u64) -> Option<(u64, Endpoint)> {
        let n = self.slice.nth(n);
        let ports = self.ports.len().max(1);
        // Nearly every window fits into 32 bits, where a division costs a third.
        let (row, rank) = match u32::try_from(n) {
            Ok(n) => (u64::from(n / ports), n % ports),
            Err(_) => (n / u64::from(ports), u32::try_from(n % u64::from(ports)).ok()?),
        };
        let port = self.ports.nth(rank)?;
        let address = self.range.nth(u128::from(row))?;
        Some((row, Endpoint { address, protocol: self.protocol, port }))
    }

    /// The place of an endpoint, the inverse of [`Self::nth`]: its address's row, and its number.
    pub(super) fn rank(&self, endpoint: Endpoint) -> Option<(u64, u64)> {
        if endpoint.protocol != self.protocol {
            return None;
        }
        let row = u64::try_from(self.range.rank(endpoint.address)?).ok()?;
        let rank = u64::from(self.ports.rank(endpoint.port)?);
        Some((row, self.slice.rank(row * u64::from(self.ports.len()) + rank)?))
    }

    /// Cuts the first addresses off; `None` when nothing would be left of either part.
    fn split_at(&self, addresses: u64) -> Option<(Self, Self)> {
        let (head, tail) = self.range.split_at(u128::from(addresses))?;
        let slice = self.slice.from(addresses.saturating_mul(self.ports.len().into()));
        Some((Self { range: head, ..self.clone() }, Self { range: tail, slice, ..self.clone() }))
    }
}

/// Cuts the next blocks off at an address boundary, as many as are within the budget. One address
/// always fits: it has at most 65,535 ports.
fn cut(blocks: &mut VecDeque<Block>, budget: Budget) -> Vec<Block> {
    let mut piece = Vec::new();
    let (mut endpoints, mut addresses) = (0u64, 0u64);
    while let Some(block) = blocks.pop_front() {
        let each = block.slice.most(block.ports.len().into()).max(1);
        let fits = (budget.endpoints.saturating_sub(endpoints) / each)
            .min(budget.addresses.saturating_sub(addresses));
        if fits >= block.addresses() {
            endpoints += block.size();
            addresses += block.addresses();
            piece.push(block);
            continue;
        }
        let take = if piece.is_empty() { fits.max(1) } else { fits };
        match block.split_at(take) {
            Some((head, tail)) => {
                blocks.push_front(tail);
                piece.push(head);
            }
            None if take == 0 => blocks.push_front(block),
            None => piece.push(block),
        }
        break;
    }
    piece
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{Scope, ScopeEntry};

    fn permit(block: &str) -> Permit {
        let block = block.parse().unwrap();
        let scope = Scope { entries: vec![ScopeEntry::Block(block)], exclude: vec![] };
        scope.authorize_block(block).0.remove(0)
    }

    #[test]
    fn a_port_that_gets_several_datagrams_takes_several_packets_and_no_shard_more_than_is_said() {
        let mut plan = Plan::default();
        let ports = |text| PortSet::parse(text).unwrap();
        plan.add(&permit("10.0.0.0/30"), Protocol::Tcp, ports("53"), ports("80"), None);
        plan.add(&permit("10.0.1.0/30"), Protocol::Udp, ports("53"), ports("1-9,161"), None);
        let datagrams = BTreeMap::from([(53, 2), (161, 3), (500, 2)]);
        assert_eq!((plan.packets(&BTreeMap::new()), plan.packets(&datagrams)), (52, 52 + 4 + 8));
        for parts in ["1/2", "2/2", "3/5", "60/60"] {
            let part = plan.clone().part(parts.parse().unwrap());
            let endpoints = part
                .segments
                .iter()
                .flatten()
                .flat_map(|block| (0..block.size()).map(|n| block.nth(n).unwrap().1));
            let packets = endpoints.map(|endpoint| match endpoint.protocol {
                Protocol::Tcp => 1,
                Protocol::Udp => u64::from(datagrams.get(&endpoint.port).copied().unwrap_or(1)),
            });
            assert!(packets.sum::<u64>() <= part.packets(&datagrams), "{parts}");
        }
    }

    #[test]
    fn pieces_cover_every_endpoint_exactly_once_whatever_the_budget() {
        for (endpoints, addresses) in [(1, 1), (7, 100), (100, 3), (1000, 1000), (64, 2)] {
            let mut plan = Plan::default();
            plan.add(
                &permit("10.0.0.0/28"),
                Protocol::Tcp,
                PortSet::parse("80,443").unwrap(),
                PortSet::parse("1-9").unwrap(),
                None,
            );
            plan.add(
                &permit("10.0.1.0/30"),
                Protocol::Tcp,
                PortSet::NONE,
                PortSet::parse("5").unwrap(),
                None,
            );
            let planned = plan.planned();
            let mut seen = std::collections::BTreeSet::new();
            let mut named_over = false;
            for piece in plan.pieces(Budget { endpoints, addresses }) {
                assert!(!(named_over && piece.named), "named endpoints go first");
                named_over |= !piece.named;
                for block in &piece.blocks {
                    for n in 0..block.size() {
                        let (row, endpoint) = block.nth(n).unwrap();
                        assert_eq!(block.rank(endpoint), Some((row, n)));
                        assert!(seen.insert(endpoint), "{endpoint} twice");
                    }
                }
            }
            assert_eq!(seen.len() as u64, planned);
            assert_eq!(planned, 16 * 11 + 4);
        }
    }

    #[test]
    fn a_plan_of_four_billion_addresses_is_cut_as_it_is_asked() {
        let mut plan = Plan::default();
        plan.add(&permit("2001:db8::/96"), Protocol::Tcp, PortSet::single(443), PortSet::NONE, None);
        let mut pieces = plan.pieces(Budget { endpoints: 64, addresses: 64 });
        let first: Vec<u64> = pieces.by_ref().take(3).map(|piece| piece.blocks[0].size()).collect();
        assert_eq!(first, [64, 64, 64]);
        assert!(!pieces.is_empty());
        pieces.clear();
        assert!(pieces.next().is_none());
    }

    fn ports() -> impl Strategy<Value = PortSet> {
        proptest::collection::vec((1u16..60, 0u16..9), 0..4).prop_map(|runs| {
            PortSet::from_ranges(runs.into_iter().map(|(first, more)| (first, first + more)))
        })
    }

    proptest! {
        #[test]
        fn shards_are_disjoint_complete_and_alike_in_size_whatever_the_windows(
            blocks in proptest::collection::vec((0u8..5, ports(), ports()), 1..5),
            parts in prop_oneof![1u32..9, Just(64), Just(100_000)],
            endpoints in prop_oneof![1u64..50, Just(1 << 20)],
            addresses in prop_oneof![1u64..5, Just(1 << 20)],
        ) {
            let mut plan = Plan::default();
            for (i, (bits, named, rest)) in blocks.into_iter().enumerate() {
                let block = format!("10.0.{i}.0/{}", 32 - bits);
                plan.add(&permit(&block), Protocol::Tcp, named.clone(), rest.difference(&named), None);
            }
            let mut seen = BTreeMap::new();
            let mut sizes = Vec::new();
            for part in (1..=parts).filter(|part| parts < 100 || part % 977 == 1 || *part < 3000) {
                let shard: Shard = format!("{part}/{parts}").parse().unwrap();
                let own = plan.clone().part(shard);
                prop_assert_eq!(own.planned() + own.elsewhere(), plan.planned());
                sizes.push(own.planned());
                let mut found = 0;
                for piece in own.clone().pieces(Budget { endpoints, addresses }) {
                    for block in &piece.blocks {
                        let mut rows: Vec<u32> = block.rows().collect();
                        prop_assert_eq!(rows.iter().map(|&n| u64::from(n)).sum::<u64>(), block.size());
                        for n in 0..block.size() {
                            let (row, endpoint) = block.nth(n).unwrap();
                            prop_assert_eq!(block.rank(endpoint), Some((row, n)));
                            rows[usize::try_from(row).unwrap()] -= 1;
                            prop_assert!(seen.insert(endpoint, piece.named).is_none(), "{endpoint} twice");
                            found += 1;
                        }
                        prop_assert!(rows.iter().all(|&left| left == 0), "each row holds what is its own");
                    }
                }
                prop_assert_eq!(found, own.planned());
            }
            if parts < 100 {
                prop_assert_eq!(seen.len() as u64, plan.planned());
                // Named endpoints and the rest are dealt out apart.
                prop_assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 2);
            }
        }
    }
}
