//! Industry and buildings. Reads who a controller is; writes and starts nothing.

use super::{Echo, PLAIN, Payload, Shape, is, octets};

/// Payloads of this kind.
pub(super) const TABLE: &[Payload] = &[
    Payload {
        service: "bacnet",
        ports: &[47808],
        octets: &[
            0x81, 0x0a, 0, 17, // BACnet/IP, to one host
            1, 0x04, // network layer: an answer is expected
            0x00, 0x05, 0xc0, 0x0c, // confirmed request, 1,476 octets; invoke id; read property
            0x0c, 0x02, 0x3f, 0xff, 0xff, // of whatever device this is
            0x19, 0x4b, // its object identifier
        ],
        cookie: &[octets(8, 1)],
        reply: Shape {
            least: 9,
            is: &[is(0, 0x81), is(1, 0x0a), is(4, 1), (6, 0x90, 0x10)],
            echo: Echo::At(7),
            ..Shape::ANY
        },
        source: "ANSI/ASHRAE 135 clauses 6.2, 15.5, 20.1 and annex J.2",
        ..PLAIN
    },
    Payload {
        service: "ethernet-ip",
        ports: &[44818],
        octets: &[
            0x63, 0, 0, 0, // ListIdentity, no data
            0, 0, 0, 0, 0, 0, 0, 0, // no session, no status
            1, 0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0,
            0xc0, // context; its first two octets say how long to wait
            0, 0, 0, 0, // no options
        ],
        cookie: &[octets(14, 6)],
        reply: Shape { least: 26, is: &[is(0, 0x63), is(1, 0)], echo: Echo::At(14), ..Shape::ANY },
        source: "ODVA CIP volume 2 sections 2-3 and 2-4.2",
        ..PLAIN
    },
    Payload {
        service: "knx",
        ports: &[3671],
        // Description request; the answer goes to where it came from.
        octets: &[6, 0x10, 2, 3, 0, 14, 8, 1, 0, 0, 0, 0, 0, 0],
        reply: Shape { least: 8, is: &[is(0, 6), is(1, 0x10), is(2, 2), is(3, 4)], ..Shape::ANY },
        source: "KNX 03_08_02 sections 2.3, 7.7.1 and 8.6.2",
        ..PLAIN
    },
    Payload {
        service: "fins",
        ports: &[9600],
        // Controller data read: model and version.
        octets: &[0x80, 0, 2, 0, 0, 0, 0, 0x63, 0, 0xc0, 5, 1],
        cookie: &[octets(9, 1)],
        reply: Shape {
            least: 14,
            is: &[(0, 0xc0, 0xc0), is(10, 5), is(11, 1)],
            echo: Echo::At(9),
            ..Shape::ANY
        },
        source: "OMRON W227 (FINS commands) sections 3-3 and 5-3-9",
        ..PLAIN
    },
];
