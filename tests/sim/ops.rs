//! A driver that does everything a driver can do wrong: late, twice, out of order, made up. Any bytes
//! are a run of it; the fuzzer, the corpus and proptest share this file. The laws hold regardless.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use portproof::{
    model::{
        Endpoint, Evidence, LocalError, Moment, Observation, PortSet, Protocol, Scope, ScopeEntry, State,
        StateCounts, Tally, Unreachable,
    },
    scan::{Answer, Batch, Config, Plan, Probe, Rate, Scan},
};

/// Runs the operations that the bytes mean, then lets an honest driver finish. Returns how many they were.
pub fn run(bytes: &[u8]) -> u64 {
    let mut bytes = bytes.iter().copied();
    let mut run = Run::new(&mut bytes);
    let mut count = 0;
    while let Some(op) = bytes.next() {
        let mut byte = || bytes.next().unwrap_or(0);
        match op % 8 {
            0 => run.fill(usize::from(byte() % 64) + 1),
            1 => run.advance(byte()),
            2 => run.answer(byte(), byte()),
            3 => run.answer_again(byte(), byte()),
            4 => run.make_up(byte(), byte(), byte()),
            5 if byte() % 8 == 0 => run.stop(),
            6 => run.drain(),
            _ => run.wake(),
        }
        run.check();
        count += 1;
    }
    run.finish();
    count
}

struct Run {
    scan: Scan,
    config: Config,
    planned: BTreeSet<Endpoint>,
    now: Moment,
    batch: Batch,
    /// Probes that nobody has said anything of.
    open_ends: Vec<(Moment, Probe)>,
    ended: Vec<(Moment, Probe)>,
    wire: BTreeMap<Endpoint, Vec<Moment>>,
    /// What was said about an endpoint after it had been asked.
    heard: BTreeMap<Endpoint, BTreeSet<State>>,
    /// Endpoints about which we lied whether or how a probe ended: nobody can count those.
    lied: BTreeSet<Endpoint>,
    /// Attempts of which we said that they never left.
    unsent: BTreeSet<(Endpoint, u8)>,
    probes: u64,
    failures: u64,
    strays: u64,
    stopped: bool,
    observations: Vec<Observation>,
    tallies: Vec<Tally>,
}

const SECOND: Duration = Duration::from_secs(1);

impl Run {
    fn new(bytes: &mut impl Iterator<Item = u8>) -> Self {
        let mut byte = || bytes.next().unwrap_or(0);
        let flags = byte();
        let rate = |byte: u8| (byte > 0).then(|| u64::from(byte) * u64::from(byte));
        let config = Config {
            seed: u64::from(byte()),
            rate: Rate { run: rate(byte()), per_address: rate(byte()) },
            attempts: byte() % 6 + 1,
            window: u64::from(byte()) + 1,
            hears_silence: flags & 1 > 0,
            second_look: flags & 2 > 0,
            every: flags & 4 > 0,
            ..Config::default()
        };
        let mut plan = Plan::default();
        let mut planned = BTreeSet::new();
        for (i, protocol) in [(3, Protocol::Tcp), (4, Protocol::Udp)] {
            if flags >> i & 1 == 0 && protocol == Protocol::Udp {
                continue;
            }
            let named = PortSet::from_ranges([(1, u16::from(byte() % 8))]);
            let rest = PortSet::from_ranges([(20, 20 + u16::from(byte() % 16))]);
            let block = "10.0.0.0/30".parse().unwrap();
            let scope = Scope { entries: vec![ScopeEntry::Block(block)], exclude: vec![] };
            let permit = scope.authorize_block(block).0.remove(0);
            for address in permit.range().iter() {
                let ports = named.union(&rest);
                planned.extend(ports.iter().map(|port| Endpoint { address, protocol, port }));
            }
            plan.add(&permit, protocol, named, rest, None);
        }
        Self {
            scan: Scan::new(plan, config.clone()),
            config,
            planned,
            now: Moment::START,
            batch: Batch::default(),
            open_ends: Vec::new(),
            ended: Vec::new(),
            wire: BTreeMap::new(),
            heard: BTreeMap::new(),
            lied: BTreeSet::new(),
            unsent: BTreeSet::new(),
            probes: 0,
            failures: 0,
            strays: 0,
            stopped: false,
            observations: Vec::new(),
            tallies: Vec::new(),
        }
    }

    fn fill(&mut self, room: usize) {
        self.batch.reset(room);
        self.scan.fill(self.now, &mut self.batch);
        assert!(self.batch.probes().len() <= room);
        for &probe in self.batch.probes() {
            assert!(self.planned.contains(&probe.endpoint), "{} was never planned", probe.endpoint);
            assert!(!self.stopped, "a stopped scan asked {}", probe.endpoint);
            self.probes += 1;
            self.wire.entry(probe.endpoint).or_default().push(self.now);
            self.open_ends.push((self.now, probe));
        }
    }

    fn advance(&mut self, byte: u8) {
        let unit =
            [Duration::from_micros(50), Duration::from_millis(1), Duration::from_millis(30), SECOND / 4];
        self.now += unit[usize::from(byte >> 6)] * u32::from(byte & 63);
    }

    fn wake(&mut self) {
        self.now = self.scan.poll_timeout().map_or(self.now, |at| at.max(self.now));
        self.fill(64);
    }

    /// Something true comes of a probe.
    fn answer(&mut self, which: u8, what: u8) {
        if self.open_ends.is_empty() {
            return;
        }
        let (sent_at, probe) = self.open_ends.swap_remove(usize::from(which) % self.open_ends.len());
        let mut evidence = evidence(what);
        // Who hears no silence knows at once, or never, that a probe did not leave.
        if matches!(evidence, Evidence::Local(_)) && !self.config.hears_silence && sent_at < self.now {
            evidence = Evidence::Silence;
        }
        if let Evidence::Local(_) = evidence
            && let Some(times) = self.wire.get_mut(&probe.endpoint)
            && let Some(at) = times.iter().rposition(|at| *at == sent_at)
        {
            times.remove(at);
        }
        if let Evidence::Local(_) = evidence {
            self.unsent.insert((probe.endpoint, probe.attempt));
        }
        self.ended.push((sent_at, probe));
        self.say(probe.endpoint, probe.attempt, sent_at, evidence);
    }

    /// The same probe comes back, with anything.
    fn answer_again(&mut self, which: u8, what: u8) {
        if self.ended.is_empty() {
            return;
        }
        let (sent_at, probe) = self.ended[usize::from(which) % self.ended.len()];
        self.lie(probe.endpoint, probe.attempt, sent_at, evidence(what));
    }

    /// An answer out of thin air.
    fn make_up(&mut self, which: u8, attempt: u8, what: u8) {
        let outside = Endpoint::tcp([10, 0, 0, 9], u16::from(which));
        let nth = self.planned.iter().nth(usize::from(which)).copied();
        self.lie(nth.unwrap_or(outside), attempt % 16, self.now, evidence(what));
    }

    fn lie(&mut self, endpoint: Endpoint, attempt: u8, sent_at: Moment, evidence: Evidence) {
        let awaited = |(_, probe): &(Moment, Probe)| (probe.endpoint, probe.attempt) == (endpoint, attempt);
        // An answer to a probe that we said never left is a lie as well.
        let unsent = self.unsent.contains(&(endpoint, attempt));
        if matches!(evidence, Evidence::Local(_)) || unsent || self.open_ends.iter().any(awaited) {
            self.lied.insert(endpoint);
        }
        self.say(endpoint, attempt, sent_at, evidence);
    }

    fn say(&mut self, endpoint: Endpoint, attempt: u8, sent_at: Moment, evidence: Evidence) {
        let before = self.scan.totals();
        self.scan.answer(self.now, &Answer { endpoint, attempt, sent_at, source: None, ttl: None, evidence });
        let after = self.scan.totals();
        self.failures += u64::from(matches!(evidence, Evidence::Local(_)));
        if !self.planned.contains(&endpoint) || !self.wire.contains_key(&endpoint) {
            self.strays += 1;
            assert_eq!(after.strays, before.strays + 1, "{endpoint} was not asked, and is no stray");
            assert_eq!(after.states, before.states, "believed a stray from {endpoint}");
        } else if let Some(state) = evidence.state() {
            self.heard.entry(endpoint).or_default().insert(state);
        }
    }

    fn stop(&mut self) {
        self.scan.stop(self.now);
        self.stopped = true;
        assert!(self.scan.done());
    }

    fn drain(&mut self) {
        self.observations.extend(std::iter::from_fn(|| self.scan.poll_observation()));
        self.tallies.extend(std::iter::from_fn(|| self.scan.poll_tally()));
    }

    fn check(&self) {
        let totals = self.scan.totals();
        assert_eq!(totals.states.total(), totals.planned);
        assert_eq!(totals.planned, self.planned.len() as u64);
        assert!(totals.strays >= self.strays);
        let looks = if self.config.second_look { 2 } else { 0 };
        // Besides, two parting looks an address and window at most, each of which holds an endpoint of it.
        let each = u64::from(self.config.attempts) + looks + 2;
        let most = self.planned.len() as u64 * each + self.failures;
        assert!(self.probes <= most, "{} probes, {most} at most", self.probes);
    }

    /// An honest driver takes over: it reports the end of everything under way, and waits.
    fn finish(&mut self) {
        let begun = self.now;
        let mut still = 0;
        while !self.scan.done() {
            self.fill(64);
            if self.scan.done() {
                break;
            }
            let patience = |(sent_at, probe): &(Moment, Probe)| *sent_at + probe.patience;
            let deadline = self.open_ends.iter().map(patience).min().filter(|_| self.config.hears_silence);
            let soonest = [self.scan.poll_timeout(), deadline].into_iter().flatten().min();
            let soonest = soonest.expect("the scan waits for something that will never come").max(self.now);
            still = if soonest > self.now { 0 } else { still + 1 };
            assert!(still < 10_000, "a livelock at {}", self.now);
            self.now = soonest;
            assert!(self.now - begun < SECOND * 7200, "the scan does not end");
            while self.config.hears_silence
                && let Some(over) = self.open_ends.iter().position(|end| patience(end) <= self.now)
            {
                let (sent_at, probe) = self.open_ends.swap_remove(over);
                self.say(probe.endpoint, probe.attempt, sent_at, Evidence::Silence);
            }
            self.check();
        }
        self.drain();
        self.judge();
    }

    fn judge(&self) {
        let mut tallied = StateCounts::default();
        for tally in &self.tallies {
            tallied += tally.states;
            assert!(tally.not_sent <= tally.states.unknown);
        }
        assert_eq!(tallied, self.scan.totals().states, "tallies and coverage");
        let mut states = BTreeMap::new();
        for seen in &self.observations {
            let before = states.insert(seen.endpoint, seen);
            assert_eq!(before.is_some(), seen.supersedes, "{seen:?} after {before:?}");
        }
        if self.config.every {
            assert!(states.keys().eq(&self.planned), "each endpoint is observed exactly once");
            for state in State::ALL {
                let count = states.values().filter(|seen| seen.state == state).count() as u64;
                assert_eq!(count, tallied.of(state), "{state}");
            }
        }
        for (endpoint, seen) in &states {
            self.judge_one(*endpoint, seen);
        }
        for (endpoint, times) in self.wire.iter().filter(|(endpoint, _)| !self.lied.contains(endpoint)) {
            for pair in times.windows(2) {
                assert!(pair[1] - pair[0] >= SECOND, "{endpoint}: asked at {} and {}", pair[0], pair[1]);
            }
        }
    }

    fn judge_one(&self, endpoint: Endpoint, seen: &Observation) {
        let heard = self.heard.get(&endpoint).cloned().unwrap_or_default();
        match seen.state {
            State::Open | State::Closed => {
                assert!(heard.contains(&seen.state), "{endpoint} is {} out of thin air", seen.state);
            }
            State::Filtered | State::Unanswered if !heard.contains(&State::Filtered) => {
                let asked = self.wire.get(&endpoint).map_or(0, Vec::len);
                let enough = asked >= usize::from(self.config.attempts) || self.lied.contains(&endpoint);
                assert!(enough, "{endpoint} is {} after {asked} probes", seen.state);
            }
            State::Filtered | State::Unanswered | State::Unknown => {}
        }
    }
}

fn evidence(byte: u8) -> Evidence {
    let icmp = |what| Evidence::Unreachable { what, sender: Some([192, 0, 2, 1].into()) };
    match byte % 16 {
        0 | 1 => Evidence::Connected,
        2 | 3 => Evidence::Refused,
        4 => icmp(Unreachable::AdminProhibited),
        5 => icmp(Unreachable::Port),
        6 => icmp(Unreachable::Host),
        7 => icmp(Unreachable::TimeExceeded),
        8 => Evidence::Local(LocalError::Buffers),
        9 => Evidence::Local(LocalError::Descriptors),
        10 => Evidence::Local(LocalError::NoRoute),
        11 => Evidence::Local(LocalError::Forbidden),
        _ => Evidence::Silence,
    }
}
