//! Floor 5: files of other runs and of other tools become what a run saw. Total and bounded: a stranger's file
//! is read or refused, and says no more than its tool could know.

mod gather;
mod lines;
mod names;
mod nmap;
#[cfg(feature = "edge")]
mod portrait;
#[cfg(feature = "edge")]
mod report;
mod services;
#[cfg(feature = "edge")]
mod shards;
mod source;

use std::{fmt, str};

use thiserror::Error;

#[cfg(feature = "edge")]
pub use self::shards::join;
pub use self::{
    gather::{Gathered, gather},
    names::resolution,
    source::{MOST_REMARKS, Part, Rest, Sighting, Source},
};
use crate::model::is_utf16;

/// What wrote a file, as its content shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A report of this program, as JSON.
    Report,
    /// `nmap -oX`.
    NmapXml,
    /// `masscan -oJ` or `-oD`.
    MasscanJson,
    /// `naabu -json`.
    NaabuJson,
}

impl Format {
    /// The word of the report.
    pub fn word(self) -> &'static str {
        match self {
            Self::Report => "portproof",
            Self::NmapXml => "nmap-xml",
            Self::MasscanJson => "masscan-json",
            Self::NaabuJson => "naabu-json",
        }
    }
}

/// A place in a text: line and column from 1, the column in octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At {
    line: usize,
    column: usize,
}

impl At {
    fn offset(text: &[u8], offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let lines = || before.split(|octet| *octet == b'\n');
        Self { line: lines().count(), column: lines().next_back().map_or(0, <[u8]>::len) + 1 }
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// Why a file can't be judged.
#[derive(Debug, Error)]
#[allow(missing_docs)] // the message says it
pub enum IntakeError {
    #[error("it is empty")]
    Empty,
    #[error("it is text in UTF-16, and all that is read here is UTF-8")]
    Utf16,
    #[error("{at}: it is no nmap XML, no masscan JSON, no naabu JSON and no report of portproof")]
    Unrecognised { at: At },
    #[error("{at}: it is XML, and no scan by nmap: its root is `{root}`")]
    OtherXml { at: At, root: String },
    #[error("it was written by portproof from a report, and does not hold all of it")]
    Own,
    #[error("{at}: it is cut off")]
    CutOff { at: At },
    #[error("{at}: it is no XML as nmap writes it: {why}")]
    Xml { at: At, why: String },
    #[error("{at}: elements are nested deeper than nmap nests them")]
    Deep { at: At },
    #[error("{at}: it is no record of {tool}: {why}")]
    Record { at: At, tool: &'static str, why: String },
    #[cfg(feature = "edge")]
    #[error(transparent)]
    Report(#[from] crate::report::json::ReadError),
}

impl IntakeError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Empty | Self::CutOff { .. } => {
                "the scan that wrote it did not get to its end, or the file was cut on the way: run it again, or copy it again"
            }
            Self::Utf16 => {
                "convert it: iconv -f UTF-16 -t UTF-8 FILE; PowerShell's > writes UTF-16, so let the scanner itself write the file"
            }
            #[cfg(feature = "edge")]
            Self::Report(error) => error.hint(),
            Self::Own => "judge the report itself: the JSON that it was written from",
            _ => {
                "--from takes a report that verify wrote as JSON, `nmap -oX`, `masscan -oJ` and `naabu -json`, and tells them by their content"
            }
        }
    }
}

/// Reads a file of any of the formats, which its content tells.
pub fn read(text: &[u8]) -> Result<Source, IntakeError> {
    if is_utf16(text) {
        return Err(IntakeError::Utf16);
    }
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let begins = text.len() - text.trim_ascii_start().len();
    match text.get(begins) {
        None => Err(IntakeError::Empty),
        Some(b'<') => nmap::read(text),
        Some(b'[') => lines::read(text),
        #[cfg(feature = "edge")]
        Some(b'{') if names_a_schema(text) => report::read(text),
        Some(b'{') => lines::read(text),
        Some(_) => Err(IntakeError::Unrecognised { at: At::offset(text, begins) }),
    }
}

/// Whether it is a report: its schema comes first, or somewhere in the one object that it is, where another program
/// has sorted its keys.
#[cfg(feature = "edge")]
fn names_a_schema(text: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Named {
        schema: Option<serde::de::IgnoredAny>,
    }
    const HEAD: usize = 256;
    let head = text.get(..HEAD).unwrap_or(text);
    head.windows(8).any(|word| word == b"\"schema\"")
        || serde_json::Deserializer::from_slice(text)
            .into_iter::<Named>()
            .next()
            .is_some_and(|first| first.is_ok_and(|named| named.schema.is_some()))
}

#[cfg(test)]
mod tests;
