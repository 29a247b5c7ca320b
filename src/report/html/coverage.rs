//! What was planned, asked, left out and resolved, as tables. The totals reconcile on the page, or
//! the page says that they do not.

use super::records::{Fact, ROWS, Sheet, filled, sheet};
use crate::{
    model::{Family, State, StateCounts},
    report::{
        Report,
        restrictions::levelled,
        words::{count, duration, expected, one_in, sum, thousands, whole},
    },
};

pub(super) fn verdict_sum(planned: u64, total: u64, judged: &[(u64, &str)]) -> String {
    let parts: Vec<String> =
        judged.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{} {word}", thousands(*n))).collect();
    let sum = if parts.is_empty() { "0".to_owned() } else { parts.join(" + ") };
    if total == planned {
        format!("{} judged = {sum}.", thousands(planned))
    } else {
        format!(
            "{} planned, but {sum} makes {}: these totals do not reconcile.",
            thousands(planned),
            thousands(total)
        )
    }
}

pub(super) fn states(report: &Report) -> Sheet {
    let states = &report.coverage.states;
    let rows: Vec<Vec<String>> = State::ALL
        .into_iter()
        .map(|state| vec![state.word().to_owned(), thousands(states.of(state))])
        .collect();
    let foot = vec![
        vec!["sum".to_owned(), thousands(states.total())],
        vec!["planned".to_owned(), thousands(report.coverage.planned)],
    ];
    sheet("Where every endpoint ended", &[("State", 't'), ("Endpoints", 'n')], rows).footed(foot).fixed()
}

pub(super) fn judgements(judged: &[(u64, &str)]) -> Sheet {
    let rows: Vec<Vec<String>> =
        judged.iter().map(|(n, word)| vec![(*word).to_owned(), thousands(*n)]).collect();
    let foot = vec![vec!["sum".to_owned(), thousands(sum(judged.iter().map(|(n, _)| *n)))]];
    sheet("How every endpoint was judged", &[("Verdict", 't'), ("Endpoints", 'n')], rows).footed(foot).fixed()
}

pub(super) fn probes(report: &Report) -> Sheet {
    let coverage = &report.coverage;
    let rows = [
        ("probes sent, repeats included", thousands(coverage.probes_sent)),
        ("of these, repeats", thousands(coverage.retransmitted)),
        ("answers to a probe", thousands(coverage.replies)),
        ("stray answers, counted and not believed", thousands(coverage.strays)),
        ("answers believed by chance alone, as expected", expected(coverage.expected_false_accepts)),
        ("answers lost in the scanning machine", thousands(coverage.kernel_drops)),
        ("probes that failed on the scanning machine", thousands(coverage.send_errors)),
        ("time", duration(coverage.duration_s)),
        ("probes a second", thousands(whole(coverage.rate_pps))),
    ];
    let rows = rows.into_iter().map(|(what, n)| vec![what.to_owned(), n]).collect();
    sheet("What was sent and what came back", &[("What", 't'), ("Number", 'n')], rows).fixed()
}

pub(super) fn per_address(report: &Report) -> Option<Sheet> {
    let all = &report.coverage.per_address;
    let mut rows: Vec<Vec<String>> = Vec::new();
    for place in all.iter().take(ROWS) {
        let mut row = vec![place.address.clone(), thousands(place.planned)];
        row.extend(State::ALL.map(|state| thousands(place.states.of(state))));
        row.push(place.rtt_ms.map_or_else(|| "–".to_owned(), |ms| format!("{ms:.1}")));
        row.push(place.miss.map_or_else(|| "–".to_owned(), |miss| one_in(miss.upper95)));
        rows.push(row);
    }
    let mut foot = Vec::new();
    let rest = all.get(ROWS..).unwrap_or_default();
    if !rest.is_empty() {
        let mut states = StateCounts::default();
        for place in rest {
            states += place.states;
        }
        let mut row = vec![count(rest.len() as u64, "more address", "more addresses")];
        row.push(thousands(sum(rest.iter().map(|place| place.planned))));
        row.extend(State::ALL.map(|state| thousands(states.of(state))));
        row.push("–".to_owned());
        let worst = rest.iter().filter_map(|place| place.miss).map(|miss| miss.upper95).reduce(f64::max);
        row.push(worst.map_or_else(|| "–".to_owned(), one_in));
        foot.push(row);
    }
    let columns = [
        ("Address", 'c'),
        ("Planned", 'n'),
        ("Open", 'n'),
        ("Closed", 'n'),
        ("Filtered", 'n'),
        ("Unanswered", 'n'),
        ("Unknown", 'n'),
        ("RTT, ms", 'n'),
        ("Chance of a miss, at most", 'n'),
    ];
    filled("Control totals of each address", &columns, rows).map(|sheet| sheet.footed(foot))
}

pub(super) fn dns(report: &Report) -> Option<Sheet> {
    let rows = report.run.resolver.answers.iter().map(|answer| {
        let family = match answer.family {
            Family::Ipv4 => "A",
            Family::Ipv6 => "AAAA",
        };
        let status = answer
            .error
            .as_ref()
            .map_or_else(|| answer.status.replace('_', " "), |error| format!("{}: {error}", answer.status));
        vec![
            answer.name.clone(),
            family.to_owned(),
            status,
            if answer.addresses.is_empty() { "–".to_owned() } else { answer.addresses.join(", ") },
            if answer.chain.is_empty() { "–".to_owned() } else { answer.chain.join(" → ") },
            answer.ttl_s.map_or_else(|| "–".to_owned(), |ttl| thousands(u64::from(ttl))),
        ]
    });
    let columns = [
        ("Name", 'c'),
        ("Type", 't'),
        ("Status", 't'),
        ("Addresses", 'c'),
        ("By way of", 'c'),
        ("TTL, s", 'n'),
    ];
    filled("What DNS said", &columns, rows.collect())
}

pub(super) fn not_scanned(report: &Report) -> Option<Sheet> {
    let rows = report.not_scanned.iter().map(|left| vec![left.what.clone(), left.why.clone()]).collect();
    filled("What was not scanned, and why", &[("What", 't'), ("Why", 't')], rows)
}

pub(super) fn fallbacks(report: &Report) -> Option<Sheet> {
    let rows =
        report.run.fallbacks.iter().map(|f| vec![f.asked.clone(), f.used.clone(), f.why.clone()]).collect();
    filled(
        "What was asked for and could not be had",
        &[("Asked", 't'), ("Used instead", 't'), ("Why", 't')],
        rows,
    )
}

pub(super) fn selection(report: &Report) -> Vec<Fact> {
    let selection = &report.run.selection;
    let mut facts = Vec::new();
    for (label, items) in [("Only", &selection.only), ("Without", &selection.exclude)] {
        if !items.is_empty() {
            facts.push(Fact::new(label, items.join(", ")));
        }
    }
    if let Some(families) = &selection.families {
        let families: Vec<String> = families.iter().map(ToString::to_string).collect();
        facts.push(Fact::new("Families", families.join(", ")));
    }
    for (label, text) in [
        ("TCP ports", &selection.tcp),
        ("UDP ports", &selection.udp),
        ("Part", &selection.shard),
        ("Paperwork as of", &selection.at),
    ] {
        facts.extend(text.clone().map(|text| Fact::new(label, text)));
    }
    if selection.strict {
        facts.push(Fact::new("Strict", "exceptions were ignored".to_owned()));
    }
    let levels: Vec<String> = selection.levels.iter().map(|(id, level)| levelled(id, *level)).collect();
    if !levels.is_empty() {
        facts.push(Fact::new("Rules", levels.join(", ")));
    }
    facts
}
