//! Numbers, times and lists as a person reads them; shared by every format for people. Knows no format.

use std::{borrow::Cow, fmt::Write as _};

use jiff::{Timestamp, civil::Date, tz::TimeZone};

pub(crate) use crate::model::{is_hostile, one_in, thousands};

/// `2 ports`, `1 port`: the number and the word that fits it.
pub(crate) fn count(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", thousands(n), if n == 1 { one } else { many })
}

/// `two ports`: as [`count`], with small numbers as words, for sentences.
pub(crate) fn spoken(n: u64, one: &str, many: &str) -> String {
    const WORDS: [&str; 13] = [
        "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
        "twelve",
    ];
    let word = usize::try_from(n).ok().and_then(|i| WORDS.get(i));
    let number = word.map_or_else(|| thousands(n), |&word| word.to_owned());
    format!("{number} {}", if n == 1 { one } else { many })
}

/// `0.8 s`, `66 s`, `4 min 10 s`, `2 h 5 min`.
pub(crate) fn duration(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return "unknown time".to_owned();
    }
    if seconds < 9.95 {
        return format!("{seconds:.1} s");
    }
    let whole = whole(seconds);
    match whole {
        ..120 => format!("{whole} s"),
        120..7200 if whole.is_multiple_of(60) => format!("{} min", whole / 60),
        120..7200 => format!("{} min {} s", whole / 60, whole % 60),
        _ if (whole % 3600) < 60 => format!("{} h", thousands(whole / 3600)),
        _ => format!("{} h {} min", thousands(whole / 3600), whole % 3600 / 60),
    }
}

/// A finite number that is not negative, rounded to a whole one.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // bounded below by 0; `as` saturates above
pub(crate) fn whole(number: f64) -> u64 {
    number.round().max(0.0) as u64
}

/// An expected number, which is hardly ever a whole one: `0`, `less than 0.01`, `1.25`.
pub(crate) fn expected(number: f64) -> String {
    match number {
        0.0 => "0".to_owned(),
        ..0.01 => "less than 0.01".to_owned(),
        _ => format!("{number:.2}"),
    }
}

/// `0.9 %`.
pub(crate) fn percent(part: f64) -> String {
    let hundred = part * 100.0;
    if hundred > 0.0 && hundred < 0.1 { format!("{hundred:.3} %") } else { format!("{hundred:.1} %") }
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn listed<S: AsRef<str>>(items: &[S]) -> String {
    match items {
        [] => String::new(),
        [only] => only.as_ref().to_owned(),
        [rest @ .., last] => {
            let rest: Vec<&str> = rest.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", rest.join(", "), last.as_ref())
        }
    }
}

/// `Two ports`: the first letter as a capital.
pub(crate) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// `2026-11-23 02:00:07` of an RFC 3339 time in UTC; anything else is left as it is.
pub(crate) fn moment(rfc3339: &str) -> String {
    match rfc3339.split_once('T') {
        Some((day, time)) if rfc3339.ends_with('Z') && rfc3339.is_ascii() && time.len() >= 9 => {
            let seconds = time.split(['.', 'Z']).next().unwrap_or(time);
            format!("{day} {seconds}")
        }
        _ => rfc3339.to_owned(),
    }
}

/// `2026-11-23 02:00:07 to 02:02:41 UTC`: both ends of a run, the day said once where it is one.
pub(crate) fn period(started: &str, finished: &str) -> String {
    let (from, to) = (moment(started), moment(finished));
    match (from.split_once(' '), to.split_once(' ')) {
        (Some((day, _)), Some((same, time))) if day == same => format!("{from} to {time} UTC"),
        (Some(_), Some(_)) => format!("{from} to {to} UTC"),
        _ => format!("{from} to {to}"),
    }
}

/// The text with control and bidirectional characters made visible: the manifest's own words are
/// not cleaned on the way in, and may be as hostile as a banner.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hostile) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_hostile(c) { shown.extend(c.escape_unicode()) } else { shown.push(c) }
    }
    Cow::Owned(shown)
}

/// The text of at most so many characters; what is cut off shows as `…`.
pub(crate) fn bounded(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        None => Cow::Borrowed(text),
        Some((end, _)) => Cow::Owned(format!("{}…", text.get(..end).unwrap_or_default())),
    }
}

/// A sum that does not overflow: the counts of a report may be anybody's.
pub(crate) fn sum(counts: impl Iterator<Item = u64>) -> u64 {
    counts.fold(0, u64::saturating_add)
}

/// The first of many and how many more there are: `80, 443 and 12 more`; `none` where there is nothing.
pub(crate) fn few(items: &[String], most: usize, between: &str, none: &str) -> String {
    match items.get(..most) {
        Some(first) if items.len() > most => {
            format!("{} and {} more", first.join(between), thousands((items.len() - most) as u64))
        }
        _ if items.is_empty() => none.to_owned(),
        _ => items.join(between),
    }
}

/// A word for a POSIX shell: quoted where it holds anything but harmless characters. Commands in a
/// report are copied into terminals, so a name in a manifest must not become a command.
pub(crate) fn shell(word: &str) -> String {
    let harmless = |c: char| c.is_ascii_alphanumeric() || "_./:@%+=,-".contains(c);
    if !word.is_empty() && word.chars().all(harmless) {
        return word.to_owned();
    }
    let mut quoted = String::from("'");
    for c in word.chars() {
        if c == '\'' {
            quoted.push_str("'\\''");
        } else {
            let _ = write!(quoted, "{c}"); // writing to a String can't fail
        }
    }
    quoted.push('\'');
    quoted
}

/// The moment from which something is late that is due then, or on that day: a day is over when the next one begins,
/// UTC.
pub(crate) fn due(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| {
        let day: Date = text.parse().ok()?;
        Some(day.tomorrow().ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_agree_with_their_words() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(131_070), "131,070");
        assert_eq!(thousands(1_000_000), "1,000,000");
        assert_eq!(count(1, "port", "ports"), "1 port");
        assert_eq!(spoken(2, "port", "ports"), "two ports");
        assert_eq!(spoken(65_535, "port", "ports"), "65,535 ports");
    }

    #[test]
    fn durations_are_read_at_a_glance() {
        for (seconds, text) in [
            (0.0, "0.0 s"),
            (0.84, "0.8 s"),
            (9.97, "10 s"),
            (66.2, "66 s"),
            (119.6, "2 min"),
            (250.0, "4 min 10 s"),
            (7500.0, "2 h 5 min"),
            (7200.0, "2 h"),
            (f64::NAN, "unknown time"),
        ] {
            assert_eq!(duration(seconds), text, "{seconds}");
        }
    }

    #[test]
    fn a_period_says_the_day_once() {
        assert_eq!(
            period("2026-11-23T02:00:07Z", "2026-11-23T02:02:41.5Z"),
            "2026-11-23 02:00:07 to 02:02:41 UTC"
        );
        assert_eq!(moment("not a time"), "not a time");
        assert_eq!(moment("T"), "T");
    }

    #[test]
    fn what_reorders_text_is_made_visible_and_other_scripts_are_left_alone() {
        assert_eq!(visible("a\u{202e}b\u{1b}"), "a\\u{202e}b\\u{1b}");
        assert_eq!(visible("Grüße, 世界, שלום"), "Grüße, 世界, שלום");
    }

    #[test]
    fn a_bound_counts_characters_and_shows_what_it_cut() {
        assert_eq!(bounded("Grüße", 5), "Grüße");
        assert_eq!(bounded("Grüße", 3), "Grü…");
        assert_eq!(bounded("", 0), "");
    }

    #[test]
    fn a_name_can_not_become_a_command() {
        assert_eq!(shell("edge.yaml"), "edge.yaml");
        assert_eq!(shell("a; rm -rf ~"), "'a; rm -rf ~'");
        assert_eq!(shell("it's"), "'it'\\''s'");
    }

    #[test]
    fn a_day_is_over_when_the_next_one_begins() {
        assert_eq!(due("2026-11-24").unwrap().to_string(), "2026-11-25T00:00:00Z");
        assert_eq!(due("2026-11-24T02:00:00Z").unwrap().to_string(), "2026-11-24T02:00:00Z");
        assert_eq!(due("soon"), None);
    }
}
