//! What makes a report worth keeping: its totals add up, it follows the one before it, and it is known who signed
//! it. Pure: files and clocks are the caller's.

mod chain;
mod seal;
mod signers;
mod sums;

pub use chain::{Fault, Link, Note, Standing, follow};
pub use seal::{Key, KeyError, NAMESPACE, Seal, SealError};
pub use signers::{NotVouched, Signers, SignersError};
pub use sums::{Imbalance, imbalances};
