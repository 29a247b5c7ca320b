//! What was looked at and with what: a component for each target, an inventory item for each address, the program and
//! the place it looked from.

use std::{collections::HashMap, net::IpAddr};

use serde::Serialize;
use serde_json::{Value, json};

use super::{
    Refs,
    words::{markup, own, props},
};
use crate::report::{
    AddressRecord, Report, TargetRecord,
    exchange::{known, text},
    statement::origin,
    words::count,
};

/// The ids of targets and addresses, by what they are called in the report.
pub(super) struct Assets<'a> {
    targets: HashMap<&'a str, String>,
    addresses: HashMap<&'a str, String>,
}

/// What an observation is about.
#[derive(Serialize)]
pub(super) struct Subject<'a> {
    #[serde(rename = "subject-uuid")]
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    title: String,
}

impl<'a> Assets<'a> {
    /// Of a report.
    pub(super) fn of(report: &'a Report, refs: &Refs) -> Self {
        let mut assets = Self { targets: HashMap::new(), addresses: HashMap::new() };
        for target in &report.targets {
            assets.targets.entry(&target.id).or_insert_with(|| refs.ids.id("target", &target.id));
            for place in &target.addresses {
                let address = place.address.as_str();
                assets.addresses.entry(address).or_insert_with(|| refs.ids.id("address", address));
            }
        }
        assets
    }

    /// An address as a subject.
    pub(super) fn address(&self, address: &str) -> Option<Subject<'_>> {
        let id = self.addresses.get(address)?;
        Some(Subject { id, kind: "inventory-item", title: markup(address) })
    }

    /// A target as a subject.
    pub(super) fn target(&self, target: &str) -> Option<Subject<'_>> {
        let id = self.targets.get(target)?;
        Some(Subject { id, kind: "component", title: markup(target) })
    }

    /// All of them, defined.
    pub(super) fn definitions(&self, report: &Report, refs: &Refs) -> Value {
        let mut once = std::collections::HashSet::new();
        let targets = report.targets.iter().filter(|target| once.insert(target.id.as_str()));
        let components: Vec<Value> = targets.filter_map(|target| self.component(target)).collect();
        known(json!({
            "components": components,
            "inventory-items": self.inventory(report),
            "assessment-assets": assessment(report, refs),
        }))
    }

    fn component(&self, target: &TargetRecord) -> Option<Value> {
        let addresses = count(target.addresses.len() as u64, "address", "addresses");
        let hosts = target.hosts.join(", ");
        Some(json!({
            "uuid": self.targets.get(target.id.as_str())?,
            "type": "network",
            "title": markup(&target.id),
            "description": markup(&format!("A target of the manifest, {addresses}: {hosts}")),
            "props": props([("owner", target.owner.as_deref()), ("tags", Some(target.tags.join(", ").as_str()))]),
            "status": { "state": "other", "remarks": "Looked at from outside only." },
        }))
    }

    /// One item an address, of however many targets.
    fn inventory(&self, report: &Report) -> Vec<Value> {
        let mut order: Vec<&str> = Vec::new();
        let mut found: HashMap<&str, Vec<(&TargetRecord, &AddressRecord)>> = HashMap::new();
        for target in &report.targets {
            for place in &target.addresses {
                let all = found.entry(&place.address).or_default();
                if all.is_empty() {
                    order.push(&place.address);
                }
                all.push((target, place));
            }
        }
        let item = |address: &str| Some(self.item(address, found.get(address)?));
        order.into_iter().filter_map(item).collect()
    }

    fn item(&self, address: &str, of: &[(&TargetRecord, &AddressRecord)]) -> Value {
        let mut names: Vec<&str> = of
            .iter()
            .filter_map(|(_, place)| place.name.as_deref())
            .filter(|name| !name.contains('/') && !text(name).is_empty())
            .collect();
        names.sort_unstable();
        names.dedup();
        let kind = match address.parse::<IpAddr>() {
            Ok(IpAddr::V4(_)) => Some("ipv4-address"),
            Ok(IpAddr::V6(_)) => Some("ipv6-address"),
            Err(_) => None,
        };
        let facts: Vec<_> = kind
            .map(|kind| own(kind, address))
            .into_iter()
            .chain(names.iter().map(|name| own("fqdn", name)))
            .collect();
        let mut targets: Vec<&String> =
            of.iter().filter_map(|(target, _)| self.targets.get(target.id.as_str())).collect();
        targets.sort_unstable();
        targets.dedup();
        let liveness = of.iter().find_map(|(_, place)| place.liveness.as_deref());
        let alive = match of.iter().find_map(|(_, place)| place.alive) {
            Some(true) => format!("{address} answered: {}", liveness.unwrap_or("something did")),
            Some(false) => format!("{address} answered nothing"),
            None => format!("Whether {address} lives is not known"),
        };
        json!({
            "uuid": self.addresses.get(address),
            "description": markup(&alive),
            "props": facts,
            "implemented-components":
                targets.iter().map(|id| json!({ "component-uuid": id })).collect::<Vec<_>>(),
        })
    }
}

fn assessment(report: &Report, refs: &Refs) -> Value {
    let tool = &report.tool;
    let place = origin(report).unwrap_or_else(|| "a place that the report does not name".to_owned());
    let run = &report.run;
    json!({
        "components": [{
            "uuid": refs.tool,
            "type": "software",
            "title": markup(&format!("{} {}", tool.name, tool.version)),
            "description": "Asks every planned endpoint from outside and holds the answers against the manifest.",
            "props": props([
                ("version", Some(tool.version.as_str())),
                ("commit", tool.commit.as_deref()),
                ("sha256", tool.sha256.as_deref()),
            ]),
            "status": { "state": "operational" },
        }],
        "assessment-platforms": [{
            "uuid": refs.ids.id("platform", "scanner"),
            "title": markup(&format!("The scanner at {place}")),
            "props": props([
                ("host", run.host.name.as_deref()),
                ("tcp-method", run.scan.tcp.as_deref()),
                ("udp-method", run.scan.udp.as_deref()),
            ]),
            "uses-components": [{ "component-uuid": refs.tool }],
        }],
    })
}
