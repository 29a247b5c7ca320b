//! Every endpoint's state against the truth, nmap beside it, and trouble of our own that is never the network's.

use serde_json::Value;

use super::{
    address::{address, ports, twin, with_twins},
    host::Host,
    isolate::{isolated, sh},
    lab::Lab,
    nmap,
    portproof::{MOUTHS, manifest, scan, scan_by, scan_limited, verify_by},
};

const ANSWERING: &str = "203.0.113.1";
const DROPPING: &str = "203.0.113.2";
const MIXED: &str = "203.0.113.3";
const PROHIBITING: &str = "203.0.113.4";
const BUSY: &str = "203.0.113.5";

/// A /28 in which six addresses are used and ten are dark.
fn block() -> Lab {
    Lab::new()
        .host(Host::at(ANSWERING).also(twin(ANSWERING)).listen([1, 22, 80, 443, 8080, 65_535]))
        .host(Host::at(DROPPING).also(twin(DROPPING)).default_drop().listen([80, 443]))
        .host(
            Host::at(MIXED)
                .also(twin(MIXED))
                .drop(2..=99)
                .admin_prohibited(100..=149)
                .port_unreachable(150..=199)
                .reject_rst(200..=249)
                .drop(1000..=4999)
                .admin_prohibited(10_000..=19_999)
                .port_unreachable(20_000..=29_999)
                .reject_rst(30_000..=39_999)
                .listen([1, 120, 443, 3306, 15_000, 25_000, 35_000, 65_535]),
        )
        .host(Host::at(PROHIBITING).also(twin(PROHIBITING)).admin_prohibited(1..=65_535).listen([25]))
        .host(
            Host::at(BUSY)
                .also(twin(BUSY))
                .listen((40_000..=41_999).filter(|port| port % 7 != 0))
                .drop([40_999]),
        )
        .host(Host::at("203.0.113.14").also("2001:db8:10::e").default_drop())
}

#[test]
fn every_port_of_every_host_has_the_state_that_is_true() {
    isolated(|| {
        let lab = block().start();
        let hosts = with_twins(&[ANSWERING, DROPPING, MIXED, PROHIBITING, BUSY]);
        let all = ports(1..=65_535);
        let asked: Vec<(&str, &[u16])> = hosts.iter().map(|host| (*host, all.as_slice())).collect();
        for mouth in MOUTHS {
            lab.check(&scan_by(mouth, &[&["-p-"], &hosts[..]].concat()), &asked);
        }
    });
}

#[test]
fn every_address_of_a_block_has_the_states_that_are_true() {
    isolated(|| {
        let lab = block().start();
        let asked = ports((1..=300).chain(40_000..=40_100));
        let four = (0..16).map(|last| format!("203.0.113.{last}"));
        let addresses: Vec<String> =
            four.chain((0..16).map(|last| format!("2001:db8:10::{last:x}"))).collect();
        let asked: Vec<(&str, &[u16])> =
            addresses.iter().map(|host| (host.as_str(), asked.as_slice())).collect();
        for mouth in MOUTHS {
            lab.check(
                &scan_by(mouth, &["-p", "1-300,40000-40100", "203.0.113.0/28", "2001:db8:10::/124"]),
                &asked,
            );
        }
    });
}

#[test]
fn nmap_and_portproof_agree() {
    isolated(|| {
        let lab = block().start();
        let sample =
            ports([1, 2, 22, 25, 80, 99, 100, 120, 149, 150, 199, 200, 249, 443, 3306, 65_534, 65_535]);
        let list = sample.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let hosts = with_twins(&[ANSWERING, DROPPING, MIXED, PROHIBITING, BUSY]);
        let asked: Vec<(&str, &[u16])> = hosts.iter().map(|host| (*host, sample.as_slice())).collect();
        let scans = MOUTHS.map(|mouth| scan_by(mouth, &[&["-p", &list], &hosts[..]].concat()));
        for scan in &scans {
            lab.check(scan, &asked);
        }
        for host in hosts.iter().map(|host| address(host)) {
            // A SYN scan of theirs sees packets as ours does: the states must be the same, without exception.
            for (port, theirs) in nmap::syn_scan(host, &sample) {
                assert_eq!(scans[1].seen[&(host, port)].state, theirs, "nmap -sS on {host} {port}/tcp");
            }
            for (port, theirs) in nmap::connect_scan(host, &sample) {
                let truth = lab.truth(host, port).expect("the host is declared");
                assert_eq!(
                    theirs,
                    truth.seen_by_nmap_connect(),
                    "nmap on {host} {port}/tcp, which is {truth:?}"
                );
                // Where nmap can tell the states apart at all, both say the same.
                if truth.seen_by_nmap_connect() == truth.state() {
                    assert_eq!(scans[0].seen[&(host, port)].state, theirs, "{host} {port}/tcp");
                }
            }
        }
    });
}

#[test]
fn few_descriptors_make_a_scan_slower_and_not_different() {
    isolated(|| {
        let lab = block().start();
        let args = ["-p", "1-99,200-249,30000-33000", MIXED, twin(MIXED), ANSWERING, twin(ANSWERING)];
        let free = scan(&args);
        let tight = scan_limited("connect", "ulimit -n 64", &args);
        let asked = ports((1..=99).chain(200..=249).chain(30_000..=33_000));
        let hosts = [MIXED, twin(MIXED), ANSWERING, twin(ANSWERING)];
        lab.check(&tight, &hosts.map(|host| (host, asked.as_slice())));
        assert_eq!(free.states(), tight.states());
    });
}

#[test]
fn loss_may_hide_a_port_but_never_invents_one() {
    isolated(|| {
        let lab = block().lossy(20).start();
        let asked = ports((1..=300).chain(40_000..=40_300));
        for mouth in MOUTHS {
            let hosts = [MIXED, BUSY, twin(MIXED), twin(BUSY)];
            let scan =
                scan_by(mouth, &[&["-p", "1-300,40000-40300", "--max-attempts", "2"], &hosts[..]].concat());
            assert_eq!(scan.seen.len(), 4 * asked.len(), "every endpoint ends in a state");
            let mut hidden = 0;
            for (&(host, port), seen) in &scan.seen {
                let truth = lab.truth(host, port).expect("the host is declared");
                let silent = (seen.state.as_str(), seen.reason.as_str()) == ("filtered", "no-response");
                hidden += usize::from(silent && !truth.reasons().contains(&"no-response"));
                assert!(
                    silent || truth.state() == seen.state && truth.reasons().contains(&seen.reason.as_str()),
                    "{host} {port}/tcp is {truth:?} and said to be {} ({})",
                    seen.state,
                    seen.reason
                );
            }
            // Two attempts of at least one SYN each hide one in 25, some 80 of these; 240 is beyond chance.
            assert!(
                hidden < asked.len() * 2 / 5,
                "{hidden} of {} answering endpoints hidden",
                4 * asked.len()
            );
        }
    });
}

#[test]
fn what_cannot_be_routed_to_is_unknown_and_never_filtered() {
    isolated(|| {
        block().start();
        // No route at all, and the three kinds of route that say no.
        let unreachable =
            ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "2001:db8:66::1", "2001:db8:66::2"];
        sh("ip -6 route add unreachable 2001:db8:66::2");
        sh("ip route add unreachable 192.0.2.2");
        sh("ip route add blackhole 192.0.2.3");
        sh("ip route add prohibit 192.0.2.4");
        for mouth in MOUTHS {
            let scan = scan_by(mouth, &[&["-p", "22,80,443", ANSWERING], &unreachable[..]].concat());
            assert_eq!(scan.coverage["unknown"], 18, "{}", scan.coverage);
            for (&(host, port), seen) in &scan.seen {
                if host == address(ANSWERING) {
                    assert_eq!(seen.state, "open", "{host} {port}/tcp");
                } else {
                    assert_eq!(seen.state, "unknown", "{host} {port}/tcp, {}", seen.reason);
                    assert!(seen.reason.starts_with("local-"), "{host} {port}/tcp: {}", seen.reason);
                }
            }
            for host in unreachable {
                let path = manifest(&format!(
                    "portproof: 1
targets:
  - {{id: here, hosts: [{ANSWERING}], expose: [22, 80, 443], tcp: declared, udp: none}}
  - {{id: nowhere, hosts: [\"{host}\"], expose: [80, 443], tcp: declared, udp: none}}
"
                ));
                let verified = verify_by(mouth, &["--rate", "max", path]);
                verified.reconciles();
                assert_eq!(verified.output.status, 3, "{host}: {mouth} {}", verified.output.stdout);
                assert_eq!((verified.verdict("pass"), verified.verdict("fail")), (3, 0), "{host}");
                assert_eq!(verified.report["coverage"]["unknown"], 2, "{host}");
            }
        }
    });
}

#[test]
fn the_same_seed_gives_the_same_report() {
    isolated(|| {
        let lab = block().start();
        let path = manifest(&format!(
            "portproof: 1
targets:
  - {{id: mixed, hosts: [{MIXED}, \"{}\"], expose: [443, 1000, 120], tcp: 1-2000, udp: none}}
  - {{id: answering, hosts: [{ANSWERING}], expose: [80, 81], deny: [22], tcp: 1-2000, udp: none}}
",
            twin(MIXED)
        ));
        for mouth in MOUTHS {
            let reports = [(); 2].map(|()| {
                let verified = verify_by(mouth, &["--rate", "max", "--seed", "7", path]);
                let asked = ports(1..=2000);
                lab.check_report(
                    &verified,
                    &[MIXED, twin(MIXED), ANSWERING].map(|host| (host, asked.as_slice())),
                );
                assert_eq!(verified.output.status, 1, "{}", verified.headline());
                let mut report = verified.report;
                strip(&mut report);
                serde_json::to_string_pretty(&report).expect("JSON")
            });
            let [first, second] = &reports;
            let differing: Vec<_> =
                first.lines().zip(second.lines()).filter(|(a, b)| a != b).take(20).collect();
            assert!(first == second, "two runs with one seed differ: {differing:#?}");
        }
    });
}

/// Removes what time and chance may change: the run's id and command line, times, rates, attempts, and
/// counters other than the states.
fn strip(value: &mut Value) {
    const CHANCE: [&str; 17] = [
        "argv",
        "at",
        "connections",
        "attempts",
        "probes_sent",
        "retransmitted",
        "replies",
        "strays",
        "kernel_drops",
        "send_errors",
        "rate_pps",
        "loss",
        "miss",
        "clock",
        "first_seen",
        "evidence",
        "headline",
    ];
    match value {
        Value::Object(map) => {
            if let Some(run) = map.get_mut("run").and_then(Value::as_object_mut) {
                run.remove("id");
            }
            map.retain(|key, _| {
                let timed = ["_at", "_ms", "_s"].iter().any(|end| key.ends_with(end));
                !timed && !CHANCE.contains(&key.as_str())
            });
            map.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        // `2 completed handshakes, 1.1 s apart`
        Value::String(text) => {
            if let Some((before, after)) = text.split_once(" s apart") {
                let before = before.rsplit_once(' ').map_or("", |(before, _)| before);
                *text = format!("{before} some time apart{after}");
            }
        }
        _ => {}
    }
}
