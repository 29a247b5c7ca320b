//! What takes a while: ten million hostile packets, three hundred million guesses, ten million operations
//! of a driver gone mad, and four billion endpoints each asked exactly once. Started by `tests/bench/soak`,
//! by hand; fails loudly.

// It measures and prints, and what it shares with the tests unwraps.
#![allow(clippy::disallowed_methods, clippy::print_stdout, clippy::expect_used, clippy::unwrap_used)]
#![allow(clippy::indexing_slicing, clippy::cast_possible_truncation, unreachable_pub)]

#[path = "../sim/cover.rs"]
mod cover;
#[path = "../sim/ops.rs"]
mod ops;
#[path = "../sim/packets.rs"]
mod packets;

use std::time::Instant;

use portproof::{probe::syn::FALSE_ACCEPT, scan::WINDOW};

const TEN_MILLION: u64 = 10_000_000;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (Some(what), number) = (arguments.next(), arguments.next().and_then(|text| text.parse().ok())) else {
        return;
    };
    let began = Instant::now();
    match what.as_str() {
        "packets" => packets(number.unwrap_or(1)),
        "guesses" => guesses(number.unwrap_or(1)),
        "ops" => operations(number.unwrap_or(1)),
        "once" => once(number.unwrap_or(1 << 32)),
        _ => return,
    }
    println!("{:.1} s", began.elapsed().as_secs_f64());
}

/// Rounds of a million, each with its own storm, until ten million packets were fed.
fn packets(seed: u64) {
    let mut sum = packets::Count::default();
    for round in 0.. {
        sum += packets::run(random(seed ^ round << 32).take(20_000_000));
        if sum.packets >= TEN_MILLION {
            break;
        }
    }
    let (accepted, at_most) = (sum.false_accepts, sum.strays as f64 * packets::FALSE_ACCEPT_AT_MOST);
    println!("{sum:?}");
    println!(
        "believed without a number of ours: {accepted}, of which {} settled something; expected are {:.2} for \
         random numbers and ages, {at_most:.2} at most for these",
        sum.falsely_settled,
        sum.strays as f64 * FALSE_ACCEPT,
    );
    let chance = packets::chance_of(accepted, at_most);
    assert!(
        chance > 1e-6,
        "{accepted} false accepts, {at_most:.2} at most expected: a chance of {chance:.1e}"
    );
}

/// As many as it takes for the rate of false accepts to be seen, and not only bounded.
fn guesses(seed: u64) {
    let mut octets = random(seed);
    let mut next = || octets.by_ref().take(8).fold(0, |number, octet| number << 8 | u64::from(octet));
    let (count, expected) = packets::guess(&mut next, 30 * TEN_MILLION);
    println!("{count:?}");
    println!(
        "believed without a number of ours: {}, of which {} settled something; expected {expected:.1}",
        count.false_accepts, count.falsely_settled,
    );
    let off = (count.false_accepts as f64 - expected).abs();
    assert!(off <= 5.0 * expected.sqrt(), "{} false accepts, {expected:.1} expected", count.false_accepts);
}

fn operations(seed: u64) {
    let (mut done, mut runs) = (0, 0u64);
    while done < TEN_MILLION {
        let mut bytes = random(seed ^ runs << 20);
        // Short runs begin often, long ones get far.
        let length = 50usize << (runs % 8);
        done += ops::run(&bytes.by_ref().take(length).collect::<Vec<u8>>());
        runs += 1;
    }
    println!("{done} operations in {runs} runs, and every law held");
}

fn once(size: u64) {
    let probes = cover::cover(&cover::Space::of(size, 65_535), 1, WINDOW, 7);
    println!("{size} endpoints, {probes} probes, each exactly once");
}

/// Octets of `SplitMix64`.
fn random(mut state: u64) -> impl Iterator<Item = u8> {
    std::iter::repeat_with(move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = state;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (value ^ (value >> 31)).to_le_bytes()
    })
    .flatten()
}
