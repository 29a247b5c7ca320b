//! What a window does beside its walk: failures on our side are repaired, open endpoints confirmed.

use std::time::Duration;

use super::{
    super::{again::Remedy, config::Config, journal::Note, ledger::Mark, share::look_spacing},
    Spot, Window,
    restore::note,
};
use crate::model::{LocalError, Moment};

/// How often an open endpoint that does not confirm itself is looked at.
pub(in crate::scan) const MAX_LOOKS_AGAIN: u8 = 2;

impl Window {
    /// Notes that a probe was answered, silence included: it had really left.
    pub(in crate::scan) fn concluded(&mut self, spot: Spot, attempt: u8) {
        if let Some(flight) = &mut self.flight {
            flight.remove(&(spot.index, attempt));
        }
        self.connection_ended(spot.index, attempt);
        self.failures.forget(spot.index, attempt);
    }

    /// A connection has one end: when none is out any more, there is nothing left to hear of second looks.
    fn connection_ended(&mut self, index: u64, attempt: u8) {
        let is_look = self.looking.get(&index).is_some_and(|(look, _)| *look == attempt);
        if is_look && self.connecting.remove(&index) && self.connecting.is_empty() {
            self.look_tail = Moment::START;
        }
    }

    /// Notes that a probe failed on our side: it is due again a little later, or given up. Returns
    /// whether it was under way at all.
    pub(in crate::scan) fn failed(
        &mut self,
        now: Moment,
        spot: Spot,
        attempt: u8,
        error: LocalError,
    ) -> bool {
        if self.flight.as_mut().is_some_and(|flight| !flight.remove(&(spot.index, attempt))) {
            return false;
        }
        self.connection_ended(spot.index, attempt);
        let is_look = self.looking.get(&spot.index).is_some_and(|(look, _)| *look == attempt);
        let wanted = is_look || self.ledger.mark(spot.index) == Mark::Unsettled;
        let Some(row) = self.rows.get_mut(spot.row).filter(|row| wanted && !row.barred) else { return true };
        let is_cut_off = matches!(error, LocalError::NoRoute | LocalError::NoFamily);
        if is_cut_off && !is_look {
            self.cut_off(now, spot, attempt, error);
            return true;
        }
        match self.failures.add(now, spot.index, attempt, error) {
            Remedy::Nothing => return false,
            Remedy::Retry(wait) if is_look => self.looks.push(now + wait, spot.index, attempt, false),
            Remedy::Retry(wait) => {
                let due = self.turn_of(now + wait, spot.index, attempt);
                self.again.push(due, spot.index, attempt, error.is_transient());
            }
            Remedy::GiveUp if is_look => {
                self.looking.remove(&spot.index);
            }
            Remedy::GiveUp => {
                row.local = Some(error);
                self.ledger.set_lost(spot.index);
                note(&mut self.notes, Note::Lost { index: spot.index, error });
            }
        }
        true
    }

    /// Takes in an answer of an endpoint whose attempts are kept: an open one is looked at once more,
    /// a while after it was first seen, and again if that does not confirm it.
    pub(in crate::scan) fn confirm(
        &mut self,
        now: Moment,
        config: &Config,
        spot: Spot,
        attempt: u8,
        (is_open, is_crowded): (bool, bool),
    ) {
        let looks = match self.looking.get(&spot.index) {
            None if is_open && !is_crowded => 1,
            Some((look, looks)) if *look == attempt && !is_open => looks + 1,
            _ => return,
        };
        if looks > MAX_LOOKS_AGAIN {
            return;
        }
        let spacing = self.block_at(spot.index).map_or(Duration::ZERO, |block| look_spacing(block, config));
        let mut due = now + config.gap(Duration::ZERO);
        if let Some(row) = self.rows.get_mut(spot.row) {
            due = due.max(row.next_look);
            row.next_look = due + spacing;
        }
        let attempt = attempt.max(self.attempts_sent(spot)).saturating_add(1);
        self.looking.insert(spot.index, (attempt, looks));
        self.looks.push(due, spot.index, attempt, false);
    }

    /// When a failed attempt is due again: at once, unless the walk went on before the failure was
    /// known. Then it keeps its distance from the later attempt, which may be out already.
    pub(super) fn turn_of(&mut self, due: Moment, index: u64, attempt: u8) -> Moment {
        if self.held.get(&index).is_some_and(|(_, holder)| *holder == attempt) {
            self.held.remove(&index);
        }
        if attempt >= self.pass {
            return due;
        }
        let place = self.order.place_of(index);
        let marks = if place < self.place { &self.marks } else { &self.before };
        let due = marks.at(place).max(self.hold(index)).unwrap_or_default().max(due);
        self.held.insert(index, (due, attempt));
        due
    }
}
