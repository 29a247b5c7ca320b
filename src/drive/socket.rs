//! What connects and datagrams have in common at their sockets: how one is opened, and what its errors mean.

use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
    os::fd::{AsRawFd, RawFd},
};

use socket2::{Domain, Protocol, Socket, Type};

use super::{connect::Origin, sys};
use crate::{
    model::{LocalError, Unreachable},
    probe::connect::{IcmpError, read_error_queue},
};

/// A socket that does not block and is told of ICMP errors, on the interface that the user says.
pub(super) fn open(
    kind: Type,
    protocol: Protocol,
    target: SocketAddr,
    origin: &Origin,
) -> io::Result<Socket> {
    let domain = if target.is_ipv4() { Domain::IPV4 } else { Domain::IPV6 };
    let socket = Socket::new(domain, kind.nonblocking(), Some(protocol))?;
    sys::receive_errors(socket.as_raw_fd(), target.is_ipv6())?;
    if let Some(interface) = &origin.interface {
        socket.bind_device(Some(interface.as_bytes()))?;
    }
    Ok(socket)
}

/// A socket for a connection, from where the user says: the port is chosen with the target in view (tcp(7),
/// `IP_BIND_ADDRESS_NO_PORT`), so that ports last for more than one target.
pub(super) fn stream(target: SocketAddr, origin: &Origin) -> io::Result<Socket> {
    let socket = open(Type::STREAM, Protocol::TCP, target, origin)?;
    if let Some(source) = origin.source(target) {
        sys::bind_without_port(socket.as_raw_fd())?;
        socket.bind(&source.into())?;
    }
    Ok(socket)
}

/// A socket for datagrams, from where the user says, on a port of its own.
pub(super) fn datagrams(target: SocketAddr, origin: &Origin) -> io::Result<Socket> {
    let socket = open(Type::DGRAM, Protocol::UDP, target, origin)?;
    let any = SocketAddr::new(if target.is_ipv4() { [0; 4].into() } else { [0; 16].into() }, 0);
    socket.bind(&origin.source(target).unwrap_or(any).into())?;
    Ok(socket)
}

/// The ICMP error that is queued on a socket, if one is.
pub(super) fn queued(socket: RawFd) -> Option<IcmpError> {
    let mut control = [0; 256];
    let length = sys::take_queued_error(socket, &mut control)?;
    read_error_queue(control.get(..length)?)
}

/// What the network said, by the error number alone: which of them ICMP errors become is in Linux'
/// `icmp_err_convert`. A refusal means something else to each protocol.
pub(super) fn unreachable(error: &io::Error) -> Option<Unreachable> {
    Some(match error.raw_os_error()? {
        libc::ENETUNREACH | libc::ENONET => Unreachable::Net,
        libc::EHOSTUNREACH | libc::EHOSTDOWN => Unreachable::Host,
        libc::ENOPROTOOPT => Unreachable::Protocol,
        _ => return None,
    })
}

/// An error that can only be about this machine.
pub(super) fn local(error: &io::Error) -> LocalError {
    match error.raw_os_error() {
        Some(libc::EMFILE | libc::ENFILE) => LocalError::Descriptors,
        Some(libc::EADDRNOTAVAIL | libc::EADDRINUSE) => LocalError::LocalPorts,
        Some(libc::ENOBUFS | libc::ENOMEM | libc::EAGAIN) => LocalError::Buffers,
        Some(libc::ENETUNREACH | libc::EHOSTUNREACH | libc::EINVAL | libc::ENODEV) => LocalError::NoRoute,
        Some(libc::EPERM | libc::EACCES) => LocalError::Forbidden,
        Some(libc::EAFNOSUPPORT) => LocalError::NoFamily,
        Some(errno) => LocalError::Other(errno),
        None if error.kind() == ErrorKind::OutOfMemory => LocalError::Buffers,
        None => LocalError::Other(0),
    }
}
