//! The files of a profile folder as they are written, each with its line. Checks what one file can
//! say about itself; never reads a file, it is given the text.

use std::{collections::HashMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _, Visitor},
};
use serde_saphyr::{Location, Spanned};

use super::ProfileError;
use crate::{
    model::{PortSet, Protocol, Severity},
    spec::{manifest::Place, ports::parse_port_spec},
};

/// `roles/NAME.yaml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RoleFile {
    pub(super) role: Spanned<String>,
    #[serde(deserialize_with = "text")]
    pub(super) title: String,
    #[serde(deserialize_with = "text")]
    pub(super) description: String,
    #[serde(default)]
    pub(super) expects: Vec<ExpectedRow>,
    #[serde(default)]
    pub(super) never: Vec<NeverRow>,
    #[serde(default)]
    pub(super) hints: Vec<Hint>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpectedRow {
    pub(super) port: Spanned<Port>,
    #[serde(deserialize_with = "text")]
    pub(super) service: String,
    #[serde(deserialize_with = "text")]
    pub(super) why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NeverRow {
    pub(super) port: Spanned<Port>,
    pub(super) severity: Severity,
    #[serde(deserialize_with = "text")]
    pub(super) why: String,
}

#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Hint {
    #[serde(deserialize_with = "text")]
    pub(super) text: String,
}

/// `ports/services.yaml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServicesFile {
    pub(super) services: Vec<ServiceRow>,
    #[serde(default)]
    pub(super) aliases: HashMap<String, Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServiceRow {
    pub(super) port: Spanned<Port>,
    #[serde(deserialize_with = "text")]
    pub(super) name: String,
    #[serde(deserialize_with = "text")]
    pub(super) title: String,
}

/// `ports/common.yaml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CommonFile {
    pub(super) tcp: Vec<CommonRow>,
    pub(super) udp: Vec<CommonRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CommonRow {
    pub(super) port: Spanned<Port>,
    #[serde(deserialize_with = "text")]
    pub(super) why: String,
}

/// `ports/sensitive.yaml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SensitiveFile {
    pub(super) ports: Vec<NeverRow>,
}

/// A protocol and at least one port.
pub(super) struct Port {
    pub(super) protocol: Protocol,
    pub(super) ports: PortSet,
}

/// The text as the given kind of file.
pub(super) fn parse<T: DeserializeOwned>(path: &str, text: &str) -> Result<T, ProfileError> {
    let options = serde_saphyr::options! { with_snippet: false, strict_booleans: true };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let location = error.location();
        let place = location
            .map_or_else(|| Place { path: path.to_owned(), line: 1, column: 1 }, |at| place(path, at));
        ProfileError::Syntax { place, message: message(&error) }
    })
}

/// Where something stands in a file.
pub(super) fn place(path: &str, at: Location) -> Place {
    Place { path: path.to_owned(), line: at.line(), column: at.column() }
}

/// Refuses a port that two rows of one table hold.
#[derive(Default)]
pub(super) struct Once {
    lines: HashMap<(Protocol, u16), u64>,
}

impl Once {
    /// Every endpoint of the row, once it is clear that none was there before.
    pub(super) fn take(
        &mut self,
        path: &str,
        row: &Spanned<Port>,
    ) -> Result<Vec<(Protocol, u16)>, ProfileError> {
        let Port { protocol, ports } = &row.value;
        let line = row.referenced.line();
        ports
            .iter()
            .map(|port| match self.lines.insert((*protocol, port), line) {
                None => Ok((*protocol, port)),
                Some(first) => {
                    let place = place(path, row.referenced);
                    Err(ProfileError::Twice { place, protocol: *protocol, port, first })
                }
            })
            .collect()
    }
}

/// The parser's words without its own place, which stands in front of ours.
fn message(error: &serde_saphyr::Error) -> String {
    let text = error.without_snippet().to_string();
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
    match text {
        "expected string scalar" => "expected a text; one that holds `: ` stands in quotes".to_owned(),
        text => text.to_owned(),
    }
}

/// Text that says something.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.trim().is_empty() { Err(D::Error::custom("an empty text")) } else { Ok(text.trim().to_owned()) }
}

impl<'de> Deserialize<'de> for Port {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PortVisitor)
    }
}

struct PortVisitor;

impl Visitor<'_> for PortVisitor {
    type Value = Port;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a port such as `443/tcp` or `8000-8010/udp`")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Port, E> {
        let (protocol, ports) = parse_port_spec(text).map_err(E::custom)?;
        Ok(Port { protocol, ports })
    }

    fn visit_u64<E: serde::de::Error>(self, port: u64) -> Result<Port, E> {
        self.visit_str(&port.to_string())
    }

    fn visit_i64<E: serde::de::Error>(self, port: i64) -> Result<Port, E> {
        self.visit_str(&port.to_string())
    }
}
