//! `scan`: look without a manifest. What is found is printed as soon as it is known.

use std::{collections::BTreeMap, io, process::ExitCode};

use super::{
    args::{Color, ScanArgs, States},
    datagrams::{datagrams, payloads},
    error::{CliError, Code},
    how::{self, How},
    identify::{Authorities, caller, talk},
    lines::{Part, Printer},
    load,
    memory::Memory,
    output,
    plan::about,
    progress::Progress,
    run::{Course, Stop, askable, drive, estimate, runtime},
};
use crate::{
    drive::resolve,
    model::{Endpoint, Observation, PortSet, Protocol, State},
    report::count,
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
    let mut how = How::new(&args.how)?;
    let mut memory = Memory::open(&args.how, args.talk.quiet)?;
    how.seed = memory.seed(how.seed);
    let manifest = manifest(args, &profiles, painted)?;
    let selection = Selection {
        exclude: how::exclusions(&args.exclude)?,
        families: how.families.clone(),
        interface: how.origin.interface.clone(),
        large: args.i_know_this_is_large,
        ..Selection::default()
    };
    let runtime = runtime(&how)?;
    let names = plan::names(&manifest, &selection).map_err(CliError::usage)?;
    let resolution = match memory.resolution(&names)? {
        Some(known) => known,
        None => runtime.block_on(resolve::resolve(&names, &how.resolvers)).map_err(CliError::environment)?,
    };
    if resolution.is_dead() {
        return Err(CliError::environment("no name server answered anything")
            .hint("name one with --resolver ADDRESS"));
    }
    let plan = plan::plan(&manifest, &resolution, &selection, &|_: &Target, _| PortSet::NONE)
        .map_err(CliError::usage)?;
    how.find_links(&plan.zones)?;
    let payloads = payloads(&manifest, &profiles);
    let asked = askable(&plan, &manifest, &payloads, how.shard);
    let (planned, elsewhere) = (asked.planned(), asked.elsewhere());
    for answer in resolution.answers.iter().filter(|answer| answer.addresses.is_empty() && !args.talk.quiet) {
        output::say(&format!("{} {}: {}", answer.name, answer.family, answer.outcome));
    }
    for left_out in plan.left_out.iter().filter(|_| !args.talk.quiet) {
        output::say(&format!("left out: {}: {}", left_out.what, left_out.why));
    }
    if planned == 0 && elsewhere == 0 {
        return Err(CliError::usage("nothing to scan: no address, or no port, is left")
            .hint("portproof scan -p 80,443 HOST"));
    }
    if !args.talk.quiet {
        let (_, least) = estimate(&plan, (&manifest, &payloads), &how, None);
        let part = how.shard.map_or_else(String::new, |shard| format!(" of part {shard}"));
        let endpoints = format!("{}{part}", count(planned, "endpoint", "endpoints"));
        output::say(&format!(
            "{endpoints} by {}, {} if everything is silent and nothing gets lost",
            how.method(),
            about(least)
        ));
    }
    let datagrams = datagrams(&payloads)?;
    let config = Config { every: args.states == States::All, datagrams: payloads.weights(), ..how.config() };
    let what = if config.every { "scan --states all" } else { "scan" };
    let clock = memory.bind(&asked, &config, &how, what, &resolution)?;
    let part = how.shard.map(|shard| Part { shard: shard.to_string(), of_other_shards: elsewhere });
    let mut printer = Printer::new(args.format, args.talk.quiet, clock.began(), part, how.zones.clone());
    let progress = Progress::over(planned, &args.talk);
    let course = Course { plan: asked, config, how: &how, clock, memory: &memory, datagrams };
    let mut open = BTreeMap::new();
    let mut see = |seen: Vec<Observation>| {
        if args.identify {
            note(&mut open, &seen);
        }
        printer.see(seen);
    };
    let mut ran = runtime.block_on(drive(course, &progress, None, &mut see))?;
    let callers = open
        .keys()
        .map(|&endpoint| caller(&plan, (&manifest, &Authorities::new()), &profiles, None, endpoint).0)
        .collect();
    let mut identified = |endpoint, portrait| {
        if let Some(observation) = open.get(&endpoint) {
            printer.identified(observation, portrait);
        }
    };
    runtime.block_on(talk(callers, &how, clock, &mut ran, &mut identified))?;
    runtime.shutdown_background();
    printer.end(&ran.coverage, ran.took, ran.stop)?;
    Ok(match ran.stop {
        Stop::Interrupted => Code::Interrupted,
        Stop::Terminated => Code::Terminated,
        _ if ran.coverage.states.unknown > 0 => Code::Unsure,
        _ => Code::Fine,
    }
    .into())
}

/// Keeps the open TCP endpoints, by the last word on each.
fn note(open: &mut BTreeMap<Endpoint, Observation>, seen: &[Observation]) {
    for observation in seen.iter().filter(|seen| seen.endpoint.protocol == Protocol::Tcp) {
        if observation.state == State::Open {
            open.insert(observation.endpoint, observation.clone());
        } else {
            open.remove(&observation.endpoint);
        }
    }
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
    let mut manifest = load::scanned(&hosts, profiles, colour)?;
    for target in &mut manifest.targets {
        (target.tcp, target.udp) = (tcp.clone(), udp.clone());
    }
    Ok(manifest)
}
