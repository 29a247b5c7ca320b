//! Extra detail for the few endpoints that matter: every attempt, and the second look.

use std::{collections::HashMap, time::Duration};

use super::ledger::Mark;
use crate::model::{Endpoint, Look, State};

/// Attempts kept of one endpoint; the first ones say most.
const MAX_LOOKS: usize = 16;

/// Endpoints kept; beyond that they are still counted and observed, without their attempts.
const MAX_RECORDS: usize = 1 << 20;

/// The attempts of endpoints that are named, or open and looked at twice.
#[derive(Debug, Default)]
pub(super) struct Records {
    kept: HashMap<Endpoint, Record>,
}

/// The attempts of one endpoint.
#[derive(Debug, Default)]
pub(super) struct Record {
    pub(super) attempts: Vec<Kept>,
    /// An observation of it went out before its attempts were kept.
    pub(super) supersedes: bool,
}

/// One attempt, and how long its answer took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kept {
    pub(super) look: Look,
    pub(super) rtt: Duration,
}

impl Records {
    /// Keeps the attempts of an endpoint from now on, if there is room.
    pub(super) fn begin(&mut self, endpoint: Endpoint, supersedes: bool) {
        if self.kept.len() < MAX_RECORDS {
            self.kept.entry(endpoint).or_insert_with(|| Record { attempts: Vec::new(), supersedes });
        }
    }

    /// Keeps an attempt if its endpoint is kept. Returns whether it is.
    pub(super) fn add(&mut self, endpoint: Endpoint, kept: Kept) -> bool {
        self.kept.get_mut(&endpoint).map(|record| record.add(kept)).is_some()
    }

    /// Whether the attempts of an endpoint are kept.
    pub(super) fn keeps(&self, endpoint: Endpoint) -> bool {
        self.kept.contains_key(&endpoint)
    }

    /// Whether an attempt would be kept, and is not yet.
    pub(super) fn is_news(&self, endpoint: Endpoint, kept: &Kept) -> bool {
        self.kept.get(&endpoint).is_some_and(|record| record.is_news(kept))
    }

    /// Whether an endpoint was open to more than one attempt.
    pub(super) fn is_steady(&self, endpoint: Endpoint) -> bool {
        let Some(record) = self.kept.get(&endpoint) else { return false };
        let mut open = record.attempts.iter().filter(|kept| Mark::of(kept.look.evidence) == Mark::Open);
        let first = open.next().map(|kept| kept.look.attempt);
        open.any(|kept| Some(kept.look.attempt) != first)
    }

    /// Whether anything is kept that came of an attempt.
    pub(super) fn has(&self, endpoint: Endpoint, attempt: u8) -> bool {
        let of = |kept: &Kept| kept.look.attempt == attempt;
        self.kept.get(&endpoint).is_some_and(|record| record.attempts.iter().any(of))
    }

    /// What is kept of an endpoint, attempts in order; it is no longer kept.
    pub(super) fn take(&mut self, endpoint: Endpoint) -> Record {
        let mut record = self.kept.remove(&endpoint).unwrap_or_default();
        record.attempts.sort_by_key(|kept| (kept.look.attempt, kept.look.at));
        record
    }

    /// Every endpoint whose attempts are kept, in order.
    pub(super) fn endpoints(&self) -> Vec<Endpoint> {
        let mut endpoints: Vec<Endpoint> = self.kept.keys().copied().collect();
        endpoints.sort_unstable();
        endpoints
    }
}

impl Record {
    /// A copy of an answer says nothing new: counted as a second look it would confirm itself.
    fn add(&mut self, kept: Kept) {
        if !self.is_news(&kept) {
            return;
        }
        if self.attempts.len() < MAX_LOOKS {
            self.attempts.push(kept);
        } else if let Some(last) = self.attempts.last_mut() {
            *last = kept;
        }
    }

    fn is_news(&self, kept: &Kept) -> bool {
        let is_copy = |other: &Kept| {
            (other.look.attempt, other.look.evidence) == (kept.look.attempt, kept.look.evidence)
        };
        // What decides the state is kept whatever came before it.
        let strength = |kept: &Kept| Mark::of(kept.look.evidence);
        let is_stronger = || self.attempts.iter().all(|other| strength(other) < strength(kept));
        !self.attempts.iter().any(is_copy) && (self.attempts.len() < MAX_LOOKS || is_stronger())
    }
}

/// The attempt that decided a state: the first whose evidence means it.
pub(super) fn deciding(attempts: &[Kept], state: State) -> Option<Kept> {
    attempts.iter().find(|kept| kept.look.evidence.state() == Some(state)).copied()
}
