//! Loss is measured by canaries, bounds what silence may hide, and decides how often is asked.

use std::{collections::BTreeMap, time::Duration};

use portproof::{
    model::{Endpoint, Moment, PortSet, Protocol, State},
    scan::{Config, Rate},
};

use super::{
    drive::{Mouth, Outcome},
    net::Host,
    world::{Ask, World},
};

const SECOND: Duration = Duration::from_secs(1);
const ACCEPTED: f64 = 0.001;
/// Six attempts, two second looks and four parting looks have the numbers below.
pub const FIRST_CANARY: u8 = 13;

pub fn world(ports: &str, hosts: Vec<Host>) -> World {
    let asks = hosts
        .iter()
        .map(|host| Ask {
            at: host.at,
            protocol: Protocol::Tcp,
            named: PortSet::NONE,
            rest: PortSet::parse(ports).unwrap(),
            rate: None,
        })
        .collect();
    let config =
        Config { seed: 7, most_attempts: 6, max_miss: Some(ACCEPTED), every: true, ..Config::default() };
    World { asks, hosts, link: None, config, mouth: Mouth::Raw { batch: 32 }, seed: 11, shard: None }
}

pub fn host(at: &str, open: &str, loss: f64) -> Host {
    Host { at: at.parse().unwrap(), open: PortSet::parse(open).unwrap(), loss, ..Host::default() }
}

/// When each endpoint was asked, canaries and looks apart.
fn attempts(outcome: &Outcome) -> BTreeMap<Endpoint, Vec<Moment>> {
    let mut attempts: BTreeMap<Endpoint, Vec<Moment>> = BTreeMap::new();
    for sent in outcome.wire.iter().filter(|sent| sent.attempt <= 6) {
        attempts.entry(sent.endpoint).or_default().push(sent.at);
    }
    attempts
}

fn canaries(outcome: &Outcome) -> usize {
    outcome.wire.iter().filter(|sent| sent.attempt >= FIRST_CANARY).count()
}

/// Every silent endpoint was asked so often, each time at least a second after the time before.
fn assert_asked(outcome: &Outcome, of: &Host, times: impl Fn(usize) -> bool) {
    for (endpoint, asked) in attempts(outcome) {
        if of.at.contains(&endpoint.address) && of.truth(Protocol::Tcp, endpoint.port) == State::Filtered {
            assert!(times(asked.len()), "{endpoint}: {} times", asked.len());
            assert!(asked.windows(2).all(|pair| pair[1] - pair[0] >= SECOND), "{endpoint}: {asked:?}");
        }
    }
}

#[test]
fn a_firewalled_host_with_one_open_port_earns_its_bound_in_ten_seconds_more() {
    for (ports, passes, most) in [("1-1000", 3, 4), ("400-460", 2, 4), ("1-65535", 134, 2)] {
        let world = world(ports, vec![host("203.0.113.10/32", "443", 0.0)]);
        let outcome = world.run();
        let miss = outcome.coverage.miss.expect("something answered");
        assert!(miss.upper95 < ACCEPTED, "{ports}: {miss:?}, {:?}", outcome.coverage.loss);
        assert!(miss.estimate.abs() < 1e-12);
        let took = outcome.ended.since_start();
        assert!(took <= Duration::from_secs(passes + 10), "{ports}: {took:?}");
        // A short plan has no time to see that nothing gets lost for long.
        assert_asked(&outcome, &world.hosts[0], |times| (2..=most).contains(&times));
        assert_eq!(outcome.coverage.probes_sent, outcome.wire.len() as u64);
    }
}

#[test]
fn canaries_are_one_in_a_hundred_and_at_most_ten_a_second_to_an_endpoint() {
    let world = world("1-20000", vec![host("203.0.113.10/32", "80,443", 0.0)]);
    let outcome = world.run();
    let count = canaries(&outcome);
    // A hundred beyond the share, at most, while nothing is known yet.
    assert!(count >= 94 && count <= 100 + outcome.wire.len() / 99, "{count} of {}", outcome.wire.len());
    for port in [80, 443] {
        let of_port = |sent: &&super::net::Sent| sent.attempt >= FIRST_CANARY && sent.endpoint.port == port;
        let times: Vec<_> = outcome.wire.iter().filter(of_port).collect();
        assert!(times.windows(2).all(|pair| pair[1].at - pair[0].at >= Duration::from_millis(100)));
        // A port that was used within the last twenty seconds is not fresh.
        for (i, sent) in times.iter().enumerate() {
            let again = times[i + 1..].iter().find(|later| later.attempt == sent.attempt);
            assert!(again.is_none_or(|later| later.at - sent.at >= Duration::from_secs(20)));
        }
    }
}

#[test]
fn the_host_that_loses_more_is_asked_more_often_and_the_others_are_not() {
    let lossy = host("203.0.113.77/32", "22,80,443", 0.15);
    let calm = host("203.0.113.0/26", "80,443", 0.0);
    let mut world = world("1-1000", vec![lossy, calm]);
    world.config.rate = Rate { run: Some(20_000), per_address: None };
    let outcome = world.run();
    assert_asked(&outcome, &world.hosts[0], |times| times >= 4);
    assert_asked(&outcome, &world.hosts[1], |times| times <= 4);
    let miss = |at: &Host| {
        let of = outcome.tallies.iter().filter(|tally| at.at.contains(&tally.address));
        of.filter_map(|tally| tally.miss).map(|miss| miss.upper95).fold(0.0, f64::max)
    };
    assert!(miss(&world.hosts[0]) < 0.1, "{}", miss(&world.hosts[0]));
    assert!(
        miss(&world.hosts[1]) <= ACCEPTED,
        "{} {:?} {}",
        miss(&world.hosts[1]),
        outcome.coverage,
        outcome.ended
    );
    assert_eq!(outcome.coverage.states.open, 3 + 64 * 2);
}

#[test]
fn a_number_of_attempts_that_was_given_is_kept_whatever_is_lost() {
    for attempts in [1, 2, 5] {
        let mut world = world("1-500", vec![host("203.0.113.10/32", "80,443", 0.2)]);
        (world.config.attempts, world.config.most_attempts) = (attempts, attempts);
        let outcome = world.run();
        assert_asked(&outcome, &world.hosts[0], |times| times == usize::from(attempts));
    }
}

#[test]
fn a_lossy_path_gets_up_to_six_attempts_and_says_what_is_left_of_doubt() {
    for (loss, least) in [(0.02, 2), (0.1, 3), (0.2, 4)] {
        let mut world = world("1-3000", vec![host("203.0.113.0/28", "80,443", loss)]);
        world.config.rate = Rate { run: Some(20_000), per_address: None };
        let outcome = world.run();
        assert_asked(&outcome, &world.hosts[0], |times| (least..=6).contains(&times));
        let measured = outcome.coverage.loss.unwrap();
        let truth = 1.0 - (1.0 - loss) * (1.0 - loss);
        assert!(measured.upper95 * 1.1 >= truth && measured.estimate <= truth * 1.6, "{truth}: {measured:?}");
        let miss = outcome.coverage.miss.unwrap();
        assert!(miss.upper95 >= miss.estimate, "{miss:?}");
        // A third of all probes lost is beyond what six attempts make up for.
        assert_eq!(miss.upper95 <= ACCEPTED, loss < 0.2, "{loss}: {miss:?}");
    }
}

#[test]
fn where_nothing_answers_nothing_is_measured_and_nothing_claimed() {
    let world = world("1-200", vec![host("203.0.113.10/32", "none", 0.0)]);
    let outcome = world.run();
    assert_eq!((outcome.coverage.loss, outcome.coverage.miss), (None, None));
    assert_eq!(outcome.wire.len(), 400);
}

#[test]
fn refusals_measure_the_path_where_nothing_accepts() {
    let closed = Host { closed: PortSet::parse("22").unwrap(), ..host("203.0.113.10/32", "none", 0.0) };
    let outcome = world("1-2000", vec![closed]).run();
    assert!(outcome.coverage.miss.unwrap().upper95 < ACCEPTED);
    // Slower than its answers are limited, a host that limits them is a path like any other.
    let limited = Host {
        closed: PortSet::parse("1-100").unwrap(),
        rst_per_second: Some(50),
        ..host("203.0.113.11/32", "443", 0.0)
    };
    let outcome = world("1-2000", vec![limited]).run();
    assert!(outcome.coverage.loss.unwrap().estimate < 0.01, "its RSTs say nothing where a port accepts");
}

#[test]
fn canaries_work_over_connects_as_well() {
    let mut world = world("300-600", vec![host("203.0.113.10/32", "443", 0.0)]);
    world.mouth = Mouth::Connect { capacity: 200 };
    let outcome = world.run();
    assert!(outcome.coverage.miss.unwrap().upper95 < ACCEPTED, "{:?}", outcome.coverage);
    assert_asked(&outcome, &world.hosts[0], |times| times >= 2);
}

#[test]
fn a_path_that_carries_less_than_was_asked_is_yielded_to_and_hides_no_more_than_is_stated() {
    let host = Host { closed: PortSet::parse("1-300").unwrap(), ..host("10.0.0.0/24", "400,500", 0.01) };
    let mut world = world("1-600", vec![host]);
    world.link = Some(serde_json::from_str(r#"{"per_second": 4000, "queue": 100}"#).unwrap());
    world.config.rate = Rate { run: Some(20_000), per_address: None };
    let outcome = world.run();
    let congestion = outcome.coverage.congestion.expect("five times what it carries");
    assert!(congestion.lowest_pps < 6000, "{congestion:?}");
    let hidden = 512 - outcome.coverage.states.open;
    let stated = outcome.coverage.miss.expect("much is silent").upper95;
    assert!(
        stated < 0.001 && hidden as f64 <= 1.0 + 512.0 * stated,
        "{:?} {}",
        outcome.coverage,
        outcome.ended
    );
    let took = outcome.ended.since_start().as_secs_f64();
    let used = outcome.wire.len() as f64 / 4000.0 / took;
    assert!((0.7..1.6).contains(&used), "{used}");
}
