//! Which way each destination is reached, asked of the kernel for every one of them before the first
//! probe: the wrong interface is the longest complaint list of other raw scanners.

use std::{
    collections::{HashMap, HashSet},
    io,
    net::IpAddr,
};

use super::kernel::{Kernel, Route, Wish};
use crate::model::{AddressRange, LocalError};

/// The ways of a plan, by ranges of addresses.
#[derive(Debug, Default)]
pub(super) struct Paths {
    runs: Vec<Run>,
    pub(super) routes: Vec<Route>,
}

/// Addresses that lie side by side and are reached the same way.
#[derive(Debug)]
struct Run {
    first: IpAddr,
    last: IpAddr,
    route: Result<usize, LocalError>,
}

/// Addresses that are asked about at once, where no route is more specific than their block.
const CHUNK: u32 = 8;

impl Paths {
    /// Asks the kernel about every address of the ranges.
    pub(super) fn find(kernel: &mut Kernel, ranges: &[AddressRange], wish: &Wish) -> io::Result<Self> {
        // Link-local addresses side by side may be on different links.
        let mut special: HashSet<_> = wish.zones.keys().map(|address| chunk((*address).into())).collect();
        for ipv6 in [false, true] {
            if ranges.iter().any(|range| range.first().is_ipv6() == ipv6) {
                let bits = if ipv6 { 128 } else { 32 };
                let prefixes = kernel.prefixes(ipv6)?;
                let long = prefixes.into_iter().filter(|(_, length)| u32::from(*length) > bits - CHUNK);
                special.extend(long.map(|(address, _)| chunk(address)));
            }
        }
        let mut paths = Self::default();
        let mut known = HashMap::new();
        for range in ranges {
            let mut rest = Some(*range);
            while let Some(range) = rest {
                let here = chunk(range.first());
                let size = if special.contains(&here) { 1 } else { (1 << CHUNK) - low(range.first()) };
                let (head, tail) = match range.split_at(u128::from(size)) {
                    Some((head, tail)) => (head, Some(tail)),
                    None => (range, None),
                };
                let route = kernel.route(head.first(), wish).map(|route| {
                    *known.entry(route).or_insert_with(|| {
                        paths.routes.push(route);
                        paths.routes.len() - 1
                    })
                });
                paths.push(head, route);
                rest = tail;
            }
        }
        paths.runs.sort_by_key(|run| run.first);
        Ok(paths)
    }

    /// The way to an address: the index of its route, or why there is none.
    pub(super) fn of(&self, address: IpAddr) -> Result<usize, LocalError> {
        let at = self.runs.partition_point(|run| run.first <= address);
        let run = at.checked_sub(1).and_then(|at| self.runs.get(at));
        run.filter(|run| address <= run.last).map_or(Err(LocalError::NoRoute), |run| run.route)
    }

    fn push(&mut self, range: AddressRange, route: Result<usize, LocalError>) {
        if let Some(run) = self.runs.last_mut()
            && run.route == route
            && follows(run.last, range.first())
        {
            run.last = range.last();
            return;
        }
        self.runs.push(Run { first: range.first(), last: range.last(), route });
    }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(ip) => ip.to_bits().into(),
        IpAddr::V6(ip) => ip.to_bits(),
    }
}

fn low(address: IpAddr) -> u32 {
    u32::try_from(bits(address) & ((1 << CHUNK) - 1)).unwrap_or(0)
}

/// The aligned block of 256 addresses in which an address lies.
fn chunk(address: IpAddr) -> (bool, u128) {
    (address.is_ipv6(), bits(address) >> CHUNK)
}

fn follows(last: IpAddr, next: IpAddr) -> bool {
    last.is_ipv4() == next.is_ipv4() && bits(last).checked_add(1) == Some(bits(next))
}
