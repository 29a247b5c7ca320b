//! Services that are known by how their first words begin, as a table; and complaints about a question that
//! was somebody else's.

use crate::identify::{
    octets::find,
    stream::{Guard, LINE, Less, Shown, after, line, only, product},
    text,
};

/// First words, and whose they are.
struct Words {
    service: &'static str,
    begins: &'static str,
    /// What else is in what they say, if not empty.
    has: &'static str,
    product: Option<&'static str>,
    /// What comes before the version; empty: nothing tells it.
    version: &'static str,
    guard: Guard,
    /// It is complete without the end of a line.
    bare: bool,
}

const PLAIN: Words =
    Words { service: "", begins: "", has: "", product: None, version: "", guard: Guard::Untold, bare: false };

/// Sources: the programs' own protocol documents, by their names.
const TABLE: &[Words] = &[
    // rsync(1), daemon protocol: version, and digests since 31.
    Words { service: "rsync", begins: "@RSYNCD: ", product: Some("rsync"), ..PLAIN },
    // VMware Authentication Daemon: begins like FTP, and TLS after this line.
    Words {
        service: "vmware-auth",
        begins: "220 VMware Authentication Daemon Version ",
        has: "SSL Required",
        product: Some("VMware Authentication Daemon"),
        version: "Version ",
        guard: Guard::Upgradable,
        ..PLAIN
    },
    Words {
        service: "vmware-auth",
        begins: "220 VMware Authentication Daemon Version ",
        product: Some("VMware Authentication Daemon"),
        version: "Version ",
        ..PLAIN
    },
    // Asterisk, Manager Interface.
    Words {
        service: "asterisk-ami",
        begins: "Asterisk Call Manager/",
        product: Some("Asterisk Call Manager"),
        version: "Manager/",
        ..PLAIN
    },
    // FreeSWITCH, mod_event_socket; the second is for addresses that its list does not have.
    Words {
        service: "freeswitch-event",
        begins: "Content-Type: auth/request",
        product: Some("FreeSWITCH"),
        ..PLAIN
    },
    Words {
        service: "freeswitch-event",
        begins: "Content-Type: text/rude-rejection",
        product: Some("FreeSWITCH"),
        ..PLAIN
    },
    // Munin, network protocol.
    Words { service: "munin", begins: "# munin node at ", product: Some("Munin node"), ..PLAIN },
    // Checkmk, agent output: everything at once, to everybody who may connect.
    Words {
        service: "checkmk-agent",
        begins: "<<<check_mk>>>",
        product: Some("Checkmk agent"),
        version: "\nVersion: ",
        guard: Guard::Open("gives its report to strangers"),
        ..PLAIN
    },
    // OpenVPN, management interface notes.
    Words {
        service: "openvpn-management",
        begins: ">INFO:OpenVPN Management Interface Version ",
        product: Some("OpenVPN"),
        guard: Guard::Open("asks for no password"),
        ..PLAIN
    },
    Words {
        service: "openvpn-management",
        begins: "ENTER PASSWORD:",
        product: Some("OpenVPN"),
        bare: true,
        ..PLAIN
    },
    // Ceph, messenger versions 1 and 2.
    Words { service: "ceph", begins: "ceph v027", product: Some("Ceph"), bare: true, ..PLAIN },
    Words { service: "ceph", begins: "ceph v2\n", product: Some("Ceph"), bare: true, ..PLAIN },
    // RethinkDB, to whoever speaks something else.
    Words {
        service: "rethinkdb",
        begins: "ERROR: Received an unsupported protocol version. This port is for RethinkDB",
        product: Some("RethinkDB"),
        bare: true,
        ..PLAIN
    },
    // tcpwrappers and the like say nothing; sshd does.
    Words { service: "ssh", begins: "Not allowed at this time\r\n", product: Some("OpenSSH"), ..PLAIN },
    Words { service: "ssh", begins: "Exceeded MaxStartups\r\n", product: Some("OpenSSH"), ..PLAIN },
];

/// Reads them.
pub(super) fn known(octets: &[u8]) -> Result<Shown, Less> {
    let mut less = Less::Foreign;
    for words in TABLE {
        match read(words, octets) {
            Err(Less::Foreign) => {}
            Err(Less::Unfinished) => less = Less::Unfinished,
            shown => return shown,
        }
    }
    Err(less)
}

fn read(words: &Words, octets: &[u8]) -> Result<Shown, Less> {
    after(octets, words.begins.as_bytes())?;
    if !words.bare {
        line(octets)?;
    }
    let all = octets.get(..LINE).unwrap_or(octets);
    only(words.has.is_empty() || find(all, words.has.as_bytes()).is_some())?;
    let first = all.split(|octet| *octet == b'\n').next().unwrap_or_default();
    let shown = Shown::service(words.service).saying(first).guarded(words.guard);
    let Some(name) = words.product else { return Ok(shown) };
    let begin = words.version.as_bytes();
    let version = find(all, begin).filter(|_| !begin.is_empty()).and_then(|at| all.get(at + begin.len()..));
    let end = |octet: &u8| octet.is_ascii_whitespace() || b":,;".contains(octet);
    let version = version.and_then(|rest| rest.split(end).next()).and_then(text);
    Ok(shown.by(product(name, version)))
}
