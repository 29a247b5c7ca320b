//! Two bits an endpoint: what is settled, and how.

use crate::model::{Evidence, Protocol, State};

/// What is settled about an endpoint. The order is the strength of the evidence: a later, stronger
/// answer upgrades, a weaker or equal one changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mark {
    /// Nothing yet.
    Unsettled = 0,
    /// An ICMP prohibition: final, and anybody on the path may have sent it.
    Prohibited = 1,
    /// The host itself refused.
    Closed = 2,
    /// Something answered.
    Open = 3,
}

impl Mark {
    /// What evidence settles.
    pub(super) fn of(evidence: Evidence) -> Self {
        match evidence.state() {
            Some(State::Open) => Self::Open,
            Some(State::Closed) => Self::Closed,
            Some(State::Filtered) => Self::Prohibited,
            Some(State::Unanswered | State::Unknown) | None => Self::Unsettled,
        }
    }

    /// The state of an endpoint that ends with this mark, every attempt really made.
    pub(super) fn state(self, protocol: Protocol) -> State {
        match (self, protocol) {
            (Self::Open, _) => State::Open,
            (Self::Closed, _) => State::Closed,
            (Self::Prohibited, _) | (Self::Unsettled, Protocol::Tcp) => State::Filtered,
            (Self::Unsettled, Protocol::Udp) => State::Unanswered,
        }
    }
}

/// The marks of a window, and two lazily kept bits: for attempts that failed on our side for good, and
/// for soft ICMP errors.
#[derive(Debug)]
pub(super) struct Ledger {
    marks: Vec<u8>,
    /// One bit an endpoint; empty until the first loss.
    lost: Vec<u8>,
    /// The same, until the first soft error.
    soft: Vec<u8>,
}

impl Ledger {
    pub(super) fn new(size: u64) -> Self {
        Self { marks: vec![0; byte_count(size, 4)], lost: Vec::new(), soft: Vec::new() }
    }

    #[inline]
    pub(super) fn mark(&self, index: u64) -> Mark {
        let (byte, shift) = place(index, 4);
        match (self.marks.get(byte).copied().unwrap_or(0) >> (shift * 2)) & 3 {
            0 => Mark::Unsettled,
            1 => Mark::Prohibited,
            2 => Mark::Closed,
            _ => Mark::Open,
        }
    }

    #[inline]
    pub(super) fn is_settled(&self, index: u64) -> bool {
        let (byte, shift) = place(index, 4);
        (self.marks.get(byte).copied().unwrap_or(0) >> (shift * 2)) & 3 != 0
    }

    pub(super) fn set(&mut self, index: u64, mark: Mark) {
        let (byte, shift) = place(index, 4);
        if let Some(byte) = self.marks.get_mut(byte) {
            *byte = (*byte & !(3 << (shift * 2))) | ((mark as u8) << (shift * 2));
        }
    }

    /// Whether an attempt of this endpoint was given up on our side.
    pub(super) fn is_lost(&self, index: u64) -> bool {
        bit(&self.lost, index)
    }

    /// Whether any attempt was given up on our side.
    pub(super) fn has_lost(&self) -> bool {
        !self.lost.is_empty()
    }

    pub(super) fn set_lost(&mut self, index: u64) {
        set_bit(&mut self.lost, self.marks.len(), index);
    }

    /// Whether a soft ICMP error came for this endpoint.
    pub(super) fn is_soft(&self, index: u64) -> bool {
        bit(&self.soft, index)
    }

    pub(super) fn set_soft(&mut self, index: u64) {
        set_bit(&mut self.soft, self.marks.len(), index);
    }
}

fn bit(bits: &[u8], index: u64) -> bool {
    let (byte, shift) = place(index, 8);
    bits.get(byte).is_some_and(|byte| byte >> shift & 1 == 1)
}

/// Sets a bit of a set that is not there until it is needed; four endpoints have a byte of marks.
fn set_bit(bits: &mut Vec<u8>, marks: usize, index: u64) {
    if bits.is_empty() {
        *bits = vec![0; marks.div_ceil(2)];
    }
    let (byte, shift) = place(index, 8);
    if let Some(byte) = bits.get_mut(byte) {
        *byte |= 1 << shift;
    }
}

fn byte_count(size: u64, per_byte: u64) -> usize {
    usize::try_from(size.div_ceil(per_byte)).unwrap_or(usize::MAX)
}

#[inline]
fn place(index: u64, per_byte: u64) -> (usize, u32) {
    let byte = usize::try_from(index / per_byte).unwrap_or(usize::MAX);
    (byte, u32::try_from(index % per_byte).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_do_not_touch_each_other() {
        let mut ledger = Ledger::new(11);
        let marks = [Mark::Unsettled, Mark::Prohibited, Mark::Closed, Mark::Open];
        for (i, mark) in (0..11).zip(marks.into_iter().cycle()) {
            ledger.set(i, Mark::Open);
            ledger.set(i, mark);
            if i % 3 == 0 {
                ledger.set_lost(i);
            }
        }
        for (i, mark) in (0..11).zip(marks.into_iter().cycle()) {
            assert_eq!((ledger.mark(i), ledger.is_lost(i)), (mark, i % 3 == 0), "{i}");
        }
    }
}
