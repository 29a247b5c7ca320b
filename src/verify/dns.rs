//! What DNS said against what the manifest says of it: names without an address, names that could
//! not be resolved, addresses that nobody listed, chains that leave the scope.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use super::{
    Case,
    docket::Docket,
    draft::{ADDRESS_DRIFT, COVERAGE_GAP, Draft, REQUIRED_MISSING, UNRESPONSIVE},
    remedy, words,
};
use crate::{
    model::{Basis, Family, Refusal, Rule, Severity, Verdict},
    spec::{
        manifest::{Expose, Host, Presence, Target},
        plan::{Owner, Refused},
        resolution::{DnsOutcome, NameAnswer},
    },
};

pub(super) fn judge(case: &Case<'_>, docket: &mut Docket) {
    let mut leaving: BTreeMap<Owner, Vec<(IpAddr, &str)>> = BTreeMap::new();
    for group in &case.plan.groups {
        if let Basis::LeavingChain(alias) = group.permit.basis() {
            let at = (group.permit.range().first(), alias.as_str());
            group.owners.iter().for_each(|&owner| leaving.entry(owner).or_default().push(at));
        }
    }
    let mut refused: BTreeMap<Owner, Vec<&Refused>> = BTreeMap::new();
    case.plan.refused.iter().for_each(|one| refused.entry(one.owner).or_default().push(one));
    for &t in &case.plan.targets {
        let Some(target) = case.manifest.targets.get(t) else { continue };
        let families: Vec<Family> =
            target.families.iter().copied().filter(|family| case.context.families.contains(family)).collect();
        for (h, entry) in target.hosts.iter().enumerate() {
            if let Host::Name(name) = &entry.host {
                let owner = Owner { target: t, host: h };
                let host = NamedHost {
                    case,
                    owner,
                    target,
                    name,
                    families: &families,
                    leaving: leaving.get(&owner).map_or(&[], Vec::as_slice),
                    refused: refused.get(&owner).map_or(&[], Vec::as_slice),
                };
                host.judge(docket);
            }
        }
        no_longer_given(case, t, target, &families, docket);
    }
    for refused in &case.plan.refused {
        literal_refused(case, refused.owner, refused.address, &refused.why, docket);
    }
}

/// One name of one target.
struct NamedHost<'c> {
    case: &'c Case<'c>,
    owner: Owner,
    target: &'c Target,
    name: &'c str,
    /// The families in which it was to be asked.
    families: &'c [Family],
    /// Its addresses that were reached through names outside the scope, and the first of these.
    leaving: &'c [(IpAddr, &'c str)],
    /// Its addresses that may not be probed.
    refused: &'c [&'c Refused],
}

impl NamedHost<'_> {
    fn judge(&self, docket: &mut Docket) {
        let answers: Vec<&NameAnswer> =
            self.families.iter().filter_map(|&family| self.case.answers.of(self.name, family)).collect();
        let answered = answers.iter().any(|answer| !answer.addresses.is_empty());
        let definite =
            answers.len() == self.families.len() && answers.iter().all(|answer| answer.outcome.is_definite());
        match (answered, definite) {
            _ if self.families.is_empty() => {}
            (true, true) => self.drift(&answers, docket),
            (true, false) => {
                self.drift(&answers, docket);
                self.one_family_failed(&answers, docket);
            }
            (false, true) => self.without_address(&answers, docket),
            (false, false) => self.not_resolved(&answers, docket),
        }
    }

    fn draft(&self, rule: &'static Rule, subject: String) -> Draft {
        let mut draft = Draft::new(rule, Some(self.owner.target), subject);
        draft.host = Some(self.name.to_owned());
        draft.place = self.target.hosts.get(self.owner.host).map(|entry| entry.place.clone());
        draft.severity = self.case.weighed_for(rule.severity, self.owner.target);
        draft
    }

    fn ask_dns(&self, kind: &str) -> String {
        if self.case.context.from.is_some() {
            return "List its addresses in `expect_dns`, or leave the family out with `--families`; or verify without `--from`.".to_owned();
        }
        remedy::dns_failed(self.name, kind)
    }

    /// What the target requires of the name, as ports that an exception may accept one by one.
    fn require(&self, draft: &mut Draft) {
        let required = |entry: &&Expose| {
            entry.presence == Presence::Required
                && self.families.iter().any(|&family| self.case.holds(entry, family))
        };
        for entry in self.target.expose.iter().filter(required) {
            draft.covers.extend(entry.ports.iter().map(|port| (entry.protocol, port)));
        }
    }

    /// DNS answered: there is no address. Nothing is planned, so nothing can be found open, and what
    /// is required can't be reached.
    fn without_address(&self, answers: &[&NameAnswer], docket: &mut Docket) {
        let required = self.case.requires(self.target, self.families);
        if !required && self.target.expect_dark == Some(true) {
            return;
        }
        let rule = if required { REQUIRED_MISSING } else { UNRESPONSIVE };
        let mut draft = self.draft(rule, self.name.to_owned());
        // In a run in which nobody answered nothing is called missing (CONTRACT §3).
        let certain = required && !self.case.answered.nobody;
        draft.verdict = if certain { Verdict::Fail } else { Verdict::Inconclusive };
        draft.cause = Some("unresolved");
        draft.title = format!("{} has no address", self.name);
        draft.expected = format!("an address ({})", words::joined(self.families.iter()));
        draft.observed = said(answers);
        draft.message = format!(
            "DNS says that {} has no address, so nothing was planned for it{}.",
            self.name,
            if required { ", and what is required there can't be reached" } else { "" }
        );
        draft.remedy = remedy::unresolved(self.name);
        if required {
            self.require(&mut draft);
        }
        docket.file(draft);
    }

    /// DNS failed: whether there is an address is not known.
    fn not_resolved(&self, answers: &[&NameAnswer], docket: &mut Docket) {
        let required = self.case.requires(self.target, self.families);
        let rule = if required { REQUIRED_MISSING } else { COVERAGE_GAP };
        let mut draft = self.draft(rule, self.name.to_owned());
        draft.verdict = Verdict::Inconclusive;
        draft.cause = Some("unresolved");
        draft.title = format!("{} could not be resolved", self.name);
        draft.expected = format!("an address ({})", words::joined(self.families.iter()));
        draft.observed = if answers.is_empty() { "not asked".to_owned() } else { said(answers) };
        draft.message = if self.case.context.from.is_some() {
            format!(
                "Nothing that is judged says what {} resolves to, so nothing of it was looked at.",
                self.name
            )
        } else {
            format!(
                "The name servers did not answer the question for {}. A failure is not an answer: the name may well have addresses, and nothing of it was asked.",
                self.name
            )
        };
        draft.remedy = self.ask_dns("A");
        if required {
            self.require(&mut draft);
        }
        docket.file(draft);
    }

    /// One family has addresses, the other has a failure: half of the name was not looked at.
    fn one_family_failed(&self, answers: &[&NameAnswer], docket: &mut Docket) {
        for &family in self.families {
            let answer = answers.iter().find(|answer| answer.family == family);
            if answer.is_some_and(|answer| answer.outcome.is_definite()) {
                continue;
            }
            let kind = if family == Family::Ipv4 { "A" } else { "AAAA" };
            if let Some(answer) = answer.filter(|answer| !answer.addresses.is_empty()) {
                self.may_have_more(answer, kind, docket);
                continue;
            }
            let mut draft = self.draft(COVERAGE_GAP, format!("{} {family}", self.name));
            draft.verdict = Verdict::Inconclusive;
            draft.cause = Some("unresolved_family");
            draft.title = format!("{} could not be resolved over {family}", self.name);
            draft.expected = format!("an answer to the {kind} question, be it that there is no record");
            draft.observed =
                answer.map_or_else(|| "not asked".to_owned(), |answer| format!("{kind}: {}", answer.outcome));
            let failed = if self.case.context.from.is_some() {
                format!("nothing that is judged answers the {kind} question")
            } else {
                format!("the {kind} question failed")
            };
            draft.message = format!(
                "{} has addresses of the other family, and {failed}. Clients that use {family} may reach hosts that this run never saw.",
                self.name
            );
            draft.remedy = self.ask_dns(kind);
            docket.file(draft);
        }
    }

    /// Some addresses of a name were scanned, and nobody asked DNS whether these are all.
    fn may_have_more(&self, answer: &NameAnswer, kind: &str, docket: &mut Docket) {
        let NameAnswer { family, addresses, outcome, .. } = answer;
        let mut draft = self.draft(COVERAGE_GAP, format!("{} {family}", self.name));
        draft.verdict = Verdict::Inconclusive;
        draft.cause = Some("addresses_unknown");
        draft.title = format!("{} may have more addresses over {family}", self.name);
        draft.expected = format!("every address that the {kind} question gives");
        draft.observed = format!("{kind}: {}; {outcome}", words::joined(addresses.iter()));
        draft.message = format!(
            "What is judged shows which addresses were scanned for {}, and not whether the name has others. Scanners that are given a name take the first of its addresses.",
            self.name
        );
        draft.remedy = self.ask_dns(kind);
        docket.file(draft);
    }

    /// EXP009: addresses nobody listed, or that the scope does not hold. One finding a name.
    fn drift(&self, answers: &[&NameAnswer], docket: &mut Docket) {
        let mut draft = self.draft(ADDRESS_DRIFT, self.name.to_owned());
        let given: BTreeSet<IpAddr> =
            answers.iter().flat_map(|answer| answer.addresses.iter().copied()).collect();
        if !self.target.expect_dns.is_empty() {
            for &address in given.iter().filter(|address| !self.target.expect_dns.contains(address)) {
                draft.cause = Some("unexpected_address");
                draft.places.insert(address, "given by DNS, not in `expect_dns`".to_owned());
            }
        }
        for (address, alias) in self.leaving {
            draft.cause = draft.cause.or(Some("leaves_scope"));
            draft.notes.insert(format!("Its alias chain leaves the authorized scope at {alias}; only declared ports were probed there"));
            let seen = format!("reached through {alias}, which is outside the scope");
            draft.places.entry(*address).or_insert(seen);
        }
        for refused in self.refused {
            match &refused.why {
                Refusal::Excluded(_) => continue, // left out on purpose, and listed as such
                Refusal::Special(kind) if self.case.manifest.authorization.implied => {
                    self.special(refused.address, kind, docket);
                    continue;
                }
                _ => {}
            }
            draft.cause = Some("outside_scope");
            draft.notes.insert(format!("{} was not probed: {}", refused.address, refused.why));
            draft
                .places
                .entry(refused.address)
                .or_insert_with(|| format!("given by DNS, not probed: {}", refused.why));
        }
        if draft.places.is_empty() {
            return;
        }
        draft.title = format!("{} leads to an address that it should not", self.name);
        draft.expected = match self.target.expect_dns.as_slice() {
            [] => "addresses within the authorized scope".to_owned(),
            expected => format!("only {}", words::joined(expected.iter())),
        };
        draft.message = format!(
            "DNS gives {} for {}. A name that points elsewhere than intended is how subdomains are taken over.",
            words::joined(draft.places.keys()),
            self.name
        );
        docket.file(draft);
    }
}

impl NamedHost<'_> {
    /// Nobody wrote a scope, and a name leads to an address that only a written one may authorize.
    /// That is no drift: nothing says where the name should lead. It was not asked, and that is said.
    fn special(&self, address: IpAddr, kind: &str, docket: &mut Docket) {
        let mut draft = self.draft(COVERAGE_GAP, format!("{} special", self.name));
        draft.verdict = Verdict::Inconclusive;
        draft.cause = Some("special_address");
        draft.title = format!("{} leads to a {kind} address, which was not asked", self.name);
        "an address on the public internet, or one that was written out".clone_into(&mut draft.expected);
        draft.places.insert(address, format!("a {kind} address"));
        draft.message = format!(
            "{} resolves to {address}, a {kind} address. DNS alone may not send a scan there, so it was not probed.",
            self.name
        );
        draft.remedy = match self.case.manifest.path {
            None => format!(
                "If it is meant, verify the address itself: `portproof verify --expect PORTS {address}`."
            ),
            Some(_) => format!("If it is meant, add {address} to `authorization.scope`."),
        };
        docket.file(draft);
    }
}

/// EXP009, low: a listed address that none of the target's names gives any more.
fn no_longer_given(case: &Case<'_>, t: usize, target: &Target, families: &[Family], docket: &mut Docket) {
    let names: Vec<&str> = target
        .hosts
        .iter()
        .filter_map(|entry| match &entry.host {
            Host::Name(name) => Some(name.as_str()),
            _ => None,
        })
        .collect();
    let answers = |family| names.iter().map(move |name| case.answers.of(name, family));
    let given: BTreeSet<IpAddr> = families
        .iter()
        .flat_map(|&family| answers(family).flatten())
        .flat_map(|answer| answer.addresses.iter().copied())
        .collect();
    if given.is_empty() {
        return; // the name has no address at all: said once, by EXP003 or EXP010
    }
    let certain = |family: Family| {
        families.contains(&family)
            && answers(family).all(|answer| answer.is_some_and(|answer| answer.outcome.is_definite()))
    };
    let gone: Vec<IpAddr> = target
        .expect_dns
        .iter()
        .copied()
        .filter(|&address| !given.contains(&address) && certain(Family::of(address)))
        .collect();
    let (Some(first), false) = (names.first(), gone.is_empty()) else { return };
    let mut draft = Draft::new(ADDRESS_DRIFT, Some(t), "expect_dns missing");
    draft.severity = case.weighed_for(Severity::Low, t);
    draft.host = Some((*first).to_owned());
    draft.place = Some(target.place.clone());
    draft.cause = Some("missing_address");
    draft.title = format!("DNS no longer gives {}", words::joined(gone.iter()));
    draft.expected =
        format!("{} for {}", words::joined(target.expect_dns.iter()), words::joined(names.iter()));
    draft.observed = words::joined(given.iter());
    draft.message = format!(
        "`expect_dns` of target {} lists {}, and DNS does not give it any more. It was not probed under this name.",
        target.id,
        words::joined(gone.iter())
    );
    docket.file(draft);
}

/// A literal host outside the scope: the reader refuses such a manifest, so this is said only when
/// something let it through, and never passed over.
fn literal_refused(case: &Case<'_>, owner: Owner, address: IpAddr, why: &Refusal, docket: &mut Docket) {
    let Some((target, entry)) = case.entry(owner) else { return };
    if matches!(entry.host, Host::Name(_)) || matches!(why, Refusal::Excluded(_)) {
        return;
    }
    let mut draft = Draft::new(COVERAGE_GAP, Some(owner.target), address.to_string());
    draft.cause = Some("outside_scope");
    draft.host = Some(entry.host.to_string());
    draft.place = Some(entry.place.clone());
    draft.title = format!("{address} was not probed");
    "a host within the authorized scope".clone_into(&mut draft.expected);
    draft.observed = why.to_string();
    draft.message = format!("{address} of target {} was not probed: {why}.", target.id);
    "Extend `authorization.scope` if the address is yours, or remove it.".clone_into(&mut draft.remedy);
    docket.file(draft);
}

/// What DNS said, family by family.
fn said(answers: &[&NameAnswer]) -> String {
    words::joined(answers.iter().map(|answer| {
        let kind = if answer.family == Family::Ipv4 { "A" } else { "AAAA" };
        match &answer.outcome {
            DnsOutcome::Answered => format!("{kind}: no usable address"),
            outcome => format!("{kind}: {outcome}"),
        }
    }))
}
