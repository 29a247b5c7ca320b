//! What this process may do on the network, and giving up what it no longer needs.

use std::io;

use caps::{CapSet, Capability, CapsHashSet};
use socket2::{Domain, Protocol, Socket, Type};

/// Whether raw packets can be sent and received here: tried, not guessed, since capabilities, user
/// namespaces and sandboxes all have a say.
pub fn raw_sockets() -> io::Result<()> {
    Socket::new(Domain::PACKET, Type::RAW, Some(Protocol::from(0)))?;
    Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::from(libc::IPPROTO_RAW)))?;
    Ok(())
}

/// Whether `CAP_NET_RAW` is in effect.
pub fn has_net_raw() -> bool {
    caps::has_cap(None, CapSet::Effective, Capability::CAP_NET_RAW).unwrap_or(false)
}

/// Files that reports are written to may belong to others, and root expects to write them.
const KEPT: [Capability; 3] =
    [Capability::CAP_DAC_OVERRIDE, Capability::CAP_DAC_READ_SEARCH, Capability::CAP_FOWNER];

/// Gives up every capability of this thread, and of those that it starts, but what writing files takes.
/// Sockets that are open stay usable. Call it before any thread is started.
pub fn drop_privileges() -> io::Result<()> {
    let error = |error: caps::errors::CapsError| io::Error::other(error.to_string());
    let held = caps::read(None, CapSet::Permitted).map_err(error)?;
    let kept: CapsHashSet = held.into_iter().filter(|held| KEPT.contains(held)).collect();
    // Kernels before 4.3 have no ambient set to clear.
    let _ = caps::clear(None, CapSet::Ambient);
    caps::clear(None, CapSet::Inheritable).map_err(error)?;
    caps::set(None, CapSet::Effective, &kept).map_err(error)?;
    caps::set(None, CapSet::Permitted, &kept).map_err(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_up_is_gone() {
        // Capabilities belong to a thread, so that this test takes nothing from the others.
        let after = std::thread::spawn(|| {
            drop_privileges().unwrap();
            (has_net_raw(), raw_sockets().is_ok())
        });
        assert_eq!(after.join().unwrap(), (false, false));
    }
}
