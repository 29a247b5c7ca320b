//! TLS beyond the first handshake: a certificate for each name, behind STARTTLS where that is how it begins,
//! and everything that a server takes.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout, timeout_at},
};

use super::{Caller, Check, line::Line, secure::Roots};
use crate::identify::{
    Guard, Hearing, Portrait, Session,
    tls::{Answer, Heard, Randoms, Step, Survey, Upgrade, answer, last_answer},
};

/// How long one exchange may take.
const EXCHANGE: Duration = Duration::from_secs(6);
/// Octets of an answer to a hello that are read.
const MOST: usize = 160 << 10;
const ROOM: usize = 16 << 10;
/// Hellos to a server that bars strangers after a hundred broken handshakes (`max_connect_errors` of `MySQL`).
const GENTLE: usize = 12;

impl Line {
    /// Adds to a portrait what is declared to be checked. Returns how many connections it took.
    pub(super) async fn inspect(&self, caller: &Caller, portrait: &mut Portrait, random: [u8; 32]) -> u32 {
        let service = portrait.shown.as_ref().map(|shown| shown.service);
        let upgrade = service.filter(|_| !portrait.encrypted).and_then(Upgrade::of);
        // Who says in the clear that he has nothing better is believed.
        if !portrait.encrypted && matches!(portrait.guard(), Guard::Cleartext(_)) {
            return 0;
        }
        let mut connections = 0;
        for Check { name, roots, wants_survey } in &caller.checks {
            let upgrade = match name {
                Some(name) => upgrade.clone().map(|upgrade| upgrade.with_name(name)),
                None => upgrade.clone(),
            };
            connections += 1;
            let session = self.session(caller, (name.as_deref(), roots), upgrade.clone()).await;
            let has_session = session.is_some();
            if let Some(session) = session {
                // It is judged by whom its own entry trusts.
                portrait.sessions.retain(|known| known.name != session.name);
                portrait.sessions.push(session);
            }
            // Where no handshake of today succeeds, an old one shows the certificate, or that there is no TLS.
            if *wants_survey || !has_session {
                let survey = Survey::new(name.as_deref(), Randoms::new(random));
                // A server that counts broken handshakes bars whoever breaks too many.
                let mut survey = match (wants_survey, service) {
                    (true, Some("mysql")) => survey.versions_only().at_most(GENTLE),
                    (true, _) => survey,
                    (false, _) => survey.versions_only(),
                };
                while let Some(offer) = survey.next_hello() {
                    connections += 1;
                    let heard = self.exchange(caller, &offer.record(), upgrade.clone()).await;
                    survey.heard(&heard);
                }
                portrait.offered.push((name.clone(), survey.offered()));
            }
        }
        connections
    }

    /// One handshake, for one name.
    async fn session(
        &self,
        caller: &Caller,
        (name, roots): (Option<&str>, &Roots),
        upgrade: Option<Upgrade>,
    ) -> Option<Session> {
        let _turn = self.turn(caller).await;
        let session = async {
            let mut stream = self.reach(caller).await.ok()?;
            let upgraded = upgrade.is_some();
            if let Some(upgrade) = upgrade {
                upgraded_by(&mut stream, upgrade).await?;
            }
            let (_, session) = self.secure.connect(stream, name, (caller, roots)).await.ok()?;
            Some(Session { upgraded, ..session })
        };
        timeout(2 * EXCHANGE, session).await.ok().flatten()
    }

    /// One hello of ours, and what comes back.
    async fn exchange(&self, caller: &Caller, hello: &[u8], upgrade: Option<Upgrade>) -> Heard {
        let _turn = self.turn(caller).await;
        let Ok(mut stream) = self.reach(caller).await else { return Heard::NotConnected };
        if let Some(upgrade) = upgrade {
            match timeout(2 * EXCHANGE, upgraded_by(&mut stream, upgrade)).await {
                Ok(Some(())) => {}
                _ => return Heard::NotConnected,
            }
        }
        if stream.write_all(hello).await.is_err() {
            return Heard::Reset;
        }
        let over = Instant::now() + EXCHANGE;
        let (mut heard, mut room) = (Hearing::up_to(MOST), vec![0; ROOM]);
        let mut goes_on = true;
        loop {
            let read = timeout_at(over, stream.read(&mut room)).await;
            let ended = match read {
                Ok(Ok(count)) if count > 0 && goes_on => {
                    goes_on = heard.add(room.get(..count).unwrap_or_default());
                    match answer(heard.octets()) {
                        Answer::Unfinished => continue,
                        answer => return Heard::Answer(answer),
                    }
                }
                Ok(Ok(_)) => Heard::Closed,
                Ok(Err(_)) => Heard::Reset,
                Err(_) => Heard::Silence,
            };
            return match last_answer(heard.octets()) {
                answer @ (Answer::Chosen(_) | Answer::Refused(_)) => Heard::Answer(answer),
                Answer::Foreign | Answer::Unfinished => ended,
            };
        }
    }
}

/// Says what has to be said before TLS. `None`: the server does not want it.
async fn upgraded_by(stream: &mut TcpStream, mut upgrade: Upgrade) -> Option<()> {
    let (mut heard, mut room) = (0, vec![0; ROOM]);
    loop {
        match upgrade.step(room.get(..heard)?) {
            Step::Ready => return Some(()),
            Step::Refused(_) => return None,
            Step::Say(octets) => {
                heard = 0;
                stream.write_all(&octets).await.ok()?;
            }
            Step::Wait => heard = stream.read(&mut room).await.ok().filter(|count| *count > 0)?,
        }
    }
}
