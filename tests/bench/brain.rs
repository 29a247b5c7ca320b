//! What brain and mouth cost: nanoseconds a probe handed out and made a frame, and an answer understood
//! and taken in. Started by `tests/bench/brain`, by hand; prints and judges nothing.

#![allow(clippy::disallowed_methods, clippy::print_stdout, clippy::expect_used)] // it measures and prints

use std::{hint::black_box, net::Ipv4Addr, time::Instant};

use portproof::{
    model::{Endpoint, Evidence, Moment, PortSet, Protocol, Scope, ScopeEntry},
    probe::syn::{Heard, Link, PortBlock, ROOM, Syn, Template},
    scan::{Answer, Batch, Config, Plan, Probe, Rate, Scan},
    wire::{ip, tcp, tcp::Segment},
};

/// What a raw driver takes at a time.
const BATCH: usize = 64;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (Some(what), rate) = (arguments.next(), arguments.next().and_then(|rate| rate.parse().ok())) else {
        return;
    };
    match what.as_str() {
        "small" => fill("10.0.0.0/30", 1000, rate, 50),
        "large" => fill("10.0.0.0/16", 1000, rate, 1),
        "opens" => answers("10.0.0.0/16", 4, Evidence::SynAck { window: 65_535, options: true }),
        "resets" => answers("10.0.0.0/32", 65_535, Evidence::Reset),
        "built" => built(),
        "handled-opens" => handled("10.0.0.0/16", 4, Segment::SYN | Segment::ACK),
        "handled-resets" => handled("10.0.0.0/32", 65_535, Segment::RST | Segment::ACK),
        "settled" => settled(),
        "stop" => stop(),
        _ => {}
    }
}

fn scan(block: &str, ports: u16, rate: Option<u64>) -> Scan {
    let block = block.parse().expect("a block");
    let scope = Scope { entries: vec![ScopeEntry::Block(block)], exclude: vec![] };
    let permit = scope.authorize_block(block).0.remove(0);
    let mut plan = Plan::default();
    plan.add(&permit, Protocol::Tcp, PortSet::NONE, PortSet::from_ranges([(1, ports)]), None);
    Scan::new(plan, Config { rate: Rate { run: rate, per_address: None }, ..Config::default() })
}

/// Hands out every probe to silence, both passes.
fn fill(block: &str, ports: u16, rate: Option<u64>, rounds: u32) {
    let mut batch = Batch::with_room(BATCH);
    let (mut probes, mut spent) = (0u64, std::time::Duration::ZERO);
    for _ in 0..rounds {
        let mut scan = scan(block, ports, rate);
        let mut now = Moment::START;
        while !scan.done() {
            let began = Instant::now();
            loop {
                batch.reset(BATCH);
                scan.fill(now, &mut batch);
                probes += black_box(batch.probes()).len() as u64;
                if batch.probes().len() < BATCH {
                    break;
                }
            }
            spent += began.elapsed();
            now = scan.poll_timeout().map_or(now, |wake| wake.max(now + std::time::Duration::from_micros(1)));
        }
    }
    say("probe", probes, spent);
}

/// Asks everything once; every endpoint answers.
fn answers(block: &str, ports: u16, evidence: Evidence) {
    let mut scan = scan(block, ports, None);
    let mut batch = Batch::with_room(BATCH);
    let (mut count, mut spent) = (0, std::time::Duration::ZERO);
    let mut now = Moment::START;
    while !scan.done() {
        batch.reset(BATCH);
        scan.fill(now, &mut batch);
        let began = Instant::now();
        for probe in batch.probes() {
            scan.answer(now, &answer(probe.endpoint, probe.attempt, now, evidence));
        }
        spent += began.elapsed();
        count += batch.probes().len() as u64;
        while black_box(scan.poll_observation()).is_some() {}
        now += std::time::Duration::from_micros(300);
    }
    say("answer", count, spent);
}

fn answer(endpoint: Endpoint, attempt: u8, now: Moment, evidence: Evidence) -> Answer {
    let sent_at = now.saturating_sub(std::time::Duration::from_micros(200));
    let source = Some((Ipv4Addr::LOCALHOST, 40_000).into());
    Answer { endpoint, attempt, sent_at, source, ttl: Some(64), evidence }
}

const US: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 4);

fn mouth() -> Syn {
    Syn::new([7; 16], PortBlock { first: 61_184, count: 256 })
}

/// Numbers every probe of a pass and writes its frame.
fn built() {
    let link = Link { source: [2, 0, 0, 0, 0, 1], destination: [2, 0, 0, 0, 0, 2] };
    let (syn, template) = (mouth(), Template::new(Some(link), US.into()));
    let mut scan = scan("10.0.0.0/16", 16, None);
    let (mut batch, mut frames) = (Batch::with_room(BATCH), [[0; ROOM]; BATCH]);
    let (mut count, mut spent, mut now) = (0, std::time::Duration::ZERO, Moment::START);
    while scan.totals().retransmitted == 0 && !scan.done() {
        batch.reset(BATCH);
        scan.fill(now, &mut batch);
        let began = Instant::now();
        build(&syn, &template, now, batch.probes(), &mut frames);
        spent += began.elapsed();
        black_box(&frames);
        count += batch.probes().len() as u64;
        now += std::time::Duration::from_micros(100);
    }
    say("probe built", count, spent);
}

/// Never inlined: callgrind counts in here, and nowhere else.
#[inline(never)]
fn build(syn: &Syn, template: &Template, now: Moment, probes: &[Probe], frames: &mut [[u8; ROOM]; BATCH]) {
    for (probe, frame) in probes.iter().zip(frames) {
        let port = syn.source_port(probe.attempt).expect("a port");
        template.write(frame, probe.endpoint, port, syn.sequence(now, probe.endpoint, probe.attempt));
    }
}

/// Understands the packet that answers each probe, and takes in what it says.
fn handled(block: &str, ports: u16, flags: u8) {
    let syn = mouth();
    let mut scan = scan(block, ports, None);
    let (mut batch, mut packets) = (Batch::with_room(BATCH), [[0; PACKET]; BATCH]);
    let (mut count, mut spent, mut now) = (0, std::time::Duration::ZERO, Moment::START);
    while !scan.done() {
        batch.reset(BATCH);
        scan.fill(now, &mut batch);
        for (probe, packet) in batch.probes().iter().zip(&mut packets) {
            *packet = reply(&syn, now, probe, flags);
        }
        let began = Instant::now();
        handle(&syn, now, packets.get(..batch.probes().len()).expect("so many"), &mut scan);
        spent += began.elapsed();
        count += batch.probes().len() as u64;
        while black_box(scan.poll_observation()).is_some() {}
        now += std::time::Duration::from_micros(300);
    }
    say("answer handled", count, spent);
}

/// Never inlined: callgrind counts in here, and nowhere else.
#[inline(never)]
fn handle(syn: &Syn, now: Moment, packets: &[[u8; PACKET]], scan: &mut Scan) {
    for packet in packets {
        let Heard::Reply(reply) = syn.understand(now, packet) else { panic!("an answer of ours") };
        let answer = Answer {
            endpoint: reply.endpoint,
            attempt: reply.attempt,
            sent_at: reply.sent_at(now),
            source: Some(reply.source),
            ttl: Some(reply.ttl),
            evidence: reply.evidence,
        };
        scan.answer(now, &answer);
    }
}

/// With a SYN's options, whatever it is.
const PACKET: usize = ip::IPV4_LENGTH + tcp::SYN_LENGTH;

/// What an endpoint answers to a probe, from its network header on.
fn reply(syn: &Syn, now: Moment, probe: &Probe, flags: u8) -> [u8; PACKET] {
    let std::net::IpAddr::V4(address) = probe.endpoint.address else { unreachable!("only IPv4 is asked") };
    let length = u16::try_from(tcp::SYN_LENGTH).expect("small");
    let port = syn.source_port(probe.attempt).expect("a port");
    let acknowledged = syn.sequence(now, probe.endpoint, probe.attempt).wrapping_add(1);
    let mut packet = [0; PACKET];
    let parts: [(usize, &[u8]); 6] = [
        (0, &ip::ipv4(address, US, tcp::PROTOCOL, 52, length)),
        (ip::IPV4_LENGTH, &tcp::syn(1460)),
        (ip::IPV4_LENGTH, &probe.endpoint.port.to_be_bytes()),
        (ip::IPV4_LENGTH + 2, &port.to_be_bytes()),
        (ip::IPV4_LENGTH + 8, &acknowledged.to_be_bytes()),
        (ip::IPV4_LENGTH + 13, &[flags]),
    ];
    for (at, octets) in parts {
        packet.get_mut(at..at + octets.len()).expect("room").copy_from_slice(octets);
    }
    packet
}

/// The second pass over 16 million endpoints of which one in a thousand was silent.
fn settled() {
    let mut scan = scan("10.0.0.0/24", 65_535, None);
    let mut batch = Batch::with_room(BATCH);
    let (mut now, mut asked, mut silent) = (Moment::START, 0u64, 0u64);
    let total = scan.totals().planned;
    while asked < total {
        batch.reset(BATCH);
        scan.fill(now, &mut batch);
        for probe in batch.probes() {
            if probe.endpoint.port % 1000 == 0 {
                silent += 1;
                continue;
            }
            scan.answer(now, &answer(probe.endpoint, probe.attempt, now, Evidence::Reset));
        }
        asked += batch.probes().len() as u64;
        now += std::time::Duration::from_micros(10);
    }
    now += std::time::Duration::from_secs(2);
    let began = Instant::now();
    let mut longest = std::time::Duration::ZERO;
    let mut calls = 0;
    while scan.totals().retransmitted < silent {
        let began = Instant::now();
        batch.reset(BATCH);
        scan.fill(now, &mut batch);
        longest = longest.max(began.elapsed());
        calls += 1;
    }
    say("place of a later pass", total, began.elapsed());
    println!("{calls} calls, the longest {longest:?}");
}

/// Ends a scan of 16 million endpoints after a moment, and in its second pass.
fn stop() {
    for pass in [1, 2] {
        let mut scan = scan("10.0.0.0/24", 65_535, None);
        let mut batch = Batch::with_room(BATCH);
        let most = if pass == 1 { 100_000 } else { scan.totals().planned + 100_000 };
        let mut now = Moment::START;
        while scan.totals().probes_sent < most {
            batch.reset(BATCH);
            scan.fill(now, &mut batch);
            now += std::time::Duration::from_micros(30);
        }
        let began = Instant::now();
        scan.stop(now);
        println!("stop in pass {pass}: {:?}", began.elapsed());
    }
}

fn say(what: &str, count: u64, spent: std::time::Duration) {
    println!("{:.1} ns a {what}, {count} of them", spent.as_nanos() as f64 / count as f64);
}
