//! The targets that have no part of their own, where there are many: one row each, and their
//! endpoints and certificates in tables that they share.

use serde::Serialize;

use super::{
    ranked::Ranked,
    records::{ENDPOINT, Sheet, endpoint_row, filled, or_dash},
    tls,
};
use crate::{
    model::{State, StateCounts},
    report::{
        Report,
        index::{Index, Mark},
        words::{count, thousands},
    },
};

/// The most endpoints that are listed; the report as JSON holds all.
const ENDPOINTS: usize = 10_000;

/// Their tables.
#[derive(Serialize)]
pub(super) struct Others {
    number: String,
    note: &'static str,
    targets: Sheet,
    endpoints: Option<Sheet>,
    tls: Vec<Sheet>,
}

/// `None` where every target has a part of its own.
pub(super) fn build(report: &Report, rest: &[&Ranked<'_>], index: &Index<'_>) -> Option<Others> {
    let rows = rest.iter().map(|ranked| row(report, ranked)).collect();
    let alike = rest.iter().all(|ranked| ranked.worst.is_none());
    let alone = rest.len() == report.targets.len();
    let columns = [
        ("Target", 'c'),
        ("Hosts", 'c'),
        ("Owner", 't'),
        ("Tags", 't'),
        ("Ports asked", 'c'),
        ("Against the manifest", 't'),
        ("Addresses", 'n'),
        ("Open", 'n'),
        ("Closed", 'n'),
        ("Filtered", 'n'),
        ("Unanswered", 'n'),
        ("Unknown", 'n'),
    ];
    let targets = filled("The other targets, one row each", &columns, rows)?;
    let places = rest.iter().flat_map(|ranked| &ranked.target.addresses);
    let tls = tls::sheets("the other targets", places, index).map(|(first, rest)| {
        let mut all = vec![first];
        all.extend(rest);
        all
    });
    Some(Others {
        number: if alone {
            count(rest.len() as u64, "target", "targets")
        } else {
            count(rest.len() as u64, "more target", "more targets")
        },
        note: match (alike, alone) {
            (true, true) => "All are exactly as declared, and share the tables below.",
            (true, false) => "These are exactly as declared, and share the tables below.",
            (false, _) => "The worst have a part of their own above; these share the tables below.",
        },
        targets,
        endpoints: endpoints(rest, index),
        tls: tls.unwrap_or_default(),
    })
}

fn row(report: &Report, ranked: &Ranked<'_>) -> Vec<String> {
    let target = ranked.target;
    let mut states = StateCounts::default();
    for place in &target.addresses {
        states += place.states;
    }
    let mut row = vec![
        target.id.clone(),
        target.hosts.join(", "),
        or_dash(target.owner.as_ref()),
        or_dash(Some(&target.tags.join(", "))),
        or_dash(report.coverage.port_sets.get(&target.id)),
        ranked.worst.map_or("exactly as declared", Mark::words).to_owned(),
        thousands(target.addresses.len() as u64),
    ];
    row.extend(State::ALL.map(|state| thousands(states.of(state))));
    row
}

fn endpoints(rest: &[&Ranked<'_>], index: &Index<'_>) -> Option<Sheet> {
    let mut seen = rest.iter().flat_map(|ranked| {
        ranked
            .target
            .addresses
            .iter()
            .flat_map(move |place| index.observed(&place.address))
            .map(move |seen| (&ranked.target.id, *seen))
    });
    let rows = seen
        .by_ref()
        .take(ENDPOINTS)
        .map(|(target, seen)| {
            let mut row = endpoint_row(seen, index.mark(seen));
            row.insert(0, target.clone());
            row
        })
        .collect();
    let more = seen.count() as u64;
    let mut columns = vec![("Target", 'c')];
    columns.extend(ENDPOINT);
    let sheet = filled("Every open or named endpoint of the other targets", &columns, rows)?;
    let note = (more > 0)
        .then(|| format!("{} in the JSON report.", count(more, "more endpoint is", "more endpoints are")));
    Some(sheet.noted(note))
}
