//! What a state means to the manifest.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

/// One per endpoint. What could not be determined never counts as conforming.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As declared, and seen to be so.
    Pass,
    /// Silence where silence is what conforming looks like (undeclared UDP, an address expected to
    /// be dark); counted apart, never called closed.
    PassBySilence,
    /// Deviates from the manifest.
    Fail,
    /// Asked, and could not be decided.
    Inconclusive,
    /// Planned and never asked.
    NotCovered,
    /// Deviates or is in doubt, and an exception in force accepts it.
    Waived,
}

impl Verdict {
    /// The word used in every format.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::PassBySilence => "pass_by_silence",
            Self::Fail => "fail",
            Self::Inconclusive => "inconclusive",
            Self::NotCovered => "not_covered",
            Self::Waived => "waived",
        }
    }
}

/// How many endpoints have which verdict; the sum equals what was planned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[allow(missing_docs)] // the words of `Verdict`
pub struct VerdictCounts {
    pub pass: u64,
    pub pass_by_silence: u64,
    pub fail: u64,
    pub inconclusive: u64,
    pub not_covered: u64,
    pub waived: u64,
}

impl VerdictCounts {
    /// Counts `n` endpoints with this verdict.
    pub fn add(&mut self, verdict: Verdict, n: u64) {
        *self.of_mut(verdict) += n;
    }

    /// Counts `n` endpoints with this verdict no longer.
    pub fn sub(&mut self, verdict: Verdict, n: u64) {
        let count = self.of_mut(verdict);
        *count = count.saturating_sub(n);
    }

    fn of_mut(&mut self, verdict: Verdict) -> &mut u64 {
        match verdict {
            Verdict::Pass => &mut self.pass,
            Verdict::PassBySilence => &mut self.pass_by_silence,
            Verdict::Fail => &mut self.fail,
            Verdict::Inconclusive => &mut self.inconclusive,
            Verdict::NotCovered => &mut self.not_covered,
            Verdict::Waived => &mut self.waived,
        }
    }

    /// Every endpoint counted.
    pub fn total(&self) -> u64 {
        self.pass + self.pass_by_silence + self.fail + self.inconclusive + self.not_covered + self.waived
    }
}

impl AddAssign for VerdictCounts {
    fn add_assign(&mut self, other: Self) {
        self.pass += other.pass;
        self.pass_by_silence += other.pass_by_silence;
        self.fail += other.fail;
        self.inconclusive += other.inconclusive;
        self.not_covered += other.not_covered;
        self.waived += other.waived;
    }
}
