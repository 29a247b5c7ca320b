//! Addresses that no route leads to right now: they are tried again, one probe at a time, for some
//! seconds, while the walk goes on with the others. A link that bounces must not cost a host.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use super::{
    super::{
        again::Queue, batch::Probe, config::Config, journal::Note, ledger::Mark, row::Row, share::spacing,
    },
    Spot, Window,
    restore::note,
};
use crate::model::{LocalError, Moment};

/// The outages of a window, by row.
#[derive(Debug, Default)]
pub(super) struct Outages {
    rows: HashMap<usize, Outage>,
    /// When to see to a row; each has exactly one entry.
    due: Queue,
    /// Attempts put off in all of them.
    waiting: usize,
}

#[derive(Debug)]
struct Outage {
    since: Moment,
    step: Duration,
    failures: u32,
    state: Trouble,
    /// Attempts that were due meanwhile, in order.
    waiting: VecDeque<(u64, u8)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    /// No route, as far as we know.
    Down,
    /// One probe is out to see whether there is one again.
    Trying,
    /// It left: what was put off follows at the rate of the address.
    Over,
}

/// So long a route may be missing before its address is given up.
const PATIENCE: Duration = Duration::from_secs(5);
/// A route that comes and goes is given up after so many probes that failed in vain.
const MOST_FAILURES: u32 = 64;
/// How soon the first try follows, and how far apart later ones are at most.
const STEPS: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(640));
/// Attempts put off at a time; beyond them the walk rests until it is clear what becomes of them.
const MOST_WAITING: usize = 1 << 18;

impl Outages {
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(super) fn are_too_many(&self) -> bool {
        self.waiting >= MOST_WAITING
    }

    pub(super) fn due(&self) -> Option<Moment> {
        self.due.due()
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The index of every attempt put off.
    pub(super) fn indices(&self) -> impl Iterator<Item = u64> + '_ {
        self.entries().map(|(index, _)| index)
    }

    /// Every attempt put off.
    pub(super) fn entries(&self) -> impl Iterator<Item = (u64, u8)> + '_ {
        self.rows.values().flat_map(|outage| outage.waiting.iter().copied())
    }

    /// Whether an attempt has not left, but waits for a route.
    pub(super) fn holds(&self, row: usize, index: u64, attempt: u8) -> bool {
        self.rows.get(&row).is_some_and(|outage| outage.waiting.contains(&(index, attempt)))
    }

    /// Puts an attempt off if its address is in trouble. Returns whether it is.
    pub(super) fn put_off(&mut self, row: usize, index: u64, attempt: u8) -> bool {
        let Some(outage) = self.rows.get_mut(&row) else { return false };
        outage.waiting.push_back((index, attempt));
        self.waiting += 1;
        true
    }

    /// Takes in that no route led to a row. Returns whether it is to be given up.
    fn fail(&mut self, now: Moment, row: usize, index: u64, attempt: u8) -> bool {
        if !self.rows.contains_key(&row) {
            self.due.push(now + STEPS.0, row as u64, 0, false);
        }
        let outage = self.rows.entry(row).or_insert_with(|| Outage {
            since: now,
            step: STEPS.0,
            failures: 0,
            state: Trouble::Down,
            waiting: VecDeque::new(),
        });
        outage.waiting.push_front((index, attempt));
        self.waiting += 1;
        match outage.state {
            Trouble::Down => return false, // under way before the trouble was known
            Trouble::Trying => outage.step = (outage.step * 2).min(STEPS.1),
            Trouble::Over => (outage.since, outage.step) = (now, STEPS.0),
        }
        outage.state = Trouble::Down;
        outage.failures += 1;
        now - outage.since >= PATIENCE || outage.failures >= MOST_FAILURES
    }

    fn remove(&mut self, row: usize) {
        if let Some(outage) = self.rows.remove(&row) {
            self.waiting -= outage.waiting.len();
        }
    }
}

impl Window {
    /// Takes in that no route led to an endpoint.
    pub(super) fn cut_off(&mut self, now: Moment, spot: Spot, attempt: u8, error: LocalError) {
        self.turn_of(now, spot.index, attempt);
        // A machine without any address of a family gets none within seconds.
        let for_good = error == LocalError::NoFamily;
        if !self.outages.fail(now, spot.row, spot.index, attempt) && !for_good {
            return;
        }
        self.outages.remove(spot.row);
        if let Some(row) = self.rows.get_mut(spot.row) {
            row.local = Some(error);
            self.share.without(row.live());
            row.barred = true;
            self.bars = true;
            note(&mut self.notes, Note::Barred { row: spot.row as u64, error });
        }
        self.pace.set_rate(self.share.rate(self.slowed));
    }

    /// The next probe to an address in trouble: one to see whether a route is there again, or one that
    /// was put off while there was none.
    pub(super) fn try_routes(
        &mut self,
        now: Moment,
        config: &Config,
        patience: &dyn Fn(&Row) -> Duration,
    ) -> Option<Probe> {
        while let Some((entry, _)) = self.outages.due.pop(now) {
            let Ok(row) = usize::try_from(entry) else { continue };
            let Some((index, attempt)) = self.next_put_off(now, row) else { continue };
            let spacing = self.block_at(index).map_or(Duration::ZERO, |block| spacing(block, config));
            let Some(outage) = self.outages.rows.get_mut(&row) else { continue };
            let wait = match outage.state {
                Trouble::Down => {
                    outage.state = Trouble::Trying;
                    outage.step
                }
                Trouble::Trying | Trouble::Over => {
                    outage.state = Trouble::Over;
                    spacing
                }
            };
            self.outages.due.push(now + wait, entry, 0, false);
            if let Some(probe) = self.emit(now, index, attempt, patience) {
                self.held.insert(index, (now + config.gap(probe.patience), attempt));
                return Some(probe);
            }
        }
        None
    }

    /// The next attempt put off that is still wanted, and may be made now. A row without any is out
    /// of trouble, or nobody needs to know.
    fn next_put_off(&mut self, now: Moment, row: usize) -> Option<(u64, u8)> {
        let mut held: Option<Moment> = None;
        for _ in 0..self.outages.rows.get(&row)?.waiting.len() {
            let outage = self.outages.rows.get_mut(&row)?;
            let (index, attempt) = outage.waiting.pop_front()?;
            let state = outage.state;
            self.outages.waiting -= 1;
            if self.ledger.mark(index) != Mark::Unsettled {
                continue;
            }
            match self.hold(index).filter(|until| *until > now) {
                None => return Some((index, attempt)),
                Some(until) if state == Trouble::Over => self.again.push(until, index, attempt, false),
                Some(until) => {
                    held = Some(held.map_or(until, |held| held.min(until)));
                    self.outages.put_off(row, index, attempt);
                }
            }
        }
        match held {
            Some(until) => self.outages.due.push(until, row as u64, 0, false),
            None => self.outages.remove(row),
        }
        None
    }
}
