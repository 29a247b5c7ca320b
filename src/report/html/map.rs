//! The exposure map: per target, addresses against the ports that are named or open; and where there
//! are many targets, one mark and one line for each. Shape and colour say the same, and words say it a
//! third time. Bounded, with a count of what is folded.

use std::collections::BTreeSet;

use serde::Serialize;

use super::ranked::Ranked;
use crate::{
    model::{Family, Protocol},
    report::{
        AddressRecord, DeclaredKind, TargetRecord,
        index::{Index, Mark},
        words::{count, thousands},
    },
};

/// The most columns of one map.
const COLUMNS: usize = 20;
/// The most rows of one map that are not quiet, and quiet ones on top of them.
const ROWS: usize = 200;
/// From so many addresses on, quiet ones share a line.
const FOLDED_FROM: usize = 8;
/// With more targets than these, there is a look at all of them, and only the worst have a chart.
const CHARTED: usize = 12;
/// The most charts then.
const CHARTS: usize = 30;
/// The marks that a target may stand by, the worst first.
const STANDINGS: [Mark; 8] = [
    Mark::Denied,
    Mark::Unlisted,
    Mark::Defect,
    Mark::Missing,
    Mark::Otherwise,
    Mark::Undecided,
    Mark::LetThrough,
    Mark::Waived,
];
/// The marks that its endpoints are counted by.
const COUNTED: [Mark; 8] = [
    Mark::Denied,
    Mark::Unlisted,
    Mark::Defect,
    Mark::Missing,
    Mark::Undecided,
    Mark::LetThrough,
    Mark::Waived,
    Mark::Expected,
];

/// The maps, and the legend of what occurs in them.
#[derive(Serialize)]
pub(super) struct Map {
    survey: Option<Survey>,
    targets: Vec<Chart>,
    /// How many are not as declared and have no chart.
    more: Option<String>,
    legend: Vec<Key>,
}

/// All targets at once.
#[derive(Serialize)]
struct Survey {
    /// One mark a target.
    tiles: Vec<Tile>,
    /// The same in a sentence.
    words: String,
    columns: Vec<&'static str>,
    /// Those that are not as declared, a line each.
    rows: Vec<Line>,
    /// The others, added up.
    rest: Option<Line>,
    /// Their names.
    quiet: Vec<String>,
    quiet_count: String,
}

#[derive(Serialize)]
struct Tile {
    symbol: &'static str,
    name: String,
}

#[derive(Serialize)]
struct Line {
    symbol: &'static str,
    words: &'static str,
    name: String,
    owner: String,
    addresses: String,
    counts: Vec<String>,
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
pub(super) fn build(ranked: &[Ranked<'_>], index: &Index<'_>) -> Map {
    let mut seen = BTreeSet::new();
    let many = ranked.len() > CHARTED;
    let loud = ranked.iter().filter(|ranked| ranked.worst.is_some()).count();
    let most = if many { CHARTS.min(loud) } else { ranked.len() };
    let targets = ranked.iter().take(most).map(|ranked| chart(ranked.target, index, &mut seen)).collect();
    let survey = many.then(|| survey(ranked, &mut seen));
    let left = if many { (loud - most) as u64 } else { 0 };
    let legend = seen.into_iter().map(|mark| Key { symbol: symbol(mark), words: mark.words() }).collect();
    Map { survey, targets, more: (left > 0).then(|| count(left, "more target", "more targets")), legend }
}

fn survey(ranked: &[Ranked<'_>], drawn: &mut BTreeSet<Mark>) -> Survey {
    let (loud, quiet): (Vec<&Ranked<'_>>, Vec<&Ranked<'_>>) =
        ranked.iter().partition(|ranked| ranked.worst.is_some());
    let stands = |ranked: &Ranked<'_>| ranked.worst.unwrap_or(Mark::Expected);
    drawn.extend(ranked.iter().map(stands));
    let tiles =
        ranked.iter().map(|ranked| Tile { symbol: symbol(stands(ranked)), name: ranked.target.id.clone() });
    let parts: Vec<String> = STANDINGS
        .into_iter()
        .filter_map(|mark| {
            let n = loud.iter().filter(|ranked| ranked.worst == Some(mark)).count() as u64;
            (n > 0).then(|| format!("{} {}", thousands(n), mark.words()))
        })
        .collect();
    let exactly = count(quiet.len() as u64, "target", "targets");
    let words = if parts.is_empty() {
        format!("{exactly} exactly as declared")
    } else {
        format!("by the worst of each: {}; {exactly} exactly as declared", parts.join("; "))
    };
    let rest = (!quiet.is_empty()).then(|| Line {
        symbol: symbol(Mark::Expected),
        words: "exactly as declared",
        name: format!("{exactly} exactly as declared"),
        owner: "–".to_owned(),
        addresses: thousands(quiet.iter().map(|ranked| ranked.target.addresses.len() as u64).sum()),
        counts: COUNTED.map(|mark| thousands(quiet.iter().map(|ranked| marked(ranked, mark)).sum())).to_vec(),
    });
    Survey {
        tiles: tiles.collect(),
        words,
        columns: COUNTED.map(Mark::words).to_vec(),
        rows: loud.into_iter().map(line).collect(),
        rest,
        quiet: quiet.iter().map(|ranked| ranked.target.id.clone()).collect(),
        quiet_count: exactly,
    }
}

fn line(ranked: &Ranked<'_>) -> Line {
    let worst = ranked.worst.unwrap_or(Mark::Expected);
    Line {
        symbol: symbol(worst),
        words: worst.words(),
        name: ranked.target.id.clone(),
        owner: ranked.target.owner.clone().unwrap_or_else(|| "–".to_owned()),
        addresses: thousands(ranked.target.addresses.len() as u64),
        counts: COUNTED.map(|mark| thousands(marked(ranked, mark))).to_vec(),
    }
}

fn marked(ranked: &Ranked<'_>, mark: Mark) -> u64 {
    ranked.marks.get(&mark).copied().unwrap_or(0)
}

fn chart(target: &TargetRecord, index: &Index<'_>, seen: &mut BTreeSet<Mark>) -> Chart {
    let (columns, left) = columns(target, index);
    let fold = target.addresses.len() > FOLDED_FROM;
    let (quiet, loud): (Vec<&AddressRecord>, Vec<&AddressRecord>) =
        target.addresses.iter().partition(|place| fold && index.is_quiet(place));
    let mut folded = Vec::new();
    for (ports, what) in [
        (left.quiet, "not open, as they should be"),
        (left.other, "not drawn here; the tables below and the JSON report hold them"),
    ] {
        if ports > 0 {
            folded.push(format!("{} {what}", count(ports, "more port", "more ports")));
        }
    }
    if loud.len() > ROWS {
        folded.push(format!(
            "{} not drawn here",
            count((loud.len() - ROWS) as u64, "more address", "more addresses")
        ));
    }
    for (what, places) in index.folded(quiet) {
        if !places.is_empty() {
            folded.push(format!("{} {what}", count(places.len() as u64, "address", "addresses")));
        }
    }
    for place in loud.iter().filter(|place| place.answers_everything).take(3) {
        folded.push(format!("{} answers on everything: what is open there proves nothing", place.address));
    }
    let rows = loud.into_iter().take(ROWS).map(|place| row(target, place, &columns, index, seen)).collect();
    let columns = columns.into_iter().map(|(protocol, port)| column(target, index, protocol, port)).collect();
    Chart { id: target.id.clone(), columns, rows, folded }
}

/// Ports that have no column.
#[derive(Default)]
struct Left {
    /// Not open on any address, and not meant to be.
    quiet: u64,
    other: u64,
}

/// The ports that are named or open: those that deviate or are in doubt first, then what is exposed, then the
/// others, each in order; and what is left out.
fn columns(target: &TargetRecord, index: &Index<'_>) -> (Vec<(Protocol, u16)>, Left) {
    let (mut loud, mut exposed, mut named) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for entry in index.declared(&target.id) {
        // A wide range is one declaration, not a thousand columns: its open ports are drawn.
        if entry.ports.len() <= 8 {
            let ports = entry.ports.iter().map(|port| (entry.protocol, port));
            if entry.kind == DeclaredKind::Expose { exposed.extend(ports) } else { named.extend(ports) }
        }
    }
    let mut open = BTreeSet::new();
    for place in target.addresses.iter().filter(|place| !place.answers_everything) {
        for seen in index.observed(&place.address) {
            let (endpoint, mark) = ((seen.protocol, seen.port), index.mark(seen));
            if !mark.is_quiet() {
                loud.insert(endpoint);
            } else if mark != Mark::NotOpen {
                open.insert(endpoint);
            }
        }
    }
    named.extend(&open);
    exposed.retain(|endpoint| !loud.contains(endpoint));
    named.retain(|endpoint| !loud.contains(endpoint) && !exposed.contains(endpoint));
    let mut kept: Vec<_> = loud.iter().chain(&exposed).chain(&named).copied().collect();
    let left = kept.split_off(COLUMNS.min(kept.len()));
    let is_shut = |&(protocol, port): &(Protocol, u16)| {
        let mut marks = target.addresses.iter().map(|place| index.mark_at(&target.id, place, protocol, port));
        marks.all(|mark| mark == Mark::NotOpen)
    };
    let is_quiet = |endpoint: &&(Protocol, u16)| {
        named.contains(*endpoint) && !open.contains(*endpoint) && is_shut(endpoint)
    };
    let quiet = left.iter().filter(is_quiet).count();
    (kept, Left { quiet: quiet as u64, other: (left.len() - quiet) as u64 })
}

fn column(target: &TargetRecord, index: &Index<'_>, protocol: Protocol, port: u16) -> Column {
    let mut entries = index.declared(&target.id).iter();
    let declared = entries.find(|entry| entry.protocol == protocol && entry.ports.contains(port));
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
        Mark::Otherwise => "otherwise",
        Mark::Undecided => "undecided",
        Mark::LetThrough => "letthrough",
        Mark::Waived => "waived",
        Mark::Expected => "expected",
        Mark::NotOpen => "notopen",
        Mark::Unstated => "unstated",
    }
}
