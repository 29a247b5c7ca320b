//! Floor 1: what the user asked for, parsed once into values that cannot be wrong. No network.

pub mod manifest;
pub mod ports;
pub mod profile;
