//! The far side: hosts that follow a script over a path that loses, delays, repeats and reorders.
//! Seeded; the same seed does the same. It must never know what the scan thinks.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    net::IpAddr,
    time::Duration,
};

use ipnet::IpNet;
use portproof::{
    model::{AddressRange, Endpoint, Evidence, LocalError, Moment, PortSet, Protocol, State, Unreachable},
    scan::Probe,
};
use serde::Deserialize;

/// A run of hosts with one script. Ports in no list are dropped.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Host {
    pub at: IpNet,
    #[serde(deserialize_with = "ports")]
    pub open: PortSet,
    #[serde(deserialize_with = "ports")]
    pub closed: PortSet,
    #[serde(deserialize_with = "ports")]
    pub prohibited: PortSet,
    /// Answers as open on everything, whatever the lists say.
    /// Answers a SYN and never completes a connection: a SYN proxy before a dead service.
    #[serde(deserialize_with = "ports")]
    pub half_open: PortSet,
    pub tarpit: bool,
    /// A router answers host unreachable for everything that would be dropped.
    pub unreachable: bool,
    pub rtt_ms: u64,
    pub jitter_ms: u64,
    /// Share of packets lost, each way.
    pub loss: f64,
    /// Losses come in bursts: chance to enter one at a packet, and to leave it.
    pub burst: Option<(f64, f64)>,
    pub duplicate: f64,
    /// Share of answers that are overtaken: they take up to half a second longer.
    pub reorder: f64,
    /// RSTs a second that a host sends at most.
    pub rst_per_second: Option<u32>,
    /// So many probes each address takes; then it bans us, and drops whatever comes.
    pub ban_after: Option<u32>,
    /// The path is dead from..to, in milliseconds.
    pub dead: Option<(u64, u64)>,
    pub trouble: Option<Trouble>,
}

/// Sends to a host that fail on our side.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trouble {
    pub error: Error,
    pub from_ms: u64,
    pub to_ms: u64,
    /// Share of the sends that fail.
    pub share: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Error {
    Descriptors,
    Buffers,
    NoRoute,
    Forbidden,
}

impl Error {
    fn local(self) -> LocalError {
        match self {
            Self::Descriptors => LocalError::Descriptors,
            Self::Buffers => LocalError::Buffers,
            Self::NoRoute => LocalError::NoRoute,
            Self::Forbidden => LocalError::Forbidden,
        }
    }
}

impl Default for Host {
    fn default() -> Self {
        Self {
            at: "10.0.0.0/8".parse().unwrap(),
            open: PortSet::NONE,
            closed: PortSet::NONE,
            prohibited: PortSet::NONE,
            half_open: PortSet::NONE,
            tarpit: false,
            unreachable: false,
            rtt_ms: 20,
            jitter_ms: 0,
            loss: 0.0,
            burst: None,
            duplicate: 0.0,
            reorder: 0.0,
            rst_per_second: None,
            ban_after: None,
            dead: None,
            trouble: None,
        }
    }
}

impl Host {
    /// What is true of a port, were nothing lost.
    pub fn truth(&self, protocol: Protocol, port: u16) -> State {
        if self.tarpit || self.open.contains(port) || self.half_open.contains(port) {
            State::Open
        } else if self.closed.contains(port) {
            State::Closed
        } else if self.prohibited.contains(port) || protocol == Protocol::Tcp {
            State::Filtered
        } else {
            State::Unanswered
        }
    }

    fn reply(&self, probe: &Probe) -> Evidence {
        let port = probe.endpoint.port;
        if self.half_open.contains(port) {
            let half = Evidence::SynAck { window: 0, options: false };
            return if probe.handshake { Evidence::Silence } else { half };
        }
        let from = |what| Evidence::Unreachable { what, sender: None };
        if self.tarpit || self.open.contains(port) {
            Evidence::Connected
        } else if self.closed.contains(port) {
            Evidence::Refused
        } else if self.prohibited.contains(port) {
            from(Unreachable::AdminProhibited)
        } else if self.unreachable {
            from(Unreachable::Host)
        } else {
            Evidence::Silence
        }
    }
}

/// A probe that left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    pub at: Moment,
    pub endpoint: Endpoint,
    pub attempt: u8,
}

/// A packet that reaches us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    pub sent: Sent,
    pub evidence: Evidence,
}

/// Hosts, what is under way, and everything that was sent.
pub struct Net {
    pub hosts: Vec<Host>,
    pub wire: Vec<Sent>,
    random: Random,
    under_way: BinaryHeap<Reverse<(Moment, usize)>>,
    arrivals: Vec<Arrival>,
    paths: BTreeMap<IpAddr, Path>,
}

#[derive(Default)]
struct Path {
    in_burst: bool,
    rst_second: u64,
    rsts: u32,
    probes: u32,
}

impl Net {
    pub fn new(hosts: Vec<Host>, seed: u64) -> Self {
        Self {
            hosts,
            wire: Vec::new(),
            random: Random(seed),
            under_way: BinaryHeap::new(),
            arrivals: Vec::new(),
            paths: BTreeMap::new(),
        }
    }

    /// The script of an address: the first that covers it.
    pub fn host(&self, address: IpAddr) -> Option<&Host> {
        self.hosts.iter().find(|host| host.at.contains(&address))
    }

    /// What is true of an endpoint.
    pub fn truth(&self, endpoint: Endpoint) -> State {
        self.host(endpoint.address).cloned().unwrap_or_default().truth(endpoint.protocol, endpoint.port)
    }

    /// Sends a probe. What fails here never reaches the wire.
    pub fn send(&mut self, now: Moment, probe: &Probe) -> Result<(), LocalError> {
        let host = self.host(probe.endpoint.address).cloned().unwrap_or_default();
        if let Some(trouble) = &host.trouble
            && (trouble.from_ms..trouble.to_ms).contains(&millis(now))
            && self.random.chance(trouble.share)
        {
            return Err(trouble.error.local());
        }
        let sent = Sent { at: now, endpoint: probe.endpoint, attempt: probe.attempt };
        self.wire.push(sent);
        let evidence = host.reply(probe);
        if self.bans(&host, sent)
            || evidence == Evidence::Silence
            || self.is_lost(&host, sent)
            || self.is_limited(&host, sent, evidence)
        {
            return Ok(());
        }
        let copies = 1 + usize::from(self.random.chance(host.duplicate));
        for _ in 0..copies {
            if self.is_lost(&host, sent) {
                continue;
            }
            let jitter = self.random.below(host.jitter_ms * 1_000_000 + 1);
            let detour = if self.random.chance(host.reorder) { self.random.below(500_000_000) } else { 0 };
            let at = now + Duration::from_nanos(host.rtt_ms * 1_000_000 + jitter + detour);
            self.under_way.push(Reverse((at, self.arrivals.len())));
            self.arrivals.push(Arrival { sent, evidence });
        }
        Ok(())
    }

    /// The next packet that has reached us by now.
    pub fn receive(&mut self, now: Moment) -> Option<Arrival> {
        let Reverse((at, i)) = *self.under_way.peek()?;
        (at <= now).then(|| {
            self.under_way.pop();
            self.arrivals[i]
        })
    }

    /// When the next packet reaches us.
    pub fn next_arrival(&self) -> Option<Moment> {
        self.under_way.peek().map(|Reverse((at, _))| *at)
    }

    fn is_lost(&mut self, host: &Host, sent: Sent) -> bool {
        if host.dead.is_some_and(|(from, to)| (from..to).contains(&millis(sent.at))) {
            return true;
        }
        if let Some((enter, leave)) = host.burst {
            let path = self.paths.entry(sent.endpoint.address).or_default();
            path.in_burst = self.random.chance(if path.in_burst { 1.0 - leave } else { enter });
            if path.in_burst {
                return true;
            }
        }
        self.random.chance(host.loss)
    }

    fn bans(&mut self, host: &Host, sent: Sent) -> bool {
        let Some(after) = host.ban_after else { return false };
        let path = self.paths.entry(sent.endpoint.address).or_default();
        path.probes += 1;
        path.probes > after
    }

    fn is_limited(&mut self, host: &Host, sent: Sent, evidence: Evidence) -> bool {
        let (Some(limit), Evidence::Refused) = (host.rst_per_second, evidence) else { return false };
        let path = self.paths.entry(sent.endpoint.address).or_default();
        let second = millis(sent.at) / 1000;
        if path.rst_second != second {
            (path.rst_second, path.rsts) = (second, 0);
        }
        path.rsts += 1;
        path.rsts > limit
    }
}

/// Every endpoint of a block and its ports.
pub fn endpoints(block: IpNet, protocol: Protocol, ports: &PortSet) -> impl Iterator<Item = Endpoint> + '_ {
    AddressRange::of(block)
        .iter()
        .flat_map(move |address| ports.iter().map(move |port| Endpoint { address, protocol, port }))
}

/// `SplitMix64`.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ (value >> 31)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    pub fn chance(&mut self, share: f64) -> bool {
        share > 0.0 && (self.next() >> 11) as f64 / (1u64 << 53) as f64 <= share
    }
}

pub fn millis(at: Moment) -> u64 {
    at.nanos() / 1_000_000
}

/// `"80,443"`, as in a manifest.
pub fn ports<'de, D: serde::Deserializer<'de>>(source: D) -> Result<PortSet, D::Error> {
    PortSet::parse(&String::deserialize(source)?).map_err(serde::de::Error::custom)
}
