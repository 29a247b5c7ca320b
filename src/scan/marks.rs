//! When the places of a pass may be asked again, kept coarsely: one entry for some milliseconds.

use std::{collections::VecDeque, time::Duration};

use crate::model::Moment;

/// The times of one pass, in the order of its places.
#[derive(Debug, Default)]
pub(super) struct Marks {
    /// Every place below the first may be asked again at the second, or was not asked in this pass.
    entries: VecDeque<(u64, Moment)>,
    opened: Moment,
}

const COARSE: Duration = Duration::from_millis(10);

impl Marks {
    /// Notes that a place was asked now and may be asked again when `ready`. Places must rise.
    pub(super) fn note(&mut self, place: u64, now: Moment, ready: Moment) {
        match self.entries.back_mut() {
            Some((end, due)) if now - self.opened < COARSE => {
                *end = place + 1;
                *due = (*due).max(ready);
            }
            _ => {
                self.entries.push_back((place + 1, ready));
                self.opened = now;
            }
        }
    }

    /// When a place may be asked again; `None` when nothing from there on was asked in that pass.
    pub(super) fn at(&self, place: u64) -> Option<Moment> {
        let i = self.entries.partition_point(|(end, _)| *end <= place);
        self.entries.get(i).map(|(_, due)| *due)
    }

    /// The same for a walk whose places rise: what lies behind it is forgotten.
    pub(super) fn due(&mut self, place: u64) -> Option<Moment> {
        while self.entries.front().is_some_and(|(end, _)| *end <= place) {
            self.entries.pop_front();
        }
        self.entries.front().map(|(_, due)| *due)
    }
}
