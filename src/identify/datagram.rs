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

/// One octet.
fn octet(octets: &[u8], at: usize) -> Option<u8> {
    octets.get(at).copied()
}

/// Two octets, the high one first.
fn word(octets: &[u8], at: usize) -> Option<u16> {
    let (high, low) = (octet(octets, at)?, octet(octets, at.checked_add(1)?)?);
    Some(u16::from_be_bytes([high, low]))
}

/// Four octets, the highest first.
fn double(octets: &[u8], at: usize) -> Option<u32> {
    Some(u32::from(word(octets, at)?) << 16 | u32::from(word(octets, at.checked_add(2)?)?))
}

/// So many octets from there on.
fn slice(octets: &[u8], at: usize, length: usize) -> Option<&[u8]> {
    octets.get(at..)?.get(..length)
}

/// Octets up to a zero, or to the end.
fn until_zero(octets: &[u8]) -> &[u8] {
    octets.split(|octet| *octet == 0).next().unwrap_or_default()
}

/// The text between two others.
fn between<'a>(octets: &'a [u8], before: &str, after: &str) -> Option<&'a [u8]> {
    let at = find(octets, before.as_bytes())?;
    let rest = octets.get(at + before.len()..)?;
    rest.get(..find(rest, after.as_bytes())?)
}

fn find(octets: &[u8], what: &[u8]) -> Option<usize> {
    octets.windows(what.len().max(1)).position(|window| window == what)
}

#[cfg(test)]
mod tests;
