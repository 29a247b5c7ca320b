//! What makes a manifest unusable although each part of it reads: contradictions, and hosts outside
//! the authorized scope. Never decides which of two contradicting entries was meant.

use std::collections::{HashMap, HashSet};

use super::{
    diagnostic::Diagnostics,
    manifest::{Authorization, Expose, Host, Presence},
    read::{MarkedException, MarkedTarget},
};
use crate::model::{AddressRange, PortSet, Protocol, ScopeEntry};

/// Checks what only the whole can show.
pub(super) fn run(
    targets: &[MarkedTarget],
    authorization: &Authorization,
    exceptions: &[MarkedException],
    out: &mut Diagnostics,
) {
    unique_ids(targets, exceptions, out);
    for marked in targets {
        within_target(marked, out);
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
            let ports = PortSet::from_ranges([(other.first, other.last.min(run.last))]);
            let what = format!("{ports}/{}", run.protocol);
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
                        out.error(at, format!("{what} is both required and optional"), help.as_str());
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
                        out.error(at, format!("{what} is both exposed and denied"), help.as_str());
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
    let whole = Merged::of(&scope.entries);
    let excluded = Merged::of(&scope.exclude);
    for marked in targets {
        for (entry, at) in marked.target.hosts.iter().zip(&marked.hosts) {
            let host = &entry.host;
            let range = match host {
                Host::Name(name) => {
                    if !scope.covers_name(name) {
                        outside(host, None, scope_has_name(&scope.exclude, name), *at, out);
                    }
                    continue;
                }
                Host::Address(address) => AddressRange::single(*address),
                Host::Block(block) => AddressRange::of(*block),
            };
            if whole.contains(range) && !excluded.touches(range) {
                continue;
            }
            let block = match host {
                Host::Block(block) => *block,
                _ => range.first().into(),
            };
            let (permits, refused, _) = scope.authorize_block(block);
            match refused.first() {
                Some(part) => outside(host, (*part != range).then_some(*part), false, *at, out),
                None if permits.is_empty() => outside(host, None, true, *at, out),
                None => {}
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

fn scope_has_name(entries: &[ScopeEntry], name: &str) -> bool {
    entries.iter().any(|entry| matches!(entry, ScopeEntry::Name(pattern) if pattern.matches(name)))
}

/// Blocks as sorted, disjoint ranges, so that a fleet is checked in one search a host.
struct Merged(Vec<AddressRange>);

impl Merged {
    fn of(entries: &[ScopeEntry]) -> Self {
        let mut ranges: Vec<AddressRange> = entries
            .iter()
            .filter_map(|entry| match entry {
                ScopeEntry::Block(block) => Some(AddressRange::of(*block)),
                ScopeEntry::Name(_) => None,
            })
            .collect();
        // Of blocks that begin alike the widest comes first.
        ranges.sort_unstable_by_key(|range| (range.family(), range.first(), std::cmp::Reverse(range.last())));
        // Blocks nest or are apart: what begins inside the one before lies inside it.
        ranges.dedup_by(|next, kept| kept.contains(next.first()));
        Self(ranges)
    }

    /// The last range that begins at or before an address.
    fn before(&self, range: AddressRange) -> Option<AddressRange> {
        let i = self
            .0
            .partition_point(|known| (known.family(), known.first()) <= (range.family(), range.first()));
        self.0.get(i.checked_sub(1)?).copied()
    }

    fn contains(&self, range: AddressRange) -> bool {
        self.before(range).is_some_and(|known| known.contains(range.first()) && known.contains(range.last()))
    }

    fn touches(&self, range: AddressRange) -> bool {
        let i = self
            .0
            .partition_point(|known| (known.family(), known.first()) <= (range.family(), range.first()));
        self.before(range).is_some_and(|known| known.contains(range.first()))
            || self.0.get(i).is_some_and(|known| range.contains(known.first()))
    }
}
