//! Who answered on an open port, as far as the judgement of it rests on that and no other field says it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::identify::{Guard, Portrait};

/// Who answered, so that the same can be judged again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PortraitRecord {
    /// The protocol, whether inside TLS or not; null where nobody understood it.
    pub protocol: Option<String>,
    /// Whether inside TLS.
    pub encrypted: bool,
    /// Whether everything was asked that there is to ask.
    pub complete: bool,
    /// The program, as it says itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// Its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Whatever else it tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// `open` to strangers, `cleartext`, `upgradable` (STARTTLS), `not_asked`; null where it shows nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guard: Option<String>,
    /// What shows that, as a clause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guard_shown_by: Option<String>,
    /// How somebody behaves whom nobody understands, as a clause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manner: Option<String>,
}

impl PortraitRecord {
    pub(super) fn of(portrait: &Portrait) -> Self {
        let (guard, guard_shown_by) = match portrait.guard() {
            Guard::Untold => (None, None),
            Guard::Open(shows) => (Some("open"), Some(shows)),
            Guard::Cleartext(shows) => (Some("cleartext"), Some(shows)),
            Guard::Upgradable => (Some("upgradable"), None),
            Guard::Unasked => (Some("not_asked"), None),
        };
        let shown = portrait.shown.as_ref();
        let identity = shown.and_then(|shown| shown.identity.clone()).unwrap_or_default();
        Self {
            protocol: shown.map(|shown| shown.service.to_owned()),
            encrypted: portrait.encrypted,
            complete: !portrait.is_cut,
            product: identity.product,
            version: identity.version,
            detail: identity.detail,
            guard: guard.map(str::to_owned),
            guard_shown_by: guard_shown_by.map(str::to_owned),
            manner: portrait.manner.map(|manner| manner.says().to_owned()),
        }
    }
}
