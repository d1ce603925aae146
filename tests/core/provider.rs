//! One token for all callers.

use std::collections::HashSet;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use clazar_auth::sandbox::{Answer, Sandbox};
use clazar_auth::{Credentials, Error, ErrorKind, Options, TokenProvider};

use crate::wait_until;

const AUTHENTICATE: &str = "/authenticate/";

fn provider(sandbox: &Sandbox) -> TokenProvider {
    with_options(sandbox, Options::default())
}

fn with_options(sandbox: &Sandbox, options: Options) -> TokenProvider {
    let credentials = Credentials::new(sandbox.client_id(), sandbox.client_secret()).unwrap();
    let options = options.auth_url(sandbox.auth_url());
    TokenProvider::builder(credentials).options(options).build().unwrap()
}

/// Runs `call` on 64 threads at once.
fn at_once<T: Send>(call: impl Fn() -> T + Sync) -> Vec<T> {
    let barrier = Barrier::new(64);
    thread::scope(|scope| {
        let work = || {
            barrier.wait();
            call()
        };
        let threads: Vec<_> = (0..64).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn nothing_is_sent_before_a_token_is_asked_for() {
    let sandbox = Sandbox::start().unwrap();
    let provider = provider(&sandbox);
    assert!(provider.peek().is_none());
    assert_eq!(sandbox.requests(AUTHENTICATE), 0);
}

#[test]
fn a_token_is_kept() {
    let sandbox = Sandbox::start().unwrap();
    let provider = provider(&sandbox);
    let first = provider.token().unwrap();
    for _ in 0..100 {
        assert_eq!(provider.clone().token().unwrap().value(), first.value());
    }
    assert_eq!(provider.peek().unwrap().value(), first.value());
    assert_eq!(sandbox.requests(AUTHENTICATE), 1);
}

#[test]
fn sixty_four_threads_share_one_token_request() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.set_delay(Duration::from_millis(200));
    let provider = provider(&sandbox);
    let tokens = at_once(|| provider.token().unwrap().value().to_owned());
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    assert_eq!(sandbox.requests(AUTHENTICATE), 1);
}

#[test]
fn all_that_wait_share_a_failure() {
    let sandbox = Sandbox::start().unwrap();
    let provider = provider(&sandbox);
    sandbox.set_delay(Duration::from_millis(500));
    sandbox.answer_next(AUTHENTICATE, Answer::new(400, "")).unwrap();
    let errors: Vec<Error> =
        at_once(|| provider.token()).into_iter().filter_map(Result::err).collect();
    assert_eq!(errors.len(), 64);
    assert!(errors.iter().all(|error| error.kind() == ErrorKind::Rejected));
    assert_eq!(sandbox.requests(AUTHENTICATE), 1);
    provider.refresh().unwrap();
}

#[test]
fn a_token_that_is_due_is_replaced() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.set_lifetime(Duration::from_secs(5));
    let provider = provider(&sandbox);
    let first = provider.token().unwrap();
    wait_until(|| first.is_expired());
    assert!(provider.peek().is_none());
    assert_ne!(provider.token().unwrap().value(), first.value());
}

#[test]
fn refresh_replaces_a_token_and_a_failed_one_keeps_it() {
    let sandbox = Sandbox::start().unwrap();
    let provider = provider(&sandbox);
    let first = provider.token().unwrap();
    let second = provider.refresh().unwrap();
    assert_ne!(first.value(), second.value());
    sandbox.answer_next(AUTHENTICATE, Answer::new(400, "")).unwrap();
    assert_eq!(provider.refresh().unwrap_err().kind(), ErrorKind::Rejected);
    assert_eq!(provider.token().unwrap().value(), second.value());
    assert_eq!(sandbox.requests(AUTHENTICATE), 3);
}

#[test]
fn invalidate_drops_that_very_token() {
    let sandbox = Sandbox::start().unwrap();
    let provider = provider(&sandbox);
    let first = provider.token().unwrap();
    provider.invalidate(&first);
    assert!(provider.peek().is_none());
    let second = provider.token().unwrap();
    provider.invalidate(&first);
    assert_eq!(provider.peek().unwrap().value(), second.value());
}

#[test]
fn tokens_are_equal_and_hash_alike_by_their_text() {
    let sandbox = Sandbox::start().unwrap();
    let (provider, other) = (provider(&sandbox), provider(&sandbox));
    let first = provider.token().unwrap();
    other.unseal(&provider.seal().unwrap()).unwrap();
    let same = other.token().unwrap();
    assert!(!std::ptr::eq(&*first, &*same) && first == same);
    let second = provider.refresh().unwrap();
    assert_ne!(first, second);
    assert_eq!(HashSet::from([first, same, second]).len(), 2);
}

#[test]
fn one_caller_may_give_up_and_the_token_request_goes_on() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.set_delay(Duration::from_millis(300));
    let provider = provider(&sandbox);
    let error = provider.token_timeout(Duration::from_millis(1)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    provider.token_timeout(Duration::from_secs(60)).unwrap();
    assert_eq!(sandbox.requests(AUTHENTICATE), 1);
}

#[test]
fn close_ends_all_waits_at_once() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.set_delay(Duration::from_secs(3600));
    let provider = with_options(&sandbox, Options::default().timeout(Duration::from_secs(3600)));
    thread::scope(|scope| {
        let waiting = scope.spawn(|| provider.token());
        wait_until(|| sandbox.requests(AUTHENTICATE) > 0);
        provider.close();
        assert_eq!(waiting.join().unwrap().unwrap_err().kind(), ErrorKind::Closed);
    });
    assert_eq!(provider.token().unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(provider.refresh().unwrap_err().kind(), ErrorKind::Closed);
    assert!(provider.peek().is_none());
    provider.close();
    // The sandbox's own thread sleeps on; the test does not wait for it.
}

#[test]
fn two_clients_have_two_tokens() {
    let sandboxes = [Sandbox::start().unwrap(), Sandbox::start().unwrap()];
    let tokens = sandboxes.each_ref().map(|sandbox| provider(sandbox).token().unwrap());
    assert_ne!(tokens[0].value(), tokens[1].value());
}

#[test]
fn the_token_goes_to_allowed_hosts_only() {
    let sandbox = Sandbox::start().unwrap();
    let by_default = provider(&sandbox);
    for url in
        ["https://api.clazar.io/listings/?page=2", "https://API.clazar.io:443/", &sandbox.url()]
    {
        by_default.check_url(url).unwrap();
    }
    for url in [
        "http://api.clazar.io/",
        "https://clazar.io/",
        "https://api.clazar.io.example.com/",
        "https://api.clazar.io:8443/",
        "https://api.clazar.io@example.com/",
        "http://127.0.0.1:1/",
        "",
    ] {
        let error = by_default.check_url(url).expect_err(url);
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    }

    for (url, why) in [
        ("/listings/", "is not a whole URL, with https:// and a host; give one like"),
        ("ftp://api.clazar.io/", "like https://api.clazar.io/listings/"),
        ("http://api.clazar.io/", "could read the token; use https"),
        ("https://example.com/x?key=1", "https://example.com/x may not see the token"),
    ] {
        let error = by_default.check_url(url).unwrap_err().to_string();
        assert!(error.contains(why) && !error.contains("authenticat"), "{error}");
    }

    let long = format!("https://api.clazar.io/?{}", "q".repeat(1 << 16));
    let error = by_default.check_url(&long).unwrap_err().to_string();
    assert!(error.contains("longer than 65534 bytes") && error.len() < 200, "{error}");

    let credentials = || Credentials::new("id", "secret").unwrap();
    let named =
        TokenProvider::builder(credentials()).allowed_hosts(["gw.example.com", "[::1]:8443"]);
    let named = named.build().unwrap();
    named.check_url("https://gw.example.com/x").unwrap();
    named.check_url("https://[::1]:8443/x").unwrap();
    named.check_url("https://api.clazar.io/").unwrap_err();
    let none = TokenProvider::builder(credentials()).allowed_hosts::<&str>([]).build().unwrap();
    none.check_url("https://api.clazar.io/").unwrap_err();
}

#[test]
fn an_allowed_host_is_one_host() {
    let build = |entry: &str| {
        let credentials = Credentials::new("id", "secret").unwrap();
        TokenProvider::builder(credentials).allowed_hosts(["api.clazar.io", entry]).build()
    };
    for good in ["localhost:8080", "10.0.0.1", "[::1]", "a_b-c.example", "API.example.:65535"] {
        build(good).expect(good);
    }
    for (bad, why) in [
        ("*", "more than one host"),
        ("*.clazar.io", "more than one host"),
        ("api.*", "more than one host"),
        (".clazar.io", "more than one host"),
        (".", "more than one host"),
        ("https://host", "is a URL"),
        ("host/path", "is a URL"),
        ("//host", "is a URL"),
        ("https://host/path?key=hidden", "is a URL"),
        ("host#hidden", "is not a host"),
        ("host:0", "a port that is not from 1 to 65535"),
        (":0", "is not a host"),
        ("host:+443", "a port that is not"),
        ("host:-1", "a port that is not"),
        ("host:0443", "a port that is not"),
        ("host:65536", "a port that is not"),
        ("host:", "a port that is not"),
        ("host:port", "a port that is not"),
        ("::1", "brackets"),
        ("[::1", "is not a host"),
        ("[::1]x", "is not a host"),
        ("", "is not a host"),
        (" host", "is not a host"),
        ("a..b", "is not a host"),
        ("a,b", "is not a host"),
        ("ho%73t", "is not a host"),
        ("h\u{f6}st", "is not a host"),
        ("user:hidden@host", "user information"),
    ] {
        let error = build(bad).map(drop).expect_err(bad);
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{bad}");
        let text = error.to_string();
        assert!(text.contains(why) && text.contains("like api.clazar.io"), "{bad}: {text}");
        assert!(!text.contains("hidden"), "{text}");
    }
    let provider = build("host:8443").unwrap();
    for url in ["https://host:+8443/", "https://host:08443/", "https://host:0/", "https://*.x/"] {
        let error = provider.check_url(url).unwrap_err().to_string();
        assert!(error.contains("has no valid host and port"), "{url}: {error}");
    }
}

#[test]
fn debug_shows_no_token() {
    let sandbox = Sandbox::start().unwrap();
    let provider = provider(&sandbox);
    let token = provider.token().unwrap();
    for text in [format!("{provider:?}"), format!("{token:?}")] {
        assert!(text.contains("[redacted]"), "{text}");
        assert!(
            !text.contains(token.value()) && !text.contains(&sandbox.client_secret()),
            "{text}"
        );
    }
}
