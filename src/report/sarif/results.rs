//! One finding as one result. Code scanning reads neither `kind` nor `suppressions`, so that something is in doubt
//! or accepted is said by level and message as well.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::{
    place::Files,
    rules::{Rules, level, score},
};
use crate::{
    model::{Severity, Verdict},
    report::{
        ExceptionRecord, Finding, Report,
        baseline::is_new,
        exchange::{endpoint, known, maybe, subject, text, utc},
    },
};

/// What results are made with.
pub(super) struct Results<'a> {
    report: &'a Report,
    rules: &'a Rules<'a>,
    files: &'a Files,
    exceptions: HashMap<&'a str, &'a ExceptionRecord>,
}

impl<'a> Results<'a> {
    /// Of a report.
    pub(super) fn of(report: &'a Report, rules: &'a Rules<'a>, files: &'a Files) -> Self {
        let exceptions =
            report.exceptions.iter().map(|exception| (exception.id.as_str(), exception)).collect();
        Self { report, rules, files, exceptions }
    }

    /// The result of a finding.
    pub(super) fn result(&self, finding: &Finding) -> Value {
        known(json!({
            "ruleId": text(&finding.rule),
            "ruleIndex": self.rules.place(&finding.rule),
            "level": shown(finding),
            "message": { "text": message(finding) },
            "locations": [{
                "physicalLocation": self.files.physical(finding.manifest.as_ref()),
                "logicalLocations": logical(finding),
            }],
            "partialFingerprints": fingerprints(finding),
            "baselineState": self.since_baseline(finding),
            "suppressions": self.suppressions(finding),
            "provenance": finding.first_seen.as_deref().and_then(utc).map(|at| json!({ "firstDetectionTimeUtc": at })),
            "properties": properties(finding),
        }))
    }

    /// Against the report before this one, where there is one; then every result has it.
    fn since_baseline(&self, finding: &Finding) -> Option<&'static str> {
        let state = if is_new(self.report, finding) { "new" } else { "unchanged" };
        self.report.run.previous.as_ref().map(|_| state)
    }

    fn suppressions(&self, finding: &Finding) -> Vec<Value> {
        if finding.verdict != Verdict::Waived {
            return Vec::new();
        }
        let id = finding.exception.as_deref().unwrap_or("an exception");
        let justification =
            self.exceptions.get(id).map_or_else(|| text(id), |exception| justification(exception));
        vec![json!({ "kind": "external", "status": "accepted", "justification": justification })]
    }
}

/// The level: of what is wrong its severity's; of what is in doubt at most a warning, as nobody knows that anything is
/// wrong; of what only warns, a note.
fn shown(finding: &Finding) -> &'static str {
    match (finding.verdict, finding.severity) {
        (Verdict::Fail | Verdict::Waived, severity) => level(severity),
        (
            Verdict::Inconclusive | Verdict::NotCovered,
            Severity::Critical | Severity::High | Severity::Medium,
        ) => "warning",
        (Verdict::Inconclusive | Verdict::NotCovered | Verdict::Pass | Verdict::PassBySilence, _) => "note",
    }
}

/// The first sentence says what and where: code scanning shows it alone where there is little room.
fn message(finding: &Finding) -> String {
    let head = match finding.verdict {
        Verdict::Fail => String::new(),
        Verdict::Inconclusive => "Could not be decided: ".to_owned(),
        Verdict::NotCovered => "Not looked at: ".to_owned(),
        Verdict::Waived => {
            format!("Accepted by {}: ", text(finding.exception.as_deref().unwrap_or("an exception")))
        }
        Verdict::Pass | Verdict::PassBySilence => "Warning: ".to_owned(),
    };
    let place = subject(finding).map(|subject| format!(" ({subject})")).unwrap_or_default();
    let mut sentences = vec![format!("{head}{}{place}.", text(&finding.title))];
    let mut say = |label: &str, field: &str| {
        sentences
            .extend(maybe(Some(field)).map(|field| format!("{label}: {}.", field.trim_end_matches('.'))));
    };
    say("Severity", finding.severity.word());
    say("Declared", &finding.expected);
    say("Seen", &finding.observed);
    say("Owner", finding.owner.as_deref().unwrap_or_default());
    say("What to do", &finding.remedy);
    unlinked(&sentences.join(" "))
}

/// Without `[words](target)`, which every SARIF text may use for a link (section 3.11.6), and which a banner must not.
/// Braces stay: they are placeholders only in a message that has arguments.
fn unlinked(text: &str) -> String {
    text.replace("](", "] (")
}

/// Host and endpoint. Their full names are what a network knows them by.
fn logical(finding: &Finding) -> Vec<Value> {
    let place = finding.address.as_deref().or(finding.host.as_deref());
    let mut named = Vec::new();
    let mut add = |name: &str, full: &str| {
        if let Some(full) = maybe(Some(full)) {
            named.push(json!({ "name": text(name), "fullyQualifiedName": full, "kind": "resource" }));
        }
    };
    if let Some(host) = finding.host.as_deref() {
        add(host, host);
    }
    match (place, finding.protocol, finding.port) {
        (Some(place), Some(protocol), Some(port)) => {
            add(&format!("{port}/{protocol}"), &endpoint(place, protocol, port));
        }
        (Some(place), ..) if finding.host.as_deref() != Some(place) => add(place, place),
        _ => {}
    }
    named
}

/// What makes it the same alert as in the run before. Code scanning reads `primaryLocationLineHash` only; without it
/// the upload makes one from the manifest's line, and takes all open ports of one target for one alert.
fn fingerprints(finding: &Finding) -> Value {
    let id = text(&finding.id);
    json!({ "primaryLocationLineHash": format!("{id}:1"), "portproof/v1": id })
}

fn justification(exception: &ExceptionRecord) -> String {
    let dated = |who: &Option<String>, when: &Option<String>| match (who, when) {
        (Some(who), Some(when)) => format!("{who} on {when}"),
        (Some(who), None) => who.clone(),
        (None, _) => "nobody named".to_owned(),
    };
    text(&format!(
        "{}: {}; requested by {}, approved by {}{}, until {}",
        exception.id,
        exception.reason,
        dated(&exception.requested_by, &exception.requested_on),
        dated(&exception.approved_by, &exception.approved_on),
        exception.ticket.as_ref().map(|ticket| format!(" ({ticket})")).unwrap_or_default(),
        exception.expires,
    ))
}

fn properties(finding: &Finding) -> Value {
    let mut tags: Vec<String> =
        finding.tags.iter().map(|tag| text(tag)).filter(|tag| !tag.is_empty()).collect();
    tags.sort();
    tags.dedup();
    json!({
        "verdict": finding.verdict.word(),
        "severity": finding.severity.word(),
        "security-severity": score(finding.severity),
        "target": maybe(finding.target.as_deref()),
        "cause": maybe(finding.cause.as_deref()),
        "exception": maybe(finding.exception.as_deref()),
        "tags": tags,
    })
}
