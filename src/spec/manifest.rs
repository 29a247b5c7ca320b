//! The manifest as it is meant: every default applied, every inheritance resolved, every name
//! looked up. `read` makes it; after that nothing in it can be wrong.

use std::{collections::BTreeMap, fmt, path::PathBuf, time::Duration};

use ipnet::IpNet;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{calendar::ahead, profile::PolicyProfile};
use crate::model::{Family, PortSet, Protocol, Scope, Severity};

/// A place in a manifest file. Lines and columns count from 1; columns are characters.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct Place {
    /// The file as it was named.
    pub path: String,
    /// From 1.
    pub line: u64,
    /// From 1.
    pub column: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.path, self.line, self.column)
    }
}

/// The document in which each exposure has an owner, a reason, an approval and a review date.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// Where it was read from; `None` for `--expect`.
    pub path: Option<PathBuf>,
    /// SHA-256 of the file's bytes, lower-case hex.
    pub sha256: String,
    /// Whose it is.
    pub metadata: Metadata,
    /// Who allowed the scan, and of what.
    pub authorization: Authorization,
    /// The vantage that the manifest speaks of unless `--vantage` says otherwise.
    pub vantage: Option<String>,
    /// Known vantages.
    pub vantages: BTreeMap<String, Vantage>,
    /// In the order of the file.
    pub targets: Vec<Target>,
    /// What the paperwork must hold.
    pub policy: Policy,
    /// Accepted deviations, in the order of the file.
    pub exceptions: Vec<Exception>,
    /// Lints of the paperwork, in the order of the file.
    pub lints: Vec<Lint>,
}

/// Whose manifest it is, and when it is reviewed.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs)] // the manifest's own keys
pub struct Metadata {
    pub name: Option<String>,
    pub owner: Option<String>,
    pub contact: Option<String>,
    pub environment: Option<String>,
    /// `review.last`.
    pub last_review: Option<Date>,
    /// `review.every`.
    pub review_every: Option<Duration>,
    /// Where `review` stands, else where `metadata` or the document begins.
    pub review_place: Option<Place>,
}

/// Leave to scan.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs)] // the manifest's own keys
pub struct Authorization {
    pub reference: Option<String>,
    pub authorized_by: Option<String>,
    /// The last day, inclusive, UTC.
    pub valid_until: Option<Date>,
    pub scope: Scope,
    /// Probes a second that the authorization allows at most.
    pub max_rate: Option<u64>,
    /// No `authorization` was written: the scope is the hosts as written.
    pub implied: bool,
    /// Where `valid_until` stands, else where `authorization` or the document begins.
    pub place: Option<Place>,
}

/// A place from which probes start.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs)] // the manifest's own keys
pub struct Vantage {
    pub sources: Vec<std::net::IpAddr>,
    /// Families this vantage has; both when it does not say.
    pub families: Vec<Family>,
    /// Ports that this vantage can't see, whatever their state (an access provider that drops 25/tcp).
    pub blind: Vec<(Protocol, PortSet)>,
}

/// One entry of `targets`, inheritance resolved.
#[derive(Clone, Debug)]
#[allow(missing_docs)] // the manifest's own keys
pub struct Target {
    pub id: String,
    pub place: Place,
    pub hosts: Vec<HostEntry>,
    /// Empty: not stated.
    pub expect_dns: Vec<std::net::IpAddr>,
    /// Role profiles, by name; every one exists.
    pub profiles: Vec<String>,
    pub tags: Vec<String>,
    pub owner: Option<String>,
    /// Every port named: services, the target's own entries, inheritance resolved, in file order.
    pub expose: Vec<Expose>,
    /// The target's own `deny`; role profiles add theirs when judging.
    pub deny: Vec<Deny>,
    /// The TCP ports asked of every address, besides those it names.
    pub tcp: PortSet,
    /// The UDP ports asked of every address, besides those it names.
    pub udp: PortSet,
    pub families: Vec<Family>,
    pub unlisted: Unlisted,
    /// Probes a second to one address of this target.
    pub rate: Option<u64>,
    /// As written; the rule for what is expected to be dark is in `Target::expects_dark`.
    pub expect_dark: Option<bool>,
    pub closed_state: ClosedState,
    pub criticality: Criticality,
    pub stores_cardholder_data: bool,
    pub controls: Vec<String>,
}

/// One host of a target, as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostEntry {
    /// What it names.
    pub host: Host,
    /// Where it stands.
    pub place: Place,
}

/// What a host entry names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// A DNS name, lower case, without the final dot.
    Name(String),
    /// A literal address.
    Address(std::net::IpAddr),
    /// A link-local address and the interface of the link that it is on (RFC 4007 section 11).
    Local {
        /// In `fe80::/10`.
        address: std::net::Ipv6Addr,
        /// The interface's name or number, as written.
        zone: String,
    },
    /// A CIDR block of more than one address.
    Block(IpNet),
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(address) => address.fmt(f),
            Self::Local { address, zone } => write!(f, "{address}%{zone}"),
            Self::Block(block) => block.fmt(f),
        }
    }
}

/// One declared exposure: a port, or a range of ports that share their paperwork.
#[derive(Clone, Debug)]
#[allow(missing_docs)] // the manifest's own keys
pub struct Expose {
    pub place: Place,
    pub protocol: Protocol,
    pub ports: PortSet,
    pub presence: Presence,
    /// Vantages from which the entry holds; empty: from everywhere.
    pub from: Vec<String>,
    pub service: Option<String>,
    pub tls: Option<TlsExpectation>,
    pub banner: Option<String>,
    pub owner: Option<String>,
    pub justification: Option<String>,
    pub approved_by: Option<String>,
    pub approved_on: Option<Date>,
    pub ticket: Option<String>,
    pub review_by: Option<Date>,
    /// Families the entry holds for; the target's when it does not say.
    pub families: Vec<Family>,
    pub insecure: bool,
    pub security_features: Option<String>,
    pub controls: Vec<String>,
}

impl Expose {
    /// Whether it holds for this family, seen from this vantage.
    pub fn holds(&self, family: Family, vantage: Option<&str>) -> bool {
        let here = |from: &String| vantage == Some(from.as_str());
        self.families.contains(&family) && (self.from.is_empty() || self.from.iter().any(here))
    }
}

/// What TLS a service must offer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)] // the manifest's own keys
pub struct TlsExpectation {
    /// `modern`, `intermediate` or `old` (Mozilla's server side TLS guideline).
    pub profile: Option<String>,
    pub min_days_left: Option<u32>,
    /// Whether the chain must lead to a trusted root.
    pub trusted: Option<bool>,
    /// A file of roots to trust instead of the web's.
    pub ca_file: Option<PathBuf>,
    /// Names the certificate must be for, instead of the host's.
    pub names: Vec<String>,
}

/// Ports that must never be open.
#[derive(Clone, Debug)]
#[allow(missing_docs)] // the manifest's own keys
pub struct Deny {
    pub place: Place,
    pub protocol: Protocol,
    pub ports: PortSet,
    pub reason: Option<String>,
    pub severity: Option<Severity>,
}

/// Whether a declared port must be open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Presence {
    /// It must.
    #[default]
    Required,
    /// It may.
    Optional,
}

/// What an open port that nothing declares means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unlisted {
    /// It fails.
    #[default]
    Deny,
    /// It warns.
    Warn,
}

/// How a port that is not open must look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClosedState {
    /// Closed or filtered.
    #[default]
    Any,
    /// Refused by the host.
    Closed,
    /// Dropped or prohibited on the way.
    Filtered,
}

/// How much a target matters; moves severities by one step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)] // the words are the field's own
pub enum Criticality {
    Low,
    #[default]
    Normal,
    High,
}

/// What the paperwork must hold; makes governance rules fail.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs)] // the manifest's own keys
pub struct Policy {
    /// The policies that it names (`use`), each once. What they ask is in the fields below.
    pub uses: Vec<PolicyProfile>,
    /// The longest that an exception may last.
    pub max_exception_days: Option<u32>,
    /// The longest from one review to the next.
    pub max_review_days: Option<u32>,
    /// Exceptions need an approver who is not the requester.
    pub four_eyes: bool,
    /// How long after a run the next one is due.
    pub max_age: Option<Duration>,
    /// Fields that every `expose` entry must have: `ticket`, `owner`, ...
    pub require: Vec<String>,
    /// Where it stands.
    pub place: Option<Place>,
}

impl Policy {
    /// Whether any policy is in force: governance rules then fail instead of warning.
    pub fn in_force(&self) -> bool {
        self.place.is_some()
    }

    /// The names of the policies that it uses, for people; `None` where it names none.
    pub fn names(&self) -> Option<String> {
        let names: Vec<&str> = self.uses.iter().map(|policy| policy.name.as_str()).collect();
        (!names.is_empty()).then(|| names.join(", "))
    }

    /// Takes in what a named policy asks. The stricter of two limits holds, so that naming a policy
    /// never loosens what the manifest says, nor the other way round.
    pub(super) fn adopt(&mut self, named: PolicyProfile) {
        let missing = named.require.iter().filter(|field| !self.require.contains(field));
        let missing: Vec<String> = missing.cloned().collect();
        self.require.extend(missing);
        self.four_eyes |= named.four_eyes;
        self.max_exception_days = stricter(self.max_exception_days, named.max_exception_days);
        self.max_review_days = stricter(self.max_review_days, named.max_review_days);
        self.max_age = stricter(self.max_age, named.max_age);
        self.uses.push(named);
    }
}

fn stricter<T: Ord>(a: Option<T>, b: Option<T>) -> Option<T> {
    [a, b].into_iter().flatten().min()
}

/// An accepted deviation or doubt.
#[derive(Clone, Debug)]
#[allow(missing_docs)] // the manifest's own keys
pub struct Exception {
    pub id: String,
    pub place: Place,
    /// `match.target`; every one exists.
    pub target: String,
    /// `match.rule`, an id of the catalogue.
    pub rule: &'static str,
    /// `match.port`; required for rules about endpoints.
    pub port: Option<(Protocol, u16)>,
    pub reason: String,
    pub requested_by: Option<String>,
    pub requested_on: Option<Date>,
    pub approved_by: Option<String>,
    pub approved_on: Option<Date>,
    pub ticket: Option<String>,
    pub compensating_control: Option<String>,
    /// The last day on which it waives, UTC.
    pub expires: Date,
}

impl Exception {
    /// Whether on that day it was not approved yet, or not even requested.
    pub fn is_pending(&self, at: Date) -> bool {
        [self.requested_on, self.approved_on].into_iter().any(|day| ahead(day, at).is_some())
    }
}

/// A remark about the paperwork: usable, and not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lint {
    /// `MAN003`; an id of the catalogue.
    pub rule: &'static str,
    /// The target it is about, where there is one.
    pub target: Option<String>,
    /// The entry it is about (`443/tcp`), where there is one.
    pub subject: Option<String>,
    /// Where.
    pub place: Place,
    /// What is missing or odd, as a sentence without full stop.
    pub message: String,
}

impl Manifest {
    /// How many addresses its blocks and literals cover, saturating; names count as none before they
    /// are resolved.
    pub fn address_count(&self) -> u128 {
        let hosts = self.targets.iter().flat_map(|target| &target.hosts);
        hosts.filter_map(|entry| entry.host.address_count()).fold(0, u128::saturating_add)
    }
}

impl Target {
    /// The ports this target names for a protocol: what it exposes and what it denies.
    pub fn named(&self, protocol: Protocol) -> PortSet {
        let exposed = self.expose.iter().filter(|entry| entry.protocol == protocol).map(|entry| &entry.ports);
        let denied = self.deny.iter().filter(|entry| entry.protocol == protocol).map(|entry| &entry.ports);
        exposed.chain(denied).fold(PortSet::NONE, |all, ports| all.union(ports))
    }

    /// The ports among these whose entry holds for a family, seen from a vantage.
    pub fn named_here(&self, protocol: Protocol, family: Family, vantage: Option<&str>) -> PortSet {
        let exposed = self
            .expose
            .iter()
            .filter(|entry| entry.holds(family, vantage))
            .map(|entry| (entry.protocol, &entry.ports));
        let all = exposed.chain(self.deny.iter().map(|entry| (entry.protocol, &entry.ports)));
        all.filter(|(of, _)| *of == protocol).fold(PortSet::NONE, |all, (_, ports)| all.union(ports))
    }

    /// Whether the target requires any port to be open.
    pub fn requires_anything(&self) -> bool {
        self.expose.iter().any(|entry| entry.presence == Presence::Required)
    }

    /// Whether addresses of this host entry are expected to be dark: silence there passes. Covered
    /// only by a block with nothing required, or the target says so.
    pub fn expects_dark(&self, host: &Host) -> bool {
        self.expect_dark.unwrap_or_else(|| matches!(host, Host::Block(_)) && !self.requires_anything())
    }
}
