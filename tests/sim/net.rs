//! The far side: hosts that follow a script over a path that loses, delays, repeats and reorders.
//! Seeded; the same seed does the same. It must never know what the scan thinks.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    net::IpAddr,
    rc::Rc,
    time::Duration,
};

use ipnet::IpNet;
use portproof::{
    model::{AddressRange, Endpoint, Evidence, LocalError, Moment, PortSet, Protocol, State, Unreachable},
    scan::Probe,
};
use serde::Deserialize;

use super::path::{Bottleneck, Bucket, Limit, Queue, Way, Weather, within};

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
    /// Answers a SYN and never completes a connection: a SYN proxy before a dead service.
    #[serde(deserialize_with = "ports")]
    pub half_open: PortSet,
    /// The same on every port.
    pub syn_proxy: bool,
    /// Answers as open on everything, whatever the lists say.
    pub tarpit: bool,
    /// A router answers host unreachable for everything that would be dropped.
    pub unreachable: bool,
    pub rtt_ms: u64,
    pub jitter_ms: u64,
    /// Share of packets lost, each way.
    pub loss: f64,
    /// Losses come in bursts: chance to enter one at a packet, and to leave it.
    pub burst: Option<(f64, f64)>,
    /// Loss that comes and goes with time, by itself each way; all of these hosts share it.
    pub weather: Option<Weather>,
    /// What all of these hosts are behind.
    pub bottleneck: Option<Bottleneck>,
    pub duplicate: f64,
    /// Share of answers that are overtaken: they take up to half a second longer.
    pub reorder: f64,
    /// RSTs a second that a host sends at most.
    pub rst_per_second: Option<u32>,
    /// ICMP errors that each address sends at most, and that the router before all of them does.
    pub icmp_limit: Option<Limit>,
    pub router_limit: Option<Limit>,
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
            syn_proxy: false,
            tarpit: false,
            unreachable: false,
            rtt_ms: 20,
            jitter_ms: 0,
            loss: 0.0,
            burst: None,
            weather: None,
            bottleneck: None,
            duplicate: 0.0,
            reorder: 0.0,
            rst_per_second: None,
            icmp_limit: None,
            router_limit: None,
            ban_after: None,
            dead: None,
            trouble: None,
        }
    }
}

impl Host {
    /// What is true of a port, were nothing lost.
    pub fn truth(&self, protocol: Protocol, port: u16) -> State {
        if self.tarpit || self.open.contains(port) || self.is_half_open(port) {
            State::Open
        } else if self.closed.contains(port) {
            State::Closed
        } else if self.prohibited.contains(port) || protocol == Protocol::Tcp {
            State::Filtered
        } else {
            State::Unanswered
        }
    }

    fn is_half_open(&self, port: u16) -> bool {
        self.syn_proxy || self.half_open.contains(port)
    }

    fn reply(&self, probe: &Probe) -> Evidence {
        let port = probe.endpoint.port;
        if self.is_half_open(port) {
            let half = Evidence::SynAck { window: 0, options: false };
            return if probe.handshake { Evidence::Silence } else { half };
        }
        let from = |what| Evidence::Unreachable { what, sender: None };
        let is_udp = probe.endpoint.protocol == Protocol::Udp;
        if self.tarpit || self.open.contains(port) {
            if is_udp { Evidence::Reply { payload: 0 } } else { Evidence::Connected }
        } else if self.closed.contains(port) {
            if is_udp { Evidence::NoListener } else { Evidence::Refused }
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
    pub wire: Vec<Sent>,
    hosts: Rc<[Host]>,
    /// What hosts in no list do: nothing.
    nobody: Rc<[Host]>,
    /// Our own link, which all packets leave through.
    link: Option<Bottleneck>,
    link_queue: Queue,
    random: Random,
    under_way: BinaryHeap<Reverse<(Moment, usize)>>,
    arrivals: Vec<Arrival>,
    /// What the hosts of one script share, by the script's place.
    shared: Vec<Shared>,
    own: BTreeMap<IpAddr, Own>,
}

struct Shared {
    ways: Option<(Way, Way)>,
    queue: Queue,
    router: Bucket,
}

/// What each address has for itself.
#[derive(Default)]
struct Own {
    in_burst: bool,
    rst_second: u64,
    rsts: u32,
    icmp: Bucket,
    probes: u32,
}

impl Net {
    pub fn new(hosts: Vec<Host>, link: Option<Bottleneck>, seed: u64) -> Self {
        let mut weather_seeds = Random(seed ^ 0x77ea_74e7);
        let mut way = |weather: &Weather| Way::new(*weather, weather_seeds.next());
        let shared = |host: &Host| Shared {
            ways: host.weather.as_ref().map(|weather| (way(weather), way(weather))),
            queue: Queue::default(),
            router: Bucket::default(),
        };
        let nobody: Rc<[Host]> = Rc::new([Host::default()]);
        Self {
            wire: Vec::new(),
            shared: hosts.iter().chain(&*nobody).map(shared).collect(),
            hosts: hosts.into(),
            nobody,
            link,
            link_queue: Queue::default(),
            random: Random(seed),
            under_way: BinaryHeap::new(),
            arrivals: Vec::new(),
            own: BTreeMap::new(),
        }
    }

    /// The script of an address: the first that covers it.
    pub fn host(&self, address: IpAddr) -> Option<&Host> {
        self.hosts.iter().find(|host| host.at.contains(&address))
    }

    /// What is true of an endpoint.
    pub fn truth(&self, endpoint: Endpoint) -> State {
        let host = self.host(endpoint.address).unwrap_or(&self.nobody[0]);
        host.truth(endpoint.protocol, endpoint.port)
    }

    /// Sends a probe. What fails here never reaches the wire.
    pub fn send(&mut self, now: Moment, probe: &Probe) -> Result<(), LocalError> {
        let found = self.hosts.iter().position(|host| host.at.contains(&probe.endpoint.address));
        let script = found.unwrap_or(self.hosts.len());
        let hosts = Rc::clone(if found.is_some() { &self.hosts } else { &self.nobody });
        let host = &hosts[found.unwrap_or(0)];
        if let Some(trouble) = &host.trouble
            && (trouble.from_ms..trouble.to_ms).contains(&millis(now))
            && self.random.chance(trouble.share)
        {
            return Err(trouble.error.local());
        }
        let sent = Sent { at: now, endpoint: probe.endpoint, attempt: probe.attempt };
        self.wire.push(sent);
        if let Some(reaches) = self.go(script, host, sent)
            && !self.bans(host, sent)
        {
            let evidence = host.reply(probe);
            if evidence != Evidence::Silence && !self.is_limited(script, host, reaches, sent, evidence) {
                self.come_back(script, host, reaches, Arrival { sent, evidence });
            }
        }
        Ok(())
    }

    /// The way there: when a probe is through all queues, if it comes through at all.
    fn go(&mut self, script: usize, host: &Host, sent: Sent) -> Option<Moment> {
        let mut at = sent.at;
        if let Some(link) = self.link {
            at = self.link_queue.pass(link, at)?;
        }
        if let Some(bottleneck) = host.bottleneck {
            at = self.shared[script].queue.pass(bottleneck, at)?;
        }
        (!self.is_lost(script, host, sent.endpoint.address, (at, true))).then_some(at)
    }

    /// The way back, perhaps of two copies.
    fn come_back(&mut self, script: usize, host: &Host, reached: Moment, arrival: Arrival) {
        let copies = 1 + usize::from(self.random.chance(host.duplicate));
        for _ in 0..copies {
            let jitter = self.random.below(host.jitter_ms * 1_000_000 + 1);
            let detour = if self.random.chance(host.reorder) { self.random.below(500_000_000) } else { 0 };
            let at = reached + Duration::from_nanos(host.rtt_ms * 1_000_000 + jitter + detour);
            if !self.is_lost(script, host, arrival.sent.endpoint.address, (at, false)) {
                self.under_way.push(Reverse((at, self.arrivals.len())));
                self.arrivals.push(arrival);
            }
        }
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

    /// Whether a packet is lost that passes at a moment, to or fro.
    fn is_lost(&mut self, script: usize, host: &Host, address: IpAddr, (at, is_to): (Moment, bool)) -> bool {
        if within(host.dead, at) {
            return true;
        }
        if let Some((enter, leave)) = host.burst {
            let own = self.own.entry(address).or_default();
            own.in_burst = self.random.chance(if own.in_burst { 1.0 - leave } else { enter });
            if own.in_burst {
                return true;
            }
        }
        if let Some((to, fro)) = &mut self.shared[script].ways {
            let loss = if is_to { to.loss(at) } else { fro.loss(at) };
            if self.random.chance(loss) {
                return true;
            }
        }
        self.random.chance(host.loss)
    }

    fn bans(&mut self, host: &Host, sent: Sent) -> bool {
        let Some(after) = host.ban_after else { return false };
        let own = self.own.entry(sent.endpoint.address).or_default();
        own.probes += 1;
        own.probes > after
    }

    /// Whether an answer is more than its sender may send.
    fn is_limited(&mut self, script: usize, host: &Host, at: Moment, sent: Sent, evidence: Evidence) -> bool {
        let own = self.own.entry(sent.endpoint.address).or_default();
        // Who refuses a datagram does it by ICMP.
        let by_icmp = evidence == Evidence::NoListener;
        match (evidence, host.rst_per_second) {
            (Evidence::Refused, Some(limit)) => {
                let second = millis(at) / 1000;
                if own.rst_second != second {
                    (own.rst_second, own.rsts) = (second, 0);
                }
                own.rsts += 1;
                own.rsts > limit
            }
            _ if by_icmp || matches!(evidence, Evidence::Unreachable { .. }) => {
                let by_host = host.icmp_limit.is_some_and(|limit| !own.icmp.take(limit, at));
                by_host || host.router_limit.is_some_and(|limit| !self.shared[script].router.take(limit, at))
            }
            _ => false,
        }
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

    /// At least 0, below 1.
    pub fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub fn chance(&mut self, share: f64) -> bool {
        share > 0.0 && self.share() < share
    }
}

pub fn millis(at: Moment) -> u64 {
    at.nanos() / 1_000_000
}

/// `"80,443"`, as in a manifest.
pub fn ports<'de, D: serde::Deserializer<'de>>(source: D) -> Result<PortSet, D::Error> {
    PortSet::parse(&String::deserialize(source)?).map_err(serde::de::Error::custom)
}
