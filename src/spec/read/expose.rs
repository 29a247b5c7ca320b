//! `services`, `expose` and `deny`: the fields of an exposure and how they are inherited. The
//! nearest wins: entry, service, target, defaults.

use std::path::PathBuf;

use jiff::civil::Date;

use super::Reader;
use crate::{
    model::{Family, PortSet, Protocol, Severity, clean},
    spec::{
        decode::{Table, listed, text},
        keys,
        manifest::{Deny, Expose, Presence, TlsExpectation},
        nearest::nearest,
        port,
        yaml::{Key, Mark, Node, Value},
    },
};

/// The words for families.
pub(super) const FAMILIES: &[(&str, Family)] = &[("ipv4", Family::Ipv4), ("ipv6", Family::Ipv6)];
const PRESENCES: &[(&str, Presence)] = &[("required", Presence::Required), ("optional", Presence::Optional)];
const SEVERITIES: &[(&str, Severity)] = &[
    ("low", Severity::Low),
    ("medium", Severity::Medium),
    ("high", Severity::High),
    ("critical", Severity::Critical),
];
const TLS_PROFILES: &[(&str, &str)] =
    &[("modern", "modern"), ("intermediate", "intermediate"), ("old", "old")];

/// The fields that an entry may have or inherit.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields {
    presence: Option<Presence>,
    from: Option<Vec<String>>,
    service: Option<String>,
    tls: Option<TlsExpectation>,
    banner: Option<String>,
    pub(super) owner: Option<String>,
    justification: Option<String>,
    approved_by: Option<String>,
    approved_on: Option<Date>,
    ticket: Option<String>,
    review_by: Option<Date>,
    pub(super) families: Option<Vec<Family>>,
    insecure: Option<bool>,
    security_features: Option<String>,
    pub(super) controls: Option<Vec<String>>,
}

impl Fields {
    /// These, and what they don't say from `below`.
    pub(super) fn over(self, below: &Self) -> Self {
        Self {
            presence: self.presence.or(below.presence),
            from: self.from.or_else(|| below.from.clone()),
            service: self.service.or_else(|| below.service.clone()),
            tls: self.tls.or_else(|| below.tls.clone()),
            banner: self.banner.or_else(|| below.banner.clone()),
            owner: self.owner.or_else(|| below.owner.clone()),
            justification: self.justification.or_else(|| below.justification.clone()),
            approved_by: self.approved_by.or_else(|| below.approved_by.clone()),
            approved_on: self.approved_on.or(below.approved_on),
            ticket: self.ticket.or_else(|| below.ticket.clone()),
            review_by: self.review_by.or(below.review_by),
            families: self.families.or_else(|| below.families.clone()),
            insecure: self.insecure.or(below.insecure),
            security_features: self.security_features.or_else(|| below.security_features.clone()),
            controls: self.controls.or_else(|| below.controls.clone()),
        }
    }
}

/// An entry of `services`.
pub(super) struct Service {
    fields: Fields,
    ports: Option<(Protocol, PortSet)>,
    pub(super) at: Mark,
    pub(super) used: bool,
}

impl Reader<'_> {
    pub(super) fn service(&mut self, key: &Key, node: &Node) -> Option<Service> {
        let table = Table::open(node, &keys::SERVICE, &mut self.out)?;
        let fields = self.fields(&table);
        let ports = table.take("port", &mut self.out).and_then(|node| self.ports(node));
        Some(Service { fields, ports, at: key.at, used: false })
    }

    /// The fields of a map that may hold them.
    pub(super) fn fields(&mut self, table: &Table<'_>) -> Fields {
        let out = &mut self.out;
        let mut fields = Fields {
            presence: table.word("presence", PRESENCES, out),
            from: None,
            service: table.text("service", out),
            tls: None,
            banner: table.text("banner", out),
            owner: table.text("owner", out),
            justification: table.text("justification", out),
            approved_by: table.text("approved_by", out),
            approved_on: table.date("approved_on", out),
            ticket: table.text("ticket", out),
            review_by: table.date("review_by", out),
            families: None,
            insecure: table.flag("insecure", out),
            security_features: table.text("security_features", out),
            controls: table.texts("controls", out),
        };
        fields.families = self.families(table);
        fields.tls = table.take("tls", &mut self.out).and_then(|node| self.tls(node));
        if let Some(names) = table.list("from", &mut self.out) {
            fields.from = Some(names.iter().filter_map(|node| self.vantage_name(node, "from")).collect());
        }
        fields
    }

    pub(super) fn families(&mut self, table: &Table<'_>) -> Option<Vec<Family>> {
        let broken = self.out.count();
        let mut families = table.words("families", FAMILIES, &mut self.out)?;
        families.sort_unstable();
        families.dedup();
        if families.is_empty() && self.out.count() == broken {
            let at = table.place_of("families");
            self.out.error(
                at,
                "`families` is empty: nothing could be asked",
                "write `[ipv4]`, `[ipv6]` or both",
            );
            return None;
        }
        Some(families)
    }

    fn tls(&mut self, node: &Node) -> Option<TlsExpectation> {
        let table = Table::open(node, &keys::TLS, &mut self.out)?;
        let out = &mut self.out;
        Some(TlsExpectation {
            profile: table.word("profile", TLS_PROFILES, out).map(str::to_owned),
            min_days_left: table.count("min_days_left", out).and_then(|days| u32::try_from(days).ok()),
            trusted: table.flag("trusted", out),
            ca_file: table.text("ca_file", out).map(PathBuf::from),
            names: table.texts("names", out).unwrap_or_default(),
        })
    }

    /// One entry of `expose`; `above` is what the target and the defaults say.
    pub(super) fn expose(&mut self, node: &Node, above: &Fields, families: &[Family]) -> Option<Expose> {
        let (fields, (protocol, ports)) = match &node.value {
            Value::Map(_) => self.expose_map(node)?,
            _ => (Fields::default(), self.ports(node)?),
        };
        let fields = fields.over(above);
        Some(Expose {
            place: self.out.place(node.at),
            protocol,
            ports,
            presence: fields.presence.unwrap_or_default(),
            from: fields.from.unwrap_or_default(),
            service: fields.service,
            tls: fields.tls,
            banner: fields.banner,
            owner: fields.owner,
            justification: fields.justification,
            approved_by: fields.approved_by,
            approved_on: fields.approved_on,
            ticket: fields.ticket,
            review_by: fields.review_by,
            families: fields.families.unwrap_or_else(|| families.to_vec()),
            insecure: fields.insecure.unwrap_or_default(),
            security_features: fields.security_features,
            controls: fields.controls.unwrap_or_default(),
        })
    }

    fn expose_map(&mut self, node: &Node) -> Option<(Fields, (Protocol, PortSet))> {
        let table = Table::open(node, &keys::EXPOSE, &mut self.out)?;
        let own = self.fields(&table);
        let port = table.take("port", &mut self.out);
        let ports = port.and_then(|node| self.ports(node));
        let Some(service) = table.take("use", &mut self.out) else {
            if !table.has("port") && !table.has("use") {
                self.out.error(
                    table.at,
                    "an `expose` entry without a port",
                    "add `port: 443/tcp`, or `use: NAME` of `services`",
                );
            }
            return Some((own, ports?));
        };
        let name = text(service, "use", &mut self.out)?;
        let Some(used) = self.services.get_mut(&name) else {
            let known: Vec<&str> = self.services.keys().map(String::as_str).collect();
            let help = match nearest(&name, &known) {
                Some(near) => format!("did you mean `{near}`?"),
                None if known.is_empty() => "the manifest has no `services`".to_owned(),
                None => format!("`services` has {}", listed(&sorted(known))),
            };
            self.out.error(service.at, format!("`services` has no `{name}`"), help.as_str());
            return None;
        };
        used.used = true;
        let fields = own.over(&used.fields);
        let Some(ports) = ports.or_else(|| used.ports.clone()) else {
            if port.is_none() {
                let message = format!("neither the entry nor the service `{name}` has a port");
                self.out.error(service.at, message, "add `port: 443/tcp` to one of them");
            }
            return None;
        };
        Some((fields, ports))
    }

    /// One entry of `deny`.
    pub(super) fn deny(&mut self, node: &Node) -> Option<Deny> {
        let place = self.out.place(node.at);
        if !matches!(node.value, Value::Map(_)) {
            let (protocol, ports) = self.ports(node)?;
            return Some(Deny { place, protocol, ports, reason: None, severity: None });
        }
        let table = Table::open(node, &keys::DENY, &mut self.out)?;
        let reason = table.text("reason", &mut self.out);
        let severity = table.word("severity", SEVERITIES, &mut self.out);
        if !table.has("port") {
            self.out.error(table.at, "a `deny` entry without a port", "add `port: 3306/tcp`");
        }
        let (protocol, ports) = table.take("port", &mut self.out).and_then(|node| self.ports(node))?;
        Some(Deny { place, protocol, ports, reason, severity })
    }

    /// The ports of an entry.
    pub(super) fn ports(&mut self, node: &Node) -> Option<(Protocol, PortSet)> {
        let text = match &node.value {
            Value::Int(_, text) | Value::Float(text) | Value::Text(text) => text,
            other => {
                let message = format!("a port is a number, a range or a map, not {}", other.describe());
                self.out.error(node.at, message, "write 443, 22/tcp, 8000-8010/tcp or {port: 443/tcp, ...}");
                return None;
            }
        };
        match port::entry(text) {
            Ok(ports) => Some(ports),
            Err(error) => {
                let help = self.named_port(text).or(error.help);
                self.out.error(node.at, error.message, help.as_deref());
                None
            }
        }
    }

    /// The cure for a word where a port was meant.
    fn named_port(&self, word: &str) -> Option<String> {
        if self.services.contains_key(word) {
            return Some(format!("to use the service of that name, write `{{use: {}}}`", clean(word)));
        }
        let (name, protocol) = match word.split_once('/') {
            Some((name, "udp")) => (name, Protocol::Udp),
            Some((name, _)) => (name, Protocol::Tcp),
            None => (word, Protocol::Tcp),
        };
        let ports = self.names.service_ports(name, protocol).filter(|ports| !ports.is_empty())?;
        Some(format!("write the port: {ports}/{protocol}"))
    }
}

fn sorted(mut words: Vec<&str>) -> Vec<&str> {
    words.sort_unstable();
    words
}
