//! What names resolve to, then and now.

use std::collections::{BTreeSet, HashMap};

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    model::Family,
    report::{DnsAnswer, Report},
};

/// Names by what became of them.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct Names {
    /// They resolve to something else.
    pub changed: Vec<NameDiff>,
    /// They were looked up before, and not again, or without an answer.
    pub not_looked_at: Vec<Unnamed>,
    /// They resolve to the same.
    pub same: u64,
}

/// One name in one family.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NameDiff {
    /// As asked.
    pub name: String,
    /// A or AAAA.
    pub family: Family,
    /// Before.
    pub old: NameSeen,
    /// Now.
    pub new: NameSeen,
}

/// What DNS said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[allow(missing_docs)] // the fields of an answer
pub struct NameSeen {
    pub status: String,
    pub addresses: Vec<String>,
    pub chain: Vec<String>,
}

/// One name that was not looked up again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Unnamed {
    /// As asked.
    pub name: String,
    /// A or AAAA.
    pub family: Family,
    /// Why nothing is known.
    pub why: String,
}

/// Compares each name that the old run looked up.
pub(super) fn compare(old: &Report, new: &Report) -> Names {
    let mut found = Names::default();
    let mut answers = HashMap::new();
    for answer in &new.run.resolver.answers {
        answers.entry((answer.name.as_str(), answer.family)).or_insert(answer);
    }
    for before in old.run.resolver.answers.iter().filter(|answer| is_definite(answer)) {
        let after = answers.get(&(before.name.as_str(), before.family)).copied();
        let (name, family) = (before.name.clone(), before.family);
        match after {
            None => {
                found.not_looked_at.push(Unnamed { name, family, why: "not looked up".to_owned() });
            }
            Some(after) if !is_definite(after) => {
                let why = after.error.clone().unwrap_or_else(|| after.status.clone());
                found.not_looked_at.push(Unnamed { name, family, why });
            }
            Some(after) if is_same(before, after) => found.same += 1,
            Some(after) => {
                found.changed.push(NameDiff { name, family, old: seen(before), new: seen(after) });
            }
        }
    }
    found
}

/// Whether DNS said what there is, or that there is nothing. Anything else says nothing.
fn is_definite(answer: &DnsAnswer) -> bool {
    matches!(answer.status.as_str(), "answered" | "no_data" | "nxdomain")
}

/// Addresses come in any order.
fn is_same(old: &DnsAnswer, new: &DnsAnswer) -> bool {
    let set = |answer: &DnsAnswer| answer.addresses.iter().cloned().collect::<BTreeSet<String>>();
    old.status == new.status && set(old) == set(new) && old.chain == new.chain
}

fn seen(answer: &DnsAnswer) -> NameSeen {
    let DnsAnswer { status, addresses, chain, .. } = answer.clone();
    NameSeen { status, addresses, chain }
}
