//! What a certificate says of itself (RFC 5280), whom it speaks for and until when. Never whether anybody
//! should believe it: signatures and chains are not looked at.

use std::{
    fmt::{self, Write as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use x509_parser::{
    asn1_rs::{FromDer, Tag},
    certificate::{X509Certificate, X509CertificateParser},
    extensions::{BasicConstraints, ExtendedKeyUsage, GeneralName, SubjectAlternativeName},
    nom::Parser,
    time::ASN1Time,
    x509::{AttributeTypeAndValue, X509Name},
};

use super::{
    Name,
    keys::{Key, Signature},
};
use crate::{identify::bounded, model::clean};

/// Names of one certificate that are kept, of either kind. Certificates of content networks have hundreds, and
/// one that was dropped would make a right certificate look wrong; no authority signs a thousand.
const MOST_NAMES: usize = 1000;
/// Characters of a name of a host; a longer one is none.
const LONGEST_NAME: usize = 253;
/// Octets of a certificate that is read at all.
const LARGEST: usize = 128 << 10;
const DAY: i64 = 86_400;

/// One certificate, read. All text is a claim, cleaned and bounded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Whom it is for.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// The last common name of the subject; for people, it proves nothing (RFC 9525 section 2).
    pub common_name: Option<String>,
    /// Names of hosts, at most 1,000.
    pub dns_names: Vec<String>,
    /// Addresses, at most 1,000.
    pub addresses: Vec<IpAddr>,
    /// How many names of any kind it has.
    pub names: usize,
    /// Valid from.
    pub not_before: Timestamp,
    /// Valid until, that second included.
    pub not_after: Timestamp,
    /// Its key.
    pub key: Key,
    /// What it is signed with.
    pub signature: Signature,
    /// Its number, in hexadecimal digits.
    pub serial: String,
    /// SHA-256 over all of it, in hexadecimal digits.
    pub fingerprint: String,
    /// Whether subject and issuer are the same. A signature of its own is then likely, not shown.
    pub is_self_issued: bool,
    /// Whether it may sign others.
    pub is_ca: bool,
    /// Whether it may stand for a server; `None`: it does not say what it is for, so that it may.
    pub is_for_servers: Option<bool>,
}

/// Something about a certificate that keeps clients from taking it, now or soon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// Over.
    Expired {
        /// Whole days since.
        days: u32,
    },
    /// Not begun.
    NotYetValid {
        /// Whole days until.
        days: u32,
    },
    /// Soon over.
    Expiring {
        /// Whole days left.
        days_left: u32,
    },
    /// It does not speak for who we wanted.
    WrongName {
        /// Whom we wanted.
        wanted: Name,
        /// Whom it speaks for: a few of the names.
        has: Vec<String>,
        /// How many more there are.
        more: usize,
        /// The common name would do, but clients have not read that for years.
        only_common_name: bool,
    },
    /// It says what it is for, and servers are not among it.
    NotForServers,
}

impl Certificate {
    /// `None`: it can't be read.
    pub fn read(der: &[u8]) -> Option<Self> {
        // Of the extensions we read only three; the others can't spoil the rest.
        let mut parser = X509CertificateParser::new().with_deep_parse_extensions(false);
        let der = Some(der).filter(|der| der.len() <= LARGEST)?;
        let (_, read) = parser.parse(der).ok()?;
        let (dns_names, addresses, names) = alternative_names(&read);
        let usage = extension::<ExtendedKeyUsage<'_>>(&read, "2.5.29.37");
        Some(Self {
            subject: distinguished(read.subject()),
            issuer: distinguished(read.issuer()),
            common_name: read.subject().iter_common_name().last().map(value),
            dns_names,
            addresses,
            names,
            not_before: moment(&read.validity().not_before),
            not_after: moment(&read.validity().not_after),
            key: Key::of(read.public_key()),
            signature: Signature::of(&read.signature_algorithm),
            serial: bounded(&hex(read.raw_serial().get(..64).unwrap_or_else(|| read.raw_serial()))),
            fingerprint: hex(&Sha256::digest(der)),
            is_self_issued: read.subject().as_raw() == read.issuer().as_raw(),
            is_ca: extension::<BasicConstraints>(&read, "2.5.29.19").is_some_and(|basic| basic.ca),
            is_for_servers: usage.map(|usage| usage.any || usage.server_auth),
        })
    }

    /// Whether it speaks for this name.
    pub fn covers(&self, name: &Name) -> bool {
        match name {
            Name::Host(_) => self.dns_names.iter().any(|pattern| name.is_covered_by(pattern)),
            Name::Address(address) => self.addresses.contains(address),
        }
    }

    /// Whether only its common name would speak for this name.
    pub fn covers_by_common_name(&self, name: &Name) -> bool {
        let common = self.common_name.as_deref();
        !self.covers(name)
            && common
                .is_some_and(|common| name.is_covered_by(common) || Name::of(common).as_ref() == Some(name))
    }

    /// Whole days until it is over; negative once it is.
    pub fn days_left(&self, now: Timestamp) -> i64 {
        self.not_after.as_second().saturating_sub(now.as_second()).div_euclid(DAY)
    }

    /// What is wrong with it, for these names and at this time.
    pub fn problems(&self, wanted: &[Name], now: Timestamp, min_days_left: Option<u32>) -> Vec<Problem> {
        let mut problems: Vec<Problem> = self.in_time(now, min_days_left).into_iter().collect();
        for name in wanted.iter().filter(|name| !self.covers(name)) {
            let addresses = self.addresses.iter().map(ToString::to_string);
            let has: Vec<String> = self.dns_names.iter().cloned().chain(addresses).take(5).collect();
            problems.push(Problem::WrongName {
                wanted: name.clone(),
                more: self.names.saturating_sub(has.len()),
                has,
                only_common_name: self.covers_by_common_name(name),
            });
        }
        if self.is_for_servers == Some(false) {
            problems.push(Problem::NotForServers);
        }
        problems
    }

    fn in_time(&self, now: Timestamp, min_days_left: Option<u32>) -> Option<Problem> {
        let whole = |days: i64| u32::try_from(days.max(0)).unwrap_or(u32::MAX);
        let (second, left) = (now.as_second(), self.days_left(now));
        if second > self.not_after.as_second() {
            return Some(Problem::Expired { days: whole((second - self.not_after.as_second()) / DAY) });
        }
        if second < self.not_before.as_second() {
            return Some(Problem::NotYetValid { days: whole((self.not_before.as_second() - second) / DAY) });
        }
        let days_left = whole(left);
        min_days_left.filter(|least| days_left < *least).map(|_| Problem::Expiring { days_left })
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expired { days: 0 } => f.write_str("expired less than a day ago"),
            Self::Expired { days } => write!(f, "expired {} ago", Days(*days)),
            Self::NotYetValid { days: 0 } => f.write_str("is valid only in a few hours"),
            Self::NotYetValid { days } => write!(f, "is valid only in {}", Days(*days)),
            Self::Expiring { days_left: 0 } => f.write_str("expires in less than a day"),
            Self::Expiring { days_left } => write!(f, "expires in {}", Days(*days_left)),
            Self::WrongName { wanted, has, more, only_common_name } => {
                write!(f, "is not for {wanted} but for ")?;
                match (has.as_slice(), more) {
                    ([], _) => f.write_str("no name at all")?,
                    (has, 0) => f.write_str(&has.join(", "))?,
                    (has, more) => write!(f, "{} and {more} more", has.join(", "))?,
                }
                if *only_common_name {
                    f.write_str(" (its common name fits, which clients no longer read)")?;
                }
                Ok(())
            }
            Self::NotForServers => f.write_str("is not meant for servers"),
        }
    }
}

struct Days(u32);

impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 1 { f.write_str("1 day") } else { write!(f, "{} days", self.0) }
    }
}

/// The extension with this identifier, if it can be read.
fn extension<'a, T: FromDer<'a, x509_parser::error::X509Error>>(
    read: &X509Certificate<'a>,
    id: &str,
) -> Option<T> {
    let found = read.extensions().iter().find(|extension| extension.oid.to_id_string() == id)?;
    T::from_der(found.value).ok().map(|(_, read)| read)
}

/// Names of hosts, addresses, and how many there are of any kind.
fn alternative_names(read: &X509Certificate<'_>) -> (Vec<String>, Vec<IpAddr>, usize) {
    let Some(names) = extension::<SubjectAlternativeName<'_>>(read, "2.5.29.17") else {
        return (Vec::new(), Vec::new(), 0);
    };
    let (mut hosts, mut addresses) = (Vec::new(), Vec::new());
    for name in &names.general_names {
        match name {
            GeneralName::DNSName(host) if hosts.len() < MOST_NAMES => hosts.push(host_name(host)),
            GeneralName::IPAddress(octets) if addresses.len() < MOST_NAMES => {
                addresses.extend(address(octets));
            }
            _ => {}
        }
    }
    (hosts, addresses, names.general_names.len())
}

/// Shown in full, since it is compared: what is too long for a name, or is none, fits nobody.
fn host_name(name: &str) -> String {
    if name.len() <= LONGEST_NAME { clean(name).to_ascii_lowercase() } else { bounded(name) }
}

fn address(octets: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(octets).map(|octets| IpAddr::V4(Ipv4Addr::from(octets)));
    let v6 = || <[u8; 16]>::try_from(octets).map(|octets| IpAddr::V6(Ipv6Addr::from(octets)));
    v4.or_else(|_| v6()).ok().map(|address| address.to_canonical())
}

/// A distinguished name as people write it, in the order of the certificate.
fn distinguished(name: &X509Name<'_>) -> String {
    let mut text = String::new();
    for attribute in name.iter_attributes().take(32) {
        let id = attribute.attr_type().to_id_string();
        let kind = match id.as_str() {
            "2.5.4.3" => "CN",
            "2.5.4.5" => "serialNumber",
            "2.5.4.6" => "C",
            "2.5.4.7" => "L",
            "2.5.4.8" => "ST",
            "2.5.4.10" => "O",
            "2.5.4.11" => "OU",
            "0.9.2342.19200300.100.1.25" => "DC",
            "1.2.840.113549.1.9.1" => "emailAddress",
            other => other,
        };
        let separator = if text.is_empty() { "" } else { ", " };
        let _ = write!(text, "{separator}{kind}={}", value(attribute));
    }
    bounded(&text)
}

/// The text of an attribute, whatever it is coded in.
fn value(attribute: &AttributeTypeAndValue<'_>) -> String {
    let octets = attribute.as_slice();
    let octets = octets.get(..1024).unwrap_or(octets);
    match attribute.attr_value().tag() {
        Tag::BmpString => {
            let units =
                octets.chunks_exact(2).map(|pair| pair.iter().fold(0, |unit, o| unit << 8 | u16::from(*o)));
            bounded(&char::decode_utf16(units).map(|c| c.unwrap_or('\u{fffd}')).collect::<String>())
        }
        Tag::T61String => bounded(&octets.iter().map(|octet| char::from(*octet)).collect::<String>()),
        _ => bounded(&String::from_utf8_lossy(octets)),
    }
}

/// Out of the years that we can count is as far away as can be.
fn moment(time: &ASN1Time) -> Timestamp {
    let second = time.timestamp();
    let furthest = if second < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_second(second).unwrap_or(furthest)
}

fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::with_capacity(octets.len() * 2), |mut hex, octet| {
        let _ = write!(hex, "{octet:02x}");
        hex
    })
}
