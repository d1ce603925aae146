//! Lets hosts and the store fail, and strangers do as they like.

use super::protocol::spend;
use super::rules::Setup;
use super::steps::Step;
use super::world::{Backoff, Blob, Host, Lease, Life, Owner, TokenSet, World};

/// What anybody can do who has access to the store, but no seal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
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

    pub(super) fn do_deed(&self, world: &mut World, deed: Deed) {
        let World { store, left, now, .. } = world;
        let was_first = store.lease.is_some_and(|lease| lease.owner == Owner::Stranger(false));
        let owner = Owner::Stranger(was_first);
        match deed {
            Deed::DeleteToken => store.token = None,
            Deed::DeleteBackoff => store.backoff = None,
            Deed::DeleteLease => store.lease = None,
            Deed::GarbageToken => store.token = Some(Blob::Garbage),
            Deed::GarbageBackoff => store.backoff = Some(Backoff::Garbage),
            Deed::Replay(copy) => store.token = Some(Blob::Sealed(world.copies[copy])),
            Deed::EndlessLease => store.lease = Some(Lease { owner, expiry: None }),
            Deed::LongLease => {
                let expiry = Some(*now + self.horizon);
                store.lease = Some(Lease { owner, expiry });
            }
        }
        match deed {
            Deed::DeleteToken | Deed::DeleteBackoff | Deed::DeleteLease => {
                spend(&mut left.deletions);
            }
            Deed::GarbageToken | Deed::GarbageBackoff => spend(&mut left.garbage),
            Deed::Replay(_) => {
                spend(&mut left.replays);
                world.seen.is_replayed = true;
            }
            Deed::EndlessLease => spend(&mut left.endless_leases),
            Deed::LongLease => spend(&mut left.long_leases),
        }
    }
}

pub(super) fn stop(world: &mut World, place: usize) {
    spend(&mut world.left.stops);
    world.seen.lost_hosts += 1;
    let host = &mut world.hosts[place];
    host.life = Life::Stopped;
    host.visit.iter_mut().for_each(|visit| visit.was_stopped = true);
}

pub(super) fn crash(world: &mut World, place: usize) {
    spend(&mut world.left.crashes);
    world.seen.lost_hosts += 1;
    let host = &mut world.hosts[place];
    let ahead = host.ahead;
    let nothing = TokenSet::default();
    *host = Host {
        ahead,
        life: Life::Dead,
        token: None,
        refused: nothing,
        ever_refused: nothing,
        is_forcing: false,
        forced: None,
        calls: 0,
        visit: None,
        rest: None,
    };
}

pub(super) fn strangers(world: &World, steps: &mut Vec<Step>) {
    let World { left, store, .. } = world;
    let mut add = |may: bool, deed| steps.extend(may.then_some(Step::Stranger(deed)));
    add(left.deletions > 0 && store.token.is_some(), Deed::DeleteToken);
    add(left.deletions > 0 && store.backoff.is_some(), Deed::DeleteBackoff);
    add(left.deletions > 0 && store.lease.is_some(), Deed::DeleteLease);
    add(left.garbage > 0 && store.token != Some(Blob::Garbage), Deed::GarbageToken);
    add(left.garbage > 0 && store.backoff != Some(Backoff::Garbage), Deed::GarbageBackoff);
    add(left.endless_leases > 0, Deed::EndlessLease);
    add(left.long_leases > 0, Deed::LongLease);
    for (copy, token) in world.copies.iter().enumerate() {
        let is_there = store.token == Some(Blob::Sealed(*token));
        add(left.replays > 0 && !is_there, Deed::Replay(copy));
    }
}
