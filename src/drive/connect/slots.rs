//! How many connects may be in flight: descriptors are finite, and some are not ours.

use std::sync::atomic::{AtomicUsize, Ordering};

/// A count of free places, shared by all workers.
#[derive(Debug)]
pub(super) struct Slots {
    free: AtomicUsize,
    /// Places to take away as they come back.
    debt: AtomicUsize,
    /// All places, taken or free, without those to be taken away.
    total: AtomicUsize,
}

/// Descriptors left to the rest of the program: the report, the resolver, the terminal.
const RESERVE: usize = 16;
/// Places that are left whatever the system refuses.
const LEAST: usize = 4;
/// More sockets than this gain nothing and cost the kernel's memory.
pub const MOST_IN_FLIGHT: usize = 16_384;

impl Slots {
    /// Places for a process that may hold so many descriptors, those already open taken off.
    pub(super) fn new(descriptors: u64) -> Self {
        let open = std::fs::read_dir("/proc/self/fd").map_or(8, Iterator::count);
        let allowed = usize::try_from(descriptors).unwrap_or(usize::MAX);
        let free = allowed.saturating_sub(open + RESERVE).clamp(LEAST, MOST_IN_FLIGHT);
        Self::of(free)
    }

    fn of(places: usize) -> Self {
        Self { free: AtomicUsize::new(places), debt: AtomicUsize::new(0), total: AtomicUsize::new(places) }
    }

    /// Takes up to `most` places; returns how many.
    pub(super) fn take(&self, most: usize) -> usize {
        let mut free = self.free.load(Ordering::Relaxed);
        loop {
            let taken = free.min(most);
            match self.free.compare_exchange_weak(free, free - taken, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return taken,
                Err(now) => free = now,
            }
        }
    }

    /// Gives places back.
    pub(super) fn give(&self, count: usize) {
        for _ in 0..count {
            let owed =
                self.debt.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |debt| debt.checked_sub(1));
            if owed.is_err() {
                self.free.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// The system refused a descriptor that the limit promised: somebody else holds it. One place
    /// fewer, as long as a few are left.
    pub(super) fn shrink(&self) {
        let fewer = |total: usize| (total > LEAST).then(|| total - 1);
        if self.total.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fewer).is_ok() {
            self.debt.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_never_given_out_twice() {
        let slots = Slots::of(10);
        assert_eq!(slots.take(7), 7);
        assert_eq!(slots.take(7), 3);
        assert_eq!(slots.take(7), 0);
        slots.give(10);
        slots.shrink();
        assert_eq!(slots.take(1), 1);
        slots.give(1);
        assert_eq!(slots.take(64), 9);
    }

    #[test]
    fn refused_descriptors_cost_places_while_all_are_taken_and_never_the_last_few() {
        let slots = Slots::of(10);
        // The system refuses when every place is taken, so that none is free to judge by.
        assert_eq!(slots.take(10), 10);
        slots.shrink();
        slots.shrink();
        slots.give(10);
        assert_eq!(slots.take(usize::MAX), 8);
        slots.give(8);
        (0..100).for_each(|_| slots.shrink());
        assert_eq!(slots.take(8), 8);
        slots.give(8);
        assert_eq!(slots.take(usize::MAX), 4);
    }

    #[test]
    fn a_small_limit_leaves_a_few_places() {
        assert!((4..64).contains(&Slots::new(64).take(usize::MAX)));
        assert_eq!(Slots::new(10).take(usize::MAX), 4);
    }
}
