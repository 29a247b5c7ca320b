//! The simulated storey: the real scan in virtual time against a scripted network. No clock, no
//! socket, no sleep; everything follows from a seed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::cast_sign_loss)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::inconsistent_struct_constructor,
    clippy::print_stdout
)]
#![allow(unreachable_pub)] // one binary: nothing is public

mod answers;
mod bans;
mod bound;
mod calibration;
mod canaries;
mod controls;
mod cover;
mod datagrams;
mod drive;
mod files;
mod hostile;
mod laws;
mod net;
mod octets;
mod once;
mod ops;
mod packets;
mod path;
mod payloads;
mod resume;
mod scenarios;
mod stack;
mod strangers;
mod world;
