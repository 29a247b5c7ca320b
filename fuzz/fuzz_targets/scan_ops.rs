//! Any operations in any order against the laws of a scan. The operations are those of `tests/sim`.
#![no_main]

#[path = "../../tests/sim/ops.rs"]
mod ops;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    ops::run(bytes);
});
