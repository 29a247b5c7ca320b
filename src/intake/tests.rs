//! Files of every kind, whole and broken; and a report that is judged again.

use std::collections::BTreeSet;

use jiff::{Timestamp, civil::date};
use serde_json::json;

use super::*;
use crate::{
    identify::{
        Guard, Portrait, Session, Shown,
        tls::{Exchanged, Offered, Version, VersionOffer},
    },
    model::*,
    report::{self, Circumstances},
    spec::manifest::*,
    verify::{
        Seen,
        tests::rig::{Rig, deny, expose, half_open, ip, observed, target},
    },
};

const HOST: &str = "203.0.113.10";

fn file(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn nmap(name: &str) -> Source {
    read(&file(&format!("corpus/nmap_xml/{name}"))).unwrap()
}

fn part<'a>(source: &'a Source, address: &str, protocol: Protocol) -> &'a Part {
    &source.parts[&(ip(address), protocol)]
}

#[test]
fn content_tells_the_format_and_nothing_else_is_asked() {
    for (text, word) in [
        (file("corpus/nmap_xml/datagrams"), "nmap-xml"),
        (file("cli/samples/masscan.json"), "masscan-json"),
        (file("cli/samples/masscan.ndjson"), "masscan-json"),
        (b"\xef\xbb\xbf \n{\"ip\":\"192.0.2.1\",\"port\":80,\"protocol\":\"tcp\"}".to_vec(), "naabu-json"),
        (b"[\n]\n".to_vec(), "masscan-json"),
    ] {
        assert_eq!(read(&text).unwrap().format.word(), word);
    }
}

#[test]
fn what_can_not_be_read_is_refused_with_the_place() {
    for (text, words) in [
        ("", "it is empty"),
        ("  \n ", "it is empty"),
        ("80/tcp open", "line 1, column 1: it is no nmap XML"),
        ("\n<testsuites/>", "line 2, column 1: it is XML, and no scan by nmap: its root is `testsuites`"),
        ("<?xml version=\"1.0\"?>\n<nmaprun>\n<host end", "line 3, column 1: it is cut off"),
        ("{\"name\": 1}", "line 1, column 1: it is no nmap XML"),
        ("[\n{\"ip\": \"192.0.2.1\", \"ports\": [{\"port\": 80", "line 2, column 1: it is cut off"),
        (
            "{\"ip\":\"192.0.2.1\",\"port\":80}\n{\"ip\":\"192.0.2.1\",\"port\":\"x\"}",
            "line 2, column 1: it is no record of naabu",
        ),
        ("{\"schema\": \"portproof.report/9\"}", "a report of the schema portproof.report/9"),
        ("{\"schema\": \"portproof.report/1\"", "it is cut off at line 1"),
        ("<\0n\0m\0", "it is text in UTF-16"),
    ] {
        let error = read(text.as_bytes()).unwrap_err();
        assert!(error.to_string().contains(words), "{text}: {error}");
        assert!(!error.hint().is_empty());
    }
}

#[test]
fn a_syn_scan_shows_a_syn_ack_and_no_more() {
    let source = nmap("syn-scan-of-two-hosts");
    assert_eq!((source.tool.as_str(), source.partial), ("nmap 7.93", false));
    let ssh = &part(&source, HOST, Protocol::Tcp).seen[&22];
    assert_eq!(
        (ssh.observation.state, ssh.observation.reason, ssh.observation.ttl),
        (State::Open, Reason::SynAck, Some(64))
    );
    assert!(!ssh.observation.handshake_completed() && ssh.portrait.is_none());
    assert!(source.remarks.iter().any(|remark| remark.contains("-sT")), "{:?}", source.remarks);
    let mail = &part(&source, HOST, Protocol::Tcp).seen[&25].observation;
    assert_eq!((mail.state, mail.reason), (State::Filtered, Reason::AdminProhibited));
    assert_eq!(
        source.answers.values().next().unwrap().name,
        "www.example.com",
        "what was typed leads to what was scanned"
    );
    let dark = part(&source, "203.0.113.11", Protocol::Tcp);
    assert_eq!((dark.seen.len(), dark.rest.len(), dark.tally.unwrap().prohibited), (0, 2, 1));
    assert_eq!(dark.asked.len(), 1002);
}

#[test]
fn a_connection_that_nmap_completed_is_a_handshake_and_its_table_is_no_service() {
    let connect = nmap("connect-scan-of-every-port");
    let ssh = &part(&connect, HOST, Protocol::Tcp).seen[&22];
    assert!(ssh.observation.handshake_completed() && !ssh.observation.seen_open_twice());
    let source = nmap("names-services");
    let seen = &part(&source, HOST, Protocol::Tcp).seen;
    let portrait = seen[&22].portrait.as_ref().unwrap();
    assert_eq!((portrait.service(), portrait.is("ssh")), (Some("ssh"), Some(true)));
    assert!(portrait.banner().unwrap().starts_with("OpenSSH 9.2p1"));
    assert!(seen[&22].observation.handshake_completed() && seen[&22].observation.seen_open_twice());
    assert!(seen[&80].portrait.is_none() && !seen[&80].observation.handshake_completed(), "http by table");
}

#[test]
fn udp_silence_is_unanswered_and_a_reply_is_open() {
    let source = nmap("datagrams");
    let seen = &part(&source, HOST, Protocol::Udp).seen;
    let state = |port: u16| (seen[&port].observation.state, seen[&port].observation.reason);
    assert_eq!(state(53), (State::Open, Reason::UdpResponse));
    assert_eq!(state(69), (State::Closed, Reason::PortUnreach));
    assert_eq!(state(123), (State::Unanswered, Reason::NoResponse));
}

#[test]
fn of_a_stopped_nmap_the_hosts_that_were_done_count() {
    for name in ["stopped-by-hand", "cut-off-in-a-host"] {
        let source = nmap(name);
        assert!(source.partial && source.parts.len() == 1, "{name}");
        assert!(source.remarks.iter().any(|remark| remark.contains("stopped before its end")));
    }
}

/// nmap's XML with one host, at line 2 what was asked, at line 3 what is counted, at line 4 one port.
fn told(services: &str, count: &str, port: &str) -> Source {
    let text = format!(
        "<nmaprun scanner=\"nmap\" start=\"1796000000\">\n<scaninfo type=\"connect\" protocol=\"tcp\" services=\"{services}\"/>\n<host><address addr=\"{HOST}\" addrtype=\"ipv4\"/><ports><extraports state=\"closed\" count=\"2\"><extrareasons reason=\"conn-refused\" {count}/></extraports>\n<port protocol=\"tcp\" portid=\"{port}\"><state state=\"open\" reason=\"syn-ack\"/></port><port protocol=\"tcp\" portid=\"22\"><state state=\"open\" reason=\"syn-ack\"/></port></ports></host>\n<runstats><finished time=\"1796000010\" exit=\"success\"/></runstats></nmaprun>"
    );
    read(text.as_bytes()).unwrap()
}

#[test]
fn what_of_a_scan_can_not_be_read_is_said_with_its_place_and_the_rest_is_judged() {
    let whole = told("21-24", "count=\"2\"", "21");
    assert_eq!((whole.tool.as_str(), &whole.remarks), ("nmap", &vec![]));
    let rest = |source: &Source| part(source, HOST, Protocol::Tcp).rest.len();
    assert_eq!(rest(&whole), 1);
    let ranged = "is no number of a port (1-65535)";
    for (source, said) in [
        (told("21-24", "count=\"2\"", "80800"), format!("line 4, column 1: portid `80800` {ranged}")),
        (told("21-24", "count=\"2\"", "-1"), format!("line 4, column 1: portid `-1` {ranged}")),
        (told("21-24", "count=\"2\"", ""), format!("line 4, column 1: portid `` {ranged}")),
        (
            told("1-70000", "count=\"2\"", "21"),
            "line 2, column 1: services `1-70000` is no list of ports (1-65535)".to_owned(),
        ),
        (
            told("21-24", "count=\"99999999999999999999\"", "21"),
            "count `99999999999999999999` is no number of ports".to_owned(),
        ),
        (told("21-24", "count=\"65537\"", "21"), "count `65537` is no number of ports".to_owned()),
        (
            told("21-24", "proto=\"tcp\" count=\"2\" ports=\"23,70000\"", "21"),
            "ports `23,70000` is no list of ports (1-65535)".to_owned(),
        ),
    ] {
        assert!(source.remarks.iter().any(|remark| remark.contains(&said)), "{said}: {:?}", source.remarks);
        let seen = &part(&source, HOST, Protocol::Tcp).seen;
        assert_eq!(seen[&22].observation.state, State::Open, "{said}");
        assert!(seen.keys().all(|port| [21, 22].contains(port)));
        let known = usize::from(said.starts_with("ports"));
        assert_eq!(rest(&source), known, "{said}: what is not certain is not known");
    }
    // Port 0 nmap can ask, and no server can have.
    assert_eq!(
        told("0,21-24", "count=\"2\"", "0").remarks.iter().filter(|said| said.contains("portid")).count(),
        0
    );
}

#[test]
fn a_scan_that_does_not_say_what_it_asked_is_left_out_and_that_is_said() {
    let text = format!(
        "<nmaprun scanner=\"nmap\"><host><address addr=\"{HOST}\" addrtype=\"ipv4\"/><ports><port protocol=\"tcp\" portid=\"22\"><state state=\"open\" reason=\"syn-ack\"/></port></ports></host><runstats><finished time=\"1796000010\" exit=\"success\"/></runstats></nmaprun>"
    );
    let source = read(text.as_bytes()).unwrap();
    assert!(source.parts.is_empty() && source.remarks[0].contains("no scaninfo"), "{:?}", source.remarks);
    assert!(nmap("a-host-that-is-down").remarks.is_empty(), "of a host that is down nothing is left out");
}

#[test]
fn a_host_that_is_down_and_a_scan_that_tells_nothing_cover_nothing() {
    assert!(nmap("a-host-that-is-down").parts.is_empty());
    let ack = nmap("an-ack-scan");
    assert!(ack.parts.is_empty() && ack.remarks[0].contains("ack scan"), "{:?}", ack.remarks);
}

#[test]
fn ports_that_are_only_counted_are_known_as_what_proves_least() {
    let source = nmap("counts-without-a-list");
    let rest = &part(&source, HOST, Protocol::Tcp).rest[0];
    assert_eq!((rest.ports.len(), rest.weakest(), rest.why()), (99, State::Filtered, Reason::Unlisted));
    assert_eq!((rest.states.closed, rest.states.filtered), (90, 9));
    assert!(source.remarks.iter().any(|it| it.contains("does not say whether nmap came to its end")));
    let states =
        |closed, unanswered, unknown| StateCounts { closed, unanswered, unknown, ..StateCounts::default() };
    let rest = |states| Rest { ports: PortSet::parse("1-10").unwrap(), states, reason: None };
    assert_eq!(rest(states(10, 0, 0)).weakest(), State::Closed);
    assert_eq!(rest(states(9, 1, 0)).weakest(), State::Unanswered);
    assert_eq!(rest(states(9, 0, 1)).weakest(), State::Unknown);
    assert_eq!(rest(states(9, 0, 0)).weakest(), State::Unknown, "one is missing");
}

#[test]
fn no_entity_is_expanded_and_nothing_is_fetched() {
    for (name, written) in [("entities-that-multiply", "&c;"), ("an-entity-from-a-file", "&x;")] {
        let source = nmap(name);
        let portrait = part(&source, HOST, Protocol::Tcp).seen[&22].portrait.clone().unwrap();
        assert_eq!(portrait.banner().as_deref(), Some(written), "{name}");
    }
    assert!(
        read(&file("corpus/nmap_xml/nested-a-thousand-deep")).unwrap_err().to_string().contains("deeper")
    );
}

#[test]
fn every_list_that_masscan_ever_wrote_is_read() {
    let record = "{ \"ip\": \"192.0.2.1\", \"timestamp\": \"1795843093\", \"ports\": [ {\"port\": 80, \"proto\": \"tcp\", \"status\": \"open\", \"reason\": \"syn-ack\", \"ttl\": 64} ] }";
    let other = record.replace("80,", "443,");
    for (text, partial) in [
        (format!("[\n{record}\n,\n{other}\n]\n"), false),
        (format!("[\n{record},\n{other},\n{{finished: 1}}\n]\n"), false),
        (format!("[\n{record},\n{other},\n]\n"), false),
        (format!("[\n{record}\n{other}\n"), true),
    ] {
        let source = read(text.as_bytes()).unwrap();
        let part = part(&source, "192.0.2.1", Protocol::Tcp);
        assert_eq!((part.seen.len(), source.partial), (2, partial), "{text}");
        assert!(part.asked.is_empty() && part.rest.is_empty(), "what was asked is not known");
        assert!(!part.seen[&80].observation.handshake_completed());
    }
    let banners = read(&file("cli/samples/masscan-banners.json")).unwrap();
    let seen = &part(&banners, HOST, Protocol::Tcp).seen[&80].observation;
    assert!(seen.handshake_completed() && seen.looks.len() == 2, "it said something over a connection");
}

#[test]
fn naabu_says_what_a_name_leads_to_and_what_nmap_told_it() {
    let text = "{\"host\":\"WWW.example.com\",\"ip\":\"192.0.2.1\",\"timestamp\":\"2026-11-28T05:18:13.123Z\",\"port\":443,\"protocol\":\"tcp\",\"tls\":true}\n\
                {\"ip\":\"192.0.2.1\",\"timestamp\":\"2026-11-28T05:18:14Z\",\"port\":22,\"protocol\":\"tcp\",\"tls\":false,\"name\":\"ssh\",\"method\":\"probed\",\"product\":\"OpenSSH\"}\n";
    let source = read(text.as_bytes()).unwrap();
    let answer = source.answers.values().next().unwrap();
    assert_eq!((answer.name.as_str(), answer.addresses[0]), ("www.example.com", ip("192.0.2.1")));
    let seen = &part(&source, "192.0.2.1", Protocol::Tcp).seen;
    assert!(!seen[&443].observation.handshake_completed() && seen[&443].portrait.is_none());
    assert!(seen[&22].observation.handshake_completed() && seen[&22].portrait.is_some());
    assert_eq!(source.finished.unwrap().to_string(), "2026-11-28T05:18:14Z");
}

fn wide(tcp: &str) -> Target {
    let mut www = target("www", &[HOST]);
    www.tcp = PortSet::parse(tcp).unwrap();
    www.udp = PortSet::NONE;
    www
}

#[test]
fn the_later_of_two_files_counts_and_what_the_earlier_says_otherwise_is_told() {
    let now = nmap("connect-scan-of-every-port");
    let mut before = nmap("syn-scan-of-two-hosts");
    for part in before.parts.values_mut() {
        part.at = Timestamp::from_second(1).unwrap();
    }
    before.parts.get_mut(&(ip(HOST), Protocol::Tcp)).unwrap().seen.get_mut(&22).unwrap().observation.state =
        State::Closed;
    let mut www = wide("1-100");
    www.expose.push(expose("23/tcp", Presence::Required));
    let plan = Rig::new(vec![www]).plan();
    let gathered = gather(&[("old.xml", &before), ("new.xml", &now)], &plan);
    assert_eq!(gathered.determined, 100);
    let ssh = gathered.observations.iter().find(|seen| seen.endpoint.port == 22).unwrap();
    assert!(ssh.state == State::Open && ssh.handshake_completed());
    let named = gathered.observations.iter().find(|seen| seen.endpoint.port == 23).unwrap();
    assert_eq!(
        (named.state, named.reason),
        (State::Closed, Reason::ConnRefused),
        "what is named is judged by itself"
    );
    assert_eq!(
        gathered.remarks,
        [(1, "203.0.113.10 22/tcp is open; in the earlier old.xml it is closed".to_owned())]
    );
    let strangers: Vec<&str> = gathered.left_out.iter().map(|left| left.what.as_str()).collect();
    assert_eq!(strangers, ["203.0.113.11"]);
    // Either half alone covers less; together they cover what each of them does.
    let plan = Rig::new(vec![wide("900-1100")]).plan();
    let alone = gather(&[("old.xml", &before)], &plan);
    assert_eq!(
        (alone.determined, gather(&[("old.xml", &before), ("new.xml", &now)], &plan).determined),
        (101, 201)
    );
}

// ---- a report judged again: the same verdicts from the same evidence

const DAY: jiff::civil::Date = date(2026, 11, 29);

/// Judges a rig, writes the report, reads it, and judges the same manifest by what was read.
fn again(mut rig: Rig) -> report::Report {
    rig.at = DAY;
    let plan = rig.plan();
    rig.observe_named(&plan);
    let tallies = rig.tallies(&plan);
    again_with(&mut rig, &tallies)
}

fn again_with(rig: &mut Rig, tallies: &[Tally]) -> report::Report {
    let plan = rig.plan();
    let first = written(rig, &plan, tallies);
    let mut text = Vec::new();
    report::json::write(&first, &mut text).unwrap();
    let source = read(&text).unwrap();
    let gathered = gather(&[("first.json", &source)], &plan);
    assert_eq!(gathered.remarks, []);
    let mut second = Rig {
        observations: gathered.observations,
        portraits: gathered.portraits,
        ..std::mem::replace(rig, Rig::new(vec![]))
    };
    second.partial = source.partial;
    let second = written(&second, &plan, &gathered.tallies);
    assert_eq!(second.summary.verdicts, first.summary.verdicts);
    let ids = |report: &report::Report| -> Vec<(String, String, Verdict, Severity)> {
        let told = report.findings.iter().map(|f| (f.id.clone(), f.rule.clone(), f.verdict, f.severity));
        told.collect()
    };
    assert_eq!(ids(&second), ids(&first));
    let states = |report: &report::Report| -> Vec<StateCounts> {
        report.coverage.per_address.iter().map(|address| address.states).collect()
    };
    assert_eq!(states(&second), states(&first));
    first
}

fn written(rig: &Rig, plan: &crate::spec::plan::Plan, tallies: &[Tally]) -> report::Report {
    let judgement = rig.judge_with(plan, tallies);
    let seen =
        Seen { observations: &rig.observations, tallies, portraits: &rig.portraits, partial: rig.partial };
    let mut run: report::Run = serde_json::from_value(json!({
        "id": "r1", "started_at": "2026-11-29T00:00:00Z", "finished_at": "2026-11-29T00:00:00Z",
        "vantage": null, "operator": null, "seed": 1, "argv": [],
        "selection": {"only": [], "exclude": [], "families": null, "tcp": null, "udp": null, "shard": null, "at": null, "strict": false},
        "scan": {"tcp": "connect", "udp": null}, "fallbacks": [], "partial": rig.partial, "stop_reason": "complete",
        "clock": {"source": "system", "synchronized": null, "max_error_ms": null},
        "manifest": {"path": null, "sha256": null, "git": null, "name": null, "owner": null, "contact": null, "environment": null},
        "previous": null, "next_due": null, "resolver": {"servers": [], "answers": []},
        "host": {"name": null, "source_addresses": []}
    }))
    .unwrap();
    run.resolver = report::resolver_record(&rig.resolution);
    let circumstances = Circumstances {
        tool: report::Tool {
            name: "portproof".to_owned(),
            version: "0.1.0".to_owned(),
            commit: None,
            sha256: None,
        },
        run,
        start: "2026-11-29T00:00:00Z".parse().unwrap(),
        coverage: Coverage::default(),
        duration: std::time::Duration::ZERO,
        stopped: None,
        banners: std::collections::BTreeMap::new(),
        connections: 0,
        role_denials: vec![],
    };
    report::assemble(&rig.manifest, plan, &seen, &judgement, circumstances)
}

fn rules(report: &report::Report) -> BTreeSet<&str> {
    report.findings.iter().map(|finding| finding.rule.as_str()).collect()
}

#[test]
fn a_report_judged_again_gives_the_same_verdicts() {
    let mut www = wide("1-1000");
    www.udp = PortSet::parse("53,123,161").unwrap();
    www.expose.push(expose("443/tcp", Presence::Required));
    www.expose.push(expose("25/tcp", Presence::Required));
    www.expose.push(expose("53/udp", Presence::Required));
    www.deny.push(deny("6379/tcp"));
    let base = || {
        let rig = Rig::new(vec![www.clone()]).fill(HOST, State::Closed).see(HOST, 443, State::Open);
        Rig { udp: true, ..rig }
    };
    let first = again(base().see(HOST, 22, State::Open).see(HOST, 6379, State::Open));
    assert!(
        rules(&first).is_superset(&BTreeSet::from(["EXP001", "EXP002", "EXP003"])),
        "{:?}",
        rules(&first)
    );
    let sorted = serde_json::to_string(&serde_json::to_value(&first).unwrap()).unwrap();
    assert!(sorted.find("schema").unwrap() > 256, "another program has sorted its keys");
    assert_eq!(read(sorted.as_bytes()).unwrap().format.word(), "portproof");
    again(Rig { partial: true, ..base() });
    again(Rig::new(vec![www.clone()]).fill(HOST, State::Filtered));
    let mut half = base();
    half.observations.push(half_open(ip(HOST), 25, Evidence::Silence));
    half.observations.push(half_open(ip(HOST), 22, Evidence::Reset));
    again(half);
    let mut unlike = base();
    let mut seen = observed(ip(HOST), Protocol::Tcp, 25, State::Open);
    let look = Look { evidence: Evidence::Refused, ..seen.looks[0] };
    seen.looks.push(look);
    unlike.observations.push(seen);
    assert!(rules(&again(unlike)).contains("EXP011"));
    let mut block = target("dark", &["203.0.113.0/28"]);
    block.udp = PortSet::NONE;
    again(Rig::new(vec![block, www.clone()]).fill(HOST, State::Closed).fill("203.0.113.3", State::Filtered));
}

#[test]
fn what_an_address_showed_of_itself_counts_again() {
    let rig = || Rig {
        at: DAY,
        ..Rig::new(vec![wide("1-100")]).fill(HOST, State::Filtered).see(HOST, 80, State::Open)
    };
    for change in [
        (|tally: &mut Tally| tally.fell_silent = true) as fn(&mut Tally),
        |tally| tally.controls = Some(ControlCount { asked: 5, open: 5 }),
        |tally| tally.miss = Some(Miss { estimate: 0.1, upper95: 0.5 }),
        |tally| tally.prohibited = 30,
    ] {
        let mut rig = rig();
        let plan = rig.plan();
        rig.observe_named(&plan);
        let mut tallies = rig.tallies(&plan);
        tallies.iter_mut().filter(|tally| tally.protocol == Protocol::Tcp).for_each(change);
        again_with(&mut rig, &tallies);
    }
}

#[test]
fn services_and_tls_count_again() {
    let secured = |guard, offered: Offered| Portrait {
        shown: Some(Shown { service: "http", identity: None, banner: Some("nginx".to_owned()), guard }),
        encrypted: true,
        sessions: vec![Session {
            name: None,
            upgraded: false,
            version: "TLS 1.2".to_owned(),
            suite: Some("TLS_RSA_WITH_AES_128_CBC_SHA".to_owned()),
            chain: vec![include_bytes!("../identify/tls/tests/rsa.der").to_vec(), vec![1]],
            trust: Err("it is self-signed".to_owned()),
        }],
        offered: vec![(None, offered)],
        ..Portrait::default()
    };
    let weak = Offered {
        versions: vec![VersionOffer {
            version: Version::Tls10,
            suites: vec![0x000a, 0xfafa],
            server_order: None,
            complete: true,
        }],
        refused: vec![Version::Ssl3, Version::Tls11, Version::Tls12, Version::Tls13],
        exchanged: vec![
            Exchanged::Dh { bits: 512 },
            Exchanged::Group(1),
            Exchanged::Rsa { bits: 512 },
            Exchanged::Explicit,
        ],
        compresses: true,
        ..Offered::default()
    };
    let clear = Portrait {
        sessions: vec![],
        offered: vec![(
            None,
            Offered {
                chains: vec![vec![include_bytes!("../identify/tls/tests/rsa.der").to_vec()]],
                ..weak.clone()
            },
        )],
        ..secured(Guard::Untold, Offered::default())
    };
    let plain = |service, guard| Portrait {
        shown: Some(Shown { service, identity: None, banner: None, guard }),
        ..Portrait::default()
    };
    let mut found = BTreeSet::new();
    for portrait in [
        secured(Guard::Untold, weak),
        clear,
        secured(
            Guard::Open("answers PING without a password"),
            Offered { unknown: vec![Version::Tls13], ..Offered::default() },
        ),
        plain("ssh", Guard::Untold),
        plain("ftp", Guard::Cleartext("offers no TLS")),
        Portrait { is_cut: true, ..Portrait::default() },
    ] {
        let mut www = wide("80,443");
        let mut entry = expose("443/tcp", Presence::Required);
        entry.service = Some("https".to_owned());
        entry.tls = Some(TlsExpectation {
            profile: Some("intermediate".to_owned()),
            trusted: Some(true),
            ..TlsExpectation::default()
        });
        www.expose.push(entry);
        let mut rig = Rig::new(vec![www]).fill(HOST, State::Closed).see(HOST, 443, State::Open);
        rig.portraits.insert(Endpoint::tcp(ip(HOST), 443), portrait);
        found.extend(again(rig).findings.into_iter().map(|finding| finding.rule));
    }
    for rule in ["EXP004", "EXP005", "EXP006", "EXP007", "EXP012"] {
        assert!(found.contains(rule), "{rule} in {found:?}");
    }
}

#[test]
fn another_manifest_over_the_same_report_takes_what_proves_least() {
    let base = Rig {
        at: DAY,
        ..Rig::new(vec![wide("1-1000")]).fill(HOST, State::Closed).see(HOST, 22, State::Open)
    };
    let plan = base.plan();
    let mut tallies = base.tallies(&plan);
    let tcp = tallies.iter_mut().find(|tally| tally.protocol == Protocol::Tcp).unwrap();
    (tcp.states.closed, tcp.states.filtered) = (tcp.states.closed - 10, 10);
    let mut text = Vec::new();
    report::json::write(&written(&base, &plan, &tallies), &mut text).unwrap();
    let source = read(&text).unwrap();
    let mut www = wide("500-600,2000");
    www.expose.push(expose("443/tcp", Presence::Required));
    let rig = Rig::new(vec![www]);
    let plan = rig.plan();
    let gathered = gather(&[("first.json", &source)], &plan);
    assert_eq!(gathered.determined, 102, "port 2000 was not asked");
    let rig = Rig { observations: gathered.observations, at: DAY, ..rig };
    let judgement = rig.judge_with(&plan, &gathered.tallies);
    assert_eq!(judgement.verdicts.not_covered, 1);
    let missing = judgement.only("EXP003");
    assert_eq!((missing.cause, missing.verdict), (Some("not_open"), Verdict::Fail));
    assert!(
        gathered.left_out.iter().any(|left| left.what == "203.0.113.10 22/tcp"),
        "{:?}",
        gathered.left_out
    );
}
