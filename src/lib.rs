//! portproof proves, from outside, that exactly the ports a team declared are reachable.
//!
//! # The floor plan
//! A module imports only from the floors below it; `tests/floor_plan.rs` reads the `use` lines and
//! proves it.
//!
//! | floor | module | it is | it may not |
//! |---|---|---|---|
//! | 0 | [`model`] | the words: endpoint, evidence, state, verdict, moment, ports, scope, rules | do I/O, know a format |
//! | 1 | [`wire`] | octets to values and back: IP, TCP, ICMP, ARP; total | know why a packet is sent |
//! | 1 | [`spec`] | what the user asked for, parsed once into values that cannot be wrong | touch the network |
//! | 2 | [`scan`] | the thinking: order, ledger, pace. One `Scan` with five verbs; knows no TCP | own a clock or a socket |
//! | 2 | [`probe`] | the speaking: an endpoint to a probe, an outcome to evidence | keep state per endpoint |
//! | 2 | [`identify`] | who answers on what is open: what to say in which order, and readers of what comes back, total and bounded | open connections, believe |
//! | 3 | [`verify`] | manifest x observations -> findings. A pure function | know how they were observed |
//! | 4 | [`report`] | one `Report` value, one file per format | compute a verdict |
//! | 5 | [`intake`] | files of other runs and other tools to what a run saw; total | ask the network anything, believe |
//! | 5 | [`drive`] | the only floor with sockets, tasks, threads and clocks | decide what to probe |
//! | 7 | [`cli`] | what was typed -> what it means -> run -> exit code | hold logic |
//!
//! # The laws
//! - Every planned endpoint ends in exactly one state and one verdict; the sums equal `planned`.
//! - What could not be determined never counts as conforming. The one stated exception is silence of
//!   an undeclared UDP endpoint or of an address expected to be dark: `pass_by_silence`, counted apart.
//! - A local failure is `unknown`, never `filtered`.
//! - Nothing outside the authorized scope is ever probed: a plan is made of [`model::Permit`]s, and
//!   only [`model::Scope`] makes them.
//!
//! # One endpoint, from manifest to report
//! `spec` reads the manifest and, with the addresses that `drive` resolved, plans: each address gets
//! a permit from the scope and the ports that its most specific target asks for. `scan` numbers the
//! endpoints, walks them in a keyed order, and says which probe is due now; `drive` sends it and
//! returns what `probe` made of the outcome. Evidence settles the endpoint's two bits in the ledger;
//! silence is asked again, at least a second later. At the end every endpoint has a state. What is open
//! over TCP is then talked to: an inquiry of `identify` says what, `drive` holds the conversations, and
//! what is known at last is a portrait. `verify` holds states and portraits against the manifest and says
//! pass, fail or doubt; `report` writes that down.

#[cfg(feature = "edge")]
pub mod cli;
#[cfg(feature = "edge")]
pub mod drive;
pub mod identify;
pub mod intake;
pub mod model;
pub mod probe;
#[cfg(feature = "edge")]
pub mod report;
pub mod scan;
pub mod spec;
pub mod verify;
pub mod wire;
