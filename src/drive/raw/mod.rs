//! The raw mouth's driver: SYNs over packet sockets, as fast as the kernel takes them.
//!
//! Three threads beside the event loop. One owns the [`Scan`] and makes frames of its probes; at high
//! rates a second one sends them, so that thinking and sending have a core each; the last receives.
//! All that needs privilege is opened before any of them starts, so that it can be given up.

mod datagrams;
mod filter;
mod kernel;
mod line;
mod listen;
mod neighbours;
mod open;
mod paths;
mod ports;
mod send;
mod sent;

use std::{
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use tokio::sync::{Notify, mpsc};

pub use self::open::{Kit, OpenError, open};
use self::{
    listen::{News, listen},
    send::Sender,
};
use super::{
    Clock,
    connect::{Origin, Single},
    interfaces,
    udp::Datagrams,
};
use crate::scan::{Probe, Scan};

/// A scan that is being driven over raw sockets.
#[derive(Debug)]
pub struct Raw {
    scan: Mutex<Scan>,
    clock: Clock,
    kit: Mutex<Option<Kit>>,
    single: Single,
    datagrams: Arc<Datagrams>,
    threaded: bool,
    stopped: AtomicBool,
    failed: AtomicBool,
    over: Notify,
}

/// Pieces of news that may wait for the sender; when it is slower, the kernel's rings hold the rest.
const NEWS: usize = 1024;

impl Raw {
    /// A driver for a scan with what [`open`] has opened. `descriptors` may be open at a time.
    /// `threaded`: sending gets a thread of its own.
    pub fn new(
        scan: Scan,
        clock: Clock,
        origin: Origin,
        kit: Kit,
        datagrams: Arc<Datagrams>,
        descriptors: u64,
        threaded: bool,
    ) -> Arc<Self> {
        Arc::new(Self {
            scan: Mutex::new(scan),
            clock,
            kit: Mutex::new(Some(kit)),
            single: Single::new(origin, interfaces::own_addresses(), descriptors),
            datagrams,
            threaded,
            stopped: AtomicBool::new(false),
            failed: AtomicBool::new(false),
            over: Notify::new(),
        })
    }

    /// Drives the scan to its end, or until it is stopped. A thread that dies stops the others: what it
    /// leaves is not asked to the end.
    pub async fn run(self: &Arc<Self>) {
        let Some(kit) = self.kit.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        let (news, heard) = sync_channel(NEWS);
        let (ask, asked) = mpsc::unbounded_channel();
        let (sender, mut rings) = kit.split();
        let syn = sender.syn();
        let ear = {
            let (driver, news) = (Arc::clone(self), news.clone());
            move || {
                let mouths = (&syn, &*driver.datagrams);
                listen(&mut rings, mouths, &driver.clock, &driver.stopped, &news);
            }
        };
        let mouth = {
            let driver = Arc::clone(self);
            move || driver.send(sender, &heard, &ask)
        };
        let threads = [self.start("portproof-receive", ear), self.start("portproof-send", mouth)];
        tokio::select! {
            () = self.handshakes(asked, news) => {}
            () = self.over.notified() => {}
        }
        self.stop();
        for thread in threads.into_iter().flatten() {
            // It ends within a look's time, and says by itself when it fails.
            let _ = thread.join();
        }
    }

    /// Whether a part of this program failed, so that the run is partial.
    pub fn failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    /// Ends the run early: what is not settled stays unknown.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
        self.over.notify_one();
    }

    /// The scan, for its observations and totals. The sender waits while it is held.
    pub fn scan(&self) -> MutexGuard<'_, Scan> {
        self.scan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(
        self: &Arc<Self>,
        name: &str,
        work: impl FnOnce() + Send + 'static,
    ) -> io::Result<thread::JoinHandle<()>> {
        let end = End(Arc::clone(self));
        let started = thread::Builder::new().name(name.to_owned()).spawn(move || {
            let _end = end;
            work();
        });
        if started.is_err() {
            self.failed.store(true, Ordering::Relaxed);
        }
        started
    }

    fn send(&self, sender: Sender, news: &Receiver<News>, ask: &mpsc::UnboundedSender<Probe>) {
        let Self { scan, clock, stopped, datagrams, threaded, .. } = self;
        sender.run(scan, clock, stopped, datagrams, news, ask, *threaded);
    }

    /// Completes connections for the probes that want it, as tasks of the event loop.
    async fn handshakes(self: &Arc<Self>, mut asked: mpsc::UnboundedReceiver<Probe>, news: SyncSender<News>) {
        while let Some(probe) = asked.recv().await {
            self.single.room().await;
            let (driver, news) = (Arc::clone(self), news.clone());
            tokio::spawn(async move {
                let answer = driver.single.ask(probe, &driver.clock).await;
                let mut item = News::Handshake(driver.clock.now(), answer);
                // The sender empties it all the time, and is gone only when the run has ended.
                while let Err(std::sync::mpsc::TrySendError::Full(back)) = news.try_send(item) {
                    item = back;
                    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
                }
            });
        }
    }
}

/// The end of a thread: the others must not wait for it, however it came.
struct End(Arc<Raw>);

impl Drop for End {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.failed.store(true, Ordering::Relaxed);
        }
        self.0.stop();
    }
}
