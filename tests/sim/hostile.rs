//! The scan in the hands of a driver that does everything wrong, the receive path under packets that no
//! honest far side sends, and the corpora of what fuzzing found.

use proptest::prelude::*;

use super::{
    net::Random,
    ops, packets,
    payloads::{self, Came},
    strangers,
};

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_laws_hold_and_the_scan_ends_whatever_the_driver_does(
        bytes in proptest::collection::vec(any::<u8>(), 0..600),
    ) {
        ops::run(&bytes);
    }

    #[test]
    fn whatever_comes_over_udp_is_believed_only_with_what_we_sent(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        payloads::run(&bytes);
    }

    #[test]
    fn whatever_a_stranger_says_is_bounded_and_clean_and_the_inquiry_ends(
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
    ) {
        strangers::greet(&bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_answers_a_hello_or_calls_itself_a_certificate_is_read_without_harm(
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
    ) {
        strangers::hello(&bytes);
    }
}

/// Every payload at each of its ports, by each family and a few attempts.
fn asked() -> impl Iterator<Item = payloads::Asked> {
    let all: Vec<_> = payloads::all(&payloads::mouth()).collect();
    let ways = [0, 1].into_iter().flat_map(|family| [1, 2, 63].map(|attempt| (family, attempt)));
    ways.flat_map(move |(family, attempt)| {
        all.clone().into_iter().map(move |asked| asked.by(family, attempt))
    })
}

#[test]
fn a_genuine_reply_over_udp_is_believed_and_none_with_an_octet_of_the_cookie_changed() {
    let (mouth, mut changed) = (payloads::mouth(), 0);
    for asked in asked() {
        let (at, service) = (asked.endpoint, asked.payload.service);
        let genuine = asked.answer(&mouth, <[u8]>::to_vec);
        for put_between in [0, 1, 3] {
            let came = payloads::heard(&mouth, &asked.reply(at.port, &genuine, put_between));
            assert_eq!(came, Came::Said, "{service} of {at}");
        }
        let octets = asked.payload.cookie_bits() / 8;
        // Another payload of the port may have no field for a cookie, and takes what looks like an answer.
        let blind = mouth.payloads().of(at.port).iter().any(|payload| payload.cookie_bits() == 0);
        for octet in (0..octets as usize).filter(|_| !blind) {
            for change in [0x01, 0x80, 0xff] {
                let other = asked.answer(&mouth, |field| {
                    let mut field = field.to_vec();
                    field[octet] ^= change;
                    field
                });
                let came = payloads::heard(&mouth, &asked.reply(at.port, &other, 0));
                assert_eq!(came, Came::Stray, "{service} of {at}, octet {octet}");
                changed += 1;
            }
        }
        // The same reply to another attempt brings back what was not sent.
        let late = asked.by(usize::from(at.address.is_ipv6()), asked.attempt - 1);
        let came = payloads::heard(&mouth, &late.reply(at.port, &genuine, 0));
        assert!(came == Came::Stray || blind, "{service} of {at}: {came:?}");
    }
    assert!(changed > 4000, "{changed}");
}

#[test]
fn an_icmp_error_is_believed_only_of_a_datagram_that_we_sent() {
    let mouth = payloads::mouth();
    for asked in asked() {
        let (at, service, is_ipv6) =
            (asked.endpoint, asked.payload.service, asked.endpoint.address.is_ipv6());
        let error = if is_ipv6 { (1, 4) } else { (3, 3) };
        for headers in [(0, 0), (1, 0), (0, 2)] {
            let whole = asked.complaint(&mouth, at.address, error, headers);
            assert_eq!(payloads::heard(&mouth, &whole), Came::Said, "{service} of {at}");
        }
        let whole = asked.complaint(&mouth, at.address, error, (0, 0));
        // Network header, ICMP header, the network header quoted; then the ports, length and checksum.
        let quote = if is_ipv6 { 40 + 8 + 40 } else { 20 + 8 + 20 };
        let least = &whole[..quote + 8];
        assert_eq!(
            payloads::heard(&mouth, least),
            Came::Said,
            "{service} of {at}: what the standards guarantee"
        );
        assert_eq!(payloads::heard(&mouth, &whole[..quote + 7]), Came::Foreign, "{service} of {at}");
        let changed = |octets: &[u8], place: usize| {
            let mut octets = octets.to_vec();
            octets[quote + place] ^= 0x10;
            payloads::heard(&mouth, &octets)
        };
        for place in 4..8 {
            assert_eq!(changed(least, place), Came::Stray, "{service} of {at}, octet {place}");
        }
        assert_eq!(changed(&whole, 5), Came::Stray, "{service} of {at}: another length");
        // A translator of addresses wrote another checksum, and the payload shows whose it is.
        assert_eq!(changed(&whole, 6), Came::Said, "{service} of {at}: another checksum");
    }
}

/// A tenth of what `tests/bench/soak` does: four hundred thousand packets, mutated, spliced, cut off, made
/// up. Who believes a packet by accident does so once in eight million times; twice is nearly impossible.
#[test]
fn packets_that_no_honest_far_side_sends_settle_nothing() {
    let mut random = Random(3);
    let octets = std::iter::repeat_with(move || random.next().to_le_bytes()).flatten();
    let count = packets::run(octets.take(6_000_000));
    assert!(count.packets > 400_000 && count.scans > 3, "{count:?}");
    assert!(count.ours * 20 > count.packets && count.strays * 20 > count.packets, "{count:?}");
    let at_most = count.strays as f64 * packets::FALSE_ACCEPT_AT_MOST;
    assert!(packets::chance_of(count.false_accepts, at_most) > 1e-6, "{count:?}, {at_most} expected");
}

#[test]
fn every_run_of_the_corpus_still_keeps_the_laws() {
    let operations = corpus("scan_ops", ops::run);
    let packets = corpus("answer", |bytes| packets::run(bytes.iter().copied()).packets);
    let datagrams = corpus("datagram", |bytes| u64::from(is_as_it_says(bytes)));
    let strangers = corpus("greeting", |bytes| {
        strangers::greet(bytes);
        1
    });
    let hellos = corpus("tls_hello", |bytes| {
        strangers::hello(bytes);
        1
    });
    let files = corpus("nmap_xml", |bytes| u64::from(crate::files::read(bytes)));
    let all = [operations, packets, datagrams, strangers, hellos, files];
    assert!(all.iter().all(|count| *count > 0), "a corpus is empty: {all:?}");
}

/// The first line of a packet over UDP says what comes of it and why: `# stray: the cookie is another's`.
fn is_as_it_says(bytes: &[u8]) -> bool {
    let came = payloads::run(bytes);
    let line = bytes.split(|octet| *octet == b'\n').next().unwrap_or_default();
    let line = std::str::from_utf8(line).unwrap_or_default();
    let Some((word, why)) = line.strip_prefix("# ").and_then(|line| line.split_once(": ")) else {
        return false;
    };
    assert_eq!(format!("{came:?}").to_lowercase(), word, "{why}");
    true
}

/// Runs every file of a corpus, and tells how much they did.
fn corpus(name: &str, run: impl Fn(&[u8]) -> u64) -> u64 {
    let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(name);
    std::fs::read_dir(corpus).unwrap().map(|entry| run(&std::fs::read(entry.unwrap().path()).unwrap())).sum()
}
