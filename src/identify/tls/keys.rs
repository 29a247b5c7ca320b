//! What a certificate's key and signature are, by object identifier (RFC 3279, RFC 4055, RFC 5480, RFC 5758,
//! RFC 8410, RFC 9881).

use std::fmt;

use x509_parser::{
    der_parser::{asn1_rs::Oid, der::parse_der_integer},
    public_key::PublicKey,
    signature_algorithm::SignatureAlgorithm,
    x509::{AlgorithmIdentifier, SubjectPublicKeyInfo},
};

use super::answer::bits;
use crate::identify::bounded;

const RSA_PSS: &str = "1.2.840.113549.1.1.10";

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// RSA.
    Rsa {
        /// Bits of the modulus.
        bits: u16,
    },
    /// A point on a curve for ECDSA.
    Ec {
        /// The curve's name.
        curve: String,
        /// Bits of its field; 0 if that is not known.
        bits: u16,
    },
    /// DSA.
    Dsa {
        /// Bits of the prime.
        bits: u16,
    },
    /// Ed25519, Ed448, ML-DSA: all of them strong.
    Modern(&'static str),
    /// Anything else, by its object identifier.
    Other(String),
}

impl Key {
    pub(super) fn of(info: &SubjectPublicKeyInfo<'_>) -> Self {
        let id = info.algorithm.algorithm.to_id_string();
        let parameters = info.algorithm.parameters.as_ref();
        match (info.parsed(), id.as_str()) {
            (Ok(PublicKey::RSA(key)), _) => Self::Rsa { bits: bits(key.modulus) },
            (Ok(PublicKey::EC(point)), _) => {
                let named = parameters.and_then(|any| any.as_oid().ok()).map(|oid| oid.to_id_string());
                match named.as_deref().and_then(curve) {
                    Some((name, bits)) => Self::Ec { curve: name.to_owned(), bits },
                    None => Self::Ec {
                        curve: bounded(named.as_deref().unwrap_or("a curve of its own")),
                        bits: field(point.data()),
                    },
                }
            }
            (Ok(PublicKey::DSA(_)), _) => {
                let prime = parameters.and_then(|any| parse_der_integer(any.data).ok());
                let bits = prime.and_then(|(_, prime)| prime.as_slice().map(bits).ok());
                Self::Dsa { bits: bits.unwrap_or_default() }
            }
            (_, "1.3.101.112") => Self::Modern("Ed25519"),
            (_, "1.3.101.113") => Self::Modern("Ed448"),
            (_, "2.16.840.1.101.3.4.3.17") => Self::Modern("ML-DSA-44"),
            (_, "2.16.840.1.101.3.4.3.18") => Self::Modern("ML-DSA-65"),
            (_, "2.16.840.1.101.3.4.3.19") => Self::Modern("ML-DSA-87"),
            (_, RSA_PSS) => Self::Rsa { bits: pss_modulus(&info.subject_public_key.data) },
            (_, id) => Self::Other(bounded(id)),
        }
    }
}

/// The modulus behind a key that is for PSS only: the same structure (RFC 4055 section 1.2).
fn pss_modulus(key: &[u8]) -> u16 {
    use x509_parser::{der_parser::asn1_rs::FromDer, public_key::RSAPublicKey};
    RSAPublicKey::from_der(key).map(|(_, key)| bits(key.modulus)).unwrap_or_default()
}

/// Bits of a field from an uncompressed or a compressed point (SEC 1 section 2.3.3).
fn field(point: &[u8]) -> u16 {
    let octets = match point.first() {
        Some(4) => (point.len() - 1) / 2,
        Some(2 | 3) => point.len() - 1,
        _ => 0,
    };
    u16::try_from(octets.saturating_mul(8)).unwrap_or(u16::MAX)
}

fn curve(id: &str) -> Option<(&'static str, u16)> {
    Some(match id {
        "1.2.840.10045.3.1.1" => ("P-192", 192),
        "1.2.840.10045.3.1.7" => ("P-256", 256),
        "1.3.132.0.10" => ("secp256k1", 256),
        "1.3.132.0.33" => ("P-224", 224),
        "1.3.132.0.34" => ("P-384", 384),
        "1.3.132.0.35" => ("P-521", 521),
        "1.3.36.3.3.2.8.1.1.7" => ("brainpoolP256r1", 256),
        "1.3.36.3.3.2.8.1.1.11" => ("brainpoolP384r1", 384),
        "1.3.36.3.3.2.8.1.1.13" => ("brainpoolP512r1", 512),
        _ => return None,
    })
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa { bits } => write!(f, "RSA of {bits} bits"),
            Self::Ec { curve, .. } => write!(f, "ECDSA on {curve}"),
            Self::Dsa { bits } => write!(f, "DSA of {bits} bits"),
            Self::Modern(name) => f.write_str(name),
            Self::Other(id) => write!(f, "a key of kind {id}"),
        }
    }
}

/// What a certificate is signed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The algorithm's name, or its object identifier.
    pub name: String,
    /// Whether it is over a digest for which collisions can be made (MD2, MD5, SHA-1; RFC 9155).
    pub is_weak: bool,
}

impl Signature {
    pub(super) fn of(algorithm: &AlgorithmIdentifier<'_>) -> Self {
        let id = algorithm.algorithm.to_id_string();
        if id == RSA_PSS {
            return Self::of_pss(algorithm);
        }
        let (name, is_weak) = match id.as_str() {
            "1.2.840.113549.1.1.2" => ("md2WithRSAEncryption", true),
            "1.2.840.113549.1.1.3" => ("md4WithRSAEncryption", true),
            "1.2.840.113549.1.1.4" | "1.3.14.3.2.3" => ("md5WithRSAEncryption", true),
            "1.2.840.113549.1.1.5" | "1.3.14.3.2.29" => ("sha1WithRSAEncryption", true),
            "1.2.840.113549.1.1.11" => ("sha256WithRSAEncryption", false),
            "1.2.840.113549.1.1.12" => ("sha384WithRSAEncryption", false),
            "1.2.840.113549.1.1.13" => ("sha512WithRSAEncryption", false),
            "1.2.840.113549.1.1.14" => ("sha224WithRSAEncryption", false),
            "1.2.840.10045.4.1" => ("ecdsa-with-SHA1", true),
            "1.2.840.10045.4.3.1" => ("ecdsa-with-SHA224", false),
            "1.2.840.10045.4.3.2" => ("ecdsa-with-SHA256", false),
            "1.2.840.10045.4.3.3" => ("ecdsa-with-SHA384", false),
            "1.2.840.10045.4.3.4" => ("ecdsa-with-SHA512", false),
            "1.2.840.10040.4.3" | "1.3.14.3.2.27" => ("dsa-with-sha1", true),
            "2.16.840.1.101.3.4.3.1" => ("dsa-with-sha224", false),
            "2.16.840.1.101.3.4.3.2" => ("dsa-with-sha256", false),
            "1.3.101.112" => ("Ed25519", false),
            "1.3.101.113" => ("Ed448", false),
            "2.16.840.1.101.3.4.3.17" => ("ML-DSA-44", false),
            "2.16.840.1.101.3.4.3.18" => ("ML-DSA-65", false),
            "2.16.840.1.101.3.4.3.19" => ("ML-DSA-87", false),
            other => (other, false),
        };
        Self { name: bounded(name), is_weak }
    }

    /// Its digest is a parameter, and SHA-1 where there is none (RFC 4055 section 3.1). Only here may the
    /// crate's own reading be asked: in debug builds it prints what it does not know.
    fn of_pss(algorithm: &AlgorithmIdentifier<'_>) -> Self {
        let digest = match SignatureAlgorithm::try_from(algorithm) {
            Ok(SignatureAlgorithm::RSASSA_PSS(parameters)) => digest(parameters.hash_algorithm_oid()),
            _ => None,
        };
        let name = format!("RSASSA-PSS with {}", digest.unwrap_or("a digest that is not known"));
        Self { name, is_weak: digest == Some("SHA-1") }
    }
}

fn digest(id: &Oid<'_>) -> Option<&'static str> {
    Some(match id.to_id_string().as_str() {
        "1.3.14.3.2.26" => "SHA-1",
        "2.16.840.1.101.3.4.2.4" => "SHA-224",
        "2.16.840.1.101.3.4.2.1" => "SHA-256",
        "2.16.840.1.101.3.4.2.2" => "SHA-384",
        "2.16.840.1.101.3.4.2.3" => "SHA-512",
        _ => return None,
    })
}
