//! What the built-in profiles must hold, and how files are laid over them.

use super::*;

fn builtin() -> Profiles {
    Profiles::builtin().unwrap()
}

const PROTOCOLS: [Protocol; 2] = [Protocol::Tcp, Protocol::Udp];

#[test]
fn the_sixteen_roles_are_there_and_say_something() {
    let profiles = builtin();
    let names: Vec<&str> = profiles.roles().map(|role| role.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "bastion",
            "container-host",
            "dark",
            "database",
            "directory-server",
            "dns-authoritative",
            "dns-resolver",
            "file-server",
            "ftp-server",
            "kubernetes-node",
            "mail-server",
            "mail-submission",
            "monitoring",
            "voip",
            "vpn-gateway",
            "web-server",
        ]
    );
    for role in profiles.roles() {
        assert!(role.hints.len() >= 4, "{}", role.name);
        assert!(role.description.split(". ").count() >= 2, "{}", role.name);
        assert!(role.name == "dark" || role.never.len() >= 8, "{}", role.name);
    }
}

#[test]
fn no_role_forbids_what_it_expects_or_forbids_it_twice() {
    for role in builtin().roles() {
        for protocol in PROTOCOLS {
            let expected = role.expects.iter().filter(|expected| expected.protocol == protocol);
            for expected in expected {
                assert_eq!(
                    role.forbidden(protocol).intersection(&expected.ports),
                    PortSet::NONE,
                    "{}",
                    role.name
                );
            }
            let listed: u32 = role
                .never
                .iter()
                .filter(|never| never.protocol == protocol)
                .map(|never| never.ports.len())
                .sum();
            assert_eq!(listed, role.forbidden(protocol).len(), "{} {protocol}", role.name);
        }
    }
}

#[test]
fn a_role_is_never_milder_than_the_port_itself() {
    let profiles = builtin();
    for role in profiles.roles().filter(|role| role.name != "dark") {
        // A wide range is milder than some port in it; whoever judges takes the worse of the two.
        for never in role.never.iter().filter(|never| never.ports.len() < 100) {
            for port in never.ports.iter() {
                if let Some(sensitive) = profiles.sensitivity(never.protocol, port) {
                    assert!(never.severity >= sensitive.severity, "{} {port}/{}", role.name, never.protocol);
                }
            }
        }
    }
}

#[test]
fn every_expected_service_is_known() {
    let profiles = builtin();
    for role in profiles.roles() {
        for expected in &role.expects {
            assert!(profiles.knows_service(&expected.service), "{} {}", role.name, expected.service);
        }
    }
}

#[test]
fn common_is_small_enough_to_be_quick_and_every_port_of_it_has_a_reason_and_a_name() {
    let profiles = builtin();
    assert!((130..=170).contains(&profiles.common(Protocol::Tcp).len()));
    assert!((40..=60).contains(&profiles.common(Protocol::Udp).len()));
    for protocol in PROTOCOLS {
        for port in profiles.common(protocol).iter() {
            assert!(profiles.common_reason(protocol, port).is_some(), "{port}/{protocol}");
            assert!(profiles.service_name(protocol, port).is_some(), "{port}/{protocol}");
        }
    }
}

#[test]
fn every_sensitive_port_has_a_name_and_is_at_least_high() {
    let profiles = builtin();
    assert!(profiles.sensitive().count() >= 80);
    for sensitive in profiles.sensitive() {
        assert!(sensitive.severity >= Severity::High, "{}/{}", sensitive.ports, sensitive.protocol);
        for port in sensitive.ports.iter() {
            assert!(
                profiles.service_name(sensitive.protocol, port).is_some(),
                "{port}/{}",
                sensitive.protocol
            );
        }
    }
}

#[test]
fn udp_is_scanned_as_common_so_common_holds_every_sensitive_udp_port() {
    let profiles = builtin();
    for sensitive in profiles.sensitive().filter(|sensitive| sensitive.protocol == Protocol::Udp) {
        let missing = sensitive.ports.difference(profiles.common(Protocol::Udp));
        assert_eq!(missing, PortSet::NONE);
    }
}

#[test]
fn services_are_found_by_port_name_and_alias() {
    let profiles = builtin();
    assert_eq!(profiles.service_name(Protocol::Tcp, 443), Some("https"));
    assert_eq!(profiles.service_title(Protocol::Tcp, 443), Some("Web over TLS"));
    assert_eq!(profiles.service_name(Protocol::Tcp, 5903), Some("vnc"));
    assert_eq!(profiles.service_name(Protocol::Udp, 22), None);
    assert_eq!(profiles.service_ports("rdp"), [(Protocol::Tcp, 3389), (Protocol::Udp, 3389)]);
    assert_eq!(profiles.service_ports("SSH"), [(Protocol::Tcp, 22)]);
    assert_eq!(profiles.service_ports("nonsense"), []);
    assert!(profiles.knows_service("www") && !profiles.knows_service("wwww"));
}

#[test]
fn names_are_in_one_case_and_usable_in_a_manifest() {
    let profiles = builtin();
    let aliases = profiles.service_aliases().map(|(alias, _)| alias);
    for name in profiles.services().map(|service| service.name.as_str()).chain(aliases) {
        let usable = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(usable), "{name}");
    }
}

#[test]
fn a_misspelled_service_finds_its_name() {
    let profiles = builtin();
    for (typed, meant) in [
        ("htps", "https"),
        ("postgresq", "postgresql"),
        ("mogodb", "mongodb"),
        ("IMPAS", "imaps"),
        ("sssh", "ssh"),
    ] {
        assert_eq!(profiles.nearest_service(typed), Some(meant));
    }
    assert_eq!(profiles.nearest_service("quantum-teleporter"), None);
    assert_eq!(profiles.nearest_service(""), None);
}

#[test]
fn a_role_forbids_what_it_lists_and_nothing_else() {
    let profiles = builtin();
    let web = profiles.role("web-server").unwrap();
    assert_eq!(web.forbids(Protocol::Tcp, 2376).map(|never| never.severity), Some(Severity::Critical));
    assert_eq!(web.forbids(Protocol::Tcp, 443), None);
    assert_eq!(web.forbids(Protocol::Udp, 3306), None);
    let dark = profiles.role("dark").unwrap();
    assert_eq!(dark.forbidden(Protocol::Tcp), PortSet::all());
    assert_eq!(dark.forbidden(Protocol::Udp), PortSet::all());
}

#[test]
fn of_several_entries_the_most_severe_and_then_the_narrowest_forbids() {
    let mut profiles = builtin();
    let text = "role: x\ntitle: X\ndescription: A test.\nnever:\n\
                - {port: 1-65535/tcp, severity: high, why: wide}\n\
                - {port: 22/tcp, severity: high, why: narrow}\n\
                - {port: 20-30/tcp, severity: low, why: mild}\n\
                - {port: 23, severity: critical, why: worst}\n";
    profiles.overlay("roles/x.yaml", text).unwrap();
    let why = |port| profiles.role("x").unwrap().forbids(Protocol::Tcp, port).unwrap().why.as_str();
    assert_eq!([why(21), why(22), why(23)], ["wide", "narrow", "worst"]);
}

#[test]
fn a_file_laid_over_replaces_the_built_in_of_its_name() {
    let mut profiles = builtin();
    profiles
        .overlay(
            "/etc/portproof/roles/web-server.yaml",
            "role: web-server\ntitle: Ours\ndescription: Our own.\nhints: [Ask Ann.]\n",
        )
        .unwrap();
    assert_eq!(profiles.roles().count(), 16);
    let web = profiles.role("web-server").unwrap();
    assert_eq!((web.title.as_str(), web.never.len()), ("Ours", 0));

    profiles.overlay("p\\ports\\common.yml", "tcp: [{port: 443, why: web}]\nudp: []\n").unwrap();
    assert_eq!(profiles.common(Protocol::Tcp), &PortSet::single(443));
    assert_eq!(profiles.common(Protocol::Udp), &PortSet::NONE);
    assert_eq!(profiles.common_reason(Protocol::Tcp, 80), None);

    let sensitive = "ports: [{port: 8081/tcp, severity: critical, why: our console}]\n";
    profiles.overlay("ports/sensitive.yaml", sensitive).unwrap();
    assert_eq!(profiles.sensitivity(Protocol::Tcp, 8081).map(|s| s.why.as_str()), Some("our console"));
    assert_eq!(profiles.sensitivity(Protocol::Tcp, 6379), None);

    let services = "services: [{port: 7007-7009/udp, name: Ours, title: Ours}]\naliases: {mine: ours}\n";
    profiles.overlay("ports/services.yaml", services).unwrap();
    assert_eq!(profiles.service_name(Protocol::Tcp, 443), None);
    assert_eq!(profiles.service_ports("mine").len(), 3);
}

#[test]
fn errors_name_file_line_and_cause() {
    let head = "role: x\ntitle: X\ndescription: A test.\n";
    for (path, text, expected) in [
        (
            "d/roles/x.yaml",
            format!("{head}never:\n- {{port: 22/sctp, severity: high, why: w}}\n"),
            "d/roles/x.yaml:5:10: `sctp` is not a protocol",
        ),
        (
            "roles/x.yaml",
            format!("{head}never:\n- {{port: 0, severity: high, why: w}}\n"),
            "roles/x.yaml:5:10: port 0 can't be reached",
        ),
        (
            "roles/x.yaml",
            format!("{head}never:\n- {{port: 22, severity: awful, why: w}}\n"),
            "roles/x.yaml:5:24: unknown variant `awful`",
        ),
        (
            "roles/x.yaml",
            format!("{head}never:\n- {{port: 22, severity: low, why: ' '}}\n"),
            "roles/x.yaml:5:34: an empty text",
        ),
        ("roles/x.yaml", format!("{head}nevr: []\n"), "roles/x.yaml:4:1: unknown field `nevr`"),
        ("roles/x.yaml", head.replace("role: x", "role: y"), "roles/x.yaml:1:7: this file is named `x.yaml`"),
        (
            "roles/x.yaml",
            format!(
                "{head}expects:\n- {{port: 80-90, service: http, why: w}}\nnever:\n- {{port: 85-99, severity: low, why: w}}\n"
            ),
            "roles/x.yaml:7:10: the role expects 85/tcp in line 5 and forbids it here",
        ),
        (
            "roles/x.yaml",
            format!("{head}expects:\n- {{port: 80, service: htpp, why: w}}\n"),
            "roles/x.yaml:5:10: no service is named `htpp`; did you mean `http`?",
        ),
        (
            "ports/services.yaml",
            "services:\n- {port: 80, name: a, title: A}\n- {port: 79-81, name: b, title: B}\n".into(),
            "ports/services.yaml:3:10: 80/tcp is already in line 2",
        ),
        (
            "ports/services.yaml",
            "services:\n- {port: 80, name: a, title: A}\naliases:\n  c: b\n".into(),
            "ports/services.yaml:4:6: no service is named `b`",
        ),
        (
            "ports/services.yaml",
            "services:\n- {port: 80, name: a, title: A}\naliases:\n  a: a\n".into(),
            "ports/services.yaml:4:6: alias `a` is already the name",
        ),
        (
            "ports/common.yaml",
            "tcp:\n- {port: 53/udp, why: w}\nudp: []\n".into(),
            "ports/common.yaml:2:10: a udp port in the list `tcp`",
        ),
        ("ports/common.yaml", "tcp: [\n".into(), "ports/common.yaml:"),
        ("ports/other.yaml", String::new(), "ports/other.yaml: not a profile"),
        ("notes.txt", String::new(), "notes.txt: not a profile"),
    ] {
        let error = builtin().overlay(path, &text).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}\nshould begin\n{expected}");
    }
}

#[test]
fn a_file_that_is_refused_changes_nothing() {
    let mut profiles = builtin();
    let before = profiles.role("web-server").cloned();
    assert!(profiles.overlay("roles/web-server.yaml", "role: web-server\n").is_err());
    assert_eq!(profiles.role("web-server").cloned(), before);
    assert!(profiles.overlay("ports/common.yaml", "tcp: []\n").is_err());
    assert_eq!(profiles.common(Protocol::Tcp), builtin().common(Protocol::Tcp));
}

#[test]
fn a_hint_that_yaml_takes_for_a_map_is_explained() {
    let head = "role: x\ntitle: X\ndescription: A test.\nhints:\n";
    let error = |hint: &str| {
        builtin().overlay("roles/x.yaml", &format!("{head}  - {hint}\n")).unwrap_err().to_string()
    };
    assert_eq!(
        error("Mind this: quotes."),
        "roles/x.yaml:5:5: expected a text; one that holds `: ` stands in quotes"
    );
    assert_eq!(error("''"), "roles/x.yaml:5:5: an empty text");
}

#[test]
fn the_role_in_the_readme_works() {
    let readme = include_str!("../../../profiles/README.md");
    let example = readme.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let mut profiles = builtin();
    profiles.overlay("roles/print-server.yaml", example).unwrap();
    assert!(profiles.role("print-server").unwrap().forbids(Protocol::Tcp, 9100).is_some());
}
