//! Tests what is looked at, and what is replaced.

use test_support::wait_until;

use super::proxy::{Held, Proxy, REPLACE};
use super::*;
use crate::store::seal;

#[test]
fn an_item_is_replaced_if_it_is_what_was_seen() {
    let redis = Redis::start(&[]);
    let store = store(&redis.url());
    let session = &mut *store.open().unwrap();
    assert_eq!(token(session), None);
    assert!(put(session, None, Some(b"one\r\n\0\xff")));
    assert_eq!(token(session).unwrap(), b"one\r\n\0\xff");
    assert!(!put(session, None, Some(b"two")), "there is one already");
    assert!(!put(session, Some(b"other"), Some(b"two")));
    assert!(!put(session, Some(b"other"), None));
    assert_eq!(token(session).unwrap(), b"one\r\n\0\xff");
    assert!(put(session, Some(b"one\r\n\0\xff"), Some(b"two")));
    assert!(!put(session, Some(b"one\r\n\0\xff"), Some(b"two")), "it was not what was seen");
    assert!(put(session, Some(b"two"), None));
    assert_eq!(token(session), None);
    assert!(put(session, None, None));
    wait_until(|| redis.keys().is_empty());
}

fn replace(session: &mut dyn Session, old: Option<Vec<u8>>, life: Duration) -> bool {
    session.replace(NAME, Item::Token, old.as_deref(), Some(b"x"), life).unwrap()
}

#[test]
fn items_have_keys_of_their_own_and_ends() {
    let redis = Redis::start(&[]);
    let store = store(&redis.url());
    let session = &mut *store.open().unwrap();
    let lives = [(Item::Token, 600), (Item::Backoff, 500), (Item::Probe, 400)];
    for (item, life) in lives {
        let (blob, life) = (format!("{item:?}"), Duration::from_secs(life));
        assert!(session.replace(NAME, item, None, Some(blob.as_bytes()), life).unwrap());
    }
    let view = session.look(NAME).unwrap();
    for (stored, blob, life) in [(view.token, "Token", 600), (view.backoff, "Backoff", 500)] {
        let stored = stored.unwrap();
        assert_eq!(stored.blob, blob.as_bytes());
        let left = stored.left.unwrap();
        assert!(left <= Duration::from_secs(life) && left > Duration::from_secs(life - 100));
    }
    let mut keys = redis.keys();
    keys.sort();
    assert_eq!((&*keys[0], &*keys[2]), (BACKOFF, TOKEN));
    assert!(keys[1].starts_with("clazar-auth:{0123}:abcd:probe:") && keys.len() == 3, "{keys:?}");

    let old = token(session);
    assert!(replace(session, old, Duration::MAX));
    assert!(session.look(NAME).unwrap().token.unwrap().left.is_some());
    redis.ask(&format!("SET {TOKEN} endless"));
    assert_eq!(session.look(NAME).unwrap().token.unwrap().left, None);
    let old = token(session);
    assert!(replace(session, old, Duration::ZERO));
}

#[test]
fn the_clock_is_that_of_redis() {
    let redis = Redis::start(&[]);
    let store = store(&redis.url());
    let session = &mut *store.open().unwrap();
    let (first, second) = (session.look(NAME).unwrap().now, session.look(NAME).unwrap().now);
    assert!(second.since(&first).unwrap() < BOUND);
    let since_1970 = std::time::UNIX_EPOCH.elapsed().unwrap();
    let now = crate::store::stamp::Stamp::unix(since_1970);
    assert!(now.since(&second).unwrap() < BOUND, "{second:?}");
}

#[test]
fn what_is_no_text_is_overwritten() {
    for command in ["RPUSH KEY a b", "HSET KEY a b", "SADD KEY a", "XADD KEY * a b"] {
        let redis = Redis::start(&[]);
        for key in [TOKEN, BACKOFF] {
            redis.ask(&command.replace("KEY", key));
        }
        let store = store(&redis.url());
        let session = &mut *store.open().unwrap();
        let view = session.look(NAME).unwrap();
        for (item, stored) in [(Item::Token, view.token), (Item::Backoff, view.backoff)] {
            let old = stored.expect("something that does not open").blob;
            assert!(!session.replace(NAME, item, None, Some(b"new"), LIFE).unwrap());
            assert!(session.replace(NAME, item, Some(&old), Some(b"new"), LIFE).unwrap());
        }
        assert_eq!(token(session).unwrap(), b"new", "{command}");
        assert_eq!(session.look(NAME).unwrap().backoff.unwrap().blob, b"new", "{command}");
    }
}

#[test]
fn what_is_no_text_is_erased() {
    let redis = Redis::start(&[]);
    redis.ask(&format!("RPUSH {TOKEN} a"));
    let store = store(&redis.url());
    let session = &mut *store.open().unwrap();
    let old = token(session).unwrap();
    assert!(put(session, Some(&old), None));
    assert_eq!(token(session), None);
}

#[test]
fn an_empty_value_is_none() {
    let redis = Redis::start(&[]);
    redis.ask(&format!("SET {TOKEN} ''"));
    let store = store(&redis.url());
    let session = &mut *store.open().unwrap();
    assert_eq!(token(session), None);
    assert!(put(session, None, Some(b"new")));
}

/// The longest blob that opens fits, and of a longer value enough is read to see that it is one.
#[test]
fn the_longest_blob_and_longer_values() {
    let redis = Redis::start(&[]);
    let store = store(&redis.url());
    let session = &mut *store.open().unwrap();
    let longest = vec![b'x'; seal::LONGEST];
    for item in [Item::Token, Item::Backoff] {
        assert!(session.replace(NAME, item, None, Some(&longest), LIFE).unwrap());
    }
    let view = session.look(NAME).unwrap();
    assert_eq!(view.backoff.unwrap().blob, longest);
    assert_eq!(view.token.unwrap().blob, longest);

    let before = peak_memory();
    redis.ask(&format!("SETRANGE {TOKEN} 314572800 x"));
    let seen = token(session).unwrap();
    assert_eq!(seen.len(), seal::LONGEST + 1);
    assert!(!put(session, Some(&longest), Some(b"new")));
    assert!(put(session, Some(&seen), Some(b"new")));
    assert_eq!(token(session).unwrap(), b"new");
    assert!(peak_memory() - before < 100_000, "{} kB", peak_memory() - before);
}

/// In kB; of this process.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or(0, |line| line.trim().trim_end_matches(" kB").parse().unwrap())
}

/// The answer to the first is lost, and the second finds what the first wrote.
#[test]
fn a_replacement_whose_answer_was_late_is_known_as_done() {
    for (old, new) in [(None, Some(&b"new"[..])), (Some(&b"old"[..]), None)] {
        let redis = Redis::start(&[]);
        if let Some(old) = old {
            put(&mut *store(&redis.url()).open().unwrap(), None, Some(old));
        }
        let proxy = Proxy::new(&redis, REPLACE, Held::Answers, 1);
        let store = store(&proxy.url(&redis));
        let session = &mut *store.open().unwrap();
        assert!(put(session, old, new));
        assert_eq!(proxy.connections(), 2);
        assert_eq!(token(session).as_deref(), new);
    }
}
