//! The sender: asks the scan what is due, makes frames of it, and tells the scan what came back.

use std::{
    net::IpAddr,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread,
    time::Duration,
};

use tokio::sync::mpsc::UnboundedSender;

use super::{
    super::{Clock, sys::BATCH, udp::Datagrams},
    line::{Line, Load},
    listen::News,
    neighbours::{Neighbours, Question},
    paths::Paths,
    ports::Reserved,
    sent::Sent,
};
use crate::{
    model::{Evidence, LocalError, Moment, Protocol, Unreachable},
    probe::syn::{Reply, Syn, Template},
    scan::{Answer, Batch, Probe, Scan},
};

/// All that the sending side owns.
#[derive(Debug)]
pub(super) struct Sender {
    syn: Syn,
    paths: Paths,
    ways: Vec<Option<Way>>,
    lines: Vec<Line>,
    neighbours: Neighbours,
    sent: Sent,
    /// The same for datagrams, which are fewer.
    pub(super) said: Sent,
    /// Held as long as answers may come.
    _reserved: Reserved,
}

/// One way to destinations.
#[derive(Debug)]
pub(super) struct Way {
    pub(super) line: usize,
    pub(super) link: u32,
    pub(super) source: IpAddr,
    pub(super) hop: Hop,
    pub(super) template: Template,
}

/// Who takes a frame next.
#[derive(Clone, Copy, Debug)]
pub(super) enum Hop {
    /// Whoever is at the other end: no Ethernet here.
    Link,
    /// A router, whose address is in the template.
    Router,
    /// A router that has not answered yet.
    Gateway(IpAddr),
    /// The destination itself.
    Neighbour,
}

/// Nothing is waited for longer than this, so that a stop is noticed.
const LOOK: Duration = Duration::from_millis(20);
/// Loads on their way to the line: two milliseconds at full speed.
const LOADS: usize = 32;
/// How long it takes to send some of them, and by far not all.
const BREATH: Duration = Duration::from_micros(400);

impl Way {
    /// Takes in the gateway's Ethernet address, if it is known by now.
    pub(super) fn meet_gateway(&mut self, neighbours: &Neighbours) {
        if let Hop::Gateway(gateway) = self.hop
            && let Some(mac) = neighbours.of(self.link, gateway)
        {
            self.template.set_destination(mac);
            self.hop = Hop::Router;
        }
    }
}

/// Frames on their way out: sent at once, or by a thread of their own.
enum Out<'a> {
    Direct(&'a [Line]),
    Thread {
        full: SyncSender<Load>,
        empty: &'a Receiver<(Load, Vec<(Probe, LocalError)>)>,
        spare: Vec<Load>,
        under_way: usize,
    },
}

impl Sender {
    pub(super) fn new(
        syn: Syn,
        paths: Paths,
        ways: Vec<Option<Way>>,
        lines: Vec<Line>,
        neighbours: Neighbours,
        reserved: Reserved,
    ) -> Self {
        Self {
            syn,
            paths,
            ways,
            lines,
            neighbours,
            sent: Sent::new(),
            said: Sent::new(),
            _reserved: reserved,
        }
    }

    /// What the receiver understands answers by.
    pub(super) fn syn(&self) -> Syn {
        self.syn.clone()
    }

    /// Drives the scan to its end, or until it is stopped.
    #[allow(clippy::too_many_arguments)] // the pieces of one loop, which live in different places
    pub(super) fn run(
        mut self,
        scan: &Mutex<Scan>,
        clock: &Clock,
        stopped: &AtomicBool,
        datagrams: &Datagrams,
        news: &Receiver<News>,
        ask: &UnboundedSender<Probe>,
        threaded: bool,
    ) {
        let lines = std::mem::take(&mut self.lines);
        if !threaded {
            return self.turns(Out::Direct(&lines), &lines, scan, clock, stopped, datagrams, news, ask);
        }
        let (full, loads) = sync_channel::<Load>(LOADS);
        let (back, empty) = sync_channel(LOADS * 2 + lines.len());
        thread::scope(|scope| {
            let lines = &lines;
            scope.spawn(move || {
                for mut load in loads {
                    let mut lost = Vec::new();
                    if let Some(line) = lines.get(load.line) {
                        line.send(&mut load, &mut lost);
                    }
                    if back.send((load, lost)).is_err() {
                        return;
                    }
                }
            });
            let out = Out::Thread { full, empty: &empty, spare: Vec::new(), under_way: 0 };
            self.turns(out, lines, scan, clock, stopped, datagrams, news, ask);
        });
    }

    #[allow(clippy::too_many_arguments)] // the pieces of one loop, which live in different places
    fn turns(
        &mut self,
        mut out: Out<'_>,
        lines: &[Line],
        scan: &Mutex<Scan>,
        clock: &Clock,
        stopped: &AtomicBool,
        datagrams: &Datagrams,
        news: &Receiver<News>,
        ask: &UnboundedSender<Probe>,
    ) {
        let mut batch = Batch::with_room(BATCH);
        let mut loads: Vec<Load> = (0..lines.len()).map(Load::new).collect();
        let mut lost: Vec<(Probe, LocalError)> = Vec::new();
        let mut heard: Vec<News> = Vec::new();
        while !stopped.load(Ordering::Relaxed) {
            heard.extend(news.try_iter().take(BATCH));
            let now = clock.now();
            let (wake, done) = {
                let mut scan = scan.lock().unwrap_or_else(PoisonError::into_inner);
                for news in heard.drain(..) {
                    self.tell(&mut scan, datagrams, news);
                }
                for (probe, error) in lost.drain(..) {
                    scan.answer(now, &answer(&probe, now, Evidence::Local(error)));
                }
                batch.reset(BATCH);
                scan.fill(now, &mut batch);
                (scan.poll_timeout(), scan.done())
            };
            if done {
                return;
            }
            let mut unreachable = Vec::new();
            for probe in batch.probes() {
                if probe.handshake {
                    // The loop that takes them ends with the run.
                    let _ = ask.send(*probe);
                    continue;
                }
                let loaded = match probe.endpoint.protocol {
                    Protocol::Tcp => self.load(now, *probe, &mut loads),
                    Protocol::Udp => self.send_datagrams(now, *probe, datagrams, lines).map(|()| None),
                };
                match loaded {
                    Ok(Some(line)) => out.flush_full(&mut loads, line, &mut lost),
                    Ok(None) => {}
                    Err(Evidence::Local(error)) => lost.push((*probe, error)),
                    Err(evidence) => unreachable.push((*probe, evidence)),
                }
            }
            out.flush(&mut loads, &mut lost);
            if !unreachable.is_empty() {
                let mut scan = scan.lock().unwrap_or_else(PoisonError::into_inner);
                for (probe, evidence) in unreachable {
                    scan.answer(now, &answer(&probe, now, evidence));
                }
            }
            if batch.probes().is_empty() && lost.is_empty() {
                let rest = wake.map_or(LOOK, |wake| (wake - clock.now()).min(LOOK));
                match news.recv_timeout(rest) {
                    Ok(first) => heard.push(first),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        }
    }

    /// Makes the frame of a probe. Returns its line when that is full.
    fn load(&mut self, now: Moment, probe: Probe, loads: &mut [Load]) -> Result<Option<usize>, Evidence> {
        let source_port = self.source_port(probe)?;
        let sequence = self.syn.sequence(now, probe.endpoint, probe.attempt);
        self.sent.note(sequence, now);
        let way = self.way(probe)?;
        let Some(load) = loads.get_mut(way.line) else { return Err(Evidence::Local(LocalError::NoRoute)) };
        load.add(probe, |octets| way.template.write(octets, probe.endpoint, source_port, sequence));
        Ok(load.is_full().then_some(way.line))
    }

    /// The port that a probe leaves from.
    pub(super) fn source_port(&self, probe: Probe) -> Result<u16, Evidence> {
        self.syn.source_port(probe.attempt).ok_or(Evidence::Local(LocalError::LocalPorts))
    }

    /// The way of a probe, its next hop known.
    pub(super) fn way(&mut self, probe: Probe) -> Result<&Way, Evidence> {
        let local = |error| Evidence::Local(error);
        let route = self.paths.of(probe.endpoint.address).map_err(local)?;
        let way =
            self.ways.get_mut(route).and_then(Option::as_mut).ok_or_else(|| local(LocalError::NoRoute))?;
        match way.hop {
            Hop::Link | Hop::Router => {}
            Hop::Gateway(gateway) => {
                self.neighbours.ask(Question { link: way.link, source: way.source, target: gateway });
                self.neighbours.hear();
                way.meet_gateway(&self.neighbours);
                if matches!(way.hop, Hop::Gateway(..)) {
                    return Err(local(LocalError::NoRoute));
                }
            }
            Hop::Neighbour => {
                let target = probe.endpoint.address;
                let Some(mac) = self.neighbours.of(way.link, target) else {
                    // As the kernel says it in its own name when a neighbour does not answer.
                    self.neighbours.ask(Question { link: way.link, source: way.source, target });
                    self.neighbours.hear();
                    return Err(Evidence::Unreachable { what: Unreachable::Host, sender: None });
                };
                way.template.set_destination(mac);
            }
        }
        Ok(way)
    }

    /// Tells the scan what came.
    fn tell(&self, scan: &mut Scan, datagrams: &Datagrams, news: News) {
        match news {
            News::Replies(at, replies) => {
                for reply in replies {
                    scan.answer(at, &self.understood(at, &reply));
                }
            }
            News::Said(at, said) => {
                for one in said {
                    scan.answer(at, &self.heard(at, datagrams, &one));
                }
            }
            News::Handshake(at, answer) => scan.answer(at, &answer),
            News::Strays(count) => scan.strays(count),
            News::Drops(count) => scan.dropped(count),
        }
    }

    fn understood(&self, at: Moment, reply: &Reply) -> Answer {
        Answer {
            endpoint: reply.endpoint,
            attempt: reply.attempt,
            sent_at: self.sent.at(reply.sequence).unwrap_or_else(|| reply.sent_at(at)),
            source: Some(reply.source),
            ttl: Some(reply.ttl),
            evidence: reply.evidence,
        }
    }
}

impl Out<'_> {
    /// Sends what there is.
    fn flush(&mut self, loads: &mut [Load], lost: &mut Vec<(Probe, LocalError)>) {
        for line in 0..loads.len() {
            self.flush_full(loads, line, lost);
        }
        self.collect(lost);
    }

    /// Takes back the loads that the thread has sent by now, and what of them never left.
    fn collect(&mut self, lost: &mut Vec<(Probe, LocalError)>) {
        if let Self::Thread { empty, spare, under_way, .. } = self {
            while let Ok((load, failed)) = empty.try_recv() {
                *under_way -= 1;
                lost.extend(failed);
                spare.push(load);
            }
        }
    }

    fn flush_full(&mut self, loads: &mut [Load], line: usize, lost: &mut Vec<(Probe, LocalError)>) {
        let Some(load) = loads.get_mut(line).filter(|load| !load.is_empty()) else { return };
        // Waiting for each load by itself would wake this thread as often, which costs the other one more
        // than the frames do.
        while matches!(self, Self::Thread { under_way, .. } if *under_way >= LOADS) {
            thread::sleep(BREATH);
            self.collect(lost);
        }
        match self {
            Self::Direct(lines) => {
                if let Some(line) = lines.get(line) {
                    line.send(load, lost);
                }
            }
            Self::Thread { full, spare, under_way, .. } => {
                let mut next = spare.pop().unwrap_or_else(|| Load::new(line));
                next.line = line;
                *under_way += 1;
                // The thread ends only when this side does.
                let _ = full.send(std::mem::replace(load, next));
            }
        }
    }
}

fn answer(probe: &Probe, now: Moment, evidence: Evidence) -> Answer {
    Answer {
        endpoint: probe.endpoint,
        attempt: probe.attempt,
        sent_at: now,
        source: None,
        ttl: None,
        evidence,
    }
}
