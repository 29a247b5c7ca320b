//! What the operator selected, as the report holds it: nothing of it is a doubt, and all of it is said.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Family, Level};

/// The chance of a miss that is accepted where nobody says otherwise, and without a word.
pub(crate) const USUAL_MISS: f64 = 0.001;

/// What the operator deselected.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Selection {
    /// `--only`.
    pub only: Vec<String>,
    /// `--exclude`.
    pub exclude: Vec<String>,
    /// `--families`, where given.
    pub families: Option<Vec<Family>>,
    /// `--hosts`, where given: of which targets the hosts came from elsewhere than the manifest, and from where.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub hosts: BTreeMap<String, String>,
    /// `--tcp`, where given.
    pub tcp: Option<String>,
    /// `--udp`, where given.
    pub udp: Option<String>,
    /// `--shard I/N`, where given.
    pub shard: Option<String>,
    /// With `--shard`: tells the whole plan apart from others, so that `verify --from` joins only parts of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// The chance to have missed an open port that was accepted (`--max-miss`); null where it was the usual 0.001.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_miss: Option<f64>,
    /// `--at`, where given: paperwork judged as of that day.
    pub at: Option<String>,
    /// `--strict`: exceptions ignored.
    pub strict: bool,
    /// `-A`, `-W`, `-D`: rules by id, and what was made of them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub levels: BTreeMap<String, Level>,
}
