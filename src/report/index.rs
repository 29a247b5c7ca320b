//! The report by address and endpoint, and what each endpoint's record says against the
//! declarations. Reads the verdicts that stand in the report; never makes one.

use std::collections::{HashMap, HashSet};

use super::{
    AddressRecord, Declared, DeclaredKind, Finding, ObservationRecord, Report, TargetRecord, asked::Asked,
};
use crate::{
    model::{Kind, PortSet, Protocol, Severity, State, Verdict, rule},
    spec::manifest::Presence,
};

/// How one endpoint stands, in the words that a reader looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Mark {
    /// Open, and denied.
    Denied,
    /// Open, and nothing declares it.
    Unlisted,
    /// Declared and open, and not as declared: wrong service, TLS, certificate.
    Defect,
    /// Declared, and not reachable.
    Missing,
    /// Not as declared in what is about no endpoint alone: names, families, the edge, the paperwork.
    Otherwise,
    /// Could not be decided.
    Undecided,
    /// Deviates, and the run was told to let it pass.
    LetThrough,
    /// Deviates or is in doubt, and an exception accepts it.
    Waived,
    /// Declared and open.
    Expected,
    /// Not open, as it should be.
    NotOpen,
    /// The report holds no statement about it.
    Unstated,
}

impl Mark {
    /// Whether a reader must see it; the rest may be folded.
    pub(crate) fn is_quiet(self) -> bool {
        matches!(self, Self::Expected | Self::NotOpen | Self::Unstated)
    }

    /// In words, as a legend says it.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Denied => "open, and denied",
            Self::Unlisted => "open, not declared",
            Self::Defect => "declared and open, not as declared",
            Self::Missing => "declared, not reachable",
            Self::Otherwise => "deviates otherwise: its findings say how",
            Self::Undecided => "could not be decided",
            Self::LetThrough => "deviates, and the run was told to let it pass",
            Self::Waived => "accepted",
            Self::Expected => "declared and open",
            Self::NotOpen => "not open, as it should be",
            Self::Unstated => "not asked, or nothing recorded",
        }
    }
}

/// Look-ups into a report, built once for a page.
pub(crate) struct Index<'a> {
    observed: HashMap<&'a str, Vec<&'a ObservationRecord>>,
    targets: HashMap<&'a str, Vec<&'a str>>,
    declared: HashMap<&'a str, Vec<&'a Declared>>,
    /// The rule of the finding that says why an endpoint is open and should not be.
    wrongly_open: HashMap<(&'a str, Protocol, u16), &'a str>,
    noted: HashSet<&'a str>,
    /// Targets of which a finding is wrong, or of which one is in doubt or waived.
    concerned: HashMap<&'a str, Mark>,
    /// The ports asked of each target, read once: a page looks them up for every cell.
    asked: HashMap<&'a str, Asked>,
    /// Addresses whose silence proves nothing.
    silent_in_doubt: HashSet<&'a str>,
    /// Addresses of which a finding about several of them is in doubt, be the doubt accepted or not.
    in_doubt: HashSet<&'a str>,
}

impl<'a> Index<'a> {
    /// Reads the whole report once.
    pub(crate) fn new(report: &'a Report) -> Self {
        let mut index = Self {
            observed: HashMap::new(),
            targets: HashMap::new(),
            declared: HashMap::new(),
            wrongly_open: HashMap::new(),
            noted: HashSet::new(),
            concerned: HashMap::new(),
            asked: HashMap::new(),
            silent_in_doubt: silent_in_doubt(report),
            in_doubt: addresses_of(report, |finding| {
                let is_doubt = rule(&finding.rule).is_some_and(|rule| rule.kind == Kind::Doubt);
                finding.address.is_none()
                    && (finding.verdict == Verdict::Inconclusive
                        || (finding.verdict == Verdict::Waived && is_doubt))
            }),
        };
        for (target, ports) in &report.coverage.port_sets {
            if let Ok(ports) = ports.parse() {
                index.asked.insert(target, ports);
            }
        }
        for observation in &report.observations {
            index.observed.entry(&observation.address).or_default().push(observation);
        }
        for target in &report.targets {
            for address in &target.addresses {
                index.targets.entry(&address.address).or_default().push(&target.id);
            }
        }
        for entry in &report.declared {
            index.declared.entry(&entry.target).or_default().push(entry);
        }
        for finding in &report.findings {
            let mark = match finding.verdict {
                Verdict::Fail => Some(failing(&finding.rule)),
                Verdict::Inconclusive | Verdict::NotCovered => Some(Mark::Undecided),
                Verdict::Waived => Some(Mark::Waived),
                Verdict::Pass | Verdict::PassBySilence => None,
            };
            if let Some(mark) = mark {
                for target in finding.target.iter().chain(&finding.also) {
                    let worst = index.concerned.entry(target).or_insert(mark);
                    *worst = mark.min(*worst);
                }
            }
            let Some(address) = finding.address.as_deref() else { continue };
            if !finding.verdict.is_pass() {
                index.noted.insert(address);
            }
            if let (Some(protocol), Some(port), rule @ ("EXP001" | "EXP002")) =
                (finding.protocol, finding.port, finding.rule.as_str())
            {
                index.wrongly_open.insert((address, protocol, port), rule);
            }
        }
        index
    }

    /// What was seen of one address.
    pub(crate) fn observed(&self, address: &str) -> &[&'a ObservationRecord] {
        self.observed.get(address).map_or(&[], Vec::as_slice)
    }

    /// What was seen of one endpoint.
    pub(crate) fn at(&self, address: &str, protocol: Protocol, port: u16) -> Option<&'a ObservationRecord> {
        self.observed(address).iter().find(|seen| seen.protocol == protocol && seen.port == port).copied()
    }

    /// Whether a finding that is wrong, in doubt or waived speaks of this address.
    pub(crate) fn is_noted(&self, address: &str) -> bool {
        self.noted.contains(address)
    }

    /// What the manifest declares for a target.
    pub(crate) fn declared(&self, target: &str) -> &[&'a Declared] {
        self.declared.get(target).map_or(&[], Vec::as_slice)
    }

    /// The worst that the findings of a target say of it, where any is wrong, in doubt or waived.
    pub(crate) fn concern(&self, target: &str) -> Option<Mark> {
        self.concerned.get(target).copied()
    }

    /// The entry that exposes an endpoint, of any target that the address belongs to.
    pub(crate) fn exposure(&self, address: &str, protocol: Protocol, port: u16) -> Option<&'a Declared> {
        self.entry(address, protocol, port, DeclaredKind::Expose)
    }

    fn entry(
        &self,
        address: &str,
        protocol: Protocol,
        port: u16,
        kind: DeclaredKind,
    ) -> Option<&'a Declared> {
        let targets = self.targets.get(address)?;
        targets
            .iter()
            .filter_map(|target| self.declared.get(target))
            .flatten()
            .copied()
            .find(|entry| entry.kind == kind && entry.protocol == protocol && entry.ports.contains(port))
    }

    /// How an endpoint stands that the report has a record of.
    pub(crate) fn mark(&self, seen: &ObservationRecord) -> Mark {
        let (address, protocol, port) = (seen.address.as_str(), seen.protocol, seen.port);
        let open = seen.state == State::Open;
        let exposed = || self.exposure(address, protocol, port).is_some();
        let denied = || self.entry(address, protocol, port, DeclaredKind::Deny).is_some();
        // An entry that holds from another vantage only exposes nothing here: the finding knows.
        let rule = self.wrongly_open.get(&(address, protocol, port)).copied();
        match seen.verdict {
            Verdict::Waived if seen.waived_by.as_deref().is_some_and(|by| by.starts_with('-')) => {
                Mark::LetThrough
            }
            Verdict::Waived => Mark::Waived,
            Verdict::Inconclusive | Verdict::NotCovered => Mark::Undecided,
            Verdict::Fail if !open && exposed() => Mark::Missing,
            // Closed where nothing may answer, or the like.
            Verdict::Fail if !open => Mark::Otherwise,
            Verdict::Fail if rule == Some("EXP002") => Mark::Denied,
            Verdict::Fail if rule.is_none() && exposed() => Mark::Defect,
            Verdict::Fail if rule.is_none() && denied() => Mark::Denied,
            Verdict::Pass | Verdict::PassBySilence if !open => Mark::NotOpen,
            Verdict::Pass | Verdict::PassBySilence if exposed() => Mark::Expected,
            // What a target merely warns about is open and undeclared all the same.
            Verdict::Fail | Verdict::Pass | Verdict::PassBySilence => Mark::Unlisted,
        }
    }

    /// How an endpoint stands, recorded or not: every open and every named endpoint is recorded, so one that is not
    /// is not open where all that was asked of its target was asked there too, and could be decided.
    pub(crate) fn mark_at(&self, target: &str, place: &AddressRecord, protocol: Protocol, port: u16) -> Mark {
        if let Some(seen) = self.at(&place.address, protocol, port) {
            return self.mark(seen);
        }
        let Some(asked) = self.asked.get(target) else { return Mark::Unstated };
        let is_whole = place.states.total() >= asked.len();
        let settled = place.states.unknown == 0 && place.alive == Some(true);
        if protocol == Protocol::Udp || !is_whole || !settled || !asked.tcp.contains(port) {
            return Mark::Unstated;
        }
        let is_silent = place.states.filtered > 0 && self.silent_in_doubt.contains(place.address.as_str());
        if is_silent || place.answers_everything { Mark::Undecided } else { Mark::NotOpen }
    }

    /// Whether a finding about several addresses, this one among them, is in doubt.
    pub(crate) fn is_in_doubt(&self, place: &AddressRecord) -> bool {
        self.in_doubt.contains(place.address.as_str())
    }

    /// Addresses that may be folded away, by what is said of all of them together.
    pub(crate) fn folded<'p>(
        &self,
        quiet: Vec<&'p AddressRecord>,
    ) -> [(&'static str, Vec<&'p AddressRecord>); 3] {
        let (doubted, sure): (Vec<_>, Vec<_>) = quiet.into_iter().partition(|place| self.is_in_doubt(place));
        let (dark, plain): (Vec<_>, Vec<_>) =
            sure.into_iter().partition(|place| place.expect_dark && !place.states.answered());
        [
            ("in doubt, as the findings say", doubted),
            ("dark, as expected", dark),
            ("exactly as declared", plain),
        ]
    }

    /// Whether the endpoint may be absent without being missing.
    pub(crate) fn is_optional(&self, address: &str, protocol: Protocol, port: u16) -> bool {
        self.exposure(address, protocol, port).is_some_and(|entry| entry.presence == Some(Presence::Optional))
    }

    /// Whether an address may be folded away: nothing open but what is declared, and in doubt only together with
    /// others.
    pub(crate) fn is_quiet(&self, place: &AddressRecord) -> bool {
        !place.answers_everything
            && place.states.unknown == 0
            && !self.is_noted(&place.address)
            && self.observed(&place.address).iter().all(|seen| self.mark(seen).is_quiet())
    }
}

/// What a finding that fails says of its target.
fn failing(rule: &str) -> Mark {
    match rule {
        "EXP001" => Mark::Unlisted,
        "EXP002" => Mark::Denied,
        "EXP003" | "EXP010" => Mark::Missing,
        "EXP004" | "EXP005" | "EXP006" | "EXP007" => Mark::Defect,
        _ => Mark::Otherwise,
    }
}

/// The addresses of which a finding says that their silence proves nothing, accepted or not: silent on everything,
/// fallen silent midway, too unreliable.
pub(crate) fn silent_in_doubt(report: &Report) -> HashSet<&str> {
    addresses_of(report, |finding| matches!(finding.rule.as_str(), "EXP010" | "EXP011" | "EXP015"))
}

/// The addresses that some findings are about: the one that they name, else all of their target and host, or of the
/// whole run.
fn addresses_of(report: &Report, is: impl Fn(&Finding) -> bool) -> HashSet<&str> {
    let mut known: HashMap<&str, &TargetRecord> = HashMap::new();
    for target in &report.targets {
        known.entry(&target.id).or_insert(target);
    }
    let mut found = HashSet::new();
    for finding in report.findings.iter().filter(|finding| is(finding)) {
        if let Some(address) = finding.address.as_deref() {
            found.insert(address);
            continue;
        }
        let named: Vec<&String> = finding.target.iter().chain(&finding.also).collect();
        let targets: Vec<&TargetRecord> = if named.is_empty() {
            report.targets.iter().collect()
        } else {
            named.into_iter().filter_map(|id| known.get(id.as_str()).copied()).collect()
        };
        let is_meant = |place: &&AddressRecord| {
            finding.host.as_deref().is_none_or(|host| place.name.as_deref().unwrap_or(&place.address) == host)
        };
        let places = targets.into_iter().flat_map(|target| target.addresses.iter().filter(is_meant));
        found.extend(places.map(|place| place.address.as_str()));
    }
    found
}

/// The record of each observed endpoint.
pub(crate) fn by_endpoint(report: &Report) -> HashMap<(&str, Protocol, u16), &ObservationRecord> {
    report.observations.iter().map(|seen| ((seen.address.as_str(), seen.protocol, seen.port), seen)).collect()
}

/// Where each address belongs: the targets that hold it, in the report's order.
pub(crate) fn homes(report: &Report) -> HashMap<&str, Vec<(&TargetRecord, &AddressRecord)>> {
    let mut homes: HashMap<&str, Vec<_>> = HashMap::new();
    for target in &report.targets {
        for place in &target.addresses {
            homes.entry(&place.address).or_default().push((target, place));
        }
    }
    homes
}

/// Findings that differ in nothing but the port.
pub(crate) struct Group<'a> {
    /// The first of them; it speaks for all.
    pub(crate) first: &'a Finding,
    /// All of them, in the report's order.
    pub(crate) all: Vec<&'a Finding>,
}

impl Group<'_> {
    /// How many.
    pub(crate) fn len(&self) -> u64 {
        self.all.len() as u64
    }

    /// `8080/tcp`, `1-1024,8080/tcp`; `None` where they are not about ports.
    pub(crate) fn ports(&self) -> Option<String> {
        let ports: PortSet = self.all.iter().filter_map(|finding| finding.port).collect();
        match self.first.protocol {
            Some(protocol) if !ports.is_empty() => Some(format!("{ports}/{protocol}")),
            _ => None,
        }
    }
}

/// What makes findings alike.
type Likeness<'a> = (
    (Severity, &'a str, Verdict, Option<&'a str>),
    (Option<&'a str>, Option<&'a str>, Option<Protocol>, Option<&'a str>),
    Option<&'a str>,
);

/// Findings about one address that differ in nothing but the port, together, in the report's order.
pub(crate) fn grouped<'a>(findings: impl Iterator<Item = &'a Finding>) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    let mut places: HashMap<Likeness<'a>, usize> = HashMap::new();
    for finding in findings {
        if finding.port.is_none() {
            groups.push(Group { first: finding, all: vec![finding] });
            continue;
        }
        let likeness = (
            (finding.severity, finding.rule.as_str(), finding.verdict, finding.target.as_deref()),
            (finding.host.as_deref(), finding.address.as_deref(), finding.protocol, finding.cause.as_deref()),
            finding.exception.as_deref(),
        );
        if let Some(group) = places.get(&likeness).and_then(|&place| groups.get_mut(place)) {
            group.all.push(finding);
        } else {
            places.insert(likeness, groups.len());
            groups.push(Group { first: finding, all: vec![finding] });
        }
    }
    groups
}

/// Whether a finding is wrong or in doubt: what a reader must act on.
pub(crate) fn acts(finding: &Finding) -> bool {
    finding.verdict == Verdict::Fail || finding.verdict.is_doubt()
}

/// A port set shortened to what a line holds; the count says what is left out.
pub(crate) fn shortened(ports: &str, limit: usize) -> String {
    if ports.chars().count() <= limit {
        return ports.to_owned();
    }
    let (list, protocol) = ports.rsplit_once('/').unwrap_or((ports, ""));
    let items: Vec<&str> = list.split(',').collect();
    let mut kept = String::new();
    let mut left = items.len();
    for item in items {
        if kept.len() + item.len() + 16 > limit && !kept.is_empty() {
            break;
        }
        if !kept.is_empty() {
            kept.push(',');
        }
        kept.push_str(item);
        left -= 1;
    }
    format!("{kept} and {left} more/{protocol}")
}
