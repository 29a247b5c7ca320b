//! Canaries: endpoints that have answered are asked again through the run, each time from a fresh source
//! port, so that what gets lost is counted where it can be seen. On the same ports a probe would ride on
//! the state that a firewall keeps of the first one, and measure nothing.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
    net::IpAddr,
    time::Duration,
};

use super::{
    batch::Probe,
    loss::{Class, MOST_ATTEMPTS},
    throttle::NO_RATE,
};
use crate::model::{Endpoint, Moment};

/// Who is asked again, when, and what is under way.
#[derive(Debug)]
pub(super) struct Canaries {
    /// The numbers that their probes have, of which the driver makes source ports.
    first: u8,
    count: u8,
    /// Endpoints by class, in the order in which they may be asked.
    birds: [BinaryHeap<Reverse<(Moment, Bird)>>; 2],
    /// Those of addresses whose own losses stand out: more tries tell what it is.
    suspects: BinaryHeap<Reverse<(Moment, Bird)>>,
    /// Lost ones, whose next try is due at a moment.
    retries: BinaryHeap<Reverse<(Moment, Bird, u8)>>,
    serials: HashMap<Endpoint, u32>,
    under_way: HashMap<(Endpoint, u8), Flight>,
    /// When one under way counts as lost, and once more when it is forgotten.
    ends: BinaryHeap<Reverse<(Moment, Endpoint, u8)>>,
    /// What may be asked of the share of the probes, in hundredths.
    credit: u64,
    /// No canary beyond that share before.
    extra: Moment,
}

/// An endpoint that answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Bird {
    pub(super) endpoint: Endpoint,
    pub(super) class: Class,
    /// How far apart its probes are.
    pub(super) every: Duration,
}

/// A canary under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flight {
    pub(super) bird: Bird,
    pub(super) sent: Moment,
    /// How many before it were lost, one after the other.
    pub(super) depth: u8,
    /// Under which rate it left.
    pub(super) epoch: u32,
    pub(super) lost: bool,
    /// Answered, and not counted yet.
    landed: bool,
}

/// What the canaries have to know of addresses.
pub(super) struct About<'a> {
    /// Whether it still matters.
    pub(super) stays: &'a dyn Fn(IpAddr) -> bool,
    /// Whether its losses stand out.
    pub(super) stands_out: &'a dyn Fn(IpAddr) -> bool,
    /// How long to wait for its answers.
    pub(super) patience: &'a dyn Fn(IpAddr) -> Duration,
}

/// One probe in so many is a canary.
const SHARE: u64 = 100;
/// Credit that a pause may save up, in canaries.
const SAVED: u64 = 16;
/// Canaries a second to one endpoint, at most.
const PER_ENDPOINT: u64 = 10;
/// Of an address's own limit, at most.
const PART_OF_LIMIT: u64 = 10;
/// A firewall has forgotten a connection of before, whose port may then be used again.
const FORGOTTEN: Duration = Duration::from_secs(20);
/// Between two tries of which the second is there because the first was lost, as between attempts.
const GAP: Duration = Duration::from_secs(1);
/// An answer that late still shows that nothing was lost.
const LATE: Duration = Duration::from_secs(8);
/// Endpoints that are asked again, at most.
const MOST_BIRDS: usize = 1 << 16;
/// So many stay however long ago their address's turn was.
const FEW: usize = 64;
/// Between canaries beyond the share, while a small plan has yet to earn its bound.
const EXTRA: Duration = Duration::from_millis(5);

impl Canaries {
    /// Canaries whose probes have numbers from `first` to `last`; none where there are none.
    pub(super) fn new(first: u8, last: u8) -> Self {
        Self {
            first,
            count: (last + u8::from(last < u8::MAX)).saturating_sub(first),
            birds: [BinaryHeap::new(), BinaryHeap::new()],
            suspects: BinaryHeap::new(),
            retries: BinaryHeap::new(),
            serials: HashMap::new(),
            under_way: HashMap::new(),
            ends: BinaryHeap::new(),
            credit: 0,
            extra: Moment::START,
        }
    }

    /// Whether probes of this number are canaries.
    pub(super) fn is_one(&self, number: u8) -> bool {
        self.count > 0 && (self.first..=self.first.saturating_add(self.count - 1)).contains(&number)
    }

    /// Whether anything can be asked.
    pub(super) fn is_empty(&self) -> bool {
        self.birds.iter().all(BinaryHeap::is_empty) && self.suspects.is_empty()
    }

    /// Asks an endpoint again from now on. `limit`: probes a second that its address may get.
    pub(super) fn add(&mut self, now: Moment, endpoint: Endpoint, class: Class, limit: Option<u64>) {
        if self.count == 0 || self.serials.len() >= MOST_BIRDS || self.serials.contains_key(&endpoint) {
            return;
        }
        let rate = limit.map_or(PER_ENDPOINT, |limit| PER_ENDPOINT.min(limit / PART_OF_LIMIT)).max(1);
        let every = Duration::from_nanos(1_000_000_000 / rate).max(FORGOTTEN / u32::from(self.count));
        class.of(&mut self.birds).push(Reverse((now + every, Bird { endpoint, class, every })));
        self.serials.insert(endpoint, 0);
    }

    /// Takes in that so many probes were made.
    pub(super) fn earn(&mut self, probes: u64) {
        self.credit = (self.credit + probes).min(SAVED * SHARE);
    }

    /// The next canary that is due. `hungry`: beyond their share as well. `epoch`: under which rate it
    /// leaves; those that leave because one was lost say nothing about rates, since more of them are lost
    /// whatever the rate.
    pub(super) fn next(&mut self, now: Moment, hungry: bool, epoch: u32, about: &About<'_>) -> Option<Probe> {
        let patience = about.patience;
        if let Some(Reverse((_, bird, depth))) = self.retries.peek().filter(|Reverse((due, ..))| *due <= now)
        {
            let (bird, depth) = (*bird, *depth);
            self.retries.pop();
            return self.launch(now, bird, depth, NO_RATE, patience);
        }
        while let Some(Reverse((_, bird))) = self.suspects.peek().filter(|Reverse((due, _))| *due <= now) {
            let bird = *bird;
            self.suspects.pop();
            if (about.stands_out)(bird.endpoint.address) {
                self.suspects.push(Reverse((now + bird.every, bird)));
                return self.launch(now, bird, 0, NO_RATE, patience);
            }
            bird.class.of(&mut self.birds).push(Reverse((now + bird.every, bird)));
        }
        if self.credit < SHARE && !(hungry && self.extra <= now) {
            return None;
        }
        for birds in &mut self.birds {
            while let Some(Reverse((_, bird))) = birds.peek().filter(|Reverse((due, _))| *due <= now) {
                let bird = *bird;
                birds.pop();
                if birds.len() >= FEW && !(about.stays)(bird.endpoint.address) {
                    self.serials.remove(&bird.endpoint);
                    continue;
                }
                if (about.stands_out)(bird.endpoint.address) {
                    self.suspects.push(Reverse((now, bird)));
                    continue;
                }
                birds.push(Reverse((now + bird.every, bird)));
                if self.credit >= SHARE {
                    self.credit -= SHARE;
                } else {
                    self.extra = now + EXTRA;
                }
                return self.launch(now, bird, 0, epoch, patience);
            }
        }
        None
    }

    fn launch(
        &mut self,
        now: Moment,
        bird: Bird,
        depth: u8,
        epoch: u32,
        patience: &dyn Fn(IpAddr) -> Duration,
    ) -> Option<Probe> {
        let serial = self.serials.get_mut(&bird.endpoint)?;
        let number = self.first + u8::try_from(*serial % u32::from(self.count)).unwrap_or(0);
        *serial = serial.wrapping_add(1);
        let patience = patience(bird.endpoint.address);
        let flight = Flight { bird, sent: now, depth, epoch, lost: false, landed: false };
        self.under_way.insert((bird.endpoint, number), flight);
        self.ends.push(Reverse((now + patience, bird.endpoint, number)));
        Some(Probe { endpoint: bird.endpoint, attempt: number, patience, handshake: false })
    }

    /// Takes in an answer. The canary that it answers, if it is the first answer; it may have counted as
    /// lost before. If not, it counts once its time is over: before then, nothing can be known of those
    /// that were lost beside it.
    pub(super) fn land(&mut self, endpoint: Endpoint, number: u8) -> Option<Flight> {
        let flight = self.under_way.get_mut(&(endpoint, number)).filter(|flight| !flight.landed)?;
        flight.landed = true;
        let landed = *flight;
        if landed.lost {
            self.under_way.remove(&(endpoint, number));
        }
        Some(landed)
    }

    /// Takes in that one never left, or that somebody else answered: it counts for nothing.
    pub(super) fn void(&mut self, endpoint: Endpoint, number: u8) -> Option<Flight> {
        self.under_way.remove(&(endpoint, number))
    }

    /// Takes in that silence was the end of one: it counts as lost at once.
    pub(super) fn silent(&mut self, endpoint: Endpoint, number: u8) -> Option<Flight> {
        let flight = self.under_way.remove(&(endpoint, number)).filter(|flight| !flight.landed)?;
        self.follow(flight);
        Some(Flight { lost: true, ..flight })
    }

    /// The next canary whose time is over by now: lost, or not.
    pub(super) fn expire(&mut self, now: Moment) -> Option<Flight> {
        while let Some(Reverse((_, endpoint, number))) =
            self.ends.peek().filter(|Reverse((due, ..))| *due <= now).copied()
        {
            self.ends.pop();
            let Some(flight) = self.under_way.get_mut(&(endpoint, number)) else { continue };
            if flight.lost {
                // Unless it is another one of the same number, whose own end is still to come.
                if flight.sent + LATE <= now {
                    self.under_way.remove(&(endpoint, number));
                }
                continue;
            }
            if flight.landed {
                return self.under_way.remove(&(endpoint, number));
            }
            flight.lost = true;
            let lost = *flight;
            self.ends.push(Reverse((lost.sent + LATE, endpoint, number)));
            self.follow(lost);
            return Some(lost);
        }
        None
    }

    /// What was lost is tried again a second later.
    fn follow(&mut self, lost: Flight) {
        if lost.depth + 1 < MOST_ATTEMPTS {
            self.retries.push(Reverse((lost.sent + GAP, lost.bird, lost.depth + 1)));
        }
    }

    /// When to look again. Time alone makes nothing due that waits for its share.
    pub(super) fn due(&self, hungry: bool) -> Option<Moment> {
        let birds = self.birds.iter().filter_map(|birds| birds.peek().map(|Reverse((due, _))| *due)).min();
        let suspects = self.suspects.peek().map(|Reverse((due, _))| *due);
        let birds = match birds {
            Some(due) if self.credit >= SHARE => Some(due),
            Some(due) if hungry => Some(due.max(self.extra)),
            _ => None,
        };
        let retry = self.retries.peek().map(|Reverse((due, ..))| *due);
        let end = self.ends.peek().map(|Reverse((due, ..))| *due);
        [birds, suspects, retry, end].into_iter().flatten().min()
    }
}
