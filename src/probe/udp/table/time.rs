//! Time. Reads a clock; never offers one.

use super::{Echo, PLAIN, Payload, Shape, octets};

/// Payloads of this kind.
pub(super) const TABLE: &[Payload] = &[
    Payload {
        service: "ntp",
        ports: &[123],
        octets: &[
            0x23, 0, 0, 0, // version 4, mode 3: a client
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // root delay, root dispersion, reference id
            0, 0, 0, 0, 0, 0, 0, 0, // reference timestamp
            0, 0, 0, 0, 0, 0, 0, 0, // origin timestamp
            0, 0, 0, 0, 0, 0, 0, 0, // receive timestamp
            0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0,
            0xc0, // transmit timestamp, which comes back as origin
        ],
        cookie: &[octets(40, 8)],
        reply: Shape { least: 48, is: &[(0, 0x07, 4)], echo: Echo::At(24), ..Shape::ANY },
        source: "RFC 5905 sections 7.3 and 8",
        ..PLAIN
    },
    Payload {
        service: "ntp",
        ports: &[123],
        // Two variables by name; to read all of them would be answered with hundreds of octets.
        octets: b"\x16\x02\xc0\xc0\0\0\0\0\0\0\0\x0eversion,system\0\0",
        cookie: &[octets(2, 2)],
        reply: Shape { least: 12, is: &[(0, 0x07, 6), (1, 0x9f, 0x82)], echo: Echo::At(2), ..Shape::ANY },
        source: "RFC 9327 sections 2 and 4",
        ..PLAIN
    },
    Payload {
        service: "time",
        ports: &[37],
        // What the datagram holds does not matter. The answer is seconds since 1900: between 1968 and 2036
        // their first bit is set.
        octets: &[0xc0; 8],
        cookie: &[octets(0, 8)],
        reply: Shape { least: 4, most: 4, is: &[(0, 0x80, 0x80)], ..Shape::ANY },
        source: "RFC 868",
        ..PLAIN
    },
    Payload {
        service: "daytime",
        ports: &[13],
        octets: &[0xc0; 8],
        cookie: &[octets(0, 8)],
        reply: Shape {
            least: 8,
            most: 128,
            is: &[(0, 0x80, 0), (1, 0x80, 0), (2, 0x80, 0), (3, 0x80, 0), (4, 0x80, 0), (5, 0x80, 0)],
            ..Shape::ANY
        },
        source: "RFC 867",
        ..PLAIN
    },
];
