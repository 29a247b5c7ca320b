//! What belongs to the targets that `--only` leaves out. An address belongs to the most specific entry of the manifest,
//! however little of it is selected: what another target holds there is not asked, since nobody would be there to
//! judge it by.
//!
//! Nothing is resolved for this. A name of a target that was left out is known by its `expect_dns`, and by what it
//! resolved to where a selected target has the same name.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use ipnet::IpNet;

use super::{
    manifest::{Host, Manifest, Target},
    resolution::Answers,
};
use crate::model::{AddressRange, Family, PortSet, Protocol};

/// The targets that were not selected, by what they hold.
#[derive(Default)]
pub(super) struct Others<'a> {
    addresses: BTreeMap<IpAddr, Vec<&'a Target>>,
    blocks: BTreeMap<IpNet, Vec<&'a Target>>,
}

impl<'a> Others<'a> {
    /// Of a manifest of which these targets are in the run.
    pub(super) fn of(manifest: &'a Manifest, selected: &[usize], answers: &Answers<'_>) -> Self {
        let selected: BTreeSet<usize> = selected.iter().copied().collect();
        let mut others = Self::default();
        for (_, target) in manifest.targets.iter().enumerate().filter(|(i, _)| !selected.contains(i)) {
            for entry in &target.hosts {
                match &entry.host {
                    Host::Block(block) => {
                        others.blocks.entry(block.trunc()).or_default().push(target);
                    }
                    Host::Address(address) => others.hold(target, *address),
                    Host::Local { address, .. } => others.hold(target, (*address).into()),
                    Host::Name(name) => {
                        let resolved = [Family::Ipv4, Family::Ipv6]
                            .into_iter()
                            .filter_map(|family| answers.of(name, family))
                            .flat_map(|answer| &answer.addresses);
                        resolved.chain(&target.expect_dns).for_each(|address| others.hold(target, *address));
                    }
                }
            }
        }
        others
    }

    fn hold(&mut self, target: &'a Target, address: IpAddr) {
        self.addresses.entry(address).or_default().push(target);
    }

    /// Who holds this very address as well.
    pub(super) fn at(&self, address: IpAddr) -> &[&'a Target] {
        self.addresses.get(&address).map_or(&[], Vec::as_slice)
    }

    /// Who holds this very block as well.
    pub(super) fn on(&self, block: IpNet) -> &[&'a Target] {
        self.blocks.get(&block.trunc()).map_or(&[], Vec::as_slice)
    }

    /// The parts of a block that a more specific entry of somebody else holds.
    pub(super) fn within(&self, block: IpNet) -> impl Iterator<Item = (AddressRange, &'a Target)> {
        let range = AddressRange::of(block);
        let addresses = self.addresses.range(range.first()..=range.last());
        let addresses = addresses.map(|(address, targets)| (AddressRange::single(*address), targets));
        let nested = move |inner: &&IpNet| inner.prefix_len() > block.prefix_len() && block.contains(*inner);
        let blocks = self.blocks.iter().filter(move |(inner, _)| nested(inner));
        let blocks = blocks.map(|(inner, targets)| (AddressRange::of(*inner), targets));
        addresses.chain(blocks).filter_map(|(part, targets)| Some((part, *targets.first()?)))
    }
}

/// The ports that these expect to be open.
pub(super) fn exposed(targets: &[&Target], protocol: Protocol) -> PortSet {
    let entries = targets.iter().flat_map(|target| &target.expose);
    let entries = entries.filter(|entry| entry.protocol == protocol);
    entries.fold(PortSet::NONE, |all, entry| all.union(&entry.ports))
}
