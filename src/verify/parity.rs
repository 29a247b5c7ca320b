//! EXP008: the two address families of one host expose different ports, and nothing else says so.

use std::collections::BTreeSet;

use super::{
    Case,
    docket::Docket,
    draft::{Draft, FAMILY_PARITY},
    host,
    view::{Life, View},
    words,
};
use crate::{
    model::{Endpoint, Family, Protocol, State, Tally},
    spec::{
        manifest::{Host, HostEntry, Target},
        plan::Owner,
    },
};

pub(super) fn judge(case: &Case<'_>, docket: &mut Docket) {
    for &t in &case.plan.targets {
        let Some(target) = case.manifest.targets.get(t) else { continue };
        for (h, entry) in target.hosts.iter().enumerate() {
            if let Host::Name(name) = &entry.host {
                let views: Vec<&View<'_>> = case.views_of(Owner { target: t, host: h }).collect();
                compare(case, t, name, &views, docket);
            }
        }
        if let Some(owners) = one_of_each(t, target) {
            let views: Vec<&View<'_>> = owners.iter().flat_map(|&owner| case.views_of(owner)).collect();
            compare(case, t, &target.id, &views, docket);
        }
    }
}

/// Whether any host of a target has addresses of both families to be held against each other.
pub(super) fn is_compared(case: &Case<'_>, t: usize, target: &Target) -> bool {
    let both = |owners: &[Owner]| {
        let has = |family| {
            owners.iter().flat_map(|&owner| case.views_of(owner)).any(|view| view.family() == family)
        };
        has(Family::Ipv4) && has(Family::Ipv6)
    };
    let names = target.hosts.iter().enumerate().filter(|(_, entry)| matches!(entry.host, Host::Name(_)));
    names.into_iter().any(|(host, _)| both(&[Owner { target: t, host }]))
        || one_of_each(t, target).is_some_and(|owners| both(&owners))
}

/// The literals of a target that lists exactly one of each family: then they are one host.
fn one_of_each(t: usize, target: &Target) -> Option<[Owner; 2]> {
    let of = |wanted| {
        let mut literals =
            target.hosts.iter().enumerate().filter(|(_, entry)| {
                entry.host.address().is_some_and(|address| Family::of(address) == wanted)
            });
        let (host, _) = literals.next()?;
        literals.next().is_none().then_some(Owner { target: t, host })
    };
    Some([of(Family::Ipv4)?, of(Family::Ipv6)?])
}

fn compare(case: &Case<'_>, t: usize, name: &str, views: &[&View<'_>], docket: &mut Docket) {
    let of = |family| views.iter().copied().filter(move |view| view.family() == family);
    if of(Family::Ipv4).next().is_none() || of(Family::Ipv6).next().is_none() {
        return;
    }
    if views.iter().any(|view| host::is_interfered(case, view)) {
        return; // what they show proves nothing
    }
    let open: BTreeSet<(Protocol, u16)> = views.iter().flat_map(|view| opens(view)).collect();
    let mut only: [BTreeSet<(Protocol, u16)>; 2] = [BTreeSet::new(), BTreeSet::new()];
    for port in open {
        if !views.iter().all(|view| comparable(case, view, port, docket)) {
            continue;
        }
        let is_open = |family| of(family).any(|view| state(view, port) == Some(State::Open));
        let [v4, v6] = &mut only;
        match (is_open(Family::Ipv4), is_open(Family::Ipv6)) {
            (true, false) => v4.insert(port),
            (false, true) => v6.insert(port),
            _ => false,
        };
    }
    let [v4, v6] = only;
    if v4.is_empty() && v6.is_empty() {
        return;
    }
    let mut draft = Draft::new(FAMILY_PARITY, Some(t), name);
    draft.severity = case.weighed_for(FAMILY_PARITY.severity, t);
    draft.host = case.manifest.targets.get(t).and_then(|target| {
        let named = |host: &&HostEntry| host.host == Host::Name(name.to_owned());
        target.hosts.iter().find(named).map(|entry| entry.host.to_string())
    });
    draft.place = case.manifest.targets.get(t).map(|target| target.place.clone());
    draft.title = format!("{name} exposes different ports over IPv4 and IPv6");
    "the same ports over both families".clone_into(&mut draft.expected);
    let side = |ports: &BTreeSet<(Protocol, u16)>, family: Family| {
        (!ports.is_empty()).then(|| format!("only over {family}: {}", words::ports(ports)))
    };
    let sides: Vec<String> =
        [side(&v4, Family::Ipv4), side(&v6, Family::Ipv6)].into_iter().flatten().collect();
    draft.observed = sides.join("; ");
    draft.message = format!(
        "Of what may be open at {name}, these ports are open in one family and not in the other ({}). Firewalls and services are often set up for one family and forgotten for the other.",
        draft.observed
    );
    "Compare both firewalls (`nft list ruleset`, or `iptables-save` and `ip6tables-save`) and the addresses that the service listens on (`ss -ltun`); if one family is meant, say `families` on the entry.".clone_into(&mut draft.remedy);
    draft.covers = v4.union(&v6).copied().collect();
    docket.file(draft);
}

fn opens<'v>(view: &'v View<'_>) -> impl Iterator<Item = (Protocol, u16)> + 'v {
    let open = view.seen.iter().filter(|(_, seen)| seen.state == State::Open);
    open.map(|(_, seen)| (seen.endpoint.protocol, seen.endpoint.port))
}

/// Whether this port of this address can be held against the other family: declared there, really
/// determined, and not spoken of by another finding.
fn comparable(case: &Case<'_>, view: &View<'_>, at: (Protocol, u16), docket: &Docket) -> bool {
    let (protocol, port) = at;
    let endpoint = Endpoint { address: view.address, protocol, port };
    matches!(view.life, Life::Host | Life::Edge)
        && state(view, at).is_some()
        && !docket.speaks_of(&endpoint)
        && view.of(protocol, port).is_none_or(|(_, seen)| !seen.contradicts_itself())
        && case.expectation(view.group, protocol, port).is_exposed()
}

/// The state of a port, where it is determined: silence over UDP is not. Ports that nobody observed were
/// not open.
fn state(view: &View<'_>, (protocol, port): (Protocol, u16)) -> Option<State> {
    let ask = view.group.ask(protocol);
    if !ask.planned().contains(port) || ask.blind.contains(port) {
        return None;
    }
    if let Some((_, seen)) = view.of(protocol, port) {
        return Some(seen.state).filter(|state| !matches!(state, State::Unknown | State::Unanswered));
    }
    // Of a part of the plan, it may be in another part.
    let given = u64::from(ask.planned().difference(&ask.blind).len());
    let undetermined = |tally: &&Tally| tally.states.unknown + tally.states.unanswered > 0;
    let all = |tally: &&Tally| !undetermined(tally) && tally.states.total() >= given;
    view.tally(protocol).filter(all).map(|_| State::Filtered)
}
