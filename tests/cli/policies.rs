//! A manifest under a policy: gaps in the paperwork fail, and the report says what the run supports.

use serde_json::Value;

use crate::{desk::Desk, doors::Door};

/// One open door on loopback with its paperwork, and what the policy says.
fn manifest(door: &Door, entry: &str, policy: &str) -> String {
    format!(
        "portproof: 1
authorization: {{reference: SEC-1, authorized_by: head of security, scope: [127.0.0.1]}}
targets:
  - {{id: here, hosts: [127.0.0.1], tcp: declared, udp: none, owner: web team, expose: [{{port: {}, {entry}}}]}}
{policy}\n",
        door.port
    )
}

/// Everything that a policy may ask of an entry, as of [`DAY`].
const WHOLE: &str = "justification: site, approved_by: board, approved_on: 2026-05-02, review_by: 2026-11-02, controls: [\"pci-dss:1.2.5\"]";

/// The paperwork is judged as of this day, so that it is in time for ever.
const DAY: [&str; 2] = ["--at", "2026-08-01"];

fn control_of<'r>(report: &'r Value, id: &str) -> &'r Value {
    let controls = report["compliance"][0]["controls"].as_array().unwrap();
    controls.iter().find(|control| control["id"] == id).unwrap()
}

#[test]
fn a_field_that_is_missing_warns_and_under_a_policy_fails() {
    let (desk, door) = (Desk::new(), Door::open());
    let gap = WHOLE.replace("justification: site, ", "");
    let warned = desk.verify_text(&manifest(&door, &gap, ""), &DAY).ends(0);
    assert_eq!(warned.report()["compliance"], serde_json::json!([]));
    let policy = "policy: {use: pci-dss-4.0.1}";
    let failed = desk.verify_text(&manifest(&door, &gap, policy), &DAY).ends(1);
    let finding = &failed.report()["findings"][0];
    assert_eq!((&finding["rule"], &finding["verdict"]), (&"MAN003".into(), &"fail".into()));
    assert!(finding["title"].as_str().unwrap().contains("has no justification"), "{finding}");
    let listed = control_of(failed.report(), "1.2.5");
    assert_eq!((&listed["status"], &listed["findings"][0]), (&"contradicted".into(), &finding["id"]));
    desk.verify_text(&manifest(&door, &WHOLE.replace("site", "TODO"), policy), &DAY).ends(1);
    desk.verify_text(&manifest(&door, WHOLE, policy), &DAY).ends(0);
}

#[test]
fn a_manifest_without_authorization_fails_under_a_policy() {
    let (desk, door) = (Desk::new(), Door::open());
    let text = manifest(&door, WHOLE, "policy: {use: cis-controls-8.1}");
    let line = text.lines().find(|line| line.starts_with("authorization")).unwrap();
    let run = desk.verify_text(&text.replace(line, ""), &DAY).ends(1);
    assert!(run.report()["findings"].as_array().unwrap().iter().any(|finding| finding["rule"] == "MAN001"));
}

#[test]
fn reviews_that_are_too_far_apart_fail_under_a_policy_and_contradict_the_control() {
    let (desk, door) = (Desk::new(), Door::open());
    let policy = "policy: {use: pci-dss-4.0.1}";
    let review =
        |every: &str| format!("metadata: {{name: m, review: {{last: 2026-07-01, every: {every}}}}}\n");
    let seldom =
        manifest(&door, WHOLE, policy).replace("authorization", &format!("{}authorization", review("700d")));
    let far = manifest(&door, &WHOLE.replace("2026-11-02", "2099-01-01"), policy);
    for text in [&seldom, &far] {
        let run = desk.verify_text(text, &DAY).ends(1);
        assert_eq!(run.findings(), ["MAN018 fail"]);
        assert_eq!(control_of(run.report(), "1.2.7")["status"], "contradicted");
        assert_eq!(desk.verify_text(&text.replace(policy, ""), &DAY).ends(0).findings(), [""; 0]);
    }
    let covered = far.replace("authorization", &format!("{}authorization", review("180d")));
    let run = desk.verify_text(&covered, &DAY).ends(0);
    assert_eq!(control_of(run.report(), "1.2.7")["status"], "supported");
}

#[test]
fn a_day_that_is_yet_to_come_is_a_day_that_is_missing_and_contradicts_under_a_policy() {
    let (desk, door) = (Desk::new(), Door::open());
    let policy = "policy: {use: pci-dss-4.0.1}";
    let reviewed = |last: &str| {
        let review = format!("metadata: {{name: m, review: {{last: {last}, every: 180d}}}}\nauthorization");
        manifest(&door, WHOLE, policy).replace("authorization", &review)
    };
    let approved = |on: &str| manifest(&door, &WHOLE.replace("2026-05-02", on), policy);
    let excepted = |on: &str| {
        manifest(&door, WHOLE, policy)
            + &format!(
                "exceptions: [{{id: E, match: {{target: here, rule: EXP010}}, reason: r, requested_by: a, requested_on: 2026-07-02, approved_by: b, approved_on: {on}, expires: 2026-12-01}}]\n"
            )
    };
    for (rule, control) in [("MAN013", Some("1.2.7")), ("MAN004", Some("1.2.5")), ("MAN016", None)] {
        let text = |day: &str| match rule {
            "MAN013" => reviewed(day),
            "MAN004" => approved(day),
            _ => excepted(day),
        };
        desk.file("portproof.yaml", text("2026-08-02"));
        let told = desk.run(&["lint", "--at", "2026-08-01"]).ends(1);
        assert!(told.out.contains(&format!("error[{rule}]")), "{}", told.out);
        assert!(told.out.contains("2026-08-02, which is yet to come"), "{}", told.out);
        assert!(!desk.run(&["lint", "--at", "2026-08-02"]).out.contains(rule));
        let run = desk.verify_text(&text("2026-08-02"), &DAY).ends(1);
        assert!(run.findings().contains(&format!("{rule} fail")), "{:?}", run.findings());
        let Some(id) = control else { continue };
        let found = control_of(run.report(), id);
        assert_eq!(found["status"], "contradicted");
        let because = found["because"].to_string();
        assert!(because.contains("on 2026-08-02, which was yet to come on 2026-08-01"), "{because}");
        assert!(because.contains("Paperwork was judged as of 2026-08-01 (--at)."), "{because}");
        let run = desk.verify_text(&text("2026-08-01"), &DAY).ends(0);
        assert_ne!(control_of(run.report(), id)["status"], "contradicted");
    }
}

#[test]
fn lint_names_all_the_paperwork_by_which_verify_would_fail() {
    let (desk, door) = (Desk::new(), Door::open());
    let exceptions = "exceptions:
  - {id: OLD, match: {target: here, port: 9/tcp, rule: EXP002}, reason: r, requested_by: a, requested_on: 2026-01-02, approved_by: b, approved_on: 2026-01-03, expires: 2026-02-01}
  - {id: LONG, match: {target: here, port: 9/tcp, rule: EXP001}, reason: r, requested_by: a, requested_on: 2026-01-02, approved_by: b, approved_on: 2026-01-03, expires: 2027-02-01}
  - {id: OWN, match: {target: here, port: 9/tcp, rule: EXP003}, reason: r, requested_by: a, requested_on: 2026-07-02, approved_by: A, approved_on: 2026-07-03, expires: 2026-09-01}
";
    let late = WHOLE.replace("2026-11-02", "2026-07-31");
    for (policy, gravity, fails) in
        [("", "warning", false), ("policy: {use: pci-dss-4.0.1}\n", "error", true)]
    {
        let text = manifest(&door, &late, &format!("{policy}{exceptions}"));
        desk.file("portproof.yaml", &text);
        let told = desk.run(&["lint", "--json", "--at", "2026-08-01"]).ends(1);
        let remarks: Vec<Value> = told.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let mut rules: Vec<&str> = remarks.iter().map(|remark| remark["rule"].as_str().unwrap()).collect();
        assert!(remarks.iter().all(|remark| remark["fails"] == fails && remark["line"].as_u64() > Some(0)));
        let mut expected = vec!["EXP013", "EXC001", "EXC004"];
        if fails {
            expected.insert(2, "EXC003");
        }
        assert_eq!(rules, expected);
        let shown = desk.run(&["lint", "--at", "2026-08-01"]).ends(1);
        assert!(
            shown.out.contains(&format!("{gravity}[EXC001]: The last day of exception OLD")),
            "{}",
            shown.out
        );
        assert_eq!(
            shown.err.contains("under its policy each of them fails `verify`"),
            fails,
            "{}",
            shown.err
        );
        assert!(!desk.run(&["lint", "--at", "2026-01-31"]).ends(1).out.contains("EXP013"));
        let run = desk.verify_text(&text, &DAY).ends(i32::from(fails));
        let mut judged: Vec<String> = run.findings().iter().map(|line| line[..6].to_owned()).collect();
        judged.retain(|rule| rule != "EXC002");
        judged.sort();
        rules.sort_unstable();
        assert_eq!(judged, rules, "what lint says is what verify says");
    }
}

#[test]
fn a_control_that_no_policy_in_force_has_is_named_with_the_nearest_one() {
    let (desk, door) = (Desk::new(), Door::open());
    let strange = |named: &str| WHOLE.replace("\"pci-dss:1.2.5\"", named);
    let policy = "policy: {use: [pci-dss-4.0.1, soc2-2017]}";
    for (named, said) in [
        ("\"pci-dss:1.2.55\"", "which pci-dss-4.0.1 does not have; did you mean `pci-dss:1.2.5`?"),
        (
            "\"pci-dss:9.9.9\", \"foo:1\"",
            "`foo:1`, and no policy in force is called `foo`; in force: pci-dss, soc2",
        ),
        ("\"pci-dss:9.9.9\"", "does not have; known: 1.2.5, 1.2.6,"),
        ("\"pci-ds:1.2.5\"", "did you mean `pci-dss:1.2.5`?"),
        ("\"1.2.5\"", "which is not written as `framework:id`"),
    ] {
        let text = manifest(&door, &strange(named), policy);
        desk.file("portproof.yaml", &text);
        let told = desk.run(&["lint", "--at", "2026-08-01"]).ends(1);
        assert!(told.out.contains("error[MAN019]") && told.out.contains(said), "{}", told.out);
        assert_eq!(desk.verify_text(&text, &DAY).ends(1).findings(), ["MAN019 fail"]);
        desk.file("portproof.yaml", manifest(&door, &strange(named), ""));
        desk.run(&["lint", "--at", "2026-08-01"]).ends(0);
    }
}

#[test]
fn the_report_names_policy_controls_and_when_the_next_run_is_due() {
    let (desk, door) = (Desk::new(), Door::open());
    let policy = "policy: {use: [pci-dss-4.0.1, soc2-2017], max_age: 2d}";
    let flags = ["--at", "2026-08-01", "--report", "html=page.html"];
    let run = desk.verify_text(&manifest(&door, WHOLE, policy), &flags).ends(0);
    let report = run.report();
    assert_eq!(report["policy"], "pci-dss-4.0.1, soc2-2017");
    assert_eq!(report["declared"][0]["controls"], serde_json::json!(["pci-dss:1.2.5"]));
    assert_eq!(report["compliance"].as_array().unwrap().len(), 2);
    assert_eq!(control_of(report, "1.2.7")["status"], "supported");
    assert_eq!(control_of(report, "11.3.2")["status"], "undetermined");
    let listed = control_of(report, "1.4.2");
    assert_eq!(listed["status"], "undetermined");
    for why in ["Not every TCP port", "UDP was not asked of 1 target", "No vantage is named"] {
        assert!(listed["because"].to_string().contains(why), "{listed}");
    }
    let day = |key: &str| report["run"][key].as_str().unwrap()[..10].parse::<jiff::civil::Date>().unwrap();
    let days = day("finished_at").until(day("next_due")).unwrap().get_days();
    assert_eq!(days, 2);
    for (last, due) in [("2026-08-01", serde_json::json!("2026-08-31")), ("2999-01-01", Value::Null)] {
        let metadata = format!("metadata: {{review: {{last: {last}, every: 30d}}}}");
        let run = desk.verify_text(&manifest(&door, WHOLE, &metadata), &["--at", "2026-08-01"]);
        assert_eq!(run.report()["run"]["next_due"], due, "a review yet to come tells nothing of the next");
    }
    assert!(run.out.contains("pci-dss-4.0.1, soc2-2017: controls "), "{}", run.out);
    let page = std::fs::read_to_string(desk.place("page.html")).unwrap();
    assert!(page.contains("id=\"compliance\"") && page.contains("11.3.2 is not met by portproof"));
}

#[test]
fn what_a_control_needs_is_held_against_the_run_and_said() {
    let (desk, door) = (Desk::new(), Door::open());
    let control = |id: &str, need: &str| {
        format!("- {{id: {id}, asks: A., rules: [EXP003], needs: [{need}], support: full, also: B.}}\n")
    };
    let controls: String =
        ["previous", "outside", "udp", "expose.tls"].map(|need| control(need, need)).concat();
    let house = format!(
        "policy: house\nframework: house\ntitle: House\nedition: '3'\ndescription: Ours.\ncontrols:\n{controls}"
    );
    desk.file("own/policies/house.yaml", house);
    let text = manifest(&door, WHOLE, "policy: {use: house}");
    let text = text.replace(", controls: [\"pci-dss:1.2.5\"]", "");
    let own = ["--at", "2026-08-01", "--profile-dir", "own"];
    let run = desk.verify_text(&text, &own).ends(0);
    let why = |report: &Value, id: &str| {
        let found = control_of(report, id);
        (found["status"].as_str().unwrap().to_owned(), found["because"].to_string())
    };
    for (need, words) in [
        ("previous", "follows no earlier one"),
        ("outside", "No vantage is named"),
        ("udp", "UDP was not asked"),
        ("expose.tls", "does not use expose.tls"),
    ] {
        let (status, because) = why(run.report(), need);
        assert!(status == "undetermined" && because.contains(words), "{need} {because}");
        assert_eq!(control_of(run.report(), need)["needs"][0], need);
    }
    std::fs::rename(desk.place("report.json"), desk.place("before.json")).unwrap();
    let later = [&own[..], &["--baseline", "before.json", "--vantage", "internet"]].concat();
    let run = desk.verify_text(&text, &later).ends(0);
    assert!(why(run.report(), "outside").1.contains("asked from 127.0.0.1"));
    assert!(
        why(run.report(), "previous").1.contains("its vantage is not named"),
        "another vantage is another run"
    );
    let later = [&own[..], &["--baseline", "before.json"]].concat();
    let run = desk.verify_text(&text, &later).ends(0);
    assert_eq!(why(run.report(), "previous").0, "supported");
    let shown = desk.run(&["profiles", "house", "--profile-dir", "own"]).ends(0).out;
    assert!(shown.contains("needs   outside: the vantage is named"), "{shown}");
}

#[test]
fn a_policy_of_ones_own_is_laid_over_and_shown() {
    let (desk, door) = (Desk::new(), Door::open());
    let house = "policy: house\nframework: house\ntitle: House rules\nedition: '3'\ndescription: Ours.\nrequire: [ticket]\ncontrols:\n- {id: '7', asks: Tickets., rules: [MAN015], fields: [expose.ticket], support: full, also: The tickets.}\n";
    desk.file("own/policies/house.yaml", house);
    let text = manifest(&door, &WHOLE.replace("pci-dss:1.2.5", "house:7"), "policy: {use: house}");
    let own = ["--at", "2026-08-01", "--profile-dir", "own"];
    desk.verify_text(&text, &DAY).ends(2).complains(&["there is no policy `house`"]);
    let run = desk.verify_text(&text, &own).ends(1);
    assert_eq!(run.report()["findings"][0]["rule"], "MAN015");
    assert_eq!(control_of(run.report(), "7")["status"], "contradicted");
    let ticket = text.replace("justification:", "ticket: CHG-1, justification:");
    let run = desk.verify_text(&ticket, &own).ends(0);
    assert_eq!(control_of(run.report(), "7")["status"], "supported");
    let shown = desk.run(&["profiles", "house", "--profile-dir", "own"]).ends(0).out;
    assert!(shown.contains("House rules 3") && shown.contains("MAN015"), "{shown}");
    desk.file("own/policies/house.yaml", house.replace("edition", "editon"));
    desk.verify_text(&text, &own).ends(2).complains(&["house.yaml:4:1", "editon"]);
}
