//! Where frames leave: one socket a link, or one that the kernel routes for. Sends in batches, waits a
//! little where buffers are full, and says which frames never left.

use std::{io, os::fd::AsRawFd, thread, time::Duration};

use socket2::{Domain, Protocol, Socket, Type};

use super::{
    super::sys::{self, BATCH, Bearing, FRAME, Frame},
    kernel::Link,
};
use crate::{model::LocalError, scan::Probe};

/// A socket that frames leave through.
#[derive(Debug)]
pub(super) struct Line {
    socket: Socket,
    bearing: Bearing,
}

/// A batch of frames for one line, and the probes that they are.
#[derive(Debug)]
pub(super) struct Load {
    pub(super) line: usize,
    frames: Vec<Frame>,
    probes: Vec<Probe>,
}

/// Full buffers empty within microseconds; a link that stays full for all of these is reported.
const WAITS: u32 = 40;
const WAIT: Duration = Duration::from_micros(50);

impl Line {
    /// For frames with an Ethernet header.
    pub(super) fn ethernet(link: &Link) -> io::Result<Self> {
        // Protocol 0 receives nothing, so the kernel does not copy every frame for us.
        let socket = Socket::new(Domain::PACKET, Type::RAW, Some(Protocol::from(0)))?;
        sys::bind_to_link(socket.as_raw_fd(), link.index, 0)?;
        Ok(Self { socket, bearing: Bearing::Link })
    }

    /// For packets of one family that the kernel routes: loopback, tunnels, PPP.
    pub(super) fn routed(link: &Link, ipv6: bool) -> io::Result<Self> {
        let (domain, bearing) =
            if ipv6 { (Domain::IPV6, Bearing::Ipv6) } else { (Domain::IPV4, Bearing::Ipv4) };
        // IPPROTO_RAW: the header is ours (raw(7)).
        let socket = Socket::new(domain, Type::RAW, Some(Protocol::from(libc::IPPROTO_RAW)))?;
        socket.bind_device(Some(link.name.as_bytes()))?;
        Ok(Self { socket, bearing })
    }

    /// Sends one frame that is no probe.
    pub(super) fn send_one(&self, octets: &[u8]) -> io::Result<()> {
        sys::send_octets(self.socket.as_raw_fd(), octets, self.bearing)
    }

    /// Sends one frame of any length, which waits a little where buffers are full.
    pub(super) fn send_frame(&self, octets: &[u8]) -> Result<(), LocalError> {
        let mut waits = 0;
        loop {
            match self.send_one(octets).map_err(|error| failure(&error)) {
                Ok(()) => return Ok(()),
                Err(None) => {}
                Err(Some(LocalError::Buffers)) if waits < WAITS => {
                    waits += 1;
                    thread::sleep(WAIT);
                }
                Err(Some(error)) => return Err(error),
            }
        }
    }

    /// Sends a load and empties it. What never left goes to `lost`.
    pub(super) fn send(&self, load: &mut Load, lost: &mut Vec<(Probe, LocalError)>) {
        let (mut at, mut waits) = (0, 0);
        while let Some(rest) = load.frames.get(at..).filter(|rest| !rest.is_empty()) {
            match sys::send_frames(self.socket.as_raw_fd(), rest, self.bearing) {
                Ok(sent) => (at, waits) = (at + sent.max(1), 0),
                Err(error) => match failure(&error) {
                    None => {}
                    Some(LocalError::Buffers) if waits < WAITS => {
                        waits += 1;
                        thread::sleep(WAIT);
                    }
                    Some(LocalError::Buffers) => {
                        let left = load.probes.iter().skip(at);
                        lost.extend(left.map(|probe| (*probe, LocalError::Buffers)));
                        break;
                    }
                    Some(error) => {
                        lost.extend(load.probes.get(at).map(|probe| (*probe, error)));
                        at += 1;
                    }
                },
            }
        }
        load.clear();
    }
}

impl Load {
    pub(super) fn new(line: usize) -> Self {
        Self { line, frames: Vec::with_capacity(BATCH), probes: Vec::with_capacity(BATCH) }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.frames.len() >= BATCH
    }

    /// Adds the frame of a probe: `write` fills it and says how long it is.
    pub(super) fn add(&mut self, probe: Probe, write: impl FnOnce(&mut [u8; FRAME]) -> usize) {
        let mut frame = Frame { octets: [0; FRAME], length: 0 };
        frame.length = u8::try_from(write(&mut frame.octets)).unwrap_or(0);
        self.frames.push(frame);
        self.probes.push(probe);
    }

    fn clear(&mut self) {
        self.frames.clear();
        self.probes.clear();
    }
}

/// What a failed send says; `None`: nothing, try again.
fn failure(error: &io::Error) -> Option<LocalError> {
    Some(match error.raw_os_error() {
        Some(libc::EINTR) => return None,
        Some(libc::ENOBUFS | libc::EAGAIN | libc::ENOMEM) => LocalError::Buffers,
        Some(libc::EPERM | libc::EACCES) => LocalError::Forbidden,
        Some(
            libc::ENETUNREACH
            | libc::EHOSTUNREACH
            | libc::ENETDOWN
            | libc::ENXIO
            | libc::ENODEV
            | libc::EINVAL,
        ) => LocalError::NoRoute,
        Some(libc::EAFNOSUPPORT | libc::EADDRNOTAVAIL) => LocalError::NoFamily,
        other => LocalError::Other(other.unwrap_or(0)),
    })
}
