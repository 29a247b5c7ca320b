//! Who is asked what, and by which leave: the manifest and what its names resolved to become groups
//! of addresses that are judged alike. Nothing without a permit from the scope gets into a group.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    net::{IpAddr, Ipv6Addr},
};

use ipnet::IpNet;

pub use super::unplannable::PlanError;
use super::{
    manifest::{Host, HostEntry, Manifest, Target},
    nearest::nearest,
    resolution::{Answers, NameAnswer, Resolution},
    zones,
};
use crate::model::{AddressRange, Family, Permit, PortSet, Protocol, Refusal, Scope, ScopeEntry};

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
    planner.group(singles, blocks);
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

struct Planner<'a> {
    manifest: &'a Manifest,
    selection: &'a Selection,
    forbidden: &'a dyn Fn(&Target, Protocol) -> PortSet,
    scope: Scope,
    plan: Plan,
    known_left_out: HashSet<LeftOut>,
}

impl Planner<'_> {
    fn vantage(&self) -> Option<&String> {
        self.selection.vantage.as_ref().or(self.manifest.vantage.as_ref())
    }

    /// An entry that holds only from some vantages can't be judged from an unnamed one.
    fn check_vantage(&self) -> Result<(), PlanError> {
        let Some(name) = self.vantage() else {
            let bound = self.manifest.targets.iter().find_map(|target| {
                let from = &target.expose.iter().find(|entry| !entry.from.is_empty())?.from;
                Some(PlanError::NoVantage { target: target.id.clone(), vantages: from.join(", ") })
            });
            return bound.map_or(Ok(()), Err);
        };
        // Without the map, what `from` names is all that can be meant: a slip of the pen would take every
        // entry that holds from elsewhere out of the run.
        let entries = || self.manifest.targets.iter().flat_map(|target| &target.expose);
        let known: BTreeSet<&String> = if self.manifest.vantages.is_empty() {
            entries().flat_map(|entry| &entry.from).collect()
        } else {
            self.manifest.vantages.keys().collect()
        };
        if !known.is_empty() && !known.contains(name) {
            let near = nearest(name, &known).map(|near| format!("; did you mean `{near}`?"));
            let known = known.into_iter().cloned().collect::<Vec<_>>().join(", ");
            return Err(PlanError::UnknownVantage {
                name: name.clone(),
                known,
                near: near.unwrap_or_default(),
            });
        }
        Ok(())
    }

    /// Indices of the targets that `--only` selects.
    fn selected(&self) -> Result<Vec<usize>, PlanError> {
        let targets = &self.manifest.targets;
        let matches = |target: &Target, only: &str| match only.strip_prefix("tag:") {
            Some(tag) => target.tags.iter().any(|t| t == tag),
            None => target.id == only,
        };
        if let Some(stray) =
            self.selection.only.iter().find(|only| !targets.iter().any(|target| matches(target, only)))
        {
            return Err(PlanError::NoSuchTarget(stray.clone()));
        }
        let wanted = |target: &Target| {
            self.selection.only.is_empty() || self.selection.only.iter().any(|only| matches(target, only))
        };
        Ok(targets.iter().enumerate().filter(|(_, target)| wanted(target)).map(|(i, _)| i).collect())
    }

    fn families(&self, target: &Target) -> Vec<Family> {
        let asked = |family: &Family| {
            self.selection.families.as_ref().is_none_or(|families| families.contains(family))
        };
        target.families.iter().copied().filter(asked).collect()
    }

    fn check_size(&self, target: &Target, entry: &HostEntry, block: IpNet) -> Result<(), PlanError> {
        let count = AddressRange::of(block).count();
        if entry.host.is_large() && !self.selection.large {
            return Err(PlanError::TooLarge {
                target: target.id.clone(),
                host: entry.host.to_string(),
                count,
            });
        }
        Ok(())
    }

    fn claim_literal(
        &mut self,
        target: &Target,
        owner: Owner,
        address: IpAddr,
        singles: &mut BTreeMap<IpAddr, Vec<(Owner, Permit)>>,
    ) {
        if !self.families(target).contains(&Family::of(address)) {
            return;
        }
        let (permits, outside, excluded) = self.scope.authorize_block(IpNet::from(address));
        if let Some(permit) = permits.into_iter().next() {
            singles.entry(address).or_default().push((owner, permit));
        }
        if !excluded.is_empty() {
            self.leave_out(format!("{address} of target {}", target.id), "excluded");
        }
        if !outside.is_empty() {
            self.plan.refused.push(Refused { owner, address, why: Refusal::OutOfScope });
        }
    }

    fn claim_name(
        &mut self,
        target: &Target,
        owner: Owner,
        name: &str,
        answers: &Answers<'_>,
        singles: &mut BTreeMap<IpAddr, Vec<(Owner, Permit)>>,
    ) {
        let families = self.families(target);
        for &family in &families {
            let Some(NameAnswer { addresses, chain, .. }) = answers.of(name, family) else { continue };
            for &address in addresses {
                // DNS may hide an IPv4 address in an AAAA record; it is then IPv4 that would be asked.
                if !families.contains(&Family::of(address)) {
                    self.leave_out(format!("{name} at {address}"), &Refusal::Mapped.to_string());
                    self.plan.refused.push(Refused { owner, address, why: Refusal::Mapped });
                    continue;
                }
                let expected = target.expect_dns.contains(&address);
                match self.scope.authorize_resolved(address, name, chain, expected) {
                    Ok(permit) => singles.entry(address).or_default().push((owner, permit)),
                    Err(why) => {
                        self.leave_out(format!("{name} at {address}"), &why.to_string());
                        self.plan.refused.push(Refused { owner, address, why });
                    }
                }
            }
        }
    }

    /// Most specific first: single addresses, then blocks by prefix length; each address goes to one group.
    fn group(
        &mut self,
        singles: BTreeMap<IpAddr, Vec<(Owner, Permit)>>,
        blocks: BTreeMap<IpNet, Vec<Owner>>,
    ) {
        let mut taken: BTreeSet<AddressRange> = BTreeSet::new();
        for (address, claims) in singles {
            taken.insert(AddressRange::single(address));
            // The widest authority of those who claim it: the scope allows the address either way.
            let Some(permit) =
                claims.iter().map(|(_, permit)| permit).max_by_key(|permit| permit.authority()).cloned()
            else {
                continue;
            };
            let mut owners: Vec<Owner> = claims.into_iter().map(|(owner, _)| owner).collect();
            owners.sort_unstable();
            owners.dedup();
            self.push(permit, owners);
        }
        let mut by_length: Vec<(IpNet, Vec<Owner>)> = blocks.into_iter().collect();
        by_length.sort_by_key(|(block, _)| std::cmp::Reverse(block.prefix_len()));
        for (block, owners) in by_length {
            let (permits, _, excluded) = self.scope.authorize_block(block);
            for range in excluded {
                let what = if range.count() == 1 {
                    range.first().to_string()
                } else {
                    format!("{} to {}", range.first(), range.last())
                };
                self.leave_out(what, "excluded");
            }
            for permit in permits {
                for part in without(permit.range(), &taken) {
                    if let Some(permit) = permit.narrow(part) {
                        self.push(permit, owners.clone());
                    }
                }
            }
            taken.insert(AddressRange::of(block));
        }
        self.plan.groups.sort_by_key(|group| group.permit.range());
    }

    fn push(&mut self, permit: Permit, owners: Vec<Owner>) {
        let claims: Vec<(&Target, &HostEntry)> = owners
            .iter()
            .filter_map(|owner| {
                let target = self.manifest.targets.get(owner.target)?;
                Some((target, target.hosts.get(owner.host)?))
            })
            .collect();
        let tcp = self.ask(&permit, &claims, Protocol::Tcp);
        let udp = self.ask(&permit, &claims, Protocol::Udp);
        let expect_dark = claims.iter().all(|(target, entry)| target.expects_dark(&entry.host));
        let family = permit.range().family();
        let missing_family = self
            .vantage()
            .and_then(|name| self.manifest.vantages.get(name))
            .is_some_and(|vantage| !vantage.families.is_empty() && !vantage.families.contains(&family));
        self.plan.groups.push(Group { permit, owners, tcp, udp, expect_dark, missing_family });
    }

    /// What is asked of an address: the port sets of its targets, and every port that they name.
    fn ask(&self, permit: &Permit, claims: &[(&Target, &HostEntry)], protocol: Protocol) -> Ask {
        let union = |set: &dyn Fn(&Target) -> PortSet| {
            claims.iter().fold(PortSet::NONE, |all, (target, _)| all.union(&set(target)))
        };
        let named = union(&|target| target.named(protocol));
        let (asked, sets) = match protocol {
            Protocol::Tcp => (&self.selection.tcp, union(&|target| target.tcp.clone())),
            Protocol::Udp => (&self.selection.udp, union(&|target| target.udp.clone())),
        };
        let denied = union(&|target| (self.forbidden)(target, protocol));
        let (named, rest) = match asked {
            None => (named.clone(), sets.union(&denied).difference(&named)),
            Some(Asked::Declared) => (named, PortSet::NONE),
            Some(Asked::Ports(ports)) => (named.intersection(ports), ports.difference(&named)),
        };
        let (named, rest) = permit.allow(named, rest);
        // What no entry names here is not declared here: it is asked like any other port, and looked at
        // twice when open.
        let here = claims.iter().fold(PortSet::NONE, |all, (target, _)| {
            all.union(&target.named_here(
                protocol,
                permit.range().family(),
                self.vantage().map(String::as_str),
            ))
        });
        let (named, rest) = (named.intersection(&here), rest.union(&named.difference(&here)));
        let blind = self.blind(protocol).intersection(&named.union(&rest));
        Ask { named, rest, blind }
    }

    fn blind(&self, protocol: Protocol) -> PortSet {
        let vantage = self.vantage().and_then(|name| self.manifest.vantages.get(name));
        let blind = vantage.into_iter().flat_map(|vantage| &vantage.blind);
        blind.filter(|(of, _)| *of == protocol).fold(PortSet::NONE, |all, (_, ports)| all.union(ports))
    }

    fn leave_out(&mut self, what: String, why: &str) {
        let left_out = LeftOut { what, why: why.to_owned() };
        if self.known_left_out.insert(left_out.clone()) {
            self.plan.left_out.push(left_out);
        }
    }
}

/// A range without everything already taken. `taken` holds nested or disjoint ranges only.
fn without(range: AddressRange, taken: &BTreeSet<AddressRange>) -> Vec<AddressRange> {
    let mut left = vec![range];
    for hole in taken.iter().filter(|hole| range.intersection(**hole).is_some()) {
        left = left.into_iter().flat_map(|part| part.difference(*hole)).collect();
    }
    left
}
