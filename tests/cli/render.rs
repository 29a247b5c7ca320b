//! A saved report again: what `render` makes of it is what the run made, and what is no report is called that.

use std::fs;

use portproof::report::Format;

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
fn what_is_no_report_is_named_with_what_is_wrong_about_it() {
    let desk = Desk::new();
    for (text, words) in [
        ("", "no JSON: EOF"),
        ("{\"schema\": \"portproof.report/1\"", "no JSON: EOF"),
        ("[1, 2]", "no report of portproof"),
        ("{\"schema\": \"cyclonedx\"}", "no report of portproof"),
        ("{\"schema\": \"portproof.report/2\"}", "a report of the schema portproof.report/2"),
        ("{\"schema\": \"portproof.report/1\"}", "missing field `tool`"),
    ] {
        desk.file(REPORT, text);
        desk.run(&["render", REPORT]).ends(2).complains(&[REPORT, words, "hint: "]);
    }
    desk.run(&["render", "nowhere.json"]).ends(2).complains(&["nowhere.json", "No such file"]);
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
