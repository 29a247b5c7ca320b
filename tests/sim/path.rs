//! What a path does to packets as time goes by: weather, bottlenecks, and limits on what routers say.
//! Everything here is a function of time and a seed, and knows nothing of what the packets hold.

use std::time::Duration;

use portproof::model::Moment;
use serde::Deserialize;

use super::net::{Random, millis};

/// Loss that comes and goes with time (Gilbert-Elliott in continuous time): good and bad spells whose
/// lengths are exponential, and in each a share of the packets lost, whoever sends how many.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weather {
    /// Mean lengths.
    pub good_ms: f64,
    pub bad_ms: f64,
    #[serde(default)]
    pub loss_good: f64,
    pub loss_bad: f64,
}

impl Weather {
    /// Share of the time that is bad.
    pub fn bad(&self) -> f64 {
        self.bad_ms / (self.good_ms + self.bad_ms)
    }

    /// Share of the packets lost, one way.
    pub fn loss(&self) -> f64 {
        self.bad() * self.loss_bad + (1.0 - self.bad()) * self.loss_good
    }
}

/// One way through the weather: one realisation, unrolled as far as anybody has asked.
pub struct Way {
    weather: Weather,
    random: Random,
    begins_bad: bool,
    /// When it turned, in nanoseconds.
    turns: Vec<u64>,
}

impl Way {
    /// It has always been going on: the beginning is as likely bad as any other time.
    pub fn new(weather: Weather, seed: u64) -> Self {
        let mut random = Random(seed);
        let begins_bad = random.chance(weather.bad());
        Self { weather, random, begins_bad, turns: Vec::new() }
    }

    /// The share of packets lost that pass at a moment.
    pub fn loss(&mut self, at: Moment) -> f64 {
        if self.is_bad(at) { self.weather.loss_bad } else { self.weather.loss_good }
    }

    fn is_bad(&mut self, at: Moment) -> bool {
        while self.turns.last().is_none_or(|&last| last <= at.nanos()) {
            let is_bad = self.begins_bad ^ (self.turns.len() % 2 == 1);
            let mean = if is_bad { self.weather.bad_ms } else { self.weather.good_ms };
            let spell = -(1.0 - self.random.share()).ln() * mean * 1e6;
            let last = self.turns.last().copied().unwrap_or(0);
            self.turns.push(last.saturating_add((spell as u64).max(1)));
        }
        let turned = self.turns.partition_point(|&turn| turn <= at.nanos());
        self.begins_bad ^ (turned % 2 == 1)
    }
}

/// A link that carries so many packets a second, and keeps so many waiting; the rest it drops.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bottleneck {
    pub per_second: u64,
    pub queue: u64,
}

/// The packets waiting at a bottleneck.
#[derive(Clone, Copy, Debug, Default)]
pub struct Queue {
    /// When the last of them will be through.
    empty: Moment,
}

impl Queue {
    /// When a packet that comes now is through; `None`: no room was left.
    pub fn pass(&mut self, link: Bottleneck, now: Moment) -> Option<Moment> {
        let each = 1_000_000_000 / link.per_second.max(1);
        let waiting = (self.empty - now).as_nanos() / u128::from(each.max(1));
        (waiting <= u128::from(link.queue)).then(|| {
            self.empty = self.empty.max(now) + Duration::from_nanos(each);
            self.empty
        })
    }
}

/// So many a second, and a burst of so many at once: what Linux, BSD and routers allow their errors.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    pub per_second: f64,
    pub burst: f64,
}

/// The tokens of a limit. Empty stands for never used, which is full.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bucket(Option<(f64, Moment)>);

impl Bucket {
    /// Whether one more is allowed now.
    pub fn take(&mut self, limit: Limit, now: Moment) -> bool {
        let (tokens, since) = self.0.unwrap_or((limit.burst, now));
        let tokens = (tokens + (now - since).as_secs_f64() * limit.per_second).min(limit.burst);
        let allowed = tokens >= 1.0;
        self.0 = Some((if allowed { tokens - 1.0 } else { tokens }, since.max(now)));
        allowed
    }
}

/// Whether a moment is within from..to, in milliseconds.
pub fn within(span: Option<(u64, u64)>, at: Moment) -> bool {
    span.is_some_and(|(from, to)| (from..to).contains(&millis(at)))
}

#[test]
fn weather_is_bad_for_its_share_of_the_time_and_loses_in_bursts() {
    let weather = Weather { good_ms: 900.0, bad_ms: 100.0, loss_good: 0.01, loss_bad: 0.8 };
    let (mut gone, mut both, mut turns) = (0.0, 0.0, 0u32);
    let mut way = Way::new(weather, 5);
    let steps = 2_000_000u32;
    let (mut before, mut random) = (0.01, Random(6));
    for step in 0..steps {
        let at = Moment::from_millis(u64::from(step));
        let loss = way.loss(at);
        turns += u32::from(loss > before);
        if random.chance(loss) {
            gone += 1.0;
            both += f64::from(u32::from(random.chance(way.loss(at + Duration::from_millis(1)))));
        }
        before = loss;
    }
    let share = gone / f64::from(steps);
    assert!((share / weather.loss() - 1.0).abs() < 0.1, "{share} of {}", weather.loss());
    // 2,000 s hold 2,000 spells of a second each, good and bad; neighbours share their fate.
    assert!((1700..2300).contains(&turns), "{turns}");
    assert!(both / gone > 0.65, "{}", both / gone);
    // Asking about an earlier moment again changes nothing.
    let (mut one, mut other) = (Way::new(weather, 9), Way::new(weather, 9));
    let far = one.loss(Moment::from_millis(50_000));
    for ms in 0..50_000 {
        assert_eq!(
            one.loss(Moment::from_millis(ms)).to_bits(),
            other.loss(Moment::from_millis(ms)).to_bits()
        );
    }
    assert_eq!(far.to_bits(), other.loss(Moment::from_millis(50_000)).to_bits());
}

#[test]
fn a_bottleneck_delays_and_drops_what_its_queue_cannot_hold() {
    let link = Bottleneck { per_second: 1000, queue: 10 };
    let mut queue = Queue::default();
    let through: Vec<Moment> = (0..50).filter_map(|_| queue.pass(link, Moment::START)).collect();
    assert_eq!((through.len(), through[10]), (11, Moment::from_millis(11)));
    assert_eq!(queue.pass(link, Moment::from_millis(500)), Some(Moment::from_millis(501)));
}

#[test]
fn a_limit_allows_its_burst_and_then_its_rate() {
    let limit = Limit { per_second: 10.0, burst: 5.0 };
    let mut bucket = Bucket::default();
    let allowed = (0..10_000).filter(|&ms| bucket.take(limit, Moment::from_millis(ms))).count();
    assert!((104..=105).contains(&allowed), "{allowed}");
}
