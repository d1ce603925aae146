//! A fleet on servers that fail, and come back with nothing in them.

use std::time::Duration;

use test_support::cluster::{Cluster, Sentinels};
use test_support::redis::Redis;
use test_support::wait_until;

use super::process::{Api, Process, SECRET, TIMEOUT, ask_all};
use super::{STALE, is_slow};

const PROCESSES: usize = 50;

/// Servers of which one can take the place of another.
trait Servers {
    fn url(&self) -> String;
    /// Ends the one that has the keys, and runs a function; returns when another one has its place.
    fn fail_over(&mut self, meanwhile: &mut dyn FnMut());
    fn kill(&mut self);
    fn start_again(&mut self);
}

fn has_token(server: &Redis) -> bool {
    server.keys().iter().any(|key| key.ends_with(":token"))
}

/// A cluster, and the node that its URL names first.
struct Nodes(Cluster, usize);

impl Servers for Nodes {
    fn url(&self) -> String {
        let nodes: Vec<_> = (0..6).map(|node| (self.1 + node) % 6).collect();
        self.0.url(&nodes)
    }

    fn fail_over(&mut self, meanwhile: &mut dyn FnMut()) {
        let Self(cluster, first) = self;
        let master = (0..3).find(|&node| has_token(&cluster.nodes[node])).unwrap();
        wait_until(|| has_token(&cluster.nodes[master + 3]));
        cluster.nodes[master].kill();
        meanwhile();
        cluster.fail_over(master);
        *first = master;
    }

    fn kill(&mut self) {
        self.0.kill();
    }

    fn start_again(&mut self) {
        self.0.start_again();
    }
}

impl Servers for Sentinels {
    fn url(&self) -> String {
        self.url()
    }

    fn fail_over(&mut self, meanwhile: &mut dyn FnMut()) {
        wait_until(|| has_token(&self.servers[1]));
        self.servers[0].kill();
        meanwhile();
        self.fail_over();
    }

    fn kill(&mut self) {
        self.kill();
    }

    fn start_again(&mut self) {
        self.start_again();
    }
}

/// Processes of which none has an error, and their longest wait.
struct Fleet<'a> {
    api: &'a Api,
    processes: Vec<Process>,
    longest: Duration,
}

impl Fleet<'_> {
    /// Puts new processes in the place of so many.
    fn deploy(&mut self, count: usize, store: &str) {
        self.processes.truncate(PROCESSES - count);
        let start = |_| Process::start(&self.api.url(), store);
        self.processes.extend((0..count).map(start));
    }

    /// Whether all that ask have the token of this number, and none an error.
    fn has(&mut self, number: usize, ahead: i64) -> bool {
        let (longest, got) = ask_all(&mut self.processes, ahead);
        self.longest = self.longest.max(longest);
        let token = |number| format!("not-a-real-token-{number}");
        let wrong = got.iter().find(|got| !(1..=number).any(|number| **got == token(number)));
        assert_eq!(wrong, None);
        assert!(self.api.requests_with(SECRET) <= number);
        got.iter().all(|got| *got == token(number))
    }
}

/// One request for the first token, and one when that is stale. Half of the processes live through it all.
fn two_requests_are_enough(what: &str, servers: &mut dyn Servers) {
    if is_slow() {
        return;
    }
    let api = Api::start();
    let mut fleet = Fleet { api: &api, processes: Vec::new(), longest: Duration::ZERO };
    fleet.deploy(PROCESSES, &servers.url());
    assert!(fleet.has(1, 0));
    servers.fail_over(&mut || assert!(fleet.has(1, 0)));
    fleet.deploy(PROCESSES / 2, &servers.url());
    assert!(fleet.has(1, 0));
    servers.kill();
    assert!(fleet.has(1, 0));
    servers.start_again();
    wait_until(|| fleet.has(2, STALE));
    fleet.deploy(PROCESSES / 2, &servers.url());
    assert!(fleet.has(2, STALE));
    println!("{what}: the longest wait {:?}", fleet.longest);
    assert!(fleet.longest < Duration::from_millis(2 * TIMEOUT + 3_000), "{:?}", fleet.longest);
}

#[test]
fn a_cluster_that_fails_over_and_is_lost_costs_two_requests() {
    two_requests_are_enough("cluster", &mut Nodes(Cluster::start(), 0));
}

#[test]
fn a_master_of_sentinels_that_fails_over_and_is_lost_costs_two_requests() {
    two_requests_are_enough("sentinels", &mut Sentinels::start());
}
