//! Findings of two reports by their ids. One that is not there again is resolved only where the new run looked, and
//! was not told to keep it to itself.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::look::{Look, Looks};
use crate::{
    model::{Kind, Level, Protocol, Severity, Verdict, rule},
    report::{AddressRecord, Finding},
};

/// Findings by what became of them.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct Findings {
    /// In the new report only, and the old one looked there.
    pub new: Vec<FindingDiff>,
    /// In the old report only, and the new one looked there.
    pub resolved: Vec<FindingDiff>,
    /// In both, with another verdict or severity.
    pub changed: Vec<FindingDiff>,
    /// In the old report only, and the new one did not look there, or was told not to report it.
    pub not_looked_at: Vec<FindingDiff>,
    /// In the new report only, and the old one did not look there, or was told not to report it.
    pub not_looked_at_before: Vec<FindingDiff>,
    /// In both, and the same.
    pub same: u64,
}

/// One finding in two reports.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[allow(missing_docs)] // the fields of a finding
pub struct FindingDiff {
    pub id: String,
    pub rule: String,
    pub title: String,
    pub severity: Severity,
    pub verdict: Verdict,
    /// The severity in the old report, where it was another.
    pub old_severity: Option<Severity>,
    /// The verdict in the old report, where it was another.
    pub old_verdict: Option<Verdict>,
    pub target: Option<String>,
    pub host: Option<String>,
    pub address: Option<String>,
    pub protocol: Option<Protocol>,
    pub port: Option<u16>,
    pub owner: Option<String>,
    /// Why it was not looked at.
    pub why: Option<String>,
}

impl FindingDiff {
    fn of(finding: &Finding) -> Self {
        Self {
            id: finding.id.clone(),
            rule: finding.rule.clone(),
            title: finding.title.clone(),
            severity: finding.severity,
            verdict: finding.verdict,
            old_severity: None,
            old_verdict: None,
            target: finding.target.clone(),
            host: finding.host.clone(),
            address: finding.address.clone(),
            protocol: finding.protocol,
            port: finding.port,
            owner: finding.owner.clone(),
            why: None,
        }
    }

    /// Whether it is about what can be reached, or how sure that is; of the paperwork, whether it says that something is
    /// wrong.
    pub(super) fn is_of_exposure(&self) -> bool {
        self.counts() || rule(&self.rule).is_none_or(|rule| rule.kind != Kind::Governance)
    }

    /// Whether it says or said that something is wrong, accepted or not: a doubt does not, whatever was said before,
    /// nor does what was and is a remark.
    pub(super) fn counts(&self) -> bool {
        let is_wrong = |verdict: Verdict| matches!(verdict, Verdict::Fail | Verdict::Waived);
        !self.verdict.is_doubt() && (is_wrong(self.verdict) || self.old_verdict.is_some_and(is_wrong))
    }
}

/// Compares the findings by their ids.
pub(super) fn compare(old: &Looks<'_>, new: &Looks<'_>) -> Findings {
    let by_id = |looks: &Looks<'_>| -> HashMap<String, Finding> {
        looks.report.findings.iter().map(|finding| (finding.id.clone(), finding.clone())).collect()
    };
    let (before, after) = (by_id(old), by_id(new));
    let mut found = Findings::default();
    for finding in &new.report.findings {
        let mut diff = FindingDiff::of(finding);
        match before.get(&finding.id) {
            Some(known) if (known.verdict, known.severity) == (finding.verdict, finding.severity) => {
                found.same += 1;
            }
            Some(known) => {
                diff.old_verdict = Some(known.verdict).filter(|&verdict| verdict != finding.verdict);
                diff.old_severity = Some(known.severity).filter(|&severity| severity != finding.severity);
                found.changed.push(diff);
            }
            // A doubt says itself that something was not looked at; a remark needs no look.
            None => match unlooked(old, finding).filter(|_| diff.counts()) {
                Some(why) => found.not_looked_at_before.push(FindingDiff { why: Some(why), ..diff }),
                None => found.new.push(diff),
            },
        }
    }
    for finding in old.report.findings.iter().filter(|finding| !after.contains_key(&finding.id)) {
        let diff = FindingDiff::of(finding);
        match unlooked(new, finding) {
            Some(why) => found.not_looked_at.push(FindingDiff { why: Some(why), ..diff }),
            None => found.resolved.push(diff),
        }
    }
    found
}

/// Why a run can't say that a finding which it lacks is not there; `None` where it can.
fn unlooked(looks: &Looks<'_>, finding: &Finding) -> Option<String> {
    let report = looks.report;
    if report.run.selection.levels.get(&finding.rule) == Some(&Level::Allow) {
        return Some(format!("the run was told not to report {} (-A)", finding.rule));
    }
    if finding.kind == Kind::Governance {
        // Paperwork is judged from the manifest; only what was used is known from the run.
        let unfinished = report.run.partial && finding.rule == "EXC002";
        return unfinished.then(|| "the run is partial, so an exception may yet be used".to_owned());
    }
    let selected = report.run.selection.families.as_ref();
    if let Some(family) =
        finding.family.filter(|family| selected.is_some_and(|asked| !asked.contains(family)))
    {
        return Some(format!("{family} was left out"));
    }
    if let Some(address) = finding.address.as_deref() {
        return at(looks, finding, address);
    }
    let Some(id) = finding.target.as_deref() else {
        return report.run.partial.then(|| looks.why_unknown());
    };
    let Some(target) = report.targets.iter().find(|target| target.id == id) else {
        let only = &report.run.selection.only;
        let left_out = if only.is_empty() { "the run has no target" } else { "the run left out target" };
        return Some(format!("{left_out} {id}"));
    };
    let host = finding.host.as_deref();
    if let Some(host) = host.filter(|host| !target.hosts.iter().any(|written| written == host)) {
        return Some(format!("target {id} has no host {host}"));
    }
    let is_meant = |place: &&AddressRecord| {
        host.is_none_or(|host| place.name.as_deref().unwrap_or(&place.address) == host)
            && finding.family.is_none_or(|family| family == place.family)
    };
    // Names are asked of DNS whether or not their addresses answer.
    let places = target.addresses.iter().filter(is_meant).filter(|_| finding.rule != "EXP009");
    places.map(|place| at(looks, finding, &place.address)).find(Option::is_some).flatten()
}

/// The same for one address.
fn at(looks: &Looks<'_>, finding: &Finding, address: &str) -> Option<String> {
    let Some((protocol, port)) = finding.protocol.zip(finding.port) else {
        let Some(place) = looks.place(address) else { return Some(looks.absent(address)) };
        if looks.is_doubted(address) {
            return Some(format!("the silence of {address} proves nothing"));
        }
        let unknown = place.all().unknown;
        return (unknown > 0)
            .then(|| format!("not all of {address} was determined, {}", looks.why_unknown()));
    };
    match looks.at(address, protocol, port) {
        Look::Not(why) => Some(why),
        Look::Open(seen) if seen.verdict.is_doubt() => {
            Some("the port is open, and what answers could not be decided".to_owned())
        }
        // Accepted without a finding, and the report does not say what it was told to be silent about.
        Look::Open(seen) if seen.verdict == Verdict::Waived && !speaks(looks, address, protocol, port) => {
            Some("the run was told not to report it".to_owned())
        }
        Look::NotOpen(_) => {
            let seen = looks.recorded(address, protocol, port);
            let undecided = seen.is_some_and(|seen| seen.verdict.is_doubt());
            undecided.then(|| "it could not be decided".to_owned())
        }
        Look::Open(_) => None,
    }
}

fn speaks(looks: &Looks<'_>, address: &str, protocol: Protocol, port: u16) -> bool {
    looks.report.findings.iter().any(|finding| {
        finding.address.as_deref() == Some(address)
            && finding.protocol == Some(protocol)
            && finding.port == Some(port)
    })
}
