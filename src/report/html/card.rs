//! One finding in full: what was declared, what was seen, where to look, what to do.

use serde::Serialize;

use super::{
    history::{History, Since},
    prose::{Piece, pieces},
    remedy::{Recipe, recipes},
};
use crate::{
    model::{Verdict, rule},
    report::{EvidenceRecord, ExceptionRecord, Finding, Report, index::Index, words::moment},
};

/// A finding in full.
#[derive(Serialize)]
pub(super) struct Card {
    pub(super) anchor: String,
    pub(super) severity: &'static str,
    verdict: &'static str,
    pub(super) tone: &'static str,
    rule: String,
    name: &'static str,
    pub(super) title: String,
    pub(super) endpoint: Option<String>,
    pub(super) place: String,
    target: String,
    pub(super) owner: String,
    pub(super) since: Option<Since>,
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
    text: Vec<Piece>,
}

impl Fact {
    fn new(label: &'static str, text: &str) -> Self {
        Self { label, text: pieces(text) }
    }
}

#[derive(Serialize)]
struct Attempt {
    at: String,
    number: u8,
    from: String,
    what: String,
}

/// Everything about a finding.
pub(super) fn card(report: &Report, finding: &Finding, index: &Index<'_>, history: &History) -> Card {
    let known = rule(&finding.rule);
    let accepted = finding.verdict == Verdict::Waived;
    Card {
        anchor: anchor(finding),
        severity: finding.severity.word(),
        verdict: finding.verdict.word(),
        tone: tone(finding),
        rule: finding.rule.clone(),
        name: known.map_or("", |rule| rule.name),
        title: finding.title.clone(),
        endpoint: endpoint(finding),
        place: place(finding),
        target: finding.target.clone().unwrap_or_default(),
        owner: finding.owner.clone().unwrap_or_else(|| "nobody is named".to_owned()),
        since: history.since(finding),
        message: pieces(&finding.message),
        facts: facts(report, finding),
        side: side(finding),
        evidence: finding.evidence.iter().map(attempt).collect(),
        remedy: if accepted { Vec::new() } else { pieces(&finding.remedy) },
        recipes: if accepted { Vec::new() } else { recipes(report, finding, index) },
    }
}

/// A fragment for links; ids are hashes, so anything else in one is left out.
pub(super) fn anchor(finding: &Finding) -> String {
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
    let mut facts = vec![Fact::new("Declared", &finding.expected), Fact::new("Seen", &finding.observed)];
    facts.retain(|fact| !fact.text.is_empty());
    let look = look_at(finding).map(|text| Fact::new("Look at", text));
    facts.extend(look.filter(|_| finding.verdict != Verdict::Waived));
    facts.extend(finding.exception.as_ref().map(|id| Fact::new("Exception", &exception(report, id))));
    if finding.exception.is_none() {
        facts.extend(void(report, finding).map(|text| Fact::new("Exception", &text)));
    }
    facts
}

/// What a reader looks up rather than reads: whose it is, where it stands.
fn side(finding: &Finding) -> Vec<Fact> {
    let owner = finding.owner.clone().unwrap_or_else(|| "nobody is named".to_owned());
    let mut side = vec![Fact::new("Owner", &owner)];
    if let Some(place) = &finding.manifest {
        side.push(Fact::new("Manifest", &format!("{}, line {}", place.path, place.line)));
    }
    side.push(Fact::new("Finding", &finding.id));
    side
}

/// The exceptions about exactly this that waive nothing: they explain why it was quiet before.
fn void<'a>(report: &'a Report, finding: &'a Finding) -> impl Iterator<Item = String> {
    let port = finding.protocol.zip(finding.port).map(|(protocol, port)| format!("{port}/{protocol}"));
    let about = move |entry: &&ExceptionRecord| {
        let targets = || finding.target.iter().chain(&finding.also);
        entry.rule == finding.rule && entry.port == port && targets().any(|target| *target == entry.target)
    };
    report.exceptions.iter().filter(about).filter_map(|entry| match entry.status.as_str() {
        "expired" => Some(format!("{}, expired: its last day was {}", entry.id, entry.expires)),
        "pending" => Some(format!("{}, not approved on the day that was judged", entry.id)),
        "ignored" => Some(format!("{}, ignored by `--strict`", entry.id)),
        _ => None,
    })
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
