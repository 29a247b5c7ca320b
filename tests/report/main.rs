//! The formats against whole reports: what a reader must find in them, and what must never be there.
//! Writes each format of each to `target/tmp/report/`, where `tests/browser/run`, `tests/consumers/run` and people look
//! at them.

#![allow(clippy::expect_used)] // a test that can't go on says why and stops

mod diff;
mod fixture;
mod formats;
mod machine;
mod words;

use std::{
    collections::BTreeSet,
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use portproof::{
    model::{Family, Kind, Level, Verdict},
    report::{self, Format, Outcome, Report, Statement, html, json, prometheus, summary},
};

fn page(report: &Report) -> String {
    let mut page = Vec::new();
    html::write(report, &mut page).expect("the page");
    String::from_utf8(page).expect("UTF-8")
}

fn summarized(report: &Report, style: summary::Style) -> String {
    let mut text = Vec::new();
    summary::write(report, style, &mut text).expect("the summary");
    String::from_utf8(text).expect("UTF-8")
}

fn written(report: &Report) -> Vec<u8> {
    let mut text = Vec::new();
    json::write(report, &mut text).expect("the JSON");
    text
}

fn all() -> [(&'static str, Report); 6] {
    [
        ("drifted", fixture::drifted()),
        ("conforming", fixture::conforming()),
        ("silent", fixture::silent()),
        ("flood", fixture::flood()),
        ("hostile", fixture::hostile()),
        ("fleet", fixture::fleet(16, 510)),
    ]
}

/// What a row or a card of the page stands for, all added up.
fn findings_on(page: &str) -> usize {
    let rows = page.lines().filter(|line| line.starts_with("<tr><td>"));
    let numbers = rows.filter_map(|line| line.rsplit_once("<td class=\"kn\">"));
    let in_rows: usize =
        numbers.map(|(_, number)| number.trim().replace(',', "").parse::<usize>().unwrap_or(0)).sum();
    page.matches("<article class=\"card").count() + in_rows
}

#[test]
fn every_format_is_written_for_looking_at() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("report");
    fs::create_dir_all(&folder).expect("a folder");
    for (name, report) in all().into_iter().chain([("poisoned", fixture::poisoned())]) {
        // The largest is for looking at, and a megabyte of text is for machines.
        let is_wanted = |format: &Format| match name {
            "flood" => *format == Format::Html,
            "poisoned" => *format != Format::Html,
            _ => true,
        };
        for format in Format::ALL.into_iter().filter(is_wanted) {
            let ending = format.default_file().trim_start_matches("portproof-report.");
            let mut bytes = Vec::new();
            format.write(&report, &mut bytes).expect("the report");
            fs::write(folder.join(format!("{name}.{ending}")), bytes).expect("a file");
        }
        fs::write(folder.join(format!("{name}.txt")), summarized(&report, summary::Style::default()))
            .expect("the text");
    }
}

#[test]
fn every_report_keeps_the_schema_and_reads_back_equal() {
    let schema = json::schema();
    assert_eq!(schema["$id"], report::SCHEMA);
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    for (name, report) in all().into_iter().filter(|(name, _)| *name != "flood") {
        let text = written(&report);
        let value: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
        let faults: Vec<String> = validator.iter_errors(&value).map(|fault| fault.to_string()).collect();
        assert!(faults.is_empty(), "{name}: {faults:?}");
        let back: Report = serde_json::from_slice(&text).expect("a report");
        assert_eq!(text, written(&back), "{name}");
    }
    assert!(validator.iter_errors(&serde_json::json!({"schema": report::SCHEMA})).next().is_some());
}

#[test]
fn the_headline_says_what_came_out_and_under_which_restrictions() {
    assert_eq!(
        Statement::of(&fixture::conforming()).headline(),
        "CONFORMS  nothing unexpected, nothing missing · 16,776,960 of 16,776,960 endpoints determined · \
         from 198.51.100.4 and 2001:db8:ffff::4 (internet) · 2 min 34 s · IPv4 only · UDP not scanned"
    );
    let drifted = Statement::of(&fixture::drifted()).headline();
    assert!(drifted.starts_with("DEVIATES  8 wrong, 4 unsure, 1 waived · "), "{drifted}");
    let silent = Statement::of(&fixture::silent()).headline();
    assert!(
        silent.starts_with("INCONCLUSIVE  nothing answered, 1 unsure · partial: it was interrupted · 0 of 65,535 endpoints determined"),
        "{silent}"
    );
}

#[test]
fn of_a_rule_that_was_not_reported_nothing_is_claimed() {
    let silenced = |mut report: Report, rules: &[&str]| {
        let levels = rules.iter().map(|&rule| (rule.to_owned(), Level::Allow));
        report.run.selection.levels.extend(levels);
        let said = Statement::of(&report);
        (said.headline(), said.sentence())
    };
    for rule in ["EXP003", "EXP009", "EXP012"] {
        let (headline, sentence) = silenced(fixture::conforming(), &[rule]);
        assert!(headline.starts_with("CONFORMS  nothing that fails · "), "{headline}");
        assert!(headline.ends_with(&format!(" · {rule} not reported")), "{headline}");
        assert_eq!(sentence, format!("Conforms. Nothing fails. {rule} was not reported."));
    }
    let (_, sentence) = silenced(fixture::conforming(), &["EXP003", "EXP009"]);
    assert_eq!(sentence, "Conforms. Nothing fails. EXP003 and EXP009 were not reported.");
    let mut unsure = fixture::conforming();
    unsure.summary.result = Outcome::Inconclusive;
    unsure.summary.exit_code = 3;
    unsure.summary.headline.clear();
    assert!(Statement::of(&unsure).sentence().contains("Nothing seen contradicts the manifest"));
    let (_, sentence) = silenced(unsure, &["EXP003"]);
    assert!(
        sentence.contains("Nothing fails") && !sentence.contains("contradicts the manifest"),
        "{sentence}"
    );
}

#[test]
fn a_report_whose_exit_code_or_findings_do_not_follow_from_its_outcome_contradicts_itself() {
    let contradiction = |report: &Report| Statement::of(report).contradiction().map(str::to_owned);
    let with = |report: &Report, code: u8, partial: bool| {
        let mut report = report.clone();
        (report.summary.exit_code, report.run.partial) = (code, partial);
        contradiction(&report)
    };
    let mut unsure = fixture::conforming();
    unsure.summary.result = Outcome::Inconclusive;
    unsure.summary.headline.clear();
    let (sure, wrong) = (fixture::conforming(), fixture::drifted());
    for code in 0..=255 {
        let is_fine = |report: &Report, fine: &[u8]| {
            let said = with(report, code, report.run.partial);
            assert_eq!(said.is_none(), fine.contains(&code), "{:?} {code} {said:?}", report.summary.result);
        };
        is_fine(&sure, &[0]);
        is_fine(&unsure, &[3]);
        // Doubts are in it: 0 is none of its codes, whatever --fail-on was.
        is_fine(&wrong, &[1, 3]);
    }
    for code in [130, 143] {
        assert_eq!(with(&unsure, code, true), None);
        assert_eq!(with(&wrong, code, true), None);
        assert!(with(&sure, code, true).is_some(), "what was interrupted does not conform");
    }
    let mut unfounded = wrong;
    for finding in unfounded.findings.iter_mut().filter(|finding| finding.verdict == Verdict::Fail) {
        finding.verdict = Verdict::Inconclusive;
    }
    unfounded.summary.exit_code = 3;
    let said = contradiction(&unfounded).expect("a contradiction");
    assert!(said.contains("endpoints fail, and no finding fails"), "{said}");
}

#[test]
fn every_restriction_is_named() {
    let mut report = fixture::conforming();
    report.run.selection.only = vec!["www".to_owned(), "tag:pci".to_owned()];
    report.run.selection.exclude = vec!["203.0.113.7".to_owned()];
    report.run.selection.tcp = Some("declared".to_owned());
    report.run.selection.shard = Some("1/4".to_owned());
    report.run.selection.at = Some("2026-12-01".to_owned());
    report.run.selection.strict = true;
    let line = Statement::of(&report).headline();
    for restriction in [
        "only target www and tag pci",
        "without 203.0.113.7",
        "IPv4 only",
        "unlisted ports not scanned",
        "UDP not scanned",
        "part 1/4 of the plan only",
        "paperwork judged as of 2026-12-01",
        "exceptions ignored",
    ] {
        assert!(line.contains(&format!(" · {restriction}")), "{restriction} is missing in: {line}");
    }
    report.run.selection.families = None;
    report.targets[0].left_out = Some(Family::Ipv6);
    assert!(Statement::of(&report).headline().contains(" · IPv6 not scanned on 1 of 2 targets"));
    report.targets[1].left_out = Some(Family::Ipv6);
    assert!(Statement::of(&report).headline().contains(" · IPv6 not scanned · "));
    report.run.selection.tcp = None;
    report.coverage.port_sets.insert("www".to_owned(), "80,443".to_owned());
    assert!(Statement::of(&report).headline().contains("not every TCP port scanned on 1 of 2 targets"));
}

#[test]
fn the_verdict_is_one_plain_sentence() {
    assert_eq!(
        Statement::of(&fixture::drifted()).sentence(),
        "Deviates. One port is open that must never be, two ports are open that nobody declared, three declared services \
         cannot be reached, one certificate is not in order, and one name resolves to other addresses than declared. One \
         endpoint could not be decided, one host was silent on everything, one address answers in a way that proves \
         nothing, and one part of the plan was not determined. One deviation or doubt is accepted by an exception."
    );
    assert_eq!(
        Statement::of(&fixture::conforming()).sentence(),
        "Conforms. Every required service can be reached, and nothing else is open, as far as was asked."
    );
    assert!(
        Statement::of(&fixture::silent()).sentence().starts_with("Inconclusive. Nothing answered at all")
    );
}

#[test]
fn sixty_five_thousand_findings_never_flood_the_summary_or_the_page() {
    let report = fixture::flood();
    let text = summarized(&report, summary::Style::default());
    assert!(text.lines().count() < 500, "{} lines", text.lines().count());
    assert!(
        text.contains("65,535 ports") && text.contains("1-65535/tcp"),
        "the folded ports are still named"
    );
    assert!(text.contains("more findings"), "what is not printed is counted");
    let page = page(&report);
    assert!(page.len() < 3_000_000, "{} octets", page.len());
    assert!(page.contains("11-65535&#x2f;tcp"), "the folded ports are still named");
}

#[test]
fn the_summary_reads_without_colour_and_ends_with_the_headline() {
    for (name, report) in all() {
        let plain = summarized(&report, summary::Style::default());
        assert!(!plain.contains('\u{1b}'), "{name}");
        assert_eq!(plain.lines().last(), Some(report.summary.headline.as_str()), "{name}");
        let colour = summarized(&report, summary::Style { color: true, width: 100 });
        assert!(colour.contains("\u{1b}["), "{name}");
    }
    let text = summarized(&fixture::conforming(), summary::Style::default());
    assert!(text.contains("255 addresses dark, as expected"), "{text}");
    assert!(text.contains("was not measured"), "{text}");
}

/// A block of which nothing is named, so that nothing of it is recorded: only a finding about all of it tells.
#[test]
fn addresses_that_a_doubt_about_several_of_them_is_about_are_not_called_as_expected() {
    let dark = fixture::conforming();
    for (name, verdict, of_block) in [
        ("of the block", Verdict::Inconclusive, true),
        ("of the run", Verdict::Inconclusive, false),
        ("accepted", Verdict::Waived, true),
    ] {
        let mut report = dark.clone();
        let mut finding = fixture::drifted().findings.remove(0);
        (finding.rule, finding.verdict, finding.kind) = ("EXP015".to_owned(), verdict, Kind::Doubt);
        (finding.target, finding.address) = (of_block.then(|| "spare-range".to_owned()), None);
        (finding.host, finding.port, finding.protocol) = (None, None, None);
        report.findings.push(finding);
        let text = summarized(&report, summary::Style::default());
        assert!(text.contains("255 addresses in doubt, as the findings say"), "{name}: {text}");
        let page = page(&report);
        for text in [&text, &page] {
            assert!(!text.contains("dark, as expected"), "{name}");
        }
        assert!(page.contains("255 addresses in doubt, as the findings say"), "{name}");
        assert!(!page.contains("exactly as declared"), "{name}");
    }
    let page = page(&dark);
    assert!(page.contains("255 addresses dark, as expected") && !page.contains("addresses in doubt"));
}

#[test]
fn a_firewall_that_answers_is_an_answer() {
    let mut report = fixture::silent();
    let edge = |report: &mut Report| {
        (report.summary.verdicts.pass, report.summary.verdicts.inconclusive) = (65_534, 1);
    };
    edge(&mut report);
    let said = Statement::of(&report).sentence();
    assert!(!said.contains("Nothing answered"), "{said}");
    report.findings[0].cause = Some("nothing_answered".to_owned());
    assert!(Statement::of(&report).sentence().contains("Nothing answered at all"));
}

#[test]
fn a_day_on_which_the_next_run_is_due_is_a_gauge_too() {
    let gauge = |due: &str| {
        let mut report = fixture::conforming();
        report.run.next_due = Some(due.to_owned());
        let mut text = Vec::new();
        prometheus::write(&report, &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        let line = text.lines().find(|line| line.starts_with("portproof_next_run_due_timestamp_seconds{"));
        line.map(|line| line.rsplit(' ').next().unwrap().to_owned())
    };
    assert_eq!(gauge("2026-11-24T02:00:00Z").as_deref(), Some("1795485600"));
    assert_eq!(gauge("2026-11-24").as_deref(), Some("1795564800"), "the day is over when the next begins");
}

#[test]
fn totals_that_do_not_reconcile_are_said_to() {
    let mut report = fixture::conforming();
    assert!(!page(&report).contains("do not reconcile"));
    report.coverage.planned += 1;
    assert!(summarized(&report, summary::Style::default()).contains("these totals do not reconcile"));
    assert!(page(&report).contains("these totals do not reconcile"));
}

#[test]
#[allow(clippy::print_stdout, clippy::disallowed_methods)] // how long it takes is the question
fn the_page_of_four_thousand_targets_is_bounded_and_takes_time_in_proportion() {
    let timed = |report: &Report| {
        let begun = Instant::now();
        (page(report), begun.elapsed())
    };
    let (_, quarter) = timed(&fixture::fleet(1_000, 12_500));
    let report = fixture::fleet(4_000, 50_000);
    assert_eq!(report.findings.len(), 50_000);
    let (page, whole) = timed(&report);
    println!("a quarter took {quarter:?}, the whole {whole:?}; {} octets", page.len());
    assert!(page.len() < 30_000_000, "{} octets", page.len());
    assert!(whole < 8 * quarter + Duration::from_secs(1), "{quarter:?} became {whole:?}");
    assert_eq!(findings_on(&page), 50_000, "every finding has a card or a row");
    assert!(page.contains("1,000 targets exactly as declared"), "who conforms shares a line");
    let named: BTreeSet<&str> = page.split("service-").filter_map(|rest| rest.get(..4)).collect();
    assert!((0..4_000).all(|n| named.contains(format!("{n:04}").as_str())), "every target is named");
    assert!(page.matches("<figure>").count() <= 30, "only the worst have a chart");
}

#[test]
fn every_finding_that_is_no_remark_has_a_card_or_is_counted_in_a_row() {
    for (name, report) in all() {
        let remarks = report.findings.iter().filter(|it| it.verdict == Verdict::Pass).count();
        assert_eq!(findings_on(&page(&report)), report.findings.len() - remarks, "{name}");
    }
}

#[test]
fn a_finding_says_since_when_it_is_known_where_a_report_before_was_given() {
    let mut report = fixture::drifted();
    report.run.started_at = "2026-11-25T02:00:07Z".to_owned();
    let later = page(&report);
    assert!(later.contains("known since 2026-11-22 02:00:40 UTC, 2 days"));
    assert!(
        later
            .contains("12 findings are new, 1 was known before, the earliest since 2026-11-22 02:00:40 UTC.")
    );
    assert!(later.contains("new in this run") && later.contains("id=\"filter-age\""));
    report.run.previous = None;
    for finding in &mut report.findings {
        finding.first_seen = None;
    }
    let first = page(&report);
    assert!(!first.contains("new in this run") && !first.contains("id=\"filter-age\""));
}

#[test]
fn a_template_of_the_users_own_has_the_page_and_the_report_at_hand_and_is_escaped() {
    let own = |report: &Report, template: &str| {
        let mut page = Vec::new();
        html::write_with(report, template, &mut page).map(|()| String::from_utf8(page).expect("UTF-8"))
    };
    let template = "{{ verdict.word }} {{ report.run.seed }}\n{% for it in report.findings %}{{ it.title }}\n{% endfor %}";
    let drifted = fixture::drifted();
    let page = own(&drifted, template).expect("a page");
    assert!(page.starts_with("Deviates 7\n") && page.contains("the certificate expires in 9 days"));
    let hostile = own(&fixture::hostile(), template).expect("a page");
    assert!(
        !hostile.contains("<script") && hostile.contains("&lt;script&gt;") && !hostile.contains('\u{1b}')
    );
    assert!(own(&drifted, "{% include 'report.html' %}").expect("a page").contains("<h1"));
    for (template, words) in [
        ("one\n{{ verdict.wrod }}", "line 2: "),
        ("one\ntwo\n{% for it in %}", "line 3: "),
        (
            "{% for a in range(9999) %}{% for b in range(9999) %}{% for c in range(9999) %}x{% endfor %}{% endfor %}{% endfor %}",
            "fuel",
        ),
    ] {
        let error = own(&drifted, template).expect_err("a fault").to_string();
        assert!(error.contains(words), "{error}");
    }
    assert!(
        html::check("{{ report.anything }}{% set own = 1 %}{{ own }}{{ range(2) }}").is_ok()
            && html::check("{% if %}").is_err()
    );
}

#[test]
fn hostile_text_stays_text() {
    let report = fixture::hostile();
    let page = page(&report);
    assert_eq!(page.matches("<script").count(), 1, "none but the page's own");
    assert!(page.len() < 2_000_000, "{} octets: a text that nobody reads is cut", page.len());
    assert!(page.contains("more characters in the JSON report"), "and what is cut is counted");
    for forbidden in [
        "<script>alert",
        "<img",
        "\0",
        "onerror=alert(2)>",
        "\u{202e}",
        "\u{1b}",
        " style=\"",
        "http://",
        "https://",
        "src=",
    ] {
        let found = page
            .find(forbidden)
            .map(|at| page[at.saturating_sub(80)..].chars().take(160).collect::<String>());
        let escaped_is_fine = matches!(forbidden, "onerror=alert(2)>" | "src=");
        assert!(found.is_none() || (escaped_is_fine && !page.contains("<img")), "{forbidden}: {found:?}");
    }
    assert!(page.contains("&lt;script&gt;"));
    assert!(page.contains("&#x27;$(reboot).yaml&#x27;"), "a path of the manifest is quoted in commands");
    assert!(!page.contains("dig +noall +answer `reboot`"), "a name of the manifest is not a command");
    let text = summarized(&report, summary::Style::default());
    assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'));
}

#[test]
fn nothing_of_the_evidence_is_lost_on_the_page() {
    let report = fixture::drifted();
    let page = page(&report);
    for finding in &report.findings {
        if !finding.observed.is_empty() {
            let start = finding.observed.split(['\'', '"', '<', '/']).next().expect("a part");
            assert!(page.contains(start), "{start}");
        }
    }
    for text in [
        "SEC-1204",
        "head of security",
        "EX-9",
        "security board",
        "192.0.2.77",
        "CHG-61",
        "9f2c9f2c",
        "scanner-1",
    ] {
        assert!(page.contains(text), "{text}");
    }
}

#[test]
fn nothing_that_was_seen_of_tls_is_lost_on_the_page() {
    let report = fixture::drifted();
    let page = page(&report);
    for text in [
        "2026-12-02 09:14:00, 9 days left",
        "2026-11-12 09:14:00, over for 11 days",
        "no: the issuer is not known",
        "TLS 1.3, TLS 1.2; not known: TLS 1.0",
        "and 1 more",
        "last.example.com",
        "begun in the clear (STARTTLS)",
    ] {
        assert!(page.contains(text), "{text}");
    }
    let shown = |text: &str| assert!(page.contains(&text.replace('/', "&#x2f;")), "{text}");
    for tls in report.observations.iter().filter_map(|seen| seen.tls.as_ref()) {
        for session in &tls.sessions {
            shown(session.suite.as_deref().expect("a suite"));
            let leaf = session.certificate.as_ref().expect("a certificate");
            for text in [&leaf.subject, &leaf.issuer, &leaf.key, &leaf.signature, &leaf.serial, &leaf.sha256]
            {
                shown(text);
            }
            for name in &leaf.names {
                shown(name);
            }
        }
        for offer in tls.offered.iter().flat_map(|offered| &offered.versions) {
            for suite in &offer.suites {
                shown(suite);
            }
        }
    }
}

#[test]
fn every_mark_of_the_map_is_drawn_and_said_in_words() {
    let page = page(&fixture::drifted());
    for (symbol, words) in [
        ("denied", "open, and denied"),
        ("unlisted", "open, not declared"),
        ("defect", "declared and open, not as declared"),
        ("missing", "declared, not reachable"),
        ("undecided", "could not be decided"),
        ("waived", "accepted"),
        ("expected", "declared and open"),
        ("notopen", "not open, as it should be"),
        ("notopen", "declared optional, and not open"),
    ] {
        let cell = format!("<use href=\"#m-{symbol}\"/></svg><span class=\"hidden\">{words}</span>");
        assert!(page.contains(&cell), "{words}");
    }
    let mut told = fixture::neighbours([0, 65_535, 0, 0, 0], None);
    told.findings.clear();
    told.run.selection.levels.insert("EXP001".to_owned(), Level::Allow);
    let seen = told.observations.first_mut().expect("an open port");
    (seen.verdict, seen.waived_by) = (Verdict::Waived, Some("-A EXP001".to_owned()));
    let page = self::page(&told);
    let cell = "<use href=\"#m-letthrough\"/></svg><span class=\"hidden\">deviates, and the run was told to let it pass";
    assert!(page.contains(cell), "what is let pass is not accepted");
    let flood = self::page(&fixture::flood());
    assert!(flood.contains("65,515 more ports"), "what is not drawn is counted");
    assert!(flood.contains("134 addresses exactly as declared"), "quiet rows are folded and counted");
}

#[test]
fn commands_fit_the_family_the_port_and_the_cause() {
    let page = page(&fixture::drifted());
    for command in [
        "nft insert rule inet filter input ip daddr 203.0.113.10 tcp dport 3306 drop",
        "ip6tables -I INPUT -d 2001:db8:10::10 -p tcp --dport 6379 -j DROP",
        "ufw prepend deny proto tcp from any to 203.0.113.40 port 8080",
        "firewall-cmd --permanent --add-rich-rule=&#x27;rule family=&quot;ipv6&quot; destination address=&quot;2001:db8:10::10&quot; port port=&quot;6379&quot; protocol=&quot;tcp&quot; drop&#x27;",
        "IpProtocol=tcp,FromPort=6379,ToPort=6379,Ipv6Ranges=[{CidrIpv6=::&#x2f;0}]",
        "Name=association.public-ip,Values=203.0.113.10",
        // The server by what was seen there, the socket by family and protocol.
        "bind 127.0.0.1 -::1\n",
        "bind-address = 127.0.0.1\n",
        "listen 127.0.0.1:8080;",
        "ListenStream=[::1]:6379",
        "docker run --publish 127.0.0.1:8080:INNER_PORT&#x2f;tcp",
        // Filtered: the firewall side. Closed: the server side, and no rule to let it through.
        "nft insert rule inet filter input ip daddr 203.0.113.25 tcp dport 25 accept",
        "tcpdump -ni any &#x27;tcp port 53 and host 2001:db8:ffff::4&#x27;",
        "ss -lntp &#x27;sport = :465&#x27;",
        "openssl s_client -connect 203.0.113.10:443 -servername www.example.com",
        "portproof verify edge.yaml --vantage=internet --only=spare-range",
    ] {
        assert!(page.contains(command), "{command}");
    }
    assert!(!page.contains("dport 465 accept"), "a refusing server is not mended at the firewall");
    let accepted = page.lines().filter(|line| line.ends_with(" accept") || line.ends_with(" -j ACCEPT"));
    for line in accepted {
        assert!(
            line.contains("dport 25 ") || line.contains("dport 53 "),
            "lets in more than one port of one address: {line}"
        );
        assert!(line.contains("daddr ") || line.contains(" -d "), "lets in more than one address: {line}");
    }
}

#[test]
fn what_is_exposed_to_one_vantage_is_let_in_from_there_only() {
    let mut report = fixture::drifted();
    for entry in &mut report.declared {
        entry.from = vec!["internet".to_owned()];
    }
    let narrow = page(&report);
    for command in [
        "ip saddr 198.51.100.4 ip daddr 203.0.113.25 tcp dport 25 accept",
        "-I INPUT -s 198.51.100.4 -d 203.0.113.25 -p tcp --dport 25 -j ACCEPT",
        "allow proto tcp from 198.51.100.4 to 203.0.113.25 port 25",
        "CidrIp=198.51.100.4&#x2f;32",
        "CidrIpv6=2001:db8:ffff::4&#x2f;128",
    ] {
        assert!(narrow.contains(command), "{command}");
    }
    report.run.host.source_addresses.clear();
    let unknown = page(&report);
    assert!(unknown.contains("ip saddr SOURCE ip daddr 203.0.113.25 tcp dport 25 accept"));
    assert!(!unknown.contains("input ip daddr 203.0.113.25 tcp dport 25 accept"));
}

#[test]
fn what_only_warns_is_shown_among_the_findings_and_counted_as_no_failure() {
    let mut report = fixture::drifted();
    let open = report.findings.iter_mut().find(|finding| finding.rule == "EXP001").expect("an open port");
    open.verdict = Verdict::Pass;
    assert!(Statement::of(&report).headline().contains("7 wrong"), "{}", Statement::of(&report).headline());
    let page = page(&report);
    assert!(page.contains("Warnings: 1 finding") && page.contains("href=\"#section-warnings\""));
}

#[test]
fn a_run_that_saw_nothing_gets_no_good_marks() {
    let page = page(&fixture::silent());
    assert!(!page.contains("class=\"tone-good\"") && !page.contains("nothing deviates"));
    assert!(page.contains("The run is partial: it was interrupted"));
    assert!(self::page(&fixture::conforming()).contains("class=\"tone-good\""));
}

#[test]
fn what_a_run_supports_of_a_policy_is_shown_escaped_and_links_to_what_is_there() {
    assert!(!page(&fixture::conforming()).contains("id=\"compliance\""), "no policy was judged");
    let mut report = fixture::drifted();
    report.compliance = fixture::shown(&report, "pci-dss-4.0.1", "<script>are</script> \u{202e}");
    report.compliance[0].controls[0].bearing = 12_000;
    let page = page(&report);
    let counted = "1 supported, 1 supported in part, 1 contradicted, 1 undetermined";
    assert!(page.contains(&format!("4 controls: {counted}.")));
    assert!(page.contains("What this run shows for each policy"));
    assert!(
        page.contains("Entries that name it: www&lt;script&gt;") && page.contains("443&#x2f;tcp and 6 more")
    );
    assert!(!page.contains("<script>are") && !page.contains('\u{202e}'));
    assert!(page.contains("<b>supported in part</b>") && page.contains("<b>contradicted</b>"));
    assert!(page.contains("11,995 more findings") && page.contains("Not a scan by an ASV."));
    for link in page.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(page.contains(&format!("id=\"{link}\"")), "#{link} leads nowhere");
    }
    let lower = page.to_lowercase();
    assert!(!lower.contains("compliant"), "evidence, never a certificate");
    let text = summarized(&report, summary::Style::default());
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains(&format!("policy pci-dss-4.0.1: controls {counted}")), "{text}");
    report.compliance[0].controls.retain(|control| control.id != "1.2.7");
    let text = summarized(&report, summary::Style::default());
    assert!(text.contains("controls 1 supported in part, 1 contradicted, 1 undetermined"), "{text}");
    let validator = jsonschema::validator_for(&json::schema()).expect("a schema");
    let value: serde_json::Value = serde_json::from_slice(&written(&report)).expect("JSON");
    assert!(validator.iter_errors(&value).next().is_none());
    let mut old = value;
    old.as_object_mut().expect("an object").remove("compliance");
    let back: Report = serde_json::from_value(old).expect("a report from before there were policies");
    assert!(back.compliance.is_empty());
}
