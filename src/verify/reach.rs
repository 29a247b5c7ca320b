//! What is required and reaches no endpoint of the plan, though nobody deselected it: a family that
//! a name does not have, addresses that are excluded or belong to other targets. Never silence.

use std::collections::BTreeSet;

use super::{
    Case,
    docket::Docket,
    draft::{COVERAGE_GAP, Draft, REQUIRED_MISSING},
    remedy, words,
};
use crate::{
    model::{Family, Refusal, Verdict},
    spec::{
        manifest::{Expose, Host, HostEntry, Presence, Target},
        plan::Owner,
    },
};

pub(super) fn judge(case: &Case<'_>, docket: &mut Docket) {
    let mut reached: BTreeSet<(Owner, Family)> = BTreeSet::new();
    let planned = case.plan.groups.iter();
    for group in planned {
        let family = group.permit.range().family();
        reached.extend(group.owners.iter().map(|&owner| (owner, family)));
    }
    for &t in &case.plan.targets {
        let Some(target) = case.manifest.targets.get(t) else { continue };
        for entry in target.expose.iter().filter(|entry| entry.presence == Presence::Required) {
            let families: Vec<Family> =
                target.families.iter().copied().filter(|&family| case.is_asked(entry, family)).collect();
            if families.is_empty() {
                continue; // not seen from here, or deselected by the operator
            }
            let has_any = |owner| families.iter().any(|&family| reached.contains(&(owner, family)));
            let hosts =
                || target.hosts.iter().enumerate().map(|(h, host)| (Owner { target: t, host: h }, host));
            let one = Required { case, target, entry, families: &families };
            let mut names = hosts().filter(|(_, host)| matches!(host.host, Host::Name(_))).peekable();
            let has_names = names.peek().is_some();
            for (owner, host) in names.filter(|(owner, _)| !has_any(*owner)) {
                one.name(owner, host, docket);
            }
            if !has_names && !hosts().any(|(owner, _)| has_any(owner)) {
                one.elsewhere(t, docket);
            }
        }
    }
}

/// One required entry, and the families in which it was to be asked.
struct Required<'c> {
    case: &'c Case<'c>,
    target: &'c Target,
    entry: &'c Expose,
    families: &'c [Family],
}

impl Required<'_> {
    fn ports(&self) -> String {
        format!("{}/{}", self.entry.ports, self.entry.protocol)
    }

    /// A name of which nothing is planned in these families. What `dns` says of it is not said again.
    fn name(&self, owner: Owner, host: &HostEntry, docket: &mut Docket) {
        let Host::Name(name) = &host.host else { return };
        let answer = |family: Family| self.case.answers.of(name, family);
        let all = || {
            [Family::Ipv4, Family::Ipv6].into_iter().filter_map(answer).flat_map(|answer| &answer.addresses)
        };
        let given = |family: Family| all().any(|&address| Family::of(address) == family);
        let definite = |family: &Family| answer(*family).is_some_and(|answer| answer.outcome.is_definite());
        if all().next().is_none() || !self.families.iter().all(definite) {
            return; // EXP003 or EXP012 of the name itself
        }
        if self.families.iter().any(|&family| given(family)) {
            let refused = || self.case.plan.refused.iter().filter(|refused| refused.owner == owner);
            let ours = &self.case.manifest.authorization.scope.exclude;
            let by_manifest = |why: &Refusal| matches!(why, Refusal::Excluded(entry) if ours.contains(entry));
            if refused().any(|refused| by_manifest(&refused.why)) {
                let message = format!(
                    "{} of {name} is required, and every address that DNS gives for it is excluded from the scan.",
                    self.ports()
                );
                self.gap(owner.target, name, "excluded", message, docket);
            }
            return; // EXP009 says what leads elsewhere; what the operator excluded is no doubt
        }
        let families = words::joined(self.families.iter());
        let mut draft = Draft::new(REQUIRED_MISSING, Some(owner.target), format!("{name} {families}"));
        draft.severity = self.case.weighed_for(REQUIRED_MISSING.severity, owner.target);
        draft.host = Some(name.clone());
        draft.place = Some(self.entry.place.clone());
        // In a run in which nobody answered nothing is called missing (CONTRACT §3).
        draft.verdict = if self.case.answered.nobody { Verdict::Inconclusive } else { Verdict::Fail };
        draft.cause = Some("unresolved");
        draft.title = format!("{name} has no {families} address");
        draft.expected = format!("an address ({families}), and {} open there", self.ports());
        "no address of this family".clone_into(&mut draft.observed);
        draft.message = format!(
            "What target {} requires over {families} can't be reached: {name} has no address of this family.",
            self.target.id
        );
        draft.remedy = remedy::unresolved(name);
        draft.covers.extend(self.entry.ports.iter().map(|port| (self.entry.protocol, port)));
        docket.file(draft);
    }

    /// A target of literals and blocks of which nothing is planned: other targets that name its
    /// addresses more closely have them all. (What the scope does not hold, the reader refuses.)
    fn elsewhere(&self, t: usize, docket: &mut Docket) {
        let taken = |host: &HostEntry| {
            let range = match &host.host {
                Host::Name(_) => return false,
                Host::Address(address) => crate::model::AddressRange::single(*address),
                Host::Local { address, .. } => crate::model::AddressRange::single((*address).into()),
                Host::Block(block) => crate::model::AddressRange::of(*block),
            };
            let groups = &self.case.plan.groups;
            let from = groups.partition_point(|group| {
                let known = group.permit.range();
                (known.family(), known.last()) < (range.family(), range.first())
            });
            groups.get(from).is_some_and(|group| group.permit.range().intersection(range).is_some())
        };
        if !self.target.hosts.iter().any(taken) {
            return; // the operator excluded it
        }
        let message = format!(
            "{} of target {} is required, and every address of the target belongs to targets that name it more closely, so the entry was never asked for.",
            self.ports(),
            self.target.id
        );
        self.gap(t, "shadowed", "shadowed", message, docket);
    }

    fn gap(&self, t: usize, subject: &str, cause: &'static str, message: String, docket: &mut Docket) {
        let mut draft = Draft::new(COVERAGE_GAP, Some(t), format!("{subject} required"));
        draft.severity = self.case.weighed_for(COVERAGE_GAP.severity, t);
        draft.place = Some(self.entry.place.clone());
        draft.verdict = Verdict::NotCovered;
        draft.cause = Some(cause);
        draft.title = format!("What target {} requires was not asked", self.target.id);
        "every required endpoint determined".clone_into(&mut draft.expected);
        "not planned".clone_into(&mut draft.observed);
        draft.message = message;
        "Correct the manifest: move the entry to the target that has the address, or remove the exclusion."
            .clone_into(&mut draft.remedy);
        draft.covers.extend(self.entry.ports.iter().map(|port| (self.entry.protocol, port)));
        docket.file(draft);
    }
}
