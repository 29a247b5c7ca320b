//! Tunnels. Begins a handshake, as any stranger may, and never goes on with it.

use super::{Echo, PLAIN, Payload, Shape, is, octets};

/// A response of version 2 about our SPI (RFC 7296 section 3.1).
const RESPONSE: Shape =
    Shape { least: 28, is: &[(17, 0xf0, 0x20), (19, 0x20, 0x20)], echo: Echo::At(0), ..Shape::ANY };

/// Any message of version 1 about our SPI (RFC 2408 section 3.1): the next one of main mode, or a refusal.
const MESSAGE: Shape = Shape { least: 28, is: &[(17, 0xf0, 0x10)], echo: Echo::At(0), ..Shape::ANY };

/// The same two behind the marker that tells IKE from ESP (RFC 3948 section 2.2).
const MARKED_RESPONSE: Shape = Shape {
    least: 32,
    is: &[is(0, 0), is(1, 0), is(2, 0), is(3, 0), (21, 0xf0, 0x20), (23, 0x20, 0x20)],
    echo: Echo::At(4),
    ..Shape::ANY
};
const MARKED_MESSAGE: Shape =
    Shape { is: &[is(0, 0), is(1, 0), is(2, 0), is(3, 0), (21, 0xf0, 0x10)], ..MARKED_RESPONSE };

/// Main mode of version 1: four proposals, from what is in use to what is left over.
const MAIN_MODE: [u8; 184] = [
    0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, // initiator's SPI
    0, 0, 0, 0, 0, 0, 0, 0, // responder's
    1, 0x10, 2, 0, // next: security association; version 1.0, main mode
    0, 0, 0, 0, 0, 0, 0, 184, // message id, length
    0, 0, 0, 156, 0, 0, 0, 1, 0, 0, 0, 1, // security association: IPsec, identity only
    0, 0, 0, 144, 1, 1, 0, 4, // proposal 1: IKE, four transforms
    3, 0, 0, 36, 1, 1, 0, 0, // IKE's own:
    0x80, 1, 0, 7, 0x80, 14, 1, 0, 0x80, 2, 0, 4, // AES-256, SHA-256
    0x80, 3, 0, 1, 0x80, 4, 0, 14, 0x80, 11, 0, 1, 0x80, 12, 0x70,
    0x80, // shared key, group 14, 8 hours
    3, 0, 0, 36, 2, 1, 0, 0, //
    0x80, 1, 0, 7, 0x80, 14, 0, 128, 0x80, 2, 0, 2, // AES-128, SHA-1
    0x80, 3, 0, 1, 0x80, 4, 0, 2, 0x80, 11, 0, 1, 0x80, 12, 0x70, 0x80, // shared key, group 2
    3, 0, 0, 32, 3, 1, 0, 0, //
    0x80, 1, 0, 5, 0x80, 2, 0, 2, // 3DES, SHA-1
    0x80, 3, 0, 1, 0x80, 4, 0, 2, 0x80, 11, 0, 1, 0x80, 12, 0x70, 0x80, // shared key, group 2
    0, 0, 0, 32, 4, 1, 0, 0, //
    0x80, 1, 0, 5, 0x80, 2, 0, 2, // 3DES, SHA-1
    0x80, 3, 0, 3, 0x80, 4, 0, 2, 0x80, 11, 0, 1, 0x80, 12, 0x70, 0x80, // signatures, group 2
];

/// `IKE_SA_INIT` of version 2. Its key is the base point of X25519 (RFC 7748 section 4.1): nobody will need
/// the secret.
const SA_INIT: [u8; 264] = [
    0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, // initiator's SPI
    0, 0, 0, 0, 0, 0, 0, 0, // responder's
    33, 0x20, 34, 0x08, // next: security association; version 2.0, IKE_SA_INIT from the initiator
    0, 0, 0, 0, 0, 0, 1, 8, // message id, length
    34, 0, 0, 176, // security association; next: key exchange
    2, 0, 0, 104, 1, 1, 0, 11, // proposal 1: IKE, eleven transforms
    3, 0, 0, 12, 1, 0, 0, 12, 0x80, 14, 1, 0, // AES-CBC-256
    3, 0, 0, 12, 1, 0, 0, 12, 0x80, 14, 0, 128, // AES-CBC-128
    3, 0, 0, 8, 1, 0, 0, 3, // 3DES
    3, 0, 0, 8, 2, 0, 0, 5, 3, 0, 0, 8, 2, 0, 0, 2, // SHA-256 and SHA-1 make keys,
    3, 0, 0, 8, 3, 0, 0, 12, 3, 0, 0, 8, 3, 0, 0, 2, // and prove integrity
    3, 0, 0, 8, 4, 0, 0, 31, 3, 0, 0, 8, 4, 0, 0, 19, // groups: X25519, P-256,
    3, 0, 0, 8, 4, 0, 0, 14, 0, 0, 0, 8, 4, 0, 0, 2, // 2048 and 1024 bits
    0, 0, 0, 68, 2, 1, 0, 7, // proposal 2: IKE, seven transforms
    3, 0, 0, 12, 1, 0, 0, 20, 0x80, 14, 1, 0, // AES-GCM-256
    3, 0, 0, 8, 2, 0, 0, 5, 3, 0, 0, 8, 2, 0, 0, 6, // SHA-256 and SHA-384 make keys
    3, 0, 0, 8, 4, 0, 0, 31, 3, 0, 0, 8, 4, 0, 0, 19, // groups: X25519, P-256,
    3, 0, 0, 8, 4, 0, 0, 20, 0, 0, 0, 8, 4, 0, 0, 14, // P-384, 2048 bits
    40, 0, 0, 40, 0, 31, 0, 0, // key exchange in group 31; next: nonce
    9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, //
    0, 0, 0, 20, // nonce
    0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, //
    0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, //
];

/// Four zeros, which are no SPI of ESP, and the message.
const fn marked<const N: usize, const M: usize>(message: &[u8; N]) -> [u8; M] {
    assert!(M == N + 4, "a marker has four octets");
    let mut marked = [0; M];
    let (_, mut to) = marked.split_at_mut(4);
    let mut from = message.as_slice();
    while let ([to_first, to_rest @ ..], [from_first, from_rest @ ..]) = (to, from) {
        *to_first = *from_first;
        (to, from) = (to_rest, from_rest);
    }
    marked
}

/// Payloads of this kind.
pub(super) const TABLE: &[Payload] = &[
    Payload {
        service: "isakmp",
        ports: &[500],
        octets: &SA_INIT,
        cookie: &[octets(0, 8), octets(248, 8), octets(256, 8)],
        reply: RESPONSE,
        source: "RFC 7296 sections 1.2, 3.1 and 3.3",
        ..PLAIN
    },
    Payload {
        service: "isakmp",
        ports: &[500],
        octets: &MAIN_MODE,
        cookie: &[octets(0, 8)],
        reply: MESSAGE,
        source: "RFC 2408 section 3, RFC 2409 section 5 and appendix A",
        ..PLAIN
    },
    Payload {
        service: "ipsec-nat-t",
        ports: &[4500],
        octets: &marked::<264, 268>(&SA_INIT),
        cookie: &[octets(4, 8), octets(252, 8), octets(260, 8)],
        reply: MARKED_RESPONSE,
        source: "RFC 3948 section 2.2, RFC 7296 section 2.23",
        ..PLAIN
    },
    Payload {
        service: "ipsec-nat-t",
        ports: &[4500],
        octets: &marked::<184, 188>(&MAIN_MODE),
        cookie: &[octets(4, 8)],
        reply: MARKED_MESSAGE,
        source: "RFC 3948 section 2.2, RFC 2409 section 5",
        ..PLAIN
    },
    Payload {
        service: "openvpn",
        ports: &[1194],
        // P_CONTROL_HARD_RESET_CLIENT_V2: our session, nothing to acknowledge, packet 0. Servers that want
        // every packet signed (tls-auth, tls-crypt) stay silent.
        octets: &[0x38, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0, 0, 0, 0, 0],
        cookie: &[octets(1, 8)],
        reply: Shape { least: 26, is: &[(0, 0xf8, 0x40), is(9, 1)], echo: Echo::At(14), ..Shape::ANY },
        source: "draft-openvpn-wire-protocol, control channel packets; OpenVPN, ssl_pkt.h",
        ..PLAIN
    },
    Payload {
        service: "l2tp",
        ports: &[1701],
        // Start-Control-Connection-Request. What the tunnel is to be called on our side comes back.
        octets: b"\xc8\x02\0\x3d\0\0\0\0\0\0\0\0\x80\x08\0\0\0\0\0\x01\x80\x08\0\0\0\x02\x01\0\
                  \x80\x0a\0\0\0\x03\0\0\0\x03\x80\x0f\0\0\0\x07portproof\x80\x08\0\0\0\x09\xc0\xc0",
        cookie: &[octets(59, 2)],
        reply: Shape { least: 12, is: &[(0, 0xc8, 0xc8), (1, 0x0f, 2)], echo: Echo::At(4), ..Shape::ANY },
        source: "RFC 2661 sections 3.1, 4.4 and 6.1",
        ..PLAIN
    },
    Payload {
        service: "amt-relay",
        ports: &[2268],
        // The relay of Automatic Multicast Tunnelling is asked for its address; it says it with our nonce.
        octets: &[0x01, 0, 0, 0, 0xc0, 0xc0, 0xc0, 0xc0],
        cookie: &[octets(4, 4)],
        reply: Shape { least: 12, most: 24, is: &[is(0, 0x02)], echo: Echo::At(4), ..Shape::ANY },
        source: "RFC 7450 sections 5.1.1 and 5.1.2",
        ..PLAIN
    },
];
