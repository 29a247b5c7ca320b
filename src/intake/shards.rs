//! Parts of one plan that ran apart (`--shard`): their reports become what one run over all of them would have said.
//! Only of a plan that is the same in every endpoint, since then no endpoint is in two parts.

use std::{collections::BTreeMap, net::IpAddr};

use jiff::Timestamp;

use super::{
    Source,
    report::settle,
    source::{Part, Sighting},
};
use crate::model::{Miss, Protocol, Reason, State, StateCounts, Tally};

/// Joins what belongs together. The last file of a plan then speaks for all its parts, and the others are silent; of
/// one part that ran twice the later file counts. They come in the order of time.
pub fn join<'a>(sources: impl Iterator<Item = &'a mut Source>) {
    let mut plans: BTreeMap<(String, u32), BTreeMap<u32, &mut Source>> = BTreeMap::new();
    let sources: Vec<&mut Source> = sources.collect();
    let times: Vec<_> = sources.iter().map(|source| (ended(source), share(source))).collect();
    for source in sources {
        if let Some((plan, part, of)) = share(source) {
            plans.entry((plan, of)).or_default().insert(part, source);
        }
    }
    for ((plan, of), shards) in plans {
        let which: Vec<String> = shards.keys().map(|part| format!("{part}/{of}")).collect();
        let mut files: Vec<&mut Source> = shards.into_values().collect();
        if files.len() < 2 {
            continue;
        }
        files.sort_by_key(|file| ended(file));
        // What another file saw between them is later than what the first of them saw, and earlier than the last's.
        let span = files.first().map(|file| ended(file))..files.last().map(|file| ended(file));
        let is_other = |of_file: &Option<(String, u32, u32)>| {
            of_file.as_ref().is_none_or(|(other, _, parts)| (other, *parts) != (&plan, of))
        };
        let between = times.iter().any(|(at, of_file)| is_other(of_file) && span.contains(&Some(*at)));
        let mut together: BTreeMap<(IpAddr, Protocol), Vec<&Part>> = BTreeMap::new();
        for (key, part) in files.iter().flat_map(|file| &file.parts) {
            together.entry(*key).or_default().push(part);
        }
        // Nobody keeps a stranger from writing the name of one plan into reports of several.
        if between || !together.values().all(|parts| are_disjoint(parts)) {
            let why = if between { "another file lies between them in time" } else { "their totals overlap" };
            let told = format!("not judged as one run: parts {} of one plan, as {why}", which.join(", "));
            files.last_mut().into_iter().for_each(|last| last.remarks.push(told.clone()));
            continue;
        }
        let joined = together.into_iter().map(|(key, parts)| (key, joined(&parts))).collect();
        let answered = files.iter().any(|file| file.answered);
        for file in &mut files {
            file.parts.clear();
        }
        if let Some(last) = files.last_mut() {
            last.parts = joined;
            last.answered = answered;
            last.remarks.push(format!("judged as one run: parts {} of its plan", which.join(", ")));
        }
    }
}

fn ended(source: &Source) -> Option<Timestamp> {
    source.finished.or(source.started)
}

/// Which part of which plan a file is.
fn share(source: &Source) -> Option<(String, u32, u32)> {
    let selection = &source.report.as_ref()?.run.selection;
    let (part, of) = selection.shard.as_deref()?.split_once('/')?;
    Some((selection.plan.clone()?, part.parse().ok()?, of.parse().ok()?))
}

/// Whether they can be parts of one whole: the same ports, and together no more than these.
fn are_disjoint(parts: &[&Part]) -> bool {
    // A part of the plan that asks nothing of an address has no totals of it.
    let counted: Vec<(&Part, Tally)> = parts.iter().filter_map(|part| Some((*part, part.tally?))).collect();
    let asked: u64 = counted.iter().map(|(_, tally)| sent(tally).total()).sum();
    counted.first().is_none_or(|(first, _)| {
        asked <= u64::from(first.asked.len()) && counted.iter().all(|(part, _)| part.asked == first.asked)
    })
}

/// What of a tally was asked by its own run.
fn sent(tally: &Tally) -> StateCounts {
    let mut states = tally.states;
    states.sub(State::Unknown, tally.not_sent);
    states
}

/// One protocol of one address, of which each part asked other ports.
fn joined(parts: &[&Part]) -> Part {
    let since = parts.iter().map(|part| part.since).min().unwrap_or_default();
    let mut whole = Part { since, ..Part::default() };
    for part in parts {
        whole.at = whole.at.max(part.at);
        if part.tally.is_some() {
            whole.asked = part.asked.clone();
        }
        let is_own = |sighting: &Sighting| sighting.observation.reason != Reason::NotSent;
        for (port, sighting) in &part.seen {
            if is_own(sighting) || !whole.seen.contains_key(port) {
                whole.seen.insert(*port, sighting.clone());
            }
        }
        whole.tally = match (whole.tally, part.tally) {
            (Some(one), Some(other)) => Some(sum(&one, &other)),
            (None, Some(first)) => Some(Tally { states: sent(&first), not_sent: 0, ..first }),
            (known, None) => known,
        };
    }
    if let Some(tally) = &mut whole.tally {
        tally.not_sent = u64::from(whole.asked.len()).saturating_sub(tally.states.total());
        tally.states.add(State::Unknown, tally.not_sent);
    }
    settle(&mut whole);
    whole
}

/// A sum so far, and one more part. Of what can't be added up the worse counts.
fn sum(so_far: &Tally, part: &Tally) -> Tally {
    let mut states = so_far.states;
    states += sent(part);
    Tally {
        states,
        local: so_far.local.or(part.local),
        soft: so_far.soft.or(part.soft),
        prohibited: so_far.prohibited + part.prohibited,
        rtt: so_far.rtt.or(part.rtt),
        fell_silent: so_far.fell_silent || part.fell_silent,
        miss: Miss::worst(so_far.miss, part.miss),
        controls: [so_far.controls, part.controls].into_iter().flatten().max_by_key(|count| count.open),
        ..*so_far
    }
}
