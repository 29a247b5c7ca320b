//! Which versions and suites a server takes: which hello comes next, given what the last ones met. No sockets,
//! no clock. A dropped connection alone never shows that something is not offered.

mod offered;
mod track;

pub use offered::{Offered, VersionOffer};

use super::{Alert, Answer, Chosen, Offer, Randoms, Version, alert::Meaning, hello::host};
use offered::Seen;
use track::{Outcome, Track};

/// Connections that a survey takes at most, unless told otherwise. A server of today takes about 25.
const MOST: usize = 250;
/// Connections in a row that could not even be opened before it gives up.
const UNREACHABLE: u8 = 3;
/// Which version is asked for first: what most servers have, so that later silence can be told from none.
const ORDER: [Version; 5] = [Version::Tls12, Version::Tls13, Version::Tls11, Version::Tls10, Version::Ssl3];
/// Those that there are over datagrams.
const OVER_DATAGRAMS: [Version; 2] = [Version::Tls12, Version::Tls11];

/// What came of one hello.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// This; an `Answer::Unfinished` counts as silence.
    Answer(Answer),
    /// Nothing in the time that it was given.
    Silence,
    /// An orderly end without an answer.
    Closed,
    /// A reset.
    Reset,
    /// The connection could not be opened, so that nothing was asked.
    NotConnected,
}

/// One server asked by many hellos, one connection each.
#[derive(Debug)]
pub struct Survey {
    name: Option<String>,
    randoms: Randoms,
    most: usize,
    only_versions: bool,
    asked: usize,
    tracks: Vec<Track>,
    pending: Option<Pending>,
    seen: Seen,
    /// Number of the last hello that was answered as TLS.
    answered: usize,
    /// Number of the last hello whose silence was taken for a refusal.
    doubted: usize,
    controls: u8,
    unreachable: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pending {
    /// For the track at this place.
    Track(usize),
    /// Something that was taken before, to see whether silence was meant.
    Control,
}

impl Survey {
    /// Versions and suites. The name is sent along unless it is an address.
    pub fn new(name: Option<&str>, randoms: Randoms) -> Self {
        let name = name.and_then(host).map(str::to_owned);
        let tracks = ORDER.into_iter().map(Track::new).collect();
        Self {
            name,
            randoms,
            most: MOST,
            only_versions: false,
            asked: 0,
            tracks,
            pending: None,
            seen: Seen::default(),
            answered: 0,
            doubted: 0,
            controls: 0,
            unreachable: 0,
        }
    }

    /// The same over datagrams, where there are fewer versions.
    #[must_use]
    pub fn over_datagrams(self) -> Self {
        Self { tracks: OVER_DATAGRAMS.into_iter().map(Track::new).collect(), ..self }
    }

    /// Which versions are taken, and no more: five to fifteen connections.
    #[must_use]
    pub fn versions_only(self) -> Self {
        Self { only_versions: true, ..self }
    }

    /// With at most so many connections.
    #[must_use]
    pub fn at_most(self, most: usize) -> Self {
        Self { most, ..self }
    }

    /// How many hellos were given out.
    pub fn asked(&self) -> usize {
        self.asked
    }

    /// The hello for the next connection; `None`: done.
    pub fn next_hello(&mut self) -> Option<Offer> {
        if self.unreachable >= UNREACHABLE || self.asked >= self.most {
            self.pending = None;
            return None;
        }
        self.pending = self.choose();
        let (version, suites) = match self.pending? {
            Pending::Track(at) => self.tracks.get(at).map(|track| (track.version, track.offer()))?,
            Pending::Control => self.known()?,
        };
        self.asked += 1;
        Some(Offer::exactly(version, suites, self.name.clone(), self.randoms.draw()))
    }

    /// First which versions there are, then what each of them takes, then whether silence was meant.
    fn choose(&self) -> Option<Pending> {
        let open = |undecided: bool| {
            self.tracks.iter().position(|track| !track.is_done() && (!undecided || !track.is_taken()))
        };
        let next = open(true).or_else(|| open(false).filter(|_| !self.only_versions));
        if let Some(at) = next {
            return Some(Pending::Track(at));
        }
        let is_doubtful = self.doubted > self.answered && self.controls < 2 && self.known().is_some();
        is_doubtful.then_some(Pending::Control)
    }

    /// A version and suites that this server took.
    fn known(&self) -> Option<(Version, Vec<u16>)> {
        let taken = self.tracks.iter().find(|track| track.is_taken())?;
        Some((taken.version, taken.taken().to_vec()))
    }

    /// What came of the hello that was given out last.
    pub fn heard(&mut self, heard: &Heard) {
        let Some(pending) = self.pending.take() else { return };
        self.unreachable = if *heard == Heard::NotConnected { self.unreachable + 1 } else { 0 };
        let outcome = outcome(heard);
        if outcome != Outcome::Dropped && outcome != Outcome::Unasked {
            self.answered = self.asked;
        }
        if let Heard::Answer(Answer::Chosen(chosen)) = heard {
            self.seen.note(chosen);
        }
        match pending {
            Pending::Control => self.controls += 1,
            Pending::Track(at) => {
                if let Some(track) = self.tracks.get_mut(at)
                    && track.hear(outcome)
                {
                    self.doubted = self.asked;
                    track.doubt(self.asked);
                }
            }
        }
    }

    /// What is known by now.
    pub fn offered(&self) -> Offered {
        // Silence counts as a refusal only if the server spoke to us again after it.
        let is_meant = |doubt: Option<usize>| doubt.is_none_or(|at| at < self.answered);
        let mut tracks: Vec<&Track> = self.tracks.iter().collect();
        tracks.sort_by_key(|track| track.version);
        let (mut versions, mut refused, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
        for track in tracks {
            if track.is_taken() {
                versions.push(VersionOffer {
                    version: track.version,
                    suites: track.taken().to_vec(),
                    server_order: track.order,
                    complete: track.is_complete() && is_meant(track.doubt) && !self.only_versions,
                });
            } else if track.is_refused() && is_meant(track.doubt) {
                refused.push(track.version);
            } else {
                unknown.push(track.version);
            }
        }
        // Who takes nothing at all may have refused our name, or us, and no version of TLS.
        if versions.is_empty() {
            unknown.append(&mut refused);
            unknown.sort_unstable();
        }
        self.seen.with(versions, refused, unknown, self.asked)
    }
}

fn outcome(heard: &Heard) -> Outcome {
    match heard {
        Heard::Answer(Answer::Chosen(chosen)) => {
            let Chosen { version, suite, .. } = **chosen;
            Outcome::Chosen(version, suite)
        }
        Heard::Answer(Answer::Refused(alert)) => refusal(*alert),
        Heard::NotConnected => Outcome::Unasked,
        Heard::Answer(Answer::Unfinished | Answer::Foreign)
        | Heard::Silence
        | Heard::Closed
        | Heard::Reset => Outcome::Dropped,
    }
}

/// Whether an alert says something of version and suites.
fn refusal(alert: Alert) -> Outcome {
    match alert.meaning() {
        Meaning::Version => Outcome::NoVersion,
        Meaning::Suites => Outcome::NoSuite,
        Meaning::Other => Outcome::Elsewhere,
        Meaning::Doubtful => Outcome::Murmured,
    }
}
