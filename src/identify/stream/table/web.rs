//! HTTP, and products whose first page does not tell who they are. Reads pages that change nothing; the one
//! POST asks a state that etcd has no GET for.

use crate::identify::{
    octets::{octet, slice},
    stream::{
        Less, Question, Shown, Whom,
        http::{Product, Sign, read, read_as},
        is, need, only, told,
    },
};

/// A request (RFC 9110 section 7.2, RFC 9112 section 3). Its connection ends with the answer.
fn request(whom: &Whom<'_>, method: &str, path: &str, body: &str) -> Vec<u8> {
    let host = host(whom);
    let length = if body.is_empty() {
        String::new()
    } else {
        format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len())
    };
    format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: portproof\r\nAccept: */*\r\n{length}\
         Connection: close\r\n\r\n{body}"
    )
    .into_bytes()
}

/// As the header has it; the usual port goes without saying.
fn host(whom: &Whom<'_>) -> String {
    let name = plain(whom);
    if matches!(whom.port, 80 | 443) { name } else { format!("{name}:{}", whom.port) }
}

/// The host without anything that no name has.
pub(super) fn plain(whom: &Whom<'_>) -> String {
    let is_name = |c: &char| c.is_ascii_alphanumeric() || "-._:[]".contains(*c);
    whom.host.chars().filter(is_name).take(255).collect()
}

const NONE: Question = Question { service: "http", ports: &[], say: |_| Vec::new(), read, source: "" };

pub(super) const HTTP: Question = Question {
    ports: &[
        80, 81, 443, 591, 631, 2082, 2086, 2096, 3000, 3100, 3128, 4848, 5000, 5001, 5280, 5380, 5480, 5601,
        5800, 6080, 7070, 7080, 7474, 7547, 8000, 8001, 8006, 8008, 8080, 8081, 8082, 8083, 8088, 8089, 8091,
        8123, 8140, 8161, 8265, 8443, 8529, 8530, 8834, 8888, 9000, 9001, 9080, 9091, 9093, 9200, 9300, 9443,
        9870, 9990, 10000, 11434, 15672, 16010, 16686, 16992, 18080, 19999, 32400, 50070,
    ],
    say: |whom| request(whom, "GET", "/", ""),
    source: "RFC 9110 section 9.3.1, RFC 9112 section 3; a GET is safe (RFC 9110 section 9.2.1)",
    ..NONE
};

/// The preface, an empty SETTINGS behind it (RFC 9113 section 3.4).
pub(super) const HTTP2: Question = Question {
    ports: &[4317, 50051],
    say: |_| b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec(),
    read: |octets| told(settings(octets)),
    source: "RFC 9113 sections 3.4 and 6.5",
    ..NONE
};

/// SETTINGS on stream 0 comes first (RFC 9113 sections 3.4 and 6.5).
fn settings(octets: &[u8]) -> Result<Shown, Less> {
    is(octets, 0, &[0, 0])?;
    let length = need(octet(octets, 2))?;
    only(length.is_multiple_of(6) && length <= 60)?;
    is(octets, 3, &[4, 0, 0, 0, 0, 0])?;
    // A GOAWAY in place of it is of somebody else, who knows.
    need(slice(octets, 9, length.into()))?;
    Ok(Shown::service("http").detail(Some("HTTP/2".to_owned())))
}

pub(super) const DOCKER: Question = Question {
    service: "docker",
    ports: &[2375, 2376, 4243],
    say: |whom| request(whom, "GET", "/version", ""),
    source: "Docker Engine API, SystemVersion",
    ..NONE
};

pub(super) const KUBERNETES: Question = Question {
    service: "kubernetes-api",
    ports: &[6443, 16443],
    say: |whom| request(whom, "GET", "/api", ""),
    source: "Kubernetes API concepts: /api lists versions to users only",
    ..NONE
};

pub(super) const KUBELET: Question = Question {
    service: "kubelet",
    ports: &[10250, 10255],
    say: |whom| request(whom, "GET", "/pods", ""),
    // Go's own words for a 401, on this path.
    read: |octets| {
        read_as(
            octets,
            &[
                Product::new("kubelet", "kubelet", &[Sign::Status(401), Sign::Begins("Unauthorized")]),
                Product::new("kubelet", "kubelet", &[Sign::Status(403), Sign::Begins("Forbidden (user=")]),
            ],
        )
    },
    source: "Kubernetes, kubelet authentication and authorization",
};

/// Does it ask for users? There is no GET for that. Older ones do not know the path.
pub(super) const ETCD_STATUS: Question = Question {
    service: "etcd-client",
    ports: &[2379],
    say: |whom| request(whom, "POST", "/v3/auth/status", "{}"),
    // These headers are on whatever an older etcd answers.
    read: |octets| {
        const HEADERS: &str = "accept, content-type, authorization";
        let signs = &[Sign::Status(404), Sign::Says("access-control-allow-headers", HEADERS)];
        read_as(octets, &[Product::new("etcd-client", "etcd", signs)])
    },
    source: "etcd, gRPC gateway: Auth.AuthStatus, which only reads",
};

pub(super) const ETCD: Question = Question {
    service: "etcd-client",
    ports: &[2379, 2380],
    say: |whom| request(whom, "GET", "/version", ""),
    source: "etcd, /version",
    ..NONE
};

pub(super) const CONSUL: Question = Question {
    service: "consul",
    ports: &[8500, 8501],
    say: |whom| request(whom, "GET", "/v1/agent/self", ""),
    source: "Consul HTTP API, agent: read configuration",
    ..NONE
};

pub(super) const NOMAD: Question = Question {
    service: "nomad",
    ports: &[4646],
    say: |whom| request(whom, "GET", "/v1/agent/self", ""),
    source: "Nomad HTTP API, agent: query self",
    ..NONE
};

pub(super) const VAULT: Question = Question {
    service: "vault",
    ports: &[8200],
    say: |whom| request(whom, "GET", "/v1/sys/health", ""),
    source: "Vault HTTP API, /sys/health, which needs no token",
    ..NONE
};

pub(super) const COUCHDB: Question = Question {
    service: "couchdb",
    ports: &[5984],
    say: |whom| request(whom, "GET", "/_all_dbs", ""),
    source: "CouchDB, /_all_dbs: for administrators since 3.0",
    ..NONE
};

pub(super) const PROMETHEUS: Question = Question {
    service: "prometheus",
    ports: &[9090],
    say: |whom| request(whom, "GET", "/api/v1/status/buildinfo", ""),
    source: "Prometheus HTTP API, build information",
    ..NONE
};

pub(super) const REGISTRY: Question = Question {
    service: "docker-registry",
    ports: &[5000],
    say: |whom| request(whom, "GET", "/v2/", ""),
    source: "OCI distribution specification, end-1",
    ..NONE
};

pub(super) const SOLR: Question = Question {
    service: "solr",
    ports: &[8983],
    say: |whom| request(whom, "GET", "/solr/admin/info/system?wt=json", ""),
    source: "Apache Solr, system information",
    ..NONE
};

pub(super) const YARN: Question = Question {
    service: "yarn-resourcemanager",
    ports: &[8088],
    say: |whom| request(whom, "GET", "/ws/v1/cluster/info", ""),
    source: "Hadoop, ResourceManager REST APIs: cluster information",
    ..NONE
};

pub(super) const WSMAN: Question = Question {
    service: "wsman",
    ports: &[5985, 5986, 47001],
    say: |whom| request(whom, "GET", "/wsman", ""),
    // Windows' HTTP knows the path, and takes nothing but POST there.
    read: |octets| {
        read_as(
            octets,
            &[
                Product::new(
                    "wsman",
                    "WinRM",
                    &[Sign::Status(405), Sign::Says("server", "Microsoft-HTTPAPI")],
                ),
                Product::new(
                    "wsman",
                    "WinRM",
                    &[Sign::Status(401), Sign::Says("server", "Microsoft-HTTPAPI")],
                ),
            ],
        )
    },
    source: "MS-WSMV section 2.1",
};

pub(super) const INFLUXDB: Question = Question {
    service: "influxdb",
    ports: &[8086],
    say: |whom| request(whom, "GET", "/ping", ""),
    source: "InfluxDB API, /ping",
    ..NONE
};
