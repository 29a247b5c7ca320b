//! What an address as a whole does to the verdicts on its endpoints: silence, darkness, a run in
//! which nobody answered, an address whose answers prove nothing, an edge that answers.

use super::{
    Case,
    docket::{Docket, Entry},
    draft::{Draft, EDGE_ANSWERS, INTERFERENCE, REQUIRED_MISSING, UNRESPONSIVE, WEAK_EVIDENCE},
    remedy,
    view::{ForeignReset, Life, View},
    words,
};
use crate::{
    model::{ControlCount, Miss, Observation, PortSet, Protocol, State, Verdict},
    spec::{
        manifest::{ClosedState, Host, Target},
        plan::Owner,
    },
};

/// This many undeclared ports open at once are no host's own doing.
const EVERYTHING: u64 = 256;

/// What shows that an address answers on everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Everything {
    /// So many undeclared ports are open.
    Planned(u64),
    /// Ports picked at random are.
    Controls(ControlCount),
}

/// How an address bears on its endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bearing {
    /// It, or a firewall before it, answers: each endpoint stands for itself.
    Answers,
    /// Its answers prove nothing.
    Interfered(Entry),
    /// It answered, and then no longer: its silence proves nothing, its answers stand.
    FellSilent(Entry),
    /// Nobody answered in the whole run.
    Nobody(Entry),
    /// Silent, expected to be, and another host of this run answered.
    Dark,
    /// Silent though named. Rests on EXP003 where something required is missing for it.
    Silent(Option<Entry>),
}

pub(super) fn bearing(case: &Case<'_>, view: &View<'_>, docket: &mut Docket) -> Bearing {
    if let Some(shown) = answers_everything(case, view) {
        return Bearing::Interfered(everything(case, view, shown, docket));
    }
    if fell_silent(view) {
        return Bearing::FellSilent(banned(case, view, docket));
    }
    if view.life != Life::Silent {
        return Bearing::Answers;
    }
    if case.answered.nobody {
        return Bearing::Nobody(nobody(case, docket));
    }
    match missing(case, view, docket) {
        Some(entry) => Bearing::Silent(Some(entry)),
        None if view.group.expect_dark && case.answered.host => Bearing::Dark,
        None => Bearing::Silent(None),
    }
}

impl Bearing {
    /// Whether each endpoint that was answered stands for itself.
    pub(super) fn answers(self) -> bool {
        matches!(self, Self::Answers | Self::FellSilent(_))
    }
}

/// Whether an address that had answered no longer did before the end.
fn fell_silent(view: &View<'_>) -> bool {
    view.tallies().any(|tally| tally.fell_silent)
}

/// What shows that an address answers on everything, where it does: more undeclared ports are open than a
/// host would have, or controls are.
fn answers_everything(case: &Case<'_>, view: &View<'_>) -> Option<Everything> {
    let controls = view.tally(Protocol::Tcp).and_then(|tally| tally.controls);
    let controls = controls.filter(|count| count.show_everything_open()).map(Everything::Controls);
    undeclared_open(case, view).map(Everything::Planned).or(controls)
}

/// How many undeclared ports are open, where that is more than a host would have.
fn undeclared_open(case: &Case<'_>, view: &View<'_>) -> Option<u64> {
    let ask = view.group.ask(Protocol::Tcp);
    let exposed = case.exposed_here(view.group, Protocol::Tcp);
    let asked = ask.planned().difference(&ask.blind).difference(&exposed);
    let open = |seen: &Observation| {
        let at = seen.endpoint;
        at.protocol == Protocol::Tcp && seen.state == State::Open && asked.contains(at.port)
    };
    let opens = view.seen.iter().filter(|(_, seen)| open(seen)).count() as u64;
    let all = u64::from(asked.len());
    // Of a part of the plan, not all was given to the scan.
    let given = view.tally(Protocol::Tcp).map_or(all, |tally| tally.states.total().min(all));
    let unknown = view.tally(Protocol::Tcp).map_or(0, |tally| tally.states.unknown);
    let determined = given.saturating_sub(unknown).max(opens);
    let many = (EVERYTHING * given / all.max(1)).max(EVERYTHING / 16);
    (opens >= many && opens * 2 > determined).then_some(opens)
}

/// EXP011 for an address that answers on everything.
fn everything(case: &Case<'_>, view: &View<'_>, shown: Everything, docket: &mut Docket) -> Entry {
    let Some(&owner) = view.group.owners.first() else {
        return docket.file(Draft::new(INTERFERENCE, None, ""));
    };
    let who = case.spoken(owner, view.address);
    let mut draft = interference(case, view, owner);
    draft.cause = Some("answers_everything");
    draft.title = format!("{who} answers on everything");
    let (ports, place) = match shown {
        Everything::Planned(opens) => {
            let opens = words::number(opens);
            (format!("{opens} ports that nobody declares"), format!("{opens} undeclared ports open"))
        }
        Everything::Controls(ControlCount { asked, open }) => (
            format!("{open} of {asked} ports picked at random that nobody declares"),
            format!("{open} of {asked} random ports open"),
        ),
    };
    draft.message = format!(
        "{who} answered as open on {ports}. Something answers in its place (a SYN proxy, a tarpit, a load balancer), so what is open behind it can't be told from here."
    );
    draft.places.insert(view.address, place);
    docket.file(draft)
}

/// EXP011 for an address that answered and then fell silent.
fn banned(case: &Case<'_>, view: &View<'_>, docket: &mut Docket) -> Entry {
    let Some(&owner) = view.group.owners.first() else {
        return docket.file(Draft::new(INTERFERENCE, None, ""));
    };
    let who = case.spoken(owner, view.address);
    let answered = [State::Open, State::Closed].into_iter().find_map(|state| {
        let of_state = |(_, seen): &&(usize, &Observation)| seen.state == state;
        view.seen.iter().find(of_state).map(|(_, seen)| seen.endpoint)
    });
    let example =
        answered.map(|at| format!(", for example on {}/{},", at.port, at.protocol)).unwrap_or_default();
    let mut draft = interference(case, view, owner);
    draft.cause = Some("fell_silent");
    draft.title = format!("{who} fell silent in the middle of the scan");
    "answers to the end from an address that answered before".clone_into(&mut draft.expected);
    draft.message = format!(
        "{who} answered earlier in this run{example} and no longer did when that was asked again before its silence was believed. An intrusion prevention system or a rate limit may have banned us, so everything that was silent there proves nothing."
    );
    draft.remedy = remedy::fell_silent(view.address);
    draft.places.insert(view.address, "answered at first, silent at the end".to_owned());
    docket.file(draft)
}

/// EXP011 for an endpoint whose attempts disagree.
pub(super) fn contradiction(
    case: &Case<'_>,
    view: &View<'_>,
    seen: &Observation,
    docket: &mut Docket,
) -> Entry {
    let Some(&owner) = view.group.owners.first() else {
        return docket.file(Draft::new(INTERFERENCE, None, ""));
    };
    let who = case.spoken(owner, view.address);
    let mut draft = interference(case, view, owner);
    draft.cause = Some("contradicts_itself");
    draft.title = format!("{who} contradicts itself");
    draft.message = format!(
        "The same port of {who} was open at one attempt and refused or prohibited at another. A device on the way, a balancer before unlike servers, or a ban in the middle of the scan does that; such a port counts neither as open nor as closed."
    );
    draft.places.insert(view.address, "open at one attempt, refused or prohibited at another".to_owned());
    draft.covers.insert((seen.endpoint.protocol, seen.endpoint.port));
    draft.looks.clone_from(&seen.looks);
    draft.notes.extend(view.foreign_reset(seen).map(ForeignReset::says));
    docket.file(draft)
}

/// One finding an address: two addresses of one name may stand behind unlike devices.
fn interference(case: &Case<'_>, view: &View<'_>, owner: Owner) -> Draft {
    let mut draft = case.about(INTERFERENCE, owner, view.group, view.address);
    draft.key.subject = per_address(case, view, owner);
    "answers that come from the host itself".clone_into(&mut draft.expected);
    draft
}

fn per_address(case: &Case<'_>, view: &View<'_>, owner: Owner) -> String {
    match case.subject(owner, view.address) {
        subject if subject == view.address.to_string() => subject,
        name => format!("{name} {}", view.address),
    }
}

/// EXP010 for the whole run: the one finding when nobody answered.
pub(super) fn nobody(case: &Case<'_>, docket: &mut Docket) -> Entry {
    let mut draft = Draft::new(UNRESPONSIVE, None, "run");
    draft.cause = Some("nothing_answered");
    "Nothing answered in this run".clone_into(&mut draft.title);
    "an answer from at least one host".clone_into(&mut draft.expected);
    "silence everywhere".clone_into(&mut draft.observed);
    "Not one probe of this run was answered, by a host or by a firewall. Hosts behind perfect firewalls and a vantage without a working path look the same from here, so nothing is confirmed and nothing is called missing.".clone_into(&mut draft.message);
    let from = case.context.vantage.map_or(String::new(), |vantage| format!(" from {vantage}"));
    draft.remedy = format!(
        "Check the path{from} first: `ping` or `curl` a host that you know to answer. If these hosts are meant to be dark, add one that answers to the manifest, so that silence means something."
    );
    docket.file(draft)
}

/// EXP003 `host_silent`: one finding a host entry for everything required there. What an exception
/// accepts port by port is not in it.
fn missing(case: &Case<'_>, view: &View<'_>, docket: &mut Docket) -> Option<Entry> {
    let mut required: Vec<(Owner, &Observation)> = Vec::new();
    for (_, seen) in &view.seen {
        if !matches!(seen.state, State::Filtered | State::Unanswered) {
            continue;
        }
        let at = seen.endpoint;
        let expectation = case.expectation(view.group, at.protocol, at.port);
        let Some(claim) = expectation.claims.first().filter(|_| expectation.is_required()) else { continue };
        if !is_waived(case, view, at.protocol, at.port) {
            required.push((claim.owner, seen));
        }
    }
    let owner = required.iter().map(|(owner, _)| *owner).min()?;
    let mut draft = silence(case, view, owner, REQUIRED_MISSING);
    let certain = required.iter().any(|(_, seen)| seen.endpoint.protocol == Protocol::Tcp);
    draft.verdict = if certain { Verdict::Fail } else { Verdict::Inconclusive };
    draft.cause = Some("host_silent");
    let who = case.spoken(owner, view.address);
    "Ports are required where everything is silent".clone_into(&mut draft.title);
    draft.message = format!(
        "Nothing at {who} answered, though other hosts of this run did: the host is down, or something drops every packet to it. What is silent besides the required ports is not counted as conforming."
    );
    "required ports open".clone_into(&mut draft.expected);
    draft.remedy = remedy::host_silent(view.address);
    draft.covers = required.iter().map(|(_, seen)| (seen.endpoint.protocol, seen.endpoint.port)).collect();
    draft.looks = required.iter().flat_map(|(_, seen)| seen.looks.clone()).collect();
    Some(docket.file(draft))
}

/// Whether an exception accepts that this required port is missing.
pub(super) fn is_waived(case: &Case<'_>, view: &View<'_>, protocol: Protocol, port: u16) -> bool {
    let targets: Vec<usize> = view.group.owners.iter().map(|owner| owner.target).collect();
    case.waivers.covers(REQUIRED_MISSING.id, &targets, (protocol, port))
}

/// EXP010: a host that was silent on everything, and should not be taken as dark for that.
pub(super) fn unresponsive(case: &Case<'_>, view: &View<'_>, docket: &mut Docket) -> Entry {
    let Some(&owner) = view.group.owners.first() else {
        return docket.file(Draft::new(UNRESPONSIVE, None, ""));
    };
    let mut draft = silence(case, view, owner, UNRESPONSIVE);
    let who = case.spoken(owner, view.address);
    draft.cause = Some("silent");
    draft.title = format!("{} was silent on everything", draft.host.as_deref().unwrap_or("a host"));
    draft.message = if view.group.expect_dark {
        format!(
            "{who} is expected to be dark and was silent. No other host answered in this run either, so the silence proves nothing."
        )
    } else {
        format!(
            "{who} answered nothing that was asked. A perfect firewall, a dead host and a path that swallows our probes look the same from here, so this does not count as conforming."
        )
    };
    "an answer, or `expect_dark: true`".clone_into(&mut draft.expected);
    draft.remedy = remedy::unresponsive(view.address, view.group.expect_dark);
    docket.file(draft)
}

/// EXP015: silence, and a path so lossy that it proves too little.
pub(super) fn weak(case: &Case<'_>, view: &View<'_>, miss: Miss, docket: &mut Docket) -> Entry {
    let Some(&owner) = view.group.owners.first() else {
        return docket.file(Draft::new(WEAK_EVIDENCE, None, ""));
    };
    let mut draft = silence(case, view, owner, WEAK_EVIDENCE);
    let (chance, accepted) = (words::one_in(miss.upper95), words::one_in(case.context.max_miss));
    let who = case.entry(owner).map_or_else(|| view.address.to_string(), |(_, entry)| entry.host.to_string());
    draft.cause = Some("loss");
    draft.title = format!("Silence of {who} proves too little");
    draft.expected = format!("a chance of at most {accepted} to have missed an open port");
    draft
        .places
        .insert(view.address, format!("silent, and a chance of up to {chance} to have missed an open port"));
    let chance = if view.group.permit.range().count() == 1 {
        format!("had a port at {} been open, the chance that we missed it is at most {chance}", view.address)
    } else {
        format!(
            "had a port there been open, the chance that we missed it is too high, at {} at most {chance}",
            view.address
        )
    };
    draft.message = format!(
        "Packets get lost on the way to {who}: {chance} (95 % bound), and no more than {accepted} is accepted (`--max-miss`). What is silent there does not count as conforming; what answered stands."
    );
    draft.remedy = remedy::weak(miss.upper95);
    docket.file(draft)
}

/// A draft about the silence of a host entry: the addresses of one name, or a block, share it.
fn silence(case: &Case<'_>, view: &View<'_>, owner: Owner, rule: &'static crate::model::Rule) -> Draft {
    let mut draft = case.about(rule, owner, view.group, view.address);
    if let Some((_, entry)) = case.entry(owner)
        && matches!(entry.host, Host::Block(_))
    {
        draft.key.subject = entry.host.to_string();
    }
    let soft = view.tallies().find_map(|tally| tally.soft);
    let text = match soft {
        Some((what, sender)) => {
            let from = sender.map(|sender| format!(" from {sender}")).unwrap_or_default();
            let what = crate::model::Evidence::Unreachable { what, sender: None }.reason();
            format!("silent; ICMP {what}{from} on the way")
        }
        None => "silent on everything".to_owned(),
    };
    draft.places.insert(view.address, text);
    draft
}

/// Whether a target says how its ports look that are not open. That a block with nothing in it is dark is taken for
/// granted only in so far as its silence conforms; a refusal there is no deviation until somebody says so.
pub(super) fn declares_edge(target: &Target) -> bool {
    target.expect_dark == Some(true) || target.closed_state != ClosedState::Any
}

/// EXP014, where an answer contradicts what the manifest says of ports that are not open.
pub(super) fn edge(
    case: &Case<'_>,
    view: &View<'_>,
    (protocol, state, n): (Protocol, State, u64),
    ports: &PortSet,
    docket: &mut Docket,
) -> Option<Entry> {
    let (owner, says, seen) = case.owners(view.group).into_iter().find_map(|(owner, target)| {
        match (state, target.closed_state, target.expect_dark) {
            (State::Closed, _, Some(true)) => Some((owner, "dark (`expect_dark`)", "refused")),
            (State::Closed, ClosedState::Filtered, _) => {
                Some((owner, "filtered (`closed_state`)", "refused"))
            }
            (State::Filtered, ClosedState::Closed, _) => Some((owner, "closed (`closed_state`)", "filtered")),
            _ => None,
        }
    })?;
    if n == 0 {
        return None;
    }
    let who = case.spoken(owner, view.address);
    let mut draft = case.about(EDGE_ANSWERS, owner, view.group, view.address);
    draft.key.subject = per_address(case, view, owner);
    draft.cause = Some(if seen == "refused" { "answered" } else { "filtered" });
    draft.title = format!("{who} does not look as declared where nothing is open");
    draft.expected = format!("ports that are not open are {says}");
    let total = total(view, state);
    draft.places.insert(view.address, format!("{} ports {seen}", words::number(total)));
    draft.message = if seen == "refused" {
        format!(
            "{who} is declared {says}, and {} ports refused the connection. A refusal shows that packets passed the firewall and reached a host, or that the firewall answers in its place.",
            words::number(total)
        )
    } else {
        format!(
            "Ports of {who} that are not open are declared {says}, and {} were silent or prohibited. Something on the way filters what was meant to reach the host.",
            words::number(total)
        )
    };
    draft.remedy = remedy::edge(view.address);
    draft.covers.extend(ports.iter().map(|port| (protocol, port)));
    Some(docket.file(draft))
}

fn total(view: &View<'_>, state: State) -> u64 {
    let counted: u64 = view.tallies().map(|tally| tally.states.of(state)).sum();
    counted.max(view.seen.iter().filter(|(_, seen)| seen.state == state).count() as u64)
}

/// Whether what an address shows proves nothing.
pub(super) fn is_interfered(case: &Case<'_>, view: &View<'_>) -> bool {
    fell_silent(view) || answers_everything(case, view).is_some()
}
