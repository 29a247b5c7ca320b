//! Floor 4: one [`Report`] value, one file per format. Nothing here computes a verdict.

mod document;

pub use document::*;
