//! Our hellos, read by a reader that shares nothing with the writer.

use std::collections::BTreeMap;

use super::*;

/// What a hello says: versions of record and message, session, suites, compressions, extensions.
struct Read {
    outer: u16,
    inner: u16,
    session: usize,
    suites: Vec<u16>,
    compressions: Vec<u8>,
    extensions: BTreeMap<u16, Vec<u8>>,
    length: usize,
}

fn number(octets: &[u8], at: usize, length: usize) -> usize {
    (at..at + length).fold(0, |number, at| number * 256 + octets[at] as usize)
}

fn read(record: &[u8]) -> Read {
    assert_eq!(record[0], 22);
    assert_eq!(number(record, 3, 2), record.len() - 5);
    assert_eq!(record[5], 1);
    assert_eq!(number(record, 6, 3), record.len() - 9);
    let session = record[43] as usize;
    let mut at = 44 + session;
    let many = number(record, at, 2);
    let suites = (0..many / 2).map(|i| number(record, at + 2 + i * 2, 2) as u16).collect();
    at += 2 + many;
    let kinds = record[at] as usize;
    let compressions = record[at + 1..at + 1 + kinds].to_vec();
    at += 1 + kinds;
    let mut extensions = BTreeMap::new();
    if at < record.len() {
        assert_eq!(number(record, at, 2), record.len() - at - 2);
        at += 2;
        while at < record.len() {
            let (kind, length) = (number(record, at, 2) as u16, number(record, at + 2, 2));
            let before = extensions.insert(kind, record[at + 4..at + 4 + length].to_vec());
            assert_eq!(before, None, "extension {kind} twice");
            at += 4 + length;
        }
        assert_eq!(at, record.len());
    }
    let (outer, inner) = (number(record, 1, 2) as u16, number(record, 9, 2) as u16);
    Read { outer, inner, session, suites, compressions, extensions, length: record.len() - 5 }
}

fn offer(version: Version, name: Option<&str>) -> Offer {
    let ids = suites().filter(|suite| suite.is_of(version)).map(|suite| suite.id).collect();
    Offer::exactly(version, ids, name.map(str::to_owned), [9; 32])
}

#[test]
fn every_version_is_asked_for_in_its_own_way() {
    for version in Version::ALL {
        let offer = offer(version, Some("www.example.org."));
        let hello = read(&offer.record());
        let has = |kind: u16| hello.extensions.contains_key(&kind);
        let is_newest = version == Version::Tls13;
        assert_eq!(hello.inner, version.min(Version::Tls12).wire());
        assert_eq!(hello.outer, if version == Version::Ssl3 { 0x0300 } else { 0x0301 });
        assert_eq!(hello.session, if is_newest { 32 } else { 0 });
        assert_eq!(hello.compressions, if is_newest { vec![0] } else { vec![1, 0] });
        assert_eq!(hello.extensions.is_empty(), version == Version::Ssl3);
        assert_eq!(hello.suites.contains(&0x00ff), version == Version::Ssl3);
        assert_eq!(hello.suites.iter().filter(|id| **id != 0x00ff).count(), offer.suites.len());
        assert_eq!([has(43), has(45), has(51)], [is_newest; 3]);
        if version > Version::Ssl3 {
            assert_eq!(hello.extensions[&0], b"\0\x12\0\0\x0fwww.example.org");
            assert!(has(10) && has(13) && has(0xff01));
            assert_eq!([has(11), has(23)], [!is_newest; 2]);
        }
        if is_newest {
            assert_eq!(hello.extensions[&43], [2, 3, 4]);
            assert_eq!(hello.extensions[&51][..6], [0, 36, 0, 29, 0, 32]);
            assert_eq!(hello.extensions[&51].len(), 38);
        }
    }
}

#[test]
fn an_address_is_not_sent_as_a_name() {
    for name in ["192.0.2.1", "2001:db8::1", "", "not a name", &"a".repeat(300)] {
        assert!(!read(&offer(Version::Tls12, Some(name)).record()).extensions.contains_key(&0), "{name}");
    }
}

#[test]
fn no_hello_with_extensions_has_a_length_that_hangs_old_balancers() {
    let all: Vec<u16> = suites().map(|suite| suite.id).collect();
    for version in [Version::Tls10, Version::Tls12, Version::Tls13] {
        let mut padded = 0;
        for many in 1..all.len() {
            for name in [None, Some("a.example".to_owned())] {
                let hello = read(&Offer::exactly(version, all[..many].to_vec(), name, [1; 32]).record());
                assert!(!(256..512).contains(&hello.length), "{version} {many}: {}", hello.length);
                padded += usize::from(hello.extensions.contains_key(&21));
            }
        }
        assert!(padded > 0);
    }
}

#[test]
fn protocols_above_are_offered_in_order() {
    let offer = Offer { alpn: &["h2", "http/1.1"], ..offer(Version::Tls12, None) };
    assert_eq!(read(&offer.record()).extensions[&16], b"\0\x0c\x02h2\x08http/1.1");
}

#[test]
fn a_wide_hello_takes_what_comes() {
    let hello = read(&Offer::wide(Some("www.example.org".to_owned()), [3; 32]).record());
    assert_eq!(hello.extensions[&43], [8, 3, 4, 3, 3, 3, 2, 3, 1]);
    assert_eq!((hello.outer, hello.inner, hello.compressions), (0x0301, 0x0303, vec![0]));
    assert!(hello.suites.contains(&0x1301) && hello.suites.contains(&0x000a));
    assert!(hello.suites.len() <= 128);
    assert_eq!(hello.suites[0], 0x1301);
}

#[test]
fn randoms_differ_and_follow_from_the_seed() {
    let draw = |seed| {
        let mut randoms = Randoms::new([seed; 32]);
        [randoms.draw(), randoms.draw()]
    };
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1)[0], draw(1)[1]);
    assert_ne!(draw(1), draw(2));
}
