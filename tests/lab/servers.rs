//! Real servers from Debian on the far side, each with its configuration in the lab's own directory:
//! nginx, OpenSSH, and unbound as a DNS server. None of them reads or writes the machine's own files.

use std::{
    fmt::Write as _,
    fs,
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    process::{Command, Stdio},
    thread,
};

use super::{
    host::Host,
    isolate::{DIR, run},
    lab::far,
};

/// Starts nginx and OpenSSH where hosts declare them; returns when they listen.
pub(crate) fn start(hosts: &[Host]) {
    let http = ends(hosts, |host| &host.nginx);
    let https = ends(hosts, |host| &host.nginx_tls);
    if !http.is_empty() || !https.is_empty() {
        nginx(&http, &https);
    }
    let ssh = ends(hosts, |host| &host.sshd);
    if !ssh.is_empty() {
        sshd(&ssh);
    }
}

/// A DNS server at `address`, port 53. `zone` holds resource records, as in a zone file, for any names.
/// A name delegated to 127.0.0.1 (`lame.example.com. 300 IN NS ns.lame.example.com.` and its address)
/// answers SERVFAIL; names below `silent.example.com` are never answered; what has no record is NXDOMAIN.
pub(crate) fn dns(address: &str, zone: &str) {
    let root = ". 300 IN SOA ns.invalid. admin.invalid. 1 3600 600 86400 60\n. 300 IN NS ns.invalid.\n\
                ns.invalid. 300 IN A 127.0.0.1\n";
    fs::write(format!("{DIR}/zone"), format!("{root}{zone}\n")).expect("the lab's directory takes files");
    let config = format!(
        "server:
  interface: {address}
  access-control: 0.0.0.0/0 allow
  access-control: ::/0 allow
  username: \"\"
  chroot: \"\"
  pidfile: \"\"
  directory: \"{DIR}\"
  use-syslog: no
  logfile: \"\"
  verbosity: 1
  num-threads: 1
  module-config: \"iterator\"
  local-zone: \"silent.example.com.\" deny
remote-control:
  control-enable: no
auth-zone:
  name: \".\"
  zonefile: \"{DIR}/zone\"
  for-downstream: no
  for-upstream: yes
"
    );
    let path = format!("{DIR}/unbound.conf");
    fs::write(&path, config).expect("the lab's directory takes files");
    let server = format!("{DIR}/unbound");
    // Debian's AppArmor profile is bound to the path of the binary and would hide the lab's files.
    fs::copy("/usr/sbin/unbound", &server).expect("unbound is installed (`tests/run lab` does it)");
    wait(far(&[&server, "-d", "-c", &path]), "start of service", 1);
}

fn ends(hosts: &[Host], ports: impl Fn(&Host) -> &Vec<u16>) -> Vec<SocketAddr> {
    hosts
        .iter()
        .flat_map(|host| {
            host.addresses
                .iter()
                .flat_map(|&address| ports(host).iter().map(move |&port| SocketAddr::new(address, port)))
                .collect::<Vec<_>>()
        })
        .collect()
}

fn nginx(http: &[SocketAddr], https: &[SocketAddr]) {
    let mut listen = String::new();
    for end in http {
        writeln!(listen, "listen {end};").unwrap();
    }
    for end in https {
        writeln!(listen, "listen {end} ssl;").unwrap();
    }
    let mut tls = String::new();
    if !https.is_empty() {
        run(Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"])
            .args([
                "-days",
                "90",
                "-subj",
                "/CN=www.example.com",
                "-addext",
                "subjectAltName=DNS:www.example.com",
            ])
            .args(["-keyout", &format!("{DIR}/tls.key"), "-out", &format!("{DIR}/tls.crt")]));
        tls = format!("ssl_certificate {DIR}/tls.crt; ssl_certificate_key {DIR}/tls.key;");
    }
    serve_http(
        "nginx",
        &format!(
            "server {{ {listen} {tls} server_name www.example.com; location / {{ return 200 \"portproof lab\\n\"; }} }}"
        ),
    );
}

/// An nginx of this name with these servers; returns when it listens.
pub(crate) fn serve_http(name: &str, servers: &str) {
    let mut temp = String::new();
    for what in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"] {
        writeln!(temp, "{what}_temp_path {DIR}/{name}-{what};").unwrap();
    }
    let config = format!(
        "user root root; daemon on; master_process off; pid {DIR}/{name}.pid; error_log {DIR}/{name}.log;
events {{ worker_connections 512; }}
http {{
access_log off; {temp}
{servers}
}}
"
    );
    let path = format!("{DIR}/{name}.conf");
    fs::write(&path, config).expect("the lab's directory takes files");
    // nginx binds its ports before it goes to the background, so when this returns it listens.
    run(&mut far(&["nginx", "-e", &format!("{DIR}/{name}.log"), "-c", &path]));
}

fn sshd(ends: &[SocketAddr]) {
    let key = format!("{DIR}/ssh_host_key");
    run(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f", &key]));
    // As root, sshd would change its groups, which a user namespace forbids; as anybody else it does not try.
    let mut command = far(&["unshare", "--user", "--map-user=1000", "--map-group=1000"]);
    command.args(["/usr/sbin/sshd", "-D", "-e", "-f", "/dev/null"]);
    command.args(["-o", &format!("HostKey={key}"), "-o", "PidFile=none", "-o", "UsePAM=no"]);
    for end in ends {
        command.args(["-o", &format!("ListenAddress={end}")]);
    }
    wait(command, "Server listening on", ends.len());
}

/// Starts a server that stays in the foreground, and returns when it has said `ready` so many times.
fn wait(mut command: Command, ready: &str, times: usize) {
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap_or_else(
            |error| panic!("{command:?}: {error}; `tests/run lab` installs what the lab needs"),
        );
    let mut lines = BufReader::new(child.stderr.take().expect("standard error is a pipe"));
    let (mut said, mut seen) = (String::new(), 0);
    while seen < times {
        let mut line = String::new();
        let read = lines.read_line(&mut line).expect("the server writes text");
        assert!(read > 0, "{command:?} ended instead of serving:\n{said}");
        seen += usize::from(line.contains(ready));
        said.push_str(&line);
    }
    // What it says from now on is read and forgotten, so that it never blocks on a full pipe.
    thread::spawn(move || lines.read_to_end(&mut Vec::new()));
}
