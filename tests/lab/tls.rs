//! TLS as it is declared and as it is: real servers with good and bad settings and certificates, and
//! testssl.sh as the second opinion on what one of them takes.

use std::{collections::BTreeSet, fmt::Write as _, fs, net::SocketAddr, process::Command};

use serde_json::Value;

use super::{
    address::address,
    daemons,
    host::Host,
    isolate::{DIR, isolated, run},
    lab::{Lab, far},
    portproof::{MOUTHS, Verified, manifest, verify, verify_by},
    servers::serve_http,
};

const DNS: &str = "203.0.113.53";

/// One server: its name, its address, its settings and its certificate.
struct Server<'a> {
    name: &'a str,
    address: &'a str,
    settings: &'a str,
    /// For this name, for so many days, signed by the lab's authority or by itself.
    certificate: (&'a str, u32, bool),
}

const TODAY: &str =
    "ssl_protocols TLSv1.2 TLSv1.3; ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305;";
const OF_OLD: &str = "ssl_protocols TLSv1 TLSv1.1 TLSv1.2; ssl_ciphers ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0; ssl_prefer_server_ciphers on;";

const SERVERS: [Server<'static>; 5] = [
    Server {
        name: "good.example.com",
        address: "203.0.113.70",
        settings: TODAY,
        certificate: ("good.example.com", 90, true),
    },
    Server {
        name: "old.example.com",
        address: "203.0.113.71",
        settings: OF_OLD,
        certificate: ("old.example.com", 90, true),
    },
    Server {
        name: "soon.example.com",
        address: "203.0.113.72",
        settings: TODAY,
        certificate: ("soon.example.com", 10, true),
    },
    Server {
        name: "other.example.com",
        address: "203.0.113.73",
        settings: TODAY,
        certificate: ("www.example.net", 90, true),
    },
    Server {
        name: "self.example.com",
        address: "203.0.113.74",
        settings: TODAY,
        certificate: ("self.example.com", 90, false),
    },
];

fn openssl(arguments: &[&str]) {
    run(Command::new("openssl").args(arguments).current_dir(DIR));
}

const CURVE: [&str; 5] = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

fn certify(server: &Server<'_>) {
    let (name, days, is_trusted) = server.certificate;
    let (key, file) = (format!("{}.key", server.name), format!("{}.crt", server.name));
    let (subject, names) = (format!("/CN={name}"), format!("subjectAltName=DNS:{name}"));
    let days = days.to_string();
    let own = [
        "req",
        "-x509",
        "-days",
        &days,
        "-subj",
        &subject,
        "-addext",
        &names,
        "-addext",
        "basicConstraints=critical,CA:FALSE",
        "-keyout",
        &key,
        "-out",
        &file,
    ];
    let authority = ["-CA", "authority.crt", "-CAkey", "authority.key"];
    openssl(&[&own[..], &CURVE, if is_trusted { &authority } else { &[] }].concat());
}

/// All servers, one nginx, and a DNS server that knows them.
fn start() {
    let mut hosts = Lab::new();
    let mut zone = String::new();
    for server in &SERVERS {
        hosts = hosts.host(Host::at(server.address).open_elsewhere([443]));
        writeln!(zone, "{}. 300 IN A {}", server.name, server.address).unwrap();
    }
    hosts.dns(DNS, &zone).start();
    let own = [
        "req",
        "-x509",
        "-days",
        "365",
        "-subj",
        "/CN=lab authority",
        "-keyout",
        "authority.key",
        "-out",
        "authority.crt",
    ];
    openssl(&[&own[..], &CURVE].concat());
    let mut blocks = String::new();
    for server in &SERVERS {
        certify(server);
        let Server { name, address, settings, .. } = server;
        writeln!(
            blocks,
            "server {{ listen {address}:443 ssl; ssl_certificate {DIR}/{name}.crt; ssl_certificate_key {DIR}/{name}.key; {settings} return 200 \"lab\\n\"; }}"
        )
        .unwrap();
    }
    serve_http("tls", &blocks);
}

/// Verifies that each of them has TLS of this profile, and a certificate of the lab's authority.
fn verified(profile: &str) -> Verified {
    let mut text = String::from(
        "portproof: 1\nauthorization: {scope: [203.0.113.0/24, \"*.example.com\"]}\ndefaults: {tcp: declared, udp: none, families: [ipv4]}\ntargets:\n",
    );
    for server in &SERVERS {
        writeln!(
            text,
            "  - {{hosts: [{}], expose: [{{port: 443/tcp, service: https, tls: {{profile: {profile}, min_days_left: 21, ca_file: authority.crt}}}}]}}",
            server.name
        )
        .unwrap();
    }
    verify(&["--resolver", DNS, manifest(&text)])
}

/// What is said of a certificate or of TLS: rule, host, severity, and the sentence.
fn said(verified: &Verified) -> Vec<(String, String, String, String)> {
    let of = |rule: &str| {
        verified
            .findings(rule)
            .into_iter()
            .map(|finding| {
                let word = |key: &str| finding[key].as_str().unwrap_or_default().to_owned();
                (word("rule"), word("host"), word("severity"), word("message"))
            })
            .collect::<Vec<_>>()
    };
    let mut all = [of("EXP005"), of("EXP006")].concat();
    all.sort();
    all
}

#[test]
fn exactly_the_bad_settings_and_certificates_are_found() {
    isolated(|| {
        start();
        let found = verified("intermediate");
        let said = said(&found);
        let brief: Vec<(&str, &str, &str)> = said
            .iter()
            .map(|(rule, host, severity, _)| (rule.as_str(), host.as_str(), severity.as_str()))
            .collect();
        assert_eq!(
            brief,
            [
                ("EXP005", "old.example.com", "medium"),
                ("EXP006", "other.example.com", "high"),
                ("EXP006", "self.example.com", "high"),
                ("EXP006", "soon.example.com", "medium"),
            ],
            "{}",
            found.output.stdout
        );
        let words =
            ["TLS 1.0", "is not for other.example.com but for www.example.net", "self-signed", "expires in"];
        for ((.., message), words) in said.iter().zip(words) {
            assert!(message.contains(words), "{message}");
        }
        assert_eq!(found.complaints().len(), 4, "{}", found.output.stdout);
        assert_eq!(found.verdict("pass"), 1);
        // What was seen is written down for each name.
        let records = found.report["observations"].as_array().expect("observations");
        for record in records {
            let tls = &record["tls"];
            assert_eq!(tls["sessions"].as_array().map(Vec::len), Some(1), "{record}");
            assert!(tls["sessions"][0]["certificate"]["sha256"].is_string(), "{record}");
            assert_eq!(tls["offered"][0]["unknown_versions"], Value::Array(vec![]), "{record}");
        }
        assert_eq!(old_allows_what_is_old(), ["EXP006"; 3]);
    });
}

/// By profile `old` only the certificates are wrong.
fn old_allows_what_is_old() -> Vec<String> {
    said(&verified("old")).into_iter().map(|(rule, ..)| rule).collect()
}

/// TLS over datagrams: QUIC by quinn, DTLS by coturn, one of it with suites of old.
#[test]
fn what_is_encrypted_over_datagrams_is_looked_at_as_over_streams() {
    isolated(|| {
        let names = ["www", "other", "turn", "weak"];
        let addresses = ["203.0.113.80", "203.0.113.81", "203.0.113.82", "203.0.113.83"];
        let (mut hosts, mut zone) = (Lab::new(), String::new());
        for (name, address) in names.iter().zip(addresses) {
            hosts = hosts.host(Host::at(address));
            writeln!(zone, "{name}.example.com. 300 IN A {address}").unwrap();
        }
        hosts.dns(DNS, &zone).start();
        let [www, other] = [addresses[0], addresses[1]].map(|at| SocketAddr::new(address(at), 443));
        daemons::quic("www.example.com", &[www, other]);
        let good = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305";
        for (name, at, suites) in
            [("turn", addresses[2], good), ("weak", addresses[3], "ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0")]
        {
            let name = format!("{name}.example.com");
            let server = Server { name: &name, address: at, settings: "", certificate: (&name, 90, false) };
            certify(&server);
            let files = ["crt", "key"].map(|kind| format!("{DIR}/{name}.{kind}"));
            let way =
                ["-n", "--no-tcp", "--no-udp", "--no-tls", "--no-cli", "--log-file", "stdout", "-L", at];
            let keys = ["--cert", &files[0], "--pkey", &files[1], "--cipher-list", suites];
            let own = [&format!("--db={DIR}/{name}.db"), &format!("--pidfile={DIR}/{name}.pid")];
            daemons::spawn(
                &name,
                far(&[&["turnserver"], &way[..], &keys, &own.map(String::as_str)].concat()),
            );
        }
        wait_for_datagrams(&addresses[2..], 5349);
        let entry = |host: &str, port: u16, service: &str| {
            format!(
                "  - {{hosts: [{host}.example.com], expose: [{{port: {port}/udp, service: {service}, tls: {{profile: intermediate, min_days_left: 21}}}}]}}\n"
            )
        };
        let text = format!(
            "portproof: 1\nauthorization: {{scope: [203.0.113.0/24, \"*.example.com\"]}}\ndefaults: {{tcp: none, udp: declared, families: [ipv4]}}\ntargets:\n{}{}{}{}",
            entry("www", 443, "https"),
            entry("other", 443, "https"),
            entry("turn", 5349, "stuns"),
            entry("weak", 5349, "stuns"),
        );
        let text = manifest(&text);
        for mouth in MOUTHS {
            let found = verify_by(mouth, &["--resolver", DNS, text]);
            let brief: Vec<(String, String)> =
                said(&found).into_iter().map(|(rule, host, ..)| (rule, host)).collect();
            let expected = [("EXP005", "weak.example.com"), ("EXP006", "other.example.com")];
            let expected = expected.map(|(rule, host)| (rule.to_owned(), host.to_owned()));
            assert_eq!(brief, expected, "{mouth}: {}", found.output.stdout);
            assert_eq!((found.verdict("pass"), found.verdict("fail")), (2, 2), "{}", found.output.stdout);
            let records = found.report["observations"].as_array().expect("observations");
            let of = |at: &str| {
                &records.iter().find(|record| record["address"] == at).expect("it was asked")["tls"]
            };
            let suites = &of(addresses[0])["offered"][0]["versions"];
            assert_eq!(suites[0]["version"], "TLS 1.3", "{suites}");
            assert_eq!(suites[0]["suites"].as_array().map(Vec::len), Some(3), "{suites}");
            let weak = &of(addresses[3])["offered"][0]["versions"];
            assert_eq!([&weak[0]["version"], &weak[1]["version"]], ["DTLS 1.0", "DTLS 1.2"], "{weak}");
            assert_eq!(weak[1]["suites"][0], "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "{weak}");
        }
    });
}

/// Returns when something has this UDP port at each of these addresses.
fn wait_for_datagrams(addresses: &[&str], port: u16) {
    for _ in 0..5000 {
        let open = run(&mut far(&["ss", "-Hlun"]));
        if addresses.iter().all(|address| open.contains(&format!("{address}:{port} "))) {
            return;
        }
    }
    panic!("not every server opened its port: {}", run(&mut far(&["ss", "-lunp"])));
}

#[test]
fn testssl_agrees_on_versions_and_suites() {
    isolated(|| {
        start();
        let found = verified("intermediate");
        let records = found.report["observations"].as_array().expect("observations");
        let record = records.iter().find(|record| record["address"] == "203.0.113.71").expect("it was asked");
        let ours: BTreeSet<(String, String)> = record["tls"]["offered"][0]["versions"]
            .as_array()
            .expect("it was listed")
            .iter()
            .flat_map(|offer| {
                let version = offer["version"].as_str().expect("a version").to_owned();
                let suites = offer["suites"].as_array().expect("suites").clone();
                suites
                    .into_iter()
                    .map(move |suite| (version.clone(), suite.as_str().expect("a name").to_owned()))
            })
            .collect();
        let output = Command::new("testssl")
            .args(["--quiet", "--color", "0", "--warnings", "off", "--nodns", "none", "--ip", "203.0.113.71"])
            .args([
                "--cipher-per-proto",
                "--mapping",
                "rfc",
                "--jsonfile",
                "testssl.json",
                "old.example.com:443",
            ])
            .current_dir(DIR)
            .output()
            .expect("testssl.sh is installed (`tests/run lab` does it)");
        let text = fs::read_to_string(format!("{DIR}/testssl.json"))
            .unwrap_or_else(|error| panic!("{error}: {output:?}"));
        let told: Value = serde_json::from_str(&text).expect("JSON");
        let theirs: BTreeSet<(String, String)> = told
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(|row| {
                // `TLS 1.2  xc02c  TLS_ECDHE_...`; `TLS 1` is 1.0.
                let _ = row["id"].as_str().filter(|id| id.starts_with("cipher-tls"))?;
                let mut words = row["finding"].as_str()?.split_whitespace().skip(1);
                let version = match words.next()? {
                    "1" => "TLS 1.0".to_owned(),
                    number => format!("TLS {number}"),
                };
                Some((version, words.find(|word| word.starts_with("TLS_"))?.to_owned()))
            })
            .collect();
        assert_eq!(ours, theirs, "{text}");
    });
}
