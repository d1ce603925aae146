//! Lets time pass, and one host run at a time.

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use super::checks::Seen;
use super::flaws::Flaw;
use super::store::{Answer, Command, Sent, Store, StrangersAct};
use super::worlds::World;
use crate::random::seeded::Numbers;
use crate::sync::{ignore_poison, lock};

/// No run has more, unless it does not end.
const MOST_EVENTS: u64 = 200_000;

/// What ends the thread of a host in the middle of what it does.
pub(super) struct Ended;

pub(super) struct Simulation {
    pub(super) world: World,
    /// What all hosts' time without steps begins with.
    pub(super) origin: Instant,
    state: Mutex<State>,
    turns: Vec<Condvar>,
    ended: Condvar,
}

pub(super) struct State {
    pub(super) now: Duration,
    pub(super) numbers: Numbers,
    pub(super) store: Store,
    pub(super) hosts: Vec<Host>,
    pub(super) seen: Seen,
    pub(super) lifetime: Duration,
    pub(super) answers: BTreeMap<u64, Answer>,
    /// By time; what comes at the same time, in any order.
    events: BTreeMap<(Duration, u64, u64), Event>,
    pub(super) count: u64,
    running: Option<usize>,
    /// What happened, if somebody wants to read it.
    pub(super) told: Option<Vec<String>>,
}

#[derive(Debug)]
enum Event {
    /// A host goes on.
    Host(usize),
    /// The store gets a command of a host.
    Command {
        number: u64,
        sent: Sent,
        command: Command,
    },
    Stranger(StrangersAct),
}

/// What is to become of a host.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Fate {
    Dies,
    Stops(Duration),
}

#[derive(Default)]
pub(super) struct Host {
    steps: u32,
    /// At which of its steps.
    pub(super) fate: Option<(u32, Fate)>,
    /// How often it was stopped.
    pub(super) stops: u32,
    /// How much later than the truth it knows the time of the store.
    pub(super) late_by: Option<Duration>,
    /// The same of the last answer before a request was sent.
    pub(super) late_before: Option<Duration>,
    /// Whether it wants a replacement of a refused token.
    pub(super) wants_replacement: bool,
    /// When the store answered the last look.
    pub(super) looked: Duration,
    /// The last token that it was to store, sealed.
    pub(super) last_token: Option<Vec<u8>>,
}

impl State {
    pub(super) fn happens(&mut self, probability: f64) -> bool {
        self.numbers.fraction() < probability
    }

    pub(super) fn between(&mut self, shortest: Duration, longest: Duration) -> Duration {
        let length = shortest + longest.saturating_sub(shortest).mul_f64(self.numbers.fraction());
        // Nothing is told apart that is not a millisecond apart, as in a stamp.
        Duration::from_millis(length.as_millis() as u64)
    }

    pub(super) fn up_to(&mut self, longest: Duration) -> Duration {
        self.between(Duration::ZERO, longest)
    }

    pub(super) fn tell(&mut self, what: impl FnOnce() -> String) {
        let now = self.now;
        if let Some(told) = &mut self.told {
            told.push(format!("{now:>12.3?} {}", what()));
        }
    }

    fn push(&mut self, at: Duration, event: Event) {
        self.count += 1;
        let order = (at, self.numbers.next(), self.count);
        self.events.insert(order, event);
    }

    /// Has the store get a command after a while; gives the number of its answer.
    pub(super) fn send(&mut self, host: usize, after: Duration, command: Command) -> u64 {
        let number = self.count;
        let sent = Sent { host, at: self.now };
        self.push(self.now + after, Event::Command { number, sent, command });
        number
    }

    pub(super) fn plan(&mut self, at: Duration, act: StrangersAct) {
        self.push(at, Event::Stranger(act));
    }

    /// The next host to go on, after all that comes before.
    fn next_host(&mut self) -> Option<usize> {
        loop {
            let ((at, _, _), event) = self.events.pop_first()?;
            self.now = at;
            self.count += 1;
            if self.count > MOST_EVENTS {
                self.seen.break_rule("L1: a run does not end");
            }
            match event {
                Event::Host(host) => return Some(host),
                Event::Command { number, sent, command } => {
                    let answer = self.run(sent, command);
                    self.answers.insert(number, answer);
                }
                Event::Stranger(act) => self.let_stranger(act),
            }
        }
    }
}

impl Simulation {
    pub(super) fn new(world: World, seed: u64, tells: bool) -> Self {
        let hosts = world.hosts;
        let state = State {
            now: Duration::ZERO,
            numbers: Numbers(seed),
            store: Store::new(&world),
            hosts: (0..hosts).map(|_| Host::default()).collect(),
            seen: Seen::default(),
            lifetime: world.lifetime,
            answers: BTreeMap::new(),
            events: BTreeMap::new(),
            count: 0,
            running: None,
            told: tells.then(Vec::new),
        };
        Self {
            world,
            origin: Instant::now(),
            state: Mutex::new(state),
            turns: (0..hosts).map(|_| Condvar::new()).collect(),
            ended: Condvar::new(),
        }
    }

    pub(super) fn has(&self, flaw: Flaw) -> bool {
        self.world.flaw == Some(flaw)
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Lets all hosts run to their end; each has a thread that calls [`begin`](Self::begin) and
    /// [`end`](Self::end).
    pub(super) fn run(&self) {
        let mut state = self.state();
        for host in 0..self.world.hosts {
            let at = state.up_to(self.world.start_within);
            state.push(at, Event::Host(host));
        }
        self.hand_over(&mut state);
        while state.running.is_some() {
            state = ignore_poison(self.ended.wait(state));
        }
    }

    fn hand_over(&self, state: &mut State) {
        state.running = state.next_host();
        match state.running {
            Some(host) => self.turns[host].notify_one(),
            None => self.ended.notify_one(),
        }
    }

    pub(super) fn begin(&self, host: usize) {
        drop(self.wait_for_turn(self.state(), host));
    }

    pub(super) fn end(&self) {
        self.hand_over(&mut self.state());
    }

    /// Lets time pass for a host, and all others do what they do meanwhile.
    pub(super) fn pass(&self, place: usize, length: Duration) {
        let mut state = self.state();
        let mut at = state.now + length;
        let host = &mut state.hosts[place];
        host.steps += 1;
        let steps = host.steps;
        match host.fate.filter(|(step, _)| *step == steps) {
            Some((_, Fate::Dies)) => {
                state.seen.lost += 1;
                state.tell(|| format!("host {place} dies"));
                drop(state);
                resume_unwind(Box::new(Ended));
            }
            Some((_, Fate::Stops(length))) => {
                host.stops += 1;
                at += length;
                state.seen.lost += 1;
                state.tell(|| format!("host {place} stops for {length:.3?}"));
            }
            None => {}
        }
        state.push(at, Event::Host(place));
        state.running = state.next_host();
        if state.running != Some(place) {
            let next = state.running.expect("this host is to go on");
            self.turns[next].notify_one();
            state = self.wait_for_turn(state, place);
        }
        let is_over = state.seen.broken.is_some();
        drop(state);
        if is_over {
            resume_unwind(Box::new(Ended));
        }
    }

    fn wait_for_turn<'a>(
        &self,
        mut state: MutexGuard<'a, State>,
        host: usize,
    ) -> MutexGuard<'a, State> {
        while state.running != Some(host) {
            state = ignore_poison(self.turns[host].wait(state));
        }
        state
    }
}
