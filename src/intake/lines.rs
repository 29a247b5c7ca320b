//! Records in JSON, one after the other, as masscan (`-oJ`, `-oD`) and naabu (`-json`) write them. Both list what
//! answered and not what was asked, so nothing else is known.

use std::net::IpAddr;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Deserializer, Value, error::Category};

use super::{
    At, Format, IntakeError,
    services::Service,
    source::{SYN_ACK, Sighting, Source, moment, observed},
};
use crate::{
    identify::bounded,
    model::{Endpoint, Evidence, Look, Protocol, Reason, State},
};

/// A record of any of the kinds; what else is in it is of no interest.
#[derive(Debug, Deserialize)]
struct Record {
    ip: Option<IpAddr>,
    host: Option<String>,
    timestamp: Option<Value>,
    // masscan -oJ
    ports: Option<Vec<Port>>,
    // masscan -oD
    rec_type: Option<String>,
    data: Option<Port>,
    proto: Option<String>,
    // naabu
    port: Option<u16>,
    protocol: Option<String>,
    name: Option<String>,
    product: Option<String>,
    version: Option<String>,
    extra_info: Option<String>,
    tunnel: Option<String>,
    method: Option<String>,
    // masscan's last one
    finished: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
struct Port {
    #[serde(default, rename = "port")]
    number: u16,
    #[serde(default)]
    proto: String,
    status: Option<String>,
    reason: Option<String>,
    ttl: Option<u8>,
    service: Option<Value>,
}

/// Reads records in a list or line by line. masscan's lists lack a comma, have one too many, or never end,
/// depending on its version.
pub(super) fn read(text: &[u8]) -> Result<Source, IntakeError> {
    let is_list = text.trim_ascii_start().starts_with(b"[");
    let mut source: Option<Source> = None;
    let (mut at, mut ends) = (0, !is_list);
    while let Some(&octet) = text.get(at) {
        match octet {
            b'{' => {}
            b']' => {
                ends = true;
                at += 1;
                continue;
            }
            b'[' | b',' => {
                at += 1;
                continue;
            }
            space if space.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            _ => return Err(IntakeError::Unrecognised { at: At::offset(text, at) }),
        }
        let rest = text.get(at..).unwrap_or_default();
        // Its key is in no quotes, so this is no JSON.
        if rest.starts_with(b"{finished") {
            at += rest.iter().position(|octet| *octet == b'}').map_or(rest.len(), |end| end + 1);
            source.get_or_insert_with(|| Source::new(Format::MasscanJson, "masscan"));
            continue;
        }
        let mut records = Deserializer::from_slice(rest).into_iter::<Record>();
        let record = match records.next() {
            Some(Ok(record)) => record,
            Some(Err(error)) => return Err(refused(text, at, source.as_ref(), &error)),
            None => break,
        };
        let tool = record.tool().ok_or_else(|| IntakeError::Unrecognised { at: At::offset(text, at) })?;
        let known = source.get_or_insert_with(|| {
            Source::new(tool, if tool == Format::NaabuJson { "naabu" } else { "masscan" })
        });
        known.take(record);
        at += records.byte_offset();
    }
    let mut source = match source {
        Some(source) => source,
        // masscan that found nothing leaves an empty list.
        None if is_list && ends => Source::new(Format::MasscanJson, "masscan"),
        None => return Err(IntakeError::CutOff { at: At::offset(text, text.len()) }),
    };
    if !ends {
        source.partial = true;
        source.remarks.push(
            "its list never ends: masscan was stopped, or the file was cut between two records".to_owned(),
        );
    }
    source.remarks.push(
        "it lists what answered and not what was asked, so every other port is not covered; a port that only sent a SYN-ACK is in doubt".to_owned(),
    );
    Ok(source)
}

fn refused(text: &[u8], at: usize, source: Option<&Source>, error: &serde_json::Error) -> IntakeError {
    let place = At::offset(text, at);
    let tool = match source.map(|source| source.format) {
        _ if error.classify() == Category::Eof => return IntakeError::CutOff { at: place },
        None if error.classify() == Category::Data => return IntakeError::Unrecognised { at: place },
        Some(Format::NaabuJson) => "naabu",
        _ => "masscan or naabu",
    };
    IntakeError::Record { at: place, tool, why: bounded(&error.to_string()) }
}

impl Record {
    /// Whose it is; `None`: nobody's.
    fn tool(&self) -> Option<Format> {
        let is_masscan = self.ports.is_some() || self.rec_type.is_some() || self.finished.is_some();
        if is_masscan && (self.ip.is_some() || self.finished.is_some()) {
            return Some(Format::MasscanJson);
        }
        let has_address = self.ip.is_some() || self.host.is_some();
        (has_address && self.port.is_some()).then_some(Format::NaabuJson)
    }

    fn time(&self) -> Option<Timestamp> {
        match self.timestamp.as_ref()? {
            Value::String(text) => match text.parse::<i64>() {
                Ok(seconds) => Timestamp::from_second(seconds).ok(),
                Err(_) => text.parse().ok(),
            },
            Value::Number(number) => Timestamp::from_second(number.as_i64()?).ok(),
            _ => None,
        }
        .filter(|at| at.as_second() > 0)
    }
}

impl Source {
    fn take(&mut self, record: Record) {
        let time = record.time();
        let address =
            record.ip.or_else(|| record.host.as_deref()?.parse().ok()).map(|ip: IpAddr| ip.to_canonical());
        let Some(address) = address else { return };
        if let Some(at) = time {
            self.covers(at);
        }
        let at = time.unwrap_or_default();
        if self.format == Format::NaabuJson {
            if let Some(name) = &record.host {
                self.learn(name, address);
            }
            let port = Port {
                number: record.port.unwrap_or(0),
                proto: record.protocol.unwrap_or_else(|| "tcp".to_owned()),
                status: Some("open".to_owned()),
                ..Port::default()
            };
            let service = Service {
                name: record.name.unwrap_or_default(),
                product: record.product,
                version: record.version,
                detail: record.extra_info,
                tunnel: record.tunnel,
                method: record.method,
            };
            self.one(address, &port, at, Some(&service).filter(|service| service.is_probed()));
            return;
        }
        if let (Some(number), Some(data)) = (record.port, record.data) {
            let proto = record.proto.unwrap_or_else(|| "tcp".to_owned());
            // A record of another kind is a banner: somebody talked.
            let is_status = record.rec_type.as_deref() == Some("status");
            let service = (!is_status).then_some(Value::Null);
            self.one(address, &Port { number, proto, service, ..data }, at, None);
        }
        for port in record.ports.into_iter().flatten() {
            self.one(address, &port, at, None);
        }
    }

    /// One port of one record; a second record of it adds to the first.
    fn one(&mut self, address: IpAddr, told: &Port, at: Timestamp, probed: Option<&Service>) {
        let protocol = match told.proto.as_str() {
            "tcp" => Protocol::Tcp,
            "udp" => Protocol::Udp,
            _ => return,
        };
        let talked = told.service.is_some() || probed.is_some();
        let state = match told.status.as_deref() {
            Some("open") => State::Open,
            Some("closed") => State::Closed,
            None if talked => State::Open,
            _ => return,
        };
        if told.number == 0 {
            return;
        }
        let endpoint = Endpoint { address, protocol, port: told.number };
        let part = self.parts.entry((address, protocol)).or_default();
        part.since = if part.seen.is_empty() { at } else { part.since.min(at) };
        part.at = part.at.max(at);
        let (reason, evidence) = match (protocol, state) {
            (Protocol::Udp, State::Open) => (Reason::UdpResponse, None),
            (Protocol::Udp, _) => (Reason::PortUnreach, Some(Evidence::NoListener)),
            (Protocol::Tcp, State::Open) => (Reason::SynAck, Some(SYN_ACK)),
            (Protocol::Tcp, _) => (Reason::Reset, Some(Evidence::Reset)),
        };
        let reason = told
            .reason
            .as_deref()
            .and_then(|word| word.parse().ok())
            .filter(|own| *own == reason)
            .unwrap_or(reason);
        let mut seen = observed(endpoint, state, reason, evidence, at);
        seen.ttl = told.ttl.filter(|ttl| *ttl > 0);
        // A banner comes over a connection of its own.
        if talked && protocol == Protocol::Tcp {
            seen.looks.push(Look {
                at: moment(at),
                attempt: 2,
                source: None,
                ttl: None,
                evidence: Evidence::Connected,
            });
        }
        let portrait = probed.and_then(Service::portrait);
        let agrees = part.tell(told.number, Sighting { observation: seen, portrait, banner: None });
        self.answered = true;
        if !agrees {
            self.told_twice(endpoint);
        }
    }
}
