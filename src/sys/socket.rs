//! Opens TCP connections that no forked child keeps.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use socket2::{Domain, SockRef, Type};

use super::fork::ClosedInChild;

/// A connection, or what will be one; a forked child has no part in it.
pub(crate) struct Socket(ClosedInChild<TcpStream>);

impl Socket {
    pub(crate) fn new(address: &SocketAddr) -> io::Result<Self> {
        let new = || socket2::Socket::new(Domain::for_address(*address), Type::STREAM, None);
        ClosedInChild::open(|| new().map(TcpStream::from)).map(Self)
    }

    /// Connects within `limit`, which is above zero.
    pub(crate) fn connect(&self, address: &SocketAddr, limit: Duration) -> io::Result<()> {
        let stream = self.get()?;
        SockRef::from(stream).connect_timeout(&(*address).into(), limit)?;
        stream.set_nodelay(true)
    }

    /// An error in a forked child.
    pub(crate) fn get(&self) -> io::Result<&TcpStream> {
        self.0.get().ok_or_else(|| io::Error::other("the connection is the parent process's"))
    }
}

impl Drop for Socket {
    /// Ends the connection also where a child, forked just now, has the descriptor.
    fn drop(&mut self) {
        // It may not be connected.
        let _ = self.get().map(|stream| stream.shutdown(Shutdown::Both));
    }
}

impl Read for Socket {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.get()?.read(room)
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.get()?.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
