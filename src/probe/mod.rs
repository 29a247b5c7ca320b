//! Floor 2: the speaking. An endpoint becomes a probe, and what came of it becomes evidence. Keeps
//! no state per endpoint and opens no socket.

pub mod connect;
pub mod syn;
pub mod udp;

/// Source ports side by side; the attempt says which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortBlock {
    /// The first.
    pub first: u16,
    /// How many.
    pub count: u16,
}

impl PortBlock {
    /// The port that an attempt leaves from; `None`: the block has no port for it.
    pub fn port(&self, attempt: u8) -> Option<u16> {
        (u16::from(attempt) < self.count).then(|| self.first + u16::from(attempt))
    }

    /// The attempt that left from a port; `None`: none did.
    pub fn attempt(&self, port: u16) -> Option<u8> {
        let attempt = port.checked_sub(self.first).filter(|attempt| *attempt < self.count)?;
        u8::try_from(attempt).ok()
    }
}
