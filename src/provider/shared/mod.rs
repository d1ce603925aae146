//! Holds what all clones of a provider share: the token, and the way to the next one.

mod delivery;
mod report;
mod run;
mod secret;
mod tell;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, ArcSwapOption};

use self::run::{Look, Reason};
use self::secret::SecretCalls;
use super::current_token::{CachedToken, CurrentToken};
use super::event::{Event, Listener};
use super::hosts::AllowedHosts;
use super::notifier::Notifier;
use super::policy::{self, Decision, TokenAge};
use super::retry_state::RetryState;
use super::single_flight::{self, Closed, SingleFlight};
use super::stats::{Cause, Count, Counters, Stats};
use crate::credentials::Credentials;
use crate::error::{Error, ErrorKind};
use crate::queue::Queue;
use crate::request::{HttpSource, Interrupt, Progress};
use crate::store::{Sealer, SharedStore};
use crate::sys::clock::Clock;
use crate::sys::per_process::PerProcess;
use crate::token::AccessToken;

pub(super) type Outcome = Result<Arc<AccessToken>, Error>;
pub(super) type Flight = SingleFlight<Outcome, Handle, RetryState>;
pub(super) type Work = single_flight::Work<Outcome, Handle>;
type Guard<'a> = single_flight::Guard<'a, Outcome, Handle, RetryState>;

/// How much longer than it may take a token request is waited for.
const SLACK: Duration = Duration::from_secs(1);

/// What others need of the token request in flight.
pub(super) struct Handle {
    reason: Reason,
    interrupt: Interrupt,
    progress: Progress,
    /// Whether the store is passed over, since a thread hangs in it.
    without_store: bool,
}

impl Handle {
    /// Whether no request is sent for it, and no other secret is looked for.
    fn is_look_into_store(&self) -> bool {
        let look = self.reason.look.filter(|_| !self.progress.is_requested());
        look.is_some_and(|look| !look.for_secret)
    }

    /// Whether no request is sent for it, unless there is another secret.
    fn is_mere_look(&self) -> bool {
        self.reason.look.is_some() && !self.progress.is_requested()
    }
}

/// What a caller gets.
pub(super) enum Asked {
    Token(Arc<AccessToken>),
    /// With a `grace` the caller has a valid token, and waits no longer than this for the next.
    Wait {
        flight: Arc<Flight>,
        work: Arc<Work>,
        grace: Option<Duration>,
    },
}

pub(crate) struct Shared {
    pub(super) http: Arc<HttpSource>,
    pub(super) client_id: Arc<str>,
    /// None once the provider is closed.
    credentials: ArcSwapOption<Credentials>,
    pub(super) allowed_hosts: AllowedHosts,
    sealer: Arc<Sealer>,
    store: Option<SharedStore>,
    pub(super) clock: Clock,
    listener: Option<Listener>,
    /// What a callback is still to be told.
    untold: Queue<Event>,
    counters: Counters,
    token: CurrentToken,
    flight: PerProcess<Flight>,
    notifier: PerProcess<Notifier>,
    secret_calls: PerProcess<SecretCalls>,
    /// For a forked child, which cannot ask its parent's single flight.
    closed: AtomicBool,
    last_state: ArcSwap<RetryState>,
}

impl From<Closed> for Error {
    fn from(_: Closed) -> Self {
        Self::closed()
    }
}

impl Shared {
    pub(super) fn new(
        http: Arc<HttpSource>,
        credentials: Credentials,
        allowed_hosts: AllowedHosts,
        sealer: Arc<Sealer>,
        store: Option<SharedStore>,
        clock: Clock,
        listener: Option<Listener>,
    ) -> Self {
        Self {
            http,
            client_id: credentials.client_id().into(),
            credentials: ArcSwapOption::from_pointee(credentials),
            allowed_hosts,
            sealer,
            store,
            clock,
            listener,
            untold: Queue::default(),
            counters: Counters::default(),
            token: CurrentToken::default(),
            flight: PerProcess::new(),
            notifier: PerProcess::new(),
            secret_calls: PerProcess::new(),
            closed: AtomicBool::new(false),
            last_state: ArcSwap::default(),
        }
    }

    /// The token in use, in passing: without a lock, an allocation or a shared counter.
    pub(super) fn cached(&self) -> arc_swap::Guard<Option<Arc<CachedToken>>> {
        self.token.read()
    }

    pub(super) fn if_fresh<'a>(
        &self,
        cached: &'a Option<Arc<CachedToken>>,
    ) -> Option<&'a Arc<AccessToken>> {
        let fresh = cached.as_ref().filter(|cached| cached.is_fresh(self.clock.now()));
        fresh.map(|cached| &cached.token)
    }

    /// A token, or what to wait for; never blocks.
    pub(super) fn ask(self: &Arc<Self>) -> Result<Asked, Error> {
        match self.if_fresh(&self.cached()) {
            Some(token) => Ok(Asked::Token(token.clone())),
            None => self.ask_under_lock(),
        }
    }

    fn ask_under_lock(self: &Arc<Self>) -> Result<Asked, Error> {
        let flight = self.flight();
        let guard =
            match (flight.try_lock(), self.token.get_if(self.clock.now(), TokenAge::is_stale)) {
                (Some(guard), _) => guard?,
                // Whoever holds the lock sees to the renewal.
                (None, Some(cached)) => return Ok(self.serve(&cached)),
                (None, None) => flight.lock()?,
            };
        let mut guard = self.without_overdue(&flight, guard)?;
        if self.decide(&guard, self.token.get().as_deref()).needs_request() {
            // What a look finds would be said to have come of the request that is due now.
            guard = self.without_look(&flight, guard)?;
        }
        let mut events = Vec::new();
        let answer = self.follow_the_policy(&flight, &mut guard, &mut events);
        drop(guard);
        self.tell(events);
        answer
    }

    /// The lock, with no token request in flight that takes longer than any may.
    fn without_overdue<'a>(
        self: &Arc<Self>,
        flight: &'a Flight,
        guard: Guard<'a>,
    ) -> Result<Guard<'a>, Error> {
        let Some(overdue) = guard.in_flight().filter(|work| self.is_overdue(work)) else {
            return Ok(guard);
        };
        drop(guard);
        self.give_up(flight, &overdue);
        Ok(flight.lock()?)
    }

    /// The lock, with no mere look in flight, except one on this very thread.
    fn without_look<'a>(&self, flight: &'a Flight, guard: Guard<'a>) -> Result<Guard<'a>, Error> {
        let is_look = |work: &Arc<Work>| work.handle.is_mere_look() && !work.is_run_by_caller();
        let Some(look) = guard.in_flight().filter(is_look) else { return Ok(guard) };
        drop(guard);
        self.end_look(flight, &look);
        Ok(flight.lock()?)
    }

    fn follow_the_policy(
        self: &Arc<Self>,
        flight: &Arc<Flight>,
        guard: &mut Guard<'_>,
        events: &mut Vec<Event>,
    ) -> Result<Asked, Error> {
        let cause = if guard.invalidated { Cause::Invalidated } else { Cause::Empty };
        let cached = self.token.get();
        match self.decide(guard, cached.as_deref()) {
            Decision::Fail(pause) => {
                if let Some(look) = self.look_again(guard) {
                    let reason = Reason { cause, look: Some(look) };
                    // Where it cannot be started, the failure stays as it was.
                    drop(self.join_or_start(flight, guard, reason, events));
                }
                // What a look into the store finds is for the next caller.
                let work = guard.in_flight().filter(|work| !work.handle.is_look_into_store());
                let work = work.ok_or_else(|| guard.error(pause, self.clock.now()))?;
                return self.pending(flight, work, None);
            }
            Decision::Wait => {
                let work = self.join_or_start(flight, guard, cause.into(), events)?;
                return self.pending(flight, work, None);
            }
            Decision::WaitAtMost(grace) => {
                if let Ok(work) = self.join_or_start(flight, guard, Cause::Proactive.into(), events)
                {
                    return self.pending(flight, work, Some(grace));
                }
            }
            // A thread that cannot be started is noted down as a failure.
            Decision::ServeAndRefresh => {
                drop(self.join_or_start(flight, guard, Cause::Proactive.into(), events));
            }
            Decision::Serve => {}
        }
        let cached = cached.expect("the policy serves what it was given");
        let now = self.clock.now();
        if let Some((cause, error)) = guard.last_failure(now, Some(cached.age(now))) {
            events.extend(self.stale_event(&cached, cause, Some(error)));
        }
        Ok(self.serve(&cached))
    }

    fn decide(&self, state: &RetryState, cached: Option<&CachedToken>) -> Decision {
        let now = self.clock.now();
        policy::decide(cached.map(|cached| cached.age(now)), state.failure(now))
    }

    /// Where to look during a back-off, since a wait may be for nothing; seldom anywhere.
    fn look_again(&self, guard: &mut Guard<'_>) -> Option<Look> {
        let now = self.clock.now();
        if guard.in_flight().is_some() {
            return None;
        }
        let may_have_secret = self.may_have_another_secret();
        let has_store = self.store.is_some();
        let look = self.change(guard, |state| Look {
            for_secret: may_have_secret && state.reread_secret(now),
            in_store: has_store && state.look_into_store(now),
        });
        (look.for_secret || look.in_store).then_some(look)
    }

    fn may_have_another_secret(&self) -> bool {
        self.credentials.load().as_ref().is_some_and(|credentials| credentials.can_change())
    }

    fn has_secret_function(&self) -> bool {
        self.credentials.load().as_ref().is_some_and(|credentials| credentials.calls_the_program())
    }

    /// Joins or starts a token request, except, most of the time, during a wait that the server asked for.
    pub(super) fn refresh(self: &Arc<Self>) -> Result<Asked, Error> {
        let flight = self.flight();
        let guard = self.without_overdue(&flight, flight.lock()?)?;
        let mut guard = self.without_look(&flight, guard)?;
        let now = self.clock.now();
        let is_asked_to_wait =
            guard.failure(now).is_some_and(|failure| !failure.requested_wait.is_zero());
        if is_asked_to_wait
            && guard.in_flight().is_none()
            && !self.change(&mut guard, |state| state.override_requested_wait(now))
        {
            return Err(self.last_error(&guard));
        }
        let mut events = Vec::new();
        let work = self.join_or_start(&flight, &mut guard, Cause::Refresh.into(), &mut events);
        drop(guard);
        self.tell(events);
        self.pending(&flight, work?, None)
    }

    /// Takes `token` out of use if it is the one in use.
    pub(super) fn invalidate(self: &Arc<Self>, token: &AccessToken) {
        let flight = self.flight();
        let Ok(mut guard) = flight.lock() else { return };
        let current = self.token.read();
        let is_current =
            current.as_ref().is_some_and(|cached| cached.token.value() == token.value());
        if is_current && guard.may_force(self.clock.now()) {
            self.change(&mut guard, |state| state.refuse(token));
            self.token.clear();
            self.counters.add(Count::Invalidations);
            drop(guard);
            self.take_out_of_the_store(&flight);
        }
    }

    /// Takes the token out of use and out of the store.
    pub(super) fn forget(&self) -> Result<(), Error> {
        let flight = self.flight();
        let guard = flight.lock()?;
        self.token.clear();
        drop(guard);
        match &self.store {
            Some(store) => store.erase(&*self.credentials_with_secret()?),
            None => Ok(()),
        }
    }

    /// The token in the store if it is valid, and where the store is.
    pub(super) fn stored(&self) -> Result<(Option<AccessToken>, String), Error> {
        match &self.store {
            Some(store) => {
                let credentials = self.credentials_with_secret()?;
                Ok((store.peek(&credentials)?, store.location(&credentials)))
            }
            None => Ok((None, "memory".to_owned())),
        }
    }

    /// Whether the store can be used; where it is.
    pub(super) fn try_store(&self) -> Result<String, Error> {
        match &self.store {
            Some(store) => {
                let credentials = self.credentials_with_secret()?;
                store.probe(&credentials).map(|()| store.location(&credentials))
            }
            None => Ok("memory".to_owned()),
        }
    }

    pub(super) fn seal(&self, token: &AccessToken) -> Result<Vec<u8>, Error> {
        self.sealer.seal(token, &self.credentials_with_secret()?.client_secret())
    }

    pub(super) fn unseal(&self, blob: &[u8]) -> Result<(), Error> {
        let opened = self.sealer.open(blob, &*self.credentials_with_secret()?);
        let flight = self.flight();
        let mut guard = flight.lock()?;
        let refused = |token: &AccessToken| guard.refused.contains(token);
        let token = opened.filter(|token| !refused(token)).ok_or_else(|| {
            Error::invalid(
                "the blob holds no valid token of this client's, or it was sealed with another \
                 secret; get a new token",
            )
        })?;
        let now = self.clock.now();
        if self.peek().is_none_or(|current| current.left(now) < token.left(now)) {
            self.change(&mut guard, |state| state.succeeded(&token, false, now));
            self.token.publish(Arc::new(token), now);
        }
        Ok(())
    }

    pub(super) fn put(&self, value: &str) -> Result<Arc<AccessToken>, Error> {
        let token = Arc::new(AccessToken::given(value, self.clock.now())?);
        let flight = self.flight();
        let _guard = flight.lock()?;
        self.token.publish(token.clone(), self.clock.now());
        Ok(token)
    }

    fn credentials(&self) -> Result<Arc<Credentials>, Error> {
        self.credentials.load_full().ok_or_else(Error::closed)
    }

    /// Changes the state, under the lock, so that a forked child can know of it.
    fn change<R>(&self, state: &mut RetryState, change: impl FnOnce(&mut RetryState) -> R) -> R {
        let result = change(state);
        self.last_state.store(Arc::new(state.clone()));
        result
    }

    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        let work = self.flight().close(Err(Error::closed()), |_| self.token.clear());
        self.credentials.store(None);
        if let Some(work) = work {
            work.handle.interrupt.raise();
        }
    }

    pub(super) fn peek(&self) -> Option<Arc<AccessToken>> {
        self.token.get_if(self.clock.now(), TokenAge::lives).map(|cached| cached.token.clone())
    }

    pub(super) fn stats(&self) -> Stats {
        let flight = self.flight();
        let Ok(guard) = flight.lock() else { return self.counters.stats() };
        let now = self.clock.now();
        let cached = self.token.get();
        let age = cached.as_ref().map(|cached| cached.age(now));
        let failure = guard.failure(now);
        let is_under_way = guard.in_flight().is_some_and(|work| !work.handle.is_mere_look());
        let until_request =
            if is_under_way { Duration::ZERO } else { policy::until_request(age, failure) };
        let above_zero = |duration: &Duration| !duration.is_zero();
        Stats {
            expires_in: cached.map(|cached| cached.token.left(now)).filter(above_zero),
            backoff: failure.map(|failure| failure.pause(age)).filter(above_zero),
            refresh_in: self.clock.until(until_request),
            ..self.counters.stats()
        }
    }

    /// How long the token in use remains valid; `None` without one.
    fn expires_in(&self) -> Option<Duration> {
        let now = self.clock.now();
        self.token.get_if(now, TokenAge::lives).map(|cached| cached.token.left(now))
    }

    pub(super) fn lives(&self, token: &AccessToken) -> bool {
        !token.left(self.clock.now()).is_zero()
    }

    /// The token in use, for a caller that has waited for the next one in vain: it did not come in time, or
    /// not at all because of an error.
    pub(super) fn fall_back(
        self: &Arc<Self>,
        work: &Work,
        error: Option<Error>,
    ) -> Option<Arc<AccessToken>> {
        let cached = self.token.get_if(self.clock.now(), TokenAge::lives)?;
        let event = self.stale_event(&cached, work.handle.reason.cause, error);
        self.tell(event.into_iter().collect());
        self.counters.add(Count::ServedStale);
        Some(cached.token.clone())
    }

    fn serve(&self, cached: &CachedToken) -> Asked {
        if !cached.is_fresh(self.clock.now()) {
            self.counters.add(Count::ServedStale);
        }
        Asked::Token(cached.token.clone())
    }

    /// The wait for `work`. The work's own thread gets the valid token or an error: it would wait for ever.
    fn pending(
        self: &Arc<Self>,
        flight: &Arc<Flight>,
        work: Arc<Work>,
        grace: Option<Duration>,
    ) -> Result<Asked, Error> {
        if work.is_run_by_caller() {
            return self.peek().map(Asked::Token).ok_or_else(|| {
                Error::new(
                    ErrorKind::Timeout,
                    "this very thread is getting the token (a logger or a secret's function asked for \
                     it); ask again when it has come",
                )
            });
        }
        self.counters.add(Count::Waited);
        Ok(Asked::Wait { flight: flight.clone(), work, grace })
    }

    /// For how long `work` is waited for. In a store it ends before its own request begins, if that is the first.
    pub(super) fn longest(&self, work: &Work) -> Duration {
        let in_store = self.store.as_ref().map_or(Duration::ZERO, SharedStore::longest_use);
        if work.handle.progress.is_looking() {
            SharedStore::LONGEST_LOOK
        } else if work.handle.progress.is_in_store() && !work.handle.progress.is_requested() {
            in_store
        } else {
            in_store + self.http.timeout() + SLACK
        }
    }

    /// When `work` is given up.
    pub(super) fn limit_of(&self, work: &Work) -> Option<Instant> {
        work.started().checked_add(self.longest(work))
    }

    /// Tells those of this process that wait without a thread.
    pub(super) fn notifier(&self) -> Arc<Notifier> {
        self.notifier.get(Notifier::default)
    }

    /// The single flight of this process.
    pub(super) fn flight(&self) -> Arc<Flight> {
        self.flight.get(|| {
            self.token.draw_refresh_point(self.clock.now());
            let state = self.last_state.load().in_child(self.clock.now());
            SingleFlight::new(state, self.closed.load(Ordering::SeqCst))
        })
    }
}
