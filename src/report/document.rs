//! The evidence document: everything a run asked, saw and concluded. The JSON report is this value;
//! every other format is rendered from it. Field names are public (`portproof schema report`).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Selection,
    compliance::ComplianceRecord,
    observed::ObservationRecord,
    sources::{ProtocolCoverage, SourceRecord},
    waived::WaivedRecord,
};
use crate::{
    model::{self, Family, Kind, PortSet, Protocol, Severity, StateCounts, Verdict, VerdictCounts},
    spec::manifest::{Place, Presence},
};

/// The name and number of the format. A breaking change is a new number.
pub const SCHEMA: &str = "portproof.report/1";

/// One run: what was declared, what was asked, what was seen, what it means.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// `portproof.report/1`.
    pub schema: String,
    /// The program.
    pub tool: Tool,
    /// The circumstances.
    pub run: Run,
    /// Who allowed it, and of what.
    pub authorization: AuthorizationRecord,
    /// The policies that the manifest names, if any.
    pub policy: Option<String>,
    /// What the run shows of the controls of each policy in force. Supports evidence; says nothing of conformity.
    #[serde(default)]
    pub compliance: Vec<ComplianceRecord>,
    /// What the manifest declares, so that the report stands alone.
    pub declared: Vec<Declared>,
    /// Every exception, used or not.
    pub exceptions: Vec<ExceptionRecord>,
    /// What was left out, and why.
    pub not_scanned: Vec<NotScanned>,
    /// The outcome.
    pub summary: Summary,
    /// Control totals.
    pub coverage: CoverageRecord,
    /// Per target, per address.
    pub targets: Vec<TargetRecord>,
    /// Worst first.
    pub findings: Vec<Finding>,
    /// Every open endpoint, and every endpoint that the manifest names.
    pub observations: Vec<ObservationRecord>,
}

/// The program that made the report.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Tool {
    /// `portproof`.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The commit it was built from, where known.
    pub commit: Option<String>,
    /// SHA-256 of the binary that ran, where it could be read.
    pub sha256: Option<String>,
}

/// The circumstances of the run.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// Unique to this run.
    pub id: String,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// RFC 3339, UTC.
    pub finished_at: String,
    /// Each time that the run was continued from its state file (`--resume`), RFC 3339, UTC.
    #[serde(default)]
    pub resumed_at: Vec<String>,
    /// The vantage's name, where one is named.
    pub vantage: Option<String>,
    /// Who ran it, as the machine knows them.
    pub operator: Option<String>,
    /// Orders the probes; the same seed asks in the same order.
    pub seed: u64,
    /// The command line.
    pub argv: Vec<String>,
    /// What the operator deselected. It is no doubt: it was not asked for.
    pub selection: Selection,
    /// How was scanned.
    pub scan: Methods,
    /// What was asked for and could not be had.
    pub fallbacks: Vec<Fallback>,
    /// The run did not reach its end.
    pub partial: bool,
    /// Why it ended: `complete`, `interrupted`, `terminated`, `deadline`, `environment`.
    pub stop_reason: String,
    /// How the times were taken.
    pub clock: Clock,
    /// The manifest that was verified.
    pub manifest: ManifestRecord,
    /// The report before this one, where given.
    pub previous: Option<PreviousRecord>,
    /// When the next run is due by the policy's `max_age`, a moment; without one, when the manifest's review is, a day.
    pub next_due: Option<String>,
    /// Names and what they resolved to.
    pub resolver: ResolverRecord,
    /// The machine that scanned.
    pub host: HostRecord,
    /// What was judged instead of scanning (`--from`), in the order of time; empty where this run scanned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<SourceRecord>,
}

/// How was scanned.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Methods {
    /// `connect` or `syn`; null when no TCP was asked.
    pub tcp: Option<String>,
    /// `udp`; null when no UDP was asked, or when it can't be asked yet.
    pub udp: Option<String>,
}

/// What was asked for and could not be had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs)] // the words say it
pub struct Fallback {
    pub asked: String,
    pub used: String,
    pub why: String,
}

/// How the times were taken.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Clock {
    /// `system`.
    pub source: String,
    /// Whether the kernel says that the clock is synchronized; null where it doesn't say.
    pub synchronized: Option<bool>,
    /// The kernel's estimate of the clock's error, where it has one.
    pub max_error_ms: Option<f64>,
}

/// The manifest that was verified.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ManifestRecord {
    /// As named; null for `--expect`.
    pub path: Option<String>,
    /// SHA-256 of its bytes.
    pub sha256: Option<String>,
    /// Where it stands in version control, where it does.
    pub git: Option<Git>,
    /// `metadata`.
    pub name: Option<String>,
    /// `metadata`.
    pub owner: Option<String>,
    /// `metadata`.
    pub contact: Option<String>,
    /// `metadata`.
    pub environment: Option<String>,
}

/// A place in version control.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs)] // git's own words
pub struct Git {
    pub commit: String,
    pub dirty: bool,
}

/// The report before this one (`--baseline`): a link of the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PreviousRecord {
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// When its run ended, as it says itself: RFC 3339, UTC.
    #[serde(default)]
    pub finished_at: Option<String>,
}

/// Names and what they resolved to.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct ResolverRecord {
    /// The servers asked.
    pub servers: Vec<String>,
    /// One a name and family.
    pub answers: Vec<DnsAnswer>,
}

/// What DNS said about one name in one family.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DnsAnswer {
    /// As asked.
    pub name: String,
    /// A or AAAA.
    pub family: Family,
    /// `answered`, `no_data`, `nxdomain`, `servfail`, `timeout`, `refused`, `error`.
    pub status: String,
    /// What the name resolved to.
    pub addresses: Vec<String>,
    /// The aliases on the way (CNAME), in order.
    pub chain: Vec<String>,
    /// The smallest time to live of the answer, in seconds.
    pub ttl_s: Option<u32>,
    /// The error, where there was one.
    pub error: Option<String>,
}

/// The machine that scanned.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct HostRecord {
    /// Its name.
    pub name: Option<String>,
    /// The addresses that the probes came from.
    pub source_addresses: Vec<String>,
}

/// Who allowed the scan, and of what.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs)] // the manifest's own keys
pub struct AuthorizationRecord {
    pub reference: Option<String>,
    pub authorized_by: Option<String>,
    pub valid_until: Option<String>,
    pub scope: Vec<String>,
    pub exclude: Vec<String>,
    /// No `authorization` was written: the scope is the hosts as written.
    pub implied: bool,
}

/// One exposure or denial that the manifest declares.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs)] // the manifest's own keys
pub struct Declared {
    pub target: String,
    /// `expose` or `deny`.
    pub kind: DeclaredKind,
    pub protocol: Protocol,
    #[schemars(with = "String")]
    pub ports: PortSet,
    pub presence: Option<Presence>,
    pub from: Vec<String>,
    pub service: Option<String>,
    pub owner: Option<String>,
    /// Why it may be open, or why it must not be.
    pub justification: Option<String>,
    pub approved_by: Option<String>,
    pub approved_on: Option<String>,
    pub ticket: Option<String>,
    pub review_by: Option<String>,
    /// Controls that the entry serves, as `framework:id`: `pci-dss:1.2.5`.
    #[serde(default)]
    pub controls: Vec<String>,
    /// The role profile it comes from, when it is not the manifest's own.
    pub profile: Option<String>,
    pub manifest: Option<Place>,
}

/// Whether a declaration allows or forbids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)] // the manifest's own keys
pub enum DeclaredKind {
    Expose,
    Deny,
}

/// One exception, used or not.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs)] // the manifest's own keys
pub struct ExceptionRecord {
    pub id: String,
    pub target: String,
    pub rule: String,
    /// `8080/tcp`, for rules about endpoints.
    pub port: Option<String>,
    pub reason: String,
    pub requested_by: Option<String>,
    pub requested_on: Option<String>,
    pub approved_by: Option<String>,
    pub approved_on: Option<String>,
    pub ticket: Option<String>,
    /// The last day on which it waives, UTC.
    pub expires: String,
    /// `in_force`, `pending` (not approved on the day judged), `expired`, or `ignored` (`--strict`).
    pub status: String,
    /// How many findings it waived in this run.
    pub waived: u64,
    pub manifest: Place,
}

/// Something that was left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs)] // the words say it
pub struct NotScanned {
    pub what: String,
    pub why: String,
}

/// The outcome in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Nothing fails and nothing is in doubt.
    Conforms,
    /// Something fails.
    Deviates,
    /// Nothing fails, something is in doubt or was not covered.
    Inconclusive,
}

impl Outcome {
    /// The word used in every format.
    pub fn word(self) -> &'static str {
        match self {
            Self::Conforms => "conforms",
            Self::Deviates => "deviates",
            Self::Inconclusive => "inconclusive",
        }
    }
}

/// The outcome.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// In one word.
    pub result: Outcome,
    /// What the process exited with (CONTRACT: 0, 1, 3, 130, 143).
    pub exit_code: u8,
    /// Findings that fail or are in doubt, by severity; waived ones and warnings are not in it.
    pub findings: SeverityCounts,
    /// Every planned endpoint, by verdict.
    pub verdicts: VerdictCounts,
    /// Of the waived ones, why they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waived: Option<WaivedRecord>,
    /// The headline, word for word.
    pub headline: String,
}

/// Findings by severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs)] // the words of `Severity`
pub struct SeverityCounts {
    pub critical: u64,
    pub high: u64,
    pub medium: u64,
    pub low: u64,
}

impl SeverityCounts {
    /// Counts one finding.
    pub fn add(&mut self, severity: Severity) {
        *match severity {
            Severity::Critical => &mut self.critical,
            Severity::High => &mut self.high,
            Severity::Medium => &mut self.medium,
            Severity::Low => &mut self.low,
        } += 1;
    }

    /// The worst that was counted.
    pub fn worst(&self) -> Option<Severity> {
        Severity::ALL.into_iter().find(|&severity| self.of(severity) > 0)
    }

    /// How many of one severity.
    pub fn of(&self, severity: Severity) -> u64 {
        match severity {
            Severity::Critical => self.critical,
            Severity::High => self.high,
            Severity::Medium => self.medium,
            Severity::Low => self.low,
        }
    }
}

/// Control totals: `open + closed + filtered + unanswered + unknown == planned`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct CoverageRecord {
    /// Endpoints in the plan.
    pub planned: u64,
    /// Of these, those whose state is known and beyond doubt, be the doubt accepted or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub determined: Option<u64>,
    /// Where they ended.
    #[serde(flatten)]
    pub states: StateCounts,
    /// Probes that left this machine, repeats included.
    pub probes_sent: u64,
    /// Of these, repeats.
    pub retransmitted: u64,
    /// Answers that belong to a probe.
    pub replies: u64,
    /// Answers that belong to none.
    pub strays: u64,
    /// So many of them are expected to have been believed by chance: forged or misled packets can hit the
    /// cookie of a probe.
    #[serde(default)]
    pub expected_false_accepts: f64,
    /// Answers the kernel threw away before they were read.
    pub kernel_drops: u64,
    /// Probes that failed on our side.
    pub send_errors: u64,
    /// From the first probe to the last answer.
    pub duration_s: f64,
    /// Probes a second over that time.
    pub rate_pps: f64,
    /// The ports asked of each target, by target id.
    pub port_sets: BTreeMap<String, String>,
    /// Packet loss as measured; null where nothing measured it.
    pub loss: Option<Loss>,
    /// For a silent endpoint: had it been open, the chance that it was missed, at the address where it is
    /// greatest; null where nothing bounds it.
    pub miss: Option<Miss>,
    /// That the path carried less than was asked of it, so that the run slowed down; null where it did not.
    #[serde(default)]
    pub congestion: Option<Congestion>,
    /// Silent UDP endpoints that may as well be closed: their hosts say only so often what is; null where there
    /// are none.
    #[serde(default)]
    pub undecided: Option<Undecided>,
    /// Connections made beside the probes, to find out who answers on what is open.
    #[serde(default)]
    pub connections: u64,
    /// The same totals per address, where an address was probed.
    pub per_address: Vec<AddressCoverage>,
}

/// Packet loss of a single probe.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs)] // statistics' own words
pub struct Loss {
    pub estimate: f64,
    pub upper95: f64,
    pub trials: u64,
}

/// The chance that an open endpoint was missed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs)] // statistics' own words
pub struct Miss {
    pub estimate: f64,
    pub upper95: f64,
    pub assumption: String,
}

/// What a bound on the miss probability takes for granted.
const ASSUMPTION: &str = "losses hit every endpoint of a path alike, whatever its port and state; those within half a second of each other may be one event, and attempts at least a second apart get lost independently of each other beyond what was measured";

impl From<model::Loss> for Loss {
    fn from(model::Loss { estimate, upper95, trials }: model::Loss) -> Self {
        Self { estimate, upper95, trials }
    }
}

impl From<model::Miss> for Miss {
    fn from(model::Miss { estimate, upper95 }: model::Miss) -> Self {
        Self { estimate, upper95, assumption: ASSUMPTION.to_owned() }
    }
}

/// The same for one address; the assumption is the run's.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs)] // statistics' own words
pub struct MissOfAddress {
    pub estimate: f64,
    pub upper95: f64,
}

impl From<model::Miss> for MissOfAddress {
    fn from(model::Miss { estimate, upper95 }: model::Miss) -> Self {
        Self { estimate, upper95 }
    }
}

/// That the run had to slow down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Congestion {
    /// How often the rate was cut.
    pub cuts: u32,
    /// The lowest rate, in probes a second.
    pub lowest_pps: u64,
    /// When it was found first.
    pub since: String,
}

/// Silent UDP endpoints of which nobody knows whether they are closed, because their hosts limit their ICMP
/// errors (RFC 1812 section 4.3.2.8, RFC 4443 section 2.4).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Undecided {
    /// How many.
    pub endpoints: u64,
    /// Of how many addresses.
    pub addresses: u64,
    /// How long deciding them would take, at the address where it takes longest.
    pub deciding_s: f64,
}

impl From<model::Undecided> for Undecided {
    fn from(model::Undecided { endpoints, addresses, time }: model::Undecided) -> Self {
        Self { endpoints, addresses, deciding_s: (time.as_secs_f64() * 10.0).round() / 10.0 }
    }
}

/// Control totals of one address.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AddressCoverage {
    /// Which.
    pub address: String,
    /// Endpoints planned there.
    pub planned: u64,
    /// Where they ended.
    #[serde(flatten)]
    pub states: StateCounts,
    /// Smoothed round-trip time, where anything answered.
    pub rtt_ms: Option<f64>,
    /// Its own figure, where there is one.
    #[serde(default)]
    pub miss: Option<MissOfAddress>,
    /// The same for TCP, where it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tcp: Option<ProtocolCoverage>,
    /// The same for UDP, where it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub udp: Option<ProtocolCoverage>,
}

/// One target.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs)] // the manifest's own keys
pub struct TargetRecord {
    pub id: String,
    /// As written.
    pub hosts: Vec<String>,
    pub owner: Option<String>,
    pub tags: Vec<String>,
    /// The family that its manifest leaves out though its hosts may have addresses of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out: Option<Family>,
    pub addresses: Vec<AddressRecord>,
}

/// One address of a target.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AddressRecord {
    /// Which.
    pub address: String,
    /// The host entry it comes from: the name or the block as written.
    pub name: Option<String>,
    /// Its family.
    pub family: Family,
    /// Whether it answered at all; null where nothing was asked to the end.
    pub alive: Option<bool>,
    /// What showed that it is alive: `handshake with 443/tcp`, `SYN-ACK from 25/tcp`, `22/tcp refused`.
    pub liveness: Option<String>,
    /// Its endpoints by state.
    pub states: StateCounts,
    /// It answers on everything: what it shows proves nothing.
    pub answers_everything: bool,
    /// Silence on it conforms.
    pub expect_dark: bool,
    /// Its own figure, where there is one.
    pub miss: Option<MissOfAddress>,
}

/// One deviation or doubt. One cause, one finding.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// Stable hash of rule, target, subject, protocol and port.
    pub id: String,
    /// `EXP001`.
    pub rule: String,
    /// What sort of thing it is.
    pub kind: Kind,
    /// One line: what is wrong.
    pub title: String,
    /// How bad.
    pub severity: Severity,
    /// `fail`, `inconclusive`, `not_covered`, `waived`; `pass` for a warning.
    pub verdict: Verdict,
    /// The target it belongs to.
    pub target: Option<String>,
    /// Other targets that the same cause concerns.
    pub also: Vec<String>,
    /// The host entry as written.
    pub host: Option<String>,
    /// The address, where it is about one.
    pub address: Option<String>,
    /// Its family.
    pub family: Option<Family>,
    /// The protocol, where it is about an endpoint.
    pub protocol: Option<Protocol>,
    /// The port, where it is about an endpoint.
    pub port: Option<u16>,
    /// Whose it is.
    pub owner: Option<String>,
    /// The target's tags.
    pub tags: Vec<String>,
    /// What the manifest says.
    pub expected: String,
    /// What was seen.
    pub observed: String,
    /// The cause, one word, where the rule has causes.
    pub cause: Option<String>,
    /// Attempt by attempt.
    pub evidence: Vec<EvidenceRecord>,
    /// Two or three sentences for a person.
    pub message: String,
    /// What to do.
    pub remedy: String,
    /// When a report saw it first, as far as the report before this one knows; null where there is none, or
    /// where it did not see it: with `run.previous` the finding is then new.
    pub first_seen: Option<String>,
    /// Where to look in the manifest.
    pub manifest: Option<Place>,
    /// The exception that waives it.
    pub exception: Option<String>,
}

/// One attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs)] // the words say it
pub struct EvidenceRecord {
    /// RFC 3339, UTC.
    pub at: String,
    pub attempt: u8,
    pub source_address: Option<String>,
    pub source_port: Option<u16>,
    pub what: String,
}
