//! TCP headers (RFC 9293 section 3.1): the SYN that we send, and what answers look like.

use super::{double, put, word};

/// The protocol's number.
pub const PROTOCOL: u8 = 6;
/// Octets of a SYN with the options of [`syn`].
pub const SYN_LENGTH: usize = 32;
/// Where the checksum stands.
pub const CHECKSUM: usize = 16;

/// What of a segment's header counts here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// From this port.
    pub source: u16,
    /// To this one.
    pub destination: u16,
    /// Sequence number.
    pub sequence: u32,
    /// Acknowledgement number.
    pub acknowledgement: u32,
    /// The eight flags.
    pub flags: u8,
    /// The window offered.
    pub window: u16,
    /// Whether there is any option but padding.
    pub options: bool,
}

impl Segment {
    /// Acknowledgement.
    pub const ACK: u8 = 0x10;
    /// Reset.
    pub const RST: u8 = 0x04;
    /// Synchronize.
    pub const SYN: u8 = 0x02;
    /// Finish.
    pub const FIN: u8 = 0x01;

    /// Reads a header. The checksum is not judged: with offload a genuine one may still be unfilled.
    pub fn parse(octets: &[u8]) -> Option<Self> {
        let header = usize::from(octets.get(12)? >> 4) * 4;
        let options = octets.get(20..header.min(octets.len())).unwrap_or_default();
        (header >= 20 && octets.len() >= 20).then_some(())?;
        Some(Self {
            source: word(octets, 0)?,
            destination: word(octets, 2)?,
            sequence: double(octets, 4)?,
            acknowledgement: double(octets, 8)?,
            flags: *octets.get(13)?,
            window: word(octets, 14)?,
            // The end of the list, or padding before it, says nothing.
            options: options.iter().find(|kind| **kind != 1).is_some_and(|kind| *kind != 0),
        })
    }

    /// Whether all of these flags are set.
    pub fn has(&self, flags: u8) -> bool {
        self.flags & flags == flags
    }
}

/// A SYN like an ordinary client's: the order of options that gets the most answers (zmap measured 2 %
/// more than without any), and a plain window. Ports, sequence number and checksum are left to fill.
pub fn syn(mss: u16) -> [u8; SYN_LENGTH] {
    let [high, low] = mss.to_be_bytes();
    let mut segment = [0; SYN_LENGTH];
    let parts: [(usize, &[u8]); 3] = [
        (12, &[0x80, Segment::SYN]),
        (14, &[0xff, 0xff]),
        // MSS, NOP, window scale 8, NOP, NOP, SACK permitted (RFC 9293 3.2, RFC 7323 2.2, RFC 2018 2).
        (20, &[2, 4, high, low, 1, 3, 3, 8, 1, 1, 4, 2]),
    ];
    for (at, octets) in parts {
        let _ = put(&mut segment, at, octets);
    }
    segment
}
