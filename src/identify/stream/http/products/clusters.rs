//! Clusters, stores and agents. Sources: the products' own references of their HTTP interfaces.

use super::{
    Product,
    Sign::{Begins, Body, Header, Json, Says, Status},
    Version,
};

const OPEN: &str = "answers without authentication";

/// Their rows.
pub(super) const TABLE: &[Product] = &[
    // GET /version tells what only those on the host should reach at all.
    Product::new("docker", "Podman", &[Status(200), Body("\"ApiVersion\""), Body("Podman Engine")])
        .version(Version::Json("Version"))
        .open("answers /version"),
    Product::new(
        "docker",
        "Docker",
        &[Status(200), Body("\"ApiVersion\""), Body("\"GitCommit\""), Body("\"Os\"")],
    )
    .version(Version::Json("Version"))
    .open("answers /version"),
    Product::new("docker", "Docker", &[Says("server", "Docker/")]).version(Version::Server),
    Product::new(
        "docker-registry",
        "Docker Registry",
        &[Header("docker-distribution-api-version"), Status(200), Begins("{}")],
    ),
    Product::new("docker-registry", "Docker Registry", &[Header("docker-distribution-api-version")]),
    Product::new(
        "elasticsearch",
        "Elasticsearch",
        &[Body("You Know, for Search"), Body("\"cluster_name\""), Status(200)],
    )
    .version(Version::Json("number"))
    .open(OPEN),
    Product::new(
        "elasticsearch",
        "OpenSearch",
        &[Body("The OpenSearch Project"), Body("\"cluster_name\""), Status(200)],
    )
    .version(Version::Json("number"))
    .open(OPEN),
    Product::new("elasticsearch", "Elasticsearch", &[Header("x-elastic-product"), Status(401)]),
    Product::new("elasticsearch", "Elasticsearch", &[Body("security_exception"), Status(401)]),
    Product::new(
        "elasticsearch",
        "OpenSearch",
        &[Says("www-authenticate", "OpenSearch Security"), Status(401)],
    ),
    Product::new("elasticsearch-transport", "Elasticsearch", &[Begins("This is not a"), Body("HTTP port")]),
    // Whether it asks for users is a question of its own, and reading is all that it does: while it asks for
    // them, strangers get no answer (etcd, AuthStatus, since 3.5).
    Product::new(
        "etcd-client",
        "etcd",
        &[Json("enabled", "true"), Body("\"authRevision\""), Body("\"cluster_id\"")],
    ),
    Product::new(
        "etcd-client",
        "etcd",
        &[Status(200), Body("\"authRevision\""), Body("\"cluster_id\""), Body("\"raft_term\"")],
    )
    .open(OPEN),
    Product::new("etcd-client", "etcd", &[Body("\"etcdserver\""), Body("\"etcdcluster\"")])
        .version(Version::Json("etcdserver")),
    Product::new("etcd-client", "etcd", &[Body("etcdserver: user name is empty")]),
    Product::new(
        "kubernetes-api",
        "Kubernetes",
        &[Status(200), Json("kind", "APIVersions"), Body("serverAddressByClientCIDRs")],
    ),
    Product::new(
        "kubernetes-api",
        "Kubernetes",
        &[Json("kind", "Status"), Json("apiVersion", "v1"), Status(403)],
    ),
    Product::new(
        "kubernetes-api",
        "Kubernetes",
        &[Json("kind", "Status"), Json("apiVersion", "v1"), Status(401)],
    ),
    Product::new("kubelet", "kubelet", &[Status(200), Json("kind", "PodList")]).open("answers /pods"),
    Product::new(
        "consul",
        "Consul",
        &[Status(200), Body("\"Config\""), Body("\"Datacenter\""), Body("\"Member\"")],
    )
    .version(Version::Json("Version"))
    .open("answers /v1/agent/self"),
    Product::new("consul", "Consul", &[Header("x-consul-default-acl-policy")]),
    Product::new("nomad", "Nomad", &[Status(200), Body("\"member\""), Body("\"stats\""), Body("\"nomad\"")])
        .open("answers /v1/agent/self"),
    Product::new("vault", "Vault", &[Body("\"sealed\""), Body("\"initialized\""), Body("\"standby\"")])
        .version(Version::Json("version")),
    Product::new("couchdb", "CouchDB", &[Status(200), Says("server", "CouchDB/"), Begins("[")])
        .version(Version::Server)
        .open("answers /_all_dbs"),
    Product::new("couchdb", "CouchDB", &[Json("couchdb", "Welcome")]).version(Version::Json("version")),
    Product::new("couchdb", "CouchDB", &[Says("server", "CouchDB/")]).version(Version::Server),
    Product::new("clickhouse-http", "ClickHouse", &[Header("x-clickhouse-summary")]),
    Product::new("clickhouse-http", "ClickHouse", &[Header("x-clickhouse-server-display-name")]),
    Product::new("clickhouse-http", "ClickHouse", &[Header("x-clickhouse-exception-code")]),
    Product::new("clickhouse-http", "ClickHouse", &[Status(200), Begins("Ok.\n"), Header("keep-alive")]),
    // The port of its own protocol, which has no name of its own.
    Product::new("http", "ClickHouse (native protocol)", &[Body("is for clickhouse-client program")]),
    Product::new("neo4j", "Neo4j", &[Body("\"neo4j_version\"")]).version(Version::Json("neo4j_version")),
    Product::new("influxdb", "InfluxDB", &[Header("x-influxdb-version")])
        .version(Version::Header("x-influxdb-version")),
    Product::new("arangodb", "ArangoDB", &[Says("server", "ArangoDB")]),
    Product::new("couchbase", "Couchbase", &[Says("server", "Couchbase Server")]),
    Product::new("solr", "Apache Solr", &[Status(200), Body("solr-spec-version")])
        .version(Version::Json("solr-spec-version"))
        .open("answers /solr/admin/info/system"),
    Product::new("solr", "Apache Solr", &[Body("<title>Solr Admin</title>")]),
    Product::new("solr", "Apache Solr", &[Says("www-authenticate", "realm=\"solr\"")]),
    Product::new("hdfs-web", "Hadoop NameNode", &[Body("dfshealth.html")]),
    Product::new("hdfs", "Hadoop", &[Body("HTTP request to a Hadoop IPC port")]),
    Product::new(
        "yarn-resourcemanager",
        "Hadoop YARN",
        &[Status(200), Body("\"clusterInfo\""), Body("\"resourceManagerVersion\"")],
    )
    .version(Version::Json("resourceManagerVersion"))
    .open("answers /ws/v1/cluster/info"),
    Product::new("spark-master", "Apache Spark", &[Status(200), Body("<title>Spark Master at spark://")])
        .open("shows its workers and jobs"),
    Product::new("kafka-connect", "Kafka Connect", &[Status(200), Body("\"kafka_cluster_id\"")])
        .version(Version::Json("version"))
        .open(OPEN),
    Product::new("ray", "Ray", &[Status(200), Body("<title>Ray Dashboard</title>")])
        .open("shows its dashboard"),
    Product::new("ollama", "Ollama", &[Status(200), Begins("Ollama is running")]).open(OPEN),
    Product::new("mongodb", "MongoDB", &[Body("access MongoDB over HTTP on the native driver port")]),
];
