//! Floor 4: one [`Report`] value, one file per format. Nothing here computes a verdict.

mod assemble;
mod baseline;
mod compliance;
pub mod csv;
pub mod diff;
mod document;
pub mod evidence;
mod format;
mod headline;
pub mod html;
mod index;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod ndjson;
mod observed;
mod portrait;
pub mod prometheus;
mod sources;
pub mod summary;
mod tls;
mod words;

pub use assemble::{Circumstances, assemble, congestion, manifest_record, resolver_record, time};
pub use baseline::{Baseline, is_new};
pub use compliance::{ComplianceRecord, ControlRecord};
pub use document::*;
pub use format::{Format, NoFormat, RenderError};
pub use headline::{headline, verdict_sentence};
pub use json::ReadError;
pub use observed::{AttemptRecord, ObservationRecord, RungRecord};
pub use portrait::PortraitRecord;
pub use sources::{Controls, ProtocolCoverage, SourceRecord};
pub(crate) use summary::{chance_of_a_miss, undecided_of};
pub use tls::{CertificateRecord, OfferRecord, OfferedRecord, SessionRecord, TlsRecord};
pub(crate) use words::{count, thousands};
