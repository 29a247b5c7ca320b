//! One event each for the run, a finding, an endpoint that conforms. The members stand where AWS Security Hub and the
//! lakes look for them; what OCSF has no place for is under `unmapped`.

use serde_json::{Value, json};

use super::place::Place;
use crate::{
    model::{Severity, Verdict, rule},
    report::{
        Finding, ObservationRecord, Outcome, Report,
        exchange::{Ids, endpoint, maybe, millis, subject, text},
        headline::verdict_sentence,
    },
};

/// The version of OCSF that AWS Security Hub speaks.
const VERSION: &str = "1.6.0";

/// Makes events of a report.
pub(super) struct Events<'a> {
    report: &'a Report,
    ids: Ids,
}

/// What came of one check, in OCSF's numbers and words.
#[derive(Clone, Copy)]
struct Status {
    id: u8,
    word: &'static str,
    /// Where it stands with those who work on it: 1 new, 3 suppressed, 4 resolved.
    lifecycle: (u8, &'static str),
}

impl Status {
    const PASS: Self = Self { id: 1, word: "Pass", lifecycle: (1, "New") };
    const WARNING: Self = Self { id: 2, word: "Warning", lifecycle: (1, "New") };
    const FAIL: Self = Self { id: 3, word: "Fail", lifecycle: (1, "New") };
    /// What an exception accepts neither passes nor fails.
    const WAIVED: Self = Self { id: 99, word: "Waived", lifecycle: (3, "Suppressed") };

    /// Of a finding: one that is a pass is a warning.
    fn of(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Fail => Self::FAIL,
            Verdict::Inconclusive | Verdict::NotCovered | Verdict::Pass | Verdict::PassBySilence => {
                Self::WARNING
            }
            Verdict::Waived => Self::WAIVED,
        }
    }
}

/// What differs from event to event.
struct Told<'a> {
    uid: &'a str,
    title: String,
    description: Option<String>,
    severity: (u8, &'static str),
    status: Status,
    /// The verdict in our word.
    verdict: &'a str,
    details: Vec<String>,
    place: Place<'a>,
}

impl<'a> Events<'a> {
    /// Of a report.
    pub(super) fn of(report: &'a Report) -> Self {
        Self { report, ids: Ids::of(report) }
    }

    /// The run: its outcome, whether anything was found or not.
    pub(super) fn run(&self) -> Value {
        let report = self.report;
        let outcome = report.summary.result;
        let manifest = &report.run.manifest;
        let of = manifest.name.as_deref().or(manifest.path.as_deref()).unwrap_or("no manifest");
        let vantage = report.run.vantage.as_deref().unwrap_or_default();
        self.event(
            &Told {
                // The same from run to run, so that a new outcome takes the place of the one before.
                uid: &format!("run:{}:{}", text(of), text(vantage)),
                title: text(&report.summary.headline),
                description: Some(text(&verdict_sentence(report))),
                severity: severity(report.summary.findings.worst().filter(|_| outcome != Outcome::Conforms)),
                status: match outcome {
                    Outcome::Conforms => Status::PASS,
                    Outcome::Inconclusive => Status::WARNING,
                    Outcome::Deviates => Status::FAIL,
                },
                verdict: outcome.word(),
                details: Vec::new(),
                place: Place::default(),
            },
            json!({
                "unmapped": {
                    "exit_code": report.summary.exit_code,
                    "partial": report.run.partial,
                    "verdicts": report.summary.verdicts,
                    "planned": report.coverage.planned,
                    "manifest_sha256": manifest.sha256,
                },
            }),
        )
    }

    /// A finding.
    pub(super) fn finding(&self, finding: &Finding) -> Value {
        let status = Status::of(finding.verdict);
        let severity = severity(Some(finding.severity));
        let known = rule(&finding.rule);
        let place = Place {
            address: finding.address.as_deref(),
            host: finding.host.as_deref(),
            endpoint: finding.protocol.zip(finding.port),
        };
        let details = [("declared", &finding.expected), ("seen", &finding.observed)];
        let details = details
            .into_iter()
            .filter_map(|(label, words)| Some(format!("{label}: {}", maybe(Some(words))?)));
        self.event(
            &Told {
                uid: &text(&finding.id),
                title: text(&finding.title),
                description: maybe(Some(&finding.message)),
                severity,
                status,
                verdict: finding.verdict.word(),
                details: details.collect(),
                place,
            },
            json!({
                "check": {
                    "uid": text(&finding.rule),
                    "name": known.map(|rule| rule.name),
                    "status_id": status.id,
                    "status": status.word,
                    "severity_id": severity.0,
                    "severity": severity.1,
                },
                "first_seen_time": finding.first_seen.as_deref().and_then(millis),
                "types": [finding.kind],
                "evidences": place.evidences(&finding.evidence),
                "resource": place.resource(finding.owner.as_deref(), &finding.tags),
                "remedy": maybe(Some(&finding.remedy)),
                "unmapped": {
                    "verdict": finding.verdict.word(),
                    "subject": subject(finding),
                    "target": maybe(finding.target.as_deref()),
                    "also": finding.also.iter().map(|target| text(target)).collect::<Vec<_>>(),
                    "cause": maybe(finding.cause.as_deref()),
                    "exception": maybe(finding.exception.as_deref()),
                    "manifest": finding.manifest.as_ref().map(|place| text(&place.to_string())),
                },
            }),
        )
    }

    /// An endpoint that is as it should be.
    pub(super) fn conforming(&self, seen: &ObservationRecord) -> Value {
        let named = endpoint(&seen.address, seen.protocol, seen.port);
        let place =
            Place { address: Some(&seen.address), host: None, endpoint: Some((seen.protocol, seen.port)) };
        self.event(
            &Told {
                uid: &format!("endpoint:{}", text(&named)),
                title: text(&format!("{named} is {}, and that conforms to the manifest", seen.state)),
                description: None,
                severity: severity(None),
                status: Status::PASS,
                verdict: seen.verdict.word(),
                details: vec![format!("seen: {}, {}", seen.state, text(&seen.reason))],
                place,
            },
            json!({
                "evidences": place.evidences(&[]),
                "resource": place.resource(None, &[]),
                "unmapped": { "verdict": seen.verdict.word(), "service": maybe(seen.service.as_deref()) },
            }),
        )
    }

    /// The members that all events have, and where those of `own` belong.
    fn event(&self, told: &Told<'_>, mut own: Value) -> Value {
        let run = &self.report.run;
        let tool = &self.report.tool;
        let mut own = |name: &str| own.get_mut(name).map(Value::take);
        let listed =
            |value: Option<Value>| value.filter(|value| !value.is_null()).map(|value| json!([value]));
        let check = own("check");
        let rule = check.as_ref().and_then(|check| check.get("uid")).cloned();
        let time = millis(&run.finished_at).or_else(|| millis(&run.started_at)).unwrap_or_default();
        let product =
            json!({ "name": text(&tool.name), "vendor_name": "portproof", "version": text(&tool.version) });
        json!({
            "activity_id": 1,
            "category_uid": 2,
            "class_uid": 2003,
            "class_name": "Compliance Finding",
            "type_uid": 200_301,
            "time": time,
            "start_time": millis(&run.started_at),
            "end_time": millis(&run.finished_at),
            "severity_id": told.severity.0,
            "severity": told.severity.1,
            "status_id": told.status.lifecycle.0,
            "status": told.status.lifecycle.1,
            "message": told.title,
            "metadata": {
                "version": VERSION,
                "product": product,
                "uid": self.ids.id("event", told.uid),
                "correlation_uid": text(&run.id),
                "event_code": rule,
                "original_time": maybe(Some(&run.finished_at)),
            },
            "compliance": {
                "status_id": told.status.id,
                "status": told.status.word,
                "status_code": told.verdict,
                "status_details": told.details,
                "checks": listed(check),
            },
            "finding_info": {
                "uid": told.uid,
                "title": told.title,
                "desc": told.description,
                "types": own("types"),
                "first_seen_time": own("first_seen_time"),
                "last_seen_time": millis(&run.finished_at),
            },
            "evidences": own("evidences"),
            "resources": listed(own("resource")),
            "observables": told.place.observables(),
            "remediation": own("remedy").filter(|remedy| !remedy.is_null()).map(|remedy| json!({ "desc": remedy })),
            "unmapped": own("unmapped"),
        })
    }
}

/// OCSF's number and word; informational where nothing is wrong.
fn severity(severity: Option<Severity>) -> (u8, &'static str) {
    match severity {
        None => (1, "Informational"),
        Some(Severity::Low) => (2, "Low"),
        Some(Severity::Medium) => (3, "Medium"),
        Some(Severity::High) => (4, "High"),
        Some(Severity::Critical) => (5, "Critical"),
    }
}
