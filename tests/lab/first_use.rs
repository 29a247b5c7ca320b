//! What an administrator meets first: one host behind a firewall, one line of manifest, one block.

use super::{
    address::{ports, twin, with_twins},
    host::Host,
    isolate::isolated,
    lab::Lab,
    portproof::{Verified, manifest, verify},
};

const WEB: &str = "203.0.113.10";

fn behind_a_firewall() -> Lab {
    Lab::new().host(Host::at(WEB).also(twin(WEB)).default_drop().listen([80, 443])).start()
}

#[test]
fn a_host_behind_a_default_drop_firewall_conforms_without_a_manifest() {
    isolated(|| {
        let lab = behind_a_firewall();
        for host in with_twins(&[WEB]) {
            let verified = verify(&["--udp", "none", "--expect", "80,443", host]);
            assert_eq!(verified.output.status, 0, "{}", verified.output.stdout);
            assert!(verified.headline().starts_with("CONFORMS"), "{}", verified.headline());
            assert!(
                verified.headline().contains("65,535 of 65,535 endpoints determined"),
                "{}",
                verified.headline()
            );
            lab.check_report(&verified, &[(host, &ports(1..=65_535))]);
            assert_eq!(verified.complaints(), [""; 0]);
        }
    });
}

#[test]
fn the_smallest_manifest_says_the_same_with_what_is_usual_over_udp() {
    isolated(|| {
        behind_a_firewall();
        for host in with_twins(&[WEB]) {
            let path =
                manifest(&format!("portproof: 1\ntargets: [{{hosts: [\"{host}\"], expose: [80, 443]}}]\n"));
            let verified = verify(&[path]);
            verified.reconciles();
            assert_eq!(verified.output.status, 0, "{}", verified.output.stdout);
            assert!(verified.headline().starts_with("CONFORMS"), "{}", verified.headline());
            assert_eq!(verified.complaints(), [""; 0]);
            assert_eq!(verified.verdict("pass_by_silence"), verified.report["coverage"]["unanswered"]);
            assert!(verified.verdict("pass_by_silence") > 50, "UDP that is dropped: {}", verified.headline());
        }
    });
}

#[test]
fn a_port_that_is_missing_behind_the_firewall_is_said_to_be_filtered() {
    isolated(|| {
        let lab = behind_a_firewall();
        for host in with_twins(&[WEB]) {
            let verified = verify(&["--udp", "none", "--tcp", "1-1000", "--expect", "80,443,25", host]);
            lab.check_report(&verified, &[(host, &ports(1..=1000))]);
            assert_eq!(verified.output.status, 1, "{}", verified.output.stdout);
            assert_eq!(verified.complaints(), [format!("EXP003 fail filtered {host} 25")]);
        }
    });
}

/// The last parts of the addresses in use, in a block of 256 of either family.
const USED: [&str; 3] = ["10", "20", "30"];
const BLOCKS: [(&str, &str); 2] = [("203.0.113.", "203.0.113.0/24"), ("2001:db8:10::", "2001:db8:10::/120")];

/// Three hosts in each block, the rest of it declared to be dark.
fn block(lab: Lab) -> Lab {
    let host = |last| {
        let host = format!("203.0.113.{last}");
        Host::at(&host).also(twin(&host)).default_drop().listen([80, 443])
    };
    USED.iter().fold(lab, |lab, last| lab.host(host(last))).start()
}

fn declared((begin, block): (&str, &str)) -> String {
    let used = USED.map(|last| format!("'{begin}{last}'")).join(", ");
    format!(
        "portproof: 1
targets:
  - {{id: used, hosts: [{used}], expose: [80, 443], tcp: 1-200, udp: none}}
  - {{id: spare, hosts: ['{block}'], expose: [], tcp: 1-200, udp: none}}
"
    )
}

/// All 256 addresses: 1-200 each, and 443 where it is declared.
fn check_block(lab: &Lab, verified: &Verified, (begin, _): (&str, &str)) {
    let spare = ports(1..=200);
    let used = ports((1..=200).chain([443]));
    let is_six = begin.contains(':');
    let lasts = (0..256).map(|last| if is_six { format!("{last:x}") } else { last.to_string() });
    let addresses: Vec<(String, bool)> =
        lasts.map(|last| (format!("{begin}{last}"), USED.contains(&last.as_str()))).collect();
    let asked: Vec<(&str, &[u16])> = addresses
        .iter()
        .map(|(host, is_used)| (host.as_str(), if *is_used { used.as_slice() } else { spare.as_slice() }))
        .collect();
    lab.check_report(verified, &asked);
}

#[test]
fn the_dark_rest_of_a_block_is_no_flood_of_findings() {
    isolated(|| {
        let lab = block(Lab::new());
        for of in BLOCKS {
            let verified = verify(&[manifest(&declared(of))]);
            check_block(&lab, &verified, of);
            assert_eq!(verified.output.status, 0, "{}", verified.output.stdout);
            assert_eq!(verified.complaints(), [""; 0]);
            assert_eq!(
                verified.verdict("pass_by_silence"),
                253 * 200,
                "silence that conforms is counted apart"
            );
            assert_eq!(
                verified.report["coverage"]["planned"],
                256 * 200 + 3,
                "443/tcp of three hosts lies outside 1-200"
            );
            let lines = verified.output.stdout.lines().count();
            let told = &verified.output.stdout;
            assert!(lines <= 60, "{lines} lines for a block that is as declared:\n{told}");
        }
    });
}

#[test]
fn the_one_address_of_a_dark_block_that_answers_is_the_one_finding() {
    isolated(|| {
        let odd = "203.0.113.77";
        let lab = block(Lab::new().host(Host::at(odd).also(twin(odd)).default_drop().listen([23])));
        for of in BLOCKS {
            let verified = verify(&[manifest(&declared(of))]);
            check_block(&lab, &verified, of);
            assert_eq!(verified.output.status, 1, "{}", verified.output.stdout);
            assert_eq!(verified.complaints(), [format!("EXP001 fail - {}77 23", of.0)]);
        }
    });
}
