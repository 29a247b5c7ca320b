//! Certificates that OpenSSL made.

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;

fn names(names: &[&str]) -> Vec<Name> {
    names.iter().map(|name| Name::of(name).unwrap()).collect()
}

#[test]
fn a_certificate_is_read_whole() {
    let read = Certificate::read(RSA).unwrap();
    assert_eq!(read.subject, "C=XX, O=Example, CN=www.example.org");
    assert_eq!(read.issuer, read.subject);
    assert_eq!(read.common_name.as_deref(), Some("www.example.org"));
    assert_eq!(read.dns_names, ["www.example.org", "*.example.net"]);
    assert_eq!(
        read.addresses.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["192.0.2.1", "2001:db8::1"]
    );
    assert_eq!(read.names, 4);
    assert_eq!(read.key, Key::Rsa { bits: 2048 });
    assert_eq!(read.signature, Signature { name: "sha256WithRSAEncryption".to_owned(), is_weak: false });
    assert_eq!((read.is_self_issued, read.is_ca, read.is_for_servers), (true, true, Some(true)));
    assert_eq!(read.fingerprint.len(), 64);
    assert!(read.not_after > read.not_before);
}

#[test]
fn keys_and_signatures_of_other_kinds_have_names() {
    let read = Certificate::read(DSA).unwrap();
    assert_eq!(read.key, Key::Dsa { bits: 1024 });
    assert_eq!((read.signature.name.as_str(), read.is_ca), ("dsa-with-sha256", false));
    assert_eq!(read.is_for_servers, Some(false));
    let read = Certificate::read(PSS).unwrap();
    assert_eq!((read.signature.name.as_str(), read.signature.is_weak), ("RSASSA-PSS with SHA-1", true));
}

#[test]
fn a_certificate_speaks_for_its_names_only() {
    let read = Certificate::read(RSA).unwrap();
    let covered = |name: &str| read.covers(&Name::of(name).unwrap());
    for name in ["WWW.example.org", "www.example.org.", "a.example.net", "192.0.2.1", "[2001:db8:0::1]"] {
        assert!(covered(name), "{name}");
    }
    for name in ["example.org", "example.net", "a.b.example.net", "192.0.2.2", "2001:db8::2"] {
        assert!(!covered(name), "{name}");
    }
}

#[test]
fn problems_are_said_in_clauses() {
    let read = Certificate::read(RSA).unwrap();
    let says = |wanted: &[&str], now: Timestamp, least: Option<u32>| -> Vec<String> {
        read.problems(&names(wanted), now, least).iter().map(ToString::to_string).collect()
    };
    let (begin, end) = (read.not_before.as_second(), read.not_after.as_second());
    let second = |second: i64| Timestamp::from_second(second).unwrap();
    assert_eq!(says(&["www.example.org"], second(begin), Some(14)), Vec::<String>::new());
    assert_eq!(says(&[], second(begin - 1), None), ["is valid only in a few hours"]);
    assert_eq!(says(&[], second(begin - 2 * 86_400), None), ["is valid only in 2 days"]);
    assert_eq!(says(&[], second(end), None), Vec::<String>::new());
    assert_eq!(says(&[], second(end), Some(1)), ["expires in less than a day"]);
    assert_eq!(says(&[], second(end - 14 * 86_400), Some(14)), Vec::<String>::new());
    assert_eq!(says(&[], second(end - 14 * 86_400 + 1), Some(14)), ["expires in 13 days"]);
    assert_eq!(says(&[], second(end + 1), Some(14)), ["expired less than a day ago"]);
    assert_eq!(says(&[], second(end + 86_400), Some(14)), ["expired 1 day ago"]);
    assert_eq!(
        says(&["mail.example.org"], second(begin), None),
        ["is not for mail.example.org but for www.example.org, *.example.net, 192.0.2.1, 2001:db8::1"],
    );
    assert_eq!(read.days_left(second(end)), 0);
    assert_eq!(read.days_left(second(end + 1)), -1);
}

#[test]
fn a_common_name_is_not_enough_but_said() {
    let read = Certificate::read(DSA).unwrap();
    let problems = read.problems(&names(&["dsa.example.org"]), read.not_before, None);
    let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
    let name = "is not for dsa.example.org but for no name at all (its common name fits, which clients no longer \
                read)";
    assert_eq!(said, [name, "is not meant for servers"]);
}

#[test]
fn a_hostile_name_is_cleaned_and_fits_nobody() {
    let mut der = RSA.to_vec();
    let place = der.windows(15).rposition(|window| window == b"www.example.org").unwrap();
    der[place..place + 4].copy_from_slice(b"a\0\x1b.");
    let read = Certificate::read(&der).unwrap();
    assert_eq!(read.dns_names[0], "a\\u{0}\\u{1b}.example.org");
    assert!(!read.covers(&Name::of("www.example.org").unwrap()));
}

#[test]
fn no_part_of_a_certificate_is_one() {
    for der in [RSA, DSA, PSS] {
        for end in 0..der.len() {
            assert_eq!(Certificate::read(&der[..end]), None);
        }
    }
}

proptest! {
    #[test]
    fn no_octets_do_harm(octets in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = Certificate::read(&octets);
    }

    #[test]
    fn no_change_of_a_real_certificate_does_harm(
        which in 0..3_usize,
        changes in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..6),
        now in any::<i32>(),
    ) {
        let mut der = [RSA, DSA, PSS][which].to_vec();
        for (at, octet) in changes {
            let at = at % der.len();
            der[at] = octet;
        }
        if let Some(read) = Certificate::read(&der) {
            let now = Timestamp::from_second(now.into()).unwrap();
            for problem in read.problems(&names(&["www.example.org", "192.0.2.1"]), now, Some(30)) {
                prop_assert!(problem.to_string().chars().count() < 2000);
            }
            let texts = [&read.subject, &read.issuer, &read.serial, &read.signature.name];
            prop_assert!(texts.iter().all(|text| text.chars().count() <= crate::identify::LONGEST));
        }
    }
}
