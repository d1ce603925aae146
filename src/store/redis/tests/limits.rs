//! Tests how long Redis may take, and how much it may say.

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::thread;
use std::time::Instant;

use socket2::{Domain, Socket, Type};

use super::*;
use crate::store::redis::budget::Budget;
use crate::store::redis::connection::connect_any;

/// A peer that sends some bytes, one each half second, once it has read something.
fn dripping(bytes: &'static [u8]) -> Server {
    Server::new(move |stream, _| {
        serve(stream, |stream| {
            bytes.iter().cycle().take(100).all(|&byte| {
                thread::sleep(Duration::from_millis(500));
                stream.write_all(&[byte]).is_ok()
            })
        });
    })
}

#[track_caller]
fn ends_in_time<T>(step: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = step();
    assert!(start.elapsed() < BOUND, "{:?}", start.elapsed());
    result
}

#[test]
fn a_peer_that_sends_a_byte_at_a_time_has_no_more_time() {
    let server = dripping(b"$60000\r\n");
    let store = store(&url(&server));
    let mut session = store.open().unwrap();
    let error = ends_in_time(|| session.look(NAME).unwrap_err().to_string());
    assert!(error.ends_with(" does not answer within 1 s"), "{error}");
    assert_eq!(session.look(NAME).unwrap_err().to_string(), error);
    assert_eq!(session.try_lock(NAME, Some(&Holder(Vec::new()))).unwrap_err().to_string(), error);
    ends_in_time(|| drop(session));
    assert_eq!(server.connections(), 2, "nothing more is tried");
}

#[test]
fn nor_in_the_handshake() {
    // The first bytes of a handshake record of 4,096 bytes.
    let server = dripping(b"\x16\x03\x03\x10\x00");
    let store = store(&url(&server).replace("redis", "rediss"));
    let error = ends_in_time(|| error(&store));
    assert!(
        error.ends_with(
            " does not answer within 1 s in the TLS handshake; does it speak TLS there?"
        ),
        "{error}"
    );
}

#[test]
fn a_peer_that_reads_nothing_has_no_more_time() {
    let (silent, store);
    silent = TcpListener::bind("127.0.0.1:0").unwrap();
    store = self::store(&format!("redis://{}", silent.local_addr().unwrap()));
    let error = ends_in_time(|| error(&store));
    assert!(error.ends_with(" does not answer within 1 s"), "{error}");
    let mut session = store.open().unwrap();
    let blob = vec![0; 8 << 20];
    ends_in_time(|| session.replace(NAME, Item::Token, None, Some(&blob), LIFE).unwrap_err());
}

/// Each command is fast enough, and all of them together are not.
#[test]
fn all_commands_together_have_two_seconds() {
    let server = Server::new(|stream, _| {
        serve(stream, |stream| {
            thread::sleep(Duration::from_millis(100));
            stream
                .write_all(b"*6\r\n$1\r\n1\r\n$1\r\n1\r\n$0\r\n\r\n:-2\r\n$0\r\n\r\n:-2\r\n")
                .is_ok()
        });
    });
    let store = store(&url(&server));
    let mut session = store.open().unwrap();
    let answers = ends_in_time(|| {
        (0..100).map(|_| session.look(NAME).map_err(|error| error.to_string())).collect::<Vec<_>>()
    });
    assert!(answers.iter().filter(|answer| answer.is_ok()).count() <= 20);
    let error = answers.last().unwrap().as_ref().unwrap_err();
    assert!(
        error.ends_with(" is too slow: it has had 2 s for all commands of a token request"),
        "{error}"
    );
}

#[test]
fn what_passes_between_commands_does_not_count() {
    let mut budget = Budget::new();
    // Longer than all of it.
    thread::sleep(Duration::from_millis(2100));
    budget.spend(|limit| limit.left().expect("all of it is left"));
    for _ in 0..2 {
        budget.spend(|_| thread::sleep(Duration::from_millis(1100)));
    }
    budget.spend(|limit| limit.left().expect_err("nothing of it is left"));
}

/// An address that does not answer, since those that wait to be accepted are too many already.
fn dead() -> (Socket, Vec<Socket>, SocketAddr) {
    let new = || Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let listener = new();
    listener.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    listener.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let connect = || {
        let socket = new();
        socket.connect_timeout(&address, Duration::from_millis(200)).map(|()| socket)
    };
    let waiting = std::iter::from_fn(|| connect().ok()).take(10).collect();
    (listener, waiting, address.as_socket().unwrap())
}

#[test]
fn many_dead_addresses_have_no_more_time_than_one() {
    let (_listener, _waiting, dead) = dead();
    let limited = |addresses: &[SocketAddr]| {
        Budget::new().spend(|limit| ends_in_time(|| connect_any(addresses, limit)))
    };
    let error = limited(&[dead; 40]).map(drop).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
    let alive = TcpListener::bind("127.0.0.1:0").unwrap();
    limited(&[dead, alive.local_addr().unwrap()]).map(drop).expect("the next one is tried");
}

#[test]
fn an_answer_that_is_too_large_is_not_read() {
    for answer in [&b"$300000000\r\nx"[..], b"*1\r\n", b"*1000000000\r\n", b"xxxxxxxx"] {
        let server = Server::new(move |stream, _| {
            // More and more of it, for as long as somebody reads.
            serve(stream, |stream| {
                let more = answer.repeat(10_000);
                while stream.write_all(&more).is_ok() {}
                false
            });
        });
        let shown = ends_in_time(|| error(&store(&url(&server))));
        assert!(shown.ends_with(" does not answer as Redis does; check its URL"), "{shown}");
        assert_eq!(server.connections(), 1, "another would say the same");
    }
}
