//! `diff`: two reports side by side, and what only one of them looked at.

use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::{
    error::CliError,
    inputs::{self, Input},
    load, output,
};
use crate::report::{
    diff::{compare, write_html, write_json, write_text},
    json,
};

#[derive(Debug, Args)]
pub(super) struct DiffArgs {
    /// The report before, as verify wrote it as JSON; - is standard input
    #[arg(value_name = "OLD")]
    old: String,
    /// The report after; - is standard input
    #[arg(value_name = "NEW")]
    new: String,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
    Html,
}

/// Compares, and says so by the exit code: 0 same, 1 different, 3 not everything was looked at again.
pub(super) fn run(args: &DiffArgs) -> Result<ExitCode, CliError> {
    inputs::read_once(&[
        Input::new("the report before", &args.old),
        Input::new("the report after", &args.new),
    ])?;
    let read = |from: &str| {
        let octets = load::evidence(from)?;
        let report = json::read(&octets).map_err(|error| load::no_report(from, &error))?;
        Ok::<_, CliError>((report, json::sha256(&octets)))
    };
    let (old, new) = (read(&args.old)?, read(&args.new)?);
    let diff = compare((&old.0, &old.1), (&new.0, &new.1));
    let mut text = Vec::new();
    match args.format {
        Format::Text => write_text(&diff, &mut text).map_err(CliError::environment)?,
        Format::Json => write_json(&diff, &mut text).map_err(CliError::environment)?,
        Format::Html => write_html(&diff, &mut text).map_err(CliError::environment)?,
    }
    output::print(&text)?;
    Ok(diff.exit_code.into())
}
