//! What a control is about in a run: targets, their addresses, what is open there. Judges nothing.

use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
};

use super::super::{AddressJudgement, Case, Judged, Judgement};
use crate::{
    model::State,
    spec::{
        manifest::{Expose, Target},
        plan::Group,
        profile::Only,
    },
};

/// The targets of a run that a control is about, and what stands there.
pub(super) struct Ground<'c> {
    pub(super) case: &'c Case<'c>,
    /// Those in the run, by their index in the manifest.
    pub(super) targets: Vec<(usize, &'c Target)>,
    /// Their addresses.
    pub(super) addresses: Vec<&'c AddressJudgement>,
    /// What is open there.
    pub(super) open: Vec<&'c Judged>,
    /// Their parts of the plan that this vantage has addresses for.
    pub(super) groups: Vec<&'c Group>,
}

impl<'c> Ground<'c> {
    pub(super) fn of(case: &'c Case<'c>, judgement: &'c Judgement, only: Option<Only>) -> Self {
        let about = |t: usize| case.manifest.targets.get(t).is_some_and(|target| concerns(only, target));
        let targets = case.plan.targets.iter().filter(|&&t| about(t));
        let owned = |record: &&AddressJudgement| record.owners.iter().any(|owner| about(owner.target));
        let addresses: Vec<&AddressJudgement> = judgement.addresses.iter().filter(owned).collect();
        let known: HashSet<IpAddr> = addresses.iter().map(|record| record.address).collect();
        let open = judgement.observations.iter().filter(|judged| judged.state == State::Open);
        let groups = case.plan.groups.iter().filter(|group| !group.missing_family);
        Self {
            case,
            targets: targets.filter_map(|&t| Some((t, case.manifest.targets.get(t)?))).collect(),
            open: open.filter(|judged| known.contains(&judged.endpoint.address)).collect(),
            groups: groups.filter(|group| group.owners.iter().any(|owner| about(owner.target))).collect(),
            addresses,
        }
    }

    /// How many entries of its targets are so.
    pub(super) fn entries(&self, is: impl Fn(&Target, &Expose) -> bool) -> u64 {
        let of = |target: &Target| target.expose.iter().filter(|entry| is(target, entry)).count();
        self.targets.iter().map(|(_, target)| of(target) as u64).sum()
    }

    /// How many open endpoints have an entry that is so.
    pub(super) fn open_with(&self, is: impl Fn(&Expose) -> bool) -> u64 {
        let owners: HashMap<_, _> = self.addresses.iter().map(|it| (it.address, &it.owners)).collect();
        let declares = |judged: &&&Judged| {
            let owners = owners.get(&judged.endpoint.address).into_iter().flat_map(|owners| owners.iter());
            let targets = owners.filter_map(|owner| self.case.manifest.targets.get(owner.target));
            targets.flat_map(|target| &target.expose).any(|entry| {
                entry.protocol == judged.endpoint.protocol
                    && entry.ports.contains(judged.endpoint.port)
                    && is(entry)
            })
        };
        self.open.iter().filter(declares).count() as u64
    }

    /// Endpoints whose state is known.
    pub(super) fn determined(&self) -> u64 {
        self.addresses.iter().map(|record| record.states.total() - record.states.unknown).sum()
    }

    /// How many of its targets have a part of the plan that is so.
    pub(super) fn targets_with(&self, is: impl Fn(&Group) -> bool) -> u64 {
        let found = self.groups.iter().filter(|group| is(group)).flat_map(|group| &group.owners);
        let found: HashSet<usize> = found.map(|owner| owner.target).collect();
        self.targets.iter().filter(|(known, _)| found.contains(known)).count() as u64
    }
}

/// Whether a control is about a target.
pub(super) fn concerns(only: Option<Only>, target: &Target) -> bool {
    match only {
        None => true,
        Some(Only::StoresCardholderData) => target.stores_cardholder_data,
    }
}
