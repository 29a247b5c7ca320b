//! Nothing that is written takes the place of what is read: evidence that is gone can't be had again.

use std::{fs, os::unix::fs::symlink};

use crate::{
    desk::{Desk, REPORT},
    doors::Door,
};

/// A manifest that includes another and reads a list of hosts, a report of it, and other names of that.
fn furnished(door: &Door) -> Desk {
    let desk = Desk::new();
    desk.file("hosts.txt", "127.0.0.1\n");
    desk.file("teams/a.yaml", "portproof: 1\ntargets: []\n");
    let text = format!(
        "portproof: 1\ninclude: [teams/*.yaml]\nauthorization: {{scope: [127.0.0.1]}}\ntargets: [{{id: here, hosts: [{{file: hosts.txt}}], tcp: declared, udp: none, expose: [{}]}}]\n",
        door.port
    );
    desk.verify_text(&text, &[]).ends(0);
    fs::rename(desk.place(REPORT), desk.place("old.json")).unwrap();
    symlink("old.json", desk.place("soft.json")).unwrap();
    fs::hard_link(desk.place("old.json"), desk.place("hard.json")).unwrap();
    door.visits();
    desk
}

#[test]
fn a_report_never_takes_the_place_of_what_is_read_whatever_it_is_called() {
    let door = Door::open();
    let desk = furnished(&door);
    let before = |name: &str| fs::read(desk.place(name)).unwrap();
    let kept = ["portproof.yaml", "teams/a.yaml", "hosts.txt", "old.json"].map(|name| (name, before(name)));
    for (args, lost) in [
        (&["verify", "--report", "json=portproof.yaml"][..], "the manifest, portproof.yaml"),
        (&["verify", "./portproof.yaml", "--report", "html=teams/../portproof.yaml"], "the manifest, ./"),
        (&["verify", "--report", "csv=teams/a.yaml"], "what the manifest reads, teams/a.yaml"),
        (&["verify", "--report", "csv=hosts.txt"], "what the manifest reads, hosts.txt"),
        (&["verify", "--hosts", "here=@hosts.txt", "--report", "csv=hosts.txt"], "the list of --hosts"),
        (&["verify", "--baseline", "old.json", "--report", "json=old.json"], "the report of --baseline, old"),
        (&["verify", "--baseline", "soft.json", "--report", "json=./old.json"], "--baseline, soft.json"),
        (&["verify", "--baseline", "old.json", "--report", "json=soft.json"], "--baseline, old.json"),
        (&["verify", "--baseline", "old.json", "--report", "json=hard.json"], "--baseline, old.json"),
        (&["verify", "--from", "old.json", "--report", "json=old.json"], "what --from judges, old.json"),
        (&["verify", "--from", "soft.json", "--report", "sarif=hard.json"], "what --from judges, soft.json"),
        (&["verify", "--from", "old.json", "--report", "csv=hosts.txt"], "what the manifest reads"),
        (&["verify", "--state", "s.state", "--report", "json=s.state"], "the state file of --state"),
        (&["render", "old.json", "--report", "json=old.json"], "the report that is rendered, old.json"),
        (&["render", "hard.json", "--report", "html=soft.json"], "the report that is rendered, hard.json"),
        (
            &["evidence", "sign", "old.json", "--key", "key", "--output", "hard.json"],
            "the report that is signed",
        ),
        (
            &["evidence", "sign", "old.json", "--key", "hosts.txt", "--output", "hosts.txt"],
            "the key, hosts.txt",
        ),
    ] {
        let run = desk.run(args).ends(2).complains(&["would overwrite", lost, "hint: "]);
        assert_eq!(run.out, "", "{args:?}");
    }
    for (name, text) in kept {
        assert!(before(name) == text, "{name} is as it was");
    }
    assert_eq!(door.visits(), 0, "nothing was sent");
    assert_eq!(desk.crumbs(), [""; 0]);
    desk.run(&["verify", "--baseline", "old.json", "--report", "json=new.json"]).ends(0);
}

#[test]
fn a_report_that_was_piped_in_is_not_lost_either() {
    let door = Door::open();
    let desk = furnished(&door);
    let text = fs::read(desk.place("old.json")).unwrap();
    let mut process = desk.process(&["render", "-", "--report", "json=old.json"]);
    let run = process.stdin(fs::File::open(desk.place("old.json")).unwrap()).output().unwrap();
    let said = String::from_utf8_lossy(&run.stderr);
    assert_eq!(run.status.code(), Some(2), "{said}");
    assert!(said.contains("the report that is rendered, which standard input is"), "{said}");
    assert!(fs::read(desk.place("old.json")).unwrap() == text);
}

#[test]
fn two_reports_in_one_file_are_refused_by_whatever_names_it_has() {
    let door = Door::open();
    let desk = furnished(&door);
    for (one, other) in [("json=hard.json", "html=soft.json"), ("json=new", "csv=teams/../new")] {
        let run = ["verify", "--report", one, "--report", other];
        desk.run(&run).ends(2).complains(&["would both be", "hint: give each report a file of its own"]);
    }
    assert_eq!(door.visits(), 0);
}

#[test]
fn standard_input_is_read_once() {
    let desk = Desk::new();
    for args in [
        &["diff", "-", "-"][..],
        &["evidence", "verify", "-", "-"],
        &["verify", "--expect", "80", "127.0.0.1", "--baseline", "-", "--from", "-"],
        &["verify", "--expect", "80", "127.0.0.1", "--from", "-", "--from", "-"],
    ] {
        desk.run(args).ends(2).complains(&["standard input can be read once", "hint: save one of them"]);
    }
}
