//! The targets, worst first: what the map draws and the tables show before they fold.

use std::collections::BTreeMap;

use crate::report::{
    Report, TargetRecord,
    index::{Index, Mark},
};

/// A target, and how it stands.
pub(super) struct Ranked<'a> {
    pub(super) target: &'a TargetRecord,
    /// Its place in the report, which names its part of the page.
    pub(super) number: usize,
    /// The worst mark of it; `None` where everything is as declared.
    pub(super) worst: Option<Mark>,
    /// Its recorded endpoints by mark.
    pub(super) marks: BTreeMap<Mark, u64>,
}

/// All of them; those that are alike in the report's order.
pub(super) fn ranked<'a>(report: &'a Report, index: &Index<'_>) -> Vec<Ranked<'a>> {
    let mut all: Vec<Ranked<'a>> = report
        .targets
        .iter()
        .enumerate()
        .map(|(number, target)| {
            let mut marks: BTreeMap<Mark, u64> = BTreeMap::new();
            for place in &target.addresses {
                for seen in index.observed(&place.address) {
                    *marks.entry(index.mark(seen)).or_default() += 1;
                }
            }
            let seen = marks.keys().copied().find(|mark| !mark.is_quiet());
            let unsure = target.addresses.iter().any(|place| {
                place.states.unknown > 0 || place.answers_everything || index.is_in_doubt(place)
            });
            let doubt = unsure.then_some(Mark::Undecided);
            let worst = [seen, index.concern(&target.id), doubt].into_iter().flatten().min();
            Ranked { target, number, worst, marks }
        })
        .collect();
    all.sort_by_key(|ranked| ranked.worst.unwrap_or(Mark::Unstated));
    all
}
