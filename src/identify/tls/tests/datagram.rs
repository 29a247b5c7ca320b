//! DTLS, against the flight of a real server put into its framing, in pieces and out of order.

use proptest::prelude::*;

use super::*;

/// The messages of a recorded flight over a stream: kind and content.
fn messages(records: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let (mut stream, mut at) = (Vec::new(), 0);
    while at + 5 <= records.len() && records[at] == 22 {
        let length = usize::from(records[at + 3]) << 8 | usize::from(records[at + 4]);
        stream.extend_from_slice(&records[at + 5..at + 5 + length]);
        at += 5 + length;
    }
    let (mut messages, mut at) = (Vec::new(), 0);
    while at + 4 <= stream.len() {
        let length = stream[at + 1..at + 4].iter().fold(0, |length, octet| length << 8 | usize::from(*octet));
        messages.push((stream[at], stream[at + 4..at + 4 + length].to_vec()));
        at += 4 + length;
    }
    messages
}

/// One datagram with a piece of a message (RFC 6347 section 4.2.2).
fn datagram(kind: u8, sequence: u8, whole: usize, from: usize, piece: &[u8]) -> Vec<u8> {
    let three = |number: usize| number.to_be_bytes()[5..].to_vec();
    let fragment =
        [&[kind][..], &three(whole), &[0, sequence], &three(from), &three(piece.len()), piece].concat();
    let length = (fragment.len() as u16).to_be_bytes();
    [&[22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, sequence][..], &length, &fragment].concat()
}

/// The recorded flight of TLS 1.2 as DTLS 1.2 would send it, in pieces of so many octets.
fn flight(size: usize) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for (sequence, (kind, mut content)) in (1..).zip(messages(TLS12)) {
        if kind == 2 {
            content[..2].copy_from_slice(&[0xfe, 0xfd]);
        }
        let pieces = content.chunks(size).enumerate();
        all.extend(pieces.map(|(i, piece)| datagram(kind, sequence, content.len(), i * size, piece)));
        if content.is_empty() {
            all.push(datagram(kind, sequence, 0, 0, &[]));
        }
    }
    all
}

#[test]
fn a_flight_in_pieces_and_out_of_order_says_what_it_says_over_a_stream() {
    let mut pieces = flight(100);
    pieces.reverse();
    let mut known = Flight::default();
    for (i, piece) in pieces.iter().enumerate() {
        if i + 1 < pieces.len() {
            assert_eq!(answer(&known.records()), Answer::Unfinished, "after {i}");
        }
        known.take(piece);
        known.take(piece); // repeated on the way
    }
    assert_eq!(chosen(&known.records()), chosen(TLS12));
}

#[test]
fn a_cookie_is_asked_for_and_brought_back() {
    let offer = Offer::exactly(Version::Tls12, vec![0xc02b], Some("www.example.com".to_owned()), [7; 32]);
    let first = offer.datagram(&[]).unwrap();
    assert_eq!((first[0], &first[1..3], first[13]), (22, &[0xfe, 0xff][..], 1));
    assert!(first.windows(2).any(|octets| octets == [0xfe, 0xfd]), "the hello is of DTLS 1.2");
    let mut flight = Flight::default();
    flight.take(&datagram(3, 0, 11, 0, b"\xfe\xff\x08cookies!"));
    let cookie = flight.cookie().unwrap().to_vec();
    assert_eq!(cookie, b"cookies!");
    assert!(flight.records().is_empty(), "a request to verify is no answer");
    let second = offer.datagram(&cookie).unwrap();
    assert!(second.windows(8).any(|octets| octets == b"cookies!"));
    assert_eq!((second[10], second[18]), (1, 1), "the second record, the second message");
    assert_eq!(Offer::exactly(Version::Tls13, vec![0x1301], None, [7; 32]).datagram(&[]), None);
}

#[test]
fn an_alert_refuses() {
    let mut flight = Flight::default();
    flight.take(&FAREWELL);
    assert_eq!(answer(&flight.records()), Answer::Refused(Alert { level: 2, description: 40 }));
}

proptest! {
    #[test]
    fn any_datagrams_are_taken_without_harm(datagrams in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..20)) {
        let mut flight = Flight::default();
        for datagram in &datagrams {
            flight.take(datagram);
            let _ = (flight.cookie(), answer(&flight.records()));
        }
    }

    #[test]
    fn broken_pieces_of_a_genuine_flight_do_no_harm(at in 0_usize..2000, octet: u8, size in 1_usize..300) {
        let mut flight_so_far = Flight::default();
        for mut piece in flight(size) {
            let place = at % piece.len();
            piece[place] = octet;
            flight_so_far.take(&piece);
            prop_assert!(flight_so_far.records().len() < 140 << 10);
        }
    }
}
