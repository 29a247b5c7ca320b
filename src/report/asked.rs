//! The ports that were asked of a target, as a report writes them: `1-65535; udp 53,123`.

use std::{fmt, str::FromStr};

use crate::model::{PortSet, PortSetError, Protocol};

/// Ports of both protocols.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) tcp: PortSet,
    pub(crate) udp: PortSet,
}

impl Asked {
    /// Those of one protocol.
    pub(crate) fn of(&self, protocol: Protocol) -> &PortSet {
        match protocol {
            Protocol::Tcp => &self.tcp,
            Protocol::Udp => &self.udp,
        }
    }

    /// What either of them has.
    pub(crate) fn union(&self, other: &Self) -> Self {
        Self { tcp: self.tcp.union(&other.tcp), udp: self.udp.union(&other.udp) }
    }

    /// How many endpoints they are at one address.
    pub(crate) fn len(&self) -> u64 {
        u64::from(self.tcp.len()) + u64::from(self.udp.len())
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tcp.fmt(f)?;
        if self.udp.is_empty() { Ok(()) } else { write!(f, "; udp {}", self.udp) }
    }
}

impl FromStr for Asked {
    type Err = PortSetError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (tcp, udp) = text.split_once("; udp ").unwrap_or((text, "none"));
        Ok(Self { tcp: PortSet::parse(tcp)?, udp: PortSet::parse(udp)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for text in ["1-65535; udp 53,123", "22,443", "none; udp 53", "none"] {
            let asked: Asked = text.parse().unwrap();
            assert_eq!(asked.to_string(), text);
            assert_eq!(asked.len(), u64::from(asked.tcp.len() + asked.udp.len()));
        }
        for text in ["", "tcp", "1-65535; udp many", "; udp 53"] {
            assert!(text.parse::<Asked>().is_err(), "{text}");
        }
    }
}
