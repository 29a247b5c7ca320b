//! The true miss probability of a run: that of an open endpoint asked at the very moments at which the
//! silent ones were. It is computed, over more than a hundred networks, and checked against fresh
//! realisations of the same loss.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
    time::Duration,
};

use ipnet::{IpNet, Ipv4Net};
use portproof::{
    model::{Endpoint, Moment, PortSet, Protocol},
    scan::Config,
};

use super::{
    drive::{Mouth, Outcome},
    net::{Host, Random},
    path::{Way, Weather},
    world::{Ask, World},
};

/// How single probes are lost: each by itself, or as the weather is.
#[derive(Clone, Copy, Debug)]
pub enum Losing {
    /// The share lost, each way.
    Each(f64),
    Weather(Weather),
}

/// One network: a path, some hosts that answer on a few ports and are silent on most.
pub struct Network {
    pub losing: Losing,
    pub world: World,
    rtt: Duration,
    /// Ports that answer.
    answering: PortSet,
}

pub const NETWORKS: u64 = 480;
const ADDRESSES: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 0);

impl Network {
    /// Half of them lose each packet by itself and half in bursts; 1 to 20 % of the single probes.
    pub fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let share = (1 + seed % 20) as f64 / 100.0;
        let losing = Losing::new(share, seed / 20 % 2 == 1, &mut random);
        let rtt_ms = [5, 30, 80, 200][random.below(4) as usize];
        let at = IpNet::V4(Ipv4Net::new(ADDRESSES, 32 - [0, 2, 4, 5][random.below(4) as usize]).unwrap());
        let addresses = 1u64 << (32 - at.prefix_len());
        let ports = u16::try_from((6000 / addresses).min(1000)).unwrap();
        let open = PortSet::from_ranges([(1, 1 + random.below(4) as u16)]);
        let closed = match random.below(4) {
            0 => PortSet::NONE,
            several => PortSet::from_ranges([(10, 5 + 5 * several as u16)]),
        };
        let (loss, weather) = match losing {
            Losing::Each(loss) => (loss, None),
            Losing::Weather(weather) => (0.0, Some(weather)),
        };
        let answering = open.union(&closed);
        let host = Host { at, open, closed, rtt_ms, loss, weather, ..Host::default() };
        let rest = PortSet::from_ranges([(1, ports)]);
        let ask = Ask { at, protocol: Protocol::Tcp, named: PortSet::NONE, rest, rate: None };
        let mouth = Mouth::Raw { batch: 64 };
        let config = Config { seed, most_attempts: 6, max_miss: Some(0.001), ..Config::default() };
        let world =
            World { asks: vec![ask], hosts: vec![host], link: None, config, mouth, seed, shard: None };
        Self { losing, world, rtt: Duration::from_millis(rtt_ms), answering }
    }

    /// When each silent endpoint was asked.
    pub fn silent(&self, outcome: &Outcome) -> BTreeMap<Endpoint, Vec<Moment>> {
        let mut asked = outcome.asked();
        asked.retain(|endpoint, _| !self.answering.contains(endpoint.port));
        asked
    }
}

impl Losing {
    /// Loses this share of the probes, there and back again.
    fn new(share: f64, in_bursts: bool, random: &mut Random) -> Self {
        let each_way = 1.0 - (1.0 - share).sqrt();
        if !in_bursts {
            return Self::Each(each_way);
        }
        let loss_bad = [1.0, 0.7][random.below(2) as usize];
        let bad_ms = [20.0, 100.0, 500.0][random.below(3) as usize];
        let bad = each_way / loss_bad;
        Self::Weather(Weather { good_ms: bad_ms * (1.0 - bad) / bad, bad_ms, loss_good: 0.0, loss_bad })
    }

    /// The chance that every probe sent at these moments is lost, or its answer, exactly: of a hidden
    /// Markov chain of two independent ways, each good or bad.
    pub fn miss(self, sent: &[Moment]) -> f64 {
        let weather = match self {
            Self::Each(loss) => {
                return (1.0 - (1.0 - loss) * (1.0 - loss)).powi(i32::try_from(sent.len()).unwrap());
            }
            Self::Weather(weather) => weather,
        };
        let share = |is_bad: usize| [1.0 - weather.bad(), weather.bad()][is_bad];
        let loss = [weather.loss_good, weather.loss_bad];
        // Of both ways: there, and back.
        let mut chances = [0, 1, 2, 3].map(|state| share(state & 1) * share(state >> 1));
        for (i, at) in sent.iter().enumerate() {
            if let Some(before) = i.checked_sub(1).map(|before| sent[before]) {
                let rate = 1e-9 / (weather.good_ms / 1e3) + 1e-9 / (weather.bad_ms / 1e3);
                let kept = (-rate * (*at - before).as_nanos() as f64).exp();
                let turns =
                    |from: usize, to: usize| share(to) * (1.0 - kept) + if from == to { kept } else { 0.0 };
                chances = [0, 1, 2, 3].map(|to| {
                    let from =
                        |from: usize| chances[from] * turns(from & 1, to & 1) * turns(from >> 1, to >> 1);
                    (0..4).map(from).sum()
                });
            }
            for (state, chance) in chances.iter_mut().enumerate() {
                *chance *= 1.0 - (1.0 - loss[state & 1]) * (1.0 - loss[state >> 1]);
            }
        }
        chances.iter().sum()
    }

    /// The same, from fresh realisations of the same path: phantoms asked at these moments. Of each
    /// realisation the share is exact, where the states of both ways are known.
    fn replay(self, silent: &BTreeMap<Endpoint, Vec<Moment>>, rtt: Duration, seeds: &mut Random) -> f64 {
        let mut ways = match self {
            Self::Each(_) => None,
            Self::Weather(weather) => {
                Some((Way::new(weather, seeds.next()), Way::new(weather, seeds.next())))
            }
        };
        let mut missed = 0.0;
        for sent in silent.values() {
            let lost = |at: &Moment| {
                let (to, fro) = match (&mut ways, self) {
                    (Some((to, fro)), _) => (to.loss(*at), fro.loss(*at + rtt)),
                    (None, Self::Each(loss)) => (loss, loss),
                    (None, Self::Weather(_)) => unreachable!("weather has its ways"),
                };
                1.0 - (1.0 - to) * (1.0 - fro)
            };
            missed += sent.iter().map(lost).product::<f64>();
        }
        missed / silent.len() as f64
    }
}

#[test]
fn the_computed_truth_is_that_of_fresh_realisations() {
    let mut seeds = Random(11);
    for seed in [3, 21, 25, 39, 72] {
        let mut network = Network::new(seed);
        // More attempts would leave nothing to count.
        network.world.config.most_attempts = 2;
        let silent = network.silent(&network.world.run());
        let truth = silent.values().map(|sent| network.losing.miss(sent)).sum::<f64>() / silent.len() as f64;
        let realisations = 3000;
        let replays: Vec<f64> =
            (0..realisations).map(|_| network.losing.replay(&silent, network.rtt, &mut seeds)).collect();
        let mean = replays.iter().sum::<f64>() / f64::from(realisations);
        let variance =
            replays.iter().map(|miss| (miss - mean).powi(2)).sum::<f64>() / f64::from(realisations);
        let error = (variance / f64::from(realisations)).sqrt();
        assert!((mean - truth).abs() <= 4.0 * error + 1e-12, "{seed}: {mean} ± {error}, computed {truth}");
    }
}

#[test]
fn the_networks_lose_what_they_are_said_to_lose() {
    let mut kinds = BTreeSet::new();
    for seed in 0..NETWORKS {
        let network = Network::new(seed);
        let lost = network.losing.miss(&[Moment::START]);
        assert!((lost - (1 + seed % 20) as f64 / 100.0).abs() < 1e-9, "{seed}: {lost}");
        kinds.insert((seed % 20, matches!(network.losing, Losing::Each(_))));
    }
    assert_eq!(kinds.len(), 40, "each share in both kinds");
}
