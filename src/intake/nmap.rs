//! nmap's XML (`-oX`, nmap.dtd 1.05). No entity but the five of XML itself is ever expanded, nothing is fetched, and
//! what nests deeper than nmap nests is refused.

mod host;

use std::collections::{BTreeMap, btree_map::Entry};

use jiff::Timestamp;
use quick_xml::{
    Reader, XmlVersion,
    events::{BytesStart, Event},
};

pub(super) use self::host::is_prohibition;
use self::host::{Host, Port, protocol};
use super::{
    At, Format, IntakeError,
    source::{MOST_REMARKS, Part, Source},
};
use crate::{
    identify::bounded,
    model::{Endpoint, PortSet, Protocol, State},
};

/// nmap's own deepest element is 7 down: a table of a script of a port.
const DEEPEST: usize = 64;

/// Reads a scan. One without its end, as nmap leaves it when it is stopped, holds the hosts that were done.
pub(super) fn read(text: &[u8]) -> Result<Source, IntakeError> {
    let mut reader = Reader::from_reader(text);
    reader.config_mut().check_end_names = true;
    let mut scan = Scan::new();
    let (mut depth, mut is_nmap, mut is_whole) = (0_usize, false, false);
    let place = |offset: u64| At::offset(text, usize::try_from(offset).unwrap_or(usize::MAX));
    loop {
        let begins = reader.buffer_position();
        let event = reader.read_event().map_err(|error| match error {
            quick_xml::Error::Syntax(_) => IntakeError::CutOff { at: place(reader.error_position()) },
            error => {
                IntakeError::Xml { at: place(reader.error_position()), why: bounded(&error.to_string()) }
            }
        })?;
        let (element, is_empty) = match &event {
            Event::Start(element) => (element, false),
            Event::Empty(element) => (element, true),
            Event::End(end) => {
                depth = depth.saturating_sub(1);
                match end.name().as_ref() {
                    b"host" => scan.host_ends(),
                    b"port" => scan.port_ends(),
                    b"nmaprun" => is_whole = true,
                    _ => {}
                }
                continue;
            }
            Event::Eof => break,
            _ => continue,
        };
        let told = Told::of(element);
        if !is_nmap {
            let root = String::from_utf8_lossy(element.name().as_ref()).into_owned();
            is_nmap = root == "nmaprun";
            if !is_nmap {
                return Err(IntakeError::OtherXml { at: place(begins), root: bounded(&root) });
            }
            // What its findings say of the path (EXP011, EXP015) has no place in nmap's format.
            if told.get("scanner") == Some("portproof") {
                return Err(IntakeError::Own);
            }
        }
        if let Some(slip) = scan.element(element.name().as_ref(), &told) {
            scan.note(&slip, || place(begins));
        }
        if is_empty {
            match element.name().as_ref() {
                b"port" => scan.port_ends(),
                b"host" => scan.host_ends(),
                _ => {}
            }
        } else {
            depth += 1;
            if depth > DEEPEST {
                return Err(IntakeError::Deep { at: place(begins) });
            }
        }
    }
    if !is_nmap {
        return Err(IntakeError::Unrecognised { at: place(0) });
    }
    Ok(scan.end(is_whole))
}

/// The attributes of one element.
struct Told(BTreeMap<Vec<u8>, String>);

impl Told {
    /// What can't be read as XML (nmap passes on octets of strangers) stays as it is written.
    fn of(element: &BytesStart<'_>) -> Self {
        let mut told = BTreeMap::new();
        for attribute in element.attributes().with_checks(false).flatten() {
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_or_else(
                |_| String::from_utf8_lossy(&attribute.value).into_owned(),
                std::borrow::Cow::into_owned,
            );
            told.entry(attribute.key.as_ref().to_vec()).or_insert(value);
        }
        Self(told)
    }

    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key.as_bytes()).map(String::as_str)
    }

    fn word(&self, key: &str) -> &str {
        self.get(key).unwrap_or_default()
    }

    fn own(&self, key: &str) -> Option<String> {
        self.get(key).map(str::to_owned)
    }

    fn number<T: std::str::FromStr>(&self, key: &str) -> Option<T> {
        self.get(key)?.trim().parse().ok()
    }

    /// A number of ports. There are no more than these, with the port 0 that nmap asks as well.
    fn count(&self) -> Option<u64> {
        self.number("count").filter(|count| *count <= 1 << u16::BITS)
    }

    fn time(&self, key: &str) -> Option<Timestamp> {
        Timestamp::from_second(self.number(key)?).ok()
    }
}

/// A value that is not what its attribute holds. It is said and left out: a scan of which one number is unreadable is
/// judged by all the others.
struct Slip {
    key: &'static str,
    value: String,
    /// What it is not, and what follows.
    why: &'static str,
}

impl Slip {
    fn of(told: &Told, key: &'static str, why: &'static str) -> Self {
        Self { key, value: bounded(told.word(key)), why }
    }
}

/// How a protocol was asked, and on which ports.
#[derive(Clone, Debug, Default)]
struct Asked {
    ports: PortSet,
    /// nmap's own connections are completed; a SYN scan's are not.
    connects: bool,
}

struct Scan {
    source: Source,
    asked: BTreeMap<Protocol, Asked>,
    /// The host being read, and the port of it.
    host: Option<Host>,
    port: Option<Port>,
    unusable: u64,
    timed_out: u64,
    uncounted: u64,
    half_open: bool,
    /// It says how nmap ended.
    is_finished: bool,
    slips: u64,
    /// It says what was asked, and the hosts before it did.
    says_asked: bool,
    unasked: u64,
}

impl Scan {
    fn new() -> Self {
        Self {
            source: Source::new(Format::NmapXml, "nmap"),
            asked: BTreeMap::new(),
            host: None,
            port: None,
            unusable: 0,
            timed_out: 0,
            uncounted: 0,
            half_open: false,
            is_finished: false,
            slips: 0,
            says_asked: false,
            unasked: 0,
        }
    }

    fn element(&mut self, name: &[u8], told: &Told) -> Option<Slip> {
        match name {
            b"nmaprun" => {
                let tool = format!("{} {}", told.get("scanner").unwrap_or("nmap"), told.word("version"));
                self.source.tool = bounded(tool.trim());
                self.source.started = told.time("start");
            }
            b"scaninfo" => return self.scaninfo(told),
            b"finished" => {
                self.is_finished = true;
                self.source.finished = told.time("time");
                // nmap itself says when it gave up.
                self.source.partial |= told.get("exit").is_some_and(|exit| exit != "success");
            }
            b"host" => {
                let timed_out = told.get("timedout") == Some("true");
                let (since, at) = (told.time("starttime"), told.time("endtime"));
                self.host = Some(Host { since, at, timed_out, ..Host::default() });
            }
            _ => return self.host.as_mut()?.element(name, told, &mut self.port),
        }
        None
    }

    /// Says what is left out, where and why.
    fn note(&mut self, slip: &Slip, place: impl FnOnce() -> At) {
        self.slips += 1;
        if self.source.remarks.len() < MOST_REMARKS {
            let Slip { key, value, why } = slip;
            self.source.remarks.push(format!("{}: {key} `{value}` {why}", place()));
            self.slips -= 1;
        }
    }

    fn scaninfo(&mut self, told: &Told) -> Option<Slip> {
        self.says_asked = true;
        let protocol = protocol(told.word("protocol"))?;
        let kind = told.word("type");
        if !matches!(kind, "syn" | "connect" | "udp") {
            let remark =
                format!("its {} scan does not tell open ports from others, so it is left out", bounded(kind));
            self.source.remarks.push(remark);
            return None;
        }
        let asked = self.asked.entry(protocol).or_default();
        asked.connects = kind == "connect";
        match host::ports(told.word("services")) {
            Some(ports) => asked.ports = asked.ports.union(&ports),
            // Old nmaps write none.
            None if told.word("services").is_empty() => {}
            None => {
                return Some(Slip::of(
                    told,
                    "services",
                    "is no list of ports (1-65535), so nobody can tell which were asked: those that are listed one by one count",
                ));
            }
        }
        None
    }

    fn port_ends(&mut self) {
        if let (Some(host), Some(port)) = (&mut self.host, self.port.take()) {
            host.ports.push(port);
        }
    }

    /// Keeps what was said of a host. Of one that is down, or that ran out of time, nothing was.
    fn host_ends(&mut self) {
        let Some(host) = self.host.take() else { return };
        let Some(address) = host.address else { return };
        let at = host.at.or(self.source.started).unwrap_or_default();
        let since = host.since.or(self.source.started).unwrap_or_default();
        self.source.answered |= host.answered();
        self.source.finished = self.source.finished.max(host.at);
        // A name that was typed leads to the address that was scanned for it.
        for name in &host.names {
            self.source.learn(name, address);
        }
        if host.timed_out {
            self.timed_out += 1;
            return;
        }
        if host.ports.is_empty() && host.counted.is_empty() {
            return;
        }
        self.unasked += u64::from(!self.says_asked);
        let mut twice = Vec::new();
        for (&protocol, asked) in &self.asked {
            let mut part = Part { since, at, asked: asked.ports.clone(), ..Part::default() };
            for port in host.ports.iter().filter(|port| port.protocol == Some(protocol)) {
                let endpoint = Endpoint { address, protocol, port: port.number };
                match port.sighting(endpoint, asked.connects, at) {
                    Some(sighting) => {
                        let open = sighting.observation.state == State::Open;
                        self.half_open |=
                            open && protocol == Protocol::Tcp && !sighting.observation.handshake_completed();
                        if !part.tell(port.number, sighting) {
                            twice.push(endpoint);
                        }
                    }
                    None => self.unusable += 1,
                }
            }
            self.uncounted += host.rest(protocol, asked, self.asked.len() == 1, &mut part);
            part.tally = Some(host.tally(address, protocol, &part));
            // A host may be told of twice: by two names, or in files that were put together.
            twice.extend(match self.source.parts.entry((address, protocol)) {
                Entry::Vacant(place) => {
                    place.insert(part);
                    Vec::new()
                }
                Entry::Occupied(mut known) => known.get_mut().merge((address, protocol), part),
            });
        }
        for endpoint in twice {
            self.source.told_twice(endpoint);
        }
    }

    fn end(mut self, is_whole: bool) -> Source {
        let mut say = |n: u64, text: &str| {
            if n > 0 {
                self.source.remarks.push(text.replace("{}", &n.to_string()));
            }
        };
        say(self.slips, "more values that can't be read, left out: {}");
        say(
            self.unasked,
            "hosts of which it does not say what they were asked (it has no scaninfo before them), left out: {}",
        );
        say(self.timed_out, "hosts that ran out of time and of which nothing is known: {}");
        say(self.unusable, "ports in a state that does not tell open from closed, left out: {}");
        say(self.uncounted, "ports that are only counted, so that nobody can tell which they are: {}");
        say(
            u64::from(self.half_open),
            "a SYN scan completes no handshake, so a port that only sent a SYN-ACK is in doubt: scan with -sT, or with -sV",
        );
        say(u64::from(is_whole && !self.is_finished), "it does not say whether nmap came to its end");
        if !is_whole {
            self.source.partial = true;
            self.source
                .remarks
                .push("nmap was stopped before its end: only the hosts that were done are in it".to_owned());
        }
        self.source
    }
}
