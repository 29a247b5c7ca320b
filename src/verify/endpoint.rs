//! The verdict on each endpoint of an address: the table, after what the address as a whole allows.

use super::{
    AddressJudgement, Case,
    docket::{Docket, Entry},
    gap::{self, Gap},
    host::{self, Bearing},
    view::{self, View},
};
use crate::model::{Endpoint, Miss, PortSet, Protocol, Reason, State, StateCounts, Verdict};

/// Judges everything that was given to the scan at one address.
pub(super) fn judge_view(case: &Case<'_>, view: &View<'_>, docket: &mut Docket) -> AddressJudgement {
    let bearing = host::bearing(case, view, docket);
    let mut states = StateCounts::default();
    for protocol in [Protocol::Tcp, Protocol::Udp] {
        let ask = view.group.ask(protocol);
        let planned = ask.planned();
        if gap::can_ask(case, protocol) {
            states.add(State::Unknown, u64::from(ask.blind.len()));
            states += Bench { case, view, bearing, protocol, docket }.judge(&planned.difference(&ask.blind));
        } else {
            states.add(State::Unknown, u64::from(planned.len()));
        }
    }
    let (alive, liveness) = view::liveness(view);
    AddressJudgement {
        address: view.address,
        owners: view.group.owners.clone(),
        alive,
        liveness,
        states,
        answers_everything: matches!(bearing, Bearing::Interfered(_)),
        expect_dark: view.group.expect_dark,
        rtt: view.tallies().find_map(|tally| tally.rtt),
        miss: view.tallies().fold(None, |worst, tally| Miss::worst(worst, tally.miss)),
    }
}

/// One protocol of one address.
pub(super) struct Bench<'c, 'a> {
    pub(super) case: &'c Case<'a>,
    pub(super) view: &'c View<'a>,
    pub(super) bearing: Bearing,
    pub(super) protocol: Protocol,
    pub(super) docket: &'c mut Docket,
}

/// A verdict, and the finding it rests on.
pub(super) type Ruling = (Verdict, Option<Entry>);

impl Bench<'_, '_> {
    /// Judges the given ports: the observed ones one by one, the rest by their counts. Whatever the
    /// counts say, exactly as many endpoints are judged as were given; a surplus is taken from those
    /// that would pass, what is missing was not covered.
    fn judge(&mut self, given: &PortSet) -> StateCounts {
        let tally = self.view.tally(self.protocol).copied();
        let mut rest = tally.map(|tally| tally.states).unwrap_or_default();
        let mut not_sent = tally.map_or(0, |tally| tally.not_sent);
        let local = tally.and_then(|tally| tally.local);
        let mut states = StateCounts::default();
        let mut left = u64::from(given.len());
        let view = self.view;
        for &(i, seen) in &view.seen {
            if seen.endpoint.protocol != self.protocol || !given.contains(seen.endpoint.port) {
                continue;
            }
            rest.sub(seen.state, 1);
            not_sent = not_sent.saturating_sub(u64::from(seen.reason == Reason::NotSent));
            left -= 1;
            states.add(seen.state, 1);
            let (verdict, on) = self.one(seen);
            self.docket.judge((i, seen), seen.state, verdict, on);
        }
        let named = self.view.group.ask(self.protocol).named.intersection(given);
        let protocol = self.protocol;
        for port in named.iter().filter(|&port| view.of(protocol, port).is_none()) {
            left -= 1;
            states.add(State::Unknown, 1);
            let entry = self.gap(Gap::unsent(self.case, local), Verdict::NotCovered);
            self.docket.count(State::Unknown, Verdict::NotCovered, 1, Some(entry));
            self.docket.unasked(Endpoint { address: view.address, protocol, port }, entry);
        }
        let missing = fit(&mut rest, left);
        states += rest;
        states.add(State::Unknown, missing);
        self.unknown(rest.unknown, not_sent, missing);
        for state in [State::Open, State::Closed, State::Filtered, State::Unanswered] {
            self.many(state, rest.of(state), given, &named);
        }
        states
    }

    /// Endpoints without a state that nobody observed one by one.
    fn unknown(&mut self, unknown: u64, not_sent: u64, missing: u64) {
        let local = self.view.tally(self.protocol).and_then(|tally| tally.local);
        let not_sent = not_sent.min(unknown);
        let parts = [
            (not_sent, Gap::unsent(self.case, local), Verdict::NotCovered),
            (unknown - not_sent, Gap::unfinished_for(self.case, local), Verdict::Inconclusive),
            (missing, Gap::unsent(self.case, None), Verdict::NotCovered),
        ];
        for (n, gap, verdict) in parts.into_iter().filter(|(n, ..)| *n > 0) {
            let entry = self.gap(gap, verdict);
            self.docket.count(State::Unknown, verdict, n, Some(entry));
        }
    }

    /// Endpoints that were counted and not observed one by one: undeclared, or denied by a role.
    fn many(&mut self, state: State, n: u64, given: &PortSet, named: &PortSet) {
        if n == 0 {
            return;
        }
        let silent = matches!(state, State::Filtered | State::Unanswered);
        let mut n = n;
        if let Bearing::FellSilent(entry) = self.bearing
            && silent
        {
            let prohibited = if state == State::Filtered { self.prohibited().min(n) } else { 0 };
            self.docket.count(state, Verdict::Inconclusive, n - prohibited, Some(entry));
            if prohibited == 0 {
                return;
            }
            n = prohibited;
        }
        let (verdict, on) = match self.bearing {
            Bearing::Interfered(entry) => (Verdict::Inconclusive, Some(entry)),
            _ if state == State::Open => {
                (Verdict::Inconclusive, Some(self.gap(Gap::Unobserved, Verdict::Inconclusive)))
            }
            _ if state == State::Unanswered && self.protocol == Protocol::Tcp => {
                (Verdict::Inconclusive, Some(self.gap(Gap::Undetermined, Verdict::Inconclusive)))
            }
            _ if silent && !self.bearing.answers() => self.silent(),
            _ if state == State::Unanswered => {
                let doubtful = self.doubtful(given, named);
                let in_doubt = n.min(u64::from(doubtful.len()));
                if in_doubt > 0 {
                    let entry = self.gap_of(None, Gap::NoPayload, &doubtful);
                    self.docket.count(state, Verdict::Inconclusive, in_doubt, Some(entry));
                }
                n -= in_doubt;
                if n == 0 {
                    return;
                }
                self.believed(Verdict::PassBySilence)
            }
            _ => {
                match host::edge(self.case, self.view, (self.protocol, state, n), &PortSet::NONE, self.docket)
                {
                    Some(entry) => (Verdict::Fail, Some(entry)),
                    None if state == State::Filtered => {
                        let prohibited = self.prohibited().min(n);
                        self.docket.count(state, Verdict::Pass, prohibited, None);
                        n -= prohibited;
                        if n == 0 {
                            return;
                        }
                        self.believed(Verdict::Pass)
                    }
                    None => (Verdict::Pass, None),
                }
            }
        };
        self.docket.count(state, verdict, n, on);
    }

    /// A pass that rests on silence, or the doubt whether the path is reliable enough for that.
    pub(super) fn believed(&mut self, pass: Verdict) -> Ruling {
        let miss = self.view.tally(self.protocol).and_then(|tally| tally.miss);
        match miss.filter(|miss| miss.upper95 > self.case.context.max_miss) {
            Some(miss) => (Verdict::Inconclusive, Some(host::weak(self.case, self.view, miss, self.docket))),
            None => (pass, None),
        }
    }

    /// Endpoints that a firewall prohibited and nobody observed one by one.
    fn prohibited(&self) -> u64 {
        let counted = self.view.tally(self.protocol).map_or(0, |tally| tally.prohibited);
        let of_protocol = self.view.seen.iter().filter(|(_, seen)| seen.endpoint.protocol == self.protocol);
        let observed =
            of_protocol.filter(|(_, seen)| seen.state == State::Filtered && !view::is_silent(seen));
        counted.saturating_sub(observed.count() as u64)
    }

    /// UDP ports that a role denies, that were not observed, and whose silence says nothing.
    fn doubtful(&self, given: &PortSet, named: &PortSet) -> PortSet {
        let unobserved = given.difference(named);
        unobserved
            .iter()
            .filter(|&port| self.view.of(self.protocol, port).is_none())
            .filter(|&port| !self.case.context.roles.udp_payload_exists(port))
            .filter(|&port| self.case.expectation(self.view.group, self.protocol, port).denial.is_some())
            .collect()
    }

    pub(super) fn gap(&mut self, gap: Gap, verdict: Verdict) -> Entry {
        gap::file(self.case, self.docket, self.view.group, gap, verdict)
    }

    /// A doubt about these ports, in the name of a target, else of the first owner.
    pub(super) fn gap_of(&mut self, target: Option<usize>, gap: Gap, ports: &PortSet) -> Entry {
        let group = self.view.group;
        let target = target.or_else(|| group.owners.first().map(|owner| owner.target));
        let ports = Some((self.protocol, ports));
        gap::file_for(self.case, self.docket, (group, target), gap, Verdict::Inconclusive, ports)
    }
}

/// Makes counts hold exactly `wanted` endpoints, or says how many are missing. A surplus is taken
/// from the states that would pass first.
fn fit(counts: &mut StateCounts, wanted: u64) -> u64 {
    let mut surplus = counts.total().saturating_sub(wanted);
    for state in [State::Filtered, State::Unanswered, State::Closed, State::Open, State::Unknown] {
        let cut = surplus.min(counts.of(state));
        counts.sub(state, cut);
        surplus -= cut;
    }
    wanted.saturating_sub(counts.total())
}
