//! What sample answers say, that no reader takes those of another, and that no octets whatever do harm.

mod frames;
mod pages;
mod samples;

use std::collections::BTreeSet;

use proptest::prelude::{prop, prop_assert, proptest};

use super::{super::LONGEST, *};
use samples::Sample;

fn all() -> Vec<Sample> {
    [samples::greetings(), samples::words(), frames::frames(), pages::pages()].into_iter().flatten().collect()
}

/// What is shown, whether the conversation goes on or not.
fn shown(reading: Reading) -> Option<Shown> {
    match reading {
        Reading::Shown(shown) | Reading::Ask(shown, _) => Some(shown),
        Reading::Foreign | Reading::Unfinished => None,
    }
}

/// Product, version, detail and guard in one line.
fn said(shown: &Shown) -> String {
    let Identity { product, version, detail } = shown.identity.clone().unwrap_or_default();
    let [product, version, detail] =
        [product, version, detail].map(|part| part.unwrap_or_else(|| "-".to_owned()));
    format!("{product} | {version} | {detail} | {:?}", shown.guard)
}

fn question(service: &str) -> &'static Question {
    QUESTIONS.iter().find(|question| question.service == service).unwrap()
}

/// The answer to that question, read by it alone.
fn answered(service: &str, octets: &[u8]) -> String {
    shown((question(service).read)(octets))
        .map_or_else(String::new, |shown| format!("{}: {}", shown.service, said(&shown)))
}

/// Says what is to be said and hears these answers, one after the other.
fn talk(greets: &[u8], answers: &[(&[u8], &[u8])]) -> String {
    let mut reading = greeting(greets);
    for (say, answer) in answers {
        let Reading::Ask(known, follow) = reading else { panic!("{reading:?}") };
        assert_eq!(follow.say, *say);
        for end in 0..answer.len() {
            let early = (follow.read)(&known, &answer[..end]);
            assert!(!matches!(early, Reading::Foreign), "{end} {early:?}");
        }
        reading = (follow.read)(&known, answer);
    }
    let Reading::Shown(shown) = reading else { panic!("{reading:?}") };
    format!("{}: {}", shown.service, said(&shown))
}

#[test]
fn every_sample_is_read_as_what_it_is() {
    for Sample(service, octets, wanted) in all() {
        let Some(shown) = shown(any(&octets)) else { panic!("{service} {}", octets.escape_ascii()) };
        assert_eq!((shown.service, &*said(&shown)), (service, wanted), "{}", octets.escape_ascii());
    }
}

#[test]
fn no_reader_takes_the_octets_of_another() {
    for Sample(service, octets, _) in all() {
        let readers =
            QUESTIONS.iter().map(|question| question.read).chain([greeting as fn(&[u8]) -> Reading]);
        let found: BTreeSet<&str> =
            readers.filter_map(|read| shown(read(&octets))).map(|shown| shown.service).collect();
        assert_eq!(found.into_iter().collect::<Vec<_>>(), [service], "{}", octets.escape_ascii());
    }
}

#[test]
fn a_cut_sample_is_nobody_elses() {
    for Sample(service, octets, _) in all() {
        for end in 0..octets.len() {
            let (cut, is_http) = (&octets[..end], octets.starts_with(b"HTTP/"));
            for reading in [any(cut), finish(cut)] {
                let found = shown(reading).map_or(service, |shown| shown.service);
                let guessed = is_http && found == "http"
                    || ["ftp", "smtp", "lmtp", "vmware-auth", "rethinkdb"].contains(&service);
                assert!(found == service || guessed, "{service} as {found}: {}", cut.escape_ascii());
            }
        }
    }
}

#[test]
fn tls_is_nobodys() {
    for octets in
        [&b"\x15\x03\x01\0\x02\x02\x46"[..], b"\x16\x03\x03\0\x0a\x02\0\0\x06\x03\x03abcdefgh", b"\x15\x03"]
    {
        assert_eq!(greeting(octets), Reading::Foreign);
        assert_eq!(any(octets), Reading::Foreign);
        assert_eq!(finish(octets), Reading::Foreign);
        for question in QUESTIONS.iter().filter(|_| octets.len() > 2) {
            assert_eq!((question.read)(octets), Reading::Foreign, "{}", question.service);
        }
    }
}

#[test]
fn terse_answers_count_for_their_own_question_only() {
    assert_eq!(answered("postgresql", b"S"), "postgresql: - | - | - | Upgradable");
    assert_eq!(answered("postgresql", b"N"), "postgresql: - | - | - | Cleartext(\"offers no TLS\")");
    assert_eq!(answered("postgresql", b"SSH-2.0"), "");
    assert_eq!(answered("socks", b"\x05\0"), "socks: - | - | - | Open(\"asks for no credentials\")");
    assert_eq!(answered("socks", b"\x05\xff"), "socks: - | - | wants credentials | Untold");
    assert_eq!(answered("mqtt", b"\x20\x02\0\x01"), "mqtt: - | - | - | Untold");
    assert_eq!(answered("mqtt", b"\x20\x02\0\0"), "mqtt: - | - | - | Open(\"asks for no credentials\")");
    assert_eq!(answered("bolt", b"\0\0\x04\x05"), "bolt: - | - | Bolt 5.4 | Untold");
    assert_eq!(answered("netbios-ssn", b"\x82\0\0\0"), "netbios-ssn: - | - | - | Untold");
    for octets in [&b"S"[..], b"N", b"\x05\0", b"\x20\x02\0\x01", b"\0\0\x04\x05", b"\x82\0\0\0"] {
        assert_eq!(any(octets), Reading::Unfinished);
    }
}

#[test]
fn some_answers_need_their_question_to_be_understood() {
    let refused = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 12\r\n\r\nUnauthorized";
    assert_eq!(answered("kubelet", refused), "kubelet: kubelet | - | status 401 | Untold");
    assert_eq!(answered("http", refused), "http: - | - | status 401 | Untold");
    let old = b"HTTP/1.1 404 Not Found\r\nAccess-Control-Allow-Headers: accept, content-type, authorization\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(answered("etcd-client", old), "etcd-client: etcd | - | status 404 | Untold");
    let method = b"HTTP/1.1 405 \r\nServer: Microsoft-HTTPAPI/2.0\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(answered("wsman", method), "wsman: WinRM | - | status 405 | Untold");
}

#[test]
fn mail_says_whether_it_offers_tls() {
    let ehlo: &[u8] = b"EHLO portproof.invalid\r\n";
    let smtp: &[u8] = b"220 mx.example.com ESMTP Postfix\r\n";
    let offers: &[u8] = b"250-mx.example.com\r\n250-PIPELINING\r\n250-STARTTLS\r\n250 8BITMIME\r\n";
    assert_eq!(talk(smtp, &[(ehlo, offers)]), "smtp: Postfix | - | - | Upgradable");
    let lacks: &[u8] = b"250-mx.example.com\r\n250 8BITMIME\r\n";
    assert_eq!(talk(smtp, &[(ehlo, lacks)]), "smtp: Postfix | - | - | Cleartext(\"offers no STARTTLS\")");
    assert_eq!(talk(smtp, &[(ehlo, b"554 go away\r\n")]), "smtp: Postfix | - | - | Untold");
    assert_eq!(
        talk(b"220 x.example.com LMTP\r\n", &[(b"LHLO portproof.invalid\r\n", offers)]),
        "lmtp: - | - | - | Upgradable"
    );
    let pop3 = b"+OK ready\r\n";
    assert_eq!(talk(pop3, &[(b"CAPA\r\n", b"+OK\r\nUIDL\r\nSTLS\r\n.\r\n")]), "pop3: - | - | - | Upgradable");
    assert_eq!(talk(pop3, &[(b"CAPA\r\n", b"-ERR what\r\n")]), "pop3: - | - | - | Untold");
    let imap = b"* OK ready\r\n";
    let capability: &[u8] = b"* CAPABILITY IMAP4rev1 STARTTLS\r\na OK done\r\n";
    assert_eq!(talk(imap, &[(b"a CAPABILITY\r\n", capability)]), "imap: - | - | - | Upgradable");
    let nntp = b"201 news ready - no posting\r\n";
    let list: &[u8] = b"101 list\r\nVERSION 2\r\nSTARTTLS\r\n.\r\n";
    assert_eq!(talk(nntp, &[(b"CAPABILITIES\r\n", list)]), "nntp: - | - | - | Upgradable");
}

#[test]
fn files_say_whether_they_offer_tls() {
    let vsftpd: &[u8] = b"220 (vsFTPd 3.0.5)\r\n";
    let offers: &[u8] = b"211-Features:\r\n AUTH TLS\r\n EPRT\r\n211 End\r\n";
    assert_eq!(talk(vsftpd, &[(b"FEAT\r\n", offers)]), "ftp: vsFTPd | 3.0.5 | - | Upgradable");
    let lacks: &[u8] = b"211-Features:\r\n EPRT\r\n211 End\r\n";
    assert_eq!(
        talk(vsftpd, &[(b"FEAT\r\n", lacks)]),
        "ftp: vsFTPd | 3.0.5 | - | Cleartext(\"offers no TLS\")"
    );
    let wants: &[u8] = b"530 Please login with USER and PASS.\r\n";
    let auth: &[u8] = b"AUTH TLS\r\n";
    assert_eq!(
        talk(vsftpd, &[(b"FEAT\r\n", wants), (auth, b"234 Proceed\r\n")]),
        "ftp: vsFTPd | 3.0.5 | - | Upgradable"
    );
    assert_eq!(talk(vsftpd, &[(b"FEAT\r\n", wants), (auth, wants)]), "ftp: vsFTPd | 3.0.5 | - | Untold");
}

#[test]
fn an_answer_tells_mail_from_files() {
    let ehlo: &[u8] = b"EHLO portproof.invalid\r\n";
    let lacks: &[u8] = b"211-Features:\r\n211 End\r\n";
    let ftp = talk(b"220 mx.example.com ready\r\n", &[(ehlo, b"530 Please login\r\n"), (b"FEAT\r\n", lacks)]);
    assert_eq!(ftp, "ftp: - | - | - | Cleartext(\"offers no TLS\")");
    let smtp = talk(b"220 Welcome\r\n", &[(ehlo, b"250 x\r\n")]);
    assert_eq!(smtp, "smtp: - | - | - | Cleartext(\"offers no STARTTLS\")");
}

#[test]
fn screens_say_whether_they_are_locked() {
    let rfb: &[u8] = b"RFB 003.008\n";
    let open = talk(rfb, &[(rfb, b"\x02\x01\x02")]);
    assert_eq!(
        open,
        "vnc: - | - | RFB 003.008; no authentication, VNC password | Open(\"asks for no password\")"
    );
    let locked = talk(rfb, &[(rfb, b"\x01\x02")]);
    assert_eq!(locked, "vnc: - | - | RFB 003.008; VNC password | Cleartext(\"offers no encryption\")");
    assert_eq!(
        talk(rfb, &[(rfb, b"\x02\x02\x13")]),
        "vnc: - | - | RFB 003.008; VNC password, VeNCrypt | Untold"
    );
    assert_eq!(talk(rfb, &[(rfb, b"\0\0\0\0\x08too many")]), "vnc: - | - | too many | Untold");
    let old: &[u8] = b"RFB 003.003\n";
    assert_eq!(
        talk(old, &[(old, b"\0\0\0\x01")]),
        "vnc: - | - | RFB 003.003; no authentication | Open(\"asks for no password\")"
    );
}

#[test]
fn shells_say_which_keys_they_have() {
    let list =
        |names: &str| [&u32::try_from(names.len()).unwrap().to_be_bytes()[..], names.as_bytes()].concat();
    let names = [list("curve25519-sha256,ext-info-s"), list("ssh-ed25519,rsa-sha2-512"), list("")].concat();
    let payload = [&[4, 20][..], &[7; 16], &names, &[0; 40]].concat();
    let packet = [&u32::try_from(payload.len()).unwrap().to_be_bytes()[..], &payload].concat();
    let wanted =
        "ssh: OpenSSH | 9.2 | host keys ssh-ed25519, rsa-sha2-512; key exchange curve25519-sha256 | Untold";
    let ssh: &[u8] = b"SSH-2.0-OpenSSH_9.2\r\n";
    assert_eq!(talk(ssh, &[(b"SSH-2.0-portproof\r\n", &packet)]), wanted);
    assert_eq!(talk(&[ssh, &packet].concat(), &[]), wanted);
}

#[test]
fn what_is_cut_gets_a_last_chance() {
    let ended = |octets: &[u8]| {
        shown(finish(octets)).map_or_else(String::new, |shown| format!("{}: {}", shown.service, said(&shown)))
    };
    assert_eq!(
        ended(b"HTTP/1.0 200 OK\r\nServer: x/1\r\n\r\n<title>a</title>"),
        "http: x | 1 | status 200; title a | Untold"
    );
    assert_eq!(
        ended(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nabc"),
        "http: - | - | status 200 | Untold"
    );
    assert_eq!(ended(b"HTTP/1.1 200 OK\r\nServer: x"), "http: x | - | status 200 | Untold");
    assert_eq!(ended(b"SSH-2.0-x"), "ssh: x | - | - | Untold");
    assert_eq!(ended(b"220-mail ESMTP\r\n220-more"), "smtp: - | - | - | Untold");
    assert_eq!(ended(b"\0\0\x11\x11"), "epmd: - | - | no nodes | Untold");
    let go: &[u8] = b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";
    assert!(wants_tls(go) && ended(go).contains("wants TLS"));
    let native: &[u8] = b"HTTP/1.0 400 Bad Request\r\n\r\nPort 9000 is for clickhouse-client program\r\nYou must use port 8123 for HTTP.\r\n";
    assert_eq!(ended(native), "http: ClickHouse (native protocol) | - | status 400 | Untold");
    assert_eq!(ended(b"hello there"), "");
    assert_eq!(words(b"\r\nhello there\r\nmore").as_deref(), Some("hello there"));
    assert_eq!(words(b"\x01\x02\x03"), None);
}

#[test]
fn a_question_is_small_and_names_its_host_only() {
    let hosts = ["www.example.com", "[2001:db8::1]", "a\r\nX: y"];
    for (question, host) in QUESTIONS.iter().flat_map(|question| hosts.map(|host| (question, host))) {
        let octets = (question.say)(&Whom { host, port: 8080 });
        assert!((1..400).contains(&octets.len()), "{}", question.service);
        assert!(!octets.windows(4).any(|window| window == b"\nX: "), "{}", question.service);
        assert!(!question.source.is_empty() && !question.ports.is_empty());
    }
    let get = (question("http").say)(&Whom { host: "x", port: 8080 });
    assert!(get.starts_with(b"GET / HTTP/1.1\r\nHost: x:8080\r\nUser-Agent: portproof\r\n"));
}

#[test]
fn every_service_has_a_row() {
    let rows = include_str!("../../../profiles/ports/services.yaml");
    let samples = all();
    let names =
        QUESTIONS.iter().map(|question| question.service).chain(samples.iter().map(|sample| sample.0));
    for name in names.collect::<BTreeSet<_>>() {
        assert!(rows.contains(&format!("name: {name},")), "{name}");
    }
}

fn is_bounded(reading: Reading) -> bool {
    let Some(Shown { identity, banner, .. }) = shown(reading) else { return true };
    let Identity { product, version, detail } = identity.unwrap_or_default();
    let mut parts = [product, version, detail, banner].into_iter().flatten();
    parts.all(|part| part.chars().count() <= LONGEST && !part.chars().any(char::is_control))
}

/// Every reader, and what they ask next.
fn harmless(octets: &[u8]) -> bool {
    let readers = [any as fn(&[u8]) -> Reading, finish, greeting]
        .into_iter()
        .chain(QUESTIONS.iter().map(|question| question.read));
    let mut bounded = words(octets).is_none_or(|line| line.chars().count() <= LONGEST);
    for read in readers {
        let reading = read(octets);
        if let Reading::Ask(known, follow) = &reading {
            bounded &= is_bounded((follow.read)(known, octets));
        }
        bounded &= is_bounded(reading);
    }
    bounded
}

proptest! {
    #[test]
    fn any_octets_are_read_without_harm(octets in prop::collection::vec(prop::num::u8::ANY, 0..600)) {
        prop_assert!(harmless(&octets));
    }

    #[test]
    fn a_genuine_beginning_does_no_harm_either(
        begin in prop::sample::select(all().into_iter().map(|sample| sample.1).collect::<Vec<_>>()),
        keep in 0_usize..400,
        change in (0_usize..400, prop::num::u8::ANY),
        octets in prop::collection::vec(prop::num::u8::ANY, 0..300),
    ) {
        let mut octets = [&begin[..keep.min(begin.len())], &octets].concat();
        if let Some(octet) = octets.get_mut(change.0) {
            *octet = change.1;
        }
        prop_assert!(harmless(&octets));
    }
}
