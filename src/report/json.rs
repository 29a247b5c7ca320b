//! The report as JSON, and the schema that every report keeps. Never loses a field: this is the
//! format that the others are rendered from.

use std::io::{self, Write};

use serde_json::Value;

use super::{Report, SCHEMA};

/// Writes the report: pretty, the fields in the order of the types, a final newline. The same
/// report gives the same bytes.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, report)?;
    out.write_all(b"\n")
}

/// The JSON Schema (2020-12) of the report; it follows from the types, so it can't lag behind them.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(Report);
    schema.insert("$id".to_owned(), Value::from(SCHEMA));
    schema.insert("title".to_owned(), Value::from("portproof report"));
    schema.to_value()
}
