//! The formats by name. One file each beside this one, every one written from the same [`Report`]; the JSON is the
//! evidence, from which `portproof render` makes the others at any time.

use std::{
    fmt,
    io::{self, Write},
    str::FromStr,
};

use thiserror::Error;

use super::{Report, html, json};

/// A format in which a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The evidence document itself; loses nothing.
    Json,
    /// One self-contained page for people.
    Html,
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
    pub const ALL: [Self; 2] = [Self::Json, Self::Html];

    /// The name on the command line: `json`, `nmap-xml`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Html => "html",
        }
    }

    /// The file that a bare `--report FORMAT` writes, with the ending that its readers look for.
    pub fn default_file(self) -> &'static str {
        match self {
            Self::Json => "portproof-report.json",
            Self::Html => "portproof-report.html",
        }
    }

    /// Writes a report. The same report gives the same bytes.
    pub fn write(self, report: &Report, out: &mut dyn Write) -> Result<(), RenderError> {
        match self {
            Self::Json => json::write(report, out)?,
            Self::Html => html::write(report, out)?,
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
