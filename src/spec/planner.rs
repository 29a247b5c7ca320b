//! How a plan is made: every entry claims its addresses, the most specific claim wins, and what the scope does not
//! allow is refused.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    net::IpAddr,
};

use ipnet::IpNet;

use super::{
    manifest::{HostEntry, Manifest, Target},
    nearest::nearest,
    others::{Others, exposed},
    plan::{Ask, Asked, Group, LeftOut, Owner, Plan, PlanError, Refused, Selection},
    resolution::{Answers, NameAnswer},
};
use crate::model::{AddressRange, Family, Permit, PortSet, Protocol, Refusal, Scope};

/// Who claims what, and what of it the scope allows.
pub(super) struct Planner<'a> {
    pub(super) manifest: &'a Manifest,
    pub(super) selection: &'a Selection,
    pub(super) forbidden: &'a dyn Fn(&Target, Protocol) -> PortSet,
    pub(super) scope: Scope,
    pub(super) plan: Plan,
    pub(super) known_left_out: HashSet<LeftOut>,
}

impl Planner<'_> {
    fn vantage(&self) -> Option<&String> {
        self.selection.vantage.as_ref().or(self.manifest.vantage.as_ref())
    }

    /// An entry that holds only from some vantages can't be judged from an unnamed one.
    pub(super) fn check_vantage(&self) -> Result<(), PlanError> {
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
    pub(super) fn selected(&self) -> Result<Vec<usize>, PlanError> {
        let targets = &self.manifest.targets;
        let matches = |target: &Target, only: &str| match only.strip_prefix("tag:") {
            Some(tag) => target.tags.iter().any(|t| t == tag),
            None => target.id == only,
        };
        if let Some(stray) =
            self.selection.only.iter().find(|only| !targets.iter().any(|target| matches(target, only)))
        {
            return Err(PlanError::NoSuchTarget { only: stray.clone(), cure: self.cure_of(stray) });
        }
        let wanted = |target: &Target| {
            self.selection.only.is_empty() || self.selection.only.iter().any(|only| matches(target, only))
        };
        Ok(targets.iter().enumerate().filter(|(_, target)| wanted(target)).map(|(i, _)| i).collect())
    }

    /// What may have been meant by an `--only` that matches nothing: the nearest, else all there is, as far as anybody
    /// reads on.
    fn cure_of(&self, stray: &str) -> String {
        const LISTED: usize = 12;
        let targets = &self.manifest.targets;
        let tags: BTreeSet<String> =
            targets.iter().flat_map(|target| &target.tags).map(|tag| format!("tag:{tag}")).collect();
        let known: Vec<&String> = targets.iter().map(|target| &target.id).chain(&tags).collect();
        let bare = known.iter().copied().find(|name| name.strip_prefix("tag:") == Some(stray));
        if let Some(near) = bare.or_else(|| nearest(stray, known.iter().copied())) {
            return format!("did you mean `{near}`?");
        }
        let more = match known.len().saturating_sub(LISTED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let listed: Vec<&str> = known.iter().take(LISTED).map(|name| name.as_str()).collect();
        format!("there are {}{more}", listed.join(", "))
    }

    pub(super) fn families(&self, target: &Target) -> Vec<Family> {
        let asked = |family: &Family| {
            self.selection.families.as_ref().is_none_or(|families| families.contains(family))
        };
        target.families.iter().copied().filter(asked).collect()
    }

    pub(super) fn check_size(
        &self,
        target: &Target,
        entry: &HostEntry,
        block: IpNet,
    ) -> Result<(), PlanError> {
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

    pub(super) fn claim_literal(
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

    pub(super) fn claim_name(
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
    pub(super) fn group(
        &mut self,
        singles: BTreeMap<IpAddr, Vec<(Owner, Permit)>>,
        blocks: BTreeMap<IpNet, Vec<Owner>>,
        others: &Others<'_>,
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
            self.push(permit, owners, others.at(address));
        }
        let mut by_length: Vec<(IpNet, Vec<Owner>)> = blocks.into_iter().collect();
        by_length.sort_by_key(|(block, _)| std::cmp::Reverse(block.prefix_len()));
        for (block, owners) in by_length {
            let (permits, _, excluded) = self.scope.authorize_block(block);
            for range in excluded {
                self.leave_out(described(range), "excluded");
            }
            for (part, target) in others.within(block) {
                if taken.insert(part) {
                    let why = format!("belongs to target {}, which was not selected", target.id);
                    self.leave_out(described(part), &why);
                }
            }
            for permit in permits {
                for part in without(permit.range(), &taken) {
                    if let Some(permit) = permit.narrow(part) {
                        self.push(permit, owners.clone(), others.on(block));
                    }
                }
            }
            taken.insert(AddressRange::of(block));
        }
        self.plan.groups.sort_by_key(|group| group.permit.range());
    }

    fn push(&mut self, permit: Permit, owners: Vec<Owner>, others: &[&Target]) {
        let claims: Vec<(&Target, &HostEntry)> = owners
            .iter()
            .filter_map(|owner| {
                let target = self.manifest.targets.get(owner.target)?;
                Some((target, target.hosts.get(owner.host)?))
            })
            .collect();
        let tcp = self.ask(&permit, &claims, others, Protocol::Tcp);
        let udp = self.ask(&permit, &claims, others, Protocol::Udp);
        let expect_dark = claims.iter().all(|(target, entry)| target.expects_dark(&entry.host));
        let family = permit.range().family();
        let missing_family = self
            .vantage()
            .and_then(|name| self.manifest.vantages.get(name))
            .is_some_and(|vantage| !vantage.families.is_empty() && !vantage.families.contains(&family));
        self.plan.groups.push(Group { permit, owners, tcp, udp, expect_dark, missing_family });
    }

    /// What is asked of an address: the port sets of its targets, and every port that they name.
    fn ask(
        &mut self,
        permit: &Permit,
        claims: &[(&Target, &HostEntry)],
        others: &[&Target],
        protocol: Protocol,
    ) -> Ask {
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
        let theirs = rest.intersection(&exposed(others, protocol));
        if !theirs.is_empty() {
            let what = format!("{protocol} {theirs} at {}", described(permit.range()));
            let ids = others.iter().map(|target| target.id.as_str()).collect::<Vec<_>>().join(", ");
            self.leave_out(what, &format!("declared by what was not selected: {ids}"));
        }
        let (named, rest) = permit.allow(named, rest.difference(&theirs));
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

/// `203.0.113.9`, or `203.0.113.8 to 203.0.113.15`.
fn described(range: AddressRange) -> String {
    if range.count() == 1 {
        range.first().to_string()
    } else {
        format!("{} to {}", range.first(), range.last())
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
