//! Cipher suites that servers in the field may still choose: number, name, and what follows from the name.
//! Without those of shared keys, SRP, Kerberos and GOST, which nobody gets without an account.

mod classic;
mod later;

use std::sync::LazyLock;

use super::Version;

/// One cipher suite. The names of the registry are built by rule (RFC 5246 appendix A.5, RFC 8446 appendix
/// B.4), so that everything that is judged is read from them and no second table can contradict the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suite {
    /// Its number.
    pub id: u16,
    /// Its name at IANA.
    pub name: &'static str,
    /// How the key is agreed on.
    pub exchange: Exchange,
    /// What the server proves itself with. Of a static exchange: what signed its certificate.
    pub authentication: Authentication,
    /// What the data is encrypted with.
    pub cipher: Cipher,
    /// Encrypts and authenticates in one.
    pub is_aead: bool,
    /// The oldest version that has it. Suites over curves were made for TLS 1.0, but servers are known that
    /// choose them in SSL 3.0 as well.
    pub lowest: Version,
}

/// How the two agree on a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exchange {
    /// The client chooses it and encrypts it to the certificate's key.
    Rsa,
    /// The same with a short key made for it.
    RsaExport,
    /// Diffie-Hellman with the certificate's own value.
    Static,
    /// Diffie-Hellman over a prime field, fresh each time.
    Dhe,
    /// Diffie-Hellman over a curve, fresh each time.
    Ecdhe,
    /// TLS 1.3: not said by the suite, always fresh.
    Any,
}

/// What the server proves itself with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authentication {
    /// Nothing.
    Anonymous,
    /// An RSA key.
    Rsa,
    /// A DSA key.
    Dss,
    /// A key on a curve.
    Ecdsa,
    /// TLS 1.3: not said by the suite.
    Any,
}

/// What the data is encrypted with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cipher {
    /// Nothing.
    Null,
    /// Something with 40 or 56 bits on purpose.
    Export,
    /// RC2 or RC4 (RFC 7465).
    Rc4,
    /// DES.
    Des,
    /// Three times DES (RFC 7525 section 4.2).
    TripleDes,
    /// IDEA.
    Idea,
    /// SEED.
    Seed,
    /// Camellia.
    Camellia,
    /// ARIA.
    Aria,
    /// AES.
    Aes,
    /// `ChaCha20`.
    ChaCha20,
}

/// Every suite that is known here, by number.
pub fn suites() -> impl Iterator<Item = Suite> {
    static ALL: LazyLock<Vec<Suite>> = LazyLock::new(|| {
        classic::CLASSIC.iter().chain(later::LATER).map(|(id, name)| Suite::named(*id, name)).collect()
    });
    ALL.iter().copied()
}

/// The suite with this number.
pub fn suite(id: u16) -> Option<Suite> {
    suites().find(|suite| suite.id == id)
}

impl Suite {
    /// The name of a number, known or not.
    pub fn label(id: u16) -> String {
        suite(id).map_or_else(|| format!("cipher suite {id:#06x}"), |suite| suite.name.to_owned())
    }

    /// As its name says it: what comes before and behind `_WITH_`; of TLS 1.3 there is only the latter.
    fn named(id: u16, name: &'static str) -> Self {
        let parts = name.split_once('_').map_or(name, |(_, parts)| parts);
        let (before, behind) = parts.split_once("_WITH_").unwrap_or(("", parts));
        let is_aead = ["_GCM_", "_CCM", "POLY1305"].iter().any(|mode| name.contains(mode));
        let is_newer = is_aead || behind.contains("SHA256") || behind.contains("SHA384");
        Self {
            id,
            name,
            exchange: exchange(before),
            authentication: authentication(before),
            cipher: cipher(before, behind),
            is_aead,
            lowest: match (before, is_newer) {
                ("", _) => Version::Tls13,
                (_, true) => Version::Tls12,
                (_, false) => Version::Ssl3,
            },
        }
    }

    /// Whether a hello for this version may offer it: TLS 1.3 shares no suite with those before.
    pub fn is_of(self, version: Version) -> bool {
        self.lowest <= version && (version == Version::Tls13) == (self.lowest == Version::Tls13)
    }

    /// Whether who gets the server's key later still can't read what went over the wire.
    pub fn has_forward_secrecy(self) -> bool {
        matches!(self.exchange, Exchange::Dhe | Exchange::Ecdhe | Exchange::Any)
    }

    /// Whether it is of those that servers usually choose from. The others are asked for apart, since old
    /// servers lose themselves in a long list.
    pub fn is_usual(self) -> bool {
        let is_rare = matches!(self.cipher, Cipher::Camellia | Cipher::Aria | Cipher::Seed | Cipher::Idea);
        !is_rare
            && self.exchange != Exchange::Static
            && !matches!(self.authentication, Authentication::Anonymous | Authentication::Dss)
    }
}

fn exchange(before: &str) -> Exchange {
    let begins = |with: &str| before.starts_with(with);
    match before {
        "" => Exchange::Any,
        _ if begins("RSA_EXPORT") => Exchange::RsaExport,
        _ if begins("RSA") => Exchange::Rsa,
        _ if begins("DHE") || begins("DH_anon") => Exchange::Dhe,
        _ if begins("ECDHE") || begins("ECDH_anon") => Exchange::Ecdhe,
        _ => Exchange::Static,
    }
}

fn authentication(before: &str) -> Authentication {
    match before {
        "" => Authentication::Any,
        _ if before.contains("anon") => Authentication::Anonymous,
        _ if before.contains("ECDSA") => Authentication::Ecdsa,
        _ if before.contains("DSS") => Authentication::Dss,
        _ => Authentication::Rsa,
    }
}

fn cipher(before: &str, behind: &str) -> Cipher {
    const NAMES: [(&str, Cipher); 10] = [
        ("NULL", Cipher::Null),
        ("RC4", Cipher::Rc4),
        ("RC2", Cipher::Rc4),
        ("3DES", Cipher::TripleDes),
        ("DES", Cipher::Des),
        ("IDEA", Cipher::Idea),
        ("SEED", Cipher::Seed),
        ("CAMELLIA", Cipher::Camellia),
        ("ARIA", Cipher::Aria),
        ("CHACHA20", Cipher::ChaCha20),
    ];
    if before.contains("EXPORT") {
        return Cipher::Export;
    }
    let named = NAMES.iter().find(|(name, _)| behind.starts_with(name)).map(|(_, cipher)| *cipher);
    // RFC 9150: integrity, and nothing else.
    let is_bare = behind.starts_with("SHA");
    named.unwrap_or(if is_bare { Cipher::Null } else { Cipher::Aes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_sorted_and_names_are_unlike() {
        let all: Vec<Suite> = suites().collect();
        assert!(all.windows(2).all(|pair| pair[0].id < pair[1].id));
        let names: std::collections::BTreeSet<&str> = all.iter().map(|suite| suite.name).collect();
        assert_eq!(names.len(), all.len());
        assert_eq!(all.len(), 237);
    }

    #[test]
    fn what_is_judged_follows_from_the_name() {
        use {Authentication as A, Cipher as C, Exchange as E, Version as V};

        let told = |id: u16| {
            let suite = suite(id).unwrap();
            (suite.lowest, suite.exchange, suite.authentication, suite.cipher, suite.is_aead)
        };
        assert_eq!(told(0x0001), (V::Ssl3, E::Rsa, A::Rsa, C::Null, false));
        assert_eq!(told(0x0003), (V::Ssl3, E::RsaExport, A::Rsa, C::Export, false));
        assert_eq!(told(0x0005), (V::Ssl3, E::Rsa, A::Rsa, C::Rc4, false));
        assert_eq!(told(0x0009), (V::Ssl3, E::Rsa, A::Rsa, C::Des, false));
        assert_eq!(told(0x000a), (V::Ssl3, E::Rsa, A::Rsa, C::TripleDes, false));
        assert_eq!(told(0x0010), (V::Ssl3, E::Static, A::Rsa, C::TripleDes, false));
        assert_eq!(told(0x0017), (V::Ssl3, E::Dhe, A::Anonymous, C::Export, false));
        assert_eq!(told(0x0032), (V::Ssl3, E::Dhe, A::Dss, C::Aes, false));
        assert_eq!(told(0x003b), (V::Tls12, E::Rsa, A::Rsa, C::Null, false));
        assert_eq!(told(0x003c), (V::Tls12, E::Rsa, A::Rsa, C::Aes, false));
        assert_eq!(told(0x0096), (V::Ssl3, E::Rsa, A::Rsa, C::Seed, false));
        assert_eq!(told(0x1305), (V::Tls13, E::Any, A::Any, C::Aes, true));
        assert_eq!(told(0xc006), (V::Ssl3, E::Ecdhe, A::Ecdsa, C::Null, false));
        assert_eq!(told(0xc02b), (V::Tls12, E::Ecdhe, A::Ecdsa, C::Aes, true));
        assert_eq!(told(0xc031), (V::Tls12, E::Static, A::Rsa, C::Aes, true));
        assert_eq!(told(0xc09c), (V::Tls12, E::Rsa, A::Rsa, C::Aes, true));
        assert_eq!(told(0xc0b4), (V::Tls13, E::Any, A::Any, C::Null, false));
        assert_eq!(told(0xcca9), (V::Tls12, E::Ecdhe, A::Ecdsa, C::ChaCha20, true));
        assert_eq!(told(0xfeff), (V::Ssl3, E::Rsa, A::Rsa, C::TripleDes, false));
        assert_eq!(suite(0x00ff), None);
        assert_eq!(Suite::label(0xbeef), "cipher suite 0xbeef");
    }

    #[test]
    fn no_version_has_more_suites_of_a_kind_than_old_servers_bear() {
        for version in Version::ALL {
            let of = |usual: bool| suites().filter(|s| s.is_of(version) && s.is_usual() == usual).count();
            assert!(of(true) <= 120, "{version}: {}", of(true));
        }
    }
}
