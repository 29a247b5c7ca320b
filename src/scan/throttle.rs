//! Congestion: loss that grows with the rate. Canaries show the loss; cutting the rate shows whether it
//! was the rate. If the loss falls with it, the path carries less than was asked of it, and the rate
//! stays near what it carries; if not, the loss is the path's own, and the rate is as before.

use std::time::Duration;

use super::{loss::Tries, stats::at_least_bound};
use crate::model::{Congestion, Moment};

/// Probes a second from now on; `None`: as fast as the driver can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NewRate(pub(super) Option<u64>);

/// The rate in force.
#[derive(Debug)]
pub(super) struct Throttle {
    /// Probes a second that were asked for; `None`: as fast as the driver can.
    asked: Option<u64>,
    /// Probes a second, while they are fewer.
    rate: Option<f64>,
    phase: Phase,
    /// The loss that is there whatever the rate.
    ambient: f64,
    /// The rate at which the path was full last, and what it carried lately.
    full: f64,
    carried: f64,
    /// Counts the rates that have been in force: a canary tells about the one that it left under.
    epoch: u32,
    since: Moment,
    tries: Tries,
    sent: Recent,
    cuts: u32,
    lowest: f64,
    first: Moment,
}

/// How many probes left lately.
#[derive(Debug, Default)]
struct Recent {
    began: Moment,
    count: u64,
    /// Probes a second in the stretch before, and in the busiest.
    before: f64,
    highest: f64,
}

/// A canary that leaves while less is sent than the rate in force says nothing about that rate.
pub(super) const NO_RATE: u32 = u32::MAX;
/// As busy as this is as fast as it is allowed.
const BUSY: f64 = 0.5;
/// A stretch over which the rate is counted.
const STRETCH: Duration = Duration::from_millis(100);

#[derive(Clone, Copy, Debug)]
enum Phase {
    /// As asked.
    Open,
    /// Cut, to see whether the loss falls: what it was, at which rate, and how many cuts ago.
    Test { loss: f64, from: f64, cuts: u32 },
    /// The path is known to carry less than was asked.
    Yielding,
}

/// Loss that no path is suspected for.
const USUAL: f64 = 0.05;
/// So unlikely is the loss that makes us cut the rate to see.
const SUSPICION: f64 = 1e-4;
const CERTAINTY: f64 = 0.01;
/// What a path carries is aimed at from below.
const BELOW: f64 = 0.9;
/// A cut leaves at least so much: the loss may be something else's.
const LEAST_LEFT: f64 = 0.1;
/// Of what was carried, at least so much is asked for.
const LEAST_CARRIED: f64 = 0.6;
/// How fast the loss of a path itself may rise, a count.
const DRIFT: f64 = 0.002;
/// A cut that is to show something is as deep as this, and followed by others before it shows nothing.
const DEEP: f64 = 0.5;
const TESTS: u32 = 3;
/// The slowest that anything is slowed down to, in probes a second.
const SLOWEST: f64 = 50.0;
/// Tries after which the loss at a rate is known, and how long they take at least.
const ENOUGH: u32 = 40;
const SOON: Duration = Duration::from_millis(250);
/// Tries after which a rate without suspicion begins a new count.
const ROUND: u32 = 500;

impl Throttle {
    pub(super) fn new(asked: Option<u64>) -> Self {
        Self {
            asked,
            rate: None,
            phase: Phase::Open,
            ambient: USUAL,
            full: f64::INFINITY,
            carried: 0.0,
            epoch: 0,
            since: Moment::START,
            tries: Tries::default(),
            sent: Recent::default(),
            cuts: 0,
            lowest: f64::INFINITY,
            first: Moment::START,
        }
    }

    /// Which rate is in force, for a canary that leaves now: [`NO_RATE`] while less is sent than that.
    pub(super) fn epoch(&self, now: Moment) -> u32 {
        let rate = self.sent.rate(now);
        let limit = self.limit().unwrap_or(self.sent.highest);
        if rate >= limit * BUSY { self.epoch } else { NO_RATE }
    }

    /// Takes in that so many probes leave.
    pub(super) fn sent(&mut self, now: Moment, probes: u64) {
        self.sent.add(now, probes);
    }

    /// What to say of it in the end. One cut may be chance; that the path is full again when the rate has
    /// come back is not.
    pub(super) fn congestion(&self) -> Option<Congestion> {
        (self.cuts > 1).then(|| Congestion {
            cuts: self.cuts,
            lowest_pps: whole(self.lowest),
            since: self.first,
        })
    }

    /// Takes in what came of a canary that left under a rate. Returns the rate from now on, if it changes.
    pub(super) fn hear(&mut self, now: Moment, epoch: u32, lost: bool) -> Option<NewRate> {
        if epoch != self.epoch {
            return None;
        }
        self.tries.add(lost);
        match self.phase {
            Phase::Open => self.watch(now),
            Phase::Test { loss, from, cuts } => self.test(now, loss, from, cuts),
            Phase::Yielding => self.adjust(now),
        }
    }

    fn watch(&mut self, now: Moment) -> Option<NewRate> {
        let loss = self.loss();
        if !self.is_beyond(self.ambient, SUSPICION) {
            if self.tries.asked >= ROUND {
                self.ambient = loss.max(USUAL);
                self.tries = Tries::default();
            }
            return None;
        }
        let from = self.current(now);
        self.phase = Phase::Test { loss, from, cuts: 1 };
        Some(self.set(now, from * ((1.0 - loss) * BELOW).clamp(LEAST_LEFT, DEEP)))
    }

    fn test(&mut self, now: Moment, loss: f64, from: f64, cuts: u32) -> Option<NewRate> {
        // How unlikely so little loss is, if a good part of it were still there.
        let Tries { asked, lost } = self.tries;
        let chance = at_least_bound(f64::from(asked - lost), asked.into(), 1.0 - loss * 0.7);
        if chance < CERTAINTY {
            self.phase = Phase::Yielding;
            self.full = from;
            self.carried = 0.0;
            self.note(now);
            return None;
        }
        // The less was lost, the more tries it takes to see that it is less now.
        let enough = (30.0 / loss).clamp(f64::from(ENOUGH), f64::from(ROUND));
        if f64::from(self.tries.asked) < enough {
            return None;
        }
        // A queue that filled while the first losses were counted hid how many there are.
        if cuts < TESTS {
            let (rate, loss) = (self.current(now), self.loss().max(loss));
            self.phase = Phase::Test { loss, from, cuts: cuts + 1 };
            return Some(self.set(now, rate * DEEP));
        }
        self.ambient = self.ambient.max(self.loss());
        self.ambient = self.ambient.max(loss);
        Some(self.open(now))
    }

    fn adjust(&mut self, now: Moment) -> Option<NewRate> {
        let rate = self.current(now);
        let loss = self.loss();
        if self.is_beyond(self.ambient, CERTAINTY) {
            self.full = rate;
            let kept = (1.0 - (loss - self.ambient)).clamp(0.5, BELOW);
            // What gets through is what the path carries, however much more is lost.
            let next = self.set(now, (rate * kept).max(self.carried * LEAST_CARRIED));
            self.note(now);
            return Some(next);
        }
        if self.tries.asked < ENOUGH || now - self.since < SOON {
            return None;
        }
        self.carried = (self.carried * 0.99).max(rate * (1.0 - loss));
        // The least loss at any rate is the path's own; it may change, but slowly.
        self.ambient = (self.ambient + DRIFT).min(f64::midpoint(self.ambient, loss)).max(USUAL / 2.0);
        let next = rate * if rate < self.full * BELOW { 1.15 } else { 1.03 };
        Some(match self.asked {
            Some(asked) if next >= asked as f64 => self.open(now),
            _ => self.set(now, next),
        })
    }

    fn open(&mut self, now: Moment) -> NewRate {
        self.phase = Phase::Open;
        self.begin(now);
        self.rate = None;
        NewRate(self.asked)
    }

    fn set(&mut self, now: Moment, rate: f64) -> NewRate {
        let rate = rate.max(SLOWEST.min(self.asked.map_or(SLOWEST, |asked| asked as f64)));
        self.begin(now);
        self.rate = Some(rate);
        NewRate(Some(whole(rate)))
    }

    fn begin(&mut self, now: Moment) {
        self.epoch += 1;
        (self.since, self.tries) = (now, Tries::default());
    }

    fn note(&mut self, now: Moment) {
        if self.cuts == 0 {
            self.first = now;
        }
        self.cuts += 1;
        self.lowest = self.lowest.min(self.rate.unwrap_or(f64::INFINITY));
    }

    /// Probes a second by now: the limit, or where there is none, what left lately.
    fn current(&self, now: Moment) -> f64 {
        self.limit().unwrap_or_else(|| self.sent.rate(now))
    }

    fn limit(&self) -> Option<f64> {
        self.rate.or_else(|| self.asked.map(|asked| asked as f64))
    }

    fn loss(&self) -> f64 {
        f64::from(self.tries.lost) / f64::from(self.tries.asked).max(1.0)
    }

    /// Whether so much loss is this unlikely where `usual` is what the path loses, and a little more.
    fn is_beyond(&self, usual: f64, unlikely: f64) -> bool {
        let Tries { asked, lost } = self.tries;
        lost >= 3 && at_least_bound(lost.into(), asked.into(), (usual * 1.25).min(0.95)) < unlikely
    }
}

impl Recent {
    fn add(&mut self, now: Moment, probes: u64) {
        let past = now - self.began;
        if past >= STRETCH {
            self.before = self.count as f64 / past.as_secs_f64();
            self.highest = self.highest.max(self.before);
            (self.began, self.count) = (now, 0);
        }
        self.count += probes;
    }

    /// Probes a second in the last stretch, or in this one where it lasts longer.
    fn rate(&self, now: Moment) -> f64 {
        let past = now - self.began;
        if past >= STRETCH { self.count as f64 / past.as_secs_f64() } else { self.before }
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a positive rate, far below 2^64
fn whole(rate: f64) -> u64 {
    if rate.is_finite() { rate.max(1.0) as u64 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A path that loses `ambient` of all, and what is beyond `capacity`; 1 % of the probes are canaries.
    fn run(asked: u64, capacity: f64, ambient: f64, seconds: u64) -> (Vec<f64>, Option<Congestion>) {
        let mut throttle = Throttle::new(Some(asked));
        let (mut rate, mut rates) = (asked as f64, Vec::new());
        let mut random = 1u64;
        let mut later = std::collections::VecDeque::new();
        for step in 0..seconds * 100 {
            let now = Moment::from_millis(step * 10);
            throttle.sent(now, whole(rate / 100.0));
            let passes = (capacity / rate).min(1.0) * (1.0 - ambient);
            for _ in 0..whole(rate / 10_000.0) {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let lost = (random >> 11) as f64 / (1u64 << 53) as f64 > passes;
                later.push_back((now + Duration::from_millis(300), throttle.epoch(now), lost));
            }
            while later.front().is_some_and(|(due, ..)| *due <= now) {
                if let Some((_, epoch, lost)) = later.pop_front()
                    && let Some(NewRate(changed)) = throttle.hear(now, epoch, lost)
                {
                    rate = changed.map_or(asked as f64, |rate| rate as f64);
                }
            }
            rates.push(rate);
        }
        (rates, throttle.congestion())
    }

    #[test]
    fn a_full_path_is_yielded_to_and_still_used() {
        for ambient in [0.0, 0.04] {
            let (rates, found) = run(100_000, 20_000.0, ambient, 60);
            let settled = &rates[300..];
            let used =
                settled.iter().map(|rate| rate.min(20_000.0)).sum::<f64>() / settled.len() as f64 / 20_000.0;
            let sent = settled.iter().sum::<f64>() / settled.len() as f64;
            assert!(used > 0.8, "{ambient}: {used}");
            assert!(sent < 24_000.0, "{ambient}: {sent}");
            assert!(found.is_some_and(|found| found.cuts > 1 && found.lowest_pps > 5000), "{found:?}");
        }
    }

    #[test]
    fn loss_that_has_nothing_to_do_with_the_rate_slows_nothing_down_for_long() {
        for ambient in [0.0, 0.04, 0.2, 0.5] {
            let (rates, found) = run(50_000, 1e9, ambient, 60);
            let slowed = rates.iter().filter(|rate| **rate < 50_000.0).count();
            assert!(slowed < 600, "{ambient}: {slowed} of 6000");
            assert!(found.is_none(), "{ambient}: {found:?}");
        }
    }
}
