//! What servers answer in octets rather than in words.

use super::samples::Sample;

pub(super) fn frames() -> Vec<Sample> {
    let mut all = stores();
    all.extend(windows());
    all.extend(others());
    all
}

fn stores() -> Vec<Sample> {
    let sql: &[u8] = b"\x04\x01\0\x2b\0\0\x01\0\0\0\x1a\0\x06\x01\0\x20\0\x01\x02\0\x21\0\x01\x03\0\x22\0\0\x04\0\x22\0\x01\xff\x0f\0\x07\xd0\0\0\x02\0\0";
    let refused: &[u8] = b"\0\x65\0\0\x04\0\0\0\x22\0\0\x59(DESCRIPTION=(TMP=)(VSNNUM=186647296)(ERR=1189)(ERROR_STACK=(ERROR=(CODE=1189)(EMFI=4))))";
    let document: &[u8] = b"\x5b\0\0\0\x08helloOk\0\x01\x10maxWireVersion\0\x15\0\0\0\x08readOnly\0\0\x01ok\0\0\0\0\0\0\0\xf0\x3f\x02padding\0\x14\0\0\0abcdefghijklmnopqrs\0\0";
    let length = u8::try_from(document.len() + 21).unwrap();
    let mongo = [&[length, 0, 0, 0][..], b"\x01\0\0\0port\xdd\x07\0\0\0\0\0\0\0", document].concat();
    vec![
        Sample(
            "postgresql",
            b"E\0\0\0\x3eSFATAL\0VFATAL\0C0A000\0Munsupported frontend protocol 1234.5\0\0".to_vec(),
            "- | - | unsupported frontend protocol 1234.5 | Untold",
        ),
        Sample(
            "ms-sql-s",
            sql.to_vec(),
            "Microsoft SQL Server | 15.0.2000 | - | Cleartext(\"offers no TLS\")",
        ),
        Sample("oracle-tns", refused.to_vec(), "Oracle listener | 11.2.0.3.0 | - | Untold"),
        Sample(
            "oracle-tns",
            [
                &b"\0\x20\0\0\x02\0\0\0\x01\x36\0\0\x08\0\x7f\xff\x01\0\0\0\0\x20\0\0\0\0\0\0\0\0\0\0"[..],
                b"\0\x5a\0\0\x06\0\0\0\0\0TNSLSNR for Linux: Version 11.2.0.2.0 - Production",
            ]
            .concat(),
            "Oracle listener | 11.2.0.2.0 | - | Untold",
        ),
        Sample("mongodb", mongo, "MongoDB | 7.0 | wire version 21 | Untold"),
        Sample(
            "cassandra",
            b"\x84\0\0\x50\x06\0\0\0\x1f\0\x01\0\x0bCQL_VERSION\0\x02\0\x053.4.5\0\x053.4.6".to_vec(),
            "Cassandra | - | CQL 3.4.5 | Untold",
        ),
        Sample(
            "kafka",
            [&b"\0\0\0\x16port\0\0\0\0\0\x02"[..], &[0, 0, 0, 0, 0, 9, 0, 1, 0, 0, 0, 13]].concat(),
            "- | - | knows 2 requests | Untold",
        ),
        Sample("amqp", amqp(), "RabbitMQ | 3.12.1 | mechanisms AMQPLAIN PLAIN | Untold"),
        Sample("amqp", b"AMQP\0\x01\0\0".to_vec(), "- | - | AMQP 1.0.0 | Untold"),
        Sample("mqtt", vec![0x20, 3, 0, 0x84, 0], "- | - | - | Untold"),
    ]
}

fn amqp() -> Vec<u8> {
    let table = b"\x07productS\0\0\0\x08RabbitMQ\x07versionS\0\0\0\x063.12.1";
    let length = |octets: &[u8]| u32::try_from(octets.len()).unwrap().to_be_bytes();
    let body = [
        &b"\0\x0a\0\x0a\0\x09"[..],
        &length(table),
        table,
        &length(b"AMQPLAIN PLAIN"),
        b"AMQPLAIN PLAIN",
        &length(b"en_US"),
        b"en_US",
    ]
    .concat();
    [&b"\x01\0\0"[..], &length(&body), &body, b"\xce"].concat()
}

fn windows() -> Vec<Sample> {
    let mut smb = vec![0; 132];
    smb[2..4].copy_from_slice(&[0, 128]);
    smb[4..12].copy_from_slice(b"\xfeSMB\x40\0\0\0");
    smb[68..74].copy_from_slice(&[65, 0, 1, 0, 2, 3]);
    let mut required = smb.clone();
    required[70] = 3;
    let mut smb1 = vec![0; 73];
    smb1[2..4].copy_from_slice(&[0, 69]);
    smb1[4..9].copy_from_slice(b"\xffSMB\x72");
    smb1[36..40].copy_from_slice(&[17, 0, 0, 3]);
    let mut rpc =
        b"\x05\0\x0c\x03\x10\0\0\0\x3c\0\0\0\x01\0\0\0\xd0\x16\xd0\x16\x12\x34\0\0\x04\x00135\0".to_vec();
    rpc.resize(60, 0);
    let entry: &[u8] = b"\x04\0\x30\x3b\x30\x1c\x04\x14supportedLDAPVersion\x31\x04\x04\x02\x33";
    vec![
        Sample("ms-wbt-server", b"\x03\0\0\x13\x0e\xd0\0\0\x12\x34\0\x02\x1f\x08\0\x02\0\0\0".to_vec(), "- | - | network-level authentication | Upgradable"),
        Sample("ms-wbt-server", b"\x03\0\0\x0b\x06\xd0\0\0\x12\x34\0".to_vec(), "- | - | standard RDP security only | Untold"),
        Sample("microsoft-ds", smb, "- | - | SMB 3.0.2, signing not required | Untold"),
        Sample("microsoft-ds", required, "- | - | SMB 3.0.2, signing required | Untold"),
        Sample("microsoft-ds", smb1, "- | - | SMB 1, signing not required | Untold"),
        Sample("msrpc", rpc, "- | - | - | Untold"),
        Sample("netbios-ssn", b"\x83\0\0\x01\x82".to_vec(), "- | - | error 82 | Untold"),
        Sample("ldap", ldap(entry), "- | - | - | Untold"),
        Sample("ldap", ldap(b"\x04\0\x30\x33\x30\x31\x04\x12supportedExtension\x31\x18\x04\x161.3.6.1.4.1.1466.20037"), "- | - | - | Upgradable"),
        Sample(
            "ldap",
            ldap(b"\x04\0\x30\x2f\x30\x16\x04\x0avendorName\x31\x08\x04\x06389 DS\x30\x15\x04\x12supportedExtension\x31\0"),
            "389 DS | - | - | Cleartext(\"offers no StartTLS\")",
        ),
        Sample("ldap", b"\x30\x0c\x02\x01\x01\x65\x07\x0a\x01\x01\x04\0\x04\0".to_vec(), "- | - | result 1 | Untold"),
    ]
}

fn ldap(entry: &[u8]) -> Vec<u8> {
    let length = u8::try_from(entry.len()).unwrap();
    [
        &[0x30, length + 5, 2, 1, 1, 0x64, length][..],
        entry,
        b"\x30\x0c\x02\x01\x01\x65\x07\x0a\x01\0\x04\0\x04\0",
    ]
    .concat()
}

fn others() -> Vec<Sample> {
    let dns: &[u8] = b"\0\x3fpp\x85\0\0\x01\0\x01\0\0\0\0\x07version\x04bind\0\0\x10\0\x03\xc0\x0c\0\x10\0\x03\0\0\0\0\0\x0d\x0cdnsmasq-2.80";
    let mut dns = dns.to_vec();
    dns[1] = u8::try_from(dns.len() - 2).unwrap();
    let accepted: &[u8] = b"\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    let other: &[u8] = b"\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x02\0\0\0\x03\0\0\0\x04";
    let mut x11 = b"\x01\0\x0b\0\0\0\x0c\0".to_vec();
    x11.extend(12_101_004_u32.to_le_bytes());
    x11.resize(56, 0);
    x11[24] = 16;
    x11[40..].copy_from_slice(b"The X.Org Founda");
    let identity: &[u8] = b"\x01\0\x0c\0\x2c\0\x01\0\0\x02\xaf\x12\xc0\0\x02\x01\0\0\0\0\0\0\0\0\x01\0\x0e\0\x5d\0\x14\x0b\x60\x31\x1a\x06\x6c\0\x0c1756-EN2T/B \x03";
    let length = u8::try_from(identity.len()).unwrap();
    let enip = [&[0x63, 0, length, 0][..], &[0; 8], b"portproo\0\0\0\0", identity].concat();
    vec![
        Sample("domain", dns, "dnsmasq | 2.80 | - | Untold"),
        Sample(
            "rpcbind",
            [b"\x80\0\0\x18pp\x86\xa0", accepted].concat(),
            "- | - | program is there | Untold",
        ),
        Sample("nfs", [b"\x80\0\0\x20pp\x86\xa3", other].concat(), "- | - | versions 3 to 4 | Untold"),
        Sample(
            "x11",
            x11,
            "The X.Org Founda | 12101004 | - | Open(\"accepts a client without authorization\")",
        ),
        Sample(
            "x11",
            b"\0\x14\x0b\0\0\0\x06\0No protocol specified\n\0\0".to_vec(),
            "- | - | No protocol specified | Untold",
        ),
        Sample("java-rmi", b"N\0\x0d172.17.0.1234\0\0\xa1\xb2".to_vec(), "Java RMI | - | - | Untold"),
        Sample("ajp13", b"AB\0\x01\x09".to_vec(), "- | - | - | Untold"),
        Sample(
            "php-fpm",
            b"\x01\x0a\0\0\0\x12\x06\0\x0f\x01FCGI_MPXS_CONNS0\0\0\0\0\0\0".to_vec(),
            "- | - | - | Open(\"answers FastCGI to strangers\")",
        ),
        Sample(
            "modbus",
            b"\x70\x70\0\0\0\x1f\xff\x2b\x0e\x01\x01\0\0\x03\0\x07Siemens\x01\x06S7-200\x02\x04V4.5".to_vec(),
            "S7-200 | V4.5 | Siemens | Open(\"answers Read Device Identification\")",
        ),
        Sample("modbus", b"\x70\x70\0\0\0\x03\xff\xab\x01".to_vec(), "- | - | exception 1 | Untold"),
        Sample(
            "iso-tsap",
            b"\x03\0\0\x16\x11\xd0\x70\x70\0\x02\0\xc0\x01\x0a\xc1\x02\x01\0\xc2\x02\x01\x02".to_vec(),
            "- | - | connection accepted | Untold",
        ),
        Sample("ethernet-ip", enip, "1756-EN2T/B | 20.11 | vendor 1 | Open(\"answers ListIdentity\")"),
        Sample("opcua", [&b"ACKF\x1c\0\0\0"[..], &[0; 20]].concat(), "- | - | - | Untold"),
        Sample(
            "opcua",
            b"ERRF\x1a\0\0\0\0\0\x83\x80\x0a\0\0\0Bad server".to_vec(),
            "- | - | Bad server | Untold",
        ),
        Sample("iec-104", b"\x68\x04\x83\0\0\0".to_vec(), "- | - | - | Untold"),
        Sample(
            "stun",
            b"\x01\x01\0\x10\x21\x12\xa4\x42portproof123\x80\x22\0\x0cCoturn-4.5.2".to_vec(),
            "Coturn | 4.5.2 | - | Untold",
        ),
        Sample(
            "adb",
            b"AUTH\x01\0\0\0\0\0\0\0\x14\0\0\0\0\0\0\0\xbe\xaa\xab\xb7".to_vec(),
            "- | - | wants a key | Untold",
        ),
        Sample(
            "zabbix-agent",
            b"ZBXD\x01\x05\0\0\0\0\0\0\x006.0.9".to_vec(),
            "Zabbix agent | 6.0.9 | - | Open(\"answers agent.version\")",
        ),
        Sample(
            "zabbix-trapper",
            b"ZBXD\x01\x15\0\0\0\0\0\0\0{\"response\":\"failed\"}".to_vec(),
            "Zabbix server | - | - | Untold",
        ),
        Sample("afp", afp(), "Macmini | - | server files | Untold"),
        Sample("http", b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0\x64".to_vec(), "- | - | HTTP/2 | Untold"),
    ]
}

fn afp() -> Vec<u8> {
    let block = b"\0\x10\0\x18\0\0\0\0\x8f\xfb\x05files\x07Macmini\0\0\0\0\0\0\0\0";
    let length = u8::try_from(block.len()).unwrap();
    [&[1, 3, 0x70, 0x70, 0, 0, 0, 0, 0, 0, 0, length, 0, 0, 0, 0][..], block].concat()
}
