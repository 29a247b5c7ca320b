//! Floor 1: what the user asked for, parsed once into values that cannot be wrong. No network.

pub mod calendar;
mod check;
mod cover;
mod decode;
pub mod diagnostic;
mod expect;
pub mod host;
mod keys;
pub mod lint;
pub mod manifest;
mod nearest;
mod others;
pub mod plan;
mod planner;
pub mod port;
pub mod ports;
pub mod profile;
mod reach;
pub mod read;
pub mod resolution;
mod unplannable;
mod yaml;
mod zones;

pub(crate) use decode::is_todo;
pub use diagnostic::{Diagnostic, Diagnostics, Gravity};
#[cfg(feature = "edge")]
pub(crate) use nearest::nearest;
pub use read::{Files, Names, read};

/// The JSON Schema of the manifest (draft 2020-12), for editors and for `portproof schema manifest`.
pub const MANIFEST_SCHEMA: &str = include_str!("manifest.schema.json");
