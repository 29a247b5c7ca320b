//! The report before this one: the link to it, and what it knew already. Only that is read of it, so that a report
//! of another schema number serves as well.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use super::{
    Finding, PreviousRecord, ReadError, Report, Run, SCHEMA, contradiction, json,
    words::{moment, spoken, thousands},
};

/// An earlier report, as a later one refers to it.
#[derive(Clone, Debug)]
pub struct Baseline {
    sha256: String,
    schema: String,
    run: RunHead,
    /// When each of its findings was seen first, by the finding's id.
    first_seen: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Head {
    schema: String,
    run: RunHead,
    findings: Vec<FindingHead>,
}

#[derive(Clone, Debug, Deserialize)]
struct RunHead {
    started_at: Timestamp,
    finished_at: Timestamp,
    #[serde(default)]
    vantage: Option<String>,
    manifest: ManifestHead,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct ManifestHead {
    name: Option<String>,
    path: Option<String>,
}

impl ManifestHead {
    fn words(&self) -> &str {
        self.name.as_deref().or(self.path.as_deref()).unwrap_or("no manifest")
    }
}

#[derive(Deserialize)]
struct FindingHead {
    id: String,
    #[serde(default)]
    first_seen: Option<Timestamp>,
}

impl Baseline {
    /// Reads an earlier report, of this schema or another number of it. One of this schema that does not keep it, or
    /// that contradicts itself, is evidence of nothing: what follows it would be no better.
    pub fn read(text: &[u8]) -> Result<Self, ReadError> {
        let sha256 = json::sha256(text);
        match json::read(text) {
            Ok(report) => contradiction(&report).map_or(Ok(()), |why| Err(ReadError::Contradicts(why)))?,
            Err(ReadError::OtherVersion(_)) => {}
            Err(error) => return Err(error),
        }
        let text = json::unmarked(text);
        let Head { schema, run, findings } =
            serde_json::from_slice(text).map_err(|_| json::misfit::<Head>(text))?;
        let first_seen = findings
            .into_iter()
            .map(|known| (known.id, time(known.first_seen.unwrap_or(run.started_at))))
            .collect();
        Ok(Self { sha256, schema, run, first_seen })
    }

    /// Links a report to this one, and says of its findings since when they are known.
    pub fn precede(&self, report: &mut Report) {
        report.run.previous = Some(PreviousRecord {
            sha256: self.sha256.clone(),
            finished_at: Some(time(self.run.finished_at)),
        });
        for finding in &mut report.findings {
            finding.first_seen = self.first_seen.get(&finding.id).cloned();
        }
    }

    /// When its run ended.
    pub fn ended(&self) -> Timestamp {
        self.run.finished_at
    }

    /// What makes this report an odd one to come before: each a clause.
    pub fn caveats(&self, run: &Run) -> Vec<String> {
        let mut said = Vec::new();
        if self.schema != SCHEMA {
            said.push(format!("it is of the schema {}", crate::model::clean(&self.schema)));
        }
        let (then, now) = (&self.run.manifest, &run.manifest);
        let now = ManifestHead { name: now.name.clone(), path: now.path.clone() };
        if then.words() != now.words() {
            said.push(format!("it is about {}, this one about {}", then.words(), now.words()));
        }
        if self.run.vantage != run.vantage {
            let named = |vantage: &Option<String>| vantage.clone().unwrap_or_else(|| "not named".to_owned());
            let (then, now) = (named(&self.run.vantage), named(&run.vantage));
            said.push(format!("its vantage is {then}, this one's {now}"));
        }
        let began: Option<Timestamp> = run.started_at.parse().ok();
        if began.is_some_and(|began| began < self.run.finished_at) {
            said.push(format!("its run ended later than this one began, at {}", self.run.finished_at));
        }
        said
    }
}

fn time(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// Whether a finding is new: a report before this one was given, and it did not see it.
pub fn is_new(report: &Report, finding: &Finding) -> bool {
    report.run.previous.is_some() && finding.first_seen.is_none()
}

/// The findings that are new and those that were known, waived ones included and remarks left out: whoever counts
/// them counts the same.
pub(crate) fn compared(report: &Report) -> (Vec<&Finding>, Vec<&Finding>) {
    let counted = report.findings.iter().filter(|finding| !finding.verdict.is_pass());
    counted.partition(|finding| is_new(report, finding))
}

/// `the report of 2026-11-22 02:02:41 UTC: two findings are new, 3 were known to it`.
pub(crate) fn since(report: &Report) -> Option<String> {
    let previous = report.run.previous.as_ref()?;
    let (new, known) = compared(report);
    let when = previous
        .finished_at
        .as_ref()
        .map_or_else(|| "before this one".to_owned(), |at| format!("of {} UTC", moment(at)));
    let new = spoken(new.len() as u64, "finding is", "findings are");
    let known = match known.len() as u64 {
        0 => String::new(),
        1 => ", one was known to it".to_owned(),
        n => format!(", {} were known to it", thousands(n)),
    };
    Some(format!("the report {when}: {new} new{known}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of another number, since only then no more than this need be in it.
    const OLD: &str = r#"{"schema": "portproof.report/2",
        "run": {"started_at": "2026-11-22T02:00:07Z", "finished_at": "2026-11-22T02:02:41.25Z", "manifest": {}},
        "findings": [{"id": "aa"}, {"id": "bb", "first_seen": "2026-11-01T00:00:00Z"}]}"#;

    #[test]
    fn a_finding_keeps_the_day_on_which_it_was_seen_first() {
        let old = Baseline::read(OLD.as_bytes()).unwrap();
        let known: Vec<(&str, &str)> =
            old.first_seen.iter().map(|(id, at)| (id.as_str(), at.as_str())).collect();
        assert_eq!(known, [("aa", "2026-11-22T02:00:07.000Z"), ("bb", "2026-11-01T00:00:00.000Z")]);
        assert_eq!(old.sha256, json::sha256(OLD.as_bytes()));
    }

    #[test]
    fn another_number_of_the_schema_serves_and_another_schema_does_not() {
        assert_eq!(Baseline::read(OLD.as_bytes()).unwrap().first_seen.len(), 2);
        let foreign = OLD.replace("portproof.report/2", "cyclonedx");
        assert!(matches!(Baseline::read(foreign.as_bytes()), Err(ReadError::Foreign)));
        let ours = OLD.replace("report/2", "report/1");
        assert!(
            matches!(Baseline::read(ours.as_bytes()), Err(ReadError::Shape { .. })),
            "and it is not whole"
        );
        let timeless = OLD.replace("2026-11-22T02:00:07Z", "yesterday");
        let refused = Baseline::read(timeless.as_bytes()).unwrap_err().to_string();
        assert!(refused.contains("run.started_at: "), "{refused}");
        assert!(matches!(Baseline::read(b"{"), Err(ReadError::CutOff { .. })));
    }
}
