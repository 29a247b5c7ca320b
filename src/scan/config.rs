//! How a scan asks: how fast, how often, how long it waits.

use std::{collections::BTreeMap, time::Duration};

use super::{loss::MOST_ATTEMPTS, row::RoundTrip, window::MAX_ATTEMPTS};
use crate::model::{Endpoint, Protocol};

/// How fast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Probes a second of the whole run; `None` is as fast as the driver can.
    pub run: Option<u64>,
    /// Probes a second to one address, as an average; `None` is no limit.
    pub per_address: Option<u64>,
}

/// How a scan asks.
#[allow(clippy::struct_excessive_bools)] // each says what the driver can do, or what the asker wants
#[derive(Clone, Debug)]
pub struct Config {
    /// Orders the probes, and nothing else.
    pub seed: u64,
    /// How fast.
    pub rate: Rate,
    /// How far a late driver may catch up: about the time it may oversleep.
    pub slack: Duration,
    /// Probes to each silent endpoint.
    pub attempts: u8,
    /// Up to so many where the measured loss asks for it; not above `attempts`: exactly those.
    pub most_attempts: u8,
    /// Loss is measured, and this is the chance of having missed an open endpoint that is accepted.
    pub max_miss: Option<f64>,
    /// The highest number that an attempt may have: the driver may have no more source ports.
    pub highest_attempt: u8,
    /// Second looks complete a connection, whatever the mouth.
    pub handshakes: bool,
    /// How long to wait for an answer; `None` adapts to the round-trip times seen.
    pub timeout: Option<Duration>,
    /// What the mouth itself repeats within one attempt: the wait of the system's own second SYN. An
    /// adaptive timeout never cuts that off.
    pub repeats_after: Duration,
    /// Datagrams that a probe of a UDP port is made of, where there is more than one: they take as many
    /// slots of the rate.
    pub datagrams: BTreeMap<u16, u8>,
    /// The driver reports the end of every probe, silence included.
    pub hears_silence: bool,
    /// Ports beside the plan that are asked of each address where something is open, to find those that
    /// answer on everything.
    pub controls: u8,
    /// Look at every open endpoint once more, later, and keep the attempts of those that matter.
    pub second_look: bool,
    /// Observe every endpoint, not only the open and the named.
    pub every: bool,
    /// Endpoints whose ledger is kept at a time; bounds the memory of a scan whatever its size.
    pub window: u64,
}

/// 134 million endpoints are 32 MiB of ledger.
pub const WINDOW: u64 = 1 << 27;

impl Default for Config {
    /// Polite, and for a driver that hears no silence and repeats nothing by itself.
    fn default() -> Self {
        Self {
            seed: 0,
            rate: Rate { run: Some(10_000), per_address: Some(1000) },
            slack: Duration::from_millis(2),
            attempts: 2,
            most_attempts: 2,
            max_miss: None,
            highest_attempt: u8::MAX,
            handshakes: false,
            timeout: None,
            repeats_after: Duration::ZERO,
            datagrams: BTreeMap::new(),
            hears_silence: false,
            controls: 0,
            second_look: false,
            every: false,
            window: WINDOW,
        }
    }
}

impl Config {
    /// The highest number that an attempt of the walk may have.
    pub(super) fn last_attempt(&self) -> u8 {
        self.attempts.clamp(1, MAX_ATTEMPTS).max(self.most_attempts.min(MOST_ATTEMPTS))
    }

    /// Packets that a probe is made of.
    #[inline]
    pub(super) fn packets(&self, endpoint: Endpoint) -> u64 {
        match endpoint.protocol {
            Protocol::Tcp => 1,
            Protocol::Udp => self.datagrams.get(&endpoint.port).copied().unwrap_or(1).max(1).into(),
        }
    }

    /// What the mouth itself repeats within one attempt: nobody repeats a datagram.
    pub(super) fn repeats(&self, protocol: Protocol) -> Duration {
        if protocol == Protocol::Tcp { self.repeats_after } else { Duration::ZERO }
    }

    /// Whether silent endpoints get more attempts than planned where the loss asks for it.
    pub(super) fn adapts(&self) -> bool {
        self.max_miss.is_some() && self.last_attempt() > self.attempts
    }

    /// How long after an attempt the next may follow: a second at least, since losses come in bursts
    /// ("On the Origin of Scanning", IMC 2020), and never before the earlier one is over.
    pub(super) fn gap(&self, patience: Duration) -> Duration {
        if self.hears_silence { patience.max(MIN_GAP) } else { MIN_GAP }
    }

    /// How much longer than the gap an answer may take that is still waited for.
    pub(super) fn patience_beyond_gap(&self) -> Duration {
        let most = self.timeout.unwrap_or(PATIENCE.2 + self.repeats_after);
        if self.hears_silence { Duration::ZERO } else { most.saturating_sub(MIN_GAP) }
    }
}

const MIN_GAP: Duration = Duration::from_secs(1);
/// Services over UDP take their time: a RADIUS server makes who was refused wait for a second (`reject_delay` of
/// `FreeRADIUS`), and a resolver asks others first.
const DATAGRAM: Duration = Duration::from_millis(1500);
/// Waiting beyond the system's own repeat when nothing is known of the path, at least, and at most.
const PATIENCE: (Duration, Duration, Duration) =
    (Duration::from_secs(1), Duration::from_millis(300), Duration::from_secs(3));

/// How long to wait for an answer from any address, when the slowest so far took so long.
pub(super) fn longest_patience(config: &Config, slowest: Option<Duration>) -> Duration {
    let (unknown, _, most) = PATIENCE;
    let bound = slowest.map_or(unknown, |slowest| (slowest * 2).clamp(unknown, most));
    config.timeout.unwrap_or(config.repeats_after + bound)
}

/// The same for one protocol of a walk.
pub(super) fn longest_of(config: &Config, protocol: Protocol, longest: Duration) -> Duration {
    match protocol {
        Protocol::Tcp => longest,
        Protocol::Udp => {
            config.timeout.unwrap_or_else(|| longest.saturating_sub(config.repeats_after).max(DATAGRAM))
        }
    }
}

/// How long to wait for an answer from an address.
pub(super) fn patience(config: &Config, protocol: Protocol, path: RoundTrip, run: RoundTrip) -> Duration {
    let (unknown, least, most) = PATIENCE;
    config.timeout.unwrap_or_else(|| {
        let bound = path.bound().or_else(|| run.bound().map(|bound| bound.max(unknown)));
        let wait = bound.map_or(unknown, |bound| (bound * 2).clamp(least, most));
        match protocol {
            Protocol::Tcp => config.repeats_after + wait,
            Protocol::Udp => wait.max(DATAGRAM),
        }
    })
}

/// The same for TCP to one whose path may be known: of those that are not, as long as for the slowest.
pub(super) fn patience_of(
    config: &Config,
    path: Option<&RoundTrip>,
    run: RoundTrip,
    slowest: Option<Duration>,
) -> Duration {
    path.map_or_else(|| longest_patience(config, slowest), |path| patience(config, Protocol::Tcp, *path, run))
}
