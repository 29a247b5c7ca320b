//! The demo is the first thing that anybody runs: it works anywhere, twice at once, and finds its own drift.

use std::{fs, thread};

use crate::desk::{Desk, checked};

/// The findings of a demo's report, as rule, verdict and owner.
fn drift(desk: &Desk, folder: &str) -> Vec<String> {
    let text = fs::read_to_string(desk.place(folder).join("report.json")).expect("a report");
    let report = checked(&text);
    let word = |value: &serde_json::Value| value.as_str().unwrap_or("-").to_owned();
    let findings = report["findings"].as_array().unwrap().iter();
    let told =
        |f: &serde_json::Value| format!("{} {} {}", word(&f["rule"]), word(&f["verdict"]), word(&f["owner"]));
    let mut told: Vec<String> = findings.map(told).collect();
    told.sort();
    told
}

const DRIFT: [&str; 5] = [
    "EXC001 pass platform team",
    "EXP001 fail platform team",
    "EXP001 waived platform team",
    "EXP002 fail platform team",
    "EXP003 fail mail team",
];

#[test]
fn the_demo_finds_exactly_its_own_drift_and_ends_with_0() {
    let desk = Desk::new();
    let run = desk.run(&["demo"]).ends(0);
    assert!(run.headline().starts_with("DEVIATES  3 wrong, 1 waived"), "{}", run.headline());
    run.complains(&["portproof-demo/report.html", "portproof-demo/portproof.yaml"]);
    assert_eq!(drift(&desk, "portproof-demo"), DRIFT);
    let page = fs::read_to_string(desk.place("portproof-demo/report.html")).unwrap();
    assert!(page.contains("EXP002") && page.trim_end().ends_with("</html>"));
    // What it wrote is an ordinary manifest, all of whose paperwork is in order but for the expired exception.
    let lint = desk.run(&["lint", "portproof-demo/portproof.yaml"]);
    assert!(!lint.out.contains("MAN"), "{}", lint.out);
}

#[test]
fn two_demos_at_once_do_not_meet() {
    let desk = Desk::new();
    thread::scope(|scope| {
        for folder in ["one", "two", "three"] {
            let desk = &desk;
            scope.spawn(move || desk.run(&["demo", "--output", folder]).ends(0));
        }
    });
    for folder in ["one", "two", "three"] {
        assert_eq!(drift(&desk, folder), DRIFT, "{folder}");
    }
}

#[test]
fn a_demo_that_cannot_write_says_so() {
    let desk = Desk::new();
    desk.file("plain", "");
    for folder in ["plain", "plain/demo"] {
        desk.run(&["demo", "--output", folder]).ends(4).complains(&["can't write to plain"]);
    }
}
