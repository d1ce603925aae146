//! Brings worlds that differ only in which host is which into one form.

use super::world::{Host, Lease, Owner, World};

impl World {
    /// Whether anybody has seen this owner's lease, or may see it again.
    pub(super) fn mentions(&self, owner: Owner) -> bool {
        let leases = [Some(&self.store), self.replica.as_ref()];
        let mut leases = leases.into_iter().flatten().filter_map(|items| items.lease);
        let mut holders = self.hosts.iter().filter_map(|host| host.access?.holder);
        leases.any(|lease| lease.owner == owner) || holders.any(|(holder, _)| holder == owner)
    }
}

/// Sorts the hosts; gives for each place where its host was before.
pub(super) fn sort(world: &mut World) -> Vec<usize> {
    let mut places: Vec<usize> = (0..world.hosts.len()).collect();
    let keys: Vec<_> = places.iter().map(|&place| key(world, place)).collect();
    places.sort_by(|a, b| keys[*a].cmp(&keys[*b]));
    if places.is_sorted() {
        return places;
    }
    let mut now_at = vec![0; places.len()];
    for (place, &before) in places.iter().enumerate() {
        now_at[before] = place as u8;
    }
    let rename = |owner: &mut Owner| {
        if let Owner::Session { host, .. } = owner {
            *host = now_at[usize::from(*host)];
        }
    };
    let hosts = places.iter().map(|&before| world.hosts[before].clone()).collect();
    world.hosts = hosts;
    let holders = world.hosts.iter_mut().filter_map(|host| host.access.as_mut()?.holder.as_mut());
    holders.for_each(|(owner, _)| rename(owner));
    let leases = [Some(&mut world.store), world.replica.as_mut()];
    let leases = leases.into_iter().flatten().filter_map(|items| items.lease.as_mut());
    leases.for_each(|lease: &mut Lease| rename(&mut lease.owner));
    places
}

/// What tells a host apart whichever place it has.
fn key(world: &World, place: usize) -> (Host, [Option<bool>; 2], Option<(u8, u8)>) {
    let mut host = world.hosts[place].clone();
    let holder = host.access.as_mut().and_then(|access| access.holder.take());
    let holder = holder.map(|(owner, since)| (kind(owner, place), since));
    let session = |lease: Option<Lease>| match lease?.owner {
        Owner::Session { host, odd } if usize::from(host) == place => Some(odd),
        _ => None,
    };
    let replica = world.replica.as_ref().and_then(|items| items.lease);
    (host, [session(world.store.lease), session(replica)], holder)
}

/// Who an owner is as seen from a place.
fn kind(owner: Owner, place: usize) -> u8 {
    match owner {
        Owner::Stranger(second) => u8::from(second),
        Owner::Session { host, odd } => {
            2 + u8::from(odd) + if usize::from(host) == place { 2 } else { 0 }
        }
    }
}
