//! What a payload is: octets that make a service answer a stranger, and how its answer is known. Pure data
//! and its meaning; which payload goes where is the table's business.

use std::fmt::Write as _;

/// Octets that a cookie has; a place takes as many of the first as it has room for.
pub const COOKIE: usize = 8;

/// A question that a service answers, whoever asks.
#[derive(Debug)]
pub struct Payload {
    /// The service that answers it, by its name in `profiles/ports/services.yaml`.
    pub service: &'static str,
    /// Ports on which it is asked without anybody saying so.
    pub ports: &'static [u16],
    /// The datagram, with anything where the cookie goes.
    pub octets: &'static [u8],
    /// Zeros follow up to this length, where the protocol wants it long.
    pub padded: usize,
    /// Where the cookie goes. The first place is the one whose octets come back.
    pub cookie: &'static [Place],
    /// What an answer to it looks like.
    pub reply: Shape,
    /// The document that it is written from: RFC and section, or the protocol's own.
    pub source: &'static str,
}

/// A place for the cookie in a datagram.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Offset from the first octet.
    pub at: usize,
    /// How it is written there.
    pub form: Form,
}

/// How a cookie is written.
#[derive(Clone, Copy, Debug)]
pub enum Form {
    /// So many octets of it, as they are.
    Octets(usize),
    /// So many octets of it, each as two lower-case hexadecimal digits.
    Hex(usize),
}

/// What an answer looks like.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Octets that it has at least.
    pub least: usize,
    /// Octets that it has at most.
    pub most: usize,
    /// Octets that are known: offset, mask, and what they are under it.
    pub is: &'static [(usize, u8, u8)],
    /// Octets that stand somewhere in it, where nothing before them has a fixed length.
    pub has: &'static [u8],
    /// How it brings the cookie back.
    pub echo: Echo,
    /// It may come from another port of the address (TFTP does that, RFC 1350 section 4).
    pub any_port: bool,
}

/// How an answer brings back what was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Echo {
    /// Not at all: the protocol has no field for it.
    Nothing,
    /// At this offset.
    At(usize),
    /// Somewhere: what stands before it has no fixed length.
    Within,
}

impl Shape {
    /// Anything at all.
    pub const ANY: Self =
        Self { least: 0, most: usize::MAX, is: &[], has: &[], echo: Echo::Nothing, any_port: false };

    fn fits(&self, octets: &[u8]) -> bool {
        let Self { least, most, is, has, .. } = *self;
        (least..=most).contains(&octets.len())
            && is.iter().all(|(at, mask, value)| octets.get(*at).is_some_and(|octet| octet & mask == *value))
            && (has.is_empty() || octets.windows(has.len()).any(|window| window == has))
    }
}

impl Payload {
    /// Appends the datagram with this cookie.
    pub fn write(&self, cookie: [u8; COOKIE], to: &mut Vec<u8>) {
        let begin = to.len();
        to.extend_from_slice(self.octets);
        to.resize(begin + self.octets.len().max(self.padded), 0);
        let datagram = to.get_mut(begin..).unwrap_or_default();
        for place in self.cookie {
            let written = place.form.written(cookie);
            if let Some(room) = datagram.get_mut(place.at..).and_then(|rest| rest.get_mut(..written.len())) {
                room.copy_from_slice(&written);
            }
        }
    }

    /// Whether octets answer it. Where the protocol has a field that comes back, the cookie must be in it.
    pub fn accepts(&self, cookie: [u8; COOKIE], octets: &[u8]) -> bool {
        let (fits, echo) = (self.reply.fits(octets), self.reply.echo);
        let Some(place) = self.cookie.first() else { return fits && echo == Echo::Nothing };
        let sent = place.form.written(cookie);
        let is_sent = |octets: &[u8]| match place.form {
            Form::Octets(_) => octets == sent,
            Form::Hex(_) => octets.eq_ignore_ascii_case(&sent),
        };
        fits && match echo {
            Echo::Nothing => true,
            Echo::At(at) => octets.get(at..).and_then(|rest| rest.get(..sent.len())).is_some_and(is_sent),
            Echo::Within => !sent.is_empty() && octets.windows(sent.len()).any(is_sent),
        }
    }

    /// Bits of the cookie that an answer must bring back.
    pub fn cookie_bits(&self) -> u32 {
        let octets = match self.cookie.first().map(|place| place.form) {
            Some(Form::Octets(octets) | Form::Hex(octets)) if self.reply.echo != Echo::Nothing => octets,
            _ => 0,
        };
        u32::try_from(octets.min(COOKIE) * 8).unwrap_or(0)
    }
}

impl Form {
    fn written(self, cookie: [u8; COOKIE]) -> Vec<u8> {
        match self {
            Self::Octets(count) => cookie.iter().take(count).copied().collect(),
            Self::Hex(count) => {
                let digits = cookie.iter().take(count).fold(String::new(), |mut text, octet| {
                    let _ = write!(text, "{octet:02x}");
                    text
                });
                digits.into_bytes()
            }
        }
    }
}
