//! Has the subjects take turns, and prints what each of them needs.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::certificates::Pem;

const REQUESTS: u32 = 20;
const ROUNDS: usize = 41;

/// A process that answers lines.
struct Peer {
    process: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Peer {
    fn start(mut command: Command) -> Self {
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let input = process.stdin.take();
        let output = BufReader::new(process.stdout.take().unwrap());
        Self { process, input, output }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "a subject ended early; see above");
        line
    }

    /// What each of so many requests costs.
    fn requests(&mut self, number: u32) -> [f64; 3] {
        writeln!(self.input.as_mut().unwrap(), "{number}").unwrap();
        let line = self.line();
        let mut costs = line.split_whitespace().map(|cost| cost.parse::<f64>().unwrap());
        std::array::from_fn(|_| costs.next().unwrap() / f64::from(number))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // The end of its input ends it.
        drop(self.input.take());
        let _ = self.process.wait();
    }
}

pub fn compare(c: &str, python: [&str; 2]) {
    let pem = Pem::new();
    let myself = env::current_exe().unwrap();
    let role = |name: &str| {
        let mut command = Command::new(&myself);
        command.arg(name);
        command
    };
    let mut command = role("server");
    command.env("CERTIFICATE", &pem.certificate).env("KEY", &pem.key);
    let mut server = Peer::start(command);
    let url = format!("https://127.0.0.1:{}/authenticate/", server.line().trim());
    let bundle = env::temp_dir().join(format!("clazar-auth-roots-{}.pem", std::process::id()));
    fs::write(&bundle, &pem.roots).unwrap();

    let mut in_python = Command::new(python[0]);
    in_python.arg(python[1]);
    // The snippet's buffers are so large that glibc gives them back to the system each time, unless other
    // memory lies in the way, or it is told not to.
    let mut at_its_best = role("snippet");
    for threshold in ["MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"] {
        at_its_best.env(threshold, "33554432");
    }
    let commands = [
        ("a plain ureq snippet", role("snippet")),
        ("the same at its best", at_its_best),
        ("Rust", role("rust")),
        ("C", Command::new(c)),
        ("Python", in_python),
    ];
    let mut subjects = commands.map(|(name, mut command)| {
        command.env("CLAZAR_AUTH_URL", &url).env("SSL_CERT_FILE", &bundle);
        command.env("CLAZAR_CLIENT_ID", "not-a-real-client");
        command.env("CLAZAR_CLIENT_SECRET", "not-a-real-secret-0123456789abcdef");
        for other in ["HTTPS_PROXY", "https_proxy", "SSL_CERT_DIR", "CLAZAR_STORE"] {
            command.env_remove(other);
        }
        let mut subject = Peer::start(command);
        // Reads the roots.
        subject.requests(REQUESTS);
        (name, subject, Vec::new())
    });
    fs::remove_file(&bundle).unwrap();
    for _ in 0..ROUNDS {
        for (_, subject, rounds) in &mut subjects {
            rounds.push(subject.requests(REQUESTS));
        }
    }
    print(&subjects.each_ref().map(|(name, _, rounds)| (*name, medians(rounds))));
}

fn medians(rounds: &[[f64; 3]]) -> [f64; 3] {
    std::array::from_fn(|cost| {
        let mut costs: Vec<_> = rounds.iter().map(|round| round[cost]).collect();
        costs.sort_by(f64::total_cmp);
        costs[costs.len() / 2]
    })
}

fn print(subjects: &[(&str, [f64; 3])]) {
    let [[snippet, ..], [best, ..]] = [subjects[0].1, subjects[1].1];
    println!("one token request over TLS, median of {ROUNDS} rounds of {REQUESTS}");
    println!(
        "                      processor   of the snippet   of its best   page faults   clock"
    );
    for (name, [processor, faults, clock]) in subjects {
        println!(
            "{name:22} {:5.0} us {:16.2} {:13.2} {faults:13.0} {:4.0} us",
            processor / 1e3,
            processor / snippet,
            processor / best,
            clock / 1e3,
        );
    }
}
