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

/// Whether the clock is synchronized, and its greatest error in microseconds.
pub(super) fn clock_error() -> Option<(bool, i64)> {
    // SAFETY: timex is plain data; all zero asks for nothing to be changed.
    let mut state: libc::timex = unsafe { std::mem::zeroed() };
    // SAFETY: `state` is a valid, writable timex for the duration of the call.
    let result = unsafe { libc::adjtimex(&raw mut state) };
    (result >= 0).then_some((state.status & libc::STA_UNSYNC == 0, state.maxerror))
}
