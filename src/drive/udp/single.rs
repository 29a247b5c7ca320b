//! One attempt over UDP as any user may make it: a connected socket, so that the kernel hands us what is
//! ours alone, ICMP errors with their sender included (ip(7), `IP_RECVERR`).

use std::{
    collections::BTreeSet,
    io::{self, ErrorKind},
    net::{IpAddr, SocketAddr},
    os::fd::AsRawFd,
};

use socket2::{Protocol, Socket, Type};
use tokio::{io::Interest, net::UdpSocket, time::timeout_at};

use super::{
    super::{
        Clock,
        connect::Origin,
        socket::{self, local, queued},
    },
    Datagrams,
};
use crate::{
    model::{Evidence, Unreachable},
    probe::{
        connect::{self, IcmpError},
        udp,
    },
    scan::{Answer, Probe},
};

/// More than any reply that is of interest, and what is longer is cut off.
const ROOM: usize = 2048;

/// Sends the datagrams of an attempt and waits for what comes of them, as long as the probe says. Returns
/// how many datagrams came beside that are no answers.
pub(in crate::drive) async fn ask(
    datagrams: &Datagrams,
    probe: Probe,
    clock: &Clock,
    origin: &Origin,
    own: &BTreeSet<IpAddr>,
) -> (Answer, u64) {
    let sent_at = clock.now();
    let mut strays = 0;
    let answer = |source, evidence| Answer {
        endpoint: probe.endpoint,
        attempt: probe.attempt,
        sent_at,
        source,
        ttl: None,
        evidence,
    };
    let socket = match open(datagrams, probe, origin) {
        Ok(socket) => socket,
        Err(error) => return (answer(None, Evidence::Local(local(&error))), 0),
    };
    let to = origin.to(probe.endpoint.address, probe.endpoint.port);
    let source = socket.local_addr().ok().and_then(|address| address.as_socket());
    let source = source.map(|source| SocketAddr::new(source.ip(), source.port()));
    let is_connected = socket.peer_addr().is_ok();
    let mut octets = Vec::with_capacity(ROOM);
    for nth in 0.. {
        octets.clear();
        if datagrams.udp.write(probe.endpoint, probe.attempt, nth, &mut octets).is_none() {
            break;
        }
        let sent = if is_connected { socket.send(&octets) } else { socket.send_to(&octets, &to.into()) };
        match sent {
            Ok(_) => {}
            // The answer to an earlier one of them.
            Err(_) if nth > 0 => break,
            Err(error) => {
                let evidence = match queued(socket.as_raw_fd()) {
                    Some(icmp) => judged(to.ip(), icmp, own),
                    None => Evidence::Local(local(&error)),
                };
                return (answer(source, evidence), 0);
            }
        }
    }
    let socket = match UdpSocket::from_std(socket.into()) {
        Ok(socket) => socket,
        Err(error) => return (answer(source, Evidence::Local(local(&error))), 0),
    };
    let over = clock.instant(sent_at + probe.patience).into();
    let mut room = vec![0; ROOM];
    loop {
        let ready = timeout_at(over, socket.ready(Interest::READABLE.add(Interest::ERROR))).await;
        if !matches!(ready, Ok(Ok(_))) {
            return (answer(source, Evidence::Silence), strays);
        }
        if let Some(icmp) = queued(socket.as_raw_fd()) {
            return (answer(source, judged(to.ip(), icmp, own)), strays);
        }
        match socket.try_recv_from(&mut room) {
            Ok((length, from)) => {
                let octets = room.get(..length).unwrap_or_default();
                let payload = Some(from.ip())
                    .filter(|from| *from == to.ip())
                    .and_then(|_| datagrams.udp.judge(probe.endpoint, probe.attempt, from.port(), octets));
                if let Some(payload) = payload {
                    datagrams.keep(probe.endpoint, payload, octets);
                    return (answer(source, Evidence::Reply { payload }), strays);
                }
                strays += 1;
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                // Woken for an error that is gone: forget the readiness, and wait for the next.
                let forget = || Err::<(), _>(ErrorKind::WouldBlock.into());
                let _ = socket.try_io(Interest::ERROR, forget);
            }
            Err(error) => {
                // The queue may have got it meanwhile; without it nobody knows who said so.
                let icmp = queued(socket.as_raw_fd())
                    .or_else(|| unreachable(&error).map(|what| IcmpError { what, sender: None }));
                let evidence =
                    icmp.map_or_else(|| Evidence::Local(local(&error)), |icmp| judged(to.ip(), icmp, own));
                return (answer(source, evidence), strays);
            }
        }
    }
}

/// A socket of its own for each attempt: a fresh source port. Where the service may answer from another
/// port, it is not connected, or the kernel would turn that answer away.
fn open(datagrams: &Datagrams, probe: Probe, origin: &Origin) -> io::Result<Socket> {
    let target = origin.to(probe.endpoint.address, probe.endpoint.port);
    let mut socket = bound(target, origin)?;
    // On this very machine the kernel may pick the asked port as our own, and our question would come to
    // ourselves as if it were an answer. While that socket has it, another gets another.
    if socket.local_addr()?.as_socket().is_some_and(|own| own.port() == target.port()) {
        socket = bound(target, origin)?;
    }
    if !datagrams.udp.payloads().wanders(target.port()) {
        socket.connect(&target.into())?;
    }
    Ok(socket)
}

/// A socket that a target can be asked from, at a port that the kernel picks.
fn bound(target: SocketAddr, origin: &Origin) -> io::Result<Socket> {
    let socket = socket::open(Type::DGRAM, Protocol::UDP, target, origin)?;
    let any = if target.is_ipv4() { IpAddr::from([0; 4]) } else { IpAddr::from([0u16; 8]) };
    socket.bind(&origin.source(target).unwrap_or_else(|| SocketAddr::new(any, 0)).into())?;
    Ok(socket)
}

/// What an ICMP error is evidence of.
fn judged(target: IpAddr, icmp: IcmpError, own: &BTreeSet<IpAddr>) -> Evidence {
    match connect::error_evidence(icmp, target, own) {
        Evidence::Unreachable { what, sender } => udp::evidence(target, what, sender),
        other => other,
    }
}

/// What the network said, by the error number alone.
fn unreachable(error: &io::Error) -> Option<Unreachable> {
    match error.raw_os_error() {
        Some(libc::ECONNREFUSED) => Some(Unreachable::Port),
        Some(libc::EACCES) => Some(Unreachable::AdminProhibited),
        _ => socket::unreachable(error),
    }
}
