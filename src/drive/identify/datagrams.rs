//! TLS over datagrams where the scan found it: QUIC, by quinn, and DTLS, by hellos of our own.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use quinn::{ClientConfig, Endpoint, EndpointConfig, TokioRuntime, crypto::rustls::QuicClientConfig};
use rustls::{CipherSuite, pki_types::CertificateDer};
use tokio::{
    net::UdpSocket,
    time::{Instant, timeout, timeout_at},
};

use super::{Caller, Check, line::Line, secure::Roots};
use crate::{
    drive::socket,
    identify::{
        Portrait, Rung, Secured, Session,
        tls::{
            Answer, Chosen, FAREWELL, Flight, Heard, Offer, Offered, Randoms, Survey, Version, VersionOffer,
            answer, last_answer,
        },
    },
};

/// How long a handshake may take: lost datagrams are repeated after a second (RFC 9002 section 6.2.2).
const HANDSHAKE: Duration = Duration::from_secs(5);
/// How long a hello waits before it is repeated (RFC 6347 section 4.2.4.1), each time twice as long.
const REPEAT: Duration = Duration::from_secs(1);
/// How often a hello is sent.
const TIMES: u32 = 3;
/// The protocols that are spoken over QUIC: a server ends a handshake that offers none of its own.
const ABOVE: [&[u8]; 5] = [b"h3", b"h3-29", b"hq-interop", b"doq", b"smb"];
/// The suites of QUIC (RFC 9001 section 5.3) that can be asked for one by one. The fourth, `TLS_AES_128_CCM_SHA256`,
/// no library of ours speaks; it is no weaker than these.
const SUITES: [CipherSuite; 3] = [
    CipherSuite::TLS13_AES_128_GCM_SHA256,
    CipherSuite::TLS13_AES_256_GCM_SHA384,
    CipherSuite::TLS13_CHACHA20_POLY1305_SHA256,
];
/// The suite that protects the first packets of every connection (RFC 9001 section 5).
const INITIAL: CipherSuite = SUITES[0];
const ROOM: usize = 16 << 10;

impl Line {
    /// Adds to a portrait the TLS that is there, for each name that is declared. Returns how many connections it
    /// took.
    pub(super) async fn inspect_datagrams(
        &self,
        caller: &Caller,
        portrait: &mut Portrait,
        random: [u8; 32],
    ) -> u32 {
        let Some(secured) = portrait.shown.as_ref().and_then(|shown| Secured::of(shown.service)) else {
            return 0;
        };
        let by_itself =
            [Check { name: caller.names.first().cloned(), roots: Roots::web(), wants_survey: false }];
        let checks = if caller.checks.is_empty() { &by_itself[..] } else { &caller.checks[..] };
        let mut connections = 0;
        for Check { name, roots, wants_survey } in checks {
            let name = name.as_deref();
            let (took, session, offered) = match secured {
                Secured::Quic => self.quic(caller, (name, roots), *wants_survey).await,
                Secured::Dtls => self.dtls(caller, name, *wants_survey, random).await,
            };
            connections += took;
            if session.is_some() || offered.as_ref().is_some_and(|offered| !offered.versions.is_empty()) {
                portrait.reach(Rung::Tls, self.clock.now());
            }
            portrait.sessions.extend(session);
            portrait.offered.extend(offered.map(|offered| (name.map(str::to_owned), offered)));
        }
        connections
    }

    /// One handshake, and where it is wanted one more for each suite.
    async fn quic(
        &self,
        caller: &Caller,
        (name, roots): (Option<&str>, &Roots),
        wants_survey: bool,
    ) -> (u32, Option<Session>, Option<Offered>) {
        let Some(chain) = self.quic_handshake(caller, name, &SUITES).await else { return (1, None, None) };
        let session = Session {
            name: name.map(str::to_owned),
            upgraded: false,
            version: Version::Tls13.to_string(),
            suite: None,
            trust: self.secure.trusts(roots, &chain, (caller, name)),
            chain,
        };
        if !wants_survey {
            return (1, Some(session), None);
        }
        let (mut connections, mut suites) = (1, Vec::new());
        for suite in SUITES {
            connections += 1;
            if self.quic_handshake(caller, name, &[suite]).await.is_some() {
                suites.push(u16::from(suite));
            }
        }
        let offer = VersionOffer { version: Version::Tls13, suites, server_order: None, complete: true };
        // No other version can be spoken over QUIC (RFC 9001 section 4.2).
        let refused = Version::ALL.into_iter().filter(|version| *version != Version::Tls13).collect();
        let offered = Offered { versions: vec![offer], refused, asked: SUITES.len(), ..Offered::default() };
        (connections, Some(session), Some(offered))
    }

    /// The certificates of a handshake with these suites, if one succeeds.
    async fn quic_handshake(
        &self,
        caller: &Caller,
        name: Option<&str>,
        suites: &[CipherSuite],
    ) -> Option<Vec<Vec<u8>>> {
        let _turn = self.turn(caller).await;
        let (mut config, server) = self.secure.config((caller, name), suites)?;
        config.alpn_protocols = ABOVE.iter().map(|protocol| protocol.to_vec()).collect();
        let initial = self.secure.quic_suite(INITIAL)?;
        let config = QuicClientConfig::with_initial(Arc::new(config), initial).ok()?;
        let to = self.origin.to(caller.endpoint.address, caller.endpoint.port);
        let socket = socket::datagrams(to, &self.origin).ok()?;
        let endpoint =
            Endpoint::new(EndpointConfig::default(), None, socket.into(), Arc::new(TokioRuntime)).ok()?;
        let connecting = endpoint.connect_with(ClientConfig::new(Arc::new(config)), to, &server).ok()?;
        let connection = timeout(HANDSHAKE, connecting).await.ok()?.ok()?;
        let chain = connection.peer_identity()?.downcast::<Vec<CertificateDer<'static>>>().ok()?;
        connection.close(0_u32.into(), b"");
        let _ = timeout(REPEAT, endpoint.wait_idle()).await;
        Some(chain.iter().map(|certificate| certificate.to_vec()).collect())
    }

    /// What it takes, and up to DTLS 1.2 its certificates, which it sends in the clear. Who has their key was not
    /// shown, so there is no session.
    async fn dtls(
        &self,
        caller: &Caller,
        name: Option<&str>,
        wants_survey: bool,
        random: [u8; 32],
    ) -> (u32, Option<Session>, Option<Offered>) {
        let survey = Survey::new(name, Randoms::new(random)).over_datagrams();
        let mut survey = if wants_survey { survey } else { survey.versions_only() };
        let mut connections = 0;
        while let Some(offer) = survey.next_hello() {
            connections += 1;
            survey.heard(&self.dtls_exchange(caller, &offer).await);
        }
        (connections, None, Some(survey.offered()))
    }

    /// One hello, with the cookie that the server asks for, and its flight.
    async fn dtls_exchange(&self, caller: &Caller, offer: &Offer) -> Heard {
        let _turn = self.turn(caller).await;
        let to = self.origin.to(caller.endpoint.address, caller.endpoint.port);
        let (Some(hello), Ok(socket)) = (offer.datagram(&[]), self.connected(to).await) else {
            return Heard::NotConnected;
        };
        let heard = flight(&socket, offer, hello).await;
        if matches!(heard, Heard::Answer(Answer::Chosen(_))) {
            let _ = socket.send(&FAREWELL).await;
        }
        heard
    }

    async fn connected(&self, to: SocketAddr) -> std::io::Result<UdpSocket> {
        let socket = UdpSocket::from_std(socket::datagrams(to, &self.origin)?.into())?;
        socket.connect(to).await?;
        Ok(socket)
    }
}

/// Says hello until there is an answer.
async fn flight(socket: &UdpSocket, offer: &Offer, mut hello: Vec<u8>) -> Heard {
    let (mut flight, mut room, mut has_cookie) = (Flight::default(), vec![0; ROOM], false);
    for time in 0..TIMES {
        if socket.send(&hello).await.is_err() {
            return Heard::Reset;
        }
        let until = Instant::now() + REPEAT * 2_u32.pow(time);
        while let Ok(read) = timeout_at(until, socket.recv(&mut room)).await {
            // The host says by ICMP that nobody is there any more.
            let Ok(count) = read else { return Heard::Reset };
            flight.take(room.get(..count).unwrap_or_default());
            if let (false, Some(cookie)) = (has_cookie, flight.cookie()) {
                let Some(with_cookie) = offer.datagram(cookie) else { return Heard::Silence };
                (hello, has_cookie) = (with_cookie, true);
                if socket.send(&hello).await.is_err() {
                    return Heard::Reset;
                }
            }
            match answer(&flight.records()) {
                Answer::Unfinished | Answer::Foreign => {}
                known => return Heard::Answer(known),
            }
        }
    }
    match last_answer(&flight.records()) {
        // Of a flight with gaps what came is not all.
        Answer::Chosen(chosen) => {
            Heard::Answer(Answer::Chosen(Box::new(Chosen { complete: false, ..*chosen })))
        }
        refused @ Answer::Refused(_) => Heard::Answer(refused),
        Answer::Foreign | Answer::Unfinished => Heard::Silence,
    }
}
