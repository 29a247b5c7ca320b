//! The ruling on one observed endpoint: its verdict, and the finding that says why.

use super::{
    draft::{Draft, FORBIDDEN_OPEN, REQUIRED_MISSING, UNEXPECTED_OPEN},
    endpoint::{Bench, Ruling},
    expectation::Expectation,
    gap::Gap,
    host::{self, Bearing},
    remedy,
    table::{Cell, cell},
    view::{self, Life},
    words,
};
use crate::{
    model::{Observation, PortSet, Protocol, Reason, Rule, Severity, State, Verdict},
    spec::plan::Owner,
};

impl Bench<'_, '_> {
    /// One observed endpoint.
    pub(super) fn one(&mut self, seen: &Observation) -> Ruling {
        let at = seen.endpoint;
        let expectation = self.case.expectation(self.view.group, at.protocol, at.port);
        let payload = self.case.context.roles.udp_payload_exists(at.port);
        let cell = cell(at.protocol, expectation.of(seen.state == State::Open), seen.state, payload);
        if cell == Cell::Unknown {
            let verdict =
                if seen.reason == Reason::NotSent { Verdict::NotCovered } else { Verdict::Inconclusive };
            let local = self.view.tally(self.protocol).and_then(|tally| tally.local);
            let entry = self.gap(Gap::of(self.case, seen, local), verdict);
            return (verdict, Some(entry));
        }
        if let Bearing::Interfered(entry) = self.bearing {
            return (Verdict::Inconclusive, Some(entry));
        }
        if seen.contradicts_itself() {
            return (
                Verdict::Inconclusive,
                Some(host::contradiction(self.case, self.view, seen, self.docket)),
            );
        }
        if let Bearing::FellSilent(entry) = self.bearing
            && view::is_silent(seen)
        {
            return (Verdict::Inconclusive, Some(entry));
        }
        if matches!(seen.state, State::Filtered | State::Unanswered) && !self.bearing.answers() {
            return self.one_silent(seen, &expectation);
        }
        match cell {
            Cell::OpenAsDeclared => self.open_as_declared(seen, &expectation),
            Cell::UnexpectedOpen => self.unexpected(seen),
            Cell::ForbiddenOpen => self.forbidden(seen, &expectation),
            Cell::Missing | Cell::MaybeMissing => self.missing(seen, &expectation),
            Cell::Silence => (Verdict::PassBySilence, None),
            Cell::MaybeForbidden => {
                let target = expectation.denial.as_ref().map(|denial| denial.owner.target);
                let entry = self.gap_of(target, Gap::NoPayload, &PortSet::single(at.port));
                (Verdict::Inconclusive, Some(entry))
            }
            Cell::NotOpen => {
                let port = PortSet::single(at.port);
                match host::edge(self.case, self.view, seen.state, 1, &port, self.docket) {
                    Some(entry) => (Verdict::Fail, Some(entry)),
                    None => (Verdict::Pass, None),
                }
            }
            Cell::Unknown => {
                (Verdict::Inconclusive, Some(self.gap(Gap::Undetermined, Verdict::Inconclusive)))
            }
        }
    }

    /// Silence at an address where nothing answered.
    fn one_silent(&mut self, seen: &Observation, expectation: &Expectation<'_>) -> Ruling {
        if !expectation.is_required() || matches!(self.bearing, Bearing::Nobody(_)) {
            return self.silent();
        }
        match self.bearing {
            Bearing::Silent(Some(entry))
                if !host::is_waived(self.case, self.view, self.protocol, seen.endpoint.port) =>
            {
                let certain = self.protocol == Protocol::Tcp;
                (if certain { Verdict::Fail } else { Verdict::Inconclusive }, Some(entry))
            }
            _ => self.missing(seen, expectation),
        }
    }

    /// Silence that nothing requires to be otherwise, at an address where nothing answered.
    pub(super) fn silent(&mut self) -> Ruling {
        match self.bearing {
            Bearing::Dark => (Verdict::PassBySilence, None),
            Bearing::Interfered(entry)
            | Bearing::FellSilent(entry)
            | Bearing::Nobody(entry)
            | Bearing::Silent(Some(entry)) => (Verdict::Inconclusive, Some(entry)),
            Bearing::Silent(None) | Bearing::Answers => {
                (Verdict::Inconclusive, Some(host::unresponsive(self.case, self.view, self.docket)))
            }
        }
    }

    fn open_as_declared(&mut self, seen: &Observation, expectation: &Expectation<'_>) -> Ruling {
        if self.protocol == Protocol::Tcp && words::handshakes(seen) == 0 && expectation.is_required() {
            let mut draft = self.missing_draft(seen, expectation);
            draft.verdict = Verdict::Inconclusive;
            draft.cause = Some("handshake_not_completed");
            draft.message = format!(
                "{} sent a SYN-ACK, and no handshake was completed with it. A device on the way may have answered in its place, so it does not count as open.",
                self.who(seen, expectation)
            );
            draft.remedy = remedy::unconfirmed(seen.endpoint);
            return (Verdict::Inconclusive, Some(self.docket.file(draft)));
        }
        let unchecked = expectation.claims.iter().find(|claim| {
            claim.entry.service.is_some() || claim.entry.tls.is_some() || claim.entry.banner.is_some()
        });
        let Some(claim) = unchecked else { return (Verdict::Pass, None) };
        let port = PortSet::single(seen.endpoint.port);
        let entry = self.gap_of(Some(claim.owner.target), Gap::Checks, &port);
        (Verdict::Inconclusive, Some(entry))
    }

    fn unexpected(&mut self, seen: &Observation) -> Ruling {
        let at = seen.endpoint;
        let Some(&owner) = self.view.group.owners.first() else {
            return (Verdict::Inconclusive, Some(self.gap(Gap::Undetermined, Verdict::Inconclusive)));
        };
        let who = self.case.spoken(owner, at.address);
        let mut draft = self.about_port(UNEXPECTED_OPEN, owner, seen);
        let roles = self.case.context.roles;
        let sensitive = roles.sensitivity(at.protocol, at.port);
        let usual =
            roles.service_name(at.protocol, at.port).map(|name| format!(" ({name})")).unwrap_or_default();
        draft.severity = self.severity(sensitive.as_ref().map(|(severity, _)| *severity));
        draft.title = format!("{}/{}{usual} is open and nothing declares it", at.port, at.protocol);
        "not open: nothing declares it, seen from here".clone_into(&mut draft.expected);
        draft.message = format!(
            "{}/{}{usual} is open at {who}, and no entry of the manifest declares it.",
            at.port, at.protocol
        );
        if let Some((_, why)) = sensitive {
            draft.notes.insert(format!("It is a sensitive port: {why}"));
        }
        draft.remedy = remedy::unexpected(at);
        self.confirm(&mut draft, seen, 2);
        if draft.verdict != Verdict::Pass && self.case.unlisted_warns(self.view.group) {
            draft.verdict = Verdict::Pass;
            draft.notes.insert("The manifest says `unlisted: warn` for it".to_owned());
        }
        (draft.verdict, Some(self.docket.file(draft)))
    }

    fn forbidden(&mut self, seen: &Observation, expectation: &Expectation<'_>) -> Ruling {
        let at = seen.endpoint;
        let Some(denial) = &expectation.denial else { return self.unexpected(seen) };
        let who = self.case.spoken(denial.owner, at.address);
        let mut draft = self.about_port(FORBIDDEN_OPEN, denial.owner, seen);
        draft.severity = self.case.weighed(denial.severity, self.view.group);
        draft.place = Some(denial.place.clone());
        draft.title = format!("{}/{} is open and forbidden", at.port, at.protocol);
        draft.expected = format!("never open: {}", denial.says);
        draft.message = format!("{}/{} is open at {who}, and {}.", at.port, at.protocol, denial.says);
        if let Some(claim) = expectation.claims.iter().find(|claim| claim.owner.target != denial.owner.target)
        {
            draft.notes.insert(format!(
                "Target {} exposes the same port of this address; where two targets disagree, the denial counts",
                claim.target.id
            ));
        }
        draft.remedy = remedy::forbidden(at);
        self.confirm(&mut draft, seen, 1);
        (draft.verdict, Some(self.docket.file(draft)))
    }

    /// Puts a finding about an open TCP port in doubt when too few handshakes were completed.
    fn confirm(&self, draft: &mut Draft, seen: &Observation, needed: usize) {
        let done = words::handshakes(seen);
        if self.protocol == Protocol::Udp || done >= needed {
            return;
        }
        draft.verdict = Verdict::Inconclusive;
        draft.remedy = remedy::unconfirmed(seen.endpoint);
        if done == 0 {
            draft.cause = Some("handshake_not_completed");
            draft.message.push_str(" Only a SYN-ACK was seen, no completed handshake, so it is not certain.");
        } else {
            draft.cause = Some("not_confirmed");
            draft.message.push_str(
                " It was seen open once, and a second look did not confirm it, so it is not certain.",
            );
        }
    }

    fn missing(&mut self, seen: &Observation, expectation: &Expectation<'_>) -> Ruling {
        let at = seen.endpoint;
        let who = self.who(seen, expectation);
        let mut draft = self.missing_draft(seen, expectation);
        let (cause, verdict, message, cure) = match seen.state {
            State::Closed => (
                "closed",
                Verdict::Fail,
                format!(
                    "{who} is required and refused the connection. The host answers and nothing listens there: look at the server."
                ),
                remedy::closed(at),
            ),
            State::Unanswered => (
                "unanswered",
                Verdict::Inconclusive,
                format!(
                    "{who} is required and did not reply. UDP silence may be an open service that ignores us, or a filter."
                ),
                remedy::unanswered(at),
            ),
            _ if !self.bearing.answers() => (
                "host_silent",
                Verdict::Fail,
                format!(
                    "{who} is required, and nothing at all answered at this address, though other hosts of this run did."
                ),
                remedy::host_silent(at.address),
            ),
            _ => (
                "filtered",
                Verdict::Fail,
                format!(
                    "{who} is required and is dropped or prohibited on the way{}: look at the firewall.",
                    if self.view.life == Life::Host { ", while the host answers on other ports" } else { "" }
                ),
                remedy::filtered(at),
            ),
        };
        (draft.cause, draft.verdict, draft.message, draft.remedy) = (Some(cause), verdict, message, cure);
        (verdict, Some(self.docket.file(draft)))
    }

    fn missing_draft(&self, seen: &Observation, expectation: &Expectation<'_>) -> Draft {
        let at = seen.endpoint;
        let claim = expectation.claims.first();
        let owner = claim.map(|claim| claim.owner).or_else(|| self.view.group.owners.first().copied());
        let owner = owner.unwrap_or(Owner { target: 0, host: 0 });
        let mut draft = self.about_port(REQUIRED_MISSING, owner, seen);
        draft.title = format!("{}/{} is required and not open", at.port, at.protocol);
        "open: the manifest requires it".clone_into(&mut draft.expected);
        if let Some(claim) = claim {
            draft.place = Some(claim.entry.place.clone());
        }
        draft
    }

    fn about_port(&self, rule: &'static Rule, owner: Owner, seen: &Observation) -> Draft {
        let at = seen.endpoint;
        let mut draft = self.case.about(rule, owner, self.view.group, at.address);
        draft.key.port = Some((at.protocol, at.port));
        draft.places.insert(at.address, words::seen(seen));
        draft.looks.clone_from(&seen.looks);
        draft
    }

    fn who(&self, seen: &Observation, expectation: &Expectation<'_>) -> String {
        let at = seen.endpoint;
        let owner = expectation
            .claims
            .first()
            .map(|claim| claim.owner)
            .or_else(|| self.view.group.owners.first().copied());
        let host = owner.map_or_else(|| at.address.to_string(), |owner| self.case.spoken(owner, at.address));
        format!("{}/{} at {host}", at.port, at.protocol)
    }

    /// EXP001: at least its default, worse where the port is sensitive, critical near card data.
    fn severity(&self, sensitive: Option<Severity>) -> Severity {
        if self.case.owners(self.view.group).iter().any(|(_, target)| target.stores_cardholder_data) {
            return Severity::Critical;
        }
        let base =
            sensitive.map_or(UNEXPECTED_OPEN.severity, |severity| severity.max(UNEXPECTED_OPEN.severity));
        self.case.weighed(base, self.view.group)
    }
}
