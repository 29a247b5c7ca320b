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
    desk.run(&[&run[..], &broken].concat()).ends(2).complains(&["broken.html", "template.html:2"]);
    let pageless = ["render", "a.json", "--report", "json=-", "--template", "own.html"];
    desk.run(&pageless).ends(2).complains(&["--template", "hint: "]);
}
