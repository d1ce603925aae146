//! Gets a token on a thread of its own, from the start to the token in use.

use std::sync::Arc;
use std::time::Duration;

use super::{Flight, Guard, Handle, Outcome, Shared, Work};
use crate::error::{Error, ErrorKind, catch_panic};
use crate::provider::event::{Event, EventKind, Listener};
use crate::provider::retry_state::RetryState;
use crate::provider::stats::{Cause, Count};
use crate::request::{FetchContext, Freshness, Interrupt, Progress, RenewalLimit, TokenSource};
use crate::sys::{fork, thread};
use crate::text;
use crate::token::AccessToken;

/// Why work is started.
#[derive(Clone, Copy)]
pub(super) struct Reason {
    pub(super) cause: Cause,
    /// Whether to send a request only if the client secret has changed.
    pub(super) only_with_another_secret: bool,
}

impl From<Cause> for Reason {
    fn from(cause: Cause) -> Self {
        Self { cause, only_with_another_secret: false }
    }
}

/// What there is to say of work besides its outcome.
#[derive(Default)]
struct Report {
    /// Whether no request was sent, since there is no other secret.
    skipped: bool,
    /// Whether the store does not answer.
    store_hangs: bool,
    events: Vec<Event>,
}

impl Report {
    fn add(&mut self, kind: EventKind, message: impl Into<String>) {
        self.events.push(Event::new(kind, message));
    }
}

/// Ends the work of a thread that panics.
struct EndOnDrop<'a>(&'a Flight, &'a Arc<Work>);

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        self.0.complete(self.1, |_| Err(Error::internal()));
    }
}

impl Shared {
    /// `events` gets what is to be told once the lock is free.
    pub(super) fn join_or_start(
        self: &Arc<Self>,
        flight: &Arc<Flight>,
        guard: &mut Guard<'_>,
        reason: Reason,
        events: &mut Vec<Event>,
    ) -> Result<Arc<Work>, Error> {
        let freshness = self.freshness(reason, guard);
        let handle = Handle {
            reason,
            interrupt: Interrupt::default(),
            progress: Progress::default(),
            without_store: guard.hangs_in_store.is_some(),
        };
        let started = guard.join_or_start(handle, |work| {
            let (shared, flight) = (self.clone(), flight.clone());
            spawn(move || shared.run(&flight, &work, freshness))
        });
        started.map_err(|error| {
            self.counters.add_request(reason.cause, false);
            let (error, event) = self.note_failure(guard, &error);
            events.push(event);
            error
        })
    }

    /// Which token of the store will do.
    fn freshness(&self, reason: Reason, state: &RetryState) -> Freshness {
        let now = self.clock.now();
        let cached = self.token.read();
        let token = cached.as_ref().map(|cached| &cached.token);
        let is_asked_for = reason.cause == Cause::Refresh || reason.only_with_another_secret;
        let age = cached.as_ref().map(|cached| cached.age(now));
        let is_expiring = age.is_some_and(|age| !age.is_before_margin());
        let renewed = age.filter(|_| reason.cause == Cause::Proactive);
        Freshness {
            younger_than: match reason.cause {
                Cause::Empty | Cause::Invalidated => None,
                Cause::Proactive => token.map(|token| token.age(now)),
                Cause::Refresh => Some(Duration::ZERO),
            },
            not: [token.map(|token| token.hash()), state.refused],
            ignores_backoff: is_asked_for,
            ignores_retry_after: is_asked_for || is_expiring,
            max_wait: renewed.map(|age| age.max_wait()),
        }
    }

    /// What the work's own thread does.
    fn run(&self, flight: &Flight, work: &Arc<Work>, freshness: Freshness) {
        work.runs_here();
        let end = EndOnDrop(flight, work);
        let mut report = Report::default();
        let outcome = catch_panic(|| self.fetch(&work.handle, freshness, &mut report));
        let completed = self.complete(flight, work, outcome, &mut report);
        // It has ended: a child that a callback forks is not to take the lock of its parent.
        std::mem::forget(end);
        if completed {
            self.call_back(&report.events);
        } else {
            self.came_back(flight, work);
        }
    }

    /// If a thread that was given up in the store has come back, the next one goes there again.
    fn came_back(&self, flight: &Flight, work: &Work) {
        let Ok(mut guard) = flight.lock() else { return };
        if guard.hangs_in_store == Some(work.started()) {
            self.change(&mut guard, |state| state.hangs_in_store = None);
        }
    }

    fn fetch(&self, handle: &Handle, freshness: Freshness, report: &mut Report) -> Outcome {
        let credentials = self.credentials()?;
        if handle.reason.only_with_another_secret && !credentials.reload() {
            report.skipped = true;
            return Err(Error::internal());
        }
        let used_fallback = credentials.uses_fallback();
        let source: &dyn TokenSource = match &self.store {
            Some(store) if !handle.without_store => store,
            _ => &*self.http,
        };
        let context =
            FetchContext::new(&credentials, &self.clock, &handle.interrupt, &handle.progress)
                .with(freshness, self.renewal_limit(handle.reason.cause));
        // Here, so that what happened before a panic is told.
        let outcome = catch_panic(|| source.fetch(&context));
        for (kind, message) in context.take_events() {
            report.add(kind, message);
        }
        let token = outcome?;
        if credentials.uses_fallback() && !used_fallback {
            let what = "the client secret was refused, and its fallback is used from now on";
            report.add(EventKind::FallbackUsed, what);
        }
        Ok(Arc::new(token))
    }

    fn renewal_limit(&self, cause: Cause) -> Option<RenewalLimit> {
        let age = self.token.age(self.clock.now()).filter(|age| age.is_before_margin());
        let limit = age.map(|age| RenewalLimit::new(age.until_margin(), age.until_expiry()));
        limit.filter(|_| cause == Cause::Proactive)
    }

    /// Notes the outcome down, and releases those that wait. What happened is then to be told.
    fn complete(
        &self,
        flight: &Flight,
        work: &Arc<Work>,
        outcome: Outcome,
        report: &mut Report,
    ) -> bool {
        flight.complete(work, |state| {
            let Handle { reason, progress, without_store, .. } = &work.handle;
            let requested = progress.is_requested();
            let uses_store = self.store.is_some() && !without_store;
            if requested {
                self.counters.add_request(reason.cause, outcome.is_ok());
            }
            match (requested, &outcome) {
                (true, _) if uses_store => self.counters.add(Count::StoreMisses),
                (false, Ok(_)) => self.counters.add(Count::StoreHits),
                _ => {}
            }
            if report.store_hangs {
                self.change(state, |state| state.hangs_in_store = Some(work.started()));
            }
            let outcome = match outcome {
                Ok(token) => Ok(self.note_success(state, token, requested, report)),
                // A token may have come meanwhile without a request.
                Err(_) if report.skipped => self.peek().ok_or_else(|| self.last_error(state)),
                Err(error) => {
                    let (error, event) = self.note_failure(state, &error);
                    report.events.push(event);
                    Err(error)
                }
            };
            self.leave(&report.events);
            outcome
        })
    }

    fn note_success(
        &self,
        state: &mut RetryState,
        token: Arc<AccessToken>,
        requested: bool,
        report: &mut Report,
    ) -> Arc<AccessToken> {
        let now = self.clock.now();
        self.change(state, |state| state.succeeded(requested, now));
        self.token.publish(token.clone(), now);
        let from = match self.store.as_ref().filter(|_| !requested) {
            Some(store) => store.location(),
            None => self.http.url().to_string(),
        };
        let (fingerprint, left) = (token.fingerprint(), token.left(now));
        let what =
            format!("got the token {fingerprint} from {from}, which is valid for {left:.0?}");
        report.add(EventKind::Refreshed, what);
        token
    }

    /// The error for those that waited, and the event.
    fn note_failure(&self, state: &mut RetryState, error: &Error) -> (Error, Event) {
        let now = self.clock.now();
        let age = self.token.age(now);
        let shown = self.change(state, |state| state.failed(error, age, now));
        let pause = shown.retry_after().unwrap_or_default();
        let what = format!("no new token: {error}; the next request is due in {pause:.1?}");
        (shown, Event::new(EventKind::RefreshFailed, what))
    }

    /// The error of the last token request, if it failed, for who has no token.
    pub(super) fn last_error(&self, state: &RetryState) -> Error {
        let now = self.clock.now();
        let age = self.token.age(now);
        let pause = state.failure(now).map(|failure| failure.pause(age));
        let came_and_went =
            || Error::new(ErrorKind::Timeout, "the token that came is out of use again; ask again");
        pause.map_or_else(came_and_went, |pause| state.error(pause))
    }

    /// Whether work takes longer than any may.
    pub(in crate::provider) fn is_overdue(&self, work: &Work) -> bool {
        work.started().elapsed() >= self.longest_wait
    }

    /// Ends work that takes longer than any may, although each of its steps has a limit.
    pub(in crate::provider) fn give_up(self: &Arc<Self>, flight: &Flight, work: &Arc<Work>) {
        let mut report = Report::default();
        let limit = text::seconds(self.longest_wait);
        let store = self.store.as_ref().filter(|_| work.handle.progress.is_in_store());
        let message = match store {
            Some(store) => {
                let what = format!("the store {} did not answer within {limit}", store.location());
                report.store_hangs = true;
                report.add(EventKind::StoreError, format!("{what}; it is not used until it does"));
                format!("{what}, so this request was given up; ask again, which goes without it")
            }
            None => format!(
                "{} brought no token within {limit}, so this request was given up; ask again",
                self.http.url()
            ),
        };
        let error = Error::new(ErrorKind::Timeout, message);
        report.skipped = work.handle.is_mere_look();
        if self.complete(flight, work, Err(error), &mut report) {
            work.handle.interrupt.raise();
            self.call_back_elsewhere(&report.events);
        }
    }

    /// Ends a mere look for another secret, for who does not wait for that.
    pub(super) fn end_look(&self, flight: &Flight, work: &Arc<Work>) {
        let mut report = Report { skipped: true, ..Report::default() };
        if self.complete(flight, work, Err(Error::internal()), &mut report) {
            work.handle.interrupt.raise();
        }
    }

    /// For a caller's thread, with the lock free.
    pub(super) fn tell(self: &Arc<Self>, events: Vec<Event>) {
        self.leave(&events);
        self.call_back_elsewhere(&events);
    }

    /// As [`call_back`](Self::call_back), on a thread of the library, so that the program's own code
    /// neither keeps a caller waiting nor runs inside a call of its own. If none can be started, the next
    /// thread of the library tells them.
    fn call_back_elsewhere(self: &Arc<Self>, events: &[Event]) {
        if events.iter().any(|event| self.is_heard(event)) {
            events.iter().for_each(|event| self.untold.push(event));
            let shared = self.clone();
            let _ = thread::spawn(move || shared.call_back(&[]));
        }
    }

    fn is_heard(&self, event: &Event) -> bool {
        matches!(self.listener, Some(Listener::Callback(_)))
            || log::log_enabled!(target: "clazar_auth", event.level())
    }

    /// Leaves events where the program takes them; never blocks.
    fn leave(&self, events: &[Event]) {
        if let Some(Listener::Queue(queue)) = &self.listener {
            events.iter().for_each(|event| queue.push(event));
        }
    }

    /// Hands events to the program's own code, on a thread of the library, with no lock held and nobody
    /// waiting; those first that could not be told before.
    fn call_back(&self, events: &[Event]) {
        let generation = fork::generation();
        for event in self.untold.take().iter().chain(events) {
            // A child that the last callback forked leaves the others to its parent.
            if fork::generation() != generation {
                return;
            }
            // What a logger panics with is not the caller's affair.
            let _ = catch_panic(|| {
                log::log!(target: "clazar_auth", event.level(), "{}", event.message);
                if let Some(Listener::Callback(callback)) = &self.listener {
                    callback(event);
                }
                Ok(())
            });
        }
    }
}

/// Runs `work` on a thread that ends with it.
fn spawn(work: impl FnOnce() + Send + 'static) -> Result<(), Error> {
    thread::spawn(work).map(drop).map_err(|error| {
        let why = text::system(&error);
        Error::new(
            ErrorKind::Transport,
            format!("no thread could be started for the token request ({why}); try again"),
        )
    })
}
