//! Tokens as futures, with no runtime but a thread that parks.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use clazar_auth::sandbox::Sandbox;
use clazar_auth::{Credentials, ErrorKind, Options, TokenFuture, TokenProvider};

use crate::waiting::{LIMIT, blocking, refused};

const AUTHENTICATE: &str = "/authenticate/";
const FOREVER: Duration = Duration::from_secs(3600);

fn provider(sandbox: &Sandbox) -> TokenProvider {
    let credentials = Credentials::new(sandbox.client_id(), sandbox.client_secret()).unwrap();
    let options = Options::default().auth_url(sandbox.auth_url());
    TokenProvider::builder(credentials).options(options).build().unwrap()
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits as any runtime would, but for `LIMIT` at most.
fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let start = std::time::Instant::now();
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        thread::park_timeout(LIMIT);
        assert!(start.elapsed() < LIMIT, "nobody woke the future");
    }
}

/// A future that waits.
fn started(provider: &TokenProvider) -> Pin<Box<TokenFuture>> {
    let mut future = Box::pin(provider.token_async());
    assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    future
}

#[test]
fn many_share_one_token_request() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.set_delay(Duration::from_millis(200));
    let provider = provider(&sandbox);
    let waiting: Vec<_> = (0..1000).map(|_| started(&provider)).collect();
    let token = block_on(provider.token_async()).unwrap();
    for future in waiting {
        assert_eq!(block_on(future).unwrap().value(), token.value());
    }
    assert_eq!(sandbox.requests(AUTHENTICATE), 1);
}

#[test]
fn a_token_at_hand_is_there_at_once() {
    let sandbox = Sandbox::start().unwrap();
    let provider = provider(&sandbox);
    let token = provider.token().unwrap();
    let mut future = pin!(provider.token_async());
    let Poll::Ready(found) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
        panic!("the token is in memory");
    };
    assert_eq!(found.unwrap().value(), token.value());
}

#[test]
fn one_that_is_not_polled_starts_nothing() {
    let sandbox = Sandbox::start().unwrap();
    let provider = provider(&sandbox);
    drop(provider.token_async());
    provider.close();
    assert_eq!(sandbox.requests(AUTHENTICATE), 0);
}

#[test]
fn one_that_is_dropped_ends_no_other() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.set_delay(Duration::from_millis(200));
    let provider = provider(&sandbox);
    let (dropped, kept) = (started(&provider), started(&provider));
    drop(dropped);
    block_on(kept).unwrap();
    assert_eq!(sandbox.requests(AUTHENTICATE), 1);
}

#[test]
fn one_that_is_dropped_keeps_no_waker() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.set_delay(FOREVER);
    let provider = provider(&sandbox);
    let task = Arc::new(Unpark(thread::current()));
    let waker = Waker::from(task.clone());
    let mut future = Box::pin(provider.token_async());
    assert!(future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    drop((future, waker));
    assert_eq!(Arc::strong_count(&task), 1);
    provider.close();
}

#[test]
fn close_ends_all() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.set_delay(FOREVER);
    let provider = provider(&sandbox);
    let waiting = [started(&provider), started(&provider)];
    provider.close();
    for future in waiting {
        assert_eq!(block_on(future).unwrap_err().kind(), ErrorKind::Closed);
    }
    assert_eq!(block_on(provider.token_async()).unwrap_err().kind(), ErrorKind::Closed);
}

#[test]
fn a_request_that_hangs_is_given_up() {
    let sandbox = Sandbox::start().unwrap();
    let (_release, block) = blocking();
    let provider = refused(&sandbox, block);
    let error = block_on(provider.token_async()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    assert!(error.retry_after().is_some());
}
