//! This machine's own interfaces and addresses.

use std::{
    collections::BTreeSet,
    net::{IpAddr, SocketAddr, UdpSocket},
};

/// Every address of this machine.
pub fn own_addresses() -> BTreeSet<IpAddr> {
    pnet::datalink::interfaces()
        .into_iter()
        .flat_map(|interface| interface.ips)
        .map(|network| network.ip())
        .collect()
}

/// Whether an interface of this name exists.
pub fn exists(name: &str) -> bool {
    pnet::datalink::interfaces().iter().any(|interface| interface.name == name)
}

/// The number of an interface, given its name or that number itself; `None`: there is no such interface.
pub fn number(zone: &str) -> Option<u32> {
    let all = pnet::datalink::interfaces();
    let named = all.iter().find(|interface| interface.name == zone);
    let numbered = || all.iter().find(|interface| zone.parse() == Ok(interface.index));
    named.or_else(numbered).map(|interface| interface.index)
}

/// The address from which this machine would reach another; `None` when no route leads there. Asks
/// the kernel by connecting a UDP socket, which sends nothing.
pub fn source_for(destination: SocketAddr) -> Option<IpAddr> {
    let any: IpAddr = if destination.is_ipv4() { [0u8; 4].into() } else { [0u16; 8].into() };
    let socket = UdpSocket::bind(SocketAddr::new(any, 0)).ok()?;
    socket.connect(destination).ok()?;
    socket.local_addr().ok().map(|address| address.ip())
}
