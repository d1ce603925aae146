//! Lets hosts and the store fail, and strangers do as they like.

use super::protocol::spend;
use super::rules::Setup;
use super::steps::Step;
use super::world::{Backoff, Blob, Host, Lease, Life, Owner, TokenSet, World};

/// What anybody can do who has access to the store, but no seal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StrangersAct {
    DeleteToken,
    DeleteBackoff,
    DeleteLease,
    GarbageToken,
    GarbageBackoff,
    Replay(usize),
    EndlessLease,
    LongLease,
}

impl Setup {
    pub(super) fn store_faults(&self, world: &World, steps: &mut Vec<Step>) {
        let left = &world.left;
        if world.is_down {
            steps.push(Step::Up);
        } else if left.outages > 0 {
            steps.push(Step::Down);
        }
        if world.replica.is_some() {
            steps.push(Step::Failover);
        } else if left.failovers > 0 {
            steps.push(Step::Lag);
        }
    }

    pub(super) fn let_stranger(&self, world: &mut World, act: StrangersAct) {
        let World { store, left, now, .. } = world;
        let was_first = store.lease.is_some_and(|lease| lease.owner == Owner::Stranger(false));
        let owner = Owner::Stranger(was_first);
        match act {
            StrangersAct::DeleteToken => store.token = None,
            StrangersAct::DeleteBackoff => store.backoff = None,
            StrangersAct::DeleteLease => store.lease = None,
            StrangersAct::GarbageToken => store.token = Some(Blob::Garbage),
            StrangersAct::GarbageBackoff => store.backoff = Some(Backoff::Garbage),
            StrangersAct::Replay(copy) => store.token = Some(Blob::Sealed(world.copies[copy])),
            StrangersAct::EndlessLease => store.lease = Some(Lease { owner, expiry: None }),
            StrangersAct::LongLease => {
                let expiry = Some(*now + self.horizon);
                store.lease = Some(Lease { owner, expiry });
            }
        }
        match act {
            StrangersAct::DeleteToken | StrangersAct::DeleteBackoff | StrangersAct::DeleteLease => {
                spend(&mut left.deletions);
            }
            StrangersAct::GarbageToken | StrangersAct::GarbageBackoff => spend(&mut left.garbage),
            StrangersAct::Replay(_) => {
                spend(&mut left.replays);
                world.seen.is_replayed = true;
            }
            StrangersAct::EndlessLease => spend(&mut left.endless_leases),
            StrangersAct::LongLease => spend(&mut left.long_leases),
        }
    }
}

pub(super) fn stop(world: &mut World, place: usize) {
    spend(&mut world.left.stops);
    world.seen.lost_hosts += 1;
    let host = &mut world.hosts[place];
    host.life = Life::Stopped;
    host.access.iter_mut().for_each(|access| access.was_stopped = true);
}

pub(super) fn crash(setup: &Setup, world: &mut World, place: usize) {
    spend(&mut world.left.crashes);
    world.seen.lost_hosts += 1;
    if setup.is_file {
        let is_its =
            |owner| matches!(owner, Owner::Session { host, .. } if usize::from(host) == place);
        world.store.lease.take_if(|lease| is_its(lease.owner));
    }
    let host = &mut world.hosts[place];
    let ahead = host.ahead;
    let nothing = TokenSet::default();
    *host = Host {
        ahead,
        life: Life::Dead,
        token: None,
        refused: nothing,
        ever_refused: nothing,
        wants_replacement: false,
        last_replacement: None,
        calls: 0,
        access: None,
        rest: None,
    };
}

pub(super) fn strangers(world: &World, steps: &mut Vec<Step>) {
    let World { left, store, .. } = world;
    let mut add = |may: bool, act| steps.extend(may.then_some(Step::Stranger(act)));
    add(left.deletions > 0 && store.token.is_some(), StrangersAct::DeleteToken);
    add(left.deletions > 0 && store.backoff.is_some(), StrangersAct::DeleteBackoff);
    add(left.deletions > 0 && store.lease.is_some(), StrangersAct::DeleteLease);
    add(left.garbage > 0 && store.token != Some(Blob::Garbage), StrangersAct::GarbageToken);
    add(left.garbage > 0 && store.backoff != Some(Backoff::Garbage), StrangersAct::GarbageBackoff);
    add(left.endless_leases > 0, StrangersAct::EndlessLease);
    add(left.long_leases > 0, StrangersAct::LongLease);
    for (copy, token) in world.copies.iter().enumerate() {
        let is_there = store.token == Some(Blob::Sealed(*token));
        add(left.replays > 0 && !is_there, StrangersAct::Replay(copy));
    }
}
