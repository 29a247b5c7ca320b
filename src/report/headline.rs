//! The outcome in one line and in one sentence. Repeats what the summary decided; decides nothing.

use super::{
    Finding, Outcome, Report, SourceRecord,
    words::{capital, count, duration, listed, spoken, thousands, visible},
};
use crate::model::{Family, Kind, PortSet, Verdict};

/// verify's last line: what came out, how much of the plan was determined, from where, how long, and
/// every restriction under which it holds.
pub fn headline(report: &Report) -> String {
    let tally = Tally::of(report);
    let outcome = match report.summary.result {
        Outcome::Deviates => "DEVIATES",
        Outcome::Conforms => "CONFORMS",
        Outcome::Inconclusive => "INCONCLUSIVE",
    };
    let mut parts = vec![format!("{outcome}  {}", tally.words(report))];
    if report.run.partial {
        parts.push(format!("partial: {}", stopped_by(&report.run.stop_reason)));
    }
    parts.push(format!(
        "{} of {} determined",
        thousands(determined(report)),
        count(report.coverage.planned, "endpoint", "endpoints")
    ));
    parts.extend(origin(report).map(|origin| format!("from {origin}")));
    parts.push(duration(report.coverage.duration_s));
    parts.extend(restrictions(report));
    visible(&parts.join(" · ")).into_owned()
}

/// One plain sentence, or two: what is wrong, what is in doubt, what is waived.
pub fn verdict_sentence(report: &Report) -> String {
    let (word, body) = verdict_parts(report);
    let partial = partial_sentence(report).map(|text| format!(" {text}")).unwrap_or_default();
    format!("{word}. {body}{partial}")
}

/// Said of a run that did not reach its end.
pub(crate) fn partial_sentence(report: &Report) -> Option<String> {
    let why = visible(stopped_by(&report.run.stop_reason));
    report
        .run
        .partial
        .then(|| format!("The run is partial: {why}, so what it does not mention may be anything."))
}

/// The verdict's word and the sentence after it, apart: a page sets the word off.
pub(crate) fn verdict_parts(report: &Report) -> (&'static str, String) {
    let wrong = clauses(report, |finding| finding.verdict == Verdict::Fail);
    let unsure = doubts(report);
    let (word, mut body) = match report.summary.result {
        Outcome::Deviates => {
            let mut body = sentence(&wrong, "what was seen differs from what is declared");
            if !unsure.is_empty() {
                body = format!("{body} {}", sentence(&unsure, ""));
            }
            ("Deviates", body)
        }
        Outcome::Inconclusive if !report.coverage.states.answered() => {
            ("Inconclusive", "Nothing answered at all, so nothing can be said about what is open.".to_owned())
        }
        Outcome::Inconclusive => {
            let all: Vec<String> =
                std::iter::once("nothing seen contradicts the manifest".to_owned()).chain(unsure).collect();
            ("Inconclusive", sentence(&all, ""))
        }
        Outcome::Conforms => ("Conforms", conforming(report)),
    };
    let waived = Tally::of(report).waived;
    if waived > 0 {
        let verb = if waived == 1 { "is" } else { "are" };
        let number = capital(&spoken(waived, "deviation or doubt", "deviations or doubts"));
        body = format!("{body} {number} {verb} accepted by an exception.");
    }
    (word, visible(&body).into_owned())
}

/// How many findings are wrong, unsure, waived, and remarks that fail nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) wrong: u64,
    pub(crate) unsure: u64,
    pub(crate) waived: u64,
    pub(crate) remarks: u64,
}

impl Tally {
    /// Counts the findings of a report.
    pub(crate) fn of(report: &Report) -> Self {
        let mut tally = Self::default();
        for finding in &report.findings {
            *match finding.verdict {
                Verdict::Fail => &mut tally.wrong,
                Verdict::Inconclusive | Verdict::NotCovered => &mut tally.unsure,
                Verdict::Waived => &mut tally.waived,
                Verdict::Pass | Verdict::PassBySilence => &mut tally.remarks,
            } += 1;
        }
        tally
    }

    fn words(self, report: &Report) -> String {
        let mut words = Vec::new();
        match report.summary.result {
            Outcome::Conforms => words.push("nothing unexpected, nothing missing".to_owned()),
            Outcome::Inconclusive if !report.coverage.states.answered() => {
                words.push("nothing answered".to_owned());
            }
            Outcome::Inconclusive => {}
            Outcome::Deviates => words.push(format!("{} wrong", thousands(self.wrong))),
        }
        if self.unsure > 0 || words.is_empty() {
            words.push(format!("{} unsure", thousands(self.unsure)));
        }
        if self.waived > 0 {
            words.push(format!("{} waived", thousands(self.waived)));
        }
        words.join(", ")
    }
}

/// Endpoints whose state and verdict are known. An endpoint that we failed to ask, or that stayed
/// silent over UDP, is mostly also inconclusive or not covered: the two sets overlap, so the larger
/// one is taken off.
pub(crate) fn determined(report: &Report) -> u64 {
    let states = &report.coverage.states;
    let verdicts = &report.summary.verdicts;
    let open_ended = (states.unknown + states.unanswered).max(verdicts.inconclusive + verdicts.not_covered);
    report.coverage.planned.saturating_sub(open_ended)
}

/// `198.51.100.4 (internet)`: the addresses the probes came from and the vantage's name.
pub(crate) fn origin(report: &Report) -> Option<String> {
    let addresses = &report.run.host.source_addresses;
    let place = match addresses.as_slice() {
        [] => None,
        [first, second, third, rest @ ..] if !rest.is_empty() => {
            Some(format!("{first}, {second}, {third} and {} more", rest.len()))
        }
        few => Some(listed(few)),
    };
    match (place.or_else(|| report.run.host.name.clone()), &report.run.vantage) {
        (Some(place), Some(vantage)) => Some(format!("{place} ({vantage})")),
        (Some(place), None) => Some(place),
        (None, vantage) => vantage.clone(),
    }
}

/// Every restriction under which the outcome holds, a few words each. A reader of the headline must
/// not believe that more was looked at than was.
pub(crate) fn restrictions(report: &Report) -> Vec<String> {
    let selection = &report.run.selection;
    let mut named = Vec::new();
    named.extend(judged_from(report));
    if !selection.only.is_empty() {
        named.push(format!("only {}", targets(&selection.only)));
    }
    if !selection.exclude.is_empty() {
        named.push(format!("without {}", targets(&selection.exclude)));
    }
    match selection.families.as_deref() {
        Some([Family::Ipv4]) => named.push("IPv4 only".to_owned()),
        Some([Family::Ipv6]) => named.push("IPv6 only".to_owned()),
        _ => {}
    }
    named.extend(tcp_restriction(report));
    match (report.run.scan.udp.as_deref(), selection.udp.as_deref()) {
        (None, _) => named.push("UDP not scanned".to_owned()),
        (_, Some("declared")) => named.push("unlisted UDP ports not scanned".to_owned()),
        (_, Some(ports)) => named.push(format!("UDP ports {ports} only")),
        _ => {}
    }
    named.extend(selection.shard.as_ref().map(|shard| format!("part {shard} of the plan only")));
    named.extend(selection.at.as_ref().map(|day| format!("paperwork judged as of {day}")));
    if selection.strict {
        named.push("exceptions ignored".to_owned());
    }
    named
}

/// `judged from scan.xml (nmap 7.93)`: nothing was sent, and what these do not show is not known.
fn judged_from(report: &Report) -> Option<String> {
    let named = |source: &SourceRecord| format!("{} ({})", source.path, source.tool);
    let files = match report.run.sources.as_slice() {
        [] => return None,
        [first, second, third, rest @ ..] if !rest.is_empty() => {
            format!("{}, {}, {} and {} more", named(first), named(second), named(third), rest.len())
        }
        few => listed(&few.iter().map(named).collect::<Vec<_>>()),
    };
    Some(format!("judged from {files}"))
}

fn tcp_restriction(report: &Report) -> Option<String> {
    match (report.run.scan.tcp.as_deref(), report.run.selection.tcp.as_deref()) {
        (None, _) | (_, Some("none")) => Some("TCP not scanned".to_owned()),
        (_, Some("declared")) => Some("unlisted ports not scanned".to_owned()),
        (_, Some("all")) => None,
        (_, Some(ports)) => Some(format!("TCP ports {ports} only")),
        (_, None) => {
            // What the manifest itself narrows is a restriction too, though nobody deselected it.
            let sets = &report.coverage.port_sets;
            let narrow = sets.values().filter(|set| tcp_ports(set).is_some_and(|set| set.len() < 65_535));
            match narrow.count() {
                0 => None,
                n if n == sets.len() => Some("not every TCP port scanned".to_owned()),
                n => Some(format!("not every TCP port scanned on {n} of {} targets", sets.len())),
            }
        }
    }
}

/// The TCP part of a target's port set as the report writes it; `None` where it can't be told.
pub(crate) fn tcp_ports(set: &str) -> Option<PortSet> {
    let part = set.split(';').map(str::trim).find(|part| !part.contains("udp"))?;
    PortSet::parse(part.trim_start_matches("tcp").trim_start_matches(':').trim_end_matches("/tcp").trim())
        .ok()
}

fn targets(selected: &[String]) -> String {
    let named: Vec<String> = selected
        .iter()
        .map(|name| {
            name.strip_prefix("tag:").map_or_else(|| format!("target {name}"), |tag| format!("tag {tag}"))
        })
        .collect();
    if named.len() <= 3 { listed(&named) } else { count(named.len() as u64, "target", "targets") }
}

/// Why a run ended early, in words.
pub(crate) fn stopped_by(reason: &str) -> &str {
    match reason {
        "interrupted" => "it was interrupted",
        "terminated" => "it was terminated",
        "deadline" => "it reached its deadline",
        "environment" => "this machine failed it",
        "complete" => "part of the plan was not asked",
        other => other,
    }
}

fn conforming(report: &Report) -> String {
    let required = report.declared.iter().any(|entry| {
        entry.kind == super::DeclaredKind::Expose
            && entry.presence != Some(crate::spec::manifest::Presence::Optional)
    });
    let within = if restrictions(report).is_empty() { "" } else { ", as far as was asked" };
    if required {
        format!("Every required service can be reached, and nothing else is open{within}.")
    } else {
        format!("Nothing is open that is not declared{within}.")
    }
}

fn sentence(clauses: &[String], otherwise: &str) -> String {
    let text = if clauses.is_empty() { otherwise.to_owned() } else { with_commas(clauses) };
    format!("{}.", capital(&text))
}

/// Clauses take a comma before the `and`; words do not.
fn with_commas(clauses: &[String]) -> String {
    match clauses {
        [rest @ .., last] if !rest.is_empty() => format!("{}, and {last}", rest.join(", ")),
        _ => clauses.concat(),
    }
}

/// One clause a rule, in the order in which a reader wants them: what is open first.
fn clauses(report: &Report, wanted: impl Fn(&Finding) -> bool) -> Vec<String> {
    let mut left: Vec<&Finding> = report.findings.iter().filter(|finding| wanted(finding)).collect();
    let mut said = Vec::new();
    for (rule, one, many) in CLAUSES {
        let before = left.len();
        left.retain(|finding| finding.rule != *rule);
        let n = (before - left.len()) as u64;
        if n > 0 {
            said.push(spoken(n, one, many));
        }
    }
    let paper = left.iter().filter(|finding| finding.kind == Kind::Governance).count() as u64;
    let other = left.len() as u64 - paper;
    if other > 0 {
        said.push(spoken(
            other,
            "other thing differs from the manifest",
            "other things differ from the manifest",
        ));
    }
    if paper > 0 {
        said.push(spoken(
            paper,
            "entry of the paperwork is not in order",
            "entries of the paperwork are not in order",
        ));
    }
    said
}

/// The rules that have words of their own; any other is counted as "other".
const CLAUSES: &[(&str, &str, &str)] = &[
    ("EXP002", "port is open that must never be", "ports are open that must never be"),
    ("EXP001", "port is open that nobody declared", "ports are open that nobody declared"),
    ("EXP007", "service is open to misuse", "services are open to misuse"),
    ("EXP003", "declared service cannot be reached", "declared services cannot be reached"),
    ("EXP004", "port runs another service than declared", "ports run other services than declared"),
    ("EXP005", "service offers weaker TLS than declared", "services offer weaker TLS than declared"),
    ("EXP006", "certificate is not in order", "certificates are not in order"),
    ("EXP008", "host differs between IPv4 and IPv6", "hosts differ between IPv4 and IPv6"),
    (
        "EXP009",
        "name resolves to other addresses than declared",
        "names resolve to other addresses than declared",
    ),
    ("EXP014", "address answers where it should be silent", "addresses answer where they should be silent"),
];

/// The doubts, by what they are about: endpoints, hosts, parts of the plan.
fn doubts(report: &Report) -> Vec<String> {
    let (mut endpoints, mut hosts, mut proofless, mut gaps, mut weak) = (0, 0, 0, 0, 0);
    for finding in &report.findings {
        if !matches!(finding.verdict, Verdict::Inconclusive | Verdict::NotCovered) {
            continue;
        }
        *match finding.rule.as_str() {
            "EXP010" => &mut hosts,
            "EXP011" => &mut proofless,
            "EXP012" => &mut gaps,
            "EXP015" => &mut weak,
            _ => &mut endpoints,
        } += 1;
    }
    let said = [
        (endpoints, "endpoint could not be decided", "endpoints could not be decided"),
        (hosts, "host was silent on everything", "hosts were silent on everything"),
        (
            proofless,
            "address answers in a way that proves nothing",
            "addresses answer in a way that proves nothing",
        ),
        (gaps, "part of the plan was not asked", "parts of the plan were not asked"),
        (
            weak,
            "address was too unreliable to trust its silence",
            "addresses were too unreliable to trust their silence",
        ),
    ];
    said.into_iter().filter(|(n, ..)| *n > 0).map(|(n, one, many)| spoken(n, one, many)).collect()
}
