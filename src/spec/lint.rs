//! Lints of the paperwork: a manifest that can be used and is not as it should be. Never fails a
//! run by itself; a policy or `-D` does.

mod ahead;
mod controls;
mod reviews;

use jiff::civil::Date;

use super::{
    calendar,
    cover::Cover,
    decode::is_todo,
    manifest::{Authorization, Expose, Host, Lint, Manifest, Place, Target},
    nearest::nearest,
    read::Names,
};
use crate::model::{AddressRange, PortSet, Protocol};

/// More ports in one entry than anybody can have meant one by one.
const WIDE: u32 = 1_024;
/// How long before its end an authorization is worth a word.
const SOON_DAYS: i64 = 30;

/// The lints that do not depend on the day, in the order of the file. `unused`: services that
/// nothing uses.
pub(crate) fn paperwork(manifest: &Manifest, names: &dyn Names, unused: &[(String, Place)]) -> Vec<Lint> {
    let excluded = Cover::of(&manifest.authorization.scope.exclude);
    let mut lints = Lints { manifest, names, excluded, found: Vec::new() };
    lints.document(unused);
    for target in &manifest.targets {
        lints.target(target);
    }
    for exception in &manifest.exceptions {
        let gaps = exception.gaps();
        if !gaps.is_empty() {
            let message = format!("exception {} lacks {}", exception.id, gaps.join(", "));
            lints.add("MAN016", Some(&exception.target), None, &exception.place, message);
        }
    }
    let main = manifest.path.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
    lints.found.sort_by(|a, b| {
        let key = |lint: &Lint| (lint.place.path != main, lint.place.clone(), lint.rule);
        key(a).cmp(&key(b))
    });
    lints.found
}

/// The lints that depend on the day on which the paperwork is judged.
pub fn dated(manifest: &Manifest, at: Date) -> Vec<Lint> {
    let ending = ending(&manifest.authorization, at).into_iter();
    ending.chain(reviews::rare(manifest, at)).chain(ahead::yet_to_come(manifest, at)).collect()
}

fn ending(authorization: &Authorization, at: Date) -> Option<Lint> {
    let (until, place) = (authorization.valid_until?, authorization.place.as_ref()?);
    let soon = calendar::after(at, SOON_DAYS).unwrap_or(Date::MAX);
    if authorization.expired_on(at) || until > soon {
        return None;
    }
    let message = format!("the authorization ends on {until}");
    Some(Lint { rule: "MAN010", target: None, subject: None, place: place.clone(), message })
}

impl Authorization {
    /// Whether it had ended before that day; the last day is inclusive.
    pub fn expired_on(&self, day: Date) -> bool {
        self.valid_until.is_some_and(|until| until < day)
    }
}

struct Lints<'m> {
    manifest: &'m Manifest,
    names: &'m dyn Names,
    excluded: Cover<'m>,
    found: Vec<Lint>,
}

impl Lints<'_> {
    fn add(
        &mut self,
        rule: &'static str,
        target: Option<&str>,
        subject: Option<&str>,
        place: &Place,
        message: String,
    ) {
        self.found.push(Lint {
            rule,
            target: target.map(str::to_owned),
            subject: subject.map(str::to_owned),
            place: place.clone(),
            message,
        });
    }

    fn document(&mut self, unused: &[(String, Place)]) {
        let manifest = self.manifest;
        if manifest.authorization.implied
            && let Some(place) = &manifest.authorization.place
        {
            let message = "no `authorization`: the hosts as written are taken as the scope".to_owned();
            self.add("MAN001", None, None, place, message);
        }
        let metadata = &manifest.metadata;
        if metadata.last_review.is_some() != metadata.review_every.is_some()
            && let Some(place) = &metadata.review_place
        {
            let gap = if metadata.last_review.is_some() { "every" } else { "last" };
            self.add("MAN013", None, None, place, format!("`metadata.review` lacks `{gap}`"));
        }
        for (name, place) in unused {
            self.add("MAN009", None, Some(name), place, format!("nothing uses the service `{name}`"));
        }
    }

    fn target(&mut self, target: &Target) {
        let id = Some(target.id.as_str());
        if missing(target.owner.as_ref())
            && (target.expose.is_empty() || target.expose.iter().any(|e| missing(e.owner.as_ref())))
        {
            self.add("MAN002", id, None, &target.place, format!("target {} has no owner", target.id));
        }
        for entry in &target.hosts {
            let range = match &entry.host {
                Host::Name(_) => continue,
                Host::Address(address) => AddressRange::single(*address),
                Host::Local { address, .. } => AddressRange::single((*address).into()),
                Host::Block(block) => AddressRange::of(*block),
            };
            let excluded = self.excluded.count(range);
            if excluded > 0 {
                let message =
                    format!("{excluded} of the {} addresses of {} are excluded", range.count(), entry.host);
                self.add("MAN011", id, Some(&entry.host.to_string()), &entry.place, message);
            }
        }
        let mut seen: Vec<(Protocol, PortSet)> = Vec::new();
        for entry in &target.expose {
            self.entry(target, entry);
            self.duplicate(target, entry, &mut seen);
        }
    }

    fn entry(&mut self, target: &Target, entry: &Expose) {
        let id = Some(target.id.as_str());
        let subject = format!("{}/{}", entry.ports, entry.protocol);
        let of = Some(subject.as_str());
        let place = &entry.place;
        // An owner that the target lacks as well is the target's lint.
        if missing(entry.owner.as_ref()) && !missing(target.owner.as_ref()) {
            self.add("MAN002", id, of, place, format!("{subject} has no owner"));
        }
        if missing(entry.justification.as_ref()) {
            self.add("MAN003", id, of, place, format!("{subject} has no justification"));
        }
        let gaps = [
            (missing(entry.approved_by.as_ref()), "approved_by"),
            (entry.approved_on.is_none(), "approved_on"),
        ];
        let gaps: Vec<&str> = gaps.into_iter().filter_map(|(gap, name)| gap.then_some(name)).collect();
        if !gaps.is_empty() {
            self.add("MAN004", id, of, place, format!("{subject} has no {}", gaps.join(" and no ")));
        }
        let metadata = &self.manifest.metadata;
        let periodic = metadata.last_review.is_some() && metadata.review_every.is_some();
        if entry.review_by.is_none() && !periodic {
            self.add("MAN005", id, of, place, format!("{subject} has no review date"));
        }
        self.required_by_policy(target, entry, &subject, periodic);
        if let Some(unknown) = controls::unknown(&self.manifest.policy, &entry.controls) {
            self.add("MAN019", id, of, place, format!("{subject} names {unknown}"));
        }
        for role in &target.profiles {
            let both = entry.ports.intersection(&self.names.role_denies(role, entry.protocol));
            if !both.is_empty() {
                let message =
                    format!("{both}/{} is exposed, and the role `{role}` says never", entry.protocol);
                self.add("MAN006", id, of, place, message);
            }
        }
        if entry.ports.len() > WIDE {
            self.add("MAN007", id, of, place, format!("one entry declares {} ports", entry.ports.len()));
        }
        if entry.insecure && missing(entry.security_features.as_ref()) {
            let message =
                format!("{subject} is marked insecure, and no `security_features` says what protects it");
            self.add("MAN012", id, of, place, message);
        }
        if let Some(service) = &entry.service
            && self.names.service_ports(service, entry.protocol).is_none()
        {
            let hint =
                nearest(service, self.names.services()).map(|near| format!("; did you mean `{near}`?"));
            let message = format!("the service `{service}` has no check here{}", hint.unwrap_or_default());
            self.add("MAN014", id, of, place, message);
        }
    }

    /// Fields that the policy requires and that no other lint asks for already.
    fn required_by_policy(&mut self, target: &Target, entry: &Expose, subject: &str, periodic: bool) {
        let require = &self.manifest.policy.require;
        let gaps: Vec<&str> = require
            .iter()
            .map(String::as_str)
            .filter(|field| match *field {
                "ticket" => missing(entry.ticket.as_ref()),
                "service" => missing(entry.service.as_ref()),
                "controls" => entry.controls.is_empty(),
                "review_by" => entry.review_by.is_none() && periodic,
                _ => false,
            })
            .collect();
        if !gaps.is_empty() {
            let message = format!("{subject} lacks {}, which the policy asks for", gaps.join(", "));
            self.add("MAN015", Some(&target.id), Some(subject), &entry.place, message);
        }
    }

    /// The same port again; entries for different vantages are no duplicates.
    fn duplicate(&mut self, target: &Target, entry: &Expose, seen: &mut Vec<(Protocol, PortSet)>) {
        if !entry.from.is_empty() || entry.families != target.families {
            return;
        }
        match seen.iter_mut().find(|(protocol, _)| *protocol == entry.protocol) {
            Some((_, known)) => {
                let both = known.intersection(&entry.ports);
                *known = known.union(&entry.ports);
                if !both.is_empty() {
                    let subject = format!("{both}/{}", entry.protocol);
                    let message = format!("{subject} is declared twice; the first entry counts");
                    self.add("MAN008", Some(&target.id), Some(&subject), &entry.place, message);
                }
            }
            None => seen.push((entry.protocol, entry.ports.clone())),
        }
    }
}

/// Whether a text is missing or still to be filled in.
fn missing(text: Option<&String>) -> bool {
    text.is_none_or(|text| is_todo(text))
}
