//! `doctor`: what works from here, and what would make more work. Sends nothing.

use std::{fmt::Write as _, net::IpAddr, process::ExitCode};

use super::{
    error::{CliError, Code},
    output::print,
};
use crate::{
    drive::doctor::{Facts, Firewall, look},
    report::thousands,
};

/// How a thing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Ok,
    Note,
    Missing,
}

/// One line: what was looked at, how it stands, and what to do about it.
#[derive(Debug)]
struct Line {
    mark: Mark,
    what: &'static str,
    says: String,
    cure: Option<String>,
}

/// Fewer descriptors than this make connect scans slow.
const FEW_DESCRIPTORS: u64 = 4096;
/// A scan at the default rate may hold this many entries of a connection table: a SYN without an answer
/// is kept for two minutes by default.
const TRACKED_BY_DEFAULT: u64 = 10_000 * 120;

/// Looks around and says it.
pub(super) fn run() -> Result<ExitCode, CliError> {
    let facts = look();
    let lines = lines(&facts);
    print(written(&lines, &facts).as_bytes())?;
    Ok(if works(&facts) { Code::Fine } else { Code::Environment }.into())
}

/// Whether anything can be scanned at all.
fn works(facts: &Facts) -> bool {
    facts.tcp.is_ok() && (facts.ipv4.is_some() || facts.ipv6.is_some() || !facts.interfaces.is_empty())
}

fn written(lines: &[Line], facts: &Facts) -> String {
    let mut text = String::new();
    for Line { mark, what, says, cure } in lines {
        let mark = match mark {
            Mark::Ok => "ok",
            Mark::Note => "note",
            Mark::Missing => "missing",
        };
        let _ = writeln!(text, "{mark:<8} {what:<14} {says}");
        if let Some(cure) = cure {
            let _ = writeln!(text, "{:<8} {:<14} -> {cure}", "", "");
        }
    }
    let verdict = match (works(facts), facts.raw.is_ok()) {
        (false, _) => "nothing can be scanned from here",
        (true, true) => "--scan auto asks by SYN from here",
        (true, false) => "--scan auto asks by connect from here: the same answers, more slowly",
    };
    let _ = writeln!(text, "\n{verdict}");
    text
}

fn lines(facts: &Facts) -> Vec<Line> {
    let mut lines = vec![raw(facts), connect(facts)];
    lines.extend(network(facts));
    lines.extend([resolvers(facts), descriptors(facts), clock(facts)]);
    lines.extend(facts.ports.map(ports));
    lines.extend([tracking(facts), firewall(&facts.firewall)]);
    lines
}

fn line(mark: Mark, what: &'static str, says: impl Into<String>, cure: Option<&str>) -> Line {
    Line { mark, what, says: says.into(), cure: cure.map(str::to_owned) }
}

fn raw(facts: &Facts) -> Line {
    let who = match (facts.root, facts.user_namespace) {
        (true, true) => "root of a user namespace",
        (true, false) => "root",
        (false, _) => "no root",
    };
    match &facts.raw {
        Ok(()) => {
            let by = if facts.root { who } else { "CAP_NET_RAW" };
            line(
                Mark::Ok,
                "SYN scan",
                format!(
                    "raw packet sockets can be opened ({by}); what is not needed is given up before the first probe"
                ),
                None,
            )
        }
        Err(error) if facts.net_raw => line(
            Mark::Missing,
            "SYN scan",
            format!(
                "CAP_NET_RAW is in effect, and raw packet sockets can't be opened all the same ({error})"
            ),
            Some(
                "a sandbox forbids it (seccomp, SELinux, a container's profile): allow AF_PACKET sockets there",
            ),
        ),
        Err(error) => {
            let program = std::env::current_exe()
                .map_or_else(|_| "$(command -v portproof)".to_owned(), |path| path.display().to_string());
            let cure = if facts.user_namespace {
                "this user namespace lacks it: in a container, add the capability (`--cap-add NET_RAW`)"
                    .to_owned()
            } else {
                format!("`sudo setcap cap_net_raw+ep {program}` once, or run as root")
            };
            line(
                Mark::Missing,
                "SYN scan",
                format!("needs CAP_NET_RAW, which is not in effect ({who}; {error})"),
                Some(&cure),
            )
        }
    }
}

fn connect(facts: &Facts) -> Line {
    match &facts.tcp {
        Ok(()) => line(Mark::Ok, "connect scan", "needs no privilege", None),
        Err(error) => line(
            Mark::Missing,
            "connect scan",
            format!("no TCP socket can be opened ({error})"),
            Some("a sandbox forbids it, or no descriptor is left: look at `ulimit -n`"),
        ),
    }
}

fn network(facts: &Facts) -> Vec<Line> {
    let mut lines: Vec<Line> = facts
        .interfaces
        .iter()
        .map(|(name, addresses)| {
            let mut told: Vec<String> = addresses.iter().map(IpAddr::to_string).collect();
            if told.is_empty() {
                told.push("no address".to_owned());
            }
            line(Mark::Ok, "interface", format!("{name}: {}", told.join(", ")), None)
        })
        .collect();
    if lines.is_empty() {
        let cure = "`ip link` and `ip address` show what there is";
        lines.push(line(Mark::Missing, "interface", "no interface is up besides loopback", Some(cure)));
    }
    for (what, source, flag) in [("IPv4", facts.ipv4, ""), ("IPv6", facts.ipv6, "-6 ")] {
        lines.push(match source {
            Some(source) => {
                line(Mark::Ok, what, format!("a route to the internet; probes come from {source}"), None)
            }
            None => line(
                Mark::Note,
                what,
                format!("no route to the internet: {what} addresses elsewhere can't be asked from here"),
                Some(&format!("`ip {flag}route` shows the routes; or leave the family out with --families")),
            ),
        });
    }
    lines
}

fn resolvers(facts: &Facts) -> Line {
    match facts.resolvers.as_slice() {
        [] => line(
            Mark::Note,
            "names",
            "no name server in /etc/resolv.conf: only addresses can be scanned",
            Some("--resolver ADDRESS names one"),
        ),
        servers => {
            line(Mark::Ok, "names", format!("resolved by {} (not asked now)", servers.join(", ")), None)
        }
    }
}

fn descriptors(facts: &Facts) -> Line {
    let says = format!("{} may be open at a time", thousands(facts.descriptors));
    if facts.descriptors < FEW_DESCRIPTORS {
        let cure =
            "raise the hard limit (`ulimit -Hn`, LimitNOFILE= of a service): each waiting connect takes one";
        line(Mark::Note, "descriptors", format!("only {says}, which slows connect scans down"), Some(cure))
    } else {
        line(Mark::Ok, "descriptors", says, None)
    }
}

fn clock(facts: &Facts) -> Line {
    match facts.clock {
        Some(true) => line(Mark::Ok, "clock", "synchronized, says the kernel", None),
        Some(false) => line(
            Mark::Note,
            "clock",
            "not synchronized, says the kernel: the times of a report may be disputed",
            Some("`timedatectl` shows why; chrony or systemd-timesyncd mend it"),
        ),
        None => line(Mark::Note, "clock", "the kernel does not tell whether it is synchronized", None),
    }
}

fn ports((first, last): (u16, u16)) -> Line {
    let many = u64::from(last.saturating_sub(first)) + 1;
    let says = format!("{first} to {last}, {} ports", thousands(many));
    if many < 1024 {
        let cure =
            "widen net.ipv4.ip_local_port_range: each connect takes one, and a SYN scan a block of up to 256";
        line(Mark::Note, "local ports", format!("only {says}"), Some(cure))
    } else {
        line(Mark::Ok, "local ports", says, None)
    }
}

fn tracking(facts: &Facts) -> Line {
    match facts.tracked {
        None => line(Mark::Ok, "tracking", "this machine tracks no connections", None),
        Some((count, most)) if most < TRACKED_BY_DEFAULT => line(
            Mark::Note,
            "tracking",
            format!(
                "{} of {} connections tracked: a fast scan of silent ports fills this table, and then packets get lost",
                thousands(count),
                thousands(most)
            ),
            Some(
                "exempt the scanner (`notrack` in a raw table), raise net.netfilter.nf_conntrack_max, or scan more slowly",
            ),
        ),
        Some((count, most)) => line(
            Mark::Ok,
            "tracking",
            format!("{} of {} connections tracked", thousands(count), thousands(most)),
            None,
        ),
    }
}

fn firewall(seen: &Firewall) -> Line {
    match seen {
        Firewall::Unseen => line(
            Mark::Note,
            "firewall",
            "this machine's own rules can't be seen (nft answers root only)",
            Some("`sudo nft list ruleset`: nothing hooked to output should drop TCP, or RSTs as invalid"),
        ),
        Firewall::Open => {
            line(Mark::Ok, "firewall", "no rule of this machine's nftables drops what leaves", None)
        }
        Firewall::Filters(rules) => {
            let shown: Vec<&str> = rules.iter().take(3).map(String::as_str).collect();
            let more = if rules.len() > shown.len() { ", and more" } else { "" };
            line(
                Mark::Note,
                "firewall",
                format!("this machine drops some of what leaves: {}{more}", shown.join("; ")),
                Some(
                    "probes it drops count as our own failure or look like silence; a dropped RST leaves half-open connections behind at the far side. Exempt the scanner",
                ),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    fn facts() -> Facts {
        Facts {
            raw: Ok(()),
            net_raw: true,
            root: true,
            user_namespace: false,
            tcp: Ok(()),
            interfaces: vec![("eth0".to_owned(), vec![[198, 51, 100, 4].into()])],
            ipv4: Some([198, 51, 100, 4].into()),
            ipv6: None,
            resolvers: vec!["192.0.2.53".to_owned()],
            descriptors: 1 << 20,
            clock: Some(true),
            ports: Some((32_768, 60_999)),
            tracked: None,
            firewall: Firewall::Open,
        }
    }

    fn told(facts: &Facts) -> String {
        written(&lines(facts), facts)
    }

    #[test]
    fn a_machine_that_can_do_everything_is_told_what_it_lacks_elsewhere() {
        let text = told(&facts());
        assert_eq!(text.lines().filter(|line| line.starts_with("note")).count(), 1, "{text}");
        assert!(text.contains("note     IPv6") && text.contains("asks by SYN"), "{text}");
        assert!(works(&facts()));
    }

    #[test]
    fn without_privilege_the_way_to_it_is_said_and_connect_still_works() {
        let denied = || Err(io::Error::from(io::ErrorKind::PermissionDenied));
        let plain = Facts { raw: denied(), net_raw: false, root: false, ..facts() };
        let text = told(&plain);
        assert!(text.contains("missing  SYN scan") && text.contains("setcap cap_net_raw+ep"), "{text}");
        assert!(text.contains("asks by connect") && works(&plain), "{text}");
        let contained = Facts { raw: denied(), net_raw: false, user_namespace: true, ..facts() };
        assert!(told(&contained).contains("--cap-add NET_RAW"));
        let sandboxed = Facts { raw: denied(), ..facts() };
        assert!(told(&sandboxed).contains("sandbox"));
    }

    #[test]
    fn what_makes_scans_worse_is_noted() {
        let poor = Facts {
            ipv4: None,
            resolvers: vec![],
            descriptors: 1024,
            clock: Some(false),
            ports: Some((60_000, 60_100)),
            tracked: Some((5, 65_536)),
            firewall: Firewall::Filters(vec!["ct state invalid drop".to_owned()]),
            ..facts()
        };
        let text = told(&poor);
        let notes = text.lines().filter(|line| line.starts_with("note")).count();
        assert_eq!(notes, 8, "{text}");
        assert!(text.contains("ct state invalid drop") && text.contains("65,536"), "{text}");
    }

    #[test]
    fn a_machine_without_sockets_or_network_can_scan_nothing() {
        let deaf = Facts { tcp: Err(io::Error::from(io::ErrorKind::PermissionDenied)), ..facts() };
        assert!(!works(&deaf) && told(&deaf).contains("nothing can be scanned"));
        let alone = Facts { interfaces: vec![], ipv4: None, ipv6: None, ..facts() };
        assert!(!works(&alone));
    }
}
