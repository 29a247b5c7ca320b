//! Remote hands, and daemons that serve others: X11, Java, debuggers, filters. Touches nothing that it could.

use crate::identify::{
    Identity,
    octets::{between, double, find, json, little_double, little_word, octet, slice, until_zero, word},
    stream::{Guard, LINE, Less, Question, Shown, after, is, line, need, only, product, told},
    text,
};

/// Little-endian, version 11.0, no authorization.
pub(super) const X11: Question = Question {
    service: "x11",
    ports: &[6000, 6001, 6002, 6003, 6004, 6005, 6006, 6007, 6008, 6009, 6010],
    say: |_| vec![b'l', 0, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    read: |octets| told(x11(octets)),
    source: "X Window System Protocol, connection setup",
};

fn x11(octets: &[u8]) -> Result<Shown, Less> {
    let kind = need(octet(octets, 0))?;
    only(kind <= 2)?;
    is(octets, 2, &[11, 0, 0, 0])?;
    let length = usize::from(need(little_word(octets, 6))?) * 4;
    let shown = Shown::service("x11");
    if kind != 1 {
        only(length <= 1024)?;
        let words = need(slice(octets, 8, length))?;
        return Ok(shown.detail(text(until_zero(words))));
    }
    let vendor = need(little_word(octets, 24))?;
    only(usize::from(vendor) <= length && vendor <= 256)?;
    let vendor = need(slice(octets, 40, vendor.into()))?;
    let release = little_double(octets, 8).map(|release| release.to_string());
    let identity = Identity { product: text(vendor), version: release, detail: None };
    Ok(shown.by(identity).guarded(Guard::Open("accepts a client without authorization")))
}

/// A stream, version 2.
pub(super) const JAVA_RMI: Question = Question {
    service: "java-rmi",
    ports: &[1099, 7199, 9010],
    say: |_| b"JRMI\0\x02\x4b".to_vec(),
    read: |octets| told(java_rmi(octets)),
    source: "Java RMI wire protocol, section 10.2: stream protocol",
};

/// `ProtocolAck`, with what it knows of us: our address in words, and a port.
fn java_rmi(octets: &[u8]) -> Result<Shown, Less> {
    is(octets, 0, b"N\0")?;
    let length = need(octet(octets, 2))?;
    only((2..=64).contains(&length))?;
    let host = octets.get(3..).unwrap_or_default();
    let host = host.get(..length.into()).unwrap_or(host);
    only(host.iter().all(|octet| octet.is_ascii_alphanumeric() || b".:%-_".contains(octet)))?;
    is(octets, 3 + usize::from(length), &[0, 0])?;
    let all = usize::from(length) + 7;
    only(octets.len() <= all)?;
    need(slice(octets, 0, all))?;
    Ok(Shown::service("java-rmi").by(product("Java RMI", None)))
}

pub(super) const AJP: Question = Question {
    service: "ajp13",
    ports: &[8009],
    say: |_| vec![0x12, 0x34, 0, 1, 10],
    read: |octets| told(is(octets, 0, b"AB\0\x01\x09").map(|()| Shown::service("ajp13"))),
    source: "Apache Tomcat Connectors, AJP protocol extensions: CPing",
};

/// Which limits does it have? A management record belongs to no request.
pub(super) const FASTCGI: Question = Question {
    service: "php-fpm",
    ports: &[9000],
    say: |_| b"\x01\x09\0\0\0\x11\0\0\x0f\0FCGI_MPXS_CONNS".to_vec(),
    read: |octets| told(fastcgi(octets)),
    source: "FastCGI specification section 4.1, FCGI_GET_VALUES",
};

fn fastcgi(octets: &[u8]) -> Result<Shown, Less> {
    is(octets, 0, &[1, 10, 0, 0])?;
    let length = need(word(octets, 4))?;
    only(length <= 1024)?;
    let body = need(slice(octets, 8, length.into()))?;
    only(find(body, b"FCGI_").is_some())?;
    Ok(Shown::service("php-fpm").guarded(Guard::Open("answers FastCGI to strangers")))
}

pub(super) const WEBLOGIC: Question = Question {
    service: "weblogic",
    ports: &[7001, 7002],
    say: |_| b"t3 12.2.1\nAS:255\nHL:19\n\n".to_vec(),
    read: |octets| told(weblogic(octets)),
    source: "Oracle WebLogic, T3 bootstrap: a version, which opens no session",
};

/// `HELO:12.2.1.3.0.false`.
fn weblogic(octets: &[u8]) -> Result<Shown, Less> {
    let rest = after(octets, b"HELO:")?;
    let (said, _) = line(rest)?;
    let version =
        said.strip_suffix(b".false").or_else(|| said.strip_suffix(b".true")).ok_or(Less::Foreign)?;
    only(version.iter().all(|octet| octet.is_ascii_digit() || *octet == b'.'))?;
    Ok(Shown::service("weblogic").by(product("Oracle WebLogic", text(version))))
}

/// The handshake of a debugger, which then hangs up: nothing is stopped by it.
pub(super) const JDWP: Question = Question {
    service: "jdwp",
    ports: &[5005, 8787],
    say: |_| b"JDWP-Handshake".to_vec(),
    read: |octets| told(jdwp(octets)),
    source: "Java Debug Wire Protocol, overview: handshake",
};

fn jdwp(octets: &[u8]) -> Result<Shown, Less> {
    after(octets, b"JDWP-Handshake")?;
    // Whoever sends everything back is an echo; this one may say more of its own.
    Ok(Shown::service("jdwp").guarded(Guard::Open("takes debuggers")))
}

/// Who connects says so, and shows no key.
pub(super) const ADB: Question = Question {
    service: "adb",
    ports: &[5555],
    say: |_| {
        let data = b"host::portproof\0";
        let sum: u32 = data.iter().map(|octet| u32::from(*octet)).sum();
        let fields = [0x0100_0000, 4096, u32::try_from(data.len()).unwrap_or_default(), sum, CNXN ^ u32::MAX];
        let fields: Vec<u8> = fields.iter().flat_map(|field| field.to_le_bytes()).collect();
        [&CNXN.to_le_bytes()[..], &fields, data].concat()
    },
    read: |octets| told(adb(octets)),
    source: "Android, adb protocol.txt: CONNECT; without a key no device asks its user anything",
};

const CNXN: u32 = u32::from_le_bytes(*b"CNXN");

/// The device's banner, or that it wants a key.
fn adb(octets: &[u8]) -> Result<Shown, Less> {
    let kind = octets.get(..4).unwrap_or(octets);
    only([b"CNXN", b"AUTH", b"STLS"].iter().any(|known| known.starts_with(kind)))?;
    let (command, magic) = (need(double(octets, 0))?, need(double(octets, 20))?);
    only(command ^ magic == u32::MAX)?;
    let shown = Shown::service("adb");
    if kind != b"CNXN" {
        return Ok(shown.detail(Some("wants a key".to_owned())));
    }
    let length = usize::try_from(need(little_double(octets, 12))?).unwrap_or(LINE).min(LINE);
    let banner = need(slice(octets, 24, length))?;
    let model = between(banner, "ro.product.model=", ";").and_then(text);
    let identity = Identity { product: model, version: None, detail: None };
    Ok(shown.by(identity).guarded(Guard::Open("takes commands without a key")))
}

pub(super) const CLAMD: Question = Question {
    service: "clamd",
    ports: &[3310],
    say: |_| b"nVERSION\n".to_vec(),
    read: |octets| told(clamd(octets)),
    source: "clamd(8), VERSION",
};

/// `ClamAV 1.0.1/27000/Sat Nov 28 09:00:00 2026`.
fn clamd(octets: &[u8]) -> Result<Shown, Less> {
    let rest = after(octets, b"ClamAV ")?;
    let (said, _) = line(rest)?;
    let mut parts = said.splitn(2, |octet| *octet == b'/');
    let version = parts.next().and_then(text);
    let base = parts.next().and_then(text).map(|base| format!("signatures {base}"));
    let shown = Shown::service("clamd").by(product("ClamAV", version).and(base));
    Ok(shown.guarded(Guard::Open("answers VERSION")))
}

pub(super) const SPAMD: Question = Question {
    service: "spamd",
    ports: &[783],
    say: |_| b"PING SPAMC/1.2\r\n\r\n".to_vec(),
    read: |octets| told(spamd(octets)),
    source: "SpamAssassin, spamd/PROTOCOL: PING",
};

fn spamd(octets: &[u8]) -> Result<Shown, Less> {
    after(octets, b"SPAMD/")?;
    let (said, _) = line(octets)?;
    Ok(Shown::service("spamd").by(product("SpamAssassin", None)).saying(said))
}

pub(super) const NUT: Question = Question {
    service: "nut",
    ports: &[3493],
    say: |_| b"VER\n".to_vec(),
    read: |octets| told(nut(octets)),
    source: "Network UPS Tools, network protocol: VER",
};

/// `Network UPS Tools upsd 2.8.0 - https://www.networkupstools.org/`, or an error that only it has.
fn nut(octets: &[u8]) -> Result<Shown, Less> {
    let shown = Shown::service("nut");
    match after(octets, b"Network UPS Tools upsd ") {
        Ok(rest) => {
            let (said, _) = line(rest)?;
            let version = said.split(|octet| *octet == b' ').next().and_then(text);
            return Ok(shown.by(product("Network UPS Tools", version)));
        }
        Err(Less::Unfinished) => return Err(Less::Unfinished),
        Err(Less::Foreign) => {}
    }
    after(octets, b"ERR UNKNOWN-COMMAND\n")?;
    Ok(shown.by(product("Network UPS Tools", None)))
}

pub(super) const ZABBIX: Question = Question {
    service: "zabbix-agent",
    ports: &[10050, 10051],
    say: |_| b"ZBXD\x01\x0d\0\0\0\0\0\0\0agent.version".to_vec(),
    read: |octets| told(zabbix(octets)),
    source: "Zabbix, header and passive agent checks: agent.version",
};

/// The agent answers with a value, the server with a JSON that says it failed.
fn zabbix(octets: &[u8]) -> Result<Shown, Less> {
    is(octets, 0, b"ZBXD\x01")?;
    let length = need(little_double(octets, 5))?;
    only(length <= 4096)?;
    let body = need(slice(octets, 13, usize::try_from(length).unwrap_or(LINE)))?;
    if find(body, b"\"response\"").is_some() {
        return Ok(Shown::service("zabbix-trapper").by(product("Zabbix server", json(body, "version"))));
    }
    let version = json(body, "value").or_else(|| text(until_zero(body)));
    let version = version.filter(|version| version.starts_with(|c: char| c.is_ascii_digit()));
    let open = if version.is_some() { Guard::Open("answers agent.version") } else { Guard::Untold };
    Ok(Shown::service("zabbix-agent").by(product("Zabbix agent", version)).guarded(open))
}
