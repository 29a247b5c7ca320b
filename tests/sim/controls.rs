//! Controls: a few random high ports beside the plan, of addresses where something is open.

use std::collections::{BTreeMap, BTreeSet};

use portproof::model::{ControlCount, PortSet, Protocol, Tally};

use super::{
    drive::{Mouth, Outcome},
    net::Host,
    world::{Ask, World},
};

const CONNECT: Mouth = Mouth::Connect { capacity: 64 };
const RAW: Mouth = Mouth::Raw { batch: 32 };

fn world(rest: &str, hosts: Vec<Host>, mouth: Mouth) -> World {
    let asks = hosts.iter().map(|host| Ask {
        at: host.at,
        protocol: Protocol::Tcp,
        named: PortSet::parse("80,443").unwrap(),
        rest: PortSet::parse(rest).unwrap(),
        rate: None,
    });
    let config = portproof::scan::Config { controls: 5, second_look: true, ..Default::default() };
    World { asks: asks.collect(), hosts, link: None, config, mouth, seed: 3, shard: None }
}

fn tallies(outcome: &Outcome) -> BTreeMap<String, Option<ControlCount>> {
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    for tally in &outcome.tallies {
        tallies
            .entry(tally.address.to_string())
            .and_modify(|known| known.add(tally))
            .or_insert_with(|| *tally);
    }
    tallies.into_iter().map(|(address, tally)| (address, tally.controls)).collect()
}

#[test]
fn an_address_with_something_open_gets_five_high_ports_beside_the_plan() {
    let at = |text: &str| text.parse().unwrap();
    let open = PortSet::parse("443").unwrap();
    let hosts = vec![
        Host { at: at("10.0.0.1/32"), tarpit: true, ..Host::default() },
        Host { at: at("10.0.0.2/32"), open: open.clone(), closed: PortSet::all(), ..Host::default() },
        Host { at: at("10.0.0.3/32"), open, ..Host::default() },
        Host { at: at("10.0.0.4/32"), closed: PortSet::all(), ..Host::default() },
    ];
    for mouth in [RAW, CONNECT] {
        let world = world("1-79,20000-20100", hosts.clone(), mouth);
        let outcome = world.run();
        let of = |asked, open| Some(ControlCount { asked, open });
        let wanted = [of(5, 5), of(5, 0), of(5, 0), None];
        assert_eq!(tallies(&outcome).into_values().collect::<Vec<_>>(), wanted, "{mouth:?}");
        let planned = world.planned();
        let beside: Vec<_> = outcome.wire.iter().filter(|sent| !planned.contains(&sent.endpoint)).collect();
        let once: BTreeSet<_> = beside.iter().map(|sent| sent.endpoint).collect();
        assert_eq!((beside.len(), once.len()), (15, 15), "each once: {beside:?}");
        assert!(once.iter().all(|endpoint| endpoint.port >= 10_000));
        // They are probes, and no endpoints.
        assert_eq!(outcome.coverage.probes_sent, outcome.wire.len() as u64);
        assert_eq!(outcome.coverage.states.total(), planned.len() as u64);
        assert_eq!(outcome.coverage.strays, 0);
    }
}

#[test]
fn where_much_is_planned_that_shows_it() {
    let tarpit = Host { at: "10.0.0.1/32".parse().unwrap(), tarpit: true, ..Host::default() };
    let outcome = world("1000-3000", vec![tarpit], RAW).run();
    assert_eq!(tallies(&outcome).into_values().collect::<Vec<_>>(), [None]);
}

#[test]
fn controls_that_get_lost_show_nothing() {
    let at = "10.0.0.1/32".parse().unwrap();
    let lossy = Host { at, tarpit: true, dead: Some((150, 60_000)), ..Host::default() };
    let outcome = world("1-79", vec![lossy], RAW).run();
    let count = tallies(&outcome).into_values().next().unwrap().unwrap();
    assert!(count.asked == 5 && count.open < 3 && !count.show_everything_open(), "{count:?}");
}
