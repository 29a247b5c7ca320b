//! Commands that a reader may copy: how to close a port, find what listens, see where packets stop.
//! A text of the manifest never becomes a command: addresses are parsed, words are quoted.

use std::net::IpAddr;

use serde::Serialize;

use crate::{
    model::Protocol,
    report::{Finding, Report, words::shell},
};

/// A few commands with one purpose.
#[derive(Serialize)]
pub(super) struct Recipe {
    title: &'static str,
    lines: Vec<String>,
}

/// What to type for a finding; empty where a command would not help.
pub(super) fn recipes(report: &Report, finding: &Finding) -> Vec<Recipe> {
    let endpoint = Endpoint::of(finding);
    let mut recipes = match (finding.rule.as_str(), &endpoint) {
        ("EXP001" | "EXP002" | "EXP014" | "EXP007", Some(endpoint)) => endpoint.close(),
        ("EXP003", Some(endpoint)) => endpoint.reach(report, finding),
        ("EXP005" | "EXP006", Some(endpoint)) => endpoint.tls(finding),
        ("EXP004" | "EXP008", Some(endpoint)) => endpoint.listeners(),
        ("EXP003" | "EXP009", None) => names(finding),
        ("EXP010" | "EXP011" | "EXP015", _) => path(report, finding),
        _ => Vec::new(),
    };
    if finding.rule == "EXP001" {
        recipes.extend(endpoint.map(|endpoint| endpoint.declare(finding)));
    }
    if !recipes.is_empty() {
        recipes.extend(again(report, finding));
    }
    recipes
}

/// The endpoint of a finding with an address that is one.
struct Endpoint {
    address: IpAddr,
    protocol: Protocol,
    port: u16,
}

impl Endpoint {
    fn of(finding: &Finding) -> Option<Self> {
        let address = finding.address.as_deref()?.parse().ok()?;
        Some(Self { address, protocol: finding.protocol?, port: finding.port? })
    }

    fn close(&self) -> Vec<Recipe> {
        let Self { protocol, port, .. } = self;
        let mut recipes =
            vec![Recipe { title: "Close it at the firewall (one of these)", lines: self.firewall(false) }];
        let flag = self.flag();
        recipes.push(Recipe {
            title: "Or stop what listens, on the server itself",
            lines: explained(&[
                (format!("ss -ln{flag}p 'sport = :{port}'"), "which process listens"),
                ("systemctl disable --now UNIT".to_owned(), "stop it, and keep it stopped"),
                (
                    format!("docker ps --filter publish={port}/{protocol}"),
                    "containers: published ports bypass INPUT and ufw",
                ),
            ]),
        });
        recipes
    }

    fn firewall(&self, open: bool) -> Vec<String> {
        let Self { address, protocol, port } = self;
        let family = if address.is_ipv6() { "ip6" } else { "ip" };
        let tables = if address.is_ipv6() { "ip6tables" } else { "iptables" };
        let (nft, target, ufw) =
            if open { ("accept", "ACCEPT", "prepend allow") } else { ("drop", "DROP", "prepend deny") };
        vec![
            format!(
                "nft insert rule inet filter input {family} daddr {address} {protocol} dport {port} {nft}"
            ),
            format!("{tables} -I INPUT -d {address} -p {protocol} --dport {port} -j {target}"),
            format!("ufw {ufw} proto {protocol} from any to {address} port {port}"),
            "# behind NAT or a cloud firewall, use the inner address, or change the rule there".to_owned(),
        ]
    }

    fn reach(&self, report: &Report, finding: &Finding) -> Vec<Recipe> {
        let Self { protocol, port, .. } = self;
        let flag = self.flag();
        let server = Recipe {
            title: "On the server: does anything listen, and on which address?",
            lines: vec![format!("ss -ln{flag}p 'sport = :{port}'"), "systemctl --failed".to_owned()],
        };
        let arrival = Recipe {
            title: "On the server, while portproof runs again: do the packets arrive?",
            lines: vec![format!("tcpdump -ni any '{protocol} port {port}{}'", self.sources(report))],
        };
        let firewall =
            Recipe { title: "Let it through the firewall (one of these)", lines: self.firewall(true) };
        match finding.cause.as_deref() {
            Some("closed") => vec![server],
            Some("filtered" | "host_silent") => vec![arrival, firewall],
            _ => vec![server, arrival],
        }
    }

    fn tls(&self, finding: &Finding) -> Vec<Recipe> {
        let at = self.written();
        let name = finding.host.as_deref().filter(|host| is_name(host));
        let servername = name.map_or_else(String::new, |name| format!(" -servername {name}"));
        vec![Recipe {
            title: "See what is offered",
            lines: vec![format!(
                "openssl s_client -connect {at}{servername} </dev/null | openssl x509 -noout -subject -issuer -dates -ext subjectAltName"
            )],
        }]
    }

    fn listeners(&self) -> Vec<Recipe> {
        let lines =
            vec![format!("ss -ln{}p 'sport = :{}'", self.flag(), self.port), "nft list ruleset".to_owned()];
        vec![Recipe { title: "On the server: what listens, and what the firewall lets through", lines }]
    }

    /// The declaration that would make it conform, for a port that is meant to be there.
    fn declare(&self, finding: &Finding) -> Recipe {
        let Self { protocol, port, .. } = self;
        let target = finding.target.as_deref().unwrap_or("");
        Recipe {
            title: "Or declare it, if it is meant to be there",
            lines: vec![
                format!("# under targets, id: {target}"),
                "expose:".to_owned(),
                format!(
                    "  - {{port: {port}/{protocol}, justification: TODO, approved_by: TODO, approved_on: TODO, review_by: TODO}}"
                ),
            ],
        }
    }

    fn flag(&self) -> char {
        match self.protocol {
            Protocol::Tcp => 't',
            Protocol::Udp => 'u',
        }
    }

    fn sources(&self, report: &Report) -> String {
        let ours = report.run.host.source_addresses.iter().filter_map(|text| text.parse::<IpAddr>().ok());
        ours.into_iter()
            .find(|ours| ours.is_ipv6() == self.address.is_ipv6())
            .map_or_else(String::new, |ours| format!(" and host {ours}"))
    }

    fn written(&self) -> String {
        match self.address {
            IpAddr::V4(address) => format!("{address}:{}", self.port),
            IpAddr::V6(address) => format!("[{address}]:{}", self.port),
        }
    }
}

/// Commands with a word on each, the words under one another.
fn explained(commands: &[(String, &str)]) -> Vec<String> {
    let width = commands.iter().map(|(command, _)| command.chars().count()).max().unwrap_or(0);
    commands.iter().map(|(command, why)| format!("{command:width$}  # {why}")).collect()
}

fn names(finding: &Finding) -> Vec<Recipe> {
    let Some(name) = finding.host.as_deref().filter(|host| is_name(host)) else { return Vec::new() };
    let lines = ["A", "AAAA"].map(|kind| format!("dig +noall +answer {name} {kind}")).to_vec();
    vec![Recipe { title: "See what DNS says", lines }]
}

/// Where packets stop: for hosts that are silent or answer for somebody else.
fn path(report: &Report, finding: &Finding) -> Vec<Recipe> {
    let Some(address) = finding.address.as_deref().and_then(|text| text.parse::<IpAddr>().ok()) else {
        return names(finding);
    };
    let ours = report.run.host.source_addresses.iter().filter_map(|text| text.parse::<IpAddr>().ok());
    let ours = ours.into_iter().find(|ours| ours.is_ipv6() == address.is_ipv6());
    let mut recipes = vec![Recipe {
        title: "From here: how far do packets get?",
        lines: vec![format!("traceroute -T -p 443 {address}")],
    }];
    recipes.extend(ours.map(|ours| Recipe {
        title: "On the host, while portproof runs again: do its packets arrive, and who answers?",
        lines: vec![format!("tcpdump -ni any 'host {ours}'")],
    }));
    recipes
}

/// The same question again, narrowed to the target.
fn again(report: &Report, finding: &Finding) -> Option<Recipe> {
    let manifest = report.run.manifest.path.as_deref()?;
    let target = finding.target.as_deref()?;
    // A leading dash is an option to a program, quoted or not.
    let manifest = if manifest.starts_with('-') { format!("./{manifest}") } else { manifest.to_owned() };
    let line = format!("portproof verify {} --only={}", shell(&manifest), shell(target));
    Some(Recipe { title: "Then ask again", lines: vec![line] })
}

/// A DNS name made of nothing but what a shell leaves alone.
fn is_name(host: &str) -> bool {
    let harmless = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-' || c == '_';
    host.parse::<IpAddr>().is_err()
        && host.starts_with(|c: char| c.is_ascii_alphanumeric())
        && host.chars().all(harmless)
}
