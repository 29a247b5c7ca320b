//! A stranger's host: smoltcp, a TCP/IP stack that we did not write, behind a firewall that drops, at
//! the end of a wire that loses, repeats, reorders and corrupts. In virtual time, and seeded.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
    net::IpAddr,
    time::Duration,
};

use portproof::{
    model::{Moment, PortSet, State},
    wire::{ip, tcp::Segment},
};
use smoltcp::{
    iface::{Interface, SocketSet},
    phy::{DeviceCapabilities, Medium},
    socket::tcp,
    time::Instant,
    wire::{HardwareAddress, IpAddress, IpCidr},
};

use super::net::Random;

/// Connections that a port can have half open.
const BACKLOG: usize = 8;

/// What the wire does to each packet, either way.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    pub loss: f64,
    pub duplicate: f64,
    /// Share of packets that take up to half a second longer.
    pub reorder: f64,
    /// Share of packets of which one octet is changed.
    pub corrupt: f64,
}

/// A packet under way, and which of its octets was changed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Packet {
    pub to_us: bool,
    pub octets: Vec<u8>,
    pub changed: Option<usize>,
}

pub struct Wire {
    faults: Faults,
    random: Random,
    serial: u64,
    under_way: BinaryHeap<Reverse<(Moment, u64, Packet)>>,
}

impl Wire {
    pub fn new(faults: Faults, seed: u64) -> Self {
        Self { faults, random: Random(seed), serial: 0, under_way: BinaryHeap::new() }
    }

    pub fn carry(&mut self, now: Moment, to_us: bool, octets: &[u8]) {
        let copies = 1 + usize::from(self.random.chance(self.faults.duplicate));
        for _ in 0..copies {
            if self.random.chance(self.faults.loss) {
                continue;
            }
            let mut packet = Packet { to_us, octets: octets.to_vec(), changed: None };
            if self.random.chance(self.faults.corrupt) {
                let at = self.random.below(octets.len() as u64) as usize;
                packet.octets[at] ^= 1 + self.random.below(255) as u8;
                packet.changed = Some(at);
            }
            let mut delay = 5_000_000 + self.random.below(2_000_000);
            if self.random.chance(self.faults.reorder) {
                delay += self.random.below(500_000_000);
            }
            self.serial += 1;
            self.under_way.push(Reverse((now + Duration::from_nanos(delay), self.serial, packet)));
        }
    }

    /// When the next packet arrives.
    pub fn due(&self) -> Option<Moment> {
        self.under_way.peek().map(|Reverse((at, ..))| *at)
    }

    pub fn arrive(&mut self, now: Moment) -> Option<Packet> {
        self.under_way.peek().filter(|Reverse((at, ..))| *at <= now)?;
        self.under_way.pop().map(|Reverse((_, _, packet))| packet)
    }
}

/// What the stack reads from and writes to.
#[derive(Default)]
pub struct Pipe {
    to: VecDeque<Vec<u8>>,
    from: Vec<Vec<u8>>,
}

pub struct Inbound(Vec<u8>);
pub struct Outbound<'a>(&'a mut Vec<Vec<u8>>);

impl smoltcp::phy::RxToken for Inbound {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, read: F) -> R {
        read(&self.0)
    }
}

impl smoltcp::phy::TxToken for Outbound<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, write: F) -> R {
        let mut octets = vec![0; length];
        let result = write(&mut octets);
        self.0.push(octets);
        result
    }
}

impl smoltcp::phy::Device for Pipe {
    type RxToken<'a> = Inbound;
    type TxToken<'a> = Outbound<'a>;

    fn receive(&mut self, _: Instant) -> Option<(Inbound, Outbound<'_>)> {
        let octets = self.to.pop_front()?;
        Some((Inbound(octets), Outbound(&mut self.from)))
    }

    fn transmit(&mut self, _: Instant) -> Option<Outbound<'_>> {
        Some(Outbound(&mut self.from))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ip;
        capabilities.max_transmission_unit = 1500;
        capabilities
    }
}

/// One host: the stack, and a firewall before it that drops.
pub struct Far {
    pub address: IpAddr,
    open: PortSet,
    dropped: PortSet,
    pipe: Pipe,
    interface: Interface,
    sockets: SocketSet<'static>,
}

impl Far {
    pub fn new(address: IpAddr, open: &str, dropped: &str, seed: u64) -> Self {
        let (mut pipe, mut sockets) = (Pipe::default(), SocketSet::new(Vec::new()));
        let mut config = smoltcp::iface::Config::new(HardwareAddress::Ip);
        config.random_seed = seed;
        let mut interface = Interface::new(config, &mut pipe, Instant::ZERO);
        let prefix = if address.is_ipv4() { 24 } else { 64 };
        interface.update_ip_addrs(|addresses| {
            addresses.push(IpCidr::new(IpAddress::from(address), prefix)).expect("room for one");
        });
        let open = PortSet::parse(open).unwrap();
        for port in open.iter() {
            for _ in 0..BACKLOG {
                let buffer = || tcp::SocketBuffer::new(vec![0; 64]);
                let mut socket = tcp::Socket::new(buffer(), buffer());
                socket.listen(port).expect("a port to listen on");
                sockets.add(socket);
            }
        }
        Self { address, open, dropped: PortSet::parse(dropped).unwrap(), pipe, interface, sockets }
    }

    pub fn truth(&self, port: u16) -> State {
        if self.dropped.contains(port) {
            State::Filtered
        } else if self.open.contains(port) {
            State::Open
        } else {
            State::Closed
        }
    }

    /// Lets the stack do what is due, and puts what it says on the wire.
    pub fn turn(&mut self, now: Moment, wire: &mut Wire) {
        self.interface.poll(instant(now), &mut self.pipe, &mut self.sockets);
        for octets in self.pipe.from.drain(..) {
            wire.carry(now, true, &octets);
        }
    }

    pub fn receive(&mut self, now: Moment, octets: Vec<u8>, wire: &mut Wire) {
        let dropped = ip::parse(&octets)
            .and_then(|packet| Segment::parse(packet.payload))
            .is_some_and(|segment| self.dropped.contains(segment.destination));
        if !dropped {
            self.pipe.to.push_back(octets);
            self.turn(now, wire);
        }
    }

    pub fn due(&mut self, now: Moment) -> Option<Moment> {
        let at = self.interface.poll_at(instant(now), &self.sockets)?;
        Some(Moment::from_nanos(u64::try_from(at.total_micros()).unwrap_or(0) * 1000).max(now))
    }
}

/// The stack's clock counts microseconds.
fn instant(now: Moment) -> Instant {
    Instant::from_micros(i64::try_from(now.nanos().div_ceil(1000)).unwrap())
}
