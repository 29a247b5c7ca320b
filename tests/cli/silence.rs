//! Where silence, deadlines and signals are needed: a namespace whose firewall drops what it is told to.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::{
    desk::{Desk, REPORT, Run, checked, states},
    doors::Door,
    isolate::{isolated, run, sh},
};

const QUIET: &str = "203.0.113.2";
const OTHER: &str = "203.0.113.3";

/// Two addresses of this namespace; what comes to the first one over TCP to ports from 1000 up, or over UDP,
/// is dropped.
fn quiet_host() -> Desk {
    for address in [QUIET, OTHER] {
        sh(&format!("ip address add {address}/32 dev lo"));
    }
    let desk = Desk::new();
    desk.file(
        "firewall.nft",
        format!(
            "table inet quiet {{ chain input {{ type filter hook input priority 0; policy accept;
             ip daddr {QUIET} tcp dport 1000-65535 tcp flags & (syn | ack) == syn drop
             ip daddr {QUIET} udp dport 1-65535 drop
             ip daddr {OTHER} tcp dport 7 drop\n}}; }}"
        ),
    );
    run(Command::new("nft").arg("-f").arg(desk.place("firewall.nft")));
    desk
}

#[test]
fn a_run_in_which_nothing_answered_at_all_is_unsure_and_fails_nothing() {
    isolated(|| {
        let desk = quiet_host();
        let run = desk.verify(&["--expect", "1443,1444", "--tcp", "1000-1100,1443,1444", QUIET]).ends(3);
        assert_eq!(run.result(), "inconclusive");
        let complaints = run.complaints();
        assert_eq!(complaints.len(), 1, "one finding for the run: {complaints:?}");
        assert!(!complaints[0].contains("fail"), "{complaints:?}");
        assert!(run.headline().starts_with("INCONCLUSIVE  nothing answered"), "{}", run.headline());
        let coverage = &run.report()["coverage"];
        assert_eq!((&coverage["filtered"], &coverage["unanswered"]), (&103.into(), &54.into()));
    });
}

#[test]
fn a_deadline_ends_a_run_with_3_and_a_whole_report() {
    isolated(|| {
        let desk = quiet_host();
        let door = Door::at(format!("{QUIET}:22").parse().unwrap());
        desk.file("portproof.yaml", manifest());
        let args = ["verify", "--rate", "200", "--deadline", "1500ms", "--report", "json=report.json"];
        let run = desk.run(&args).ends(3);
        let report = partial(&desk, "deadline");
        assert_eq!(report["summary"]["exit_code"], 3);
        assert!(run.headline().contains("partial"), "{}", run.headline());
        assert!(report["summary"]["verdicts"]["not_covered"].as_u64().unwrap() > 10_000);
        assert!(door.visits() > 0);
    });
}

/// 22 is open, the rest of 30,000 is silent: at the default rate that takes a minute.
fn manifest() -> String {
    format!(
        "portproof: 1\ntargets: [{{hosts: [{QUIET}], tcp: \"22,1000-30999\", udp: none, expose: [22]}}]\n"
    )
}

fn started(desk: &Desk, args: &[&str]) -> Child {
    desk.process(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn ended(child: Child) -> Run {
    let began = Instant::now();
    let output = child.wait_with_output().unwrap();
    assert!(began.elapsed() < Duration::from_secs(20), "who interrupts does not want to wait");
    let code = output.status.code().expect("it ends by itself");
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (out, err) = (text(output.stdout), text(output.stderr));
    assert!(!err.contains("panicked"), "{err}");
    Run { code, out, err, report: None }
}

/// The report of a run that was stopped: whole, and honest about it.
fn partial(desk: &Desk, why: &str) -> serde_json::Value {
    let report = checked(&fs::read_to_string(desk.place(REPORT)).expect("a report"));
    assert_eq!(report["run"]["partial"], true);
    assert_eq!(report["run"]["stop_reason"], why);
    assert_eq!(report["coverage"]["planned"], 30_001);
    assert!(report["coverage"]["unknown"].as_u64().unwrap() > 0);
    assert!(report["findings"].as_array().unwrap().iter().any(|finding| finding["rule"] == "EXP012"));
    assert_eq!(desk.crumbs(), [""; 0]);
    report
}

#[test]
fn a_verify_that_is_interrupted_writes_what_it_has() {
    isolated(|| stopped_verify("INT", 130, "interrupted"));
}

#[test]
fn a_verify_that_is_terminated_writes_what_it_has() {
    isolated(|| stopped_verify("TERM", 143, "terminated"));
}

fn stopped_verify(signal: &str, code: i32, why: &str) {
    let desk = quiet_host();
    let door = Door::at(format!("{QUIET}:22").parse().unwrap());
    desk.file("portproof.yaml", manifest());
    let child = started(&desk, &["verify", "--rate", "500", "--report", "json=report.json"]);
    // The first probe comes after the signal handlers.
    door.wait();
    sh(&format!("kill -{signal} {}", child.id()));
    let run = ended(child).ends(code);
    let report = partial(&desk, why);
    assert_eq!(report["summary"]["exit_code"], code);
    assert!(run.headline().contains(&format!("partial: it was {why}")), "{}", run.headline());
    assert_eq!(report["coverage"]["open"], 1, "what was found stays found");
}

/// ndjson is for those who follow: a line is said when it is known, not when a buffer is full. Whoever
/// has seen enough interrupts, and is told what stays unknown.
#[test]
fn a_scan_says_what_it_finds_at_once_and_when_interrupted_what_it_does_not_know() {
    isolated(|| {
        let desk = quiet_host();
        // A thousand closed ports among 30,000 silent ones, which take a minute.
        let args = ["scan", "-p", "1-30999", "--rate", "500", "--format", "ndjson", "--states", "all", QUIET];
        let mut child = started(&desk, &args);
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut first = String::new();
        lines.read_line(&mut first).unwrap();
        assert!(first.contains("\"state\":\"closed\""), "{first}");
        assert_eq!(child.try_wait().unwrap(), None, "it still asks");
        sh(&format!("kill -INT {}", child.id()));
        let rest: Vec<String> = lines.lines().map(Result::unwrap).collect();
        ended(child).ends(130);
        let last: serde_json::Value = serde_json::from_str(rest.last().unwrap()).unwrap();
        let coverage = &last["summary"]["coverage"];
        assert_eq!(states(coverage), 30_999);
        assert_eq!(rest.len(), 30_999, "each endpoint has a line, and the summary has one");
        assert_eq!((&coverage["partial"], &coverage["stop_reason"]), (&true.into(), &"interrupted".into()));
    });
}

#[test]
fn a_killed_run_leaves_the_old_report_or_none() {
    isolated(|| {
        let desk = quiet_host();
        let door = Door::at(format!("{QUIET}:22").parse().unwrap());
        desk.file("portproof.yaml", manifest());
        for old in [None, Some("the report of last week")] {
            if let Some(old) = old {
                desk.file(REPORT, old);
            }
            let mut child = started(&desk, &["verify", "--report", "json=report.json"]);
            door.wait();
            child.kill().unwrap();
            child.wait().unwrap();
            assert_eq!(fs::read_to_string(desk.place(REPORT)).ok().as_deref(), old);
        }
    });
}

#[test]
fn a_run_killed_while_it_writes_leaves_no_half_report() {
    isolated(|| {
        sh(&format!("ip address add {OTHER}/32 dev lo"));
        let desk = Desk::new();
        let many = "portproof: 1\ntargets: [{hosts: [203.0.113.3], tcp: none, udp: none, expose: [{port: 1-9000/tcp, presence: optional}]}]\n";
        desk.file("portproof.yaml", many);
        let whole = desk.verify(&[]).report.expect("a report");
        assert_eq!(whole["observations"].as_array().unwrap().len(), 9000);
        let is_killed_in_time = || {
            desk.file(REPORT, "old");
            let mut child = started(&desk, &["verify", "--rate", "max", "--report", "json=report.json"]);
            let part = format!(".report.json.{}.part", child.id());
            // The part of a file that is empty is the proof that it can be written, before the first probe.
            while !fs::metadata(desk.place(&part)).is_ok_and(|part| part.len() > 0) {
                if child.try_wait().unwrap().is_some() {
                    return false;
                }
            }
            child.kill().unwrap();
            child.wait().unwrap();
            true
        };
        // It writes for some milliseconds, in which a busy machine may not let us look.
        assert!((0..20).any(|_| is_killed_in_time()), "it always ended before its part was seen");
        let left = fs::read_to_string(desk.place(REPORT)).unwrap();
        if left != "old" {
            checked(&left);
        }
    });
}

#[test]
fn an_ephemeral_port_of_our_own_is_no_open_port() {
    isolated(|| {
        let desk = Desk::new();
        // Linux lets a socket that connects to its own port succeed: every port here is such a trap.
        let run = desk.run(&["scan", "-p", "32768-60999", "--rate", "max", "127.0.0.1"]);
        assert_eq!(run.out, "", "nothing listens in a fresh namespace");
        // A socket that asks its own port hears its own question; so do raw packets between our own ports.
        for (how, ports) in [("connect", "32768-60999"), ("syn", "61184-61695")] {
            let asked = ["scan", "--scan", how, "-p", "none", "-u", ports, "--rate", "max"];
            let run = desk.run(&[&asked, &["--max-attempts", "2", "127.0.0.1"][..]].concat());
            assert_eq!(run.out, "", "nothing answers in a fresh namespace ({how})");
        }
    });
}
