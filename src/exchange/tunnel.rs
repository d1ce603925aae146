//! The way through a proxy; what goes wrong on it is the proxy's fault, and is called so.

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
            Error::Protocol(_) | Error::Http(_) => {
                Error::ConnectProxyFailed("the proxy does not answer as an HTTP proxy".into())
            }
            Error::ConnectProxyFailed(why) => Error::ConnectProxyFailed(plainly(&why)),
            error => error,
        })
    }
}

/// ureq says `proxy server responded 407/407`.
fn plainly(why: &str) -> String {
    let status =
        why.strip_prefix("proxy server responded ").and_then(|rest| rest.split('/').next());
    match status {
        Some("407") => "the proxy wants a user name and a password (HTTP 407)".into(),
        Some(status) => format!("the proxy answered HTTP {status}"),
        None => "the proxy did not answer".into(),
    }
}
