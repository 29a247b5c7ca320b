//! Extra detail for the few endpoints that matter: every attempt, and the second look.

use std::{collections::HashMap, time::Duration};

use crate::model::{Endpoint, Evidence, Look, Reason, State};

/// Attempts kept of one endpoint; the first ones say most.
const MAX_LOOKS: usize = 16;

/// Endpoints kept; beyond that they are still counted and observed, without their attempts.
const MAX_RECORDS: usize = 1 << 20;

/// The attempts of endpoints that are named, or open and looked at twice.
#[derive(Debug, Default)]
pub(super) struct Records {
    kept: HashMap<Endpoint, Vec<Kept>>,
}

/// One attempt, and how long its answer took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kept {
    pub(super) look: Look,
    pub(super) rtt: Duration,
}

impl Records {
    /// Keeps an attempt if its endpoint is kept already, or if it `begins` to be. Returns whether it is.
    pub(super) fn add(&mut self, endpoint: Endpoint, kept: Kept, begins: bool) -> bool {
        if begins && self.kept.len() < MAX_RECORDS {
            self.kept.entry(endpoint).or_default();
        }
        let Some(attempts) = self.kept.get_mut(&endpoint) else { return false };
        if attempts.len() < MAX_LOOKS {
            attempts.push(kept);
        }
        true
    }

    /// The attempts of an endpoint, in order; it is no longer kept.
    pub(super) fn take(&mut self, endpoint: Endpoint) -> Vec<Kept> {
        let mut attempts = self.kept.remove(&endpoint).unwrap_or_default();
        attempts.sort_by_key(|kept| (kept.look.attempt, kept.look.at));
        attempts
    }

    /// How often an endpoint was seen open, and how often it was asked since it first was.
    pub(super) fn openings(&self, endpoint: Endpoint) -> (usize, usize) {
        let attempts = self.kept.get(&endpoint).map_or(&[][..], Vec::as_slice);
        let is_open = |kept: &Kept| kept.look.evidence.state() == Some(State::Open);
        let since = attempts.iter().position(is_open).map_or(0, |first| attempts.len() - first - 1);
        (attempts.iter().filter(|kept| is_open(kept)).count(), since)
    }

    /// Every endpoint whose attempts are kept.
    pub(super) fn endpoints(&self) -> impl Iterator<Item = Endpoint> + '_ {
        self.kept.keys().copied()
    }
}

/// The attempt that decided a state: the first whose evidence means it.
pub(super) fn deciding(attempts: &[Kept], state: State) -> Option<Kept> {
    attempts.iter().find(|kept| kept.look.evidence.state() == Some(state)).copied()
}

/// Why a silent endpoint is what it is: a soft error if one came, else silence.
pub(super) fn silent_reason(attempts: &[Kept]) -> Reason {
    let soft = attempts.iter().rev().find(|kept| matches!(kept.look.evidence, Evidence::Unreachable { .. }));
    soft.map_or(Reason::NoResponse, |kept| kept.look.evidence.reason())
}
