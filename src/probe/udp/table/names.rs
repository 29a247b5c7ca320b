//! Names: DNS and its kin.

use super::{Echo, Form, Payload, Place, Shape};

/// Payloads of this kind.
pub(super) const TABLE: &[Payload] = &[Payload {
    service: "domain",
    ports: &[53],
    // version.bind TXT CH: about the server itself, so that it neither recurses nor looks anything up.
    octets: b"\0\0\x01\0\0\x01\0\0\0\0\0\0\x07version\x04bind\0\0\x10\0\x03",
    padded: 0,
    cookie: &[Place { at: 0, form: Form::Octets(2) }],
    reply: Shape { least: 12, is: &[(2, 0x80, 0x80)], echo: Echo::At(0), any_port: false },
    source: "RFC 1035 section 4.1, RFC 4892 section 2",
}];
