//! What a run may say of a policy's controls: evidence for, evidence against, or that it is not known.

use std::time::Duration;

use jiff::civil::date;

use super::rig::*;
use crate::{
    identify::{Guard, Portrait, Shown},
    model::*,
    spec::{
        manifest::*,
        profile::{PolicyProfile, Profiles, Support},
    },
    verify::*,
};

const HOST: &str = "192.0.2.10";

fn named(name: &str) -> PolicyProfile {
    Profiles::builtin().unwrap().policy(name).unwrap().clone()
}

/// A host with 443 declared and in order, every TCP port and some UDP asked from outside, a report before this one,
/// under PCI DSS.
fn rig() -> Rig {
    let mut www = target("www", &[HOST]);
    www.tcp = PortSet::all();
    www.udp = PortSet::parse("53,500").unwrap();
    let reviewed = Expose { review_by: Some(date(2027, 1, 1)), ..expose("443/tcp", Presence::Required) };
    www.expose = vec![reviewed];
    let mut rig = Rig::new(vec![www]).fill(HOST, State::Closed).see(HOST, 443, State::Open);
    let endpoint = Endpoint { address: ip(HOST), protocol: Protocol::Tcp, port: 443 };
    let shown = Shown { service: "http", identity: None, banner: None, guard: Guard::default() };
    rig.portraits.insert(endpoint, Portrait { shown: Some(shown), encrypted: true, ..Portrait::default() });
    rig.manifest.policy =
        Policy { uses: vec![named("pci-dss-4.0.1")], place: Some(place(50)), ..Policy::default() };
    rig.manifest.vantage = Some("internet".to_owned());
    rig.manifest.vantages.insert("internet".to_owned(), Vantage::default());
    rig.udp = true;
    rig.sources = vec![ip("198.51.100.4")];
    rig.previous = Some((timestamp("2026-11-01T02:00:00Z"), vec![]));
    rig
}

fn timestamp(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The same under other policies, at most a month after the run before.
fn under(names: &[&str]) -> Rig {
    let mut rig = rig();
    rig.manifest.policy.uses = names.iter().map(|name| named(name)).collect();
    rig.manifest.policy.max_age = Some(Duration::from_hours(31 * 24));
    rig
}

/// The same under a policy of one control.
fn house(control: &str) -> Rig {
    let text = format!(
        "policy: x\nframework: x\ntitle: Ours\nedition: '1'\ndescription: Ours.\ncontrols:\n- {{id: a, asks: A., also: B., {control}}}\n"
    );
    let mut profiles = Profiles::builtin().unwrap();
    profiles.overlay("policies/x.yaml", &text).unwrap();
    let mut rig = rig();
    rig.manifest.policy.uses = vec![profiles.policy("x").unwrap().clone()];
    rig
}

/// What the first control of the first policy comes to.
fn only(rig: Rig) -> ControlJudgement {
    rig.judge().compliance[0].controls[0].clone()
}

fn control(judgement: &Judgement, id: &str) -> ControlJudgement {
    within(judgement, 0, "pci-dss-4.0.1", id)
}

fn within(judgement: &Judgement, place: usize, policy: &str, id: &str) -> ControlJudgement {
    let policy = named(policy);
    let i = policy.controls.iter().position(|control| control.id == id).unwrap();
    judgement.compliance[place].controls[i].clone()
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
    let because = control(&judgement, "1.4.2").because.join(" ");
    assert!(
        because.contains("Tried: EXP001 on 65,537 endpoints.") && because.contains("EXP002, EXP008, EXP014")
    );
    assert!(because.contains("Of UDP only some ports"), "{because}");
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
    let rig = || {
        let mut rig = rig();
        rig.manifest.targets[0].expose[0].insecure = true;
        rig.manifest.targets[0].expose[0].security_features = Some("the VPN".to_owned());
        rig
    };
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

/// A manifest with ports, owners and nothing else.
fn bare(names: &[&str]) -> Rig {
    let mut rig = under(names);
    rig.manifest.targets[0].expose[0].review_by = None;
    rig
}

#[test]
fn what_the_manifest_does_not_speak_of_is_not_supported_by_its_silence() {
    let policies = ["pci-dss-4.0.1", "nist-sp-800-53-r5", "cis-controls-8.1", "iso-27001-2022"];
    let judgement = bare(&policies).judge();
    assert_eq!(judgement.exit(), 0, "{:?}", judgement.rules());
    for (place, id, why) in [
        (0, "1.2.6", "does not use expose.insecure"),
        (0, "1.2.7", "uses none of metadata.review, expose.review_by"),
        (0, "2.2.5", "does not use expose.insecure"),
        (1, "SC-7(4)", "does not use exceptions.expires"),
        (1, "CM-6", "uses none of targets.closed_state, expose.tls"),
        (2, "12", "uses none of targets.profiles, expose.from"),
        (3, "A.8.21", "uses none of expose.service, expose.tls"),
    ] {
        let found = within(&judgement, place, policies[place], id);
        assert_eq!(found.status, Status::Undetermined, "{id} {:?}", found.because);
        assert!(found.because.iter().any(|reason| reason.contains(why)), "{id} {:?}", found.because);
    }
    let mut spoken = bare(&policies);
    spoken.manifest.exceptions = vec![exception("EX-9", "www", "EXP001", Some(8080))];
    spoken.manifest.targets[0].closed_state = ClosedState::Closed;
    let spoken = spoken.judge();
    assert_eq!(within(&spoken, 1, policies[1], "CM-6").status, Status::Supported);
}

#[test]
fn a_rule_that_was_tried_on_nothing_supports_nothing() {
    let exceptions = "support: full, rules: [EXC001, EXC004], fields: [exceptions.expires]";
    let found = only(house(exceptions));
    assert_eq!(found.status, Status::Undetermined);
    assert_eq!(
        found.because,
        ["None of its rules was tried on anything. The manifest uses none of exceptions.expires."]
    );
    let mut excepted = house(exceptions);
    excepted.manifest.exceptions = vec![exception("EX-9", "www", "EXP001", Some(8080))];
    let excepted = only(excepted);
    assert_eq!(excepted.status, Status::Supported);
    assert!(excepted.because.contains(&"Tried: EXC001, EXC004 on 1 exception.".to_owned()));
    // What the policy itself sets is no evidence.
    let limits = only(house("support: full, rules: [EXC003], fields: [policy.max_exception_days]"));
    assert_eq!(limits.status, Status::Undetermined);
}

#[test]
fn a_control_about_all_ports_is_undetermined_where_udp_was_not_asked_and_never_supported_in_full() {
    let all = "support: full, rules: [EXP003], needs: [tcp, udp]";
    let found = only(house(all));
    assert_eq!((found.status, found.support), (Status::Supported, Support::Partial), "{:?}", found.because);
    assert_eq!(only(house("support: full, rules: [EXP003]")).support, Support::Full);
    for ask in [PortSet::NONE, PortSet::single(161)] {
        let mut mute = house(all);
        mute.manifest.targets[0].udp = ask.clone();
        mute.manifest.targets[0].deny = vec![deny("161/udp")];
        let mute = only(mute);
        assert_eq!(mute.status, Status::Undetermined, "{ask}");
        assert!(mute.because[0].contains("UDP was not asked of 1 target"), "{:?}", mute.because);
    }
    let mut narrow = house(all);
    narrow.manifest.targets[0].tcp = PortSet::parse("1-1000").unwrap();
    assert!(only(narrow).because[0].contains("Not every TCP port was asked of 1 target"));
    // Said of what looks for the undeclared, whether or not a policy asks for it.
    let mut narrow = house("support: full, rules: [EXP001]");
    narrow.manifest.targets[0].tcp = PortSet::parse("1-1000").unwrap();
    assert_eq!(only(narrow).status, Status::Undetermined);
}

#[test]
fn watching_over_time_is_shown_by_a_report_that_follows_another_in_time() {
    let policies = ["nist-sp-800-53-r5", "cis-controls-8.1", "soc2-2017"];
    let ids = [(0, "CA-7"), (0, "RA-5"), (1, "7.6"), (2, "CC7.1")];
    let all = |rig: Rig, status: Status, why: &str| {
        let judgement = rig.judge();
        for (place, id) in ids {
            let found = within(&judgement, place, policies[place], id);
            assert_eq!(found.status, status, "{id} {:?}", found.because);
            assert!(found.because.iter().any(|reason| reason.contains(why)), "{id} {:?}", found.because);
        }
    };
    all(under(&policies), Status::Supported, "Tried");
    let with = |previous| Rig { previous, ..under(&policies) };
    all(with(None), Status::Undetermined, "follows no earlier one");
    let late = timestamp("2026-10-01T02:00:00Z");
    all(with(Some((late, vec![]))), Status::Undetermined, "longer ago than the 31 days");
    let odd = vec!["it is about shop, this one about edge".to_owned()];
    all(with(Some((timestamp("2026-11-01T02:00:00Z"), odd))), Status::Undetermined, "about shop");
}

#[test]
fn what_is_about_the_outside_needs_a_vantage_that_is_named_and_not_the_machine_itself() {
    let why = |change: &dyn Fn(&mut Rig), words: &str| {
        let mut rig = under(&["pci-dss-4.0.1", "cis-controls-8.1"]);
        change(&mut rig);
        let judgement = rig.judge();
        for (place, policy, id) in
            [(0, "pci-dss-4.0.1", "1.4.2"), (0, "pci-dss-4.0.1", "11.3.2.1"), (1, "cis-controls-8.1", "7.6")]
        {
            let found = within(&judgement, place, policy, id);
            let said = found.because.iter().any(|reason| reason.contains(words));
            assert!(found.status == Status::Undetermined && said, "{id} {:?}", found.because);
        }
        assert_eq!(status(&judgement, "2.2.4"), Status::Supported, "not about the outside");
    };
    why(&|rig| rig.manifest.vantage = None, "No vantage is named");
    why(&|rig| rig.sources = vec![ip("127.0.0.1")], "asked from 127.0.0.1");
    why(&|rig| rig.sources = vec![ip("198.51.100.4"), ip("::ffff:127.0.0.1")], "the scanned machine itself");
    why(&|rig| rig.sources.clear(), "is not known");
    let declared = |rig: &mut Rig, source: &str| {
        rig.sources.clear();
        rig.manifest.vantages.get_mut("internet").unwrap().sources = vec![ip(source)];
    };
    why(&|rig| declared(rig, "::1"), "asked from ::1");
    let mut elsewhere = rig();
    declared(&mut elsewhere, "198.51.100.4");
    assert_eq!(status(&elsewhere.judge(), "1.4.2"), Status::Supported);
}

#[test]
fn what_is_dated_in_the_future_supports_no_control_and_on_its_day_it_does() {
    let policies = ["pci-dss-4.0.1", "iso-27001-2022", "nist-sp-800-53-r5"];
    let tomorrow = TODAY.tomorrow().unwrap();
    let ruled = |id: &str, day| {
        let mut rig = under(&policies);
        let entry = &mut rig.manifest.targets[0].expose[0];
        let mut paper = exception("EX-9", "www", "EXP001", Some(8080));
        match id {
            "1.2.5" => (entry.approved_by, entry.approved_on) = (Some("board".to_owned()), Some(day)),
            "CM-6" => {
                (paper.approved_on, paper.expires) = (Some(day), date(2027, 1, 1));
                rig.manifest.exceptions = vec![paper];
                rig.manifest.targets[0].closed_state = ClosedState::Closed;
            }
            _ => {
                rig.manifest.metadata.last_review = Some(day);
                rig.manifest.metadata.review_every = Some(Duration::from_hours(180 * 24));
            }
        }
        rig.judge()
    };
    for (place, id, words) in [
        (0, "1.2.7", "The manifest is said to have been reviewed"),
        (1, "A.8.9", "The manifest is said to have been reviewed"),
        (0, "1.2.5", "443/tcp of target www is said to have been approved"),
        (2, "CM-6", "Exception EX-9 is said"),
    ] {
        let found = |day| within(&ruled(id, day), place, policies[place], id);
        let ahead = found(tomorrow);
        assert_eq!(ahead.status, Status::Undetermined, "{id} {:?}", ahead.because);
        let said = ahead.because.iter().find(|reason| reason.starts_with(words)).unwrap();
        assert!(said.contains("on 2026-11-24, which was yet to come on 2026-11-23"), "{said}");
        assert_eq!(found(TODAY).status, Status::Supported, "{id} {:?}", found(TODAY).because);
    }
}

#[test]
fn the_day_that_the_operator_named_is_said_of_every_control_that_a_run_can_show() {
    let mut rig = rig();
    rig.named_day = Some(TODAY);
    let mut missing = rig.see(HOST, 8080, State::Open);
    missing.manifest.targets[0].stores_cardholder_data = true;
    let judgement = missing.judge();
    let words = "Paperwork was judged as of 2026-11-23 (--at).";
    for id in ["1.2.5", "1.2.6", "1.2.7", "1.4.4"] {
        let because = control(&judgement, id).because;
        assert_eq!(because.last().map(String::as_str), Some(words), "{id}");
    }
    assert_eq!(control(&judgement, "11.3.2").because.len(), 1, "no day makes it the vendor's scan");
}
