//! What this machine can do for a scan, as facts. Looks and tries; sends nothing.

use std::{fs, io, net::IpAddr, path::Path, process::Command};

use super::{interfaces, privilege, provenance, sys};

/// What was found.
#[derive(Debug)]
pub struct Facts {
    /// Whether raw packet sockets could be opened.
    pub raw: io::Result<()>,
    /// Whether `CAP_NET_RAW` is in effect.
    pub net_raw: bool,
    /// Whether this is root, of whatever user namespace.
    pub root: bool,
    /// Whether root here is nobody special outside.
    pub user_namespace: bool,
    /// Whether a TCP socket could be opened.
    pub tcp: io::Result<()>,
    /// Interfaces that are up, with their addresses; loopback left out.
    pub interfaces: Vec<(String, Vec<IpAddr>)>,
    /// The address that probes to the IPv4 internet would come from.
    pub ipv4: Option<IpAddr>,
    /// The same for IPv6.
    pub ipv6: Option<IpAddr>,
    /// Name servers of `/etc/resolv.conf`.
    pub resolvers: Vec<String>,
    /// Descriptors that may be open at a time, once the limit is raised as far as it goes.
    pub descriptors: u64,
    /// Whether the kernel calls its clock synchronized.
    pub clock: Option<bool>,
    /// The local ports that the system gives out.
    pub ports: Option<(u16, u16)>,
    /// Connections tracked, and the most that may be.
    pub tracked: Option<(u64, u64)>,
    /// What this machine's own firewall says.
    pub firewall: Firewall,
}

/// This machine's own firewall, as far as it can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Firewall {
    /// Only root reads it, or `nft` is not there.
    Unseen,
    /// No rule looks at what leaves.
    Open,
    /// Rules that look at what leaves, and drop or reject some of it.
    Filters(Vec<String>),
}

/// Looks around.
pub fn look() -> Facts {
    let links = pnet::datalink::interfaces().into_iter().filter(|link| link.is_up() && !link.is_loopback());
    Facts {
        raw: privilege::raw_sockets(),
        net_raw: privilege::has_net_raw(),
        root: sys::user_id() == 0,
        user_namespace: read("/proc/self/uid_map").is_some_and(|map| is_namespace(&map)),
        tcp: socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).map(drop),
        interfaces: links
            .map(|link| (link.name, link.ips.into_iter().map(|network| network.ip()).collect()))
            .collect(),
        // Documentation addresses (RFC 5737, RFC 3849): nobody's, and routed like everybody's.
        ipv4: interfaces::source_for(([192, 0, 2, 1], 9).into()),
        ipv6: interfaces::source_for(([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], 9).into()),
        resolvers: read("/etc/resolv.conf").map(|text| resolvers(&text)).unwrap_or_default(),
        descriptors: sys::raise_descriptor_limit(),
        clock: provenance::clock().0,
        ports: read("/proc/sys/net/ipv4/ip_local_port_range").and_then(|text| pair(&text)),
        tracked: tracked(),
        firewall: firewall(),
    }
}

fn read(path: impl AsRef<Path>) -> Option<String> {
    fs::read_to_string(path).ok()
}

/// Whether a `uid_map` (see `user_namespaces(7)`) is anything but the whole range onto itself.
fn is_namespace(map: &str) -> bool {
    !map.split_whitespace().eq(["0", "0", "4294967295"])
}

fn resolvers(text: &str) -> Vec<String> {
    let server = |line: &str| {
        let mut words = line.split_whitespace();
        (words.next()? == "nameserver").then(|| words.next().map(str::to_owned))?
    };
    text.lines().filter_map(server).collect()
}

fn pair(text: &str) -> Option<(u16, u16)> {
    let mut numbers = text.split_whitespace().map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

fn tracked() -> Option<(u64, u64)> {
    let number = |name| read(format!("/proc/sys/net/netfilter/{name}"))?.trim().parse().ok();
    Some((number("nf_conntrack_count")?, number("nf_conntrack_max")?))
}

/// Asks `nft`, which answers root only.
fn firewall() -> Firewall {
    let listed =
        Command::new("nft").args(["list", "ruleset"]).output().ok().filter(|said| said.status.success());
    match listed.filter(|_| sys::user_id() == 0) {
        Some(said) => outgoing(&String::from_utf8_lossy(&said.stdout)),
        None => Firewall::Unseen,
    }
}

/// The lines of chains hooked to output that drop or reject. A ruleset of nft is indented text: a chain
/// begins with its name and ends with a brace alone.
fn outgoing(ruleset: &str) -> Firewall {
    let mut found = Vec::new();
    let mut is_output = false;
    for line in ruleset.lines().map(str::trim) {
        if line.starts_with("chain ") || line == "}" {
            is_output = false;
        }
        is_output |= line.contains("hook output") || line.contains("hook postrouting");
        let words = || line.split(|c: char| !c.is_alphanumeric());
        if is_output && words().any(|word| matches!(word, "drop" | "reject")) {
            found.push(line.to_owned());
        }
    }
    if found.is_empty() { Firewall::Open } else { Firewall::Filters(found) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_writes_is_read() {
        assert!(!is_namespace("         0          0 4294967295\n"));
        assert!(is_namespace("         0       1000          1\n"));
        let text = "# made by hand\nsearch example.com\nnameserver 192.0.2.53\nnameserver  2001:db8::53 \n";
        assert_eq!(resolvers(text), ["192.0.2.53", "2001:db8::53"]);
        assert_eq!((pair("32768\t60999\n"), pair("many")), (Some((32768, 60999)), None));
    }

    #[test]
    fn only_rules_about_what_leaves_matter() {
        let input = "table inet filter {\n\tchain input {\n\t\ttype filter hook input priority 0; policy drop;\n\t\tct state invalid drop\n\t}\n}\n";
        assert_eq!(outgoing(input), Firewall::Open);
        let both = "table inet filter {\n\tchain out {\n\t\ttype filter hook output priority 0; policy accept;\n\t\tct state invalid drop\n\t}\n\tchain in {\n\t\tdrop\n\t}\n}\n";
        assert_eq!(outgoing(both), Firewall::Filters(vec!["ct state invalid drop".to_owned()]));
        let policy = "chain out {\ntype filter hook output priority 0; policy drop;\n}";
        assert!(matches!(outgoing(policy), Firewall::Filters(lines) if lines.len() == 1));
    }

    #[test]
    fn looking_around_finds_this_machine() {
        let facts = look();
        assert!(facts.tcp.is_ok() && facts.descriptors > 0 && facts.ports.is_some());
        assert_eq!(facts.raw.is_ok(), facts.net_raw);
    }
}
