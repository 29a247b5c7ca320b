//! The address on which a server listens: where each one is told, and how to make it take that up.
//! Chosen by the service that was seen, else by the port.

use std::net::IpAddr;

use super::{Endpoint, Recipe};
use crate::model::Protocol;

/// What one server is told. `{port}`, `{bare}` (the address), `{at}` (as it stands before a port) and the
/// address beside loopback as each syntax lists it (`{also}`, `{join}`, `{then}`, `{quoted}`; nothing where
/// it is loopback) are filled in.
struct Server {
    services: &'static [&'static str],
    ports: &'static [(Protocol, u16)],
    title: &'static str,
    lines: &'static [&'static str],
}

const SERVERS: &[Server] = &[
    Server {
        services: &["ssh", "openssh"],
        ports: &[(Protocol::Tcp, 22)],
        title: "sshd: listen on INNER_ADDRESS only (keep a session open meanwhile)",
        lines: &[
            "# /etc/ssh/sshd_config.d/listen.conf",
            "ListenAddress INNER_ADDRESS:{port}",
            "sshd -t && systemctl restart ssh    # sshd.service on Fedora; a socket unit has its own ListenStream",
        ],
    },
    Server {
        services: &["nginx", "http", "https", "jenkins"],
        ports: &[(Protocol::Tcp, 80), (Protocol::Tcp, 443), (Protocol::Tcp, 8080), (Protocol::Tcp, 8443)],
        title: "nginx or Apache: listen on {bare} only",
        lines: &[
            "# nginx, in place of the `listen` that holds the port; keep `ssl` where it is there",
            "listen {at}:{port};",
            "nginx -t && systemctl restart nginx    # a reload can't narrow an address that is bound",
            "# Apache, ports.conf",
            "Listen {at}:{port}",
            "apachectl configtest && systemctl restart apache2    # httpd on Fedora",
        ],
    },
    Server {
        services: &["postgresql", "postgres"],
        ports: &[(Protocol::Tcp, 5432)],
        title: "PostgreSQL: postgresql.conf",
        lines: &["listen_addresses = 'localhost{also}'", "systemctl restart postgresql"],
    },
    Server {
        services: &["redis", "rediss", "valkey"],
        ports: &[(Protocol::Tcp, 6379)],
        title: "Redis: redis.conf",
        lines: &[
            "bind 127.0.0.1 -::1{then}",
            "protected-mode yes",
            "systemctl restart redis-server    # redis.service on Fedora",
        ],
    },
    Server {
        services: &["mysql", "mariadb"],
        ports: &[(Protocol::Tcp, 3306)],
        title: "MySQL or MariaDB: my.cnf",
        lines: &[
            "[mysqld]",
            "# a list needs MySQL 8.0.13 or MariaDB 10.11",
            "bind-address = 127.0.0.1{join}",
            "systemctl restart mysql    # mariadb.service for MariaDB",
        ],
    },
    Server {
        services: &["mysqlx"],
        ports: &[(Protocol::Tcp, 33_060)],
        title: "MySQL's X protocol: my.cnf",
        lines: &["[mysqld]", "mysqlx-bind-address = 127.0.0.1{join}", "systemctl restart mysql"],
    },
    Server {
        services: &["mongodb", "mongod"],
        ports: &[(Protocol::Tcp, 27_017), (Protocol::Tcp, 27_018), (Protocol::Tcp, 27_019)],
        title: "MongoDB: mongod.conf",
        lines: &["net:", "  bindIp: localhost{join}", "systemctl restart mongod"],
    },
    Server {
        services: &["memcached", "memcache"],
        ports: &[(Protocol::Tcp, 11_211), (Protocol::Udp, 11_211)],
        title: "memcached: memcached.conf",
        lines: &["-l 127.0.0.1{join}", "# no UDP", "-U 0", "systemctl restart memcached"],
    },
    Server {
        services: &["elasticsearch", "opensearch"],
        ports: &[(Protocol::Tcp, 9200), (Protocol::Tcp, 9300)],
        title: "Elasticsearch: elasticsearch.yml",
        lines: &["network.host: [\"_local_\"{quoted}]", "systemctl restart elasticsearch"],
    },
    Server {
        services: &["docker", "docker-s"],
        ports: &[(Protocol::Tcp, 2375), (Protocol::Tcp, 2376)],
        title: "Docker: no API over the network",
        lines: &[
            "# take every `-H tcp://` and every `tcp://` under `hosts` away; unix:///run/docker.sock stays",
            "systemctl cat docker | grep -n -- '-H'; grep -n hosts /etc/docker/daemon.json",
            "systemctl daemon-reload && systemctl restart docker",
        ],
    },
    Server {
        services: &["snmp"],
        ports: &[(Protocol::Udp, 161)],
        title: "snmpd: snmpd.conf",
        lines: &["agentaddress {snmp}:{port}", "systemctl restart snmpd"],
    },
    Server {
        services: &["smtp", "submission", "submissions", "postfix"],
        ports: &[(Protocol::Tcp, 25), (Protocol::Tcp, 465), (Protocol::Tcp, 587)],
        title: "Postfix: main.cf and master.cf",
        lines: &[
            "postconf -M    # what listens: smtp (25), submission (587), submissions (465); set in master.cf",
            "postconf -e 'inet_interfaces = localhost{also}'",
            "systemctl restart postfix",
        ],
    },
    Server {
        services: &["imap", "imaps", "pop3", "pop3s", "dovecot"],
        ports: &[(Protocol::Tcp, 110), (Protocol::Tcp, 143), (Protocol::Tcp, 993), (Protocol::Tcp, 995)],
        title: "Dovecot: a file under conf.d",
        lines: &["listen = 127.0.0.1, ::1{also}", "systemctl restart dovecot"],
    },
];

/// Keeps what listens from being reached from outside: it stays, on loopback.
pub(super) fn withdraw(endpoint: &Endpoint, service: Option<&str>) -> Vec<Recipe> {
    let inside = Endpoint { address: loopback(endpoint), ..*endpoint };
    let mut recipes: Vec<Recipe> =
        known(endpoint, service).map(|server| told(server, &inside)).into_iter().collect();
    for recipe in &mut recipes {
        recipe
            .lines
            .insert(0, "# it is left on loopback only: look first who needs its other addresses".to_owned());
    }
    recipes.push(socket(&inside));
    recipes.push(Recipe {
        title: "Or let systemd filter what the unit may talk to".to_owned(),
        lines: vec![
            "systemctl edit UNIT    # what it talks to by itself is filtered as well".to_owned(),
            "[Service]".to_owned(),
            "IPAddressDeny=any".to_owned(),
            "IPAddressAllow=localhost".to_owned(),
            "systemctl restart UNIT".to_owned(),
        ],
    });
    recipes.push(container(&inside));
    recipes
}

/// Where a server is told to listen on the address of the finding, beside loopback where it can.
pub(super) fn bind(endpoint: &Endpoint, service: Option<&str>) -> Vec<Recipe> {
    let server = known(endpoint, service);
    // No report asks for these on a network: the first is root for whoever reaches it, the second locks out.
    let server = server.filter(|server| !matches!(server.services.first(), Some(&("docker" | "ssh"))));
    let mut recipes: Vec<Recipe> = server.map(|server| told(server, endpoint)).into_iter().collect();
    for recipe in &mut recipes {
        recipe.lines.insert(0, "# behind NAT, use the inner address".to_owned());
    }
    recipes.push(socket(endpoint));
    recipes
}

/// The first name of the kind of server that is there; `None` where nothing tells.
pub(super) fn family(endpoint: &Endpoint, service: Option<&str>) -> Option<&'static str> {
    known(endpoint, service).and_then(|server| server.services.first().copied())
}

fn known(endpoint: &Endpoint, service: Option<&str>) -> Option<&'static Server> {
    let words: Vec<String> = service
        .unwrap_or_default()
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
        .filter(|word| !word.is_empty())
        .take(8)
        .map(str::to_ascii_lowercase)
        .collect();
    let speaks = |server: &&Server| words.iter().any(|word| server.services.contains(&word.as_str()));
    let port = (endpoint.protocol, endpoint.port);
    SERVERS.iter().find(speaks).or_else(|| SERVERS.iter().find(|server| server.ports.contains(&port)))
}

fn loopback(endpoint: &Endpoint) -> IpAddr {
    if endpoint.address.is_ipv6() {
        std::net::Ipv6Addr::LOCALHOST.into()
    } else {
        std::net::Ipv4Addr::LOCALHOST.into()
    }
}

fn told(server: &Server, at: &Endpoint) -> Recipe {
    let fill = |text: &str| filled(text, at);
    Recipe { title: fill(server.title), lines: server.lines.iter().map(|line| fill(line)).collect() }
}

fn filled(text: &str, at: &Endpoint) -> String {
    let Endpoint { address, port, .. } = at;
    let inside = address.is_loopback();
    let beside = |text: String| if inside { String::new() } else { text };
    let at = if address.is_ipv6() { format!("[{address}]") } else { address.to_string() };
    let snmp = if address.is_ipv6() { format!("udp6:{at}") } else { format!("udp:{at}") };
    text.replace("{port}", &port.to_string())
        .replace("{bare}", &address.to_string())
        .replace("{at}", &at)
        .replace("{snmp}", &snmp)
        .replace("{also}", &beside(format!(", {address}")))
        .replace("{then}", &beside(format!(" {address}")))
        .replace("{join}", &beside(format!(",{address}")))
        .replace("{quoted}", &beside(format!(", \"{address}\"")))
}

/// A socket unit: the empty assignment takes the old addresses away first.
fn socket(at: &Endpoint) -> Recipe {
    let kind = match at.protocol {
        Protocol::Tcp => "ListenStream",
        Protocol::Udp => "ListenDatagram",
    };
    Recipe {
        title: "Where a systemd socket holds the port".to_owned(),
        lines: vec![
            format!("ss -ln{}p 'sport = :{}'    # says systemd, then", at.flag(), at.port),
            "systemctl edit NAME.socket".to_owned(),
            "[Socket]".to_owned(),
            format!("{kind}="),
            format!("{kind}={}", at.written()),
            "systemctl restart NAME.socket".to_owned(),
        ],
    }
}

/// Published ports get past INPUT, ufw and firewalld: they are narrowed where they are published.
fn container(inside: &Endpoint) -> Recipe {
    let (protocol, port) = (inside.protocol, inside.port);
    Recipe {
        title: "Where a container publishes the port: publish it on loopback (INPUT, ufw and firewalld don't see it)"
            .to_owned(),
        lines: vec![
            format!("docker ps --filter publish={port}/{protocol}"),
            format!("docker run --publish {}:INNER_PORT/{protocol} ...", inside.written()),
            "# compose.yaml, under the service".to_owned(),
            format!("ports: [\"{}:INNER_PORT/{protocol}\"]", inside.written()),
        ],
    }
}
