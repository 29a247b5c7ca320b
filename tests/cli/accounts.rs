//! `verify --from` where the accounts of what was seen are several and do not agree, or do not go as far as they seem
//! to: what one of them does not prove, the others do not prove for it. The files are as nmap, masscan and naabu write
//! them, with what matters in them changed.

use std::fmt::Write as _;

use crate::desk::{Desk, Run};

/// A host as nmap tells of it: its address, the name that was typed, open ports, and the state of the others.
struct Host<'a>(&'a str, &'a str, &'a [u16], &'a str);

/// nmap's file of a connect scan of ports 1 to 100, and of who answers on them, from and until these seconds after an hour.
fn nmap(seconds: [u64; 2], hosts: &[Host<'_>]) -> String {
    let [began, ended] = seconds.map(|seconds| 1_795_824_000 + seconds);
    let mut text = format!(
        "<nmaprun scanner=\"nmap\" start=\"{began}\" version=\"7.93\"><scaninfo type=\"connect\" protocol=\"tcp\" services=\"1-100\"/>"
    );
    for Host(address, name, open, rest) in hosts {
        let user = if name.is_empty() {
            String::new()
        } else {
            format!("<hostname name=\"{name}\" type=\"user\"/>")
        };
        let count = 100 - open.len();
        let _ = write!(
            text,
            "<host starttime=\"{began}\" endtime=\"{ended}\"><status state=\"up\" reason=\"user-set\"/><address addr=\"{address}\" addrtype=\"ipv4\"/><hostnames>{user}</hostnames><ports><extraports state=\"{rest}\" count=\"{count}\"><extrareasons reason=\"\" count=\"{count}\"/></extraports>"
        );
        for port in *open {
            let _ = write!(
                text,
                "<port protocol=\"tcp\" portid=\"{port}\"><state state=\"open\" reason=\"syn-ack\"/><service name=\"http\" method=\"probed\"/></port>"
            );
        }
        text += "</ports></host>";
    }
    text + &format!("<runstats><finished time=\"{ended}\" exit=\"success\"/></runstats></nmaprun>")
}

/// One target of these hosts, which exposes 22.
fn manifest(hosts: &str, more: &str) -> String {
    format!(
        "portproof: 1\nauthorization: {{scope: [203.0.113.0/24, www.example.com]}}\ndefaults: {{tcp: 1-100, udp: none, families: [ipv4]}}\ntargets:\n  - {{id: www, hosts: [{hosts}], expose: [22]{more}}}\n"
    )
}

const HOST: &str = "203.0.113.10";

fn judged(desk: &Desk, files: &[(&str, &str)]) -> Run {
    for (name, text) in files {
        desk.file(name, text);
    }
    let args: Vec<&str> = files.iter().flat_map(|(name, _)| ["--from", name]).collect();
    desk.judge(&args)
}

fn remarks(run: &Run) -> String {
    run.report()["run"]["sources"].to_string()
}

#[test]
fn the_silence_of_a_file_in_which_nobody_answered_says_nothing_beside_others() {
    let desk = Desk::new();
    let dark = "  - {id: dark, hosts: [203.0.113.32/31], expose: []}\n";
    desk.file("portproof.yaml", manifest(HOST, "") + dark);
    let lively = nmap([0, 9], &[Host(HOST, "", &[22], "closed")]);
    let mute = nmap(
        [60, 69],
        &[Host("203.0.113.32", "", &[], "filtered"), Host("203.0.113.33", "", &[], "filtered")],
    );
    let run = judged(&desk, &[("lively.xml", &lively), ("mute.xml", &mute)]).ends(3);
    assert_eq!(run.complaints(), ["EXP012 not_covered"]);
    assert!(remarks(&run).contains("no host answered in it"), "{}", remarks(&run));
    // In one run with somebody who answers it is what dark means.
    let both = nmap(
        [0, 9],
        &[
            Host(HOST, "", &[22], "closed"),
            Host("203.0.113.32", "", &[], "filtered"),
            Host("203.0.113.33", "", &[], "filtered"),
        ],
    );
    assert_eq!(judged(&desk, &[("both.xml", &both)]).ends(0).complaints(), [""; 0]);
}

#[test]
fn the_address_that_was_scanned_for_a_name_need_not_be_its_only_one() {
    let desk = Desk::new();
    let name = "www.example.com";
    let one = nmap([0, 9], &[Host(HOST, name, &[22], "closed")]);
    desk.file("portproof.yaml", manifest(name, ""));
    let run = judged(&desk, &[("one.xml", &one)]).ends(3);
    assert_eq!(run.complaints(), ["EXP012 inconclusive"]);
    assert_eq!(run.report()["findings"][0]["cause"], "addresses_unknown");
    // What an earlier scan found at another address does not vanish.
    let two =
        nmap([0, 9], &[Host(HOST, name, &[22], "closed"), Host("203.0.113.11", name, &[22, 80], "closed")]);
    let later = nmap([60, 69], &[Host(HOST, name, &[22], "closed")]);
    let run = judged(&desk, &[("two.xml", &two), ("later.xml", &later)]).ends(1);
    assert_eq!(run.complaints(), ["EXP001 fail 80", "EXP012 inconclusive"]);
    // The manifest knows how many there are: the one that nobody scanned is not covered, and no DNS is blamed.
    desk.file("portproof.yaml", manifest(name, ", expect_dns: [203.0.113.10, 203.0.113.11]"));
    assert_eq!(judged(&desk, &[("one.xml", &one)]).ends(3).complaints(), ["EXP012 not_covered"]);
    assert_eq!(judged(&desk, &[("two.xml", &two)]).ends(1).complaints(), ["EXP001 fail 80"]);
}

#[test]
fn what_one_file_tells_twice_and_differently_is_in_doubt() {
    let desk = Desk::new();
    desk.file("portproof.yaml", manifest(HOST, ""));
    let twice = |first: &[u16], second: &[u16]| {
        nmap([0, 9], &[Host(HOST, "", first, "closed"), Host(HOST, "", second, "closed")])
    };
    let agreeing = twice(&[22], &[22]);
    assert_eq!(judged(&desk, &[("scan.xml", &agreeing)]).ends(0).complaints(), [""; 0]);
    for (first, second) in [(&[22, 80][..], &[22][..]), (&[22], &[22, 80])] {
        let run = judged(&desk, &[("scan.xml", &twice(first, second))]).ends(3);
        assert_eq!(run.complaints(), ["EXP012 inconclusive"]);
        assert!(remarks(&run).contains("203.0.113.10 80/tcp twice"), "{}", remarks(&run));
        assert_eq!(run.report()["coverage"]["unknown"], 1);
    }
    let run = judged(&desk, &[("scan.xml", &twice(&[22], &[]))]).ends(3);
    assert_eq!(run.complaints(), ["EXP012 inconclusive"], "what is required is in doubt as well");
    // One port of one host; and the doubt of a later file is not settled by an earlier one.
    let state = |state: &str| {
        format!("<port protocol=\"tcp\" portid=\"80\"><state state=\"{state}\" reason=\"\"/></port>")
    };
    let both = format!("{}{}</ports>", state("open"), state("closed"));
    let ports = nmap([0, 9], &[Host(HOST, "", &[22], "closed")]).replace("</ports>", &both);
    let ports = ports.replace("count=\"99\"", "count=\"98\"");
    assert_eq!(judged(&desk, &[("scan.xml", &ports)]).ends(3).complaints(), ["EXP012 inconclusive"]);
    let record = |at: u64, state: &str| {
        format!(
            "{{\"ip\":\"{HOST}\",\"timestamp\":\"{at}\",\"ports\":[{{\"port\":80,\"proto\":\"tcp\",\"status\":\"{state}\"}}]}}"
        )
    };
    let masscan = format!("[{},{}]", record(1_795_824_060, "closed"), record(1_795_824_065, "open"));
    let files = [("scan.xml", agreeing.as_str()), ("masscan.json", masscan.as_str())];
    assert_eq!(judged(&desk, &files).ends(3).complaints(), ["EXP012 inconclusive"]);
}

#[test]
fn of_two_files_only_the_one_that_was_made_later_counts_for_sure() {
    let desk = Desk::new();
    desk.file("portproof.yaml", manifest(HOST, ""));
    let open = nmap([60, 69], &[Host(HOST, "", &[22, 80], "closed")]);
    let shut = |seconds| nmap(seconds, &[Host(HOST, "", &[22], "closed")]);
    let with = |seconds| judged(&desk, &[("open.xml", &open), ("shut.xml", &shut(seconds))]);
    assert_eq!(with([69, 80]).ends(0).complaints(), [""; 0], "it was closed since");
    assert_eq!(with([10, 60]).ends(1).complaints(), ["EXP001 fail 80"], "it was opened since");
    for overlapping in [[0, 61], [61, 62], [30, 600]] {
        let run = with(overlapping).ends(3);
        assert_eq!(run.complaints(), ["EXP012 inconclusive"], "{overlapping:?}");
        assert!(remarks(&run).contains("203.0.113.10 80/tcp"), "{}", remarks(&run));
    }
    // Nobody knows when this one was made.
    let naabu = format!("{{\"host\":\"{HOST}\",\"ip\":\"{HOST}\",\"port\":80,\"protocol\":\"tcp\"}}\n");
    let run = judged(&desk, &[("shut.xml", &shut([0, 9])), ("naabu.json", &naabu)]).ends(3);
    assert_eq!(run.complaints(), ["EXP012 inconclusive"]);
}

#[test]
fn port_0_takes_no_other_port_out_of_what_nmap_asked() {
    let desk = Desk::new();
    desk.file("portproof.yaml", manifest(HOST, ""));
    for services in ["0-100", "0,1-100", "1-100"] {
        let scan = nmap([0, 9], &[Host(HOST, "", &[22], "closed")]).replace("1-100", services);
        assert_eq!(judged(&desk, &[("scan.xml", &scan)]).ends(0).complaints(), [""; 0], "{services}");
    }
}

#[test]
fn a_file_given_twice_is_judged_once_and_one_of_our_own_for_nmaps_readers_is_refused() {
    let desk = Desk::new();
    desk.file("portproof.yaml", manifest(HOST, ""));
    let scan = nmap([0, 9], &[Host(HOST, "", &[22], "closed")]);
    desk.file("copy.xml", &scan);
    let run = judged(&desk, &[("scan.xml", &scan), ("copy.xml", &scan)]).ends(0);
    assert_eq!(run.report()["run"]["sources"].as_array().map(Vec::len), Some(1));
    run.complains(&["given twice"]);
    desk.run(&["render", "report.json", "--report", "nmap-xml=own.xml"]).ends(0);
    desk.judge(&["--from", "own.xml"]).ends(2).complains(&["own.xml", "judge the report itself"]);
}

#[test]
fn what_nobody_looked_at_is_no_doubt_that_an_exception_accepts() {
    let desk = Desk::new();
    let exception = "exceptions: [{id: EX-1, match: {target: www, rule: EXP012}, reason: r, approved_by: a, expires: 2099-01-01}]\n";
    desk.file("portproof.yaml", manifest(HOST, "") + exception);
    let run = judged(&desk, &[("empty.xml", &nmap([0, 9], &[]))]).ends(3);
    assert_eq!(run.complaints(), ["EXP012 not_covered"]);
}

#[test]
fn an_exception_accepts_nothing_before_it_is_approved() {
    let desk = Desk::new();
    let exception = "exceptions: [{id: EX-1, match: {target: www, rule: EXP001, port: 80/tcp}, reason: r, requested_on: 2026-02-01, approved_by: a, approved_on: 2026-03-01, expires: 2026-06-30}]\n";
    desk.file("portproof.yaml", manifest(HOST, "") + exception);
    desk.file("scan.xml", nmap([0, 9], &[Host(HOST, "", &[22, 80], "closed")]));
    for (day, code, status) in [
        ("2026-02-28", 1, "pending"),
        ("2026-03-01", 0, "in_force"),
        ("2026-06-30", 0, "in_force"),
        ("2026-07-01", 1, "expired"),
    ] {
        let run = desk.judge(&["--from", "scan.xml", "--at", day]).ends(code);
        assert_eq!(run.report()["exceptions"][0]["status"], status, "{day}");
    }
}
