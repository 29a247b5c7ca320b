//! Scenarios as files: who is out there, what is asked, what must come of it. Each says everything.

use portproof::{
    model::{Endpoint, PortSet, Protocol, Reason, State},
    scan::{Config, Rate},
};
use serde::Deserialize;

use super::{
    drive::Mouth,
    net::{self, Host},
    path::Bottleneck,
    world::{Ask, World},
};

/// One file of `scenarios/`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    /// What it shows, for the reader of a failure.
    about: String,
    ask: Vec<Asked>,
    hosts: Vec<Host>,
    /// Our own link.
    link: Option<Bottleneck>,
    /// Only this mouth.
    mouth: Option<Only>,
    attempts: u8,
    rate: Option<u64>,
    expect: Expect,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Only {
    Raw,
    Connect,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    at: ipnet::IpNet,
    protocol: Protocol,
    #[serde(deserialize_with = "net::ports", default)]
    named: PortSet,
    #[serde(deserialize_with = "net::ports", default)]
    rest: PortSet,
}

/// What must come of it over either mouth.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    /// Endpoints whose state may differ from the truth: hidden by loss, or undetermined on our side.
    hidden: u64,
    /// Of these, open in truth; as many where nothing is said.
    open_hidden: Option<u64>,
    /// Of these, undetermined.
    #[serde(default)]
    unknown: u64,
    at_most_s: u64,
}

const SCENARIOS: [(&str, &str); 18] = [
    ("default_drop", include_str!("scenarios/default_drop.json")),
    ("far_away", include_str!("scenarios/far_away.json")),
    ("dead_for_two_seconds", include_str!("scenarios/dead_for_two_seconds.json")),
    ("one_in_ten_lost", include_str!("scenarios/one_in_ten_lost.json")),
    ("rst_limit", include_str!("scenarios/rst_limit.json")),
    ("router_says_unreachable", include_str!("scenarios/router_says_unreachable.json")),
    ("out_of_descriptors", include_str!("scenarios/out_of_descriptors.json")),
    ("no_route_to_half", include_str!("scenarios/no_route_to_half.json")),
    ("bottleneck_that_suffices", include_str!("scenarios/bottleneck_that_suffices.json")),
    ("bottleneck_too_narrow", include_str!("scenarios/bottleneck_too_narrow.json")),
    ("our_own_link", include_str!("scenarios/our_own_link.json")),
    ("jitter_beyond_the_rtt", include_str!("scenarios/jitter_beyond_the_rtt.json")),
    ("prohibited_with_a_limit", include_str!("scenarios/prohibited_with_a_limit.json")),
    ("router_limits_its_errors", include_str!("scenarios/router_limits_its_errors.json")),
    ("udp_errors_limited", include_str!("scenarios/udp_errors_limited.json")),
    ("syn_proxy", include_str!("scenarios/syn_proxy.json")),
    ("tarpit", include_str!("scenarios/tarpit.json")),
    ("weather", include_str!("scenarios/weather.json")),
];

#[test]
fn every_scenario_comes_out_as_it_says() {
    for (name, text) in SCENARIOS {
        let scenario: Scenario = serde_json::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mouths =
            [(Only::Raw, Mouth::Raw { batch: 32 }), (Only::Connect, Mouth::Connect { capacity: 400 })];
        for (kind, mouth) in mouths {
            if scenario.mouth.is_some_and(|only| only != kind) {
                continue;
            }
            for seed in 0..5 {
                scenario.run(name, mouth, seed);
            }
        }
    }
}

impl Scenario {
    fn run(&self, name: &str, mouth: Mouth, seed: u64) {
        let world = World {
            asks: self.ask.iter().map(Asked::ask).collect(),
            hosts: self.hosts.clone(),
            link: self.link,
            config: Config {
                seed,
                attempts: self.attempts,
                rate: Rate { run: self.rate, per_address: None },
                every: true,
                ..Config::default()
            },
            mouth,
            seed,
            shard: None,
        };
        let outcome = world.run();
        let what = format!("{name} ({}) over {mouth:?}, seed {seed}", self.about);
        let net = world.net();
        let mut hidden: Vec<(Endpoint, State)> = Vec::new();
        for (endpoint, seen) in outcome.states() {
            if seen.state != net.truth(endpoint) {
                let silent = matches!(seen.state, State::Filtered | State::Unanswered | State::Unknown);
                assert!(silent, "{what}: {endpoint} was invented: {seen:?}");
                hidden.push((endpoint, seen.state));
            }
            assert_eq!(
                matches!(seen.reason, Reason::Local(_)),
                seen.state == State::Unknown,
                "{what}: {endpoint} {seen:?}"
            );
        }
        assert!(hidden.len() as u64 <= self.expect.hidden, "{what}: {} hidden: {hidden:?}", hidden.len());
        let open = hidden.iter().filter(|(endpoint, _)| net.truth(*endpoint) == State::Open).count() as u64;
        assert!(open <= self.expect.open_hidden.unwrap_or(self.expect.hidden), "{what}: {open} open hidden");
        assert_eq!(outcome.coverage.states.unknown, self.expect.unknown, "{what}: unknown");
        let took = outcome.ended.since_start().as_secs();
        assert!(took <= self.expect.at_most_s, "{what}: took {took} s");
    }
}

impl Asked {
    fn ask(&self) -> Ask {
        let Self { at, protocol, named, rest } = self;
        Ask { at: *at, protocol: *protocol, named: named.clone(), rest: rest.clone(), rate: None }
    }
}
