//! Reviews that are further apart than the policy allows (MAN018). What no date shows to be in time is not taken
//! to be.

use std::time::Duration;

use jiff::civil::Date;

use super::super::{
    calendar,
    manifest::{Expose, Lint, Manifest},
};

const DAY_S: u64 = 86_400;

/// The review of the manifest, and of each entry that it does not cover.
pub(super) fn rare(manifest: &Manifest, at: Date) -> Vec<Lint> {
    let Some(most) = manifest.policy.max_review_days else { return Vec::new() };
    let mut found = Vec::new();
    let metadata = &manifest.metadata;
    if let (Some(every), Some(place)) = (metadata.review_every, &metadata.review_place) {
        if every > Duration::from_secs(u64::from(most) * DAY_S) {
            let message = format!(
                "the manifest is reviewed every {} days, and the policy asks for a review every {most}",
                every.as_secs().div_ceil(DAY_S)
            );
            let subject = Some("metadata.review".to_owned());
            found.push(Lint { rule: "MAN018", target: None, subject, place: place.clone(), message });
        } else if metadata.last_review.is_some_and(|last| last <= at) {
            return found; // a review of the manifest is one of each entry
        }
    }
    for target in &manifest.targets {
        for entry in &target.expose {
            let Some(message) = late(entry, metadata.last_review, at, most) else { continue };
            let subject = format!("{}/{}", entry.ports, entry.protocol);
            found.push(Lint {
                rule: "MAN018",
                target: Some(target.id.clone()),
                place: entry.place.clone(),
                message: format!("{subject} {message}"),
                subject: Some(subject),
            });
        }
    }
    found
}

/// What is too late about an entry's next review. The time counts from the last day on which somebody is known to
/// have looked at it, and that is not in the future.
fn late(entry: &Expose, reviewed: Option<Date>, at: Date, most: u32) -> Option<String> {
    let by = entry.review_by?;
    let known = [entry.approved_on, reviewed].into_iter().flatten().filter(|&day| day <= at).max();
    let latest = calendar::after(known.unwrap_or(at), i64::from(most))?;
    let since = known.map_or_else(|| at.to_string(), |day| format!("{day}, when it was last looked at"));
    (by > latest).then(|| {
        format!("is to be reviewed by {by}, and the policy asks for a review within {most} days of {since}")
    })
}
