//! What to do next: which side to look at, and which command to start with.

use std::net::IpAddr;

use crate::{
    identify::tls::Profile,
    model::{Endpoint, Protocol},
};

fn listening(at: Endpoint) -> String {
    let flag = if at.protocol == Protocol::Tcp { "-ltnp" } else { "-lunp" };
    format!("`ss {flag} 'sport = :{}'`", at.port)
}

fn ask(at: Endpoint) -> String {
    let flag = if at.protocol == Protocol::Tcp { "" } else { " -u" };
    format!("`nc -vz{flag} {} {}`", at.address, at.port)
}

/// EXP001.
pub(super) fn unexpected(at: Endpoint) -> String {
    format!(
        "On {}, {} shows what listens. Stop it or close the port at the firewall; if it is meant to be there, declare it under `expose` with an owner and a justification.",
        at.address,
        listening(at)
    )
}

/// EXP001 and EXP002 in doubt: a single look.
pub(super) fn unconfirmed(at: Endpoint) -> String {
    format!(
        "Ask once more with {}, and run again; on the host, {} shows whether anything listens.",
        ask(at),
        listening(at)
    )
}

/// EXP002.
pub(super) fn forbidden(at: Endpoint) -> String {
    format!(
        "Close it now at the firewall, then find out on {} with {} what opened it. If the manifest is wrong, change it under review.",
        at.address,
        listening(at)
    )
}

/// EXP004.
pub(super) fn wrong_service(at: Endpoint, found: &str) -> String {
    format!(
        "On {}, {} shows what listens. If {found} is meant to be there, declare it; if not, stop it.",
        at.address,
        listening(at)
    )
}

/// EXP005.
pub(super) fn tls_policy(profile: Profile) -> String {
    format!(
        "Take the server's settings for profile {profile} from https://ssl-config.mozilla.org, or declare the profile that is meant."
    )
}

/// EXP006.
pub(super) fn certificate(at: Endpoint, name: Option<&str>) -> String {
    let name = name.map(|name| format!(" -servername {name}")).unwrap_or_default();
    format!(
        "See it with `openssl s_client -connect {}{name}`; renew or replace it, and look at what should have renewed it.",
        std::net::SocketAddr::new(at.address, at.port)
    )
}

/// EXP007 without authentication.
pub(super) fn no_authentication(at: Endpoint, service: &str) -> String {
    format!(
        "Have {service} ask for credentials, or bind it to an inner address ({} shows where it listens on {}); until then let the firewall admit only who needs it. It can't be declared away: only an exception waives it.",
        listening(at),
        at.address
    )
}

/// EXP007 in the clear.
pub(super) fn cleartext(service: &str) -> String {
    format!(
        "Offer TLS or STARTTLS for {service}, or use what has it (SSH for Telnet and FTP). Where something else protects it, say what under `security_features` of its entry."
    )
}

/// EXP003 `closed`.
pub(super) fn closed(at: Endpoint) -> String {
    format!(
        "Look at the server: on {}, {} shows whether the service runs and listens on this address and not only on loopback.",
        at.address,
        listening(at)
    )
}

/// EXP003 `filtered`.
pub(super) fn filtered(at: Endpoint) -> String {
    format!(
        "Look at the firewall before the server: follow the path with `traceroute {}`, then look for the rule that drops {}/{} (`nft list ruleset`, the security group of a cloud).",
        at.address, at.port, at.protocol
    )
}

/// EXP003 `unanswered`.
pub(super) fn unanswered(at: Endpoint) -> String {
    format!("Ask the service with its own client; on the host, {} shows whether it listens.", listening(at))
}

/// EXP003 `host_silent`.
pub(super) fn host_silent(address: IpAddr) -> String {
    format!(
        "See whether the host runs, then follow the path with `traceroute {address}`. If the service is gone for good, remove the entry or mark it `presence: optional`."
    )
}

/// EXP003 `unresolved`.
pub(super) fn unresolved(name: &str) -> String {
    format!(
        "Ask DNS yourself: `dig +trace {name} A` and `dig {name} AAAA`. Restore the record, or remove the host from the manifest."
    )
}

/// DNS that failed rather than answered.
pub(super) fn dns_failed(name: &str, kind: &str) -> String {
    format!(
        "Ask DNS yourself: `dig {name} {kind}`. Mend the zone's name servers, or name a working resolver with `--resolver`, and run again."
    )
}

/// EXP010.
pub(super) fn unresponsive(address: IpAddr, dark: bool) -> String {
    if dark {
        "Add a host that is known to answer to the manifest: silence means something once the path is known to work.".to_owned()
    } else {
        format!(
            "Check the path with `traceroute {address}`. If the host is meant to be dark, say `expect_dark: true` on its target."
        )
    }
}

/// EXP011 `fell_silent`.
pub(super) fn fell_silent(address: IpAddr) -> String {
    format!(
        "Let the scanner's address through the intrusion prevention system before {address} for the time of the scan, or ask more slowly (`--per-host-rate 10`). Wait until the ban is over, then run again."
    )
}

/// EXP015. The chance to be accepted is rounded up to two digits.
pub(super) fn weak(upper95: f64) -> String {
    let (mut step, mut decimals) = (0.01, 2);
    while upper95 < 10.0 * step && decimals < 12 {
        (step, decimals) = (step / 10.0, decimals + 1);
    }
    let accepted = (upper95 / step - 1e-9).ceil() * step;
    let accept = if accepted < 1.0 {
        format!(" To accept this chance, say `--max-miss {accepted:.decimals$}`.")
    } else {
        String::new()
    };
    format!(
        "Ask more slowly (`--rate 1000`), more often (`--max-attempts 8`), or from a vantage with less loss on the way.{accept}"
    )
}

/// EXP014.
pub(super) fn edge(address: IpAddr) -> String {
    format!(
        "Look at the default policy of the firewall before {address} (`nft list ruleset`): drop, reject and accept look different from here. If it is as meant, correct `closed_state` or `expect_dark`."
    )
}
