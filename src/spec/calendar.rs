//! Days and spans of time as people write them. Never guesses a format.

use std::time::Duration;

use jiff::{Span, civil::Date};

/// Reads `2026-09-30`; a day that no calendar has is an error.
pub fn date(text: &str) -> Result<Date, String> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text.as_bytes() else {
        return Err(format!("`{text}` is not a day"));
    };
    if ![y1, y2, y3, y4, m1, m2, d1, d2].iter().all(|digit| digit.is_ascii_digit()) {
        return Err(format!("`{text}` is not a day"));
    }
    text.parse().map_err(|_| format!("there is no day `{text}`"))
}

/// A day that was yet to come on that other day, where something is said to have been done on it.
pub(crate) fn ahead(day: Option<Date>, at: Date) -> Option<Date> {
    day.filter(|&day| day > at)
}

/// The longest span that anybody counts: 31,688 years.
const LONGEST: Duration = Duration::from_secs(1_000_000_000_000);

/// Reads `10s`, `30m`, `12h`, `180d`, `2w`: a whole number and one unit, more than zero.
pub fn duration(text: &str) -> Result<Duration, String> {
    let wrong =
        || format!("`{text}` is not a span of time; write a number and a unit: 10s, 30m, 12h, 180d, 2w");
    let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let (number, unit) = text.split_at(digits);
    let millis: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        "w" => 604_800_000,
        _ => return Err(wrong()),
    };
    if number.is_empty() {
        return Err(wrong());
    }
    // Of digits alone only so many are no number.
    let span =
        number.parse::<u64>().ok().and_then(|number| number.checked_mul(millis)).map(Duration::from_millis);
    match span.filter(|span| *span <= LONGEST) {
        Some(Duration::ZERO) => Err(format!("`{text}` is no time at all")),
        Some(span) => Ok(span),
        None => Err(format!("`{text}` is too large; a span of time is at most {}s", LONGEST.as_secs())),
    }
}

/// A day so many days later; `None` beyond the end of the calendar, where nothing is ever due.
pub fn after(day: Date, days: i64) -> Option<Date> {
    day.checked_add(Span::new().try_days(days).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days() {
        assert_eq!(date("2026-02-28").unwrap(), jiff::civil::date(2026, 2, 28));
        assert_eq!(date("2026-02-29").unwrap_err(), "there is no day `2026-02-29`");
        for bad in
            ["2026-9-1", "20260901", "2026-09-01T00:00:00Z", "01.09.2026", "tomorrow", "", "２026-09-01"]
        {
            assert!(date(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn spans() {
        for (text, seconds) in
            [("10s", 10), ("30m", 1_800), ("12h", 43_200), ("180d", 15_552_000), ("2w", 1_209_600)]
        {
            assert_eq!(duration(text).unwrap(), Duration::from_secs(seconds), "{text}");
        }
        assert_eq!(duration("250ms").unwrap(), Duration::from_millis(250));
        for bad in [
            "",
            "d",
            "180",
            "180 d",
            "1.5h",
            "-1d",
            "1y",
            "0d",
            "99999999999999999999d",
            "18446744073709551615w",
        ] {
            assert!(duration(bad).is_err(), "{bad}");
        }
        for large in
            ["99999999999999999999s", "99999999999999999999ms", "1000000000001s", "18446744073709551615w"]
        {
            assert_eq!(
                duration(large).unwrap_err(),
                format!("`{large}` is too large; a span of time is at most 1000000000000s")
            );
        }
        assert!(duration("s").unwrap_err().contains("write a number and a unit"));
        assert_eq!(duration("1000000000000s").unwrap(), LONGEST);
    }
}
