//! Ports that a test owns: open ones that remember who knocked, closed ones that stay closed, and over UDP
//! those that never say anything.

use std::{
    io::ErrorKind,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

use socket2::{Domain, Socket, Type};

/// An open port on loopback.
pub(crate) struct Door {
    pub(crate) port: u16,
    address: SocketAddr,
    visitors: Receiver<SocketAddr>,
}

impl Door {
    pub(crate) fn open() -> Self {
        Self::at((Ipv4Addr::LOCALHOST, 0).into())
    }

    /// An open port at an address of this namespace.
    pub(crate) fn at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).expect("an own address takes a listener");
        let address = listener.local_addr().unwrap();
        let (tell, visitors) = channel();
        thread::spawn(move || {
            loop {
                match listener.accept() {
                    Ok((_, visitor)) if tell.send(visitor).is_err() => return,
                    Err(error) if error.kind() != ErrorKind::ConnectionAborted => return,
                    _ => {}
                }
            }
        });
        Self { port: address.port(), address, visitors }
    }

    /// How many came since this was last asked. A connection of our own comes last through the same
    /// queue, so none before it is overlooked, and nothing has to be waited for.
    pub(crate) fn visits(&self) -> usize {
        let own = TcpStream::connect(self.address).expect("the door is open");
        let own = own.local_addr().unwrap();
        let patience = Duration::from_secs(20);
        let mut visits = 0;
        while self.visitors.recv_timeout(patience).expect("our own visit is seen") != own {
            visits += 1;
        }
        visits
    }

    /// Waits until somebody comes.
    pub(crate) fn wait(&self) {
        self.visitors.recv_timeout(Duration::from_secs(20)).expect("somebody comes");
    }
}

/// A port that refuses: it is held, so nobody else can open it, and nothing listens.
pub(crate) struct Wall {
    pub(crate) port: u16,
    _held: Socket,
}

impl Wall {
    pub(crate) fn new() -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).expect("loopback has free ports");
        let port = socket.local_addr().unwrap().as_socket().unwrap().port();
        Self { port, _held: socket }
    }
}

/// A UDP port of loopback.
pub(crate) struct Ear {
    pub(crate) port: u16,
    _held: UdpSocket,
}

impl Ear {
    /// A name server.
    pub(crate) fn names() -> Self {
        Self::names_at((Ipv4Addr::LOCALHOST, 0).into())
    }

    /// The same at an address of this namespace.
    pub(crate) fn names_at(address: SocketAddr) -> Self {
        let socket = UdpSocket::bind(address).expect("an own address takes a socket");
        let held = socket.try_clone().unwrap();
        thread::spawn(move || {
            let mut room = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut room) {
                if let Some(answer) = answer(&room[..length]) {
                    // Who asked may be gone, and its kernel says so.
                    let _ = socket.send_to(&answer, from);
                }
            }
        });
        Self::of(held)
    }

    /// Somebody who takes everything and never answers.
    pub(crate) fn mute() -> Self {
        Self::of(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has free ports"))
    }

    /// Nobody: the port is held at another address, so that nobody here gets it by accident.
    pub(crate) fn nobody() -> Self {
        Self::of(UdpSocket::bind((Ipv4Addr::new(127, 0, 0, 9), 0)).expect("loopback has free ports"))
    }

    fn of(socket: UdpSocket) -> Self {
        Self { port: socket.local_addr().unwrap().port(), _held: socket }
    }
}

/// As a name server answers that tells its version (RFC 1035 section 4.1, RFC 4892 section 2): what has no
/// question is malformed, other questions are refused.
fn answer(query: &[u8]) -> Option<Vec<u8>> {
    let header = query.first_chunk::<12>()?;
    if header[2] & 0x80 != 0 {
        return None;
    }
    let id = &header[..2];
    let question = &query[12..];
    if header[4..6] != [0, 1] {
        return Some([id, &[0x81, 1], &[0; 8]].concat());
    }
    if question != b"\x07version\x04bind\0\0\x10\0\x03" {
        return Some([id, &[0x81, 5, 0, 1], &[0; 6], question].concat());
    }
    let version = b"\xc0\x0c\0\x10\0\x03\0\0\0\0\0\x0a\x09names 9.1";
    Some([id, &[0x85, 0, 0, 1, 0, 1, 0, 0, 0, 0], question, version].concat())
}
