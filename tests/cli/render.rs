//! A saved report again: what `render` makes of it is what the run made, and what is no report is called that.

use std::fs;

use portproof::report::Format;
use serde_json::{Value, json};

use crate::{
    desk::{Desk, REPORT},
    doors::Door,
};

#[test]
fn rendering_a_saved_report_gives_the_very_bytes_of_the_run() {
    let (desk, door) = (Desk::new(), Door::open());
    let port = door.port.to_string();
    let run = ["verify", "--expect", &port, "--tcp", "declared", "--udp", "none", "127.0.0.1"];
    let all = |name: &str| -> Vec<String> {
        Format::ALL.iter().map(|format| format!("--report={format}={name}.{format}")).collect()
    };
    let (first, second) = (all("a"), all("b"));
    let first: Vec<&str> = run.into_iter().chain(first.iter().map(String::as_str)).collect();
    let second: Vec<&str> =
        ["render", "a.json"].into_iter().chain(second.iter().map(String::as_str)).collect();
    let run = desk.run(&first).ends(0);
    let again = desk.run(&second).ends(0);
    assert_eq!(again.out, run.out, "the summary is the run's");
    for format in Format::ALL {
        let read = |name: &str| fs::read(desk.place(&format!("{name}.{format}"))).unwrap();
        assert!(read("a") == read("b"), "{format} differs");
    }
    let text = fs::read_to_string(desk.place("a.json")).unwrap();
    assert!(
        desk.typed(&["render", "-", "--report", "json=-"], &text).ends(0).out == text,
        "from a pipe as well"
    );
}

#[test]
fn what_is_no_report_is_named_with_what_is_wrong_about_it_and_the_cure() {
    let desk = Desk::new();
    for (text, words, cure) in [
        ("", "it is empty", "copy it again"),
        ("{\"schema\": \"portproof.report/1\"", "it is cut off at line 1, column 31", "copy it again"),
        ("[1, 2]", "no report of portproof", "--report json=PATH"),
        ("{\"schema\": \"cyclonedx\"}", "no report of portproof", "--report json=PATH"),
        (
            "{\"schema\": \"portproof.report/2\"}",
            "a report of the schema portproof.report/2",
            "a newer portproof",
        ),
        ("{\"schema\": \"portproof.report/1\"}", "missing field `tool`", "altered or damaged"),
    ] {
        desk.file(REPORT, text);
        for args in [
            &["render", REPORT][..],
            &["diff", REPORT, REPORT],
            &["evidence", "sign", REPORT, "--key", "nowhere"],
            &["verify", "--expect", "80", "127.0.0.1", "--from", REPORT],
        ] {
            // Other tools write lists, so what is none of theirs is called that.
            let said: &[&str] =
                if text.starts_with('[') && args.contains(&"--from") { &[] } else { &[words, cure] };
            desk.run(args).ends(2).complains(&[&[REPORT, "hint: "], said].concat());
        }
        let checked = desk.run(&["evidence", "verify", REPORT]).ends(1);
        assert!(checked.out.contains(words) && checked.out.contains(cure), "{}", checked.out);
    }
    fs::create_dir(desk.place("folder")).unwrap();
    desk.run(&["render", "nowhere.json"]).ends(2).complains(&[
        "nowhere.json",
        "No such file",
        "hint: check the name",
    ]);
    desk.run(&["render", "folder"])
        .ends(2)
        .complains(&["folder: ", "hint: it is a folder: name a file in it"]);
}

/// A report, and copies of it in each of which one thing is not as verify wrote it.
fn damaged(desk: &Desk, door: &Door) -> Value {
    let port = door.port.to_string();
    desk.verify(&["--expect", &port, "--tcp", &port, "--udp", "none", "127.0.0.1"]).ends(0).report().clone()
}

#[test]
fn what_in_a_report_is_not_as_its_schema_has_it_is_named_by_its_field() {
    let (desk, door) = (Desk::new(), Door::open());
    let whole = damaged(&desk, &door);
    for (pointer, value, field) in [
        ("/summary/exit_code", json!(300), "summary.exit_code: invalid value: integer `300`"),
        ("/coverage/planned", json!(-5), "coverage.planned: invalid value: integer `-5`"),
        ("/coverage/open", json!(-5), "coverage.open: invalid value: integer `-5`"),
        (
            "/coverage/per_address/0/closed",
            json!("x"),
            "coverage.per_address[0].closed: invalid type: string",
        ),
        ("/observations/0/port", json!(70000), "observations[0].port: invalid value: integer `70000`"),
        ("/observations/0/state", json!("maybe"), "observations[0].state: unknown variant `maybe`"),
        ("/run/scan", json!(null), "run.scan: invalid type: null"),
    ] {
        let mut broken = whole.clone();
        *broken.pointer_mut(pointer).unwrap() = value;
        desk.file("broken.json", broken.to_string());
        let said =
            ["broken.json: not as the schema portproof.report/1 has it: ", field, "hint: ", "copy it again"];
        desk.run(&["render", "broken.json"]).ends(2).complains(&said);
        let verify = ["verify", "--expect", "80", "--tcp", "80", "127.0.0.1"];
        door.visits();
        desk.run(&[&verify[..], &["--baseline", "broken.json"]].concat()).ends(2).complains(&said);
        desk.run(&[&verify[..], &["--from", "broken.json"]].concat()).ends(2).complains(&said);
        assert_eq!(door.visits(), 0);
    }
}

#[test]
fn what_contradicts_itself_or_has_no_time_is_shown_with_a_note_and_followed_or_judged_by_nobody() {
    let (desk, door) = (Desk::new(), Door::open());
    let whole = damaged(&desk, &door);
    for (pointer, value, said) in [
        ("/summary/result", json!("inconclusive"), "the report contradicts itself"),
        ("/run/started_at", json!("yesterday"), "run.started_at is `yesterday`, and that is no time"),
        ("/run/finished_at", json!(""), "run.finished_at is ``, and that is no time"),
    ] {
        let mut odd = whole.clone();
        *odd.pointer_mut(pointer).unwrap() = value;
        desk.file("odd.json", odd.to_string());
        let shown = desk.run(&["render", "odd.json"]).ends(0).complains(&["note: odd.json: ", said]);
        assert!(
            shown.headline().starts_with("NOT VALID") || shown.out.contains("Not valid"),
            "{}",
            shown.out
        );
        desk.run(&["evidence", "verify", "odd.json"]).ends(1);
        door.visits();
        let verify = ["verify", "--expect", "80", "--tcp", "80", "127.0.0.1"];
        for flag in ["--baseline", "--from"] {
            let refused = desk.run(&[&verify[..], &[flag, "odd.json"]].concat()).ends(2);
            refused.complains(&[said, "hint: ", "`portproof evidence verify` says all that is wrong"]);
        }
        assert_eq!(door.visits(), 0);
    }
}

#[test]
fn two_reports_never_end_up_in_one_file() {
    let desk = Desk::new();
    let refused = |one: &str, other: &str| {
        let run = [
            "verify",
            "--expect",
            "80",
            "--tcp",
            "declared",
            "127.0.0.1",
            "--report",
            one,
            "--report",
            other,
        ];
        desk.run(&run).ends(2).complains(&["would both be", "hint: "]);
    };
    refused("html=a.x", "markdown=a.x");
    refused("json=./a.x", "csv=a.x");
    refused("json", "json");
}

#[test]
fn a_report_that_an_editor_put_a_byte_order_mark_before_is_read() {
    let (desk, door) = (Desk::new(), Door::open());
    desk.verify(&["--expect", &door.port.to_string(), "--tcp", "declared", "--udp", "none", "127.0.0.1"])
        .ends(0);
    let text = fs::read(desk.place(REPORT)).unwrap();
    desk.file("marked.json", [b"\xef\xbb\xbf", &text[..]].concat());
    desk.run(&["render", "marked.json"]).ends(0);
    desk.run(&["diff", "marked.json", REPORT]).ends(0);
    desk.run(&["evidence", "verify", "marked.json"]).ends(0);
}

#[test]
fn a_template_of_the_users_own_writes_the_page_and_its_faults_are_named_before_anything_is_sent() {
    let (desk, door) = (Desk::new(), Door::open());
    let port = door.port.to_string();
    let run = ["verify", "--expect", &port, "--tcp", "declared", "--udp", "none", "127.0.0.1"];
    desk.file("own.html", "{{ outcome }}, {{ report.tool.name }}");
    let own = ["--report", "json=a.json", "--report", "html=a.html", "--template", "own.html"];
    desk.run(&[&run[..], &own].concat()).ends(0);
    assert_eq!(fs::read_to_string(desk.place("a.html")).unwrap(), "conforms, portproof");
    let page = desk.run(&["render", "a.json", "--report", "html=-", "--template", "own.html"]).ends(0).out;
    assert_eq!(page, "conforms, portproof");
    desk.file("broken.html", "one\n{% if %}");
    let broken = ["--report", "html=b.html", "--template", "broken.html"];
    desk.run(&[&run[..], &broken].concat()).ends(2).complains(&["broken.html: line 2: "]);
    desk.file("wrong.html", "{{ outcome }}\n{{ nosuch.thing }}");
    let wrong = ["--report", "html=b.html", "--template", "wrong.html"];
    door.visits();
    desk.run(&[&run[..], &wrong].concat()).ends(2).complains(&[
        "wrong.html",
        "`nosuch`",
        "hint: there are report",
    ]);
    assert_eq!(door.visits(), 0, "nothing was sent");
    desk.file("late.html", "{{ outcome }}\n{{ overview.nosuch }}");
    let late = ["render", "a.json", "--report", "html=b.html", "--template", "late.html"];
    desk.run(&late).ends(2).complains(&["late.html: line 2: undefined value"]);
    let pageless = ["render", "a.json", "--report", "json=-", "--template", "own.html"];
    desk.run(&pageless).ends(2).complains(&["--template", "hint: "]);
}
