//! Portraits from the records of a report: what a judgement rests on comes back as it was.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use data_encoding::BASE64;

use crate::{
    identify::{
        Guard, Identity, Manner, Portrait, Rung, Session, Shown, bounded,
        tls::{Exchanged, Offered, Version, VersionOffer, suites},
    },
    model::Moment,
    report::{ObservationRecord, OfferedRecord, PortraitRecord, SessionRecord},
};

/// Certificates of a chain that are counted.
const LONGEST_CHAIN: usize = 32;
/// Different words that are kept: services and guards of our own making are fewer.
const MOST_WORDS: usize = 1024;

/// Who answered, by the record of an endpoint. `None`: the report does not say it to the end.
pub(super) fn portrait(record: &ObservationRecord, at: &dyn Fn(&str) -> Moment) -> Option<Portrait> {
    let own = record.portrait.as_ref()?;
    let banner = record.banner.as_deref().map(bounded);
    let rungs = record.ladder.iter().filter_map(|rung| Some((named(&rung.rung)?, at(&rung.at))));
    let tls = record.tls.as_ref();
    let sessions = tls.map(|tls| tls.sessions.as_slice()).unwrap_or_default();
    let offered = tls.map(|tls| tls.offered.as_slice()).unwrap_or_default();
    let shown = own.protocol.as_deref().map(|protocol| Shown {
        service: word(protocol),
        identity: identity(own),
        banner: banner.clone(),
        guard: guard(own),
    });
    Some(Portrait {
        words: banner.filter(|_| shown.is_none()),
        shown,
        encrypted: own.encrypted,
        sessions: sessions.iter().filter_map(session).collect(),
        offered: offered.iter().filter_map(|record| Some((record.name.clone(), offers(record)?))).collect(),
        is_cut: !own.complete,
        rungs: rungs.collect(),
        manner: own.manner.as_deref().and_then(manner),
        connections: 0,
    })
}

/// What answered over UDP: its reply shows no more than the name.
pub(super) fn reply(service: &str) -> Portrait {
    let shown = Shown { service: word(service), identity: None, banner: None, guard: Guard::Untold };
    Portrait { shown: Some(shown), ..Portrait::default() }
}

fn identity(own: &PortraitRecord) -> Option<Identity> {
    let text = |text: &Option<String>| text.as_deref().map(bounded);
    let identity =
        Identity { product: text(&own.product), version: text(&own.version), detail: text(&own.detail) };
    Some(identity).filter(|identity| *identity != Identity::default())
}

fn guard(own: &PortraitRecord) -> Guard {
    let shown_by = || own.guard_shown_by.as_deref().map_or("shows so in the report", word);
    match own.guard.as_deref() {
        Some("open") => Guard::Open(shown_by()),
        Some("cleartext") => Guard::Cleartext(shown_by()),
        Some("upgradable") => Guard::Upgradable,
        Some(_) => Guard::Unasked,
        None => Guard::Untold,
    }
}

fn named(rung: &str) -> Option<Rung> {
    [Rung::Handshake, Rung::Acknowledged, Rung::Greeting, Rung::Tls, Rung::Protocol]
        .into_iter()
        .find(|known| known.word() == rung)
}

fn manner(says: &str) -> Option<Manner> {
    let all = [
        Manner::Refuses,
        Manner::Resets,
        Manner::ClosesAtOnce,
        Manner::HangsUp,
        Manner::Mute,
        Manner::Strange,
        Manner::Drips,
        Manner::Floods,
    ];
    all.into_iter().find(|manner| manner.says() == says)
}

/// `None`: its certificate is not in the report, so it can't be judged.
fn session(record: &SessionRecord) -> Option<Session> {
    let der = record.certificate.as_ref().and_then(|leaf| leaf.der.as_deref());
    let mut chain: Vec<Vec<u8>> = der.and_then(decoded).into_iter().collect();
    if chain.is_empty() && record.chain_length > 0 {
        return None;
    }
    // Of the others only the number is known, and only that is of interest.
    chain.resize(record.chain_length.clamp(chain.len(), LONGEST_CHAIN), Vec::new());
    let why = || record.untrusted_because.as_deref().map(bounded).unwrap_or_default();
    Some(Session {
        name: record.name.clone(),
        upgraded: record.starttls,
        version: bounded(&record.version),
        suite: record.suite.as_deref().map(bounded),
        chain,
        trust: if record.trusted { Ok(()) } else { Err(why()) },
    })
}

/// `None`: it names something that this version does not know.
fn offers(record: &OfferedRecord) -> Option<Offered> {
    let mut versions = Vec::new();
    for offer in &record.versions {
        let suites = offer.suites.iter().map(|name| suite(name)).collect::<Option<_>>()?;
        versions.push(VersionOffer {
            version: version(&offer.version)?,
            suites,
            server_order: None,
            complete: offer.complete,
        });
    }
    let unknown: Vec<Version> =
        record.unknown_versions.iter().map(|name| version(name)).collect::<Option<_>>()?;
    let is_taken = |version: &Version| versions.iter().any(|offer| offer.version == *version);
    let refused = Version::ALL.into_iter().filter(|version| !is_taken(version) && !unknown.contains(version));
    Some(Offered {
        refused: refused.collect(),
        exchanged: record.key_exchanges.iter().map(|way| exchange(way)).collect::<Option<_>>()?,
        compresses: record.compression,
        chains: record.der.as_deref().and_then(decoded).map(|der| vec![vec![der]]).unwrap_or_default(),
        versions,
        unknown,
        ..Offered::default()
    })
}

fn version(name: &str) -> Option<Version> {
    // Over datagrams it is called otherwise.
    let is_it = |version: &Version| version.to_string() == name || version.datagram_name() == name;
    Version::ALL.into_iter().find(is_it)
}

fn suite(name: &str) -> Option<u16> {
    let number = || u16::from_str_radix(name.strip_prefix("cipher suite 0x")?, 16).ok();
    suites().find(|suite| suite.name == name).map(|suite| suite.id).or_else(number)
}

fn exchange(way: &str) -> Option<Exchanged> {
    let (kind, number) = way.split_once(' ').unwrap_or((way, ""));
    let number = || number.parse().ok();
    Some(match kind {
        "group" => Exchanged::Group(number()?),
        "dh" => Exchanged::Dh { bits: number()? },
        "rsa" => Exchanged::Rsa { bits: number()? },
        "explicit" => Exchanged::Explicit,
        _ => return None,
    })
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text.as_bytes()).ok()
}

/// Portraits hold words of the program's own. Those of a file are kept until the program ends, each once; where a
/// file has more of them than there can be, it is not ours.
fn word(text: &str) -> &'static str {
    static WORDS: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let text = bounded(text);
    let mut words = WORDS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = words.get(text.as_str()) {
        return known;
    }
    if words.len() >= MOST_WORDS {
        return "something unknown";
    }
    let kept: &'static str = Box::leak(text.into_boxed_str());
    words.insert(kept);
    kept
}
