//! Stands in for the provider of a host: holds a token, uses it, and asks the shared store for the next.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use super::checks::{Call, number};
use super::flaws::Flaw;
use super::parts::Parts;
use super::schedule::{Simulation, State};
use crate::credentials::Credentials;
use crate::error::Error;
use crate::interface::Cause;
use crate::request::{
    FetchContext, Freshness, Interrupt, Progress, Refused, RenewalLimit, TokenSource,
};
use crate::store::SharedStore;
use crate::sys::clock::{Clock, Moment};
use crate::token::{AccessToken, BETWEEN_REPLACEMENTS, margin};

/// A back-off beyond this is not waited for in a run.
const LONGEST_BACKOFF: Duration = Duration::from_secs(60);

pub(super) struct Provider {
    simulation: Arc<Simulation>,
    host: usize,
    store: SharedStore,
    clock: Clock,
    credentials: Credentials,
    token: Option<Arc<AccessToken>>,
    invalidated: bool,
    refused: Refused,
    /// The last replacement of a refused token: when it was seen, and how old it was then.
    last_replacement: Option<(Moment, Duration)>,
    /// When the last back-off of another host began, by the clock of the store.
    waited_out: Option<u64>,
}

impl Provider {
    pub(super) fn new(simulation: Arc<Simulation>, host: usize) -> Self {
        let Parts { clock, store, credentials, .. } = Parts::new(&simulation, host);
        Self {
            simulation,
            host,
            store,
            clock,
            credentials,
            token: None,
            invalidated: false,
            refused: Refused::default(),
            last_replacement: None,
            waited_out: None,
        }
    }

    pub(super) fn run(&mut self) {
        for _ in 0..self.simulation.world.calls {
            if let Some(cause) = self.cause() {
                self.call(cause);
            }
            let length = self.draw(|state, between| state.up_to(between));
            self.simulation.pass(self.host, length);
        }
    }

    fn draw<T>(&self, draw: impl FnOnce(&mut State, Duration) -> T) -> T {
        draw(&mut self.simulation.state(), self.simulation.world.between_calls)
    }

    /// Uses the token; why another is needed.
    fn cause(&mut self) -> Option<Cause> {
        let now = self.clock.now();
        let world = &self.simulation.world;
        self.token = self.token.take().filter(|token| !token.left(now).is_zero());
        let Some(token) = self.token.clone() else {
            return Some(if self.invalidated { Cause::Invalidated } else { Cause::Empty });
        };
        let may_replace = self.may_replace(now);
        let mut state = self.simulation.state();
        let at = number(token.value());
        let is_refused = state.happens(world.unauthorized);
        state.seen.tokens[at].is_refused |= is_refused;
        if may_replace && state.seen.tokens[at].is_refused {
            drop(state);
            return self.refuse(&token);
        }
        if !state.happens(world.renews) {
            return None;
        }
        Some(if state.happens(0.5) { Cause::Proactive } else { Cause::Refresh })
    }

    /// What `invalidate` does.
    fn refuse(&mut self, token: &AccessToken) -> Option<Cause> {
        self.invalidated = true;
        self.refused.add(token);
        self.token = None;
        let mut state = self.simulation.state();
        state.tell(|| format!("host {} is refused {}", self.host, token.value()));
        let refused = state.now;
        state.seen.refuse(self.host, number(token.value()), refused);
        // If there is no thread for it, the next request takes it out of the store.
        let (looks, waits) = (state.happens(0.5), state.happens(0.3));
        drop(state);
        if looks {
            // What it finds, the next call finds too.
            drop(self.look(Cause::Invalidated, self.freshness(Cause::Invalidated, false)));
        }
        (!waits).then_some(Cause::Invalidated)
    }

    fn may_replace(&self, now: Moment) -> bool {
        let since = self.last_replacement.map(|(seen, age)| now.since(seen) + age);
        since.is_none_or(|since| since >= BETWEEN_REPLACEMENTS)
    }

    /// As in `provider/shared/run.rs`; `is_look` is for a look during a back-off.
    fn freshness(&self, cause: Cause, is_look: bool) -> Freshness {
        let has = |flaw| self.simulation.has(flaw);
        let now = self.clock.now();
        let token = self.token.as_ref();
        let is_asked_for = cause == Cause::Refresh || is_look;
        let is_expiring =
            token.is_some_and(|token| token.is_expiring(now) && !token.left(now).is_zero());
        let max_wait = |token: &Arc<AccessToken>| match token.is_expiring(now) {
            true => token.left(now),
            false => token.left(now) - margin(token.lifetime()),
        };
        Freshness {
            younger_than: match cause {
                Cause::Empty | Cause::Invalidated => None,
                Cause::Proactive => token.map(|token| token.age(now)),
                Cause::Refresh if has(Flaw::TakesOld) => None,
                Cause::Refresh => Some(Duration::ZERO),
            },
            held: token.map(|token| token.digest()),
            refused: match has(Flaw::ForgetsRefused) {
                true => Refused::default(),
                false => self.refused.clone(),
            },
            waited_out: self.waited_out,
            replaces_refused: cause == Cause::Invalidated || !self.may_replace(now),
            ignores_backoff: is_asked_for,
            ignores_retry_after: is_asked_for || is_expiring,
            max_wait: token.filter(|_| cause == Cause::Proactive).map(max_wait),
        }
    }

    fn renewal_limit(&self, cause: Cause) -> Option<RenewalLimit> {
        let now = self.clock.now();
        let token = self.token.as_ref().filter(|token| !token.is_expiring(now))?;
        let left = token.left(now);
        let until_margin = left - margin(token.lifetime());
        (cause == Cause::Proactive)
            .then(|| RenewalLimit::new(self.clock.instant(), until_margin, left))
    }

    /// Looks into the store, and no more.
    fn look(&mut self, cause: Cause, freshness: Freshness) -> Option<(Arc<AccessToken>, Call)> {
        self.simulation.state().call_begins(self.host);
        let (interrupt, progress) = (Interrupt::default(), Progress::default());
        let context = FetchContext::new(&self.credentials, &self.clock, &interrupt, &progress)
            .with(freshness, None);
        let since = self.simulation.state().now;
        let stops = self.stops();
        let token = self.store.look(&context)?;
        Some((Arc::new(token), self.finished(cause, since, stops, None)))
    }

    fn call(&mut self, cause: Cause) {
        let mut state = self.simulation.state();
        state.call_begins(self.host);
        state.tell(|| format!("host {} wants a token ({cause:?})", self.host));
        state.hosts[self.host].wants_replacement = cause == Cause::Invalidated;
        let since = state.now;
        drop(state);
        let stops = self.stops();
        let delivered = Cell::new(None);
        let deliver = |_: &_, _| delivered.set(Some(self.simulation.state().now));
        let refused = || self.refused.clone();
        let (interrupt, progress) = (Interrupt::default(), Progress::default());
        let context = FetchContext::new(&self.credentials, &self.clock, &interrupt, &progress)
            .with(self.freshness(cause, false), self.renewal_limit(cause))
            .delivering(&deliver, &refused);
        let outcome = self.store.fetch(&context);
        let backoff_since = context.backoff_since();
        drop(context);
        let call = self.finished(cause, since, stops, delivered.get());
        let mut state = self.simulation.state();
        let requested = state.seen.request_of(self.host).is_some();
        state.check_end(&self.simulation.world, &call, outcome.is_ok());
        let end = if requested { 1 } else { 0 };
        state.seen.ends[if outcome.is_ok() { end } else { 2 }] += 1;
        drop(state);
        match outcome {
            Ok(token) => self.take(token, &call, requested),
            Err(error) => self.back_off(&error, backoff_since.filter(|_| !requested)),
        }
    }

    fn stops(&self) -> u32 {
        self.simulation.state().hosts[self.host].stops
    }

    fn finished(&self, cause: Cause, since: Duration, stops: u32, until: Option<Duration>) -> Call {
        let state = self.simulation.state();
        Call {
            host: self.host,
            since,
            until: until.unwrap_or(state.now),
            was_stopped: state.hosts[self.host].stops != stops,
            is_refresh: cause == Cause::Refresh,
        }
    }

    /// What the retry state of a provider notes down.
    fn take(&mut self, token: Arc<AccessToken>, call: &Call, requested: bool) {
        let now = self.clock.now();
        if !requested {
            self.simulation.state().check_served(call, &token, token.left(now));
        }
        let was_invalidated = std::mem::take(&mut self.invalidated);
        let is_replacement = token.is_replacement() || was_invalidated && requested;
        if is_replacement && !self.simulation.has(Flaw::ForgetsReplacements) {
            self.last_replacement = Some((now, token.age(now)));
        }
        self.token = Some(token);
    }

    fn back_off(&mut self, error: &Error, since: Option<u64>) {
        if since.is_some() {
            self.waited_out = since;
            self.simulation.state().check_spared(self.host);
        }
        let pause = error.retry_after().unwrap_or(Duration::from_secs(1)).min(LONGEST_BACKOFF);
        self.simulation.pass(self.host, pause / 2);
        if self.token.is_none() {
            let cause = if self.invalidated { Cause::Invalidated } else { Cause::Empty };
            if let Some((token, call)) = self.look(cause, self.freshness(cause, true)) {
                self.take(token, &call, false);
            }
        }
        self.simulation.pass(self.host, pause / 2);
    }
}
