//! What evidence means: the five states of an endpoint, and why, in nmap's words.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::LocalError;

/// The state of an endpoint. A silent TCP endpoint is `Filtered`, a silent UDP one `Unanswered`;
/// `Unknown` is ours: we failed, or did not ask to the end.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Something accepts connections or answered.
    Open,
    /// The host answered that nothing listens.
    Closed,
    /// TCP silence after every attempt, or an ICMP prohibition.
    Filtered,
    /// UDP silence after every attempt: nmap's open|filtered.
    Unanswered,
    /// Not determined, through our own doing.
    Unknown,
}

impl State {
    /// Every state, in the order in which reports count them.
    pub const ALL: [Self; 5] = [Self::Open, Self::Closed, Self::Filtered, Self::Unanswered, Self::Unknown];

    /// The word used in every format.
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Filtered => "filtered",
            Self::Unanswered => "unanswered",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// Why an endpoint has its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// A SYN-ACK, or a completed handshake.
    SynAck,
    /// A datagram in reply.
    UdpResponse,
    /// A RST to a raw probe.
    Reset,
    /// A RST to `connect()`.
    ConnRefused,
    /// Silence.
    NoResponse,
    /// ICMP net unreachable.
    NetUnreach,
    /// ICMP host unreachable.
    HostUnreach,
    /// ICMP protocol unreachable.
    ProtoUnreach,
    /// ICMP port unreachable.
    PortUnreach,
    /// ICMP net prohibited.
    NetProhibited,
    /// ICMP host prohibited.
    HostProhibited,
    /// ICMP communication administratively prohibited.
    AdminProhibited,
    /// ICMP time exceeded.
    TimeExceeded,
    /// Planned and never sent: interrupted, or another shard's part.
    NotSent,
    /// Asked fewer times than planned before the run was stopped.
    Interrupted,
    /// Counted among others by whoever asked, and not listed: of the states that it may be in, the one that
    /// proves least.
    Unlisted,
    /// Told twice and differently, and nobody knows which of the two is later.
    Contradicted,
    /// Our own failure.
    Local(LocalError),
}

/// A word that is no [`Reason`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoReason;

impl FromStr for Reason {
    type Err = NoReason;

    /// Reads what `Display` wrote; the number of a local error is not among it.
    fn from_str(word: &str) -> Result<Self, NoReason> {
        let all = [
            Self::SynAck,
            Self::UdpResponse,
            Self::Reset,
            Self::ConnRefused,
            Self::NoResponse,
            Self::NetUnreach,
            Self::HostUnreach,
            Self::ProtoUnreach,
            Self::PortUnreach,
            Self::NetProhibited,
            Self::HostProhibited,
            Self::AdminProhibited,
            Self::TimeExceeded,
            Self::NotSent,
            Self::Interrupted,
            Self::Unlisted,
            Self::Contradicted,
            Self::Local(LocalError::Descriptors),
            Self::Local(LocalError::LocalPorts),
            Self::Local(LocalError::Buffers),
            Self::Local(LocalError::NoRoute),
            Self::Local(LocalError::Forbidden),
            Self::Local(LocalError::NoFamily),
            Self::Local(LocalError::Other(0)),
        ];
        all.into_iter().find(|reason| reason.word() == word).ok_or(NoReason)
    }
}

impl Reason {
    /// The word used in every format.
    pub fn word(self) -> &'static str {
        match self {
            Self::SynAck => "syn-ack",
            Self::UdpResponse => "udp-response",
            Self::Reset => "reset",
            Self::ConnRefused => "conn-refused",
            Self::NoResponse => "no-response",
            Self::NetUnreach => "net-unreach",
            Self::HostUnreach => "host-unreach",
            Self::ProtoUnreach => "proto-unreach",
            Self::PortUnreach => "port-unreach",
            Self::NetProhibited => "net-prohibited",
            Self::HostProhibited => "host-prohibited",
            Self::AdminProhibited => "admin-prohibited",
            Self::TimeExceeded => "time-exceeded",
            Self::NotSent => "not_sent",
            Self::Interrupted => "interrupted",
            Self::Unlisted => "unlisted",
            Self::Contradicted => "contradicted",
            Self::Local(LocalError::Descriptors) => "local-descriptors",
            Self::Local(LocalError::LocalPorts) => "local-ports",
            Self::Local(LocalError::Buffers) => "local-buffers",
            Self::Local(LocalError::NoRoute) => "local-no-route",
            Self::Local(LocalError::Forbidden) => "local-forbidden",
            Self::Local(LocalError::NoFamily) => "local-no-family",
            Self::Local(LocalError::Other(_)) => "local-error",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_read_as_it_is_written() {
        for word in ["syn-ack", "no-response", "admin-prohibited", "not_sent", "unlisted", "local-no-route"] {
            assert_eq!(word.parse::<Reason>().unwrap().word(), word);
        }
        assert_eq!("local-error".parse(), Ok(Reason::Local(LocalError::Other(0))));
        assert_eq!("echo-reply".parse::<Reason>(), Err(NoReason));
    }
}
