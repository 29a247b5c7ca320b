//! The brain with its five verbs: `fill`, `answer`, `poll_timeout`, `poll_observation`, `done`.

mod aside;
mod measure;
mod resume;

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    net::IpAddr,
    time::Duration,
};

use self::{aside::reserve, measure::Measure};
use super::{
    batch::{Answer, Batch, Probe},
    config::{Config, longest_patience, patience},
    controls::Controls,
    ending::Ending,
    journal::Journal,
    ledger::Mark,
    pace::Pace,
    plan::{Budget, Piece, Pieces, Plan},
    record::Kept,
    row::{RoundTrip, Row},
    window::{MAX_LOOKS_AGAIN, MOST_SKIPPED, Next, Stride, Window},
    witness::Witnesses,
};
use crate::model::{Coverage, Evidence, Look, Miss, Moment, Observation, Protocol, StateCounts, Tally};

/// Open endpoints of one address that get a second look; more is not a host but a middlebox.
const SECOND_LOOKS: u32 = 512;
/// Endpoints of a window per address that it may hold: counters of an address cost more than its bits.
const ENDPOINTS_PER_ROW: u64 = 512;
/// Addresses never asked that get a tally when the run is stopped; of more only the totals speak.
const MOST_TALLIED: usize = 1 << 20;
/// Observations waiting to be taken; with more, nothing is asked until somebody does.
const MOST_WAITING: usize = 1 << 16;
/// How long a scan rests whose observations nobody takes.
const STALL: Duration = Duration::from_millis(2);
/// Windows walked at a time, so that the wire does not idle while one waits.
const MAX_ACTIVE: usize = 3;

/// A scan: what to ask next, what the answers mean, and when it is enough.
///
/// Laws: every planned endpoint ends in exactly one state; a local failure is never a port's state;
/// loss may hide a port and never invents one; exactly `attempts` probes go to each silent endpoint,
/// each at least a second after the one before.
#[derive(Debug)]
pub struct Scan {
    config: Config,
    waiting: Pieces,
    active: Vec<Window>,
    opened: u64,
    pace: Pace,
    /// The last slot went to a canary or a control.
    beside: bool,
    wake: Option<Moment>,
    run_rtt: RoundTrip,
    /// How long nearly every answer of the slowest address takes.
    slowest: Option<Duration>,
    /// The times of addresses that answered, for the windows to come.
    paths: HashMap<IpAddr, RoundTrip>,
    witnesses: Witnesses,
    measure: Measure,
    controls: Controls,
    observations: VecDeque<Observation>,
    tallies: VecDeque<Tally>,
    coverage: Coverage,
    unnamed_open: u64,
    /// Addresses asked over UDP: how far apart their ICMP errors are, where there are any, and how many of
    /// their endpoints may be closed and unsaid.
    limited: BTreeMap<IpAddr, (Option<Duration>, u64)>,
    /// Where somebody may want to continue this scan.
    journal: Option<Journal>,
    /// Nothing is asked before: another process may have asked just now.
    rested: Moment,
}

impl Scan {
    /// A scan of everything in the plan.
    pub fn new(mut plan: Plan, config: Config) -> Self {
        let budget =
            Budget { endpoints: config.window.max(1), addresses: (config.window / ENDPOINTS_PER_ROW).max(1) };
        let coverage = Coverage { planned: plan.planned(), ..Coverage::default() };
        let pace = Pace::new(config.rate.run, config.slack);
        let witnesses = Witnesses::new(config.last_attempt() + MAX_LOOKS_AGAIN + 1);
        let measure = Measure::new(&config, &witnesses);
        let controls = Controls::new(plan.take_spare(), config.controls, config.seed);
        Self {
            config,
            waiting: plan.pieces(budget),
            active: Vec::new(),
            opened: 0,
            pace,
            beside: false,
            wake: Some(Moment::START),
            run_rtt: RoundTrip::default(),
            slowest: None,
            paths: HashMap::new(),
            witnesses,
            measure,
            controls,
            observations: VecDeque::new(),
            tallies: VecDeque::new(),
            coverage,
            unnamed_open: 0,
            limited: BTreeMap::new(),
            journal: None,
            rested: Moment::START,
        }
    }

    /// Fills a batch with the probes that are due now.
    pub fn fill(&mut self, now: Moment, batch: &mut Batch) {
        let is_short = self.fill_up(now, batch);
        self.pace.short(is_short);
    }

    /// The same. Returns whether more would have been due, were it not for the rate or the room.
    fn fill_up(&mut self, now: Moment, batch: &mut Batch) -> bool {
        self.wake = Some(now);
        self.expire_canaries(now);
        self.take_stock();
        if self.observations.len() > MOST_WAITING {
            self.wake = Some(now + STALL);
            return false;
        }
        if now < self.rested {
            self.wake = Some(self.rested);
            return false;
        }
        let mut passes = MOST_SKIPPED;
        while batch.has_room() {
            if !self.pace.is_due(now) {
                self.wake = Some(self.pace.due());
                return true;
            }
            // Every second slot at most: at a low rate canaries alone could take all of them.
            self.beside = !self.beside && self.ask_beside(now, batch);
            if self.beside {
                continue;
            }
            match self.stride(now, batch, &mut passes) {
                Stride::Probes(_) => continue,
                Stride::Passing => return false,
                Stride::Stopped => {}
            }
            let Some(probe) = self.next(now) else {
                if self.ask_beside(now, batch) {
                    continue;
                }
                return false;
            };
            let packets = self.send(now, probe, batch);
            self.measure.sent(now, packets);
            self.coverage.retransmitted += if probe.attempt > 1 { packets } else { 0 };
        }
        true
    }

    /// Many probes of the front window at once, where its walk is all there is to do.
    fn stride(&mut self, now: Moment, batch: &mut Batch, passes: &mut u64) -> Stride {
        let most = self.pace.room(now, batch.room());
        let Some(window) = self.active.first_mut() else { return Stride::Stopped };
        let longest = longest_patience(&self.config, self.slowest);
        let pass = window.pass();
        let (config, run_rtt) = (&self.config, self.run_rtt);
        let of_row = |row: &Row| patience(config, row.protocol, row.rtt, run_rtt);
        let stride = window.stride(now, config, (longest, &of_row), (batch, most), passes);
        if let Stride::Probes(added) = stride {
            let added = added as u64;
            self.pace.take_many(now, added);
            self.coverage.probes_sent += added;
            self.measure.sent(now, added);
            self.coverage.retransmitted += if pass > 1 { added } else { 0 };
        }
        stride
    }

    /// Takes in what came of a probe.
    pub fn answer(&mut self, now: Moment, answer: &Answer) {
        if self.is_canary(answer.attempt) {
            return self.hear_canary(now, answer);
        }
        if self.witnesses.is_parting(answer.attempt) {
            return self.hear_parting(now, answer);
        }
        let found = self
            .active
            .iter_mut()
            .find_map(|window| window.locate(answer.endpoint).map(|spot| (window, spot)));
        let Some((window, spot)) = found.filter(|(window, spot)| window.was_asked(*spot, answer.attempt))
        else {
            self.hear_control(now, answer);
            return;
        };
        if let Evidence::Local(error) = answer.evidence {
            if !window.failed(now, spot, answer.attempt, error) {
                self.coverage.strays += 1;
                return;
            }
            return self.not_sent(answer);
        }
        window.concluded(spot, answer.attempt);
        let rtt = now - answer.sent_at;
        reserve(&mut self.pace, &self.config, now, answer);
        // Beyond the mouth's own repeat nobody can tell which of the two was answered (Karn's rule).
        let repeats = self.config.repeats(answer.endpoint.protocol);
        let is_sample = !rtt.is_zero() && (rtt < repeats || repeats.is_zero());
        if answer.evidence != Evidence::Silence {
            self.coverage.replies += 1;
        }
        if let (Evidence::Unreachable { what, sender }, Some(row)) =
            (answer.evidence, window.rows.get_mut(spot.row))
            && what.is_soft()
        {
            row.soft = Some((what, sender));
            window.ledger.set_soft(spot.index);
        }
        let before = window.ledger.mark(spot.index);
        let mark = Mark::of(answer.evidence);
        let changed = window.settle(spot, mark);
        let mut canary = None;
        if changed {
            window.note_late(spot, mark, answer.attempt);
            self.measure.settled(now, window, spot.row, answer);
            shift(&mut self.coverage.states, before, mark);
            self.witnesses.note(answer.endpoint, mark, now + self.config.gap(Duration::ZERO));
            canary =
                window.canary_class(spot, mark).map(|class| (class, window.limit(spot.index, &self.config)));
        }
        self.unnamed_open += u64::from(changed && mark == Mark::Open && !window.named);
        // Every change of these is observed at once, unless the attempts are kept until the end.
        let watched = self.config.every || window.named;
        let supersedes = watched && before != Mark::Unsettled;
        let crowded = window.rows.get(spot.row).is_some_and(|row| row.open > SECOND_LOOKS);
        if self.config.second_look && (window.named || (changed && mark == Mark::Open && !crowded)) {
            window.records.begin(answer.endpoint, supersedes);
        }
        let look = Look {
            at: now,
            attempt: answer.attempt,
            source: answer.source,
            ttl: answer.ttl,
            evidence: answer.evidence,
        };
        let kept = Kept { look, rtt };
        if let Some(journal) = &mut self.journal {
            let observed = !window.records.keeps(answer.endpoint) && (watched || mark == Mark::Open);
            let is_news = window.records.is_news(answer.endpoint, &kept);
            journal.heard(now, window, spot, answer, (changed, observed, is_news));
        }
        if window.records.add(answer.endpoint, kept) {
            if matches!(answer.evidence, Evidence::Reply { .. }) && window.records.is_steady(answer.endpoint)
            {
                self.witnesses.steady(answer.endpoint, now + self.config.gap(Duration::ZERO));
            }
            if self.config.second_look {
                window.confirm(now, &self.config, spot, answer.attempt, (mark == Mark::Open, crowded));
            }
        } else if changed && (watched || mark == Mark::Open) {
            self.observations.push_back(Observation {
                endpoint: answer.endpoint,
                state: mark.state(answer.endpoint.protocol),
                reason: answer.evidence.reason(),
                payload: answer.evidence.payload(),
                sender: answer.evidence.sender(),
                rtt: Some(rtt).filter(|rtt| !rtt.is_zero()),
                ttl: answer.ttl,
                attempts: answer.attempt,
                first_seen: Some(now),
                supersedes,
                // Too many to be looked at twice, or records: still what was seen is evidence.
                looks: if self.config.second_look { vec![look] } else { Vec::new() },
            });
        }
        if let Some((class, limit)) = canary {
            self.met(now, answer, class, limit);
        }
        if is_sample && answer.evidence != Evidence::Silence {
            self.learn(answer.endpoint.address, rtt);
        }
    }

    /// Counts packets that look like answers and are none of ours.
    pub fn strays(&mut self, count: u64) {
        self.coverage.strays += count;
    }

    /// Takes in that the kernel threw answers away before they were read.
    pub fn dropped(&mut self, count: u64) {
        self.coverage.kernel_drops += count;
        for window in &mut self.active {
            window.deafened();
        }
    }

    /// When to call `fill` again if nothing is answered before; `None`: only an answer can change anything.
    pub fn poll_timeout(&self) -> Option<Moment> {
        self.wake
    }

    /// All observations that are ready, at once: a driver need not hold its lock for each.
    pub fn take_observations(&mut self) -> VecDeque<Observation> {
        std::mem::take(&mut self.observations)
    }

    /// The next observation that is ready.
    pub fn poll_observation(&mut self) -> Option<Observation> {
        self.observations.pop_front()
    }

    /// The next address whose endpoints have all ended. An address may come more than once, with
    /// different endpoints: the tallies add up.
    pub fn poll_tally(&mut self) -> Option<Tally> {
        self.tallies.pop_front()
    }

    /// Whether every endpoint has ended.
    pub fn done(&self) -> bool {
        self.active.is_empty() && self.waiting.is_empty()
    }

    /// The totals so far; what has not ended counts as unknown.
    pub fn totals(&self) -> Coverage {
        let mut coverage = self.coverage;
        coverage.states.unknown = 0;
        coverage.states.unknown = coverage.planned.saturating_sub(coverage.states.total());
        coverage.loss = self.measure.loss;
        coverage.miss = self.measure.miss;
        coverage.congestion = self.measure.congestion();
        coverage.undecided = self.undecided();
        coverage
    }

    /// Open endpoints that nothing names, so far: the likely findings.
    pub fn unnamed_open(&self) -> u64 {
        self.unnamed_open
    }

    /// Ends here and now: what is not settled becomes unknown, what was never asked says so, one by one
    /// as long as it is not too much.
    pub fn stop(&mut self, now: Moment) {
        for mut window in std::mem::take(&mut self.active) {
            window.stop_parting(now);
            let over = window.is_over(now);
            self.finish(now, window, !over);
        }
        let mut tallied = 0;
        while tallied < MOST_TALLIED
            && let Some(piece) = self.waiting.next()
        {
            let window = self.open(piece);
            tallied += window.rows.len();
            self.finish(now, window, true);
        }
        self.waiting.clear();
        self.wake = None;
    }

    /// The next probe of the front window that has one; a new window when none has.
    fn next(&mut self, now: Moment) -> Option<Probe> {
        let needed = self.active.iter().any(Window::needs_opinion);
        let opinion = self.measure.opinion(now, needed);
        loop {
            let slowed = self.active.iter().any(Window::is_looking);
            let walking = !self.waiting.is_empty() || self.active.iter().any(Window::is_walking);
            let mut wake: Option<Moment> = None;
            let mut finished = None;
            let mut paced = 0;
            for i in 0..self.active.len() {
                let (earlier, rest) = self.active.split_at_mut(i);
                let Some(window) = rest.first_mut() else { break };
                if paced > 0
                    && earlier.iter().any(|other| other.is_paced && window.competes.contains(&other.key))
                {
                    continue;
                }
                window.slow_down(slowed);
                window.accompanied = walking;
                let (config, run_rtt) = (&self.config, self.run_rtt);
                let patience = |row: &Row| patience(config, row.protocol, row.rtt, run_rtt);
                let opinion = opinion.as_deref();
                let next = window.next(now, config, &patience, &mut self.witnesses, opinion);
                window.is_paced = matches!(next, Next::Paced(_));
                paced += usize::from(window.is_paced);
                match next {
                    Next::Probe(probe) => return Some(probe),
                    Next::Wait(due) | Next::Paced(due) => wake = Some(wake.map_or(due, |wake| wake.min(due))),
                    // Whether what is open there is believed depends on them.
                    Next::Finished if self.controls.are_open(|address| window.covers(address)) => {}
                    Next::Finished => {
                        finished = Some(i);
                        break;
                    }
                }
            }
            if let Some(i) = finished {
                let mut window = self.active.remove(i);
                if let Some(journal) = &mut self.journal {
                    journal.ended(&mut window);
                }
                self.finish(now, window, false);
            } else if self.active.len() < MAX_ACTIVE && !self.waiting.is_empty() {
                if let Some(piece) = self.waiting.next() {
                    self.activate(piece);
                }
            } else {
                let others = self.canaries_due().into_iter().chain(self.controls.due());
                self.wake = wake.into_iter().chain(others).min();
                return None;
            }
        }
    }

    fn activate(&mut self, piece: Piece) {
        let mut window = self.open(piece);
        let competes = self.active.iter().filter(|other| window.competes_with(other));
        window.competes = competes.map(|other| other.key).collect();
        if let Some(journal) = &mut self.journal {
            journal.opened(window.number);
            window.take_note_of_all();
        }
        self.active.push(window);
    }

    fn open(&mut self, mut piece: Piece) -> Window {
        piece.blocks.sort_by_key(|block| (block.protocol, block.range));
        self.opened += 1;
        let key = self.config.seed ^ self.opened.wrapping_mul(0xd6e8_feb8_6659_fd93);
        let mut window = Window::new(piece, key, &self.config);
        window.number = self.opened;
        for (address, known) in &self.paths {
            window.learn(*address, |path| *path = *known);
        }
        window
    }

    fn finish(&mut self, now: Moment, window: Window, interrupted: bool) {
        let opinion = self.measure.last_opinion();
        let end = Ending { config: &self.config, now, window, interrupted, opinion: opinion.as_deref() };
        let before = self.tallies.len();
        let miss = end.run(&mut self.observations, &mut self.tallies, &mut self.coverage);
        for tally in self.tallies.range_mut(before..).filter(|tally| tally.protocol == Protocol::Tcp) {
            tally.controls = self.controls.of(tally.address);
        }
        self.note_limits(before);
        self.measure.miss = Miss::worst(self.measure.miss, miss);
    }
}

/// Moves one endpoint between the running totals.
fn shift(states: &mut StateCounts, from: Mark, to: Mark) {
    if from != Mark::Unsettled {
        states.sub(from.state(Protocol::Tcp), 1);
    }
    states.add(to.state(Protocol::Tcp), 1);
}
