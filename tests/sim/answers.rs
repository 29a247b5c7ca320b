//! Answers by hand: what upgrades, what changes nothing, what is looked at again.

use std::{collections::BTreeSet, time::Duration};

use portproof::{
    model::{Endpoint, Evidence, Moment, Observation, PortSet, Protocol, State, Unreachable},
    scan::{Answer, Batch, Config, Plan, Rate, Scan},
};

use super::{
    drive::Mouth,
    net::Host,
    world::{Ask, World, permit},
};

const PROHIBITED: Evidence = Evidence::Unreachable { what: Unreachable::AdminProhibited, sender: None };

/// A scan of one port of one address, asked once already.
fn asked(config: Config, named: bool) -> (Scan, Endpoint) {
    let mut plan = Plan::default();
    let (port, none) = (PortSet::single(80), PortSet::NONE);
    let (named, rest) = if named { (port, none) } else { (none, port) };
    plan.add(&permit("10.0.0.1/32".parse().unwrap()), Protocol::Tcp, named, rest, None);
    let mut scan = Scan::new(plan, config);
    let mut batch = Batch::with_room(4);
    scan.fill(Moment::START, &mut batch);
    assert_eq!(batch.probes().len(), 1);
    (scan, batch.probes()[0].endpoint)
}

fn hear(scan: &mut Scan, ms: u64, endpoint: Endpoint, attempt: u8, evidence: Evidence) {
    let answer = Answer { endpoint, attempt, sent_at: Moment::START, source: None, ttl: None, evidence };
    scan.answer(Moment::from_millis(ms), &answer);
}

fn observed(scan: &mut Scan) -> Vec<Observation> {
    std::iter::from_fn(|| scan.poll_observation()).collect()
}

#[test]
fn later_stronger_answers_upgrade_and_weaker_ones_change_nothing() {
    let strength = [Evidence::Silence, PROHIBITED, Evidence::Refused, Evidence::Connected];
    for named in [false, true] {
        for (i, &first) in strength.iter().enumerate() {
            for (j, &second) in strength.iter().enumerate() {
                let (mut scan, endpoint) = asked(Config { every: true, ..Config::default() }, named);
                hear(&mut scan, 5, endpoint, 1, first);
                hear(&mut scan, 6, endpoint, 1, second);
                scan.stop(Moment::from_millis(7));
                let seen = observed(&mut scan);
                let strongest = strength[i.max(j)].state().unwrap_or(State::Unknown);
                assert_eq!(seen.last().unwrap().state, strongest, "{first:?}, then {second:?}");
                let words = if i > 0 && j > i { 2 } else { 1 };
                assert_eq!(seen.len(), words, "{first:?}, then {second:?}: {seen:?}");
                assert_eq!(seen.iter().filter(|seen| seen.supersedes).count(), words - 1);
                assert_eq!(scan.totals().states.of(strongest), 1);
            }
        }
    }
}

#[test]
fn nothing_is_superseded_that_was_not_said() {
    let (mut scan, endpoint) = asked(Config::default(), false);
    hear(&mut scan, 5, endpoint, 1, Evidence::Refused);
    assert!(observed(&mut scan).is_empty(), "closed and unnamed: not observed");
    hear(&mut scan, 6, endpoint, 1, Evidence::Connected);
    let seen = observed(&mut scan);
    assert_eq!((seen.len(), seen[0].state, seen[0].supersedes), (1, State::Open, false));
}

#[test]
fn a_named_endpoint_is_observed_whatever_its_state() {
    for second_look in [false, true] {
        for evidence in [Evidence::Connected, Evidence::Refused, PROHIBITED, Evidence::Silence] {
            let (mut scan, endpoint) = asked(Config { second_look, ..Config::default() }, true);
            hear(&mut scan, 5, endpoint, 1, evidence);
            scan.stop(Moment::from_millis(7));
            assert_eq!(observed(&mut scan).len(), 1, "{evidence:?}");
        }
    }
}

#[test]
fn strays_are_counted_and_never_believed() {
    let (mut scan, endpoint) = asked(Config::default(), false);
    let outside = [
        Endpoint { port: 81, ..endpoint },
        Endpoint { protocol: Protocol::Udp, ..endpoint },
        Endpoint { address: "10.0.0.2".parse().unwrap(), ..endpoint },
        Endpoint { address: "::1".parse().unwrap(), ..endpoint },
    ];
    for stray in outside {
        hear(&mut scan, 5, stray, 1, Evidence::Connected);
    }
    // Its second attempt was never made, and there is no attempt 0.
    hear(&mut scan, 5, endpoint, 2, Evidence::Connected);
    hear(&mut scan, 5, endpoint, 0, Evidence::Connected);
    let totals = scan.totals();
    assert_eq!((totals.strays, totals.states.unknown, totals.replies), (6, 1, 0));
    assert!(observed(&mut scan).is_empty());
}

#[test]
fn a_raw_mouth_looks_again_by_connecting_and_says_when_no_connection_comes() {
    let host = Host { open: PortSet::single(80), half_open: PortSet::single(443), ..Host::default() };
    let config = Config { second_look: true, handshakes: true, ..Config::default() };
    let at: ipnet::IpNet = "10.0.0.1/32".parse().unwrap();
    let (protocol, rest, rate) = (Protocol::Tcp, PortSet::parse("1-1000").unwrap(), None);
    let asks = vec![Ask { at, protocol, named: PortSet::NONE, rest, rate }];
    let outcome = World {
        asks,
        hosts: vec![host],
        link: None,
        config,
        mouth: Mouth::Raw { batch: 64 },
        seed: 1,
        shard: None,
    }
    .run();
    let states = outcome.states();
    let open = &states[&Endpoint::tcp([10, 0, 0, 1], 80)];
    assert!(open.handshake_completed() && open.seen_open_twice(), "{open:?}");
    let half = &states[&Endpoint::tcp([10, 0, 0, 1], 443)];
    assert!(!half.handshake_completed(), "{half:?}");
    let silent = half.looks.iter().filter(|look| look.evidence == Evidence::Silence).count();
    assert_eq!((half.looks.len(), silent), (3, 2), "two looks again, and both are told: {half:?}");
    assert_eq!(outcome.coverage.states.open, 2);
}

#[test]
fn a_copy_of_an_answer_is_no_second_look() {
    let (mut scan, endpoint) = asked(Config { second_look: true, ..Config::default() }, false);
    hear(&mut scan, 5, endpoint, 1, Evidence::Connected);
    hear(&mut scan, 6, endpoint, 1, Evidence::Connected);
    scan.stop(Moment::from_millis(7));
    let seen = observed(&mut scan);
    assert_eq!((seen.len(), seen[0].state), (1, State::Open));
    assert!(!seen[0].seen_open_twice());
}

#[test]
fn a_soft_error_is_the_reason_of_the_endpoint_that_it_came_for_and_of_no_other() {
    for named in [false, true] {
        let mut plan = Plan::default();
        let (ports, none) = (PortSet::parse("80-99").unwrap(), PortSet::NONE);
        let (named, rest) = if named { (ports, none) } else { (none, ports) };
        plan.add(&permit("10.0.0.1/32".parse().unwrap()), Protocol::Tcp, named, rest, None);
        let mut scan = Scan::new(plan, Config { every: true, attempts: 1, ..Config::default() });
        let mut batch = Batch::with_room(20);
        for ms in 0..40 {
            scan.fill(Moment::from_millis(ms), &mut batch);
        }
        let sender = Some([192, 0, 2, 1].into());
        let soft = Evidence::Unreachable { what: Unreachable::Host, sender };
        hear(&mut scan, 50, batch.probes()[7].endpoint, 1, soft);
        while !scan.done() {
            let next = scan.poll_timeout().unwrap();
            scan.fill(next, &mut Batch::with_room(1));
        }
        for seen in observed(&mut scan) {
            let expected = if seen.endpoint == batch.probes()[7].endpoint { soft } else { Evidence::Silence };
            assert_eq!((seen.state, seen.reason), (State::Filtered, expected.reason()), "{}", seen.endpoint);
            assert_eq!(seen.sender, expected.sender());
        }
    }
}

#[test]
fn what_decided_is_kept_however_many_copies_came_before() {
    let (mut scan, endpoint) = asked(Config { second_look: true, ..Config::default() }, true);
    for sender in 0..40 {
        let sender = Some([192, 0, 2, sender].into());
        let soft = Evidence::Unreachable { what: Unreachable::Host, sender };
        hear(&mut scan, 5, endpoint, 1, soft);
    }
    hear(&mut scan, 6, endpoint, 1, Evidence::Connected);
    scan.stop(Moment::from_millis(7));
    let seen = observed(&mut scan);
    assert_eq!((seen[0].state, seen[0].reason), (State::Open, Evidence::Connected.reason()));
}

#[test]
fn a_vast_plan_is_begun_and_stopped_within_memory() {
    let mut plan = Plan::default();
    let block = "2001:db8::/88".parse().unwrap();
    plan.add(&permit(block), Protocol::Tcp, PortSet::NONE, PortSet::single(443), None);
    let mut scan = Scan::new(plan, Config::default());
    let mut batch = Batch::with_room(64);
    scan.fill(Moment::START, &mut batch);
    assert!(!batch.probes().is_empty());
    scan.stop(Moment::from_millis(1));
    assert!(scan.done());
    let totals = scan.totals();
    assert_eq!((totals.planned, totals.states.unknown), (1 << 40, 1 << 40));
    let tallies = std::iter::from_fn(|| scan.poll_tally()).count();
    assert!((1 << 20..1 << 21).contains(&tallies), "{tallies}");
}

/// One host that answers as open on every one of these ports.
fn tarpit(ports: &str, mouth: Mouth) -> World {
    let at = "10.0.0.1/32".parse().unwrap();
    let rest = PortSet::parse(ports).unwrap();
    let ask = Ask { at, protocol: Protocol::Tcp, named: PortSet::NONE, rest, rate: None };
    let rate = Rate { run: Some(20_000), per_address: None };
    let config = Config { rate, second_look: true, ..Config::default() };
    World {
        asks: vec![ask],
        hosts: vec![Host { at, tarpit: true, ..Host::default() }],
        link: None,
        config,
        mouth,
        seed: 1,
        shard: None,
    }
}

const MOUTHS: [Mouth; 2] = [Mouth::Raw { batch: 64 }, Mouth::Connect { capacity: 200 }];

#[test]
fn an_open_unnamed_endpoint_is_looked_at_again_at_least_a_second_later() {
    for mouth in MOUTHS {
        let outcome = tarpit("1-40", mouth).run();
        assert_eq!(outcome.observations.len(), 40);
        for (endpoint, times) in outcome.asked() {
            assert_eq!(times.len(), 2, "{endpoint}");
            assert!(times[1] - times[0] >= Duration::from_secs(1), "{endpoint}");
        }
        for seen in &outcome.observations {
            assert!(seen.seen_open_twice(), "{mouth:?} {seen:?}");
        }
    }
}

#[test]
fn a_named_open_endpoint_is_looked_at_again_as_well() {
    // The manifest names it, perhaps for another vantage: open, it may be unexpected all the same.
    for mouth in MOUTHS {
        let mut world = tarpit("1-40", mouth);
        let ask = &mut world.asks[0];
        std::mem::swap(&mut ask.named, &mut ask.rest);
        let outcome = world.run();
        assert_eq!(outcome.observations.len(), 40);
        assert!(outcome.observations.iter().all(Observation::seen_open_twice), "{mouth:?}");
        assert!(outcome.asked().values().all(|times| times[1] - times[0] >= Duration::from_secs(1)));
        assert!(outcome.ended < Moment::from_millis(3000), "{}", outcome.ended);
        world.asks[0].named = PortSet::parse("1-3000").unwrap();
        assert_eq!(world.run().wire.len(), 3000 + 512);
    }
}

#[test]
fn a_host_that_is_open_everywhere_gets_512_second_looks_and_the_scan_ends() {
    for mouth in MOUTHS {
        let outcome = tarpit("1-3000", mouth).run();
        assert_eq!(outcome.coverage.states.open, 3000);
        assert_eq!(outcome.wire.len(), 3000 + 512);
        let seen: BTreeSet<Endpoint> = outcome.observations.iter().map(|seen| seen.endpoint).collect();
        assert_eq!((seen.len(), outcome.observations.len()), (3000, 3000));
        let looks = outcome.observations.iter().map(|seen| seen.looks.len());
        assert_eq!(looks.clone().min(), Some(1), "what is not looked at twice was still seen");
        assert_eq!(looks.filter(|looks| *looks >= 2).count(), 512);
        assert!(outcome.ended < Moment::from_millis(10_000), "{}", outcome.ended);
    }
}

#[test]
fn nothing_outside_a_permit_is_ever_probed() {
    let mut plan = Plan::default();
    let scope = portproof::model::Scope {
        entries: vec![portproof::model::ScopeEntry::Name(portproof::model::NamePattern::Below(
            "example.com".into(),
        ))],
        exclude: vec![],
    };
    // Authorized by a wildcard: the declared ports only.
    let permit = scope.authorize_resolved("198.51.100.1".parse().unwrap(), "www.example.com", &[], false);
    plan.add(&permit.unwrap(), Protocol::Tcp, PortSet::single(443), PortSet::all(), None);
    assert_eq!(plan.planned(), 1);
    let mut scan = Scan::new(plan, Config::default());
    let mut batch = Batch::with_room(64);
    for second in 0..10 {
        scan.fill(Moment::from_millis(1000 * second), &mut batch);
    }
    assert!(!batch.probes().is_empty());
    assert!(batch.probes().iter().all(|probe| probe.endpoint == Endpoint::tcp([198, 51, 100, 1], 443)));
}

#[test]
fn a_scan_whose_observations_nobody_takes_rests_until_they_are_taken() {
    let mut plan = Plan::default();
    let block = "10.0.0.0/30".parse().unwrap();
    plan.add(&permit(block), Protocol::Tcp, PortSet::NONE, PortSet::all(), None);
    let rate = Rate { run: None, per_address: None };
    let mut scan = Scan::new(plan, Config { rate, ..Config::default() });
    let mut batch = Batch::default();
    let (mut now, mut asked, mut waiting) = (Moment::START, 0, 0);
    for _ in 0..4 * 65_535 / 64 + 8 {
        batch.reset(64);
        scan.fill(now, &mut batch);
        asked += batch.probes().len();
        for probe in batch.probes() {
            let evidence = Evidence::SynAck { window: 1024, options: true };
            let (endpoint, attempt) = (probe.endpoint, probe.attempt);
            let answer = Answer { endpoint, attempt, sent_at: now, source: None, ttl: None, evidence };
            scan.answer(now, &answer);
        }
        if batch.probes().is_empty() && !scan.done() {
            assert!(scan.poll_timeout().unwrap() > now, "it would be asked in vain");
            waiting = asked;
            assert_eq!(scan.take_observations().len(), asked);
            break;
        }
        now += Duration::from_micros(50);
    }
    assert!((65_536..65_536 + 128).contains(&waiting), "{waiting}");
    batch.reset(64);
    scan.fill(now + Duration::from_millis(5), &mut batch);
    assert_eq!(batch.probes().len(), 64, "and then it goes on");
}

#[test]
fn a_later_pass_over_settled_places_leaves_the_driver_room_to_listen() {
    let mut plan = Plan::default();
    let block = "10.0.0.0/28".parse().unwrap();
    plan.add(&permit(block), Protocol::Tcp, PortSet::NONE, PortSet::all(), None);
    let rate = Rate { run: None, per_address: None };
    let mut scan = Scan::new(plan, Config { rate, ..Config::default() });
    let mut batch = Batch::default();
    let planned = scan.totals().planned;
    while scan.totals().probes_sent < planned {
        batch.reset(64);
        scan.fill(Moment::START, &mut batch);
        for probe in batch.probes().iter().filter(|probe| probe.endpoint.port != 7) {
            hear(&mut scan, 0, probe.endpoint, 1, Evidence::Reset);
        }
    }
    let (mut calls, mut empty, now) = (0, 0, Moment::from_millis(1500));
    while scan.totals().retransmitted < 16 {
        batch.reset(64);
        scan.fill(now, &mut batch);
        calls += 1;
        empty += usize::from(batch.probes().is_empty());
        let over = scan.totals().retransmitted == 16;
        assert!(over || scan.poll_timeout().unwrap() <= now, "there is more to pass by at once");
        assert!(calls < 100);
        assert!(batch.probes().iter().all(|probe| probe.endpoint.port == 7 && probe.attempt == 2));
    }
    assert!(calls >= 15 && empty > 0, "{calls} calls, {empty} of them empty");
}
