//! When the latest probes left, for exact round-trip times: the time in a probe itself is coarse. A
//! small table that forgets; what it forgot is merely less exact.

use crate::model::Moment;

/// Slots by the low bits of the sequence number, which is as good as random.
#[derive(Debug)]
pub(super) struct Sent {
    slots: Vec<(u32, Moment)>,
}

/// A second's worth of probes at 65,000 a second: one megabyte, which stays in the cache.
const SLOTS: usize = 1 << 16;

impl Sent {
    pub(super) fn new() -> Self {
        Self { slots: vec![(0, Moment::START); SLOTS] }
    }

    /// Notes that the probe with this sequence number leaves now.
    pub(super) fn note(&mut self, sequence: u32, now: Moment) {
        let at = place(sequence);
        if let Some(slot) = self.slots.get_mut(at) {
            *slot = (sequence, now);
        }
    }

    /// When it left, if that is still known.
    pub(super) fn at(&self, sequence: u32) -> Option<Moment> {
        let (noted, at) = *self.slots.get(place(sequence))?;
        (noted == sequence && at > Moment::START).then_some(at)
    }
}

fn place(sequence: u32) -> usize {
    usize::try_from(sequence).unwrap_or(0) % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_forgot_is_not_guessed() {
        let mut sent = Sent::new();
        assert_eq!(sent.at(0), None);
        sent.note(7, Moment::from_millis(3));
        assert_eq!(sent.at(7), Some(Moment::from_millis(3)));
        sent.note(7 + (1 << 16), Moment::from_millis(4));
        assert_eq!(sent.at(7), None);
    }
}
