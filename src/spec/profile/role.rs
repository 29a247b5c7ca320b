//! One sort of host: what it typically exposes, what it must never expose, and advice. What it
//! expects is a hint and never makes anything pass.

use std::cmp::Reverse;

use serde::Serialize;

use super::{ProfileError, read, services::Services};
use crate::model::{PortSet, Protocol, Severity};

/// One sort of host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Role {
    /// As targets name it: `web-server`.
    pub name: String,
    /// In two or three words.
    pub title: String,
    /// In two or three sentences.
    pub description: String,
    /// What such a host typically exposes. Hints only.
    pub expects: Vec<Expected>,
    /// What such a host must never expose.
    pub never: Vec<Never>,
    /// Advice to whoever runs such a host, a sentence or two each.
    pub hints: Vec<String>,
}

/// What a host of this role typically exposes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Expected {
    /// TCP or UDP.
    pub protocol: Protocol,
    /// At least one.
    pub ports: PortSet,
    /// A known service.
    pub service: String,
    /// What it is for, as a clause.
    pub why: String,
}

/// What a host of this role must never expose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Never {
    /// TCP or UDP.
    pub protocol: Protocol,
    /// At least one.
    pub ports: PortSet,
    /// How bad it is when it is open.
    pub severity: Severity,
    /// What goes wrong then, as a clause.
    pub why: String,
}

impl Role {
    /// Whether the role forbids this port. Where several entries do, the most severe one, and of
    /// these the narrowest.
    pub fn forbids(&self, protocol: Protocol, port: u16) -> Option<&Never> {
        self.never
            .iter()
            .filter(|never| never.protocol == protocol && never.ports.contains(port))
            .max_by_key(|never| (never.severity, Reverse(never.ports.len())))
    }

    /// Every port that the role forbids.
    pub fn forbidden(&self, protocol: Protocol) -> PortSet {
        let never = self.never.iter().filter(|never| never.protocol == protocol);
        PortSet::from_ranges(never.flat_map(|never| never.ports.ranges()))
    }

    pub(super) fn read(
        path: &str,
        text: &str,
        file: &str,
        services: &Services,
    ) -> Result<Self, ProfileError> {
        let read: read::RoleFile = read::parse(path, text)?;
        if read.role.value != file {
            let place = read::place(path, read.role.referenced);
            return Err(ProfileError::RoleName { place, file: file.to_owned(), role: read.role.value });
        }
        for expected in &read.expects {
            if services.ports(&expected.service).is_empty() {
                return Err(ProfileError::UnknownService {
                    place: read::place(path, expected.port.referenced),
                    name: expected.service.clone(),
                    nearest: services.nearest(&expected.service).map(str::to_owned),
                });
            }
        }
        for never in &read.never {
            refuse_contradiction(path, &read.expects, never)?;
        }
        Ok(Self {
            name: read.role.value,
            title: read.title,
            description: read.description,
            expects: read.expects.into_iter().map(Expected::from).collect(),
            never: read.never.into_iter().map(Never::from).collect(),
            hints: read.hints.into_iter().map(|hint| hint.text).collect(),
        })
    }
}

impl From<read::ExpectedRow> for Expected {
    fn from(row: read::ExpectedRow) -> Self {
        let read::Port { protocol, ports } = row.port.value;
        Self { protocol, ports, service: row.service, why: row.why }
    }
}

impl From<read::NeverRow> for Never {
    fn from(row: read::NeverRow) -> Self {
        let read::Port { protocol, ports } = row.port.value;
        Self { protocol, ports, severity: row.severity, why: row.why }
    }
}

fn refuse_contradiction(
    path: &str,
    expects: &[read::ExpectedRow],
    never: &read::NeverRow,
) -> Result<(), ProfileError> {
    let read::Port { protocol, ports } = &never.port.value;
    for expected in expects.iter().filter(|expected| expected.port.value.protocol == *protocol) {
        if let Some(port) = ports.intersection(&expected.port.value.ports).nth(0) {
            return Err(ProfileError::Contradiction {
                place: read::place(path, never.port.referenced),
                protocol: *protocol,
                port,
                expected: expected.port.referenced.line(),
            });
        }
    }
    Ok(())
}
