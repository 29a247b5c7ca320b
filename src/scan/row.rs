//! What is kept of one address: counters, round-trip time, and our own trouble with it.

use std::{net::IpAddr, time::Duration};

use super::ledger::Mark;
use crate::model::{LocalError, Moment, Protocol, Unreachable};

/// One address of one protocol in one window.
#[allow(clippy::struct_excessive_bools)] // each is about something else
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) protocol: Protocol,
    pub(super) unsettled: u32,
    pub(super) open: u32,
    pub(super) closed: u32,
    pub(super) prohibited: u32,
    pub(super) rtt: RoundTrip,
    /// The last failure on our side that left an endpoint undetermined.
    pub(super) local: Option<LocalError>,
    pub(super) soft: Option<(Unreachable, Option<IpAddr>)>,
    /// Probes to it are pointless: we can't reach it at all. Once so, always so: what was not asked
    /// meanwhile must not be taken for silent.
    pub(super) barred: bool,
    /// It answered in this run, and at the parting look it did not.
    pub(super) fell_silent: bool,
    /// Attempts that its silent endpoints get, and those of the passes that left it out, as bits.
    pub(super) attempts: u8,
    pub(super) skipped: u32,
    /// Of its closed endpoints, those that only a later attempt found.
    pub(super) late: u32,
    /// When a pass that left others out asked it last.
    pub(super) asked: Moment,
    /// It was heard after it was asked last.
    pub(super) parted: bool,
    /// Left out of the pass being walked.
    pub(super) idle: bool,
    /// No second look at it before.
    pub(super) next_look: Moment,
}

impl Row {
    pub(super) fn new(protocol: Protocol, ports: u32, attempts: u8) -> Self {
        Self {
            protocol,
            unsettled: ports,
            open: 0,
            closed: 0,
            prohibited: 0,
            rtt: RoundTrip::default(),
            local: None,
            soft: None,
            barred: false,
            fell_silent: false,
            attempts,
            skipped: 0,
            late: 0,
            asked: Moment::START,
            parted: false,
            idle: false,
            next_look: Moment::START,
        }
    }

    /// Moves one endpoint from one mark to another.
    pub(super) fn shift(&mut self, from: Mark, to: Mark) {
        *self.counter(from) = self.counter(from).saturating_sub(1);
        *self.counter(to) += 1;
    }

    /// Endpoints that the pass being walked still has to ask.
    pub(super) fn live(&self) -> u64 {
        if self.barred || self.idle { 0 } else { self.unsettled.into() }
    }

    /// Whether silence is all there is of some of its endpoints, and it is the network's.
    pub(super) fn is_partly_silent(&self) -> bool {
        self.unsettled > 0 && !self.barred
    }

    /// Which attempt a pass makes that does not leave it out.
    pub(super) fn attempt_of(&self, pass: u8) -> u8 {
        pass - self.skipped(pass - 1).min(pass - 1)
    }

    /// Whether a pass left it out.
    pub(super) fn is_skipped_by(&self, pass: u8) -> bool {
        self.skipped >> u32::from(pass).min(31) & 1 == 1
    }

    /// How many of the first passes left it out.
    pub(super) fn skipped(&self, passes: u8) -> u8 {
        let bits = self.skipped & !(u32::MAX.checked_shl(u32::from(passes) + 1).unwrap_or(0));
        u8::try_from(bits.count_ones()).unwrap_or(u8::MAX)
    }

    fn counter(&mut self, mark: Mark) -> &mut u32 {
        match mark {
            Mark::Unsettled => &mut self.unsettled,
            Mark::Prohibited => &mut self.prohibited,
            Mark::Closed => &mut self.closed,
            Mark::Open => &mut self.open,
        }
    }
}

/// Smoothed round-trip time (RFC 6298 section 2), in microseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RoundTrip {
    smoothed: u32,
    variation: u32,
}

impl RoundTrip {
    pub(super) fn sample(&mut self, rtt: Duration) {
        let rtt = u32::try_from(rtt.as_micros()).unwrap_or(u32::MAX).clamp(1, u32::MAX / 16);
        if self.smoothed == 0 {
            (self.smoothed, self.variation) = (rtt, rtt / 2);
        } else {
            self.variation = (3 * self.variation + self.smoothed.abs_diff(rtt)) / 4;
            self.smoothed = (7 * self.smoothed + rtt) / 8;
        }
    }

    /// The smoothed time; `None` before the first sample.
    pub(super) fn smoothed(self) -> Option<Duration> {
        (self.smoothed > 0).then(|| Duration::from_micros(self.smoothed.into()))
    }

    /// How long nearly every answer takes at most; `None` before the first sample.
    pub(super) fn bound(self) -> Option<Duration> {
        (self.smoothed > 0)
            .then(|| Duration::from_micros(u64::from(self.smoothed) + 4 * u64::from(self.variation)))
    }
}
