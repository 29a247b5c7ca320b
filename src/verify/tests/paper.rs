//! The paperwork: exceptions, reviews, lints; and that it warns unless told otherwise.

use std::time::Duration;

use jiff::civil::date;

use super::rig::*;
use crate::{model::*, spec::manifest::*, verify::*};

const HOST: &str = "192.0.2.10";

/// A host on which 8080 is declared by nobody.
fn rig(exceptions: Vec<Exception>, open: bool) -> Rig {
    let mut www = target("www", &[HOST]);
    www.tcp = PortSet::parse("1-1000,8080").unwrap();
    let mut rig = Rig::new(vec![www]).fill(HOST, State::Closed);
    rig.manifest.exceptions = exceptions;
    if open { rig.see(HOST, 8080, State::Open) } else { rig }
}

fn ex9() -> Exception {
    exception("EX-9", "www", "EXP001", Some(8080))
}

#[test]
fn an_exception_waives_on_its_last_day_and_not_on_the_next() {
    let judgement = rig(vec![ex9()], true).judge();
    let finding = judgement.only("EXP001");
    assert_eq!((finding.verdict, finding.exception), (Verdict::Waived, Some(0)));
    assert_eq!((judgement.tcp(HOST, 8080), judgement.exit()), (Verdict::Waived, 0));
    assert_eq!(
        (judgement.exceptions[0].waived, judgement.exceptions[0].status),
        (1, ExceptionStatus::InForce)
    );

    let mut late = rig(vec![ex9()], true);
    late.at = TODAY.tomorrow().unwrap();
    let judgement = late.judge();
    assert_eq!(judgement.rules(), ["EXP001", "EXC001"]);
    assert_eq!((judgement.tcp(HOST, 8080), judgement.exit()), (Verdict::Fail, 1));
    assert_eq!(judgement.only("EXC001").verdict, Verdict::Pass, "a warning");
}

#[test]
fn strict_ignores_exceptions() {
    let mut strict = rig(vec![ex9()], true);
    strict.strict = true;
    let judgement = strict.judge();
    assert_eq!((judgement.rules(), judgement.exit()), (vec!["EXP001"], 1));
    assert_eq!(judgement.exceptions[0].status, ExceptionStatus::Ignored);
}

#[test]
fn an_exception_for_another_rule_port_or_target_waives_nothing() {
    for other in [
        exception("A", "www", "EXP002", Some(8080)),
        exception("B", "www", "EXP001", Some(8081)),
        exception("C", "other", "EXP001", Some(8080)),
        exception("D", "www", "EXP001", None),
    ] {
        let judgement = rig(vec![other], true).judge();
        assert_eq!((judgement.tcp(HOST, 8080), judgement.exit()), (Verdict::Fail, 1));
    }
}

#[test]
fn an_unused_exception_is_said_of_complete_runs_only() {
    assert_eq!(rig(vec![ex9()], false).judge().rules(), ["EXC002"]);
    let mut partial = rig(vec![ex9()], false);
    partial.partial = true;
    assert_eq!(partial.judge().rules(), ["EXP012"]);
    let mut narrowed = rig(vec![ex9()], false);
    narrowed.narrowed = true;
    assert!(narrowed.judge().findings.is_empty());
    let undetermined = rig(vec![ex9()], false).fill(HOST, State::Unknown).judge();
    assert_eq!(undetermined.rules(), ["EXP012"]);
    let mut deselected = rig(vec![ex9()], false).with_lively_host();
    deselected.selection.only = vec!["lively".to_owned()];
    assert!(deselected.judge().findings.is_empty());
    let closed = rig(vec![exception("T", "www", "EXP005", Some(443))], false);
    assert_eq!(closed.judge().rules(), ["EXC002"], "nobody answers there");
}

#[test]
fn too_long_and_self_approved_exceptions() {
    let mut long = rig(vec![ex9()], true);
    long.manifest.policy = Policy { max_exception_days: Some(21), ..Policy::default() };
    let judgement = long.judge();
    assert_eq!(judgement.only("EXC003").expected, "at most 21 days, until 2026-11-22");
    let mut right = rig(vec![ex9()], true);
    right.manifest.policy.max_exception_days = Some(22);
    assert_eq!(right.judge().rules(), ["EXP001"]);

    let own = Exception { approved_by: Some("Web Team".to_owned()), ..ex9() };
    assert_eq!(rig(vec![own], true).judge().only("EXC004").target, Some(0));
    let nobody = Exception { approved_by: None, ..ex9() };
    assert_eq!(rig(vec![nobody.clone()], true).judge().rules(), ["EXP001"]);
    let placeholder = Exception { approved_by: Some(" todo: ask the board".to_owned()), ..ex9() };
    for nobody in [nobody, placeholder] {
        let mut four_eyes = rig(vec![nobody], true);
        four_eyes.manifest.policy.four_eyes = true;
        assert_eq!(four_eyes.judge().only("EXC004").observed, "no approver");
    }
}

#[test]
fn overdue_reviews() {
    let overdue = |due| {
        let mut rig = rig(vec![], false).see(HOST, 443, State::Open);
        rig.manifest.targets[0].expose =
            vec![Expose { review_by: Some(due), ..expose("443/tcp", Presence::Required) }];
        rig.judge().rules()
    };
    assert!(overdue(TODAY).is_empty(), "the day itself is in time");
    assert_eq!(overdue(TODAY.yesterday().unwrap()), ["EXP013"]);

    let manifest = |last| {
        let mut rig = rig(vec![], false);
        rig.manifest.metadata.last_review = Some(last);
        rig.manifest.metadata.review_every = Some(Duration::from_hours(30 * 24));
        rig.judge().rules()
    };
    assert!(manifest(date(2026, 10, 24)).is_empty());
    assert_eq!(manifest(date(2026, 10, 23)), ["EXP013"]);
}

#[test]
fn paperwork_warns_fails_under_a_policy_and_is_silenced_by_allow() {
    let lint = || Lint {
        rule: "MAN002",
        target: Some("www".to_owned()),
        subject: None,
        place: place(4),
        message: "target www has no owner".to_owned(),
    };
    let with = |change: &dyn Fn(&mut Rig)| {
        let mut rig = rig(vec![], false);
        rig.manifest.lints = vec![lint(), Lint { place: place(40), ..lint() }];
        change(&mut rig);
        rig.judge()
    };
    let warned = with(&|_| {});
    assert_eq!((warned.rules(), warned.exit()), (vec!["MAN002", "MAN002"], 0));
    assert!(warned.findings.iter().all(|finding| finding.level == Level::Warn));
    assert!(!warned.outcome.deviates);
    let policy = with(&|rig| rig.manifest.policy.place = Some(place(50)));
    assert_eq!((policy.findings[0].verdict, policy.exit()), (Verdict::Fail, 1));
    let denied = with(&|rig| _ = rig.levels.insert("MAN002", Level::Deny));
    assert_eq!(denied.exit(), 1);
    let quiet = with(&|rig| _ = rig.levels.insert("MAN002", Level::Allow));
    assert!(quiet.findings.is_empty());
}
