//! Access tokens for the Clazar API: fetched once, kept fresh, kept secret.
//!
//! A [`TokenProvider`] requests an access token with a client id and secret at
//! `https://api.clazar.io/authenticate/`, keeps it in memory, renews it in time, and hands it out to
//! all threads; however many of them wait, one request is sent. [`authenticate`] makes one token
//! request and keeps nothing.
//!
//! ```
//! # #[cfg(feature = "sandbox")] {
//! use clazar_auth::{Credentials, Options, TokenProvider, sandbox::Sandbox};
//!
//! # fn main() -> Result<(), clazar_auth::Error> {
//! // For the real API, `TokenProvider::from_env()` is all it takes.
//! let sandbox = Sandbox::start()?;
//! let credentials = Credentials::new(sandbox.client_id(), sandbox.client_secret())?;
//! let provider = TokenProvider::builder(credentials)
//!     .options(Options::default().auth_url(sandbox.auth_url()))
//!     .build()?;
//!
//! let token = provider.token()?;
//! assert!(token.authorization().starts_with("Bearer "));
//! assert_eq!(provider.token()?.value(), token.value());
//! assert_eq!(sandbox.requests("/authenticate/"), 1);
//! # Ok(()) }
//! # main().unwrap();
//! # }
//! ```
//!
//! # Security
//!
//! Secrets and tokens are wiped from memory on drop and never shown by `Debug` or in an error. The
//! `log` crate is another matter: with a logger that records *trace* messages of the HTTP crate
//! `ureq`, request and response bodies are logged. Keep that level off in production.
//!
//! In a process that is set-user-ID or set-group-ID, or has file capabilities, all environment variables
//! count as unset: they come from somebody who may do less than the process.
//!
//! # Features
//!
//! - `sandbox`: a stand-in for the API on loopback, for tests.
//! - `redis`: the store of that name.
//! - `capi`, `python`: the C functions and the Python module; a Rust program needs neither.

// What only a binding calls is dead in a build without that binding.
#![cfg_attr(not(all(feature = "capi", feature = "python")), allow(dead_code, unused_imports))]

mod backoff;
#[cfg(any(feature = "capi", feature = "python"))]
mod binding;
#[cfg(feature = "capi")]
mod capi;
mod credentials;
mod doctor;
mod env;
mod error;
// The core reads a part of it, and `tests/generate` all.
#[allow(dead_code)]
mod interface;
mod option_values;
mod provider;
#[cfg(feature = "python")]
mod python;
mod queue;
mod random;
mod request;
mod resolver;
#[cfg(feature = "sandbox")]
pub mod sandbox;
mod secret;
mod store;
mod sync;
mod sys;
mod text;
mod token;
mod trust;
mod unix_time;

pub use credentials::Credentials;
pub use error::{Error, ErrorKind};
pub use provider::{Requests, Stats, TokenFuture, TokenProvider, TokenProviderBuilder};
pub use request::{Options, authenticate};
pub use store::Store;
pub use token::AccessToken;

/// Private functions for `fuzz/`; no other build has them.
#[cfg(fuzzing)]
pub mod fuzzing {
    pub use crate::request::fuzzing as request;
    pub use crate::store::fuzzing as store;
}

/// Pages whose examples are tested with this crate's.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../docs/index.md")]
    struct Index;
    #[doc = include_str!("../docs/rust.md")]
    #[cfg(feature = "sandbox")]
    struct Rust;
    #[doc = include_str!("../docs/store.md")]
    struct Store;
}
