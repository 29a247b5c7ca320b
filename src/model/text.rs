//! Text from the network is hostile: cleaned once, here, on the way in.

/// The longest text kept from one answer, in characters.
pub const MAX_TEXT: usize = 1024;

/// Makes text from the network harmless as text: control characters (C0, DEL, C1), line and
/// paragraph separators and bidirectional controls become visible escapes, and the whole is bounded.
/// Every format then escapes for itself.
pub fn clean(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len().min(MAX_TEXT));
    for (i, c) in text.chars().enumerate() {
        if i == MAX_TEXT {
            cleaned.push('…');
            break;
        }
        if is_hostile(c) { cleaned.extend(c.escape_unicode()) } else { cleaned.push(c) }
    }
    cleaned
}

/// Characters that change how the text around them is read rather than being read themselves.
/// Bidirectional controls: Unicode Standard Annex 9.
fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{061c}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_and_bidi_become_visible() {
        assert_eq!(clean("a\u{1b}[31m\u{202e}b\0"), "a\\u{1b}[31m\\u{202e}b\\u{0}");
    }

    #[test]
    fn text_is_bounded_and_ordinary_text_is_left_alone() {
        assert_eq!(clean("Grüße, 世界"), "Grüße, 世界");
        assert_eq!(clean(&"x".repeat(5000)).chars().count(), MAX_TEXT + 1);
    }
}
