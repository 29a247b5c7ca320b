//! Floor 4: one [`Report`] value, one file per format. Nothing here computes a verdict.

mod assemble;
mod document;

pub use assemble::{Circumstances, assemble, manifest_record, resolver_record, time};
pub use document::*;
