//! Lets `fuzz/` call private functions: requests on a connection in memory, URLs, and dates.

use std::fmt;
use std::mem;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use ureq::Proxy;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};

use super::buffers::WipedBuffers;
use super::http_source::HttpSource;
use super::options::Options;
use super::url::{Origin, Purpose, SecureUrl};
use super::{proxy, response};
use crate::credentials::Credentials;
use crate::error::Error;
use crate::sync::lock;
use crate::sys::clock::Clock;
use crate::text;
use crate::token::AccessToken;

/// One attempt of a token request, answered with these bytes, of which no more than `piece` come at once. Also all
/// that was sent.
pub fn attempt(
    url: &str,
    credentials: &Credentials,
    answer: &[u8],
    piece: usize,
) -> (Vec<u8>, Result<AccessToken, Error>) {
    let source = HttpSource::new(&Options::default().auth_url(url).trust_env(false));
    let source = source.expect("the URL is one of this machine");
    let sent = Arc::default();
    let peer = Peer { answer: Mutex::new(answer.into()), piece, sent: Arc::clone(&sent) };
    let agent = source.agent_over(peer);
    let secret = credentials.client_secret();
    let target = source.target(Duration::from_secs(10), false);
    let outcome = source.ask(&agent, &target, credentials.client_id(), &secret, &Clock::System);
    (mem::take(&mut *lock(&sent)), outcome)
}

/// Who answers.
#[derive(Debug)]
struct Peer {
    answer: Mutex<Vec<u8>>,
    piece: usize,
    sent: Arc<Mutex<Vec<u8>>>,
}

impl Connector for Peer {
    type Out = Memory;

    fn connect(
        &self,
        details: &ConnectionDetails,
        _chained: Option<()>,
    ) -> Result<Option<Memory>, ureq::Error> {
        Ok(Some(Memory {
            unread: mem::take(&mut lock(&self.answer)),
            piece: self.piece,
            sent: Arc::clone(&self.sent),
            buffers: WipedBuffers::new(details.config)?,
        }))
    }
}

struct Memory {
    unread: Vec<u8>,
    piece: usize,
    sent: Arc<Mutex<Vec<u8>>>,
    buffers: WipedBuffers,
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Memory")
    }
}

impl Transport for Memory {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), ureq::Error> {
        lock(&self.sent).extend_from_slice(&self.buffers.output()[..amount]);
        Ok(())
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, ureq::Error> {
        self.buffers.make_room()?;
        let room = self.buffers.input_append_buf();
        let read = self.unread.len().min(self.piece).min(room.len());
        room[..read].copy_from_slice(&self.unread[..read]);
        self.unread.drain(..read);
        self.buffers.input_appended(read);
        Ok(read > 0)
    }

    fn is_open(&mut self) -> bool {
        false
    }
}

/// What a date in a header means.
pub fn date(text: &str) -> Option<SystemTime> {
    response::parse_date(text)
}

/// Where a URL leads that may see a token: as it is shown, its host and its port.
pub fn url(text: &str) -> Result<(String, String, u16), Error> {
    let url = SecureUrl::parse(Purpose::Request, text)?;
    Ok((url.to_string(), url.origin().host().to_owned(), url.port()))
}

/// The host and the port of `host[:port]`.
pub fn origin(text: &str) -> Option<(String, u16)> {
    Origin::parse(text, 443).map(|origin| (origin.host().to_owned(), origin.port()))
}

/// The proxy that a URL means.
pub fn proxy(text: &str) -> Result<Proxy, Error> {
    proxy::parse("proxy", text)
}

/// Whether a character is none for credentials, nor for a message.
pub fn is_unprintable(c: char) -> bool {
    text::is_unprintable(c)
}
