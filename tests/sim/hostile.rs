//! The scan in the hands of a driver that does everything wrong, and the corpus of what fuzzing found.

use proptest::prelude::*;

use super::ops;

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_laws_hold_and_the_scan_ends_whatever_the_driver_does(
        bytes in proptest::collection::vec(any::<u8>(), 0..600),
    ) {
        ops::run(&bytes);
    }
}

#[test]
fn every_run_of_the_corpus_still_keeps_the_laws() {
    let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/scan_ops");
    let mut runs = 0;
    for entry in std::fs::read_dir(corpus).unwrap() {
        ops::run(&std::fs::read(entry.unwrap().path()).unwrap());
        runs += 1;
    }
    assert!(runs > 0, "the corpus is empty");
}
