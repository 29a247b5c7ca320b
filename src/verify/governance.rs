//! The paperwork: reviews past due, exceptions past their day, lints. Warnings, unless a policy is
//! in force or `-D` says otherwise; what the operator deselected is left alone.

use jiff::{Span, civil::Date};

use super::{
    Case, ExceptionStatus,
    docket::Docket,
    draft::{
        Draft, EXCEPTION_EXPIRED, EXCEPTION_SELF_APPROVED, EXCEPTION_TOO_LONG, EXCEPTION_UNUSED, OVERDUE,
    },
    words,
};
use crate::{
    model::{Rule, Verdict, rule},
    spec::manifest::Exception,
};

pub(super) fn judge(case: &Case<'_>, docket: &mut Docket) {
    overdue_entries(case, docket);
    overdue_review(case, docket);
    lints(case, docket);
    for (i, exception) in case.manifest.exceptions.iter().enumerate() {
        let target = case.manifest.targets.iter().position(|target| target.id == exception.target);
        if target.is_some_and(|target| !case.plan.targets.contains(&target)) {
            continue;
        }
        Paper { case, exception, i, target }.judge(docket);
    }
}

fn warning(rule: &'static Rule, target: Option<usize>, subject: impl Into<String>) -> Draft {
    let mut draft = Draft::new(rule, target, subject);
    draft.verdict = Verdict::Pass;
    draft
}

/// EXP013 for entries.
fn overdue_entries(case: &Case<'_>, docket: &mut Docket) {
    for &t in &case.plan.targets {
        let Some(target) = case.manifest.targets.get(t) else { continue };
        for entry in &target.expose {
            let Some(due) = entry.review_by.filter(|&due| due < case.context.at) else { continue };
            let ports = format!("{}/{}", entry.ports, entry.protocol);
            let mut draft = warning(OVERDUE, Some(t), ports.clone());
            draft.cause = Some("entry");
            draft.place = Some(entry.place.clone());
            draft.title = format!("The review of {ports} of target {} is past due", target.id);
            draft.expected = format!("reviewed by {due}");
            draft.observed = format!("judged as of {}", case.context.at);
            let owner = entry.owner.as_ref().or(target.owner.as_ref());
            let whose = owner.map(|owner| format!(" It belongs to {owner}.")).unwrap_or_default();
            draft.message = format!("{ports} of target {} was to be reviewed by {due}.{whose}", target.id);
            "Review whether the port is still needed, then set a new `review_by`."
                .clone_into(&mut draft.remedy);
            docket.file(draft);
        }
    }
}

/// EXP013 for the manifest as a whole.
fn overdue_review(case: &Case<'_>, docket: &mut Docket) {
    let metadata = &case.manifest.metadata;
    let (Some(last), Some(every)) = (metadata.last_review, metadata.review_every) else { return };
    let days = i64::try_from(every.as_secs() / 86_400).unwrap_or(i64::MAX);
    let Some(due) = after(last, days).filter(|&due| due < case.context.at) else { return };
    let mut draft = warning(OVERDUE, None, "metadata.review");
    draft.cause = Some("manifest");
    draft.place.clone_from(&metadata.review_place);
    "The manifest's review is past due".clone_into(&mut draft.title);
    draft.expected = format!("reviewed by {due}");
    draft.observed = format!("last reviewed on {last}, judged as of {}", case.context.at);
    draft.message = format!(
        "The manifest was last reviewed on {last} and is to be reviewed every {days} days; that was due on {due}."
    );
    "Review the manifest, then set `metadata.review.last`.".clone_into(&mut draft.remedy);
    docket.file(draft);
}

/// MAN rules: what reading the manifest had to say.
fn lints(case: &Case<'_>, docket: &mut Docket) {
    for lint in &case.manifest.lints {
        let Some(rule) = rule(lint.rule) else { continue };
        let target =
            lint.target.as_ref().and_then(|id| case.manifest.targets.iter().position(|t| t.id == *id));
        if target.is_some_and(|target| !case.plan.targets.contains(&target)) {
            continue;
        }
        let subject = lint.subject.clone().unwrap_or_default();
        // Two lints about one subject are told apart by their place; otherwise the id does not depend
        // on the line.
        let alike = if docket.holds(rule, target, &subject) {
            format!("{subject} {}:{}", lint.place.line, lint.place.column)
        } else {
            subject
        };
        let mut draft = warning(rule, target, alike);
        draft.title.clone_from(&lint.message);
        draft.message = format!("{}. {}", lint.message, rule.why);
        rule.when.clone_into(&mut draft.observed);
        draft.place = Some(lint.place.clone());
        docket.file(draft);
    }
}

/// One exception.
struct Paper<'c> {
    case: &'c Case<'c>,
    exception: &'c Exception,
    i: usize,
    target: Option<usize>,
}

impl Paper<'_> {
    fn judge(&self, docket: &mut Docket) {
        let expired = self.case.waivers.status(self.i) == Some(ExceptionStatus::Expired);
        if expired {
            self.expired(docket);
        } else if self.is_unused(docket) {
            self.unused(docket);
        }
        self.too_long(docket);
        self.approval(docket);
    }

    fn draft(&self, rule: &'static Rule) -> Draft {
        let mut draft = warning(rule, self.target, self.exception.id.clone());
        draft.place = Some(self.exception.place.clone());
        draft
    }

    fn expired(&self, docket: &mut Docket) {
        let Exception { id, expires, rule, .. } = self.exception;
        let mut draft = self.draft(EXCEPTION_EXPIRED);
        draft.title = format!("Exception {id} has expired");
        draft.expected = format!("waives {rule} until {expires}");
        draft.observed = format!("judged as of {}", self.case.context.at);
        draft.message =
            format!("The last day of exception {id} was {expires}. It no longer waives anything.");
        docket.file(draft);
    }

    fn unused(&self, docket: &mut Docket) {
        let Exception { id, rule, .. } = self.exception;
        let mut draft = self.draft(EXCEPTION_UNUSED);
        draft.title = format!("Exception {id} is unused");
        draft.expected = format!("a finding of {rule} to waive");
        "none".clone_into(&mut draft.observed);
        draft.message = format!(
            "Exception {id} matches no finding of this run, and what it is about was determined. Left in place it will excuse the next accident."
        );
        docket.file(draft);
    }

    /// Only where this run could have found what the exception is about: complete, nothing of the
    /// target in doubt, the port planned, and the rule one that this version raises.
    fn is_unused(&self, docket: &Docket) -> bool {
        const NOT_RAISED: [&str; 5] = ["EXP004", "EXP005", "EXP006", "EXP007", "EXP015"];
        let Some(target) = self.target else { return false };
        let concerns = |draft: &Draft| draft.key.target.is_none() || draft.targets().any(|t| t == target);
        let in_doubt =
            |draft: &Draft| draft.is_doubt() && draft.cause != Some("not_checked") && concerns(draft);
        let planned = self.exception.port.is_none_or(|(protocol, port)| {
            self.case.plan.groups.iter().any(|group| {
                group.owners.iter().any(|owner| owner.target == target)
                    && group.ask(protocol).planned().contains(port)
            })
        });
        !self.case.seen.partial
            && !self.case.context.narrowed
            && planned
            && !NOT_RAISED.contains(&self.exception.rule)
            && !self.exception.rule.starts_with("EXC")
            && !docket.drafts.iter().any(|draft| self.case.waivers.is_about(self.i, draft))
            && !docket.drafts.iter().any(in_doubt)
    }

    fn too_long(&self, docket: &mut Docket) {
        let Some(most) = self.case.manifest.policy.max_exception_days else { return };
        let Exception { id, expires, requested_on, approved_on, .. } = self.exception;
        // The earliest day that is written counts: an approval later than the request shortens nothing.
        let Some(from) = [*requested_on, *approved_on].into_iter().flatten().min() else { return };
        let Some(latest) = after(from, i64::from(most)) else { return };
        if *expires <= latest {
            return;
        }
        let mut draft = self.draft(EXCEPTION_TOO_LONG);
        draft.title = format!("Exception {id} lasts longer than the policy allows");
        draft.expected = format!("at most {} days, until {latest}", words::number(u64::from(most)));
        draft.observed = format!("from {from} to {expires}");
        draft.message =
            format!("Exception {id} runs from {from} to {expires}; the policy allows {most} days.");
        docket.file(draft);
    }

    fn approval(&self, docket: &mut Docket) {
        let Exception { id, requested_by, approved_by, .. } = self.exception;
        let same = |a: &String, b: &String| a.trim().to_lowercase() == b.trim().to_lowercase();
        let written =
            |who: &Option<String>| who.clone().filter(|who| !who.trim().is_empty() && who.trim() != "TODO");
        let (title, message) = match (written(requested_by), written(approved_by)) {
            (Some(asked), Some(approved)) if same(&asked, &approved) => (
                format!("Exception {id} was approved by who requested it"),
                format!("{approved} both requested and approved exception {id}."),
            ),
            (_, None) if self.case.manifest.policy.four_eyes => (
                format!("Exception {id} has no approver"),
                format!("The policy asks for four eyes, and nobody approved exception {id}."),
            ),
            _ => return,
        };
        let mut draft = self.draft(EXCEPTION_SELF_APPROVED);
        (draft.title, draft.message) = (title, message);
        "an approver who is not the requester".clone_into(&mut draft.expected);
        draft.observed = approved_by.clone().unwrap_or_else(|| "no approver".to_owned());
        docket.file(draft);
    }
}
