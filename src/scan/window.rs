//! One piece of the plan on its walk: pass after pass over its order, the silent asked again.

mod decide;
mod earn;
mod outage;
mod parting;
mod repair;
mod restore;
mod stride;
mod walk;

use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
    time::Duration,
};

use super::{
    again::{Failures, Queue},
    batch::Probe,
    config::Config,
    journal::Note,
    ledger::{Ledger, Mark},
    loss::{Class, Opinion},
    marks::Marks,
    order::Order,
    pace::Pace,
    plan::{Block, Piece},
    record::Records,
    row::{RoundTrip, Row},
    share::{Share, limit, overlapping},
    witness::Witnesses,
};
use crate::model::{Endpoint, Moment, Protocol};

use self::{decide::Decisions, earn::Earn, outage::Outages, parting::Partings};
pub(super) use self::{
    repair::MAX_LOOKS_AGAIN,
    stride::{MOST_SKIPPED, Stride},
};

/// What a window has to say when it is asked for a probe.
#[derive(Debug)]
pub(super) enum Next {
    /// Send this now.
    Probe(Probe),
    /// Nothing before this moment.
    Wait(Moment),
    /// Nothing before this moment, lest an address gets more than its rate: windows that share
    /// addresses with this one have to wait as well.
    Paced(Moment),
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
#[allow(clippy::struct_excessive_bools)] // each is about something else
#[derive(Debug)]
pub(super) struct Window {
    pub(super) blocks: Vec<Block>,
    /// Of each block: its first index, and its first row.
    starts: Vec<(u64, usize)>,
    pub(super) named: bool,
    /// Tells windows apart.
    pub(super) key: u64,
    /// Counted from 1 in the order of opening.
    pub(super) number: u64,
    /// Earlier windows that share addresses with this one, where addresses have a rate.
    pub(super) competes: Vec<u64>,
    /// It would send, were it not for the rate of an address.
    pub(super) is_paced: bool,
    pub(super) order: Order,
    pub(super) ledger: Ledger,
    pub(super) rows: Vec<Row>,
    /// Whether any row is barred.
    bars: bool,
    pub(super) records: Records,
    unsettled: u64,
    /// The pass being walked, from 1; one more than the attempts when the walk is over.
    pass: u8,
    /// How far this pass has come.
    place: u64,
    attempts: u8,
    /// Attempts that every endpoint gets.
    planned: u8,
    /// When the places of the previous pass may be asked again, and the same for this pass.
    before: Marks,
    marks: Marks,
    /// Endpoints asked outside the walk, when each may be asked again, and because of which attempt.
    held: HashMap<u64, (Moment, u8)>,
    pace: Pace,
    share: Share,
    slowed: bool,
    /// Attempts that failed on our side, or had to wait for their turn, and are due again.
    again: Queue,
    failures: Failures,
    outages: Outages,
    /// Open endpoints to be looked at once more, and for each looked at: the attempt, and how many looks.
    looks: Queue,
    looking: HashMap<u64, (u8, u8)>,
    /// Probes whose end the driver has yet to report; `None` for drivers that hear no silence.
    flight: Option<HashSet<(u64, u8)>>,
    /// When the last probe sent can no longer be answered, and the last second look.
    tail: Moment,
    look_tail: Moment,
    /// Connections of second looks whose end is still to be reported.
    connecting: HashSet<u64>,
    /// When a probe left last in a pass over all rows.
    asked_all: Moment,
    /// Once the walk is over: addresses that answered and are silent now.
    partings: Partings,
    /// Parting looks that another process made, by row; `u8::MAX`: it made them all.
    parted: HashMap<usize, u8>,
    /// For a journal, where one is kept.
    notes: Option<Vec<Note>>,
    earn: Earn,
    decisions: Decisions,
    /// Others are walking: what it does meanwhile costs no time.
    pub(super) accompanied: bool,
    /// Passes of which the kernel threw answers away, and whether it did of this one.
    deaf: u8,
    drops: bool,
}

/// More attempts than anybody means; the numbers of second and parting looks come after them.
pub(super) const MAX_ATTEMPTS: u8 = 200;
/// Open endpoints of one address that are asked again through the run.
const CANARIES: u32 = 4;
/// What a handshake takes longer than a probe: the system repeats its SYN after a second.
const HANDSHAKE: Duration = Duration::from_secs(1);
/// How soon after its end a handshake is reported.
const REPORT: Duration = Duration::from_millis(100);
/// A driver that hears silence owes the end of every probe; after that long it has lost it.
pub(super) const GRACE: Duration = Duration::from_secs(10);

impl Window {
    pub(super) fn new(piece: Piece, key: u64, config: &Config) -> Self {
        let mut starts = Vec::with_capacity(piece.blocks.len());
        let mut rows = Vec::new();
        let mut size = 0;
        let attempts = config.attempts.clamp(1, MAX_ATTEMPTS);
        for block in &piece.blocks {
            starts.push((size, rows.len()));
            size += block.size();
            rows.extend(block.rows().map(|ports| Row::new(block.protocol, ports, attempts)));
        }
        let share = Share::new(&piece.blocks, &starts, &rows, config);
        let mut pace = Pace::new(None, config.slack);
        pace.set_rate(share.rate(false));
        Self {
            blocks: piece.blocks,
            starts,
            named: piece.named,
            key,
            number: 0,
            competes: Vec::new(),
            is_paced: false,
            order: Order::new(size, key),
            ledger: Ledger::new(size),
            rows,
            bars: false,
            records: Records::default(),
            unsettled: size,
            pass: 1,
            place: 0,
            attempts,
            planned: attempts,
            before: Marks::default(),
            marks: Marks::default(),
            held: HashMap::new(),
            pace,
            share,
            slowed: false,
            again: Queue::default(),
            failures: Failures::default(),
            outages: Outages::default(),
            looks: Queue::default(),
            looking: HashMap::new(),
            flight: config.hears_silence.then(HashSet::new),
            tail: Moment::START,
            look_tail: Moment::START,
            connecting: HashSet::new(),
            asked_all: Moment::START,
            partings: Partings::default(),
            parted: HashMap::new(),
            notes: None,
            earn: Earn::default(),
            decisions: Decisions::default(),
            accompanied: false,
            deaf: 0,
            drops: false,
        }
    }

    /// The next probe of this window. `patience` tells how long to wait for an answer of a row.
    pub(super) fn next(
        &mut self,
        now: Moment,
        config: &Config,
        patience: &dyn Fn(&Row) -> Duration,
        witnesses: &mut Witnesses,
        opinion: Option<&Opinion>,
    ) -> Next {
        self.begin(now);
        while let Some((index, attempt)) = self.looks.pop(now) {
            let rests = self.endpoint(index).and_then(|(_, endpoint)| witnesses.rests(endpoint, now));
            let rests = rests.max(self.hold(index).filter(|held| *held > now));
            if let Some(rests) = rests {
                self.looks.push(rests, index, attempt, false);
                continue;
            }
            self.failures.retried(index, attempt);
            if let Some(mut probe) = self.emit(now, index, attempt, patience) {
                if config.handshakes && probe.endpoint.protocol == Protocol::Tcp {
                    // The system's own second SYN belongs to a connection; its end is reported a moment later.
                    (probe.handshake, probe.patience) = (true, probe.patience + HANDSHAKE);
                    self.connecting.insert(index);
                }
                let rested = now + config.gap(probe.patience);
                witnesses.rest(probe.endpoint, rested);
                self.held.insert(index, (rested, attempt));
                let report = if config.handshakes { REPORT } else { Duration::ZERO };
                self.look_tail = self.look_tail.max(now + probe.patience + report);
                return Next::Probe(probe);
            }
            self.looking.remove(&index);
        }
        while let Some((index, attempt)) = self.again.pop(now) {
            if let Some(held) = self.hold(index).filter(|held| *held > now) {
                self.again.push(held, index, attempt, false);
                continue;
            }
            self.failures.retried(index, attempt);
            if self.ledger.mark(index) == Mark::Unsettled
                && !self.put_off(index, attempt)
                && let Some(probe) = self.emit(now, index, attempt, patience)
            {
                self.held.insert(index, (now + config.gap(probe.patience), attempt));
                return Next::Probe(probe);
            }
        }
        if let Some(probe) = self.try_routes(now, config, patience) {
            return Next::Probe(probe);
        }
        if self.leaves_out()
            && let Next::Probe(probe) = self.part(now, config, patience, witnesses)
        {
            return Next::Probe(probe);
        }
        loop {
            match self.walk(now, config, patience, opinion) {
                Next::Finished => {}
                next => return next,
            }
            // The walk is over. What is left goes on side by side.
            let earned = match self.earn(now, config, opinion) {
                Some(Next::Finished) => continue,
                Some(Next::Wait(due)) => Some(due),
                _ => None,
            };
            let parted = match self.part(now, config, patience, witnesses) {
                Next::Wait(due) => Some(due),
                Next::Finished => None,
                next => return next,
            };
            let decided = match self.decide(now, config, patience) {
                Next::Wait(due) => Some(due),
                Next::Finished => None,
                next => return next,
            };
            let heard = Some(self.heard_at()).filter(|at| *at > now);
            let due = [earned, parted, decided, heard].into_iter().flatten().min();
            if due.is_none() && self.looks.is_empty() {
                return Next::Finished;
            }
            return self.wait(due);
        }
    }

    /// Whether second looks are due or under way: the walk leaves them room.
    pub(super) fn is_looking(&self) -> bool {
        !self.looks.is_empty()
    }

    /// Slows the walk down while second looks go to its addresses, and speeds it up afterwards.
    pub(super) fn slow_down(&mut self, slowed: bool) {
        if self.slowed != slowed {
            self.slowed = slowed;
            self.pace.set_rate(self.share.rate(slowed));
        }
    }

    /// Whether an address is in both windows, and has a limit.
    pub(super) fn competes_with(&self, other: &Self) -> bool {
        let limited = self.share.rate(false).is_some() || other.share.rate(false).is_some();
        limited
            && self.blocks.iter().any(|block| {
                [Protocol::Tcp, Protocol::Udp]
                    .into_iter()
                    .any(|protocol| overlapping(&other.blocks, protocol, block.range).next().is_some())
            })
    }

    /// Where an endpoint stands here, if it does.
    pub(super) fn locate(&self, endpoint: Endpoint) -> Option<Spot> {
        let (block, row) = self.block_of(endpoint.protocol, endpoint.address)?;
        let (_, n) = self.blocks.get(block)?.rank(endpoint)?;
        let (first, _) = *self.starts.get(block)?;
        Some(Spot { index: first + n, row })
    }

    /// The block of an address, and its row.
    fn block_of(&self, protocol: Protocol, address: IpAddr) -> Option<(usize, usize)> {
        // Blocks of one protocol are disjoint and ordered by address.
        let after = |block: &Block| (block.protocol, block.range.first()) <= (protocol, address);
        let at = self.blocks.partition_point(after).checked_sub(1)?;
        let block = self.blocks.get(at).filter(|block| block.protocol == protocol)?;
        let row = usize::try_from(block.range.rank(address)?).ok()?;
        let (_, first_row) = *self.starts.get(at)?;
        Some((at, first_row + row))
    }

    /// Teaches the rows of an address about its path.
    pub(super) fn learn(&mut self, address: IpAddr, teach: impl Fn(&mut RoundTrip)) {
        for protocol in [Protocol::Tcp, Protocol::Udp] {
            if let Some((_, row)) = self.block_of(protocol, address)
                && let Some(row) = self.rows.get_mut(row)
            {
                teach(&mut row.rtt);
            }
        }
    }

    /// Whether an address is in it.
    pub(super) fn covers(&self, address: IpAddr) -> bool {
        [Protocol::Tcp, Protocol::Udp].into_iter().any(|protocol| self.block_of(protocol, address).is_some())
    }

    /// The limit on probes a second to the address of an index.
    pub(super) fn limit(&self, index: u64, config: &Config) -> Option<u64> {
        self.block_at(index).and_then(|block| limit(block, config))
    }

    /// Whether an endpoint that was just settled is worth asking again, and how it answers: some of an
    /// address are, and refusals only where nothing there accepts.
    ///
    /// None over UDP: services and ICMP limit how often they answer one of us, which is no loss.
    pub(super) fn canary_class(&self, spot: Spot, mark: Mark) -> Option<Class> {
        let row = self.rows.get(spot.row).filter(|row| row.protocol == Protocol::Tcp)?;
        match mark {
            Mark::Open if row.open <= CANARIES => Some(Class::SynAck),
            Mark::Closed if row.open == 0 && row.closed <= 1 => Some(Class::Reset),
            _ => None,
        }
    }

    /// The endpoint of an index, and its row.
    #[inline]
    pub(super) fn endpoint(&self, index: u64) -> Option<(usize, Endpoint)> {
        let block = self.starts.partition_point(|(first, _)| *first <= index).checked_sub(1)?;
        let (first, first_row) = *self.starts.get(block)?;
        let (row, endpoint) = self.blocks.get(block)?.nth(index - first)?;
        Some((first_row + usize::try_from(row).ok()?, endpoint))
    }

    /// The block that an index falls into.
    fn block_at(&self, index: u64) -> Option<&Block> {
        self.blocks.get(self.starts.partition_point(|(first, _)| *first <= index).checked_sub(1)?)
    }

    /// Settles an endpoint, or strengthens what is settled. Returns whether anything changed.
    pub(super) fn settle(&mut self, spot: Spot, mark: Mark) -> bool {
        let before = self.ledger.mark(spot.index);
        if mark <= before {
            return false;
        }
        self.ledger.set(spot.index, mark);
        if before == Mark::Unsettled {
            self.unsettled = self.unsettled.saturating_sub(1);
        }
        if let Some(row) = self.rows.get_mut(spot.row) {
            row.shift(before, mark);
        }
        true
    }

    /// Whether anything is unsettled.
    pub(super) fn is_unsettled(&self) -> bool {
        self.unsettled > 0
    }

    /// The pass being walked.
    pub(super) fn pass(&self) -> u8 {
        self.pass
    }

    /// Whether it has anything left to ask in its order.
    pub(super) fn is_walking(&self) -> bool {
        self.unsettled > 0 && self.pass <= self.attempts
    }

    /// Whether nothing of it was asked yet.
    pub(super) fn is_untouched(&self) -> bool {
        self.pass == 1 && self.place == 0
    }

    /// Whether the driver owes the end of any probe.
    pub(super) fn is_owed(&self) -> bool {
        self.flight.as_ref().is_some_and(|flight| !flight.is_empty())
    }

    /// Whether the driver owes the end of a probe to an endpoint.
    pub(super) fn is_owed_of(&self, index: u64) -> bool {
        let flight = self.flight.as_ref().filter(|flight| !flight.is_empty());
        let last = self.attempts.max(self.asked_beyond(index));
        flight.is_some_and(|flight| (1..=last).any(|attempt| flight.contains(&(index, attempt))))
    }

    /// Attempts that the walk made at an endpoint that was never settled, up to this point.
    pub(super) fn attempts_sent(&self, spot: Spot) -> u8 {
        let passes = self.passes_over(spot.index);
        passes - self.rows.get(spot.row).map_or(0, |row| row.skipped(passes)).min(passes)
    }

    /// Which attempt the pass being walked makes at the address of an index: the passes that left it out do
    /// not count.
    fn attempt_at(&self, index: u64) -> u8 {
        let row = if self.bars { self.endpoint(index).and_then(|(row, _)| self.rows.get(row)) } else { None };
        row.map_or(self.pass, |row| row.attempt_of(self.pass))
    }

    /// Passes that have come by an endpoint.
    pub(super) fn passes_over(&self, index: u64) -> u8 {
        let walked = self.order.place_of(index) < self.place;
        (self.pass - 1 + u8::from(walked)).min(self.attempts)
    }

    /// Whether this can be an answer: its endpoint was asked that often, or looked at again.
    pub(super) fn was_asked(&self, spot: Spot, attempt: u8) -> bool {
        let look = self.looking.get(&spot.index).map_or(0, |(look, _)| *look);
        let beyond = self.asked_beyond(spot.index);
        (1..=self.attempts_sent(spot).max(look).max(beyond)).contains(&attempt)
            && !self.outages.holds(spot.row, spot.index, attempt)
    }

    /// Whether the last attempt at an endpoint was made, and can no longer be answered.
    pub(super) fn is_spent(&self, spot: Spot, now: Moment, config: &Config) -> bool {
        let index = spot.index;
        let marks = if self.pass > self.attempts { &self.before } else { &self.marks };
        let ready = marks.at(self.order.place_of(index)).max(self.hold(index));
        let over = ready.is_some_and(|ready| now >= ready + config.patience_beyond_gap());
        let all = self.rows.get(spot.row).map_or(self.attempts, |row| row.attempts);
        over && self.attempts_sent(spot) >= all && !self.is_owed_of(index)
    }

    /// How many of the attempts of an endpoint have yet to leave, where any has.
    pub(super) fn unsent(&self) -> HashMap<u64, u8> {
        let mut unsent = HashMap::new();
        for index in self.again.indices().chain(self.outages.indices()) {
            *unsent.entry(index).or_default() += 1;
        }
        unsent
    }

    /// Whether every endpoint was asked as often as planned and the last answer can no longer come.
    pub(super) fn is_over(&self, now: Moment) -> bool {
        let walked = self.unsettled == 0
            || (self.pass > self.attempts && self.again.is_empty() && self.outages.is_empty());
        walked && self.looks.is_empty() && now >= self.heard_at()
    }

    /// When nothing can be heard any more of what was sent so far.
    fn heard_at(&self) -> Moment {
        match (&self.flight, self.unsettled) {
            (Some(flight), _) if flight.is_empty() => Moment::START,
            (Some(_), _) => self.tail + GRACE,
            (None, 0) => self.look_tail,
            // Of what could not be sent nothing can be heard.
            (None, _) if self.bars && !self.rows.iter().any(Row::is_partly_silent) => self.look_tail,
            (None, _) => self.tail.max(self.look_tail),
        }
    }
}
