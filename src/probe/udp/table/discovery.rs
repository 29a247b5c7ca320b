//! Discovery: services that tell who and what they are. Asks one host, never a group.

use super::{Echo, PLAIN, Payload, Shape, hex, is, octets};

/// `HTTP/1`, the beginning of an answer in the manner of HTTP.
const HTTP: &[(usize, u8, u8)] =
    &[is(0, b'H'), is(1, b'T'), is(2, b'T'), is(3, b'P'), is(4, b'/'), is(5, b'1')];

/// Payloads of this kind.
pub(super) const TABLE: &[Payload] = &[
    Payload {
        service: "ssdp",
        ports: &[1900],
        // The root device alone: one answer, not one for each service.
        octets: b"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\n\
                  ST: upnp:rootdevice\r\n\r\n",
        // Some answer from a socket of their own.
        reply: Shape { least: 15, is: HTTP, any_port: true, ..Shape::ANY },
        source: "UPnP Device Architecture 2.0 section 1.3",
        ..PLAIN
    },
    Payload {
        service: "plex-gdm",
        ports: &[32414],
        octets: b"M-SEARCH * HTTP/1.1\r\n\r\n",
        reply: Shape { least: 15, is: HTTP, ..Shape::ANY },
        source: "Plex Media Server, network ports: GDM; NETSCOUT ASERT on PMSSDP (2021)",
        ..PLAIN
    },
    Payload {
        service: "ws-discovery",
        ports: &[3702],
        octets: b"<e:Envelope xmlns:e=\"http://www.w3.org/2003/05/soap-envelope\"\n\
                   xmlns:a=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\"\n\
                   xmlns:d=\"http://schemas.xmlsoap.org/ws/2005/04/discovery\"><e:Header>\n\
                  <a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</a:Action>\n\
                  <a:MessageID>urn:uuid:70726f62-0000-4000-8000-c0c0c0c0c0c0</a:MessageID>\n\
                  <a:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To>\n\
                  </e:Header><e:Body><d:Probe/></e:Body></e:Envelope>\n",
        cookie: &[hex(311, 6)],
        reply: Shape { least: 100, has: b"RelatesTo", echo: Echo::Within, ..Shape::ANY },
        source: "WS-Discovery (2005/04) sections 5.2 and 5.3, WS-Addressing (2004/08) section 3",
        ..PLAIN
    },
    Payload {
        service: "svrloc",
        ports: &[427],
        // Types of services in the default scope, of the common naming authority.
        octets: b"\x02\x09\0\0\x1d\0\0\0\0\0\xc0\xc0\0\x02en\0\0\0\0\0\x07default",
        cookie: &[octets(10, 2)],
        reply: Shape { least: 16, is: &[is(0, 2), is(1, 10)], echo: Echo::At(10), ..Shape::ANY },
        source: "RFC 2608 sections 8, 10.1 and 10.2",
        ..PLAIN
    },
    Payload {
        service: "coap",
        ports: &[5683],
        // Reads a path that is not there; the token comes back.
        octets: b"\x48\x01\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xb9portproof",
        cookie: &[octets(4, 8), octets(2, 2)],
        reply: Shape { least: 12, is: &[(0, 0xcf, 0x48)], echo: Echo::At(4), ..Shape::ANY },
        source: "RFC 7252 sections 3, 5.3.1 and 5.10",
        ..PLAIN
    },
    Payload {
        service: "mqtt-sn",
        ports: &[1883, 1884],
        // SEARCHGW, not to be passed on: answered with GWINFO.
        octets: &[3, 1, 0],
        reply: Shape { least: 3, most: 24, is: &[(0, 0xe0, 0), is(1, 2)], ..Shape::ANY },
        source: "MQTT-SN 1.2 sections 5.4.2 and 5.4.3",
        ..PLAIN
    },
    Payload {
        service: "bittorrent",
        ports: &[6881],
        // A ping of a node that does not want to be remembered.
        octets:
            b"d1:ad2:id20:portproofportproofpoe1:q4:ping2:roi1e1:t8:\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc01:y1:qe",
        cookie: &[octets(54, 8)],
        reply: Shape { least: 20, is: &[is(0, b'd')], has: b"1:rd2:id20:", echo: Echo::Within, ..Shape::ANY },
        source: "BEP 5, BEP 43",
        ..PLAIN
    },
    Payload {
        service: "jenkins-discovery",
        ports: &[33848],
        octets: &[0xc0; 8],
        cookie: &[octets(0, 8)],
        reply: Shape { least: 30, is: &[is(0, b'<')], has: b"<hudson>", ..Shape::ANY },
        source: "Jenkins, UDPBroadcastThread; security advisory 2020-01-29",
        ..PLAIN
    },
];
