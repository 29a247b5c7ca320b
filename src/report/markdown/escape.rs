//! Text that stays text in GitHub's and GitLab's Markdown. Character references can't be markup (CommonMark 0.31.2
//! section 2.5), also not the bars of a table; what is recognised only after that, in the text of the finished page
//! (mentions, references, addresses of the web), is parted by a space of no width.

use std::{borrow::Cow, fmt::Write as _};

use crate::report::words::{bounded, visible};

/// A character that nobody sees, and that no mention and no address of the web holds.
const PARTED: &str = "&#8203;";

/// Characters that mean something wherever they stand; the others mean something at the start of a line, where no
/// text from outside ever is.
const MARKUP: &str = "\\`*_{}[]<>|~&\"#@$^";

/// At most so many characters of a text, as text.
pub(super) fn prose(text: &str, most: usize) -> String {
    let text = harmless(text, most);
    let mut written = String::with_capacity(text.len() + text.len() / 4);
    let mut chars = text.chars().peekable();
    let mut word = String::new();
    while let Some(c) = chars.next() {
        let next = chars.peek().copied();
        // @team, #1, !1 (a merge request), %1, &1, ~label, ^alert, :smile:, http://, $formula$
        let refers = match c {
            '@' | '#' | '!' | '%' | '&' | '~' | '^' | ':' => {
                next.is_some_and(|next| next.is_alphanumeric() || "/\"_-+".contains(next))
            }
            '$' => next.is_some_and(|next| !next.is_whitespace()),
            _ => false,
        };
        if refers || MARKUP.contains(c) {
            let _ = write!(written, "&#{};", u32::from(c)); // a String takes all
        } else {
            written.push(c);
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
        // www. and GH-1
        let names = matches!((word.as_str(), next), ("www", Some('.')) | ("gh", Some('-')));
        if refers || names {
            written.push_str(PARTED);
        }
        if !c.is_alphanumeric() {
            word.clear();
        }
    }
    written
}

/// At most so many characters of a word that a person copies, set as code where nothing in it could end that.
pub(super) fn code(text: &str, most: usize) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || ".:/-, _".contains(c);
    let text = harmless(text, most);
    let trimmed = text.trim_end_matches('…');
    if !trimmed.is_empty() && trimmed.trim() == trimmed && trimmed.chars().all(plain) {
        return format!("`{text}`");
    }
    prose(&text, most + 1)
}

fn harmless(text: &str, most: usize) -> Cow<'_, str> {
    // What is far too long is cut before it is looked at.
    let text = match text.char_indices().nth(most + 1) {
        Some((end, _)) => text.get(..end).unwrap_or_default(),
        None => text,
    };
    match visible(text) {
        Cow::Borrowed(text) => bounded(text, most),
        Cow::Owned(text) => Cow::Owned(bounded(&text, most).into_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_becomes_character_references() {
        assert_eq!(prose("<b>|`*_[x](y)", 100), "&#60;b&#62;&#124;&#96;&#42;&#95;&#91;x&#93;(y)");
        assert_eq!(prose("a\n- b", 100), "a&#92;u&#123;a&#125;- b");
        assert_eq!(
            prose("8080/tcp is open, and nothing declares it", 100),
            "8080/tcp is open, and nothing declares it"
        );
    }

    #[test]
    fn what_a_platform_would_link_is_parted() {
        for (text, written) in [
            ("@team", "&#64;&#8203;team"),
            ("fixes #12", "fixes &#35;&#8203;12"),
            ("https://x.example", "https&#58;&#8203;//x.example"),
            ("www.example.com", "www&#8203;.example.com"),
            ("WWW.example.com", "WWW&#8203;.example.com"),
            ("GH-7", "GH&#8203;-7"),
            (":tada:", "&#58;&#8203;tada:"),
            ("a: b", "a: b"),
        ] {
            assert_eq!(prose(text, 100), written);
        }
    }

    #[test]
    fn code_is_only_what_can_not_end_it() {
        assert_eq!(code("2001:db8::1", 60), "`2001:db8::1`");
        assert_eq!(code("www.example.com", 60), "`www.example.com`");
        assert_eq!(code("a`b", 60), "a&#96;b");
        assert_eq!(code("a|b", 60), "a&#124;b");
        assert_eq!(code(" a", 60), " a");
        assert_eq!(code("", 60), "");
        assert_eq!(code("abcdef", 3), "`abc…`");
    }

    #[test]
    fn a_bound_holds_whatever_the_text() {
        let cut = prose(&"@x".repeat(1_000_000), 40);
        assert!(cut.len() < 40 * 16 && cut.ends_with('…'), "{cut}");
    }
}
