//! On which link each link-local address of a plan is (RFC 4007 section 11). Never guesses one: the same
//! address may be another machine on the next link.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv6Addr},
};

use super::{
    manifest::{Host, Manifest},
    plan::{Group, Plan, PlanError},
};

/// The zones of what is asked. Without one, a link-local address needs the whole run's `interface`.
pub(super) fn of(
    manifest: &Manifest,
    groups: &[Group],
    interface: Option<&str>,
) -> Result<BTreeMap<Ipv6Addr, String>, PlanError> {
    let mut zones = BTreeMap::new();
    for group in groups.iter().filter(|group| !group.missing_family) {
        for owner in &group.owners {
            let entry = manifest.targets.get(owner.target).and_then(|target| target.hosts.get(owner.host));
            let Some(Host::Local { address, zone }) = entry.map(|entry| &entry.host) else { continue };
            if let Some(one) = zones.insert(*address, zone.clone()).filter(|one| one != zone) {
                return Err(PlanError::TwoZones { address: *address, one, other: zone.clone() });
            }
        }
        let range = group.permit.range();
        for end in [range.first(), range.last()] {
            // A group of several addresses is of a block, which has no zone.
            if let IpAddr::V6(address) = end
                && address.is_unicast_link_local()
                && interface.is_none()
                && !zones.contains_key(&address)
            {
                return Err(PlanError::NoZone(address));
            }
        }
    }
    Ok(zones)
}

impl Plan {
    /// An address for a reader: with its zone, where it has one.
    pub fn spoken(&self, address: IpAddr) -> String {
        match address {
            IpAddr::V6(v6) => self.zones.get(&v6).map(|zone| format!("{v6}%{zone}")),
            IpAddr::V4(_) => None,
        }
        .unwrap_or_else(|| address.to_string())
    }
}
