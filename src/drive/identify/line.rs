//! One connection: made, secured where that is wanted, talked over, closed.

use std::{io, net::SocketAddr, os::fd::AsRawFd, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit},
    time::{Instant, timeout, timeout_at},
};

use super::{
    Caller,
    pace::Pace,
    secure::{Roots, Secure},
};
use crate::{
    drive::{Clock, connect::Origin, socket, sys},
    identify::{Act, Ended, Talk, Told},
    model::Moment,
};

/// How long a handshake is waited for: the kernel's second SYN is included.
const CONNECT: Duration = Duration::from_secs(3);
/// How long TLS may take.
const SECURE: Duration = Duration::from_secs(5);
/// No conversation takes longer.
const WHOLE: Duration = Duration::from_secs(12);
/// Octets read at a time.
const ROOM: usize = 16 << 10;

/// What all connections share.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) clock: Clock,
    pub(super) origin: Origin,
    pub(super) secure: Secure,
    pub(super) pace: Pace,
    pub(super) places: Semaphore,
}

/// Why there is no connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unreached {
    /// It was completed, and reset before we got to it.
    Reset,
    /// It was never completed.
    Never,
}

/// When something happened first.
#[derive(Clone, Copy, Debug, Default)]
struct Times {
    acknowledged: Option<Moment>,
    answered: Option<Moment>,
}

impl Line {
    /// Makes a connection and holds the conversation. Whatever happens is told.
    pub(super) async fn talk(&self, caller: &Caller, mut talk: Talk) -> Told {
        let _turn = self.turn(caller).await;
        let mut told = Told::new(talk.clone(), self.clock.now());
        let reached = match self.reach(caller).await {
            // Two lost packets would leave a question unasked.
            Err(Unreached::Never) => self.reach(caller).await,
            reached => reached,
        };
        let stream = match reached {
            Ok(stream) => stream,
            Err(unreached) => {
                told.over = self.clock.now();
                if unreached == Unreached::Reset {
                    (told.connected, told.ended) = (Some(told.over), Ended::Reset);
                }
                return told;
            }
        };
        told.connected = Some(self.clock.now());
        let over = Instant::now() + WHOLE;
        let descriptor = stream.as_raw_fd();
        let mut times = Times::default();
        if talk.is_inside() {
            let name = caller.names.first().map(String::as_str);
            let secured = timeout(SECURE, self.secure.connect(stream, name, (caller, &Roots::web()))).await;
            if let Ok(Ok((mut stream, session))) = secured {
                told.session = Some(session);
                times.answered = Some(self.clock.now());
                told.ended = self.converse(&mut stream, descriptor, over, &mut talk, &mut times).await;
            }
        } else {
            let mut stream = stream;
            told.ended = self.converse(&mut stream, descriptor, over, &mut talk, &mut times).await;
        }
        Told {
            talk,
            acknowledged: times.acknowledged,
            answered: times.answered,
            over: self.clock.now(),
            ..told
        }
    }

    /// A place among all connections, one among those to the address, and the time for it.
    pub(super) async fn turn(
        &self,
        caller: &Caller,
    ) -> (Option<SemaphorePermit<'_>>, Option<OwnedSemaphorePermit>) {
        let there = self.pace.turn(caller.endpoint.address, caller.rate).await;
        (self.places.acquire().await.ok(), there)
    }

    /// A connection, if one can be made in time.
    pub(super) async fn reach(&self, caller: &Caller) -> Result<TcpStream, Unreached> {
        let to = self.origin.to(caller.endpoint.address, caller.endpoint.port);
        match timeout(CONNECT, self.connect(to)).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionReset => Err(Unreached::Reset),
            Ok(Err(_)) | Err(_) => Err(Unreached::Never),
        }
    }

    async fn connect(&self, to: SocketAddr) -> io::Result<TcpStream> {
        let socket = socket::stream(to, &self.origin)?;
        TcpSocket::from_std_stream(socket.into()).connect(to).await
    }

    async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: &mut S,
        descriptor: i32,
        over: Instant,
        talk: &mut Talk,
        times: &mut Times,
    ) -> Ended {
        let mut room = vec![0; ROOM];
        let mut spoke = false;
        loop {
            match talk.act() {
                Act::HangUp => return Ended::HungUp,
                Act::Say(octets) => {
                    spoke = true;
                    let said = async {
                        stream.write_all(&octets).await?;
                        stream.flush().await
                    };
                    // It may have answered and closed already: what it said is still to be read.
                    if timeout_at(over, said).await.is_err() {
                        return Ended::Late;
                    }
                }
                Act::Listen(time) => {
                    let until = over.min(Instant::now() + time);
                    let heard = timeout_at(until, stream.read(&mut room)).await;
                    // Of somebody who hangs up it is not known what he took.
                    let is_there = !matches!(heard, Ok(Ok(0) | Err(_)));
                    if spoke && is_there && times.acknowledged.is_none() && sys::unsent(descriptor) == Some(0)
                    {
                        times.acknowledged = Some(self.clock.now());
                    }
                    match heard {
                        Ok(Ok(0)) => {
                            talk.quiet();
                            return Ended::Closed;
                        }
                        Ok(Ok(count)) => {
                            times.answered.get_or_insert_with(|| self.clock.now());
                            talk.hear(room.get(..count).unwrap_or_default());
                        }
                        Ok(Err(error)) => {
                            talk.quiet();
                            let is_reset = error.kind() == io::ErrorKind::ConnectionReset;
                            return if is_reset { Ended::Reset } else { Ended::Closed };
                        }
                        Err(_) if Instant::now() >= over => {
                            talk.quiet();
                            return Ended::Late;
                        }
                        Err(_) => talk.quiet(),
                    }
                }
            }
            if Instant::now() >= over {
                talk.quiet();
                return Ended::Late;
            }
        }
    }
}
