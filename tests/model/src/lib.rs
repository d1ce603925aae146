//! The single flight of `src/provider/single_flight.rs`, word for word, run by loom through the
//! interleavings of a few threads; and in `store` the protocol of a store, in all its states.
#![cfg(test)]

#[path = "../../../src/provider/single_flight.rs"]
#[allow(dead_code)]
mod single_flight;
mod store;
mod sync;

use loom::model::Builder;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use loom::thread;

use single_flight::{Closed, SingleFlight};

/// A token is a number; `None` stands for an error.
type Outcome = Option<usize>;
type Work = single_flight::Work<Outcome, ()>;

/// The token in use, which is changed under the lock only.
type State = Option<usize>;
type Guard<'a> = single_flight::Guard<'a, Outcome, (), State>;

/// As little of a provider as makes all uses of a single flight.
#[derive(Clone)]
struct Provider(Arc<Shared>);

struct Shared {
    flight: SingleFlight<Outcome, (), State>,
    /// The server: it counts its requests, and gives each a token of its own.
    requests: AtomicUsize,
    at_once: AtomicUsize,
    /// Work whose thread still runs although nobody waits for it any more.
    given_up: AtomicUsize,
    /// What the program's own code does when it is told of the first outcome.
    callback: Option<fn(&Provider)>,
    calls: AtomicUsize,
}

impl Provider {
    fn new(token: Option<usize>, callback: Option<fn(&Provider)>) -> Self {
        Self(Arc::new(Shared {
            flight: SingleFlight::new(token, false),
            requests: AtomicUsize::new(0),
            at_once: AtomicUsize::new(0),
            given_up: AtomicUsize::new(0),
            callback,
            calls: AtomicUsize::new(0),
        }))
    }

    fn token(&self) -> Result<usize, Closed> {
        let mut guard = self.0.flight.lock()?;
        match *guard {
            Some(token) => Ok(token),
            None => wait(self.join_or_start(&mut guard), guard),
        }
    }

    fn refresh(&self) -> Result<usize, Closed> {
        let mut guard = self.0.flight.lock()?;
        wait(self.join_or_start(&mut guard), guard)
    }

    /// What a caller with a stale token does.
    fn renew(&self) {
        if let Some(Ok(mut guard)) = self.0.flight.try_lock() {
            self.join_or_start(&mut guard);
        }
    }

    fn join_or_start(&self, guard: &mut Guard<'_>) -> sync::Arc<Work> {
        let start = |work| {
            let provider = self.clone();
            thread::spawn(move || provider.run(&work));
            Ok::<_, Closed>(())
        };
        guard.join_or_start((), start).expect("a thread can be started")
    }

    fn run(&self, work: &sync::Arc<Work>) {
        work.runs_here();
        let others = self.0.at_once.fetch_add(1, SeqCst);
        let token = self.0.requests.fetch_add(1, SeqCst) + 1;
        assert!(self.is_known_to_run(work), "its own thread would wait for it");
        self.0.at_once.fetch_sub(1, SeqCst);
        assert!(others <= self.0.given_up.load(SeqCst), "two requests at once");
        let completed = self.0.flight.complete(work, |state| {
            *state = Some(token);
            Some(token)
        });
        if completed && self.0.calls.fetch_add(1, SeqCst) == 0 {
            self.0.callback.inspect(|callback| callback(self));
        }
    }

    /// What a logger that asks for a token in the middle of the work finds.
    fn is_known_to_run(&self, work: &sync::Arc<Work>) -> bool {
        let in_flight = self.0.flight.lock().ok().and_then(|guard| guard.in_flight());
        let is_ours = in_flight.is_some_and(|other| sync::Arc::ptr_eq(&other, work));
        !is_ours || work.is_run_by_caller()
    }

    /// What a caller does that has waited too long.
    fn give_up(&self) {
        let Ok(guard) = self.0.flight.lock() else { return };
        let Some(work) = guard.in_flight() else { return };
        drop(guard);
        self.0.given_up.fetch_add(1, SeqCst);
        let ended_here = self.0.flight.complete(&work, |_| None);
        assert_eq!(ended_here, work.wait(None) == Some(None), "the first outcome stays");
    }

    fn invalidate(&self, token: usize) {
        if let Ok(mut guard) = self.0.flight.lock() {
            if *guard == Some(token) {
                *guard = None;
            }
        }
    }

    fn close(&self) {
        self.0.flight.close(None, |state| *state = None);
    }

    fn requests(&self) -> usize {
        self.0.requests.load(SeqCst)
    }
}

fn wait(work: sync::Arc<Work>, guard: Guard<'_>) -> Result<usize, Closed> {
    drop(guard);
    assert!(!work.is_run_by_caller(), "a wait for oneself");
    work.wait(None).expect("a wait without a deadline ends with an outcome").ok_or(Closed)
}

/// Runs `threads` side by side in every order, then `check`.
fn model(token: Option<usize>, threads: [fn(&Provider); 2], check: fn(&Provider)) {
    model_with(None, token, threads, check);
}

fn model_with(
    callback: Option<fn(&Provider)>,
    token: Option<usize>,
    threads: [fn(&Provider); 2],
    check: fn(&Provider),
) {
    let mut builder = Builder::new();
    // More changes of thread than this find nothing new and take days.
    builder.preemption_bound = Some(3);
    builder.check(move || {
        let provider = Provider::new(token, callback);
        let running = threads.map(|work| {
            let provider = provider.clone();
            thread::spawn(move || work(&provider))
        });
        running.into_iter().for_each(|thread| thread.join().unwrap());
        check(&provider);
    });
}

#[test]
fn callers_share_one_request() {
    let ask = |provider: &Provider| assert_eq!(provider.token().ok(), Some(1));
    model(None, [ask, ask], |provider| assert_eq!(provider.requests(), 1));
}

#[test]
fn close_ends_every_wait() {
    model(None, [|provider| drop(provider.token()), |provider| provider.close()], |provider| {
        assert!(provider.token().is_err(), "closed for good");
        assert!(provider.requests() <= 1);
    });
}

#[test]
fn a_refresh_and_a_caller_never_make_two_requests_at_once() {
    model(
        None,
        [
            |provider| assert!(provider.refresh().is_ok()),
            |provider| assert!(provider.token().is_ok()),
        ],
        |provider| assert!(provider.requests() <= 2),
    );
}

#[test]
fn those_that_invalidate_one_token_get_the_same_new_one() {
    let refused = |provider: &Provider| {
        provider.invalidate(100);
        assert_eq!(provider.token().ok(), Some(1));
    };
    model(Some(100), [refused, refused], |provider| assert_eq!(provider.requests(), 1));
}

#[test]
fn a_stale_token_is_renewed_by_one_and_blocks_nobody() {
    let renew = |provider: &Provider| provider.renew();
    model(Some(100), [renew, renew], |provider| {
        let token = provider.token().unwrap();
        assert!(token == 100 || token <= provider.requests());
    });
}

#[test]
fn close_comes_between_a_refresh_and_an_invalidation() {
    model(
        Some(100),
        [
            |provider| drop(provider.refresh()),
            |provider| {
                provider.invalidate(100);
                provider.close();
            },
        ],
        |provider| assert!(provider.token().is_err()),
    );
}

/// Whoever waits is released before the program's own code is called, which may ask for a token.
#[test]
fn a_callback_may_ask_for_a_token() {
    let callback = |provider: &Provider| assert!(provider.token().is_ok());
    let ask = |provider: &Provider| assert!(provider.token().is_ok());
    model_with(Some(callback), None, [ask, ask], |provider| assert_eq!(provider.requests(), 1));
}

#[test]
fn a_callback_may_ask_for_another_token() {
    let callback = |provider: &Provider| assert!(provider.refresh().is_ok());
    let ask = |provider: &Provider| assert!(provider.token().is_ok());
    model_with(Some(callback), None, [ask, |_| ()], |provider| {
        assert!((1..=2).contains(&provider.requests()));
    });
}

#[test]
fn a_callback_may_close_the_provider() {
    let callback = |provider: &Provider| provider.close();
    let ask = |provider: &Provider| drop(provider.token());
    model_with(Some(callback), None, [ask, ask], |provider| drop(provider.token()));
}

/// A caller that gives work up and the work's own thread end it once, and wake all that wait.
#[test]
fn work_that_is_given_up_ends_once() {
    let ask = |provider: &Provider| drop(provider.token());
    model(None, [ask, |provider| provider.give_up()], |provider| {
        assert!(provider.token().is_ok(), "the next one starts anew");
        assert!(provider.requests() <= 2);
    });
}
