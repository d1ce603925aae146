//! One token for many hosts, through a real Redis. Each provider here stands for a host.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use clazar_auth::sandbox::{Answer, Sandbox};
use clazar_auth::{Credentials, ErrorKind, Options, Store, TokenProvider};

use crate::{credentials, wait_until};
use test_support::certificates::Authority;
use test_support::redis::Redis;
use test_support::server::{Server, TOKEN_BODY, ok, read_request};

const AUTHENTICATE: &str = "/authenticate/";

fn host(sandbox: &Sandbox, url: &str) -> TokenProvider {
    host_with(sandbox, url, Options::default())
}

fn host_with(sandbox: &Sandbox, url: &str, options: Options) -> TokenProvider {
    let credentials = Credentials::new(sandbox.client_id(), sandbox.client_secret()).unwrap();
    TokenProvider::builder(credentials)
        .options(options.auth_url(sandbox.auth_url()))
        .store(Store::redis(url).unwrap())
        .build()
        .unwrap()
}

fn value(provider: &TokenProvider) -> String {
    provider.token().unwrap().value().to_owned()
}

#[test]
fn eight_hosts_at_once_make_one_request() {
    let (sandbox, redis) = (Sandbox::start().unwrap(), Redis::start(&[]));
    sandbox.set_delay(Duration::from_millis(200));
    let barrier = Barrier::new(8);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let provider = host(&sandbox, &redis.url());
                barrier.wait();
                provider.token().unwrap();
            });
        }
    });
    assert_eq!(sandbox.requests(AUTHENTICATE), 1);
    assert_eq!(redis.keys().len(), 1, "the lease is released: {:?}", redis.keys());
}

#[test]
fn the_next_host_finds_the_token_and_redis_learns_nothing() {
    let (sandbox, redis) = (Sandbox::start().unwrap(), Redis::start(&[]));
    sandbox.set_lifetime(Duration::from_secs(1000));
    let token = value(&host(&sandbox, &redis.url()));
    let next = host(&sandbox, &redis.url());
    assert_eq!(value(&next), token);
    assert_eq!(next.stats().store_hits, 1);
    assert_eq!(sandbox.requests(AUTHENTICATE), 1);

    let key = &redis.keys()[0];
    let kept = redis.ask(&format!("GET {key}"));
    assert!(kept.len() > 1024);
    for text in [token.as_str(), &token[..16], &sandbox.client_secret(), &sandbox.client_id()] {
        assert!(!kept.windows(text.len()).any(|part| part == text.as_bytes()));
        assert!(!key.contains(text));
    }
    let life = String::from_utf8(redis.ask(&format!("PTTL {key}"))).unwrap();
    let life = life.lines().rfind(|line| line.starts_with(':')).unwrap();
    let life: u64 = life.trim_start_matches(':').parse().unwrap();
    assert!(life <= 1_000_000 && life > 900_000, "{life}");
}

#[test]
fn what_redis_says_of_a_tokens_life_counts_if_it_is_less() {
    let (sandbox, redis) = (Sandbox::start().unwrap(), Redis::start(&[]));
    host(&sandbox, &redis.url()).token().unwrap();
    redis.ask(&format!("PEXPIRE {} 60000", redis.keys()[0]));
    let found = host(&sandbox, &redis.url()).token().unwrap();
    assert!(found.expires_in() <= Duration::from_secs(60));
    assert_eq!(sandbox.requests(AUTHENTICATE), 1);
}

/// By a Redis that is full.
#[test]
fn what_is_evicted_costs_one_request() {
    let (sandbox, redis) = (Sandbox::start().unwrap(), Redis::start(&[]));
    let first = value(&host(&sandbox, &redis.url()));
    redis.ask("CONFIG SET maxmemory-policy volatile-ttl\r\nCONFIG SET maxmemory 1");
    wait_until(|| redis.keys().is_empty());
    redis.ask("CONFIG SET maxmemory 0");
    let values: Vec<_> = (0..3).map(|_| value(&host(&sandbox, &redis.url()))).collect();
    assert!(values.iter().all(|value| *value == values[0] && *value != first));
    assert_eq!(sandbox.requests(AUTHENTICATE), 2);
}

/// With a token of 1,000 characters; other servers than that of the page may need a little more.
#[test]
fn a_token_and_a_look_are_as_small_as_docs_fleet_says() {
    let body = TOKEN_BODY.replace("not-a-real-token", &"x".repeat(1000));
    let server = Server::answering(ok(&body));
    let redis = Redis::start(&[]);
    let host = || {
        let options = Options::default().auth_url(server.url());
        TokenProvider::builder(credentials())
            .options(options)
            .store(Store::redis(&redis.url()).unwrap())
            .build()
            .unwrap()
    };
    let number = |answer: Vec<u8>, before: &str| -> u64 {
        let answer = String::from_utf8(answer).unwrap();
        let digits = answer.rsplit_once(before).unwrap().1.lines().next().unwrap();
        digits.parse().unwrap()
    };
    let bytes = || {
        ["total_net_input_bytes:", "total_net_output_bytes:"]
            .map(|name| number(redis.ask("INFO stats"), name))
    };
    value(&host());
    let (first, second) = (bytes(), bytes());
    value(&host());
    let third = bytes();
    // Without what it takes to ask for them.
    let [there, back] = [0, 1].map(|at| third[at] + first[at] - 2 * second[at]);
    let memory = number(redis.ask(&format!("MEMORY USAGE {}", redis.keys()[0])), ":");
    println!("a look: {there} bytes there, {back} back; a token: {memory} bytes of memory");
    assert_eq!(server.requests().len(), 1);
    assert!(there <= 1_500 && back <= 2_600 && memory <= 3_200, "{there} {back} {memory}");
}

/// As one that has a proxy before all its nodes.
#[test]
fn a_cluster_may_be_one_server() {
    let (sandbox, redis) = (Sandbox::start().unwrap(), Redis::start(&[]));
    let url = redis.url().replace("redis://", "redis+cluster://");
    let url = url.strip_suffix("/2").unwrap();
    assert_eq!(value(&host(&sandbox, url)), value(&host(&sandbox, url)));
    assert_eq!(sandbox.requests(AUTHENTICATE), 1);
}

#[test]
fn a_failure_is_shared() {
    let (sandbox, redis) = (Sandbox::start().unwrap(), Redis::start(&[]));
    sandbox.answer_next(AUTHENTICATE, Answer::new(400, "")).unwrap();
    let first = host(&sandbox, &redis.url());
    assert_eq!(first.token().unwrap_err().kind(), ErrorKind::Rejected);
    let second = host(&sandbox, &redis.url());
    assert_eq!(second.token().unwrap_err().kind(), ErrorKind::Rejected);
    assert_eq!(sandbox.requests(AUTHENTICATE), 1);
    second.refresh().unwrap();
    assert_eq!(host(&sandbox, &redis.url()).token().unwrap().value(), value(&second));
}

#[test]
fn a_lease_whose_owner_is_gone_runs_out() {
    let (sandbox, redis) = (Sandbox::start().unwrap(), Redis::start(&[]));
    host(&sandbox, &redis.url()).token().unwrap();
    let lease = redis.keys()[0].replace(":token", ":lease");
    let start = Instant::now();
    redis.ask(&format!("FLUSHDB\r\nSET {lease} another PX 1000"));
    host(&sandbox, &redis.url()).token().unwrap();
    assert!(start.elapsed() >= Duration::from_millis(900), "{:?}", start.elapsed());
    assert_eq!(sandbox.requests(AUTHENTICATE), 2);

    // One that does not run out in time is waited for no longer than a token request may take.
    redis.ask(&format!("FLUSHDB\r\nSET {lease} another PX 600000"));
    let hasty = Options::default().timeout(Duration::from_secs(2));
    host_with(&sandbox, &redis.url(), hasty).token().unwrap();
    // It was taken over and released, which takes Redis a millisecond.
    wait_until(|| !redis.keys().contains(&lease));

    // One that never runs out is nobody's.
    redis.ask(&format!("FLUSHDB\r\nSET {lease} another"));
    let patient = Options::default().timeout(Duration::from_secs(600));
    host_with(&sandbox, &redis.url(), patient).token().unwrap();
    assert!(start.elapsed() < Duration::from_secs(120), "{:?}", start.elapsed());
}

#[test]
fn without_redis_each_host_carries_on_alone() {
    let sandbox = Sandbox::start().unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("redis://{}", silent.local_addr().unwrap());
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let redis = Redis::start(&[]);
    let wrong_password = format!("redis://:wrong@127.0.0.1:{}", redis.port());
    for url in [silent, format!("redis://{closed}"), wrong_password] {
        let provider = host(&sandbox, &url);
        let start = Instant::now();
        provider.token().unwrap();
        assert!(start.elapsed() < Duration::from_secs(30), "{url}: {:?}", start.elapsed());
        assert_eq!(provider.stats().store_misses, 1, "{url}");
    }
}

#[test]
fn redis_may_go_in_the_middle_of_a_request() {
    let (sandbox, mut redis) = (Sandbox::start().unwrap(), Redis::start(&[]));
    sandbox.set_delay(Duration::from_secs(1));
    let provider = host(&sandbox, &redis.url());
    thread::scope(|scope| {
        let waiting = scope.spawn(|| provider.token());
        wait_until(|| sandbox.requests(AUTHENTICATE) > 0);
        redis.kill();
        waiting.join().unwrap().unwrap();
    });
    sandbox.set_delay(Duration::ZERO);
    provider.refresh().unwrap();
}

/// Gives tokens with numbers; the second is kept back until it `is_due`.
fn api(is_due: &Arc<AtomicBool>) -> Server {
    let is_due = is_due.clone();
    Server::new(move |mut stream, requests| {
        let Some(request) = read_request(&mut stream) else { return };
        let number = {
            let mut requests = requests.lock().unwrap();
            requests.push(request);
            requests.len()
        };
        wait_until(|| number != 2 || is_due.load(Ordering::SeqCst));
        let body = TOKEN_BODY.replace("a-real-token", &format!("a-real-token-{number}"));
        let _ = stream.write_all(ok(&body).as_bytes());
    })
}

#[test]
fn an_older_token_replaces_no_newer_one() {
    let (is_due, redis) = (Arc::default(), Redis::start(&[]));
    let api = api(&is_due);
    let host = || {
        TokenProvider::builder(credentials())
            .options(Options::default().auth_url(api.url()))
            .store(Store::redis(&redis.url()).unwrap())
            .build()
            .unwrap()
    };
    let (slow, quick) = (host(), host());
    assert_eq!(value(&slow), "not-a-real-token-1");
    let lease = redis.keys()[0].replace(":token", ":lease");
    redis.ask("FLUSHDB");
    thread::scope(|scope| {
        let waiting = scope.spawn(|| slow.refresh().unwrap().value().to_owned());
        wait_until(|| api.requests().len() == 2);
        // As if the lease had run out meanwhile.
        redis.ask(&format!("DEL {lease}"));
        // The date of a token is as exact as the store is prompt.
        thread::sleep(Duration::from_secs(1));
        assert_eq!(value(&quick), "not-a-real-token-3");
        is_due.store(true, Ordering::SeqCst);
        assert_eq!(waiting.join().unwrap(), "not-a-real-token-2");
    });
    assert_eq!(value(&host()), "not-a-real-token-3");
}

#[test]
fn over_tls_its_certificate_is_judged() {
    let authority = Authority::new("redis");
    let redis = Redis::start_with_tls(&authority, &["127.0.0.1"], "no");
    let sandbox = Sandbox::start().unwrap();
    let url = redis.url().replace("redis://", "rediss://");
    let trusting = || host_with(&sandbox, &url, Options::default().ca_file(&authority.pem_file));
    assert_eq!(value(&trusting()), value(&trusting()));
    assert_eq!(sandbox.requests(AUTHENTICATE), 1);

    let stranger = host(&sandbox, &url);
    stranger.token().unwrap();
    assert_eq!(stranger.stats().store_misses, 1, "without the authority Redis is not believed");

    let ca_file = format!("clazar-auth-redis-ca-{}.pem", std::process::id());
    let ca_file = std::env::temp_dir().join(ca_file);
    fs::copy(&Authority::new("other-redis").pem_file, &ca_file).unwrap();
    let learning = host_with(&sandbox, &url, Options::default().ca_file(&ca_file));
    learning.token().unwrap();
    crate::trust::replace(&ca_file, &authority.pem_file);
    let token = learning.refresh().unwrap();
    assert_eq!(value(&trusting()), token.value(), "the file is read again after the refusal");
    fs::remove_file(&ca_file).unwrap();
}

#[test]
fn a_url_is_checked_and_its_password_never_shown() {
    for url in
        ["redis://localhost", "rediss://user:p%40ss@[::1]:6380/3", "redis://:x@h?plaintext=yes"]
    {
        let store = Store::redis(url).unwrap();
        Store::parse(url).unwrap();
        assert!(!format!("{store:?}").contains("p@ss") && !format!("{store:?}").contains("p%40ss"));
    }
    for url in
        ["redis://", "http://localhost", "redis+unix:///socket", "rediss://h:port", "redis://h"]
    {
        let error = Store::redis(url).expect_err(url);
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    }
}
