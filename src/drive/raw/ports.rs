//! The block of source ports that raw probes leave from. It is bound, so that no other program, and no
//! other portproof, gets answers that are ours: a second SYN on a half-open connection is answered with
//! the first one's numbers, which hides a port. Bound and not listening, it leaves the RST that closes a
//! half-open connection to the kernel.

use std::{fs, io, net::SocketAddr, ops::RangeInclusive};

use socket2::{Domain, Protocol, Socket, Type};

use super::filter;
use crate::model::PortSet;

/// Reserved ports, given back when dropped.
#[derive(Debug)]
pub(super) struct Reserved {
    pub(super) first: u16,
    pub(super) count: u16,
    _sockets: Vec<Socket>,
}

/// An attempt's number is an octet.
const MOST: u16 = 256;
/// Fewer are not worth a scan: attempts and looks each need a port of their own.
const LEAST: u16 = 16;
/// The kernel's own range, where it can't be read (ip(7)).
const EPHEMERAL: RangeInclusive<u16> = 32_768..=60_999;
const LOWEST: u16 = 10_240;

/// Reserves a block outside the range from which the kernel takes ports. `descriptors` may be open at a
/// time; `random` spreads scanners that start together; `udp`: ports that are asked over UDP. Where there are any
/// the block is held over UDP as well, or the kernel would answer what is for us with an ICMP error; and it is one
/// without any of them while there is such a one, since of this very machine a port that we hold is silent, closed
/// as it is.
pub(super) fn reserve(descriptors: u64, random: u64, udp: &PortSet) -> io::Result<Reserved> {
    let share = if udp.is_empty() { 3 } else { 5 };
    let afford = u16::try_from(descriptors / share).unwrap_or(MOST).clamp(LEAST, MOST);
    let count = if afford == MOST { MOST } else { 1 << afford.ilog2() };
    let mut last = io::Error::from(io::ErrorKind::AddrInUse);
    for first in preferred(&candidates(&ephemeral(), count), count, random, udp) {
        match bind_all(first, count, !udp.is_empty()) {
            Ok(sockets) => return Ok(Reserved { first, count, _sockets: sockets }),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// The blocks in the order in which they are tried: those without what is asked first.
fn preferred(blocks: &[u16], count: u16, random: u64, udp: &PortSet) -> Vec<u16> {
    let start = usize::try_from(random).unwrap_or(usize::MAX) % blocks.len().max(1);
    let mut order: Vec<u16> = blocks.iter().copied().cycle().skip(start).take(blocks.len()).collect();
    order.sort_by_key(|first| {
        let block = PortSet::from_ranges([(*first, first + (count - 1))]);
        !udp.intersection(&block).is_empty()
    });
    order
}

/// First ports of all blocks of this size that keep clear of a range.
fn candidates(ephemeral: &RangeInclusive<u16>, count: u16) -> Vec<u16> {
    let fits = |first: &u16| {
        first.checked_add(count - 1).is_some_and(|last| last < *ephemeral.start() || first > ephemeral.end())
    };
    (LOWEST / count..=u16::MAX / count).map(|block| block * count).filter(fits).collect()
}

fn ephemeral() -> RangeInclusive<u16> {
    let text = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let mut numbers = text.split_whitespace().filter_map(|word| word.parse().ok());
    match (numbers.next(), numbers.next()) {
        (Some(first), Some(last)) => first..=last,
        _ => EPHEMERAL,
    }
}

fn bind_all(first: u16, count: u16, datagrams: bool) -> io::Result<Vec<Socket>> {
    let mut sockets = Vec::new();
    for port in (0..count).map(|n| first + n) {
        sockets.push(bind(port, Type::STREAM, Protocol::TCP)?);
        if datagrams {
            let socket = bind(port, Type::DGRAM, Protocol::UDP)?;
            // Nobody reads it: what comes is heard elsewhere.
            filter::attach(&socket, &filter::nothing())?;
            sockets.push(socket);
        }
    }
    Ok(sockets)
}

/// Both families at once, where the machine has IPv6.
fn bind(port: u16, kind: Type, protocol: Protocol) -> io::Result<Socket> {
    let dual = Socket::new(Domain::IPV6, kind, Some(protocol)).and_then(|socket| {
        socket.set_only_v6(false)?;
        socket.bind(&SocketAddr::from(([0u16; 8], port)).into())?;
        Ok(socket)
    });
    match dual {
        Err(error) if error.kind() != io::ErrorKind::AddrInUse => {
            let socket = Socket::new(Domain::IPV4, kind, Some(protocol))?;
            socket.bind(&SocketAddr::from(([0u8; 4], port)).into())?;
            Ok(socket)
        }
        bound => bound,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_keep_clear_of_the_kernels_own_range() {
        for count in [16, 64, 256] {
            let blocks = candidates(&EPHEMERAL, count);
            assert!(!blocks.is_empty());
            for first in blocks {
                let last = first + (count - 1);
                assert!(first >= LOWEST && (last < 32_768 || first > 60_999), "{first}-{last}");
            }
        }
        assert!(!candidates(&(1024..=65_535), 256).iter().any(|first| *first > 1024));
    }

    #[test]
    fn two_scanners_never_share_a_port() {
        let udp = PortSet::single(53);
        let (one, other) = (reserve(2048, 7, &udp).unwrap(), reserve(2048, 7, &udp).unwrap());
        assert_eq!(one.count, 256);
        assert!(one.first.abs_diff(other.first) >= one.count);
    }

    #[test]
    fn few_descriptors_make_a_small_block() {
        assert_eq!(reserve(64, 1, &PortSet::default()).unwrap().count, 16);
    }

    #[test]
    fn what_is_asked_is_held_only_where_everything_is_asked() {
        let blocks = candidates(&EPHEMERAL, MOST);
        let end = blocks.last().unwrap() + (MOST - 1);
        let all_but_the_last = PortSet::from_ranges([(0, end - MOST)]);
        for random in 0..256 {
            let order = preferred(&blocks, MOST, random, &all_but_the_last);
            assert_eq!(order[0], end - (MOST - 1), "{random}");
            for udp in [all_but_the_last.clone(), PortSet::all(), PortSet::default()] {
                let mut order = preferred(&blocks, MOST, random, &udp);
                order.sort_unstable();
                assert_eq!(order, blocks, "every block is tried");
            }
        }
        let asked = PortSet::from_ranges([(11_211, 11_211), (17_185, 17_185), (27_015, 27_015)]);
        let firsts = (0..256).map(|random| preferred(&blocks, MOST, random, &asked)[0]);
        assert!(firsts.collect::<std::collections::BTreeSet<_>>().len() > 50, "scanners are still spread");
    }
}
