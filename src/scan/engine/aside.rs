//! What a scan hears that is about an address and no endpoint's state, and probes that never left.

use std::{net::IpAddr, time::Duration};

use super::{
    super::{
        batch::{Answer, Batch, Probe},
        config::{Config, patience_of},
        pace::Pace,
    },
    Scan,
};
use crate::model::{Evidence, Moment, Protocol, Undecided};

/// Addresses whose round-trip time outlives their window.
const MAX_PATHS: usize = 1 << 16;
/// The first repeat of a SYN-ACK (RFC 6298 section 2).
const REPEAT: Duration = Duration::from_secs(1);

impl Scan {
    /// Takes in what came of a parting look, which is about an address and no endpoint's state.
    pub(super) fn hear_parting(&mut self, now: Moment, answer: &Answer) {
        let heard = self.active.iter_mut().find_map(|window| window.hear_parting(now, answer));
        if heard.is_some() {
            reserve(&mut self.pace, &self.config, now, answer);
        }
        if heard.is_none() && !self.witnesses.was_asked(answer.endpoint, answer.attempt) {
            self.coverage.strays += 1;
        } else if let Evidence::Local(_) = answer.evidence {
            match heard {
                Some(()) => self.not_sent(answer),
                None => self.coverage.strays += 1,
            }
        } else if answer.evidence != Evidence::Silence {
            self.coverage.replies += 1;
        }
    }

    /// Takes in a round-trip time: all of an address is one path, whatever window or protocol.
    pub(super) fn learn(&mut self, address: IpAddr, rtt: Duration) {
        // The far side repeats a lost SYN-ACK after a second: what it then says is not how long the path is.
        let known = self.paths.get(&address).and_then(|path| path.smoothed());
        let repeated = rtt >= REPEAT && known.is_none_or(|known| known < REPEAT / 2);
        if repeated && known.is_some() {
            return;
        }
        self.run_rtt.sample(rtt);
        if self.paths.len() < MAX_PATHS || self.paths.contains_key(&address) {
            self.paths.entry(address).or_default().sample(rtt);
        }
        for window in &mut self.active {
            window.learn(address, |path| path.sample(rtt));
        }
        if !repeated {
            self.slowest = self.slowest.max(Some(rtt));
        }
    }

    /// Notes how the addresses of a window that ended limit their ICMP errors: its tallies are the last. What
    /// is silent of an address in a window without any refusal is under the same limit.
    pub(super) fn note_limits(&mut self, before: usize) {
        for tally in self.tallies.range(before..).filter(|tally| tally.protocol == Protocol::Udp) {
            let silent = tally.icmp.map_or(tally.states.unanswered, |limit| limit.undecided);
            let is_known = self.limited.contains_key(&tally.address);
            if (tally.icmp.is_none() && silent == 0) || (!is_known && self.limited.len() >= MAX_PATHS) {
                continue;
            }
            let (interval, undecided) = self.limited.entry(tally.address).or_default();
            *undecided += silent;
            *interval = (*interval).max(tally.icmp.map(|limit| limit.interval));
        }
    }

    /// What could not be decided for that reason.
    pub(super) fn undecided(&self) -> Option<Undecided> {
        let limits =
            self.limited.values().filter_map(|(interval, undecided)| Some(((*interval)?, *undecided)));
        let limits = limits.filter(|(_, undecided)| *undecided > 0);
        let mut found: Option<Undecided> = None;
        for (interval, endpoints) in limits {
            let all = found.get_or_insert(Undecided { endpoints: 0, addresses: 0, time: Duration::ZERO });
            all.endpoints += endpoints;
            all.addresses += 1;
            all.time = all.time.max(interval.mul_f64(endpoints as f64));
        }
        found
    }

    /// Asks what goes beside the walk, if anything is due.
    pub(super) fn ask_beside(&mut self, now: Moment, batch: &mut Batch) -> bool {
        let probe = self.canary(now).or_else(|| self.control(now));
        if let Some(probe) = probe {
            self.send(now, probe, batch);
        }
        probe.is_some()
    }

    /// The next control, if one is due.
    pub(super) fn control(&mut self, now: Moment) -> Option<Probe> {
        let Self { controls, paths, config, run_rtt, slowest, .. } = self;
        controls.next(now, config.hears_silence, |address| {
            patience_of(config, paths.get(&address), *run_rtt, *slowest)
        })
    }

    /// Takes in what came of a control, or of nothing that was asked.
    pub(super) fn hear_control(&mut self, now: Moment, answer: &Answer) {
        if self.controls.hear(answer).is_none() {
            self.coverage.strays += 1;
            return;
        }
        reserve(&mut self.pace, &self.config, now, answer);
        match answer.evidence {
            Evidence::Local(_) => self.not_sent(answer),
            Evidence::Silence => {}
            _ => self.coverage.replies += 1,
        }
    }

    /// Takes a probe that never left out of the totals.
    pub(super) fn not_sent(&mut self, answer: &Answer) {
        let packets = self.config.packets(answer.endpoint);
        let repeated = if answer.attempt > 1 { packets } else { 0 };
        self.coverage.send_errors += 1;
        self.coverage.probes_sent = self.coverage.probes_sent.saturating_sub(packets);
        self.coverage.retransmitted = self.coverage.retransmitted.saturating_sub(repeated);
    }

    /// Hands a probe out. Returns of how many packets it is made.
    pub(super) fn send(&mut self, now: Moment, probe: Probe, batch: &mut Batch) -> u64 {
        let packets = self.config.packets(probe.endpoint);
        self.pace.take_many(now, packets);
        self.coverage.probes_sent += packets;
        batch.push(probe);
        packets
    }
}

/// The mouth has repeated by itself what was silent for so long: that second packet takes a slot of the
/// run's rate as well.
pub(super) fn reserve(pace: &mut Pace, config: &Config, now: Moment, answer: &Answer) {
    let (waited, repeats) = (now - answer.sent_at, config.repeats(answer.endpoint.protocol));
    if answer.evidence == Evidence::Silence && !repeats.is_zero() && waited > repeats {
        pace.take(now);
    }
}
