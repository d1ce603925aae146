//! Looks up names, and ends in time.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use crate::sync::{ignore_poison, lock};
use crate::sys::per_process::PerProcess;
use crate::sys::thread;
use crate::text;

/// A lookup that takes longer is left alone, and the next caller starts another, if there is none.
const LONGEST: Duration = Duration::from_secs(10);
/// So many for a host at once, however long they take.
const MOST: usize = 2;

/// The lookups under way in this process.
static UNDER_WAY: PerProcess<Mutex<Vec<Arc<Lookup>>>> = PerProcess::new();

/// With a port of 0.
type Found = Result<Vec<SocketAddr>, Arc<io::Error>>;

/// One question to the system. It cannot be told when to end, so it has a thread of its own, which all
/// share who ask the same: at most two threads for each host are left behind.
struct Lookup {
    host: String,
    started: Instant,
    found: Mutex<Option<Found>>,
    ended: Condvar,
}

/// The addresses of a host; [`io::ErrorKind::TimedOut`] after `limit`.
pub(crate) fn resolve(host: &str, port: u16, limit: Duration) -> io::Result<Vec<SocketAddr>> {
    if host.eq_ignore_ascii_case("localhost") {
        // Whatever the system would say (RFC 6761 section 6.3).
        return Ok(vec![(Ipv4Addr::LOCALHOST, port).into(), (Ipv6Addr::LOCALHOST, port).into()]);
    }
    let mut addresses = join_or_start(host)?.wait(limit)?;
    addresses.iter_mut().for_each(|address| address.set_port(port));
    Ok(addresses)
}

fn join_or_start(host: &str) -> io::Result<Arc<Lookup>> {
    let under_way = UNDER_WAY.get(Mutex::default);
    let mut lookups = lock(&under_way);
    let mut same = lookups.iter().filter(|lookup| lookup.host.eq_ignore_ascii_case(host));
    let (count, newest) = (same.clone().count(), same.next_back());
    let is_joined = |lookup: &&Arc<Lookup>| count == MOST || lookup.started.elapsed() < LONGEST;
    if let Some(lookup) = newest.filter(is_joined) {
        return Ok(lookup.clone());
    }
    let lookup = Arc::new(Lookup {
        host: host.to_owned(),
        started: Instant::now(),
        found: Mutex::default(),
        ended: Condvar::new(),
    });
    let ours = lookup.clone();
    let registered = under_way.clone();
    thread::spawn(c"clazar-lookup", move || {
        let found = (ours.host.as_str(), 0).to_socket_addrs();
        // Whoever comes from now on asks the system again.
        lock(&registered).retain(|other| !Arc::ptr_eq(other, &ours));
        *lock(&ours.found) = Some(found.map(Vec::from_iter).map_err(Arc::new));
        ours.ended.notify_all();
    })
    .map_err(|error| {
        let why = text::system(&error);
        io::Error::other(format!("no thread could be started for the name lookup ({why})"))
    })?;
    lookups.push(lookup.clone());
    Ok(lookup)
}

impl Lookup {
    fn wait(&self, limit: Duration) -> io::Result<Vec<SocketAddr>> {
        let found = lock(&self.found);
        let waited = self.ended.wait_timeout_while(found, limit, |found| found.is_none());
        match &*ignore_poison(waited).0 {
            Some(Ok(addresses)) => Ok(addresses.clone()),
            Some(Err(error)) => Err(again(error)),
            None => Err(io::ErrorKind::TimedOut.into()),
        }
    }
}

/// The same error for each of those that waited.
fn again(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(number) => io::Error::from_raw_os_error(number),
        None => io::Error::new(error.kind(), error.to_string()),
    }
}
