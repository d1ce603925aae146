//! Waits for a token as a future, in any runtime.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use super::TokenProvider;
use crate::error::Error;
use crate::sync::lock;
use crate::token::AccessToken;

type Outcome = Result<Arc<AccessToken>, Error>;

/// A token to come: what [`TokenProvider::token_async`] gives. It needs no runtime, and does nothing before it
/// is polled. Dropping it ends this wait and no other; the token request goes on. One that was polled
/// before a fork stays pending in the child: ask again there.
#[must_use = "a future does nothing unless it is polled"]
pub struct TokenFuture {
    provider: TokenProvider,
    wait: Option<Arc<Mutex<Slot>>>,
}

struct Slot {
    outcome: Option<Outcome>,
    waker: Option<Waker>,
}

impl TokenFuture {
    pub(super) fn new(provider: TokenProvider) -> Self {
        Self { provider, wait: None }
    }

    fn start(&mut self, waker: &Waker) -> Poll<Outcome> {
        let slot = Arc::new(Mutex::new(Slot { outcome: None, waker: Some(waker.clone()) }));
        // A future that is dropped leaves nothing to be woken.
        let ours = Arc::downgrade(&slot);
        self.wait = Some(slot);
        let tell = move |outcome| {
            let Some(slot) = ours.upgrade() else { return };
            let waker = {
                let mut slot = lock(&slot);
                slot.outcome = Some(outcome);
                slot.waker.take()
            };
            if let Some(waker) = waker {
                waker.wake();
            }
        };
        match self.provider.token_or_call(tell).transpose() {
            Some(outcome) => Poll::Ready(outcome),
            None => Poll::Pending,
        }
    }
}

impl Future for TokenFuture {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        let Some(slot) = &self.wait else { return self.start(context.waker()) };
        let mut slot = lock(slot);
        match slot.outcome.take() {
            Some(outcome) => Poll::Ready(outcome),
            None => {
                slot.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl fmt::Debug for TokenFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenFuture").field("provider", &self.provider).finish_non_exhaustive()
    }
}
