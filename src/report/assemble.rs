//! A judgement and its circumstances become the report. Words and order only: no verdict is made here.

mod observations;
mod protocols;

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    time::Duration,
};

use jiff::Timestamp;

use self::protocols::Protocols;
use super::{
    asked::Asked,
    compliance,
    document::{
        AddressCoverage, AddressRecord, AuthorizationRecord, Congestion, CoverageRecord, Declared,
        DeclaredKind, DnsAnswer, EvidenceRecord, ExceptionRecord, Finding, Git, ManifestRecord, NotScanned,
        Outcome, Report, ResolverRecord, Run, SCHEMA, SeverityCounts, Summary, TargetRecord, Tool,
    },
};
use crate::{
    model::{self, Coverage, Endpoint, Family, Look, Moment, PortSet, Protocol, Verdict},
    spec::{
        manifest::{Exception, Host, Manifest, Target},
        plan::{Owner, Plan},
        resolution::Resolution,
    },
    verify::{self, AddressJudgement, Judgement, Seen},
};

/// What only the edge knows about a run.
#[derive(Clone, Debug)]
pub struct Circumstances {
    /// The program.
    pub tool: Tool,
    /// Who ran it, when, how.
    pub run: Run,
    /// The wall clock at [`Moment::START`].
    pub start: Timestamp,
    /// The scan's counters. What was planned, and every state, come from the judgement, which also
    /// knows what the scan was never given.
    pub coverage: Coverage,
    /// From the first probe to the last answer.
    pub duration: Duration,
    /// What the process exits with when the run was interrupted or terminated (130, 143).
    pub stopped: Option<u8>,
    /// Connections made to find out who answers.
    pub connections: u64,
    /// What role profiles deny, as `declared` shows it.
    pub role_denials: Vec<Declared>,
    /// What services said of themselves, cleaned and bounded.
    pub banners: BTreeMap<Endpoint, String>,
}

/// Writes a run down. `summary.headline` is left empty: it is made from the whole report.
pub fn assemble(
    manifest: &Manifest,
    plan: &Plan,
    seen: &Seen<'_>,
    judgement: &Judgement,
    circumstances: Circumstances,
) -> Report {
    let Circumstances { tool, run, start, coverage, duration, stopped, connections, role_denials, banners } =
        circumstances;
    let clock = Clock(start);
    let ended = run.finished_at.parse().unwrap_or(start);
    Report {
        schema: SCHEMA.to_owned(),
        tool,
        run,
        authorization: authorization(manifest),
        policy: manifest.policy.names(),
        compliance: compliance::records(manifest, judgement),
        declared: manifest.targets.iter().flat_map(declared).chain(role_denials).collect(),
        exceptions: exceptions(manifest, judgement),
        not_scanned: plan
            .left_out
            .iter()
            .map(|left| NotScanned { what: left.what.clone(), why: left.why.clone() })
            .collect(),
        summary: summary(judgement, stopped),
        coverage: coverage_record(manifest, plan, seen, judgement, (coverage, duration, connections), clock),
        targets: targets(manifest, plan, judgement),
        findings: judgement.findings.iter().map(|found| finding(manifest, found, clock)).collect(),
        observations: judgement
            .observations
            .iter()
            .map(|judged| {
                let portrait = seen.portraits.get(&judged.endpoint);
                let seen = judged.seen.and_then(|i| seen.observations.get(i));
                observations::record(
                    manifest,
                    judged,
                    (seen, portrait),
                    banners.get(&judged.endpoint).cloned(),
                    clock,
                    ended,
                )
            })
            .collect(),
    }
}

/// Which manifest was verified.
pub fn manifest_record(manifest: &Manifest, git: Option<Git>) -> ManifestRecord {
    let metadata = &manifest.metadata;
    ManifestRecord {
        path: manifest.path.as_ref().map(|path| path.display().to_string()),
        sha256: manifest.path.as_ref().map(|_| manifest.sha256.clone()),
        git,
        name: metadata.name.clone(),
        owner: metadata.owner.clone(),
        contact: metadata.contact.clone(),
        environment: metadata.environment.clone(),
    }
}

/// What names resolved to.
pub fn resolver_record(resolution: &Resolution) -> ResolverRecord {
    let answers = resolution.answers.iter().map(|answer| DnsAnswer {
        name: answer.name.clone(),
        family: answer.family,
        status: answer.outcome.word().to_owned(),
        addresses: answer.addresses.iter().map(IpAddr::to_string).collect(),
        chain: answer.chain.clone(),
        ttl_s: answer.ttl.map(|ttl| u32::try_from(ttl.as_secs()).unwrap_or(u32::MAX)),
        error: (!answer.outcome.is_definite()).then(|| answer.outcome.to_string()),
    });
    ResolverRecord { servers: resolution.servers.clone(), answers: answers.collect() }
}

/// A moment of a run as RFC 3339 in UTC, to the millisecond.
pub fn time(start: Timestamp, moment: Moment) -> String {
    Clock(start).at(moment)
}

/// Maps the run's own clock to the wall's.
#[derive(Clone, Copy)]
struct Clock(Timestamp);

impl Clock {
    fn at(self, moment: Moment) -> String {
        let at = self.0.checked_add(moment.since_start()).unwrap_or(Timestamp::MAX);
        format!("{at:.3}")
    }
}

fn authorization(manifest: &Manifest) -> AuthorizationRecord {
    let authorization = &manifest.authorization;
    AuthorizationRecord {
        reference: authorization.reference.clone(),
        authorized_by: authorization.authorized_by.clone(),
        valid_until: authorization.valid_until.map(|day| day.to_string()),
        scope: authorization.scope.entries.iter().map(ToString::to_string).collect(),
        exclude: authorization.scope.exclude.iter().map(ToString::to_string).collect(),
        implied: authorization.implied,
    }
}

/// What one target exposes and denies, in the order of the file.
fn declared(target: &Target) -> Vec<Declared> {
    let exposed = target.expose.iter().map(|entry| Declared {
        target: target.id.clone(),
        kind: DeclaredKind::Expose,
        protocol: entry.protocol,
        ports: entry.ports.clone(),
        presence: Some(entry.presence),
        from: entry.from.clone(),
        service: entry.service.clone(),
        owner: entry.owner.clone().or_else(|| target.owner.clone()),
        justification: entry.justification.clone(),
        approved_by: entry.approved_by.clone(),
        approved_on: entry.approved_on.map(|day| day.to_string()),
        ticket: entry.ticket.clone(),
        review_by: entry.review_by.map(|day| day.to_string()),
        controls: entry.controls.clone(),
        profile: None,
        manifest: Some(entry.place.clone()),
    });
    let denied = target.deny.iter().map(|deny| Declared {
        target: target.id.clone(),
        kind: DeclaredKind::Deny,
        protocol: deny.protocol,
        ports: deny.ports.clone(),
        presence: None,
        from: Vec::new(),
        service: None,
        owner: target.owner.clone(),
        justification: deny.reason.clone(),
        approved_by: None,
        approved_on: None,
        ticket: None,
        review_by: None,
        controls: Vec::new(),
        profile: None,
        manifest: Some(deny.place.clone()),
    });
    exposed.chain(denied).collect()
}

fn exceptions(manifest: &Manifest, judgement: &Judgement) -> Vec<ExceptionRecord> {
    let record = |(exception, used): (&Exception, &verify::ExceptionUse)| ExceptionRecord {
        id: exception.id.clone(),
        target: exception.target.clone(),
        rule: exception.rule.to_owned(),
        port: exception.port.map(|(protocol, port)| format!("{port}/{protocol}")),
        reason: exception.reason.clone(),
        requested_by: exception.requested_by.clone(),
        requested_on: exception.requested_on.map(|day| day.to_string()),
        approved_by: exception.approved_by.clone(),
        approved_on: exception.approved_on.map(|day| day.to_string()),
        ticket: exception.ticket.clone(),
        expires: exception.expires.to_string(),
        status: used.status.word().to_owned(),
        waived: used.waived,
        manifest: exception.place.clone(),
    };
    manifest.exceptions.iter().zip(&judgement.exceptions).map(record).collect()
}

fn summary(judgement: &Judgement, stopped: Option<u8>) -> Summary {
    let mut findings = SeverityCounts::default();
    for finding in &judgement.findings {
        if finding.verdict == Verdict::Fail || finding.verdict.is_doubt() {
            findings.add(finding.severity);
        }
    }
    let outcome = judgement.outcome;
    Summary {
        result: match (outcome.deviates, outcome.undetermined) {
            (true, _) => Outcome::Deviates,
            (false, true) => Outcome::Inconclusive,
            (false, false) => Outcome::Conforms,
        },
        exit_code: stopped.unwrap_or_else(|| outcome.exit_code()),
        findings,
        verdicts: judgement.verdicts,
        waived: Some(judgement.waived.into()),
        headline: String::new(),
    }
}

fn coverage_record(
    manifest: &Manifest,
    plan: &Plan,
    seen: &Seen<'_>,
    judgement: &Judgement,
    (coverage, duration, connections): (Coverage, Duration, u64),
    clock: Clock,
) -> CoverageRecord {
    let duration_s = duration.as_secs_f64();
    #[allow(clippy::cast_precision_loss, reason = "a rate for people")]
    let rate_pps = if duration_s > 0.0 { coverage.probes_sent as f64 / duration_s } else { 0.0 };
    let asked = protocols::targets(manifest, plan);
    let protocols = Protocols::new(plan, seen, &asked);
    CoverageRecord {
        planned: judgement.planned,
        states: judgement.states,
        determined: Some(judgement.determined),
        probes_sent: coverage.probes_sent,
        retransmitted: coverage.retransmitted,
        replies: coverage.replies,
        strays: coverage.strays,
        expected_false_accepts: coverage.false_accepts,
        kernel_drops: coverage.kernel_drops,
        send_errors: coverage.send_errors,
        duration_s,
        rate_pps,
        port_sets: port_sets(manifest, &asked),
        loss: coverage.loss.map(Into::into),
        miss: coverage.miss.map(Into::into),
        congestion: coverage.congestion.map(|found| congestion(found, clock.0)),
        undecided: coverage.undecided.map(Into::into),
        connections,
        per_address: judgement
            .addresses
            .iter()
            .map(|record| AddressCoverage {
                address: record.address.to_string(),
                planned: record.states.total(),
                states: record.states,
                rtt_ms: record.rtt.map(millis),
                miss: record.miss.map(Into::into),
                tcp: protocols.of(record.address, Protocol::Tcp),
                udp: protocols.of(record.address, Protocol::Udp),
            })
            .collect(),
    }
}

/// That the path was found congested, by the wall clock.
pub fn congestion(found: model::Congestion, start: Timestamp) -> Congestion {
    let model::Congestion { cuts, lowest_pps, since } = found;
    Congestion { cuts, lowest_pps, since: time(start, since) }
}

/// The ports asked of each target's addresses: `1-65535`, or `80,443; udp 53`.
fn port_sets(manifest: &Manifest, asked: &BTreeMap<usize, [PortSet; 2]>) -> BTreeMap<String, String> {
    let named = |(t, [tcp, udp]): (&usize, &[PortSet; 2])| {
        let set = Asked { tcp: tcp.clone(), udp: udp.clone() };
        Some((manifest.targets.get(*t)?.id.clone(), set.to_string()))
    };
    asked.iter().filter_map(named).collect()
}

fn targets(manifest: &Manifest, plan: &Plan, judgement: &Judgement) -> Vec<TargetRecord> {
    let mut owned: HashMap<usize, Vec<(Owner, &AddressJudgement)>> = HashMap::new();
    for record in &judgement.addresses {
        for &owner in &record.owners {
            let of_target = owned.entry(owner.target).or_default();
            // An address that two entries of a target claim is listed once, as the first has it.
            if of_target.last().is_none_or(|(_, last)| last.address != record.address) {
                of_target.push((owner, record));
            }
        }
    }
    let of = |t: usize| owned.get(&t).map_or(&[][..], Vec::as_slice);
    plan.targets.iter().filter_map(|&t| Some(target(manifest.targets.get(t)?, of(t)))).collect()
}

fn target(target: &Target, owned: &[(Owner, &AddressJudgement)]) -> TargetRecord {
    TargetRecord {
        id: target.id.clone(),
        hosts: target.hosts.iter().map(|entry| entry.host.to_string()).collect(),
        owner: target.owner.clone(),
        tags: target.tags.clone(),
        left_out: target.leaves_out(),
        addresses: owned.iter().map(|(owner, record)| address(target, *owner, record)).collect(),
    }
}

fn address(target: &Target, owner: Owner, record: &AddressJudgement) -> AddressRecord {
    let entry = target.hosts.get(owner.host).map(|entry| &entry.host);
    AddressRecord {
        address: record.address.to_string(),
        name: entry.filter(|host| !matches!(host, Host::Address(_))).map(ToString::to_string),
        family: Family::of(record.address),
        alive: record.alive,
        liveness: record.liveness.clone(),
        states: record.states,
        answers_everything: record.answers_everything,
        expect_dark: record.expect_dark,
        miss: record.miss.map(Into::into),
    }
}

fn finding(manifest: &Manifest, found: &verify::Finding, clock: Clock) -> Finding {
    let id = |t: usize| manifest.targets.get(t).map(|target| target.id.clone());
    let target = found.target.and_then(|t| manifest.targets.get(t));
    Finding {
        id: found.id.clone(),
        rule: found.rule.id.to_owned(),
        kind: found.rule.kind,
        title: found.title.clone(),
        severity: found.severity,
        verdict: found.verdict,
        target: target.map(|target| target.id.clone()),
        also: found.also.iter().filter_map(|&t| id(t)).collect(),
        host: found.host.clone(),
        address: match found.addresses.as_slice() {
            [one] => Some(one.to_string()),
            _ => None, // several: the message lists them
        },
        family: found.family,
        protocol: found.protocol,
        port: found.port,
        owner: target.and_then(|target| owner_of(target, found)),
        tags: target.map(|target| target.tags.clone()).unwrap_or_default(),
        expected: found.expected.clone(),
        observed: found.observed.clone(),
        cause: found.cause.map(str::to_owned),
        evidence: found.looks.iter().map(|look| evidence(look, clock)).collect(),
        message: found.message.clone(),
        remedy: found.remedy.clone(),
        first_seen: None,
        manifest: found.place.clone(),
        exception: found
            .exception
            .and_then(|i| manifest.exceptions.get(i))
            .map(|exception| exception.id.clone()),
    }
}

/// Whose finding it is: the entry's owner where it is about an entry, else the target's.
fn owner_of(target: &Target, found: &verify::Finding) -> Option<String> {
    let entry = found.protocol.zip(found.port).and_then(|(protocol, port)| {
        target.expose.iter().find(|entry| entry.protocol == protocol && entry.ports.contains(port))
    });
    entry.and_then(|entry| entry.owner.clone()).or_else(|| target.owner.clone())
}

fn evidence(look: &Look, clock: Clock) -> EvidenceRecord {
    EvidenceRecord {
        at: clock.at(look.at),
        attempt: look.attempt,
        source_address: look.source.map(|source| source.ip().to_string()),
        source_port: look.source.map(|source| source.port()),
        what: look.evidence.to_string(),
    }
}

/// Milliseconds, to the microsecond.
fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1_000.0
}

#[cfg(test)]
mod tests;
