//! A table for spreadsheets: a row for the run, for each finding, and for each endpoint that was seen or is named, told
//! apart by the first column. RFC 4180, UTF-8, numbers as numbers, and no text that a spreadsheet would compute.

use std::{
    borrow::Cow,
    io::{self, Write},
};

use csv::{QuoteStyle, Terminator, WriterBuilder};
use serde::Serialize;

use super::{
    AddressRecord, Finding, ObservationRecord, Report, Statement, TargetRecord,
    index::{by_endpoint, homes},
    words::{bounded, visible},
};

/// Spreadsheets cut a cell at 32,767 characters, without a word.
const LONGEST: usize = 32_000;

/// Writes the table: its header, the run as a whole, the findings worst first, then the endpoints.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut table = WriterBuilder::new()
        .quote_style(QuoteStyle::NonNumeric) // where `;` separates, an unquoted cell would end at one
        .terminator(Terminator::CRLF)
        .has_headers(false)
        .from_writer(out);
    table.write_record(COLUMNS)?;
    let run_id = Text::from(report.run.id.as_str());
    table.serialize(Row { run_id: run_id.clone(), ..Row::of_run(&Statement::of(report), report) })?;
    let seen_at = by_endpoint(report);
    for finding in &report.findings {
        let seen = match (finding.address.as_deref(), finding.protocol, finding.port) {
            (Some(address), Some(protocol), Some(port)) => seen_at.get(&(address, protocol, port)).copied(),
            _ => None,
        };
        table.serialize(Row { run_id: run_id.clone(), ..Row::of_finding(finding, seen) })?;
    }
    let homes = homes(report);
    for seen in &report.observations {
        let home = homes.get(seen.address.as_str()).and_then(|homes| homes.first()).copied();
        table.serialize(Row { run_id: run_id.clone(), ..Row::of_endpoint(seen, home) })?;
    }
    table.flush()
}

/// The names of the columns, in order. Added to, never renamed: people's sheets refer to them.
const COLUMNS: [&str; 26] = [
    "record",
    "verdict",
    "severity",
    "rule",
    "title",
    "target",
    "owner",
    "tags",
    "host",
    "address",
    "protocol",
    "port",
    "state",
    "reason",
    "service",
    "expected",
    "observed",
    "remedy",
    "exception",
    "manifest",
    "seen_at",
    "rtt_ms",
    "attempts",
    "id",
    "run_id",
    "waived_by",
];

/// One row; a field that says nothing of its record is an empty cell.
#[derive(Default, Serialize)]
struct Row<'a> {
    record: Text<'a>,
    verdict: Text<'a>,
    severity: Text<'a>,
    rule: Text<'a>,
    title: Text<'a>,
    target: Text<'a>,
    owner: Text<'a>,
    tags: Text<'a>,
    host: Text<'a>,
    address: Text<'a>,
    protocol: Text<'a>,
    port: Option<u16>,
    state: Text<'a>,
    reason: Text<'a>,
    service: Text<'a>,
    expected: Text<'a>,
    observed: Text<'a>,
    remedy: Text<'a>,
    exception: Text<'a>,
    manifest: Text<'a>,
    seen_at: Text<'a>,
    rtt_ms: Option<f64>,
    attempts: Option<u8>,
    id: Text<'a>,
    run_id: Text<'a>,
    waived_by: Text<'a>,
}

impl<'a> Row<'a> {
    /// What came out, under which restrictions, in the words of the headline.
    fn of_run(said: &Statement<'_>, report: &'a Report) -> Self {
        let result = if said.contradiction().is_some() { "not_valid" } else { said.outcome().word() };
        Self {
            record: "run".into(),
            verdict: result.into(),
            title: said.headline().into(),
            manifest: report.run.manifest.path.as_deref().into(),
            seen_at: report.run.finished_at.as_str().into(),
            ..Self::default()
        }
    }

    fn of_finding(finding: &'a Finding, seen: Option<&'a ObservationRecord>) -> Self {
        let place = finding.manifest.as_ref().map(|place| format!("{}:{}", place.path, place.line));
        Self {
            record: "finding".into(),
            verdict: finding.verdict.word().into(),
            severity: finding.severity.word().into(),
            rule: finding.rule.as_str().into(),
            title: finding.title.as_str().into(),
            target: finding.target.as_deref().into(),
            owner: finding.owner.as_deref().into(),
            tags: finding.tags.join(" ").into(),
            host: finding.host.as_deref().into(),
            address: finding.address.as_deref().into(),
            protocol: finding.protocol.map(|protocol| protocol.to_string()).unwrap_or_default().into(),
            port: finding.port,
            state: seen.map(|seen| seen.state.word()).into(),
            reason: seen.map(|seen| seen.reason.as_str()).into(),
            service: seen.and_then(|seen| seen.service.as_deref()).into(),
            expected: finding.expected.as_str().into(),
            observed: finding.observed.as_str().into(),
            remedy: finding.remedy.as_str().into(),
            exception: finding.exception.as_deref().into(),
            manifest: place.unwrap_or_default().into(),
            seen_at: finding.evidence.last().map(|last| last.at.as_str()).into(),
            rtt_ms: seen.and_then(|seen| seen.rtt_ms),
            attempts: seen.map(|seen| seen.attempts),
            id: finding.id.as_str().into(),
            ..Self::default()
        }
    }

    fn of_endpoint(seen: &'a ObservationRecord, home: Option<(&'a TargetRecord, &'a AddressRecord)>) -> Self {
        let (target, place) = home.unzip();
        Self {
            record: "observation".into(),
            verdict: seen.verdict.word().into(),
            target: target.map(|target| target.id.as_str()).into(),
            owner: target.and_then(|target| target.owner.as_deref()).into(),
            tags: target.map(|target| target.tags.join(" ")).unwrap_or_default().into(),
            host: place.and_then(|place| place.name.as_deref()).into(),
            address: seen.address.as_str().into(),
            protocol: seen.protocol.to_string().into(),
            port: Some(seen.port),
            state: seen.state.word().into(),
            reason: seen.reason.as_str().into(),
            service: seen.service.as_deref().into(),
            exception: seen.waived_by.as_deref().and_then(|by| by.strip_prefix("exception ")).into(),
            seen_at: seen.first_seen_at.as_deref().into(),
            rtt_ms: seen.rtt_ms,
            attempts: Some(seen.attempts),
            waived_by: seen.waived_by.as_deref().into(),
            ..Self::default()
        }
    }
}

/// Text as a spreadsheet takes it for text. There is no other way into a cell.
#[derive(Clone, Default, Serialize)]
#[serde(transparent)]
struct Text<'a>(Cow<'a, str>);

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(harmless(Cow::Borrowed(text)))
    }
}

impl<'a> From<Option<&'a str>> for Text<'a> {
    fn from(text: Option<&'a str>) -> Self {
        text.map_or_else(Self::default, Self::from)
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Self(harmless(Cow::Owned(text)))
    }
}

/// With an apostrophe before what a spreadsheet would compute: a first `=`, `+`, `-` or `@`, full-width as well,
/// whatever spaces stand before it. Tabs and line ends, which could lead one on, are made visible.
fn harmless(text: Cow<'_, str>) -> Cow<'_, str> {
    let computed = text.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
    if !computed && text.len() <= LONGEST && matches!(visible(&text), Cow::Borrowed(_)) {
        return text;
    }
    let text = visible(&text);
    let mark = if computed { "'" } else { "" };
    Cow::Owned(format!("{mark}{}", bounded(&text, LONGEST)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_names_the_fields_in_their_order() {
        let mut table = csv::Writer::from_writer(Vec::new());
        table.serialize(Row::default()).unwrap();
        let written = String::from_utf8(table.into_inner().unwrap()).unwrap();
        assert_eq!(written.lines().next(), Some(COLUMNS.join(",").as_str()));
    }

    #[test]
    fn what_would_be_computed_is_marked_and_the_rest_is_left_alone() {
        for (text, cell) in [
            ("=cmd()", "'=cmd()"),
            ("  +1", "'  +1"),
            ("-2+3", "'-2+3"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("＝1", "'＝1"),
            ("\t=1", "'\\u{9}=1"),
            ("\r=1", "'\\u{d}=1"),
            ("a=b", "a=b"),
            ("", ""),
            ("'", "'"),
        ] {
            assert_eq!(harmless(Cow::Borrowed(text)), cell, "{text:?}");
        }
        assert_eq!(harmless(Cow::Owned("x".repeat(50_000))).chars().count(), LONGEST + 1);
    }
}
