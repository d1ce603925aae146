//! Checks the options once, and makes attempts that follow them.

use std::io::Read;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ureq::config::Config;
use ureq::http::{Request, StatusCode, header};
use ureq::unversioned::transport::Connector;
use ureq::{Agent, ProxyProtocol};
use zeroize::Zeroizing;

use super::buffers::{FIRST, Room};
use super::interrupt::Interrupt;
use super::limits::{BODY_LIMIT, CONNECT_TIMEOUT, DEFAULT_TIMEOUT, LONGEST_TIMEOUT};
use super::lookup::Lookup;
use super::options::Options;
use super::response::Response;
use super::tcp::TcpConnector;
use super::tls::TlsConnector;
use super::trace::Trace;
use super::transport_error::Target;
use super::tunnel::TunnelConnector;
use super::url::{Purpose, SecureUrl};
use super::{body, proxy, readiness, refusal, response};
use crate::error::{Error, ErrorKind};
use crate::interface::OptionName;
use crate::secret::Secret;
use crate::sys::clock::Clock;
use crate::sys::memory;
use crate::token::AccessToken;
use crate::trust::Trust;

const DEFAULT_URL: &str = "https://api.clazar.io/authenticate/";
const DEFAULT_USER_AGENT: &str = concat!("clazar-auth/", env!("CARGO_PKG_VERSION"));
/// Room for what is sent besides the URL and the user agent.
const SHORT_LINES: usize = 2 * 1024;

/// An endpoint and how to reach it. Holds no connection and no credentials.
pub(crate) struct HttpSource {
    url: SecureUrl,
    trust: Arc<Trust>,
    timeout: Duration,
    /// Made once, since ureq looks for a proxy in the environment before it is told of ours.
    config: Config,
    trace: Trace,
}

impl HttpSource {
    /// Checks `options`; reads the environment as far as it has a say, and `ca_file` if the URL is https.
    pub(crate) fn new(options: &Options) -> Result<Self, Error> {
        if memory::is_short() {
            return Err(Error::out_of_memory());
        }
        let values = options.values();
        let url = SecureUrl::parse(
            Purpose::Authentication,
            values.text(OptionName::AuthUrl).unwrap_or(DEFAULT_URL),
        )?;
        let timeout = values.duration(OptionName::Timeout).unwrap_or(DEFAULT_TIMEOUT);
        if timeout.is_zero() || timeout > LONGEST_TIMEOUT {
            return Err(Error::invalid(
                "the timeout must be above zero and at most a day; the default is 20 seconds",
            ));
        }
        let user_agent = values.text(OptionName::UserAgent).unwrap_or(DEFAULT_USER_AGENT);
        if user_agent.is_empty() || !user_agent.bytes().all(|b| matches!(b, b' '..=b'~')) {
            return Err(Error::invalid(
                "the user agent must be printable ASCII on one line, such as my-service/1.0",
            ));
        }
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_idle_connections(0)
            .proxy(proxy::choose(&url, values.text(OptionName::Proxy), options.common())?)
            .user_agent(user_agent)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            // Room for the longest line twice: half of it may be held back.
            .output_buffer_size(2 * (SHORT_LINES + url.uri().to_string().len() + user_agent.len()))
            .build();
        readiness::ensure(&config, url.uri());
        let trust = Arc::new(options.trust()?);
        if url.is_https() {
            trust.check()?;
        }
        Ok(Self { trust, url, timeout, config, trace: Trace::default() })
    }

    /// The same, with attempts that are followed.
    pub(crate) fn traced(self, trace: Trace) -> Self {
        Self { trace, ..self }
    }

    pub(crate) fn url(&self) -> &SecureUrl {
        &self.url
    }

    pub(crate) fn uses_proxy(&self) -> bool {
        self.config.proxy().is_some()
    }

    /// The URL and the way to it, for people.
    pub(crate) fn location(&self) -> String {
        self.target(self.timeout, false).location()
    }

    pub(crate) fn trust(&self) -> &Arc<Trust> {
        &self.trust
    }

    /// The limit for one whole token request.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// One request, which takes no longer than `target` says, and the token of its answer.
    pub(super) fn attempt(
        &self,
        target: &Target<'_>,
        client_id: &str,
        secret: &Secret,
        interrupt: &Interrupt,
        clock: &Clock,
    ) -> Result<AccessToken, Error> {
        #[cfg(feature = "test-panic")]
        assert_ne!(client_id, "panic", "a panic that a test asked for");

        self.trace.note(|reached| *reached = Default::default());
        let agent = self.agent(target.limit)?;
        interrupt.attach(&agent)?;
        self.ask(&agent, target, client_id, secret, clock)
    }

    /// One request on a connection of `agent`.
    pub(super) fn ask(
        &self,
        agent: &Agent,
        target: &Target<'_>,
        client_id: &str,
        secret: &Secret,
        clock: &Clock,
    ) -> Result<AccessToken, Error> {
        let sent = clock.now();
        let answer = self.send(agent, body::json(client_id, secret)?, target)?;
        let here = clock.now().wall();
        self.trace
            .note(|reached| reached.clocks = response::date(&answer).map(|there| (there, here)));
        if answer.status != StatusCode::OK {
            return Err(refusal::error(&self.url, secret, &answer));
        }
        let token = response::token(&self.url, &answer, sent)?;
        if !token.left(clock.now()).is_zero() {
            return Ok(token);
        }
        // Such as one that this process did not read for as long as it was frozen.
        let what = format!("the token from {} had expired when it came; try again", self.url);
        Err(Error::new(ErrorKind::Timeout, what).with_another_attempt(true))
    }

    /// The connections of one attempt.
    fn agent(&self, limit: Duration) -> Result<Agent, Error> {
        let proxy_over_tls =
            self.config.proxy().is_some_and(|proxy| proxy.protocol() == ProxyProtocol::Https);
        let needs_tls = self.url.is_https() || proxy_over_tls;
        let tls = needs_tls.then(|| self.trust.client_config()).transpose()?;
        let connector = TunnelConnector::default()
            .chain(TcpConnector {
                deadline: Instant::now() + limit,
                loopback_only: !self.url.is_https(),
            })
            .chain(self.trace.clone())
            .chain(TlsConnector(tls, self.trace.clone()));
        Ok(self.agent_over(connector))
    }

    /// As [`agent`](Self::agent), with other connections.
    pub(super) fn agent_over(&self, connector: impl Connector) -> Agent {
        Agent::with_parts(self.config.clone(), connector, Lookup(self.trace.clone()))
    }

    /// The way for an attempt that may take so long; `is_cut` says whether a token's life cuts it short.
    pub(super) fn target(&self, limit: Duration, is_cut: bool) -> Target<'_> {
        let (proxy, timeout) = (self.config.proxy(), self.timeout);
        Target { url: &self.url, proxy, limit, timeout, is_cut }
    }

    fn send(
        &self,
        agent: &Agent,
        body: Zeroizing<Vec<u8>>,
        target: &Target<'_>,
    ) -> Result<Response, Error> {
        let request = Request::post(self.url.uri())
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json")
            .header(header::CONNECTION, "close")
            .body(&body[..])
            .expect("the parts of the request were checked");
        let request = agent.configure_request(request).timeout_global(Some(target.limit)).build();
        let response = agent.run(request).map_err(|error| self.reconsider(target.failed(error)))?;
        let (parts, body) = response.into_parts();
        let (body, body_length) = read_body(body).or_else(|error| {
            // A refusal is as clear without its body.
            if parts.status == StatusCode::OK {
                Err(target.body_error(error))
            } else {
                Ok((Room::default(), 0))
            }
        })?;
        Ok(Response { status: parts.status, headers: parts.headers, body, body_length })
    }

    /// After a refused certificate whom to trust is read again.
    fn reconsider(&self, error: Error) -> Error {
        if error.kind() != ErrorKind::Tls {
            return error;
        }
        let another_attempt = self.trust.reconsider();
        self.trust.excuse().unwrap_or(error).with_another_attempt(another_attempt)
    }
}

/// The whole body and its length, or an error if that is above the limit.
fn read_body(mut body: ureq::Body) -> Result<(Room, usize), ureq::Error> {
    let mut reader = body.as_reader();
    let mut room = Room::new(FIRST)?;
    let mut filled = 0;
    loop {
        match reader.read(&mut room[filled..])? {
            0 => return Ok((room, filled)),
            read => filled += read,
        }
        if filled > BODY_LIMIT {
            return Err(ureq::Error::BodyExceedsLimit(BODY_LIMIT as u64));
        }
        if filled == room.len() {
            room.grow(BODY_LIMIT + 1)?;
        }
    }
}
