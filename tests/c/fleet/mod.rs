//! Runs real processes that share a store, some of them with a wrong clock, killed or stopped.

mod freezing;
mod outages;
mod process;
mod rotation;

use std::io::Write;
use std::time::Duration;

use rustix::process::Signal;
use test_support::redis::Redis;
use test_support::server::{Requests, Server, TOKEN_BODY, ok, read_request};
use test_support::wait_until;

use crate::programs::{Sanitizer, folder};
use process::{Process, TIMEOUT};

const DAY: i64 = 86_400;
/// Past the refresh point of a token of a day, and before its last part.
const STALE: i64 = 85_000;

/// Whether many processes would only show how slow they are.
fn is_slow() -> bool {
    Sanitizer::now() != Sanitizer::Nothing
}

/// Runs a test with each kind of store, each time with an empty one.
fn with_each_store(name: &str, test: impl Fn(&str)) {
    let file = folder().join(format!("{name}-{}", std::process::id()));
    test(file.to_str().unwrap());
    let _ = std::fs::remove_dir_all(file);
    test(&Redis::start(&[]).url());
}

/// Never answers the first request, and the others after one and a half seconds.
fn slow_server() -> Server {
    Server::new(|mut stream, requests: &Requests| {
        let Some(request) = read_request(&mut stream) else { return };
        let is_first = {
            let mut requests = requests.lock().unwrap();
            requests.push(request);
            requests.len() == 1
        };
        if is_first {
            while read_request(&mut stream).is_some() {}
            return;
        }
        std::thread::sleep(Duration::from_millis(1500));
        let _ = stream.write_all(ok(TOKEN_BODY).as_bytes());
    })
}

/// Twenty processes, the first of which holds the lock when it is killed or stopped.
fn costs_one_request_more(name: &str, signal: Signal) {
    if is_slow() {
        return;
    }
    with_each_store(name, |store| {
        let server = slow_server();
        let url = server.url();
        let mut holder = Process::start(&url, store);
        holder.ask(0);
        wait_until(|| server.requests().len() == 1);
        let mut others: Vec<_> = (0..19).map(|_| Process::start(&url, store)).collect();
        others.iter_mut().for_each(|process| process.ask(0));
        holder.signal(signal);
        let (longest, _) = others.iter_mut().map(Process::answer).max().unwrap();
        let requests = server.requests().len() - 1;
        println!("{store}: the longest wait {longest:?}");
        assert_eq!(requests, 1, "{store}");
        let bound = Duration::from_millis(2 * TIMEOUT + 3_000);
        assert!(longest < bound, "{store}: {longest:?}");
    });
}

#[test]
fn a_killed_holder_costs_two_requests_at_the_most() {
    costs_one_request_more("killed", Signal::KILL);
}

#[test]
fn a_stopped_holder_costs_two_requests_at_the_most() {
    costs_one_request_more("stopped", Signal::STOP);
}

#[test]
fn a_host_whose_clock_is_wrong_by_a_day_costs_one_request_at_the_most() {
    for ahead in [DAY, -DAY, 600, 50] {
        with_each_store("clocks", |store| {
            let server = Server::answering(ok(TOKEN_BODY));
            let get = |ahead| {
                let mut process = Process::start(&server.url(), store);
                process.ask(ahead);
                assert_eq!(process.answer().1, "not-a-real-token");
                process.end();
            };
            get(ahead);
            for _ in 0..3 {
                get(0);
                get(ahead);
            }
            assert!(server.requests().len() <= 2, "{store}, {ahead}: {}", server.requests().len());
        });
    }
}
