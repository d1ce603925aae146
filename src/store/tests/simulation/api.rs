//! Stands in for the API: a token request takes its time, and brings a token or an error.

use std::sync::Arc;
use std::time::Duration;

use super::conditions::ApiState;
use super::flaws::Flaw;
use super::schedule::{Simulation, State};
use crate::error::{Error, ErrorKind};
use crate::request::{FetchContext, TokenSource};
use crate::token::AccessToken;

/// Longer than any request may take.
const FOR_EVER: Duration = Duration::from_secs(3600);

pub(super) struct Api {
    pub(super) simulation: Arc<Simulation>,
    pub(super) host: usize,
}

impl TokenSource for Api {
    fn fetch(&self, context: &FetchContext<'_>) -> Result<Arc<AccessToken>, Error> {
        let world = &self.simulation.world;
        let sent = context.clock.now();
        let limit = context.limit().map(|limit| limit.all(context.clock.instant()));
        let limit = limit.unwrap_or(world.timeout).min(world.timeout);
        context.progress.begins_request();
        let mut state = self.simulation.state();
        state.check_request(world, self.host, context.replaces());
        let length = match state.conditions.api {
            ApiState::IsSilent => FOR_EVER,
            _ => state.between(world.requests.shortest, world.requests.longest),
        };
        let there = length.mul_f64(state.numbers.fraction()).min(limit);
        drop(state);
        self.simulation.pass(self.host, there);
        let mut state = self.simulation.state();
        let outcome = state.answer(&self.simulation, self.host);
        drop(state);
        self.simulation.pass(self.host, length.min(limit) - there);
        let mut state = self.simulation.state();
        state.seen.in_flight -= 1;
        let outcome = match outcome {
            _ if length > limit => Err(own_trouble(ErrorKind::Timeout)),
            outcome => outcome,
        };
        state.tell(|| format!("host {} gets {outcome:?} from the API", self.host));
        let value = outcome?;
        let now = state.now;
        state.load.tokens.add(now);
        state.check_answer(self.host, world.limits);
        let token = AccessToken::new(&value, sent, world.lifetime);
        Ok(Arc::new(if context.replaces() { token.replacing() } else { token }))
    }
}

impl State {
    /// What the API makes of a request.
    fn answer(&mut self, simulation: &Simulation, host: usize) -> Result<String, Error> {
        let requests = &simulation.world.requests;
        let now = self.now;
        self.load.requests.add(now);
        if simulation.world.wall_clocks.is_wrong(host, now) {
            self.load.wrong_clocks.add(now);
        }
        if let Some(wait) = self.limited(requests.most_a_minute) {
            let error = Error::new(ErrorKind::RateLimited, "too many").with_http_status(429);
            return Err(error.with_requested_wait(Some(wait)).with_another_attempt(true));
        }
        if self.conditions.api == ApiState::Fails {
            let error = Error::new(ErrorKind::Server, "the API is away").with_http_status(503);
            return Err(error.with_another_attempt(true));
        }
        if self.happens(requests.own_trouble) {
            let asked = simulation.has(Flaw::BlamesTheApi).then_some(Duration::from_secs(20));
            return Err(own_trouble(ErrorKind::Transport).with_requested_wait(asked));
        }
        if self.happens(requests.failed) {
            let (kind, status, wait) = match self.numbers.next() % 4 {
                0 => (ErrorKind::RateLimited, 429, Some(Duration::from_secs(20))),
                1 => (ErrorKind::Credentials, 401, None),
                _ => (ErrorKind::Server, 503, None),
            };
            let error = Error::new(kind, "the API says no").with_http_status(status);
            return Err(error.with_requested_wait(wait).with_another_attempt(status == 503));
        }
        Ok(self.seen.new_token(host))
    }
}

fn own_trouble(kind: ErrorKind) -> Error {
    Error::new(kind, "this host's own trouble").with_another_attempt(true)
}
