//! Floor 0: the words of portproof as types. No I/O, no format, no clock.
//!
//! `Evidence` is what happened on the wire, `State` what that means, `Verdict` what it means to the
//! manifest. They are three types and never mix.

mod confidence;
mod coverage;
mod endpoint;
mod evidence;
mod moment;
mod observation;
mod ports;
mod range;
mod rule;
mod scope;
mod state;
mod text;
mod verdict;

pub use confidence::{Congestion, Loss, Miss};
pub use coverage::{Coverage, StateCounts, Undecided};
pub use endpoint::{Endpoint, Family, Protocol};
pub use evidence::{Evidence, LocalError, Unreachable};
pub use moment::Moment;
pub use observation::{ControlCount, IcmpLimit, Look, Observation, Tally};
pub use ports::{PortSet, PortSetError};
pub use range::AddressRange;
pub use rule::{Kind, Level, RULES, Rule, Severity, rule};
pub use scope::{Authority, Basis, NamePattern, Permit, Refusal, Scope, ScopeEntry};
pub use state::{NoReason, Reason, State};
pub use text::{MAX_TEXT, clean, is_hostile, is_utf16, one_in, thousands};
pub use verdict::{Verdict, VerdictCounts};
