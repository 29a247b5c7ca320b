//! Answers as no honest far side gives them, from octets to what the scan believes of them. The packets
//! are those of `tests/sim`.
#![no_main]

#[path = "../../tests/sim/packets.rs"]
#[allow(dead_code)] // the soak counts as well
mod packets;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    packets::run(bytes.iter().copied());
});
