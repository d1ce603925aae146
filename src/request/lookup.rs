//! Looks up a host for ureq, on a thread like all of the library's, and keeps plain http on this
//! machine.

use std::io;
use std::net::{IpAddr, SocketAddr};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;
use ureq::{Error, Timeout};

use super::trace::{Found, Trace};
use crate::resolver::resolve;
use crate::text::without_brackets;

/// As many addresses as ureq has room for.
const MOST: usize = 16;

#[derive(Debug)]
pub(super) struct Lookup(pub(super) Trace);

impl Resolver for Lookup {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let host = uri.host().unwrap_or_default();
        let default_port = if uri.scheme_str() == Some("https") { 443 } else { 80 };
        let port = uri.port_u16().unwrap_or(default_port);
        let addresses = match without_brackets(host).parse::<IpAddr>() {
            Ok(address) => vec![SocketAddr::new(address, port)],
            Err(_) => resolve(host, port, *timeout.after).map_err(|error| match error.kind() {
                io::ErrorKind::TimedOut => Error::Timeout(Timeout::Resolve),
                _ => error.into(),
            })?,
        };
        // Plain http goes through no proxy, so that this is not a proxy's address.
        if uri.scheme_str() != Some("https") && config.proxy().is_none() {
            all_on_this_machine(&addresses)?;
        }
        let mut found = self.empty();
        for address in addresses.into_iter().take(MOST) {
            found.push(address);
        }
        if found.is_empty() {
            return Err(Error::HostNotFound);
        }
        self.0.note(|reached| {
            let addresses = found.iter().map(SocketAddr::ip).collect();
            reached.found = Some(Found { host: host.to_owned(), port, addresses });
        });
        Ok(found)
    }
}

/// Whatever the name promised, no secret goes in the clear to an address elsewhere.
fn all_on_this_machine(addresses: &[SocketAddr]) -> io::Result<()> {
    match addresses.iter().find(|address| !address.ip().is_loopback()) {
        None => Ok(()),
        Some(address) => Err(io::Error::other(format!(
            "{} is not on this machine, and plain http goes nowhere else",
            address.ip()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use ureq::Agent;
    use ureq::unversioned::transport::time::Duration;

    use super::*;

    fn resolve(uri: &str) -> Result<Vec<String>, Error> {
        let config = Agent::config_builder().proxy(None).build();
        let (after, reason) = (Duration::NotHappening, Timeout::Resolve);
        let timeout = NextTimeout { after, reason, per_read: None, per_write: None };
        let found = Lookup(Trace::default()).resolve(&uri.parse().unwrap(), &config, timeout)?;
        Ok(found.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn localhost_is_this_machine_whatever_the_system_says() {
        for uri in ["http://localhost:81/", "https://LOCALHOST:81/"] {
            assert_eq!(resolve(uri).unwrap(), ["127.0.0.1:81", "[::1]:81"]);
        }
    }

    #[test]
    fn plain_http_has_no_address_elsewhere() {
        for uri in ["http://192.0.2.1/", "http://[2001:db8::1]/", "http://[::ffff:127.0.0.1]/"] {
            let error = resolve(uri).unwrap_err().to_string();
            assert!(error.contains("is not on this machine"), "{error}");
            resolve(&uri.replace("http", "https")).unwrap();
        }
        assert_eq!(resolve("http://127.8.7.6/").unwrap(), ["127.8.7.6:80"]);
    }
}
