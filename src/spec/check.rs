//! What makes a manifest unusable although each part of it reads: contradictions, and hosts outside
//! the authorized scope. Never decides which of two contradicting entries was meant.

use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
};

use super::{
    cover::Cover,
    diagnostic::Diagnostics,
    manifest::{Authorization, Expose, Host, Presence},
    reach,
    read::{MarkedException, MarkedTarget},
};
use crate::model::{AddressRange, PortSet, Protocol};

/// Checks what only the whole can show.
pub(super) fn run(
    targets: &[MarkedTarget],
    authorization: &Authorization,
    exceptions: &[MarkedException],
    out: &mut Diagnostics,
) {
    unique_ids(targets, exceptions, out);
    for marked in targets {
        if !out.is_full() {
            within_target(marked, out);
            reach::within(marked, out);
        }
    }
    between_targets(targets, out);
    // An implied scope is made of the hosts; a broken one would report every host.
    if !authorization.implied && !authorization.scope.entries.is_empty() {
        in_scope(targets, authorization, out);
    }
}

fn unique_ids(targets: &[MarkedTarget], exceptions: &[MarkedException], out: &mut Diagnostics) {
    let mut seen = HashMap::new();
    for marked in targets.iter().filter(|marked| !marked.target.id.is_empty()) {
        if let Some(first) = seen.insert(marked.target.id.as_str(), marked.at) {
            let help = format!("the other one is at {}; give each its own `id`", out.place(first));
            out.error(marked.at, format!("two targets are called `{}`", marked.target.id), help.as_str());
        }
    }
    seen.clear();
    for marked in exceptions {
        if let Some(first) = seen.insert(marked.exception.id.as_str(), marked.at) {
            let help = format!("the other one is at {}", out.place(first));
            out.error(
                marked.at,
                format!("two exceptions are called `{}`", marked.exception.id),
                help.as_str(),
            );
        }
    }
}

/// A run of ports of one entry.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Run {
    protocol: Protocol,
    first: u16,
    last: u16,
    /// Exposed or denied, and which entry.
    denied: bool,
    entry: usize,
}

fn within_target(marked: &MarkedTarget, out: &mut Diagnostics) {
    let target = &marked.target;
    let exposed = target.expose.iter().enumerate().map(|(i, entry)| (i, false, entry.protocol, &entry.ports));
    let denied = target.deny.iter().enumerate().map(|(i, entry)| (i, true, entry.protocol, &entry.ports));
    let mut runs: Vec<Run> = exposed
        .chain(denied)
        .flat_map(|(entry, denied, protocol, ports)| {
            ports.ranges().map(move |(first, last)| Run { protocol, first, last, denied, entry })
        })
        .collect();
    runs.sort_unstable();
    let mut said = HashSet::new();
    for (i, run) in runs.iter().enumerate() {
        let later = runs.iter().skip(i + 1);
        for other in later.take_while(|other| other.protocol == run.protocol && other.first <= run.last) {
            let what = || {
                let ports = PortSet::from_ranges([(other.first, other.last.min(run.last))]);
                format!("{ports}/{}", run.protocol)
            };
            match (run.denied, other.denied) {
                (true, true) => {}
                (false, false) => {
                    let (a, b) = (run.entry.min(other.entry), run.entry.max(other.entry));
                    let pair = target.expose.get(a).zip(target.expose.get(b));
                    if pair.is_some_and(|(a, b)| disagree(a, b)) && said.insert((a, b, false)) {
                        let at = marked.expose.get(b).copied().unwrap_or_default();
                        let first = marked.expose.get(a).map(|mark| out.place(*mark).to_string());
                        let help = format!(
                            "the other entry is at {}; keep one, or tell them apart by `from`",
                            first.unwrap_or_default()
                        );
                        out.error(at, format!("{} is both required and optional", what()), help.as_str());
                    }
                }
                (run_denied, _) => {
                    let (exposed, denied) =
                        if run_denied { (other.entry, run.entry) } else { (run.entry, other.entry) };
                    if said.insert((exposed, denied, true)) {
                        let at = marked.deny.get(denied).copied().unwrap_or_default();
                        let first = marked.expose.get(exposed).map(|mark| out.place(*mark).to_string());
                        let help =
                            format!("it is exposed at {}; remove one of the two", first.unwrap_or_default());
                        out.error(at, format!("{} is both exposed and denied", what()), help.as_str());
                    }
                }
            }
        }
    }
}

/// Whether two entries for one port contradict each other somewhere.
fn disagree(a: &Expose, b: &Expose) -> bool {
    let same_vantage =
        a.from.is_empty() || b.from.is_empty() || a.from.iter().any(|name| b.from.contains(name));
    let same_family = a.families.iter().any(|family| b.families.contains(family));
    a.presence != b.presence && same_vantage && same_family
}

/// Targets that list the same host pool their ports, so one must not require what another denies.
fn between_targets(targets: &[MarkedTarget], out: &mut Diagnostics) {
    let mut by_host: HashMap<&Host, Vec<&MarkedTarget>> = HashMap::new();
    for marked in targets {
        for entry in &marked.target.hosts {
            by_host.entry(&entry.host).or_default().push(marked);
        }
    }
    let mut shared: Vec<(&Host, Vec<&MarkedTarget>)> =
        by_host.into_iter().filter(|(_, sharing)| sharing.len() > 1).collect();
    shared.sort_by_key(|(_, sharing)| sharing.first().map(|marked| (marked.at.source, marked.at.start)));
    let mut said = HashSet::new();
    for (host, sharing) in shared {
        for protocol in [Protocol::Tcp, Protocol::Udp] {
            let wanted = PortSet::from_ranges(sharing.iter().flat_map(|marked| required(marked, protocol)));
            for &denying in &sharing {
                for (i, deny) in denying.target.deny.iter().enumerate() {
                    let both = deny.ports.intersection(&wanted);
                    let at = denying.deny.get(i).copied().unwrap_or_default();
                    if deny.protocol != protocol || both.is_empty() || !said.insert((at.source, at.start)) {
                        continue;
                    }
                    let requiring = sharing.iter().copied().find(|other| {
                        !std::ptr::eq(*other, denying)
                            && required(other, protocol)
                                .any(|(first, last)| both.ranges().any(|(a, b)| a <= last && first <= b))
                    });
                    let Some(requiring) = requiring else { continue };
                    let message = format!(
                        "{both}/{protocol} of {host} is denied here and required by target `{}`",
                        requiring.target.id
                    );
                    let help = format!("that target is at {}; remove one of the two", requiring.target.place);
                    out.error(at, message, help.as_str());
                }
            }
        }
    }
}

fn required(marked: &MarkedTarget, protocol: Protocol) -> impl Iterator<Item = (u16, u16)> {
    let entries = marked.target.expose.iter();
    entries
        .filter(move |entry| entry.protocol == protocol && entry.presence == Presence::Required)
        .flat_map(|entry| entry.ports.ranges())
}

fn in_scope(targets: &[MarkedTarget], authorization: &Authorization, out: &mut Diagnostics) {
    let scope = &authorization.scope;
    let (allowed, excluded) = (Cover::of(&scope.entries), Cover::of(&scope.exclude));
    for marked in targets {
        for (entry, at) in marked.target.hosts.iter().zip(&marked.hosts) {
            if out.is_full() {
                return;
            }
            let host = &entry.host;
            let (range, block) = match host {
                Host::Name(name) => {
                    // Where the scope holds a block, only the addresses can say whether the name leads into
                    // it; planning refuses those that lie outside.
                    if excluded.name(name) || !allowed.name(name) && !scope.has_blocks() {
                        outside(host, None, excluded.name(name), *at, out);
                    }
                    continue;
                }
                Host::Address(address) => (AddressRange::single(*address), (*address).into()),
                Host::Local { address, .. } => {
                    let address = IpAddr::from(*address);
                    (AddressRange::single(address), address.into())
                }
                Host::Block(block) => (AddressRange::of(*block), *block),
            };
            if excluded.count(range) == range.count() {
                outside(host, None, true, *at, out);
            } else if !allowed.whole(range) {
                // Several entries together may cover it, and what is excluded need not be covered.
                let (_, refused, _) = scope.authorize_block(block);
                if let Some(part) = refused.first() {
                    outside(host, (*part != range).then_some(*part), false, *at, out);
                }
            }
        }
    }
}

fn outside(
    host: &Host,
    part: Option<AddressRange>,
    excluded: bool,
    at: super::yaml::Mark,
    out: &mut Diagnostics,
) {
    if excluded {
        let message = format!("{host} is excluded by `authorization.exclude` and would never be probed");
        out.error(at, message, "remove the host here, or the exclusion there");
        return;
    }
    let message = match part {
        None => format!("{host} is outside `authorization.scope`"),
        Some(part) => {
            format!("part of {host} is outside `authorization.scope`: {} to {}", part.first(), part.last())
        }
    };
    let help =
        format!("if the authorization covers it, add `{host}` to `authorization.scope`; else remove it here");
    out.error(at, message, help.as_str());
}
