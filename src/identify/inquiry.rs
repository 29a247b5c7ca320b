//! What an open TCP port is asked, in which order, until it is known who answers there: first whoever speaks
//! first, then what is usual on the port, TLS, HTTP, and everything else at last. Knows no socket and no clock.
//!
//! Of what nobody expects on a port, five handshakes identify 99 % ("LZR", USENIX Security 2021): the order
//! matters more than the number of protocols.

use std::{collections::VecDeque, time::Duration};

use super::{
    portrait::{Manner, Portrait, Rung, Session},
    spoken::{Spoken, is_over_http, speaks_first, spoken},
    stream::{Guard, QUESTIONS, Question, Shown},
    talk::{Ask, Ended, Talk, To},
};
use crate::model::Moment;

/// How long a greeting is waited for where somebody who speaks first is expected, or nobody in particular.
const GREETING: Duration = Duration::from_millis(1500);
/// How long inside TLS, where few speak first and who does is mostly known.
const INSIDE_GREETING: Duration = Duration::from_millis(700);
/// How long at last, by a patient human: mail servers let strangers wait, and others look up our name first.
const PATIENCE: Duration = Duration::from_secs(8);
/// So many connections in a row that are not established, or end before anything was said, are enough.
const ENOUGH: u8 = 3;
/// Raw printing: what is said there comes out on paper. Nothing is, unless something else is declared.
const PRINTERS: std::ops::RangeInclusive<u16> = 9100..=9107;
/// Who closes so many connections before anything was said closes all of them.
const TWICE: u8 = 2;
/// Asked only where they are usual or declared: machines that are not to be startled, and debuggers that take one
/// visitor at a time.
const ONLY_WHERE_EXPECTED: &[&str] =
    &["modbus", "iso-tsap", "ethernet-ip", "iec-104", "opcua", "jdwp", "adb"];
/// Questions inside TLS beyond the expected ones: each costs a handshake.
const INSIDE: &[&str] = &["imap", "mqtt", "amqp", "ldap", "xmpp-client", "sip", "redis", "domain"];

/// What is known of a port before anything is asked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hints<'a> {
    /// What usually listens there, by its name in `profiles/ports/services.yaml`.
    pub usual: Option<&'a str>,
    /// What the manifest declares.
    pub declared: Option<&'a str>,
    /// The name of the host, for those who serve several.
    pub name: Option<&'a str>,
}

/// What came of one connection.
#[derive(Debug)]
pub struct Told {
    /// The connection.
    pub talk: Talk,
    /// How it ended.
    pub ended: Ended,
    /// When the handshake was completed.
    pub connected: Option<Moment>,
    /// When the other side had acknowledged everything that we said.
    pub acknowledged: Option<Moment>,
    /// When the first octet came back.
    pub answered: Option<Moment>,
    /// When it was over.
    pub over: Moment,
    /// What TLS was set up.
    pub session: Option<Session>,
}

impl Told {
    /// Of a connection that is yet to be made.
    pub fn new(talk: Talk, over: Moment) -> Self {
        Self {
            talk,
            ended: Ended::Unreached,
            connected: None,
            acknowledged: None,
            answered: None,
            over,
            session: None,
        }
    }
}

/// All that is asked of one port.
#[derive(Debug)]
pub struct Inquiry {
    to: To,
    random: [u8; 32],
    first: Expected,
    declared: Option<String>,
    stage: Stage,
    portrait: Portrait,
    /// What was asked, and whether inside TLS.
    asked: Vec<(bool, Ask)>,
    /// Whether anything was said.
    spoke: bool,
    /// Connections in a row that came to nothing.
    failures: u8,
    /// Connections that were closed on us before anything was said.
    closed: u8,
    /// Connections on which nothing was to be said.
    knocks: u8,
    /// Somebody who speaks first was interrupted: whether inside TLS.
    interrupted: Option<bool>,
}

/// What is expected, by hint: asked in this order.
#[derive(Debug)]
struct Expected {
    /// How long a greeting is waited for before anything is said.
    greeting: Duration,
    /// Whether nobody else is asked for.
    only: bool,
    tls: bool,
    asks: VecDeque<Ask>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// What is expected, outside TLS.
    Outside,
    /// The rest of it.
    Everything,
    /// What is inside TLS.
    Inside,
    InsideRest,
    /// Which of those that speak HTTP it is.
    Web,
    /// What the service that is known by now shows of itself.
    Own,
    Settled,
}

impl Inquiry {
    /// About a port of an address. `random`: of our hello.
    pub fn new(address: std::net::IpAddr, port: u16, hints: Hints<'_>, random: [u8; 32]) -> Self {
        let host = match (hints.name, address) {
            (Some(name), _) => name.to_owned(),
            (None, std::net::IpAddr::V6(address)) => format!("[{address}]"),
            (None, address) => address.to_string(),
        };
        let to = To { host, name: hints.name.map(str::to_owned), port };
        let names = || [hints.declared, hints.usual].into_iter().flatten();
        let said: Vec<Spoken<'_>> = names().map(spoken).collect();
        let is_delicate = |name: &str| ONLY_WHERE_EXPECTED.contains(&name);
        let only = hints.declared.or(hints.usual).is_some_and(is_delicate) || PRINTERS.contains(&port);
        let first = Expected {
            // Who speaks first takes it ill to be spoken to before (postscreen, Exim).
            greeting: match said.iter().any(|said| speaks_first(said.protocol)) {
                true => PATIENCE,
                false if said.is_empty() || only => GREETING,
                false => Duration::ZERO,
            },
            // A printer prints whatever comes.
            only: only && hints.declared.is_none_or(|name| is_delicate(name) || name == "jetdirect"),
            tls: said.first().is_some_and(|said| said.tls || said.protocol == "tls"),
            asks: questions(port, names().flat_map(|name| [name, spoken(name).protocol])),
        };
        Self {
            to,
            random,
            first,
            declared: hints.declared.map(str::to_owned),
            stage: Stage::Outside,
            portrait: Portrait::default(),
            asked: Vec::new(),
            spoke: false,
            failures: 0,
            closed: 0,
            knocks: 0,
            interrupted: None,
        }
    }

    /// The connections that are to be made next, in any order or at once; none: it is over.
    pub fn talks(&mut self) -> Vec<Talk> {
        if let Some(inside) = self.interrupted.take() {
            return vec![self.talk(inside, PATIENCE, None)];
        }
        loop {
            let talks = self.of_stage();
            if !talks.is_empty() || self.stage == Stage::Settled {
                return talks;
            }
        }
    }

    /// The next connections of this stage; none: the next stage is there.
    fn of_stage(&mut self) -> Vec<Talk> {
        match self.stage {
            Stage::Outside => self.next_outside(),
            Stage::Inside => self.next_inside().into_iter().collect(),
            Stage::Everything => {
                self.stage = Stage::Settled;
                self.everything(false, PATIENCE, |question| {
                    (question.service == "http" || !is_over_http(question.service))
                        && !ONLY_WHERE_EXPECTED.contains(&question.service)
                })
            }
            Stage::InsideRest => {
                self.stage = Stage::Settled;
                self.everything(true, GREETING, |question| INSIDE.contains(&question.service))
            }
            Stage::Web | Stage::Own => {
                let talks = if self.stage == Stage::Web { self.next_web() } else { self.next_own() };
                if talks.is_empty() {
                    self.stage = Stage::Settled;
                }
                talks
            }
            Stage::Settled => Vec::new(),
        }
    }

    /// Everything of this kind that was not asked yet, and somebody who waits for a greeting meanwhile.
    fn everything(
        &self,
        inside: bool,
        patience: Duration,
        is_meant: impl Fn(&Question) -> bool,
    ) -> Vec<Talk> {
        let mut talks = vec![self.talk(inside, patience, None)];
        talks.extend(self.asking(inside, is_meant));
        talks
    }

    /// The questions of this kind that were not asked yet, a connection each.
    fn asking(&self, inside: bool, is_meant: impl Fn(&Question) -> bool) -> Vec<Talk> {
        let meant = QUESTIONS.iter().filter(|question| is_meant(question)).map(Ask::Question);
        meant
            .filter(|ask| !self.was_asked(inside, ask))
            .map(|ask| self.talk(inside, Duration::ZERO, Some(ask)))
            .collect()
    }

    /// What came of a connection. Whether the others of its stage may be spared.
    pub fn hear(&mut self, told: Told) -> bool {
        self.portrait.connections += 1;
        self.climb(&told);
        let Told { talk, ended, session, .. } = told;
        if let Some(ask) = talk.ask().filter(|_| talk.spoke()) {
            self.asked.push((talk.is_inside(), ask.clone()));
        }
        if let Some(session) = session
            && self.portrait.session(session.name.as_deref()).is_none()
        {
            self.portrait.sessions.push(session);
        }
        self.spoke |= talk.spoke();
        self.portrait.notice(&talk, ended);
        let Some(shown) = talk.shown() else {
            let is_nothing = ended == Ended::Unreached
                || (matches!(ended, Ended::Closed | Ended::Reset) && !talk.was_answered());
            self.failures = if is_nothing { self.failures + 1 } else { 0 };
            if is_nothing && ended != Ended::Unreached && !talk.spoke() {
                self.closed += 1;
            }
            // Octets without end, or so slow that there is none, are nobody's protocol.
            if talk.flooded() || (ended == Ended::Late && talk.was_answered()) {
                self.stage = Stage::Settled;
                return true;
            }
            if self.closed >= TWICE {
                let is_reset = ended == Ended::Reset;
                self.portrait.manner = Some(if is_reset { Manner::Resets } else { Manner::ClosesAtOnce });
                self.stage = Stage::Settled;
                return true;
            }
            if self.failures >= ENOUGH && self.stage != Stage::Settled {
                self.stage = match self.stage {
                    // Some hang up on whoever says the wrong thing: each protocol gets its chance.
                    Stage::Outside if self.spoke => Stage::Everything,
                    _ => Stage::Settled,
                };
            }
            return false;
        };
        self.failures = 0;
        if talk.wants_tls() && !talk.is_inside() && !self.was_asked(false, &Ask::Hello(self.random)) {
            self.first.asks.push_front(Ask::Hello(self.random));
            return true;
        }
        if talk.was_interrupted() {
            self.interrupted = Some(talk.is_inside());
        }
        self.meet(shown, talk.is_inside())
    }

    /// What is known when nothing is left to ask, or there is no time for it.
    pub fn portrait(mut self) -> Portrait {
        self.portrait.conclude();
        self.portrait
    }

    fn meet(&mut self, shown: &Shown, inside: bool) -> bool {
        let known = self.portrait.shown.as_ref().map(|shown| shown.service);
        if shown.service == "tls" {
            self.portrait.encrypted = true;
            self.portrait.shown.get_or_insert_with(|| shown.clone());
            self.stage = Stage::Inside;
            return true;
        }
        let is_better = match known {
            None | Some("tls" | "http") => true,
            Some(known) => known == shown.service && shown.guard != Guard::Untold,
        };
        if is_better {
            self.portrait.shown = Some(shown.clone());
            self.portrait.encrypted = inside;
        }
        let is_told = shown.guard != Guard::Untold;
        let is_web = shown.service == "http" || is_over_http(shown.service);
        self.stage = match is_told {
            true => Stage::Settled,
            false if is_web => Stage::Web,
            // Known by a complaint, perhaps: its own question tells more.
            false => Stage::Own,
        };
        !is_web || is_told
    }

    /// The question of whoever is known to answer, if it was not asked yet.
    fn next_own(&self) -> Vec<Talk> {
        let known = self.portrait.shown.as_ref().map(|shown| shown.service);
        self.asking(self.portrait.encrypted, |question| Some(question.service) == known)
    }

    /// Which product it is that speaks HTTP, and whom it lets in: what is asked on this port, and of the product
    /// that it is known to be. Somebody without a name and without a page is asked for a version.
    fn next_web(&self) -> Vec<Talk> {
        let shown = self.portrait.shown.as_ref();
        let is_nameless = shown.is_some_and(|shown| {
            shown.service == "http"
                && shown.identity.as_ref().is_none_or(|identity| identity.product.is_none())
        });
        self.asking(self.portrait.encrypted, |question| {
            question.service != "http"
                && is_over_http(question.service)
                && (question.ports.contains(&self.to.port)
                    || self.declared.as_deref() == Some(question.service)
                    || shown.is_some_and(|shown| shown.service == question.service)
                    || (is_nameless && question.service == "docker"))
        })
    }

    fn was_asked(&self, inside: bool, ask: &Ask) -> bool {
        self.asked.iter().any(|(there, asked)| *there == inside && asked.is(ask))
    }

    /// One after the other; at once where nothing came back so far, since each would be waited for.
    fn next_outside(&mut self) -> Vec<Talk> {
        if self.portrait.connections == 0 {
            let first = if self.first.tls { None } else { self.first.asks.pop_front() };
            let ask = first.or_else(|| (!self.first.only).then_some(Ask::Hello(self.random)));
            return vec![self.talk(false, self.first.greeting, ask)];
        }
        if self.first.only {
            self.stage = Stage::Settled;
            return Vec::new();
        }
        // Whoever hangs up may do so on everybody, or not like what was said: silence tells.
        if self.failures > 0 && self.knocks < TWICE && self.closed >= self.knocks {
            self.knocks += 1;
            return vec![self.talk(false, GREETING, None)];
        }
        let last = [Ask::Hello(self.random)].into_iter().chain(questions(0, ["http"].into_iter()));
        let asks = std::mem::take(&mut self.first.asks).into_iter().chain(last);
        let mut new: VecDeque<Ask> = asks.filter(|ask| !self.was_asked(false, ask)).collect();
        if new.is_empty() {
            self.stage = Stage::Everything;
        }
        let count = if self.portrait.is_mute() { new.len() } else { new.len().min(1) };
        let now: Vec<Ask> = new.drain(..count).collect();
        self.first.asks = new;
        now.into_iter().map(|ask| self.talk(false, Duration::ZERO, Some(ask))).collect()
    }

    fn next_inside(&mut self) -> Option<Talk> {
        let web = questions(0, ["http"].into_iter());
        let asks = self.first.asks.iter().cloned().chain(web);
        let next = asks.into_iter().find(|ask| !self.was_asked(true, ask));
        let Some(ask) = next else {
            self.stage = Stage::InsideRest;
            return None;
        };
        let is_first = !self.asked.iter().any(|(inside, _)| *inside);
        let listen = match self.first.greeting {
            GREETING if is_first => INSIDE_GREETING,
            greeting if is_first => greeting,
            _ => Duration::ZERO,
        };
        Some(self.talk(true, listen, Some(ask)))
    }

    fn talk(&self, inside: bool, listen: Duration, ask: Option<Ask>) -> Talk {
        Talk::new(inside, listen, ask, self.to.clone())
    }

    /// The rungs that a connection reached, each noted when it was reached first.
    fn climb(&mut self, told: &Told) {
        let Told { talk, connected, acknowledged, answered, over, session, .. } = told;
        let mut reach = |rung, at: Option<Moment>| {
            if let Some(at) = at {
                self.portrait.reach(rung, at);
            }
        };
        reach(Rung::Handshake, *connected);
        reach(Rung::Acknowledged, *acknowledged);
        if talk.was_answered() && !talk.spoke() && !talk.is_inside() {
            reach(Rung::Greeting, *answered);
        }
        if session.is_some() || talk.shown().is_some_and(|shown| shown.service == "tls") {
            reach(Rung::Tls, answered.or(Some(*over)));
        }
        if talk.shown().is_some_and(|shown| shown.service != "tls") {
            reach(Rung::Protocol, answered.or(Some(*over)));
        }
    }
}

/// What is asked on a port, and for these protocols.
fn questions<'a>(port: u16, protocols: impl Iterator<Item = &'a str>) -> VecDeque<Ask> {
    let named =
        protocols.filter_map(|protocol| QUESTIONS.iter().find(|question| question.service == protocol));
    let usual = QUESTIONS.iter().filter(|question| question.ports.contains(&port));
    let mut asks: Vec<&'static Question> = Vec::new();
    for question in named.chain(usual) {
        if !asks.iter().any(|known| std::ptr::eq(*known, question)) {
            asks.push(question);
        }
    }
    asks.into_iter().map(Ask::Question).collect()
}

impl Portrait {
    /// How it behaved, where that says something by itself.
    fn notice(&mut self, talk: &Talk, ended: Ended) {
        if let Some(words) = talk.words() {
            self.words.get_or_insert_with(|| words.to_owned());
        }
        let manner = match ended {
            _ if talk.flooded() => Manner::Floods,
            Ended::Late if talk.was_answered() => Manner::Drips,
            Ended::Unreached => Manner::Refuses,
            _ if talk.was_answered() => Manner::Strange,
            Ended::Closed if talk.spoke() => Manner::HangsUp,
            Ended::Closed => Manner::ClosesAtOnce,
            Ended::Reset => Manner::Resets,
            Ended::HungUp | Ended::Late => Manner::Mute,
        };
        self.manner = Some(self.manner.map_or(manner, |known| known.max(manner)));
    }
}

#[cfg(test)]
mod tests;
