//! Addresses, names and ports as OCSF writes them. It has a pattern for each, so what is none is only a name.

use std::net::IpAddr;

use super::object::{Attempt, Connection, Endpoint, Evidence, Observable, Resource, User};
use crate::{
    model::Protocol,
    report::{EvidenceRecord, exchange::maybe},
};

/// One end of a probe.
#[derive(Clone, Copy, Default)]
pub(super) struct Place<'a> {
    /// As the report has it.
    pub(super) address: Option<&'a str>,
    /// As the manifest has it.
    pub(super) host: Option<&'a str>,
    /// Over what, and which.
    pub(super) endpoint: Option<(Protocol, u16)>,
}

impl Place<'_> {
    fn ip(&self) -> Option<IpAddr> {
        self.address.and_then(|address| address.parse().ok())
    }

    fn hostname(&self) -> Option<String> {
        self.host.filter(|host| is_hostname(host)).map(str::to_owned)
    }

    /// What it is called, where nothing more exact can be said.
    fn name(&self) -> Option<String> {
        maybe(self.address).or_else(|| maybe(self.host))
    }

    /// As one end of a connection.
    pub(super) fn end(&self) -> Option<Endpoint> {
        self.name().map(|name| {
            let (ip, hostname) = (self.ip(), self.hostname());
            let named = ip.is_none() && hostname.is_none();
            Endpoint { name: named.then_some(name), ip, hostname, port: self.endpoint.map(|(_, port)| port) }
        })
    }

    /// As what is judged.
    pub(super) fn resource(&self, owner: Option<&str>, tags: &[String]) -> Option<[Resource; 1]> {
        self.name().map(|name| {
            [Resource {
                name: maybe(self.host).unwrap_or_else(|| name.clone()),
                uid: name,
                kind: "host",
                ip: self.ip(),
                hostname: self.hostname(),
                owner: maybe(owner).map(|name| User { name }),
                labels: tags.iter().filter_map(|tag| maybe(Some(tag))).collect(),
            }]
        })
    }

    /// What other events may be searched for.
    pub(super) fn observables(&self) -> Vec<Observable> {
        let ip = self.ip().map(|ip| Observable {
            name: "resources[].ip",
            kind: "IP Address",
            type_id: 2,
            value: ip.to_string(),
        });
        let hostname = self.hostname().map(|value| Observable {
            name: "resources[].hostname",
            kind: "Hostname",
            type_id: 1,
            value,
        });
        ip.into_iter().chain(hostname).collect()
    }

    /// What was seen there, attempt by attempt; the place alone where nothing was recorded.
    pub(super) fn evidences(&self, attempts: &[EvidenceRecord]) -> Vec<Evidence> {
        let Some(far) = self.end() else { return Vec::new() };
        let connection = self.endpoint.map(|(protocol, _)| connection(protocol));
        if attempts.is_empty() {
            return vec![Evidence {
                name: None,
                data: None,
                dst_endpoint: far,
                src_endpoint: None,
                connection_info: connection,
            }];
        }
        let evidence = |attempt: &EvidenceRecord| {
            let near = Place { address: attempt.source_address.as_deref(), ..Place::default() };
            Evidence {
                name: Some(format!("attempt {}", attempt.attempt)),
                data: Some(Attempt { at: maybe(Some(&attempt.at)), what: maybe(Some(&attempt.what)) }),
                dst_endpoint: far.clone(),
                src_endpoint: near.end().map(|near| Endpoint { port: attempt.source_port, ..near }),
                connection_info: connection,
            }
        };
        attempts.iter().map(evidence).collect()
    }
}

fn connection(protocol: Protocol) -> Connection {
    let (protocol_name, protocol_num) = match protocol {
        Protocol::Tcp => ("tcp", 6),
        Protocol::Udp => ("udp", 17),
    };
    // Whether that is inbound depends on where the reader stands.
    Connection { protocol_name, protocol_num, direction_id: 0 }
}

/// A name of DNS (RFC 1123 section 2.1), as OCSF's pattern has it.
fn is_hostname(name: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(label) && name.parse::<IpAddr>().is_err()
}
