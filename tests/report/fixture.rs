//! Reports that the formats are tested with, built by hand: what a run would have written. Every
//! total in them is added up from its parts, so they reconcile as real ones do.

use std::collections::BTreeMap;

use portproof::{
    model::{Family, Kind, PortSet, Protocol, Severity, State, StateCounts, Verdict, VerdictCounts, rule},
    report::*,
    spec::manifest::{Place, Presence},
};

const SOURCE4: &str = "198.51.100.4";
const SOURCE6: &str = "2001:db8:ffff::4";

/// Two families, five targets, every verdict.
pub fn drifted() -> Report {
    let mut b = Builder::new();
    b.target("www", &["www.example.com"], "web team", &["pci"]);
    b.address("203.0.113.10", Some("www.example.com"), [4, 65_534, 0, 17, 0]);
    b.address("2001:db8:10::10", Some("www.example.com"), [3, 65_535, 0, 17, 0]);
    b.target("mail", &["mail.example.com", "203.0.113.26"], "mail team", &[]);
    b.address("203.0.113.25", Some("mail.example.com"), [2, 1, 65_532, 17, 0]);
    b.address("203.0.113.26", None, [0, 0, 65_535, 17, 0]);
    b.target("dns", &["ns1.example.com"], "network team", &["core"]);
    b.address("203.0.113.53", Some("ns1.example.com"), [2, 65_534, 0, 16, 0]);
    b.address("2001:db8:10::53", Some("ns1.example.com"), [1, 65_534, 0, 17, 0]);
    b.target("vpn", &["vpn.example.com"], "network team", &[]);
    b.address("203.0.113.70", Some("vpn.example.com"), [65_530, 0, 5, 18, 0]);
    b.target("spare-range", &["203.0.113.32/27"], "platform team", &[]);
    for host in (32..64).filter(|&host| host != 53) {
        let states = match host {
            40 => [1, 65_533, 1, 17, 0],
            51 => [0, 0, 65_214, 0, 338],
            _ => [0, 0, 65_535, 17, 0],
        };
        b.address(&format!("203.0.113.{host}"), Some("203.0.113.32/27"), states);
    }

    b.expose("www", Protocol::Tcp, "80,443", Some("https"), "public web site", 14);
    b.optional("www", Protocol::Tcp, "22", "ssh", 20);
    b.deny("www", Protocol::Tcp, "3306,5432", "databases are never public", 24);
    b.expose("mail", Protocol::Tcp, "25,465,587,993", Some("smtp"), "mail for example.com", 31);
    b.expose("dns", Protocol::Udp, "53", Some("dns"), "authoritative name server", 40);
    b.expose("dns", Protocol::Tcp, "53", Some("dns"), "authoritative name server", 41);
    b.expose("vpn", Protocol::Udp, "51820", Some("wireguard"), "staff access", 48);

    use Verdict::{Fail, Inconclusive, NotCovered, Pass, Waived};
    b.seen("203.0.113.10", "80/tcp", State::Open, Pass, Some("nginx 1.26"));
    b.seen("203.0.113.10", "443/tcp", State::Open, Fail, Some("nginx 1.26"));
    b.seen("203.0.113.10", "3306/tcp", State::Open, Fail, Some("MySQL 8.4.3"));
    b.seen("203.0.113.10", "8080/tcp", State::Open, Waived, Some("http"));
    b.seen("203.0.113.10", "22/tcp", State::Closed, Pass, None);
    b.seen("203.0.113.10", "5432/tcp", State::Closed, Pass, None);
    b.seen("2001:db8:10::10", "80/tcp", State::Open, Pass, Some("nginx 1.26"));
    b.seen("2001:db8:10::10", "443/tcp", State::Open, Pass, Some("nginx 1.26"));
    b.seen("2001:db8:10::10", "6379/tcp", State::Open, Fail, Some("Redis 7.2"));
    b.seen("2001:db8:10::10", "22/tcp", State::Closed, Pass, None);
    b.seen("203.0.113.25", "25/tcp", State::Filtered, Fail, None);
    b.seen("203.0.113.25", "465/tcp", State::Closed, Fail, None);
    b.seen("203.0.113.25", "587/tcp", State::Open, Pass, Some("Postfix"));
    b.seen("203.0.113.25", "993/tcp", State::Open, Pass, Some("Dovecot"));
    for port in [25, 465, 587, 993] {
        b.seen("203.0.113.26", &format!("{port}/tcp"), State::Filtered, Inconclusive, None);
    }
    b.seen("203.0.113.53", "53/udp", State::Open, Pass, Some("NSD 4.8"));
    b.seen("203.0.113.53", "53/tcp", State::Open, Pass, Some("NSD 4.8"));
    b.seen("2001:db8:10::53", "53/udp", State::Open, Pass, Some("NSD 4.8"));
    b.seen("2001:db8:10::53", "53/tcp", State::Filtered, Fail, None);
    b.seen("203.0.113.70", "51820/udp", State::Unanswered, Inconclusive, None);
    for port in [1, 2, 3, 443, 8443] {
        b.seen("203.0.113.70", &format!("{port}/tcp"), State::Open, Inconclusive, None);
    }
    b.seen("203.0.113.40", "8080/tcp", State::Open, Fail, Some("http, Jenkins 2.479"));

    b.finding("EXP002", Severity::Critical, Fail, "www", "203.0.113.10", "3306/tcp")
        .says("MySQL is open to the internet, and the manifest denies it")
        .host("www.example.com")
        .pair(
            "must never be open: databases are never public",
            "handshake completed, greeting of MySQL 8.4.3, 31 ms, second look confirmed",
        )
        .at(24)
        .attempts(2, "handshake completed")
        .since("2026-11-22T02:00:40Z");
    b.finding("EXP001", Severity::Critical, Fail, "www", "2001:db8:10::10", "6379/tcp")
        .says("Redis is open over IPv6, and nothing declares it")
        .host("www.example.com")
        .pair(
            "nothing on this port",
            "handshake completed, PING answered by PONG, 33 ms, second look confirmed",
        )
        .at(12)
        .attempts(2, "handshake completed");
    b.finding("EXP001", Severity::High, Fail, "spare-range", "203.0.113.40", "8080/tcp")
        .says("8080/tcp is open, and nothing declares it")
        .host("203.0.113.32/27")
        .pair(
            "nothing may be open on this range",
            "handshake completed, HTTP 403 with X-Jenkins: 2.479, 29 ms",
        )
        .at(55)
        .attempts(2, "handshake completed");
    b.finding("EXP003", Severity::High, Fail, "mail", "203.0.113.25", "25/tcp")
        .says("mail is declared and cannot be reached")
        .host("mail.example.com")
        .cause("filtered")
        .pair(
            "required: mail for example.com, approved by security board (CHG-61)",
            "silence to 3 attempts over 4.1 s, while 587 and 993 of the same address answered",
        )
        .at(31)
        .attempts(3, "no answer");
    b.finding("EXP003", Severity::High, Fail, "mail", "203.0.113.25", "465/tcp")
        .says("submission over TLS is declared and nothing listens")
        .host("mail.example.com")
        .cause("closed")
        .pair("required: mail for example.com", "connection refused (RST), 30 ms")
        .at(31)
        .attempts(1, "connection refused (RST)");
    b.finding("EXP003", Severity::High, Fail, "dns", "2001:db8:10::53", "53/tcp")
        .says("DNS over TCP is open over IPv4 and filtered over IPv6")
        .host("ns1.example.com")
        .cause("filtered")
        .pair("required: authoritative name server", "ICMP admin-prohibited from 2001:db8:10::1")
        .at(41)
        .attempts(1, "ICMP admin-prohibited from 2001:db8:10::1");
    b.finding("EXP006", Severity::Medium, Fail, "www", "203.0.113.10", "443/tcp")
        .says("the certificate expires in 9 days")
        .host("www.example.com")
        .pair("at least 21 days left", "CN=www.example.com, not after 2026-12-02 09:14:00")
        .at(14);
    b.finding("EXP009", Severity::Medium, Fail, "www", "", "")
        .says("www.example.com resolves to an address that nobody expects")
        .host("www.example.com")
        .pair(
            "203.0.113.10 and 2001:db8:10::10",
            "also 192.0.2.77, outside the authorized scope; it was not probed",
        )
        .at(11);
    b.finding("EXP011", Severity::High, Inconclusive, "vpn", "203.0.113.70", "")
        .says("the address answers on everything")
        .host("vpn.example.com")
        .pair("51820/udp only", "5 of 5 random ports completed a handshake; 65,530 ports look open")
        .at(48);
    b.finding("EXP003", Severity::High, Inconclusive, "vpn", "203.0.113.70", "51820/udp")
        .says("WireGuard gave no reply, as it does by design")
        .host("vpn.example.com")
        .cause("unanswered")
        .pair("required: staff access", "silence to 3 attempts over 4.0 s")
        .at(48)
        .attempts(3, "no answer");
    b.finding("EXP010", Severity::Medium, Inconclusive, "mail", "203.0.113.26", "")
        .says("the host was silent on everything")
        .host("203.0.113.26")
        .pair("25, 465, 587 and 993/tcp", "silence on 65,552 endpoints")
        .at(30);
    b.finding("EXP012", Severity::Medium, NotCovered, "spare-range", "203.0.113.51", "")
        .says("338 endpoints were not asked to the end")
        .host("203.0.113.32/27")
        .pair("every port asked", "this machine had no route there for 12 s")
        .at(55);
    b.finding("EXP001", Severity::High, Waived, "www", "203.0.113.10", "8080/tcp")
        .says("8080/tcp is open, and nothing declares it")
        .host("www.example.com")
        .pair("nothing on this port", "handshake completed, 31 ms")
        .at(12)
        .exception("EX-9");
    b.finding("EXP013", Severity::Low, Pass, "dns", "", "")
        .says("the entry for 53/udp was to be reviewed by 2026-10-01")
        .at(40);
    b.finding("MAN003", Severity::Low, Pass, "vpn", "", "")
        .says("the entry for 51820/udp has no justification")
        .at(48);
    b.finding("EXC002", Severity::Low, Pass, "mail", "", "").says("exception EX-4 matches nothing").at(70);

    b.exception(
        "EX-9",
        "www",
        "EXP001",
        Some("8080/tcp"),
        "migration until the new balancer is live",
        "in_force",
        1,
    );
    b.exception("EX-4", "mail", "EXP003", Some("143/tcp"), "old mail clients", "in_force", 0);
    b.exception("EX-2", "dns", "EXP008", None, "IPv6 came later", "expired", 0);
    b.answer("www.example.com", Family::Ipv4, &["192.0.2.77", "203.0.113.10"], &[]);
    b.answer("www.example.com", Family::Ipv6, &["2001:db8:10::10"], &[]);
    b.answer("mail.example.com", Family::Ipv4, &["203.0.113.25"], &["mx.example.com"]);
    b.answer("mail.example.com", Family::Ipv6, &[], &["mx.example.com"]);
    b.answer("vpn.example.com", Family::Ipv4, &["203.0.113.70"], &[]);
    b.report.not_scanned = vec![
        left("203.0.113.9", "excluded by the authorization"),
        left("192.0.2.77 (www.example.com)", "outside the authorized scope"),
        left("IPv6 of mail.example.com", "the name has no AAAA record"),
    ];
    b.report.run.previous = Some(Digest { sha256: "5e".repeat(32) });
    b.report.run.next_due = Some("2026-11-24T02:00:00Z".to_owned());
    b.report.coverage.loss = Some(Loss { estimate: 0.009, upper95: 0.013, trials: 1411 });
    b.report.coverage.miss = Some(Miss {
        estimate: 1.2e-5,
        upper95: 2.4e-5,
        assumption: "losses of attempts a second apart are independent".to_owned(),
    });
    b.report.coverage.kernel_drops = 0;
    b.report.coverage.strays = 12;
    b.finish(Outcome::Deviates, 1)
}

/// Nothing unexpected, nothing missing; IPv4 only, and nothing measured the loss.
pub fn conforming() -> Report {
    let mut b = Builder::new();
    b.target("www", &["www.example.com"], "web team", &[]);
    b.address("203.0.113.10", Some("www.example.com"), [2, 65_533, 0, 0, 0]);
    b.target("spare-range", &["203.0.113.0/24"], "platform team", &[]);
    for host in (0..=255).filter(|&host| host != 10) {
        b.address(&format!("203.0.113.{host}"), Some("203.0.113.0/24"), [0, 0, 65_535, 0, 0]);
    }
    b.expose("www", Protocol::Tcp, "80,443", Some("https"), "public web site", 14);
    b.seen("203.0.113.10", "80/tcp", State::Open, Verdict::Pass, Some("nginx"));
    b.seen("203.0.113.10", "443/tcp", State::Open, Verdict::Pass, Some("nginx"));
    b.report.run.scan.udp = None;
    b.report.run.selection.families = Some(vec![Family::Ipv4]);
    b.finish(Outcome::Conforms, 0)
}

/// Not one answer, and the run was interrupted.
pub fn silent() -> Report {
    let mut b = Builder::new();
    b.target("www", &["203.0.113.10"], "web team", &[]);
    b.address("203.0.113.10", None, [0, 0, 40_000, 0, 25_535]);
    b.expose("www", Protocol::Tcp, "443", Some("https"), "public web site", 14);
    b.seen("203.0.113.10", "443/tcp", State::Filtered, Verdict::Inconclusive, None);
    b.finding("EXP010", Severity::Medium, Verdict::Inconclusive, "www", "203.0.113.10", "")
        .says("nothing answered at all")
        .pair("443/tcp", "silence on everything that was asked")
        .at(14);
    b.report.run.partial = true;
    b.report.run.stop_reason = "interrupted".to_owned();
    b.report.coverage.replies = 0;
    b.finish(Outcome::Inconclusive, 130)
}

/// Every port of one address open and undeclared, and two hundred targets' worth of addresses.
pub fn flood() -> Report {
    let mut b = Builder::new();
    b.target("wide", &["203.0.113.10"], "web team", &[]);
    b.address("203.0.113.10", None, [65_535, 0, 0, 0, 0]);
    for port in 1..=u16::MAX {
        b.seen("203.0.113.10", &format!("{port}/tcp"), State::Open, Verdict::Fail, None);
        b.finding("EXP001", Severity::High, Verdict::Fail, "wide", "203.0.113.10", &format!("{port}/tcp"))
            .says(&format!("{port}/tcp is open, and nothing declares it"))
            .pair("nothing on this port", "handshake completed")
            .at(12);
    }
    b.target("fleet", &["10.0.0.0/24"], "fleet team", &[]);
    b.expose("fleet", Protocol::Tcp, "443", Some("https"), "fleet", 20);
    for host in 1..=200 {
        let address = format!("10.0.0.{host}");
        b.address(&address, Some("10.0.0.0/24"), [1, 65_534, 0, 0, 0]);
        b.seen(&address, "443/tcp", State::Open, Verdict::Pass, None);
        if host % 3 == 0 {
            b.finding("EXP006", Severity::Medium, Verdict::Fail, "fleet", &address, "443/tcp")
                .says("expires soon")
                .at(20);
        }
    }
    b.finish(Outcome::Deviates, 1)
}

/// Hostile words wherever a manifest, a name server or a banner may put them.
pub fn hostile() -> Report {
    const EVIL: &str = "<script>alert(1)</script>\"'--><img src=x onerror=alert(2)>\u{202e}gpj.exe\u{1b}[31m";
    let mut b = Builder::new();
    b.target(EVIL, &[EVIL], EVIL, &[EVIL]);
    b.address("203.0.113.10", Some(EVIL), [1, 65_534, 0, 0, 0]);
    b.expose(EVIL, Protocol::Tcp, "443", Some(EVIL), EVIL, 3);
    b.seen("203.0.113.10", "8080/tcp", State::Open, Verdict::Fail, Some(EVIL));
    b.seen("203.0.113.10", "443/tcp", State::Closed, Verdict::Fail, None);
    b.finding("EXP001", Severity::High, Verdict::Fail, EVIL, "203.0.113.10", "8080/tcp")
        .says(EVIL)
        .host(EVIL)
        .pair(EVIL, EVIL)
        .attempts(1, EVIL)
        .at(3);
    b.finding("EXP003", Severity::High, Verdict::Fail, EVIL, EVIL, "443/tcp")
        .says(EVIL)
        .host(EVIL)
        .cause("unresolved")
        .at(3);
    b.finding("EXP009", Severity::High, Verdict::Fail, "$(reboot)", "", "")
        .says(EVIL)
        .host("`reboot`.example")
        .at(3);
    b.exception(EVIL, EVIL, "EXP001", Some(EVIL), EVIL, "expired", 0);
    b.answer(EVIL, Family::Ipv4, &[EVIL], &[EVIL]);
    b.report.not_scanned = vec![left(EVIL, EVIL)];
    b.report.run.manifest.name = Some(EVIL.to_owned());
    b.report.run.manifest.path = Some("$(reboot).yaml".to_owned());
    b.report.run.operator = Some(EVIL.to_owned());
    b.report.run.vantage = Some(EVIL.to_owned());
    b.report.run.stop_reason = EVIL.to_owned();
    b.report.run.partial = true;
    b.report.run.argv = vec![EVIL.to_owned()];
    b.report.run.selection.only = vec![EVIL.to_owned()];
    b.finish(Outcome::Deviates, 1)
}

fn left(what: &str, why: &str) -> NotScanned {
    NotScanned { what: what.to_owned(), why: why.to_owned() }
}

fn place(line: u64) -> Place {
    Place { path: "edge.yaml".to_owned(), line, column: 7 }
}

fn owned(items: &[&str]) -> Vec<String> {
    items.iter().map(|&item| item.to_owned()).collect()
}

struct Builder {
    report: Report,
}

impl Builder {
    fn new() -> Self {
        let text = |text: &str| Some(text.to_owned());
        let report = Report {
            schema: SCHEMA.to_owned(),
            tool: Tool {
                name: "portproof".to_owned(),
                version: "0.1.0".to_owned(),
                commit: text("1681851"),
                sha256: Some("a7".repeat(32)),
            },
            run: Run {
                id: "0193584c-7a01-7c3e-9a55-3d1f2e4b5c6d".to_owned(),
                started_at: "2026-11-23T02:00:07Z".to_owned(),
                finished_at: "2026-11-23T02:02:41Z".to_owned(),
                vantage: text("internet"),
                operator: text("audit@ci"),
                seed: 7,
                argv: owned(&["portproof", "verify", "edge.yaml", "--report", "html=report.html"]),
                selection: Selection::default(),
                scan: Methods { tcp: text("connect"), udp: text("udp") },
                fallbacks: vec![Fallback {
                    asked: "syn".to_owned(),
                    used: "connect".to_owned(),
                    why: "no privilege to open raw sockets".to_owned(),
                }],
                partial: false,
                stop_reason: "complete".to_owned(),
                clock: Clock {
                    source: "system".to_owned(),
                    synchronized: Some(true),
                    max_error_ms: Some(1.8),
                },
                manifest: ManifestRecord {
                    path: text("edge.yaml"),
                    sha256: Some("9f2c".repeat(16)),
                    git: Some(Git { commit: "4be1d2c09a7f".to_owned(), dirty: false }),
                    name: text("acme edge"),
                    owner: text("platform team"),
                    contact: text("noc@example.com"),
                    environment: text("production"),
                },
                previous: None,
                next_due: None,
                resolver: ResolverRecord { servers: owned(&["198.51.100.53"]), answers: Vec::new() },
                host: HostRecord { name: text("scanner-1"), source_addresses: owned(&[SOURCE4, SOURCE6]) },
            },
            authorization: AuthorizationRecord {
                reference: text("SEC-1204"),
                authorized_by: text("head of security"),
                valid_until: text("2027-06-30"),
                scope: owned(&["203.0.113.0/24", "2001:db8:10::/64", "*.example.com"]),
                exclude: owned(&["203.0.113.9"]),
                implied: false,
            },
            policy: text("pci-dss-4.0.1"),
            declared: Vec::new(),
            exceptions: Vec::new(),
            not_scanned: Vec::new(),
            summary: Summary {
                result: Outcome::Conforms,
                exit_code: 0,
                findings: SeverityCounts::default(),
                verdicts: VerdictCounts::default(),
                headline: String::new(),
            },
            coverage: CoverageRecord {
                planned: 0,
                states: StateCounts::default(),
                probes_sent: 0,
                retransmitted: 0,
                replies: 0,
                strays: 0,
                kernel_drops: 0,
                send_errors: 0,
                duration_s: 154.2,
                rate_pps: 0.0,
                port_sets: BTreeMap::new(),
                loss: None,
                miss: None,
                per_address: Vec::new(),
            },
            targets: Vec::new(),
            findings: Vec::new(),
            observations: Vec::new(),
        };
        Self { report }
    }

    fn target(&mut self, id: &str, hosts: &[&str], owner: &str, tags: &[&str]) {
        self.report.coverage.port_sets.insert(id.to_owned(), "1-65535".to_owned());
        self.report.targets.push(TargetRecord {
            id: id.to_owned(),
            hosts: owned(hosts),
            owner: Some(owner.to_owned()),
            tags: owned(tags),
            addresses: Vec::new(),
        });
    }

    /// `[open, closed, filtered, unanswered, unknown]`.
    fn address(&mut self, address: &str, name: Option<&str>, states: [u64; 5]) {
        let [open, closed, filtered, unanswered, unknown] = states;
        let states = StateCounts { open, closed, filtered, unanswered, unknown };
        let block = name.is_some_and(|name| name.contains('/'));
        let alive = states.answered();
        self.report.targets.last_mut().expect("a target").addresses.push(AddressRecord {
            address: address.to_owned(),
            name: name.map(str::to_owned),
            family: if address.contains(':') { Family::Ipv6 } else { Family::Ipv4 },
            alive: Some(alive),
            liveness: alive.then(|| "handshake or refusal on the first pass".to_owned()),
            states,
            answers_everything: open > 60_000 && address.ends_with(".70"),
            expect_dark: block && open == 0,
            miss: None,
        });
        let rtt_ms = alive.then_some(30.4);
        let planned = states.total();
        self.report.coverage.per_address.push(AddressCoverage {
            address: address.to_owned(),
            planned,
            states,
            rtt_ms,
        });
        self.report.coverage.states += states;
        self.report.coverage.planned += planned;
    }

    fn declare(
        &mut self,
        kind: DeclaredKind,
        target: &str,
        protocol: Protocol,
        ports: &str,
        why: &str,
        line: u64,
    ) -> &mut Declared {
        let expose = kind == DeclaredKind::Expose;
        self.report.declared.push(Declared {
            target: target.to_owned(),
            kind,
            protocol,
            ports: PortSet::parse(ports).expect("ports"),
            presence: expose.then_some(Presence::Required),
            from: Vec::new(),
            service: None,
            owner: Some("platform team".to_owned()),
            justification: Some(why.to_owned()),
            approved_by: expose.then(|| "security board".to_owned()),
            approved_on: expose.then(|| "2026-05-02".to_owned()),
            ticket: expose.then(|| "CHG-61".to_owned()),
            review_by: expose.then(|| "2027-03-01".to_owned()),
            profile: None,
            manifest: Some(place(line)),
        });
        self.report.declared.last_mut().expect("just pushed")
    }

    fn expose(
        &mut self,
        target: &str,
        protocol: Protocol,
        ports: &str,
        service: Option<&str>,
        why: &str,
        line: u64,
    ) {
        self.declare(DeclaredKind::Expose, target, protocol, ports, why, line).service =
            service.map(str::to_owned);
    }

    fn optional(&mut self, target: &str, protocol: Protocol, ports: &str, service: &str, line: u64) {
        let entry = self.declare(DeclaredKind::Expose, target, protocol, ports, "administration", line);
        entry.presence = Some(Presence::Optional);
        entry.service = Some(service.to_owned());
    }

    fn deny(&mut self, target: &str, protocol: Protocol, ports: &str, why: &str, line: u64) {
        self.declare(DeclaredKind::Deny, target, protocol, ports, why, line);
    }

    fn seen(&mut self, address: &str, endpoint: &str, state: State, verdict: Verdict, service: Option<&str>) {
        let (port, protocol) = split(endpoint);
        let reason = match state {
            State::Open => "syn-ack",
            State::Closed => "conn-refused",
            _ => "no-response",
        };
        self.report.observations.push(ObservationRecord {
            address: address.to_owned(),
            protocol,
            port,
            state,
            verdict,
            reason: reason.to_owned(),
            ttl: None,
            rtt_ms: matches!(state, State::Open | State::Closed).then_some(31.2),
            attempts: if matches!(state, State::Open | State::Closed) { 1 } else { 3 },
            first_seen_at: Some("2026-11-23T02:00:09Z".to_owned()),
            service: service.map(str::to_owned),
            tls: None,
            banner: None,
            ladder: Vec::new(),
        });
    }

    fn finding(
        &mut self,
        id: &str,
        severity: Severity,
        verdict: Verdict,
        target: &str,
        address: &str,
        endpoint: &str,
    ) -> Draft<'_> {
        let known = rule(id).expect("a rule of the catalogue");
        let endpoint = (!endpoint.is_empty()).then(|| split(endpoint));
        let address = (!address.is_empty()).then(|| address.to_owned());
        let owner = self.report.targets.iter().find(|it| it.id == target).and_then(|it| it.owner.clone());
        self.report.findings.push(Finding {
            id: format!(
                "{:016x}",
                0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(self.report.findings.len() as u64 + 1)
            ),
            rule: id.to_owned(),
            kind: known.kind,
            title: String::new(),
            severity,
            verdict,
            target: Some(target.to_owned()),
            also: Vec::new(),
            host: None,
            family: address.as_ref().map(|it| if it.contains(':') { Family::Ipv6 } else { Family::Ipv4 }),
            address,
            protocol: endpoint.map(|(_, protocol)| protocol),
            port: endpoint.map(|(port, _)| port),
            owner,
            tags: Vec::new(),
            expected: String::new(),
            observed: String::new(),
            cause: None,
            evidence: Vec::new(),
            message: if known.kind == Kind::Governance { String::new() } else { known.why.to_owned() },
            remedy: known.remedy.to_owned(),
            first_seen: None,
            manifest: None,
            exception: None,
        });
        Draft { finding: self.report.findings.last_mut().expect("just pushed") }
    }

    #[allow(clippy::too_many_arguments)]
    fn exception(
        &mut self,
        id: &str,
        target: &str,
        rule: &str,
        port: Option<&str>,
        reason: &str,
        status: &str,
        waived: u64,
    ) {
        let text = |text: &str| Some(text.to_owned());
        self.report.exceptions.push(ExceptionRecord {
            id: id.to_owned(),
            target: target.to_owned(),
            rule: rule.to_owned(),
            port: port.map(str::to_owned),
            reason: reason.to_owned(),
            requested_by: text("web team"),
            requested_on: text("2026-11-02"),
            approved_by: text("security board"),
            approved_on: text("2026-11-03"),
            ticket: text("CHG-80"),
            expires: if status == "expired" { "2026-10-31" } else { "2026-12-31" }.to_owned(),
            status: status.to_owned(),
            waived,
            manifest: place(70),
        });
    }

    fn answer(&mut self, name: &str, family: Family, addresses: &[&str], chain: &[&str]) {
        self.report.run.resolver.answers.push(DnsAnswer {
            name: name.to_owned(),
            family,
            status: if addresses.is_empty() { "no_data" } else { "answered" }.to_owned(),
            addresses: owned(addresses),
            chain: owned(chain),
            ttl_s: Some(3600),
            error: None,
        });
    }

    /// Adds up what follows from the parts.
    fn finish(mut self, result: Outcome, exit_code: u8) -> Report {
        let report = &mut self.report;
        let coverage = &mut report.coverage;
        coverage.retransmitted = 2 * coverage.states.filtered + 2 * coverage.states.unanswered;
        coverage.probes_sent = coverage.planned + coverage.retransmitted;
        if coverage.states.answered() {
            coverage.replies = coverage.states.open + coverage.states.closed;
        }
        #[allow(clippy::cast_precision_loss)]
        let rate = coverage.probes_sent as f64 / coverage.duration_s;
        coverage.rate_pps = rate;
        let mut verdicts = VerdictCounts::default();
        for seen in &report.observations {
            verdicts.add(seen.verdict, 1);
        }
        let (mut dark, mut doubtful) = (0, 0);
        for place in report.targets.iter().flat_map(|target| &target.addresses) {
            let named = |wanted: fn(Verdict) -> bool| {
                let seen = report
                    .observations
                    .iter()
                    .filter(|seen| seen.address == place.address && wanted(seen.verdict));
                seen.count() as u64
            };
            if place.expect_dark {
                dark += place.states.filtered + place.states.unanswered;
                doubtful += place.states.unknown;
            } else if place.answers_everything || !place.states.answered() {
                doubtful += place.states.total() - named(|_| true);
            } else {
                dark += place.states.unanswered;
            }
        }
        verdicts.add(Verdict::PassBySilence, dark);
        verdicts.add(Verdict::Inconclusive, doubtful);
        verdicts.add(Verdict::Pass, coverage.planned - verdicts.total());
        report.summary.verdicts = verdicts;
        for finding in report
            .findings
            .iter()
            .filter(|it| matches!(it.verdict, Verdict::Fail | Verdict::Inconclusive | Verdict::NotCovered))
        {
            report.summary.findings.add(finding.severity);
        }
        report.summary.result = result;
        report.summary.exit_code = exit_code;
        report.summary.headline = headline(report);
        self.report
    }
}

fn split(endpoint: &str) -> (u16, Protocol) {
    let (port, protocol) = endpoint.split_once('/').expect("port/protocol");
    (port.parse().unwrap_or(1), if protocol == "udp" { Protocol::Udp } else { Protocol::Tcp })
}

/// A finding being written.
struct Draft<'a> {
    finding: &'a mut Finding,
}

impl Draft<'_> {
    fn says(self, title: &str) -> Self {
        title.clone_into(&mut self.finding.title);
        self
    }

    fn host(self, host: &str) -> Self {
        self.finding.host = Some(host.to_owned());
        self
    }

    fn cause(self, cause: &str) -> Self {
        self.finding.cause = Some(cause.to_owned());
        self
    }

    fn pair(self, expected: &str, observed: &str) -> Self {
        expected.clone_into(&mut self.finding.expected);
        observed.clone_into(&mut self.finding.observed);
        self
    }

    fn at(self, line: u64) -> Self {
        self.finding.manifest = Some(place(line));
        self
    }

    fn exception(self, id: &str) -> Self {
        self.finding.exception = Some(id.to_owned());
        self
    }

    fn since(self, when: &str) -> Self {
        self.finding.first_seen = Some(when.to_owned());
        self
    }

    fn attempts(self, n: u8, what: &str) -> Self {
        let source = if self.finding.family == Some(Family::Ipv6) { SOURCE6 } else { SOURCE4 };
        self.finding.evidence = (1..=n)
            .map(|attempt| EvidenceRecord {
                at: format!("2026-11-23T02:00:{:02}Z", 9 + attempt),
                attempt,
                source_address: Some(source.to_owned()),
                source_port: Some(40_960 + u16::from(attempt)),
                what: what.to_owned(),
            })
            .collect();
        self
    }
}
