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

/// Reads `10s`, `30m`, `12h`, `180d`, `2w`: a whole number and one unit, more than zero.
pub fn duration(text: &str) -> Result<Duration, String> {
    let wrong =
        || format!("`{text}` is not a span of time; write a number and a unit: 10s, 30m, 12h, 180d, 2w");
    let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let unit = match unit {
        "ms" => return nonzero(Duration::from_millis(number), text),
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 604_800,
        _ => return Err(wrong()),
    };
    let seconds =
        number.checked_mul(unit).filter(|seconds| *seconds <= 1_000_000_000_000).ok_or_else(wrong)?;
    nonzero(Duration::from_secs(seconds), text)
}

/// A day so many days later; `None` beyond the end of the calendar, where nothing is ever due.
pub fn after(day: Date, days: i64) -> Option<Date> {
    day.checked_add(Span::new().try_days(days).ok()?).ok()
}

fn nonzero(duration: Duration, text: &str) -> Result<Duration, String> {
    if duration.is_zero() { Err(format!("`{text}` is no time at all")) } else { Ok(duration) }
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
    }
}
