//! The journal as octets. Writing and reading are inverse; whatever octets come, reading takes no more
//! memory than they do, and never panics.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use super::{
    super::loss::{Class, Outcome, Trial},
    Chapter, Counters, Damaged, Note, Position, Progress, Run, Stamp, Told,
};
use crate::model::{Evidence, LocalError, Moment, Unreachable};

/// Full answers in one record at most, so that a record stays small whatever has piled up.
const MOST_TOLD: usize = 1 << 16;
/// Runs of marks in one record at most.
const MOST_RUNS: usize = 1 << 20;

/// More than anybody counts, and a century in nanoseconds: clocks and counters go on from what is read.
const MANY: u64 = 1 << 60;
const LATEST: u64 = 3_155_760_000_000_000_000;

const OPENED: u8 = 1;
const ENDED: u8 = 2;

impl Chapter {
    /// Writes it, in as many records as it takes.
    pub fn encode(&self, record: &mut dyn FnMut(&[u8])) {
        let parts = self.told.len().div_ceil(MOST_TOLD).max(self.marks.len().div_ceil(MOST_RUNS)).max(1);
        let mut octets = Vec::new();
        for part in 0..parts {
            octets.clear();
            let (is_first, is_last) = (part == 0, part + 1 == parts);
            let told = self.told.chunks(MOST_TOLD).nth(part).unwrap_or_default();
            let marks = self.marks.chunks(MOST_RUNS).nth(part).unwrap_or_default();
            let notes = if is_first { self.notes.as_slice() } else { &[] };
            let ended = self.ended.filter(|_| is_last);
            number(&mut octets, self.window);
            let opened = if self.opened && is_first { OPENED } else { 0 };
            octets.push(opened | if ended.is_some() { ENDED } else { 0 });
            octets.extend(ended);
            number(&mut octets, marks.len() as u64);
            let mut from = 0;
            for run in marks {
                number(&mut octets, run.first.wrapping_sub(from));
                number(&mut octets, run.length << 2 | run.mark as u64);
                from = run.first + run.length;
            }
            number(&mut octets, told.len() as u64);
            for told in told {
                told.encode(&mut octets);
            }
            number(&mut octets, notes.len() as u64);
            for note in notes {
                note.encode(&mut octets);
            }
            record(&octets);
        }
    }

    /// Reads one record of [`Self::encode`].
    pub fn decode(octets: &[u8]) -> Result<Self, Damaged> {
        let mut from = Octets(octets);
        let (window, flags) = (from.number()?, from.octet()?);
        let ended = if flags & ENDED > 0 { Some(from.octet()?) } else { None };
        let mut chapter = Self { window, opened: flags & OPENED > 0, ended, ..Self::default() };
        let mut next = 0u64;
        for _ in 0..from.number()? {
            let first = next.wrapping_add(from.number()?);
            let (word, length) = from.number().map(|word| (word, word >> 2))?;
            let mark = match word & 3 {
                0 => Stamp::Soft,
                1 => Stamp::Prohibited,
                2 => Stamp::Closed,
                _ => return Err(Damaged::Code),
            };
            next = first.checked_add(length).filter(|_| length > 0).ok_or(Damaged::Code)?;
            chapter.marks.push(Run { first, length, mark });
        }
        for _ in 0..from.number()? {
            chapter.told.push(Told::decode(&mut from)?);
        }
        for _ in 0..from.number()? {
            chapter.notes.push(Note::decode(&mut from)?);
        }
        from.end(chapter)
    }
}

impl Progress {
    /// Writes it.
    pub fn encode(&self, octets: &mut Vec<u8>) {
        number(octets, self.at.nanos());
        let Counters { probes_sent, retransmitted, replies, strays, kernel_drops, send_errors } =
            self.counters;
        for counter in [probes_sent, retransmitted, replies, strays, kernel_drops, send_errors] {
            number(octets, counter);
        }
        number(octets, self.positions.len() as u64);
        for Position { window, attempts, pass, place, owed } in &self.positions {
            number(octets, *window);
            octets.extend([*attempts, *pass]);
            number(octets, *place);
            number(octets, owed.len() as u64);
            for (index, attempt) in owed {
                number(octets, *index);
                octets.push(*attempt);
            }
        }
    }

    /// Reads what [`Self::encode`] wrote.
    pub fn decode(octets: &[u8]) -> Result<Self, Damaged> {
        let mut from = Octets(octets);
        let at = from.moment()?;
        let mut count =
            || from.number().and_then(|count| if count < MANY { Ok(count) } else { Err(Damaged::Code) });
        let counters = Counters {
            probes_sent: count()?,
            retransmitted: count()?,
            replies: count()?,
            strays: count()?,
            kernel_drops: count()?,
            send_errors: count()?,
        };
        let mut positions = Vec::new();
        for _ in 0..from.number()? {
            let (window, attempts, pass) = (from.number()?, from.octet()?, from.octet()?);
            let (place, mut owed) = (from.number()?, Vec::new());
            for _ in 0..from.number()? {
                owed.push((from.number()?, from.octet()?));
            }
            positions.push(Position { window, attempts, pass, place, owed });
        }
        from.end(Self { at, counters, positions })
    }
}

impl Told {
    fn encode(&self, octets: &mut Vec<u8>) {
        number(octets, self.index);
        number(octets, self.at.nanos());
        number(octets, u64::try_from(self.rtt.as_nanos()).unwrap_or(u64::MAX));
        octets.extend([self.attempt, self.sent]);
        match self.source {
            None => octets.push(0),
            Some(source) => {
                address(octets, Some(source.ip()));
                octets.extend(source.port().to_le_bytes());
            }
        }
        octets.push(u8::from(self.ttl.is_some()));
        octets.extend(self.ttl);
        evidence(octets, self.evidence);
    }

    fn decode(from: &mut Octets<'_>) -> Result<Self, Damaged> {
        let index = from.number()?;
        let (at, rtt) = (from.moment()?, Duration::from_nanos(from.number()?));
        let (attempt, sent) = (from.octet()?, from.octet()?);
        let source = match from.address()? {
            None => None,
            Some(ip) => Some(SocketAddr::new(ip, u16::from_le_bytes(from.take()?))),
        };
        let ttl = if from.octet()? > 0 { Some(from.octet()?) } else { None };
        Ok(Self { index, at, rtt, attempt, sent, source, ttl, evidence: from.evidence()? })
    }
}

impl Note {
    fn encode(self, octets: &mut Vec<u8>) {
        let (kind, of) = match self {
            Self::Soft { row, .. } => (0, row),
            Self::Lost { index, .. } => (1, index),
            Self::Barred { row, .. } => (2, row),
            Self::Unheard { index, .. } => (3, index),
            Self::Looked { row, .. } => (4, row),
            Self::Parted { row } => (5, row),
            Self::FellSilent { row } => (6, row),
            Self::NotLooked { row } => (7, row),
            Self::Granted { row, .. } => (8, row),
            Self::Tried(trial) => (9, trial.sent.nanos()),
        };
        octets.push(kind);
        number(octets, of);
        match self {
            Self::Soft { what, sender, .. } => evidence(octets, Evidence::Unreachable { what, sender }),
            Self::Lost { error, .. } | Self::Barred { error, .. } => {
                evidence(octets, Evidence::Local(error));
            }
            Self::Unheard { attempt, .. } => octets.push(attempt),
            Self::Looked { at, .. } => number(octets, at.nanos()),
            Self::Granted { attempts, skipped, .. } => {
                octets.push(attempts);
                number(octets, skipped.into());
            }
            Self::Tried(Trial { address: of, class, depth, outcome, .. }) => {
                octets.extend([place_in(&CLASSES, &class), depth, place_in(&OUTCOMES, &outcome)]);
                address(octets, Some(of));
            }
            Self::Parted { .. } | Self::FellSilent { .. } | Self::NotLooked { .. } => {}
        }
    }

    fn decode(from: &mut Octets<'_>) -> Result<Self, Damaged> {
        let (kind, of) = (from.octet()?, from.number()?);
        Ok(match kind {
            0 => match from.evidence()? {
                Evidence::Unreachable { what, sender } => Self::Soft { row: of, what, sender },
                _ => return Err(Damaged::Code),
            },
            1 => Self::Lost { index: of, error: from.local()? },
            2 => Self::Barred { row: of, error: from.local()? },
            3 => Self::Unheard { index: of, attempt: from.octet()? },
            4 => Self::Looked { row: of, at: from.moment()? },
            5 => Self::Parted { row: of },
            6 => Self::FellSilent { row: of },
            7 => Self::NotLooked { row: of },
            8 => Self::Granted {
                row: of,
                attempts: from.octet()?,
                skipped: from.number()?.try_into().map_err(|_| Damaged::Code)?,
            },
            9 if of < LATEST => {
                let [class, depth, outcome] = from.take()?;
                Self::Tried(Trial {
                    sent: Moment::from_nanos(of),
                    address: from.address()?.ok_or(Damaged::Code)?,
                    class: *CLASSES.get(usize::from(class)).ok_or(Damaged::Code)?,
                    depth,
                    outcome: *OUTCOMES.get(usize::from(outcome)).ok_or(Damaged::Code)?,
                })
            }
            _ => return Err(Damaged::Code),
        })
    }
}

const CLASSES: [Class; 2] = [Class::SynAck, Class::Reset];

const OUTCOMES: [Outcome; 3] = [Outcome::Answered, Outcome::Lost, Outcome::Found];

const UNREACHABLE: [Unreachable; 9] = [
    Unreachable::Net,
    Unreachable::Host,
    Unreachable::Protocol,
    Unreachable::Port,
    Unreachable::NetProhibited,
    Unreachable::HostProhibited,
    Unreachable::AdminProhibited,
    Unreachable::TimeExceeded,
    Unreachable::Other,
];

const LOCAL: [LocalError; 6] = [
    LocalError::Descriptors,
    LocalError::LocalPorts,
    LocalError::Buffers,
    LocalError::NoRoute,
    LocalError::Forbidden,
    LocalError::NoFamily,
];

fn place_in<T: PartialEq>(table: &[T], value: &T) -> u8 {
    let place = table.iter().position(|other| other == value).unwrap_or(table.len());
    u8::try_from(place).unwrap_or(u8::MAX)
}

fn evidence(octets: &mut Vec<u8>, evidence: Evidence) {
    match evidence {
        Evidence::Connected => octets.push(0),
        Evidence::SynAck { window, options } => {
            octets.extend([1, u8::from(options)]);
            octets.extend(window.to_le_bytes());
        }
        Evidence::Reset => octets.push(2),
        Evidence::Refused => octets.push(3),
        Evidence::Unreachable { what, sender } => {
            octets.extend([4, place_in(&UNREACHABLE, &what)]);
            address(octets, sender);
        }
        Evidence::Silence => octets.push(5),
        Evidence::Reply { payload } => {
            octets.push(7);
            octets.extend(payload.to_le_bytes());
        }
        Evidence::NoListener => octets.push(8),
        Evidence::Local(error) => {
            octets.extend([6, place_in(&LOCAL, &error)]);
            if let LocalError::Other(errno) = error {
                octets.extend(errno.to_le_bytes());
            }
        }
    }
}

fn address(octets: &mut Vec<u8>, address: Option<IpAddr>) {
    match address {
        None => octets.push(0),
        Some(IpAddr::V4(v4)) => {
            octets.push(4);
            octets.extend(v4.octets());
        }
        Some(IpAddr::V6(v6)) => {
            octets.push(6);
            octets.extend(v6.octets());
        }
    }
}

/// Seven bits an octet, the low ones first; the high bit says that more follow.
fn number(octets: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        octets.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    octets.push((value & 0x7f) as u8);
}

/// What is left to read.
struct Octets<'a>(&'a [u8]);

impl Octets<'_> {
    fn octet(&mut self) -> Result<u8, Damaged> {
        let (&first, rest) = self.0.split_first().ok_or(Damaged::Code)?;
        self.0 = rest;
        Ok(first)
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], Damaged> {
        let (first, rest) = self.0.split_first_chunk().ok_or(Damaged::Code)?;
        self.0 = rest;
        Ok(*first)
    }

    fn number(&mut self) -> Result<u64, Damaged> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let octet = self.octet()?;
            value |= u64::from(octet & 0x7f) << shift;
            if octet & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Damaged::Code)
    }

    fn moment(&mut self) -> Result<Moment, Damaged> {
        let nanos = self.number()?;
        if nanos < LATEST { Ok(Moment::from_nanos(nanos)) } else { Err(Damaged::Code) }
    }

    fn address(&mut self) -> Result<Option<IpAddr>, Damaged> {
        match self.octet()? {
            0 => Ok(None),
            4 => Ok(Some(IpAddr::from(self.take::<4>()?))),
            6 => Ok(Some(IpAddr::from(self.take::<16>()?))),
            _ => Err(Damaged::Code),
        }
    }

    fn evidence(&mut self) -> Result<Evidence, Damaged> {
        Ok(match self.octet()? {
            0 => Evidence::Connected,
            1 => {
                let options = self.octet()? > 0;
                Evidence::SynAck { window: u16::from_le_bytes(self.take()?), options }
            }
            2 => Evidence::Reset,
            3 => Evidence::Refused,
            4 => {
                let what = *UNREACHABLE.get(usize::from(self.octet()?)).ok_or(Damaged::Code)?;
                Evidence::Unreachable { what, sender: self.address()? }
            }
            5 => Evidence::Silence,
            7 => Evidence::Reply { payload: u16::from_le_bytes(self.take()?) },
            8 => Evidence::NoListener,
            6 => Evidence::Local(match usize::from(self.octet()?) {
                other if other == LOCAL.len() => LocalError::Other(i32::from_le_bytes(self.take()?)),
                known => *LOCAL.get(known).ok_or(Damaged::Code)?,
            }),
            _ => return Err(Damaged::Code),
        })
    }

    fn local(&mut self) -> Result<LocalError, Damaged> {
        match self.evidence()? {
            Evidence::Local(error) => Ok(error),
            _ => Err(Damaged::Code),
        }
    }

    /// The value, when nothing is left.
    fn end<T>(self, value: T) -> Result<T, Damaged> {
        if self.0.is_empty() { Ok(value) } else { Err(Damaged::Code) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn evidences() -> impl Strategy<Value = Evidence> {
        let sender = proptest::option::of(any::<IpAddr>());
        prop_oneof![
            Just(Evidence::Connected),
            (any::<u16>(), any::<bool>()).prop_map(|(window, options)| Evidence::SynAck { window, options }),
            Just(Evidence::Reset),
            Just(Evidence::Refused),
            Just(Evidence::Silence),
            Just(Evidence::NoListener),
            any::<u16>().prop_map(|payload| Evidence::Reply { payload }),
            (0..UNREACHABLE.len(), sender)
                .prop_map(|(at, sender)| Evidence::Unreachable { what: UNREACHABLE[at], sender }),
            (0..LOCAL.len()).prop_map(|at| Evidence::Local(LOCAL[at])),
            any::<i32>().prop_map(|errno| Evidence::Local(LocalError::Other(errno))),
        ]
    }

    prop_compose! {
        fn told()(
            numbers in (any::<u64>(), 0..LATEST, any::<u64>()),
            attempt: u8,
            sent: u8,
            source in proptest::option::of(any::<(IpAddr, u16)>()),
            ttl: Option<u8>,
            evidence in evidences(),
        ) -> Told {
            let (index, at, rtt) = numbers;
            let source = source.map(|(ip, port)| SocketAddr::new(ip, port));
            let (at, rtt) = (Moment::from_nanos(at), Duration::from_nanos(rtt));
            Told { index, at, rtt, attempt, sent, source, ttl, evidence }
        }
    }

    fn notes() -> impl Strategy<Value = Note> {
        (0u8..10, any::<u64>(), evidences(), any::<(u8, IpAddr)>(), any::<u64>()).prop_map(
            |(kind, of, evidence, (attempt, address), at)| {
                let error = if let Evidence::Local(error) = evidence { error } else { LocalError::NoRoute };
                match (kind, evidence) {
                    (0, Evidence::Unreachable { what, sender }) => Note::Soft { row: of, what, sender },
                    (0 | 1, _) => Note::Lost { index: of, error },
                    (2, _) => Note::Barred { row: of, error },
                    (3, _) => Note::Unheard { index: of, attempt },
                    (4, _) => Note::Looked { row: of, at: Moment::from_nanos(at % LATEST) },
                    (5, _) => Note::Parted { row: of },
                    (6, _) => Note::NotLooked { row: of },
                    (7, _) => Note::Granted { row: of, attempts: attempt, skipped: u32::from(attempt) << 3 },
                    (8, _) => Note::Tried(Trial {
                        sent: Moment::from_nanos(at % LATEST),
                        address,
                        class: CLASSES[usize::from(attempt) % CLASSES.len()],
                        depth: attempt,
                        outcome: OUTCOMES[usize::from(attempt) % OUTCOMES.len()],
                    }),
                    _ => Note::FellSilent { row: of },
                }
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(
            window: u64,
            opened: bool,
            ended: Option<u8>,
            runs in proptest::collection::vec((0u64..1 << 30, 1u64..99, 0u8..3), 0..20),
            told in proptest::collection::vec(told(), 0..9),
            notes in proptest::collection::vec(notes(), 0..9),
        ) {
            let mut first = 0;
            let marks = runs.into_iter().map(|(gap, length, mark)| {
                first += gap + 99;
                let mark = [Stamp::Soft, Stamp::Prohibited, Stamp::Closed][usize::from(mark)];
                Run { first, length, mark }
            });
            let chapter = Chapter { window, opened, ended, marks: marks.collect(), told, notes };
            let mut records = Vec::new();
            chapter.encode(&mut |record| records.push(record.to_vec()));
            prop_assert_eq!(records.len(), 1);
            prop_assert_eq!(Chapter::decode(&records[0]), Ok(chapter));
        }

        #[test]
        fn progress_reads_back(
            at in 0..LATEST,
            counters in proptest::array::uniform6(0..MANY),
            positions in proptest::collection::vec(
                (any::<(u64, u8, u8, u64)>(), proptest::collection::vec(any::<(u64, u8)>(), 0..5)), 0..4),
        ) {
            let [probes_sent, retransmitted, replies, strays, kernel_drops, send_errors] = counters;
            let counters = Counters { probes_sent, retransmitted, replies, strays, kernel_drops, send_errors };
            let positions = positions.into_iter().map(|((window, attempts, pass, place), owed)| {
                Position { window, attempts, pass, place, owed }
            });
            let progress = Progress { at: Moment::from_nanos(at), counters, positions: positions.collect() };
            let mut octets = Vec::new();
            progress.encode(&mut octets);
            prop_assert_eq!(Progress::decode(&octets), Ok(progress));
        }

        #[test]
        fn any_octets_are_read_or_refused(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = (Chapter::decode(&octets), Progress::decode(&octets));
        }
    }

    #[test]
    fn a_long_chapter_is_written_in_parts() {
        let told = Told {
            index: 1,
            at: Moment::START,
            rtt: Duration::ZERO,
            attempt: 1,
            sent: 1,
            source: None,
            ttl: None,
            evidence: Evidence::Reset,
        };
        let long = Chapter {
            window: 3,
            opened: true,
            told: vec![told; MOST_TOLD + 1],
            ended: Some(2),
            ..Chapter::default()
        };
        let mut parts = Vec::new();
        long.encode(&mut |record| parts.push(Chapter::decode(record).unwrap()));
        let shown: Vec<_> = parts.iter().map(|part| (part.opened, part.told.len(), part.ended)).collect();
        assert_eq!(shown, [(true, MOST_TOLD, None), (false, 1, Some(2))]);
    }
}
