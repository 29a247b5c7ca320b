//! What is written down of one endpoint.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{portrait::PortraitRecord, tls::TlsRecord};
use crate::model::{Protocol, State, Verdict};

/// One rung of the ladder from an answer to a known service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RungRecord {
    /// `handshake`, `second_look`, `data_acknowledged`, `greeting`, `tls`, `protocol`.
    pub rung: String,
    /// RFC 3339, UTC.
    pub at: String,
}

/// What was seen of one endpoint.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ObservationRecord {
    /// Where.
    pub address: String,
    /// How.
    pub protocol: Protocol,
    /// Which.
    pub port: u16,
    /// What it means.
    pub state: State,
    /// What that means to the manifest.
    pub verdict: Verdict,
    /// Where it is waived, by what: `exception EX-9`; `-A EXP001` and `-W EXP001` where the run was told so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waived_by: Option<String>,
    /// Why, in nmap's words.
    pub reason: String,
    /// Time to live of the answer, where it was seen.
    pub ttl: Option<u8>,
    /// Time from the probe to the answer.
    pub rtt_ms: Option<f64>,
    /// Probes sent to it.
    pub attempts: u8,
    /// RFC 3339, UTC.
    pub first_seen_at: Option<String>,
    /// What answers, where it was asked.
    pub service: Option<String>,
    /// Its TLS, where it was asked.
    pub tls: Option<TlsRecord>,
    /// Its greeting, cleaned and bounded, where it was read.
    pub banner: Option<String>,
    /// How far it was seen to go beyond its answer, in the order of time.
    pub ladder: Vec<RungRecord>,
    /// Attempt by attempt, where attempts disagree or something answered and no connection was completed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<AttemptRecord>,
    /// Who answered over TCP, so that it can be judged again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub portrait: Option<PortraitRecord>,
}

/// What came of one attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs)] // the words say it
pub struct AttemptRecord {
    /// RFC 3339, UTC.
    pub at: String,
    pub attempt: u8,
    /// What it found by itself.
    pub state: State,
    /// Why, in nmap's words.
    pub reason: String,
    /// Whether a connection was completed.
    pub handshake: bool,
}
