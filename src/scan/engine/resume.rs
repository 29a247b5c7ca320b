//! Being continued by another process: the journal is kept, taken away, and read again.

use super::{
    super::{
        batch::Answer,
        journal::{Chapter, Checkpoint, Damaged, Journal, Note, Progress, Told},
        ledger::Mark,
        pace::Pace,
    },
    Scan, shift,
};
use crate::model::{Moment, Protocol};

impl Scan {
    /// Suits a scan to its driver, before anything is asked: how far it may catch up, and the highest
    /// number that an attempt may have.
    pub fn suit(&mut self, slack: std::time::Duration, highest_attempt: u8) {
        (self.config.slack, self.config.highest_attempt) = (slack, highest_attempt);
        self.pace = Pace::new(self.config.rate.run, slack);
    }

    /// Begins to keep a journal, which somebody has to take away from time to time.
    pub fn keep_journal(&mut self) {
        self.journal = Some(Journal::default());
        for window in &mut self.active {
            window.take_note_of_all();
        }
    }

    /// Keeps none any more.
    pub fn close_journal(&mut self) {
        self.journal = None;
    }

    /// What the journal holds since it was last asked for, and where the walks are now. It is taken, not
    /// copied, so that a driver is held up for microseconds.
    pub fn checkpoint(&mut self, now: Moment) -> Checkpoint {
        self.journal
            .as_mut()
            .map_or_else(Checkpoint::default, |journal| journal.take(now, &mut self.active, &self.coverage))
    }

    /// Takes in what a scan of the same plan, seed and configuration has told. In the order in which it
    /// was told, into a new scan, before anything is asked. Parting looks at a moment of which `counts`
    /// says so were heard out.
    pub fn replay(&mut self, chapter: &Chapter, counts: &dyn Fn(Moment) -> bool) -> Result<(), Damaged> {
        if chapter.opened {
            if chapter.window != self.opened + 1 {
                return Err(Damaged::Foreign);
            }
            let piece = self.waiting.next().ok_or(Damaged::Foreign)?;
            self.activate(piece);
        }
        let find = |scan: &Self| scan.active.iter().position(|window| window.number == chapter.window);
        let at = find(self).ok_or(Damaged::Foreign)?;
        let Some(window) = self.active.get_mut(at) else { return Err(Damaged::Foreign) };
        for run in &chapter.marks {
            window.mark_again(*run, &mut |window, spot, before, mark| {
                shift(&mut self.coverage.states, before, mark);
                if let Some((_, endpoint)) = window.endpoint(spot.index)
                    && mark == Mark::Closed
                {
                    self.witnesses.note(endpoint, mark, Moment::START);
                }
            })?;
        }
        for note in &chapter.notes {
            match *note {
                Note::Tried(trial) => self.measure.add(trial),
                note => window.read(note, counts)?,
            }
        }
        for told in &chapter.told {
            self.hear_again(at, told)?;
        }
        if let Some(attempts) = chapter.ended {
            let mut window = self.active.remove(at);
            window.stand_at(attempts)?;
            self.finish(Moment::START, window, false);
        }
        Ok(())
    }

    fn hear_again(&mut self, at: usize, told: &Told) -> Result<(), Damaged> {
        let &Told { index, at: now, rtt, attempt, sent, source, ttl, evidence } = told;
        if attempt == 0 || self.witnesses.is_parting(attempt) {
            return Err(Damaged::Foreign);
        }
        let Some(window) = self.active.get_mut(at) else { return Err(Damaged::Foreign) };
        window.stand_at(sent)?;
        let (_, endpoint) = window.endpoint(index).ok_or(Damaged::Foreign)?;
        if endpoint.protocol == Protocol::Udp && attempt > sent {
            window.ask_again(index, attempt);
        }
        let sent_at =
            Moment::from_nanos(now.nanos().saturating_sub(rtt.as_nanos().try_into().unwrap_or(u64::MAX)));
        self.answer(now, &Answer { endpoint, attempt, sent_at, source, ttl, evidence });
        Ok(())
    }

    /// Goes on after everything was replayed: from `safe`, a position old enough that all answers to
    /// what was asked before it are known; `last` is the latest. Until a second from now nothing is
    /// asked: nobody knows how long ago the other process asked.
    pub fn resume(&mut self, now: Moment, safe: &Progress, last: &Progress) -> Result<(), Damaged> {
        let rested = now + self.config.gap(std::time::Duration::ZERO);
        for window in &mut self.active {
            let of = |progress: &Progress| {
                progress.positions.iter().find(|position| position.window == window.number).cloned()
            };
            let mut position = of(safe).unwrap_or_default();
            position.pass = position.pass.max(1);
            position.attempts = of(last).map_or(0, |last| last.attempts).max(position.attempts);
            window.continue_from(&position, now, rested, &self.config)?;
        }
        let counters = last.counters;
        if counters.kernel_drops > 0 {
            // Of which pass they were is not told; one of them was not heard to the end.
            self.active.iter_mut().for_each(super::Window::deafened);
        }
        self.coverage.probes_sent = counters.probes_sent;
        self.coverage.retransmitted = counters.retransmitted;
        self.coverage.replies = counters.replies;
        self.coverage.strays = counters.strays;
        self.coverage.kernel_drops = counters.kernel_drops;
        self.coverage.send_errors = counters.send_errors;
        self.pace = Pace::new(self.config.rate.run, self.config.slack);
        self.rested = rested;
        self.wake = Some(rested);
        Ok(())
    }
}
