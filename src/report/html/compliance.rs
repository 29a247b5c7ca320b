//! The appendix on policies: what each control asks, what this run shows of it, what else is needed.
//! The judgement stands in the report; here it is only set.

use std::collections::HashMap;

use serde::Serialize;

use super::{
    super::{
        ComplianceRecord, ControlRecord, Finding, Report,
        compliance::tally,
        words::{count, thousands},
    },
    card::anchor,
};
use crate::{
    model::{Kind, Verdict},
    verify::Status,
};

/// So many findings, and so many entries, are named a control; the report has all of them.
const NAMED: usize = 5;
/// The first so many findings of a target certainly have a card of their own, and so an anchor.
const CARDED: usize = 5;

/// One table a policy.
#[derive(Serialize)]
pub(super) struct Policy {
    id: String,
    name: String,
    title: String,
    /// How many controls of each status.
    sum: String,
    notes: Vec<String>,
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    id: String,
    asks: String,
    status: &'static str,
    /// The class that colours it.
    tone: &'static str,
    support: &'static str,
    because: Vec<String>,
    findings: Vec<Named>,
    more: Option<String>,
    /// The entries that name it, `www 443/tcp` each, and how many more there are.
    entries: Option<String>,
    also: String,
}

/// A finding in a few words, with the way to its card where it has one.
#[derive(Serialize)]
struct Named {
    text: String,
    anchor: Option<String>,
}

/// One table a policy in force; none where the manifest names none.
pub(super) fn build(report: &Report) -> Vec<Policy> {
    if report.compliance.is_empty() {
        return Vec::new();
    }
    let mut ranks: HashMap<Option<&str>, usize> = HashMap::new();
    let named: HashMap<&str, (&Finding, bool)> = report
        .findings
        .iter()
        .map(|finding| {
            let rank = ranks.entry(finding.target.as_deref()).or_default();
            *rank += 1;
            let remark = finding.kind == Kind::Governance && finding.verdict == Verdict::Pass;
            (finding.id.as_str(), (finding, *rank <= CARDED && !remark))
        })
        .collect();
    report.compliance.iter().enumerate().map(|(i, record)| policy(i, record, &named)).collect()
}

fn policy(i: usize, record: &ComplianceRecord, named: &HashMap<&str, (&Finding, bool)>) -> Policy {
    Policy {
        id: format!("policy-{i}"),
        name: record.policy.clone(),
        title: format!("{} {}", record.title, record.edition),
        sum: format!(
            "{}: {}.",
            count(record.controls.len() as u64, "control", "controls"),
            tally(record.controls.iter())
        ),
        notes: record.notes.clone(),
        rows: record.controls.iter().map(|control| row(control, named)).collect(),
    }
}

fn row(control: &ControlRecord, named: &HashMap<&str, (&Finding, bool)>) -> Row {
    let shown: Vec<Named> = control
        .findings
        .iter()
        .filter_map(|id| named.get(id.as_str()))
        .take(NAMED)
        .map(|(finding, carded)| Named { text: few_words(finding), anchor: carded.then(|| anchor(finding)) })
        .collect();
    let left = control.bearing.saturating_sub(shown.len() as u64);
    Row {
        id: control.id.clone(),
        asks: control.asks.clone(),
        status: control.shows(),
        tone: match control.status {
            Status::Supported => "good",
            Status::Contradicted => "high",
            Status::Undetermined => "undecided",
        },
        support: control.support.word(),
        because: control.because.clone(),
        findings: shown,
        entries: entries(control),
        more: (left > 0).then(|| count(left, "more finding", "more findings")),
        also: control.also.clone(),
    }
}

/// `www 443/tcp, shop 443/tcp and 3 more`.
fn entries(control: &ControlRecord) -> Option<String> {
    let shown: Vec<String> =
        control.entries.iter().take(NAMED).map(|entry| format!("{} {}", entry.target, entry.ports)).collect();
    let left = control.mapped.saturating_sub(shown.len() as u64);
    let more = if left > 0 { format!(" and {} more", thousands(left)) } else { String::new() };
    (!shown.is_empty()).then(|| format!("{}{more}", shown.join(", ")))
}

/// `EXP001 www 203.0.113.10 8080/tcp`.
fn few_words(finding: &Finding) -> String {
    let mut parts = vec![finding.rule.clone()];
    parts.extend(finding.target.clone());
    parts.extend(finding.address.clone().or_else(|| finding.host.clone()));
    parts.extend(finding.protocol.zip(finding.port).map(|(protocol, port)| format!("{port}/{protocol}")));
    parts.join(" ")
}
