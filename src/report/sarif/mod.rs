//! The findings as SARIF 2.1.0 (OASIS), for code scanning: each at the line of the manifest that it contradicts.
//! An endpoint is never named as a file, and what is left out is said.

mod place;
mod results;
mod rules;

use std::{
    cmp::Reverse,
    io::{self, Write},
};

use serde::Serialize;
use serde_json::{Value, json};

use self::{place::Files, results::Results, rules::Rules};
use super::{
    Finding, Report,
    exchange::{Lazily, known, text, utc},
    restrictions::restrictions,
    statement::{Statement, origin, partial_sentence},
    words::{capital, count, thousands},
};
use crate::model::{Severity, Verdict};

/// Code scanning refuses a run with more results, and shows the worst 5,000 of them.
const MOST_RESULTS: usize = 25_000;

#[derive(Serialize)]
struct Log<R> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<R>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<R> {
    tool: Value,
    automation_details: Value,
    column_kind: &'static str,
    invocations: [Value; 1],
    properties: Value,
    results: R,
}

/// Writes the findings. What conforms is no result: code scanning would show it as an alert.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let (chosen, left) = chosen(report);
    let rules = Rules::of(report);
    let files = Files::of(report);
    let results = Results::of(report, &rules, &files);
    let said = Statement::of(report);
    let log = Log {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [Run {
            tool: tool(report, &rules),
            automation_details: json!({ "id": category(report, &files) }),
            // The manifest's columns count characters.
            column_kind: "unicodeCodePoints",
            invocations: [invocation(report, &files, &said, &left)],
            properties: properties(report, &said),
            results: Lazily(|| chosen.iter().map(|finding| results.result(finding))),
        }],
    };
    serde_json::to_writer(&mut *out, &log)?;
    out.write_all(b"\n")
}

/// The findings that fit, and those that don't: what is wrong stays before what is in doubt, the worst first.
fn chosen(report: &Report) -> (Vec<&Finding>, Vec<&Finding>) {
    let mut findings: Vec<&Finding> = report.findings.iter().collect();
    if findings.len() <= MOST_RESULTS {
        return (findings, Vec::new());
    }
    let weight = |verdict| match verdict {
        Verdict::Fail => 0,
        Verdict::Inconclusive | Verdict::NotCovered => 1,
        Verdict::Pass | Verdict::PassBySilence => 2,
        Verdict::Waived => 3,
    };
    findings.sort_by_key(|finding| (weight(finding.verdict), Reverse(finding.severity)));
    let left = findings.split_off(MOST_RESULTS);
    (findings, left)
}

fn tool(report: &Report, rules: &Rules<'_>) -> Value {
    let tool = &report.tool;
    known(json!({
        "driver": {
            "name": text(&tool.name),
            "version": text(&tool.version),
            "semanticVersion": text(&tool.version),
            "properties": { "commit": tool.commit, "sha256": tool.sha256 },
            "rules": rules.descriptors(),
        }
    }))
}

/// `portproof/edge.yaml/internet/RUN`: all before the last slash is the category, by which code scanning keeps apart
/// what other manifests and vantages say; a new run replaces the one before it in its category.
fn category(report: &Report, files: &Files) -> String {
    let vantage = report.run.vantage.as_deref().unwrap_or("default");
    let part = |text: &str| place::encoded(text).replace("%2F", "-");
    format!("portproof/{}/{}/{}", part(files.manifest()), part(vantage), part(&report.run.id))
}

fn invocation(report: &Report, files: &Files, said: &Statement<'_>, left: &[&Finding]) -> Value {
    let note = |level: &str, text: &str| json!({ "level": level, "message": { "text": self::text(text) } });
    let mut execution = Vec::new();
    execution.extend(partial_sentence(report).map(|sentence| note("error", &sentence)));
    execution.extend(said.contradiction().map(|why| note("error", &format!("{}.", capital(why)))));
    if !left.is_empty() {
        let wrong = left.iter().filter(|finding| finding.verdict == Verdict::Fail).count();
        let worst = left.iter().map(|finding| finding.severity).max().unwrap_or(Severity::Low);
        execution.push(note(
            "warning",
            &format!(
                "{} not in this file, because code scanning takes {} results of a run and no more: {} of them wrong, \
                 the worst of severity {worst}. The JSON report holds them all.",
                count(left.len() as u64, "finding is", "findings are"),
                thousands(MOST_RESULTS as u64),
                thousands(wrong as u64),
            ),
        ));
    }
    let mut configuration: Vec<Value> = restrictions(report)
        .into_iter()
        .map(|restriction| note("note", &format!("The outcome holds under a restriction: {restriction}.")))
        .collect();
    configuration.extend(report.run.fallbacks.iter().map(|fallback| {
        note("note", &format!("{} was used and not {}: {}.", fallback.used, fallback.asked, fallback.why))
    }));
    configuration.extend(files.remark().map(|remark| note("note", &remark)));
    known(json!({
        "executionSuccessful": !report.run.partial,
        "exitCode": report.summary.exit_code,
        "startTimeUtc": utc(&report.run.started_at),
        "endTimeUtc": utc(&report.run.finished_at),
        "toolExecutionNotifications": execution,
        "toolConfigurationNotifications": configuration,
    }))
}

/// What a reader of the results must know that no result says.
fn properties(report: &Report, said: &Statement<'_>) -> Value {
    known(json!({
        "result": said.outcome().word(),
        "headline": text(&said.headline()),
        "origin": origin(report).as_deref().map(text),
        "verdicts": report.summary.verdicts,
        "manifestSha256": report.run.manifest.sha256,
        "manifestCommit": report.run.manifest.git.as_ref().map(|git| &git.commit),
    }))
}
