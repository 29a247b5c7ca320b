//! TLS over datagrams (DTLS 1.0 and 1.2, RFC 4347 and 6347): our hello in their framing, and their flight as the
//! records that the same answer would be over a stream, so that one reader understands both. DTLS 1.3 (RFC 9147)
//! is not asked for.

use std::collections::BTreeMap;

use super::{
    Offer, Version,
    octets::{Reader, put_list},
};

/// Octets of messages that are put together.
const MOST: usize = 128 << 10;
/// Messages of a flight that are put together.
const MOST_MESSAGES: u16 = 16;
/// A record over a stream holds no more.
const LONGEST_RECORD: usize = 1 << 14;
const HANDSHAKE: u8 = 22;
const ALERT: u8 = 21;
const SERVER_HELLO: u8 = 2;
const VERIFY_REQUEST: u8 = 3;

/// Tells a server that nothing follows, so that it forgets us at once instead of repeating its flight: the fatal
/// alert `handshake_failure` (RFC 5246 section 7.2), in the version of the first hello and its fourth record.
pub const FAREWELL: [u8; 15] = [ALERT, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, 3, 0, 2, 2, 40];

impl Version {
    /// As DTLS writes it: the complement. `None`: there is none that corresponds.
    fn over_datagrams(self) -> Option<[u8; 2]> {
        match self {
            Self::Tls11 => Some([0xfe, 0xff]),
            Self::Tls12 => Some([0xfe, 0xfd]),
            Self::Ssl3 | Self::Tls10 | Self::Tls13 => None,
        }
    }

    /// Its name over datagrams: DTLS 1.0 is TLS 1.1 (RFC 4347 section 1).
    pub fn datagram_name(self) -> String {
        match self {
            Self::Tls11 => "DTLS 1.0".to_owned(),
            Self::Tls12 => "DTLS 1.2".to_owned(),
            Self::Tls13 => "DTLS 1.3".to_owned(),
            Self::Ssl3 | Self::Tls10 => self.to_string(),
        }
    }
}

impl Offer {
    /// As one datagram, with the cookie that the server wants to see again (RFC 6347 section 4.2.1); none at first.
    /// `None`: DTLS has no such version.
    pub fn datagram(&self, cookie: &[u8]) -> Option<Vec<u8>> {
        let version = self.version.over_datagrams()?;
        let mut body = self.dtls_head(version, cookie);
        put_list(&mut body, 2, &self.extensions());
        // The second hello is the second message and the second record.
        let sequence = u8::from(!cookie.is_empty());
        let length = u32::try_from(body.len()).unwrap_or_default().to_be_bytes();
        let length = length.get(1..).unwrap_or_default();
        let message = [&[1], length, &[0, sequence], &[0, 0, 0], length, &body].concat();
        // The record's version is the first that there was, so that no server refuses it.
        let mut datagram = vec![HANDSHAKE, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, sequence];
        put_list(&mut datagram, 2, &message);
        Some(datagram)
    }
}

/// What a server sent so far, in any order and with gaps.
#[derive(Clone, Debug, Default)]
pub struct Flight {
    messages: BTreeMap<u16, Message>,
    alerts: Vec<u8>,
    held: usize,
}

#[derive(Clone, Debug)]
struct Message {
    kind: u8,
    octets: Vec<u8>,
    /// Pieces that have come, as from and to.
    pieces: Vec<(usize, usize)>,
}

impl Flight {
    /// Takes in a datagram; what is no record of an unencrypted handshake is left out.
    pub fn take(&mut self, datagram: &[u8]) {
        let mut records = Reader(datagram);
        while let Some((kind, epoch, content)) = record(&mut records) {
            match kind {
                HANDSHAKE if epoch == 0 => {
                    let mut fragments = Reader(content);
                    while self.fragment(&mut fragments).is_some() {}
                }
                ALERT if epoch == 0 && self.alerts.len() < 8 => {
                    self.alerts.extend_from_slice(content.get(..2).unwrap_or_default());
                }
                _ => {}
            }
        }
    }

    fn fragment(&mut self, fragments: &mut Reader<'_>) -> Option<()> {
        let kind = u8::try_from(fragments.number(1)?).ok()?;
        let length = fragments.number(3)?;
        let sequence = fragments.word()?;
        let from = fragments.number(3)?;
        let piece = fragments.list(3)?;
        let to = from.checked_add(piece.len()).filter(|to| *to <= length)?;
        if sequence >= MOST_MESSAGES {
            return None;
        }
        if !self.messages.contains_key(&sequence) {
            self.held = self.held.checked_add(length).filter(|held| *held <= MOST)?;
            self.messages.insert(sequence, Message { kind, octets: vec![0; length], pieces: Vec::new() });
        }
        let message = self.messages.get_mut(&sequence)?;
        if message.kind == kind && message.octets.len() == length && message.pieces.len() < 256 {
            message.octets.get_mut(from..to)?.copy_from_slice(piece);
            message.pieces.push((from, to));
        }
        Some(())
    }

    /// The cookie that a hello has to bring, where the server asks for one before anything else.
    pub fn cookie(&self) -> Option<&[u8]> {
        let first =
            self.messages.values().next().filter(|first| first.kind == VERIFY_REQUEST && first.is_whole())?;
        let mut request = Reader(&first.octets);
        request.word()?;
        request.list(1).filter(|cookie| !cookie.is_empty())
    }

    /// As records of TLS: the messages from the hello on without a gap, then the alerts.
    pub fn records(&self) -> Vec<u8> {
        let mut stream = Vec::new();
        let mut expected = None;
        for (sequence, message) in self.messages.iter().filter(|(_, message)| message.kind != VERIFY_REQUEST)
        {
            let is_next = expected.map_or(message.kind == SERVER_HELLO, |expected| expected == *sequence);
            if !is_next || !message.is_whole() {
                break;
            }
            expected = Some(sequence + 1);
            stream.push(message.kind);
            put_list(&mut stream, 3, &message.over_stream());
        }
        let mut records = Vec::new();
        let pieces = stream.chunks(LONGEST_RECORD).map(|piece| (HANDSHAKE, piece));
        for (kind, piece) in pieces.chain(self.alerts.chunks(2).map(|alert| (ALERT, alert))) {
            records.extend_from_slice(&[kind, 3, 3]);
            put_list(&mut records, 2, piece);
        }
        records
    }
}

impl Message {
    fn is_whole(&self) -> bool {
        let mut pieces = self.pieces.clone();
        pieces.sort_unstable();
        let reached = pieces
            .iter()
            .fold(0, |reached, (from, to)| if *from <= reached { reached.max(*to) } else { reached });
        reached == self.octets.len() && !self.pieces.is_empty()
    }

    /// The hello names the version as DTLS does.
    fn over_stream(&self) -> Vec<u8> {
        let mut octets = self.octets.clone();
        let named = octets.first_chunk::<2>().copied();
        let version =
            Version::ALL.into_iter().find(|version| version.over_datagrams() == named && named.is_some());
        if let (SERVER_HELLO, Some(version), Some(place)) = (self.kind, version, octets.get_mut(..2)) {
            place.copy_from_slice(&version.wire().to_be_bytes());
        }
        octets
    }
}

/// The next record: its kind, its epoch, what is in it.
fn record<'a>(records: &mut Reader<'a>) -> Option<(u8, u16, &'a [u8])> {
    let [kind, major, _] = *records.take(3)?.first_chunk()?;
    let epoch = records.word()?;
    records.take(6)?;
    let content = records.list(2)?;
    (major == 0xfe).then_some((kind, epoch, content))
}
