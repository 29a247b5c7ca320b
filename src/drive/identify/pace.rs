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

impl Pace {
    /// So fast, and so many connections to an address at a time.
    pub(super) fn new(rate: Rate, of_address: usize) -> Self {
        let interval = |rate: Option<u64>| rate.map(|rate| Duration::from_secs_f64(1.0 / rate.max(1) as f64));
        Self { run: interval(rate.run), own: interval(rate.per_address), of_address, state: Mutex::default() }
    }

    /// Waits for a turn. The place at the address is free again when what is returned is dropped.
    pub(super) async fn turn(&self, address: IpAddr) -> Option<OwnedSemaphorePermit> {
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
            let own = state.addresses.get(&address).and_then(|own| own.next);
            let due = [state.next, own].into_iter().flatten().fold(now, Instant::max);
            state.next = self.run.map(|interval| due + interval);
            let next = self.own.map(|interval| due + interval);
            if let Some(own) = state.addresses.get_mut(&address) {
                own.next = next;
            }
            due
        };
        sleep_until(due).await;
        place
    }
}
