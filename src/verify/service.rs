//! Whether what answers on an open port is what is declared there, and who may use it: EXP004 and EXP007.

use super::{
    docket::Entry,
    draft::{Draft, INSECURE_SERVICE, WRONG_SERVICE},
    endpoint::{Bench, Ruling},
    expectation::{Claim, Expectation},
    gap::Gap,
    remedy,
};
use crate::{
    identify::{Guard, Portrait, Secured},
    model::{Observation, PortSet, Protocol, Severity, Verdict},
};

impl Bench<'_, '_> {
    /// An open endpoint that may be open: is it what it is declared to be?
    pub(super) fn open_as_declared(&mut self, seen: &Observation, expectation: &Expectation<'_>) -> Ruling {
        let mut rulings = Vec::new();
        match seen.endpoint.protocol {
            Protocol::Udp => self.reply_as_declared(seen, expectation, &mut rulings),
            Protocol::Tcp => self.answer_as_declared(seen, expectation, &mut rulings),
        }
        let Some(&(verdict, worst)) = rulings.iter().max_by_key(|(verdict, _)| verdict.rank()) else {
            return (Verdict::Pass, None);
        };
        let others: Vec<(Verdict, Entry)> =
            rulings.iter().copied().filter(|(_, entry)| *entry != worst).collect();
        self.docket.rests_also(seen.endpoint, others);
        (verdict, Some(worst))
    }

    /// Whether somebody behind an open port showed himself to be what every entry declares, so that more than a
    /// handshake is there.
    pub(super) fn is_confirmed(&self, seen: &Observation, expectation: &Expectation<'_>) -> bool {
        let Some(portrait) = self.case.seen.portraits.get(&seen.endpoint) else { return false };
        expectation.claims.iter().all(|claim| {
            let declared = claim.entry.service.as_deref().map(|name| self.case.context.roles.canonical(name));
            declared.is_some_and(|declared| portrait.is(declared) == Some(true))
        })
    }

    /// Says in a finding about a port that should not be open who answers there. Whoever answers anybody makes it
    /// critical.
    pub(super) fn introduce(&self, seen: &Observation, draft: &mut Draft) {
        let Some(portrait) = self.case.seen.portraits.get(&seen.endpoint) else { return };
        let said = portrait.banner().map(|banner| format!(": {banner}")).unwrap_or_default();
        let known = match portrait.service() {
            Some(service) => Some(format!("{service} answers{said}")),
            None => {
                portrait.manner.map(|manner| format!("All that is known of what answers: {}", manner.says()))
            }
        };
        draft.notes.extend(known);
        let open = match portrait.guard() {
            Guard::Open(shows) => Some(shows),
            _ => None,
        };
        if let (Some(service), Some(seen)) =
            (portrait.service(), draft.places.get_mut(&seen.endpoint.address))
        {
            *seen = format!("{seen}; {}", answers(service, open));
        }
        if let Some(shows) = open {
            draft.severity = Severity::Critical;
            draft.notes.insert(format!("Whoever reaches it can use it: it {shows}"));
        }
    }

    /// Over UDP the reply itself shows the service.
    fn reply_as_declared(
        &mut self,
        seen: &Observation,
        expectation: &Expectation<'_>,
        rulings: &mut Vec<(Verdict, Entry)>,
    ) {
        let portrait = self.case.seen.portraits.get(&seen.endpoint);
        let found = super::service(seen).or_else(|| portrait.and_then(Portrait::service));
        for claim in &expectation.claims {
            let entry = claim.entry;
            let declared = entry.service.as_deref().map(|name| self.case.context.roles.canonical(name));
            match (declared, found) {
                (Some(declared), Some(found)) if declared != found && !answer_alike(declared, found) => {
                    rulings.push(self.wrong_service(seen, claim, declared, found));
                    continue;
                }
                (Some(_), None) => rulings.push(self.unidentified(seen, claim, Gap::Checks)),
                _ => {}
            }
            let Some(portrait) = portrait else {
                if entry.tls.is_some() || entry.banner.is_some() {
                    rulings.push(self.unidentified(seen, claim, Gap::Checks));
                }
                continue;
            };
            self.words_as_declared(seen, claim, portrait, rulings);
            self.tls_as_declared(seen, claim, portrait, rulings);
            rulings.extend(self.insecure(seen, claim, portrait));
        }
    }

    fn answer_as_declared(
        &mut self,
        seen: &Observation,
        expectation: &Expectation<'_>,
        rulings: &mut Vec<(Verdict, Entry)>,
    ) {
        let portrait = self.case.seen.portraits.get(&seen.endpoint);
        for claim in &expectation.claims {
            let entry = claim.entry;
            let Some(portrait) = portrait else {
                if entry.service.is_some() || entry.tls.is_some() || entry.banner.is_some() {
                    rulings.push(self.unidentified(seen, claim, Gap::Checks));
                }
                continue;
            };
            if let Some(declared) = &entry.service {
                let declared = self.case.context.roles.canonical(declared);
                match portrait.is(declared) {
                    Some(true) => {}
                    Some(false) => {
                        rulings.push(self.wrong_service(seen, claim, declared, &found(portrait)));
                        continue;
                    }
                    None => rulings.push(self.unknown_service(seen, claim, portrait)),
                }
            }
            self.words_as_declared(seen, claim, portrait, rulings);
            self.tls_as_declared(seen, claim, portrait, rulings);
            rulings.extend(self.insecure(seen, claim, portrait));
        }
    }

    fn words_as_declared(
        &mut self,
        seen: &Observation,
        claim: &Claim<'_>,
        portrait: &Portrait,
        rulings: &mut Vec<(Verdict, Entry)>,
    ) {
        let Some(wanted) = &claim.entry.banner else { return };
        match portrait.words_said() {
            Some(said) if said.contains(wanted.as_str()) => {}
            Some(said) => rulings.push(self.wrong_banner(seen, claim, wanted, &said)),
            None => rulings.push(self.unknown_service(seen, claim, portrait)),
        }
    }

    fn unidentified(&mut self, seen: &Observation, claim: &Claim<'_>, gap: Gap) -> (Verdict, Entry) {
        let port = PortSet::single(seen.endpoint.port);
        (Verdict::Inconclusive, self.gap_of(Some(claim.owner.target), gap, &port))
    }

    /// With how it behaved, in the finding's notes.
    fn unknown_service(
        &mut self,
        seen: &Observation,
        claim: &Claim<'_>,
        portrait: &Portrait,
    ) -> (Verdict, Entry) {
        let gap = if portrait.is_cut { Gap::Checks } else { Gap::Unidentified };
        let known = portrait.service().map(|service| format!("{service} answers, and does not show more"));
        let behaves = portrait.manner.map(|manner| manner.says().to_owned());
        let behaves = behaves.or(known).unwrap_or_else(|| "there was no time to ask it".to_owned());
        self.doubt(seen, claim, gap, &behaves)
    }

    /// What is declared and can't be judged, and why, in the finding's notes.
    pub(super) fn doubt(
        &mut self,
        seen: &Observation,
        claim: &Claim<'_>,
        gap: Gap,
        why: &str,
    ) -> (Verdict, Entry) {
        let (verdict, entry) = self.unidentified(seen, claim, gap);
        let at = seen.endpoint;
        if let Some(draft) = self.docket.drafts.get_mut(entry) {
            draft.notes.insert(format!("{}/{} at {}: {why}", at.port, at.protocol, at.address));
        }
        (verdict, entry)
    }

    fn wrong_service(
        &mut self,
        seen: &Observation,
        claim: &Claim<'_>,
        declared: &str,
        found: &str,
    ) -> (Verdict, Entry) {
        let at = seen.endpoint;
        let who = self.case.spoken(claim.owner, at.address);
        let mut draft = self.about_entry(WRONG_SERVICE, seen, claim);
        draft.title = format!("{}/{} answers as {found}, not as {declared}", at.port, at.protocol);
        draft.expected = format!("service {declared}");
        draft.places.insert(at.address, format!("open: {found} answers"));
        draft.message = format!(
            "{}/{} at {who} is declared as {declared}, and what answers there is {found}.",
            at.port, at.protocol
        );
        if let Some(banner) = self.case.seen.portraits.get(&at).and_then(Portrait::banner) {
            draft.notes.insert(format!("It says: {banner}"));
        }
        draft.remedy = remedy::wrong_service(at, found);
        (Verdict::Fail, self.docket.file(draft))
    }

    fn wrong_banner(
        &mut self,
        seen: &Observation,
        claim: &Claim<'_>,
        wanted: &str,
        banner: &str,
    ) -> (Verdict, Entry) {
        let at = seen.endpoint;
        let who = self.case.spoken(claim.owner, at.address);
        let mut draft = self.about_entry(WRONG_SERVICE, seen, claim);
        draft.cause = Some("banner");
        draft.title = format!("{}/{} does not say what the manifest declares", at.port, at.protocol);
        draft.expected = format!("a banner with {wanted}");
        draft.places.insert(at.address, format!("open: {banner}"));
        draft.message =
            format!("{}/{} at {who} is declared to say {wanted}; it says {banner}.", at.port, at.protocol);
        draft.remedy = remedy::wrong_service(at, "what it says");
        (Verdict::Fail, self.docket.file(draft))
    }

    /// EXP007: it can be used by whoever reaches it, or read by whoever is on the way.
    fn insecure(
        &mut self,
        seen: &Observation,
        claim: &Claim<'_>,
        portrait: &Portrait,
    ) -> Option<(Verdict, Entry)> {
        let at = seen.endpoint;
        let service = portrait.service()?;
        let who = self.case.spoken(claim.owner, at.address);
        let mut draft = self.about_entry(INSECURE_SERVICE, seen, claim);
        draft.places.insert(at.address, format!("open: {service} answers"));
        match portrait.guard() {
            Guard::Open(shows) => {
                draft.places.insert(at.address, format!("open: {}", answers(service, Some(shows))));
                draft.cause = Some("no_authentication");
                draft.title = format!("{}/{} answers anybody: {service} {shows}", at.port, at.protocol);
                "only who has authenticated is answered".clone_into(&mut draft.expected);
                draft.message = format!(
                    "{service} on {}/{} at {who} {shows}. Whoever reaches the port can use it.",
                    at.port, at.protocol
                );
                draft.remedy = remedy::no_authentication(at, service);
                draft.verdict = Verdict::Fail;
            }
            Guard::Cleartext(why) if !portrait.encrypted => {
                draft.severity = self.case.weighed(Severity::Medium, self.view.group);
                draft.cause = Some("cleartext");
                draft.title = format!("{}/{} speaks {service} in the clear", at.port, at.protocol);
                "encrypted, or `security_features` that say what protects it".clone_into(&mut draft.expected);
                draft.message = format!(
                    "{service} on {}/{} at {who} {why}: what is said there, passwords included, can be read on the way.",
                    at.port, at.protocol
                );
                draft.remedy = remedy::cleartext(service);
                draft.verdict = Verdict::Fail;
                if let Some(features) = &claim.entry.security_features {
                    draft.verdict = Verdict::Pass;
                    draft.notes.insert(format!("The manifest says what protects it: {features}"));
                }
            }
            Guard::Unasked => {
                return Some(self.doubt(
                    seen,
                    claim,
                    Gap::Checks,
                    "whether it answers strangers was not asked",
                ));
            }
            Guard::Cleartext(_) | Guard::Untold | Guard::Upgradable => return None,
        }
        Some((draft.verdict, self.docket.file(draft)))
    }

    /// A finding about a port, at the entry that declares it.
    pub(super) fn about_entry(
        &self,
        rule: &'static crate::model::Rule,
        seen: &Observation,
        claim: &Claim<'_>,
    ) -> Draft {
        let mut draft = self.about_port(rule, claim.owner, seen);
        draft.place = Some(claim.entry.place.clone());
        draft
    }
}

/// Whether two services over datagrams say the same to a stranger: what is inside of QUIC or DTLS is not shown.
fn answer_alike(one: &str, other: &str) -> bool {
    Secured::of(one).is_some_and(|secured| Secured::of(other) == Some(secured))
}

/// Who answers, and what shows that it is anybody who is answered.
fn answers(service: &str, open: Option<&str>) -> String {
    open.map_or_else(
        || format!("{service} answers"),
        |shows| format!("{service} answers without authentication ({shows})"),
    )
}

/// What answers, by name, and whether inside TLS where the name does not say it.
fn found(portrait: &Portrait) -> String {
    let name = portrait.service().unwrap_or("something unknown");
    let is_said = portrait.shown.as_ref().is_none_or(|shown| shown.service != name || name == "tls");
    if portrait.encrypted && !is_said { format!("{name} over TLS") } else { name.to_owned() }
}
