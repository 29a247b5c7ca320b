//! One event each for the run, a finding, an endpoint that conforms. The members stand where AWS Security Hub and the
//! lakes look for them; what OCSF has no place for is under `unmapped`.

use serde_json::json;

use super::{
    object::{Check, Compliance, Event, FindingInfo, Metadata, Product, Remediation, Unmapped},
    place::Place,
};
use crate::{
    model::{Severity, Verdict, rule},
    report::{
        Finding, ObservationRecord, Outcome, Report,
        exchange::{Ids, endpoint, known, maybe, millis, subject, text},
        statement::Statement,
    },
};

/// The version of OCSF that AWS Security Hub speaks.
const VERSION: &str = "1.6.0";

/// Makes events of a report.
pub(super) struct Events<'a> {
    report: &'a Report,
    ids: Ids,
    product: Product,
    /// The run's id.
    run: String,
    /// As the report writes it.
    finished: Option<String>,
    /// In milliseconds since 1970.
    start: Option<i64>,
    end: Option<i64>,
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

impl<'a> Events<'a> {
    /// Of a report.
    pub(super) fn of(report: &'a Report) -> Self {
        let run = &report.run;
        Self {
            report,
            ids: Ids::of(report),
            product: Product {
                name: text(&report.tool.name),
                vendor_name: "portproof",
                version: text(&report.tool.version),
            },
            run: text(&run.id),
            finished: maybe(Some(&run.finished_at)),
            start: millis(&run.started_at),
            end: millis(&run.finished_at),
        }
    }

    /// The run: its outcome, whether anything was found or not.
    pub(super) fn run(&self) -> Event<'_> {
        let report = self.report;
        let said = Statement::of(report);
        let outcome = said.outcome();
        let manifest = &report.run.manifest;
        let of = manifest.name.as_deref().or(manifest.path.as_deref()).unwrap_or("no manifest");
        let vantage = report.run.vantage.as_deref().unwrap_or_default();
        let status = match outcome {
            Outcome::Conforms => Status::PASS,
            Outcome::Inconclusive => Status::WARNING,
            Outcome::Deviates => Status::FAIL,
        };
        let unmapped = Unmapped::Run(known(json!({
            "exit_code": report.summary.exit_code,
            "partial": report.run.partial,
            "verdicts": report.summary.verdicts,
            "planned": report.coverage.planned,
            "manifest_sha256": manifest.sha256,
        })));
        // The same from run to run, so that a new outcome takes the place of the one before.
        let uid = format!("run:{}:{}", text(of), text(vantage));
        let worst = report.summary.findings.worst().filter(|_| outcome != Outcome::Conforms);
        let title = text(&said.headline());
        let mut event = self.event(uid, title, severity(worst), status, outcome.word(), unmapped);
        event.finding_info.desc = Some(text(&said.sentence()));
        event
    }

    /// A finding.
    pub(super) fn finding(&self, finding: &Finding) -> Event<'_> {
        let status = Status::of(finding.verdict);
        let severity = severity(Some(finding.severity));
        let verdict = finding.verdict.word();
        let place = Place {
            address: finding.address.as_deref(),
            host: finding.host.as_deref(),
            endpoint: finding.protocol.zip(finding.port),
        };
        let details = [("declared", &finding.expected), ("seen", &finding.observed)];
        let details = details
            .into_iter()
            .filter_map(|(label, words)| Some(format!("{label}: {}", maybe(Some(words))?)));
        let unmapped = Unmapped::Finding {
            verdict,
            subject: subject(finding),
            target: maybe(finding.target.as_deref()),
            also: finding.also.iter().map(|target| text(target)).collect(),
            cause: maybe(finding.cause.as_deref()),
            exception: maybe(finding.exception.as_deref()),
            manifest: finding.manifest.as_ref().map(|place| text(&place.to_string())),
        };
        let event = self.event(text(&finding.id), text(&finding.title), severity, status, verdict, unmapped);
        Event {
            metadata: Metadata { event_code: Some(text(&finding.rule)), ..event.metadata },
            compliance: Compliance {
                status_details: details.collect(),
                checks: Some([Check {
                    uid: text(&finding.rule),
                    name: rule(&finding.rule).map(|rule| rule.name),
                    status_id: status.id,
                    status: status.word,
                    severity_id: severity.0,
                    severity: severity.1,
                }]),
                ..event.compliance
            },
            finding_info: FindingInfo {
                desc: maybe(Some(&finding.message)),
                types: Some([finding.kind]),
                first_seen_time: finding.first_seen.as_deref().and_then(millis),
                ..event.finding_info
            },
            evidences: place.evidences(&finding.evidence),
            resources: place.resource(finding.owner.as_deref(), &finding.tags),
            observables: place.observables(),
            remediation: maybe(Some(&finding.remedy)).map(|desc| Remediation { desc }),
            ..event
        }
    }

    /// An endpoint that is as it should be.
    pub(super) fn conforming(&self, seen: &ObservationRecord) -> Event<'_> {
        let named = endpoint(&seen.address, seen.protocol, seen.port);
        let place =
            Place { address: Some(&seen.address), host: None, endpoint: Some((seen.protocol, seen.port)) };
        let verdict = seen.verdict.word();
        let unmapped = Unmapped::Endpoint { verdict, service: maybe(seen.service.as_deref()) };
        let uid = format!("endpoint:{}", text(&named));
        let title = text(&format!("{named} is {}, and that conforms to the manifest", seen.state));
        let mut event = self.event(uid, title, severity(None), Status::PASS, verdict, unmapped);
        event.compliance.status_details = vec![format!("seen: {}, {}", seen.state, text(&seen.reason))];
        event.evidences = place.evidences(&[]);
        event.resources = place.resource(None, &[]);
        event.observables = place.observables();
        event
    }

    /// An event about nothing in particular yet.
    fn event(
        &self,
        uid: String,
        title: String,
        severity: (u8, &'static str),
        status: Status,
        verdict: &'static str,
        unmapped: Unmapped,
    ) -> Event<'_> {
        Event {
            activity_id: 1,
            category_uid: 2,
            class_uid: 2003,
            class_name: "Compliance Finding",
            type_uid: 200_301,
            time: self.end.or(self.start).unwrap_or_default(),
            start_time: self.start,
            end_time: self.end,
            severity_id: severity.0,
            severity: severity.1,
            status_id: status.lifecycle.0,
            status: status.lifecycle.1,
            message: title.clone(),
            metadata: Metadata {
                version: VERSION,
                product: &self.product,
                uid: self.ids.id("event", &uid),
                correlation_uid: &self.run,
                event_code: None,
                original_time: self.finished.as_deref(),
            },
            compliance: Compliance {
                status_id: status.id,
                status: status.word,
                status_code: verdict,
                status_details: Vec::new(),
                checks: None,
            },
            finding_info: FindingInfo {
                uid,
                title,
                desc: None,
                types: None,
                first_seen_time: None,
                last_seen_time: self.end,
            },
            evidences: Vec::new(),
            resources: None,
            observables: Vec::new(),
            remediation: None,
            unmapped,
        }
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
