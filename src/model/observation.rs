//! What a scan says about one endpoint.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use super::{
    Endpoint, Evidence, LocalError, Miss, Moment, Protocol, Reason, State, StateCounts, Unreachable,
};

/// One attempt and what it brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// When the evidence was complete.
    pub at: Moment,
    /// Which attempt, from 1.
    pub attempt: u8,
    /// From which of our sockets, where known.
    pub source: Option<SocketAddr>,
    /// The time to live, or hop limit, with which the answer arrived, where the mouth sees it.
    pub ttl: Option<u8>,
    /// What happened.
    pub evidence: Evidence,
}

/// The state of one endpoint, and how it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// Which endpoint.
    pub endpoint: Endpoint,
    /// What the evidence means.
    pub state: State,
    /// Why.
    pub reason: Reason,
    /// Of a reply over UDP: the number of the payload that it answers, in the table of `probe::udp`.
    pub payload: Option<u16>,
    /// Who said so, for ICMP.
    pub sender: Option<IpAddr>,
    /// Time from the probe to the answer that decided.
    pub rtt: Option<Duration>,
    /// The time to live, or hop limit, with which that answer arrived, where the mouth sees it.
    pub ttl: Option<u8>,
    /// Attempts really sent.
    pub attempts: u8,
    /// When the deciding evidence came first.
    pub first_seen: Option<Moment>,
    /// Whether this replaces an earlier observation of the same endpoint.
    pub supersedes: bool,
    /// Every attempt, in order, where the endpoint matters enough to keep them.
    pub looks: Vec<Look>,
}

/// Control totals of one address and protocol. `states.total()` is what was planned there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tally {
    /// Which address.
    pub address: IpAddr,
    /// Which protocol.
    pub protocol: Protocol,
    /// Where its endpoints ended.
    pub states: StateCounts,
    /// Of the unknown ones, those never asked at all.
    pub not_sent: u64,
    /// The last failure on our side that left an endpoint undetermined.
    pub local: Option<LocalError>,
    /// The last soft ICMP error about it, and who sent it.
    pub soft: Option<(Unreachable, Option<IpAddr>)>,
    /// Endpoints settled by an ICMP prohibition: somebody answered, though not the host.
    pub prohibited: u64,
    /// Smoothed round-trip time, where anything answered.
    pub rtt: Option<Duration>,
    /// It answered earlier in this run and no longer did when its silence was to be believed: what is
    /// silent there proves nothing.
    pub fell_silent: bool,
    /// Had one of its silent endpoints been open: the chance that it was missed. `None` where nothing
    /// answered that could bound it, or nothing is silent.
    pub miss: Option<Miss>,
    /// How seldom it says that nothing listens, where it does over UDP.
    pub icmp: Option<IcmpLimit>,
    /// What came of ports beside the plan that were asked because something is open there.
    pub controls: Option<ControlCount>,
}

/// How a host limits its ICMP errors (RFC 1812 4.3.2.8, RFC 4443 2.4 (f)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IcmpLimit {
    /// Between two that it sends us, about.
    pub interval: Duration,
    /// Silent endpoints that may be closed: there was no time for the host to say so.
    pub undecided: u64,
}

/// Controls of one address: random high ports that are not planned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ControlCount {
    /// How many were asked.
    pub asked: u8,
    /// How many of them answered as open.
    pub open: u8,
}

impl ControlCount {
    /// Whether so many are open that no host has them open by itself. Of five, one may be a service that
    /// nobody knows of, and two may get lost.
    pub fn show_everything_open(self) -> bool {
        self.open > 2 && self.open * 2 > self.asked
    }
}

impl Tally {
    /// Nothing known yet.
    pub fn empty(address: IpAddr, protocol: Protocol) -> Self {
        Self {
            address,
            protocol,
            states: StateCounts::default(),
            not_sent: 0,
            local: None,
            soft: None,
            prohibited: 0,
            rtt: None,
            fell_silent: false,
            miss: None,
            icmp: None,
            controls: None,
        }
    }

    /// Adds what another part of the run says of the same address and protocol.
    pub fn add(&mut self, other: &Self) {
        self.states += other.states;
        self.not_sent += other.not_sent;
        self.prohibited += other.prohibited;
        self.local = other.local.or(self.local);
        self.soft = other.soft.or(self.soft);
        self.rtt = self.rtt.or(other.rtt);
        self.fell_silent |= other.fell_silent;
        self.miss = Miss::worst(self.miss, other.miss);
        self.controls = other.controls.or(self.controls);
        self.icmp = match (self.icmp, other.icmp) {
            (Some(one), Some(other)) => Some(IcmpLimit {
                interval: one.interval.max(other.interval),
                undecided: one.undecided + other.undecided,
            }),
            (one, other) => one.or(other),
        };
    }
}

impl Observation {
    /// Whether a second, later look found the endpoint open again.
    pub fn seen_open_twice(&self) -> bool {
        self.looks.iter().filter(|look| look.evidence.state() == Some(State::Open)).count() >= 2
    }

    /// Whether a connection to it was completed: a SYN-ACK alone is no service.
    pub fn handshake_completed(&self) -> bool {
        self.looks.iter().any(|look| look.evidence == Evidence::Connected)
    }

    /// Whether attempts disagree: open once, refused or prohibited another time.
    pub fn contradicts_itself(&self) -> bool {
        let mut states = self.looks.iter().filter_map(|look| look.evidence.state());
        states.next().is_some_and(|first| states.any(|state| state != first))
    }
}
