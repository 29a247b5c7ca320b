//! What of the manifest is in the run, and how it is judged: each flag against the same few ports.

use std::fs;

use serde_json::Value;

use crate::{
    desk::{Desk, REPORT, Run},
    doors::{Door, Wall},
};

const HOST: &str = "127.0.0.1";

fn day(days: i64) -> String {
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    today.saturating_add(jiff::SignedDuration::from_hours(24 * days)).to_string()
}

/// One target on loopback: asks these ports, and says this of them.
fn one(tcp: &[u16], rest: &str) -> String {
    let tcp: Vec<String> = tcp.iter().map(ToString::to_string).collect();
    format!(
        "portproof: 1\ntargets:\n  - {{id: here, hosts: [{HOST}], tcp: \"{}\", udp: none, {rest}}}\n",
        tcp.join(",")
    )
}

#[test]
fn expect_takes_what_an_administrator_types() {
    let (desk, a, b, wall) = (Desk::new(), Door::open(), Door::open(), Wall::new());
    let (low, high) = (a.port.min(b.port), a.port.max(b.port));
    let asked = format!("{low},{high},{}", wall.port);
    for expected in [
        format!("{low},{high}"),
        format!("{high},{low}"),
        format!("{low}/tcp,{high}/tcp"),
        format!("{low}, {high}"),
        format!("{low},{low},{high}"),
        format!("{low}-{low},{high}"),
    ] {
        let run = desk.verify(&["--expect", &expected, "--tcp", &asked, "--udp", "none", HOST]);
        assert_eq!(run.ends(0).report()["coverage"]["planned"], 3, "{expected}");
    }
    let run = desk.verify(&["--expect", "none", "--tcp", &asked, "--udp", "none", HOST]).ends(1);
    let open = [format!("EXP001 fail {low}"), format!("EXP001 fail {high}")];
    // Nothing expected means dark, and the wall answered.
    assert_eq!(run.complaints(), [&open[..], &["EXP014 fail".to_owned()]].concat());
    let run = desk.verify(&["--expect", &low.to_string(), "--tcp", &asked, "--udp", "none", HOST]).ends(1);
    assert_eq!(run.complaints(), [format!("EXP001 fail {high}")]);
}

#[test]
fn the_level_of_a_rule_is_what_the_command_line_says() {
    let (desk, door) = (Desk::new(), Door::open());
    desk.file("portproof.yaml", one(&[door.port], "expose: []"));
    let finding = |word: &str| [format!("EXP001 {word} {}", door.port)];
    assert_eq!(desk.verify(&["-D", "EXP001"]).ends(1).complaints(), finding("fail"));
    for warn in [&["-W", "EXP001"][..], &["-W", "unexpected-open"], &["--warn", "exp001"]] {
        let run = desk.verify(warn).ends(0);
        assert_eq!(run.complaints(), [""; 0]);
        assert!(run.findings().contains(&format!("EXP001 pass {}", door.port)), "{:?}", run.findings());
        assert!(
            run.headline().starts_with("CONFORMS  nothing that fails, 1 warned of · "),
            "{}",
            run.headline()
        );
        assert!(run.headline().contains(" · EXP001 only warned of"), "{}", run.headline());
        let page = desk.run(&["render", REPORT, "--report", "markdown=-"]).out;
        assert!(
            page.contains("One port is open that nobody declared") && !page.contains("Nothing is open"),
            "{page}"
        );
    }
    let run = desk.verify(&["-A", "EXP001"]).ends(0);
    assert!(
        run.headline().starts_with("CONFORMS  nothing that fails, 1 not reported · "),
        "{}",
        run.headline()
    );
    assert!(run.headline().contains(" · EXP001 not reported"), "{}", run.headline());
    assert_eq!(run.report()["run"]["selection"]["levels"]["EXP001"], "allow");
    let page = desk.run(&["render", REPORT, "--report", "markdown=-"]).out;
    assert!(page.contains("One endpoint deviates, and the run was told not to report it"), "{page}");
    assert!(!page.contains("Nothing is open"), "{page}");
    assert!(!run.findings().iter().any(|finding| finding.contains("EXP001")), "{:?}", run.findings());
    let waived = &run.report()["summary"]["waived"];
    assert_eq!((&waived["not_reported"], &waived["only_warned"]), (&1.into(), &0.into()));
    let seen =
        run.report()["observations"].as_array().unwrap().iter().find(|seen| seen["verdict"] == "waived");
    assert_eq!(seen.unwrap()["waived_by"], "-A EXP001");
    assert_eq!(desk.verify(&["-A", "EXP001", "-D", "EXP001"]).ends(1).complaints(), finding("fail"));
    let run = desk.verify(&["-A", "EXP001", "-D", "MAN002"]).ends(1);
    assert_eq!(run.complaints(), ["MAN002 fail"], "paperwork fails where it is denied");
}

#[test]
fn what_is_only_warned_of_is_no_conformity_whatever_the_rule() {
    let (desk, door) = (Desk::new(), Door::open());
    // Nothing there speaks, so that a closed port is all that can contradict what is declared.
    let text = one(&[door.port], &format!("expose: [{}], closed_state: filtered", door.port))
        .replace("tcp: \"", "tcp: \"1,");
    desk.file("portproof.yaml", &text);
    assert!(desk.verify(&[]).ends(1).complaints().iter().any(|it| it.starts_with("EXP014 fail")));
    for (flag, said) in [("-W", "1 warned of"), ("-A", "not reported")] {
        let run = desk.verify(&[flag, "EXP014"]).ends(0);
        let headline = run.headline();
        assert!(
            headline.starts_with("CONFORMS  nothing that fails, ") && headline.contains(said),
            "{headline}"
        );
        let page = desk.run(&["render", REPORT, "--report", "markdown=-"]).out;
        assert!(!page.contains("Every required service") && !page.contains("nothing else is open"), "{page}");
        let page = desk.run(&["render", REPORT, "--report", "html=-"]).out;
        assert!(!page.contains("nothing deviates") && !page.contains("no exception was needed"));
    }
}

#[test]
fn what_narrows_a_run_is_named_wherever_it_stands() {
    let (desk, door) = (Desk::new(), Door::open());
    let names = |run: &Run, restriction: &str| {
        assert!(run.headline().contains(&format!(" · {restriction}")), "{restriction}: {}", run.headline());
    };
    let text = one(&[door.port], &format!("expose: [{}]", door.port));
    desk.file("portproof.yaml", &text);
    desk.file("fleet.txt", "127.0.0.1\n");
    let run = desk.verify(&["--hosts", "here=@fleet.txt"]).ends(0);
    names(&run, "hosts of here from fleet.txt");
    assert_eq!(run.report()["run"]["selection"]["hosts"]["here"], "fleet.txt");
    names(
        &desk.typed(&["verify", "--hosts", "here=-"], "127.0.0.1\n").ends(0),
        "hosts of here from standard input",
    );
    let run = desk.verify(&["--max-miss", "0.1"]).ends(0);
    names(&run, "a chance of 1 in 10 to miss an open port accepted");
    assert_eq!(run.report()["run"]["selection"]["max_miss"], 0.1);
    assert_eq!(desk.verify(&[]).ends(0).report()["run"]["selection"].get("max_miss"), None);
    let two = format!("{text}  - {{id: there, hosts: [127.0.0.2], tcp: \"1\", udp: \"9\", expose: []}}\n");
    desk.file("portproof.yaml", two);
    names(&desk.verify(&[]), "UDP not scanned on 1 of 2 targets");
}

#[test]
fn unlisted_warn_reports_and_does_not_fail() {
    let (desk, door) = (Desk::new(), Door::open());
    let run = desk.verify_text(&one(&[door.port], "expose: [], unlisted: warn"), &[]).ends(0);
    assert_eq!(run.result(), "conforms");
    assert!(run.findings().contains(&format!("EXP001 pass {}", door.port)), "{:?}", run.findings());
    assert!(run.out.contains(&door.port.to_string()), "{}", run.out);
    assert!(run.headline().starts_with("CONFORMS  nothing that fails, 1 warned of · "), "{}", run.headline());
}

/// A manifest whose one deviation is accepted until a day.
fn excepted(port: u16, expires: &str) -> String {
    let paper = "reason: moving, requested_by: web team, approved_by: board";
    format!(
        "{}exceptions:\n  - {{id: EX-1, match: {{target: here, port: {port}/tcp, rule: EXP001}}, {paper}, \
         requested_on: {old}, approved_on: {old}, expires: {expires}}}\n",
        one(&[port], "expose: []"),
        old = day(-400),
    )
}

#[test]
fn an_exception_waives_through_its_last_day_and_no_longer() {
    let (desk, door) = (Desk::new(), Door::open());
    let waived = [format!("EXP001 waived {}", door.port)];
    let fails = [format!("EXP001 fail {}", door.port)];
    for (expires, code, told) in [(day(30), 0, &waived), (day(-1), 1, &fails)] {
        let run = desk.verify_text(&excepted(door.port, &expires), &[]).ends(code);
        assert_eq!(&run.complaints(), told, "expires {expires}");
        assert_eq!(run.findings().iter().any(|finding| finding.starts_with("EXC001")), code == 1);
    }
    desk.file("portproof.yaml", excepted(door.port, &day(-1)));
    assert_eq!(desk.verify(&["--at", &day(-1)]).ends(0).complaints(), waived, "its last day counts");
    desk.file("portproof.yaml", excepted(door.port, &day(30)));
    let strict = desk.verify(&["--strict"]).ends(1);
    assert_eq!(strict.complaints(), fails);
    assert!(strict.headline().contains("exceptions ignored"), "{}", strict.headline());
    assert_eq!(desk.verify(&["--at", &day(31)]).ends(1).complaints(), fails);
}

#[test]
fn only_and_exclude_narrow_the_run_and_say_so() {
    let (desk, a, b) = (Desk::new(), Door::open(), Door::open());
    let target = |id: &str, host: &str, port: u16, tag: &str| {
        format!(
            "  - {{id: {id}, hosts: [{host}], tags: [{tag}], tcp: declared, udp: none, expose: [{port}]}}\n"
        )
    };
    let text = format!(
        "portproof: 1\ntargets:\n{}{}",
        target("first", HOST, a.port, "pci"),
        target("second", "127.0.0.2", b.port, "lab")
    );
    desk.file("portproof.yaml", text);
    let addresses = |run: &Run| -> Vec<String> {
        let per_address = run.report()["coverage"]["per_address"].as_array().unwrap().clone();
        per_address.iter().map(|place| place["address"].as_str().unwrap().to_owned()).collect()
    };
    for only in ["first", "tag:pci"] {
        let run = desk.verify(&["--only", only]).ends(0);
        assert_eq!(addresses(&run), [HOST]);
        assert!(run.headline().contains("only ta"), "{}", run.headline());
        assert_eq!(run.report()["run"]["selection"]["only"][0], only);
    }
    b.visits();
    let run = desk.verify(&["--exclude", "127.0.0.2"]).ends(0);
    assert_eq!(addresses(&run), [HOST]);
    assert!(run.headline().contains("127.0.0.2"), "{}", run.headline());
    desk.verify(&["--exclude", "127.0.0.2/31"]).ends(0);
    desk.verify(&["--only", "nobody"]).ends(2).complains(&["--only nobody", "no target"]);
    desk.verify(&["--only", "tag:nobody"]).ends(2).complains(&["there are first, second, tag:lab, tag:pci"]);
    desk.verify(&["--only", "pci"]).ends(2).complains(&["did you mean `tag:pci`?"]);
}

/// What another target declares is no drift of the one that was selected.
#[test]
fn only_judges_nobody_by_what_belongs_to_somebody_else() {
    let (desk, own, shared, theirs) =
        (Desk::new(), Door::open(), Door::open(), Door::at(([127, 0, 0, 9], 0).into()));
    let text = format!(
        "portproof: 1
authorization: {{scope: [127.0.0.0/28]}}
defaults: {{tcp: '{own},{shared},{theirs}', udp: none}}
targets:
  - {{id: block, hosts: [127.0.0.8/29], expose: []}}
  - {{id: inside, hosts: [127.0.0.9], expose: [{theirs}]}}
  - {{id: nested, hosts: [127.0.0.12/30], expose: []}}
  - {{id: one, hosts: [{HOST}], expose: [{own}]}}
  - {{id: two, hosts: [{HOST}], expose: [{shared}]}}
",
        own = own.port,
        shared = shared.port,
        theirs = theirs.port
    );
    desk.file("portproof.yaml", text);
    let left = |run: &Run| -> Vec<(String, String)> {
        let report = run.report();
        let of = |part: &Value, key: &str| part[key].as_str().unwrap().to_owned();
        let left = report["not_scanned"].as_array().unwrap();
        left.iter().map(|part| (of(part, "what"), of(part, "why"))).collect()
    };
    desk.verify(&[]).ends(0);
    let block = desk.verify(&["--only", "block"]).ends(0);
    let owned =
        |what: &str, id: &str| (what.to_owned(), format!("belongs to target {id}, which was not selected"));
    assert_eq!(left(&block), [owned("127.0.0.9", "inside"), owned("127.0.0.12 to 127.0.0.15", "nested")]);
    let one = desk.verify(&["--only", "one"]).ends(0);
    let ports = format!("tcp {} at {HOST}", shared.port);
    assert_eq!(left(&one), [(ports, "declared by what was not selected: two".to_owned())]);
    assert_eq!(one.report()["coverage"]["planned"], 2);
    // Whoever is selected as well is asked.
    let both = desk.verify(&["--only", "one", "--only", "two"]).ends(0);
    assert_eq!(left(&both), []);
    assert_eq!(both.report()["coverage"]["planned"], 3);
}

/// A run that asks nothing proves nothing, so it must not look like a run that found nothing.
#[test]
fn a_selection_that_leaves_nothing_is_a_mistake() {
    let (desk, door) = (Desk::new(), Door::open());
    let port = door.port.to_string();
    for flags in [
        &["--tcp", "none", "--udp", "none"][..],
        &["--exclude", HOST],
        &["--families", "ipv6"],
        &["--exclude", "127.0.0.0/8"],
    ] {
        let run = desk.verify(&[flags, &["--expect", &port, HOST]].concat()).ends(2);
        assert_eq!(run.complains(&["nothing to verify"]).out, "");
    }
    desk.file("portproof.yaml", one(&[], "expose: []").replace("\"\"", "none"));
    desk.verify(&[]).ends(2).complains(&["nothing to verify"]);
    assert_eq!(door.visits(), 0);
}

#[test]
fn hosts_come_from_a_file_or_standard_input() {
    let (desk, door) = (Desk::new(), Door::open());
    let text = one(&[door.port], &format!("expose: [{}]", door.port))
        .replace("hosts: [127.0.0.1]", "hosts: [127.0.0.9]");
    desk.file("portproof.yaml", &text);
    desk.verify(&[]).ends(1);
    for list in [
        "127.0.0.1\n",
        "# ours\n\n 127.0.0.1 # the web\n",
        "127.0.0.1\r\n",
        "\u{feff}127.0.0.1\r\n",
        "127.0.0.1",
    ] {
        desk.file("fleet.txt", list);
        let run = desk.verify(&["--hosts", "here=@fleet.txt"]).ends(0);
        assert_eq!(run.report()["targets"][0]["addresses"][0]["address"], HOST, "{list:?}");
        let piped = desk.typed(&["verify", "--hosts", "here=-"], list).ends(0);
        assert!(piped.headline().starts_with("CONFORMS"));
    }
    for (list, said) in [
        ("", "fleet.txt holds no host"),
        ("# none\n", "fleet.txt holds no host"),
        ("127.0.0.1\n300.1.1.1\n", "fleet.txt:2"),
        ("127.0.0.1 127.0.0.2\n", "fleet.txt:1"),
        ("https://127.0.0.1/\n", "is a URL"),
    ] {
        desk.file("fleet.txt", list);
        desk.verify(&["--hosts", "here=@fleet.txt"]).ends(2).complains(&[said]);
    }
    desk.verify(&["--hosts", "there=@fleet.txt"]).ends(2);
    desk.verify(&["--hosts", "here=fleet.txt"]).ends(2).complains(&["ID=@FILE"]);
    desk.verify(&["--hosts", "here=@"]).ends(2);
    desk.file("fleet.txt", "127.0.0.9\n");
    let scoped = text.replace("targets:", "authorization: {scope: [127.0.0.9]}\ntargets:");
    desk.file("portproof.yaml", scoped);
    desk.file("fleet.txt", "127.0.0.1\n");
    desk.verify(&["--hosts", "here=@fleet.txt"]).ends(2).complains(&["127.0.0.1", "authorization.scope"]);
}

#[test]
fn the_vantage_decides_which_entries_hold() {
    let (desk, a, b) = (Desk::new(), Door::open(), Door::open());
    let rest = format!("expose: [{}, {{port: {}/tcp, from: [office]}}]", a.port, b.port);
    let text = one(&[a.port, b.port], &rest);
    desk.file("portproof.yaml", text.replace("targets:", "vantages: {office: {}, internet: {}}\ntargets:"));
    let run = desk.verify(&["--vantage", "office"]).ends(0);
    assert!(run.headline().contains("(office)"), "{}", run.headline());
    let run = desk.verify(&["--vantage", "internet"]).ends(1);
    assert_eq!(run.complaints(), [format!("EXP001 fail {}", b.port)]);
    desk.verify(&["--vantage", "moon"]).ends(2).complains(&["`moon`", "office"]);
    desk.verify(&[]).ends(2).complains(&["--vantage NAME", "office"]);
}

#[test]
fn a_folder_of_profiles_is_looked_at_first() {
    let (desk, door) = (Desk::new(), Door::open());
    let role =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/profiles/roles/web-server.yaml")).unwrap();
    desk.file("own/roles/kiosk.yaml", role.replace("web-server", "kiosk"));
    desk.file("portproof.yaml", one(&[door.port], &format!("profiles: [kiosk], expose: [{}]", door.port)));
    desk.verify(&["--tcp", "declared"]).ends(2).complains(&["kiosk"]);
    desk.run(&["lint", "--profile-dir", "own"]).ends(1);
    desk.verify(&["--profile-dir", "own", "--tcp", "declared"]).ends(0);
    assert!(desk.run(&["profiles", "--profile-dir", "own"]).ends(0).out.contains("kiosk"));
    desk.file("own/roles/kiosk.yaml", "name: [");
    desk.verify(&["--profile-dir", "own"]).ends(2).complains(&["kiosk.yaml"]);
}

#[test]
fn a_large_block_wants_a_word() {
    let (desk, door) = (Desk::new(), Door::open());
    let port = door.port.to_string();
    for args in [
        &["plan", "--expect", &port, "127.0.0.0/8"][..],
        &["verify", "--expect", &port, "--tcp", "declared", "127.0.0.0/8"],
        &["scan", "-p", &port, "127.0.0.0/15"],
    ] {
        desk.run(args).ends(2).complains(&["addresses", "--i-know-this-is-large"]);
    }
    let plan =
        desk.run(&["plan", "--expect", &port, "--tcp", "declared", "--i-know-this-is-large", "127.0.0.0/8"]);
    assert!(plan.ends(0).out.contains("16,777,216 addresses"));
    assert_eq!(door.visits(), 0);
}

#[test]
fn files_of_every_editor_are_read_and_others_are_named() {
    let (desk, door) = (Desk::new(), Door::open());
    let text = one(&[door.port], &format!("expose: [{}]", door.port));
    for text in [
        text.replace('\n', "\r\n"),
        format!("\u{feff}{text}"),
        format!("\u{feff}{}", text.replace('\n', "\r\n")),
        text.trim_end().to_owned(),
        format!("---\n{text}...\n"),
    ] {
        desk.verify_text(&text, &[]).ends(0);
    }
    fs::create_dir(desk.place("folder")).unwrap();
    desk.file("latin1.yaml", b"portproof: 1\n# \xe9t\xe9\n");
    desk.file("utf16.yaml", b"\xff\xfep\0o\0r\0t\0");
    desk.file("nul.yaml", b"portproof: 1\0\n");
    for (path, said) in [
        ("folder", "folder is a directory"),
        ("nowhere.yaml", "there is no file nowhere.yaml"),
        ("latin1.yaml", "not UTF-8"),
        ("utf16.yaml", "not UTF-8"),
        ("nul.yaml", "nul.yaml"),
        ("/dev/null", "empty"),
        ("/dev/zero", "/dev/zero"),
    ] {
        for command in ["verify", "plan", "lint"] {
            desk.run(&[command, path]).ends(2).complains(&[said]);
        }
    }
    assert!(door.visits() > 0);
}
