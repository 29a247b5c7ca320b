//! The formats that other tools take: what holds of each, whatever the report. `tests/consumers/run` shows that the
//! tools do take them.

use std::collections::{BTreeMap, BTreeSet};

use portproof::{
    model::Verdict,
    report::{Finding, Format, Outcome, Report, json},
};
use roxmltree::{Document, Node};
use serde_json::Value;

use crate::{all, fixture};

/// The reports of ordinary length, and the one in which every text means harm.
fn every() -> impl Iterator<Item = (&'static str, Report)> {
    let ordinary = all().into_iter().filter(|(name, _)| *name != "flood");
    ordinary.chain([("poisoned", fixture::poisoned())])
}

fn flood() -> (&'static str, Report) {
    ("flood", fixture::flood())
}

fn rendered(report: &Report, format: Format) -> String {
    let mut bytes = Vec::new();
    format.write(report, &mut bytes).expect("the report");
    String::from_utf8(bytes).expect("UTF-8")
}

fn number(node: Node<'_, '_>, attribute: &str) -> usize {
    node.attribute(attribute).and_then(|text| text.parse().ok()).expect(attribute)
}

fn with<'a>(report: &'a Report, verdicts: &[Verdict]) -> impl Iterator<Item = &'a Finding> {
    report.findings.iter().filter(move |finding| verdicts.contains(&finding.verdict))
}

/// A finding of the drifted report over and over, with all its words, at as many targets as a fleet has.
fn vast(targets: usize, findings: usize) -> Report {
    let mut report = fixture::drifted();
    let model = report.findings.iter().find(|finding| finding.rule == "EXP002").expect("a finding").clone();
    let place = report.targets.first().expect("a target").clone();
    report.targets = (0..targets)
        .map(|i| {
            let mut target = place.clone();
            target.id = format!("team-{i}/web-frontend-{i}");
            target.addresses.truncate(1);
            for address in &mut target.addresses {
                address.address = format!("10.{}.{}.{}", i >> 16, (i >> 8) & 255, i & 255);
            }
            target
        })
        .collect();
    report.findings = (0..findings)
        .map(|i| {
            let target = report.targets.get(i % targets).expect("a target");
            let mut finding = model.clone();
            finding.id = format!("{i:016x}");
            finding.target = Some(target.id.clone());
            finding.address = target.addresses.first().map(|place| place.address.clone());
            finding.port = u16::try_from(1000 + i / targets).ok();
            finding
        })
        .collect();
    report
}

#[test]
fn the_same_report_gives_the_same_bytes_also_after_it_was_saved() {
    for (name, report) in every() {
        let saved = rendered(&report, Format::Json);
        let back = json::read(saved.as_bytes()).expect("a report");
        for format in Format::ALL {
            if (name, format) == ("poisoned", Format::Html) {
                continue;
            }
            let once = rendered(&report, format);
            assert!(once == rendered(&report, format), "{name} {format}");
            assert!(once == rendered(&back, format), "{name} {format} after saving");
        }
    }
}

#[test]
fn no_format_for_tools_holds_a_character_that_steers_the_text_around_it() {
    let steers = |c: char| {
        (c.is_control() && !"\r\n".contains(c))
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}')
    };
    for (name, report) in every() {
        for format in [Format::Junit, Format::Markdown, Format::Csv, Format::Prometheus, Format::Ndjson] {
            let text = rendered(&report, format);
            let found = text
                .find(steers)
                .map(|at| text.get(at..).unwrap_or_default().chars().take(20).collect::<String>());
            assert_eq!(found, None, "{name} {format}");
        }
    }
}

#[test]
fn names_and_files_of_formats_are_told_apart() {
    let names: BTreeSet<&str> = Format::ALL.iter().map(|format| format.name()).collect();
    let files: BTreeSet<&str> = Format::ALL.iter().map(|format| format.default_file()).collect();
    assert_eq!((names.len(), files.len()), (Format::ALL.len(), Format::ALL.len()));
    for format in Format::ALL {
        assert_eq!(format.name().parse(), Ok(format));
    }
}

#[test]
fn the_totals_of_a_test_run_are_those_of_its_cases_and_no_name_occurs_twice() {
    for (name, report) in every().chain([flood()]) {
        let text = rendered(&report, Format::Junit);
        let document = Document::parse(&text).expect("XML");
        let root = document.root_element();
        let mut names = BTreeSet::new();
        for of in std::iter::once(root).chain(root.children().filter(Node::is_element)) {
            let cases: Vec<_> = of.descendants().filter(|node| node.has_tag_name("testcase")).collect();
            let with = |tag: &str| {
                cases.iter().filter(|case| case.children().any(|child| child.has_tag_name(tag))).count()
            };
            assert_eq!(number(of, "tests"), cases.len(), "{name}");
            assert_eq!(number(of, "failures"), with("failure"), "{name}");
            assert_eq!(number(of, "errors"), with("error"), "{name}");
            assert_eq!(number(of, "skipped"), with("skipped"), "{name}");
            if of != root {
                for case in &cases {
                    let key = (case.attribute("classname"), case.attribute("name"));
                    assert!(key.0.is_some() && names.insert(key), "{name}: {key:?} occurs twice");
                }
            }
        }
        let green = number(root, "failures") + number(root, "errors") == 0;
        assert_eq!(green, report.summary.result == Outcome::Conforms, "{name}");
    }
}

#[test]
fn a_test_run_says_each_finding_under_the_outcome_that_it_has() {
    for (name, report) in every() {
        let text = rendered(&report, Format::Junit);
        let document = Document::parse(&text).expect("XML");
        let mut under: BTreeMap<&str, String> = BTreeMap::new();
        for node in document.descendants().filter(Node::is_element) {
            let tag = node.tag_name().name();
            if matches!(tag, "failure" | "error" | "skipped" | "system-out") {
                under.entry(tag).or_default().push_str(node.text().unwrap_or_default());
            }
        }
        for (tags, verdicts) in [
            (&["failure"][..], &[Verdict::Fail][..]),
            (&["error", "failure"], &[Verdict::Inconclusive, Verdict::NotCovered]),
            (&["skipped", "error", "failure"], &[Verdict::Waived]),
            (&["system-out", "skipped", "error", "failure"], &[Verdict::Pass, Verdict::PassBySilence]),
        ] {
            let said: BTreeSet<&str> = tags
                .iter()
                .filter_map(|tag| under.get(tag))
                .flat_map(|text| text.split_whitespace())
                .collect();
            for finding in with(&report, verdicts) {
                assert!(said.contains(finding.id.as_str()), "{name}: {} {}", finding.rule, finding.id);
            }
        }
    }
    let text = rendered(&fixture::drifted(), Format::Junit);
    for words in [
        r#"classname="www" name="443/tcp exposed on 203.0.113.10""#,
        r#"classname="www" name="80,443/tcp exposed on 203.0.113.10""#,
    ] {
        assert_eq!(text.contains(words), words.contains("80,443"), "{words}");
    }
    for words in [
        "accepted by exception EX-9 until 2026-12-31, approved by security board (CHG-80): migration until the new",
        r#"file="edge.yaml" line="14""#,
        "the address answers on everything",
    ] {
        assert!(text.contains(words), "{words}");
    }
}

#[test]
fn fifty_thousand_findings_fit_where_a_test_run_is_taken() {
    for report in [vast(4_000, 50_000), vast(1_000, 90_000)] {
        let text = rendered(&report, Format::Junit);
        assert!(text.len() < 30_000_000, "{} octets", text.len());
        let document = Document::parse(&text).expect("XML");
        let all = report.findings.len();
        if all <= 50_000 {
            assert_eq!(number(document.root_element(), "failures"), all);
        } else {
            assert!(text.contains("more cases; this file has no room for them"));
        }
    }
}

#[test]
fn a_comment_stays_below_what_is_taken_and_counts_what_it_leaves_out() {
    for (name, report) in every().chain([flood(), ("vast", vast(1_000, 20_000))]) {
        let text = rendered(&report, Format::Markdown);
        assert!(text.len() < 60_000, "{name}: {} octets", text.len());
        assert_eq!(text.matches("<details>").count(), text.matches("</details>").count(), "{name}");
        assert!(text.starts_with("<!-- portproof -->\n### "), "{name}");
        let mut shown = text.lines().take_while(|line| *line != "<details>");
        let rows = shown.clone().filter(|line| line.starts_with("| ") && !line.starts_with("| |")).count();
        assert!(rows <= 20, "{name}: {rows} rows");
        let more = shown.find_map(|line| line.strip_prefix("and ")?.split(' ').next());
        let more: usize = more.map_or(0, |n| n.replace(',', "").parse().expect("a number"));
        let failing = with(&report, &[Verdict::Fail]).count();
        // A row may stand for many ports of one address.
        assert!(rows + more <= failing && (rows > 0 || failing == 0), "{name}: {rows} + {more} of {failing}");
    }
    let text = rendered(&fixture::flood(), Format::Markdown);
    assert!(text.contains("unexpected open on 65,535 ports") && text.contains("`1-65535/tcp`"), "{text}");
    let text = rendered(&fixture::drifted(), Format::Markdown);
    for words in [
        "❌",
        "**Deviates.** One port is open",
        "`203.0.113.10` `3306/tcp`",
        "accepted by EX-9",
        "Not decided: 4",
    ] {
        assert!(text.contains(words), "{words} is missing in {text}");
    }
}

#[test]
fn a_table_has_a_row_for_each_finding_and_each_endpoint() {
    for (name, report) in every() {
        let text = rendered(&report, Format::Csv);
        let mut table = csv::Reader::from_reader(text.as_bytes());
        let mut rows: BTreeMap<String, usize> = BTreeMap::new();
        for row in table.records() {
            let row = row.expect("a row");
            *rows.entry(row.get(0).unwrap_or_default().to_owned()).or_default() += 1;
        }
        assert_eq!(rows.remove("finding").unwrap_or(0), report.findings.len(), "{name}");
        assert_eq!(rows.remove("observation").unwrap_or(0), report.observations.len(), "{name}");
        assert_eq!(rows.remove("run"), Some(1), "{name}");
        assert!(rows.is_empty(), "{name}: {rows:?}");
    }
}

/// The series of one metric: the labels as written, and the value.
fn series<'a>(text: &'a str, metric: &str) -> Vec<(&'a str, f64)> {
    let start = format!("{metric}{{");
    let series = text.lines().filter_map(|line| line.strip_prefix(&start)?.rsplit_once("} "));
    series.map(|(labels, value)| (labels, value.parse().expect("a number"))).collect()
}

#[test]
#[allow(clippy::float_cmp)] // whole numbers, all of them
fn the_gauges_add_up_to_the_report() {
    for (name, report) in every().chain([flood()]) {
        let text = rendered(&report, Format::Prometheus);
        let sum = |metric: &str, label: &str| -> f64 {
            series(&text, metric)
                .iter()
                .filter(|(labels, _)| labels.contains(label))
                .map(|(_, value)| value)
                .sum()
        };
        let planned = report.coverage.planned as f64;
        assert_eq!(sum("portproof_endpoints_planned", ""), planned, "{name}");
        assert_eq!(sum("portproof_endpoints", ""), report.coverage.states.total() as f64, "{name}");
        assert_eq!(sum("portproof_endpoints_judged", ""), report.summary.verdicts.total() as f64, "{name}");
        assert_eq!(sum("portproof_findings", ""), report.findings.len() as f64, "{name}");
        for verdict in [Verdict::Fail, Verdict::Waived, Verdict::Inconclusive, Verdict::Pass] {
            let n = with(&report, &[verdict]).count() as f64;
            assert_eq!(sum("portproof_findings", &format!("verdict=\"{}\"", verdict.word())), n, "{name}");
        }
        assert_eq!(sum("portproof_result", ""), 1.0, "{name}");
        assert_eq!(
            sum("portproof_result", &format!("result=\"{}\"", report.summary.result.word())),
            1.0,
            "{name}"
        );
        let lines: BTreeSet<&str> =
            text.lines().filter_map(|line| line.rsplit_once(' ')).map(|(key, _)| key).collect();
        assert!(lines.len() < 80 + 20 * report.targets.len(), "{name}: {} series", lines.len());
    }
    let text = rendered(&fixture::conforming(), Format::Prometheus);
    assert!(!text.contains("portproof_loss"), "what nobody measured is absent");
}

#[test]
fn every_line_stands_alone_and_loses_nothing_of_its_record() {
    for (name, report) in every() {
        let text = rendered(&report, Format::Ndjson);
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        for line in &lines {
            assert_eq!(line["schema"], "portproof.report/1", "{name}");
            assert_eq!(line["run_id"], report.run.id.as_str(), "{name}");
            assert!(line["time"].is_string() && line["result"].is_string(), "{name}");
        }
        assert_eq!(lines.first().map(|line| &line["record"]), Some(&Value::from("run")), "{name}");
        let last = lines.last().expect("a line");
        assert_eq!(last["record"], "summary", "{name}");
        assert_eq!(last["summary"]["coverage"]["planned"], report.coverage.planned, "{name}");
        let of = |record: &str| lines.iter().filter(|line| line["record"] == record).collect::<Vec<_>>();
        let whole = serde_json::to_value(&report).expect("JSON");
        for (record, list) in [
            ("left_out", "not_scanned"),
            ("declared", "declared"),
            ("exception", "exceptions"),
            ("finding", "findings"),
            ("observation", "observations"),
        ] {
            let expected = whole[list].as_array().expect("a list");
            let found = of(record);
            assert_eq!(found.len(), expected.len(), "{name}: {record}");
            for (line, expected) in found.iter().zip(expected) {
                for (key, value) in expected.as_object().expect("an object") {
                    assert_eq!(&line[key], value, "{name}: {record}.{key}");
                }
            }
        }
        let controls = whole["compliance"].as_array().expect("a list").iter().flat_map(|policy| {
            policy["controls"].as_array().expect("a list").iter().map(move |control| (policy, control))
        });
        let shown = of("control");
        assert_eq!(shown.len(), controls.clone().count(), "{name}");
        for (line, (policy, control)) in shown.iter().zip(controls) {
            for (key, value) in control.as_object().expect("an object") {
                assert_eq!(&line[key], value, "{name}: control.{key}");
            }
            assert_eq!((&line["policy"], &line["framework"]), (&policy["policy"], &policy["framework"]));
        }
        let addresses: usize = report.targets.iter().map(|target| target.addresses.len()).sum();
        assert_eq!(of("address").len(), addresses, "{name}");
    }
}

#[test]
fn a_comment_says_what_was_shown_of_each_control_and_what_speaks_against_one_first() {
    let mut report = fixture::drifted();
    let text = rendered(&report, Format::Markdown);
    let part = text.split("<summary>What this run shows for each policy").nth(1).expect("the part");
    let part = part.split("</details>").next().expect("its end");
    assert!(
        part.contains("`pci-dss-4.0.1`: 1 supported, 1 supported in part, 1 contradicted, 1 undetermined")
    );
    assert!(part.contains("Not a scan by an ASV.") && part.contains("is for an assessor to say"));
    let rows: Vec<&str> = part.lines().filter(|line| line.starts_with("| `pci")).collect();
    assert_eq!(rows.len(), 4);
    assert!(
        rows[0].contains("| 1.2.5 | **contradicted** | So it is.")
            && rows[0].ends_with(&format!(" | {} |", report.findings.len())),
        "{}",
        rows[0]
    );
    assert!(rows[1].contains("| 11.3.2 | undetermined |") && rows[3].contains("| supported in part |"));
    assert!(!text.to_lowercase().contains("compliant"));
    // Seven policies at most have some thirty controls; a house's own may have more.
    let many = report.compliance[0].controls[0].clone();
    report.compliance[0].controls = vec![many; 500];
    let text = rendered(&report, Format::Markdown);
    assert!(text.contains("and 460 more controls") && text.len() < 58_000, "{}", text.len());
    report.compliance.clear();
    assert!(!rendered(&report, Format::Markdown).contains("for each policy"));
}
