//! Addresses, names and ports as OCSF writes them. It has a pattern for each, so what is none is only a name.

use std::net::IpAddr;

use serde_json::{Value, json};

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

    /// As the far end.
    pub(super) fn endpoint(&self) -> Option<Value> {
        self.name().map(|name| {
            let (ip, hostname) = (self.ip(), self.hostname());
            json!({
                "name": (ip.is_none() && hostname.is_none()).then_some(name),
                "ip": ip,
                "hostname": hostname,
                "port": self.endpoint.map(|(_, port)| port),
            })
        })
    }

    /// As what is judged.
    pub(super) fn resource(&self, owner: Option<&str>, tags: &[String]) -> Option<Value> {
        self.name().map(|name| {
            json!({
                "uid": name,
                "name": maybe(self.host).unwrap_or_else(|| name.clone()),
                "type": "host",
                "ip": self.ip(),
                "hostname": self.hostname(),
                "owner": maybe(owner).map(|owner| json!({ "name": owner })),
                "labels": tags.iter().filter_map(|tag| maybe(Some(tag))).collect::<Vec<_>>(),
            })
        })
    }

    /// What other events may be searched for.
    pub(super) fn observables(&self) -> Vec<Value> {
        let ip = self.ip().map(|ip| {
            json!({ "name": "resources[].ip", "type": "IP Address", "type_id": 2, "value": ip.to_string() })
        });
        let hostname = self.hostname().map(
            |host| json!({ "name": "resources[].hostname", "type": "Hostname", "type_id": 1, "value": host }),
        );
        ip.into_iter().chain(hostname).collect()
    }

    /// What was seen there, attempt by attempt; the place alone where nothing was recorded.
    pub(super) fn evidences(&self, attempts: &[EvidenceRecord]) -> Vec<Value> {
        let Some(far) = self.endpoint() else { return Vec::new() };
        let connection = self.endpoint.map(|(protocol, _)| {
            let number = match protocol {
                Protocol::Tcp => 6,
                Protocol::Udp => 17,
            };
            // Whether that is inbound depends on where the reader stands.
            json!({ "protocol_name": protocol.to_string(), "protocol_num": number, "direction_id": 0 })
        });
        if attempts.is_empty() {
            return vec![json!({ "dst_endpoint": far, "connection_info": connection })];
        }
        let evidence = |attempt: &EvidenceRecord| {
            let near = Place { address: attempt.source_address.as_deref(), ..Place::default() };
            let near = near.endpoint().map(|mut near| {
                if let (Some(members), Some(port)) = (near.as_object_mut(), attempt.source_port) {
                    members.insert("port".to_owned(), json!(port));
                }
                near
            });
            json!({
                "name": format!("attempt {}", attempt.attempt),
                "data": { "at": maybe(Some(&attempt.at)), "what": maybe(Some(&attempt.what)) },
                "dst_endpoint": far,
                "src_endpoint": near,
                "connection_info": connection,
            })
        };
        attempts.iter().map(evidence).collect()
    }
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
