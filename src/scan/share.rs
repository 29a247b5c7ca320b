//! How fast a window may walk so that no address gets more than its own limit.

use super::{config::Config, plan::Block, row::Row};
use crate::model::{AddressRange, Protocol};

/// The order spreads the probes, so an address sees its share of the unsettled endpoints: the window's
/// rate follows from the address for which limit and share are tightest.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Share {
    /// The tightest limit, and the endpoints of its address; `None`: no address has a limit.
    tightest: Option<(u64, u64)>,
    /// Endpoints that the pass still asks.
    live: u64,
}

/// Second looks get a sixteenth of an address's rate, for each protocol, and for named and unnamed
/// endpoints apart; the walk leaves them a quarter.
const LOOKS: u64 = 16;
const REST: (u128, u128) = (3, 4);

impl Share {
    /// The share of a pass that begins: blocks with their first index and row, ordered by protocol
    /// and address.
    pub(super) fn new(blocks: &[Block], starts: &[(u64, usize)], rows: &[Row], config: &Config) -> Self {
        let live = rows.iter().map(Row::live).sum();
        let mut tightest: Option<(u64, u64)> = None;
        for (block, (_, first_row)) in blocks.iter().zip(starts) {
            let Some(limit) = limit(block, config) else { continue };
            let mut twins = twins(blocks, starts, block).into_iter().peekable();
            let mut most = 0;
            for (row, n) in rows.iter().skip(*first_row).zip(0..block.addresses()) {
                while twins.next_if(|(first, count, _)| first + count <= n).is_some() {}
                let twin = twins.peek().and_then(|(first, _, row)| {
                    rows.get(row + usize::try_from(n.checked_sub(*first)?).ok()?)
                });
                most = most.max(row.live() + twin.map_or(0, Row::live));
            }
            let is_tighter = |(other, size): (u64, u64)| {
                u128::from(limit) * u128::from(size) < u128::from(other) * u128::from(most)
            };
            if most > 0 && tightest.is_none_or(is_tighter) {
                tightest = Some((limit, most));
            }
        }
        Self { tightest, live }
    }

    /// Takes out endpoints that will not be asked after all.
    pub(super) fn without(&mut self, endpoints: u64) {
        self.live = self.live.saturating_sub(endpoints);
    }

    /// The rate of the walk; `looking`: second looks go to its addresses as well.
    pub(super) fn rate(&self, looking: bool) -> Option<u64> {
        let (limit, most) = self.tightest?;
        let (part, whole) = if looking { REST } else { (1, 1) };
        let rate = u128::from(limit) * u128::from(self.live) * part / (u128::from(most) * whole);
        Some(u64::try_from(rate).unwrap_or(u64::MAX).max(1))
    }
}

/// The limit of one address of a block.
pub(super) fn limit(block: &Block, config: &Config) -> Option<u64> {
    [config.rate.per_address, block.rate].into_iter().flatten().min().map(|limit| limit.max(1))
}

/// How far apart second looks at one address of a block are.
pub(super) fn look_spacing(block: &Block, config: &Config) -> std::time::Duration {
    limit(block, config).map_or(std::time::Duration::ZERO, |limit| {
        std::time::Duration::from_nanos((1_000_000_000 * LOOKS).div_ceil(limit))
    })
}

/// How far apart probes to one address of a block are.
pub(super) fn spacing(block: &Block, config: &Config) -> std::time::Duration {
    limit(block, config).map_or(std::time::Duration::ZERO, |limit| {
        std::time::Duration::from_nanos(1_000_000_000_u64.div_ceil(limit))
    })
}

/// The rows of the other protocol for the addresses of a block: from which of its addresses on, how
/// many, and their first row.
fn twins(blocks: &[Block], starts: &[(u64, usize)], block: &Block) -> Vec<(u64, u64, usize)> {
    let other = match block.protocol {
        Protocol::Tcp => Protocol::Udp,
        Protocol::Udp => Protocol::Tcp,
    };
    overlapping(blocks, other, block.range)
        .filter_map(|at| {
            let (twin, (_, first_row)) = (blocks.get(at)?, starts.get(at)?);
            let both = twin.range.intersection(block.range)?;
            let from = u64::try_from(block.range.rank(both.first())?).ok()?;
            let into = usize::try_from(twin.range.rank(both.first())?).ok()?;
            Some((from, u64::try_from(both.count()).ok()?, first_row + into))
        })
        .collect()
}

/// The places of the blocks of a protocol that share addresses with a range. Blocks are ordered by
/// protocol and address and disjoint within a protocol.
pub(super) fn overlapping(
    blocks: &[Block],
    protocol: Protocol,
    range: AddressRange,
) -> impl Iterator<Item = usize> + '_ {
    let first =
        blocks.partition_point(|block| (block.protocol, block.range.last()) < (protocol, range.first()));
    (first..blocks.len()).take_while(move |&at| {
        blocks
            .get(at)
            .is_some_and(|block| block.protocol == protocol && block.range.intersection(range).is_some())
    })
}
