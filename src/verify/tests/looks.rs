//! What looks prove: half-open ports, and silence on a lossy path. Neither ever conforms by itself.

use super::rig::*;
use crate::{model::*, spec::manifest::*};

const HOST: &str = "192.0.2.10";

/// 443 required, 25 optional, 6379 denied; 21 is nobody's.
fn www() -> Target {
    let mut www = target("www", &[HOST]);
    www.expose.push(expose("443/tcp", Presence::Required));
    www.expose.push(expose("25/tcp", Presence::Optional));
    www.deny.push(deny("6379/tcp"));
    www
}

const EACH: [u16; 4] = [443, 25, 6379, 21];

/// Every kind of port sent a SYN-ACK, and this came of the connection that followed.
fn half_opened(then: Evidence) -> Rig {
    let mut rig = Rig::new(vec![www()]).fill(HOST, State::Closed);
    rig.observations = EACH.iter().map(|&port| half_open(ip(HOST), port, then)).collect();
    rig
}

#[test]
fn a_syn_ack_and_then_a_handshake_is_open_and_seen_twice() {
    let judgement = half_opened(Evidence::Connected).judge();
    assert_eq!((judgement.tcp(HOST, 443), judgement.tcp(HOST, 25)), (Verdict::Pass, Verdict::Pass));
    assert_eq!((judgement.only("EXP001").verdict, judgement.only("EXP001").cause), (Verdict::Fail, None));
    assert_eq!(judgement.only("EXP002").verdict, Verdict::Fail);
    assert!(judgement.only("EXP001").observed.contains("then a completed handshake"));
    assert_eq!(judgement.addresses[0].liveness.as_deref(), Some("handshake with 21/tcp"));
}

#[test]
fn a_syn_ack_without_a_handshake_is_in_doubt_whatever_is_expected() {
    for (then, said) in [
        (Evidence::Silence, "got no answer"),
        (Evidence::Refused, "refused the connection"),
        (Evidence::SynAck { window: 0, options: false }, "got no answer"),
    ] {
        let judgement = half_opened(then).judge();
        for port in EACH {
            assert_eq!(judgement.tcp(HOST, port), Verdict::Inconclusive, "{port} {then}");
        }
        assert_eq!(judgement.rules(), ["EXP002", "EXP001", "EXP003", "EXP012"]);
        for finding in &judgement.findings {
            assert_eq!((finding.cause, finding.endpoints), (Some("handshake_not_completed"), 1));
            assert!(!finding.title.contains("is open"), "{}", finding.title);
        }
        assert!(judgement.only("EXP003").message.contains(said), "{}", judgement.only("EXP003").message);
        assert!(judgement.only("EXP012").message.contains("25/tcp"));
        assert_eq!((judgement.exit(), judgement.outcome.deviates), (3, false));
        assert_eq!(judgement.addresses[0].liveness.as_deref(), Some("SYN-ACK from 21/tcp"));
    }
}

#[test]
fn a_port_that_was_half_open_once_does_not_pass_as_closed() {
    let mut rig = half_opened(Evidence::Reset);
    rig.observations.iter_mut().for_each(|seen| seen.state = State::Closed);
    let judgement = rig.judge();
    for port in EACH {
        assert_eq!(judgement.tcp(HOST, port), Verdict::Inconclusive, "{port}");
    }
}

/// 443 answers, 600 ports of the rest are silent, and so much may have been missed.
fn lossy(upper95: f64) -> Rig {
    let mut rig = Rig::new(vec![www()]).fill(HOST, State::Filtered).see(HOST, 443, State::Open);
    rig = rig.see(HOST, 22, State::Closed);
    rig.miss.insert(ip(HOST), upper95);
    rig
}

#[test]
fn silence_on_a_lossy_path_is_in_doubt_and_answers_stand() {
    let mut rig = lossy(0.0105);
    rig.prohibited.insert(ip(HOST), 100);
    let judgement = rig.judge();
    let finding = judgement.only("EXP015");
    // All but two answers and a hundred prohibitions; 25 and 6379 are silent too.
    assert_eq!((finding.verdict, finding.endpoints), (Verdict::Inconclusive, 1001 - 2 - 100));
    assert_eq!((judgement.tcp(HOST, 443), judgement.tcp(HOST, 22)), (Verdict::Pass, Verdict::Pass));
    assert_eq!(
        (judgement.tcp(HOST, 25), judgement.tcp(HOST, 6379)),
        (Verdict::Inconclusive, Verdict::Inconclusive)
    );
    assert_eq!((judgement.verdicts.pass, judgement.exit()), (102, 3));
    assert!(
        finding.message.contains("been open, the chance that we missed it is at most 1 in 95"),
        "{}",
        finding.message
    );
    assert!(finding.expected.contains("1 in 1,000"), "{}", finding.expected);
    assert!(finding.remedy.contains("--max-miss 0.011"), "{}", finding.remedy);
    assert_eq!(judgement.addresses[0].miss.map(|miss| miss.upper95), Some(0.0105));
}

#[test]
fn silence_that_proves_enough_passes_and_so_does_silence_without_a_figure() {
    for (rig, max_miss) in [(lossy(0.0009), 0.001), (lossy(0.001), 0.001), (lossy(0.02), 0.05)] {
        let judgement = Rig { max_miss, ..rig }.judge();
        assert_eq!((judgement.rules(), judgement.exit()), (vec![], 0), "{max_miss}");
    }
    let mut unmeasured = lossy(0.5);
    unmeasured.miss.clear();
    assert_eq!(unmeasured.judge().exit(), 0, "no bound is no doubt: the report gives no figure");
}

#[test]
fn where_nothing_is_silent_there_is_nothing_to_doubt() {
    let mut closed = Rig::new(vec![www()]).fill(HOST, State::Closed).see(HOST, 443, State::Open);
    closed.miss.insert(ip(HOST), 0.9);
    assert_eq!(closed.judge().exit(), 0);
    let mut prohibited = lossy(0.9);
    prohibited.prohibited.insert(ip(HOST), 999);
    prohibited.observations.extend([25, 6379].map(|port| {
        let mut seen = observed(ip(HOST), Protocol::Tcp, port, State::Filtered);
        seen.reason = Reason::AdminProhibited;
        let icmp = Evidence::Unreachable { what: Unreachable::AdminProhibited, sender: None };
        seen.looks.iter_mut().for_each(|look| look.evidence = icmp);
        seen
    }));
    assert_eq!(prohibited.judge().exit(), 0);
}

#[test]
fn what_is_required_and_silent_is_missing_also_on_a_lossy_path() {
    let mut rig = Rig::new(vec![www()]).fill(HOST, State::Filtered).see(HOST, 22, State::Closed);
    rig.miss.insert(ip(HOST), 0.01);
    let judgement = rig.judge();
    assert_eq!(judgement.only("EXP003").verdict, Verdict::Fail);
    assert_eq!((judgement.only("EXP015").endpoints, judgement.exit()), (999, 1));
}

#[test]
fn the_dark_rest_on_silence_too_and_a_block_shares_one_finding() {
    let mut spare = target("spare", &["192.0.2.32/30"]);
    spare.expect_dark = Some(true);
    let mut rig = Rig::new(vec![spare]).with_lively_host();
    for (i, upper95) in (32..36).zip([0.5, 0.2, 0.0001, 0.3]) {
        rig = rig.fill(&format!("192.0.2.{i}"), State::Filtered);
        rig.miss.insert(ip(&format!("192.0.2.{i}")), upper95);
    }
    let judgement = rig.judge();
    let finding = judgement.only("EXP015");
    assert_eq!((finding.addresses.len(), finding.endpoints), (3, 3 * 1001));
    assert_eq!((judgement.verdicts.pass_by_silence, judgement.exit()), (1001, 3));
    assert!(finding.observed.contains("1 in 5") && finding.title.contains("192.0.2.32/30"), "{finding:?}");
}

#[test]
fn a_doubt_about_silence_may_be_accepted() {
    let mut rig = lossy(0.0105);
    rig.manifest.exceptions.push(exception("EX-5", "www", "EXP015", None));
    let judgement = rig.judge();
    assert_eq!((judgement.only("EXP015").verdict, judgement.exit()), (Verdict::Waived, 0));
    assert_eq!(judgement.verdicts.waived, 999);
}
