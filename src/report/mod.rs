//! Floor 4: one [`Report`] value, one file per format. Nothing here computes a verdict.

mod assemble;
mod document;
mod headline;
pub mod html;
mod index;
pub mod json;
pub mod summary;
mod words;

pub use assemble::{Circumstances, assemble, congestion, manifest_record, resolver_record, time};
pub use document::*;
pub use headline::{headline, verdict_sentence};
pub(crate) use summary::{chance_of_a_miss, undecided_of};
pub(crate) use words::{count, thousands};
