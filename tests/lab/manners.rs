//! Who answers and behaves badly: whatever it does is bounded in time and octets, and described.

use std::{fmt::Write as _, process::Command};

use super::{
    daemons::{spawn, write},
    host::Host,
    isolate::{DIR, isolated, run},
    lab::{Lab, far},
    portproof::{MOUTHS, Verified, manifest, verify, verify_by},
};

const HOST: &str = "203.0.113.60";
const RESETS: u16 = 7002;

/// Accepts and never answers, resets at once, drips an octet a second, sends a gigabyte and more: as socat does
/// it, with these options of its listener, and a firewall.
const BAD: [(u16, &str, &str, &str); 4] = [
    (7001, "", "EXEC:sleep 600", "never says anything"),
    (RESETS, "", "EXEC:sleep 600", "resets the connection"),
    (7003, "", "EXEC:sh drip.sh", "slowly"),
    (7004, "", "OPEN:/dev/zero,rdonly", "more than anybody asked for"),
];

fn start() -> Lab {
    let lab = Lab::new().host(Host::at(HOST).open_elsewhere(BAD.map(|(port, ..)| port))).start();
    // The end of the handshake is answered with a RST.
    let rule = format!("ip daddr {HOST} tcp dport {RESETS} ct state established reject with tcp reset");
    run(&mut far(&[
        "nft",
        &format!("table ip resets {{ chain way {{ type filter hook input priority -10; {rule}; }}; }}"),
    ]));
    write("drip.sh", "while true; do printf x; sleep 1; done\n");
    for (port, options, does, _) in BAD {
        let listen = format!("TCP4-LISTEN:{port},fork,reuseaddr,bind={HOST}{options}");
        let mut command = far(&["socat", &listen, does]);
        command.current_dir(DIR);
        spawn(&format!("bad-{port}"), command);
    }
    for _ in 0..2000 {
        if run(&mut far(&["ss", "-Hltn"])).lines().count() >= BAD.len() {
            return lab;
        }
    }
    panic!("socat did not open its ports: {}", run(&mut far(&["ss", "-ltn"])));
}

fn note<'a>(verified: &'a Verified, cause: &str) -> &'a str {
    let gaps = verified.findings("EXP012");
    let gap = gaps.iter().find(|finding| finding["cause"] == cause).expect("a gap of this cause");
    gap["message"].as_str().expect("a message")
}

#[test]
fn whatever_a_listener_does_is_bounded_and_described() {
    isolated(|| {
        start();
        let mut entries = String::new();
        for (port, ..) in BAD {
            writeln!(entries, "      - {{port: {port}/tcp, service: http}}").unwrap();
        }
        let text = format!(
            "portproof: 1\nauthorization: {{scope: [{HOST}]}}\ndefaults: {{tcp: declared, udp: none}}\ntargets:\n  - hosts: [{HOST}]\n    expose:\n{entries}"
        );
        let verified = verify(&["--deadline", "60s", manifest(&text)]);
        assert_eq!(verified.output.status, 3, "{}", verified.output.stdout);
        assert_eq!(verified.verdict("inconclusive"), 4, "{}", verified.output.stdout);
        assert_eq!(
            verified.report["run"]["partial"], false,
            "it ended by itself: {}",
            verified.output.stdout
        );
        let message = note(&verified, "not_identified");
        for (port, _, _, says) in BAD {
            let said = message.split(". ").find(|said| said.contains(&format!("{port}/tcp at")));
            assert!(said.is_some_and(|said| said.contains(says)), "{port}: {says}, in: {message}");
        }
    });
}

/// A SYN proxy before the host: it answers for every port, whatever is behind it.
const SYN_PROXY: &str = "table ip proxy {
  chain raw { type filter hook prerouting priority raw; ip daddr 203.0.113.60 tcp flags & (fin|syn|rst|ack) == syn notrack; }
  chain way { type filter hook input priority filter;
    ip daddr 203.0.113.60 ct state { invalid, untracked } tcp dport 1-65535 synproxy mss 1460 wscale 7 timestamp sack-perm
    ip daddr 203.0.113.60 ct state invalid drop
  }
}
";

/// Verifies a manifest of the host: that it answers on everything is the one finding.
fn answers_everything(mouth: &str, text: &str) -> Verified {
    let verified = verify_by(mouth, &["--rate", "max", manifest(text)]);
    assert_eq!(verified.output.status, 3, "{mouth}: {}", verified.output.stdout);
    assert_eq!(
        verified.complaints(),
        [format!("EXP011 inconclusive answers_everything {HOST} -")],
        "{mouth}: {}",
        verified.output.stdout
    );
    verified
}

#[test]
fn behind_a_syn_proxy_for_every_port_a_real_service_is_confirmed_and_the_rest_is_one_finding() {
    isolated(|| {
        let _lab = Lab::new().host(Host::at(HOST).nginx([80])).start();
        run(&mut far(&["sh", "-c", "echo 0 > /proc/sys/net/netfilter/nf_conntrack_tcp_loose"]));
        let path = format!("{DIR}/proxy.nft");
        std::fs::write(&path, SYN_PROXY).expect("the lab's directory takes files");
        run(&mut far(&["nft", "-f", &path]));
        let text = format!(
            "portproof: 1\nauthorization: {{scope: [{HOST}]}}\ndefaults: {{tcp: 1-3000, udp: none}}\ntargets:\n  - hosts: [{HOST}]\n    expose: [{{port: 80/tcp, service: http}}, 443]\n"
        );
        for mouth in MOUTHS {
            let verified = answers_everything(mouth, &text);
            let [pass, unsure] = [verified.verdict("pass"), verified.verdict("inconclusive")];
            assert_eq!((pass, unsure), (1, 2999), "{mouth}: the web server is confirmed, nothing else is");
        }
    });
}

#[test]
fn who_forges_an_answer_for_every_port_is_one_finding_and_nothing_there_passes() {
    isolated(|| {
        // A plain host beside it, so that the run has something that answers.
        let plain = "203.0.113.61";
        let _lab = Lab::new().host(Host::at(HOST).default_drop()).host(Host::at(plain).listen([80])).start();
        let program = format!("{DIR}/forger");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lab/forger.c");
        run(Command::new("cc").args(["-O2", "-o", &program, source]));
        let log = format!("{DIR}/forger.log");
        spawn("forger", far(&[&program, HOST]));
        for _ in 0..2000 {
            if std::fs::read_to_string(&log).is_ok_and(|said| said.contains("ready")) {
                break;
            }
            run(&mut far(&["true"]));
        }
        let text = format!(
            "portproof: 1\nauthorization: {{scope: [203.0.113.0/24]}}\ndefaults: {{tcp: 1-2000, udp: none}}\ntargets:\n  - {{id: forged, hosts: [{HOST}], expose: [{{port: 80/tcp, service: http}}]}}\n  - {{id: plain, hosts: [{plain}], expose: [80]}}\n"
        );
        for mouth in MOUTHS {
            let verified = answers_everything(mouth, &text);
            assert_eq!(verified.verdict("inconclusive"), 2000, "{mouth}: what was forged passes for nothing");
        }
    });
}
