//! Our `ClientHello`: for exactly one version, or for all of them at once. Only for asking, never for a
//! connection that carries data: the public value of its key share has no private one.

use std::net::IpAddr;

use super::{
    Version, group,
    octets::{put_list, words},
    randoms::derived,
    suites::{Suite, suites},
};

/// Instead of the extension, where there are none (RFC 5746 section 3.3).
const RENEGOTIATION_SCSV: u16 = 0x00ff;
/// Signatures of TLS 1.2 and 1.3, with SHA-1 and MD5 as well, so that servers that have nothing better
/// answer (RFC 8446 section 4.2.3, RFC 5246 section 7.4.1.4.1, RFC 8734).
const SIGNATURES: &[u16] = &[
    0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0804, 0x0805, 0x0806, 0x0809, 0x080a, 0x080b, 0x0401, 0x0501,
    0x0601, 0x081a, 0x081b, 0x081c, 0x0904, 0x0905, 0x0906, 0x0402, 0x0502, 0x0602, 0x0303, 0x0301, 0x0302,
    0x0203, 0x0201, 0x0202, 0x0101,
];
/// The longest name of a host (RFC 1035 section 2.3.4).
const LONGEST_NAME: usize = 253;

/// A hello to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The highest version. A server that knows it can only take this one, or answer with an older one; of TLS
    /// 1.3 it can't take an older one either, unless the offer is wide.
    pub version: Version,
    /// In TLS 1.0 to 1.3: which one the server likes best.
    pub is_wide: bool,
    /// Numbers of the suites, in this order.
    pub suites: Vec<u16>,
    /// Whom we want; left out if it is an address (RFC 6066 section 3) or no name of a host.
    pub name: Option<String>,
    /// Protocols above; none leaves the extension out.
    pub alpn: &'static [&'static str],
    /// Random octets: the session and the key share follow from them.
    pub random: [u8; 32],
}

impl Offer {
    /// These suites in this version and no other.
    pub fn exactly(version: Version, suites: Vec<u16>, name: Option<String>, random: [u8; 32]) -> Self {
        Self { version, is_wide: false, suites, name, alpn: &[], random }
    }

    /// A hello for finding out whether it is TLS at all: everything from TLS 1.0 to 1.3, with all the usual
    /// suites.
    pub fn wide(name: Option<String>, random: [u8; 32]) -> Self {
        let of = |version| suites().filter(move |suite: &Suite| suite.is_usual() && suite.is_of(version));
        let mut suites: Vec<Suite> = of(Version::Tls13).chain(of(Version::Tls12)).collect();
        // The good ones first, as clients have them, so that a server that follows shows what it does for them.
        suites.sort_by_key(|suite| !(suite.is_aead && suite.has_forward_secrecy()));
        let suites = suites.iter().map(|suite| suite.id).collect();
        Self { version: Version::Tls13, is_wide: true, suites, name, alpn: &[], random }
    }

    /// As one record. A hello of 256 to 511 octets hangs some old load balancers (RFC 7685 section 1) and is
    /// padded to 512; without extensions, that is in SSL 3.0, it can't be.
    pub fn record(&self) -> Vec<u8> {
        let mut body = self.head();
        if self.version > Version::Ssl3 {
            let mut extensions = self.extensions();
            let length = 4 + body.len() + 2 + extensions.len();
            if (256..512).contains(&length) {
                // Not empty: some servers choke on an empty extension at the end.
                extension(&mut extensions, 21, &vec![0; 512_usize.saturating_sub(length + 4).max(1)]);
            }
            put_list(&mut body, 2, &extensions);
        }
        let mut handshake = vec![1];
        put_list(&mut handshake, 3, &body);
        // The version of the record is that of the first TLS, since servers are known that refuse a later one
        // (RFC 8446 section 5.1, RFC 5246 appendix E.1).
        let outer = self.version.min(Version::Tls10);
        let mut record = vec![22];
        record.extend_from_slice(&outer.wire().to_be_bytes());
        put_list(&mut record, 2, &handshake);
        record
    }

    /// Everything before the extensions.
    fn head(&self) -> Vec<u8> {
        let is_newest = self.version == Version::Tls13;
        let mut head = self.version.min(Version::Tls12).wire().to_be_bytes().to_vec();
        head.extend_from_slice(&self.random);
        // Boxes in between want to see a session in TLS 1.3 (RFC 8446 appendix D.4).
        let session = derived(&self.random, b"session");
        put_list(&mut head, 1, if is_newest { &session } else { &[] });
        let scsv = (self.version == Version::Ssl3).then_some(RENEGOTIATION_SCSV);
        put_list(&mut head, 2, &words(self.suites.iter().copied().chain(scsv)));
        // DEFLATE (RFC 3749), to see who still takes it; in TLS 1.3 that is an error.
        put_list(&mut head, 1, if is_newest { &[0] } else { &[1, 0] });
        head
    }

    /// The same over datagrams: with a cookie, and without a session.
    pub(super) fn dtls_head(&self, version: [u8; 2], cookie: &[u8]) -> Vec<u8> {
        let mut head = version.to_vec();
        head.extend_from_slice(&self.random);
        put_list(&mut head, 1, &[]);
        put_list(&mut head, 1, cookie);
        put_list(&mut head, 2, &words(self.suites.iter().copied()));
        put_list(&mut head, 1, &[1, 0]);
        head
    }

    pub(super) fn extensions(&self) -> Vec<u8> {
        let mut all = Vec::new();
        if let Some(name) = self.name.as_deref().and_then(host) {
            let mut list = vec![0];
            put_list(&mut list, 2, name.as_bytes());
            extension(&mut all, 0, &listed(2, &list));
        }
        let is_newest = self.version == Version::Tls13;
        let groups = match (is_newest, self.is_wide) {
            (true, false) => group::NEWEST,
            _ => group::CLASSIC,
        };
        extension(&mut all, 10, &listed(2, &words(groups.iter().copied())));
        if !is_newest || self.is_wide {
            extension(&mut all, 11, &[3, 0, 1, 2]);
            extension(&mut all, 23, &[]);
        }
        extension(&mut all, 13, &listed(2, &words(SIGNATURES.iter().copied())));
        if !self.alpn.is_empty() {
            let mut list = Vec::new();
            for protocol in self.alpn {
                put_list(&mut list, 1, protocol.as_bytes());
            }
            extension(&mut all, 16, &listed(2, &list));
        }
        if is_newest {
            self.newest(&mut all);
        }
        extension(&mut all, 0xff01, &[0]);
        all
    }

    /// Extensions of TLS 1.3 (RFC 8446 sections 4.2.1, 4.2.8, 4.2.9). Any 32 octets are a public value of
    /// X25519 (RFC 7748 section 5).
    fn newest(&self, all: &mut Vec<u8>) {
        let oldest = if self.is_wide { Version::Tls10 } else { Version::Tls13 };
        let versions = Version::ALL.into_iter().rev().filter(|version| *version >= oldest);
        extension(all, 43, &listed(1, &words(versions.map(Version::wire))));
        extension(all, 45, &[1, 1]);
        let mut share = vec![0, 29];
        put_list(&mut share, 2, &derived(&self.random, b"share"));
        extension(all, 51, &listed(2, &share));
    }
}

fn extension(all: &mut Vec<u8>, kind: u16, content: &[u8]) {
    all.extend_from_slice(&kind.to_be_bytes());
    put_list(all, 2, content);
}

fn listed(octets: usize, list: &[u8]) -> Vec<u8> {
    let mut listed = Vec::with_capacity(list.len() + octets);
    put_list(&mut listed, octets, list);
    listed
}

/// A name of a host as the extension wants it: ASCII, without the final dot.
pub(super) fn host(name: &str) -> Option<&str> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let is_fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let is_name = !name.is_empty() && name.len() <= LONGEST_NAME && name.chars().all(is_fine);
    (is_name && name.parse::<IpAddr>().is_err()).then_some(name)
}
