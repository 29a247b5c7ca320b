//! Databases and caches. Begins their handshakes and breaks off before anybody has a name.

use crate::identify::{
    octets::{between, double, find, little_double, octet, slice, word},
    stream::{Guard, LINE, Less, Question, Shown, after, is, line, need, only, product, told},
    text,
};

pub(super) const POSTGRESQL: Question = Question {
    service: "postgresql",
    ports: &[5432, 5433, 6432, 26257],
    say: |_| vec![0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f],
    read: |octets| told(postgresql(octets)),
    source: "PostgreSQL, frontend/backend protocol, SSLRequest",
};

/// One octet, or an error in full.
fn postgresql(octets: &[u8]) -> Result<Shown, Less> {
    let shown = Shown::service("postgresql");
    match octets {
        b"S" => return Ok(shown.guarded(Guard::Upgradable)),
        b"N" => return Ok(shown.guarded(Guard::Cleartext("offers no TLS"))),
        _ => {}
    }
    is(octets, 0, b"E\0\0")?;
    let length = need(double(octets, 1))?;
    only((8..=LINE_LENGTH).contains(&length))?;
    is(octets, 5, b"S")?;
    let severity = octets.get(6..).unwrap_or_default();
    let known = |severity: &[u8]| severity.starts_with(b"FATAL") || severity.starts_with(b"ERROR");
    only(severity.len() < 5 || known(severity))?;
    let fields = need(slice(octets, 5, usize::try_from(length).unwrap_or(LINE) - 4))?;
    let words = fields.split(|octet| *octet == 0).find_map(|field| field.strip_prefix(b"M")).and_then(text);
    Ok(shown.detail(words))
}

/// The same as [`LINE`].
const LINE_LENGTH: u32 = 2048;

pub(super) const REDIS: Question = Question {
    service: "redis",
    ports: &[6379, 6380, 26379],
    say: |_| b"PING\r\n".to_vec(),
    read: |octets| told(redis(octets)),
    source: "Redis, PING, as an inline command",
};

/// Errors by which Redis is known; POP3 has others after its `-ERR`.
const REDIS_ERRORS: &[&str] = &[
    "-NOAUTH ",
    "-DENIED ",
    "-NOPERM ",
    "-LOADING ",
    "-MASTERDOWN ",
    "-MISCONF ",
    "-WRONGPASS ",
    "-ERR unknown command",
    "-ERR wrong number of arguments for",
    "-ERR operation not permitted",
    "-ERR max number of clients reached",
    "-ERR Protocol error",
];

fn redis(octets: &[u8]) -> Result<Shown, Less> {
    only(octets.first().is_none_or(|first| b"+-".contains(first)))?;
    let begins = |words: &str| after(octets, words.as_bytes()).map(drop);
    let shown = Shown::service("redis");
    match begins("+PONG\r\n") {
        Err(Less::Foreign) => {}
        Err(less) => return Err(less),
        Ok(()) => return Ok(shown.guarded(Guard::Open("answers PING without a password"))),
    }
    let errors: Vec<_> = REDIS_ERRORS.iter().map(|error| begins(error)).collect();
    if errors.contains(&Ok(())) {
        let (said, _) = line(octets)?;
        return Ok(shown.saying(said));
    }
    Err(if errors.contains(&Err(Less::Unfinished)) { Less::Unfinished } else { Less::Foreign })
}

pub(super) const MONGODB: Question = Question {
    service: "mongodb",
    ports: &[27017, 27018, 27019],
    say: |_| message(b"\x10hello\0\x01\0\0\0\x02$db\0\x06\0\0\0admin\0"),
    read: |octets| told(mongodb(octets)),
    source: "MongoDB wire protocol, OP_MSG; hello, which needs no login",
};

/// The id of our question.
const ASKED: [u8; 4] = *b"port";

/// `OP_MSG` with one document.
fn message(elements: &[u8]) -> Vec<u8> {
    let little = |length: usize| u32::try_from(length).unwrap_or_default().to_le_bytes();
    let document = [&little(elements.len() + 5)[..], elements, &[0]].concat();
    let body = [&[0; 4][..], &[0], &document].concat();
    [&little(body.len() + 16)[..], &ASKED, &[0; 4], &2013_u32.to_le_bytes(), &body].concat()
}

fn mongodb(octets: &[u8]) -> Result<Shown, Less> {
    let length = need(little_double(octets, 0))?;
    only((26..=65_536).contains(&length))?;
    is(octets, 8, &ASKED)?;
    is(octets, 12, &2013_u32.to_le_bytes())?;
    let reply = need(slice(octets, 0, usize::try_from(length).unwrap_or(usize::MAX)))?;
    let key = b"\x10maxWireVersion\0";
    let wire = find(reply, key).and_then(|at| little_double(reply, at + key.len()));
    let release = wire.map(release);
    let detail = wire.map(|wire| format!("wire version {wire}"));
    Ok(Shown::service("mongodb").by(product("MongoDB", release.flatten()).and(detail)))
}

/// The release of a wire version (`MongoDB`, wire version and server release).
fn release(wire: u32) -> Option<String> {
    let release = match wire {
        6 => "3.6",
        7 => "4.0",
        8 => "4.2",
        9 => "4.4",
        13 => "5.0",
        17 => "6.0",
        21 => "7.0",
        25 => "8.0",
        _ => return None,
    };
    Some(release.to_owned())
}

pub(super) const MEMCACHED: Question = Question {
    service: "memcached",
    ports: &[11211],
    say: |_| b"version\r\n".to_vec(),
    read: |octets| told(memcached(octets)),
    source: "memcached, protocol.txt: version",
};

fn memcached(octets: &[u8]) -> Result<Shown, Less> {
    let shown = Shown::service("memcached");
    match after(octets, b"VERSION ") {
        Ok(_) => {
            let (said, _) = line(octets)?;
            let version = said.get(8..).unwrap_or_default();
            only(version.first().is_some_and(u8::is_ascii_digit))?;
            let identity = product("memcached", text(version));
            Ok(shown.by(identity).guarded(Guard::Open("answers without authentication")))
        }
        // Once for each line that it does not know.
        Err(Less::Foreign) => {
            after(octets, b"ERROR\r\n")?;
            only(octets.chunks(7).all(|chunk| b"ERROR\r\n".starts_with(chunk)))?;
            Ok(shown)
        }
        Err(less) => Err(less),
    }
}

pub(super) const SQL_SERVER: Question = Question {
    service: "ms-sql-s",
    ports: &[1433],
    say: |_| {
        let options = [0, 0, 26, 0, 6, 1, 0, 32, 0, 1, 2, 0, 33, 0, 1, 3, 0, 34, 0, 4, 4, 0, 38, 0, 1, 0xff];
        // No version of ours, encryption if need be, no instance, no thread, no sessions at once.
        [&[0x12, 1, 0, 47, 0, 0, 0, 0][..], &options, &[0; 13]].concat()
    },
    read: |octets| told(sql_server(octets)),
    source: "MS-TDS section 2.2.6.5, PRELOGIN",
};

fn sql_server(octets: &[u8]) -> Result<Shown, Less> {
    is(octets, 0, &[4, 1, 0])?;
    is(octets, 4, &[0, 0])?;
    is(octets, 8, &[0, 0])?;
    let length = usize::from(need(word(octets, 2))?);
    only((26..=255).contains(&length))?;
    let options = need(slice(octets, 8, length - 8))?;
    // Tokens of five octets: which, where, how long.
    let value = |wanted: u8| {
        let token = options.chunks(5).take_while(|token| token.first() != Some(&0xff));
        let token = token.into_iter().find(|token| token.first() == Some(&wanted))?;
        slice(options, word(token, 1)?.into(), word(token, 3)?.into())
    };
    let version = value(0).ok_or(Less::Foreign)?;
    let build = word(version, 2).ok_or(Less::Foreign)?;
    let (major, minor) = (octet(version, 0).unwrap_or_default(), octet(version, 1).unwrap_or_default());
    let guard = match value(1).and_then(|encryption| octet(encryption, 0)) {
        Some(2) => Guard::Cleartext("offers no TLS"),
        Some(0 | 1 | 3) => Guard::Upgradable,
        _ => Guard::Untold,
    };
    let identity = product("Microsoft SQL Server", Some(format!("{major}.{minor}.{build}")));
    Ok(Shown::service("ms-sql-s").by(identity).guarded(guard))
}

pub(super) const ORACLE: Question = Question {
    service: "oracle-tns",
    ports: &[1521, 1522, 1525, 2483],
    say: |_| {
        let data = b"(CONNECT_DATA=(COMMAND=VERSION))";
        let length = u16::try_from(data.len()).unwrap_or_default();
        let head = [
            1, 0x36, 1, 0x2c, 0, 0, 8, 0, 0x7f, 0xff, 0x7f, 8, 0, 0, 0, 1, // versions, sizes
        ];
        let [l0, l1] = length.to_be_bytes();
        let [t0, t1] = (length + 58).to_be_bytes();
        let place = [l0, l1, 0, 58, 0, 0, 0, 0, 0, 0];
        [&[t0, t1, 0, 0, 1, 0, 0, 0][..], &head, &place, &[0; 24], data].concat()
    },
    read: |octets| told(oracle(octets)),
    source: "Oracle Net, TNS connect packet; VERSION is what lsnrctl asks of a listener",
};

/// Accepted (2), refused (4), or asked to say it again (11), in a packet of its length.
fn oracle(octets: &[u8]) -> Result<Shown, Less> {
    let length = usize::from(need(word(octets, 0))?);
    only((8..=2048).contains(&length))?;
    is(octets, 2, &[0, 0])?;
    let kind = need(octet(octets, 4))?;
    only(matches!(kind, 2 | 4 | 11))?;
    is(octets, 6, &[0, 0])?;
    let packet = need(slice(octets, 8, length - 8))?;
    only(match kind {
        2 => length >= 24 && word(packet, 0).is_some_and(|version| (300..400).contains(&version)),
        4 => find(packet, b"(DESCRIPTION=").is_some(),
        _ => length == 8,
    })?;
    let number = between(packet, "(VSNNUM=", ")").and_then(text).and_then(|number| number.parse().ok());
    // What follows an acceptance says it in words.
    let words = between(octets, "TNSLSNR for ", " - ").and_then(text);
    let words = words.and_then(|words| words.split("Version ").nth(1).map(str::to_owned));
    Ok(Shown::service("oracle-tns").by(product("Oracle listener", words.or_else(|| number.map(release_of)))))
}

/// Five parts in 32 bits, which are cut in other places since release 18 (Oracle, `V$VERSION` and `VSNNUM`).
fn release_of(number: u32) -> String {
    let [a, b, c, d] = number.to_be_bytes();
    if a >= 18 {
        return format!("{a}.{b}.{}.{}.{}", c >> 4, (c & 15) << 4 | d >> 4, d & 15);
    }
    format!("{a}.{}.{}.{}.{d}", b >> 4, (b & 15) << 4 | c >> 4, c & 15)
}

pub(super) const CASSANDRA: Question = Question {
    service: "cassandra",
    ports: &[9042, 9142],
    say: |_| vec![4, 0, 0, 0x50, 5, 0, 0, 0, 0],
    read: |octets| told(cassandra(octets)),
    source: "CQL binary protocol v4, sections 2 and 4.1.3: OPTIONS, before any login",
};

fn cassandra(octets: &[u8]) -> Result<Shown, Less> {
    let version = need(octet(octets, 0))?;
    only((0x83..=0x85).contains(&version))?;
    is(octets, 1, &[0])?;
    let stream = need(word(octets, 2))?;
    only(matches!(stream, 0 | 0x50))?;
    let kind = need(octet(octets, 4))?;
    let length = need(double(octets, 5))?;
    only(length <= LINE_LENGTH && matches!(kind, 0 | 6))?;
    let body = need(slice(octets, 9, usize::try_from(length).unwrap_or(LINE)))?;
    let shown = Shown::service("cassandra").by(product("Cassandra", None));
    if kind == 0 {
        let words = word(body, 4).and_then(|length| text(slice(body, 6, length.into())?));
        return Ok(shown.detail(words));
    }
    let key = b"\0\x0bCQL_VERSION\0";
    let at = find(body, key).ok_or(Less::Foreign)? + key.len();
    // A list of texts; the first of them.
    let first = word(body, at + 1).and_then(|length| text(slice(body, at + 3, length.into())?));
    Ok(shown.detail(first.map(|version| format!("CQL {version}"))))
}

/// Versions 5.0 to 5.4, 4.2 to 4.4, 4.1, 3.
pub(super) const BOLT: Question = Question {
    service: "bolt",
    ports: &[7687],
    say: |_| vec![0x60, 0x60, 0xb0, 0x17, 0, 4, 4, 5, 0, 2, 4, 4, 0, 0, 1, 4, 0, 0, 0, 3],
    read: |octets| told(bolt(octets)),
    source: "Bolt protocol handshake specification",
};

/// The version that it chose, and nothing behind it.
fn bolt(octets: &[u8]) -> Result<Shown, Less> {
    is(octets, 0, &[0, 0])?;
    only(octets.len() <= 4)?;
    let (minor, major) = (need(octet(octets, 2))?, need(octet(octets, 3))?);
    only(matches!((major, minor), (5, 0..=4) | (4, 1..=4) | (3, 0)))?;
    Ok(Shown::service("bolt").detail(Some(format!("Bolt {major}.{minor}"))))
}
