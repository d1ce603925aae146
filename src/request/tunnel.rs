//! Opens the way through a proxy, and blames the proxy for what goes wrong on it.

use std::{fmt, io};

use ureq::Error;
use ureq::unversioned::transport::{
    ConnectProxyConnector, ConnectionDetails, Connector, Transport,
};

#[derive(Debug, Default)]
pub(super) struct TunnelConnector(ConnectProxyConnector);

impl<In: Transport> Connector<In> for TunnelConnector {
    type Out = <ConnectProxyConnector as Connector<In>>::Out;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        self.0.connect(details, chained).map_err(|error| match error {
            Error::Protocol(_) | Error::Http(_) | Error::BodyExceedsLimit(_) => {
                Error::ConnectProxyFailed("the proxy does not answer as an HTTP proxy".into())
            }
            Error::ConnectProxyFailed(why) => plainly(&why),
            error => error,
        })
    }
}

/// The proxy answered 407 (RFC 9110 section 15.5.8).
#[derive(Debug)]
pub(super) struct CredentialsWanted;

impl fmt::Display for CredentialsWanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HTTP 407")
    }
}

impl std::error::Error for CredentialsWanted {}

/// A broken connection, which is tried again.
fn closed(what: &str) -> Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, what).into()
}

/// ureq says `proxy server responded 407/407`.
fn plainly(why: &str) -> Error {
    let status =
        why.strip_prefix("proxy server responded ").and_then(|rest| rest.split('/').next());
    Error::ConnectProxyFailed(match status {
        Some("407") => return Error::Other(Box::new(CredentialsWanted)),
        Some(status) => format!("the proxy answered HTTP {status}"),
        None => return closed("the proxy closed the connection without an answer"),
    })
}
