//! `scan`: the same endpoints in every format, each once, with totals that say the same.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    desk::{Desk, states},
    doors::{Door, Wall},
};

const HOST: &str = "127.0.0.1";

fn state_of(entry: &Value) -> (u64, String) {
    assert_eq!((&entry["address"], &entry["protocol"]), (&HOST.into(), &"tcp".into()));
    (entry["port"].as_u64().unwrap(), entry["state"].as_str().unwrap().to_owned())
}

#[test]
fn every_format_tells_the_same() {
    let (desk, door, wall) = (Desk::new(), Door::open(), Wall::new());
    let ports = format!("{},{}", door.port, wall.port);
    let truth: BTreeMap<u64, String> =
        [(door.port.into(), "open".to_owned()), (wall.port.into(), "closed".to_owned())].into();
    let scan = |more: &[&str]| {
        desk.run(&[&["scan", "--scan", "connect", "-p", ports.as_str(), HOST], more].concat()).ends(0)
    };

    let lines = scan(&["--format", "ndjson", "--states", "all"]).out;
    let mut lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let coverage = lines.pop().unwrap()["summary"]["coverage"].clone();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines.iter().map(state_of).collect::<BTreeMap<_, _>>(), truth);
    for line in &lines {
        assert!(line["attempts"].as_u64().unwrap() >= 1 && line["rtt_ms"].as_f64().is_some(), "{line}");
        let reason = if line["state"] == "open" { "syn-ack" } else { "conn-refused" };
        assert_eq!(line["reason"], reason);
    }
    assert_eq!((states(&coverage), &coverage["planned"]), (2, &2.into()));
    assert_eq!((&coverage["partial"], &coverage["stop_reason"]), (&false.into(), &"complete".into()));

    let document: Value = serde_json::from_str(&scan(&["--format", "json", "--states", "all"]).out).unwrap();
    let told = document["observations"].as_array().unwrap();
    assert_eq!(told.iter().map(state_of).collect::<BTreeMap<_, _>>(), truth);
    assert_eq!(states(&document["summary"]["coverage"]), 2);

    let text = scan(&[]);
    assert_eq!(text.out.lines().count(), 1, "only what is open: {}", text.out);
    assert!(text.out.contains(&format!("{}/tcp", door.port)) && text.out.contains("open"), "{}", text.out);
    text.complains(&["2 endpoints: 1 open, 1 closed, 0 filtered, 0 unknown"]);
    assert_eq!(scan(&["--states", "all"]).out.lines().count(), 2);
}

#[test]
fn targets_come_from_a_file_as_with_nmap() {
    let (desk, door) = (Desk::new(), Door::open());
    let port = door.port.to_string();
    desk.file("hosts.txt", "# ours\r\n127.0.0.1\r\n\r\n127.0.0.1\n");
    for flag in ["-iL", "--input-list"] {
        let run = desk.run(&["scan", flag, "hosts.txt", "-p", &port]).ends(0);
        assert_eq!(run.out.lines().count(), 1, "an address is asked once: {}", run.out);
    }
    let piped = desk.typed(&["scan", "-iL", "-", "-p", &port], "127.0.0.1\n").ends(0);
    assert_eq!(piped.out.lines().count(), 1);
    desk.file("empty.txt", "");
    desk.run(&["scan", "-iL", "empty.txt"]).ends(2).complains(&["empty.txt holds no host"]);
    desk.run(&["scan", "-iL", "nowhere"]).ends(2).complains(&["there is no file nowhere"]);
    desk.run(&["scan", "-iL"]).ends(2);
}

#[test]
fn fingers_that_know_nmap_are_answered() {
    let (desk, door) = (Desk::new(), Door::open());
    let port = door.port.to_string();
    for (flags, said) in [
        (&["-sS"][..], "--scan"),
        (&["-sT"], "--scan connect"),
        (&["-sU"], "-u PORTS"),
        (&["-Pn"], "every address is asked"),
        (&["-n"], "never looked up"),
        (&["-T4"], "--rate max"),
        (&["-oX", "out.xml"], "--format json"),
        (&["--top-ports", "100"], "-p common"),
        (&["--top-ports=100"], "-p common"),
        (&["-F"], "-p common"),
        (&["-sV"], "--identify"),
        (&["-A"], "--identify"),
        (&["--open"], "--states all"),
    ] {
        let run = desk.run(&[&["scan"], flags, &["-p", &port, HOST]].concat()).ends(2);
        assert_eq!(run.complains(&[flags[0].split('=').next().unwrap().trim_end_matches('4'), said]).out, "");
    }
    assert_eq!(door.visits(), 0);
}

#[test]
fn ports_are_written_as_fingers_write_them() {
    let (desk, door) = (Desk::new(), Door::open());
    let port = door.port.to_string();
    for written in [&["-p", port.as_str()][..], &["--tcp", &port], &["-p", &format!("{port}-{port}")]] {
        let run = desk.run(&[&["scan", HOST], written].concat()).ends(0);
        assert_eq!(run.out.lines().count(), 1);
    }
    let glued = desk.run(&["scan", &format!("-p{port}"), HOST]).ends(0);
    assert_eq!(glued.out.lines().count(), 1);
    let many: Vec<String> = (0..20_000).map(|_| port.clone()).collect();
    let long = desk.run(&["scan", "-p", &many.join(","), HOST]).ends(0);
    assert_eq!(long.out.lines().count(), 1, "a port is asked once however often it is written");
    let open = desk.run(&["scan", "-p-", "--rate", "max", "--format", "ndjson", HOST]);
    assert!(open.out.contains(&format!("\"port\":{port},")), "-p- is every port");
    let last: Value = serde_json::from_str(open.headline()).unwrap();
    assert_eq!(last["summary"]["coverage"]["planned"], 65_535);
}

#[test]
fn a_scan_that_cannot_be_meant_ends_with_2_and_speaks_of_what_was_typed() {
    let (desk, door) = (Desk::new(), Door::open());
    let port = door.port.to_string();
    for (args, said) in [
        (&[][..], &["TARGET"][..]),
        (&[HOST, "-p", "0"], &["port 0"]),
        (&[HOST, "-p", ""], &["empty port list"]),
        (&[HOST, "-p", "99999"], &["99999", "1-65535"]),
        (&[HOST, "-p", "none"], &["nothing to scan"]),
        (&[HOST, "-p", &port, "-u", "0"], &["port 0"]),
        (&[HOST, "-p", &port, "-u", ""], &["empty port list"]),
        (&[HOST, "-p", "none", "-u", "none"], &["nothing to scan"]),
        (&[HOST, "-p", &port, "--exclude", HOST], &["nothing to scan"]),
        (&["300.1.1.1", "-p", &port], &["`300.1.1.1`", "0 to 255"]),
        (&["127.0.0.1-5", "-p", &port], &["ranges of addresses", "CIDR"]),
        (&["http://127.0.0.1", "-p", &port], &["is a URL"]),
        (&["127.1", "-p", &port], &["127.1"]),
        (&["", "-p", &port], &["error"]),
        (&["a b", "-p", &port], &["a b"]),
    ] {
        let run = desk.run(&[&["scan"], args].concat()).ends(2).complains(said);
        assert!(!run.err.contains("--expect"), "nobody typed --expect: {}", run.err);
        assert_eq!(run.out, "");
    }
    assert_eq!(door.visits(), 0);
}
