//! What the formats for other programs share: text that is bounded and hides nothing, times as those programs take
//! them, ids that follow from the content. Knows no format.

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::Value;
use uuid::Uuid;

use super::{Finding, Report, words::visible};
use crate::model::Protocol;

/// The longest text of one field, in characters: consumers cut or refuse longer ones, and what a report quotes is
/// shorter. The JSON report holds the whole.
const MOST_TEXT: usize = 1000;

/// The namespace of the ids that follow from content (RFC 9562 section 6.6). Fixed for ever: ids are compared
/// across versions.
const NAMESPACE: Uuid = Uuid::from_u128(0x706f_7274_7072_4f6f_a66f_0e5c_5a11_9d07);

/// A text on one line, bounded, its control and bidirectional characters visible, without space at its ends.
pub(super) fn text(text: &str) -> String {
    let text = text.trim();
    match text.char_indices().nth(MOST_TEXT) {
        Some((end, _)) => format!("{}…", visible(text.get(..end).unwrap_or_default())),
        None => visible(text).into_owned(),
    }
}

/// The same of a text that may be missing or empty.
pub(super) fn maybe(field: Option<&str>) -> Option<String> {
    field.map(text).filter(|text| !text.is_empty())
}

/// A time of a report, to the millisecond; `None` where it is none. A report may have been edited by hand, and
/// a wrong time would make the whole file invalid.
pub(super) fn utc(time: &str) -> Option<String> {
    moment(time).map(|at| format!("{at:.3}"))
}

/// The same in milliseconds since 1970.
pub(super) fn millis(time: &str) -> Option<i64> {
    moment(time).map(Timestamp::as_millisecond)
}

/// The same as a time of day that can be written in other ways.
pub(super) fn moment(time: &str) -> Option<Timestamp> {
    time.parse().ok().filter(|at: &Timestamp| at.as_second() >= 0)
}

/// `203.0.113.10:443/tcp`, `[2001:db8::1]:443/tcp`.
pub(super) fn endpoint(place: &str, protocol: Protocol, port: u16) -> String {
    if place.contains(':') {
        format!("[{place}]:{port}/{protocol}")
    } else {
        format!("{place}:{port}/{protocol}")
    }
}

/// What a finding is about: an endpoint, an address, a host, a target; `None` where it is about the run.
pub(super) fn subject(finding: &Finding) -> Option<String> {
    let place = finding.address.as_deref().or(finding.host.as_deref());
    let subject = match (place, finding.protocol, finding.port) {
        (Some(place), Some(protocol), Some(port)) => endpoint(place, protocol, port),
        (None, Some(protocol), Some(port)) => format!("{port}/{protocol}"),
        (Some(place), ..) => place.to_owned(),
        (None, ..) => finding.target.clone()?,
    };
    Some(text(&subject))
}

/// Ids of the parts of one run's report: the same run gives the same ids, another run others.
pub(super) struct Ids(Uuid);

impl Ids {
    /// Those of a report.
    pub(super) fn of(report: &Report) -> Self {
        Self(Uuid::new_v5(&NAMESPACE, report.run.id.as_bytes()))
    }

    /// The id of a part: what kind of part it is, and which.
    pub(super) fn id(&self, kind: &str, which: &str) -> String {
        Uuid::new_v5(&self.0, format!("{kind}\0{which}").as_bytes()).to_string()
    }
}

/// A list that is made while it is written, so that its fifty thousand entries never exist at once.
pub(super) struct Lazily<F>(pub(super) F);

impl<F, I> Serialize for Lazily<F>
where
    F: Fn() -> I,
    I: Iterator,
    I::Item: Serialize,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}

/// The value without what is not known: these formats leave a member out where our own report says null.
pub(super) fn known(mut value: Value) -> Value {
    forget_nothing(&mut value);
    value
}

fn forget_nothing(value: &mut Value) {
    match value {
        Value::Object(members) => members.retain(|_, member| {
            forget_nothing(member);
            !is_nothing(member)
        }),
        Value::Array(items) => items.iter_mut().for_each(forget_nothing),
        _ => {}
    }
}

fn is_nothing(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn text_is_one_bounded_line_that_hides_nothing() {
        assert_eq!(text(" a\nb\u{202e} "), "a\\u{a}b\\u{202e}");
        assert_eq!(text(&"ü".repeat(5000)).chars().count(), MOST_TEXT + 1);
        assert_eq!(maybe(Some(" ")), None);
    }

    #[test]
    fn a_time_that_is_none_is_left_out() {
        assert_eq!(utc("2026-11-23T03:00:07+01:00").as_deref(), Some("2026-11-23T02:00:07.000Z"));
        assert_eq!(millis("1970-01-01T00:00:01.5Z"), Some(1500));
        for wrong in ["", "yesterday", "-000001-01-01T00:00:00Z", "2026-11-23"] {
            assert_eq!(utc(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_endpoint_is_written_as_people_write_it() {
        assert_eq!(endpoint("2001:db8::1", Protocol::Udp, 53), "[2001:db8::1]:53/udp");
        assert_eq!(endpoint("192.0.2.1", Protocol::Tcp, 443), "192.0.2.1:443/tcp");
    }

    #[test]
    fn what_is_not_known_is_left_out_at_every_depth() {
        let value = json!({"a": null, "b": [{"c": null, "d": 1}], "e": []});
        assert_eq!(known(value), json!({"b": [{"d": 1}]}));
    }
}
