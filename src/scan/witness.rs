//! Who answered in this run: one endpoint an address, asked once more before silence there is believed.

use std::{collections::HashMap, net::IpAddr};

use super::ledger::Mark;
use crate::model::{Endpoint, Moment, Protocol};

/// Numbers of parting looks. They are few, and far apart, so that a number can be used again.
const PARTINGS: u8 = 4;

/// One endpoint of each address and protocol that answered, whatever its window, and whether that
/// window is still there.
#[derive(Debug)]
pub(super) struct Witnesses {
    known: HashMap<(IpAddr, Protocol), Witness>,
    /// The number of the first parting look: above those of all attempts and second looks.
    first: u8,
}

#[derive(Clone, Copy, Debug)]
struct Witness {
    port: u16,
    is_open: bool,
    /// No probe to it before: probes to one endpoint keep their distance, whatever they are for.
    rests: Moment,
    /// Parting looks so far.
    asked: u32,
    /// When the latest canary left that it answered.
    heard: Moment,
}

impl Witnesses {
    /// No witness yet. `attempts` and second looks have numbers below `first`.
    pub(super) fn new(first: u8) -> Self {
        Self { known: HashMap::new(), first }
    }

    /// Notes that an endpoint answered. Open ones are preferred: a host may limit its refusals.
    pub(super) fn note(&mut self, endpoint: Endpoint, mark: Mark, rests: Moment) {
        let is_open = match (mark, endpoint.protocol) {
            (Mark::Open, Protocol::Tcp) => true,
            (Mark::Closed, Protocol::Tcp) => false,
            // What answers over UDP, and whoever refuses there, may do it seldom by intention.
            (Mark::Prohibited | Mark::Unsettled, _) | (_, Protocol::Udp) => return,
        };
        let new = Witness { port: endpoint.port, is_open, rests, asked: 0, heard: Moment::START };
        let known = self.known.entry((endpoint.address, endpoint.protocol)).or_insert(new);
        if known.port == endpoint.port {
            (known.is_open, known.rests) = (is_open, known.rests.max(rests));
        } else if is_open && !known.is_open && known.asked == 0 {
            *known = new;
        }
    }

    /// Notes that an endpoint replied over UDP more than once: it does not limit its replies.
    pub(super) fn steady(&mut self, endpoint: Endpoint, rests: Moment) {
        let Endpoint { address, protocol, port } = endpoint;
        let new = Witness { port, is_open: true, rests, asked: 0, heard: Moment::START };
        self.known.entry((address, protocol)).or_insert(new);
    }

    /// The witness for what is silent of a protocol at an address. For UDP one over TCP first: who bans us
    /// bans an address.
    pub(super) fn of(&self, address: IpAddr, protocol: Protocol) -> Option<Endpoint> {
        [Protocol::Tcp, protocol].into_iter().find_map(|protocol| {
            let witness = self.known.get(&(address, protocol))?;
            Some(Endpoint { address, protocol, port: witness.port })
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Until when a witness must not be asked; `None` for endpoints that are none, or may be.
    pub(super) fn rests(&self, endpoint: Endpoint, now: Moment) -> Option<Moment> {
        self.witness(endpoint).map(|witness| witness.rests).filter(|rests| *rests > now)
    }

    /// Notes that an endpoint is asked now, and may be again at a moment.
    pub(super) fn rest(&mut self, endpoint: Endpoint, until: Moment) {
        let known = self.known.get_mut(&(endpoint.address, endpoint.protocol));
        if let Some(witness) = known.filter(|witness| witness.port == endpoint.port) {
            witness.rests = witness.rests.max(until);
        }
    }

    /// The number of its next parting look, which is taken now.
    pub(super) fn ask(&mut self, endpoint: Endpoint, rests: Moment) -> u8 {
        let span = u32::from(self.last() - self.first) + 1;
        let Some(witness) = self.known.get_mut(&(endpoint.address, endpoint.protocol)) else {
            return self.first;
        };
        let number = u8::try_from(witness.asked % span).unwrap_or(0);
        witness.asked = witness.asked.saturating_add(1);
        witness.rests = rests;
        self.first.saturating_add(number)
    }

    /// Whether an attempt of this number is a parting look.
    pub(super) fn is_parting(&self, attempt: u8) -> bool {
        (self.first..=self.last()).contains(&attempt)
    }

    /// The highest number of a parting look.
    pub(super) fn last(&self) -> u8 {
        self.first.saturating_add(PARTINGS - 1)
    }

    /// Notes that an endpoint answered a canary that left at a moment.
    pub(super) fn heard(&mut self, endpoint: Endpoint, sent: Moment) {
        let known = self.known.get_mut(&(endpoint.address, endpoint.protocol));
        if let Some(witness) = known.filter(|witness| witness.port == endpoint.port) {
            witness.heard = witness.heard.max(sent);
        }
    }

    /// Whether an address answered a canary that left since a moment.
    pub(super) fn was_heard_since(&self, endpoint: Endpoint, since: Moment) -> bool {
        self.witness(endpoint).is_some_and(|witness| witness.heard > since)
    }

    /// Whether a parting look was really made.
    pub(super) fn was_asked(&self, endpoint: Endpoint, attempt: u8) -> bool {
        self.witness(endpoint)
            .is_some_and(|witness| attempt >= self.first && u32::from(attempt - self.first) < witness.asked)
    }

    fn witness(&self, endpoint: Endpoint) -> Option<&Witness> {
        let known = self.known.get(&(endpoint.address, endpoint.protocol));
        known.filter(|witness| witness.port == endpoint.port)
    }
}
