//! A report of this program: what it lists, what it counts, and who answered, so that its manifest judged again
//! gives what it gave.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    time::Duration,
};

use jiff::Timestamp;

use super::{
    Format, IntakeError,
    portrait::{portrait, reply},
    source::{Part, Rest, SYN_ACK, Sighting, Source, moment, observed},
};
use crate::{
    identify::bounded,
    model::{
        ControlCount, Endpoint, Evidence, LocalError, Look, Miss, Moment, Observation, PortSet, Protocol,
        Reason, State, StateCounts, Tally, Unreachable,
    },
    report::{
        AddressCoverage, Asked, AttemptRecord, DnsAnswer, ObservationRecord, ProtocolCoverage, Report, json,
    },
    spec::resolution::{DnsOutcome, NameAnswer},
};

/// Ports of an address, over either protocol.
const MOST: u64 = 2 * u16::MAX as u64;

pub(super) fn read(text: &[u8]) -> Result<Source, IntakeError> {
    let report = json::read(text)?;
    let mut source = Source::new(Format::Report, &format!("{} {}", report.tool.name, report.tool.version));
    let run = &report.run;
    source.started = run.started_at.parse().ok();
    source.finished = run.finished_at.parse().ok();
    source.partial = run.partial;
    if run.partial {
        source.remarks.push(format!("the run was partial ({})", bounded(&run.stop_reason)));
    }
    let answers = run.resolver.answers.iter().filter_map(answer);
    source.answers = answers.map(|answer| ((answer.name.clone(), answer.family), answer)).collect();
    source.answered = report.coverage.states.open > 0 || report.coverage.states.closed > 0;
    let at = source.finished.or(source.started).unwrap_or_default();
    let since = source.started.unwrap_or_default();
    for record in &report.observations {
        let Ok(address) = record.address.parse::<IpAddr>() else { continue };
        let part = source.parts.entry((address, record.protocol)).or_default();
        (part.since, part.at) = (since, at);
        part.seen.insert(record.port, sighting(address, record));
    }
    let sets = sets(&report);
    let none = [PortSet::NONE, PortSet::NONE];
    let banned = fell_silent(&report);
    for covered in &report.coverage.per_address {
        let Ok(address) = covered.address.parse::<IpAddr>() else { continue };
        let planned = sets.get(&address).unwrap_or(&none);
        for protocol in [Protocol::Tcp, Protocol::Udp] {
            let key = (address, protocol);
            let own = match protocol {
                Protocol::Tcp => covered.tcp.as_ref(),
                Protocol::Udp => covered.udp.as_ref(),
            };
            let part = match own {
                Some(own) => Some(whole(source.parts.remove(&key), key, own, (covered, planned))),
                None if covered.tcp.is_some() || covered.udp.is_some() => None,
                None => earlier(&mut source.parts, key, covered, planned),
            };
            if let Some(mut part) = part {
                (part.since, part.at) = (since, at);
                if let Some(tally) = &mut part.tally {
                    tally.fell_silent |= banned.contains(&address);
                }
                source.parts.insert(key, part);
            }
        }
    }
    source.report = Some(Box::new(report));
    Ok(source)
}

/// The ports planned at each address: those of all the targets that it belongs to.
fn sets(report: &Report) -> BTreeMap<IpAddr, [PortSet; 2]> {
    let mut sets: BTreeMap<IpAddr, [PortSet; 2]> = BTreeMap::new();
    for target in &report.targets {
        let own = report.coverage.port_sets.get(&target.id).and_then(|set| set.parse::<Asked>().ok());
        let Some(Asked { tcp, udp }) = own else { continue };
        for record in &target.addresses {
            let Ok(address) = record.address.parse() else { continue };
            let known = sets.entry(address).or_default();
            for (known, own) in known.iter_mut().zip([&tcp, &udp]) {
                *known = if known.is_empty() { own.clone() } else { known.union(own) };
            }
        }
    }
    sets
}

/// Addresses that were found to have banned the run; of reports that say it nowhere else.
fn fell_silent(report: &Report) -> BTreeSet<IpAddr> {
    let banned = report.findings.iter().filter(|finding| finding.cause.as_deref() == Some("fell_silent"));
    banned.filter_map(|finding| finding.address.as_deref()?.parse().ok()).collect()
}

/// One protocol of one address, with its own totals.
fn whole(
    listed: Option<Part>,
    (address, protocol): (IpAddr, Protocol),
    own: &ProtocolCoverage,
    (covered, planned): (&AddressCoverage, &[PortSet; 2]),
) -> Part {
    let mut part = listed.unwrap_or_default();
    let [tcp, udp] = planned;
    let of_targets = if protocol == Protocol::Tcp { tcp } else { udp };
    part.asked = match &own.ports {
        Some(text) => PortSet::parse(text).unwrap_or_default(),
        None => of_targets.clone(),
    };
    let miss = own.miss.map(|miss| Miss { estimate: miss.estimate, upper95: miss.upper95 });
    part.tally = Some(Tally {
        states: bounded_counts(own.states),
        not_sent: own.not_sent.min(MOST),
        local: own.local.as_deref().and_then(local),
        prohibited: own.prohibited.min(MOST),
        rtt: covered.rtt_ms.and_then(millis),
        fell_silent: own.fell_silent,
        miss,
        controls: own.controls.map(|count| ControlCount { asked: count.asked, open: count.open }),
        ..Tally::empty(address, protocol)
    });
    settle(&mut part);
    part
}

/// What its totals leave for the ports that it does not list.
pub(super) fn settle(part: &mut Part) {
    let Some(tally) = &part.tally else { return };
    let mut states = tally.states;
    for (port, sighting) in &part.seen {
        if part.asked.contains(*port) {
            states.sub(sighting.observation.state, 1);
        }
    }
    let silent = states.filtered + states.unanswered > 0 && tally.prohibited == 0;
    rest(part, states, silent.then_some(Reason::NoResponse));
}

/// The same of a report that gives totals of an address only for both protocols together: what proves least.
fn earlier(
    parts: &mut BTreeMap<(IpAddr, Protocol), Part>,
    (address, protocol): (IpAddr, Protocol),
    covered: &AddressCoverage,
    planned: &[PortSet; 2],
) -> Option<Part> {
    let [tcp, udp] = planned;
    let own = if protocol == Protocol::Tcp { tcp } else { udp };
    let mut part = parts.remove(&(address, protocol)).unwrap_or_default();
    // More was planned at other addresses of a target: then nobody knows which ports these are.
    if u64::from(tcp.len() + udp.len()) != covered.planned || own.is_empty() {
        return Some(part).filter(|part| !part.seen.is_empty());
    }
    part.asked = own.clone();
    let mut together = bounded_counts(covered.states);
    let other = if protocol == Protocol::Tcp { Protocol::Udp } else { Protocol::Tcp };
    let others = parts.get(&(address, other)).into_iter().flat_map(|part| &part.seen);
    for (_, sighting) in part.seen.iter().chain(others) {
        together.sub(sighting.observation.state, 1);
    }
    let left = own.difference(&part.seen.keys().copied().collect());
    let weakest = Rest { ports: PortSet::NONE, states: together, reason: None }.weakest();
    let state = match (protocol, weakest) {
        (Protocol::Tcp, State::Unanswered) if together.filtered > 0 => State::Filtered,
        (Protocol::Tcp, State::Unanswered) => State::Closed,
        (_, state) => state,
    };
    let mut states = StateCounts::default();
    states.add(state, left.len().into());
    rest(&mut part, states, None);
    part.tally = Some(Tally {
        rtt: covered.rtt_ms.and_then(millis),
        miss: covered.miss.map(|miss| Miss { estimate: miss.estimate, upper95: miss.upper95 }),
        ..Tally::empty(address, protocol)
    });
    Some(part)
}

/// No more endpoints than an address has, whatever is written.
fn bounded_counts(written: StateCounts) -> StateCounts {
    let mut counts = StateCounts::default();
    for state in State::ALL {
        counts.add(state, written.of(state).min(MOST));
    }
    counts
}

/// What was asked and is not listed.
fn rest(part: &mut Part, states: StateCounts, reason: Option<Reason>) {
    let listed: PortSet = part.seen.keys().copied().collect();
    let ports = part.asked.difference(&listed);
    if !ports.is_empty() {
        part.rest.push(Rest { ports, states, reason });
    }
}

fn sighting(address: IpAddr, record: &ObservationRecord) -> Sighting {
    let protocol = record.protocol;
    let endpoint = Endpoint { address, protocol, port: record.port };
    let reason = record.reason.parse().unwrap_or(Reason::Interrupted);
    let mut observation = Observation {
        rtt: record.rtt_ms.and_then(millis),
        ttl: record.ttl,
        attempts: record.attempts,
        first_seen: record.first_seen_at.as_deref().map(at),
        ..observed(endpoint, record.state, reason, None, Timestamp::UNIX_EPOCH)
    };
    observation.looks = looks(record, reason);
    let open = record.state == State::Open;
    let portrait = match (protocol, record.service.as_deref()) {
        (Protocol::Tcp, _) => portrait(record, &at),
        (Protocol::Udp, Some(service)) => Some(reply(service)),
        (Protocol::Udp, None) => None,
    };
    Sighting {
        observation,
        portrait: portrait.filter(|_| open),
        banner: record.banner.as_deref().filter(|_| protocol == Protocol::Udp).map(bounded),
    }
}

/// The attempts, as far as the judgement rests on them.
fn looks(record: &ObservationRecord, reason: Reason) -> Vec<Look> {
    if !record.evidence.is_empty() {
        return record.evidence.iter().map(|attempt| attempted(attempt, record.protocol)).collect();
    }
    let look = |at, attempt, evidence| Look { at, attempt, source: None, ttl: None, evidence };
    let rung = |word: &str| record.ladder.iter().find(|rung| rung.rung == word).map(|rung| at(&rung.at));
    let first = record.first_seen_at.as_deref().map(at).unwrap_or_default();
    match (record.protocol, record.state) {
        (Protocol::Tcp, State::Open) => {
            let (handshake, second) = (rung("handshake"), rung("second_look"));
            let opened = handshake.map_or(SYN_ACK, |_| Evidence::Connected);
            let mut looks = vec![look(
                handshake.unwrap_or(first).min(second.unwrap_or(Moment::from_nanos(u64::MAX))),
                1,
                opened,
            )];
            looks.extend(second.map(|at| look(at, 2, opened)));
            looks
        }
        (Protocol::Tcp, State::Closed) => {
            let evidence = if reason == Reason::ConnRefused { Evidence::Refused } else { Evidence::Reset };
            vec![look(first, 1, evidence)]
        }
        (Protocol::Udp, State::Closed) => vec![look(first, 1, Evidence::NoListener)],
        (_, State::Filtered) => {
            let what = Unreachable::of(reason);
            what.map(|what| look(first, 1, Evidence::Unreachable { what, sender: None }))
                .into_iter()
                .collect()
        }
        _ => Vec::new(),
    }
}

fn attempted(attempt: &AttemptRecord, protocol: Protocol) -> Look {
    let reason = attempt.reason.parse().unwrap_or(Reason::NoResponse);
    let evidence = match (attempt.state, protocol) {
        (State::Open, _) if attempt.handshake => Evidence::Connected,
        (State::Open, Protocol::Tcp) => SYN_ACK,
        (State::Open, Protocol::Udp) => Evidence::Reply { payload: u16::MAX },
        (State::Closed, Protocol::Udp) => Evidence::NoListener,
        (State::Closed, Protocol::Tcp) if reason == Reason::ConnRefused => Evidence::Refused,
        (State::Closed, Protocol::Tcp) => Evidence::Reset,
        _ => Unreachable::of(reason)
            .map_or(Evidence::Silence, |what| Evidence::Unreachable { what, sender: None }),
    };
    Look { at: at(&attempt.at), attempt: attempt.attempt, source: None, ttl: None, evidence }
}

fn answer(record: &DnsAnswer) -> Option<NameAnswer> {
    let outcome = match record.status.as_str() {
        "answered" => DnsOutcome::Answered,
        "no_data" => DnsOutcome::NoData,
        "nxdomain" => DnsOutcome::NxDomain,
        "servfail" => DnsOutcome::ServFail,
        "refused" => DnsOutcome::Refused,
        "timeout" => DnsOutcome::Timeout,
        _ => {
            let error = record.error.as_deref().unwrap_or_default();
            DnsOutcome::Other(bounded(error.strip_prefix("could not be resolved: ").unwrap_or(error)))
        }
    };
    Some(NameAnswer {
        name: record.name.clone(),
        family: record.family,
        outcome,
        addresses: record.addresses.iter().map(|address| address.parse().ok()).collect::<Option<_>>()?,
        chain: record.chain.iter().map(|name| bounded(name)).collect(),
        ttl: record.ttl_s.map(|ttl| Duration::from_secs(ttl.into())),
    })
}

fn local(word: &str) -> Option<LocalError> {
    match word.parse().ok()? {
        Reason::Local(error) => Some(error),
        _ => None,
    }
}

fn at(text: &str) -> Moment {
    text.parse().map(moment).unwrap_or_default()
}

fn millis(ms: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(ms / 1000.0).ok()
}
