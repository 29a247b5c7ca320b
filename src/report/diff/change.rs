//! What is not the same about an endpoint that is open in both reports: its service, the program behind it, its
//! certificate, its TLS.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use super::program::Program;
use crate::report::{
    CertificateRecord, ObservationRecord, OfferRecord, OfferedRecord, SessionRecord, TlsRecord,
    words::{listed, moment},
};

/// One thing that is not the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Change {
    /// `service`, `product` (another program), `version` (of the same), `certificate`, `trust`, `tls` (its versions), `suites`, `session` (what was agreed on).
    pub what: String,
    /// The name that was asked for (SNI), where it is about TLS for one.
    pub name: Option<String>,
    /// What differs of a certificate: `subject`, `issuer`, `names`, `not_before`, `not_after`, `key`, `sha256`.
    pub fields: Vec<String>,
    /// Before; null for none.
    pub old: Option<String>,
    /// Now; null for none.
    pub new: Option<String>,
}

/// Something that was seen before, and not looked at again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NotInspected {
    /// `service`, `tls`, `certificate`, `versions`, `suites`.
    pub what: String,
    /// The name that was asked for (SNI), where it is about TLS for one.
    pub name: Option<String>,
    /// What was seen before.
    pub old: String,
}

/// What differs, and what can't be compared.
#[derive(Default)]
struct Ledger {
    changes: Vec<Change>,
    missing: Vec<NotInspected>,
}

/// Holds two sightings of one open endpoint against each other. `alike`: whoever made them has the same names for
/// programs.
pub(super) fn between(
    old: &ObservationRecord,
    new: &ObservationRecord,
    alike: bool,
) -> (Vec<Change>, Vec<NotInspected>) {
    let mut ledger = Ledger::default();
    match (&old.service, &new.service) {
        (Some(before), Some(after)) if before != after => {
            ledger.change("service", None, Some(before.clone()), Some(after.clone()));
        }
        (Some(before), None) => ledger.miss("service", None, before.clone()),
        (Some(_), Some(_)) if alike => program(&mut ledger, old, new),
        _ => {}
    }
    match (&old.tls, &new.tls) {
        (Some(before), Some(after)) => tls(&mut ledger, before, after),
        // Who answers is known, and it does not speak TLS.
        (Some(before), None) if new.service.is_some() => {
            ledger.change("tls", None, Some(spoken(before)), None);
        }
        (Some(before), None) => ledger.miss("tls", None, spoken(before)),
        (None, Some(after)) if old.service.is_some() => {
            ledger.change("tls", None, None, Some(spoken(after)));
        }
        (None, _) => {}
    }
    (ledger.changes, ledger.missing)
}

/// The same service by another program.
fn program(ledger: &mut Ledger, old: &ObservationRecord, new: &ObservationRecord) {
    let Some((before, after)) = Program::of(old).zip(Program::of(new)) else { return };
    if let Some(what) = before.differs(&after) {
        ledger.change(what, None, Some(before.said), Some(after.said));
    }
}

fn tls(ledger: &mut Ledger, old: &TlsRecord, new: &TlsRecord) {
    for before in &old.sessions {
        match new.sessions.iter().find(|after| after.name == before.name) {
            Some(after) => session(ledger, before, after),
            None => ledger.miss("tls", before.name.as_ref(), agreed(before)),
        }
    }
    for before in &old.offered {
        match new.offered.iter().find(|after| after.name == before.name) {
            Some(after) => offered(ledger, before, after),
            None => ledger.miss("versions", before.name.as_ref(), versions(before)),
        }
    }
}

fn session(ledger: &mut Ledger, old: &SessionRecord, new: &SessionRecord) {
    let name = old.name.as_ref();
    match (&old.certificate, &new.certificate) {
        (Some(before), Some(after)) => {
            let fields = differing(before, after);
            if !fields.is_empty() {
                let (before, after) = (certificate(before), certificate(after));
                ledger.change("certificate", name, Some(before), Some(after));
                if let Some(change) = ledger.changes.last_mut() {
                    change.fields = fields;
                }
            }
        }
        (Some(before), None) => ledger.miss("certificate", name, certificate(before)),
        (None, _) => {}
    }
    if old.trusted != new.trusted {
        ledger.change("trust", name, Some(trust(old)), Some(trust(new)));
    }
    if old.starttls != new.starttls || old.version != new.version {
        ledger.change("session", name, Some(agreed(old)), Some(agreed(new)));
    }
}

/// A version is gone only where it is known not to be taken.
fn offered(ledger: &mut Ledger, old: &OfferedRecord, new: &OfferedRecord) {
    let name = old.name.as_ref();
    let taken = |record: &OfferedRecord| -> BTreeSet<String> {
        record.versions.iter().map(|offer| offer.version.clone()).collect()
    };
    let (before, after) = (taken(old), taken(new));
    let gone = before.difference(&after).any(|version| !new.unknown_versions.contains(version));
    let come = after.difference(&before).any(|version| !old.unknown_versions.contains(version));
    if gone || come {
        ledger.change("tls", name, Some(versions(old)), Some(versions(new)));
    }
    let unclear = before.difference(&after).find(|version| new.unknown_versions.contains(*version));
    if let Some(version) = unclear {
        ledger.miss("versions", name, version.clone());
    }
    for before in &old.versions {
        let after = new.versions.iter().find(|after| after.version == before.version);
        if let Some(after) = after {
            suites(ledger, name, before, after);
        }
    }
}

/// A suite is gone or come only where the other list is whole.
fn suites(ledger: &mut Ledger, name: Option<&String>, old: &OfferRecord, new: &OfferRecord) {
    let set = |offer: &OfferRecord| -> BTreeSet<String> { offer.suites.iter().cloned().collect() };
    let (before, after) = (set(old), set(new));
    let gone: Vec<String> = before.difference(&after).cloned().collect();
    let come: Vec<String> = after.difference(&before).cloned().collect();
    let gone = if new.complete { gone } else { Vec::new() };
    let come = if old.complete { come } else { Vec::new() };
    if !gone.is_empty() || !come.is_empty() {
        let words =
            |suites: &[String]| (!suites.is_empty()).then(|| format!("{}: {}", old.version, listed(suites)));
        ledger.change("suites", name, words(&gone), words(&come));
    }
    if old.complete && !new.complete {
        ledger.miss("suites", name, format!("every suite of {}", old.version));
    }
}

impl Ledger {
    fn change(&mut self, what: &str, name: Option<&String>, old: Option<String>, new: Option<String>) {
        let (what, name) = (what.to_owned(), name.cloned());
        self.changes.push(Change { what, name, fields: Vec::new(), old, new });
    }

    fn miss(&mut self, what: &str, name: Option<&String>, old: String) {
        self.missing.push(NotInspected { what: what.to_owned(), name: name.cloned(), old });
    }
}

fn differing(old: &CertificateRecord, new: &CertificateRecord) -> Vec<String> {
    let fields = [
        ("subject", old.subject != new.subject),
        ("issuer", old.issuer != new.issuer),
        ("names", old.names != new.names),
        ("not_before", old.not_before != new.not_before),
        ("not_after", old.not_after != new.not_after),
        ("key", old.key != new.key),
        ("sha256", old.sha256 != new.sha256),
    ];
    fields.into_iter().filter(|(_, differs)| *differs).map(|(field, _)| field.to_owned()).collect()
}

fn certificate(leaf: &CertificateRecord) -> String {
    let CertificateRecord { subject, issuer, not_after, sha256, .. } = leaf;
    let short: String = sha256.chars().take(16).collect();
    format!("{subject}, issued by {issuer}, until {} UTC, SHA-256 {short}…", moment(not_after))
}

fn trust(session: &SessionRecord) -> String {
    match (session.trusted, &session.untrusted_because) {
        (true, _) => "trusted".to_owned(),
        (false, Some(why)) => format!("not trusted: {why}"),
        (false, None) => "not trusted".to_owned(),
    }
}

fn agreed(session: &SessionRecord) -> String {
    let upgraded = if session.starttls { ", begun in the clear" } else { "" };
    format!("{}{upgraded}", session.version)
}

fn versions(offered: &OfferedRecord) -> String {
    let taken: Vec<&str> = offered.versions.iter().map(|offer| offer.version.as_str()).collect();
    if taken.is_empty() { "none".to_owned() } else { listed(&taken) }
}

fn spoken(tls: &TlsRecord) -> String {
    match (tls.sessions.first(), tls.offered.first()) {
        (Some(session), _) => agreed(session),
        (None, Some(offered)) => versions(offered),
        (None, None) => "TLS".to_owned(),
    }
}
