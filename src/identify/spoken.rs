//! What the name of a service means on the wire: which protocol, and whether inside TLS. `https` is HTTP
//! over TLS, `submission` is SMTP.

/// What is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spoken<'a> {
    /// The protocol, by the name under which it is recognised.
    pub protocol: &'a str,
    /// Whether TLS has to be around it. Where it does not have to be, it may.
    pub tls: bool,
}

/// What a service of `profiles/ports/services.yaml` speaks. A name that stands for itself may be one that
/// nobody here can recognise.
pub fn spoken(service: &str) -> Spoken<'_> {
    let of = |table: &[(&'static str, &[&str])]| {
        table.iter().find(|(_, names)| names.contains(&service)).map(|(protocol, _)| *protocol)
    };
    if let Some(protocol) = of(OVER_TLS) {
        return Spoken { protocol, tls: true };
    }
    Spoken { protocol: of(ALIKE).unwrap_or(service), tls: false }
}

/// Whether a service is one of those that are reached by HTTP.
pub(super) fn is_over_http(service: &str) -> bool {
    spoken(service).protocol == "http"
}

/// Whether a service that speaks this protocol speaks first, so that it has to be waited for.
pub(super) fn speaks_first(protocol: &str) -> bool {
    GREETERS.contains(&protocol)
}

/// Protocols that begin with the server's words.
const GREETERS: &[&str] = &[
    "ssh",
    "ftp",
    "smtp",
    "lmtp",
    "pop3",
    "imap",
    "nntp",
    "sieve",
    "telnet",
    "mysql",
    "mysqlx",
    "vnc",
    "rsync",
    "nats",
    "svn",
    "irc",
    "asterisk-ami",
    "freeswitch-event",
    "bgp",
    "munin",
    "checkmk-agent",
    "openvpn-management",
    "vmware-auth",
    "varnish-admin",
    "daytime",
    "time",
    "qotd",
    "chargen",
];

/// Services that are nothing without TLS, by the protocol inside it.
const OVER_TLS: &[(&str, &[&str])] = &[
    (
        "http",
        &[
            "https",
            "https-alt",
            "oob-ws-https",
            "whms",
            "cpanel-webmail",
            "docker-s",
            "proxmox",
            "kubernetes-api",
            "microk8s-api",
            "rke2-supervisor",
            "kubelet",
            "kube-controller-manager",
            "kube-scheduler",
            "puppet",
            "wsmans",
            "consul-tls",
            "weblogic-tls",
            "vmware-vami",
            "zimbra-admin",
            "synology-dsm",
            "nessus",
            "icinga",
        ],
    ),
    ("smtp", &["submissions"]),
    ("imap", &["imaps"]),
    ("pop3", &["pop3s"]),
    ("nntp", &["nntps"]),
    ("ftp", &["ftps"]),
    ("telnet", &["telnets"]),
    ("ldap", &["ldaps", "globalcat-ldaps"]),
    ("irc", &["ircs"]),
    ("domain", &["domain-s"]),
    ("redis", &["rediss"]),
    ("mqtt", &["mqtts"]),
    ("amqp", &["amqps"]),
    ("sip", &["sips"]),
    ("stun", &["stuns"]),
    ("xmpp-client", &["xmpp-client-tls"]),
    ("oracle-tns", &["oracle-tns-tls"]),
    ("tls", &["radsec", "syslog-tls", "libvirt-tls", "unbound-control", "nsd-control"]),
];

/// Services that speak another one's protocol, in the clear or not.
const ALIKE: &[(&str, &[&str])] = &[
    (
        "http",
        &[
            "http-alt",
            "http-rpc-epmap",
            "oob-ws-http",
            "ipp",
            "openvpn-as",
            "dell-omsa",
            "cpanel",
            "whm",
            "docker",
            "docker-registry",
            "docker-metrics",
            "etcd-client",
            "etcd-server",
            "grafana",
            "loki",
            "squid-http",
            "otlp-http",
            "otlp-grpc",
            "selenium",
            "nomad",
            "pihole-api",
            "glassfish-admin",
            "xmpp-bosh",
            "wsdapi",
            "technitium",
            "kibana",
            "vnc-http",
            "couchdb",
            "wsman",
            "spark-rest",
            "novnc",
            "weblogic",
            "neo4j",
            "cwmp",
            "kubectl-proxy",
            "arcserve",
            "screenconnect",
            "yarn-nodemanager",
            "yarn-resourcemanager",
            "bind-statistics",
            "pdns-recursor-api",
            "kafka-connect",
            "influxdb",
            "splunkd",
            "couchbase",
            "clickhouse-http",
            "activemq-web",
            "vault",
            "ray",
            "bitcoin-rpc",
            "consul",
            "arangodb",
            "wsus",
            "ethereum-rpc",
            "solr",
            "supervisord",
            "websphere",
            "websphere-admin",
            "prometheus",
            "pushgateway",
            "alertmanager",
            "calico-health",
            "cilium-health",
            "mysqld-exporter",
            "postgres-exporter",
            "elasticsearch",
            "node-inspector",
            "hdfs-web",
            "wildfly-admin",
            "webmin",
            "kube-proxy-metrics",
            "kube-proxy",
            "kubelet-readonly",
            "hkp",
            "ollama",
            "jaeger-collector",
            "jaeger-ui",
            "rabbitmq-management",
            "hbase-master",
            "intel-amt",
            "spark-history",
            "netdata",
            "mongodb-http",
            "plex",
            "rspamd",
            "spark-master",
        ],
    ),
    ("smtp", &["submission", "smtp-alt", "amavis"]),
    ("ssh", &["ssh-alt", "netconf-ssh"]),
    ("ldap", &["globalcat-ldap"]),
    ("microsoft-ds", &["netbios-ssn"]),
    ("postgresql", &["postgresql-alt", "pgbouncer", "cockroachdb"]),
    ("redis", &["redis-sentinel"]),
    ("rtsp", &["rtsp-alt"]),
    ("telnet", &["zebra", "bgpd"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_mean_protocols() {
        assert_eq!(spoken("https"), Spoken { protocol: "http", tls: true });
        assert_eq!(spoken("submission"), Spoken { protocol: "smtp", tls: false });
        assert_eq!(spoken("redis"), Spoken { protocol: "redis", tls: false });
        assert_eq!(spoken("nobody-knows"), Spoken { protocol: "nobody-knows", tls: false });
        assert!(is_over_http("docker") && is_over_http("kubernetes-api") && !is_over_http("ssh"));
    }

    #[test]
    fn no_name_means_two_things() {
        let mut all: Vec<&str> =
            OVER_TLS.iter().chain(ALIKE).flat_map(|(_, names)| names.iter().copied()).collect();
        all.sort_unstable();
        assert!(all.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
