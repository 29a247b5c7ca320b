//! A scan that is killed without warning, on the wire: what both runs find is the truth, and they send
//! two seconds' worth more than one at most.

use std::process::{Command, Stdio};

use super::{
    address::ports,
    host::Host,
    isolate::{DIR, isolated, sh},
    lab::Lab,
    portproof::{MOUTHS, Scan, portproof},
};

/// Frames that left for the far side so far.
fn sent() -> u64 {
    let told: serde_json::Value =
        serde_json::from_str(&sh("ip -j -s link show dev wire")).expect("ip writes JSON");
    told[0]["stats64"]["tx"]["packets"].as_u64().expect("a counter")
}

/// What is asked, and slowly.
fn asked<'a>(mouth: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let ports = ["-p", "1-2000", "--states", "all", "--format", "ndjson"];
    let pace = ["--rate", "2000", "--per-host-rate", "max"];
    // How many attempts a connect gets depends on how much it loses, and one more is thousands of frames.
    let exactly: &[&str] = if mouth == "connect" { &["--max-attempts", "3"] } else { &[] };
    [&["scan", "--scan", mouth], &ports[..], &pace, exactly, &HOSTS, more].concat()
}

const HOSTS: [&str; 2] = ["203.0.113.2", "2001:db8:10::3"];
const RATE: u64 = 2000;

#[test]
fn a_scan_killed_anywhere_goes_on_and_sends_two_seconds_more_at_most() {
    isolated(|| {
        let lab = Lab::new()
            .host(Host::at("203.0.113.2").listen([22, 80, 1999]).admin_prohibited(500..=599))
            .host(Host::at("2001:db8:10::3").default_drop().listen([443]))
            .start();
        let all = ports(1..=2000);
        for mouth in MOUTHS {
            let before = sent();
            let whole = Scan::read(portproof(&asked(mouth, &[])));
            let alone = sent() - before;
            let truth = HOSTS.map(|host| (host, all.as_slice()));
            lab.check(&whole, &truth);
            // A connect takes its time, so one is enough of these.
            let shares: &[u64] = if mouth == "syn" { &[1, 5, 8] } else { &[6] };
            for share in shares {
                let state = format!("{DIR}/state-{mouth}-{share}");
                let before = sent();
                let mut child = Command::new(env!("CARGO_BIN_EXE_portproof"))
                    .args(asked(mouth, &["--state", &state]))
                    .stdout(Stdio::null())
                    .stderr(Stdio::null())
                    .spawn()
                    .expect("portproof starts");
                while sent() - before < alone * share / 10 {
                    assert!(
                        child.try_wait().unwrap().is_none(),
                        "{mouth}: it ended before it could be killed"
                    );
                }
                child.kill().unwrap();
                child.wait().unwrap();
                let first = sent() - before;
                let both = Scan::read(portproof(&asked(mouth, &["--resume", &state])));
                lab.check(&both, &truth);
                assert_eq!(both.states(), whole.states());
                let (together, tenth) = (sent() - before, alone / 10);
                println!(
                    "{mouth}: {alone} frames alone; {first} and {} together {together}",
                    together - first
                );
                // Answers to the dead process are reset by the kernel, and connects take frames of their own.
                assert!(together <= alone + 2 * RATE + tenth, "{mouth}: {together} frames, {alone} alone");
            }
        }
    });
}
