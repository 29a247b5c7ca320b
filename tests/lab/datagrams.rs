//! UDP: real servers found by their own payloads, every state against the truth, and the verdicts that follow.

use std::{collections::BTreeMap, net::IpAddr};

use serde_json::Value;

use super::{
    address::{GATEWAY4, GATEWAY6, address},
    daemons::{self, SERVICES},
    host::Host,
    isolate::isolated,
    isolate::{run, sh},
    lab::{Lab, far},
    portproof::{MOUTHS, Verified, manifest, portproof, verify_by},
};

const SERVER4: &str = "203.0.113.53";
const SERVER6: &str = "2001:db8:10::53";
const OTHER4: &str = "203.0.113.77";
const OTHER6: &str = "2001:db8:10::77";

/// One endpoint over UDP: its state, the reason, and the service that showed itself.
pub(super) type Seen = (String, String, Option<String>);

/// Scans over UDP alone, and reads every line: each endpoint once, and the totals.
pub(super) fn scan(mouth: &str, args: &[&str]) -> (BTreeMap<(IpAddr, u16), Seen>, Value) {
    let asked = ["scan", "--scan", mouth, "-p", "none", "--format", "ndjson", "--states", "all"];
    let output = portproof(&[&asked, args].concat());
    assert_eq!(output.status, 0, "{output:?}");
    let (mut seen, mut coverage) = (BTreeMap::new(), None);
    for line in output.stdout.lines() {
        let line: Value = serde_json::from_str(line).expect("JSON");
        if let Some(summary) = line.get("summary") {
            coverage = Some(summary["coverage"].clone());
            continue;
        }
        assert_eq!((&line["protocol"], coverage.is_none()), (&"udp".into(), true), "{line}");
        let word = |key: &str| line[key].as_str().map(str::to_owned);
        let port = u16::try_from(line["port"].as_u64().expect("a port")).expect("a port");
        let end = (address(&word("address").expect("an address")), port);
        let state = (word("state").expect("a state"), word("reason").expect("a reason"), word("service"));
        let before = seen.insert(end, state);
        assert_eq!(
            before.is_some(),
            line["supersedes"] == true,
            "an endpoint is said once, or superseded: {line}"
        );
    }
    (seen, coverage.expect("the last line is the summary"))
}

#[test]
fn real_servers_are_found_by_their_own_payloads_over_both_families_by_either_mouth() {
    isolated(|| {
        Lab::new().host(Host::at(SERVER4).also(SERVER6)).start();
        daemons::start(address(SERVER4), address(SERVER6));
        let ports = SERVICES.map(|(port, _)| port.to_string()).join(",");
        for mouth in MOUTHS {
            // At an even pace: a burst of all questions at once is more than some of them have room for.
            let (seen, _) = scan(mouth, &["--rate", "1000", "-u", &ports, SERVER4, SERVER6]);
            for host in [SERVER4, SERVER6].map(address) {
                for (port, service) in SERVICES {
                    let open = ("open".to_owned(), "udp-response".to_owned(), Some(service.to_owned()));
                    assert_eq!(seen[&(host, port)], open, "{mouth}: {host} {port}/udp");
                }
            }
        }
    });
}

/// A host whose UDP ports are known: what answers and what does not, at one address of each family.
fn known() -> Lab {
    Host::at(SERVER4)
        .also(SERVER6)
        .listen([80])
        .rule("udp dport { 161, 200-209 } drop")
        .rule("udp dport { 300-309, 10001 } reject with icmpx admin-prohibited")
        .into_lab()
}

impl Host {
    fn into_lab(self) -> Lab {
        Lab::new().host(self)
    }
}

/// Which state each of these ports is in, and why.
fn truth(port: u16) -> (&'static str, &'static str) {
    match port {
        53 => ("open", "udp-response"),
        161 | 200..=209 => ("unanswered", "no-response"),
        300..=309 | 10_001 => ("filtered", "admin-prohibited"),
        _ => ("closed", "port-unreach"),
    }
}

#[test]
fn every_udp_port_has_the_state_that_is_true_over_both_families() {
    isolated(|| {
        known().start();
        daemons::resolver(address(SERVER4), address(SERVER6));
        let ports: Vec<u16> = [53, 123, 161, 10_001].into_iter().chain(195..=214).chain(295..=314).collect();
        let list = ports.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        for mouth in MOUTHS {
            let (seen, coverage) = scan(mouth, &["-u", &list, SERVER4, SERVER6]);
            assert_eq!(seen.len(), 2 * ports.len(), "every endpoint ends in a state");
            for ((host, port), (state, reason, _)) in &seen {
                assert_eq!((state.as_str(), reason.as_str()), truth(*port), "{mouth}: {host} {port}/udp");
            }
            assert_eq!(coverage["planned"], 2 * ports.len());
        }
    });
}

#[test]
fn a_port_unreachable_of_somebody_on_the_way_is_a_firewall_and_no_closed_port() {
    isolated(|| {
        Lab::new().host(Host::at(SERVER4).also(SERVER6)).start();
        // The far side forwards to two addresses that it does not have, and its firewall rejects that.
        for (name, value) in [("net/ipv4/ip_forward", "1"), ("net/ipv6/conf/all/forwarding", "1")] {
            run(&mut far(&["sh", "-c", &format!("echo {value} > /proc/sys/{name}")]));
        }
        sh(&format!("ip -n far route add {OTHER4} dev wire"));
        sh(&format!("ip -n far route add {OTHER6} dev wire"));
        let rules = "table inet way { chain forward { type filter hook forward priority 0; policy accept;
            meta l4proto udp reject with icmpx port-unreachable; }; }";
        run(&mut far(&["nft", rules]));
        for mouth in MOUTHS {
            let (seen, _) = scan(mouth, &["-u", "53,777", OTHER4, OTHER6]);
            assert_eq!(seen.len(), 4);
            for (end, (state, reason, _)) in &seen {
                assert_eq!(
                    (state.as_str(), reason.as_str()),
                    ("filtered", "port-unreach"),
                    "{mouth}: {end:?}"
                );
            }
        }
        assert!(
            run(&mut far(&["ip", "address"])).contains(GATEWAY4),
            "{GATEWAY6} and it speak for the firewall"
        );
    });
}

#[test]
fn a_host_that_says_little_of_its_closed_ports_has_open_closed_and_undecided_ones() {
    isolated(|| {
        Lab::new().host(Host::at(SERVER4).also(SERVER6)).start();
        daemons::resolver(address(SERVER4), address(SERVER6));
        // What Linux does by itself: one ICMP error a second to a peer, six at once after a pause.
        for (name, value) in [
            ("net/ipv4/icmp_ratelimit", "1000"),
            ("net/ipv4/icmp_ratemask", "6168"),
            ("net/ipv6/icmp/ratelimit", "1000"),
            ("net/ipv6/icmp/ratemask", "0-1,3-127"),
        ] {
            run(&mut far(&["sh", "-c", &format!("echo {value} > /proc/sys/{name}")]));
        }
        for mouth in MOUTHS {
            for host in [SERVER4, SERVER6] {
                let (seen, coverage) = scan(mouth, &["-u", "common", host]);
                let of = |state: &str| seen.values().filter(|(of, ..)| of == state).count();
                assert_eq!(seen[&(address(host), 53)].0, "open", "{mouth}: {host}");
                assert_eq!((of("open"), of("filtered"), of("unknown")), (1, 0, 0), "{mouth}: {host}");
                assert!(of("closed") >= 6, "{mouth}: {host} said so {} times", of("closed"));
                assert!(of("unanswered") > 0, "{mouth}: {host} has a limit");
                let undecided = &coverage["undecided"];
                let told = undecided["endpoints"].as_u64().expect("they are counted");
                assert!(
                    told <= of("unanswered") as u64 && told * 4 >= of("unanswered") as u64 * 3,
                    "{undecided}"
                );
                assert!(undecided["deciding_s"].as_f64().expect("a time") > 1.0, "{undecided}");
            }
        }
    });
}

/// The verdicts on UDP endpoints of a report, by address and port.
fn verdicts(verified: &Verified) -> BTreeMap<(IpAddr, u16), (String, String)> {
    let records = verified.report["observations"].as_array().expect("observations").iter();
    let of = records.filter(|record| record["protocol"] == "udp").map(|record| {
        let word = |key: &str| record[key].as_str().expect("a word").to_owned();
        let port = u16::try_from(record["port"].as_u64().expect("a port")).expect("a port");
        ((address(&word("address")), port), (word("state"), word("verdict")))
    });
    of.collect()
}

#[test]
fn expectation_and_state_over_udp_give_the_verdict_of_the_table() {
    isolated(|| {
        // Each state four times over: 53 and its like are open, 161 and 2xx silent, 3xx prohibited.
        known().start();
        for port in [53, 1053, 2053, 3053] {
            daemons::resolver_at(address(SERVER4), address(SERVER6), port);
        }
        sh("ip route add unreachable 192.0.2.2");
        let text = format!(
            "portproof: 1
authorization: {{reference: SEC-1, authorized_by: head of security, valid_until: 9999-12-31, scope: [203.0.113.0/24, \"2001:db8:10::/64\", 192.0.2.2]}}
defaults: {{tcp: declared, owner: platform team, udp: '3053,203,303,403'}}
targets:
  - id: names
    hosts: [{SERVER4}, \"{SERVER6}\"]
    expose:
      - 80/tcp
      - {{port: 53/udp, service: dns}}
      - {{port: 1053/udp, service: dns, presence: optional}}
      - {{port: 400/udp}}
      - {{port: 401/udp, presence: optional}}
      - {{port: 300/udp}}
      - {{port: 301/udp, presence: optional}}
      - {{port: 200/udp}}
      - {{port: 201/udp, presence: optional}}
    deny: [2053/udp, 402/udp, 302/udp, 202/udp, 161/udp, 10001/udp]
  - {{id: nowhere, hosts: [192.0.2.2], udp: '205', expose: [53/udp, {{port: 123/udp, presence: optional}}], deny: [161/udp]}}
"
        );
        for mouth in MOUTHS {
            let verified = verify_by(mouth, &[manifest(&text)]);
            verified.reconciles();
            let verdicts = verdicts(&verified);
            for host in [SERVER4, SERVER6].map(address) {
                for (port, state, verdict) in [
                    (53, "open", "pass"),
                    (400, "closed", "fail"),
                    (300, "filtered", "fail"),
                    (200, "unanswered", "inconclusive"),
                    (1053, "open", "pass"),
                    (401, "closed", "pass"),
                    (301, "filtered", "pass"),
                    (201, "unanswered", "pass_by_silence"),
                    (2053, "open", "fail"),
                    (402, "closed", "pass"),
                    (302, "filtered", "pass"),
                    (10_001, "filtered", "pass"),
                    (161, "unanswered", "pass_by_silence"),
                    (202, "unanswered", "inconclusive"),
                    (3053, "open", "fail"),
                ] {
                    let found = &verdicts[&(host, port)];
                    assert_eq!(
                        (found.0.as_str(), found.1.as_str()),
                        (state, verdict),
                        "{mouth}: {host} {port}/udp"
                    );
                }
            }
            for port in [53, 123, 161] {
                let found = &verdicts[&(address("192.0.2.2"), port)];
                assert_eq!(
                    (found.0.as_str(), found.1.as_str()),
                    ("unknown", "inconclusive"),
                    "{mouth}: {port}"
                );
            }
            // Of what nobody names, only what is open is told one by one; the rest is in the sums.
            assert_eq!(verified.verdict("pass_by_silence"), 2 * 3, "201, 161, and 203 that nothing declares");
            assert_eq!(verified.findings("EXP001").len(), 2);
            assert_eq!(verified.findings("EXP002").len(), 2);
            assert_eq!(verified.output.status, 1);
        }
    });
}

#[test]
fn a_required_udp_port_with_nothing_behind_a_firewall_that_drops_is_never_a_pass() {
    isolated(|| {
        Lab::new().host(Host::at(SERVER4).also(SERVER6).default_drop().listen([80])).start();
        let text = format!(
            "portproof: 1
targets: [{{id: names, hosts: [{SERVER4}, \"{SERVER6}\"], expose: [80, 53/udp], tcp: declared, udp: declared}}]
"
        );
        for mouth in MOUTHS {
            let verified = verify_by(mouth, &[manifest(&text)]);
            verified.reconciles();
            assert_eq!((verified.verdict("pass"), verified.verdict("inconclusive")), (2, 2), "{mouth}");
            for finding in verified.findings("EXP003") {
                assert_eq!(
                    (&finding["cause"], &finding["verdict"]),
                    (&"unanswered".into(), &"inconclusive".into())
                );
            }
            assert_eq!(verified.output.status, 3, "{}", verified.headline());
        }
    });
}
