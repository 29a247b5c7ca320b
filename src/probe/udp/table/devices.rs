//! Devices: radios, recorders, serial servers, routers. Reads what they say of themselves; sends no password.

use super::{PLAIN, Payload, RPC_REPLY, Shape, is, null_call, octets};

/// Payloads of this kind.
pub(super) const TABLE: &[Payload] = &[
    Payload {
        service: "ubiquiti-discovery",
        ports: &[10001],
        // Version 1, discovery, nothing more.
        octets: &[1, 0, 0, 0],
        reply: Shape { least: 8, is: &[is(0, 1), is(1, 0)], ..Shape::ANY },
        source: "Rapid7, Understanding Ubiquiti Discovery Service Exposures (2019)",
        ..PLAIN
    },
    Payload {
        service: "lantronix",
        ports: &[30718],
        // Which firmware? The setup record, which holds a password, is another question.
        octets: &[0, 0, 0, 0xf6],
        reply: Shape { least: 8, most: 128, is: &[is(0, 0), is(1, 0), is(2, 0), is(3, 0xf7)], ..Shape::ANY },
        source: "Lantronix, device server integration guide: port 77FEh, query for firmware",
        ..PLAIN
    },
    Payload {
        service: "dahua-discovery",
        ports: &[37810],
        octets: b"\x20\0\0\0DHIP\0\0\0\0\0\0\0\0\x3b\0\0\0\0\0\0\0\x3b\0\0\0\0\0\0\0\
                  {\"method\":\"DHDiscover.search\",\"params\":{\"mac\":\"\",\"uni\":1}}\n",
        reply: Shape {
            least: 34,
            is: &[is(0, 0x20), is(4, b'D'), is(5, b'H'), is(6, b'I'), is(7, b'P')],
            has: b"deviceInfo",
            ..Shape::ANY
        },
        source: "DHIP framing and DHDiscover.search, as Dahua's ConfigTool sends it",
        ..PLAIN
    },
    Payload {
        service: "wdbrpc",
        ports: &[17185],
        octets: &null_call(0x5555_5555, 1),
        cookie: &[octets(0, 4)],
        reply: RPC_REPLY,
        source: "RFC 5531 section 9; VxWorks WDB protocol, procedure 0; VU#362332",
        ..PLAIN
    },
    Payload {
        service: "netis",
        ports: &[53413],
        // A line without anything on it makes it ask for a login.
        octets: b"\n",
        reply: Shape { least: 5, has: b"Login", ..Shape::ANY },
        source: "Shadowserver, Vulnerable Netis Router Scanning Project: methodology",
        ..PLAIN
    },
];
