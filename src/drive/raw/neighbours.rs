//! Who has an address on the link: ARP (RFC 826) and neighbour discovery (RFC 4861) of our own, since
//! the kernel's table holds a thousand entries and a link may have more hosts.

use std::{
    collections::HashMap,
    io::{self, Read},
    net::IpAddr,
    thread,
    time::Duration,
};

use socket2::{Domain, Protocol, Socket, Type};

use super::{
    super::sys,
    filter,
    kernel::{Link, Mac},
    line::Line,
};
use crate::wire::{arp, nd};

/// Where a question about a neighbour goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Question {
    pub(super) link: u32,
    pub(super) source: IpAddr,
    pub(super) target: IpAddr,
}

/// Neighbours known, and how to ask for more.
#[derive(Debug, Default)]
pub(super) struct Neighbours {
    known: HashMap<(u32, IpAddr), Mac>,
    links: HashMap<u32, Ears>,
}

#[derive(Debug)]
struct Ears {
    mac: Mac,
    mouth: Line,
    arp: Socket,
    nd: Socket,
}

const ETHERTYPE_ARP: u16 = 0x0806;
const ETHERTYPE_IPV6: u16 = 0x86dd;
/// Three questions, as RFC 4861 section 10 has it, a third of a second apart: a neighbour answers within
/// milliseconds.
const TRIES: u32 = 3;
const WAIT: Duration = Duration::from_millis(300);
const LOOK: Duration = Duration::from_millis(2);
/// Questions in a row before the answers are read.
const BURST: usize = 64;

impl Neighbours {
    /// Begins with what the kernel knows.
    pub(super) fn new(known: HashMap<(u32, IpAddr), Mac>) -> Self {
        Self { known, links: HashMap::new() }
    }

    /// Opens what it takes to ask on a link with Ethernet addresses.
    pub(super) fn listen_on(&mut self, link: &Link) -> io::Result<()> {
        let Some(mac) = link.ethernet.filter(|_| !self.links.contains_key(&link.index)) else {
            return Ok(());
        };
        let hear = |ethertype: u16| {
            let socket = Socket::new(Domain::PACKET, Type::DGRAM, Some(Protocol::from(0)))?;
            if ethertype == ETHERTYPE_IPV6 {
                filter::attach(&socket, &filter::advertisements())?;
            }
            sys::bind_to_link(std::os::fd::AsRawFd::as_raw_fd(&socket), link.index, ethertype)?;
            socket.set_nonblocking(true)?;
            Ok::<_, io::Error>(socket)
        };
        let ears =
            Ears { mac, mouth: Line::ethernet(link)?, arp: hear(ETHERTYPE_ARP)?, nd: hear(ETHERTYPE_IPV6)? };
        self.links.insert(link.index, ears);
        Ok(())
    }

    /// The Ethernet address of a neighbour, if it has answered.
    pub(super) fn of(&self, link: u32, address: IpAddr) -> Option<Mac> {
        self.known.get(&(link, address)).copied()
    }

    /// Asks for all of these, up to three times, at most `rate` questions a second, and waits for the
    /// answers. Returns as soon as all have answered.
    pub(super) fn resolve(&mut self, questions: &[Question], rate: Option<u64>) {
        let pause = rate.map(|rate| Duration::from_secs(1) / u32::try_from(rate.max(1)).unwrap_or(u32::MAX));
        for _ in 0..TRIES {
            let open: Vec<Question> = questions
                .iter()
                .filter(|question| self.of(question.link, question.target).is_none())
                .copied()
                .collect();
            if open.is_empty() {
                return;
            }
            for burst in open.chunks(if pause.is_some_and(|pause| pause > LOOK) { 1 } else { BURST }) {
                for question in burst {
                    self.ask(*question);
                }
                self.hear();
                if let Some(pause) = pause {
                    thread::sleep(pause * u32::try_from(burst.len()).unwrap_or(1));
                }
            }
            for _ in 0..WAIT.as_millis() / LOOK.as_millis() {
                self.hear();
                if open.iter().all(|question| self.of(question.link, question.target).is_some()) {
                    return;
                }
                thread::sleep(LOOK);
            }
        }
    }

    /// Asks once. A question that can't be sent is one that nobody answers.
    pub(super) fn ask(&self, question: Question) {
        let Some(ears) = self.links.get(&question.link) else { return };
        let _ = match (question.source, question.target) {
            (IpAddr::V4(source), IpAddr::V4(target)) => {
                ears.mouth.send_one(&arp::request(ears.mac, source, target))
            }
            (IpAddr::V6(source), IpAddr::V6(target)) => {
                ears.mouth.send_one(&nd::solicitation(ears.mac, source, target))
            }
            _ => Ok(()),
        };
    }

    /// Takes in the answers that are there.
    pub(super) fn hear(&mut self) {
        let mut octets = [0; 1500];
        for (link, ears) in &self.links {
            while let Ok(length) = (&ears.arp).read(&mut octets) {
                if let Some((address, mac)) = octets.get(..length).and_then(arp::announced) {
                    self.known.insert((*link, address.into()), mac);
                }
            }
            while let Ok(length) = (&ears.nd).read(&mut octets) {
                if let Some((address, mac)) = octets.get(..length).and_then(nd::advertised) {
                    self.known.insert((*link, address.into()), mac);
                }
            }
        }
    }
}
