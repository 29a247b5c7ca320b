//! The findings as the page shows them: the worst in full, the many folded, none lost.

use std::collections::HashMap;

use serde::Serialize;

use super::remedy::{Recipe, recipes};
use crate::{
    model::{Kind, Severity, Verdict, rule},
    report::{
        EvidenceRecord, Finding, Report,
        index::{Group, acts, grouped},
        words::{count, moment, thousands},
    },
};

/// So many findings of one target and severity are shown in full.
const IN_FULL: usize = 10;

/// The sections of the findings part.
#[derive(Serialize)]
pub(super) struct Findings {
    /// What is wrong, by severity, then what is in doubt, then what is waived; empty ones left out.
    sections: Vec<Section>,
    /// The cards again, a line each, for who wants to see them all at once.
    glance: Vec<Glance>,
    /// How many are wrong or in doubt and have no card: they are in the folded tables.
    glance_more: Option<String>,
    /// Remarks about the paperwork: they fail nothing.
    remarks: Vec<Row>,
}

#[derive(Serialize)]
struct Section {
    id: String,
    title: String,
    /// The class that colours it.
    tone: &'static str,
    explained: Option<&'static str>,
    cards: Vec<Card>,
    /// Alike ones, a line each.
    rest: Vec<Row>,
    rest_count: String,
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
}

/// Text, or a word that is set as code: `like this` in the report's own sentences.
#[derive(Serialize)]
struct Piece {
    code: bool,
    text: String,
}

fn pieces(text: &str) -> Vec<Piece> {
    let parts =
        text.split('`').enumerate().map(|(i, part)| Piece { code: i % 2 == 1, text: part.to_owned() });
    parts.filter(|piece| !piece.text.is_empty()).collect()
}

/// A finding in full.
#[derive(Serialize)]
struct Card {
    anchor: String,
    severity: &'static str,
    tone: &'static str,
    rule: String,
    name: &'static str,
    title: String,
    endpoint: Option<String>,
    place: String,
    message: Vec<Piece>,
    facts: Vec<Fact>,
    side: Vec<Fact>,
    evidence: Vec<Attempt>,
    remedy: Vec<Piece>,
    recipes: Vec<Recipe>,
}

#[derive(Serialize)]
struct Fact {
    label: &'static str,
    text: String,
}

#[derive(Serialize)]
struct Attempt {
    at: String,
    number: u8,
    from: String,
    what: String,
}

/// A finding, or many alike, on one line.
#[derive(Serialize)]
struct Row {
    severity: &'static str,
    rule: String,
    place: String,
    ports: String,
    title: String,
    owner: String,
    manifest: String,
    number: String,
}

/// Sorts the findings into sections.
pub(super) fn build(report: &Report) -> Findings {
    let mut sections = Vec::new();
    for severity in Severity::ALL {
        let wrong = |finding: &&Finding| finding.verdict == Verdict::Fail && finding.severity == severity;
        sections.extend(section(report, severity.word(), severity.word(), None, wrong));
    }
    sections.extend(section(
        report,
        "undecided",
        "undecided",
        Some("Asked, or meant to be asked, and not decided. None of these counts as conforming."),
        |finding| acts(finding) && finding.verdict != Verdict::Fail,
    ));
    sections.extend(section(
        report,
        "waived",
        "waived",
        Some("Deviations and doubts that an exception in force accepts. They stay visible until it ends."),
        |finding| finding.verdict == Verdict::Waived,
    ));
    sections.extend(section(
        report,
        "warnings",
        "low",
        Some("Differs from the manifest, and the manifest says that it only warns. None of these fails the run."),
        |finding| passes(finding) && finding.kind != Kind::Governance,
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
    Findings { sections, glance, glance_more, remarks: grouped(remarks).iter().map(row).collect() }
}

fn glance(card: &Card) -> Glance {
    Glance {
        anchor: card.anchor.clone(),
        severity: card.severity,
        tone: card.tone,
        place: card.endpoint.clone().unwrap_or_else(|| card.place.clone()),
        title: card.title.clone(),
        owner: card.side.first().map_or_else(String::new, |owner| owner.text.clone()),
    }
}

fn section(
    report: &Report,
    id: &str,
    tone: &'static str,
    explained: Option<&'static str>,
    wanted: impl Fn(&&Finding) -> bool,
) -> Option<Section> {
    let mut chosen: Vec<&Finding> = report.findings.iter().filter(wanted).collect();
    if chosen.is_empty() {
        return None;
    }
    chosen.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let total = chosen.len() as u64;
    let mut shown: HashMap<Option<&str>, usize> = HashMap::new();
    let (full, rest): (Vec<&Finding>, Vec<&Finding>) = chosen.into_iter().partition(|finding| {
        let shown = shown.entry(finding.target.as_deref()).or_default();
        *shown += 1;
        *shown <= IN_FULL
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
        explained,
        cards: full.into_iter().map(|finding| card(report, finding)).collect(),
        rest_count: count(rest.len() as u64, "more finding", "more findings"),
        rest: grouped(rest.into_iter()).iter().map(row).collect(),
    })
}

fn passes(finding: &Finding) -> bool {
    matches!(finding.verdict, Verdict::Pass | Verdict::PassBySilence)
}

fn card(report: &Report, finding: &Finding) -> Card {
    let known = rule(&finding.rule);
    let accepted = finding.verdict == Verdict::Waived;
    Card {
        anchor: anchor(finding),
        severity: finding.severity.word(),
        tone: tone(finding),
        rule: finding.rule.clone(),
        name: known.map_or("", |rule| rule.name),
        title: finding.title.clone(),
        endpoint: endpoint(finding),
        place: place(finding),
        message: pieces(&finding.message),
        facts: facts(report, finding),
        side: side(report, finding),
        evidence: finding.evidence.iter().map(attempt).collect(),
        remedy: if accepted { Vec::new() } else { pieces(&finding.remedy) },
        recipes: if accepted { Vec::new() } else { recipes(report, finding) },
    }
}

/// A fragment for links; ids are hashes, so anything else in one is left out.
fn anchor(finding: &Finding) -> String {
    let id: String = finding.id.chars().filter(char::is_ascii_alphanumeric).take(64).collect();
    format!("finding-{id}")
}

fn tone(finding: &Finding) -> &'static str {
    match finding.verdict {
        Verdict::Waived => "waived",
        Verdict::Fail => finding.severity.word(),
        Verdict::Pass | Verdict::PassBySilence => "low",
        Verdict::Inconclusive | Verdict::NotCovered => "undecided",
    }
}

fn endpoint(finding: &Finding) -> Option<String> {
    let port = match (finding.protocol, finding.port) {
        (Some(protocol), Some(port)) => format!(" {port}/{protocol}"),
        _ => String::new(),
    };
    let host = finding.address.as_deref().or(finding.host.as_deref())?;
    Some(format!("{host}{port}"))
}

/// The target, and the name as written where it is not the address.
fn place(finding: &Finding) -> String {
    let mut parts: Vec<&str> = finding.target.as_deref().into_iter().collect();
    parts.extend(finding.also.iter().map(String::as_str));
    let host = finding.host.as_deref();
    parts.extend(host.filter(|&host| Some(host) != finding.address.as_deref() && finding.address.is_some()));
    parts.join(", ")
}

fn facts(report: &Report, finding: &Finding) -> Vec<Fact> {
    let mut facts = vec![
        Fact { label: "Declared", text: finding.expected.clone() },
        Fact { label: "Seen", text: finding.observed.clone() },
    ];
    facts.retain(|fact| !fact.text.is_empty());
    let look = look_at(finding).map(|text| Fact { label: "Look at", text: text.to_owned() });
    facts.extend(look.filter(|_| finding.verdict != Verdict::Waived));
    facts.extend(
        finding.exception.as_ref().map(|id| Fact { label: "Exception", text: exception(report, id) }),
    );
    facts
}

/// What a reader looks up rather than reads: whose it is, since when, where it stands.
fn side(report: &Report, finding: &Finding) -> Vec<Fact> {
    let owner = finding.owner.clone().unwrap_or_else(|| "nobody is named".to_owned());
    let mut side = vec![Fact { label: "Owner", text: owner }];
    if let Some(place) = &finding.manifest {
        side.push(Fact { label: "Manifest", text: format!("{}, line {}", place.path, place.line) });
    }
    let since = match (&finding.first_seen, &report.run.previous) {
        (Some(when), _) => Some(format!("{} UTC", moment(when))),
        (None, Some(_)) => Some("new since the report before".to_owned()),
        (None, None) => None,
    };
    side.extend(since.map(|text| Fact { label: "Since", text }));
    side.push(Fact { label: "Finding", text: finding.id.clone() });
    side
}

fn exception(report: &Report, id: &str) -> String {
    report.exceptions.iter().find(|exception| exception.id == id).map_or_else(
        || id.to_owned(),
        |exception| {
            let by = exception.approved_by.as_deref().unwrap_or("nobody");
            format!("{id}, approved by {by}, until {}: {}", exception.expires, exception.reason)
        },
    )
}

/// Which side to look at, as far as the evidence tells.
fn look_at(finding: &Finding) -> Option<&'static str> {
    Some(match (finding.rule.as_str(), finding.cause.as_deref()) {
        (_, Some("closed")) => "the server: the host answers, and nothing listens on this port",
        (_, Some("filtered")) => {
            "the firewall: the packets are dropped or prohibited on the way, not refused by the server"
        }
        (_, Some("host_silent")) => "the host or the path to it: nothing on this address answers",
        (_, Some("unresolved")) => "DNS: the name has no address",
        (_, Some("unanswered")) => "the service: no reply came, so it may be open, dropped or not running",
        (_, Some("handshake_not_completed")) => {
            "what stands in front: something acknowledges connections that are then not completed"
        }
        ("EXP001" | "EXP002", _) => "the firewall's rules for this port, then the service that listens",
        ("EXP008", _) => "the firewall's rules of the other family",
        ("EXP009", _) => "the DNS zone",
        _ => return None,
    })
}

fn attempt(record: &EvidenceRecord) -> Attempt {
    let from = match (&record.source_address, record.source_port) {
        (Some(address), Some(port)) => format!("{address} port {port}"),
        (Some(address), None) => address.clone(),
        (None, Some(port)) => format!("port {port}"),
        (None, None) => "not recorded".to_owned(),
    };
    Attempt { at: moment(&record.at), number: record.attempt, from, what: record.what.clone() }
}

fn row(group: &Group<'_>) -> Row {
    let finding = group.first;
    let place = [finding.target.as_deref(), finding.address.as_deref().or(finding.host.as_deref())];
    Row {
        severity: finding.severity.word(),
        rule: finding.rule.clone(),
        place: place.into_iter().flatten().collect::<Vec<_>>().join(" "),
        ports: group.ports().unwrap_or_default(),
        title: if group.all.len() > 1 {
            rule(&finding.rule).map_or_else(|| finding.title.clone(), |rule| rule.name.to_owned())
        } else {
            finding.title.clone()
        },
        owner: finding.owner.clone().unwrap_or_default(),
        manifest: finding.manifest.as_ref().map_or_else(String::new, |at| format!("{}:{}", at.path, at.line)),
        number: thousands(group.len()),
    }
}
