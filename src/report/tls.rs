//! What is written down of the TLS of an endpoint: each connection with its certificate, and everything that
//! there can be, where that was listed.

use data_encoding::BASE64;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::identify::{
    Portrait, Secured, Session,
    tls::{Certificate, Exchanged, Offered, Suite, Version},
};

/// The TLS of one endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TlsRecord {
    /// Connections that were set up, one for each name that was asked for.
    pub sessions: Vec<SessionRecord>,
    /// Everything that the server takes, for each name for which that was listed.
    pub offered: Vec<OfferedRecord>,
}

/// Everything that a server takes for one name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OfferedRecord {
    /// The name that was asked for (SNI); null for none.
    pub name: Option<String>,
    /// Each version that it takes.
    pub versions: Vec<OfferRecord>,
    /// Versions of which it is not known whether it takes them.
    pub unknown_versions: Vec<String>,
    /// What fresh keys were agreed on over: `dh 2048` (bits of the prime), `group 29` (its number at IANA),
    /// `rsa 512` (bits of a key for export), `explicit` (a group of the server's own).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key_exchanges: Vec<String>,
    /// It took compression.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub compression: bool,
    /// The server's certificate as it was sent in the clear, base64 of its DER, where no connection was set up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub der: Option<String>,
}

/// One connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SessionRecord {
    /// The name that was asked for (SNI); null for none.
    pub name: Option<String>,
    /// Whether it began in the clear (STARTTLS).
    pub starttls: bool,
    /// `TLS 1.3`.
    pub version: String,
    /// By its name at IANA; null where it was not told (QUIC).
    pub suite: Option<String>,
    /// Whether the chain leads to a root that is trusted.
    pub trusted: bool,
    /// Why not.
    pub untrusted_because: Option<String>,
    /// How many certificates were sent.
    pub chain_length: usize,
    /// The server's own; null where it can't be read.
    pub certificate: Option<CertificateRecord>,
}

/// What a certificate says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CertificateRecord {
    /// Whom it is for.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// The names and addresses that it speaks for, at most a hundred.
    pub names: Vec<String>,
    /// RFC 3339, UTC.
    pub not_before: String,
    /// RFC 3339, UTC.
    pub not_after: String,
    /// Whole days from the end of the run; negative once it is over.
    pub days_left: i64,
    /// Its key.
    pub key: String,
    /// What it is signed with.
    pub signature: String,
    /// In hexadecimal digits.
    pub serial: String,
    /// SHA-256 over all of it.
    pub sha256: String,
    /// Whether subject and issuer are the same.
    pub self_issued: bool,
    /// All of it, base64 of its DER, so that what is said of it can be checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub der: Option<String>,
}

/// One version of TLS, and what the server takes in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OfferRecord {
    /// `TLS 1.2`.
    pub version: String,
    /// By their names at IANA, as the server prefers them where it does.
    pub suites: Vec<String>,
    /// Whether these are all; else there may be more.
    pub complete: bool,
}

/// Names of a certificate that a report lists.
const MOST_NAMES: usize = 100;

impl TlsRecord {
    /// Of an endpoint that speaks TLS. `now`: the end of the run.
    pub(super) fn of(portrait: &Portrait, now: Timestamp) -> Option<Self> {
        if portrait.sessions.is_empty() && portrait.offered.is_empty() {
            return None;
        }
        Some(Self {
            sessions: portrait.sessions.iter().map(|session| SessionRecord::of(session, now)).collect(),
            offered: portrait
                .offered
                .iter()
                .map(|(name, offered)| {
                    let is_set_up = portrait.session(name.as_deref()).is_some();
                    OfferedRecord::of(name.as_deref(), offered, is_set_up, namer(portrait))
                })
                .collect(),
        })
    }
}

/// What versions are called there.
fn namer(portrait: &Portrait) -> fn(Version) -> String {
    let service = portrait.shown.as_ref().map(|shown| shown.service);
    match service.and_then(Secured::of) {
        Some(Secured::Dtls) => Version::datagram_name,
        _ => |version| version.to_string(),
    }
}

impl OfferedRecord {
    fn of(name: Option<&str>, offered: &Offered, is_set_up: bool, called: fn(Version) -> String) -> Self {
        let clear = offered.chains.first().and_then(|chain| chain.first());
        Self {
            name: name.map(str::to_owned),
            versions: offers(offered, called),
            unknown_versions: offered.unknown.iter().copied().map(called).collect(),
            key_exchanges: offered.exchanged.iter().map(|way| exchange(*way)).collect(),
            compression: offered.compresses,
            der: clear.filter(|_| !is_set_up).map(|der| BASE64.encode(der)),
        }
    }
}

impl SessionRecord {
    fn of(session: &Session, now: Timestamp) -> Self {
        let leaf = session.chain.first().and_then(|der| Some((Certificate::read(der)?, der)));
        Self {
            name: session.name.clone(),
            starttls: session.upgraded,
            version: session.version.clone(),
            suite: session.suite.clone(),
            trusted: session.trust.is_ok(),
            untrusted_because: session.trust.clone().err(),
            chain_length: session.chain.len(),
            certificate: leaf.map(|(leaf, der)| CertificateRecord::of(&leaf, der, now)),
        }
    }
}

impl CertificateRecord {
    fn of(leaf: &Certificate, der: &[u8], now: Timestamp) -> Self {
        let addresses = leaf.addresses.iter().map(ToString::to_string);
        Self {
            subject: leaf.subject.clone(),
            issuer: leaf.issuer.clone(),
            names: leaf.dns_names.iter().cloned().chain(addresses).take(MOST_NAMES).collect(),
            not_before: leaf.not_before.to_string(),
            not_after: leaf.not_after.to_string(),
            days_left: leaf.days_left(now),
            key: leaf.key.to_string(),
            signature: leaf.signature.name.clone(),
            serial: leaf.serial.clone(),
            sha256: leaf.fingerprint.clone(),
            self_issued: leaf.is_self_issued,
            der: Some(BASE64.encode(der)),
        }
    }
}

fn exchange(way: Exchanged) -> String {
    match way {
        Exchanged::Group(number) => format!("group {number}"),
        Exchanged::Explicit => "explicit".to_owned(),
        Exchanged::Dh { bits } => format!("dh {bits}"),
        Exchanged::Rsa { bits } => format!("rsa {bits}"),
    }
}

fn offers(offered: &Offered, called: fn(Version) -> String) -> Vec<OfferRecord> {
    let offer = |offer: &crate::identify::tls::VersionOffer| OfferRecord {
        version: called(offer.version),
        suites: offer.suites.iter().map(|suite| Suite::label(*suite)).collect(),
        complete: offer.complete,
    };
    offered.versions.iter().map(offer).collect()
}
