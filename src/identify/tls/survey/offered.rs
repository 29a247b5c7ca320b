//! What a survey found.

use super::super::{Chosen, Exchanged, Version};

/// Different chains that are kept: servers have one for each kind of key.
const MOST_CHAINS: usize = 4;

/// What a server takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offered {
    /// Versions that it takes, the oldest first.
    pub versions: Vec<VersionOffer>,
    /// Versions that it does not take.
    pub refused: Vec<Version>,
    /// Versions of which neither was shown.
    pub unknown: Vec<Version>,
    /// Connections that were asked for.
    pub asked: usize,
    /// Everything that fresh keys were agreed on over, each once.
    pub exchanged: Vec<Exchanged>,
    /// Whether it took compression (CVE-2012-4929).
    pub compresses: bool,
    /// Whether it answered without binding renegotiation to the connection (RFC 5746).
    pub insecure_renegotiation: bool,
    /// A version that it marked to speak as well (RFC 8446 section 4.1.3).
    pub knows: Option<Version>,
    /// Chains of certificates that were seen in the clear.
    pub chains: Vec<Vec<Vec<u8>>>,
}

/// What it takes in one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionOffer {
    /// The version.
    pub version: Version,
    /// Suites that it takes: in its order, if it has one; else in no order that means anything.
    pub suites: Vec<u16>,
    /// Whether it goes by an order of its own rather than by the client's. `None`: not shown.
    pub server_order: Option<bool>,
    /// Whether the suites are all that there are; else it takes at least these.
    pub complete: bool,
}

impl Offered {
    /// Whether everything was shown: of each version whether it is taken, and all of its suites.
    pub fn is_complete(&self) -> bool {
        self.unknown.is_empty() && self.versions.iter().all(|offer| offer.complete)
    }

    /// What it takes in this version.
    pub fn version(&self, version: Version) -> Option<&VersionOffer> {
        self.versions.iter().find(|offer| offer.version == version)
    }
}

/// What was seen on the way.
#[derive(Debug, Default)]
pub(super) struct Seen(Offered);

impl Seen {
    pub(super) fn note(&mut self, chosen: &Chosen) {
        let Offered { exchanged, chains, .. } = &mut self.0;
        exchanged.extend(chosen.exchanged.filter(|way| !exchanged.contains(way)));
        let is_new = !chains.iter().any(|chain| chain.first() == chosen.certificates.first());
        if !chosen.certificates.is_empty() && is_new && chains.len() < MOST_CHAINS {
            chains.push(chosen.certificates.clone());
        }
        self.0.compresses |= chosen.compression != 0;
        self.0.insecure_renegotiation |= !chosen.secure_renegotiation;
        self.0.knows = self.0.knows.max(chosen.knows);
    }

    pub(super) fn with(
        &self,
        versions: Vec<VersionOffer>,
        refused: Vec<Version>,
        unknown: Vec<Version>,
        asked: usize,
    ) -> Offered {
        Offered { versions, refused, unknown, asked, ..self.0.clone() }
    }
}
