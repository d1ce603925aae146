//! The behaviour of the core, against real sockets on loopback.

mod attempts;
mod errors;
mod files;
mod futures;
mod load;
mod outage;
mod processes;
mod provider;
mod proxy;
#[cfg(feature = "redis")]
mod redis;
mod request;
mod response;
mod rotation;
mod sandbox;
mod sharing;
mod sizes;
mod store;
mod text;
mod tls;
mod trust;
#[cfg(unix)]
mod unix;
mod waiting;

use clazar_auth::{AccessToken, Credentials, Error, Options, authenticate};
use test_support::wait_until;

const SECRET: &str = "not-a-real-secret-0123456789abcdef";

fn credentials() -> Credentials {
    Credentials::new("not-a-real-client", SECRET).unwrap()
}

/// One exchange with fake credentials.
fn exchange(url: &str) -> Result<AccessToken, Error> {
    authenticate(&credentials(), &Options::default().auth_url(url))
}
