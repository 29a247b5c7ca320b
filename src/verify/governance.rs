//! The paperwork: reviews past due, exceptions past their day, lints. Warnings, unless a policy is
//! in force or `-D` says otherwise; what the operator deselected is left alone.

use std::collections::{HashMap, HashSet};

use jiff::civil::Date;

use super::{
    Case,
    docket::Docket,
    draft::{
        Draft, EXCEPTION_EXPIRED, EXCEPTION_SELF_APPROVED, EXCEPTION_TOO_LONG, EXCEPTION_UNUSED, OVERDUE,
    },
    words,
};
use crate::{
    model::{Observation, Rule, State, Verdict, rule},
    spec::{
        calendar::after,
        is_todo,
        manifest::{Exception, Lint, Manifest},
    },
};

pub(super) fn judge(case: &Case<'_>, docket: &mut Docket) {
    let selected = |target: Option<usize>| target.is_none_or(|target| case.plan.targets.contains(&target));
    for draft in reviews(case.manifest, case.context.at) {
        if selected(draft.key.target) {
            docket.file(draft);
        }
    }
    lints(case, docket);
    for (i, exception) in case.manifest.exceptions.iter().enumerate() {
        let paper = Paper::of(case.manifest, case.context.at, exception);
        if selected(paper.target) {
            paper.drafts().into_iter().for_each(|draft| _ = docket.file(draft));
            if !paper.has_expired() && paper.is_unused(case, i, docket) {
                docket.file(paper.unused());
            }
        }
    }
}

/// What of this needs no scan, as of a day: reviews past due, and exceptions that have expired, last too long or lack
/// a second pair of eyes.
pub fn paperwork(manifest: &Manifest, at: Date) -> Vec<Lint> {
    let papers = manifest.exceptions.iter().flat_map(|exception| Paper::of(manifest, at, exception).drafts());
    let remark = |draft: Draft| {
        let target = draft.key.target.and_then(|t| manifest.targets.get(t));
        Lint {
            rule: draft.rule.id,
            target: target.map(|target| target.id.clone()),
            subject: Some(draft.key.subject),
            place: draft.place.or_else(|| manifest.metadata.review_place.clone()).unwrap_or_default(),
            message: draft.message.trim_end_matches('.').to_owned(),
        }
    };
    reviews(manifest, at).into_iter().chain(papers).map(remark).collect()
}

fn warning(rule: &'static Rule, target: Option<usize>, subject: impl Into<String>) -> Draft {
    let mut draft = Draft::new(rule, target, subject);
    draft.verdict = Verdict::Pass;
    draft
}

/// EXP013.
fn reviews(manifest: &Manifest, at: Date) -> Vec<Draft> {
    let mut drafts = overdue_entries(manifest, at);
    drafts.extend(overdue_review(manifest, at));
    drafts
}

/// For entries.
fn overdue_entries(manifest: &Manifest, at: Date) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for (t, target) in manifest.targets.iter().enumerate() {
        for entry in &target.expose {
            let Some(due) = entry.review_by.filter(|&due| due < at) else { continue };
            let ports = format!("{}/{}", entry.ports, entry.protocol);
            let mut draft = warning(OVERDUE, Some(t), ports.clone());
            draft.cause = Some("entry");
            draft.place = Some(entry.place.clone());
            draft.title = format!("The review of {ports} of target {} is past due", target.id);
            draft.expected = format!("reviewed by {due}");
            draft.observed = format!("judged as of {at}");
            let owner = entry.owner.as_ref().or(target.owner.as_ref());
            let whose = owner.map(|owner| format!(" It belongs to {owner}.")).unwrap_or_default();
            draft.message = format!("{ports} of target {} was to be reviewed by {due}.{whose}", target.id);
            "Review whether the port is still needed, then set a new `review_by`."
                .clone_into(&mut draft.remedy);
            drafts.push(draft);
        }
    }
    drafts
}

/// For the manifest as a whole.
fn overdue_review(manifest: &Manifest, at: Date) -> Option<Draft> {
    let metadata = &manifest.metadata;
    let (last, every) = (metadata.last_review?, metadata.review_every?);
    let days = i64::try_from(every.as_secs() / 86_400).unwrap_or(i64::MAX);
    let due = after(last, days).filter(|&due| due < at)?;
    let mut draft = warning(OVERDUE, None, "metadata.review");
    draft.cause = Some("manifest");
    draft.place.clone_from(&metadata.review_place);
    "The manifest's review is past due".clone_into(&mut draft.title);
    draft.expected = format!("reviewed by {due}");
    draft.observed = format!("last reviewed on {last}, judged as of {at}");
    draft.message = format!(
        "The manifest was last reviewed on {last} and is to be reviewed every {days} days; that was due on {due}."
    );
    "Review the manifest, then set `metadata.review.last`.".clone_into(&mut draft.remedy);
    Some(draft)
}

/// MAN rules: what reading the manifest had to say.
fn lints(case: &Case<'_>, docket: &mut Docket) {
    let targets: HashMap<&str, usize> =
        case.manifest.targets.iter().enumerate().rev().map(|(t, target)| (target.id.as_str(), t)).collect();
    let selected: HashSet<usize> = case.plan.targets.iter().copied().collect();
    for lint in &case.manifest.lints {
        let Some(rule) = rule(lint.rule) else { continue };
        let target = lint.target.as_deref().and_then(|id| targets.get(id).copied());
        if target.is_some_and(|target| !selected.contains(&target)) {
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
struct Paper<'m> {
    manifest: &'m Manifest,
    at: Date,
    exception: &'m Exception,
    target: Option<usize>,
}

impl<'m> Paper<'m> {
    fn of(manifest: &'m Manifest, at: Date, exception: &'m Exception) -> Self {
        let target = manifest.targets.iter().position(|target| target.id == exception.target);
        Self { manifest, at, exception, target }
    }

    /// What needs no scan.
    fn drafts(&self) -> Vec<Draft> {
        let expired = self.has_expired().then(|| self.expired());
        [expired, self.too_long(), self.approval()].into_iter().flatten().collect()
    }

    fn draft(&self, rule: &'static Rule) -> Draft {
        let mut draft = warning(rule, self.target, self.exception.id.clone());
        draft.place = Some(self.exception.place.clone());
        draft
    }

    fn has_expired(&self) -> bool {
        self.at > self.exception.expires
    }

    fn expired(&self) -> Draft {
        let Exception { id, expires, rule, .. } = self.exception;
        let mut draft = self.draft(EXCEPTION_EXPIRED);
        draft.title = format!("Exception {id} has expired");
        draft.expected = format!("waives {rule} until {expires}");
        draft.observed = format!("judged as of {}", self.at);
        draft.message =
            format!("The last day of exception {id} was {expires}. It no longer waives anything.");
        draft
    }

    fn unused(&self) -> Draft {
        let Exception { id, rule, .. } = self.exception;
        let mut draft = self.draft(EXCEPTION_UNUSED);
        draft.title = format!("Exception {id} is unused");
        draft.expected = format!("a finding of {rule} to waive");
        "none".clone_into(&mut draft.observed);
        draft.message = format!(
            "Exception {id} matches no finding of this run, and what it is about was determined. Left in place it will excuse the next accident."
        );
        draft
    }

    /// Only where this run could have found what the exception is about: complete, nothing of the
    /// target in doubt, the port planned, and whoever is open there known, where the rule is about who answers.
    fn is_unused(&self, case: &Case<'_>, i: usize, docket: &Docket) -> bool {
        const OF_WHO_ANSWERS: [&str; 4] = ["EXP004", "EXP005", "EXP006", "EXP007"];
        let asks_who = OF_WHO_ANSWERS.contains(&self.exception.rule);
        let Some(target) = self.target else { return false };
        let concerns = |draft: &Draft| draft.key.target.is_none() || draft.targets().any(|t| t == target);
        let in_doubt = |draft: &Draft| {
            draft.is_doubt() && concerns(draft) && (asks_who || draft.cause != Some("not_checked"))
        };
        let is_stranger = |seen: &Observation| {
            let (protocol, port) = (seen.endpoint.protocol, seen.endpoint.port);
            seen.state == State::Open
                && self.exception.port.is_none_or(|about| about == (protocol, port))
                && case.seen.portraits.get(&seen.endpoint).is_none_or(|portrait| portrait.service().is_none())
        };
        let planned = self.exception.port.is_none_or(|(protocol, port)| {
            case.plan.groups.iter().any(|group| {
                group.owners.iter().any(|owner| owner.target == target)
                    && group.ask(protocol).planned().contains(port)
            })
        });
        !case.seen.partial
            && !case.context.narrowed
            && !self.exception.is_pending(self.at)
            && planned
            && (!asks_who || !case.seen.observations.iter().any(is_stranger))
            && !self.exception.rule.starts_with("EXC")
            && !docket.drafts.iter().any(|draft| case.waivers.is_about(i, draft))
            && !docket.drafts.iter().any(in_doubt)
    }

    fn too_long(&self) -> Option<Draft> {
        let most = self.manifest.policy.max_exception_days?;
        let Exception { id, expires, requested_on, approved_on, .. } = self.exception;
        // The earliest day that is written counts: an approval later than the request shortens nothing.
        let from = [*requested_on, *approved_on].into_iter().flatten().min()?;
        let latest = after(from, i64::from(most)).filter(|latest| expires > latest)?;
        let mut draft = self.draft(EXCEPTION_TOO_LONG);
        draft.title = format!("Exception {id} lasts longer than the policy allows");
        draft.expected = format!("at most {} days, until {latest}", words::number(u64::from(most)));
        draft.observed = format!("from {from} to {expires}");
        draft.message =
            format!("Exception {id} runs from {from} to {expires}; the policy allows {most} days.");
        Some(draft)
    }

    fn approval(&self) -> Option<Draft> {
        let Exception { id, requested_by, approved_by, .. } = self.exception;
        let same = |a: &String, b: &String| a.trim().to_lowercase() == b.trim().to_lowercase();
        let written =
            |who: &Option<String>| who.clone().filter(|who| !who.trim().is_empty() && !is_todo(who));
        let (title, message) = match (written(requested_by), written(approved_by)) {
            (Some(asked), Some(approved)) if same(&asked, &approved) => (
                format!("Exception {id} was approved by whoever requested it"),
                format!("{approved} both requested and approved exception {id}."),
            ),
            (_, None) if self.manifest.policy.four_eyes => (
                format!("Exception {id} has no approver"),
                format!("The policy asks for four eyes, and nobody approved exception {id}."),
            ),
            _ => return None,
        };
        let mut draft = self.draft(EXCEPTION_SELF_APPROVED);
        (draft.title, draft.message) = (title, message);
        "an approver who is not the requester".clone_into(&mut draft.expected);
        draft.observed = written(approved_by).unwrap_or_else(|| "no approver".to_owned());
        Some(draft)
    }
}
