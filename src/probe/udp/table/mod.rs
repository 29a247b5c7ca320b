//! The payload table: what is sent to which UDP port, and what nobody can be asked. Written from the
//! documents that each entry names, never from other scanners' tables. Questions are small and harmless,
//! their answers as small as the protocol allows.

mod names;

use super::payload::{Echo, Form, Payload, Place, Shape};

/// Every payload, by kind.
pub const TABLE: &[&[Payload]] = &[names::TABLE];

/// A service that never answers a stranger: its silence proves nothing, and nobody can be asked.
#[derive(Debug)]
pub struct Mute {
    /// Its name in `profiles/ports/services.yaml`.
    pub service: &'static str,
    /// Where it usually is.
    pub ports: &'static [u16],
    /// Why it does not answer, and the document that says so.
    pub why: &'static str,
}

/// Services that never answer a stranger.
pub const MUTE: &[Mute] = &[Mute {
    service: "wireguard",
    ports: &[51820],
    why: "a handshake that is not made with a key it knows is dropped without a word (WireGuard white paper, section 5.1)",
}];

/// What goes to a port without a payload of its own: an ONC RPC call of program 0 (RFC 5531 section 9),
/// which RPC servers on their random ports refuse with an answer. Read as a DNS message (RFC 1035 section
/// 4.1.1) it is a query without a question, which name servers call malformed; other servers answer
/// anything, or complain.
pub const GENERIC: Payload = Payload {
    service: "",
    ports: &[],
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
    padded: 0,
    cookie: &[Place { at: 0, form: Form::Octets(2) }],
    reply: Shape::ANY,
    source: "RFC 5531 section 9",
};
