//! Runs a world once for each seed.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::checks::Broken;
use super::host::Provider;
use super::schedule::{Ended, Fate, Simulation, State};
use super::worlds::World;
use crate::random::seeded::{self, Numbers};

/// What there is to say of a run.
pub(super) struct Run {
    pub(super) broken: Option<Broken>,
    pub(super) commands: u64,
    pub(super) requests: u32,
    pub(super) ends: [u32; 3],
    pub(super) longest_wait: Duration,
    pub(super) told: Vec<String>,
}

pub(super) fn run(world: &World, seed: u64, tells: bool) -> Run {
    let simulation = Arc::new(Simulation::new(world.clone(), seed, tells));
    simulation.state().draw_fates(world);
    (0..world.hosts).for_each(|_| _ = simulation.state().add_runner());
    let hosts: Vec<_> = (0..world.hosts)
        .map(|host| {
            let simulation = simulation.clone();
            thread::spawn(move || run_host(&simulation, host, seed))
        })
        .collect();
    simulation.run();
    for host in hosts {
        host.join().unwrap_or_else(|panic| resume_unwind(panic));
    }
    let mut state = simulation.state();
    Run {
        broken: state.seen.broken,
        commands: state.store.commands,
        requests: state.seen.requests,
        ends: state.seen.ends,
        longest_wait: state.seen.longest_wait,
        told: state.told.take().unwrap_or_default(),
    }
}

fn run_host(simulation: &Arc<Simulation>, host: usize, seed: u64) {
    let numbers = (seed << 8) + host as u64 + 1;
    seeded::use_here(Numbers(numbers));
    simulation.begin(host);
    let ended = catch_unwind(AssertUnwindSafe(|| Provider::new(simulation.clone(), host).run()));
    simulation.end();
    if let Err(panic) = ended
        && !panic.is::<Ended>()
    {
        resume_unwind(panic);
    }
}

impl State {
    fn draw_fates(&mut self, world: &World) {
        for at in 0..world.deaths + world.stops {
            let host = self.numbers.next() as usize % world.hosts;
            let step = 1 + self.numbers.next() as u32 % world.last_step;
            let length = self.up_to(world.longest_stop);
            let fate = if at < world.deaths { Fate::Dies } else { Fate::Stops(length) };
            self.hosts[host].fate = Some((step, fate));
        }
        for _ in 0..world.most_acts {
            let act = world.acts[self.numbers.next() as usize % world.acts.len()];
            let at = self.up_to(world.acts_within);
            self.plan_act(at, act);
        }
    }
}
