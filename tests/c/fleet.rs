//! Runs real processes that share a store, some of them with a wrong clock, killed or stopped.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use test_support::redis::Redis;
use test_support::server::{Requests, Server, TOKEN_BODY, ok, read_request};
use test_support::wait_until;

use crate::programs::{Sanitizer, command, compile, folder, stage};

const DAY: &str = "86400";
/// Of a token request, in milliseconds.
const TIMEOUT: u64 = 15_000;

/// Runs a test with each kind of store, each time with an empty one.
fn with_each_store(name: &str, test: impl Fn(&str)) {
    let file = folder().join(format!("{name}-{}", std::process::id()));
    test(file.to_str().unwrap());
    let _ = std::fs::remove_dir_all(file);
    test(&Redis::start(&[]).url());
}

/// Compiled once: a program that is being written cannot be run.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| compile("fleet", &stage("stage")))
}

/// A process that is started, and killed in the end.
struct Process(Child);

impl Process {
    fn start(program: &Path, url: &str, store: &str, ahead: &str) -> Self {
        let timeout = TIMEOUT.to_string();
        let variables = [
            ("CLAZAR_AUTH_URL", url),
            ("CLAZAR_CLIENT_ID", "not-a-real-client"),
            ("CLAZAR_CLIENT_SECRET", "not-a-real-secret-0123456789abcdef"),
            ("CLAZAR_STORE", store),
            ("TEST_TIMEOUT", &timeout),
            ("TEST_AHEAD", ahead),
        ];
        let mut command: Command = command(program, &variables);
        Self(command.stdout(Stdio::piped()).spawn().unwrap())
    }

    /// For how long it waited for its token.
    fn waited(mut self) -> Duration {
        let mut output = String::new();
        std::io::Read::read_to_string(self.0.stdout.as_mut().unwrap(), &mut output).unwrap();
        assert!(self.0.wait().unwrap().success());
        Duration::from_millis(output.trim().parse().unwrap())
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
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
    if Sanitizer::now() != Sanitizer::Nothing {
        return; // Twenty slow processes would only show how slow they are.
    }
    let program = program();
    with_each_store(name, |store| {
        let server = slow_server();
        let url = server.url();
        let holder = Process::start(program, &url, store, "0");
        wait_until(|| server.requests().len() == 1);
        let others: Vec<_> = (0..19).map(|_| Process::start(program, &url, store, "0")).collect();
        holder.signal(signal);
        let longest = others.into_iter().map(Process::waited).max().unwrap();
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
    let program = program();
    for ahead in [DAY, "-86400", "600", "50"] {
        with_each_store("clocks", |store| {
            let server = Server::answering(ok(TOKEN_BODY));
            let get = |ahead| Process::start(program, &server.url(), store, ahead).waited();
            get(ahead);
            for _ in 0..3 {
                get("0");
                get(ahead);
            }
            assert!(server.requests().len() <= 2, "{store}, {ahead}: {}", server.requests().len());
        });
    }
}
