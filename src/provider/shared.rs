//! What all clones of a provider share: the token, and the way to the next one.

mod run;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption, Guard};

use super::event::{EventKind, Listener};
use super::flight::{self, Closed, Flight};
use super::hosts::AllowedHosts;
use super::memory::Memory;
use super::pending::{Answer, Pending};
use super::policy::{self, Decision, Held, Schedule};
use super::stats::{Cause, Counters, Stats};
use crate::exchange::{Client, Interrupt};
use crate::store::{Keeper, Sealer};
use crate::sys::clock::{Clock, Moment};
use crate::sys::fork;
use crate::{AccessToken, Credentials, Error, random};

pub(super) type Outcome = Result<Arc<AccessToken>, Error>;
pub(super) type Exchange = flight::Exchange<Outcome, Interrupt>;
type Gate<'a> = flight::Gate<'a, Outcome, Interrupt, Memory>;

pub(crate) struct Shared {
    pub(super) client: Client,
    pub(super) client_id: String,
    /// None once the provider is closed.
    credentials: ArcSwapOption<Credentials>,
    pub(super) allowed_hosts: AllowedHosts,
    sealer: Sealer,
    keeper: Option<Keeper>,
    pub(super) clock: Clock,
    listener: Option<Listener>,
    counters: Counters,
    token: ArcSwapOption<Kept>,
    /// For a forked child, which cannot ask the flight of its parent.
    closed: AtomicBool,
    era: ArcSwap<Era>,
}

/// A token in use.
pub(crate) struct Kept {
    pub(super) token: Arc<AccessToken>,
    schedule: Schedule,
    /// When its refresh point comes: what each call compares with the clocks.
    refresh: Moment,
    /// Whether it is out of use: another took its place, or none.
    replaced: AtomicBool,
    /// Whether it was told that this token is handed out although its renewal failed or is late.
    told: AtomicBool,
}

impl Kept {
    fn new(token: Arc<AccessToken>) -> Self {
        let schedule = Schedule::new(token.lifetime(), random::upper_half());
        let refresh = token.when(schedule.refresh());
        let [replaced, told] = [AtomicBool::new(false), AtomicBool::new(false)];
        Self { token, schedule, refresh, replaced, told }
    }

    fn held(&self, now: Moment) -> Held {
        Held { age: self.token.age(now), schedule: self.schedule }
    }

    /// As [`Held::is_fresh`], for less.
    #[inline]
    fn is_fresh(&self, now: Moment) -> bool {
        now.is_before(self.refresh)
    }

    /// For a caller that holds on to it.
    #[cfg(feature = "python")]
    #[inline]
    pub(super) fn is_in_use_and_fresh(&self, now: Moment) -> bool {
        !self.replaced.load(Ordering::Relaxed) && self.is_fresh(now)
    }
}

/// The flight of one process; a forked child needs another.
pub(super) struct Era {
    generation: u64,
    pub(super) flight: Flight<Outcome, Interrupt, Memory>,
}

impl Era {
    fn new(closed: bool) -> Self {
        Self { generation: fork::generation(), flight: Flight::new(Memory::default(), closed) }
    }
}

impl From<Closed> for Error {
    fn from(_: Closed) -> Self {
        Self::closed()
    }
}

impl Shared {
    pub(super) fn new(
        client: Client,
        credentials: Credentials,
        allowed_hosts: AllowedHosts,
        sealer: Sealer,
        keeper: Option<Keeper>,
        clock: Clock,
        listener: Option<Listener>,
    ) -> Self {
        fork::watch();
        Self {
            client,
            client_id: credentials.client_id().to_owned(),
            credentials: ArcSwapOption::from_pointee(credentials),
            allowed_hosts,
            sealer,
            keeper,
            clock,
            listener,
            counters: Counters::default(),
            token: ArcSwapOption::empty(),
            closed: AtomicBool::new(false),
            era: ArcSwap::from_pointee(Era::new(false)),
        }
    }

    /// The token in use, in passing: without a lock, an allocation or a shared counter.
    pub(super) fn kept(&self) -> Guard<Option<Arc<Kept>>> {
        self.token.load()
    }

    pub(super) fn if_fresh<'a>(&self, kept: &'a Option<Arc<Kept>>) -> Option<&'a Arc<AccessToken>> {
        let fresh = kept.as_ref().filter(|kept| kept.is_fresh(self.clock.now()));
        fresh.map(|kept| &kept.token)
    }

    /// A token, or the wait for one; never blocks.
    pub(super) fn ask(self: &Arc<Self>) -> Result<Answer, Error> {
        match self.if_fresh(&self.kept()) {
            Some(token) => Ok(Answer::Token(token.clone())),
            None => self.ask_at_the_gate(),
        }
    }

    fn ask_at_the_gate(self: &Arc<Self>) -> Result<Answer, Error> {
        let era = self.era();
        let gate = match (era.flight.try_enter(), self.kept_if(Held::is_stale)) {
            (Some(gate), _) => gate?,
            // Whoever is at the gate sees to the renewal.
            (None, Some(kept)) => return Ok(self.serve(&kept)),
            (None, None) => era.flight.enter()?,
        };
        self.follow_the_policy(&era, gate)
    }

    fn follow_the_policy(
        self: &Arc<Self>,
        era: &Arc<Era>,
        mut gate: Gate<'_>,
    ) -> Result<Answer, Error> {
        let now = self.clock.now();
        let failure = gate.failure(now);
        let kept = self.token.load_full();
        match policy::decide(kept.as_ref().map(|kept| kept.held(now)), failure) {
            Decision::Fail(pause) => {
                let exchange = gate.under_way().ok_or_else(|| gate.error(pause))?;
                return Ok(self.pending(exchange, None));
            }
            Decision::Wait => {
                let cause = if gate.invalidated { Cause::Invalidated } else { Cause::Empty };
                return Ok(self.pending(self.board(era, &mut gate, cause)?, None));
            }
            Decision::WaitAtMost(grace) => {
                if let Ok(exchange) = self.board(era, &mut gate, Cause::Ahead) {
                    return Ok(self.pending(exchange, Some(grace)));
                }
            }
            // A thread that cannot be started is noted down as a failure.
            Decision::ServeAndRefresh => drop(self.board(era, &mut gate, Cause::Ahead)),
            Decision::Serve => {}
        }
        drop(gate);
        let kept = kept.expect("the policy serves what it was given");
        if failure.is_some() {
            self.tell_stale(&kept);
        }
        Ok(self.serve(&kept))
    }

    /// Joins or starts an exchange, except during a wait that the server named.
    pub(super) fn refresh(self: &Arc<Self>) -> Result<Answer, Error> {
        let era = self.era();
        let mut gate = era.flight.enter()?;
        let failure = gate.failure(self.clock.now());
        if let Some(pause) = failure.and_then(|failure| failure.named_pause())
            && gate.under_way().is_none()
        {
            return Err(gate.error(pause));
        }
        let exchange = self.board(&era, &mut gate, Cause::Refresh)?;
        Ok(self.pending(exchange, None))
    }

    /// Takes `token` out of use if it is the one in use.
    pub(super) fn invalidate(&self, token: &AccessToken) {
        let era = self.era();
        let Ok(mut gate) = era.flight.enter() else { return };
        let since_forced = gate.since_forced(self.clock.now());
        let current = self.token.load();
        let is_current = current.as_ref().is_some_and(|kept| kept.token.value() == token.value());
        if is_current && policy::may_force(since_forced) {
            gate.invalidated = true;
            gate.refused = Some(token.hash());
            self.replace(None);
            self.counters.invalidations.add_one();
        }
    }

    /// Takes the token out of use and out of the store.
    #[cfg(feature = "python")]
    pub(super) fn forget(&self) -> Result<(), Error> {
        let era = self.era();
        let gate = era.flight.enter()?;
        self.replace(None);
        drop(gate);
        self.keeper.as_ref().map_or(Ok(()), Keeper::erase)
    }

    /// The token in the store if it lives, and where the store is.
    #[cfg(feature = "python")]
    pub(super) fn stored(&self) -> Result<(Option<AccessToken>, String), Error> {
        match &self.keeper {
            Some(keeper) => Ok((keeper.peek(&self.sealer, &*self.credentials()?)?, keeper.place())),
            None => Ok((None, "memory".to_owned())),
        }
    }

    /// Whether the store can be used; where it is.
    #[cfg(feature = "python")]
    pub(super) fn try_store(&self) -> Result<String, Error> {
        match &self.keeper {
            Some(keeper) => keeper.try_out(&self.sealer, &*self.credentials()?),
            None => Ok("memory".to_owned()),
        }
    }

    pub(super) fn seal(&self, token: &AccessToken) -> Result<Vec<u8>, Error> {
        self.sealer.seal(token, &self.credentials()?.client_secret())
    }

    pub(super) fn unseal(&self, blob: &[u8]) -> Result<(), Error> {
        let opened = self.sealer.open(blob, &*self.credentials()?);
        let era = self.era();
        let mut gate = era.flight.enter()?;
        let refused = |token: &AccessToken| gate.refused == Some(token.hash());
        let token = opened.flatten().filter(|token| !refused(token)).ok_or_else(|| {
            Error::invalid(
                "the blob holds no live token of this client's, or it was sealed with another \
                 secret; get a new token",
            )
        })?;
        let now = self.clock.now();
        if self.peek().is_none_or(|current| current.left(now) < token.left(now)) {
            gate.succeeded(false, now);
            self.take_into_use(Arc::new(token));
        }
        Ok(())
    }

    #[cfg(feature = "python")]
    pub(super) fn put(&self, value: &str) -> Result<Arc<AccessToken>, Error> {
        let token = Arc::new(AccessToken::given(value, self.clock.now())?);
        let era = self.era();
        let _gate = era.flight.enter()?;
        self.take_into_use(token.clone());
        Ok(token)
    }

    fn credentials(&self) -> Result<Arc<Credentials>, Error> {
        self.credentials.load_full().ok_or_else(Error::closed)
    }

    /// At the gate.
    fn take_into_use(&self, token: Arc<AccessToken>) {
        self.replace(Some(Arc::new(Kept::new(token))));
    }

    /// At the gate.
    fn replace(&self, next: Option<Arc<Kept>>) {
        if let Some(last) = self.token.swap(next) {
            last.replaced.store(true, Ordering::Relaxed);
        }
    }

    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        let exchange = self.era().flight.close(Err(Error::closed()), |_| self.replace(None));
        self.credentials.store(None);
        if let Some(exchange) = exchange {
            exchange.handle.raise();
        }
    }

    pub(super) fn peek(&self) -> Option<Arc<AccessToken>> {
        self.kept_if(Held::lives).map(|kept| kept.token.clone())
    }

    pub(super) fn stats(&self) -> Stats {
        let now = self.clock.now();
        let kept = self.token.load_full();
        let held = kept.as_ref().map(|kept| kept.held(now));
        let expires_in = kept.map(|kept| kept.token.left(now));
        let pause = self.era().flight.enter().ok().and_then(|gate| gate.failure(now));
        let pause = pause.map(|failure| failure.pause(held));
        let above_zero = |duration: &Duration| !duration.is_zero();
        self.counters.stats(expires_in.filter(above_zero), pause.filter(above_zero))
    }

    pub(super) fn lives(&self, token: &AccessToken) -> bool {
        !token.left(self.clock.now()).is_zero()
    }

    /// The token in use, for a caller that has waited for the next one in vain.
    pub(super) fn fall_back(&self) -> Option<Arc<AccessToken>> {
        let kept = self.kept_if(Held::lives)?;
        self.tell_stale(&kept);
        self.counters.served_stale.add_one();
        Some(kept.token.clone())
    }

    fn kept_if(&self, wanted: impl FnOnce(&Held) -> bool) -> Option<Arc<Kept>> {
        let now = self.clock.now();
        self.token.load_full().filter(|kept| wanted(&kept.held(now)))
    }

    fn serve(&self, kept: &Kept) -> Answer {
        if !kept.is_fresh(self.clock.now()) {
            self.counters.served_stale.add_one();
        }
        Answer::Token(kept.token.clone())
    }

    fn tell_stale(&self, kept: &Kept) {
        if !kept.told.swap(true, Ordering::Relaxed) {
            let message = format!(
                "the token {} is handed out, with {:.1?} to live, since its renewal failed or is late",
                kept.token.fingerprint(),
                kept.token.left(self.clock.now()),
            );
            self.tell(EventKind::StaleServed, message);
        }
    }

    fn pending(self: &Arc<Self>, exchange: Arc<Exchange>, grace: Option<Duration>) -> Answer {
        self.counters.waited.add_one();
        Answer::Pending(Pending::new(self, exchange, grace))
    }

    /// The flight of this process.
    pub(super) fn era(&self) -> Arc<Era> {
        let era = self.era.load_full();
        if era.generation == fork::generation() {
            return era;
        }
        let fresh = Arc::new(Era::new(self.closed.load(Ordering::SeqCst)));
        self.era.compare_and_swap(&era, fresh);
        self.era.load_full()
    }
}
