//! Lets time pass, and one host run at a time.

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use super::checks::{Broken, Seen};
use super::conditions::{Change, Conditions};
use super::flaws::Flaw;
use super::load::Load;
use super::store::{Answer, Command, Sent, Store, StrangersAct};
use super::tasks::Task;
use super::threads::Threads;
use super::turns::{Runner, Turn};
use super::worlds::World;
use crate::random::seeded::Numbers;
use crate::sync::lock;

/// No host has more in a run, unless it does not end.
const MOST_EVENTS_OF_A_HOST: u64 = 60_000;

/// What ends the thread of a host in the middle of what it does.
pub(super) struct Ended;

pub(crate) struct Simulation {
    pub(super) world: World,
    /// What all hosts' time without steps begins with.
    pub(super) origin: Instant,
    state: Mutex<State>,
    /// That of the thread that waits for the end.
    ended: Arc<Turn>,
}

pub(crate) struct State {
    pub(crate) now: Duration,
    pub(crate) numbers: Numbers,
    pub(super) store: Store,
    pub(super) conditions: Conditions,
    pub(super) hosts: Vec<Host>,
    pub(super) seen: Seen,
    pub(super) load: Load,
    pub(super) lifetime: Duration,
    pub(super) answers: BTreeMap<u64, Answer>,
    /// By time; what comes at the same time, in any order.
    events: BTreeMap<(Duration, u64, u64), Event>,
    pub(super) count: u64,
    /// Those of all runners.
    pub(super) turns: Vec<Arc<Turn>>,
    pub(super) threads: Threads,
    /// What happened, if somebody wants to read it.
    pub(super) told: Option<Vec<String>>,
}

enum Event {
    /// A runner goes on.
    Runner(usize),
    /// The store gets a command of a host.
    Command {
        number: u64,
        sent: Sent,
        command: Command,
    },
    Stranger(StrangersAct),
    Change(Change),
    Task(Task),
}

/// What comes next, but for what the store and strangers do.
enum Step {
    Runner(usize),
    Task(Task),
}

/// What is to become of a host.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Fate {
    Dies,
    Stops(Duration),
}

#[derive(Default)]
pub(super) struct Host {
    /// Which process it runs: what an earlier one was to do is over.
    pub(super) process: u32,
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

    pub(crate) fn up_to(&mut self, longest: Duration) -> Duration {
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

    pub(super) fn plan_act(&mut self, at: Duration, act: StrangersAct) {
        self.push(at, Event::Stranger(act));
    }

    pub(crate) fn plan_change(&mut self, at: Duration, change: Change) {
        self.push(at, Event::Change(change));
    }

    /// Has something done for a host at some time.
    pub(super) fn plan_task(&mut self, at: Duration, task: Task) {
        self.push(at, Event::Task(task));
    }

    /// Who is to go on, after all that comes before.
    fn next_step(&mut self) -> Option<Step> {
        loop {
            let ((at, _, _), event) = self.events.pop_first()?;
            self.now = at;
            self.count += 1;
            if self.count > MOST_EVENTS_OF_A_HOST * self.hosts.len() as u64 {
                self.seen.break_rule("L1: a run does not end");
            }
            match event {
                Event::Runner(runner) => return Some(Step::Runner(runner)),
                Event::Task(task) if self.is_wanted(&task) => return Some(Step::Task(task)),
                Event::Task(_) => {}
                Event::Command { number, sent, command } => {
                    let answer = self.run(sent, command);
                    self.answers.insert(number, answer);
                }
                Event::Stranger(act) => self.let_stranger(act),
                Event::Change(change) => self.apply(change),
            }
        }
    }

    /// Which rule was broken.
    pub(crate) fn broken(&self) -> Option<Broken> {
        self.seen.broken
    }

    pub(crate) fn load(&self) -> &Load {
        &self.load
    }

    /// How many threads a fleet had.
    pub(crate) fn threads(&self) -> usize {
        self.threads.count
    }

    pub(super) fn is_over(&self) -> bool {
        self.seen.broken.is_some()
    }

    pub(super) fn add_runner(&mut self) -> usize {
        self.turns.push(Arc::default());
        self.turns.len() - 1
    }
}

impl Simulation {
    pub(crate) fn new(world: World, seed: u64, tells: bool) -> Self {
        let state = State {
            now: Duration::ZERO,
            numbers: Numbers(seed),
            store: Store::new(&world),
            conditions: Conditions::default(),
            hosts: (0..world.hosts).map(|_| Host::default()).collect(),
            seen: Seen::default(),
            load: Load::default(),
            lifetime: world.lifetime,
            answers: BTreeMap::new(),
            events: BTreeMap::new(),
            count: 0,
            turns: Vec::new(),
            threads: Threads::default(),
            told: tells.then(Vec::new),
        };
        Self { world, origin: Instant::now(), state: Mutex::new(state), ended: Arc::default() }
    }

    pub(super) fn has(&self, flaw: Flaw) -> bool {
        self.world.flaw == Some(flaw)
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Lets all hosts run to their end; each has a thread that calls [`begin`](Self::begin) and
    /// [`end`](Self::end).
    pub(super) fn run(self: &Arc<Self>) {
        let mut state = self.state();
        for host in 0..self.world.hosts {
            let at = state.up_to(self.world.start_within);
            state.push(at, Event::Runner(host));
        }
        drop(state);
        self.drive();
    }

    /// Lets time pass until nothing is left to happen.
    pub(super) fn drive(self: &Arc<Self>) {
        self.hand_over(self.state());
        self.ended.take();
    }

    /// Gives the turn to whoever comes next. What takes no time is done here.
    pub(super) fn hand_over<'a>(self: &'a Arc<Self>, mut state: MutexGuard<'a, State>) {
        let here = Runner::here();
        let next = loop {
            break match state.next_step() {
                Some(Step::Runner(runner)) => state.turns[runner].clone(),
                Some(Step::Task(task)) if task.may_run_on(here) => {
                    drop(state);
                    task.run();
                    state = self.state();
                    continue;
                }
                Some(Step::Task(task)) => {
                    let runner = self.thread_for(&mut state, task);
                    state.turns[runner].clone()
                }
                None => self.ended.clone(),
            };
        };
        drop(state);
        next.give();
    }

    /// The thread of a host begins.
    pub(super) fn begin(&self, host: usize) {
        Runner::set(Some(Runner { number: host, host, process: 0 }));
        self.turn(host).take();
    }

    pub(super) fn end(self: &Arc<Self>) {
        Runner::set(None);
        self.hand_over(self.state());
    }

    pub(super) fn turn(&self, runner: usize) -> Arc<Turn> {
        self.state().turns[runner].clone()
    }

    /// Lets time pass for a host, and all others do what they do meanwhile.
    pub(super) fn pass(self: &Arc<Self>, place: usize, length: Duration) {
        let here = Runner::here().expect("a runner lets time pass");
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
        state.push(at, Event::Runner(here.number));
        let turn = state.turns[here.number].clone();
        self.hand_over(state);
        turn.take();
        let state = self.state();
        let is_over = state.is_over() || state.hosts[here.host].process != here.process;
        drop(state);
        if is_over {
            resume_unwind(Box::new(Ended));
        }
    }
}
