//! What a scan covers, as rectangles of addresses and ports. Made of permits, so nothing outside the
//! authorized scope can get into it.

use std::{collections::VecDeque, sync::Arc};

use crate::model::{AddressRange, Endpoint, Permit, PortSet, Protocol};

/// The endpoints of a scan. Those that the manifest names are asked first.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    named: Vec<Block>,
    rest: Vec<Block>,
}

/// A run of addresses times a set of ports: `count() x ports.len()` endpoints.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) range: AddressRange,
    pub(super) protocol: Protocol,
    pub(super) ports: Arc<PortSet>,
    /// Probes a second to one of its addresses.
    pub(super) rate: Option<u64>,
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
        for (ports, blocks) in [(named, &mut self.named), (rest, &mut self.rest)] {
            if !ports.is_empty() {
                blocks.push(Block { range, protocol, ports: Arc::new(ports), rate });
            }
        }
    }

    /// Every range of addresses, some perhaps more than once.
    pub fn ranges(&self) -> Vec<AddressRange> {
        let mut ranges: Vec<AddressRange> =
            self.named.iter().chain(&self.rest).map(|block| block.range).collect();
        ranges.sort_unstable();
        ranges.dedup();
        ranges
    }

    /// How many endpoints, saturating.
    pub fn planned(&self) -> u64 {
        self.named.iter().chain(&self.rest).fold(0u64, |sum, block| sum.saturating_add(block.size()))
    }

    /// The pieces in the order of their turn, each small enough to keep a ledger of: named endpoints
    /// first. Cut one at a time, since a large plan has more pieces than memory.
    pub(super) fn pieces(self, budget: Budget) -> Pieces {
        Pieces { named: self.named.into(), rest: self.rest.into(), budget }
    }
}

/// What of a plan has not been handed out yet.
#[derive(Debug)]
pub(super) struct Pieces {
    named: VecDeque<Block>,
    rest: VecDeque<Block>,
    budget: Budget,
}

impl Pieces {
    pub(super) fn is_empty(&self) -> bool {
        self.named.is_empty() && self.rest.is_empty()
    }

    /// Hands out nothing more.
    pub(super) fn clear(&mut self) {
        self.named.clear();
        self.rest.clear();
    }
}

impl Iterator for Pieces {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        let named = !self.named.is_empty();
        let blocks = if named { &mut self.named } else { &mut self.rest };
        let blocks = cut(blocks, self.budget);
        (!blocks.is_empty()).then_some(Piece { blocks, named })
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
    pub(super) fn size(&self) -> u64 {
        self.addresses().saturating_mul(u64::from(self.ports.len()))
    }

    pub(super) fn addresses(&self) -> u64 {
        u64::try_from(self.range.count()).unwrap_or(u64::MAX)
    }

    /// The `n`th endpoint: addresses in order, the ports of one address beside each other.
    #[inline]
    pub(super) fn nth(&self, n: u64) -> Option<(u64, Endpoint)> {
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
        Some((row, row * u64::from(self.ports.len()) + rank))
    }
}

/// Cuts the next blocks off at an address boundary, as many as are within the budget. One address
/// always fits: it has at most 65,535 ports.
fn cut(blocks: &mut VecDeque<Block>, budget: Budget) -> Vec<Block> {
    let mut piece = Vec::new();
    let (mut endpoints, mut addresses) = (0u64, 0u64);
    while let Some(block) = blocks.pop_front() {
        let ports = u64::from(block.ports.len()).max(1);
        let fits = (budget.endpoints.saturating_sub(endpoints) / ports)
            .min(budget.addresses.saturating_sub(addresses));
        if fits >= block.addresses() {
            endpoints += block.size();
            addresses += block.addresses();
            piece.push(block);
            continue;
        }
        let take = if piece.is_empty() { fits.max(1) } else { fits };
        match block.range.split_at(u128::from(take)) {
            Some((head, tail)) => {
                blocks.push_front(Block { range: tail, ..block.clone() });
                piece.push(Block { range: head, ..block });
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
    use super::*;
    use crate::model::{Scope, ScopeEntry};

    fn permit(block: &str) -> Permit {
        let block = block.parse().unwrap();
        let scope = Scope { entries: vec![ScopeEntry::Block(block)], exclude: vec![] };
        scope.authorize_block(block).0.remove(0)
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
}
