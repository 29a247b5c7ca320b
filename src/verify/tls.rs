//! Whether the TLS of a service is as its entry declares it: EXP005 for what it offers, EXP006 for its
//! certificate. What could not be asked to the end is doubt.

use super::{
    docket::Entry,
    draft::{CERTIFICATE, Draft, TLS_POLICY},
    endpoint::Bench,
    expectation::Claim,
    gap::Gap,
    remedy, words,
};
use crate::{
    identify::{
        Guard, Portrait, Session,
        tls::{Certificate, GUIDELINE, Name, Offered, Problem, Profile, Upgrade, weaknesses},
    },
    model::{Observation, Protocol, Severity, Verdict},
    spec::manifest::{Host, TlsExpectation},
};

type Rulings = Vec<(Verdict, Entry)>;

impl Bench<'_, '_> {
    /// Holds what was found against one entry, for the name that it is declared under.
    pub(super) fn tls_as_declared(
        &mut self,
        seen: &Observation,
        claim: &Claim<'_>,
        portrait: &Portrait,
        rulings: &mut Rulings,
    ) {
        let Some(wanted) = &claim.entry.tls else { return };
        let name = self.case.entry(claim.owner).and_then(|(_, entry)| match &entry.host {
            Host::Name(name) => Some(name.as_str()),
            _ => None,
        });
        let (session, offered) = (portrait.session(name), portrait.offered(name));
        if session.is_none() && offered.is_none_or(|offered| offered.versions.is_empty()) {
            let is_plain = !portrait.encrypted
                && portrait.shown.as_ref().is_some_and(|shown| match shown.guard {
                    Guard::Cleartext(_) => true,
                    Guard::Upgradable => false,
                    // Of a protocol that knows STARTTLS its absence has to be shown.
                    Guard::Open(_) | Guard::Untold | Guard::Unasked => Upgrade::of(shown.service).is_none(),
                });
            rulings.push(if is_plain {
                self.no_tls(seen, claim, portrait)
            } else {
                let read = self.case.context.from.is_some();
                self.unchecked(
                    seen,
                    claim,
                    if read {
                        "what is judged does not show its TLS"
                    } else {
                        "TLS could not be set up with it"
                    },
                )
            });
            return;
        }
        // Up to TLS 1.2 the chain is in the clear: it is seen also where no handshake of ours succeeds.
        let clear = offered.and_then(|offered| offered.chains.first());
        let Some(chain) = session.map(|session| &session.chain).or(clear) else {
            self.policy(seen, claim, (wanted, offered, None), rulings);
            rulings.push(self.unchecked(seen, claim, "its certificate could not be seen"));
            return;
        };
        let leaf = chain.first().and_then(|der| Certificate::read(der));
        self.policy(seen, claim, (wanted, offered, leaf.as_ref()), rulings);
        if session.is_none() && (wanted.trusted == Some(true) || wanted.ca_file.is_some()) {
            rulings.push(self.unchecked(
                seen,
                claim,
                "no handshake succeeded by which to judge whom it trusts",
            ));
        }
        let problems = match &leaf {
            Some(leaf) => self.problems(leaf, session, (wanted, name)),
            None => vec![("can't be read".to_owned(), Severity::High)],
        };
        if !problems.is_empty() {
            rulings.push(self.bad_certificate(seen, claim, (name, leaf.as_ref()), &problems));
        }
    }

    /// What is offered, against the profile.
    fn policy(
        &mut self,
        seen: &Observation,
        claim: &Claim<'_>,
        (wanted, offered, leaf): (&TlsExpectation, Option<&Offered>, Option<&Certificate>),
        rulings: &mut Rulings,
    ) {
        let Some(profile) = wanted.profile.as_deref().and_then(Profile::named) else { return };
        let Some(offered) = offered else {
            rulings.push(self.unchecked(seen, claim, "what it offers could not be listed"));
            return;
        };
        let weak: Vec<String> = weaknesses(profile, offered, leaf).iter().map(ToString::to_string).collect();
        if weak.is_empty() {
            if !offered.is_complete() {
                rulings.push(self.unchecked(seen, claim, "not every version of TLS could be asked for"));
            }
            return;
        }
        let at = seen.endpoint;
        let who = self.case.spoken(claim.owner, at.address);
        let mut draft = self.about_entry(TLS_POLICY, seen, claim);
        draft.title = format!("{}/{} offers weaker TLS than profile {profile}", at.port, at.protocol);
        draft.expected = format!("TLS profile {profile} ({GUIDELINE})");
        draft.places.insert(at.address, words::list(weak.iter().cloned(), "; "));
        draft.message =
            format!("{}/{} at {who} {}.", at.port, at.protocol, words::list(weak.into_iter(), "; it "));
        draft.remedy = remedy::tls_policy(profile);
        if at.protocol == Protocol::Udp {
            draft.notes.insert("Over datagrams TLS 1.1 is called DTLS 1.0, and TLS 1.2 DTLS 1.2".to_owned());
        }
        rulings.push((Verdict::Fail, self.docket.file(draft)));
    }

    fn no_tls(&mut self, seen: &Observation, claim: &Claim<'_>, portrait: &Portrait) -> (Verdict, Entry) {
        let at = seen.endpoint;
        let who = self.case.spoken(claim.owner, at.address);
        let service = portrait.service().unwrap_or("something unknown");
        let mut draft = self.about_entry(TLS_POLICY, seen, claim);
        draft.cause = Some("no_tls");
        draft.title = format!("{}/{} speaks no TLS", at.port, at.protocol);
        "TLS".clone_into(&mut draft.expected);
        draft.places.insert(at.address, format!("open: {service} without TLS"));
        draft.message = format!(
            "TLS is declared for {}/{} at {who}, and {service} answers there in the clear and offers none.",
            at.port, at.protocol
        );
        "Set TLS up on the server, or correct the entry.".clone_into(&mut draft.remedy);
        (Verdict::Fail, self.docket.file(draft))
    }

    /// Everything that is wrong with a certificate, worst first, as clauses.
    fn problems(
        &self,
        leaf: &Certificate,
        session: Option<&Session>,
        (wanted, name): (&TlsExpectation, Option<&str>),
    ) -> Vec<(String, Severity)> {
        let names: Vec<Name> = match wanted.names.as_slice() {
            [] => name.and_then(Name::of).into_iter().collect(),
            names => names.iter().filter_map(|name| Name::of(name)).collect(),
        };
        // `*.example.com` is wanted as it is written; what is no name at all is in no certificate.
        let patterns = wanted.names.iter().filter(|name| Name::of(name).is_none());
        let missing = patterns.filter(|name| {
            let has = |own: &String| own.eq_ignore_ascii_case(name);
            !leaf.dns_names.iter().any(has)
        });
        let missing = missing.map(|name| (format!("is not for {name}"), Severity::High));
        let mut problems: Vec<(String, Severity)> = leaf
            .problems(&names, self.case.context.now, wanted.min_days_left)
            .into_iter()
            .map(|problem| {
                let is_mild = matches!(problem, Problem::Expiring { .. });
                (problem.to_string(), if is_mild { Severity::Medium } else { Severity::High })
            })
            .chain(missing)
            .collect();
        let trust_is_declared = wanted.trusted == Some(true) || wanted.ca_file.is_some();
        if let (true, Some(Err(why))) = (trust_is_declared, session.map(|session| &session.trust)) {
            let itself = if leaf.is_self_issued { " (it is self-signed)" } else { "" };
            problems.push((format!("is not trusted: {why}{itself}"), Severity::High));
        }
        problems.sort_by_key(|(_, severity)| std::cmp::Reverse(*severity));
        problems
    }

    fn bad_certificate(
        &mut self,
        seen: &Observation,
        claim: &Claim<'_>,
        (name, leaf): (Option<&str>, Option<&Certificate>),
        problems: &[(String, Severity)],
    ) -> (Verdict, Entry) {
        let at = seen.endpoint;
        let who = self.case.spoken(claim.owner, at.address);
        let mut draft: Draft = self.about_entry(CERTIFICATE, seen, claim);
        let worst = problems.iter().map(|(_, severity)| *severity).max().unwrap_or(CERTIFICATE.severity);
        draft.severity = self.case.weighed(worst, self.view.group);
        let clauses = || problems.iter().map(|(clause, _)| clause.clone());
        let first = problems.first().map(|(clause, _)| clause.as_str()).unwrap_or_default();
        draft.title = format!("The certificate of {}/{} {first}", at.port, at.protocol);
        let for_name = name.map(|name| format!(" for {name}")).unwrap_or_default();
        let wanted = claim.entry.tls.as_ref().and_then(|tls| tls.min_days_left);
        let left = wanted.map(|days| match days {
            1 => ", with at least 1 day left".to_owned(),
            days => format!(", with at least {} days left", words::number(u64::from(days))),
        });
        draft.expected = format!("a valid certificate{for_name}{}", left.unwrap_or_default());
        draft.places.insert(at.address, format!("a certificate that {}", words::list(clauses(), "; that ")));
        draft.message = format!(
            "The certificate that {}/{} at {who} sends {}.",
            at.port,
            at.protocol,
            words::list(clauses(), "; it ")
        );
        if let Some(leaf) = leaf {
            draft.notes.insert(format!(
                "It is for {}, issued by {}, valid until {}, SHA-256 {}",
                leaf.subject, leaf.issuer, leaf.not_after, leaf.fingerprint
            ));
        }
        draft.remedy = remedy::certificate(at, name);
        (Verdict::Fail, self.docket.file(draft))
    }

    /// Declared, and not to be judged.
    fn unchecked(&mut self, seen: &Observation, claim: &Claim<'_>, why: &str) -> (Verdict, Entry) {
        self.doubt(seen, claim, Gap::Checks, why)
    }
}
