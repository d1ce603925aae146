//! Stands in for programs that use a provider: each asks for a token now and then, and is started again at times.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Wake, Waker};
use std::time::Duration;

use super::figures::{Failure, Tally};
use crate::provider::hosts::AllowedHosts;
use crate::provider::pending::{Pending, TokenPoll};
use crate::provider::shared::{Asked, Outcome, Shared, Work};
use crate::request::{HttpSource, Options};
use crate::store::tests::simulation::{Parts, Process, Simulation, State};
use crate::sync::lock;
use crate::sys::thread::simulated;
use crate::token::AccessToken;

/// A program whose start takes so long at the most.
const LONGEST_START: Duration = Duration::from_secs(30);

pub(super) struct Fleet {
    pub(super) simulation: Arc<Simulation>,
    /// Names the API, and is not used.
    http: Arc<HttpSource>,
    hosts: Vec<Mutex<Option<Arc<Shared>>>>,
    pub(super) usage: Usage,
    pub(super) tally: Mutex<Tally>,
}

/// How the programs use their tokens.
#[derive(Clone, Copy)]
pub(super) struct Usage {
    /// The longest between two calls of a host; without, it calls once when it starts.
    pub(super) between_calls: Option<Duration>,
    /// No call comes later.
    pub(super) until: Duration,
    /// When clocks are set, so that all look at their tokens.
    pub(super) step: Duration,
}

/// A call that waits for a token request.
struct Waiting {
    fleet: Arc<Fleet>,
    process: Process,
    call: Call,
    pending: Pending,
    work: Arc<Work>,
    is_over: AtomicBool,
}

/// When it began, and which token its provider had then.
pub(super) struct Call {
    pub(super) since: Duration,
    pub(super) held: Option<Arc<AccessToken>>,
}

impl Fleet {
    pub(super) fn new(simulation: Arc<Simulation>, hosts: usize, usage: Usage) -> Arc<Self> {
        let http = HttpSource::new(&Options::default().trust_env(false)).unwrap();
        Arc::new(Self {
            simulation,
            http: Arc::new(http),
            hosts: (0..hosts).map(|_| Mutex::default()).collect(),
            usage,
            tally: Mutex::new(Tally::new(hosts)),
        })
    }

    /// Ends the program of a host at some time, if it runs, and starts it after a while.
    pub(super) fn restart_at(self: &Arc<Self>, state: &mut State, host: usize, at: Duration) {
        let fleet = self.clone();
        state.plan_for_host(at, host, move || fleet.restart(host));
    }

    /// Starts the program of a host, which does not run yet, at some time.
    pub(super) fn start_at(self: &Arc<Self>, state: &mut State, host: usize, at: Duration) {
        let fleet = self.clone();
        let process = state.process(host);
        state.plan(at, process, move || fleet.start(process));
    }

    fn restart(self: &Arc<Self>, host: usize) {
        *lock(&self.hosts[host]) = None;
        let mut state = self.simulation.state();
        let process = state.kill(host);
        let at = state.now + state.up_to(LONGEST_START);
        let fleet = self.clone();
        state.plan(at, process, move || fleet.start(process));
    }

    fn start(self: &Arc<Self>, process: Process) {
        let Parts { clock, sealer, store, credentials } =
            Parts::new(&self.simulation, process.host);
        let allowed = AllowedHosts::new(None, self.http.url()).unwrap();
        let http = self.http.clone();
        let shared = Shared::new(http, credentials, allowed, sealer, Some(store), clock, None);
        *lock(&self.hosts[process.host]) = Some(Arc::new(shared));
        self.call(process);
    }

    /// Has the program of a host, whichever runs by then, ask for a token at some time.
    pub(super) fn call_at(self: &Arc<Self>, state: &mut State, host: usize, at: Duration) {
        let fleet = self.clone();
        state.plan_for_host(at, host, move || {
            let process = fleet.simulation.state().process(host);
            fleet.call(process);
        });
    }

    fn shared(&self, host: usize) -> Arc<Shared> {
        lock(&self.hosts[host]).clone().expect("a host that runs has a provider")
    }

    /// Asks for a token.
    pub(super) fn call(self: &Arc<Self>, process: Process) {
        let shared = self.shared(process.host);
        let since = self.simulation.state().now;
        let call = Call { since, held: shared.peek() };
        match simulated::with(self.starter(process), || shared.ask()) {
            Ok(Asked::Token(token)) => self.end(process, &call, Ok(token)),
            Ok(asked) => self.wait(process, call, &shared, asked),
            Err(error) => self.end(process, &call, Err(error)),
        }
    }

    /// Gives the provider's threads to the simulation.
    fn starter(self: &Arc<Self>, process: Process) -> simulated::Start {
        let fleet = self.clone();
        Arc::new(move |work| {
            let starter = fleet.starter(process);
            let mut state = fleet.simulation.state();
            state.plan_work(process, move || simulated::with(starter, work));
        })
    }

    fn wait(self: &Arc<Self>, process: Process, call: Call, shared: &Arc<Shared>, asked: Asked) {
        let Asked::Wait { work, grace, .. } = &asked else { unreachable!("it waits") };
        let (work, grace) = (work.clone(), *grace);
        let TokenPoll::Pending(pending) = TokenPoll::new(shared, asked) else { unreachable!() };
        let (fleet, is_over) = (self.clone(), AtomicBool::default());
        let since = call.since;
        let waiting = Arc::new(Waiting { fleet, process, call, pending, work, is_over });
        waiting.work.wake(&Waker::from(waiting.clone()));
        if let Some(grace) = grace {
            let mut state = self.simulation.state();
            state.plan(since + grace, process, move || waiting.end());
        }
    }

    /// Notes down what a call has brought, and plans the next.
    fn end(self: &Arc<Self>, process: Process, call: &Call, outcome: Outcome) {
        let shared = self.shared(process.host);
        let held_lives = call.held.as_ref().is_some_and(|token| shared.lives(token));
        let is_fresh = shared.if_fresh(&shared.cached()).is_some();
        let fresh_for = if is_fresh { shared.stats().refresh_in } else { Duration::ZERO };
        let mut state = self.simulation.state();
        let (now, in_reach) = (state.now, state.token_in_reach(process.host));
        match outcome {
            Ok(_) => lock(&self.tally).served(process.host, call, now),
            Err(error) => {
                let failure = Failure { error: &error, held_lives, in_reach };
                lock(&self.tally).failed(process.host, call, now, &failure);
            }
        }
        self.plan_next(&mut state, process, fresh_for);
    }

    /// As long as the token is fresh, no call is made.
    fn plan_next(self: &Arc<Self>, state: &mut State, process: Process, fresh_for: Duration) {
        let Some(between) = self.usage.between_calls else { return };
        let (now, step) = (state.now, self.usage.step);
        let passed_over = if now < step { fresh_for.min(step - now) } else { fresh_for };
        let at = now + passed_over + state.up_to(between);
        if at < self.usage.until {
            let fleet = self.clone();
            state.plan(at, process, move || fleet.call(process));
        }
    }
}

impl Waiting {
    fn end(&self) {
        if !self.is_over.swap(true, Ordering::Relaxed) {
            let outcome = self.work.has_ended().then(|| self.work.wait(None)).flatten();
            self.fleet.end(self.process, &self.call, self.pending.judge(outcome));
        }
    }
}

impl Wake for Waiting {
    fn wake(self: Arc<Self>) {
        let simulation = self.fleet.simulation.clone();
        let mut state = simulation.state();
        let (now, process) = (state.now, self.process);
        state.plan(now, process, move || self.end());
    }
}
