//! Brokers and coordinators. Opens no session and subscribes to nothing.

use crate::identify::{
    Identity,
    octets::{double, find, octet, slice, word},
    stream::{Guard, LINE, Less, Question, Shown, after, is, line, need, only, product, told},
    text,
};

pub(super) const AMQP: Question = Question {
    service: "amqp",
    ports: &[5671, 5672],
    say: |_| b"AMQP\0\0\x09\x01".to_vec(),
    read: |octets| told(amqp(octets)),
    source: "AMQP 0-9-1 sections 2.2.4 and 4.2.2: a header, which opens nothing",
};

/// `Connection.Start` (AMQP 0-9-1 section 1.4.2.1), or the header that the server would rather have.
fn amqp(octets: &[u8]) -> Result<Shown, Less> {
    let shown = Shown::service("amqp");
    match after(octets, b"AMQP") {
        Ok(version) => {
            let version = need(slice(version, 0, 4))?;
            let numbers: Vec<String> = version.iter().skip(1).map(u8::to_string).collect();
            return Ok(shown.detail(Some(format!("AMQP {}", numbers.join(".")))));
        }
        Err(Less::Unfinished) => return Err(Less::Unfinished),
        Err(Less::Foreign) => {}
    }
    is(octets, 0, &[1, 0, 0])?;
    is(octets, 7, &[0, 10, 0, 10, 0, 9])?;
    let length = need(double(octets, 3))?;
    only((16..=65_536).contains(&length))?;
    let frame = need(slice(octets, 7, usize::try_from(length).unwrap_or(LINE)))?;
    // Entries of a table: a short name, a type, a long text.
    let value = |name: &[u8]| {
        let at = find(frame, name)? + name.len();
        text(slice(frame, at + 4, usize::try_from(double(frame, at)?).ok()?)?)
    };
    let table = usize::try_from(double(frame, 6).unwrap_or_default()).unwrap_or_default().min(65_536);
    let mechanisms = double(frame, 10 + table)
        .and_then(|length| text(slice(frame, 14 + table, usize::try_from(length).ok()?)?));
    let identity = Identity {
        product: value(b"\x07productS"),
        version: value(b"\x07versionS"),
        detail: mechanisms.map(|names| format!("mechanisms {names}")),
    };
    Ok(shown.by(identity))
}

/// A protocol level that no server has, so that it has to say no and no session begins.
pub(super) const MQTT: Question = Question {
    service: "mqtt",
    ports: &[1883, 8883],
    say: |_| b"\x10\x15\0\x04MQTT\x7f\x02\0\0\0\x09portproof".to_vec(),
    read: |octets| told(mqtt(octets)),
    source: "MQTT 3.1.1 section 3.1.2.2, MQTT 5.0 section 3.1.2.2",
};

/// CONNACK (MQTT 3.1.1 section 3.2, MQTT 5.0 section 3.2), and nothing behind it.
fn mqtt(octets: &[u8]) -> Result<Shown, Less> {
    is(octets, 0, &[0x20])?;
    let length = need(octet(octets, 1))?;
    only((2..=127).contains(&length))?;
    is(octets, 2, &[0])?;
    let code = need(octet(octets, 3))?;
    only(octets.len() <= usize::from(length) + 2)?;
    only(matches!(code, 0..=5) && length == 2 || matches!(code, 0x80..=0x9f) && length > 2)?;
    need(slice(octets, 0, usize::from(length) + 2))?;
    let shown = Shown::service("mqtt");
    Ok(match code {
        // It let us in all the same.
        0 => shown.guarded(Guard::Open("asks for no credentials")),
        4 | 5 | 0x86 | 0x87 => shown.detail(Some("wants credentials".to_owned())),
        _ => shown,
    })
}

pub(super) const KAFKA: Question = Question {
    service: "kafka",
    ports: &[9092],
    say: |_| b"\0\0\0\x13\0\x12\0\0port\0\x09portproof".to_vec(),
    read: |octets| told(kafka(octets)),
    source: "Apache Kafka protocol, ApiVersions (key 18) v0, which needs no login",
};

/// Our correlation id, an error, and how many requests it knows: six octets each.
fn kafka(octets: &[u8]) -> Result<Shown, Less> {
    is(octets, 0, &[0, 0])?;
    is(octets, 4, b"port")?;
    let (length, error) = (need(word(octets, 2))?, need(word(octets, 8))?);
    let count = need(double(octets, 10))?;
    only(u32::from(length) == 10 + 6 * count.min(10_000))?;
    need(slice(octets, 4, length.into()))?;
    let words = if error == 0 { format!("knows {count} requests") } else { format!("error {error}") };
    Ok(Shown::service("kafka").detail(Some(words)))
}

pub(super) const ZOOKEEPER: Question = Question {
    service: "zookeeper",
    ports: &[2181],
    say: |_| b"srvr".to_vec(),
    read: |octets| told(zookeeper(octets)),
    source: "ZooKeeper administrator's guide, four letter words",
};

fn zookeeper(octets: &[u8]) -> Result<Shown, Less> {
    let shown = Shown::service("zookeeper");
    let version = match after(octets, b"Zookeeper version: ") {
        Ok(rest) => {
            let (said, _) = line(rest)?;
            let version = said.split(|octet| b",-".contains(octet)).next().and_then(text);
            return Ok(shown.by(product("ZooKeeper", version)));
        }
        Err(less) => less,
    };
    let refusals = [
        &b"srvr is not executed because it is not in the whitelist"[..],
        b"This ZooKeeper instance is not currently",
    ];
    for refusal in refusals {
        match after(octets, refusal) {
            Ok(_) => return Ok(shown.by(product("ZooKeeper", None))),
            Err(Less::Unfinished) => return Err(Less::Unfinished),
            Err(Less::Foreign) => {}
        }
    }
    Err(version)
}
