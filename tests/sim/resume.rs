//! A scan whose process dies at any moment, and another that continues it from what was written. What
//! both find together is what one would have found, and what was settled is not asked again.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use portproof::{
    drive::state::{self, Kind, MAGIC, Records, Story},
    model::{Endpoint, Moment, Observation, State, StateCounts, Tally},
    scan::Scan,
};
use proptest::prelude::*;

use super::{
    drive::{Leg, Outcome, drive_on},
    net::Sent,
    world::{CALM, HOSTILE, World, world},
};

const SECOND: Duration = Duration::from_secs(1);
/// What the real writer does.
const PERIOD: Duration = Duration::from_millis(100);

/// The octets of a state file, and what was seen of the scan that writes it.
struct Life {
    world: World,
    file: Vec<u8>,
    /// What went over the wire in all legs, and the last two seconds of each that died.
    wire: Vec<Sent>,
    last: usize,
    now: Moment,
}

impl Life {
    fn new(world: &World) -> Self {
        let mut file = MAGIC.to_vec();
        state::write(&mut file, Kind::Head, b"{}").unwrap();
        Self { world: world.clone(), file, wire: Vec::new(), last: 0, now: Moment::START }
    }

    /// One process: it reads what there is, goes on, and dies or comes to the end.
    fn live(&mut self, kill_after: Option<Duration>, torn: usize) -> Leged {
        let mut scan = self.world.scan();
        let mut said = Said::default();
        if self.file.len() > 60 {
            let story = recall(&self.file, &mut scan, &mut said, self.now).unwrap();
            let mut copy = Vec::new();
            story.copy(&mut records(&self.file), &mut copy, true).unwrap();
            self.file = copy;
        }
        scan.keep_journal();
        let first = scan.checkpoint(self.now).progress;
        state::begin(&mut self.file, &first).unwrap();
        let (from, kill_at) = (self.now, kill_after.map(|after| self.now + after));
        let mut tell = |now: Moment, scan: &mut Scan| {
            let mut checkpoint = scan.checkpoint(now);
            state::write_checkpoint(&mut self.file, &mut checkpoint).unwrap();
        };
        let leg = Leg { from, kill_at, tick: Some((PERIOD, &mut tell)), ..Leg::default() };
        let outcome = drive_on(&mut scan, self.world.net(), self.world.mouth, leg);
        if !scan.done() {
            // It died while it wrote.
            let mut last = Vec::new();
            state::write_checkpoint(&mut last, &mut scan.checkpoint(outcome.ended)).unwrap();
            last.truncate(torn % last.len());
            self.file.extend(last);
        }
        let late = outcome.wire.iter().filter(|sent| sent.at + SECOND * 2 > outcome.ended);
        if !scan.done() {
            self.last += late.count();
        }
        self.wire.extend(&outcome.wire);
        self.now = outcome.ended + Duration::from_millis(1);
        said.observations.extend(outcome.observations.clone());
        said.tallies.extend(outcome.tallies.clone());
        Leged { done: scan.done(), outcome, said }
    }
}

struct Leged {
    done: bool,
    outcome: Outcome,
    said: Said,
}

#[derive(Default)]
struct Said {
    observations: Vec<Observation>,
    tallies: Vec<Tally>,
}

impl Said {
    fn take(&mut self, scan: &mut Scan) {
        self.observations.extend(scan.take_observations());
        self.tallies.extend(std::iter::from_fn(|| scan.poll_tally()));
    }

    fn states(&self) -> BTreeMap<Endpoint, Observation> {
        let mut states = BTreeMap::new();
        for seen in &self.observations {
            let before = states.insert(seen.endpoint, seen.clone());
            assert_eq!(before.is_some(), seen.supersedes, "{seen:?} after {before:?}");
        }
        states
    }
}

fn records(file: &[u8]) -> Records<&[u8]> {
    Records::new(file, file.len() as u64).unwrap()
}

fn recall(file: &[u8], scan: &mut Scan, said: &mut Said, now: Moment) -> Result<Story, state::StoryError> {
    let story = Story::read(&mut Records::new(file, file.len() as u64)?)?;
    story.replay(&mut records(file), scan, &mut |scan| said.take(scan))?;
    scan.resume(now, &story.safe, &story.last)?;
    said.take(scan);
    Ok(story)
}

fn gaps(wire: &[Sent]) {
    let mut asked: BTreeMap<Endpoint, Vec<Moment>> = BTreeMap::new();
    for sent in wire {
        asked.entry(sent.endpoint).or_default().push(sent.at);
    }
    for (endpoint, times) in asked {
        for pair in times.windows(2) {
            assert!(pair[1] - pair[0] >= SECOND, "{endpoint}: asked at {} and {}", pair[0], pair[1]);
        }
    }
}

fn reconciles(world: &World, leg: &Leged) {
    let coverage = leg.outcome.coverage;
    assert_eq!(coverage.states.total(), coverage.planned);
    let mut tallied = StateCounts::default();
    leg.said.tallies.iter().for_each(|tally| tallied += tally.states);
    assert_eq!(tallied, coverage.states, "tallies and coverage");
    let states = leg.said.states();
    assert!(states.keys().eq(&world.planned()), "each endpoint is observed exactly once");
    let mut observed = StateCounts::default();
    for seen in states.values() {
        observed.add(seen.state, 1);
    }
    assert_eq!(observed, coverage.states, "observations and coverage");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_runs_find_what_one_would_have_found_and_ask_two_seconds_more_at_most(
        world in world(CALM),
        kills in proptest::collection::vec(0u64..9000, 1..4),
        torn: usize,
    ) {
        let whole = world.run();
        let mut life = Life::new(&world);
        let mut done = None;
        for ms in kills {
            let leg = life.live(Some(Duration::from_millis(ms)), torn);
            if leg.done {
                done = Some(leg);
                break;
            }
        }
        let leg = done.unwrap_or_else(|| life.live(None, 0));
        prop_assert!(leg.done);
        reconciles(&world, &leg);
        let states = leg.said.states();
        for (endpoint, seen) in whole.states() {
            let both = &states[&endpoint];
            prop_assert_eq!((seen.state, seen.reason), (both.state, both.reason), "{}", endpoint);
            prop_assert_eq!(seen.seen_open_twice(), both.seen_open_twice(), "{}", endpoint);
            if seen.state == State::Filtered && seen.first_seen.is_none() {
                prop_assert_eq!(seen.attempts, both.attempts, "{}", endpoint);
            }
        }
        gaps(&life.wire);
        // Parting looks depend on who has answered by the time that a window ends, which comes later here.
        let asks = |wire: &[Sent]| wire.iter().filter(|sent| sent.attempt <= world.config.attempts + 2).count();
        let (both, most) = (asks(&life.wire), asks(&whole.wire) + life.last);
        prop_assert!(both <= most, "{both} probes, {most} at most");
        let partings = life.wire.len() - both;
        prop_assert!(partings <= life.last + 8 * world.planned().len(), "{partings} parting looks");
    }

    #[test]
    fn what_was_settled_and_written_is_not_asked_again(world in world(CALM), ms in 0u64..9000) {
        let mut life = Life::new(&world);
        let first = life.live(Some(Duration::from_millis(ms)), 0);
        if first.done {
            return Ok(());
        }
        let mut known = Said::default();
        recall(&life.file, &mut world.scan(), &mut known, life.now).unwrap();
        let settled: BTreeSet<Endpoint> =
            known.observations.iter().filter(|seen| seen.state != State::Open).map(|seen| seen.endpoint).collect();
        let second = life.live(None, 0);
        // Looks have numbers of their own.
        let again = second.outcome.wire.iter().filter(|sent| sent.attempt <= world.config.attempts);
        for sent in again {
            prop_assert!(!settled.contains(&sent.endpoint), "{sent:?}");
        }
    }

    #[test]
    fn the_laws_hold_over_all_runs_in_a_hostile_world(
        world in world(HOSTILE),
        kills in proptest::collection::vec(0u64..5000, 1..4),
        torn: usize,
    ) {
        let mut life = Life::new(&world);
        let mut leg = life.live(Some(Duration::from_millis(kills[0])), torn);
        for ms in &kills[1..] {
            if !leg.done {
                leg = life.live(Some(Duration::from_millis(*ms)), torn);
            }
        }
        if !leg.done {
            leg = life.live(None, 0);
        }
        reconciles(&world, &leg);
        gaps(&life.wire);
        let net = world.net();
        let mut asked: BTreeMap<Endpoint, usize> = BTreeMap::new();
        life.wire.iter().for_each(|sent| *asked.entry(sent.endpoint).or_default() += 1);
        for (endpoint, seen) in leg.said.states() {
            let truth = net.truth(endpoint);
            let hidden = matches!(seen.state, State::Filtered | State::Unanswered | State::Unknown);
            prop_assert!(seen.state == truth || hidden, "{endpoint} is {truth}, and was called {}", seen.state);
            if matches!(seen.state, State::Filtered | State::Unanswered) && seen.first_seen.is_none() {
                let probes = asked.get(&endpoint).copied().unwrap_or(0);
                prop_assert!(probes >= usize::from(world.config.attempts), "{endpoint}: {probes} probes");
            }
        }
    }

    #[test]
    fn a_file_that_is_cut_or_spoilt_anywhere_is_continued_or_refused(
        world in world(CALM),
        ms in 0u64..6000,
        at: prop::sample::Index,
        octet in 1u8..,
    ) {
        let mut life = Life::new(&world);
        life.live(Some(Duration::from_millis(ms)), 0);
        let at = at.index(life.file.len());
        let cut = &life.file[..at];
        if let Ok(records) = Records::new(cut, at as u64) {
            let mut records = records;
            if Story::read(&mut records).is_ok() {
                recall(cut, &mut world.scan(), &mut Said::default(), life.now).unwrap();
            }
        }
        let mut spoilt = life.file.clone();
        spoilt[at] ^= octet;
        let told = recall(&spoilt, &mut world.scan(), &mut Said::default(), life.now);
        // The last record is cut off; anything before it is damage, and said to be.
        if let Ok(story) = told {
            prop_assert!(story.end <= at as u64, "octet {at} of {} was spoilt", spoilt.len());
        }
    }

    #[test]
    fn a_file_forged_with_good_checksums_is_continued_or_refused(
        world in world(HOSTILE),
        ms in 0u64..6000,
        which: prop::sample::Index,
        octets in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut life = Life::new(&world);
        life.live(Some(Duration::from_millis(ms)), 0);
        let (mut all, mut from) = (Vec::new(), records(&life.file));
        while let Some(record) = from.advance().unwrap() {
            all.push(record);
        }
        let at = 1 + which.index(all.len() - 1);
        let record = &mut all[at].1;
        for (at, octet) in octets {
            let at = at.index(record.len());
            record[at] = octet;
        }
        let mut forged = MAGIC.to_vec();
        for (kind, record) in &all {
            state::write(&mut forged, *kind, record).unwrap();
        }
        let mut scan = world.scan();
        if recall(&forged, &mut scan, &mut Said::default(), life.now).is_ok() {
            let totals = scan.totals();
            prop_assert_eq!(totals.states.total(), totals.planned);
            drive_on(&mut scan, world.net(), world.mouth, Leg { from: life.now, ..Leg::default() });
        }
    }

    #[test]
    fn a_foreign_file_is_refused_and_never_more(
        world in world(CALM),
        other in world(HOSTILE),
        ms in 0u64..6000,
    ) {
        let mut life = Life::new(&other);
        life.live(Some(Duration::from_millis(ms)), 0);
        let _ = recall(&life.file, &mut world.scan(), &mut Said::default(), life.now);
    }

    #[test]
    fn a_run_that_was_over_says_all_again_and_asks_nothing(world in world(HOSTILE)) {
        let mut life = Life::new(&world);
        let first = life.live(None, 0);
        let before = life.wire.len();
        let again = life.live(None, 0);
        prop_assert_eq!(life.wire.len(), before);
        prop_assert_eq!(again.outcome.coverage, first.outcome.coverage);
        prop_assert_eq!(again.said.states(), first.said.states());
        let key = |tally: &Tally| (tally.address, tally.protocol, tally.states, tally.not_sent, tally.fell_silent);
        let keys = |said: &Said| said.tallies.iter().map(key).map(|key| format!("{key:?}")).collect::<BTreeSet<_>>();
        prop_assert_eq!(keys(&again.said), keys(&first.said));
    }
}

#[test]
fn a_state_file_grows_with_what_was_found_and_not_with_time() {
    use super::{drive::Mouth, net::Host, world::Ask};
    use portproof::{
        model::{PortSet, Protocol},
        scan::{Config, Rate},
    };
    let at = "10.0.0.0/24".parse().unwrap();
    let ask = Ask {
        at,
        protocol: Protocol::Tcp,
        named: PortSet::NONE,
        rest: PortSet::parse("1-400").unwrap(),
        rate: None,
    };
    let closed = Host { at, closed: PortSet::all(), ..Host::default() };
    let config = Config { rate: Rate { run: Some(20_000), per_address: None }, ..Config::default() };
    let world = World {
        asks: vec![ask],
        hosts: vec![closed],
        link: None,
        config,
        mouth: Mouth::Raw { batch: 64 },
        seed: 1,
        shard: None,
    };
    let mut life = Life::new(&world);
    assert!(life.live(None, 0).done);
    let endpoints = 256 * 400;
    assert!(life.file.len() < endpoints * 5, "{} octets as they come", life.file.len());
    let story = Story::read(&mut records(&life.file)).unwrap();
    let mut copy = Vec::new();
    story.copy(&mut records(&life.file), &mut copy, false).unwrap();
    assert!(copy.len() < 8000, "{} octets put together", copy.len());
    let mut said = Said::default();
    let mut scan = world.scan();
    recall(&copy, &mut scan, &mut said, life.now).unwrap();
    assert_eq!((scan.done(), scan.totals().states.closed), (true, endpoints as u64));
}

/// A path of 4 % each way over which 20,000 ports of one host are asked, and the first process dies when
/// most of it is over: the bound rests on the canaries of both.
#[test]
fn the_loss_that_was_measured_is_not_measured_anew() {
    let world =
        super::canaries::world("1-20000", vec![super::canaries::host("203.0.113.10/32", "80,443", 0.04)]);
    let alone = Life::new(&world).live(None, 0).outcome;
    let mut life = Life::new(&world);
    assert!(!life.live(Some((alone.ended - Moment::START) * 4 / 5), 0).done);
    let both = life.live(None, 0);
    let canaries = life.wire.iter().filter(|sent| sent.attempt >= super::canaries::FIRST_CANARY).count();
    let loss = both.outcome.coverage.loss.expect("something answered");
    // Some were under way when it died, some are the second try of a lost one.
    assert!(loss.trials as f64 > canaries as f64 * 0.85, "{loss:?} of {canaries} canaries");
    let (asked, most) = (life.wire.len(), alone.wire.len() + life.last);
    assert!(asked < most + most / 100 + 100, "{asked} in two runs, {} in one", alone.wire.len());
}
