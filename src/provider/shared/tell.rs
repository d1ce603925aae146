//! Tells the program what happened.

use std::sync::Arc;

use super::Shared;
use crate::error::Error;
use crate::provider::callbacks::call_each;
use crate::provider::current_token::CachedToken;
use crate::provider::event::{Event, EventKind, Listener};
use crate::provider::stats::Cause;
use crate::request::Note;
use crate::sys::thread;

impl Shared {
    /// An event about a token request with this cause, with how the provider is now.
    pub(super) fn event(&self, note: Note, cause: Cause) -> Event {
        let Note { kind, message, error, request } = note;
        let (client_id, auth_url) = (self.client_id.clone(), self.http.url().to_string());
        let expires_in = self.expires_in();
        Event { client_id, auth_url, kind, message, cause, error, expires_in, request }
    }

    /// The first time that a token is handed out although its renewal failed, with this error, or is late.
    pub(super) fn stale_event(
        &self,
        cached: &CachedToken,
        cause: Cause,
        error: Option<Error>,
    ) -> Option<Event> {
        cached.is_first_told().then(|| {
            let (token, now) = (&cached.token, self.clock.now());
            let (fingerprint, left) = (token.fingerprint(), token.left(now));
            let what = format!(
                "the token {fingerprint} is handed out, valid for {left:.1?} more, since its renewal failed \
                 or is late"
            );
            self.event(Note { error, ..Note::new(EventKind::StaleServed, what) }, cause)
        })
    }

    /// Makes events of what was noted down, and leaves them where the program takes them.
    pub(super) fn publish(&self, notes: Vec<Note>, cause: Cause) -> Vec<Event> {
        let events: Vec<_> = notes.into_iter().map(|note| self.event(note, cause)).collect();
        self.leave(&events);
        events
    }

    /// For a caller's thread, with the lock free.
    pub(super) fn tell(self: &Arc<Self>, events: Vec<Event>) {
        self.leave(&events);
        self.call_back_elsewhere(&events);
    }

    /// As [`call_back`](Self::call_back), on a thread of the library, so that the program's own code
    /// neither keeps a caller waiting nor runs inside a call of its own. If none can be started, the next
    /// thread of the library tells them.
    pub(super) fn call_back_elsewhere(self: &Arc<Self>, events: &[Event]) {
        if events.iter().any(|event| self.is_heard(event)) {
            events.iter().for_each(|event| self.untold.push(event));
            let shared = self.clone();
            let _ = thread::spawn(c"clazar-event", move || shared.call_back(&[]));
        }
    }

    fn is_heard(&self, event: &Event) -> bool {
        matches!(self.listener, Some(Listener::Callback(_)))
            || log::log_enabled!(target: "clazar_auth", event.log_level())
    }

    /// Leaves events where the program takes them; never blocks.
    fn leave(&self, events: &[Event]) {
        if let Some(Listener::Queue(queue)) = &self.listener {
            events.iter().for_each(|event| queue.push(event));
        }
    }

    /// Hands events to the program's own code, on a thread of the library, with no lock held and nobody
    /// waiting; those first that could not be told before.
    pub(super) fn call_back(&self, events: &[Event]) {
        call_each(self.untold.take().iter().chain(events), |event| {
            log::log!(target: "clazar_auth", event.log_level(), "{}", event.message);
            if let Some(Listener::Callback(callback)) = &self.listener {
                callback(event);
            }
        });
    }
}
