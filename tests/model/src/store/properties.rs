//! States what must never happen, in terms of what is true and not of what a host believes.

use std::fmt;

use super::rules::Setup;
use super::world::{Blob, Life, Owner, Phase, Ticks, Token, World};

/// Which property does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Broken(pub(super) &'static str);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

fn unless(holds: bool, what: &'static str) -> Result<(), Broken> {
    if holds { Ok(()) } else { Err(Broken(what)) }
}

/// A token is about to be handed out from the store.
pub(super) fn serves(world: &World, place: usize, token: Token, life: Ticks) -> Result<(), Broken> {
    let host = &world.hosts[place];
    unless(!host.ever_refused.has(token), "S2: a host is given a token that it refused")?;
    let came_back = world.seen.marked.has(token) && !world.seen.is_replayed;
    unless(!came_back, "S2: a host is given a token that was marked since it was refused")?;
    unless(world.now - token.sent < life, "S1: a host is given a dead token")
}

/// A token is about to be written over what is stored. It is older than that if it was requested before
/// the other's host even looked for the last time.
pub(super) fn publishes(world: &World, place: usize, token: Token) -> Result<(), Broken> {
    let host = &world.hosts[place];
    unless(!host.ever_refused.has(token), "S2: a host publishes a token that it refused")?;
    let Some(other) = world.store.token.and_then(Blob::token) else { return Ok(()) };
    unless(other != token, "S2: a token is stored again over its own mark")?;
    let is_older = token.sent < other.looked;
    unless(!is_older, "S1: an older token replaces a newer one")
}

/// What is stored is about to be marked as refused.
pub(super) fn marks(world: &World, place: usize) -> Result<(), Broken> {
    let Some(Blob::Sealed(other)) = world.store.token else { return Ok(()) };
    let is_refused = world.hosts[place].ever_refused.has(other);
    unless(is_refused, "S1: a token is marked that its host did not refuse")
}

/// A host may be about to wait for a back-off to end.
pub(super) fn backs_off(world: &World, is_on: bool, end: Ticks) -> Result<(), Broken> {
    unless(!is_on || world.now < end, "L3: a back-off lasts longer than its length")
}

/// A request was sent.
pub(super) fn sends(setup: &Setup, world: &World) -> Result<(), Broken> {
    let limits = setup.limits;
    let is_sent = |phase| matches!(phase, Phase::Flight { .. });
    let accesses = world.hosts.iter().filter_map(|host| host.access);
    let accesses = accesses.filter(|access| !access.was_stopped);
    let at_once = accesses.filter(|access| is_sent(access.phase)).count();
    let one = !limits.one_at_a_time || world.seen.impatient > 0 || at_once <= 1;
    unless(one, "S4: two requests at once")?;
    let most = (2 * world.seen.lost_hosts).max(1);
    let few = !limits.few_requests || world.seen.requests <= most;
    unless(few, "L2: more requests than the lost hosts account for")?;
    let patient = limits.impatient.is_none_or(|most| world.seen.impatient <= most);
    unless(patient, "S3: one write of a stranger costs hosts more than one wait each")
}

/// A request for a replacement of a refused token, sent at `sent`, has brought one.
pub(super) fn replaces(setup: &Setup, world: &mut World, sent: Ticks) -> Result<(), Broken> {
    let last = world.seen.last_replacement.replace(sent);
    let apart = last.is_none_or(|last| sent.abs_diff(last) >= setup.between_replacements);
    let holds = !setup.limits.replacements_apart || apart;
    unless(holds, "S5: two requests for replacements come too soon after each other")
}

/// A tick has passed.
pub(super) fn passes(setup: &Setup, world: &World) -> Result<(), Broken> {
    unless(longest_wait(world) <= setup.whole_wait(), "L1: a wait does not end in time")?;
    let in_time = !setup.limits.short_calls || longest_call(world) <= setup.whole_wait();
    unless(in_time, "a call with its own request takes longer than the longest wait")?;
    let orphan = world.store.lease.is_some_and(|lease| !is_known(world, lease.owner));
    unless(!(setup.limits.no_orphans && orphan), "L1: a lease is left that its owner forgot")
}

/// Whether the session that took a lease still works with it.
fn is_known(world: &World, owner: Owner) -> bool {
    let Owner::Session { host, odd } = owner else { return true };
    let host = &world.hosts[usize::from(host)];
    let is_used = host.access.is_some_and(|access| access.odd == odd && access.holds);
    is_used || host.rest.is_some_and(|rest| rest.odd == odd) || host.life == Life::Dead
}

/// For how long the one who waits longest has waited for others.
pub(super) fn longest_wait(world: &World) -> Ticks {
    let accesses = world.hosts.iter().filter_map(|host| host.access);
    let waits = accesses
        .filter(|access| !access.was_stopped)
        .filter(|access| !matches!(access.phase, Phase::Send(_) | Phase::Flight { .. }));
    waits.map(|access| world.now - access.since).max().unwrap_or(0)
}

/// For how long the one who waits longest has waited, its own request included.
pub(super) fn longest_call(world: &World) -> Ticks {
    let running = world.hosts.iter().filter(|host| host.life == Life::Runs);
    let accesses = running.filter_map(|host| host.access).filter(|access| !access.was_stopped);
    accesses.map(|access| world.now - access.since).max().unwrap_or(0)
}
