//! What happened on the wire, as facts. What it means is [`State`]'s business, and said there once.

use std::{fmt, net::IpAddr};

use super::{Reason, State};

/// The outcome of one probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Evidence {
    /// A TCP connection was established: the three-way handshake completed.
    Connected,
    /// A SYN-ACK to a raw SYN. Not yet a service: 16 to 40 % of what answers so never takes data
    /// ("LZR", USENIX Security 2021).
    SynAck {
        /// The window it offers; a SYN proxy often offers none.
        window: u16,
        /// Whether it carries any TCP option; a SYN proxy's often carries none.
        options: bool,
    },
    /// A RST to a raw SYN (RFC 9293 3.10.7.1).
    Reset,
    /// The connection was refused by a RST (RFC 9293 3.10.7.1).
    Refused,
    /// A datagram that answers ours.
    Reply {
        /// The number of the payload that it answers, in the table of `probe::udp`.
        payload: u16,
    },
    /// The target's own ICMP port unreachable to a datagram: nothing listens there (RFC 1122 4.1.3.1).
    NoListener,
    /// An ICMP error that quotes our probe.
    Unreachable {
        /// Its type and code, by meaning.
        what: Unreachable,
        /// Who sent it, where the kernel tells.
        sender: Option<IpAddr>,
    },
    /// Nothing came back for as long as we were willing to wait.
    Silence,
    /// The probe never left, or we could not listen: our own trouble, never the network's.
    Local(LocalError),
}

/// ICMP destination unreachable and time exceeded (RFC 792, 1122, 1812, 4443), by meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unreachable {
    /// Type 3 codes 0, 6, 8, 11; ICMPv6 1/0. Soft (RFC 1122 4.2.3.9): routes come back.
    Net,
    /// Type 3 codes 1, 7, 12; ICMPv6 1/3. Soft.
    Host,
    /// Type 3 code 2; ICMPv6 4/1.
    Protocol,
    /// Type 3 code 3; ICMPv6 1/4. The usual `reject` of a firewall when the probe was TCP.
    Port,
    /// Type 3 code 9.
    NetProhibited,
    /// Type 3 code 10.
    HostProhibited,
    /// Type 3 code 13 (and 14, 15); ICMPv6 1/1, 1/5, 1/6.
    AdminProhibited,
    /// Type 11; ICMPv6 3. Soft: a routing loop or a path that is longer than our TTL.
    TimeExceeded,
    /// An unreachable whose code the kernel did not tell or the standards do not name. Soft.
    Other,
}

impl Unreachable {
    /// The meaning of an ICMPv4 type and code; `None` for types that are not errors about a path.
    pub fn from_icmp4(kind: u8, code: u8) -> Option<Self> {
        match (kind, code) {
            (3, 0 | 6 | 8 | 11) => Some(Self::Net),
            (3, 1 | 7 | 12) => Some(Self::Host),
            (3, 2) => Some(Self::Protocol),
            (3, 3) => Some(Self::Port),
            (3, 9) => Some(Self::NetProhibited),
            (3, 10) => Some(Self::HostProhibited),
            (3, 13..=15) => Some(Self::AdminProhibited),
            (3, _) => Some(Self::Other),
            (11, _) => Some(Self::TimeExceeded),
            _ => None,
        }
    }

    /// The meaning of an ICMPv6 type and code (RFC 4443 3.1, 3.3, 3.4).
    pub fn from_icmp6(kind: u8, code: u8) -> Option<Self> {
        match (kind, code) {
            (1, 0) => Some(Self::Net),
            (1, 1 | 5 | 6) => Some(Self::AdminProhibited),
            (1, 3) => Some(Self::Host),
            (1, 4) => Some(Self::Port),
            (1, _) => Some(Self::Other),
            (3, _) => Some(Self::TimeExceeded),
            (4, 1) => Some(Self::Protocol),
            _ => None,
        }
    }

    /// The meaning of a reason in nmap's words; `None`: no ICMP error is the reason. `Other` has the word of `Host`.
    pub fn of(reason: Reason) -> Option<Self> {
        Some(match reason {
            Reason::NetUnreach => Self::Net,
            Reason::HostUnreach => Self::Host,
            Reason::ProtoUnreach => Self::Protocol,
            Reason::PortUnreach => Self::Port,
            Reason::NetProhibited => Self::NetProhibited,
            Reason::HostProhibited => Self::HostProhibited,
            Reason::AdminProhibited => Self::AdminProhibited,
            Reason::TimeExceeded => Self::TimeExceeded,
            _ => return None,
        })
    }

    /// Whether asking again can still change the answer. Only a prohibition, and a port or protocol
    /// unreachable, is somebody's decision; the rest is weather.
    pub fn is_soft(self) -> bool {
        matches!(self, Self::Net | Self::Host | Self::TimeExceeded | Self::Other)
    }
}

/// What failed on our side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LocalError {
    /// No descriptor left (EMFILE, ENFILE). Passes.
    Descriptors,
    /// No local port or address left (EADDRNOTAVAIL, EADDRINUSE). Passes.
    LocalPorts,
    /// No buffer left (ENOBUFS, ENOMEM, EAGAIN). Passes.
    Buffers,
    /// No route from here (ENETUNREACH, EHOSTUNREACH before anything was sent, EINVAL of a blackhole).
    NoRoute,
    /// This host's own rules forbid it (EPERM, EACCES, or our own firewall's ICMP).
    Forbidden,
    /// This host has no address of that family (EAFNOSUPPORT).
    NoFamily,
    /// Any other error number.
    Other(i32),
}

impl LocalError {
    /// Whether the same probe may succeed a little later, when we ask for less.
    pub fn is_transient(self) -> bool {
        matches!(self, Self::Descriptors | Self::LocalPorts | Self::Buffers)
    }
}

impl fmt::Display for LocalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Descriptors => f.write_str("no file descriptor left on this machine"),
            Self::LocalPorts => f.write_str("no local port left on this machine"),
            Self::Buffers => f.write_str("no socket buffer left on this machine"),
            Self::NoRoute => f.write_str("this machine has no route there"),
            Self::Forbidden => f.write_str("this machine's own rules forbid it"),
            Self::NoFamily => f.write_str("this machine has no address of that family"),
            Self::Other(errno) => write!(f, "error {errno} on this machine"),
        }
    }
}

impl Evidence {
    /// What this evidence alone means. Silence means `filtered` or `unanswered` only after every
    /// attempt that was planned, so here it means nothing yet.
    pub fn state(self) -> Option<State> {
        match self {
            Self::Connected | Self::SynAck { .. } | Self::Reply { .. } => Some(State::Open),
            Self::Refused | Self::Reset | Self::NoListener => Some(State::Closed),
            Self::Unreachable { what, .. } if !what.is_soft() => Some(State::Filtered),
            Self::Unreachable { .. } | Self::Silence | Self::Local(_) => None,
        }
    }

    /// Who sent it, where it is an ICMP error and the kernel tells.
    pub fn sender(self) -> Option<IpAddr> {
        match self {
            Self::Unreachable { sender, .. } => sender,
            Self::Connected
            | Self::SynAck { .. }
            | Self::Reply { .. }
            | Self::NoListener
            | Self::Refused
            | Self::Reset
            | Self::Silence
            | Self::Local(_) => None,
        }
    }

    /// The number of the payload that it answers, where it is a reply over UDP.
    pub fn payload(self) -> Option<u16> {
        match self {
            Self::Reply { payload } => Some(payload),
            _ => None,
        }
    }

    /// The reason in nmap's words.
    pub fn reason(self) -> Reason {
        match self {
            Self::Connected | Self::SynAck { .. } => Reason::SynAck,
            Self::Reply { .. } => Reason::UdpResponse,
            Self::NoListener => Reason::PortUnreach,
            Self::Refused => Reason::ConnRefused,
            Self::Reset => Reason::Reset,
            Self::Silence => Reason::NoResponse,
            Self::Unreachable { what, .. } => match what {
                Unreachable::Net => Reason::NetUnreach,
                Unreachable::Host | Unreachable::Other => Reason::HostUnreach,
                Unreachable::Protocol => Reason::ProtoUnreach,
                Unreachable::Port => Reason::PortUnreach,
                Unreachable::NetProhibited => Reason::NetProhibited,
                Unreachable::HostProhibited => Reason::HostProhibited,
                Unreachable::AdminProhibited => Reason::AdminProhibited,
                Unreachable::TimeExceeded => Reason::TimeExceeded,
            },
            Self::Local(error) => Reason::Local(error),
        }
    }
}

impl fmt::Display for Evidence {
    /// One clause for a person: what came back, and from whom.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connected => f.write_str("handshake completed"),
            Self::SynAck { window, options } => {
                f.write_str("SYN-ACK")?;
                match (window, options) {
                    (0, true) => f.write_str(" with window 0"),
                    (0, false) => f.write_str(" with window 0 and no options"),
                    (_, false) => f.write_str(" without options"),
                    (_, true) => Ok(()),
                }
            }
            Self::Reply { .. } => f.write_str("reply"),
            Self::NoListener => f.write_str("ICMP port unreachable from the target itself"),
            Self::Refused => f.write_str("connection refused (RST)"),
            Self::Reset => f.write_str("RST"),
            Self::Silence => f.write_str("no answer"),
            Self::Local(error) => write!(f, "not sent: {error}"),
            Self::Unreachable { sender, .. } => {
                write!(f, "ICMP {}", self.reason())?;
                sender.map_or(Ok(()), |sender| write!(f, " from {sender}"))
            }
        }
    }
}
