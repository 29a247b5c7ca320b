//! Floor 1: what the user asked for, parsed once into values that cannot be wrong. No network.

pub mod manifest;
pub mod plan;
pub mod ports;
pub mod profile;
pub mod resolution;
