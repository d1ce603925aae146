//! Each kind of error, from the event that causes it.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant, SystemTime};

use clazar_auth::sandbox::Sandbox;
use clazar_auth::{Credentials, ErrorKind, Options, TokenProvider, authenticate};

use crate::{SECRET, credentials, request_token};
use test_support::server::{Server, TOKEN_BODY, http, ok, read_request};

fn options_refused(options: Options, word: &str) {
    let error = authenticate(&credentials(), &options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    assert!(error.to_string().contains(word), "{error}");
    assert!(!error.is_retryable());
    let error = TokenProvider::builder(credentials()).options(options).build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
}

#[test]
fn plain_http_goes_to_loopback_only() {
    let url = |url: &str| Options::default().auth_url(url);
    for remote in [
        "http://api.clazar.io/authenticate/",
        "http://127.0.0.1.example.com/",
        "http://10.0.0.1/",
        "http://localhost.example.com/",
        "http://[::2]/",
        "http://[::ffff:127.0.0.1]/",
        "http://128.0.0.1/",
        "http://127.1/",
        "http://2130706433/",
        "HTTP://API.CLAZAR.IO/",
    ] {
        options_refused(url(remote), "could read the secret");
    }
    for bad in [
        "",
        "/authenticate/",
        "api.clazar.io",
        "ftp://127.0.0.1/",
        "https://",
        "https:///path",
        "https://:443/",
        "https://host:99999/",
        "https://host:/",
        "https://ho st/",
        "mailto:a@b",
        "https://[::1/",
        "https://127.0.0.1:8o/",
    ] {
        options_refused(url(bad), "authentication URL");
    }
    let error = request_token("https://user:hidden@127.0.0.1/").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(!error.to_string().contains("hidden"), "{error}");
}

#[test]
fn all_of_loopback_may_be_plain_http() {
    let server = Server::answering(ok(TOKEN_BODY));
    for host in ["127.0.0.1", "localhost", "LOCALHOST"] {
        request_token(&format!("http://{host}:{}/", server.port())).unwrap();
    }
    let elsewhere = Server::on("127.8.7.6", test_support::server::answer_with(ok(TOKEN_BODY)));
    request_token(&elsewhere.url()).unwrap();
}

#[test]
fn other_options_are_checked_too() {
    let options = Options::default;
    options_refused(options().timeout(Duration::ZERO), "timeout");
    options_refused(options().timeout(Duration::MAX), "timeout");
    options_refused(options().user_agent(""), "user agent");
    options_refused(options().user_agent("a\r\nX-Injected: 1"), "user agent");
    options_refused(options().proxy("socks5://127.0.0.1:1080"), "proxy");
    options_refused(options().proxy("http://"), "proxy");
    options_refused(options().ca_file("/nonexistent/ca.pem"), "/nonexistent/ca.pem");
    options_refused(options().ca_file(file!()), "PEM");
}

#[test]
fn credentials_are_text_on_one_line() {
    for (id, secret) in [
        ("", "s"),
        ("i", ""),
        ("i\n", "s"),
        ("i", "s\n"),
        ("i", "a\r\nb"),
        ("i", "a\0b"),
        ("i", "\u{feff}s"),
    ] {
        let error = Credentials::new(id, secret).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    }
    let shown = format!("{:?}", credentials());
    assert!(shown.contains("[redacted]") && !shown.contains(SECRET), "{shown}");
}

#[test]
fn what_holds_a_secret_or_a_token_shows_neither() {
    let sandbox = Sandbox::start().unwrap();
    let credentials = Credentials::new(sandbox.client_id(), sandbox.client_secret()).unwrap();
    let options = Options::default().auth_url(sandbox.auth_url());
    let provider = TokenProvider::builder(credentials).options(options).build().unwrap();
    let token = provider.token().unwrap();
    let future = provider.token_async();
    let shown = format!("{sandbox:?} {provider:?} {token:?} {future:?}");
    assert!(shown.contains(&sandbox.url()), "{shown}");
    for hidden in [sandbox.client_secret().as_str(), token.value()] {
        assert!(!shown.contains(hidden), "{shown}");
    }
}

#[test]
fn a_secret_file_is_read_without_its_last_newline() {
    let folder = std::env::temp_dir().join(format!("clazar-auth-test-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("secret");
    let read = |content: &[u8]| {
        std::fs::write(&path, content).unwrap();
        let server = Server::answering(ok(TOKEN_BODY));
        let options = Options::default().auth_url(server.url());
        authenticate(&Credentials::from_file("id", &path)?, &options).unwrap();
        let request = String::from_utf8(server.requests().remove(0)).unwrap();
        let body: serde_json::Value =
            serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap();
        Ok::<_, clazar_auth::Error>(body["client_secret"].as_str().unwrap().to_owned())
    };
    for good in ["a secret", "a secret\n", "a secret\r\n"] {
        assert_eq!(read(good.as_bytes()).unwrap(), "a secret");
    }
    for bad in [&b""[..], b"\n", b"two\nlines\n", b"a\n\n", b"\xff", &[b'x'; 65_537]] {
        assert_eq!(read(bad).unwrap_err().kind(), ErrorKind::InvalidArgument);
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn no_listener_is_a_transport_error() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = request_token(&format!("http://127.0.0.1:{port}/")).unwrap_err();
    let said = TcpStream::connect(("127.0.0.1", port)).unwrap_err().to_string();
    let said = said.split(" (os").next().unwrap().trim_end_matches('.');
    assert!(error.to_string().contains(&format!("could not be reached: {said};")), "{error}");
    assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
    assert!(error.is_retryable() && error.http_status().is_none());
}

#[test]
fn an_unknown_name_is_a_transport_error() {
    let error = request_token("https://host.invalid/authenticate/").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
    assert!(error.to_string().contains("https://host.invalid/authenticate/"), "{error}");
}

#[test]
fn a_connection_closed_without_an_answer_is_a_transport_error() {
    for bytes in ["", "HTTP/1.1 200 OK\r\nContent-"] {
        let error = request_token(&Server::answering(bytes).url()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
    }
}

#[test]
fn a_server_that_never_answers_ends_at_the_timeout() {
    let silent = Server::new(|stream, _| {
        let mut stream = stream;
        // Reads until the client hangs up.
        while read_request(&mut stream).is_some() {}
    });
    let begun = Server::new(|mut stream, _| {
        read_request(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{").unwrap();
        while read_request(&mut stream).is_some() {}
    });
    for server in [silent, begun] {
        let options = Options::default().auth_url(server.url()).timeout(Duration::from_millis(300));
        let start = Instant::now();
        let error = authenticate(&credentials(), &options).unwrap_err();
        let took = start.elapsed();
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
        assert!(error.is_retryable());
        assert!(error.to_string().contains("gave no answer within 0.3 s"), "{error}");
        assert!(took >= Duration::from_millis(290) && took < Duration::from_secs(10), "{took:?}");
    }
}

#[test]
fn each_status_has_its_kind() {
    use ErrorKind::*;
    for (status, body, kind) in [
        ("401 Unauthorized", "", Credentials),
        ("403 Forbidden", r#"{"message":"Forbidden"}"#, Credentials),
        ("403 Forbidden", "<html>", Rejected),
        ("403 Forbidden", "", Rejected),
        ("400 Bad Request", r#"{"error":"invalid_client"}"#, Credentials),
        ("400 Bad Request", r#"{"error":"invalid_request"}"#, Rejected),
        ("404 Not Found", "", Rejected),
        ("405 Method Not Allowed", "", Rejected),
        ("418 I'm a teapot", "", Rejected),
        ("408 Request Timeout", "", Timeout),
        ("425 Too Early", "", Server),
        ("301 Moved Permanently", "", Rejected),
        ("429 Too Many Requests", "", RateLimited),
        ("500 Internal Server Error", TOKEN_BODY, Server),
        ("503 Service Unavailable", "", Server),
        ("201 Created", TOKEN_BODY, InvalidResponse),
        ("204 No Content", "", InvalidResponse),
    ] {
        let server = test_support::server::Server::answering(http(status, "", body));
        let error = request_token(&server.url()).unwrap_err();
        assert_eq!(error.kind(), kind, "{status}: {error}");
        assert_eq!(error.http_status().unwrap().to_string(), status[..3]);
        assert_eq!(
            error.is_retryable(),
            matches!(kind, RateLimited | Server | Timeout),
            "{status}"
        );
    }
}

/// A refusal by something that stands before the API is no reason to doubt the secret or the URL.
#[test]
fn each_refusal_advises_what_helps() {
    let json = r#"{"error":"invalid_request"}"#;
    for (status, body, advice, path) in [
        ("401 Unauthorized", "<html>", "check both, and whether the secret was rotated", "/a/"),
        ("403 Forbidden", "{}", "check both, and whether the secret was rotated", "/a/"),
        ("403 Forbidden", "<html>{}</html>", "firewall or gateway", "/a/"),
        ("400 Bad Request", "<html>", "client certificate", "/a/"),
        ("400 Bad Request", json, "check the URL and the client id", "/a/"),
        ("413 Content Too Large", "<html>", "raise its limit", "/a/"),
        ("404 Not Found", json, "check the URL (HTTP 404, error invalid_request)", "/a/"),
        ("405 Not Allowed", "<html>", "takes no POST at this path; check the URL (HTTP", "/a/"),
        ("404 Not Found", json, "lacks a slash at its end", "/a"),
        ("405 Not Allowed", "", "lacks a slash at its end", "/a?query/"),
        ("408 Request Timeout", "", "try again later", "/a/"),
        ("418 I'm a teapot", "", "what stands between this machine and the API", "/a"),
    ] {
        let server = Server::answering(http(status, "", body));
        let error = request_token(&server.url().replace("/authenticate/", path)).unwrap_err();
        let text = error.to_string();
        assert!(text.contains(advice), "{text}");
        let doubts_secret = error.kind() == ErrorKind::Credentials;
        assert_eq!(text.contains("secret"), doubts_secret, "{text}");
        assert_eq!(text.contains("slash"), advice.contains("slash"), "{text}");
    }
}

#[test]
fn a_wait_that_the_server_names_is_passed_on() {
    let wait = |status: &str, headers: &str| {
        request_token(&Server::answering(http(status, headers, "")).url())
            .unwrap_err()
            .retry_after()
    };
    let seconds = |n| Some(Duration::from_secs(n));
    let dated = "Date: Thu, 01 Jan 1970 00:10:00 GMT\r\n";
    let limited = "429 Too Many Requests";
    let busy = "503 Service Unavailable";
    assert_eq!(wait(limited, ""), None);
    for status in [limited, busy] {
        assert_eq!(wait(status, "Retry-After: 70\r\n"), seconds(70));
        for malformed in ["soon", "1.5", "+5", "-5", "5 s", "0x5", "1e2", ""] {
            assert_eq!(wait(status, &format!("Retry-After: {malformed}\r\n")), None, "{malformed}");
        }
        let endless = ["301", "99999999999", "18446744073709551615", "18446744073709551616"];
        for long in endless.iter().chain([&"Thu, 01 Jan 2099 00:00:00 GMT"]) {
            assert_eq!(wait(status, &format!("Retry-After: {long}\r\n")), seconds(300), "{long}");
        }
    }
    for two in ["Retry-After: 70\r\nRetry-After: 5\r\n", "Retry-After: 5\r\nRetry-After: 70\r\n"] {
        assert_eq!(wait(limited, two), seconds(70));
    }
    for other in ["401 Unauthorized", "404 Not Found", "307 Temporary", "500 Error", "502 Bad"] {
        assert_eq!(wait(other, "Retry-After: 70\r\nx-ratelimit-reset: 99999999999\r\n"), None);
    }
    let date = format!("{dated}Retry-After: Thu, 01 Jan 1970 00:11:00 GMT\r\n");
    assert_eq!(wait(busy, &date), seconds(60));
    let past = format!("{dated}Retry-After: Thu, 01 Jan 1970 00:01:00 GMT\r\n");
    assert_eq!(wait(busy, &past), seconds(0));
    assert_eq!(wait(limited, &format!("{dated}x-ratelimit-reset: 630\r\n")), seconds(30));
    assert_eq!(wait(busy, &format!("{dated}x-ratelimit-reset: 630\r\n")), None);
    assert_eq!(wait(limited, &format!("x-ratelimit-reset: {}\r\n", u64::MAX)), seconds(300));
    assert_eq!(wait(limited, "x-ratelimit-reset: 1.5\r\n"), None);

    let later = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(200));
    let by_own_clock = wait(busy, &format!("Retry-After: {later}\r\n")).unwrap();
    assert!(by_own_clock <= Duration::from_secs(200) && by_own_clock > Duration::from_secs(100));
}

#[test]
fn a_redirect_is_not_followed() {
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"] {
        let other = Server::answering(ok(TOKEN_BODY));
        let location = format!("Location: {}\r\n", other.url());
        let server = Server::answering(http(status, &location, ""));
        let error = request_token(&server.url()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Rejected, "{status}: {error}");
        assert_eq!(server.requests().len(), 1);
        assert_eq!(other.connections(), 0, "{status}");
    }
}
