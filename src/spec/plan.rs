//! Who is asked what, and by which leave: the manifest and what its names resolved to become groups
//! of addresses that are judged alike. Nothing without a permit from the scope gets into a group.

use std::{
    collections::{BTreeMap, HashSet},
    net::{IpAddr, Ipv6Addr},
};

use ipnet::IpNet;

pub use super::unplannable::PlanError;
use super::{
    manifest::{Host, Manifest, Target},
    others::Others,
    planner::Planner,
    resolution::Resolution,
    zones,
};
use crate::model::{Family, Permit, PortSet, Protocol, Refusal, Scope, ScopeEntry};

/// More endpoints than anybody scans by accident: four IPv4 /16 on every port.
const MANY_ENDPOINTS: u128 = 1 << 34;

/// What the operator selected on the command line.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// `--only`: target ids, or tags as `tag:T`; empty: everything.
    pub only: Vec<String>,
    /// `--exclude`: taken out besides `authorization.exclude`.
    pub exclude: Vec<ScopeEntry>,
    /// `--families`; `None`: as the manifest says.
    pub families: Option<Vec<Family>>,
    /// `--tcp`; `None`: as the manifest says.
    pub tcp: Option<Asked>,
    /// `--udp`; `None`: as the manifest says.
    pub udp: Option<Asked>,
    /// `--vantage`, else the manifest's.
    pub vantage: Option<String>,
    /// `--interface`: the link of every link-local address without a zone.
    pub interface: Option<String>,
    /// `--i-know-this-is-large`.
    pub large: bool,
}

/// A port set from the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// These ports, and no others.
    Ports(PortSet),
    /// What each target names.
    Declared,
}

/// What a run will do: every address, in numeric order, exactly once.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Disjoint, ordered by address.
    pub groups: Vec<Group>,
    /// Names of the selected targets that led to no probe in some family, and why that may matter.
    pub refused: Vec<Refused>,
    /// What is left out on purpose, for the reader of the report.
    pub left_out: Vec<LeftOut>,
    /// Indices of the targets that are in the run.
    pub targets: Vec<usize>,
    /// The interfaces, as written, behind the link-local addresses.
    pub zones: BTreeMap<Ipv6Addr, String>,
}

impl Plan {
    /// The group that an address belongs to. Groups are disjoint and ordered.
    pub fn group(&self, address: IpAddr) -> Option<&Group> {
        let i =
            self.groups.partition_point(|group| group.permit.range().first() <= address).checked_sub(1)?;
        self.groups.get(i).filter(|group| group.permit.range().contains(address))
    }
}

/// A run of addresses that belong to the same entries and are judged alike.
#[derive(Clone, Debug)]
pub struct Group {
    /// The addresses, and by which leave they may be probed.
    pub permit: Permit,
    /// The entries that claim them: names and literals that share an address pool their ports.
    pub owners: Vec<Owner>,
    /// The TCP ports asked.
    pub tcp: Ask,
    /// The UDP ports asked.
    pub udp: Ask,
    /// Silence there conforms.
    pub expect_dark: bool,
    /// The vantage has no addresses of this family: planned, and not probed.
    pub missing_family: bool,
}

impl Group {
    /// The ports asked for a protocol.
    pub fn ask(&self, protocol: Protocol) -> &Ask {
        match protocol {
            Protocol::Tcp => &self.tcp,
            Protocol::Udp => &self.udp,
        }
    }

    /// Planned endpoints of the group.
    pub fn planned(&self) -> u128 {
        let ports = self.tcp.planned().len() + self.udp.planned().len();
        self.permit.range().count().saturating_mul(u128::from(ports))
    }
}

/// The ports asked of each address of a group for one protocol.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ask {
    /// Ports that a target names; asked first.
    pub named: PortSet,
    /// The rest of the port set; no port is in both.
    pub rest: PortSet,
    /// Planned ports, of either, that this vantage can't see: not probed, not covered.
    pub blind: PortSet,
}

impl Ask {
    /// Every planned port.
    pub fn planned(&self) -> PortSet {
        self.named.union(&self.rest)
    }
}

/// One host entry of one target, by index into the manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Owner {
    /// Index into `Manifest::targets`.
    pub target: usize,
    /// Index into `Target::hosts`.
    pub host: usize,
}

/// An address that a name resolved to and that may not be probed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Whose name it is.
    pub owner: Owner,
    /// Where it leads.
    pub address: IpAddr,
    /// Why not.
    pub why: Refusal,
}

/// Something left out, for the reader of the report.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // the words say it
pub struct LeftOut {
    pub what: String,
    pub why: String,
}

/// Plans a run. `forbidden` gives the ports that a target's role profiles deny: they are asked too.
pub fn plan(
    manifest: &Manifest,
    resolution: &Resolution,
    selection: &Selection,
    forbidden: &dyn Fn(&Target, Protocol) -> PortSet,
) -> Result<Plan, PlanError> {
    let mut scope = manifest.authorization.scope.clone();
    scope.exclude.extend(selection.exclude.iter().cloned());
    let mut planner = Planner {
        manifest,
        selection,
        forbidden,
        scope,
        plan: Plan::default(),
        known_left_out: HashSet::new(),
    };
    planner.check_vantage()?;
    planner.plan.targets = planner.selected()?;
    let answers = resolution.index();
    let mut singles: BTreeMap<IpAddr, Vec<(Owner, Permit)>> = BTreeMap::new();
    let mut blocks: BTreeMap<IpNet, Vec<Owner>> = BTreeMap::new();
    for t in planner.plan.targets.clone() {
        let Some(target) = manifest.targets.get(t) else { continue };
        for (h, entry) in target.hosts.iter().enumerate() {
            let owner = Owner { target: t, host: h };
            match &entry.host {
                Host::Block(block) => {
                    planner.check_size(target, entry, *block)?;
                    if planner.families(target).contains(&Family::of(block.addr())) {
                        blocks.entry(*block).or_default().push(owner);
                    }
                }
                Host::Address(address) => planner.claim_literal(target, owner, *address, &mut singles),
                Host::Local { address, .. } => {
                    planner.claim_literal(target, owner, (*address).into(), &mut singles);
                }
                Host::Name(name) => planner.claim_name(target, owner, name, &answers, &mut singles),
            }
        }
    }
    let others = Others::of(manifest, &planner.plan.targets, &answers);
    planner.group(singles, blocks, &others);
    planner.plan.zones = zones::of(manifest, &planner.plan.groups, selection.interface.as_deref())?;
    let endpoints = planner.plan.groups.iter().map(Group::planned).fold(0u128, u128::saturating_add);
    if endpoints > MANY_ENDPOINTS && !selection.large {
        return Err(PlanError::ManyEndpoints(endpoints));
    }
    if endpoints > u128::from(u64::MAX >> 8) {
        return Err(PlanError::TooMany(endpoints));
    }
    Ok(planner.plan)
}

/// The names that the selected targets need resolved, each with the families to ask, in the order of
/// the manifest and each once.
pub fn names(manifest: &Manifest, selection: &Selection) -> Result<Vec<(String, Vec<Family>)>, PlanError> {
    let scope = Scope::default();
    let none = |_: &Target, _: Protocol| PortSet::NONE;
    let planner = Planner {
        manifest,
        selection,
        forbidden: &none,
        scope,
        plan: Plan::default(),
        known_left_out: HashSet::new(),
    };
    let mut names: Vec<(String, Vec<Family>)> = Vec::new();
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    for target in planner.selected()?.into_iter().filter_map(|t| manifest.targets.get(t)) {
        for entry in &target.hosts {
            let Host::Name(name) = &entry.host else { continue };
            let at = *known.entry(name.clone()).or_insert_with(|| {
                names.push((name.clone(), Vec::new()));
                names.len() - 1
            });
            if let Some((_, families)) = names.get_mut(at) {
                families.extend(planner.families(target));
                families.sort_unstable();
                families.dedup();
            }
        }
    }
    Ok(names)
}
