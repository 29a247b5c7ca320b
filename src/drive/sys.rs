//! The one place with `unsafe`: system calls that no safe crate offers. Each block says why it is sound.
#![allow(unsafe_code)]

use std::{io, os::fd::RawFd};

use libc::{c_int, c_void, socklen_t};

/// Raises the soft limit of open descriptors to the hard one, where allowed, and returns what is in force.
pub fn raise_descriptor_limit() -> u64 {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is a valid, writable rlimit for the duration of the call.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } != 0 {
        return 256;
    }
    let raised = libc::rlimit { rlim_cur: limit.rlim_max, ..limit };
    // SAFETY: `raised` is a valid rlimit; the kernel only reads it.
    let allowed = limit.rlim_cur < limit.rlim_max
        && unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const raised) } == 0;
    if allowed { raised.rlim_cur } else { limit.rlim_cur }
}

/// Asks the kernel to queue ICMP errors on the socket, with their code and sender (ip(7), `IP_RECVERR`).
pub(super) fn receive_errors(socket: RawFd, ipv6: bool) -> io::Result<()> {
    if ipv6 {
        set_option(socket, libc::IPPROTO_IPV6, libc::IPV6_RECVERR, 1)
    } else {
        set_option(socket, libc::IPPROTO_IP, libc::IP_RECVERR, 1)
    }
}

/// Lets the kernel repeat a SYN `count` times before it gives up (tcp(7), `TCP_SYNCNT`).
pub(super) fn limit_syn_repeats(socket: RawFd, count: c_int) -> io::Result<()> {
    set_option(socket, libc::IPPROTO_TCP, libc::TCP_SYNCNT, count)
}

/// Lets `bind` to an address leave the port to `connect`, which can use a port again for another
/// destination (ip(7), `IP_BIND_ADDRESS_NO_PORT`; it serves both families).
pub(super) fn bind_without_port(socket: RawFd) -> io::Result<()> {
    set_option(socket, libc::IPPROTO_IP, libc::IP_BIND_ADDRESS_NO_PORT, 1)
}

/// Takes one error off the socket's queue. Returns the length of the control messages written to
/// `control`, or `None` when the queue is empty.
pub(super) fn take_queued_error(socket: RawFd, control: &mut [u8]) -> Option<usize> {
    // SAFETY: msghdr is plain data; all zero is its empty value.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_control = control.as_mut_ptr().cast::<c_void>();
    message.msg_controllen = control.len();
    // SAFETY: the control buffer is valid and writable for its length during the call; no other
    // buffer is given, so the kernel writes nothing else but `message` itself.
    let read = unsafe { libc::recvmsg(socket, &raw mut message, libc::MSG_ERRQUEUE | libc::MSG_DONTWAIT) };
    (read >= 0).then_some(message.msg_controllen.min(control.len()))
}

fn set_option(socket: RawFd, level: c_int, name: c_int, value: c_int) -> io::Result<()> {
    let length = socklen_t::try_from(size_of::<c_int>()).unwrap_or(4);
    // SAFETY: `value` lives through the call and `length` is its size; the kernel only reads it.
    let result =
        unsafe { libc::setsockopt(socket, level, name, (&raw const value).cast::<c_void>(), length) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// The real user id.
pub(super) fn user_id() -> u32 {
    // SAFETY: getuid takes nothing, touches nothing and can't fail.
    unsafe { libc::getuid() }
}

/// Octets that were written to a connection and not acknowledged yet (tcp(7), `SIOCOUTQ`).
pub(super) fn unsent(socket: RawFd) -> Option<u32> {
    let mut octets: c_int = 0;
    // SAFETY: SIOCOUTQ (the same number as TIOCOUTQ) writes one int, to memory that is ours.
    let result = unsafe { libc::ioctl(socket, libc::TIOCOUTQ, &raw mut octets) };
    (result == 0).then(|| u32::try_from(octets).ok()).flatten()
}

/// Whether the clock is synchronized, and its greatest error in microseconds.
pub(super) fn clock_error() -> Option<(bool, i64)> {
    // SAFETY: timex is plain data; all zero asks for nothing to be changed.
    let mut state: libc::timex = unsafe { std::mem::zeroed() };
    // SAFETY: `state` is a valid, writable timex for the duration of the call.
    let result = unsafe { libc::adjtimex(&raw mut state) };
    (result >= 0).then_some((state.status & libc::STA_UNSYNC == 0, state.maxerror))
}

/// Octets of one outgoing frame: an Ethernet header, IPv6 and TCP with the options of a SYN fit.
pub(super) const FRAME: usize = crate::probe::syn::ROOM;
/// Frames that one `sendmmsg` takes.
pub(super) const BATCH: usize = 64;

/// A frame to be sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub(super) octets: [u8; FRAME],
    pub(super) length: u8,
}

/// How a socket knows where a frame goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bearing {
    /// It is bound to a link, and the frame says the rest.
    Link,
    /// The kernel routes by the destination of the IPv4 header with which the frame begins.
    Ipv4,
    /// The same for IPv6.
    Ipv6,
}

/// A socket's address in the form that the kernel wants, of either family.
#[derive(Clone, Copy)]
#[repr(C)]
union Destination {
    ipv4: libc::sockaddr_in,
    ipv6: libc::sockaddr_in6,
}

/// Binds a packet socket to a link and the packets of an Ethernet type; type 0 receives nothing.
pub(super) fn bind_to_link(socket: RawFd, link: u32, ethernet_type: u16) -> io::Result<()> {
    // SAFETY: sockaddr_ll is plain data; all zero is a valid value.
    let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
    address.sll_family = u16::try_from(libc::AF_PACKET).unwrap_or_default();
    address.sll_protocol = ethernet_type.to_be();
    address.sll_ifindex = c_int::try_from(link).unwrap_or(c_int::MAX);
    let length = socklen_t::try_from(size_of::<libc::sockaddr_ll>()).unwrap_or_default();
    // SAFETY: `address` lives through the call and `length` is its size; the kernel only reads it.
    let result = unsafe { libc::bind(socket, (&raw const address).cast::<libc::sockaddr>(), length) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Sends frames with one call, at most [`BATCH`] of them. Returns how many left; an error is about the
/// first.
pub(super) fn send_frames(socket: RawFd, frames: &[Frame], bearing: Bearing) -> io::Result<usize> {
    // SAFETY: all three are plain data, for which all zero is a valid value.
    let (mut parts, mut messages, mut names): (
        [libc::iovec; BATCH],
        [libc::mmsghdr; BATCH],
        [Destination; BATCH],
    ) = unsafe { (std::mem::zeroed(), std::mem::zeroed(), std::mem::zeroed()) };
    let slots = parts.iter_mut().zip(&mut messages).zip(&mut names);
    for (frame, ((part, message), name)) in frames.iter().zip(slots) {
        part.iov_base = frame.octets.as_ptr().cast_mut().cast::<c_void>();
        part.iov_len = usize::from(frame.length).min(FRAME);
        message.msg_hdr.msg_iov = part;
        message.msg_hdr.msg_iovlen = 1;
        if let Some((destination, length)) = destination(&frame.octets, bearing) {
            *name = destination;
            message.msg_hdr.msg_name = std::ptr::from_mut(name).cast::<c_void>();
            message.msg_hdr.msg_namelen = length;
        }
    }
    let count = libc::c_uint::try_from(frames.len().min(BATCH)).unwrap_or_default();
    // SAFETY: the first `count` messages point to parts and names of the arrays above, and the parts to
    // frames that the caller lends; all of them live through the call. The kernel writes `msg_len` only.
    let sent = unsafe { libc::sendmmsg(socket, messages.as_mut_ptr(), count, 0) };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}

/// Sends one frame of any length.
pub(super) fn send_octets(socket: RawFd, octets: &[u8], bearing: Bearing) -> io::Result<()> {
    let to = destination(octets, bearing);
    let (name, length) = match &to {
        Some((destination, length)) => (std::ptr::from_ref(destination).cast::<libc::sockaddr>(), *length),
        None => (std::ptr::null(), 0),
    };
    // SAFETY: the octets and the address, if there is one, live through the call, and their lengths are
    // given; the kernel only reads them.
    let sent =
        unsafe { libc::sendto(socket, octets.as_ptr().cast::<c_void>(), octets.len(), 0, name, length) };
    if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn destination(octets: &[u8], bearing: Bearing) -> Option<(Destination, socklen_t)> {
    match bearing {
        Bearing::Link => None,
        Bearing::Ipv4 => {
            let octets: [u8; 4] = octets.get(16..20)?.try_into().ok()?;
            let ipv4 = libc::sockaddr_in {
                sin_family: u16::try_from(libc::AF_INET).ok()?,
                sin_port: 0,
                sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes(octets) },
                sin_zero: [0; 8],
            };
            Some((Destination { ipv4 }, socklen_t::try_from(size_of_val(&ipv4)).ok()?))
        }
        Bearing::Ipv6 => {
            let octets: [u8; 16] = octets.get(24..40)?.try_into().ok()?;
            let ipv6 = libc::sockaddr_in6 {
                sin6_family: u16::try_from(libc::AF_INET6).ok()?,
                sin6_port: 0,
                sin6_flowinfo: 0,
                sin6_addr: libc::in6_addr { s6_addr: octets },
                sin6_scope_id: 0,
            };
            Some((Destination { ipv6 }, socklen_t::try_from(size_of_val(&ipv6)).ok()?))
        }
    }
}

/// Waits until one of the sockets has something to read; at most so many milliseconds.
pub(super) fn wait_readable(sockets: &[RawFd], millis: c_int) -> io::Result<()> {
    let mut polled: Vec<libc::pollfd> =
        sockets.iter().map(|&fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 }).collect();
    let count = libc::nfds_t::try_from(polled.len()).unwrap_or_default();
    // SAFETY: `polled` holds `count` valid entries, which the kernel may write to during the call.
    let ready = unsafe { libc::poll(polled.as_mut_ptr(), count, millis) };
    match io::Error::last_os_error() {
        error if ready < 0 && error.kind() != io::ErrorKind::Interrupted => Err(error),
        _ => Ok(()),
    }
}

/// What a packet socket received and what it had no room for since it was last asked.
pub(super) fn packet_drops(socket: RawFd) -> io::Result<u64> {
    let mut stats = libc::tpacket_stats { tp_packets: 0, tp_drops: 0 };
    let mut length = socklen_t::try_from(size_of::<libc::tpacket_stats>()).unwrap_or_default();
    // SAFETY: `stats` is valid and writable, and `length` is its size.
    let result = unsafe {
        libc::getsockopt(
            socket,
            libc::SOL_PACKET,
            libc::PACKET_STATISTICS,
            (&raw mut stats).cast::<c_void>(),
            &raw mut length,
        )
    };
    if result == 0 { Ok(stats.tp_drops.into()) } else { Err(io::Error::last_os_error()) }
}

/// A ring of received packets that the kernel fills and we empty (packet(7), `TPACKET_V2`; kernel
/// documentation `packet_mmap`). Its memory is not bounded by `rmem_max`, unlike a socket buffer.
#[derive(Debug)]
pub(super) struct Ring {
    socket: std::os::fd::OwnedFd,
    memory: *mut u8,
    /// The frame that the kernel fills next.
    next: usize,
    size: Slots,
}

/// The slots of a ring: how many, and of how many octets. The kernel's header takes 80 of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slots {
    octets: usize,
    count: usize,
}

impl Slots {
    /// For headers: 176 octets from the network header on.
    pub(super) const HEADERS: Self = Self { octets: 256, count: 1 << 15 };
    /// For whole datagrams.
    pub(super) const DATAGRAMS: Self = Self { octets: 2048, count: 1 << 12 };

    fn length(self) -> usize {
        self.octets * self.count
    }
}

// SAFETY: the memory belongs to this ring alone, and only `&mut self` reads it.
unsafe impl Send for Ring {}

const BLOCK: usize = 1 << 16;

#[allow(clippy::cast_ptr_alignment)] // slots are a multiple of 256 octets from a page's beginning
impl Ring {
    /// Makes the ring of a packet socket that is not bound yet.
    pub(super) fn new(socket: std::os::fd::OwnedFd, size: Slots) -> io::Result<Self> {
        use std::os::fd::AsRawFd;
        let number = |value: usize| libc::c_uint::try_from(value).unwrap_or(libc::c_uint::MAX);
        let fd = socket.as_raw_fd();
        set_option(fd, libc::SOL_PACKET, libc::PACKET_VERSION, libc::tpacket_versions::TPACKET_V2 as c_int)?;
        let request = libc::tpacket_req {
            tp_block_size: number(BLOCK),
            tp_block_nr: number(size.length() / BLOCK),
            tp_frame_size: number(size.octets),
            tp_frame_nr: number(size.count),
        };
        let length = socklen_t::try_from(size_of_val(&request)).unwrap_or_default();
        // SAFETY: `request` lives through the call and `length` is its size; the kernel only reads it.
        let result = unsafe {
            libc::setsockopt(
                fd,
                libc::SOL_PACKET,
                libc::PACKET_RX_RING,
                (&raw const request).cast::<c_void>(),
                length,
            )
        };
        if result != 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the kernel chooses the place; the length is that of the ring it has just made.
        let memory = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                size.length(),
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                fd,
                0,
            )
        };
        if memory == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(Self { socket, memory: memory.cast::<u8>(), next: 0, size })
    }

    /// The socket behind it.
    pub(super) fn fd(&self) -> RawFd {
        use std::os::fd::AsRawFd;
        self.socket.as_raw_fd()
    }

    /// Hands out at most `most` packets that are there, each from its network header on. Returns how
    /// many there were.
    pub(super) fn drain(&mut self, most: usize, mut see: impl FnMut(&[u8])) -> usize {
        use std::sync::atomic::{AtomicU32, Ordering};
        for count in 0..most {
            // SAFETY: `next` is below the count, so the slot lies within the mapping, which lives as long
            // as the ring.
            let slot = unsafe { self.memory.add(self.next * self.size.octets) };
            // SAFETY: a slot begins with its status, aligned to 4, which kernel and reader share as an
            // atomic word (packet_mmap).
            let status = unsafe { AtomicU32::from_ptr(slot.cast::<u32>()) };
            if status.load(Ordering::Acquire) & libc::TP_STATUS_USER == 0 {
                return count;
            }
            // SAFETY: the status says that the slot is ours until it is given back; a slot begins with
            // this header, and is aligned for it.
            let header = unsafe { &*slot.cast::<libc::tpacket2_hdr>() };
            let start = usize::from(header.tp_net).min(self.size.octets);
            let length = usize::try_from(header.tp_snaplen).unwrap_or(0).min(self.size.octets - start);
            // SAFETY: start and length were clamped to the slot, which is ours until it is given back,
            // and the slice does not outlive that.
            see(unsafe { std::slice::from_raw_parts(slot.add(start), length) });
            status.store(libc::TP_STATUS_KERNEL, Ordering::Release);
            self.next = (self.next + 1) % self.size.count;
        }
        most
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: this is the mapping that `new` made, and nothing refers to it any more. A failure
        // would only leave it until the process ends.
        unsafe { libc::munmap(self.memory.cast::<c_void>(), self.size.length()) };
    }
}
