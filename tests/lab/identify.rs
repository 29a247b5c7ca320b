//! Who answers on what is open: real servers, on their own ports and on foreign ones, over both families.

use std::{collections::BTreeMap, fmt::Write as _, net::IpAddr};

use serde_json::Value;

use super::{
    address::address,
    daemons::{self, wait_until_open},
    host::Host,
    isolate::{isolated, run},
    lab::{Lab, far},
    nmap,
    portproof::{manifest, portproof, verify},
    stream_daemons::{self, STREAMS},
};

const HOST4: &str = "203.0.113.60";
const HOST6: &str = "2001:db8:10::60";
/// Each server is reached on this port and those after it, too.
const FOREIGN: u16 = 40_001;

/// Where Docker's API is without TLS.
const DOCKER: u16 = 2375;

/// Of these, those that show no more to a stranger than they should.
const GUARDED: [(u16, &str); 6] =
    [(22, "ssh"), (80, "http"), (443, "https"), (445, "microsoft-ds"), (873, "rsync"), (53, "domain")];

/// Every server at one host, and a firewall that sends foreign ports to them.
fn servers() -> Lab {
    let mut lab = Host::at(HOST4).also(HOST6).sshd([22]).nginx([80]).nginx_tls([443]);
    let ports = STREAMS.map(|(port, _)| port);
    lab = lab.open_elsewhere(ports.into_iter().chain([DOCKER]).chain((FOREIGN..).take(ports.len())));
    let lab = Lab::new().host(lab).start();
    daemons::resolver(address(HOST4), address(HOST6));
    stream_daemons::start();
    let map: Vec<String> = (FOREIGN..).zip(ports).map(|(from, to)| format!("{from} : {to}")).collect();
    let map = map.join(", ");
    let last = FOREIGN + u16::try_from(ports.len()).expect("few") - 1;
    let rules = format!(
        "table inet foreign {{
  chain way {{
    type nat hook prerouting priority dstnat;
    ip daddr {HOST4} tcp dport {FOREIGN}-{last} dnat ip to {HOST4} : tcp dport map {{ {map} }}
    ip6 daddr {HOST6} tcp dport {FOREIGN}-{last} dnat ip6 to {HOST6} : tcp dport map {{ {map} }}
  }}
}}"
    );
    run(&mut far(&["nft", &rules]));
    lab
}

/// What is said of each endpoint at last.
fn identified(ports: &str) -> BTreeMap<(IpAddr, u16), Value> {
    let asked =
        ["scan", "--scan", "connect", "--format", "ndjson", "--identify", "--max-attempts", "2", "-p", ports];
    let output = portproof(&[&asked[..], &[HOST4, HOST6]].concat());
    assert_eq!(output.status, 0, "{output:?}");
    let mut seen = BTreeMap::new();
    for line in output.stdout.lines() {
        let line: Value = serde_json::from_str(line).expect("JSON");
        if let Some(host) = line["address"].as_str() {
            let port = u16::try_from(line["port"].as_u64().expect("a port")).expect("a port");
            seen.insert((address(host), port), line);
        }
    }
    seen
}

#[test]
fn real_servers_are_told_apart_on_their_own_ports_and_on_foreign_ones() {
    isolated(|| {
        servers();
        let own = STREAMS.map(|(port, _)| port.to_string()).join(",");
        let last = FOREIGN + u16::try_from(STREAMS.len()).expect("few") - 1;
        let seen = identified(&format!("{own},{FOREIGN}-{last}"));
        let mut wrong = String::new();
        for host in [HOST4, HOST6].map(address) {
            for ((own, service), foreign) in STREAMS.into_iter().zip(FOREIGN..) {
                for port in [own, foreign] {
                    let line = seen.get(&(host, port)).unwrap_or_else(|| panic!("{host} {port} is open"));
                    if line["service"] != service {
                        writeln!(wrong, "{host} {port}: {service} is said to be {line}").unwrap();
                    }
                }
            }
        }
        assert!(wrong.is_empty(), "\n{wrong}");
    });
}

/// Where nmap has another name for the same: its `netbios-ssn` is SMB on port 445, and for MQTT it takes the
/// program's name.
const NAMED_OTHERWISE: [(&str, &str); 3] =
    [("https", "ssl/http"), ("microsoft-ds", "netbios-ssn"), ("mqtt", "mosquitto version")];

#[test]
fn nmap_agrees_on_who_answers() {
    isolated(|| {
        servers();
        let ports = STREAMS.map(|(port, _)| port);
        let theirs = nmap::versions(address(HOST4), &ports);
        let mut different = String::new();
        for (port, ours) in STREAMS {
            let same =
                NAMED_OTHERWISE.iter().find(|(service, _)| *service == ours).map_or(ours, |(_, name)| name);
            if !theirs[&port].starts_with(same) {
                writeln!(different, "{port}: {ours} here, {} to nmap", theirs[&port]).unwrap();
            }
        }
        assert!(different.is_empty(), "\n{different}");
    });
}

#[test]
fn what_is_declared_passes_and_what_is_swapped_is_the_wrong_service() {
    isolated(|| {
        servers();
        let entries = |shift: usize| -> String {
            let entry = |at: usize| {
                let ((port, _), (_, service)) = (GUARDED[at], GUARDED[(at + shift) % GUARDED.len()]);
                format!("      - {{port: {port}/tcp, service: {service}}}\n")
            };
            (0..GUARDED.len()).map(entry).collect()
        };
        let text = |shift: usize| {
            format!(
                "portproof: 1\nauthorization: {{scope: [{HOST4}, \"{HOST6}\"]}}\ndefaults: {{tcp: declared, udp: none}}\ntargets:\n  - hosts: [{HOST4}, \"{HOST6}\"]\n    expose:\n{}",
                entries(shift)
            )
        };
        let right = verify(&[manifest(&text(0))]);
        assert_eq!(right.complaints(), Vec::<String>::new(), "{}", right.output.stdout);
        let swapped = verify(&[manifest(&text(1))]);
        let wrong = swapped.findings("EXP004");
        assert_eq!(wrong.len(), 2 * GUARDED.len(), "{}", swapped.output.stdout);
        assert!(swapped.complaints().iter().all(|complaint| complaint.starts_with("EXP004 fail")));
    });
}

#[test]
fn who_answers_strangers_or_speaks_in_the_clear_is_insecure_until_something_protects_it() {
    isolated(|| {
        servers();
        stream_daemons::docker();
        wait_until_open("-Hltn", &[DOCKER]);
        let text = |features: &str| {
            let entry = |(port, service): &(u16, &str)| {
                format!("      - {{port: {port}/tcp, service: {service}{features}}}\n")
            };
            let services =
                [(21, "ftp"), (23, "telnet"), (DOCKER, "docker"), (6379, "redis"), (11_211, "memcached")];
            format!(
                "portproof: 1\nauthorization: {{scope: [{HOST4}]}}\ndefaults: {{tcp: declared, udp: none}}\ntargets:\n  - hosts: [{HOST4}]\n    expose:\n{}",
                services.iter().map(entry).collect::<String>()
            )
        };
        let of = |verified: &super::portproof::Verified| -> Vec<(u64, String, String)> {
            let said = |finding: &&Value| {
                let word = |key: &str| finding[key].as_str().unwrap_or_default().to_owned();
                (finding["port"].as_u64().unwrap(), word("severity"), word("verdict"))
            };
            let mut all: Vec<_> = verified.findings("EXP007").iter().map(said).collect();
            all.sort();
            all
        };
        let expected = |verdict: &str| {
            [
                (21, "medium", verdict),
                (23, "medium", verdict),
                (u64::from(DOCKER), "critical", "fail"),
                (6379, "critical", "fail"),
                (11_211, "critical", "fail"),
            ]
            .map(|(port, severity, verdict)| (port, severity.to_owned(), verdict.to_owned()))
            .to_vec()
        };
        let bare = verify(&[manifest(&text(""))]);
        assert_eq!(of(&bare), expected("fail"), "{}", bare.output.stdout);
        let protected = verify(&[manifest(&text(", security_features: a tunnel"))]);
        assert_eq!(of(&protected), expected("pass"), "{}", protected.output.stdout);
        assert_eq!(protected.verdict("fail"), 3);
    });
}
