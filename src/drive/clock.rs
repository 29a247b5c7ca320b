//! The run's clock: one monotonic source, and the wall time at which it began.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::model::Moment;

/// Maps the machine's monotonic clock to moments of the run, and these to wall time.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
    /// The moment of `start`: not the beginning where another process began the run.
    before: Duration,
    wall: Timestamp,
}

impl Clock {
    /// A clock that starts now.
    pub fn start() -> Self {
        Self { start: Instant::now(), before: Duration::ZERO, wall: Timestamp::now() }
    }

    /// The clock of a run that another process began at a wall time and that was last heard of at a
    /// moment. It goes on from now, or from that moment where the wall clock was set back since.
    pub fn continued(began: Timestamp, last: Moment) -> Self {
        let since = Duration::try_from(Timestamp::now().duration_since(began)).unwrap_or_default();
        Self { start: Instant::now(), before: since.max(last.since_start()), wall: began }
    }

    /// Now, as the run sees it.
    pub fn now(&self) -> Moment {
        let since = self.before.saturating_add(self.start.elapsed());
        Moment::from_nanos(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
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
        self.start + moment.since_start().saturating_sub(self.before)
    }
}
