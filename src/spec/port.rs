//! Ports as written: one endpoint's (`443`, `53/udp`, `8000-8010`) and sets to sweep (`all`,
//! `common`, names of services). Never takes a word for a number.

use super::{nearest::nearest, read::Names};
use crate::model::{PortSet, PortSetError, Protocol};

/// Why a text names no ports, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortError {
    /// Without full stop.
    pub message: String,
    /// The cure.
    pub help: Option<String>,
}

/// Reads `443` (TCP), `22/tcp`, `53/udp`, `8000-8010/tcp`, `80,443`.
pub fn entry(text: &str) -> Result<(Protocol, PortSet), PortError> {
    let (ports, protocol) = match text.trim().split_once('/') {
        None => (text.trim(), Protocol::Tcp),
        Some((ports, word)) => (ports.trim(), protocol(word.trim())?),
    };
    if matches!(ports, "all" | "-" | "none" | "common" | "declared") {
        let help = "declare the ports that are meant; a range is written 1-65535";
        return Err(problem(format!("`{text}` names no port of its own"), help));
    }
    // An open end may as well be a minus sign.
    for item in ports.split(',').map(str::trim) {
        let whole = match (item.strip_prefix('-'), item.strip_suffix('-')) {
            (Some(last), _) => format!("1-{last}"),
            (_, Some(first)) => format!("{first}-65535"),
            (None, None) => continue,
        };
        return Err(problem(
            format!("`{text}` is not a port"),
            &format!("if a range is meant, write {whole}"),
        ));
    }
    match PortSet::parse(ports) {
        Ok(ports) => Ok((protocol, ports)),
        Err(PortSetError::NotAPort(word)) if ports.contains(',') => {
            Err(numbers(&PortSetError::NotAPort(word)))
        }
        Err(PortSetError::NotAPort(_)) => Err(numbers(&PortSetError::NotAPort(text.trim().to_owned()))),
        Err(error) => Err(numbers(&error)),
    }
}

/// Reads a set to sweep: `80,443`, ranges, `all`, `common`, `declared` (nothing besides what the
/// target names), `none`, names of services; also several, separated by commas.
pub fn sweep(text: &str, protocol: Protocol, names: &dyn Names) -> Result<PortSet, PortError> {
    if text.contains('/') {
        let help = format!("this is the {protocol} set: write the numbers alone");
        return Err(problem(format!("`{text}` names a protocol"), &help));
    }
    let mut set = PortSet::NONE;
    for item in text.split(',').map(str::trim) {
        let part = match item {
            "common" => names.common(protocol),
            "declared" => PortSet::NONE,
            _ => match (PortSet::parse(item), names.service_ports(item, protocol)) {
                (Ok(ports), _) => ports,
                (Err(PortSetError::NotAPort(_)), Some(ports)) if !ports.is_empty() => ports,
                (Err(PortSetError::NotAPort(word)), _) => return Err(unknown(&word, protocol, names)),
                (Err(error), _) => return Err(numbers(&error)),
            },
        };
        set = set.union(&part);
    }
    Ok(set)
}

fn protocol(word: &str) -> Result<Protocol, PortError> {
    match word.to_ascii_lowercase().as_str() {
        "tcp" => Ok(Protocol::Tcp),
        "udp" => Ok(Protocol::Udp),
        _ => Err(problem(format!("`{word}` is not a protocol"), "write `/tcp` or `/udp`")),
    }
}

fn unknown(word: &str, protocol: Protocol, names: &dyn Names) -> PortError {
    let help = match nearest(word, names.services()) {
        _ if word.bytes().all(|b| b.is_ascii_digit()) => "ports are 1-65535".to_owned(),
        Some(near) if near == word => format!("`{word}` has no {protocol} port"),
        Some(near) => format!("did you mean `{near}`?"),
        None => "write numbers, ranges, `all`, `common`, `declared`, `none` or names of services".to_owned(),
    };
    problem(format!("`{word}` is neither a port nor a service that has a name here"), &help)
}

fn numbers(error: &PortSetError) -> PortError {
    match error {
        PortSetError::Backwards(first, last) => {
            problem(format!("the range {first}-{last} runs backwards"), &format!("write {last}-{first}"))
        }
        PortSetError::NotAPort(word) => problem(
            format!("`{word}` is not a port"),
            "write a number from 1 to 65535, with `/tcp` or `/udp` behind it",
        ),
        PortSetError::Zero => {
            problem("port 0 can't be reached over a network".to_owned(), "ports are 1-65535")
        }
        PortSetError::Empty => problem("an empty port list".to_owned(), "write the ports: 80,443"),
    }
}

fn problem(message: String, help: &str) -> PortError {
    PortError { message, help: Some(help.to_owned()) }
}
