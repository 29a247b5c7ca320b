//! `verify --expect 80,443 HOST...`: a manifest without a file. Its places name the command line.

use std::collections::{BTreeMap, HashSet};

use sha2::{Digest, Sha256};

use super::{
    diagnostic::Diagnostics,
    host::host,
    manifest::{
        Authorization, ClosedState, Criticality, Expose, HostEntry, Manifest, Metadata, Place, Policy,
        Presence, Target, Unlisted,
    },
    port,
    read::{Names, hex, implied},
    yaml::Mark,
};
use crate::model::{Family, PortSet, Protocol};

/// What places call the command line.
const PATH: &str = "--expect";
/// The same for `scan`.
const TARGETS: &str = "targets";

impl Manifest {
    /// The manifest that `--expect PORTS HOST...` means: exactly these ports are open on each of
    /// these hosts, TCP unless a port says `/udp`. `none`: the hosts are dark.
    pub fn from_expect(ports: &str, hosts: &[String], names: &dyn Names) -> Result<Self, Diagnostics> {
        let dark = ports.trim() == "none";
        let mut line = Line::new(PATH, Some(ports), hosts);
        let expose = if dark { Vec::new() } else { line.expose(ports) };
        Self::of_line(line, &expose, dark, hosts, names)
    }

    /// The manifest that `scan TARGET...` means: nothing is declared, and nothing expected.
    pub fn from_targets(hosts: &[String], names: &dyn Names) -> Result<Self, Diagnostics> {
        Self::of_line(Line::new(TARGETS, None, hosts), &[], true, hosts, names)
    }

    fn of_line(
        mut line: Line,
        expose: &[Expose],
        dark: bool,
        hosts: &[String],
        names: &dyn Names,
    ) -> Result<Self, Diagnostics> {
        let mut seen = HashSet::new();
        let mut targets = Vec::new();
        for text in hosts {
            let mark = line.next(text);
            match host(text) {
                Ok(host) if seen.insert(host.clone()) => {
                    let place = line.out.place(mark);
                    let mut target = target(HostEntry { host, place }, expose.to_vec(), names);
                    target.expect_dark = dark.then_some(true);
                    targets.push(target);
                }
                Ok(_) => {}
                Err(error) => line.out.error(mark, error.message, error.help.as_deref()),
            }
        }
        if hosts.is_empty() {
            line.out.error(
                line.ports,
                "no host to verify",
                "name the hosts behind the ports: `--expect 80,443 www.example.com`",
            );
        }
        if !line.out.is_empty() {
            return Err(line.out.sorted());
        }
        let scope = implied(targets.iter());
        Ok(Self {
            path: None,
            sha256: hex(&Sha256::digest(line.text.as_bytes())),
            metadata: Metadata::default(),
            authorization: Authorization { scope, implied: true, ..Authorization::default() },
            vantage: None,
            vantages: BTreeMap::new(),
            targets,
            policy: Policy::default(),
            exceptions: Vec::new(),
            lints: Vec::new(),
        })
    }
}

/// The command line as a source of one line, walked word by word.
struct Line {
    out: Diagnostics,
    text: String,
    ports: Mark,
    byte: usize,
    column: usize,
}

impl Line {
    fn new(path: &str, ports: Option<&str>, hosts: &[String]) -> Self {
        let text = ports.into_iter().chain(hosts.iter().map(String::as_str)).collect::<Vec<_>>().join(" ");
        let mut out = Diagnostics::default();
        out.add_source(path, &text);
        let mut line = Self { out, text, ports: Mark::default(), byte: 0, column: 1 };
        line.ports = ports.map(|ports| line.next(ports)).unwrap_or_default();
        line
    }

    /// The mark of the next word.
    fn next(&mut self, word: &str) -> Mark {
        let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let (start, end) = (narrow(self.byte), narrow(self.byte + word.len()));
        let mark = Mark { source: 0, line: 1, column: narrow(self.column), start, end };
        self.byte += word.len() + 1;
        self.column += word.chars().count() + 1;
        mark
    }

    /// One entry a protocol.
    fn expose(&mut self, ports: &str) -> Vec<Expose> {
        let mut sets = [(Protocol::Tcp, PortSet::NONE), (Protocol::Udp, PortSet::NONE)];
        for item in ports.split(',') {
            match port::entry(item) {
                Ok((protocol, found)) => {
                    for (_, set) in sets.iter_mut().filter(|(known, _)| *known == protocol) {
                        *set = set.union(&found);
                    }
                }
                Err(error) => self.out.error(self.ports, error.message, error.help.as_deref()),
            }
        }
        let place = self.out.place(self.ports);
        sets.into_iter()
            .filter(|(_, ports)| !ports.is_empty())
            .map(|(protocol, ports)| entry(&place, protocol, ports))
            .collect()
    }
}

fn entry(place: &Place, protocol: Protocol, ports: PortSet) -> Expose {
    Expose {
        place: place.clone(),
        protocol,
        ports,
        presence: Presence::Required,
        from: Vec::new(),
        service: None,
        tls: None,
        banner: None,
        owner: None,
        justification: None,
        approved_by: None,
        approved_on: None,
        ticket: None,
        review_by: None,
        families: vec![Family::Ipv4, Family::Ipv6],
        insecure: false,
        security_features: None,
        controls: Vec::new(),
    }
}

fn target(host: HostEntry, expose: Vec<Expose>, names: &dyn Names) -> Target {
    Target {
        id: host.host.to_string(),
        place: host.place.clone(),
        hosts: vec![host],
        expect_dns: Vec::new(),
        profiles: Vec::new(),
        tags: Vec::new(),
        owner: None,
        expose,
        deny: Vec::new(),
        tcp: PortSet::all(),
        udp: names.common(Protocol::Udp),
        families: vec![Family::Ipv4, Family::Ipv6],
        unlisted: Unlisted::default(),
        rate: None,
        expect_dark: None,
        closed_state: ClosedState::default(),
        criticality: Criticality::default(),
        stores_cardholder_data: false,
        controls: Vec::new(),
    }
}
