//! `verify --from`: what other runs and other tools saw is judged as they saw it, and nothing is sent. The files of
//! nmap 7.93 and masscan 1.3.2 were written in a network namespace: nmap's (`tests/corpus/nmap_xml`) hold their own
//! command lines; masscan's by `masscan 203.0.113.10 -p22,80,443 -oJ masscan.json`, `-p80 --banners -oJ
//! masscan-banners.json`, and `-p80,443 -oD masscan.ndjson`, with a web server on port 80 of the far side.

use std::{
    fs,
    io::Write as _,
    net::{Ipv4Addr, TcpListener},
    path::Path,
    thread,
};

use serde_json::Value;

use crate::{
    desk::{Desk, REPORT, Run},
    doors::{Door, Ear, Wall},
};

const WWW: &str = "portproof: 1\nauthorization: {scope: [203.0.113.0/24, www.example.com]}\n";

/// A desk with a file of the corpus on it.
fn with(desk: &Desk, sample: &str, name: &str) {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    fs::copy(tests.join(sample), desk.place(name)).unwrap();
}

fn judged(desk: &Desk, manifest: &str, args: &[&str]) -> Run {
    desk.file("portproof.yaml", manifest);
    desk.judge(args)
}

fn verdict(report: &Value, port: u64) -> &str {
    let seen = report["observations"].as_array().unwrap().iter().find(|seen| seen["port"] == port);
    seen.unwrap_or_else(|| panic!("{port} is not in the report"))["verdict"].as_str().unwrap()
}

/// A port that greets as SSH does.
fn ssh() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let _ = stream.unwrap().write_all(b"SSH-2.0-OpenSSH_9.2\r\n");
        }
    });
    port
}

#[test]
fn a_report_judged_again_says_what_it_said() {
    let desk = Desk::new();
    let (doors, walls, ear) =
        ([Door::open(), Door::open(), Door::open()], [Wall::new(), Wall::new()], Ear::mute());
    let (ssh, other) = (ssh(), ssh());
    let ports =
        doors.iter().map(|door| door.port).chain(walls.iter().map(|wall| wall.port)).chain([ssh, other]);
    let ports: Vec<String> = ports.map(|port| port.to_string()).collect();
    let manifest = format!(
        "portproof: 1\ntargets:\n  - hosts: [127.0.0.1]\n    tcp: \"{}\"\n    udp: none\n    expose: [{}, {}, {{port: {ssh}, service: ssh}}, {{port: {other}, service: https, tls: {{profile: intermediate}}}}, {}/udp]\n    deny: [{}]\n",
        ports.join(","),
        doors[0].port,
        walls[0].port,
        ear.port,
        doors[1].port
    );
    let first = desk.verify_text(&manifest, &["--vantage", "office"]).ends(1).report.unwrap();
    fs::rename(desk.place(REPORT), desk.place("first.json")).unwrap();
    let visits: Vec<usize> = doors.iter().map(Door::visits).collect();
    assert!(visits.iter().all(|visits| *visits > 0));
    let again = judged(&desk, &manifest, &["--from", "first.json"]).ends(1);
    assert!(doors.iter().all(|door| door.visits() == 0), "nothing is sent");
    let second = again.report();
    assert_eq!(second["summary"]["verdicts"], first["summary"]["verdicts"]);
    assert_eq!(second["summary"]["findings"], first["summary"]["findings"]);
    let told = |report: &Value| -> Vec<[Value; 4]> {
        let findings = report["findings"].as_array().unwrap().iter();
        findings.map(|found| ["id", "rule", "verdict", "cause"].map(|key| found[key].clone())).collect()
    };
    assert_eq!(told(second), told(&first));
    for key in ["state", "verdict", "service", "banner", "portrait"] {
        let of = |report: &Value| -> Vec<Value> {
            report["observations"].as_array().unwrap().iter().map(|seen| seen[key].clone()).collect()
        };
        assert_eq!(of(second), of(&first), "{key}");
    }
    assert_eq!(second["coverage"]["probes_sent"], 0);
    assert_eq!(
        (&second["run"]["vantage"], &second["run"]["scan"]["tcp"]),
        (&"office".into(), &"from portproof".into())
    );
    assert_eq!(second["run"]["finished_at"], first["run"]["finished_at"]);
    assert_eq!(second["run"]["sources"][0]["format"], "portproof");
    assert!(again.headline().contains("judged from first.json (portproof "), "{}", again.headline());
    // What was judged once can be judged again.
    fs::rename(desk.place(REPORT), desk.place("second.json")).unwrap();
    let third = judged(&desk, &manifest, &["--from", "second.json"]).ends(1);
    assert_eq!(told(third.report()), told(&first));
    judged(&desk, &manifest, &["--from", "first.json", "--vantage", "internet"])
        .ends(2)
        .complains(&["first.json was made from vantage office, and --vantage says internet"]);
}

#[test]
fn what_nmap_saw_is_judged_and_no_more() {
    let desk = Desk::new();
    with(&desk, "corpus/nmap_xml/syn-scan-of-two-hosts", "scan");
    let manifest = format!(
        "{WWW}targets: [{{id: www, hosts: [www.example.com], tcp: 1-1000, udp: none, families: [ipv4], expose: [80, 443], deny: [22, 3306]}}]\n"
    );
    let run = judged(&desk, &manifest, &["--from", "scan"]).ends(1);
    let report = run.report();
    let name = "EXP012 inconclusive"; // nobody says whether these are all its addresses
    assert_eq!(
        run.complaints(),
        ["EXP002 inconclusive 22", "EXP003 fail 443", "EXP003 inconclusive 80", name]
    );
    assert_eq!(report["coverage"]["planned"], 1001, "1 to 1000, and 3306");
    assert_eq!(report["targets"][0]["left_out"], "ipv6");
    assert!(run.headline().contains(" · IPv6 not scanned"), "{}", run.headline());
    assert_eq!((verdict(report, 3306), verdict(report, 443)), ("pass", "fail"));
    let finding = |port: u64| {
        report["findings"].as_array().unwrap().iter().find(|found| found["port"] == port).unwrap()
    };
    assert_eq!(finding(80)["cause"], "handshake_not_completed");
    assert_eq!(finding(443)["cause"], "closed");
    assert_eq!(report["run"]["scan"], serde_json::json!({"tcp": "from nmap-xml", "udp": null}));
    assert_eq!(report["run"]["vantage"], Value::Null);
    assert_eq!(report["run"]["started_at"], "2026-11-28T05:17:17.000Z");
    assert_eq!((&report["coverage"]["probes_sent"], &report["coverage"]["miss"]), (&0.into(), &Value::Null));
    let answers = &report["run"]["resolver"]["answers"];
    assert_eq!(
        (&answers[0]["name"], &answers[0]["addresses"][0]),
        (&"www.example.com".into(), &"203.0.113.10".into())
    );
    let left = report["not_scanned"].as_array().unwrap();
    assert!(
        left.iter()
            .any(|left| left["what"] == "203.0.113.11" && left["why"] == "in scan, not in the manifest"),
        "{left:?}"
    );
    assert!(run.headline().contains("judged from scan (nmap 7.93)"), "{}", run.headline());
    run.complains(&["judging scan (nmap 7.93); nothing is sent", "scan with -sT"]);
}

#[test]
fn a_service_counts_where_nmap_spoke_with_it() {
    let desk = Desk::new();
    with(&desk, "corpus/nmap_xml/names-services", "scan.xml");
    let target = |expose: &str| {
        format!(
            "{WWW}targets: [{{id: www, hosts: [203.0.113.10], tcp: \"22,25,81,3306\", udp: none, expose: [{expose}]}}]\n"
        )
    };
    let run = judged(&desk, &target("{port: 22, service: ssh}"), &["--from", "scan.xml"]).ends(0);
    assert_eq!(run.report()["summary"]["verdicts"]["pass"], 4);
    let run = judged(&desk, &target("{port: 22, service: https}"), &["--from", "scan.xml"]).ends(1);
    assert_eq!(run.complaints(), ["EXP004 fail 22"]);
    let tls = "{port: 22, service: ssh, tls: {min_days_left: 3}}";
    assert_eq!(judged(&desk, &target(tls), &["--from", "scan.xml"]).ends(1).complaints(), ["EXP005 fail 22"]);
    // Open by a SYN-ACK alone, and a service that is only the table's.
    let run = judged(&desk, &target("22, {port: 80, service: http}"), &["--from", "scan.xml"]).ends(3);
    assert_eq!(run.complaints(), ["EXP003 inconclusive 80"]);
    // Nobody else knows of it, and it was seen twice.
    let run = judged(&desk, &target(""), &["--from", "scan.xml"]).ends(1);
    assert_eq!(run.complaints(), ["EXP001 fail 22"]);
}

#[test]
fn what_a_file_does_not_cover_is_not_covered() {
    let desk = Desk::new();
    for name in ["masscan.json", "masscan-banners.json"] {
        with(&desk, &format!("cli/samples/{name}"), name);
    }
    let manifest = format!(
        "{WWW}targets: [{{id: www, hosts: [203.0.113.10], tcp: \"80,443\", udp: \"53\", expose: [80]}}]\n"
    );
    let run = judged(&desk, &manifest, &["--from", "masscan.json"]).ends(3);
    let verdicts = &run.report()["summary"]["verdicts"];
    assert_eq!((&verdicts["inconclusive"], &verdicts["not_covered"]), (&1.into(), &2.into()));
    assert!(run.headline().contains("UDP not scanned"), "{}", run.headline());
    let gap = run.report()["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|found| found["cause"] == "not_probed")
        .unwrap();
    assert!(gap["message"].as_str().unwrap().contains("masscan.json says nothing of them"), "{gap}");
    // With --banners masscan holds a connection.
    let run = judged(&desk, &manifest, &["--from", "masscan-banners.json"]).ends(3);
    assert_eq!(
        (verdict(run.report(), 80), &run.report()["summary"]["verdicts"]["not_covered"]),
        ("pass", &2.into())
    );
}

#[test]
fn several_files_cover_together_and_the_later_one_counts() {
    let desk = Desk::new();
    with(&desk, "corpus/nmap_xml/names-services", "tcp.xml");
    with(&desk, "corpus/nmap_xml/datagrams", "udp.xml");
    with(&desk, "corpus/nmap_xml/over-ipv6", "six.xml");
    desk.file(
        "old.jsonl",
        "{\"ip\":\"203.0.113.10\",\"timestamp\":\"2025-01-01T00:00:00Z\",\"port\":81,\"protocol\":\"tcp\"}\n",
    );
    let manifest = "portproof: 1\nauthorization: {scope: [203.0.113.0/24, \"2001:db8:10::/64\"]}\ntargets: [{id: www, hosts: [203.0.113.10], tcp: \"22,81\", udp: \"53,69\", expose: [22, 53/udp]}, {id: six, hosts: [\"2001:db8:10::10\"], tcp: \"80,443\", udp: none, expose: [80]}]\n";
    let froms = ["--from", "udp.xml", "--from", "tcp.xml", "--from", "old.jsonl", "--from", "six.xml"];
    let run = judged(&desk, manifest, &froms).ends(0);
    let report = run.report();
    assert_eq!(report["summary"]["result"], "conforms");
    assert_eq!(
        report["run"]["scan"],
        serde_json::json!({"tcp": "from naabu-json, nmap-xml", "udp": "from nmap-xml"})
    );
    let sources = report["run"]["sources"].as_array().unwrap();
    assert_eq!(sources[0]["path"], "old.jsonl", "in the order of time");
    let remarks: Vec<&str> = sources
        .iter()
        .flat_map(|source| source["remarks"].as_array().unwrap())
        .map(|remark| remark.as_str().unwrap())
        .collect();
    assert!(
        remarks.contains(&"203.0.113.10 81/tcp is closed; in the earlier old.jsonl it is open"),
        "{remarks:?}"
    );
}

/// Verifies these ports of loopback, of which none is declared, and leaves the report.
fn seen(desk: &Desk, manifest: &str, name: &str, more: &[&str]) -> Value {
    let run = desk.verify_text(manifest, more);
    fs::rename(desk.place(REPORT), desk.place(name)).unwrap();
    run.report().clone()
}

fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

#[test]
fn what_was_open_and_is_closed_since_is_closed_in_whatever_order_the_files_are_given() {
    let desk = Desk::new();
    let (listeners, ports): (Vec<TcpListener>, Vec<u16>) = (0..4).map(|_| listener()).unzip();
    let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
    let manifest = format!(
        "portproof: 1\ntargets: [{{hosts: [127.0.0.1], tcp: \"{}\", udp: none, expose: []}}]\n",
        ports.join(",")
    );
    seen(&desk, &manifest, "old.json", &[]);
    drop(listeners);
    let new = seen(&desk, &manifest, "new.json", &[]);
    assert_eq!(new["summary"]["result"], "conforms");
    for files in [["old.json", "new.json"], ["new.json", "old.json"]] {
        let both = judged(&desk, &manifest, &["--from", files[0], "--from", files[1]]).ends(0);
        assert!(both.headline().starts_with("CONFORMS  nothing unexpected"), "{}", both.headline());
        assert_eq!(both.report()["coverage"]["closed"], 4);
        both.complains(&["is not open; in the earlier old.json it is"]);
    }
}

#[test]
fn a_part_of_the_plan_takes_nothing_from_a_whole_run() {
    let desk = Desk::new();
    let ports: Vec<u16> = (0..6).map(|_| ssh()).collect();
    let list: Vec<String> = ports.iter().map(u16::to_string).collect();
    let manifest = format!(
        "portproof: 1\ntargets: [{{hosts: [127.0.0.1], tcp: \"{}\", udp: declared, expose: [], deny: [{}/udp]}}]\n",
        list.join(","),
        ports[0]
    );
    let first = seen(&desk, &manifest, "1.json", &["--shard", "1/2"]);
    let whole = seen(&desk, &manifest, "whole.json", &[]);
    let second = seen(&desk, &manifest, "2.json", &["--shard", "2/2"]);
    assert!(
        first["coverage"]["unknown"].as_u64().unwrap() > 0
            && second["coverage"]["unknown"].as_u64().unwrap() > 0
    );
    let verdicts = &whole["summary"]["verdicts"];
    let later = judged(&desk, &manifest, &["--from", "whole.json", "--from", "2.json"]).ends(1);
    assert_eq!(&later.report()["summary"]["verdicts"], verdicts);

    // Both parts together are the whole, the named UDP port included; not where another run lies between them.
    let joined = judged(&desk, &manifest, &["--from", "1.json", "--from", "2.json"]).ends(1);
    assert_eq!(&joined.report()["summary"]["verdicts"], verdicts);
    joined.complains(&["judged as one run: parts 1/2, 2/2"]);
    let all = ["--from", "1.json", "--from", "whole.json", "--from", "2.json"];
    let all = judged(&desk, &manifest, &all).ends(1);
    assert_eq!(&all.report()["summary"]["verdicts"], verdicts);
    all.complains(&["not judged as one run", "another file lies between them"]);
}

#[test]
fn names_lead_where_the_files_say_else_to_what_is_expected_else_nowhere() {
    let desk = Desk::new();
    with(&desk, "corpus/nmap_xml/names-services", "scan.xml");
    let target = |more: &str| {
        format!(
            "portproof: 1\nauthorization: {{scope: [203.0.113.0/24, \"*.example.com\"]}}\ntargets: [{{id: www, hosts: [web.example.com], tcp: \"22\", udp: none, expose: [22]{more}}}]\n"
        )
    };
    let run = judged(&desk, &target(""), &["--from", "scan.xml"]).ends(3);
    assert_eq!(run.complaints(), ["EXP003 inconclusive"]);
    let finding = run.report()["findings"][0].clone();
    assert_eq!(finding["cause"], "unresolved");
    assert!(finding["message"].as_str().unwrap().contains("Nothing that is judged says"), "{finding}");
    let expected = ", families: [ipv4], expect_dns: [203.0.113.10]";
    let run = judged(&desk, &target(expected), &["--from", "scan.xml"]).ends(0);
    let left = run.report()["not_scanned"].to_string();
    assert!(left.contains("`expect_dns` of the manifest is taken for it"), "{left}");
}

#[test]
fn a_stopped_nmap_leaves_the_rest_open() {
    let desk = Desk::new();
    with(&desk, "corpus/nmap_xml/stopped-by-hand", "scan.xml");
    let manifest = format!(
        "{WWW}targets: [{{id: www, hosts: [203.0.113.10, 203.0.113.11], tcp: \"25,79\", udp: none, expose: []}}]\n"
    );
    let run = judged(&desk, &manifest, &["--from", "scan.xml"]).ends(3);
    let report = run.report();
    assert_eq!(
        (&report["run"]["partial"], &report["run"]["stop_reason"]),
        (&true.into(), &"interrupted".into())
    );
    assert_eq!(
        (&report["summary"]["verdicts"]["pass"], &report["summary"]["verdicts"]["not_covered"]),
        (&2.into(), &2.into())
    );
    // What was done is enough where nothing else is asked.
    let manifest = manifest.replace(", 203.0.113.11", "");
    assert_eq!(judged(&desk, &manifest, &["--from", "scan.xml"]).ends(0).report()["run"]["partial"], false);
}

#[test]
fn flags_that_send_and_files_that_are_none_are_refused() {
    let desk = Desk::new();
    with(&desk, "corpus/nmap_xml/datagrams", "scan.xml");
    with(&desk, "corpus/nmap_xml/cut-off-in-a-tag", "cut.xml");
    desk.file("notes.txt", "80/tcp open\n");
    let manifest = format!(
        "{WWW}targets: [{{id: www, hosts: [203.0.113.10], tcp: none, udp: \"53\", expose: [53/udp]}}]\n"
    );
    judged(&desk, &manifest, &["--from", "scan.xml"]).ends(0);
    for (flags, named) in [
        (&["--rate", "10"][..], "--rate"),
        (&["--scan", "connect"], "--scan"),
        (&["--state", "x"], "--state"),
        (&["--resume", "x"], "--resume"),
        (&["--resolver", "192.0.2.1", "--shard", "1/2"], "--resolver and --shard"),
    ] {
        let args = [&["--from", "scan.xml"], flags].concat();
        judged(&desk, &manifest, &args)
            .ends(2)
            .complains(&[&format!("--from sends nothing, so {named} can't be meant")]);
    }
    judged(&desk, &manifest, &["--from", "cut.xml"]).ends(2).complains(&[
        "cut.xml: line 6",
        "cut off",
        "hint: ",
    ]);
    judged(&desk, &manifest, &["--from", "notes.txt"])
        .ends(2)
        .complains(&["notes.txt: line 1, column 1", "hint: --from takes"]);
    judged(&desk, &manifest, &["--from", "nowhere.xml"]).ends(2).complains(&["nowhere.xml", "No such file"]);
    desk.run(&["plan", "--from", "scan.xml"]).ends(2).complains(&["--from makes no plan"]);
}
