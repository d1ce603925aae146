//! Stands between a store and a real Redis, and keeps back what it is told to.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use test_support::redis::Redis;
use test_support::server::Server;

/// What is kept back of the connections that carry a word.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Held {
    /// What Redis says from then on.
    Answers,
    /// What it is told from then on, until the connection is ended.
    Commands,
}

/// What only the command that takes a lease has in it.
pub(super) const LOCK: &str = "who asks, for how long";
pub(super) const REPLACE: &str = "what it is to be, for how long";

pub(super) struct Proxy {
    server: Server,
    /// The connections that have ended on both sides.
    ended: Arc<AtomicUsize>,
}

impl Proxy {
    /// Keeps back what follows `word` on the first `most` connections that carry it.
    pub(super) fn new(redis: &Redis, word: &'static str, held: Held, most: usize) -> Self {
        let (port, ended) = (redis.port(), Arc::new(AtomicUsize::new(0)));
        let (count, counted) = (ended.clone(), Arc::new(AtomicUsize::new(0)));
        let server = Server::new(move |client, _| {
            let redis = TcpStream::connect(("127.0.0.1", port)).unwrap();
            let (from, to) = (redis.try_clone().unwrap(), client.try_clone().unwrap());
            let is_held = Arc::new(AtomicUsize::new(0));
            let is_silent = is_held.clone();
            let answers = thread::spawn(move || {
                let silent = || is_silent.load(Ordering::SeqCst) == 1 && held == Held::Answers;
                pass_on(from, to, silent);
            });
            take_commands(client, redis, |bytes| {
                let has_word = bytes.windows(word.len()).any(|part| part == word.as_bytes());
                if has_word && counted.fetch_add(1, Ordering::SeqCst) < most {
                    is_held.store(1, Ordering::SeqCst);
                }
                is_held.load(Ordering::SeqCst) == 1 && held == Held::Commands
            });
            answers.join().unwrap();
            count.fetch_add(1, Ordering::SeqCst);
        });
        Self { server, ended }
    }

    pub(super) fn url(&self, redis: &Redis) -> String {
        redis.url().replace(&redis.port().to_string(), &self.server.port().to_string())
    }

    pub(super) fn connections(&self) -> usize {
        self.server.connections()
    }

    pub(super) fn ended(&self) -> usize {
        self.ended.load(Ordering::SeqCst)
    }
}

fn pass_on(mut from: TcpStream, mut to: TcpStream, is_silent: impl Fn() -> bool) {
    let mut room = [0; 65_536];
    while let Ok(read @ 1..) = from.read(&mut room) {
        if !is_silent() {
            // The client may be gone; Redis is read all the same.
            let _ = to.write_all(&room[..read]);
        }
    }
}

/// What is kept back goes out when the client has ended the connection.
fn take_commands(
    mut client: TcpStream,
    mut redis: TcpStream,
    mut is_held: impl FnMut(&[u8]) -> bool,
) {
    let (mut room, mut kept) = ([0; 65_536], Vec::new());
    while let Ok(read @ 1..) = client.read(&mut room) {
        if is_held(&room[..read]) {
            kept.extend_from_slice(&room[..read]);
        } else {
            redis.write_all(&room[..read]).unwrap();
        }
    }
    redis.write_all(&kept).unwrap();
    redis.shutdown(Shutdown::Write).unwrap();
}
