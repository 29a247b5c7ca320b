//! The exposure map: per target, addresses against the ports that are named or open. Shape and
//! colour say the same, and words say it a third time. Bounded, with a count of what is folded.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::{
    model::{Family, Protocol, State},
    report::{
        AddressRecord, DeclaredKind, Report, TargetRecord,
        index::{Index, Mark},
        words::count,
    },
};

/// The most columns of one map.
const COLUMNS: usize = 20;
/// The most rows of one map that are not quiet, and quiet ones on top of them.
const ROWS: usize = 200;
/// From so many addresses on, quiet ones share a line.
const FOLDED_FROM: usize = 8;

/// Every target's map, and the legend of what occurs in them.
#[derive(Serialize)]
pub(super) struct Map {
    targets: Vec<Chart>,
    legend: Vec<Key>,
}

#[derive(Serialize)]
struct Key {
    symbol: &'static str,
    words: &'static str,
}

#[derive(Serialize)]
struct Chart {
    id: String,
    columns: Vec<Column>,
    rows: Vec<Row>,
    /// One line each: what was folded away.
    folded: Vec<String>,
}

#[derive(Serialize)]
struct Column {
    port: u16,
    protocol: Protocol,
    service: String,
}

#[derive(Serialize)]
struct Row {
    address: String,
    name: String,
    cells: Vec<Cell>,
}

#[derive(Serialize)]
struct Cell {
    symbol: &'static str,
    words: String,
}

/// Lays the maps out.
pub(super) fn build(report: &Report, index: &Index<'_>) -> Map {
    let mut seen = BTreeSet::new();
    let targets = report.targets.iter().map(|target| chart(report, target, index, &mut seen)).collect();
    let legend = seen.into_iter().map(|mark| Key { symbol: symbol(mark), words: mark.words() }).collect();
    Map { targets, legend }
}

fn chart(report: &Report, target: &TargetRecord, index: &Index<'_>, seen: &mut BTreeSet<Mark>) -> Chart {
    let (columns, more) = columns(report, target, index);
    let fold = target.addresses.len() > FOLDED_FROM;
    let (quiet, loud): (Vec<&AddressRecord>, Vec<&AddressRecord>) =
        target.addresses.iter().partition(|place| fold && index.is_quiet(place));
    let mut folded = Vec::new();
    if more > 0 {
        folded.push(format!(
            "{} not drawn here; the findings and the JSON report hold them",
            count(more as u64, "more port", "more ports")
        ));
    }
    if loud.len() > ROWS {
        folded.push(format!(
            "{} not drawn here",
            count((loud.len() - ROWS) as u64, "more address", "more addresses")
        ));
    }
    let (dark, plain): (Vec<&AddressRecord>, Vec<&AddressRecord>) =
        quiet.into_iter().partition(|place| place.expect_dark && !place.states.answered());
    for (places, what) in [(dark, "dark, as expected"), (plain, "exactly as declared")] {
        if !places.is_empty() {
            folded.push(format!("{} {what}", count(places.len() as u64, "address", "addresses")));
        }
    }
    for place in loud.iter().filter(|place| place.answers_everything).take(3) {
        folded.push(format!("{} answers on everything: what is open there proves nothing", place.address));
    }
    let rows = loud.into_iter().take(ROWS).map(|place| row(target, place, &columns, index, seen)).collect();
    let columns =
        columns.into_iter().map(|(protocol, port)| column(report, target, protocol, port)).collect();
    Chart { id: target.id.clone(), columns, rows, folded }
}

/// The ports that are named or open, the noteworthy ones first chosen, then in order; and how many
/// are left out.
fn columns(report: &Report, target: &TargetRecord, index: &Index<'_>) -> (Vec<(Protocol, u16)>, usize) {
    let mut loud = BTreeSet::new();
    let mut named = BTreeSet::new();
    for entry in report.declared.iter().filter(|entry| entry.target == target.id) {
        // A wide range is one declaration, not a thousand columns: its open ports are drawn.
        if entry.ports.len() <= 8 {
            let ports = entry.ports.iter().map(|port| (entry.protocol, port));
            if entry.kind == DeclaredKind::Expose { loud.extend(ports) } else { named.extend(ports) }
        }
    }
    for place in target.addresses.iter().filter(|place| !place.answers_everything) {
        for seen in index.observed(&place.address) {
            let endpoint = (seen.protocol, seen.port);
            if index.mark(seen).is_quiet() {
                named.extend((seen.state == State::Open).then_some(endpoint));
            } else {
                loud.insert(endpoint);
            }
        }
    }
    let all: BTreeSet<_> = loud.union(&named).copied().collect();
    let mut kept: Vec<_> = loud.iter().chain(named.difference(&loud)).copied().take(COLUMNS).collect();
    kept.sort_unstable();
    let more = all.len() - kept.len();
    (kept, more)
}

fn column(report: &Report, target: &TargetRecord, protocol: Protocol, port: u16) -> Column {
    let declared = report
        .declared
        .iter()
        .find(|entry| entry.target == target.id && entry.protocol == protocol && entry.ports.contains(port));
    let service = declared.and_then(|entry| entry.service.clone()).unwrap_or_default();
    Column { port, protocol, service }
}

fn row(
    target: &TargetRecord,
    place: &AddressRecord,
    columns: &[(Protocol, u16)],
    index: &Index<'_>,
    drawn: &mut BTreeSet<Mark>,
) -> Row {
    let cells = columns
        .iter()
        .map(|&(protocol, port)| {
            let mark = index.mark_at(&target.id, place, protocol, port);
            drawn.insert(mark);
            let mut words = mark.words().to_owned();
            if mark == Mark::NotOpen && index.is_optional(&place.address, protocol, port) {
                words = String::from("declared optional, and not open");
            }
            Cell { symbol: symbol(mark), words }
        })
        .collect();
    let family = match place.family {
        Family::Ipv4 => "IPv4",
        Family::Ipv6 => "IPv6",
    };
    let name = place.name.clone().filter(|name| *name != place.address).unwrap_or_else(|| family.to_owned());
    Row { address: place.address.clone(), name, cells }
}

/// The symbol's id in the page.
fn symbol(mark: Mark) -> &'static str {
    match mark {
        Mark::Denied => "denied",
        Mark::Unlisted => "unlisted",
        Mark::Defect => "defect",
        Mark::Missing => "missing",
        Mark::Undecided => "undecided",
        Mark::Waived => "waived",
        Mark::Expected => "expected",
        Mark::NotOpen => "notopen",
        Mark::Unstated => "unstated",
    }
}
