//! Whatever answers a hello of TLS, or is sent as a certificate, is read without harm. The laws are those of
//! `tests/sim`.
#![no_main]

#[path = "../../tests/sim/strangers.rs"]
#[allow(dead_code)] // the other target has the other half
mod strangers;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    strangers::hello(bytes);
});
