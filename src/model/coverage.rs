//! Control totals of a run: what was planned, and where every endpoint of it ended.

use std::{ops::AddAssign, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Congestion, Loss, Miss, State};

/// How many endpoints are in which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[allow(missing_docs)] // the words of `State`
pub struct StateCounts {
    pub open: u64,
    pub closed: u64,
    pub filtered: u64,
    pub unanswered: u64,
    pub unknown: u64,
}

impl StateCounts {
    /// Counts `n` endpoints in this state. Saturates, as every sum here: the counts of a report may be anybody's.
    pub fn add(&mut self, state: State, n: u64) {
        let slot = self.slot(state);
        *slot = slot.saturating_add(n);
    }

    /// Takes `n` endpoints out of this state: they were counted, and are judged elsewhere.
    pub fn sub(&mut self, state: State, n: u64) {
        let slot = self.slot(state);
        *slot = slot.saturating_sub(n);
    }

    /// How many are in this state.
    pub fn of(&self, state: State) -> u64 {
        match state {
            State::Open => self.open,
            State::Closed => self.closed,
            State::Filtered => self.filtered,
            State::Unanswered => self.unanswered,
            State::Unknown => self.unknown,
        }
    }

    /// Every endpoint counted.
    pub fn total(&self) -> u64 {
        State::ALL.iter().fold(0, |sum, &state| sum.saturating_add(self.of(state)))
    }

    /// Those that are anything but unknown.
    pub fn determined(&self) -> u64 {
        Self { unknown: 0, ..*self }.total()
    }

    /// Whether anything but silence came back.
    pub fn answered(&self) -> bool {
        self.open > 0 || self.closed > 0
    }

    fn slot(&mut self, state: State) -> &mut u64 {
        match state {
            State::Open => &mut self.open,
            State::Closed => &mut self.closed,
            State::Filtered => &mut self.filtered,
            State::Unanswered => &mut self.unanswered,
            State::Unknown => &mut self.unknown,
        }
    }
}

impl AddAssign for StateCounts {
    fn add_assign(&mut self, other: Self) {
        for state in State::ALL {
            self.add(state, other.of(state));
        }
    }
}

/// The totals of a scan. The law: `states.total() == planned`, always, also after an interruption.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Coverage {
    /// Endpoints in the plan.
    pub planned: u64,
    /// Where they ended; what has not ended counts as `unknown`.
    pub states: StateCounts,
    /// Probes that left this machine, repeats included.
    pub probes_sent: u64,
    /// Of these, probes to an endpoint that had been asked before.
    pub retransmitted: u64,
    /// Answers that belong to a probe of ours.
    pub replies: u64,
    /// Answers that belong to none: counted, never believed.
    pub strays: u64,
    /// Answers that would have been believed by chance alone, as expected from the number of strays.
    pub false_accepts: f64,
    /// Answers that the kernel threw away before we read them.
    pub kernel_drops: u64,
    /// Probes that failed on our side.
    pub send_errors: u64,
    /// The loss of a single probe; `None` where nothing could measure it.
    pub loss: Option<Loss>,
    /// The chance that an open endpoint was missed, of the address where it is greatest.
    pub miss: Option<Miss>,
    /// Whether the path could not carry the rate asked for.
    pub congestion: Option<Congestion>,
    /// Silent UDP endpoints that may as well be closed; `None` where there are none.
    pub undecided: Option<Undecided>,
}

/// Silent UDP endpoints of hosts that say only so often what is closed: there was no time to hear it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undecided {
    /// How many.
    pub endpoints: u64,
    /// Of how many addresses.
    pub addresses: u64,
    /// How long hearing it would take, at the address where it takes longest.
    pub time: Duration,
}
