//! Probes that are due outside the walk: what this machine failed to send, and second looks.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
    time::Duration,
};

use crate::model::{LocalError, Moment};

/// Probes in the order in which they are due.
#[derive(Debug, Default)]
pub(super) struct Queue {
    heap: BinaryHeap<Reverse<Entry>>,
    serial: u64,
    stalling: usize,
}

/// Compared by its first field, then the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    due: Moment,
    /// Equal moments keep the order of their arrival.
    serial: u64,
    index: u64,
    attempt: u8,
    stalls: bool,
}

impl Queue {
    /// Adds a probe. While one that `stalls` is waiting, the walk rests.
    pub(super) fn push(&mut self, due: Moment, index: u64, attempt: u8, stalls: bool) {
        self.serial += 1;
        self.stalling += usize::from(stalls);
        self.heap.push(Reverse(Entry { due, serial: self.serial, index, attempt, stalls }));
    }

    /// The next that is due by now: its index and attempt.
    pub(super) fn pop(&mut self, now: Moment) -> Option<(u64, u8)> {
        self.due().filter(|due| *due <= now)?;
        let Reverse(entry) = self.heap.pop()?;
        self.stalling = self.stalling.saturating_sub(usize::from(entry.stalls));
        Some((entry.index, entry.attempt))
    }

    /// When the first is due.
    pub(super) fn due(&self) -> Option<Moment> {
        self.heap.peek().map(|Reverse(entry)| entry.due)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    pub(super) fn stalls(&self) -> bool {
        self.stalling > 0
    }

    pub(super) fn clear(&mut self) {
        self.heap.clear();
        self.stalling = 0;
    }

    /// The index of everything that is waiting.
    pub(super) fn indices(&self) -> impl Iterator<Item = u64> + '_ {
        self.entries().map(|(index, _)| index)
    }

    /// Everything that is waiting: its index and attempt.
    pub(super) fn entries(&self) -> impl Iterator<Item = (u64, u8)> + '_ {
        self.heap.iter().map(|Reverse(entry)| (entry.index, entry.attempt))
    }
}

/// How often a probe failed on our side, and whether more patience with it makes sense.
#[derive(Debug, Default)]
pub(super) struct Failures {
    tries: HashMap<(u64, u8), Try>,
    /// Probes given up in a row, and when the last failure was.
    given_up: u32,
    last: Moment,
}

#[derive(Debug, Default)]
struct Try {
    count: u8,
    /// It failed, and has not been tried again yet.
    waiting: bool,
}

/// What to do about a probe that this machine could not send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remedy {
    /// The same failure was reported already.
    Nothing,
    /// Try again after this long.
    Retry(Duration),
    /// Its endpoint stays undetermined.
    GiveUp,
}

/// Retries of a probe for which something passing was missing.
const TRIES: u8 = 8;
/// Given up so often in a row, the trouble is general: waiting for each probe would take for ever.
const GENERAL_TROUBLE: u32 = 64;
/// A machine that did not fail for so long has recovered.
const RECOVERY: Duration = Duration::from_secs(1);

impl Failures {
    /// Takes in that an attempt failed.
    pub(super) fn add(&mut self, now: Moment, index: u64, attempt: u8, error: LocalError) -> Remedy {
        if now - self.last >= RECOVERY {
            self.given_up = 0;
        }
        self.last = now;
        let limit = match error {
            _ if self.given_up >= GENERAL_TROUBLE => 0,
            // Of a second look; an interface may be coming up.
            LocalError::NoRoute => TRIES,
            _ if error.is_transient() => TRIES,
            _ => 1,
        };
        let failed = self.tries.entry((index, attempt)).or_default();
        if failed.waiting {
            return Remedy::Nothing;
        }
        if failed.count < limit {
            failed.waiting = true;
            failed.count += 1;
            return Remedy::Retry(Duration::from_millis(10 << (failed.count - 1).min(6)));
        }
        self.tries.remove(&(index, attempt));
        self.given_up = self.given_up.saturating_add(1);
        Remedy::GiveUp
    }

    /// Notes that an attempt that had failed goes out again.
    pub(super) fn retried(&mut self, index: u64, attempt: u8) {
        if let Some(failed) = self.tries.get_mut(&(index, attempt)) {
            failed.waiting = false;
        }
    }

    /// Notes that an attempt was answered: this machine can send.
    pub(super) fn forget(&mut self, index: u64, attempt: u8) {
        self.given_up = 0;
        if !self.tries.is_empty() {
            self.tries.remove(&(index, attempt));
        }
    }

    /// Forgets the tries of passes that are over, when nothing of them is waiting.
    pub(super) fn clear(&mut self) {
        self.tries.clear();
    }
}
