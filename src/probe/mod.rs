//! Floor 2: the speaking. An endpoint becomes a probe, and what came of it becomes evidence. Keeps
//! no state per endpoint and opens no socket.

pub mod connect;
pub mod syn;
