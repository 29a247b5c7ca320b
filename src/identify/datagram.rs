//! Replies of UDP services, each read as its protocol has it. Total: whatever the octets, no panic and no
//! more than a few words.

mod games;
mod management;
mod names;
mod secure;
mod words;

use super::{Identity, text};

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

#[cfg(test)]
mod tests;
