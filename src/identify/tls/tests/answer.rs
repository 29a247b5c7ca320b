//! Answers: what recorded ones say, and that no octets at all do harm.

use proptest::prelude::*;

use super::*;

/// Records of a made-up flight.
fn records(version: [u8; 2], parts: &[(u8, &[u8])]) -> Vec<u8> {
    let mut all = Vec::new();
    for (kind, content) in parts {
        all.extend([*kind, version[0], version[1]]);
        all.extend((content.len() as u16).to_be_bytes());
        all.extend(*content);
    }
    all
}

fn message(kind: u8, content: &[u8]) -> Vec<u8> {
    let mut all = vec![kind];
    all.extend(&(content.len() as u32).to_be_bytes()[1..]);
    all.extend(content);
    all
}

/// The hello of a server of SSL 3.0 by RFC 6101 section 5.6.1.3: without extensions.
fn oldest_hello(suite: u16, compression: u8) -> Vec<u8> {
    let mut hello = vec![3, 0];
    hello.extend([5; 32]);
    hello.push(0);
    hello.extend(suite.to_be_bytes());
    hello.push(compression);
    message(2, &hello)
}

#[test]
fn recorded_servers_chose() {
    let told = chosen(TLS12);
    assert_eq!((told.version, told.suite), (Version::Tls12, 0xc02c));
    assert_eq!(told.alpn.as_deref(), Some("http/1.1"));
    assert_eq!(told.exchanged, Some(Exchanged::Group(29)));
    assert_eq!((told.compression, told.retry, told.complete), (0, false, true));
    assert_eq!((told.secure_renegotiation, told.extended_master_secret), (true, true));
    assert_eq!(told.knows, Some(Version::Tls13));
    let leaf = Certificate::read(&told.certificates[0]).unwrap();
    assert_eq!(leaf.key, Key::Ec { curve: "P-256".to_owned(), bits: 256 });
    assert_eq!(leaf.dns_names, ["ec.example.org"]);

    let told = chosen(TLS10);
    assert_eq!((told.version, told.suite), (Version::Tls10, 0x0033));
    assert_eq!(told.exchanged, Some(Exchanged::Dh { bits: 1024 }));
    assert_eq!(told.knows, None);
    let leaf = Certificate::read(&told.certificates[0]).unwrap();
    assert_eq!((leaf.key, leaf.signature.is_weak), (Key::Rsa { bits: 1024 }, true));

    let told = chosen(TLS13);
    assert_eq!((told.version, told.suite), (Version::Tls13, 0x1302));
    assert_eq!((told.exchanged, told.retry), (Some(Exchanged::Group(29)), false));
    assert!(told.certificates.is_empty() && told.complete);

    let told = chosen(RETRY);
    assert_eq!((told.version, told.suite), (Version::Tls13, 0x1301));
    assert_eq!((told.exchanged, told.retry), (Some(Exchanged::Group(24)), true));
}

#[test]
fn a_refusal_has_a_name() {
    let Answer::Refused(alert) = answer(ALERT) else { panic!() };
    assert_eq!((alert.level, alert.to_string().as_str()), (2, "handshake_failure"));
    assert_eq!(Alert { level: 2, description: 200 }.to_string(), "alert 200");
}

#[test]
fn the_oldest_servers_are_read_as_well() {
    let hello = oldest_hello(0x0003, 1);
    // A modulus of 512 bits, an exponent; the signature is not looked at.
    let mut exchange = vec![0, 64, 0x80];
    exchange.extend([1; 63]);
    exchange.extend([0, 1, 3]);
    let flight = [hello, message(11, &[0, 0, 0]), message(12, &exchange), message(14, &[])].concat();
    // In pieces of one octet, as old servers may well send them.
    let pieces: Vec<(u8, &[u8])> = flight.chunks(1).map(|piece| (22, piece)).collect();
    let told = chosen(&records([3, 0], &pieces));
    assert_eq!((told.version, told.suite, told.compression), (Version::Ssl3, 0x0003, 1));
    assert_eq!(told.exchanged, Some(Exchanged::Rsa { bits: 512 }));
    assert_eq!((told.secure_renegotiation, told.complete), (false, true));
}

#[test]
fn a_warning_is_not_the_end_unless_nothing_follows() {
    let warning = records([3, 1], &[(21, &[1, 112])]);
    assert_eq!(answer(&warning), Answer::Unfinished);
    assert_eq!(last_answer(&warning), Answer::Refused(Alert { level: 1, description: 112 }));
    let both = [warning, TLS12.to_vec()].concat();
    assert_eq!(chosen(&both), chosen(TLS12));
    let end = records([3, 1], &[(21, &[1, 0])]);
    assert_eq!(answer(&end), Answer::Refused(Alert { level: 1, description: 0 }));
}

#[test]
fn an_alert_behind_a_hello_takes_the_choice_back() {
    let flight = records([3, 0], &[(22, &oldest_hello(5, 0)), (21, &[2, 80])]);
    assert_eq!(answer(&flight), Answer::Refused(Alert { level: 2, description: 80 }));
}

#[test]
fn what_is_cut_off_behind_the_hello_is_a_choice_all_the_same() {
    let flight = records([3, 0], &[(22, &oldest_hello(5, 0))]);
    assert_eq!(answer(&flight), Answer::Unfinished);
    let Answer::Chosen(told) = last_answer(&flight) else { panic!() };
    assert!(!told.complete);
}

#[test]
fn other_protocols_are_foreign() {
    for words in [
        &b"HTTP/1.1 400 Bad Request\r\n"[..],
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"220 mail.example.org ESMTP\r\n",
        b"\x80\x2e\x04\x00\x01\x00\x02", // a hello of SSL 2.0
        b"\x16\x02\x00\x00\x01\x02",
        b"\x16\x03\x09",
        b"\x16\x03\x03\xff\xff",
        b"\x15\x03\x01\x00\x02\x07\x28",
        b"\x17\x03\x03\x00\x01\x00",
        b"\x16\x03\x03\x00\x01\x0b", // begins with a certificate
        b"\x16\x03\x03\x00\x04\x02\xff\xff\xff",
    ] {
        assert_eq!(answer(words), Answer::Foreign, "{words:?}");
    }
    assert_eq!(answer(b""), Answer::Unfinished);
    assert_eq!(answer(b"\x16\x03"), Answer::Unfinished);
}

#[test]
fn no_handshake_is_read_without_end() {
    let piece = [0; 16384];
    let mut parts: Vec<(u8, &[u8])> = vec![(22, &piece); 9];
    let hello = message(2, &[0; 3]);
    assert_eq!(answer(&records([3, 3], &parts)), Answer::Foreign);
    parts.insert(0, (22, &hello));
    assert_eq!(answer(&records([3, 3], &parts)), Answer::Foreign);
}

#[test]
fn every_beginning_of_an_answer_is_unfinished() {
    // Behind the retry there is a record for boxes in between.
    for flight in [TLS10, TLS12, &RETRY[..93], ALERT] {
        for end in 0..flight.len() {
            assert_eq!(answer(&flight[..end]), Answer::Unfinished, "{end}");
            let _ = last_answer(&flight[..end]);
        }
    }
}

proptest! {
    #[test]
    fn no_octets_do_harm(octets in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = (answer(&octets), last_answer(&octets));
        let framed = [&[22, 3, 3, 2, 88][..], &octets].concat();
        let _ = (answer(&framed), last_answer(&framed));
    }

    #[test]
    fn no_change_of_a_real_answer_does_harm(
        which in 0..4_usize,
        changes in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..8),
    ) {
        let mut flight = [TLS10, TLS12, TLS13, RETRY][which].to_vec();
        for (at, octet) in changes {
            let at = at % flight.len();
            flight[at] = octet;
        }
        for read in [answer(&flight), last_answer(&flight)] {
            if let Answer::Chosen(chosen) = read {
                prop_assert!(chosen.certificates.len() <= 16);
                prop_assert!(chosen.alpn.is_none_or(|name| name.chars().count() <= crate::identify::LONGEST));
                for der in &chosen.certificates {
                    let _ = Certificate::read(der);
                }
            }
        }
    }
}
