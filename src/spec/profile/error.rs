//! What can be wrong with a profile file. Always names the file, and the line where there is one.

use thiserror::Error;

use crate::{model::Protocol, spec::manifest::Place};

/// A profile that can't be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[allow(missing_docs)] // the messages say it
pub enum ProfileError {
    #[error(
        "{0}: not a profile; a profile folder holds `roles/NAME.yaml`, `ports/services.yaml`, `ports/common.yaml` and `ports/sensitive.yaml`"
    )]
    NotAProfile(String),
    #[error("{place}: {message}")]
    Syntax { place: Place, message: String },
    #[error("{place}: this file is named `{file}.yaml` and must hold the role `{file}`, not `{role}`")]
    RoleName { place: Place, file: String, role: String },
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
