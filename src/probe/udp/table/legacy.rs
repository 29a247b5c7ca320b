//! Relics of inetd, and RIP. Asks for the least that they answer.

use super::{Echo, PLAIN, Payload, Shape, is, octets};

/// Text comes, whatever the datagram holds: no octet of it has its first bit.
const TEXT: Shape = Shape { least: 1, most: 512, is: &[(0, 0x80, 0)], ..Shape::ANY };

/// Payloads of this kind.
pub(super) const TABLE: &[Payload] = &[
    Payload {
        service: "echo",
        ports: &[7],
        octets: &[0xc0; 8],
        cookie: &[octets(0, 8)],
        reply: Shape { least: 8, most: 8, echo: Echo::At(0), ..Shape::ANY },
        source: "RFC 862",
        ..PLAIN
    },
    Payload {
        service: "systat",
        ports: &[11],
        octets: &[0xc0; 8],
        cookie: &[octets(0, 8)],
        reply: Shape { most: usize::MAX, ..TEXT },
        source: "RFC 866",
        ..PLAIN
    },
    Payload {
        service: "qotd",
        ports: &[17],
        octets: &[0xc0; 8],
        cookie: &[octets(0, 8)],
        reply: TEXT,
        source: "RFC 865",
        ..PLAIN
    },
    Payload {
        service: "chargen",
        ports: &[19],
        octets: &[0xc0; 8],
        cookie: &[octets(0, 8)],
        // Up to 512 octets, says the document; some send thousands.
        reply: Shape { most: usize::MAX, ..TEXT },
        source: "RFC 864",
        ..PLAIN
    },
    Payload {
        service: "rip",
        ports: &[520],
        // The way to one host of 10.0.0.0/8: answered with its metric, and with its address again.
        octets: &[
            1, 2, 0, 0, // request, version 2
            0, 2, 0, 0, 10, 0xc0, 0xc0, 0xc0, // IPv4, no tag; address
            0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 16, // mask, next hop, unreachable
        ],
        cookie: &[octets(9, 3)],
        reply: Shape {
            least: 24,
            most: 24,
            is: &[is(0, 2), is(4, 0), is(5, 2), is(8, 10)],
            echo: Echo::At(9),
            ..Shape::ANY
        },
        source: "RFC 2453 sections 3.9.1 and 4",
        ..PLAIN
    },
];
