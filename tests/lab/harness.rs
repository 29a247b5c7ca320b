//! The lab before the product: what it declares is what an independent scanner sees.

use super::{
    address::{address, ports},
    host::Host,
    isolate::isolated,
    lab::Lab,
    nmap,
    portproof::{Output, Scan},
};

#[test]
fn nmap_sees_the_truth_that_the_lab_declares() {
    isolated(|| {
        let lab = Lab::new()
            .host(
                Host::at("203.0.113.2")
                    .also("2001:db8:10::2")
                    .listen([22, 80, 8000])
                    .nginx([8080])
                    .sshd([2222]),
            )
            .host(Host::at("203.0.113.3").default_drop().listen([80, 443]))
            .host(
                Host::at("203.0.113.4")
                    .also("2001:db8:10::4")
                    .listen([25, 65_535])
                    .drop(1000..=1099)
                    .admin_prohibited(2000..=2099)
                    .port_unreachable(3000..=3099)
                    .reject_rst(4000..=4099),
            )
            .witness()
            .start();
        let few = ports([1, 22, 80, 443, 2222, 8000, 8080, 65_535]);
        let mut many = ports((1..=4).flat_map(|k| k * 1000..k * 1000 + 40));
        many.extend([1, 25, 999, 1100, 65_534, 65_535]);
        for (host, ports) in [
            ("203.0.113.2", &few),
            ("2001:db8:10::2", &few),
            ("203.0.113.3", &few),
            ("203.0.113.4", &many),
            ("2001:db8:10::4", &many),
        ] {
            let host = address(host);
            for (port, state) in nmap::connect_scan(host, ports) {
                let truth = lab.truth(host, port).expect("the host is declared");
                assert_eq!(state, truth.seen_by_nmap_connect(), "{host} {port}/tcp is {truth:?}");
            }
        }
        let dark = address("203.0.113.99");
        assert!(nmap::connect_scan(dark, &few).values().all(|state| state == "filtered"), "nobody is there");
        let touched = lab.touched();
        assert_eq!(touched.iter().filter(|(host, _)| *host == dark).count(), few.len(), "{touched:?}");
        assert_eq!(touched.len(), 4 * few.len() + 2 * many.len(), "the witness counts every endpoint asked");
    });
}

/// One line of ndjson for each endpoint of the host below, as a perfect scanner would write it.
fn perfect(lab: &Lab) -> Vec<String> {
    let mut lines: Vec<String> = (1..=50)
        .map(|port| {
            let truth = lab.truth(address("203.0.113.2"), port).expect("the host is declared");
            let (state, reason) = (truth.state(), truth.reasons()[0]);
            format!(
                r#"{{"address":"203.0.113.2","protocol":"tcp","port":{port},"state":"{state}","reason":"{reason}","rtt_ms":null,"attempts":1}}"#
            )
        })
        .collect();
    lines.push(
        r#"{"summary":{"coverage":{"planned":50,"open":2,"closed":38,"filtered":10,"unanswered":0,"unknown":0}}}"#
            .to_owned(),
    );
    lines
}

#[test]
fn the_comparison_finds_every_kind_of_wrong_answer() {
    let lab = Lab::new().host(Host::at("203.0.113.2").listen([22, 25]).drop(30..=39));
    let asked = ports(1..=50);
    let passes = |lines: &[String]| {
        std::panic::catch_unwind(|| {
            let output = Output { status: 0, stdout: lines.join("\n"), stderr: String::new() };
            lab.check(&Scan::read(output), &[("203.0.113.2", &asked)]);
        })
        .is_ok()
    };
    let good = perfect(&lab);
    assert!(passes(&good));
    let wrong = |line: usize, from: &str, to: &str| {
        let mut lines = good.clone();
        assert!(lines[line].contains(from), "{}", lines[line]);
        lines[line] = lines[line].replace(from, to);
        lines
    };
    assert!(!passes(&wrong(21, "open", "closed")), "a state");
    assert!(!passes(&wrong(29, "no-response", "admin-prohibited")), "a reason");
    assert!(!passes(&wrong(9, "203.0.113.2", "203.0.113.3")), "an address that nobody asked for");
    assert!(!passes(&wrong(50, "\"closed\":38", "\"closed\":37")), "a total");
    assert!(!passes(&[&good[..5], &good[6..]].concat()), "an endpoint that is missing");
    assert!(!passes(&[&good[..5], &good[4..]].concat()), "an endpoint said twice");
    assert!(!passes(&good[..50]), "no summary");
}
