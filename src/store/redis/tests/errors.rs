//! Tests what is said of each thing that goes wrong.

use std::io::Write;
use std::net::TcpListener;

use test_support::certificates::{Authority, VALID};
use test_support::redis::PASSWORD;
use test_support::wait_until;

use super::*;

const ALLOW: &str = "; allow it EVAL, TIME, GETRANGE, PTTL, SET on the keys clazar-auth:*";

/// A peer that answers all with the same.
fn saying(answer: &'static str) -> Server {
    Server::new(move |stream, _| {
        serve(stream, |stream| stream.write_all(answer.as_bytes()).is_ok());
    })
}

#[test]
fn a_server_that_is_not_there() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let location = format!("redis://127.0.0.1:{port}");
    let error = error(&store(&location));
    assert_eq!(error, format!("the store {location} cannot be reached (Connection refused)"));
}

#[test]
fn who_is_let_in_and_where() {
    let redis = Redis::start(&[]);
    let url = redis.url();
    let ends = [
        (
            url.replace(PASSWORD, "hush"),
            "cannot be used: AUTH was answered with the error WRONGPASS; correct the user and the \
             password in its URL",
        ),
        (
            url.replace(&format!(":{PASSWORD}@"), "").replace("/2", ""),
            "cannot be used: EVAL was answered with the error NOAUTH; its URL needs a password, and a \
             user if it is not the default one",
        ),
        (url.replace("/2", "/99"), "cannot be used: SELECT was answered with the error ERR"),
    ];
    for (url, end) in ends {
        let error = error(&store(&url));
        assert_eq!(error, format!("the store redis://127.0.0.1:{} {end}", redis.port()));
    }
    let url = redis.url_of_user("selective", "+@all -select ~*");
    let error = error(&store(&url));
    let part = " does not let this user run SELECT (the error NOPERM); allow it SELECT, EVAL, ";
    assert!(error.contains(part), "{error}");
}

/// Whoever may not do all that is needed changes nothing before that is known.
#[test]
fn a_user_who_may_not_do_it_all_leaves_nothing_behind() {
    let redis = Redis::start(&[]);
    for command in ["eval", "time", "getrange", "pttl", "set"] {
        let url = redis.url_of_user(command, &format!("+@all -{command} ~*"));
        let store = store(&url);
        let mut session = store.open().unwrap();
        let looked = session.look(NAME).map(drop);
        let locked = session.try_lock(NAME, None).map(drop);
        let replaced = session.replace(NAME, Item::Token, None, Some(b"x"), LIFE).map(drop);
        drop(session);
        wait_until(|| redis.keys().is_empty());
        for (result, is_needed) in [(looked, command != "set"), (locked, true), (replaced, true)] {
            let Err(error) = result else {
                assert!(!is_needed, "{command}");
                continue;
            };
            let name = command.to_uppercase();
            let end = format!(" does not let this user run {name} (the error NOPERM){ALLOW}");
            assert!(is_needed && error.to_string().ends_with(&end), "{error}");
        }
        redis.ask("FLUSHDB");
    }
}

#[test]
fn a_refusal_breaks_nothing() {
    let redis = Redis::start(&[]);
    let store = store(&redis.url_of_user("reader", "+@all -set ~*"));
    let mut session = store.open().unwrap();
    session.try_lock(NAME, None).unwrap_err();
    session.look(NAME).unwrap();
}

#[test]
fn a_full_redis_and_a_replica_say_so() {
    let redis = Redis::start(&[]);
    let store = store(&redis.url());
    redis.ask("CONFIG SET maxmemory 1");
    let error = store.open().unwrap().try_lock(NAME, None).unwrap_err().to_string();
    assert!(error.contains(" cannot be used: SET was answered with the error OOM; "), "{error}");
    redis.ask("CONFIG SET maxmemory 0\r\nREPLICAOF 127.0.0.1 1");
    let error = store.open().unwrap().try_lock(NAME, None).unwrap_err().to_string();
    assert!(error.contains("was answered with the error READONLY; it is a replica: "), "{error}");
}

#[test]
fn a_part_of_a_cluster_says_so() {
    let moved = saying("-MOVED 3999 127.0.0.1:6381\r\n");
    let text = error(&store(&url(&moved)));
    assert!(
        text.contains("EVAL was answered with the error MOVED; it is a node of a cluster"),
        "{text}"
    );
    assert!(!text.contains("6381"), "{text}");
    let nodes = std::env::temp_dir().join(format!("clazar-auth-nodes-{}", std::process::id()));
    let (cluster, file) = (["--cluster-enabled", "yes"], nodes.to_str().unwrap());
    let redis = Redis::start(&[&cluster[..], &["--cluster-config-file", file]].concat());
    let text = error(&store(&redis.url().replace("/2", "")));
    let _ = std::fs::remove_file(nodes);
    assert!(text.contains("EVAL was answered with the error CLUSTERDOWN; "), "{text}");
}

#[test]
fn no_other_words_of_a_server_are_shown() {
    for answer in [
        "-\u{1b}]0;owned\u{7} x\r\n",
        "-ERR hush\u{1b}[2J\r\n",
        "-wrong hush\r\n",
        "*2\r\n$4\r\nhush\r\n$3\r\nERR\r\n",
        "*2\r\n$3\r\nSET\r\n$9\r\nERR \u{1b}hush\r\n",
        "+hush\r\n",
        "HTTP/1.1 400 hush\r\n",
    ] {
        let error = error(&store(&url(&saying(answer))));
        assert!(
            !error.contains("hush") && !error.contains('\u{1b}') && !error.contains("\\u"),
            "{error}"
        );
    }
}

#[test]
fn what_is_wrong_with_a_certificate_is_said() {
    let (authority, other) = (Authority::new("judged-redis"), Authority::new("unjudged-redis"));
    let redis = Redis::start_with_tls(&authority, &["127.0.0.1"], "no");
    let rediss = redis.url().replace("redis:", "rediss:");
    store_trusting(&rediss, Some(&authority.pem_file)).open().unwrap().look(NAME).unwrap();

    let for_another = authority.server(&["redis.example"], VALID, "");
    let expired = authority.server(&["127.0.0.1"], [2020, 2021], "");
    let plain = saying("-ERR\r\n");
    let secure = |server: &Server| url(server).replace("redis:", "rediss:");
    for (url, ca_file, end) in [
        (
            rediss,
            &other.pem_file,
            "cannot be used: its certificate comes from no trusted authority",
        ),
        (
            secure(&for_another),
            &authority.pem_file,
            "cannot be used: its certificate is for another host name",
        ),
        (secure(&expired), &authority.pem_file, "cannot be used: its certificate has expired"),
        (
            secure(&plain),
            &authority.pem_file,
            "cannot be used: it does not speak TLS 1.2 or 1.3 as it should",
        ),
    ] {
        let error = error(&store_trusting(&url, Some(ca_file)));
        assert!(error.contains(end), "{error}");
    }
}

/// As of something else that speaks as Redis does.
#[test]
fn an_answer_to_another_question_is_none() {
    let strange = |error: String| {
        assert!(error.ends_with(" does not answer as Redis does; check its URL"), "{error}");
    };
    let number = saying(":7\r\n");
    let store = store(&url(&number));
    let mut session = store.open().unwrap();
    strange(session.try_lock(NAME, None).unwrap_err().to_string());
    let mut session = store.open().unwrap();
    strange(session.replace(NAME, Item::Token, None, Some(b"new"), LIFE).unwrap_err().to_string());
    strange(error(&self::store(&url(&number).replace("//", "//:hush@"))));

    let three = saying("*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n");
    let sentinel = url(&three).replace("redis:", "redis+sentinel:") + "/master";
    strange(error(&self::store(&sentinel)));
}
