//! What the page says, held against the report that it says it of: a false statement is a fault like any other.

use portproof::{
    model::{Kind, Level, PortSet, Severity, State, Verdict},
    report::{Finding, Report},
};

use super::{fixture, page};

/// The text of one part of the page, by its id.
fn part<'a>(page: &'a str, id: &str) -> &'a str {
    let start = page.find(&format!("id=\"{id}\"")).unwrap_or_else(|| panic!("no part {id}"));
    let rest = &page[start..];
    rest.split("\n<section id=").next().unwrap_or(rest)
}

fn papers(report: &mut Report) -> impl Iterator<Item = &mut Finding> {
    report.findings.iter_mut().filter(|finding| finding.kind == Kind::Governance)
}

#[test]
fn the_paperwork_is_in_order_only_where_nothing_about_it_fails() {
    const IN_ORDER: &str = "the paperwork is in order";
    assert!(page(&fixture::conforming()).matches(IN_ORDER).count() == 2);
    let mut report = fixture::drifted();
    papers(&mut report).for_each(|finding| finding.verdict = Verdict::Fail);
    let failing = page(&report);
    assert!(!failing.contains(IN_ORDER));
    assert!(failing.contains("three entries of the paperwork fail, see the findings"));
    assert!(part(&failing, "paperwork").contains("<a href=\"#findings\">among the findings</a>"));
    papers(&mut report).last().expect("a remark").verdict = Verdict::Pass;
    let both = page(&report);
    assert!(both.contains("that fail nothing; two entries of the paperwork fail"));
    papers(&mut report).for_each(|finding| finding.verdict = Verdict::Waived);
    assert!(!page(&report).contains(IN_ORDER), "what an exception accepts is not in order");
    let mut silenced = fixture::conforming();
    silenced.run.selection.levels.insert("MAN003".to_owned(), Level::Allow);
    let silenced = page(&silenced);
    assert!(!silenced.contains(IN_ORDER) && silenced.contains("rules about the paperwork were not reported"));
}

fn weak_tls(observed: &str, profile: &str) -> String {
    let mut report = fixture::drifted();
    let finding = report.findings.iter_mut().find(|finding| finding.rule == "EXP006").expect("TLS");
    "EXP005".clone_into(&mut finding.rule);
    finding.expected = format!("TLS profile {profile} (Mozilla Server Side TLS 5.7)");
    observed.clone_into(&mut finding.observed);
    page(&report)
}

#[test]
fn a_server_is_told_what_is_at_fault_in_its_tls_and_nothing_else() {
    let suites = weak_tls(
        "accepts TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256, which profile intermediate does not allow",
        "intermediate",
    );
    assert!(suites.contains("ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:"));
    assert!(suites.contains("SSLCipherSuite ECDHE-ECDSA-AES128-GCM-SHA256:"));
    assert!(suites.contains(
        "nmap -Pn -p 443 --script ssl-enum-ciphers --script-args tls.servername=www.example.com 203.0.113.10"
    ));
    assert!(
        !suites.contains("ssl_protocols") && !suites.contains("SSLProtocol"),
        "the versions are in order"
    );
    let versions = weak_tls("offers TLS 1.2, which profile modern does not allow", "modern");
    assert!(versions.contains("ssl_protocols TLSv1.3;") && versions.contains("SSLProtocol -all +TLSv1.3\n"));
    assert!(!versions.contains("ssl_ciphers") && !versions.contains("SSLCipherSuite"));
    let neither = weak_tls("compresses, which profile intermediate does not allow", "intermediate");
    assert!(!neither.contains("ssl_protocols") && !neither.contains("ssl_ciphers"));
    assert!(suites.contains("portproof verify edge.yaml --vantage=internet --only=www\n"));
}

#[test]
fn a_target_stands_by_what_is_wrong_with_it_and_not_by_anything_worse() {
    let missing = |rule: &str, state: State, verdict: Verdict| {
        let mut report = fixture::fleet(16, 0);
        let seen = report.observations.first_mut().expect("an endpoint");
        (seen.state, seen.verdict) = (state, verdict);
        let mut finding = fixture::drifted().findings.remove(0);
        (finding.rule, finding.verdict) = (rule.to_owned(), Verdict::Fail);
        finding.severity = Severity::High;
        finding.target = Some("service-0000".to_owned());
        finding.address = Some(seen.address.clone());
        finding.port = Some(443);
        report.findings = vec![finding];
        let page = page(&report);
        let map = part(&page, "map").to_owned();
        let tile = map.split("<title>service-0000<").next().expect("a tile");
        let tile =
            tile.rsplit("class=\"c-").next().expect("a class").split('"').next().expect("its end").to_owned();
        (map, tile)
    };
    let (map, tile) = missing("EXP003", State::Filtered, Verdict::Fail);
    assert_eq!(tile, "missing");
    assert!(map.contains("by the worst of each: 1 declared, not reachable; 15 targets exactly as declared"));
    assert!(!map.contains("not as declared</li>"), "the legend names what is drawn and nothing else");
    assert_eq!(missing("EXP005", State::Open, Verdict::Fail).1, "defect");
    let (map, tile) = missing("EXP009", State::Open, Verdict::Pass);
    assert_eq!(tile, "otherwise");
    assert!(map.contains("by the worst of each: 1 deviates otherwise: its findings say how;"));
}

#[test]
fn a_port_that_is_not_recorded_is_called_shut_only_where_it_was_asked_and_decided() {
    const MARKS: [&str; 3] =
        ["not open, as it should be", "could not be decided", "not asked, or nothing recorded"];
    for (states, doubt, mark) in [
        ([0, 65_535, 0, 0, 0], None, MARKS[0]),
        ([0, 65_000, 535, 0, 0], None, MARKS[0]),
        ([0, 65_000, 535, 0, 0], Some("EXP011"), MARKS[1]),
        ([0, 65_000, 535, 0, 0], Some("EXP015"), MARKS[1]),
        ([0, 65_535, 0, 0, 0], Some("EXP015"), MARKS[0]),
        ([0, 3, 0, 0, 0], None, MARKS[2]),
        ([0, 65_534, 0, 0, 1], None, MARKS[2]),
    ] {
        let page = page(&fixture::neighbours(states, doubt));
        let legend = part(&page, "map").split("</ul>").next().unwrap();
        for other in MARKS {
            assert_eq!(legend.contains(other), other == mark, "{states:?} {doubt:?}: {other}");
        }
    }
}

#[test]
fn a_card_says_what_decides_it() {
    let mut report = fixture::drifted();
    let expired = |page: &str| page.contains("EX-1, expired: its last day was 2026-10-31");
    assert!(!expired(&page(&report)));
    let mut entry = report.exceptions[0].clone();
    "EX-1".clone_into(&mut entry.id);
    "expired".clone_into(&mut entry.status);
    entry.target = "spare-range".to_owned();
    entry.expires = "2026-10-31".to_owned();
    report.exceptions.push(entry);
    assert!(expired(&page(&report)), "an exception that ended covered exactly this");
    "pending".clone_into(&mut report.exceptions.last_mut().expect("just pushed").status);
    assert!(page(&report).contains("EX-1, not approved on the day that was judged"));
    "expired".clone_into(&mut report.exceptions.last_mut().expect("just pushed").status);
    report.exceptions.last_mut().expect("just pushed").port = Some("8081/tcp".to_owned());
    assert!(!expired(&page(&report)), "another port is another matter");
}

#[test]
fn words_between_backticks_are_set_as_code_and_a_stray_one_stays() {
    let mut report = fixture::drifted();
    let finding = report.findings.first_mut().expect("a finding");
    finding.expected = "`deny` holds".to_owned();
    finding.observed = "it says ` and no more".to_owned();
    let page = page(&report);
    assert!(
        page.contains("<dd><code>deny</code> holds</dd>") && page.contains("<dd>it says ` and no more</dd>")
    );
    let outside = page.split("<pre").next().expect("what is before the first command");
    assert!(!outside.replace("it says ` and", "").contains('`'));
}

#[test]
fn the_first_screen_says_how_and_whom() {
    let mut report = fixture::drifted();
    report.run.scan.tcp = Some("syn".to_owned());
    report.run.scan.udp = Some("raw".to_owned());
    assert!(page(&report).contains("<dd>TCP by SYN; UDP; took 2 min 34 s</dd>"));
    report.run.scan.udp = None;
    report.run.manifest.name = None;
    let page = page(&report);
    assert!(page.contains("<dd>TCP by SYN; UDP not scanned; took 2 min 34 s</dd>"));
    assert!(page.contains("<p class=\"subject\">www.example.com, mail.example.com, 203.0.113.26 and 3 more"));
}

#[test]
fn what_was_known_before_is_counted_once() {
    let mut report = fixture::drifted();
    for finding in &mut report.findings {
        finding.first_seen = Some("2026-11-22T02:00:40Z".to_owned());
    }
    let page = page(&report);
    assert!(page.contains("13 were known to it") && page.contains("13 were known before"));
}

#[test]
fn where_everything_answered_no_bound_on_the_loss_is_said() {
    let mut report = fixture::drifted();
    assert!(page(&report).contains("Packet loss was 0.9 %, at most 1.3 % (1,411 trials)"));
    report.coverage.miss = None;
    let states = &mut report.coverage.states;
    (states.filtered, states.unanswered, states.unknown) = (0, 0, 0);
    assert!(page(&report).contains("Packet loss was 0.9 % (1,411 trials)"));
}

#[test]
fn a_sheet_of_paper_names_its_run_and_nothing_that_a_style_could_be_made_of() {
    let mut report = fixture::drifted();
    assert!(page(&report).contains("content:\"portproof, run 0193584c-7a01-7c3e-9a55-3d1f2e4b5c6d\""));
    report.run.id = "1\"}body{display:none}</style>".to_owned();
    assert!(page(&report).contains("content:\"portproof, run 1bodydisplaynonestyle\""));
}

#[test]
fn what_a_profile_forbids_is_told_once_and_apart_from_what_is_declared() {
    let mut report = fixture::drifted();
    let entry = report.declared.iter().find(|entry| entry.ports.contains(3306)).expect("a denial").clone();
    for target in ["www", "mail"] {
        for port in [21, 23] {
            let mut entry = entry.clone();
            target.clone_into(&mut entry.target);
            entry.ports = PortSet::single(port);
            entry.profile = Some("web-server".to_owned());
            entry.justification = Some("never on the internet".to_owned());
            report.declared.push(entry);
        }
    }
    let page = page(&report);
    assert!(page.contains("<summary>Forbidden by profile web-server: 2 entries</summary>"));
    let papers = part(&page, "paperwork");
    assert_eq!(papers.matches("never on the internet").count(), 2, "once a port, not once a target");
    assert!(papers.contains("www, mail") && papers.contains("databases are never public"));
}

#[test]
fn what_deviates_has_the_first_columns_of_a_map_and_what_is_left_out_is_told_as_it_is() {
    let mut report = fixture::drifted();
    let entry = report.declared.iter().find(|entry| entry.ports.contains(3306)).expect("a denial").clone();
    for port in 7000..7030 {
        let mut entry = entry.clone();
        entry.ports = PortSet::single(port);
        report.declared.push(entry);
    }
    let page = page(&report);
    let map = part(&page, "map");
    assert!(map.contains("more ports not open, as they should be"));
    assert!(!map.contains("not drawn here"));
    let first = map.split("<figcaption>www<").nth(1).expect("the chart of www");
    let first: Vec<&str> = first
        .split("<th scope=\"col\"><b>")
        .skip(1)
        .take(4)
        .filter_map(|rest| rest.split('<').next())
        .collect();
    assert_eq!(first, ["443", "3306", "6379", "8080"], "deviating and waived ones first");
}

#[test]
fn of_many_targets_those_as_declared_share_tables() {
    let report = fixture::fleet(60, 120);
    let page = page(&report);
    let targets = part(&page, "targets");
    assert_eq!(targets.matches("<section class=\"target\"").count(), 45);
    assert!(targets.contains("15 more targets") && targets.contains("These are exactly as declared"));
    let calm = fixture::fleet(60, 0);
    let calm = self::page(&calm);
    assert!(calm.contains("All are exactly as declared") && !calm.contains("<section class=\"target\""));
}
