//! Decides to which hosts a token may go.

use std::net::Ipv6Addr;

use crate::error::Error;
use crate::request::url::{Origin, Purpose, SecureUrl, is_host};
use crate::text::printable;

const API: &str = "api.clazar.io";
/// So much is shown of an entry that is wrong, in characters.
const LONGEST_ENTRY: usize = 100;

/// The hosts whose requests may carry the token.
pub(super) struct AllowedHosts(Vec<Origin>);

impl AllowedHosts {
    /// `entries` are `host[:port]`, with port 443 by default; without any, the API and `auth_url`'s host.
    pub(super) fn new(entries: Option<&[String]>, auth_url: &SecureUrl) -> Result<Self, Error> {
        let Some(entries) = entries else {
            let api = Origin::parse(API, 443).expect("the API's name is a host");
            return Ok(Self(vec![api, auth_url.origin().clone()]));
        };
        let parse = |entry: &String| Origin::parse(entry, 443).ok_or_else(|| refused(entry));
        entries.iter().map(parse).collect::<Result<_, _>>().map(Self)
    }

    pub(super) fn check(&self, url: &str) -> Result<(), Error> {
        let url = SecureUrl::parse(Purpose::Request, url)?;
        if self.0.contains(url.origin()) {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "{url} may not see the token, since its host is not one of allowed_hosts; \
             add the host if it is one of your own"
        )))
    }
}

/// What an entry is instead of a host.
fn refused(entry: &str) -> Error {
    if entry.contains('@') {
        // It may hold a password.
        return Error::invalid(format!(
            "an allowed host has user information before an @; give the host alone, like {API}"
        ));
    }
    let has_host = |(host, _port): (&str, &str)| is_host(host);
    let why = if entry.contains('/') {
        "is a URL; give its host alone, with a port if it has one"
    } else if entry.contains('*') || entry.starts_with('.') {
        "stands for more than one host; give each host on its own"
    } else if entry.parse::<Ipv6Addr>().is_ok() {
        "is an IPv6 address without brackets; give it in brackets"
    } else if entry.rsplit_once(':').is_some_and(has_host) {
        "has a port that is not from 1 to 65535, in digits without a sign or zeros before them; correct it"
    } else {
        "is not a host or host:port; give one"
    };
    // A query or a fragment may hold anything.
    let shown = entry.split(['?', '#']).next().unwrap_or_default();
    Error::invalid(format!(
        "the allowed host \"{}\" {why}, like {API} or [::1]:8443",
        printable(shown, LONGEST_ENTRY)
    ))
}
