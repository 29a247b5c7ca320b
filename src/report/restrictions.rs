//! Under which restrictions an outcome holds: what was selected, left out or asked less strictly. A reader of the
//! headline must not believe that more was looked at than was.

use super::{
    Report, SourceRecord,
    asked::Asked,
    words::{count, listed},
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
    match selection.families.as_deref() {
        Some([Family::Ipv4]) => named.push("IPv4 only".to_owned()),
        Some([Family::Ipv6]) => named.push("IPv6 only".to_owned()),
        _ => {}
    }
    named.extend(tcp_restriction(report));
    match (report.run.scan.udp.as_deref(), selection.udp.as_deref()) {
        (None, _) => named.push("UDP not scanned".to_owned()),
        (_, Some("declared")) => named.push("unlisted UDP ports not scanned".to_owned()),
        (_, Some(ports)) => named.push(format!("UDP ports {ports} only")),
        _ => {}
    }
    named.extend(selection.shard.as_ref().map(|shard| format!("part {shard} of the plan only")));
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
    let named = |source: &SourceRecord| format!("{} ({})", source.path, source.tool);
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
        (_, None) => {
            // What the manifest itself narrows is a restriction too, though nobody deselected it.
            let sets = &report.coverage.port_sets;
            let narrow =
                sets.values().filter(|set| set.parse().map_or(true, |set: Asked| set.tcp.len() < 65_535));
            match narrow.count() {
                0 => None,
                n if n == sets.len() => Some("not every TCP port scanned".to_owned()),
                n => Some(format!("not every TCP port scanned on {n} of {} targets", sets.len())),
            }
        }
    }
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
