//! What a run saw, address by address, and whether anybody there answered. Order of arrival never
//! matters: everything is sorted here.

use std::{collections::BTreeMap, net::IpAddr};

use super::{Case, Seen};
use crate::{
    model::{Endpoint, Evidence, Family, Observation, Protocol, Reason, State, Tally},
    spec::plan::{Group, Plan},
};

/// Who answered for an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Life {
    /// The address itself: a handshake, a RST, a reply.
    Host,
    /// Somebody on the way, by an ICMP prohibition. It shows a firewall that decides, so its silence
    /// and its prohibitions are `filtered`; it does not show that the host lives.
    Edge,
    /// Nobody, although it was asked to the end.
    Silent,
    /// Nothing was asked to the end.
    Unasked,
}

/// One probed address.
pub(super) struct View<'a> {
    pub(super) address: IpAddr,
    pub(super) group: &'a Group,
    pub(super) life: Life,
    tallies: Vec<&'a Tally>,
    /// Ordered by endpoint, each once; with the index into `Seen::observations`.
    pub(super) seen: Vec<(usize, &'a Observation)>,
}

impl View<'_> {
    pub(super) fn family(&self) -> Family {
        Family::of(self.address)
    }

    pub(super) fn tally(&self, protocol: Protocol) -> Option<&Tally> {
        self.tallies.iter().copied().find(|tally| tally.protocol == protocol)
    }

    pub(super) fn tallies(&self) -> impl Iterator<Item = &Tally> {
        self.tallies.iter().copied()
    }

    pub(super) fn of(&self, protocol: Protocol, port: u16) -> Option<(usize, &Observation)> {
        let wanted = Endpoint { address: self.address, protocol, port };
        let i = self.seen.binary_search_by_key(&wanted, |(_, seen)| seen.endpoint).ok()?;
        self.seen.get(i).copied()
    }

    fn life_now(&self) -> Life {
        let states = || self.tallies.iter().map(|tally| tally.states);
        let seen = |state| self.seen.iter().any(|(_, seen)| seen.state == state);
        if states().any(|states| states.answered()) || seen(State::Open) || seen(State::Closed) {
            Life::Host
        } else if self.tallies.iter().any(|tally| tally.prohibited > 0)
            || self.seen.iter().any(|(_, seen)| is_prohibited(seen))
        {
            Life::Edge
        } else if states().any(|states| states.filtered + states.unanswered > 0)
            || seen(State::Filtered)
            || seen(State::Unanswered)
        {
            Life::Silent
        } else {
            Life::Unasked
        }
    }
}

/// A reset that did not arrive as the host's own answers do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ForeignReset {
    /// The time to live with which the reset arrived.
    pub(super) reset: u8,
    /// That of an open port's answer.
    pub(super) own: u8,
}

impl View<'_> {
    /// Whether something on the way may have sent the reset of a port: it arrived with another time to live than
    /// every answer of the address's open ports. That is a hint and no proof, since a few systems send resets with
    /// another one themselves; a firewall that rejects by RST is common and hides nothing, so it puts no whole address
    /// in doubt.
    pub(super) fn foreign_reset(&self, seen: &Observation) -> Option<ForeignReset> {
        let of = |seen: &Observation, wanted: State| {
            let looks = seen.looks.iter().filter(move |look| look.evidence.state() == Some(wanted));
            looks.filter_map(|look| look.ttl).collect::<Vec<_>>()
        };
        let reset = *of(seen, State::Closed).first()?;
        let tcp = self.seen.iter().filter(|(_, other)| other.endpoint.protocol == Protocol::Tcp);
        let own: Vec<u8> = tcp.flat_map(|(_, other)| of(other, State::Open)).collect();
        let first = *own.first()?;
        own.iter().all(|ttl| *ttl != reset).then_some(ForeignReset { reset, own: first })
    }
}

impl ForeignReset {
    /// As a sentence.
    pub(super) fn says(self) -> String {
        let Self { reset, own } = self;
        format!(
            "The reset arrived with a time to live of {reset}, answers of open ports of the address arrive with {own}: a device on the way may have sent it, such as a firewall that rejects"
        )
    }
}

/// Who answered in the whole run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answered {
    /// A host did: only then does the silence of another say anything.
    pub(super) host: bool,
    /// Nobody did, not even a firewall, although something was asked to the end.
    pub(super) nobody: bool,
}

impl Answered {
    pub(super) fn by(views: &[View<'_>]) -> Self {
        let any = |life| views.iter().any(|view| view.life == life);
        let host = any(Life::Host);
        Self { host, nobody: !host && !any(Life::Edge) && any(Life::Silent) }
    }
}

/// Every address of the plan about which something was seen, in numeric order. What is not judged
/// (UDP in a run that can't ask it, ports that nobody planned) is no sign of life either.
pub(super) fn views<'a>(plan: &'a Plan, seen: &Seen<'a>, udp: bool) -> Vec<View<'a>> {
    let asked = |protocol| udp || protocol == Protocol::Tcp;
    let mut views: BTreeMap<IpAddr, View<'a>> = BTreeMap::new();
    let empty = |address, group| View { address, group, life: Life::Unasked, tallies: vec![], seen: vec![] };
    for tally in seen.tallies.iter().filter(|tally| asked(tally.protocol)) {
        let Some(group) = group_of(plan, tally.address) else { continue };
        views.entry(tally.address).or_insert_with(|| empty(tally.address, group)).tallies.push(tally);
    }
    for (i, observation) in seen.observations.iter().enumerate() {
        let endpoint = observation.endpoint;
        let Some(group) = group_of(plan, endpoint.address) else { continue };
        let ask = group.ask(endpoint.protocol);
        let planned = ask.planned().contains(endpoint.port) && !ask.blind.contains(endpoint.port);
        if !planned || !asked(endpoint.protocol) {
            continue;
        }
        let view = views.entry(endpoint.address).or_insert_with(|| empty(endpoint.address, group));
        view.seen.push((i, observation));
    }
    let mut views: Vec<View<'a>> = views.into_values().collect();
    for view in &mut views {
        view.seen.sort_by_key(|(_, seen)| (seen.endpoint, !seen.supersedes, seen.state, seen.first_seen));
        view.seen.dedup_by_key(|(_, seen)| seen.endpoint);
        view.life = view.life_now();
    }
    views
}

/// The group that an address belongs to, where it was to be probed.
fn group_of(plan: &Plan, address: IpAddr) -> Option<&Group> {
    plan.group(address).filter(|group| !group.missing_family)
}

/// Whether a final ICMP error settled it.
fn is_prohibited(seen: &Observation) -> bool {
    seen.looks.iter().any(|look| {
        matches!(look.evidence, Evidence::Unreachable { .. })
            && look.evidence.state() == Some(State::Filtered)
    })
}

/// Whether nobody said anything final about it: neither the host nor a firewall.
pub(super) fn is_silent(seen: &Observation) -> bool {
    matches!(seen.state, State::Filtered | State::Unanswered)
        && matches!(
            seen.reason,
            Reason::NoResponse
                | Reason::NetUnreach
                | Reason::HostUnreach
                | Reason::TimeExceeded
                | Reason::Unlisted
        )
}

/// What shows that an address lives, as a clause, and whether it does.
pub(super) fn liveness(view: &View<'_>) -> (Option<bool>, Option<String>) {
    let first = |state| view.seen.iter().find(|(_, seen)| seen.state == state).map(|(_, seen)| seen.endpoint);
    let shaken = |seen: &&(usize, &Observation)| seen.1.handshake_completed();
    let completed =
        |at: Endpoint| view.seen.iter().any(|(_, seen)| seen.endpoint == at && seen.handshake_completed());
    match view.life {
        Life::Host => {
            let shown = view.seen.iter().find(shaken).map(|(_, seen)| seen.endpoint);
            let open = shown.or_else(|| first(State::Open)).map(|at| match at.protocol {
                Protocol::Tcp if completed(at) => format!("handshake with {}/tcp", at.port),
                Protocol::Tcp => format!("SYN-ACK from {}/tcp", at.port),
                Protocol::Udp => format!("reply from {}/udp", at.port),
            });
            let closed = || first(State::Closed).map(|at| format!("{}/{} refused", at.port, at.protocol));
            let counted = || {
                let refused: u64 = view.tallies().map(|tally| tally.states.closed).sum();
                (refused > 0).then(|| format!("{} ports refused", super::words::number(refused)))
            };
            (Some(true), open.or_else(closed).or_else(counted))
        }
        Life::Edge => {
            (None, Some("prohibited by ICMP on the way; the host itself did not answer".to_owned()))
        }
        Life::Silent => (Some(false), None),
        Life::Unasked => (None, None),
    }
}

impl Case<'_> {
    /// Every view of an address that this host entry claims.
    pub(super) fn views_of(&self, owner: crate::spec::plan::Owner) -> impl Iterator<Item = &View<'_>> {
        self.views.iter().filter(move |view| view.group.owners.contains(&owner))
    }
}
