//! The behaviour of the core, against real sockets on loopback.

mod attempts;
mod errors;
mod files;
mod load;
mod outage;
mod provider;
mod proxy;
#[cfg(feature = "redis")]
mod redis;
mod request;
mod response;
mod sandbox;
mod sizes;
mod store;
mod text;
mod tls;
mod trust;
mod waiting;

use std::thread;
use std::time::{Duration, Instant};

use clazar_auth::{AccessToken, Credentials, Error, Options, authenticate};

const SECRET: &str = "not-a-real-secret-0123456789abcdef";

fn credentials() -> Credentials {
    Credentials::new("not-a-real-client", SECRET).unwrap()
}

/// Waits for what another thread or process brings about.
#[track_caller]
fn wait_until(mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !condition() {
        assert!(Instant::now() < deadline, "it did not come about within a minute");
        // A loop without a pause would keep what it waits for from the processor.
        thread::sleep(Duration::from_millis(1));
    }
}

/// One exchange with fake credentials.
fn exchange(url: &str) -> Result<AccessToken, Error> {
    authenticate(&credentials(), &Options::default().auth_url(url))
}
