//! The report as one HTML file: no script, no request, readable without either. Every text is escaped
//! by the template engine; nothing but the style sheet is ever marked safe.

mod compliance;
mod coverage;
mod diff;
mod findings;
mod map;
mod overview;
mod paperwork;
mod records;
mod remedy;

use std::io::{self, Write};

use minijinja::{
    Environment, UndefinedBehavior, context, escape_formatter,
    value::{Serde, ValueKind},
};
use sha2::{Digest, Sha256};
use thiserror::Error;

pub use diff::write as write_diff;

use super::{
    Report,
    headline::{headline, verdict_parts},
    index::Index,
    words::visible,
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
}

const STYLE: &str = include_str!("style.css");
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
    let index = Index::new(report);
    let (word, sentence) = verdict_parts(report);
    let page = context! {
        style => STYLE,
        style_hash => format!("sha256-{}", base64(&Sha256::digest(STYLE.as_bytes()))),
        outcome => report.summary.result.word(),
        verdict => context! { word, sentence },
        headline => headline(report),
        overview => Serde(overview::build(report)),
        findings => Serde(findings::build(report)),
        map => Serde(map::build(report, &index)),
        records => Serde(records::build(report, &index)),
        compliance => Serde(compliance::build(report)),
    };
    let text = environment()?.get_template("report.html")?.render(page)?;
    out.write_all(text.as_bytes())?;
    Ok(())
}

/// The templates, strict about names and escaping everything, hostile characters included: the
/// manifest's own words are not cleaned on the way in.
fn environment() -> Result<Environment<'static>, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_formatter(|out, state, value| match value.as_str() {
        Some(text) if value.kind() == ValueKind::String && !value.is_safe() => {
            escape_formatter(out, state, &visible(text).into_owned().into())
        }
        _ => escape_formatter(out, state, value),
    });
    for (name, source) in TEMPLATES {
        environment.add_template(name, source)?;
    }
    Ok(environment)
}

/// RFC 4648 section 4, for the one digest that the content security policy needs.
fn base64(octets: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(octets.len().div_ceil(3) * 4);
    for chunk in octets.chunks(3) {
        let group = (0..3).fold(0_u32, |group, i| group << 8 | u32::from(chunk.get(i).copied().unwrap_or(0)));
        for i in 0..4 {
            let sextet = (group >> (18 - 6 * i)) as usize & 63;
            let letter = ALPHABET.get(sextet).copied().unwrap_or(b'=');
            text.push(if i <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_agrees_with_the_test_vectors_of_rfc_4648() {
        for (octets, text) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(octets.as_bytes()), text);
        }
    }

    #[test]
    fn templates_parse_and_the_page_asks_for_nothing_outside() {
        environment().expect("templates parse");
        for (name, source) in TEMPLATES {
            for foreign in ["http://", "https://", "<script", "style=\"", "url(", " on"] {
                assert!(foreign == " on" || !source.contains(foreign), "{name} holds {foreign}");
            }
        }
        assert!(!STYLE.contains("url(") && !STYLE.contains("@import"));
    }
}
