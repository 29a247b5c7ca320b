//! Packets that no honest far side sends, into the receive path: understood, then told to the scan. Any
//! bytes are a run of it; the fuzzer, the corpus, the soak and the simulated storey share this file.

use std::{
    collections::HashSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::Duration,
};

use portproof::{
    model::{Endpoint, Moment, PortSet, Protocol, Scope, ScopeEntry, State, StateCounts},
    probe::syn::{FALSE_ACCEPT, Heard, PortBlock, ROOM, Reply, Syn, Template},
    scan::{Answer, Batch, Config, Plan, Rate, Scan},
    wire::ip,
};

/// What came of all packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Fed in.
    pub packets: u64,
    /// Believed: they brought back a number that had really left, whatever else was wrong with them.
    pub ours: u64,
    /// Believed, though no such number ever left; and of these, those that changed what is known.
    pub false_accepts: u64,
    pub falsely_settled: u64,
    /// Not believed, and nothing to do with us.
    pub strays: u64,
    pub foreign: u64,
    /// Runs of the scan that came to their end meanwhile.
    pub scans: u64,
}

/// The chance that one of these packets is believed by accident, at most: they are made from answers, so
/// their age is always plausible, and one of two numbers must match in 24 bits.
pub const FALSE_ACCEPT_AT_MOST: f64 = 2.0 / (1u64 << 24) as f64;

/// Feeds packets as the bytes say, until they are over.
pub fn run(bytes: impl Iterator<Item = u8>) -> Count {
    let mut storm = Storm::new();
    let mut bytes = bytes.fuse();
    while let Some(op) = bytes.next() {
        storm.step(op, &mut || bytes.next().unwrap_or(0));
    }
    storm.count
}

/// The chance that so many or more are believed by accident, where so many are expected (Poisson).
pub fn chance_of(seen: u64, expected: f64) -> f64 {
    let mut term = (-expected).exp();
    let mut below = 0.0;
    for n in 0..seen {
        below += term;
        term *= expected / (n + 1) as f64;
    }
    1.0 - below
}

impl std::ops::AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.packets += other.packets;
        self.ours += other.ours;
        self.false_accepts += other.false_accepts;
        self.falsely_settled += other.falsely_settled;
        self.strays += other.strays;
        self.foreign += other.foreign;
        self.scans += other.scans;
    }
}

/// Feeds packets of the right shape whose numbers are random, from endpoints that were asked. Returns
/// what came of them, and how many would be believed by accident.
#[allow(dead_code)] // only the soak has the time
pub fn guess(mut random: impl FnMut() -> u64, packets: u64) -> (Count, f64) {
    let mut storm = Storm::new();
    storm.ask(usize::MAX);
    let (sent, mut expected) = (std::mem::take(&mut storm.sent), 0.0);
    storm.numbers.clear();
    for _ in 0..packets {
        let (which, number) = (random(), random());
        let (endpoint, attempt, _) = sent[(which >> 2) as usize % sent.len()];
        let us = US[usize::from(endpoint.address.is_ipv6())];
        let (flags, numbers) = [(SYN_ACK, 1.0), (RST_ACK, 2.0), (RST, 2.0)][(which % 3) as usize];
        expected += numbers / 2.0 * FALSE_ACCEPT;
        storm.feed(&segment(endpoint, us, attempt, flags, (number >> 32) as u32));
    }
    (storm.count, expected)
}

struct Storm {
    syn: Syn,
    templates: [Template; 2],
    scan: Scan,
    planned: u64,
    batch: Batch,
    now: Moment,
    /// Probes that left in this scan, and what answers have to bring back.
    sent: Vec<(Endpoint, u8, u32)>,
    numbers: HashSet<(Endpoint, u8, u32)>,
    /// What was said of an endpoint by packets that were believed.
    said: HashSet<(Endpoint, State)>,
    count: Count,
}

const US: [IpAddr; 2] =
    [IpAddr::V4(Ipv4Addr::new(198, 51, 100, 4)), IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 9, 0, 0, 0, 0, 4))];
const OURS: PortBlock = PortBlock { first: 61_184, count: 64 };
const SYN_ACK: u8 = 0x12;
const RST_ACK: u8 = 0x14;
const RST: u8 = 0x04;

impl Storm {
    fn new() -> Self {
        let scan = scan(0);
        Self {
            syn: Syn::new([42; 16], OURS),
            templates: US.map(|us| Template::new(None, us)),
            planned: scan.totals().planned,
            scan,
            batch: Batch::default(),
            now: Moment::from_millis(30_000),
            sent: Vec::new(),
            numbers: HashSet::new(),
            said: HashSet::new(),
            count: Count::default(),
        }
    }

    fn step(&mut self, op: u8, byte: &mut impl FnMut() -> u8) {
        match op % 16 {
            0 => self.ask(usize::from(byte() % 8) + 1),
            1 => {
                self.now += Duration::from_millis(u64::from(byte() % 32));
                self.ask(1);
            }
            2 => {
                let octets = self.answer(byte);
                self.feed(&octets);
            }
            3..=9 => {
                let mut octets = self.answer(byte);
                for _ in 0..=byte() % 3 {
                    let (at, change) = (usize::from(byte()), byte());
                    let at = at % octets.len();
                    octets[at] ^= change;
                }
                self.feed(&octets);
            }
            10 => {
                let (mut octets, other) = (self.answer(byte), self.answer(byte));
                let cut = usize::from(byte()) % octets.len();
                octets.truncate(cut);
                octets.extend(other.iter().skip(usize::from(byte()) % other.len()));
                self.feed(&octets);
            }
            11 => {
                let mut octets = self.answer(byte);
                octets.truncate(usize::from(byte()) % (octets.len() + 1));
                self.feed(&octets);
            }
            12 => {
                // The right shape, and every number made up.
                let mut octets = self.answer(byte);
                let segment = if octets[0] >> 4 == 4 { 20 } else { 40 };
                for at in [1, 2, 3, 8, 9, 10, 11].map(|at| segment + at) {
                    if let Some(octet) = octets.get_mut(at) {
                        *octet = byte();
                    }
                }
                self.feed(&octets);
            }
            13 => {
                // An error about something made up, or about an error.
                let (inner, us) = (self.answer(byte), US[usize::from(byte() & 1)]);
                let octets = error(us, byte(), byte(), &inner);
                self.feed(&octets);
            }
            _ => {
                let length = usize::from(byte()) % 100;
                let mut octets: Vec<u8> = (0..length).map(|_| byte()).collect();
                if let Some(first) = octets.first_mut().filter(|_| op & 16 == 0) {
                    *first = if op & 32 == 0 { 0x45 } else { 0x60 };
                }
                self.feed(&octets);
            }
        }
    }

    /// Sends what is due, and begins anew when nothing will ever be.
    fn ask(&mut self, room: usize) {
        self.batch.reset(room);
        self.scan.fill(self.now, &mut self.batch);
        for probe in self.batch.probes() {
            let sequence = self.syn.sequence(self.now, probe.endpoint, probe.attempt);
            self.sent.push((probe.endpoint, probe.attempt, sequence));
            self.numbers.insert((probe.endpoint, probe.attempt, sequence));
        }
        self.judge();
        if self.scan.done() {
            self.count.scans += 1;
            self.scan = scan(self.count.scans);
            // What was sent so far is too old to be answered.
            self.now += Duration::from_secs(20);
            self.sent.clear();
            self.numbers.clear();
            self.said.clear();
        }
    }

    fn judge(&mut self) {
        while let Some(seen) = self.scan.poll_observation() {
            let silent = matches!(seen.state, State::Filtered | State::Unknown) && seen.first_seen.is_none();
            let said = silent || self.said.contains(&(seen.endpoint, seen.state));
            assert!(said, "out of thin air: {seen:?}");
        }
        while self.scan.poll_tally().is_some() {}
    }

    /// An answer to something that left, as the far side or a router would give it.
    fn answer(&self, byte: &mut impl FnMut() -> u8) -> Vec<u8> {
        let which = usize::from(byte()) << 8 | usize::from(byte());
        // Of late, or nobody would be interested.
        let recent = self.sent.len().min(256);
        let Some(&(endpoint, attempt, sequence)) =
            self.sent.get(self.sent.len() - recent..).and_then(|sent| sent.get(which % recent.max(1)))
        else {
            return vec![0x45; 20];
        };
        let us = US[usize::from(endpoint.address.is_ipv6())];
        let next = sequence.wrapping_add(1);
        match byte() % 6 {
            0 | 1 => segment(endpoint, us, attempt, SYN_ACK, next),
            2 => segment(endpoint, us, attempt, RST_ACK, next),
            3 => segment(endpoint, us, attempt, RST, sequence),
            kind => {
                let mut frame = [0; ROOM];
                let template = &self.templates[usize::from(endpoint.address.is_ipv6())];
                let port = OURS.first + u16::from(attempt);
                let length = template.write(&mut frame, endpoint, port, sequence);
                let code = match (us.is_ipv4(), kind) {
                    (true, 4) => 13,
                    (false, 4) | (true, _) => 1,
                    (false, _) => 3,
                };
                error(us, if us.is_ipv4() { 3 } else { 1 }, code, &frame[..length])
            }
        }
    }

    fn feed(&mut self, octets: &[u8]) {
        self.count.packets += 1;
        let reply = match self.syn.understand(self.now, octets) {
            Heard::Reply(reply) => reply,
            Heard::Stray => {
                self.count.strays += 1;
                return self.scan.strays(1);
            }
            Heard::Foreign => {
                self.count.foreign += 1;
                return;
            }
        };
        let Reply { endpoint, attempt, sequence, evidence, source, ttl } = reply;
        let sent_at = reply.sent_at(self.now);
        assert!(sent_at <= self.now, "{reply:?} is from the future");
        let is_ours = self.numbers.contains(&(endpoint, attempt, sequence));
        let before = self.scan.totals();
        self.said.extend(evidence.state().map(|state| (endpoint, state)));
        let answer = Answer { endpoint, attempt, sent_at, source: Some(source), ttl: Some(ttl), evidence };
        self.scan.answer(self.now, &answer);
        let after = self.scan.totals();
        assert_eq!((after.states.total(), after.planned), (self.planned, self.planned));
        if is_ours {
            self.count.ours += 1;
        } else {
            self.count.false_accepts += 1;
            self.count.falsely_settled += u64::from(settled(before.states) != settled(after.states));
        }
        self.judge();
    }
}

fn settled(states: StateCounts) -> (u64, u64, u64) {
    (states.open, states.closed, states.filtered)
}

fn scan(seed: u64) -> Scan {
    let mut plan = Plan::default();
    for block in ["192.0.2.0/30", "2001:db8::/126"] {
        let block = block.parse().expect("a block");
        let scope = Scope { entries: vec![ScopeEntry::Block(block)], exclude: vec![] };
        let permit = scope.authorize_block(block).0.remove(0);
        let (named, rest) = (PortSet::single(80), PortSet::from_ranges([(1, 50)]));
        plan.add(&permit, Protocol::Tcp, named, rest, None);
    }
    let rate = Rate { run: None, per_address: None };
    Scan::new(plan, Config { seed, rate, every: true, highest_attempt: 63, ..Config::default() })
}

fn segment(from: Endpoint, us: IpAddr, attempt: u8, flags: u8, acknowledgement: u32) -> Vec<u8> {
    let mut segment = vec![0; 24];
    segment[0..2].copy_from_slice(&from.port.to_be_bytes());
    segment[2..4].copy_from_slice(&(OURS.first + u16::from(attempt)).to_be_bytes());
    segment[8..12].copy_from_slice(&acknowledgement.to_be_bytes());
    (segment[12], segment[13]) = (0x60, flags);
    segment[14..16].copy_from_slice(&[0xfa, 0xf0]);
    segment[20..24].copy_from_slice(&[2, 4, 5, 0xb4]);
    packet(from.address, us, 6, &segment)
}

/// An ICMP error from a router, quoting a packet.
fn error(us: IpAddr, kind: u8, code: u8, quoted: &[u8]) -> Vec<u8> {
    let (router, protocol) = match us {
        IpAddr::V4(_) => (IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1)), 1),
        IpAddr::V6(_) => (IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 7, 0, 0, 0, 0, 1)), 58),
    };
    let mut message = vec![kind, code, 0, 0, 0, 0, 0, 0];
    message.extend(quoted);
    packet(router, us, protocol, &message)
}

fn packet(from: IpAddr, to: IpAddr, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).expect("short");
    let mut packet = match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => ip::ipv4(from, to, protocol, 57, length).to_vec(),
        (IpAddr::V6(from), IpAddr::V6(to)) => ip::ipv6(from, to, protocol, 57, length).to_vec(),
        _ => unreachable!("one family"),
    };
    packet.extend(payload);
    packet
}
