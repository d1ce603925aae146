//! Tests sessions at a real Redis, and at peers that are none.

mod client_certificates;
mod cluster;
mod errors;
mod items;
mod leases;
mod limits;
mod privileges;
mod proxy;
mod several;

use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use test_support::redis::Redis;
use test_support::server::Server;

use super::{RedisStore, RedisUrl};
use crate::env::Common;
use crate::store::session::{Backend, Holder, Item, Session, Turn};
use crate::trust::Trust;

const NAME: &str = "0123abcd";
const LEASE: &str = "clazar-auth:{0123}:abcd:lease";
const TOKEN: &str = "clazar-auth:{0123}:abcd:token";
const BACKOFF: &str = "clazar-auth:{0123}:abcd:backoff";
/// Far longer than any test takes, so that nothing seems to be released that only ran out.
const TIMEOUT: Duration = Duration::from_secs(900);
const LIFE: Duration = Duration::from_secs(600);
/// Ten times what all of Redis's time may be.
const BOUND: Duration = Duration::from_secs(20);

fn store(url: &str) -> RedisStore {
    store_trusting(url, None)
}

fn store_trusting(url: &str, ca_file: Option<&Path>) -> RedisStore {
    let trust = Trust::new(ca_file, Common { are_read: false }, true).unwrap();
    RedisStore::new(RedisUrl::parse(url).unwrap(), Arc::new(trust), TIMEOUT)
}

fn url(server: &Server) -> String {
    format!("redis://127.0.0.1:{}", server.port())
}

/// What opening the store, or looking into it, is answered with.
fn error(store: &RedisStore) -> String {
    match store.open() {
        Ok(mut session) => session.look(NAME).expect_err("it is of no use").to_string(),
        Err(error) => error.to_string(),
    }
}

/// Reads some commands, and answers each with `answer`; `false` ends that.
fn serve(mut stream: TcpStream, mut answer: impl FnMut(&mut TcpStream) -> bool) {
    use std::io::Read;
    let mut room = [0; 65_536];
    while stream.read(&mut room).is_ok_and(|read| read > 0) && answer(&mut stream) {}
}

/// Whether anybody can have the lease.
fn is_free(redis: &Redis) -> bool {
    store(&redis.url()).open().unwrap().try_lock(NAME, None).unwrap() == Turn::Ours
}

fn put(session: &mut dyn Session, old: Option<&[u8]>, new: Option<&[u8]>) -> bool {
    session.replace(NAME, Item::Token, old, new, LIFE).unwrap()
}

fn token(session: &mut dyn Session) -> Option<Vec<u8>> {
    session.look(NAME).unwrap().token.map(|stored| stored.blob)
}

fn theirs(turn: Turn) -> Holder {
    match turn {
        Turn::Theirs(holder) => holder,
        Turn::Ours => panic!("it is another's"),
    }
}
