//! The one HTTP call: a client id and secret go out, a token comes back.

mod client;
mod connector;
mod failure;
mod lifetime;
mod options;
mod proxy;
mod request;
mod response;
mod trust;
pub(crate) mod url;

pub(crate) use client::Client;
pub use options::Options;

use crate::{AccessToken, Credentials, Error};

/// Exchanges `credentials` for a new access token: one request on the calling thread.
///
/// A program that needs the token more than once is better served by a
/// [`TokenProvider`](crate::TokenProvider), which keeps it fresh and shares it.
///
/// # Errors
/// Any [`ErrorKind`](crate::ErrorKind) but `Store` and `Closed`.
///
/// # Environment
/// Reads `HTTPS_PROXY` and `NO_PROXY` unless a proxy is given, and `SSL_CERT_FILE` and
/// `SSL_CERT_DIR`, during the call.
pub fn authenticate(credentials: &Credentials, options: &Options) -> Result<AccessToken, Error> {
    let client = Client::new(options)?;
    client.exchange(&client.agent()?, credentials)
}
