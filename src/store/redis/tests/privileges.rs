//! Users that may do what `docs/store.md` says, and nothing else.

use std::path::Path;

use test_support::cluster::{Cluster, Sentinels};
use test_support::redis::PASSWORD;

use super::*;
use crate::store::StoreError;

/// The rules in the documentation: for each server, for the nodes of a cluster besides, and for sentinels.
fn documented() -> [Vec<String>; 3] {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/store.md");
    let page = std::fs::read_to_string(page).unwrap();
    let lines = page.lines().filter_map(|line| line.strip_prefix("ACL SETUSER clazar "));
    let words = lines.map(|line| line.split(' ').map(str::to_owned).collect::<Vec<_>>());
    let [keys, commands, cluster, sentinels] =
        words.collect::<Vec<_>>().try_into().expect("there are four lines");
    // What the user is let in with, each test adds itself.
    [[keys, commands].concat(), cluster, sentinels].map(|mut rules| {
        rules.retain(|rule| rule != "on" && rule != ">password");
        rules
    })
}

/// All rules but one that gives something, and what that is.
fn each_left_out(rules: &[String]) -> impl Iterator<Item = (String, String)> {
    let given = rules.iter().filter(|rule| rule.starts_with('+'));
    given.map(|left_out| {
        let others: Vec<_> = rules.iter().filter(|rule| *rule != left_out).cloned().collect();
        (left_out[1..].to_uppercase(), others.join(" "))
    })
}

/// All that is ever done.
fn use_all(store: &RedisStore) -> Result<(), StoreError> {
    let mut session = store.open()?;
    session.look(NAME)?;
    assert_eq!(session.try_lock(NAME, None)?, Turn::Ours);
    assert!(session.replace(NAME, Item::Token, None, Some(b"new"), LIFE)?);
    assert!(session.replace(NAME, Item::Token, Some(b"new"), None, LIFE)?);
    Ok(())
}

#[track_caller]
fn names(result: Result<(), StoreError>, what: &str, advice: &str) {
    let error = result.expect_err(what).to_string();
    let words = format!(" does not let this user {what} (the error NOPERM); allow it ");
    let (_, allowed) = error.split_once(&words).unwrap_or_else(|| panic!("{what}: {error}"));
    assert!(allowed.contains(advice), "{error}");
}

#[test]
fn a_server_needs_no_more() {
    let (redis, [rules, ..]) = (Redis::start(&[]), documented());
    use_all(&store(&redis.url_of_user("fleet", &rules.join(" ")))).unwrap();
    for (command, rules) in each_left_out(&rules) {
        let store = store(&redis.url_of_user(&command, &rules));
        names(use_all(&store), &format!("run {command}"), &command);
    }
    let rules = rules.join(" ").replace("~clazar-auth:", "~other:");
    let store = store(&redis.url_of_user("elsewhere", &rules));
    names(use_all(&store), "use the keys clazar-auth:*", "on the keys clazar-auth:*");
    assert_eq!(redis.keys(), [""; 0]);
}

/// The URL of a user that each node has.
fn url_of_user(cluster: &Cluster, name: &str, rules: &str) -> String {
    cluster.nodes.iter().for_each(|node| node.add_user(name, rules));
    cluster.url(&[0]).replace("://:", &format!("://{name}:"))
}

#[test]
fn a_cluster_needs_no_more() {
    let (cluster, [mut rules, besides, _]) = (Cluster::start(), documented());
    rules.retain(|rule| rule != "+select");
    rules.extend(besides);
    let stores: Vec<_> = each_left_out(&rules)
        .map(|(command, rules)| (store(&url_of_user(&cluster, &command, &rules)), command))
        .collect();
    let enough = store(&url_of_user(&cluster, "fleet", &rules.join(" ")));
    use_all(&enough).unwrap();
    for (store, command) in stores.iter().filter(|(_, command)| command != "ASKING") {
        names(use_all(store), &format!("run {command}"), command);
    }
    // What is on its way to another node takes one command more.
    let lock = |store: &RedisStore| store.open()?.try_lock(NAME, None).map(drop);
    let owner = cluster.owner(LEASE);
    cluster.move_slot(LEASE, owner, (owner + 1) % 3, || {
        lock(&enough).unwrap();
        let (without_asking, _) = stores.last().unwrap();
        names(lock(without_asking), "run ASKING", "ASKING, EVAL");
    });
}

#[test]
fn sentinels_need_no_more() {
    let (group, [servers, _, sentinels]) = (Sentinels::start(), documented());
    let set = |user: &str, rules: &str| {
        for at in 0..3 {
            assert_eq!(group.ask(at, &format!("ACL SETUSER {user} {rules}")), "+OK\r\n");
        }
    };
    group.servers.iter().for_each(|server| server.add_user("fleet", &servers.join(" ")));
    set("fleet", &format!("on >{PASSWORD} {}", sentinels.join(" ")));
    let store = store(&group.url().replace("://:", "://fleet:"));
    // Whoever has not logged in may not ask for the master, or for anything.
    set("default", "-@all +acl");
    use_all(&store).unwrap();
    for (command, rules) in each_left_out(&sentinels) {
        set("fleet", &rules);
        names(use_all(&store), &format!("run {command}"), &format!("{command} at the sentinels"));
    }
    set("fleet", &sentinels.join(" "));
    set("default", "off");
    use_all(&store).unwrap();
}
