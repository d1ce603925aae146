//! Tests whose turn it is, also where an answer comes late or never.

use test_support::wait_until;

use super::proxy::{Held, LOCK, Proxy};
use super::*;

#[test]
fn two_sessions_take_turns() {
    let redis = Redis::start(&[]);
    let (one, other) = (store(&redis.url()), store(&redis.url()));
    let mut first = one.open().unwrap();
    assert_eq!(first.try_lock(NAME, None).unwrap(), Turn::Ours);
    assert_eq!(first.try_lock(NAME, None).unwrap(), Turn::Ours, "it is asked for again");

    let mut second = other.open().unwrap();
    let holder = theirs(second.try_lock(NAME, None).unwrap());
    assert_eq!(holder.0.len(), 16);
    let another = Holder(b"another".to_vec());
    assert_eq!(theirs(second.try_lock(NAME, Some(&another)).unwrap()), holder, "it is another's");
    assert_eq!(second.try_lock("other", None).unwrap(), Turn::Ours);
    drop(first);
    assert_eq!(second.try_lock(NAME, None).unwrap(), Turn::Ours);

    let mut third = one.open().unwrap();
    assert_ne!(theirs(third.try_lock(NAME, None).unwrap()), holder);
    drop(second);
    assert_eq!(third.try_lock("other", None).unwrap(), Turn::Ours, "all are released");
}

/// A lease that a stranger has taken for a day, or a host whose timeout is long.
#[test]
fn one_of_those_who_have_waited_long_enough_takes_a_lease_over() {
    let redis = Redis::start(&[]);
    let store = store(&redis.url());
    let mut sessions: Vec<_> = (0..4).map(|_| store.open().unwrap()).collect();
    let mut holder = sessions.pop().unwrap();
    assert_eq!(holder.try_lock(NAME, None).unwrap(), Turn::Ours);
    let seen = theirs(sessions[0].try_lock(NAME, None).unwrap());
    let turns = sessions.iter_mut().map(|one| one.try_lock(NAME, Some(&seen)).unwrap());
    assert_eq!(turns.filter(|turn| *turn == Turn::Ours).count(), 1);
    drop(holder);
    theirs(store.open().unwrap().try_lock(NAME, None).unwrap());
}

#[test]
fn a_session_that_did_not_get_it_ends_nobodys_lease() {
    let redis = Redis::start(&[]);
    redis.ask(&format!("SET {LEASE} another PX 600000"));
    let store = store(&redis.url());
    let mut session = store.open().unwrap();
    assert_eq!(theirs(session.try_lock(NAME, None).unwrap()).0, b"another");
    drop(session);
    assert!(redis.keys().contains(&LEASE.to_owned()));
}

#[test]
fn a_lease_that_ran_out_is_left_to_the_next_holder() {
    let redis = Redis::start(&[]);
    let store = store(&redis.url());
    let mut session = store.open().unwrap();
    assert_eq!(session.try_lock(NAME, None).unwrap(), Turn::Ours);
    redis.ask(&format!("SET {LEASE} another PX 600000"));
    drop(session);
    let holder = theirs(store.open().unwrap().try_lock(NAME, None).unwrap());
    assert_eq!(holder.0, b"another");
}

#[test]
fn no_more_of_a_holder_is_read_than_tells_it_apart() {
    let redis = Redis::start(&[]);
    redis.ask(&format!("SET {LEASE} {} PX 600000", "x".repeat(1000)));
    let holder = theirs(store(&redis.url()).open().unwrap().try_lock(NAME, None).unwrap());
    assert_eq!(holder.0, [b'x'; 32]);
}

#[test]
fn a_lease_runs_for_as_long_as_a_token_request_may() {
    let redis = Redis::start(&[]);
    let store = store(&redis.url());
    let mut session = store.open().unwrap();
    session.try_lock(NAME, None).unwrap();
    let life = String::from_utf8(redis.ask(&format!("PTTL {LEASE}"))).unwrap();
    let life =
        life.lines().rfind(|line| line.starts_with(':')).unwrap()[1..].parse::<u64>().unwrap();
    assert!((800_000..=901_000).contains(&life), "{life}");
}

#[test]
fn what_does_not_run_out_is_nobodys_lease() {
    for command in
        ["SET KEY another", "SET KEY ''", "RPUSH KEY x", "HSET KEY a b\r\nPEXPIRE KEY 600000"]
    {
        let redis = Redis::start(&[]);
        redis.ask(&command.replace("KEY", LEASE));
        let store = store(&redis.url());
        let mut session = store.open().unwrap();
        assert_eq!(session.try_lock(NAME, None).unwrap(), Turn::Ours, "{command}");
        let mut other = store.open().unwrap();
        theirs(other.try_lock(NAME, None).unwrap());
        drop(session);
        assert_eq!(other.try_lock(NAME, None).unwrap(), Turn::Ours, "{command}");
    }
}

#[test]
fn a_lease_whose_answer_was_late_is_used() {
    let redis = Redis::start(&[]);
    let proxy = Proxy::new(&redis, LOCK, Held::Answers, 1);
    let store = store(&proxy.url(&redis));
    let mut session = store.open().unwrap();
    assert_eq!(session.try_lock(NAME, None).unwrap(), Turn::Ours);
    assert_eq!(proxy.connections(), 2);
    assert!(put(&mut *session, None, Some(b"new")));
    drop(session);
    assert!(is_free(&redis));
}

#[test]
fn a_lease_whose_answers_never_came_is_released() {
    let redis = Redis::start(&[]);
    let proxy = Proxy::new(&redis, LOCK, Held::Answers, usize::MAX);
    let store = store(&proxy.url(&redis));
    let mut session = store.open().unwrap();
    let error = session.try_lock(NAME, None).unwrap_err().to_string();
    assert!(error.ends_with(" does not answer within 1 s"), "{error}");
    assert!(redis.keys().contains(&LEASE.to_owned()));
    drop(session);
    wait_until(|| proxy.ended() == proxy.connections());
    assert!(is_free(&redis));
}

/// What is sent over another connection would come before it.
#[test]
fn a_lease_that_is_taken_after_all_is_released_after_it() {
    for most in [1, usize::MAX] {
        let redis = Redis::start(&[]);
        let proxy = Proxy::new(&redis, LOCK, Held::Commands, most);
        let store = store(&proxy.url(&redis));
        let mut session = store.open().unwrap();
        assert_eq!(session.try_lock(NAME, None).is_ok(), most == 1);
        drop(session);
        wait_until(|| proxy.ended() == proxy.connections());
        assert!(is_free(&redis), "{most}");
    }
}

#[test]
fn a_connection_that_is_ended_is_replaced_once() {
    let redis = Redis::start(&[]);
    let store = store(&redis.url());
    let mut session = store.open().unwrap();
    assert_eq!(session.try_lock(NAME, None).unwrap(), Turn::Ours);
    let end_all = || redis.ask("CLIENT KILL TYPE normal SKIPME yes");
    end_all();
    assert!(put(&mut *session, None, Some(b"new")));
    assert_eq!(session.try_lock(NAME, None).unwrap(), Turn::Ours);

    end_all();
    let error = session.look(NAME).unwrap_err().to_string();
    assert!(error.ends_with(" ended the connection") || error.contains(" broke off"), "{error}");
    assert_eq!(session.look(NAME).unwrap_err().to_string(), error, "nothing more is tried");
    theirs(store.open().unwrap().try_lock(NAME, None).unwrap());
    drop(session);
    assert!(is_free(&redis), "one more connection is made to release it");
}
