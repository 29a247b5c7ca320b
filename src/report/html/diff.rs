//! Two reports side by side as one page, in the style of the report's own: no script, no request.

use std::io::Write;

use minijinja::{context, value::Serde};
use serde::Serialize;

use super::{
    HtmlError, STYLE, environment, hash,
    records::{Fact, ROWS, Sheet, filled},
};
use crate::report::{
    diff::{
        Diff, Likeness,
        rows::{sections, side},
    },
    words::{count, thousands},
};

#[derive(Serialize)]
struct Part {
    id: String,
    title: &'static str,
    explained: &'static str,
    sheet: Option<Sheet>,
    more: Option<String>,
}

#[derive(Serialize)]
struct Tally {
    number: String,
    label: &'static str,
    detail: String,
    tone: &'static str,
}

/// Writes the page.
pub fn write(diff: &Diff, out: &mut dyn Write) -> Result<(), HtmlError> {
    let (outcome, word, sentence) = verdict(diff);
    let page = context! {
        style => STYLE,
        style_hash => hash(STYLE),
        outcome,
        word,
        sentence,
        headline => diff.headline.as_str(),
        subject => diff.new.manifest.as_deref().or(diff.old.manifest.as_deref()).unwrap_or("Two reports"),
        tallies => Serde(tallies(diff)),
        sides => Serde(sides(diff)),
        parts => Serde(parts(diff)),
    };
    let text = environment()?.get_template("diff.html")?.render(page)?;
    out.write_all(text.as_bytes())?;
    Ok(())
}

/// The report's class of outcome, the word, and what it means.
fn verdict(diff: &Diff) -> (&'static str, &'static str, &'static str) {
    match diff.result {
        Likeness::Same => (
            "conforms",
            "The same",
            "Nothing differs, and the new run looked at everything that the old one looked at.",
        ),
        Likeness::Different => (
            "deviates",
            "Different",
            "Something differs where both runs looked. What only one of them looked at is listed apart: it is neither gone nor new.",
        ),
        Likeness::NotCovered => (
            "inconclusive",
            "Not covered",
            "Nothing differs where both runs looked, and they did not look at the same. What only one of them looked at is neither gone nor new.",
        ),
    }
}

fn tallies(diff: &Diff) -> Vec<Tally> {
    let endpoints = &diff.endpoints;
    let unlooked = endpoints.not_looked_at.len() + endpoints.not_looked_at_before.len();
    let tally = |n: usize, label, detail: &str, tone| Tally {
        number: thousands(n as u64),
        label,
        detail: detail.to_owned(),
        tone: if n > 0 { tone } else { "plain" },
    };
    let narrower = diff.narrower.len() as u64;
    let less = count(narrower, "address has less coverage", "addresses have less coverage");
    let mut blind = tally(unlooked, "open, not looked at", "by one of the two runs", "undecided");
    if narrower > 0 {
        // Nothing that was open was missed, and what has opened since may be.
        (blind.detail, blind.tone) = (format!("{}; {less} than before", blind.detail), "undecided");
    }
    vec![
        tally(endpoints.appeared.len(), "appeared", "open now, and not open before", "wrong"),
        tally(endpoints.vanished.len(), "vanished", "open before, and not open now", "waived"),
        tally(endpoints.changed.len(), "changed", "another service, certificate or TLS", "undecided"),
        blind,
    ]
}

fn sides(diff: &Diff) -> Vec<Fact> {
    vec![
        Fact::new("Old report", side(&diff.old)),
        Fact::new("New report", side(&diff.new)),
        Fact::new("Old report, SHA-256", diff.old.sha256.clone()),
        Fact::new("New report, SHA-256", diff.new.sha256.clone()),
    ]
}

fn parts(diff: &Diff) -> Vec<Part> {
    let part = |(n, section): (usize, crate::report::diff::rows::Section)| {
        let left = section.rows.len().saturating_sub(ROWS) as u64;
        let mut rows = section.rows;
        rows.truncate(ROWS);
        Part {
            id: format!("part-{}", n + 1),
            title: section.title,
            explained: section.explained,
            sheet: filled(section.title, &section.columns, rows),
            more: (left > 0)
                .then(|| format!("And {}, all in the JSON.", count(left, "more row", "more rows"))),
        }
    };
    sections(diff).into_iter().enumerate().map(part).collect()
}
