//! Since when findings are known, where an earlier report says so: in words, and as a strip on one scale
//! for the whole page.

use jiff::Timestamp;
use serde::Serialize;

use crate::report::{
    Finding, Report,
    baseline::compared,
    words::{count, moment, thousands, whole},
};

/// The scale of the page's strips.
pub(super) struct History {
    /// The start of this run, and of the earliest sighting; `None` where there is nothing to compare with.
    now: Option<Timestamp>,
    oldest: Option<Timestamp>,
    compared: bool,
}

/// Since when a finding is known.
#[derive(Clone, Serialize)]
pub(super) struct Since {
    /// `new` or `known`, as the filter asks for it.
    pub(super) age: &'static str,
    words: String,
    /// `2026-11-22`, or `new`.
    pub(super) short: String,
    /// Where the strip begins, in hundredths of the whole.
    x: u64,
    width: u64,
}

impl History {
    /// Reads the scale off the findings.
    pub(super) fn of(report: &Report) -> Self {
        let seen = report
            .findings
            .iter()
            .filter_map(|finding| finding.first_seen.as_deref()?.parse::<Timestamp>().ok());
        Self {
            now: report.run.started_at.parse().ok(),
            oldest: seen.min(),
            compared: report.run.previous.is_some(),
        }
    }

    /// `None` where no earlier report was given.
    pub(super) fn since(&self, finding: &Finding) -> Option<Since> {
        let Some(first) = finding.first_seen.as_deref() else {
            return self.compared.then(|| Since {
                age: "new",
                words: "new in this run".to_owned(),
                short: "new".to_owned(),
                x: 96,
                width: 4,
            });
        };
        let at = moment(first);
        let day = at.split(' ').next().unwrap_or(&at).to_owned();
        let days = first.parse::<Timestamp>().ok().and_then(|first| days(first, self.now?));
        let words = match days.map(whole) {
            None | Some(0) => format!("known since {at} UTC"),
            Some(days) => format!("known since {at} UTC, {}", count(days, "day", "days")),
        };
        let all = self.oldest.and_then(|oldest| days_at_least(oldest, self.now?));
        let part = days.zip(all).map_or(1.0, |(days, all)| days / all);
        let width = whole(part * 100.0).clamp(4, 100);
        Some(Since { age: "known", words, short: day, x: 100 - width, width })
    }

    /// `9 findings are new, 3 were known before, the earliest since 2026-10-01 02:00:00 UTC.`
    pub(super) fn sentence(&self, report: &Report) -> Option<String> {
        let (new, known) = compared(report);
        if !self.compared || known.len() + new.len() == 0 {
            return None;
        }
        let oldest = known.iter().filter_map(|finding| finding.first_seen.as_deref()).min();
        let oldest = oldest.map_or_else(String::new, |at| format!(", the earliest since {} UTC", moment(at)));
        let new = count(new.len() as u64, "finding is", "findings are");
        let known = match known.len() as u64 {
            1 => "1 was known before".to_owned(),
            n => format!("{} were known before", thousands(n)),
        };
        Some(format!("Against the report before this one: {new} new, {known}{oldest}."))
    }
}

fn days(from: Timestamp, to: Timestamp) -> Option<f64> {
    let seconds = to.as_second().checked_sub(from.as_second())?;
    (seconds >= 0).then_some((seconds / 86_400) as f64)
}

/// The length of a scale is never nothing.
fn days_at_least(from: Timestamp, to: Timestamp) -> Option<f64> {
    days(from, to).map(|days| days.max(1.0))
}
