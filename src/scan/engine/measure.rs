//! What a scan measures of the path while it asks: loss, by canaries, and whether it is the rate.

use std::{sync::Arc, time::Duration};

use super::{
    super::{
        batch::{Answer, Probe},
        canary::{About, Canaries, Flight},
        config::{Config, patience_of},
        loss::{Class, Meter, Opinion, Outcome, Trial},
        throttle::{NewRate, Throttle},
        window::Window,
        witness::Witnesses,
    },
    Scan,
};
use crate::model::{Congestion, Evidence, Loss, Miss, Moment, State};

/// The measuring of a run.
#[derive(Debug)]
pub(super) struct Measure {
    /// Nothing is measured where nobody wants to know.
    wanted: bool,
    meter: Meter,
    canaries: Canaries,
    throttle: Throttle,
    opinion: Arc<Opinion>,
    /// When the opinion was formed, and from how much.
    formed: (Moment, u64, u32),
    /// The loss of the path, when it was asked for last.
    pub(super) loss: Option<Loss>,
    /// The worst chance of a miss of the windows that have ended.
    pub(super) miss: Option<Miss>,
}

/// First tries after which canaries keep to their share: they bound the loss of a path without any to 3 %.
const ENOUGH: u64 = 100;
/// An opinion is not formed anew within so long.
const STALE: Duration = Duration::from_millis(50);

impl Measure {
    pub(super) fn new(config: &Config, witnesses: &Witnesses) -> Self {
        let (first, last) = (witnesses.last().saturating_add(1), config.highest_attempt);
        let wanted = config.max_miss.is_some() && first > witnesses.last();
        Self {
            wanted,
            meter: Meter::default(),
            canaries: Canaries::new(first, if wanted { last } else { 0 }),
            throttle: Throttle::new(config.rate.run),
            opinion: Arc::default(),
            formed: (Moment::START, 0, 0),
            loss: None,
            miss: None,
        }
    }

    pub(super) fn congestion(&self) -> Option<Congestion> {
        self.throttle.congestion()
    }

    /// Takes in that so many probes left.
    #[inline]
    pub(super) fn sent(&mut self, now: Moment, probes: u64) {
        if self.wanted {
            self.canaries.earn(probes);
            self.throttle.sent(now, probes);
        }
    }

    /// What is known; where it is needed, by now.
    pub(super) fn opinion(&mut self, now: Moment, needed: bool) -> Option<Arc<Opinion>> {
        if !self.wanted {
            return None;
        }
        let (formed, from, found_before) = self.formed;
        let (tries, found) = (self.meter.tries(), self.meter.datagrams.found());
        let grows = !self.canaries.is_empty();
        let is_old = (tries, found) != (from, found_before) && now - formed >= STALE;
        if needed && (is_old || grows != self.opinion.grows()) {
            self.opinion = self.meter.opinion(grows);
            self.formed = (now, tries, found);
        }
        Some(Arc::clone(&self.opinion))
    }

    /// The same, as exact as can be.
    pub(super) fn last_opinion(&mut self) -> Option<Arc<Opinion>> {
        self.loss = self.meter.loss();
        self.wanted.then(|| self.meter.opinion(false))
    }

    /// Takes in that an endpoint was settled: over UDP that tells how replies come, and refusals.
    pub(super) fn settled(&mut self, now: Moment, window: &mut Window, row: usize, answer: &Answer) {
        match answer.evidence {
            Evidence::Reply { .. } => self.meter.datagrams.add(answer.attempt),
            Evidence::NoListener => window.refused(now, row),
            _ => {}
        }
    }

    /// Takes in what came of a canary of an earlier process.
    pub(super) fn add(&mut self, trial: Trial) {
        if self.wanted {
            self.meter.add(trial);
        }
    }
}

impl Scan {
    /// Counts the canaries whose time is over by now.
    pub(super) fn expire_canaries(&mut self, now: Moment) {
        while let Some(over) = self.measure.canaries.expire(now) {
            self.count(now, over);
        }
    }

    /// Counts a canary whose end is known.
    fn count(&mut self, now: Moment, flight: Flight) {
        let Flight { bird, epoch, lost, .. } = flight;
        self.tried(flight, if lost { Outcome::Lost } else { Outcome::Answered });
        // A host may limit its refusals, which is nothing that a slower run would mend.
        let rate =
            if bird.class == Class::SynAck { self.measure.throttle.hear(now, epoch, lost) } else { None };
        self.change_rate(rate);
    }

    fn tried(&mut self, flight: Flight, outcome: Outcome) {
        let Flight { bird, sent, depth, .. } = flight;
        let trial = Trial { sent, address: bird.endpoint.address, class: bird.class, depth, outcome };
        self.measure.meter.add(trial);
        if let (Some(journal), Some(window)) = (&mut self.journal, self.active.first()) {
            journal.tried(window.number, trial);
        }
    }

    /// Asks those again more often that answered late more often than others.
    pub(super) fn take_stock(&mut self) {
        for window in &mut self.active {
            if self.measure.wanted && window.is_half_asked_again() {
                for address in window.late_addresses() {
                    self.measure.meter.answered_late(address);
                }
            }
        }
    }

    /// The next canary, if one is due.
    pub(super) fn canary(&mut self, now: Moment) -> Option<Probe> {
        if !self.measure.wanted {
            return None;
        }
        let hungry = self.is_hungry();
        let Self { measure, active, paths, config, run_rtt, slowest, .. } = self;
        let about = About {
            stays: &|address| active.iter().any(|window| window.covers(address)),
            stands_out: &|address| measure.meter.is_suspect(address),
            patience: &|address| patience_of(config, paths.get(&address), *run_rtt, *slowest),
        };
        measure.canaries.next(now, hungry, measure.throttle.epoch(now), &about)
    }

    /// When canaries have something to do next.
    pub(super) fn canaries_due(&self) -> Option<Moment> {
        if self.measure.wanted { self.measure.canaries.due(self.is_hungry()) } else { None }
    }

    /// Whether more canaries are wanted than their share of the probes: not where nothing will rest on
    /// silence.
    fn is_hungry(&self) -> bool {
        let is_new = self.measure.meter.tries() < ENOUGH;
        self.active.iter().any(|window| window.wants_canaries() || (is_new && window.is_unsettled()))
    }

    /// Notes that an endpoint answered: it can be asked again.
    pub(super) fn met(&mut self, now: Moment, answer: &Answer, class: Class, limit: Option<u64>) {
        if class == Class::SynAck {
            self.controls.begin(now, answer.endpoint.address);
        }
        if self.measure.wanted {
            self.measure.canaries.add(now, answer.endpoint, class, limit);
            if answer.attempt > 1 && class == Class::SynAck {
                self.measure.meter.answered_late(answer.endpoint.address);
            }
        }
    }

    /// Whether probes of this number are canaries.
    pub(super) fn is_canary(&self, number: u8) -> bool {
        self.measure.wanted && self.measure.canaries.is_one(number)
    }

    /// Takes in what came of a canary.
    pub(super) fn hear_canary(&mut self, now: Moment, answer: &Answer) {
        let (endpoint, number) = (answer.endpoint, answer.attempt);
        let canaries = &mut self.measure.canaries;
        let is_answered = matches!(answer.evidence.state(), Some(State::Open | State::Closed));
        let flight = match answer.evidence {
            Evidence::Silence => canaries.silent(endpoint, number),
            _ if is_answered => canaries.land(endpoint, number),
            // Also where somebody on the way answered: it was neither lost nor answered.
            _ => canaries.void(endpoint, number),
        };
        let Some(flight) = flight else {
            // A second answer to one canary says nothing.
            self.coverage.strays += 1;
            return;
        };
        match answer.evidence {
            Evidence::Local(_) => {
                self.coverage.send_errors += 1;
                self.coverage.probes_sent = self.coverage.probes_sent.saturating_sub(1);
            }
            Evidence::Silence => {
                self.count(now, flight);
            }
            _ => self.coverage.replies += 1,
        }
        if is_answered {
            if flight.lost {
                self.tried(flight, Outcome::Found);
            }
            self.witnesses.heard(endpoint, answer.sent_at);
            self.learn(endpoint.address, now - answer.sent_at);
        }
    }

    fn change_rate(&mut self, rate: Option<NewRate>) {
        if let Some(NewRate(rate)) = rate {
            self.pace.set_rate(rate);
        }
    }
}
