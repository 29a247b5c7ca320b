//! Findings as they leave: worded, ordered, and each with an id that stays the same from run to run.

use std::{collections::BTreeSet, net::IpAddr};

use sha2::{Digest, Sha256};

use super::{Case, docket, draft::Draft};
use crate::{
    model::{Family, Level, Look, Protocol, Rule, Severity, Verdict},
    spec::manifest::Place,
};

/// One deviation or doubt. One cause, one finding.
#[derive(Clone, Debug)]
pub struct Finding {
    /// First 16 hex digits of SHA-256 over rule, target, subject, protocol and port.
    pub id: String,
    /// Which rule says it.
    pub rule: &'static Rule,
    /// `Warn`: it does not fail the run.
    pub level: Level,
    /// How bad.
    pub severity: Severity,
    /// `Fail`, `Inconclusive`, `NotCovered`, `Waived`; `Pass` for a warning.
    pub verdict: Verdict,
    /// Index into `Manifest::targets`; `None` for the run or the manifest as a whole.
    pub target: Option<usize>,
    /// Other targets that the same cause concerns.
    pub also: Vec<usize>,
    /// The host entry as written.
    pub host: Option<String>,
    /// The addresses it was seen at, in numeric order; several for one name.
    pub addresses: Vec<IpAddr>,
    /// The family of the addresses, where it is one.
    pub family: Option<Family>,
    /// Where it is about one port.
    pub protocol: Option<Protocol>,
    /// Where it is about one port.
    pub port: Option<u16>,
    /// One word, where the rule has causes.
    pub cause: Option<&'static str>,
    /// One line: what is wrong.
    pub title: String,
    /// What the manifest says.
    pub expected: String,
    /// What was seen.
    pub observed: String,
    /// Attempt by attempt.
    pub looks: Vec<Look>,
    /// Two or three sentences.
    pub message: String,
    /// What to do.
    pub remedy: String,
    /// Where to look in the manifest.
    pub place: Option<Place>,
    /// Index into `Manifest::exceptions`: the one that waives it.
    pub exception: Option<usize>,
    /// How many endpoints rest on it.
    pub endpoints: u64,
}

/// Writes drafts down, in the order of the report, with ids that are unique within it.
pub(super) fn write<'d>(
    case: &Case<'_>,
    drafts: impl Iterator<Item = (&'d Draft, Verdict, Option<usize>)>,
) -> Vec<Finding> {
    let mut findings: Vec<(&Draft, Finding)> =
        drafts.map(|(draft, verdict, exception)| (draft, worded(draft, verdict, exception))).collect();
    findings.sort_by(|(a_draft, a), (b_draft, b)| order(a, a_draft).cmp(&order(b, b_draft)));
    let mut taken = BTreeSet::new();
    for (draft, finding) in &mut findings {
        // Two remarks about one thing (a lint raised twice for one port) are told apart by their order.
        let mut nth = 1;
        finding.id = id(case, draft, nth);
        while !taken.insert(finding.id.clone()) {
            nth += 1;
            finding.id = id(case, draft, nth);
        }
    }
    findings.into_iter().map(|(_, finding)| finding).collect()
}

fn worded(draft: &Draft, verdict: Verdict, exception: Option<usize>) -> Finding {
    let addresses: Vec<IpAddr> = draft.places.keys().copied().collect();
    let families: BTreeSet<Family> = addresses.iter().map(|&address| Family::of(address)).collect();
    let mut looks = draft.looks.clone();
    looks.sort_by_key(|look| (look.at, look.attempt));
    Finding {
        id: String::new(),
        rule: draft.rule,
        level: if verdict == Verdict::Pass { Level::Warn } else { Level::Deny },
        severity: draft.severity,
        verdict,
        target: draft.key.target,
        also: draft.also.iter().copied().collect(),
        host: draft.host.clone(),
        family: families.first().copied().filter(|_| families.len() == 1),
        addresses,
        protocol: draft.key.port.map(|(protocol, _)| protocol),
        port: draft.key.port.map(|(_, port)| port),
        cause: draft.cause,
        title: draft.title.clone(),
        expected: draft.expected.clone(),
        observed: draft.observed(),
        looks,
        message: draft.message(),
        remedy: draft.remedy.clone(),
        place: draft.place.clone(),
        exception,
        endpoints: draft.charges.total(),
    }
}

/// Outcome and severity first, then CONTRACT §5: family, numeric address, protocol, port, rule.
fn order<'d>(finding: &Finding, draft: &'d Draft) -> impl Ord + use<'d> {
    let first = finding.addresses.first().copied();
    (
        docket::order(finding.verdict),
        std::cmp::Reverse(finding.severity),
        (first.is_none(), first),
        (finding.protocol, finding.port),
        &draft.key,
        finding.place.as_ref().map(|place| (place.line, place.column)),
    )
}

fn id(case: &Case<'_>, draft: &Draft, nth: u32) -> String {
    let target = draft.key.target.and_then(|target| case.manifest.targets.get(target));
    let (protocol, port) = match draft.key.port {
        Some((protocol, port)) => (protocol.to_string(), port.to_string()),
        None => (String::new(), String::new()),
    };
    let nth = if nth > 1 { nth.to_string() } else { String::new() };
    let target = target.map_or("", |target| target.id.as_str());
    let digest =
        Sha256::digest([draft.rule.id, target, &draft.key.subject, &protocol, &port, &nth].join("\n"));
    digest.iter().take(8).fold(String::new(), |id, byte| format!("{id}{byte:02x}"))
}
