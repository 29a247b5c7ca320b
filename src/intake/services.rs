//! Services by the names that nmap has for them. Only what it spoke with counts; what a port usually is does not.

use crate::identify::{Guard, Identity, Portrait, Shown, bounded};

/// What nmap calls it, what it is called here, and whether asking it shows if strangers may use it, which nmap
/// does not ask.
const NAMES: &[(&str, &str, bool)] = &[
    ("X11", "x11", true),
    ("adb", "adb", true),
    ("afp", "afp", false),
    ("ajp13", "ajp13", true),
    ("amqp", "amqp", true),
    ("asterisk", "asterisk-ami", false),
    ("cassandra", "cassandra", true),
    ("couchdb", "couchdb", true),
    ("docker", "docker", true),
    ("domain", "domain", false),
    ("epmd", "epmd", true),
    ("etcd", "etcd-client", true),
    ("ftp", "ftp", true),
    ("git", "git", true),
    ("http", "http", false),
    ("http-proxy", "http", false),
    ("https", "http", false),
    ("imap", "imap", true),
    ("irc", "irc", true),
    ("java-rmi", "java-rmi", true),
    ("jdwp", "jdwp", true),
    ("kafka", "kafka", true),
    ("ldap", "ldap", true),
    ("memcache", "memcached", true),
    ("memcached", "memcached", true),
    ("microsoft-ds", "microsoft-ds", true),
    ("modbus", "modbus", true),
    ("mongod", "mongodb", true),
    ("mongodb", "mongodb", true),
    ("mqtt", "mqtt", true),
    ("ms-sql-s", "ms-sql-s", false),
    ("ms-wbt-server", "ms-wbt-server", false),
    ("msrpc", "msrpc", false),
    ("mysql", "mysql", false),
    ("netbios-ssn", "netbios-ssn", true),
    ("nfs", "nfs", true),
    ("nntp", "nntp", true),
    ("ntp", "ntp", false),
    ("oracle-tns", "oracle-tns", false),
    ("pop3", "pop3", true),
    ("postgresql", "postgresql", false),
    ("redis", "redis", true),
    ("rpcbind", "rpcbind", true),
    ("rsync", "rsync", true),
    ("rtsp", "rtsp", false),
    ("sip", "sip", false),
    ("smtp", "smtp", true),
    ("snmp", "snmp", true),
    ("socks5", "socks", true),
    ("ssh", "ssh", false),
    ("ssl", "tls", false),
    ("telnet", "telnet", true),
    ("tftp", "tftp", true),
    ("vnc", "vnc", true),
    ("xmpp-client", "xmpp-client", false),
    ("xmpp-server", "xmpp-server", false),
    ("zookeeper", "zookeeper", true),
];

/// What nmap's `-sV` says of a port.
#[derive(Clone, Debug, Default)]
pub(super) struct Service {
    pub(super) name: String,
    pub(super) product: Option<String>,
    pub(super) version: Option<String>,
    pub(super) detail: Option<String>,
    /// `ssl`: all of it is inside TLS.
    pub(super) tunnel: Option<String>,
    /// `probed`: it answered; `table`: its port has that name.
    pub(super) method: Option<String>,
}

impl Service {
    /// Whether nmap spoke with it.
    pub(super) fn is_probed(&self) -> bool {
        self.method.as_deref() == Some("probed")
    }

    /// Who answers; `None`: nobody that is known here by a name.
    pub(super) fn portrait(&self) -> Option<Portrait> {
        let (_, service, guarded) = NAMES.iter().find(|(name, ..)| *name == self.name)?;
        let own = |text: &Option<String>| {
            text.as_deref().map(|text| bounded(text.trim())).filter(|text| !text.is_empty())
        };
        let identity =
            Identity { product: own(&self.product), version: own(&self.version), detail: own(&self.detail) };
        let shown = Shown {
            service,
            identity: Some(identity).filter(|identity| *identity != Identity::default()),
            banner: None,
            guard: if *guarded { Guard::Unasked } else { Guard::Untold },
        };
        let encrypted =
            self.tunnel.as_deref() == Some("ssl") || matches!(self.name.as_str(), "ssl" | "https");
        Some(Portrait { shown: Some(shown), encrypted, ..Portrait::default() })
    }
}
