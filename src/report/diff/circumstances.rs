//! The runs behind two reports: when, from where, how, of what; and where the new one looked at less.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::Serialize;

use super::look::{Looks, Place};
use crate::{
    model::{Protocol, StateCounts},
    report::{
        Methods, Outcome, Report,
        restrictions::restrictions,
        statement::{Statement, determined, origin, stopped_by},
        words::{count, listed},
    },
};

/// One of the two reports.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Side {
    /// SHA-256 of its file.
    pub sha256: String,
    /// The run's id.
    pub run: String,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// RFC 3339, UTC.
    pub finished_at: String,
    /// From where: addresses and vantage.
    pub from: Option<String>,
    /// The manifest's name, else its path.
    pub manifest: Option<String>,
    /// SHA-256 of the manifest.
    pub manifest_sha256: Option<String>,
    /// How was scanned.
    pub scan: Methods,
    /// The run did not reach its end.
    pub partial: bool,
    /// Under which restrictions its outcome holds.
    pub restrictions: Vec<String>,
    /// Why what it says of itself must not be believed; null where nothing speaks against it.
    pub contradiction: Option<String>,
    /// The outcome.
    pub result: Outcome,
    /// Endpoints in the plan.
    pub planned: u64,
    /// Those of which state and verdict are known.
    pub determined: u64,
    /// Where they ended.
    pub states: StateCounts,
}

/// Something that is different about the runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Circumstance {
    /// `manifest`, `vantage`, `from`, `tcp`, `udp`, `restrictions`, `partial`, `order`.
    pub what: String,
    /// Before; null for none.
    pub old: Option<String>,
    /// Now; null for none.
    pub new: Option<String>,
}

/// An address of which the new run determined less.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Narrower {
    /// Which.
    pub address: String,
    /// The targets that it belonged to.
    pub targets: Vec<String>,
    /// Endpoints determined before.
    pub old_determined: u64,
    /// Endpoints determined now.
    pub new_determined: u64,
    /// Why.
    pub why: String,
}

/// One report's side.
pub(super) fn side(report: &Report, sha256: &str) -> Side {
    let run = &report.run;
    let said = Statement::of(report);
    Side {
        sha256: sha256.to_owned(),
        run: run.id.clone(),
        started_at: run.started_at.clone(),
        finished_at: run.finished_at.clone(),
        from: origin(report),
        manifest: run.manifest.name.clone().or_else(|| run.manifest.path.clone()),
        manifest_sha256: run.manifest.sha256.clone(),
        scan: run.scan.clone(),
        partial: run.partial,
        restrictions: restrictions(report),
        contradiction: said.contradiction().map(str::to_owned),
        result: said.outcome(),
        planned: report.coverage.planned,
        determined: determined(report),
        states: report.coverage.states,
    }
}

/// What is different about the runs.
pub(super) fn differing(old: &Report, new: &Report) -> Vec<Circumstance> {
    let manifest = |report: &Report| {
        let manifest = &report.run.manifest;
        let name = manifest.name.as_deref().or(manifest.path.as_deref()).unwrap_or("the command line");
        let digest = manifest.sha256.as_ref().map(|sha256| sha256.chars().take(16).collect::<String>());
        Some(digest.map_or_else(|| name.to_owned(), |digest| format!("{name}, SHA-256 {digest}…")))
    };
    let sources = |report: &Report| Some(listed(&report.run.host.source_addresses)).filter(|s| !s.is_empty());
    let narrowed = |report: &Report| Some(restrictions(report).join("; ")).filter(|text| !text.is_empty());
    let stopped =
        |report: &Report| report.run.partial.then(|| stopped_by(&report.run.stop_reason).to_owned());
    let mut found: Vec<Circumstance> = [
        ("manifest", manifest(old), manifest(new)),
        ("vantage", old.run.vantage.clone(), new.run.vantage.clone()),
        ("from", sources(old), sources(new)),
        ("tcp", old.run.scan.tcp.clone(), new.run.scan.tcp.clone()),
        ("udp", old.run.scan.udp.clone(), new.run.scan.udp.clone()),
        ("restrictions", narrowed(old), narrowed(new)),
        ("partial", stopped(old), stopped(new)),
    ]
    .into_iter()
    .filter(|(_, old, new)| old != new)
    .map(|(what, old, new)| Circumstance { what: what.to_owned(), old, new })
    .collect();
    let time = |report: &Report| report.run.finished_at.parse::<jiff::Timestamp>().ok();
    if time(new) < time(old) {
        let (old, new) = (Some(old.run.finished_at.clone()), Some(new.run.finished_at.clone()));
        found.push(Circumstance { what: "order".to_owned(), old, new });
    }
    found
}

/// Addresses of which the new run determined less, in the order of a report.
pub(super) fn narrower(old: &Looks<'_>, new: &Looks<'_>) -> Vec<Narrower> {
    let mut found: Vec<Narrower> = old
        .addresses()
        .filter_map(|(address, before)| {
            let after = new.place(address);
            let why = match after {
                None => Some(new.absent(address)).filter(|_| before.determined() > 0),
                Some(after) => less(before, after, new),
            }?;
            Some(Narrower {
                address: address.to_owned(),
                targets: before.targets.iter().map(|&id| id.to_owned()).collect(),
                old_determined: before.determined(),
                new_determined: after.map_or(0, Place::determined),
                why,
            })
        })
        .collect();
    found.sort_by_cached_key(|narrower| {
        let address: Option<IpAddr> = narrower.address.parse().ok();
        (address.is_none(), address, narrower.address.clone())
    });
    found
}

/// What the new run did not determine of an address, where it is less than before.
fn less(before: &Place<'_>, after: &Place<'_>, new: &Looks<'_>) -> Option<String> {
    let mut lost = Vec::new();
    if before.is_whole() {
        for protocol in [Protocol::Tcp, Protocol::Udp] {
            let ports = before.ports(protocol).zip(after.ports(protocol));
            let ports =
                ports.map(|(before, after)| before.difference(after)).filter(|ports| !ports.is_empty());
            lost.extend(ports.map(|ports| {
                let n = count(ports.len().into(), "port", "ports");
                format!("{n} over {} not asked", protocol.to_string().to_uppercase())
            }));
        }
    }
    let (then, now) = (before.all().unknown, after.all().unknown);
    if now > then {
        let more = count(now - then, "more endpoint", "more endpoints");
        lost.push(format!("{more} not determined, {}", new.why_unknown()));
    }
    if lost.is_empty() && after.determined() < before.determined() {
        lost.push("fewer ports asked".to_owned());
    }
    (!lost.is_empty()).then(|| lost.join("; "))
}
