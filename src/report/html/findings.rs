//! The findings as the page shows them: the worst in full, the many folded, none lost.

use std::collections::{BTreeSet, HashMap};

use serde::Serialize;

use super::{
    card::{Card, card},
    history::History,
    prose::{Piece, pieces},
};
use crate::{
    model::{Kind, Severity, Verdict, rule},
    report::{
        Finding, Report,
        index::{Group, Index, acts, grouped},
        words::{count, thousands},
    },
};

/// So many findings of one target and severity are shown in full.
const IN_FULL: usize = 10;
/// A report with more findings than these shows fewer in full,
const MANY: usize = 500;
/// namely so many of a section.
const OF_MANY: usize = 60;
/// A list of ports is written in parts of about so many octets.
const PORTS: usize = 4000;

/// The sections of the findings part.
#[derive(Serialize)]
pub(super) struct Findings {
    /// What is wrong, by severity, then what is in doubt, then what is waived; empty ones left out.
    sections: Vec<Section>,
    /// The cards again, a line each, for who wants to see them all at once.
    glance: Vec<Glance>,
    /// How many are wrong or in doubt and have no card: they are in the folded tables.
    glance_more: Option<String>,
    /// What is new and what was known, where an earlier report was given.
    history: Option<String>,
    /// Remarks about the paperwork: they fail nothing.
    remarks: Vec<Row>,
}

#[derive(Serialize)]
struct Section {
    id: String,
    title: String,
    /// The class that colours it.
    tone: &'static str,
    explained: Vec<Piece>,
    cards: Vec<Card>,
    /// Alike ones, a line each.
    rest: Vec<Row>,
    rest_count: String,
    /// What to do about them, a line each rule.
    cures: Vec<Cure>,
}

#[derive(Serialize)]
struct Cure {
    rule: String,
    name: &'static str,
    remedy: Vec<Piece>,
}

/// A finding on one line, with the way to its card.
#[derive(Serialize)]
struct Glance {
    anchor: String,
    severity: &'static str,
    tone: &'static str,
    place: String,
    title: String,
    owner: String,
    since: String,
}

/// A finding, or many alike, on one line.
#[derive(Serialize)]
struct Row {
    severity: &'static str,
    verdict: String,
    rule: String,
    target: String,
    place: String,
    /// In parts, so that none is too long for a text of the page.
    ports: Vec<String>,
    title: String,
    owner: String,
    since: String,
    age: &'static str,
    manifest: String,
    number: String,
}

/// Sorts the findings into sections.
pub(super) fn build(report: &Report, index: &Index<'_>) -> Findings {
    let history = History::of(report);
    let section = |id: &str, tone, explained, wanted: &dyn Fn(&Finding) -> bool| {
        section(report, index, &history, (id, tone, explained), wanted)
    };
    let mut sections = Vec::new();
    for severity in Severity::ALL {
        let wrong = |finding: &Finding| finding.verdict == Verdict::Fail && finding.severity == severity;
        sections.extend(section(severity.word(), severity.word(), None, &wrong));
    }
    sections.extend(section(
        "undecided",
        "undecided",
        Some("Asked, or meant to be asked, and not decided. None of these counts as conforming."),
        &|finding| acts(finding) && finding.verdict != Verdict::Fail,
    ));
    sections.extend(section(
        "waived",
        "waived",
        Some("Deviations and doubts that an exception in force accepts. They stay visible until it ends."),
        &|finding| finding.verdict == Verdict::Waived,
    ));
    sections.extend(section(
        "warnings",
        "low",
        Some("Differs from the manifest, and the manifest (`unlisted: warn`) or this run (`-W`) only warns of it. None of these fails the run."),
        &|finding| passes(finding) && finding.kind != Kind::Governance,
    ));
    let remarks =
        report.findings.iter().filter(|finding| passes(finding) && finding.kind == Kind::Governance);
    let glance: Vec<Glance> = sections
        .iter()
        .filter(|section| !matches!(section.id.as_str(), "waived" | "warnings"))
        .flat_map(|section| &section.cards)
        .map(glance)
        .collect();
    let left = report.findings.iter().filter(|finding| acts(finding)).count() - glance.len();
    let glance_more = (left > 0).then(|| count(left as u64, "more finding is", "more findings are"));
    Findings {
        history: history.sentence(report),
        sections,
        glance,
        glance_more,
        remarks: grouped(remarks).iter().map(|group| row(group, &history)).collect(),
    }
}

fn glance(card: &Card) -> Glance {
    Glance {
        anchor: card.anchor.clone(),
        severity: card.severity,
        tone: card.tone,
        place: card.endpoint.clone().unwrap_or_else(|| card.place.clone()),
        title: card.title.clone(),
        owner: card.owner.clone(),
        since: card.since.as_ref().map_or_else(String::new, |since| since.short.clone()),
    }
}

fn section(
    report: &Report,
    index: &Index<'_>,
    history: &History,
    (id, tone, explained): (&str, &'static str, Option<&'static str>),
    wanted: &dyn Fn(&Finding) -> bool,
) -> Option<Section> {
    let mut chosen: Vec<&Finding> = report.findings.iter().filter(|finding| wanted(finding)).collect();
    if chosen.is_empty() {
        return None;
    }
    chosen.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let total = chosen.len() as u64;
    let mut shown: HashMap<Option<&str>, usize> = HashMap::new();
    let most = if report.findings.len() > MANY { OF_MANY } else { usize::MAX };
    let mut in_full = 0;
    let (full, rest): (Vec<&Finding>, Vec<&Finding>) = chosen.into_iter().partition(|finding| {
        let shown = shown.entry(finding.target.as_deref()).or_default();
        *shown += 1;
        let whole = *shown <= IN_FULL && in_full < most;
        in_full += usize::from(whole);
        whole
    });
    let name = match id {
        "undecided" => "Could not be decided",
        "waived" => "Waived",
        "warnings" => "Warnings",
        "critical" => "Critical",
        "high" => "High",
        "medium" => "Medium",
        _ => "Low",
    };
    Some(Section {
        id: id.to_owned(),
        title: format!("{name}: {}", count(total, "finding", "findings")),
        tone,
        explained: explained.map(pieces).unwrap_or_default(),
        cards: full.into_iter().map(|finding| card(report, finding, index, history)).collect(),
        rest_count: count(rest.len() as u64, "more finding", "more findings"),
        cures: cures(&rest),
        rest: grouped(rest.into_iter()).iter().map(|group| row(group, history)).collect(),
    })
}

fn passes(finding: &Finding) -> bool {
    finding.verdict.is_pass()
}

fn cures(findings: &[&Finding]) -> Vec<Cure> {
    let rules: BTreeSet<&str> = findings.iter().map(|finding| finding.rule.as_str()).collect();
    let known = rules.into_iter().filter_map(rule);
    known
        .map(|rule| Cure { rule: rule.id.to_owned(), name: rule.name, remedy: pieces(rule.remedy) })
        .collect()
}

fn row(group: &Group<'_>, history: &History) -> Row {
    let finding = group.first;
    // Alike in all but the port, they may still have come at different times: only one time is said.
    let mut since: Vec<Option<(String, &'static str)>> = group
        .all
        .iter()
        .map(|finding| history.since(finding).map(|since| (since.short, since.age)))
        .collect();
    since.dedup();
    let (since, age) = match since.as_slice() {
        [Some((short, age))] => (short.clone(), *age),
        [None] | [] => (String::new(), ""),
        _ => ("differs".to_owned(), "differs"),
    };
    Row {
        severity: finding.severity.word(),
        verdict: finding.verdict.word().replace('_', " "),
        rule: finding.rule.clone(),
        target: finding.target.clone().unwrap_or_default(),
        place: finding.address.as_ref().or(finding.host.as_ref()).cloned().unwrap_or_default(),
        ports: parts(&group.ports().unwrap_or_default()),
        title: if group.all.len() > 1 {
            rule(&finding.rule).map_or_else(|| finding.title.clone(), |rule| rule.name.to_owned())
        } else {
            finding.title.clone()
        },
        owner: finding.owner.clone().unwrap_or_default(),
        since,
        age,
        manifest: finding.manifest.as_ref().map_or_else(String::new, |at| format!("{}:{}", at.path, at.line)),
        number: thousands(group.len()),
    }
}

/// A list of ports in parts, cut after commas.
fn parts(list: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    for item in list.split_inclusive(',') {
        if let Some(last) = parts.last_mut().filter(|last| last.len() < PORTS) {
            last.push_str(item);
        } else {
            parts.push(item.to_owned());
        }
    }
    parts
}
