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
    /// Deviates or is in doubt, and an exception in force accepts it; or the run was told (`-A`, `-W`) not to fail on it.
    Waived,
}

impl Verdict {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Pass, Self::PassBySilence, Self::Fail, Self::Inconclusive, Self::NotCovered, Self::Waived];

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

    /// Whether it conforms, or of a finding: whether it is only a remark.
    pub fn is_pass(self) -> bool {
        matches!(self, Self::Pass | Self::PassBySilence)
    }

    /// The worse, the greater: of several that are about one thing, the worst speaks.
    pub fn rank(self) -> u8 {
        match self {
            Self::Pass | Self::PassBySilence => 0,
            Self::Waived => 1,
            Self::NotCovered => 2,
            Self::Inconclusive => 3,
            Self::Fail => 4,
        }
    }

    /// Whether it says that something could not be determined, for whatever reason.
    pub fn is_doubt(self) -> bool {
        matches!(self, Self::Inconclusive | Self::NotCovered)
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
        let count = self.of_mut(verdict);
        *count = count.saturating_add(n);
    }

    /// Counts `n` endpoints with this verdict no longer.
    pub fn sub(&mut self, verdict: Verdict, n: u64) {
        let count = self.of_mut(verdict);
        *count = count.saturating_sub(n);
    }

    /// How many have this verdict.
    pub fn of(&self, verdict: Verdict) -> u64 {
        match verdict {
            Verdict::Pass => self.pass,
            Verdict::PassBySilence => self.pass_by_silence,
            Verdict::Fail => self.fail,
            Verdict::Inconclusive => self.inconclusive,
            Verdict::NotCovered => self.not_covered,
            Verdict::Waived => self.waived,
        }
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
        Verdict::ALL.iter().fold(0, |sum, &verdict| sum.saturating_add(self.of(verdict)))
    }
}

impl AddAssign for VerdictCounts {
    fn add_assign(&mut self, other: Self) {
        for verdict in Verdict::ALL {
            self.add(verdict, other.of(verdict));
        }
    }
}
