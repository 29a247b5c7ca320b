//! Floor 5: the only floor with sockets, tasks, threads and clocks. Decides nothing about what to probe.
#![allow(clippy::disallowed_methods)] // the edge is where clocks, sleeps and tasks belong

mod clock;
pub mod connect;
pub mod doctor;
pub mod identify;
pub mod interfaces;
pub mod privilege;
pub mod provenance;
pub mod raw;
pub mod resolve;
mod socket;
pub mod state;
mod sys;
pub mod udp;

pub use clock::Clock;
pub use sys::raise_descriptor_limit;
