//! The report that follows from a judgement: valid, reconciled, in order.

use super::*;
use crate::model::State;
use crate::{
    model::{Family, PortSet},
    report::{
        Selection,
        document::{Clock as ClockRecord, HostRecord, Methods},
    },
    spec::manifest::{Expose, Presence},
    verify::tests::rig::{Rig, exception, expose, target},
};

fn run() -> Run {
    Run {
        id: "r1".to_owned(),
        started_at: "2026-11-23T10:00:00.000Z".to_owned(),
        finished_at: "2026-11-23T10:00:05.000Z".to_owned(),
        resumed_at: vec![],
        vantage: None,
        operator: None,
        seed: 1,
        argv: vec![],
        selection: Selection::default(),
        scan: Methods { tcp: Some("connect".to_owned()), udp: None },
        fallbacks: vec![],
        partial: false,
        stop_reason: "complete".to_owned(),
        clock: ClockRecord { source: "system".to_owned(), synchronized: None, max_error_ms: None },
        manifest: ManifestRecord {
            path: None,
            sha256: None,
            git: None,
            name: None,
            owner: None,
            contact: None,
            environment: None,
        },
        previous: None,
        next_due: None,
        resolver: ResolverRecord::default(),
        host: HostRecord::default(),
        sources: vec![],
    }
}

fn report(mut rig: Rig, stopped: Option<u8>) -> Report {
    let plan = rig.plan();
    rig.observe_named(&plan);
    let tallies = rig.tallies(&plan);
    let judgement = rig.judge_with(&plan, &tallies);
    let seen = Seen {
        observations: &rig.observations,
        tallies: &tallies,
        portraits: &rig.portraits,
        partial: rig.partial,
    };
    let circumstances = Circumstances {
        tool: Tool { name: "portproof".to_owned(), version: "0.1.0".to_owned(), commit: None, sha256: None },
        run: run(),
        start: "2026-11-23T10:00:00Z".parse().unwrap(),
        coverage: Coverage { probes_sent: 2002, ..Coverage::default() },
        duration: Duration::from_secs(2),
        stopped,
        banners: BTreeMap::new(),
        connections: 0,
        role_denials: vec![],
    };
    assemble(&rig.manifest, &plan, &seen, &judgement, circumstances)
}

fn drifted() -> Rig {
    let mut www = target("www", &["192.0.2.10", "2001:db8::10"]);
    www.tags = vec!["pci".to_owned()];
    www.tcp = PortSet::parse("1-100").unwrap();
    www.expose = vec![Expose { owner: Some("shop team".to_owned()), ..expose("80/tcp", Presence::Required) }];
    let mut rig = Rig::new(vec![www])
        .fill("192.0.2.10", State::Closed)
        .fill("2001:db8::10", State::Filtered)
        .see("2001:db8::10", 80, State::Open)
        .see("192.0.2.10", 9, State::Open)
        .see("192.0.2.10", 7, State::Open);
    rig.manifest.exceptions.push(exception("EX-1", "www", "EXP001", Some(7)));
    rig
}

#[test]
fn a_report_validates_and_its_totals_reconcile() {
    let report = report(drifted(), None);
    let schema = serde_json::to_value(schemars::schema_for!(Report)).unwrap();
    let value = serde_json::to_value(&report).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!(report.coverage.states.total(), report.coverage.planned);
    assert_eq!(report.summary.verdicts.total(), report.coverage.planned);
    let per_address: u64 = report.coverage.per_address.iter().map(|record| record.planned).sum();
    assert_eq!(per_address, report.coverage.planned);
    assert_eq!(report.coverage.port_sets["www"], "1-100");
    assert!((report.coverage.rate_pps - 1001.0).abs() < 1e-9);
}

#[test]
fn findings_name_owner_place_and_evidence_and_stand_in_order() {
    let report = report(drifted(), None);
    let told: Vec<(&str, Option<u16>, Verdict)> =
        report.findings.iter().map(|f| (f.rule.as_str(), f.port, f.verdict)).collect();
    assert_eq!(
        told,
        [
            ("EXP001", Some(9), Verdict::Fail),
            ("EXP003", Some(80), Verdict::Fail),
            ("EXP001", Some(7), Verdict::Waived)
        ]
    );
    let missing = &report.findings[1];
    assert_eq!(missing.owner.as_deref(), Some("shop team"));
    assert_eq!((missing.family, missing.address.as_deref()), (Some(Family::Ipv4), Some("192.0.2.10")));
    assert_eq!(missing.evidence[0].at, "2026-11-23T10:00:01.200Z");
    assert_eq!(missing.evidence[0].what, "connection refused (RST)");
    assert_eq!(report.findings[2].exception.as_deref(), Some("EX-1"));
    assert_eq!((report.summary.findings.high, report.summary.exit_code), (2, 1));
    assert_eq!(report.exceptions[0].status, "in_force");
    assert_eq!(report.observations.iter().map(|seen| seen.port).collect::<Vec<_>>(), [7, 9, 80, 80]);
    let rungs: Vec<&str> = report.observations[0].ladder.iter().map(|rung| rung.rung.as_str()).collect();
    assert_eq!(rungs, ["handshake", "second_look"]);
}

#[test]
fn an_interrupted_run_keeps_its_own_exit_code_and_its_outcome() {
    let mut rig = drifted();
    rig.partial = true;
    let report = report(rig, Some(130));
    assert_eq!((report.summary.exit_code, report.summary.result), (130, Outcome::Deviates));
}

#[test]
fn each_control_of_a_policy_names_the_findings_that_bear_on_it() {
    let mut rig = drifted();
    let policy = crate::spec::profile::Profiles::builtin().unwrap().policy("pci-dss-4.0.1").unwrap().clone();
    rig.manifest.policy.uses = vec![policy];
    rig.manifest.targets[0].expose[0].controls = vec!["pci-dss:1.2.5".to_owned()];
    let report = report(rig, None);
    assert_eq!(report.policy.as_deref(), Some("pci-dss-4.0.1"));
    assert_eq!(report.declared[0].controls, ["pci-dss:1.2.5"]);
    let record = &report.compliance[0];
    assert_eq!((record.framework.as_str(), record.controls.len()), ("pci-dss", 10));
    let control = &record.controls[0];
    assert_eq!((control.id.as_str(), control.status.word()), ("1.2.5", "contradicted"));
    let bearing: Vec<&str> = report
        .findings
        .iter()
        .filter(|finding| control.rules.contains(&finding.rule))
        .map(|finding| finding.id.as_str())
        .collect();
    assert_eq!(control.findings, bearing);
    assert_eq!(control.bearing, 2);
}
