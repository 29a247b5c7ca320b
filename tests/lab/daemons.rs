//! Real servers that speak over UDP, from Debian's packages, each on the far side at one address of each
//! family with its configuration in the lab's own directory; and QUIC, by quinn, in this test binary again.

use std::{
    env, fs,
    io::{BufRead, BufReader, Read, Write},
    net::{IpAddr, SocketAddr},
    process::{Command, Stdio},
    sync::Arc,
};

use super::{
    isolate::{DIR, run},
    lab::far,
};

const AS_QUIC: &str = "PORTPROOF_LAB_QUIC";
const READY: &str = "every QUIC endpoint is open";

/// Ports, and the service that a scan has to find there.
pub(crate) const SERVICES: [(u16, &str); 9] = [
    (53, "domain"),
    (69, "tftp"),
    (123, "ntp"),
    (161, "snmp"),
    (443, "https"),
    (500, "isakmp"),
    (1812, "radius"),
    (4500, "ipsec-nat-t"),
    (11_211, "memcached"),
];

/// Starts all of them at these addresses; returns when each is open.
pub(crate) fn start(v4: IpAddr, v6: IpAddr) {
    unbound(v4, v6, 53);
    chrony();
    snmpd(v4, v6);
    tftpd(v4, v6);
    memcached(v4, v6);
    freeradius(v4, v6);
    strongswan();
    quic("www.example.com", &[SocketAddr::new(v4, 443), SocketAddr::new(v6, 443)]);
    wait_for(&SERVICES.map(|(port, _)| port));
}

/// Returns when something has each of these UDP ports, over both families.
fn wait_for(ports: &[u16]) {
    wait_until_open("-Hlun", ports);
}

/// Returns when something has each of these ports, over both families; `sockets`: which, as ss(8) wants it.
pub(crate) fn wait_until_open(sockets: &str, ports: &[u16]) {
    let ports: Vec<String> = ports.iter().map(|port| format!(":{port}")).collect();
    // Each says in its own way that it is ready, some in none: the kernel knows what is open.
    for _ in 0..5000 {
        let open = run(&mut far(&["ss", sockets]));
        let ends: Vec<&str> = open.lines().filter_map(|line| line.split_whitespace().nth(3)).collect();
        let both = |port: &String| {
            let of =
                |six: bool| ends.iter().any(|end| end.ends_with(port.as_str()) && end.contains('[') == six);
            (of(false) && of(true)) || ends.contains(&format!("*{port}").as_str())
        };
        if ports.iter().all(both) {
            return;
        }
    }
    let logs = run(Command::new("sh").args(["-c", &format!("tail -n 20 {DIR}/*.log")]));
    panic!("not every server opened its port:\n{}{logs}", run(&mut far(&["ss", sockets, "-p"])));
}

/// Starts a server; what it says goes to a file.
pub(crate) fn spawn(name: &str, mut command: Command) {
    let log = || fs::File::create(format!("{DIR}/{name}.log")).expect("the lab's directory takes files");
    command.stdin(Stdio::null()).stdout(log()).stderr(log());
    command
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}; `tests/run lab` installs what the lab needs"));
}

pub(crate) fn write(name: &str, text: &str) -> String {
    let path = format!("{DIR}/{name}");
    fs::write(&path, text).expect("the lab's directory takes files");
    path
}

/// A copy of a program: Debian's `AppArmor` profiles are bound to the path and would hide the lab's files.
pub(crate) fn copy(program: &str) -> String {
    let name = program.rsplit('/').next().expect("a path has a last part");
    let copy = format!("{DIR}/{name}");
    if fs::exists(&copy).expect("the lab's directory can be read") {
        return copy;
    }
    fs::copy(program, &copy)
        .unwrap_or_else(|error| panic!("{program}: {error}; `tests/run lab` installs what the lab needs"));
    copy
}

/// A resolver alone; returns when it is open.
pub(crate) fn resolver(v4: IpAddr, v6: IpAddr) {
    resolver_at(v4, v6, 53);
}

/// The same on another port.
pub(crate) fn resolver_at(v4: IpAddr, v6: IpAddr, port: u16) {
    unbound(v4, v6, port);
    wait_for(&[port]);
}

fn unbound(v4: IpAddr, v6: IpAddr, port: u16) {
    let path = write(
        &format!("resolver-{port}.conf"),
        &format!(
            "server:
  interface: {v4}@{port}
  interface: {v6}@{port}
  access-control: 0.0.0.0/0 allow
  access-control: ::/0 allow
  chroot: \"\"
  username: \"\"
  pidfile: \"\"
  directory: \"{DIR}\"
  use-syslog: no
remote-control:
  control-enable: no
"
        ),
    );
    spawn(&format!("unbound-{port}"), far(&[&copy("/usr/sbin/unbound"), "-d", "-c", &path]));
}

fn chrony() {
    let text = format!(
        "local stratum 10\nallow all\ncmdport 0\nbindcmdaddress /\npidfile {DIR}/chronyd.pid\ndriftfile {DIR}/drift\n"
    );
    let path = write("chrony.conf", &text);
    // -x: the machine's clock is nobody's to set here.
    spawn("chrony", far(&[&copy("/usr/sbin/chronyd"), "-x", "-d", "-u", "root", "-f", &path]));
}

fn snmpd(v4: IpAddr, v6: IpAddr) {
    let text =
        format!("rocommunity public\nrocommunity6 public\nagentaddress udp:{v4}:161,udp6:[{v6}]:161\n");
    let (path, kept) = (write("snmpd.conf", &text), format!("--persistentDir={DIR}"));
    spawn("snmpd", far(&["snmpd", "-f", "-Lo", "-C", "-c", &path, &kept, "-p", &format!("{DIR}/snmpd.pid")]));
}

fn tftpd(v4: IpAddr, v6: IpAddr) {
    let files = format!("{DIR}/tftp");
    fs::create_dir_all(&files).expect("the lab's directory takes files");
    // It insists on giving up groups, which a user namespace forbids who is nobody outside of it.
    let library = preload(
        "groups",
        "int setgroups(unsigned long n, const void *l) { return 0; }
int initgroups(const char *u, unsigned g) { return 0; }
",
    );
    // One for each address: on all of them it answers from whichever the kernel likes.
    for address in [v4, v6] {
        let end = SocketAddr::new(address, 69).to_string();
        let mut command = far(&["in.tftpd", "-L", "-a", &end, "-u", "root", &files]);
        command.env("LD_PRELOAD", &library);
        spawn("tftpd", command);
    }
}

/// A library of a few functions of C, for a program's `LD_PRELOAD`.
pub(crate) fn preload(name: &str, source: &str) -> String {
    let (library, source) = (format!("{DIR}/{name}.so"), write(&format!("{name}.c"), source));
    run(Command::new("cc").args(["-shared", "-fPIC", "-w", "-o", &library, &source]));
    library
}

fn memcached(v4: IpAddr, v6: IpAddr) {
    let ends = format!("{v4},{v6}");
    spawn("memcached", far(&["memcached", "-u", "root", "-U", "11211", "-l", &ends]));
}

/// Refuses everybody, a second late, as it does by default.
fn freeradius(v4: IpAddr, v6: IpAddr) {
    let path = format!("{DIR}/radius");
    fs::create_dir_all(&path).expect("the lab's directory takes files");
    write(
        "radius/radiusd.conf",
        &format!(
            "prefix = /usr
logdir = {path}
run_dir = {path}
db_dir = {path}
libdir = /usr/lib/freeradius
name = lab
pidfile = {path}/pid
max_requests = 1024
security {{
  max_attributes = 200
  reject_delay = 1
  status_server = no
}}
thread pool {{
  start_servers = 1
  max_servers = 4
  min_spare_servers = 1
  max_spare_servers = 2
  max_requests_per_server = 0
}}
client four {{
  ipaddr = 0.0.0.0/0
  secret = testing123
}}
client six {{
  ipv6addr = ::/0
  secret = testing123
}}
modules {{
  always reject {{
    rcode = reject
  }}
}}
server lab {{
  listen {{
    type = auth
    ipaddr = {v4}
    port = 1812
  }}
  listen {{
    type = auth
    ipv6addr = {v6}
    port = 1812
  }}
  authorize {{
    reject
  }}
}}
"
        ),
    );
    spawn("radius", far(&["freeradius", "-f", "-l", "stdout", "-d", &path]));
}

/// Knows no peer, and says so to each that asks.
fn strongswan() {
    let text = "charon {
  load = nonce random sha1 sha2 aes hmac gmp kernel-netlink socket-default
  install_routes = no
  filelog {
    stderr {
      default = 1
    }
  }
}
";
    let path = write("strongswan.conf", text);
    let mut command = far(&["/usr/lib/ipsec/charon"]);
    command.env("STRONGSWAN_CONF", path);
    spawn("charon", command);
}

/// QUIC endpoints with a certificate for this name, in a process of their own: this test binary again, running the
/// test below.
pub(crate) fn quic(name: &str, ends: &[SocketAddr]) {
    let (key, certificate) = (format!("{DIR}/quic.key"), format!("{DIR}/quic.crt"));
    run(Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"])
        .args(["-subj", "/CN=lab", "-addext", &format!("subjectAltName=DNS:{name}"), "-days", "90"])
        .args(["-keyout", &key, "-outform", "DER", "-out", &certificate]));
    run(Command::new("openssl").args(["pkcs8", "-topk8", "-nocrypt", "-in", &key]).args([
        "-outform",
        "DER",
        "-out",
        &format!("{key}.der"),
    ]));
    let mut child = far(&[])
        .arg(env::current_exe().expect("the test binary knows its own path"))
        .args(["daemons::quic_endpoints_open_wherever_they_were_told_to", "--exact", "--nocapture"])
        .env(AS_QUIC, ends.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the QUIC endpoints start");
    let mut output = BufReader::new(child.stdout.take().expect("standard output is a pipe"));
    let mut lines = output.by_ref().lines();
    assert!(lines.any(|line| line.expect("text") == READY), "the QUIC endpoints ended instead of opening");
    // Held open: see the listeners.
    std::mem::forget(output);
}

/// The QUIC process: opens its endpoints, says so, and serves until killed.
fn serve(ends: &str) {
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    let read = |name: &str| fs::read(format!("{DIR}/{name}")).expect("the lab has made it");
    let key = PrivateKeyDer::try_from(read("quic.key.der")).expect("a private key");
    let certificate = CertificateDer::from(read("quic.crt"));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("a certificate");
    config.alpn_protocols = vec![b"h3".to_vec()];
    let config = quinn::crypto::rustls::QuicServerConfig::try_from(config).expect("TLS 1.3");
    let config = quinn::ServerConfig::with_crypto(Arc::new(config));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let open = |end: &str| {
            let end: SocketAddr = end.parse().expect("addresses and ports");
            let socket = std::net::UdpSocket::bind(end).unwrap_or_else(|error| panic!("{end}: {error}"));
            let runtime = Arc::new(quinn::TokioRuntime);
            quinn::Endpoint::new(quinn::EndpointConfig::default(), Some(config.clone()), socket, runtime)
        };
        let endpoints: Vec<_> = ends.split(' ').map(|end| open(end).expect("an endpoint")).collect();
        println!("{READY}");
        std::io::stdout().flush().expect("standard output is a pipe");
        let mut served: Vec<_> = endpoints
            .into_iter()
            .map(|endpoint| {
                tokio::spawn(async move {
                    while let Some(incoming) = endpoint.accept().await {
                        // The handshake, and nothing above it.
                        tokio::spawn(async move {
                            if let Ok(connection) = incoming.await {
                                connection.closed().await;
                            }
                        });
                    }
                })
            })
            .collect();
        let _ = served.remove(0).await;
    });
}

#[test]
fn quic_endpoints_open_wherever_they_were_told_to() {
    if let Ok(ends) = env::var(AS_QUIC) {
        return serve(&ends);
    }
    super::isolate::isolated(|| {
        super::lab::Lab::new().host(super::host::Host::at("203.0.113.2")).start();
        quic("www.example.com", &["203.0.113.2:443".parse().expect("an address and a port")]);
        let open = run(&mut far(&["ss", "-Hlun"]));
        assert!(open.contains("203.0.113.2:443"), "{open}");
    });
}
