//! How numbers, ports and observations are put into words.

use std::collections::BTreeSet;

use crate::model::{Evidence, LocalError, Observation, PortSet, Protocol, Reason, State};
pub(super) use crate::model::{one_in, thousands as number};

/// The most items that a list in a sentence shows.
const SHOWN: usize = 8;

/// `1 endpoint rests`, `65,535 endpoints rest`.
pub(super) fn endpoints_rest(n: u64) -> String {
    if n == 1 { "1 endpoint rests".to_owned() } else { format!("{} endpoints rest", number(n)) }
}

/// The first items of a list, and how many more there are.
pub(super) fn list(items: impl Iterator<Item = String>, between: &str) -> String {
    let items: Vec<String> = items.collect();
    let shown = items.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(between);
    match items.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown}{between}and {more} more"),
    }
}

/// `22/tcp, 8000-8010/tcp`.
pub(super) fn ports(covers: &BTreeSet<(Protocol, u16)>) -> String {
    let of = |protocol| -> PortSet {
        covers.iter().filter(|(of, _)| *of == protocol).map(|(_, port)| *port).collect()
    };
    let ranges = [Protocol::Tcp, Protocol::Udp].into_iter().flat_map(|protocol| {
        let ranges: Vec<(u16, u16)> = of(protocol).ranges().collect();
        ranges.into_iter().map(move |(first, last)| {
            if first == last { format!("{first}/{protocol}") } else { format!("{first}-{last}/{protocol}") }
        })
    });
    list(ranges, ", ")
}

/// `www, shop` for an enumeration of words.
pub(super) fn joined<T: ToString>(items: impl Iterator<Item = T>) -> String {
    list(items.map(|item| item.to_string()), ", ")
}

/// What was seen of an endpoint, as a clause.
pub(super) fn seen(observation: &Observation) -> String {
    let attempts = match observation.attempts {
        0 => "attempts that nobody counted".to_owned(),
        1 => "1 attempt".to_owned(),
        n => format!("{n} attempts"),
    };
    let state = observation.state;
    let from = observation.sender.map(|sender| format!(" from {sender}")).unwrap_or_default();
    match (state, observation.reason) {
        (State::Open, _) => match handshakes(observation) {
            0 if observation.endpoint.protocol == Protocol::Udp => "open: it replied".to_owned(),
            0 if was_refused(observation) => {
                "open: a SYN-ACK, and then refused (RST) when the handshake was to be completed".to_owned()
            }
            0 if observation.looks.len() == 1 => "open: a SYN-ACK, and no handshake was tried".to_owned(),
            0 => format!("open: a SYN-ACK, and no completed handshake in {attempts}"),
            1 if observation.seen_open_twice() => "open: a SYN-ACK, then a completed handshake".to_owned(),
            1 => "open: one completed handshake".to_owned(),
            n => format!("open: {n} completed handshakes{}", apart(observation)),
        },
        (State::Closed, _) => "closed: refused by the host".to_owned(),
        (State::Filtered, Reason::Unlisted) => "not open: closed or filtered".to_owned(),
        (_, Reason::Unlisted) => format!("{state}: counted, not listed"),
        (_, Reason::NoResponse) => format!("{state}: no answer to {attempts}"),
        (State::Unknown, Reason::NotSent) => "not asked".to_owned(),
        (State::Unknown, Reason::Interrupted) => "not asked to the end: the run was stopped".to_owned(),
        (State::Unknown, Reason::Contradicted) => "told twice, and differently".to_owned(),
        (State::Unknown, Reason::Local(error)) => format!("not determined: {error}"),
        (_, reason) => format!("{state}: ICMP {reason}{from}"),
    }
}

/// Whether a look brought a RST.
pub(super) fn was_refused(observation: &Observation) -> bool {
    observation.looks.iter().any(|look| look.evidence.state() == Some(State::Closed))
}

/// The failure on our side that left it undetermined.
pub(super) fn local(observation: &Observation) -> Option<LocalError> {
    match observation.reason {
        Reason::Local(error) => Some(error),
        _ => None,
    }
}

/// Completed handshakes.
pub(super) fn handshakes(observation: &Observation) -> usize {
    observation.looks.iter().filter(|look| look.evidence == Evidence::Connected).count()
}

fn apart(observation: &Observation) -> String {
    let mut times = observation.looks.iter().filter(|look| look.evidence == Evidence::Connected);
    match (times.next(), times.next_back()) {
        (Some(first), Some(last)) => {
            format!(", {:.1} s apart", last.at.saturating_since(first.at).as_secs_f64())
        }
        _ => String::new(),
    }
}
