//! Connects to Redis and sends it commands, each of which ends in time whatever the peer does.

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};

use super::answer::Answer;
use super::budget::Limit;
use super::client_certificate::ClientCertificate;
use super::failure::{Failure, FailureKind, tls_error};
use crate::request::url::Origin;
use crate::resolver::resolve;
use crate::sys::socket::{Socket, share};
use crate::trust::Trust;

/// Whom to trust, and who this host is, if the server wants to know.
#[derive(Clone, Copy)]
pub(super) struct Tls<'a> {
    pub(super) trust: &'a Trust,
    pub(super) certificate: Option<&'a ClientCertificate>,
}

/// A connection on which no answer is awaited, or none any more.
pub(super) enum Connection {
    Plain(TimedSocket),
    Tls(Box<StreamOwned<ClientConnection, TimedSocket>>),
}

impl Connection {
    pub(super) fn open(
        origin: &Origin,
        tls: Option<Tls<'_>>,
        limit: Limit,
    ) -> Result<Self, Failure> {
        let unreachable = |error: io::Error| Failure::unreachable(&error, limit);
        let addresses = addresses(origin, limit).map_err(unreachable)?;
        let socket = connect_any(&addresses, limit).map_err(unreachable)?;
        let socket = TimedSocket { socket, limit };
        match tls {
            Some(tls) => secure(origin, tls, socket, limit),
            None => Ok(Self::Plain(socket)),
        }
    }

    /// Sends a command, without waiting for what comes of it.
    pub(super) fn send(&mut self, command: &[u8], limit: Limit) -> io::Result<()> {
        self.socket().limit = limit;
        match self {
            Self::Plain(socket) => socket.write_all(command),
            Self::Tls(stream) => stream.write_all(command).and_then(|()| stream.flush()),
        }
    }

    /// What a command is answered with.
    pub(super) fn ask(&mut self, command: &[u8], limit: Limit) -> Result<Answer, Failure> {
        let answer = self.send(command, limit).and_then(|()| match self {
            Self::Plain(socket) => Answer::read(socket),
            Self::Tls(stream) => Answer::read(stream),
        });
        answer.map_err(|error| Failure::of_connection(&error, limit))
    }

    fn socket(&mut self) -> &mut TimedSocket {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(stream) => &mut stream.sock,
        }
    }
}

fn addresses(origin: &Origin, limit: Limit) -> io::Result<Vec<SocketAddr>> {
    match origin.host().parse::<IpAddr>() {
        Ok(address) => Ok(vec![(address, origin.port()).into()]),
        Err(_) => resolve(origin.host(), origin.port(), limit.left()?),
    }
}

/// A connection to the first address that takes one.
pub(super) fn connect_any(addresses: &[SocketAddr], limit: Limit) -> io::Result<Socket> {
    let mut failure = io::Error::other("its name has no address");
    for (at, address) in addresses.iter().enumerate() {
        let wait = share(limit.left()?, addresses.len() - at);
        let connected =
            Socket::new(address).and_then(|socket| socket.connect(address, wait).map(|()| socket));
        match connected {
            Ok(socket) => return Ok(socket),
            Err(error) => failure = error,
        }
    }
    limit.left()?;
    Err(failure)
}

fn secure(
    origin: &Origin,
    Tls { trust, certificate }: Tls<'_>,
    mut socket: TimedSocket,
    limit: Limit,
) -> Result<Connection, Failure> {
    let unusable = |why: String| Failure::unusable(format!("cannot be used: {why}"));
    let mut config = trust.client_config().map_err(|error| unusable(error.to_string()))?;
    if let Some(certificate) = certificate {
        Arc::make_mut(&mut config).client_auth_cert_resolver =
            certificate.read().map_err(unusable)?;
    }
    let name = ServerName::try_from(origin.host().to_owned())
        .map_err(|_| unusable("no certificate can be for its name".into()))?;
    let connection = ClientConnection::new(config, name);
    let mut connection =
        connection.map_err(|_| unusable("no TLS handshake can be made for its name".into()))?;
    match connection.complete_io(&mut socket) {
        Ok(_) => Ok(Connection::Tls(Box::new(StreamOwned::new(connection, socket)))),
        Err(error) => Err(judged(&error, trust, limit)),
    }
}

/// After a refused certificate whom to trust is read again.
fn judged(error: &io::Error, trust: &Trust, limit: Limit) -> Failure {
    if let Some(rustls::Error::InvalidCertificate(_)) = tls_error(error) {
        trust.reconsider();
        if let Some(excuse) = trust.excuse() {
            return Failure::unusable(format!("cannot be used: {excuse}"));
        }
    }
    let failure = Failure::of_connection(error, limit);
    if failure.kind != FailureKind::BrokenOff {
        return failure;
    }
    Failure::unusable(format!("{} in the TLS handshake; does it speak TLS there?", failure.words))
}

/// Reads and writes until a moment, however little comes at a time.
pub(super) struct TimedSocket {
    socket: Socket,
    limit: Limit,
}

impl TimedSocket {
    fn run(
        &self,
        mut step: impl FnMut(&Socket, Duration) -> io::Result<usize>,
    ) -> io::Result<usize> {
        loop {
            match step(&self.socket, self.limit.left()?) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }
}

impl Read for TimedSocket {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.run(|socket, limit| socket.read_within(room, limit))
    }
}

impl Write for TimedSocket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.run(|socket, limit| socket.write_within(bytes, limit))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
