//! The ruling on one observed endpoint: its verdict, and the finding that says why.

use super::{
    draft::{Draft, FORBIDDEN_OPEN, REQUIRED_MISSING, UNEXPECTED_OPEN},
    endpoint::{Bench, Ruling},
    expectation::Expectation,
    gap::Gap,
    host::{self, Bearing},
    remedy,
    table::{Cell, Expected, cell},
    view::{self, ForeignReset, Life},
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
            // Whoever answers on everything does not answer as everything: a service that shows itself is there.
            if cell != Cell::OpenAsDeclared || !self.is_confirmed(seen, &expectation) {
                return (Verdict::Inconclusive, Some(entry));
            }
        }
        if self.protocol == Protocol::Tcp && is_unconfirmed(seen) {
            return self.unconfirmed(seen, &expectation);
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
            Cell::Silence => self.believed(Verdict::PassBySilence),
            Cell::MaybeForbidden => {
                let target = expectation.denial.as_ref().map(|denial| denial.owner.target);
                let entry = self.gap_of(target, Gap::NoPayload, &PortSet::single(at.port));
                (Verdict::Inconclusive, Some(entry))
            }
            Cell::NotOpen => {
                let port = PortSet::single(at.port);
                // Closed or filtered: it contradicts neither.
                let n = u64::from(seen.reason != Reason::Unlisted);
                match host::edge(self.case, self.view, (self.protocol, seen.state, n), &port, self.docket) {
                    Some(entry) => (Verdict::Fail, Some(entry)),
                    None if view::is_silent(seen) => self.believed(Verdict::Pass),
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
            Bearing::Dark => self.believed(Verdict::PassBySilence),
            Bearing::Interfered(entry)
            | Bearing::FellSilent(entry)
            | Bearing::Nobody(entry)
            | Bearing::Silent(Some(entry)) => (Verdict::Inconclusive, Some(entry)),
            Bearing::Silent(None) | Bearing::Answers => {
                (Verdict::Inconclusive, Some(host::unresponsive(self.case, self.view, self.docket)))
            }
        }
    }

    /// A SYN-ACK and never a connection, whatever is expected. Whether a service is there is not known.
    fn unconfirmed(&mut self, seen: &Observation, expectation: &Expectation<'_>) -> Ruling {
        match expectation.of(true) {
            Expected::Required => {
                let mut draft = self.missing_draft(seen, expectation);
                draft.verdict = Verdict::Inconclusive;
                draft.cause = Some("handshake_not_completed");
                let at = seen.endpoint;
                draft.title =
                    format!("{}/{} is required, and no handshake was completed", at.port, at.protocol);
                draft.message = format!("{} is required. {}", self.who(seen, expectation), half_open(seen));
                draft.remedy = remedy::unconfirmed(seen.endpoint);
                (Verdict::Inconclusive, Some(self.docket.file(draft)))
            }
            Expected::Optional => {
                let target = expectation.claims.first().map(|claim| claim.owner.target);
                let port = PortSet::single(seen.endpoint.port);
                (Verdict::Inconclusive, Some(self.gap_of(target, Gap::Handshake, &port)))
            }
            Expected::Denied => self.forbidden(seen, expectation),
            Expected::Undeclared => self.unexpected(seen),
        }
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
        draft.title = format!("{}/{}{usual} {} and nothing declares it", at.port, at.protocol, is_open(seen));
        "not open: nothing declares it, seen from here".clone_into(&mut draft.expected);
        draft.message = format!(
            "{}/{}{usual} {} at {who}, and no entry of the manifest declares it.",
            at.port,
            at.protocol,
            is_open(seen)
        );
        if let Some((_, why)) = sensitive {
            draft.notes.insert(format!("It is a sensitive port: {why}"));
        }
        self.introduce(seen, &mut draft);
        draft.remedy = remedy::unexpected(at);
        confirm(&mut draft, seen, true);
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
        draft.title = format!("{}/{} {} and is forbidden", at.port, at.protocol, is_open(seen));
        draft.expected = format!("never open: {}", denial.says);
        draft.message =
            format!("{}/{} {} at {who}, and {}.", at.port, at.protocol, is_open(seen), denial.says);
        if let Some(claim) = expectation.claims.iter().find(|claim| claim.owner.target != denial.owner.target)
        {
            draft.notes.insert(format!(
                "Target {} exposes the same port of this address; where two targets disagree, the denial counts",
                claim.target.id
            ));
        }
        draft.remedy = remedy::forbidden(at);
        self.introduce(seen, &mut draft);
        confirm(&mut draft, seen, false);
        (draft.verdict, Some(self.docket.file(draft)))
    }

    fn missing(&mut self, seen: &Observation, expectation: &Expectation<'_>) -> Ruling {
        let at = seen.endpoint;
        let who = self.who(seen, expectation);
        let mut draft = self.missing_draft(seen, expectation);
        if seen.state == State::Unanswered {
            draft.title = format!("{}/{} is required and did not reply", at.port, at.protocol);
        }
        let (cause, verdict, message, cure) = match seen.state {
            State::Closed => (
                "closed",
                Verdict::Fail,
                format!(
                    "{who} is required and {}. The host answers and nothing listens there: look at the server.",
                    match at.protocol {
                        Protocol::Tcp => "refused the connection",
                        Protocol::Udp => "the host itself says that the port is unreachable (ICMP)",
                    }
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
            _ if seen.reason == Reason::Unlisted => (
                "not_open",
                Verdict::Fail,
                format!(
                    "{who} is required and is not open: it is counted among ports that are closed or filtered, and which of both is not said."
                ),
                remedy::closed(at),
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
        draft.notes.extend(self.view.foreign_reset(seen).map(ForeignReset::says));
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

    pub(super) fn about_port(&self, rule: &'static Rule, owner: Owner, seen: &Observation) -> Draft {
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

/// Whether a TCP port answered as an open one does, and no connection to it was ever completed.
fn is_unconfirmed(seen: &Observation) -> bool {
    let answered = seen.looks.iter().any(|look| look.evidence.state() == Some(State::Open));
    (answered || seen.state == State::Open) && !seen.handshake_completed()
}

/// What a SYN-ACK without a connection shows, in sentences.
fn half_open(seen: &Observation) -> &'static str {
    if words::was_refused(seen) {
        "It sent a SYN-ACK, and refused the connection (RST) that was then to be completed. A SYN proxy before a dead service does that, and a device that lets strangers in only at the second try; what is behind it can't be told."
    } else if seen.looks.len() == 1 {
        "It sent a SYN-ACK, and nobody went on to complete a connection. A SYN proxy, a tarpit or a device on the way may have answered in the host's place, so it counts neither as open nor as closed."
    } else {
        "It sent a SYN-ACK, and no connection was completed: the handshake that followed got no answer. A SYN proxy, a tarpit or a device on the way may have answered in the host's place, so it counts neither as open nor as closed."
    }
}

/// Puts a finding about an open TCP port in doubt when no connection was completed, or where a second
/// look is needed and did not find it open again.
fn confirm(draft: &mut Draft, seen: &Observation, twice: bool) {
    if seen.endpoint.protocol == Protocol::Udp {
        return;
    }
    let (cause, sentence) = match (seen.handshake_completed(), seen.seen_open_twice()) {
        (true, true) => return,
        (true, false) if !twice => return,
        (true, false) => {
            ("not_confirmed", "It was seen open once, and no second look confirmed it, so it is not certain.")
        }
        (false, _) => ("handshake_not_completed", half_open(seen)),
    };
    draft.verdict = Verdict::Inconclusive;
    draft.cause = Some(cause);
    draft.message = format!("{} {sentence}", draft.message);
    draft.remedy = remedy::unconfirmed(seen.endpoint);
}

/// `is open`, or less where that is not certain.
fn is_open(seen: &Observation) -> &'static str {
    let doubtful = seen.endpoint.protocol == Protocol::Tcp && !seen.handshake_completed();
    if doubtful { "answers as if open" } else { "is open" }
}
