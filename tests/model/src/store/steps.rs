//! Says what can happen in a world, by hosts, faults and strangers, and lets it happen.

use super::explore::Model;
use super::faults::{self, StrangersAct};
use super::properties::{self, Broken};
use super::protocol::{Act, Answer, Wire, may_replace, spend};
use super::rules::Setup;
use super::symmetry;
use super::tell;
use super::world::{
    Blob, Host, Items, Lease, Life, Phase, Publication, Seen, Ticks, Token, TokenSet, World,
};

/// When a run begins: later than any clock is behind.
pub(super) const START: Ticks = 20;

/// A number is the place of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Tick,
    Ask(usize),
    Unauthorized(usize),
    Command(usize, Wire),
    Send(usize),
    Answer(usize, Answer),
    Publish(usize, Wire),
    Crash(usize),
    Stop(usize),
    GoOn(usize),
    Down,
    Up,
    /// A replica stops to follow.
    Lag,
    Failover,
    Stranger(StrangersAct),
}

impl Model for Setup {
    type State = World;
    type Step = Step;
    type Broken = Broken;

    fn start(&self) -> World {
        let (looked, sent, stamp) = (START - 1, START - 1, START - 1);
        let token = Token { number: 0, stamp, replacement: None, looked, sent };
        let first = self.warm.then_some(token);
        let store = Items { token: first.map(Blob::Sealed), ..Items::default() };
        let host = |(place, &ahead): (usize, &i8)| Host {
            ahead,
            life: Life::Runs,
            token: first.filter(|_| place >= self.newcomers),
            refused: TokenSet::default(),
            ever_refused: TokenSet::default(),
            wants_replacement: false,
            last_replacement: None,
            calls: self.calls,
            access: None,
            rest: None,
        };
        World {
            now: START,
            store,
            replica: None,
            is_down: false,
            hosts: self.hosts.iter().enumerate().map(host).collect(),
            left: self.budget,
            copies: first.into_iter().filter(|_| self.budget.replays > 0).collect(),
            seen: Seen::default(),
        }
    }

    fn steps(&self, world: &World) -> Vec<Step> {
        let mut steps = Vec::new();
        let is_urgent = |host: &Host| host.life == Life::Runs && self.must_act(host, world.now);
        if world.now < START + self.horizon && !world.hosts.iter().any(is_urgent) {
            steps.push(Step::Tick);
        }
        for (place, host) in world.hosts.iter().enumerate() {
            self.host_steps(world, place, host, &mut steps);
        }
        self.store_faults(world, &mut steps);
        faults::strangers(world, &mut steps);
        steps
    }

    fn after(&self, world: &World, step: Step) -> Result<World, Broken> {
        let mut world = world.clone();
        self.take(&mut world, step)?;
        Ok(world)
    }

    fn canonical(&self, world: &mut World) -> Vec<usize> {
        symmetry::sort(world)
    }

    fn tell(&self, world: &World, step: Step, names: &[usize]) -> String {
        tell::step(world, step, names)
    }

    fn measure(&self, world: &World) -> [u8; 2] {
        [properties::longest_wait(world), properties::longest_call(world)]
    }
}

impl Setup {
    /// Whether a host does something before the next tick.
    fn must_act(&self, host: &Host, now: Ticks) -> bool {
        let in_access = host.access.is_some_and(|access| match access.phase {
            Phase::Wait => false,
            Phase::Flight { sent, .. } => now - sent >= self.timeout,
            _ => true,
        });
        in_access || host.rest.is_some()
    }

    fn host_steps(&self, world: &World, place: usize, host: &Host, steps: &mut Vec<Step>) {
        let left = &world.left;
        match host.life {
            Life::Dead => return,
            Life::Stopped => return steps.push(Step::GoOn(place)),
            Life::Runs => {}
        }
        let may_replace = may_replace(self, world.now, host);
        if left.unauthorized > 0 && may_replace && (host.calls > 0 || host.access.is_some()) {
            steps.push(Step::Unauthorized(place));
        }
        if host.access.is_none() && host.calls > 0 && (host.token.is_none() || self.renews) {
            steps.push(Step::Ask(place));
        }
        if let Some(rest) = host.rest {
            steps.push(Step::Publish(place, Wire::Works));
            let has_effect = !matches!(rest.what, Publication::LookFor { .. });
            self.losses(world, has_effect, &mut |wire| steps.push(Step::Publish(place, wire)));
        } else if let Some(access) = host.access {
            self.access_steps(world, place, access.phase, steps);
        }
        if host.access.is_some() || host.rest.is_some() {
            steps.extend((left.crashes > 0).then_some(Step::Crash(place)));
            steps.extend((left.stops > 0).then_some(Step::Stop(place)));
        }
    }

    fn access_steps(&self, world: &World, place: usize, phase: Phase, steps: &mut Vec<Step>) {
        let left = &world.left;
        match phase {
            Phase::Wait => {}
            Phase::Send(_) => steps.push(Step::Send(place)),
            Phase::Flight { .. } => {
                steps.push(Step::Answer(place, Answer::Token));
                let failure = Step::Answer(place, Answer::Failure);
                steps.extend((left.failures > 0).then_some(failure));
                let trouble = Step::Answer(place, Answer::OwnTrouble);
                steps.extend((left.own_troubles > 0).then_some(trouble));
            }
            Phase::Look | Phase::LookAgain | Phase::Lock | Phase::Mark { .. } => {
                steps.push(Step::Command(place, Wire::Works));
                let has_effect = !matches!(phase, Phase::Look | Phase::LookAgain);
                self.losses(world, has_effect, &mut |wire| {
                    steps.push(Step::Command(place, wire));
                });
            }
        }
    }

    fn losses(&self, world: &World, has_effect: bool, add: &mut dyn FnMut(Wire)) {
        if world.left.losses > 0 && !world.is_down {
            add(Wire::LosesCommand);
            if has_effect {
                add(Wire::LosesAnswer);
            }
        }
    }

    fn take(&self, world: &mut World, step: Step) -> Result<(), Broken> {
        let wire = match step {
            Step::Command(_, wire) | Step::Publish(_, wire) => wire,
            _ => Wire::Works,
        };
        if wire != Wire::Works {
            spend(&mut world.left.losses);
        }
        let mut done = Ok(());
        match step {
            Step::Tick => done = self.tick(world),
            Step::Ask(place) => Act::new(self, world, place).ask(),
            Step::Unauthorized(place) => Act::new(self, world, place).unauthorized(),
            Step::Command(place, wire) => done = Act::new(self, world, place).command(wire),
            Step::Send(place) => done = Act::new(self, world, place).send(),
            Step::Answer(place, answer) => done = Act::new(self, world, place).answer(answer),
            Step::Publish(place, wire) => done = Act::new(self, world, place).publish(wire),
            Step::Crash(place) => faults::crash(self, world, place),
            Step::Stop(place) => faults::stop(world, place),
            Step::GoOn(place) => world.hosts[place].life = Life::Runs,
            Step::Down => {
                spend(&mut world.left.outages);
                world.is_down = true;
            }
            Step::Up => world.is_down = false,
            Step::Lag => world.replica = Some(world.store.clone()),
            Step::Failover => {
                spend(&mut world.left.failovers);
                world.store = world.replica.take().expect("there is a replica");
                world.seen.is_replayed = true;
            }
            Step::Stranger(act) => self.let_stranger(world, act),
        }
        done
    }

    fn tick(&self, world: &mut World) -> Result<(), Broken> {
        world.now += 1;
        for access in world.hosts.iter_mut().filter_map(|host| host.access.as_mut()) {
            if access.phase == Phase::Wait {
                access.phase = Phase::Look;
            }
        }
        // The store forgets a lease when it expires.
        let is_over = |lease: &mut Lease| lease.expiry.is_some_and(|end| end <= world.now);
        world.store.lease.take_if(is_over);
        properties::passes(self, world)
    }
}
