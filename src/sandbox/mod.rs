//! Stands in for the Clazar API on loopback, for demonstrations and for tests.
//!
//! It answers `POST /authenticate/` (JSON or form-encoded), `GET` of `/listings/`, `/buyers/`,
//! `/contracts/`, `/private_offers/`, `/opportunities/` and `/analytics/datasets/...` in pages, and
//! `POST /metering/` with a status for each record; all but the first behind a check of the bearer
//! token. Nothing it issues is worth anything to the real API.
//!
//! ```
//! use clazar_auth::{Credentials, Options, authenticate, sandbox::Sandbox};
//!
//! # fn main() -> Result<(), clazar_auth::Error> {
//! let sandbox = Sandbox::start()?;
//! let credentials = Credentials::new(sandbox.client_id(), sandbox.client_secret())?;
//! let token = authenticate(&credentials, &Options::default().auth_url(sandbox.auth_url()))?;
//! assert_eq!(sandbox.requests("/authenticate/"), 1);
//! # Ok(()) }
//! ```

mod api;
mod http;
mod lists;
mod metering;
mod state;
mod tokens;

use std::fmt;
use std::io;
use std::mem;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;

use self::state::State;
use crate::error::{Error, ErrorKind};
use crate::sys::thread;

/// A running sandbox; it stops when it is dropped. Thread-safe.
pub struct Sandbox {
    state: Arc<State>,
    address: SocketAddr,
    acceptor: Option<JoinHandle<()>>,
    process: u32,
}

/// A prepared answer, given instead of the sandbox's own.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Header names and values.
    pub headers: Vec<(String, String)>,
    /// The body, as it is sent.
    pub body: Vec<u8>,
}

impl Answer {
    /// An answer without headers of its own.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    /// Adds a header.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    fn check(&self) -> Result<(), Error> {
        let Self { status, .. } = self;
        if !(200..600).contains(status) {
            return Err(Error::invalid(format!(
                "an answer cannot have the status {status}; give one from 200 to 599"
            )));
        }
        let in_name = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        let in_value = |byte: u8| byte == b'\t' || !byte.is_ascii_control();
        let is_wrong = |(name, value): &&(String, String)| {
            name.is_empty() || !name.bytes().all(in_name) || !value.bytes().all(in_value)
        };
        self.headers.iter().find(is_wrong).map_or(Ok(()), |(name, _)| {
            Err(Error::invalid(format!(
                "the header {name:?} cannot be sent; give a name and a value of one line each"
            )))
        })
    }
}

impl Sandbox {
    /// Starts a sandbox on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// [`Transport`](ErrorKind::Transport) if no port or thread is to be had.
    pub fn start() -> Result<Self, Error> {
        Self::start_on("127.0.0.1:0")
    }

    /// As [`start`](Self::start), on an address such as `[::1]:0` or `127.0.0.1:8080`.
    ///
    /// # Errors
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) if it is not a loopback address with a port.
    pub fn start_on(address: &str) -> Result<Self, Error> {
        let parsed = address.parse().ok().filter(|a: &SocketAddr| a.ip().is_loopback());
        let address = parsed.ok_or_else(|| {
            Error::invalid(format!(
                "{address:?} is not a loopback address with a port; give one like 127.0.0.1:0"
            ))
        })?;
        Self::listen(address).map_err(|error| {
            Error::new(
                ErrorKind::Transport,
                format!("the sandbox cannot listen on {address} ({error}); try another port"),
            )
        })
    }

    fn listen(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        let address = listener.local_addr()?;
        let state = Arc::new(State::new());
        let accepting = state.clone();
        let acceptor =
            thread::spawn_joinable("clazar-sandbox", move || accept(&listener, &accepting))?;
        Ok(Self { state, address, acceptor: Some(acceptor), process: process::id() })
    }

    /// `http://127.0.0.1:<port>`, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where to authenticate: [`url`](Self::url) and `/authenticate/`.
    pub fn auth_url(&self) -> String {
        self.url() + api::AUTHENTICATE
    }

    /// The one client id that the sandbox knows.
    pub fn client_id(&self) -> String {
        state::CLIENT_ID.to_owned()
    }

    /// The client secret that works now.
    pub fn client_secret(&self) -> String {
        self.state.client_secret()
    }

    /// How long new tokens are valid. Default: 86,400 s.
    pub fn set_lifetime(&self, lifetime: Duration) {
        self.state.update(|knobs| knobs.lifetime = lifetime);
    }

    /// How long `POST /authenticate/` waits before it answers. Default: not at all.
    pub fn set_delay(&self, delay: Duration) {
        self.state.update(|knobs| knobs.delay = delay);
    }

    /// Answers the next request to `path` with `answer`; several wait in line. One of success (2xx)
    /// waits until a request comes with a token that is accepted, unless it is for `/authenticate/`.
    ///
    /// # Errors
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) for a status that is not from 200 to 599, for a
    /// header that HTTP does not allow (RFC 9110 section 5), and for a path without its first slash.
    pub fn answer_next(&self, path: &str, answer: Answer) -> Result<(), Error> {
        answer.check()?;
        if !path.starts_with('/') {
            return Err(Error::invalid(format!("the path {path:?} does not begin with a slash")));
        }
        self.state.update(|knobs| knobs.line_up(&api::with_slash(path), answer));
        Ok(())
    }

    /// Replaces the records of a list, such as `/buyers/` or `/analytics/datasets/aws_marketplace_revenue/`,
    /// with those of a JSON array of objects.
    ///
    /// The records of `/contracts/` are those that `/metering/` takes metering records for: for any
    /// dimension, or for the names in `dimensions`, if the record has that.
    ///
    /// # Errors
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) for another path, and for other JSON.
    pub fn set_records(&self, path: &str, records: &str) -> Result<(), Error> {
        let records = match serde_json::from_slice(records.as_bytes()) {
            Ok(Value::Array(records)) if records.iter().all(Value::is_object) => records,
            _ => {
                return Err(Error::invalid(
                    "the records are no JSON array of objects; give one like [{\"id\":\"a\"}]",
                ));
            }
        };
        if self.state.update(|knobs| knobs.lists.replace(&api::with_slash(path), records)) {
            return Ok(());
        }
        Err(Error::invalid(format!("{path:?} is no list of the sandbox; give one like /listings/")))
    }

    /// Replaces the client secret and returns the new one; the old one is refused from now on.
    pub fn rotate_secret(&self) -> String {
        self.state.rotate_secret()
    }

    /// Refuses all tokens issued so far.
    pub fn revoke_tokens(&self) {
        self.state.revoke_tokens();
    }

    /// How many requests came to `path`, such as `/authenticate/`; here and elsewhere the slash at its end
    /// may be left out, as in a request.
    pub fn requests(&self, path: &str) -> u64 {
        self.state.requests(&api::with_slash(path))
    }

    /// The bodies of the requests that came to `path`, the last 1,000: of `/authenticate/` none, since they
    /// hold the secret, and of an unknown path none but those with a prepared answer.
    pub fn received(&self, path: &str) -> Vec<Vec<u8>> {
        self.state.received(&api::with_slash(path))
    }
}

/// Serves each connection on a thread of its own, until the sandbox is closed.
fn accept(listener: &TcpListener, state: &Arc<State>) {
    for stream in listener.incoming().flatten() {
        if state.is_closed() {
            break;
        }
        let state = state.clone();
        // Without a thread to spare, the client sees the connection end.
        let _ = thread::spawn(c"clazar-sandbox", move || {
            let Some(_open) = state.opened(&stream) else { return };
            // What a client does wrong ends its connection.
            let _ = http::serve(stream, |request| api::answer(&state, request));
        });
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if self.process != process::id() {
            // A forked child has the connections, but not the threads: both go on for its parent.
            mem::forget(self.acceptor.take());
            return;
        }
        self.state.close();
        // Wakes the acceptor, which then sees that it is to end.
        let woken = TcpStream::connect(self.address);
        if let Some(acceptor) = self.acceptor.take().filter(|_| woken.is_ok()) {
            let _ = acceptor.join();
        }
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").field("url", &self.url()).finish_non_exhaustive()
    }
}
