//! Commands that a reader may copy: how to close a port, find what listens, see where packets stop.
//! A text of the manifest never becomes a command: addresses are parsed, words are quoted.

mod firewall;
mod server;
mod tls;

use std::net::IpAddr;

use serde::Serialize;

use self::firewall::Source;
use crate::{
    model::Protocol,
    report::{Finding, Report, index::Index, words::shell},
};

/// A line that is longer is no command that anybody types.
const LONGEST: usize = 2000;

/// A few commands with one purpose.
#[derive(Serialize)]
pub(super) struct Recipe {
    title: String,
    lines: Vec<String>,
}

impl Recipe {
    fn new(title: &str, lines: Vec<String>) -> Self {
        Self { title: title.to_owned(), lines }
    }
}

/// What to type for a finding; empty where a command would not help.
pub(super) fn recipes(report: &Report, finding: &Finding, index: &Index<'_>) -> Vec<Recipe> {
    let endpoint = Endpoint::of(finding);
    let mut recipes = match (finding.rule.as_str(), &endpoint) {
        ("EXP001" | "EXP002" | "EXP014" | "EXP007", Some(endpoint)) => endpoint.close(index),
        ("EXP003", Some(endpoint)) => endpoint.reach(report, finding, index),
        ("EXP005" | "EXP006", Some(endpoint)) => tls::recipes(endpoint, finding, index),
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
    recipes.retain(|recipe| recipe.lines.iter().all(|line| line.len() <= LONGEST));
    recipes
}

/// The endpoint of a finding with an address that is one.
#[derive(Clone, Copy)]
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

    /// What was seen there, as the identification names it.
    fn service<'a>(&self, index: &Index<'a>) -> Option<&'a str> {
        index.at(&self.address.to_string(), self.protocol, self.port)?.service.as_deref()
    }

    fn close(&self, index: &Index<'_>) -> Vec<Recipe> {
        let Self { port, .. } = self;
        let mut recipes = vec![Recipe::new("Close it at the firewall (one of these)", firewall::close(self))];
        recipes.push(Recipe::new(
            "Or stop what listens, on the server itself",
            explained(&[
                (format!("ss -ln{}p 'sport = :{port}'", self.flag()), "which process listens"),
                ("systemctl status PID".to_owned(), "which unit started it"),
                ("systemctl disable --now UNIT".to_owned(), "stop it, and keep it stopped"),
            ]),
        ));
        recipes.extend(server::withdraw(self, self.service(index)));
        recipes
    }

    fn reach(&self, report: &Report, finding: &Finding, index: &Index<'_>) -> Vec<Recipe> {
        let Self { protocol, port, .. } = self;
        let flag = self.flag();
        let server = || {
            let mut recipes = vec![Recipe::new(
                "On the server: does anything listen, and on which address?",
                vec![format!("ss -ln{flag}p 'sport = :{port}'"), "systemctl --failed".to_owned()],
            )];
            recipes.extend(server::bind(self, self.declared(index)));
            recipes
        };
        let arrival = Recipe::new(
            "On the server, while portproof runs again: do the packets arrive?",
            vec![format!("tcpdump -ni any '{protocol} port {port}{}'", self.sources(report))],
        );
        match finding.cause.as_deref() {
            Some("closed") => server(),
            Some("filtered" | "host_silent") => {
                let source = self.source(report, index);
                let rules = firewall::open(self, source);
                vec![arrival, Recipe::new("Let it through the firewall (one of these)", rules)]
            }
            _ => server().into_iter().chain([arrival]).collect(),
        }
    }

    /// The service that the manifest declares there.
    fn declared<'a>(&self, index: &Index<'a>) -> Option<&'a str> {
        index.exposure(&self.address.to_string(), self.protocol, self.port)?.service.as_deref()
    }

    /// Whom the manifest lets in; without an entry, no more than ourselves.
    fn source(&self, report: &Report, index: &Index<'_>) -> Source {
        let entry = index.exposure(&self.address.to_string(), self.protocol, self.port);
        if entry.is_some_and(|entry| entry.from.is_empty()) {
            return Source::Anybody;
        }
        ours(report, self.address).map_or(Source::Unknown, Source::Only)
    }

    fn listeners(&self) -> Vec<Recipe> {
        let lines =
            vec![format!("ss -ln{}p 'sport = :{}'", self.flag(), self.port), "nft list ruleset".to_owned()];
        vec![Recipe::new("On the server: what listens, and what the firewall lets through", lines)]
    }

    /// The declaration that would make it conform, for a port that is meant to be there.
    fn declare(&self, finding: &Finding) -> Recipe {
        let Self { protocol, port, .. } = self;
        let target = finding.target.as_deref().unwrap_or("");
        Recipe::new(
            "Or declare it, if it is meant to be there",
            vec![
                format!("# under targets, id: {target}"),
                "expose:".to_owned(),
                format!(
                    "  - {{port: {port}/{protocol}, justification: TODO, approved_by: TODO, approved_on: TODO, review_by: TODO}}"
                ),
            ],
        )
    }

    fn flag(&self) -> char {
        match self.protocol {
            Protocol::Tcp => 't',
            Protocol::Udp => 'u',
        }
    }

    fn sources(&self, report: &Report) -> String {
        ours(report, self.address).map_or_else(String::new, |ours| format!(" and host {ours}"))
    }

    fn written(&self) -> String {
        match self.address {
            IpAddr::V4(address) => format!("{address}:{}", self.port),
            IpAddr::V6(address) => format!("[{address}]:{}", self.port),
        }
    }
}

/// Our own address of the same family.
fn ours(report: &Report, other: IpAddr) -> Option<IpAddr> {
    let ours = report.run.host.source_addresses.iter().filter_map(|text| text.parse::<IpAddr>().ok());
    ours.into_iter().find(|ours| ours.is_ipv6() == other.is_ipv6())
}

/// Commands with a word on each, the words under one another.
fn explained(commands: &[(String, &str)]) -> Vec<String> {
    let width = commands.iter().map(|(command, _)| command.chars().count()).max().unwrap_or(0);
    commands.iter().map(|(command, why)| format!("{command:width$}  # {why}")).collect()
}

fn names(finding: &Finding) -> Vec<Recipe> {
    let Some(name) = finding.host.as_deref().filter(|host| is_name(host)) else { return Vec::new() };
    let lines = ["A", "AAAA"].map(|kind| format!("dig +noall +answer {name} {kind}")).to_vec();
    vec![Recipe::new("See what DNS says", lines)]
}

/// Where packets stop: for hosts that are silent or answer for somebody else.
fn path(report: &Report, finding: &Finding) -> Vec<Recipe> {
    let Some(address) = finding.address.as_deref().and_then(|text| text.parse::<IpAddr>().ok()) else {
        return names(finding);
    };
    let mut recipes = vec![Recipe::new(
        "From here: how far do packets get?",
        vec![format!("traceroute -T -p 443 {address}")],
    )];
    recipes.extend(ours(report, address).map(|ours| {
        Recipe::new(
            "On the host, while portproof runs again: do its packets arrive, and who answers?",
            vec![format!("tcpdump -ni any 'host {ours}'")],
        )
    }));
    recipes
}

/// The same question again from the same vantage, narrowed to the target.
fn again(report: &Report, finding: &Finding) -> Option<Recipe> {
    let manifest = report.run.manifest.path.as_deref()?;
    let target = finding.target.as_deref()?;
    // A leading dash is an option to a program, quoted or not.
    let manifest = if manifest.starts_with('-') { format!("./{manifest}") } else { manifest.to_owned() };
    let vantage = report.run.vantage.as_deref();
    let vantage = vantage.map(|name| format!(" --vantage={}", shell(name))).unwrap_or_default();
    let strict = if report.run.selection.strict { " --strict" } else { "" };
    let line = format!("portproof verify {}{vantage} --only={}{strict}", shell(&manifest), shell(target));
    Some(Recipe::new("Then ask again", vec![line]))
}

/// A DNS name made of nothing but what a shell leaves alone.
fn is_name(host: &str) -> bool {
    let harmless = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-' || c == '_';
    host.parse::<IpAddr>().is_err()
        && host.starts_with(|c: char| c.is_ascii_alphanumeric())
        && host.chars().all(harmless)
}
