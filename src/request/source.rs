//! Says where a token may come from, and what is told on the way.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use super::interrupt::Interrupt;
use super::limits::RenewalLimit;
use super::note::{Note, Timing};
use super::refused::Refused;
use crate::credentials::Credentials;
use crate::error::Error;
use crate::secret::Secret;
use crate::sys::clock::{Clock, Moment};
use crate::token::AccessToken;

/// A token, or why there is none.
pub(crate) type Fetched = Result<Arc<AccessToken>, Error>;

/// Takes what there is for the callers, and the wait that was passed over for it.
pub(crate) type Deliver<'a> = &'a dyn Fn(&Fetched, Option<RequestedWait>);

/// Gets a token: from the API, or around another source. [`Progress`] tells from where, of a failure too.
pub(crate) trait TokenSource {
    /// Blocks, so it is for a thread of the library.
    fn fetch(&self, context: &FetchContext<'_>) -> Fetched;
}

/// What a token is fetched for, and what there is to tell of it.
pub(crate) struct FetchContext<'a> {
    pub(crate) credentials: &'a Credentials,
    pub(crate) freshness: Freshness,
    /// When a back-off began that was found.
    backoff_since: Cell<Option<u64>>,
    /// A wait that others were asked for, and that is no reason for this one to wait.
    passed_over: Cell<Option<RequestedWait>>,
    /// Whether the token is to be in place of one that the API refused.
    replaces: Cell<bool>,
    /// The secret of the last attempt, or of the next one.
    secret: RefCell<Option<Arc<Secret>>>,
    /// Those that the API has refused to this request.
    refusals: RefCell<Vec<Arc<Secret>>>,
    /// Whether a store is looked into before another secret is tried.
    ends_at_another_secret: Cell<bool>,
    /// What has been used up with other secrets.
    spent: Cell<Spent>,
    /// For a request that is made while there is a valid token.
    limit: Cell<Option<RenewalLimit>>,
    pub(crate) clock: &'a Clock,
    pub(crate) interrupt: &'a Interrupt,
    pub(crate) progress: &'a Progress,
    /// Takes what there is for the caller before all is done.
    deliver: Option<Deliver<'a>>,
    /// Which tokens the API has refused by now.
    refused: Option<&'a dyn Fn() -> Refused>,
    notes: RefCell<Vec<Note>>,
}

/// A part of a token request.
#[derive(Clone, Copy, Default)]
pub(super) struct Spent {
    pub(super) attempts: u32,
    pub(super) time: Duration,
}

impl<'a> FetchContext<'a> {
    pub(crate) fn new(
        credentials: &'a Credentials,
        clock: &'a Clock,
        interrupt: &'a Interrupt,
        progress: &'a Progress,
    ) -> Self {
        Self {
            credentials,
            freshness: Freshness::default(),
            backoff_since: Cell::default(),
            passed_over: Cell::default(),
            replaces: Cell::default(),
            secret: RefCell::default(),
            refusals: RefCell::default(),
            ends_at_another_secret: Cell::default(),
            spent: Cell::default(),
            limit: Cell::default(),
            clock,
            interrupt,
            progress,
            deliver: None,
            refused: None,
            notes: RefCell::default(),
        }
    }

    pub(crate) fn with(self, freshness: Freshness, limit: Option<RenewalLimit>) -> Self {
        Self { freshness, limit: Cell::new(limit), ..self }
    }

    /// `refused` tells which tokens the API has refused since `deliver` handed them out.
    pub(crate) fn delivering(self, deliver: Deliver<'a>, refused: &'a dyn Fn() -> Refused) -> Self {
        Self { deliver: Some(deliver), refused: Some(refused), ..self }
    }

    /// Hands out what there is, before it is stored for others.
    pub(crate) fn deliver(&self, outcome: &Fetched) {
        if let Some(deliver) = self.deliver {
            deliver(outcome, self.passed_over());
        }
    }

    /// Whether the API has refused `token` by now.
    pub(crate) fn has_refused(&self, token: &AccessToken) -> bool {
        self.refused.is_some_and(|refused| refused().contains(token))
    }

    /// Notes that the token is to be in place of one that the API refused.
    pub(crate) fn note_replacement(&self) {
        self.replaces.set(true);
    }

    pub(crate) fn replaces(&self) -> bool {
        self.replaces.get() || self.freshness.replaces_refused
    }

    pub(crate) fn note_backoff(&self, since: u64) {
        self.backoff_since.set(Some(since));
    }

    pub(crate) fn backoff_since(&self) -> Option<u64> {
        self.backoff_since.get()
    }

    /// Notes the wait that a look shows and that is ignored; `None` forgets that of an earlier look.
    pub(crate) fn pass_over(&self, wait: Option<RequestedWait>) {
        self.passed_over.set(wait);
    }

    pub(crate) fn passed_over(&self) -> Option<RequestedWait> {
        self.passed_over.get()
    }

    /// The secret with which the request is made: at first one that is believed.
    pub(crate) fn secret(&self) -> Arc<Secret> {
        let first = || self.credentials.believed(None).swap_remove(0);
        self.secret.borrow_mut().get_or_insert_with(first).clone()
    }

    /// Those whose seal is believed, the one of the request first.
    pub(crate) fn believed(&self) -> Vec<Arc<Secret>> {
        self.credentials.believed(self.secret.borrow().as_ref())
    }

    pub(crate) fn go_on_with(&self, secret: Arc<Secret>) {
        self.secret.replace(Some(secret));
    }

    /// A secret to try after one that the API has refused. `error` says so, and is the error if there is none.
    pub(super) fn another(
        &self,
        refused: &Arc<Secret>,
        error: &Error,
    ) -> Result<Arc<Secret>, Error> {
        self.credentials.note_refused(refused);
        self.refusals.borrow_mut().push(refused.clone());
        match self.progress.asking(|| self.credentials.another(&self.refusals.borrow())) {
            Ok(another) => another.ok_or_else(|| error.clone()),
            // Whether there is a new secret is not known yet.
            Err(unread) if unread.is_transient() => Err(unread.with_also(error)),
            Err(unread) => Err(error.clone().with_also(&unread)),
        }
    }

    /// From now on the request ends where another secret is to be tried, and is gone on with by another one.
    pub(crate) fn end_at_another_secret(&self) {
        self.ends_at_another_secret.set(true);
    }

    pub(super) fn ends_at_another_secret(&self) -> bool {
        self.ends_at_another_secret.get()
    }

    pub(super) fn spent(&self) -> Spent {
        self.spent.get()
    }

    pub(super) fn spend(&self, attempts: u32, time: Duration) {
        self.spent.set(Spent { attempts, time: self.spent().time + time });
    }

    pub(crate) fn limit(&self) -> Option<RenewalLimit> {
        self.limit.get()
    }

    /// Limits a request that nothing else limits, since there is something to fall back on.
    pub(crate) fn end_within(&self, wait: Duration) {
        let limit = || RenewalLimit::within(self.clock.instant(), wait);
        self.limit.set(Some(self.limit.get().unwrap_or_else(limit)));
    }

    /// Sleeps; an error once it is interrupted.
    pub(crate) fn pause(&self, length: Duration) -> Result<(), Error> {
        match self.clock {
            #[cfg(test)]
            Clock::Simulated(clocks) => {
                clocks.pause(length);
                Ok(())
            }
            _ => self.interrupt.pause(length),
        }
    }

    pub(crate) fn report(&self, note: Note) {
        self.notes.borrow_mut().push(note);
    }

    pub(crate) fn take_notes(&self) -> Vec<Note> {
        self.notes.take()
    }
}

/// A wait that the server asked for.
#[derive(Clone, Copy)]
pub(crate) struct RequestedWait {
    pub(crate) at: Moment,
    pub(crate) length: Duration,
}

impl RequestedWait {
    pub(crate) fn left(&self, now: Moment) -> Duration {
        self.length.saturating_sub(now.since(self.at))
    }
}

/// Which token that was got before will do.
#[derive(Clone, Default)]
pub(crate) struct Freshness {
    /// One younger than this: none that is held already, or none that was there before `refresh`.
    pub(crate) younger_than: Option<Duration>,
    /// Whether what is requested takes the place of a token that the API refused, or followed such a one too
    /// soon.
    pub(crate) replaces_refused: bool,
    /// Not this one, by its hash, which is held already.
    pub(crate) held: Option<[u8; 32]>,
    /// Not these: nobody is to get them.
    pub(crate) refused: Refused,
    /// When the last back-off of another process began that this one has waited out, in milliseconds by the
    /// clock of the store.
    pub(crate) waited_out: Option<u64>,
    /// Whether other processes' own back-off is no reason to wait.
    pub(crate) ignores_backoff: bool,
    /// Whether a wait that the server asked another process for is none.
    pub(crate) ignores_retry_after: bool,
    /// For how long to wait for another process, if that is less than for a token request.
    pub(crate) max_wait: Option<Duration>,
}

/// How far it is, for other threads.
#[derive(Default)]
pub(crate) struct Progress {
    /// When a request to the API was begun, by the wall clock and by the one that measures.
    began: OnceLock<(SystemTime, Instant)>,
    /// How long it took, in nanoseconds, once it has ended.
    took: AtomicU64,
    found: AtomicBool,
    in_store: AtomicBool,
    looking: AtomicBool,
    store_failed: AtomicBool,
    asking: AtomicBool,
}

impl Progress {
    /// Whether a request to the API was begun.
    pub(crate) fn is_requested(&self) -> bool {
        self.began.get().is_some()
    }

    pub(crate) fn begins_request(&self) {
        self.began.get_or_init(|| (SystemTime::now(), Instant::now()));
    }

    pub(super) fn ends_request(&self) {
        if let Some((_, since)) = self.began.get() {
            let took = u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX);
            self.took.store(took, Ordering::Relaxed);
        }
    }

    /// When the request was made; one that was given up has taken the time until now.
    pub(crate) fn timing(&self) -> Option<Timing> {
        let (began, since) = *self.began.get()?;
        let took = match self.took.load(Ordering::Relaxed) {
            0 => since.elapsed(),
            took => Duration::from_nanos(took),
        };
        Some(Timing { began, took })
    }

    /// Whether the outcome comes from a store, after a request with another secret if one was begun.
    pub(crate) fn is_found(&self) -> bool {
        self.found.load(Ordering::Relaxed)
    }

    pub(crate) fn finds(&self) {
        self.found.store(true, Ordering::Relaxed);
    }

    /// Whether the last thing that was done with a store failed.
    pub(crate) fn has_store_failed(&self) -> bool {
        self.store_failed.load(Ordering::Relaxed)
    }

    pub(crate) fn store_failed(&self, failed: bool) {
        self.store_failed.store(failed, Ordering::Relaxed);
    }

    /// Whether a store is being used.
    pub(crate) fn is_in_store(&self) -> bool {
        self.in_store.load(Ordering::Relaxed)
    }

    pub(crate) fn uses_store(&self, uses: bool) {
        self.in_store.store(uses, Ordering::Relaxed);
    }

    /// Runs `ask`, which may call the program's function for the secret.
    pub(crate) fn asking<T>(&self, ask: impl FnOnce() -> T) -> T {
        self.asking.store(true, Ordering::Relaxed);
        let answer = ask();
        self.asking.store(false, Ordering::Relaxed);
        answer
    }

    /// Whether the source of the secret is being asked.
    pub(crate) fn is_asking(&self) -> bool {
        self.asking.load(Ordering::Relaxed)
    }

    /// Whether a store is only being looked at.
    pub(crate) fn is_looking(&self) -> bool {
        self.looking.load(Ordering::Relaxed)
    }

    pub(crate) fn looks(&self, looks: bool) {
        self.looking.store(looks, Ordering::Relaxed);
        self.uses_store(looks);
    }
}
