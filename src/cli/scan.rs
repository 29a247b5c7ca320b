//! `scan`: look without a manifest. What is found is printed as soon as it is known.

use std::{
    io::{self, BufWriter, Write},
    net::IpAddr,
    process::ExitCode,
};

use serde::Serialize;

use super::{
    args::{Color, Format, ScanArgs, States},
    error::{CliError, Code},
    how::{self, How},
    load, output,
    plan::about,
    progress::Progress,
    run::{Stop, askable, drive, estimate, runtime},
};
use crate::{
    drive::{Clock, resolve},
    model::{Coverage, Observation, PortSet, Protocol, State, StateCounts},
    report::{count, thousands},
    scan::Config,
    spec::{
        host::host,
        manifest::{Manifest, Target},
        plan::{self, Selection},
        profile::Profiles,
    },
};

/// Scans the targets as written, which are also the scope.
pub(super) fn run(args: &ScanArgs, color: Color) -> Result<ExitCode, CliError> {
    let profiles = load::profiles(None)?;
    let painted = output::colours(color, &io::stderr());
    let how = How::new(&args.how)?;
    let manifest = manifest(args, &profiles, painted)?;
    let selection = Selection {
        exclude: how::exclusions(&args.exclude)?,
        families: how.families.clone(),
        large: args.i_know_this_is_large,
        ..Selection::default()
    };
    let runtime = runtime(&how)?;
    let names = plan::names(&manifest, &selection).map_err(CliError::usage)?;
    let resolution =
        runtime.block_on(resolve::resolve(&names, &how.resolvers)).map_err(CliError::environment)?;
    if resolution.is_dead() {
        return Err(CliError::environment("no name server answered anything")
            .hint("name one with --resolver ADDRESS"));
    }
    let plan = plan::plan(&manifest, &resolution, &selection, &|_: &Target, _| PortSet::NONE)
        .map_err(CliError::usage)?;
    let asked = askable(&plan, &manifest);
    let planned = asked.planned();
    for answer in resolution.answers.iter().filter(|answer| answer.addresses.is_empty() && !args.talk.quiet) {
        output::say(&format!("{} {}: {}", answer.name, answer.family, answer.outcome));
    }
    for left_out in plan.left_out.iter().filter(|_| !args.talk.quiet) {
        output::say(&format!("left out: {}: {}", left_out.what, left_out.why));
    }
    if planned == 0 {
        return Err(CliError::usage("nothing to scan: no address, or no port, is left")
            .hint("portproof scan -p 80,443 HOST"));
    }
    if !args.talk.quiet {
        let (_, least) = estimate(&plan, &manifest, &how, None);
        let endpoints = count(planned, "endpoint", "endpoints");
        output::say(&format!("{endpoints} by {}, {} if everything is silent", how.method(), about(least)));
    }
    let config = Config { every: args.states == States::All, ..how.config() };
    let mut printer = Printer::new(args);
    let progress = Progress::over(planned, &args.talk);
    let ran = runtime
        .block_on(drive(asked, config, &how, Clock::start(), &progress, &mut |seen| printer.see(seen)))?;
    runtime.shutdown_background();
    printer.end(&ran.coverage, (ran.ended - ran.began).as_secs_f64(), ran.stop)?;
    Ok(match ran.stop {
        Stop::Interrupted => Code::Interrupted,
        Stop::Terminated => Code::Terminated,
        _ if ran.coverage.states.unknown > 0 => Code::Unsure,
        _ => Code::Fine,
    }
    .into())
}

/// The targets as a manifest that names nothing.
fn manifest(args: &ScanArgs, profiles: &Profiles, colour: bool) -> Result<Manifest, CliError> {
    for target in &args.targets {
        if let Err(error) = host(target) {
            let told = CliError::usage(error.message);
            return Err(error.help.into_iter().fold(told, CliError::hint));
        }
    }
    let mut hosts = args.targets.clone();
    if let Some(list) = &args.input_list {
        hosts.extend(load::host_list(list)?.iter().map(|entry| entry.host.to_string()));
    }
    let tcp = how::ports("-p", &args.tcp, Protocol::Tcp, profiles)?;
    let udp = how::ports("-u", &args.udp, Protocol::Udp, profiles)?;
    if !udp.is_empty() {
        return Err(CliError::usage("this version has no UDP probes").hint("leave -u out"));
    }
    let mut manifest = load::scanned(&hosts, profiles, colour)?;
    for target in &mut manifest.targets {
        (target.tcp, target.udp) = (tcp.clone(), udp.clone());
    }
    Ok(manifest)
}

/// Prints observations in the format asked for.
struct Printer {
    format: Format,
    quiet: bool,
    out: BufWriter<io::Stdout>,
    seen: Vec<Observation>,
}

/// One line of ndjson, one entry of json.
#[derive(Serialize)]
struct Line {
    address: IpAddr,
    protocol: Protocol,
    port: u16,
    state: State,
    reason: String,
    rtt_ms: Option<f64>,
    attempts: u8,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    supersedes: bool,
}

/// The totals, as in the report's `coverage`.
#[derive(Serialize)]
struct Totals {
    planned: u64,
    #[serde(flatten)]
    states: StateCounts,
    probes_sent: u64,
    retransmitted: u64,
    replies: u64,
    strays: u64,
    kernel_drops: u64,
    send_errors: u64,
    duration_s: f64,
    rate_pps: f64,
    partial: bool,
    stop_reason: &'static str,
}

impl Printer {
    fn new(args: &ScanArgs) -> Self {
        let out = BufWriter::new(io::stdout());
        Self { format: args.format, quiet: args.talk.quiet, out, seen: Vec::new() }
    }

    /// Text and json are ordered, so they wait for the end; ndjson is said at once, not when a buffer is
    /// full.
    fn see(&mut self, observations: Vec<Observation>) {
        if self.format != Format::Ndjson {
            self.seen.extend(observations);
            return;
        }
        for observation in &observations {
            // A reader that went away is noticed when the rest is written.
            let _ = serde_json::to_writer(&mut self.out, &Line::of(observation))
                .map_err(io::Error::from)
                .and_then(|()| self.out.write_all(b"\n"));
        }
        let _ = self.out.flush();
    }

    fn end(mut self, coverage: &Coverage, duration: f64, stop: Stop) -> Result<(), CliError> {
        self.seen.sort_by_key(|observation| observation.endpoint);
        // The last word on an endpoint counts.
        self.seen.reverse();
        self.seen.dedup_by_key(|observation| observation.endpoint);
        self.seen.reverse();
        let totals = Totals::of(coverage, duration, stop);
        let written = match self.format {
            Format::Ndjson => {
                let summary = serde_json::json!({ "summary": { "coverage": totals } });
                writeln!(self.out, "{summary}")
            }
            Format::Json => {
                let observations: Vec<Line> = self.seen.iter().map(Line::of).collect();
                let document =
                    serde_json::json!({ "observations": observations, "summary": { "coverage": totals } });
                writeln!(self.out, "{document:#}")
            }
            Format::Text => self.text(),
        };
        if !self.quiet && self.format == Format::Text {
            let states = &coverage.states;
            output::say(&format!(
                "{}: {} open, {} closed, {} filtered, {} unknown; {} in {duration:.1} s{}",
                count(coverage.planned, "endpoint", "endpoints"),
                thousands(states.open),
                thousands(states.closed),
                thousands(states.filtered),
                thousands(states.unknown),
                count(coverage.probes_sent, "probe", "probes"),
                if stop == Stop::Complete { String::new() } else { format!("; {}", stop.word()) }
            ));
        }
        match written.and_then(|()| self.out.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(CliError::environment(format!("can't write to standard output: {error}")))
            }
            _ => Ok(()),
        }
    }

    fn text(&mut self) -> io::Result<()> {
        for observation in &self.seen {
            let endpoint = observation.endpoint;
            let port = format!("{}/{}", endpoint.port, endpoint.protocol);
            let rtt = observation
                .rtt
                .map_or_else(String::new, |rtt| format!("  {:.1} ms", rtt.as_secs_f64() * 1000.0));
            writeln!(
                self.out,
                "{:<40} {port:<10} {:<9} {}{rtt}",
                endpoint.address, observation.state, observation.reason
            )?;
        }
        Ok(())
    }
}

impl Line {
    fn of(observation: &Observation) -> Self {
        let endpoint = observation.endpoint;
        Self {
            address: endpoint.address,
            protocol: endpoint.protocol,
            port: endpoint.port,
            state: observation.state,
            reason: observation.reason.to_string(),
            rtt_ms: observation.rtt.map(|rtt| (rtt.as_secs_f64() * 1e6).round() / 1000.0),
            attempts: observation.attempts,
            supersedes: observation.supersedes,
        }
    }
}

impl Totals {
    fn of(coverage: &Coverage, duration_s: f64, stop: Stop) -> Self {
        let &Coverage {
            planned,
            states,
            probes_sent,
            retransmitted,
            replies,
            strays,
            kernel_drops,
            send_errors,
            ..
        } = coverage;
        let rate_pps = probes_sent as f64 / duration_s.max(1e-6);
        let (partial, stop_reason) = (stop != Stop::Complete, stop.word());
        Self {
            planned,
            states,
            probes_sent,
            retransmitted,
            replies,
            strays,
            kernel_drops,
            send_errors,
            duration_s,
            rate_pps,
            partial,
            stop_reason,
        }
    }
}
