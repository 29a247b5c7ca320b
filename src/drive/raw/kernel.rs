//! What the kernel knows of its links, routes and neighbours, asked through netlink (rtnetlink(7)).

use std::{
    collections::{BTreeMap, HashMap},
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use netlink_packet_core::{NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload};
use netlink_packet_route::{
    AddressFamily, RouteNetlinkMessage,
    link::{LinkAttribute, LinkFlags, LinkLayerType, LinkMessage},
    neighbour::{NeighbourAddress, NeighbourAttribute, NeighbourMessage, NeighbourState},
    route::{RouteAddress, RouteAttribute, RouteHeader, RouteMessage, RouteType},
};
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};

use crate::model::LocalError;

/// An Ethernet address.
pub(super) type Mac = [u8; 6];

/// A network interface.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) index: u32,
    pub(super) name: String,
    /// Its address, where frames need an Ethernet header; loopback and tunnels need none.
    pub(super) ethernet: Option<Mac>,
}

/// How a destination is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Route {
    pub(super) link: u32,
    pub(super) source: IpAddr,
    /// `None`: the destination is on the link itself.
    pub(super) gateway: Option<IpAddr>,
}

/// What a route has to fulfil.
#[derive(Clone, Debug, Default)]
pub(super) struct Wish {
    pub(super) link: Option<u32>,
    pub(super) sources: Vec<IpAddr>,
    /// The links of link-local destinations.
    pub(super) zones: BTreeMap<Ipv6Addr, u32>,
}

impl Wish {
    fn link_to(&self, destination: IpAddr) -> Option<u32> {
        match destination {
            IpAddr::V6(v6) => self.zones.get(&v6).copied().or(self.link),
            IpAddr::V4(_) => self.link,
        }
    }
}

/// A conversation with the kernel.
#[derive(Debug)]
pub(super) struct Kernel {
    socket: Socket,
    sequence: u32,
}

const ROOM: usize = 1 << 16;

impl Kernel {
    pub(super) fn open() -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        socket.bind_auto()?;
        socket.connect(&SocketAddr::new(0, 0))?;
        Ok(Self { socket, sequence: 0 })
    }

    /// Every link that is up.
    pub(super) fn links(&mut self) -> io::Result<Vec<Link>> {
        let answers = self.ask(RouteNetlinkMessage::GetLink(LinkMessage::default()), true)?;
        let links = answers.into_iter().filter_map(|answer| match answer {
            RouteNetlinkMessage::NewLink(link) if link.header.flags.contains(LinkFlags::Up) => {
                Some(read_link(link))
            }
            _ => None,
        });
        Ok(links.collect())
    }

    /// The Ethernet addresses that are known already, by link and address.
    pub(super) fn neighbours(&mut self) -> io::Result<HashMap<(u32, IpAddr), Mac>> {
        let answers = self.ask(RouteNetlinkMessage::GetNeighbour(NeighbourMessage::default()), true)?;
        Ok(answers.into_iter().filter_map(read_neighbour).collect())
    }

    /// The prefixes of a family's routes in every table, with their lengths: within one of them, what
    /// the kernel says of one address holds for all that no longer prefix covers.
    pub(super) fn prefixes(&mut self, ipv6: bool) -> io::Result<Vec<(IpAddr, u8)>> {
        let family = if ipv6 { AddressFamily::Inet6 } else { AddressFamily::Inet };
        let header = RouteHeader { address_family: family, ..RouteHeader::default() };
        let mut ask = RouteMessage::default();
        ask.header = header;
        let answers = self.ask(RouteNetlinkMessage::GetRoute(ask), true)?;
        let prefixes = answers.into_iter().filter_map(|answer| {
            let RouteNetlinkMessage::NewRoute(route) = answer else { return None };
            let address = route.attributes.iter().find_map(|attribute| match attribute {
                RouteAttribute::Destination(address) => read_address(address),
                _ => None,
            })?;
            Some((address, route.header.destination_prefix_length))
        });
        Ok(prefixes.collect())
    }

    /// The route to an address, as the kernel would take it now.
    pub(super) fn route(&mut self, destination: IpAddr, wish: &Wish) -> Result<Route, LocalError> {
        let (family, length) = match destination {
            IpAddr::V4(_) => (AddressFamily::Inet, 32),
            IpAddr::V6(_) => (AddressFamily::Inet6, 128),
        };
        let source = wish.sources.iter().find(|source| source.is_ipv4() == destination.is_ipv4());
        if source.is_none() && !wish.sources.is_empty() {
            return Err(LocalError::NoFamily);
        }
        let mut attributes = vec![RouteAttribute::Destination(destination.into())];
        let mut header = RouteHeader {
            address_family: family,
            destination_prefix_length: length,
            ..RouteHeader::default()
        };
        if let Some(source) = source {
            attributes.push(RouteAttribute::Source((*source).into()));
            header.source_prefix_length = length;
        }
        if let Some(link) = wish.link_to(destination) {
            attributes.push(RouteAttribute::Oif(link));
        }
        let mut ask = RouteMessage::default();
        (ask.header, ask.attributes) = (header, attributes);
        let answers = self.ask(RouteNetlinkMessage::GetRoute(ask), false).map_err(|error| local(&error))?;
        let found = answers.into_iter().find_map(|answer| match answer {
            RouteNetlinkMessage::NewRoute(route) => Some(route),
            _ => None,
        });
        read_route(&found.ok_or(LocalError::NoRoute)?, source.copied()).ok_or(LocalError::NoRoute)
    }

    fn ask(&mut self, message: RouteNetlinkMessage, all: bool) -> io::Result<Vec<RouteNetlinkMessage>> {
        self.sequence += 1;
        let mut header = NetlinkHeader::default();
        header.flags = NLM_F_REQUEST | if all { NLM_F_DUMP } else { 0 };
        header.sequence_number = self.sequence;
        let mut message = NetlinkMessage::new(header, NetlinkPayload::from(message));
        message.finalize();
        let mut octets = vec![0; message.buffer_len()];
        message.serialize(&mut octets);
        self.socket.send(&octets, 0)?;
        let mut answers = Vec::new();
        loop {
            let mut room = Vec::with_capacity(ROOM);
            self.socket.recv(&mut room, 0)?;
            let mut rest = room.as_slice();
            while rest.len() >= 16 {
                let message =
                    NetlinkMessage::<RouteNetlinkMessage>::deserialize(rest).map_err(io::Error::other)?;
                let length = usize::try_from(message.header.length).unwrap_or(usize::MAX).max(16);
                rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
                if message.header.sequence_number != self.sequence {
                    continue;
                }
                match message.payload {
                    NetlinkPayload::Done(_) => return Ok(answers),
                    NetlinkPayload::Error(error) => {
                        return match error.code {
                            Some(_) => Err(error.to_io()),
                            None => Ok(answers),
                        };
                    }
                    NetlinkPayload::InnerMessage(answer) => {
                        answers.push(answer);
                        if !all {
                            return Ok(answers);
                        }
                    }
                    _ => {}
                }
            }
        }
    }
}

fn read_link(link: LinkMessage) -> Link {
    let mut read = Link { index: link.header.index, name: String::new(), ethernet: None };
    for attribute in link.attributes {
        match attribute {
            LinkAttribute::IfName(name) => read.name = name,
            LinkAttribute::Address(octets) if link.header.link_layer_type == LinkLayerType::Ether => {
                read.ethernet = octets.try_into().ok();
            }
            _ => {}
        }
    }
    read
}

fn read_neighbour(answer: RouteNetlinkMessage) -> Option<((u32, IpAddr), Mac)> {
    let RouteNetlinkMessage::NewNeighbour(entry) = answer else { return None };
    // What the kernel would send to without asking first; an incomplete or failed entry is no address.
    let usable = [
        NeighbourState::Reachable,
        NeighbourState::Stale,
        NeighbourState::Delay,
        NeighbourState::Probe,
        NeighbourState::Permanent,
    ];
    if !usable.contains(&entry.header.state) {
        return None;
    }
    let (mut address, mut mac) = (None, None);
    for attribute in entry.attributes {
        match attribute {
            NeighbourAttribute::Destination(NeighbourAddress::Inet(ip)) => address = Some(IpAddr::V4(ip)),
            NeighbourAttribute::Destination(NeighbourAddress::Inet6(ip)) => address = Some(IpAddr::V6(ip)),
            NeighbourAttribute::LinkLayerAddress(octets) => mac = Mac::try_from(octets).ok(),
            _ => {}
        }
    }
    Some(((entry.header.ifindex, address?), mac?))
}

fn read_route(route: &RouteMessage, asked: Option<IpAddr>) -> Option<Route> {
    if matches!(
        route.header.kind,
        RouteType::Unreachable | RouteType::BlackHole | RouteType::Prohibit | RouteType::Throw
    ) {
        return None;
    }
    let (mut link, mut source, mut gateway) = (None, None, None);
    for attribute in &route.attributes {
        match attribute {
            RouteAttribute::Oif(index) => link = Some(*index),
            RouteAttribute::PrefSource(address) => source = read_address(address),
            RouteAttribute::Gateway(address) => gateway = read_address(address),
            RouteAttribute::Via(via) => {
                gateway = match via {
                    netlink_packet_route::route::RouteVia::Inet(ip) => Some(IpAddr::V4(*ip)),
                    netlink_packet_route::route::RouteVia::Inet6(ip) => Some(IpAddr::V6(*ip)),
                    _ => gateway,
                }
            }
            _ => {}
        }
    }
    // The kernel leaves out the source that it was asked with.
    Some(Route { link: link?, source: asked.or(source)?, gateway })
}

fn read_address(address: &RouteAddress) -> Option<IpAddr> {
    match address {
        RouteAddress::Inet(ip) => Some(Ipv4Addr::into(*ip)),
        RouteAddress::Inet6(ip) => Some(Ipv6Addr::into(*ip)),
        _ => None,
    }
}

/// What the kernel's refusal of a route says about us.
fn local(error: &io::Error) -> LocalError {
    match error.raw_os_error().map(i32::abs) {
        Some(libc::EACCES | libc::EPERM) => LocalError::Forbidden,
        Some(libc::EAFNOSUPPORT | libc::EADDRNOTAVAIL) => LocalError::NoFamily,
        _ => LocalError::NoRoute,
    }
}
