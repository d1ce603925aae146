//! Many callers at once.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use clazar_auth::sandbox::Sandbox;
use clazar_auth::{Credentials, Options, TokenProvider};

const AUTHENTICATE: &str = "/authenticate/";

fn provider(sandbox: &Sandbox) -> TokenProvider {
    let credentials = Credentials::new(sandbox.client_id(), sandbox.client_secret()).unwrap();
    let options = Options::default().auth_url(sandbox.auth_url());
    TokenProvider::builder(credentials).options(options).build().unwrap()
}

/// How long the load lasts: `CLAZAR_TEST_SECONDS`, or 30.
fn seconds() -> u64 {
    std::env::var("CLAZAR_TEST_SECONDS").map_or(30, |text| text.parse().unwrap())
}

#[test]
fn eight_threads_never_wait_across_renewals() {
    let sandbox = Sandbox::start().unwrap();
    // Renewed 6 to 9 s after it came, more than 2 s before anybody would wait: time enough on any machine.
    sandbox.set_lifetime(Duration::from_secs(12));
    sandbox.set_delay(Duration::from_millis(100));
    let provider = provider(&sandbox);
    let end = Instant::now() + Duration::from_secs(seconds());
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while Instant::now() < end {
                    provider.with_authorization(str::len).unwrap();
                    provider.token().unwrap();
                }
            });
        }
    });
    let stats = provider.stats();
    assert!(stats.waited <= 8, "only the first call of each thread may wait: {stats:?}");
    assert_eq!((stats.empty.succeeded, stats.proactive.failed), (1, 0));
    let renewals = stats.proactive.succeeded;
    assert!((seconds() / 12..=seconds() / 6).contains(&renewals), "{stats:?}");
    assert!(sandbox.requests(AUTHENTICATE).abs_diff(1 + renewals) <= 1, "one may be under way");
}

/// Runs `call` on so many threads at once.
fn at_once<T: Send>(threads: usize, call: impl Fn() -> T + Sync) -> Vec<T> {
    let barrier = Barrier::new(threads);
    thread::scope(|scope| {
        let start = |_| {
            let work = || {
                barrier.wait();
                call()
            };
            thread::Builder::new().stack_size(128 * 1024).spawn_scoped(scope, work).unwrap()
        };
        let threads: Vec<_> = (0..threads).map(start).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn a_thousand_threads_share_one_token_request() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.set_delay(Duration::from_millis(500));
    let provider = provider(&sandbox);
    let tokens = at_once(1000, || provider.token().unwrap().value().to_owned());
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    assert_eq!(sandbox.requests(AUTHENTICATE), 1);
}

#[test]
fn sixty_four_threads_with_a_401_share_one_token_request() {
    let sandbox = Sandbox::start().unwrap();
    let provider = provider(&sandbox);
    let refused = provider.token().unwrap();
    let retry = || {
        provider.invalidate(&refused);
        provider.token().unwrap().value().to_owned()
    };
    let fresh = at_once(64, retry);
    assert!(fresh.iter().all(|token| *token == fresh[0] && token != refused.value()));
    assert_eq!(sandbox.requests(AUTHENTICATE), 2);

    // The new one is refused as well, and soon: it stays.
    let current = provider.token().unwrap();
    at_once(64, || provider.invalidate(&current));
    assert_eq!(provider.token().unwrap().value(), current.value());
    assert_eq!(sandbox.requests(AUTHENTICATE), 2);
    let stats = provider.stats();
    assert_eq!((stats.invalidations, stats.invalidated.succeeded), (1, 1));
}
