//! The parting look: before the silence of an address that answered is believed, it is asked once
//! more. An intrusion prevention system that bans us midway looks like a firewall that drops.

use std::{collections::HashMap, time::Duration};

use super::{
    super::{
        again::Queue,
        batch::{Answer, Probe},
        config::Config,
        journal::Note,
        row::Row,
        witness::Witnesses,
    },
    GRACE, Next, Window,
    restore::note,
};
use crate::model::{Endpoint, Evidence, Moment, Protocol, State};

/// Parting looks of a window, by row.
#[derive(Debug, Default)]
pub(super) struct Partings {
    open: HashMap<usize, Parting>,
    /// When to see to a row; every open one is in it at least once.
    due: Queue,
    /// It is known who is to be asked, by what was heard so far, and by all that could be heard.
    begun: bool,
    whole: bool,
    /// The latest pass that left rows out of which it is known.
    early: u8,
}

#[derive(Debug)]
struct Parting {
    witness: Endpoint,
    /// The numbers of the looks made, of which there are `tries`.
    looks: [u8; TRIES],
    tries: usize,
    /// Looks that failed on our side.
    failures: u8,
    /// When the last look can no longer be answered.
    over: Moment,
}

impl Parting {
    /// Whether an answer is to a look that was made.
    fn has_asked(&self, answer: &Answer) -> bool {
        let made = self.looks.get(..self.tries).unwrap_or_default();
        self.witness == answer.endpoint && made.contains(&answer.attempt)
    }
}

/// A parting look follows the last probe of the walk as soon as any probe may follow another.
const SOON: Duration = Duration::from_secs(1);
/// One loss is bad luck, two a second apart are an answer.
const TRIES: usize = 2;
/// A parting look that this machine fails to send so often leaves the address undetermined.
const MOST_FAILURES: u8 = 5;

impl Window {
    /// Asks the witness of each address that is partly silent: when the walk is over of all, and during a
    /// pass that leaves rows out of these. The window ends when all have answered or none can any more.
    pub(super) fn part(
        &mut self,
        now: Moment,
        config: &Config,
        patience: &dyn Fn(&Row) -> Duration,
        witnesses: &mut Witnesses,
    ) -> Next {
        // Who is to be asked shows when the walk is over, and for good when all answers are there.
        let (early, heard) = (self.leaves_out(), now >= self.heard_at());
        if early && self.partings.early < self.pass {
            self.partings.early = self.pass;
            self.begin_partings(now, witnesses, |row| row.idle);
        } else if !early && (!self.partings.begun || (heard && !self.partings.whole)) {
            (self.partings.begun, self.partings.whole) = (true, heard);
            self.begin_partings(now, witnesses, |_| true);
        }
        let partings = &mut self.partings;
        while let Some((index, _)) = partings.due.pop(now) {
            let Ok(at) = usize::try_from(index) else { continue };
            let (Some(parting), Some(row)) = (partings.open.get_mut(&at), self.rows.get_mut(at)) else {
                continue;
            };
            // A better witness may have come forward; once one was asked it stays.
            if parting.tries == 0
                && let Some(witness) = witnesses.of(parting.witness.address, row.protocol)
            {
                parting.witness = witness;
            }
            if row.unsettled == 0 {
                partings.open.remove(&at);
            } else if parting.over > now && (parting.tries == TRIES || config.hears_silence) {
                partings.due.push(parting.over, index, 0, false);
            } else if parting.tries == TRIES {
                (row.fell_silent, row.parted) = (true, true);
                partings.open.remove(&at);
                note(&mut self.notes, Note::FellSilent { row: index });
            } else if let Some(rests) = witnesses.rests(parting.witness, now) {
                partings.due.push(rests, index, 0, false);
            } else {
                let wait = patience(row);
                let attempt = witnesses.ask(parting.witness, now + config.gap(wait));
                if let Some(look) = parting.looks.get_mut(parting.tries) {
                    *look = attempt;
                }
                parting.tries += 1;
                note(&mut self.notes, Note::Looked { row: index, at: now });
                // Who hears silence says when a look is over; else the next need not wait for it.
                let (over, next) = if config.hears_silence {
                    (now + wait + GRACE, now + wait + GRACE)
                } else {
                    (now + wait, now + wait.min(config.gap(wait)))
                };
                parting.over = parting.over.max(over);
                partings.due.push(next, index, 0, false);
                return Next::Probe(Probe {
                    endpoint: parting.witness,
                    attempt,
                    patience: wait,
                    handshake: false,
                });
            }
        }
        self.parting_due().map_or(Next::Finished, Next::Wait)
    }
    /// Whether there is nothing to do about rows that are left out, for now.
    pub(super) fn is_parted_early(&self, now: Moment) -> bool {
        !self.leaves_out()
            || (self.partings.early == self.pass && self.parting_due().is_none_or(|due| due > now))
    }

    /// Whether the pass being walked may leave rows out.
    pub(super) fn leaves_out(&self) -> bool {
        (self.planned + 1..=self.attempts).contains(&self.pass)
    }

    /// When an open parting look is to be seen to, about.
    pub(super) fn parting_due(&self) -> Option<Moment> {
        // Entries of what is over may still be in the queue.
        self.partings.due.due().filter(|_| !self.partings.open.is_empty())
    }

    /// Takes in what came of a parting look of this window. `None`: it is none of this window's.
    pub(in crate::scan) fn hear_parting(&mut self, now: Moment, answer: &Answer) -> Option<()> {
        // One witness may stand for the silence over both protocols.
        let at = [Protocol::Tcp, Protocol::Udp].into_iter().find_map(|protocol| {
            let (_, at) = self.block_of(protocol, answer.endpoint.address)?;
            self.partings.open.get(&at).filter(|parting| parting.has_asked(answer)).map(|_| at)
        })?;
        let partings = &mut self.partings;
        let parting = partings.open.get_mut(&at)?;
        let is_last = parting.looks.get(..parting.tries)?.last() == Some(&answer.attempt);
        match (answer.evidence, answer.evidence.state()) {
            (Evidence::Local(error), _) => {
                if !is_last {
                    return None;
                }
                parting.tries -= 1;
                parting.failures += 1;
                parting.over = now;
                note(&mut self.notes, Note::NotLooked { row: at as u64 });
                if parting.failures > MOST_FAILURES {
                    let row = self.rows.get_mut(at)?;
                    (row.local, row.barred) = (Some(error), true);
                    self.bars = true;
                    partings.open.remove(&at);
                    note(&mut self.notes, Note::Barred { row: at as u64, error });
                }
            }
            (_, Some(State::Open | State::Closed)) => {
                partings.open.remove(&at);
                self.rows.get_mut(at)?.parted = true;
                note(&mut self.notes, Note::Parted { row: at as u64 });
            }
            // An ICMP error ends a connect; over a raw socket the answer may still come.
            _ if is_last && self.flight.is_some() => parting.over = now,
            _ => return Some(()),
        }
        partings.due.push(now, u64::try_from(at).ok()?, 0, false);
        Some(())
    }

    /// The run ends before all parting looks are over: what was silent so far counts.
    pub(in crate::scan) fn stop_parting(&mut self, now: Moment) {
        for (at, parting) in std::mem::take(&mut self.partings).open {
            if let Some(row) = self.rows.get_mut(at).filter(|_| parting.tries > 0 && parting.over <= now) {
                row.fell_silent = true;
            }
        }
    }

    /// Looks to be made at addresses that were asked since they were heard, a while after that.
    fn begin_partings(&mut self, now: Moment, witnesses: &Witnesses, which: impl Fn(&Row) -> bool) {
        if witnesses.is_empty() {
            return;
        }
        let heard_at = self.heard_at();
        let Self { blocks, starts, rows, parted, asked_all, partings, .. } = self;
        let addresses =
            blocks.iter().zip(starts.iter()).flat_map(|(block, (_, first))| block.range.iter().zip(*first..));
        for (address, at) in addresses {
            let Some(row) = rows.get_mut(at) else { continue };
            let witness = witnesses.of(address, row.protocol);
            let (Some(witness), Ok(index)) = (witness, u64::try_from(at)) else { continue };
            if !which(row) || !row.is_partly_silent() || row.parted || partings.open.contains_key(&at) {
                continue;
            }
            // What another process asked there and was not answered counts.
            let tries = match parted.get(&at).copied().map(usize::from) {
                Some(tries) if tries > TRIES => continue,
                made => made.unwrap_or(0),
            };
            let asked = row.asked.max(*asked_all);
            if witnesses.was_heard_since(witness, asked) {
                row.parted = true;
                continue;
            }
            let (looks, failures, over) = ([0; TRIES], 0, now);
            partings.open.insert(at, Parting { witness, looks, tries, failures, over });
            partings.due.push((asked + SOON).min(heard_at).max(now), index, 0, false);
        }
    }

    /// Rows that the pass which begins does not leave out are asked once more: what was heard of them
    /// before does not count.
    pub(super) fn part_again(&mut self) {
        (self.partings.begun, self.partings.whole) = (false, false);
        self.partings.open.retain(|at, _| self.rows.get(*at).is_some_and(|row| row.idle));
        for row in self.rows.iter_mut().filter(|row| !row.idle) {
            row.parted = false;
        }
    }
}
