//! Standard output is data, standard error is talk, and neither is spoilt by who reads it.

use std::{
    io::{BufRead as _, BufReader},
    process::Stdio,
};

use crate::{
    desk::{Desk, checked},
    doors::{Door, Wall},
};

/// A run on one open port, declared, and what else was typed.
fn conforming<'a>(port: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["verify", "--expect", port, "--tcp", "declared", "--udp", "none", "127.0.0.1"], more].concat()
}

#[test]
fn a_report_on_standard_output_is_one_document_and_nothing_else() {
    let (desk, door) = (Desk::new(), Door::open());
    let port = door.port.to_string();
    let run = desk.run(&conforming(&port, &["--report", "json=-"])).ends(0);
    let report = checked(&run.out);
    assert_eq!(report["summary"]["result"], "conforms");
    assert!(!run.err.contains("CONFORMS"), "the summary is mixed into the talk: {}", run.err);
    let page = desk.run(&conforming(&port, &["--report", "html=-"])).ends(0).out;
    assert!(page.starts_with("<!doctype html>") || page.starts_with("<!DOCTYPE html>"));
    assert!(page.trim_end().ends_with("</html>"));
    let both = desk.run(&conforming(&port, &["--report", "json=-", "--report", "html=page.html"])).ends(0);
    checked(&both.out);
    assert!(desk.place("page.html").exists());
}

#[test]
fn a_bare_format_writes_where_the_help_says() {
    let (desk, door) = (Desk::new(), Door::open());
    let port = door.port.to_string();
    desk.run(&conforming(&port, &["--report", "html", "--report", "json"])).ends(0);
    assert!(desk.place("portproof-report.html").exists() && desk.place("portproof-report.json").exists());
    assert_eq!(desk.crumbs(), [""; 0]);
}

#[test]
fn the_last_line_is_the_headline_of_the_report_with_every_restriction() {
    let (desk, door) = (Desk::new(), Door::open());
    let port = door.port.to_string();
    let flags = ["--families", "ipv4", "--at", "2026-01-01", "--strict", "--report", "json=r.json"];
    let run = desk.run(&conforming(&port, &flags)).ends(0);
    let report = checked(&std::fs::read_to_string(desk.place("r.json")).unwrap());
    assert_eq!(run.headline(), report["summary"]["headline"]);
    for words in [
        "CONFORMS",
        "1 of 1 endpoint determined",
        "from 127.0.0.1",
        "IPv4 only",
        "unlisted ports not scanned",
        "UDP not scanned",
        "paperwork judged as of 2026-01-01",
        "exceptions ignored",
    ] {
        assert!(run.headline().contains(words), "`{words}` is missing in: {}", run.headline());
    }
}

#[test]
fn quiet_is_quiet_and_keeps_the_data() {
    let (desk, door) = (Desk::new(), Door::open());
    let port = door.port.to_string();
    for quiet in ["-q", "--quiet"] {
        let run = desk.run(&conforming(&port, &[quiet, "--report", "json=r.json"])).ends(0);
        assert_eq!(run.err, "");
        assert!(run.headline().starts_with("CONFORMS"));
    }
    let run = desk.run(&["scan", "-q", "-p", &port, "127.0.0.1"]).ends(0);
    assert_eq!(run.err, "");
    assert!(run.out.contains("open"));
    let wrong = desk.run(&conforming(&port, &["-q", "--only", "nothing"])).ends(2);
    assert!(wrong.err.starts_with("error: "), "an error is said all the same: {}", wrong.err);
}

#[test]
fn what_is_about_to_happen_is_said_before_the_first_probe() {
    let (desk, door, wall) = (Desk::new(), Door::open(), Wall::new());
    let (port, closed) = (door.port.to_string(), wall.port.to_string());
    let one = desk.run(&conforming(&port, &[])).ends(0);
    one.complains(&["asking 1 endpoint on 1 address by ", "at most 10,000 probes a second"]);
    let ports = format!("{port},{closed}");
    let asked = ["verify", "--expect", &port, "--tcp", &ports, "--udp", "none", "127.0.0.1"];
    let two = [&asked[..], &["--rate", "max", "-v", "--seed", "7"]].concat();
    desk.run(&two).ends(0).complains(&["asking 2 endpoints on 1 address", "as fast as", "seed 7"]);
}

#[test]
fn without_a_terminal_there_is_no_progress_and_no_colour() {
    let (desk, door) = (Desk::new(), Door::open());
    let port = door.port.to_string();
    let run = desk.run(&conforming(&port, &[])).ends(0);
    for text in [&run.out, &run.err] {
        assert!(!text.contains('\u{1b}') && !text.contains('\r'), "{text:?}");
    }
    let painted = desk.run(&conforming(&port, &["--color", "always"])).ends(0);
    assert!(painted.headline().starts_with("\u{1b}["), "{:?}", painted.headline());
    let mut process = desk.process(&conforming(&port, &["--color=always"]));
    let output = process.env("NO_COLOR", "1").output().unwrap();
    assert!(output.stdout.contains(&0x1b), "what was typed outranks the environment");
    let never = desk.run(&conforming(&port, &["--color", "never"])).ends(0);
    assert!(!never.out.contains('\u{1b}'));
    let broken = desk.run(&["verify", "nothing.yaml", "--color", "never"]).ends(2);
    assert!(!broken.err.contains('\u{1b}'));
}

#[test]
fn a_reader_that_goes_away_ends_nothing_badly() {
    let (desk, door) = (Desk::new(), Door::open());
    let port = door.port.to_string();
    let rules = ["explain"];
    let schema = ["schema", "report"];
    let lines = ["scan", "--states", "all", "--format", "ndjson", "-p", &port, "127.0.0.1"];
    let verify = conforming(&port, &[]);
    let report = conforming(&port, &["--report", "json=-"]);
    let completions = ["completions", "bash"];
    for args in [&rules[..], &schema, &lines, &verify, &report, &completions] {
        let mut child = desk
            .process(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert!(!err.contains("panicked") && !err.contains("Broken pipe"), "{args:?}: {err}");
        assert_eq!(output.status.code(), Some(0), "{args:?}: {err}");
    }
}

#[test]
fn help_is_data_and_groups_the_commands() {
    let desk = Desk::new();
    for args in [&["--help"][..], &["help"]] {
        let run = desk.run(args).ends(0);
        assert_eq!(run.err, "");
        for group in ["Everyday:", "Governance:", "Reference:"] {
            assert!(run.out.contains(group), "{}", run.out);
        }
    }
    let help = desk.run(&["verify", "--help"]).ends(0).out;
    for heading in ["How:", "What:", "Result:", "Talk:"] {
        assert!(help.contains(heading), "{help}");
    }
    let version = desk.run(&["--version"]).ends(0);
    assert_eq!(version.out.trim_end(), concat!("portproof ", env!("CARGO_PKG_VERSION")));
    let bare = desk.run(&[]).ends(2);
    assert_eq!(bare.out, "", "who typed nothing made a mistake");
    desk.run(&["vrify"]).ends(2).complains(&["verify"]);
    let mut lines = BufReader::new(help.as_bytes()).lines();
    assert!(lines.all(|line| line.unwrap().chars().count() <= 110));
}
