//! Takes the steps of a host: asks something of the store, and does what follows from the answer.

mod access;
mod publish;
mod request;

use super::rules::{ANY, Rules, Setup, Times};
use super::world::{Access, Host, Owner, Phase, Ticks, TokenSet, World};

/// What becomes of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wire {
    Works,
    LosesAnswer,
    LosesCommand,
}

/// How a token request ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Token,
    /// The server says that it fails, which concerns everybody.
    Failure,
    OwnTrouble,
}

pub(super) fn spend(times: &mut Times) {
    if *times != ANY {
        *times -= 1;
    }
}

/// Whether the API's 401 to the token in use takes that out of use.
pub(super) fn may_replace(setup: &Setup, now: Ticks, host: &Host) -> bool {
    let Some(token) = host.token else { return false };
    let of_token = token.replacement.filter(|_| setup.rules.shares_replacements);
    let last = host.last_replacement.max(of_token);
    last.is_none_or(|last| now - last >= setup.between_replacements)
}

/// One host in one world, while it takes a step.
pub(super) struct Act<'a> {
    setup: &'a Setup,
    world: &'a mut World,
    place: usize,
}

impl<'a> Act<'a> {
    pub(super) fn new(setup: &'a Setup, world: &'a mut World, place: usize) -> Self {
        Self { setup, world, place }
    }

    fn rules(&self) -> Rules {
        self.setup.rules
    }

    fn host(&mut self) -> &mut Host {
        &mut self.world.hosts[self.place]
    }

    fn access(&mut self) -> &mut Access {
        self.host().access.as_mut().expect("an access is under way")
    }

    fn owner(&self, odd: bool) -> Owner {
        Owner::Session { host: self.place as u8, odd }
    }

    /// By the clock by which tokens are dated.
    fn clock(&mut self) -> Ticks {
        let now = self.world.now;
        if self.rules().store_stamps { now } else { self.wall() }
    }

    fn wall(&mut self) -> Ticks {
        self.world.now.saturating_add_signed(self.host().ahead)
    }

    /// How old what has this stamp is; `None` if that lies in the future.
    fn age(&mut self, stamp: Ticks) -> Option<Ticks> {
        let now = self.clock();
        // What goes by the clocks of hosts must bear with small differences.
        let tolerated = if self.rules().store_stamps { 0 } else { 1 };
        (stamp <= now + tolerated).then(|| now.saturating_sub(stamp))
    }

    pub(super) fn ask(&mut self) {
        let newer_than = self.host().token.map(|token| token.stamp);
        self.start(newer_than);
    }

    fn start(&mut self, newer_than: Option<Ticks>) {
        spend(&mut self.host().calls);
        let odd = self.world.mentions(self.owner(false));
        let since = self.world.now;
        self.host().access = Some(Access {
            phase: Phase::Look,
            since,
            odd,
            newer_than,
            holder: None,
            holds: false,
            errors: 0,
            was_stopped: false,
        });
    }

    pub(super) fn unauthorized(&mut self) {
        spend(&mut self.world.left.unauthorized);
        let rules = self.rules();
        let host = self.host();
        let token = host.token.take().expect("a token was refused");
        host.ever_refused = host.ever_refused.with(token);
        host.refused = match rules {
            Rules { remembers_refused: false, .. } => TokenSet::default(),
            Rules { remembers_several: false, .. } => TokenSet::one(token),
            _ => host.refused.with(token),
        };
        host.wants_replacement = true;
        match &mut host.access {
            Some(access) => access.newer_than = None,
            None => self.start(None),
        }
    }
}
