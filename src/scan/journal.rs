//! What a scan says of itself so that it can be continued by another process: its answers, not its
//! probes. Told piece by piece, and taken away as it comes; nothing here knows a file.

mod code;
mod sheet;

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

pub use self::sheet::Sheet;
use super::{
    batch::Answer,
    ledger::Mark,
    loss::Trial,
    window::{Spot, Window},
};
use crate::model::{Coverage, Evidence, LocalError, Moment, Unreachable};

/// What can't be the journal of this scan: it is damaged, or another scan's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damaged {
    /// The octets mean nothing.
    #[error("it holds a record that means nothing")]
    Code,
    /// It speaks of windows, endpoints or attempts that this scan does not have.
    #[error("it speaks of what this scan does not have")]
    Foreign,
}

/// What happened since the last one, and how far the scan has come.
#[derive(Clone, Debug, Default)]
pub struct Checkpoint {
    /// By window, in the order in which windows were opened.
    pub chapters: Vec<Chapter>,
    /// Where the walks are.
    pub progress: Progress,
}

/// What happened in one window.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chapter {
    /// Counted from 1 in the order of opening.
    pub(super) window: u64,
    /// It was opened.
    pub(super) opened: bool,
    /// Endpoints that were settled and need no more than that, or had a soft error.
    pub(super) marks: Vec<Run>,
    pub(super) told: Vec<Told>,
    pub(super) notes: Vec<Note>,
    /// It ended, after so many attempts.
    pub(super) ended: Option<u8>,
}

/// Endpoints beside each other that are marked alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Run {
    pub(super) first: u64,
    pub(super) length: u64,
    pub(super) mark: Stamp,
}

/// What is kept of an endpoint that nobody observes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stamp {
    /// Nothing is settled, and a soft error came.
    Soft = 0,
    Prohibited = 1,
    Closed = 2,
}

/// An answer that changed something, in full.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Told {
    pub(super) index: u64,
    pub(super) at: Moment,
    pub(super) rtt: Duration,
    pub(super) attempt: u8,
    /// Passes of the walk that had come by then.
    pub(super) sent: u8,
    pub(super) source: Option<SocketAddr>,
    pub(super) ttl: Option<u8>,
    pub(super) evidence: Evidence,
}

/// What happened beside answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Note {
    /// The last soft error about an address.
    Soft { row: u64, what: Unreachable, sender: Option<IpAddr> },
    /// An attempt was given up on our side.
    Lost { index: u64, error: LocalError },
    /// An address can't be reached from here.
    Barred { row: u64, error: LocalError },
    /// The driver never said how a probe ended.
    Unheard { index: u64, attempt: u8 },
    /// A parting look at an address.
    Looked { row: u64, at: Moment },
    /// It failed on our side.
    NotLooked { row: u64 },
    /// A parting look was answered.
    Parted { row: u64 },
    /// None was.
    FellSilent { row: u64 },
    /// How many attempts the silent endpoints of an address get, and which passes left it out, as bits.
    Granted { row: u64, attempts: u8, skipped: u32 },
    /// What came of a canary, of whatever window: the loss is not measured anew.
    Tried(Trial),
}

/// Where the walks are, and the counters of the run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    /// When.
    pub at: Moment,
    pub(super) counters: Counters,
    pub(super) positions: Vec<Position>,
}

/// What of the totals can't be counted again.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Counters {
    pub(super) probes_sent: u64,
    pub(super) retransmitted: u64,
    pub(super) replies: u64,
    pub(super) strays: u64,
    pub(super) kernel_drops: u64,
    pub(super) send_errors: u64,
}

/// How far the walk of a window has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) window: u64,
    pub(super) attempts: u8,
    pub(super) pass: u8,
    pub(super) place: u64,
    /// Attempts behind it that have yet to leave.
    pub(super) owed: Vec<(u64, u8)>,
}

/// The pen: what was told and not yet taken away.
#[derive(Debug, Default)]
pub(super) struct Journal {
    chapters: Vec<Chapter>,
    /// The last soft error told of an address, by window and row.
    soft: HashMap<(u64, usize), (Unreachable, Option<IpAddr>)>,
}

impl Journal {
    pub(super) fn opened(&mut self, window: u64) {
        self.chapter(window).opened = true;
    }

    /// A window is about to end: what it never heard the end of is told as well.
    pub(super) fn ended(&mut self, window: &mut Window) {
        let (number, attempts) = (window.number, window.attempts());
        let notes = window.last_notes();
        let chapter = self.chapter(number);
        chapter.notes.extend(notes);
        chapter.ended = Some(attempts);
        self.soft.retain(|(of, _), _| *of != number);
    }

    /// A canary's end is known.
    pub(super) fn tried(&mut self, window: u64, trial: Trial) {
        self.chapter(window).notes.push(Note::Tried(trial));
    }

    /// An answer was taken in; `changed`: it settled something, `observed`: somebody was told.
    pub(super) fn heard(
        &mut self,
        now: Moment,
        window: &Window,
        spot: Spot,
        answer: &Answer,
        (changed, observed, is_news): (bool, bool, bool),
    ) {
        let Spot { index, row } = spot;
        let sent = window.passes_over(index);
        if let Evidence::Unreachable { what, sender } = answer.evidence
            && what.is_soft()
        {
            if self.soft.insert((window.number, row), (what, sender)) != Some((what, sender)) {
                self.chapter(window.number).notes.push(Note::Soft { row: row as u64, what, sender });
            }
            self.chapter(window.number).marks.push(Run { first: index, length: 1, mark: Stamp::Soft });
        }
        if is_news || (changed && observed) {
            self.chapter(window.number).told.push(Told {
                index,
                at: now,
                rtt: now - answer.sent_at,
                attempt: answer.attempt,
                sent,
                source: answer.source,
                ttl: answer.ttl,
                evidence: answer.evidence,
            });
        } else if changed {
            let mark = match Mark::of(answer.evidence) {
                Mark::Prohibited => Stamp::Prohibited,
                Mark::Closed => Stamp::Closed,
                // Nothing changes by the first, and the other is observed.
                Mark::Unsettled | Mark::Open => return,
            };
            self.chapter(window.number).marks.push(Run { first: index, length: 1, mark });
        }
    }

    /// All that was told, and where the windows are.
    pub(super) fn take(&mut self, at: Moment, active: &mut [Window], coverage: &Coverage) -> Checkpoint {
        for window in active.iter_mut() {
            let notes = window.take_notes();
            if !notes.is_empty() {
                self.chapter(window.number).notes.extend(notes);
            }
        }
        let counters = Counters {
            probes_sent: coverage.probes_sent,
            retransmitted: coverage.retransmitted,
            replies: coverage.replies,
            strays: coverage.strays,
            kernel_drops: coverage.kernel_drops,
            send_errors: coverage.send_errors,
        };
        let positions = active.iter().map(Window::position).collect();
        Checkpoint {
            chapters: std::mem::take(&mut self.chapters),
            progress: Progress { at, counters, positions },
        }
    }

    /// The chapter of a window; there are few, and the youngest is asked for most.
    fn chapter(&mut self, window: u64) -> &mut Chapter {
        let at = self.chapters.iter().rposition(|chapter| chapter.window == window).unwrap_or_else(|| {
            self.chapters.push(Chapter { window, ..Chapter::default() });
            self.chapters.len() - 1
        });
        // It was found or pushed.
        #[allow(clippy::indexing_slicing)]
        &mut self.chapters[at]
    }
}

impl Chapter {
    /// Which window it is about.
    pub fn window(&self) -> u64 {
        self.window
    }

    /// When the last of its answers came.
    pub fn latest(&self) -> Moment {
        self.told.iter().map(|told| told.at).max().unwrap_or_default()
    }

    /// Takes the end of its window out of it, if it is there, as a chapter of its own.
    pub fn take_end(&mut self) -> Option<Self> {
        let ended = self.ended.take();
        ended.map(|_| Self { window: self.window, ended, ..Self::default() })
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self { window: self.window, ..Self::default() }
    }

    /// Takes out the parting looks that were not heard out.
    pub fn forget_looks(&mut self, counts: &dyn Fn(Moment) -> bool) {
        self.notes.retain(|note| !matches!(note, Note::Looked { at, .. } if !counts(*at)));
    }

    /// Puts marks of endpoints beside each other together.
    pub fn tidy(&mut self) {
        self.marks.sort_unstable();
        let mut tidy: Vec<Run> = Vec::with_capacity(self.marks.len());
        for run in self.marks.drain(..) {
            match tidy.last_mut() {
                Some(last) if last.mark == run.mark && last.first + last.length == run.first => {
                    last.length += run.length;
                }
                Some(last) if last.mark == run.mark && last.first + last.length > run.first => {}
                _ => tidy.push(run),
            }
        }
        self.marks = tidy;
    }
}
