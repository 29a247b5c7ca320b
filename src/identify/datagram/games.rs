//! Games and Mumble: names, versions, players.

use super::{Identity, text};
use crate::identify::octets::{double, find, octet, until_zero, word};

/// Version and users (Mumble protocol documentation, server ping).
pub(super) fn mumble(octets: &[u8]) -> Option<Identity> {
    let version = double(octets, 0)?;
    let [_, major, minor, patch] = version.to_be_bytes();
    let detail = format!("{} of {} users", double(octets, 12)?, double(octets, 16)?);
    let (product, version) = (Some("Mumble".to_owned()), Some(format!("{major}.{minor}.{patch}")));
    Some(Identity { product, version, detail: None }.and(Some(detail)))
}

/// Name, map and game (Valve developer wiki, Server queries: `A2S_INFO`).
pub(super) fn source(octets: &[u8]) -> Option<Identity> {
    match octet(octets, 4)? {
        b'A' => Some(Identity::detail("asks for a challenge first")),
        b'I' => {
            let mut texts = octets.get(6..)?.split(|octet| *octet == 0);
            let mut next = || texts.next().and_then(text);
            let (name, map, _, game) = (next()?, next(), next(), next());
            let detail = [Some(name), map].into_iter().flatten().collect::<Vec<_>>().join(", map ");
            Some(Identity { product: game, version: None, detail: None }.and(Some(detail)))
        }
        b'm' => {
            let mut texts = octets.get(5..)?.split(|octet| *octet == 0).skip(1);
            Some(Identity::detail(texts.next().and_then(text)?))
        }
        _ => None,
    }
}

/// `\key\value` pairs: the server's name, its game and its protocol.
pub(super) fn quake(octets: &[u8]) -> Option<Identity> {
    let pairs = octets.get(find(octets, b"\\")?.checked_add(1)?..)?;
    let parts: Vec<&[u8]> = pairs.split(|octet| *octet == b'\\').take(128).collect();
    let value = |wanted: &str| {
        let pair = parts.chunks_exact(2).find(|pair| pair.first() == Some(&wanted.as_bytes()))?;
        text(pair.get(1)?)
    };
    let product = value("gamename").or_else(|| value("game"));
    Some(Identity { product, version: value("protocol"), detail: value("hostname") })
}

/// `MCPE;name;protocol;version;...` behind the pong.
pub(super) fn bedrock(octets: &[u8]) -> Option<Identity> {
    let length = usize::from(word(octets, 33)?);
    let said = octets.get(35..)?;
    let said = until_zero(said.get(..length).unwrap_or(said));
    let parts: Vec<&[u8]> = said.split(|octet| *octet == b';').take(8).collect();
    let part = |at: usize| parts.get(at).and_then(|part| text(part));
    let product = part(0).filter(|edition| edition == "MCPE").map(|_| "Minecraft Bedrock".to_owned());
    Some(Identity { product, version: part(3), detail: part(1) })
}
