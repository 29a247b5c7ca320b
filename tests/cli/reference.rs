//! What sends nothing: plan, lint, explain, profiles, schema, completions.

use std::{io::Write as _, process::Stdio};

use serde_json::Value;

use crate::{
    desk::Desk,
    doors::{Door, Wall},
};

fn manifest(open: u16, closed: u16) -> String {
    format!(
        "portproof: 1\ntargets: [{{id: here, hosts: [127.0.0.1], tcp: \"{open},{closed}\", udp: none, expose: [{open}]}}]\n"
    )
}

#[test]
fn a_plan_sends_nothing_and_is_what_verify_does() {
    let (desk, door, wall) = (Desk::new(), Door::open(), Wall::new());
    desk.file("portproof.yaml", manifest(door.port, wall.port));
    for flags in [&[][..], &["--tcp", "declared"]] {
        let plan = desk.run(&[&["plan"], flags].concat()).ends(0);
        assert_eq!(plan.err, "");
        assert_eq!(door.visits(), 0);
        let report = desk.verify(flags).ends(0).report.unwrap();
        // Those that measure the loss of the path are apart.
        let count = |key: &str| report["coverage"][key].as_u64().unwrap();
        let (planned, probes) = (count("planned"), count("planned") + count("retransmitted"));
        assert!(plan.out.contains(&format!("total          1 address, {planned} endpoint")), "{}", plan.out);
        let words: Vec<&str> = plan.out.split_whitespace().collect();
        let most = words.windows(3).find(|three| three[..2] == ["at", "most"]).expect("at most N probes")[2];
        assert!(probes <= most.parse().unwrap(), "{probes} probes, and {most} were promised at most");
        assert!(plan.out.contains("here"), "{}", plan.out);
        assert!(door.visits() > 0);
    }
}

#[test]
fn lint_tells_good_paper_from_missing_paper_and_both_from_no_manifest() {
    let desk = Desk::new();
    let good = "portproof: 1
metadata: {name: edge, owner: platform, contact: noc@example.com, environment: test}
authorization: {reference: SEC-1, authorized_by: head of security, scope: [127.0.0.1]}
targets:
  - id: here
    hosts: [127.0.0.1]
    owner: platform
    expose:
      - {port: 443/tcp, justification: the shop, approved_by: board, approved_on: 2026-01-01, review_by: 2999-01-01}
";
    desk.file("portproof.yaml", good);
    let clean = desk.run(&["lint"]).ends(0);
    assert_eq!(clean.out, "");
    clean.complains(&["nothing to remark"]);
    desk.file("portproof.yaml", good.replace("the shop", "TODO"));
    let poor = desk.run(&["lint"]).ends(1);
    assert!(poor.out.contains("MAN003") && poor.out.contains("portproof.yaml:9"), "{}", poor.out);
    let lines = desk.run(&["lint", "--json"]).ends(1).out;
    for line in lines.lines() {
        let remark: Value = serde_json::from_str(line).unwrap();
        assert_eq!((&remark["rule"], &remark["line"]), (&"MAN003".into(), &9.into()), "{line}");
        desk.run(&["explain", remark["rule"].as_str().unwrap()]).ends(0);
    }
    desk.run(&["lint", "nowhere.yaml"]).ends(2).complains(&["there is no file nowhere.yaml"]);
}

#[test]
fn every_rule_is_explained_by_id_and_by_name() {
    let desk = Desk::new();
    let list = desk.run(&["explain"]).ends(0).out;
    let rules: Vec<(&str, &str)> = list
        .lines()
        .map(|line| {
            let mut words = line.split_whitespace();
            (words.next().unwrap(), words.next().unwrap())
        })
        .collect();
    assert!(rules.len() >= 15 + 4, "{list}");
    for (id, name) in rules {
        let text = desk.run(&["explain", id]).ends(0).out;
        for part in [id, name, "When", "Why", "What to do"] {
            assert!(text.contains(part), "{text}");
        }
        assert_eq!(desk.run(&["explain", name]).ends(0).out, text);
        assert_eq!(desk.run(&["explain", &id.to_lowercase()]).ends(0).out, text);
    }
    desk.run(&["explain", "EXP01"]).ends(2).complains(&["EXP01", "did you mean EXP001?"]);
}

#[test]
fn every_role_is_shown() {
    let desk = Desk::new();
    let list = desk.run(&["profiles"]).ends(0).out;
    assert!(list.lines().count() >= 10, "{list}");
    let policies = list.lines().filter(|line| line.contains(" Policy: "));
    for policy in policies.map(|line| line.split_whitespace().next().unwrap()) {
        let text = desk.run(&["profiles", policy]).ends(0).out;
        assert!(text.starts_with(policy) && text.contains("supports evidence for"), "{text}");
    }
    desk.run(&["profiles", "pci-dss-4.0.2"]).ends(2).complains(&["did you mean pci-dss-4.0.1?"]);
    for role in list
        .lines()
        .filter(|line| !line.contains(" Policy: "))
        .map(|line| line.split_whitespace().next().unwrap())
    {
        let text = desk.run(&["profiles", role]).ends(0).out;
        assert!(text.starts_with(role) && text.contains("Must never expose"), "{text}");
    }
    assert!(desk.run(&["profiles", "services"]).ends(0).out.lines().any(|line| line.contains("443/tcp")));
    desk.run(&["profiles", "web-servr"]).ends(2).complains(&["did you mean web-server?"]);
}

#[test]
fn both_schemas_are_schemas() {
    let desk = Desk::new();
    for what in ["manifest", "report"] {
        let schema: Value = serde_json::from_str(&desk.run(&["schema", what]).ends(0).out).unwrap();
        assert!(jsonschema::meta::is_valid(&schema), "{what}");
        assert!(schema["$schema"].is_string() && schema["title"].is_string(), "{what}");
        let validator = jsonschema::validator_for(&schema).unwrap();
        assert!(!validator.is_valid(&serde_json::json!({})), "the schema of the {what} takes anything");
    }
}

#[test]
fn completions_are_scripts() {
    let desk = Desk::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = desk.run(&["completions", shell]).ends(0).out;
        for word in ["verify", "fail-on", "expect"] {
            assert!(script.contains(word), "{shell} does not know {word}");
        }
        if shell == "bash" {
            let mut bash =
                std::process::Command::new("bash").arg("-n").stdin(Stdio::piped()).spawn().unwrap();
            bash.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
            assert!(bash.wait().unwrap().success());
        }
    }
    desk.run(&["completions", "command.com"]).ends(2).complains(&["bash"]);
}

#[test]
fn doctor_says_what_works_from_here_and_sends_nothing() {
    let desk = Desk::new();
    let said = desk.run(&["doctor"]);
    let words = |line: &str| line.split_whitespace().next().unwrap_or_default().to_owned();
    let marked: Vec<String> = said.out.lines().map(words).filter(|word| word != "->").collect();
    assert!(marked.iter().filter(|word| *word == "ok").count() >= 2, "{}", said.out);
    for line in said.out.lines().take_while(|line| !line.is_empty()) {
        assert!(["ok", "note", "missing", "->"].contains(&words(line).as_str()), "{line}");
    }
    for what in
        ["SYN scan", "connect scan", "descriptors", "clock", "names", "firewall", "--scan auto asks by"]
    {
        assert!(said.out.contains(what), "{what} is missing in:\n{}", said.out);
    }
    assert_eq!(said.err, "");
}

#[test]
fn doctor_where_there_is_no_network_says_that_nothing_can_be_scanned() {
    // A namespace of its own has no interface but loopback.
    let exe = env!("CARGO_BIN_EXE_portproof");
    let output = std::process::Command::new("unshare").args(["-Urn", exe, "doctor"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(4), "{text}");
    assert!(text.contains("nothing can be scanned") && text.contains("missing  interface"), "{text}");
    assert!(text.contains("root of a user namespace"), "{text}");
}

#[test]
fn a_chance_to_miss_is_between_nothing_and_everything() {
    let desk = Desk::new();
    for wrong in ["0", "1", "-0.1", "1.5", "NaN", "inf", "1/1000", "often", ""] {
        let flag = format!("--max-miss={wrong}");
        desk.run(&["plan", "--expect", "443", "127.0.0.1", &flag]).ends(2).complains(&["--max-miss"]);
    }
    desk.run(&["plan", "--expect", "443", "127.0.0.1", "--max-miss", "0.01"]).ends(0);
    let exact = desk
        .run(&[
            "plan",
            "--expect",
            "443",
            "127.0.0.1",
            "--max-attempts",
            "3",
            "--tcp",
            "declared",
            "--udp",
            "none",
        ])
        .ends(0);
    assert!(exact.out.contains("at most 3 probes"), "{}", exact.out);
    let default =
        desk.run(&["plan", "--expect", "443", "127.0.0.1", "--tcp", "declared", "--udp", "none"]).ends(0);
    assert!(default.out.contains("at most 6 probes"), "{}", default.out);
}
