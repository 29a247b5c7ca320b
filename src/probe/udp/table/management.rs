//! Management: SNMP, IPMI, RADIUS, RPC, directories. Reads one value; never logs in.

use super::{Echo, PLAIN, Payload, RPC_REPLY, Shape, is, null_call, octets};

/// A BER sequence with our request id in it: LDAP and SNMP (ITU-T X.690).
const SEQUENCE: Shape = Shape { least: 12, is: &[is(0, 0x30)], echo: Echo::Within, ..Shape::ANY };

/// Reads sysDescr.0 with the community `public`.
const fn get(version: u8) -> [u8; 43] {
    [
        0x30, 0x29, // message
        0x02, 0x01, version, //
        0x04, 0x06, b'p', b'u', b'b', b'l', b'i', b'c', // community
        0xa0, 0x1c, // GetRequest
        0x02, 0x04, 0x4a, 0xc0, 0xc0, 0xc0, // request id
        0x02, 0x01, 0, 0x02, 0x01, 0, // no error
        0x30, 0x0e, 0x30, 0x0c, // one binding:
        0x06, 0x08, 0x2b, 0x06, 0x01, 0x02, 0x01, 0x01, 0x01, 0x00, // 1.3.6.1.2.1.1.1.0
        0x05, 0x00, // no value
    ]
}

/// Payloads of this kind.
pub(super) const TABLE: &[Payload] = &[
    Payload {
        service: "snmp",
        ports: &[161],
        octets: &get(0),
        cookie: &[octets(18, 3)],
        reply: Shape { has: &[0xa2], ..SEQUENCE },
        source: "RFC 1157 section 4, RFC 3418 section 2",
        ..PLAIN
    },
    Payload {
        service: "snmp",
        ports: &[161],
        octets: &get(1),
        cookie: &[octets(18, 3)],
        reply: Shape { has: &[0xa2], ..SEQUENCE },
        source: "RFC 1901 section 3, RFC 3416 section 4.2.1",
        ..PLAIN
    },
    Payload {
        service: "snmp",
        ports: &[161],
        // Discovery of the engine id: answered with a report, whatever the users are.
        octets: &[
            0x30, 0x3e, // message
            0x02, 0x01, 0x03, // version 3
            0x30, 0x11, // header:
            0x02, 0x04, 0x4a, 0xc0, 0xc0, 0xc0, // message id
            0x02, 0x03, 0x00, 0xff, 0xe3, // at most 65,507 octets
            0x04, 0x01, 0x04, // reportable, neither authenticated nor encrypted
            0x02, 0x01, 0x03, // user-based security model
            0x04, 0x10, 0x30, 0x0e, // its parameters:
            0x04, 0x00, 0x02, 0x01, 0x00, 0x02, 0x01, 0x00, // no engine id, no boots, no time
            0x04, 0x00, 0x04, 0x00, 0x04, 0x00, // no user, no authentication, no privacy
            0x30, 0x14, 0x04, 0x00, 0x04, 0x00, // no context
            0xa0, 0x0e, // GetRequest
            0x02, 0x04, 0x4a, 0xc0, 0xc0, 0xc0, // request id
            0x02, 0x01, 0, 0x02, 0x01, 0, // no error
            0x30, 0x00, // no bindings
        ],
        cookie: &[octets(10, 3), octets(53, 3)],
        reply: Shape { has: &[0xa8], ..SEQUENCE },
        source: "RFC 3412 sections 6 and 7.1, RFC 3414 sections 2.4 and 4",
        ..PLAIN
    },
    Payload {
        service: "cldap",
        ports: &[389],
        // The root's supportedLDAPVersion: two small numbers.
        octets: b"\x30\x3e\x02\x04\x4a\xc0\xc0\xc0\x63\x36\x04\0\x0a\x01\0\x0a\x01\0\x02\x01\0\x02\x01\0\x01\x01\0\
                  \x87\x0bobjectClass\x30\x16\x04\x14supportedLDAPVersion",
        cookie: &[octets(5, 3)],
        reply: SEQUENCE,
        source: "RFC 4511 section 4.5.1, RFC 4512 section 5.1, MS-ADTS section 3.1.1.3.1.10",
        ..PLAIN
    },
    Payload {
        service: "asf-rmcp",
        ports: &[623],
        // Presence ping of the Alert Standard Format; its tag comes back in the pong.
        octets: &[0x06, 0x00, 0xff, 0x06, 0x00, 0x00, 0x11, 0xbe, 0x80, 0xc0, 0x00, 0x00],
        cookie: &[octets(9, 1)],
        reply: Shape {
            least: 12,
            is: &[is(0, 6), (3, 0x7f, 6), is(4, 0), is(5, 0), is(6, 0x11), is(7, 0xbe), is(8, 0x40)],
            echo: Echo::At(9),
            ..Shape::ANY
        },
        source: "DMTF DSP0136 (ASF 2.0) sections 3.2.2 and 3.2.4",
        ..PLAIN
    },
    Payload {
        service: "asf-rmcp",
        ports: &[623],
        // Get Channel Authentication Capabilities: what an administrator would have to prove. No session.
        octets: &[
            0x06, 0x00, 0xff, 0x07, // RMCP: IPMI, no acknowledgement
            0x00, 0, 0, 0, 0, 0, 0, 0, 0, // no authentication, no session
            0x09, // length
            0x20, 0x18, 0xc8, // to the controller, application request; checksum
            0x81, 0x00, 0x38, 0x8e, 0x04, 0xb5, // from a console: this channel, IPMI 2.0; checksum
        ],
        reply: Shape {
            least: 22,
            is: &[is(0, 6), (3, 0x1f, 7), is(14, 0x81), is(15, 0x1c), is(19, 0x38)],
            ..Shape::ANY
        },
        source: "IPMI 2.0 sections 13.6, 13.8 and 22.13",
        ..PLAIN
    },
    Payload {
        service: "radius",
        ports: &[1812, 1645],
        // An Access-Request that asks for nobody. The answer copies Proxy-State.
        octets: b"\x01\x01\0\x29\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0\
                  \x20\x0bportproof\x21\x0a\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0",
        cookie: &[octets(33, 8), octets(4, 8), octets(12, 8)],
        reply: Shape { least: 20, is: &[(0, 0xf6, 0x02), is(1, 1)], echo: Echo::Within, ..Shape::ANY },
        source: "RFC 2865 sections 3, 4.1, 5.32 and 5.33",
        ..PLAIN
    },
    Payload {
        service: "rpcbind",
        ports: &[111],
        octets: &null_call(100_000, 2),
        cookie: &[octets(0, 4)],
        reply: RPC_REPLY,
        source: "RFC 5531 section 9, RFC 1833 section 3",
        ..PLAIN
    },
    Payload {
        service: "kerberos",
        ports: &[88],
        // An AS-REQ without a client's name, so that nobody is asked for: answered with an error.
        octets: b"\x6a\x6e\x30\x6c\xa1\x03\x02\x01\x05\xa2\x03\x02\x01\x0a\xa4\x60\x30\x5e\
                  \xa0\x07\x03\x05\0\0\0\0\0\xa2\x0b\x1b\x09PORTPROOF\
                  \xa3\x1e\x30\x1c\xa0\x03\x02\x01\x02\xa1\x15\x30\x13\x1b\x06krbtgt\x1b\x09PORTPROOF\
                  \xa5\x11\x18\x0f19700101000000Z\xa7\x06\x02\x04\x4a\xc0\xc0\xc0\
                  \xa8\x0b\x30\x09\x02\x01\x12\x02\x01\x11\x02\x01\x17",
        cookie: &[octets(96, 3)],
        reply: Shape {
            least: 30,
            is: &[is(0, 0x7e)],
            has: b"\xa0\x03\x02\x01\x05\xa1\x03\x02\x01\x1e", // version 5, KRB-ERROR
            ..Shape::ANY
        },
        source: "RFC 4120 sections 5.4.1 and 5.9.1",
        ..PLAIN
    },
    Payload {
        service: "kpasswd",
        ports: &[464],
        // A request without a ticket in it: refused with an error before anything is looked at.
        octets: &[0x00, 0x0a, 0x00, 0x01, 0x00, 0x00, 0xc0, 0xc0, 0xc0, 0xc0],
        cookie: &[octets(6, 4)],
        reply: Shape {
            least: 30,
            is: &[is(2, 0), is(3, 1), is(4, 0), is(5, 0), is(6, 0x7e)],
            has: b"\xa0\x03\x02\x01\x05\xa1\x03\x02\x01\x1e",
            ..Shape::ANY
        },
        source: "RFC 3244 section 2",
        ..PLAIN
    },
    Payload {
        service: "ms-sql-m",
        ports: &[1434],
        // CLNT_UCAST_EX: which instances there are.
        octets: &[0x03],
        reply: Shape { least: 3, is: &[is(0, 0x05)], has: b"ServerName;", ..Shape::ANY },
        source: "MC-SQLR sections 2.2.2 and 2.2.5",
        ..PLAIN
    },
    Payload {
        service: "db2-discovery",
        ports: &[523],
        octets: b"DB2GETADDR\0SQL08010\0",
        reply: Shape {
            least: 20,
            is: &[
                is(0, b'D'),
                is(1, b'B'),
                is(2, b'2'),
                is(3, b'R'),
                is(4, b'E'),
                is(5, b'T'),
                is(6, b'A'),
                is(7, b'D'),
                is(8, b'D'),
                is(9, b'R'),
            ],
            ..Shape::ANY
        },
        source: "Db2 administration server discovery (IBM Db2, parameters DISCOVER and DISCOVER_COMM)",
        ..PLAIN
    },
    Payload {
        service: "consul-serf",
        ports: &[8301, 8302],
        // A ping of the gossip layer to whoever is there, in MessagePack: {Node: "", SeqNo: n}.
        octets: b"\0\x82\xa4Node\xa0\xa5SeqNo\xce\x4a\xc0\xc0\xc0",
        cookie: &[octets(16, 3)],
        reply: Shape {
            least: 8,
            is: &[(0, 0xf0, 0)],
            has: b"\x02\x82", // ackRespMsg, with its two fields
            echo: Echo::Within,
            ..Shape::ANY
        },
        source: "hashicorp/memberlist, net.go: pingMsg, ackRespMsg",
        ..PLAIN
    },
];
