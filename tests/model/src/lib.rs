//! The single flight of `src/provider/flight.rs`, word for word, run by loom through the
//! interleavings of a few threads.
#![cfg(test)]

#[path = "../../../src/provider/flight.rs"]
#[allow(dead_code)]
mod flight;
mod sync;

use loom::model::Builder;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use loom::thread;

use flight::{Closed, Flight};

/// A token is a number; an exchange that was closed brings none.
type Outcome = Option<usize>;
type Exchange = flight::Exchange<Outcome, ()>;

/// The token in use, which is changed at the gate only.
type Memory = Option<usize>;
type Gate<'a> = flight::Gate<'a, Outcome, (), Memory>;

/// As little of a provider as makes all uses of a flight.
#[derive(Clone)]
struct Provider(Arc<Shared>);

struct Shared {
    flight: Flight<Outcome, (), Memory>,
    /// The server: it counts its requests, and gives each a token of its own.
    requests: AtomicUsize,
    at_once: AtomicUsize,
}

impl Provider {
    fn token(&self) -> Result<usize, Closed> {
        let mut gate = self.0.flight.enter()?;
        match *gate {
            Some(token) => Ok(token),
            None => wait(self.board(&mut gate), gate),
        }
    }

    fn refresh(&self) -> Result<usize, Closed> {
        let mut gate = self.0.flight.enter()?;
        wait(self.board(&mut gate), gate)
    }

    /// What a caller with a stale token does.
    fn renew(&self) {
        if let Some(Ok(mut gate)) = self.0.flight.try_enter() {
            self.board(&mut gate);
        }
    }

    fn board(&self, gate: &mut Gate<'_>) -> sync::Arc<Exchange> {
        let start = |exchange| {
            let provider = self.clone();
            thread::spawn(move || provider.run(&exchange));
            Ok::<_, Closed>(())
        };
        gate.board(start).expect("a thread can be started")
    }

    fn run(&self, exchange: &sync::Arc<Exchange>) {
        let others = self.0.at_once.fetch_add(1, SeqCst);
        let token = self.0.requests.fetch_add(1, SeqCst) + 1;
        self.0.at_once.fetch_sub(1, SeqCst);
        assert_eq!(others, 0, "two exchanges at once");
        self.0.flight.land(exchange, Some(token), |memory, outcome| *memory = *outcome, || ());
    }

    fn invalidate(&self, token: usize) {
        if let Ok(mut gate) = self.0.flight.enter() {
            if *gate == Some(token) {
                *gate = None;
            }
        }
    }

    fn close(&self) {
        self.0.flight.close(None, |memory| *memory = None);
    }

    fn requests(&self) -> usize {
        self.0.requests.load(SeqCst)
    }
}

fn wait(exchange: sync::Arc<Exchange>, gate: Gate<'_>) -> Result<usize, Closed> {
    drop(gate);
    exchange.wait(None).expect("a wait without a deadline ends with an outcome").ok_or(Closed)
}

/// Runs `threads` side by side in every order, then `check`.
fn model(token: Option<usize>, threads: [fn(&Provider); 2], check: fn(&Provider)) {
    let mut builder = Builder::new();
    // More changes of thread than this find nothing new and take days.
    builder.preemption_bound = Some(3);
    builder.check(move || {
        let provider = Provider(Arc::new(Shared {
            flight: Flight::new(token, false),
            requests: AtomicUsize::new(0),
            at_once: AtomicUsize::new(0),
        }));
        let running = threads.map(|work| {
            let provider = provider.clone();
            thread::spawn(move || work(&provider))
        });
        running.into_iter().for_each(|thread| thread.join().unwrap());
        check(&provider);
    });
}

#[test]
fn callers_share_one_exchange() {
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
fn a_refresh_and_a_caller_never_make_two_exchanges_at_once() {
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
