//! `defaults` and `targets`: hosts, what is swept, what may be open. Never reads a host twice.

use std::{collections::HashSet, net::IpAddr};

use super::{
    Reader,
    expose::{FAMILIES, Fields},
};
use crate::{
    model::{PortSet, Protocol},
    spec::{
        decode::{Table, text},
        host::{HostError, address, host},
        keys,
        manifest::{ClosedState, Criticality, HostEntry, Target, Unlisted},
        nearest::nearest,
        port,
        yaml::{Mark, Node, Value},
    },
};

const UNLISTED: &[(&str, Unlisted)] = &[("deny", Unlisted::Deny), ("warn", Unlisted::Warn)];
const CLOSED_STATES: &[(&str, ClosedState)] =
    &[("any", ClosedState::Any), ("closed", ClosedState::Closed), ("filtered", ClosedState::Filtered)];
const CRITICALITIES: &[(&str, Criticality)] =
    &[("low", Criticality::Low), ("normal", Criticality::Normal), ("high", Criticality::High)];
/// More entries than this in one list say nothing that a range would not say better.
const MAX_ENTRIES: usize = 4_096;

/// A target with the marks that later checks point at.
pub(in crate::spec) struct MarkedTarget {
    pub(in crate::spec) target: Target,
    pub(in crate::spec) at: Mark,
    /// One a host.
    pub(in crate::spec) hosts: Vec<Mark>,
    /// One an entry of `expose`.
    pub(in crate::spec) expose: Vec<Mark>,
    /// One an entry of `deny`.
    pub(in crate::spec) deny: Vec<Mark>,
}

/// What `defaults` says.
#[derive(Default)]
pub(super) struct Defaults {
    fields: Fields,
    sweep: Sweep,
}

/// The settings of a target that `defaults` may have as well.
#[derive(Default)]
struct Sweep {
    tcp: Option<PortSet>,
    udp: Option<PortSet>,
    unlisted: Option<Unlisted>,
    rate: Option<u64>,
    closed_state: Option<ClosedState>,
    criticality: Option<Criticality>,
}

impl Reader<'_> {
    pub(super) fn defaults(&mut self, doc: &Table<'_>) -> Defaults {
        let node = doc.take("defaults", &mut self.out);
        let Some(table) = node.and_then(|node| Table::open(node, &keys::DEFAULTS, &mut self.out)) else {
            return Defaults::default();
        };
        Defaults { fields: self.fields(&table), sweep: self.sweep(&table) }
    }

    fn sweep(&mut self, table: &Table<'_>) -> Sweep {
        Sweep {
            tcp: self.swept(table, Protocol::Tcp),
            udp: self.swept(table, Protocol::Udp),
            unlisted: table.word("unlisted", UNLISTED, &mut self.out),
            rate: table.count("rate", &mut self.out),
            closed_state: table.word("closed_state", CLOSED_STATES, &mut self.out),
            criticality: table.word("criticality", CRITICALITIES, &mut self.out),
        }
    }

    /// A port set: one expression, or a list of them.
    fn swept(&mut self, table: &Table<'_>, protocol: Protocol) -> Option<PortSet> {
        let key = protocol.to_string();
        let node = table.take(&key, &mut self.out)?;
        let items = match &node.value {
            Value::List(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        let mut set = PortSet::NONE;
        for item in items {
            match port::sweep(&text(item, &key, &mut self.out)?, protocol, self.names) {
                Ok(ports) => set = set.union(&ports),
                Err(error) => self.out.error(item.at, error.message, error.help.as_deref()),
            }
        }
        Some(set)
    }

    pub(super) fn target(&mut self, node: &Node, defaults: &Defaults) -> Option<MarkedTarget> {
        let table = Table::open(node, &keys::TARGET, &mut self.out)?;
        let fields = self.fields(&table).over(&defaults.fields);
        let own = self.sweep(&table);
        let below = &defaults.sweep;
        let families =
            fields.families.clone().unwrap_or_else(|| FAMILIES.iter().map(|(_, family)| *family).collect());

        let (hosts, host_marks) = self.hosts(&table);
        let (expose, expose_marks) =
            self.entries(&table, "expose", |reader, node| reader.expose(node, &fields, &families));
        let (deny, deny_marks) = self.entries(&table, "deny", Self::deny);
        let id = match table.take("id", &mut self.out) {
            Some(node) => text(node, "id", &mut self.out).unwrap_or_default(),
            None => hosts.first().map(|entry| entry.host.to_string()).unwrap_or_default(),
        };
        let at = if table.has("id") { table.place_of("id") } else { table.at };
        let target = Target {
            id,
            place: self.out.place(node.at),
            expect_dns: self.expect_dns(&table),
            profiles: self.profiles(&table),
            tags: table.texts("tags", &mut self.out).unwrap_or_default(),
            owner: fields.owner.clone(),
            hosts,
            expose,
            deny,
            tcp: own.tcp.or_else(|| below.tcp.clone()).unwrap_or_else(PortSet::all),
            udp: own.udp.or_else(|| below.udp.clone()).unwrap_or_else(|| self.names.common(Protocol::Udp)),
            families,
            unlisted: own.unlisted.or(below.unlisted).unwrap_or_default(),
            rate: own.rate.or(below.rate),
            expect_dark: table.flag("expect_dark", &mut self.out),
            closed_state: own.closed_state.or(below.closed_state).unwrap_or_default(),
            criticality: own.criticality.or(below.criticality).unwrap_or_default(),
            stores_cardholder_data: table.flag("stores_cardholder_data", &mut self.out).unwrap_or_default(),
            controls: fields.controls.unwrap_or_default(),
        };
        Some(MarkedTarget { target, at, hosts: host_marks, expose: expose_marks, deny: deny_marks })
    }

    /// The entries of a list, each with its mark.
    fn entries<T>(
        &mut self,
        table: &Table<'_>,
        key: &str,
        mut read: impl FnMut(&mut Self, &Node) -> Option<T>,
    ) -> (Vec<T>, Vec<Mark>) {
        let nodes = table.list(key, &mut self.out).unwrap_or_default();
        if nodes.len() > MAX_ENTRIES {
            let message = format!("{} entries under `{key}`; at most {MAX_ENTRIES} are read", nodes.len());
            self.out.error(table.place_of(key), message, "write ranges: 8000-8010/tcp");
            return (Vec::new(), Vec::new());
        }
        let read = |node: &Node| if self.out.is_full() { None } else { Some((read(self, node)?, node.at)) };
        nodes.iter().filter_map(read).unzip()
    }

    /// The hosts of a target, those of files included, each once.
    fn hosts(&mut self, table: &Table<'_>) -> (Vec<HostEntry>, Vec<Mark>) {
        let mut found = Vec::new();
        let nodes = if table.has("hosts") { table.list("hosts", &mut self.out) } else { Some([].as_slice()) };
        if let Some([]) = nodes {
            let at = table.place_of("hosts");
            self.out.error(at, "a target without hosts", "add `hosts: [www.example.com]`");
        }
        for node in nodes.unwrap_or_default() {
            if let Value::Map(_) = &node.value {
                self.listed_hosts(node, &mut found);
            } else if let Some(text) = text(node, "hosts", &mut self.out) {
                self.add_host(host(&text), node.at, &mut found);
            }
        }
        let mut seen = HashSet::new();
        found.retain(|(entry, _)| seen.insert(entry.host.clone()));
        found.into_iter().unzip()
    }

    fn listed_hosts(&mut self, node: &Node, found: &mut Vec<(HostEntry, Mark)>) {
        let Some(table) = Table::open(node, &keys::HOSTS_FILE, &mut self.out) else { return };
        let Some(path) = table.text("file", &mut self.out) else {
            if !table.has("file") {
                self.out.error(
                    node.at,
                    "a host entry without `file`",
                    "write `{file: fleet.txt}`, or the host itself",
                );
            }
            return;
        };
        let Some((source, content)) = self.hosts_file(&path, table.place_of("file")) else { return };
        let before = found.len();
        let broken = self.out.count();
        let mut start = 0;
        for (i, whole) in content.split_inclusive('\n').enumerate() {
            let line = whole.split('#').next().unwrap_or_default();
            let word = line.trim();
            if !word.is_empty() {
                let indent = line.len() - line.trim_start().len();
                let at = start + indent;
                let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
                let mark = Mark {
                    source,
                    line: narrow(i + 1),
                    column: narrow(line.get(..indent).unwrap_or_default().chars().count() + 1),
                    start: narrow(at),
                    end: narrow(at + word.len()),
                };
                self.add_host(host(word), mark, found);
            }
            start += whole.len();
        }
        if found.len() == before && self.out.count() == broken {
            self.out.error(
                node.at,
                format!("`{path}` holds no host"),
                "write one host a line; `#` begins a comment",
            );
        }
    }

    fn add_host(
        &mut self,
        host: Result<crate::spec::manifest::Host, HostError>,
        at: Mark,
        found: &mut Vec<(HostEntry, Mark)>,
    ) {
        match host {
            _ if self.out.is_full() => {}
            Ok(host) => found.push((HostEntry { host, place: self.out.place(at) }, at)),
            Err(error) => self.out.error(at, error.message, error.help.as_deref()),
        }
    }

    fn expect_dns(&mut self, table: &Table<'_>) -> Vec<IpAddr> {
        self.addresses(table, "expect_dns")
    }

    pub(super) fn addresses(&mut self, table: &Table<'_>, key: &str) -> Vec<IpAddr> {
        let mut addresses = Vec::new();
        let mut seen = HashSet::new();
        for node in table.list(key, &mut self.out).unwrap_or_default() {
            let Some(text) = text(node, key, &mut self.out) else { continue };
            match address(&text) {
                Ok(address) if seen.insert(address) => addresses.push(address),
                Ok(_) => {}
                Err(error) => self.out.error(node.at, error.message, error.help.as_deref()),
            }
        }
        addresses
    }

    fn profiles(&mut self, table: &Table<'_>) -> Vec<String> {
        let mut profiles = Vec::new();
        for node in table.list("profiles", &mut self.out).unwrap_or_default() {
            let Some(name) = text(node, "profiles", &mut self.out) else { continue };
            if self.roles.contains(&name) {
                profiles.push(name);
                continue;
            }
            let help = match nearest(&name, &self.roles) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "`portproof profiles` lists the roles".to_owned(),
            };
            self.out.error(node.at, format!("there is no role profile `{name}`"), help.as_str());
        }
        profiles
    }
}
