//! Real servers that speak over TCP, from Debian's packages, all on the far side, on every address of it and
//! with their configuration in the lab's own directory. They run as the only user that a namespace has.

use std::{fs, process::Command};

use super::{
    daemons::{copy, preload, spawn, wait_until_open, write},
    isolate::{DIR, run},
    lab::far,
};

/// Ports, and the service that has to be found there.
pub(crate) const STREAMS: [(u16, &str); 19] = [
    (21, "ftp"),
    (22, "ssh"),
    (23, "telnet"),
    (25, "smtp"),
    (53, "domain"),
    (80, "http"),
    (110, "pop3"),
    (143, "imap"),
    (389, "ldap"),
    (443, "https"),
    (445, "microsoft-ds"),
    (873, "rsync"),
    (1883, "mqtt"),
    (2379, "etcd-client"),
    (3306, "mysql"),
    (3389, "ms-wbt-server"),
    (5432, "postgresql"),
    (6379, "redis"),
    (11_211, "memcached"),
];

/// Starts those that are not in [`super::servers`] and [`super::daemons`]; returns when each is open.
pub(crate) fn start() {
    // Not only the superuser may have the ports below 1024.
    run(&mut far(&["sh", "-c", "echo 0 > /proc/sys/net/ipv4/ip_unprivileged_port_start"]));
    postfix(&preload("identities", IDENTITIES));
    dovecot();
    vsftpd();
    telnetd();
    postgresql();
    mariadb();
    redis();
    etcd();
    slapd();
    mosquitto();
    rsync();
    samba();
    xrdp();
    spawn("memcached", far(&["memcached", "-u", "root", "-l", "0.0.0.0,::"]));
    wait_until_open(
        "-Hltn",
        &[21, 23, 25, 110, 143, 389, 445, 873, 1883, 2379, 3306, 3389, 5432, 6379, 11_211],
    );
}

/// Whoever gives up the superuser's identity believes that he has, and goes on with it: there is no other in a
/// namespace of one user.
const IDENTITIES: &str = "
static unsigned real, effective;
unsigned getuid(void) { return real; }
unsigned geteuid(void) { return effective; }
int setuid(unsigned u) { real = effective = u; return 0; }
int seteuid(unsigned u) { effective = u; return 0; }
int setgid(unsigned g) { return 0; }
int setegid(unsigned g) { return 0; }
int setgroups(unsigned long n, const void *l) { return 0; }
int initgroups(const char *u, unsigned g) { return 0; }
";

/// Samba asks the kernel itself, past the C library: `setgroups` is number 116 on x86-64.
const SYSTEM_CALLS: &str = "
int setgroups(unsigned long n, const void *l) { return 0; }
int initgroups(const char *u, unsigned g) { return 0; }
#ifdef __x86_64__
extern int *__errno_location(void);
long syscall(long n, long a, long b, long c, long d, long e, long f) {
  if (n == 116) return 0;
  register long r10 __asm__(\"r10\") = d;
  register long r8 __asm__(\"r8\") = e;
  register long r9 __asm__(\"r9\") = f;
  long ret;
  __asm__ volatile(\"syscall\" : \"=a\"(ret) : \"a\"(n), \"D\"(a), \"S\"(b), \"d\"(c), \"r\"(r10), \"r\"(r8), \"r\"(r9)
    : \"rcx\", \"r11\", \"memory\");
  if (ret < 0 && ret > -4096) { *__errno_location() = -ret; return -1; }
  return ret;
}
#endif
";

fn directory(name: &str) -> String {
    let path = format!("{DIR}/{name}");
    fs::create_dir_all(&path).expect("the lab's directory takes directories");
    path
}

/// As another user than the superuser, whom some servers refuse to be.
fn as_nobody(program: &[&str]) -> Command {
    let mut command = far(&["unshare", "--user", "--map-user=65534", "--map-group=65534"]);
    command.args(program);
    command
}

fn postfix(identities: &str) {
    let (etc, queue, data) = (directory("postfix"), directory("postfix-queue"), directory("postfix-data"));
    for name in [
        "active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "maildrop", "pid",
        "private", "public", "saved", "trace",
    ] {
        directory(&format!("postfix-queue/{name}"));
    }
    let master = "smtp inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
anvil unix - - n - 1 anvil
proxymap unix - - n - - proxymap
postlog unix-dgram n - n - 1 postlogd
";
    write("postfix/master.cf", master);
    let environment = format!("LD_PRELOAD={identities} PATH=/usr/sbin:/usr/bin MAIL_CONFIG={etc}");
    let text = format!(
        "compatibility_level = 3.6
queue_directory = {queue}
data_directory = {data}
mail_owner = postfix
myhostname = mail.example.com
import_environment = {environment}
export_environment = {environment}
maillog_file = {DIR}/postfix.log
maillog_file_prefixes = {DIR}
inet_interfaces = all
inet_protocols = all
alias_maps =
alias_database =
smtpd_peername_lookup = no
"
    );
    write("postfix/main.cf", &text);
    let mut command = far(&["/usr/lib/postfix/sbin/master", "-c", &etc, "-d"]);
    command.env("LD_PRELOAD", identities);
    spawn("postfix-master", command);
}

/// It refuses to be the superuser where it meets strangers.
fn dovecot() {
    let base = directory("dovecot");
    let text = format!(
        "protocols = imap pop3
base_dir = {base}
state_dir = {base}
listen = *, ::
ssl = no
log_path = {DIR}/dovecot.log
default_internal_user = nobody
default_login_user = nobody
default_internal_group = nogroup
passdb {{
  driver = static
  args = password=secret
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={DIR}
}}
service anvil {{
  chroot =
}}
service imap-login {{
  chroot =
}}
service pop3-login {{
  chroot =
}}
service stats {{
  chroot =
}}
"
    );
    let path = write("dovecot.conf", &text);
    // Its configuration lies in a directory of that name.
    let server = format!("{DIR}/dovecot-server");
    fs::copy("/usr/sbin/dovecot", &server).expect("dovecot is installed (`tests/run lab` does it)");
    spawn("dovecot", as_nobody(&[&server, "-F", "-c", &path]));
}

/// Takes anonymous users, as an old public server does.
fn vsftpd() {
    let text = "listen_ipv6=YES
background=NO
anonymous_enable=YES
local_enable=NO
anon_root=/tmp
run_as_launching_user=YES
seccomp_sandbox=NO
";
    let path = write("vsftpd.conf", text);
    spawn("vsftpd", as_nobody(&[&copy("/usr/sbin/vsftpd"), &path]));
}

fn telnetd() {
    // By socat, as an inetd: one process a connection.
    let server = "EXEC:/usr/sbin/telnetd,nofork";
    spawn("telnetd", far(&["socat", "TCP6-LISTEN:23,fork,reuseaddr,ipv6only=0", server]));
}

fn postgresql() {
    let versions = fs::read_dir("/usr/lib/postgresql").expect("postgresql is installed");
    let bin =
        versions.map(|version| version.expect("a directory").path().join("bin")).max().expect("a version");
    let (program, data) = (|name: &str| bin.join(name).display().to_string(), format!("{DIR}/postgresql"));
    run(&mut as_nobody(&[
        &program("initdb"),
        "-D",
        &data,
        "-A",
        "scram-sha-256",
        "-U",
        "me",
        "-N",
        "--pwfile",
        &write("password", "secret\n"),
    ]));
    let command = as_nobody(&[&program("postgres"), "-D", &data, "-k", DIR, "-c", "listen_addresses=*"]);
    spawn("postgresql", command);
}

fn mariadb() {
    let data = format!("--datadir={DIR}/mariadb");
    let quiet = ["--auth-root-authentication-method=normal", "--skip-test-db"];
    // Names of its temporary files come from process numbers, which are the same in every namespace.
    let install = ["--user=root", &data];
    run(Command::new("mariadb-install-db").args(install).args(quiet).env("TMPDIR", DIR));
    let socket = format!("--socket={DIR}/mariadb.sock");
    let pid = format!("--pid-file={DIR}/mariadb.pid");
    let server = copy("/usr/sbin/mariadbd");
    let small = "--innodb-buffer-pool-size=8M";
    let mut command =
        far(&[&server, "--no-defaults", "--user=root", &data, &socket, &pid, "--bind-address=*", small]);
    command.env("TMPDIR", DIR);
    spawn("mariadb", command);
}

fn redis() {
    let arguments = ["--bind", "*", "-::*", "--protected-mode", "no", "--save", "", "--dir", DIR];
    spawn("redis", far(&[&[copy("/usr/bin/redis-server").as_str()], &arguments[..]].concat()));
}

fn etcd() {
    let data = format!("{DIR}/etcd");
    let clients =
        ["--listen-client-urls", "http://[::]:2379", "--advertise-client-urls", "http://localhost:2379"];
    spawn("etcd", far(&[&["etcd", "--data-dir", &data], &clients[..]].concat()));
}

/// The API of the whole machine, without TLS and for everybody; no container is ever started.
pub(crate) fn docker() {
    let [data, state] = ["docker", "docker-exec"].map(directory);
    let pid = format!("{DIR}/docker.pid");
    let way = ["-H", "tcp://0.0.0.0:2375", "--tls=false", "--bridge=none", "--iptables=false"];
    let place = ["--data-root", &data, "--exec-root", &state, "--pidfile", &pid, "--storage-driver=vfs"];
    let mut command = far(&[&["dockerd"], &way[..], &place[..]].concat());
    // It asks where it may keep its own things.
    command.env("HOME", DIR).env("TMPDIR", DIR);
    spawn("docker", command);
}

fn slapd() {
    let data = directory("slapd-data");
    let text = format!(
        "include /etc/ldap/schema/core.schema
modulepath /usr/lib/ldap
moduleload back_mdb
database mdb
suffix \"dc=example,dc=com\"
directory {data}
pidfile {DIR}/slapd.pid
"
    );
    let path = write("slapd.conf", &text);
    spawn(
        "slapd",
        far(&[&copy("/usr/sbin/slapd"), "-d", "0", "-f", &path, "-h", "ldap://0.0.0.0:389 ldap://[::]:389"]),
    );
}

fn mosquitto() {
    let path = write("mosquitto.conf", "listener 1883\nallow_anonymous true\nuser root\n");
    spawn("mosquitto", far(&[&copy("/usr/sbin/mosquitto"), "-c", &path]));
}

fn rsync() {
    let path = write("rsyncd.conf", &format!("use chroot = no\nuid = 0\ngid = 0\n[files]\npath = {DIR}\n"));
    spawn("rsync", far(&["rsync", "--daemon", "--no-detach", "--config", &path, "--port", "873"]));
}

fn samba() {
    let paths = ["private", "lock", "state", "cache", "pid", "ncalrpc"].map(|name| {
        let (key, path) =
            (if name == "ncalrpc" { "ncalrpc dir" } else { name }, directory(&format!("samba/{name}")));
        let key = if key == "private" {
            "private dir".to_owned()
        } else if key == "ncalrpc dir" {
            key.to_owned()
        } else {
            format!("{key} directory")
        };
        format!("{key} = {path}\n")
    });
    let text = format!(
        "[global]
server role = standalone server
guest account = root
map to guest = never
disable netbios = yes
smb ports = 445
log file = {DIR}/samba.log
{}",
        paths.concat()
    );
    let path = write("smb.conf", &text);
    let mut command = far(&[&copy("/usr/sbin/smbd"), "-F", "--no-process-group", "-s", &path]);
    command.env("LD_PRELOAD", preload("calls", SYSTEM_CALLS));
    spawn("samba", command);
}

fn xrdp() {
    let text = fs::read_to_string("/etc/xrdp/xrdp.ini").expect("xrdp is installed (`tests/run lab` does it)");
    let lines = text.lines().map(|line| match line.split_once('=') {
        Some(("port", "3389")) => "port=3389".to_owned(),
        Some(("fork", _)) => "fork=false".to_owned(),
        Some(("LogFile", _)) => format!("LogFile={DIR}/xrdp.log"),
        _ => line.to_owned(),
    });
    let path = write("xrdp.ini", &lines.collect::<Vec<_>>().join("\n"));
    spawn("xrdp-server", far(&["xrdp", "--nodaemon", "--config", &path]));
}
