//! Floor 2: the thinking. Which endpoint is asked when, how often, and when that is enough.
//!
//! [`Scan`] is sans-IO: time and answers are arguments, nothing in here waits, owns a clock, or knows
//! what TCP is. The same code runs in virtual time against a simulated network and on real sockets.
//! A driver's whole loop is: `fill` a batch, send it, report every `answer`, come back at
//! `poll_timeout`, until `done`.

mod again;
mod batch;
mod canary;
mod config;
mod controls;
mod datagrams;
mod ending;
mod engine;
mod journal;
mod ledger;
mod loss;
mod marks;
mod order;
mod pace;
mod plan;
mod record;
mod row;
mod shard;
mod share;
mod stats;
mod throttle;
mod window;
mod witness;

pub use batch::{Answer, Batch, Probe};
pub use config::{Config, Rate, WINDOW};
pub use engine::Scan;
pub use journal::{Chapter, Checkpoint, Damaged, Progress, Sheet};
pub use order::Order;
pub use pace::Pace;
pub use plan::Plan;
pub use shard::{Shard, ShardError};
