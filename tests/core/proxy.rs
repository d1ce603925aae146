//! Which proxy the token request takes, and that plain http takes none.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use clazar_auth::{Error, ErrorKind, Options, authenticate};

use crate::{credentials, result_of};
use test_support::certificates::{Authority, VALID};
use test_support::server::{Server, TOKEN_BODY, ok, read_request};

/// A proxy that opens the tunnel it is asked for.
fn proxy() -> Server {
    Server::new(|mut client, requests| {
        let Some(request) = read_request(&mut client) else { return };
        let line = String::from_utf8_lossy(&request).into_owned();
        requests.lock().unwrap().push(request);
        let target = line.strip_prefix("CONNECT ").unwrap().split(' ').next().unwrap();
        let server = TcpStream::connect(target).unwrap();
        client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").unwrap();
        let back = (server.try_clone().unwrap(), client.try_clone().unwrap());
        thread::spawn(move || pump(back.0, back.1));
        pump(client, server);
    })
}

fn pump(mut from: TcpStream, mut to: TcpStream) {
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

fn secure(server: &Server) -> String {
    format!("https://127.0.0.1:{}/authenticate/", server.port())
}

#[test]
fn a_given_proxy_is_used_with_its_password() {
    let authority = Authority::new("by-proxy");
    let server = authority.server(&["127.0.0.1"], VALID, &ok(TOKEN_BODY));
    let proxy = proxy();
    let options = Options::default()
        .auth_url(secure(&server))
        .ca_file(&authority.pem_file)
        .proxy(format!("http://user:p%40ss@127.0.0.1:{}", proxy.port()));
    authenticate(&credentials(), &options).unwrap();

    let request = String::from_utf8(proxy.requests().remove(0)).unwrap();
    assert!(request.starts_with(&format!("CONNECT 127.0.0.1:{} HTTP/1.1\r\n", server.port())));
    assert!(request.contains("Proxy-Authorization: Basic dXNlcjpwQHNz\r\n"), "{request}");
    assert_eq!(server.requests().len(), 1);
}

/// The error for a proxy that answers `status`, and how often it was asked.
fn refused_by(status: &str, user: &str) -> (Error, usize) {
    let refusing = Server::answering(format!("HTTP/1.1 {status}\r\n\r\n"));
    let options = Options::default()
        .auth_url("https://api.clazar.io/authenticate/")
        .proxy(format!("http://{user}127.0.0.1:{}", refusing.port()));
    let error = authenticate(&credentials(), &options).unwrap_err();
    assert!(error.to_string().contains("proxy"), "{error}");
    assert!(!error.to_string().contains("hidden"), "{error}");
    assert!(!format!("{options:?}").contains("hidden"));
    (error, refusing.connections())
}

/// Not worth another attempt: each wrong one counts towards the lock of the account.
#[test]
fn a_proxy_that_wants_another_password_is_a_matter_of_the_options() {
    for (user, advice) in [
        ("user:hidden@", "refused the user name or the password (HTTP 407)"),
        ("", "wants a user name and a password (HTTP 407)"),
    ] {
        let (error, connections) = refused_by("407 Proxy Authentication Required", user);
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
        assert!(!error.is_retryable() && error.http_status().is_none());
        assert!(error.to_string().contains(advice), "{error}");
        assert_eq!(connections, 1);
    }
}

#[test]
fn a_proxy_that_refuses_otherwise_is_a_transport_error() {
    for status in ["403 Forbidden", "502 Bad Gateway"] {
        let (error, _) = refused_by(status, "user:hidden@");
        assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
        assert!(error.to_string().contains(&status[..3]), "{error}");
    }
}

/// Sends `start`, and then one byte after the other for as long as anybody listens.
fn dripping(start: &'static [u8]) -> Server {
    Server::new(|mut stream, _| {
        let mut bytes = start.iter().chain(std::iter::repeat(&b'x'));
        while stream.write_all(&[*bytes.next().unwrap()]).is_ok() {
            thread::sleep(Duration::from_millis(20));
        }
    })
}

#[test]
fn a_peer_that_drips_ends_at_the_timeout() {
    let timeout = Duration::from_secs(1);
    let ends = |options: Options| {
        let start = Instant::now();
        let error = authenticate(&credentials(), &options.timeout(timeout)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
        assert!(start.elapsed() < 10 * timeout, "{:?}", start.elapsed());
    };
    let proxy = dripping(b"HTTP/1.1 200 OK\r\nX-Slow: ");
    ends(
        Options::default()
            .auth_url("https://api.clazar.io/authenticate/")
            .proxy(format!("http://127.0.0.1:{}", proxy.port())),
    );
    // The start of a TLS handshake record of 16 KiB.
    let tls = dripping(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc");
    ends(Options::default().auth_url(format!("https://127.0.0.1:{}/", tls.port())).proxy(""));
    let body = dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n");
    ends(Options::default().auth_url(body.url()));
}

#[test]
fn plain_http_takes_no_proxy() {
    let server = Server::answering(ok(TOKEN_BODY));
    let proxy = proxy();
    let options = Options::default()
        .auth_url(server.url())
        .proxy(format!("http://127.0.0.1:{}", proxy.port()));
    authenticate(&credentials(), &options).unwrap();
    let url = format!("http://127.0.0.1:{}", proxy.port());
    let all = ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"].map(|name| (name, url.as_str()));
    assert_eq!(in_child(&server.url(), None, &all), "a token");
    assert_eq!(proxy.connections(), 0);
}

#[test]
fn the_environment_names_a_proxy_and_exceptions() {
    let authority = Authority::new("by-environment");
    let server = authority.server(&["127.0.0.1"], VALID, &ok(TOKEN_BODY));
    let (url, ca_file) = (secure(&server), authority.pem_file.to_str().unwrap());
    let proxied = |variables: &[(&str, &str)]| {
        let proxy = proxy();
        let address = format!("http://127.0.0.1:{}", proxy.port());
        let variables: Vec<_> = variables
            .iter()
            .map(|&(name, value)| (name, if value.is_empty() { address.as_str() } else { value }))
            .collect();
        assert_eq!(in_child(&url, Some(ca_file), &variables), "a token");
        proxy.connections() > 0
    };
    assert!(proxied(&[("HTTPS_PROXY", "")]));
    assert!(proxied(&[("https_proxy", "")]));
    assert!(proxied(&[("HTTPS_PROXY", ""), ("NO_PROXY", "example.com")]));
    assert!(!proxied(&[("HTTPS_PROXY", ""), ("NO_PROXY", "127.0.0.1")]));
    assert!(!proxied(&[("HTTPS_PROXY", ""), ("no_proxy", "*")]));
    assert!(!proxied(&[("HTTP_PROXY", "")]));
    assert!(!proxied(&[("ALL_PROXY", "")]));
}

#[test]
fn with_trust_env_off_the_environment_has_no_say() {
    let [ours, theirs] = ["env-off-ours", "env-off-theirs"].map(Authority::new);
    let server = ours.server(&["127.0.0.1"], VALID, &ok(TOKEN_BODY));
    let (url, proxy) = (secure(&server), proxy());
    let address = format!("http://127.0.0.1:{}", proxy.port());
    let [ours, theirs] = [&ours, &theirs].map(|one| one.pem_file.to_str().unwrap());
    let run = |ca_file, variables: &[(&str, &str)]| {
        in_child(&url, ca_file, &[&[("TEST_TRUST_ENV_OFF", "1")], variables].concat())
    };
    let proxies = [("HTTPS_PROXY", address.as_str()), ("https_proxy", &address)];
    assert_eq!(run(Some(ours), &proxies), "a token");
    assert_eq!(run(Some(ours), &[("HTTPS_PROXY", "no proxy")]), "a token");
    assert_eq!(run(Some(ours), &[("SSL_CERT_FILE", "/nonexistent")]), "a token");
    assert_eq!(proxy.connections(), 0);
    for ca_file in [None, Some(theirs)] {
        let printed = run(ca_file, &[("SSL_CERT_FILE", ours)]);
        assert!(printed.contains("no trusted authority"), "{printed}");
    }
}

/// What a token request prints in a process of its own, with `variables` and no others of interest.
pub fn in_child(url: &str, ca_file: Option<&str>, variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "proxy::child", "--ignored", "--nocapture"]);
    for name in ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"] {
        command.env_remove(name).env_remove(name.to_lowercase());
    }
    command.env_remove("SSL_CERT_FILE").env_remove("SSL_CERT_DIR");
    command.env("TEST_URL", url).env("TEST_CA_FILE", ca_file.unwrap_or_default());
    command.envs(variables.iter().copied());
    result_of(&mut command)
}

#[test]
#[ignore = "the other half of in_child"]
fn child() {
    let Ok(url) = std::env::var("TEST_URL") else { return };
    let ca_file = std::env::var("TEST_CA_FILE").unwrap();
    let mut options = Options::default().auth_url(url);
    if std::env::var_os("TEST_TRUST_ENV_OFF").is_some() {
        options = options.trust_env(false);
    }
    if std::env::var_os("TEST_SYSTEM_ROOTS_OFF").is_some() {
        options = options.system_roots(false);
    }
    if !ca_file.is_empty() {
        options = options.ca_file(ca_file);
    }
    match authenticate(&credentials(), &options) {
        Ok(_) => println!("result: a token"),
        Err(error) => println!("result: {error}"),
    }
}
