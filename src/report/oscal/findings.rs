//! One observation for each target, each finding and each control of a policy, and one OSCAL finding for each rule that was broken or left in
//! doubt. `not-satisfied` is all that is ever said of a rule.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::{
    NO_CONTROL, Refs,
    assets::{Assets, Subject},
    controls, risks, time,
    words::{Prop, markup, props, token},
};
use crate::{
    model::{State, StateCounts, Verdict, rule},
    report::{
        Finding, Report, TargetRecord,
        exchange::subject,
        words::{count, listed, thousands},
    },
};

/// The findings of a report by rule, each by its place in the report.
pub(super) struct Groups<'a>(BTreeMap<&'a str, Vec<(usize, &'a Finding)>>);

impl<'a> Groups<'a> {
    /// Of a report. What only warns breaks no rule, and belongs to none.
    pub(super) fn of(report: &'a Report) -> Self {
        let mut groups: BTreeMap<&str, Vec<(usize, &Finding)>> = BTreeMap::new();
        for (place, finding) in report.findings.iter().enumerate() {
            if !finding.verdict.is_pass() {
                groups.entry(&finding.rule).or_default().push((place, finding));
            }
        }
        Self(groups)
    }

    /// The rules.
    pub(super) fn rules(&self) -> impl Iterator<Item = &'a str> {
        self.0.keys().copied()
    }
}

/// The id of the observation of a finding. Its place belongs to it, so that a report with two findings of one id has
/// two observations.
pub(super) fn observation_id(refs: &Refs, place: usize, finding: &Finding) -> String {
    refs.ids.id("finding", &format!("{place}\0{}", finding.id))
}

/// One observation. Typed, as there may be very many.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Observation<'a> {
    pub(super) uuid: String,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) props: Vec<Prop<'a>>,
    pub(super) methods: [&'static str; 1],
    pub(super) types: [&'static str; 1],
    pub(super) origins: [Origin<'a>; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) subjects: Vec<Subject<'a>>,
    pub(super) relevant_evidence: [Evidence; 1],
    pub(super) collected: String,
}

#[derive(Serialize)]
pub(super) struct Origin<'a> {
    actors: [Actor<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Actor<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    actor_uuid: &'a str,
}

#[derive(Serialize)]
pub(super) struct Evidence {
    href: String,
    description: &'static str,
}

/// Makes observations of one report.
pub(super) struct Observer<'a> {
    /// The report.
    pub(super) report: &'a Report,
    /// Ids of what observations refer to.
    pub(super) refs: &'a Refs,
    /// What they are about.
    pub(super) assets: &'a Assets<'a>,
}

impl<'a> Observer<'a> {
    /// Every observation: what was asked of each target, what was found, and what that shows of each control.
    pub(super) fn all(&self) -> impl Iterator<Item = Observation<'a>> {
        let asked = self.report.targets.iter().enumerate().map(|(place, target)| self.asked(place, target));
        let found =
            self.report.findings.iter().enumerate().map(|(place, finding)| self.found(place, finding));
        asked.chain(found).chain(controls::all(self))
    }

    pub(super) fn origins(&self) -> [Origin<'a>; 1] {
        [Origin { actors: [Actor { kind: "tool", actor_uuid: &self.refs.tool }] }]
    }

    pub(super) fn evidence(&self) -> [Evidence; 1] {
        [Evidence { href: format!("#{}", self.refs.evidence), description: "The JSON report." }]
    }

    fn asked(&self, place: usize, target: &'a TargetRecord) -> Observation<'a> {
        let mut states = StateCounts::default();
        for address in &target.addresses {
            states += address.states;
        }
        let ended: Vec<String> = State::ALL
            .into_iter()
            .filter(|&state| states.of(state) > 0)
            .map(|state| format!("{} {state}", thousands(states.of(state))))
            .collect();
        let ended = if ended.is_empty() { "nothing".to_owned() } else { listed(&ended) };
        let sum = count(states.total(), "endpoint", "endpoints");
        let ports = self.report.coverage.port_sets.get(&target.id);
        let addresses = target.addresses.iter().filter_map(|place| self.assets.address(&place.address));
        Observation {
            uuid: self.refs.ids.id("coverage", &format!("{place}\0{}", target.id)),
            title: markup(&format!("What was asked of {}", target.id)),
            description: markup(&format!("{sum} of {}: {ended}", target.id)),
            props: props([("target", Some(target.id.as_str())), ("ports", ports.map(String::as_str))]),
            methods: ["TEST"],
            types: ["coverage"],
            origins: self.origins(),
            subjects: self.assets.target(&target.id).into_iter().chain(addresses).collect(),
            relevant_evidence: self.evidence(),
            collected: time(&self.report.run.finished_at),
        }
    }

    fn found(&self, place: usize, finding: &'a Finding) -> Observation<'a> {
        let last = finding.evidence.last().map_or(&self.report.run.finished_at, |evidence| &evidence.at);
        let address = finding.address.as_deref().and_then(|address| self.assets.address(address));
        let about = subject(finding);
        let line = finding.manifest.as_ref().map(ToString::to_string);
        let words = [
            ("Declared: ", &finding.expected),
            ("Seen: ", &finding.observed),
            ("", &finding.message),
            ("What to do: ", &finding.remedy),
        ];
        let words: Vec<String> = words
            .into_iter()
            .filter(|(_, text)| !text.trim().is_empty())
            .map(|(label, text)| format!("{label}{}", markup(text)))
            .collect();
        let title = markup(&finding.title);
        Observation {
            uuid: observation_id(self.refs, place, finding),
            description: if words.is_empty() { title.clone() } else { words.join("\n\n") },
            title,
            props: props([
                ("finding-id", Some(finding.id.as_str())),
                ("rule", Some(finding.rule.as_str())),
                ("verdict", Some(finding.verdict.word())),
                ("severity", Some(finding.severity.word())),
                ("subject", about.as_deref()),
                ("target", finding.target.as_deref()),
                ("owner", finding.owner.as_deref()),
                ("cause", finding.cause.as_deref()),
                ("exception", finding.exception.as_deref()),
                ("manifest-line", line.as_deref()),
            ]),
            methods: ["TEST"],
            types: ["finding"],
            origins: self.origins(),
            subjects: address
                .or_else(|| self.assets.target(finding.target.as_deref()?))
                .into_iter()
                .collect(),
            relevant_evidence: self.evidence(),
            collected: time(last),
        }
    }
}

/// One OSCAL finding. Typed, as it may name very many observations.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Conclusion {
    uuid: String,
    title: String,
    description: String,
    target: Value,
    related_observations: Vec<RelatedObservation>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_risks: Vec<Value>,
    remarks: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct RelatedObservation {
    observation_uuid: String,
}

/// One OSCAL finding a rule.
pub(super) fn conclusions(report: &Report, refs: &Refs, groups: &Groups<'_>) -> Vec<Conclusion> {
    groups.0.iter().map(|(rule, found)| conclusion(report, refs, rule, found)).collect()
}

fn conclusion(report: &Report, refs: &Refs, id: &str, found: &[(usize, &Finding)]) -> Conclusion {
    let of = |wanted: fn(Verdict) -> bool| {
        found.iter().filter(|(_, finding)| wanted(finding.verdict)).count() as u64
    };
    let wrong = of(|verdict| verdict == Verdict::Fail);
    let unsure = of(Verdict::is_doubt);
    let waived = of(|verdict| verdict == Verdict::Waived);
    let counts = [(wrong, "wrong"), (unsure, "unsure"), (waived, "waived")];
    let counts: Vec<String> = counts
        .into_iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, word)| format!("{} {word}", thousands(n)))
        .collect();
    // `fail` is kept for what was seen to be wrong; doubt and accepted deviations are neither that nor a pass.
    let reason = if wrong > 0 { "fail" } else { "other" };
    let rule = rule(id);
    let title = rule.map_or_else(|| id.to_owned(), |rule| format!("{} {}", rule.id, rule.name));
    let observation = |(place, finding): &(usize, &Finding)| RelatedObservation {
        observation_uuid: observation_id(refs, *place, finding),
    };
    Conclusion {
        uuid: refs.ids.id("conclusion", id),
        title: markup(&title),
        description: markup(
            rule.map_or("A rule that this version of portproof does not know.", |rule| rule.when),
        ),
        target: json!({
            "type": "objective-id",
            "target-id": token(id),
            "status": { "state": "not-satisfied", "reason": reason, "remarks": format!("{}.", listed(&counts)) },
        }),
        related_observations: found.iter().map(observation).collect(),
        related_risks: risks::related(report, refs, found.iter().map(|(_, finding)| *finding)),
        remarks: NO_CONTROL,
    }
}
