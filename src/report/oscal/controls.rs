//! One observation for each control of each policy in force: what the run shows of it. Says `supported`, never that the
//! control is satisfied: that is for an assessor.

use super::{
    findings::{Observation, Observer},
    time,
    words::{markup, props},
};
use crate::report::{ComplianceRecord, ControlRecord};

/// Said of each.
const EVIDENCE: &str = "This supports evidence for the control or speaks against it; whether the control is satisfied \
                        is for an assessor to say.";

/// The observations.
pub(super) fn all<'a>(observer: &Observer<'a>) -> impl Iterator<Item = Observation<'a>> {
    let policies = observer.report.compliance.iter().enumerate();
    policies.flat_map(move |(p, policy)| {
        let controls = policy.controls.iter().enumerate();
        controls.map(move |(c, control)| shown(observer, (p, policy), (c, control)))
    })
}

fn shown<'a>(
    observer: &Observer<'a>,
    (p, policy): (usize, &'a ComplianceRecord),
    (c, control): (usize, &'a ControlRecord),
) -> Observation<'a> {
    let ComplianceRecord { policy: name, framework, title, edition, .. } = policy;
    let bearing = control.bearing.to_string();
    let entries: Vec<String> =
        control.entries.iter().map(|it| format!("{} {}", it.target, it.ports)).collect();
    let words = [
        ("Asks: ", control.asks.as_str()),
        ("Shown: ", &control.because.join(" ")),
        ("Further needed: ", &control.also),
        ("Entries that name it: ", &entries.join(", ")),
    ];
    let words = words.into_iter().filter(|(_, text)| !text.trim().is_empty());
    let mut words: Vec<String> = words.map(|(label, text)| format!("{label}{}", markup(text))).collect();
    words.push(EVIDENCE.to_owned());
    let is_seen = control.rules.iter().any(|rule| rule.starts_with("EXP") && rule != "EXP013");
    Observation {
        uuid: observer.refs.ids.id("control", &format!("{p}.{c}\0{name}\0{}", control.id)),
        title: markup(&format!("{title} {edition}, {}: {}", control.id, control.shows())),
        description: words.join("\n\n"),
        props: props([
            ("policy", Some(name.as_str())),
            ("framework", Some(framework.as_str())),
            ("control", Some(control.id.as_str())),
            ("status", Some(control.status.word())),
            ("support", Some(control.support.word())),
            ("bearing", Some(bearing.as_str())),
        ]),
        methods: [if is_seen { "TEST" } else { "EXAMINE" }],
        types: ["control-objective"],
        origins: observer.origins(),
        subjects: Vec::new(),
        relevant_evidence: observer.evidence(),
        collected: time(&observer.report.run.finished_at),
    }
}
