//! Mozilla's guideline for servers, as data, and what falls short of it. Only what is weaker is said: a server
//! may have fewer suites, stronger keys or newer curves than the guideline lists. Order, HSTS, stapling and
//! lifespans are not judged.

use std::fmt;

use super::{
    Certificate, Exchanged, Key, Offered, Suite, Version,
    group::{self, group_bits, group_name},
};

/// Which edition the lists follow: <https://ssl-config.mozilla.org/guidelines/5.7.json>. Later ones (5.8, 6.0)
/// drop DHE and then the profile `old`; servers that were set up by 5.7 would fail by them.
pub const GUIDELINE: &str = "Mozilla Server Side TLS 5.7";

/// How strict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Profile {
    /// TLS 1.3 alone.
    Modern,
    /// TLS 1.2 with forward secrecy, and TLS 1.3.
    Intermediate,
    /// Everything from TLS 1.0 that clients of old need.
    Old,
}

/// RFC 8446 appendix B.4.
const NEWEST: &[u16] = &[0x1301, 0x1302, 0x1303];
/// ECDHE and DHE with AES-GCM and `ChaCha20`.
const INTERMEDIATE: &[u16] = &[0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0x009e, 0x009f, 0xccaa];
/// What comes to that: CBC, RSA without forward secrecy, and 3DES.
const OLD: &[u16] = &[
    0xc023, 0xc027, 0xc009, 0xc013, 0xc024, 0xc028, 0xc00a, 0xc014, 0x0067, 0x006b, 0x009c, 0x009d, 0x003c,
    0x003d, 0x002f, 0x0035, 0x000a,
];

impl Profile {
    /// All of them, the strictest first.
    pub const ALL: [Self; 3] = [Self::Modern, Self::Intermediate, Self::Old];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Modern => "modern",
            Self::Intermediate => "intermediate",
            Self::Old => "old",
        }
    }

    /// By its name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.name() == name)
    }

    /// The oldest version that it allows; every later one is allowed as well.
    pub const fn oldest(self) -> Version {
        match self {
            Self::Modern => Version::Tls13,
            Self::Intermediate => Version::Tls12,
            Self::Old => Version::Tls10,
        }
    }

    /// Whether it allows a suite in the versions that it allows.
    pub fn allows(self, suite: u16) -> bool {
        NEWEST.contains(&suite)
            || (self != Self::Modern && INTERMEDIATE.contains(&suite))
            || (self == Self::Old && OLD.contains(&suite))
    }

    /// Fewest bits of a prime for Diffie-Hellman.
    const fn dh_bits(self) -> u16 {
        match self {
            Self::Old => 1024,
            Self::Modern | Self::Intermediate => 2048,
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One thing that is weaker than a profile wants it. Displayed as a clause about the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weakness {
    /// Which profile.
    pub profile: Profile,
    /// What.
    pub what: Weak,
}

/// What is weaker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Weak {
    /// It offers this version.
    Version(Version),
    /// It takes this suite, in a version that is allowed as such.
    Suite(u16),
    /// It offers none of the versions that are wanted: from this one on.
    Missing(Version),
    /// A prime of so few bits.
    Dh(u16),
    /// A group of so few bits.
    Group(u16),
    /// A curve that the server made up.
    Explicit,
    /// A key made short on purpose.
    Export(u16),
    /// It compresses, which gives secrets away (CVE-2012-4929).
    Compression,
    /// The certificate's key.
    Key(Key),
    /// What the certificate is signed with.
    Signature(String),
}

/// Everything that is weaker than this profile, in what a survey found and in the server's certificate.
/// What a survey left unknown is not held against anybody.
pub fn weaknesses(profile: Profile, offered: &Offered, leaf: Option<&Certificate>) -> Vec<Weakness> {
    let oldest = profile.oldest();
    let mut found: Vec<Weak> = Vec::new();
    for offer in &offered.versions {
        // The suites of a version that should not be there need no list: it goes with all of them.
        if offer.version < oldest {
            found.push(Weak::Version(offer.version));
            continue;
        }
        for suite in offer.suites.iter().filter(|suite| !profile.allows(**suite)) {
            if !found.contains(&Weak::Suite(*suite)) {
                found.push(Weak::Suite(*suite));
            }
        }
    }
    let wanted = || Version::ALL.into_iter().filter(|version| *version >= oldest);
    if wanted().all(|version| offered.refused.contains(&version)) {
        found.push(Weak::Missing(oldest));
    }
    found.extend(offered.exchanged.iter().filter_map(|way| exchange(profile, *way)));
    if offered.compresses {
        found.push(Weak::Compression);
    }
    if let Some(leaf) = leaf {
        found.extend(key(profile, &leaf.key));
        if leaf.signature.is_weak {
            found.push(Weak::Signature(leaf.signature.name.clone()));
        }
    }
    found.into_iter().map(|what| Weakness { profile, what }).collect()
}

/// P-256 is the least of the curves; X25519, with a field of 255 bits, is as good.
const LEAST_CURVE: u16 = 255;

fn exchange(profile: Profile, way: Exchanged) -> Option<Weak> {
    match way {
        Exchanged::Dh { bits } => (bits < profile.dh_bits()).then_some(Weak::Dh(bits)),
        Exchanged::Group(number) if !group::is_finite_field(number) => {
            group_bits(number).is_some_and(|bits| bits < LEAST_CURVE).then_some(Weak::Group(number))
        }
        Exchanged::Group(_) => None,
        Exchanged::Explicit => Some(Weak::Explicit),
        Exchanged::Rsa { bits } => Some(Weak::Export(bits)),
    }
}

fn key(profile: Profile, key: &Key) -> Option<Weak> {
    let is_weak = match key {
        Key::Rsa { bits } => *bits < 2048 || profile == Profile::Modern,
        // A field of no known size is not judged.
        Key::Ec { bits, .. } => (1..LEAST_CURVE).contains(bits),
        Key::Dsa { .. } => true,
        Key::Modern(_) | Key::Other(_) => false,
    };
    is_weak.then(|| Weak::Key(key.clone()))
}

impl fmt::Display for Weakness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { profile, what } = self;
        match what {
            Weak::Version(version) => write!(f, "offers {version}, which profile {profile} does not allow"),
            Weak::Suite(suite) => {
                write!(f, "accepts {}, which profile {profile} does not allow", Suite::label(*suite))
            }
            Weak::Missing(Version::Tls13) => {
                write!(f, "does not offer TLS 1.3, which profile {profile} requires")
            }
            Weak::Missing(oldest) => {
                write!(f, "offers no version from {oldest} on, of which profile {profile} requires one")
            }
            Weak::Dh(bits) => write!(
                f,
                "agrees on keys over a Diffie-Hellman prime of {bits} bits, where profile {profile} requires {}",
                profile.dh_bits()
            ),
            Weak::Group(group) => write!(
                f,
                "agrees on keys over {}, which is weaker than profile {profile} allows",
                group_name(*group).unwrap_or("an unknown group")
            ),
            Weak::Explicit => {
                write!(f, "agrees on keys over a curve of its own, which profile {profile} does not allow")
            }
            Weak::Export(bits) => write!(
                f,
                "encrypts keys to an RSA key of {bits} bits made for export, which profile {profile} does not allow"
            ),
            Weak::Compression => write!(f, "compresses, which profile {profile} does not allow"),
            Weak::Key(key) => {
                write!(f, "has a certificate with {key}, which profile {profile} does not allow")
            }
            Weak::Signature(name) => {
                write!(f, "has a certificate signed with {name}, which profile {profile} does not allow")
            }
        }
    }
}
