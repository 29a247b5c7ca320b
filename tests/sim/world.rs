//! A whole setting: what is planned, who is out there, how is asked. Made at random, or written down.

use std::collections::BTreeSet;

use ipnet::IpNet;
use portproof::{
    model::{Endpoint, Permit, PortSet, Protocol, Scope, ScopeEntry},
    scan::{Config, Plan, Rate, Scan, Shard},
};
use proptest::prelude::*;

use super::{
    drive::{Mouth, Outcome, drive},
    net::{Error, Host, Net, Trouble, endpoints},
    path::{Bottleneck, Limit, Weather},
};

/// Ports asked of every address of a block.
#[derive(Clone, Debug)]
pub struct Ask {
    pub at: IpNet,
    pub protocol: Protocol,
    pub named: PortSet,
    pub rest: PortSet,
    pub rate: Option<u64>,
}

#[derive(Clone, Debug)]
pub struct World {
    pub asks: Vec<Ask>,
    pub hosts: Vec<Host>,
    /// Our own link.
    pub link: Option<Bottleneck>,
    pub config: Config,
    pub mouth: Mouth,
    pub seed: u64,
    pub shard: Option<Shard>,
}

impl World {
    pub fn plan(&self) -> Plan {
        let mut plan = Plan::default();
        for ask in &self.asks {
            plan.add(&permit(ask.at), ask.protocol, ask.named.clone(), ask.rest.clone(), ask.rate);
        }
        match self.shard {
            Some(shard) => plan.part(shard),
            None => plan,
        }
    }

    pub fn config(&self) -> Config {
        Config { hears_silence: self.mouth.hears_silence(), ..self.config.clone() }
    }

    pub fn scan(&self) -> Scan {
        Scan::new(self.plan(), self.config())
    }

    pub fn net(&self) -> Net {
        Net::new(self.hosts.clone(), self.link, self.seed)
    }

    pub fn run(&self) -> Outcome {
        drive(self.scan(), self.net(), self.mouth, None)
    }

    pub fn planned(&self) -> BTreeSet<Endpoint> {
        let of = |ask: &Ask| endpoints(ask.at, ask.protocol, &ask.named.union(&ask.rest)).collect::<Vec<_>>();
        self.asks.iter().flat_map(of).collect()
    }
}

/// Leave to scan a block.
pub fn permit(block: IpNet) -> Permit {
    let scope = Scope { entries: vec![ScopeEntry::Block(block)], exclude: vec![] };
    scope.authorize_block(block).0.remove(0)
}

/// What a random world may hold.
#[derive(Clone, Copy, Debug)]
pub struct Wild {
    pub loss: bool,
    pub trouble: bool,
    pub limits: bool,
}

pub const CALM: Wild = Wild { loss: false, trouble: false, limits: false };
pub const LOSSY: Wild = Wild { loss: true, trouble: false, limits: true };
pub const HOSTILE: Wild = Wild { loss: true, trouble: true, limits: true };

/// Any plan shape, any window, any mouth, any rate.
pub fn world(wild: Wild) -> impl Strategy<Value = World> {
    let asks = proptest::collection::vec(ask(), 1..5);
    let hosts = proptest::collection::vec(host(wild), 4);
    let mouth = prop_oneof![
        (1usize..40).prop_map(|capacity| Mouth::Connect { capacity }),
        (1usize..80).prop_map(|batch| Mouth::Raw { batch }),
    ];
    let link = if wild.loss { proptest::option::of(bottleneck()).boxed() } else { Just(None).boxed() };
    (asks, hosts, link, config(), mouth, any::<u64>()).prop_map(|(asks, hosts, link, config, mouth, seed)| {
        let (mut asks, mut hosts) = (asks, hosts);
        let mut seen = BTreeSet::new();
        asks.retain(|ask| seen.insert((ask.at, ask.protocol)));
        for (host, at) in hosts.iter_mut().zip(PLACES) {
            host.at = at.parse().unwrap();
        }
        World { asks, hosts, link, config, mouth, seed, shard: None }
    })
}

const PLACES: [&str; 4] = ["10.0.0.0/29", "10.0.1.4/31", "192.0.2.7/32", "2001:db8::8/126"];

fn ask() -> impl Strategy<Value = Ask> {
    (
        0..PLACES.len(),
        any::<bool>(),
        ports(),
        ports(),
        proptest::option::of(prop_oneof![Just(7u64), Just(300)]),
    )
        .prop_map(|(place, tcp, named, rest, rate)| Ask {
            at: PLACES[place].parse().unwrap(),
            protocol: if tcp { Protocol::Tcp } else { Protocol::Udp },
            rest: rest.difference(&named),
            named,
            rate,
        })
}

fn ports() -> impl Strategy<Value = PortSet> {
    proptest::collection::vec((1u16..30, 0u16..4), 0..4)
        .prop_map(|runs| PortSet::from_ranges(runs.into_iter().map(|(first, more)| (first, first + more))))
}

fn host(wild: Wild) -> impl Strategy<Value = Host> {
    let share = move |most: f64| if wild.loss { (0.0..most).boxed() } else { Just(0.0).boxed() };
    let burst =
        if wild.loss { proptest::option::of((0.0..0.1f64, 0.1..1.0f64)).boxed() } else { Just(None).boxed() };
    let dead =
        if wild.loss { proptest::option::of(Just((500u64, 2500u64))).boxed() } else { Just(None).boxed() };
    let trouble = if wild.trouble { proptest::option::of(trouble()).boxed() } else { Just(None).boxed() };
    let (rst, icmp) = if wild.limits {
        let icmp = proptest::option::of((0.5..20.0f64, 1.0..10.0f64));
        (proptest::option::of(1u32..20).boxed(), icmp.boxed())
    } else {
        (Just(None).boxed(), Just(None).boxed())
    };
    let queue = if wild.loss { proptest::option::of(bottleneck()).boxed() } else { Just(None).boxed() };
    let weather = if wild.loss { proptest::option::of(weather()).boxed() } else { Just(None).boxed() };
    let ports = (ports(), ports(), ports(), proptest::bool::weighted(0.1), any::<bool>());
    let path = (prop_oneof![Just(0u64), 1u64..50, Just(800)], 0u64..100, share(0.6), burst);
    let troubles = (share(0.3), share(0.3), dead, trouble, rst);
    (ports, path, troubles, (icmp, any::<bool>(), queue, weather)).prop_map(
        |(
            ports,
            path,
            (duplicate, reorder, dead, trouble, rst_per_second),
            (icmp, by_host, queue, weather),
        )| {
            let (open, closed, prohibited, tarpit, unreachable) = ports;
            let (rtt_ms, jitter_ms, loss, burst) = path;
            let limit = icmp.map(|(per_second, burst)| Limit { per_second, burst });
            Host {
                open,
                closed,
                prohibited,
                tarpit,
                unreachable,
                rtt_ms,
                jitter_ms,
                loss,
                burst,
                weather,
                bottleneck: queue,
                icmp_limit: limit.filter(|_| by_host),
                router_limit: limit.filter(|_| !by_host),
                duplicate,
                reorder,
                dead,
                trouble,
                rst_per_second,
                ..Host::default()
            }
        },
    )
}

fn weather() -> impl Strategy<Value = Weather> {
    (10.0..3000.0f64, 10.0..500.0f64, 0.0..0.1f64, 0.5..=1.0f64)
        .prop_map(|(good_ms, bad_ms, loss_good, loss_bad)| Weather { good_ms, bad_ms, loss_good, loss_bad })
}

fn bottleneck() -> impl Strategy<Value = Bottleneck> {
    (50u64..5000, 1u64..100).prop_map(|(per_second, queue)| Bottleneck { per_second, queue })
}

fn trouble() -> impl Strategy<Value = Trouble> {
    let error = prop_oneof![
        Just(Error::Descriptors),
        Just(Error::Buffers),
        Just(Error::NoRoute),
        Just(Error::Forbidden)
    ];
    (error, 0u64..3000, 0u64..4000, 0.01..=1.0f64).prop_map(|(error, from_ms, length, share)| Trouble {
        error,
        from_ms,
        to_ms: from_ms + length,
        share,
    })
}

fn config() -> impl Strategy<Value = Config> {
    let rate = (proptest::option::of(20u64..5000), proptest::option::of(5u64..2000));
    let window = prop_oneof![Just(1u64), 2u64..40, 500u64..3000, Just(portproof::scan::WINDOW)];
    (any::<u64>(), rate, 1u8..=6, window, any::<bool>()).prop_map(
        |(seed, (run, per_address), attempts, window, second_look)| Config {
            seed,
            rate: Rate { run, per_address },
            attempts,
            window,
            second_look,
            every: true,
            ..Config::default()
        },
    )
}
