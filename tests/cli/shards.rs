//! `--shard`: parts that make the whole, on machines that agreed on nothing.

use std::{collections::BTreeMap, fs};

use portproof::report::{Report, json};
use serde_json::Value;

use crate::{
    desk::{Desk, REPORT, states},
    doors::{Door, Wall},
};

#[test]
fn the_parts_of_a_scan_add_up_to_the_whole() {
    let (desk, door, wall) = (Desk::new(), Door::open(), Wall::new());
    let ports = format!("{},{}", door.port, wall.port);
    let targets = ["127.0.0.1", "127.0.0.2", "127.0.0.3"];
    let scan = |more: &[&str]| {
        let asked = ["scan", "--scan", "connect", "-p", ports.as_str()];
        let shown = ["--states", "all", "--format", "ndjson", "--rate", "max"];
        let run = desk.run(&[&asked, &targets[..], &shown, more].concat()).ends(0);
        let mut lines: Vec<Value> = run.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let coverage = lines.pop().unwrap()["summary"]["coverage"].clone();
        let seen: BTreeMap<(String, u64), String> = lines
            .iter()
            .map(|line| {
                let text = |key: &str| line[key].as_str().unwrap().to_owned();
                ((text("address"), line["port"].as_u64().unwrap()), text("state"))
            })
            .collect();
        (seen, coverage)
    };
    let (whole, coverage) = scan(&[]);
    assert_eq!((whole.len(), &coverage["shard"]), (6, &Value::Null));
    for parts in [1, 2, 3, 4, 7] {
        let (mut together, mut planned) = (BTreeMap::new(), 0);
        for part in 1..=parts {
            let (shard, order) = (format!("{part}/{parts}"), part.to_string());
            let (seen, coverage) = scan(&["--shard", &shard, "--seed", &order]);
            assert_eq!(
                (coverage["planned"].as_u64(), states(&coverage)),
                (Some(seen.len() as u64), seen.len() as u64)
            );
            assert_eq!(coverage["shard"], shard);
            assert_eq!(coverage["of_other_shards"].as_u64(), Some(6 - seen.len() as u64));
            planned += seen.len();
            together.extend(seen);
        }
        assert_eq!((planned, &together), (6, &whole), "{parts} parts");
    }
    let text = desk.run(&["scan", "-p", &ports, "127.0.0.1", "--shard", "1/2"]).ends(0);
    text.complains(&[
        "1 endpoint of part 1/2",
        "part 1/2 of the plan: 1 endpoint of the other parts not asked",
    ]);
    let beyond = desk.run(&["scan", "-p", &ports, "127.0.0.1", "--shard", "9/9"]).ends(0);
    beyond.complains(&["0 endpoints"]);
}

#[test]
fn what_other_parts_ask_is_not_covered_and_never_conforms() {
    let (desk, door, wall) = (Desk::new(), Door::open(), Wall::new());
    let expect = door.port.to_string();
    let ports = format!("{},{}", door.port, wall.port);
    let asked =
        ["--expect", &expect, "--tcp", &ports, "--udp", "none", "127.0.0.1", "127.0.0.2", "--seed", "9"];
    // Named first, and numbered by address: the first of two parts has one of each kind.
    for shard in ["1/2", "2/2"] {
        let run = desk.verify(&[&asked[..], &["--shard", shard]].concat());
        let report = run.report();
        assert_eq!(report["run"]["selection"]["shard"], shard);
        assert!(run.headline().contains(&format!("part {shard} of the plan only")), "{}", run.headline());
        assert_eq!(report["coverage"]["planned"], 4);
        assert_eq!(report["coverage"]["unknown"], 2);
        assert_eq!(report["summary"]["verdicts"]["not_covered"], 2);
        let gaps: Vec<String> = run.findings().into_iter().filter(|f| f.starts_with("EXP012")).collect();
        assert!(!gaps.is_empty(), "{:?}", run.findings());
        let unasked = report["observations"].as_array().unwrap().iter();
        assert!(unasked.clone().any(|seen| seen["reason"] == "not_sent" && seen["state"] == "unknown"));
        let fails = report["summary"]["verdicts"]["fail"].as_u64().unwrap();
        assert_eq!(run.code, if fails > 0 { 1 } else { 3 });
    }
    let xml = [&asked[..], &["--shard", "1/2", "-A", "EXP012", "--report", "junit=junit.xml"]].concat();
    let quiet = desk.verify(&xml);
    let junit = fs::read_to_string(desk.place("junit.xml")).unwrap();
    assert!(quiet.code == 1 || junit.contains("errors=\"1\""), "an incomplete run is no green one:\n{junit}");
    assert!(!quiet.headline().contains("0 unsure"), "{}", quiet.headline());
    let sole = ["--expect", &expect, "--tcp", "declared", "--udp", "none", "127.0.0.1", "--shard"];
    desk.verify(&[&sole[..], &["1/1"]].concat()).ends(0);
    desk.verify(&[&sole[..], &["2/2"]].concat()).ends(3);
}

#[test]
fn the_parts_of_a_verification_are_judged_together() {
    let (desk, doors, wall) = (Desk::new(), [Door::open(), Door::open(), Door::open()], Wall::new());
    let walls: Vec<Wall> = (0..20).map(|_| Wall::new()).collect();
    let shut: Vec<String> = walls.iter().map(|wall| wall.port.to_string()).collect();
    let ports = format!("{},{},{},{}", doors[1].port, doors[2].port, wall.port, shut.join(","));
    let expect = doors[0].port.to_string();
    let hosts = ["127.0.0.1", "127.0.0.2"];
    let asked = ["--expect", &expect, "--tcp", &ports, "--udp", "none", hosts[0], hosts[1]];
    let part = |shard: &str, name: &str| {
        let run = desk.verify(&[&asked[..], &["--shard", shard]].concat());
        fs::rename(desk.place(REPORT), desk.place(name)).unwrap();
        run
    };
    let judged = |files: &[&str]| {
        let from: Vec<&str> = files.iter().flat_map(|file| ["--from", file]).collect();
        desk.judge(&[&asked[..], &from].concat())
    };
    let whole = desk.verify(&asked).ends(1);
    for (i, name) in ["a", "b", "c"].into_iter().enumerate() {
        part(&format!("{}/3", i + 1), name);
    }
    let together = judged(&["c", "a", "b"]).ends(1);
    assert_eq!(together.report()["summary"]["verdicts"], whole.report()["summary"]["verdicts"]);
    assert_eq!(together.findings(), whole.findings());
    assert_eq!(together.report()["coverage"]["unknown"], 0);
    together.complains(&["judged as one run: parts 1/3, 2/3, 3/3"]);

    // One part is missing: what it was to ask is not covered.
    let two = judged(&["a", "c"]);
    let planned = two.report()["coverage"]["planned"].as_u64().unwrap();
    let missing = two.report()["summary"]["verdicts"]["not_covered"].as_u64().unwrap();
    assert!(missing >= planned / 3 && missing <= planned / 3 + 1, "{missing} of {planned}");

    // A part of another plan, and one that only says that it is of this plan, are no parts of it.
    let mut other = json::read(&fs::read(desk.place("b")).unwrap()).unwrap();
    let write = |name, report: &Report| {
        let mut text = Vec::new();
        json::write(report, &mut text).unwrap();
        desk.file(name, text);
    };
    let plan = other.run.selection.plan.replace("0000000000000000".to_owned());
    write("other", &other);
    let unlike = judged(&["a", "other"]);
    assert!(unlike.report()["run"]["sources"][1]["sha256"].is_string());
    assert!(!unlike.err.contains("  judged as one run"), "{}", unlike.err);
    other.run.selection.plan = plan;
    for address in &mut other.coverage.per_address {
        address.states.closed += 20;
    }
    write("forged", &other);
    judged(&["a", "forged", "c"]).ends(2).complains(&["forged: the report contradicts itself"]);
}

#[test]
fn a_part_that_cannot_be_meant_is_refused_with_the_cure() {
    let (desk, door) = (Desk::new(), Door::open());
    let port = door.port.to_string();
    for (shard, cure) in
        [("0/4", "from 1"), ("5/4", "1/4 to 4/4"), ("4", "1/4 is the first of four"), ("1/0", "1/1")]
    {
        let run = desk.run(&["scan", "-p", &port, "127.0.0.1", "--shard", shard]).ends(2);
        run.complains(&["--shard", cure]);
    }
    assert_eq!(door.visits(), 0);
}
