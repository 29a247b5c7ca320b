//! Text from the network is hostile: cleaned once, here, on the way in. And numbers as people read them.

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

/// Whether octets are text in UTF-16, as PowerShell's `>` writes it: by the mark before it, or by the zero beside its
/// first character.
pub fn is_utf16(octets: &[u8]) -> bool {
    matches!(octets, [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, 1..=0xff, ..] | [1..=0xff, 0, ..])
}

/// `131,070`.
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A chance as `1 in 41,000`, rounded to two digits on the careful side; `0` and `1` in words.
pub fn one_in(chance: f64) -> String {
    if chance.is_nan() || chance <= 0.0 {
        return "none".to_owned();
    }
    if chance > 0.5 {
        return format!("{:.0} %", chance.min(1.0) * 100.0);
    }
    // A chance of 1 in 1,000 is not quite that as a binary fraction, and must not be said as 1 in 990.
    let inverse = (1.0 / chance) * (1.0 + 1e-12);
    let unit = if inverse < 100.0 { 1.0 } else { 10_f64.powf(inverse.log10().floor() - 1.0) };
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // above 1; `as` saturates
    let rounded = ((inverse / unit).floor() * unit).round() as u64;
    format!("1 in {}", thousands(rounded))
}

/// Characters that change how the text around them is read rather than being read themselves.
/// Bidirectional controls: Unicode Standard Annex 9. U+FFFE and U+FFFF are no characters, and XML can't hold them.
pub fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{061c}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
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

    #[test]
    fn a_chance_is_never_said_smaller_than_it_is() {
        assert_eq!(one_in(0.0), "none");
        assert_eq!(one_in(1.0 / 41_999.0), "1 in 41,000");
        assert_eq!(one_in(0.001), "1 in 1,000");
        assert_eq!(one_in(0.03), "1 in 33");
        assert_eq!(one_in(0.9), "90 %");
        assert_eq!(one_in(f64::NAN), "none");
        assert_eq!(one_in(1e-300), "1 in 18,446,744,073,709,551,615");
    }
}
