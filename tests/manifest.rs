//! The manifest reader from outside: what CONTRACT promises reads, inherits and is refused as it
//! says.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a test may panic
#![allow(clippy::disallowed_methods)] // two tests hold a stopwatch
#![allow(clippy::format_push_string, clippy::format_collect)] // plain to read

#[path = "support/names.rs"]
mod names;

use std::time::{Duration, Instant};

use names::{FewNames, Memory};
use portproof::{
    model::{Family, PortSet, Protocol, Severity},
    spec::{
        Diagnostics, Gravity, MANIFEST_SCHEMA, lint,
        manifest::{Host, Manifest, Presence, Unlisted},
        read,
    },
};
use proptest::prelude::*;

/// The example of the contract, word for word, with every rule of the manifest in it.
const FULL: &str = include_str!("corpus/manifest-full.yaml");
const SMALLEST: &str = "portproof: 1\ntargets: [{hosts: [www.example.com], expose: [80, 443]}]\n";

fn parse(text: &str) -> Result<Manifest, Diagnostics> {
    read("portproof.yaml", text, &FewNames, &Memory::default())
}

fn good(text: &str) -> Manifest {
    parse(text).unwrap_or_else(|wrong| panic!("{wrong}"))
}

fn messages(text: &str) -> Vec<String> {
    let wrong = parse(text).expect_err("it reads");
    wrong.iter().map(|one| one.message.clone()).collect()
}

/// One target with these lines in it.
fn target(lines: &str) -> String {
    format!(
        "portproof: 1\nservices: {{web: {{port: 443/tcp, service: https}}}}\ntargets:\n  - hosts: [a.example]\n{lines}"
    )
}

fn rules(manifest: &Manifest) -> Vec<&'static str> {
    manifest.lints.iter().map(|lint| lint.rule).collect()
}

#[test]
fn the_smallest_manifest_reads() {
    let manifest = good(SMALLEST);
    let target = &manifest.targets[0];
    assert_eq!(target.id, "www.example.com");
    assert_eq!(target.hosts[0].host, Host::Name("www.example.com".to_owned()));
    assert_eq!(target.named(Protocol::Tcp).to_string(), "80,443");
    assert_eq!(target.tcp, PortSet::all());
    assert_eq!(target.udp.to_string(), "53,123,161");
    assert_eq!(target.families, [Family::Ipv4, Family::Ipv6]);
    assert_eq!(target.unlisted, Unlisted::Deny);
    assert!(manifest.authorization.implied);
    assert_eq!(manifest.authorization.scope.entries.len(), 1);
    assert_eq!(target.expose[1].place.to_string(), "portproof.yaml:2:51");
    assert_eq!(
        rules(&manifest),
        ["MAN001", "MAN002", "MAN003", "MAN004", "MAN005", "MAN003", "MAN004", "MAN005"]
    );
    assert_eq!(manifest.sha256.len(), 64);
}

#[test]
fn json_reads_by_the_same_parser() {
    let json = r#"{"portproof": 1,
	"targets": [{"hosts": ["www.example.com"], "expose": [80, {"port": "443/tcp"}]}]}"#;
    assert_eq!(good(json).targets[0].named(Protocol::Tcp).to_string(), "80,443");
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_text() {
    let manifest = good(&format!("\u{feff}{SMALLEST}"));
    assert_eq!(manifest.targets[0].expose[0].place.column, 47);
}

#[test]
fn the_full_example_reads() {
    let manifest = good(FULL);
    assert_eq!(manifest.metadata.review_every, Some(Duration::from_hours(180 * 24)));
    assert_eq!(manifest.authorization.max_rate, Some(20_000));
    assert_eq!(manifest.authorization.scope.exclude.len(), 1);
    assert_eq!(manifest.vantages["internet"].blind[0].1.to_string(), "25");
    let www = &manifest.targets[0];
    let https = &www.expose[0];
    assert_eq!((https.ports.to_string().as_str(), https.service.as_deref()), ("443", Some("https")));
    assert_eq!(https.tls.as_ref().and_then(|tls| tls.min_days_left), Some(21));
    assert_eq!(https.owner.as_deref(), Some("platform team"));
    assert_eq!(https.ticket.as_deref(), Some("CHG-77"));
    assert_eq!(www.expose[1].presence, Presence::Optional);
    assert_eq!(www.expose[1].from, ["office"]);
    assert_eq!(www.deny[1].severity, Some(Severity::Critical));
    let spare = &manifest.targets[1];
    assert!(spare.expects_dark(&spare.hosts[0].host));
    assert_eq!(manifest.exceptions[0].port, Some((Protocol::Tcp, 8080)));
    assert_eq!(manifest.exceptions[0].rule, "EXP001");
    assert!(manifest.policy.in_force());
    assert_eq!(manifest.address_count(), 32);
    // 22/tcp of a web server is what the role warns of; it has neither approval nor review date.
    assert_eq!(rules(&manifest), ["MAN004", "MAN006"]);
}

#[test]
fn the_nearest_setting_wins() {
    let manifest = good(
        "portproof: 1
defaults: {owner: everybody, tcp: common, families: [ipv4], presence: optional, ticket: D-1}
services: {web: {port: 443, owner: web team, presence: required}}
targets:
  - {hosts: [a.example], owner: a team, tcp: [80, 8000-8010], expose: [{use: web, owner: me}, {use: web, port: 8443}, 22]}
  - {hosts: [b.example], unlisted: warn, expose: [53/udp]}
",
    );
    let [a, b] = manifest.targets.as_slice() else { panic!() };
    let owners: Vec<_> = a.expose.iter().map(|entry| entry.owner.as_deref().unwrap()).collect();
    assert_eq!(owners, ["me", "web team", "a team"]);
    assert_eq!(a.expose[1].ports.to_string(), "8443");
    assert_eq!(a.expose[1].presence, Presence::Required);
    assert_eq!(a.expose[2].presence, Presence::Optional);
    assert_eq!((a.tcp.to_string(), b.tcp.to_string()), ("80,8000-8010".to_owned(), "22,80,443".to_owned()));
    assert_eq!(b.expose[0].protocol, Protocol::Udp);
    assert_eq!(b.expose[0].families, [Family::Ipv4]);
    assert_eq!(b.expose[0].ticket.as_deref(), Some("D-1"));
    assert_eq!(b.unlisted, Unlisted::Warn);
}

#[test]
fn port_sets_have_names() {
    let manifest =
        good(&target("    tcp: common,https,8000-8001\n    udp: declared\n    expose: [161/udp]\n"));
    assert_eq!(manifest.targets[0].tcp.to_string(), "22,80,443,8000-8001");
    assert!(manifest.targets[0].udp.is_empty());
    assert_eq!(good(&target("    tcp: all\n    udp: none\n")).targets[0].tcp, PortSet::all());
    for (set, message) in [
        ("htpps", "neither a port"),
        ("0", "port 0"),
        ("80/tcp", "names a protocol"),
        ("70000", "neither a port"),
        ("9-3", "backwards"),
        ("\"\"", "empty"),
    ] {
        assert!(messages(&target(&format!("    tcp: {set}\n")))[0].contains(message), "{set}");
    }
}

#[test]
fn an_exclusion_is_not_evaded_by_another_spelling() {
    let text = |host: &str| {
        format!(
            "portproof: 1\nauthorization: {{scope: [203.0.113.0/24], exclude: [203.0.113.9]}}\ntargets: [{{hosts: [\"{host}\"], expose: []}}]\n"
        )
    };
    for host in ["203.0.113.9", "::ffff:203.0.113.9", "[::ffff:cb00:7109]", "203.0.113.9/32"] {
        assert!(messages(&text(host))[0].contains("excluded"), "{host}");
    }
    assert_eq!(rules(&good(&text("203.0.113.8/30"))), ["MAN002", "MAN011"]);
    let excluded = "portproof: 1\nauthorization: {scope: [203.0.113.0/24], exclude: [203.0.113.8/30, 203.0.113.8/32]}\ntargets: [{hosts: [203.0.113.9]}]\n";
    assert!(messages(excluded)[0].contains("excluded"));
}

#[test]
fn hosts_outside_the_scope_are_refused() {
    let text = |host: &str| {
        format!(
            "portproof: 1\nauthorization: {{scope: [203.0.113.0/25, \"*.example.com\"]}}\ntargets: [{{hosts: [{host}]}}]\n"
        )
    };
    good(&text("a.b.example.com"));
    good(&text("203.0.113.64/26"));
    assert!(
        messages(&text("203.0.113.0/24"))[0]
            .starts_with("part of 203.0.113.0/24 is outside `authorization.scope`: 203.0.113.128")
    );
    for host in ["203.0.113.128", "2001:db8::1"] {
        assert!(messages(&text(host))[0].contains("outside"), "{host}");
    }
    // Only without a block is a name outside for certain: its addresses may lie in one.
    let names = |host: &str| text(host).replace("203.0.113.0/25, ", "");
    for host in ["example.com", "www.example.org"] {
        assert!(messages(&names(host))[0].contains("outside"), "{host}");
        good(&text(host));
    }
}

#[test]
fn contradictions_are_refused() {
    assert!(
        messages(&target("    expose: [22]\n    deny: [20-30]\n"))[0]
            .contains("22/tcp is both exposed and denied")
    );
    assert!(
        messages(&target("    expose: [22, {port: 20-30, presence: optional}]\n"))[0]
            .contains("both required and optional")
    );
    good(&target("    expose: [{port: 22, from: [a]}, {port: 22, from: [b], presence: optional}]\n"));
    good(&target(
        "    expose: [{port: 22, families: [ipv4]}, {port: 22, families: [ipv6], presence: optional}]\n",
    ));
    good(&target("    expose: [22/tcp]\n    deny: [22/udp]\n"));
    let two = "portproof: 1\ntargets:\n  - {id: a, hosts: [x.example], expose: [22]}\n  - {id: b, hosts: [X.example.], deny: [1-1024]}\n";
    assert!(messages(two)[0].contains("22/tcp of x.example is denied here and required by target `a`"));
    let pooled = "portproof: 1\ntargets:\n  - {id: a, hosts: [x.example], expose: [22]}\n  - {id: b, hosts: [x.example], expose: [80]}\n";
    assert_eq!(good(pooled).targets.len(), 2);
    assert!(
        messages("portproof: 1\ntargets: [{hosts: [x.example]}, {hosts: [x.example]}]\n")[0]
            .contains("two targets are called")
    );
    assert!(rules(&good(&target("    expose: [22, 22]\n"))).contains(&"MAN008"));
}

#[test]
fn every_error_is_said_at_once() {
    let text = "portproof: 1\nmetdata: {}\ntargets:\n  - hosts: [a..b, '*.x.example']\n    expose: [0, 70000, ssh]\n    colour: red\n    owner: [me]\n";
    assert_eq!(messages(text).len(), 8);
}

#[test]
fn files_are_included_and_places_name_them() {
    let files = Memory::of(&[
        ("teams/a.yaml", "portproof: 1\ntargets:\n  - {id: a, hosts: [a.example], expose: [{use: web}]}\n"),
        ("teams/b.yaml", "targets: [{id: b, hosts: [{file: fleet.txt}]}]\nexceptions: []\n"),
        ("fleet.txt", "# ours\n203.0.113.1\n  db.example   # the old one\n\n"),
    ]);
    let text = "portproof: 1\ninclude: [teams/*.yaml, teams/a.yaml]\nservices: {web: {port: 443}}\n";
    let manifest = read("portproof.yaml", text, &FewNames, &files).unwrap_or_else(|wrong| panic!("{wrong}"));
    assert_eq!(manifest.targets.len(), 2);
    assert_eq!(manifest.targets[0].expose[0].place.to_string(), "teams/a.yaml:3:42");
    assert_eq!(manifest.targets[1].hosts[1].place.to_string(), "fleet.txt:3:3");

    let files = Memory::of(&[
        ("t.yaml", "defaults: {}\ntargets: [{id: b, hosts: [{file: fleet.txt}]}]\n"),
        ("fleet.txt", "ok.example\nbad_host!\n"),
    ]);
    let text = "portproof: 1\ninclude: [t.yaml, nothing/*.yaml]\ntargets: [{hosts: [{file: gone.txt}]}]\n";
    let wrong = read("portproof.yaml", text, &FewNames, &files).unwrap_err();
    let places: Vec<_> = wrong.iter().map(|one| one.place.to_string()).collect();
    assert_eq!(places, ["portproof.yaml:2:19", "portproof.yaml:3:21", "t.yaml:1:1", "fleet.txt:2:1"]);
}

#[test]
fn todo_counts_as_missing() {
    let manifest = good(&target(
        "    owner: 'TODO: who?'\n    expose: [{use: web, justification: todo, approved_by: me, approved_on: TODO, review_by: TODO}]\n",
    ));
    assert_eq!(rules(&manifest), ["MAN001", "MAN002", "MAN003", "MAN004", "MAN005"]);
}

#[test]
fn dated_lints_take_the_day_as_an_argument() {
    let manifest = good(FULL);
    let day = |text: &str| text.parse().unwrap();
    assert!(lint::dated(&manifest, day("2027-05-30")).is_empty());
    let soon = lint::dated(&manifest, day("2027-05-31"));
    assert_eq!(soon[0].rule, "MAN010");
    assert_eq!(soon[0].place.to_string(), "portproof.yaml:6:3");
    assert!(!manifest.authorization.expired_on(day("2027-06-30")));
    assert!(manifest.authorization.expired_on(day("2027-07-01")));
}

#[test]
fn lints_are_shown_in_their_lines() {
    let manifest = good(&target("    expose: [22]\n"));
    let shown =
        Diagnostics::of_lints(&manifest.lints, Gravity::Warning, |_| Some(target("    expose: [22]\n")))
            .render(false);
    assert!(shown.contains("warning[MAN003]: 22/tcp has no justification"), "{shown}");
    assert!(shown.contains("5 |     expose: [22]\n  |              ^^"), "{shown}");
}

#[test]
fn the_command_line_makes_a_manifest() {
    let hosts = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
    let manifest =
        Manifest::from_expect("80,443,53/udp", &hosts(&["www.example.com", "203.0.113.0/30"]), &FewNames)
            .unwrap();
    assert_eq!(manifest.targets[1].id, "203.0.113.0/30");
    assert_eq!(manifest.targets[0].named(Protocol::Tcp).to_string(), "80,443");
    assert_eq!(manifest.targets[0].named(Protocol::Udp).to_string(), "53");
    assert_eq!(manifest.targets[1].place.to_string(), "--expect:1:31");
    assert!(manifest.lints.is_empty() && manifest.path.is_none());
    let dark = Manifest::from_expect("none", &hosts(&["a.example"]), &FewNames).unwrap();
    assert!(dark.targets[0].expects_dark(&dark.targets[0].hosts[0].host));
    let wrong = Manifest::from_expect("80,htp", &hosts(&["a b", "*.example"]), &FewNames).unwrap_err();
    let places: Vec<_> = wrong.iter().map(|one| one.place.column).collect();
    assert_eq!(places, [1, 8, 12]);
    assert!(Manifest::from_expect("80", &[], &FewNames).is_err());
}

#[test]
fn giants_and_bombs_are_refused_before_they_unfold() {
    let giant = "# ".repeat(50 << 20);
    let wrong = parse(&giant).unwrap_err();
    assert!(wrong.iter().next().unwrap().message.contains("100 MiB"));
    assert!(wrong.iter().next().unwrap().help.as_ref().unwrap().contains("include"));

    let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for i in 1..12 {
        bomb += &format!("a{i}: &a{i} [{}]\n", vec![format!("*a{}", i - 1); 9].join(","));
    }
    let merges = (1..40).fold("m0: &m0 {x: 1}\n".to_owned(), |text, i| {
        text + &format!("m{i}: &m{i} {{<<: [*m{0}, *m{0}], k{i}: 1}}\n", i - 1)
    });
    let deep = "[".repeat(100_000);
    let block = (0..5_000).map(|i| format!("{}a:\n", " ".repeat(i % 4_000))).collect::<String>();
    let maps = "{a: ".repeat(100_000);
    let many = format!("[{}]", "a,".repeat(1_900_000));
    let keys = (0..300_000).map(|i| format!("k{i}: 1\n")).collect::<String>();
    let stairs = (0..2_000).map(|i| format!("s{i}: &s{i} [*s{}]\n", i.max(1) - 1)).collect::<String>();
    for (name, text) in [
        ("aliases", &bomb),
        ("merges", &merges),
        ("deep", &deep),
        ("block", &block),
        ("maps", &maps),
        ("many", &many),
        ("keys", &keys),
        ("stairs", &stairs),
    ] {
        let wrong = parse(text).expect_err(name);
        assert!(wrong.render(false).len() < 100_000, "{name}");
    }
}

/// Nothing in a manifest may cost the square of its size.
#[test]
fn long_lists_of_everything_stay_quick() {
    let started = Instant::now();
    let list = |n: usize, item: &dyn Fn(usize) -> String| (0..n).map(item).collect::<Vec<_>>().join(",");
    let odd = list(32_000, &|i| (2 * i + 1).to_string());
    let hosts = list(40_000, &|i| format!("10.{}.{}.0/25", i / 256, i % 256));
    let scope = list(40_000, &|i| format!("10.{}.{}.0/25,h{i}.example", i / 256, i % 256));
    let exclude = list(40_000, &|i| format!("10.{}.{}.1", i / 256, i % 256));
    let texts = [
        (
            "scope",
            format!(
                "authorization: {{scope: [{scope}], exclude: [{exclude}]}}\ntargets: [{{id: a, hosts: [{hosts}]}}]\n"
            ),
        ),
        (
            "names",
            format!(
                "authorization: {{scope: [{scope}]}}\ntargets: [{{id: a, hosts: [{}]}}]\n",
                list(40_000, &|i| format!("h{i}.example"))
            ),
        ),
        (
            "wrong names",
            format!(
                "authorization: {{scope: [{scope}]}}\ntargets: [{{id: a, hosts: [{}]}}]\n",
                list(40_000, &|i| format!("x{i}.example"))
            ),
        ),
        (
            "ids",
            format!(
                "targets: [{}]\n",
                list(30_000, &|i| format!("{{id: t{i}, hosts: [a.example], deny: [1]}}"))
            ),
        ),
        (
            "exceptions",
            format!(
                "targets: [{{hosts: [a.example]}}]\nexceptions: [{}]\n",
                list(20_000, &|i| format!(
                    "{{id: e{i}, reason: r, expires: 2026-01-01, match: {{target: a.exampl{i}, rule: EXP010}}}}"
                ))
            ),
        ),
        (
            "vantages",
            format!(
                "vantages: {{{}}}\ntargets: [{{hosts: [a.example], from: [{}]}}]\n",
                list(60_000, &|i| format!("v{i}: {{}}")),
                list(60_000, &|i| format!("v{i}"))
            ),
        ),
        (
            "odd ports",
            format!("targets: [{{hosts: [a.example], expose: [{}]}}]\n", list(15, &|_| format!("\"{odd}\""))),
        ),
        (
            "odd denies",
            format!(
                "targets: [{{id: a, hosts: [a.example], expose: [\"{odd}\"]}}, {{id: b, hosts: [a.example], deny: [{}]}}]\n",
                list(15, &|_| format!("\"{odd}\""))
            ),
        ),
        (
            "entries",
            format!(
                "targets: [{{hosts: [a.example], expose: [{}]}}]\n",
                list(4_096, &|_| "1-65535".to_owned())
            ),
        ),
        (
            "services",
            format!(
                "services: {{{}}}\ntargets: [{{hosts: [a.example], expose: [{}]}}]\n",
                list(10_000, &|i| format!("s{i}: {{port: 1}}")),
                list(1_500, &|i| format!("{{use: x{i}}}"))
            ),
        ),
        (
            "dns",
            format!(
                "targets: [{{hosts: [a.example], expect_dns: [{}]}}]\n",
                list(200_000, &|i| format!("10.{}.{}.{}", i / 65_536, i / 256 % 256, i % 256))
            ),
        ),
    ];
    for (name, text) in texts {
        let before = started.elapsed();
        let text = format!("portproof: 1\n{text}");
        assert!(text.len() < 4 << 20, "{name}");
        if let Err(wrong) = parse(&text) {
            assert!(wrong.render(false).len() < 100_000, "{name}");
        }
        let took = started.elapsed().saturating_sub(before);
        // No measure: it takes a fraction of a second, and in the square of its size minutes.
        assert!(took < Duration::from_secs(10), "{name} took {took:?}");
    }
}

#[test]
fn a_thousand_targets_are_read() {
    let mut text = "portproof: 1\nauthorization: {scope: [10.0.0.0/8]}\ntargets:\n".to_owned();
    for i in 0..1_000 {
        text += &format!(
            "  - id: t{i}\n    hosts: [10.0.{}.{}]\n    owner: x\n    expose:\n      - {{port: 443/tcp, justification: web, approved_by: sec, approved_on: 2026-01-01, review_by: 2027-01-01}}\n      - 80\n",
            i / 256,
            i % 256
        );
    }
    let manifest = good(&text);
    assert_eq!(manifest.targets.len(), 1_000);
    assert!(manifest.targets.iter().all(|target| target.expose.len() == 2));
}

#[test]
fn hostile_text_never_reaches_a_terminal() {
    let text = "portproof: 1\ntargets:\n  - hosts: [\"a\\e[31m.example\"]\n    id: \"x\\u202ey\"\n    \"ow\\u202ener\": 1\n    expose: ['\u{202e}443']\n";
    let wrong = parse(text).unwrap_err();
    let shown = wrong.render(false);
    assert!(shown.chars().all(|c| !c.is_control() || c == '\n') && !shown.contains('\u{202e}'), "{shown}");
    let manifest =
        good("portproof: 1\ntargets: [{hosts: [a.example], id: \"x\\u202ey\", owner: \"a\\nb\\x07\"}]\n");
    assert_eq!(manifest.targets[0].id, "x\\u{202e}y");
    assert_eq!(manifest.targets[0].owner.as_deref(), Some("a b\\u{7}"));
}

#[test]
fn colour_is_asked_for() {
    let wrong = parse("portproof: 2\n").unwrap_err();
    assert!(!wrong.render(false).contains('\u{1b}') && wrong.render(true).contains("\u{1b}["));
    assert_eq!(wrong.to_string(), wrong.render(false));
}

/// Where the schema can express it, it agrees with the reader.
#[test]
fn schema_and_reader_agree() {
    let schema = serde_json::from_str(MANIFEST_SCHEMA).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let in_target =
        |entry: &str| format!(r#"{{"portproof": 1, "targets": [{{"hosts": ["a.example"], {entry}}}]}}"#);
    let valid = [
        r#"{"portproof": 1, "targets": [{"hosts": ["www.example.com"], "expose": [80, 443]}]}"#.to_owned(),
        in_target(
            r#""expose": ["22/tcp", "8000-8010", {"port": "53/udp", "owner": "me", "review_by": "2026-01-01"}]"#,
        ),
        in_target(
            r#""tcp": "common", "udp": [53, "123"], "families": ["ipv6"], "unlisted": "warn", "rate": 5"#,
        ),
        in_target(
            r#""expose": [{"port": 443, "tls": {"profile": "modern", "min_days_left": 7, "names": ["x"]}, "approved_on": "TODO: ask"}]"#,
        ),
        in_target(
            r#""deny": [23, {"port": "3306/tcp", "severity": "low"}], "ticket": 77, "expect_dark": true"#,
        ),
    ];
    let invalid = [
        "{}".to_owned(),
        r#"{"portproof": 2, "targets": []}"#.to_owned(),
        r#"{"portproof": 1}"#.to_owned(),
        r#"{"portproof": 1, "targets": [{"expose": [80]}]}"#.to_owned(),
        r#"{"portproof": 1, "targets": [{"hosts": []}]}"#.to_owned(),
        r#"{"portproof": 1, "targets": [{"hosts": ["*.example.com"]}]}"#.to_owned(),
        r#"{"portproof": 1, "targets": [{"hosts": ["a"]}], "exceptions": [{"id": "x", "reason": "y", "match": {"target": "a", "rule": "EXP010"}}]}"#.to_owned(),
        r#"{"portproof": 1, "authorization": {"scope": []}, "targets": [{"hosts": ["a"]}]}"#.to_owned(),
        in_target(r#""expose": [0]"#),
        in_target(r#""expose": [70000]"#),
        in_target(r#""expose": ["https"]"#),
        in_target(r#""expose": ["-443"]"#),
        in_target(r#""expose": [-443]"#),
        in_target(r#""expose": ["443-/tcp"]"#),
        in_target(r#""expose": [{"owner": "me"}]"#),
        in_target(r#""expose": 443"#),
        in_target(r#""owner": null"#),
        in_target(r#""owner": ["a"]"#),
        in_target(r#""owner": """#),
        in_target(r#""expse": [443]"#),
        in_target(r#""families": ["ip4"]"#),
        in_target(r#""families": []"#),
        in_target(r#""expose": [{"port": 443, "review_by": "tomorrow"}]"#),
        in_target(r#""expose": [{"port": 443, "tls": {"profile": "new"}}]"#),
        in_target(r#""rate": 0"#),
        in_target(r#""expect_dark": "yes""#),
    ];
    for (texts, expected) in [(valid.as_slice(), true), (invalid.as_slice(), false)] {
        for text in texts {
            let value = serde_json::from_str(text).unwrap();
            assert_eq!(parse(text).is_ok(), expected, "reader: {text}");
            assert_eq!(schema.is_valid(&value), expected, "schema: {text}");
        }
    }
}

/// Puts something impossible under every key that the schema knows: a key that the reader does not
/// look at would let it pass.
#[test]
fn every_published_key_is_read() {
    let schema: serde_json::Value = serde_json::from_str(MANIFEST_SCHEMA).unwrap();
    let base = serde_json::json!({
        "portproof": 1,
        "metadata": {"review": {}},
        "authorization": {"scope": ["a.example", "b.example"]},
        "vantages": {"v": {}},
        "defaults": {},
        "services": {"s": {"port": 443}},
        "targets": [{"id": "t", "hosts": ["a.example", {"file": "f"}], "expose": [{"use": "s", "port": 80, "tls": {}}], "deny": [{"port": 22}]}],
        "policy": {},
        "exceptions": [{"id": "e", "match": {"target": "t", "rule": "EXP001", "port": 8080}, "reason": "r", "expires": "2026-01-01"}],
        "include": ["part"],
    });
    let places = [
        ("", ""),
        ("metadata", "/metadata"),
        ("review", "/metadata/review"),
        ("authorization", "/authorization"),
        ("vantage", "/vantages/v"),
        ("defaults", "/defaults"),
        ("service", "/services/s"),
        ("target", "/targets/0"),
        ("hosts_file", "/targets/0/hosts/1"),
        ("expose", "/targets/0/expose/0"),
        ("tls", "/targets/0/expose/0/tls"),
        ("deny", "/targets/0/deny/0"),
        ("policy", "/policy"),
        ("exception", "/exceptions/0"),
        ("match", "/exceptions/0/match"),
        ("included", ""),
    ];
    let check = |main: &serde_json::Value, part: &serde_json::Value| {
        let files = Memory::of(&[("f", "b.example"), ("part", &part.to_string())]);
        read("portproof.yaml", &main.to_string(), &FewNames, &files)
    };
    let part = serde_json::json!({"portproof": 1});
    check(&base, &part).unwrap_or_else(|wrong| panic!("{wrong}"));
    let mut checked = 0;
    for (definition, place) in places {
        let map = if definition.is_empty() { &schema } else { &schema["$defs"][definition] };
        for key in map["properties"].as_object().unwrap().keys() {
            let (mut main, mut part) = (base.clone(), part.clone());
            let changed = if definition == "included" { &mut part } else { &mut main };
            changed.pointer_mut(place).unwrap()[key] = serde_json::json!({"?": 1});
            let wrong = check(&main, &part).err().unwrap_or_else(|| panic!("{definition}.{key} is not read"));
            assert!(
                wrong.iter().all(|one| !one.message.contains(&format!("unknown key `{key}`"))),
                "{wrong}"
            );
            checked += 1;
        }
    }
    let published =
        schema["$defs"].as_object().unwrap().values().filter(|one| one.get("properties").is_some()).count();
    assert_eq!(published + 1, places.len(), "a definition is not checked here");
    assert!(checked > 130, "{checked}");
}

#[test]
fn the_schema_has_texts_for_an_editor() {
    fn walk(name: &str, value: &serde_json::Value) {
        if let Some(properties) = value["properties"].as_object() {
            for (key, property) in properties {
                let told = property.get("description").is_some() || property.get("$ref").is_some();
                assert!(told, "{name}.{key} has no description");
            }
        }
    }
    let schema: serde_json::Value = serde_json::from_str(MANIFEST_SCHEMA).unwrap();
    walk("manifest", &schema);
    for (name, definition) in schema["$defs"].as_object().unwrap() {
        walk(name, definition);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_reads_or_is_refused(text in "\\PC{0,200}") {
        if let Err(wrong) = parse(&text) {
            prop_assert!(!wrong.is_empty() && !wrong.render(true).is_empty());
        }
    }

    #[test]
    fn any_yaml_like_text_reads_or_is_refused(text in "[a-c:\\-\\[\\]{},&*|>'\"\\\\!%#?~<\\n 0-9./]{0,120}") {
        if let Err(wrong) = parse(&text) {
            prop_assert!(!wrong.render(false).is_empty());
        }
    }

    /// One cut, one foreign piece, or one line moved in a valid manifest.
    #[test]
    fn a_damaged_manifest_reads_or_is_refused(
        at in 0usize..4_000, cut in 0usize..40, piece in prop::sample::select(vec![
            "", "\n", " ", "- ", ": ", "[", "]", "{", "}", "*", "&a", "0", "~", "TODO", "\t", "\"", "'", "é", "\u{202e}", "1e999", ".nan",
            "!!binary ", "<<: ", "---\n", "65536", "-1", "/", "::", "::ffff:0:0/96", "2026-02-30",
        ])
    ) {
        let chars: Vec<char> = FULL.chars().collect();
        let at = at % chars.len();
        let end = (at + cut).min(chars.len());
        let text: String = chars[..at].iter().copied().chain(piece.chars()).chain(chars[end..].iter().copied()).collect();
        match parse(&text) {
            Ok(manifest) => prop_assert!(!manifest.targets.is_empty()),
            Err(wrong) => {
                prop_assert!(!wrong.is_empty());
                for one in wrong.iter() {
                    prop_assert!(one.place.line >= 1 && one.place.column >= 1);
                    prop_assert!(one.span.end <= text.len() && one.span.start <= one.span.end, "{:?}", one);
                }
                let shown = wrong.render(false).contains('\u{202e}');
                prop_assert!(!shown);
            }
        }
    }
}

#[test]
fn what_no_host_can_have_is_refused_at_its_place() {
    let doc = |rest: &str| format!("portproof: 1\ntargets:\n  - {{{rest}}}\n");
    for (rest, says) in [
        ("hosts: [192.0.2.1], families: [ipv6], expose: [443]", "leaves IPv4 out"),
        ("hosts: [192.0.2.0/24], families: [ipv6], expose: [443]", "leaves IPv4 out"),
        ("hosts: ['2001:db8::1'], families: [ipv4], expose: [443]", "leaves IPv6 out"),
        ("hosts: [192.0.2.1], expose: [{port: 443, families: [ipv6]}]", "no host of the target can have"),
        (
            "hosts: [a.example], families: [ipv4], expose: [{port: 443, families: [ipv6]}]",
            "no host of the target",
        ),
    ] {
        let said = messages(&doc(rest));
        assert!(
            said.iter().any(|message| message.to_lowercase().contains(&says.to_lowercase())),
            "{rest}: {said:?}"
        );
    }
    for fine in [
        "hosts: [a.example], expose: [{port: 443, families: [ipv6]}]",
        "hosts: [192.0.2.1, '2001:db8::1'], expose: [{port: 443, families: [ipv6]}]",
        "hosts: [192.0.2.1], families: [ipv4], expose: [443]",
    ] {
        good(&doc(fine));
    }
}

#[test]
fn a_name_may_lead_into_a_block_of_the_scope() {
    let doc = |scope: &str| {
        format!(
            "portproof: 1\nauthorization: {{reference: R, authorized_by: us, valid_until: 9999-12-31, scope: {scope}}}\ntargets: [{{hosts: [www.example.com], expose: [443]}}]\n"
        )
    };
    good(&doc("[203.0.113.0/24]"));
    assert!(messages(&doc("[other.example.com]"))[0].contains("outside `authorization.scope`"));
}

const UNDER: &str = "portproof: 1
authorization: {reference: R-1, scope: [a.example]}
targets: [{hosts: [a.example], owner: me, expose: [{port: 443, justification: web, approved_by: board, approved_on: 2026-05-01, review_by: 2027-03-01}]}]
policy: ";

#[test]
fn a_policy_is_named_or_several_and_the_strictest_limit_holds() {
    let profiles = portproof::spec::profile::Profiles::builtin().unwrap();
    let policy = |text: &str| {
        let text = format!("{UNDER}{text}");
        read("portproof.yaml", &text, &profiles, &Memory::default()).map(|manifest| manifest.policy)
    };
    let one = policy("{use: pci-dss-4.0.1}").unwrap();
    assert_eq!((one.names().as_deref(), one.max_exception_days), (Some("pci-dss-4.0.1"), Some(180)));
    assert!(one.four_eyes && one.in_force());
    assert_eq!(one.max_age.map(|age| age.as_secs() / 86_400), Some(90));
    let tighter = policy("{use: pci-dss-4.0.1, max_exception_days: 30, max_age: 7d}").unwrap();
    assert_eq!(
        (tighter.max_exception_days, tighter.max_age.map(|age| age.as_secs())),
        (Some(30), Some(604_800))
    );
    let looser =
        policy("{use: pci-dss-4.0.1, max_exception_days: 900, four_eyes: false, max_age: 900d}").unwrap();
    assert_eq!(looser.max_exception_days, Some(180));
    assert!(looser.four_eyes && looser.max_age == one.max_age);
    let both =
        policy("{use: [iso-27001-2022, cis-controls-8.1, iso-27001-2022], require: [ticket]}").unwrap();
    assert_eq!(both.names().as_deref(), Some("iso-27001-2022, cis-controls-8.1"));
    assert_eq!(both.require, ["ticket", "owner", "justification", "approved_by"]);
    assert_eq!(both.max_age.map(|age| age.as_secs() / 86_400), Some(31));
    assert_eq!(one.max_review_days, Some(184));
    let strict = policy("{use: [pci-dss-4.0.1, dora-rts-2024-1774], max_review_days: 300}").unwrap();
    assert_eq!(strict.max_review_days, Some(180));
    let own = policy("{use: pci-dss-4.0.1, max_review_days: 90}").unwrap();
    assert_eq!(own.max_review_days, Some(90));
    let own = policy("{max_exception_days: 30}").unwrap();
    assert!(own.in_force() && own.uses.is_empty() && own.names().is_none());
}

#[test]
fn reviews_that_are_further_apart_than_the_policy_allows_are_remarked() {
    let day = |text: &str| text.parse::<jiff::civil::Date>().unwrap();
    let remarks = |review: &str, dates: &str, at: &str| -> Vec<String> {
        let text = format!(
            "portproof: 1\nmetadata: {{name: m{review}}}\nauthorization: {{scope: [a.example]}}\n\
             targets: [{{hosts: [a.example], expose: [{{port: 443{dates}}}]}}]\npolicy: {{max_review_days: 184}}\n"
        );
        let dated = lint::dated(&good(&text), day(at));
        dated.iter().map(|lint| format!("{} {} {}", lint.rule, lint.place, lint.message)).collect()
    };
    let review = |last: &str, every: &str| format!(", review: {{last: {last}, every: {every}}}");
    let none: [String; 0] = [];
    // 1 March to 1 September: six months are 184 days.
    let entry = |by: &str| format!(", approved_on: 2026-03-01, review_by: {by}");
    assert_eq!(remarks("", &entry("2026-09-01"), "2026-03-01"), none);
    assert_eq!(
        remarks("", &entry("2026-09-02"), "2026-08-01"),
        [
            "MAN018 portproof.yaml:4:41 443/tcp is to be reviewed by 2026-09-02, and the policy asks for a review \
          within 184 days of 2026-03-01, when it was last looked at"
        ]
    );
    assert!(
        remarks("", ", review_by: 2099-01-01", "2026-08-01")[0].contains("within 184 days of 2026-08-01")
    );
    // An approval that is still to come shows no look.
    assert_eq!(remarks("", ", approved_on: 2098-12-01, review_by: 2099-01-01", "2026-08-01").len(), 1);
    // A review of the manifest is one of each entry.
    assert_eq!(remarks(&review("2026-07-01", "184d"), &entry("2099-01-01"), "2026-08-01"), none);
    let seldom = remarks(&review("2026-07-01", "700d"), &entry("2026-12-01"), "2026-08-01");
    assert_eq!(
        seldom,
        [
            "MAN018 portproof.yaml:2:21 the manifest is reviewed every 700 days, and the policy asks for a review every 184"
        ]
    );
    assert_eq!(remarks(&review("2026-07-01", "700d"), &entry("2099-01-01"), "2026-08-01").len(), 2);
    assert_eq!(remarks(", review: {every: 700d}", "", "2026-08-01").len(), 1);
    let free = good(&target("    expose: [{port: 22, review_by: 2099-01-01}]\n"));
    assert!(lint::dated(&free, day("2026-08-01")).is_empty(), "without a policy nobody asks");
}

#[test]
fn a_policy_that_nobody_knows_is_an_error_with_the_nearest_name() {
    let profiles = portproof::spec::profile::Profiles::builtin().unwrap();
    for (text, expected) in [
        ("{use: pci-dss-4.0}", "did you mean `pci-dss-4.0.1`?"),
        ("{use: [nist-sp-800-53-r5, soc2-2018]}", "did you mean `soc2-2017`?"),
        ("{use: hipaa}", "`portproof profiles` lists the policies"),
        ("{use: {name: x}}", "`use` is a text"),
        ("{max_age: often}", "not a span of time"),
    ] {
        let wrong = read("portproof.yaml", &format!("{UNDER}{text}"), &profiles, &Memory::default());
        let wrong = wrong.err().unwrap_or_else(|| panic!("{text}")).to_string();
        assert!(wrong.contains(expected), "{wrong}");
    }
}
