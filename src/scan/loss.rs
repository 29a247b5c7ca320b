//! The loss of a single probe, as canaries measure it, and what it may have hidden.
//!
//! Per silent endpoint: had it been open, the chance that all its probes went unanswered. The first factor
//! is the loss of a single probe. The later ones are the loss of a probe whose predecessor, a second
//! before, was lost as well: measured where enough was lost to measure it, and else taken to be the same.

use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
    sync::Arc,
    time::Duration,
};

use super::{
    datagrams::Late,
    stats::{at_least, at_least_bound, upper_bound},
};
use crate::model::{Loss, Miss, Moment};

/// How what is asked again answers. A host may limit its refusals, so they are a class of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    /// It is open.
    SynAck,
    /// It is closed.
    Reset,
}

impl Class {
    /// Of two things kept by class, the one of this.
    pub(super) fn of<T>(self, [accepting, refusing]: &mut [T; 2]) -> &mut T {
        match self {
            Self::SynAck => accepting,
            Self::Reset => refusing,
        }
    }
}

/// How often something known to answer was asked, and did not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tries {
    pub(super) asked: u32,
    pub(super) lost: u32,
}

/// What came of a canary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Trial {
    /// When it left.
    pub(super) sent: Moment,
    pub(super) address: IpAddr,
    pub(super) class: Class,
    /// How many before it were lost, one after the other.
    pub(super) depth: u8,
    pub(super) outcome: Outcome,
}

/// Whether a canary was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Answered,
    Lost,
    /// It counted as lost before its answer came, late.
    Found,
}

/// Attempts that adapting goes up to.
pub(super) const MOST_ATTEMPTS: u8 = 6;
/// Losses in a row that are told apart.
const DEPTH: usize = MOST_ATTEMPTS as usize;
/// First losses after which the loss of a second try is known well enough to be used for itself: without
/// any loss its bound is then 5 %.
const ENOUGH_LOST: u32 = 59;
/// How unlikely so many second losses must be to show earlier that losses come together.
const SHOWN: f64 = 0.01;
/// How often the bounds on a miss may fail: what is stated. That asking ends when they are good enough makes
/// them fail a little more often; clusters that are feared while little was lost outweigh it.
const ALPHA: f64 = 0.05;
/// An address whose own losses are as unlikely as that on the common path has a path of its own.
const OWN_PATH: f64 = 0.01;
/// One that may turn out to be so gets more canaries, for so many tries.
const SUSPICION: f64 = 0.02;
const SUSPECTED: u32 = 20;
/// More suspects than this are no exception.
const MOST_SUSPECTS: usize = 1024;
/// Losses within so long may be one event.
const CLUSTER: Duration = Duration::from_millis(500);
/// Clusters that are told apart: a day's.
const MOST_CLUSTERS: usize = 86_400;

/// All losses of a run.
#[derive(Debug, Default)]
pub(super) struct Meter {
    pools: [Pool; 2],
    addresses: HashMap<IpAddr, [Chain; 2]>,
    /// Addresses whose losses may stand out, and after how many tries that is forgotten.
    suspects: HashMap<IpAddr, u32>,
    /// The same over UDP, where there are no canaries.
    pub(super) datagrams: Late,
}

/// First tries, second ones after a first loss, and so on.
#[derive(Clone, Copy, Debug, Default)]
struct Chain([Tries; DEPTH]);

#[derive(Debug, Default)]
struct Pool {
    chain: Chain,
    /// First tries by the time at which they left, and all of them. Without those of suspects, whose share
    /// of the tries changes with time.
    clusters: Vec<Tries>,
    clustered: Tries,
}

impl Tries {
    pub(super) fn add(&mut self, lost: bool) {
        self.asked += 1;
        self.lost += u32::from(lost);
    }

    /// Whether so many losses of so many tries are unlikely where these are what the others saw. Where there
    /// are no others, nothing is.
    fn is_unlikely_to_lose(self, (hits, tries): (f64, f64), unlikely: f64) -> bool {
        // A path that lost nothing yet may lose as much as one more loss would say.
        let common = f64::from(self.lost + 1) / f64::from(self.asked + 1);
        // Exact only where the cheap bound leaves it open.
        let is_below = |test: fn(f64, f64, f64) -> f64| test(hits, tries, common) < unlikely;
        self.asked > 0 && (is_below(at_least_bound) || is_below(at_least))
    }

    fn without(self, other: Self) -> Self {
        Self { asked: self.asked.saturating_sub(other.asked), lost: self.lost.saturating_sub(other.lost) }
    }
}

impl Meter {
    /// Takes in what came of a canary.
    pub(super) fn add(&mut self, trial: Trial) {
        self.change(trial, |tries| match trial.outcome {
            Outcome::Answered => tries.add(false),
            Outcome::Lost => tries.add(true),
            Outcome::Found => tries.lost = tries.lost.saturating_sub(1),
        });
    }

    /// First tries so far, of either class.
    pub(super) fn tries(&self) -> u64 {
        self.pools.iter().map(|pool| u64::from(pool.first().asked)).sum()
    }

    /// Takes in that an open endpoint of an address answered to a later attempt only.
    pub(super) fn answered_late(&mut self, address: IpAddr) {
        if self.suspects.len() < MOST_SUSPECTS {
            let [accepting, _] = self.addresses.get(&address).copied().unwrap_or_default();
            self.suspects.insert(address, accepting.first().asked + SUSPECTED);
        }
    }

    /// Whether an address may have a path of its own: more tries tell.
    pub(super) fn is_suspect(&self, address: IpAddr) -> bool {
        !self.suspects.is_empty() && self.suspects.contains_key(&address)
    }

    /// The loss of the path.
    pub(super) fn loss(&self) -> Option<Loss> {
        let (_, pool) = self.path()?;
        let tries = pool.first();
        let (hits, count) = pool.effective(tries);
        Some(Loss {
            estimate: ratio(tries),
            upper95: upper_bound(hits, count, 0.05),
            trials: tries.asked.into(),
        })
    }

    /// What the losses say by now; `grows`: something can be asked again.
    pub(super) fn opinion(&self, grows: bool) -> Arc<Opinion> {
        let Some((class, pool)) = self.path() else {
            return Arc::new(Opinion { grows, datagrams: self.datagrams, ..Opinion::default() });
        };
        let (mut path, mut own) = (pool.chain, HashMap::new());
        // Once more without those that stood out: they may have hidden others.
        for _ in 0..2 {
            for (address, chains) in &self.addresses {
                let of = chains.get(class as usize).copied().unwrap_or_default();
                if !own.contains_key(address) && pool.stands_out(of.first(), path.first()) {
                    own.insert(*address, of);
                }
            }
            path = own.values().fold(pool.chain, Chain::without);
        }
        let own = own.iter().map(|(address, chain)| (*address, Reading::new(chain, pool))).collect();
        Arc::new(Opinion {
            path: Some(Reading::new(&path, pool)),
            own,
            grows,
            suspects: self.suspects.keys().copied().collect(),
            datagrams: self.datagrams,
        })
    }

    /// The class that speaks for the path: refusals only where nothing accepts.
    fn path(&self) -> Option<(Class, &Pool)> {
        let classes = [Class::SynAck, Class::Reset].into_iter().zip(&self.pools);
        classes.into_iter().find(|(_, pool)| pool.first().asked > 0)
    }

    fn change(&mut self, trial: Trial, change: impl Fn(&mut Tries)) {
        let Trial { sent, address, class, depth, .. } = trial;
        let own = class.of(self.addresses.entry(address).or_default());
        let pool = class.of(&mut self.pools);
        for chain in [&mut *own, &mut pool.chain] {
            chain.0.get_mut(usize::from(depth)).into_iter().for_each(&change);
        }
        let of = own.first();
        if depth == 0 {
            if of.lost > 0 && pool.is_suspect(of) {
                self.suspects.insert(address, of.asked + SUSPECTED);
            } else {
                pool.cluster(sent, change);
                if self.suspects.get(&address).is_some_and(|until| of.asked >= *until) {
                    self.suspects.remove(&address);
                }
            }
        }
    }
}

impl Chain {
    fn first(&self) -> Tries {
        let Self([first, ..]) = *self;
        first
    }

    /// The tries of second and later probes.
    fn later(&self) -> impl Iterator<Item = Tries> + '_ {
        self.0.iter().skip(1).copied()
    }

    fn without(mut self, other: &Self) -> Self {
        for (tries, other) in self.0.iter_mut().zip(&other.0) {
            *tries = tries.without(*other);
        }
        self
    }
}

impl Pool {
    fn first(&self) -> Tries {
        self.chain.first()
    }

    /// Whether an address loses more than the path to the others could make likely.
    fn stands_out(&self, of: Tries, path: Tries) -> bool {
        let rest = path.without(of);
        ratio(of) > ratio(rest) && rest.is_unlikely_to_lose(self.effective(of), OWN_PATH)
    }

    /// The same on a glance, which takes each of its losses for one by itself.
    fn is_suspect(&self, of: Tries) -> bool {
        let own = (of.lost.into(), of.asked.into());
        self.first().without(of).is_unlikely_to_lose(own, SUSPICION)
    }

    fn cluster(&mut self, sent: Moment, change: impl Fn(&mut Tries)) {
        let at = sent.since_start().as_millis() / CLUSTER.as_millis();
        let at = usize::try_from(at).unwrap_or(usize::MAX).min(MOST_CLUSTERS - 1);
        if self.clusters.len() <= at {
            self.clusters.resize(at + 1, Tries::default());
        }
        change(&mut self.clustered);
        if let Some(cluster) = self.clusters.get_mut(at) {
            change(cluster);
        }
    }

    /// Losses and tries of which each says as much as an independent one. Where losses come together,
    /// clusters differ more than chance would have it (the design effect; Kish, "Survey Sampling", 1965).
    fn effective(&self, tries: Tries) -> (f64, f64) {
        let effect = 1.0 + (self.mean_size(tries) - 1.0).max(0.0) * self.correlation();
        (f64::from(tries.lost) / effect, f64::from(tries.asked) / effect)
    }

    /// Tries in a cluster, of so many that are spread over all of them.
    fn mean_size(&self, tries: Tries) -> f64 {
        let all = f64::from(self.first().asked).max(1.0);
        self.weighted_size() * f64::from(tries.asked) / all
    }

    /// The size of the cluster in which a try finds itself.
    fn weighted_size(&self) -> f64 {
        let squares: f64 = self.clusters.iter().map(|tries| f64::from(tries.asked).powi(2)).sum();
        squares / f64::from(self.clustered.asked).max(1.0)
    }

    /// How much alike the tries of a cluster fare: 0 not at all, 1 all the same. Measured, and as long as
    /// there is little to measure it by, feared: a path that lost nothing may have had one good spell.
    fn correlation(&self) -> f64 {
        let (chance, all) = (ratio(self.clustered), f64::from(self.clustered.asked));
        let used = self.clusters.iter().filter(|tries| tries.asked > 0);
        let (mut count, mut losing, mut spread) = (0.0, 0.0, 0.0);
        for tries in used {
            count += 1.0;
            losing += f64::from(u8::from(tries.lost > 0));
            spread += (f64::from(tries.lost) - f64::from(tries.asked) * chance).powi(2);
        }
        let (size, lost) = (self.weighted_size(), f64::from(self.clustered.lost));
        if size <= 1.0 || lost <= 0.0 || count < 2.0 {
            return 1.0;
        }
        let effect = spread / (all * chance * (1.0 - chance)).max(f64::MIN_POSITIVE) * count / (count - 1.0);
        let measured = ((effect - 1.0) / (size - 1.0)).clamp(0.0, 1.0);
        // Losses of which each comes by itself lie in about so many clusters.
        let expected = count * (1.0 - (1.0 - 1.0 / count).powf(lost));
        let feared = (1.0 + (lost - 1.0) * losing / expected).powi(2).recip();
        measured + (1.0 - measured) * feared
    }
}

/// What the losses of a run say about silence.
#[derive(Debug, Default)]
pub(super) struct Opinion {
    path: Option<Reading>,
    own: HashMap<IpAddr, Reading>,
    /// There is something to ask again.
    grows: bool,
    /// More canaries are on their way to tell.
    suspects: HashSet<IpAddr>,
    /// How replies come over UDP.
    pub(super) datagrams: Late,
}

/// What the losses of one path say.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    /// The loss of each attempt in a row, as measured and at most; the last stands for all further ones.
    factors: [(f64, f64); DEPTH],
}

impl Opinion {
    /// What is known of the path to an address; `None`: nothing measures it.
    pub(super) fn of(&self, address: IpAddr) -> Option<&Reading> {
        let own = if self.own.is_empty() { None } else { self.own.get(&address) };
        own.or(self.path.as_ref())
    }

    /// Whether it will soon be known whether an address has a path of its own.
    pub(super) fn is_suspect(&self, address: IpAddr) -> bool {
        self.grows && self.suspects.contains(&address) && !self.own.contains_key(&address)
    }

    /// Whether more will be known a little later.
    pub(super) fn grows(&self) -> bool {
        self.grows
    }
}

impl Reading {
    fn new(chain: &Chain, pool: &Pool) -> Self {
        let first = chain.first();
        let measured = |tries: Tries, before: f64| {
            let shows =
                tries.asked >= SOME_LOST && at_least(tries.lost.into(), tries.asked.into(), before) < SHOWN;
            tries.asked >= ENOUGH_LOST || shows
        };
        let (hits, count) = pool.effective(first);
        let mut before = upper_bound(hits, count, ALPHA);
        let later: Vec<Option<Tries>> = chain
            .later()
            .map(|tries| {
                let used = measured(tries, before);
                before = if used { ratio(tries) } else { before };
                used.then_some(tries)
            })
            .collect();
        // All bounds hold together as often as one alone would.
        let alpha = ALPHA / (1 + later.iter().flatten().count()) as f64;
        let mut factor = (ratio(first), upper_bound(hits, count, alpha));
        let mut factors = [factor; DEPTH];
        for (tries, slot) in later.into_iter().zip(factors.iter_mut().skip(1)) {
            if let Some(tries) = tries {
                factor = (ratio(tries), upper_bound(tries.lost.into(), tries.asked.into(), alpha));
            }
            *slot = factor;
        }
        Self { factors }
    }

    /// The chance that an open endpoint answers none of so many attempts.
    pub(super) fn miss(&self, attempts: u8) -> Miss {
        let [.., last] = self.factors;
        let mut miss = Miss { estimate: 1.0, upper95: 1.0 };
        for at in 0..usize::from(attempts) {
            let (estimate, bound) = self.factors.get(at).copied().unwrap_or(last);
            miss.estimate *= estimate;
            miss.upper95 *= bound;
        }
        miss
    }

    /// How many attempts bring the chance, as measured, well below what is accepted: the bound has to be.
    pub(super) fn wanted(&self, accepted: f64) -> u8 {
        (1..MOST_ATTEMPTS)
            .find(|attempts| self.miss(*attempts).estimate <= accepted / MARGIN)
            .unwrap_or(MOST_ATTEMPTS)
    }
}

/// Losses after which it can show that the next is likelier.
const SOME_LOST: u32 = 8;
/// How far what was measured is kept below what is accepted.
const MARGIN: f64 = 4.0;

fn ratio(tries: Tries) -> f64 {
    if tries.asked == 0 { 0.0 } else { f64::from(tries.lost) / f64::from(tries.asked) }
}
