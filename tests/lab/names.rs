//! Names against a real DNS server: every address judged by itself, and doubt told from absence.

use super::{
    address::ports,
    host::Host,
    isolate::isolated,
    lab::Lab,
    portproof::{manifest, portproof, verify},
};

const RESOLVER: &str = "203.0.113.53";
const WWW4: &str = "203.0.113.10";
const WWW6: &str = "2001:db8:10::10";
const CDN: &str = "203.0.113.40";

const ZONE: &str = "
www.example.com.     300 IN A     203.0.113.10
www.example.com.     300 IN AAAA  2001:db8:10::10
v4.example.com.      300 IN A     203.0.113.10
alias.example.com.   300 IN CNAME v4.example.com.
edge.example.com.    300 IN CNAME cdn.example.net.
cdn.example.net.     300 IN A     203.0.113.40
mail.example.com.    300 IN TXT   no-address-here
lame.example.com.    300 IN NS    ns.lame.example.com.
ns.lame.example.com. 300 IN A     127.0.0.1
";

/// 443/tcp answers over IPv4 only.
fn named() -> Lab {
    Lab::new()
        .host(Host::at(WWW4).listen([80, 443]))
        .host(Host::at(WWW6).listen([80]))
        .host(Host::at(CDN).listen([80, 443, 8080]))
        .dns(RESOLVER, ZONE)
        .witness()
        .start()
}

fn declare(hosts: &str, expose: &str, scope: &str) -> &'static str {
    manifest(&format!(
        "portproof: 1
authorization: {{reference: SEC-1, authorized_by: us, valid_until: 9999-12-31, scope: {scope}}}
targets:
  - {{id: named, hosts: {hosts}, expose: {expose}, tcp: 1-500, udp: none}}
  - {{id: anchor, hosts: [{WWW4}], expose: [80, 443], tcp: declared, udp: none}}
"
    ))
}

#[test]
fn both_families_of_a_name_are_judged_each_by_itself() {
    isolated(|| {
        let lab = named();
        let path = declare("[www.example.com]", "[80, 443]", &format!("[www.example.com, {WWW4}]"));
        let verified = verify(&["--resolver", RESOLVER, path]);
        let asked = ports(1..=500);
        lab.check_report(&verified, &[(WWW4, &asked), (WWW6, &asked)]);
        assert_eq!(verified.complaints(), [format!("EXP003 fail closed {WWW6} 443")]);
        let answers = verified.report["run"]["resolver"]["answers"].as_array().expect("answers");
        for (family, address) in [("ipv4", WWW4), ("ipv6", WWW6)] {
            let answer = answers.iter().find(|a| a["name"] == "www.example.com" && a["family"] == family);
            let answer = answer.unwrap_or_else(|| panic!("{family} was asked: {answers:?}"));
            assert_eq!(
                (answer["status"].as_str(), answer["addresses"][0].as_str()),
                (Some("answered"), Some(address))
            );
        }
    });
}

#[test]
fn a_name_that_does_not_exist_and_a_name_without_addresses_are_missing() {
    isolated(|| {
        let lab = named();
        for (name, status) in [("gone.example.com", "nxdomain"), ("mail.example.com", "no_data")] {
            let path = declare(&format!("[{name}]"), "[443]", &format!("[\"*.example.com\", {WWW4}]"));
            let verified = verify(&["--resolver", RESOLVER, path]);
            lab.check_report(&verified, &[(WWW4, &[80, 443])]);
            assert_eq!(verified.output.status, 1, "{name}: {}", verified.headline());
            let complaints = verified.complaints();
            assert_eq!(complaints.len(), 1, "{name}: {complaints:?}");
            assert!(complaints[0].starts_with("EXP003 fail unresolved"), "{name}: {complaints:?}");
            let answers = verified.report["run"]["resolver"]["answers"].as_array().expect("answers");
            let said: Vec<_> =
                answers.iter().filter(|a| a["name"] == name).map(|a| a["status"].clone()).collect();
            assert_eq!(said, [status, status], "{name}");
        }
    });
}

#[test]
fn a_resolver_that_fails_proves_nothing() {
    isolated(|| {
        let lab = named();
        for (name, status) in [("lame.example.com", "servfail"), ("silent.example.com", "timeout")] {
            // A second name that does resolve: the resolver as such works.
            let path = declare(
                &format!("[{name}, v4.example.com]"),
                "[443]",
                &format!("[\"*.example.com\", {WWW4}]"),
            );
            let verified = verify(&["--resolver", RESOLVER, path]);
            lab.check_report(&verified, &[(WWW4, &ports(1..=500))]);
            assert_eq!(verified.output.status, 3, "{name}: {}", verified.output.stdout);
            assert!(
                verified.findings("EXP003").iter().all(|finding| finding["verdict"] == "inconclusive"),
                "{name}"
            );
            assert!(!verified.complaints().is_empty(), "{name} is in doubt, and the report must say so");
            let answers = verified.report["run"]["resolver"]["answers"].as_array().expect("answers");
            let said: Vec<_> =
                answers.iter().filter(|a| a["name"] == name).map(|a| a["status"].clone()).collect();
            assert_eq!(said, [status, status], "{name}");
        }
    });
}

#[test]
fn no_answer_from_any_resolver_is_trouble_of_the_environment() {
    isolated(|| {
        let lab = named();
        let path = declare("[www.example.com]", "[443]", &format!("[www.example.com, {WWW4}]"));
        // Nobody is at this address.
        let output = portproof(&["verify", "--scan", "connect", "--resolver", "203.0.113.99", path]);
        assert_eq!(output.status, 4, "{output:#?}");
        let probed: Vec<_> = lab.touched().into_iter().filter(|&(_, port)| port != 53).collect();
        assert_eq!(probed, [], "nothing is probed when no name is known");
    });
}

#[test]
fn a_chain_that_leaves_the_scope_is_probed_on_declared_ports_only() {
    isolated(|| {
        let lab = named();
        let path = declare("[edge.example.com]", "[443]", &format!("[edge.example.com, {WWW4}]"));
        let verified = verify(&["--resolver", RESOLVER, path]);
        verified.reconciles();
        assert!(!verified.findings("EXP009").is_empty(), "the drift is said: {:?}", verified.complaints());
        let ports: Vec<u16> = lab
            .touched()
            .into_iter()
            .filter(|(host, _)| host.to_string() == CDN)
            .map(|(_, port)| port)
            .collect();
        assert_eq!(ports, [443], "what the wire saw at {CDN}");
        let answers = verified.report["run"]["resolver"]["answers"].as_array().expect("answers");
        let edge = answers.iter().find(|a| a["name"] == "edge.example.com" && a["family"] == "ipv4");
        let chain = edge.expect("the name was asked")["chain"].to_string();
        assert!(chain.contains("cdn.example.net"), "the chain is kept as evidence: {chain}");
    });
}

#[test]
fn a_chain_that_stays_in_the_scope_is_probed_like_the_name_itself() {
    isolated(|| {
        let lab = named();
        let path =
            declare("[alias.example.com]", "[80, 443]", "[alias.example.com, v4.example.com, 203.0.113.10]");
        let verified = verify(&["--resolver", RESOLVER, path]);
        verified.reconciles();
        assert_eq!(verified.output.status, 0, "{}", verified.output.stdout);
        let ports = lab.touched().into_iter().filter(|(host, port)| host.to_string() == WWW4 && *port <= 500);
        assert_eq!(ports.count(), 500, "every port that was asked, once it is authorized");
    });
}
