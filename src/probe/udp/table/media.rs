//! Voice and streams. Asks what is offered; never rings.

use super::{Echo, PLAIN, Payload, Shape, hex, is, octets};

/// Payloads of this kind.
pub(super) const TABLE: &[Payload] = &[
    Payload {
        service: "sip",
        ports: &[5060],
        // `rport` brings the answer to the port that we ask from; no forwards keep a proxy from asking on.
        octets: b"OPTIONS sip:portproof.invalid SIP/2.0\r\n\
                  Via: SIP/2.0/UDP portproof.invalid;rport;branch=z9hG4bKc0c0c0c0c0c0c0c0\r\n\
                  From: <sip:portproof@portproof.invalid>;tag=c0c0c0c0\r\n\
                  To: <sip:portproof.invalid>\r\n\
                  Call-ID: c0c0c0c0c0c0c0c0\r\n\
                  CSeq: 1 OPTIONS\r\n\
                  Max-Forwards: 0\r\n\
                  Content-Length: 0\r\n\
                  \r\n",
        cookie: &[hex(94, 8), hex(156, 4), hex(204, 8)],
        reply: Shape {
            least: 16,
            is: &[is(0, b'S'), is(1, b'I'), is(2, b'P'), is(3, b'/'), is(4, b'2')],
            echo: Echo::Within,
            ..Shape::ANY
        },
        source: "RFC 3261 sections 8.1, 8.2.6.2 and 11, RFC 3581 section 4",
        ..PLAIN
    },
    Payload {
        service: "mgcp",
        ports: &[2427],
        // AuditEndpoint of an endpoint that is not there: refused with the number of the question.
        octets: b"AUEP 462071 portproof@portproof.invalid MGCP 1.0\r\n",
        reply: Shape {
            least: 10,
            is: &[(0, 0xf8, 0x30), (1, 0xf0, 0x30), (2, 0xf0, 0x30), is(3, b' ')],
            has: b" 462071",
            ..Shape::ANY
        },
        source: "RFC 3435 sections 2.3.10, 3.2.1 and 3.3",
        ..PLAIN
    },
    Payload {
        service: "iax",
        ports: &[4569],
        // POKE: a full frame of call 1 to nobody. The answer brings back when it was sent.
        octets: &[0x80, 1, 0, 0, 0xc0, 0xc0, 0xc0, 0xc0, 0, 0, 6, 0x1e],
        cookie: &[octets(4, 4)],
        reply: Shape {
            least: 12,
            is: &[(0, 0x80, 0x80), (2, 0x7f, 0), is(3, 1), is(10, 6)],
            echo: Echo::At(4),
            ..Shape::ANY
        },
        source: "RFC 5456 sections 6.7.3 and 8.1.1",
        ..PLAIN
    },
    Payload {
        service: "rtpengine-ng",
        ports: &[2223],
        octets: b"c0c0c0c0c0c0c0c0 d7:command4:pinge",
        cookie: &[hex(0, 8)],
        reply: Shape {
            least: 18,
            is: &[is(16, b' '), is(17, b'd')],
            has: b"result",
            echo: Echo::At(0),
            ..Shape::ANY
        },
        source: "rtpengine, ng control protocol: ping",
        ..PLAIN
    },
    Payload {
        service: "stun",
        ports: &[3478],
        octets: b"\0\x01\0\0\x21\x12\xa4\x42\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0prtp",
        cookie: &[octets(8, 8)],
        reply: Shape {
            least: 20,
            is: &[is(0, 1), (1, 0xef, 1), is(4, 0x21), is(5, 0x12), is(6, 0xa4), is(7, 0x42)],
            echo: Echo::At(8),
            ..Shape::ANY
        },
        source: "RFC 8489 sections 5 and 7",
        ..PLAIN
    },
    Payload {
        service: "teamspeak",
        ports: &[9987],
        // The first packet of a handshake. Its random octets come back in reverse, so all four are the same.
        octets: b"TS3INIT1\0\x65\0\0\x88\x06\x3b\xec\xe9\0\0\0\0\0\xc0\xc0\xc0\xc0\0\0\0\0\0\0\0\0",
        cookie: &[octets(22, 1), octets(23, 1), octets(24, 1), octets(25, 1)],
        reply: Shape {
            least: 32,
            is: &[is(0, b'T'), is(1, b'S'), is(2, b'3'), is(7, b'1'), is(9, 0x65), is(10, 0x88), is(11, 1)],
            echo: Echo::At(28),
            ..Shape::ANY
        },
        source: "TS3 protocol paper (ReSpeak), sections 2.1 and 2.2",
        ..PLAIN
    },
    Payload {
        service: "mumble",
        ports: &[64738],
        octets: &[0, 0, 0, 0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0],
        cookie: &[octets(4, 8)],
        reply: Shape { least: 24, most: 24, is: &[is(0, 0)], echo: Echo::At(4), ..Shape::ANY },
        source: "Mumble protocol documentation, server ping",
        ..PLAIN
    },
    Payload {
        service: "xdmcp",
        ports: &[177],
        // Query without an authentication name: answered with Willing (5) or Unwilling (6).
        octets: &[0, 1, 0, 2, 0, 1, 0],
        reply: Shape { least: 10, is: &[is(0, 0), is(1, 1), is(2, 0), (3, 0xfc, 4)], ..Shape::ANY },
        source: "X Display Manager Control Protocol 1.1, section 4",
        ..PLAIN
    },
    Payload {
        service: "ms-wbt-server",
        ports: &[3389],
        // SYN: window of 64, version 1, both ways 1,232 octets. The answer acknowledges our number.
        octets: &[0xff, 0xff, 0xff, 0xff, 0, 0x40, 0, 1, 0xc0, 0xc0, 0xc0, 0xc0, 4, 0xd0, 4, 0xd0],
        padded: 1232,
        cookie: &[octets(8, 4)],
        reply: Shape { least: 16, is: &[(7, 0x05, 0x05)], echo: Echo::At(0), ..Shape::ANY },
        source: "MS-RDPEUDP sections 2.2.2.1, 2.2.2.5 and 3.1.5.1.1",
    },
    Payload {
        service: "net-assistant",
        ports: &[3283],
        octets: &[0x00, 0x14, 0x00, 0x01, 0x03],
        reply: Shape { least: 32, is: &[is(0, 0), is(1, 1)], ..Shape::ANY },
        source: "NETSCOUT ASERT, A Call to ARMS (2019): Apple Remote Management Service",
        ..PLAIN
    },
    Payload {
        service: "pcanywhere",
        ports: &[5632],
        // Name query.
        octets: b"NQ",
        reply: Shape { least: 3, most: 64, is: &[is(0, b'N'), is(1, b'R')], ..Shape::ANY },
        source: "pcAnywhere host discovery (Symantec), status port: NQ, NR",
        ..PLAIN
    },
];
