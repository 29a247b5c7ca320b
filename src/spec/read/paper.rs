//! `metadata`, `authorization`, `vantages` and `policy`: whose manifest it is and who allowed what.
//! Never widens a scope: what is not understood is an error.

use std::{collections::BTreeMap, time::Duration};

use super::{Reader, expose::FAMILIES, target::MarkedTarget};
use crate::{
    model::{Scope, ScopeEntry},
    spec::{
        calendar,
        decode::{Table, named, text},
        diagnostic::Diagnostics,
        host::scope_entry,
        keys,
        manifest::{Authorization, Metadata, Policy, Vantage},
        nearest::nearest,
        yaml::Value,
    },
};

impl Reader<'_> {
    pub(super) fn metadata(&mut self, doc: &Table<'_>) -> Metadata {
        let place = self.out.place(doc.place_of("metadata"));
        let node = doc.take("metadata", &mut self.out);
        let Some(table) = node.and_then(|node| Table::open(node, &keys::METADATA, &mut self.out)) else {
            return Metadata { review_place: Some(place), ..Metadata::default() };
        };
        let out = &mut self.out;
        let mut metadata = Metadata {
            name: table.text("name", out),
            owner: table.text("owner", out),
            contact: table.text("contact", out),
            environment: table.text("environment", out),
            review_place: Some(place),
            ..Metadata::default()
        };
        let node = table.take("review", out);
        if let Some(review) = node.and_then(|node| Table::open(node, &keys::REVIEW, out)) {
            metadata.review_place = Some(out.place(table.place_of("review")));
            metadata.last_review = review.date("last", out);
            metadata.review_every = span(&review, "every", "once in half a year is `every: 180d`", out);
        }
        metadata
    }

    /// What `authorization` says; without it the hosts as written.
    pub(super) fn authorization(&mut self, doc: &Table<'_>, targets: &[MarkedTarget]) -> Authorization {
        if !doc.has("authorization") {
            let place = Some(self.out.place(doc.place_of("authorization")));
            let scope = implied(targets.iter().map(|marked| &marked.target));
            return Authorization { scope, implied: true, place, ..Authorization::default() };
        }
        let node = doc.take("authorization", &mut self.out);
        let Some(table) = node.and_then(|node| Table::open(node, &keys::AUTHORIZATION, &mut self.out)) else {
            return Authorization::default();
        };
        let entries = self.scope_entries(&table, "scope");
        if entries.is_empty() && self.out.is_empty() {
            let at = table.place_of("scope");
            self.out.error(
                at,
                "the authorized scope is empty",
                "add `scope: [203.0.113.0/24, www.example.com]`",
            );
        }
        Authorization {
            reference: table.text("reference", &mut self.out),
            authorized_by: table.text("authorized_by", &mut self.out),
            valid_until: self.valid_until(&table),
            scope: Scope { entries, exclude: self.scope_entries(&table, "exclude") },
            max_rate: table.count("max_rate", &mut self.out),
            implied: false,
            place: Some(self.out.place(table.place_of("valid_until"))),
        }
    }

    /// A day that is still to be filled in would be an authorization without end.
    fn valid_until(&mut self, table: &Table<'_>) -> Option<jiff::civil::Date> {
        let broken = self.out.count();
        let date = table.date("valid_until", &mut self.out);
        if date.is_none() && table.has("valid_until") && self.out.count() == broken {
            let at = table.place_of("valid_until");
            self.out.error(
                at,
                "`valid_until` is still to be filled in",
                "write the last day, or remove the key",
            );
        }
        date
    }

    fn scope_entries(&mut self, table: &Table<'_>, key: &str) -> Vec<ScopeEntry> {
        let mut entries = Vec::new();
        for node in table.list(key, &mut self.out).unwrap_or_default() {
            let Some(text) = text(node, key, &mut self.out) else { continue };
            match scope_entry(&text) {
                Ok(entry) => entries.push(entry),
                Err(error) => self.out.error(node.at, error.message, error.help.as_deref()),
            }
        }
        entries
    }

    pub(super) fn vantages(&mut self, doc: &Table<'_>) -> BTreeMap<String, Vantage> {
        let Some(node) = doc.take("vantages", &mut self.out) else { return BTreeMap::new() };
        let entries = named(node, "vantages", &mut self.out);
        self.vantages = Some(entries.iter().map(|(key, _)| key.text.clone()).collect());
        let mut vantages = BTreeMap::new();
        for (key, node) in entries {
            let Some(table) = Table::open(node, &keys::VANTAGE, &mut self.out) else { continue };
            let mut blind = Vec::new();
            for node in table.list("blind", &mut self.out).unwrap_or_default() {
                blind.extend(self.ports(node));
            }
            let sources = self.addresses(&table, "sources");
            let families = if table.has("families") {
                self.families(&table).unwrap_or_default()
            } else {
                FAMILIES.iter().map(|(_, family)| *family).collect()
            };
            vantages.insert(key.text.clone(), Vantage { sources, families, blind });
        }
        vantages
    }

    pub(super) fn policy(&mut self, doc: &Table<'_>) -> Policy {
        let place = Some(self.out.place(doc.place_of("policy")));
        let node = doc.take("policy", &mut self.out);
        let Some(table) = node.and_then(|node| Table::open(node, &keys::POLICY, &mut self.out)) else {
            return Policy::default();
        };
        let out = &mut self.out;
        let require = table.words("require", keys::REQUIRABLE, out).unwrap_or_default();
        let max_age = span(&table, "max_age", "at least one run a month is `max_age: 31d`", out);
        let mut days = |key: &str| table.count(key, out).and_then(|days| u32::try_from(days).ok());
        let (max_exception_days, max_review_days) = (days("max_exception_days"), days("max_review_days"));
        let mut policy = Policy {
            uses: Vec::new(),
            max_exception_days,
            max_review_days,
            four_eyes: table.flag("four_eyes", out).unwrap_or_default(),
            max_age,
            require: require.into_iter().map(str::to_owned).collect(),
            place,
        };
        self.adopt_named(&table, &mut policy);
        policy
    }

    /// Policies by name: one, or a list.
    fn adopt_named(&mut self, table: &Table<'_>, policy: &mut Policy) {
        let Some(node) = table.take("use", &mut self.out) else { return };
        let nodes = match &node.value {
            Value::List(nodes) => nodes.as_slice(),
            _ => std::slice::from_ref(node),
        };
        for node in nodes {
            let Some(name) = text(node, "use", &mut self.out) else { continue };
            if policy.uses.iter().any(|used| used.name == name) {
                continue;
            }
            if let Some(named) = self.names.policy(&name) {
                policy.adopt(named);
                continue;
            }
            let help = nearest(&name, self.names.policies()).map_or_else(
                || "`portproof profiles` lists the policies".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            self.out.error(node.at, format!("there is no policy `{name}`"), help.as_str());
        }
    }
}

/// A span of time under a key.
fn span(table: &Table<'_>, key: &str, help: &str, out: &mut Diagnostics) -> Option<Duration> {
    let node = table.take(key, out)?;
    match calendar::duration(&text(node, key, out)?) {
        Ok(span) => Some(span),
        Err(message) => {
            out.error(node.at, message, help);
            None
        }
    }
}

/// The scope of a manifest without authorization: exactly the hosts as written.
pub(in crate::spec) fn implied<'t>(
    targets: impl Iterator<Item = &'t crate::spec::manifest::Target>,
) -> Scope {
    let mut seen = std::collections::HashSet::new();
    let hosts = targets.flat_map(|target| &target.hosts).map(|entry| &entry.host);
    let entries = hosts
        .filter(|host| seen.insert((*host).clone()))
        .map(crate::spec::manifest::Host::as_scope)
        .collect();
    Scope { entries, exclude: Vec::new() }
}
