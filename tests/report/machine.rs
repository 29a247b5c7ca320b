//! The formats that other programs read. What they accept is shown by programs that are not ours, in
//! `tests/consumers`; here stands what no schema knows: that nothing is lost, invented or hidden.

use std::collections::HashSet;

use portproof::{
    model::{Severity, Verdict},
    report::{Finding, Format, Report},
};
use serde_json::Value;

use crate::{all, fixture};

const MACHINES: [Format; 4] = [Format::Sarif, Format::NmapXml, Format::Oscal, Format::Ocsf];

/// Every report but the largest: reading that back takes longer than all else.
fn small() -> impl Iterator<Item = (&'static str, Report)> {
    all().into_iter().filter(|(name, _)| *name != "flood")
}

fn text(format: Format, report: &Report) -> String {
    let mut bytes = Vec::new();
    format.write(report, &mut bytes).expect("the format");
    String::from_utf8(bytes).expect("UTF-8")
}

fn json(format: Format, report: &Report) -> Value {
    serde_json::from_str(&text(format, report)).expect("JSON")
}

fn list<'v>(value: &'v Value, pointer: &str) -> &'v [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn word<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn run(report: &Report) -> Value {
    json(Format::Sarif, report).pointer_mut("/runs/0").expect("a run").take()
}

fn observations(report: &Report) -> Vec<Value> {
    let document = json(Format::Oscal, report);
    list(&document, "/assessment-results/results/0/observations").to_vec()
}

fn events(report: &Report) -> Vec<Value> {
    text(Format::Ocsf, report)
        .lines()
        .map(|line| serde_json::from_str(line).expect("an event a line"))
        .collect()
}

/// A property of OSCAL by its name.
fn property<'v>(value: &'v Value, name: &str) -> &'v str {
    let found = list(value, "/props").iter().find(|property| property["name"] == name);
    found.map_or("", |property| word(property, "/value"))
}

fn ids(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|finding| finding.id.as_str()).collect()
}

#[test]
fn the_same_report_gives_the_same_bytes_and_ends_with_a_line() {
    for (name, report) in small() {
        for format in MACHINES {
            let once = text(format, &report);
            assert!(once == text(format, &report), "{name}.{format}");
            assert!(once.ends_with('\n'), "{name}.{format}");
        }
    }
}

#[test]
fn every_finding_is_there_once_and_none_is_invented() {
    for (name, report) in small() {
        let expected = ids(&report.findings);
        let run = run(&report);
        let results: Vec<&str> = list(&run, "/results")
            .iter()
            .map(|result| word(result, "/partialFingerprints/portproof~1v1"))
            .collect();
        assert_eq!(results, expected, "{name}.sarif");
        let observations = observations(&report);
        let found: Vec<&str> = observations
            .iter()
            .map(|seen| property(seen, "finding-id"))
            .filter(|id| !id.is_empty())
            .collect();
        assert_eq!(found, expected, "{name}.oscal");
        let events = events(&report);
        let found: Vec<&str> = events
            .iter()
            .map(|event| word(event, "/finding_info/uid"))
            .filter(|uid| !uid.contains(':'))
            .collect();
        assert_eq!(found, expected, "{name}.ocsf");
    }
}

#[test]
fn nmap_reads_every_endpoint_that_was_determined_and_no_other() {
    for (name, report) in all() {
        let xml = text(Format::NmapXml, &report);
        let determined = report.observations.iter().filter(|seen| seen.state.word() != "unknown").count();
        assert_eq!(xml.matches("<port ").count(), determined, "{name}");
        let known: u64 = report
            .targets
            .iter()
            .flat_map(|target| &target.addresses)
            .map(|place| place.states.total() - place.states.unknown)
            .sum();
        let folded: u64 = xml
            .split("<extraports ")
            .skip(1)
            .filter_map(|rest| rest.split("count=\"").nth(1)?.split('"').next()?.parse::<u64>().ok())
            .sum();
        assert_eq!(folded + determined as u64, known, "{name}: listed and folded make the whole");
    }
    let xml = text(Format::NmapXml, &fixture::silent());
    assert!(xml.contains("25,535 endpoints were not determined") && xml.contains("exit=\"error\""), "{xml}");
    assert!(!xml.contains("state=\"down\""), "silence is no proof that a host is down");
}

#[test]
fn what_only_some_targets_were_asked_is_not_listed_as_asked() {
    let mut report = fixture::drifted();
    let sets = &mut report.coverage.port_sets;
    sets.insert("www".to_owned(), "80,443; udp 53".to_owned());
    assert!(
        text(Format::NmapXml, &report).contains("protocol=\"tcp\" numservices=\"2\" services=\"80,443\"")
    );
    assert!(
        !text(Format::NmapXml, &report).contains("type=\"udp\""),
        "the other targets were asked nothing over UDP"
    );
    report.run.partial = true;
    assert!(!text(Format::NmapXml, &report).contains("<scaninfo"), "nobody knows which were asked");
}

#[test]
fn a_waived_finding_is_suppressed_with_its_reason_and_a_failing_one_is_not() {
    let report = fixture::drifted();
    let run = run(&report);
    for (finding, result) in report.findings.iter().zip(list(&run, "/results")) {
        let waived = finding.verdict == Verdict::Waived;
        assert_eq!(list(result, "/suppressions").len(), usize::from(waived), "{}", finding.title);
        if waived {
            let why = word(result, "/suppressions/0/justification");
            assert!(why.contains("EX-9: migration") && why.contains("security board on 2026-11-03"), "{why}");
            assert!(word(result, "/message/text").starts_with("Accepted by EX-9: "), "{result}");
        }
    }
    let document = json(Format::Oscal, &report);
    let risks = list(&document, "/assessment-results/results/0/risks");
    let risk = risks.iter().find(|risk| property(risk, "exception") == "EX-9").expect("the exception");
    assert_eq!(risk["status"], "deviation-approved");
    assert_eq!(risk["deadline"], "2026-12-31T23:59:59.000Z");
    assert_eq!(list(risk, "/related-observations").len(), 1);
    assert!(
        !risks.iter().any(|risk| property(risk, "exception") == "EX-2"),
        "an expired exception accepts nothing"
    );
    let events = events(&report);
    let suppressed = events.iter().filter(|event| event["status"] == "Suppressed").count();
    assert_eq!(suppressed, 1);
}

#[test]
fn an_exception_that_nobody_approved_is_not_said_to_be_approved() {
    let mut report = fixture::drifted();
    report.exceptions[0].approved_by = Some("TODO".to_owned());
    let document = json(Format::Oscal, &report);
    assert_eq!(word(&document, "/assessment-results/results/0/risks/0/status"), "deviation-requested");
}

#[test]
fn doubt_is_seen_and_never_passes() {
    let report = fixture::drifted();
    let run = run(&report);
    let events = events(&report);
    for (place, finding) in report.findings.iter().enumerate() {
        if matches!(finding.verdict, Verdict::Inconclusive | Verdict::NotCovered) {
            let result = &list(&run, "/results")[place];
            assert_eq!(result["level"], "warning", "{}", finding.title);
            let message = word(result, "/message/text");
            assert!(
                message.starts_with("Could not be decided: ") || message.starts_with("Not looked at: "),
                "{message}"
            );
            assert_eq!(events[place + 1]["compliance"]["status"], "Warning", "{}", finding.title);
        }
    }
}

#[test]
fn nothing_is_ever_said_to_be_satisfied() {
    for (name, report) in small() {
        let document = json(Format::Oscal, &report);
        for finding in list(&document, "/assessment-results/results/0/findings") {
            assert_eq!(word(finding, "/target/status/state"), "not-satisfied", "{name}");
        }
        let text = text(Format::Oscal, &report).to_lowercase();
        assert!(!text.contains("compliant"), "{name}");
    }
    assert!(
        list(&json(Format::Oscal, &fixture::conforming()), "/assessment-results/results/0/findings")
            .is_empty()
    );
}

#[test]
fn every_reference_of_oscal_leads_to_something() {
    for (name, report) in small() {
        let document = json(Format::Oscal, &report);
        let (mut defined, mut named) = (HashSet::new(), Vec::new());
        references(&document, &mut defined, &mut named);
        assert!(!named.is_empty());
        for reference in named {
            assert!(defined.contains(&reference), "{name}: {reference}");
        }
    }
}

/// Every id that is defined, once, and every one that is named.
fn references(value: &Value, defined: &mut HashSet<String>, named: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| references(item, defined, named)),
        Value::Object(members) => {
            for (name, value) in members {
                match (name.as_str(), value.as_str()) {
                    ("uuid", Some(id)) => assert!(defined.insert(id.to_owned()), "{id} is defined twice"),
                    ("href", Some(link)) if link.starts_with('#') => named.push(link[1..].to_owned()),
                    (name, Some(id)) if name.ends_with("-uuid") => named.push(id.to_owned()),
                    _ => references(value, defined, named),
                }
            }
        }
        _ => {}
    }
}

#[test]
fn evidence_is_named_by_the_digest_of_the_json_report() {
    use sha2::{Digest, Sha256};
    let report = fixture::drifted();
    let digest: Vec<String> =
        Sha256::digest(text(Format::Json, &report)).iter().map(|octet| format!("{octet:02x}")).collect();
    let document = json(Format::Oscal, &report);
    assert_eq!(
        word(&document, "/assessment-results/back-matter/resources/1/rlinks/0/hashes/0/value"),
        digest.concat()
    );
}

#[test]
fn code_scanning_finds_the_line_and_no_endpoint_for_a_file() {
    let mut report = fixture::drifted();
    report.run.manifest.path = Some("/builds/acme/edge.yaml".to_owned());
    for finding in &mut report.findings {
        if let Some(place) = &mut finding.manifest {
            place.path = "/builds/acme/edge.yaml".to_owned();
        }
    }
    let run = run(&report);
    for (finding, result) in report.findings.iter().zip(list(&run, "/results")) {
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "edge.yaml");
        assert_eq!(place["region"]["startLine"], finding.manifest.as_ref().map_or(1, |place| place.line));
    }
    let first = &list(&run, "/results")[0];
    assert_eq!(word(first, "/locations/0/logicalLocations/1/fullyQualifiedName"), "203.0.113.10:3306/tcp");
    let remarks = run["invocations"][0]["toolConfigurationNotifications"].to_string();
    assert!(remarks.contains("not named from the root of the repository"), "{remarks}");
    assert_eq!(
        word(&run, "/automationDetails/id"),
        "portproof/edge.yaml/internet/0193584c-7a01-7c3e-9a55-3d1f2e4b5c6d"
    );
    report.run.manifest.path = None;
    report.findings[0].manifest = None;
    let run = self::run(&report);
    assert_eq!(word(&run, "/results/0/locations/0/physicalLocation/artifactLocation/uri"), "portproof.yaml");
}

#[test]
fn every_result_has_its_rule_even_one_that_this_version_does_not_know() {
    let mut report = fixture::drifted();
    report.findings[0].rule = "EXP999".to_owned();
    let run = run(&report);
    for (finding, result) in report.findings.iter().zip(list(&run, "/results")) {
        let place = usize::try_from(result["ruleIndex"].as_u64().expect("an index")).expect("small");
        assert_eq!(list(&run, "/tool/driver/rules")[place]["id"], finding.rule.as_str());
    }
}

#[test]
fn a_run_that_did_not_end_is_no_success() {
    let run = run(&fixture::silent());
    assert_eq!(run["invocations"][0]["executionSuccessful"], false);
    assert_eq!(run["invocations"][0]["exitCode"], 130);
    let notes = run["invocations"][0]["toolExecutionNotifications"].to_string();
    assert!(notes.contains("The run is partial: it was interrupted"), "{notes}");
    assert_eq!(self::run(&fixture::drifted())["invocations"][0]["executionSuccessful"], true);
}

#[test]
fn what_code_scanning_would_refuse_is_left_out_and_counted_the_mildest_first() {
    let mut report = fixture::flood();
    report.findings[60_000].severity = Severity::Critical;
    let worst = report.findings[60_000].id.clone();
    let text = text(Format::Sarif, &report);
    let run = run(&report);
    let results = list(&run, "/results");
    assert_eq!(results.len(), 25_000);
    assert_eq!(word(&results[0], "/partialFingerprints/portproof~1v1"), worst);
    let notes = run["invocations"][0]["toolExecutionNotifications"].to_string();
    assert!(
        notes.contains("40,601 findings are not in this file") && notes.contains("40,601 of them wrong"),
        "{notes}"
    );
    assert!(text.len() < 40_000_000, "{} octets", text.len());
}

#[test]
fn a_flood_is_bounded_and_whole_where_the_format_has_no_limit() {
    let mut report = fixture::flood();
    report.findings.truncate(6_000);
    let events = text(Format::Ocsf, &report);
    assert_eq!(
        events.lines().count(),
        1 + report.findings.len() + 200,
        "the run, the findings, what has none"
    );
    let observations = text(Format::Oscal, &report);
    assert_eq!(observations.matches("\"types\":[\"finding\"]").count(), report.findings.len());
    for (format, size) in [(Format::Ocsf, events.len()), (Format::Oscal, observations.len())] {
        assert!(size < 1_900 * report.findings.len(), "{format}: {size} octets");
    }
}

#[test]
fn a_run_in_which_nothing_is_wrong_says_so() {
    let report = fixture::conforming();
    let events = events(&report);
    assert_eq!(events.len(), 3, "the run and two endpoints");
    assert!(events.iter().all(|event| event["compliance"]["status"] == "Pass"));
    assert!(list(&run(&report), "/results").is_empty());
    assert_eq!(observations(&report).len(), 2, "what was asked of each target");
}

#[test]
fn hostile_text_stays_text_in_every_format() {
    let mut report = fixture::hostile();
    report.findings[0].title = "]]> \0 \u{ffff} =cmd() [x](http://evil.example) {0}".to_owned();
    report.findings[0].remedy = "x".repeat(1_000_000);
    report.observations[0].banner = Some("\"/><host>]]>\0".to_owned());
    for format in MACHINES {
        let text = text(format, &report);
        for (what, hostile) in [("an escape", '\u{1b}'), ("a reversal", '\u{202e}'), ("a NUL", '\0')] {
            assert!(!text.contains(hostile), "{what} in {format}");
        }
        // In OSCAL it is there with its brackets escaped, which is no link; OCSF knows no markup at all.
        let link = text.replace("\\\\](", "").contains("](http");
        assert!(!link || format == Format::Ocsf, "a link in {format}");
        assert!(text.len() < 200_000, "{format} is bounded: {} octets", text.len());
    }
    let xml = text(Format::NmapXml, &report);
    assert!(
        xml.contains("output=\"&quot;/&gt;&lt;host&gt;]]&gt;\\u{0}\"") && !xml.contains("<script>"),
        "{xml}"
    );
    // Properties of OSCAL are plain text; titles and descriptions are Markdown, which may hold HTML.
    for seen in observations(&report) {
        let (title, description) = (word(&seen, "/title"), word(&seen, "/description"));
        assert!(!title.contains('<') && !description.contains('<'), "{seen}");
    }
}

#[test]
fn an_observation_says_what_was_shown_of_each_control_and_none_is_satisfied() {
    let report = fixture::drifted();
    let of_controls = |report: &Report| -> Vec<Value> {
        let all = observations(report).into_iter();
        all.filter(|seen| seen["types"][0] == "control-objective").collect()
    };
    let found = of_controls(&report);
    assert_eq!(found.len(), 4);
    for (seen, control) in found.iter().zip(&report.compliance[0].controls) {
        assert_eq!(property(seen, "policy"), "pci-dss-4.0.1");
        assert_eq!(property(seen, "control"), control.id);
        assert_eq!(property(seen, "status"), control.status.word());
        assert_eq!(property(seen, "support"), control.support.word());
        let said = word(seen, "/description");
        assert!(said.contains("So it is.") && said.contains("is for an assessor to say"), "{said}");
    }
    assert_eq!(word(&found[2], "/title"), "PCI DSS 4.0.1, 1.4.2: supported in part");
    let text = text(Format::Oscal, &report);
    assert!(!text.contains("\"satisfied\""), "an assessor says that");
    assert_eq!(text, self::text(Format::Oscal, &report), "deterministic");
    assert!(of_controls(&fixture::conforming()).is_empty());
    // Without a target or a finding there is still what was shown.
    let mut bare = fixture::conforming();
    bare.targets.clear();
    bare.compliance = fixture::shown(&bare, "pci-dss-4.0.1", "");
    assert_eq!(of_controls(&bare).len(), 4);
}
