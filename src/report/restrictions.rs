//! Under which restrictions an outcome holds: what was selected, left out or asked less strictly. A reader of the
//! headline must not believe that more was looked at than was.

use super::{
    Report, SourceRecord,
    asked::Asked,
    selection::USUAL_MISS,
    words::{count, listed, one_in, thousands},
};
use crate::model::{Family, Level};

/// Every restriction, a few words each.
pub(crate) fn restrictions(report: &Report) -> Vec<String> {
    let selection = &report.run.selection;
    let mut named = Vec::new();
    named.extend(judged_from(report));
    if !selection.only.is_empty() {
        named.push(format!("only {}", targets(&selection.only)));
    }
    if !selection.exclude.is_empty() {
        named.push(format!(
            "without {}",
            match selection.exclude.as_slice() {
                few if few.len() <= 3 => listed(few),
                many => count(many.len() as u64, "host or block", "hosts and blocks"),
            }
        ));
    }
    let from = selection.hosts.iter().map(|(id, from)| match from.as_str() {
        "-" => format!("hosts of {id} from standard input"),
        from => format!("hosts of {id} from {from}"),
    });
    named.extend(from);
    match selection.families.as_deref() {
        Some([Family::Ipv4]) => named.push("IPv4 only".to_owned()),
        Some([Family::Ipv6]) => named.push("IPv6 only".to_owned()),
        _ => named.extend(families_left_out(report)),
    }
    named.extend(tcp_restriction(report));
    named.extend(udp_restriction(report));
    named.extend(selection.shard.as_ref().map(|shard| format!("part {shard} of the plan only")));
    let wide = selection.max_miss.filter(|miss| *miss > USUAL_MISS);
    named.extend(wide.map(|miss| format!("a chance of {} to miss an open port accepted", one_in(miss))));
    named.extend(selection.at.as_ref().map(|day| format!("paperwork judged as of {day}")));
    if selection.strict {
        named.push("exceptions ignored".to_owned());
    }
    let softer = selection.levels.iter().filter(|(_, level)| **level != Level::Deny);
    named.extend(softer.map(|(id, level)| levelled(id, *level)));
    named
}

/// What the operator made of a rule.
pub(crate) fn levelled(id: &str, level: Level) -> String {
    match level {
        Level::Allow => format!("{id} not reported"),
        Level::Warn => format!("{id} only warned of"),
        Level::Deny => format!("{id} fails"),
    }
}

/// `judged from scan.xml (nmap 7.93)`: nothing was sent, and what these do not show is not known.
fn judged_from(report: &Report) -> Option<String> {
    let named = |source: &SourceRecord| {
        let unfinished = if source.partial { ", unfinished" } else { "" };
        format!("{} ({}{unfinished})", source.path, source.tool)
    };
    let files = match report.run.sources.as_slice() {
        [] => return None,
        [first, second, third, rest @ ..] if !rest.is_empty() => {
            format!("{}, {}, {} and {} more", named(first), named(second), named(third), rest.len())
        }
        few => listed(&few.iter().map(named).collect::<Vec<_>>()),
    };
    Some(format!("judged from {files}"))
}

fn tcp_restriction(report: &Report) -> Option<String> {
    match (report.run.scan.tcp.as_deref(), report.run.selection.tcp.as_deref()) {
        (None, _) | (_, Some("none")) => Some("TCP not scanned".to_owned()),
        (_, Some("declared")) => Some("unlisted ports not scanned".to_owned()),
        (_, Some("all")) => None,
        (_, Some(ports)) => Some(format!("TCP ports {ports} only")),
        // What the manifest itself narrows is a restriction too, though nobody deselected it.
        (_, None) => {
            on_some(report, "not every TCP port scanned", |set| set.is_none_or(|set| set.tcp.len() < 65_535))
        }
    }
}

/// Over UDP the common ports are what is usual; nothing at all is not.
fn udp_restriction(report: &Report) -> Option<String> {
    match (report.run.scan.udp.as_deref(), report.run.selection.udp.as_deref()) {
        (None, _) | (_, Some("none")) => Some("UDP not scanned".to_owned()),
        (_, Some("declared")) => Some("unlisted UDP ports not scanned".to_owned()),
        (_, Some(ports)) => Some(format!("UDP ports {ports} only")),
        (_, None) => on_some(report, "UDP not scanned", |set| set.is_none_or(|set| set.udp.is_empty())),
    }
}

/// A restriction of all targets whose ports are so, or of some.
fn on_some(report: &Report, what: &str, is: impl Fn(Option<Asked>) -> bool) -> Option<String> {
    let sets = report.coverage.port_sets.values();
    of_targets(what, sets.clone().filter(|set| is(set.parse().ok())).count(), sets.count())
}

fn of_targets(what: &str, n: usize, all: usize) -> Option<String> {
    match n {
        0 => None,
        n if n == all => Some(what.to_owned()),
        n => Some(format!("{what} on {} of {} targets", thousands(n as u64), thousands(all as u64))),
    }
}

/// What the manifest leaves out of names that may have addresses of both families.
fn families_left_out(report: &Report) -> Vec<String> {
    let all = report.targets.len();
    let left_out = |family: Family| {
        let without = report.targets.iter().filter(|target| target.left_out == Some(family)).count();
        let spelled = if family == Family::Ipv4 { "IPv4" } else { "IPv6" };
        of_targets(&format!("{spelled} not scanned"), without, all)
    };
    Family::ALL.into_iter().filter_map(left_out).collect()
}

fn targets(selected: &[String]) -> String {
    let named: Vec<String> = selected
        .iter()
        .map(|name| {
            name.strip_prefix("tag:").map_or_else(|| format!("target {name}"), |tag| format!("tag {tag}"))
        })
        .collect();
    if named.len() <= 3 { listed(&named) } else { count(named.len() as u64, "target", "targets") }
}
