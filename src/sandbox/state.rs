//! Holds what a sandbox remembers, and what tests set to change its answers.

use std::collections::{HashMap, VecDeque};
use std::net::{Shutdown, TcpStream};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use ring::rand::{SecureRandom, SystemRandom};

use super::Answer;
use super::lists::Lists;
use super::metering::Meter;
use super::tokens::Signer;
use crate::sync::lock;
use crate::text::hex;

pub(super) const CLIENT_ID: &str = "sandbox-client";

/// So many bodies are kept for each path.
const MOST_BODIES: usize = 1_000;

pub(super) struct State {
    signer: Signer,
    knobs: Mutex<Knobs>,
    connections: Mutex<Connections>,
}

/// Those that are open, to be ended with the sandbox.
#[derive(Default)]
struct Connections {
    closed: bool,
    opened: u64,
    open: HashMap<u64, TcpStream>,
}

/// A connection that is open until this is dropped.
pub(super) struct Open<'a> {
    state: &'a State,
    number: u64,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        lock(&self.state.connections).open.remove(&self.number);
    }
}

pub(super) struct Knobs {
    pub(super) lifetime: Duration,
    pub(super) delay: Duration,
    client_secret: String,
    pub(super) lists: Lists,
    pub(super) meter: Meter,
    answers: HashMap<String, VecDeque<Answer>>,
    arrived: HashMap<String, Arrived>,
    issued: u64,
    /// Tokens up to this number are refused.
    revoked: u64,
}

/// What came to a path.
#[derive(Default)]
struct Arrived {
    requests: u64,
    bodies: Vec<Vec<u8>>,
}

impl Arrived {
    fn keep(&mut self, body: &[u8]) {
        if self.bodies.len() == MOST_BODIES {
            self.bodies.remove(0);
        }
        self.bodies.push(body.to_vec());
    }
}

impl Knobs {
    pub(super) fn line_up(&mut self, path: &str, answer: Answer) {
        self.answers.entry(path.to_owned()).or_default().push_back(answer);
    }
}

impl State {
    pub(super) fn new() -> Self {
        Self {
            signer: Signer::new(),
            knobs: Mutex::new(Knobs {
                lifetime: Duration::from_secs(86_400),
                delay: Duration::ZERO,
                client_secret: new_secret(),
                lists: Lists::default(),
                meter: Meter::default(),
                answers: HashMap::new(),
                arrived: HashMap::new(),
                issued: 0,
                revoked: 0,
            }),
            connections: Mutex::default(),
        }
    }

    pub(super) fn update<T>(&self, change: impl FnOnce(&mut Knobs) -> T) -> T {
        change(&mut self.lock())
    }

    /// Counts a request, and takes the answer that was prepared for it: if that is one of success, the
    /// refusal in its stead, where there is one.
    pub(super) fn arrive(&self, path: &str, refusal: Option<&Answer>) -> Option<Answer> {
        let mut knobs = self.lock();
        knobs.arrived.entry(path.to_owned()).or_default().requests += 1;
        let line = knobs.answers.get_mut(path)?;
        let succeeds = (200..300).contains(&line.front()?.status);
        refusal.filter(|_| succeeds).cloned().or_else(|| line.pop_front())
    }

    pub(super) fn keep(&self, path: &str, body: &[u8]) {
        self.lock().arrived.entry(path.to_owned()).or_default().keep(body);
    }

    pub(super) fn requests(&self, path: &str) -> u64 {
        self.lock().arrived.get(path).map_or(0, |arrived| arrived.requests)
    }

    pub(super) fn received(&self, path: &str) -> Vec<Vec<u8>> {
        self.lock().arrived.get(path).map_or_else(Vec::new, |arrived| arrived.bodies.clone())
    }

    pub(super) fn delay(&self) -> Duration {
        self.lock().delay
    }

    pub(super) fn client_secret(&self) -> String {
        self.lock().client_secret.clone()
    }

    pub(super) fn rotate_secret(&self) -> String {
        let secret = new_secret();
        self.lock().client_secret = secret.clone();
        secret
    }

    /// A new token and its lifetime, for the right credentials.
    pub(super) fn issue(&self, client_id: &str, client_secret: &str) -> Option<(String, Duration)> {
        let mut knobs = self.lock();
        if client_id != CLIENT_ID || client_secret != knobs.client_secret {
            return None;
        }
        knobs.issued += 1;
        let token = self.signer.issue(knobs.issued, client_id, knobs.lifetime);
        Some((token, knobs.lifetime))
    }

    pub(super) fn accepts(&self, token: &str) -> bool {
        let number = self.signer.check(token);
        number.is_some_and(|number| number > self.lock().revoked)
    }

    pub(super) fn revoke_tokens(&self) {
        let mut knobs = self.lock();
        knobs.revoked = knobs.issued;
    }

    /// `None` if the sandbox is closed.
    pub(super) fn opened(&self, stream: &TcpStream) -> Option<Open<'_>> {
        let stream = stream.try_clone().ok()?;
        let mut connections = lock(&self.connections);
        if connections.closed {
            return None;
        }
        connections.opened += 1;
        let number = connections.opened;
        connections.open.insert(number, stream);
        Some(Open { state: self, number })
    }

    pub(super) fn is_closed(&self) -> bool {
        lock(&self.connections).closed
    }

    /// Ends all connections.
    pub(super) fn close(&self) {
        let mut connections = lock(&self.connections);
        connections.closed = true;
        for stream in connections.open.values() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Knobs> {
        lock(&self.knobs)
    }
}

/// Long enough for every use of a secret, and plainly not a real one.
fn new_secret() -> String {
    let mut random = [0; 16];
    SystemRandom::new().fill(&mut random).expect("the system has random numbers");
    format!("sandbox-secret-{}", hex(&random))
}
