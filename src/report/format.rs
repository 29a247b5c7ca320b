//! The formats by name. One file each beside this one, every one written from the same [`Report`]; the JSON is the
//! evidence, from which `portproof render` makes the others at any time.

use std::{
    fmt,
    io::{self, Write},
    str::FromStr,
};

use thiserror::Error;

use super::{Report, csv, html, json, junit, markdown, ndjson, nmap_xml, ocsf, oscal, prometheus, sarif};

/// A format in which a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The evidence document itself; loses nothing.
    Json,
    /// One self-contained page for people.
    Html,
    /// A test run, for the test reports of pipelines.
    Junit,
    /// The findings for code scanning.
    Sarif,
    /// A comment on a pull request.
    Markdown,
    /// A table of findings and endpoints, for spreadsheets.
    Csv,
    /// What was seen, for tools that read nmap.
    NmapXml,
    /// Assessment results for tools of governance and compliance.
    Oscal,
    /// Compliance findings for security data lakes, one event a line.
    Ocsf,
    /// Gauges for `node_exporter`'s textfile collector.
    Prometheus,
    /// One record a line, for jq and log stores.
    Ndjson,
}

/// What can go wrong while a report is written.
#[derive(Debug, Error)]
pub enum RenderError {
    /// It could not be written out.
    #[error("the report can't be written: {0}")]
    Io(#[from] io::Error),
    /// The page could not be made.
    #[error(transparent)]
    Html(#[from] html::HtmlError),
}

impl Format {
    /// All of them, in the order in which they are listed to people.
    pub const ALL: [Self; 11] = [
        Self::Json,
        Self::Html,
        Self::Junit,
        Self::Sarif,
        Self::Markdown,
        Self::Csv,
        Self::NmapXml,
        Self::Oscal,
        Self::Ocsf,
        Self::Prometheus,
        Self::Ndjson,
    ];

    /// The name on the command line: `json`, `nmap-xml`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Html => "html",
            Self::Junit => "junit",
            Self::Sarif => "sarif",
            Self::Markdown => "markdown",
            Self::Csv => "csv",
            Self::NmapXml => "nmap-xml",
            Self::Oscal => "oscal",
            Self::Ocsf => "ocsf",
            Self::Prometheus => "prometheus",
            Self::Ndjson => "ndjson",
        }
    }

    /// The file that a bare `--report FORMAT` writes, with the ending that its readers look for.
    pub fn default_file(self) -> &'static str {
        match self {
            Self::Json => "portproof-report.json",
            Self::Html => "portproof-report.html",
            Self::Junit => "portproof-report.junit.xml",
            Self::Sarif => "portproof-report.sarif",
            Self::Markdown => "portproof-report.md",
            Self::Csv => "portproof-report.csv",
            Self::NmapXml => "portproof-report.nmap.xml",
            Self::Oscal => "portproof-report.oscal.json",
            Self::Ocsf => "portproof-report.ocsf.jsonl",
            Self::Prometheus => "portproof-report.prom",
            Self::Ndjson => "portproof-report.ndjson",
        }
    }

    /// Writes a report. The same report gives the same bytes.
    pub fn write(self, report: &Report, out: &mut dyn Write) -> Result<(), RenderError> {
        match self {
            Self::Json => json::write(report, out)?,
            Self::Html => html::write(report, out)?,
            Self::Junit => junit::write(report, out)?,
            Self::Sarif => sarif::write(report, out)?,
            Self::Markdown => markdown::write(report, out)?,
            Self::Csv => csv::write(report, out)?,
            Self::NmapXml => nmap_xml::write(report, out)?,
            Self::Oscal => oscal::write(report, out)?,
            Self::Ocsf => ocsf::write(report, out)?,
            Self::Prometheus => prometheus::write(report, out)?,
            Self::Ndjson => ndjson::write(report, out)?,
        }
        Ok(())
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// No format has this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoFormat;

impl FromStr for Format {
    type Err = NoFormat;

    fn from_str(name: &str) -> Result<Self, NoFormat> {
        Self::ALL.into_iter().find(|format| format.name() == name).ok_or(NoFormat)
    }
}
