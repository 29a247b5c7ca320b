//! Days on which something is said to have been done, and that are yet to come (MAN004, MAN013, MAN016): nobody can
//! have done it, so they count as missing. Days are days of UTC.

use jiff::civil::Date;

use super::{
    super::{
        calendar::ahead,
        manifest::{Exception, Expose, Lint, Manifest},
    },
    missing,
};

/// Each of them once. What is missing besides has its lint already, and that is enough.
pub(super) fn yet_to_come(manifest: &Manifest, at: Date) -> Vec<Lint> {
    let entries = manifest.targets.iter().flat_map(|target| {
        target.expose.iter().filter_map(move |entry| Some(approval(entry, at)?.of(&target.id)))
    });
    let exceptions = manifest.exceptions.iter().filter_map(|exception| paper(exception, at));
    review(manifest, at).into_iter().chain(entries).chain(exceptions).collect()
}

fn review(manifest: &Manifest, at: Date) -> Option<Lint> {
    let metadata = &manifest.metadata;
    let day = ahead(metadata.last_review, at).filter(|_| metadata.review_every.is_some())?;
    let place = metadata.review_place.clone()?;
    let message = format!("the last review of the manifest is said to be of {day}, which is yet to come");
    Some(Lint { rule: "MAN013", target: None, subject: None, place, message })
}

fn approval(entry: &Expose, at: Date) -> Option<Lint> {
    let day = ahead(entry.approved_on, at).filter(|_| !missing(entry.approved_by.as_ref()))?;
    let subject = format!("{}/{}", entry.ports, entry.protocol);
    let message = format!("{subject} is said to have been approved on {day}, which is yet to come");
    let place = entry.place.clone();
    Some(Lint { rule: "MAN004", target: None, subject: Some(subject), place, message })
}

fn paper(exception: &Exception, at: Date) -> Option<Lint> {
    let said = [("requested", exception.requested_on), ("approved", exception.approved_on)];
    let said = said.into_iter().filter_map(|(done, day)| Some(format!("{done} on {}", ahead(day, at)?)));
    let said = said.collect::<Vec<_>>().join(" and ");
    if said.is_empty() || !exception.gaps().is_empty() {
        return None;
    }
    let message = format!("exception {} is said to have been {said}, which is yet to come", exception.id);
    let place = exception.place.clone();
    Some(Lint { rule: "MAN016", target: None, subject: None, place, message }.of(&exception.target))
}

impl Lint {
    fn of(self, target: &str) -> Self {
        Self { target: Some(target.to_owned()), ..self }
    }
}
