//! What a run learns about silence over UDP: how many replies come to a later attempt only, and how seldom
//! a host says that nothing listens.
//!
//! ICMP errors are limited: RFC 1812 section 4.3.2.8 and RFC 4443 section 2.4 (f) ask for it. Linux sends
//! one a second to a peer, six at once after a pause (`icmp_ratelimit`, net/ipv4/icmp.c), over IPv6 more
//! often where the route is wide (net/ipv6/icmp.c). Canaries would meet the same limits, and those of
//! services, so there are none over UDP.

use std::{collections::VecDeque, time::Duration};

use super::{loss::MOST_ATTEMPTS, stats::upper_bound};
use crate::model::Moment;

/// Replies of endpoints that nobody asked before, by attempt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Late {
    found: u32,
    late: u32,
}

/// Attempts where nothing answers, so that nothing is known of losses.
const UNKNOWN: u8 = 3;
/// The same where nothing answered late: losses are seldom.
const FEW: u8 = 4;
/// How often the bound on the loss may fail.
const ALPHA: f64 = 0.05;

impl Late {
    /// Takes in that an endpoint was found by an attempt.
    pub(super) fn add(&mut self, attempt: u8) {
        self.found += 1;
        self.late += u32::from(attempt > 1);
    }

    /// Endpoints found.
    pub(super) fn found(self) -> u32 {
        self.found
    }

    /// Whether any was found late.
    pub(super) fn shows_loss(self) -> bool {
        self.late > 0
    }

    /// How many attempts leave an open endpoint unfound no more often than is accepted. Where replies do get
    /// lost, one more: that losses of one path are independent is not known.
    pub(super) fn wanted(self, accepted: f64) -> u8 {
        if self.found == 0 {
            return UNKNOWN;
        }
        let loss = upper_bound(self.late.into(), self.found.into(), ALPHA);
        let enough = (1..MOST_ATTEMPTS).find(|&attempts| loss.powi(attempts.into()) <= accepted);
        match (enough, self.shows_loss()) {
            (enough, false) => enough.unwrap_or(FEW).min(FEW),
            (enough, true) => enough.map_or(MOST_ATTEMPTS, |attempts| attempts + 1).min(MOST_ATTEMPTS),
        }
    }
}

/// How often a host says that nothing listens.
#[derive(Clone, Debug, Default)]
pub(super) struct Limit {
    /// When it last did.
    times: VecDeque<Moment>,
    /// Between two questions of which each may be answered, as far as was learned by asking.
    learned: Option<Duration>,
}

/// Answers that are remembered: more than Linux sends at once.
const REMEMBERED: usize = 8;
/// What is most usual.
const USUAL: Duration = Duration::from_secs(1);
/// Nothing is asked more often, or more seldom.
const BOUNDS: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(2));

impl Limit {
    /// Takes in an answer.
    pub(super) fn answered(&mut self, now: Moment) {
        if self.times.len() == REMEMBERED {
            self.times.pop_front();
        }
        self.times.push_back(now);
    }

    /// When it answered last.
    pub(super) fn last(&self) -> Option<Moment> {
        self.times.back().copied()
    }

    /// Between two questions of which each may be answered.
    pub(super) fn interval(&self) -> Duration {
        let together = match (self.times.front(), self.times.back()) {
            (Some(first), Some(last)) if self.times.len() == REMEMBERED => Some(*last - *first),
            _ => None,
        };
        // So many so soon are no burst of a limit that is otherwise a second.
        let often = together.filter(|time| *time < USUAL).map(|time| time.div_f64(REMEMBERED as f64 - 1.0));
        self.learned.or(often).unwrap_or(USUAL).clamp(BOUNDS.0, BOUNDS.1)
    }

    /// Learns from a question: answered, or not. One in four may be in vain.
    pub(super) fn learn(&mut self, answered: bool) {
        let interval = self.interval();
        self.learned = Some(if answered { interval.mul_f64(0.9) } else { interval.mul_f64(1.5) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_comes_late_the_more_often_is_asked() {
        let of = |found, late| Late { found, late }.wanted(0.001);
        assert_eq!((of(0, 0), of(1, 0), of(20, 0)), (3, 4, 4), "little is known");
        assert_eq!(of(10_000, 0), 1);
        assert_eq!((of(3000, 120), of(3000, 900)), (4, 6));
    }

    /// A host that answers from a bucket: how many of the questions that it is asked in a minute, at the
    /// interval that was learned, it answers, and how many it was asked.
    fn minute(every: Duration, burst: f64) -> (u32, u32) {
        let (mut limit, mut tokens, mut at) = (Limit::default(), burst, Moment::START);
        let (mut answers, mut asked, mut before) = (0, 0, Moment::START);
        while at < Moment::from_millis(60_000) {
            tokens = (tokens + (at - before).as_secs_f64() / every.as_secs_f64()).min(burst);
            before = at;
            let answered = tokens >= 1.0;
            asked += 1;
            if answered {
                tokens -= 1.0;
                answers += 1;
                limit.answered(at);
            }
            limit.learn(answered);
            at += limit.interval();
        }
        (answers, asked)
    }

    #[test]
    fn the_interval_of_a_host_is_learned() {
        for (every, burst) in [(1000, 6.0), (250, 6.0), (500, 1.0), (100, 50.0)] {
            let (answers, asked) = minute(Duration::from_millis(every), burst);
            let able = 60_000 / u32::try_from(every).unwrap();
            assert!(answers * 3 >= able * 2, "{every} ms: {answers} of {able}");
            assert!(asked <= answers * 2, "{every} ms: {asked} for {answers}");
        }
    }
}
