//! A keyed permutation of `0..size`: it spreads load over hosts, and its place is one number.
//!
//! An alternating Feistel network on two halves of bits, made to fit any size by cycle walking
//! (Black and Rogaway, "Ciphers with Arbitrary Finite Domains", CT-RSA 2002): values that fall
//! outside are enciphered again until they fall inside. The domain is less than twice the size, so
//! that takes less than two steps on average. It orders probes and keeps no secret.

/// A bijection of `0..size` onto itself, with its inverse.
#[derive(Clone, Debug)]
pub struct Order {
    size: u64,
    low_bits: u32,
    low_mask: u64,
    high_mask: u64,
    keys: [u64; ROUNDS],
}

/// Four rounds mix small halves well enough for an order; an even number leaves the halves in place.
const ROUNDS: usize = 4;

impl Order {
    /// The order of `size` places under a key.
    pub fn new(size: u64, key: u64) -> Self {
        let bits = 64 - size.saturating_sub(1).leading_zeros();
        let low_bits = bits.div_ceil(2);
        let high_bits = bits - low_bits;
        let mask = |bits: u32| if bits == 0 { 0 } else { u64::MAX >> (64 - bits) };
        let mut keys = [0; ROUNDS];
        let mut state = key;
        for key in &mut keys {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            *key = mix(state);
        }
        Self { size, low_bits, low_mask: mask(low_bits), high_mask: mask(high_bits), keys }
    }

    /// How many places.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// What stands at a place. `place` must be below the size.
    #[inline]
    pub fn at(&self, place: u64) -> u64 {
        let mut value = place;
        loop {
            value = self.encipher(value);
            if value < self.size {
                return value;
            }
        }
    }

    /// The place of a value: the inverse of [`Self::at`].
    pub fn place_of(&self, value: u64) -> u64 {
        let mut place = value;
        loop {
            place = self.decipher(place);
            if place < self.size {
                return place;
            }
        }
    }

    #[inline]
    fn encipher(&self, value: u64) -> u64 {
        let (mut low, mut high) = (value & self.low_mask, value >> self.low_bits);
        let [a, b, c, d] = self.keys;
        high ^= mix(low ^ a) & self.high_mask;
        low ^= mix(high ^ b) & self.low_mask;
        high ^= mix(low ^ c) & self.high_mask;
        low ^= mix(high ^ d) & self.low_mask;
        (high << self.low_bits) | low
    }

    fn decipher(&self, value: u64) -> u64 {
        let (mut low, mut high) = (value & self.low_mask, value >> self.low_bits);
        let [a, b, c, d] = self.keys;
        low ^= mix(high ^ d) & self.low_mask;
        high ^= mix(low ^ c) & self.high_mask;
        low ^= mix(high ^ b) & self.low_mask;
        high ^= mix(low ^ a) & self.high_mask;
        (high << self.low_bits) | low
    }
}

/// The finalizer of `SplitMix64` (Steele, Lea, Flood, OOPSLA 2014).
#[inline]
fn mix(mut value: u64) -> u64 {
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn assert_bijection(size: u64, key: u64) {
        let order = Order::new(size, key);
        let mut seen = vec![false; usize::try_from(size).unwrap()];
        for place in 0..size {
            let value = order.at(place);
            assert!(value < size);
            assert!(
                !std::mem::replace(&mut seen[usize::try_from(value).unwrap()], true),
                "{value} twice of {size}"
            );
            assert_eq!(order.place_of(value), place);
        }
    }

    #[test]
    fn every_place_exactly_once_for_every_small_size_and_around_every_power_of_two() {
        for size in 1..600 {
            assert_bijection(size, size ^ 0xabcd);
        }
        for bits in 10..=20u32 {
            for size in [(1 << bits) - 1, 1 << bits, (1 << bits) + 1, 3 << (bits - 1)] {
                assert_bijection(size, u64::from(bits));
            }
        }
    }

    proptest! {
        #[test]
        fn place_of_is_the_inverse_at_any_size(size in 1u64..=u64::MAX >> 8, key: u64, at: u64) {
            let order = Order::new(size, key);
            let place = at % size;
            let value = order.at(place);
            prop_assert!(value < size);
            prop_assert_eq!(order.place_of(value), place);
        }
    }

    #[test]
    fn the_order_depends_on_the_key_and_spreads_neighbours() {
        let (a, b) = (Order::new(65_535 * 16, 1), Order::new(65_535 * 16, 2));
        assert!((0..1000).filter(|&i| a.at(i) == b.at(i)).count() < 10);
        // 16 hosts of 65,535 ports: any 160 probes in a row reach nearly all of them.
        let hosts: std::collections::HashSet<u64> = (5000..5160).map(|i| a.at(i) / 65_535).collect();
        assert!(hosts.len() >= 14, "{}", hosts.len());
    }
}
