//! TLS as seen by somebody who only asks: hellos that we write ourselves, since no library speaks the old
//! versions any more, and what servers answer to them (RFC 5246, RFC 8446, RFC 6101).

mod alert;
mod answer;
mod certificate;
mod datagram;
mod group;
mod hello;
mod keys;
mod names;
mod octets;
mod profile;
mod randoms;
mod starttls;
mod suites;
mod survey;
mod version;

pub use alert::Alert;
pub use answer::{Answer, Chosen, Exchanged, answer, last_answer};
pub use certificate::{Certificate, Problem};
pub use datagram::{FAREWELL, Flight};
pub use group::{group_bits, group_name};
pub use hello::Offer;
pub use keys::{Key, Signature};
pub use names::Name;
pub use profile::{GUIDELINE, Profile, Weak, Weakness, weaknesses};
pub use randoms::Randoms;
pub use starttls::{Step, Upgrade};
pub use suites::{Authentication, Cipher, Exchange, Suite, suite, suites};
pub use survey::{Heard, Offered, Survey, VersionOffer};
pub use version::Version;

#[cfg(test)]
mod tests;
