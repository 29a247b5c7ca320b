//! Two reports compared: what was not looked at is neither gone nor new, and the rest is named.

use portproof::{
    model::{Family, Kind, Level, PortSet, Protocol, State, StateCounts, Verdict},
    report::{
        CertificateRecord, DnsAnswer, OfferRecord, OfferedRecord, PortraitRecord, Report, SessionRecord,
        TlsRecord,
        diff::{self, Diff, EndpointDiff, Likeness, compare},
    },
};

use crate::{all, fixture};

const WWW: &str = "203.0.113.10";

fn compared(old: &Report, new: &Report) -> Diff {
    let diff = compare((old, "aa"), (new, "bb"));
    let schema = jsonschema::validator_for(&diff::schema()).expect("a schema");
    let value = serde_json::to_value(&diff).expect("JSON");
    let faults: Vec<String> = schema.iter_errors(&value).map(|fault| fault.to_string()).collect();
    assert!(faults.is_empty(), "{faults:?}");
    diff
}

fn text(diff: &Diff) -> String {
    let mut text = Vec::new();
    diff::write_text(diff, &mut text).expect("text");
    String::from_utf8(text).expect("UTF-8")
}

fn page(diff: &Diff) -> String {
    let mut page = Vec::new();
    diff::write_html(diff, &mut page).expect("a page");
    String::from_utf8(page).expect("UTF-8")
}

fn ports(list: &[EndpointDiff]) -> Vec<String> {
    list.iter().map(|diff| format!("{} {}/{}", diff.address, diff.port, diff.protocol)).collect()
}

/// Takes the record of an endpoint out of a report; what is counted stays.
fn forget(report: &mut Report, address: &str, port: u16) {
    report.observations.retain(|seen| (seen.address.as_str(), seen.port) != (address, port));
    report
        .findings
        .retain(|finding| (finding.address.as_deref(), finding.port) != (Some(address), Some(port)));
}

/// Moves `n` open endpoints of an address into another state.
fn recount(report: &mut Report, address: &str, to: State, n: u64) {
    let move_counts = |states: &mut StateCounts| {
        states.sub(State::Open, n);
        states.add(to, n);
    };
    for target in &mut report.targets {
        for place in target.addresses.iter_mut().filter(|place| place.address == address) {
            move_counts(&mut place.states);
        }
    }
    for place in report.coverage.per_address.iter_mut().filter(|place| place.address == address) {
        move_counts(&mut place.states);
    }
}

#[test]
fn a_report_does_not_differ_from_itself() {
    for (name, report) in all().into_iter().filter(|(name, _)| *name != "flood") {
        let diff = compared(&report, &report);
        assert_eq!((diff.result, diff.exit_code), (Likeness::Same, 0), "{name}: {}", text(&diff));
        assert_eq!(diff.circumstances, [], "{name}");
    }
}

#[test]
fn a_port_that_was_open_and_is_looked_at_and_not_open_has_vanished_and_the_other_way_round_appeared() {
    let old = fixture::drifted();
    let mut new = old.clone();
    forget(&mut new, WWW, 8080);
    recount(&mut new, WWW, State::Closed, 1);
    let gone = compared(&old, &new);
    assert_eq!(ports(&gone.endpoints.vanished), [format!("{WWW} 8080/tcp")]);
    assert_eq!(gone.endpoints.vanished[0].new.state, Some(State::Closed), "the counts leave no other");
    assert_eq!(gone.exit_code, 1);
    let come = compared(&new, &old);
    assert_eq!(ports(&come.endpoints.appeared), [format!("{WWW} 8080/tcp")]);
    assert_eq!(come.exit_code, 1);
    assert!(
        text(&come).contains("Appeared (open now; looked at before, and not open then)"),
        "{}",
        text(&come)
    );
}

#[test]
fn a_port_that_nobody_looked_at_again_is_not_gone() {
    let old = fixture::drifted();
    let narrow = |change: &dyn Fn(&mut Report)| {
        let mut new = old.clone();
        forget(&mut new, WWW, 8080);
        forget(&mut new, WWW, 3306);
        change(&mut new);
        let diff = compared(&old, &new);
        assert_eq!(ports(&diff.endpoints.vanished), [""; 0]);
        assert_eq!(
            ports(&diff.endpoints.not_looked_at),
            [format!("{WWW} 3306/tcp"), format!("{WWW} 8080/tcp")]
        );
        assert!(!diff.narrower.is_empty());
        assert_eq!((diff.result, diff.exit_code), (Likeness::NotCovered, 3), "{}", text(&diff));
        assert_eq!(
            diff.findings.resolved.iter().filter(|f| f.port.is_some()).count(),
            0,
            "nor is its finding"
        );
        let back = compared(&new, &old);
        assert_eq!(ports(&back.endpoints.appeared), [""; 0]);
        assert_eq!(back.endpoints.not_looked_at_before.len(), 2, "nor is it new the other way round");
        diff.endpoints.not_looked_at[0].new.why.clone().expect("a reason")
    };
    let declared = narrow(&|new| {
        new.coverage.port_sets.insert("www".to_owned(), "22,80,443,5432".to_owned());
        new.run.selection.tcp = Some("declared".to_owned());
    });
    assert_eq!(declared, "the port was not asked (--tcp declared)");
    let partial = narrow(&|new| {
        recount(new, WWW, State::Unknown, 2);
        new.run.partial = true;
        new.run.stop_reason = "interrupted".to_owned();
    });
    assert_eq!(partial, "2 endpoints of the address not determined, the run is partial: it was interrupted");
    let shard = narrow(&|new| {
        recount(new, WWW, State::Unknown, 2);
        new.run.selection.shard = Some("1/2".to_owned());
    });
    assert!(shard.ends_with("the run asked part 1/2 of the plan only"), "{shard}");
    let uncounted = narrow(&|new| {
        recount(new, WWW, State::Closed, 1);
        recount(new, WWW, State::Unknown, 1);
    });
    assert!(uncounted.starts_with("1 endpoint of the address not determined"), "{uncounted}");
}

/// A finding that says so of an address.
fn doubt(report: &mut Report, rule: &str, address: Option<&str>) {
    let mut finding = report.findings.first().expect("a finding").clone();
    finding.id = format!("doubt {rule}");
    rule.clone_into(&mut finding.rule);
    finding.verdict = Verdict::Inconclusive;
    finding.host = Some("www.example.com".to_owned());
    finding.address = address.map(str::to_owned);
    (finding.protocol, finding.port, finding.family) = (None, None, None);
    report.findings.push(finding);
}

#[test]
fn silence_that_proves_nothing_makes_no_open_port_vanish_and_resolves_no_finding() {
    let old = fixture::drifted();
    for (rule, address) in [("EXP010", None), ("EXP011", Some(WWW)), ("EXP015", Some(WWW))] {
        for listed in [true, false] {
            let mut new = old.clone();
            if listed {
                let seen = new
                    .observations
                    .iter_mut()
                    .find(|seen| (seen.address.as_str(), seen.port) == (WWW, 8080));
                seen.expect("a port").state = State::Filtered;
                new.findings.retain(|it| (it.address.as_deref(), it.port) != (Some(WWW), Some(8080)));
            } else {
                forget(&mut new, WWW, 8080);
            }
            recount(&mut new, WWW, State::Filtered, 1);
            for place in new.coverage.per_address.iter_mut().filter(|place| place.address == WWW) {
                place.tcp = None;
            }
            let sure = compared(&old, &new);
            assert_eq!(ports(&sure.endpoints.vanished), [format!("{WWW} 8080/tcp")], "{}", text(&sure));
            doubt(&mut new, rule, address);
            let diff = compared(&old, &new);
            assert_eq!(ports(&diff.endpoints.vanished), [""; 0], "{rule}");
            assert_eq!(ports(&diff.endpoints.not_looked_at), [format!("{WWW} 8080/tcp")], "{rule}");
            assert!(diff.findings.resolved.iter().all(|finding| finding.port != Some(8080)), "{rule}");
            assert_eq!(diff.exit_code, 3, "{rule}: {}", text(&diff));
        }
    }
}

#[test]
fn over_udp_no_reply_is_not_gone_and_a_reply_after_none_is_not_new() {
    let (mut old, mut new) = (fixture::drifted(), fixture::drifted());
    for report in [&mut old, &mut new] {
        let mut seen = report.observations[0].clone();
        seen.address = WWW.to_owned();
        (seen.protocol, seen.port, seen.verdict) = (Protocol::Udp, 53, Verdict::Pass);
        (seen.state, seen.service) = (State::Open, None);
        report.observations.push(seen);
    }
    new.observations.last_mut().expect("the port").state = State::Unanswered;
    let gone = compared(&old, &new);
    assert_eq!(ports(&gone.endpoints.vanished), [""; 0]);
    assert_eq!(ports(&gone.endpoints.not_looked_at), [format!("{WWW} 53/udp")]);
    assert!(text(&gone).contains("over UDP may be anything"), "{}", text(&gone));
    assert_eq!(gone.exit_code, 3);
    let come = compared(&new, &old);
    assert_eq!(ports(&come.endpoints.appeared), [""; 0]);
    assert_eq!(ports(&come.endpoints.not_looked_at_before), [format!("{WWW} 53/udp")]);
}

#[test]
fn what_was_deselected_says_so_and_is_not_gone() {
    let old = fixture::drifted();
    let mut new = old.clone();
    new.run.selection.families = Some(vec![Family::Ipv4]);
    for target in &mut new.targets {
        target.addresses.retain(|place| place.family == Family::Ipv4);
    }
    new.observations.retain(|seen| !seen.address.contains(':'));
    new.findings.retain(|finding| finding.address.as_ref().is_none_or(|address| !address.contains(':')));
    let diff = compared(&old, &new);
    assert_eq!(ports(&diff.endpoints.vanished), [""; 0]);
    assert!(
        diff.endpoints.not_looked_at.iter().all(|diff| diff.new.why.as_deref() == Some("ipv6 was left out"))
    );
    assert!(diff.endpoints.not_looked_at.len() >= 3);
    assert_eq!(diff.exit_code, 3, "{}", text(&diff));
    assert!(diff.circumstances.iter().any(|c| c.what == "restrictions"), "said first");

    let mut new = old.clone();
    new.run.selection.only = vec!["mail".to_owned()];
    new.targets.retain(|target| target.id == "mail");
    new.observations.retain(|seen| seen.address == "203.0.113.25" || seen.address == "203.0.113.26");
    new.findings.retain(|finding| finding.target.as_deref() == Some("mail"));
    let diff = compared(&old, &new);
    assert_eq!((diff.endpoints.vanished.len(), diff.exit_code), (0, 3), "{}", text(&diff));
    let why = diff.endpoints.not_looked_at[0].new.why.as_deref();
    assert_eq!(why, Some("only mail was asked"));
}

#[test]
fn an_address_that_answers_on_everything_has_neither_new_ports_nor_lost_ones() {
    let old = fixture::drifted();
    let vpn = "203.0.113.70";
    let mut new = old.clone();
    for place in new.targets.iter_mut().flat_map(|target| &mut target.addresses) {
        if place.address == vpn {
            place.answers_everything = false;
            place.states = StateCounts { closed: 65_553, ..StateCounts::default() };
        }
    }
    for port in [1, 2, 3, 443, 8443] {
        forget(&mut new, vpn, port);
    }
    for (old, new) in [(&old, &new), (&new, &old)] {
        let diff = compared(old, new);
        assert_eq!((diff.endpoints.appeared.len(), diff.endpoints.vanished.len()), (0, 0), "{}", text(&diff));
    }
}

fn tls(sha256: &str, not_after: &str, versions: &[(&str, &[&str], bool)]) -> TlsRecord {
    let text = |text: &str| text.to_owned();
    let certificate = CertificateRecord {
        subject: text("CN=www.example.com"),
        issuer: text("CN=R11"),
        names: vec![text("www.example.com")],
        not_before: text("2026-09-01T00:00:00Z"),
        not_after: text(not_after),
        days_left: 30,
        key: text("ECDSA P-256"),
        signature: text("ecdsa-with-SHA384"),
        serial: text("01"),
        sha256: sha256.repeat(32),
        self_issued: false,
        der: None,
    };
    let name = Some(text("www.example.com"));
    TlsRecord {
        sessions: vec![SessionRecord {
            name: name.clone(),
            starttls: false,
            version: text("TLS 1.3"),
            suite: Some(text("TLS_AES_128_GCM_SHA256")),
            trusted: true,
            untrusted_because: None,
            chain_length: 2,
            certificate: Some(certificate),
        }],
        offered: vec![OfferedRecord {
            name,
            versions: versions
                .iter()
                .map(|(version, suites, complete)| OfferRecord {
                    version: text(version),
                    suites: suites.iter().map(|&suite| text(suite)).collect(),
                    complete: *complete,
                })
                .collect(),
            unknown_versions: Vec::new(),
            key_exchanges: Vec::new(),
            compression: false,
            der: None,
        }],
    }
}

/// The drifted report with this TLS on the web server.
fn with_tls(tls: Option<TlsRecord>) -> Report {
    let mut report = fixture::drifted();
    let seen = report.observations.iter_mut().find(|seen| (seen.address.as_str(), seen.port) == (WWW, 443));
    seen.expect("the web server").tls = tls;
    report
}

#[test]
fn a_changed_service_certificate_or_tls_is_named_with_before_and_after() {
    const OLD: [(&str, &[&str], bool); 2] = [("TLS 1.2", &["A", "B"], true), ("TLS 1.0", &["A"], true)];
    let old = with_tls(Some(tls("aa", "2026-12-01T00:00:00Z", &OLD)));
    let what = |new: &Report| -> Vec<String> {
        let diff = compared(&old, new);
        let changed = &diff.endpoints.changed;
        changed.iter().flat_map(|diff| diff.changes.iter().map(|change| change.what.clone())).collect()
    };
    let renewed = with_tls(Some(tls("bb", "2027-03-01T00:00:00Z", &OLD)));
    let diff = compared(&old, &renewed);
    let [change] = &diff.endpoints.changed[0].changes[..] else { panic!("one change") };
    assert_eq!((change.what.as_str(), change.name.as_deref()), ("certificate", Some("www.example.com")));
    assert_eq!(change.fields, ["not_after", "sha256"]);
    assert!(change.new.as_ref().is_some_and(|new| new.contains("until 2027-03-01")));
    assert_eq!(diff.exit_code, 1);
    let safer = with_tls(Some(tls("aa", "2026-12-01T00:00:00Z", &OLD[..1])));
    assert_eq!(what(&safer), ["tls"]);
    let fewer = with_tls(Some(tls("aa", "2026-12-01T00:00:00Z", &[("TLS 1.2", &["A"], true), OLD[1]])));
    assert_eq!(what(&fewer), ["suites"]);
    let mut other = old.clone();
    let web = other.observations.iter_mut().find(|seen| seen.port == 443 && seen.address == WWW);
    web.expect("the web server").service = Some("ssh".to_owned());
    assert_eq!(what(&other), ["service"]);
}

#[test]
fn what_was_known_of_a_service_and_not_seen_again_is_no_change() {
    const OLD: [(&str, &[&str], bool); 2] = [("TLS 1.2", &["A", "B"], true), ("TLS 1.0", &["A"], true)];
    let old = with_tls(Some(tls("aa", "2026-12-01T00:00:00Z", &OLD)));
    let unfinished = with_tls(Some(tls("aa", "2026-12-01T00:00:00Z", &[("TLS 1.2", &["A"], false), OLD[1]])));
    let mut silent = with_tls(None);
    let web = silent.observations.iter_mut().find(|seen| seen.port == 443 && seen.address == WWW);
    web.expect("the web server").service = None;
    let mut doubtful = with_tls(Some(tls("aa", "2026-12-01T00:00:00Z", &OLD[..1])));
    let web = doubtful.observations.iter_mut().find(|seen| seen.port == 443 && seen.address == WWW);
    let offered = &mut web.expect("the web server").tls.as_mut().expect("TLS").offered[0];
    offered.unknown_versions = vec!["TLS 1.0".to_owned()];
    for new in [unfinished, silent, doubtful] {
        let diff = compared(&old, &new);
        assert_eq!(ports(&diff.endpoints.changed), [""; 0], "{}", text(&diff));
        assert_eq!(ports(&diff.endpoints.not_inspected), [format!("{WWW} 443/tcp")]);
        assert_eq!(diff.exit_code, 3);
    }
}

#[test]
fn findings_are_new_resolved_or_judged_otherwise_and_doubts_are_no_difference() {
    let old = fixture::drifted();
    let mut new = old.clone();
    let waived = new.findings.iter_mut().find(|finding| finding.verdict == Verdict::Waived);
    let waived = waived.expect("a waived finding");
    waived.verdict = Verdict::Fail;
    let id = waived.id.clone();
    let diff = compared(&old, &new);
    assert_eq!(diff.findings.changed.len(), 1);
    assert_eq!(
        (&diff.findings.changed[0].id, diff.findings.changed[0].old_verdict),
        (&id, Some(Verdict::Waived))
    );
    assert_eq!(diff.exit_code, 1);
    let mut fewer = old.clone();
    fewer.findings.retain(|finding| finding.verdict != Verdict::Inconclusive);
    let doubts = old.findings.len() - fewer.findings.len();
    assert_eq!(compared(&fewer, &old).findings.new.len(), doubts);
    assert_eq!(compared(&fewer, &old).exit_code, 3, "something is not known");
}

#[test]
fn a_failure_that_is_only_warned_of_is_judged_otherwise_whichever_way_round_and_one_in_doubt_is_unlooked_at()
{
    let old = fixture::drifted();
    let judged = |verdict| {
        let mut new = old.clone();
        let failing = new.findings.iter_mut().find(|finding| finding.verdict == Verdict::Fail);
        failing.expect("a failing finding").verdict = verdict;
        new
    };
    let warned = judged(Verdict::Pass);
    for (old, new) in [(&old, &warned), (&warned, &old)] {
        let diff = compared(old, new);
        assert_eq!((diff.result, diff.exit_code), (Likeness::Different, 1), "{}", text(&diff));
        assert_eq!(diff.findings.changed.len(), 1);
    }
    let doubted = compared(&old, &judged(Verdict::Inconclusive));
    assert_eq!((doubted.result, doubted.exit_code), (Likeness::NotCovered, 3), "{}", text(&doubted));
}

#[test]
fn a_finding_that_the_run_was_told_not_to_report_is_neither_resolved_nor_new() {
    for (kind, placed) in [(Kind::Exposure, true), (Kind::Exposure, false), (Kind::Governance, false)] {
        let mut old = fixture::drifted();
        let mut finding = old.findings.iter().find(|it| it.verdict == Verdict::Fail).expect("one").clone();
        (finding.id, finding.rule, finding.kind) = ("quiet".to_owned(), "EXP009".to_owned(), kind);
        if !placed {
            (finding.address, finding.protocol, finding.port, finding.family) = (None, None, None, None);
        }
        old.findings.push(finding);
        let mut new = old.clone();
        new.findings.retain(|finding| finding.id != "quiet");
        let resolved = compared(&old, &new);
        assert_eq!((resolved.findings.resolved.len(), resolved.exit_code), (1, 1), "{kind:?} {placed}");
        new.run.selection.levels.insert("EXP009".to_owned(), Level::Allow);
        let diff = compared(&old, &new);
        assert_eq!(
            (diff.findings.resolved.len(), diff.exit_code),
            (0, 3),
            "{kind:?} {placed} {}",
            text(&diff)
        );
        let why = diff.findings.not_looked_at[0].why.as_deref();
        assert_eq!(why, Some("the run was told not to report EXP009 (-A)"));
        let back = compared(&new, &old);
        assert_eq!((back.findings.new.len(), back.exit_code), (0, 3), "{}", text(&back));
    }
}

/// The drifted report with this program on the web server's port.
fn with_program(product: Option<&str>, version: Option<&str>, banner: Option<&str>) -> Report {
    let mut report = fixture::drifted();
    let seen = report.observations.iter_mut().find(|seen| (seen.address.as_str(), seen.port) == (WWW, 443));
    let seen = seen.expect("the web server");
    seen.banner = banner.map(str::to_owned);
    let text = |text: &str| text.to_owned();
    seen.portrait = Some(PortraitRecord {
        protocol: Some(text("http")),
        encrypted: true,
        complete: true,
        product: product.map(text),
        version: version.map(text),
        detail: None,
        guard: None,
        guard_shown_by: None,
        manner: None,
    });
    report
}

#[test]
fn another_program_behind_the_same_service_is_a_change_and_so_is_another_version_of_it() {
    let old = with_program(Some("OpenSSH"), Some("9.2p1"), None);
    let change = |old: &Report, new: &Report| {
        let diff = compared(old, new);
        assert_eq!(diff.exit_code, 1, "{}", text(&diff));
        let [change] = &diff.endpoints.changed[0].changes[..] else { panic!("one change") };
        (change.what.clone(), change.old.clone().unwrap_or_default(), change.new.clone().unwrap_or_default())
    };
    let told = |what: &str, old: &str, new: &str| (what.to_owned(), old.to_owned(), new.to_owned());
    let other = with_program(Some("dropbear"), Some("2012.55"), None);
    assert_eq!(change(&old, &other), told("product", "OpenSSH 9.2p1", "dropbear 2012.55"));
    let newer = with_program(Some("OpenSSH"), Some("9.7p1"), None);
    assert_eq!(change(&old, &newer), told("version", "OpenSSH 9.2p1", "OpenSSH 9.7p1"));
    // What a report without portraits has of SSH is its identification line.
    let mut older = with_program(None, None, Some("SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3"));
    for seen in &mut older.observations {
        seen.portrait = None;
    }
    assert_eq!(change(&older, &other).0, "product");
    assert_eq!(compared(&older, &old).exit_code, 0);
}

#[test]
fn what_a_program_does_not_say_and_what_it_says_otherwise_each_time_is_no_change() {
    let old =
        with_program(Some("OpenSSH"), Some("9.2p1"), Some("220 mx1 Sat, 28 Nov 2026 12:00:00 (id 4711)"));
    for new in [
        with_program(None, None, None),
        with_program(Some("OpenSSH"), None, None),
        with_program(Some("OpenSSH"), Some("9.2p1"), Some("220 mx2 Sun, 29 Nov 2026 12:00:01 (id 4712)")),
    ] {
        assert_eq!(compared(&old, &new).exit_code, 0, "{}", text(&compared(&old, &new)));
        assert_eq!(compared(&new, &old).exit_code, 0, "{}", text(&compared(&new, &old)));
    }
    // Another tool has other names for the same.
    let mut other = with_program(Some("Apache httpd"), Some("2.4"), None);
    other.run.sources = vec![portproof::report::SourceRecord {
        path: "scan.xml".to_owned(),
        sha256: "00".repeat(32),
        format: "nmap-xml".to_owned(),
        tool: "nmap 7.93".to_owned(),
        started_at: None,
        finished_at: None,
        partial: false,
        remarks: Vec::new(),
    }];
    assert_eq!(compared(&old, &other).exit_code, 0);
}

#[test]
fn names_that_resolve_otherwise_are_changed_and_names_without_an_answer_are_not() {
    let answer = |status: &str, addresses: &[&str]| DnsAnswer {
        name: "www.example.com".to_owned(),
        family: Family::Ipv4,
        status: status.to_owned(),
        addresses: addresses.iter().map(|&address| address.to_owned()).collect(),
        chain: Vec::new(),
        ttl_s: Some(60),
        error: None,
    };
    let with = |answer: DnsAnswer| {
        let mut report = fixture::drifted();
        report.run.resolver.answers = vec![answer];
        report
    };
    let old = with(answer("answered", &["192.0.2.1", "192.0.2.2"]));
    let turned = compared(&old, &with(answer("answered", &["192.0.2.2", "192.0.2.1"])));
    assert_eq!(turned.exit_code, 0, "order means nothing");
    let moved = compared(&old, &with(answer("answered", &["192.0.2.3"])));
    assert_eq!((moved.names.changed.len(), moved.exit_code), (1, 1));
    let silent = compared(&old, &with(answer("timeout", &[])));
    assert_eq!((silent.names.changed.len(), silent.names.not_looked_at.len(), silent.exit_code), (0, 1, 3));
}

#[test]
fn other_manifests_vantages_and_methods_are_said_first() {
    let old = fixture::drifted();
    let mut new = old.clone();
    new.run.manifest.sha256 = Some("00".repeat(32));
    new.run.vantage = Some("office".to_owned());
    new.run.scan.tcp = Some("syn".to_owned());
    new.run.finished_at = "2026-11-01T00:00:00Z".to_owned();
    let diff = compared(&old, &new);
    let what: Vec<&str> = diff.circumstances.iter().map(|c| c.what.as_str()).collect();
    assert_eq!(what, ["manifest", "vantage", "tcp", "order"]);
    assert_eq!(diff.exit_code, 0, "they are no difference of what was seen");
    let text = text(&diff);
    assert!(text.lines().nth(3).is_some_and(|line| line.starts_with("The runs differ")), "{text}");
}

#[test]
fn sixty_five_thousand_ports_share_a_row_and_hostile_text_stays_text() {
    let old = fixture::conforming();
    let mut new = old.clone();
    let seen = new.observations[0].clone();
    let address = seen.address.clone();
    let known: PortSet =
        new.observations.iter().filter(|seen| seen.address == address).map(|seen| seen.port).collect();
    for port in (1..=u16::MAX).filter(|&port| !known.contains(port)) {
        let service = Some("<script>\u{202e}".to_owned());
        new.observations.push(portproof::report::ObservationRecord {
            port,
            protocol: Protocol::Tcp,
            state: State::Open,
            service,
            ..seen.clone()
        });
    }
    let diff = compared(&old, &new);
    assert!(diff.endpoints.appeared.len() > 65_000);
    let (text, page) = (text(&diff), page(&diff));
    assert!(text.lines().count() < 40, "{text}");
    assert!(text.contains("<script>\\u{202e}") && !text.contains('\u{202e}'));
    assert!(!page.contains("<script") && !page.contains('\u{202e}') && page.contains("&lt;script&gt;"));
    assert!(page.len() < 40_000, "{}", page.len());
}

#[test]
fn the_pages_are_written_for_looking_at_and_the_same_bytes_each_time() {
    let folder = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("report");
    std::fs::create_dir_all(&folder).expect("a folder");
    let (old, mut new) = (fixture::drifted(), fixture::drifted());
    forget(&mut new, WWW, 8080);
    recount(&mut new, WWW, State::Closed, 1);
    forget(&mut new, "203.0.113.40", 8080);
    new.run.partial = true;
    new.run.stop_reason = "deadline".to_owned();
    let recounted = "203.0.113.40";
    recount(&mut new, recounted, State::Unknown, 1);
    let diff = compared(&old, &new);
    assert_eq!((page(&diff), text(&diff)), (page(&compared(&old, &new)), text(&compared(&old, &new))));
    std::fs::write(folder.join("diff.html"), page(&diff)).expect("the page");
    std::fs::write(folder.join("diff.txt"), text(&diff)).expect("the text");
}
