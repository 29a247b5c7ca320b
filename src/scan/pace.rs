//! The rate: a slot that advances from itself, so that it neither drifts nor floods.

use std::time::Duration;

use crate::model::Moment;

/// Spaces events evenly. A late caller may catch up by `slack` at most: any interval carries at most
/// its share, what fits into the slack, and one more.
#[derive(Clone, Debug)]
pub struct Pace {
    /// Picoseconds between events; zero is as fast as the caller can.
    interval: u64,
    /// When the next is due, in picoseconds.
    slot: u64,
    slack: u64,
}

const PICOS_PER_NANO: u64 = 1000;
const PICOS_PER_SECOND: u64 = 1_000_000_000_000;

impl Pace {
    /// `rate` events a second; `None` is as fast as the caller can.
    pub fn new(rate: Option<u64>, slack: Duration) -> Self {
        let slack = u64::try_from(slack.as_nanos()).unwrap_or(u64::MAX).saturating_mul(PICOS_PER_NANO);
        Self { interval: interval(rate), slot: 0, slack }
    }

    /// Changes the rate from the next event on.
    pub fn set_rate(&mut self, rate: Option<u64>) {
        self.interval = interval(rate);
    }

    /// Whether an event is due.
    pub fn is_due(&self, now: Moment) -> bool {
        self.interval == 0 || self.slot <= picos(now)
    }

    /// When the next event is due.
    pub fn due(&self) -> Moment {
        Moment::from_nanos(if self.interval == 0 { 0 } else { self.slot.div_ceil(PICOS_PER_NANO) })
    }

    /// Takes the slot of an event that happens now.
    pub fn take(&mut self, now: Moment) {
        self.slot = self.slot.max(picos(now).saturating_sub(self.slack)).saturating_add(self.interval);
    }
}

fn interval(rate: Option<u64>) -> u64 {
    rate.map_or(0, |rate| PICOS_PER_SECOND / rate.clamp(1, PICOS_PER_SECOND))
}

fn picos(now: Moment) -> u64 {
    now.nanos().saturating_mul(PICOS_PER_NANO)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Events that a caller who wakes every `step` can fit into `length`.
    fn run(rate: u64, step: Duration, length: Duration, slack: Duration) -> Vec<Moment> {
        let mut pace = Pace::new(Some(rate), slack);
        let mut events = Vec::new();
        let mut now = Moment::START;
        while now < Moment::START + length {
            while pace.is_due(now) {
                pace.take(now);
                events.push(now);
            }
            now += step;
        }
        events
    }

    #[test]
    fn the_rate_is_kept_within_a_percent_and_no_window_is_flooded() {
        let slack = Duration::from_millis(2);
        for rate in [10, 1000, 7919, 100_000, 1_000_000] {
            let events = run(rate, Duration::from_micros(700), Duration::from_secs(2), slack);
            let wanted = rate as f64 * 2.0;
            assert!((events.len() as f64 - wanted).abs() <= wanted / 100.0 + 1.0, "{rate}: {}", events.len());
            let cap = rate as f64 * 0.012 + 1.0 + rate as f64 * 0.0007;
            for (i, &first) in events.iter().enumerate() {
                let within =
                    events[i..].iter().take_while(|&&at| at < first + Duration::from_millis(10)).count();
                assert!(within as f64 <= cap, "{rate}: {within} in 10 ms");
            }
        }
    }

    #[test]
    fn a_suspended_machine_does_not_flood_when_it_wakes() {
        let mut pace = Pace::new(Some(1000), Duration::from_millis(2));
        let woken = Moment::from_millis(3_600_000);
        let mut burst = 0;
        while pace.is_due(woken) {
            pace.take(woken);
            burst += 1;
        }
        assert!(burst <= 4, "{burst}");
    }
}
