//! What every payload must hold: it says where its cookie goes, it takes a genuine reply, and it takes
//! nothing that does not bring the cookie back.

mod replies;

use std::{collections::BTreeSet, fmt::Write as _};

use proptest::prelude::*;

use super::{
    payload::{Echo, Form},
    *,
};
use crate::spec::profile::Profiles;

/// The cookie that the table and its sample replies are written with.
const WRITTEN: [u8; COOKIE] = [0xc0; COOKIE];
const OTHER: [u8; COOKIE] = [0x01, 0x9f, 0xfe, 0x37, 0x00, 0x80, 0x5a, 0x0d];

fn written(payload: &Payload, cookie: [u8; COOKIE]) -> Vec<u8> {
    let mut octets = Vec::new();
    payload.write(cookie, &mut octets);
    octets
}

fn length(form: Form) -> usize {
    match form {
        Form::Octets(count) => count,
        Form::Hex(count) => 2 * count,
    }
}

/// Each payload with its sample: those of a service in the order of the table.
fn samples() -> Vec<(&'static Payload, &'static [u8])> {
    let mut left: Vec<_> = replies::REPLIES.to_vec();
    let samples = all()
        .map(|payload| {
            let at = left.iter().position(|(service, _)| *service == payload.service);
            (payload, left.remove(at.unwrap_or_else(|| panic!("{} has no sample", payload.service))).1)
        })
        .collect();
    assert!(left.is_empty(), "{:?} are samples of nothing", left[0].0);
    samples
}

/// Puts another cookie where the sample has the written one.
fn with_cookie(payload: &Payload, sample: &[u8], cookie: [u8; COOKIE]) -> Vec<u8> {
    let Some(place) = payload.cookie.first().filter(|_| payload.reply.echo != Echo::Nothing) else {
        return sample.to_vec();
    };
    let (old, new) = match place.form {
        Form::Octets(count) => (WRITTEN[..count].to_vec(), cookie[..count].to_vec()),
        Form::Hex(count) => {
            let text = |cookie: [u8; COOKIE]| {
                let digits = cookie[..count].iter().fold(String::new(), |mut text, octet| {
                    let _ = write!(text, "{octet:02x}");
                    text
                });
                digits.into_bytes()
            };
            (text(WRITTEN), text(cookie))
        }
    };
    let mut octets = sample.to_vec();
    if let Echo::At(at) = payload.reply.echo {
        assert_eq!(octets[at..at + old.len()], old, "{}", payload.service);
        octets[at..at + old.len()].copy_from_slice(&new);
        return octets;
    }
    let mut at = 0;
    while at + old.len() <= octets.len() {
        if octets[at..at + old.len()] == old {
            octets[at..at + old.len()].copy_from_slice(&new);
            at += old.len();
        } else {
            at += 1;
        }
    }
    octets
}

#[test]
fn the_table_is_large_and_every_entry_says_where_it_comes_from() {
    let services: BTreeSet<&str> = all().map(|payload| payload.service).collect();
    assert!(services.len() >= 60, "{} services", services.len());
    for payload in all() {
        assert!(payload.source.len() >= 5 && !payload.octets.is_empty(), "{}", payload.service);
        assert!(!payload.ports.is_empty(), "{}", payload.service);
    }
    for mute in MUTE {
        assert!(mute.why.ends_with(')') && !mute.ports.is_empty(), "{} names its source", mute.service);
        assert!(!services.contains(mute.service), "{} answers and is mute", mute.service);
    }
}

#[test]
fn every_service_is_in_the_profiles_at_each_of_its_ports() {
    let profiles = Profiles::builtin().unwrap();
    let payloads = all().map(|payload| (payload.service, payload.ports));
    for (service, ports) in payloads.chain(MUTE.iter().map(|mute| (mute.service, mute.ports))) {
        for port in ports {
            assert_eq!(profiles.service_name(Protocol::Udp, *port), Some(service), "{port}/udp");
        }
    }
}

#[test]
fn what_is_asked_as_common_is_asked_well_or_known_to_be_mute() {
    /// No public document describes its protocol.
    const UNDOCUMENTED: &[u16] = &[5093];
    let profiles = Profiles::builtin().unwrap();
    let is_mute = |port: &u16| MUTE.iter().any(|mute| mute.ports.contains(port));
    let common = profiles.common(Protocol::Udp).iter();
    let unasked: Vec<u16> = common.filter(|port| !has_payload(*port) && !is_mute(port)).collect();
    assert_eq!(unasked, UNDOCUMENTED);
}

#[test]
fn a_question_is_short_unless_the_protocol_wants_it_long() {
    for payload in all() {
        let length = written(payload, OTHER).len();
        assert!(length <= 1400, "{}", payload.service);
        assert!(length <= 512 || payload.padded > 0, "{} has {length} octets", payload.service);
    }
}

#[test]
fn the_table_shows_where_a_cookie_goes() {
    for payload in all() {
        let mut octets = payload.octets.to_vec();
        octets.resize(octets.len().max(payload.padded), 0);
        assert_eq!(written(payload, WRITTEN), octets, "{}", payload.service);
        // With another cookie, the octets at its places and no others change.
        let other = written(payload, OTHER);
        let mut places: BTreeSet<usize> = BTreeSet::new();
        for place in payload.cookie {
            assert!(place.at + length(place.form) <= payload.octets.len(), "{}", payload.service);
            for at in place.at..place.at + length(place.form) {
                assert!(places.insert(at), "{}: two cookies in octet {at}", payload.service);
            }
        }
        let changed = (0..octets.len()).filter(|at| octets[*at] != other[*at]);
        assert!(changed.clone().all(|at| places.contains(&at)), "{}", payload.service);
        let untouched = octets.windows(2).zip(other.windows(2)).filter(|(a, b)| *a == [0xc0, 0xc0] && a == b);
        assert_eq!(untouched.count(), 0, "{} has room for a cookie that does not go there", payload.service);
    }
}

#[test]
fn what_is_known_of_a_reply_is_within_what_it_has_and_apart_from_the_cookie() {
    for payload in all() {
        let reply = payload.reply;
        assert!(reply.least > 0 || !reply.has.is_empty(), "{} takes anything", payload.service);
        assert!(reply.least <= reply.most);
        let echo = payload.cookie.first().map_or(0, |place| length(place.form));
        if let Echo::At(at) = reply.echo {
            assert!(at + echo <= reply.least, "{}", payload.service);
        }
        assert!(reply.echo == Echo::Nothing || echo > 0, "{}", payload.service);
        for (at, mask, value) in reply.is {
            assert!(*at < reply.least && value & !mask == 0 && *mask != 0, "{} at {at}", payload.service);
            if let Echo::At(cookie) = reply.echo {
                assert!(!(cookie..cookie + echo).contains(at), "{} at {at}", payload.service);
            }
        }
    }
}

#[test]
fn a_genuine_reply_is_taken_with_its_cookie() {
    for (payload, sample) in samples() {
        assert!(payload.accepts(WRITTEN, sample), "{} {}", payload.service, payload.source);
        let other = with_cookie(payload, sample, OTHER);
        assert!(payload.accepts(OTHER, &other), "{} {}", payload.service, payload.source);
    }
}

#[test]
fn a_reply_with_another_cookie_is_refused() {
    for (payload, sample) in samples() {
        let Some(place) = payload.cookie.first().filter(|_| payload.reply.echo != Echo::Nothing) else {
            continue;
        };
        let (Form::Octets(count) | Form::Hex(count)) = place.form;
        assert_eq!(payload.cookie_bits(), 8 * u32::try_from(count).unwrap());
        for i in 0..count {
            let mut cookie = OTHER;
            cookie[i] ^= 0x10;
            let other = with_cookie(payload, sample, OTHER);
            assert!(!payload.accepts(cookie, &other), "{} octet {i}", payload.service);
        }
    }
}

#[test]
fn a_reply_out_of_shape_is_refused() {
    for (payload, sample) in samples() {
        let reply = payload.reply;
        for (at, mask, _) in reply.is {
            let mut broken = sample.to_vec();
            broken[*at] ^= mask;
            assert!(!payload.accepts(WRITTEN, &broken), "{} octet {at}", payload.service);
        }
        if let Some(short) = reply.least.checked_sub(1) {
            assert!(!payload.accepts(WRITTEN, &sample[..short]), "{} cut short", payload.service);
        }
        if reply.most < 1400 {
            let long: Vec<u8> = sample.iter().copied().chain([0; 1400]).collect();
            assert!(!payload.accepts(WRITTEN, &long), "{} with a tail", payload.service);
        }
        if !reply.has.is_empty() {
            let mut broken = sample.to_vec();
            let is_had =
                |octets: &[u8]| octets.windows(reply.has.len()).position(|window| window == reply.has);
            while let Some(at) = is_had(&broken) {
                broken[at] ^= 0x02;
            }
            assert!(!payload.accepts(WRITTEN, &broken), "{} without what it must have", payload.service);
        }
    }
}

#[test]
fn our_own_question_is_no_answer_to_it() {
    /// Text is all that is known of some answers; the first octets of LDAP are lengths of any form; a question
    /// of CoAP or of version 1 of IKE differs from its answer in a field that may be almost anything.
    const CANNOT_KNOW: &[&str] =
        &["cldap", "coap", "isakmp", "ipsec-nat-t", "systat", "qotd", "chargen", "daytime"];
    let asked = all().filter(|payload| payload.service != "echo" && !CANNOT_KNOW.contains(&payload.service));
    let deceived: Vec<&str> = asked
        .filter(|payload| payload.accepts(OTHER, &written(payload, OTHER)))
        .map(|payload| payload.service)
        .collect();
    assert_eq!(deceived, [""; 0]);
}

#[test]
fn lengths_inside_the_questions_are_right() {
    let word = |octets: &[u8], at: usize| usize::from(u16::from_be_bytes([octets[at], octets[at + 1]]));
    let double = |octets: &[u8], at: usize| (word(octets, at) << 16) | word(octets, at + 2);
    for payload in all() {
        let octets = payload.octets;
        match payload.service {
            "snmp" | "cldap" | "kerberos" => {
                assert_eq!(ber(octets), octets.len(), "{} {}", payload.service, payload.source);
            }
            "isakmp" => assert_eq!(double(octets, 24), octets.len()),
            "ipsec-nat-t" => assert_eq!(double(octets, 28) + 4, octets.len()),
            "radius" | "l2tp" | "bacnet" => assert_eq!(word(octets, 2), octets.len()),
            "kpasswd" => assert_eq!(word(octets, 0), octets.len()),
            "knx" => assert_eq!(word(octets, 4), octets.len()),
            "svrloc" => assert_eq!(word(octets, 3), octets.len()),
            "gtp-u" => assert_eq!(word(octets, 2) + 8, octets.len()),
            "gtp-c" => assert_eq!(word(octets, 2) + if octets[0] == 0x40 { 4 } else { 8 }, octets.len()),
            "stun" => assert_eq!(word(octets, 2) + 20, octets.len()),
            "dahua-discovery" => assert_eq!(usize::from(octets[16]) + 32, octets.len()),
            "mqtt-sn" => assert_eq!(usize::from(octets[0]), octets.len()),
            "ntp" => {
                assert!(octets.len() == 48 || (12 + word(octets, 10)).next_multiple_of(4) == octets.len());
            }
            "dtls" | "coaps" | "stuns" | "rd-gateway" => {
                assert_eq!(word(octets, 11) + 13, octets.len());
                assert_eq!(double(octets, 13) & 0xff_ffff, octets.len() - 25);
                assert_eq!(double(octets, 21) & 0xff_ffff, octets.len() - 25);
                let suites = word(octets, 61);
                assert_eq!(word(octets, 63 + suites + 2) + 63 + suites + 4, octets.len());
            }
            _ => {}
        }
    }
}

/// The length of the first element of BER, each constructed one of which must be filled by its own.
fn ber(octets: &[u8]) -> usize {
    let (tag, length) = (octets[0], usize::from(octets[1]));
    assert!(length < 0x80);
    if tag & 0x20 != 0 {
        let mut at = 2;
        while at < 2 + length {
            at += ber(&octets[at..]);
        }
        assert_eq!(at, 2 + length, "tag {tag:#x}");
    }
    2 + length
}

#[test]
fn every_payload_of_ipsec_is_a_chain_that_ends_with_the_message() {
    for payload in all().filter(|payload| matches!(payload.service, "isakmp" | "ipsec-nat-t")) {
        let message = &payload.octets[if payload.service == "isakmp" { 0 } else { 4 }..];
        let (mut next, mut at) = (message[16], 28);
        while next != 0 {
            next = message[at];
            at += usize::from(u16::from_be_bytes([message[at + 2], message[at + 3]]));
        }
        assert_eq!(at, message.len(), "{}", payload.source);
    }
}

proptest! {
    #[test]
    fn any_octets_are_taken_or_refused(octets in prop::collection::vec(any::<u8>(), 0..600), cookie: u64) {
        for payload in all() {
            let _ = payload.accepts(cookie.to_be_bytes(), &octets);
        }
    }

    #[test]
    fn no_random_octets_bring_back_a_long_cookie(octets in prop::collection::vec(any::<u8>(), 0..600), cookie: u64) {
        for payload in all().filter(|payload| payload.cookie_bits() >= 64) {
            prop_assert!(!payload.accepts(cookie.to_be_bytes(), &octets));
        }
    }

    #[test]
    fn what_is_written_ends_where_its_places_end(cookie: u64, before in prop::collection::vec(any::<u8>(), 0..9)) {
        for payload in all() {
            let mut to = before.clone();
            payload.write(cookie.to_be_bytes(), &mut to);
            prop_assert_eq!(to.len(), before.len() + payload.octets.len().max(payload.padded));
            prop_assert_eq!(&to[..before.len()], &before[..]);
        }
    }
}
