//! The lab's numbers. Addresses are all from the ranges reserved for documentation (RFC 5737, RFC 3849).

use std::net::IpAddr;

/// Where the probes come from.
pub(crate) const SCANNER4: &str = "198.51.100.4";
pub(crate) const SCANNER6: &str = "2001:db8:ffff::4";
/// The far side's end of the wire.
pub(crate) const GATEWAY4: &str = "198.51.100.1";
pub(crate) const GATEWAY6: &str = "2001:db8:ffff::1";
/// Routed to the far side. An address in it that no host has is dark: probes arrive and nothing comes back.
pub(crate) const FAR4: &str = "203.0.113.0/24";
pub(crate) const FAR6: &str = "2001:db8:10::/64";

/// Reads an address of a test.
pub(crate) fn address(text: &str) -> IpAddr {
    text.parse().unwrap_or_else(|_| panic!("`{text}` is not an address"))
}

/// The ports of a test, as the comparisons take them.
pub(crate) fn ports(ports: impl IntoIterator<Item = u16>) -> Vec<u16> {
    ports.into_iter().collect()
}

/// The address over IPv6 of a host that has this one over IPv4: `2001:db8:10::20` for `203.0.113.20`.
pub(crate) fn twin(host: &str) -> &'static str {
    let last = host.rsplit('.').next().expect("an address has a last part");
    format!("2001:db8:10::{last}").leak()
}

/// These hosts over IPv4, and the same over IPv6.
pub(crate) fn with_twins(hosts: &[&'static str]) -> Vec<&'static str> {
    hosts.iter().copied().chain(hosts.iter().map(|host| twin(host))).collect()
}
