//! Every cell of CONTRACT §7, through the whole of judging: protocol x expectation x state.

use super::rig::*;
use crate::{model::*, spec::manifest::*};

const HOST: &str = "192.0.2.10";

/// (verdict, rule) of port 53 of a host that otherwise answers.
fn cell(protocol: Protocol, expectation: &str, port: u16, state: State) -> (Verdict, Option<&'static str>) {
    let mut www = target("www", &[HOST]);
    let at = format!("{port}/{protocol}");
    if protocol == Udp {
        www.udp = PortSet::single(port);
    }
    match expectation {
        "required" => www.expose.push(expose(&at, Presence::Required)),
        "optional" => www.expose.push(expose(&at, Presence::Optional)),
        "denied" => www.deny.push(deny(&at)),
        _ => {}
    }
    let mut rig = Rig::new(vec![www]).fill(HOST, Closed);
    rig.udp = true;
    rig.observations.push(observed(ip(HOST), protocol, port, state));
    let judgement = rig.judge();
    assert!(judgement.findings.len() <= 1, "{:?}", judgement.rules());
    (judgement.verdict(HOST, protocol, port), judgement.findings.first().map(|finding| finding.rule.id))
}

use Protocol::{Tcp, Udp};
use State::{Closed, Filtered, Open, Unanswered, Unknown};
use Verdict::{Fail, Inconclusive, Pass, PassBySilence};

#[test]
fn required() {
    for protocol in [Tcp, Udp] {
        assert_eq!(cell(protocol, "required", 53, Open), (Pass, None));
        assert_eq!(cell(protocol, "required", 53, Closed), (Fail, Some("EXP003")));
        assert_eq!(cell(protocol, "required", 53, Filtered), (Fail, Some("EXP003")));
        assert_eq!(cell(protocol, "required", 53, Unknown), (Inconclusive, Some("EXP012")));
    }
    assert_eq!(cell(Udp, "required", 53, Unanswered), (Inconclusive, Some("EXP003")));
    assert_eq!(cell(Tcp, "required", 53, Unanswered), (Inconclusive, Some("EXP012")));
}

#[test]
fn optional() {
    for protocol in [Tcp, Udp] {
        assert_eq!(cell(protocol, "optional", 53, Open), (Pass, None));
        assert_eq!(cell(protocol, "optional", 53, Closed), (Pass, None));
        assert_eq!(cell(protocol, "optional", 53, Filtered), (Pass, None));
        assert_eq!(cell(protocol, "optional", 53, Unknown), (Inconclusive, Some("EXP012")));
    }
    assert_eq!(cell(Udp, "optional", 53, Unanswered), (PassBySilence, None));
    assert_eq!(cell(Tcp, "optional", 53, Unanswered), (Inconclusive, Some("EXP012")));
}

#[test]
fn denied() {
    for protocol in [Tcp, Udp] {
        assert_eq!(cell(protocol, "denied", 53, Open), (Fail, Some("EXP002")));
        assert_eq!(cell(protocol, "denied", 53, Closed), (Pass, None));
        assert_eq!(cell(protocol, "denied", 53, Filtered), (Pass, None));
        assert_eq!(cell(protocol, "denied", 53, Unknown), (Inconclusive, Some("EXP012")));
    }
    assert_eq!(cell(Udp, "denied", 53, Unanswered), (PassBySilence, None), "a payload exists");
    assert_eq!(cell(Udp, "denied", 54, Unanswered), (Inconclusive, Some("EXP012")), "no payload exists");
    assert_eq!(cell(Tcp, "denied", 53, Unanswered), (Inconclusive, Some("EXP012")));
}

#[test]
fn undeclared() {
    for protocol in [Tcp, Udp] {
        assert_eq!(cell(protocol, "", 53, Open), (Fail, Some("EXP001")));
        assert_eq!(cell(protocol, "", 53, Closed), (Pass, None));
        assert_eq!(cell(protocol, "", 53, Filtered), (Pass, None));
        assert_eq!(cell(protocol, "", 53, Unknown), (Inconclusive, Some("EXP012")));
    }
    assert_eq!(cell(Udp, "", 53, Unanswered), (PassBySilence, None));
    assert_eq!(cell(Tcp, "", 53, Unanswered), (Inconclusive, Some("EXP012")));
}

#[test]
fn what_nobody_observed_is_judged_by_its_counts() {
    let fill = |state| {
        let judgement = Rig::new(vec![target("www", &[HOST])]).see(HOST, 1, Closed).fill(HOST, state).judge();
        (judgement.verdicts, judgement.rules())
    };
    assert_eq!(fill(Closed).0.pass, 1001);
    assert_eq!(fill(Filtered).0.pass, 1001);
    assert_eq!((fill(Unknown).0.inconclusive, fill(Unknown).1), (1000, vec!["EXP012"]));
    assert_eq!(
        (fill(Unanswered).0.inconclusive, fill(Unanswered).1),
        (1000, vec!["EXP012"]),
        "TCP is never unanswered"
    );
    assert_eq!(
        (fill(Open).0.inconclusive, fill(Open).1),
        (1000, vec!["EXP012"]),
        "open, and nobody says where"
    );
}

#[test]
fn udp_ports_that_a_role_denies_are_in_doubt_when_silent_even_if_nobody_observed_them() {
    let mut www = target("www", &[HOST]);
    www.profiles = vec!["web-server".to_owned()];
    www.udp = PortSet::parse("1-100").unwrap();
    let mut rig = Rig::new(vec![www]).see(HOST, 1, Closed).fill(HOST, Filtered);
    rig.udp = true;
    let judgement = rig.judge();
    // 53 has a payload and 161 has none.
    assert_eq!((judgement.verdicts.pass_by_silence, judgement.verdicts.inconclusive), (100, 1));
    assert_eq!(judgement.only("EXP012").cause, Some("no_payload"));
}
