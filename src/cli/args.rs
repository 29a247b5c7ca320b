//! What was typed, and nothing more: one definition a flag, from which help and completions follow.
//! What it means is decided elsewhere in `cli`.

use std::{net::IpAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::{diff::DiffArgs, evidence::EvidenceCommand};
use crate::{report::USUAL_MISS, scan::Shard};

/// The groups of `portproof --help`.
pub(super) const COMMANDS: &str = "\
Everyday:
  verify       Scan what the manifest declares, compare, report
  scan         Scan without a manifest
  plan         Say what verify would do; sends nothing but DNS
  demo         Verify a drifted example on this machine, in a few seconds

Reports:
  render       Show a saved report, or write it in other formats
  diff         Compare two reports, and say what only one of them looked at
  evidence     Sign reports, or check their signatures, totals and chain

Governance:
  lint         Check the manifest and its paperwork; sends nothing
  explain      Explain a rule: when, why, what to do

Reference:
  profiles     List the role profiles, or show one
  schema       Print the JSON Schema of the manifest, the report or the diff
  doctor       Say what works from this machine; sends nothing
  completions  Print a shell's completions
  help         Print this, or the help of a command";

#[derive(Debug, Parser)]
#[command(
    name = "portproof",
    version,
    about = "Proves, from outside, that exactly the ports you declared are reachable",
    help_template = "{about-with-newline}\n{usage-heading} {usage}\n\n{after-help}\n\nOptions:\n{options}",
    after_help = COMMANDS,
    disable_help_subcommand = false,
    max_term_width = 110
)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
    /// Colour the output: auto, always or never; `NO_COLOR` is respected
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub(super) color: Color,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Scan what the manifest declares, compare, report
    Verify(Box<VerifyArgs>),
    /// Scan without a manifest
    Scan(Box<ScanArgs>),
    /// Say what verify would do: addresses, endpoints, probes, time, authorization; sends nothing but DNS
    Plan(Box<PlanArgs>),
    /// Show a saved report, or write it in other formats; sends nothing
    Render(RenderArgs),
    /// Compare two reports, and say what only one of them looked at; sends nothing
    Diff(DiffArgs),
    /// Sign reports, or check their signatures, totals and chain; sends nothing
    #[command(subcommand)]
    Evidence(EvidenceCommand),
    /// Check the manifest and its paperwork; sends nothing
    Lint(LintArgs),
    /// Explain a rule: when it is raised, why it matters, what to do
    Explain {
        /// An id or a name, EXP001 or unexpected-open; without one, every rule in a line
        rule: Option<String>,
    },
    /// List the role profiles, or show one; `services` lists the service names
    Profiles {
        /// A role, a policy, or `services`
        name: Option<String>,
        /// Look here first for roles and ports
        #[arg(long, value_name = "DIR")]
        profile_dir: Option<PathBuf>,
    },
    /// Print the JSON Schema of the manifest, the report or the diff
    Schema {
        /// Which
        #[arg(value_enum)]
        what: Schema,
    },
    /// Verify a drifted example on this machine, in a few seconds
    Demo {
        /// Where to write the reports
        #[arg(long, value_name = "DIR", default_value = "portproof-demo")]
        output: PathBuf,
    },
    /// Say what works from this machine, and what would make more work; sends nothing
    Doctor,
    /// Print a shell's completions
    Completions {
        /// Which shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Schema {
    Manifest,
    Report,
    Diff,
}

#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// The manifest (default ./portproof.yaml); with --expect, the hosts
    #[arg(value_name = "MANIFEST|HOST")]
    pub(super) what: Vec<String>,
    /// Verify without a file: exactly these ports are open on the hosts
    #[arg(long, value_name = "PORTS")]
    pub(super) expect: Option<String>,
    #[command(flatten)]
    pub(super) how: HowArgs,
    #[command(flatten)]
    pub(super) select: SelectArgs,
    #[command(flatten)]
    pub(super) result: ResultArgs,
    #[command(flatten)]
    pub(super) talk: TalkArgs,
}

#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    /// The manifest (default ./portproof.yaml); with --expect, the hosts
    #[arg(value_name = "MANIFEST|HOST")]
    pub(super) what: Vec<String>,
    /// Plan without a file: exactly these ports are open on the hosts
    #[arg(long, value_name = "PORTS")]
    pub(super) expect: Option<String>,
    #[command(flatten)]
    pub(super) how: HowArgs,
    #[command(flatten)]
    pub(super) select: SelectArgs,
}

#[derive(Debug, Args)]
pub(super) struct RenderArgs {
    /// A report that verify wrote as JSON; - is standard input
    #[arg(value_name = "REPORT")]
    pub(super) from: String,
    /// Write it as html=PATH, json=PATH, ...; - is standard output; a bare format picks portproof-report.*
    #[arg(long, value_name = "FORMAT[=PATH]")]
    pub(super) report: Vec<String>,
    /// Write --report html by this template of your own (minijinja)
    #[arg(long, value_name = "FILE", requires = "report")]
    pub(super) template: Option<PathBuf>,
    /// Say nothing on standard error but errors
    #[arg(short, long)]
    pub(super) quiet: bool,
}

#[derive(Debug, Args)]
pub(super) struct LintArgs {
    /// The manifest
    #[arg(default_value = "portproof.yaml")]
    pub(super) manifest: String,
    /// Look here first for roles and ports
    #[arg(long, value_name = "DIR")]
    pub(super) profile_dir: Option<PathBuf>,
    /// Judge the paperwork as of this day
    #[arg(long, value_name = "DATE")]
    pub(super) at: Option<String>,
    /// Print one JSON object a remark
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct ScanArgs {
    /// Names, addresses, CIDR blocks
    #[arg(value_name = "TARGET", required_unless_present = "input_list")]
    pub(super) targets: Vec<String>,
    /// TCP ports: 80,443, 8000-8010, all, common, none, service names; -p- is all
    #[arg(
        short = 'p',
        long = "tcp",
        value_name = "PORTS",
        default_value = "all",
        allow_hyphen_values = true
    )]
    pub(super) tcp: String,
    /// UDP ports: `53,123`, `common`, `all`, names
    #[arg(short = 'u', long = "udp", value_name = "PORTS", default_value = "none")]
    pub(super) udp: String,
    /// Read targets from a file, one a line; - is standard input (nmap's -iL is understood)
    #[arg(long = "input-list", value_name = "FILE")]
    pub(super) input_list: Option<String>,
    /// Which states to print
    #[arg(long, value_enum, default_value_t = States::Open)]
    pub(super) states: States,
    /// How to print them
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
    /// Talk to what is open over TCP, and say who answers
    #[arg(long)]
    pub(super) identify: bool,
    /// Leave these out: names, addresses, CIDR blocks
    #[arg(long, value_name = "ENTRY", value_delimiter = ',')]
    pub(super) exclude: Vec<String>,
    /// Scan blocks of more than 65,536 addresses
    #[arg(long)]
    pub(super) i_know_this_is_large: bool,
    #[command(flatten)]
    pub(super) how: HowArgs,
    #[command(flatten)]
    pub(super) talk: TalkArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum States {
    Open,
    All,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Text,
    Ndjson,
    Json,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "How")]
pub(super) struct HowArgs {
    /// How to ask: auto (syn where privilege allows, else connect), syn or connect
    #[arg(long, value_enum, default_value_t = Mouth::Auto, value_name = "HOW")]
    pub(super) scan: Mouth,
    /// Probes a second of the whole run, or max
    #[arg(long, value_name = "PPS|max", value_parser = rate)]
    pub(super) rate: Option<RateArg>,
    /// Probes a second to one address, or max
    #[arg(long, value_name = "PPS|max", value_parser = rate)]
    pub(super) per_host_rate: Option<RateArg>,
    /// Exactly so many probes to each silent endpoint; without it 2, and up to 6 where packets get lost
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=20))]
    pub(super) max_attempts: Option<u8>,
    /// The chance to have missed an open port that is still accepted
    #[arg(long, value_name = "P", default_value_t = USUAL_MISS, value_parser = chance)]
    pub(super) max_miss: f64,
    /// How long to wait for one reply (2s, 1500ms); adapts to the path by default
    #[arg(long, value_name = "DURATION")]
    pub(super) timeout: Option<String>,
    /// Stop after this long; the report is then partial
    #[arg(long, value_name = "DURATION")]
    pub(super) deadline: Option<String>,
    /// Send through this interface
    #[arg(long, value_name = "NAME")]
    pub(super) interface: Option<String>,
    /// Send from this address; may be given once a family
    #[arg(long, value_name = "ADDRESS", value_delimiter = ',')]
    pub(super) source_address: Vec<IpAddr>,
    /// Ask this name server, ADDRESS or ADDRESS:PORT, instead of the system's
    #[arg(long, value_name = "ADDRESS", value_delimiter = ',')]
    pub(super) resolver: Vec<String>,
    /// Only these address families: ipv4, ipv6
    #[arg(long, value_name = "FAMILIES", value_delimiter = ',', value_enum)]
    pub(super) families: Option<Vec<FamilyArg>>,
    /// Where the probes start from: a name of the manifest's vantages
    #[arg(long, value_name = "NAME")]
    pub(super) vantage: Option<String>,
    /// Orders the probes; the same seed asks in the same order
    #[arg(long, value_name = "N")]
    pub(super) seed: Option<u64>,
    /// Ask only this part of the plan, the Ith of N disjoint ones; the others may run on other machines
    #[arg(long, value_name = "I/N")]
    pub(super) shard: Option<Shard>,
    /// Write a checkpoint to this file as the run goes
    #[arg(long, value_name = "FILE")]
    pub(super) state: Option<PathBuf>,
    /// Continue the run of this state file: the same plan, nothing settled is asked again
    #[arg(long, value_name = "FILE")]
    pub(super) resume: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Mouth {
    Auto,
    Syn,
    Connect,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum FamilyArg {
    Ipv4,
    Ipv6,
}

/// A number a second, or as fast as it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RateArg {
    Limit(u64),
    Max,
}

fn rate(text: &str) -> Result<RateArg, String> {
    match text.parse() {
        _ if text == "max" => Ok(RateArg::Max),
        Ok(0) | Err(_) => Err("write a number of probes a second above 0, or max".to_owned()),
        Ok(limit) => Ok(RateArg::Limit(limit)),
    }
}

fn chance(text: &str) -> Result<f64, String> {
    let written = text.parse().ok().filter(|chance| *chance > 0.0 && *chance < 1.0);
    written.ok_or_else(|| "write a chance above 0 and below 1: 0.001 is 1 in 1,000".to_owned())
}

#[derive(Debug, Args)]
#[command(next_help_heading = "What")]
pub(super) struct SelectArgs {
    /// Only these TCP ports: 80,443, 8000-8010, all, common, declared, none
    #[arg(long, value_name = "PORTS")]
    pub(super) tcp: Option<String>,
    /// Only these UDP ports
    #[arg(long, value_name = "PORTS")]
    pub(super) udp: Option<String>,
    /// Only these targets: an id, or tag:T
    #[arg(long, value_name = "ID|tag:T", value_delimiter = ',')]
    pub(super) only: Vec<String>,
    /// Leave these out: names, addresses, CIDR blocks
    #[arg(long, value_name = "ENTRY", value_delimiter = ',')]
    pub(super) exclude: Vec<String>,
    /// Replace a target's hosts by those of a file, one a line; - is standard input
    #[arg(long, value_name = "ID=@FILE|ID=-")]
    pub(super) hosts: Vec<String>,
    /// Judge this instead of scanning, and send nothing: a saved report, or what `nmap -oX`, `masscan -oJ` or
    /// `naabu -json` wrote; may be given several times, - is standard input
    #[arg(long, value_name = "FILE")]
    pub(super) from: Vec<String>,
    /// Look here first for roles and ports
    #[arg(long, value_name = "DIR")]
    pub(super) profile_dir: Option<PathBuf>,
    /// Judge the paperwork as of this day (YYYY-MM-DD)
    #[arg(long, value_name = "DATE")]
    pub(super) at: Option<String>,
    /// Plan blocks of more than 65,536 addresses
    #[arg(long)]
    pub(super) i_know_this_is_large: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Result")]
pub(super) struct ResultArgs {
    /// Write a report: json=PATH, html=PATH, ...; - is standard output; a bare format picks portproof-report.*
    #[arg(long, value_name = "FORMAT[=PATH]")]
    pub(super) report: Vec<String>,
    /// Follow this earlier report (JSON): the new one names it, and says what is new since and what is not
    #[arg(long, value_name = "REPORT")]
    pub(super) baseline: Option<String>,
    /// Write --report html by this template of your own (minijinja)
    #[arg(long, value_name = "FILE", requires = "report")]
    pub(super) template: Option<PathBuf>,
    /// The least severity that makes the exit code 1: never, low, medium, high, critical
    #[arg(long, value_name = "SEVERITY", default_value = "low")]
    pub(super) fail_on: String,
    /// Do not report a rule
    #[arg(short = 'A', long, value_name = "RULE", value_delimiter = ',')]
    pub(super) allow: Vec<String>,
    /// Report a rule as a warning
    #[arg(short = 'W', long, value_name = "RULE", value_delimiter = ',')]
    pub(super) warn: Vec<String>,
    /// Make a rule fail the run
    #[arg(short = 'D', long, value_name = "RULE", value_delimiter = ',')]
    pub(super) deny: Vec<String>,
    /// Ignore every exception
    #[arg(long)]
    pub(super) strict: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Talk")]
pub(super) struct TalkArgs {
    /// Say more on standard error
    #[arg(short, long)]
    pub(super) verbose: bool,
    /// Say nothing on standard error but errors
    #[arg(short, long)]
    pub(super) quiet: bool,
    /// Show no progress bar
    #[arg(long)]
    pub(super) no_progress: bool,
}
