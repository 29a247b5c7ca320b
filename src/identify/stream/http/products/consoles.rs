//! Consoles, monitors and proxies. Sources: the products' own documents, and the names that they give
//! themselves in headers and titles.

use super::{
    Product,
    Sign::{Body, Header, Says, Status},
    Version,
};

/// Their rows.
pub(super) const TABLE: &[Product] = &[
    Product::new(
        "prometheus",
        "Prometheus",
        &[Status(200), Body("\"buildUser\""), Body("\"goVersion\""), Body("\"revision\"")],
    )
    .version(Version::Json("version"))
    .open("answers its API without authentication"),
    Product::new("prometheus", "Prometheus", &[Body("<title>Prometheus Time Series")]),
    Product::new("pushgateway", "Pushgateway", &[Body("<title>Prometheus Pushgateway")]),
    Product::new("alertmanager", "Alertmanager", &[Body("<title>Alertmanager</title>")]),
    Product::new("http", "Prometheus node_exporter", &[Body("<title>Node Exporter</title>")]),
    Product::new("grafana", "Grafana", &[Body("<title>Grafana</title>")]),
    Product::new("grafana", "Grafana", &[Says("location", "/login"), Says("set-cookie", "redirect_to=")]),
    Product::new("kibana", "Kibana", &[Header("kbn-name")]).version(Version::Header("kbn-version")),
    Product::new("kibana", "OpenSearch Dashboards", &[Header("osd-name")]),
    Product::new("rabbitmq-management", "RabbitMQ", &[Body("<title>RabbitMQ Management</title>")]),
    Product::new("http", "Jenkins", &[Header("x-jenkins")]).version(Version::Header("x-jenkins")),
    Product::new("ipp", "CUPS", &[Says("server", "CUPS/")]).version(Version::Server),
    Product::new("squid-http", "Squid", &[Header("x-squid-error")]).version(Version::Server),
    Product::new("http", "MinIO", &[Says("server", "MinIO")]),
    Product::new("proxmox", "Proxmox VE", &[Says("server", "pve-api-daemon/")]).version(Version::Server),
    Product::new("netdata", "Netdata", &[Says("server", "Netdata")]).version(Version::Server),
    Product::new("plex", "Plex Media Server", &[Header("x-plex-protocol")]),
    Product::new("splunkd", "Splunk", &[Says("server", "Splunkd")]),
    Product::new("webmin", "Webmin", &[Says("server", "MiniServ/")]).version(Version::Server),
    Product::new("intel-amt", "Intel AMT", &[Says("server", "Intel(R) Active Management Technology")])
        .version(Version::Server),
    Product::new("supervisord", "Supervisor", &[Status(200), Body("<title>Supervisor Status</title>")])
        .open("shows its processes"),
    Product::new("supervisord", "Supervisor", &[Says("server", "Medusa/"), Status(401)]),
    Product::new(
        "weblogic",
        "Oracle WebLogic",
        &[Body("<TITLE>Error 404--Not Found</TITLE>"), Body("RFC 2068")],
    ),
    Product::new("jaeger-ui", "Jaeger", &[Status(200), Body("<title>Jaeger UI</title>")])
        .open("shows its traces"),
    Product::new("selenium", "Selenium Grid", &[Body("<title>Selenium Grid")]),
    Product::new("node-inspector", "Node.js", &[Status(400), Body("WebSockets request was expected")])
        .open("takes debuggers"),
    Product::new("rspamd", "Rspamd", &[Body("<title>Rspamd Web Interface")]),
    Product::new("nessus", "Nessus", &[Says("server", "NessusWWW")]),
    Product::new("openvpn-as", "OpenVPN Access Server", &[Says("server", "OpenVPN-AS")]),
    Product::new("activemq-web", "ActiveMQ", &[Says("www-authenticate", "realm=\"ActiveMQRealm\"")]),
    Product::new("bitcoin-rpc", "Bitcoin Core", &[Says("www-authenticate", "realm=\"jsonrpc\"")]),
    Product::new("puppet", "Puppet", &[Header("x-puppet-version")])
        .version(Version::Header("x-puppet-version")),
    Product::new("xmpp-bosh", "XMPP over BOSH", &[Body("point your BOSH client to this URL")]),
    Product::new("http", "cPanel", &[Says("server", "cpsrvd")]).version(Version::Server),
    Product::new("http", "HAProxy", &[Status(200), Body("<title>Statistics Report for HAProxy")])
        .open("shows its statistics"),
    Product::new("http", "Portainer", &[Body("<title>Portainer</title>")]),
    Product::new("http", "phpMyAdmin", &[Body("<title>phpMyAdmin")]),
];
