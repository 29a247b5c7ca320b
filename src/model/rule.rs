//! The catalogue of rules: what portproof can say, how bad it is, why it matters, what to do.

mod catalogue;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

pub use self::catalogue::RULES;

/// How bad a finding is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)] // the words are the field's own
pub enum Severity {
    Low,
    Medium,
    High,
    Critical,
}

impl Severity {
    /// Worst first.
    pub const ALL: [Self; 4] = [Self::Critical, Self::High, Self::Medium, Self::Low];

    /// One step worse, for targets of high criticality.
    #[must_use]
    pub fn raised(self) -> Self {
        match self {
            Self::Low => Self::Medium,
            Self::Medium => Self::High,
            Self::High | Self::Critical => Self::Critical,
        }
    }

    /// One step milder, for targets of low criticality.
    #[must_use]
    pub fn lowered(self) -> Self {
        match self {
            Self::Low | Self::Medium => Self::Low,
            Self::High => Self::Medium,
            Self::Critical => Self::High,
        }
    }

    /// The word used in every format.
    pub fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for Severity {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|severity| severity.word() == text).ok_or(())
    }
}

/// What sort of thing a rule speaks about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// What is reachable differs from what is declared.
    Exposure,
    /// Something could not be determined.
    Doubt,
    /// The paperwork: reviews, exceptions, the manifest itself. Warns; fails only under a policy or `-D`.
    Governance,
}

/// What the user made of a rule: `-A`, `-W`, `-D`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Not reported.
    Allow,
    /// Reported; does not fail the run.
    Warn,
    /// Reported; fails the run.
    Deny,
}

/// One rule of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// `EXP001`.
    pub id: &'static str,
    /// `unexpected-open`.
    pub name: &'static str,
    /// Default severity; profile, port and target criticality move it.
    pub severity: Severity,
    /// What it speaks about.
    pub kind: Kind,
    /// When it is raised.
    pub when: &'static str,
    /// Why it matters.
    pub why: &'static str,
    /// What to do.
    pub remedy: &'static str,
}

impl Rule {
    /// The level without `-A`, `-W`, `-D` or a policy.
    pub fn level(&self) -> Level {
        match self.kind {
            Kind::Governance => Level::Warn,
            Kind::Exposure | Kind::Doubt => Level::Deny,
        }
    }
}

/// The rule of an id or a name, case-insensitive.
pub fn rule(id_or_name: &str) -> Option<&'static Rule> {
    RULES
        .iter()
        .find(|rule| rule.id.eq_ignore_ascii_case(id_or_name) || rule.name.eq_ignore_ascii_case(id_or_name))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_and_names_are_unique_and_every_rule_explains_itself() {
        let mut seen = HashSet::new();
        for rule in RULES {
            assert!(seen.insert(rule.id) && seen.insert(rule.name), "{}", rule.id);
            assert!(rule.when.len() > 20 && rule.why.len() > 20 && rule.remedy.len() > 5, "{}", rule.id);
        }
    }

    #[test]
    fn a_rule_is_found_by_id_and_by_name() {
        assert_eq!(rule("exp001").map(|r| r.name), Some("unexpected-open"));
        assert_eq!(rule("required-missing").map(|r| r.id), Some("EXP003"));
        assert_eq!(rule("EXP999"), None);
    }
}
