//! The exit codes, one meaning each (README). A code that a pipeline reads wrongly lets an exposure pass.

use crate::{
    desk::Desk,
    doors::{Door, Ear, Wall},
};

const HOST: &str = "127.0.0.1";

/// A manifest over loopback that asks only the declared ports and these.
fn manifest(tcp: &[u16], target: &str) -> String {
    let tcp: Vec<String> = tcp.iter().map(ToString::to_string).collect();
    format!(
        "portproof: 1\ntargets:\n  - {{id: here, hosts: [{HOST}], tcp: \"{}\", udp: none, {target}}}\n",
        tcp.join(",")
    )
}

#[test]
fn what_is_as_declared_ends_with_0() {
    let (desk, door, wall) = (Desk::new(), Door::open(), Wall::new());
    let run = desk
        .verify_text(&manifest(&[door.port, wall.port], &format!("expose: [{}]", door.port)), &[])
        .ends(0);
    assert_eq!(run.result(), "conforms");
    assert_eq!(run.report()["coverage"]["open"], 1);
    assert_eq!(run.report()["coverage"]["closed"], 1);
    assert!(run.headline().starts_with("CONFORMS"), "{}", run.headline());
    assert!(door.visits() > 0);
}

#[test]
fn a_failing_finding_at_or_above_the_bar_ends_with_1_and_below_it_with_0() {
    let (desk, door) = (Desk::new(), Door::open());
    desk.file("portproof.yaml", manifest(&[door.port], "expose: []"));
    for (bar, code) in [("low", 1), ("medium", 1), ("high", 1), ("critical", 0), ("never", 0)] {
        let run = desk.verify(&["--fail-on", bar]).ends(code);
        assert_eq!(run.result(), "deviates", "--fail-on {bar} does not touch the result");
        assert_eq!(run.complaints(), [format!("EXP001 fail {}", door.port)]);
        assert!(run.headline().starts_with("DEVIATES  1 wrong"), "{}", run.headline());
    }
}

#[test]
fn each_way_to_be_wrong_ends_with_1() {
    let (desk, door, wall) = (Desk::new(), Door::open(), Wall::new());
    for (target, finding) in [
        (format!("expose: [{}]", wall.port), format!("EXP003 fail {}", wall.port)),
        (format!("expose: [], deny: [{}]", door.port), format!("EXP002 fail {}", door.port)),
    ] {
        let asked = if target.contains("deny") { door.port } else { wall.port };
        let run = desk.verify_text(&manifest(&[asked], &target), &[]).ends(1);
        assert_eq!(run.complaints(), [finding]);
    }
}

#[test]
fn doubt_ends_with_3() {
    let (desk, door, mute) = (Desk::new(), Door::open(), Ear::mute());
    let port = door.port;
    for (target, rule) in [
        (format!("expose: [{port}, {}/udp]", mute.port), "EXP003 inconclusive"),
        (format!("expose: [{{port: {port}/tcp, service: ssh}}]"), "EXP012 inconclusive"),
        (format!("expose: [{{port: {port}/tcp, tls: {{profile: intermediate}}}}]"), "EXP012 inconclusive"),
    ] {
        let run =
            desk.verify_text(&manifest(&[], &target).replace("tcp: \"\"", "tcp: declared"), &[]).ends(3);
        assert_eq!(run.result(), "inconclusive");
        assert!(run.findings().iter().any(|finding| finding.starts_with(rule)), "{:?}", run.findings());
        assert!(run.headline().starts_with("INCONCLUSIVE  1 unsure"), "{}", run.headline());
    }
    let blind = "portproof: 1\nvantage: here\nvantages: {here: {blind: [53/udp]}}\n";
    let text = manifest(&[port], &format!("expose: [{port}, 53/udp]")).replace("portproof: 1\n", blind);
    let run = desk.verify_text(&text, &[]).ends(3);
    assert_eq!(run.complaints(), ["EXP012 not_covered"]);
    assert_eq!(run.report()["summary"]["verdicts"]["not_covered"], 1);
}

#[test]
fn wrong_outranks_unsure_and_unsure_outlives_fail_on_never() {
    let (desk, door, mute) = (Desk::new(), Door::open(), Ear::mute());
    desk.file("portproof.yaml", manifest(&[door.port], &format!("expose: [{}/udp]", mute.port)));
    let run = desk.verify(&[]).ends(1);
    assert_eq!(run.result(), "deviates");
    assert!(run.headline().starts_with("DEVIATES  1 wrong, 1 unsure"), "{}", run.headline());
    let run = desk.verify(&["--fail-on", "never"]).ends(3);
    assert_eq!(run.result(), "deviates");
    desk.verify(&["--fail-on", "critical"]).ends(3);
}

/// What can't be used ends with 2, says what and what to do, and nothing is sent.
#[test]
fn a_command_line_that_cannot_be_used_ends_with_2_and_sends_nothing() {
    let (desk, door) = (Desk::new(), Door::open());
    let port = door.port.to_string();
    let expect = ["--expect", port.as_str(), "--tcp", port.as_str(), HOST];
    for (flags, said) in [
        (&["--report", "pdf"][..], &["`pdf` is no report format", "json=PATH"][..]),
        (&["--report", "json="], &["names no file"]),
        (&["--report", "jsno=x"], &["`jsno` is no report format", "did you mean json?"]),
        (&["--report", "json=-", "--report", "html=-"], &["only one report"]),
        (&["-A", "EXP999"], &["-A EXP999: no such rule", "portproof explain"]),
        (&["-D", "nonsense"], &["-D nonsense: no such rule"]),
        (&["--fail-on", "severe"], &["no such severity", "never, low, medium, high or critical"]),
        (&["--tcp", "0"], &["port 0", "1-65535"]),
        (&["--tcp", "70000"], &["70000", "1-65535"]),
        (&["--tcp", "20-10"], &["runs backwards", "10-20"]),
        (&["--tcp", "80,"], &["--tcp 80,"]),
        (&["--udp", "0"], &["port 0"]),
        (&["--scan", "connect", "--timeout", "1s"], &["second SYN", "1500ms"]),
        (&["--timeout", "soon"], &["--timeout soon"]),
        (&["--deadline", "5"], &["not a span of time"]),
        (&["--deadline", "0s"], &["no time at all"]),
        (&["--rate", "0"], &["above 0"]),
        (&["--rate", "-5"], &["-5"]),
        (&["--max-attempts", "0"], &["--max-attempts"]),
        (&["--at", "2026-02-30"], &["there is no day", "YYYY-MM-DD"]),
        (&["--at", "yesterday"], &["not a day"]),
        (&["--deadline", "99999999999999999999s"], &["is too large; a span of time is at most"]),
        (&["--only", "there"], &["--only there matches no target of the manifest", "there are 127.0.0.1"]),
        (&["--only", "127.0.0.2"], &["did you mean `127.0.0.1`?"]),
        (&["--exclude", "300.1.1.1"], &["--exclude 300.1.1.1"]),
        (&["--families", "ipv5"], &["ipv5", "ipv4"]),
        (&["--resolver", "somewhere"], &["--resolver somewhere is no address"]),
        (&["--hosts", "x"], &["ID=@FILE"]),
        (&["--hosts", "there=@nothing"], &["nothing"]),
        (&["--profile-dir", "nowhere"], &["nowhere holds no profile"]),
        (&["--no-such-flag"], &["--no-such-flag"]),
        (&["--seed", "x"], &["--seed"]),
    ] {
        // A flag given twice would be clap's own complaint, so `--tcp` stands only once.
        let rest = if flags[0] == "--tcp" { vec!["--expect", &port, HOST] } else { expect.to_vec() };
        let run = desk.run(&[&["verify"], flags, &rest].concat()).ends(2).complains(said);
        assert_eq!(run.out, "", "{flags:?} puts no talk on standard output");
    }
    assert_eq!(door.visits(), 0);
}

#[test]
fn hosts_and_expectations_that_cannot_be_meant_end_with_2() {
    let (desk, door) = (Desk::new(), Door::open());
    let port = door.port.to_string();
    for (args, said) in [
        (&["--expect", &port][..], &["no host to verify"][..]),
        (&["--expect", "0", HOST], &["port 0"]),
        (&["--expect", "", HOST], &["empty port list"]),
        (&["--expect", &port, "http://127.0.0.1/"], &["is a URL", "host alone"]),
        (&["--expect", &port, "127.0.0.1:80"], &["a host and a port"]),
        (&["--expect", &port, "127.0.0.1-5"], &["ranges of addresses", "CIDR"]),
        (&["--expect", &port, "*.example.com"], &["wildcard"]),
        (&["--expect", &port, "127.0.0.1/33"], &["127.0.0.1/33"]),
        (&["--expect", &port, "127.0.0.1/8"], &["127.0.0.0/8"]),
        (&["--expect", "nosuchservice", HOST], &["nosuchservice"]),
        (&[HOST], &["--expect"]),
        (&[HOST, "127.0.0.2"], &["one manifest at a time", "--expect PORTS HOST"]),
    ] {
        desk.verify(args).ends(2).complains(said);
    }
    assert_eq!(door.visits(), 0);
}

#[test]
fn a_manifest_that_cannot_be_used_ends_with_2_names_its_line_and_sends_nothing() {
    let (desk, door) = (Desk::new(), Door::open());
    let port = door.port;
    let head = "portproof: 1\n";
    let target = format!("targets:\n  - {{hosts: [{HOST}], tcp: declared, udp: none, expose: [{port}]}}\n");
    let scoped = |lines: &str| format!("{head}authorization:\n{lines}{target}");
    for (text, said) in [
        (String::new(), &["empty", "smallest manifest"][..]),
        (" \n\n# only talk\n".to_owned(), &["empty"]),
        ("targets\n".to_owned(), &["portproof.yaml:1"]),
        ("- portproof: 1\n".to_owned(), &["portproof.yaml:1"]),
        (target.clone(), &["portproof: 1"]),
        (format!("portproof: 2\n{target}"), &["2"]),
        (head.to_owned(), &["targets"]),
        (format!("{head}targets: []\n"), &["targets"]),
        (format!("{head}{}", target.replace("expose", "expos")), &["expos", "`expose`", "portproof.yaml:3"]),
        (format!("{head}{}", target.replace("  - {", "\t- {")), &["tabs", "spaces", "portproof.yaml:3"]),
        (
            format!("{head}{}", target.replace("]}", &format!("], deny: [{port}]}}"))),
            &["portproof.yaml:3", "both"],
        ),
        (scoped("  scope: [203.0.113.0/24]\n"), &["127.0.0.1", "scope", "portproof.yaml:5"]),
        (scoped("  scope: [127.0.0.1]\n  valid_until: 2020-01-01\n"), &["ended on 2020-01-01", "renewed"]),
        (format!("{head}{}", target.replace(&format!("[{port}]"), "[0]")), &["port 0"]),
        (
            format!("{head}{}{}", target, &target["targets:\n".len()..]),
            &["two targets are called", "its own `id`"],
        ),
    ] {
        let run = desk.verify_text(&text, &[]).ends(2).complains(said);
        assert!(run.err.contains("portproof.yaml") || run.err.contains("authorization"), "{}", run.err);
        assert!(run.report.is_none());
    }
    assert_eq!(door.visits(), 0);
}

#[test]
fn an_authorization_that_has_ended_cannot_be_talked_round_by_a_day_in_the_past() {
    let (desk, door) = (Desk::new(), Door::open());
    let text = format!(
        "portproof: 1\nauthorization: {{scope: [{HOST}], valid_until: 2020-01-01}}\n\
         targets: [{{hosts: [{HOST}], tcp: declared, udp: none, expose: [{}]}}]\n",
        door.port
    );
    desk.file("portproof.yaml", text);
    for args in [
        &["verify", "--at", "2019-06-01"][..],
        &["plan", "--at", "2019-06-01"],
        &["lint", "--at", "2019-06-01"],
    ] {
        desk.run(args).ends(2).complains(&["ended on 2020-01-01"]);
    }
    assert_eq!(door.visits(), 0);
}

#[test]
fn what_this_machine_lacks_ends_with_4_before_the_first_probe() {
    let (desk, door) = (Desk::new(), Door::open());
    let port = door.port.to_string();
    std::fs::create_dir(desk.place("folder")).unwrap();
    desk.file("plain", "");
    let resolver = format!("127.0.0.1:{}", Wall::new().port);
    for (flags, said) in [
        (&["--report", "html=folder"][..], &["folder is a directory", "name a file"][..]),
        (&["--report", "html=nowhere/report.html"], &["can't write nowhere/report.html", "mkdir -p nowhere"]),
        (&["--report", "html=plain/report.html"], &["can't write plain/report.html", "plain is no folder"]),
        (&["--interface", "nosuch0"], &["no interface `nosuch0`", "ip link"]),
        (&["--source-address", "203.0.113.77"], &["not an address of this machine", "ip addr"]),
        (&["--resolver", &resolver, "www.example.com"], &["no name server answered", "--resolver"]),
    ] {
        let run = desk.verify(&[flags, &["--expect", &port, "--tcp", &port, HOST]].concat());
        assert_eq!(run.ends(4).complains(said).out, "");
    }
    // As root, without what root may; anybody else may not anyway.
    let bare = ["--bounding-set=-net_raw", "--inh-caps=-net_raw", env!("CARGO_BIN_EXE_portproof")];
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:")).unwrap().trim();
    let is_root = u64::from_str_radix(effective, 16).unwrap() >> 13 & 1 == 1; // CAP_NET_RAW
    let (program, wrap) = if is_root { ("setpriv", &bare[..]) } else { (bare[2], &[][..]) };
    let ask = |how: &str| {
        let args = ["verify", "--scan", how, "--expect", &port, "--tcp", &port, HOST];
        std::process::Command::new(program).args(wrap).args(args).current_dir(desk.path()).output().unwrap()
    };
    let refused = ask("syn");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(4), "{said}");
    assert!(said.contains("CAP_NET_RAW") && said.contains("--scan connect"), "{said}");
    assert_eq!(door.visits(), 0);
    assert_eq!(ask("auto").status.code(), Some(0), "auto falls back to connect");
}
