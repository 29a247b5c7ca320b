//! `verify`: scan what the manifest declares, compare, report.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::IpAddr,
    process::ExitCode,
    sync::Arc,
};

use super::{
    args::{Color, HowArgs, Mouth, ResultArgs, SelectArgs, TalkArgs, VerifyArgs},
    datagrams::{datagrams, said},
    error::{CliError, Code},
    from,
    how::How,
    identify::{Authorities, authorities, callers, secured, talk},
    inputs,
    judgement::{Measure, Subject, manifest_record, next_due, selection, tool},
    load,
    output::{self, Wanted},
    plan::about,
    prepare::Prepared,
    progress::Progress,
    run::{Course, Ran, Stop, Tallies, askable, drive, estimate},
};
use crate::{
    drive::{Clock, interfaces, provenance},
    identify::Portrait,
    model::{Endpoint, Family, Observation, Protocol, Tally},
    report::{self, Circumstances, HostRecord, Methods, Run, count},
    scan::{self, Config},
    verify::Seen,
};

/// Ports beside the plan that an address is asked where something is open.
const CONTROLS: u8 = 5;

/// One verification, as it was asked for.
pub(super) struct Asked<'a> {
    pub(super) what: &'a [String],
    pub(super) expect: Option<&'a str>,
    pub(super) how: &'a HowArgs,
    pub(super) select: &'a SelectArgs,
    pub(super) result: &'a ResultArgs,
    pub(super) talk: &'a TalkArgs,
    pub(super) color: Color,
    pub(super) argv: &'a [String],
}

/// Verifies a manifest, prints the summary, writes the reports.
pub(super) fn run(args: &VerifyArgs, color: Color, typed: &[String]) -> Result<ExitCode, CliError> {
    let VerifyArgs { what, expect, how, select, result, talk } = args;
    verified(&Asked { what, expect: expect.as_deref(), how, select, result, talk, color, argv: typed })
        .map(ExitCode::from)
}

/// The same, returning the code itself.
pub(super) fn verified(asked: &Asked<'_>) -> Result<u8, CliError> {
    let inputs = inputs::of_verify(asked)?;
    let wanted = Wanted::all(&asked.result.report, asked.result.template.as_deref(), &inputs)?;
    let measure = Measure::new(asked.result)?;
    if !asked.select.from.is_empty() {
        return from::verified(asked, &wanted, &measure);
    }
    let ansi = output::colours(asked.color, &io::stderr());
    let Asked { what, expect, how, select, .. } = *asked;
    let mut prepared = Prepared::new(what, expect, how, select, &wanted, (ansi, asked.talk.quiet))?;
    let authorities = authorities(&prepared.manifest)?;
    announce(&prepared, asked.talk);
    let scanned = scanned(&mut prepared, &authorities, asked)?;
    let Scanned { ran, observations, tallies, portraits, .. } = &scanned;
    let seen = Seen { observations, tallies, portraits, partial: ran.stop != Stop::Complete };
    let vantage = prepared.selection.vantage.as_deref().or(prepared.manifest.vantage.as_deref());
    let subject = Subject {
        manifest: &prepared.manifest,
        profiles: &prepared.profiles,
        plan: &prepared.plan,
        resolution: &prepared.resolution,
        selection: &prepared.selection,
        at: prepared.at,
        now: scanned.clock.wall(ran.ended),
        vantage,
        is_part: prepared.how.shard.is_some(),
        max_miss: prepared.how.max_miss,
        from: None,
    };
    let circumstances = circumstances(&prepared, asked, &scanned, vantage);
    let report = subject.judged(&seen, &measure, circumstances);
    measure.follow(&report, asked.talk);
    prepared.runtime.shutdown_background();
    output::publish(&report, &wanted, asked.color, asked.talk.quiet)?;
    Ok(report.summary.exit_code)
}

/// Says before the first probe what is about to happen.
fn announce(prepared: &Prepared, talk: &TalkArgs) {
    if talk.quiet {
        return;
    }
    let planned =
        askable(&prepared.plan, &prepared.manifest, &prepared.payloads, prepared.how.shard).planned();
    let addresses: u128 = prepared.plan.groups.iter().map(|group| group.permit.range().count()).sum();
    let (probes, least) =
        estimate(&prepared.plan, (&prepared.manifest, &prepared.payloads), &prepared.how, None);
    let rate = prepared.how.rate.run.map_or_else(
        || "as fast as this machine can".to_owned(),
        |rate| format!("at most {} a second", count(rate, "probe", "probes")),
    );
    let hosts = count(u64::try_from(addresses).unwrap_or(u64::MAX), "address", "addresses");
    output::say(&format!(
        "asking {} on {hosts} by {}, {rate}; at most {}, {} if everything is silent and nothing gets lost",
        count(planned, "endpoint", "endpoints"),
        prepared.how.method(),
        count(probes, "probe", "probes"),
        about(least)
    ));
    if talk.verbose {
        for left_out in &prepared.plan.left_out {
            output::say(&format!("left out: {}: {}", left_out.what, left_out.why));
        }
        output::say(&format!("seed {}", prepared.how.seed));
    }
}

/// What was seen.
struct Scanned {
    clock: Clock,
    ran: Ran,
    /// The last word on each endpoint.
    observations: Vec<Observation>,
    tallies: Vec<Tally>,
    /// How it was asked.
    methods: Methods,
    /// What services said of themselves over UDP.
    banners: BTreeMap<Endpoint, String>,
    /// Who answers on open TCP ports.
    portraits: BTreeMap<Endpoint, Portrait>,
}

fn scanned(
    prepared: &mut Prepared,
    authorities: &Authorities,
    asked: &Asked<'_>,
) -> Result<Scanned, CliError> {
    let plan = askable(&prepared.plan, &prepared.manifest, &prepared.payloads, prepared.how.shard);
    let datagrams = datagrams(&prepared.payloads)?;
    let config = Config {
        second_look: true,
        controls: CONTROLS,
        datagrams: prepared.payloads.weights(),
        ..prepared.how.config()
    };
    let progress = Progress::over(plan.planned(), asked.talk);
    let clock = prepared.memory.bind(&plan, &config, &prepared.how, "verify", &prepared.resolution)?;
    let methods = methods(&plan, &prepared.how);
    let mut observations = Vec::new();
    let mut see = |seen| observations.extend(seen);
    let mut tallies = Tallies::new();
    let (how, memory) = (&prepared.how, &prepared.memory);
    let course = Course { plan, config, how, clock, memory, datagrams: Arc::clone(&datagrams) };
    let drive = drive(course, &progress, Some(&mut tallies), &mut see);
    let mut ran = prepared.runtime.block_on(drive)?;
    // The last word on an endpoint counts.
    observations.sort_by_key(|observation| observation.endpoint);
    observations.reverse();
    observations.dedup_by_key(|observation| observation.endpoint);
    observations.reverse();
    let (banners, mut portraits) = said(&datagrams);
    let mut callers = callers(prepared, authorities, &observations, &tallies);
    callers.extend(secured(prepared, authorities, &portraits));
    let mut see = |endpoint, portrait| drop(portraits.insert(endpoint, portrait));
    prepared.runtime.block_on(talk(callers, &prepared.how, clock, &mut ran, &mut see))?;
    let tallies = tallies.into_values().collect();
    Ok(Scanned { clock, ran, observations, tallies, methods, banners, portraits })
}

/// What only the edge knows about the run.
fn circumstances(
    prepared: &Prepared,
    asked: &Asked<'_>,
    scanned: &Scanned,
    vantage: Option<&str>,
) -> Circumstances {
    let &Scanned { clock, ref ran, .. } = scanned;
    let time = |moment| report::time(clock.began(), moment);
    let (synchronized, max_error_ms) = provenance::clock();
    let manifest = &prepared.manifest;
    let whole = || askable(&prepared.plan, manifest, &prepared.payloads, None).digest();
    let part = prepared.how.shard.map(|shard| (shard, whole()));
    let run = Run {
        id: format!("{:016x}{:016x}", provenance::random(), provenance::random()),
        started_at: time(ran.began),
        finished_at: time(ran.ended),
        resumed_at: ran.resumed.iter().map(|&at| time(at)).collect(),
        vantage: vantage.map(str::to_owned),
        operator: provenance::operator(),
        seed: prepared.how.seed,
        argv: asked.argv.to_vec(),
        selection: selection(&prepared.selection, asked, part),
        scan: scanned.methods.clone(),
        fallbacks: prepared.how.fallbacks.clone(),
        partial: ran.stop != Stop::Complete,
        stop_reason: ran.stop.word().to_owned(),
        clock: report::Clock { source: "system".to_owned(), synchronized, max_error_ms },
        manifest: manifest_record(manifest),
        previous: None,
        next_due: next_due(manifest, clock.wall(ran.ended)),
        resolver: report::resolver_record(&prepared.resolution),
        host: HostRecord {
            name: provenance::host_name(),
            source_addresses: sources(prepared, &scanned.observations),
        },
        sources: vec![],
    };
    Circumstances {
        tool: tool(),
        run,
        start: clock.began(),
        coverage: ran.coverage,
        duration: ran.took,
        stopped: match ran.stop {
            Stop::Interrupted => Some(Code::Interrupted as u8),
            Stop::Terminated => Some(Code::Terminated as u8),
            Stop::Complete | Stop::Deadline | Stop::Failed => None,
        },
        banners: scanned.banners.clone(),
        connections: ran.connections,
        role_denials: load::role_denials(&prepared.profiles, manifest, &prepared.plan.targets),
    }
}

/// How each protocol of a plan is asked, where it is.
fn methods(plan: &scan::Plan, how: &How) -> Methods {
    let is_syn = how.mouth == Mouth::Syn;
    Methods {
        tcp: plan.has(Protocol::Tcp).then(|| how.method().to_lowercase()),
        udp: plan.has(Protocol::Udp).then(|| if is_syn { "raw" } else { "connect" }.to_owned()),
    }
}

/// A port to name where none is asked; nothing is sent there (RFC 863).
const DISCARD: u16 = 9;

/// The addresses that probes came from: those seen on sockets, and those the kernel would choose.
fn sources(prepared: &Prepared, observations: &[Observation]) -> Vec<String> {
    let looks = observations.iter().flat_map(|observation| &observation.looks);
    let mut sources: BTreeSet<IpAddr> =
        looks.filter_map(|look| look.source).map(|source| source.ip()).collect();
    if prepared.how.origin.addresses.is_empty() {
        for family in [Family::Ipv4, Family::Ipv6] {
            let first = prepared
                .plan
                .groups
                .iter()
                .map(|group| group.permit.range())
                .find(|range| range.family() == family);
            let to = first.map(|range| prepared.how.origin.to(range.first(), DISCARD));
            sources.extend(to.and_then(interfaces::source_for));
        }
    }
    sources.extend(&prepared.how.origin.addresses);
    sources.iter().map(ToString::to_string).collect()
}
