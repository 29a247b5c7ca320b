//! Replies as genuine servers send them, to questions with the cookie `c0c0c0c0c0c0c0c0`. Written from the
//! documents; names and addresses are made up.

/// Service and reply, those of a service in the order of its payloads.
pub(super) const REPLIES: &[(&str, &[u8])] = &[
    // version.bind: refused
    ("domain", b"\xc0\xc0\x81\x05\0\x01\0\0\0\0\0\0\x07version\x04bind\0\0\x10\0\x03"),
    // localhost: 127.0.0.1
    ("domain", b"\xc0\xc0\x85\x80\0\x01\0\x01\0\0\0\0\x09localhost\0\0\x01\0\x01\xc0\x0c\0\x01\0\x01\0\0\x0e\x10\0\x04\x7f\0\0\x01"),
    ("mdns", b"\xc0\xc0\x84\0\0\x01\0\x01\0\0\0\0\x09_services\x07_dns-sd\x04_udp\x05local\0\0\x0c\0\x01\xc0\x0c\0\x0c\0\x01\0\0\0\x0a\0\x0c\x04_ssh\x04_tcp\xc0\x23"),
    ("netbios-ns", b"\xc0\xc0\x84\0\0\0\0\x01\0\0\0\0\x20CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\0\0\x21\0\x01\0\0\0\0\0\x19\x01FILES          \0\x04\0\x02\0\0\0\0\x01"),
    ("ntp", b"\x24\x02\0\xe8\0\0\x01\x4c\0\0\x06\x5f\x11\xfd\xfc\xfd\xec\x41\x3a\x93\x31\x9c\x2c\x00\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xec\x41\x3b\x11\x01\x02\x03\x04\xec\x41\x3b\x11\x01\x03\x05\x07"),
    ("ntp", b"\x16\x82\xc0\xc0\x06\x15\0\0\0\0\0\x2dversion=\"ntpd 4.2.8p15\", system=\"Linux/5.10\"\0\0"),
    ("time", b"\xec\x41\x3b\x11"),
    ("daytime", b"28 SEP 2025 14:03:11 UTC\r\n"),
    // v1: sysDescr "Linux gw"
    ("snmp", b"\x30\x31\x02\x01\0\x04\x06public\xa2\x24\x02\x04\x4a\xc0\xc0\xc0\x02\x01\0\x02\x01\0\x30\x16\x30\x14\x06\x08\x2b\x06\x01\x02\x01\x01\x01\0\x04\x08Linux gw"),
    // v2c: no access to the object
    ("snmp", b"\x30\x29\x02\x01\x01\x04\x06public\xa2\x1c\x02\x04\x4a\xc0\xc0\xc0\x02\x01\0\x02\x01\0\x30\x0e\x30\x0c\x06\x08\x2b\x06\x01\x02\x01\x01\x01\0\x81\0"),
    // v3: report of usmStatsUnknownEngineIDs
    ("snmp", b"\x30\x65\x02\x01\x03\x30\x11\x02\x04\x4a\xc0\xc0\xc0\x02\x03\0\xff\xe3\x04\x01\0\x02\x01\x03\x04\x1b\x30\x19\x04\x0b\x80\0\x1f\x88\x04portpr\x02\x01\x01\x02\x01\x2a\x04\0\x04\0\x04\0\x30\x30\x04\x0b\x80\0\x1f\x88\x04portpr\x04\0\xa8\x1f\x02\x04\x4a\xc0\xc0\xc0\x02\x01\0\x02\x01\0\x30\x11\x30\x0f\x06\x0a\x2b\x06\x01\x06\x03\x0f\x01\x01\x04\0\x41\x01\x05"),
    // an entry in the long form that Active Directory writes, then the end
    ("cldap", b"\x30\x84\0\0\0\x35\x02\x04\x4a\xc0\xc0\xc0\x64\x84\0\0\0\x29\x04\0\x30\x84\0\0\0\x21\x30\x84\0\0\0\x1b\x04\x14supportedLDAPVersion\x31\x84\0\0\0\x03\x04\x013"),
    ("asf-rmcp", b"\x06\0\xff\x06\0\0\x11\xbe\x40\xc0\0\x10\0\0\x11\xbe\0\0\0\0\x81\0\0\0\0\0\0\0"),
    ("asf-rmcp", b"\x06\0\xff\x07\0\0\0\0\0\0\0\0\0\x10\x81\x1c\x63\x20\0\x38\0\x01\x97\x04\x03\0\0\0\0\x09"),
    // reject, with the Proxy-State of the question
    ("radius", b"\x03\x01\0\x1e0123456789abcdef\x21\x0a\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0"),
    ("rpcbind", RPC_ACCEPTED),
    ("kerberos", b"\x7e\x48\x30\x46\xa0\x03\x02\x01\x05\xa1\x03\x02\x01\x1e\xa4\x11\x18\x0f20250928140311Z\xa5\x05\x02\x03\x01\x02\x03\xa6\x03\x02\x01\x06\xa9\x06\x1b\x04CORP\xaa\x17\x30\x15\xa0\x03\x02\x01\x02\xa1\x0e\x30\x0c\x1b\x06krbtgt\x1b\x02XY"),
    ("kpasswd", b"\0\x40\0\x01\0\0\x7e\x38\x30\x36\xa0\x03\x02\x01\x05\xa1\x03\x02\x01\x1e\xa4\x11\x18\x0f20250928140311Z\xa5\x03\x02\x01\x01\xa6\x03\x02\x01\x3c\xa9\x06\x1b\x04CORP\xaa\x03\x30\x01\0"),
    ("ms-sql-m", b"\x05\x3c\0ServerName;DB1;InstanceName;MSSQLSERVER;IsClustered;No;Version;15.0.2000.5;tcp;1433;;"),
    ("db2-discovery", b"DB2RETADDR\0SQL11055\0db1\0db1.example\0"),
    ("consul-serf", b"\x02\x82\xa7Payload\xc0\xa5SeqNo\xce\x4a\xc0\xc0\xc0"),
    ("tftp", b"\0\x05\0\x01File not found\0"),
    // only version 4: a mismatch
    ("nfs", b"\xc0\xc0\xc0\xc0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x02\0\0\0\x04\0\0\0\x04"),
    ("mountd", RPC_ACCEPTED),
    ("memcached", b"\xc0\xc0\0\0\0\x01\0\0VERSION 1.5.6\r\n"),
    ("afs", b"\0\0\x03\xe7\0\0\0\0\xc0\xc0\xc0\xc0\0\0\0\0\0\0\0\0\x0d\x04\0\0\0\0\0\0 OpenAFS 1.8.9 built 2023\0"),
    ("https", VERSION_NEGOTIATION),
    ("https-alt", VERSION_NEGOTIATION),
    ("domain-s", VERSION_NEGOTIATION),
    ("dtls", HELLO_VERIFY),
    ("coaps", HELLO_VERIFY),
    ("stuns", HELLO_VERIFY),
    // handshake failure, as an alert
    ("rd-gateway", b"\x15\xfe\xfd\0\0\0\0\0\0\0\0\0\x02\x02\x28"),
    // another group, please: INVALID_KE_PAYLOAD (17), group 14
    ("isakmp", b"\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0\0\0\0\0\0\0\0\0\x29\x20\x22\x20\0\0\0\0\0\0\0\x26\0\0\0\x0a\0\0\0\x11\0\x0e"),
    // NO-PROPOSAL-CHOSEN (14)
    ("isakmp", b"\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0\x11\x22\x33\x44\x55\x66\x77\x88\x0b\x10\x05\0\x5a\x12\x77\x01\0\0\0\x28\0\0\0\x0c\0\0\0\x01\x01\0\0\x0e"),
    ("ipsec-nat-t", b"\0\0\0\0\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0\0\0\0\0\0\0\0\0\x29\x20\x22\x20\0\0\0\0\0\0\0\x26\0\0\0\x0a\0\0\0\x11\0\x0e"),
    ("ipsec-nat-t", b"\0\0\0\0\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0\x11\x22\x33\x44\x55\x66\x77\x88\x0b\x10\x05\0\x5a\x12\x77\x01\0\0\0\x28\0\0\0\x0c\0\0\0\x01\x01\0\0\x0e"),
    ("openvpn", b"\x40\x9a\x01\x02\x03\x04\x05\x06\x07\x01\0\0\0\0\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0\0\0\0\0"),
    ("l2tp", b"\xc8\x02\0\x24\xc0\xc0\0\0\0\0\0\x01\x80\x08\0\0\0\0\0\x02\x80\x08\0\0\0\x02\x01\0\x80\x08\0\0\0\x09\x12\x34"),
    ("amt-relay", b"\x02\0\0\0\xc0\xc0\xc0\xc0\xc6\x33\x64\x01"),
    ("gtp-c", b"\x32\x02\0\x06\0\0\0\0\xc0\xc0\0\0\x0e\x07"),
    ("gtp-c", b"\x40\x02\0\x09\xc0\xc0\xc0\0\x03\0\x01\0\x07"),
    ("gtp-u", b"\x32\x02\0\x06\0\0\0\0\xc0\xc0\0\0\x0e\0"),
    ("nat-pmp", b"\0\x80\0\0\0\x01\x51\x80\xc6\x33\x64\x01"),
    // ADDRESS_MISMATCH (12)
    ("nat-pmp", b"\x02\x80\0\x0c\0\0\x07\x08\0\x01\x51\x80\0\0\0\0\0\0\0\0\0\0\0\0"),
    ("sip", b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP portproof.invalid;rport=40000;branch=z9hG4bKc0c0c0c0c0c0c0c0;received=192.0.2.9\r\nCall-ID: c0c0c0c0c0c0c0c0\r\nCSeq: 1 OPTIONS\r\nServer: Asterisk PBX 18.10.0\r\nContent-Length: 0\r\n\r\n"),
    ("mgcp", b"500 462071 Endpoint unknown\r\n"),
    ("iax", b"\x80\x05\0\x01\xc0\xc0\xc0\xc0\0\x01\x06\x03"),
    ("rtpengine-ng", b"c0c0c0c0c0c0c0c0 d6:result4:ponge"),
    ("stun", b"\x01\x01\0\x14\x21\x12\xa4\x42\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0prtp\0\x20\0\x08\0\x01\xbd\x2e\xe1\x12\xa6\x4b\x80\x22\0\x04none"),
    ("teamspeak", b"TS3INIT1\0\x65\x88\x010123456789abcdef\xc0\xc0\xc0\xc0"),
    ("mumble", b"\0\x01\x05\0\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0\0\0\0\x07\0\0\0\x64\0\x01\x19\x40"),
    ("xdmcp", b"\0\x01\0\x05\0\x10\0\0\0\x02gw\0\x08Willing!"),
    ("ms-wbt-server", b"\xc0\xc0\xc0\xc0\0\x40\0\x05\x12\x34\x56\x78\x04\xd0\x04\xd0"),
    ("net-assistant", b"\0\x01\0\x1c\x31\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
    ("pcanywhere", b"NRWORKSTATION-7___________AHM_3"),
    ("ssdp", b"HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nST: upnp:rootdevice\r\nUSN: uuid:1::upnp:rootdevice\r\nEXT:\r\nSERVER: Linux/3.4 UPnP/1.1 MiniUPnPd/1.9\r\nLOCATION: http://192.0.2.1:5000/rootDesc.xml\r\n\r\n"),
    ("plex-gdm", b"HTTP/1.0 200 OK\r\nContent-Type: plex/media-server\r\nName: den\r\nPort: 32400\r\n\r\n"),
    ("ws-discovery", b"<?xml version=\"1.0\"?><SOAP-ENV:Envelope><SOAP-ENV:Header><wsa:RelatesTo>urn:uuid:70726f62-0000-4000-8000-c0c0c0c0c0c0</wsa:RelatesTo></SOAP-ENV:Header><SOAP-ENV:Body><d:ProbeMatches/></SOAP-ENV:Body></SOAP-ENV:Envelope>"),
    ("svrloc", b"\x02\x0a\0\0\x1f\0\0\0\0\0\xc0\xc0\0\x02en\0\0\0\x0bservice:ssh"),
    ("coap", b"\x68\x84\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0"),
    ("mqtt-sn", b"\x03\x02\x01"),
    ("bittorrent", b"d1:rd2:id20:mnopqrstuvwxyz123456e1:t8:\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc01:y1:re"),
    ("jenkins-discovery", b"<hudson><version>2.100</version><server-id>5</server-id></hudson>"),
    ("ubiquiti-discovery", b"\x01\0\0\x0d\x02\0\x0a\x02\0\0\0\0\x01\xc0\0\x02\x01"),
    ("lantronix", b"\0\0\0\xf7\0\0\0\0\0\0\0\0\x36\x2e\x35\0\x58\x31\0\0\0\x20\x4a\x01\x02\x03"),
    ("dahua-discovery", b"\x20\0\0\0DHIP\0\0\0\0\0\0\0\0\x6a\0\0\0\0\0\0\0\x6a\0\0\0\0\0\0\0{\"mac\":\"02:00:00:00:00:01\",\"method\":\"client.notifyDevInfo\",\"params\":{\"deviceInfo\":{\"DeviceType\":\"NVR\"}}}\n"),
    ("wdbrpc", RPC_ACCEPTED),
    ("netis", b"\0\0\0\0Login:"),
    ("bacnet", b"\x81\x0a\0\x14\x01\0\x30\xc0\x0c\x0c\x02\0\x00\x07\x19\x4b\x3e\xc4\x02\0\0\x07\x3f"),
    ("ethernet-ip", b"\x63\0\x02\0\0\0\0\0\0\0\0\0\x01\0\xc0\xc0\xc0\xc0\xc0\xc0\0\0\0\0\0\0"),
    ("knx", b"\x06\x10\x02\x04\0\x0e\x06\x01\0\0\0\0\0\0"),
    ("fins", b"\xc0\0\x02\0\x63\0\0\0\0\xc0\x05\x01\0\0CJ2M-CPU31"),
    ("srcds", b"\xff\xff\xff\xff\x41\x0a\x0b\x0c\x0d"),
    ("quake3", b"\xff\xff\xff\xffinfoResponse\n\\challenge\\c0c0c0c0c0c0c0c0\\protocol\\68\\hostname\\q3"),
    ("minecraft-bedrock", b"\x1c\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0\x01\x02\x03\x04\x05\x06\x07\x08\0\xff\xff\0\xfe\xfe\xfe\xfe\xfd\xfd\xfd\xfd\x12\x34\x56\x78\0\x13MCPE;home;527;1.19;"),
    ("minecraft-query", b"\x09\0\0\0\x019513307\0"),
    ("echo", &[0xc0; 8]),
    ("systat", b"ann pts/0\r\n"),
    ("qotd", b"\"Less is more.\" L. M. v. d. R.\r\n"),
    ("chargen", b" !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefg\r\n"),
    ("rip", b"\x02\x02\0\0\0\x02\0\0\x0a\xc0\xc0\xc0\xff\xff\xff\xff\0\0\0\0\0\0\0\x10"),
];

/// Accepted, and done.
const RPC_ACCEPTED: &[u8] = b"\xc0\xc0\xc0\xc0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

/// Versions 1 and 2 of QUIC.
const VERSION_NEGOTIATION: &[u8] =
    b"\x9f\0\0\0\0\x08\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0\x08\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0\0\0\0\x01\x6b\x33\x43\xcf";

/// A verify request with a cookie of four octets.
const HELLO_VERIFY: &[u8] =
    b"\x16\xfe\xff\0\0\0\0\0\0\0\0\0\x13\x03\0\0\x07\0\0\0\0\0\0\0\x07\xfe\xff\x04\x01\x02\x03\x04";
