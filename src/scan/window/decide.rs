//! Deciding what a limited host would say of its closed UDP ports: once the walk is over, they are asked one
//! by one, as often as the host answers. An endpoint that is silent then is silent by itself; of one that
//! there was no time for, the host's limit may be why.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use super::{
    super::{again::Queue, batch::Probe, config::Config, datagrams::Limit, ledger::Mark, row::Row},
    Next, Spot, Window,
};
use crate::model::{Endpoint, IcmpLimit, Moment, Protocol};

/// The hosts of a window that say that nothing listens, by row.
#[derive(Debug, Default)]
pub(super) struct Decisions {
    rows: BTreeMap<usize, Decision>,
    due: Queue,
    /// Endpoints asked beyond the walk: the number of that attempt.
    asks: HashMap<u64, u8>,
    /// Hosts are asked one by one from now on.
    begun: bool,
    /// When there was nothing else left to do.
    since: Option<Moment>,
}

#[derive(Debug, Default)]
struct Decision {
    limit: Limit,
    /// Whose turn is next, by rank of its port.
    next: u32,
    /// Who is asked now, and how often so far.
    asking: Option<(u64, u8)>,
    /// Endpoints that were silent twice although the host had time to answer.
    silent: u64,
    over: bool,
}

/// Questions to an endpoint until its silence is its own.
const TIMES: u8 = 2;
/// An error is waited for so long at least.
const LEAST: Duration = Duration::from_millis(500);
/// How long asking may take beyond everything else: of endpoints that the manifest names, and of others.
const LONGEST: (Duration, Duration) = (Duration::from_secs(20), Duration::from_millis(2500));

impl Window {
    /// Takes in that a host said that nothing listens.
    pub(in crate::scan) fn refused(&mut self, now: Moment, row: usize) {
        let Decisions { rows, due, begun, .. } = &mut self.decisions;
        if *begun && !rows.contains_key(&row) {
            due.push(now, row as u64, 0, false);
        }
        rows.entry(row).or_default().limit.answered(now);
    }

    /// The walk goes on: what is to be decided has time again afterwards.
    pub(super) fn decide_later(&mut self) {
        self.decisions.since = None;
    }

    /// Asks on. `Finished`: there is nothing to decide, or no time.
    pub(super) fn decide(
        &mut self,
        now: Moment,
        config: &Config,
        patience: &dyn Fn(&Row) -> Duration,
    ) -> Next {
        if self.decisions.rows.is_empty() || !config.adapts() {
            return Next::Finished;
        }
        let longest = if self.named { LONGEST.0 } else { LONGEST.1 };
        if !std::mem::replace(&mut self.decisions.begun, true) {
            for (row, decision) in &self.decisions.rows {
                let due = decision.limit.last().unwrap_or(now) + decision.limit.interval();
                self.decisions.due.push(due, *row as u64, 0, false);
            }
        }
        let since = *self.decisions.since.get_or_insert(now);
        if self.accompanied {
            self.decisions.since = Some(now);
        } else if now - since > longest {
            return Next::Finished;
        }
        while let Some((row, _)) = self.decisions.due.pop(now) {
            let Ok(row) = usize::try_from(row) else { continue };
            if let Some(probe) = self.ask_on(now, row, config, patience) {
                return Next::Probe(probe);
            }
        }
        if self.decisions.rows.values().all(|decision| decision.over) {
            return Next::Finished;
        }
        self.decisions.due.due().map_or(Next::Finished, Next::Wait)
    }

    /// The next question to a host, if it is due; else it is put off.
    fn ask_on(
        &mut self,
        now: Moment,
        row: usize,
        config: &Config,
        patience: &dyn Fn(&Row) -> Duration,
    ) -> Option<Probe> {
        let asked = self.decisions.rows.get_mut(&row).filter(|decision| !decision.over)?;
        if let Some((index, times)) = asked.asking {
            let is_settled = self.ledger.mark(index) != Mark::Unsettled;
            asked.limit.learn(is_settled);
            // Once it may have been too soon for the host; twice it is silent by itself.
            if is_settled || times == TIMES {
                asked.asking = None;
                asked.silent += u64::from(!is_settled);
            }
            let due = asked.limit.last().unwrap_or(now) + asked.limit.interval();
            if due > now {
                self.decisions.due.push(due, row as u64, 0, false);
                return None;
            }
        }
        let (asking, next) =
            self.decisions.rows.get(&row).map(|decision| (decision.asking, decision.next))?;
        let found = match asking {
            Some((index, times)) => Some((index, times, next)),
            None => self.undecided(row, config).map(|(index, next)| (index, 0, next)),
        };
        let decision = self.decisions.rows.get_mut(&row)?;
        let Some((index, times, next)) = found else {
            decision.over = true;
            return None;
        };
        // Probes to one endpoint keep their distance.
        if let Some(ready) = self.ready(index, row, config, patience).filter(|ready| *ready > now) {
            self.decisions.due.push(ready, row as u64, 0, false);
            return None;
        }
        let sent = self.attempts_sent(Spot { index, row }).max(self.asked_beyond(index));
        let attempt = sent.saturating_add(1);
        // The walk waits for its own answers alone.
        let tail = self.tail;
        let mut probe = self.emit(now, index, attempt, patience)?;
        // What a service had to say, it had time for: this is for an error, which no host thinks about.
        let path = self.rows.get(row).and_then(|row| row.rtt.bound()).map(|bound| bound * 2);
        probe.patience = path.map_or(probe.patience, |path| path.max(LEAST).min(probe.patience));
        (self.tail, self.look_tail) = (tail, self.look_tail.max(now + probe.patience));
        self.decisions.asks.insert(index, attempt);
        self.held.insert(index, (now + config.gap(probe.patience), attempt));
        let decision = self.decisions.rows.get_mut(&row)?;
        (decision.next, decision.asking) = (next, Some((index, times + 1)));
        // Whoever answers slowly is waited for, or its answers would come to the next question.
        let wait = decision.limit.interval().max(path.unwrap_or_default());
        self.decisions.due.push(now + wait, row as u64, 0, false);
        Some(probe)
    }

    /// The next endpoint of a row that is unsettled and was not asked here yet, and whose turn is after it.
    fn undecided(&self, row: usize, config: &Config) -> Option<(u64, u32)> {
        let at = self.starts.partition_point(|(_, first)| *first <= row).checked_sub(1)?;
        let (block, (_, first_row)) = (self.blocks.get(at)?, self.starts.get(at)?);
        let address = block.range.nth(u128::try_from(row - first_row).ok()?)?;
        let from = self.decisions.rows.get(&row)?.next;
        (from..block.ports.len()).find_map(|rank| {
            let port = block.ports.nth(rank)?;
            let spot = self.locate(Endpoint { address, protocol: Protocol::Udp, port })?;
            let asked = self.attempts_sent(spot);
            let fits = asked + TIMES <= config.last_attempt();
            (fits && self.ledger.mark(spot.index) == Mark::Unsettled).then_some((spot.index, rank + 1))
        })
    }

    /// When an endpoint may be asked again.
    fn ready(
        &self,
        index: u64,
        row: usize,
        config: &Config,
        patience: &dyn Fn(&Row) -> Duration,
    ) -> Option<Moment> {
        let held = self.before.at(self.order.place_of(index)).max(self.hold(index));
        // The marks are of the last pass, which may have left the row out.
        let row = self.rows.get(row).filter(|row| row.is_skipped_by(self.pass.saturating_sub(1)));
        held.max(row.map(|row| row.asked.max(self.asked_all) + config.gap(patience(row))))
    }

    /// The number of the attempt at an endpoint beyond the walk; 0 where there was none.
    pub(in crate::scan) fn asked_beyond(&self, index: u64) -> u8 {
        self.decisions.asks.get(&index).copied().unwrap_or(0)
    }

    /// Takes in that hosts said that nothing listens before somebody else went on.
    pub(super) fn refused_before(&mut self, now: Moment) {
        let refusing = |row: &Row| row.protocol == Protocol::Udp && row.closed > 0;
        let rows: Vec<usize> =
            (0..).zip(&self.rows).filter(|(_, row)| refusing(row)).map(|(at, _)| at).collect();
        for row in rows {
            self.refused(now, row);
        }
    }

    /// Takes in, from a journal, that an endpoint was asked beyond the walk.
    pub(in crate::scan) fn ask_again(&mut self, index: u64, attempt: u8) {
        self.decisions.asks.insert(index, attempt);
    }

    /// How a host limits what it says, and how many of its endpoints could not be decided for that reason.
    /// `unanswered`: those that were silent to the end.
    pub(in crate::scan) fn icmp_limit(&self, row: usize, unanswered: u64) -> Option<IcmpLimit> {
        let decision = self.decisions.rows.get(&row)?;
        let undecided = unanswered.saturating_sub(decision.silent);
        Some(IcmpLimit { interval: decision.limit.interval(), undecided })
    }
}
