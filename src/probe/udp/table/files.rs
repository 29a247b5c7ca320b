//! Files and caches. Names no file that could exist, writes none.

use super::{Echo, PLAIN, Payload, RPC_REPLY, Shape, hex, is, null_call, octets};

/// Payloads of this kind.
pub(super) const TABLE: &[Payload] = &[
    Payload {
        service: "tftp",
        ports: &[69],
        // Reads a file that is not there. The name does not come back; it makes each question another one.
        octets: b"\0\x01portproof-c0c0c0c0\0octet\0",
        cookie: &[hex(12, 4)],
        // An error (5) or, from a server that has everything, data (3).
        reply: Shape {
            least: 4,
            most: 516,
            is: &[is(0, 0), (1, 0xf9, 1), is(2, 0), (3, 0xf0, 0)],
            any_port: true,
            ..Shape::ANY
        },
        source: "RFC 1350 sections 4 and 5",
        ..PLAIN
    },
    Payload {
        service: "nfs",
        ports: &[2049],
        octets: &null_call(100_003, 3),
        cookie: &[octets(0, 4)],
        reply: RPC_REPLY,
        source: "RFC 5531 section 9, RFC 1813 section 3.3.0",
        ..PLAIN
    },
    Payload {
        service: "mountd",
        ports: &[20048],
        octets: &null_call(100_005, 3),
        cookie: &[octets(0, 4)],
        reply: RPC_REPLY,
        source: "RFC 5531 section 9, RFC 1813 section 5.2.0",
        ..PLAIN
    },
    Payload {
        service: "memcached",
        ports: &[11211],
        // Its version, the smallest question there is; one datagram, number 0 of 1.
        octets: b"\xc0\xc0\0\0\0\x01\0\0version\r\n",
        cookie: &[octets(0, 2)],
        reply: Shape {
            least: 13,
            is: &[is(2, 0), is(3, 0), is(4, 0), is(5, 1), is(6, 0), is(7, 0), (8, 0xe0, 0x40)],
            echo: Echo::At(0),
            ..Shape::ANY
        },
        source: "memcached, doc/protocol.txt: UDP protocol, version",
        ..PLAIN
    },
    Payload {
        service: "afs",
        ports: &[7000, 7001, 7003],
        // An Rx packet of type 13: which version is this?
        octets: &[
            0, 0, 0x03, 0xe7, 0, 0, 0, 0, // epoch, connection
            0xc0, 0xc0, 0xc0, 0xc0, // call number
            0, 0, 0, 0, 0, 0, 0, 0, // sequence, serial
            13, 0x05, 0, 0, // version; from the client, last packet; status, security
            0, 0, 0, 0, // checksum, service
        ],
        cookie: &[octets(8, 4)],
        reply: Shape { least: 29, is: &[is(20, 13)], echo: Echo::At(8), ..Shape::ANY },
        source: "The Rx protocol (N. Zeldovich, 2002): packet header, version packets",
        ..PLAIN
    },
];
