//! What sample replies say, and that no octets whatever do harm.

use proptest::prelude::*;

use super::{super::LONGEST, *};

const SERVICES: &[&str] = &[
    "domain",
    "mdns",
    "netbios-ns",
    "ntp",
    "snmp",
    "asf-rmcp",
    "radius",
    "rpcbind",
    "ms-sql-m",
    "xdmcp",
    "kerberos",
    "isakmp",
    "ipsec-nat-t",
    "openvpn",
    "https",
    "dtls",
    "stun",
    "sip",
    "ssdp",
    "memcached",
    "tftp",
    "db2-discovery",
    "jenkins-discovery",
    "dahua-discovery",
    "coap",
    "afs",
    "mumble",
    "srcds",
    "quake3",
    "minecraft-bedrock",
];

/// Product, version and detail in one line.
fn said(service: &str, octets: &[u8]) -> String {
    let Some(Identity { product, version, detail }) = datagram(service, octets) else { return String::new() };
    [product, version, detail].map(|part| part.unwrap_or_else(|| "-".to_owned())).join(" | ")
}

#[test]
fn names_and_clocks_say_who_they_are() {
    let bind: &[u8] = b"\0\x01\x85\0\0\x01\0\x01\0\0\0\0\x07version\x04bind\0\0\x10\0\x03\xc0\x0c\0\x10\0\x03\0\0\0\0\0\x0d\x0cdnsmasq-2.80";
    assert_eq!(said("domain", bind), "dnsmasq | 2.80 | -");
    let refused: &[u8] = b"\0\x01\x81\x05\0\x01\0\0\0\0\0\0\x07version\x04bind\0\0\x10\0\x03";
    assert_eq!(said("domain", refused), "- | - | refused, no recursion");
    let status: &[u8] = b"\0\x01\x84\0\0\0\0\x01\0\0\0\0\x20CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\0\0\x21\0\x01\0\0\0\0\0\x2b\x02FILES          \0\x04\0CORP           \0\x84\0\x02\0\0\0\0\x01";
    assert_eq!(said("netbios-ns", status), "- | - | name FILES, group CORP");
    let mut ntp = [0; 48];
    ntp[..2].copy_from_slice(&[0x24, 1]);
    ntp[12..15].copy_from_slice(b"GPS");
    assert_eq!(said("ntp", &ntp), "- | - | NTP version 4, stratum 1, reference GPS");
    let variables: &[u8] =
        b"\x16\x82\0\x01\x06\x15\0\0\0\0\0\x2dversion=\"ntpd 4.2.8p15\", system=\"Linux/5.10\"\0\0";
    assert_eq!(said("ntp", variables), "ntpd | 4.2.8p15 | Linux/5.10");
}

#[test]
fn management_says_what_it_manages() {
    let v1: &[u8] = b"\x30\x31\x02\x01\0\x04\x06public\xa2\x24\x02\x04\x4a\x01\x02\x03\x02\x01\0\x02\x01\0\x30\x16\x30\x14\x06\x08\x2b\x06\x01\x02\x01\x01\x01\0\x04\x08Linux gw";
    assert_eq!(said("snmp", v1), "- | - | SNMPv1: Linux gw");
    let v3: &[u8] = b"\x30\x38\x02\x01\x03\x30\x11\x02\x04\x4a\x01\x02\x03\x02\x03\0\xff\xe3\x04\x01\0\x02\x01\x03\x04\x1b\x30\x19\x04\x0b\x80\0\x1f\x88\x04portpr\x02\x01\x01\x02\x01\x2a\x04\0\x04\0\x04\0\x30\x03\x04\x01x";
    assert_eq!(said("snmp", v3), "- | - | SNMPv3, engine 80001f8804706f72747072, enterprise 8072");
    let ipmi: &[u8] =
        b"\x06\0\xff\x07\0\0\0\0\0\0\0\0\0\x10\x81\x1c\x63\x20\0\x38\0\x01\x94\x02\x02\0\0\0\0\x09";
    assert_eq!(said("asf-rmcp", ipmi), "IPMI | 2.0 | authentication: MD5, password; users without a name");
    // As long a description as there is, of which the beginning was kept.
    let long = [b"\x30\x82\x02\x00\x02\x01\x01\x06\x08\x2b\x06\x01\x02\x01\x01\x01\0\x04\x81\xff", &b"x"[..]]
        .concat();
    assert_eq!(said("snmp", &long), "- | - | SNMPv2c: x");
    assert_eq!(said("radius", &[3, 1, 0, 20]), "- | - | rejected");
    let mismatch: &[u8] = b"\0\0\0\x09\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x02\0\0\0\x04\0\0\0\x04";
    assert_eq!(said("nfs", mismatch), "- | - | versions 4 to 4");
    let sql: &[u8] =
        b"\x05\x3c\0ServerName;DB1;InstanceName;MSSQLSERVER;IsClustered;No;Version;15.0.2000.5;tcp;1433;;";
    assert_eq!(said("ms-sql-m", sql), "Microsoft SQL Server | 15.0.2000.5 | DB1\\MSSQLSERVER");
    assert_eq!(
        said("xdmcp", b"\0\x01\0\x05\0\x10\0\0\0\x02gw\0\x08Willing!"),
        "- | - | willing, host gw, Willing!"
    );
    let error: &[u8] =
        b"\x7e\x1b\x30\x19\xa0\x03\x02\x01\x05\xa1\x03\x02\x01\x1e\xa6\x03\x02\x01\x06\xa9\x08\x1b\x06CORP.X";
    assert_eq!(said("kerberos", error), "- | - | realm CORP.X, error 6");
}

#[test]
fn encrypted_transports_say_their_versions() {
    let ike: &[u8] = b"\x01\x02\x03\x04\x05\x06\x07\x08\0\0\0\0\0\0\0\0\x29\x20\x22\x20\0\0\0\0\0\0\0\x26\0\0\0\x0a\0\0\0\x11\0\x0e";
    assert_eq!(said("isakmp", ike), "IKE | 2.0 | 0 vendor ids, notification 17");
    assert_eq!(said("ipsec-nat-t", &[&[0; 4], ike].concat()), said("isakmp", ike));
    let quic: &[u8] =
        b"\x9f\0\0\0\0\x02\x01\x02\x01\x03\x0a\x1a\x2a\x3a\0\0\0\x01\x6b\x33\x43\xcf\xff\0\0\x1dQ046";
    assert_eq!(said("https", quic), "- | - | QUIC versions 1, 2, draft 29, Q046");
    let verify: &[u8] =
        b"\x16\xfe\xff\0\0\0\0\0\0\0\0\0\x13\x03\0\0\x07\0\0\0\0\0\0\0\x07\xfe\xff\x04\x01\x02\x03\x04";
    assert_eq!(said("dtls", verify), "- | - | DTLS 1.0, verifies addresses first");
    assert_eq!(said("dtls", b"\x15\xfe\xfd\0\0\0\0\0\0\0\0\0\x02\x02\x28"), "- | - | DTLS 1.2, alert 40");
    let stun: &[u8] = b"\x01\x01\0\x10\x21\x12\xa4\x42aaaaaaaaaaaa\x80\x22\0\x0cCoturn-4.5.2";
    assert_eq!(said("stun", stun), "Coturn | 4.5.2 | -");
}

#[test]
fn words_are_read() {
    let sip: &[u8] = b"SIP/2.0 200 OK\r\nVia: x\r\nServer: Asterisk PBX 18.10.0\r\n\r\n";
    assert_eq!(said("sip", sip), "Asterisk PBX | 18.10.0 | SIP/2.0 200 OK");
    let ssdp: &[u8] = b"HTTP/1.1 200 OK\r\nSERVER: Linux/3.4 UPnP/1.1 MiniUPnPd/1.9\r\n\r\n";
    assert_eq!(said("ssdp", ssdp), "MiniUPnPd | 1.9 | Linux/3.4 UPnP/1.1 MiniUPnPd/1.9");
    assert_eq!(said("memcached", b"\0\x01\0\0\0\x01\0\0VERSION 1.5.6\r\n"), "memcached | 1.5.6 | -");
    assert_eq!(said("tftp", b"\0\x05\0\x01File not found\0"), "- | - | error 1: File not found");
    assert_eq!(said("db2-discovery", b"DB2RETADDR\0SQL11055\0db1\0db1.example\0"), "Db2 | SQL11055 | db1");
    assert_eq!(
        said("jenkins-discovery", b"<hudson><version>2.100</version></hudson>"),
        "Jenkins | 2.100 | -"
    );
    assert_eq!(said("dahua-discovery", b"{\"DeviceType\" : \"NVR\", \"Version\":\"3.2\",}"), "NVR | 3.2 | -");
    assert_eq!(said("coap", &[0x68, 0x84]), "- | - | answers 4.04");
    assert_eq!(said("afs", &[&[0; 28][..], b" OpenAFS 1.8.9 built 2023\0"].concat()), "OpenAFS | 1.8.9 | -");
}

#[test]
fn games_say_what_is_played() {
    let mumble: &[u8] = b"\0\x01\x05\0\x01\x02\x03\x04\x05\x06\x07\x08\0\0\0\x07\0\0\0\x64\0\x01\x19\x40";
    assert_eq!(said("mumble", mumble), "Mumble | 1.5.0 | 7 of 100 users");
    let source: &[u8] = b"\xff\xff\xff\xffI\x11den\0de_dust2\0cstrike\0Counter-Strike\0\0";
    assert_eq!(said("srcds", source), "Counter-Strike | - | den, map de_dust2");
    let quake: &[u8] = b"\xff\xff\xff\xffinfoResponse\n\\protocol\\68\\hostname\\q3\\game\\osp";
    assert_eq!(said("quake3", quake), "osp | 68 | q3");
    let bedrock = [&[0x1c; 33][..], b"\0\x13MCPE;home;527;1.19;"].concat();
    assert_eq!(said("minecraft-bedrock", &bedrock), "Minecraft Bedrock | 1.19 | home");
}

#[test]
fn a_reply_shows_who_may_use_what_gave_it() {
    let response: &[u8] =
        b"\x30\x1a\x02\x01\x01\x04\x06public\xa2\x0d\x02\x01\x01\x02\x01\0\x02\x01\0\x30\x02\x30\0";
    assert_eq!(guard("snmp", response), Guard::Open("answers to the community `public`"));
    let v3: &[u8] =
        b"\x30\x1a\x02\x01\x03\x04\x06public\xa2\x0d\x02\x01\x01\x02\x01\0\x02\x01\0\x30\x02\x30\0";
    assert_eq!(guard("snmp", v3), Guard::Untold);
    assert_eq!(guard("snmp", &response[..9]), Guard::Untold, "cut off");
    assert_eq!(
        guard("memcached", b"\0\x01\0\0\0\x01\0\0VERSION 1.6.18\r\n"),
        Guard::Open("answers `version`")
    );
    let ipmi = |kinds: u8, status: u8| {
        let mut octets = b"\x06\0\xff\x07\0\0\0\0\0\0\0\0\0\x10\x81\x1c\x63\x20\0\x38\0\x01".to_vec();
        octets.extend_from_slice(&[kinds, status, 2, 0, 0, 0, 0, 9]);
        guard("asf-rmcp", &octets)
    };
    assert_eq!(ipmi(0x94, 2), Guard::Untold);
    assert_eq!(ipmi(0x95, 2), Guard::Open("takes consoles without authentication"));
    assert_eq!(ipmi(0x94, 1), Guard::Open("takes consoles without authentication"));
    assert!(matches!(guard("tftp", b"\0\x05\0\x01"), Guard::Cleartext(_)));
}

#[test]
fn a_service_that_nobody_reads_says_nothing() {
    assert_eq!(datagram("echo", b"abc"), None);
}

fn is_bounded(identity: Option<Identity>) -> bool {
    let Some(Identity { product, version, detail }) = identity else { return true };
    let parts: Vec<String> = [product, version, detail].into_iter().flatten().collect();
    !parts.is_empty()
        && parts.iter().all(|part| part.chars().count() <= LONGEST && !part.chars().any(char::is_control))
}

proptest! {
    #[test]
    fn any_octets_are_read_without_harm(octets in prop::collection::vec(any::<u8>(), 0..600)) {
        for service in SERVICES {
            prop_assert!(is_bounded(datagram(service, &octets)), "{}", service);
        }
    }

    #[test]
    fn a_genuine_beginning_does_no_harm_either(
        begin in prop::sample::select(vec![
            &b"\0\x01\x85\0\0\x01\0\x01\0\0\0\0\0\0\x10\0\x03\0\0\x10\0\x03\0\0\0\0"[..],
            b"\x30\x84\0\0\0\x31\x02\x01\x03", b"SIP/2.0 200 OK\r\nServer:", b"\x05\x3c\0ServerName;",
            b"\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0", b"\x9f\0\0\0\0", b"\xff\xff\xff\xffI\x11", b"\x16\x82\0\x01\0\0\0\0\0\0",
            b"\x01\x01\0\x10\x21\x12\xa4\x42aaaaaaaaaaaa\x80\x22", b"\0\x05\0\x01", b"\xff\xff\xff\xffinfoResponse\n\\",
        ]),
        octets in prop::collection::vec(any::<u8>(), 0..600),
    ) {
        let octets = [begin, &octets].concat();
        for service in SERVICES {
            prop_assert!(is_bounded(datagram(service, &octets)), "{}", service);
        }
    }
}
