//! Reports that an auditor can trust: each names the one before it, its totals add up, and the signature is one that
//! OpenSSH's own ssh-keygen accepts.

use std::fs;

use serde_json::Value;

use crate::{
    desk::{Desk, checked},
    doors::Door,
};

/// Verifies that nothing but `declared` is open among `asked`, and leaves the report.
fn verify(desk: &Desk, report: &str, declared: &Door, asked: &[&Door], more: &[&str]) -> Value {
    let (expect, to) = (declared.port.to_string(), format!("json={report}"));
    let ports: Vec<String> = asked.iter().map(|door| door.port.to_string()).collect();
    let (tcp, is_clean) = (ports.join(","), asked.len() == 1);
    let run =
        ["verify", "--expect", &expect, "--tcp", &tcp, "--udp", "none", "--rate", "max", "--report", &to];
    let run = desk.run(&[&run[..], &["127.0.0.1"], more].concat());
    let run = run.ends(i32::from(!is_clean));
    if !more.is_empty() {
        assert!(run.out.contains("since     the report of "), "{}", run.out);
    }
    checked(&fs::read_to_string(desk.place(report)).unwrap())
}

fn finding(report: &Value, door: &Door) -> Value {
    let findings = report["findings"].as_array().unwrap().iter();
    let found: Vec<&Value> = findings.filter(|finding| finding["port"] == door.port).collect();
    assert_eq!(found.len(), 1, "one finding for {}", door.port);
    found[0].clone()
}

#[test]
fn a_run_names_the_report_before_it_and_what_was_known_then() {
    let (desk, declared, early, late) = (Desk::new(), Door::open(), Door::open(), Door::open());
    let first = verify(&desk, "1.json", &declared, &[&declared, &early], &[]);
    assert_eq!(first["run"]["previous"], Value::Null);
    assert_eq!(finding(&first, &early)["first_seen"], Value::Null);
    let all = [&declared, &early, &late];
    let second = verify(&desk, "2.json", &declared, &all, &["--baseline", "1.json"]);
    let digest = portproof::report::json::sha256(&fs::read(desk.place("1.json")).unwrap());
    assert_eq!(second["run"]["previous"]["sha256"], digest);
    assert_eq!(second["run"]["previous"]["finished_at"], first["run"]["finished_at"]);
    assert_eq!(finding(&second, &early)["first_seen"], first["run"]["started_at"]);
    assert_eq!(finding(&second, &late)["first_seen"], Value::Null, "new");
    let third = verify(&desk, "3.json", &declared, &all, &["--baseline", "2.json"]);
    assert_eq!(finding(&third, &early)["first_seen"], first["run"]["started_at"], "handed on");
    assert_eq!(finding(&third, &late)["first_seen"], second["run"]["started_at"]);
}

#[test]
fn a_baseline_that_is_no_report_stops_the_run_before_its_first_probe() {
    let (desk, door) = (Desk::new(), Door::open());
    let port = door.port.to_string();
    let verify = |baseline: &str| {
        desk.run(&["verify", "--expect", &port, "--tcp", "declared", "127.0.0.1", "--baseline", baseline])
    };
    desk.file("other.json", "{\"schema\": \"cyclonedx\"}");
    verify("other.json").ends(2).complains(&["other.json", "no report of portproof", "hint: "]);
    verify("nowhere.json").ends(2).complains(&["nowhere.json", "No such file"]);
    assert_eq!(door.visits(), 0);
}

#[test]
fn a_baseline_of_another_manifest_or_schema_is_followed_with_a_note() {
    let (desk, door) = (Desk::new(), Door::open());
    let first = verify(&desk, "1.json", &door, &[&door], &[]);
    let mut other = first;
    other["schema"] = "portproof.report/2".into();
    other["run"]["manifest"]["name"] = "acme edge".into();
    other["coverage"] = Value::Null;
    desk.file("other.json", serde_json::to_vec(&other).unwrap());
    let port = door.port.to_string();
    let run = [
        "verify",
        "--expect",
        &port,
        "--tcp",
        &port,
        "--udp",
        "none",
        "127.0.0.1",
        "--baseline",
        "other.json",
    ];
    desk.run(&run).ends(0).complains(&["of the schema portproof.report/2", "about acme edge"]);
    let quiet = desk.run(&[&run[..], &["--quiet"]].concat()).ends(0);
    assert_eq!(quiet.err, "");
}

/// Signs a report by portproof, with a key that ssh-keygen made, and names the owner of the key.
fn signed(desk: &Desk, report: &str) {
    if !desk.place("key").exists() {
        desk.keygen(&["-q", "-t", "ed25519", "-N", "", "-C", "audit", "-f", "key"], "").ends(0);
        let public = fs::read_to_string(desk.place("key.pub")).unwrap();
        desk.file("signers", format!("audit@example.com namespaces=\"portproof-evidence\" {public}"));
    }
    desk.run(&["evidence", "sign", report, "--key", "key"]).ends(0).complains(&["signed", "SHA256:"]);
}

const CHECK: [&str; 10] = [
    "-Y",
    "verify",
    "-f",
    "signers",
    "-I",
    "audit@example.com",
    "-n",
    "portproof-evidence",
    "-s",
    "1.json.sig",
];

#[test]
fn ssh_keygen_accepts_a_signed_report_and_rejects_it_after_one_changed_byte() {
    let (desk, door) = (Desk::new(), Door::open());
    verify(&desk, "1.json", &door, &[&door], &[]);
    signed(&desk, "1.json");
    let report = fs::read_to_string(desk.place("1.json")).unwrap();
    let good = desk.keygen(&CHECK, &report).ends(0);
    assert!(good.out.contains("Good \"portproof-evidence\" signature for audit@example.com"), "{}", good.out);
    let ours = ["evidence", "verify", "1.json", "--allowed-signers", "signers"];
    let ours = |more: &[&str]| desk.run(&[&ours[..], more].concat());
    let said = ours(&["--identity", "audit@example.com"]).ends(0);
    assert!(
        said.headline().starts_with("VALID  1 report · totals reconcile · signed by those who may"),
        "{}",
        said.out
    );
    ours(&["--identity", "root@example.com"]).ends(1);

    // Every tenth byte: whatever was changed, by one bit, is found by both.
    for at in (0..report.len()).step_by(report.len() / 10) {
        let mut altered = report.clone().into_bytes();
        altered[at] ^= 1;
        desk.file("1.json", &altered);
        desk.keygen(&CHECK, &String::from_utf8(altered).unwrap()).ends(255);
        assert!(ours(&[]).ends(1).headline().starts_with("NOT VALID"));
        let unvouched = desk.run(&["evidence", "verify", "1.json"]).ends(1);
        assert!(unvouched.out.contains("altered after it was signed"), "{}", unvouched.out);
    }
}

#[test]
fn a_report_that_ssh_keygen_signed_is_accepted_whatever_protects_the_key() {
    let (desk, door) = (Desk::new(), Door::open());
    verify(&desk, "1.json", &door, &[&door], &[]);
    signed(&desk, "1.json");
    let ours = fs::read(desk.place("1.json.sig")).unwrap();
    fs::remove_file(desk.place("1.json.sig")).unwrap();
    desk.keygen(&["-Y", "sign", "-n", "portproof-evidence", "-f", "key", "1.json"], "").ends(0);
    assert_ne!(fs::read(desk.place("1.json.sig")).unwrap(), ours, "SHA-512 there, SHA-256 here");
    let check =
        ["evidence", "verify", "1.json", "--allowed-signers", "signers", "--identity", "audit@example.com"];
    desk.run(&check).ends(0);
    desk.keygen(&["-Y", "sign", "-n", "file", "-f", "key", "1.json"], "y\n").ends(0);
    assert!(desk.run(&check).ends(1).out.contains("for `file`, not for `portproof-evidence`"));

    desk.keygen(&["-q", "-p", "-N", "secret", "-f", "key"], "").ends(0);
    let refused = desk.run(&["evidence", "sign", "1.json", "--key", "key"]).ends(2);
    refused.complains(&["passphrase", "ssh-keygen -Y sign -n portproof-evidence -f key", "ssh-keygen -p"]);
    desk.keygen(&["-q", "-t", "ecdsa", "-N", "", "-f", "other"], "").ends(0);
    desk.run(&["evidence", "sign", "1.json", "--key", "nowhere"])
        .ends(2)
        .complains(&["no file nowhere", "ssh-keygen -t ed25519"]);
    desk.run(&["evidence", "sign", "1.json", "--key", "other"]).ends(2).complains(&["ssh-keygen -t ed25519"]);
    desk.run(&["evidence", "sign", "1.json", "--key", "key.pub"])
        .ends(2)
        .complains(&["key.pub: no private key in the format of OpenSSH\n", "not the .pub file"]);
}

#[test]
fn a_report_removed_from_the_chain_is_named_and_a_whole_chain_is_valid() {
    let (desk, declared, drift) = (Desk::new(), Door::open(), Door::open());
    let doors = [&declared, &drift];
    verify(&desk, "1.json", &declared, &doors[..1], &[]);
    verify(&desk, "2.json", &declared, &doors, &["--baseline", "1.json"]);
    verify(&desk, "3.json", &declared, &doors, &["--baseline", "2.json"]);
    for report in ["1.json", "2.json", "3.json"] {
        signed(&desk, report);
    }
    let whole = desk
        .run(&["evidence", "verify", "3.json", "1.json", "2.json", "--allowed-signers", "signers"])
        .ends(0);
    let names: Vec<&str> = whole.out.lines().map(|line| line.split_whitespace().nth(1).unwrap()).collect();
    assert_eq!(names, ["1.json", "2.json", "3.json", "3"], "in the order of the runs:\n{}", whole.out);
    assert!(whole.headline().contains("each following the one before it"), "{}", whole.out);

    let digest = portproof::report::json::sha256(&fs::read(desk.place("2.json")).unwrap());
    let gap = desk.run(&["evidence", "verify", "1.json", "3.json"]).ends(1);
    let missing = gap.out.lines().nth(1).unwrap();
    assert!(missing.starts_with("WRONG  3.json") && missing.contains(&digest), "{}", gap.out);
    assert!(missing.contains("missing between 1.json and this one"), "{}", gap.out);
    let later = desk.run(&["evidence", "verify", "2.json", "3.json"]).ends(0);
    assert!(later.out.contains("follows an earlier report that is not given"), "{}", later.out);
}

#[test]
fn totals_that_were_touched_are_found_without_a_signature() {
    let (desk, door) = (Desk::new(), Door::open());
    let report = verify(&desk, "1.json", &door, &[&door], &[]);
    let sound = desk.run(&["evidence", "verify", "1.json"]).ends(0);
    assert!(sound.headline().contains("not signed"), "{}", sound.out);
    for (path, words) in [
        ("/coverage/open", "endpoints planned, and the states make"),
        ("/summary/verdicts/pass", "the verdicts make"),
        ("/summary/findings/high", "findings of severity high"),
        ("/coverage/per_address/0/open", "planned at 127.0.0.1"),
        ("/targets/0/addresses/0/states/closed", "two counts of the states of 127.0.0.1"),
    ] {
        let mut touched = report.clone();
        *touched.pointer_mut(path).unwrap_or_else(|| panic!("{path}")) = u64::MAX.into();
        desk.file("touched.json", serde_json::to_vec(&touched).unwrap());
        let found = desk.run(&["evidence", "verify", "touched.json"]).ends(1);
        assert!(found.out.contains(words), "{path}: {}", found.out);
    }
}

type Forgery<'a> = &'a dyn Fn(&mut Value);

/// A report of one deviation.
fn deviating(desk: &Desk) -> Value {
    let (declared, drift) = (Door::open(), Door::open());
    verify(desk, "1.json", &declared, &[&declared, &drift], &[])
}

#[test]
fn a_report_that_was_made_to_conform_is_not_valid_and_no_format_repeats_it() {
    let desk = Desk::new();
    let report = deviating(&desk);
    let conforms = |report: &mut Value| {
        report["summary"]["result"] = "conforms".into();
        report["summary"]["exit_code"] = 0.into();
        let headline = report["summary"]["headline"].as_str().unwrap().replace("DEVIATES", "CONFORMS");
        report["summary"]["headline"] = headline.into();
    };
    let without_finding = |report: &mut Value| {
        report["findings"] = Value::Array(Vec::new());
        report["summary"]["findings"]["high"] = 0.into();
        let fails = report["summary"]["verdicts"]["fail"].take();
        report["summary"]["verdicts"]["fail"] = 0.into();
        let passes = report["summary"]["verdicts"]["pass"].as_u64().unwrap();
        report["summary"]["verdicts"]["pass"] = (passes + fails.as_u64().unwrap()).into();
    };
    let asked = |report: &mut Value, ports: &str| {
        let sets = report["coverage"]["port_sets"].as_object_mut().unwrap();
        sets.values_mut().for_each(|set| *set = ports.into());
    };
    let waive = |report: &mut Value| {
        without_finding(report);
        for seen in report["observations"].as_array_mut().unwrap() {
            if seen["verdict"] == "fail" {
                seen["verdict"] = "waived".into();
            }
        }
        let passes = report["summary"]["verdicts"]["pass"].as_u64().unwrap();
        report["summary"]["verdicts"]["pass"] = (passes - 1).into();
        report["summary"]["verdicts"]["waived"] = 1.into();
        conforms(report);
    };
    let forgeries: [(&str, Forgery<'_>); 14] = [
        ("the verdicts say otherwise", &conforms),
        ("endpoints judged fail, and 1 are listed", &|report| {
            without_finding(report);
            conforms(report);
        }),
        ("the headline says otherwise", &|report| {
            report["summary"]["headline"] = "CONFORMS  nothing unexpected, nothing missing".into();
        }),
        ("open at 127.0.0.1, and 0 are listed", &|report| report["observations"] = Value::Array(Vec::new())),
        ("belongs to no target", &|report| report["targets"] = Value::Array(Vec::new())),
        ("not among the exceptions", &|report| {
            report["findings"][0]["verdict"] = "waived".into();
            report["findings"][0]["exception"] = "EX-1".into();
        }),
        ("1 endpoints are waived, and nothing waives them", &|report| {
            waive(report);
            report["summary"]["waived"]["by_exception"] = 1.into();
        }),
        ("1 endpoints waived, and the reasons make 0", &waive),
        ("1 endpoints are waived, and nothing waives them", &|report| {
            waive(report);
            report["summary"].as_object_mut().unwrap().remove("waived");
        }),
        ("waived by -A EXP001, which the report does not hold", &|report| {
            report["observations"][0]["waived_by"] = "-A EXP001".into();
        }),
        ("EXP001 was not to be reported, and a finding of it stands", &|report| {
            report["run"]["selection"]["levels"] = serde_json::json!({"EXP001": "allow"});
        }),
        ("can't be read", &|report| asked(report, "99999-1")),
        ("planned at 127.0.0.1, and its targets have 1 ports", &|report| {
            asked(report, "1");
        }),
        ("the exit code is 0", &|report| {
            report["summary"]["verdicts"]["inconclusive"] = 1.into();
            report["summary"]["exit_code"] = 0.into();
        }),
    ];
    for (words, forge) in forgeries {
        let mut touched = report.clone();
        forge(&mut touched);
        desk.file("touched.json", serde_json::to_vec(&touched).unwrap());
        let found = desk.run(&["evidence", "verify", "touched.json"]).ends(1);
        assert!(found.out.contains(words), "{words}: {}", found.out);
        for format in ["markdown", "html", "sarif", "oscal", "ocsf", "nmap-xml", "junit", "ndjson"] {
            let shown = desk.run(&["render", "touched.json", "--report", &format!("{format}=-")]).ends(0);
            assert!(shown.out.contains("contradicts itself"), "{words}: {format}: {}", shown.out);
            assert!(
                !shown.out.contains("✅") && !shown.out.contains("<body class=\"is-conforms\""),
                "{format}"
            );
            shown.complains(&["contradicts itself"]);
        }
        let gauges = desk.run(&["render", "touched.json", "--report", "prometheus=-"]).ends(0);
        assert!(!gauges.out.contains("result=\"conforms\"} 1"), "{words}: {}", gauges.out);
        let lines = desk.run(&["render", "touched.json", "--report", "ndjson=-"]).ends(0);
        for line in lines.out.lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            assert_ne!(line["result"], "conforms", "{words}: {line}");
        }
    }
}

#[test]
fn numbers_that_no_run_has_are_no_reason_to_fall_over() {
    let desk = Desk::new();
    let report = deviating(&desk);
    for path in [
        "/coverage/open",
        "/coverage/unknown",
        "/coverage/planned",
        "/coverage/per_address/0/closed",
        "/coverage/per_address/0/planned",
        "/targets/0/addresses/0/states/filtered",
        "/summary/verdicts/waived",
        "/summary/waived/by_exception",
        "/summary/waived/not_reported",
        "/summary/waived/only_warned",
        "/coverage/determined",
        "/summary/findings/low",
    ] {
        let mut touched = report.clone();
        *touched.pointer_mut(path).unwrap_or_else(|| panic!("{path}")) = u64::MAX.into();
        if path.starts_with("/summary/waived") {
            // All of them at once: no two may be added up unawares.
            for by in ["by_exception", "not_reported", "only_warned"] {
                touched["summary"]["waived"][by] = u64::MAX.into();
            }
        }
        desk.file("touched.json", serde_json::to_vec(&touched).unwrap());
        for format in portproof::report::Format::ALL {
            desk.run(&["render", "touched.json", "--report", &format!("{format}=-")]).ends(0);
        }
        for pair in [["1.json", "touched.json"], ["touched.json", "1.json"]] {
            let told = desk.run(&[&["diff"], &pair[..]].concat());
            assert!([0, 1, 3].contains(&told.code), "{path}: {}", told.err);
        }
        desk.run(&["evidence", "verify", "touched.json"]).ends(1);
    }
}

#[test]
fn copies_are_no_chain_and_a_report_about_something_else_is_said_to_be() {
    let (desk, door) = (Desk::new(), Door::open());
    verify(&desk, "1.json", &door, &[&door], &[]);
    let copies = desk.run(&["evidence", "verify", "1.json", "1.json"]).ends(0);
    assert!(!copies.headline().contains("following"), "{}", copies.out);
    verify(&desk, "2.json", &door, &[&door], &["--baseline", "1.json", "--vantage", "office"]);
    let other = desk.run(&["evidence", "verify", "1.json", "2.json"]).ends(0);
    assert!(other.out.contains("from office, and 1.json is about"), "{}", other.out);
}

#[test]
fn what_can_not_be_checked_is_usage_and_what_is_no_report_is_not_valid() {
    let desk = Desk::new();
    desk.file("none.json", "{}");
    desk.file("bad", "audit@example.com");
    desk.run(&["evidence", "verify", "none.json"]).ends(1);
    desk.run(&["evidence", "sign", "none.json", "--key", "bad"])
        .ends(2)
        .complains(&["no report of portproof"]);
    desk.run(&["evidence", "verify"]).ends(2);
    desk.run(&["evidence", "verify", "nowhere.json"]).ends(2).complains(&["nowhere.json"]);
    desk.run(&["evidence", "verify", "none.json", "--identity", "me"]).ends(2);
    desk.run(&["evidence", "verify", "none.json", "none.json", "--signature", "x"]).ends(2);
    desk.run(&["evidence", "verify", "none.json", "--signature", "nowhere.sig"])
        .ends(2)
        .complains(&["nowhere.sig", "hint: name the file that `evidence sign` wrote"]);
    desk.run(&["evidence", "verify", "none.json", "--allowed-signers", "nowhere"])
        .ends(2)
        .complains(&["no file nowhere", "hint: name the file that says who may sign"]);
    desk.run(&["evidence", "verify", "none.json", "--allowed-signers", "bad"])
        .ends(2)
        .complains(&["line 1: no key"]);
}
