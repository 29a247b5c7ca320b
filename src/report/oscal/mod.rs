//! The report as OSCAL assessment results 1.2 (NIST), for tools of governance and compliance. Never says that a control
//! is satisfied: what a scan sees from outside is evidence for an assessor, who decides.

mod assets;
mod controls;
mod findings;
mod risks;
mod words;

use std::{
    io::{self, Write},
    thread,
};

use serde::Serialize;
use serde_json::{Value, json};

use self::{
    assets::Assets,
    findings::{Conclusion, Groups, Observer, conclusions},
    words::{Prop, markup},
};
use super::{
    Report, Statement,
    exchange::{Ids, Lazily, known, text, utc},
    json,
};
use crate::model::{Kind, Level, RULES};

/// The newest version that compliance-trestle reads.
const VERSION: &str = "1.2.1";

/// Where the JSON report lies, if nobody named another place; its digest is what identifies it.
const EVIDENCE: &str = "portproof-report.json";

/// Said wherever a reader could take a rule of portproof for a control of a catalogue.
const NO_CONTROL: &str = "This is a rule of portproof, no control of a catalogue. What was seen supports evidence for \
                          the controls that ask for it; whether one is satisfied is for an assessor to say.";

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Document<O> {
    assessment_results: Assessment<O>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Assessment<O> {
    uuid: String,
    metadata: Value,
    import_ap: Value,
    results: [Outcome<O>; 1],
    back_matter: Value,
}

/// One set of results: OSCAL's word is `result`. A list without entries is left out, as OSCAL knows no empty one.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Outcome<O> {
    uuid: String,
    title: &'static str,
    description: String,
    start: String,
    end: String,
    props: Vec<Prop<'static>>,
    local_definitions: Value,
    reviewed_controls: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    observations: Option<O>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    risks: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    findings: Vec<Conclusion>,
}

/// Ids of what the parts refer to.
struct Refs {
    ids: Ids,
    tool: String,
    evidence: String,
    manifest: String,
}

/// Writes the assessment results.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let ids = Ids::of(report);
    let refs = Refs {
        tool: ids.id("component", "portproof"),
        evidence: ids.id("resource", "evidence"),
        manifest: ids.id("resource", "manifest"),
        ids,
    };
    // The digest is of the whole report as JSON, which takes as long as all the rest, and comes first in the document.
    let (digest, (said, assets, groups, risks, findings)) = thread::scope(|scope| {
        let digest = scope.spawn(|| json::digest(report));
        let groups = Groups::of(report);
        let findings = conclusions(report, &refs, &groups);
        let rest =
            (Statement::of(report), Assets::of(report, &refs), groups, risks::all(report, &refs), findings);
        (digest.join(), rest)
    });
    let digest = digest.map_err(|_| io::Error::other("the digest of the report could not be made"))??;
    let observer = Observer { report, refs: &refs, assets: &assets };
    let anything = !report.targets.is_empty() || !report.findings.is_empty() || !report.compliance.is_empty();
    let document = Document {
        assessment_results: Assessment {
            // Of the content: a report that was altered is another document.
            uuid: refs.ids.id("assessment-results", &digest),
            metadata: metadata(report),
            import_ap: json!({
                "href": format!("#{}", refs.manifest),
                "remarks": "The manifest is the plan: it says what was to be asked and what was expected.",
            }),
            results: [Outcome {
                uuid: refs.ids.id("result", "run"),
                title: "Exposure as seen from outside",
                description: description(&said),
                start: time(&report.run.started_at),
                end: time(&report.run.finished_at),
                props: facts(report, &said),
                local_definitions: assets.definitions(report, &refs),
                reviewed_controls: reviewed(report, &groups),
                observations: anything.then_some(Lazily(|| observer.all())),
                risks,
                findings,
            }],
            back_matter: back_matter(report, &refs, &digest),
        },
    };
    serde_json::to_writer(&mut *out, &document)?;
    out.write_all(b"\n")
}

/// A time that OSCAL requires. A report that was edited by hand may hold none; the epoch is plainly no time of a run.
fn time(of_report: &str) -> String {
    utc(of_report).unwrap_or_else(|| "1970-01-01T00:00:00.000Z".to_owned())
}

fn metadata(report: &Report) -> Value {
    let manifest = &report.run.manifest;
    let name = manifest.name.as_deref().or(manifest.path.as_deref()).unwrap_or("portproof");
    json!({
        "title": format!("Exposure of {}", markup(name)),
        "last-modified": time(&report.run.finished_at),
        "version": text(&format!("run {}", report.run.id)),
        "oscal-version": VERSION,
        "remarks": "Made by portproof from its JSON report, which is the evidence.",
    })
}

fn description(said: &Statement<'_>) -> String {
    markup(&format!(
        "{}. {} Seen from outside: what a host lets nobody reach may run all the same.",
        said.headline(),
        said.sentence()
    ))
}

fn facts(report: &Report, said: &Statement<'_>) -> Vec<Prop<'static>> {
    let verdicts = &report.summary.verdicts;
    let policy = report.policy.as_deref();
    let facts = [
        ("result", Some(said.outcome().word().to_owned())),
        ("exit-code", Some(report.summary.exit_code.to_string())),
        ("partial", Some(report.run.partial.to_string())),
        ("vantage", report.run.vantage.clone()),
        ("operator", report.run.operator.clone()),
        ("authorization", report.authorization.reference.clone()),
        ("policy", policy.map(str::to_owned)),
        ("planned", Some(report.coverage.planned.to_string())),
        ("pass", Some(verdicts.pass.to_string())),
        ("pass-by-silence", Some(verdicts.pass_by_silence.to_string())),
        ("fail", Some(verdicts.fail.to_string())),
        ("inconclusive", Some(verdicts.inconclusive.to_string())),
        ("not-covered", Some(verdicts.not_covered.to_string())),
        ("waived", Some(verdicts.waived.to_string())),
    ];
    words::props(facts.iter().map(|(name, value)| (*name, value.as_deref())))
}

/// OSCAL wants the controls here that were assessed, and there are none: what a run shows of a policy's controls is
/// evidence, and stands in observations. So these are the rules that were applied, and said to be that.
fn reviewed(report: &Report, groups: &Groups<'_>) -> Value {
    let levels = &report.run.selection.levels;
    let mut rules: Vec<String> = RULES
        .iter()
        .filter(|rule| rule.kind == Kind::Exposure && levels.get(rule.id) != Some(&Level::Allow))
        .map(|rule| rule.id.to_owned())
        .chain(groups.rules().map(words::token))
        .collect();
    rules.sort();
    rules.dedup();
    let controls: Vec<Value> = rules.into_iter().map(|rule| json!({ "control-id": rule })).collect();
    json!({
        "control-selections": [{
            "description": "The rules that portproof applied. No control of a catalogue was assessed; what the run shows of \
                            those of a policy is in the observations of type control-objective.",
            "include-controls": controls,
        }],
        "remarks": NO_CONTROL,
    })
}

fn back_matter(report: &Report, refs: &Refs, digest: &str) -> Value {
    let manifest = &report.run.manifest;
    let hashes = |sha256: Option<&str>| {
        let hash = sha256.map(text).filter(|hash| !hash.is_empty());
        hash.map(|hash| json!([{ "algorithm": "SHA-256", "value": hash }]))
    };
    let path = manifest.path.as_deref().map(text).filter(|path| !path.is_empty());
    let commit = manifest.git.as_ref().map(|git| {
        let dirty = if git.dirty { ", with changes that are not committed" } else { "" };
        format!(" At commit {}{dirty}.", git.commit)
    });
    let mut resources = vec![
        json!({
            "uuid": refs.manifest,
            "title": "The manifest",
            "description": markup(&format!(
                "What may be reachable, and who approved it.{}", commit.unwrap_or_default()
            )),
            "rlinks": path.map(|path| json!([{
                "href": words::href(&path),
                "media-type": "application/yaml",
                "hashes": hashes(manifest.sha256.as_deref()),
            }])),
        }),
        json!({
            "uuid": refs.evidence,
            "title": "The JSON report",
            "description": "The evidence document. Wherever it lies, it is the one with this digest.",
            "rlinks": [{
                "href": EVIDENCE, "media-type": "application/json", "hashes": hashes(Some(digest)),
            }],
        }),
    ];
    if let Some(previous) = &report.run.previous {
        resources.push(json!({
            "uuid": refs.ids.id("resource", "previous"),
            "title": "The report before this one",
            "rlinks": [{
                "href": EVIDENCE, "media-type": "application/json", "hashes": hashes(Some(&previous.sha256)),
            }],
        }));
    }
    known(json!({ "resources": resources }))
}
