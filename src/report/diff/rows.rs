//! A comparison as tables, the same for text and page: ports that differ in nothing else share a row, so that 65,535
//! never flood.

use std::collections::HashMap;

use super::{
    Diff, Side,
    endpoints::{EndpointDiff, EndpointSeen},
    findings::FindingDiff,
    names::NameSeen,
};
use crate::{
    model::{PortSet, Protocol, State, Verdict, rule},
    report::{
        index::shortened,
        words::{count, listed, period, thousands},
    },
};

/// The most of a port set that a cell holds, in characters.
const PORTS: usize = 60;

/// One table.
pub(crate) struct Section {
    pub(crate) title: &'static str,
    /// What being in it means.
    pub(crate) explained: &'static str,
    /// Each with its kind: `c` code, `t` text, `d` a word, `n` a number.
    pub(crate) columns: Vec<(&'static str, char)>,
    pub(crate) rows: Vec<Vec<String>>,
}

/// One report in a line.
pub(crate) fn side(side: &Side) -> String {
    let mut parts = vec![period(&side.started_at, &side.finished_at)];
    parts.extend(side.manifest.clone());
    parts.extend(side.from.as_ref().map(|from| format!("from {from}")));
    parts.extend(side.restrictions.clone());
    format!(
        "{}: {} of {} determined, {}",
        parts.join(", "),
        thousands(side.determined),
        count(side.planned, "endpoint", "endpoints"),
        side.result.word()
    )
}

/// Every table that holds something, in the order in which a reader wants them.
pub(crate) fn sections(diff: &Diff) -> Vec<Section> {
    let mut sections = circumstances(diff);
    sections.extend(endpoints(diff));
    sections.extend(findings(diff));
    sections.extend(names(diff));
    sections.extend(coverage(diff));
    sections.retain(|section| !section.rows.is_empty());
    sections
}

fn circumstances(diff: &Diff) -> Vec<Section> {
    let none = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
    let rows = diff.circumstances.iter().map(|c| vec![c.what.clone(), none(&c.old), none(&c.new)]);
    vec![Section {
        title: "The runs differ",
        explained: "which may explain what follows, and is no difference of what was seen",
        columns: vec![("What", 'd'), ("Before", 't'), ("Now", 't')],
        rows: rows.collect(),
    }]
}

fn endpoints(diff: &Diff) -> Vec<Section> {
    let endpoints = &diff.endpoints;
    let columns =
        |last| vec![("Address", 'c'), ("Ports", 'c'), ("Service", 't'), ("Target", 't'), (last, 't')];
    let plain = |title, explained, last, rows| Section { title, explained, columns: columns(last), rows };
    let why = |seen: &EndpointSeen| seen.why.clone().unwrap_or_default();
    let changed = endpoints.changed.iter().flat_map(|diff| {
        diff.changes.iter().map(|change| {
            let what = about(&change.what, change.name.as_ref());
            let none = |text: &Option<String>| text.clone().unwrap_or_else(|| "–".to_owned());
            vec![
                diff.address.clone(),
                port(diff),
                listed(&diff.targets),
                what,
                none(&change.old),
                none(&change.new),
            ]
        })
    });
    let open = endpoints.changed.iter().chain(&endpoints.not_inspected);
    let uninspected = open.flat_map(|diff| {
        diff.not_inspected.iter().map(|missing| {
            let what = about(&missing.what, missing.name.as_ref());
            vec![diff.address.clone(), port(diff), listed(&diff.targets), what, missing.old.clone()]
        })
    });
    let beside = vec![("Address", 'c'), ("Port", 'c'), ("Target", 't'), ("What", 't'), ("Before", 't')];
    let both = [&beside[..], &[("Now", 't')]].concat();
    vec![
        plain(
            "Appeared",
            "open now; looked at before, and not open then",
            "Before",
            folded(&endpoints.appeared, |diff| {
                (diff.new.service.clone(), format!("{}{}", state(&diff.old), unsure(&diff.new)))
            }),
        ),
        plain(
            "Vanished",
            "open before; looked at now, and not open",
            "Now",
            folded(&endpoints.vanished, |diff| (diff.old.service.clone(), state(&diff.new).to_owned())),
        ),
        Section {
            title: "Changed",
            explained: "open before and now, and not the same",
            columns: both,
            rows: changed.collect(),
        },
        plain(
            "Not looked at",
            "open before; nobody looked now, or what came back proves nothing: whether they still are is not known",
            "Why",
            folded(&endpoints.not_looked_at, |diff| (diff.old.service.clone(), why(&diff.new))),
        ),
        plain(
            "Not looked at before",
            "open now; nobody looked before, or what came back proved nothing: whether they are new is not known",
            "Why",
            folded(&endpoints.not_looked_at_before, |diff| (diff.new.service.clone(), why(&diff.old))),
        ),
        Section {
            title: "Not inspected again",
            explained: "open before and now; what was known of what answers there was not seen again",
            columns: beside,
            rows: uninspected.collect(),
        },
    ]
}

fn findings(diff: &Diff) -> Vec<Section> {
    let findings = &diff.findings;
    let section = |title, explained, last: &'static str, list: &[FindingDiff]| {
        let mut columns = vec![
            ("Severity", 'd'),
            ("Rule", 'c'),
            ("Where", 'c'),
            ("What", 't'),
            ("Verdict", 'd'),
            ("Owner", 't'),
        ];
        let mut rows = grouped(list);
        if last.is_empty() {
            for row in &mut rows {
                row.pop();
            }
        } else {
            columns.push((last, 't'));
        }
        Section { title, explained, columns, rows }
    };
    vec![
        section(
            "Findings that are new",
            "the old run looked there, and did not have them",
            "",
            &findings.new,
        ),
        section(
            "Findings resolved",
            "the new run looked there, and has them no more",
            "",
            &findings.resolved,
        ),
        section("Findings judged otherwise", "in both, and not the same", "Before", &findings.changed),
        section(
            "Findings not looked at",
            "the new run did not look there, or was told not to report them: whether they stand is not known",
            "Why",
            &findings.not_looked_at,
        ),
        section(
            "Findings where nobody looked before",
            "the old run did not look there, or was told not to report them: whether they are new is not known",
            "Why",
            &findings.not_looked_at_before,
        ),
    ]
}

fn names(diff: &Diff) -> Vec<Section> {
    let said = |seen: &NameSeen| {
        let addresses =
            if seen.addresses.is_empty() { seen.status.replace('_', " ") } else { listed(&seen.addresses) };
        if seen.chain.is_empty() {
            addresses
        } else {
            format!("{addresses} by way of {}", listed(&seen.chain))
        }
    };
    let changed = diff.names.changed.iter();
    let changed = changed.map(|n| vec![n.name.clone(), n.family.to_string(), said(&n.old), said(&n.new)]);
    let unlooked = diff.names.not_looked_at.iter();
    let unlooked = unlooked.map(|n| vec![n.name.clone(), n.family.to_string(), n.why.clone()]);
    vec![
        Section {
            title: "Names that resolve otherwise",
            explained: "as DNS answered the two runs",
            columns: vec![("Name", 'c'), ("Family", 'd'), ("Before", 'c'), ("Now", 'c')],
            rows: changed.collect(),
        },
        Section {
            title: "Names not looked up",
            explained: "what they resolve to now is not known",
            columns: vec![("Name", 'c'), ("Family", 'd'), ("Why", 't')],
            rows: unlooked.collect(),
        },
    ]
}

fn coverage(diff: &Diff) -> Vec<Section> {
    let row = |narrower: &super::Narrower| {
        vec![
            narrower.address.clone(),
            listed(&narrower.targets),
            thousands(narrower.old_determined),
            thousands(narrower.new_determined),
            narrower.why.clone(),
        ]
    };
    vec![Section {
        title: "Less coverage",
        explained: "endpoints determined; what opened among those that were left out would not be seen",
        columns: vec![("Address", 'c'), ("Target", 't'), ("Before", 'n'), ("Now", 'n'), ("Why", 't')],
        rows: diff.narrower.iter().map(row).collect(),
    }]
}

fn port(diff: &EndpointDiff) -> String {
    format!("{}/{}", diff.port, diff.protocol)
}

fn about(what: &str, name: Option<&String>) -> String {
    name.map_or_else(|| what.to_owned(), |name| format!("{what} for {name}"))
}

fn state(seen: &EndpointSeen) -> &'static str {
    seen.state.map_or("closed or filtered", State::word)
}

fn unsure(seen: &EndpointSeen) -> &'static str {
    if seen.verdict == Some(Verdict::Inconclusive) { "; what is there now could not be decided" } else { "" }
}

/// Ports of one address that differ in nothing else share a row.
fn folded(
    list: &[EndpointDiff],
    said: impl Fn(&EndpointDiff) -> (Option<String>, String),
) -> Vec<Vec<String>> {
    let keyed = list.iter().map(|diff| {
        let (service, said) = said(diff);
        let key = [diff.address.clone(), service.unwrap_or_default(), listed(&diff.targets), said];
        (key, diff.protocol, diff.port)
    });
    let row = |([address, service, targets, said], protocol, ports): ([String; 4], Protocol, Vec<u16>)| {
        vec![address, set(&ports, protocol), service, targets, said]
    };
    gathered(keyed).into_iter().map(row).collect()
}

/// Findings that differ in nothing but the port share a row.
fn grouped(list: &[FindingDiff]) -> Vec<Vec<String>> {
    let keyed = list.iter().map(|finding| {
        let place = [finding.target.as_ref(), finding.address.as_ref().or(finding.host.as_ref())];
        let mut place: Vec<String> = place.into_iter().flatten().cloned().collect();
        place.dedup();
        let title = match finding.port {
            // One title speaks of one port; the rule speaks of them all.
            Some(_) => rule(&finding.rule).map(|rule| rule.name.replace('-', " ")),
            None => None,
        };
        let mut before: Vec<String> = finding.why.clone().into_iter().collect();
        before.extend(finding.old_verdict.map(|verdict| verdict.word().replace('_', " ")));
        before.extend(finding.old_severity.map(|severity| severity.word().to_owned()));
        let key = [
            finding.severity.word().to_owned(),
            finding.rule.clone(),
            place.join(" "),
            title.unwrap_or_else(|| finding.title.clone()),
            finding.verdict.word().replace('_', " "),
            finding.owner.clone().unwrap_or_default(),
            before.join(", "),
        ];
        (key, finding.protocol.unwrap_or(Protocol::Tcp), finding.port.unwrap_or(0))
    });
    gathered(keyed)
        .into_iter()
        .map(|(key, protocol, ports)| {
            let [severity, rule, mut place, what, verdict, owner, before] = key;
            if ports.iter().any(|&port| port > 0) {
                let gap = if place.is_empty() { "" } else { " " };
                place = format!("{place}{gap}{}", set(&ports, protocol));
            }
            vec![severity, rule, place, what, verdict, owner, before]
        })
        .collect()
}

fn set(ports: &[u16], protocol: Protocol) -> String {
    let set: PortSet = ports.iter().copied().collect();
    shortened(&format!("{set}/{protocol}"), PORTS)
}

/// The ports of each key, in the order in which the keys come first.
fn gathered<const N: usize>(
    items: impl Iterator<Item = ([String; N], Protocol, u16)>,
) -> Vec<([String; N], Protocol, Vec<u16>)> {
    let mut groups: Vec<([String; N], Protocol, Vec<u16>)> = Vec::new();
    let mut places: HashMap<([String; N], Protocol), usize> = HashMap::new();
    for (key, protocol, port) in items {
        let place = *places.entry((key.clone(), protocol)).or_insert(groups.len());
        match groups.get_mut(place) {
            Some((_, _, ports)) => ports.push(port),
            None => groups.push((key, protocol, vec![port])),
        }
    }
    groups
}
