//! What a service has to be told in the clear before it speaks TLS (STARTTLS and its kin). No sockets: what
//! was heard goes in, what to say comes out. Nothing heard before TLS is believed.

mod lines;
mod packets;

use crate::identify::{hearing::Hearing, text};
use lines::Lines;
use packets::Packets;

/// Octets of one answer that are kept; whoever says more without getting anywhere is not spoken to.
const MOST: usize = 64 << 10;

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Read on.
    Wait,
    /// Send this, then ask again with nothing heard.
    Say(Vec<u8>),
    /// The next octets may be a TLS hello.
    Ready,
    /// The service will not. In its words or ours, as a clause.
    Refused(String),
}

/// One conversation up to where TLS begins.
#[derive(Clone, Debug)]
pub struct Upgrade {
    talk: Talk,
    heard: Hearing,
}

#[derive(Clone, Debug)]
enum Talk {
    Lines(Lines),
    Packets(Packets),
}

/// How a protocol goes on, given everything since we last spoke.
enum Next {
    /// Not said to the end.
    More,
    Say(Vec<u8>),
    Ready,
    Refused(String),
}

impl Upgrade {
    /// By the service's name in `profiles/ports/services.yaml`; `None`: TLS begins at once, or not at all, or
    /// inside of something else (as with `ms-sql-s`).
    pub fn of(service: &str) -> Option<Self> {
        let talk = match Lines::of(service) {
            Some(lines) => Talk::Lines(lines),
            None => Talk::Packets(Packets::of(service)?),
        };
        Some(Self { talk, heard: Hearing::up_to(MOST) })
    }

    /// For this host: XMPP wants to know.
    #[must_use]
    pub fn with_name(mut self, name: &str) -> Self {
        if let (Talk::Packets(packets), Some(name)) = (&mut self.talk, super::hello::host(name)) {
            name.clone_into(&mut packets.name);
        }
        self
    }

    /// What was heard since the last step; begin with nothing.
    pub fn step(&mut self, heard: &[u8]) -> Step {
        if !self.heard.add(heard) {
            return Step::Refused("talks without end".to_owned());
        }
        let next = match &mut self.talk {
            Talk::Lines(lines) => lines.next(self.heard.octets()),
            Talk::Packets(packets) => packets.next(self.heard.octets()),
        };
        match next {
            Next::More => Step::Wait,
            Next::Say(words) => {
                self.heard.clear();
                Step::Say(words)
            }
            Next::Ready => Step::Ready,
            Next::Refused(why) => Step::Refused(why),
        }
    }
}

/// Refused in the service's own words.
fn refused(words: &[u8]) -> Next {
    Next::Refused(text(words).map_or_else(|| "says no".to_owned(), |words| format!("says \"{words}\"")))
}

/// It is there, but without TLS.
fn without() -> Next {
    Next::Refused("does not offer TLS".to_owned())
}

/// It is something else.
fn foreign(words: &[u8]) -> Next {
    let said = text(words.get(..80).unwrap_or(words));
    Next::Refused(said.map_or_else(
        || "does not speak this protocol".to_owned(),
        |said| format!("does not speak this protocol but says \"{said}\""),
    ))
}
