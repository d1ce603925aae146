//! Where a host is, for ureq, on a thread like all of the library's.

use std::io;
use std::net::{IpAddr, SocketAddr};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;
use ureq::{Error, Timeout};

use super::trace::{Found, Trace};
use crate::sys::lookup::by_name;

/// As many addresses as ureq has room for.
const MOST: usize = 16;

#[derive(Debug)]
pub(super) struct Lookup(pub(super) Trace);

impl Resolver for Lookup {
    fn resolve(
        &self,
        uri: &Uri,
        _config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let host = uri.host().unwrap_or_default();
        let default_port = if uri.scheme_str() == Some("https") { 443 } else { 80 };
        let port = uri.port_u16().unwrap_or(default_port);
        let addresses = match host.trim_matches(['[', ']']).parse::<IpAddr>() {
            Ok(address) => vec![SocketAddr::new(address, port)],
            Err(_) => by_name(host, port, *timeout.after).map_err(|error| match error.kind() {
                io::ErrorKind::TimedOut => Error::Timeout(Timeout::Resolve),
                _ => error.into(),
            })?,
        };
        let mut found = self.empty();
        for address in addresses.into_iter().take(MOST) {
            found.push(address);
        }
        if found.is_empty() {
            return Err(Error::HostNotFound);
        }
        self.0.note(|way| {
            let addresses = found.iter().map(SocketAddr::ip).collect();
            way.found = Some(Found { host: host.to_owned(), port, addresses });
        });
        Ok(found)
    }
}
