//! Replies of UDP services, each read as its protocol has it. Total: whatever the octets, no panic and no
//! more than a few words.

mod games;
mod management;
mod names;
mod secure;
mod words;

use super::{Guard, Identity, octets::octet, text};

/// What a service's reply says of it, by the service's name in `profiles/ports/services.yaml`. `None`:
/// nothing that we can read.
pub fn datagram(service: &str, octets: &[u8]) -> Option<Identity> {
    let read = match service {
        "domain" | "mdns" | "llmnr" => names::dns,
        "netbios-ns" => names::netbios,
        "ntp" => names::ntp,
        "snmp" => management::snmp,
        "asf-rmcp" => management::ipmi,
        "radius" | "radius-acct" => management::radius,
        "rpcbind" | "nfs" | "mountd" | "wdbrpc" => management::rpc,
        "ms-sql-m" => management::sql_browser,
        "xdmcp" => management::xdmcp,
        "kerberos" => management::kerberos,
        "isakmp" => secure::ike,
        "ipsec-nat-t" => secure::marked_ike,
        "openvpn" => secure::openvpn,
        "https" | "https-alt" | "domain-s" => secure::quic,
        "dtls" | "coaps" | "stuns" | "rd-gateway" => secure::dtls,
        "stun" => secure::stun,
        "sip" | "ssdp" | "plex-gdm" => words::headers,
        "memcached" => words::memcached,
        "tftp" => words::tftp,
        "db2-discovery" => words::db2,
        "jenkins-discovery" => words::jenkins,
        "dahua-discovery" => words::dahua,
        "coap" => words::coap,
        "afs" => words::afs,
        "mumble" => games::mumble,
        "srcds" => games::source,
        "quake3" => games::quake,
        "minecraft-bedrock" => games::bedrock,
        _ => return None,
    };
    read(octets).and_then(Identity::something)
}

/// What is said inside of TLS, over datagrams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secured {
    /// QUIC, which is TLS 1.3 and nothing else (RFC 9001).
    Quic,
    /// DTLS.
    Dtls,
}

impl Secured {
    /// How a service is secured, by its name; `None`: not in one of these ways.
    pub fn of(service: &str) -> Option<Self> {
        match service {
            "https" | "https-alt" | "domain-s" => Some(Self::Quic),
            "dtls" | "coaps" | "stuns" | "rd-gateway" => Some(Self::Dtls),
            _ => None,
        }
    }
}

/// What a reply shows of who may use the service, and who may listen.
pub(super) fn guard(service: &str, octets: &[u8]) -> Guard {
    match service {
        "snmp" if management::took_community(octets) => Guard::Open("answers to the community `public`"),
        "memcached" if words::memcached(octets).is_some() => Guard::Open("answers `version`"),
        "asf-rmcp" if management::takes_anybody(octets) => {
            Guard::Open("takes consoles without authentication")
        }
        "tftp" => Guard::Cleartext("has neither passwords nor encryption"),
        "xdmcp" if octet(octets, 3) == Some(5) => {
            Guard::Cleartext("carries screens and keystrokes unencrypted")
        }
        _ => Guard::Untold,
    }
}

#[cfg(test)]
mod tests;
