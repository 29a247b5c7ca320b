//! Single connects beside another mouth: a SYN-ACK becomes a completed handshake, or does not.

use std::{collections::BTreeSet, net::IpAddr, time::Duration};

use super::{
    super::Clock,
    Origin,
    attempt::{Attempt, Ended, Started},
    slots::Slots,
};
use crate::{
    model::{Evidence, LocalError},
    scan::{Answer, Probe},
};

/// Asks by connecting, one attempt at a time.
#[derive(Debug)]
pub struct Single {
    origin: Origin,
    own: BTreeSet<IpAddr>,
    slots: Slots,
}

/// How often a place is looked for when all are taken.
const LOOK: Duration = Duration::from_millis(5);

impl Single {
    pub(in crate::drive) fn new(origin: Origin, own: BTreeSet<IpAddr>, descriptors: u64) -> Self {
        Self { origin, own, slots: Slots::new(descriptors) }
    }

    /// Waits for a place, and takes it; [`Self::ask`] gives it back.
    pub(in crate::drive) async fn room(&self) {
        while self.slots.take(1) == 0 {
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Connects, waits for the outcome as long as the probe says, and says what came of it.
    pub(in crate::drive) async fn ask(&self, probe: Probe, clock: &Clock) -> Answer {
        let ended = match Attempt::start(probe, clock.now(), &self.origin) {
            Started::Ended(ended) => ended,
            Started::Pending(attempt) => match attempt.check() {
                Ok(ended) => ended,
                Err(attempt) => attempt.wait(clock).await,
            },
        };
        self.slots.give(1);
        self.judge(ended)
    }

    fn judge(&self, ended: Ended) -> Answer {
        let evidence = ended.evidence(&self.own);
        if evidence == Evidence::Local(LocalError::Descriptors) {
            self.slots.shrink();
        }
        ended.answer(evidence)
    }
}
