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

use std::process::Command;

use clazar_auth::{AccessToken, Credentials, Error, Options, authenticate};
use test_support::wait_until;

const SECRET: &str = "not-a-real-secret-0123456789abcdef";

fn credentials() -> Credentials {
    Credentials::new("not-a-real-client", SECRET).unwrap()
}

/// One token request with fake credentials.
fn request_token(url: &str) -> Result<AccessToken, Error> {
    authenticate(&credentials(), &Options::default().auth_url(url))
}

/// What a test that runs in a process of its own prints as its result.
fn result_of(command: &mut Command) -> String {
    let output = String::from_utf8(command.output().unwrap().stdout).unwrap();
    let result = output.split("result: ").nth(1).expect("the child prints its result");
    result.lines().next().unwrap().to_owned()
}
