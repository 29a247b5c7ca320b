//! Talks to open ports until it is known who answers there. What is said and what it means is
//! `identify`'s business; here are the sockets, the clock, and the manners: so many connections at a time, no
//! faster than was asked for, each of them bounded in time and octets.

mod datagrams;
mod inspect;
mod line;
mod pace;
mod secure;

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{Notify, Semaphore},
    task::JoinSet,
    time::timeout,
};

pub use self::secure::{Roots, RootsError};
use self::{line::Line, pace::Pace, secure::Secure};
use super::{Clock, connect::Origin};
use crate::{
    identify::{Hints, Inquiry, Portrait},
    model::Endpoint,
    scan::Rate,
};

/// Connections at a time, of all together, where descriptors allow.
const AT_ONCE: usize = 1024;
/// Descriptors left to the rest of the program.
const RESERVE: u64 = 32;
/// Connections at a time to one endpoint, when everything is tried.
const OF_ONE: usize = 16;
/// Connections at a time to one address.
const OF_ADDRESS: usize = 256;
/// No endpoint is worth more time than this.
const LONGEST: Duration = Duration::from_secs(45);

/// Nor is listing what TLS there is.
const INSPECTION: Duration = Duration::from_mins(2);
/// Connections that an inquiry may take, about.
const WHOLE: u32 = 80;

/// An open port that is to be talked to.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Which.
    pub endpoint: Endpoint,
    /// What usually listens there.
    pub usual: Option<String>,
    /// What the manifest declares.
    pub declared: Option<String>,
    /// The names of the host, where it has any; the first is used throughout.
    pub names: Vec<String>,
    /// The names for which TLS is declared; none where it is declared for an address.
    pub checks: Vec<Check>,
    /// The most connections a second to it, where its target says so.
    pub rate: Option<u64>,
    /// What its reply showed already, over UDP: only its TLS is looked at then.
    pub known: Option<Portrait>,
}

/// TLS that is declared.
#[derive(Clone, Debug)]
pub struct Check {
    /// For this name.
    pub name: Option<String>,
    /// Whom to trust.
    pub roots: Roots,
    /// Whether a profile is declared, so that everything that the server takes is listed.
    pub wants_survey: bool,
}

/// The way to all of them.
#[derive(Debug)]
pub struct Callers {
    line: Line,
    stopped: Notify,
    at_once: usize,
}

impl Callers {
    /// With so many open files allowed, and no faster than that.
    pub fn new(clock: Clock, origin: Origin, rate: Rate, descriptors: u64) -> Arc<Self> {
        let room = usize::try_from(descriptors.saturating_sub(RESERVE)).unwrap_or(usize::MAX);
        let at_once = room.clamp(4, AT_ONCE);
        let line = Line {
            clock,
            origin,
            secure: Secure::default(),
            pace: Pace::new(rate, OF_ADDRESS),
            places: Semaphore::new(at_once),
        };
        Arc::new(Self { line, stopped: Notify::new(), at_once })
    }

    /// Talks to each of them; `see` gets what is known of one as soon as it is. Returns how many connections
    /// were made.
    pub async fn talk(
        self: &Arc<Self>,
        callers: Vec<Caller>,
        random: [u8; 32],
        see: &mut dyn FnMut(Endpoint, Portrait),
    ) -> u64 {
        let (mut running, mut waiting) = (JoinSet::new(), callers.into_iter());
        let mut connections = 0;
        loop {
            while running.len() < self.at_once {
                let Some(caller) = waiting.next() else { break };
                let this = Arc::clone(self);
                running.spawn(async move { (caller.endpoint, this.one(caller, random).await) });
            }
            // What is cut off when nobody waits any longer is not known.
            let done = tokio::select! {
                done = running.join_next() => done,
                () = self.stopped.notified() => return connections,
            };
            match done {
                Some(Ok((endpoint, portrait))) => {
                    connections += u64::from(portrait.connections);
                    see(endpoint, portrait);
                }
                Some(Err(_)) => {}
                None => return connections,
            }
        }
    }

    /// Every conversation ends now.
    pub fn stop(&self) {
        self.stopped.notify_one();
    }

    async fn one(self: Arc<Self>, caller: Caller, random: [u8; 32]) -> Portrait {
        if let Some(known) = &caller.known {
            return self.secured(&caller, known.clone(), random).await;
        }
        let caller = Arc::new(caller);
        let mut portrait = self.inquire(&caller, random).await;
        if !caller.checks.is_empty() && portrait.manner.is_none() {
            let inspected = self.line.inspect(&caller, &mut portrait, random);
            match timeout(INSPECTION, inspected).await {
                Ok(connections) => portrait.connections += connections,
                Err(_) => portrait.is_cut = true,
            }
        }
        portrait
    }

    /// Over UDP the reply showed who answers; what is left is TLS.
    async fn secured(&self, caller: &Caller, mut portrait: Portrait, random: [u8; 32]) -> Portrait {
        match timeout(INSPECTION, self.line.inspect_datagrams(caller, &mut portrait, random)).await {
            Ok(connections) => portrait.connections += connections,
            Err(_) => portrait.is_cut = true,
        }
        portrait
    }

    async fn inquire(self: &Arc<Self>, caller: &Arc<Caller>, random: [u8; 32]) -> Portrait {
        let hints = Hints {
            usual: caller.usual.as_deref(),
            declared: caller.declared.as_deref(),
            name: caller.names.first().map(String::as_str),
        };
        let Endpoint { address, port, .. } = caller.endpoint;
        let mut inquiry = Inquiry::new(address, port, hints, random);
        let over = self.line.clock.now() + LONGEST + self.line.pace.slowest(WHOLE, caller.rate);
        loop {
            let mut talks = inquiry.talks().into_iter();
            let mut running = JoinSet::new();
            let mut some = false;
            loop {
                while running.len() < OF_ONE {
                    let Some(talk) = talks.next() else { break };
                    let (this, caller) = (Arc::clone(self), Arc::clone(caller));
                    running.spawn(async move { this.line.talk(&caller, talk).await });
                    some = true;
                }
                let Some(done) = running.join_next().await else { break };
                let is_enough = done.is_ok_and(|told| inquiry.hear(told));
                if is_enough {
                    break;
                }
                if self.line.clock.now() > over {
                    return Portrait { is_cut: true, ..inquiry.portrait() };
                }
            }
            if !some {
                return inquiry.portrait();
            }
        }
    }
}
