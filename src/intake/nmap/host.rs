//! One host of nmap's XML: its ports one by one, and those that are only counted.

use std::{net::IpAddr, time::Duration};

use jiff::Timestamp;

use super::{
    super::{
        services::Service,
        source::{Part, Rest, SYN_ACK, Sighting, observed},
    },
    Asked, Slip, Told,
};
use crate::model::{
    Endpoint, Evidence, Look, PortSet, Protocol, Reason, State, StateCounts, Tally, Unreachable,
};

/// The host that is being read.
#[derive(Default)]
pub(super) struct Host {
    pub(super) address: Option<IpAddr>,
    pub(super) names: Vec<String>,
    pub(super) since: Option<Timestamp>,
    pub(super) at: Option<Timestamp>,
    /// Something answered while nmap looked whether it is up.
    pub(super) greeted: bool,
    pub(super) ports: Vec<Port>,
    /// What nmap only counts: the protocol where it says so, the state, the reason, how many, and which.
    pub(super) counted: Vec<Counted>,
    pub(super) srtt_us: Option<u64>,
    pub(super) timed_out: bool,
    /// The state of the `extraports` that is open now; how many there are its reasons say.
    pub(super) extra: Option<String>,
}

#[derive(Default)]
pub(super) struct Port {
    pub(super) protocol: Option<Protocol>,
    pub(super) number: u16,
    state: String,
    reason: String,
    ttl: Option<u8>,
    sender: Option<IpAddr>,
    service: Option<Service>,
}

pub(super) struct Counted {
    protocol: Option<Protocol>,
    state: String,
    reason: Option<String>,
    count: u64,
    ports: Option<PortSet>,
}

const PORT: &str = "is no number of a port (1-65535), so what is said of it is left out";
const COUNT: &str = "is no number of ports, so those that are only counted are left out";
const LIST: &str = "is no list of ports (1-65535), so of these only the number counts";

impl Host {
    /// One element of it. What of it can't be read is left out, and returned.
    pub(super) fn element(&mut self, name: &[u8], told: &Told, port: &mut Option<Port>) -> Option<Slip> {
        match name {
            b"address" if matches!(told.word("addrtype"), "ipv4" | "ipv6") => {
                self.address = self
                    .address
                    .or_else(|| told.number("addr").map(|address: IpAddr| address.to_canonical()));
            }
            b"hostname" if told.word("type") == "user" => self.names.extend(told.own("name")),
            // Without a look (-Pn) it is "up" because the user said so.
            b"status" => {
                self.greeted = told.word("state") == "up"
                    && !matches!(told.word("reason"), "" | "user-set" | "localhost-response");
            }
            b"times" => self.srtt_us = told.number("srtt"),
            b"extraports" => {
                self.extra = told.own("state");
                return told.count().is_none().then(|| Slip::of(told, "count", COUNT));
            }
            b"extrareasons" => {
                let state = self.extra.clone()?;
                let listed = told.get("ports").map(ports);
                self.counted.push(Counted {
                    protocol: told.get("proto").and_then(protocol),
                    state,
                    reason: told.own("reason"),
                    count: told.count().unwrap_or(0),
                    ports: listed.clone().flatten(),
                });
                return match listed {
                    Some(None) => Some(Slip::of(told, "ports", LIST)),
                    // Where they are listed nobody counts them.
                    Some(Some(_)) => None,
                    None => told.count().is_none().then(|| Slip::of(told, "count", COUNT)),
                };
            }
            b"port" => {
                let number: Option<u16> = told.number("portid");
                *port = number.filter(|number| *number > 0).map(|number| Port {
                    protocol: protocol(told.word("protocol")),
                    number,
                    ..Port::default()
                });
                return number.is_none().then(|| Slip::of(told, "portid", PORT));
            }
            b"state" => {
                if let Some(port) = port {
                    told.word("state").clone_into(&mut port.state);
                    told.word("reason").clone_into(&mut port.reason);
                    port.ttl = told.number("reason_ttl").filter(|ttl| *ttl > 0);
                    port.sender = told.number("reason_ip");
                }
            }
            b"service" => {
                if let Some(port) = port {
                    port.service = Some(Service {
                        name: told.word("name").to_owned(),
                        product: told.own("product"),
                        version: told.own("version"),
                        detail: told.own("extrainfo"),
                        tunnel: told.own("tunnel"),
                        method: told.own("method"),
                    });
                }
            }
            _ => {}
        }
        None
    }

    /// Whether the host answered anything at all.
    pub(super) fn answered(&self) -> bool {
        let proves = |state: &str| matches!(state, "open" | "closed" | "unfiltered");
        self.greeted
            || self.ports.iter().any(|port| proves(&port.state))
            || self.counted.iter().any(|counted| proves(&counted.state) && counted.count > 0)
    }

    /// What is only counted: by port where nmap lists them, else together. Returns how many can't be placed.
    pub(super) fn rest(&self, protocol: Protocol, asked: &Asked, is_only: bool, part: &mut Part) -> u64 {
        let listed: PortSet = part.seen.keys().copied().collect();
        let mut left = asked.ports.difference(&listed);
        let (mut lumped, mut ports) = (StateCounts::default(), 0);
        let mut reasons = Vec::new();
        for counted in self.counted.iter().filter(|counted| counted.protocol.is_none_or(|of| of == protocol))
        {
            let state = state(protocol, &counted.state);
            let Some(known) = counted.ports.as_ref().filter(|_| counted.protocol.is_some()) else {
                lumped.add(state.unwrap_or(State::Unknown), counted.count);
                reasons.push(counted.reason.as_deref().and_then(|word| word.parse::<Reason>().ok()));
                ports += counted.count;
                continue;
            };
            let known = known.intersection(&left);
            left = left.difference(&known);
            if let (Some(state), false) = (state, known.is_empty()) {
                let mut states = StateCounts::default();
                states.add(state, known.len().into());
                let reason = counted.reason.as_deref().map(|word| reason_of(word, protocol, state));
                part.rest.push(Rest { ports: known, states, reason });
            }
        }
        if ports == 0 {
            return 0;
        }
        // Of one protocol, and as many as are left: then it is these.
        if is_only && u64::from(left.len()) == ports {
            let one = reasons.first().copied().flatten();
            let reason = one.filter(|one| reasons.iter().all(|reason| *reason == Some(*one)));
            part.rest.push(Rest { ports: left, states: lumped, reason });
            return 0;
        }
        ports
    }

    /// What is told beside the states.
    pub(super) fn tally(&self, address: IpAddr, protocol: Protocol, part: &Part) -> Tally {
        let decided = |reason: Reason| is_prohibition(reason);
        let rest = part
            .rest
            .iter()
            .filter(|rest| rest.reason.is_some_and(decided) && rest.weakest() == State::Filtered);
        let seen = part.seen.values().map(|sighting| &sighting.observation);
        let seen = seen.filter(|seen| seen.state == State::Filtered && decided(seen.reason)).count() as u64;
        Tally {
            prohibited: rest.map(|rest| u64::from(rest.ports.len())).sum::<u64>() + seen,
            rtt: self.srtt_us.filter(|rtt| *rtt > 0).map(Duration::from_micros),
            ..Tally::empty(address, protocol)
        }
    }
}

impl Port {
    /// `None`: nmap itself does not know what it is.
    pub(super) fn sighting(&self, endpoint: Endpoint, connects: bool, at: Timestamp) -> Option<Sighting> {
        let protocol = endpoint.protocol;
        let state = state(protocol, &self.state)?;
        let reason = reason_of(&self.reason, protocol, state);
        let probed = self.service.as_ref().filter(|service| service.is_probed() && state == State::Open);
        let evidence = match (protocol, state) {
            (Protocol::Tcp, State::Open) => Some(if connects { Evidence::Connected } else { SYN_ACK }),
            (Protocol::Udp, State::Open) => None,
            (Protocol::Tcp, State::Closed) if reason == Reason::ConnRefused => Some(Evidence::Refused),
            (Protocol::Tcp, State::Closed) => Some(Evidence::Reset),
            (Protocol::Udp, State::Closed) => Some(Evidence::NoListener),
            _ => Some(
                Unreachable::of(reason)
                    .map_or(Evidence::Silence, |what| Evidence::Unreachable { what, sender: self.sender }),
            ),
        };
        let mut observation = observed(endpoint, state, reason, evidence, at);
        observation.ttl = self.ttl;
        if probed.is_some() && protocol == Protocol::Tcp {
            // nmap's version scan connects after the port scan, and it was answered.
            let first = observation.looks.first().copied();
            observation.looks.extend(first.map(|look| Look {
                attempt: 2,
                evidence: Evidence::Connected,
                ..look
            }));
        }
        Some(Sighting { observation, portrait: probed.and_then(Service::portrait), banner: None })
    }
}

/// A list of ports. nmap also asks port 0, which no server can have.
pub(super) fn ports(text: &str) -> Option<PortSet> {
    let text = match text.strip_prefix('0') {
        Some("") => return Some(PortSet::NONE),
        Some(rest) if rest.starts_with('-') => format!("1{rest}"),
        Some(rest) if rest.starts_with(',') => rest.trim_start_matches(',').to_owned(),
        _ => text.to_owned(),
    };
    PortSet::parse(&text).ok()
}

pub(super) fn protocol(word: &str) -> Option<Protocol> {
    match word {
        "tcp" => Some(Protocol::Tcp),
        "udp" => Some(Protocol::Udp),
        _ => None, // SCTP and bare IP are not judged
    }
}

/// What nmap's word means; `None`: it says less than any state of ours.
fn state(protocol: Protocol, word: &str) -> Option<State> {
    match (protocol, word) {
        (_, "open") => Some(State::Open),
        (_, "closed") => Some(State::Closed),
        (_, "filtered") => Some(State::Filtered),
        (Protocol::Udp, "open|filtered") => Some(State::Unanswered),
        _ => None,
    }
}

/// Its reason, in its own words where they are ours as well.
fn reason_of(word: &str, protocol: Protocol, state: State) -> Reason {
    let usual = match (state, protocol) {
        (State::Open, Protocol::Tcp) => Reason::SynAck,
        (State::Open, Protocol::Udp) => Reason::UdpResponse,
        (State::Closed, Protocol::Tcp) => Reason::Reset,
        (State::Closed, Protocol::Udp) => Reason::PortUnreach,
        _ => Reason::NoResponse,
    };
    let fits = |reason: &Reason| match state {
        State::Open => matches!(reason, Reason::SynAck | Reason::UdpResponse),
        State::Closed => matches!(reason, Reason::Reset | Reason::ConnRefused | Reason::PortUnreach),
        _ => *reason == Reason::NoResponse || Unreachable::of(*reason).is_some(),
    };
    word.parse().ok().filter(fits).unwrap_or(usual)
}

/// Whether it settles an endpoint: somebody on the way decides so.
pub(in crate::intake) fn is_prohibition(reason: Reason) -> bool {
    Unreachable::of(reason).is_some_and(|what| !what.is_soft())
}
