//! What is sent and heard over UDP, whichever way: the replies that are kept as evidence, and the way of an
//! ordinary user, a connected socket for each attempt.

mod single;

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

pub(in crate::drive) use self::single::ask;
use crate::{
    model::Endpoint,
    probe::udp::{KEPT, Udp},
};

/// The UDP mouth of a run, and what was said to it.
#[derive(Debug)]
pub struct Datagrams {
    pub(in crate::drive) udp: Udp,
    replies: Mutex<BTreeMap<Endpoint, Vec<Reply>>>,
}

/// A reply, as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The number of the payload that it answers.
    pub payload: u16,
    /// Its first octets.
    pub octets: Vec<u8>,
}

/// Endpoints whose replies are kept; more is not a fleet but somebody who answers for everything.
const MOST: usize = 1 << 16;
/// Replies of one endpoint that are kept, each to another payload.
const OF_ONE: usize = 4;

impl Datagrams {
    /// Speaks by this.
    pub fn new(udp: Udp) -> Self {
        Self { udp, replies: Mutex::default() }
    }

    /// Keeps a reply, if it says something new.
    pub(in crate::drive) fn keep(&self, endpoint: Endpoint, payload: u16, octets: &[u8]) {
        let mut replies = self.replies.lock().unwrap_or_else(PoisonError::into_inner);
        if replies.len() >= MOST && !replies.contains_key(&endpoint) {
            return;
        }
        let known = replies.entry(endpoint).or_default();
        if known.len() < OF_ONE && known.iter().all(|reply| reply.payload != payload) {
            known.push(Reply { payload, octets: octets.get(..KEPT).unwrap_or(octets).to_vec() });
        }
    }

    /// All replies that were kept.
    pub fn take(&self) -> BTreeMap<Endpoint, Vec<Reply>> {
        std::mem::take(&mut *self.replies.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
