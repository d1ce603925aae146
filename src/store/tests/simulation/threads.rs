//! Runs a fleet of more hosts than there can be threads.
//!
//! A host whose provider has a fresh token is nothing but data. It takes a thread only for work of the library's
//! that lets time pass, which is given to whichever thread is idle.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

use super::schedule::{Ended, Simulation, State};
use super::tasks::Task;
use super::turns::Runner;
use crate::random::seeded::{self, Numbers};

/// Little, since there are many.
const STACK: usize = 256 * 1024;

#[derive(Default)]
pub(super) struct Threads {
    idle: Vec<usize>,
    /// What each is to do next.
    tasks: BTreeMap<usize, Task>,
    handles: Vec<JoinHandle<()>>,
    /// How many there were.
    pub(super) count: usize,
}

impl Simulation {
    /// Lets a fleet run until nothing is left to happen.
    pub(crate) fn run_fleet(self: &Arc<Self>) {
        seeded::use_here(Numbers(u64::MAX));
        self.drive();
        let mut state = self.state();
        let threads = std::mem::take(&mut state.threads.handles);
        state.threads.count = threads.len();
        // Without a task, they end.
        state.turns.iter().for_each(|turn| turn.give());
        drop(state);
        threads.into_iter().for_each(|thread| thread.join().expect("a runner catches panics"));
    }

    /// The thread that is to do a task.
    pub(super) fn thread_for(self: &Arc<Self>, state: &mut State, task: Task) -> usize {
        let runner = state.threads.idle.pop().unwrap_or_else(|| self.start_thread(state));
        state.threads.tasks.insert(runner, task);
        runner
    }

    fn start_thread(self: &Arc<Self>, state: &mut State) -> usize {
        let number = state.add_runner();
        let seed = state.numbers.next();
        let simulation = self.clone();
        let work = move || {
            seeded::use_here(Numbers(seed));
            simulation.run_tasks(number);
        };
        let thread = Builder::new().stack_size(STACK).spawn(work).expect("a thread can be started");
        state.threads.handles.push(thread);
        number
    }

    /// Does one task after the other.
    fn run_tasks(self: &Arc<Self>, number: usize) {
        let turn = self.turn(number);
        turn.take();
        let mut state = self.state();
        while let Some(task) = state.threads.tasks.remove(&number) {
            let host = task.process.host;
            let process = state.hosts[host].process;
            state.thread_begins(host);
            drop(state);
            Runner::set(Some(Runner { number, host, process }));
            let ended = catch_unwind(AssertUnwindSafe(|| task.run()));
            Runner::set(None);
            state = self.state();
            if ended.is_err_and(|panic| !panic.is::<Ended>()) {
                state.seen.break_rule("a host panics");
            }
            state.threads.idle.push(number);
            self.hand_over(state);
            turn.take();
            state = self.state();
        }
    }
}
