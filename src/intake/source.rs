//! What one file says, whoever wrote it: which ports of which addresses were asked, what is said of each one, and
//! what is only counted.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

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

/// Remarks that are kept of one file.
pub const MOST_REMARKS: usize = 100;

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
    /// A host answered: only then does the silence of others say anything.
    pub answered: bool,
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
            answered: false,
            remarks: Vec::new(),
            answers: BTreeMap::new(),
            parts: BTreeMap::new(),
            #[cfg(feature = "edge")]
            report: None,
        }
    }

    /// Of a port that the file itself contradicts.
    pub(super) fn told_twice(&mut self, endpoint: Endpoint) {
        if self.remarks.len() < MOST_REMARKS {
            self.remarks.push(format!("it tells of {endpoint} twice, and differently, so that is in doubt"));
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
    /// Since when; 1970: it does not say.
    pub since: Timestamp,
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

impl Part {
    /// Adds what is said of a port. `false`: it is said to be open and something else, and so in doubt.
    pub(super) fn tell(&mut self, port: u16, told: Sighting) -> bool {
        let Some(known) = self.seen.get_mut(&port) else {
            self.seen.insert(port, told);
            return true;
        };
        let states = [known.observation.state, told.observation.state];
        if states.first() == states.last() {
            known.observation.ttl = known.observation.ttl.or(told.observation.ttl);
            for look in told.observation.looks {
                if !known.observation.looks.iter().any(|own| own.evidence == look.evidence) {
                    known.observation.looks.push(look);
                }
            }
            known.portrait = known.portrait.take().or(told.portrait);
        } else if states.contains(&State::Open) {
            *known = Sighting::contradicted(told.observation.endpoint, self.at);
            return false;
        } else if proves(told.observation.state) < proves(known.observation.state) {
            *known = told;
        }
        true
    }

    /// Adds another account of the same. What both say is kept, and of what they say differently the doubt; returns
    /// what is in doubt.
    pub(super) fn merge(&mut self, (address, protocol): (IpAddr, Protocol), other: Self) -> Vec<Endpoint> {
        let mut twice: BTreeSet<u16> = other.open().filter(|port| self.counts(*port)).collect();
        if !other.rest.is_empty() {
            twice.extend(self.open().filter(|port| other.counts(*port)));
        }
        self.since = self.since.min(other.since);
        self.at = self.at.max(other.at);
        self.asked = self.asked.union(&other.asked);
        self.tally = self.tally.or(other.tally);
        for (port, sighting) in other.seen {
            if !self.tell(port, sighting) {
                twice.insert(port);
            }
        }
        other.rest.into_iter().for_each(|rest| self.tell_rest(rest));
        if !self.rest.is_empty() {
            let listed: PortSet = self.seen.keys().copied().collect();
            self.rest = self.rest.iter().map(|rest| rest.without(&listed)).collect();
            self.rest.retain(|rest| !rest.ports.is_empty());
        }
        let twice = twice.into_iter().map(|port| Endpoint { address, protocol, port });
        let twice: Vec<Endpoint> = twice.collect();
        for &endpoint in &twice {
            self.seen.insert(endpoint.port, Sighting::contradicted(endpoint, self.at));
        }
        twice
    }

    /// Its open ports.
    pub(super) fn open(&self) -> impl Iterator<Item = u16> {
        self.seen.iter().filter(|(_, seen)| seen.observation.state == State::Open).map(|(port, _)| *port)
    }

    /// Adds what is said of ports together. Of those that were told of before, the account that proves less counts.
    fn tell_rest(&mut self, mut told: Rest) {
        for known in std::mem::take(&mut self.rest) {
            let both = known.ports.intersection(&told.ports);
            let weaker = if proves(known.weakest()) < proves(told.weakest()) { &known } else { &told };
            let (states, reason) = (weaker.least(both.len()), weaker.reason);
            self.rest.push(known.without(&both));
            told = told.without(&both);
            self.rest.push(Rest { ports: both, states, reason });
        }
        self.rest.push(told);
    }

    /// Whether it speaks of a port among others, and not by itself.
    fn counts(&self, port: u16) -> bool {
        !self.seen.contains_key(&port) && self.rest.iter().any(|rest| rest.ports.contains(port))
    }

    /// What it says of one port; `None`: nothing.
    pub(super) fn state(&self, port: u16) -> Option<State> {
        let listed = self.seen.get(&port).map(|sighting| sighting.observation.state);
        listed.or_else(|| self.rest.iter().find(|rest| rest.ports.contains(port)).map(Rest::weakest))
    }

    /// The same where it is a state that is known.
    pub(super) fn known(&self, port: u16) -> Option<State> {
        self.state(port).filter(|state| *state != State::Unknown)
    }

    /// Whether it was seen after all that another part says.
    pub(super) fn is_after(&self, earlier: &Self) -> bool {
        let seconds = |at: Timestamp| at.as_second(); // many tools write no more
        earlier.at > Timestamp::UNIX_EPOCH && seconds(self.since) >= seconds(earlier.at)
    }
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

impl Sighting {
    /// Whether it is told twice, and differently.
    pub(super) fn is_contradicted(&self) -> bool {
        self.observation.reason == Reason::Contradicted
    }

    /// Of a port that is open by one account and something else by another.
    pub(super) fn contradicted(endpoint: Endpoint, at: Timestamp) -> Self {
        let observation = observed(endpoint, State::Unknown, Reason::Contradicted, None, at);
        Self { observation, portrait: None, banner: None }
    }
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

    /// The same of its other ports.
    fn without(&self, ports: &PortSet) -> Self {
        let left = self.ports.difference(ports);
        let states = if left.len() == self.ports.len() { self.states } else { self.least(left.len()) };
        Self { ports: left, states, reason: self.reason }
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

/// How much a state proves of a port that is not open.
fn proves(state: State) -> Option<usize> {
    [State::Unanswered, State::Filtered, State::Closed].iter().position(|proving| *proving == state)
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
