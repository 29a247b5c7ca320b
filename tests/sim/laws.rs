//! The laws of a scan, one test each, for any plan, any network, any moment of interruption.

use std::{collections::BTreeSet, time::Duration};

use portproof::{
    model::{Endpoint, Moment, PortSet, Protocol, Reason, State, StateCounts},
    scan::{Config, Rate},
};
use proptest::prelude::*;

use super::{
    drive::{Mouth, Outcome, busiest, drive},
    net::{Error, Host, Trouble},
    world::{Ask, CALM, HOSTILE, LOSSY, World, world},
};

const SECOND: Duration = Duration::from_secs(1);

/// Totals, tallies and observations say the same, and each endpoint is in them exactly once.
pub fn assert_reconciles(world: &World, outcome: &Outcome) {
    let planned = world.planned();
    let coverage = &outcome.coverage;
    assert_eq!(coverage.planned, planned.len() as u64);
    assert_eq!(coverage.states.total(), coverage.planned);
    let mut tallied = StateCounts::default();
    for tally in &outcome.tallies {
        tallied += tally.states;
        assert!(tally.not_sent <= tally.states.unknown, "{tally:?}");
        assert!(tally.prohibited <= tally.states.filtered, "{tally:?}");
    }
    assert_eq!(tallied, coverage.states, "tallies and coverage");
    let mut observed = StateCounts::default();
    let states = outcome.states();
    for seen in states.values() {
        observed.add(seen.state, 1);
    }
    assert!(states.keys().eq(&planned), "each endpoint is observed exactly once");
    assert_eq!(observed, coverage.states, "observations and coverage");
    let not_sent = states.values().filter(|seen| seen.reason == Reason::NotSent).count() as u64;
    assert_eq!(outcome.tallies.iter().map(|tally| tally.not_sent).sum::<u64>(), not_sent);
    assert_eq!(coverage.probes_sent, outcome.wire.len() as u64, "probes on the wire");
    assert_eq!(coverage.send_errors, outcome.failures);
    for sent in &outcome.wire {
        assert!(planned.contains(&sent.endpoint), "{} was never planned", sent.endpoint);
    }
}

fn assert_gaps(outcome: &Outcome) {
    for (endpoint, times) in outcome.asked() {
        for pair in times.windows(2) {
            let of_it = || outcome.wire.iter().filter(|sent| sent.endpoint == endpoint).collect::<Vec<_>>();
            assert!(
                pair[1] - pair[0] >= SECOND,
                "{endpoint}: asked at {} and {}; {:?}",
                pair[0],
                pair[1],
                of_it()
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_planned_endpoint_ends_in_exactly_one_state(world in world(HOSTILE)) {
        assert_reconciles(&world, &world.run());
    }

    #[test]
    fn every_planned_endpoint_ends_in_exactly_one_state_whenever_it_is_stopped(
        world in world(HOSTILE),
        at in 0u64..12_000_000_000,
    ) {
        let stop = Some(Moment::from_nanos(at));
        assert_reconciles(&world, &drive(world.scan(), world.net(), world.mouth, stop));
    }

    #[test]
    fn an_interrupted_scan_says_not_sent_of_what_it_never_asked(
        world in world(HOSTILE),
        at in 0u64..4_000_000_000,
    ) {
        let outcome = drive(world.scan(), world.net(), world.mouth, Some(Moment::from_nanos(at)));
        let asked: BTreeSet<Endpoint> = outcome.wire.iter().map(|sent| sent.endpoint).collect();
        for (endpoint, seen) in outcome.states() {
            match seen.reason {
                Reason::NotSent => prop_assert!(!asked.contains(&endpoint), "{endpoint} was asked: {seen:?}"),
                Reason::Local(_) => {}
                _ => prop_assert!(asked.contains(&endpoint), "{endpoint} was never asked: {seen:?}"),
            }
        }
    }

    #[test]
    fn loss_may_hide_a_port_but_never_invents_one(world in world(HOSTILE)) {
        let outcome = world.run();
        let net = world.net();
        for (endpoint, seen) in outcome.states() {
            let truth = net.truth(endpoint);
            let hidden = matches!(seen.state, State::Filtered | State::Unanswered | State::Unknown);
            prop_assert!(seen.state == truth || hidden, "{endpoint} is {truth}, and was called {}", seen.state);
        }
    }

    #[test]
    fn without_loss_the_states_equal_the_truth_on_every_endpoint(world in world(CALM)) {
        let outcome = world.run();
        let net = world.net();
        for (endpoint, seen) in outcome.states() {
            prop_assert_eq!(seen.state, net.truth(endpoint), "{}: {:?}", endpoint, seen);
        }
        prop_assert_eq!(outcome.coverage.strays, 0);
    }

    #[test]
    fn exactly_n_probes_go_to_each_silent_endpoint(world in world(LOSSY)) {
        let outcome = world.run();
        let asked = outcome.asked();
        for (address, looks) in outcome.partings(world.config.attempts) {
            // Two a window, and an address is in four at most: both protocols, named and not.
            prop_assert!(looks <= 8, "{address}: {looks} parting looks");
        }
        for (endpoint, seen) in outcome.states() {
            let probes = asked[&endpoint].len();
            let n = usize::from(world.config.attempts);
            if matches!(seen.state, State::Filtered | State::Unanswered) && seen.first_seen.is_none() {
                prop_assert_eq!(probes, n, "{}: {:?}", endpoint, seen);
            }
            let looks = if world.config.second_look { 2 } else { 0 };
            prop_assert!(probes <= n + looks + 8, "{endpoint}: {probes} probes");
        }
    }

    #[test]
    fn what_is_called_filtered_was_asked_to_the_end(world in world(HOSTILE), at in 0u64..8_000_000_000) {
        let outcome = drive(world.scan(), world.net(), world.mouth, Some(Moment::from_nanos(at)));
        let asked = outcome.asked();
        for (endpoint, seen) in outcome.states() {
            if matches!(seen.state, State::Filtered | State::Unanswered) && seen.first_seen.is_none() {
                let probes = asked.get(&endpoint).map_or(0, Vec::len);
                prop_assert!(probes >= usize::from(world.config.attempts), "{}: {probes} probes", endpoint);
            }
        }
    }

    #[test]
    fn attempts_of_one_endpoint_are_at_least_a_second_apart(world in world(HOSTILE)) {
        assert_gaps(&world.run());
    }

    #[test]
    fn same_seed_same_order_and_same_states(world in world(HOSTILE)) {
        let (one, two) = (world.run(), world.run());
        prop_assert_eq!(one.wire, two.wire);
        prop_assert_eq!(one.observations, two.observations);
        prop_assert_eq!(one.tallies, two.tallies);
    }

    #[test]
    fn a_local_failure_is_unknown_and_never_a_state_of_the_port(world in world(HOSTILE)) {
        let outcome = world.run();
        let net = world.net();
        for (endpoint, seen) in outcome.states() {
            if let Reason::Local(_) = seen.reason {
                prop_assert_eq!(seen.state, State::Unknown);
            }
            if seen.state == State::Unknown {
                prop_assert!(matches!(seen.reason, Reason::Local(_)), "{endpoint}: {seen:?}");
                prop_assert!(net.host(endpoint.address).unwrap().trouble.is_some(), "{endpoint}: {seen:?}");
            }
        }
    }

    #[test]
    fn the_rate_of_the_run_is_never_exceeded(world in world(HOSTILE)) {
        let outcome = world.run();
        let Some(rate) = world.config.rate.run else { return Ok(()) };
        let times: Vec<Moment> = outcome.wire.iter().map(|sent| sent.at).collect();
        let cap = rate as f64 * 0.012 + 2.0;
        prop_assert!(busiest(&times, Duration::from_millis(10)) as f64 <= cap);
    }
}

fn ports(text: &str) -> PortSet {
    PortSet::parse(text).unwrap()
}

/// One block, asked one thing.
fn simple(at: &str, named: &str, rest: &str, host: Host, mouth: Mouth, config: Config) -> World {
    let at = at.parse().unwrap();
    let ask = Ask { at, protocol: Protocol::Tcp, named: ports(named), rest: ports(rest), rate: None };
    World {
        asks: vec![ask],
        hosts: vec![Host { at, ..host }],
        link: None,
        config,
        mouth,
        seed: 7,
        shard: None,
    }
}

const RAW: Mouth = Mouth::Raw { batch: 64 };
const CONNECT: Mouth = Mouth::Connect { capacity: 500 };

fn config(run: Option<u64>, per_address: Option<u64>) -> Config {
    Config { seed: 1, rate: Rate { run, per_address }, every: true, ..Config::default() }
}

#[test]
fn exactly_n_probes_on_the_wire_for_any_n() {
    for mouth in [RAW, CONNECT] {
        for attempts in 1..=6 {
            let config = Config { attempts, ..config(None, None) };
            let outcome = simple("10.0.0.0/28", "80", "1-79", Host::default(), mouth, config).run();
            assert_eq!(outcome.wire.len(), 16 * 80 * usize::from(attempts));
            assert_eq!(outcome.coverage.retransmitted, 16 * 80 * u64::from(attempts - 1));
            for (endpoint, times) in outcome.asked() {
                assert_eq!(times.len(), usize::from(attempts), "{endpoint}");
            }
            assert_gaps(&outcome);
        }
    }
}

#[test]
fn the_mean_rate_is_kept_within_a_percent_when_the_far_side_is_fast() {
    for mouth in [RAW, Mouth::Connect { capacity: 5000 }] {
        for rate in [100, 1000, 20_000] {
            let host = Host { closed: PortSet::all(), rtt_ms: 1, ..Host::default() };
            let world = simple("10.0.0.0/24", "none", "1-160", host, mouth, config(Some(rate), None));
            let outcome = world.run();
            let span = (outcome.wire.last().unwrap().at - outcome.wire[0].at).as_secs_f64();
            let mean = (outcome.wire.len() - 1) as f64 / span;
            assert!((mean / rate as f64 - 1.0).abs() < 0.01, "{rate}: {mean}");
        }
    }
}

#[test]
fn what_the_mouth_repeats_by_itself_is_taken_from_the_rate_of_the_run() {
    // Every connect is silent, and the kernel sends a second SYN for each: half the rate is ours.
    let silent = Config { repeats_after: SECOND, ..config(Some(1000), None) };
    let mouth = Mouth::Connect { capacity: 5000 };
    let outcome = simple("10.0.0.0/24", "none", "1-40", Host::default(), mouth, silent).run();
    assert_eq!(outcome.wire.len(), 2 * 256 * 40);
    let last = outcome.wire.last().unwrap().at;
    assert!(last >= Moment::from_millis(36_000), "{last}");
}

/// The busiest second of any one address.
fn busiest_second(outcome: &Outcome) -> usize {
    let mut by_address = std::collections::BTreeMap::<_, Vec<Moment>>::new();
    for sent in &outcome.wire {
        by_address.entry(sent.endpoint.address).or_default().push(sent.at);
    }
    by_address.values().map(|times| busiest(times, SECOND)).max().unwrap_or(0)
}

#[test]
fn no_address_gets_more_than_its_rate() {
    let drop = Host::default;
    let open = || Host { tarpit: true, ..Host::default() };
    for (host, second_look) in [(drop(), false), (open(), true), (open(), false)] {
        for mouth in [RAW, CONNECT] {
            for block in ["10.0.0.1/32", "10.0.0.0/29"] {
                // Named and unlisted ports, both protocols: four rectangles of the same addresses.
                let config = Config { second_look, ..config(None, Some(200)) };
                let mut world = simple(block, "1-400", "401-2000", host.clone(), mouth, config);
                let udp = Ask { protocol: Protocol::Udp, ..world.asks[0].clone() };
                world.asks.push(udp);
                for window in [portproof::scan::WINDOW, 3000] {
                    world.config.window = window;
                    let busiest = busiest_second(&world.run());
                    // A share of a random order wanders: four standard deviations of 200 of 1600.
                    let wander = if block.ends_with("32") { 2 } else { 54 };
                    assert!(busiest <= 200 + wander, "{block} {mouth:?} {second_look} {window}: {busiest}");
                }
            }
        }
    }
}

#[test]
fn an_unroutable_neighbour_does_not_speed_up_the_probes_to_the_rest() {
    let config = config(None, Some(100));
    let mut world = simple("10.0.0.0/28", "none", "1-300", Host::default(), RAW, config);
    let trouble = Some(Trouble { error: Error::NoRoute, from_ms: 0, to_ms: u64::MAX, share: 1.0 });
    world.hosts = vec![
        Host { at: "10.0.0.3/32".parse().unwrap(), ..Host::default() },
        Host { at: "10.0.0.0/28".parse().unwrap(), trouble, ..Host::default() },
    ];
    let busiest = busiest_second(&world.run());
    assert!(busiest <= 140, "{busiest}");
}

#[test]
fn an_unroutable_address_is_given_up_after_some_seconds_and_delays_nothing() {
    for mouth in [RAW, CONNECT] {
        let clean = simple("10.0.0.0/22", "none", "1-20", Host::default(), mouth, config(Some(10_000), None));
        let mut world = clean.clone();
        let trouble = Some(Trouble { error: Error::NoRoute, from_ms: 0, to_ms: u64::MAX, share: 1.0 });
        world.hosts.insert(0, Host { at: "10.0.0.0/23".parse().unwrap(), trouble, ..Host::default() });
        let (clean, outcome) = (clean.run(), world.run());
        assert_reconciles(&world, &outcome);
        assert_eq!(outcome.coverage.states.unknown, 512 * 20);
        assert_eq!(outcome.coverage.states.filtered, 512 * 20);
        let last = |outcome: &Outcome| outcome.wire.last().unwrap().at;
        assert!(last(&outcome) - last(&clean) < SECOND, "{} instead of {}", last(&outcome), last(&clean));
        assert!(outcome.ended - clean.ended < SECOND * 3, "{} instead of {}", outcome.ended, clean.ended);
    }
}

#[test]
fn a_link_that_bounces_costs_no_host_and_no_rate() {
    for mouth in [RAW, CONNECT] {
        for (from_ms, to_ms) in [(0, 300), (30, 330), (1500, 1800), (0, 4500)] {
            let trouble = Some(Trouble { error: Error::NoRoute, from_ms, to_ms, share: 1.0 });
            let host = Host { open: ports("5"), closed: ports("6-9"), trouble, ..Host::default() };
            let world = simple("10.0.0.0/30", "5", "1-4,6-900", host, mouth, config(Some(5000), Some(300)));
            let outcome = world.run();
            assert!(outcome.failures > 0);
            assert!(outcome.failures < 400, "{} probes failed in vain", outcome.failures);
            assert_reconciles(&world, &outcome);
            let net = world.net();
            for (endpoint, seen) in outcome.states() {
                assert_eq!(
                    seen.state,
                    net.truth(endpoint),
                    "{from_ms}-{to_ms} {mouth:?} {endpoint}: {seen:?}"
                );
            }
            assert_gaps(&outcome);
            let busiest = busiest_second(&outcome);
            assert!(busiest <= 340, "{busiest} probes to one address in a second");
        }
    }
}

#[test]
fn a_run_that_nothing_can_be_reached_by_ends_soon() {
    for mouth in [RAW, CONNECT] {
        for error in [Error::NoRoute, Error::Forbidden] {
            let trouble = Some(Trouble { error, from_ms: 0, to_ms: u64::MAX, share: 1.0 });
            let host = Host { trouble, ..Host::default() };
            let world = simple("10.0.0.0/28", "5,7", "1-4,8-400", host, mouth, config(Some(5000), None));
            let outcome = world.run();
            assert_reconciles(&world, &outcome);
            assert_eq!(outcome.coverage.states.unknown, outcome.coverage.planned);
            assert!(outcome.ended < Moment::from_millis(10_000), "{error:?}: {}", outcome.ended);
        }
    }
}

#[test]
fn transient_failures_are_retried_and_then_cost_nothing() {
    for mouth in [RAW, CONNECT] {
        for error in [Error::Descriptors, Error::Buffers, Error::NoRoute] {
            let trouble = Some(Trouble { error, from_ms: 20, to_ms: 1000, share: 0.9 });
            let host = Host { open: ports("5"), closed: ports("6-9"), trouble, ..Host::default() };
            let world = simple("10.0.0.0/28", "5", "1-4,6-30", host, mouth, config(Some(5000), None));
            let outcome = world.run();
            assert!(outcome.failures > 0);
            assert_reconciles(&world, &outcome);
            let net = world.net();
            for (endpoint, seen) in outcome.states() {
                assert_eq!(seen.state, net.truth(endpoint), "{error:?} {mouth:?} {endpoint}: {seen:?}");
            }
            assert!(
                outcome.tallies.iter().all(|tally| tally.local.is_none()),
                "no endpoint was left undetermined"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn shards_ask_disjoint_parts_under_any_seed_and_find_together_what_one_scan_finds(
        world in world(CALM),
        parts in prop_oneof![1u32..6, Just(40), Just(500)],
        seeds: [u64; 3],
    ) {
        let mut whole = world.run().states();
        let planned = whole.len() as u64;
        let (mut found, mut sum) = (0, StateCounts::default());
        for part in 1..=parts {
            let mut world = world.clone();
            world.shard = Some(format!("{part}/{parts}").parse().unwrap());
            world.config.seed = seeds[part as usize % 3];
            let outcome = world.run();
            let mut tallied = StateCounts::default();
            for tally in &outcome.tallies {
                prop_assert!(tally.states.total() > 0, "an address of other parts is not spoken of");
                tallied += tally.states;
            }
            prop_assert_eq!(tallied, outcome.coverage.states);
            for (endpoint, seen) in outcome.states() {
                let of_whole = whole.remove(&endpoint);
                let of_whole = of_whole.unwrap_or_else(|| panic!("{endpoint} is in two parts, or none"));
                prop_assert_eq!((seen.state, seen.reason), (of_whole.state, of_whole.reason));
                found += 1;
            }
            assert_gaps(&outcome);
            sum += outcome.coverage.states;
        }
        prop_assert_eq!((found, sum.total()), (planned, planned), "{} left over", whole.len());
    }
}
