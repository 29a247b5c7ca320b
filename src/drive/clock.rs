//! The run's clock: one monotonic source, and the wall time at which it began.

use std::time::Instant;

use jiff::Timestamp;

use crate::model::Moment;

/// Maps the machine's monotonic clock to moments of the run, and these to wall time.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
    wall: Timestamp,
}

impl Clock {
    /// A clock that starts now.
    pub fn start() -> Self {
        Self { start: Instant::now(), wall: Timestamp::now() }
    }

    /// Now, as the run sees it.
    pub fn now(&self) -> Moment {
        Moment::from_nanos(u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }

    /// The wall time at which the run began.
    pub fn began(&self) -> Timestamp {
        self.wall
    }

    /// The wall time of a moment. Counted from the start, so that a clock that is set during the run
    /// can't reorder the evidence.
    pub fn wall(&self, moment: Moment) -> Timestamp {
        self.wall
            .checked_add(jiff::SignedDuration::try_from(moment.since_start()).unwrap_or_default())
            .unwrap_or(self.wall)
    }

    pub(super) fn instant(&self, moment: Moment) -> Instant {
        self.start + moment.since_start()
    }
}
