//! The formats against whole reports: what a reader must find in them, and what must never be there.
//! Writes each format of each to `target/tmp/report/`, where `tests/browser/run`, `tests/consumers/run` and people look
//! at them.

#![allow(clippy::expect_used)] // a test that can't go on says why and stops

mod diff;
mod fixture;
mod formats;
mod machine;

use std::{fs, path::PathBuf};

use portproof::report::{self, Format, Report, headline, html, json, summary, verdict_sentence};

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

fn all() -> [(&'static str, Report); 5] {
    [
        ("drifted", fixture::drifted()),
        ("conforming", fixture::conforming()),
        ("silent", fixture::silent()),
        ("flood", fixture::flood()),
        ("hostile", fixture::hostile()),
    ]
}

#[test]
fn every_format_is_written_for_looking_at() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("report");
    fs::create_dir_all(&folder).expect("a folder");
    for (name, report) in all().into_iter().chain([("poisoned", fixture::poisoned())]) {
        for format in Format::ALL.into_iter().filter(|&format| (name, format) != ("poisoned", Format::Html)) {
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
    for (name, report) in all() {
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
        headline(&fixture::conforming()),
        "CONFORMS  nothing unexpected, nothing missing · 16,776,960 of 16,776,960 endpoints determined · \
         from 198.51.100.4 and 2001:db8:ffff::4 (internet) · 2 min 34 s · IPv4 only · UDP not scanned"
    );
    let drifted = headline(&fixture::drifted());
    assert!(drifted.starts_with("DEVIATES  8 wrong, 4 unsure, 1 waived · "), "{drifted}");
    let silent = headline(&fixture::silent());
    assert!(
        silent.starts_with("INCONCLUSIVE  nothing answered, 1 unsure · partial: it was interrupted · 0 of 65,535 endpoints determined"),
        "{silent}"
    );
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
    let line = headline(&report);
    for restriction in [
        "only target www and tag pci",
        "without target 203.0.113.7",
        "IPv4 only",
        "unlisted ports not scanned",
        "UDP not scanned",
        "part 1/4 of the plan only",
        "paperwork judged as of 2026-12-01",
        "exceptions ignored",
    ] {
        assert!(line.contains(&format!(" · {restriction}")), "{restriction} is missing in: {line}");
    }
    report.run.selection.tcp = None;
    report.coverage.port_sets.insert("www".to_owned(), "80,443".to_owned());
    assert!(headline(&report).contains("not every TCP port scanned on 1 of 2 targets"));
}

#[test]
fn the_verdict_is_one_plain_sentence() {
    assert_eq!(
        verdict_sentence(&fixture::drifted()),
        "Deviates. One port is open that must never be, two ports are open that nobody declared, three declared services \
         cannot be reached, one certificate is not in order, and one name resolves to other addresses than declared. One \
         endpoint could not be decided, one host was silent on everything, one address answers in a way that proves \
         nothing, and one part of the plan was not asked. One deviation or doubt is accepted by an exception."
    );
    assert_eq!(
        verdict_sentence(&fixture::conforming()),
        "Conforms. Every required service can be reached, and nothing else is open, as far as was asked."
    );
    assert!(verdict_sentence(&fixture::silent()).starts_with("Inconclusive. Nothing answered at all"));
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

#[test]
fn totals_that_do_not_reconcile_are_said_to() {
    let mut report = fixture::conforming();
    assert!(!page(&report).contains("do not reconcile"));
    report.coverage.planned += 1;
    assert!(summarized(&report, summary::Style::default()).contains("these totals do not reconcile"));
    assert!(page(&report).contains("these totals do not reconcile"));
}

#[test]
fn hostile_text_stays_text() {
    let report = fixture::hostile();
    let page = page(&report);
    for forbidden in [
        "<script",
        "<img",
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
fn every_mark_of_the_map_is_drawn_and_said_in_words() {
    let page = page(&fixture::drifted());
    for (symbol, words) in [
        ("denied", "open, and denied"),
        ("unlisted", "open, not declared"),
        ("defect", "declared and open, not as declared"),
        ("missing", "declared, not reachable"),
        ("undecided", "could not be decided"),
        ("waived", "accepted by an exception"),
        ("expected", "declared and open"),
        ("notopen", "not open, as it should be"),
        ("notopen", "declared optional, and not open"),
    ] {
        let cell = format!("<use href=\"#m-{symbol}\"/></svg><span class=\"hidden\">{words}</span>");
        assert!(page.contains(&cell), "{words}");
    }
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
        // Filtered: the firewall side. Closed: the server side, and no rule to let it through.
        "nft insert rule inet filter input ip daddr 203.0.113.25 tcp dport 25 accept",
        "tcpdump -ni any &#x27;tcp port 53 and host 2001:db8:ffff::4&#x27;",
        "ss -lntp &#x27;sport = :465&#x27;",
        "openssl s_client -connect 203.0.113.10:443 -servername www.example.com",
        "portproof verify edge.yaml --only=spare-range",
    ] {
        assert!(page.contains(command), "{command}");
    }
    assert!(!page.contains("dport 465 accept"), "a refusing server is not mended at the firewall");
}

#[test]
fn what_only_warns_is_shown_among_the_findings_and_counted_as_no_failure() {
    let mut report = fixture::drifted();
    let open = report.findings.iter_mut().find(|finding| finding.rule == "EXP001").expect("an open port");
    open.verdict = portproof::model::Verdict::Pass;
    assert!(headline(&report).contains("7 wrong"), "{}", headline(&report));
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
    let mut report = fixture::drifted();
    assert!(!page(&report).contains("id=\"compliance\""), "no policy was judged");
    let findings: Vec<String> = report.findings.iter().map(|finding| finding.id.clone()).collect();
    let control = |id: &str, status, findings: &[String]| report::ControlRecord {
        id: id.to_owned(),
        asks: "Ports <script>are</script> listed.".to_owned(),
        support: portproof::spec::profile::Support::Partial,
        also: "The \u{202e}rule sets.".to_owned(),
        rules: vec!["EXP001".to_owned()],
        fields: vec!["expose.port".to_owned()],
        status,
        because: vec!["Two failing findings bear on it.".to_owned()],
        bearing: 12_000,
        findings: findings.to_vec(),
    };
    report.compliance = vec![report::ComplianceRecord {
        policy: "pci-dss-4.0.1".to_owned(),
        framework: "pci-dss".to_owned(),
        title: "PCI DSS".to_owned(),
        edition: "4.0.1".to_owned(),
        notes: vec!["Not a scan by an ASV.".to_owned()],
        controls: vec![
            control("1.2.5", portproof::verify::Status::Contradicted, &findings),
            control("1.4.2", portproof::verify::Status::Supported, &[]),
        ],
    }];
    let page = page(&report);
    assert!(page.contains("2 controls: 1 supported, 1 contradicted, 0 undetermined."));
    assert!(!page.contains("<script>are") && !page.contains('\u{202e}'));
    assert!(page.contains("<b>supported in part</b>") && page.contains("<b>contradicted</b>"));
    assert!(page.contains("11,995 more findings") && page.contains("Not a scan by an ASV."));
    for link in page.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(page.contains(&format!("id=\"{link}\"")), "#{link} leads nowhere");
    }
    let lower = page.to_lowercase();
    assert!(!lower.contains("compliant"), "evidence, never a certificate");
    let text = summarized(&report, summary::Style::default());
    assert!(text.contains("policy    pci-dss-4.0.1: controls 1 supported, 1 contradicted, 0 undetermined"));
    let validator = jsonschema::validator_for(&json::schema()).expect("a schema");
    let value: serde_json::Value = serde_json::from_slice(&written(&report)).expect("JSON");
    assert!(validator.iter_errors(&value).next().is_none());
    let mut old = value;
    old.as_object_mut().expect("an object").remove("compliance");
    let back: Report = serde_json::from_value(old).expect("a report from before there were policies");
    assert!(back.compliance.is_empty());
}
