//! What the brain costs: nanoseconds a probe handed out and an answer taken in. Started by
//! `tests/bench/brain`, by hand; prints and judges nothing.

#![allow(clippy::disallowed_methods, clippy::print_stdout, clippy::expect_used)] // it measures and prints

use std::{hint::black_box, net::Ipv4Addr, time::Instant};

use portproof::{
    model::{Endpoint, Evidence, Moment, PortSet, Protocol, Scope, ScopeEntry},
    scan::{Answer, Batch, Config, Plan, Rate, Scan},
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
