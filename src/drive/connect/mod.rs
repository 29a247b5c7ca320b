//! The connect mouth's driver: non-blocking connects, as many at a time as descriptors allow.
//!
//! Workers share one [`Scan`] behind a lock that is held for a batch at a time. A near host answers
//! while `connect()` is still on its way back, so each batch is looked at once more before any of its
//! sockets is handed to the event loop; only those without an answer yet become tasks.

mod attempt;
mod slots;

use std::{
    collections::BTreeSet,
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::sync::{Notify, mpsc};

pub use self::slots::MOST_IN_FLIGHT;

use self::{
    attempt::{Attempt, Started},
    slots::Slots,
};
use super::{Clock, interfaces};
use crate::{
    model::{Evidence, LocalError, Moment},
    scan::{Answer, Batch, Scan},
};

/// From where connects start, when the user says so.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// `--source-address`.
    pub addresses: Vec<IpAddr>,
    /// `--interface`.
    pub interface: Option<String>,
}

/// A scan that is being driven by connects.
#[derive(Debug)]
pub struct Connect {
    scan: Mutex<Scan>,
    clock: Clock,
    origin: Origin,
    own: BTreeSet<IpAddr>,
    slots: Slots,
    stopped: AtomicBool,
    /// Something changed that a waiting worker should know.
    changed: Notify,
}

/// Probes taken from the scan at a time: enough to amortize the lock, few enough for an even pace.
const BATCH: usize = 64;
/// A worker that waits looks up this often, whatever it waits for.
const LOOK_UP: Duration = Duration::from_millis(20);

impl Connect {
    /// A driver for a scan, with `descriptors` open files allowed.
    pub fn new(scan: Scan, clock: Clock, origin: Origin, descriptors: u64) -> Arc<Self> {
        Arc::new(Self {
            scan: Mutex::new(scan),
            clock,
            origin,
            own: interfaces::own_addresses(),
            slots: Slots::new(descriptors),
            stopped: AtomicBool::new(false),
            changed: Notify::new(),
        })
    }

    /// Drives the scan to its end with so many workers, or until it is stopped.
    pub async fn run(self: &Arc<Self>, workers: usize) {
        let workers: Vec<_> = (0..workers.max(1)).map(|_| tokio::spawn(Arc::clone(self).work())).collect();
        for worker in workers {
            // A worker that panicked has poisoned nothing: the lock is taken again, and what it held is
            // reported as not asked to the end.
            let _ = worker.await;
        }
    }

    /// Ends the run early: what is not settled stays unknown.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
        self.changed.notify_waiters();
    }

    /// The scan, for its observations and totals. Workers wait while it is held.
    pub fn scan(&self) -> MutexGuard<'_, Scan> {
        self.scan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn work(self: Arc<Self>) {
        let mut batch = Batch::with_room(BATCH);
        let mut answers: Vec<(Moment, Answer)> = Vec::with_capacity(BATCH);
        let (ended, mut ends) = mpsc::unbounded_channel();
        while !self.stopped.load(Ordering::Relaxed) {
            let room = self.slots.take(BATCH);
            batch.reset(room);
            let (wake, done) = self.turn(&mut answers, &mut batch);
            self.slots.give(room - batch.probes().len());
            if done {
                self.changed.notify_waiters();
                return;
            }
            if batch.probes().is_empty() {
                let rest =
                    wake.filter(|_| room > 0).map_or(LOOK_UP, |wake| (wake - self.clock.now()).min(LOOK_UP));
                tokio::select! {
                    _ = ends.recv_many(&mut answers, BATCH * 16) => {}
                    () = tokio::time::sleep_until((self.clock.instant(self.clock.now()) + rest).into()) => {}
                    () = self.changed.notified() => {}
                }
                continue;
            }
            self.launch(&batch, &mut answers, &ended);
            while let Ok(answer) = ends.try_recv() {
                answers.push(answer);
            }
            tokio::task::yield_now().await;
        }
    }

    /// One turn with the scan: hand over what came back, take what is due.
    fn turn(&self, answers: &mut Vec<(Moment, Answer)>, batch: &mut Batch) -> (Option<Moment>, bool) {
        let mut scan = self.scan();
        for (at, answer) in answers.drain(..) {
            scan.answer(at, &answer);
        }
        scan.fill(self.clock.now(), batch);
        (scan.poll_timeout(), scan.done())
    }

    /// Starts a batch of connects. Those that have ended are answers; the others become tasks.
    fn launch(
        self: &Arc<Self>,
        batch: &Batch,
        answers: &mut Vec<(Moment, Answer)>,
        ended: &mpsc::UnboundedSender<(Moment, Answer)>,
    ) {
        let mut pending: Vec<Attempt> = Vec::with_capacity(batch.probes().len());
        for &probe in batch.probes() {
            match Attempt::start(probe, self.clock.now(), &self.origin) {
                Started::Pending(attempt) => pending.push(attempt),
                Started::Ended(answer) => self.end(answers, self.resolve(answer)),
            }
        }
        for attempt in pending {
            match attempt.check() {
                Ok(answer) => self.end(answers, self.resolve(answer)),
                Err(attempt) => {
                    let (driver, ended) = (Arc::clone(self), ended.clone());
                    tokio::spawn(async move {
                        let answer = driver.resolve(attempt.wait(&driver.clock).await);
                        driver.slots.give(1);
                        // The worker is gone only when the run has ended.
                        let _ = ended.send((driver.clock.now(), answer));
                    });
                }
            }
        }
    }

    fn end(&self, answers: &mut Vec<(Moment, Answer)>, answer: Answer) {
        self.slots.give(1);
        answers.push((self.clock.now(), answer));
    }

    fn resolve(&self, ended: attempt::Ended) -> Answer {
        let evidence = ended.evidence(&self.own);
        if evidence == Evidence::Local(LocalError::Descriptors) {
            self.slots.shrink();
        }
        ended.answer(evidence)
    }
}
