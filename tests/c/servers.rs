//! A server that forks its workers before they serve.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::thread;
use std::time::Duration;

use clazar_auth::sandbox::Sandbox;

use crate::programs::{checked, command, compile, folder, stage};

const WORKERS: usize = 8;
/// Of each worker.
const REQUESTS: usize = 10;
const LONG: Duration = Duration::from_secs(60);

/// The token requests, while the workers serve as many requests as they are to.
fn token_requests(case: &str, store: &str) -> usize {
    let (sandbox, listener) =
        (Sandbox::start().unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    let (url, id, secret) = (sandbox.auth_url(), sandbox.client_id(), sandbox.client_secret());
    let address = listener.local_addr().unwrap();
    let variables = [
        ("CLAZAR_AUTH_URL", url.as_str()),
        ("CLAZAR_CLIENT_ID", &id),
        ("CLAZAR_CLIENT_SECRET", &secret),
        ("CLAZAR_STORE", store),
        ("TEST_CHILDREN", "1"),
        ("TEST_CASE", case),
    ];
    let mut server = command(&compile("prefork", &stage("stage")), &variables);
    server.stdin(OwnedFd::from(listener));
    let served = thread::spawn(move || checked(server));
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| (0..REQUESTS).for_each(|_| get(address)));
        }
    });
    assert_eq!(String::from_utf8(served.join().unwrap().stderr).unwrap(), "");
    assert_eq!(sandbox.requests("/listings/"), (WORKERS * REQUESTS) as u64);
    sandbox.requests("/authenticate/") as usize
}

fn get(address: SocketAddr) {
    let mut connection = TcpStream::connect(address).unwrap();
    connection.set_read_timeout(Some(LONG)).unwrap();
    connection.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[test]
fn workers_go_on_with_the_token_of_their_server() {
    assert_eq!(token_requests("warm", "memory"), 1);
}

#[test]
fn workers_make_a_token_request_each_or_share_one_in_a_store() {
    assert_eq!(token_requests("cold", "memory"), WORKERS);
    let store = folder().join(format!("prefork-{}", std::process::id()));
    assert_eq!(token_requests("cold", store.to_str().unwrap()), 1);
    std::fs::remove_dir_all(store).unwrap();
}
