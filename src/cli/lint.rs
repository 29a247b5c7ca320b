//! `lint`: the manifest and its paperwork, without sending anything.

use std::{io, path::Path, process::ExitCode};

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::{
    args::{Color, LintArgs},
    datagrams::unprovable,
    error::{CliError, Code},
    how, load, output,
};
use crate::{
    model::rule,
    report::count,
    spec::{
        Diagnostics, Gravity, lint,
        manifest::{Lint, Manifest},
        profile::Profiles,
    },
    verify::paperwork,
};

/// Checks a manifest. Exit 0: nothing to remark; 1: remarks; 2: it can't be used.
pub(super) fn run(args: &LintArgs, color: Color) -> Result<ExitCode, CliError> {
    let profiles = load::profiles(args.profile_dir.as_deref())?;
    let (manifest, _) = load::manifest(&args.manifest, &profiles, output::colours(color, &io::stderr()))?;
    let today = today();
    still_authorized(&manifest, today)?;
    let at = how::day(args.at.as_deref(), today)?;
    let mut remarks = remarks(&manifest, &profiles, at);
    remarks.extend(paperwork(&manifest, at));
    remarks.sort_by(|a, b| a.place.cmp(&b.place));
    // All of it is governance, which warns, and fails a run where a policy is in force.
    let fails = manifest.policy.in_force();
    if args.json {
        let mut text = String::new();
        for remark in &remarks {
            let name = rule(remark.rule).map(|rule| rule.name);
            let value = serde_json::json!({
                "rule": remark.rule, "name": name, "target": remark.target, "subject": remark.subject,
                "path": remark.place.path, "line": remark.place.line, "column": remark.place.column, "message": remark.message,
                "fails": fails,
            });
            text.push_str(&value.to_string());
            text.push('\n');
        }
        output::print(text.as_bytes())?;
    } else if !remarks.is_empty() {
        let gravity = if fails { Gravity::Error } else { Gravity::Warning };
        let shown = Diagnostics::of_lints(&remarks, gravity, |path| load::text_of(Path::new(path)).ok());
        let shown = shown.render(output::colours(color, &io::stdout()));
        output::print(format!("{}\n", shown.trim_end_matches('\n')).as_bytes())?;
    }
    if remarks.is_empty() {
        output::say(&format!(
            "{}: {}, nothing to remark",
            args.manifest,
            count(manifest.targets.len() as u64, "target", "targets")
        ));
        return Ok(Code::Fine.into());
    }
    let (plural, each) = if remarks.len() == 1 { ("remark", "it") } else { ("remarks", "each of them") };
    let fate = if fails { format!("; under its policy {each} fails `verify`") } else { String::new() };
    output::say(&format!(
        "{}: usable, {} {plural} on its paperwork{fate} (portproof explain RULE says more)",
        args.manifest,
        remarks.len()
    ));
    Ok(Code::Wrong.into())
}

/// Every remark on the paperwork of the manifest itself as of a day, in the order of the file. A run judges reviews
/// and exceptions besides.
pub(super) fn remarks(manifest: &Manifest, profiles: &Profiles, at: Date) -> Vec<Lint> {
    let mut remarks = manifest.lints.clone();
    remarks.extend(lint::dated(manifest, at));
    remarks.extend(unprovable(manifest, profiles));
    remarks.sort_by(|a, b| a.place.cmp(&b.place));
    remarks
}

/// The day it is, UTC, by the real clock.
pub(super) fn today() -> Date {
    Timestamp::now().to_zoned(TimeZone::UTC).date()
}

/// A scan without leave is an attack: an authorization that has ended stops everything, by the real clock.
pub(super) fn still_authorized(manifest: &Manifest, today: Date) -> Result<(), CliError> {
    if manifest.authorization.expired_on(today) {
        let until = manifest.authorization.valid_until.map_or_else(String::new, |day| day.to_string());
        let place =
            manifest.authorization.place.as_ref().map_or_else(String::new, |place| format!("{place}: "));
        return Err(CliError::usage(format!("{place}the authorization ended on {until}"))
            .hint("have it renewed, then set authorization.valid_until"));
    }
    Ok(())
}
