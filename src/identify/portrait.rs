//! What is known of who answers on an open TCP port, and how far it was seen to go.

use super::{
    bounded,
    datagram::{self, Secured},
    spoken::{is_over_http, spoken},
    stream::{Guard, Shown},
    tls,
};
use crate::model::Moment;

/// How far an endpoint was seen to go beyond a SYN-ACK.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rung {
    /// A connection was completed.
    Handshake,
    /// The other side acknowledged what was said to it.
    Acknowledged,
    /// It spoke first.
    Greeting,
    /// It speaks TLS.
    Tls,
    /// Its protocol is known.
    Protocol,
}

impl Rung {
    /// The word of the report.
    pub fn word(self) -> &'static str {
        match self {
            Self::Handshake => "handshake",
            Self::Acknowledged => "data_acknowledged",
            Self::Greeting => "greeting",
            Self::Tls => "tls",
            Self::Protocol => "protocol",
        }
    }
}

/// How somebody behaves whom nobody understands. What says more comes later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Manner {
    /// No further connection was completed.
    Refuses,
    /// It resets connections.
    Resets,
    /// It closes connections before anything was said.
    ClosesAtOnce,
    /// It takes what is said to it and closes.
    HangsUp,
    /// It accepts connections and never says anything.
    Mute,
    /// It speaks, and nobody knows what.
    Strange,
    /// It sends so slowly that nothing is ever finished.
    Drips,
    /// It sends without end.
    Floods,
}

impl Manner {
    /// As a clause.
    pub fn says(self) -> &'static str {
        match self {
            Self::Refuses => "no further connection to it was completed",
            Self::Resets => "it resets the connection",
            Self::ClosesAtOnce => "it closes every connection before anything is said",
            Self::HangsUp => "it hangs up on every question",
            Self::Mute => "it accepts connections and never says anything",
            Self::Strange => "it answers in no protocol that is known here",
            Self::Drips => "it answers so slowly that nothing is ever finished, as a tarpit does",
            Self::Floods => "it sends more than anybody asked for",
        }
    }
}

/// A TLS connection that was set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The name in our hello.
    pub name: Option<String>,
    /// Whether the connection began in the clear (STARTTLS).
    pub upgraded: bool,
    /// `TLS 1.3`.
    pub version: String,
    /// By its name at IANA; `None`: not told.
    pub suite: Option<String>,
    /// The certificates as they were sent, the server's own first.
    pub chain: Vec<Vec<u8>>,
    /// Whether they lead to a root that the entry trusts, by default those of the public web; why not.
    pub trust: Result<(), String>,
}

/// What is known of one endpoint.
#[derive(Clone, Debug, Default)]
pub struct Portrait {
    /// Who answers.
    pub shown: Option<Shown>,
    /// Whether inside TLS.
    pub encrypted: bool,
    /// TLS connections that were set up, one for each name.
    pub sessions: Vec<Session>,
    /// Everything that TLS there can be, by the name in our hellos, where that was asked for.
    pub offered: Vec<(Option<String>, tls::Offered)>,
    /// There was no time to ask everything.
    pub is_cut: bool,
    /// The rungs reached, and when first.
    pub rungs: Vec<(Rung, Moment)>,
    /// Of somebody whom nobody understands.
    pub manner: Option<Manner>,
    /// What it said that nobody understood.
    pub words: Option<String>,
    /// Connections made.
    pub connections: u32,
}

impl Portrait {
    /// Of a service that replied to a datagram: by its name, and the reply.
    pub fn of_reply(service: &'static str, octets: &[u8]) -> Self {
        let shown = Shown {
            service,
            identity: datagram::datagram(service, octets),
            banner: None,
            guard: datagram::guard(service, octets),
        };
        Self { shown: Some(shown), encrypted: Secured::of(service).is_some(), ..Self::default() }
    }

    /// The name of the service: of HTTP inside TLS, `https`.
    pub fn service(&self) -> Option<&'static str> {
        let shown = self.shown.as_ref()?.service;
        Some(if self.encrypted { inside(shown) } else { shown })
    }

    /// The TLS that is there for this name; for no name, any.
    pub fn session(&self, name: Option<&str>) -> Option<&Session> {
        let own = self.sessions.iter().find(|session| session.name.as_deref() == name);
        own.or_else(|| self.sessions.first().filter(|_| name.is_none()))
    }

    /// Everything that TLS can be for this name.
    pub fn offered(&self, name: Option<&str>) -> Option<&tls::Offered> {
        self.offered.iter().find(|(of, _)| of.as_deref() == name).map(|(_, offered)| offered)
    }

    /// What it says of itself, in one line.
    pub fn banner(&self) -> Option<String> {
        let Some(shown) = &self.shown else { return self.words.clone() };
        if let Some(banner) = &shown.banner {
            return Some(banner.clone());
        }
        shown.identity.as_ref().map(|identity| bounded(&identity.line()))
    }

    /// What it shows of who may use it.
    pub fn guard(&self) -> Guard {
        self.shown.as_ref().map(|shown| shown.guard).unwrap_or_default()
    }

    /// Whether what answers is what is declared; `None`: that can't be said.
    pub fn is(&self, declared: &str) -> Option<bool> {
        let found = self.shown.as_ref()?.service;
        let declared = declared.to_ascii_lowercase();
        let wanted = spoken(&declared);
        if wanted.tls && !self.encrypted {
            return Some(false);
        }
        if declared == found || self.service() == Some(declared.as_str()) || are_siblings(&declared, found) {
            return Some(true);
        }
        match wanted.protocol {
            // One of those that are reached by HTTP, and did not show which.
            "http" if found == "http" => is_any_web(&declared).then_some(true),
            protocol if protocol == found => Some(true),
            _ if found == "tls" => None,
            "http" => Some(is_any_web(&declared) && is_over_http(found)),
            // Printers and exporters share a port and a name.
            "jetdirect" if found == "http" || is_over_http(found) => None,
            _ => Some(false),
        }
    }

    /// Everything that it says of itself: its first words, and what was read from them.
    pub fn words_said(&self) -> Option<String> {
        let shown = self.shown.as_ref();
        let identity = shown.and_then(|shown| shown.identity.as_ref());
        let told = identity.map(|told| [&told.product, &told.version, &told.detail]);
        let told = told.into_iter().flatten().flatten().cloned();
        let all: Vec<String> = self.banner().into_iter().chain(told).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }

    /// Whether it took connections and never said anything.
    pub(super) fn is_mute(&self) -> bool {
        self.manner == Some(Manner::Mute)
    }

    /// Goes one rung further, unless it was reached before.
    pub fn reach(&mut self, rung: Rung, at: Moment) {
        if !self.rungs.iter().any(|(known, _)| *known == rung) {
            self.rungs.push((rung, at));
        }
    }

    /// Manners are of interest only where nothing else is known.
    pub(super) fn conclude(&mut self) {
        self.rungs.sort_by_key(|(rung, at)| (*rung, *at));
        if self.shown.is_some() {
            self.manner = None;
            self.words = None;
        }
    }
}

/// Names that say how something is reached, not what it is. Printing (RFC 8010) and discovery are plain HTTP.
fn is_any_web(service: &str) -> bool {
    matches!(service, "http" | "https" | "http-alt" | "https-alt" | "ipp" | "wsdapi")
}

/// Services that answer a stranger alike.
const SIBLINGS: &[&[&str]] = &[
    &["kubernetes-api", "microk8s-api", "kube-controller-manager", "kube-scheduler"],
    &["kubelet", "kubelet-readonly"],
    &["etcd-client", "etcd-server"],
    &["java-rmi", "cassandra-jmx"],
];

fn are_siblings(one: &str, other: &str) -> bool {
    SIBLINGS.iter().any(|family| family.contains(&one) && family.contains(&other))
}

/// What a protocol is called inside TLS.
fn inside(service: &'static str) -> &'static str {
    match service {
        "http" => "https",
        "smtp" => "submissions",
        "imap" => "imaps",
        "pop3" => "pop3s",
        "nntp" => "nntps",
        "ftp" => "ftps",
        "telnet" => "telnets",
        "ldap" => "ldaps",
        "irc" => "ircs",
        "domain" => "domain-s",
        "redis" => "rediss",
        "mqtt" => "mqtts",
        "amqp" => "amqps",
        "sip" => "sips",
        "stun" => "stuns",
        "docker" => "docker-s",
        "consul" => "consul-tls",
        "wsman" => "wsmans",
        other => other,
    }
}
