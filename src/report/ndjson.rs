//! One JSON object a line, for jq, Loki, Splunk and whatever else reads a stream. Every line stands alone:
//! `record` (what it is), `schema`, `run_id`, `time` (RFC 3339, UTC) and `result` come first.
//!
//! The first line is the `run`; then `left_out`, `declared`, `exception`, `address`, `finding`, `observation` and
//! `control` (of a policy; what the run shows of it), each with the fields that the JSON report gives it and the target
//! it belongs to; the `summary` is last, and a stream without it is cut off: `{"record": "summary", ..., "summary": {..., "coverage": {...}}}`.

use std::{
    collections::HashMap,
    io::{self, Write},
};

use serde::Serialize;
use serde_json::{Serializer, ser::Formatter};

use super::{
    AddressRecord, AuthorizationRecord, ComplianceRecord, ControlRecord, CoverageRecord, Declared,
    ExceptionRecord, Finding, NotScanned, ObservationRecord, Report, Run, Statement, Summary, Tool,
    index::homes, words::is_hostile,
};

/// Writes the lines.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let (began, ended) = (report.run.started_at.as_str(), report.run.finished_at.as_str());
    let said = Statement::of(report);
    let mut lines = Lines { report, result: said.outcome().word(), out };
    let Report { tool, run, authorization, policy, .. } = report;
    lines.add("run", began, &RunLine { tool, authorization, policy: policy.as_deref(), run })?;
    for left in &report.not_scanned {
        lines.add("left_out", ended, &Body::<NotScanned>::from(left))?;
    }
    for entry in &report.declared {
        lines.add("declared", began, &Body::<Declared>::from(entry))?;
    }
    for exception in &report.exceptions {
        lines.add("exception", began, &Body::<ExceptionRecord>::from(exception))?;
    }
    for target in &report.targets {
        let (owner, tags) = (target.owner.as_deref(), target.tags.as_slice());
        for place in &target.addresses {
            lines.add("address", ended, &AddressLine { target: &target.id, owner, tags, place })?;
        }
    }
    for finding in &report.findings {
        let time = finding.evidence.last().map_or(ended, |last| last.at.as_str());
        lines.add("finding", time, &Body::<Finding>::from(finding))?;
    }
    let homes = homes(report);
    for seen in &report.observations {
        let time = seen.first_seen_at.as_deref().unwrap_or(ended);
        lines.add("observation", time, &ObservationLine::new(seen, &homes))?;
    }
    for policy in &report.compliance {
        for control in &policy.controls {
            lines.add("control", ended, &ControlLine::new(policy, control))?;
        }
    }
    lines.add(
        "summary",
        ended,
        &SummaryLine { summary: Totals::of(report), contradiction: said.contradiction() },
    )
}

/// What every line begins with.
#[derive(Serialize)]
struct Line<'a, T> {
    record: &'static str,
    schema: &'a str,
    run_id: &'a str,
    time: &'a str,
    result: &'static str,
    #[serde(flatten)]
    body: &'a T,
}

/// A part of the report, with its own fields and no others.
#[derive(Serialize)]
struct Body<'a, T> {
    #[serde(flatten)]
    part: &'a T,
}

impl<'a, T> From<&'a T> for Body<'a, T> {
    fn from(part: &'a T) -> Self {
        Self { part }
    }
}

#[derive(Serialize)]
struct RunLine<'a> {
    tool: &'a Tool,
    authorization: &'a AuthorizationRecord,
    policy: Option<&'a str>,
    run: &'a Run,
}

#[derive(Serialize)]
struct AddressLine<'a> {
    target: &'a str,
    owner: Option<&'a str>,
    tags: &'a [String],
    #[serde(flatten)]
    place: &'a AddressRecord,
}

/// An observation, with the targets that its address belongs to: the first, and the others.
#[derive(Serialize)]
struct ObservationLine<'a> {
    target: Option<&'a str>,
    also: Vec<&'a str>,
    host: Option<&'a str>,
    owner: Option<&'a str>,
    #[serde(flatten)]
    seen: &'a ObservationRecord,
}

impl<'a> ObservationLine<'a> {
    fn new(
        seen: &'a ObservationRecord,
        homes: &HashMap<&'a str, Vec<(&'a super::TargetRecord, &'a AddressRecord)>>,
    ) -> Self {
        let homes = homes.get(seen.address.as_str()).map_or(&[][..], Vec::as_slice);
        let first = homes.first();
        Self {
            target: first.map(|(target, _)| target.id.as_str()),
            also: homes.iter().skip(1).map(|(target, _)| target.id.as_str()).collect(),
            host: first.and_then(|(_, place)| place.name.as_deref()),
            owner: first.and_then(|(target, _)| target.owner.as_deref()),
            seen,
        }
    }
}

/// A control, with the policy that it belongs to.
#[derive(Serialize)]
struct ControlLine<'a> {
    policy: &'a str,
    framework: &'a str,
    title: &'a str,
    edition: &'a str,
    #[serde(flatten)]
    control: &'a ControlRecord,
}

impl<'a> ControlLine<'a> {
    fn new(policy: &'a ComplianceRecord, control: &'a ControlRecord) -> Self {
        let ComplianceRecord { policy, framework, title, edition, .. } = policy;
        Self { policy, framework, title, edition, control }
    }
}

#[derive(Serialize)]
struct SummaryLine<'a> {
    summary: Totals<'a>,
    /// Why what the summary says must not be believed; only of a report that somebody altered.
    #[serde(skip_serializing_if = "Option::is_none")]
    contradiction: Option<&'a str>,
}

#[derive(Serialize)]
struct Totals<'a> {
    #[serde(flatten)]
    summary: &'a Summary,
    coverage: CoverageRecord,
}

impl<'a> Totals<'a> {
    /// The totals of the run; those of an address are on its own line, so that none grows without bound.
    fn of(report: &'a Report) -> Self {
        let coverage = CoverageRecord {
            port_sets: report.coverage.port_sets.clone(),
            loss: report.coverage.loss,
            miss: report.coverage.miss.clone(),
            congestion: report.coverage.congestion.clone(),
            per_address: Vec::new(),
            ..report.coverage
        };
        Self { summary: &report.summary, coverage }
    }
}

struct Lines<'a> {
    report: &'a Report,
    /// As far as it may be repeated; the summary holds what the report says of itself.
    result: &'static str,
    out: &'a mut dyn Write,
}

impl Lines<'_> {
    fn add<T: Serialize>(&mut self, record: &'static str, time: &str, body: &T) -> io::Result<()> {
        let Report { schema, run, .. } = self.report;
        let line = Line { record, schema, run_id: &run.id, time, result: self.result, body };
        line.serialize(&mut Serializer::with_formatter(&mut *self.out, OneLine))?;
        self.out.write_all(b"\n")
    }
}

/// JSON in which a line is a line to every reader: what JSON would let stand and others take for an end of line,
/// an escape sequence or a change of direction is written `\u2028`, and reads back as it was.
struct OneLine;

impl Formatter for OneLine {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(is_hostile) {
            let (plain, tail) = rest.split_at(at);
            out.write_all(plain.as_bytes())?;
            let mut tail = tail.chars();
            for unit in tail.next().into_iter().flat_map(|c| c.encode_utf16(&mut [0; 2]).to_vec()) {
                write!(out, "\\u{unit:04x}")?;
            }
            rest = tail.as_str();
        }
        out.write_all(rest.as_bytes())
    }
}
