//! Gets a token on a thread of its own, from the start to the token in use.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::delivery::Early;
use super::report::Report;
use super::{Flight, Guard, Handle, Outcome, Shared, Work};
use crate::error::{Error, ErrorKind, catch_panic};
use crate::provider::event::{Event, EventKind};
use crate::provider::retry_state::RetryState;
use crate::provider::stats::{Cause, Count};
use crate::request::{
    Deliver, FetchContext, Freshness, Interrupt, Note, Progress, RenewalLimit, TokenSource,
};
use crate::store::SharedStore;
use crate::sys::{memory, thread};
use crate::text;
use crate::token::AccessToken;

/// Why work is started.
#[derive(Clone, Copy)]
pub(super) struct Reason {
    pub(super) cause: Cause,
    /// Whether to look first, and to send a request only if there is another client secret.
    pub(super) look: Option<Look>,
}

/// What may end a back-off.
#[derive(Clone, Copy)]
pub(super) struct Look {
    pub(super) for_secret: bool,
    /// For a token of another process.
    pub(super) in_store: bool,
}

impl From<Cause> for Reason {
    fn from(cause: Cause) -> Self {
        Self { cause, look: None }
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
            let run = move || shared.run(&flight, &work, freshness);
            if self.has_secret_function() { spawn_for_the_program(run) } else { spawn(run) }
        });
        started.map_err(|error| {
            // No request was due.
            if reason.look.is_some() {
                return error;
            }
            self.counters.add_request(reason.cause, false);
            let (error, note) = self.note_failure(guard, reason.cause, &error, false, None);
            events.push(self.event(note, reason.cause));
            error
        })
    }

    /// Which token of the store will do.
    fn freshness(&self, reason: Reason, state: &RetryState) -> Freshness {
        let now = self.clock.now();
        let cached = self.token.read();
        let token = cached.as_ref().map(|cached| &cached.token);
        let is_asked_for = reason.cause == Cause::Refresh || reason.look.is_some();
        let age = cached.as_ref().map(|cached| cached.age(now));
        let is_expiring = age.is_some_and(|age| age.lives() && !age.is_before_margin());
        let renewed = age.filter(|_| reason.cause == Cause::Proactive);
        Freshness {
            younger_than: match reason.cause {
                Cause::Empty | Cause::Invalidated => None,
                Cause::Proactive => token.map(|token| token.age(now)),
                Cause::Refresh => Some(Duration::ZERO),
            },
            held: token.map(|token| token.digest()),
            refused: state.refused.clone(),
            waited_out: state.waited_out,
            replaces_refused: reason.cause == Cause::Invalidated || !state.may_force(now),
            ignores_backoff: is_asked_for,
            ignores_retry_after: is_asked_for || is_expiring,
            max_wait: renewed.map(|age| age.max_wait()),
        }
    }

    /// What the work's own thread does.
    fn run(self: &Arc<Self>, flight: &Arc<Flight>, work: &Arc<Work>, freshness: Freshness) {
        work.runs_here();
        let end = EndOnDrop(flight, work);
        let mut report = Report::default();
        let early = Early::default();
        let deliver = |outcome: &Outcome, passed_over| {
            self.deliver_if_late(flight, work, outcome, passed_over, &early);
        };
        let outcome = catch_panic(|| self.fetch(&work.handle, freshness, &deliver, &mut report));
        early.end();
        let mut events = self.complete(flight, work, outcome, &mut report);
        // It has ended: a child that a callback forks is not to take the lock of its parent.
        std::mem::forget(end);
        if events.is_none() {
            self.came_back(flight, work);
            if early.is_delivered() {
                // What happened while it was stored is still to be told.
                events = Some(self.publish(report.notes, work.handle.reason.cause));
                // Whoever had it may have been told that it is refused.
                self.take_out_of_the_store(flight);
            }
        }
        if let Some(events) = events {
            self.call_back(&events);
        }
    }

    /// Takes a refused token out of the store, so that nobody else gets it.
    pub(super) fn take_out_of_the_store(self: &Arc<Self>, flight: &Arc<Flight>) {
        let Some(credentials) = self.credentials().ok().filter(|_| self.store.is_some()) else {
            return;
        };
        // If it hangs, or there is no thread for it, the next request does it.
        let Ok(guard) = flight.lock() else { return };
        if guard.hangs_in_store.is_some() {
            return;
        }
        let freshness = self.freshness(Cause::Invalidated.into(), &guard);
        drop(guard);
        let shared = self.clone();
        let _ = spawn(move || {
            let (interrupt, progress) = (Interrupt::default(), Progress::default());
            let context = FetchContext::new(&credentials, &shared.clock, &interrupt, &progress)
                .with(freshness, None);
            let _ = shared.store.as_ref().map(|store| store.look(&context));
        });
    }

    /// If a thread that was given up in the store has come back, the next one goes there again.
    fn came_back(&self, flight: &Flight, work: &Work) {
        let Ok(mut guard) = flight.lock() else { return };
        if guard.hangs_in_store == Some(work.started()) {
            self.change(&mut guard, |state| state.hangs_in_store = None);
        }
    }

    fn fetch(
        &self,
        handle: &Handle,
        freshness: Freshness,
        deliver: Deliver<'_>,
        report: &mut Report,
    ) -> Outcome {
        let credentials = self.credentials()?;
        handle.progress.asking(|| credentials.ask())?;
        if self.store.is_some() {
            // When the provider was made, there may have been no secret to look at.
            SharedStore::check(&credentials)?;
        }
        let used_fallback = credentials.uses_fallback();
        let refused = || self.last_state.load().refused.clone();
        let context =
            FetchContext::new(&credentials, &self.clock, &handle.interrupt, &handle.progress)
                .with(freshness, self.renewal_limit(handle.reason.cause))
                .delivering(deliver, &refused);
        // Here, so that what happened before a panic is told.
        let outcome = catch_panic(|| {
            self.fetch_in(&context, handle).transpose().unwrap_or_else(|| {
                report.skipped = true;
                Err(Error::internal())
            })
        });
        report.backoff_since = context.backoff_since();
        report.passed_over = context.passed_over();
        report.notes = context.take_notes();
        let token = outcome?;
        if credentials.uses_fallback() && !used_fallback {
            let what = "the client secret was refused, and its fallback is used from now on";
            report.notes.push(Note::new(EventKind::FallbackUsed, what));
        }
        Ok(token)
    }

    /// `None` if no request was sent, since a look found nothing.
    fn fetch_in(
        &self,
        context: &FetchContext<'_>,
        handle: &Handle,
    ) -> Result<Option<Arc<AccessToken>>, Error> {
        let store = self.store.as_ref().filter(|_| !handle.without_store);
        if let Some(look) = handle.reason.look {
            let found = store.filter(|_| look.in_store).and_then(|store| store.look(context));
            if let Some(token) = found {
                return Ok(Some(Arc::new(token)));
            }
            let reload = || context.credentials.reload();
            if !look.for_secret || !handle.progress.asking(reload) {
                return Ok(None);
            }
        }
        let source: &dyn TokenSource = match store {
            Some(store) => store,
            None => &*self.http,
        };
        source.fetch(context).map(Some)
    }

    pub(super) fn store_location(&self) -> String {
        match (&self.store, self.credentials()) {
            (Some(store), Ok(credentials)) => store.location(&credentials),
            _ => "of a provider that is closed".to_owned(),
        }
    }

    fn renewal_limit(&self, cause: Cause) -> Option<RenewalLimit> {
        let age = self.token.age(self.clock.now()).filter(|age| age.is_before_margin());
        let limit = age.map(|age| {
            RenewalLimit::new(self.clock.instant(), age.until_margin(), age.until_expiry())
        });
        limit.filter(|_| cause == Cause::Proactive)
    }

    /// Notes the outcome down, and releases those that wait. Gives what is then to be told; `None` if the work
    /// had ended before.
    pub(super) fn complete(
        &self,
        flight: &Flight,
        work: &Arc<Work>,
        outcome: Outcome,
        report: &mut Report,
    ) -> Option<Vec<Event>> {
        let mut events = None;
        flight.complete(work, |state| {
            let Handle { reason, progress, without_store, .. } = &work.handle;
            let sent = progress.is_requested();
            let requested = sent && !progress.is_found();
            let uses_store = self.store.is_some() && !without_store;
            if sent {
                self.counters.add_request(reason.cause, outcome.is_ok() && requested);
            }
            if sent && uses_store {
                self.counters.add(Count::StoreMisses);
            }
            if outcome.is_ok() && !requested {
                self.counters.add(Count::StoreHits);
            }
            if uses_store && progress.has_store_failed() {
                self.change(state, |state| state.store_failed = Some(self.clock.now()));
            }
            if report.store_hangs {
                self.change(state, |state| state.hangs_in_store = Some(work.started()));
            }
            // A token that was found is of no request.
            let timing = progress.timing().filter(|_| requested || outcome.is_err());
            let outcome = match outcome {
                Ok(token) => Ok(self.note_success(state, token, requested, report)),
                // A token may have come meanwhile without a request.
                Err(_) if report.skipped => self.peek().ok_or_else(|| self.last_error(state)),
                Err(error) => {
                    if let Some(wait) = report.passed_over {
                        let is_refresh = sent && reason.cause == Cause::Refresh;
                        let now = self.clock.now();
                        self.change(state, |state| state.pass_over(wait, is_refresh, now));
                    }
                    let found = report.backoff_since.filter(|_| !requested);
                    let (error, note) = self.note_failure(state, reason.cause, &error, sent, found);
                    report.notes.push(note);
                    Err(error)
                }
            };
            report.note_request(timing);
            events = Some(self.publish(std::mem::take(&mut report.notes), reason.cause));
            outcome
        });
        events
    }

    fn note_success(
        &self,
        state: &mut RetryState,
        token: Arc<AccessToken>,
        requested: bool,
        report: &mut Report,
    ) -> Arc<AccessToken> {
        let now = self.clock.now();
        self.change(state, |state| state.succeeded(&token, requested, now));
        self.token.publish(token.clone(), now);
        let from = match self.store.as_ref().filter(|_| !requested) {
            Some(_) => self.store_location(),
            None => self.http.url().to_string(),
        };
        let (fingerprint, left) = (token.fingerprint(), token.left(now));
        let what =
            format!("got the token {fingerprint} from {from}, which is valid for {left:.0?}");
        report.notes.push(Note::new(EventKind::Refreshed, what));
        token
    }

    /// The error for those that waited, and what is to be told.
    fn note_failure(
        &self,
        state: &mut RetryState,
        cause: Cause,
        error: &Error,
        sent: bool,
        backoff_since: Option<u64>,
    ) -> (Error, Note) {
        let now = self.clock.now();
        let age = self.token.age(now);
        let shown = self.change(state, |state| match backoff_since {
            Some(since) => state.found(cause, error, since, age, now),
            None => state.failed(cause, error, age, sent, now),
        });
        let pause = shown.retry_after().unwrap_or_default();
        let what = format!("no new token: {error}; the next request is due in {pause:.1?}");
        let note = Note::new(EventKind::RefreshFailed, what).with_error(shown.clone());
        (shown, note)
    }

    /// The error of the last token request, if it failed, for who has no token.
    pub(super) fn last_error(&self, state: &RetryState) -> Error {
        let now = self.clock.now();
        let failure = state.last_failure(now, self.token.age(now));
        let came_and_went =
            || Error::new(ErrorKind::Timeout, "the token that came is out of use again; ask again");
        failure.map_or_else(came_and_went, |(_, error)| error)
    }

    /// Whether work takes longer than any may.
    pub(in crate::provider) fn is_overdue(&self, work: &Work) -> bool {
        work.started().elapsed() >= self.longest(work)
    }

    /// Ends work that takes longer than any may, although each of its steps has a limit.
    pub(in crate::provider) fn give_up(self: &Arc<Self>, flight: &Flight, work: &Arc<Work>) {
        let mut report = Report::default();
        let limit = text::seconds(self.longest(work));
        let store = self.store.as_ref().filter(|_| work.handle.progress.is_in_store());
        let message = match store {
            Some(_) => {
                let what =
                    format!("the store {} did not answer within {limit}", self.store_location());
                report.store_hangs = true;
                let note = Note::store_error(format!("{what}; it is not used until it does"));
                report.notes.push(note);
                format!("{what}, so this request was given up; ask again, which goes without it")
            }
            None if work.handle.progress.is_asking() => format!(
                "the function for the client secret did not return within {limit}, so this request was given \
                 up; ask again"
            ),
            None => format!(
                "{} brought no token within {limit}, so this request was given up; ask again",
                self.http.url()
            ),
        };
        let error = Error::new(ErrorKind::Timeout, message);
        report.skipped = work.handle.is_mere_look();
        if let Some(events) = self.complete(flight, work, Err(error), &mut report) {
            work.handle.interrupt.raise();
            self.call_back_elsewhere(&events);
        }
    }

    /// Ends a mere look, for who does not wait for that.
    pub(super) fn end_look(&self, flight: &Flight, work: &Arc<Work>) {
        let mut report = Report { skipped: true, ..Report::default() };
        if self.complete(flight, work, Err(Error::internal()), &mut report).is_some() {
            work.handle.interrupt.raise();
        }
    }
}

/// Runs `work` on a thread that ends with it.
fn spawn(work: impl FnOnce() + Send + 'static) -> Result<(), Error> {
    started(|| thread::spawn(c"clazar-request", work))
}

/// As [`spawn`], for work that may call the program's function for the secret.
pub(super) fn spawn_for_the_program(work: impl FnOnce() + Send + 'static) -> Result<(), Error> {
    started(|| thread::spawn_for_the_program(c"clazar-request", work))
}

fn started(start: impl FnOnce() -> io::Result<()>) -> Result<(), Error> {
    if memory::is_short() {
        return Err(Error::out_of_memory());
    }
    start().map_err(|error| Error::no_thread("the token request", &error))
}
