//! What a state file tells: read once to learn how far it goes, then again to bring a scan there.

use std::{
    collections::{BTreeMap, VecDeque},
    io::{self, Read, Write},
    time::Duration,
};

use super::record::{self, Kind, ReadError, Records};
use crate::{
    model::Moment,
    scan::{Chapter, Checkpoint, Damaged, Progress, Scan, Sheet},
};

/// How far back a continued scan goes, so that every answer to what was asked before is known: two
/// seconds, less what was not written yet when the other process died.
const REWIND: Duration = Duration::from_millis(1750);
/// An answer may have been written so long before the position that goes with it, when the disk was slow.
const AHEAD: Duration = Duration::from_hours(1);
/// Positions kept of the latest time.
const KEPT: Duration = Duration::from_secs(3);

/// How far a state file goes.
#[derive(Clone, Debug)]
pub struct Story {
    /// Which scan it is, as JSON.
    pub head: Vec<u8>,
    /// When each run of it began.
    pub starts: Vec<Moment>,
    /// For how long it ran, all runs together.
    pub ran: Duration,
    /// Where the walks were when it was last heard of.
    pub last: Progress,
    /// A position from which nothing can be overlooked.
    pub safe: Progress,
    /// Where the last whole record ends.
    pub end: u64,
}

/// Why no scan can be continued from a state file.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)] // the texts say it
pub enum StoryError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Damaged(#[from] Damaged),
    #[error("it does not say which scan it is")]
    Headless,
}

impl From<io::Error> for StoryError {
    fn from(error: io::Error) -> Self {
        Self::Read(error.into())
    }
}

impl Story {
    /// Reads all of it.
    pub fn read<R: Read>(records: &mut Records<R>) -> Result<Self, StoryError> {
        let Some((Kind::Head, head)) = records.advance()? else { return Err(StoryError::Headless) };
        let mut positions = Positions::default();
        let (mut starts, mut ran, mut began) = (Vec::new(), Duration::ZERO, Moment::START);
        while let Some((kind, octets)) = records.advance()? {
            match kind {
                Kind::Head => return Err(Damaged::Code.into()),
                Kind::Chapter => drop(Chapter::decode(&octets)?),
                Kind::Progress => positions.add(Progress::decode(&octets)?),
                Kind::Start => {
                    let start = Progress::decode(&octets)?;
                    ran += positions.last().map_or(Duration::ZERO, |last| last.at - began);
                    began = start.at;
                    starts.push(start.at);
                    positions = Positions::default();
                    positions.add(start);
                }
            }
        }
        let (Some(last), Some(safe)) = (positions.last(), positions.safe()) else {
            return Err(StoryError::Headless);
        };
        ran += last.at - began;
        Ok(Self { head, starts, ran, last: last.clone(), safe: safe.clone(), end: records.at() })
    }

    /// Whether a parting look at a moment was heard out.
    fn counts(&self, at: Moment) -> bool {
        at <= self.safe.at
    }

    /// Brings a new scan of the same plan to where the other one was. `drain` may take what it says.
    pub fn replay<R: Read>(
        &self,
        records: &mut Records<R>,
        scan: &mut Scan,
        drain: &mut dyn FnMut(&mut Scan),
    ) -> Result<(), StoryError> {
        while let Some((kind, octets)) = records.advance()? {
            if kind == Kind::Chapter {
                let chapter = Chapter::decode(&octets)?;
                // Whoever answered in the future would be left alone until then.
                if chapter.latest() > self.last.at + AHEAD {
                    return Err(Damaged::Foreign.into());
                }
                scan.replay(&chapter, &|at| self.counts(at))?;
                drain(scan);
            }
        }
        Ok(())
    }

    /// Writes a copy without what is no longer needed. `continued`: what was not heard out is forgotten.
    /// Returns how many octets were written.
    pub fn copy<R: Read>(
        &self,
        records: &mut Records<R>,
        to: &mut impl Write,
        continued: bool,
    ) -> Result<u64, StoryError> {
        let mut out = Out { to, written: record::MAGIC.len() as u64, failed: None };
        out.to.write_all(record::MAGIC)?;
        let mut sheets: BTreeMap<u64, Sheet> = BTreeMap::new();
        let mut positions = Positions::default();
        while let Some((kind, octets)) = records.advance()? {
            match kind {
                Kind::Head => out.record(Kind::Head, &octets),
                Kind::Progress => positions.add(Progress::decode(&octets)?),
                Kind::Start => {
                    positions.last().into_iter().for_each(|last| out.progress(Kind::Progress, last));
                    out.record(Kind::Start, &octets);
                    positions = Positions::default();
                }
                Kind::Chapter => {
                    let mut chapter = Chapter::decode(&octets)?;
                    sheets.entry(chapter.window()).or_default().gather(&mut chapter)?;
                    if continued {
                        chapter.forget_looks(&|at| self.counts(at));
                    }
                    let end = chapter.take_end();
                    if !chapter.is_empty() {
                        out.chapter(&chapter);
                    }
                    if let Some(end) = end {
                        out.sheet(chapter.window(), sheets.remove(&chapter.window()));
                        out.chapter(&end);
                    }
                }
            }
        }
        for (window, sheet) in sheets {
            out.sheet(window, Some(sheet));
        }
        for progress in &positions.kept {
            out.progress(Kind::Progress, progress);
        }
        out.failed.map_or(Ok(out.written), |error| Err(error.into()))
    }
}

/// Writes what happened since the last time; returns how many octets.
pub fn write(to: &mut impl Write, checkpoint: &mut Checkpoint) -> io::Result<u64> {
    let mut out = Out { to, written: 0, failed: None };
    for chapter in &mut checkpoint.chapters {
        chapter.tidy();
        out.chapter(chapter);
    }
    out.progress(Kind::Progress, &checkpoint.progress);
    out.failed.map_or(Ok(out.written), Err)
}

/// Writes that a run begins, or goes on, at a position.
pub fn begin(to: &mut impl Write, progress: &Progress) -> io::Result<u64> {
    let mut out = Out { to, written: 0, failed: None };
    out.progress(Kind::Start, progress);
    out.failed.map_or(Ok(out.written), Err)
}

/// The latest positions, and the first.
#[derive(Default)]
struct Positions {
    kept: VecDeque<Progress>,
}

impl Positions {
    fn add(&mut self, progress: Progress) {
        // The one before the first that is too young is still wanted.
        while self.kept.get(1).is_some_and(|second| progress.at - second.at >= KEPT) {
            self.kept.pop_front();
        }
        self.kept.push_back(progress);
    }

    fn last(&self) -> Option<&Progress> {
        self.kept.back()
    }

    /// The latest that is old enough; of a run that has just begun its beginning.
    fn safe(&self) -> Option<&Progress> {
        let last = self.last()?.at;
        self.kept.iter().rev().find(|progress| last - progress.at >= REWIND).or_else(|| self.kept.front())
    }
}

struct Out<'a, W> {
    to: &'a mut W,
    written: u64,
    failed: Option<io::Error>,
}

impl<W: Write> Out<'_, W> {
    fn record(&mut self, kind: Kind, octets: &[u8]) {
        if self.failed.is_none() {
            match record::write(self.to, kind, octets) {
                Ok(written) => self.written += written,
                Err(error) => self.failed = Some(error),
            }
        }
    }

    fn chapter(&mut self, chapter: &Chapter) {
        chapter.encode(&mut |octets| self.record(Kind::Chapter, octets));
    }

    fn progress(&mut self, kind: Kind, progress: &Progress) {
        let mut octets = Vec::new();
        progress.encode(&mut octets);
        self.record(kind, &octets);
    }

    fn sheet(&mut self, window: u64, sheet: Option<Sheet>) {
        if let Some(sheet) = sheet {
            sheet.chapters(window, &mut |chapter| self.chapter(chapter));
        }
    }
}
