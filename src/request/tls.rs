//! Adds TLS to ureq over a configuration that outlives the agent, so that roots are parsed once.

use std::fmt;
use std::io::{self, Read, Write};
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use ureq::Error;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, NextTimeout, Transport, TransportAdapter,
};

use super::buffers::WipedBuffers;
use super::trace::Trace;
use super::{tcp, tls_failure};
use crate::text::without_brackets;

/// Wraps the connection below in TLS where the URL asks for it.
pub(super) struct TlsConnector(pub(super) Option<Arc<ClientConfig>>, pub(super) Trace);

impl<In: Transport> Connector<In> for TlsConnector {
    type Out = Either<In, TlsTransport>;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        let Some(below) = chained else {
            return Err(Error::ConnectionFailed);
        };
        if !details.needs_tls() {
            return Ok(Some(Either::A(below)));
        }
        let config = self.0.clone().ok_or(Error::TlsRequired)?;
        let host = details.uri.host().unwrap_or_default();
        let name = ServerName::try_from(without_brackets(host).to_owned())
            .map_err(|_| Error::Tls("the host is not a valid server name"))?;

        let mut sock = TransportAdapter::new(below.boxed(), details.current_time.clone());
        sock.set_timeout(details.timeout);
        let mut conn = ClientConnection::new(config, name)?;
        conn.complete_io(&mut sock).inspect_err(|error| {
            self.1.note(|reached| reached.is_out_of_time = tls_failure::is_about_time(error));
        })?;
        self.1.note(|reached| reached.protocol = conn.protocol_version());
        Ok(Some(Either::B(TlsTransport {
            stream: StreamOwned { conn, sock },
            buffers: WipedBuffers::new(details.config)?,
        })))
    }
}

impl fmt::Debug for TlsConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsConnector").finish_non_exhaustive()
    }
}

pub(super) struct TlsTransport {
    stream: StreamOwned<ClientConnection, TransportAdapter>,
    buffers: WipedBuffers,
}

impl TlsTransport {
    fn send(&mut self, timeout: NextTimeout) -> Result<(), Error> {
        self.stream.sock.set_timeout(timeout);
        self.stream.write_all(self.buffers.held_back())?;
        self.buffers.sent();
        Ok(())
    }
}

impl Transport for TlsTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        if self.buffers.hold_back(amount) { self.send(timeout) } else { Ok(()) }
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.send(timeout)?;
        self.stream.sock.set_timeout(timeout);
        self.buffers.make_room()?;
        let amount = self.stream.read(self.buffers.input_append_buf()).map_err(broken)?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.sock.get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

/// Without close_notify nobody knows whether a body without a length is whole (RFC 9112 section 9.8).
fn broken(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => {
            tcp::broken("the connection was closed before the whole answer came")
        }
        _ => error,
    }
}

impl fmt::Debug for TlsTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsTransport").finish_non_exhaustive()
    }
}
