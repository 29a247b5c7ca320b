//! The connect mouth: what the kernel says of a `connect()` becomes evidence. Opens no socket.
//!
//! An error number alone says too little: `EHOSTUNREACH` may be a router's ICMP, a firewall's
//! prohibition, or our own missing route, and `ECONNREFUSED` a RST or an ICMP port unreachable. The
//! socket's error queue tells them apart (Linux `tcp_v4_err` since 5.8; `struct sock_extended_err`,
//! ip(7)).

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use crate::model::{Evidence, LocalError, Unreachable};

/// What a `connect()` came to, in the driver's terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The three-way handshake completed.
    Connected,
    /// `ECONNREFUSED`.
    Refused,
    /// `EHOSTUNREACH`, `ENETUNREACH` or a kin of them.
    Unreachable(Unreachable),
    /// The kernel gave up, or we did.
    Silence,
    /// Any error that is about this machine.
    Local(LocalError),
}

/// An ICMP error that the kernel queued on the socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IcmpError {
    /// What it means.
    pub what: Unreachable,
    /// Who sent it.
    pub sender: Option<IpAddr>,
}

/// What an outcome is evidence of. `immediate`: `connect()` itself failed, before anything could come
/// back. `own`: this machine's addresses.
pub fn evidence(
    outcome: Outcome,
    icmp: Option<IcmpError>,
    immediate: bool,
    target: IpAddr,
    own: &BTreeSet<IpAddr>,
) -> Evidence {
    if let Some(icmp) = icmp.filter(|_| outcome != Outcome::Connected) {
        return error_evidence(icmp, target, own);
    }
    match outcome {
        Outcome::Connected => Evidence::Connected,
        Outcome::Refused => Evidence::Refused,
        Outcome::Silence => Evidence::Silence,
        Outcome::Unreachable(_) if immediate => Evidence::Local(LocalError::NoRoute),
        Outcome::Unreachable(what) => Evidence::Unreachable { what, sender: None },
        Outcome::Local(error) => Evidence::Local(error),
    }
}

/// What an ICMP error from a socket's queue is evidence of. One from ourselves about somebody else is our own
/// firewall's word, except that the kernel says "host unreachable" in our name when a neighbour does not
/// answer ARP or ND.
pub fn error_evidence(icmp: IcmpError, target: IpAddr, own: &BTreeSet<IpAddr>) -> Evidence {
    let IcmpError { what, sender } = icmp;
    let ours = sender.is_some_and(|sender| sender != target && own.contains(&sender));
    match what {
        Unreachable::Host | Unreachable::Other => Evidence::Unreachable { what, sender },
        _ if ours => Evidence::Local(LocalError::Forbidden),
        _ => Evidence::Unreachable { what, sender },
    }
}

/// `IPPROTO_IP`, `IP_RECVERR`, `IPPROTO_IPV6`, `IPV6_RECVERR` (linux/in.h, linux/in6.h).
const QUEUES: [(i32, i32); 2] = [(0, 11), (41, 25)];
/// `SO_EE_ORIGIN_ICMP`, `SO_EE_ORIGIN_ICMP6` (linux/errqueue.h).
const ORIGIN_ICMP: u8 = 2;
const ORIGIN_ICMP6: u8 = 3;
/// `struct cmsghdr` on 64 bits: length, level, type.
const HEADER: usize = size_of::<usize>() + 8;
/// `struct sock_extended_err`; the sender's socket address follows it.
const EXTENDED: usize = 16;

/// Reads the control messages that `recvmsg(MSG_ERRQUEUE)` returned. Total: anything that is not an
/// ICMP error, or is cut short, is `None`.
pub fn read_error_queue(mut control: &[u8]) -> Option<IcmpError> {
    loop {
        let length = usize::from_ne_bytes(control.get(..size_of::<usize>())?.try_into().ok()?);
        let level = read_i32(control, size_of::<usize>())?;
        let kind = read_i32(control, size_of::<usize>() + 4)?;
        let body = control.get(HEADER..length)?;
        if QUEUES.contains(&(level, kind)) {
            return extended_error(body);
        }
        control = control.get(length.next_multiple_of(size_of::<usize>())..)?;
    }
}

fn extended_error(body: &[u8]) -> Option<IcmpError> {
    let (&origin, &kind, &code) = (body.get(4)?, body.get(5)?, body.get(6)?);
    let what = match origin {
        ORIGIN_ICMP => Unreachable::from_icmp4(kind, code)?,
        ORIGIN_ICMP6 => Unreachable::from_icmp6(kind, code)?,
        _ => return None,
    };
    Some(IcmpError { what, sender: body.get(EXTENDED..).and_then(socket_address) })
}

/// The address of a `struct sockaddr_in` or `sockaddr_in6`; `None` for `AF_UNSPEC`.
fn socket_address(bytes: &[u8]) -> Option<IpAddr> {
    match u16::from_ne_bytes(bytes.get(..2)?.try_into().ok()?) {
        2 => Some(IpAddr::from(Ipv4Addr::from(<[u8; 4]>::try_from(bytes.get(4..8)?).ok()?))),
        10 => Some(IpAddr::from(Ipv6Addr::from(<[u8; 16]>::try_from(bytes.get(8..24)?).ok()?))),
        _ => None,
    }
}

fn read_i32(bytes: &[u8], at: usize) -> Option<i32> {
    Some(i32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Unreachable::{AdminProhibited, Host, Port};

    fn control(level: i32, kind: i32, origin: u8, icmp: (u8, u8), sender: [u8; 4]) -> Vec<u8> {
        let mut body = vec![111, 0, 0, 0, origin, icmp.0, icmp.1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        body.extend([2, 0, 0, 0]);
        body.extend(sender);
        body.extend([0; 8]);
        let mut message = (HEADER + body.len()).to_ne_bytes().to_vec();
        message.extend(level.to_ne_bytes());
        message.extend(kind.to_ne_bytes());
        message.extend(body);
        message
    }

    #[test]
    fn the_queue_tells_code_and_sender() {
        let message = control(0, 11, ORIGIN_ICMP, (3, 13), [192, 0, 2, 1]);
        let error = read_error_queue(&message).unwrap();
        assert_eq!(error, IcmpError { what: AdminProhibited, sender: "192.0.2.1".parse().ok() });
        let mut behind = control(1, 29, 0, (0, 0), [0; 4]);
        behind.extend(&message);
        assert_eq!(read_error_queue(&behind), Some(error));
        assert_eq!(read_error_queue(&control(0, 11, 1, (3, 13), [0; 4])), None);
    }

    proptest! {
        #[test]
        fn any_control_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read_error_queue(&bytes);
        }
    }

    #[test]
    fn every_outcome_is_what_it_is() {
        let target: IpAddr = "203.0.113.5".parse().unwrap();
        let router: IpAddr = "192.0.2.1".parse().unwrap();
        let me: IpAddr = "198.51.100.4".parse().unwrap();
        let own = BTreeSet::from([me]);
        let icmp = |what, sender| Some(IcmpError { what, sender: Some(sender) });
        let judge = |outcome, icmp, immediate| evidence(outcome, icmp, immediate, target, &own);
        let unreachable = |what, sender| Evidence::Unreachable { what, sender };

        assert_eq!(judge(Outcome::Connected, None, false), Evidence::Connected);
        assert_eq!(judge(Outcome::Refused, None, false), Evidence::Refused);
        // A port unreachable hides behind ECONNREFUSED: a firewall's reject is not a closed port.
        assert_eq!(judge(Outcome::Refused, icmp(Port, target), false), unreachable(Port, Some(target)));
        assert_eq!(
            judge(Outcome::Unreachable(Host), icmp(AdminProhibited, router), false),
            unreachable(AdminProhibited, Some(router))
        );
        // Without the queue an unreachable that came later is the network's, at once it is ours.
        assert_eq!(judge(Outcome::Unreachable(Host), None, false), unreachable(Host, None));
        assert_eq!(judge(Outcome::Unreachable(Host), None, true), Evidence::Local(LocalError::NoRoute));
        // Our own firewall's reject is ours; a neighbour that does not answer ARP is not.
        assert_eq!(judge(Outcome::Refused, icmp(Port, me), false), Evidence::Local(LocalError::Forbidden));
        assert_eq!(judge(Outcome::Unreachable(Host), icmp(Host, me), false), unreachable(Host, Some(me)));
    }
}
