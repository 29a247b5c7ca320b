//! `--state` and `--resume`: a run that is killed at any moment goes on, and says all that it found.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt as _,
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    desk::{Desk, Run, checked, states},
    doors::{Door, Wall},
};

type Seen = BTreeMap<(String, u64), (String, String)>;

/// Every endpoint of `scan --format ndjson`, and the totals.
fn read(run: &Run) -> (Seen, Value) {
    let mut lines: Vec<Value> = run.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let coverage = lines.pop().unwrap()["summary"]["coverage"].clone();
    let mut seen = Seen::new();
    for line in &lines {
        let text = |key: &str| line[key].as_str().unwrap().to_owned();
        let key = (text("address"), line["port"].as_u64().unwrap());
        let before = seen.insert(key, (text("state"), text("reason")));
        assert_eq!(before.is_some(), line["supersedes"] == true, "{line}");
    }
    (seen, coverage)
}

/// Starts a run, and kills it without warning once its state file has grown so far.
fn kill_at(desk: &Desk, args: &[&str], state: &str, octets: u64) {
    let mut child: Child =
        desk.process(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let (path, begun) = (desk.place(state), Instant::now());
    while fs::metadata(&path).map_or(0, |metadata| metadata.len()) < octets {
        assert!(begun.elapsed() < Duration::from_secs(30), "the state file does not grow");
        assert!(child.try_wait().unwrap().is_none(), "it ended before it could be killed");
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_killed_scan_goes_on_and_finds_what_one_run_finds() {
    let (desk, doors) = (Desk::new(), [Door::open(), Door::open()]);
    let first = doors.iter().map(|door| door.port).min().unwrap();
    let ports = format!("{},{},1-900", doors[0].port, doors[1].port);
    let targets = ["127.0.0.1", "127.0.0.2", "127.0.0.3"];
    let asked =
        ["scan", "--scan", "connect", "-p", &ports, "--states", "all", "--format", "ndjson", "--rate"];
    let slowly = [&asked[..], &["1000"], &targets].concat();
    let (whole, coverage) = read(&desk.run(&[&asked[..], &["max"], &targets].concat()).ends(0));
    assert!(whole.len() >= 2700 && first > 0);
    for octets in [600, 15_000, 30_000] {
        let _ = fs::remove_file(desk.place("state"));
        kill_at(&desk, &[&slowly[..], &["--state", "state", "--seed", "5"]].concat(), "state", octets);
        let mode = fs::metadata(desk.place("state")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let run = desk.run(&[&slowly[..], &["--resume", "state"]].concat()).ends(0);
        let run = run.complains(&["continuing state: "]);
        let (both, totals) = read(&run);
        assert_eq!(both, whole, "killed at {octets} octets");
        assert_eq!((states(&totals), &totals["planned"]), (whole.len() as u64, &coverage["planned"]));
        let (one, two) = (coverage["probes_sent"].as_u64().unwrap(), totals["probes_sent"].as_u64().unwrap());
        assert!((one.saturating_sub(200)..=one + 2000).contains(&two), "{one} and {two} probes");
        // A run that is over says everything again, and asks nothing.
        for door in &doors {
            door.visits();
        }
        let again = desk.run(&[&slowly[..], &["--resume", "state"]].concat()).ends(0);
        assert_eq!(read(&again).0, whole);
        assert!(doors.iter().all(|door| door.visits() == 0));
    }
    assert_eq!(desk.crumbs(), [""; 0]);
}

#[test]
fn a_report_of_a_continued_run_is_whole_and_says_so() {
    let (desk, door, wall) = (Desk::new(), Door::open(), Wall::new());
    let (expect, tcp) = (door.port.to_string(), format!("{},{},1-1500", door.port, wall.port));
    let asked =
        ["verify", "--scan", "connect", "--expect", &expect, "--tcp", &tcp, "127.0.0.1", "--rate", "400"];
    kill_at(&desk, &[&asked[..], &["--state", "state"]].concat(), "state", 1500);
    let more = ["--resume", "state", "--rate", "max", "--report", "json=r.json"];
    let rest = [&asked[..asked.len() - 2], &more[..]].concat();
    desk.run(&rest).ends(0).complains(&["continuing state"]);
    let report = checked(&fs::read_to_string(desk.place("r.json")).unwrap());
    assert_eq!(report["run"]["resumed_at"].as_array().unwrap().len(), 1);
    assert!(report["run"]["resumed_at"][0].as_str() > report["run"]["started_at"].as_str());
    assert_eq!(report["coverage"]["open"], 1);
    assert_eq!((&report["coverage"]["unknown"], &report["run"]["partial"]), (&0.into(), &false.into()));
    let seen = report["observations"].as_array().unwrap().iter();
    assert!(seen.clone().any(|seen| seen["port"] == door.port && seen["state"] == "open"));
}

#[test]
fn an_interrupted_run_goes_on_as_a_killed_one_does() {
    let (desk, wall) = (Desk::new(), Wall::new());
    let ports = format!("1-400,{}", wall.port);
    let asked = ["scan", "--scan", "connect", "-p", &ports, "127.0.0.1", "--rate", "200", "--states", "all"];
    let run =
        desk.run(&[&asked[..], &["--format", "ndjson", "--state", "s", "--deadline", "500ms"]].concat());
    assert_eq!(run.ends(3).err.matches("warning").count(), 0);
    let run = desk.run(&[&asked[..], &["--format", "ndjson", "--resume", "s", "--rate", "max"]].concat());
    assert!(run.code == 2, "a flag twice: {}", run.err);
    let args: Vec<&str> = asked.iter().copied().filter(|word| !["--rate", "200"].contains(word)).collect();
    let (seen, coverage) =
        read(&desk.run(&[&args[..], &["--format", "ndjson", "--resume", "s"]].concat()).ends(0));
    assert_eq!((seen.len() as u64, &coverage["unknown"]), (coverage["planned"].as_u64().unwrap(), &0.into()));
}

#[test]
fn another_plan_is_refused_and_told_what_differs() {
    let (desk, door) = (Desk::new(), Door::open());
    let port = door.port.to_string();
    let scan = |more: &[&str]| desk.run(&[&["scan", "--scan", "connect", "127.0.0.1"], more].concat());
    scan(&["-p", &port, "--state", "s", "--shard", "1/1"]).ends(0);
    let before = fs::read(desk.place("s")).unwrap();
    door.visits();
    for (more, said) in [
        (&["-p", "1-9", "--shard", "1/1"][..], &["the plan was 1 endpoint", "is 9 endpoints"][..]),
        (&["-p", &port, "--shard", "1/2"], &["--shard was 1/1 and is 1/2"]),
        (&["-p", &port, "--shard", "1/1", "--max-attempts", "3"], &["--max-attempts was not given and is 3"]),
        (
            &["-p", &port, "--shard", "1/1", "--states", "all"],
            &["the command was scan and is scan --states all"],
        ),
        (&["-p", &port, "--shard", "1/1", "--seed", "1"], &["--seed"]),
    ] {
        let run = scan(&[more, &["--resume", "s"]].concat()).ends(2).complains(said);
        assert_eq!(run.out, "");
    }
    let verify = ["verify", "--scan", "connect", "--expect", &port, "127.0.0.1", "--tcp", "declared"];
    desk.run(&[&verify[..], &["--resume", "s", "--shard", "1/1"]].concat())
        .ends(2)
        .complains(&["the command"]);
    assert_eq!(door.visits(), 0, "nothing was sent");
    assert_eq!(fs::read(desk.place("s")).unwrap(), before, "and the file is as it was");
    // Rates may differ, and the checkpoint may go elsewhere.
    scan(&["-p", &port, "--shard", "1/1", "--rate", "3", "--resume", "s", "--state", "t"]).ends(0);
    assert!(desk.place("t").exists());
}

#[test]
fn nothing_else_is_overwritten_and_nothing_else_is_believed() {
    let (desk, door) = (Desk::new(), Door::open());
    let port = door.port.to_string();
    let scan =
        |more: &[&str]| desk.run(&[&["scan", "--scan", "connect", "127.0.0.1", "-p", &port], more].concat());
    desk.file("notes.txt", "mine");
    scan(&["--state", "notes.txt"]).ends(2).complains(&["notes.txt", "no portproof state file"]);
    scan(&["--resume", "notes.txt"]).ends(2).complains(&["no portproof state file"]);
    assert_eq!(fs::read_to_string(desk.place("notes.txt")).unwrap(), "mine");
    fs::create_dir(desk.place("folder")).unwrap();
    scan(&["--state", "folder"]).ends(2).complains(&["folder"]);
    scan(&["--state", "no/such/place"]).ends(4).complains(&["no/such/place"]);
    scan(&["--resume", "nowhere"]).ends(4).complains(&["nowhere", "No such file"]);
    assert_eq!(door.visits(), 0);
    desk.file("empty", "");
    scan(&["--state", "empty"]).ends(0);
    scan(&["--state", "empty"]).ends(0);
    let good = fs::read(desk.place("empty")).unwrap();
    let mut spoilt = good.clone();
    spoilt[40] ^= 1;
    desk.file("spoilt", &spoilt);
    scan(&["--resume", "spoilt"]).ends(2).complains(&["spoilt", "damaged at octet 18"]);
    desk.file("torn", &good[..good.len() - 5]);
    scan(&["--resume", "torn"]).ends(0);
    for length in [0, 1, 18, 30] {
        desk.file("short", &good[..length]);
        scan(&["--resume", "short"]).ends(2).complains(&["short"]);
    }
    assert_eq!(desk.crumbs(), [""; 0]);
}
