//! A run of a plan, from the first probe to the last answer.

use std::{
    collections::BTreeMap,
    future::pending,
    net::IpAddr,
    sync::{Arc, MutexGuard},
    time::Duration,
};

use tokio::{
    runtime::Runtime,
    signal::unix::{Signal, SignalKind, signal},
    time::{Instant, sleep_until},
};

use super::{
    args::Mouth,
    error::CliError,
    how::How,
    memory::{self, Memory},
    progress::Progress,
};
use crate::{
    drive::{
        Clock,
        connect::{Connect, MOST_IN_FLIGHT},
        privilege, raise_descriptor_limit,
        raw::{self, Raw},
        udp::Datagrams,
    },
    model::{AddressRange, Coverage, Moment, Observation, PortSet, Protocol, Tally},
    probe::udp::Payloads,
    scan::{Config, Plan, Scan, Shard},
    spec::{self, manifest::Manifest},
};

/// What a run brought.
#[derive(Debug)]
pub(super) struct Ran {
    pub(super) coverage: Coverage,
    pub(super) began: Moment,
    pub(super) ended: Moment,
    /// Each time that it was continued.
    pub(super) resumed: Vec<Moment>,
    /// How long it took; what was between two parts of it does not count.
    pub(super) took: Duration,
    pub(super) stop: Stop,
    /// Connections made to find out who answers on what is open.
    pub(super) connections: u64,
}

/// What is to be driven.
pub(super) struct Course<'a> {
    pub(super) plan: Plan,
    pub(super) config: Config,
    pub(super) how: &'a How,
    pub(super) clock: Clock,
    pub(super) memory: &'a Memory,
    pub(super) datagrams: Arc<Datagrams>,
}

/// Control totals by address and protocol. Who judges needs them; a fleet's take room.
pub(super) type Tallies = BTreeMap<(IpAddr, Protocol), Tally>;

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    Complete,
    Interrupted,
    Terminated,
    Deadline,
    /// A part of this program failed.
    Failed,
}

impl Stop {
    /// The word of the report.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Interrupted => "interrupted",
            Self::Terminated => "terminated",
            Self::Deadline => "deadline",
            Self::Failed => "environment",
        }
    }
}

/// How often results are taken out and shown.
const LOOK: Duration = Duration::from_millis(50);
/// Seconds that a silent connect is waited for, when nothing is known of the path.
const SILENCE: f64 = 2.0;
/// Beyond this rate one thread is not enough.
const BUSY: u64 = 50_000;

/// The program's threads and event loop.
pub(super) fn runtime(how: &How) -> Result<Runtime, CliError> {
    // Privileges are given up for a thread and those that it starts, so they are before any is started.
    if how.mouth == Mouth::Syn {
        let event_loop = tokio::runtime::Builder::new_current_thread().enable_all().build();
        return event_loop.map_err(|error| CliError::environment(format!("can't start: {error}")));
    }
    let threads = if how.rate.run.is_none_or(|rate| rate > BUSY) { cores() } else { 1 };
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()
        .map_err(|error| CliError::environment(format!("can't start threads: {error}")))
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// What of a plan can be asked: where the vantage has the family and sees the port. Of a shard, its part.
pub(super) fn askable(
    plan: &spec::plan::Plan,
    manifest: &Manifest,
    payloads: &Payloads,
    shard: Option<Shard>,
) -> Plan {
    let mut asked = Plan::default();
    asked.prefer(payloads.ports());
    for group in plan.groups.iter().filter(|group| !group.missing_family) {
        let rates = group.owners.iter().filter_map(|owner| manifest.targets.get(owner.target)?.rate);
        let rate = rates.min();
        for protocol in [Protocol::Tcp, Protocol::Udp] {
            let ask = group.ask(protocol);
            let (named, rest) = (ask.named.difference(&ask.blind), ask.rest.difference(&ask.blind));
            if !named.is_empty() || !rest.is_empty() {
                asked.add(&group.permit, protocol, named, rest, rate);
            }
        }
    }
    match shard {
        Some(shard) => asked.part(shard),
        None => asked,
    }
}

/// How long the probes of a plan take, at the rates asked for and with the sockets there are, when
/// everything is silent and nothing gets lost. The most probes that may be sent for it, where loss asks for
/// more.
pub(super) fn estimate(
    plan: &spec::plan::Plan,
    (manifest, payloads): (&Manifest, &Payloads),
    how: &How,
    max_rate: Option<u64>,
) -> (u64, Duration) {
    let asked = askable(plan, manifest, payloads, how.shard);
    let weights = payloads.weights();
    let (planned, packets) = (asked.planned(), asked.packets(&weights));
    // The parts have alike many endpoints of an address.
    let share = planned as f64 / planned.saturating_add(asked.elsewhere()).max(1) as f64;
    let probes = packets.saturating_mul(how.most_attempts().into());
    let run = [how.rate.run, max_rate].into_iter().flatten().min();
    let whole = run.map_or(0.0, |rate| packets as f64 / rate as f64);
    let longest = plan.groups.iter().map(|group| {
        let [tcp, udp] = [&group.tcp, &group.udp].map(|ask| ask.planned().difference(&ask.blind));
        let more = weights.iter().filter(|(port, _)| udp.contains(**port));
        let more: u32 = more.map(|(_, count)| u32::from(*count).saturating_sub(1)).sum();
        let ports = tcp.len() + udp.len() + more;
        let own = group.owners.iter().filter_map(|owner| manifest.targets.get(owner.target)?.rate).min();
        let limit = [how.rate.per_address, own].into_iter().flatten().min();
        limit.map_or(0.0, |limit| f64::from(ports) * share / limit as f64)
    });
    // A raw probe waits in no socket.
    let rounds = if how.mouth == Mouth::Syn { 1 } else { planned.div_ceil(MOST_IN_FLIGHT as u64) };
    let waiting = rounds as f64 * SILENCE;
    let pass = longest.fold(whole.max(waiting), f64::max);
    (probes, Duration::try_from_secs_f64(pass * f64::from(how.attempts()) + SILENCE).unwrap_or(Duration::MAX))
}

/// What may stop a run before its end: somebody, or the time that it was given.
pub(super) struct Stops {
    interrupt: Signal,
    terminate: Signal,
    deadline: Option<Instant>,
}

impl Stops {
    /// So much time is left from now on.
    pub(super) fn new(left: Option<Duration>) -> Result<Self, CliError> {
        let listen = |kind| {
            signal(kind).map_err(|error| CliError::environment(format!("can't listen for signals: {error}")))
        };
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            deadline: left.and_then(|left| Instant::now().checked_add(left)),
        })
    }

    /// Waits until the run is to be stopped.
    pub(super) async fn wait(&mut self) -> Stop {
        let deadline = self.deadline;
        let over = async {
            match deadline {
                Some(deadline) => sleep_until(deadline).await,
                None => pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => Stop::Interrupted,
            _ = self.terminate.recv() => Stop::Terminated,
            () = over => Stop::Deadline,
        }
    }
}

/// Drives a scan to its end, or until somebody stops it. `see` gets observations soon after they are made,
/// a look's worth at a time; control totals are added up where somebody wants them.
pub(super) async fn drive(
    course: Course<'_>,
    progress: &Progress,
    mut tallies: Option<&mut Tallies>,
    see: &mut dyn FnMut(Vec<Observation>),
) -> Result<Ran, CliError> {
    let Course { plan, config, how, clock, memory, datagrams } = course;
    let expected = plan.packets(&config.datagrams).saturating_mul(config.attempts.into());
    let (ranges, udp) = (plan.ranges(), plan.ports(Protocol::Udp));
    let mut scan = Scan::new(plan, config.clone());
    memory.recall(&mut scan, clock.now(), &mut |scan| drain(scan, tallies.as_deref_mut(), see))?;
    if scan.done() {
        // It is written once, where it is to be somewhere else.
        drop(memory.keep(&mut scan, clock.now())?);
        drain(&mut scan, tallies, see);
        let starts = memory.starts(None);
        let ended = memory.last().unwrap_or_else(|| clock.now());
        return Ok(Ran::new(scan.totals(), starts, ended, memory.ran(), Stop::Complete));
    }
    let driver = Driver::new(scan, (&ranges, &udp), config, how, clock, datagrams)?;
    let starts = memory.starts(Some(clock.now()));
    let store = memory.keep(&mut driver.scan(), clock.now())?;
    let mut keeper = memory::keeper(store, {
        let driver = driver.clone();
        move || driver.scan().checkpoint(clock.now())
    })?;
    let mut stops = Stops::new(how.deadline)?;
    let began = clock.now();
    let mut stop = Stop::Complete;
    let running = driver.run();
    tokio::pin!(running);
    loop {
        let over = tokio::select! {
            () = &mut running => { if driver.failed() { stop = Stop::Failed } true }
            asked = stops.wait() => { stop = asked; true }
            () = tokio::time::sleep(LOOK) => false,
        };
        if over && !matches!(stop, Stop::Complete | Stop::Failed) {
            driver.stop();
            running.as_mut().await;
        }
        if over {
            // What is cut off now is not over for who continues the run.
            memory::put_away(keeper.take());
        }
        let mut scan = driver.scan();
        if over {
            scan.close_journal();
            // Also after a complete run: a worker that died must not leave endpoints without a state.
            scan.stop(clock.now());
        }
        let (totals, surprises) = (scan.totals(), scan.unnamed_open());
        let seen = taken(&mut scan, tallies.as_deref_mut());
        drop(scan);
        if !seen.is_empty() {
            see(seen);
        }
        let took = clock.now() - began + memory.ran();
        progress.show(&totals, expected, took, surprises);
        if over {
            progress.end();
            return Ok(Ran::new(totals, starts, clock.now(), took, stop));
        }
    }
}

impl Ran {
    fn new(coverage: Coverage, starts: Vec<Moment>, ended: Moment, took: Duration, stop: Stop) -> Self {
        let began = starts.first().copied().unwrap_or(ended);
        let resumed = starts.into_iter().skip(1).collect();
        Self { coverage, began, ended, resumed, took, stop, connections: 0 }
    }
}

/// Hands on what a scan has to say.
fn drain(scan: &mut Scan, tallies: Option<&mut Tallies>, see: &mut dyn FnMut(Vec<Observation>)) {
    let seen = taken(scan, tallies);
    if !seen.is_empty() {
        see(seen);
    }
}

/// Observations, taken whole, so that the sender is held up for no longer than that; tallies are added up.
fn taken(scan: &mut Scan, mut tallies: Option<&mut Tallies>) -> Vec<Observation> {
    let seen = Vec::from(scan.take_observations());
    while let Some(tally) = scan.poll_tally() {
        if let Some(tallies) = tallies.as_deref_mut() {
            let key = (tally.address, tally.protocol);
            tallies.entry(key).and_modify(|sum| sum.add(&tally)).or_insert(tally);
        }
    }
    seen
}

/// The mouth that a run speaks with.
#[derive(Clone)]
enum Driver {
    Connect(Arc<Connect>, usize),
    Raw(Arc<Raw>),
}

/// Above this rate sending gets a thread of its own, so that thinking and sending have a core each.
const FAST: u64 = 300_000;
/// Below this rate probes go one by one.
const STEADY: u64 = 10_000;

/// How far a late wake-up may catch up at a rate, so that no ten milliseconds carry more than their share
/// and one batch: less than a probe where probes go one by one, and else half a batch, since some time
/// passes until a batch has left.
fn catch_up(rate: u64) -> Duration {
    let hundredths: u64 = if rate < STEADY { 90 } else { 3000 };
    Duration::from_nanos(hundredths * 10_000_000 / rate.max(1))
}

impl Driver {
    /// Opens what the mouth needs; from then on nothing needs privilege any more.
    fn new(
        mut scan: Scan,
        (ranges, udp): (&[AddressRange], &PortSet),
        mut config: Config,
        how: &How,
        clock: Clock,
        datagrams: Arc<Datagrams>,
    ) -> Result<Self, CliError> {
        let descriptors = raise_descriptor_limit();
        let origin = how.origin.clone();
        if how.mouth != Mouth::Syn {
            let workers = if config.rate.run.is_none_or(|rate| rate > BUSY) { cores() } else { 1 };
            return Ok(Self::Connect(Connect::new(scan, clock, origin, datagrams, descriptors), workers));
        }
        let hint = "--scan connect needs no raw sockets; `portproof doctor` says what is missing";
        let kit = raw::open(ranges, &origin, (descriptors, udp), config.rate.run)
            .map_err(|error| CliError::environment(error.to_string()).hint(hint))?;
        privilege::drop_privileges()
            .map_err(|error| CliError::environment(format!("can't give up privileges: {error}")))?;
        if let Some(rate) = config.rate.run {
            config.slack = config.slack.min(catch_up(rate));
        }
        config.highest_attempt = u8::try_from(kit.ports() - 1).unwrap_or(u8::MAX);
        let threaded = config.rate.run.is_none_or(|rate| rate > FAST) && cores() > 1;
        scan.suit(config.slack, config.highest_attempt);
        Ok(Self::Raw(Raw::new(scan, clock, origin, kit, datagrams, descriptors, threaded)))
    }

    async fn run(&self) {
        match self {
            Self::Connect(driver, workers) => driver.run(*workers).await,
            Self::Raw(driver) => driver.run().await,
        }
    }

    fn scan(&self) -> MutexGuard<'_, Scan> {
        match self {
            Self::Connect(driver, _) => driver.scan(),
            Self::Raw(driver) => driver.scan(),
        }
    }

    fn stop(&self) {
        match self {
            Self::Connect(driver, _) => driver.stop(),
            Self::Raw(driver) => driver.stop(),
        }
    }

    fn failed(&self) -> bool {
        match self {
            Self::Connect(driver, _) => driver.failed(),
            Self::Raw(driver) => driver.failed(),
        }
    }
}
