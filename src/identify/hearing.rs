//! What is heard of one answer, within bounds.

/// An answer is read anew with each piece that comes of it: 64 KiB in the segments of a network come to the
/// twenty-fourfold of that, and from somebody who sends them one by one to the thirty-thousandfold.
const TIMES: usize = 64;

/// The octets of an answer so far.
#[derive(Clone, Debug)]
pub struct Hearing {
    octets: Vec<u8>,
    most: usize,
    read: usize,
}

impl Hearing {
    /// Keeps so many octets.
    pub fn up_to(most: usize) -> Self {
        Self { octets: Vec::new(), most, read: 0 }
    }

    /// Adds a piece, as far as there is room. `false`: this was the last; more is not listened to.
    pub fn add(&mut self, piece: &[u8]) -> bool {
        let room = self.most.saturating_sub(self.octets.len());
        self.octets.extend_from_slice(piece.get(..room).unwrap_or(piece));
        self.read = self.read.saturating_add(self.octets.len());
        self.octets.len() < self.most && self.read < self.most.saturating_mul(TIMES)
    }

    /// All of it.
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// Whether nothing was said yet.
    pub fn is_empty(&self) -> bool {
        self.octets.is_empty()
    }

    /// The next answer begins.
    pub fn clear(&mut self) {
        self.octets.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_answers_are_heard_and_endless_ones_are_not() {
        let mut hearing = Hearing::up_to(64 << 10);
        let in_segments = (0..100).take_while(|_| hearing.add(&[b'x'; 1400])).count();
        assert_eq!((in_segments, hearing.octets().len()), (46, 64 << 10));
        let mut hearing = Hearing::up_to(64 << 10);
        let one_by_one = (0..10_000).take_while(|_| hearing.add(b"x")).count();
        assert!((2000..4000).contains(&one_by_one), "{one_by_one}");
        // Who is through with one answer is not heard again for another.
        hearing.clear();
        assert!(!hearing.add(b"x"));
    }
}
