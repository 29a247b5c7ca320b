//! nginx and OpenSSH against a manifest as a team writes it, as declared and after it has drifted.

use super::{
    address::ports,
    host::Host,
    isolate::isolated,
    lab::Lab,
    portproof::{manifest, verify},
};

const WWW4: &str = "203.0.113.10";
const WWW6: &str = "2001:db8:10::10";

/// A manifest with its paperwork in order; `targets` and `exceptions` are the test's own.
fn document(rest: &str) -> String {
    format!(
        "portproof: 1
metadata: {{name: lab edge, owner: platform team, contact: noc@example.com, environment: test}}
authorization:
  reference: SEC-1204
  authorized_by: head of security
  valid_until: 9999-12-31
  scope: [203.0.113.0/24, \"2001:db8:10::/64\"]
vantage: internet
vantages: {{internet: {{sources: [198.51.100.4], families: [ipv4, ipv6]}}, office: {{}}}}
defaults: {{tcp: 1-10000, udp: none, unlisted: deny, owner: platform team}}
{rest}"
    )
}

fn line_of(text: &str, what: &str) -> u64 {
    let line = text.lines().position(|line| line.contains(what)).expect("the manifest holds the line");
    u64::try_from(line).expect("few lines") + 1
}

#[test]
fn a_web_server_that_is_as_declared_conforms_over_both_families() {
    isolated(|| {
        let lab = Lab::new()
            .host(Host::at(WWW4).also(WWW6).default_drop().nginx([80]).nginx_tls([443]).sshd([22]))
            .start();
        let text = document(&format!(
            "targets:
  - id: www
    hosts: [{WWW4}, \"{WWW6}\"]
    profiles: [web-server]
    expose:
      - {{port: 80/tcp, justification: redirects to 443}}
      - {{port: 443/tcp, justification: public web site}}
      - {{port: 22/tcp, presence: optional, justification: administration}}
    deny: [3306/tcp, {{port: 5432/tcp, reason: never public, severity: critical}}]
"
        ));
        let verified = verify(&[manifest(&text)]);
        assert_eq!(verified.output.status, 0, "{}", verified.output.stdout);
        assert_eq!(verified.complaints(), [""; 0]);
        // What the role denies is asked too, wherever the target's own set ends.
        let asked = ports((1..=10_000).chain([11_211, 27_017]));
        lab.check_report(&verified, &[(WWW4, &asked), (WWW6, &asked)]);
    });
}

#[test]
fn every_kind_of_drift_is_one_finding_with_its_cause_and_its_line() {
    isolated(|| {
        let lab = Lab::new()
            .host(
                Host::at(WWW4)
                    .also(WWW6)
                    .nginx([80])
                    .nginx_tls([443])
                    .sshd([22])
                    .listen([3306, 8080, 8081, 8082])
                    .drop([1000])
                    .admin_prohibited([1001]),
            )
            .start();
        for www in [WWW4, WWW6] {
            let text = document(&format!(
                "targets:
  - id: www
    hosts: [\"{www}\"]
    expose:
      - 80/tcp
      - 443/tcp
      - 22/tcp
      - 25/tcp
      - 1000/tcp
      - 1001/tcp
    deny:
      - 3306/tcp
exceptions:
  - id: EX-1
    match: {{target: www, port: 8081/tcp, rule: EXP001}}
    reason: migration until the new balancer is live
    requested_by: web team
    requested_on: 2026-05-02
    approved_by: security board
    approved_on: 2026-05-03
    expires: 2026-06-30
  - id: EX-2
    match: {{target: www, port: 8082/tcp, rule: EXP001}}
    reason: a test that ended
    requested_by: web team
    requested_on: 2026-01-02
    approved_by: security board
    approved_on: 2026-01-03
    expires: 2026-01-31
"
            ));
            let verified = verify(&["--at", "2026-06-01", manifest(&text)]);
            let asked = ports(1..=10_000);
            lab.check_report(&verified, &[(www, &asked)]);
            assert_eq!(verified.output.status, 1, "{}", verified.output.stdout);
            let mut complaints = verified.complaints();
            complaints.retain(|complaint| complaint.starts_with("EXP"));
            complaints.sort();
            assert_eq!(
                complaints,
                [
                    format!("EXP001 fail - {www} 8080"),
                    format!("EXP001 fail - {www} 8082"),
                    format!("EXP001 waived - {www} 8081"),
                    format!("EXP002 fail - {www} 3306"),
                    format!("EXP003 fail closed {www} 25"),
                    format!("EXP003 fail filtered {www} 1000"),
                    format!("EXP003 fail filtered {www} 1001"),
                ]
            );
            assert_eq!(verified.findings("EXC001").len(), 1, "the exception that lapsed is named");
            assert_eq!((verified.verdict("fail"), verified.verdict("waived")), (6, 1));
            for (rule, port, line) in [("EXP003", 25, "- 25/tcp"), ("EXP002", 3306, "- 3306/tcp")] {
                let finding = verified.findings(rule).into_iter().find(|finding| finding["port"] == port);
                let place = &finding.expect("the finding is there")["manifest"];
                assert_eq!(place["line"], line_of(&text, line), "{rule} points to what declares it: {place}");
            }
        }
    });
}

/// IPv4 behind a firewall, IPv6 without one: the case that this rule is for.
fn forgotten_firewall() -> Lab {
    Lab::new()
        .host(Host::at(WWW4).default_drop().listen([80, 443]))
        .host(Host::at(WWW6).listen([22, 80, 443]))
        .start()
}

#[test]
fn a_firewall_forgotten_over_ipv6_is_a_parity_finding_where_both_sides_are_allowed() {
    isolated(|| {
        let lab = forgotten_firewall();
        let text = document(&format!(
            "targets:
  - {{id: www, hosts: [{WWW4}, \"{WWW6}\"], expose: [80, 443, {{port: 22, presence: optional}}], tcp: 1-500}}
"
        ));
        let verified = verify(&[manifest(&text)]);
        let asked = ports(1..=500);
        lab.check_report(&verified, &[(WWW4, &asked), (WWW6, &asked)]);
        assert_eq!(verified.output.status, 1, "{}", verified.output.stdout);
        assert_eq!(verified.findings("EXP008").len(), 1, "{:?}", verified.complaints());
        assert_eq!(verified.complaints().len(), 1, "{:?}", verified.complaints());
    });
}

#[test]
fn one_cause_is_one_finding_also_where_families_differ() {
    isolated(|| {
        let lab = forgotten_firewall();
        let text = document(&format!(
            "targets:\n  - {{id: www, hosts: [{WWW4}, \"{WWW6}\"], expose: [80, 443], tcp: 1-500}}\n"
        ));
        let verified = verify(&[manifest(&text)]);
        let asked = ports(1..=500);
        lab.check_report(&verified, &[(WWW4, &asked), (WWW6, &asked)]);
        assert_eq!(verified.complaints(), [format!("EXP001 fail - {WWW6} 22")]);
    });
}
