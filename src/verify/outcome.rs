//! What a judgement comes to: conforming, deviating or in doubt, and the exit code that says so.

use crate::model::{Severity, Verdict, VerdictCounts};

use super::Finding;

/// `--fail-on`: from which severity on a failing finding fails the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailOn {
    /// No finding does.
    Never,
    /// This severity, and worse.
    At(Severity),
}

impl Default for FailOn {
    fn default() -> Self {
        Self::At(Severity::Low)
    }
}

impl FailOn {
    /// Whether a failing finding of this severity fails the run.
    pub fn includes(self, severity: Severity) -> bool {
        match self {
            Self::Never => false,
            Self::At(threshold) => severity >= threshold,
        }
    }
}

/// The outcome of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Something fails, at whatever severity.
    pub deviates: bool,
    /// Failing findings at or above `--fail-on`.
    pub failing: usize,
    /// Something is inconclusive, not covered, or the run is partial.
    pub undetermined: bool,
}

impl Outcome {
    /// Sums up. `doubtful`: some finding was in doubt before `-A` took it out of the list. A run that
    /// planned nothing and found nothing has shown nothing.
    pub(super) fn of(
        findings: &[Finding],
        verdicts: &VerdictCounts,
        partial: bool,
        doubtful: bool,
        fail_on: FailOn,
    ) -> Self {
        let failing = |finding: &&Finding| finding.verdict == Verdict::Fail;
        let speaks = |finding: &Finding| matches!(finding.verdict, Verdict::Fail | Verdict::Waived);
        let empty = verdicts.total() == 0 && !findings.iter().any(speaks);
        Self {
            deviates: verdicts.fail > 0 || findings.iter().any(|finding| failing(&finding)),
            failing: findings
                .iter()
                .filter(failing)
                .filter(|finding| fail_on.includes(finding.severity))
                .count(),
            undetermined: partial || empty || doubtful || verdicts.inconclusive + verdicts.not_covered > 0,
        }
    }

    /// What the process exits with, unless it was interrupted.
    pub fn exit_code(self) -> u8 {
        exit_code(self.failing, self.undetermined)
    }
}

/// CONTRACT §3 for a run that reached its judgement: 1 outranks 3, 3 outranks 0.
pub fn exit_code(failing: usize, undetermined: bool) -> u8 {
    match (failing, undetermined) {
        (1.., _) => 1,
        (0, true) => 3,
        (0, false) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_outranks_three_and_three_outranks_zero() {
        assert_eq!(exit_code(0, false), 0);
        assert_eq!(exit_code(0, true), 3);
        assert_eq!(exit_code(1, false), 1);
        assert_eq!(exit_code(7, true), 1);
    }

    #[test]
    fn fail_on_never_includes_nothing_and_a_severity_includes_the_worse_ones() {
        for severity in Severity::ALL {
            assert!(!FailOn::Never.includes(severity));
            assert!(FailOn::default().includes(severity));
        }
        assert!(FailOn::At(Severity::High).includes(Severity::Critical));
        assert!(!FailOn::At(Severity::High).includes(Severity::Medium));
    }
}
