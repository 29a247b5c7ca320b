//! The receiver: a thread that empties the rings, understands what is there and hands it over.

use std::sync::{
    atomic::{AtomicBool, Ordering},
    mpsc::SyncSender,
};

use socket2::{Domain, Protocol, Socket, Type};

use super::{
    super::{
        Clock,
        sys::{self, Ring, Slots},
        udp::Datagrams,
    },
    filter::{self, Ear},
    kernel::Link,
};
use crate::{
    model::Moment,
    probe::{
        PortBlock,
        syn::{self, Reply, Syn},
        udp::{self, Said},
    },
    scan::Answer,
};

/// What the receiver and the handshakes have to say to the sender.
#[derive(Debug)]
pub(super) enum News {
    /// Replies, and when they were understood.
    Replies(Moment, Vec<Reply>),
    /// The same over UDP.
    Said(Moment, Vec<Said>),
    /// A connection attempt is over.
    Handshake(Moment, Answer),
    /// So many packets look like answers and are not ours.
    Strays(u64),
    /// The kernel had no room for so many packets.
    Drops(u64),
}

const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_IPV6: u16 = 0x86dd;
/// Packets understood at a time: few enough for the sender to hear of them soon.
const MOST: usize = 256;
/// How often the drop counters are read and the end is noticed, in milliseconds.
const LOOK: i32 = 20;

/// A ring for the answers of one family on one link.
pub(super) fn ring(link: &Link, ipv6: bool, ports: PortBlock, ear: Ear) -> std::io::Result<Ring> {
    // Cooked: packets begin with the network header whatever the link.
    let socket = Socket::new(Domain::PACKET, Type::DGRAM, Some(Protocol::from(0)))?;
    // The filter comes before anything else can arrive, and bind last.
    let program = if ipv6 { filter::ipv6 } else { filter::ipv4 };
    filter::attach(&socket, &program(ear, ports.first, ports.count))?;
    let slots = match ear {
        Ear::Segments => Slots::HEADERS,
        Ear::Datagrams => Slots::DATAGRAMS,
    };
    let ring = Ring::new(socket.into(), slots)?;
    sys::bind_to_link(ring.fd(), link.index, if ipv6 { ETHERTYPE_IPV6 } else { ETHERTYPE_IPV4 })?;
    Ok(ring)
}

/// Listens until it is told to stop, or nobody is there to hear.
pub(super) fn listen(
    rings: &mut [(Ear, Ring)],
    (syn, datagrams): (&Syn, &Datagrams),
    clock: &Clock,
    stopped: &AtomicBool,
    news: &SyncSender<News>,
) {
    let sockets: Vec<_> = rings.iter().map(|(_, ring)| ring.fd()).collect();
    let (mut looked, mut idle) = (clock.now(), false);
    while !stopped.load(Ordering::Relaxed) {
        if idle && sys::wait_readable(&sockets, LOOK).is_err() {
            return;
        }
        idle = true;
        let mut strays = 0;
        for (ear, ring) in &mut *rings {
            let (mut replies, mut said) = (Vec::new(), Vec::new());
            let now = clock.now();
            let count = ring.drain(MOST, |packet| match ear {
                Ear::Segments => match syn.understand(now, packet) {
                    syn::Heard::Reply(reply) => replies.push(reply),
                    syn::Heard::Stray => strays += 1,
                    syn::Heard::Foreign => {}
                },
                Ear::Datagrams => match datagrams.udp.understand(syn.ports(), packet) {
                    udp::Heard::Said(one) => said.push(*one),
                    udp::Heard::Stray => strays += 1,
                    udp::Heard::Foreign => {}
                },
            });
            idle &= count == 0;
            if !replies.is_empty() && news.send(News::Replies(now, replies)).is_err() {
                return;
            }
            if !said.is_empty() && news.send(News::Said(now, said)).is_err() {
                return;
            }
        }
        if strays > 0 && news.send(News::Strays(strays)).is_err() {
            return;
        }
        let now = clock.now();
        if (now - looked).as_millis() >= 20 {
            looked = now;
            let drops: u64 = sockets.iter().map(|socket| sys::packet_drops(*socket).unwrap_or(0)).sum();
            if drops > 0 && news.send(News::Drops(drops)).is_err() {
                return;
            }
        }
    }
}
