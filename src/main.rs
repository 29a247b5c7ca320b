//! The binary: see [`portproof`] for the architecture.

fn main() {}
