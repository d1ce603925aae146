//! A process that does not run between its calls, as one of a function in a cloud.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustix::process::Signal;
use test_support::server::{Server, TOKEN_BODY, ok, read_request};
use test_support::wait_until;

use super::process::Process;
use super::{DAY, STALE, is_slow};
use crate::programs::amount;

/// Gives tokens with numbers, and waits before the second.
struct Api {
    server: Server,
    held_back: Arc<AtomicUsize>,
    answered: Arc<AtomicUsize>,
}

impl Api {
    fn start() -> Self {
        let (held_back, answered) = (Arc::new(AtomicUsize::new(2)), Arc::<AtomicUsize>::default());
        let (held, done) = (held_back.clone(), answered.clone());
        let server = Server::new(move |mut stream, requests| {
            let Some(request) = read_request(&mut stream) else { return };
            let number = {
                let mut requests = requests.lock().unwrap();
                requests.push(request);
                requests.len()
            };
            wait_until(|| held.load(Ordering::SeqCst) != number);
            let body = TOKEN_BODY.replace("a-real-token", &format!("a-real-token-{number}"));
            let _ = stream.write_all(ok(&body).as_bytes());
            done.fetch_max(number, Ordering::SeqCst);
        });
        Self { server, held_back, answered }
    }

    fn requests(&self) -> usize {
        self.server.requests().len()
    }

    /// Has a process get the first token and begin to renew it.
    fn has_renewal_of(&self, process: &mut Process) {
        for ahead in [0, STALE] {
            process.ask(ahead);
            assert_eq!(process.answer().1, "not-a-real-token-1");
        }
        wait_until(|| self.requests() == 2);
    }

    /// Sends the second token.
    fn let_go(&self) {
        self.held_back.store(0, Ordering::SeqCst);
        wait_until(|| self.answered.load(Ordering::SeqCst) == 2);
    }
}

/// Stopped in the middle of a renewal, whose answer waits in its socket for two days.
#[test]
fn what_was_frozen_in_a_renewal_hands_out_no_token_that_has_expired() {
    // Whether the answer or the clock is read first is different each time.
    for _ in 0..amount(20, 3) {
        let api = Api::start();
        let mut process = Process::start(&api.server.url(), "memory");
        api.has_renewal_of(&mut process);
        process.signal(Signal::STOP);
        api.let_go();
        process.ask(STALE + 2 * DAY);
        process.signal(Signal::CONT);
        let (_, mut got) = process.answer();
        // Its clock went on between the last look at the second token and the moment to hand that out.
        if got.contains("expired before it could be handed out; ask again") {
            process.ask(STALE + 2 * DAY);
            (_, got) = process.answer();
        }
        assert_eq!(got, "not-a-real-token-3");
        assert_eq!(api.requests(), 3);
    }
}

/// Stopped for longer than the renewal had time for, which may be the outcome of the first call; and until its token
/// has expired.
#[test]
fn what_was_frozen_for_longer_than_a_token_request_makes_another() {
    if is_slow() {
        return; // Its first token would take too long.
    }
    let api = Api::start();
    let mut process = Process::start_with(&api.server.url(), "memory", &[("TEST_TIMEOUT", "2000")]);
    api.has_renewal_of(&mut process);
    process.signal(Signal::STOP);
    // Nothing is waited for: this is the time for which it is frozen.
    std::thread::sleep(Duration::from_secs(4));
    process.signal(Signal::CONT);
    wait_until(|| {
        process.ask(STALE + 2 * DAY);
        let (_, got) = process.answer();
        assert!(got == "not-a-real-token-3" || got.contains("within"), "{got}");
        got == "not-a-real-token-3"
    });
}

/// Frozen between two calls for less than a token lives.
#[test]
fn what_was_frozen_goes_on_with_its_token() {
    let api = Api::start();
    let mut process = Process::start(&api.server.url(), "memory");
    process.ask(0);
    assert_eq!(process.answer().1, "not-a-real-token-1");
    process.signal(Signal::STOP);
    process.ask(DAY / 2);
    process.signal(Signal::CONT);
    assert_eq!(process.answer().1, "not-a-real-token-1");
    assert_eq!(api.requests(), 1);
}
