//! The scan in the hands of a driver that does everything wrong, the receive path under packets that no
//! honest far side sends, and the corpora of what fuzzing found.

use proptest::prelude::*;

use super::{net::Random, ops, packets};

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_laws_hold_and_the_scan_ends_whatever_the_driver_does(
        bytes in proptest::collection::vec(any::<u8>(), 0..600),
    ) {
        ops::run(&bytes);
    }
}

/// A tenth of what `tests/bench/soak` does: four hundred thousand packets, mutated, spliced, cut off, made
/// up. Who believes a packet by accident does so once in eight million times; twice is nearly impossible.
#[test]
fn packets_that_no_honest_far_side_sends_settle_nothing() {
    let mut random = Random(3);
    let octets = std::iter::repeat_with(move || random.next().to_le_bytes()).flatten();
    let count = packets::run(octets.take(6_000_000));
    assert!(count.packets > 400_000 && count.scans > 3, "{count:?}");
    assert!(count.ours * 20 > count.packets && count.strays * 20 > count.packets, "{count:?}");
    let at_most = count.strays as f64 * packets::FALSE_ACCEPT_AT_MOST;
    assert!(packets::chance_of(count.false_accepts, at_most) > 1e-6, "{count:?}, {at_most} expected");
}

#[test]
fn every_run_of_the_corpus_still_keeps_the_laws() {
    let operations = corpus("scan_ops", ops::run);
    let packets = corpus("answer", |bytes| packets::run(bytes.iter().copied()).packets);
    assert!(operations > 0 && packets > 0, "the corpus is empty");
}

/// Runs every file of a corpus, and tells how much they did.
fn corpus(name: &str, run: impl Fn(&[u8]) -> u64) -> u64 {
    let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(name);
    std::fs::read_dir(corpus).unwrap().map(|entry| run(&std::fs::read(entry.unwrap().path()).unwrap())).sum()
}
