//! Tests of judging. The manifests are values, the plans are real ones.

mod cells;
mod compliance;
mod dns;
mod doubts;
mod laws;
mod looks;
mod paper;
pub(crate) mod rig;
mod rules;
mod services;
