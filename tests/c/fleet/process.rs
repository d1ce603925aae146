//! A process of a fleet, which asks for a token whenever it is told to, and the API that it asks.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use test_support::server::{Server, TOKEN_BODY, http, ok, read_request};

use crate::programs::{command, compile, stage};

/// Of a token request, in milliseconds.
pub const TIMEOUT: u64 = 15_000;
pub const SECRET: &str = "not-a-real-secret-0123456789abcdef";

/// Compiled once: a program that is being written cannot be run.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| compile("fleet", &stage("stage")))
}

/// A process that is killed in the end.
pub struct Process {
    child: Child,
    answers: BufReader<ChildStdout>,
}

impl Process {
    pub fn start(url: &str, store: &str) -> Self {
        Self::start_with(url, store, &[])
    }

    /// With `more` variables; without the secret if one of them names a file with it.
    pub fn start_with(url: &str, store: &str, more: &[(&str, &str)]) -> Self {
        let timeout = TIMEOUT.to_string();
        let variables = [
            ("CLAZAR_AUTH_URL", url),
            ("CLAZAR_CLIENT_ID", "not-a-real-client"),
            ("CLAZAR_CLIENT_SECRET", SECRET),
            ("CLAZAR_STORE", store),
            ("TEST_TIMEOUT", &timeout),
        ];
        let has_file = more.iter().any(|(name, _)| *name == "CLAZAR_CLIENT_SECRET_FILE");
        let mut command = command(program(), &[&variables, more].concat());
        if has_file {
            command.env_remove("CLAZAR_CLIENT_SECRET");
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Self { child, answers }
    }

    /// Has it ask, with its wall clock so many seconds ahead.
    pub fn ask(&mut self, ahead: i64) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{ahead}").unwrap();
    }

    /// For how long it waited, and the token or the error that it got.
    pub fn answer(&mut self) -> (Duration, String) {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        let (waited, got) = line.trim_end().split_once(' ').expect("it is still there");
        (Duration::from_millis(waited.parse().unwrap()), got.to_owned())
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Lets it end by itself.
    pub fn end(mut self) {
        drop(self.child.stdin.take());
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Has all ask at once; the longest wait, and what each of them got.
pub fn ask_all(fleet: &mut [Process], ahead: i64) -> (Duration, Vec<String>) {
    fleet.iter_mut().for_each(|process| process.ask(ahead));
    let (waits, got): (Vec<_>, Vec<_>) = fleet.iter_mut().map(Process::answer).unzip();
    (waits.into_iter().max().unwrap(), got)
}

/// Gives tokens with numbers, each after a while, to those whose secret it takes.
pub struct Api {
    server: Server,
    refused: Arc<Mutex<Option<String>>>,
}

impl Api {
    pub fn start() -> Self {
        let refused = Arc::<Mutex<Option<String>>>::default();
        let (secret, granted) = (refused.clone(), Arc::new(Mutex::new(0)));
        let server = Server::new(move |mut stream, requests| {
            let Some(request) = read_request(&mut stream) else { return };
            let is_refused =
                secret.lock().unwrap().as_ref().is_some_and(|secret| has(&request, secret));
            requests.lock().unwrap().push(request);
            // As long as others wait for, so that they have to.
            std::thread::sleep(Duration::from_millis(300));
            let answer = if is_refused {
                http("401 Unauthorized", "", r#"{"error":"invalid_client"}"#)
            } else {
                let mut granted = granted.lock().unwrap();
                *granted += 1;
                ok(&TOKEN_BODY.replace("a-real-token", &format!("a-real-token-{granted}")))
            };
            let _ = stream.write_all(answer.as_bytes());
        });
        Self { server, refused }
    }

    pub fn url(&self) -> String {
        self.server.url()
    }

    /// From now on.
    pub fn refuse(&self, secret: &str) {
        *self.refused.lock().unwrap() = Some(secret.to_owned());
    }

    /// How many came with a secret.
    pub fn requests_with(&self, secret: &str) -> usize {
        self.server.requests().iter().filter(|request| has(request, secret)).count()
    }
}

fn has(request: &[u8], secret: &str) -> bool {
    request.windows(secret.len()).any(|part| part == secret.as_bytes())
}
