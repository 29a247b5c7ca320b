//! How a window ends: every endpoint of it gets its final state, and the sums reconcile.

use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
};

use super::{
    config::Config,
    ledger::Mark,
    loss::Opinion,
    record::{Kept, Record, deciding},
    row::Row,
    window::{Spot, Window},
};
use crate::model::{
    Coverage, Endpoint, Evidence, Miss, Moment, Observation, Protocol, Reason, State, StateCounts, Tally,
};

/// A window at its end. `interrupted`: its walk did not reach the end.
pub(super) struct Ending<'a> {
    pub(super) config: &'a Config,
    pub(super) now: Moment,
    pub(super) window: Window,
    pub(super) interrupted: bool,
    /// What the losses so far say about silence.
    pub(super) opinion: Option<&'a Opinion>,
}

impl Ending<'_> {
    /// Settles what is left, observes what matters, and adds up. Returns the worst chance of a miss.
    pub(super) fn run(
        mut self,
        observations: &mut VecDeque<Observation>,
        tallies: &mut VecDeque<Tally>,
        coverage: &mut Coverage,
    ) -> Option<Miss> {
        let mut ended: Vec<Tally> = Vec::with_capacity(self.window.rows.len());
        for block in &self.window.blocks {
            let rows = self.window.rows.iter().skip(ended.len());
            ended.extend(
                block.range.iter().zip(rows).map(|(address, row)| tally(address, block.protocol, row)),
            );
        }
        let observed = self.config.every || self.window.named;
        let unequal = self.window.ledger.has_lost() || self.window.is_owed();
        if observed || unequal || (self.interrupted && !self.window.is_untouched()) {
            self.each(observations, &mut ended);
        } else {
            self.by_row(&mut ended);
        }
        self.kept(observations);
        let mut worst = None;
        for (tally, row) in ended.iter_mut().zip(0..) {
            tally.miss = self.miss(tally, row);
            tally.icmp = self.window.icmp_limit(row, tally.states.unanswered);
            worst = Miss::worst(worst, tally.miss);
            coverage.states.filtered += tally.states.filtered.saturating_sub(tally.prohibited);
            coverage.states.unanswered += tally.states.unanswered;
        }
        // Of an address all of whose endpoints are in other shards there is nothing to say.
        tallies.extend(ended.into_iter().filter(|tally| tally.states.total() > 0));
        worst
    }

    /// Had one of the silent endpoints of an address been open: the chance that it was missed.
    fn miss(&self, tally: &Tally, row: usize) -> Option<Miss> {
        let silent = tally.states.filtered.saturating_sub(tally.prohibited);
        if tally.protocol == Protocol::Udp || silent == 0 {
            return None;
        }
        let attempts = self.window.heard_attempts(row);
        Some(self.opinion?.of(tally.address)?.miss(attempts))
    }

    /// The short way, when all unsettled endpoints of an address end alike and none is observed.
    fn by_row(&self, ended: &mut [Tally]) {
        for (tally, row) in ended.iter_mut().zip(&self.window.rows) {
            let left = u64::from(row.unsettled);
            let state = if row.barred || self.interrupted {
                State::Unknown
            } else {
                Mark::Unsettled.state(tally.protocol)
            };
            tally.states.add(state, left);
            if self.interrupted && !row.barred {
                tally.not_sent += left;
            }
        }
    }

    /// The long way: endpoint by endpoint.
    fn each(&mut self, observations: &mut VecDeque<Observation>, ended: &mut [Tally]) {
        let observed = self.config.every || self.window.named;
        let unsent = self.window.unsent();
        for index in 0..self.window.order.size() {
            if self.window.ledger.mark(index) != Mark::Unsettled {
                continue;
            }
            let Some((at, endpoint)) = self.window.endpoint(index) else { continue };
            let record = if observed { self.window.records.take(endpoint) } else { Record::default() };
            let (Some(tally), Some(row)) = (ended.get_mut(at), self.window.rows.get(at)) else { continue };
            let kept = record.attempts;
            let soft = self.soft(index, row, &kept);
            let spot = Spot { index, row: at };
            let (state, reason, attempts) = self.unsettled(spot, endpoint.protocol, row, soft, &unsent);
            tally.states.add(state, 1);
            tally.not_sent += u64::from(reason == Reason::NotSent);
            if observed {
                observations.push_back(Observation {
                    endpoint,
                    state,
                    reason,
                    payload: None,
                    sender: soft.and_then(Evidence::sender),
                    rtt: None,
                    ttl: None,
                    attempts,
                    first_seen: None,
                    supersedes: false,
                    looks: kept.into_iter().map(|kept| kept.look).collect(),
                });
            }
        }
    }

    /// Settled endpoints whose attempts were kept are observed now that no more can come.
    fn kept(&mut self, observations: &mut VecDeque<Observation>) {
        for endpoint in self.window.records.endpoints() {
            let Some(spot) = self.window.locate(endpoint) else { continue };
            let state = self.window.ledger.mark(spot.index).state(endpoint.protocol);
            observations.push_back(settled(endpoint, state, self.window.records.take(endpoint)));
        }
    }

    /// What an endpoint is that nothing settled.
    fn unsettled(
        &self,
        spot: Spot,
        protocol: Protocol,
        row: &Row,
        soft: Option<Evidence>,
        unsent: &HashMap<u64, u8>,
    ) -> (State, Reason, u8) {
        let index = spot.index;
        let unsent = unsent.get(&index).copied().unwrap_or(0);
        let sent =
            self.window.attempts_sent(spot).saturating_sub(unsent).max(self.window.asked_beyond(index));
        if let (Some(error), true) = (row.local, row.barred || self.window.ledger.is_lost(index)) {
            return (State::Unknown, Reason::Local(error), sent);
        }
        let unheard = self.interrupted && !self.window.is_spent(spot, self.now, self.config);
        if unsent > 0 || unheard || self.window.is_owed_of(index) {
            let reason = if sent == 0 { Reason::NotSent } else { Reason::Interrupted };
            return (State::Unknown, reason, sent);
        }
        let reason = soft.map_or(Reason::NoResponse, Evidence::reason);
        (Mark::Unsettled.state(protocol), reason, sent)
    }

    /// The soft ICMP error that came for a silent endpoint, if one did. Where its attempts are not
    /// kept, which of the errors about its address it was is not known, and the last one speaks.
    fn soft(&self, index: u64, row: &Row, kept: &[Kept]) -> Option<Evidence> {
        if kept.is_empty() {
            let (what, sender) = row.soft.filter(|_| self.window.ledger.is_soft(index))?;
            return Some(Evidence::Unreachable { what, sender });
        }
        let mut evidence = kept.iter().rev().map(|kept| kept.look.evidence);
        evidence.find(|evidence| matches!(evidence, Evidence::Unreachable { .. }))
    }
}

/// The observation of a settled endpoint whose attempts were kept.
fn settled(endpoint: Endpoint, state: State, record: Record) -> Observation {
    let Record { attempts, supersedes } = record;
    let decided = deciding(&attempts, state);
    Observation {
        endpoint,
        state,
        reason: decided.map_or(Reason::NoResponse, |kept| kept.look.evidence.reason()),
        payload: decided.and_then(|kept| kept.look.evidence.payload()),
        sender: decided.and_then(|kept| kept.look.evidence.sender()),
        rtt: decided.map(|kept| kept.rtt).filter(|rtt| !rtt.is_zero()),
        ttl: decided.and_then(|kept| kept.look.ttl),
        attempts: attempts.iter().map(|kept| kept.look.attempt).max().unwrap_or(0),
        first_seen: decided.map(|kept| kept.look.at),
        supersedes,
        looks: attempts.into_iter().map(|kept| kept.look).collect(),
    }
}

fn tally(address: IpAddr, protocol: Protocol, row: &Row) -> Tally {
    let prohibited = u64::from(row.prohibited);
    let mut states =
        StateCounts { open: row.open.into(), closed: row.closed.into(), ..StateCounts::default() };
    states.add(State::Filtered, prohibited);
    let (local, soft, rtt) = (row.local, row.soft, row.rtt.smoothed());
    let fell_silent = row.fell_silent;
    Tally {
        address,
        protocol,
        states,
        not_sent: 0,
        local,
        soft,
        prohibited,
        rtt,
        fell_silent,
        miss: None,
        icmp: None,
        controls: None,
    }
}
