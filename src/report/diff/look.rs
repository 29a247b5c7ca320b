//! What one report says of an endpoint, recorded or not. Every open and every named endpoint is recorded; of the
//! others the counts say whether they can all be known not to be open.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::{
    model::{Family, PortSet, Protocol, State, StateCounts, Verdict},
    report::{
        AddressCoverage, AddressRecord, NotScanned, ObservationRecord, Report,
        asked::Asked,
        index::silent_in_doubt,
        statement::stopped_by,
        words::{count, listed},
    },
};

/// How one report stands to an endpoint.
#[derive(Clone, Debug)]
pub(super) enum Look<'a> {
    /// It saw it open.
    Open(&'a ObservationRecord),
    /// It looked, and it was not open; the state where it is known.
    NotOpen(Option<State>),
    /// It can't say, and why.
    Not(String),
}

/// Look-ups into one report.
pub(super) struct Looks<'a> {
    pub(super) report: &'a Report,
    observed: HashMap<(&'a str, Protocol, u16), &'a ObservationRecord>,
    places: HashMap<&'a str, Place<'a>>,
    /// Addresses whose silence proves nothing.
    doubted: HashSet<&'a str>,
}

/// What was asked of one address.
pub(super) struct Place<'a> {
    record: &'a AddressRecord,
    covered: Option<&'a AddressCoverage>,
    pub(super) targets: Vec<&'a str>,
    /// The ports asked of every target that the address belongs to; `None` where the report does not say.
    tcp: Option<PortSet>,
    udp: Option<PortSet>,
    /// How many of its open endpoints are recorded.
    open: u64,
}

impl Place<'_> {
    /// Of both protocols.
    pub(super) fn all(&self) -> &StateCounts {
        &self.record.states
    }

    /// Of one protocol; of both together where the report does not tell them apart.
    fn states(&self, protocol: Protocol) -> &StateCounts {
        let own = self.covered.and_then(|covered| match protocol {
            Protocol::Tcp => covered.tcp.as_ref(),
            Protocol::Udp => covered.udp.as_ref(),
        });
        own.map_or_else(|| self.all(), |own| &own.states)
    }

    /// Endpoints that have a state.
    pub(super) fn determined(&self) -> u64 {
        self.all().determined()
    }

    pub(super) fn ports(&self, protocol: Protocol) -> Option<&PortSet> {
        match protocol {
            Protocol::Tcp => self.tcp.as_ref(),
            Protocol::Udp => self.udp.as_ref(),
        }
    }

    /// Whether all of these ports were planned here: an address whose name authorizes its declared ports only has
    /// fewer than its target.
    pub(super) fn is_whole(&self) -> bool {
        let all = self.tcp.as_ref().zip(self.udp.as_ref());
        all.is_some_and(|(tcp, udp)| self.all().total() >= u64::from(tcp.len()) + u64::from(udp.len()))
    }

    /// The state of those that are not open, where there is only one that it can be.
    fn only_state(&self, protocol: Protocol) -> Option<State> {
        let StateCounts { closed, filtered, .. } = *self.states(protocol);
        match (closed > 0, filtered > 0) {
            (true, false) => Some(State::Closed),
            (false, true) => Some(State::Filtered),
            _ => None,
        }
    }
}

impl<'a> Looks<'a> {
    pub(super) fn of(report: &'a Report) -> Self {
        let covered = report.coverage.per_address.iter();
        let covered: HashMap<&str, &AddressCoverage> =
            covered.map(|covered| (covered.address.as_str(), covered)).collect();
        let mut places: HashMap<&str, Place<'_>> = HashMap::new();
        for target in &report.targets {
            let set = report.coverage.port_sets.get(&target.id).and_then(|set| set.parse::<Asked>().ok());
            let ports = |protocol| set.as_ref().map(|set| set.of(protocol).clone());
            for record in &target.addresses {
                let place = places.entry(&record.address).or_insert_with(|| Place {
                    record,
                    covered: covered.get(record.address.as_str()).copied(),
                    targets: Vec::new(),
                    tcp: ports(Protocol::Tcp),
                    udp: ports(Protocol::Udp),
                    open: 0,
                });
                if !place.targets.is_empty() {
                    place.tcp = common(place.tcp.take(), ports(Protocol::Tcp));
                    place.udp = common(place.udp.take(), ports(Protocol::Udp));
                }
                place.targets.push(&target.id);
            }
        }
        let mut observed = HashMap::with_capacity(report.observations.len());
        for seen in &report.observations {
            observed.insert((seen.address.as_str(), seen.protocol, seen.port), seen);
            if let Some(place) = places.get_mut(seen.address.as_str()).filter(|_| seen.state == State::Open) {
                place.open += 1;
            }
        }
        Self { report, observed, places, doubted: silent_in_doubt(report) }
    }

    pub(super) fn place(&self, address: &str) -> Option<&Place<'a>> {
        self.places.get(address)
    }

    /// What was seen of one endpoint, where it is recorded.
    pub(super) fn recorded(
        &self,
        address: &str,
        protocol: Protocol,
        port: u16,
    ) -> Option<&'a ObservationRecord> {
        self.observed.get(&(address, protocol, port)).copied()
    }

    /// What the report says of one endpoint.
    pub(super) fn at(&self, address: &str, protocol: Protocol, port: u16) -> Look<'a> {
        let place = self.places.get(address);
        let proves_nothing = place.is_some_and(|place| place.record.answers_everything);
        if let Some(seen) = self.recorded(address, protocol, port) {
            return match seen.state {
                State::Open if proves_nothing && seen.verdict == Verdict::Inconclusive => {
                    Look::Not(EVERYTHING.to_owned())
                }
                State::Open => Look::Open(seen),
                State::Unknown => Look::Not(self.unknown(&seen.reason)),
                State::Unanswered => Look::Not(NO_REPLY.to_owned()),
                State::Filtered if self.is_doubted(address) => Look::Not(SILENCE.to_owned()),
                state => Look::NotOpen(Some(state)),
            };
        }
        let Some(place) = place else { return Look::Not(self.absent(address)) };
        let states = place.all();
        match place.ports(protocol) {
            None => Look::Not("which ports were asked is not recorded".to_owned()),
            Some(ports) if !ports.contains(port) => Look::Not(self.not_asked(protocol)),
            Some(_) if proves_nothing => Look::Not(EVERYTHING.to_owned()),
            Some(_) if !place.is_whole() => {
                Look::Not("not every port of its target was asked there".to_owned())
            }
            Some(_) if states.unknown > 0 => {
                let n = count(states.unknown, "endpoint", "endpoints");
                Look::Not(format!("{n} of the address not determined, {}", self.why_unknown()))
            }
            Some(_) if states.open > place.open => {
                Look::Not("not every open port of it is recorded".to_owned())
            }
            Some(_) => match self.silent(address, place, protocol) {
                Some(why) => Look::Not(why.to_owned()),
                None => Look::NotOpen(place.only_state(protocol)),
            },
        }
    }

    /// Why it proves nothing that a port of an address, which is not listed, was not seen open.
    fn silent(&self, address: &str, place: &Place<'_>, protocol: Protocol) -> Option<&'static str> {
        let states = place.states(protocol);
        match protocol {
            Protocol::Udp => (states.unanswered > 0).then_some(NO_REPLY),
            Protocol::Tcp => (states.filtered > 0 && self.is_doubted(address)).then_some(SILENCE),
        }
    }

    /// Whether the silence of an address proves nothing.
    pub(super) fn is_doubted(&self, address: &str) -> bool {
        self.doubted.contains(address)
    }

    fn not_asked(&self, protocol: Protocol) -> String {
        let selected = match protocol {
            Protocol::Tcp => self.report.run.selection.tcp.as_ref().map(|ports| format!(" (--tcp {ports})")),
            Protocol::Udp => self.report.run.selection.udp.as_ref().map(|ports| format!(" (--udp {ports})")),
        };
        format!("the port was not asked{}", selected.unwrap_or_default())
    }

    /// Why endpoints of a run have no state, as far as the run says.
    pub(super) fn why_unknown(&self) -> String {
        let run = &self.report.run;
        match &run.selection.shard {
            _ if run.partial => format!("the run is partial: {}", stopped_by(&run.stop_reason)),
            Some(shard) => format!("the run asked part {shard} of the plan only"),
            None => "for whatever reason".to_owned(),
        }
    }

    fn unknown(&self, reason: &str) -> String {
        match reason {
            "not_sent" => format!("never asked, {}", self.why_unknown()),
            "interrupted" => format!("not asked to the end, {}", self.why_unknown()),
            reason => match reason.strip_prefix("local-") {
                Some(what) => format!("trouble on the scanning machine: {}", what.replace('-', " ")),
                None => format!("not determined: {reason}"),
            },
        }
    }

    /// Why an address is not in the report.
    pub(super) fn absent(&self, address: &str) -> String {
        let selection = &self.report.run.selection;
        let family = address.parse().ok().map(Family::of);
        let left_out = |left: &&NotScanned| left.what.split_whitespace().next() == Some(address);
        match (family, &selection.families) {
            (Some(family), Some(asked)) if !asked.contains(&family) => {
                return format!("{family} was left out");
            }
            _ => {}
        }
        if let Some(left) = self.report.not_scanned.iter().find(left_out) {
            return format!("left out: {}", left.why);
        }
        if !selection.only.is_empty() {
            return format!("only {} was asked", listed(&selection.only));
        }
        "no target of the run has this address".to_owned()
    }

    /// The tools that talked to what answers: each has its own names for programs.
    pub(super) fn hearers(&self) -> BTreeSet<&'a str> {
        let run = &self.report.run;
        let tools = run.sources.iter().filter_map(|source| source.tool.split(' ').next());
        let own = run.sources.is_empty().then_some(self.report.tool.name.as_str());
        tools.chain(own).collect()
    }

    /// The targets of an address, as this report knows them.
    pub(super) fn targets(&self, address: &str) -> BTreeSet<&'a str> {
        self.places.get(address).map(|place| place.targets.iter().copied().collect()).unwrap_or_default()
    }

    /// Every address of the report, each once.
    pub(super) fn addresses(&self) -> impl Iterator<Item = (&'a str, &Place<'a>)> {
        self.places.iter().map(|(address, place)| (*address, place))
    }
}

const SILENCE: &str = "it did not answer, and the silence of its address proves nothing";
const NO_REPLY: &str = "it was asked and sent no reply, which over UDP may be anything";
const EVERYTHING: &str = "the address answers on everything, which proves nothing";

/// An address that belongs to several targets is asked the ports of a group of them, which each of their sets holds.
fn common(one: Option<PortSet>, other: Option<PortSet>) -> Option<PortSet> {
    one.zip(other).map(|(one, other)| one.intersection(&other))
}
