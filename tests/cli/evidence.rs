//! Reports that an auditor can trust: each names the one before it.

use std::fs;

use serde_json::Value;

use crate::{
    desk::{Desk, checked},
    doors::Door,
};

/// Verifies that nothing but `declared` is open among `asked`, and leaves the report.
fn verify(desk: &Desk, report: &str, declared: &Door, asked: &[&Door], more: &[&str]) -> Value {
    let (expect, to) = (declared.port.to_string(), format!("json={report}"));
    let ports: Vec<String> = asked.iter().map(|door| door.port.to_string()).collect();
    let (tcp, is_clean) = (ports.join(","), asked.len() == 1);
    let run =
        ["verify", "--expect", &expect, "--tcp", &tcp, "--udp", "none", "--rate", "max", "--report", &to];
    let run = desk.run(&[&run[..], &["127.0.0.1"], more].concat());
    let run = run.ends(i32::from(!is_clean));
    if !more.is_empty() {
        assert!(run.out.contains("since     the report of "), "{}", run.out);
    }
    checked(&fs::read_to_string(desk.place(report)).unwrap())
}

fn finding(report: &Value, door: &Door) -> Value {
    let findings = report["findings"].as_array().unwrap().iter();
    let found: Vec<&Value> = findings.filter(|finding| finding["port"] == door.port).collect();
    assert_eq!(found.len(), 1, "one finding for {}", door.port);
    found[0].clone()
}

#[test]
fn a_run_names_the_report_before_it_and_what_was_known_then() {
    let (desk, declared, early, late) = (Desk::new(), Door::open(), Door::open(), Door::open());
    let first = verify(&desk, "1.json", &declared, &[&declared, &early], &[]);
    assert_eq!(first["run"]["previous"], Value::Null);
    assert_eq!(finding(&first, &early)["first_seen"], Value::Null);
    let all = [&declared, &early, &late];
    let second = verify(&desk, "2.json", &declared, &all, &["--baseline", "1.json"]);
    let digest = portproof::report::json::sha256(&fs::read(desk.place("1.json")).unwrap());
    assert_eq!(second["run"]["previous"]["sha256"], digest);
    assert_eq!(second["run"]["previous"]["finished_at"], first["run"]["finished_at"]);
    assert_eq!(finding(&second, &early)["first_seen"], first["run"]["started_at"]);
    assert_eq!(finding(&second, &late)["first_seen"], Value::Null, "new");
    let third = verify(&desk, "3.json", &declared, &all, &["--baseline", "2.json"]);
    assert_eq!(finding(&third, &early)["first_seen"], first["run"]["started_at"], "handed on");
    assert_eq!(finding(&third, &late)["first_seen"], second["run"]["started_at"]);
}

#[test]
fn a_baseline_that_is_no_report_stops_the_run_before_its_first_probe() {
    let (desk, door) = (Desk::new(), Door::open());
    let port = door.port.to_string();
    let verify = |baseline: &str| {
        desk.run(&["verify", "--expect", &port, "--tcp", "declared", "127.0.0.1", "--baseline", baseline])
    };
    desk.file("other.json", "{\"schema\": \"cyclonedx\"}");
    verify("other.json").ends(2).complains(&["other.json", "no report of portproof", "hint: "]);
    verify("nowhere.json").ends(2).complains(&["nowhere.json", "No such file"]);
    assert_eq!(door.visits(), 0);
}

#[test]
fn a_baseline_of_another_manifest_or_schema_is_followed_with_a_note() {
    let (desk, door) = (Desk::new(), Door::open());
    let first = verify(&desk, "1.json", &door, &[&door], &[]);
    let mut other = first;
    other["schema"] = "portproof.report/2".into();
    other["run"]["manifest"]["name"] = "acme edge".into();
    other["coverage"] = Value::Null;
    desk.file("other.json", serde_json::to_vec(&other).unwrap());
    let port = door.port.to_string();
    let run = [
        "verify",
        "--expect",
        &port,
        "--tcp",
        &port,
        "--udp",
        "none",
        "127.0.0.1",
        "--baseline",
        "other.json",
    ];
    desk.run(&run).ends(0).complains(&["of the schema portproof.report/2", "about acme edge"]);
    let quiet = desk.run(&[&run[..], &["--quiet"]].concat()).ends(0);
    assert_eq!(quiet.err, "");
}
