//! The report as one HTML file: no request, and no script but our own that filters and sorts, readable
//! without it. Every text is escaped by the template engine; nothing but our own style and script is ever
//! marked safe.

mod card;
mod compliance;
mod coverage;
mod diff;
mod findings;
mod history;
mod map;
mod others;
mod overview;
mod paperwork;
mod prose;
mod ranked;
mod records;
mod remedy;
mod tls;

use std::{
    borrow::Cow,
    io::{self, Write},
};

use data_encoding::BASE64;
use minijinja::{
    Environment, UndefinedBehavior, context, escape_formatter,
    value::{Serde, Value, ValueKind},
};
use sha2::{Digest, Sha256};
use thiserror::Error;

pub use diff::write as write_diff;

use super::{
    Report,
    index::Index,
    statement::Statement,
    words::{count, visible},
};

/// What can go wrong while the page is written.
#[derive(Debug, Error)]
pub enum HtmlError {
    /// The page could not be written out.
    #[error("the HTML report can't be written: {0}")]
    Io(#[from] io::Error),
    /// The built-in template does not fit the report: a bug.
    #[error("the HTML report's template failed, please file a bug: {0:#}")]
    Template(#[from] minijinja::Error),
    /// The user's own template does not fit: what, and in which line.
    #[error("{}", place(.0))]
    Own(minijinja::Error),
    /// The user's own template uses a name that means nothing.
    #[error("a template has no `{name}`")]
    Unknown {
        /// The name.
        name: String,
        /// What there is.
        known: &'static [&'static str],
    },
}

const STYLE: &str = include_str!("style.css");
/// How the foot of a sheet of paper is set.
const FOOT: &str = "font:8pt system-ui,sans-serif;color:#3d454e";
const SCRIPT: &str = include_str!("script.js");
/// The longest text that the page shows whole, in characters.
const LONGEST: usize = 32_768;
/// The name under which a user's own template speaks of itself; its ending is what has it escaped.
const OWN: &str = "template.html";
/// What a template of the user's has at its hand.
const NAMES: [&str; 13] = [
    "report",
    "compliance",
    "findings",
    "headline",
    "map",
    "outcome",
    "overview",
    "records",
    "script",
    "script_hash",
    "style",
    "style_hash",
    "verdict",
];
/// The most steps of a user's own template, and as many more for each finding, observation and address: seconds, not
/// hours.
const FUEL: u64 = 2_000_000;
const FUEL_OF_EACH: u64 = 1_000;
const TEMPLATES: [(&str, &str); 7] = [
    ("report.html", include_str!("report.html")),
    ("parts.html", include_str!("parts.html")),
    ("findings.html", include_str!("findings.html")),
    ("map.html", include_str!("map.html")),
    ("records.html", include_str!("records.html")),
    ("diff.html", include_str!("diff.html")),
    ("compliance.html", include_str!("compliance.html")),
];

/// Writes the page.
pub fn write(report: &Report, out: &mut dyn Write) -> Result<(), HtmlError> {
    let text = environment()?.get_template("report.html")?.render(context(report))?;
    out.write_all(text.as_bytes())?;
    Ok(())
}

/// Writes a page by the user's own template (minijinja): what our page is made of is at its hand, the whole
/// evidence document as `report`, and our templates to include. Escaped as ours is, strict about names, and
/// stopped when it takes too many steps.
pub fn write_with(report: &Report, template: &str, out: &mut dyn Write) -> Result<(), HtmlError> {
    let mut environment = with(template)?;
    let parts = report.findings.len() + report.observations.len() + report.coverage.per_address.len();
    environment.set_fuel(Some(FUEL + FUEL_OF_EACH * parts as u64));
    let page = context! { report => Serde(report), ..context(report) };
    let text = environment.get_template(OWN).and_then(|own| own.render(page)).map_err(HtmlError::Own)?;
    out.write_all(text.as_bytes())?;
    Ok(())
}

/// Whether a template of the user's can be read at all, and knows its names: asked before a probe is sent.
pub fn check(template: &str) -> Result<(), HtmlError> {
    let environment = with(template)?;
    let used = environment.get_template(OWN).map_err(HtmlError::Own)?.undeclared_variables(false);
    let is_known =
        |name: &str| NAMES.contains(&name) || environment.globals().any(|(global, _)| global == name);
    match used.into_iter().filter(|name| !is_known(name)).min() {
        Some(name) => Err(HtmlError::Unknown { name, known: &NAMES }),
        None => Ok(()),
    }
}

/// `line 3: undefined value`.
fn place(error: &minijinja::Error) -> String {
    let line = error.line().map(|line| format!("line {line}: ")).unwrap_or_default();
    let detail = error.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
    format!("{line}{}{detail}", error.kind())
}

fn with(template: &str) -> Result<Environment<'_>, HtmlError> {
    let mut environment = environment()?;
    environment.add_template(OWN, template).map_err(HtmlError::Own)?;
    Ok(environment)
}

/// What the templates are filled with.
fn context(report: &Report) -> Value {
    let index = Index::new(report);
    let ranked = ranked::ranked(report, &index);
    let said = Statement::of(report);
    let (word, sentence) = said.verdict();
    let style = style(&report.run.id);
    context! {
        style => style.as_str(),
        style_hash => hash(&style),
        script => SCRIPT,
        script_hash => hash(SCRIPT),
        outcome => said.outcome().word(),
        verdict => context! { word, sentence },
        headline => said.headline(),
        overview => Serde(overview::build(report, &said)),
        findings => Serde(findings::build(report, &index)),
        map => Serde(map::build(&ranked, &index)),
        records => Serde(records::build(report, &ranked, &index)),
        compliance => Serde(compliance::build(report)),
    }
}

/// The style sheet, with the run at the foot of each sheet of paper: an id is letters, digits and dashes, and
/// whatever else is in one is left out.
fn style(run: &str) -> String {
    let id: String = run.chars().filter(|&c| c.is_ascii_alphanumeric() || c == '-').take(64).collect();
    format!("{STYLE}@page{{@bottom-left{{content:\"portproof, run {id}\";{FOOT}}}}}\n")
}

/// The templates, strict about names and escaping everything, hostile characters included: the
/// manifest's own words are not cleaned on the way in.
fn environment<'a>() -> Result<Environment<'a>, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_formatter(|out, state, value| match value.as_str() {
        Some(text) if value.kind() == ValueKind::String && !value.is_safe() => {
            escape_formatter(out, state, &visible(&shortened(text)).into_owned().into())
        }
        _ => escape_formatter(out, state, value),
    });
    for (name, source) in TEMPLATES {
        environment.add_template(name, source)?;
    }
    Ok(environment)
}

/// A text that nobody reads to its end, with a count of what is left out.
fn shortened(text: &str) -> Cow<'_, str> {
    let cut = if text.len() > LONGEST { text.char_indices().nth(LONGEST) } else { None };
    cut.and_then(|(at, _)| text.split_at_checked(at)).map_or(Cow::Borrowed(text), |(shown, rest)| {
        let more = count(rest.chars().count() as u64, "more character", "more characters");
        Cow::Owned(format!("{shown}… and {more} in the JSON report"))
    })
}

/// A source as the content security policy names it.
fn hash(text: &str) -> String {
    format!("sha256-{}", BASE64.encode(&Sha256::digest(text.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_of_the_policy_is_the_digest_in_base64_of_rfc_4648() {
        assert_eq!(hash(""), "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    }

    #[test]
    fn templates_parse_and_the_page_asks_for_nothing_outside() {
        environment().expect("templates parse");
        for (name, source) in TEMPLATES {
            for foreign in ["http://", "https://", "style=\"", "url(", "onclick", "onload", "onerror"] {
                assert!(!source.contains(foreign), "{name} holds {foreign}");
            }
            let scripts = source.matches("<script").count();
            assert_eq!(scripts, usize::from(name == "report.html"), "{name}");
        }
        for foreign in [
            "//www",
            "http",
            "fetch(",
            "eval(",
            "Function(",
            "innerHTML",
            "outerHTML",
            "</",
            "<!--",
            "import(",
        ] {
            assert!(!SCRIPT.contains(foreign), "the script holds {foreign}");
        }
        assert!(!STYLE.contains("url(") && !STYLE.contains("@import"));
    }
}
