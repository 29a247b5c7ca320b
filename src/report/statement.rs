//! The outcome in one line and in one sentence. Repeats what the summary decided; decides nothing.

use jiff::Timestamp;

use super::{
    DeclaredKind, Finding, Outcome, Report, Run,
    evidence::imbalances,
    restrictions::restrictions,
    words::{capital, count, duration, listed, spoken, thousands, visible},
};
use crate::{
    model::{Kind, Level, Verdict},
    spec::manifest::Presence,
};

/// What may be said of a report's outcome. The whole report is counted again for it: it is made once for whatever is
/// written.
#[derive(Debug)]
pub struct Statement<'a> {
    report: &'a Report,
    tally: Tally,
    contradiction: Option<String>,
}

impl<'a> Statement<'a> {
    /// Of a report just made or read, whoever altered it.
    pub fn of(report: &'a Report) -> Self {
        Self { report, tally: Tally::of(report), contradiction: contradiction(report) }
    }

    /// The outcome as far as it may be repeated: a report that contradicts itself proves no conformity.
    pub fn outcome(&self) -> Outcome {
        match self.report.summary.result {
            Outcome::Conforms if self.contradiction.is_some() => Outcome::Inconclusive,
            outcome => outcome,
        }
    }

    /// Why what the report says of itself must not be believed.
    pub fn contradiction(&self) -> Option<&str> {
        self.contradiction.as_deref()
    }

    /// How many findings are of which weight.
    pub(crate) fn tally(&self) -> Tally {
        self.tally
    }

    /// verify's last line: what came out, how much of the plan was determined, from where, how long, and
    /// every restriction under which it holds.
    pub fn headline(&self) -> String {
        let report = self.report;
        let outcome = match report.summary.result {
            Outcome::Deviates => "DEVIATES",
            Outcome::Conforms => "CONFORMS",
            Outcome::Inconclusive => "INCONCLUSIVE",
        };
        let mut parts = vec![format!("{outcome}  {}", self.tally.words(report))];
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
        let mut said = parts.join(" · ");
        if let Some(why) = self.contradiction() {
            said = format!("NOT VALID  {why}: {said}");
        }
        visible(&said).into_owned()
    }

    /// One plain sentence, or two: what is wrong, what is in doubt, what is waived.
    pub fn sentence(&self) -> String {
        let (word, body) = self.verdict();
        let partial = partial_sentence(self.report).map(|text| format!(" {text}")).unwrap_or_default();
        format!("{word}. {body}{partial}")
    }

    /// The verdict's word and the sentence after it, apart: a page sets the word off.
    pub(crate) fn verdict(&self) -> (&'static str, String) {
        let (word, body) = self.said_of_itself();
        match self.contradiction() {
            Some(why) => {
                let body = format!("{}. It says of itself: {word}. {body}", capital(why));
                ("Not valid", visible(&body).into_owned())
            }
            None => (word, visible(&body).into_owned()),
        }
    }

    fn said_of_itself(&self) -> (&'static str, String) {
        let report = self.report;
        let wrong = clauses(report.findings.iter().filter(|finding| finding.verdict == Verdict::Fail));
        let unsure = doubts(report);
        let (word, mut body) = match report.summary.result {
            Outcome::Deviates => {
                let mut body = sentence(&wrong, "what was seen differs from what is declared");
                if !unsure.is_empty() {
                    body = format!("{body} {}", sentence(&unsure, ""));
                }
                ("Deviates", body)
            }
            Outcome::Inconclusive if nothing_answered(report) => (
                "Inconclusive",
                "Nothing answered at all, so nothing can be said about what is open.".to_owned(),
            ),
            Outcome::Inconclusive => {
                let clean = if self.is_softened() {
                    "nothing fails"
                } else {
                    "nothing seen contradicts the manifest"
                };
                let mut all = vec![clean.to_owned()];
                all.extend(unsure);
                if all.len() == 1 && !report.run.partial {
                    all.push("not everything could be determined".to_owned());
                }
                ("Inconclusive", sentence(&all, ""))
            }
            Outcome::Conforms => ("Conforms", self.conforming()),
        };
        let only_warned = clauses(warned(report));
        if !only_warned.is_empty() {
            body = format!("{body} {} This is only warned of.", sentence(&only_warned, ""));
        }
        let Tally { overlooked, waived, .. } = self.tally;
        if overlooked > 0 {
            let number = capital(&spoken(overlooked, "endpoint deviates", "endpoints deviate"));
            let them = if overlooked == 1 { "it" } else { "them" };
            body = format!("{body} {number}, and the run was told not to report {them}.");
        }
        let silenced = silenced(report);
        if !silenced.is_empty() {
            let were = if silenced.len() == 1 { "was" } else { "were" };
            body = format!("{body} {} {were} not reported.", listed(&silenced));
        }
        if waived > 0 {
            let verb = if waived == 1 { "is" } else { "are" };
            let number = capital(&spoken(waived, "deviation or doubt", "deviations or doubts"));
            body = format!("{body} {number} {verb} accepted by an exception.");
        }
        (word, body)
    }

    /// Whether something deviates or may deviate that does not fail: then nothing is said but that nothing fails.
    fn is_softened(&self) -> bool {
        self.tally.is_softened(self.report)
    }

    fn conforming(&self) -> String {
        let report = self.report;
        if self.is_softened() {
            return "Nothing fails.".to_owned();
        }
        let required = report
            .declared
            .iter()
            .any(|entry| entry.kind == DeclaredKind::Expose && entry.presence != Some(Presence::Optional));
        let within = if restrictions(report).is_empty() { "" } else { ", as far as was asked" };
        if required {
            format!("Every required service can be reached, and nothing else is open{within}.")
        } else {
            format!("Nothing is open that is not declared{within}.")
        }
    }
}

/// Said of a report whose totals or outcome do not follow from its parts, or whose times are none. As it was written,
/// none is so: somebody altered it, and what it says of itself must not be repeated as if it were true.
pub(crate) fn contradiction(report: &Report) -> Option<String> {
    let Run { started_at, finished_at, .. } = &report.run;
    for (field, at) in [("started_at", started_at), ("finished_at", finished_at)] {
        if at.parse::<Timestamp>().is_err() {
            return Some(format!("run.{field} is `{at}`, and that is no time"));
        }
    }
    let found = imbalances(report);
    let first = found.first()?;
    let more = match found.len() - 1 {
        0 => String::new(),
        n => format!(", and {}", count(n as u64, "more contradiction", "more contradictions")),
    };
    Some(format!("the report contradicts itself ({first}{more})"))
}

/// Said of a run that did not reach its end.
pub(crate) fn partial_sentence(report: &Report) -> Option<String> {
    let why = visible(stopped_by(&report.run.stop_reason));
    report
        .run
        .partial
        .then(|| format!("The run is partial: {why}, so what it does not mention may be anything."))
}

/// How many findings are wrong, unsure, waived, and remarks that fail nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) wrong: u64,
    pub(crate) unsure: u64,
    pub(crate) waived: u64,
    pub(crate) remarks: u64,
    /// Endpoints that deviate and of which no finding speaks: the run was told so by `-A`.
    pub(crate) overlooked: u64,
    /// Endpoints that deviate and that nobody has accepted: the run was told so by `-A` or `-W`.
    pub(crate) let_through: u64,
}

impl Tally {
    /// Counts the findings of a report.
    fn of(report: &Report) -> Self {
        let mut tally = Self::default();
        for finding in &report.findings {
            *match finding.verdict {
                Verdict::Fail => &mut tally.wrong,
                Verdict::Inconclusive | Verdict::NotCovered => &mut tally.unsure,
                Verdict::Waived => &mut tally.waived,
                Verdict::Pass | Verdict::PassBySilence => &mut tally.remarks,
            } += 1;
        }
        let waived = report.summary.waived.unwrap_or_default();
        (tally.overlooked, tally.let_through) = (waived.not_reported, waived.let_through());
        tally
    }

    fn is_softened(self, report: &Report) -> bool {
        self.waived > 0
            || self.let_through > 0
            || warned(report).next().is_some()
            || !silenced(report).is_empty()
    }

    fn words(self, report: &Report) -> String {
        let mut words = Vec::new();
        match report.summary.result {
            Outcome::Conforms if self.is_softened(report) => {
                words.push("nothing that fails".to_owned());
            }
            Outcome::Conforms => words.push("nothing unexpected, nothing missing".to_owned()),
            Outcome::Inconclusive if nothing_answered(report) => {
                words.push("nothing answered".to_owned());
            }
            Outcome::Inconclusive => {}
            Outcome::Deviates => words.push(format!("{} wrong", thousands(self.wrong))),
        }
        if self.unsure > 0 {
            words.push(format!("{} unsure", thousands(self.unsure)));
        }
        // A doubt that is not reported (`-A`) is one all the same.
        if words.is_empty() {
            words.push("not everything determined".to_owned());
        }
        if self.waived > 0 {
            words.push(format!("{} waived", thousands(self.waived)));
        }
        let warned = warned(report).count() as u64;
        if warned > 0 {
            words.push(format!("{} warned of", thousands(warned)));
        }
        if self.overlooked > 0 {
            words.push(format!("{} not reported", thousands(self.overlooked)));
        }
        words.join(", ")
    }
}

/// Whether the run heard nothing of anybody, host or firewall: that is a finding of its own, unless it ended before
/// anything was settled.
fn nothing_answered(report: &Report) -> bool {
    let says_so = |finding: &Finding| finding.cause.as_deref() == Some("nothing_answered");
    !report.coverage.states.answered() && (determined(report) == 0 || report.findings.iter().any(says_so))
}

/// Findings that only warn of what would otherwise fail: what is open or missing against the manifest, and what the
/// run was told to warn of.
fn warned(report: &Report) -> impl Iterator<Item = &Finding> {
    let levels = &report.run.selection.levels;
    let is_deviation = |finding: &&Finding| {
        matches!(finding.rule.as_str(), "EXP001" | "EXP002" | "EXP003")
            || (finding.kind != Kind::Governance && levels.get(&finding.rule) == Some(&Level::Warn))
    };
    report.findings.iter().filter(|finding| finding.verdict == Verdict::Pass).filter(is_deviation)
}

/// The rules that the run was told not to report.
fn silenced(report: &Report) -> Vec<&str> {
    let levels = report.run.selection.levels.iter();
    levels.filter(|(_, level)| **level == Level::Allow).map(|(id, _)| id.as_str()).collect()
}

/// Endpoints whose state is known and beyond doubt. A report that does not count them itself has only sums: an endpoint
/// that we failed to ask, or that stayed silent over UDP, is mostly also inconclusive or not covered, so the larger of
/// the two sets is taken off.
pub(crate) fn determined(report: &Report) -> u64 {
    let states = &report.coverage.states;
    let verdicts = &report.summary.verdicts;
    let stateless = states.unknown.saturating_add(states.unanswered);
    let open_ended = stateless.max(verdicts.inconclusive.saturating_add(verdicts.not_covered));
    let most = report.coverage.planned.saturating_sub(open_ended);
    report.coverage.determined.map_or(most, |counted| counted.min(most))
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
fn clauses<'a>(findings: impl Iterator<Item = &'a Finding>) -> Vec<String> {
    let mut left: Vec<&Finding> = findings.collect();
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
        if !finding.verdict.is_doubt() {
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
        (gaps, "part of the plan was not determined", "parts of the plan were not determined"),
        (
            weak,
            "address was too unreliable to trust its silence",
            "addresses were too unreliable to trust their silence",
        ),
    ];
    said.into_iter().filter(|(n, ..)| *n > 0).map(|(n, one, many)| spoken(n, one, many)).collect()
}
