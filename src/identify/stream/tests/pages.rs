//! What servers answer over HTTP.

use super::samples::Sample;

fn page(service: &'static str, head: &str, body: &str, said: &'static str) -> Sample {
    let length = body.len();
    Sample(service, format!("HTTP/1.1 {head}\r\nContent-Length: {length}\r\n\r\n{body}").into_bytes(), said)
}

pub(super) fn pages() -> Vec<Sample> {
    vec![
        page("http", "200 OK\r\nServer: nginx/1.22.1", "<html><head><TITLE>Welcome to\n nginx!</TITLE>", "nginx | 1.22.1 | status 200; title Welcome to nginx! | Untold"),
        page("http", "301 Moved Permanently\r\nLocation: https://example.com/", "", "- | - | status 301; sends to https://example.com/ | Untold"),
        page("http", "401 Unauthorized\r\nServer: Apache/2.4.57 (Debian)\r\nWWW-Authenticate: Basic realm=\"x\"", "", "Apache | 2.4.57 | status 401; asks for Basic realm=\"x\" | Untold"),
        Sample("http", b"HTTP/1.1 304 Not Modified\r\n\r\n".to_vec(), "- | - | status 304 | Untold"),
        Sample(
            "http",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n<title>a \r\n9\r\nb</title>\r\n0\r\n\r\n".to_vec(),
            "- | - | status 200; title a b | Untold",
        ),
        page("docker", "200 OK\r\nApi-Version: 1.43\r\nServer: Docker/24.0.5 (linux)", "{\"Version\":\"24.0.5\",\"ApiVersion\":\"1.43\",\"MinAPIVersion\":\"1.12\",\"GitCommit\":\"a61e2b4\",\"Os\":\"linux\"}", "Docker | 24.0.5 | status 200 | Open(\"answers /version\")"),
        page("docker", "404 Not Found\r\nServer: Docker/24.0.5 (linux)", "{\"message\":\"page not found\"}", "Docker | 24.0.5 | status 404 | Untold"),
        page("docker-registry", "401 Unauthorized\r\nDocker-Distribution-Api-Version: registry/2.0", "{}", "Docker Registry | - | status 401 | Untold"),
        page("docker-registry", "200 OK\r\nDocker-Distribution-Api-Version: registry/2.0", "{}", "Docker Registry | - | status 200 | Untold"),
        page("elasticsearch", "200 OK\r\nX-elastic-product: Elasticsearch", "{\n  \"name\" : \"n1\",\n  \"cluster_name\" : \"c\",\n  \"version\" : {\n    \"number\" : \"8.9.0\"\n  },\n  \"tagline\" : \"You Know, for Search\"\n}", "Elasticsearch | 8.9.0 | status 200 | Open(\"answers without authentication\")"),
        page("elasticsearch", "401 Unauthorized\r\nX-elastic-product: Elasticsearch", "{\"error\":{\"root_cause\":[{\"type\":\"security_exception\"}]},\"status\":401}", "Elasticsearch | - | status 401 | Untold"),
        page("etcd-client", "200 OK", "{\"etcdserver\":\"3.5.9\",\"etcdcluster\":\"3.5.0\"}", "etcd | 3.5.9 | status 200 | Untold"),
        page("etcd-client", "200 OK", "{\"header\":{\"cluster_id\":\"14\",\"member_id\":\"10\",\"revision\":\"1\",\"raft_term\":\"2\"},\"authRevision\":\"1\"}", "etcd | - | status 200 | Open(\"answers without authentication\")"),
        page("etcd-client", "200 OK", "{\"header\":{\"cluster_id\":\"14\",\"raft_term\":\"2\"},\"enabled\":true,\"authRevision\":\"1\"}", "etcd | - | status 200 | Untold"),
        page("kubernetes-api", "403 Forbidden", "{\n  \"kind\": \"Status\",\n  \"apiVersion\": \"v1\",\n  \"status\": \"Failure\"\n}", "Kubernetes | - | status 403 | Untold"),
        page("kubernetes-api", "200 OK", "{\"kind\":\"APIVersions\",\"versions\":[\"v1\"],\"serverAddressByClientCIDRs\":[]}", "Kubernetes | - | status 200 | Untold"),
        page("kubelet", "200 OK", "{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"items\":[]}", "kubelet | - | status 200 | Open(\"answers /pods\")"),
        page("consul", "200 OK", "{\"Config\":{\"Datacenter\":\"dc1\",\"Version\":\"1.16.1\"},\"Member\":{}}", "Consul | 1.16.1 | status 200 | Open(\"answers /v1/agent/self\")"),
        page("vault", "503 Service Unavailable", "{\"initialized\":true,\"sealed\":true,\"standby\":true,\"version\":\"1.14.0\"}", "Vault | 1.14.0 | status 503 | Untold"),
        page("couchdb", "200 OK\r\nServer: CouchDB/3.3.2 (Erlang OTP/24)", "{\"couchdb\":\"Welcome\",\"version\":\"3.3.2\"}", "CouchDB | 3.3.2 | status 200 | Untold"),
        page("couchdb", "200 OK\r\nServer: CouchDB/2.1.0 (Erlang OTP/17)", "[\"_users\",\"x\"]\n", "CouchDB | 2.1.0 | status 200 | Open(\"answers /_all_dbs\")"),
        page("prometheus", "200 OK", "{\"status\":\"success\",\"data\":{\"version\":\"2.45.0\",\"revision\":\"8\",\"buildUser\":\"r\",\"goVersion\":\"go1.20.5\"}}", "Prometheus | 2.45.0 | status 200 | Open(\"answers its API without authentication\")"),
        page("grafana", "302 Found\r\nLocation: /login\r\nSet-Cookie: redirect_to=%2F; Path=/", "", "Grafana | - | status 302; sends to /login | Untold"),
        page("http", "403 Forbidden\r\nX-Jenkins: 2.414.1", "", "Jenkins | 2.414.1 | status 403 | Untold"),
        page("squid-http", "400 Bad Request\r\nServer: squid/5.7\r\nX-Squid-Error: ERR_INVALID_URL 0", "", "Squid | 5.7 | status 400 | Untold"),
        page("mongodb", "200 OK", "It looks like you are trying to access MongoDB over HTTP on the native driver port.\r\n", "MongoDB | - | status 200 | Untold"),
        page("http", "400 Bad Request\r\nServer: nginx", "<title>400 The plain HTTP request was sent to HTTPS port</title>", "nginx | - | wants TLS; status 400; title 400 The plain HTTP request was sent to HTTPS port | Untold"),
    ]
}
