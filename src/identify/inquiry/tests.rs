//! Inquiries into servers that are made up, in virtual time.

use std::{net::Ipv4Addr, time::Duration};

use super::*;
use crate::identify::{Act, Guard, Manner};

/// A server: what it says by itself, what it answers, and whether it hangs up after that.
struct Server {
    greeting: &'static [u8],
    answer: fn(&[u8]) -> Option<&'static [u8]>,
    closes: bool,
    /// How long a stranger is left waiting for the greeting.
    late: Duration,
}

const MUTE: Server = Server { greeting: b"", answer: |_| None, closes: false, late: Duration::ZERO };

/// Runs an inquiry; how many connections it took, and how long with every question one after the other.
fn inquire(port: u16, hints: Hints<'_>, server: &Server) -> (Portrait, u32, Duration) {
    let mut inquiry = Inquiry::new(Ipv4Addr::LOCALHOST.into(), port, hints, [7; 32]);
    let mut time = Duration::ZERO;
    loop {
        let talks = inquiry.talks();
        if talks.is_empty() {
            break;
        }
        for talk in talks {
            let told = converse(talk, server, &mut time);
            if inquiry.hear(told) {
                break;
            }
        }
    }
    let portrait = inquiry.portrait();
    let connections = portrait.connections;
    (portrait, connections, time)
}

fn at(time: Duration) -> Moment {
    Moment::from_nanos(u64::try_from(time.as_nanos()).unwrap())
}

fn converse(mut talk: Talk, server: &Server, time: &mut Duration) -> Told {
    let began = *time;
    let mut told = Told::new(talk.clone(), at(*time));
    if talk.is_inside() {
        return told; // nobody speaks TLS here
    }
    told.connected = Some(at(*time));
    let mut greeted = server.greeting.is_empty();
    let mut answer: Option<&[u8]> = None;
    loop {
        match talk.act() {
            Act::HangUp => {
                told.ended = Ended::HungUp;
                break;
            }
            Act::Say(octets) => {
                told.acknowledged = Some(at(*time));
                answer = (server.answer)(&octets);
            }
            Act::Listen(patience) if !greeted && server.late + began <= patience + *time => {
                greeted = true;
                talk.hear(server.greeting);
                told.answered = Some(at(*time));
            }
            Act::Listen(patience) => match answer.take() {
                Some(octets) => {
                    talk.hear(octets);
                    told.answered = Some(at(*time));
                }
                None if server.closes => {
                    talk.quiet();
                    told.ended = Ended::Closed;
                    break;
                }
                None => {
                    *time += patience;
                    talk.quiet();
                }
            },
        }
    }
    Told { talk, over: at(*time), ..told }
}

fn expecting(usual: &str) -> Hints<'_> {
    Hints { usual: Some(usual), ..Hints::default() }
}

#[test]
fn who_is_where_he_is_expected_is_known_after_one_connection() {
    let ssh = Server { greeting: b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", ..MUTE };
    let (portrait, connections, time) = inquire(22, expecting("ssh"), &ssh);
    assert_eq!((portrait.service(), connections), (Some("ssh"), 1));
    assert!(time <= Duration::from_secs(2), "{time:?}");
    assert_eq!(portrait.rungs.first().map(|(rung, _)| *rung), Some(Rung::Handshake));
    assert!(portrait.rungs.iter().any(|(rung, _)| *rung == Rung::Protocol));
    let redis = Server { answer: |said| said.starts_with(b"PING").then_some(b"+PONG\r\n"), ..MUTE };
    let (portrait, connections, time) = inquire(6379, expecting("redis"), &redis);
    assert_eq!((portrait.service(), connections, time), (Some("redis"), 1, Duration::ZERO));
    assert!(matches!(portrait.guard(), Guard::Open(_)));
}

#[test]
fn who_speaks_first_is_known_also_where_nobody_waited_for_him() {
    let ssh = Server { greeting: b"SSH-2.0-OpenSSH_9.2p1\r\n", ..MUTE };
    for (port, usual) in [(443, "https"), (80, "http"), (5432, "postgresql")] {
        let (portrait, connections, _) = inquire(port, expecting(usual), &ssh);
        assert_eq!(portrait.service(), Some("ssh"), "{port}");
        assert!(connections <= 3, "{port}: {connections}");
    }
}

#[test]
fn who_waits_to_be_spoken_to_is_known_on_any_port() {
    let web = Server {
        answer: |said| {
            said.starts_with(b"GET ").then_some(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nServer: x\r\n\r\n")
        },
        ..MUTE
    };
    let database = Server { answer: |said| (said == [0, 0, 0, 8, 4, 210, 22, 47]).then_some(b"N"), ..MUTE };
    for (port, usual) in [(22, Some("ssh")), (443, Some("https")), (9999, None), (25, Some("smtp"))] {
        let hints = Hints { usual, ..Hints::default() };
        let (portrait, connections, _) = inquire(port, hints, &web);
        assert_eq!(portrait.service(), Some("http"), "{port}");
        assert!(connections <= 5, "{port}: {connections}");
        let (portrait, ..) = inquire(port, hints, &database);
        assert_eq!(portrait.service(), Some("postgresql"), "{port}");
    }
}

#[test]
fn who_lets_strangers_wait_is_waited_for() {
    let mail = Server { greeting: b"220 mail.example.com ESMTP\r\n", late: Duration::from_secs(6), ..MUTE };
    let (portrait, ..) = inquire(2500, Hints::default(), &mail);
    assert_eq!(portrait.service(), Some("smtp"));
}

#[test]
fn whoever_never_says_anything_costs_a_bounded_time_and_is_described() {
    let cases = [
        (MUTE, Manner::Mute, Duration::from_secs(150)),
        (Server { closes: true, ..MUTE }, Manner::ClosesAtOnce, Duration::from_secs(1)),
        (Server { greeting: b"\x01\x02\x03", ..MUTE }, Manner::Strange, Duration::from_secs(150)),
    ];
    for (server, manner, longest) in cases {
        for (port, hints) in [(22, expecting("ssh")), (443, expecting("https")), (9999, Hints::default())] {
            let (portrait, connections, time) = inquire(port, hints, &server);
            assert_eq!(portrait.service(), None);
            assert_eq!(portrait.manner, Some(manner));
            assert!(manner != Manner::ClosesAtOnce || connections <= 4, "{port}: {connections}");
            // One after the other; they run eight at a time.
            assert!(time <= longest && connections < 80, "{port}: {time:?}, {connections}");
        }
    }
}

#[test]
fn what_is_declared_is_asked_first_wherever_it_is() {
    let redis = Server { answer: |said| said.starts_with(b"PING").then_some(b"+PONG\r\n"), ..MUTE };
    let hints = Hints { declared: Some("redis"), usual: Some("https"), name: None };
    let (portrait, connections, _) = inquire(443, hints, &redis);
    assert_eq!((portrait.service(), connections), (Some("redis"), 1));
    assert_eq!(portrait.is("redis"), Some(true));
    assert_eq!(portrait.is("rediss"), Some(false), "TLS is what the name promises");
    assert_eq!(portrait.is("ssh"), Some(false));
}
