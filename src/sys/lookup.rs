//! Name lookup that ends in time.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use super::thread;

/// The addresses of a host; [`io::ErrorKind::TimedOut`] after `limit`.
///
/// The system's lookup cannot be told when to end, so its thread is left behind if it takes too long.
pub(crate) fn by_name(host: &str, port: u16, limit: Duration) -> io::Result<Vec<SocketAddr>> {
    let (answer, answered) = mpsc::sync_channel(1);
    let name = host.to_owned();
    thread::spawn(move || {
        let found = (name.as_str(), port).to_socket_addrs().map(Vec::from_iter);
        // Nobody may be waiting any more.
        let _ = answer.send(found);
    })?;
    answered.recv_timeout(limit).unwrap_or_else(|error| match error {
        RecvTimeoutError::Timeout => Err(io::ErrorKind::TimedOut.into()),
        RecvTimeoutError::Disconnected => Err(io::Error::other("the lookup broke off")),
    })
}
