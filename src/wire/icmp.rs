//! ICMP errors of both families (RFC 792, RFC 4443): their type, and what they quote. The standards
//! guarantee eight octets of the transport: ports, and for TCP the sequence number.

use std::net::IpAddr;

use super::{double, ip, word};

/// ICMP's number for IPv4.
pub const ICMPV4: u8 = 1;
/// ICMP's number for IPv6.
pub const ICMPV6: u8 = 58;
/// Type, code, checksum and four octets that depend on the type.
const HEADER: usize = 8;

/// An error, and the packet that it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error<'a> {
    /// ICMP type.
    pub kind: u8,
    /// ICMP code.
    pub code: u8,
    /// The source of the packet quoted: us, unless an address translator forgot to write it back.
    pub source: IpAddr,
    /// The destination of the packet quoted.
    pub destination: IpAddr,
    /// Its protocol.
    pub protocol: u8,
    /// Its ports.
    pub ports: (u16, u16),
    /// The four octets behind the ports: TCP's sequence number, UDP's length and checksum.
    pub sequence: u32,
    /// What is quoted beyond these eight octets: of UDP, its payload.
    pub rest: &'a [u8],
}

/// Reads an error from the transport's octets of a packet; its protocol must be of the packet's family.
/// `None`: it is none, or quotes too little.
pub fn parse(protocol: u8, octets: &[u8]) -> Option<Error<'_>> {
    let (kind, code) = (*octets.first()?, *octets.get(1)?);
    let is_error = match protocol {
        ICMPV4 => matches!(kind, 3 | 11),
        ICMPV6 => matches!(kind, 1 | 3 | 4),
        _ => false,
    };
    let quote = ip::quoted(octets.get(HEADER..)?).filter(|_| is_error)?;
    let is_same_family = quote.source.is_ipv4() == (protocol == ICMPV4);
    let ports = (word(quote.payload, 0)?, word(quote.payload, 2)?);
    let sequence = double(quote.payload, 4)?;
    let ip::Packet { source, destination, protocol, payload, .. } = quote;
    let rest = payload.get(8..)?;
    is_same_family.then_some(Error { kind, code, source, destination, protocol, ports, sequence, rest })
}
