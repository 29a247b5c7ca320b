//! The frame of a SYN, made once for a path. A probe copies it and changes what differs.

use std::net::IpAddr;

use crate::{
    model::Endpoint,
    wire::{
        checksum::Sum,
        ethernet::{self, Mac},
        ip, put, tcp,
    },
};

/// Both ends of an Ethernet link.
#[derive(Clone, Copy, Debug)]
pub struct Link {
    /// Our address.
    pub source: Mac,
    /// The next hop's.
    pub destination: Mac,
}

/// Octets that a frame may have: Ethernet, IPv6 and TCP with options fit.
pub const ROOM: usize = 96;
/// As Linux, and so most of the internet, begins.
const TTL: u8 = 64;
/// What fits into 1,500 octets.
const MSS: (u16, u16) = (1460, 1440);

/// A frame without destination, ports, sequence number and checksums.
#[derive(Clone, Debug)]
pub struct Template {
    frame: [u8; ROOM],
    length: usize,
    /// Where the network header begins.
    network: usize,
    source: IpAddr,
    /// Of the network header (IPv4), and of the segment with its pseudo header; the rest is added.
    header: Sum,
    segment: Sum,
}

impl Template {
    /// For probes from an address; `link` where frames have an Ethernet header.
    pub fn new(link: Option<Link>, source: IpAddr) -> Self {
        let mut frame = [0; ROOM];
        let network = if link.is_some() { ethernet::LENGTH } else { 0 };
        let kind = if source.is_ipv4() { ethernet::IPV4 } else { ethernet::IPV6 };
        if let Some(link) = link {
            let _ = put(&mut frame, 0, &ethernet::header(link.destination, link.source, kind));
        }
        let size = u16::try_from(tcp::SYN_LENGTH).unwrap_or(0);
        let (transport, syn, nowhere) = match source {
            IpAddr::V4(source) => {
                let header = ip::ipv4(source, [0; 4].into(), tcp::PROTOCOL, TTL, size);
                let _ = put(&mut frame, network, &header);
                // The checksum is added up anew with the destination.
                let _ = put(&mut frame, network + 10, &[0, 0]);
                (network + ip::IPV4_LENGTH, tcp::syn(MSS.0), IpAddr::from([0u8; 4]))
            }
            IpAddr::V6(source) => {
                let header = ip::ipv6(source, [0; 16].into(), tcp::PROTOCOL, TTL, size);
                let _ = put(&mut frame, network, &header);
                (network + ip::IPV6_LENGTH, tcp::syn(MSS.1), IpAddr::from([0u16; 8]))
            }
        };
        let _ = put(&mut frame, transport, &syn);
        let header = Sum::default().octets(frame.get(network..transport).unwrap_or_default());
        let segment = Sum::default().pseudo_header(source, nowhere, tcp::PROTOCOL, size).octets(&syn);
        Self { frame, length: transport + tcp::SYN_LENGTH, network, source, header, segment }
    }

    /// What the link wants in front of a packet.
    pub fn link_header(&self) -> &[u8] {
        self.frame.get(..self.network).unwrap_or_default()
    }

    /// Changes the next hop.
    pub fn set_destination(&mut self, mac: Mac) {
        if self.network > 0 {
            let _ = put(&mut self.frame, 0, &mac);
        }
    }

    /// Writes the SYN of a probe. Returns its length; 0 where the families differ, which nobody sends.
    #[inline]
    pub fn write(
        &self,
        frame: &mut [u8; ROOM],
        endpoint: Endpoint,
        source_port: u16,
        sequence: u32,
    ) -> usize {
        if endpoint.address.is_ipv4() != self.source.is_ipv4() {
            return 0;
        }
        *frame = self.frame;
        let sum =
            self.segment.address(endpoint.address).word(source_port).word(endpoint.port).double(sequence);
        let transport = self.length - tcp::SYN_LENGTH;
        let written = match endpoint.address {
            IpAddr::V4(ip) => {
                let header = self.header.double(ip.to_bits());
                put(frame, self.network + 10, &header.checksum().to_be_bytes())
                    .and_then(|()| put(frame, self.network + 16, &ip.octets()))
            }
            IpAddr::V6(ip) => put(frame, self.network + 24, &ip.octets()),
        };
        let ports = u32::from(source_port) << 16 | u32::from(endpoint.port);
        let written = written
            .and_then(|()| put(frame, transport, &ports.to_be_bytes()))
            .and_then(|()| put(frame, transport + 4, &sequence.to_be_bytes()))
            .and_then(|()| put(frame, transport + tcp::CHECKSUM, &sum.checksum().to_be_bytes()));
        written.map_or(0, |()| self.length)
    }
}
