//! Conversations up to TLS.

use proptest::prelude::*;

use super::*;

const SERVICES: &[&str] = &[
    "smtp",
    "submission",
    "lmtp",
    "imap",
    "pop3",
    "ftp",
    "nntp",
    "sieve",
    "ldap",
    "postgresql",
    "mysql",
    "xmpp-client",
    "xmpp-server",
    "ms-wbt-server",
];

/// What is said until the end, and the end; each answer of the service comes in two pieces.
fn talk(service: &str, answers: &[&[u8]]) -> (Vec<Vec<u8>>, Step) {
    let mut upgrade = Upgrade::of(service).unwrap().with_name("chat.example.org");
    let (mut said, mut answers) = (Vec::new(), answers.iter());
    let mut step = upgrade.step(&[]);
    loop {
        step = match step {
            Step::Say(words) => {
                said.push(words);
                upgrade.step(&[])
            }
            Step::Wait => {
                let Some(answer) = answers.next() else { return (said, Step::Wait) };
                let (begin, end) = answer.split_at(answer.len() / 2);
                match upgrade.step(begin) {
                    Step::Wait => upgrade.step(end),
                    early => early,
                }
            }
            end => return (said, end),
        }
    }
}

fn greeting(flags: [u8; 2]) -> Vec<u8> {
    let mut packet = b"\x0a8.0.36\0\x01\0\0\0saltsalt\0".to_vec();
    packet.extend(flags);
    packet.extend([45, 2, 0, 0xff, 0xdf, 21]);
    let mut all = vec![packet.len() as u8, 0, 0, 0];
    all.extend(packet);
    all
}

const FEATURES: &[u8] = b"<?xml version='1.0'?><stream:stream id='1' xmlns='jabber:client'><stream:features>\
    <starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>";

#[test]
#[allow(clippy::type_complexity)] // a table: service, its answers, our words
fn services_that_will_are_ready() {
    let mysql = greeting([0xff, 0xff]);
    let cases: &[(&str, &[&[u8]], &[&[u8]])] = &[
        (
            "smtp",
            &[b"220-mx ESMTP\r\n220 hello\r\n", b"250-mx\r\n250-SIZE 1\r\n250 starttls\r\n", b"220 go\r\n"],
            &[b"EHLO portproof.invalid\r\n", b"STARTTLS\r\n"],
        ),
        (
            "lmtp",
            &[b"220 mx\r\n", b"250 STARTTLS\r\n", b"220 2.0.0 Ready\r\n"],
            &[b"LHLO portproof.invalid\r\n", b"STARTTLS\r\n"],
        ),
        (
            "imap",
            &[b"* OK [CAPABILITY IMAP4rev1 STARTTLS] ready.\r\n", b"* note\r\np1 OK Begin TLS now.\r\n"],
            &[b"p1 STARTTLS\r\n"],
        ),
        ("pop3", &[b"+OK ready <1@mx>\r\n", b"+OK Begin TLS\r\n"], &[b"STLS\r\n"]),
        ("ftp", &[b"220-Welcome\r\n 220 not yet\r\n220 FTP\r\n", b"234 Proceed.\r\n"], &[b"AUTH TLS\r\n"]),
        ("nntp", &[b"201 no posting\r\n", b"382 go\r\n"], &[b"STARTTLS\r\n"]),
        (
            "sieve",
            &[b"\"IMPLEMENTATION\" \"x\"\r\n\"STARTTLS\"\r\nOK \"ready\"\r\n", b"OK \"go\"\r\n"],
            &[b"STARTTLS\r\n"],
        ),
        (
            "ldap",
            &[b"\x30\x84\0\0\0\x10\x02\x01\x01\x78\x84\0\0\0\x07\x0a\x01\0\x04\0\x04\0"],
            &[b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037"],
        ),
        ("postgresql", &[b"S"], &[&[0, 0, 0, 8, 4, 210, 22, 47]]),
        ("mysql", &[&mysql], &[&[&[32, 0, 0, 1, 1, 0x8a, 8, 0, 0, 0, 0, 1, 45][..], &[0; 23]].concat()]),
        (
            "xmpp-client",
            &[FEATURES, b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"],
            &[
                b"<?xml version='1.0'?><stream:stream xmlns='jabber:client' \
                  xmlns:stream='http://etherx.jabber.org/streams' to='chat.example.org' version='1.0'>",
                b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
            ],
        ),
        (
            "ms-wbt-server",
            &[&[3, 0, 0, 19, 14, 0xd0, 0, 0, 0x12, 0x34, 0, 2, 0x1f, 8, 0, 2, 0, 0, 0]],
            &[&[3, 0, 0, 19, 14, 0xe0, 0, 0, 0, 0, 0, 1, 0, 8, 0, 0x0b, 0, 0, 0]],
        ),
    ];
    for (service, answers, expected) in cases {
        let (said, end) = talk(service, answers);
        assert_eq!(end, Step::Ready, "{service}");
        assert_eq!(said, *expected, "{service}");
    }
}

#[test]
fn services_that_will_not_say_why() {
    let plain = greeting([0xff, 0xf7]);
    let cases: &[(&str, &[&[u8]], &str)] = &[
        ("smtp", &[b"220 mx\r\n", b"250-mx\r\n250 SIZE\r\n"], "does not offer TLS"),
        ("smtp", &[b"554 no\x1b[31m\r\n"], "says \"554 no\\u{1b}[31m\""),
        ("smtp", &[b"220 mx\r\n", b"250 STARTTLS\r\n", b"454 not now\r\n"], "says \"454 not now\""),
        ("smtp", &[b"SSH-2.0-x\r\n"], "does not speak this protocol but says \"SSH-2.0-x\""),
        ("imap", &[b"* OK\r\n", b"p1 BAD unknown\r\n"], "says \"p1 BAD unknown\""),
        ("imap", &[b"* PREAUTH in\r\n"], "says \"* PREAUTH in\""),
        ("pop3", &[b"+OK\r\n", b"-ERR no\r\n"], "says \"-ERR no\""),
        ("ftp", &[b"220 x\r\n", b"530 Please login.\r\n"], "says \"530 Please login.\""),
        ("nntp", &[b"200 x\r\n", b"580 no\r\n"], "says \"580 no\""),
        ("sieve", &[b"\"SASL\" \"PLAIN\"\r\nOK\r\n"], "does not offer TLS"),
        ("ldap", &[b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x34\x04\0\x04\0"], "refuses with LDAP result 52"),
        ("postgresql", &[b"N"], "does not offer TLS"),
        ("mysql", &[&plain], "does not offer TLS"),
        ("mysql", &[b"\x0a\0\0\0\xff\x6a\x04blocked"], "says \"blocked\""),
        ("xmpp-client", &[b"<stream:stream><stream:features></stream:features>"], "does not offer TLS"),
        ("xmpp-client", &[FEATURES, b"<failure/>"], "says \"<failure/>\""),
        ("ms-wbt-server", &[&[3, 0, 0, 11, 6, 0xd0, 0, 0, 0, 0, 0]], "does not offer TLS"),
        (
            "ms-wbt-server",
            &[&[3, 0, 0, 19, 14, 0xd0, 0, 0, 0, 0, 0, 3, 0, 8, 0, 2, 0, 0, 0]],
            "refuses TLS with RDP failure 2",
        ),
    ];
    for (service, answers, expected) in cases {
        assert_eq!(talk(service, answers).1, Step::Refused((*expected).to_owned()), "{service}");
    }
}

#[test]
fn services_without_such_a_word_have_no_upgrade() {
    for service in ["https", "imaps", "ms-sql-s", "ssh", ""] {
        assert!(Upgrade::of(service).is_none());
    }
}

#[test]
fn endless_talk_ends() {
    for service in SERVICES {
        let mut upgrade = Upgrade::of(service).unwrap();
        let mut step = upgrade.step(&[]);
        for _ in 0..100 {
            step = match step {
                Step::Wait | Step::Say(_) => upgrade.step(&[b'-'; 4096]),
                end => end,
            };
        }
        assert!(matches!(step, Step::Refused(_) | Step::Ready), "{service}: {step:?}");
    }
}

proptest! {
    #[test]
    fn no_octets_do_harm(
        which in 0..SERVICES.len(),
        pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..60), 0..6),
        begin in proptest::sample::select(vec![&b""[..], b"220 ", b"* OK ", b"+OK ", b"<", b"\x30", b"\x03\0\0\x13"]),
    ) {
        let mut upgrade = Upgrade::of(SERVICES[which]).unwrap();
        let _ = (upgrade.step(&[]), upgrade.step(begin));
        for piece in pieces {
            if let Step::Refused(why) = upgrade.step(&piece) {
                prop_assert!(why.chars().count() < 300);
            }
        }
    }
}
