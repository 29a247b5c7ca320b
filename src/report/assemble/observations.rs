//! What was seen of one endpoint, and how far it was seen to go.

use jiff::Timestamp;

use super::{
    super::{
        observed::{AttemptRecord, ObservationRecord, RungRecord},
        portrait::PortraitRecord,
        tls::TlsRecord,
        waived::waived_by,
    },
    Clock, millis,
};
use crate::{
    identify::{Portrait, Rung},
    model::{Evidence, Look, Moment, Observation, Protocol, State},
    spec::manifest::Manifest,
    verify,
};

/// The record of one judged endpoint. `ended`: when the run ended.
pub(super) fn record(
    manifest: &Manifest,
    judged: &verify::Judged,
    (seen, portrait): (Option<&Observation>, Option<&Portrait>),
    banner: Option<String>,
    clock: Clock,
    ended: Timestamp,
) -> ObservationRecord {
    let open = seen.filter(|_| judged.state == State::Open);
    let portrait = portrait.filter(|_| open.is_some());
    ObservationRecord {
        address: judged.endpoint.address.to_string(),
        protocol: judged.endpoint.protocol,
        port: judged.endpoint.port,
        state: judged.state,
        verdict: judged.verdict,
        waived_by: judged.waived.map(|waived| waived_by(waived, manifest)),
        reason: judged.reason.to_string(),
        ttl: seen.and_then(|seen| seen.ttl),
        rtt_ms: seen.and_then(|seen| seen.rtt).map(millis),
        attempts: seen.map_or(0, |seen| seen.attempts),
        first_seen_at: seen.and_then(|seen| seen.first_seen).map(|at| clock.at(at)),
        service: open.and_then(verify::service).or_else(|| portrait?.service()).map(str::to_owned),
        tls: portrait.and_then(|portrait| TlsRecord::of(portrait, ended)),
        banner: banner.or_else(|| portrait?.banner()).filter(|_| open.is_some()),
        ladder: ladder(open, portrait, clock),
        evidence: seen.map(|seen| doubtful(seen, clock)).unwrap_or_default(),
        portrait: portrait.map(PortraitRecord::of),
    }
}

/// Attempts that say something, where they do not say the same, or not enough.
fn doubtful(seen: &Observation, clock: Clock) -> Vec<AttemptRecord> {
    let answered = seen.looks.iter().any(|look| look.evidence.state() == Some(State::Open));
    let half_open = seen.endpoint.protocol == Protocol::Tcp && answered && !seen.handshake_completed();
    if !seen.contradicts_itself() && !half_open {
        return Vec::new();
    }
    let record = |look: &Look| {
        Some(AttemptRecord {
            at: clock.at(look.at),
            attempt: look.attempt,
            state: look.evidence.state()?,
            reason: look.evidence.reason().to_string(),
            handshake: look.evidence == Evidence::Connected,
        })
    };
    seen.looks.iter().filter_map(record).collect()
}

/// The rungs reached, in the order of time.
fn ladder(open: Option<&Observation>, portrait: Option<&Portrait>, clock: Clock) -> Vec<RungRecord> {
    let looks = open.map(|seen| seen.looks.as_slice()).unwrap_or_default();
    let handshake = looks.iter().find(|look| look.evidence == Evidence::Connected).map(|look| look.at);
    let second = looks.iter().filter(|look| look.evidence.state() == Some(State::Open)).nth(1);
    let talked = portrait.map(|portrait| portrait.rungs.as_slice()).unwrap_or_default();
    let mut rungs: Vec<(Moment, &str)> =
        handshake.map(|at| (at, Rung::Handshake.word())).into_iter().collect();
    rungs.extend(second.map(|look| (look.at, "second_look")));
    let is_new = |rung: Rung| rung != Rung::Handshake || handshake.is_none();
    rungs.extend(talked.iter().filter(|(rung, _)| is_new(*rung)).map(|(rung, at)| (*at, rung.word())));
    rungs.sort_by_key(|(at, _)| *at);
    rungs.into_iter().map(|(at, rung)| RungRecord { rung: rung.to_owned(), at: clock.at(at) }).collect()
}
