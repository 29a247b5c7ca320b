//! What every built-in policy must hold, and what a policy of one's own may not.

use std::collections::BTreeSet;

use serde_json::Value;

use super::*;
use crate::spec::{MANIFEST_SCHEMA, profile::Profiles};

fn builtin() -> Profiles {
    Profiles::builtin().unwrap()
}

fn texts(policy: &PolicyProfile) -> Vec<&str> {
    let mut texts = vec![policy.title.as_str(), &policy.edition, &policy.description];
    texts.extend(policy.notes.iter().map(String::as_str));
    texts.extend(policy.controls.iter().flat_map(|control| [control.asks.as_str(), &control.also]));
    texts
}

#[test]
fn every_edition_and_control_that_was_promised_is_there() {
    let profiles = builtin();
    let promised: [(&str, &str, &[&str]); 7] = [
        ("cis-controls-8.1", "cis", &["4.4", "4.8", "7.6", "12", "13"]),
        ("dora-rts-2024-1774", "dora-rts", &["13"]),
        ("iso-27001-2022", "iso-27001", &["A.8.9", "A.8.20", "A.8.21"]),
        ("nis2-2024-2690", "nis2", &["6.7.2"]),
        (
            "nist-sp-800-53-r5",
            "nist-800-53",
            &["CM-7", "CM-7(1)", "SC-7", "SC-7(4)", "SC-7(5)", "CA-7", "RA-5", "CM-6", "CM-8"],
        ),
        (
            "pci-dss-4.0.1",
            "pci-dss",
            &["1.2.5", "1.2.6", "1.2.7", "1.2.8", "1.4.2", "1.4.4", "2.2.4", "2.2.5", "11.3.2", "11.3.2.1"],
        ),
        ("soc2-2017", "soc2", &["CC6.6", "CC7.1"]),
    ];
    let found: Vec<(&str, &str, Vec<&str>)> = profiles
        .policies()
        .map(|policy| {
            let ids = policy.controls.iter().map(|control| control.id.as_str()).collect();
            (policy.name.as_str(), policy.framework.as_str(), ids)
        })
        .collect();
    assert_eq!(found, promised.map(|(name, framework, ids)| (name, framework, ids.to_vec())));
}

#[test]
fn no_policy_claims_more_than_evidence() {
    for policy in builtin().policies() {
        for text in texts(policy) {
            let text = text.to_lowercase();
            for claim in ["complian", "complies", "certified", "guarantee", "conforms to"] {
                assert!(!text.contains(claim), "{}: {text}", policy.name);
            }
        }
    }
}

#[test]
fn a_scan_by_an_approved_vendor_is_never_taken_for_done() {
    let profiles = builtin();
    let policy = profiles.policy("pci-dss-4.0.1").unwrap();
    let control = policy.controls.iter().find(|control| control.id == "11.3.2").unwrap();
    assert_eq!((control.support, control.rules.len()), (Support::None, 0));
    assert!(control.also.contains("ASV"));
    assert!(policy.notes.iter().any(|note| note.contains("11.3.2 is not met") && note.contains("ASV")));
}

#[test]
fn full_support_is_claimed_of_nothing_that_needs_more_than_a_run_and_its_paperwork() {
    for policy in builtin().policies() {
        for control in &policy.controls {
            assert!(control.support != Support::Full, "{} {}: {}", policy.name, control.id, control.also);
        }
    }
}

#[test]
fn six_months_between_reviews_are_asked_for_where_the_standard_asks_for_them() {
    let profiles = builtin();
    let limits = |name: &str| {
        let policy = profiles.policy(name).unwrap();
        (policy.max_review_days, policy.max_exception_days)
    };
    assert_eq!(limits("pci-dss-4.0.1"), (Some(184), Some(180)));
    assert_eq!(limits("dora-rts-2024-1774"), (Some(180), Some(180)));
    for policy in profiles.policies() {
        let about =
            |control: &&Control| control.rules.iter().any(|rule| matches!(rule.id, "EXP013" | "MAN005"));
        let reviews = policy.controls.iter().filter(about);
        for control in reviews {
            let named = control.rules.iter().any(|rule| rule.id == "MAN018");
            assert!(named, "{} {}: a review in a hundred years", policy.name, control.id);
        }
    }
}

/// What the words of a control watch for, and the need that keeps one run from supporting it.
#[test]
fn what_is_watched_over_time_or_from_outside_needs_that() {
    for policy in builtin().policies() {
        for control in &policy.controls {
            let asks = control.asks.to_lowercase();
            let at = format!("{} {}", policy.name, control.id);
            let over_time = ["continuously", "monitored", "at a set period", "each month", "by monitoring"];
            let is_of_filters = ["SC-7", "13"].contains(&control.id.as_str());
            if over_time.iter().any(|word| asks.contains(word)) && !is_of_filters {
                assert!(control.needs.contains(&Need::Previous), "{at}");
            }
            let outside = ["outside", "external", "untrusted", "firewall", "boundary", "denied by default"];
            let papers = ["SC-7(4)", "CM-8"].contains(&control.id.as_str());
            if control.support != Support::None && outside.iter().any(|word| asks.contains(word)) && !papers {
                assert!(control.needs.contains(&Need::Outside), "{at}");
            }
            let looks = control.rules.iter().any(|rule| rule.id == "EXP001");
            assert!(!looks || control.needs.contains(&Need::Udp), "{at}: UDP is part of what may be open");
        }
    }
}

#[test]
fn every_field_that_a_policy_names_is_in_the_published_schema() {
    let schema: Value = serde_json::from_str(MANIFEST_SCHEMA).unwrap();
    let definition = |map: &str| {
        match map {
            "vantages" => "vantage",
            "services" => "service",
            "targets" => "target",
            "exceptions" => "exception",
            other => other,
        }
        .to_owned()
    };
    for policy in builtin().policies() {
        let fields = policy.controls.iter().flat_map(|control| &control.fields);
        for field in fields.cloned().chain(policy.require.iter().map(|field| format!("expose.{field}"))) {
            let (map, key) = field.split_once('.').unwrap();
            assert!(schema["$defs"][definition(map)]["properties"].get(key).is_some(), "{field}");
        }
    }
}

#[test]
fn every_text_is_short_and_one_line_and_every_rule_is_named_once() {
    for policy in builtin().policies() {
        for text in texts(policy) {
            assert!((3..=MAX_WORDS).contains(&text.chars().count()), "{text}");
            assert!(!text.chars().any(char::is_control), "{text}");
        }
        for control in &policy.controls {
            let rules: BTreeSet<&str> = control.rules.iter().map(|rule| rule.id).collect();
            assert_eq!(rules.len(), control.rules.len(), "{} {}", policy.name, control.id);
            let fields: BTreeSet<&String> = control.fields.iter().collect();
            assert_eq!(fields.len(), control.fields.len(), "{} {}", policy.name, control.id);
        }
    }
}

#[test]
fn every_policy_asks_for_owners_reasons_four_eyes_an_end_of_exceptions_and_a_next_run() {
    for policy in builtin().policies() {
        for field in ["owner", "justification"] {
            assert!(policy.require.iter().any(|known| known == field), "{}", policy.name);
        }
        assert!(policy.four_eyes && policy.max_exception_days.is_some_and(|days| days <= 366));
        assert!(policy.max_review_days.is_some_and(|days| days <= 366), "{}", policy.name);
        assert!(policy.max_age.is_some_and(|age| age <= Duration::from_hours(92 * 24)), "{}", policy.name);
    }
}

const HEAD: &str = "policy: x\nframework: x\ntitle: Ours\nedition: '1'\ndescription: A test.\n";

#[test]
fn a_house_may_have_a_policy_of_its_own() {
    let mut profiles = builtin();
    let text = format!(
        "{HEAD}require: [ticket]\nmax_age: 7d\ncontrols:\n- {{id: 7, asks: Tickets., rules: [MAN015], fields: [expose.ticket], support: full, also: Nothing.}}\n"
    );
    profiles.overlay("own/policies/x.yaml", &text).unwrap();
    let policy = profiles.policy("x").unwrap();
    assert_eq!((policy.controls[0].id.as_str(), policy.controls[0].observes()), ("7", false));
    assert_eq!((policy.max_age, policy.four_eyes), (Some(Duration::from_hours(7 * 24)), false));
    assert_eq!(profiles.policies().count(), 8);
}

#[test]
fn what_is_wrong_with_a_policy_is_named_with_its_place() {
    let control = |rest: &str| format!("{HEAD}controls:\n- {{id: a, asks: A., also: B., {rest}}}\n");
    let long = "a".repeat(MAX_WORDS + 1);
    for (text, expected) in [
        (control("support: full, rules: [CVE]"), "policies/x.yaml:7:54: there is no rule `CVE`"),
        (
            control("support: full, rules: [EXP01]"),
            "policies/x.yaml:7:54: there is no rule `EXP01`; did you mean `EXP001`?",
        ),
        (
            control("support: full, rules: [EXP001], fields: [expose.ownr]"),
            "policies/x.yaml:7:72: the manifest has no field `expose.ownr`; did you mean `expose.owner`?",
        ),
        (control("support: full"), "policies/x.yaml:7:8: control `a`: `support: none` names no rule"),
        (
            control("support: none, rules: [EXP001]"),
            "policies/x.yaml:7:8: control `a`: `support: none` names no rule",
        ),
        (
            control("support: full, rules: [EXP001], needs: [outsid]"),
            "policies/x.yaml:7:71: no control can need `outsid`; did you mean `outside`?",
        ),
        (
            control("support: full, rules: [EXP001], needs: [expose.insecur]"),
            "policies/x.yaml:7:71: no control can need `expose.insecur`; did you mean `expose.insecure`?",
        ),
        (
            control("support: full, rules: [EXP001], needs: [a-second-opinion]"),
            "policies/x.yaml:7:71: no control can need `a-second-opinion`; write declared, tcp, udp,",
        ),
        (
            control("support: full, rules: [EXP001], needs: [policy.max_age]"),
            "policies/x.yaml:7:71: no control can need `policy.max_age`",
        ),
        (
            control("support: none, needs: [tcp]"),
            "policies/x.yaml:7:8: control `a`: what has `support: none` is never supported",
        ),
        (control("support: fully, rules: [EXP001]"), "policies/x.yaml:7:"),
        (control("suport: full, rules: [EXP001]"), "policies/x.yaml:7:31: unknown field `suport`"),
        (format!("{HEAD}controls: []\n"), "policies/x.yaml:1:9: a policy has at least one control"),
        (format!("{HEAD}requires: [owner]\ncontrols: []\n"), "policies/x.yaml:6:1: unknown field `requires`"),
        (
            format!("{HEAD}require: [onwer]\ncontrols: []\n"),
            "policies/x.yaml:6:11: the manifest has no field `onwer`; did you mean `owner`?",
        ),
        (
            format!("{HEAD}max_age: often\ncontrols: []\n"),
            "policies/x.yaml:6:10: `often` is not a span of time",
        ),
        (format!("{HEAD}max_exception_days: 0\ncontrols: []\n"), "policies/x.yaml:6:"),
        (format!("{HEAD}max_review_days: 0\ncontrols: []\n"), "policies/x.yaml:6:"),
        (format!("{HEAD}notes: [{long}]\ncontrols: []\n"), "policies/x.yaml:6:9: a text of 601 characters"),
        (HEAD.replace("policy: x", "policy: y"), "policies/x.yaml:"),
        (
            format!("{}controls: []\n", HEAD.replace("policy: x", "policy: y")),
            "policies/x.yaml:1:9: this file is named `x.yaml` and must hold the policy `x`, not `y`",
        ),
        (
            format!("{HEAD}controls:\n- &a {{id: a, asks: A., also: B., support: none}}\n- *a\n"),
            "policies/x.yaml:",
        ),
    ] {
        let mut profiles = builtin();
        let error = profiles.overlay("policies/x.yaml", &text).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}\nshould begin\n{expected}");
        assert!(profiles.policy("x").is_none(), "a file that is refused changes nothing");
    }
}

#[test]
fn the_policy_in_the_readme_works() {
    let readme = include_str!("../../../../profiles/README.md");
    let example = readme.split("```yaml\n").nth(2).and_then(|rest| rest.split("```").next()).unwrap();
    let mut profiles = builtin();
    profiles.overlay("own/policies/house-1.yaml", example).unwrap();
    assert_eq!(profiles.policy("house-1").unwrap().controls[0].rules.len(), 2);
}
