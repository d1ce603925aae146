//! A moment, and a number of bytes, at which all reading and writing ends.
//!
//! ureq gives each step of a handshake, with a proxy or in TLS, a time limit of its own; a peer that
//! sends one byte after the other would have for ever. What belongs to no header and no body (trailers,
//! and answers before the final one), ureq reads without a limit; a peer that sends nothing else would
//! cost processor time for as long as an attempt may take.

use std::fmt;
use std::time::Instant;

use ureq::unversioned::transport::time::Duration;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};
use ureq::{Error, Timeout};

/// A header and a body of 64 KiB each, however they are cut into chunks and records, are less.
const MOST_RECEIVED: u64 = 1024 * 1024;

/// Ends the connection below at this moment.
#[derive(Debug)]
pub(super) struct DeadlineConnector(pub(super) Instant);

impl<In: Transport> Connector<In> for DeadlineConnector {
    type Out = DeadlineTransport<In>;

    fn connect(
        &self,
        _details: &ConnectionDetails,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        Ok(chained.map(|below| DeadlineTransport { below, deadline: self.0, received: 0 }))
    }
}

pub(super) struct DeadlineTransport<In> {
    below: In,
    deadline: Instant,
    received: u64,
}

impl<In> DeadlineTransport<In> {
    fn shorten(&self, timeout: NextTimeout) -> Result<NextTimeout, Error> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Error::Timeout(Timeout::Global));
        }
        let after = if *timeout.after <= left { timeout.after } else { Duration::Exact(left) };
        Ok(NextTimeout { after, ..timeout })
    }
}

impl<In: Transport> Transport for DeadlineTransport<In> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.below.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let timeout = self.shorten(timeout)?;
        self.below.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let timeout = self.shorten(timeout)?;
        let before = self.below.buffers().input().len();
        let more = self.below.await_input(timeout)?;
        self.received += (self.below.buffers().input().len() - before) as u64;
        if self.received > MOST_RECEIVED {
            return Err(Error::BodyExceedsLimit(MOST_RECEIVED));
        }
        Ok(more)
    }

    fn is_open(&mut self) -> bool {
        self.below.is_open()
    }

    fn is_tls(&self) -> bool {
        self.below.is_tls()
    }
}

impl<In> fmt::Debug for DeadlineTransport<In> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeadlineTransport").finish_non_exhaustive()
    }
}
