//! The rate: a slot that advances from itself, so that it neither drifts nor floods.

use std::time::Duration;

use crate::model::Moment;

/// Spaces events evenly. A late caller may catch up by `slack` at most: any interval carries at most
/// its share, what fits into the slack, and one more. What a caller who was held back would have done in
/// a longer pause (a machine that had no time for it) is made up for a little at a time.
#[derive(Clone, Debug)]
pub struct Pace {
    /// Picoseconds between events; zero is as fast as the caller can.
    interval: u64,
    /// When the next is due, in picoseconds.
    slot: u64,
    slack: u64,
    /// The caller wanted more events than were due.
    is_short: bool,
    /// What is to be made up for, in picoseconds.
    owed: u64,
}

const PICOS_PER_NANO: u64 = 1000;
const PICOS_PER_SECOND: u64 = 1_000_000_000_000;
/// One event in so many is one that makes up for a pause.
const MADE_UP: u64 = 128;
/// Of all pauses, at most so much is made up for.
const MOST_OWED: u64 = PICOS_PER_SECOND;

impl Pace {
    /// `rate` events a second; `None` is as fast as the caller can.
    pub fn new(rate: Option<u64>, slack: Duration) -> Self {
        let slack = u64::try_from(slack.as_nanos()).unwrap_or(u64::MAX).saturating_mul(PICOS_PER_NANO);
        Self { interval: interval(rate), slot: 0, slack, is_short: false, owed: 0 }
    }

    /// Changes the rate from the next event on.
    pub fn set_rate(&mut self, rate: Option<u64>) {
        self.interval = interval(rate);
        self.owed = 0;
    }

    /// Notes whether the caller has more events than are due, and will be back when one is.
    pub(super) fn short(&mut self, is_short: bool) {
        self.is_short = is_short;
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
        self.take_many(now, 1);
    }

    /// How many events are due by now, `most` at most.
    pub(super) fn room(&self, now: Moment, most: usize) -> usize {
        let late = picos(now).checked_sub(self.slot.max(picos(now).saturating_sub(self.slack)));
        let due = late.map_or(0, |late| (late / self.interval.max(1)).saturating_add(1));
        if self.interval == 0 { most } else { most.min(usize::try_from(due).unwrap_or(usize::MAX)) }
    }

    /// Takes the slots of so many events that happen now.
    pub(super) fn take_many(&mut self, now: Moment, events: u64) {
        let first = self.slot.max(picos(now).saturating_sub(self.slack));
        if self.is_short {
            self.owed = self.owed.saturating_add(first - self.slot).min(MOST_OWED);
        }
        let share = self.interval.saturating_mul(events);
        let back = self.owed.min(share / MADE_UP);
        self.owed -= back;
        self.slot = first.saturating_add(share - back);
    }

    /// Whether nothing is ever held back.
    pub(super) fn is_unlimited(&self) -> bool {
        self.interval == 0
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

    const SLACK: Duration = Duration::from_millis(2);

    /// Events that a caller who wakes every `step` can fit into `length`.
    fn run(rate: u64, step: Duration, length: Duration) -> Vec<Moment> {
        let mut pace = Pace::new(Some(rate), SLACK);
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
        for rate in [10, 1000, 7919, 100_000, 1_000_000] {
            let events = run(rate, Duration::from_micros(700), Duration::from_secs(2));
            let wanted = rate as f64 * 2.0;
            assert!((events.len() as f64 - wanted).abs() <= wanted / 100.0 + 1.0, "{rate}: {}", events.len());
            let cap = rate as f64 * 0.012 + 1.0 + rate as f64 * 0.0007;
            for (i, &first) in events.iter().enumerate() {
                let within = events[i..].partition_point(|&at| at < first + Duration::from_millis(10));
                assert!(within as f64 <= cap, "{rate}: {within} in 10 ms");
            }
        }
    }

    #[test]
    fn many_slots_at_once_are_as_many_one_by_one() {
        for rate in [1, 999, 10_000, 1_500_000] {
            let (mut one, mut many) = (Pace::new(Some(rate), SLACK), Pace::new(Some(rate), SLACK));
            let mut now = Moment::START;
            for step in 0..5000u64 {
                now += Duration::from_nanos(step * step % 700_001);
                let room = many.room(now, 64);
                many.take_many(now, room as u64);
                let mut taken = 0;
                while taken < 64 && one.is_due(now) {
                    one.take(now);
                    taken += 1;
                }
                assert_eq!((room, many.slot), (taken, one.slot), "{rate} at {now}");
            }
        }
        assert_eq!(Pace::new(None, SLACK).room(Moment::START, 64), 64);
    }

    #[test]
    fn a_pause_that_was_not_wanted_is_made_up_for_slowly() {
        let events = |is_short: bool| {
            let mut pace = Pace::new(Some(100_000), SLACK);
            let (mut events, mut now) = (Vec::new(), Moment::START);
            while now < Moment::from_millis(10_000) {
                pace.short(is_short);
                while pace.is_due(now) {
                    pace.take(now);
                    events.push(now);
                }
                // Every half second the machine is elsewhere for 10 ms.
                let away = now.nanos() % 500_000_000 < 200_000;
                now += Duration::from_micros(if away { 10_000 } else { 200 });
            }
            events
        };
        let (short, idle) = (events(true), events(false));
        // Two of a hundred events were not wanted, one of 128 makes up for them.
        assert!(short.len() > 991_000 && short.len() <= 1_000_300, "{}", short.len());
        assert!(idle.len() < 986_000, "{}", idle.len());
        for (i, &first) in short.iter().enumerate().step_by(97) {
            let within = short[i..].iter().take_while(|&&at| at < first + Duration::from_millis(10)).count();
            assert!(within <= 1_000 * 129 / 128 + 200 + 21, "{within} in 10 ms");
        }
    }

    #[test]
    fn a_suspended_machine_does_not_flood_when_it_wakes() {
        let mut pace = Pace::new(Some(1000), SLACK);
        let woken = Moment::from_millis(3_600_000);
        let mut burst = 0;
        while pace.is_due(woken) {
            pace.take(woken);
            burst += 1;
        }
        assert!(burst <= 4, "{burst}");
    }
}
