//! A survey against servers made of a few lines.

use super::*;

/// A server by what it takes, and how it says no.
struct Server {
    takes: Vec<(Version, Vec<u16>)>,
    own_order: bool,
    no: Heard,
}

fn refused(description: u8) -> Heard {
    Heard::Answer(Answer::Refused(Alert { level: 2, description }))
}

fn took(version: Version, suite: u16) -> Heard {
    Heard::Answer(Answer::Chosen(Box::new(Chosen {
        version,
        suite,
        certificates: vec![b"leaf".to_vec()],
        alpn: None,
        compression: 0,
        exchanged: None,
        secure_renegotiation: true,
        extended_master_secret: true,
        retry: false,
        knows: None,
        complete: true,
    })))
}

impl Server {
    /// As a server does it: the newest version that both have, then a suite.
    fn answers(&self, offer: &Offer) -> Heard {
        let fitting = self.takes.iter().filter(|(version, _)| match offer.version {
            Version::Tls13 => *version == Version::Tls13,
            asked => *version <= asked,
        });
        let Some((version, suites)) = fitting.max_by_key(|(version, _)| *version) else {
            return self.no.clone();
        };
        let (first, second) = if self.own_order { (suites, &offer.suites) } else { (&offer.suites, suites) };
        let both = first.iter().find(|suite| second.contains(suite));
        both.map_or_else(|| self.no.clone(), |suite| took(*version, *suite))
    }

    fn surveyed(&self, survey: Survey) -> Offered {
        run(survey, |offer, _| self.answers(offer))
    }
}

fn run(mut survey: Survey, mut server: impl FnMut(&Offer, usize) -> Heard) -> Offered {
    let mut asked = 0;
    while let Some(offer) = survey.next_hello() {
        assert!(!offer.suites.is_empty() && offer.suites.len() <= 120);
        asked += 1;
        survey.heard(&server(&offer, asked));
        assert!(asked < 1000, "no end");
    }
    assert_eq!(survey.asked(), asked);
    survey.offered()
}

fn survey() -> Survey {
    Survey::new(Some("www.example.org"), Randoms::new([1; 32]))
}

fn usual(no: Heard) -> Server {
    let newest = vec![0x1302, 0x1301];
    let good = vec![0xc030, 0xc02f, 0x009f, 0x0035, 0x0084, 0x002f];
    let takes = vec![(Version::Tls13, newest), (Version::Tls12, good)];
    Server { takes, own_order: true, no }
}

#[test]
fn what_a_server_takes_is_found_in_its_order() {
    let offered = usual(refused(40)).surveyed(survey());
    assert_eq!(offered.refused, [Version::Ssl3, Version::Tls10, Version::Tls11]);
    assert_eq!(offered.unknown, []);
    let told: Vec<_> = offered.versions.iter().map(|v| (v.version, v.server_order, v.complete)).collect();
    assert_eq!(told, [(Version::Tls12, Some(true), true), (Version::Tls13, Some(true), true)]);
    // One of the suites is of the rare ones, which are asked for apart, and still comes at its place.
    assert_eq!(offered.versions[0].suites, [0xc030, 0xc02f, 0x009f, 0x0035, 0x0084, 0x002f]);
    assert_eq!(offered.versions[1].suites, [0x1302, 0x1301]);
    assert_eq!(offered.chains, [[b"leaf".to_vec()]]);
    assert!(offered.asked < 40, "{}", offered.asked);
}

#[test]
fn a_server_that_follows_the_client_has_no_order() {
    let offered = Server { own_order: false, ..usual(refused(70)) }.surveyed(survey());
    let mut suites = offered.version(Version::Tls12).unwrap().suites.clone();
    suites.sort_unstable();
    assert_eq!(suites, [0x002f, 0x0035, 0x0084, 0x009f, 0xc02f, 0xc030]);
    assert!(offered.versions.iter().all(|offer| offer.server_order == Some(false)));
}

#[test]
fn servers_that_hang_up_are_understood_if_they_speak_afterwards() {
    for no in [Heard::Closed, Heard::Reset, Heard::Silence, Heard::Answer(Answer::Foreign), refused(80)] {
        let offered = usual(no.clone()).surveyed(survey());
        assert_eq!(offered.refused, [Version::Ssl3, Version::Tls10, Version::Tls11], "{no:?}");
        assert_eq!(offered.versions.len(), 2);
        assert!(offered.versions.iter().all(|offer| offer.complete), "{no:?}");
    }
}

#[test]
fn one_dropped_connection_changes_nothing() {
    let server = usual(refused(40));
    let whole = server.surveyed(survey());
    for lost in 1..=whole.asked {
        for how in [Heard::Closed, Heard::Silence, Heard::NotConnected] {
            let offered =
                run(survey(), |offer, asked| if asked == lost { how.clone() } else { server.answers(offer) });
            assert_eq!(offered.refused, whole.refused, "{lost}");
            for (offer, before) in offered.versions.iter().zip(&whole.versions) {
                assert_eq!(offer.suites, before.suites, "{lost}");
            }
        }
    }
}

#[test]
fn a_server_that_goes_silent_has_refused_nothing() {
    let server = usual(refused(40));
    let whole = server.surveyed(survey());
    for from in 1..=whole.asked {
        for how in [Heard::Closed, Heard::Reset, Heard::Silence, Heard::NotConnected] {
            let offered =
                run(survey(), |offer, asked| if asked >= from { how.clone() } else { server.answers(offer) });
            for version in &offered.refused {
                assert!(
                    whole.refused.contains(version),
                    "{version} is said not to be offered from {from} on"
                );
            }
            let complete = offered.versions.iter().filter(|offer| offer.complete);
            for offer in complete {
                let before = whole.version(offer.version).unwrap();
                let lost = before.suites.iter().filter(|suite| !offer.suites.contains(suite)).count();
                assert_eq!(lost, 0, "{} is said to be complete from {from} on", offer.version);
            }
        }
    }
}

#[test]
fn nobody_there_refuses_nothing() {
    for how in
        [Heard::Closed, Heard::Silence, Heard::NotConnected, Heard::Answer(Answer::Foreign), refused(112)]
    {
        let offered = run(survey(), |_, _| how.clone());
        assert_eq!((offered.unknown.len(), offered.refused.len()), (5, 0), "{how:?}");
    }
    assert_eq!(run(survey(), |_, _| Heard::NotConnected).asked, 3);
}

#[test]
fn a_server_that_stoops_does_not_have_the_version_above() {
    let takes = vec![(Version::Tls10, vec![0x0005, 0x000a])];
    let server = Server { takes, own_order: true, no: refused(40) };
    let offered = server.surveyed(survey());
    assert_eq!(offered.refused, [Version::Ssl3, Version::Tls11, Version::Tls12, Version::Tls13]);
    assert_eq!(offered.versions[0].suites, [0x0005, 0x000a]);
}

#[test]
fn versions_alone_take_few_connections() {
    let offered = usual(refused(70)).surveyed(survey().versions_only());
    assert_eq!(offered.asked, 5);
    assert_eq!(
        offered.versions.iter().map(|v| v.version).collect::<Vec<_>>(),
        [Version::Tls12, Version::Tls13]
    );
    assert!(offered.versions.iter().all(|offer| !offer.complete));
}

#[test]
fn connections_are_bounded_and_what_was_not_asked_is_open() {
    let all = |version: Version| (version, suites().filter(|s| s.is_of(version)).map(|s| s.id).collect());
    let server = Server { takes: Version::ALL.map(all).to_vec(), own_order: true, no: refused(40) };
    let offered = server.surveyed(survey());
    assert_eq!((offered.asked, offered.versions.len()), (250, 5));
    assert!(offered.versions.iter().any(|offer| !offer.complete));
    let offered = server.surveyed(survey().at_most(3));
    assert_eq!((offered.asked, offered.versions.len(), offered.unknown.len()), (3, 3, 2));
}

#[test]
fn a_server_that_takes_what_nobody_offered_has_an_end() {
    let offered = run(survey(), |offer, _| took(offer.version, 0x0004));
    assert!(offered.asked < 20);
    assert!(offered.versions.iter().all(|offer| !offer.complete || offer.suites.len() == 1));
    let newer = run(survey(), |_, _| took(Version::Tls13, 0x1301));
    assert!(newer.refused.is_empty());
}
