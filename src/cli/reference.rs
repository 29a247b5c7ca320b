//! What portproof knows: rules, profiles, schemas, completions.

use std::{fmt::Write as _, path::Path, process::ExitCode};

use clap::CommandFactory as _;

use super::{
    args::{Cli, Schema},
    error::CliError,
    load,
    output::print,
};
use crate::{
    model::{Kind, RULES, Rule, rule},
    report,
    spec::{MANIFEST_SCHEMA, profile::Role},
};

/// `explain [RULE]`.
pub(super) fn explain(name: Option<&str>) -> Result<ExitCode, CliError> {
    let mut text = String::new();
    if let Some(name) = name {
        let known = || RULES.iter().flat_map(|rule| [rule.id, rule.name]).collect::<Vec<_>>();
        let rule = rule(name).ok_or_else(|| {
            let error = CliError::usage(format!("no rule is called `{name}`"));
            let near = crate::spec::nearest(name, known());
            error.hint(near.map_or_else(
                || "portproof explain lists them all".to_owned(),
                |near| format!("did you mean {near}?"),
            ))
        })?;
        write_rule(&mut text, rule);
    } else {
        for rule in RULES {
            let _ = writeln!(text, "{}  {:<26} {:<9} {}", rule.id, rule.name, rule.severity, kind(rule.kind));
        }
    }
    print(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn write_rule(text: &mut String, rule: &Rule) {
    let _ = writeln!(text, "{} {}", rule.id, rule.name);
    let _ = writeln!(text, "{}, {} by default\n", kind(rule.kind), rule.severity);
    for (label, words) in [("When", rule.when), ("Why", rule.why), ("What to do", rule.remedy)] {
        let _ = writeln!(text, "{label}\n    {}\n", words.split_inclusive(". ").collect::<String>());
    }
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Exposure => "exposure",
        Kind::Doubt => "doubt",
        Kind::Governance => "governance: warns, fails under a policy or with -D",
    }
}

/// `profiles [NAME]`.
pub(super) fn profiles(name: Option<&str>, folder: Option<&Path>) -> Result<ExitCode, CliError> {
    let profiles = load::profiles(folder)?;
    let mut text = String::new();
    match name {
        None => {
            for role in profiles.roles() {
                let _ = writeln!(text, "{:<20} {}", role.name, role.title);
            }
            for policy in profiles.policies() {
                let _ = writeln!(text, "{:<20} Policy: {}", policy.name, policy.heading());
            }
        }
        Some("services") => {
            for service in profiles.services() {
                let _ = writeln!(
                    text,
                    "{:<20} {:>11}  {}",
                    service.name,
                    format!("{}/{}", service.ports, service.protocol),
                    service.title
                );
            }
        }
        Some(name) => {
            if let Some(policy) = profiles.policy(name) {
                super::policy::write(&mut text, policy);
                print(text.as_bytes())?;
                return Ok(ExitCode::SUCCESS);
            }
            let role = profiles.role(name).ok_or_else(|| {
                let names = profiles.roles().map(|role| role.name.as_str());
                let names = names.chain(profiles.policies().map(|policy| policy.name.as_str()));
                let near = crate::spec::nearest(name, names);
                let hint = near.map_or_else(
                    || "portproof profiles lists them".to_owned(),
                    |near| format!("did you mean {near}?"),
                );
                CliError::usage(format!("no role and no policy is called `{name}`")).hint(hint)
            })?;
            write_role(&mut text, role);
        }
    }
    print(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn write_role(text: &mut String, role: &Role) {
    let _ = writeln!(text, "{}: {}\n\n{}\n", role.name, role.title, role.description);
    let _ = writeln!(text, "Usually exposes (a hint; only a target's own `expose` makes anything pass)");
    for expected in &role.expects {
        let port = format!("{}/{}", expected.ports, expected.protocol);
        let _ = writeln!(text, "    {port:<16} {:<14} {}", expected.service, expected.why);
    }
    let _ = writeln!(text, "\nMust never expose (EXP002 unless the target itself declares it)");
    for never in &role.never {
        let port = format!("{}/{}", never.ports, never.protocol);
        let _ = writeln!(text, "    {port:<16} {:<9} {}", never.severity, never.why);
    }
    let _ = writeln!(text, "\nGood to know");
    for hint in &role.hints {
        let _ = writeln!(text, "  - {hint}");
    }
}

/// `schema manifest|report|diff`.
pub(super) fn schema(what: Schema) -> Result<ExitCode, CliError> {
    let text = match what {
        Schema::Manifest => MANIFEST_SCHEMA.to_owned(),
        Schema::Report => format!("{:#}\n", report::json::schema()),
        Schema::Diff => format!("{:#}\n", report::diff::schema()),
    };
    print(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// `completions SHELL`.
pub(super) fn completions(shell: clap_complete::Shell) -> Result<ExitCode, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "portproof", &mut script);
    print(&script)?;
    Ok(ExitCode::SUCCESS)
}
