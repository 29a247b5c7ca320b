//! The formats by name. One file each beside this one, every one written from the same [`Report`]; the JSON is the
//! evidence, from which `portproof render` makes the others at any time.

use std::{
    fmt,
    io::{self, Write},
    str::FromStr,
};

use thiserror::Error;

use super::{Report, html, json, nmap_xml, ocsf, oscal, sarif};

/// A format in which a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The evidence document itself; loses nothing.
    Json,
    /// One self-contained page for people.
    Html,
    /// The findings for code scanning.
    Sarif,
    /// What was seen, for tools that read nmap.
    NmapXml,
    /// Assessment results for tools of governance and compliance.
    Oscal,
    /// Compliance findings for security data lakes, one event a line.
    Ocsf,
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
    pub const ALL: [Self; 6] = [Self::Json, Self::Html, Self::Sarif, Self::NmapXml, Self::Oscal, Self::Ocsf];

    /// The name on the command line: `json`, `nmap-xml`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Html => "html",
            Self::Sarif => "sarif",
            Self::NmapXml => "nmap-xml",
            Self::Oscal => "oscal",
            Self::Ocsf => "ocsf",
        }
    }

    /// The file that a bare `--report FORMAT` writes, with the ending that its readers look for.
    pub fn default_file(self) -> &'static str {
        match self {
            Self::Json => "portproof-report.json",
            Self::Html => "portproof-report.html",
            Self::Sarif => "portproof-report.sarif",
            Self::NmapXml => "portproof-report.nmap.xml",
            Self::Oscal => "portproof-report.oscal.json",
            Self::Ocsf => "portproof-report.ocsf.jsonl",
        }
    }

    /// Writes a report. The same report gives the same bytes.
    pub fn write(self, report: &Report, out: &mut dyn Write) -> Result<(), RenderError> {
        match self {
            Self::Json => json::write(report, out)?,
            Self::Html => html::write(report, out)?,
            Self::Sarif => sarif::write(report, out)?,
            Self::NmapXml => nmap_xml::write(report, out)?,
            Self::Oscal => oscal::write(report, out)?,
            Self::Ocsf => ocsf::write(report, out)?,
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
