//! A finding in the making: parts that have one cause are merged into it, and the endpoints that
//! rest on it are counted, so that whatever becomes of the finding becomes of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use super::{Case, words};
use crate::{
    model::{Kind, Look, Protocol, RULES, Rule, Severity, Verdict, VerdictCounts},
    spec::{
        manifest::{Criticality, Host, HostEntry, Place, Target},
        plan::{Group, Owner},
    },
};

pub(super) const UNEXPECTED_OPEN: &Rule = known("EXP001");
pub(super) const FORBIDDEN_OPEN: &Rule = known("EXP002");
pub(super) const REQUIRED_MISSING: &Rule = known("EXP003");
pub(super) const WRONG_SERVICE: &Rule = known("EXP004");
pub(super) const TLS_POLICY: &Rule = known("EXP005");
pub(super) const CERTIFICATE: &Rule = known("EXP006");
pub(super) const INSECURE_SERVICE: &Rule = known("EXP007");
pub(super) const FAMILY_PARITY: &Rule = known("EXP008");
pub(super) const ADDRESS_DRIFT: &Rule = known("EXP009");
pub(super) const UNRESPONSIVE: &Rule = known("EXP010");
pub(super) const INTERFERENCE: &Rule = known("EXP011");
pub(super) const COVERAGE_GAP: &Rule = known("EXP012");
pub(super) const OVERDUE: &Rule = known("EXP013");
pub(super) const EDGE_ANSWERS: &Rule = known("EXP014");
pub(super) const WEAK_EVIDENCE: &Rule = known("EXP015");
pub(super) const EXCEPTION_EXPIRED: &Rule = known("EXC001");
pub(super) const EXCEPTION_UNUSED: &Rule = known("EXC002");
pub(super) const EXCEPTION_TOO_LONG: &Rule = known("EXC003");
pub(super) const EXCEPTION_SELF_APPROVED: &Rule = known("EXC004");

/// What makes two parts one finding; its hash is the finding's id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) rule: &'static str,
    /// Index into `Manifest::targets`.
    pub(super) target: Option<usize>,
    /// The name as written, else the address or the CIDR entry; for findings that are about no host,
    /// the words that set them apart from their like.
    pub(super) subject: String,
    pub(super) port: Option<(Protocol, u16)>,
}

/// A finding in the making.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) rule: &'static Rule,
    pub(super) key: Key,
    /// `Pass`: only a warning.
    pub(super) verdict: Verdict,
    pub(super) severity: Severity,
    pub(super) cause: Option<&'static str>,
    pub(super) host: Option<String>,
    pub(super) also: BTreeSet<usize>,
    pub(super) title: String,
    pub(super) expected: String,
    /// What was seen where nothing is said per address.
    pub(super) observed: String,
    /// What was seen, per address.
    pub(super) places: BTreeMap<IpAddr, String>,
    /// The ports concerned, where the finding is about several.
    pub(super) covers: BTreeSet<(Protocol, u16)>,
    pub(super) message: String,
    /// Further sentences, each said once.
    pub(super) notes: BTreeSet<String>,
    pub(super) remedy: String,
    pub(super) place: Option<Place>,
    pub(super) looks: Vec<Look>,
    /// The endpoints that rest on it, by the verdict that they have while it stands.
    pub(super) charges: VerdictCounts,
    /// Some of them are only counted: what is accepted of the ports in `covers` is not accepted of these.
    pub(super) counted: bool,
}

impl Draft {
    /// A draft about a rule and nothing else yet.
    pub(super) fn new(rule: &'static Rule, target: Option<usize>, subject: impl Into<String>) -> Self {
        let key = Key { rule: rule.id, target, subject: subject.into(), port: None };
        Self {
            rule,
            key,
            verdict: if rule.kind == Kind::Doubt { Verdict::Inconclusive } else { Verdict::Fail },
            severity: rule.severity,
            cause: None,
            host: None,
            also: BTreeSet::new(),
            title: String::new(),
            expected: String::new(),
            observed: String::new(),
            places: BTreeMap::new(),
            covers: BTreeSet::new(),
            message: String::new(),
            notes: BTreeSet::new(),
            remedy: rule.remedy.to_owned(),
            place: None,
            looks: Vec::new(),
            charges: VerdictCounts::default(),
            counted: false,
        }
    }

    /// Takes another part of the same finding in. The worse part speaks; of equals the first does.
    pub(super) fn merge(&mut self, part: Self) {
        let severity = self.severity.max(part.severity);
        let mut other = part;
        if other.verdict.rank() > self.verdict.rank() {
            std::mem::swap(self, &mut other);
        }
        self.severity = severity;
        self.also.extend(other.also);
        for (address, text) in other.places {
            self.places.entry(address).or_insert(text);
        }
        self.covers.extend(other.covers);
        self.notes.extend(other.notes);
        self.looks.extend(other.looks);
        self.charges += other.charges;
        self.counted |= other.counted;
    }

    /// The targets it concerns.
    pub(super) fn targets(&self) -> impl Iterator<Item = usize> {
        self.key.target.into_iter().chain(self.also.iter().copied())
    }

    /// Whether it says that something could not be determined.
    pub(super) fn is_doubt(&self) -> bool {
        self.verdict.is_doubt()
    }

    /// What was seen, in one clause an address.
    pub(super) fn observed(&self) -> String {
        match self.places.len() {
            0 => self.observed.clone(),
            1 => self.places.values().next().cloned().unwrap_or_default(),
            _ => words::list(self.places.iter().map(|(address, text)| format!("{address}: {text}")), "; "),
        }
    }

    /// The message with everything that was merged into it.
    pub(super) fn message(&self) -> String {
        let mut sentences = vec![self.message.clone()];
        if self.places.len() > 1 {
            let places = words::list(self.places.keys().map(ToString::to_string), ", ");
            sentences.push(format!("Addresses: {places}."));
        }
        if !self.covers.is_empty() {
            sentences.push(format!("Ports: {}.", words::ports(&self.covers)));
        }
        sentences.extend(self.notes.iter().map(|note| format!("{note}.")));
        if self.rule.kind == Kind::Doubt && self.charges.total() > 0 {
            sentences.push(format!("{} on it.", words::endpoints_rest(self.charges.total())));
        }
        sentences.join(" ")
    }
}

impl<'a> Case<'a> {
    pub(super) fn entry(&self, owner: Owner) -> Option<(&'a Target, &'a HostEntry)> {
        let target = self.manifest.targets.get(owner.target)?;
        Some((target, target.hosts.get(owner.host)?))
    }

    /// A draft about an address, in the name of one owner of its group; the others are `also`.
    pub(super) fn about(&self, rule: &'static Rule, owner: Owner, group: &Group, address: IpAddr) -> Draft {
        let mut draft = Draft::new(rule, Some(owner.target), self.subject(owner, address));
        draft.host = self.entry(owner).map(|(_, entry)| entry.host.to_string());
        draft.place = self.entry(owner).map(|(_, entry)| entry.place.clone());
        draft.also = group.owners.iter().map(|other| other.target).filter(|&t| t != owner.target).collect();
        draft.severity = self.weighed(rule.severity, group);
        draft
    }

    /// How a finding names what it is about: the name as written, else the address.
    pub(super) fn subject(&self, owner: Owner, address: IpAddr) -> String {
        match self.entry(owner).map(|(_, entry)| &entry.host) {
            Some(Host::Name(name)) => name.clone(),
            Some(host @ Host::Local { .. }) => host.to_string(),
            _ => address.to_string(),
        }
    }

    /// The same for a reader: a name with its address.
    pub(super) fn spoken(&self, owner: Owner, address: IpAddr) -> String {
        match self.entry(owner).map(|(_, entry)| &entry.host) {
            Some(Host::Name(name)) => format!("{name} ({address})"),
            Some(host @ Host::Local { .. }) => host.to_string(),
            _ => address.to_string(),
        }
    }

    /// A severity moved by how much the owners of an address matter: the one that matters most counts.
    pub(super) fn weighed(&self, severity: Severity, group: &Group) -> Severity {
        weigh(severity, self.owners(group).iter().map(|(_, target)| target.criticality).max())
    }

    /// The same for one target.
    pub(super) fn weighed_for(&self, severity: Severity, target: usize) -> Severity {
        weigh(severity, self.manifest.targets.get(target).map(|target| target.criticality))
    }
}

fn weigh(severity: Severity, criticality: Option<Criticality>) -> Severity {
    match criticality.unwrap_or_default() {
        Criticality::Low => severity.lowered(),
        Criticality::Normal => severity,
        Criticality::High => severity.raised(),
    }
}

/// A rule that this module raises; one that is not in the catalogue does not compile.
#[allow(clippy::indexing_slicing, reason = "evaluated by the compiler only")]
const fn known(id: &str) -> &'static Rule {
    let mut i = 0;
    while i < RULES.len() {
        if same(RULES[i].id.as_bytes(), id.as_bytes()) {
            return &RULES[i];
        }
        i += 1;
    }
    panic!("not in the catalogue of rules")
}

#[allow(clippy::indexing_slicing, reason = "evaluated by the compiler only")]
const fn same(a: &[u8], b: &[u8]) -> bool {
    let mut i = 0;
    while i < a.len() && i < b.len() && a[i] == b[i] {
        i += 1;
    }
    i == a.len() && i == b.len()
}
