//! UDP on paths that lose and hosts that limit their ICMP errors: what is open is found, what a host says
//! seldom is asked seldom, and what there was no time for is said to be undecided.

use std::{collections::BTreeMap, time::Duration};

use portproof::{
    model::{Endpoint, Moment, PortSet, Protocol, State},
    scan::{Config, Rate},
};
use proptest::prelude::*;

use super::{
    drive::{Mouth, Outcome},
    laws::assert_reconciles,
    net::Host,
    path::Limit,
    world::{Ask, HOSTILE, World, world},
};

const MOUTHS: [Mouth; 2] = [Mouth::Raw { batch: 64 }, Mouth::Connect { capacity: 4000 }];
/// As Linux limits them.
const LINUX: Limit = Limit { per_second: 1.0, burst: 6.0 };

fn config() -> Config {
    let rate = Rate { run: Some(10_000), per_address: Some(1000) };
    Config { rate, max_miss: Some(0.001), most_attempts: 6, every: true, ..Config::default() }
}

fn ports(text: &str) -> PortSet {
    PortSet::parse(text).unwrap()
}

fn ask(at: &str, named: &str, rest: &str) -> Ask {
    let set = |text: &str| if text.is_empty() { PortSet::NONE } else { ports(text) };
    Ask { at: at.parse().unwrap(), protocol: Protocol::Udp, named: set(named), rest: set(rest), rate: None }
}

fn one(mouth: Mouth, asks: Vec<Ask>, hosts: Vec<Host>, seed: u64) -> World {
    World { asks, hosts, link: None, config: config(), mouth, seed, shard: None }
}

/// One host of which these ports are closed, and which says so as seldom as Linux does.
fn limited(closed: &str) -> Host {
    Host {
        at: "10.0.0.1/32".parse().unwrap(),
        closed: ports(closed),
        icmp_limit: Some(LINUX),
        ..Host::default()
    }
}

fn gaps(outcome: &Outcome) {
    // Canaries, of which there are none over UDP, keep closer.
    let udp = outcome.asked().into_iter().filter(|(endpoint, _)| endpoint.protocol == Protocol::Udp);
    for (endpoint, times) in udp {
        for pair in times.windows(2) {
            let of = |at: Moment| outcome.wire.iter().find(|sent| sent.endpoint == endpoint && sent.at == at);
            let attempts = [of(pair[0]), of(pair[1])].map(|sent| sent.map(|sent| sent.attempt));
            assert!(
                pair[1] - pair[0] >= Duration::from_secs(1),
                "{endpoint}: {} and {}, attempts {attempts:?}; {:?}",
                pair[0],
                pair[1],
                outcome
                    .wire
                    .iter()
                    .filter(|sent| sent.endpoint == endpoint)
                    .map(|sent| (sent.attempt, sent.at.nanos() / 1_000_000))
                    .collect::<Vec<_>>()
            );
        }
    }
}

#[test]
fn every_name_time_and_management_server_of_a_thousand_hosts_is_found_on_a_path_that_loses() {
    // Of 1,024 hosts some run all three, some one, some none; each limits what it says of the others.
    let blocks = [
        ("10.0.0.0/24", "53,123,161"),
        ("10.0.1.0/24", "53"),
        ("10.0.2.0/24", "123,161"),
        ("10.0.3.0/24", ""),
    ];
    let hosts = blocks.map(|(at, open)| {
        let open = if open.is_empty() { PortSet::NONE } else { ports(open) };
        Host {
            at: at.parse().unwrap(),
            closed: ports("1-1023").difference(&open),
            open,
            rtt_ms: 60,
            jitter_ms: 30,
            loss: 0.02,
            icmp_limit: Some(LINUX),
            ..Host::default()
        }
    });
    for mouth in MOUTHS {
        for seed in 1..=12 {
            let asks = blocks.map(|(at, _)| ask(at, "", "53,123,161")).to_vec();
            let outcome = one(mouth, asks, hosts.to_vec(), seed).run();
            let net = one(mouth, vec![], hosts.to_vec(), seed).net();
            for (endpoint, seen) in outcome.states() {
                let truth = net.truth(endpoint);
                assert_eq!(
                    seen.state == State::Open,
                    truth == State::Open,
                    "{mouth:?} {seed}: {endpoint} is {truth}"
                );
                assert_ne!(seen.state, State::Filtered, "{endpoint}: a limit is no firewall");
            }
            assert!(outcome.ended < Moment::from_millis(20_000), "{mouth:?} {seed}: {}", outcome.ended);
            gaps(&outcome);
        }
    }
}

#[test]
fn what_the_manifest_names_is_decided_first_and_what_there_was_no_time_for_is_told() {
    let host = Host { open: ports("53"), ..limited("1-52,54-400") };
    for mouth in MOUTHS {
        let world =
            one(mouth, vec![ask("10.0.0.1/32", "53,100-112", "1-52,54-99,113-400")], vec![host.clone()], 5);
        let outcome = world.run();
        let states = outcome.states();
        let of = |ports: &PortSet| {
            let mut counts: BTreeMap<State, u64> = BTreeMap::new();
            for (endpoint, seen) in &states {
                if ports.contains(endpoint.port) {
                    *counts.entry(seen.state).or_default() += 1;
                }
            }
            counts
        };
        let (named, all) = (of(&ports("53,100-112")), of(&ports("1-400")));
        assert_eq!(named.get(&State::Open), Some(&1));
        assert!(named.get(&State::Closed) >= Some(&11), "{mouth:?}: {named:?}");
        assert_eq!(all.get(&State::Filtered), None, "a limit is no firewall");
        let undecided = outcome.coverage.undecided.expect("most could not be decided");
        assert!(undecided.endpoints <= all[&State::Unanswered], "{undecided:?}");
        assert!(undecided.endpoints * 10 >= all[&State::Unanswered] * 9, "{undecided:?}: {all:?}");
        assert!(undecided.time > Duration::from_secs(200), "{undecided:?}");
        assert!(outcome.ended < Moment::from_millis(40_000), "{}", outcome.ended);
        gaps(&outcome);
    }
}

#[test]
fn silence_of_a_host_that_says_what_is_closed_is_its_own() {
    // Eight closed, four dropped: after the eight have been heard, silence is no limit's doing.
    let host = limited("1-8");
    for mouth in MOUTHS {
        let outcome = one(mouth, vec![ask("10.0.0.1/32", "1-12", "")], vec![host.clone()], 3).run();
        let closed = outcome.states().values().filter(|seen| seen.state == State::Closed).count();
        assert_eq!((closed, outcome.coverage.undecided), (8, None), "{mouth:?}");
        gaps(&outcome);
    }
}

#[test]
fn exactly_the_attempts_that_were_asked_for_are_made() {
    let host = limited("1-100");
    for mouth in MOUTHS {
        let mut world = one(mouth, vec![ask("10.0.0.1/32", "1-20", "21-120")], vec![host.clone()], 3);
        world.config.most_attempts = world.config.attempts;
        let outcome = world.run();
        let asked = outcome.asked();
        for (endpoint, seen) in outcome.states() {
            if seen.state == State::Unanswered {
                assert_eq!(asked[&endpoint].len(), 2, "{endpoint}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_laws_hold_where_attempts_adapt(world in world(HOSTILE)) {
        let mut world = world;
        (world.config.max_miss, world.config.most_attempts) = (Some(0.001), 6);
        let outcome = world.run();
        assert_reconciles(&world, &outcome);
        gaps(&outcome);
        let net = world.net();
        for (endpoint, seen) in outcome.states() {
            let truth = net.truth(endpoint);
            let hidden = matches!(seen.state, State::Filtered | State::Unanswered | State::Unknown);
            prop_assert!(seen.state == truth || hidden, "{endpoint} is {truth}, and was called {}", seen.state);
        }
        let silent: u64 = outcome.coverage.states.unanswered;
        prop_assert!(outcome.coverage.undecided.is_none_or(|undecided| undecided.endpoints <= silent));
        let of = |endpoint: &&Endpoint| endpoint.protocol == Protocol::Udp;
        for endpoint in outcome.asked().keys().filter(of) {
            prop_assert!(world.planned().contains(endpoint), "{endpoint}: nobody asked for it");
        }
    }
}
