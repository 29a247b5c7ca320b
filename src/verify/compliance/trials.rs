//! On how much a rule was tried: a rule that was tried on nothing shows nothing, though nothing breaks it.

use super::{
    super::{host, parity, words},
    ground::Ground,
};
use crate::{
    model::{Protocol, Rule},
    spec::manifest::{Host, Presence, TlsExpectation},
};

/// How many things a rule was held against, and what they are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Trial {
    pub(super) n: u64,
    one: &'static str,
    many: &'static str,
}

impl Trial {
    fn words(self) -> String {
        format!("{} {}", words::number(self.n), if self.n == 1 { self.one } else { self.many })
    }
}

const ENDPOINTS: (&str, &str) = ("endpoint", "endpoints");
const OPEN: (&str, &str) = ("open endpoint", "open endpoints");
const ENTRIES: (&str, &str) = ("entry", "entries");
const TARGETS: (&str, &str) = ("target", "targets");
const EXCEPTIONS: (&str, &str) = ("exception", "exceptions");
const DATES: (&str, &str) = ("review date", "review dates");
const MANIFESTS: (&str, &str) = ("manifest", "manifests");

/// On what the rules of a control were tried, as a sentence, and another on those that were tried on nothing; `None`
/// where all of them are such.
pub(super) fn told(rules: &[&'static Rule], ground: &Ground<'_>) -> Option<Vec<String>> {
    let mut tried: Vec<(Trial, Vec<&str>)> = Vec::new();
    let mut idle = Vec::new();
    for rule in rules {
        let trial = of(rule.id, ground);
        match tried.iter_mut().find(|(known, _)| *known == trial) {
            _ if trial.n == 0 => idle.push(rule.id),
            Some((_, alike)) => alike.push(rule.id),
            None => tried.push((trial, vec![rule.id])),
        }
    }
    if tried.is_empty() {
        return None;
    }
    let tried: Vec<String> = tried
        .into_iter()
        .map(|(trial, rules)| format!("{} on {}", rules.join(", "), trial.words()))
        .collect();
    let mut told = vec![format!("Tried: {}.", tried.join("; "))];
    if !idle.is_empty() {
        told.push(format!("Nothing to try on: {}.", idle.join(", ")));
    }
    Some(told)
}

fn of(rule: &str, ground: &Ground<'_>) -> Trial {
    let (n, (one, many)) = counted(rule, ground);
    Trial { n, one, many }
}

fn counted(rule: &str, ground: &Ground<'_>) -> (u64, (&'static str, &'static str)) {
    match rule {
        "EXP001" | "EXP010" | "EXP011" | "EXP012" | "EXP015" => (ground.determined(), ENDPOINTS),
        "EXP004" => (ground.open_with(|entry| entry.service.is_some() || entry.banner.is_some()), OPEN),
        "EXP005" => {
            let profiled = |tls: &TlsExpectation| tls.profile.is_some();
            (ground.open_with(|entry| entry.tls.as_ref().is_some_and(profiled)), OPEN)
        }
        "EXP006" => (ground.open_with(|entry| entry.tls.is_some()), OPEN),
        "EXP007" => (known_services(ground), OPEN),
        "EXP002" | "EXP008" | "EXP009" | "MAN002" | "MAN011" => (targets(rule, ground), TARGETS),
        "EXP014" => (edges(ground), ("address", "addresses")),
        "EXP013" | "MAN013" | "MAN018" => (review_dates(rule, ground), DATES),
        "EXC001" | "EXC002" | "EXC003" | "EXC004" | "MAN016" => (exceptions(rule, ground), EXCEPTIONS),
        "MAN001" | "MAN010" => {
            let dated = ground.case.manifest.authorization.valid_until.is_some();
            (u64::from(rule == "MAN001" || dated), MANIFESTS)
        }
        _ => (entries(rule, ground), ENTRIES),
    }
}

/// Open endpoints of which it is known who answers.
fn known_services(ground: &Ground<'_>) -> u64 {
    let portraits = ground.case.seen.portraits;
    let known = ground.open.iter().filter(|judged| {
        portraits.get(&judged.endpoint).is_some_and(|portrait| portrait.service().is_some())
    });
    known.count() as u64
}

fn targets(rule: &str, ground: &Ground<'_>) -> u64 {
    let case = ground.case;
    let tried = ground.targets.iter().filter(|(t, target)| match rule {
        "EXP002" => !target.deny.is_empty() || !target.profiles.is_empty(),
        "EXP008" => parity::is_compared(case, *t, target),
        "EXP009" => {
            !target.expect_dns.is_empty()
                || target.hosts.iter().any(|entry| matches!(entry.host, Host::Name(_)))
        }
        "MAN011" => !case.manifest.authorization.scope.exclude.is_empty(),
        _ => true,
    });
    if rule == "EXP002" && ground.determined() == 0 { 0 } else { tried.count() as u64 }
}

/// Addresses of which the manifest says how what is not open must look.
fn edges(ground: &Ground<'_>) -> u64 {
    let targets = &ground.case.manifest.targets;
    let said = ground.addresses.iter().filter(|record| {
        let owners = record.owners.iter().filter_map(|owner| targets.get(owner.target));
        owners.into_iter().any(host::declares_edge)
    });
    said.filter(|record| record.states.total() > record.states.unknown).count() as u64
}

fn review_dates(rule: &str, ground: &Ground<'_>) -> u64 {
    let metadata = &ground.case.manifest.metadata;
    let (last, every) = (metadata.last_review.is_some(), metadata.review_every.is_some());
    let entries = ground.entries(|_, entry| entry.review_by.is_some());
    match rule {
        "MAN013" => u64::from(last || every),
        "MAN018" if ground.case.manifest.policy.max_review_days.is_none() => 0,
        "MAN018" => entries + u64::from(every),
        _ => entries + u64::from(last && every),
    }
}

fn exceptions(rule: &str, ground: &Ground<'_>) -> u64 {
    let manifest = ground.case.manifest;
    if rule == "EXC003" && manifest.policy.max_exception_days.is_none() {
        return 0;
    }
    let of = |target: &str| ground.targets.iter().any(|(_, known)| known.id == target);
    manifest.exceptions.iter().filter(|exception| of(&exception.target)).count() as u64
}

/// Entries of `expose`.
fn entries(rule: &str, ground: &Ground<'_>) -> u64 {
    let policy = &ground.case.manifest.policy;
    ground.entries(|target, entry| match rule {
        "EXP003" => entry.presence == Presence::Required,
        "MAN006" => !target.profiles.is_empty(),
        "MAN012" => entry.insecure,
        "MAN014" => entry.service.is_some(),
        "MAN015" => !policy.require.is_empty(),
        "MAN017" => entry.protocol == Protocol::Udp && entry.presence == Presence::Required,
        "MAN019" => !entry.controls.is_empty(),
        "MAN003" | "MAN004" | "MAN005" | "MAN007" | "MAN008" => true,
        _ => false, // nobody here knows on what, so it shows nothing
    })
}
