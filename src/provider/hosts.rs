//! To which hosts a token may go.

use crate::Error;
use crate::exchange::url::{Origin, Purpose, SecureUrl};

const API: &str = "api.clazar.io";

/// The hosts whose requests may carry the token.
pub(super) struct AllowedHosts(Vec<Origin>);

impl AllowedHosts {
    /// `entries` are `host[:port]`, port 443 if unsaid; without any, the API and `auth_url`'s host.
    pub(super) fn new(entries: Option<&[String]>, auth_url: &SecureUrl) -> Result<Self, Error> {
        let Some(entries) = entries else {
            let api = Origin::parse(API).expect("the API's name is a host");
            return Ok(Self(vec![api, auth_url.origin().clone()]));
        };
        let parse = |entry: &String| {
            Origin::parse(entry).ok_or_else(|| {
                Error::invalid(format!(
                    "the allowed host {entry:?} is not host or host:port; give one like {API}"
                ))
            })
        };
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
