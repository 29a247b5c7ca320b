//! What is kept of one address: counters, round-trip time, and our own trouble with it.

use std::{net::IpAddr, time::Duration};

use super::ledger::Mark;
use crate::model::{LocalError, Moment, Unreachable};

/// One address of one protocol in one window.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
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
    /// No second look at it before.
    pub(super) next_look: Moment,
}

impl Row {
    pub(super) fn new(ports: u32) -> Self {
        Self { unsettled: ports, ..Self::default() }
    }

    /// Moves one endpoint from one mark to another.
    pub(super) fn shift(&mut self, from: Mark, to: Mark) {
        *self.counter(from) = self.counter(from).saturating_sub(1);
        *self.counter(to) += 1;
    }

    /// Endpoints that are still to be asked.
    pub(super) fn live(&self) -> u64 {
        if self.barred { 0 } else { self.unsettled.into() }
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
