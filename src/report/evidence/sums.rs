//! Whether a report agrees with itself: every total is counted again from its parts.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use crate::{
    model::{Protocol, Severity, State, StateCounts, Verdict},
    report::{Outcome, Report, SeverityCounts, index::acts, words::thousands},
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
    for place in report.targets.iter().flat_map(|target| &target.addresses) {
        if by_address.get(place.address.as_str()).is_some_and(|&states| *states != place.states) {
            found.push(Imbalance::Target(place.address.clone()));
        }
    }
}

fn endpoints(report: &Report, found: &mut Vec<Imbalance>) {
    let mut listed = [0_u64; State::ALL.len()];
    let mut known: BTreeSet<(&str, Protocol, u16)> = BTreeSet::new();
    for seen in &report.observations {
        if !known.insert((&seen.address, seen.protocol, seen.port)) {
            found.push(Imbalance::Twice(format!("{} {}/{}", seen.address, seen.port, seen.protocol)));
        }
        let place = State::ALL.iter().position(|&state| state == seen.state);
        if let Some(n) = place.and_then(|place| listed.get_mut(place)) {
            *n += 1;
        }
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
    let mut ids = BTreeSet::new();
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
    let verdicts = &report.summary.verdicts;
    let fails = verdicts.fail > 0 || report.findings.iter().any(|finding| finding.verdict == Verdict::Fail);
    let doubts = verdicts.inconclusive > 0 || verdicts.not_covered > 0 || report.run.partial;
    let holds = match report.summary.result {
        Outcome::Deviates => fails,
        Outcome::Inconclusive => !fails,
        Outcome::Conforms => !fails && !doubts,
    };
    if !holds {
        found.push(Imbalance::Outcome(report.summary.result));
    }
}

/// The numbers may be anybody's: their sum must not wrap.
fn total(states: &StateCounts) -> u128 {
    State::ALL.iter().map(|&state| u128::from(states.of(state))).sum()
}
