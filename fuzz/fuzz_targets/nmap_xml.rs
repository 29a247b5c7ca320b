//! Whatever is given to `verify --from` is read or refused without harm. The laws are those of `tests/sim`.
#![no_main]

#[path = "../../tests/sim/files.rs"]
mod files;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| {
    files::read(octets);
});
