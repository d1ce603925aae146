//! Several servers, some of which are of no use.

use std::io::Write;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use test_support::cluster::{Cluster, Sentinels};
use test_support::redis::PASSWORD;

use super::*;

/// What a server says that has neither item.
const NOTHING: &str = "*6\r\n$1\r\n1\r\n$1\r\n1\r\n$0\r\n\r\n:-2\r\n$0\r\n\r\n:-2\r\n";

/// A server that answers everything with `answer`.
fn saying(answer: &'static str) -> Server {
    Server::new(move |stream, _| {
        serve(stream, |stream| write!(stream, "{answer}\r\n").is_ok());
    })
}

/// One that takes connections and says nothing.
fn silent() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

fn host(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

fn cluster_of(hosts: &[String]) -> RedisStore {
    store(&format!("redis+cluster://:{PASSWORD}@{}", hosts.join(",")))
}

fn look(store: &RedisStore) {
    store.open().and_then(|mut session| session.look(NAME)).unwrap();
}

/// The URL of sentinels with others before them.
fn with_others_first(group: &Sentinels, others: &[String]) -> RedisStore {
    store(&group.url().replace('@', &format!("@{},", others.join(","))))
}

#[test]
fn silent_nodes_leave_time_for_one_that_answers() {
    let silent = [silent(), silent()];
    let cluster = Cluster::start();
    let mut hosts: Vec<_> =
        silent.iter().map(|silent| host(silent.local_addr().unwrap().port())).collect();
    hosts.push(host(cluster.nodes[cluster.owner(TOKEN)].port()));
    let store = cluster_of(&hosts);
    look(&store);
    // The one that answered is asked first from then on.
    let start = Instant::now();
    (0..10).for_each(|_| look(&store));
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[test]
fn silent_sentinels_leave_time_for_one_that_answers() {
    let silent = [silent(), silent()];
    let group = Sentinels::start();
    let ports = silent.each_ref().map(|silent| host(silent.local_addr().unwrap().port()));
    look(&with_others_first(&group, &ports));
}

#[test]
fn a_node_that_is_of_no_use_hides_no_other() {
    let cluster = Cluster::start();
    let good = host(cluster.nodes[0].port());
    for answer in [
        "-CLUSTERDOWN Hash slot not served",
        "-LOADING Redis is loading the dataset in memory",
        "-WRONGPASS invalid username-password pair or user is disabled.",
        "-ERR max number of clients reached",
    ] {
        let useless = saying(answer);
        look(&cluster_of(&[host(useless.port()), good.clone()]));
        assert!(useless.connections() > 0);
    }
    // Nor does one that ends each connection.
    let ending = Server::new(|_, _| ());
    look(&cluster_of(&[host(ending.port()), good]));
}

#[test]
fn what_was_remembered_and_is_of_no_use_any_more_is_forgotten() {
    let is_lost = Arc::new(AtomicBool::default());
    let lost = is_lost.clone();
    let remembered = Server::new(move |stream, _| {
        serve(stream, |stream| match lost.load(Ordering::SeqCst) {
            false => write!(stream, "{NOTHING}").is_ok(),
            true => write!(stream, "-CLUSTERDOWN The cluster is down\r\n").is_ok(),
        });
    });
    let (lost, there) = (is_lost.clone(), host(remembered.port()));
    let named = Server::new(move |stream, _| {
        serve(stream, |stream| match lost.load(Ordering::SeqCst) {
            false => write!(stream, "-MOVED 1 {there}\r\n").is_ok(),
            true => write!(stream, "{NOTHING}").is_ok(),
        });
    });
    let store = store(&format!("redis+cluster://{}", host(named.port())));
    look(&store);
    look(&store);
    assert_eq!(named.connections(), 1, "it has told once where the keys are");
    is_lost.store(true, Ordering::SeqCst);
    look(&store);
    let asked = remembered.connections();
    look(&store);
    assert_eq!(remembered.connections(), asked);
}

#[test]
fn a_node_that_leads_to_one_that_is_of_no_use_is_not_asked_for_ever() {
    let useless = saying("-CLUSTERDOWN Hash slot not served");
    let there = host(useless.port());
    let leading = Server::new(move |stream, _| {
        serve(stream, |stream| write!(stream, "-MOVED 1 {there}\r\n").is_ok());
    });
    let error = error(&store(&format!("redis+cluster://{}", host(leading.port()))));
    assert!(error.contains("the error CLUSTERDOWN"), "{error}");
    let connections = [leading.connections(), useless.connections()];
    assert!(connections.iter().all(|count| *count <= 3), "{connections:?}");
}

#[test]
fn an_error_says_which_server_it_is_of() {
    let servers = [saying("-WRONGPASS wrong"), saying("-WRONGPASS wrong")];
    let silent = host(silent().local_addr().unwrap().port());
    let hosts = [silent, host(servers[0].port()), host(servers[1].port())];
    let error = error(&cluster_of(&hosts));
    let words =
        format!(" (at {}) cannot be used: AUTH was answered with the error WRONGPASS", hosts[1]);
    assert!(error.contains(&words), "{error}");
}

#[test]
fn a_node_may_not_know_its_own_name() {
    let cluster = Cluster::start();
    for node in &cluster.nodes {
        node.ask("CONFIG SET cluster-preferred-endpoint-type hostname");
    }
    let other = (cluster.owner(TOKEN) + 1) % 3;
    look(&store(&cluster.url(&[other])));
}

#[test]
fn all_secrets_of_a_client_are_in_one_slot() {
    let cluster = Cluster::start();
    let store = store(&cluster.url(&[0, 1, 2]));
    let connections = || -> u64 {
        let of = |node: &Redis| {
            let stats = node.ask("INFO stats");
            let stats = String::from_utf8_lossy(&stats).into_owned();
            let count = stats.split("total_connections_received:").nth(1).unwrap();
            count.lines().next().unwrap().parse::<u64>().unwrap() - 1
        };
        cluster.nodes[..3].iter().map(of).sum()
    };
    look(&store);
    let mut session = store.open().unwrap();
    let before = connections();
    for secret in ["abcd", "ef01", "2345", "6789"] {
        session.look(&format!("0123{secret}")).unwrap();
        session.try_lock(&format!("0123{secret}"), None).unwrap();
    }
    // Those of the other count itself.
    assert_eq!(connections(), before + 3);
}

/// A sentinel that names a master.
fn naming(port: u16) -> Server {
    Server::new(move |stream, _| {
        let port = port.to_string();
        serve(stream, |stream| {
            write!(stream, "*2\r\n$9\r\n127.0.0.1\r\n${}\r\n{port}\r\n", port.len()).is_ok()
        });
    })
}

#[test]
fn a_sentinel_that_still_names_the_old_master_is_passed_over() {
    let group = Sentinels::start();
    let stale = naming(group.servers[1].port());
    let store = with_others_first(&group, &[host(stale.port())]);
    let mut session = store.open().unwrap();
    assert_eq!(session.try_lock(NAME, None).unwrap(), Turn::Ours);
    assert!(put(&mut *session, None, Some(b"new")));
}

#[test]
fn a_sentinel_that_is_of_no_use_hides_no_other() {
    let group = Sentinels::start();
    for answer in
        ["-ERR max number of clients reached", "-NOPERM this user has no permissions", "*-1", "+x"]
    {
        let useless = saying(answer);
        look(&with_others_first(&group, &[host(useless.port())]));
        assert!(useless.connections() > 0);
    }
}
