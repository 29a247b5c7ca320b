//! UDP replies and ICMP errors as no honest far side sends them: nothing is believed that does not bring back
//! what we sent, and whatever is said is read. The packets are those of `tests/sim`.
#![no_main]

#[path = "../../tests/sim/payloads.rs"]
#[allow(dead_code)] // the simulated storey asks more
mod payloads;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    payloads::run(bytes);
});
