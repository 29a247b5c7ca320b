//! What is planned, probed and judged: one address, one protocol, one port.

use std::{cmp::Ordering, fmt, net::IpAddr};

use serde::{Deserialize, Serialize};

/// A transport protocol with ports.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// RFC 9293.
    Tcp,
    /// RFC 768.
    Udp,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        })
    }
}

/// An address family. A host reachable over one family may be closed over the other, so each is
/// planned, probed and judged by itself.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// RFC 791.
    Ipv4,
    /// RFC 8200.
    Ipv6,
}

impl Family {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Ipv4, Self::Ipv6];

    /// The family of an address.
    pub fn of(address: IpAddr) -> Self {
        if address.is_ipv4() { Self::Ipv4 } else { Self::Ipv6 }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
        })
    }
}

/// One (address, protocol, port). Each planned endpoint ends in exactly one state and one verdict.
///
/// The order is the report's: family, numeric address, protocol, port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// Where.
    pub address: IpAddr,
    /// How.
    pub protocol: Protocol,
    /// 1-65535; [`super::PortSet`] refuses port 0, so a planned endpoint never holds it.
    pub port: u16,
}

impl Endpoint {
    /// A TCP endpoint.
    pub fn tcp(address: impl Into<IpAddr>, port: u16) -> Self {
        Self { address: address.into(), protocol: Protocol::Tcp, port }
    }

    /// A UDP endpoint.
    pub fn udp(address: impl Into<IpAddr>, port: u16) -> Self {
        Self { address: address.into(), protocol: Protocol::Udp, port }
    }
}

impl Ord for Endpoint {
    fn cmp(&self, other: &Self) -> Ordering {
        self.address
            .cmp(&other.address) // std orders IPv4 before IPv6, then numerically
            .then(self.protocol.cmp(&other.protocol))
            .then(self.port.cmp(&other.port))
    }
}

impl PartialOrd for Endpoint {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.address, self.port, self.protocol)
    }
}
