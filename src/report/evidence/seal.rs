//! Signatures over the bytes of a report: Ed25519 over SHA-256 in the framing of `ssh-keygen -Y` (OpenSSH,
//! PROTOCOL.sshsig), so that they can be made and checked without portproof.

use ssh_key::{Algorithm, HashAlg, LineEnding, PrivateKey, PublicKey, SshSig};
use thiserror::Error;

/// What a signature is for, so that one made for something else can't stand in: `ssh-keygen -Y verify -n`.
pub const NAMESPACE: &str = "portproof-evidence";

/// A private key that signs.
#[derive(Debug)]
pub struct Key(PrivateKey);

/// Why a key can't sign.
#[derive(Debug, Error)]
pub enum KeyError {
    /// Its file is something else.
    #[error("no private key in the format of OpenSSH: {0}")]
    NoKey(ssh_key::Error),
    /// Its file is nothing of the kind.
    #[error("no private key in the format of OpenSSH")]
    Foreign,
    /// A passphrase protects it.
    #[error("the key is protected by a passphrase")]
    Encrypted,
    /// It is of another kind.
    #[error("a key of the kind {0}; portproof signs with ssh-ed25519")]
    Kind(Algorithm),
    /// It could not be used.
    #[error("the key does not sign: {0}")]
    Unusable(ssh_key::Error),
}

impl Key {
    /// Reads a private key file of OpenSSH.
    pub fn read(pem: &[u8]) -> Result<Self, KeyError> {
        if !pem.trim_ascii_start().starts_with(b"-----BEGIN OPENSSH PRIVATE KEY-----") {
            return Err(KeyError::Foreign);
        }
        let key = PrivateKey::from_openssh(pem).map_err(|error| match error {
            ssh_key::Error::AlgorithmUnsupported { algorithm } => KeyError::Kind(algorithm),
            error => KeyError::NoKey(error),
        })?;
        match key.algorithm() {
            _ if key.is_encrypted() => Err(KeyError::Encrypted),
            Algorithm::Ed25519 => Ok(Self(key)),
            other => Err(KeyError::Kind(other)),
        }
    }

    /// Signs the bytes of a report: the text of a `.sig` file. The same bytes give the same signature.
    pub fn sign(&self, report: &[u8]) -> Result<String, KeyError> {
        let signed = self.0.sign(NAMESPACE, HashAlg::Sha256, report).map_err(KeyError::Unusable)?;
        let mut text = signed.to_pem(LineEnding::LF).map_err(KeyError::Unusable)?;
        if !text.ends_with('\n') {
            text.push('\n');
        }
        Ok(text)
    }

    /// `SHA256:...`, as ssh-keygen shows it.
    pub fn fingerprint(&self) -> String {
        self.0.fingerprint(HashAlg::Sha256).to_string()
    }
}

/// A signature that holds: the bytes are those that the owner of this key signed.
#[derive(Clone, Debug)]
pub struct Seal(PublicKey);

/// Why a signature does not hold.
#[derive(Debug, Error)]
pub enum SealError {
    /// It is no signature that can be read.
    #[error("the signature can't be read: {0}")]
    Unreadable(ssh_key::Error),
    /// It was made for something else.
    #[error("the signature is for `{0}`, not for `{NAMESPACE}`")]
    Namespace(String),
    /// It is of a kind that is not checked here.
    #[error("the signature is of the kind {0}, which ssh-keygen -Y verify checks and portproof does not")]
    Kind(Algorithm),
    /// The bytes are not those that were signed.
    #[error("the signature does not fit: the report was altered after it was signed")]
    Altered,
}

impl Seal {
    /// Holds a signature against the bytes of a report. Whose the key is remains to be asked
    /// ([`Signers`](super::Signers)).
    pub fn check(report: &[u8], signature: &[u8]) -> Result<Self, SealError> {
        let signature = SshSig::from_pem(signature).map_err(SealError::Unreadable)?;
        if signature.namespace() != NAMESPACE {
            return Err(SealError::Namespace(crate::model::clean(signature.namespace())));
        }
        if !matches!(signature.algorithm(), Algorithm::Ed25519 | Algorithm::SkEd25519) {
            return Err(SealError::Kind(signature.algorithm()));
        }
        let key = PublicKey::from(signature.public_key().clone());
        key.verify(NAMESPACE, report, &signature).map_err(|_| SealError::Altered)?;
        Ok(Self(key))
    }

    /// `SHA256:...`, as ssh-keygen shows it.
    pub fn fingerprint(&self) -> String {
        self.0.fingerprint(HashAlg::Sha256).to_string()
    }

    pub(super) fn is_by(&self, key: &PublicKey) -> bool {
        self.0.key_data() == key.key_data()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Of RFC 8032, section 7.1, test 1, in OpenSSH's armour.
    pub(in crate::report::evidence) fn key() -> Key {
        let seed = [
            0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4,
            0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
        ];
        Key(ssh_key::private::Ed25519Keypair::from_seed(&seed).into())
    }

    pub(in crate::report::evidence) fn public(key: &Key) -> String {
        key.0.public_key().to_openssh().unwrap()
    }

    #[test]
    fn the_same_bytes_give_the_same_signature_and_it_holds() {
        let signature = key().sign(b"report").unwrap();
        assert_eq!(signature, key().sign(b"report").unwrap());
        assert!(signature.starts_with("-----BEGIN SSH SIGNATURE-----\n"));
        assert!(signature.ends_with("\n-----END SSH SIGNATURE-----\n"));
        let seal = Seal::check(b"report", signature.as_bytes()).unwrap();
        assert_eq!(seal.fingerprint(), key().fingerprint());
    }

    #[test]
    fn one_changed_byte_breaks_the_signature() {
        let signature = key().sign(b"report").unwrap();
        assert!(matches!(Seal::check(b"Report", signature.as_bytes()), Err(SealError::Altered)));
        for cut in [0, 1, signature.len() / 2] {
            assert!(Seal::check(b"report", &signature.as_bytes()[..cut]).is_err(), "{cut}");
        }
    }

    #[test]
    fn a_signature_for_something_else_can_not_stand_in() {
        let signature = key().0.sign("file", HashAlg::Sha256, b"report").unwrap();
        let text = signature.to_pem(LineEnding::LF).unwrap();
        let refused = Seal::check(b"report", text.as_bytes()).unwrap_err();
        assert_eq!(refused.to_string(), "the signature is for `file`, not for `portproof-evidence`");
    }

    #[test]
    fn what_ssh_keygen_hashes_by_sha512_holds_as_well() {
        let signature = key().0.sign(NAMESPACE, HashAlg::Sha512, b"report").unwrap();
        let text = signature.to_pem(LineEnding::LF).unwrap();
        assert!(Seal::check(b"report", text.as_bytes()).is_ok());
    }
}
