//! The walk: pass after pass over the window's order, and what a probe of it needs.

use std::time::Duration;

use super::{
    super::{batch::Probe, config::Config, loss::Opinion, row::Row, share::Share},
    MOST_SKIPPED, Next, Window,
};
use crate::model::Moment;

impl Window {
    /// One step of the walk: the next unsettled endpoint of this pass, or of the next one.
    pub(super) fn walk(
        &mut self,
        now: Moment,
        config: &Config,
        patience: &dyn Fn(&Row) -> Duration,
        opinion: Option<&Opinion>,
    ) -> Next {
        while self.unsettled > 0 && self.pass <= self.attempts {
            if self.again.stalls() || self.outages.are_too_many() {
                return self.wait(None);
            }
            let first = self.place;
            while self.place < self.order.size() && !self.outages.are_too_many() {
                let index = self.order.at(self.place);
                if self.place - first >= MOST_SKIPPED {
                    return self.wait(Some(now));
                }
                if self.ledger.is_settled(index) || (self.bars && self.is_left_out(index)) {
                    self.place += 1;
                    continue;
                }
                if let Some(due) = self.before.due(self.place).filter(|due| *due > now) {
                    return self.wait(Some(due));
                }
                if !self.pace.is_due(now) {
                    return Next::Paced(self.earliest(Some(self.pace.due())).unwrap_or(now));
                }
                let place = self.place;
                self.place += 1;
                let attempt = self.attempt_at(index);
                if let Some(held) = self.hold(index).filter(|held| *held > now) {
                    self.pace.take(now);
                    self.again.push(held, index, attempt, false);
                    continue;
                }
                if self.put_off(index, attempt) {
                    self.pace.take(now);
                    continue;
                }
                let Some(probe) = self.emit(now, index, attempt, patience) else { continue };
                self.pace.take_many(now, config.packets(probe.endpoint));
                self.marks.note(place, now, now + config.gap(probe.patience));
                return Next::Probe(probe);
            }
            if !self.again.is_empty() || self.outages.are_too_many() {
                return self.wait(None);
            }
            self.turn(now, config, opinion);
        }
        if self.unsettled == 0 {
            self.again.clear();
            self.outages.clear();
        }
        if self.unsettled > 0 && !(self.again.is_empty() && self.outages.is_empty()) {
            return self.wait(None);
        }
        Next::Finished
    }

    /// Begins the next pass.
    pub(super) fn turn(&mut self, now: Moment, config: &Config, opinion: Option<&Opinion>) {
        self.before = std::mem::take(&mut self.marks);
        self.pass += 1;
        self.place = 0;
        self.failures.clear();
        self.deaf += u8::from(std::mem::take(&mut self.drops));
        if self.pass > self.attempts {
            self.widen(now, config, opinion);
            self.has_more_to_walk();
        }
        self.begin_pass(now, config);
    }

    /// Prepares the pass that is next, if there is one.
    pub(super) fn begin_pass(&mut self, now: Moment, config: &Config) {
        if self.pass <= self.attempts {
            self.held.retain(|_, (due, _)| *due > now);
            self.leave_out();
            if self.leaves_out() {
                self.part_again();
            }
        }
        self.share = Share::new(&self.blocks, &self.starts, &self.rows, config);
        self.pace.set_rate(self.share.rate(self.slowed));
    }

    /// Puts an attempt off where no route leads to its address. Returns whether it did.
    pub(super) fn put_off(&mut self, index: u64, attempt: u8) -> bool {
        if self.outages.is_empty() {
            return false;
        }
        let row = self.endpoint(index).map(|(row, _)| row);
        row.is_some_and(|row| self.outages.put_off(row, index, attempt))
    }

    /// When an endpoint that was asked outside the walk may be asked again.
    pub(super) fn hold(&self, index: u64) -> Option<Moment> {
        if self.held.is_empty() { None } else { self.held.get(&index).map(|(due, _)| *due) }
    }

    pub(super) fn wait(&self, due: Option<Moment>) -> Next {
        Next::Wait(self.earliest(due).unwrap_or(Moment::START))
    }

    pub(super) fn earliest(&self, due: Option<Moment>) -> Option<Moment> {
        let parts = self.parting_due().filter(|_| self.leaves_out());
        [due, parts, self.looks.due(), self.again.due(), self.outages.due()].into_iter().flatten().min()
    }

    /// A probe to an endpoint; none to an address that we can't reach at all.
    pub(super) fn emit(
        &mut self,
        now: Moment,
        index: u64,
        attempt: u8,
        patience: &dyn Fn(&Row) -> Duration,
    ) -> Option<Probe> {
        let (at, endpoint) = self.endpoint(index)?;
        let row = self.rows.get(at).filter(|row| !row.barred)?;
        let patience = patience(row);
        if let Some(flight) = &mut self.flight {
            flight.insert((index, attempt));
        }
        self.tail = self.tail.max(now + patience);
        if !self.bars {
            self.asked_all = now;
        } else if let Some(row) = self.rows.get_mut(at) {
            row.asked = now;
        }
        Some(Probe { endpoint, attempt, patience, handshake: false })
    }
}
