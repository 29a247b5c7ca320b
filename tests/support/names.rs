//! A small stand-in for the profiles, and files in memory: what the manifest reader asks for.

#![allow(clippy::unwrap_used)] // a helper of tests

use std::collections::BTreeMap;

use portproof::{
    model::{PortSet, Protocol},
    spec::{Files, Names, profile::PolicyProfile},
};

/// A handful of services and roles.
pub(crate) struct FewNames;

impl Names for FewNames {
    fn roles(&self) -> Vec<String> {
        ["web-server", "mail-server", "database"].map(str::to_owned).to_vec()
    }

    fn policies(&self) -> Vec<String> {
        vec!["pci-dss-4.0.1".to_owned()]
    }

    fn policy(&self, name: &str) -> Option<PolicyProfile> {
        (name == "pci-dss-4.0.1").then(|| PolicyProfile { name: name.to_owned(), ..PolicyProfile::default() })
    }

    fn services(&self) -> Vec<String> {
        ["http", "https", "ssh", "dns", "postgresql"].map(str::to_owned).to_vec()
    }

    fn service_ports(&self, service: &str, protocol: Protocol) -> Option<PortSet> {
        let ports = match (service, protocol) {
            ("http", Protocol::Tcp) => "80",
            ("https", _) => "443",
            ("ssh", Protocol::Tcp) => "22",
            ("dns", _) => "53",
            ("postgresql", Protocol::Tcp) => "5432",
            ("http" | "ssh" | "postgresql", Protocol::Udp) => "none",
            _ => return None,
        };
        Some(PortSet::parse(ports).unwrap())
    }

    fn common(&self, protocol: Protocol) -> PortSet {
        PortSet::parse(match protocol {
            Protocol::Tcp => "22,80,443",
            Protocol::Udp => "53,123,161",
        })
        .unwrap()
    }

    fn role_denies(&self, role: &str, protocol: Protocol) -> PortSet {
        match (role, protocol) {
            ("web-server", Protocol::Tcp) => PortSet::parse("22,3306").unwrap(),
            _ => PortSet::NONE,
        }
    }
}

/// Files by path; a pattern may hold one `*`.
#[derive(Default)]
pub(crate) struct Memory(pub(crate) BTreeMap<String, String>);

impl Memory {
    #[allow(dead_code)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        Self(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect())
    }
}

impl Files for Memory {
    fn read(&self, path: &str) -> Result<String, String> {
        self.0.get(path).cloned().ok_or_else(|| "no such file".to_owned())
    }

    fn list(&self, pattern: &str) -> Result<Vec<String>, String> {
        let (head, tail) = pattern.split_once('*').unwrap_or((pattern, ""));
        let matches = |path: &&String| {
            if pattern.contains('*') {
                path.starts_with(head) && path.ends_with(tail)
            } else {
                *path == pattern
            }
        };
        Ok(self.0.keys().filter(matches).cloned().collect())
    }
}
