//! What answers on open ports: the declared service, its TLS, and who may use it.

use super::rig::*;
use crate::{
    identify::{
        Guard, Manner, Portrait, Session, Shown,
        tls::{Offered, Version, VersionOffer},
    },
    model::*,
    spec::manifest::*,
};

const HOST: &str = "192.0.2.10";
/// For `www.example.org`, from 2026-11-28 for ten years, made for the tests of certificates.
const CERTIFICATE: &[u8] = include_bytes!("../../identify/tls/tests/rsa.der");

fn shown(service: &'static str, guard: Guard) -> Portrait {
    let shown = Shown { service, identity: None, banner: Some(format!("{service} says")), guard };
    Portrait { shown: Some(shown), ..Portrait::default() }
}

/// A port that is declared so, open, and talked to.
fn declared(entry: impl Fn(&mut Expose), portrait: Portrait) -> Rig {
    let mut www = target("www", &[HOST]);
    let mut expose = expose("443/tcp", Presence::Required);
    entry(&mut expose);
    www.expose.push(expose);
    let mut rig = Rig::new(vec![www]).fill(HOST, State::Closed).see(HOST, 443, State::Open);
    rig.portraits.insert(Endpoint { address: ip(HOST), protocol: Protocol::Tcp, port: 443 }, portrait);
    rig
}

fn service(name: &str) -> impl Fn(&mut Expose) + use<'_> {
    move |entry| entry.service = Some(name.to_owned())
}

#[test]
fn an_exception_of_who_answers_is_unused_where_it_was_asked_and_nothing_is_wrong() {
    let judged = |rule: &'static str, portrait: Option<Portrait>| {
        let mut rig = declared(service("ssh"), portrait.clone().unwrap_or_default());
        if portrait.is_none() {
            rig.portraits.clear();
        }
        rig.manifest.exceptions = vec![exception("EX-1", "www", rule, Some(443))];
        rig.judge()
    };
    for rule in ["EXP004", "EXP005", "EXP006", "EXP007"] {
        let told = judged(rule, Some(shown("ssh", Guard::Untold)));
        assert_eq!(told.rules(), ["EXC002"], "{rule}");
        let untold = judged(rule, None);
        assert!(
            untold.findings.iter().all(|finding| finding.rule.id != "EXC002"),
            "{rule}: nobody was asked"
        );
    }
    let used = judged("EXP004", Some(shown("http", Guard::Untold)));
    assert_eq!((used.rules(), used.exit()), (vec!["EXP004"], 0));
}

#[test]
fn another_service_than_the_declared_one_is_wrong_and_the_same_is_right() {
    let judgement = declared(service("ssh"), shown("http", Guard::Untold)).judge();
    let finding = judgement.only("EXP004");
    assert_eq!((finding.verdict, finding.port, judgement.exit()), (Verdict::Fail, Some(443), 1));
    assert!(finding.message.contains("http says"), "{}", finding.message);
    let encrypted = |service| Portrait { encrypted: true, ..shown(service, Guard::Untold) };
    for (name, portrait, exit) in [
        ("ssh", shown("ssh", Guard::Untold), 0),
        ("https", encrypted("http"), 0),
        ("https", shown("http", Guard::Untold), 1),
        ("http", encrypted("http"), 0),
        ("submission", shown("smtp", Guard::Upgradable), 0),
        ("submissions", shown("smtp", Guard::Upgradable), 1),
        ("https", encrypted("kubernetes-api"), 0),
        ("kubernetes-api", encrypted("http"), 3),
        ("grafana", shown("http", Guard::Untold), 3),
        ("cpanel", shown("http", Guard::Untold), 3),
        ("ipp", shown("http", Guard::Untold), 0),
        ("wsmans", encrypted("wsman"), 0),
        ("kube-scheduler", encrypted("kubernetes-api"), 0),
        ("HTTPS", encrypted("http"), 0),
        ("radsec", encrypted("http"), 1),
        ("radsec", encrypted("tls"), 0),
        ("jetdirect", shown("http", Guard::Untold), 3),
        ("imaps", encrypted("tls"), 3),
        ("elasticsearch", shown("docker", Guard::Untold), 1),
    ] {
        let judgement = declared(service(name), portrait.clone()).judge();
        assert_eq!(judgement.exit(), exit, "{name}: {:?}, {:?}", portrait.service(), judgement.findings);
    }
}

#[test]
fn who_does_not_show_himself_is_doubt_and_described() {
    let mute = Portrait { manner: Some(Manner::Mute), ..Portrait::default() };
    let judgement = declared(service("ssh"), mute.clone()).judge();
    let finding = judgement.only("EXP012");
    assert_eq!((finding.cause, finding.verdict), (Some("not_identified"), Verdict::Inconclusive));
    assert!(finding.message.contains("never says anything"), "{}", finding.message);
    assert_eq!(judgement.exit(), 3);
    assert_eq!(declared(|_| {}, mute).judge().exit(), 0, "nobody declared what should answer");
}

#[test]
fn a_banner_is_held_to_the_declared_words() {
    let banner =
        |words: &str| declared(|entry| entry.banner = Some(words.to_owned()), shown("ssh", Guard::Untold));
    assert_eq!(banner("ssh says").judge().exit(), 0);
    let judgement = banner("OpenSSH_9").judge();
    assert_eq!(judgement.only("EXP004").cause, Some("banner"));
}

#[test]
fn an_open_door_is_critical_and_only_an_exception_waives_it() {
    let open = Guard::Open("answers PING");
    let protected = |entry: &mut Expose| entry.security_features = Some("a tunnel".to_owned());
    for rig in [declared(|_| {}, shown("redis", open)), declared(protected, shown("redis", open))] {
        let judgement = rig.judge();
        let finding = judgement.only("EXP007");
        assert_eq!((finding.severity, finding.verdict), (Severity::Critical, Verdict::Fail));
        assert_eq!(finding.observed, "open: redis answers without authentication (answers PING)");
    }
    let mut rig = declared(|_| {}, shown("redis", open));
    rig.manifest.exceptions.push(exception("EX-1", "www", "EXP007", Some(443)));
    let judgement = rig.judge();
    assert_eq!((judgement.tcp(HOST, 443), judgement.exit()), (Verdict::Waived, 0));
}

#[test]
fn cleartext_is_medium_and_a_warning_once_something_protects_it() {
    let clear = Guard::Cleartext("offers no TLS");
    let judgement = declared(|_| {}, shown("ftp", clear)).judge();
    let finding = judgement.only("EXP007");
    assert_eq!((finding.severity, finding.verdict, judgement.exit()), (Severity::Medium, Verdict::Fail, 1));
    let protected = |entry: &mut Expose| entry.security_features = Some("a tunnel".to_owned());
    let judgement = declared(protected, shown("ftp", clear)).judge();
    assert_eq!((judgement.only("EXP007").verdict, judgement.exit()), (Verdict::Pass, 0));
    assert_eq!(judgement.tcp(HOST, 443), Verdict::Pass);
    let inside = Portrait { encrypted: true, ..shown("ftp", clear) };
    assert_eq!(declared(|_| {}, inside).judge().exit(), 0, "TLS is around it");
}

#[test]
fn an_open_door_that_nothing_declares_is_critical_and_says_who_answers() {
    let mut rig = declared(|_| {}, shown("http", Guard::Untold)).see(HOST, 80, State::Open);
    let endpoint = Endpoint { address: ip(HOST), protocol: Protocol::Tcp, port: 80 };
    rig.portraits.insert(endpoint, shown("docker", Guard::Open("answers /version")));
    let judgement = rig.judge();
    let finding = judgement.only("EXP001");
    assert_eq!(finding.severity, Severity::Critical);
    assert!(finding.message.contains("docker says") && finding.message.contains("answers /version"));
    assert!(finding.observed.ends_with("; docker answers without authentication (answers /version)"));
}

#[test]
fn each_of_two_findings_about_a_port_has_its_own_fate() {
    let both = |entry: &mut Expose| {
        entry.tls = Some(TlsExpectation::default());
        entry.service = Some("ftp".to_owned());
    };
    let mut rig = declared(both, shown("ftp", Guard::Cleartext("offers no TLS")));
    rig.manifest.exceptions.push(exception("EX-1", "www", "EXP007", Some(443)));
    let judgement = rig.judge();
    assert_eq!(judgement.only("EXP005").verdict, Verdict::Fail);
    assert_eq!(judgement.only("EXP007").verdict, Verdict::Waived);
    assert_eq!((judgement.tcp(HOST, 443), judgement.exit()), (Verdict::Fail, 1));
    let mut rig = declared(both, shown("ftp", Guard::Cleartext("offers no TLS")));
    rig.manifest.exceptions.push(exception("EX-1", "www", "EXP005", Some(443)));
    let judgement = rig.judge();
    assert_eq!((judgement.tcp(HOST, 443), judgement.verdicts.fail), (Verdict::Fail, 1));
}

fn secured(trust: Result<(), String>, offered: Option<Offered>) -> Portrait {
    let session = Session {
        name: None,
        upgraded: false,
        version: "TLS 1.3".to_owned(),
        suite: Some("TLS_AES_128_GCM_SHA256".to_owned()),
        chain: vec![CERTIFICATE.to_vec()],
        trust,
    };
    let offered = offered.into_iter().map(|offered| (None, offered)).collect();
    Portrait { encrypted: true, sessions: vec![session], offered, ..shown("http", Guard::Untold) }
}

/// Within the certificate's time.
fn later(mut rig: Rig) -> Rig {
    rig.at = jiff::civil::date(2026, 11, 29);
    rig
}

fn offers(version: Version, suites: Vec<u16>) -> Offered {
    let offer = VersionOffer { version, suites, server_order: None, complete: true };
    Offered { versions: vec![offer], ..Offered::default() }
}

#[test]
fn tls_is_held_to_what_is_declared_of_it_and_to_nothing_else() {
    let tls = |expectation: TlsExpectation| move |entry: &mut Expose| entry.tls = Some(expectation.clone());
    let rules = |expectation, portrait| {
        let judgement = later(declared(tls(expectation), portrait)).judge();
        judgement.rules().iter().filter(|rule| rule.starts_with("EXP")).copied().collect::<Vec<_>>()
    };
    let profile = |name: &str| TlsExpectation { profile: Some(name.to_owned()), ..TlsExpectation::default() };
    let good = || Some(offers(Version::Tls12, vec![0xc02f]));
    let untrusted = || Err("no trusted root has issued it".to_owned());
    assert_eq!(rules(TlsExpectation::default(), secured(untrusted(), None)), [""; 0]);
    assert_eq!(rules(profile("intermediate"), secured(Ok(()), good())), [""; 0]);
    assert_eq!(rules(profile("intermediate"), secured(Ok(()), None)), ["EXP012"], "not listed");
    let old = || Some(offers(Version::Tls10, vec![0x002f]));
    assert_eq!(rules(profile("intermediate"), secured(Ok(()), old())), ["EXP005"]);
    let unknown = Offered { unknown: vec![Version::Tls10], ..good().unwrap() };
    assert_eq!(rules(profile("intermediate"), secured(Ok(()), Some(unknown))), ["EXP012"], "not known");
    let trusted = || TlsExpectation { trusted: Some(true), ..TlsExpectation::default() };
    assert_eq!(rules(trusted(), secured(untrusted(), None)), ["EXP006"]);
    assert_eq!(rules(trusted(), secured(Ok(()), None)), [""; 0]);
    let named = TlsExpectation { names: vec!["else.example.com".to_owned()], ..TlsExpectation::default() };
    assert_eq!(rules(named, secured(Ok(()), None)), ["EXP006"]);
    let days = TlsExpectation { min_days_left: Some(1_000_000), ..TlsExpectation::default() };
    let judgement = later(declared(tls(days), secured(Ok(()), None))).judge();
    assert_eq!(judgement.only("EXP006").severity, Severity::Medium);
    assert!(judgement.only("EXP006").expected.ends_with(", with at least 1,000,000 days left"));
    assert_eq!(rules(TlsExpectation::default(), shown("ssh", Guard::Untold)), ["EXP005"], "it speaks no TLS");
}
