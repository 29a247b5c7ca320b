//! Nothing outside the authorized scope is ever probed: not as the report tells it, but as the far
//! side's kernel saw it on the wire.

use std::net::IpAddr;

use super::{
    address::twin,
    host::Host,
    isolate::isolated,
    lab::Lab,
    portproof::{MOUTHS, manifest, portproof, verify_by},
};

fn watched() -> Lab {
    (1..=6)
        .fold(Lab::new(), |lab, last| {
            let host = format!("203.0.113.{last}");
            lab.host(Host::at(&host).also(twin(&host)).listen([80]))
        })
        .witness()
        .start()
}

fn document(valid_until: &str, scope: &str, exclude: &str, hosts: &str) -> &'static str {
    manifest(&format!(
        "portproof: 1
authorization:
  {{reference: SEC-1, authorized_by: us, valid_until: {valid_until}, scope: {scope}, exclude: {exclude}}}
targets:
  - {{id: block, hosts: {hosts}, expose: [{{port: 80, presence: optional}}], tcp: 1-100, udp: 201-220}}
"
    ))
}

#[test]
fn an_excluded_address_never_sees_a_packet() {
    isolated(|| {
        let lab = watched();
        let both = "[203.0.113.0/29, '2001:db8:10::/125']";
        let excluded = ["203.0.113.3", twin("203.0.113.3")];
        let path = document("9999-12-31", both, &format!("[{}, '{}']", excluded[0], excluded[1]), both);
        for mouth in MOUTHS {
            let verified = verify_by(mouth, &["--rate", "max", path]);
            verified.reconciles();
            let touched = lab.touched();
            let excluded = excluded.map(|host| host.parse::<IpAddr>().expect("an address"));
            let probed = touched.iter().find(|(host, _)| excluded.contains(host));
            assert_eq!(probed, None, "{mouth}: an excluded address was probed");
            // TCP up to 100, UDP from 201; beyond are controls.
            let planned = touched.iter().filter(|(_, port)| matches!(port, 1..=100 | 201..=220)).count();
            assert_eq!(planned, 2 * 7 * 120, "{mouth}: and every other endpoint of the blocks was");
            assert_eq!(verified.report["coverage"]["planned"], 2 * 7 * 120);
            let left_out = verified.report["not_scanned"].to_string();
            for host in excluded {
                assert!(
                    left_out.contains(&host.to_string()),
                    "the report says what was left out: {left_out}"
                );
            }
        }
    });
}

#[test]
fn a_manifest_that_cannot_be_used_sends_nothing() {
    isolated(|| {
        let lab = watched();
        for (why, valid_until, scope, hosts) in [
            ("outside the scope", "9999-12-31", "[203.0.113.0/30]", "[203.0.113.5]"),
            ("block larger than the scope", "9999-12-31", "[203.0.113.0/30]", "[203.0.113.0/29]"),
            ("expired authorization", "2020-01-01", "[203.0.113.0/29]", "[203.0.113.1]"),
            ("outside the scope", "9999-12-31", "['2001:db8:10::/126']", "['2001:db8:10::5']"),
            ("block larger than the scope", "9999-12-31", "['2001:db8:10::/126']", "['2001:db8:10::/125']"),
        ] {
            let output =
                portproof(&["verify", "--scan", "connect", document(valid_until, scope, "[]", hosts)]);
            assert_eq!(output.status, 2, "{why}: {output:#?}");
            assert!(
                output.stderr.contains("portproof.yaml:"),
                "{why}: the place is named: {}",
                output.stderr
            );
            assert_eq!(lab.touched().len(), 0, "{why}: something was sent");
        }
    });
}

#[test]
fn a_plan_sends_nothing() {
    isolated(|| {
        let lab = watched();
        let both = "[203.0.113.0/29, '2001:db8:10::/125']";
        let output = portproof(&["plan", document("9999-12-31", both, "[]", both)]);
        assert_eq!(output.status, 0, "{output:#?}");
        let told = "16 addresses, 1,920 endpoints";
        assert!(output.stdout.contains(told), "16 addresses of 120 ports: {}", output.stdout);
        assert_eq!(lab.touched().len(), 0);
    });
}
