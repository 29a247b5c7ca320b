//! What strangers say on open ports, as no honest server says it: whatever the octets, an inquiry ends, and what
//! is kept of them is short and clean. Shared with the fuzz targets `greeting` and `tls_hello`.

use std::net::Ipv4Addr;

use portproof::{
    identify::{
        Act, Ended, Hints, Inquiry, Portrait, Shown, Talk, Told,
        stream::{self, Reading},
        tls::{self, Answer, Certificate, Heard, Name, Profile, Randoms, Step, Survey, Upgrade},
    },
    model::{Moment, clean},
};

/// Characters of anything that is kept; the dots of what was cut may come on top.
const LONGEST: usize = 420;

fn assert_tame(text: &str) {
    assert!(text.chars().count() <= LONGEST, "{} characters: {text}", text.chars().count());
    assert_eq!(clean(text), text, "nothing invisible and nothing executable is kept");
}

fn assert_shown(shown: &Shown) {
    shown.banner.iter().for_each(|banner| assert_tame(banner));
    if let Some(identity) = &shown.identity {
        for text in [&identity.product, &identity.version, &identity.detail].into_iter().flatten() {
            assert_tame(text);
        }
    }
}

fn assert_portrait(portrait: &Portrait) {
    portrait.shown.iter().for_each(assert_shown);
    portrait.words.iter().for_each(|words| assert_tame(words));
    portrait.banner().iter().for_each(|banner| assert_tame(banner));
}

/// A stranger who says these octets: read as a whole, and said in an inquiry, a piece each time that he is
/// listened to. The first octet says where he is met, the second how long his pieces are.
pub fn greet(octets: &[u8]) {
    for reading in [stream::greeting(octets), stream::any(octets), stream::finish(octets)] {
        if let Reading::Shown(shown) | Reading::Ask(shown, _) = reading {
            assert_shown(&shown);
        }
    }
    let [port, size, said @ ..] = octets else { return };
    let usual = [None, Some("ssh"), Some("https"), Some("redis"), Some("docker"), Some("imaps")];
    let usual = usual[usize::from(*port) % usual.len()];
    let hints = Hints { usual, ..Hints::default() };
    let mut inquiry = Inquiry::new(Ipv4Addr::LOCALHOST.into(), u16::from(*port) * 10, hints, [7; 32]);
    let mut pieces = said.chunks(usize::from(*size).max(1));
    let mut connections = 0;
    loop {
        let talks = inquiry.talks();
        if talks.is_empty() {
            break;
        }
        for talk in talks {
            connections += 1;
            assert!(connections <= 250, "an inquiry ends");
            if inquiry.hear(converse(talk, &mut pieces)) {
                break;
            }
        }
    }
    let portrait = inquiry.portrait();
    assert_portrait(&portrait);
    assert_eq!(
        portrait.is("nobody-knows-this"),
        portrait.shown.as_ref().and_then(|shown| (shown.service != "tls").then_some(false))
    );
}

fn converse<'a>(mut talk: Talk, pieces: &mut impl Iterator<Item = &'a [u8]>) -> Told {
    let mut told = Told::new(talk.clone(), Moment::START);
    told.connected = Some(Moment::START);
    told.ended = Ended::HungUp;
    for _ in 0..200 {
        match talk.act() {
            Act::HangUp => break,
            Act::Say(octets) => assert!(octets.len() <= 2048, "questions are small"),
            // Whoever has nothing more to say is silent at first, and then gone.
            Act::Listen(_) => match pieces.next() {
                Some([0xff, 0xff, ..]) => {
                    talk.quiet();
                    told.ended = Ended::Closed;
                    break;
                }
                Some(piece) => {
                    told.answered = Some(Moment::START);
                    talk.hear(piece);
                }
                None => talk.quiet(),
            },
        }
    }
    Told { talk, ..told }
}

/// A stranger who answers hellos with these octets, shows them as his certificate, and says them before TLS.
pub fn hello(octets: &[u8]) {
    for read in [tls::answer(octets), tls::last_answer(octets)] {
        if let Answer::Chosen(chosen) = read {
            assert!(chosen.certificates.iter().map(Vec::len).sum::<usize>() <= octets.len());
            chosen.alpn.iter().for_each(|alpn| assert_tame(alpn));
            chosen.certificates.iter().for_each(|der| certificate(der));
        }
    }
    certificate(octets);
    for service in
        ["smtp", "imap", "pop3", "ftp", "ldap", "postgresql", "mysql", "xmpp-client", "ms-wbt-server"]
    {
        let mut upgrade = Upgrade::of(service).expect("it begins in the clear").with_name("www.example.com");
        let mut pieces = octets.chunks((octets.len() / 50).max(17));
        let mut heard: &[u8] = &[];
        for _ in 0..=octets.len() {
            match upgrade.step(heard) {
                Step::Wait => match pieces.next() {
                    Some(piece) => heard = piece,
                    None => break,
                },
                Step::Say(words) => {
                    assert!(words.len() <= 1024);
                    heard = &[];
                }
                Step::Ready => break,
                Step::Refused(why) => {
                    assert_tame(&why);
                    break;
                }
            }
        }
    }
    // A few hellos show how it goes on.
    let mut survey = Survey::new(Some("www.example.com"), Randoms::new([7; 32])).at_most(16);
    let mut pieces = octets.chunks(97).cycle();
    while let Some(offer) = survey.next_hello() {
        assert!(offer.record().len() <= 2048);
        let answer = pieces.next().map_or(Heard::Silence, |piece| Heard::Answer(tls::last_answer(piece)));
        survey.heard(&answer);
    }
    let offered = survey.offered();
    for profile in Profile::ALL {
        for weak in tls::weaknesses(profile, &offered, None) {
            assert_tame(&weak.to_string());
        }
    }
}

fn certificate(der: &[u8]) {
    let Some(read) = Certificate::read(der) else { return };
    for text in [&read.subject, &read.issuer, &read.serial, &read.signature.name] {
        assert_tame(text);
    }
    read.dns_names.iter().for_each(|name| assert_tame(name));
    let wanted = [Name::of("www.example.com").expect("a name")];
    for problem in read.problems(&wanted, jiff::Timestamp::UNIX_EPOCH, Some(21)) {
        // At most five names of hosts are in it.
        assert_eq!(clean(&problem.to_string()), problem.to_string());
    }
}
