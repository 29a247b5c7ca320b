//! How fast, and how many at a time, connections may be made: the rates of the run hold for these as well.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep_until},
};

use crate::scan::Rate;

/// Turns, by the whole run and by address.
#[derive(Debug)]
pub(super) struct Pace {
    run: Option<Duration>,
    own: Option<Duration>,
    of_address: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    next: Option<Instant>,
    addresses: HashMap<IpAddr, Own>,
}

#[derive(Debug)]
struct Own {
    next: Option<Instant>,
    places: Arc<Semaphore>,
}

fn interval(rate: u64) -> Duration {
    Duration::from_secs_f64(1.0 / rate.max(1) as f64)
}

impl Pace {
    /// So fast, and so many connections to an address at a time.
    pub(super) fn new(rate: Rate, of_address: usize) -> Self {
        let [run, own] = [rate.run, rate.per_address].map(|rate| rate.map(interval));
        Self { run, own, of_address, state: Mutex::default() }
    }

    /// How long the turns of so many connections to one address take.
    pub(super) fn slowest(&self, connections: u32, limit: Option<u64>) -> Duration {
        let interval = [self.run, self.own, limit.map(interval)].into_iter().flatten().max();
        interval.unwrap_or_default().saturating_mul(connections)
    }

    /// Waits for a turn. The place at the address is free again when what is returned is dropped.
    /// `limit`: how many connections a second its target allows, at most.
    pub(super) async fn turn(&self, address: IpAddr, limit: Option<u64>) -> Option<OwnedSemaphorePermit> {
        let places = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let own = state
                .addresses
                .entry(address)
                .or_insert_with(|| Own { next: None, places: Arc::new(Semaphore::new(self.of_address)) });
            Arc::clone(&own.places)
        };
        let place = places.acquire_owned().await.ok();
        let due = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let now = Instant::now();
            // One address that waits for its turn delays no other.
            let run = state.next.map_or(now, |next| next.max(now));
            state.next = self.run.map(|interval| run + interval);
            let interval = [self.own, limit.map(interval)].into_iter().flatten().max();
            let Some(own) = state.addresses.get_mut(&address) else { return place };
            let due = own.next.map_or(run, |next| next.max(run));
            own.next = interval.map(|interval| due + interval);
            due
        };
        sleep_until(due).await;
        place
    }
}
