//! Why endpoints that deviate, or are in doubt, do not count: somebody accepted them, or the run was told to let them
//! pass. The verdict is one, and a reader must be able to tell them apart.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    spec::manifest::Manifest,
    verify::{Waived, WaivedCounts},
};

/// How many endpoints are waived, by why; the sum is that of the verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WaivedRecord {
    /// Exceptions accept them.
    pub by_exception: u64,
    /// The run was told not to report their rule (`-A`).
    pub not_reported: u64,
    /// The run was told only to warn of their rule (`-W`).
    pub only_warned: u64,
}

impl WaivedRecord {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.by_exception.saturating_add(self.let_through())
    }

    /// Those that nobody has accepted.
    pub fn let_through(&self) -> u64 {
        self.not_reported.saturating_add(self.only_warned)
    }
}

impl From<WaivedCounts> for WaivedRecord {
    fn from(counts: WaivedCounts) -> Self {
        let WaivedCounts { exceptions, allowed, warned } = counts;
        Self { by_exception: exceptions, not_reported: allowed, only_warned: warned }
    }
}

/// The same of one endpoint: `exception EX-9`, `-A EXP001`, `-W EXP001`.
pub(crate) fn waived_by(waived: Waived, manifest: &Manifest) -> String {
    match waived {
        Waived::Exception(by) => {
            let id = manifest.exceptions.get(by).map_or("", |exception| exception.id.as_str());
            format!("exception {id}")
        }
        Waived::Allowed(rule) => format!("-A {rule}"),
        Waived::Warned(rule) => format!("-W {rule}"),
    }
}
