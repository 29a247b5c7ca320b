//! The laws, over random manifests, plans and observations.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::rig::*;
use crate::{
    model::*,
    spec::{
        manifest::*,
        resolution::DnsOutcome::{Answered, NoData, NxDomain, ServFail},
    },
    verify::*,
};

const ADDRESSES: [&str; 6] =
    ["192.0.2.1", "192.0.2.2", "192.0.2.33", "192.0.2.34", "2001:db8::1", "2001:db8::2"];
const HOSTS: [&str; 6] =
    ["192.0.2.1", "192.0.2.2", "192.0.2.32/30", "192.0.2.34", "2001:db8::1", "www.example.com"];

fn a_target(id: usize) -> impl Strategy<Value = Target> {
    let entry = (1u16..40, any::<[bool; 5]>());
    (
        prop::sample::subsequence(HOSTS.to_vec(), 1..3),
        prop::collection::vec(entry, 0..4),
        prop::collection::vec(1u16..40, 0..2),
        (0u16..40, 0u16..8),
        any::<[bool; 4]>(),
        0..3usize,
    )
        .prop_map(move |(hosts, exposes, denies, (tcp, udp), flags, closed)| {
            let mut target = target(&format!("t{id}"), &hosts);
            target.tcp = PortSet::from_ranges([(1, tcp)]);
            target.udp = PortSet::from_ranges([(1, udp)]);
            for (port, [required, v4_only, elsewhere, service, udp]) in exposes {
                let at = format!("{port}/{}", if udp { "udp" } else { "tcp" });
                let mut entry = expose(&at, if required { Presence::Required } else { Presence::Optional });
                if v4_only {
                    entry.families = vec![Family::Ipv4];
                }
                if elsewhere {
                    entry.from = vec!["office".to_owned()];
                }
                entry.service = service.then(|| "http".to_owned());
                target.expose.push(entry);
            }
            let denied = denies
                .into_iter()
                .filter(|port| !target.expose.iter().any(|entry| entry.ports.contains(*port)));
            target.deny = denied.map(|port| deny(&format!("{port}/tcp"))).collect();
            let [role, warn, dark, card] = flags;
            if role {
                target.profiles = vec!["web-server".to_owned()];
            }
            target.unlisted = if warn { Unlisted::Warn } else { Unlisted::Deny };
            target.expect_dark = dark.then_some(true);
            target.stores_cardholder_data = card;
            target.closed_state = [ClosedState::Any, ClosedState::Closed, ClosedState::Filtered][closed];
            target
        })
}

fn a_state() -> impl Strategy<Value = State> {
    prop::sample::select(State::ALL.to_vec())
}

fn a_rig() -> impl Strategy<Value = Rig> {
    let targets = (a_target(0), a_target(1), a_target(2)).prop_map(|(a, b, c)| vec![a, b, c]);
    let observation = (0..ADDRESSES.len(), 1u16..40, any::<bool>(), a_state(), 0..3u8);
    (
        targets,
        prop::collection::vec(observation, 0..40),
        prop::collection::vec(prop::option::weighted(0.8, a_state()), ADDRESSES.len()),
        any::<[bool; 8]>(),
        prop::collection::vec((0..3usize, 0..5usize, prop::option::of(1u16..40)), 0..3),
        0..4usize,
    )
        .prop_map(|(targets, observations, fill, flags, exceptions, dns)| {
            let mut rig = Rig::new(targets);
            let name = "www.example.com";
            let v4 = [
                (Answered, &["192.0.2.1"][..]),
                (NxDomain, &[]),
                (ServFail, &[]),
                (Answered, &["192.0.2.2"]),
            ];
            let v6 = [(Answered, &["2001:db8::2"][..]), (NxDomain, &[]), (NoData, &[]), (ServFail, &[])];
            rig.resolution.answers = vec![
                answer(name, Family::Ipv4, v4[dns].0.clone(), v4[dns].1),
                answer(name, Family::Ipv6, v6[dns].0.clone(), v6[dns].1),
            ];
            for (address, state) in ADDRESSES.iter().zip(fill) {
                if let Some(state) = state {
                    rig.fill.insert(ip(address), state);
                }
            }
            for (address, port, udp, state, looks) in observations {
                let protocol = if udp { Protocol::Udp } else { Protocol::Tcp };
                let mut seen = observed(ip(ADDRESSES[address]), protocol, port, state);
                seen.looks.truncate(usize::from(looks));
                if !rig.observations.iter().any(|known| known.endpoint == seen.endpoint) {
                    rig.observations.push(seen);
                }
            }
            let [partial, udp, not_sent, strict, local, blind, lossy, half_open] = flags;
            (rig.partial, rig.udp, rig.not_sent, rig.strict) = (partial, udp, not_sent, strict);
            if lossy {
                rig.miss =
                    [(ip("192.0.2.1"), 0.01), (ip("192.0.2.33"), 0.002), (ip("2001:db8::1"), 0.0005)].into();
            }
            for seen in rig.observations.iter_mut().filter(|seen| half_open && seen.endpoint.port % 2 == 0) {
                let open = seen.looks.iter_mut().filter(|look| look.evidence == Evidence::Connected);
                open.for_each(|look| look.evidence = Evidence::SynAck { window: 0, options: true });
            }
            rig.local = local.then_some(LocalError::NoRoute);
            if blind {
                let vantage = Vantage {
                    blind: vec![(Protocol::Tcp, PortSet::parse("5-9").unwrap())],
                    families: vec![Family::Ipv4],
                    ..Vantage::default()
                };
                rig.manifest.vantages.insert("home".to_owned(), vantage);
                rig.selection.vantage = Some("home".to_owned());
            } else {
                rig.selection.vantage = Some("office".to_owned());
            }
            let rules = ["EXP001", "EXP002", "EXP003", "EXP010", "EXP012"];
            for (i, (target, rule, port)) in exceptions.into_iter().enumerate() {
                rig.manifest.exceptions.push(exception(
                    &format!("EX-{i}"),
                    &format!("t{target}"),
                    rules[rule],
                    port,
                ));
            }
            rig
        })
}

/// The states of all planned endpoints, counted the slow way: one by one.
fn one_by_one(rig: &Rig, plan: &Plan) -> StateCounts {
    let mut states = StateCounts::default();
    for group in &plan.groups {
        for address in group.permit.range().iter() {
            for protocol in [Protocol::Tcp, Protocol::Udp] {
                let ask = group.ask(protocol);
                let asked = !group.missing_family && (protocol == Protocol::Tcp || rig.udp);
                for port in ask.planned().iter() {
                    let given = asked && !ask.blind.contains(port);
                    let state =
                        if given { rig.state(Endpoint { address, protocol, port }) } else { State::Unknown };
                    states.add(state, 1);
                }
            }
        }
    }
    states
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    /// `judge_with` itself proves that verdicts and states reconcile and that ids are unique.
    #[test]
    fn every_planned_endpoint_ends_in_exactly_one_state_and_one_verdict(mut rig in a_rig()) {
        let plan = rig.plan();
        rig.observe_named(&plan);
        let tallies = rig.tallies(&plan);
        let judgement = rig.judge_with(&plan, &tallies);
        prop_assert_eq!(judgement.states, one_by_one(&rig, &plan));
    }

    /// Whatever the counts claim, even when they don't add up.
    #[test]
    fn the_sums_hold_when_tallies_lie(mut rig in a_rig(), lie in any::<[u8; 5]>(), named in any::<bool>()) {
        let plan = rig.plan();
        if named {
            rig.observe_named(&plan);
        }
        let mut tallies = rig.tallies(&plan);
        for tally in &mut tallies {
            for (state, n) in State::ALL.into_iter().zip(lie) {
                if n % 2 == 0 { tally.states.sub(state, u64::from(n)) } else { tally.states.add(state, u64::from(n)) }
            }
        }
        rig.judge_with(&plan, &tallies);
    }

    #[test]
    fn what_was_not_determined_never_passes(mut rig in a_rig()) {
        let plan = rig.plan();
        rig.observe_named(&plan);
        let tallies = rig.tallies(&plan);
        let judgement = rig.judge_with(&plan, &tallies);
        for judged in &judgement.observations {
            if judged.state == State::Unknown {
                prop_assert!(
                    judged.verdict.is_doubt() || judged.verdict == Verdict::Waived,
                    "{:?}", judged
                );
            }
            if judged.verdict.is_pass() {
                prop_assert!(judged.seen.is_some(), "a pass without evidence: {:?}", judged);
            }
        }
        let passes = judgement.verdicts.pass + judgement.verdicts.pass_by_silence;
        prop_assert!(passes <= judgement.planned - judgement.states.unknown);
    }

    /// What the run was told to let pass, or to fail on, is as sure as before.
    #[test]
    fn what_is_determined_does_not_depend_on_what_is_made_of_it(mut rig in a_rig(), told in any::<u8>()) {
        let plan = rig.plan();
        rig.observe_named(&plan);
        let tallies = rig.tallies(&plan);
        let plain = rig.judge_with(&plan, &tallies).determined;
        let level = [Level::Allow, Level::Warn, Level::Deny][usize::from(told % 3)];
        let exposures = RULES.iter().filter(|rule| rule.kind != Kind::Governance);
        rig.levels = exposures.map(|rule| (rule.id, level)).collect();
        let judgement = rig.judge_with(&plan, &tallies);
        prop_assert_eq!(judgement.determined, plain);
        prop_assert!(level == Level::Deny || judgement.verdicts.fail == 0);
    }

    /// Said a second time, in other words than the program's: when may an endpoint pass at all?
    #[test]
    fn a_pass_is_earned(mut rig in a_rig()) {
        rig.manifest.exceptions.clear();
        let plan = rig.plan();
        rig.observe_named(&plan);
        let tallies = rig.tallies(&plan);
        let judgement = rig.judge_with(&plan, &tallies);
        let vantage = rig.selection.vantage.clone().unwrap();
        let host_answered = plan.groups.iter().filter(|group| !group.missing_family).any(|group| {
            tallies.iter().any(|tally| group.permit.range().contains(tally.address) && tally.states.answered())
        }) || judgement.observations.iter().any(|judged| matches!(judged.state, State::Open | State::Closed));
        for judged in &judgement.observations {
            let at = judged.endpoint;
            let group = plan.groups.iter().find(|group| group.permit.range().contains(at.address)).unwrap();
            let owners: Vec<&Target> = group.owners.iter().map(|owner| &rig.manifest.targets[owner.target]).collect();
            let holds = |entry: &&Expose| {
                entry.protocol == at.protocol
                    && entry.ports.contains(at.port)
                    && entry.families.contains(&Family::of(at.address))
                    && (entry.from.is_empty() || entry.from.contains(&vantage))
            };
            let first: Vec<&Expose> =
                owners.iter().filter_map(|target| target.expose.iter().find(holds)).collect();
            let required = first.iter().any(|entry| entry.presence == Presence::Required);
            let denied = owners.iter().any(|target| {
                target.deny.iter().any(|deny| deny.protocol == at.protocol && deny.ports.contains(at.port))
            });
            let warned = owners.iter().all(|target| target.unlisted == Unlisted::Warn);
            let seen = judged.seen.map(|i| &rig.observations[i]);
            let of = tallies.iter().find(|tally| (tally.address, tally.protocol) == (at.address, at.protocol));
            let missed = of.and_then(|tally| tally.miss).is_some_and(|miss| miss.upper95 > rig.max_miss);
            if judged.verdict.is_pass() && missed {
                prop_assert!(judged.reason != Reason::NoResponse, "on a lossy path: {:?}", judged);
            }
            match (judged.verdict, judged.state) {
                (Verdict::Pass, State::Open) if at.protocol == Protocol::Tcp && !warned => {
                    prop_assert!(seen.is_some_and(Observation::handshake_completed), "half open: {:?}", judged);
                }
                (Verdict::Pass, State::Open) => {
                    prop_assert!(!denied && (!first.is_empty() || warned), "{:?}", judged);
                    prop_assert!(first.iter().all(|entry| entry.service.is_none()), "unchecked: {:?}", judged);
                }
                (Verdict::Pass, State::Closed | State::Filtered) => prop_assert!(!required, "{:?}", judged),
                (Verdict::PassBySilence, State::Filtered) => {
                    prop_assert!(group.expect_dark && host_answered && !required, "{:?}", judged);
                }
                (Verdict::PassBySilence, State::Unanswered) => {
                    // An ICMP prohibition (the rig makes one of filtered UDP) answers for its address.
                    let prohibited = rig.observations.iter().any(|seen| {
                        let same = seen.endpoint.address == at.address;
                        same && seen.endpoint.protocol == Protocol::Udp && seen.state == State::Filtered
                    });
                    let answered = host_answered || prohibited;
                    prop_assert!(at.protocol == Protocol::Udp && !required && answered, "{:?}", judged);
                }
                (Verdict::Pass | Verdict::PassBySilence, state) => {
                    prop_assert!(false, "{:?} can't pass as {:?}", judged, state);
                }
                _ => {}
            }
        }
    }

    #[test]
    fn exit_zero_means_that_nothing_is_in_doubt(mut rig in a_rig()) {
        let plan = rig.plan();
        rig.observe_named(&plan);
        let tallies = rig.tallies(&plan);
        let judgement = rig.judge_with(&plan, &tallies);
        let verdicts = judgement.verdicts;
        let in_doubt = judgement.findings.iter().any(|finding| finding.verdict.is_doubt());
        let fails = judgement.findings.iter().any(|finding| finding.verdict == Verdict::Fail);
        // A run of nothing shows nothing.
        let doubtful = in_doubt || rig.partial || (judgement.planned == 0 && judgement.findings.is_empty());
        let expected = match (fails, doubtful || verdicts.inconclusive + verdicts.not_covered > 0) {
            (true, _) => 1,
            (false, true) => 3,
            (false, false) => 0,
        };
        prop_assert_eq!(judgement.exit(), expected);
        // Doubt and failure always have a finding that says why.
        prop_assert!(verdicts.inconclusive + verdicts.not_covered == 0 || in_doubt || fails);
        prop_assert!(verdicts.fail == 0 || fails);
    }

    #[test]
    fn the_order_in_which_things_arrive_changes_nothing(mut rig in a_rig()) {
        let plan = rig.plan();
        rig.observe_named(&plan);
        let mut tallies = rig.tallies(&plan);
        let forth = rig.judge_with(&plan, &tallies);
        rig.observations.reverse();
        tallies.reverse();
        let back = rig.judge_with(&plan, &tallies);
        let told = |judgement: &Judgement| -> Vec<(String, String, Verdict)> {
            judgement.findings.iter().map(|f| (f.id.clone(), f.message.clone(), f.verdict)).collect()
        };
        prop_assert_eq!(told(&forth), told(&back));
        prop_assert_eq!(forth.verdicts, back.verdicts);
        let of = |judgement: &Judgement| -> BTreeMap<Endpoint, Verdict> {
            judgement.observations.iter().map(|judged| (judged.endpoint, judged.verdict)).collect()
        };
        prop_assert_eq!(of(&forth), of(&back));
    }

    /// No exception, level or strictness turns doubt or deviation into a pass.
    #[test]
    fn exceptions_waive_and_never_pass(mut rig in a_rig()) {
        let plan = rig.plan();
        rig.observe_named(&plan);
        let tallies = rig.tallies(&plan);
        let with = rig.judge_with(&plan, &tallies);
        rig.manifest.exceptions.clear();
        let without = rig.judge_with(&plan, &tallies);
        let passes = |judgement: &Judgement| judgement.verdicts.pass + judgement.verdicts.pass_by_silence;
        prop_assert!(passes(&with) <= passes(&without) || with.verdicts.waived > 0);
    }
}
