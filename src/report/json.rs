//! The report as JSON, and the schema that every report keeps. Never loses a field: this is the
//! format that the others are rendered from.

use std::io::{self, Write};

use data_encoding::HEXLOWER;
use ring::digest::{Context, SHA256};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, error::Category};
use serde_path_to_error::{Path, Segment};
use thiserror::Error;

use super::{Report, SCHEMA};
use crate::model::{StateCounts, clean, is_utf16};

/// Why a text is no report that this version reads.
#[derive(Debug, Error)]
pub enum ReadError {
    /// Nothing is in it.
    #[error("it is empty")]
    Empty,
    /// It ends before it is over.
    #[error("it is cut off at line {line}, column {column}")]
    #[allow(missing_docs)] // the message says it
    CutOff { line: usize, column: usize },
    /// Its octets are two a character.
    #[error("it is text in UTF-16, and a report is UTF-8")]
    Utf16,
    /// Its octets are no characters.
    #[error("it is not text: what is at line {line}, column {column} is not UTF-8")]
    #[allow(missing_docs)] // the message says it
    NoText { line: usize, column: usize },
    /// It is no JSON.
    #[error("no JSON: {0}")]
    Syntax(serde_json::Error),
    /// It is JSON, and names no schema, or another program's.
    #[error("no report of portproof: its `schema` is not {SCHEMA}")]
    Foreign,
    /// Which of two schemas it keeps nobody can tell.
    #[error("it has the key `schema` twice")]
    Twice,
    /// It is a report of a version that writes another schema.
    #[error("a report of the schema {0}; this version reads {SCHEMA}")]
    OtherVersion(String),
    /// It names our schema and does not keep it.
    #[error("not as the schema {SCHEMA} has it: {}{error}", field.as_ref().map_or_else(String::new, |field| format!("{field}: ")))]
    #[allow(missing_docs)] // the message says it
    Shape { field: Option<String>, error: serde_json::Error },
    /// It keeps the schema, and says two things that can't both be.
    #[error("{0}")]
    Contradicts(String),
}

impl ReadError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Empty | Self::CutOff { .. } => {
                "it was not written to its end, or cut on the way: copy it again, or write it again with --report json=PATH"
            }
            Self::Utf16 => {
                "convert it: iconv -f UTF-16 -t UTF-8 FILE; what PowerShell's > wrote, --report json=PATH writes as UTF-8"
            }
            Self::OtherVersion(schema) if is_newer(schema) => concat!(
                "a newer portproof wrote it: read it with that one, or a later one; this is portproof ",
                env!("CARGO_PKG_VERSION")
            ),
            Self::OtherVersion(_) => "read it with the portproof that wrote it",
            Self::Twice | Self::NoText { .. } | Self::Shape { .. } => {
                "verify writes no such report, so it was altered or damaged: copy it again, or write it again with --report json=PATH"
            }
            Self::Contradicts(_) => {
                "name the report as verify wrote it; `portproof evidence verify` says all that is wrong with this one"
            }
            Self::Syntax(_) | Self::Foreign => "name a report that verify wrote with --report json=PATH",
        }
    }
}

/// Reads a report that was written as JSON, by this version or an earlier one of the same schema.
pub fn read(text: &[u8]) -> Result<Report, ReadError> {
    let text = unmarked(text);
    match serde_json::from_slice::<Report>(text) {
        Ok(report) if report.schema == SCHEMA && text.trim_ascii_start().starts_with(b"{") => Ok(report),
        // Read a second time only to say what is wrong with it.
        _ => Err(schema_of(text).err().unwrap_or_else(|| misfit::<Report>(text))),
    }
}

/// What in a text of our schema does not fit a type. It is read once more for it, slower than the first time.
pub(super) fn misfit<T: DeserializeOwned>(text: &[u8]) -> ReadError {
    let read: Result<T, _> =
        serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_slice(text));
    let Err(error) = read else { return ReadError::Foreign };
    let field = field(text, error.path());
    ReadError::Shape { field, error: error.into_inner() }
}

/// The name of a field by the way to it; `None`: the document itself.
fn field(text: &[u8], path: &Path) -> Option<String> {
    let own = |path: &Path| path.iter().next().map(|_| path.to_string());
    let way = own(path)?;
    // Of the counts, which lie flat in what they count, only the way to that is known.
    let document: Value = serde_json::from_slice(text).ok()?;
    let place = path.iter().try_fold(&document, |place, segment| match segment {
        Segment::Seq { index } => place.get(index),
        Segment::Map { key } => place.get(key),
        Segment::Enum { .. } | Segment::Unknown => None,
    });
    let counts = place.map(serde_path_to_error::deserialize::<_, StateCounts>);
    let inner = counts.and_then(|read| own(read.err()?.path()));
    let whole = inner.map_or_else(|| way.clone(), |inner| format!("{way}.{inner}"));
    Some(clean(&whole))
}

/// A text without the mark of its byte order, which editors on Windows put before it.
pub(super) fn unmarked(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}

/// Whether a text names our schema. Looked at first, so that the wrong file is called that and not "a field is
/// missing".
pub(super) fn schema_of(text: &[u8]) -> Result<(), ReadError> {
    #[derive(Deserialize)]
    struct Head {
        schema: Option<Value>,
    }
    let Some(&first) = text.trim_ascii_start().first() else { return Err(ReadError::Empty) };
    if is_utf16(text) {
        return Err(ReadError::Utf16);
    }
    if let Err(error) = std::str::from_utf8(text) {
        let before = text.get(..error.valid_up_to()).unwrap_or(text);
        let lines = || before.split(|octet| *octet == b'\n');
        let column = lines().next_back().map_or(0, <[u8]>::len) + 1;
        return Err(ReadError::NoText { line: lines().count(), column });
    }
    if first != b'{' {
        // A list would be taken for the fields in order.
        let _: serde::de::IgnoredAny = serde_json::from_slice(text).map_err(broken)?;
        return Err(ReadError::Foreign);
    }
    let head: Head = serde_json::from_slice(text).map_err(|error| match error.classify() {
        Category::Data => ReadError::Twice, // any one value would do
        _ => broken(error),
    })?;
    match head.schema.as_ref().and_then(Value::as_str) {
        Some(SCHEMA) => Ok(()),
        Some(other) if number(other).is_some() => Err(ReadError::OtherVersion(clean(other))),
        _ => Err(ReadError::Foreign),
    }
}

/// What follows the name of the schema, where it is ours.
fn number(schema: &str) -> Option<&str> {
    let (name, _) = SCHEMA.split_once('/')?;
    schema.strip_prefix(name)?.strip_prefix('/')
}

fn is_newer(schema: &str) -> bool {
    let numbered = |schema| number(schema)?.parse::<u64>().ok();
    numbered(schema) > numbered(SCHEMA)
}

/// That a text is no JSON, or no whole one.
fn broken(error: serde_json::Error) -> ReadError {
    match error.classify() {
        Category::Eof => ReadError::CutOff { line: error.line(), column: error.column() },
        _ => ReadError::Syntax(error),
    }
}

/// What a later report calls this one by: SHA-256 of its bytes, in lower-case hexadecimal digits.
pub fn sha256(text: &[u8]) -> String {
    HEXLOWER.encode(ring::digest::digest(&SHA256, text).as_ref())
}

/// Writes the report: pretty, the fields in the order of the types, a final newline. The same
/// report gives the same bytes.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, report)?;
    out.write_all(b"\n")
}

/// SHA-256 of the very bytes that [`write`] writes, in hexadecimal digits: what another format names its evidence by.
pub(crate) fn digest(report: &Report) -> io::Result<String> {
    struct Hashing(Context);
    impl Write for Hashing {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.update(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut hashing = io::BufWriter::new(Hashing(Context::new(&SHA256)));
    write(report, &mut hashing)?;
    let Hashing(hash) = hashing.into_inner().map_err(io::IntoInnerError::into_error)?;
    Ok(HEXLOWER.encode(hash.finish().as_ref()))
}

/// The JSON Schema (2020-12) of the report; it follows from the types, so it can't lag behind them.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(Report);
    schema.insert("$id".to_owned(), Value::from(SCHEMA));
    schema.insert("title".to_owned(), Value::from("portproof report"));
    schema.to_value()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &[u8]) -> (String, &'static str) {
        let error = read(text).unwrap_err();
        (error.to_string(), error.hint())
    }

    #[test]
    fn what_is_no_report_is_called_what_it_is() {
        let ours = r#"{"schema": "portproof.report/1""#;
        let twice = format!("{ours}, {}}}", &ours[1..]);
        let wide: Vec<u8> = ours.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let other = |number: &str| format!(r#"{{"schema": "portproof.report/{number}"}}"#);
        for (text, is, cure) in [
            (&b""[..], "it is empty", "copy it again"),
            (b"\xef\xbb\xbf \n", "it is empty", "copy it again"),
            (ours.as_bytes(), "it is cut off at line 1, column 31", "copy it again"),
            (b"[1, ", "it is cut off", "copy it again"),
            (&wide, "UTF-16", "iconv -f UTF-16 -t UTF-8"),
            (&[b"\xff\xfe", &wide[..]].concat(), "UTF-16", "iconv"),
            (b"{\n \"\xff\"}", "line 2, column 3 is not UTF-8", "copy it again"),
            (b"{]", "no JSON", "--report json=PATH"),
            (b"[]", "no report of portproof", "--report json=PATH"),
            (b"{}", "no report of portproof", "--report json=PATH"),
            (twice.as_bytes(), "the key `schema` twice", "altered or damaged"),
            (other("2").as_bytes(), "this version reads portproof.report/1", "a newer portproof wrote it"),
            (other("0").as_bytes(), "of the schema portproof.report/0", "the portproof that wrote it"),
            (other("x").as_bytes(), "of the schema portproof.report/x", "the portproof that wrote it"),
        ] {
            let (error, hint) = said(text);
            assert!(error.contains(is) && hint.contains(cure), "{}: {error}: {hint}", text.escape_ascii());
        }
    }
}
