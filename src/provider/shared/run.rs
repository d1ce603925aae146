//! An exchange, from its start on a thread of its own to the token in use.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use super::{Era, Exchange, Gate, Outcome, Shared};
use crate::error::contain;
use crate::exchange::Interrupt;
use crate::provider::event::{EventKind, tell};
use crate::provider::memory::{self, Memory};
use crate::provider::stats::Cause;
use crate::store::{Happening, User, Wish};
use crate::sys::thread;
use crate::{AccessToken, Credentials, Error, ErrorKind};

impl Shared {
    pub(super) fn board(
        self: &Arc<Self>,
        era: &Arc<Era>,
        gate: &mut Gate<'_>,
        cause: Cause,
    ) -> Result<Arc<Exchange>, Error> {
        let wish = self.wish(cause, gate);
        let boarded = gate.board(|exchange| {
            let (shared, era) = (self.clone(), era.clone());
            spawn(move || shared.run(&era, &exchange, cause, wish))
        });
        if let Err(error) = &boarded {
            self.note_failure(gate, error);
        }
        boarded
    }

    /// Which token of the store would do.
    fn wish(&self, cause: Cause, memory: &Memory) -> Wish {
        let kept = self.token.load();
        let held = kept.as_ref().map(|kept| &kept.token);
        let younger_than = match cause {
            Cause::Empty | Cause::Invalidated => None,
            Cause::Ahead => held.map(|token| token.age(self.clock.now())),
            Cause::Refresh => Some(Duration::ZERO),
        };
        Wish {
            younger_than,
            not: [held.map(|token| token.hash()), memory.refused],
            is_urgent: cause == Cause::Refresh,
        }
    }

    /// The work of the exchange's own thread.
    fn run(&self, era: &Era, exchange: &Arc<Exchange>, cause: Cause, wish: Wish) {
        let exchanged = Cell::new(false);
        let outcome = contain(|| {
            let credentials = self.credentials()?;
            let used_fallback = credentials.uses_fallback();
            let token = self.obtain(wish, &credentials, &exchange.handle, || {
                exchanged.set(true);
                self.client.exchange(&credentials, &exchange.handle, &self.clock)
            })?;
            if credentials.uses_fallback() && !used_fallback {
                let what = "the client secret was refused, and its fallback is used from now on";
                self.tell(EventKind::FallbackUsed, what.to_owned());
            }
            Ok(Arc::new(token))
        });
        let event = Cell::new(None);
        let remember = |memory: &mut Memory, outcome: &Outcome| {
            if exchanged.get() {
                self.counters.exchange(cause, outcome.is_ok());
            }
            event.set(Some(self.remember(memory, outcome, exchanged.get())));
        };
        let tell = || {
            if let Some((kind, message)) = event.take() {
                // A logger that panics must not leave callers waiting.
                let _ = contain(|| {
                    self.tell(kind, message);
                    Ok(())
                });
            }
        };
        era.flight.land(exchange, outcome, remember, tell);
    }

    /// A token from the store, or from `exchange`.
    fn obtain(
        &self,
        wish: Wish,
        credentials: &Credentials,
        interrupt: &Interrupt,
        exchange: impl FnOnce() -> Result<AccessToken, Error>,
    ) -> Result<AccessToken, Error> {
        let Some(keeper) = &self.keeper else { return exchange() };
        let user = User {
            credentials,
            sealer: &self.sealer,
            backoff: &memory::shared_pause,
            pause: &|length| interrupt.pause(length),
            tell: &|happening| match happening {
                Happening::Hit => self.counters.store_hits.add_one(),
                Happening::Miss => self.counters.store_misses.add_one(),
                Happening::Trouble(trouble) => {
                    self.tell(EventKind::StoreTrouble, trouble.to_string());
                }
            },
        };
        keeper.obtain(wish, &user, exchange)
    }

    pub(super) fn tell(&self, kind: EventKind, message: String) {
        tell(self.listener.as_ref(), kind, message);
    }

    /// Notes an outcome down, at the gate.
    fn remember(
        &self,
        memory: &mut Memory,
        outcome: &Outcome,
        exchanged: bool,
    ) -> (EventKind, String) {
        let now = self.clock.now();
        match outcome {
            Ok(token) => {
                memory.succeeded(exchanged, now);
                self.take_into_use(token.clone());
                let from = match self.keeper.as_ref().filter(|_| !exchanged) {
                    Some(keeper) => keeper.place(),
                    None => self.client.url().to_string(),
                };
                let left = token.left(now);
                let what = format!(
                    "got the token {} from {from}, which lives {left:.0?}",
                    token.fingerprint()
                );
                (EventKind::Refreshed, what)
            }
            Err(error) => {
                let pause = self.note_failure(memory, error);
                let what =
                    format!("no new token: {error}; the next exchange is due in {pause:.1?}");
                (EventKind::RefreshFailed, what)
            }
        }
    }

    /// The pause before the next exchange.
    fn note_failure(&self, memory: &mut Memory, error: &Error) -> Duration {
        let now = self.clock.now();
        let held = self.token.load().as_ref().map(|kept| kept.held(now));
        memory.failed(error.clone(), held, now);
        memory.failure(now).map_or(Duration::ZERO, |failure| failure.pause(held))
    }
}

/// Runs `work` on a thread that ends with it.
fn spawn(work: impl FnOnce() + Send + 'static) -> Result<(), Error> {
    thread::spawn(work).map(drop).map_err(|error| {
        Error::new(
            ErrorKind::Transport,
            format!("no thread could be started for the exchange ({error}); try again"),
        )
    })
}
