//! One of several parts of a plan, for several machines: disjoint, together the whole, and the same
//! whatever the seed. Chosen by the number that an endpoint has in the plan, never by its turn.

use std::{fmt, str::FromStr};

/// `I/N`: of every `N` endpoints in the order of the plan, the `I`th.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    part: u32,
    of: u32,
}

/// Why a text is no shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShardError {
    /// It is not two numbers.
    #[error("write PART/PARTS: 1/4 is the first of four")]
    Form,
    /// There is no such part.
    #[error("parts are counted from 1 to the number of parts: 1/{0} to {0}/{0}")]
    NoSuchPart(u32),
    /// Nothing can be cut into no part.
    #[error("a plan has at least one part: 1/1 is the whole")]
    NoParts,
}

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, ShardError> {
        let number = |digits: &str| {
            let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
            digits.parse::<u32>().ok().filter(|_| plain).ok_or(ShardError::Form)
        };
        let (part, of) = text.split_once('/').ok_or(ShardError::Form)?;
        match (number(part)?, number(of)?) {
            (_, 0) => Err(ShardError::NoParts),
            (part, of) if part == 0 || part > of => Err(ShardError::NoSuchPart(of)),
            (part, of) => Ok(Self { part, of }),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.part, self.of)
    }
}

/// The numbers of a run of endpoints that are in a shard: `first`, and every so many from there on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Slice {
    first: u64,
    every: u64,
}

impl Slice {
    /// Every number.
    pub(super) const WHOLE: Self = Self { first: 0, every: 1 };

    /// What is in a shard of a run that begins at a number of the plan.
    pub(super) fn of(shard: Shard, begins: u64) -> Self {
        Self { first: u64::from(shard.part) - 1, every: shard.of.into() }.from(begins)
    }

    /// The same numbers counted from a later one on.
    pub(super) fn from(self, begins: u64) -> Self {
        let first = match self.first.checked_sub(begins) {
            Some(first) => first,
            None => (self.every - (begins - self.first) % self.every) % self.every,
        };
        Self { first, ..self }
    }

    /// How many are below a number.
    pub(super) fn count(self, below: u64) -> u64 {
        below.saturating_sub(self.first).div_ceil(self.every)
    }

    /// At most so many are in any stretch of a length.
    pub(super) fn most(self, length: u64) -> u64 {
        length.div_ceil(self.every)
    }

    /// The `n`th number.
    #[inline]
    pub(super) fn nth(self, n: u64) -> u64 {
        self.first + n * self.every
    }

    /// The place of a number, the inverse of [`Self::nth`].
    pub(super) fn rank(self, number: u64) -> Option<u64> {
        let beyond = number.checked_sub(self.first)?;
        beyond.is_multiple_of(self.every).then(|| beyond / self.every)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_part_is_refused_with_the_cure() {
        for (text, said) in [
            ("", "1/4 is the first of four"),
            ("3", "PART/PARTS"),
            ("a/4", "PART/PARTS"),
            ("1/", "PART/PARTS"),
            ("+1/4", "PART/PARTS"),
            ("1/4/2", "PART/PARTS"),
            ("-1/4", "PART/PARTS"),
            ("1/99999999999", "PART/PARTS"),
            ("0/4", "from 1"),
            ("5/4", "1/4 to 4/4"),
            ("1/0", "at least one"),
        ] {
            let error = text.parse::<Shard>().unwrap_err().to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
        assert_eq!("4/4".parse::<Shard>().unwrap().to_string(), "4/4");
    }

    proptest! {
        #[test]
        fn a_slice_is_what_it_says_wherever_it_is_cut(
            of in 1u32..40,
            part in 0u32..40,
            begins in 0u64..200,
            cut in 0u64..200,
            length in 0u64..200,
        ) {
            let shard = Shard { part: part % of + 1, of };
            let slice = Slice::of(shard, begins).from(cut);
            let own: Vec<u64> =
                (0..length).filter(|n| (begins + cut + n) % u64::from(of) == u64::from(part % of)).collect();
            prop_assert_eq!(slice.count(length), own.len() as u64);
            prop_assert!(own.len() as u64 <= slice.most(length));
            for (rank, &number) in own.iter().enumerate() {
                prop_assert_eq!(slice.nth(rank as u64), number);
                prop_assert_eq!(slice.rank(number), Some(rank as u64));
            }
            for other in (0..length).filter(|n| !own.contains(n)) {
                prop_assert_eq!(slice.rank(other), None);
            }
        }
    }
}
