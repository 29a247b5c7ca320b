//! Floor 4: one [`Report`] value, one file per format. Nothing here computes a verdict.

mod assemble;
mod document;
mod exchange;
mod format;
mod headline;
pub mod html;
mod index;
pub mod json;
pub mod nmap_xml;
mod observed;
pub mod ocsf;
pub mod oscal;
pub mod sarif;
pub mod summary;
mod tls;
mod words;

pub use assemble::{Circumstances, assemble, congestion, manifest_record, resolver_record, time};
pub use document::*;
pub use format::{Format, NoFormat, RenderError};
pub use headline::{headline, verdict_sentence};
pub use observed::{ObservationRecord, RungRecord};
pub(crate) use summary::{chance_of_a_miss, undecided_of};
pub use tls::{CertificateRecord, OfferRecord, OfferedRecord, SessionRecord, TlsRecord};
pub(crate) use words::{count, thousands};
