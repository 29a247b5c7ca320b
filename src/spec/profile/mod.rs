//! Profiles: what sorts of hosts expose and must never expose, what is known about ports, and what
//! standards ask. They never make anything pass or required; they forbid, weigh and advise. Reads no file by itself.

mod builtin;
mod error;
mod names;
mod need;
mod policy;
mod read;
mod role;
mod services;

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

pub use self::{
    error::ProfileError,
    need::Need,
    policy::{Control, Only, PolicyProfile, Support},
    role::{Expected, Never, Role},
    services::Service,
};
use self::{read::Once, services::Services};
use crate::model::{PortSet, Protocol, Severity};

/// Every profile in force: the built-in ones, and what `--profile-dir` lays over them.
#[derive(Clone, Debug, Default)]
pub struct Profiles {
    roles: BTreeMap<String, Role>,
    policies: BTreeMap<String, PolicyProfile>,
    services: Services,
    common: Common,
    sensitive: SensitivePorts,
}

/// Ports whose unexpected exposure is worse than others'.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sensitive {
    /// TCP or UDP.
    pub protocol: Protocol,
    /// One port, or a range with one meaning.
    pub ports: PortSet,
    /// How bad it is when nothing declares them.
    pub severity: Severity,
    /// What a stranger can do there, as a clause.
    pub why: String,
}

impl Profiles {
    /// What is built into the binary.
    pub fn builtin() -> Result<Self, ProfileError> {
        let mut profiles = Self::default();
        for (path, text) in builtin::FILES {
            profiles.overlay(path, text)?;
        }
        Ok(profiles)
    }

    /// Lays one file of a profile folder over what is there: `roles/NAME.yaml` and
    /// `policies/NAME.yaml` replace or add that one, `ports/services.yaml`, `ports/common.yaml` and `ports/sensitive.yaml` replace the whole
    /// table. Only the last two parts of the path count, the error names all of it. Files of `ports/`
    /// come first, since roles name services. On an error nothing has changed.
    pub fn overlay(&mut self, path: &str, text: &str) -> Result<(), ProfileError> {
        let unknown = || ProfileError::NotAProfile(path.to_owned());
        let mut parts = path.rsplit(['/', '\\']);
        let file = parts.next().unwrap_or_default();
        let stem = file.strip_suffix(".yaml").or_else(|| file.strip_suffix(".yml")).ok_or_else(unknown)?;
        match (parts.next().unwrap_or_default(), stem) {
            ("roles", name) => {
                let role = Role::read(path, text, name, &self.services)?;
                self.roles.insert(role.name.clone(), role);
            }
            ("policies", name) => {
                let policy = PolicyProfile::read(path, text, name)?;
                self.policies.insert(policy.name.clone(), policy);
            }
            ("ports", "services") => self.services = Services::read(path, text)?,
            ("ports", "common") => self.common = Common::read(path, text)?,
            ("ports", "sensitive") => self.sensitive = SensitivePorts::read(path, text)?,
            _ => return Err(unknown()),
        }
        Ok(())
    }

    /// Every role, by name.
    pub fn roles(&self) -> impl Iterator<Item = &Role> {
        self.roles.values()
    }

    /// The role of that name.
    pub fn role(&self, name: &str) -> Option<&Role> {
        self.roles.get(name)
    }

    /// Every policy, by name.
    pub fn policies(&self) -> impl Iterator<Item = &PolicyProfile> {
        self.policies.values()
    }

    /// The policy of that name.
    pub fn policy(&self, name: &str) -> Option<&PolicyProfile> {
        self.policies.get(name)
    }

    /// Every row of the list of services, in the order of the file.
    pub fn services(&self) -> impl Iterator<Item = &Service> {
        self.services.rows().iter()
    }

    /// Every alias and the name it stands for, by alias.
    pub fn service_aliases(&self) -> impl Iterator<Item = (&str, &str)> {
        self.services.aliases()
    }

    /// What usually listens there: `https`.
    pub fn service_name(&self, protocol: Protocol, port: u16) -> Option<&str> {
        self.services.at(protocol, port).map(|service| service.name.as_str())
    }

    /// What usually listens there, in a few words: `Web over TLS`.
    pub fn service_title(&self, protocol: Protocol, port: u16) -> Option<&str> {
        self.services.at(protocol, port).map(|service| service.title.as_str())
    }

    /// The name of a service, of which another may be an alias. What is unknown is its own name.
    pub fn service_of<'s>(&'s self, name: &'s str) -> &'s str {
        self.services.canonical(name)
    }

    /// Where a service usually listens, by name or alias, in any case. Empty: unknown.
    pub fn service_ports(&self, name: &str) -> Vec<(Protocol, u16)> {
        self.services.ports(name).to_vec()
    }

    /// Whether a service has that name or alias.
    pub fn knows_service(&self, name: &str) -> bool {
        !self.services.ports(name).is_empty()
    }

    /// The name or alias that was probably meant by an unknown one.
    pub fn nearest_service(&self, name: &str) -> Option<&str> {
        self.services.nearest(name)
    }

    /// What the port set `common` means.
    pub fn common(&self, protocol: Protocol) -> &PortSet {
        match protocol {
            Protocol::Tcp => &self.common.tcp,
            Protocol::Udp => &self.common.udp,
        }
    }

    /// Why an auditor looks at this port of `common`, as a clause.
    pub fn common_reason(&self, protocol: Protocol, port: u16) -> Option<&str> {
        self.common.reasons.get(&(protocol, port)).map(String::as_str)
    }

    /// Whether the unexpected exposure of this port is worse than others', and why.
    pub fn sensitivity(&self, protocol: Protocol, port: u16) -> Option<&Sensitive> {
        let row = self.sensitive.by_port.get(&(protocol, port))?;
        self.sensitive.rows.get(*row)
    }

    /// Every sensitive port, in the order of the file.
    pub fn sensitive(&self) -> impl Iterator<Item = &Sensitive> {
        self.sensitive.rows.iter()
    }
}

/// `ports/common.yaml`.
#[derive(Clone, Debug, Default)]
struct Common {
    tcp: PortSet,
    udp: PortSet,
    reasons: HashMap<(Protocol, u16), String>,
}

impl Common {
    fn read(path: &str, text: &str) -> Result<Self, ProfileError> {
        let file: read::CommonFile = read::parse(path, text)?;
        let mut once = Once::default();
        let mut reasons = HashMap::new();
        let rows = file.tcp.into_iter().map(|row| (Protocol::Tcp, row));
        for (section, row) in rows.chain(file.udp.into_iter().map(|row| (Protocol::Udp, row))) {
            if row.port.value.protocol != section {
                let place = read::place(path, row.port.referenced);
                let message = format!("a {} port in the list `{section}`", row.port.value.protocol);
                return Err(ProfileError::Syntax { place, message });
            }
            reasons
                .extend(once.take(path, &row.port)?.into_iter().map(|endpoint| (endpoint, row.why.clone())));
        }
        let set = |protocol| reasons.keys().filter(|(p, _)| *p == protocol).map(|(_, port)| *port).collect();
        Ok(Self { tcp: set(Protocol::Tcp), udp: set(Protocol::Udp), reasons })
    }
}

/// `ports/sensitive.yaml`.
#[derive(Clone, Debug, Default)]
struct SensitivePorts {
    rows: Vec<Sensitive>,
    by_port: HashMap<(Protocol, u16), usize>,
}

impl SensitivePorts {
    fn read(path: &str, text: &str) -> Result<Self, ProfileError> {
        let file: read::SensitiveFile = read::parse(path, text)?;
        let mut sensitive = Self::default();
        let mut once = Once::default();
        for row in file.ports {
            let endpoints = once.take(path, &row.port)?;
            let place = sensitive.rows.len();
            sensitive.by_port.extend(endpoints.into_iter().map(|endpoint| (endpoint, place)));
            let read::Port { protocol, ports } = row.port.value;
            sensitive.rows.push(Sensitive { protocol, ports, severity: row.severity, why: row.why });
        }
        Ok(sensitive)
    }
}

#[cfg(test)]
mod tests;
