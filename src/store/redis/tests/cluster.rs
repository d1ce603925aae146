//! Clusters, and masters that sentinels name.

use std::io::Write;

use test_support::cluster::{Cluster, Sentinels};

use super::*;

/// In three slots.
const NAMES: [&str; 3] = ["a0", "b0", "c0"];

fn token_key(name: &str) -> String {
    let (client, secret) = name.split_at(name.len() / 2);
    format!("clazar-auth:{{{client}}}:{secret}:token")
}

fn put_as(session: &mut dyn Session, name: &str, new: &[u8]) -> bool {
    session.replace(name, Item::Token, None, Some(new), LIFE).unwrap()
}

fn token_of(session: &mut dyn Session, name: &str) -> Option<Vec<u8>> {
    session.look(name).unwrap().token.map(|stored| stored.blob)
}

#[test]
fn each_node_of_a_cluster_leads_to_the_one_that_has_the_keys() {
    let cluster = Cluster::start();
    let owners: Vec<_> = NAMES.iter().map(|name| cluster.owner(&token_key(name))).collect();
    assert!(owners.iter().any(|owner| *owner != owners[0]), "{owners:?}");
    let first = store(&cluster.url(&[0]));
    for name in NAMES {
        assert!(put_as(&mut *first.open().unwrap(), name, name.as_bytes()));
    }
    // A replica too: it is asked nothing but where the keys are.
    for node in 0..6 {
        let other = store(&cluster.url(&[node]));
        for name in NAMES {
            let mut session = other.open().unwrap();
            assert_eq!(token_of(&mut *session, name).as_deref(), Some(name.as_bytes()));
            assert_eq!(session.try_lock(name, None).unwrap(), Turn::Ours);
        }
    }
}

#[test]
fn what_is_on_its_way_to_another_node_is_asked_for_there() {
    let cluster = Cluster::start();
    let owner = cluster.owner(&token_key(NAME));
    let (here, there) = (store(&cluster.url(&[owner])), store(&cluster.url(&[(owner + 1) % 3])));
    cluster.move_slot(&token_key(NAME), owner, (owner + 1) % 3, || {
        let mut session = here.open().unwrap();
        assert_eq!(session.try_lock(NAME, None).unwrap(), Turn::Ours);
        assert!(put(&mut *session, None, Some(b"moved")));
        // Of the two items one is there, and the other one nowhere.
        assert_eq!(token(&mut *session), Some(b"moved".to_vec()));
        assert_eq!(token(&mut *there.open().unwrap()), Some(b"moved".to_vec()));
        drop(session);
        assert_eq!(
            there.open().unwrap().try_lock(NAME, None).unwrap(),
            Turn::Ours,
            "it was given back"
        );
    });
    assert_eq!(token(&mut *here.open().unwrap()), Some(b"moved".to_vec()));
}

#[test]
fn a_lease_outlives_the_node_that_gave_it() {
    let mut cluster = Cluster::start();
    let owner = cluster.owner(LEASE);
    let nodes = [owner, (owner + 1) % 3];
    let store = store(&cluster.url(&nodes));
    let mut session = store.open().unwrap();
    assert_eq!(session.try_lock(NAME, None).unwrap(), Turn::Ours);
    cluster.fail_over(owner);
    assert!(put(&mut *session, None, Some(b"after it")));
    drop(session);
    let mut other = store.open().unwrap();
    assert_eq!(token(&mut *other), Some(b"after it".to_vec()));
    assert_eq!(other.try_lock(NAME, None).unwrap(), Turn::Ours, "it was given back");
}

#[test]
fn a_node_that_is_dead_is_passed_over() {
    let mut cluster = Cluster::start();
    cluster.nodes[0].kill();
    let is_alive = |name: &&str| cluster.owner(&token_key(name)) != 0;
    let name = NAMES.into_iter().find(is_alive).unwrap();
    let store_of_two = store(&cluster.url(&[0, 1]));
    let mut session = store_of_two.open().unwrap();
    assert!(put_as(&mut *session, name, b"x"));
    assert!(error(&store(&cluster.url(&[0]))).contains("cannot be reached"));
}

/// A node that says of each key that it is there.
fn redirecting(to: &'static str) -> Server {
    Server::new(move |stream, _| {
        let there = match to {
            "itself" => format!(":{}", stream.local_addr().unwrap().port()),
            _ => to.to_owned(),
        };
        serve(stream, |stream| write!(stream, "-MOVED 1 {there}\r\n").is_ok());
    })
}

fn error_of(node: &Server) -> String {
    error(&store(&url(node).replace("redis:", "redis+cluster:")))
}

#[test]
fn a_circle_of_redirections_ends() {
    // Without a host it is the node that says so.
    let text = error_of(&redirecting("itself"));
    assert!(text.contains("sends from node to node"), "{text}");
}

#[test]
fn no_redirection_leads_to_where_others_can_read() {
    for host in ["192.0.2.1:6379", "2001:db8::1:6379", "redis.example:6379"] {
        let text = error_of(&redirecting(host));
        assert!(text.contains("another machine without TLS") && !text.contains(host), "{text}");
    }
    for what in ["", "x", "127.0.0.1", "127.0.0.1:0", "hush\u{1b}:1"] {
        let text = error_of(&redirecting(what));
        assert!(text.ends_with(" does not answer as Redis does; check its URL"), "{text}");
    }
}

#[test]
fn sentinels_name_the_master() {
    let mut group = Sentinels::start();
    let store = store(&group.url());
    let mut session = store.open().unwrap();
    assert_eq!(session.try_lock(NAME, None).unwrap(), Turn::Ours);
    assert!(put(&mut *session, None, Some(b"first")));
    drop(session);
    let mut session = store.open().unwrap();
    assert_eq!(session.try_lock(NAME, None).unwrap(), Turn::Ours);
    group.kill_sentinel(0);
    group.fail_over();
    let seen = token(&mut *store.open().unwrap());
    assert_eq!(seen.as_deref(), Some(&b"first"[..]));
    assert!(put(&mut *session, seen.as_deref(), Some(b"second")));
    drop(session);
    assert_eq!(token(&mut *store.open().unwrap()), Some(b"second".to_vec()));
}

#[test]
fn an_unknown_master_is_told() {
    let group = Sentinels::start();
    let text = error(&store(&group.url().replace("/tokens/", "/other/")));
    assert!(text.contains("knows no master of this name"), "{text}");
}
