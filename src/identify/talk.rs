//! One connection to an open port: what is said, how long is listened, and what the octets show. Knows no
//! socket and no clock.

use std::time::Duration;

use super::{
    hearing::Hearing,
    octets,
    stream::{self, Follow, Question, Reading, Shown, Whom},
    tls,
};

/// How long an answer is waited for. Servers that answer at all do so at once, but for the round trip.
const ANSWER: Duration = Duration::from_secs(2);
/// How long the rest of something begun is waited for: longer than the second between the octets of a tarpit.
const REST: Duration = Duration::from_millis(1500);
/// Octets that are kept of what is heard: enough for certificates and a page's title.
const MOST: usize = 64 << 10;

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Read, for at most so long.
    Listen(Duration),
    /// Write this.
    Say(Vec<u8>),
    /// Nothing more is wanted.
    HangUp,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// By us, after all that we wanted.
    HungUp,
    /// By the other side.
    Closed,
    /// By the other side, with a RST.
    Reset,
    /// By us: the time for one connection was over and it was still not finished.
    Late,
    /// It was never established, or not secured.
    Unreached,
}

/// What makes it speak.
#[derive(Clone, Debug)]
pub(super) enum Ask {
    Question(&'static Question),
    /// A TLS hello, with these random octets.
    Hello([u8; 32]),
}

impl Ask {
    /// Whether it is the same.
    pub(super) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Hello(_), Self::Hello(_)) => true,
            (Self::Question(one), Self::Question(other)) => std::ptr::eq(*one, *other),
            _ => false,
        }
    }

    fn read(&self, octets: &[u8]) -> Reading {
        match self {
            Self::Question(question) => (question.read)(octets),
            Self::Hello(_) => answered(&tls::answer(octets)),
        }
    }
}

/// One connection.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "facts of a connection, each of its own")]
pub struct Talk {
    inside: bool,
    listen: Duration,
    ask: Option<Ask>,
    to: To,
    phase: Phase,
    /// Since our last words.
    heard: Hearing,
    unasked: Option<String>,
    shown: Option<Shown>,
    spoke: bool,
    was_answered: bool,
    flooded: bool,
    greets: bool,
}

/// Who is spoken to.
#[derive(Clone, Debug)]
pub(super) struct To {
    pub(super) host: String,
    pub(super) name: Option<String>,
    pub(super) port: u16,
}

#[derive(Clone, Debug)]
enum Phase {
    Greeting,
    Speaking(Vec<u8>, Option<Follow>),
    Asked,
    Followed(Follow),
    Over,
}

impl Talk {
    /// Listens for a greeting so long, then asks.
    pub(super) fn new(inside: bool, listen: Duration, ask: Option<Ask>, to: To) -> Self {
        let mut talk = Self {
            inside,
            listen,
            ask,
            to,
            phase: Phase::Greeting,
            heard: Hearing::up_to(MOST),
            unasked: None,
            shown: None,
            spoke: false,
            was_answered: false,
            flooded: false,
            greets: false,
        };
        if listen.is_zero() {
            talk.speak();
        }
        talk
    }

    /// Whether TLS has to be there first.
    pub fn is_inside(&self) -> bool {
        self.inside
    }

    /// What to do now.
    pub fn act(&mut self) -> Act {
        match &self.phase {
            Phase::Greeting if self.heard.is_empty() => Act::Listen(self.listen),
            Phase::Speaking(..) => {
                let next = Phase::Asked;
                let Phase::Speaking(say, follow) = std::mem::replace(&mut self.phase, next) else {
                    return Act::HangUp;
                };
                if let Some(follow) = follow {
                    self.phase = Phase::Followed(follow);
                }
                self.heard.clear();
                self.spoke = true;
                Act::Say(say)
            }
            Phase::Asked | Phase::Followed(_) if self.heard.is_empty() => Act::Listen(ANSWER),
            // Some let strangers wait in the middle of their greeting (postscreen).
            Phase::Greeting => Act::Listen(self.listen.max(REST)),
            Phase::Asked | Phase::Followed(_) => Act::Listen(REST),
            Phase::Over => Act::HangUp,
        }
    }

    /// Octets came.
    pub fn hear(&mut self, octets: &[u8]) {
        let goes_on = self.heard.add(octets);
        let heard = self.heard.octets();
        self.was_answered = true;
        let reading = match &self.phase {
            Phase::Greeting => stream::greeting(heard),
            Phase::Asked => {
                let own = self.ask.as_ref().map_or(Reading::Foreign, |ask| ask.read(heard));
                if own == Reading::Foreign { self.anything(stream::any(heard)) } else { own }
            }
            Phase::Followed(follow) => match &self.shown {
                Some(shown) => (follow.read)(shown, heard),
                None => Reading::Foreign,
            },
            Phase::Speaking(..) | Phase::Over => return,
        };
        self.take(reading);
        if !goes_on && !matches!(self.phase, Phase::Over) {
            self.flooded = true;
            self.finish();
        }
    }

    /// Nothing came for as long as was listened, or the connection is over.
    pub fn quiet(&mut self) {
        match self.phase {
            Phase::Greeting if self.heard.is_empty() && self.ask.is_some() => self.speak(),
            _ => self.finish(),
        }
    }

    /// What is known of who answers.
    pub fn shown(&self) -> Option<&Shown> {
        self.shown.as_ref()
    }

    /// Whether anything at all was said to it.
    pub(super) fn spoke(&self) -> bool {
        self.spoke
    }

    /// Whether anything at all came back.
    pub(super) fn was_answered(&self) -> bool {
        self.was_answered
    }

    /// Whether there was more to read than we wanted.
    pub(super) fn flooded(&self) -> bool {
        self.flooded
    }

    /// Whether it turned out to be one that speaks first while we had already spoken.
    pub(super) fn was_interrupted(&self) -> bool {
        self.greets
    }

    /// Whether it complained in the clear that it wants TLS.
    pub(super) fn wants_tls(&self) -> bool {
        stream::wants_tls(self.heard.octets())
    }

    /// What was heard and nobody understood, as text.
    pub(super) fn words(&self) -> Option<&str> {
        self.unasked.as_deref()
    }

    pub(super) fn ask(&self) -> Option<&Ask> {
        self.ask.as_ref()
    }

    fn speak(&mut self) {
        let whom = Whom { host: &self.to.host, port: self.to.port };
        self.phase = match &self.ask {
            Some(Ask::Question(question)) => Phase::Speaking((question.say)(&whom), None),
            Some(Ask::Hello(random)) => {
                Phase::Speaking(tls::Offer::wide(self.to.name.clone(), *random).record(), None)
            }
            None => Phase::Over,
        };
    }

    /// Somebody who would have greeted us, had we waited, is not asked any further here.
    fn anything(&mut self, reading: Reading) -> Reading {
        match reading {
            Reading::Ask(shown, _) => {
                self.greets = true;
                Reading::Shown(shown)
            }
            reading => reading,
        }
    }

    fn take(&mut self, reading: Reading) {
        match reading {
            Reading::Shown(shown) => {
                self.shown = Some(shown);
                self.phase = Phase::Over;
            }
            Reading::Ask(shown, follow) => {
                self.shown = Some(shown);
                self.phase = Phase::Speaking(follow.say.to_vec(), Some(follow));
            }
            Reading::Foreign if matches!(self.phase, Phase::Followed(_)) => self.phase = Phase::Over,
            Reading::Foreign | Reading::Unfinished => {}
        }
    }

    /// Nothing more comes: what is there has to do.
    fn finish(&mut self) {
        let heard = self.heard.octets();
        if self.shown.is_none() && !heard.is_empty() {
            let last = match &self.ask {
                Some(Ask::Hello(_)) if matches!(self.phase, Phase::Asked) => {
                    answered(&tls::last_answer(heard))
                }
                _ => Reading::Foreign,
            };
            let is_tls = matches!(last, Reading::Shown(_));
            let last = if is_tls { last } else { stream::finish(heard) };
            match self.anything(last) {
                Reading::Shown(shown) | Reading::Ask(shown, _) => self.shown = Some(shown),
                Reading::Foreign | Reading::Unfinished => {
                    let heard = self.heard.octets();
                    let words = stream::words(heard);
                    self.unasked = Some(words.unwrap_or_else(|| octets::hexadecimal(heard)));
                }
            }
        }
        self.phase = Phase::Over;
    }
}

/// What an answer to a hello shows.
fn answered(answer: &tls::Answer) -> Reading {
    match answer {
        tls::Answer::Unfinished => Reading::Unfinished,
        tls::Answer::Foreign => Reading::Foreign,
        tls::Answer::Refused(_) | tls::Answer::Chosen(_) => Reading::Shown(Shown::service("tls")),
    }
}
