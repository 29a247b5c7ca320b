//! A far side that bans us midway: the silence that follows is never taken for a firewall's.

use std::{collections::BTreeMap, net::IpAddr, time::Duration};

use portproof::{
    model::{LocalError, Moment, Observation, PortSet, Protocol, Reason, State, Tally},
    scan::{Config, Rate},
};
use proptest::prelude::*;

use super::{
    drive::{Mouth, Outcome, drive},
    net::{Error, Host, Trouble},
    world::{Ask, CALM, World, world},
};

const MOUTHS: [Mouth; 2] = [Mouth::Raw { batch: 16 }, Mouth::Connect { capacity: 300 }];

/// What all windows together say of each address.
fn tallies(outcome: &Outcome) -> BTreeMap<(IpAddr, Protocol), Tally> {
    let mut tallies: BTreeMap<(IpAddr, Protocol), Tally> = BTreeMap::new();
    for tally in &outcome.tallies {
        let key = (tally.address, tally.protocol);
        tallies.entry(key).and_modify(|sum| sum.add(tally)).or_insert(*tally);
    }
    tallies
}

/// One host that listens on 22 and 80 and drops the rest: 22 is named.
fn host(mouth: Mouth, host: Host) -> World {
    let at = "10.0.0.1/32".parse().unwrap();
    let named = PortSet::parse("22").unwrap();
    let rest = PortSet::parse("1-21,23-300").unwrap();
    let ask = Ask { at, protocol: Protocol::Tcp, named, rest, rate: None };
    let rate = Rate { run: Some(5000), per_address: Some(1000) };
    let config = Config { rate, every: true, second_look: true, ..Config::default() };
    let open = PortSet::parse("22,80").unwrap();
    World {
        asks: vec![ask],
        hosts: vec![Host { at, open, ..host }],
        link: None,
        config,
        mouth,
        seed: 3,
        shard: None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_a_ban_hides_is_never_believed_to_be_filtered(world in world(CALM), after in 0u32..60) {
        let mut world = world;
        for host in &mut world.hosts {
            host.ban_after = Some(after);
        }
        let outcome = world.run();
        let tallies = tallies(&outcome);
        let net = world.net();
        let answered = |key: &(IpAddr, Protocol)| {
            tallies.get(key).is_some_and(|tally| tally.states.open + tally.states.closed > 0)
        };
        // Over UDP who replies once may limit what he says: it takes a second reply, or an answer over TCP.
        let steady = |address| {
            let of = |seen: &Observation| seen.endpoint.address == address && seen.seen_open_twice();
            outcome.states().into_values().any(|seen| seen.endpoint.protocol == Protocol::Udp && of(&seen))
        };
        let witnessed = |&(address, protocol): &(IpAddr, Protocol)| {
            answered(&(address, Protocol::Tcp)) || (protocol == Protocol::Udp && steady(address))
        };
        for (endpoint, seen) in outcome.states() {
            let key = (endpoint.address, endpoint.protocol);
            let truth = net.truth(endpoint);
            let hidden = matches!(seen.state, State::Filtered | State::Unanswered)
                && matches!(truth, State::Open | State::Closed);
            if hidden && witnessed(&key) {
                prop_assert!(tallies[&key].fell_silent, "{endpoint} is {truth} and was called {}", seen.state);
            }
        }
        for (key, tally) in &tallies {
            prop_assert!(!tally.fell_silent || witnessed(key), "{key:?} never answered");
            let probes = outcome.wire.iter().filter(|sent| sent.endpoint.address == key.0).count();
            prop_assert!(!tally.fell_silent || probes > after as usize, "{key:?} was not banned");
        }
    }
}

#[test]
fn a_host_that_answers_to_the_end_costs_one_parting_look_a_window() {
    for mouth in MOUTHS {
        let world = host(mouth, Host::default());
        let outcome = world.run();
        assert!(outcome.tallies.iter().all(|tally| !tally.fell_silent));
        // All that is named answered: only the rest needs a witness.
        assert_eq!(outcome.partings(2).into_values().collect::<Vec<_>>(), [1], "{mouth:?}");
        assert_eq!(outcome.coverage.strays, 0);
        assert_eq!(outcome.states().len(), 300);
        for (endpoint, times) in outcome.asked() {
            for pair in times.windows(2) {
                assert!(pair[1] - pair[0] >= Duration::from_secs(1), "{endpoint}");
            }
        }
    }
}

#[test]
fn a_ban_after_the_named_ports_is_seen_from_the_window_of_the_rest() {
    for mouth in MOUTHS {
        // The named port and its second look may pass, whatever the order; then everything is dropped.
        for after in [1, 2, 20, 290] {
            let world = host(mouth, Host { ban_after: Some(after), ..Host::default() });
            let outcome = world.run();
            let tally = tallies(&outcome).into_values().next().unwrap();
            assert!(tally.fell_silent, "{mouth:?}, banned after {after}: {tally:?}");
            assert!(outcome.partings(2).values().all(|looks| *looks <= 2));
            assert!(outcome.ended < Moment::from_millis(12_000), "{}", outcome.ended);
        }
    }
}

#[test]
fn a_parting_look_that_this_machine_cannot_send_leaves_the_rest_undetermined() {
    for mouth in MOUTHS {
        let mut world = host(mouth, Host::default());
        let ended = world.run().wire.iter().filter(|sent| sent.attempt <= 4).map(|sent| sent.at).max();
        let from_ms = ended.unwrap().nanos() / 1_000_000 + 1;
        let trouble = Trouble { error: Error::Forbidden, from_ms, to_ms: u64::MAX, share: 1.0 };
        world.hosts[0].trouble = Some(trouble);
        let outcome = world.run();
        let states = outcome.states();
        let silent = states.values().filter(|seen| seen.state != State::Open);
        assert!(silent.clone().count() == 298);
        for seen in silent {
            assert_eq!((seen.state, seen.reason), (State::Unknown, Reason::Local(LocalError::Forbidden)));
        }
        assert_eq!(outcome.coverage.send_errors, outcome.failures);
        assert_eq!(outcome.coverage.probes_sent, outcome.wire.len() as u64);
    }
}

#[test]
fn a_run_stopped_during_the_parting_look_ends_and_reconciles() {
    for mouth in MOUTHS {
        let world = host(mouth, Host { ban_after: Some(20), ..Host::default() });
        let ended = world.run().ended.nanos() / 1_000_000;
        for stop in (0..ended + 200).step_by(97) {
            let outcome = drive(world.scan(), world.net(), mouth, Some(Moment::from_millis(stop)));
            assert_eq!(outcome.states().len(), 300);
            assert_eq!(outcome.coverage.states.total(), 300);
        }
    }
}
