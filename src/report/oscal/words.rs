//! Text as OSCAL takes it: Markdown in titles and descriptions, plain values in properties, tokens as names. Words of
//! a banner or a manifest stay words in each.

use serde::Serialize;

use crate::report::exchange::text;

/// Whose names the properties have. OSCAL wants a URI, which need lead nowhere.
const NAMESPACE: &str = "urn:portproof:oscal";

/// Text in Markdown that reads as it is written: no markup, no HTML, no parameter to insert. Never empty, as OSCAL
/// has no empty title.
pub(super) fn markup(plain: &str) -> String {
    let plain = text(plain);
    if plain.is_empty() {
        return "(nothing)".to_owned();
    }
    let mut escaped = String::with_capacity(plain.len() + 16);
    for c in plain.chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '#' | '|' | '~' | '^' | '!' => {
                escaped.push('\\');
                escaped.push(c);
            }
            c => escaped.push(c),
        }
    }
    escaped
}

/// A property: a name and a value, which is plain text and never empty.
#[derive(Serialize)]
pub(super) struct Prop<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ns: Option<&'static str>,
    value: String,
}

/// Properties of ours, those that have a value.
pub(super) fn props<'a, 'v>(named: impl IntoIterator<Item = (&'a str, Option<&'v str>)>) -> Vec<Prop<'a>> {
    let prop = |(name, value): (&'a str, Option<&'v str>)| {
        let value = text(value?);
        (!value.is_empty()).then_some(Prop { name, ns: Some(NAMESPACE), value })
    };
    named.into_iter().filter_map(prop).collect()
}

/// A property that OSCAL itself names.
pub(super) fn own<'a>(name: &'a str, value: &str) -> Prop<'a> {
    Prop { name, ns: None, value: text(value) }
}

/// A word as OSCAL takes for an id.
pub(super) fn token(word: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let token: String = word.chars().take(64).map(|c| if fits(c) { c } else { '_' }).collect();
    if token.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') { token } else { format!("_{token}") }
}

/// A path as a relative reference.
pub(super) fn href(path: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~/".contains(c);
    let mut octets = [0; 4];
    let mut href = String::new();
    for c in path.chars() {
        if plain(c) {
            href.push(c);
        } else {
            href.extend(c.encode_utf8(&mut octets).bytes().map(|octet| format!("%{octet:02X}")));
        }
    }
    href
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_words_in_markdown() {
        assert_eq!(
            markup("<script>*a*</script> [b](c) {{ insert: param, x }} \u{202e}"),
            "&lt;script&gt;\\*a\\*&lt;/script&gt; \\[b\\](c) \\{\\{ insert: param, x \\}\\} \\\\u\\{202e\\}"
        );
        assert_eq!(markup("\n"), "(nothing)");
    }

    #[test]
    fn every_word_becomes_an_id() {
        for (word, expected) in [("EXP001", "EXP001"), ("1 a/b", "_1_a_b"), ("", "_"), ("ü", "_")] {
            assert_eq!(token(word), expected, "{word}");
        }
    }
}
