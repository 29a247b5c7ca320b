//! Reading and writing lists that carry their lengths (RFC 8446 section 3).

/// What has not been read yet. Every step says `None` where there is too little, and never panics.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    /// So many octets.
    pub(super) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    /// A number of so many octets, at most four, the highest first.
    pub(super) fn number(&mut self, octets: usize) -> Option<usize> {
        let taken = self.take(octets.min(4))?;
        Some(taken.iter().fold(0, |number, octet| number << 8 | usize::from(*octet)))
    }

    /// Two octets.
    pub(super) fn word(&mut self) -> Option<u16> {
        let taken: &[u8; 2] = self.take(2)?.first_chunk()?;
        Some(u16::from_be_bytes(*taken))
    }

    /// A list behind its length of so many octets.
    pub(super) fn list(&mut self, octets: usize) -> Option<&'a [u8]> {
        let length = self.number(octets)?;
        self.take(length)
    }

    /// Whether all is read.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Appends a list behind its length of so many octets. What is longer than such a length can say is cut: no
/// list of ours comes near.
pub(super) fn put_list(into: &mut Vec<u8>, octets: usize, list: &[u8]) {
    let octets = octets.clamp(1, 4);
    let most = u64::MAX >> (64 - 8 * octets);
    let list = usize::try_from(most).ok().and_then(|most| list.get(..most)).unwrap_or(list);
    let length = u32::try_from(list.len()).unwrap_or_default().to_be_bytes();
    into.extend_from_slice(length.get(4 - octets..).unwrap_or_default());
    into.extend_from_slice(list);
}

/// Words as octets.
pub(super) fn words(words: impl IntoIterator<Item = u16>) -> Vec<u8> {
    words.into_iter().flat_map(u16::to_be_bytes).collect()
}
