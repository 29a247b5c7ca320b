//! `--shard`: parts that make the whole, on machines that agreed on nothing.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    desk::{Desk, states},
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
    let sole = ["--expect", &expect, "--tcp", "declared", "--udp", "none", "127.0.0.1", "--shard"];
    desk.verify(&[&sole[..], &["1/1"]].concat()).ends(0);
    desk.verify(&[&sole[..], &["2/2"]].concat()).ends(3);
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
