//! Hands out a token that a slow store keeps from those who wait for it.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use super::report::Report;
use super::{Flight, Outcome, Shared, Work};
use crate::request::{Note, RequestedWait};
use crate::sync::{ignore_poison, lock};
use crate::sys::clock::Clock;
use crate::sys::thread;
use crate::text;

/// Who waits for a token waits so long at most for it to be stored for others.
const LONGEST_STORING: Duration = Duration::from_millis(500);

/// So long at most does a program wait for that before it ends.
const LONGEST_STORING_AT_THE_END: Duration = Duration::from_secs(5);
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// Tells whether an outcome was handed out while it was being stored.
#[derive(Default)]
pub(super) struct Early {
    delivered: Arc<AtomicBool>,
    storing: RefCell<Option<Arc<Storing>>>,
}

/// What is being stored. No channel: one takes memory from the system on the thread that waits, and ends the
/// process where there is none.
#[derive(Default)]
struct Storing {
    ended: Mutex<bool>,
    changed: Condvar,
}

impl Storing {
    fn end(&self) {
        *lock(&self.ended) = true;
        self.changed.notify_all();
    }

    /// Waits for the end; whether that takes too long.
    fn is_late(&self, clock: &Clock) -> bool {
        let longest = clock.in_real_time(LONGEST_STORING);
        let ended = lock(&self.ended);
        let waited = self.changed.wait_timeout_while(ended, longest, |ended| !*ended);
        ignore_poison(waited).1.timed_out()
    }
}

impl Early {
    fn start(&self) -> Arc<Storing> {
        let storing = Arc::<Storing>::default();
        self.storing.replace(Some(storing.clone()));
        storing
    }

    pub(super) fn end(&self) {
        if let Some(storing) = self.storing.take() {
            storing.end();
        }
    }

    pub(super) fn is_delivered(&self) -> bool {
        self.delivered.load(Ordering::SeqCst)
    }
}

impl Drop for Early {
    fn drop(&mut self) {
        self.end();
    }
}

impl Shared {
    /// Waits for a while until what was handed out is stored.
    pub(in crate::provider) fn wait_until_stored(&self) {
        let since = Instant::now();
        let flight = self.flight();
        let is_storing = || flight.lock().is_ok_and(|state| state.hangs_in_store.is_some());
        while is_storing() && since.elapsed() < LONGEST_STORING_AT_THE_END {
            std::thread::sleep(BETWEEN_LOOKS);
        }
    }

    /// Hands out what there is if it is not stored soon: one who waits for a token does not wait for a slow
    /// store.
    pub(super) fn deliver_if_late(
        self: &Arc<Self>,
        flight: &Arc<Flight>,
        work: &Arc<Work>,
        outcome: &Outcome,
        passed_over: Option<RequestedWait>,
        early: &Early,
    ) {
        let storing = early.start();
        let (shared, flight, work) = (self.clone(), flight.clone(), work.clone());
        let (outcome, is_delivered) = (outcome.clone(), early.delivered.clone());
        let _ = thread::spawn(c"clazar-delivery", move || {
            if !storing.is_late(&shared.clock) {
                return;
            }
            let what = format!(
                "the store {} did not answer within {} when it was given a token; it is not used until it does",
                shared.store_location(),
                text::seconds(LONGEST_STORING)
            );
            let notes = vec![Note::store_error(what)];
            let mut report = Report { store_hangs: true, passed_over, notes, ..Report::default() };
            // Before it is so, since the work's own thread asks as soon as it is.
            is_delivered.store(true, Ordering::SeqCst);
            if let Some(events) = shared.complete(&flight, &work, outcome, &mut report) {
                shared.call_back(&events);
            } else {
                is_delivered.store(false, Ordering::SeqCst);
            }
        });
    }
}
