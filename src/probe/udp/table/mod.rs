//! The payload table: what is sent to which UDP port, and what nobody can be asked. Written from the
//! documents that each entry names, never from other scanners' tables. Questions are small and harmless,
//! their answers as small as the protocol allows.

mod devices;
mod discovery;
mod files;
mod games;
mod industrial;
mod legacy;
mod management;
mod media;
mod mobile;
mod mute;
mod names;
mod secure;
mod time;
mod vpn;

pub use self::mute::{MUTE, Mute};
use super::payload::{Echo, Form, Payload, Place, Shape};

/// Every payload, by kind.
pub static TABLE: &[&[Payload]] = &[
    names::TABLE,
    time::TABLE,
    management::TABLE,
    files::TABLE,
    secure::TABLE,
    vpn::TABLE,
    mobile::TABLE,
    media::TABLE,
    discovery::TABLE,
    devices::TABLE,
    industrial::TABLE,
    games::TABLE,
    legacy::TABLE,
];

/// What goes to a port without a payload of its own: an ONC RPC call of program 0 (RFC 5531 section 9),
/// which RPC servers on their random ports refuse with an answer. Read as a DNS message (RFC 1035 section
/// 4.1.1) it is a query without a question, which name servers call malformed; other servers answer
/// anything, or complain.
pub const GENERIC: Payload = Payload {
    octets: &[
        0, 0, 0x01, 0x00, // XID; as DNS: id, flags with recursion desired
        0, 0, 0, 0, // call
        0, 0, 0, 2, // RPC version 2
        0, 0, 0, 0, // program 0, which nobody has
        0, 0, 0, 0, // version 0
        0, 0, 0, 0, // procedure 0
        0, 0, 0, 0, 0, 0, 0, 0, // no credentials
        0, 0, 0, 0, 0, 0, 0, 0, // no verifier
    ],
    cookie: &[octets(0, 2)],
    source: "RFC 5531 section 9",
    ..PLAIN
};

/// What an entry has unless it says otherwise. The table writes `c0` where a cookie goes, so that an entry
/// can be held against its places.
const PLAIN: Payload =
    Payload { service: "", ports: &[], octets: &[], padded: 0, cookie: &[], reply: Shape::ANY, source: "" };

/// An octet of a reply that is known.
const fn is(at: usize, octet: u8) -> (usize, u8, u8) {
    (at, 0xff, octet)
}

/// A cookie of so many octets, as they are.
const fn octets(at: usize, count: usize) -> Place {
    Place { at, form: Form::Octets(count) }
}

/// A cookie of so many octets, in hexadecimal digits.
const fn hex(at: usize, count: usize) -> Place {
    Place { at, form: Form::Hex(count) }
}

/// A call of procedure 0 of an ONC RPC program: it does nothing and answers that (RFC 5531 sections 9 and
/// 12.1).
const fn null_call(program: u32, version: u32) -> [u8; 40] {
    let ([p0, p1, p2, p3], [v0, v1, v2, v3]) = (program.to_be_bytes(), version.to_be_bytes());
    [
        0xc0, 0xc0, 0xc0, 0xc0, // XID
        0, 0, 0, 0, // call
        0, 0, 0, 2, // RPC version 2
        p0, p1, p2, p3, v0, v1, v2, v3, // program and its version
        0, 0, 0, 0, // procedure 0
        0, 0, 0, 0, 0, 0, 0, 0, // no credentials
        0, 0, 0, 0, 0, 0, 0, 0, // no verifier
    ]
}

/// Any reply to such a call, a refusal as well (RFC 5531 section 9).
const RPC_REPLY: Shape = Shape {
    least: 20,
    is: &[is(4, 0), is(5, 0), is(6, 0), is(7, 1), is(8, 0), is(9, 0), is(10, 0), (11, 0xfe, 0)],
    echo: Echo::At(0),
    ..Shape::ANY
};
