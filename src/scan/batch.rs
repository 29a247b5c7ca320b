//! What a scan hands to a driver, and what the driver hands back.

use std::{net::SocketAddr, time::Duration};

use crate::model::{Endpoint, Evidence, Moment};

/// One question, due now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Whom to ask.
    pub endpoint: Endpoint,
    /// The how manyeth time, from 1.
    pub attempt: u8,
    /// How long to wait for the answer before silence is evidence.
    pub patience: Duration,
    /// Complete a connection, whatever the driver's usual way to ask: a SYN-ACK alone is no service.
    pub handshake: bool,
}

/// Room for probes. The driver sets the room to what it can send now; the scan fills it.
#[derive(Debug, Default)]
pub struct Batch {
    probes: Vec<Probe>,
    room: usize,
}

impl Batch {
    /// An empty batch with room for `room` probes.
    pub fn with_room(room: usize) -> Self {
        Self { probes: Vec::with_capacity(room), room }
    }

    /// Empties it and sets its room, keeping the allocation.
    pub fn reset(&mut self, room: usize) {
        self.probes.clear();
        self.room = room;
    }

    /// The probes to send, in this order.
    pub fn probes(&self) -> &[Probe] {
        &self.probes
    }

    pub(super) fn has_room(&self) -> bool {
        self.room() > 0
    }

    /// How many more fit.
    pub(super) fn room(&self) -> usize {
        self.room.saturating_sub(self.probes.len())
    }

    pub(super) fn push(&mut self, probe: Probe) {
        self.probes.push(probe);
    }
}

/// What came of one probe. Drivers that see the end of every attempt report silence too; drivers
/// that can't (a raw socket hears nothing when nothing comes) report only what came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Who was asked.
    pub endpoint: Endpoint,
    /// Which attempt it answers.
    pub attempt: u8,
    /// When that attempt left; the moment of the answer where the driver no longer knows.
    pub sent_at: Moment,
    /// From which of our sockets, where known.
    pub source: Option<SocketAddr>,
    /// The time to live, or hop limit, with which the answer arrived, where known.
    pub ttl: Option<u8>,
    /// What happened.
    pub evidence: Evidence,
}
