//! Accepted deviations: which finding an exception waives, and which exceptions did.

use super::{Case, Context, draft::Draft};
use crate::{model::Protocol, spec::manifest::Manifest};

/// What an exception was good for in this run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExceptionUse {
    /// Whether it could waive at all.
    pub status: ExceptionStatus,
    /// How many findings it waived.
    pub waived: u64,
}

/// Whether an exception waives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExceptionStatus {
    /// Its last day has not passed.
    InForce,
    /// It was not approved yet on the day that is judged, or not even requested.
    Pending,
    /// Its last day has passed.
    Expired,
    /// `--strict`.
    Ignored,
}

impl ExceptionStatus {
    /// The word used in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::InForce => "in_force",
            Self::Pending => "pending",
            Self::Expired => "expired",
            Self::Ignored => "ignored",
        }
    }
}

/// What may be looked at at any time and was not is no doubt that a team could live with: another part of the plan
/// has it, or a file that is not judged here.
const NEVER_ACCEPTED: [&str; 1] = ["not_probed"];

/// The exceptions of a manifest, looked up.
pub(super) struct Waivers {
    entries: Vec<Entry>,
}

struct Entry {
    target: Option<usize>,
    rule: &'static str,
    port: Option<(Protocol, u16)>,
    status: ExceptionStatus,
}

impl Waivers {
    pub(super) fn of(manifest: &Manifest, context: &Context<'_>) -> Self {
        let entries = manifest
            .exceptions
            .iter()
            .map(|exception| Entry {
                target: manifest.targets.iter().position(|target| target.id == exception.target),
                rule: exception.rule,
                port: exception.port,
                status: if context.at > exception.expires {
                    ExceptionStatus::Expired
                } else if exception.is_pending(context.at) {
                    ExceptionStatus::Pending
                } else if context.strict {
                    ExceptionStatus::Ignored
                } else {
                    ExceptionStatus::InForce
                },
            })
            .collect();
        Self { entries }
    }

    /// The exception in force that accepts a finding. A finding about several ports is accepted when
    /// each of them is, and none beside them rests on it: no exception reaches further than it says.
    pub(super) fn waiving(&self, draft: &Draft) -> Option<usize> {
        if draft.cause.is_some_and(|cause| NEVER_ACCEPTED.contains(&cause)) {
            return None;
        }
        let targets: Vec<usize> = draft.targets().collect();
        let in_force = |entry: &Entry| entry.status == ExceptionStatus::InForce;
        if let Some(whole) = self.find(draft.rule.id, &targets, draft.key.port, in_force) {
            return Some(whole);
        }
        if draft.key.port.is_some() || draft.counted {
            return None;
        }
        let mut first = None;
        for &port in &draft.covers {
            let found = self.find(draft.rule.id, &targets, Some(port), in_force)?;
            first = first.or(Some(found));
        }
        first
    }

    /// Whether an exception in force accepts one endpoint of a finding.
    pub(super) fn covers(&self, rule: &str, targets: &[usize], port: (Protocol, u16)) -> bool {
        self.find(rule, targets, Some(port), |entry| entry.status == ExceptionStatus::InForce).is_some()
    }

    /// Whether an exception, in force or not, is about this finding.
    pub(super) fn is_about(&self, exception: usize, draft: &Draft) -> bool {
        self.entries.get(exception).is_some_and(|entry| {
            let port = entry.port == draft.key.port
                || (draft.key.port.is_none() && entry.port.is_some_and(|port| draft.covers.contains(&port)));
            entry.rule == draft.rule.id && port && draft.targets().any(|target| entry.target == Some(target))
        })
    }

    fn find(
        &self,
        rule: &str,
        targets: &[usize],
        port: Option<(Protocol, u16)>,
        wanted: impl Fn(&Entry) -> bool,
    ) -> Option<usize> {
        self.entries.iter().position(|entry| {
            wanted(entry)
                && entry.rule == rule
                && entry.port == port
                && entry.target.is_some_and(|target| targets.contains(&target))
        })
    }
}

/// What each exception was good for.
pub(super) fn uses(
    case: &Case<'_>,
    drafts: &[Draft],
    waived_by: impl Fn(usize) -> Option<usize>,
) -> Vec<ExceptionUse> {
    let mut uses: Vec<ExceptionUse> =
        case.waivers.entries.iter().map(|entry| ExceptionUse { status: entry.status, waived: 0 }).collect();
    for (i, draft) in drafts.iter().enumerate() {
        let Some(by) = waived_by(i) else { continue };
        for (exception, used) in uses.iter_mut().enumerate() {
            // Where several exceptions accept the ports of one finding, each was needed.
            let needed = exception == by
                || (used.status == ExceptionStatus::InForce && case.waivers.is_about(exception, draft));
            used.waived += u64::from(needed);
        }
    }
    uses
}
