//! IPv4 and IPv6 of one host that differ: what is forgotten for one family is found.

use super::{
    address::ports,
    host::Host,
    isolate::isolated,
    lab::Lab,
    portproof::{MOUTHS, manifest, verify_by},
};

const WWW4: &str = "203.0.113.10";
const WWW6: &str = "2001:db8:10::10";

fn document(rest: &str) -> String {
    format!(
        "portproof: 1
targets:
  - {{id: www, hosts: [{WWW4}, \"{WWW6}\"], tcp: 1-100, udp: none, {rest}}}
"
    )
}

/// The sides of the one finding that families differ.
fn sides(text: &str, lab: &Lab, mouth: &str) -> String {
    let verified = verify_by(mouth, &["--rate", "max", manifest(text)]);
    let asked = ports(1..=100);
    lab.check_report(&verified, &[(WWW4, &asked), (WWW6, &asked)]);
    assert_eq!(verified.output.status, 1, "{}", verified.output.stdout);
    let findings = verified.findings("EXP008");
    assert_eq!(findings.len(), 1, "{mouth}: {:?}", verified.complaints());
    findings[0]["observed"].as_str().expect("what was seen").to_owned()
}

#[test]
fn a_port_published_over_ipv6_alone_is_found() {
    isolated(|| {
        // A container's port that its engine publishes over IPv6, and that IPv4 has never had.
        let lab = Lab::new().host(Host::at(WWW4).listen([80])).host(Host::at(WWW6).listen([80, 90])).start();
        let text = document("expose: [80, {port: 90, presence: optional}]");
        for mouth in MOUTHS {
            assert_eq!(sides(&text, &lab, mouth), "only over ipv6: 90/tcp");
        }
    });
}

#[test]
fn a_firewall_with_rules_for_ipv4_alone_is_found() {
    isolated(|| {
        let lab = Lab::new()
            .host(Host::at(WWW4).default_drop().listen([80, 25]))
            .host(Host::at(WWW6).listen([80, 22, 33]))
            .start();
        let rest = "expose: [80, {port: 22, presence: optional}, {port: 33, presence: optional}, {port: 25, presence: optional}]";
        for mouth in MOUTHS {
            assert_eq!(
                sides(&document(rest), &lab, mouth),
                "only over ipv4: 25/tcp; only over ipv6: 22/tcp, 33/tcp"
            );
        }
    });
}
