//! How many attempts are enough: the addresses that lose more get more, and a window does not end before
//! the bound on what it may have missed is earned, if canaries can earn it in a few seconds.

use std::{net::IpAddr, time::Duration};

use super::{
    super::{config::Config, journal::Note, ledger::Mark, loss::Opinion, row::Row, stats::at_least_bound},
    Next, Spot, Window,
    restore::note,
};
use crate::model::{LocalError, Moment, Protocol};

/// How far a window is with that.
#[derive(Debug, Default)]
pub(super) struct Earn {
    /// When its walk was over first.
    since: Option<Moment>,
    /// When it is looked at next, and whether it still wants canaries.
    next: Moment,
    wants: bool,
    /// The last pass of which half was seen to be over.
    halved: u8,
    /// When the walk began, and whether nothing is granted any more.
    began: Moment,
    closed: bool,
}

/// How long canaries may take to earn a bound beyond the walk.
const LONGEST: Duration = Duration::from_secs(9);
const LEAST: Duration = Duration::from_secs(1);
/// Places before the end of the last pass.
const SOON: u64 = 1 << 13;
/// What further attempts may take without waiting for canaries first.
const CHEAP: Duration = Duration::from_secs(2);
/// A walk was long when canaries have no more time than this beyond it.
const BRIEF: Duration = Duration::from_secs(3);
/// What an attempt takes that others would have to wait for anyway.
const QUICK: Duration = Duration::from_secs(1);
/// So many attempts of a short plan take less time than the canaries that would replace one of them.
const FEW: u8 = 4;
/// Passes that a row remembers having been left out of.
const MOST_PASSES: u8 = 30;
/// How unlikely it must be that an address answers late so often.
const LATE: f64 = 0.001;
/// How often it is looked at.
const LOOK: Duration = Duration::from_millis(50);

impl Window {
    /// Notes when its walk begins.
    pub(super) fn begin(&mut self, now: Moment) {
        if self.is_untouched() {
            self.earn.began = now;
        }
    }

    /// Whether it waits for canaries.
    pub(in crate::scan) fn wants_canaries(&self) -> bool {
        self.earn.wants
    }

    /// Whether it is soon to be decided how many attempts are enough.
    pub(in crate::scan) fn needs_opinion(&self) -> bool {
        self.pass > self.attempts || (self.pass == self.attempts && self.order.size() - self.place <= SOON)
    }

    /// Takes in that the kernel threw answers away that may have been to its probes.
    pub(in crate::scan) fn deafened(&mut self) {
        self.drops |= !self.is_untouched();
    }

    /// Attempts at the silent endpoints of a row whose answers would have been heard.
    pub(in crate::scan) fn heard_attempts(&self, row: usize) -> u8 {
        let deaf = self.deaf + u8::from(self.drops);
        self.rows.get(row).map_or(0, |row| row.attempts).saturating_sub(deaf)
    }

    /// What is left to do once the walk is over. `None`: nothing; `Finished`: the walk goes on.
    pub(super) fn earn(&mut self, now: Moment, config: &Config, opinion: Option<&Opinion>) -> Option<Next> {
        self.earn.wants = false;
        if self.unsettled == 0 {
            return None;
        }
        let since = *self.earn.since.get_or_insert(now);
        self.deaf += u8::from(std::mem::take(&mut self.drops));
        let (Some(accepted), Some(opinion)) = (config.max_miss, opinion) else {
            self.without_hearing();
            return None;
        };
        if self.earn.next > now {
            self.earn.wants = true;
            return Some(self.wait(Some(self.earn.next)));
        }
        if config.adapts() && self.awaits_replies(now) {
            return Some(self.wait(Some(self.tail)));
        }
        // Earlier than canaries could, and once they took too long, more attempts lower the bound.
        let waits = now - since < self.longest(since) && opinion.grows();
        let widened = self.widen_datagrams(config, opinion, accepted)
            || if waits {
                self.widen(now, config, Some(opinion)) || self.widen_cheaply(config, opinion, accepted)
            } else {
                !std::mem::replace(&mut self.earn.closed, true)
                    && self.widen_to_the_end(config, opinion, accepted)
            };
        if widened || self.has_more_to_walk() {
            return Some(self.again(now, config));
        }
        if waits && self.unearned(opinion, accepted) > 0 {
            self.earn.wants = true;
            self.earn.next = now + LOOK;
            return Some(self.wait(Some(self.earn.next)));
        }
        self.without_hearing();
        None
    }

    /// How long canaries may take: the longer the walk took, the more they know already.
    fn longest(&self, since: Moment) -> Duration {
        LONGEST.saturating_sub((since - self.earn.began) / 3).max(LEAST)
    }

    /// Whether a row is to be asked by the pass that comes next.
    pub(super) fn has_more_to_walk(&mut self) -> bool {
        let pass = self.pass;
        let more = self
            .rows
            .iter()
            .any(|row| row.is_partly_silent() && row.attempts + row.skipped(pass - 1) >= pass);
        let more = more && pass > self.planned && pass <= MOST_PASSES;
        if more {
            self.attempts = self.attempts.max(pass);
        }
        more
    }

    /// Gives another attempt to each row whose loss, as measured, asks for it. Returns whether any got one.
    pub(super) fn widen(&mut self, now: Moment, config: &Config, opinion: Option<&Opinion>) -> bool {
        let adapts = config.adapts() && !self.earn.closed;
        let (Some(accepted), Some(opinion), true) = (config.max_miss, opinion, adapts) else {
            return false;
        };
        // What was asked while the kernel threw answers away is asked once more.
        let (deaf, most) = (self.deaf, config.last_attempt());
        let wanted = |address: IpAddr, attempts: u8| {
            let wanted = opinion.of(address).map_or(config.attempts, |path| path.wanted(accepted));
            attempts.max(wanted.max(config.attempts).saturating_add(deaf))
        };
        // A pass takes as long as the gap between two attempts, however few it asks: after a long walk, the
        // few addresses that lose more than others get all of theirs at once, and not pass after pass.
        let stands_out =
            |address, attempts| wanted(address, attempts) > attempts || opinion.is_suspect(address);
        let at_once = self.longest(now) <= BRIEF
            && self.is_quick(config, QUICK, Protocol::Tcp, |address, row| stands_out(address, row.attempts));
        self.add_attempts(config, Protocol::Tcp, |address, attempts| {
            if at_once && stands_out(address, attempts) { most } else { wanted(address, attempts) }
        })
    }

    /// Whether one more attempt at some rows of a protocol takes no longer than that.
    fn is_quick(
        &self,
        config: &Config,
        time: Duration,
        protocol: Protocol,
        which: impl Fn(IpAddr, &Row) -> bool,
    ) -> bool {
        let asks = |row: &Row| row.protocol == protocol && row.is_partly_silent();
        let asked = self.addressed().filter(|(address, row)| asks(row) && which(*address, row));
        let probes: u64 = asked.map(|(_, row)| u64::from(row.unsettled)).sum();
        let rate = [config.rate.run, self.share.rate(false)].into_iter().flatten().min();
        probes <= rate.map_or(u64::MAX, |rate| rate.saturating_mul(time.as_secs()))
    }

    /// The same for rows whose bound is above what is accepted, while that takes little time; beyond a few
    /// attempts only where something got lost.
    fn widen_cheaply(&mut self, config: &Config, opinion: &Opinion, accepted: f64) -> bool {
        let deaf = self.deaf;
        let wants = |address: IpAddr, attempts: u8| {
            opinion.of(address).is_some_and(|path| {
                let miss = path.miss(attempts.saturating_sub(deaf));
                (attempts < FEW || miss.estimate > 0.0) && miss.upper95 > accepted
            })
        };
        config.adapts()
            && self.is_quick(config, CHEAP, Protocol::Tcp, |address, row| wants(address, row.attempts))
            && self.add_attempts(config, Protocol::Tcp, |address, attempts| {
                attempts + u8::from(wants(address, attempts))
            })
    }

    /// Gives each row what brings its bound down to what is accepted, where anything does, once and for all.
    fn widen_to_the_end(&mut self, config: &Config, opinion: &Opinion, accepted: f64) -> bool {
        let (deaf, most) = (self.deaf, config.last_attempt());
        let enough = |address: IpAddr, attempts: u8| {
            let path = opinion.of(address)?;
            (attempts..=most).find(|attempts| path.miss(attempts.saturating_sub(deaf)).upper95 <= accepted)
        };
        config.adapts()
            && self.add_attempts(config, Protocol::Tcp, |address, attempts| {
                enough(address, attempts).unwrap_or(attempts)
            })
    }

    /// The same for UDP, by how late replies come. Where all came at once, only while that takes little time.
    fn widen_datagrams(&mut self, config: &Config, opinion: &Opinion, accepted: f64) -> bool {
        let (wanted, late) = (opinion.datagrams.wanted(accepted), opinion.datagrams.shows_loss());
        let wanted = wanted.saturating_add(self.deaf);
        let wants = |row: &Row| row.attempts < wanted;
        config.adapts()
            && (late || self.is_quick(config, CHEAP, Protocol::Udp, |_, row| wants(row)))
            && self.add_attempts(config, Protocol::Udp, |_, attempts| attempts.max(wanted))
    }

    /// Whether replies may still come that say how many attempts are enough.
    fn awaits_replies(&self, now: Moment) -> bool {
        let silent = |row: &Row| row.protocol == Protocol::Udp && row.is_partly_silent();
        now < self.tail && (self.flight.is_none() || self.is_owed()) && self.rows.iter().any(silent)
    }

    /// The rows and their addresses.
    fn addressed(&self) -> impl Iterator<Item = (IpAddr, &Row)> + '_ {
        let blocks = self.blocks.iter().zip(&self.starts);
        blocks.flat_map(|(block, (_, first))| block.range.iter().zip(self.rows.iter().skip(*first)))
    }

    /// Notes that a closed endpoint was found, by which attempt.
    pub(in crate::scan) fn note_late(&mut self, spot: Spot, mark: Mark, attempt: u8) {
        if let Some(row) = self.rows.get_mut(spot.row).filter(|_| mark == Mark::Closed && attempt > 1) {
            row.late += 1;
        }
    }

    /// Whether a later pass is half over, for the first time that this is asked.
    pub(in crate::scan) fn is_half_asked_again(&mut self) -> bool {
        let half = self.pass > self.earn.halved.max(1) && self.place > self.order.size() / 2;
        if half {
            self.earn.halved = self.pass;
        }
        half
    }

    /// Addresses of which more endpoints than of others answered late only.
    pub(in crate::scan) fn late_addresses(&self) -> Vec<IpAddr> {
        let (mut late, mut closed) = (0u64, 0u64);
        for row in &self.rows {
            late += u64::from(row.late);
            closed += u64::from(row.closed);
        }
        let usual = 1.5 * late as f64 / closed.max(1) as f64;
        let stands_out = |(_, row): &(IpAddr, &Row)| {
            row.open > 0 && row.late > 2 && at_least_bound(row.late.into(), row.closed.into(), usual) < LATE
        };
        self.addressed().filter(stands_out).map(|(address, _)| address).collect()
    }

    /// Gives rows of a protocol as many attempts as `grant` says. Returns whether any got more.
    fn add_attempts(
        &mut self,
        config: &Config,
        protocol: Protocol,
        grant: impl Fn(IpAddr, u8) -> u8,
    ) -> bool {
        if self.pass > MOST_PASSES {
            return false;
        }
        let most = config.last_attempt();
        let mut any = false;
        let blocks = self.blocks.iter().zip(&self.starts).filter(|(block, _)| block.protocol == protocol);
        for (block, (_, first)) in blocks {
            let rows = self.rows.iter_mut().skip(*first);
            for (address, row) in block.range.iter().zip(rows).filter(|(_, row)| row.is_partly_silent()) {
                let granted = grant(address, row.attempts).min(most);
                if granted > row.attempts {
                    row.attempts = granted;
                    any = true;
                }
            }
        }
        any && self.has_more_to_walk()
    }

    /// Leaves the rows out of the pass that begins which have had their attempts.
    pub(super) fn leave_out(&mut self) {
        let pass = self.pass;
        for (at, row) in (0..).zip(&mut self.rows) {
            row.idle = row.attempts + row.skipped(pass - 1) < pass;
            if row.idle {
                row.skipped |= 1 << u32::from(pass).min(31);
                self.bars = true;
            }
            if pass > self.planned && row.is_partly_silent() {
                let (attempts, skipped) = (row.attempts, row.skipped);
                note(&mut self.notes, Note::Granted { row: at, attempts, skipped });
            }
        }
    }

    /// Whether the pass being walked leaves the address of an index out.
    pub(super) fn is_left_out(&self, index: u64) -> bool {
        let row = self.endpoint(index).and_then(|(row, _)| self.rows.get(row));
        row.is_none_or(|row| row.idle)
    }

    fn again(&mut self, now: Moment, config: &Config) -> Next {
        self.earn.next = now;
        self.decide_later();
        self.begin_pass(now, config);
        Next::Finished
    }

    /// Rows whose silence may hide more than is accepted, as far as canaries can tell.
    fn unearned(&self, opinion: &Opinion, accepted: f64) -> usize {
        let unearned = |(address, row): &(IpAddr, &Row)| {
            row.protocol == Protocol::Tcp
                && row.is_partly_silent()
                && (opinion.is_suspect(*address)
                    || opinion.of(*address).map_or_else(
                        || opinion.grows(),
                        |path| path.miss(row.attempts.saturating_sub(self.deaf)).upper95 > accepted,
                    ))
        };
        self.addressed().filter(unearned).count()
    }

    /// What was silent only while the kernel threw answers away is undetermined.
    fn without_hearing(&mut self) {
        let deaf = self.deaf;
        for row in self.rows.iter_mut().filter(|row| deaf > 0 && row.is_partly_silent()) {
            if row.attempts <= deaf {
                (row.local, row.barred) = (Some(LocalError::Buffers), true);
                self.bars = true;
            }
        }
    }
}
