//! Encrypted transports: QUIC and DTLS. Goes as far as the first answer, which costs the server no state.

use super::{Echo, PLAIN, Payload, Shape, is, octets};

/// A long header of a version that nobody has; servers say which ones they do have, if it comes in a
/// datagram as long as a real one.
const UNKNOWN_VERSION: Payload = Payload {
    octets: &[
        0xc0, // long header, fixed bit
        0x1a, 0x2a, 0x3a, 0x4a, // a version that is reserved for this
        8, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, // to
        8, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, // from
    ],
    padded: 1200,
    cookie: &[octets(15, 8), octets(6, 8)],
    reply: Shape {
        least: 27,
        is: &[(0, 0x80, 0x80), is(1, 0), is(2, 0), is(3, 0), is(4, 0), is(5, 8), is(14, 8)],
        echo: Echo::At(6),
        ..Shape::ANY
    },
    source: "RFC 8999 section 6, RFC 9000 sections 6.1, 14.1 and 15",
    ..PLAIN
};

/// A `ClientHello` for DTLS 1.2, without a cookie of theirs: answered with one, with a hello, or with an
/// alert.
const CLIENT_HELLO: Payload = Payload {
    octets: &[
        22, 0xfe, 0xff, // handshake, in records of DTLS 1.0
        0, 0, 0, 0, 0, 0, 0, 0, // epoch, sequence number
        0, 114, // length of the record
        1, 0, 0, 102, // ClientHello and its length
        0, 0, 0, 0, 0, 0, 0, 102, // message 0, whole
        0xfe, 0xfd, // DTLS 1.2
        0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, // random
        0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, //
        0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, //
        0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, //
        0, 0, // no session, no cookie
        0, 26, // suites:
        0xc0, 0x2b, 0xc0, 0x2f, 0xc0, 0x2c, 0xc0, 0x30, // ECDHE with AES-GCM
        0xc0, 0xae, 0xc0, 0xa8, 0xc0, 0xac, // AES-CCM, also with a shared key
        0x00, 0x9e, 0xc0, 0x09, 0xc0, 0x13, 0x00, 0x2f, 0x00, 0x35, // older ones
        0x00, 0xff, // no renegotiation
        1, 0, // no compression
        0, 34, // extensions:
        0, 10, 0, 8, 0, 6, 0, 29, 0, 23, 0, 24, // groups: X25519, P-256, P-384
        0, 11, 0, 2, 1, 0, // points as they are
        0, 13, 0, 12, 0, 10, 4, 3, 4, 1, 5, 3, 5, 1, 2, 1, // signatures
    ],
    cookie: &[octets(27, 8), octets(35, 8), octets(43, 8), octets(51, 8)],
    // A verify request copies the sequence number of the hello, which is 0; a hello or an alert is the first
    // of its own: 0 as well. A cookie in that field would lose the servers that answer with these.
    reply: Shape {
        least: 15,
        is: &[
            (0, 0xfc, 20), // handshake (22) or alert (21)
            is(1, 0xfe),
            (2, 0xfd, 0xfd),
            is(3, 0),
            is(4, 0),
            is(5, 0),
            is(6, 0),
            is(7, 0),
            is(8, 0),
            is(9, 0),
            is(10, 0),
            (13, 0xfe, 2), // ServerHello (2) or HelloVerifyRequest (3); of an alert: fatal (2)
        ],
        ..Shape::ANY
    },
    source: "RFC 6347 sections 4.1 and 4.2.1, RFC 5246 section 7.4.1.2, RFC 7925 section 4.2",
    ..PLAIN
};

/// Payloads of this kind.
pub(super) const TABLE: &[Payload] = &[
    Payload { service: "https", ports: &[443], ..UNKNOWN_VERSION },
    Payload { service: "https-alt", ports: &[8443], ..UNKNOWN_VERSION },
    Payload { service: "domain-s", ports: &[853], ..UNKNOWN_VERSION },
    Payload { service: "dtls", ports: &[4433], ..CLIENT_HELLO },
    Payload { service: "coaps", ports: &[5684], ..CLIENT_HELLO },
    Payload { service: "stuns", ports: &[5349], ..CLIENT_HELLO },
    Payload { service: "rd-gateway", ports: &[3391], ..CLIENT_HELLO },
];
