//! One version of a survey: what is still to be offered and what was taken.

use super::super::{Version, suites::suites};

/// How often a hello is asked again that met with nothing.
const PATIENCE: u8 = 2;

/// What came of a hello, as far as version and suites go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The server chose.
    Chosen(Version, u16),
    /// It does not speak the version.
    NoVersion,
    /// It takes none of the suites.
    NoSuite,
    /// It refuses something else than these two.
    Elsewhere,
    /// It refuses, but does not say what.
    Murmured,
    /// It said nothing.
    Dropped,
    /// It was not asked.
    Unasked,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Offer what is left of a part, until nothing of it is taken.
    Listing,
    /// Offer what was taken, backwards: whose order counts?
    Ordering,
    /// The parts were taken apart: list everything together, for the server's order over all.
    Together,
    Done,
}

#[derive(Debug)]
pub(super) struct Track {
    pub(super) version: Version,
    /// Whether the server goes by an order of its own.
    pub(super) order: Option<bool>,
    /// Number of the hello whose silence was taken for a refusal last.
    pub(super) doubt: Option<usize>,
    phase: Phase,
    /// Suites that are still to be offered, the usual ones first.
    parts: Vec<Vec<u16>>,
    part: usize,
    /// What was taken of each part, in the order in which it was.
    taken: Vec<Vec<u16>>,
    /// Everything that was taken.
    all: Vec<u16>,
    /// How often the present hello met with nothing.
    strikes: u8,
    /// Something stayed open that makes the list a lower bound.
    is_open: bool,
}

impl Track {
    pub(super) fn new(version: Version) -> Self {
        let part = |usual: bool| -> Vec<u16> {
            let of = suites().filter(|suite| suite.is_of(version) && suite.is_usual() == usual);
            of.map(|suite| suite.id).collect()
        };
        // Servers are known that do not answer a hello of more than 128 suites.
        let parts = [part(true), part(false)];
        let parts: Vec<Vec<u16>> =
            parts.iter().flat_map(|part| part.chunks(120)).map(<[u16]>::to_vec).collect();
        let taken = vec![Vec::new(); parts.len()];
        Self {
            version,
            order: None,
            doubt: None,
            phase: Phase::Listing,
            parts,
            part: 0,
            taken,
            all: Vec::new(),
            strikes: 0,
            is_open: false,
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.phase == Phase::Done
    }

    pub(super) fn is_taken(&self) -> bool {
        !self.all.is_empty()
    }

    /// Not taken, and asked for with everything.
    pub(super) fn is_refused(&self) -> bool {
        self.is_done() && !self.is_taken() && !self.is_open
    }

    /// Taken, and every suite was decided.
    pub(super) fn is_complete(&self) -> bool {
        self.is_done() && !self.is_open
    }

    /// What was taken: in the server's order, if it has one; else in ours.
    pub(super) fn taken(&self) -> &[u16] {
        &self.all
    }

    pub(super) fn doubt(&mut self, at: usize) {
        self.doubt = Some(at);
    }

    /// Suites of the next hello.
    pub(super) fn offer(&self) -> Vec<u16> {
        match self.phase {
            Phase::Listing => self.parts.get(self.part).cloned().unwrap_or_default(),
            Phase::Ordering => self.longest().iter().rev().copied().collect(),
            Phase::Together => self.parts.first().cloned().unwrap_or_default(),
            Phase::Done => Vec::new(),
        }
    }

    /// The part of which most was taken: in one of two suites nobody's order is seen.
    fn longest(&self) -> &[u16] {
        self.taken.iter().max_by_key(|part| part.len()).map(Vec::as_slice).unwrap_or_default()
    }

    /// `true`: silence was taken for a refusal.
    pub(super) fn hear(&mut self, outcome: Outcome) -> bool {
        let is_vague = matches!(outcome, Outcome::Murmured | Outcome::Dropped | Outcome::Unasked);
        if is_vague && self.strikes + 1 < PATIENCE {
            self.strikes += 1;
            return false;
        }
        self.strikes = 0;
        match self.phase {
            Phase::Listing => self.list(outcome),
            Phase::Ordering => self.order(outcome),
            Phase::Together => self.together(outcome),
            Phase::Done => {}
        }
        outcome == Outcome::Dropped
    }

    fn list(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Chosen(version, suite) if version == self.version => {
                let Some(part) = self.parts.get_mut(self.part) else { return self.finish() };
                let before = part.len();
                part.retain(|offered| *offered != suite);
                let was_offered = part.len() < before;
                let is_empty = part.is_empty();
                if !self.all.contains(&suite) {
                    self.all.push(suite);
                    self.taken.iter_mut().skip(self.part).take(1).for_each(|part| part.push(suite));
                }
                if !was_offered {
                    // It takes what nobody offered: there is no end to such a list.
                    self.is_open = true;
                    self.finish();
                } else if is_empty {
                    self.next_part();
                }
            }
            // An older one than asked for, and this one with nothing of what is left; a newer one is nonsense.
            Outcome::Chosen(version, _) => {
                self.is_open |= version > self.version;
                self.next_part();
            }
            Outcome::NoVersion if !self.is_taken() => self.finish(),
            Outcome::NoVersion | Outcome::NoSuite | Outcome::Murmured | Outcome::Dropped => self.next_part(),
            Outcome::Elsewhere | Outcome::Unasked => {
                self.is_open = true;
                self.next_part();
            }
        }
    }

    fn next_part(&mut self) {
        self.part += 1;
        if self.part < self.parts.len() {
            return;
        }
        if self.longest().len() >= 2 { self.phase = Phase::Ordering } else { self.finish() }
    }

    fn order(&mut self, outcome: Outcome) {
        let longest = self.longest();
        self.order = match outcome {
            Outcome::Chosen(version, suite) if version == self.version => {
                if longest.first() == Some(&suite) {
                    Some(true)
                } else {
                    // Servers that put ChaCha20 first for clients that do fit neither.
                    (longest.last() == Some(&suite)).then_some(false)
                }
            }
            _ => None,
        };
        let parts = self.taken.iter().filter(|part| !part.is_empty()).count();
        if self.order == Some(true) && parts > 1 && self.all.len() <= 120 {
            self.parts = vec![self.all.clone()];
            self.taken = vec![Vec::new()];
            self.phase = Phase::Together;
        } else {
            self.finish();
        }
    }

    /// Nothing is lost if this goes wrong: what was taken is known.
    fn together(&mut self, outcome: Outcome) {
        if let (Outcome::Chosen(version, suite), Some(part), Some(taken)) =
            (outcome, self.parts.first_mut(), self.taken.first_mut())
            && version == self.version
            && part.contains(&suite)
        {
            part.retain(|offered| *offered != suite);
            taken.push(suite);
            if !part.is_empty() {
                return;
            }
        }
        // What is not asked any more comes last, as it was.
        let taken = self.taken.first().cloned().unwrap_or_default();
        let rest: Vec<u16> = self.all.iter().copied().filter(|suite| !taken.contains(suite)).collect();
        self.all = taken.into_iter().chain(rest).collect();
        self.finish();
    }

    fn finish(&mut self) {
        self.phase = Phase::Done;
    }
}
