//! The walk in strides: many probes a call, while nothing but the walk wants to send. What a million
//! probes a second need; whatever else is due goes one by one.

use std::time::Duration;

use super::{
    super::{batch::Batch, batch::Probe, config::Config, config::longest_of, row::Row},
    Window,
};
use crate::model::Moment;

/// Places looked up before the first of them is used, so that their cache misses overlap.
const STRIDE: usize = 64;
/// Settled places that one call may pass by: the driver has to send and to listen meanwhile.
pub(in crate::scan) const MOST_SKIPPED: u64 = 1 << 16;

/// What came of a stride.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::scan) enum Stride {
    /// So many probes were added.
    Probes(usize),
    /// None yet: a long run of settled places is not over.
    Passing,
    /// The walk has to wait, or is not alone.
    Stopped,
}

impl Window {
    /// Adds the next probes of the walk to a batch, `most` at most, and passes by as many settled places
    /// as are left to this call, about. `patience` tells how long to wait for an answer of a row; in passes
    /// over all rows, as long as for the slowest.
    pub(in crate::scan) fn stride(
        &mut self,
        now: Moment,
        config: &Config,
        (longest, patience): (Duration, &dyn Fn(&Row) -> Duration),
        (batch, most): (&mut Batch, usize),
        passes: &mut u64,
    ) -> Stride {
        if !self.is_plain(now) {
            return Stride::Stopped;
        }
        let (mut added, mut last) = (0, None);
        let mut longest_here = if self.bars { Duration::ZERO } else { longest };
        let mut indices = [0; STRIDE];
        let mut settled = [false; STRIDE];
        while added < most && self.place < self.order.size() {
            if *passes == 0 {
                break;
            }
            let ahead = usize::try_from(self.order.size() - self.place).unwrap_or(STRIDE).min(STRIDE);
            // While few places are settled, no more are looked up than are wanted.
            let ahead = if self.unsettled > self.order.size() / 2 { ahead.min(most - added) } else { ahead };
            for ((place, index), settled) in (self.place..).zip(&mut indices).zip(&mut settled).take(ahead) {
                *index = self.order.at(place);
                *settled = self.ledger.is_settled(*index);
            }
            let mut places = indices.iter().zip(&settled).take(ahead);
            while added < most
                && let Some((&index, &settled)) = places.next()
            {
                if settled {
                    self.place += 1;
                    *passes = passes.saturating_sub(1);
                    continue;
                }
                if self.before.due(self.place).is_some_and(|due| due > now) {
                    self.note(last, now, config, longest_here);
                    return if added > 0 { Stride::Probes(added) } else { Stride::Stopped };
                }
                let place = self.place;
                self.place += 1;
                let Some((row, endpoint)) = self.endpoint(index) else { continue };
                let (mut wait, mut attempt) = (longest_of(config, endpoint.protocol, longest), self.pass);
                if self.bars {
                    let row = self.rows.get_mut(row).filter(|row| !row.barred && !row.idle);
                    let Some(row) = row else {
                        *passes = passes.saturating_sub(1);
                        continue;
                    };
                    (wait, attempt) = (patience(row), row.attempt_of(self.pass));
                    row.asked = now;
                }
                longest_here = longest_here.max(wait);
                if let Some(held) = self.hold(index).filter(|held| *held > now) {
                    self.again.push(held, index, attempt, false);
                    continue;
                }
                batch.push(Probe { endpoint, attempt, patience: wait, handshake: false });
                last = Some(place);
                added += usize::try_from(config.packets(endpoint)).unwrap_or(1);
            }
        }
        self.note(last, now, config, longest_here);
        match added {
            0 if self.place < self.order.size() => Stride::Passing,
            0 => Stride::Stopped,
            added => Stride::Probes(added),
        }
    }

    /// Notes when the places up to the last one asked may be asked again.
    fn note(&mut self, last: Option<u64>, now: Moment, config: &Config, patience: Duration) {
        let Some(last) = last else { return };
        self.marks.note(last, now, now + config.gap(patience));
        self.tail = self.tail.max(now + patience);
        if !self.bars {
            self.asked_all = now;
        }
    }

    /// Whether the walk alone wants to send, and nothing but its own pass holds it back.
    fn is_plain(&self, now: Moment) -> bool {
        let quiet = |due: Option<Moment>| due.is_none_or(|due| due > now);
        self.flight.is_none()
            && self.pace.is_unlimited()
            && self.unsettled > 0
            && self.pass <= self.attempts
            && self.outages.is_empty()
            && quiet(self.looks.due())
            && quiet(self.again.due())
            && !self.again.stalls()
            && self.is_parted_early(now)
    }
}
