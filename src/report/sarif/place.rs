//! Where in the repository a finding is shown: the manifest's file, as a relative URI. Never an endpoint, never an
//! absolute path: code scanning takes neither.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::{report::Report, spec::manifest::Place};

/// The file that stands in where there is no manifest (`--expect`): the name under which one would be looked for.
/// A result without a file would make code scanning refuse the whole upload.
const NO_MANIFEST: &str = "portproof.yaml";

/// The manifest of a report, as code scanning knows it.
pub(super) struct Files {
    manifest: String,
    remark: Option<String>,
}

impl Files {
    /// Of a report.
    pub(super) fn of(report: &Report) -> Self {
        let named = report.run.manifest.path.as_deref();
        let manifest = named.and_then(relative);
        let remark = match (named, &manifest) {
            (None, _) => Some(format!(
                "There is no manifest file: every result is shown at the first line of {NO_MANIFEST}."
            )),
            (Some(_), None) => Some(format!(
                "The manifest is no file: every result is shown at the first line of {NO_MANIFEST}."
            )),
            (Some(path), Some(_)) if path.starts_with('/') || path.split('/').any(|part| part == "..") => Some(
                "The manifest was not named from the root of the repository, so its results may not be shown \
                 beside it: run portproof there, and name the manifest from there."
                    .to_owned(),
            ),
            (Some(_), Some(_)) => None,
        };
        Self { manifest: manifest.unwrap_or_else(|| NO_MANIFEST.to_owned()), remark }
    }

    /// The manifest's path, or what stands in for it.
    pub(super) fn manifest(&self) -> &str {
        &self.manifest
    }

    /// What is to be said about the place of all results.
    pub(super) fn remark(&self) -> Option<String> {
        self.remark.clone()
    }

    /// The line of a place; the manifest's first line where there is none. The region is the one character at which
    /// the entry begins: the report knows no more, and code scanning wants an end.
    pub(super) fn physical(&self, place: Option<&Place>) -> Value {
        let known =
            place.and_then(|place| Some((relative(&place.path)?, place.line.max(1), place.column.max(1))));
        let (path, line, column) = known.unwrap_or_else(|| (self.manifest.clone(), 1, 1));
        json!({
            "artifactLocation": { "uri": encoded(&path) },
            "region": {
                "startLine": line, "startColumn": column, "endLine": line, "endColumn": column.saturating_add(1),
            },
        })
    }
}

/// The path without what leads out of the repository; the name alone of an absolute one, as nothing tells where the
/// repository begins. `None` where it names no file.
fn relative(path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let path = if path.starts_with('/') { (*parts.last()?).to_owned() } else { parts.join("/") };
    (!path.is_empty() && path != "-").then_some(path)
}

/// Everything but the unreserved characters of RFC 3986 and the slash, in percent encoding.
pub(super) fn encoded(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for octet in path.bytes() {
        if octet.is_ascii_alphanumeric() || b"-._~/".contains(&octet) {
            uri.push(char::from(octet));
        } else {
            let _ = write!(uri, "%{octet:02X}"); // writing to a String can't fail
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_in_the_repository() {
        for (path, expected) in [
            ("edge.yaml", Some("edge.yaml")),
            ("./teams/../edge.yaml", Some("edge.yaml")),
            ("../edge.yaml", Some("edge.yaml")),
            ("/home/runner/work/edge.yaml", Some("edge.yaml")),
            ("teams//web.yaml", Some("teams/web.yaml")),
            ("-", None),
            ("/", None),
            ("", None),
        ] {
            assert_eq!(relative(path).as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn no_path_becomes_another_uri() {
        assert_eq!(encoded("http://evil?a#b"), "http%3A//evil%3Fa%23b");
        assert_eq!(encoded("$(reboot) ü.yaml"), "%24%28reboot%29%20%C3%BC.yaml");
    }
}
