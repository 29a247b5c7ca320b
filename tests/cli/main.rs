//! The binary as an administrator and a pipeline meet it: exit codes, streams, flags, files. Only on
//! loopback, against listeners that the test owns, or in a namespace of its own; never beyond.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
#![allow(clippy::print_stdout)] // `isolated` shows what the inner run said

mod desk;
mod doors;
#[path = "../lab/isolate.rs"]
mod isolate;

mod accounts;
mod codes;
mod demo;
mod diff;
mod evidence;
mod from;
mod policies;
mod reference;
mod render;
mod repeat;
mod resume;
mod scan;
mod selection;
mod shards;
mod silence;
mod spare;
mod streams;
mod udp;
mod zones;
