//! Connects ureq over TCP, with connections that all end at one moment, and after so many bytes.
//!
//! ureq gives each step of a handshake, with a proxy or in TLS, a time limit of its own; a peer that
//! sends one byte after the other would have for ever. What belongs to no header and no body (trailers,
//! and answers before the final one), ureq reads without a limit; a peer that sends nothing else would
//! cost processor time for as long as an attempt may take.

use std::fmt;
use std::io;
use std::net::{Shutdown, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ureq::unversioned::transport::time::Duration as Wait;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, NextTimeout, ShutdownHandle, Transport,
};
use ureq::{Error, Timeout};

use super::buffers::WipedBuffers;
use crate::sys::socket::{Socket, share};
use crate::text;

/// A header and a body of 64 KiB each, however they are cut into chunks and records, are less.
const MOST_RECEIVED: u64 = 1024 * 1024;

/// Opens connections, unless there is one already, through a proxy.
#[derive(Debug)]
pub(super) struct TcpConnector {
    /// When all reading and writing ends.
    pub(super) deadline: Instant,
    /// Whether to connect to this machine alone.
    pub(super) loopback_only: bool,
}

impl<In: Transport> Connector<In> for TcpConnector {
    type Out = Either<In, TcpTransport>;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        if let Some(through_proxy) = chained {
            return Ok(Some(Either::A(through_proxy)));
        }
        if self.loopback_only && !details.addrs.iter().all(is_loopback) {
            let why = "its address is not this machine's, and the request is not encrypted";
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, why).into());
        }
        Ok(Some(Either::B(TcpTransport {
            socket: self.open_any(details)?,
            deadline: self.deadline,
            received: 0,
            buffers: WipedBuffers::new(details.config)?,
        })))
    }
}

impl TcpConnector {
    /// A connection to the first address that takes one.
    fn open_any(&self, details: &ConnectionDetails) -> Result<Arc<Socket>, Error> {
        let until = Until::new(details.timeout, self.deadline);
        let mut failure = None;
        for (at, address) in details.addrs.iter().enumerate() {
            let limit = share(until.left()?, details.addrs.len() - at);
            match self.open(address, limit, details) {
                Ok(socket) => return Ok(socket),
                Err(Error::Io(error)) if error.kind() == io::ErrorKind::TimedOut => {
                    failure = Some(Error::Timeout(Timeout::Connect));
                }
                Err(Error::Io(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {
                    failure = Some(error.into());
                }
                // Less telling than what an address said that there is a way to.
                Err(Error::Io(error)) => {
                    failure.get_or_insert(Error::Io(error));
                }
                Err(error) => return Err(error),
            }
        }
        until.left()?;
        Err(failure.unwrap_or(Error::HostNotFound))
    }

    fn open(
        &self,
        address: &SocketAddr,
        limit: Duration,
        details: &ConnectionDetails,
    ) -> Result<Arc<Socket>, Error> {
        let socket = Arc::new(Socket::new(address)?);
        let handle: Arc<dyn ShutdownHandle> = socket.clone();
        (details.register_shutdown)(Arc::downgrade(&handle))?;
        socket.connect(address, limit)?;
        Ok(socket)
    }
}

fn is_loopback(address: &SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

impl ShutdownHandle for Socket {
    fn shutdown(&self) {
        // It may be shut down or closed already.
        let _ = self.get().and_then(|stream| stream.shutdown(Shutdown::Both));
    }
}

/// When a step ends, and which limit that is.
struct Until {
    at: Instant,
    reason: Timeout,
}

impl Until {
    fn new(timeout: NextTimeout, deadline: Instant) -> Self {
        let at = match timeout.after {
            Wait::Exact(after) => Instant::now().checked_add(after),
            Wait::NotHappening => None,
        };
        Self { at: at.map_or(deadline, |at| at.min(deadline)), reason: timeout.reason }
    }

    fn left(&self) -> Result<Duration, Error> {
        let left = self.at.saturating_duration_since(Instant::now());
        // For the system, less than a microsecond would be for ever.
        if left.as_micros() == 0 { Err(self.over()) } else { Ok(left) }
    }

    fn over(&self) -> Error {
        Error::Timeout(self.reason)
    }

    /// Runs `step`, which reads or writes for as long as it is told, until it is no more interrupted.
    fn run(&self, mut step: impl FnMut(Duration) -> io::Result<usize>) -> Result<usize, Error> {
        loop {
            match step(self.left()?) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::TimedOut => return Err(self.over()),
                Err(error) if is_reset(&error) => return Err(broken(text::system(&error)).into()),
                result => return Ok(result?),
            }
        }
    }
}

fn is_reset(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted)
}

/// What ureq does not take for the end of a body without a length, as it does some other kinds.
pub(super) fn broken(what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, what.into())
}

pub(super) struct TcpTransport {
    socket: Arc<Socket>,
    deadline: Instant,
    received: u64,
    buffers: WipedBuffers,
}

impl TcpTransport {
    fn send(&mut self, timeout: NextTimeout) -> Result<(), Error> {
        let until = Until::new(timeout, self.deadline);
        let mut rest = self.buffers.held_back();
        while !rest.is_empty() {
            let written = until.run(|limit| self.socket.write_within(rest, limit))?;
            rest = &rest[written..];
        }
        self.buffers.sent();
        Ok(())
    }
}

impl Transport for TcpTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        if self.buffers.hold_back(amount) { self.send(timeout) } else { Ok(()) }
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.send(timeout)?;
        let until = Until::new(timeout, self.deadline);
        self.buffers.make_room()?;
        let room = self.buffers.input_append_buf();
        let read = until.run(|limit| self.socket.read_within(room, limit))?;
        self.buffers.input_appended(read);
        self.received += read as u64;
        if self.received > MOST_RECEIVED {
            return Err(Error::BodyExceedsLimit(MOST_RECEIVED));
        }
        Ok(read > 0)
    }

    /// No connection is used twice.
    fn is_open(&mut self) -> bool {
        false
    }
}

impl fmt::Debug for TcpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpTransport").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::thread;

    use ureq::Agent;
    use ureq::config::Config;
    use ureq::http::Uri;
    use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};

    use super::*;

    /// Where every host is.
    #[derive(Debug)]
    struct At(Vec<SocketAddr>);

    impl Resolver for At {
        fn resolve(
            &self,
            _uri: &Uri,
            _config: &Config,
            _timeout: NextTimeout,
        ) -> Result<ResolvedSocketAddrs, Error> {
            let mut found = self.empty();
            self.0.iter().for_each(|address| found.push(*address));
            Ok(found)
        }
    }

    fn get(at: &[SocketAddr], loopback_only: bool) -> Result<u16, Error> {
        let connector =
            TcpConnector { deadline: Instant::now() + Duration::from_secs(20), loopback_only };
        let agent = Agent::with_parts(Config::default(), connector, At(at.to_vec()));
        agent.get("http://somewhere/").call().map(|response| response.status().as_u16())
    }

    /// An address where one request is answered with 204.
    fn server() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                request.extend(byte);
            }
            stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
        });
        address
    }

    /// An address where nobody listens.
    fn closed() -> SocketAddr {
        TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
    }

    /// A broadcast address, to which the kernel makes no connection.
    fn no_way() -> SocketAddr {
        ([127, 255, 255, 255], 9).into()
    }

    #[test]
    fn the_next_address_is_tried_where_one_refuses() {
        assert_eq!(get(&[server()], false).unwrap(), 204);
        assert_eq!(get(&[closed(), no_way(), closed(), server()], true).unwrap(), 204);
    }

    #[test]
    fn the_failure_that_tells_most_is_reported() {
        for at in [vec![closed(), no_way()], vec![no_way(), closed()], vec![closed()]] {
            let Error::Io(error) = get(&at, false).unwrap_err() else { panic!("{at:?}") };
            assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused, "{at:?}");
        }
        let Error::Io(error) = get(&[no_way()], false).unwrap_err() else { panic!() };
        assert_eq!(error.kind(), io::ErrorKind::NetworkUnreachable);
    }

    #[test]
    fn without_tls_no_other_machine_is_reached() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let here = listener.local_addr().unwrap();
        for elsewhere in ["192.0.2.1:9", "[2001:db8::1]:9", "0.0.0.0:9", "[::ffff:192.0.2.1]:9"] {
            let elsewhere: SocketAddr = elsewhere.parse().unwrap();
            for at in [vec![elsewhere], vec![here, elsewhere], vec![elsewhere, here]] {
                let Error::Io(error) = get(&at, true).unwrap_err() else { panic!("{at:?}") };
                assert_eq!(error.kind(), io::ErrorKind::PermissionDenied, "{at:?}");
            }
        }
        assert_eq!(listener.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock);
        let mapped = format!("[::ffff:127.0.0.1]:{}", server().port());
        assert_eq!(get(&[mapped.parse().unwrap()], true).unwrap(), 204);
    }
}
