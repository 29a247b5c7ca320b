//! One piece of the plan on its walk: pass after pass over its order, the silent asked again.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use super::{
    batch::Probe,
    engine::Config,
    ledger::{Ledger, Mark},
    order::Order,
    pace::Pace,
    plan::{Block, Piece},
    row::Row,
};
use crate::model::{Endpoint, LocalError, Moment};

/// What a window has to say when it is asked for a probe.
#[derive(Debug)]
pub(super) enum Next {
    /// Send this now.
    Probe(Probe),
    /// Nothing before this moment.
    Wait(Moment),
    /// Nothing until an answer comes.
    Idle,
    /// Every endpoint has been asked to the end.
    Finished,
}

/// Where an endpoint stands in a window.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot {
    pub(super) index: u64,
    pub(super) row: usize,
}

/// A piece of the plan, its ledger, and how far its walk has come.
#[derive(Debug)]
pub(super) struct Window {
    pub(super) blocks: Vec<Block>,
    /// Of each block: its first index, and its first row.
    starts: Vec<(u64, usize)>,
    pub(super) named: bool,
    pub(super) order: Order,
    pub(super) ledger: Ledger,
    pub(super) rows: Vec<Row>,
    pub(super) unsettled: u64,
    /// The pass being walked, from 1; one more than the attempts when the walk is over.
    pub(super) pass: u8,
    /// How far this pass has come.
    pub(super) place: u64,
    attempts: u8,
    /// When the places of the previous pass may be asked again, and the same for this pass.
    before: Marks,
    marks: Marks,
    /// Nothing of the next pass may go out earlier.
    floor: Moment,
    pace: Pace,
    /// Attempts that failed on our side and are due again.
    again: VecDeque<Again>,
    tries: HashMap<u64, u8>,
    /// Failures that were given up, in a row.
    given_up: u32,
    /// Open endpoints to be looked at once more.
    looks: VecDeque<Again>,
    /// Probes whose end the driver has yet to report; drivers that hear no silence report none.
    outstanding: u64,
    /// When the last probe sent can no longer be answered.
    pub(super) tail: Moment,
}

#[derive(Clone, Copy, Debug)]
struct Again {
    due: Moment,
    index: u64,
    attempt: u8,
}

/// Retries of a probe that this machine could not send, before its endpoint is given up.
const TRIES: u8 = 8;
/// Given up so often in a row, the trouble is general: waiting for each probe would take for ever.
const GENERAL_TROUBLE: u32 = 64;

impl Window {
    pub(super) fn new(piece: Piece, key: u64, config: &Config) -> Self {
        let mut starts = Vec::with_capacity(piece.blocks.len());
        let mut rows = Vec::new();
        let mut size = 0;
        for block in &piece.blocks {
            starts.push((size, rows.len()));
            size += block.size();
            rows.extend((0..block.addresses()).map(|_| Row::new(block.ports.len())));
        }
        let mut window = Self {
            blocks: piece.blocks,
            starts,
            named: piece.named,
            order: Order::new(size, key),
            ledger: Ledger::new(size),
            rows,
            unsettled: size,
            pass: 1,
            place: 0,
            attempts: config.attempts.max(1),
            before: Marks::default(),
            marks: Marks::default(),
            floor: Moment::START,
            pace: Pace::new(None, config.slack),
            again: VecDeque::new(),
            tries: HashMap::new(),
            given_up: 0,
            looks: VecDeque::new(),
            outstanding: 0,
            tail: Moment::START,
        };
        window.pace.set_rate(window.fair_rate(config));
        window
    }

    /// The next probe of this window. `patience` tells how long to wait for an answer of a row.
    pub(super) fn next(&mut self, now: Moment, config: &Config, patience: &dyn Fn(&Row) -> Duration) -> Next {
        if let Some(look) = self.looks.front().copied().filter(|look| look.due <= now) {
            self.looks.pop_front();
            return self.emit(now, look.index, look.attempt, patience).map_or(Next::Wait(now), Next::Probe);
        }
        if let Some(failed) = self.again.front().copied() {
            if failed.due > now {
                return self.wait_until(failed.due);
            }
            self.again.pop_front();
            // An open endpoint is here for its second look.
            let wanted = matches!(self.ledger.mark(failed.index), Mark::Unsettled | Mark::Open);
            if !wanted {
                return Next::Wait(now);
            }
            let Some(probe) = self.emit(now, failed.index, failed.attempt, patience) else {
                return Next::Wait(now);
            };
            self.floor = self.floor.max(now + config.gap(probe.patience));
            return Next::Probe(probe);
        }
        self.walk(now, config, patience)
    }

    /// Where an endpoint stands here, if it does.
    pub(super) fn locate(&self, endpoint: Endpoint) -> Option<Spot> {
        // Blocks of one protocol are disjoint and ordered by address; few enough of both to search in two halves.
        let at = self.blocks.partition_point(|block| {
            (block.protocol, block.range.first()) <= (endpoint.protocol, endpoint.address)
        });
        let block = at.checked_sub(1)?;
        let (row, n) = self.blocks.get(block)?.rank(endpoint)?;
        let (first, first_row) = *self.starts.get(block)?;
        Some(Spot { index: first + n, row: first_row + usize::try_from(row).ok()? })
    }

    /// The endpoint of an index, and its row.
    #[inline]
    pub(super) fn endpoint(&self, index: u64) -> Option<(usize, Endpoint)> {
        let block = self.starts.partition_point(|(first, _)| *first <= index).checked_sub(1)?;
        let (first, first_row) = *self.starts.get(block)?;
        let (row, endpoint) = self.blocks.get(block)?.nth(index - first)?;
        Some((first_row + usize::try_from(row).ok()?, endpoint))
    }

    /// Settles an endpoint, or strengthens what is settled. Returns what it was before, when it changed.
    pub(super) fn settle(&mut self, spot: Spot, mark: Mark) -> Option<Mark> {
        let before = self.ledger.mark(spot.index);
        if mark <= before {
            return None;
        }
        self.ledger.set(spot.index, mark);
        if before == Mark::Unsettled {
            self.unsettled = self.unsettled.saturating_sub(1);
        }
        if let Some(row) = self.rows.get_mut(spot.row) {
            row.shift(before, mark);
        }
        Some(before)
    }

    /// Notes that a probe ended, with whatever evidence, and had really left.
    pub(super) fn concluded(&mut self, spot: Spot) {
        self.outstanding = self.outstanding.saturating_sub(1);
        self.given_up = 0;
        if !self.tries.is_empty() {
            self.tries.remove(&spot.index);
        }
        if let Some(row) = self.rows.get_mut(spot.row) {
            row.sent();
        }
    }

    /// Notes that a probe failed on our side: it is due again a little later, or given up.
    pub(super) fn failed(&mut self, now: Moment, spot: Spot, attempt: u8, error: LocalError) {
        self.outstanding = self.outstanding.saturating_sub(1);
        let Some(row) = self.rows.get_mut(spot.row) else { return };
        row.fail(error);
        if row.barred {
            return;
        }
        let limit = match error {
            _ if self.given_up >= GENERAL_TROUBLE => 0,
            LocalError::Forbidden | LocalError::Other(_) => 1,
            _ => TRIES,
        };
        let tries = self.tries.get(&spot.index).copied().unwrap_or(0);
        if tries >= limit {
            self.tries.remove(&spot.index);
            self.ledger.set_lost(spot.index);
            self.given_up = self.given_up.saturating_add(1);
            return;
        }
        self.tries.insert(spot.index, tries + 1);
        let due = now + Duration::from_millis(10 << tries.min(6));
        let at = self.again.partition_point(|other| other.due <= due);
        self.again.insert(at, Again { due, index: spot.index, attempt });
    }

    /// Asks an open endpoint once more, at `due`.
    pub(super) fn look_again(&mut self, due: Moment, spot: Spot, attempt: u8) {
        let at = self.looks.partition_point(|other| other.due <= due);
        self.looks.insert(at, Again { due, index: spot.index, attempt });
    }

    /// Whether nothing of it was asked yet.
    pub(super) fn is_untouched(&self) -> bool {
        self.pass == 1 && self.place == 0
    }

    /// Attempts really sent to an endpoint that was never settled, up to this point of the walk.
    pub(super) fn attempts_sent(&self, index: u64) -> u8 {
        let walked = self.order.place_of(index) < self.place;
        (self.pass - 1 + u8::from(walked)).min(self.attempts)
    }

    /// Whether every endpoint was asked as often as planned and the last answer can no longer come.
    pub(super) fn is_over(&self, now: Moment, config: &Config) -> bool {
        let walked = self.pass > self.attempts || self.unsettled == 0;
        let quiet = self.again.is_empty() && self.looks.is_empty();
        let heard = if config.hears_silence {
            self.outstanding == 0
        } else {
            self.unsettled == 0 || now >= self.tail
        };
        walked && quiet && heard
    }

    /// One step of the walk: the next unsettled endpoint of this pass, or of the next one.
    fn walk(&mut self, now: Moment, config: &Config, patience: &dyn Fn(&Row) -> Duration) -> Next {
        loop {
            if self.unsettled == 0 || self.pass > self.attempts {
                return self.end(now, config);
            }
            if now < self.floor && self.place == 0 {
                return self.wait_until(self.floor);
            }
            while self.place < self.order.size() {
                let index = self.order.at(self.place);
                if self.ledger.mark(index) != Mark::Unsettled {
                    self.place += 1;
                    continue;
                }
                if let Some(due) = self.before.due(self.place).filter(|due| *due > now) {
                    return self.wait_until(due);
                }
                if !self.pace.is_due(now) {
                    return self.wait_until(self.pace.due());
                }
                let place = self.place;
                self.place += 1;
                let Some(probe) = self.emit(now, index, self.pass, patience) else { continue };
                self.pace.take(now);
                self.marks.note(place, now, now + config.gap(probe.patience));
                return Next::Probe(probe);
            }
            self.before = std::mem::take(&mut self.marks);
            self.pass += 1;
            self.place = 0;
            self.pace.set_rate(self.fair_rate(config));
        }
    }

    /// The walk is over; what remains is to look again, and to listen.
    fn end(&self, now: Moment, config: &Config) -> Next {
        if self.is_over(now, config) {
            return Next::Finished;
        }
        match self.looks.front() {
            Some(look) => Next::Wait(look.due),
            None if config.hears_silence => Next::Idle,
            None => Next::Wait(self.tail),
        }
    }

    fn wait_until(&self, due: Moment) -> Next {
        Next::Wait(self.looks.front().map_or(due, |look| look.due.min(due)))
    }

    /// A probe to an endpoint; none to an address that we can't reach at all.
    fn emit(
        &mut self,
        now: Moment,
        index: u64,
        attempt: u8,
        patience: &dyn Fn(&Row) -> Duration,
    ) -> Option<Probe> {
        let (row, endpoint) = self.endpoint(index)?;
        let row = self.rows.get(row).filter(|row| !row.barred)?;
        let patience = patience(row);
        self.outstanding += 1;
        self.tail = self.tail.max(now + patience);
        Some(Probe { endpoint, attempt, patience })
    }

    /// The rate of a pass at which no address gets more than its own limit, as an average over the pass:
    /// the order spreads the probes, so an address sees its share of the unsettled endpoints.
    fn fair_rate(&self, config: &Config) -> Option<u64> {
        let mut fair: Option<u64> = None;
        for (block, (_, first_row)) in self.blocks.iter().zip(&self.starts) {
            let Some(limit) = [config.rate.per_address, block.rate].into_iter().flatten().min() else {
                continue;
            };
            let rows = self
                .rows
                .iter()
                .skip(*first_row)
                .take(usize::try_from(block.addresses()).unwrap_or(usize::MAX));
            let Some(most) = rows.map(|row| row.unsettled).max().filter(|most| *most > 0) else { continue };
            let rate = u128::from(limit) * u128::from(self.unsettled) / u128::from(most);
            let rate = u64::try_from(rate).unwrap_or(u64::MAX).max(1);
            fair = Some(fair.map_or(rate, |fair| fair.min(rate)));
        }
        fair
    }
}

/// When the places of a pass may be asked again, kept coarsely: one entry for some milliseconds.
#[derive(Debug, Default)]
struct Marks {
    /// Every place below the first may be asked again at the second, or is not noted here.
    entries: VecDeque<(u64, Moment)>,
    opened: Moment,
}

const COARSE: Duration = Duration::from_millis(10);

impl Marks {
    fn note(&mut self, place: u64, now: Moment, ready: Moment) {
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

    /// When a place may be asked again; `None` when it was not asked in that pass. Places must rise.
    fn due(&mut self, place: u64) -> Option<Moment> {
        while self.entries.front().is_some_and(|(end, _)| *end <= place) {
            self.entries.pop_front();
        }
        self.entries.front().map(|(_, due)| *due)
    }
}
