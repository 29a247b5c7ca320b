//! What a run shows of the controls of each policy in force, written down. The judgement is made below
//! this floor; the wording is "supports evidence for", and nothing here says that a control is met.

use std::collections::{BTreeSet, HashMap};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::words::thousands;
use crate::{
    spec::{
        manifest::{Expose, Manifest, Place, Target},
        profile::{Control, PolicyProfile, Support},
    },
    verify::{ControlJudgement, Judgement, Status},
};

/// So many findings, and so many entries, are named a control; `bearing` and `mapped` count all of them.
const NAMED: usize = 1_000;

/// What a run shows of one policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ComplianceRecord {
    /// As the manifest names it: `pci-dss-4.0.1`.
    pub policy: String,
    /// What `controls` of the manifest call the standard, whatever the edition: `pci-dss`.
    pub framework: String,
    /// The standard's name.
    pub title: String,
    /// Its edition.
    pub edition: String,
    /// What a reader must know of it.
    pub notes: Vec<String>,
    /// One per control, in the policy's order.
    pub controls: Vec<ControlRecord>,
}

/// What a run shows of one control.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ControlRecord {
    /// As the standard numbers it: `1.2.5`.
    pub id: String,
    /// What it asks, in the project's own words.
    pub asks: String,
    /// How far this run could support it: as far as any can, and never in full where not every port was asked.
    pub support: Support,
    /// What else whoever assesses it needs.
    pub also: String,
    /// The rules that bear on it; every doubt does where one of them is about exposure.
    pub rules: Vec<String>,
    /// The fields of the manifest that bear on it.
    pub fields: Vec<String>,
    /// What must be there before a run supports it at all, in the words of the policy.
    #[serde(default)]
    pub needs: Vec<String>,
    /// What this run shows.
    pub status: Status,
    /// Why, a sentence each.
    pub because: Vec<String>,
    /// How many findings of this run bear on it.
    pub bearing: u64,
    /// Their ids, worst first, the first thousand.
    pub findings: Vec<String>,
    /// How many `expose` entries name it in their `controls`.
    #[serde(default)]
    pub mapped: u64,
    /// Those entries, in the order of the manifest, the first thousand.
    #[serde(default)]
    pub entries: Vec<MappedEntry>,
}

/// An `expose` entry that names a control.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MappedEntry {
    /// Whose entry it is.
    pub target: String,
    /// `443/tcp`.
    pub ports: String,
    /// Where it stands.
    pub manifest: Place,
}

impl ControlRecord {
    /// What this run shows, in a word or three: the part that a run can show is not the control.
    pub(super) fn shows(&self) -> &'static str {
        match (self.status, self.support) {
            (Status::Supported, Support::Partial) => IN_PART,
            (status, _) => status.word(),
        }
    }
}

const IN_PART: &str = "supported in part";

/// `3 supported in part, 0 contradicted, 7 undetermined`.
pub(super) fn tally<'a>(controls: impl Iterator<Item = &'a ControlRecord>) -> String {
    let shown: Vec<&str> = controls.map(ControlRecord::shows).collect();
    let of = |word| shown.iter().filter(|shown| **shown == word).count();
    let (whole, part) = (of(Status::Supported.word()), of(IN_PART));
    let counted = [
        (whole, Status::Supported.word(), whole > 0 || part == 0),
        (part, IN_PART, part > 0),
        (of(Status::Contradicted.word()), Status::Contradicted.word(), true),
        (of(Status::Undetermined.word()), Status::Undetermined.word(), true),
    ];
    let said = counted.iter().filter(|(.., is_said)| *is_said);
    said.map(|(n, word, _)| format!("{} {word}", thousands(*n as u64))).collect::<Vec<_>>().join(", ")
}

/// Entries by the controls that they name.
struct Mapped<'m>(HashMap<&'m str, Vec<(&'m Target, &'m Expose)>>);

/// One record a policy that the manifest names.
pub(super) fn records(manifest: &Manifest, judgement: &Judgement) -> Vec<ComplianceRecord> {
    let judged = judgement.compliance.iter();
    let mapped = Mapped::of(manifest);
    judged
        .filter_map(|compliance| {
            let policy = manifest.policy.uses.get(compliance.policy)?;
            Some(record(policy, &compliance.controls, judgement, &mapped))
        })
        .collect()
}

impl<'m> Mapped<'m> {
    fn of(manifest: &'m Manifest) -> Self {
        let mut mapped: HashMap<&str, Vec<_>> = HashMap::new();
        for target in &manifest.targets {
            for entry in &target.expose {
                let once: BTreeSet<&str> = entry.controls.iter().map(String::as_str).collect();
                for name in once {
                    mapped.entry(name).or_default().push((target, entry));
                }
            }
        }
        Self(mapped)
    }

    fn to(&self, control: &str) -> &[(&'m Target, &'m Expose)] {
        self.0.get(control).map_or(&[][..], Vec::as_slice)
    }
}

fn record(
    policy: &PolicyProfile,
    judged: &[ControlJudgement],
    judgement: &Judgement,
    mapped: &Mapped<'_>,
) -> ComplianceRecord {
    let controls = policy.controls.iter().zip(judged);
    ComplianceRecord {
        policy: policy.name.clone(),
        framework: policy.framework.clone(),
        title: policy.title.clone(),
        edition: policy.edition.clone(),
        notes: policy.notes.clone(),
        controls: controls
            .map(|(control, judged)| {
                control_record(control, judged, judgement, mapped.to(&policy.name_of(control)))
            })
            .collect(),
    }
}

fn control_record(
    control: &Control,
    judged: &ControlJudgement,
    judgement: &Judgement,
    named: &[(&Target, &Expose)],
) -> ControlRecord {
    let entry = |(target, entry): &(&Target, &Expose)| MappedEntry {
        target: target.id.clone(),
        ports: format!("{}/{}", entry.ports, entry.protocol),
        manifest: entry.place.clone(),
    };
    let bearing = judged.findings.iter().filter_map(|&i| judgement.findings.get(i));
    ControlRecord {
        id: control.id.clone(),
        asks: control.asks.clone(),
        support: judged.support,
        also: control.also.clone(),
        rules: control.rules.iter().map(|rule| rule.id.to_owned()).collect(),
        fields: control.fields.clone(),
        needs: control.needs.iter().map(|need| need.word().to_owned()).collect(),
        status: judged.status,
        because: judged.because.clone(),
        bearing: judged.findings.len() as u64,
        findings: bearing.take(NAMED).map(|finding| finding.id.clone()).collect(),
        mapped: named.len() as u64,
        entries: named.iter().take(NAMED).map(entry).collect(),
    }
}
