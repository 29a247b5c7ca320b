//! Opens all that a raw scan needs: routes, neighbours, source ports, lines and rings.

use std::{collections::HashMap, io};

use super::{
    super::{connect::Origin, provenance, sys::Ring},
    filter::Ear,
    kernel::{Kernel, Link, Wish},
    line::Line,
    listen,
    neighbours::{Neighbours, Question},
    paths::Paths,
    ports,
    send::{Hop, Sender, Way},
};
use crate::{
    model::{AddressRange, PortSet},
    probe::syn::{self, PortBlock, Syn, Template},
};

/// What could not be had, on this machine.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The kernel did not answer about its links or routes.
    #[error("the kernel does not tell its routes: {0}")]
    Kernel(#[source] io::Error),
    /// The system has no random numbers.
    #[error("the system gives no random numbers: {0}")]
    Random(#[source] io::Error),
    /// No block of source ports is free.
    #[error("no block of source ports is free: {0}")]
    Ports(#[source] io::Error),
    /// A packet socket of a link.
    #[error("can't send and receive raw packets on {link}: {error}")]
    Socket {
        /// Which.
        link: String,
        /// Why.
        error: io::Error,
    },
}

/// All that was opened.
#[derive(Debug)]
pub struct Kit {
    sender: Sender,
    rings: Vec<(Ear, Ring)>,
    ports: u16,
}

impl Kit {
    /// Source ports, and so the numbers that an attempt may have.
    pub fn ports(&self) -> u16 {
        self.ports
    }

    pub(super) fn split(self) -> (Sender, Vec<(Ear, Ring)>) {
        (self.sender, self.rings)
    }
}

/// Opens what a scan of these addresses needs. Neighbours are asked for at `rate`, so it may take a
/// second where some of them are not there. `udp`: the ports that are asked over UDP as well.
pub fn open(
    ranges: &[AddressRange],
    origin: &Origin,
    (descriptors, udp): (u64, &PortSet),
    rate: Option<u64>,
) -> Result<Kit, OpenError> {
    let mut kernel = Kernel::open().map_err(OpenError::Kernel)?;
    let links = kernel.links().map_err(OpenError::Kernel)?;
    let chosen = origin.interface.as_ref().map(|name| {
        // It exists, or did a moment ago; one that is down has no route.
        links.iter().find(|link| link.name == *name).map_or(u32::MAX, |link| link.index)
    });
    let wish = Wish { link: chosen, sources: origin.addresses.clone(), zones: origin.zones.clone() };
    let paths = Paths::find(&mut kernel, ranges, &wish).map_err(OpenError::Kernel)?;
    let reserved = ports::reserve(descriptors, provenance::random(), udp).map_err(OpenError::Ports)?;
    let block = PortBlock { first: reserved.first, count: reserved.count };
    let syn = Syn::new(provenance::key().map_err(OpenError::Random)?, block);
    let mut neighbours = Neighbours::new(kernel.neighbours().map_err(OpenError::Kernel)?);
    let ears: &[Ear] = if udp.is_empty() { &[Ear::Segments] } else { &[Ear::Segments, Ear::Datagrams] };
    let mut opened = Lines { block, ears, all: Vec::new(), known: HashMap::new(), rings: Vec::new() };
    let mut ways = Vec::new();
    for route in &paths.routes {
        let Some(link) = links.iter().find(|link| link.index == route.link) else {
            ways.push(None);
            continue;
        };
        let broken = |error| OpenError::Socket { link: link.name.clone(), error };
        let exit = opened.of(link, route.source.is_ipv6()).map_err(broken)?;
        neighbours.listen_on(link).map_err(broken)?;
        let hop = match (link.ethernet, route.gateway) {
            (None, _) => Hop::Link,
            (Some(_), None) => Hop::Neighbour,
            (Some(_), Some(gateway)) => Hop::Gateway(gateway),
        };
        let template = Template::new(
            link.ethernet.map(|source| syn::Link { source, destination: [0; 6] }),
            route.source,
        );
        ways.push(Some(Way { line: exit, link: link.index, source: route.source, hop, template }));
    }
    neighbours.resolve(&questions(&paths, &ways, ranges), rate);
    for way in ways.iter_mut().flatten() {
        way.meet_gateway(&neighbours);
    }
    let Lines { all, rings, .. } = opened;
    let ports = reserved.count;
    let sender = Sender::new(syn, paths, ways, all, neighbours, reserved);
    Ok(Kit { sender, rings, ports })
}

/// Lines and rings, one a link and family.
struct Lines<'a> {
    block: PortBlock,
    ears: &'a [Ear],
    all: Vec<Line>,
    known: HashMap<(u32, bool), usize>,
    rings: Vec<(Ear, Ring)>,
}

impl Lines<'_> {
    fn of(&mut self, link: &Link, ipv6: bool) -> io::Result<usize> {
        if let Some(line) = self.known.get(&(link.index, ipv6)) {
            return Ok(*line);
        }
        for &ear in self.ears {
            self.rings.push((ear, listen::ring(link, ipv6, self.block, ear)?));
        }
        self.all.push(if link.ethernet.is_some() {
            Line::ethernet(link)?
        } else {
            Line::routed(link, ipv6)?
        });
        self.known.insert((link.index, ipv6), self.all.len() - 1);
        Ok(self.all.len() - 1)
    }
}

/// Every neighbour that will be needed: gateways, and the hosts that are on a link themselves.
fn questions(paths: &Paths, ways: &[Option<Way>], ranges: &[AddressRange]) -> Vec<Question> {
    let mut questions = Vec::new();
    for way in ways.iter().flatten() {
        if let Hop::Gateway(gateway) = way.hop {
            questions.push(Question { link: way.link, source: way.source, target: gateway });
        }
    }
    for address in ranges.iter().flat_map(|range| range.iter()) {
        let way = paths.of(address).ok().and_then(|route| ways.get(route)?.as_ref());
        if let Some(way) = way.filter(|way| matches!(way.hop, Hop::Neighbour)) {
            questions.push(Question { link: way.link, source: way.source, target: address });
        }
    }
    questions
}
