//! `plan`: what verify would do. Sends nothing but DNS.

use std::{fmt::Write as _, io, process::ExitCode, time::Duration};

use super::{
    args::{Color, PlanArgs},
    error::CliError,
    output,
    prepare::Prepared,
    run::{askable, estimate},
};
use crate::{model::Protocol, report::count, spec::plan::Group};

/// Groups shown one by one; a fleet is summed up.
const SHOWN: usize = 40;

/// Prints the plan.
pub(super) fn run(args: &PlanArgs, color: Color) -> Result<ExitCode, CliError> {
    if !args.select.from.is_empty() {
        let error = CliError::usage("--from makes no plan: with it nothing is sent");
        return Err(error.hint("portproof verify --from FILE"));
    }
    let prepared = Prepared::new(
        &args.what,
        args.expect.as_deref(),
        &args.how,
        &args.select,
        &[],
        (output::colours(color, &io::stderr()), true),
    )?;
    let Prepared { manifest, plan, resolution, how, .. } = &prepared;
    let mut text = String::new();
    let authorization = &manifest.authorization;
    let leave = match (&authorization.reference, authorization.implied) {
        (Some(reference), _) => reference.clone(),
        (None, true) => "none written; the hosts as written are the scope".to_owned(),
        (None, false) => "without a reference".to_owned(),
    };
    let by = authorization.authorized_by.as_ref().map_or_else(String::new, |by| format!(", by {by}"));
    let until = authorization.valid_until.map_or_else(String::new, |day| format!(", until {day}"));
    let _ = writeln!(text, "authorization  {leave}{by}{until}");
    for answer in &resolution.answers {
        let addresses: Vec<String> = answer.addresses.iter().map(ToString::to_string).collect();
        let through = if answer.chain.is_empty() {
            String::new()
        } else {
            format!(" through {}", answer.chain.join(", "))
        };
        let what = if addresses.is_empty() { answer.outcome.to_string() } else { addresses.join(", ") };
        let _ = writeln!(text, "name           {} {}{through}: {what}", answer.name, answer.family);
    }
    for group in plan.groups.iter().take(SHOWN) {
        write_group(&mut text, &prepared, group);
    }
    if plan.groups.len() > SHOWN {
        let _ = writeln!(text, "               and {} more", plan.groups.len() - SHOWN);
    }
    for left_out in &plan.left_out {
        let _ = writeln!(text, "left out       {}: {}", left_out.what, left_out.why);
    }
    let (probes, least) = estimate(plan, (manifest, &prepared.payloads), how, authorization.max_rate);
    let addresses: u128 = plan.groups.iter().map(|group| group.permit.range().count()).sum();
    let endpoints: u128 = plan.groups.iter().map(Group::planned).sum();
    let asked = askable(plan, manifest, &prepared.payloads, how.shard).planned();
    let unasked = endpoints.saturating_sub(asked.into());
    let gap = if unasked == 0 { String::new() } else { format!(", {unasked} of them not asked from here") };
    let _ = writeln!(
        text,
        "total          {}, {}{gap}, at most {}, {} if everything is silent and nothing gets lost",
        count(bounded(addresses), "address", "addresses"),
        count(bounded(endpoints), "endpoint", "endpoints"),
        count(probes, "probe", "probes"),
        about(least)
    );
    output::print(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn write_group(text: &mut String, prepared: &Prepared, group: &Group) {
    let range = group.permit.range();
    let addresses = if range.count() == 1 {
        prepared.plan.spoken(range.first())
    } else {
        format!("{} to {} ({})", range.first(), range.last(), range.count())
    };
    let owners: Vec<&str> = group
        .owners
        .iter()
        .filter_map(|owner| prepared.manifest.targets.get(owner.target))
        .map(|target| target.id.as_str())
        .collect();
    let mut asked = Vec::new();
    for protocol in [Protocol::Tcp, Protocol::Udp] {
        let ask = group.ask(protocol);
        if !ask.named.is_empty() {
            asked.push(format!("{} {protocol} named", ask.named.len()));
        }
        if !ask.rest.is_empty() {
            asked.push(format!("{} {protocol} more", ask.rest.len()));
        }
        if !ask.blind.is_empty() {
            asked.push(format!("blind to {}/{protocol}", ask.blind));
        }
    }
    let dark = if group.expect_dark { ", expected to be dark" } else { "" };
    let missing = if group.missing_family { ", not reachable from this vantage" } else { "" };
    let _ = writeln!(
        text,
        "address        {addresses}  {}: {}{dark}{missing}  (scope: {})",
        owners.join(", "),
        asked.join(", "),
        group.permit.basis()
    );
}

fn bounded(n: u128) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

/// A length of time for a person.
pub(super) fn about(length: Duration) -> String {
    match length.as_secs() {
        seconds @ 0..120 => format!("about {} s", seconds.max(1)),
        seconds @ 120..7200 => format!("about {} min", seconds / 60),
        seconds => format!("about {} h", seconds / 3600),
    }
}
