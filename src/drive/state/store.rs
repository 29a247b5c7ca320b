//! The file itself: created with mode 0600, appended to, replaced by rename, never anything else's.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, BufReader, BufWriter, Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use super::{
    record::{self, Kind, MAGIC, ReadError, Records},
    story::{self, Story, StoryError},
};
use crate::scan::{Checkpoint, Progress, Scan};

/// A state file that is being written.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    file: File,
    /// Octets when it was last written as a whole, and since then.
    base: u64,
    since: u64,
}

/// Below that nobody minds its size.
const SMALL: u64 = 4 << 20;

/// Why a state file can't be used.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)] // the texts say it
pub enum StateError {
    #[error("{} can't be used as a state file: {error}", path.display())]
    Io { path: PathBuf, error: io::Error },
    #[error("{} is there, and is no portproof state file; it is left as it is", path.display())]
    Occupied { path: PathBuf },
    #[error("{} is being written by another portproof", path.display())]
    Busy { path: PathBuf },
    #[error("{} can't be continued: {error}", path.display())]
    Story { path: PathBuf, error: StoryError },
}

impl StateError {
    /// Whether this machine is why, and not the file.
    pub fn is_environment(&self) -> bool {
        matches!(self, Self::Io { .. } | Self::Busy { .. })
    }
}

/// A state file that a run continues.
#[derive(Debug)]
pub struct Past {
    path: PathBuf,
    file: File,
    /// What it tells.
    pub story: Story,
}

impl Past {
    /// Opens and reads one. As long as this lives no other portproof continues it.
    pub fn open(path: &Path) -> Result<Self, StateError> {
        let io = |error| StateError::Io { path: path.to_owned(), error };
        let told = |error| StateError::Story { path: path.to_owned(), error };
        let file = File::open(path).map_err(io)?;
        if !file.metadata().map_err(io)?.is_file() {
            return Err(told(ReadError::Foreign.into()));
        }
        lock(&file, path)?;
        let story =
            records(&file).map_err(StoryError::from).and_then(|mut records| Story::read(&mut records));
        Ok(Self { path: path.to_owned(), story: story.map_err(told)?, file })
    }

    /// Brings a new scan of the same plan to where the other one was.
    pub fn replay(&self, scan: &mut Scan, drain: &mut dyn FnMut(&mut Scan)) -> Result<(), StateError> {
        let replayed = records(&self.file)
            .map_err(StoryError::from)
            .and_then(|mut records| self.story.replay(&mut records, scan, drain));
        replayed.map_err(|error| self.unusable(error))
    }

    /// The same, of a scan that says that it is another.
    pub fn unusable(&self, error: impl Into<StoryError>) -> StateError {
        StateError::Story { path: self.path.clone(), error: error.into() }
    }
}

impl Store {
    /// Proves that a state file can be written, before a probe is sent.
    pub fn check(path: &Path) -> Result<(), StateError> {
        let io = |error| StateError::Io { path: path.to_owned(), error };
        match File::open(path) {
            Ok(mut file) => {
                let metadata = file.metadata().map_err(io)?;
                let mut magic = [0; MAGIC.len()];
                let ours = metadata.len() == 0 || (file.read_exact(&mut magic).is_ok() && magic == *MAGIC);
                if !metadata.is_file() || !ours {
                    return Err(StateError::Occupied { path: path.to_owned() });
                }
                lock(&file, path)?;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(io(error)),
        }
        let part = beside(path);
        create(&part).map_err(io)?;
        fs::remove_file(&part).map_err(io)
    }

    /// A new file for a run that begins.
    pub fn create(path: &Path, head: &[u8], first: &Progress) -> Result<Self, StateError> {
        Self::replace(path, |to| {
            to.write_all(MAGIC)?;
            Ok(MAGIC.len() as u64 + record::write(to, Kind::Head, head)? + story::begin(to, first)?)
        })
    }

    /// A file for a run that continues another one.
    pub fn continued(path: &Path, past: &Past, first: &Progress) -> Result<Self, StateError> {
        Self::replace(path, |to| {
            let copied = past.story.copy(&mut records(&past.file)?, to, true)?;
            Ok(copied + story::begin(to, first)?)
        })
    }

    /// Writes what happened since the last time.
    pub fn append(&mut self, mut checkpoint: Checkpoint) -> Result<(), StateError> {
        let mut octets = Vec::new();
        let written = story::write(&mut octets, &mut checkpoint).and_then(|_| self.file.write_all(&octets));
        written.map_err(|error| StateError::Io { path: self.path.clone(), error })?;
        self.since += octets.len() as u64;
        if self.since > self.base.max(SMALL) {
            self.compact()?;
        }
        Ok(())
    }

    /// Survives a machine that loses its power, too.
    pub fn sync(&self) -> Result<(), StateError> {
        self.file.sync_data().map_err(|error| StateError::Io { path: self.path.clone(), error })
    }

    fn compact(&mut self) -> Result<(), StateError> {
        let old =
            File::open(&self.path).map_err(|error| StateError::Io { path: self.path.clone(), error })?;
        let copied = Self::replace(&self.path, |to| {
            let story = Story::read(&mut records(&old)?)?;
            story.copy(&mut records(&old)?, to, false)
        });
        *self = copied?;
        Ok(())
    }

    /// Writes a whole file beside the other, and puts it in its place.
    fn replace(
        path: &Path,
        fill: impl FnOnce(&mut BufWriter<&File>) -> Result<u64, StoryError>,
    ) -> Result<Self, StateError> {
        let io = |error| StateError::Io { path: path.to_owned(), error };
        let part = beside(path);
        let made = create(&part).map_err(io)?;
        let written = lock(&made, path).and_then(|()| {
            let mut to = BufWriter::new(&made);
            let base = fill(&mut to).map_err(|error| StateError::Story { path: path.to_owned(), error })?;
            to.flush().and_then(|()| made.sync_data()).map_err(io)?;
            drop(to);
            fs::rename(&part, path).map_err(io)?;
            Ok(base)
        });
        match written {
            Ok(base) => Ok(Self { path: path.to_owned(), file: made, base, since: 0 }),
            Err(error) => {
                let _ = fs::remove_file(&part);
                Err(error)
            }
        }
    }
}

/// All records of a file, from its beginning.
fn records(file: &File) -> Result<Records<BufReader<At<'_>>>, ReadError> {
    let length = file.metadata()?.len();
    Records::new(BufReader::with_capacity(1 << 16, At { file, at: 0 }), length)
}

/// A place in a file that others read as well.
struct At<'a> {
    file: &'a File,
    at: u64,
}

impl io::Read for At<'_> {
    fn read(&mut self, octets: &mut [u8]) -> io::Result<usize> {
        let read = std::os::unix::fs::FileExt::read_at(self.file, octets, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

fn create(path: &Path) -> io::Result<File> {
    let _ = fs::remove_file(path);
    OpenOptions::new().read(true).append(true).create_new(true).mode(0o600).open(path)
}

fn lock(file: &File, path: &Path) -> Result<(), StateError> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(StateError::Busy { path: path.to_owned() }),
        // A file system without locks: two runs on one file are then nobody's business but the user's.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(()),
    }
}

fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.part", std::process::id()))
}
