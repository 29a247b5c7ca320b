//! Groups of Diffie-Hellman by number (the registry of supported groups at IANA; RFC 8422, RFC 7919).

/// Number, name, and the size of the field in bits: for hybrids with a lattice, that of the curve.
const GROUPS: &[(u16, &str, u16)] = &[
    (1, "sect163k1", 163),
    (2, "sect163r1", 163),
    (3, "sect163r2", 163),
    (4, "sect193r1", 193),
    (5, "sect193r2", 193),
    (6, "sect233k1", 233),
    (7, "sect233r1", 233),
    (8, "sect239k1", 239),
    (9, "sect283k1", 283),
    (10, "sect283r1", 283),
    (11, "sect409k1", 409),
    (12, "sect409r1", 409),
    (13, "sect571k1", 571),
    (14, "sect571r1", 571),
    (15, "secp160k1", 160),
    (16, "secp160r1", 160),
    (17, "secp160r2", 160),
    (18, "secp192k1", 192),
    (19, "secp192r1", 192),
    (20, "secp224k1", 224),
    (21, "secp224r1", 224),
    (22, "secp256k1", 256),
    (23, "secp256r1", 256),
    (24, "secp384r1", 384),
    (25, "secp521r1", 521),
    (26, "brainpoolP256r1", 256),
    (27, "brainpoolP384r1", 384),
    (28, "brainpoolP512r1", 512),
    (29, "x25519", 255),
    (30, "x448", 448),
    (31, "brainpoolP256r1tls13", 256),
    (32, "brainpoolP384r1tls13", 384),
    (33, "brainpoolP512r1tls13", 512),
    (41, "curveSM2", 256),
    (0x0100, "ffdhe2048", 2048),
    (0x0101, "ffdhe3072", 3072),
    (0x0102, "ffdhe4096", 4096),
    (0x0103, "ffdhe6144", 6144),
    (0x0104, "ffdhe8192", 8192),
    (0x11eb, "SecP256r1MLKEM768", 256),
    (0x11ec, "X25519MLKEM768", 255),
    (0x11ed, "SecP384r1MLKEM1024", 384),
];

/// Its name.
pub fn group_name(group: u16) -> Option<&'static str> {
    GROUPS.iter().find(|(number, ..)| *number == group).map(|(_, name, _)| *name)
}

/// Bits of its field.
pub fn group_bits(group: u16) -> Option<u16> {
    GROUPS.iter().find(|(number, ..)| *number == group).map(|(.., bits)| *bits)
}

/// Whether it is a prime field rather than a curve.
pub(super) fn is_finite_field(group: u16) -> bool {
    group >> 8 == 1
}

/// What we offer up to TLS 1.2: what is in use first, so that a server that follows the client is asked for
/// something that it surely has; then whatever else some server may insist on.
pub(super) const CLASSIC: &[u16] = &[
    29, 23, 24, 25, 30, 26, 27, 28, 22, 21, 20, 19, 18, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 17,
    16, 15, 0x0100, 0x0101, 0x0102, 0x0103, 0x0104,
];

/// What we offer in TLS 1.3.
pub(super) const NEWEST: &[u16] =
    &[29, 23, 24, 25, 30, 31, 32, 33, 0x11ec, 0x11eb, 0x11ed, 0x0100, 0x0101, 0x0102, 0x0103, 0x0104];
