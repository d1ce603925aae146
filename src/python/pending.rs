//! Offers waits that block no event loop; `clazar_auth._async` builds upon them.

use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::task::{Wake, Waker as TaskWaker};
use std::time::Instant;

use pyo3::prelude::*;

use super::error::raise;
use super::log::Log;
use super::token::AccessToken;
use crate::binding::{self, catch_panic, text};
use crate::{Error, ErrorKind};

/// A wait for a token request.
#[pyclass(frozen, module = "clazar_auth._native")]
pub(super) struct Pending {
    pending: binding::Pending,
    log: Log,
}

impl Pending {
    pub(super) fn new(pending: binding::Pending, log: Log) -> Self {
        Self { pending, log }
    }
}

#[pymethods]
impl Pending {
    /// Make the waker's descriptor readable when the token request ends.
    fn wake(&self, waker: &Waker) {
        self.pending.wake(&waker.waker);
    }

    /// Seconds until the wait ends at the latest; None if it ends with the token request.
    fn remaining(&self) -> Option<f64> {
        let deadline = self.pending.deadline()?;
        Some(deadline.saturating_duration_since(Instant::now()).as_secs_f64())
    }

    /// Whether the wait is over.
    fn done(&self) -> bool {
        self.pending.is_over()
    }

    /// The token; None if the wait goes on.
    fn result(&self, py: Python<'_>) -> PyResult<Option<AccessToken>> {
        let Some(outcome) = catch_panic(|| Ok(self.pending.poll())).map_err(|e| raise(py, &e))?
        else {
            return Ok(None);
        };
        self.log.drain(py)?;
        outcome.map(|token| Some(AccessToken(token))).map_err(|error| raise(py, &error))
    }
}

/// A descriptor that becomes readable when something has ended.
#[pyclass(frozen, module = "clazar_auth._native")]
pub(super) struct Waker {
    pipe: Arc<Pipe>,
    waker: TaskWaker,
}

/// Both ends in one, so that nobody writes to a closed one.
struct Pipe {
    receiver: UnixStream,
    sender: UnixStream,
}

impl Pipe {
    fn open() -> io::Result<Self> {
        let (receiver, sender) = UnixStream::pair()?;
        receiver.set_nonblocking(true)?;
        sender.set_nonblocking(true)?;
        Ok(Self { receiver, sender })
    }
}

/// Most likely the process may open no more files. The token request goes on.
fn no_pipe(error: &io::Error) -> Error {
    Error::new(
        ErrorKind::Transport,
        format!(
            "the wait for a token needs a pair of sockets, of which there are none ({}); close other files, \
             or allow more with ulimit -n",
            text::system(error)
        ),
    )
}

impl Wake for Pipe {
    fn wake(self: Arc<Self>) {
        // A full buffer is as readable as can be.
        let _ = (&self.sender).write(&[0]);
    }
}

#[pymethods]
impl Waker {
    #[new]
    fn new(py: Python<'_>) -> PyResult<Self> {
        let pipe = Arc::new(Pipe::open().map_err(|error| raise(py, &no_pipe(&error)))?);
        Ok(Self { waker: pipe.clone().into(), pipe })
    }

    fn fileno(&self) -> i32 {
        self.pipe.receiver.as_raw_fd()
    }

    /// Make it unreadable again.
    fn drain(&self) {
        while let Ok(1..) = (&self.pipe.receiver).read(&mut [0; 64]) {}
    }
}
