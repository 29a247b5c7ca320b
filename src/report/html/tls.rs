//! The TLS of a target's endpoints as tables: what a reader asks first, then everything that was seen.
//! Every connection and every listed suite of the report has a row.

use super::records::{ROWS, Sheet, filled, or_dash};
use crate::report::{
    AddressRecord, CertificateRecord, ObservationRecord, OfferedRecord, SessionRecord, TlsRecord,
    index::Index,
    words::{count, moment, thousands},
};

/// Names of a certificate that the first table shows; the second one holds all.
const NAMES: usize = 6;

/// The tables, where any endpoint of these addresses speaks TLS.
pub(super) fn sheets<'a>(
    of: &str,
    places: impl IntoIterator<Item = &'a AddressRecord>,
    index: &Index<'a>,
) -> Option<(Sheet, Vec<Sheet>)> {
    let seen: Vec<(&ObservationRecord, &TlsRecord)> = places
        .into_iter()
        .flat_map(|place| index.observed(&place.address))
        .filter_map(|seen| Some((*seen, seen.tls.as_ref()?)))
        .collect();
    let first = overview(of, &seen)?;
    let rest = [connections(of, &seen), suites(of, &seen)];
    Some((first, rest.into_iter().flatten().collect()))
}

fn overview(of: &str, seen: &[(&ObservationRecord, &TlsRecord)]) -> Option<Sheet> {
    let mut rows = Vec::new();
    for (at, tls) in seen {
        for session in &tls.sessions {
            let offered = tls.offered.iter().find(|offered| offered.name == session.name);
            let leaf = session.certificate.as_ref();
            let known = |text: fn(&CertificateRecord) -> String| {
                leaf.map_or_else(|| "can't be read".to_owned(), text)
            };
            rows.push(vec![
                endpoint(at),
                asked(session.name.as_ref()),
                offered.map_or_else(|| format!("{}; others not listed", session.version), versions),
                known(|leaf| leaf.subject.clone()),
                leaf.map_or_else(|| "–".to_owned(), |leaf| names(leaf, NAMES)),
                known(valid_until),
                known(|leaf| leaf.issuer.clone()),
                trust(session),
            ]);
        }
        let alone = tls
            .offered
            .iter()
            .filter(|offered| tls.sessions.iter().all(|session| session.name != offered.name));
        for offered in alone {
            let mut row = vec![endpoint(at), asked(offered.name.as_ref()), versions(offered)];
            row.push("no connection was set up".to_owned());
            row.extend(["–", "–", "–", "not known"].map(str::to_owned));
            rows.push(row);
        }
    }
    let columns = [
        ("Endpoint", 'c'),
        ("Name asked", 'c'),
        ("Versions offered", 't'),
        ("Certificate", 't'),
        ("Names", 'c'),
        ("Valid until, UTC", 't'),
        ("Issuer", 't'),
        ("Trusted", 't'),
    ];
    bounded(&format!("TLS of {of}"), &columns, rows)
}

/// What identifies a certificate and a connection, for whoever compares them by hand.
fn connections(of: &str, seen: &[(&ObservationRecord, &TlsRecord)]) -> Option<Sheet> {
    let mut rows = Vec::new();
    for (at, tls) in seen {
        for session in &tls.sessions {
            let leaf = session.certificate.as_ref();
            let known = |text: fn(&CertificateRecord) -> String| leaf.map_or_else(|| "–".to_owned(), text);
            let begun = if session.starttls { ", begun in the clear (STARTTLS)" } else { "" };
            rows.push(vec![
                endpoint(at),
                asked(session.name.as_ref()),
                format!("{}, {}{begun}", session.version, suite(session)),
                count(session.chain_length as u64, "certificate", "certificates"),
                known(|leaf| moment(&leaf.not_before)),
                known(|leaf| leaf.key.clone()),
                known(|leaf| leaf.signature.clone()),
                known(|leaf| if leaf.self_issued { "yes" } else { "no" }.to_owned()),
                known(|leaf| names(leaf, usize::MAX)),
                known(|leaf| leaf.serial.clone()),
                known(|leaf| leaf.sha256.clone()),
            ]);
        }
    }
    let columns = [
        ("Endpoint", 'c'),
        ("Name asked", 'c'),
        ("Connection", 't'),
        ("Chain sent", 't'),
        ("Valid from, UTC", 't'),
        ("Key", 't'),
        ("Signature", 't'),
        ("Self-issued", 't'),
        ("All names", 'c'),
        ("Serial", 'x'),
        ("SHA-256", 'x'),
    ];
    bounded(&format!("Connections and certificates of {of}"), &columns, rows)
}

fn suites(of: &str, seen: &[(&ObservationRecord, &TlsRecord)]) -> Option<Sheet> {
    let mut rows = Vec::new();
    for (at, tls) in seen {
        for offered in &tls.offered {
            let about = |version: &str| vec![endpoint(at), asked(offered.name.as_ref()), version.to_owned()];
            for offer in &offered.versions {
                let all = if offer.complete { "all that it takes" } else { "there may be more" };
                let listed =
                    if offer.suites.is_empty() { "none".to_owned() } else { offer.suites.join(", ") };
                let mut row = about(&offer.version);
                row.extend([listed, all.to_owned()]);
                rows.push(row);
            }
            for version in &offered.unknown_versions {
                let mut row = about(version);
                row.extend(["–", "not known whether it takes this version"].map(str::to_owned));
                rows.push(row);
            }
        }
    }
    let columns = [
        ("Endpoint", 'c'),
        ("Name asked", 'c'),
        ("Version", 't'),
        ("Cipher suites, as the server prefers them where it does", 'c'),
        ("These are", 't'),
    ];
    bounded(&format!("Cipher suites of {of}"), &columns, rows)
}

fn bounded(caption: &str, columns: &[(&'static str, char)], mut rows: Vec<Vec<String>>) -> Option<Sheet> {
    let more = rows.len().saturating_sub(4 * ROWS) as u64;
    rows.truncate(4 * ROWS);
    let sheet = filled(caption, columns, rows)?;
    Some(sheet.noted(
        (more > 0).then(|| format!("{} in the JSON report.", count(more, "more row is", "more rows are"))),
    ))
}

fn endpoint(seen: &ObservationRecord) -> String {
    format!("{} {}/{}", seen.address, seen.port, seen.protocol)
}

fn asked(name: Option<&String>) -> String {
    name.cloned().unwrap_or_else(|| "none".to_owned())
}

fn versions(offered: &OfferedRecord) -> String {
    let taken: Vec<&str> = offered.versions.iter().map(|offer| offer.version.as_str()).collect();
    let taken = if taken.is_empty() { "none".to_owned() } else { taken.join(", ") };
    if offered.unknown_versions.is_empty() {
        taken
    } else {
        format!("{taken}; not known: {}", offered.unknown_versions.join(", "))
    }
}

fn names(leaf: &CertificateRecord, most: usize) -> String {
    match leaf.names.get(..most) {
        Some(first) if leaf.names.len() > most => {
            format!("{} and {} more", first.join(", "), thousands((leaf.names.len() - most) as u64))
        }
        _ if leaf.names.is_empty() => "none".to_owned(),
        _ => leaf.names.join(", "),
    }
}

fn valid_until(leaf: &CertificateRecord) -> String {
    let until = moment(&leaf.not_after);
    match leaf.days_left {
        days @ 0.. => format!("{until}, {} left", count(days.unsigned_abs(), "day", "days")),
        days => format!("{until}, over for {}", count(days.unsigned_abs(), "day", "days")),
    }
}

fn trust(session: &SessionRecord) -> String {
    if session.trusted {
        return "yes".to_owned();
    }
    let why = or_dash(session.untrusted_because.as_ref());
    if why == "–" { "no".to_owned() } else { format!("no: {why}") }
}

fn suite(session: &SessionRecord) -> &str {
    session.suite.as_deref().unwrap_or("the suite was not told")
}
