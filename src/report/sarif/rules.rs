//! The rules as SARIF describes them. All are published, raised or not: consumers expect the rules of a tool to
//! change with its version only.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::{
    model::{Kind, RULES, Rule, Severity},
    report::{
        Finding, Report,
        exchange::{known, text},
    },
};

/// The catalogue, and the rules of a report that another version made and this one does not know.
pub(super) struct Rules<'a> {
    foreign: Vec<&'a Finding>,
    places: HashMap<&'a str, usize>,
}

impl<'a> Rules<'a> {
    /// Of a report.
    pub(super) fn of(report: &'a Report) -> Self {
        let places = RULES.iter().enumerate().map(|(place, rule)| (rule.id, place)).collect();
        let mut rules = Self { foreign: Vec::new(), places };
        for finding in &report.findings {
            if !rules.places.contains_key(finding.rule.as_str()) {
                rules.places.insert(&finding.rule, RULES.len() + rules.foreign.len());
                rules.foreign.push(finding);
            }
        }
        rules
    }

    /// Where a rule stands among the descriptors.
    pub(super) fn place(&self, rule: &str) -> Option<usize> {
        self.places.get(rule).copied()
    }

    /// All of them.
    pub(super) fn descriptors(&self) -> Vec<Value> {
        RULES.iter().map(descriptor).chain(self.foreign.iter().map(|finding| unknown(finding))).collect()
    }
}

fn descriptor(rule: &Rule) -> Value {
    let Rule { id, name, severity, kind, when, why, remedy } = rule;
    let short = when.split_once(". ").map_or_else(|| (*when).to_owned(), |(first, _)| format!("{first}."));
    known(json!({
        "id": id,
        "name": name,
        "shortDescription": { "text": short },
        "fullDescription": { "text": format!("{when} {why}") },
        "help": {
            "text": format!("{when}\n\n{why}\n\nWhat to do: {remedy}"),
            "markdown": format!(
                "{when}\n\n**Why it matters.** {why}\n\n**What to do.** {remedy}\n\n`portproof explain {id}` says the same."
            ),
        },
        "defaultConfiguration": { "level": level(*severity) },
        "properties": properties(*kind, *severity),
    }))
}

/// The rule of a newer version, or of a report that was edited: its id must be found all the same.
fn unknown(finding: &Finding) -> Value {
    let description =
        "A rule that this version of portproof does not know; its findings say what they are about.";
    known(json!({
        "id": text(&finding.rule),
        "shortDescription": { "text": description },
        "fullDescription": { "text": description },
        "help": { "text": description },
        "defaultConfiguration": { "level": level(finding.severity) },
        "properties": properties(finding.kind, finding.severity),
    }))
}

/// Paperwork is no vulnerability: it gets no score, so code scanning shows it by its level alone.
fn properties(kind: Kind, severity: Severity) -> Value {
    match kind {
        Kind::Exposure => json!({ "security-severity": score(severity), "tags": ["security", "exposure"] }),
        Kind::Doubt => json!({ "security-severity": score(severity), "tags": ["security", "coverage"] }),
        Kind::Governance => json!({ "tags": ["governance"] }),
    }
}

/// The level of SARIF for what is wrong.
pub(super) fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low => "note",
    }
}

/// The middle of the band that code scanning reads as this severity.
pub(super) fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "2.0",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The longest description that code scanning takes, in characters.
    const MOST_DESCRIPTION: usize = 1024;

    #[test]
    fn every_description_is_short_enough_and_whole() {
        for rule in RULES {
            let whole = rule.when.chars().count() + 1 + rule.why.chars().count();
            assert!(whole <= MOST_DESCRIPTION, "{}: {whole}", rule.id);
            let shown = descriptor(rule);
            let short = shown["shortDescription"]["text"].as_str().expect("a text");
            assert!(short.ends_with('.') && short.len() < 300, "{}: {short}", rule.id);
        }
    }
}
