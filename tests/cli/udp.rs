//! UDP as `verify` and `scan` show it: only a reply is open, only the host's own word is closed, and silence
//! is neither.

use serde_json::Value;

use crate::{
    desk::{Desk, Run, states},
    doors::{Door, Ear},
    isolate::isolated,
};

const HOST: &str = "127.0.0.1";

/// A manifest over loopback that asks one open TCP port, as declared, and over UDP what the target says.
fn manifest(door: &Door, target: &str) -> String {
    let open = door.port;
    let target = target.replace("expose: [", &format!("expose: [{open}, "));
    format!("portproof: 1\ntargets:\n  - {{id: here, hosts: [{HOST}], tcp: declared, {target}}}\n")
}

/// What the report says of an endpoint over UDP.
fn observed(run: &Run, port: u16) -> Value {
    let observations = run.report()["observations"].as_array().unwrap();
    let here = |seen: &&Value| seen["protocol"] == "udp" && seen["port"] == port;
    observations.iter().find(here).unwrap_or_else(|| panic!("nothing about {port}/udp")).clone()
}

/// Each expectation against each state, with the exit code that a pipeline reads.
fn matrix(how: &str) {
    let (desk, door) = (Desk::new(), Door::open());
    let (names, mute, nobody) = (Ear::names().port, Ear::mute(), Ear::nobody());
    let (mute, nobody) = (mute.port, nobody.port);
    for (target, code, complaints) in [
        (format!("udp: none, expose: [{{port: {names}/udp, service: dns}}]"), 0, vec![]),
        (format!("udp: none, expose: [{nobody}/udp]"), 1, vec![format!("EXP003 fail {nobody}")]),
        (format!("udp: none, expose: [{mute}/udp]"), 3, vec![format!("EXP003 inconclusive {mute}")]),
        // What is there answers, and not as the service that is declared.
        (
            format!("udp: none, expose: [{{port: {names}/udp, service: ntp}}]"),
            3,
            vec![format!("EXP003 inconclusive {names}")],
        ),
        (format!("udp: none, expose: [{{port: {nobody}/udp, presence: optional}}]"), 0, vec![]),
        (format!("udp: none, expose: [{{port: {mute}/udp, presence: optional}}]"), 0, vec![]),
        (format!("udp: \"{names}\", expose: []"), 1, vec![format!("EXP001 fail {names}")]),
        (format!("udp: \"{mute},{nobody}\", expose: []"), 0, vec![]),
        (format!("udp: none, expose: [], deny: [{names}/udp]"), 1, vec![format!("EXP002 fail {names}")]),
        (format!("udp: none, expose: [], deny: [{nobody}/udp]"), 0, vec![]),
        // No question is known that a server there would answer.
        (format!("udp: none, expose: [], deny: [{mute}/udp]"), 3, vec!["EXP012 inconclusive".to_owned()]),
    ] {
        // A fixed number of attempts is over soon.
        let flags = ["--scan", how, "--max-attempts", "2"];
        let run = desk.verify_text(&manifest(&door, &target), &flags).ends(code);
        assert_eq!(run.complaints(), complaints, "{target}");
        let asked = if how == "syn" { "raw" } else { "connect" };
        assert_eq!(run.report()["run"]["scan"]["udp"], asked);
        let verdicts = &run.report()["summary"]["verdicts"];
        let is_silent = target.contains(&mute.to_string()) && code == 0;
        assert_eq!(verdicts["pass_by_silence"], u64::from(is_silent), "{target}: {verdicts}");
    }
}

#[test]
fn each_expectation_meets_each_state_as_any_user() {
    matrix("connect");
}

#[test]
fn each_expectation_meets_each_state_over_raw_packets() {
    isolated(|| matrix("syn"));
}

#[test]
fn the_report_says_what_replied_and_how_silence_came_about() {
    let (desk, door) = (Desk::new(), Door::open());
    let (names, mute, nobody) = (Ear::names(), Ear::mute(), Ear::nobody());
    let target = format!(
        "udp: \"{}\", expose: [{{port: {}/udp, service: dns}}, {{port: {}/udp, presence: optional}}]",
        nobody.port, names.port, mute.port
    );
    let run = desk.verify_text(&manifest(&door, &target), &[]).ends(0);
    let open = observed(&run, names.port);
    assert_eq!((&open["state"], &open["reason"]), (&"open".into(), &"udp-response".into()));
    assert_eq!(
        (&open["service"], &open["banner"]),
        (&"domain".into(), &"names 9.1 | refused, no recursion".into())
    );
    let silent = observed(&run, mute.port);
    assert_eq!((&silent["state"], &silent["reason"]), (&"unanswered".into(), &"no-response".into()));
    assert!(silent["attempts"].as_u64().unwrap() >= 2, "silence is asked again: {silent}");
    let coverage = &run.report()["coverage"];
    assert_eq!(
        (&coverage["open"], &coverage["closed"], &coverage["unanswered"]),
        (&2.into(), &1.into(), &1.into())
    );
    assert!(!run.headline().contains("UDP not scanned"), "{}", run.headline());
}

/// In a namespace, since ports below 1024 and whoever may listen there are the machine's.
#[test]
fn a_service_shows_itself_and_another_than_declared_is_wrong() {
    isolated(|| {
        let (desk, door) = (Desk::new(), Door::open());
        let _names = Ear::names_at(format!("{HOST}:53").parse().unwrap());
        for how in ["syn", "connect"] {
            let text = manifest(&door, "expose: [{port: 53/udp, service: ntp}]");
            let run = desk.verify_text(&text, &["--scan", how]).ends(1);
            assert_eq!(run.complaints(), ["EXP004 fail 53"]);
            assert!(run.out.contains("53/udp answers as domain, not as ntp"), "{}", run.out);
            // The default: the common ports, of which nothing else is open here.
            let text = manifest(&door, "expose: [53/udp]");
            let run = desk.verify_text(&text, &["--scan", how]).ends(0);
            assert_eq!(
                (&run.report()["coverage"]["planned"], &run.report()["coverage"]["open"]),
                (&55.into(), &2.into())
            );
            // The same without a manifest.
            let port = door.port.to_string();
            let expect = format!("{port},53/udp");
            let run = desk.verify(&["--scan", how, "--expect", &expect, "--tcp", "declared", HOST]).ends(0);
            assert_eq!(run.report()["coverage"]["planned"], 55);
            let run = desk.verify(&["--scan", how, "--expect", &port, "--tcp", "declared", HOST]).ends(1);
            assert_eq!(run.complaints(), ["EXP001 fail 53"]);
            // Left out, it is said so.
            let none = ["--scan", how, "--expect", &port, "--tcp", "declared", "--udp", "none", HOST];
            let run = desk.verify(&none).ends(0);
            assert!(run.headline().contains("UDP not scanned"), "{}", run.headline());
            assert_eq!(run.report()["run"]["scan"]["udp"], Value::Null);
        }
    });
}

#[test]
fn every_format_of_a_scan_tells_the_same() {
    isolated(|| {
        let (desk, mute, nobody) = (Desk::new(), Ear::mute(), Ear::nobody());
        let _names = Ear::names_at(format!("{HOST}:53").parse().unwrap());
        let ports = format!("53,{},{}", mute.port, nobody.port);
        let scan = |how: &str, more: &[&str]| {
            let asked = ["scan", "--scan", how, "-p", "none", "-u", ports.as_str(), HOST];
            desk.run(&[&asked, more].concat()).ends(0)
        };
        for how in ["syn", "connect"] {
            let lines = scan(how, &["--format", "ndjson", "--states", "all"]).out;
            let mut lines: Vec<Value> =
                lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            let coverage = lines.pop().unwrap()["summary"]["coverage"].clone();
            told(lines, &mute, &nobody);
            assert_eq!((states(&coverage), &coverage["unanswered"]), (3, &1.into()));
            // One word of a host does not show how often it says one: the mute port may be closed as well.
            assert_eq!(coverage["undecided"]["endpoints"], 1, "{coverage}");
        }
        let document = scan("auto", &["--format", "json", "--states", "all", "--max-attempts", "2"]).out;
        let document: Value = serde_json::from_str(&document).unwrap();
        told(document["observations"].as_array().unwrap().clone(), &mute, &nobody);
        assert_eq!(states(&document["summary"]["coverage"]), 3);

        let text = scan("auto", &["--max-attempts", "2"]);
        assert_eq!(text.out.lines().count(), 1, "only what is open: {}", text.out);
        let words: Vec<&str> = text.out.split_whitespace().collect();
        assert_eq!(words[..4], [HOST, "53/udp", "open", "udp-response"]);
        assert_eq!(words.last(), Some(&"domain"));
        text.complains(&["3 endpoints: 1 open, 1 closed, 0 filtered, 1 unanswered, 0 unknown"]);
    });
}

/// Nothing of our own is in the way: neither a source port nor anything else that is held is among them.
#[test]
fn of_the_common_ports_of_this_machine_each_has_its_answer() {
    isolated(|| {
        let desk = Desk::new();
        let _names = Ear::names_at(format!("{HOST}:53").parse().unwrap());
        for how in ["syn", "connect"] {
            let run = desk.run(&["scan", "--scan", how, "-p", "none", "-u", "common", HOST]).ends(0);
            run.complains(&["54 endpoints: 1 open, 53 closed, 0 filtered, 0 unknown"]);
        }
    });
}

/// The three endpoints as ndjson and json tell them, in any order.
fn told(mut lines: Vec<Value>, mute: &Ear, nobody: &Ear) {
    lines.sort_by_key(|line| (line["port"] != 53, line["port"] != mute.port));
    let words = lines.iter().map(|line| {
        assert_eq!((&line["address"], &line["protocol"]), (&HOST.into(), &"udp".into()));
        let text = |key: &str| line[key].as_str().unwrap_or("-").to_owned();
        (line["port"].as_u64().unwrap(), text("state"), text("reason"), text("service"))
    });
    let is = |port: u16, state: &str, reason: &str, service: &str| {
        (u64::from(port), state.to_owned(), reason.to_owned(), service.to_owned())
    };
    assert_eq!(
        words.collect::<Vec<_>>(),
        [
            is(53, "open", "udp-response", "domain"),
            is(mute.port, "unanswered", "no-response", "-"),
            is(nobody.port, "closed", "port-unreach", "-"),
        ]
    );
}

#[test]
fn what_can_never_be_proven_is_said_before_anything_is_sent() {
    let desk = Desk::new();
    let remarks = |expose: &str| {
        desk.file(
            "portproof.yaml",
            format!(
                "portproof: 1\ntargets: [{{hosts: [{HOST}], tcp: none, udp: none, expose: [{expose}]}}]\n"
            ),
        );
        let lines = desk.run(&["lint", "--json"]).ends(1).out;
        let remarks = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let unprovable = remarks.filter(|remark| remark["rule"] == "MAN017");
        unprovable.map(|remark| remark["message"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    for (expose, word) in [
        ("51820/udp", "wireguard never answers a stranger"),
        ("{port: 51820/udp, service: wireguard}", "WireGuard white paper"),
        // What is asked there is for another service.
        ("{port: 53/udp, service: wireguard}", "wireguard never answers a stranger"),
        ("{port: 40000/udp, service: syslog}", "syslog"),
        ("40000/udp", "nothing says what is there"),
    ] {
        let said = remarks(expose);
        assert!(said.len() == 1 && said[0].contains(word), "{expose}: {said:?}");
    }
    for provable in [
        "{port: 51820/udp, service: dns}",
        "{port: 51820/udp, presence: optional}",
        "{port: 40000/udp, service: ntp}",
        "53/udp",
        "51820/tcp",
    ] {
        assert_eq!(remarks(provable), [""; 0], "{provable}");
    }
    let text = desk.run(&["explain", "MAN017"]).ends(0).out;
    assert!(text.contains("unprovable-udp") && text.contains("`service:`"), "{text}");
}

/// A port that several payloads go to takes as many packets each time.
#[test]
fn a_plan_counts_every_datagram_and_verify_sends_no_more() {
    isolated(|| {
        let (desk, mute) = (Desk::new(), Ear::mute());
        let _silent = [53, 123, 161].map(|port| std::net::UdpSocket::bind((HOST, port)).unwrap());
        let most = |args: &[&str]| -> u64 {
            let plan = desk.run(&[&["plan"], args].concat()).ends(0).out;
            let words: Vec<&str> = plan.split_whitespace().collect();
            let at = words.windows(2).position(|two| two == ["at", "most"]).expect("at most N probes");
            words[at + 2].replace(',', "").parse().unwrap()
        };
        for (ports, datagrams) in
            [(mute.port.to_string(), 1), ("53".into(), 2), ("161".into(), 3), ("53,123,161".into(), 7)]
        {
            let asked = ["--expect", "none", "--tcp", "none", "--udp", &ports, HOST];
            let exact = [&asked[..], &["--max-attempts", "3"]].concat();
            assert_eq!(most(&exact), 3 * datagrams, "{ports}");
            assert_eq!(most(&asked), 6 * datagrams, "{ports}");
        }
        let asked = ["--expect", "none", "--tcp", "none", "--udp", "53,123,161", "--max-attempts", "3", HOST];
        for how in ["syn", "connect"] {
            let run = desk.verify(&[&asked[..], &["--scan", how]].concat()).ends(3);
            assert_eq!(run.report()["coverage"]["probes_sent"], most(&asked), "{how}");
        }
        // At a few packets a second their number is what takes the time.
        let slow = ["plan", "--expect", "none", "--tcp", "none", "--udp", "161", "--rate", "1", HOST];
        let plan = desk.run(&slow).ends(0).out;
        assert!(plan.contains("about 8 s if everything is silent"), "{plan}");
    });
}
