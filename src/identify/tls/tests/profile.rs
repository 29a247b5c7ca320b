//! Profiles: what is said of servers that keep them and of servers that don't.

use super::*;

fn offer(version: Version, suites: &[u16]) -> VersionOffer {
    VersionOffer { version, suites: suites.to_vec(), server_order: None, complete: true }
}

fn said(profile: Profile, offered: &Offered, leaf: Option<&[u8]>) -> Vec<String> {
    let leaf = leaf.map(|der| Certificate::read(der).unwrap());
    weaknesses(profile, offered, leaf.as_ref()).iter().map(ToString::to_string).collect()
}

fn sound() -> Offered {
    let versions = vec![offer(Version::Tls12, &[0xc02b, 0xc02f]), offer(Version::Tls13, &[0x1301])];
    let refused = vec![Version::Ssl3, Version::Tls10, Version::Tls11];
    Offered { versions, refused, exchanged: vec![Exchanged::Group(29)], ..Offered::default() }
}

#[test]
fn a_server_that_keeps_a_profile_is_not_blamed() {
    assert_eq!(said(Profile::Intermediate, &sound(), Some(RSA)), Vec::<String>::new());
    assert_eq!(said(Profile::Old, &sound(), Some(RSA)), Vec::<String>::new());
    let only = Offered { versions: vec![offer(Version::Tls13, &[0x1301])], ..Offered::default() };
    assert_eq!(said(Profile::Modern, &only, None), Vec::<String>::new());
    // A stronger key or a newer curve than the guideline knows is none.
    let groups = [24, 25, 30, 0x11ec, 0x0100, 0xfeed].map(Exchanged::Group).to_vec();
    assert_eq!(said(Profile::Modern, &Offered { exchanged: groups, ..only }, None), Vec::<String>::new());
}

#[test]
fn each_weakness_is_one_clause() {
    let old = &chosen(TLS10).certificates[0];
    let offered = Offered {
        versions: vec![
            offer(Version::Tls10, &[0x000a, 0x0005]),
            offer(Version::Tls12, &[0x000a, 0xc02f]),
            offer(Version::Tls13, &[0x1301, 0x1305]),
        ],
        exchanged: vec![
            Exchanged::Dh { bits: 1024 },
            Exchanged::Group(19),
            Exchanged::Explicit,
            Exchanged::Rsa { bits: 512 },
        ],
        compresses: true,
        ..Offered::default()
    };
    assert_eq!(
        said(Profile::Intermediate, &offered, Some(old)),
        [
            "offers TLS 1.0, which profile intermediate does not allow",
            "accepts TLS_RSA_WITH_3DES_EDE_CBC_SHA, which profile intermediate does not allow",
            "accepts TLS_AES_128_CCM_8_SHA256, which profile intermediate does not allow",
            "agrees on keys over a Diffie-Hellman prime of 1024 bits, where profile intermediate requires 2048",
            "agrees on keys over secp192r1, which is weaker than profile intermediate allows",
            "agrees on keys over a curve of its own, which profile intermediate does not allow",
            "encrypts keys to an RSA key of 512 bits made for export, which profile intermediate does not allow",
            "compresses, which profile intermediate does not allow",
            "has a certificate with RSA of 1024 bits, which profile intermediate does not allow",
            "has a certificate signed with sha1WithRSAEncryption, which profile intermediate does not allow",
        ]
    );
    let old = said(Profile::Old, &offered, None);
    assert!(
        old.iter().any(|clause| clause.contains("RC4")) && !old.iter().any(|clause| clause.contains("3DES"))
    );
    assert!(!old.iter().any(|clause| clause.contains("prime")));
}

#[test]
fn what_is_wanted_is_missed_only_if_it_was_refused() {
    let lacks = |refused: &[Version], unknown: &[Version]| Offered {
        refused: refused.to_vec(),
        unknown: unknown.to_vec(),
        ..Offered::default()
    };
    let refused = lacks(&Version::ALL, &[]);
    assert_eq!(
        said(Profile::Modern, &refused, None),
        ["does not offer TLS 1.3, which profile modern requires"]
    );
    assert_eq!(
        said(Profile::Intermediate, &refused, None),
        ["offers no version from TLS 1.2 on, of which profile intermediate requires one"]
    );
    let open = lacks(&Version::ALL[..4], &[Version::Tls13]);
    for profile in Profile::ALL {
        assert_eq!(said(profile, &open, None), Vec::<String>::new());
    }
}

#[test]
fn every_suite_of_a_profile_is_known_and_profiles_have_names() {
    let allowed = |profile: Profile| suites().filter(|suite| profile.allows(suite.id)).count();
    assert_eq!(Profile::ALL.map(allowed), [3, 12, 29]);
    for suite in suites().filter(|suite| Profile::Intermediate.allows(suite.id)) {
        assert!(suite.is_aead && suite.has_forward_secrecy(), "{}", suite.name);
    }
    for profile in Profile::ALL {
        assert_eq!(Profile::named(profile.name()), Some(profile));
    }
    assert_eq!(Profile::named("Modern"), None);
}
