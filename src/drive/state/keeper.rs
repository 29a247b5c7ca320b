//! The thread that writes the checkpoint while the scan goes on. The scan's lock is held only to take
//! what has piled up; the rest is this thread's own time.

use std::{
    io,
    sync::mpsc::{RecvTimeoutError, Sender, channel},
    thread::{self, JoinHandle},
    time::Duration,
};

use super::store::{StateError, Store};
use crate::scan::Checkpoint;

/// How often it writes. The disk is waited for only at the end: what a process has written outlives it, and
/// a disk that is slow must not make the checkpoint old.
const PERIOD: Duration = Duration::from_millis(100);

/// Keeps a state file up to date until it is told to finish.
#[derive(Debug)]
pub struct Keeper {
    stop: Sender<()>,
    thread: JoinHandle<Result<(), StateError>>,
}

impl Keeper {
    /// Begins to write what `take` takes.
    pub fn start(store: Store, take: impl FnMut() -> Checkpoint + Send + 'static) -> io::Result<Self> {
        let (stop, stopped) = channel();
        let work =
            move || keep(store, take, || stopped.recv_timeout(PERIOD) == Err(RecvTimeoutError::Timeout));
        let thread = thread::Builder::new().name("portproof-state".to_owned()).spawn(work)?;
        Ok(Self { stop, thread })
    }

    /// Writes what is left. Errors are those of the whole time: from the first on nothing was written.
    pub fn finish(self) -> Result<(), StateError> {
        drop(self.stop);
        self.thread.join().unwrap_or(Ok(()))
    }
}

fn keep(
    mut store: Store,
    mut take: impl FnMut() -> Checkpoint,
    mut wait: impl FnMut() -> bool,
) -> Result<(), StateError> {
    let mut kept = Ok(());
    loop {
        let goes_on = wait();
        let checkpoint = take();
        // After an error it only takes, lest the journal pile up.
        if kept.is_ok() {
            kept = store.append(checkpoint);
            if kept.is_ok() && !goes_on {
                kept = store.sync();
            }
        }
        if !goes_on {
            return kept;
        }
    }
}
