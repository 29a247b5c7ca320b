//! Why a manifest can't be planned, each with the cure.

use std::net::Ipv6Addr;

use thiserror::Error;

/// Why a manifest can't be planned.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[allow(missing_docs)] // the message says it
pub enum PlanError {
    #[error(
        "{host} of target `{target}` holds {count} addresses; if that is meant, say --i-know-this-is-large"
    )]
    TooLarge { target: String, host: String, count: u128 },
    #[error("--only {only} matches no target of the manifest; {cure}")]
    NoSuchTarget { only: String, cure: String },
    #[error(
        "target `{target}` holds entries that are seen `from: [{vantages}]` only, and this run's vantage is not named; say --vantage NAME, or `vantage:` in the manifest"
    )]
    NoVantage { target: String, vantages: String },
    #[error("vantage `{name}` is named by neither `vantages` nor `from` of the manifest: {known}{near}")]
    UnknownVantage { name: String, known: String, near: String },
    #[error(
        "{address} is written with two zones, {one} and {other}: one run asks an address on one link; write one zone, or run once for each"
    )]
    TwoZones { address: Ipv6Addr, one: String, other: String },
    #[error(
        "{0} is a link-local address, and nothing says on which link; write the interface behind it: {0}%eth0, or name it for the whole run with --interface"
    )]
    NoZone(Ipv6Addr),
    #[error("{0} endpoints to ask; if that is meant, say --i-know-this-is-large")]
    ManyEndpoints(u128),
    #[error("{0} endpoints are more than one run can count")]
    TooMany(u128),
}
