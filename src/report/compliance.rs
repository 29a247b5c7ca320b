//! What a run shows of the controls of each policy in force, written down. The judgement is made below
//! this floor; the wording is "supports evidence for", and nothing here says that a control is met.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    spec::{
        manifest::Manifest,
        profile::{Control, PolicyProfile, Support},
    },
    verify::{ControlJudgement, Judgement, Status},
};

/// So many findings are named a control, worst first; `bearing` counts all of them.
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
}

/// One record a policy that the manifest names.
pub(super) fn records(manifest: &Manifest, judgement: &Judgement) -> Vec<ComplianceRecord> {
    let judged = judgement.compliance.iter();
    judged
        .filter_map(|compliance| {
            let policy = manifest.policy.uses.get(compliance.policy)?;
            Some(record(policy, &compliance.controls, judgement))
        })
        .collect()
}

fn record(policy: &PolicyProfile, judged: &[ControlJudgement], judgement: &Judgement) -> ComplianceRecord {
    let controls = policy.controls.iter().zip(judged);
    ComplianceRecord {
        policy: policy.name.clone(),
        framework: policy.framework.clone(),
        title: policy.title.clone(),
        edition: policy.edition.clone(),
        notes: policy.notes.clone(),
        controls: controls.map(|(control, judged)| control_record(control, judged, judgement)).collect(),
    }
}

fn control_record(control: &Control, judged: &ControlJudgement, judgement: &Judgement) -> ControlRecord {
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
    }
}
