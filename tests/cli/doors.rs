//! Ports that a test owns: open ones that remember who knocked, and closed ones that stay closed.

use std::{
    io::ErrorKind,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
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
