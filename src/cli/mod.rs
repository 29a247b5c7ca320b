//! Floor 7: what was typed -> what it means -> run -> exit code. Holds no logic of its own: it calls
//! the floors below in order.
#![allow(clippy::disallowed_methods)] // the edge reads clocks and the environment

mod args;
mod datagrams;
mod demo;
mod diff;
mod doctor;
mod error;
mod evidence;
mod from;
mod how;
mod identify;
mod inputs;
mod judgement;
mod lines;
mod lint;
mod load;
mod memory;
mod nmap;
mod output;
mod plan;
mod policy;
mod prepare;
mod progress;
mod reference;
mod render;
mod run;
mod scan;
mod verify;

use std::{ffi::OsString, process::ExitCode};

use clap::Parser as _;

use self::{
    args::{Cli, Command},
    error::{CliError, Code},
};

/// Runs the program on its arguments, the first of which is its name.
pub fn main(argv: &[OsString]) -> ExitCode {
    if let Some(equivalent) = nmap::equivalent(argv) {
        output::say(&equivalent);
        return Code::Usage.into();
    }
    let cli = match Cli::try_parse_from(nmap::translated(argv)) {
        Ok(cli) => cli,
        // Help and version are data and end well; anything else is usage.
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { Code::Usage.into() } else { ExitCode::SUCCESS };
        }
    };
    let typed: Vec<String> = argv.iter().map(|argument| argument.to_string_lossy().into_owned()).collect();
    match dispatch(cli, &typed) {
        Ok(code) => code,
        Err(error) => {
            output::say(&error.to_string());
            error.code().into()
        }
    }
}

fn dispatch(cli: Cli, typed: &[String]) -> Result<ExitCode, CliError> {
    let Cli { command, color } = cli;
    match command {
        Command::Verify(args) => verify::run(&args, color, typed),
        Command::Scan(args) => scan::run(&args, color),
        Command::Plan(args) => plan::run(&args, color),
        Command::Render(args) => render::run(&args, color),
        Command::Diff(args) => diff::run(&args),
        Command::Evidence(command) => evidence::run(&command),
        Command::Lint(args) => lint::run(&args, color),
        Command::Explain { rule } => reference::explain(rule.as_deref()),
        Command::Profiles { name, profile_dir } => {
            reference::profiles(name.as_deref(), profile_dir.as_deref())
        }
        Command::Schema { what } => reference::schema(what),
        Command::Demo { output } => demo::run(&output, color),
        Command::Doctor => doctor::run(),
        Command::Completions { shell } => reference::completions(shell),
    }
}
