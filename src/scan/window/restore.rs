//! A window tells where it stands, and is put there again by another process.

use super::{
    super::{
        config::Config,
        journal::{Damaged, Note, Position, Run, Stamp},
        ledger::Mark,
        pace::Pace,
        share::{Share, look_spacing},
    },
    MAX_ATTEMPTS, Spot, Window,
};
use crate::model::Moment;

/// Notes something down, where somebody wants to know.
pub(super) fn note(notes: &mut Option<Vec<Note>>, note: Note) {
    if let Some(notes) = notes {
        notes.push(note);
    }
}

impl Window {
    /// Begins to take notes for a journal.
    pub(in crate::scan) fn take_note_of_all(&mut self) {
        self.notes = Some(Vec::new());
    }

    /// The notes so far.
    pub(in crate::scan) fn take_notes(&mut self) -> Vec<Note> {
        self.notes.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// The notes of a window that ends: of what it never heard the end is known now.
    pub(in crate::scan) fn last_notes(&mut self) -> Vec<Note> {
        let mut notes = self.take_notes();
        let unheard = self.flight.iter().flatten();
        notes.extend(unheard.map(|&(index, attempt)| Note::Unheard { index, attempt }));
        notes
    }

    /// Probes to each silent endpoint.
    pub(in crate::scan) fn attempts(&self) -> u8 {
        self.attempts
    }

    /// Where the walk is, and which attempts behind it have yet to leave.
    pub(in crate::scan) fn position(&self) -> Position {
        let (window, attempts, pass, place) = (self.number, self.attempts, self.pass, self.place);
        let owed = self.again.entries().chain(self.outages.entries()).collect();
        Position { window, attempts, pass, place, owed }
    }

    /// Stands as if the walk had asked every endpoint so often.
    pub(in crate::scan) fn stand_at(&mut self, sent: u8) -> Result<(), Damaged> {
        if sent > MAX_ATTEMPTS {
            return Err(Damaged::Foreign);
        }
        self.attempts = self.attempts.max(sent);
        (self.pass, self.place) = (sent + 1, 0);
        Ok(())
    }

    /// Marks endpoints as they were marked before. Says which it settled, and what they were.
    pub(in crate::scan) fn mark_again(
        &mut self,
        run: Run,
        settled: &mut dyn FnMut(&Self, Spot, Mark, Mark),
    ) -> Result<(), Damaged> {
        let end = run.first.checked_add(run.length).filter(|end| *end <= self.order.size());
        for index in run.first..end.ok_or(Damaged::Foreign)? {
            let mark = match run.mark {
                Stamp::Soft => {
                    self.ledger.set_soft(index);
                    continue;
                }
                Stamp::Prohibited => Mark::Prohibited,
                Stamp::Closed => Mark::Closed,
            };
            let (row, _) = self.endpoint(index).ok_or(Damaged::Foreign)?;
            let (spot, before) = (Spot { index, row }, self.ledger.mark(index));
            if self.settle(spot, mark) {
                settled(self, spot, before, mark);
            }
        }
        Ok(())
    }

    /// Takes in a note of before. `counts`: a look at that moment can no longer be answered.
    pub(in crate::scan) fn read(
        &mut self,
        note: Note,
        counts: &dyn Fn(Moment) -> bool,
    ) -> Result<(), Damaged> {
        match note {
            Note::Soft { row, what, sender } => self.row_again(row)?.1.soft = Some((what, sender)),
            Note::Lost { index, error } => {
                let (row, _) = self.endpoint(index).ok_or(Damaged::Foreign)?;
                self.ledger.set_lost(index);
                self.row_again(row as u64)?.1.local = Some(error);
            }
            Note::Barred { row, error } => {
                let (_, row) = self.row_again(row)?;
                (row.local, row.barred) = (Some(error), true);
                self.bars = true;
            }
            Note::Unheard { index, attempt } => {
                self.endpoint(index).ok_or(Damaged::Foreign)?;
                self.flight.get_or_insert_default().insert((index, attempt));
            }
            Note::Looked { row, at } => {
                let (row, _) = self.row_again(row)?;
                if counts(at) {
                    let made = self.parted.entry(row).or_default();
                    *made = made.saturating_add(1);
                }
            }
            Note::NotLooked { row } => {
                let (row, _) = self.row_again(row)?;
                self.parted.entry(row).and_modify(|made| *made = made.saturating_sub(1));
            }
            Note::Parted { row } => {
                let (row, _) = self.row_again(row)?;
                self.parted.insert(row, u8::MAX);
            }
            Note::Granted { row, attempts, skipped } => {
                let (at, row) = self.row_again(row)?;
                if attempts == 0 || attempts > MAX_ATTEMPTS {
                    return Err(Damaged::Foreign);
                }
                let more = attempts > row.attempts;
                (row.attempts, row.skipped) = (attempts, skipped);
                if more {
                    // It is asked once more, and parted with after that.
                    self.parted.remove(&at);
                }
            }
            // Of the whole run.
            Note::Tried(_) => {}
            Note::FellSilent { row } => {
                let (row, kept) = self.row_again(row)?;
                kept.fell_silent = true;
                self.parted.insert(row, u8::MAX);
            }
        }
        Ok(())
    }

    fn row_again(&mut self, row: u64) -> Result<(usize, &mut super::Row), Damaged> {
        let at = usize::try_from(row).map_err(|_| Damaged::Foreign)?;
        self.rows.get_mut(at).map(|row| (at, row)).ok_or(Damaged::Foreign)
    }

    /// Continues from a position. What was asked before counts as asked just now: nothing is asked
    /// again before `rested`.
    pub(in crate::scan) fn continue_from(
        &mut self,
        position: &Position,
        now: Moment,
        rested: Moment,
        config: &Config,
    ) -> Result<(), Damaged> {
        let size = self.order.size();
        let attempts = self.attempts.max(position.attempts);
        if attempts > MAX_ATTEMPTS {
            return Err(Damaged::Foreign);
        }
        let walk = (1..=attempts + 1).contains(&position.pass) && position.place <= size;
        let owed = |(index, attempt): &(u64, u8)| *index < size && (1..=attempts).contains(attempt);
        if !walk || !position.owed.iter().all(owed) {
            return Err(Damaged::Foreign);
        }
        (self.attempts, self.pass, self.place) = (attempts, position.pass, position.place);
        for row in &mut self.rows {
            row.idle = row.is_skipped_by(self.pass);
            self.bars |= row.idle;
        }
        (self.before, self.marks) = Default::default();
        self.refused_before(now);
        if self.pass > 1 && size > 0 {
            self.before.note(size - 1, now, rested);
        }
        if self.place > 0 {
            self.marks.note(self.place - 1, now, rested);
        }
        self.again.clear();
        for &(index, attempt) in &position.owed {
            self.again.push(rested, index, attempt, false);
        }
        self.look_again(rested, config);
        self.share = Share::new(&self.blocks, &self.starts, &self.rows, config);
        self.pace = Pace::new(self.share.rate(self.slowed), config.slack);
        Ok(())
    }

    /// Second looks that were not answered yet are due again, as far apart as ever.
    fn look_again(&mut self, rested: Moment, config: &Config) {
        self.looks.clear();
        let mut pending: Vec<(u64, u8)> =
            self.looking.iter().map(|(&index, &(attempt, _))| (index, attempt)).collect();
        pending.sort_unstable();
        for row in &mut self.rows {
            row.next_look = Moment::START;
        }
        for (index, attempt) in pending {
            let Some((row, endpoint)) = self.endpoint(index) else { continue };
            if self.records.has(endpoint, attempt) {
                continue;
            }
            let spacing =
                self.block_at(index).map_or(std::time::Duration::ZERO, |block| look_spacing(block, config));
            let Some(row) = self.rows.get_mut(row) else { continue };
            let due = rested.max(row.next_look);
            row.next_look = due + spacing;
            self.looks.push(due, index, attempt, false);
        }
    }
}
