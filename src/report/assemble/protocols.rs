//! Control totals address by address and protocol by protocol, and over which ports.

use std::{collections::BTreeMap, net::IpAddr};

use super::super::sources::ProtocolCoverage;
use crate::{
    model::{PortSet, Protocol, Tally},
    spec::{
        manifest::Manifest,
        plan::{Group, Plan},
    },
    verify::Seen,
};

/// The ports planned at any address of each target, TCP and UDP.
pub(super) fn targets(manifest: &Manifest, plan: &Plan) -> BTreeMap<usize, [PortSet; 2]> {
    let mut asked: BTreeMap<usize, [PortSet; 2]> = plan
        .targets
        .iter()
        .filter(|t| manifest.targets.get(**t).is_some())
        .map(|t| (*t, <_>::default()))
        .collect();
    for group in &plan.groups {
        let sets = [group.tcp.planned(), group.udp.planned()];
        for owner in &group.owners {
            if let Some(known) = asked.get_mut(&owner.target) {
                for (known, set) in known.iter_mut().zip(&sets) {
                    if known != set {
                        *known = known.union(set);
                    }
                }
            }
        }
    }
    asked
}

/// What the scan says of each address.
pub(super) struct Protocols<'a> {
    plan: &'a Plan,
    tallies: BTreeMap<(IpAddr, Protocol), &'a Tally>,
    /// By the first address of a group: the ports asked there, where the targets' sets do not say so.
    odd: BTreeMap<(IpAddr, Protocol), String>,
}

impl<'a> Protocols<'a> {
    pub(super) fn new(plan: &'a Plan, seen: &Seen<'a>, asked: &BTreeMap<usize, [PortSet; 2]>) -> Self {
        let tallies = seen.tallies.iter().map(|tally| ((tally.address, tally.protocol), tally)).collect();
        let mut odd = BTreeMap::new();
        for group in &plan.groups {
            for (i, protocol) in [Protocol::Tcp, Protocol::Udp].into_iter().enumerate() {
                let ask = group.ask(protocol);
                let own = ask.planned().difference(&ask.blind);
                if own != of_targets(group, asked, i) {
                    odd.insert((group.permit.range().first(), protocol), own.to_string());
                }
            }
        }
        Self { plan, tallies, odd }
    }

    /// `None`: nothing was asked there.
    pub(super) fn of(&self, address: IpAddr, protocol: Protocol) -> Option<ProtocolCoverage> {
        let tally = self.tallies.get(&(address, protocol))?;
        let first = self.plan.group(address)?.permit.range().first();
        Some(ProtocolCoverage::of(tally, self.odd.get(&(first, protocol)).cloned()))
    }
}

/// All that the targets of a group have for it.
fn of_targets(group: &Group, asked: &BTreeMap<usize, [PortSet; 2]>, i: usize) -> PortSet {
    let sets = group.owners.iter().filter_map(|owner| asked.get(&owner.target)?.get(i));
    sets.fold(PortSet::NONE, |all, set| if all.is_empty() { set.clone() } else { all.union(set) })
}
