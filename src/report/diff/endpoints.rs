//! Open ports of two reports, held against each other one by one.

use std::{collections::BTreeSet, net::IpAddr};

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    change::{self, Change, NotInspected},
    look::{Look, Looks},
};
use crate::{
    model::{Protocol, State, Verdict},
    report::Report,
};

/// Endpoints that are open in one of the reports, by what became of them.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct Endpoints {
    /// Open now; looked at before, and not open then.
    pub appeared: Vec<EndpointDiff>,
    /// Open before; looked at now, and not open.
    pub vanished: Vec<EndpointDiff>,
    /// Open in both, and not the same there.
    pub changed: Vec<EndpointDiff>,
    /// Open before, and nobody looked again: not gone.
    pub not_looked_at: Vec<EndpointDiff>,
    /// Open now, and nobody looked before: not new.
    pub not_looked_at_before: Vec<EndpointDiff>,
    /// Open in both, and what answers there was not seen again.
    pub not_inspected: Vec<EndpointDiff>,
    /// Open in both, and nothing differs.
    pub same: u64,
}

/// One endpoint in two reports.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct EndpointDiff {
    /// Where.
    pub address: String,
    /// How.
    pub protocol: Protocol,
    /// Which.
    pub port: u16,
    /// The targets that the address belongs to, of either report.
    pub targets: Vec<String>,
    /// What the old report says.
    pub old: EndpointSeen,
    /// What the new report says.
    pub new: EndpointSeen,
    /// What is not the same about it.
    pub changes: Vec<Change>,
    /// What was seen before, and not looked at again.
    pub not_inspected: Vec<NotInspected>,
}

/// One endpoint in one report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct EndpointSeen {
    /// Whether it was looked at, and open.
    pub seen: Sight,
    /// The state; null where it was not looked at, or where more than one is possible.
    pub state: Option<State>,
    /// The verdict on it, where it is recorded.
    pub verdict: Option<Verdict>,
    /// What answers, where that is known.
    pub service: Option<String>,
    /// Why it was not looked at.
    pub why: Option<String>,
}

/// What a report says of an endpoint, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // the words say it
pub enum Sight {
    Open,
    NotOpen,
    NotLookedAt,
}

impl EndpointSeen {
    fn of(look: &Look<'_>) -> Self {
        let nothing = Self { seen: Sight::NotLookedAt, state: None, verdict: None, service: None, why: None };
        match look {
            Look::Open(seen) => Self {
                seen: Sight::Open,
                state: Some(State::Open),
                verdict: Some(seen.verdict),
                service: seen.service.clone(),
                why: None,
            },
            Look::NotOpen(state) => Self { seen: Sight::NotOpen, state: *state, ..nothing },
            Look::Not(why) => Self { why: Some(why.clone()), ..nothing },
        }
    }
}

/// The order of a report: family, numeric address, protocol, port; what is no address comes last.
type Key<'a> = (bool, Option<IpAddr>, &'a str, Protocol, u16);

/// Compares every endpoint that is open in one of them.
pub(super) fn compare(old: &Looks<'_>, new: &Looks<'_>) -> Endpoints {
    let open: BTreeSet<Key<'_>> = open_of(old.report).chain(open_of(new.report)).collect();
    let alike = old.hearers() == new.hearers();
    let mut found = Endpoints::default();
    for (_, _, address, protocol, port) in open {
        let (before, after) = (old.at(address, protocol, port), new.at(address, protocol, port));
        let targets = old.targets(address).union(&new.targets(address)).map(|&id| id.to_owned()).collect();
        let mut diff = EndpointDiff {
            address: address.to_owned(),
            protocol,
            port,
            targets,
            old: EndpointSeen::of(&before),
            new: EndpointSeen::of(&after),
            changes: Vec::new(),
            not_inspected: Vec::new(),
        };
        match (before, after) {
            (Look::Open(before), Look::Open(after)) => {
                (diff.changes, diff.not_inspected) = change::between(before, after, alike);
                match (diff.changes.is_empty(), diff.not_inspected.is_empty()) {
                    (false, _) => found.changed.push(diff),
                    (true, false) => found.not_inspected.push(diff),
                    (true, true) => found.same += 1,
                }
            }
            (Look::Open(_), Look::NotOpen(_)) => found.vanished.push(diff),
            (Look::Open(_), Look::Not(_)) => found.not_looked_at.push(diff),
            (Look::NotOpen(_), Look::Open(_)) => found.appeared.push(diff),
            (Look::Not(_), Look::Open(_)) => found.not_looked_at_before.push(diff),
            // Open on an address that answers on everything: neither says anything.
            (Look::NotOpen(_) | Look::Not(_), Look::NotOpen(_) | Look::Not(_)) => {}
        }
    }
    found
}

fn open_of(report: &Report) -> impl Iterator<Item = Key<'_>> {
    let open = report.observations.iter().filter(|seen| seen.state == State::Open);
    open.map(|seen| {
        let address: Option<IpAddr> = seen.address.parse().ok();
        (address.is_none(), address, seen.address.as_str(), seen.protocol, seen.port)
    })
}
