//! What a run may say of a policy's controls: evidence for, evidence against, or that it is not known.

use super::rig::*;
use crate::{
    identify::{Guard, Portrait, Shown},
    model::*,
    spec::{
        manifest::*,
        profile::{PolicyProfile, Profiles},
    },
    verify::*,
};

const HOST: &str = "192.0.2.10";

fn named(name: &str) -> PolicyProfile {
    Profiles::builtin().unwrap().policy(name).unwrap().clone()
}

/// A host with 443 declared and in order, every TCP port asked, under PCI DSS.
fn rig() -> Rig {
    let mut www = target("www", &[HOST]);
    www.tcp = PortSet::all();
    www.expose = vec![expose("443/tcp", Presence::Required)];
    let mut rig = Rig::new(vec![www]).fill(HOST, State::Closed).see(HOST, 443, State::Open);
    let endpoint = Endpoint { address: ip(HOST), protocol: Protocol::Tcp, port: 443 };
    let shown = Shown { service: "http", identity: None, banner: None, guard: Guard::default() };
    rig.portraits.insert(endpoint, Portrait { shown: Some(shown), encrypted: true, ..Portrait::default() });
    rig.manifest.policy =
        Policy { uses: vec![named("pci-dss-4.0.1")], place: Some(place(50)), ..Policy::default() };
    rig
}

fn control(judgement: &Judgement, id: &str) -> ControlJudgement {
    let policy = named("pci-dss-4.0.1");
    let i = policy.controls.iter().position(|control| control.id == id).unwrap();
    judgement.compliance[0].controls[i].clone()
}

fn status(judgement: &Judgement, id: &str) -> Status {
    control(judgement, id).status
}

#[test]
fn a_clean_and_complete_run_supports_what_it_can_and_never_the_vendors_scan() {
    let judgement = rig().judge();
    assert_eq!(judgement.exit(), 0, "{:?}", judgement.rules());
    for id in ["1.2.5", "1.4.2", "2.2.4", "11.3.2.1"] {
        assert_eq!(status(&judgement, id), Status::Supported, "{id} {:?}", control(&judgement, id));
    }
    let vendors = control(&judgement, "11.3.2");
    assert_eq!((vendors.status, vendors.because.len()), (Status::Undetermined, 1));
}

#[test]
fn a_failing_finding_contradicts_the_controls_that_it_bears_on_and_no_other() {
    let judgement = rig().see(HOST, 8080, State::Open).judge();
    let found = control(&judgement, "1.2.5");
    assert_eq!(found.status, Status::Contradicted);
    assert_eq!(judgement.findings[found.findings[0]].rule.id, "EXP001");
    assert_eq!(status(&judgement, "1.2.7"), Status::Supported, "reviews are not late");
    let fail_never = {
        let mut rig = rig().see(HOST, 8080, State::Open);
        rig.fail_on = FailOn::Never;
        rig.judge()
    };
    assert_eq!((fail_never.exit(), status(&fail_never, "1.2.5")), (0, Status::Contradicted));
}

#[test]
fn paperwork_that_a_policy_asks_for_fails_and_contradicts() {
    let mut rig = rig();
    rig.manifest.lints = vec![Lint {
        rule: "MAN003",
        target: Some("www".to_owned()),
        subject: Some("443/tcp".to_owned()),
        place: place(9),
        message: "443/tcp has no justification".to_owned(),
    }];
    let judgement = rig.judge();
    assert_eq!((judgement.only("MAN003").verdict, judgement.exit()), (Verdict::Fail, 1));
    assert_eq!(status(&judgement, "1.2.5"), Status::Contradicted);
    assert_eq!(status(&judgement, "1.4.2"), Status::Supported);
}

#[test]
fn whatever_is_in_doubt_waived_or_left_out_is_undetermined() {
    let with = |change: &dyn Fn(&mut Rig)| {
        let mut rig = rig();
        change(&mut rig);
        rig.judge()
    };
    let why = |judgement: &Judgement, words: &str| {
        let found = control(judgement, "1.2.5");
        assert_eq!(found.status, Status::Undetermined, "{words} {:?}", judgement.rules());
        assert!(found.because.iter().any(|reason| reason.contains(words)), "{words} {:?}", found.because);
    };
    why(&with(&|rig| rig.partial = true), "partial");
    why(&with(&|rig| rig.narrowed = true), "left a part");
    why(&with(&|rig| _ = rig.levels.insert("EXP001", Level::Allow)), "EXP001 switched off");
    why(&with(&|rig| rig.manifest.targets[0].tcp = PortSet::parse("1-1000").unwrap()), "Not every TCP port");
    why(&rig().see(HOST, 8081, State::Unknown).judge(), "could not be determined");
    let mut waived = rig().see(HOST, 8080, State::Open);
    waived.manifest.exceptions = vec![exception("EX-9", "www", "EXP001", Some(8080))];
    why(&waived.judge(), "waived");
    let mut softened = rig().see(HOST, 8080, State::Open);
    softened.levels.insert("EXP001", Level::Warn);
    why(&softened.judge(), "only warns");
    let mut allowed = rig().see(HOST, 8080, State::Open);
    allowed.levels.insert("EXP001", Level::Allow);
    why(&allowed.judge(), "switched off");
}

#[test]
fn an_insecure_service_is_not_excluded_where_nobody_knows_who_answers() {
    let mut unknown = rig();
    unknown.portraits.clear();
    let unknown = unknown.judge();
    assert!(control(&unknown, "1.2.6").because[0].contains("not known what serves"));
    assert_eq!(status(&unknown, "1.2.6"), Status::Undetermined);
    assert_eq!(status(&rig().see(HOST, 23, State::Open).judge(), "1.2.6"), Status::Undetermined);
    assert_eq!(status(&rig().judge(), "1.2.6"), Status::Supported);
}

#[test]
fn a_control_about_card_data_is_about_the_targets_that_store_it() {
    let judgement = rig().judge();
    assert!(control(&judgement, "1.4.4").because[0].contains("No target"));
    assert_eq!(status(&judgement, "1.4.4"), Status::Undetermined);
    let elsewhere = rig().see(HOST, 8080, State::Open).judge();
    assert_eq!(status(&elsewhere, "1.4.4"), Status::Undetermined, "not a target with card data");
    let mut declared = rig();
    declared.manifest.targets[0].stores_cardholder_data = true;
    let declared = control(&declared.judge(), "1.4.4");
    assert_eq!(declared.status, Status::Undetermined);
    assert!(declared.because[0].contains("open on targets that store"), "{:?}", declared.because);
    let mut open = rig().see(HOST, 8080, State::Open);
    open.manifest.targets[0].stores_cardholder_data = true;
    assert_eq!(status(&open.judge(), "1.4.4"), Status::Contradicted);
}

#[test]
fn without_a_named_policy_nothing_is_said() {
    let mut own = rig();
    own.manifest.policy.uses.clear();
    assert!(own.judge().compliance.is_empty());
}
