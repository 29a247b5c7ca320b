//! What was seen, in nmap's XML, for the tools that read it (ndiff, Metasploit, Faraday). Under our own scanner
//! name: nmap saw nothing of this. Knows no verdict; nmap has no word for one.

mod xml;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    io::{self, Write},
};

use self::xml::Xml;
use super::{
    AddressRecord, ObservationRecord, Report,
    asked::Asked,
    exchange::moment,
    statement::{Statement, partial_sentence},
    words::{count, shell},
};
use crate::model::{PortSet, Protocol, State, StateCounts};

/// The version of nmap's format that this follows.
const FORMAT: &str = "1.05";

/// One address with everything that is known of it.
struct Place<'a> {
    address: &'a str,
    record: Option<&'a AddressRecord>,
    names: Vec<&'a str>,
    seen: Vec<&'a ObservationRecord>,
}

/// Writes what was seen.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut xml = Xml::begin(out, "nmaprun")?;
    let argv: Vec<String> = report.run.argv.iter().map(|word| shell(word)).collect();
    let started = Time::of(&report.run.started_at);
    let finished = Time::of(&report.run.finished_at);
    xml.open(
        "nmaprun",
        &[
            ("scanner", "portproof"),
            ("args", &argv.join(" ")),
            ("start", &started.epoch),
            ("startstr", &started.words),
            ("version", &report.tool.version),
            ("xmloutputversion", FORMAT),
        ],
    )?;
    asked(report, &mut xml)?;
    xml.empty("verbose", &[("level", "0")])?;
    xml.empty("debugging", &[("level", "0")])?;
    let places = places(report);
    for place in &places {
        host(report, place, (&started, &finished), &mut xml)?;
    }
    ending(report, &places, &finished, &mut xml)?;
    xml.close("nmaprun")
}

/// A time as nmap writes it; empty where the report has none.
struct Time {
    epoch: String,
    words: String,
}

impl Time {
    fn of(text: &str) -> Self {
        let at = moment(text);
        Self {
            epoch: at.map(|at| at.as_second().to_string()).unwrap_or_default(),
            words: at.map(|at| at.strftime("%a %b %e %H:%M:%S %Y").to_string()).unwrap_or_default(),
        }
    }
}

/// Every address once, in the report's order.
fn places(report: &Report) -> Vec<Place<'_>> {
    let mut places: Vec<Place<'_>> = Vec::new();
    let mut at: HashMap<&str, usize> = HashMap::new();
    for record in report.targets.iter().flat_map(|target| &target.addresses) {
        let next = *at.entry(&record.address).or_insert_with(|| {
            let (address, record) = (record.address.as_str(), Some(record));
            places.push(Place { address, record, names: Vec::new(), seen: Vec::new() });
            places.len() - 1
        });
        // A block is no name of a host.
        let name = record.name.as_deref().filter(|name| !name.contains('/'));
        if let (Some(place), Some(name)) = (places.get_mut(next), name)
            && !place.names.contains(&name)
        {
            place.names.push(name);
        }
    }
    for seen in &report.observations {
        let next = *at.entry(&seen.address).or_insert_with(|| {
            places.push(Place { address: &seen.address, record: None, names: Vec::new(), seen: Vec::new() });
            places.len() - 1
        });
        if let Some(place) = places.get_mut(next) {
            place.seen.push(seen);
        }
    }
    places
}

/// The ports that were asked of every address: a reader takes a port that is listed here and nowhere else for one
/// that is not open, so what only some targets were asked is left out.
fn asked(report: &Report, xml: &mut Xml<'_>) -> io::Result<()> {
    let scan = &report.run.scan;
    let tcp =
        scan.tcp.as_deref().map(|how| (if how == "connect" { "connect" } else { "syn" }, Protocol::Tcp));
    let udp = scan.udp.as_deref().map(|_| ("udp", Protocol::Udp));
    for (how, protocol) in tcp.into_iter().chain(udp) {
        let of = |set: &String| set.parse().map_or(PortSet::NONE, |set: Asked| set.of(protocol).clone());
        let sets = report.coverage.port_sets.values().map(of);
        let every = sets.reduce(|all, ports| all.intersection(&ports)).unwrap_or_default();
        // Of a part of the plan, or of a run that was ended early, it is not known which ports were asked.
        if every.is_empty() || report.run.partial || report.run.selection.shard.is_some() {
            continue;
        }
        xml.empty(
            "scaninfo",
            &[
                ("type", how),
                ("protocol", &protocol.to_string()),
                ("numservices", &every.len().to_string()),
                ("services", &every.to_string()),
            ],
        )?;
    }
    Ok(())
}

fn host(
    report: &Report,
    place: &Place<'_>,
    (started, finished): (&Time, &Time),
    xml: &mut Xml<'_>,
) -> io::Result<()> {
    let mut attributes = vec![("starttime", started.epoch.as_str()), ("endtime", finished.epoch.as_str())];
    let comment = comment(place);
    if !comment.is_empty() {
        attributes.push(("comment", &comment));
    }
    xml.open("host", &attributes)?;
    let (state, reason) = life(place);
    xml.empty("status", &[("state", state), ("reason", reason), ("reason_ttl", "0")])?;
    let family = if place.address.contains(':') { "ipv6" } else { "ipv4" };
    xml.empty("address", &[("addr", place.address), ("addrtype", family)])?;
    xml.open("hostnames", &[])?;
    for name in &place.names {
        xml.empty("hostname", &[("name", name), ("type", "user")])?;
    }
    xml.close("hostnames")?;
    xml.open("ports", &[])?;
    let shown: Vec<&ObservationRecord> =
        place.seen.iter().copied().filter(|seen| word(seen.state).is_some()).collect();
    unlisted(report, place, xml)?;
    for seen in shown {
        port(seen, xml)?;
    }
    xml.close("ports")?;
    xml.close("host")
}

/// What nmap has no place for and a reader must not miss.
fn comment(place: &Place<'_>) -> String {
    let mut words = Vec::new();
    if let Some(record) = place.record {
        let unknown = record.states.unknown;
        if unknown > 0 {
            words.push(format!("{} not determined", count(unknown, "endpoint was", "endpoints were")));
        }
        if record.answers_everything {
            words.push("the address answers on everything, so what is open here proves nothing".to_owned());
        }
    }
    words.join("; ")
}

/// Up is what answered. Silence is no proof that a host is down, so it is `unknown` and not nmap's `down`.
fn life(place: &Place<'_>) -> (&'static str, &'static str) {
    let states = place.record.map(|record| record.states).unwrap_or_default();
    let is_open = |seen: &&&ObservationRecord| seen.state == State::Open;
    let opens = place.seen.iter().filter(is_open).map(|seen| seen.protocol);
    match place.record.and_then(|record| record.alive) {
        Some(true) if opens.clone().any(|of| of == Protocol::Tcp) => ("up", "syn-ack"),
        Some(true) if opens.clone().any(|of| of == Protocol::Udp) => ("up", "udp-response"),
        Some(true) if states.open > 0 => ("up", "syn-ack"),
        Some(true) if states.closed > 0 => ("up", "conn-refused"),
        Some(true) => ("up", "unknown-response"),
        Some(false) => ("unknown", "no-response"),
        None => ("unknown", "unknown-response"),
    }
}

/// nmap's word for a state; `None` for what we failed to find out: nmap has no word for that, and any other would
/// claim something.
fn word(state: State) -> Option<&'static str> {
    match state {
        State::Open => Some("open"),
        State::Closed => Some("closed"),
        State::Filtered => Some("filtered"),
        State::Unanswered => Some("open|filtered"),
        State::Unknown => None,
    }
}

/// The endpoints that are counted and not listed. The reason is given where all of them must have the same: silence
/// of UDP, and a refusal where only TCP was asked.
fn unlisted(report: &Report, place: &Place<'_>, xml: &mut Xml<'_>) -> io::Result<()> {
    let Some(record) = place.record else { return Ok(()) };
    let mut listed = StateCounts::default();
    let mut once = HashSet::new();
    for seen in &place.seen {
        if once.insert((seen.protocol, seen.port)) {
            listed.add(seen.state, 1);
        }
    }
    let scan = &report.run.scan;
    let refusal = match (scan.tcp.as_deref(), &scan.udp) {
        (Some("syn"), None) => Some("reset"),
        (Some("connect"), None) => Some("conn-refused"),
        _ => None,
    };
    for state in State::ALL {
        let left = record.states.of(state).saturating_sub(listed.of(state));
        let (Some(word), true) = (word(state), left > 0) else { continue };
        let left = left.to_string();
        let reason = match state {
            State::Unanswered => Some("no-response"),
            State::Closed => refusal,
            _ => None,
        };
        let attributes = [("state", word), ("count", left.as_str())];
        let Some(reason) = reason else {
            xml.empty("extraports", &attributes)?;
            continue;
        };
        xml.open("extraports", &attributes)?;
        xml.empty("extrareasons", &[("reason", reason), ("count", &left)])?;
        xml.close("extraports")?;
    }
    Ok(())
}

fn port(seen: &ObservationRecord, xml: &mut Xml<'_>) -> io::Result<()> {
    let Some(state) = word(seen.state) else { return Ok(()) };
    xml.open("port", &[("protocol", &seen.protocol.to_string()), ("portid", &seen.port.to_string())])?;
    let ttl = seen.ttl.unwrap_or(0).to_string();
    xml.empty("state", &[("state", state), ("reason", &seen.reason), ("reason_ttl", &ttl)])?;
    service(seen, xml)?;
    if let Some(banner) = &seen.banner {
        xml.empty("script", &[("id", "portproof-banner"), ("output", banner)])?;
    }
    if let Some(output) = certificate(seen) {
        xml.empty("script", &[("id", "portproof-certificate"), ("output", &output)])?;
    }
    xml.close("port")
}

/// Who answers. Always `probed`: a name that only stands in a table of ports is no evidence, and is not written.
fn service(seen: &ObservationRecord, xml: &mut Xml<'_>) -> io::Result<()> {
    let encrypted = seen.tls.as_ref().is_some_and(|tls| tls.sessions.iter().any(|session| !session.starttls));
    let Some(service) = seen.service.as_deref().or_else(|| encrypted.then_some("unknown")) else {
        return Ok(());
    };
    // nmap names the protocol inside, and says apart that TLS is around it.
    let inside = if encrypted { plain(service) } else { service };
    let mut attributes = vec![("name", inside), ("method", "probed"), ("conf", "10")];
    if encrypted {
        attributes.push(("tunnel", "ssl"));
    }
    xml.empty("service", &attributes)
}

/// What a protocol is called without TLS around it, by nmap.
fn plain(service: &str) -> &str {
    match service {
        "https" => "http",
        "submissions" => "smtp",
        "imaps" => "imap",
        "pop3s" => "pop3",
        "ftps" => "ftp",
        "ldaps" => "ldap",
        other => other,
    }
}

fn certificate(seen: &ObservationRecord) -> Option<String> {
    let session = seen.tls.as_ref()?.sessions.iter().find(|session| session.certificate.is_some())?;
    let certificate = session.certificate.as_ref()?;
    Some(format!(
        "subject {}; issuer {}; valid from {} to {}; SHA-256 {}",
        certificate.subject,
        certificate.issuer,
        certificate.not_before,
        certificate.not_after,
        certificate.sha256
    ))
}

fn ending(report: &Report, places: &[Place<'_>], finished: &Time, xml: &mut Xml<'_>) -> io::Result<()> {
    let partial = partial_sentence(report);
    let elapsed = format!("{:.2}", report.coverage.duration_s);
    let said = Statement::of(report).headline();
    let mut attributes = vec![
        ("time", finished.epoch.as_str()),
        ("timestr", &finished.words),
        ("elapsed", &elapsed),
        ("summary", &said),
        ("exit", if partial.is_some() { "error" } else { "success" }),
    ];
    attributes.extend(partial.as_deref().map(|sentence| ("errormsg", sentence)));
    xml.open("runstats", &[])?;
    xml.empty("finished", &attributes)?;
    let mut hosts: BTreeMap<&str, u64> = BTreeMap::new();
    for place in places {
        *hosts.entry(life(place).0).or_default() += 1;
    }
    let up = hosts.get("up").copied().unwrap_or_default().to_string();
    xml.empty("hosts", &[("up", &up), ("down", "0"), ("total", &places.len().to_string())])?;
    xml.close("runstats")
}
