//! A manifest, what a run saw of it, and the judgement, in few words.

use std::{collections::BTreeMap, net::IpAddr};

use jiff::civil::{Date, date};

use crate::{
    identify::Portrait,
    model::*,
    spec::{manifest::*, plan, resolution::*},
    verify::*,
};

pub(crate) const TODAY: Date = date(2026, 11, 23);

pub(crate) struct TestRoles;

impl Roles for TestRoles {
    fn forbids(&self, role: &str, protocol: Protocol, port: u16) -> Option<(Severity, String)> {
        match (role, protocol, port) {
            ("web-server", Protocol::Tcp, 3306) => Some((Severity::High, "databases stay inside".to_owned())),
            ("web-server", Protocol::Udp, 161 | 53) => {
                Some((Severity::High, "management stays inside".to_owned()))
            }
            _ => None,
        }
    }
    fn sensitivity(&self, _: Protocol, port: u16) -> Option<(Severity, String)> {
        (port == 6379).then(|| (Severity::Critical, "no authentication by default".to_owned()))
    }
    fn service_name(&self, _: Protocol, port: u16) -> Option<String> {
        (port == 6379).then(|| "redis".to_owned())
    }
    fn udp_payload_exists(&self, port: u16) -> bool {
        port == 53
    }
}

#[derive(Debug)]
#[allow(clippy::struct_excessive_bools)]
pub(crate) struct Rig {
    pub(crate) manifest: Manifest,
    pub(crate) resolution: Resolution,
    pub(crate) observations: Vec<Observation>,
    pub(crate) portraits: BTreeMap<Endpoint, Portrait>,
    /// What the endpoints of an address are in that nobody observed one by one.
    pub(crate) fill: BTreeMap<IpAddr, State>,
    pub(crate) prohibited: BTreeMap<IpAddr, u64>,
    pub(crate) fell_silent: Option<IpAddr>,
    pub(crate) local: Option<LocalError>,
    pub(crate) not_sent: bool,
    pub(crate) partial: bool,
    pub(crate) udp: bool,
    pub(crate) strict: bool,
    pub(crate) narrowed: bool,
    pub(crate) miss: BTreeMap<IpAddr, f64>,
    pub(crate) controls: BTreeMap<IpAddr, ControlCount>,
    pub(crate) max_miss: f64,
    pub(crate) levels: BTreeMap<&'static str, Level>,
    pub(crate) fail_on: FailOn,
    pub(crate) selection: plan::Selection,
    pub(crate) at: Date,
    pub(crate) named_day: Option<Date>,
    /// When the run before this one ended, and what is odd about it.
    pub(crate) previous: Option<(Timestamp, Vec<String>)>,
    pub(crate) sources: Vec<IpAddr>,
}

pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

pub(crate) fn place(line: u64) -> Place {
    Place { path: "portproof.yaml".to_owned(), line, column: 3 }
}

pub(crate) fn host(text: &str) -> HostEntry {
    let host = match (text.parse::<ipnet::IpNet>(), text.parse::<IpAddr>()) {
        (_, Ok(address)) => Host::Address(address),
        (Ok(block), _) => Host::Block(block),
        _ => Host::Name(text.to_owned()),
    };
    HostEntry { host, place: place(5) }
}

pub(crate) fn target(id: &str, hosts: &[&str]) -> Target {
    Target {
        id: id.to_owned(),
        place: place(4),
        hosts: hosts.iter().map(|text| host(text)).collect(),
        expect_dns: vec![],
        profiles: vec![],
        tags: vec![],
        owner: Some("web team".to_owned()),
        expose: vec![],
        deny: vec![],
        tcp: PortSet::parse("1-1000,6379").unwrap(),
        udp: PortSet::NONE,
        families: vec![Family::Ipv4, Family::Ipv6],
        unlisted: Unlisted::Deny,
        rate: None,
        expect_dark: None,
        closed_state: ClosedState::Any,
        criticality: Criticality::Normal,
        stores_cardholder_data: false,
        controls: vec![],
    }
}

pub(crate) fn expose(port: &str, presence: Presence) -> Expose {
    let (ports, protocol) = port.split_once('/').unwrap();
    Expose {
        place: place(9),
        protocol: if protocol == "udp" { Protocol::Udp } else { Protocol::Tcp },
        ports: PortSet::parse(ports).unwrap(),
        presence,
        from: vec![],
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
        controls: vec![],
    }
}

pub(crate) fn deny(port: &str) -> Deny {
    let Expose { place, protocol, ports, .. } = expose(port, Presence::Required);
    Deny { place, protocol, ports, reason: None, severity: None }
}

pub(crate) fn exception(id: &str, target: &str, rule: &'static str, port: Option<u16>) -> Exception {
    Exception {
        id: id.to_owned(),
        place: place(30),
        target: target.to_owned(),
        rule,
        port: port.map(|port| (Protocol::Tcp, port)),
        reason: "migration".to_owned(),
        requested_by: Some("web team".to_owned()),
        requested_on: Some(date(2026, 11, 1)),
        approved_by: Some("security board".to_owned()),
        approved_on: Some(date(2026, 11, 2)),
        ticket: None,
        compensating_control: None,
        expires: TODAY,
    }
}

pub(crate) fn answer(name: &str, family: Family, outcome: DnsOutcome, addresses: &[&str]) -> NameAnswer {
    NameAnswer {
        name: name.to_owned(),
        family,
        outcome,
        addresses: addresses.iter().map(|text| ip(text)).collect(),
        chain: vec![],
        ttl: None,
    }
}

/// An observation as the connect mouth makes it: two handshakes for what is open.
pub(crate) fn observed(address: IpAddr, protocol: Protocol, port: u16, state: State) -> Observation {
    let (reason, evidence) = match (state, protocol) {
        (State::Open, _) => (Reason::SynAck, Some(Evidence::Connected)),
        (State::Closed, _) => (Reason::ConnRefused, Some(Evidence::Refused)),
        (State::Filtered, Protocol::Udp) => {
            let what = Unreachable::AdminProhibited;
            (Reason::AdminProhibited, Some(Evidence::Unreachable { what, sender: None }))
        }
        (State::Unknown, _) => (Reason::Interrupted, None),
        _ => (Reason::NoResponse, Some(Evidence::Silence)),
    };
    let look = |attempt: u8| Look {
        at: Moment::from_millis(u64::from(attempt) * 1200),
        attempt,
        source: None,
        ttl: None,
        evidence: evidence.unwrap_or(Evidence::Silence),
    };
    Observation {
        endpoint: Endpoint { address, protocol, port },
        state,
        reason,
        payload: None,
        sender: None,
        rtt: None,
        ttl: None,
        attempts: 2,
        first_seen: None,
        supersedes: false,
        looks: evidence.map_or(vec![], |_| vec![look(1), look(2)]),
    }
}

/// An open port as the SYN mouth makes it: a SYN-ACK, and what came of the connection that followed.
pub(crate) fn half_open(address: IpAddr, port: u16, then: Evidence) -> Observation {
    let mut seen = observed(address, Protocol::Tcp, port, State::Open);
    seen.looks[0].evidence = Evidence::SynAck { window: 64_240, options: true };
    seen.looks[1].evidence = then;
    seen
}

impl Rig {
    pub(crate) fn new(targets: Vec<Target>) -> Self {
        let scope = Scope {
            entries: ["0.0.0.0/0", "::/0"].map(|block| ScopeEntry::Block(block.parse().unwrap())).to_vec(),
            exclude: vec![],
        };
        let manifest = Manifest {
            path: None,
            sha256: String::new(),
            metadata: Metadata::default(),
            authorization: Authorization { scope, ..Authorization::default() },
            vantage: None,
            vantages: BTreeMap::new(),
            targets,
            policy: Policy::default(),
            exceptions: vec![],
            lints: vec![],
        };
        Self {
            manifest,
            resolution: Resolution::default(),
            observations: vec![],
            portraits: BTreeMap::new(),
            fill: BTreeMap::new(),
            prohibited: BTreeMap::new(),
            fell_silent: None,
            local: None,
            not_sent: false,
            partial: false,
            udp: false,
            strict: false,
            narrowed: false,
            miss: BTreeMap::new(),
            controls: BTreeMap::new(),
            max_miss: 0.001,
            levels: BTreeMap::new(),
            fail_on: FailOn::default(),
            selection: plan::Selection::default(),
            at: TODAY,
            named_day: None,
            previous: None,
            sources: vec![],
        }
    }

    /// One host that answers (22 refused and everything else too), so that the run is not dead.
    pub(crate) fn with_lively_host(mut self) -> Self {
        let mut lively = target("lively", &["192.0.2.200"]);
        lively.tcp = PortSet::single(22);
        self.manifest.targets.push(lively);
        self.fill("192.0.2.200", State::Closed)
    }

    pub(crate) fn fill(mut self, address: &str, state: State) -> Self {
        self.fill.insert(ip(address), state);
        self
    }

    pub(crate) fn see(mut self, address: &str, port: u16, state: State) -> Self {
        self.observations.push(observed(ip(address), Protocol::Tcp, port, state));
        self
    }

    pub(crate) fn plan(&self) -> Plan {
        let forbidden = |target: &Target, protocol: Protocol| -> PortSet {
            if target.profiles.is_empty() {
                return PortSet::NONE;
            }
            match protocol {
                Protocol::Tcp => PortSet::single(3306),
                Protocol::Udp if self.udp => PortSet::parse("53,161").unwrap(),
                Protocol::Udp => PortSet::NONE,
            }
        };
        plan::plan(&self.manifest, &self.resolution, &self.selection, &forbidden).unwrap()
    }

    /// Tallies as a scan would make them: every given endpoint, observed or filled.
    pub(crate) fn tallies(&self, plan: &Plan) -> Vec<Tally> {
        let mut tallies = vec![];
        for group in plan.groups.iter().filter(|group| !group.missing_family) {
            for address in group.permit.range().iter().filter(|address| self.fill.contains_key(address)) {
                for protocol in [Protocol::Tcp, Protocol::Udp] {
                    let ask = group.ask(protocol);
                    let given = ask.planned().difference(&ask.blind);
                    if given.is_empty() || (protocol == Protocol::Udp && !self.udp) {
                        continue;
                    }
                    tallies.push(self.tally(address, protocol, &given));
                }
            }
        }
        tallies
    }

    fn tally(&self, address: IpAddr, protocol: Protocol, given: &PortSet) -> Tally {
        let mut states = StateCounts::default();
        for port in given.iter() {
            states.add(self.state(Endpoint { address, protocol, port }), 1);
        }
        Tally {
            address,
            protocol,
            states,
            not_sent: if self.not_sent { states.unknown } else { 0 },
            local: self.local,
            soft: None,
            prohibited: self.prohibited.get(&address).copied().unwrap_or(0),
            rtt: None,
            fell_silent: self.fell_silent == Some(address),
            miss: self.miss.get(&address).map(|&upper95| Miss { estimate: upper95 / 3.0, upper95 }),
            icmp: None,
            controls: self.controls.get(&address).copied(),
        }
    }

    /// The state that an endpoint given to the scan is in.
    pub(crate) fn state(&self, endpoint: Endpoint) -> State {
        let seen = self.observations.iter().find(|seen| seen.endpoint == endpoint).map(|seen| seen.state);
        let fill = || match (self.fill.get(&endpoint.address), endpoint.protocol) {
            (None, _) => State::Unknown,
            (Some(State::Filtered), Protocol::Udp) => State::Unanswered,
            (Some(&state), _) => state,
        };
        seen.unwrap_or_else(fill)
    }

    /// Named endpoints get an observation like their fill, as a scan would give them.
    pub(crate) fn observe_named(&mut self, plan: &Plan) {
        for group in plan.groups.iter().filter(|group| !group.missing_family) {
            for address in group.permit.range().iter() {
                let Some(&fill) = self.fill.get(&address) else { continue };
                for protocol in [Protocol::Tcp, Protocol::Udp] {
                    let ask = group.ask(protocol);
                    for port in ask.named.difference(&ask.blind).iter() {
                        let endpoint = Endpoint { address, protocol, port };
                        let silent_udp = protocol == Protocol::Udp && fill == State::Filtered;
                        let fill = if silent_udp { State::Unanswered } else { fill };
                        if !self.observations.iter().any(|seen| seen.endpoint == endpoint) {
                            let mut seen = observed(address, protocol, port, fill);
                            if fill == State::Unknown && self.not_sent {
                                seen.reason = Reason::NotSent;
                            } else if let (State::Unknown, Some(error)) = (fill, self.local) {
                                seen.reason = Reason::Local(error);
                            }
                            self.observations.push(seen);
                        }
                    }
                }
            }
        }
    }

    pub(crate) fn judge(mut self) -> Judgement {
        let plan = self.plan();
        self.observe_named(&plan);
        let tallies = self.tallies(&plan);
        self.judge_with(&plan, &tallies)
    }

    /// Judges, and proves the laws that hold for every judgement.
    pub(crate) fn judge_with(&self, plan: &Plan, tallies: &[Tally]) -> Judgement {
        let families: &[Family] = self.selection.families.as_deref().unwrap_or(&[Family::Ipv4, Family::Ipv6]);
        let context = Context {
            at: self.at,
            named_day: self.named_day,
            now: self.at.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp(),
            vantage: self.selection.vantage.as_deref().or(self.manifest.vantage.as_deref()),
            strict: self.strict,
            levels: &self.levels,
            fail_on: self.fail_on,
            roles: &TestRoles,
            udp_mouth: self.udp,
            families,
            narrowed: self.narrowed,
            from: None,
            previous: self.previous.as_ref().map(|(ended, caveats)| Previous { ended: *ended, caveats }),
            sources: &self.sources,
            max_miss: self.max_miss,
        };
        let seen = Seen {
            observations: &self.observations,
            tallies,
            portraits: &self.portraits,
            partial: self.partial,
        };
        let judgement = judge(&self.manifest, plan, &self.resolution, &seen, &context);
        let planned: u128 = plan.groups.iter().map(plan::Group::planned).sum();
        assert_eq!(u128::from(judgement.planned), planned);
        assert_eq!(judgement.verdicts.total(), judgement.planned, "verdicts reconcile");
        assert_eq!(judgement.states.total(), judgement.planned, "states reconcile");
        let WaivedCounts { exceptions, allowed, warned } = judgement.waived;
        assert_eq!(exceptions + allowed + warned, judgement.verdicts.waived, "what is waived has a reason");
        let (states, verdicts) = (&judgement.states, &judgement.verdicts);
        let open_ended =
            (states.unknown + states.unanswered).max(verdicts.inconclusive + verdicts.not_covered);
        assert!(judgement.determined <= judgement.planned - open_ended, "nothing in doubt is determined");
        for judged in &judgement.observations {
            assert_eq!(judged.waived.is_some(), judged.verdict == Verdict::Waived, "{judged:?}");
        }
        let fails = |finding: &Finding| finding.verdict == Verdict::Fail;
        let founded = judgement.verdicts.fail == 0 || judgement.findings.iter().any(fails);
        assert!(founded, "no endpoint fails without a finding that does");
        let ids: std::collections::HashSet<_> = judgement.findings.iter().map(|f| f.id.clone()).collect();
        assert_eq!(ids.len(), judgement.findings.len(), "ids are unique");
        for finding in &judgement.findings {
            assert!(
                !finding.title.is_empty() && !finding.message.is_empty() && !finding.remedy.is_empty(),
                "{finding:?}"
            );
            assert!(!finding.expected.is_empty() || finding.rule.id.starts_with("MAN"), "{finding:?}");
        }
        judgement
    }
}

impl Judgement {
    pub(crate) fn rules(&self) -> Vec<&'static str> {
        self.findings.iter().map(|finding| finding.rule.id).collect()
    }
    pub(crate) fn only(&self, rule: &str) -> &Finding {
        let found: Vec<&Finding> = self.findings.iter().filter(|finding| finding.rule.id == rule).collect();
        assert_eq!(found.len(), 1, "{:?}", self.rules());
        found[0]
    }
    pub(crate) fn verdict(&self, address: &str, protocol: Protocol, port: u16) -> Verdict {
        let endpoint = Endpoint { address: ip(address), protocol, port };
        self.observations.iter().find(|judged| judged.endpoint == endpoint).unwrap().verdict
    }
    pub(crate) fn tcp(&self, address: &str, port: u16) -> Verdict {
        self.verdict(address, Protocol::Tcp, port)
    }
    pub(crate) fn exit(&self) -> u8 {
        self.outcome.exit_code()
    }
}
