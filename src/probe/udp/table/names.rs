//! Names: DNS and its kin. Asks for nothing that makes a server ask others.

use super::{Echo, PLAIN, Payload, Shape, octets};

/// Any DNS response with our id (RFC 1035 section 4.1.1).
const RESPONSE: Shape = Shape { least: 12, is: &[(2, 0x80, 0x80)], echo: Echo::At(0), ..Shape::ANY };

/// Payloads of this kind.
pub(super) const TABLE: &[Payload] = &[
    Payload {
        service: "domain",
        ports: &[53],
        // version.bind TXT CH: about the server itself, so that it neither recurses nor looks anything up.
        octets: b"\xc0\xc0\x01\0\0\x01\0\0\0\0\0\0\x07version\x04bind\0\0\x10\0\x03",
        cookie: &[octets(0, 2)],
        reply: RESPONSE,
        source: "RFC 1035 section 4.1, RFC 4892 section 2",
        ..PLAIN
    },
    Payload {
        service: "domain",
        ports: &[53],
        // localhost A IN, for servers that drop the other class: answered or refused on the spot.
        octets: b"\xc0\xc0\x01\0\0\x01\0\0\0\0\0\0\x09localhost\0\0\x01\0\x01",
        cookie: &[octets(0, 2)],
        reply: RESPONSE,
        source: "RFC 1035 section 4.1, RFC 6761 section 6.3",
        ..PLAIN
    },
    Payload {
        service: "mdns",
        ports: &[5353],
        // _services._dns-sd._udp.local PTR IN, unicast answer wanted. A query that does not come from port
        // 5353 gets an answer with its own id.
        octets: b"\xc0\xc0\0\0\0\x01\0\0\0\0\0\0\x09_services\x07_dns-sd\x04_udp\x05local\0\0\x0c\x80\x01",
        cookie: &[octets(0, 2)],
        reply: RESPONSE,
        source: "RFC 6762 sections 5.4 and 6.7, RFC 6763 section 9",
        ..PLAIN
    },
    Payload {
        service: "netbios-ns",
        ports: &[137],
        // Node status of `*`: that name, padded with zeros to 16 octets, in half-octet letters from A on.
        octets: b"\xc0\xc0\0\0\0\x01\0\0\0\0\0\0\x20CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\0\0\x21\0\x01",
        cookie: &[octets(0, 2)],
        reply: RESPONSE,
        source: "RFC 1002 section 4.2.17, RFC 1001 section 14.1",
        ..PLAIN
    },
];
