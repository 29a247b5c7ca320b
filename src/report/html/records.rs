//! The page's records: tables per target, control totals, DNS, exceptions, declarations, provenance.
//! Everything an auditor asks for after the findings.

use serde::Serialize;

use super::{
    coverage,
    others::{self, Others},
    paperwork::{self, Forbidden},
    ranked::Ranked,
    tls,
};
use crate::{
    model::{State, StateCounts},
    report::{
        AddressRecord, ObservationRecord, Report, TargetRecord,
        index::{Index, Mark},
        summary::reconciled,
        words::{capital, count, few, listed, thousands},
    },
};

/// The most rows of a table of addresses; the rest is added up in its last row.
pub(super) const ROWS: usize = 250;
/// So many targets, the worst of them, have a part of their own; the others share tables.
const FULL: usize = 200;
/// With more targets than these, those that are as declared share tables as well.
const EVERY: usize = 12;
/// From so many addresses on, quiet ones share a row.
const FOLDED_FROM: usize = 8;
/// Ports of an address that one cell lists.
const PORTS: usize = 24;

/// A label and a text.
#[derive(Serialize)]
pub(super) struct Fact {
    label: &'static str,
    text: String,
}

impl Fact {
    pub(super) fn new(label: &'static str, text: String) -> Self {
        Self { label, text }
    }
}

/// One table.
#[derive(Serialize)]
pub(super) struct Sheet {
    caption: String,
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
    /// What adds others up; stays below them, however they are sorted.
    foot: Vec<Vec<String>>,
    /// Whether the order of its rows is the reader's to choose.
    sort: bool,
    note: Option<String>,
}

impl Sheet {
    /// With rows at its foot that add others up.
    pub(super) fn footed(self, foot: Vec<Vec<String>>) -> Self {
        Self { foot, ..self }
    }

    /// In the order of its rows and no other.
    pub(super) fn fixed(self) -> Self {
        Self { sort: false, ..self }
    }

    /// With a word below it on what it leaves out.
    pub(super) fn noted(self, note: Option<String>) -> Self {
        Self { note, ..self }
    }
}

#[derive(Serialize)]
struct Column {
    label: &'static str,
    /// `n` for numbers, `c` for code, `x` for code that may break anywhere, `t` for text.
    kind: char,
}

/// Everything below the map.
#[derive(Serialize)]
pub(super) struct Records {
    targets: Vec<Target>,
    others: Option<Others>,
    sums: Vec<String>,
    totals: Vec<Sheet>,
    per_address: Option<Sheet>,
    dns: Option<Sheet>,
    resolvers: String,
    not_scanned: Option<Sheet>,
    fallbacks: Option<Sheet>,
    selection: Vec<Fact>,
    /// What of the paperwork fails, and what to say where there is no remark.
    failing: Option<String>,
    remarkless: String,
    exceptions: Option<Sheet>,
    declared: Option<Sheet>,
    forbidden: Vec<Forbidden>,
    authorization: Vec<Fact>,
    provenance: Vec<Fact>,
}

#[derive(Serialize)]
struct Target {
    id: String,
    facts: Vec<Fact>,
    sheet: Sheet,
    endpoints: Option<Sheet>,
    tls: Option<Sheet>,
    /// Certificates and cipher suites in full.
    tls_details: Vec<Sheet>,
}

/// Builds the records.
pub(super) fn build(report: &Report, ranked: &[Ranked<'_>], index: &Index<'_>) -> Records {
    let verdicts = &report.summary.verdicts;
    let judged = [
        (verdicts.pass, "pass"),
        (verdicts.pass_by_silence, "pass by silence"),
        (verdicts.fail, "fail"),
        (verdicts.inconclusive, "inconclusive"),
        (verdicts.not_covered, "not covered"),
        (verdicts.waived, "waived"),
    ];
    let loud = ranked.iter().take_while(|ranked| ranked.worst.is_some()).count();
    let whole = if ranked.len() > EVERY { loud.min(FULL) } else { ranked.len() };
    let (full, rest) = ranked.split_at(whole);
    let (mut full, mut rest): (Vec<&Ranked<'_>>, Vec<&Ranked<'_>>) =
        (full.iter().collect(), rest.iter().collect());
    let paper = paperwork::Standing::of(report);
    for part in [&mut full, &mut rest] {
        part.sort_by_key(|ranked| ranked.number);
    }
    Records {
        targets: full.iter().map(|ranked| target_record(report, ranked.target, index)).collect(),
        others: others::build(report, &rest, index),
        sums: vec![
            format!("{}.", reconciled(report.coverage.planned, &report.coverage.states)),
            coverage::verdict_sum(report.coverage.planned, verdicts.total(), &judged),
        ],
        totals: vec![coverage::states(report), coverage::judgements(&judged), coverage::probes(report)],
        per_address: coverage::per_address(report),
        dns: coverage::dns(report),
        resolvers: listed(&report.run.resolver.servers),
        not_scanned: coverage::not_scanned(report),
        fallbacks: coverage::fallbacks(report),
        selection: coverage::selection(report),
        failing: paper.failing().map(|text| capital(&text)),
        remarkless: paper.words(),
        exceptions: paperwork::exceptions(report),
        declared: paperwork::declared(report),
        forbidden: paperwork::forbidden(report),
        authorization: paperwork::authorization(report),
        provenance: paperwork::provenance(report),
    }
}

pub(super) fn sheet(caption: &str, columns: &[(&'static str, char)], rows: Vec<Vec<String>>) -> Sheet {
    let columns = columns.iter().map(|&(label, kind)| Column { label, kind }).collect();
    Sheet { caption: caption.to_owned(), columns, rows, foot: Vec::new(), sort: true, note: None }
}

/// `None` where there is nothing to list.
pub(super) fn filled(
    caption: &str,
    columns: &[(&'static str, char)],
    rows: Vec<Vec<String>>,
) -> Option<Sheet> {
    (!rows.is_empty()).then(|| sheet(caption, columns, rows))
}

pub(super) fn or_dash(text: Option<&String>) -> String {
    text.filter(|text| !text.is_empty()).cloned().unwrap_or_else(|| "–".to_owned())
}

fn target_record(report: &Report, target: &TargetRecord, index: &Index<'_>) -> Target {
    let fold = target.addresses.len() > FOLDED_FROM;
    let (quiet, loud): (Vec<&AddressRecord>, Vec<&AddressRecord>) =
        target.addresses.iter().partition(|place| fold && index.is_quiet(place));
    let rows: Vec<Vec<String>> = loud.iter().take(ROWS).map(|place| address_row(place, index)).collect();
    let mut foot: Vec<Vec<String>> = Vec::new();
    foot.extend(folded_row(loud.get(ROWS..).unwrap_or_default(), "more"));
    foot.extend(index.folded(quiet).iter().filter_map(|(what, places)| folded_row(places, what)));
    let columns = [
        ("Address", 'c'),
        ("Open, declared", 'c'),
        ("Open, not declared", 'c'),
        ("Closed", 'n'),
        ("Filtered", 'n'),
        ("Unanswered", 'n'),
        ("Unknown", 'n'),
        ("Alive because", 't'),
    ];
    let mut facts = vec![Fact::new("Hosts", listed(&target.hosts))];
    facts.push(Fact::new("Owner", target.owner.clone().unwrap_or_else(|| "nobody is named".to_owned())));
    if !target.tags.is_empty() {
        facts.push(Fact::new("Tags", target.tags.join(", ")));
    }
    facts.extend(
        report.coverage.port_sets.get(&target.id).map(|ports| Fact::new("Ports asked", ports.clone())),
    );
    let (tls, tls_details) = tls::sheets(&target.id, &target.addresses, index).unzip();
    Target {
        id: target.id.clone(),
        facts,
        sheet: sheet(&format!("Addresses of {}", target.id), &columns, rows).footed(foot),
        endpoints: endpoints(target, index),
        tls,
        tls_details: tls_details.unwrap_or_default(),
    }
}

fn address_row(place: &AddressRecord, index: &Index<'_>) -> Vec<String> {
    let (mut declared, mut others) = (Vec::new(), Vec::new());
    for seen in index.observed(&place.address).iter().filter(|seen| seen.state == State::Open) {
        let named = format!("{}/{}", seen.port, seen.protocol);
        if index.exposure(&seen.address, seen.protocol, seen.port).is_some() {
            declared.push(named);
        } else {
            others.push(named);
        }
    }
    let others = if place.answers_everything {
        "answers on everything".to_owned()
    } else {
        few(&others, PORTS, ", ", "–")
    };
    let alive = place.liveness.clone().unwrap_or_else(|| {
        match place.alive {
            Some(true) => "answered",
            Some(false) if place.expect_dark => "silent, as expected",
            Some(false) => "silent on everything",
            None => "not asked to the end",
        }
        .to_owned()
    });
    let mut row = vec![place.address.clone(), few(&declared, PORTS, ", ", "–"), others];
    row.extend(
        [State::Closed, State::Filtered, State::Unanswered, State::Unknown]
            .map(|state| thousands(place.states.of(state))),
    );
    row.push(alive);
    row
}

/// Many addresses as one row; their numbers added up, so that the table still reconciles.
fn folded_row(places: &[&AddressRecord], what: &str) -> Option<Vec<String>> {
    let (first, last) = (places.first()?, places.last()?);
    let mut states = StateCounts::default();
    for place in places {
        states += place.states;
    }
    let open = if states.open == 0 { "–".to_owned() } else { count(states.open, "port", "ports") };
    let number = count(places.len() as u64, "address", "addresses");
    let mut row = vec![format!("{number}, {} to {}", first.address, last.address), open, "–".to_owned()];
    row.extend(
        [State::Closed, State::Filtered, State::Unanswered, State::Unknown]
            .map(|state| thousands(states.of(state))),
    );
    row.push(what.to_owned());
    Some(row)
}

/// What is open or named on each address, one row an endpoint.
fn endpoints(target: &TargetRecord, index: &Index<'_>) -> Option<Sheet> {
    let mut rows = Vec::new();
    let mut more = 0;
    for place in &target.addresses {
        for seen in index.observed(&place.address) {
            let mark = index.mark(seen);
            let proves_nothing = place.answers_everything && mark != Mark::Expected && rows.len() > ROWS;
            if proves_nothing || rows.len() >= 4 * ROWS {
                more += 1;
                continue;
            }
            rows.push(endpoint_row(seen, mark));
        }
    }
    let sheet = filled(&format!("Every open or named endpoint of {}", target.id), &ENDPOINT, rows)?;
    let note = (more > 0)
        .then(|| format!("{} in the JSON report.", count(more, "more endpoint is", "more endpoints are")));
    Some(sheet.noted(note))
}

/// The columns of a table of endpoints.
pub(super) const ENDPOINT: [(&str, char); 8] = [
    ("Address", 'c'),
    ("Endpoint", 'c'),
    ("State", 't'),
    ("Reason", 't'),
    ("Against the manifest", 't'),
    ("Service", 't'),
    ("RTT, ms", 'n'),
    ("Probes", 'n'),
];

pub(super) fn endpoint_row(seen: &ObservationRecord, mark: Mark) -> Vec<String> {
    let service = seen.service.clone().or_else(|| seen.banner.clone());
    vec![
        seen.address.clone(),
        format!("{}/{}", seen.port, seen.protocol),
        seen.state.word().to_owned(),
        seen.reason.clone(),
        mark.words().to_owned(),
        or_dash(service.as_ref()),
        seen.rtt_ms.map_or_else(|| "–".to_owned(), |ms| format!("{ms:.1}")),
        seen.attempts.to_string(),
    ]
}
