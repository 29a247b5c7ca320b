//! Link-local targets: what is written with the interface behind it is found on that link, by either mouth.

use super::{
    address::{address, ports},
    datagrams,
    host::Host,
    isolate::{isolated, sh},
    lab::Lab,
    portproof::{MOUTHS, manifest, portproof, scan_by, verify_by},
    servers,
};

const FAR: &str = "fe80::77";
const ZONED: &str = "fe80::77%wire";
const SCANNER: &str = "fe80::4";

/// A far host at a link-local address. A second link of the scanner's leads nowhere: who takes it is
/// answered by nobody.
fn lab() -> Lab {
    sh("ip link add astray type veth peer name nowhere");
    for (link, address) in [("astray", "fe80::a"), ("nowhere", "fe80::b")] {
        sh(&format!("ip link set {link} up"));
        sh(&format!("ip address add {address}/64 dev {link} nodad"));
    }
    let host = Host::at(FAR).listen([80]).drop([81]).admin_prohibited([82]).rule("udp dport 161 drop");
    let lab = Lab::new().host(host).start();
    sh(&format!("ip address add {SCANNER}/64 dev wire nodad"));
    lab
}

#[test]
fn tcp_ports_behind_a_zone_are_in_their_true_states_by_either_mouth() {
    isolated(|| {
        let lab = lab();
        let asked = ports(75..=90);
        for mouth in MOUTHS {
            lab.check(&scan_by(mouth, &["-p", "75-90", ZONED]), &[(FAR, &asked)]);
            // Without the dropped port, which takes its time.
            for zone in [&["[fe80::77%wire]"][..], &["--interface", "wire", FAR]] {
                let scan = scan_by(mouth, &[&["-p", "82-90"], zone].concat());
                lab.check(&scan, &[(FAR, &asked[7..])]);
            }
            let text = portproof(&["scan", "--scan", mouth, "-p", "80", ZONED]);
            assert!(text.stdout.starts_with(ZONED), "{text:?}");
            let both = portproof(&["scan", "--scan", mouth, "-p", "80", "--interface", "astray", ZONED]);
            assert_eq!(both.status, 2, "{both:?}");
        }
    });
}

#[test]
fn udp_ports_behind_a_zone_are_in_their_true_states_by_either_mouth() {
    isolated(|| {
        lab();
        servers::dns(ZONED, "");
        for mouth in MOUTHS {
            let (seen, _) = datagrams::scan(mouth, &["-u", "53,54,161", ZONED]);
            let state = |port: u16| {
                let (state, reason, _) = &seen[&(address(FAR), port)];
                (state.as_str(), reason.as_str())
            };
            assert_eq!(state(53), ("open", "udp-response"), "{mouth}");
            assert_eq!(state(54), ("closed", "port-unreach"), "{mouth}");
            assert_eq!(state(161), ("unanswered", "no-response"), "{mouth}");
        }
    });
}

#[test]
fn a_link_local_host_conforms_and_the_report_names_it_as_written() {
    isolated(|| {
        let lab = lab();
        let asked = ports(80..=90);
        let flags = ["--rate", "max", "--tcp", "80-90"];
        for mouth in MOUTHS {
            let expect = ["--udp", "none", "--expect", "80", ZONED];
            let verified = verify_by(mouth, &[&flags[..], &expect].concat());
            lab.check_report(&verified, &[(FAR, &asked)]);
            assert_eq!((verified.output.status, verified.complaints()), (0, vec![]));
            assert_eq!(verified.report["targets"][0]["hosts"][0], ZONED);
            assert_eq!(verified.report["run"]["host"]["source_addresses"][0], SCANNER, "{mouth}");

            let text = format!(
                "portproof: 1\nauthorization: {{reference: LAB-1, scope: [\"{FAR}\"]}}\n\
                 targets: [{{id: printer, hosts: [\"{ZONED}\"], udp: \"54\", expose: [443]}}]\n"
            );
            let verified = verify_by(mouth, &[&flags[..], &[manifest(&text)]].concat());
            assert_eq!(verified.output.status, 1);
            let open = verified.findings("EXP001");
            assert_eq!(open.len(), 1, "{:?}", verified.complaints());
            assert_eq!((&open[0]["host"], &open[0]["port"]), (&ZONED.into(), &80.into()));
        }
    });
}
