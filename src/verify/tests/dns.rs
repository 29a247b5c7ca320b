//! Names: no address, no answer, unexpected addresses, chains that leave the scope.

use super::rig::*;
use crate::{
    model::*,
    spec::{manifest::*, plan, resolution::DnsOutcome},
};

const NAME: &str = "www.example.com";

fn www(required: bool) -> Target {
    let mut www = target("www", &[NAME]);
    if required {
        www.expose.push(expose("443/tcp", Presence::Required));
    }
    www
}

fn resolved(www: Target, v4: (DnsOutcome, &[&str]), v6: (DnsOutcome, &[&str])) -> Rig {
    let mut rig = Rig::new(vec![www]);
    rig.resolution.answers =
        vec![answer(NAME, Family::Ipv4, v4.0, v4.1), answer(NAME, Family::Ipv6, v6.0, v6.1)];
    for address in v4.1.iter().chain(v6.1) {
        rig = rig.fill(address, State::Closed).see(address, 443, State::Open);
    }
    rig
}

use DnsOutcome::{Answered, NoData, NxDomain, ServFail, Timeout};

#[test]
fn a_required_name_without_an_address_fails() {
    for outcomes in [(NxDomain, NxDomain), (NoData, NoData)] {
        let judgement = resolved(www(true), (outcomes.0, &[]), (outcomes.1, &[])).judge();
        let finding = judgement.only("EXP003");
        assert_eq!((finding.cause, finding.verdict), (Some("unresolved"), Verdict::Fail));
        assert_eq!(judgement.exit(), 1);
    }
}

#[test]
fn a_name_without_an_address_that_requires_nothing_is_in_doubt() {
    let judgement = resolved(www(false), (NxDomain, &[]), (NxDomain, &[])).judge();
    assert_eq!((judgement.rules(), judgement.exit()), (vec!["EXP010"], 3));
    let mut dark = www(false);
    dark.expect_dark = Some(true);
    assert!(resolved(dark, (NxDomain, &[]), (NxDomain, &[])).judge().findings.is_empty());
}

#[test]
fn a_server_that_fails_is_no_answer() {
    for (v4, v6) in [(ServFail, NoData), (NoData, Timeout), (ServFail, ServFail)] {
        let judgement = resolved(www(true), (v4.clone(), &[]), (v6.clone(), &[])).judge();
        assert_eq!(judgement.only("EXP003").verdict, Verdict::Inconclusive);
        assert_eq!(judgement.exit(), 3);
        assert_eq!(resolved(www(false), (v4, &[]), (v6, &[])).judge().rules(), ["EXP012"]);
    }
}

#[test]
fn a_broken_family_beside_a_working_one_is_said_plainly() {
    let judgement = resolved(www(true), (Answered, &["198.51.100.1"]), (ServFail, &[])).judge();
    let finding = judgement.only("EXP012");
    assert!(finding.observed.starts_with("AAAA: could not be resolved"), "{}", finding.observed);
    assert_eq!(judgement.exit(), 3);
    assert!(resolved(www(true), (Answered, &["198.51.100.1"]), (NoData, &[])).judge().findings.is_empty());
}

#[test]
fn doubt_about_a_name_that_planned_nothing_survives_being_allowed() {
    let mut rig = resolved(www(false), (ServFail, &[]), (ServFail, &[]));
    rig.levels.insert("EXP012", Level::Allow);
    let judgement = rig.judge();
    assert_eq!((judgement.planned, judgement.findings.len(), judgement.exit()), (0, 0, 3));
}

#[test]
fn a_family_that_the_operator_left_out_is_no_doubt() {
    let mut rig = Rig::new(vec![www(true)]);
    rig.selection.families = Some(vec![Family::Ipv4]);
    rig.resolution.answers = vec![answer(NAME, Family::Ipv4, Answered, &["198.51.100.1"])];
    let rig = rig.fill("198.51.100.1", State::Closed).see("198.51.100.1", 443, State::Open);
    assert!(rig.judge().findings.is_empty());
}

#[test]
fn addresses_that_nobody_listed_and_listed_ones_that_are_gone() {
    let mut www = www(true);
    www.expect_dns = vec![ip("198.51.100.1"), ip("198.51.100.2")];
    let judgement = resolved(www, (Answered, &["198.51.100.1", "198.51.100.9"]), (NoData, &[])).judge();
    let [extra, gone] = [&judgement.findings[0], &judgement.findings[1]];
    assert_eq!((extra.rule.id, extra.severity, extra.verdict), ("EXP009", Severity::Medium, Verdict::Fail));
    assert_eq!(extra.addresses, [ip("198.51.100.9")]);
    assert_eq!((gone.rule.id, gone.severity, gone.cause), ("EXP009", Severity::Low, Some("missing_address")));
    assert!(gone.message.contains("198.51.100.2"));
}

#[test]
fn a_listed_address_is_not_gone_while_dns_fails() {
    let mut www = www(true);
    www.expect_dns = vec![ip("198.51.100.1"), ip("2001:db8::1")];
    let judgement = resolved(www, (Answered, &["198.51.100.1"]), (ServFail, &[])).judge();
    assert_eq!(judgement.rules(), ["EXP012"]);
}

#[test]
fn what_leaves_the_scope_is_named_and_what_was_not_probed() {
    let scope = |rig: &mut Rig| {
        rig.manifest.authorization.scope.entries =
            vec![ScopeEntry::Name(NamePattern::Exact(NAME.to_owned()))];
    };
    let mut leaving = resolved(www(true), (Answered, &["198.51.100.1"]), (NoData, &[]));
    leaving.resolution.answers[0].chain = vec!["x.cdn.test".to_owned()];
    scope(&mut leaving);
    let judgement = leaving.judge();
    assert_eq!(judgement.only("EXP009").cause, Some("leaves_scope"));
    assert!(judgement.only("EXP009").message.contains("only declared ports were probed"));

    let mut private = resolved(www(true), (Answered, &["10.0.0.1", "198.51.100.1"]), (NoData, &[]));
    scope(&mut private);
    let judgement = private.judge();
    let finding = judgement.only("EXP009");
    assert_eq!((finding.cause, finding.verdict), (Some("outside_scope"), Verdict::Fail));
    assert!(finding.message.contains("10.0.0.1 was not probed"), "{}", finding.message);
}

#[test]
fn in_a_run_in_which_nobody_answered_a_name_without_address_is_only_in_doubt() {
    let mut rig = resolved(www(true), (NxDomain, &[]), (NxDomain, &[]));
    rig.manifest.targets.push(target("silent", &["192.0.2.50"]));
    let judgement = rig.fill("192.0.2.50", State::Filtered).judge();
    assert_eq!(judgement.exit(), 3);
    assert_eq!(judgement.only("EXP003").verdict, Verdict::Inconclusive);
}

#[test]
fn what_is_required_over_a_family_that_the_name_lacks_is_missing() {
    let mut only6 = www(true);
    only6.expose[0].families = vec![Family::Ipv6];
    let judgement =
        resolved(only6.clone(), (Answered, &["203.0.113.10"]), (NoData, &[])).with_lively_host().judge();
    let finding = judgement.only("EXP003");
    assert_eq!((finding.cause, finding.verdict), (Some("unresolved"), Verdict::Fail));
    assert_eq!(judgement.exit(), 1);
    // The other family failed: that is doubt, and said once.
    let judgement = resolved(only6.clone(), (Answered, &["203.0.113.10"]), (ServFail, &[])).judge();
    assert!(judgement.rules().contains(&"EXP012") && !judgement.rules().contains(&"EXP003"));
    // The operator left the family out.
    let mut rig = resolved(only6, (Answered, &["203.0.113.10"]), (NoData, &[]));
    rig.selection.families = Some(vec![Family::Ipv4]);
    assert!(!rig.judge().rules().contains(&"EXP003"));
}

#[test]
fn a_required_name_at_an_address_that_the_manifest_excludes_is_not_covered() {
    let unseen = || {
        let mut rig = resolved(www(true), (Answered, &["203.0.113.10"]), (NoData, &[]));
        rig.observations.clear();
        rig.fill.clear();
        rig
    };
    let mut rig = unseen();
    rig.selection.exclude = vec![ScopeEntry::Block("203.0.113.10/32".parse().unwrap())];
    let judgement = rig.judge();
    assert!(judgement.findings.is_empty(), "the operator's word is no doubt");
    assert_eq!(judgement.exit(), 3, "and a run that planned nothing shows nothing");
    let mut rig = unseen();
    rig.manifest.authorization.scope.exclude = vec![ScopeEntry::Block("203.0.113.10/32".parse().unwrap())];
    let judgement = rig.judge();
    assert_eq!(judgement.only("EXP012").cause, Some("excluded"));
    assert_eq!(judgement.exit(), 3);
}

#[test]
fn what_a_block_requires_and_closer_targets_take_away_is_not_covered() {
    let mut block = target("block", &["203.0.113.10/31"]);
    block.expose.push(expose("443/tcp", Presence::Required));
    let single = target("single", &["203.0.113.10", "203.0.113.11"]);
    let judgement = Rig::new(vec![block, single])
        .fill("203.0.113.10", State::Closed)
        .fill("203.0.113.11", State::Closed)
        .judge();
    assert_eq!(judgement.only("EXP012").cause, Some("shadowed"));
    assert_eq!(judgement.exit(), 3);
}

#[test]
fn a_name_at_a_private_address_without_a_written_scope_is_in_doubt_and_says_the_cure() {
    let mut rig = resolved(www(true), (Answered, &["127.0.0.1"]), (NoData, &[]));
    rig.manifest.authorization.implied = true;
    rig.manifest.authorization.scope.entries = vec![ScopeEntry::Name(NamePattern::Exact(NAME.to_owned()))];
    rig.observations.clear();
    rig.fill.clear();
    let judgement = rig.judge();
    let finding = judgement.only("EXP012");
    assert_eq!(finding.cause, Some("special_address"));
    assert!(finding.remedy.contains("--expect PORTS 127.0.0.1"), "{}", finding.remedy);
    assert_eq!((judgement.rules(), judgement.exit()), (vec!["EXP012"], 3));
}

#[test]
fn an_ipv4_address_inside_an_aaaa_record_is_not_asked_where_ipv4_is_left_out() {
    let rig = || {
        let mut rig = resolved(www(true), (NoData, &[]), (Answered, &["203.0.113.10"]));
        rig.selection.families = Some(vec![Family::Ipv6]);
        rig.observations.clear();
        rig.fill.clear();
        rig
    };
    let plan = rig().plan();
    assert!(plan.groups.is_empty());
    assert_eq!(plan.refused[0].why, Refusal::Mapped);
    assert_ne!(rig().judge().exit(), 0);
}

#[test]
fn a_vantage_that_nothing_names_is_refused_without_a_map_of_vantages_too() {
    let mut www = www(true);
    www.expose[0].from = vec!["office".to_owned()];
    let mut rig = Rig::new(vec![www]);
    let planned = |rig: &Rig, vantage: &str| {
        let selection = plan::Selection { vantage: Some(vantage.to_owned()), ..plan::Selection::default() };
        plan::plan(&rig.manifest, &rig.resolution, &selection, &|_: &Target, _| PortSet::NONE)
    };
    assert!(planned(&rig, "office").is_ok());
    let wrong = planned(&rig, "ofice").unwrap_err().to_string();
    assert!(wrong.contains("did you mean `office`?"), "{wrong}");
    rig.manifest.targets[0].expose[0].from.clear();
    assert!(planned(&rig, "anything").is_ok(), "nothing depends on it");
}
