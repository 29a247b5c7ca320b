//! Records in a row, each with its length and checksum: whatever ends in the middle of one is noticed.
//! Any octets are read or refused; no record takes more memory than the file has octets.

use std::io::{self, Read, Write};

use siphasher::sip::SipHasher13;

/// What every state file begins with.
pub const MAGIC: &[u8; 18] = b"portproof state 2\n";
/// No record is longer.
const LONGEST: u32 = 1 << 26;
/// Length, its complement, and the checksum of all that follows.
const HEAD: usize = 16;

/// What a record holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Which scan this is, as JSON. The first, and only there.
    Head = 1,
    /// What happened in one window.
    Chapter = 2,
    /// Where the walks are.
    Progress = 3,
    /// The same, at the beginning of a run: what went before is not to be gone back to.
    Start = 4,
}

/// Why a state file can't be read.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)] // the texts say it
pub enum ReadError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("it is no portproof state file")]
    Foreign,
    #[error("it is damaged at octet {0}")]
    Damaged(u64),
}

/// Writes one record; returns its length.
pub fn write(to: &mut impl Write, kind: Kind, payload: &[u8]) -> io::Result<u64> {
    let length = u32::try_from(payload.len()).ok().and_then(|length| length.checked_add(1));
    let length =
        length.filter(|length| *length <= LONGEST).ok_or_else(|| io::Error::other("a record is too long"))?;
    let mut head = Vec::with_capacity(HEAD + 1);
    head.extend(length.to_le_bytes());
    head.extend((!length).to_le_bytes());
    head.extend(checksum(kind as u8, payload).to_le_bytes());
    head.push(kind as u8);
    to.write_all(&head)?;
    to.write_all(payload)?;
    Ok((HEAD + 1 + payload.len()) as u64)
}

fn checksum(kind: u8, payload: &[u8]) -> u64 {
    let mut key = *b"portproof state ";
    key[15] = kind;
    SipHasher13::new_with_key(&key).hash(payload)
}

/// Reads records from octets of which so many are there.
#[derive(Debug)]
pub struct Records<R> {
    from: R,
    at: u64,
    end: u64,
}

impl<R: Read> Records<R> {
    /// Records of a state file of so many octets.
    pub fn new(mut from: R, length: u64) -> Result<Self, ReadError> {
        let mut magic = [0; MAGIC.len()];
        let whole = length >= MAGIC.len() as u64;
        if !whole || from.read_exact(&mut magic).is_err() || magic != *MAGIC {
            return Err(ReadError::Foreign);
        }
        Ok(Self { from, at: MAGIC.len() as u64, end: length })
    }

    /// Where the last whole record ended.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// The next record; `None` at the end, be it in the middle of a record that was being written.
    pub fn advance(&mut self) -> Result<Option<(Kind, Vec<u8>)>, ReadError> {
        let damaged = ReadError::Damaged(self.at);
        let left = self.end - self.at;
        let mut head = [0; HEAD];
        if left < HEAD as u64 {
            return Ok(None);
        }
        self.from.read_exact(&mut head)?;
        let (lengths, sum) = head.split_at(8);
        let lengths = u64::from_le_bytes(lengths.try_into().unwrap_or_default());
        let sum = u64::from_le_bytes(sum.try_into().unwrap_or_default());
        // Both halves fit.
        #[allow(clippy::cast_possible_truncation)]
        let (length, complement) = (lengths as u32, (lengths >> 32) as u32);
        if length != !complement || length == 0 || length > LONGEST {
            // A machine that lost its power leaves zeros at the end.
            return if head == [0; HEAD] && self.only_zeros()? { Ok(None) } else { Err(damaged) };
        }
        let whole = HEAD as u64 + u64::from(length);
        if left < whole {
            return Ok(None);
        }
        let mut kind = [0];
        self.from.read_exact(&mut kind)?;
        let mut payload = vec![0; length as usize - 1];
        self.from.read_exact(&mut payload)?;
        let [kind] = kind;
        if sum != checksum(kind, &payload) {
            return if left == whole { Ok(None) } else { Err(damaged) };
        }
        let kind = match kind {
            1 => Kind::Head,
            2 => Kind::Chapter,
            3 => Kind::Progress,
            4 => Kind::Start,
            _ => return Err(damaged),
        };
        self.at += whole;
        Ok(Some((kind, payload)))
    }

    fn only_zeros(&mut self) -> io::Result<bool> {
        let mut octets = [0; 4096];
        loop {
            match self.from.read(&mut octets)? {
                0 => return Ok(true),
                read if octets.iter().take(read).any(|octet| *octet != 0) => return Ok(false),
                _ => {}
            }
        }
    }
}
