//! Nothing outside the authorized scope is ever probed: not as the report tells it, but as the far
//! side's kernel saw it on the wire.

use std::net::IpAddr;

use super::{
    host::Host,
    isolate::isolated,
    lab::Lab,
    portproof::{manifest, portproof, verify},
};

fn watched() -> Lab {
    (1..=6)
        .fold(Lab::new(), |lab, last| lab.host(Host::at(&format!("203.0.113.{last}")).listen([80])))
        .witness()
        .start()
}

fn document(valid_until: &str, scope: &str, exclude: &str, hosts: &str) -> &'static str {
    manifest(&format!(
        "portproof: 1
authorization:
  {{reference: SEC-1, authorized_by: us, valid_until: {valid_until}, scope: {scope}, exclude: {exclude}}}
targets:
  - {{id: block, hosts: {hosts}, expose: [{{port: 80, presence: optional}}], tcp: 1-100, udp: none}}
"
    ))
}

#[test]
fn an_excluded_address_never_sees_a_packet() {
    isolated(|| {
        let lab = watched();
        let path = document("9999-12-31", "[203.0.113.0/29]", "[203.0.113.3]", "[203.0.113.0/29]");
        let verified = verify(&[path]);
        verified.reconciles();
        let touched = lab.touched();
        let excluded: IpAddr = "203.0.113.3".parse().expect("an address");
        assert!(touched.iter().all(|(host, _)| *host != excluded), "the excluded address was probed");
        let planned = touched.iter().filter(|(_, port)| *port <= 100).count();
        assert_eq!(planned, 7 * 100, "and every other endpoint of the block was");
        assert_eq!(verified.report["coverage"]["planned"], 700);
        let left_out = verified.report["not_scanned"].to_string();
        assert!(left_out.contains("203.0.113.3"), "the report says what was left out: {left_out}");
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
        let output =
            portproof(&["plan", document("9999-12-31", "[203.0.113.0/29]", "[]", "[203.0.113.0/29]")]);
        assert_eq!(output.status, 0, "{output:#?}");
        assert!(output.stdout.contains("800"), "eight addresses of a hundred ports: {}", output.stdout);
        assert_eq!(lab.touched().len(), 0);
    });
}
