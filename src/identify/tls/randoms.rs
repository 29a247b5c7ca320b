//! Values for hellos that nobody has sent before, from one seed: below the edge nothing rolls dice.

use sha2::{Digest, Sha256};

/// A row of values that looks random to everybody who has not the seed.
#[derive(Clone, Debug)]
pub struct Randoms {
    seed: [u8; 32],
    drawn: u64,
}

impl Randoms {
    /// The same seed gives the same row.
    pub fn new(seed: [u8; 32]) -> Self {
        Self { seed, drawn: 0 }
    }

    /// The next one.
    pub fn draw(&mut self) -> [u8; 32] {
        self.drawn = self.drawn.wrapping_add(1);
        derived(&self.seed, &self.drawn.to_be_bytes())
    }
}

/// A value that follows from another one and does not show it.
pub(super) fn derived(from: &[u8; 32], what: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(from).chain_update(what).finalize().into()
}
