//! Mobile cores. Asks whether somebody is there; never opens a tunnel.

use super::{Echo, PLAIN, Payload, Shape, is, octets};

/// Echo request of version 1, with a sequence number.
const ECHO: Payload = Payload {
    octets: &[0x32, 1, 0, 4, 0, 0, 0, 0, 0xc0, 0xc0, 0, 0],
    cookie: &[octets(8, 2)],
    // An answer, or that this version is not spoken.
    reply: Shape { least: 12, is: &[(0, 0xf2, 0x32), (1, 0xfe, 2)], echo: Echo::At(8), ..Shape::ANY },
    source: "3GPP TS 29.060 sections 6 and 7.2, TS 29.281 sections 5.1 and 7.2",
    ..PLAIN
};

/// Payloads of this kind.
pub(super) const TABLE: &[Payload] = &[
    Payload { service: "gtp-c", ports: &[2123], ..ECHO },
    Payload {
        service: "gtp-c",
        ports: &[2123],
        // Version 2, with the recovery counter that an echo request must have.
        octets: &[0x40, 1, 0, 9, 0xc0, 0xc0, 0xc0, 0, 3, 0, 1, 0, 0],
        cookie: &[octets(4, 3)],
        reply: Shape { least: 8, is: &[(0, 0xe8, 0x40), (1, 0xfe, 2)], echo: Echo::At(4), ..Shape::ANY },
        source: "3GPP TS 29.274 sections 5.5 and 7.1",
        ..PLAIN
    },
    Payload { service: "gtp-u", ports: &[2152], ..ECHO },
    Payload {
        service: "nat-pmp",
        ports: &[5351],
        // The outer address; maps nothing.
        octets: &[0, 0],
        reply: Shape { least: 8, most: 24, is: &[(0, 0xfd, 0), is(1, 0x80)], ..Shape::ANY },
        source: "RFC 6886 sections 3.2 and 3.5",
        ..PLAIN
    },
    Payload {
        service: "nat-pmp",
        ports: &[5351],
        // ANNOUNCE of the Port Control Protocol, from no address in particular: answered, if only because
        // that is not ours.
        octets: &[2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0],
        reply: Shape { least: 24, is: &[is(0, 2), is(1, 0x80), is(2, 0)], ..Shape::ANY },
        source: "RFC 6887 sections 7.1, 7.2, 8.2 and 14.1",
        ..PLAIN
    },
];
