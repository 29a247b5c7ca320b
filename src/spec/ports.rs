//! Ports as people write them: `443/tcp`, `8000-8010/udp`, `443`. Knows no service names.

use thiserror::Error;

use crate::model::{PortSet, PortSetError, Protocol};

/// What is wrong with a port specification.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[allow(missing_docs)] // the message says it
pub enum PortSpecError {
    #[error("`{0}` is not a protocol; write `tcp` or `udp` after the port, as in `443/tcp`")]
    Protocol(String),
    #[error("`{0}` names no port")]
    NoPort(String),
    #[error(transparent)]
    Ports(#[from] PortSetError),
}

/// Reads `22/tcp`, `8000-8010/udp`, or `443`, which is TCP. The set is never empty.
pub fn parse_port_spec(text: &str) -> Result<(Protocol, PortSet), PortSpecError> {
    let (ports, protocol) = text.trim().split_once('/').unwrap_or((text, "tcp"));
    let protocol = match protocol.trim() {
        word if word.eq_ignore_ascii_case("tcp") => Protocol::Tcp,
        word if word.eq_ignore_ascii_case("udp") => Protocol::Udp,
        word => return Err(PortSpecError::Protocol(word.to_owned())),
    };
    let ports = PortSet::parse(ports)?;
    if ports.is_empty() { Err(PortSpecError::NoPort(text.to_owned())) } else { Ok((protocol, ports)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_without_a_protocol_is_tcp() {
        assert_eq!(parse_port_spec("443"), Ok((Protocol::Tcp, PortSet::single(443))));
        assert_eq!(parse_port_spec(" 53/udp "), Ok((Protocol::Udp, PortSet::single(53))));
        assert_eq!(
            parse_port_spec("8000-8010/TCP"),
            Ok((Protocol::Tcp, PortSet::from_ranges([(8000, 8010)])))
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(parse_port_spec("443/sctp"), Err(PortSpecError::Protocol("sctp".into())));
        assert_eq!(parse_port_spec("tcp/443"), Err(PortSpecError::Protocol("443".into())));
        assert_eq!(parse_port_spec("none/udp"), Err(PortSpecError::NoPort("none/udp".into())));
        assert_eq!(parse_port_spec("0/tcp"), Err(PortSpecError::Ports(PortSetError::Zero)));
        assert_eq!(parse_port_spec("9-3/tcp"), Err(PortSpecError::Ports(PortSetError::Backwards(9, 3))));
        assert_eq!(
            parse_port_spec("https/tcp"),
            Err(PortSpecError::Ports(PortSetError::NotAPort("https".into())))
        );
        assert_eq!(parse_port_spec("/tcp"), Err(PortSpecError::Ports(PortSetError::Empty)));
    }
}
