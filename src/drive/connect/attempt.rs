//! One connect: started, looked at, waited for, and closed without leaving anything behind.

use std::{
    collections::BTreeSet,
    io::{self, ErrorKind},
    net::{IpAddr, SocketAddr},
    os::fd::AsRawFd,
    time::Duration,
};

use socket2::{SockRef, Socket};
use tokio::{io::Interest, net::TcpStream, time::timeout_at};

use super::{
    super::{
        Clock,
        socket::{self, queued},
        sys,
    },
    Origin,
};
use crate::{
    model::{Evidence, LocalError, Moment},
    probe::connect::{IcmpError, Outcome, evidence},
    scan::{Answer, Probe},
};

/// A connect on its way.
pub(super) struct Attempt {
    socket: Socket,
    probe: Probe,
    to: SocketAddr,
    sent_at: Moment,
}

/// What became of starting one.
pub(super) enum Started {
    /// The SYN is out.
    Pending(Attempt),
    /// It is over already.
    Ended(Ended),
}

/// A connect that is over.
pub(super) struct Ended {
    probe: Probe,
    sent_at: Moment,
    source: Option<SocketAddr>,
    outcome: Outcome,
    icmp: Option<IcmpError>,
    immediate: bool,
}

/// The kernel's own repeats of a SYN, after one second. More would outlast our patience.
const SYN_REPEATS: i32 = 1;

impl Attempt {
    /// Opens a socket and sends the SYN.
    pub(super) fn start(probe: Probe, sent_at: Moment, origin: &Origin) -> Started {
        let ended = |outcome, icmp| {
            Started::Ended(Ended { probe, sent_at, source: None, outcome, icmp, immediate: true })
        };
        let to = origin.to(probe.endpoint.address, probe.endpoint.port);
        let socket = match socket::stream(to, origin) {
            Ok(socket) => socket,
            Err(error) => return ended(local(&error), None),
        };
        match socket.connect(&to.into()) {
            Ok(()) => Started::Ended(Self { socket, probe, to, sent_at }.end(Ok(()))),
            Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => {
                Started::Pending(Self { socket, probe, to, sent_at })
            }
            Err(error) => {
                let icmp = queued(socket.as_raw_fd());
                ended(outcome(&error), icmp)
            }
        }
    }

    /// Looks whether the answer is here, by asking for the same connection again: the kernel says what
    /// became of the first (connect(2), `EALREADY`).
    pub(super) fn check(self) -> Result<Ended, Self> {
        match self.socket.connect(&self.to.into()) {
            Err(error) if error.raw_os_error() == Some(libc::EALREADY) => {
                // Only the slow are worth the call: the limit is read when the timer fires.
                let _ = sys::limit_syn_repeats(self.socket.as_raw_fd(), SYN_REPEATS);
                Err(self)
            }
            result => Ok(self.end(result)),
        }
    }

    /// The answer for the scan, were this the evidence.
    pub(super) fn answer(&self, evidence: Evidence) -> Answer {
        let Self { probe, sent_at, .. } = self;
        Answer {
            endpoint: probe.endpoint,
            attempt: probe.attempt,
            sent_at: *sent_at,
            source: None,
            ttl: None,
            evidence,
        }
    }

    /// Waits for the answer as long as the probe's patience lasts.
    pub(super) async fn wait(self, clock: &Clock) -> Ended {
        let Self { socket, probe, to, sent_at } = self;
        let over = clock.instant(sent_at + probe.patience).into();
        let ended = |outcome, icmp| Ended { probe, sent_at, source: None, outcome, icmp, immediate: false };
        let stream = match TcpStream::from_std(socket.into()) {
            Ok(stream) => stream,
            Err(error) => return ended(local(&error), None),
        };
        loop {
            let ready = timeout_at(over, stream.writable()).await.is_ok();
            let socket = SockRef::from(&stream);
            match socket.connect(&to.into()) {
                Err(error) if error.raw_os_error() == Some(libc::EALREADY) => {}
                result => return Self::ended(&socket, probe, sent_at, result),
            }
            if !ready {
                return ended(Outcome::Silence, None);
            }
            // An ICMP error that comes while the kernel is still inside `connect()` is queued and ends
            // nothing: the SYN would be repeated. It is evidence all the same.
            if let Some(icmp) = queued(socket.as_raw_fd()) {
                return ended(Outcome::Unreachable(icmp.what), Some(icmp));
            }
            // Woken for nothing: forget the readiness, and wait for the next.
            let _ = stream.try_io(Interest::WRITABLE, || Err::<(), _>(ErrorKind::WouldBlock.into()));
        }
    }

    fn end(self, result: io::Result<()>) -> Ended {
        Self::ended(&SockRef::from(&self.socket), self.probe, self.sent_at, result)
    }

    fn ended(socket: &SockRef<'_>, probe: Probe, sent_at: Moment, result: io::Result<()>) -> Ended {
        let (outcome, icmp, source) = match result {
            Ok(()) => {
                // A RST on close: no TIME_WAIT, so that 28,000 local ports last for millions of connects.
                let _ = socket.set_linger(Some(Duration::ZERO));
                // Without the number of its link, which is this machine's own matter.
                let source = socket.local_addr().ok().and_then(|address| address.as_socket());
                let source = source.map(|source| SocketAddr::new(source.ip(), source.port()));
                // On this very machine the kernel may pick the asked port as our own, and connect the
                // socket to itself (simultaneous open, RFC 9293 3.5): that is nobody else's answer.
                let itself = source == Some(SocketAddr::new(probe.endpoint.address, probe.endpoint.port));
                let outcome =
                    if itself { Outcome::Local(LocalError::LocalPorts) } else { Outcome::Connected };
                (outcome, None, source)
            }
            Err(error) => (outcome(&error), queued(socket.as_raw_fd()), None),
        };
        Ended { probe, sent_at, source, outcome, icmp, immediate: false }
    }
}

impl Ended {
    /// What it is evidence of.
    pub(super) fn evidence(&self, own: &BTreeSet<IpAddr>) -> Evidence {
        evidence(self.outcome, self.icmp, self.immediate, self.probe.endpoint.address, own)
    }

    /// The answer for the scan.
    pub(super) fn answer(self, evidence: Evidence) -> Answer {
        let Self { probe, sent_at, source, .. } = self;
        Answer { endpoint: probe.endpoint, attempt: probe.attempt, sent_at, source, ttl: None, evidence }
    }
}

/// An error of `connect()`.
fn outcome(error: &io::Error) -> Outcome {
    match error.raw_os_error() {
        Some(libc::ECONNREFUSED) => Outcome::Refused,
        Some(libc::ETIMEDOUT) => Outcome::Silence,
        // A RST instead of a SYN-ACK is ECONNREFUSED: this one came after the handshake (Linux, `tcp_reset`), as
        // behind a SYN proxy before a dead service.
        Some(libc::ECONNRESET | libc::EPIPE) => Outcome::Connected,
        _ => socket::unreachable(error).map_or_else(|| local(error), Outcome::Unreachable),
    }
}

fn local(error: &io::Error) -> Outcome {
    Outcome::Local(socket::local(error))
}
