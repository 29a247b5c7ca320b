//! What can be wrong with a profile file. Always names the file, and the line where there is one.

use thiserror::Error;

use crate::{model::Protocol, spec::manifest::Place};

/// A profile that can't be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[allow(missing_docs)] // the messages say it
pub enum ProfileError {
    #[error(
        "{0}: not a profile; a profile folder holds `roles/NAME.yaml`, `policies/NAME.yaml`, `ports/services.yaml`, `ports/common.yaml` and `ports/sensitive.yaml`"
    )]
    NotAProfile(String),
    #[error("{place}: {message}")]
    Syntax { place: Place, message: String },
    #[error("{place}: this file is named `{file}.yaml` and must hold the role `{file}`, not `{role}`")]
    RoleName { place: Place, file: String, role: String },
    #[error("{place}: this file is named `{file}.yaml` and must hold the policy `{file}`, not `{policy}`")]
    PolicyName { place: Place, file: String, policy: String },
    #[error("{0}: a policy has at least one control")]
    NoControl(Place),
    #[error("{0}: a control's id is a word of at most 64 characters")]
    ControlId(Place),
    #[error("{place}: the control `{id}` is already there; a control is listed once")]
    ControlTwice { place: Place, id: String },
    #[error(
        "{place}: control `{id}`: `support: none` names no rule, and what has support names at least one"
    )]
    SupportAndRules { place: Place, id: String },
    #[error("{place}: control `{id}`: what has `support: none` is never supported, and needs nothing")]
    SupportAndNeeds { place: Place, id: String },
    #[error(
        "{place}: no control can need `{name}`{}",
        nearest.as_deref().map_or_else(
            || "; write declared, tcp, udp, previous, outside, or a field such as `expose.tls`".to_owned(),
            |name| format!("; did you mean `{name}`?")
        )
    )]
    UnknownNeed { place: Place, name: String, nearest: Option<String> },
    #[error("{place}: there is no rule `{name}`{}", meant(*nearest))]
    UnknownRule { place: Place, name: String, nearest: Option<&'static str> },
    #[error("{place}: the manifest has no field `{name}`{}", meant(nearest.as_deref()))]
    UnknownField { place: Place, name: String, nearest: Option<String> },
    #[error("{place}: {port}/{protocol} is already in line {first}; a port is listed once")]
    Twice { place: Place, protocol: Protocol, port: u16, first: u64 },
    #[error("{place}: the role expects {port}/{protocol} in line {expected} and forbids it here")]
    Contradiction { place: Place, protocol: Protocol, port: u16, expected: u64 },
    #[error("{place}: no service is named `{name}`{}", hint(nearest.as_deref()))]
    UnknownService { place: Place, name: String, nearest: Option<String> },
    #[error("{place}: alias `{alias}` is already the name of a service; remove the alias")]
    AliasIsName { place: Place, alias: String },
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map_or_else(
        || "; add it to ports/services.yaml".to_owned(),
        |name| format!("; did you mean `{name}`?"),
    )
}

fn meant(nearest: Option<&str>) -> String {
    nearest.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}
