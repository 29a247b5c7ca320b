//! What DNS said, as data: planning and judging read it, `drive/resolve` fills it.

use std::{collections::HashMap, fmt, net::IpAddr, time::Duration};

use serde::{Deserialize, Serialize};

use crate::model::Family;

/// Every name that was asked, in every family.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Resolution {
    /// The servers asked.
    pub servers: Vec<String>,
    /// One a name and family, in the order of the manifest.
    pub answers: Vec<NameAnswer>,
}

/// What was said, found in one step a name and family.
#[derive(Debug, Default)]
pub struct Answers<'a>(HashMap<(&'a str, Family), &'a NameAnswer>);

impl<'a> Answers<'a> {
    /// What was said about a name in one family; `None` when it was not asked.
    pub fn of(&self, name: &str, family: Family) -> Option<&'a NameAnswer> {
        self.0.get(&(name, family)).copied()
    }
}

impl Resolution {
    /// An index of the answers.
    pub fn index(&self) -> Answers<'_> {
        let answers = self.answers.iter().rev(); // of two answers to one question the first counts
        Answers(answers.map(|answer| ((answer.name.as_str(), answer.family), answer)).collect())
    }

    /// Whether names were asked and no server answered anything.
    pub fn is_dead(&self) -> bool {
        !self.answers.is_empty()
            && self
                .answers
                .iter()
                .all(|answer| matches!(answer.outcome, DnsOutcome::Timeout | DnsOutcome::Other(_)))
    }
}

/// What DNS said about one name in one family.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameAnswer {
    /// As in the manifest: lower case, without the final dot.
    pub name: String,
    /// A or AAAA.
    pub family: Family,
    /// What became of the question.
    pub outcome: DnsOutcome,
    /// What the name resolved to, numerically ordered, canonical (no IPv4-mapped IPv6).
    pub addresses: Vec<IpAddr>,
    /// The aliases on the way (CNAME), in order: lower case, without the final dot, cleaned.
    pub chain: Vec<String>,
    /// The smallest time to live of the answer.
    pub ttl: Option<Duration>,
}

/// What became of a question to DNS. A failure of the server is not an answer: it never means that
/// a name has no address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DnsOutcome {
    /// At least one address.
    Answered,
    /// The name exists and has no address of this family (RFC 2308 NODATA).
    NoData,
    /// The name does not exist (RFC 8020).
    NxDomain,
    /// The server failed (RCODE 2).
    ServFail,
    /// The server refused to answer (RCODE 5).
    Refused,
    /// No server answered.
    Timeout,
    /// Anything else, cleaned.
    Other(String),
}

impl DnsOutcome {
    /// Whether DNS really answered the question.
    pub fn is_definite(&self) -> bool {
        matches!(self, Self::Answered | Self::NoData | Self::NxDomain)
    }

    /// The word used in reports.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::NoData => "no_data",
            Self::NxDomain => "nxdomain",
            Self::ServFail => "servfail",
            Self::Refused => "refused",
            Self::Timeout => "timeout",
            Self::Other(_) => "error",
        }
    }
}

impl fmt::Display for DnsOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered => f.write_str("answered"),
            Self::NoData => f.write_str("has no address of this family"),
            Self::NxDomain => f.write_str("does not exist (NXDOMAIN)"),
            Self::ServFail => f.write_str("could not be resolved: the name server failed (SERVFAIL)"),
            Self::Refused => f.write_str("could not be resolved: the name server refused to answer"),
            Self::Timeout => f.write_str("could not be resolved: no name server answered"),
            Self::Other(error) => write!(f, "could not be resolved: {error}"),
        }
    }
}
