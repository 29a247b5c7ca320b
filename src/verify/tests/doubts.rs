//! What could not be determined: silence, gaps, interference. None of it ever conforms.

use super::rig::*;
use crate::{
    model::*,
    spec::{manifest::*, plan},
};

const HOST: &str = "192.0.2.10";

fn www() -> Target {
    let mut www = target("www", &[HOST]);
    www.expose.push(expose("443/tcp", Presence::Required));
    www
}

#[test]
fn a_run_in_which_nobody_answered_is_one_finding_and_calls_nothing_missing() {
    let spare = target("spare", &["192.0.2.32/30"]);
    let mut rig = Rig::new(vec![www(), spare]).fill(HOST, State::Filtered);
    for i in 32..36 {
        rig = rig.fill(&format!("192.0.2.{i}"), State::Filtered);
    }
    let judgement = rig.judge();
    assert_eq!(judgement.rules(), ["EXP010"]);
    assert_eq!(judgement.only("EXP010").target, None);
    assert_eq!(judgement.verdicts.inconclusive, judgement.planned);
    assert_eq!((judgement.exit(), judgement.outcome.deviates), (3, false));
}

#[test]
fn a_named_host_that_is_silent_is_in_doubt() {
    let judgement =
        Rig::new(vec![target("www", &[HOST])]).with_lively_host().fill(HOST, State::Filtered).judge();
    assert_eq!(judgement.only("EXP010").target, Some(0));
    assert_eq!((judgement.verdicts.inconclusive, judgement.exit()), (1001, 3));
    assert_eq!(judgement.addresses[0].alive, Some(false));
}

#[test]
fn a_dark_one_passes_by_silence_when_another_host_answered() {
    let mut dark = target("dark", &[HOST]);
    dark.expect_dark = Some(true);
    let judgement = Rig::new(vec![dark.clone()]).with_lively_host().fill(HOST, State::Filtered).judge();
    assert!(judgement.findings.is_empty());
    assert_eq!((judgement.verdicts.pass_by_silence, judgement.exit()), (1001, 0));
    let alone = Rig::new(vec![dark]).fill(HOST, State::Filtered).judge();
    assert_eq!((alone.rules(), alone.exit()), (vec!["EXP010"], 3));
}

#[test]
fn a_prohibition_alone_does_not_make_the_silence_of_others_conform() {
    let spare = target("spare", &["192.0.2.32/31"]);
    let mut rig =
        Rig::new(vec![spare]).fill("192.0.2.32", State::Filtered).fill("192.0.2.33", State::Filtered);
    rig.prohibited.insert(ip("192.0.2.32"), 1001);
    let judgement = rig.judge();
    assert_eq!(judgement.only("EXP010").addresses, [ip("192.0.2.33")]);
    assert_eq!((judgement.verdicts.pass, judgement.verdicts.inconclusive), (1001, 1001));
    assert_eq!(judgement.addresses[0].alive, None);
}

#[test]
fn a_host_behind_prohibitions_is_filtered_and_not_silent() {
    let mut rig = Rig::new(vec![www()]).fill(HOST, State::Filtered);
    rig.prohibited.insert(ip(HOST), 900);
    let judgement = rig.judge();
    let finding = judgement.only("EXP003");
    assert_eq!((finding.cause, finding.verdict), (Some("filtered"), Verdict::Fail));
    assert_eq!(judgement.verdicts.pass, 1000);
}

#[test]
fn an_address_that_answers_on_everything_is_one_finding() {
    let mut rig = Rig::new(vec![www()]).fill(HOST, State::Closed);
    for port in 1..=600 {
        rig = rig.see(HOST, port, State::Open);
    }
    let judgement = rig.judge();
    assert_eq!(judgement.rules(), ["EXP011"]);
    assert_eq!((judgement.verdicts.inconclusive, judgement.verdicts.pass), (1001, 0));
    assert_eq!(judgement.tcp(HOST, 443), Verdict::Inconclusive, "what it shows proves nothing");
    assert!(judgement.addresses[0].answers_everything);
}

#[test]
fn controls_show_that_an_address_answers_on_everything_where_little_is_planned() {
    let count = |open| ControlCount { asked: 5, open };
    for (open, rules) in [(5, vec!["EXP011"]), (3, vec!["EXP011"]), (2, vec![]), (0, vec![])] {
        let mut rig = Rig::new(vec![www()]).fill(HOST, State::Closed).see(HOST, 443, State::Open);
        rig.controls.insert(ip(HOST), count(open));
        let judgement = rig.judge();
        assert_eq!(judgement.rules(), rules, "{open}");
        let believed = if open > 2 { Verdict::Inconclusive } else { Verdict::Pass };
        assert_eq!(judgement.tcp(HOST, 443), believed, "{open}");
    }
}

#[test]
fn many_open_ports_that_are_declared_or_few_of_many_are_not_interference() {
    let mut wide = target("wide", &[HOST]);
    wide.expose.push(expose("1-600/tcp", Presence::Optional));
    let mut rig = Rig::new(vec![wide]).fill(HOST, State::Closed);
    for port in 1..=600 {
        rig = rig.see(HOST, port, State::Open);
    }
    assert!(rig.judge().findings.is_empty());
    let mut rig = Rig::new(vec![www()]).fill(HOST, State::Closed).see(HOST, 443, State::Open);
    for port in 1..=255 {
        rig = rig.see(HOST, port, State::Open);
    }
    assert_eq!(rig.judge().findings.len(), 255);
}

#[test]
fn attempts_that_disagree_are_interference() {
    let mut rig = Rig::new(vec![www()]).fill(HOST, State::Closed).see(HOST, 443, State::Open).see(
        HOST,
        80,
        State::Open,
    );
    rig.observations[0].looks[1].evidence = Evidence::Refused;
    let judgement = rig.judge();
    let finding = judgement.only("EXP011");
    assert_eq!((finding.cause, finding.endpoints), (Some("contradicts_itself"), 1));
    assert!(finding.message.contains("443/tcp"), "{}", finding.message);
    assert_eq!(judgement.tcp(HOST, 443), Verdict::Inconclusive);
    assert_eq!(judgement.only("EXP001").port, Some(80), "the other port stands for itself");
}

/// 22/tcp answered, and then nothing did: the rest is silent.
fn banned() -> Rig {
    let mut www = www();
    www.expose.push(expose("22/tcp", Presence::Required));
    www.expose.push(expose("25/tcp", Presence::Optional));
    www.deny.push(deny("6379/tcp"));
    let mut rig = Rig::new(vec![www]).with_lively_host().fill(HOST, State::Filtered);
    rig = rig.see(HOST, 22, State::Open).see(HOST, 80, State::Closed);
    rig.fell_silent = Some(ip(HOST));
    rig
}

#[test]
fn what_is_silent_at_an_address_that_fell_silent_is_in_doubt_and_its_answers_stand() {
    let judgement = banned().judge();
    assert_eq!(judgement.rules(), ["EXP011"], "one finding, and nothing is called missing");
    let finding = judgement.only("EXP011");
    assert_eq!((finding.cause, finding.endpoints), (Some("fell_silent"), 999));
    assert!(finding.message.contains("22/tcp"), "{}", finding.message);
    assert_eq!((judgement.tcp(HOST, 22), judgement.tcp(HOST, 80)), (Verdict::Pass, Verdict::Pass));
    for silent in [443, 25, 6379] {
        assert_eq!(judgement.tcp(HOST, silent), Verdict::Inconclusive, "{silent}");
    }
    assert_eq!((judgement.verdicts.inconclusive, judgement.exit()), (999, 3));
}

#[test]
fn what_a_firewall_prohibited_stands_where_the_host_fell_silent() {
    let mut rig = banned();
    rig.prohibited.insert(ip(HOST), 100);
    let judgement = rig.judge();
    assert_eq!((judgement.only("EXP011").endpoints, judgement.verdicts.inconclusive), (899, 899));
    // Two that answered, and the lively host's one.
    assert_eq!(judgement.verdicts.pass, 100 + 2 + 1);
    let mut named = banned();
    let icmp = Evidence::Unreachable { what: Unreachable::AdminProhibited, sender: None };
    let mut seen = observed(ip(HOST), Protocol::Tcp, 443, State::Filtered);
    seen.reason = Reason::AdminProhibited;
    seen.looks.iter_mut().for_each(|look| look.evidence = icmp);
    named.observations.push(seen);
    named.prohibited.insert(ip(HOST), 1);
    let judgement = named.judge();
    assert_eq!(judgement.only("EXP003").cause, Some("filtered"));
    assert_eq!(judgement.only("EXP011").endpoints, 998);
}

#[test]
fn an_open_port_that_nobody_declares_fails_even_where_the_host_fell_silent() {
    let judgement = banned().see(HOST, 21, State::Open).judge();
    assert_eq!((judgement.tcp(HOST, 21), judgement.exit()), (Verdict::Fail, 1));
}

#[test]
fn declared_checks_that_this_version_does_not_make_are_one_doubt_a_target() {
    let mut www = www();
    www.expose[0].service = Some("https".to_owned());
    www.expose.push(Expose { tls: Some(TlsExpectation::default()), ..expose("80/tcp", Presence::Optional) });
    let judgement = Rig::new(vec![www])
        .fill(HOST, State::Closed)
        .see(HOST, 443, State::Open)
        .see(HOST, 80, State::Open)
        .judge();
    let finding = judgement.only("EXP012");
    assert_eq!((finding.cause, finding.endpoints), (Some("not_checked"), 2));
    assert_eq!((judgement.verdicts.inconclusive, judgement.exit()), (2, 3));
}

#[test]
fn local_trouble_is_ours_and_names_the_cure() {
    let gap = |error, sent: bool| {
        let mut www = www();
        www.hosts.push(host("2001:db8::10"));
        let mut rig = Rig::new(vec![www]).fill(HOST, State::Closed).see(HOST, 443, State::Open);
        rig = rig.fill("2001:db8::10", State::Unknown);
        (rig.local, rig.not_sent) = (Some(error), !sent);
        rig.judge()
    };
    let judgement = gap(LocalError::NoRoute, true);
    let finding = judgement.only("EXP012");
    assert_eq!((finding.cause, finding.verdict), (Some("no_route"), Verdict::Inconclusive));
    assert!(finding.remedy.contains("--families ipv4"), "{}", finding.remedy);
    assert_eq!((judgement.verdicts.inconclusive, judgement.exit()), (1001, 3));
    let judgement = gap(LocalError::NoFamily, false);
    assert_eq!(judgement.only("EXP012").verdict, Verdict::NotCovered);
    assert_eq!(judgement.verdicts.not_covered, 1001);
    let judgement = gap(LocalError::Descriptors, true);
    assert!(judgement.only("EXP012").message.contains("no file descriptor left"));
}

#[test]
fn a_partial_run_is_one_finding_for_the_run() {
    let mut rig = Rig::new(vec![www(), target("other", &["192.0.2.11"])]);
    rig = rig.fill(HOST, State::Closed).see(HOST, 443, State::Open).fill("192.0.2.11", State::Unknown);
    (rig.partial, rig.not_sent) = (true, true);
    let judgement = rig.judge();
    let finding = judgement.only("EXP012");
    assert_eq!((finding.cause, finding.target), (Some("interrupted"), None));
    assert_eq!((judgement.verdicts.not_covered, judgement.exit()), (1001, 3));
}

#[test]
fn addresses_without_a_tally_are_not_covered() {
    let rig = Rig::new(vec![www(), target("block", &["192.0.2.64/26"])]);
    let judgement = rig.fill(HOST, State::Closed).see(HOST, 443, State::Open).judge();
    let finding = judgement.only("EXP012");
    assert_eq!((finding.cause, finding.endpoints), (Some("not_probed"), 64 * 1001));
    assert_eq!(judgement.exit(), 3);
}

#[test]
fn blind_ports_and_missing_families_are_not_covered() {
    let mut www = www();
    www.hosts.push(host("2001:db8::10"));
    www.expose.push(expose("25/tcp", Presence::Required));
    let mut rig = Rig::new(vec![www]).fill(HOST, State::Closed).see(HOST, 443, State::Open);
    let vantage = Vantage {
        families: vec![Family::Ipv4],
        blind: vec![(Protocol::Tcp, PortSet::single(25))],
        ..Vantage::default()
    };
    rig.manifest.vantages.insert("home".to_owned(), vantage);
    rig.selection.vantage = Some("home".to_owned());
    let judgement = rig.judge();
    let causes: Vec<_> = judgement.findings.iter().map(|finding| finding.cause.unwrap()).collect();
    assert_eq!(causes, ["blind_vantage", "missing_family"]);
    assert_eq!(judgement.verdicts.not_covered, 1 + 1001);
    assert_eq!(judgement.tcp(HOST, 25), Verdict::NotCovered);
    assert_eq!(judgement.tcp("2001:db8::10", 443), Verdict::NotCovered);
}

#[test]
fn a_vast_block_that_is_not_probed_is_counted_and_not_walked() {
    let mut lan = target("lan", &["2001:db8::/88"]);
    lan.tcp = PortSet::single(22);
    let mut rig = Rig::new(vec![lan]);
    rig.selection.large = true;
    let vantage = Vantage { families: vec![Family::Ipv4], ..Vantage::default() };
    rig.manifest.vantages.insert("home".to_owned(), vantage);
    rig.selection.vantage = Some("home".to_owned());
    let plan = rig.plan();
    let judgement = rig.judge_with(&plan, &[]);
    assert_eq!(judgement.verdicts.not_covered, 1 << 40);
}

#[test]
fn udp_that_cannot_be_asked_is_one_gap_a_target_and_family() {
    let mut www = www();
    www.hosts.push(host("2001:db8::10"));
    www.expose.push(expose("53/udp", Presence::Required));
    www.udp = PortSet::parse("1-100").unwrap();
    let mut rig = Rig::new(vec![www]).fill(HOST, State::Closed).fill("2001:db8::10", State::Closed);
    rig = rig.see(HOST, 443, State::Open).see("2001:db8::10", 443, State::Open);
    let plan = rig.plan();
    let tallies = rig.tallies(&plan);
    let judgement = rig.judge_with(&plan, &tallies);
    assert_eq!(judgement.rules(), ["EXP012", "EXP012"]);
    assert_eq!(judgement.verdicts.not_covered, 200);
    assert_eq!(judgement.verdict(HOST, Protocol::Udp, 53), Verdict::NotCovered);
    assert_eq!(judgement.exit(), 3);
}

#[test]
fn accepted_doubt_is_waived() {
    let mut rig = Rig::new(vec![target("www", &[HOST])]).with_lively_host().fill(HOST, State::Filtered);
    rig.manifest.exceptions.push(exception("EX-2", "www", "EXP010", None));
    let judgement = rig.judge();
    assert_eq!(judgement.only("EXP010").verdict, Verdict::Waived);
    assert_eq!((judgement.verdicts.waived, judgement.exit()), (1001, 0));
}

#[test]
fn an_exception_of_one_target_never_waives_the_doubt_about_the_whole_run() {
    let mut rig = Rig::new(vec![www()]).fill(HOST, State::Filtered);
    rig.manifest.exceptions.push(exception("EX-2", "www", "EXP010", None));
    assert_eq!(rig.judge().exit(), 3);
}

#[test]
fn a_wide_block_that_misses_what_it_requires_is_judged() {
    let mut wide = target("wide", &["10.0.0.0/16"]);
    wide.expose.push(expose("443/tcp", Presence::Required));
    wide.tcp = PortSet::NONE;
    let mut rig = Rig::new(vec![wide]);
    let plan = rig.plan();
    rig.observations = plan.groups[0]
        .permit
        .range()
        .iter()
        .map(|address| {
            let state = if address == ip("10.0.0.1") { State::Open } else { State::Filtered };
            observed(address, Protocol::Tcp, 443, state)
        })
        .collect();
    // In the square of its addresses it would be four billion steps, which nobody waits for.
    let judgement = rig.judge_with(&plan, &[]);
    assert_eq!(judgement.planned, 65_536);
}

#[test]
fn a_run_larger_than_anybody_means_by_accident_asks_for_the_flag() {
    let wide = |blocks: &[&str]| {
        let mut wide = target("wide", blocks);
        wide.tcp = PortSet::all();
        Rig::new(vec![wide])
    };
    let planned = |rig: &Rig| {
        plan::plan(&rig.manifest, &rig.resolution, &rig.selection, &|_: &Target, _| PortSet::NONE)
    };
    assert!(planned(&wide(&["10.0.0.0/16", "2001:db8::/112"])).is_ok());
    let blocks = ["10.0.0.0/16", "10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16", "10.4.0.0/16"];
    for mut rig in [wide(&["10.0.0.0/15"]), wide(&["2001:db8::/111"]), wide(&blocks)] {
        let said = planned(&rig).unwrap_err().to_string();
        assert!(said.contains("--i-know-this-is-large"), "{said}");
        rig.selection.large = true;
        assert!(planned(&rig).is_ok());
    }
}
