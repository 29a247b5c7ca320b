//! The report as JSON, and the schema that every report keeps. Never loses a field: this is the
//! format that the others are rendered from.

use std::io::{self, Write};

use data_encoding::HEXLOWER;
use ring::digest::{Context, SHA256};
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

use super::{Report, SCHEMA};

/// Why a text is no report that this version reads.
#[derive(Debug, Error)]
pub enum ReadError {
    /// It is no JSON, or not whole.
    #[error("no JSON: {0}")]
    Syntax(serde_json::Error),
    /// It is JSON, and names no schema, or another program's.
    #[error("no report of portproof: its `schema` is not {SCHEMA}")]
    Foreign,
    /// It is a report of a version that writes another schema.
    #[error("a report of the schema {0}; this version reads {SCHEMA}")]
    OtherVersion(String),
    /// It names our schema and does not keep it.
    #[error("not as the schema {SCHEMA} has it: {0}")]
    Shape(serde_json::Error),
}

/// Reads a report that was written as JSON, by this version or an earlier one of the same schema.
pub fn read(text: &[u8]) -> Result<Report, ReadError> {
    let text = unmarked(text);
    match serde_json::from_slice::<Report>(text) {
        Ok(report) if report.schema == SCHEMA && text.trim_ascii_start().starts_with(b"{") => Ok(report),
        // Read a second time only to say what is wrong with it.
        read => schema_of(text).and_then(|()| read.map_err(ReadError::Shape)),
    }
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
    if text.trim_ascii_start().first().is_some_and(|&first| first != b'{') {
        // A list would be taken for the fields in order.
        let _: serde::de::IgnoredAny = serde_json::from_slice(text).map_err(ReadError::Syntax)?;
        return Err(ReadError::Foreign);
    }
    let head: Head = serde_json::from_slice(text).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => ReadError::Foreign,
        _ => ReadError::Syntax(error),
    })?;
    match head.schema.as_ref().and_then(Value::as_str) {
        Some(SCHEMA) => Ok(()),
        Some(other) if other.starts_with("portproof.report/") => {
            Err(ReadError::OtherVersion(crate::model::clean(other)))
        }
        _ => Err(ReadError::Foreign),
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
