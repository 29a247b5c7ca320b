//! The virtual driver: the loop of the real ones, with time that jumps to whatever comes next.
//! It fails loudly when nothing will ever happen, or when much happens and nothing comes of it.

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    time::Duration,
};

use portproof::{
    model::{Coverage, Endpoint, Evidence, Moment, Observation, Tally},
    scan::{Answer, Batch, Scan},
};

use super::net::{Net, Sent};

/// How the driver speaks and what it hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mouth {
    /// `connect()`: bounded in flight, hears the end of every attempt and nothing after it.
    Connect { capacity: usize },
    /// A raw socket: sends batches, hears whatever comes, and nothing when nothing comes.
    Raw { batch: usize },
}

impl Mouth {
    pub fn hears_silence(self) -> bool {
        matches!(self, Self::Connect { .. })
    }
}

/// All that came of a scan.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub observations: Vec<Observation>,
    pub tallies: Vec<Tally>,
    pub coverage: Coverage,
    pub wire: Vec<Sent>,
    pub ended: Moment,
    /// Failures on our side, as reported.
    pub failures: u64,
}

impl Outcome {
    /// The last word on each observed endpoint. Only a later word may supersede.
    pub fn states(&self) -> BTreeMap<Endpoint, Observation> {
        let mut states = BTreeMap::new();
        for observation in &self.observations {
            let before = states.insert(observation.endpoint, observation.clone());
            assert_eq!(
                before.is_some(),
                observation.supersedes,
                "observed twice, or superseding nothing: {observation:?} after {before:?}"
            );
        }
        states
    }

    /// How many parting looks each address got. Their numbers come after those of two second looks.
    pub fn partings(&self, attempts: u8) -> BTreeMap<IpAddr, usize> {
        let mut partings = BTreeMap::new();
        for sent in self.wire.iter().filter(|sent| sent.attempt > attempts + 2) {
            *partings.entry(sent.endpoint.address).or_default() += 1;
        }
        partings
    }

    /// When each endpoint was asked, in order.
    pub fn asked(&self) -> BTreeMap<Endpoint, Vec<Moment>> {
        let mut asked: BTreeMap<Endpoint, Vec<Moment>> = BTreeMap::new();
        for sent in &self.wire {
            asked.entry(sent.endpoint).or_default().push(sent.at);
        }
        asked
    }
}

/// Turns of the loop in which the clock stands still; a busy moment has many, a livelock all of them.
const STILL: u64 = 200_000;
/// No scan of this storey has reason to last a day.
const LONGEST: Moment = Moment::from_millis(86_400_000);

/// Runs a scan to its end, or stops it at a moment.
pub fn drive(mut scan: Scan, net: Net, mouth: Mouth, stop_at: Option<Moment>) -> Outcome {
    drive_on(&mut scan, net, mouth, Leg { stop_at, ..Leg::default() })
}

/// A part of a run.
#[derive(Default)]
pub struct Leg<'a> {
    pub from: Moment,
    pub stop_at: Option<Moment>,
    /// The process dies there: nothing is said of anything any more.
    pub kill_at: Option<Moment>,
    #[allow(clippy::type_complexity)]
    /// Called so often, with the scan as it is then.
    pub tick: Option<(Duration, &'a mut dyn FnMut(Moment, &mut Scan))>,
}

/// The same for a part of a run.
pub fn drive_on(scan: &mut Scan, mut net: Net, mouth: Mouth, leg: Leg<'_>) -> Outcome {
    let Leg { from, stop_at, kill_at, mut tick } = leg;
    let mut flight = Flight::default();
    let mut batch = Batch::default();
    let (mut now, mut still) = (from, 0);
    let mut next_tick = tick.as_ref().map(|_| from);
    let mut outcome = Outcome {
        observations: Vec::new(),
        tallies: Vec::new(),
        coverage: Coverage::default(),
        wire: Vec::new(),
        ended: Moment::START,
        failures: 0,
    };
    loop {
        while let Some(arrival) = net.receive(now) {
            let known = flight.land(arrival.sent);
            if known || !mouth.hears_silence() {
                scan.answer(now, &answer(arrival.sent, arrival.evidence));
            }
        }
        while let Some(sent) = flight.expire(now) {
            scan.answer(now, &answer(sent, Evidence::Silence));
        }
        if stop_at.is_some_and(|at| at <= now) {
            scan.stop(now);
        }
        let room = match mouth {
            Mouth::Connect { capacity } => capacity - flight.len(),
            Mouth::Raw { batch } => batch,
        };
        if room > 0 && !scan.done() {
            batch.reset(room);
            scan.fill(now, &mut batch);
        } else {
            batch.reset(0);
        }
        let mut failed = None;
        for probe in batch.probes() {
            let sent = Sent { at: now, endpoint: probe.endpoint, attempt: probe.attempt };
            match net.send(now, probe) {
                Ok(()) if mouth.hears_silence() || probe.handshake => {
                    flight.take_off(sent, now + probe.patience);
                }
                Ok(()) => {}
                Err(error) => {
                    outcome.failures += 1;
                    failed = Some(now);
                    scan.answer(now, &answer(sent, Evidence::Local(error)));
                }
            }
        }
        outcome.observations.extend(std::iter::from_fn(|| scan.poll_observation()));
        outcome.tallies.extend(std::iter::from_fn(|| scan.poll_tally()));
        let totals = scan.totals();
        assert_eq!(totals.states.total(), totals.planned, "the totals reconcile at every moment");
        if let Some((period, tell)) = &mut tick
            && (next_tick.is_some_and(|at| at <= now) || scan.done())
        {
            tell(now, scan);
            next_tick = Some(now + *period);
        }
        if scan.done() || kill_at.is_some_and(|at| at <= now) {
            break;
        }
        let wake = if room > 0 { scan.poll_timeout() } else { None };
        let upcoming =
            [wake, net.next_arrival(), flight.next_deadline(), stop_at, kill_at, next_tick, failed];
        let upcoming = upcoming.into_iter().flatten().min();
        let soonest = upcoming.expect("the scan waits for something that will never come");
        still = if soonest > now { 0 } else { still + 1 };
        assert!(still < STILL, "a livelock at {now}");
        now = now.max(soonest);
        assert!(now < LONGEST, "the scan does not end");
    }
    outcome.coverage = scan.totals();
    outcome.wire = net.wire;
    outcome.ended = now;
    outcome
}

fn answer(sent: Sent, evidence: Evidence) -> Answer {
    Answer {
        endpoint: sent.endpoint,
        attempt: sent.attempt,
        sent_at: sent.at,
        source: None,
        ttl: None,
        evidence,
    }
}

/// Attempts whose end is not known yet.
#[derive(Default)]
struct Flight {
    deadlines: BTreeMap<(Moment, u64), Sent>,
    known: HashMap<(Endpoint, u8, Moment), (Moment, u64)>,
    serial: u64,
}

impl Flight {
    fn take_off(&mut self, sent: Sent, deadline: Moment) {
        self.serial += 1;
        let key = (deadline, self.serial);
        self.deadlines.insert(key, sent);
        let before = self.known.insert((sent.endpoint, sent.attempt, sent.at), key);
        assert!(before.is_none(), "the same attempt twice at one moment: {sent:?}");
    }

    /// Whether an answer ends an attempt that was under way.
    fn land(&mut self, sent: Sent) -> bool {
        let key = self.known.remove(&(sent.endpoint, sent.attempt, sent.at));
        key.is_some_and(|key| self.deadlines.remove(&key).is_some())
    }

    fn expire(&mut self, now: Moment) -> Option<Sent> {
        let (&key, &sent) = self.deadlines.first_key_value().filter(|((deadline, _), _)| *deadline <= now)?;
        self.deadlines.remove(&key);
        self.known.remove(&(sent.endpoint, sent.attempt, sent.at));
        Some(sent)
    }

    fn next_deadline(&self) -> Option<Moment> {
        self.deadlines.keys().next().map(|(deadline, _)| *deadline)
    }

    fn len(&self) -> usize {
        self.known.len()
    }
}

/// The most events that fall into any stretch of a length.
pub fn busiest(times: &[Moment], length: Duration) -> usize {
    let mut first = 0;
    let mut most = 0;
    for (i, &at) in times.iter().enumerate() {
        while at - times[first] >= length {
            first += 1;
        }
        most = most.max(i + 1 - first);
    }
    most
}
