//! Factories and grids: Modbus, S7, EtherNet/IP, OPC UA, IEC 104. Reads who it is; sets and starts nothing.

use super::web::plain;
use crate::identify::{
    Identity,
    octets::{little_double, little_word, octet, slice},
    stream::{Guard, LINE, Less, Question, Shown, is, need, only, told},
    text,
};

/// Basic identification, from the first object on.
pub(super) const MODBUS: Question = Question {
    service: "modbus",
    ports: &[502],
    say: |_| vec![0x70, 0x70, 0, 0, 0, 5, 0xff, 0x2b, 0x0e, 1, 0],
    read: |octets| told(modbus(octets)),
    source: "MODBUS Application Protocol 1.1b3 section 6.21, MODBUS Messaging on TCP/IP section 3.1.3",
};

/// Objects, or an exception to that function.
fn modbus(octets: &[u8]) -> Result<Shown, Less> {
    is(octets, 0, &[0x70, 0x70, 0, 0, 0])?;
    let length = need(octet(octets, 5))?;
    only(length >= 3)?;
    let function = need(octet(octets, 7))?;
    only(function == 0x2b || (function == 0xab && length == 3))?;
    let message = need(slice(octets, 7, usize::from(length) - 1))?;
    let shown = Shown::service("modbus");
    if function == 0xab {
        return Ok(shown.detail(octet(message, 1).map(|code| format!("exception {code}"))));
    }
    only(octet(message, 1) == Some(0x0e))?;
    let mut objects = message.get(7..).unwrap_or_default();
    let mut values: [Option<String>; 3] = [const { None }; 3];
    while let [id, length, rest @ ..] = objects {
        let value = rest.get(..usize::from(*length)).unwrap_or(rest);
        if let Some(place) = values.get_mut(usize::from(*id)) {
            *place = text(value);
        }
        objects = rest.get(usize::from(*length)..).unwrap_or_default();
    }
    let [vendor, code, version] = values;
    let identity = Identity { product: code, version, detail: vendor };
    Ok(shown.by(identity).guarded(Guard::Open("answers Read Device Identification")))
}

/// A transport connection to where an S7's processor is; nothing is asked of it.
pub(super) const ISO_TSAP: Question = Question {
    service: "iso-tsap",
    ports: &[102],
    say: |_| vec![3, 0, 0, 22, 17, 0xe0, 0, 0, 0x70, 0x70, 0, 0xc0, 1, 10, 0xc1, 2, 1, 0, 0xc2, 2, 1, 2],
    read: |octets| told(iso_tsap(octets)),
    source: "RFC 1006 section 6, ISO 8073 section 13.3",
};

/// A confirm or a disconnect with our reference (ISO 8073 sections 13.4 and 13.5).
fn iso_tsap(octets: &[u8]) -> Result<Shown, Less> {
    is(octets, 0, &[3, 0, 0])?;
    let length = need(octet(octets, 3))?;
    only((11..=64).contains(&length))?;
    is(octets, 4, &[length - 5])?;
    let kind = need(octet(octets, 5))?;
    only(matches!(kind, 0xd0 | 0x80))?;
    is(octets, 6, &[0x70, 0x70])?;
    need(slice(octets, 0, length.into()))?;
    let words = if kind == 0xd0 { "connection accepted" } else { "connection refused" };
    Ok(Shown::service("iso-tsap").detail(Some(words.to_owned())))
}

pub(super) const ETHERNET_IP: Question = Question {
    service: "ethernet-ip",
    ports: &[44818],
    say: |_| [&[0x63][..], &[0; 11], b"portproo", &[0; 4]].concat(),
    read: |octets| told(ethernet_ip(octets)),
    source: "ODVA, EtherNet/IP specification, ListIdentity",
};

fn ethernet_ip(octets: &[u8]) -> Result<Shown, Less> {
    is(octets, 0, &[0x63, 0])?;
    is(octets, 4, &[0; 8])?;
    is(octets, 12, b"portproo")?;
    let length = need(little_word(octets, 2))?;
    only((2..=1024).contains(&length))?;
    let items = need(slice(octets, 24, length.into()))?;
    let shown = Shown::service("ethernet-ip");
    // One item of type 0x0c: version, address, then vendor, type, code, revision, status, serial, name.
    if little_word(items, 2) != Some(0x0c) {
        return Ok(shown);
    }
    let name = octet(items, 38).and_then(|length| text(slice(items, 39, length.into())?));
    let revision = octet(items, 30).zip(octet(items, 31)).map(|(major, minor)| format!("{major}.{minor}"));
    let vendor = little_word(items, 24).map(|vendor| format!("vendor {vendor}"));
    let identity = Identity { product: name, version: revision, detail: vendor };
    Ok(shown.by(identity).guarded(Guard::Open("answers ListIdentity")))
}

pub(super) const OPC_UA: Question = Question {
    service: "opcua",
    ports: &[4840],
    say: |whom| {
        let url = format!("opc.tcp://{}:{}", plain(whom), whom.port);
        let little = |length: usize| u32::try_from(length).unwrap_or_default().to_le_bytes();
        // Version 0, buffers of 64 KiB, no limits.
        let sizes = [0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        [&b"HELF"[..], &little(32 + url.len()), &sizes, &little(url.len()), url.as_bytes()].concat()
    },
    read: |octets| told(opc_ua(octets)),
    source: "OPC 10000-6 section 7.1.2.3",
};

/// An acknowledge of its one length, or an error with words (OPC 10000-6 sections 7.1.2.4 and 7.1.2.5).
fn opc_ua(octets: &[u8]) -> Result<Shown, Less> {
    let kind = octets.get(..3).unwrap_or(octets);
    only([b"ACK", b"ERR"].iter().any(|known| known.starts_with(kind)))?;
    is(octets, 3, b"F")?;
    let length = need(little_double(octets, 4))?;
    only(if kind == b"ACK" { length == 28 } else { (16..=4096).contains(&length) })?;
    let message = need(slice(octets, 0, usize::try_from(length).unwrap_or(LINE)))?;
    let words = message.get(16..).filter(|_| kind == b"ERR").and_then(text);
    Ok(Shown::service("opcua").detail(words))
}

/// Are you there? No data transfer is started.
pub(super) const IEC_104: Question = Question {
    service: "iec-104",
    ports: &[2404],
    say: |_| vec![0x68, 4, 0x43, 0, 0, 0],
    read: |octets| told(iec_104(octets)),
    source: "IEC 60870-5-104 section 5.2: TESTFR act",
};

fn iec_104(octets: &[u8]) -> Result<Shown, Less> {
    is(octets, 0, &[0x68, 4])?;
    // Its own test may come first.
    only(matches!(need(octet(octets, 2))?, 0x83 | 0x43))?;
    is(octets, 3, &[0, 0, 0])?;
    Ok(Shown::service("iec-104"))
}
