//! The exposure rules, each with its causes.

use super::rig::*;
use crate::{model::*, spec::manifest::*, verify::*};

const HOST: &str = "192.0.2.10";

fn www() -> Target {
    let mut www = target("www", &[HOST]);
    www.expose.push(expose("443/tcp", Presence::Required));
    www
}

fn rig(www: Target) -> Rig {
    Rig::new(vec![www]).fill(HOST, State::Closed).see(HOST, 443, State::Open)
}

#[test]
fn exactly_what_is_declared_conforms() {
    let judgement = rig(www()).fill(HOST, State::Filtered).judge();
    assert!(judgement.findings.is_empty(), "{:?}", judgement.findings);
    assert_eq!(judgement.verdicts.pass, 1001);
    assert_eq!((judgement.exit(), judgement.outcome.deviates), (0, false));
}

#[test]
fn an_unexpected_port_fails_and_says_where_and_what_to_do() {
    let judgement = rig(www()).see(HOST, 80, State::Open).judge();
    let finding = judgement.only("EXP001");
    assert_eq!((finding.verdict, finding.severity, finding.port), (Verdict::Fail, Severity::High, Some(80)));
    assert_eq!(finding.addresses, [ip(HOST)]);
    assert!(finding.remedy.contains("ss -ltnp 'sport = :80'"), "{}", finding.remedy);
    assert_eq!(finding.observed, "open: 2 completed handshakes, 1.2 s apart");
    assert_eq!(judgement.exit(), 1);
}

#[test]
fn severity_follows_the_port_the_data_and_the_target() {
    let severity = |change: &dyn Fn(&mut Target), port| {
        let mut www = www();
        change(&mut www);
        rig(www).see(HOST, port, State::Open).judge().only("EXP001").severity
    };
    assert_eq!(severity(&|_| {}, 6379), Severity::Critical);
    assert_eq!(severity(&|t| t.criticality = Criticality::High, 80), Severity::Critical);
    assert_eq!(severity(&|t| t.criticality = Criticality::Low, 80), Severity::Medium);
    assert_eq!(severity(&|t| t.criticality = Criticality::Low, 6379), Severity::High);
    assert_eq!(
        severity(&|t| (t.stores_cardholder_data, t.criticality) = (true, Criticality::Low), 80),
        Severity::Critical
    );
}

#[test]
fn a_port_seen_open_once_is_unexpected_and_in_doubt() {
    let mut once = rig(www()).see(HOST, 80, State::Open);
    once.observations[1].looks.pop();
    let judgement = once.judge();
    let finding = judgement.only("EXP001");
    assert_eq!((finding.verdict, finding.cause), (Verdict::Inconclusive, Some("not_confirmed")));
    assert_eq!((judgement.tcp(HOST, 80), judgement.exit()), (Verdict::Inconclusive, 3));

    let mut never = rig(www()).see(HOST, 80, State::Open);
    never.observations[1].looks.clear();
    assert_eq!(never.judge().only("EXP001").cause, Some("handshake_not_completed"));
}

#[test]
fn a_syn_ack_alone_is_neither_a_pass_nor_a_forbidden_port() {
    let mut required = rig(www());
    required.observations[0].looks.clear();
    let judgement = required.judge();
    let finding = judgement.only("EXP003");
    assert_eq!((finding.verdict, finding.cause), (Verdict::Inconclusive, Some("handshake_not_completed")));
    assert_eq!(judgement.tcp(HOST, 443), Verdict::Inconclusive);

    let mut www = www();
    www.deny.push(deny("80/tcp"));
    let mut denied = rig(www).see(HOST, 80, State::Open);
    denied.observations[1].looks.clear();
    assert_eq!(denied.judge().only("EXP002").verdict, Verdict::Inconclusive);
}

#[test]
fn unlisted_warn_keeps_the_finding_and_does_not_fail() {
    let mut www = www();
    www.unlisted = Unlisted::Warn;
    let warned = || rig(www.clone()).see(HOST, 80, State::Open);
    let judgement = warned().judge();
    let finding = judgement.only("EXP001");
    assert_eq!((finding.verdict, finding.level, judgement.exit()), (Verdict::Pass, Level::Warn, 0));
    let mut strict = warned();
    strict.levels.insert("EXP001", Level::Deny);
    let judgement = strict.judge();
    assert_eq!((judgement.tcp(HOST, 80), judgement.exit()), (Verdict::Fail, 1));
}

#[test]
fn two_addresses_of_one_name_share_a_finding() {
    let mut www = www();
    www.hosts = vec![host("www.example.com")];
    let mut rig = Rig::new(vec![www]);
    rig.resolution.answers = vec![
        answer(
            "www.example.com",
            Family::Ipv4,
            crate::spec::resolution::DnsOutcome::Answered,
            &["192.0.2.1", "192.0.2.2"],
        ),
        answer(
            "www.example.com",
            Family::Ipv6,
            crate::spec::resolution::DnsOutcome::Answered,
            &["2001:db8::1"],
        ),
    ];
    for address in ["192.0.2.1", "192.0.2.2", "2001:db8::1"] {
        rig = rig.fill(address, State::Closed).see(address, 443, State::Open).see(address, 80, State::Open);
    }
    let judgement = rig.judge();
    let finding = judgement.only("EXP001");
    assert_eq!(finding.addresses.len(), 3);
    assert_eq!((finding.family, finding.host.as_deref()), (None, Some("www.example.com")));
    assert!(finding.message.contains("Addresses: 192.0.2.1, 192.0.2.2, 2001:db8::1."), "{}", finding.message);
    assert_eq!(judgement.verdicts.fail, 3);
}

#[test]
fn two_addresses_of_one_block_do_not() {
    let spare = target("spare", &["192.0.2.32/30"]);
    let mut rig = Rig::new(vec![spare]);
    for i in 32..36 {
        rig = rig.fill(&format!("192.0.2.{i}"), State::Filtered);
    }
    let judgement = rig.see("192.0.2.33", 22, State::Open).see("192.0.2.34", 22, State::Open).judge();
    assert_eq!(judgement.rules(), ["EXP001", "EXP001"]);
    assert_eq!(judgement.verdicts.pass_by_silence, 2 * 1001, "the other two are dark");
}

#[test]
fn a_forbidden_port_fails_by_the_target_and_by_its_role() {
    let mut www = www();
    www.deny.push(Deny {
        severity: Some(Severity::Medium),
        reason: Some("never public".to_owned()),
        ..deny("22/tcp")
    });
    www.profiles = vec!["web-server".to_owned()];
    let judgement = rig(www).see(HOST, 22, State::Open).see(HOST, 3306, State::Open).judge();
    assert_eq!(judgement.rules(), ["EXP002", "EXP002"]);
    let [role, own] = [&judgement.findings[0], &judgement.findings[1]];
    assert_eq!((role.port, role.severity), (Some(3306), Severity::High));
    assert!(role.expected.contains("role web-server"), "{}", role.expected);
    assert_eq!((own.port, own.severity), (Some(22), Severity::Medium));
    assert!(own.message.contains("never public"));
}

#[test]
fn the_targets_own_word_outranks_its_role_only_where_it_holds() {
    let mut www = www();
    www.profiles = vec!["web-server".to_owned()];
    www.expose.push(Expose { from: vec!["office".to_owned()], ..expose("3306/tcp", Presence::Optional) });
    let from = |vantage: &str| {
        let mut rig = rig(www.clone()).see(HOST, 3306, State::Open);
        rig.selection.vantage = Some(vantage.to_owned());
        rig.manifest.vantages = vantages();
        rig.judge().rules()
    };
    assert!(from("office").is_empty());
    assert_eq!(from("internet"), ["EXP002"]);
}

#[test]
fn an_entry_for_another_family_or_vantage_is_not_declared_here() {
    let mut www = www();
    www.expose.push(Expose { families: vec![Family::Ipv6], ..expose("80/tcp", Presence::Required) });
    www.expose.push(Expose { from: vec!["office".to_owned()], ..expose("22/tcp", Presence::Required) });
    let mut rig = rig(www).see(HOST, 80, State::Open).see(HOST, 22, State::Closed);
    rig.selection.vantage = Some("internet".to_owned());
    rig.manifest.vantages = vantages();
    let judgement = rig.judge();
    assert_eq!(judgement.only("EXP001").port, Some(80));
    assert_eq!(judgement.tcp(HOST, 22), Verdict::Pass, "not required from here");
}

#[test]
fn pooled_targets_required_by_any_and_denied_by_any() {
    let mut shop = target("shop", &[HOST]);
    shop.deny.push(deny("443/tcp"));
    let pooled = || vec![www(), shop.clone()];
    let open = Rig::new(pooled()).fill(HOST, State::Closed).see(HOST, 443, State::Open).judge();
    let finding = open.only("EXP002");
    assert!(finding.message.contains("Target www exposes the same port"), "{}", finding.message);
    assert_eq!((finding.target, &finding.also[..]), (Some(1), &[0][..]));
    let closed = Rig::new(pooled()).fill(HOST, State::Closed).judge();
    assert_eq!(closed.rules(), ["EXP003"], "a contradiction never passes");
}

#[test]
fn required_missing_says_which_side_to_look_at() {
    let cause = |state| {
        let judgement = Rig::new(vec![www()]).fill(HOST, State::Closed).see(HOST, 443, state).judge();
        let finding = judgement.only("EXP003");
        (finding.cause, finding.verdict, finding.place.clone().map(|place| place.line))
    };
    assert_eq!(cause(State::Closed), (Some("closed"), Verdict::Fail, Some(9)));
    assert_eq!(cause(State::Filtered), (Some("filtered"), Verdict::Fail, Some(9)));
}

#[test]
fn a_reset_that_arrives_otherwise_than_the_hosts_answers_is_said_to_be_from_the_way() {
    let message = |ttl: u8| {
        let mut rig = Rig::new(vec![www()]).fill(HOST, State::Closed).see(HOST, 22, State::Open).see(
            HOST,
            443,
            State::Closed,
        );
        for seen in &mut rig.observations {
            let ttl = if seen.endpoint.port == 443 { ttl } else { 57 };
            seen.looks.iter_mut().for_each(|look| look.ttl = Some(ttl));
        }
        let judgement = rig.judge();
        let finding = judgement.findings.iter().find(|finding| finding.rule.id == "EXP003").unwrap();
        assert_eq!((finding.cause, finding.verdict), (Some("closed"), Verdict::Fail));
        finding.message.clone()
    };
    assert!(
        message(61).contains("a time to live of 61, answers of open ports of the address arrive with 57"),
        "{}",
        message(61)
    );
    assert!(!message(57).contains("time to live"));
}

#[test]
fn a_silent_host_is_one_finding_for_all_that_is_required_there() {
    let mut www = www();
    www.expose.push(expose("80/tcp", Presence::Required));
    let judgement = Rig::new(vec![www]).with_lively_host().fill(HOST, State::Filtered).judge();
    assert_eq!(judgement.rules(), ["EXP003"]);
    let finding = judgement.only("EXP003");
    assert_eq!((finding.cause, finding.port, finding.verdict), (Some("host_silent"), None, Verdict::Fail));
    assert!(finding.message.contains("80/tcp, 443/tcp"), "{}", finding.message);
    assert_eq!((judgement.verdicts.fail, judgement.verdicts.inconclusive), (2, 999));
    assert_eq!(judgement.verdicts.pass, 1, "only the lively host's");
}

#[test]
fn an_exception_for_one_port_of_a_silent_host_reaches_no_further() {
    let mut www = www();
    www.expose.push(expose("80/tcp", Presence::Required));
    let mut rig = Rig::new(vec![www]).with_lively_host().fill(HOST, State::Filtered);
    rig.manifest.exceptions.push(exception("EX-1", "www", "EXP003", Some(80)));
    let judgement = rig.judge();
    assert_eq!((judgement.tcp(HOST, 80), judgement.tcp(HOST, 443)), (Verdict::Waived, Verdict::Fail));
    assert_eq!(judgement.rules(), ["EXP003", "EXP003"]);
    assert!(!judgement.findings[0].message.contains("80/tcp"));
    assert_eq!((judgement.findings[1].verdict, judgement.findings[1].exception), (Verdict::Waived, Some(0)));
    assert_eq!(judgement.exceptions[0].waived, 1);
}

#[test]
fn closed_state_and_written_darkness_are_violated_once_an_address() {
    let with = |closed: ClosedState, dark: Option<bool>, fill: State| {
        let mut www = target("www", &[HOST]);
        (www.closed_state, www.expect_dark) = (closed, dark);
        Rig::new(vec![www]).with_lively_host().see(HOST, 1, State::Closed).fill(HOST, fill).judge()
    };
    let judgement = with(ClosedState::Filtered, None, State::Closed);
    assert_eq!((judgement.only("EXP014").verdict, judgement.verdicts.fail), (Verdict::Fail, 1001));
    assert!(judgement.only("EXP014").observed.contains("1,001 ports refused"));
    let judgement = with(ClosedState::Closed, None, State::Filtered);
    assert_eq!((judgement.only("EXP014").cause, judgement.verdicts.fail), (Some("filtered"), 1000));
    let judgement = with(ClosedState::Any, Some(true), State::Filtered);
    assert_eq!((judgement.only("EXP014").cause, judgement.verdicts.fail), (Some("answered"), 1));
    assert!(with(ClosedState::Any, None, State::Filtered).findings.is_empty());
    assert!(with(ClosedState::Closed, None, State::Closed).findings.is_empty());
}

#[test]
fn what_is_accepted_of_a_named_port_is_not_accepted_of_those_that_are_only_counted() {
    let with = |port: Option<u16>, fill: State| {
        let mut www = target("www", &[HOST]);
        www.closed_state = ClosedState::Filtered;
        www.expose.push(expose("80/tcp", Presence::Optional));
        let mut rig = Rig::new(vec![www]).with_lively_host().see(HOST, 80, State::Closed).fill(HOST, fill);
        rig.manifest.exceptions = vec![exception("EX-1", "www", "EXP014", port)];
        rig.judge()
    };
    let judgement = with(Some(80), State::Closed);
    assert_eq!((judgement.only("EXP014").verdict, judgement.exit()), (Verdict::Fail, 1));
    let judgement = with(Some(80), State::Filtered);
    assert_eq!((judgement.only("EXP014").verdict, judgement.exit()), (Verdict::Waived, 0));
    let judgement = with(None, State::Closed);
    assert_eq!((judgement.only("EXP014").verdict, judgement.exit()), (Verdict::Waived, 0));
}

#[test]
fn families_that_differ_in_what_may_be_open_are_one_finding() {
    let mut www = www();
    www.hosts = vec![host("192.0.2.10"), host("2001:db8::10")];
    www.expose.push(expose("22/tcp", Presence::Optional));
    let both = |www: Target, v4: State, v6: State| {
        Rig::new(vec![www])
            .fill(HOST, State::Filtered)
            .fill("2001:db8::10", State::Filtered)
            .see(HOST, 443, State::Open)
            .see("2001:db8::10", 443, State::Open)
            .see(HOST, 22, v4)
            .see("2001:db8::10", 22, v6)
            .judge()
    };
    let judgement = both(www.clone(), State::Open, State::Filtered);
    assert_eq!(judgement.only("EXP008").observed, "only over ipv4: 22/tcp");
    assert_eq!(judgement.exit(), 1);
    assert!(both(www.clone(), State::Open, State::Open).findings.is_empty());
    assert_eq!(both(www.clone(), State::Open, State::Unknown).rules(), ["EXP012"], "not determined");
    www.expose[1].families = vec![Family::Ipv4];
    assert!(both(www, State::Open, State::Filtered).findings.is_empty(), "meant for one family");
}

#[test]
fn levels_soften_failures_and_never_doubt() {
    let open = |level: Option<Level>| {
        let mut rig = rig(www()).see(HOST, 80, State::Open);
        rig.levels.extend(level.map(|level| ("EXP001", level)));
        rig.judge()
    };
    let warned = open(Some(Level::Warn));
    assert_eq!((warned.only("EXP001").verdict, warned.exit()), (Verdict::Pass, 0));
    assert_eq!((warned.tcp(HOST, 80), warned.verdicts.waived), (Verdict::Waived, 1));
    let allowed = open(Some(Level::Allow));
    assert!(allowed.findings.is_empty());
    assert_eq!((allowed.tcp(HOST, 80), allowed.exit()), (Verdict::Waived, 0), "waived, never passed");

    let mut doubt = rig(www()).fill(HOST, State::Unknown);
    doubt.levels.insert("EXP012", Level::Allow);
    let doubt = doubt.judge();
    assert_eq!((doubt.findings.len(), doubt.exit()), (0, 3), "doubt stays doubt");
}

#[test]
fn fail_on_moves_the_exit_code_and_not_the_outcome() {
    let run = |fail_on| {
        let mut rig = rig(www()).see(HOST, 80, State::Open);
        rig.fail_on = fail_on;
        rig.judge().outcome
    };
    assert_eq!(run(FailOn::At(Severity::High)).exit_code(), 1);
    assert_eq!(run(FailOn::At(Severity::Critical)).exit_code(), 0);
    assert_eq!(run(FailOn::Never).exit_code(), 0);
    assert!(run(FailOn::Never).deviates);
}

fn vantages() -> BTreeMap<String, Vantage> {
    ["internet", "office"].map(|name| (name.to_owned(), Vantage::default())).into()
}
