//! What a scan covers, as rectangles of addresses and ports. Made of permits, so nothing outside the
//! authorized scope can get into it.

use std::sync::Arc;

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

    /// How many endpoints, saturating.
    pub fn planned(&self) -> u64 {
        self.named.iter().chain(&self.rest).fold(0u64, |sum, block| sum.saturating_add(block.size()))
    }

    /// The pieces in the order of their turn, each small enough to keep a ledger of: named endpoints first.
    pub(super) fn pieces(self, budget: Budget) -> Vec<Piece> {
        let named = cut(self.named, true, budget);
        let rest = cut(self.rest, false, budget);
        named.into_iter().chain(rest).collect()
    }
}

/// What one window may hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    pub(super) endpoints: u64,
    pub(super) addresses: u64,
}

/// A part of the plan that is walked as a whole.
#[derive(Clone, Debug, Default)]
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
        let ports = u64::from(self.ports.len()).max(1);
        let (row, rank) = (n / ports, n % ports);
        let port = self.ports.nth(u32::try_from(rank).ok()?)?;
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

/// Cuts blocks at address boundaries and packs them into pieces within the budget. One address always
/// fits: it has at most 65,535 ports.
fn cut(blocks: Vec<Block>, named: bool, budget: Budget) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut piece = Piece { blocks: Vec::new(), named };
    let (mut endpoints, mut addresses) = (0u64, 0u64);
    for mut block in blocks {
        loop {
            let ports = u64::from(block.ports.len()).max(1);
            let fits = ((budget.endpoints.saturating_sub(endpoints)) / ports)
                .min(budget.addresses.saturating_sub(addresses));
            if fits >= block.addresses() {
                endpoints += block.size();
                addresses += block.addresses();
                piece.blocks.push(block);
                break;
            }
            let take = if fits == 0 && piece.blocks.is_empty() { 1 } else { fits };
            let remainder = match block.range.split_at(u128::from(take)) {
                Some((head, tail)) => {
                    piece.blocks.push(Block { range: head, ..block.clone() });
                    Some(Block { range: tail, ..block.clone() })
                }
                None if take == 0 => Some(block.clone()),
                None => {
                    piece.blocks.push(block.clone());
                    None
                }
            };
            pieces.push(std::mem::replace(&mut piece, Piece { blocks: Vec::new(), named }));
            (endpoints, addresses) = (0, 0);
            match remainder {
                Some(tail) => block = tail,
                None => break,
            }
        }
    }
    if !piece.blocks.is_empty() {
        pieces.push(piece);
    }
    pieces
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
}
