//! EXP012: what was planned and not asked, or not to the end, and why. Nothing here ever passes.

use super::{
    AddressJudgement, Case,
    docket::{Docket, Entry},
    draft::{COVERAGE_GAP, Draft},
    host, words,
};
use crate::{
    model::{
        Endpoint, Family, LocalError, Observation, PortSet, Protocol, Reason, State, StateCounts, Verdict,
    },
    spec::plan::Group,
};

/// Why endpoints were not determined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gap {
    /// UDP is planned, and this run has no way to ask it.
    Udp,
    /// The vantage has no address of that family.
    MissingFamily,
    /// The vantage can't see these ports.
    Blind,
    /// No route from this machine.
    NoRoute,
    /// This machine has no address of that family.
    NoFamily,
    /// Other trouble on this machine.
    Local(LocalError),
    /// The run was stopped.
    Interrupted,
    /// Never asked, and the run was not stopped: another part of the run, or an error of ours.
    NotProbed,
    /// Asked, and nothing says what came of it.
    Undetermined,
    /// Told twice and differently.
    Contradicted,
    /// Counted as open, and no observation says which.
    Unobserved,
    /// Denied UDP that was silent, and would be silent if it were open.
    NoPayload,
    /// Open as declared by a SYN-ACK, and no handshake was completed.
    Handshake,
    /// Open as declared, and nobody asked what answers there.
    Checks,
    /// Open as declared, and what answers there does not show whether it is what is declared.
    Unidentified,
}

impl Gap {
    fn local(error: LocalError) -> Self {
        match error {
            LocalError::NoRoute => Self::NoRoute,
            LocalError::NoFamily => Self::NoFamily,
            other => Self::Local(other),
        }
    }

    /// Why one observation is undetermined.
    pub(super) fn of(case: &Case<'_>, seen: &Observation, tally: Option<LocalError>) -> Self {
        match seen.reason {
            Reason::Interrupted if case.seen.partial => Self::Interrupted,
            Reason::NotSent => Self::unsent(case, tally),
            Reason::Contradicted => Self::Contradicted,
            _ => words::local(seen).or(tally).map_or_else(|| Self::unfinished(case), Self::local),
        }
    }

    /// Why endpoints were never sent.
    pub(super) fn unsent(case: &Case<'_>, tally: Option<LocalError>) -> Self {
        match tally {
            Some(error) => Self::local(error),
            None if case.seen.partial => Self::Interrupted,
            None => Self::NotProbed,
        }
    }

    /// Why endpoints that were asked have no state.
    pub(super) fn unfinished_for(case: &Case<'_>, tally: Option<LocalError>) -> Self {
        tally.map_or_else(|| Self::unfinished(case), Self::local)
    }

    fn unfinished(case: &Case<'_>) -> Self {
        if case.seen.partial { Self::Interrupted } else { Self::Undetermined }
    }

    fn cause(self) -> &'static str {
        match self {
            Self::Udp => "udp_not_asked",
            Self::MissingFamily => "missing_family",
            Self::Blind => "blind_vantage",
            Self::NoRoute => "no_route",
            Self::NoFamily => "no_family",
            Self::Local(_) => "local_trouble",
            Self::Interrupted => "interrupted",
            Self::NotProbed => "not_probed",
            Self::Undetermined => "undetermined",
            Self::Contradicted => "contradicted",
            Self::Unobserved => "unobserved",
            Self::NoPayload => "no_payload",
            Self::Handshake => "handshake_not_completed",
            Self::Checks => "not_checked",
            Self::Unidentified => "not_identified",
        }
    }

    fn is_of_family(self) -> bool {
        !matches!(self, Self::Local(_) | Self::Interrupted | Self::Checks | Self::Unidentified)
    }

    /// What is wrong, in one line and in a sentence; and what to do.
    fn text(self, case: &Case<'_>, whose: &str, family: Family) -> (String, String, String) {
        let vantage =
            case.context.vantage.map_or_else(|| "this vantage".to_owned(), |name| format!("vantage {name}"));
        let [title, message, remedy] = match self {
            Self::NotProbed | Self::Interrupted | Self::Checks | Self::Handshake
                if case.context.from.is_some() =>
            {
                self.in_files(case.context.from.unwrap_or_default(), whose, family)
            }
            Self::Udp => [
                format!("UDP over {family} of {whose} was not asked"),
                format!("UDP is declared for {whose}, and this run could not ask it. Whether these {family} endpoints are open is not known."),
                "Say `udp: none` for the target, or run with `--udp none`; check these ports by other means.".to_owned(),
            ],
            Self::MissingFamily => [
                format!("{whose} was not asked over {family}"),
                format!("The manifest says that {vantage} has no {family}, so the {family} addresses of {whose} were planned and not probed."),
                without(family, "Run again from a vantage that has this family"),
            ],
            Self::NoRoute => [
                format!("{whose} was not asked over {family}: no route"),
                format!("This machine has no {family} route to addresses of {whose}. Nothing is known about them."),
                without(family, &format!("Look at `ip {}route`, then give this machine a route or run from a vantage that has one", flag(family))),
            ],
            Self::NoFamily => [
                format!("{whose} was not asked over {family}: no address here"),
                format!("This machine has no {family} address, so the {family} addresses of {whose} could not be asked."),
                without(family, &format!("Look at `ip {}address`, then run from a vantage that has one", flag(family))),
            ],
            Self::Blind => [
                format!("Ports of {whose} that {vantage} can't see"),
                format!("The manifest says that {vantage} is blind to these ports, whatever their state, so they were planned over {family} and not probed."),
                "Run again from a vantage that sees these ports, and keep both reports.".to_owned(),
            ],
            Self::Local(error) => [
                format!("Trouble on this machine hid endpoints of {whose}"),
                format!("Probes to {whose} failed on the scanner's side ({error}), so nothing is known about these endpoints. The network is not to blame."),
                "Run again with a lower `--rate`, or lift the limit (`ulimit -n`, the local firewall) on the scanning machine.".to_owned(),
            ],
            Self::Interrupted => [
                "The run was stopped before its end".to_owned(),
                "The run did not reach its end. What was not asked by then may be anything.".to_owned(),
                "Run again to the end; allow more time with `--deadline`, or more speed with `--rate`.".to_owned(),
            ],
            Self::NotProbed => [
                format!("Endpoints of {whose} were not asked"),
                format!("Endpoints of {whose} were planned over {family}, and this run never asked them."),
                "Run the parts that are missing and judge all of them together (`verify --from PART --from PART`), or run again without `--shard`.".to_owned(),
            ],
            Self::Undetermined | Self::Unobserved => [
                format!("Endpoints of {whose} could not be determined"),
                format!("Endpoints of {whose} were asked over {family}, and what came back does not say which state they are in."),
                "Run again, with a lower `--rate` if it stays so.".to_owned(),
            ],
            Self::Contradicted => [
                format!("What is said of endpoints of {whose} contradicts itself"),
                format!("Endpoints of {whose} are open by one account and not open by another, and nothing says which of the two is later, so they count neither as open nor as closed. The remarks on what was judged name them."),
                "Scan these ports again, and judge that; or verify without `--from`.".to_owned(),
            ],
            Self::NoPayload => [
                format!("Denied UDP ports of {whose} were silent"),
                format!("These UDP ports of {whose} are denied and did not answer over {family}. A server there would not answer what portproof sends, so silence says nothing."),
                "Check on the host itself that nothing listens: `ss -lnup`.".to_owned(),
            ],
            Self::Handshake => [
                format!("Ports of {whose} answered, and no handshake was completed"),
                format!("Ports that {whose} may expose sent a SYN-ACK over {family}, and no connection to them could be completed. A device on the way may have answered in the host's place (a SYN proxy before a dead backend does), so they count neither as open nor as closed."),
                "Connect by hand with `nc -vz ADDRESS PORT`; on the host, `ss -ltn` shows whether anything listens and whether its backlog is full. Then run again.".to_owned(),
            ],
            Self::Checks => [
                format!("Declared service or TLS of {whose} was not checked"),
                format!("Ports of {whose} are open as declared. Their entries also declare a service, TLS or a banner, and this run did not get to asking what answers there."),
                "Run again to the end; allow more time with `--deadline`.".to_owned(),
            ],
            Self::Unidentified => [
                format!("What answers for {whose} does not show whether it is the declared service"),
                format!("Ports of {whose} are open as declared, and whoever was asked there showed nothing by which the declared service could be told from any other."),
                "Ask it with its own client. If it never answers strangers, leave `service` and `banner` out of the entry, or accept the doubt with an exception for EXP012.".to_owned(),
            ],
        };
        (title, message, remedy)
    }
}

impl Gap {
    /// The same of files that are judged: nobody can ask more, but another file may say it.
    fn in_files(self, files: &str, whose: &str, family: Family) -> [String; 3] {
        match self {
            Self::Interrupted => [
                "What is judged stopped before its end".to_owned(),
                format!("Not every scan in {files} reached its end. What they did not get to may be anything."),
                "Run that scan again to its end, and judge that.".to_owned(),
            ],
            Self::Checks => [
                format!("Declared service or TLS of {whose} was not checked"),
                format!("Ports of {whose} are open as declared. What their entries say beyond that (a service, TLS, a banner), {files} does not show to its end."),
                "Verify without `--from`; or add a scan that shows more: `nmap -sV` names services.".to_owned(),
            ],
            Self::Handshake => [
                format!("Ports of {whose} answered, and no handshake was completed"),
                format!("Ports that {whose} may expose sent a SYN-ACK over {family}, and nothing in {files} says that a connection to them was completed. A device on the way may have answered in the host's place, so they count neither as open nor as closed."),
                "Verify without `--from`; or add a scan that completes its connections: `nmap -sT` or `nmap -sV`.".to_owned(),
            ],
            _ => [
                format!("Endpoints of {whose} are not covered"),
                format!("Endpoints of {whose} are planned over {family}, and {files} says nothing of them."),
                "Scan them and add that with another `--from`, or verify without `--from`.".to_owned(),
            ],
        }
    }
}

fn without(family: Family, cure: &str) -> String {
    let other = match family {
        Family::Ipv4 => Family::Ipv6,
        Family::Ipv6 => Family::Ipv4,
    };
    format!("{cure}; or leave {family} out of this run with `--families {other}`.")
}

fn flag(family: Family) -> &'static str {
    if family == Family::Ipv6 { "-6 " } else { "" }
}

/// Files a gap of a group: one finding a target, and family where the gap is one of a family.
pub(super) fn file(case: &Case<'_>, docket: &mut Docket, group: &Group, gap: Gap, verdict: Verdict) -> Entry {
    let target = group.owners.first().map(|owner| owner.target);
    file_for(case, docket, (group, target), gap, verdict, None)
}

/// The same in the name of one target, and about these ports.
pub(super) fn file_for(
    case: &Case<'_>,
    docket: &mut Docket,
    (group, target): (&Group, Option<usize>),
    gap: Gap,
    verdict: Verdict,
    ports: Option<(Protocol, &PortSet)>,
) -> Entry {
    let family = group.permit.range().family();
    let target = target.filter(|_| gap != Gap::Interrupted);
    let subject =
        if gap.is_of_family() { format!("{family} {}", gap.cause()) } else { gap.cause().to_owned() };
    let mut draft = Draft::new(COVERAGE_GAP, target, subject);
    let known = target.and_then(|target| case.manifest.targets.get(target));
    let (title, message, remedy) = gap.text(case, known.map_or("the run", |target| &target.id), family);
    if let Some(target) = target {
        draft.severity = case.weighed_for(draft.severity, target);
        draft.also = group.owners.iter().map(|other| other.target).filter(|&t| t != target).collect();
        draft.place = known.map(|known| known.place.clone());
    }
    (draft.title, draft.message, draft.remedy) = (title, message, remedy);
    draft.verdict = verdict;
    draft.cause = Some(gap.cause());
    "every planned endpoint determined".clone_into(&mut draft.expected);
    draft.observed = match gap {
        Gap::Checks => "open, and nothing else checked".to_owned(),
        Gap::Unidentified => "open, and no known service".to_owned(),
        Gap::Handshake => "a SYN-ACK, and no completed handshake".to_owned(),
        _ if verdict == Verdict::NotCovered => "not asked".to_owned(),
        _ => "not determined".to_owned(),
    };
    if let Some((protocol, ports)) = ports {
        draft.covers.extend(ports.iter().map(|port| (protocol, port)));
    }
    if let Gap::Local(error) = gap {
        draft.notes.insert(format!("The machine says: {error}"));
    }
    docket.file(draft)
}

/// What concerns the run as a whole.
pub(super) fn run(case: &Case<'_>, docket: &mut Docket) {
    if case.seen.partial {
        let mut draft = Draft::new(COVERAGE_GAP, None, Gap::Interrupted.cause());
        let (title, message, remedy) = Gap::Interrupted.text(case, "the run", Family::Ipv4);
        (draft.title, draft.message, draft.remedy) = (title, message, remedy);
        draft.cause = Some(Gap::Interrupted.cause());
        "a run that reaches its end".clone_into(&mut draft.expected);
        "a partial run".clone_into(&mut draft.observed);
        docket.file(draft);
    }
    if case.answered.nobody {
        host::nobody(case, docket);
    }
}

/// Whether this run could ask a protocol at all.
pub(super) fn can_ask(case: &Case<'_>, protocol: Protocol) -> bool {
    protocol == Protocol::Tcp || case.context.udp_mouth
}

/// What was never given to the scan, group by group: whole blocks are counted, never walked.
pub(super) fn groups(case: &Case<'_>, docket: &mut Docket) {
    for group in &case.plan.groups {
        let addresses = group.permit.range().count();
        for protocol in [Protocol::Tcp, Protocol::Udp] {
            let ask = group.ask(protocol);
            let planned = ask.planned();
            if group.missing_family {
                leave(case, docket, group, protocol, Gap::MissingFamily, &planned, addresses);
            } else if !can_ask(case, protocol) {
                leave(case, docket, group, protocol, Gap::Udp, &planned, addresses);
            } else {
                leave(case, docket, group, protocol, Gap::Blind, &ask.blind, addresses);
                let unseen = addresses.saturating_sub(views_in(case, group));
                let gap = Gap::unsent(case, None);
                leave(case, docket, group, protocol, gap, &planned.difference(&ask.blind), unseen);
            }
        }
    }
}

/// Counts ports on so many addresses as not covered, and names the declared ones of a single host.
fn leave(
    case: &Case<'_>,
    docket: &mut Docket,
    group: &Group,
    protocol: Protocol,
    gap: Gap,
    ports: &PortSet,
    addresses: u128,
) {
    let n = u64::try_from(u128::from(ports.len()).saturating_mul(addresses)).unwrap_or(u64::MAX);
    if n == 0 {
        return;
    }
    let owner = group.owners.first().map(|owner| owner.target);
    let covers = (gap == Gap::Blind).then_some((protocol, ports));
    let entry = file_for(case, docket, (group, owner), gap, Verdict::NotCovered, covers);
    docket.count(State::Unknown, Verdict::NotCovered, n, Some(entry));
    let range = group.permit.range();
    if range.count() == 1 {
        for port in group.ask(protocol).named.intersection(ports).iter() {
            docket.unasked(Endpoint { address: range.first(), protocol, port }, entry);
        }
    }
}

fn views_in(case: &Case<'_>, group: &Group) -> u128 {
    let range = group.permit.range();
    let from = case.views.partition_point(|view| view.address < range.first());
    let to = case.views.partition_point(|view| view.address <= range.last());
    to.saturating_sub(from) as u128
}

/// Single hosts about which nothing was seen, so that no host is missing from the report.
pub(super) fn unasked_addresses(case: &Case<'_>) -> Vec<AddressJudgement> {
    let single = |group: &&Group| group.permit.range().count() == 1 && views_in(case, group) == 0;
    let record = |group: &Group| {
        let mut states = StateCounts::default();
        states.add(State::Unknown, u64::try_from(group.planned()).unwrap_or(u64::MAX));
        AddressJudgement {
            address: group.permit.range().first(),
            owners: group.owners.clone(),
            alive: None,
            liveness: None,
            states,
            answers_everything: false,
            expect_dark: group.expect_dark,
            rtt: None,
            miss: None,
        }
    };
    case.plan.groups.iter().filter(single).map(record).collect()
}
