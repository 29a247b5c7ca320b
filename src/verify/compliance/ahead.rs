//! What a control would be supported by and is dated later than the day of the judgement: nobody can have done it yet.

use jiff::civil::Date;

use super::{super::words, ground::Ground};
use crate::spec::{calendar::ahead, profile::Control};

/// Each kind of it that the control leans on, in a sentence.
pub(super) fn yet_to_come(control: &Control, ground: &Ground<'_>) -> Vec<String> {
    let (manifest, at) = (ground.case.manifest, ground.case.context.at);
    let mut why = Vec::new();
    if leans(control, &["metadata"], &["review"], &["EXP013", "MAN005", "MAN013", "MAN018"]) {
        let reviewed = ahead(manifest.metadata.last_review, at);
        why.extend(told(
            reviewed.map(|day| ("The manifest is said to have been reviewed".to_owned(), day)),
            at,
        ));
    }
    let approval = ["approved_by", "approved_on"];
    if leans(control, &["expose", "targets", "services", "defaults"], &approval, &["MAN004"]) {
        let entries =
            ground.targets.iter().flat_map(|(_, target)| target.expose.iter().map(move |it| (target, it)));
        let approved = entries.filter_map(|(target, entry)| {
            let what = format!(
                "{}/{} of target {} is said to have been approved",
                entry.ports, entry.protocol, target.id
            );
            Some((what, ahead(entry.approved_on, at)?))
        });
        why.extend(told(approved, at));
    }
    let signed = ["requested_by", "requested_on", "approved_by", "approved_on"];
    if leans(control, &["exceptions"], &signed, &["EXC003", "EXC004", "MAN016"]) {
        let of = |id: &str| ground.targets.iter().any(|(_, target)| target.id == id);
        let signed =
            manifest.exceptions.iter().filter(|exception| of(&exception.target)).filter_map(|exception| {
                let day = ahead(exception.approved_on, at).or_else(|| ahead(exception.requested_on, at))?;
                Some((format!("Exception {} is said to have been requested or approved", exception.id), day))
            });
        why.extend(told(signed, at));
    }
    why
}

/// Whether a control names one of these fields or rules.
fn leans(control: &Control, maps: &[&str], keys: &[&str], rules: &[&str]) -> bool {
    let is_it = |(map, key): (&str, &str)| maps.contains(&map) && keys.contains(&key);
    control.fields.iter().any(|field| field.split_once('.').is_some_and(is_it))
        || control.rules.iter().any(|rule| rules.contains(&rule.id))
}

fn told(dated: impl IntoIterator<Item = (String, Date)>, at: Date) -> Option<String> {
    let mut dated = dated.into_iter();
    let (what, day) = dated.next()?;
    let more = match dated.count() as u64 {
        0 => String::new(),
        n => format!(", and {} more alike", words::number(n)),
    };
    Some(format!("{what} on {day}, which was yet to come on {at}{more}."))
}
