//! Gauges for `node_exporter`'s textfile collector, in the text exposition format 0.0.4. Few series: a target and a
//! severity make one, a port never does. A figure that nobody measured is absent, not zero.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    io::{self, Write},
};

use jiff::Timestamp;

use super::{
    Outcome, Report, SeverityCounts, Statement,
    index::homes,
    restrictions::restrictions,
    statement::determined,
    words::{bounded, due, visible},
};
use crate::model::{Severity, State, Verdict};

/// The most characters of a label's value.
const LONGEST: usize = 128;

/// Writes the gauges. Every series carries the manifest's name and the vantage's, so that the files of several
/// manifests can lie in one folder.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page { common: common(report), text: String::new() };
    outcome(report, &mut page);
    findings(report, &mut page);
    coverage(report, &mut page);
    times(report, &mut page);
    certificates(report, &mut page);
    out.write_all(page.text.as_bytes())
}

/// The text so far, and the labels that every series has.
struct Page {
    common: String,
    text: String,
}

impl Page {
    /// Opens a metric.
    fn gauge(&mut self, name: &str, help: &str) {
        let _ = write!(self.text, "# HELP {name} {help}\n# TYPE {name} gauge\n"); // a String takes all
    }

    /// One series of it.
    fn series(&mut self, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        let labels: String = labels
            .iter()
            .map(|(key, value)| format!("{key}=\"{}\"", escaped(value)))
            .collect::<Vec<_>>()
            .join(",");
        let comma = if labels.is_empty() { "" } else { "," };
        let _ = writeln!(self.text, "{name}{{{}{comma}{labels}}} {value}", self.common);
    }

    /// A metric of one series.
    fn single(&mut self, name: &str, help: &str, value: impl std::fmt::Display) {
        self.gauge(name, help);
        self.series(name, &[], value);
    }

    /// A metric of one series, where it was measured.
    fn measured(&mut self, name: &str, help: &str, value: Option<f64>) {
        if let Some(value) = value.filter(|value| value.is_finite()) {
            self.single(name, help, value);
        }
    }
}

fn common(report: &Report) -> String {
    let manifest = &report.run.manifest;
    let manifest = manifest.name.as_deref().or(manifest.path.as_deref()).unwrap_or("");
    let vantage = report.run.vantage.as_deref().unwrap_or("");
    format!("manifest=\"{}\",vantage=\"{}\"", escaped(manifest), escaped(vantage))
}

fn outcome(report: &Report, page: &mut Page) {
    let name = "portproof_result";
    page.gauge(name, "The outcome of the run: 1 for the one that it is, 0 for the others.");
    let said = Statement::of(report).outcome();
    for outcome in [Outcome::Conforms, Outcome::Deviates, Outcome::Inconclusive] {
        let is_it = u8::from(said == outcome);
        page.series(name, &[("result", outcome.word())], is_it);
    }
    page.single("portproof_exit_code", "What the run exited with.", report.summary.exit_code);
    let partial = u8::from(report.run.partial);
    page.single("portproof_partial", "Whether the run did not reach its end.", partial);
    let restrictions: BTreeSet<String> = restrictions(report).iter().map(|text| shown(text)).collect();
    page.single("portproof_restrictions", "How much narrower or milder the run was.", restrictions.len());
    let name = "portproof_restriction";
    if !restrictions.is_empty() {
        page.gauge(name, "What restricts the outcome, as the headline says it; always 1.");
    }
    for restriction in &restrictions {
        page.series(name, &[("restriction", restriction)], 1);
    }
    let name = "portproof_build_info";
    page.gauge(name, "The program that ran; always 1.");
    let commit = report.tool.commit.as_deref().unwrap_or("");
    page.series(name, &[("version", &report.tool.version), ("commit", commit)], 1);
}

/// What fails is there for each target and severity, be it zero, so that an alert knows zero from no data; other
/// verdicts only where there are some.
fn findings(report: &Report, page: &mut Page) {
    let mut counts: BTreeMap<(String, &str), SeverityCounts> = BTreeMap::new();
    for target in &report.targets {
        counts.entry((shown(&target.id), Verdict::Fail.word())).or_default();
    }
    for finding in &report.findings {
        let target = shown(finding.target.as_deref().unwrap_or(""));
        counts.entry((target, finding.verdict.word())).or_default().add(finding.severity);
    }
    let name = "portproof_findings";
    if !counts.is_empty() {
        page.gauge(
            name,
            "Findings by target, severity and verdict; those with the verdict pass are warnings.",
        );
    }
    for ((target, verdict), counts) in &counts {
        for severity in Severity::ALL {
            let n = counts.of(severity);
            if n > 0 || *verdict == Verdict::Fail.word() {
                let labels =
                    [("target", target.as_str()), ("severity", severity.word()), ("verdict", verdict)];
                page.series(name, &labels, n);
            }
        }
    }
    let mut statuses = BTreeMap::from([("expired", 0_u64), ("ignored", 0), ("in_force", 0), ("pending", 0)]);
    for exception in &report.exceptions {
        *statuses.entry(&exception.status).or_default() += 1;
    }
    let name = "portproof_exceptions";
    page.gauge(name, "Exceptions of the manifest by status.");
    for (status, n) in statuses {
        page.series(name, &[("status", status)], n);
    }
}

fn coverage(report: &Report, page: &mut Page) {
    let coverage = &report.coverage;
    page.single("portproof_endpoints_planned", "Endpoints in the plan.", coverage.planned);
    let name = "portproof_endpoints";
    page.gauge(name, "Planned endpoints by the state in which they ended.");
    for state in State::ALL {
        page.series(name, &[("state", state.word())], coverage.states.of(state));
    }
    let name = "portproof_endpoints_judged";
    page.gauge(name, "Planned endpoints by verdict.");
    let verdicts = &report.summary.verdicts;
    for (verdict, n) in [
        (Verdict::Pass, verdicts.pass),
        (Verdict::PassBySilence, verdicts.pass_by_silence),
        (Verdict::Fail, verdicts.fail),
        (Verdict::Inconclusive, verdicts.inconclusive),
        (Verdict::NotCovered, verdicts.not_covered),
        (Verdict::Waived, verdicts.waived),
    ] {
        page.series(name, &[("verdict", verdict.word())], n);
    }
    if let Some(waived) = report.summary.waived {
        let name = "portproof_endpoints_waived";
        page.gauge(name, "Endpoints that deviate or are in doubt and fail nothing, by why.");
        for (by, n) in [
            ("exception", waived.by_exception),
            ("not_reported", waived.not_reported),
            ("only_warned", waived.only_warned),
        ] {
            page.series(name, &[("by", by)], n);
        }
    }
    page.single("portproof_endpoints_determined", "Endpoints beyond doubt.", determined(report));
    page.single("portproof_probes_sent", "Probes sent, repeats included.", coverage.probes_sent);
    page.single("portproof_send_errors", "Probes that failed on this machine.", coverage.send_errors);
    page.single(
        "portproof_kernel_drops",
        "Answers that the kernel threw away unread.",
        coverage.kernel_drops,
    );
    let (loss, miss) = (coverage.loss, coverage.miss.as_ref());
    page.measured("portproof_loss_ratio", "Packet loss, as estimated.", loss.map(|loss| loss.estimate));
    page.measured(
        "portproof_loss_upper_bound_ratio",
        "Packet loss, its 95 % bound.",
        loss.map(|loss| loss.upper95),
    );
    page.measured(
        "portproof_miss_upper_bound_ratio",
        "The chance that an open port was missed, its 95 % bound at the worst address.",
        miss.map(|miss| miss.upper95),
    );
}

fn times(report: &Report, page: &mut Page) {
    let run = &report.run;
    page.measured(
        "portproof_run_duration_seconds",
        "From the first probe to the last answer.",
        Some(report.coverage.duration_s),
    );
    for (name, help, time) in [
        ("portproof_run_started_timestamp_seconds", "When the run began.", seconds(&run.started_at)),
        ("portproof_run_finished_timestamp_seconds", "When the run ended.", seconds(&run.finished_at)),
        (
            "portproof_next_run_due_timestamp_seconds",
            "When the next run is due.",
            run.next_due.as_deref().and_then(due).map(Timestamp::as_second),
        ),
    ] {
        if let Some(seconds) = time {
            page.single(name, help, seconds);
        }
    }
}

/// The certificate of each target that ends first.
fn certificates(report: &Report, page: &mut Page) {
    let homes = homes(report);
    let mut ends: BTreeMap<String, i64> = BTreeMap::new();
    for seen in &report.observations {
        let sessions = seen.tls.iter().flat_map(|tls| &tls.sessions);
        let certificates = sessions.filter_map(|session| session.certificate.as_ref());
        let Some(end) = certificates.filter_map(|certificate| seconds(&certificate.not_after)).min() else {
            continue;
        };
        for (target, _) in homes.get(seen.address.as_str()).into_iter().flatten() {
            ends.entry(shown(&target.id)).and_modify(|first| *first = end.min(*first)).or_insert(end);
        }
    }
    if ends.is_empty() {
        return;
    }
    let name = "portproof_certificate_expiry_timestamp_seconds";
    page.gauge(name, "When the first certificate seen at a target ends.");
    for (target, end) in &ends {
        page.series(name, &[("target", target)], end);
    }
}

fn seconds(rfc3339: &str) -> Option<i64> {
    rfc3339.parse().ok().map(Timestamp::as_second)
}

/// Text as a label shows it. What it makes equal is one series, and is counted as one.
fn shown(text: &str) -> String {
    bounded(&visible(text), LONGEST).into_owned()
}

/// The value of a label between its quotes.
fn escaped(text: &str) -> String {
    shown(text).replace('\\', "\\\\").replace('"', "\\\"")
}
