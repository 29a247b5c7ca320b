//! The connect mouth's driver: non-blocking connects, as many at a time as descriptors allow.
//!
//! Workers share one [`Scan`] behind a lock that is held for a batch at a time. A near host answers
//! while `connect()` is still on its way back, so each batch is looked at once more before any of its
//! sockets is handed to the event loop; only those without an answer yet become tasks.

mod attempt;
mod single;
mod slots;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Notify, mpsc},
    task::JoinSet,
};

pub use self::{single::Single, slots::MOST_IN_FLIGHT};

use self::{
    attempt::{Attempt, Started},
    slots::Slots,
};
use super::{
    Clock, interfaces,
    udp::{self, Datagrams},
};
use crate::{
    model::{Evidence, LocalError, Moment, Protocol},
    scan::{Answer, Batch, Probe, Scan},
};

/// From where connects start, when the user says so.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// `--source-address`.
    pub addresses: Vec<IpAddr>,
    /// `--interface`.
    pub interface: Option<String>,
    /// The numbers of the links that link-local targets are on.
    pub zones: BTreeMap<Ipv6Addr, u32>,
}

impl Origin {
    /// An endpoint as a socket takes it: a link-local address with the number of its link.
    pub fn to(&self, address: IpAddr, port: u16) -> SocketAddr {
        let zone = match address {
            IpAddr::V6(v6) => self.zones.get(&v6).map(|&link| SocketAddrV6::new(v6, port, 0, link).into()),
            IpAddr::V4(_) => None,
        };
        zone.unwrap_or_else(|| SocketAddr::new(address, port))
    }

    /// Where a socket for this endpoint is bound to, where the user says so: a link-local source is on
    /// the link of what it asks.
    pub(super) fn source(&self, to: SocketAddr) -> Option<SocketAddr> {
        let source = self.addresses.iter().find(|source| source.is_ipv4() == to.is_ipv4())?;
        Some(match (source, to) {
            (IpAddr::V6(source), SocketAddr::V6(to)) if source.is_unicast_link_local() => {
                SocketAddrV6::new(*source, 0, 0, to.scope_id()).into()
            }
            _ => SocketAddr::new(*source, 0),
        })
    }
}

/// A scan that is being driven by connects.
#[derive(Debug)]
pub struct Connect {
    scan: Mutex<Scan>,
    clock: Clock,
    origin: Origin,
    own: BTreeSet<IpAddr>,
    datagrams: Arc<Datagrams>,
    slots: Slots,
    stopped: AtomicBool,
    failed: AtomicBool,
    /// Something changed that a waiting worker should know.
    changed: Notify,
}

/// Probes taken from the scan at a time: enough to amortize the lock, few enough for an even pace.
const BATCH: usize = 64;
/// A worker that waits looks up this often, whatever it waits for.
const LOOK_UP: Duration = Duration::from_millis(20);

impl Connect {
    /// A driver for a scan, with `descriptors` open files allowed.
    pub fn new(
        scan: Scan,
        clock: Clock,
        origin: Origin,
        datagrams: Arc<Datagrams>,
        descriptors: u64,
    ) -> Arc<Self> {
        Arc::new(Self {
            scan: Mutex::new(scan),
            clock,
            origin,
            own: interfaces::own_addresses(),
            datagrams,
            slots: Slots::new(descriptors),
            stopped: AtomicBool::new(false),
            failed: AtomicBool::new(false),
            changed: Notify::new(),
        })
    }

    /// Drives the scan to its end with so many workers, or until it is stopped. A worker that dies
    /// takes answers with it, so the others stop too: what they leave is not asked to the end.
    pub async fn run(self: &Arc<Self>, workers: usize) {
        let mut running = JoinSet::new();
        for _ in 0..workers.max(1) {
            running.spawn(Arc::clone(self).work());
        }
        self.supervise(running).await;
    }

    async fn supervise(&self, mut running: JoinSet<()>) {
        while let Some(ended) = running.join_next().await {
            // The lock is taken again when a panic has poisoned it.
            if ended.is_err() {
                self.failed.store(true, Ordering::Relaxed);
                self.stop();
            }
        }
    }

    /// Whether a part of this program failed, so that the run is partial.
    pub fn failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
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
            if probe.endpoint.protocol == Protocol::Udp {
                self.ask(probe, ended);
                continue;
            }
            match Attempt::start(probe, self.clock.now(), &self.origin) {
                Started::Pending(attempt) => pending.push(attempt),
                Started::Ended(answer) => self.end(answers, self.resolve(answer)),
            }
        }
        for attempt in pending {
            match attempt.check() {
                Ok(answer) => self.end(answers, self.resolve(answer)),
                Err(attempt) => {
                    let answer = attempt.answer(Evidence::Local(LocalError::Other(0)));
                    let promise = Promise { driver: Arc::clone(self), ended: ended.clone(), answer };
                    tokio::spawn(async move {
                        let answer = promise.driver.resolve(attempt.wait(&promise.driver.clock).await);
                        promise.keep(answer);
                    });
                }
            }
        }
    }

    /// Asks over UDP, as a task.
    fn ask(self: &Arc<Self>, probe: Probe, ended: &mpsc::UnboundedSender<(Moment, Answer)>) {
        let (endpoint, attempt, sent_at) = (probe.endpoint, probe.attempt, self.clock.now());
        let evidence = Evidence::Local(LocalError::Other(0));
        let answer = Answer { endpoint, attempt, sent_at, source: None, ttl: None, evidence };
        let promise = Promise { driver: Arc::clone(self), ended: ended.clone(), answer };
        tokio::spawn(async move {
            let driver = &promise.driver;
            let (answer, strays) =
                udp::ask(&driver.datagrams, probe, &driver.clock, &driver.origin, &driver.own).await;
            if answer.evidence == Evidence::Local(LocalError::Descriptors) {
                driver.slots.shrink();
            }
            if strays > 0 {
                driver.scan().strays(strays);
            }
            promise.keep(answer);
        });
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

/// The end of an attempt, which the scan is owed, and its place: both are given back however its task
/// ends. A task that dies says that we failed.
struct Promise {
    driver: Arc<Connect>,
    ended: mpsc::UnboundedSender<(Moment, Answer)>,
    answer: Answer,
}

impl Promise {
    fn keep(mut self, answer: Answer) {
        self.answer = answer;
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        self.driver.slots.give(1);
        // The worker is gone only when the run has ended.
        let _ = self.ended.send((self.driver.clock.now(), self.answer));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{Endpoint, PortSet, Scope, ScopeEntry},
        probe::udp::{Payloads, Udp},
        scan::{Config, Plan, Rate},
    };

    /// A scan of loopback that takes a quarter of an hour.
    fn long() -> Arc<Connect> {
        let block = "127.0.0.1/32".parse().unwrap();
        let scope = Scope { entries: vec![ScopeEntry::Block(block)], exclude: vec![] };
        let mut plan = Plan::default();
        let ports = PortSet::from_ranges([(1, 1000)]);
        plan.add(&scope.authorize_block(block).0[0], Protocol::Tcp, PortSet::NONE, ports, None);
        let rate = Rate { run: Some(1), per_address: None };
        let scan = Scan::new(plan, Config { hears_silence: true, rate, ..Config::default() });
        let datagrams = Datagrams::new(Udp::new([0; 16], Payloads::new([])));
        Connect::new(scan, Clock::start(), Origin::default(), Arc::new(datagrams), 1024)
    }

    #[tokio::test]
    async fn a_worker_that_dies_ends_the_run_and_says_so() {
        let driver = long();
        let mut running = JoinSet::new();
        running.spawn(Arc::clone(&driver).work());
        running.spawn(async { panic!("a worker dies, as this test wants") });
        let limit = Duration::from_secs(10);
        tokio::time::timeout(limit, driver.supervise(running)).await.expect("the others end too");
        assert!(driver.failed());
        assert!(!driver.scan().done());
    }

    #[tokio::test]
    async fn an_attempt_that_dies_gives_its_place_back_and_says_that_we_failed() {
        let driver = long();
        let before = driver.slots.take(usize::MAX);
        let endpoint = Endpoint::tcp([127, 0, 0, 1], 9);
        let evidence = Evidence::Local(LocalError::Other(0));
        let answer =
            Answer { endpoint, attempt: 2, sent_at: Moment::START, source: None, ttl: None, evidence };
        let (ended, mut ends) = mpsc::unbounded_channel();
        let promise = Promise { driver: Arc::clone(&driver), ended, answer };
        let task = tokio::spawn(async move {
            let _promise = promise;
            panic!("an attempt dies, as this test wants");
        });
        assert!(task.await.is_err());
        let (_, heard) = ends.recv().await.expect("the scan is owed the end");
        assert_eq!(heard, answer);
        driver.slots.give(before - 1);
        assert_eq!(driver.slots.take(usize::MAX), before);
    }
}
