//! Whether a report agrees with itself: every total is counted again from its parts.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    fmt,
};

use crate::{
    model::{Level, Protocol, Severity, State, StateCounts, Verdict, VerdictCounts},
    report::{Asked, Outcome, Report, SeverityCounts, index::acts, statement, words::thousands},
};

/// A total that its parts do not make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Imbalance {
    /// The states do not make what was planned.
    States(Sum),
    /// The verdicts do not make what was planned.
    Verdicts(Sum),
    /// The states of one address do not make what was planned there.
    Address(String, Sum),
    /// A state as counted for the whole run, and as the addresses make it.
    Addresses(State, Sum),
    /// A target counts other states for an address than the control totals do.
    Target(String),
    /// More endpoints of a state are listed than were counted.
    Listed(State, Sum),
    /// More endpoints of a verdict are listed than were counted.
    Judged(Verdict, Sum),
    /// Not every open endpoint of an address is listed.
    Open(String, Sum),
    /// An address has totals, and no target has the address.
    Homeless(String),
    /// A finding is accepted by an exception that the report does not hold.
    Exception(String),
    /// The headline begins with another outcome.
    Headline(Outcome),
    /// Endpoints are judged failing, and no finding says of anything that it fails.
    Unfounded(u64),
    /// Endpoints are waived, and not by as many reasons.
    Waived(Sum),
    /// Endpoints are waived, and nothing in the report waives any.
    Unaccepted(u64),
    /// An endpoint is waived by an exception that the report does not hold.
    WaivedBy(String),
    /// More endpoints are determined than can be, beside those without a state or in doubt.
    Determined(Sum),
    /// Findings of a rule stand that the run was told not to report.
    Reported(String),
    /// The ports asked of a target are no ports.
    Ports(String),
    /// More endpoints are planned at an address than its targets have ports.
    Planned(String, Sum),
    /// The exit code is that of another outcome.
    Exit(u8),
    /// An endpoint is listed twice.
    Twice(String),
    /// Findings of a severity as counted, and as they are.
    Findings(Severity, Sum),
    /// Two findings have one id.
    SameId(String),
    /// The outcome is not what the verdicts and findings make it.
    Outcome(Outcome),
}

/// What is written, and what the parts make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // the words say it
pub struct Sum {
    pub said: u64,
    pub made: u128,
}

impl Sum {
    fn unless_equal(said: u64, made: u128) -> Option<Self> {
        (u128::from(said) != made).then_some(Self { said, made })
    }
}

impl fmt::Display for Imbalance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = |sum: &Sum| (thousands(sum.said), thousands(u64::try_from(sum.made).unwrap_or(u64::MAX)));
        match self {
            Self::States(sum) => {
                let (said, made) = n(sum);
                write!(f, "{said} endpoints planned, and the states make {made}")
            }
            Self::Verdicts(sum) => {
                let (said, made) = n(sum);
                write!(f, "{said} endpoints planned, and the verdicts make {made}")
            }
            Self::Address(address, sum) => {
                let (said, made) = n(sum);
                write!(f, "{said} endpoints planned at {address}, and its states make {made}")
            }
            Self::Addresses(state, sum) => {
                let (said, made) = n(sum);
                write!(f, "{said} {state}, and the addresses make {made}")
            }
            Self::Target(address) => write!(f, "two counts of the states of {address}"),
            Self::Listed(state, sum) => {
                let (said, made) = n(sum);
                write!(f, "{said} {state}, and {made} are listed")
            }
            Self::Judged(verdict, sum) => {
                let (said, made) = n(sum);
                write!(f, "{said} endpoints judged {}, and {made} are listed", verdict.word())
            }
            Self::Open(address, sum) => {
                let (said, made) = n(sum);
                write!(f, "{said} open at {address}, and {made} are listed")
            }
            Self::Homeless(address) => write!(f, "{address} has totals and belongs to no target"),
            Self::Exception(id) => {
                write!(f, "a finding is accepted by the exception {id}, which is not among the exceptions")
            }
            Self::Headline(outcome) => {
                write!(f, "the result is {}, and the headline says otherwise", outcome.word())
            }
            Self::Unfounded(fail) => {
                write!(f, "{} endpoints fail, and no finding fails", thousands(*fail))
            }
            Self::Waived(sum) => {
                let (said, made) = n(sum);
                write!(f, "{said} endpoints waived, and the reasons make {made}")
            }
            Self::Unaccepted(waived) => {
                write!(f, "{} endpoints are waived, and nothing waives them", thousands(*waived))
            }
            Self::WaivedBy(what) => {
                write!(f, "an endpoint is waived by {what}, which the report does not hold")
            }
            Self::Determined(sum) => {
                let (said, made) = n(sum);
                write!(f, "{said} endpoints determined, and at most {made} can be")
            }
            Self::Reported(rule) => write!(f, "{rule} was not to be reported, and a finding of it stands"),
            Self::Ports(target) => write!(f, "the ports asked of {target} can't be read"),
            Self::Planned(address, sum) => {
                let (said, made) = n(sum);
                write!(f, "{said} endpoints planned at {address}, and its targets have {made} ports")
            }
            Self::Exit(code) => write!(f, "the exit code is {code}, and the verdicts say otherwise"),
            Self::Twice(endpoint) => write!(f, "{endpoint} is listed twice"),
            Self::Findings(severity, sum) => {
                let (said, made) = n(sum);
                write!(f, "{said} findings of severity {severity}, and {made} are listed")
            }
            Self::SameId(id) => write!(f, "two findings have the id {id}"),
            Self::Outcome(outcome) => {
                write!(f, "the result is {}, and the verdicts say otherwise", outcome.word())
            }
        }
    }
}

/// Everything that does not add up; empty for a report as it was written.
pub fn imbalances(report: &Report) -> Vec<Imbalance> {
    let mut found = Vec::new();
    totals(report, &mut found);
    addresses(report, &mut found);
    endpoints(report, &mut found);
    findings(report, &mut found);
    waived(report, &mut found);
    ports(report, &mut found);
    found
}

fn totals(report: &Report, found: &mut Vec<Imbalance>) {
    let coverage = &report.coverage;
    found.extend(Sum::unless_equal(coverage.planned, total(&coverage.states)).map(Imbalance::States));
    let verdicts = &report.summary.verdicts;
    let judged = [
        verdicts.pass,
        verdicts.pass_by_silence,
        verdicts.fail,
        verdicts.inconclusive,
        verdicts.not_covered,
        verdicts.waived,
    ];
    let judged = judged.into_iter().map(u128::from).sum();
    found.extend(Sum::unless_equal(coverage.planned, judged).map(Imbalance::Verdicts));
    let (most, said) = (statement::determined(report), coverage.determined.unwrap_or(0));
    if said > most {
        found.push(Imbalance::Determined(Sum { said, made: most.into() }));
    }
}

/// What is waived has a reason: an exception that the report holds, or what the run was told.
fn waived(report: &Report, found: &mut Vec<Imbalance>) {
    let said = report.summary.verdicts.waived;
    let levels = &report.run.selection.levels;
    let told = |level| levels.values().any(|known| *known == level);
    let accepted = report.findings.iter().any(|finding| finding.verdict == Verdict::Waived);
    let unfounded = match report.summary.waived {
        Some(waived) => {
            found.extend(Sum::unless_equal(said, waived.total().into()).map(Imbalance::Waived));
            let none = |n: u64, is_founded: bool| if is_founded { 0 } else { n };
            [
                none(waived.by_exception, accepted),
                none(waived.not_reported, told(Level::Allow)),
                none(waived.only_warned, told(Level::Warn)),
            ]
            .into_iter()
            .fold(0, u64::saturating_add)
        }
        None if accepted || told(Level::Allow) || told(Level::Warn) => 0,
        None => said,
    };
    if unfounded > 0 {
        found.push(Imbalance::Unaccepted(unfounded));
    }
    let exceptions: HashSet<&str> = report.exceptions.iter().map(|exception| exception.id.as_str()).collect();
    let holds = |by: &str| match by.split_once(' ') {
        Some(("exception", id)) => exceptions.contains(id),
        Some(("-A", rule)) => levels.get(rule) == Some(&Level::Allow),
        Some(("-W", rule)) => levels.get(rule) == Some(&Level::Warn),
        _ => false,
    };
    let lost: BTreeSet<&str> = report
        .observations
        .iter()
        .filter_map(|seen| seen.waived_by.as_deref())
        .filter(|by| !holds(by))
        .collect();
    found.extend(lost.into_iter().map(|by| Imbalance::WaivedBy(by.to_owned())));
    // What is dropped is dropped whole; what an exception accepts stays, with its exception.
    let silenced = |rule: &str| levels.get(rule) == Some(&Level::Allow);
    let standing = report.findings.iter().filter(|finding| finding.verdict != Verdict::Waived);
    let reported: BTreeSet<&str> =
        standing.map(|finding| finding.rule.as_str()).filter(|rule| silenced(rule)).collect();
    found.extend(reported.into_iter().map(|rule| Imbalance::Reported(rule.to_owned())));
}

/// At no address more can be planned than its targets were asked; fewer are where a name allows no more.
fn ports(report: &Report, found: &mut Vec<Imbalance>) {
    let mut asked: HashMap<&str, Asked> = HashMap::new();
    for target in &report.targets {
        let Some(set) = report.coverage.port_sets.get(&target.id) else { continue };
        let Ok(set) = set.parse::<Asked>() else {
            found.push(Imbalance::Ports(target.id.clone()));
            continue;
        };
        for place in &target.addresses {
            asked
                .entry(&place.address)
                .and_modify(|known| *known = known.union(&set))
                .or_insert_with(|| set.clone());
        }
    }
    for place in &report.coverage.per_address {
        let most = asked.get(place.address.as_str()).map(Asked::len);
        if let Some(most) = most.filter(|most| place.planned > *most) {
            let sum = Sum { said: place.planned, made: most.into() };
            found.push(Imbalance::Planned(place.address.clone(), sum));
        }
    }
}

/// Addresses of a block that were never reached are counted for the run alone: so many may be missing from the
/// unknown ones, and from nothing else.
fn addresses(report: &Report, found: &mut Vec<Imbalance>) {
    let coverage = &report.coverage;
    let mut sums = [0_u128; State::ALL.len()];
    let mut by_address: BTreeMap<&str, &StateCounts> = BTreeMap::new();
    for place in &coverage.per_address {
        let off = Sum::unless_equal(place.planned, total(&place.states));
        found.extend(off.map(|sum| Imbalance::Address(place.address.clone(), sum)));
        if by_address.insert(&place.address, &place.states).is_some() {
            found.push(Imbalance::Twice(place.address.clone()));
        }
        for (sum, state) in sums.iter_mut().zip(State::ALL) {
            *sum += u128::from(place.states.of(state));
        }
    }
    for (made, state) in sums.into_iter().zip(State::ALL) {
        let said = coverage.states.of(state);
        let may_lack = state == State::Unknown && made <= u128::from(said);
        found.extend(
            Sum::unless_equal(said, made).filter(|_| !may_lack).map(|sum| Imbalance::Addresses(state, sum)),
        );
    }
    let places = || report.targets.iter().flat_map(|target| &target.addresses);
    let known: HashSet<&str> = places().map(|place| place.address.as_str()).collect();
    let homeless = by_address.keys().filter(|address| !known.contains(*address));
    found.extend(homeless.map(|address| Imbalance::Homeless((*address).to_owned())));
    for place in places() {
        if by_address.get(place.address.as_str()).is_some_and(|&states| *states != place.states) {
            found.push(Imbalance::Target(place.address.clone()));
        }
    }
}

fn endpoints(report: &Report, found: &mut Vec<Imbalance>) {
    let mut listed = [0_u64; State::ALL.len()];
    let mut judged = VerdictCounts::default();
    let mut open: HashMap<&str, u64> = HashMap::new();
    let mut known: HashSet<(&str, Protocol, u16)> = HashSet::with_capacity(report.observations.len());
    for seen in &report.observations {
        if !known.insert((&seen.address, seen.protocol, seen.port)) {
            found.push(Imbalance::Twice(format!("{} {}/{}", seen.address, seen.port, seen.protocol)));
        }
        let place = State::ALL.iter().position(|&state| state == seen.state);
        if let Some(n) = place.and_then(|place| listed.get_mut(place)) {
            *n += 1;
        }
        judged.add(seen.verdict, 1);
        if seen.state == State::Open {
            *open.entry(&seen.address).or_default() += 1;
        }
    }
    let counted = &report.summary.verdicts;
    for verdict in Verdict::ALL {
        let (said, made) = (counted.of(verdict), judged.of(verdict));
        if made > said {
            found.push(Imbalance::Judged(verdict, Sum { said, made: made.into() }));
        }
    }
    let places = report.targets.iter().flat_map(|target| &target.addresses);
    for place in places.filter(|place| !place.answers_everything) {
        let made = open.get(place.address.as_str()).copied().unwrap_or(0);
        let off = Sum::unless_equal(place.states.open, made.into());
        found.extend(off.map(|sum| Imbalance::Open(place.address.clone(), sum)));
    }
    for (made, state) in listed.into_iter().zip(State::ALL) {
        let said = report.coverage.states.of(state);
        if made > said {
            found.push(Imbalance::Listed(state, Sum { said, made: made.into() }));
        }
    }
}

fn findings(report: &Report, found: &mut Vec<Imbalance>) {
    let mut counted = SeverityCounts::default();
    let mut ids = HashSet::with_capacity(report.findings.len());
    for finding in &report.findings {
        if acts(finding) {
            counted.add(finding.severity);
        }
        if !ids.insert(finding.id.as_str()) {
            found.push(Imbalance::SameId(finding.id.clone()));
        }
    }
    for severity in Severity::ALL {
        let (said, made) = (report.summary.findings.of(severity), counted.of(severity));
        found.extend(Sum::unless_equal(said, made.into()).map(|sum| Imbalance::Findings(severity, sum)));
    }
    let exceptions: BTreeSet<&str> =
        report.exceptions.iter().map(|exception| exception.id.as_str()).collect();
    let accepted = report.findings.iter().filter(|finding| finding.verdict == Verdict::Waived);
    let lost: BTreeSet<&str> = accepted
        .filter_map(|finding| finding.exception.as_deref())
        .filter(|id| !exceptions.contains(id))
        .collect();
    found.extend(lost.into_iter().map(|id| Imbalance::Exception(id.to_owned())));
    outcome(report, found);
}

fn outcome(report: &Report, found: &mut Vec<Imbalance>) {
    let verdicts = &report.summary.verdicts;
    let failing = report.findings.iter().any(|finding| finding.verdict == Verdict::Fail);
    let fails = verdicts.fail > 0 || failing;
    // What an exception, `-A` or `-W` takes from a finding it takes from its endpoints.
    if verdicts.fail > 0 && !failing {
        found.push(Imbalance::Unfounded(verdicts.fail));
    }
    let doubts = verdicts.inconclusive > 0
        || verdicts.not_covered > 0
        || report.run.partial
        || report.findings.iter().any(|finding| finding.verdict.is_doubt());
    let holds = match report.summary.result {
        Outcome::Deviates => fails,
        Outcome::Inconclusive => !fails,
        Outcome::Conforms => !fails && !doubts,
    };
    if !holds {
        found.push(Imbalance::Outcome(report.summary.result));
    }
    let code = report.summary.exit_code;
    let agrees = match (report.summary.result, code) {
        // Interrupted or terminated, whatever had come out by then.
        (_, 130 | 143) => report.run.partial,
        (Outcome::Conforms, code) => code == 0,
        // From which severity on a failure fails the run (`--fail-on`) is not in the report.
        (Outcome::Deviates, 0) => !doubts,
        (Outcome::Deviates, 1) => failing,
        (Outcome::Deviates | Outcome::Inconclusive, code) => code == 3,
    };
    if !agrees {
        found.push(Imbalance::Exit(code));
    }
    // Its other words may be an earlier version's.
    let said = report.summary.headline.split_whitespace().next();
    if said.is_some_and(|word| !word.eq_ignore_ascii_case(report.summary.result.word())) {
        found.push(Imbalance::Headline(report.summary.result));
    }
}

/// The numbers may be anybody's: their sum must not wrap.
fn total(states: &StateCounts) -> u128 {
    State::ALL.iter().map(|&state| u128::from(states.of(state))).sum()
}
