//! What servers say, as they say it: octets, whose they are, and what is read from them.

/// Service, octets, and `product | version | detail | guard`.
pub(super) struct Sample(pub(super) &'static str, pub(super) Vec<u8>, pub(super) &'static str);

/// A head and what follows it, the length of which is somewhere in the head.
fn joined(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

pub(super) fn greetings() -> Vec<Sample> {
    let text = |service, words: &str, said| Sample(service, words.as_bytes().to_vec(), said);
    let mysql = |version: &[u8], capabilities: [u8; 2]| {
        let body = joined(&[
            b"\x0a",
            version,
            b"\0\x08\0\0\0abcdefgh\0",
            &capabilities,
            b"\xff\x02\0\xff\xc1\x15\0\0\0\0\0\0\0\0\0\0",
            b"ijklmnopqrst\0caching_sha2_password\0",
        ]);
        joined(&[&[u8::try_from(body.len()).unwrap(), 0, 0, 0], &body])
    };
    vec![
        text("ssh", "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u2\r\n", "OpenSSH | 9.2p1 | - | Untold"),
        text("ssh", "SSH-1.5-Cisco-1.25\n", "Cisco | 1.25 | speaks SSH-1 only | Untold"),
        text("ssh", "SSH-1.99-dropbear_2019.78\r\n", "dropbear | 2019.78 | speaks SSH-1 as well | Untold"),
        text("ssh", "Not authorised\r\nSSH-2.0-x\r\n", "x | - | - | Untold"),
        text("ssh", "Exceeded MaxStartups\r\n", "OpenSSH | - | - | Untold"),
        text("smtp", "220 mail.example.com ESMTP Postfix (Debian/GNU)\r\n", "Postfix | - | - | Untold"),
        text("smtp", "220 mx.example.com ESMTP Exim 4.96 Sat, 28 Nov 2026 01:29:50 +0000\r\n", "Exim | 4.96 | - | Untold"),
        text("smtp", "220-mx.example.com ESMTP\r\n220 no spam\r\n", "- | - | - | Untold"),
        text("smtp", "220 a.example.com Microsoft ESMTP MAIL Service, Version: 10.0.14393.4169 ready at Sat\r\n", "Microsoft ESMTP MAIL Service | 10.0.14393.4169 | - | Untold"),
        text("smtp", "220 mx.example.com ready\r\n", "- | - | - | Untold"),
        text("smtp", "554 mx.example.com\r\n", "- | - | - | Untold"),
        text("lmtp", "220 mail.example.com Dovecot ready LMTP.\r\n", "Dovecot | - | - | Untold"),
        text("ftp", "220 (vsFTPd 3.0.5)\r\n", "vsFTPd | 3.0.5 | - | Untold"),
        text("ftp", "220-FileZilla Server 1.7.0\r\n220-Please visit\r\n220 Bye\r\n", "FileZilla Server | 1.7.0 | - | Untold"),
        text("ftp", "220 ProFTPD Server (Debian) [::ffff:192.0.2.1]\r\n", "ProFTPD | - | - | Untold"),
        text("ftp", "421 Too many connections, FTP closed\r\n", "- | - | - | Untold"),
        text("ftp", "220 Welcome\r\n", "- | - | - | Untold"),
        text("pop3", "+OK Dovecot (Debian) ready.\r\n", "Dovecot | - | - | Untold"),
        text("imap", "* OK [CAPABILITY IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ STARTTLS LOGINDISABLED] Dovecot ready.\r\n", "Dovecot | - | - | Upgradable"),
        text("imap", "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready\r\n", "- | - | - | Cleartext(\"offers no STARTTLS\")"),
        text("imap", "* OK The Microsoft Exchange IMAP4 service is ready.\r\n", "Microsoft Exchange | - | - | Untold"),
        text("imap", "* PREAUTH welcome\r\n", "- | - | - | Open(\"the session begins authenticated\")"),
        text("imap", "* BYE too many\r\n", "- | - | - | Untold"),
        text("nntp", "200 news.example.com InterNetNews NNRP server INN 2.7.1 ready (posting ok)\r\n", "InterNetNews | - | - | Untold"),
        text("sieve", "\"IMPLEMENTATION\" \"Dovecot Pigeonhole\"\r\n\"SIEVE\" \"fileinto reject\"\r\n\"STARTTLS\"\r\nOK \"Dovecot ready.\"\r\n", "Dovecot Pigeonhole | - | - | Upgradable"),
        Sample("mysql", mysql(b"8.0.36-0ubuntu0.22.04.1", [0xff, 0xff]), "MySQL | 8.0.36 | 0ubuntu0.22.04.1 | Upgradable"),
        Sample("mysql", mysql(b"5.5.5-10.11.6-MariaDB-0+deb12u1", [0xfe, 0xf7]), "MariaDB | 10.11.6 | 0+deb12u1 | Cleartext(\"offers no TLS\")"),
        Sample(
            "mysql",
            b"\x4a\0\0\0\xff\x6a\x04Host '192.0.2.1' is not allowed to connect to this MariaDB server 12345".to_vec(),
            "MariaDB | - | error 1130: Host '192.0.2.1' is not allowed to connect to this MariaDB server 12345 | Untold",
        ),
        Sample("mysqlx", b"\x05\0\0\0\x0b\x08\x05\x1a\0".to_vec(), "MySQL | - | - | Untold"),
        text("nats", "INFO {\"server_id\":\"N\",\"version\":\"2.10.4\",\"go\":\"go1.21\",\"headers\":true,\"max_payload\":1048576} \r\n", "NATS | 2.10.4 | - | Open(\"asks for no credentials\")"),
        text("nats", "INFO {\"server_id\":\"N\",\"version\":\"2.10.4\",\"auth_required\":true,\"tls_required\":true}\r\n", "NATS | 2.10.4 | requires TLS | Upgradable"),
        text("nats", "INFO {\"server_id\":\"N\",\"version\":\"2.9.0\",\"auth_required\": true}\r\n", "NATS | 2.9.0 | - | Cleartext(\"offers no TLS\")"),
        text("svn", "( success ( 2 2 ( ) ( edit-pipeline svndiff1 absent-entries commit-revprops depth ) ) ) ", "- | - | - | Untold"),
        Sample(
            "activemq",
            joined(&[b"\0\0\0\x60\x01ActiveMQ\0\0\0\x0c\x01\0\0\0\x50\0\0\0\x02\0\x0cProviderName\x09\0\x08ActiveMQ\0\x0fProviderVersion\x09\0\x065.18.3", &[0; 40]]),
            "ActiveMQ | 5.18.3 | OpenWire 12 | Untold",
        ),
        text("rsync", "@RSYNCD: 31.0 sha512 sha256 sha1 md5 md4\n", "rsync | - | - | Untold"),
        text("vnc", "RFB 003.008\n", "- | - | RFB 003.008 | Untold"),
        text("vnc", "RFB 003.889\n", "Apple Remote Desktop | - | - | Untold"),
        Sample("citrix-ica", b"\x7f\x7fICA\0\x7f\x7fICA\0".to_vec(), "- | - | - | Untold"),
        Sample("telnet", b"\xff\xfd\x18\xff\xfd\x20\xff\xfd\x23\xff\xfd\x27".to_vec(), TELNET),
        Sample("telnet", b"\xff\xfb\x01\xff\xfb\x03\xff\xfd\x1f\r\nUser Access Verification\r\n\r\nUsername: ".to_vec(), TELNET),
        text("telnet", "\r\nDebian GNU/Linux 12\r\nbox login: ", TELNET),
        text("telnet", "Password: ", TELNET),
        Sample(
            "telnet",
            b"\r\nHello, this is FRRouting (version 8.4.4).\r\nCopyright 1996-2005 Kunihiro Ishiguro, et al.\r\n\r\n\r\nUser Access Verification\r\n\r\n\xff\xfb\x01\xff\xfb\x03\xff\xfe\x22\xff\xfd\x1fPassword: ".to_vec(),
            "FRRouting | 8.4.4 | - | Cleartext(\"Telnet is never encrypted\")",
        ),
        Sample(
            "bgp",
            joined(&[&[0xff; 16], b"\0\x1d\x01\x04\xfd\xe8\0\xb4\xc0\0\x02\x01\0"]),
            "- | - | BGP version 4, AS 65000, identifier 192.0.2.1 | Untold",
        ),
        Sample("bgp", joined(&[&[0xff; 16], b"\0\x15\x03\x06\x05"]), "- | - | notification 6, 5 | Untold"),
        text("irc", ":irc.example.com NOTICE * :*** Looking up your hostname...\r\n", "- | - | irc.example.com | Untold"),
        text("irc", "NOTICE AUTH :*** Looking up your hostname\r\n", "- | - | - | Untold"),
        text("varnish-admin", "107 59      \nhydbbxfopzvhyplvqxsolkcqpvaqxtvf\n\nAuthentication required.\n\n", "Varnish | - | - | Untold"),
        text("varnish-admin", "200 73      \n-----------------------------\nVarnish Cache CLI 1.0\nvarnish-6.5.1 revision", "Varnish | 6.5.1 | - | Open(\"asks for no secret\")"),
        text("daytime", "Sat Nov 28 01:29:50 2026\r\n", "- | - | - | Untold"),
        text("chargen", "!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefgh\r\n", "- | - | - | Untold"),
        text("asterisk-ami", "Asterisk Call Manager/5.0.1\r\n", "Asterisk Call Manager | 5.0.1 | - | Untold"),
        text("freeswitch-event", "Content-Type: auth/request\n\n", "FreeSWITCH | - | - | Untold"),
        text("munin", "# munin node at box.example.com\n", "Munin node | - | - | Untold"),
        text("checkmk-agent", "<<<check_mk>>>\nVersion: 2.1.0p1\nAgentOS: linux\n", "Checkmk agent | 2.1.0p1 | - | Open(\"gives its report to strangers\")"),
        text("openvpn-management", ">INFO:OpenVPN Management Interface Version 5 -- type 'help' for more info\r\n", "OpenVPN | - | - | Open(\"asks for no password\")"),
        text("openvpn-management", "ENTER PASSWORD:", "OpenVPN | - | - | Untold"),
        text("vmware-auth", "220 VMware Authentication Daemon Version 1.10: SSL Required, ServerDaemonProtocol:SOAP, MKSDisplayProtocol:VNC , , NFCSSL supported/t\r\n", "VMware Authentication Daemon | 1.10 | - | Upgradable"),
        Sample("ceph", b"ceph v2\n\x10\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0".to_vec(), "Ceph | - | - | Untold"),
        text("rethinkdb", "ERROR: Received an unsupported protocol version. This port is for RethinkDB queries. Does your client driver version not match the server?\n", "RethinkDB | - | - | Untold"),
    ]
}

const TELNET: &str = "- | - | - | Cleartext(\"Telnet is never encrypted\")";

pub(super) fn words() -> Vec<Sample> {
    let text = |service, words: &str, said| Sample(service, words.as_bytes().to_vec(), said);
    vec![
        text("redis", "+PONG\r\n", "- | - | - | Open(\"answers PING without a password\")"),
        text("redis", "-NOAUTH Authentication required.\r\n", "- | - | - | Untold"),
        text(
            "redis",
            "-DENIED Redis is running in protected mode because protected mode is enabled\r\n",
            "- | - | - | Untold",
        ),
        text("redis", "-ERR wrong number of arguments for 'get' command\r\n", "- | - | - | Untold"),
        text(
            "memcached",
            "VERSION 1.6.18\r\n",
            "memcached | 1.6.18 | - | Open(\"answers without authentication\")",
        ),
        text("memcached", "ERROR\r\nERROR\r\nERROR\r\n", "- | - | - | Untold"),
        text(
            "zookeeper",
            "Zookeeper version: 3.8.0-5a02a05eddb59aee6ac762f7ea82e92a68eb9c0f, built on 2022-02-25\nLatency min/avg/max: 0/0.0/0\n",
            "ZooKeeper | 3.8.0 | - | Untold",
        ),
        text(
            "zookeeper",
            "srvr is not executed because it is not in the whitelist.\n",
            "ZooKeeper | - | - | Untold",
        ),
        text(
            "rtsp",
            "RTSP/1.0 200 OK\r\nCSeq: 1\r\nServer: GStreamer RTSP server\r\nPublic: OPTIONS, DESCRIBE\r\n\r\n",
            "GStreamer RTSP server | - | RTSP/1.0 200 OK | Untold",
        ),
        text(
            "sip",
            "SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP x\r\nServer: Asterisk PBX 18.10.0\r\nContent-Length: 0\r\n\r\n",
            "Asterisk PBX | 18.10.0 | SIP/2.0 200 OK | Untold",
        ),
        text(
            "xmpp-client",
            "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' id='1' from='example.com' version='1.0'><stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>",
            "- | - | - | Upgradable",
        ),
        text(
            "xmpp-server",
            "<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' id='1' version='1.0'><stream:features><dialback xmlns='urn:xmpp:features:dialback'/></stream:features>",
            "- | - | - | Cleartext(\"offers no STARTTLS\")",
        ),
        text(
            "xmpp-client",
            "<?xml version='1.0'?><stream:stream xmlns:stream='http://etherx.jabber.org/streams' version='1.0' id='1' xmlns='jabber:client'><stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>",
            "- | - | error host-unknown | Untold",
        ),
        text(
            "weblogic",
            "HELO:12.2.1.3.0.false\nAS:2048\nHL:19\nMS:10000000\nPN:DOMAIN\n\n",
            "Oracle WebLogic | 12.2.1.3.0 | - | Untold",
        ),
        text("jdwp", "JDWP-Handshake", "- | - | - | Open(\"takes debuggers\")"),
        text(
            "clamd",
            "ClamAV 1.0.1/27000/Sat Nov 28 09:00:00 2026\n",
            "ClamAV | 1.0.1 | signatures 27000/Sat Nov 28 09:00:00 2026 | Open(\"answers VERSION\")",
        ),
        text("spamd", "SPAMD/1.5 0 PONG\r\n", "SpamAssassin | - | - | Untold"),
        text(
            "nut",
            "Network UPS Tools upsd 2.8.0 - https://www.networkupstools.org/\n",
            "Network UPS Tools | 2.8.0 | - | Untold",
        ),
        text("ident", "0 , 0 : ERROR : INVALID-PORT\r\n", "- | - | - | Untold"),
        text(
            "git",
            "0035ERR access denied or repository not exported: /x\n",
            "- | - | access denied or repository not exported: /x | Untold",
        ),
        text(
            "ovsdb",
            "{\"id\":\"portproof\",\"result\":[\"_Server\",\"Open_vSwitch\"],\"error\":null}",
            "- | - | databases _Server, Open_vSwitch | Open(\"lists its databases\")",
        ),
        Sample(
            "epmd",
            b"\0\0\x11\x11name rabbit at port 25672\nname x at port 4\n".to_vec(),
            "- | - | node rabbit | Untold",
        ),
    ]
}
