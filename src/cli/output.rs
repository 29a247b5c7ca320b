//! Where results go: standard output is data, files are written whole or not at all.

use std::{
    fs::{self, File},
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
};

use super::{args::Color, error::CliError};
use crate::report::{self, Report};

/// One report that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    format: ReportFormat,
    to: Destination,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ReportFormat {
    Json,
    Html,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Destination {
    Stdout,
    File(PathBuf),
}

impl Wanted {
    /// Reads `json=PATH`, `html=-`, `html`.
    pub(super) fn parse(text: &str) -> Result<Self, CliError> {
        let (format, path) = text.split_once('=').map_or((text, None), |(format, path)| (format, Some(path)));
        let (format, default) = match format {
            "json" => (ReportFormat::Json, "portproof-report.json"),
            "html" => (ReportFormat::Html, "portproof-report.html"),
            "junit" | "sarif" | "markdown" | "csv" | "nmap-xml" | "oscal" | "ocsf" | "prometheus"
            | "ndjson" => {
                return Err(CliError::usage(format!("this version writes no {format} report"))
                    .hint("json and html are there"));
            }
            other => {
                return Err(CliError::usage(format!("`{other}` is no report format"))
                    .hint("--report json=PATH or html=PATH"));
            }
        };
        let to = match path {
            Some("-") => Destination::Stdout,
            Some("") => {
                return Err(CliError::usage(format!("--report {text} names no file"))
                    .hint("write FORMAT=PATH, or - for standard output"));
            }
            Some(path) => Destination::File(path.into()),
            None => Destination::File(default.into()),
        };
        Ok(Self { format, to })
    }

    /// Whether it takes standard output.
    pub(super) fn is_stdout(&self) -> bool {
        self.to == Destination::Stdout
    }

    /// The file it goes to.
    pub(super) fn file(&self) -> Option<&Path> {
        match &self.to {
            Destination::File(path) => Some(path),
            Destination::Stdout => None,
        }
    }

    /// Proves that the file can be written, before a probe is sent.
    pub(super) fn check(&self) -> Result<(), CliError> {
        let Destination::File(path) = &self.to else { return Ok(()) };
        if path.is_dir() {
            return Err(
                CliError::environment(format!("{} is a directory", path.display())).hint("name a file")
            );
        }
        let probe = beside(path);
        File::create(&probe).and_then(|_| fs::remove_file(&probe)).map_err(|error| cannot_write(path, &error))
    }

    /// Writes the report.
    pub(super) fn write(&self, report: &Report) -> Result<(), CliError> {
        let mut bytes = Vec::new();
        match self.format {
            ReportFormat::Json => report::json::write(report, &mut bytes).map_err(CliError::environment)?,
            ReportFormat::Html => report::html::write(report, &mut bytes).map_err(CliError::environment)?,
        }
        match &self.to {
            Destination::Stdout => print(&bytes),
            Destination::File(path) => write_whole(path, &bytes),
        }
    }
}

/// Writes a file beside its place and moves it there: a reader sees the old one or the new one.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    let part = beside(path);
    let written = File::create(&part).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.and_then(|()| fs::rename(&part, path)).map_err(|error| {
        let _ = fs::remove_file(&part);
        cannot_write(path, &error)
    })
}

fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.part", std::process::id()))
}

fn cannot_write(path: &Path, error: &io::Error) -> CliError {
    CliError::environment(format!("can't write {}: {error}", path.display()))
}

/// Writes data to standard output. A reader that went away is no error: it has what it wanted.
pub(super) fn print(bytes: &[u8]) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(CliError::environment(format!("can't write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Says something on standard error.
pub(super) fn say(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Whether to colour a stream: as asked, else on a terminal unless `NO_COLOR` says no (no-color.org).
pub(super) fn colours(color: Color, stream: &impl IsTerminal) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        }
    }
}
