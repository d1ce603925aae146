//! A server that fails for two seconds just when a token is to be renewed.

use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use clazar_auth::{ErrorKind, Options, TokenProvider};

use crate::{credentials, wait_until};
use test_support::server::{Requests, Server, http, ok, read_request};

const TIMEOUT: Duration = Duration::from_millis(1500);
/// Much more than three attempts take that fail at once.
const LONG: Duration = Duration::from_secs(20);
const OUTAGE: Duration = Duration::from_secs(2);
/// With this lifetime a token is renewed 12 to 18 s after it came, and its margin begins at 22.8 s: long
/// after the outage, also on a busy machine.
const LIFETIME: u64 = 24;
const LAST_PART: Duration = Duration::from_millis(22_800);

#[derive(Clone, Copy, Debug)]
enum Failing {
    Busy,
    Silent,
    Closing,
    Garbage,
}

impl Failing {
    fn answer(self, mut stream: TcpStream) {
        let bytes = match self {
            Self::Busy => http("503 Service Unavailable", "", ""),
            Self::Garbage => ok("<html>"),
            Self::Closing => String::new(),
            Self::Silent => {
                while read_request(&mut stream).is_some() {}
                return;
            }
        };
        let _ = stream.write_all(bytes.as_bytes());
    }
}

/// Failing for the requests, counted from 1, of which `is_out` says so, and good for the others.
fn server(
    failing: Failing,
    lifetime: u64,
    is_out: impl Fn(usize) -> bool + Clone + Send + 'static,
) -> Server {
    Server::new(move |mut stream: TcpStream, requests: &Requests| {
        let Some(request) = read_request(&mut stream) else { return };
        let count = {
            let mut requests = requests.lock().unwrap();
            requests.push(request);
            requests.len()
        };
        if is_out(count) {
            return failing.answer(stream);
        }
        let body = format!(
            r#"{{"access_token":"not-a-real-token-{count}","token_type":"bearer","expires_in":{lifetime}}}"#
        );
        let _ = stream.write_all(ok(&body).as_bytes());
    })
}

/// Two seconds from the second request on.
fn outage() -> impl Fn(usize) -> bool + Clone + Send + 'static {
    let began = Arc::new(OnceLock::new());
    move |count| count > 1 && began.get_or_init(Instant::now).elapsed() < OUTAGE
}

fn provider(server: &Server, timeout: Duration) -> TokenProvider {
    let options = Options::default().auth_url(server.url()).timeout(timeout);
    TokenProvider::builder(credentials()).options(options).build().unwrap()
}

struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// No caller sees an error, and none waits before the token's margin.
fn nobody_notices(failing: Failing) {
    let server = server(failing, LIFETIME, outage());
    let provider = provider(&server, TIMEOUT);
    let start = Instant::now();
    let first = provider.token().unwrap();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let _stop = StopOnDrop(&stop);
        for _ in 0..4 {
            scope.spawn(|| {
                // Also if it fails, so that nobody waits for it.
                let _stop = StopOnDrop(&stop);
                while !stop.load(Ordering::Relaxed) {
                    let token =
                        provider.token().unwrap_or_else(|error| panic!("{failing:?}: {error}"));
                    assert!(!token.is_expired());
                    thread::sleep(Duration::from_millis(1));
                }
            });
        }
        // Until the end of the outage, and before the token's margin.
        wait_until(|| provider.stats().proactive.failed > 0 || start.elapsed() >= LAST_PART);
        let stats = provider.stats();
        if start.elapsed() < LAST_PART {
            assert_eq!(stats.waited, 1, "{failing:?}: {stats:?}");
            let (attempts, failed) = (server.requests().len() as u64 - 1, stats.proactive.failed);
            assert!(
                (failed..=3 * failed + 3).contains(&attempts),
                "{failing:?}: {attempts} of {failed}"
            );
        }
        // Until the next token, which comes in the margin of the first.
        let is_next = || provider.peek().is_some_and(|token| token.value() != first.value());
        wait_until(|| is_next() || stop.load(Ordering::Relaxed));
        stop.store(true, Ordering::Relaxed);
    });
    assert!(provider.stats().empty.succeeded == 1, "the first token was followed in time");
}

#[test]
fn nobody_notices_a_busy_server() {
    nobody_notices(Failing::Busy);
}

#[test]
fn nobody_notices_a_silent_server() {
    nobody_notices(Failing::Silent);
}

#[test]
fn nobody_notices_a_server_that_hangs_up() {
    nobody_notices(Failing::Closing);
}

#[test]
fn nobody_notices_a_server_of_garbage() {
    nobody_notices(Failing::Garbage);
}

/// The token is renewed 13 to 19.5 s after it came, and its margin begins at 24.7 s.
#[test]
fn an_outage_that_ends_before_the_last_part_makes_nobody_wait() {
    let server = server(Failing::Busy, 26, outage());
    let provider = provider(&server, TIMEOUT);
    let first = provider.token().unwrap();
    wait_until(|| provider.token().unwrap().value() != first.value());
    let stats = provider.stats();
    assert!(stats.proactive.failed > 0, "there was an outage: {stats:?}");
    assert_eq!(stats.waited, 1, "for the first token alone: {stats:?}");
}

/// All callers learn of it at once, and the provider recovers by itself.
fn everybody_learns(failing: Failing, timeout: Duration, kind: ErrorKind) {
    let is_out = Arc::new(AtomicBool::new(true));
    let server = server(failing, LIFETIME, {
        let is_out = is_out.clone();
        move |_| is_out.load(Ordering::Relaxed)
    });
    let provider = provider(&server, timeout);
    let error = provider.token().unwrap_err();
    assert_eq!(error.kind(), kind);
    let (requests, next) = (server.requests().len(), Instant::now() + error.retry_after().unwrap());
    for _ in 0..100 {
        let outcome = provider.token();
        let (made, waited) = (server.requests().len(), provider.stats().waited);
        if Instant::now() >= next {
            break;
        }
        let error = outcome.unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(error.retry_after().is_some());
        assert_eq!((made, waited), (requests, 1), "none of them made a request, and none waited");
    }
    is_out.store(false, Ordering::Relaxed);
    wait_until(|| provider.token().is_ok());
}

#[test]
fn without_a_token_all_learn_of_a_busy_server() {
    everybody_learns(Failing::Busy, LONG, ErrorKind::Server);
}

#[test]
fn without_a_token_all_learn_of_a_server_that_hangs_up() {
    everybody_learns(Failing::Closing, LONG, ErrorKind::Transport);
}

#[test]
fn without_a_token_all_learn_of_a_silent_server() {
    everybody_learns(Failing::Silent, TIMEOUT, ErrorKind::Timeout);
}

#[test]
fn without_a_token_all_learn_of_garbage() {
    everybody_learns(Failing::Garbage, LONG, ErrorKind::InvalidResponse);
}
