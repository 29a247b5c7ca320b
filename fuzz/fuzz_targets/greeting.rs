//! Whatever is said on an open port is read without harm, and an inquiry into it ends. The laws are those of
//! `tests/sim`.
#![no_main]

#[path = "../../tests/sim/strangers.rs"]
#[allow(dead_code)] // the other target has the other half
mod strangers;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    strangers::greet(bytes);
});
