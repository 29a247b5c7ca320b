//! Real kernels: network namespaces joined by veth, nftables, real servers, nmap as a second opinion.
//! It fails when namespaces are refused; it never skips, never sleeps, never touches the machine's own network.
//!
//! A test declares hosts and with them the truth about every port, runs the binary in the scanner's
//! namespace, and compares every endpoint with the truth:
//! ```ignore
//! #[test]
//! fn a_dropped_port_is_filtered() {
//!     isolated(|| {
//!         let lab = Lab::new().host(Host::at("203.0.113.2").listen([22]).drop(1000..=1999)).start();
//!         let scan = scan(&["-p-", "203.0.113.2"]);
//!         lab.check(&scan, &[("203.0.113.2", &ports(1..=65_535))]);
//!     });
//! }
//! ```
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
#![allow(clippy::print_stdout)] // a listener process speaks to its parent, a test to whoever runs it
#![allow(clippy::zombie_processes)] // the far side's servers end with the process namespace they are in

mod address;
mod daemons;
mod host;
mod isolate;
mod lab;
mod listeners;
mod nmap;
mod portproof;
mod servers;
mod stream_daemons;
mod tls;

mod bans;
mod datagrams;
mod families;
mod first_use;
mod harness;
mod identify;
mod manners;
mod names;
mod resume;
mod scope;
mod services;
mod states;
mod zones;
