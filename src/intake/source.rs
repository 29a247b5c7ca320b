//! What one file says, whoever wrote it: which ports of which addresses were asked, what is said of each one, and
//! what is only counted.

use std::{collections::BTreeMap, net::IpAddr};

use jiff::Timestamp;

use super::Format;
use crate::{
    identify::Portrait,
    model::{
        Endpoint, Evidence, Family, Look, Moment, Observation, PortSet, Protocol, Reason, State, StateCounts,
        Tally,
    },
    spec::resolution::NameAnswer,
};

/// One file, read.
#[derive(Clone, Debug)]
pub struct Source {
    /// What it is.
    pub format: Format,
    /// What wrote it: `nmap 7.93`.
    pub tool: String,
    /// When the scan began, where it says so.
    pub started: Option<Timestamp>,
    /// When it ended, or the last time that it tells.
    pub finished: Option<Timestamp>,
    /// The scan did not reach its end.
    pub partial: bool,
    /// What a reader should know of what it can't show.
    pub remarks: Vec<String>,
    /// What names resolved to, as far as it says.
    pub answers: BTreeMap<(String, Family), NameAnswer>,
    /// What it says of each address and protocol.
    pub parts: BTreeMap<(IpAddr, Protocol), Part>,
    /// The whole of it, where it is a report.
    #[cfg(feature = "edge")]
    pub report: Option<Box<crate::report::Report>>,
}

impl Source {
    /// Nothing said yet.
    pub(super) fn new(format: Format, tool: &str) -> Self {
        Self {
            format,
            tool: crate::identify::bounded(tool),
            started: None,
            finished: None,
            partial: false,
            remarks: Vec::new(),
            answers: BTreeMap::new(),
            parts: BTreeMap::new(),
            #[cfg(feature = "edge")]
            report: None,
        }
    }

    /// Widens the time that it covers.
    pub(super) fn covers(&mut self, at: Timestamp) {
        self.started = Some(self.started.map_or(at, |known| known.min(at)));
        self.finished = Some(self.finished.map_or(at, |known| known.max(at)));
    }
}

/// What a file says of one protocol of one address.
#[derive(Clone, Debug, Default)]
pub struct Part {
    /// As of when; of two files that contradict each other the later one counts.
    pub at: Timestamp,
    /// Ports that it speaks of one by one.
    pub seen: BTreeMap<u16, Sighting>,
    /// Ports that it speaks of together; none of them is in `seen`.
    pub rest: Vec<Rest>,
    /// Every port that was asked, where that is known.
    pub asked: PortSet,
    /// Control totals: of a run of our own everything, of another tool's only what it tells beside the states.
    pub tally: Option<Tally>,
}

/// What is said of one port.
#[derive(Clone, Debug)]
pub struct Sighting {
    /// What was seen. Moments count from the beginning of 1970.
    pub observation: Observation,
    /// Who answers there, where that was asked.
    pub portrait: Option<Portrait>,
    /// What a service said of itself over UDP.
    pub banner: Option<String>,
}

/// Ports that were asked, of which only the number in each state is told.
#[derive(Clone, Debug)]
pub struct Rest {
    /// Which.
    pub ports: PortSet,
    /// How many of them are in which state.
    pub states: StateCounts,
    /// Why, where all of them have one reason.
    pub reason: Option<Reason>,
}

impl Rest {
    /// What is certain of each of the ports: of several states the one that proves least.
    pub fn weakest(&self) -> State {
        let counts = &self.states;
        if counts.unknown + counts.open > 0 || counts.total() < u64::from(self.ports.len()) {
            return State::Unknown;
        }
        let proving = [State::Unanswered, State::Filtered, State::Closed];
        proving.into_iter().find(|&state| counts.of(state) > 0).unwrap_or(State::Unknown)
    }

    /// The states of so many of the ports, whichever they are: as many as there can be in those that prove less.
    pub fn least(&self, n: u32) -> StateCounts {
        let (mut left, mut least) = (u64::from(n), StateCounts::default());
        for state in [State::Unanswered, State::Filtered, State::Closed] {
            let here = self.states.of(state).min(left);
            least.add(state, here);
            left -= here;
        }
        least.add(State::Unknown, left);
        least
    }

    /// Why each of the ports is in its state.
    pub fn why(&self) -> Reason {
        let several = State::ALL.iter().filter(|&&state| self.states.of(state) > 0).count() > 1;
        self.reason.filter(|_| !several).unwrap_or(Reason::Unlisted)
    }
}

/// A time of day as a moment of a run that began with 1970.
pub(super) fn moment(at: Timestamp) -> Moment {
    Moment::from_nanos(u64::try_from(at.as_nanosecond()).unwrap_or(0))
}

/// An observation with one look: what else is known comes on top.
pub(super) fn observed(
    endpoint: Endpoint,
    state: State,
    reason: Reason,
    evidence: Option<Evidence>,
    at: Timestamp,
) -> Observation {
    let at = moment(at);
    let look = |evidence| Look { at, attempt: 1, source: None, ttl: None, evidence };
    Observation {
        endpoint,
        state,
        reason,
        payload: None,
        sender: evidence.and_then(Evidence::sender),
        rtt: None,
        ttl: None,
        attempts: 0, // nobody tells
        first_seen: Some(at),
        supersedes: false,
        looks: evidence.map(look).into_iter().collect(),
    }
}

/// A SYN-ACK of which nothing more is known.
pub(super) const SYN_ACK: Evidence = Evidence::SynAck { window: u16::MAX, options: true };
