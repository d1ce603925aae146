//! What one token request tries again, and what it does not.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use clazar_auth::sandbox::{Answer, Sandbox};
use clazar_auth::{Credentials, Error, ErrorKind, Options, TokenProvider, authenticate};
use socket2::SockRef;

use crate::{SECRET, credentials, request_token, wait_until};
use test_support::server::{Server, TOKEN_BODY, http, ok, read_request};

const AUTHENTICATE: &str = "/authenticate/";

fn status(status: &str) -> String {
    http(status, "", "")
}

#[test]
fn what_may_pass_is_tried_again() {
    let truncated = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{".to_owned();
    for first in [
        status("408 Request Timeout"),
        status("425 Too Early"),
        status("500 Internal Server Error"),
        status("502 Bad Gateway"),
        status("503 Service Unavailable"),
        status("504 Gateway Timeout"),
        truncated,
        String::new(),
    ] {
        let server = Server::script(vec![first.clone(), ok(TOKEN_BODY)]);
        request_token(&server.url()).expect(&first);
        assert_eq!(server.requests().len(), 2, "{first}");
    }
}

#[test]
fn a_reset_connection_is_tried_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/authenticate/", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut first, _) = listener.accept().unwrap();
        read_request(&mut first).unwrap();
        // Without lingering, closing a connection resets it.
        SockRef::from(&first).set_linger(Some(Duration::ZERO)).unwrap();
        drop(first);
        let (mut second, _) = listener.accept().unwrap();
        read_request(&mut second).unwrap();
        second.write_all(ok(TOKEN_BODY).as_bytes()).unwrap();
    });
    request_token(&url).unwrap();
    server.join().unwrap();
}

#[test]
fn a_named_wait_that_fits_is_waited_for() {
    let limited = http("429 Too Many Requests", "Retry-After: 1\r\n", "");
    let server = Server::script(vec![limited, ok(TOKEN_BODY)]);
    let start = Instant::now();
    request_token(&server.url()).unwrap();
    assert!(start.elapsed() >= Duration::from_secs(1));
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn an_attempt_ends_after_ten_seconds_and_another_follows() {
    let server = Server::new(|mut stream, requests| {
        let request = read_request(&mut stream).unwrap();
        requests.lock().unwrap().push(request);
        if requests.lock().unwrap().len() > 1 {
            let _ = stream.write_all(ok(TOKEN_BODY).as_bytes());
        } else {
            while read_request(&mut stream).is_some() {}
        }
    });
    let start = Instant::now();
    request_token(&server.url()).unwrap();
    assert!(start.elapsed() >= Duration::from_secs(10));
}

/// The second attempt has what the first has left, less a pause.
#[test]
fn the_error_names_the_whole_timeout() {
    let busy_then_silent = Server::new(|mut stream, requests| {
        let request = read_request(&mut stream).unwrap();
        let is_first = {
            let mut requests = requests.lock().unwrap();
            requests.push(request);
            requests.len() == 1
        };
        if is_first {
            stream.write_all(status("503 Service Unavailable").as_bytes()).unwrap();
        } else {
            while read_request(&mut stream).is_some() {}
        }
    });
    let options = Options::default().auth_url(busy_then_silent.url());
    let options = options.timeout(Duration::from_secs(3));
    let error = authenticate(&credentials(), &options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    assert!(error.to_string().contains("before the timeout of 3 s had passed"), "{error}");
    assert_eq!(busy_then_silent.connections(), 2);
}

/// What the server says of them will not pass by itself, so the next request is not made soon either.
#[test]
fn refused_credentials_are_no_outage_whatever_the_status() {
    let refused = http("503 Service Unavailable", "", r#"{"error":"invalid_client"}"#);
    let server = Server::script(vec![refused, ok(TOKEN_BODY)]);
    let options = Options::default().auth_url(server.url());
    let provider = TokenProvider::builder(credentials()).options(options).build().unwrap();
    let error = provider.token().unwrap_err();
    assert_eq!((error.kind(), error.http_status()), (ErrorKind::Credentials, Some(503)));
    assert!(error.retry_after() >= Some(Duration::from_secs(15)), "{error:?}");
    assert_eq!(server.requests().len(), 1);
}

/// A sandbox whose secret was rotated after the credentials were made by `make`.
fn rotated(
    sandbox: &Sandbox,
    make: impl FnOnce(&str) -> Credentials,
    change: impl FnOnce(&str),
) -> Result<(), Error> {
    let credentials = make(&sandbox.client_secret());
    change(&sandbox.rotate_secret());
    let options = Options::default().auth_url(sandbox.auth_url());
    authenticate(&credentials, &options).map(drop)
}

fn secret_file(name: &str) -> std::path::PathBuf {
    std::env::temp_dir().join(format!("clazar-auth-test-{}-{name}", std::process::id()))
}

#[test]
fn a_refused_secret_from_a_file_is_read_again() {
    let sandbox = Sandbox::start().unwrap();
    let file = secret_file("rotated");
    let make = |secret: &str| {
        fs::write(&file, secret).unwrap();
        Credentials::from_file(sandbox.client_id(), &file).unwrap()
    };
    rotated(&sandbox, make, |secret| fs::write(&file, format!("{secret}\n")).unwrap()).unwrap();
    assert_eq!(sandbox.requests(AUTHENTICATE), 2);
    fs::remove_file(&file).unwrap();
}

#[test]
fn an_unchanged_or_missing_file_is_no_reason_for_another_attempt() {
    for gone in [false, true] {
        let sandbox = Sandbox::start().unwrap();
        let file = secret_file(if gone { "gone" } else { "unchanged" });
        let make = |secret: &str| {
            fs::write(&file, secret).unwrap();
            Credentials::from_file(sandbox.client_id(), &file).unwrap()
        };
        let change = |_: &str| {
            if gone {
                fs::remove_file(&file).unwrap();
            }
        };
        let error = rotated(&sandbox, make, change).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Credentials);
        assert_eq!(sandbox.requests(AUTHENTICATE), 1);
        let _ = fs::remove_file(&file);
    }
}

#[test]
fn a_refused_secret_from_a_function_is_asked_for_again() {
    let calls = AtomicU32::new(0);
    let sandbox = Sandbox::start().unwrap();
    let next = move || Ok::<_, Error>(format!("{SECRET}-{}", calls.fetch_add(1, Ordering::SeqCst)));
    let credentials = Credentials::from_fn(sandbox.client_id(), next).unwrap();
    let options = Options::default().auth_url(sandbox.auth_url());
    let error = authenticate(&credentials, &options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Credentials);
    assert_eq!(sandbox.requests(AUTHENTICATE), 3, "a new secret each time, and three attempts");

    let failing = Credentials::from_fn("id", || Err::<String, _>("the vault is sealed")).unwrap();
    let error = authenticate(&failing, &options).unwrap_err();
    assert!(error.is_retryable() && error.to_string().contains("the vault is sealed"), "{error}");
    assert_eq!(sandbox.requests(AUTHENTICATE), 3, "nothing is sent without a secret");
}

#[test]
fn a_fallback_is_tried_once_and_stays_in_use_while_it_works() {
    let sandbox = Sandbox::start().unwrap();
    let (old, new) = (sandbox.client_secret(), sandbox.rotate_secret());
    let credentials = |first: &str, second: &str| {
        Credentials::new(sandbox.client_id(), first).unwrap().fallback(second).unwrap()
    };
    let options = Options::default().auth_url(sandbox.auth_url());
    let provider = TokenProvider::builder(credentials(&old, &new)).options(options.clone());
    let provider = provider.build().unwrap();
    provider.token().unwrap();
    assert_eq!(sandbox.requests(AUTHENTICATE), 2);
    provider.refresh().unwrap();
    assert_eq!(sandbox.requests(AUTHENTICATE), 3, "the one that worked comes first");

    let error = authenticate(&credentials(&old, SECRET), &options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Credentials);
    assert_eq!(sandbox.requests(AUTHENTICATE), 5);
    assert!(Credentials::new("id", "secret").unwrap().fallback("").is_err());
}

#[test]
fn a_provider_remembers_the_secret_that_worked() {
    let sandbox = Sandbox::start().unwrap();
    let file = secret_file("remembered");
    fs::write(&file, sandbox.client_secret()).unwrap();
    let credentials = Credentials::from_file(sandbox.client_id(), &file).unwrap();
    let options = Options::default().auth_url(sandbox.auth_url());
    let provider = TokenProvider::builder(credentials).options(options).build().unwrap();
    fs::write(&file, sandbox.rotate_secret()).unwrap();
    provider.token().unwrap();
    fs::remove_file(&file).unwrap();
    provider.refresh().unwrap();
    assert_eq!(sandbox.requests(AUTHENTICATE), 3);
}

#[test]
fn close_ends_a_pause_between_attempts() {
    let sandbox = Sandbox::start().unwrap();
    let limited = Answer::new(429, "").header("Retry-After", "3000");
    sandbox.answer_next(AUTHENTICATE, limited).unwrap();
    let options =
        Options::default().auth_url(sandbox.auth_url()).timeout(Duration::from_secs(3600));
    let provider = TokenProvider::builder(credentials()).options(options).build().unwrap();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| provider.token());
        wait_until(|| sandbox.requests(AUTHENTICATE) > 0);
        provider.close();
        assert_eq!(waiting.join().unwrap().unwrap_err().kind(), ErrorKind::Closed);
    });
}
