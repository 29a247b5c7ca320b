//! A space of endpoints and a walk over all of it, every one counted: the walk as a whole, windows and
//! passes and all, not only the order. Shared by the simulated storey and by `tests/bench/once`.

use std::{net::IpAddr, time::Duration};

use ipnet::IpNet;
use portproof::{
    model::{Endpoint, Moment, PortSet, Protocol, Scope, ScopeEntry},
    scan::{Batch, Config, Plan, Rate, Scan},
};

/// So many addresses with these ports, and one more with others.
pub struct Space {
    pub addresses: u64,
    pub ports: PortSet,
    pub last: PortSet,
    /// Of the ports, those that are named.
    pub named: PortSet,
    pub protocol: Protocol,
    pub is_ipv6: bool,
}

impl Space {
    /// Exactly so many endpoints, at most `ports` an address.
    pub fn of(size: u64, ports: u16) -> Self {
        let each = size.min(u64::from(ports));
        let left = u16::try_from(size % each).expect("less than a port range");
        Self {
            addresses: size / each,
            ports: PortSet::from_ranges([(1, u16::try_from(each).expect("a port"))]),
            last: if left == 0 { PortSet::NONE } else { PortSet::from_ranges([(1, left)]) },
            named: PortSet::NONE,
            protocol: Protocol::Tcp,
            is_ipv6: false,
        }
    }

    pub fn size(&self) -> u64 {
        self.addresses * u64::from(self.ports.len()) + u64::from(self.last.len())
    }

    fn plan(&self) -> Plan {
        let mut plan = Plan::default();
        let mut first = 0;
        let mut add = |first: u64, bits: u32, ports: &PortSet| {
            let block = self.block(first, bits);
            let scope = Scope { entries: vec![ScopeEntry::Block(block)], exclude: vec![] };
            let permit = scope.authorize_block(block).0.remove(0);
            let (named, rest) = (ports.intersection(&self.named), ports.difference(&self.named));
            plan.add(&permit, self.protocol, named, rest, None);
        };
        for bits in (0..64).rev().filter(|bits| self.addresses >> bits & 1 == 1) {
            add(first, bits, &self.ports);
            first += 1 << bits;
        }
        if !self.last.is_empty() {
            add(first, 0, &self.last);
        }
        plan
    }

    fn block(&self, first: u64, bits: u32) -> IpNet {
        let bits = u8::try_from(bits).expect("less than 64");
        if self.is_ipv6 {
            let base = u128::from_be_bytes([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
            IpNet::new(IpAddr::V6((base + u128::from(first)).into()), 128 - bits).expect("a block")
        } else {
            let first = (10 << 24) + u32::try_from(first).expect("within 10.0.0.0/8");
            IpNet::new(IpAddr::V4(first.into()), 32 - bits).expect("a block")
        }
    }
}

/// Walks the space with nobody answering. Panics unless every endpoint is asked exactly `attempts`
/// times, the attempts in order, and nothing else is. Returns how many probes that took.
pub fn cover(space: &Space, attempts: u8, window: u64, seed: u64) -> u64 {
    let rate = Rate { run: None, per_address: None };
    let config = Config { seed, attempts, window, rate, ..Config::default() };
    let mut scan = Scan::new(space.plan(), config);
    let (size, mut counts) = (space.size(), Counts::new(space));
    assert_eq!(scan.totals().planned, size);
    let (mut now, mut batch, mut probes) = (Moment::START, Batch::default(), 0);
    while !scan.done() {
        batch.reset(256);
        scan.fill(now, &mut batch);
        for probe in batch.probes() {
            let before = counts.add(probe.endpoint);
            assert_eq!(probe.attempt, before + 1, "{} out of turn", probe.endpoint);
            assert!(probe.attempt <= attempts, "{} too often", probe.endpoint);
            probes += 1;
        }
        while scan.poll_tally().is_some() || scan.poll_observation().is_some() {}
        if batch.probes().len() < 256 {
            now = scan.poll_timeout().map_or(now, |wake| wake.max(now + Duration::from_micros(1)));
        }
    }
    // As many as there should be, and none too often: each exactly so often.
    assert_eq!(probes, size * u64::from(attempts), "of {size} endpoints");
    let states = scan.totals().states;
    assert_eq!((states.total(), states.open + states.closed + states.unknown), (size, 0));
    probes
}

/// Two bits an endpoint: how often it was asked.
struct Counts {
    bits: Vec<u8>,
    /// The place of each port among those of its address.
    ranks: Vec<u32>,
    ports: u64,
    first: u128,
}

impl Counts {
    fn new(space: &Space) -> Self {
        let mut ranks = vec![u32::MAX; 1 << 16];
        for (rank, port) in space.ports.iter().enumerate() {
            ranks[usize::from(port)] = u32::try_from(rank).expect("a port range");
        }
        let bits = vec![0; usize::try_from(space.size().div_ceil(4)).expect("fits into memory")];
        let first = number(space.block(0, 0).addr());
        Self { bits, ranks, ports: space.ports.len().into(), first }
    }

    /// Counts one more, and tells how many there were.
    fn add(&mut self, endpoint: Endpoint) -> u8 {
        let row = u64::try_from(number(endpoint.address) - self.first).expect("an address of the space");
        let rank = self.ranks[usize::from(endpoint.port)];
        assert!(u64::from(rank) < self.ports, "{endpoint} was never planned");
        let index = row * self.ports + u64::from(rank);
        let (byte, shift) = ((index / 4) as usize, index % 4 * 2);
        let before = self.bits[byte] >> shift & 3;
        assert!(before < 3, "{endpoint} too often");
        self.bits[byte] += 1 << shift;
        before
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
    }
}
