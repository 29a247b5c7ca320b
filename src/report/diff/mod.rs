//! Two reports side by side: what appeared, vanished or changed, and apart from it what one of them did not look at.
//! What was not looked at is neither gone nor new.

mod change;
mod circumstances;
mod endpoints;
mod findings;
mod look;
mod names;
mod program;
pub(crate) mod rows;
mod text;

use std::io::{self, Write};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use self::look::Looks;
pub use self::{
    change::{Change, NotInspected},
    circumstances::{Circumstance, Narrower, Side},
    endpoints::{EndpointDiff, EndpointSeen, Endpoints, Sight},
    findings::{FindingDiff, Findings},
    names::{NameDiff, NameSeen, Names, Unnamed},
    text::write as write_text,
};
pub use super::html::write_diff as write_html;
use super::{
    Report,
    words::{count, visible},
};

/// The name and number of the format. A breaking change is a new number.
pub const SCHEMA: &str = "portproof.diff/1";

/// What differs between two reports.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Diff {
    /// `portproof.diff/1`.
    pub schema: String,
    /// In one word.
    pub result: Likeness,
    /// What the process exits with: 0 same, 1 different, 3 not everything was looked at again.
    pub exit_code: u8,
    /// The same in one line.
    pub headline: String,
    /// The one before.
    pub old: Side,
    /// The one after.
    pub new: Side,
    /// What is different about the runs themselves; it explains differences and is none.
    pub circumstances: Vec<Circumstance>,
    /// What is open.
    pub endpoints: Endpoints,
    /// What is wrong or in doubt.
    pub findings: Findings,
    /// What names resolve to.
    pub names: Names,
    /// Addresses of which the new run determined less than the old one.
    pub narrower: Vec<Narrower>,
}

/// What two reports come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Likeness {
    /// Nothing differs, and the new run looked at all that the old one did.
    Same,
    /// Something differs.
    Different,
    /// Nothing differs where both looked; they did not look at the same, or one of them contradicts itself.
    NotCovered,
}

/// Compares two reports, each with the SHA-256 of its file. No verdict is made: those that stand in them are held
/// against each other.
pub fn compare((old, old_sha256): (&Report, &str), (new, new_sha256): (&Report, &str)) -> Diff {
    let (before, after) = (Looks::of(old), Looks::of(new));
    let mut diff = Diff {
        schema: SCHEMA.to_owned(),
        result: Likeness::Same,
        exit_code: 0,
        headline: String::new(),
        old: circumstances::side(old, old_sha256),
        new: circumstances::side(new, new_sha256),
        circumstances: circumstances::differing(old, new),
        endpoints: endpoints::compare(&before, &after),
        findings: findings::compare(&before, &after),
        names: names::compare(old, new),
        narrower: circumstances::narrower(&before, &after),
    };
    let proves_little = diff.unlooked() > 0 || diff.not_valid().is_some();
    (diff.result, diff.exit_code) = match (diff.differences() > 0, proves_little) {
        (true, _) => (Likeness::Different, 1),
        (false, true) => (Likeness::NotCovered, 3),
        (false, false) => (Likeness::Same, 0),
    };
    diff.headline = diff.in_one_line();
    diff
}

impl Diff {
    /// Things that differ where both runs looked.
    fn differences(&self) -> usize {
        let (endpoints, findings) = (&self.endpoints, &self.findings);
        let counts = [&findings.new, &findings.resolved, &findings.changed].map(|list| {
            // A doubt is no difference of what was seen, and a remark is about the manifest.
            list.iter().filter(|finding| finding.counts()).count()
        });
        endpoints.appeared.len()
            + endpoints.vanished.len()
            + endpoints.changed.len()
            + counts.iter().sum::<usize>()
            + self.names.changed.len()
    }

    /// Things that only one of them looked at.
    fn unlooked(&self) -> usize {
        let (endpoints, findings) = (&self.endpoints, &self.findings);
        let doubts = [&findings.new, &findings.changed]
            .map(|list| list.iter().filter(|f| f.verdict.is_doubt()).count());
        endpoints.not_looked_at.len()
            + endpoints.not_looked_at_before.len()
            + endpoints.not_inspected.len()
            + findings.not_looked_at.iter().filter(|finding| finding.is_of_exposure()).count()
            + findings.not_looked_at_before.len()
            + self.names.not_looked_at.len()
            + self.narrower.len()
            + doubts.iter().sum::<usize>()
    }

    /// Which of the reports contradicts itself, and how: what it says is no proof that anything is the same.
    fn not_valid(&self) -> Option<String> {
        let said = [("old", &self.old), ("new", &self.new)].into_iter().find_map(|(which, side)| {
            let why = side.contradiction.as_deref()?;
            Some(format!("NOT VALID  of the {which} one, {why}: "))
        });
        said.map(|said| visible(&said).into_owned())
    }

    fn in_one_line(&self) -> String {
        let (endpoints, findings, names) = (&self.endpoints, &self.findings, &self.names);
        let said = |parts: &[(usize, &str, &str)]| -> Option<String> {
            let told = parts.iter().filter(|(n, ..)| *n > 0);
            let told: Vec<String> = told.map(|(n, one, many)| count(*n as u64, one, many)).collect();
            (!told.is_empty()).then(|| told.join(", "))
        };
        let alike = |list: usize, word: &'static str| (list, word, word);
        let word = match self.result {
            Likeness::Same => "SAME",
            Likeness::Different => "DIFFERENT",
            Likeness::NotCovered => "NOT COVERED",
        };
        let open = said(&[
            alike(endpoints.appeared.len(), "appeared"),
            alike(endpoints.vanished.len(), "vanished"),
            alike(endpoints.changed.len(), "changed"),
        ]);
        let mut parts = vec![open.unwrap_or_else(|| "nothing open appeared, vanished or changed".to_owned())];
        let found = said(&[
            alike(findings.new.len(), "new"),
            alike(findings.resolved.len(), "resolved"),
            alike(findings.changed.len(), "judged otherwise"),
        ]);
        parts.extend(found.map(|found| format!("findings: {found}")));
        parts.extend(said(&[(names.changed.len(), "name resolves otherwise", "names resolve otherwise")]));
        parts.extend(said(&[
            alike(endpoints.not_looked_at.len(), "open before and not looked at"),
            alike(endpoints.not_looked_at_before.len(), "open and not looked at before"),
            alike(endpoints.not_inspected.len(), "not inspected again"),
            (findings.not_looked_at.len(), "finding not looked at", "findings not looked at"),
            (
                findings.not_looked_at_before.len(),
                "finding where nobody looked before",
                "findings where nobody looked before",
            ),
            (names.not_looked_at.len(), "name not looked up", "names not looked up"),
            (self.narrower.len(), "address with less coverage", "addresses with less coverage"),
        ]));
        format!("{}{word}  {}", self.not_valid().unwrap_or_default(), parts.join(" · "))
    }
}

/// Writes it as JSON. The same reports give the same bytes.
pub fn write_json(diff: &Diff, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, diff)?;
    out.write_all(b"\n")
}

/// The JSON Schema (2020-12) of it, which follows from the types.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(Diff);
    schema.insert("$id".to_owned(), Value::from(SCHEMA));
    schema.insert("title".to_owned(), Value::from("portproof diff"));
    schema.to_value()
}
