//! Opens TCP connections that no forked child keeps.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use socket2::{Domain, SockRef, Type};

use super::fork::ClosedInChild;

/// The shortest time that an address is given.
const SHORTEST: Duration = Duration::from_millis(10);

/// A connection, or what will be one; a forked child has no part in it.
pub(crate) struct Socket(ClosedInChild<TcpStream>);

impl Socket {
    pub(crate) fn new(address: &SocketAddr) -> io::Result<Self> {
        let domain = Domain::for_address(unmapped(*address));
        let new = || socket2::Socket::new(domain, Type::STREAM, None);
        ClosedInChild::open(|| new().map(TcpStream::from)).map(Self)
    }

    /// Connects within `limit`, which is above zero.
    pub(crate) fn connect(&self, address: &SocketAddr, limit: Duration) -> io::Result<()> {
        let stream = self.get()?;
        SockRef::from(stream).connect_timeout(&unmapped(*address).into(), limit)?;
        stream.set_nodelay(true)
    }

    /// Reads once, for no longer than `limit`, which is above zero; an error of the kind `TimedOut` after that.
    pub(crate) fn read_within(&self, room: &mut [u8], limit: Duration) -> io::Result<usize> {
        let mut stream = self.get()?;
        limited(stream.set_read_timeout(Some(limit)))?;
        stream.read(room).map_err(timed_out)
    }

    /// Writes once, for no longer than `limit`, which is above zero; an error of the kind `TimedOut` after that.
    pub(crate) fn write_within(&self, bytes: &[u8], limit: Duration) -> io::Result<usize> {
        let mut stream = self.get()?;
        limited(stream.set_write_timeout(Some(limit)))?;
        stream.write(bytes).map_err(timed_out)
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

/// An IPv4 address that is written as one of IPv6 (RFC 4291 section 2.5.5.2), which Windows does not dial, as itself.
fn unmapped(address: SocketAddr) -> SocketAddr {
    let SocketAddr::V6(v6) = address else { return address };
    v6.ip().to_ipv4_mapped().map_or(address, |ip| SocketAddr::from((ip, address.port())))
}

/// A time-out of a socket is `WouldBlock` on POSIX and `TimedOut` on Windows; here it is always the second.
fn timed_out(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::WouldBlock { io::ErrorKind::TimedOut.into() } else { error }
}

/// macOS takes no limit for a connection that the peer has closed, from which there still is to read.
fn limited(set: io::Result<()>) -> io::Result<()> {
    if cfg!(target_vendor = "apple") { Ok(()) } else { set }
}

/// How long to try the next of so many addresses in the time that is left: about half of it, so that one
/// that does not answer keeps nobody from the others; all of it for the last.
pub(crate) fn share(left: Duration, addresses: usize) -> Duration {
    let addresses = i32::try_from(addresses).unwrap_or(i32::MAX);
    left.mul_f64(0.5 / (1.0 - 0.5_f64.powi(addresses))).max(SHORTEST)
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddrV6;

    use super::*;

    #[test]
    fn only_a_mapped_address_is_dialled_as_another() {
        let mapped = "[::ffff:127.0.0.1]:80".parse().unwrap();
        assert_eq!(unmapped(mapped), "127.0.0.1:80".parse().unwrap());
        let with_scope = SocketAddrV6::new("fe80::1".parse().unwrap(), 80, 3, 2);
        for other in [with_scope.into(), "127.0.0.1:80".parse().unwrap()] {
            assert_eq!(unmapped(other), other);
        }
    }
}
