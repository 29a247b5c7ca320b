//! Floor 3: manifest x plan x resolution x observations -> judgement. A pure function: it knows no
//! clock and no socket, and not how the observations were made.
//!
//! What could not be determined never counts as conforming, and each endpoint rests on at most one
//! finding: what becomes of the finding (waived, allowed) becomes of the endpoints that rest on it.
//!
//! # Where the contract leaves room
//! - `-A` and `-W` on a failure waive the endpoints that rest on it; they never touch doubt, so a
//!   doubt that `-A` takes out of the list still keeps the run from conforming.
//! - Addresses of one name share a finding a port; addresses of a block do not.
//! - An ICMP prohibition is an answer, by somebody on the way: that address is not silent. It does not
//!   show that the path to other addresses works, so it makes no other silence conform.
//! - An open port whose handshake never completed is in doubt whatever is expected of it: what sent the
//!   SYN-ACK may not be the host. Denied, it passed the firewall, and whether a service is behind it is
//!   not known, so that too is doubt and not yet failure.
//! - EXP015 touches every pass that rests on silence, also that of an address expected to be dark: its
//!   silence proves as much as the path is reliable. Without a bound there is no EXP015; the report
//!   then gives no figure. What is required and missing fails all the same: that is no pass.
//! - Where a target denies what another one requires of the same address, open is forbidden and not
//!   open is missing: a contradiction never passes.
//! - A finding about the whole run belongs to no target, so no exception waives it.
//! - Of a declared service, TLS or banner, what could not be asked or recognised is doubt (EXP012); what shows
//!   itself to be something else fails. Plain HTTP is no cleartext finding: public sites have it to redirect.
//! - `security_features` makes a warning of a cleartext service; nothing but an exception waives a service that
//!   answers anybody.
//! - A certificate is judged where `tls` is declared: its dates always, its names where the host has one or
//!   `names` says whose, its issuer where `trusted` or `ca_file` says so.
//! - A policy makes every governance rule fail; of its controls a run says what it shows, never that one is met.
//!   What was tried on nothing supports nothing; what each control needs besides is the policy's to say.
//! - At an address that answers on everything, a declared port whose protocol shows itself is confirmed.

mod compliance;
mod dns;
mod docket;
mod draft;
mod endpoint;
mod exception;
mod expectation;
mod finding;
mod gap;
mod governance;
mod host;
mod outcome;
mod parity;
mod profiles;
mod reach;
mod remedy;
mod ruling;
mod service;
mod table;
#[cfg(test)]
pub(crate) mod tests;
mod tls;
mod view;
mod words;

use std::{collections::BTreeMap, net::IpAddr, time::Duration};

use jiff::{Timestamp, civil::Date};

pub use self::{
    compliance::{Compliance, ControlJudgement, Status},
    exception::{ExceptionStatus, ExceptionUse},
    finding::Finding,
    governance::paperwork,
    outcome::{FailOn, Outcome, exit_code},
};
use self::{docket::Docket, exception::Waivers, view::View};
use crate::{
    identify::Portrait,
    model::{
        Endpoint, Family, Level, Miss, Observation, Protocol, Reason, Severity, State, StateCounts, Tally,
        Verdict, VerdictCounts,
    },
    spec::{
        manifest::Manifest,
        plan::{Owner, Plan},
        resolution::{Answers, Resolution},
    },
};

/// What a run saw.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// Every open endpoint and every endpoint that a manifest names, the final one of each, in any
    /// order.
    pub observations: &'a [Observation],
    /// One per probed address and protocol, over the endpoints that were given to the scan there.
    pub tallies: &'a [Tally],
    /// Who answers on open TCP ports, as far as they were asked.
    pub portraits: &'a BTreeMap<Endpoint, Portrait>,
    /// The run did not reach its end.
    pub partial: bool,
}

/// From where, as of when and how strictly is judged.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The day on which the paperwork is judged, UTC.
    pub at: Date,
    /// The same day, where the operator named it (`--at`).
    pub named_day: Option<Date>,
    /// When the run ended: certificates are judged as of then.
    pub now: Timestamp,
    /// The vantage's name.
    pub vantage: Option<&'a str>,
    /// Exceptions are ignored.
    pub strict: bool,
    /// `-A`, `-W`, `-D`, by rule id.
    pub levels: &'a BTreeMap<&'static str, Level>,
    /// `--fail-on`.
    pub fail_on: FailOn,
    /// What the role and port profiles say.
    pub roles: &'a dyn Roles,
    /// Whether this run could ask UDP at all. Without it every planned UDP endpoint is a gap, so a
    /// plan should then hold only UDP that somebody asked for.
    pub udp_mouth: bool,
    /// The families that the operator left in the run; both unless `--families` says otherwise.
    pub families: &'a [Family],
    /// The operator left ports, families or addresses out (`--tcp`, `--udp`, `--families`,
    /// `--exclude`): an exception that matched nothing is then no proof that it is unused.
    pub narrowed: bool,
    /// The files that are judged (`--from`); `None`: a run of our own that has just ended.
    pub from: Option<&'a str>,
    /// The report that this one follows (`--baseline`).
    pub previous: Option<Previous<'a>>,
    /// The addresses that the probes came from, as far as known.
    pub sources: &'a [IpAddr],
    /// `--max-miss`: the chance to have missed an open endpoint that still counts as proof of none.
    pub max_miss: f64,
}

/// The report before this one.
#[derive(Clone, Copy, Debug)]
pub struct Previous<'a> {
    /// When its run ended.
    pub ended: Timestamp,
    /// What makes it an odd one to follow, each a clause.
    pub caveats: &'a [String],
}

/// What the profiles know about ports.
pub trait Roles {
    /// Whether a host of this role must never expose this port: how bad, and why.
    fn forbids(&self, role: &str, protocol: Protocol, port: u16) -> Option<(Severity, String)>;

    /// Whether the port is sensitive on any host: how bad, and why.
    fn sensitivity(&self, protocol: Protocol, port: u16) -> Option<(Severity, String)>;

    /// What usually listens there.
    fn service_name(&self, protocol: Protocol, port: u16) -> Option<String>;

    /// Whether a server on this UDP port would answer what we send, so that silence means something.
    fn udp_payload_exists(&self, port: u16) -> bool {
        crate::probe::udp::has_payload(port)
    }

    /// The name of a service that may be said by an alias.
    fn canonical<'s>(&'s self, service: &'s str) -> &'s str {
        service
    }
}

/// What a run means to its manifest.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// Failing ones first, then doubts, waived ones and warnings; within these worst first.
    pub findings: Vec<Finding>,
    /// Every observed endpoint, and every named endpoint of a single host that was not asked.
    pub observations: Vec<Judged>,
    /// Every planned endpoint, by verdict; the sum is `planned`.
    pub verdicts: VerdictCounts,
    /// Every planned endpoint, by state; the sum is `planned`.
    pub states: StateCounts,
    /// Planned endpoints.
    pub planned: u64,
    /// Those of them whose state is known, and beyond doubt: what an exception accepts is in doubt all the same.
    pub determined: u64,
    /// Why those are waived that are.
    pub waived: WaivedCounts,
    /// Every address that was probed, and every single host; in numeric order.
    pub addresses: Vec<AddressJudgement>,
    /// One per exception of the manifest.
    pub exceptions: Vec<ExceptionUse>,
    /// One per policy that the manifest names, in its order.
    pub compliance: Vec<Compliance>,
    /// What it comes to.
    pub outcome: Outcome,
}

/// The verdict on one endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judged {
    /// Which.
    pub endpoint: Endpoint,
    /// `Unknown` where it was not asked.
    pub state: State,
    /// `NotSent` where it was not asked.
    pub reason: Reason,
    /// What the state means to the manifest.
    pub verdict: Verdict,
    /// Why it is waived, where it is.
    pub waived: Option<Waived>,
    /// Index into [`Seen::observations`]; `None` where it was not asked.
    pub seen: Option<usize>,
}

/// Why something that deviates, or is in doubt, does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waived {
    /// An exception accepts it: index into `Manifest::exceptions`.
    Exception(usize),
    /// The run was told not to report this rule (`-A`).
    Allowed(&'static str),
    /// The run was told only to warn of this rule (`-W`).
    Warned(&'static str),
}

/// How many endpoints are waived, by why; the sum is that of the verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WaivedCounts {
    /// By exceptions.
    pub exceptions: u64,
    /// By `-A`.
    pub allowed: u64,
    /// By `-W`.
    pub warned: u64,
}

impl WaivedCounts {
    fn of(&mut self, waived: Waived) -> &mut u64 {
        match waived {
            Waived::Exception(_) => &mut self.exceptions,
            Waived::Allowed(_) => &mut self.allowed,
            Waived::Warned(_) => &mut self.warned,
        }
    }
}

/// What is known about one address.
#[derive(Clone, Debug)]
pub struct AddressJudgement {
    /// Which.
    pub address: IpAddr,
    /// The entries that claim it.
    pub owners: Vec<Owner>,
    /// Whether it answered; `None` where nothing was asked to the end, or where only somebody on the
    /// way answered.
    pub alive: Option<bool>,
    /// What shows that, as a clause.
    pub liveness: Option<String>,
    /// Its planned endpoints, by state.
    pub states: StateCounts,
    /// What it shows proves nothing.
    pub answers_everything: bool,
    /// Its silence conforms.
    pub expect_dark: bool,
    /// Smoothed round-trip time.
    pub rtt: Option<Duration>,
    /// Had one of its silent endpoints been open: the chance that it was missed.
    pub miss: Option<Miss>,
}

/// Everything that a judgement is made of.
struct Case<'a> {
    manifest: &'a Manifest,
    plan: &'a Plan,
    answers: Answers<'a>,
    seen: &'a Seen<'a>,
    context: &'a Context<'a>,
    waivers: Waivers,
    views: Vec<View<'a>>,
    answered: view::Answered,
}

/// The service that a reply over UDP shows; `None` where nothing is known of it.
pub fn service(seen: &Observation) -> Option<&'static str> {
    crate::probe::udp::service(seen.payload?)
}

/// Holds what was seen against what was declared.
pub fn judge(
    manifest: &Manifest,
    plan: &Plan,
    resolution: &Resolution,
    seen: &Seen<'_>,
    context: &Context<'_>,
) -> Judgement {
    let views = view::views(plan, seen, context.udp_mouth);
    let answered = view::Answered::by(&views);
    let waivers = Waivers::of(manifest, context);
    let answers = resolution.index();
    let case = Case { manifest, plan, answers, seen, context, waivers, views, answered };
    let mut docket = Docket::default();
    gap::run(&case, &mut docket);
    gap::groups(&case, &mut docket);
    let mut addresses: Vec<AddressJudgement> =
        case.views.iter().map(|view| endpoint::judge_view(&case, view, &mut docket)).collect();
    addresses.extend(gap::unasked_addresses(&case));
    addresses.sort_by_key(|record| record.address);
    dns::judge(&case, &mut docket);
    reach::judge(&case, &mut docket);
    parity::judge(&case, &mut docket);
    governance::judge(&case, &mut docket);
    let mut judgement = docket.close(&case, addresses);
    judgement.compliance = compliance::judge(&case, &judgement);
    judgement
}
