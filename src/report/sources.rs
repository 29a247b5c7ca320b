//! What is written down so that a report can be judged again, and of what a report is judged from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::MissOfAddress;
use crate::model::{ControlCount, StateCounts, Tally};

/// A file that was judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SourceRecord {
    /// As named.
    pub path: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// `portproof`, `nmap-xml`, `masscan-json`, `naabu-json`.
    pub format: String,
    /// What wrote it: `nmap 7.93`.
    pub tool: String,
    /// RFC 3339, UTC; null where it does not say.
    pub started_at: Option<String>,
    /// RFC 3339, UTC; null where it does not say.
    pub finished_at: Option<String>,
    /// The scan did not reach its end.
    pub partial: bool,
    /// What it can't show, and where it contradicts an earlier file.
    pub remarks: Vec<String>,
}

/// Control totals of one protocol of one address, over what was given to the scan there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProtocolCoverage {
    /// The ports that were asked, where they are not all of those that `port_sets` has for its targets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ports: Option<String>,
    /// Where they ended.
    #[serde(flatten)]
    pub states: StateCounts,
    /// Of the unknown ones, those never asked at all.
    #[serde(default, skip_serializing_if = "is_none")]
    pub not_sent: u64,
    /// Settled by an ICMP prohibition.
    #[serde(default, skip_serializing_if = "is_none")]
    pub prohibited: u64,
    /// It answered, and no longer did when its silence was to be believed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fell_silent: bool,
    /// The last failure on our side, as a reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local: Option<String>,
    /// Its own figure, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub miss: Option<MissOfAddress>,
    /// What came of ports beside the plan, where some were asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub controls: Option<Controls>,
}

/// Random ports that nobody planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Controls {
    /// How many were asked.
    pub asked: u8,
    /// How many of them answered as open.
    pub open: u8,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // the shape that serde wants
fn is_none(n: &u64) -> bool {
    *n == 0
}

impl ProtocolCoverage {
    /// The totals of a scan. `ports`: where they are not those of the targets.
    pub(super) fn of(tally: &Tally, ports: Option<String>) -> Self {
        Self {
            ports,
            states: tally.states,
            not_sent: tally.not_sent,
            prohibited: tally.prohibited,
            fell_silent: tally.fell_silent,
            local: tally.local.map(|error| crate::model::Reason::Local(error).to_string()),
            miss: tally.miss.map(Into::into),
            controls: tally.controls.map(|ControlCount { asked, open }| Controls { asked, open }),
        }
    }
}
